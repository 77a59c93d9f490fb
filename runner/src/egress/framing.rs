//! How a body that is sent while it comes in is written, so that S3 can hold it to what was signed.
//!
//! The signature over a request comes before the body, so it cannot cover a body that is not known yet. S3 has two ways
//! out. Either the body is cut into chunks and each has a signature of its own, which goes on from the one before it; or
//! the chunks go without, and a checksum follows them, which is enough where TLS keeps others from changing them. A guest's
//! own framing was taken off before: chunks here are all of one size, whatever the guest's were.
//!
//! - Over TLS, with a checksum of the guest's: unsigned chunks and the checksum, found to be right on the way.
//! - Over plain HTTP, or without a checksum: signed chunks, and the checksum, signed as well, where there is one.
//! - Over TLS, where the definition asks for it: the body as it is, with neither. A checksum that is known from the start
//!   goes in a header then; with one that follows the body, it is sent in chunks all the same.
//!
//! Sources: "Signature calculations for the Authorization header: transferring payload in multiple chunks" and "…
//! including trailing headers", Amazon S3 API Reference (sigv4-streaming.html, sigv4-streaming-trailers.html).

use bytes::{Bytes, BytesMut};
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH};
use http::{HeaderMap, HeaderName, HeaderValue};
use rolebox_aws_request::StreamedBody;

use super::CallError;
use super::sign::ChunkSigner;

/// The data of one chunk, in bytes, but for the last. S3 wants at least 8 KiB; what a chunk costs is its signature.
pub(super) const CHUNK_BYTES: usize = 64 << 10;

const DECODED_LENGTH: HeaderName = HeaderName::from_static("x-amz-decoded-content-length");
const TRAILER: HeaderName = HeaderName::from_static("x-amz-trailer");

/// What stands between a chunk's size and its signature.
const SIGNATURE_EXTENSION: &str = ";chunk-signature=";
/// The name of the trailer that signs the others.
const TRAILER_SIGNATURE: &str = "x-amz-trailer-signature";
/// Digits of a signature.
const SIGNATURE_DIGITS: u64 = 64;

/// One way to write a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Framing {
    SignedChunks,
    SignedChunksWithTrailer,
    UnsignedChunksWithTrailer,
    /// No frame at all.
    Unsigned,
}

impl Framing {
    /// The way to write `body`, over TLS or not.
    pub(super) fn of(body: &StreamedBody, tls: bool, unsigned_allowed: bool) -> Self {
        let in_trailer = body.checksum_header().is_some() && body.checksum_value().is_none();
        match (body.checksum_header(), tls) {
            // What is known only at the end can only be sent there.
            (_, true) if unsigned_allowed && !in_trailer => Self::Unsigned,
            (Some(_), true) => Self::UnsignedChunksWithTrailer,
            (Some(_), false) => Self::SignedChunksWithTrailer,
            (None, _) => Self::SignedChunks,
        }
    }

