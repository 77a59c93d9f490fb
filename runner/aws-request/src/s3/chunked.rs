//! `aws-chunked`: the framing in which SDKs send a body whose checksum follows it.
//!
//! The host signs a body itself and needs no frame of the guest's, so a framed body is taken out of its frame, piece by
//! piece as it comes. Signatures of chunks are the guest's placeholder and are dropped.
//!
//! Source: "Signature Version 4 streaming" and "Including trailing headers", Amazon S3 API Reference
//! (sigv4-streaming.html, sigv4-streaming-trailers.html).

use bytes::{Buf, Bytes};

use super::families::CHECKSUMS;
use crate::refusal::{Quoted, Refusal};
use crate::wire::headers::Headers;

/// The content encoding that says so.
const ENCODING: &str = "aws-chunked";
/// What the values of `x-amz-content-sha256` that say so begin with.
const MARKER: &str = "STREAMING-";
/// The longest body that a frame may say it holds, in bytes: beyond what S3 stores in one object (50 TB), and far from
/// where sums overflow.
pub(super) const LONGEST_BODY: u64 = 1 << 46;
/// The longest line between chunks, which holds a size and a signature, or a trailer.
const LONGEST_LINE: usize = 512;

/// How a body is framed, as its headers say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Frame {
    /// The bytes in the frame.
    pub(super) length: u64,
    /// The checksum that the trailer is to hold, by its header in lower case. S3 takes one.
    pub(super) announced: Option<String>,
    /// The content encodings that are left without the frame.
    pub(super) encoding: Option<String>,
}

/// What the headers say of a body.
pub(super) enum Framing {
    Framed(Frame),
    /// Not framed, with this content encoding.
    Plain(Option<String>),
}

/// Takes the headers that describe a frame.
pub(super) fn framing(headers: &mut Headers<'_>) -> Result<Framing, Refusal> {
    // SDKs add their own to what the program says, some in front of it and some behind, some in a field of its own.
    let encoding = headers.take_list("content-encoding")?;
    let mut encodings: Vec<&str> = encoding.iter().flat_map(|value| value.split(',')).map(str::trim).collect();
    let named = encodings.iter().any(|name| name.eq_ignore_ascii_case(ENCODING));
    let marked = headers.payload_marker.is_some_and(|marker| marker.starts_with(MARKER));
    if !named && !marked {
        return Ok(Framing::Plain(encoding));
    }
    let place = encodings.iter().position(|name| name.eq_ignore_ascii_case(ENCODING));
    match place {
        Some(place) if place == 0 || place == encodings.len() - 1 => drop(encodings.remove(place)),
        Some(_) => return Err(refuse("aws-chunked is neither the first nor the last content encoding")),
        None => {}
    }
    if encodings.iter().any(|name| name.is_empty() || name.eq_ignore_ascii_case(ENCODING)) {
        return Err(refuse("its content encodings are doubled or empty"));
    }
    let Some(length) = headers.take("x-amz-decoded-content-length")? else {
        return Err(refuse("x-amz-decoded-content-length is missing"));
    };
    let digits = length.bytes().all(|byte| byte.is_ascii_digit());
    let Some(length) = length.parse().ok().filter(|length| digits && *length <= LONGEST_BODY) else {
        return Err(refuse("x-amz-decoded-content-length is no number of bytes that a body can have"));
    };
    let announced = headers.take("x-amz-trailer")?.map(str::to_ascii_lowercase);
    if let Some(name) = announced.as_ref().filter(|name| !CHECKSUMS.holds(name)) {
        return Err(refuse(&format!("its trailer is to hold {}, which is not one checksum", Quoted(name))));
    }
    Ok(Framing::Framed(Frame { length, announced, encoding: (!encodings.is_empty()).then(|| encodings.join(",")) }))
}

/// Takes a body out of its frame.
#[derive(Debug)]
pub(super) struct Decoder {
    state: State,
    /// The line between chunks so far.
    line: Vec<u8>,
    announced: Option<String>,
    /// The value of the checksum that was announced.
    checksum: Option<String>,
    /// Whether the trailer's own signature has come.
    signed: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// In the line with a chunk's size.
    Size,
    /// In a chunk, with so many bytes to come.
    Data(u64),
    /// In the line end after a chunk.
    DataEnd,
    /// In a line of the trailer.
    Trailer,
    Ended,
}

