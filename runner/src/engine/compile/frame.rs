//! What a compiler process is asked and answers, byte for byte.
//!
//! Numbers are little-endian. A request is a head of fixed length and the image; an answer is a head, a payload of the
//! length that the head tells, and an end mark, after which nothing may come: an answer that was cut anywhere is none.

use super::{EngineKey, Target};
use crate::engine::MAX_CODE_BYTES;

const REQUEST_MARK: [u8; 8] = *b"RBXCREQ1";
const ANSWER_MARK: [u8; 8] = *b"RBXCANS1";
const END_MARK: [u8; 8] = *b"RBXCEND1";

/// What a compiler process is told before the image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Request {
    pub(super) engine: EngineKey,
    pub(super) target: Target,
    /// Address space in bytes.
    pub(super) memory: u64,
    /// Processor time of all its threads, in seconds.
    pub(super) cpu_seconds: u64,
    /// Who must be its parent.
    pub(super) parent: u32,
    /// The image's size in bytes.
    pub(super) image: u64,
}

impl Request {
    pub(super) const BYTES: usize = 8 + EngineKey::BYTES + 1 + 8 + 8 + 4 + 8;

    pub(super) fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(Self::BYTES);
        bytes.extend(REQUEST_MARK);
        bytes.extend(self.engine.bytes());
        bytes.push(u8::from(self.target == Target::AnyMachine));
        bytes.extend(self.memory.to_le_bytes());
        bytes.extend(self.cpu_seconds.to_le_bytes());
        bytes.extend(self.parent.to_le_bytes());
        bytes.extend(self.image.to_le_bytes());
        bytes
    }

    pub(super) fn decode(bytes: &[u8; Self::BYTES]) -> Option<Self> {
        let mut rest = bytes.as_slice();
        if take(&mut rest)? != REQUEST_MARK {
            return None;
        }
        Some(Self {
            engine: EngineKey(take(&mut rest)?),
            target: match take(&mut rest)? {
                [0] => Target::ThisMachine,
                [1] => Target::AnyMachine,
                _ => return None,
            },
            memory: u64::from_le_bytes(take(&mut rest)?),
            cpu_seconds: u64::from_le_bytes(take(&mut rest)?),
            parent: u32::from_le_bytes(take(&mut rest)?),
            image: u64::from_le_bytes(take(&mut rest)?),
        })
    }
}

/// What a compiler process answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Answer {
    Code(Vec<u8>),
    /// The image is malformed; why.
    Invalid(String),
    /// The image exceeds a bound; which.
    TooComplex(String),
    /// The request is for another engine than this process has.
    Mismatch,
    /// The system refused memory.
    OutOfMemory,
    /// Something else, with what it was.
    Failed(String),
}

impl Answer {
    /// The most bytes of an answer.
    pub(super) const MAX_BYTES: u64 = HEAD as u64 + MAX_CODE_BYTES + END_MARK.len() as u64;

    /// The head, the payload and the end.
    pub(super) fn encode(&self) -> (Vec<u8>, &[u8], [u8; 8]) {
        let (status, payload): (u8, &[u8]) = match self {
            Self::Code(code) => (0, code),
            Self::Invalid(why) => (1, why.as_bytes()),
            Self::TooComplex(what) => (2, what.as_bytes()),
            Self::Mismatch => (3, &[]),
            Self::OutOfMemory => (4, &[]),
            Self::Failed(why) => (5, why.as_bytes()),
        };
        let mut head = ANSWER_MARK.to_vec();
        head.push(status);
        head.extend(u64::try_from(payload.len()).unwrap_or(u64::MAX).to_le_bytes());
        (head, payload, END_MARK)
    }

    /// The answer that `bytes` are, whole and with nothing after it.
    pub(super) fn decode(mut bytes: Vec<u8>) -> Option<Self> {
        let mut head = bytes.as_slice();
        if take(&mut head)? != ANSWER_MARK {
            return None;
        }
        let [status] = take(&mut head)?;
        let length = usize::try_from(u64::from_le_bytes(take(&mut head)?)).ok()?;
        if head.len() != length.checked_add(END_MARK.len())? || head.get(length..)? != END_MARK {
            return None;
        }
        bytes.truncate(HEAD + length);
        bytes.drain(..HEAD);
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Some(match status {
            0 if !bytes.is_empty() => Self::Code(bytes),
            1 => Self::Invalid(text(bytes)),
            2 => Self::TooComplex(text(bytes)),
            3 => Self::Mismatch,
            4 => Self::OutOfMemory,
            5 => Self::Failed(text(bytes)),
            _ => return None,
        })
    }
}

/// The length of an answer's head.
const HEAD: usize = 8 + 1 + 8;

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (taken, left) = rest.split_first_chunk()?;
    *rest = left;
    Some(*taken)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded(answer: &Answer) -> Vec<u8> {
        let (head, payload, end) = answer.encode();
        [head.as_slice(), payload, &end].concat()
    }

    #[test]
    fn a_request_is_read_as_it_was_written() {
        let request = Request {
            engine: EngineKey([7; 32]),
            target: Target::AnyMachine,
            memory: 1 << 31,
            cpu_seconds: 120,
            parent: 42,
            image: 3_000_000,
        };
        let bytes: [u8; Request::BYTES] = request.encode().try_into().expect("its length");
        assert_eq!(Request::decode(&bytes), Some(request));
        let mut other = bytes;
        other[0] ^= 1;
        assert_eq!(Request::decode(&other), None);
        let mut other = bytes;
        other[8 + 32] = 2;
        assert_eq!(Request::decode(&other), None, "no such target");
    }

    #[test]
    fn answers_are_read_as_they_were_written() {
        for answer in [
            Answer::Code(vec![1, 2, 3]),
            Answer::Invalid("why".to_owned()),
            Answer::TooComplex("what".to_owned()),
            Answer::Mismatch,
            Answer::OutOfMemory,
            Answer::Failed(String::new()),
        ] {
            assert_eq!(Answer::decode(encoded(&answer)), Some(answer));
        }
    }

    #[test]
    fn an_answer_that_is_cut_or_goes_on_is_none() {
        let whole = encoded(&Answer::Code(vec![9; 100]));
        for length in 0..whole.len() {
            assert_eq!(Answer::decode(whole[..length].to_vec()), None, "{length}");
        }
        assert_eq!(Answer::decode([whole.as_slice(), &[0]].concat()), None);
        assert_eq!(Answer::decode(encoded(&Answer::Code(Vec::new()))), None, "no code");
        let mut other = whole;
        other[8] = 6;
        assert_eq!(Answer::decode(other), None, "no such status");
    }
}