    /// What the request's signature says of the body, in place of its hash.
    pub(super) fn payload_marker(self) -> &'static str {
        match self {
            Self::SignedChunks => "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
            Self::SignedChunksWithTrailer => "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER",
            Self::UnsignedChunksWithTrailer => "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
            Self::Unsigned => "UNSIGNED-PAYLOAD",
        }
    }

    pub(super) fn is_signed(self) -> bool {
        matches!(self, Self::SignedChunks | Self::SignedChunksWithTrailer)
    }

    fn has_trailer(self) -> bool {
        matches!(self, Self::SignedChunksWithTrailer | Self::UnsignedChunksWithTrailer)
    }

    /// The headers that describe a body written so.
    pub(super) fn describe(self, body: &StreamedBody, headers: &mut HeaderMap) -> Result<(), CallError> {
        let value = |name: &HeaderName, text: &str| {
            HeaderValue::from_str(text)
                .map_err(|_| CallError::InvalidRequest(format!("the header `{name}` cannot be sent")))
        };
        headers.insert(CONTENT_LENGTH, HeaderValue::from(self.length(body)));
        let encoding = match (self, body.content_encoding()) {
            (Self::Unsigned, None) => None,
            (Self::Unsigned, Some(own)) => Some(own.to_owned()),
            (_, None) => Some("aws-chunked".to_owned()),
            (_, Some(own)) => Some(format!("aws-chunked,{own}")),
        };
        if let Some(encoding) = encoding {
            headers.insert(CONTENT_ENCODING, value(&CONTENT_ENCODING, &encoding)?);
        }
        if self != Self::Unsigned {
            headers.insert(DECODED_LENGTH, HeaderValue::from(body.length()));
        }
        match (body.checksum_header(), body.checksum_value()) {
            (Some(checksum), _) if self.has_trailer() => drop(headers.insert(TRAILER, value(&TRAILER, checksum)?)),
            (Some(checksum), Some(known)) => {
                let name = HeaderName::from_bytes(checksum.as_bytes())
                    .map_err(|_| CallError::InvalidRequest(format!("the header `{checksum}` cannot be sent")))?;
                let known = value(&name, known)?;
                headers.insert(name, known);
            }
            _ => {}
        }
        Ok(())
    }

    /// Bytes of the body when it is written so.
    pub(super) fn length(self, body: &StreamedBody) -> u64 {
        let data = body.length();
        if self == Self::Unsigned {
            return data;
        }
        let signature = if self.is_signed() { SIGNATURE_EXTENSION.len() as u64 + SIGNATURE_DIGITS } else { 0 };
        let line_end = 2;
        // Of one chunk: its size, the line's end, and the line end behind the data.
        let around = |size: u64| hexadecimal_digits(size) + signature + line_end + line_end;
        let (whole, rest) = (data / CHUNK_BYTES as u64, data % CHUNK_BYTES as u64);
        let rest = if rest == 0 { 0 } else { around(rest) };
        // The last chunk is empty; what follows its line is the trailer, and the line end behind that.
        let last = around(0);
        let trailer = match body.checksum_header().filter(|_| self.has_trailer()) {
            None => 0,
            Some(name) => {
                let checksum = name.len() as u64 + 1 + body.checksum_digits() + line_end;
                let signature = TRAILER_SIGNATURE.len() as u64 + 1 + SIGNATURE_DIGITS + line_end;
                checksum + if self.is_signed() { signature } else { 0 }
            }
        };
        data + whole * around(CHUNK_BYTES as u64) + rest + last + trailer
    }
}

fn hexadecimal_digits(number: u64) -> u64 {
    u64::from(number.checked_ilog2().map_or(1, |bits| bits / 4 + 1))
}

/// Writes one body.
#[derive(Debug)]
pub(super) struct FrameWriter {
    framing: Framing,
    /// For signed chunks.
    signer: Option<ChunkSigner>,
    /// Data of the chunk that is not full yet; without a frame, the last piece, which goes when the end has come.
    held: BytesMut,
}

impl FrameWriter {
    pub(super) fn new(framing: Framing, signer: Option<ChunkSigner>) -> Self {
        Self { framing, signer, held: BytesMut::new() }
    }

    /// Takes the next data of the body. Gives what is to be sent now, in its order.
    pub(super) fn data(&mut self, mut data: Bytes, ready: &mut Vec<Bytes>) {
        if data.is_empty() {
            return;
        }
        if self.framing == Framing::Unsigned {
            ready.push(self.held.split().freeze());
            self.held.extend_from_slice(&data);
            return;
        }
        while self.held.len() + data.len() >= CHUNK_BYTES {
            self.held.extend_from_slice(&data.split_to(CHUNK_BYTES - self.held.len()));
            let chunk = self.held.split().freeze();
            self.chunk(chunk, ready);
        }
        self.held.extend_from_slice(&data);
    }