impl Decoder {
    pub(super) fn new(announced: Option<String>) -> Self {
        Self { state: State::Size, line: Vec::new(), announced, checksum: None, signed: false }
    }

    /// Takes the next piece of the framed body, and gives what it holds to `take`.
    pub(super) fn push(
        &mut self,
        mut piece: Bytes,
        mut take: impl FnMut(Bytes) -> Result<(), Refusal>,
    ) -> Result<(), Refusal> {
        while !piece.is_empty() {
            match self.state {
                State::Data(left) => {
                    let here = usize::try_from(left).map_or(piece.len(), |left| left.min(piece.len()));
                    take(piece.split_to(here))?;
                    let left = left - here as u64;
                    self.state = if left == 0 { State::DataEnd } else { State::Data(left) };
                }
                State::Ended => return Err(refuse("something follows its end")),
                State::Size | State::DataEnd | State::Trailer => {
                    if let Some(line) = self.line(&mut piece)? {
                        self.state = self.after(&line)?;
                    }
                }
            }
        }
        Ok(())
    }

    /// The checksum in the trailer, when the body has come to its end.
    pub(super) fn finish(self) -> Result<Option<String>, Refusal> {
        match self.state {
            State::Ended => Ok(self.checksum),
            State::Data(_) => Err(refuse("it ends within a chunk")),
            State::Size | State::DataEnd | State::Trailer => Err(refuse("a line of its frame does not end")),
        }
    }

    /// Takes a line out of `piece`, which ends in CR LF; `None` where it goes on in the next piece.
    fn line(&mut self, piece: &mut Bytes) -> Result<Option<String>, Refusal> {
        let room = LONGEST_LINE - self.line.len();
        let (window, ended) = match piece.iter().take(room).position(|byte| *byte == b'\n') {
            Some(end) => (end + 1, true),
            None => (piece.len().min(room), false),
        };
        self.line.extend_from_slice(&piece[..window]);
        piece.advance(window);
        if !ended {
            // A line that fills its room does not end.
            return if self.line.len() == LONGEST_LINE {
                Err(refuse("a line of its frame does not end"))
            } else {
                Ok(None)
            };
        }
        match std::mem::take(&mut self.line).strip_suffix(b"\r\n") {
            Some(line) if line.iter().all(|byte| matches!(byte, b' '..=b'~')) => {
                Ok(Some(String::from_utf8_lossy(line).into_owned()))
            }
            _ => Err(refuse("a line of its frame is not visible ASCII up to CR LF")),
        }
    }

    fn after(&mut self, line: &str) -> Result<State, Refusal> {
        match self.state {
            State::Size => match size(line)? {
                0 => Ok(State::Trailer),
                size => Ok(State::Data(size)),
            },
            State::DataEnd if line.is_empty() => Ok(State::Size),
            State::DataEnd => Err(refuse("a chunk is longer than its size")),
            _ if line.is_empty() && self.announced.is_some() && self.checksum.is_none() => {
                Err(refuse("the trailer that x-amz-trailer names is missing"))
            }
            _ if line.is_empty() => Ok(State::Ended),
            _ => {
                self.field(line)?;
                Ok(State::Trailer)
            }
        }
    }

    /// One field of the trailer: the checksum that was announced, or a signature, each once.
    fn field(&mut self, line: &str) -> Result<(), Refusal> {
        let Some((name, value)) = line.split_once(':') else {
            return Err(refuse("a trailer is not a header field"));
        };
        let (name, value) = (name.to_ascii_lowercase(), value.trim());
        if name == "x-amz-trailer-signature" && !std::mem::replace(&mut self.signed, true) {
            return Ok(());
        }
        if self.announced.as_ref() != Some(&name) || self.checksum.is_some() {
            return Err(refuse("a trailer is not the checksum that x-amz-trailer names, once"));
        }
        if !value.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(refuse("a trailer's value is not visible ASCII"));
        }
        self.checksum = Some(value.to_owned());
        Ok(())
    }
}

/// A chunk's size; its signature, the only extension there is, is not looked at.
fn size(line: &str) -> Result<u64, Refusal> {
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
    u64::from_str_radix(size, 16)
        .ok()
        .filter(|_| hex)
        .ok_or_else(|| refuse("a chunk's size is not a hexadecimal number"))
}

pub(super) fn refuse(what: &str) -> Refusal {
    Refusal::malformed("aws-chunked body", what, "send the body without the framing, or as the S3 API Reference has it")
}
