//! `aws-chunked`: the framing in which SDKs send a body whose checksum follows it.
//!
//! A framed body is taken out of its frame here, and what stood in its trailer becomes a header: the host signs the
//! whole body and needs no frame of the guest's. Signatures of chunks are the guest's placeholder and are dropped.
//!
//! Source: "Signature Version 4 streaming" and "Including trailing headers", Amazon S3 API Reference
//! (sigv4-streaming.html, sigv4-streaming-trailers.html).

use bytes::Bytes;

use super::families::CHECKSUMS;
use crate::refusal::{Quoted, Refusal};
use crate::wire::headers::Headers;

/// The content encoding that says so.
const ENCODING: &str = "aws-chunked";
/// What the values of `x-amz-content-sha256` that say so begin with.
const MARKER: &str = "STREAMING-";
/// The longest line between chunks, which holds a size and a signature, or a trailer.
const LONGEST_LINE: usize = 512;

/// A body out of its frame.
pub(crate) struct Unframed {
    pub(crate) body: Bytes,
    /// The headers that stood in the trailer.
    pub(crate) trailer: Vec<(String, String)>,
    /// The content encodings that are left.
    pub(crate) encoding: Option<String>,
}

/// Takes a body out of its frame; `None` when it has none.
pub(crate) fn unframe(headers: &mut Headers<'_>, body: &Bytes) -> Result<Option<Unframed>, Refusal> {
    let encoding = headers.take("content-encoding")?;
    let mut encodings: Vec<&str> = encoding.into_iter().flat_map(|value| value.split(',')).map(str::trim).collect();
    let named = encodings.iter().any(|name| name.eq_ignore_ascii_case(ENCODING));
    let marked = headers.payload_marker.is_some_and(|marker| marker.starts_with(MARKER));
    if !named && !marked {
        // Not framed: the header, if there is one, is one of those that the operation takes.
        return Ok(encoding.map(|value| Unframed {
            body: body.clone(),
            trailer: Vec::new(),
            encoding: Some(value.to_owned()),
        }));
    }
    let first = encodings.iter().position(|name| name.eq_ignore_ascii_case(ENCODING));
    if named && first != Some(0) {
        return Err(refuse("aws-chunked is not the first content encoding"));
    }
    if named {
        encodings.remove(0);
    }
    if encodings.iter().any(|name| name.is_empty() || name.eq_ignore_ascii_case(ENCODING)) {
        return Err(refuse("its content encodings are doubled or empty"));
    }
    let Some(length) = headers.take("x-amz-decoded-content-length")? else {
        return Err(refuse("x-amz-decoded-content-length is missing"));
    };
    let announced: Vec<String> = match headers.take("x-amz-trailer")? {
        None => Vec::new(),
        Some(names) => names.split(',').map(|name| name.trim().to_ascii_lowercase()).collect(),
    };
    let mut reader = Reader { rest: body };
    let data = reader.chunks()?;
    if !length.bytes().all(|byte| byte.is_ascii_digit()) || length.parse() != Ok(data.len()) {
        return Err(refuse(&format!(
            "x-amz-decoded-content-length is {}, but the chunks hold {} bytes",
            Quoted(length),
            data.len()
        )));
    }
    let trailer = reader.trailer(&announced)?;
    Ok(Some(Unframed { body: data.into(), trailer, encoding: (!encodings.is_empty()).then(|| encodings.join(",")) }))
}

struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// The data of all chunks, up to and with the empty one.
    fn chunks(&mut self) -> Result<Vec<u8>, Refusal> {
        let mut data = Vec::with_capacity(self.rest.len());
        loop {
            let line = self.line()?;
            let (size, extension) = line.split_once(';').map_or((line, None), |(size, rest)| (size, Some(rest)));
            let signature = |text: &str| {
                text.strip_prefix("chunk-signature=")
                    .is_some_and(|text| text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit()))
            };
            if !extension.is_none_or(signature) {
                return Err(refuse("a chunk has an extension other than its signature"));
            }
            // `from_str_radix` alone would take a sign.
            let hex = (1..=16).contains(&size.len()) && size.bytes().all(|byte| byte.is_ascii_hexdigit());
            let size = usize::from_str_radix(size, 16).ok().filter(|_| hex);
            let size = size.ok_or_else(|| refuse("a chunk's size is not a hexadecimal number"))?;
            if size == 0 {
                return Ok(data);
            }
            let Some((chunk, rest)) = self.rest.split_at_checked(size) else {
                return Err(refuse("it ends within a chunk"));
            };
            data.extend_from_slice(chunk);
            self.rest = rest.strip_prefix(b"\r\n").ok_or_else(|| refuse("a chunk is longer than its size"))?;
        }
    }

    /// The trailer's fields: the checksums that were announced, each once, then the end.
    fn trailer(&mut self, announced: &[String]) -> Result<Vec<(String, String)>, Refusal> {
        let mut fields: Vec<(String, String)> = Vec::new();
        loop {
            let line = self.line()?;
            if line.is_empty() {
                break;
            }
            let Some((name, value)) = line.split_once(':') else {
                return Err(refuse("a trailer is not a header field"));
            };
            let (name, value) = (name.to_ascii_lowercase(), value.trim());
            if name == "x-amz-trailer-signature" {
                continue;
            }
            let known = announced.contains(&name) && CHECKSUMS.holds(&name);
            if !known || fields.iter().any(|(earlier, _)| *earlier == name) {
                return Err(refuse("a trailer is not one of the checksums that x-amz-trailer names, once"));
            }
            if !value.bytes().all(|byte| byte.is_ascii_graphic()) {
                return Err(refuse("a trailer's value is not visible ASCII"));
            }
            fields.push((name, value.to_owned()));
        }
        if fields.len() != announced.len() {
            return Err(refuse("a trailer that x-amz-trailer names is missing"));
        }
        if !self.rest.is_empty() {
            return Err(refuse("something follows its end"));
        }
        Ok(fields)
    }

    /// The next line, which ends in CR LF.
    fn line(&mut self) -> Result<&'a str, Refusal> {
        let window = &self.rest[..self.rest.len().min(LONGEST_LINE)];
        let Some(end) = window.windows(2).position(|pair| pair == b"\r\n") else {
            return Err(refuse("a line of its frame does not end"));
        };
        let line = &self.rest[..end];
        self.rest = &self.rest[end + 2..];
        match std::str::from_utf8(line) {
            Ok(line) if line.bytes().all(|byte| matches!(byte, b' '..=b'~')) => Ok(line),
            _ => Err(refuse("a line of its frame is not visible ASCII")),
        }
    }
}

fn refuse(what: &str) -> Refusal {
    Refusal::malformed("aws-chunked body", what, "send the body without the framing, or as the S3 API Reference has it")
}