    /// The end of the body, with its checksum by the header that carries it.
    pub(super) fn finish(mut self, checksum: Option<(&str, &str)>, ready: &mut Vec<Bytes>) {
        let rest = self.held.split().freeze();
        if self.framing == Framing::Unsigned {
            ready.push(rest);
            return;
        }
        if !rest.is_empty() {
            self.chunk(rest, ready);
        }
        let mut end = self.size_line(&Bytes::new());
        if let Some((name, value)) = checksum.filter(|_| self.framing.has_trailer()) {
            end.push_str(&format!("{name}:{value}\r\n"));
            if let Some(signer) = &mut self.signer {
                end.push_str(&format!("{TRAILER_SIGNATURE}:{}\r\n", signer.trailer(name, value)));
            }
        }
        end.push_str("\r\n");
        ready.push(end.into());
    }

    fn chunk(&mut self, data: Bytes, ready: &mut Vec<Bytes>) {
        ready.push(self.size_line(&data).into());
        ready.push(data);
        ready.push(Bytes::from_static(b"\r\n"));
    }

    fn size_line(&mut self, data: &Bytes) -> String {
        match &mut self.signer {
            Some(signer) => format!("{:x}{SIGNATURE_EXTENSION}{}\r\n", data.len(), signer.chunk(data)),
            None => format!("{:x}\r\n", data.len()),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that panics has failed, as it should")]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::super::testing::streamed;
    use super::*;

    /// AWS's published examples: 66,560 times `a`, in a chunk of 64 KiB and one of 1 KiB.
    #[test]
    fn the_signatures_are_those_of_the_documentation() {
        let date = SystemTime::UNIX_EPOCH + Duration::from_secs(1_369_353_600);
        for (framing, seed, signatures, trailer) in [
            (
                Framing::SignedChunks,
                "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9",
                [
                    "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648",
                    "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497",
                    "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9",
                ],
                None,
            ),
            (
                Framing::SignedChunksWithTrailer,
                "106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e",
                [
                    "b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2",
                    "1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7",
                    "2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992",
                ],
                Some("d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435"),
            ),
        ] {
            let signer = ChunkSigner::for_tests(seed, date);
            let mut writer = FrameWriter::new(framing, Some(signer));
            let mut ready = Vec::new();
            writer.data(vec![b'a'; 66_560].into(), &mut ready);
            writer.finish(Some(("x-amz-checksum-crc32c", "sOO8/Q==")), &mut ready);
            let written = String::from_utf8(ready.concat()).unwrap();
            let sizes = ["10000", "400", "0"];
            for (size, signature) in sizes.iter().zip(signatures) {
                assert!(written.contains(&format!("{size};chunk-signature={signature}\r\n")), "{framing:?} {size}");
            }
            match trailer {
                None => assert!(written.ends_with("f9\r\n\r\n")),
                Some(signature) => assert!(written.ends_with(&format!(
                    "\r\nx-amz-checksum-crc32c:sOO8/Q==\r\nx-amz-trailer-signature:{signature}\r\n\r\n"
                ))),
            }
        }
    }

    #[test]
    fn the_length_is_known_before_the_body() {
        let date = SystemTime::UNIX_EPOCH + Duration::from_secs(1_369_353_600);
        for length in [0, 1, 15, 16, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 3 * CHUNK_BYTES + 4_096] {
            for checksum in [None, Some("x-amz-checksum-crc32"), Some("x-amz-checksum-sha256")] {
                let body = streamed(length, checksum);
                for (tls, unsigned) in [(true, false), (true, true), (false, false), (false, true)] {
                    let framing = Framing::of(&body, tls, unsigned);
                    let known = checksum.is_none();
                    assert_eq!(framing == Framing::Unsigned, tls && unsigned && known, "never over plain HTTP");
                    let signer = framing.is_signed().then(|| ChunkSigner::for_tests(&"0".repeat(64), date));
                    let mut writer = FrameWriter::new(framing, signer);
                    let mut ready = Vec::new();
                    for piece in vec![7; length].chunks(10_000) {
                        writer.data(Bytes::copy_from_slice(piece), &mut ready);
                    }
                    let value = "=".repeat(usize::try_from(body.checksum_digits()).unwrap());
                    writer.finish(checksum.map(|name| (name, value.as_str())), &mut ready);
                    let written: usize = ready.iter().map(Bytes::len).sum();
                    assert_eq!(framing.length(&body), written as u64, "{framing:?} {length} {checksum:?}");
                }
            }
        }
    }
}
