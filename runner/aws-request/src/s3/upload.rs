//! A body that S3 stores as it is: out of its frame, held to its length and its checksums.
//!
//! A body is read in the same way whether it is held whole or sent on as it comes. Held whole, what stood in its trailer
//! becomes headers. Sent as it comes, the checksum follows it, since it is known to be right only at the end.

use bytes::Bytes;

use super::checksum::Checksum;
use super::chunked::{Decoder, Frame};
use crate::refusal::{Quoted, Refusal};

/// A body that is sent on while it comes in, as its headers describe it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamedBody {
    /// Bytes of the body itself, without any frame.
    pub(super) length: u64,
    /// The frame that it comes in.
    pub(super) frame: Option<Frame>,
    /// The header that carries the body's checksum, and the value where that is known from the start.
    pub(super) checksum: Option<(String, Option<String>)>,
    /// The value of `content-md5`, which is sent on as it is.
    pub(super) md5: Option<String>,
    /// The content encoding of the body itself.
    pub(super) encoding: Option<String>,
}

impl StreamedBody {
    /// Bytes of the body, without a frame.
    #[must_use]
    pub fn length(&self) -> u64 {
        self.length
    }

    /// The header, in lower case, that is to carry the body's checksum behind it: one of S3's `x-amz-checksum-*`. `None`
    /// where the guest gives no checksum.
    #[must_use]
    pub fn checksum_header(&self) -> Option<&str> {
        self.checksum.as_ref().map(|(name, _)| name.as_str())
    }

    /// The checksum, where it is known before the body.
    #[must_use]
    pub fn checksum_value(&self) -> Option<&str> {
        self.checksum.as_ref().and_then(|(_, value)| value.as_deref())
    }

    /// How many characters the value of that header has.
    #[must_use]
    pub fn checksum_digits(&self) -> u64 {
        let made = self.checksum_header().and_then(Checksum::of_header);
        // The same for every body.
        made.map_or(0, |made| made.finish().len() as u64)
    }

    /// The content encoding that S3 is to store with the object.
    #[must_use]
    pub fn content_encoding(&self) -> Option<&str> {
        self.encoding.as_deref()
    }

    /// Reads the body from its beginning.
    #[must_use]
    pub fn reader(&self) -> BodyReader {
        let checks = self.checksum.iter().filter_map(|(name, expected)| Check::of(name, expected.as_deref()));
        let md5 = self.md5.iter().map(|expected| Check {
            name: "content-md5".to_owned(),
            expected: Some(expected.clone()),
            made: Checksum::md5(),
        });
        BodyReader {
            decoder: self.frame.as_ref().map(|frame| Decoder::new(frame.announced.clone())),
            length: self.length,
            read: 0,
            checks: checks.chain(md5).collect(),
        }
    }
}

/// A checksum that a body is held to.
#[derive(Debug)]
struct Check {
    name: String,
    /// Known from the headers, or else from the trailer at the end.
    expected: Option<String>,
    made: Checksum,
}

impl Check {
    /// Of the header or trailer `name`; none where that tells no checksum.
    fn of(name: &str, expected: Option<&str>) -> Option<Self> {
        let made = Checksum::of_header(name)?;
        Some(Self { name: name.to_owned(), expected: expected.map(str::to_owned), made })
    }
}

/// Reads a body piece by piece, and holds it to what its headers said.
#[derive(Debug)]
pub struct BodyReader {
    decoder: Option<Decoder>,
    length: u64,
    read: u64,
    checks: Vec<Check>,
}

impl BodyReader {
    /// A body held whole, in this frame.
    pub(super) fn of_frame(frame: &Frame) -> Self {
        let checks = frame.announced.iter().filter_map(|name| Check::of(name, None));
        Self {
            decoder: Some(Decoder::new(frame.announced.clone())),
            length: frame.length,
            read: 0,
            checks: checks.collect(),
        }
    }

    /// Takes the next piece as it came in, and gives the body's bytes in it to `take`, in their order.
    ///
    /// # Errors
    ///
    /// When the frame is malformed, or the body longer than it was said to be.
    pub fn push(&mut self, piece: Bytes, mut take: impl FnMut(Bytes)) -> Result<(), Refusal> {
        let Self { decoder, length, read, checks } = self;
        let mut data = |data: Bytes| {
            *read = read.saturating_add(data.len() as u64);
            if *read > *length {
                return Err(wrong_length(*length, "has more"));
            }
            checks.iter_mut().for_each(|check| check.made.update(&data));
            take(data);
            Ok(())
        };
        match decoder {
            Some(decoder) => decoder.push(piece, data),
            None => data(piece),
        }
    }

    /// Ends the body. Gives the checksums, by the headers that carry them; each was found to be right.
    ///
    /// # Errors
    ///
    /// When the body is shorter than it was said to be, its frame does not end, or a checksum is another one.
    pub fn finish(self) -> Result<Vec<(String, String)>, Refusal> {
        let trailer = self.decoder.map(Decoder::finish).transpose()?.flatten();
        if self.read != self.length {
            return Err(wrong_length(self.length, &format!("has {}", self.read)));
        }
        let mut found = Vec::new();
        for Check { name, expected, made } in self.checks {
            let made = made.finish();
            // Only the checksum that the trailer holds is not known from the headers.
            if let Some(expected) = expected.as_ref().or(trailer.as_ref())
                && *expected != made
            {
                return Err(Refusal::malformed(
                    format!("header {}", Quoted(&name)),
                    format!("it is {}, but the body's is {made}", Quoted(expected)),
                    "send the checksum of the body as it is sent",
                ));
            }
            found.push((name, made));
        }
        Ok(found)
    }
}

fn wrong_length(announced: u64, found: &str) -> Refusal {
    Refusal::malformed(
        "body",
        format!("it was said to have {announced} bytes, and {found}"),
        "say how long the body is, in content-length or x-amz-decoded-content-length",
    )
}
