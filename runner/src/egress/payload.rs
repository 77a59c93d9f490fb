//! The hash of a body, and other work that takes longer the longer the body is.
//!
//! A typed call is polled with the guest, and a poll cannot be interrupted. So a body is hashed piece by piece, giving way
//! in between: the guest pays for it out of its share, and its timeout and others' turns come when they should. Where the
//! work cannot be cut into pieces, it is done on a thread that may block. A request over `wasi:http` is made on the
//! embedder's runtime, and what its body takes there (hashes, signatures of chunks, TLS) is not the guest's computing.

use sha2::{Digest, Sha256};

use super::framing::Framing;

/// What is hashed in one go: some tenths of a millisecond.
const PIECE_BYTES: usize = 256 << 10;

/// The SHA-256 of a body in hexadecimal, as Signature Version 4 has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PayloadHash(String);

impl PayloadHash {
    /// What stands in place of a hash where the body is sent while it comes in.
    pub(super) fn streamed(framing: Framing) -> Self {
        Self(framing.payload_marker().to_owned())
    }

    /// Hashes a short body.
    pub(super) fn at_once(body: &[u8]) -> Self {
        Self(hexadecimal(&Sha256::digest(body)))
    }

    /// Hashes `body`, giving way where it is long.
    pub(super) async fn of(body: &[u8]) -> Self {
        if body.len() <= PIECE_BYTES {
            return Self::at_once(body);
        }
        let mut hasher = Sha256::new();
        let mut pieces = body.chunks(PIECE_BYTES).peekable();
        while let Some(piece) = pieces.next() {
            hasher.update(piece);
            if pieces.peek().is_some() {
                tokio::task::yield_now().await;
            }
        }
        Self(hexadecimal(&hasher.finalize()))
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

pub(super) fn hexadecimal(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]).map(|half| char::from(DIGITS[usize::from(half)])).collect()
}

/// Does `work` on a body of so many bytes: at once where it is short, else on a thread that may block. `None` where that
/// thread ended without an answer.
pub(super) async fn read_through<T: Send + 'static>(
    body_bytes: usize,
    work: impl FnOnce() -> T + Send + 'static,
) -> Option<T> {
    if body_bytes <= PIECE_BYTES { Some(work()) } else { tokio::task::spawn_blocking(work).await.ok() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_body_of_many_pieces_has_the_hash_of_the_whole() {
        for length in [0, 1, PIECE_BYTES, PIECE_BYTES + 1, 3 * PIECE_BYTES + 17] {
            let body: Vec<u8> = (0..length).map(|place| (place % 251) as u8).collect();
            let whole: String = Sha256::digest(&body).iter().map(|byte| format!("{byte:02x}")).collect();
            assert_eq!(PayloadHash::of(&body).await.as_str(), whole, "{length}");
        }
    }

    #[tokio::test]
    async fn long_bodies_are_read_elsewhere_and_short_ones_here() {
        let here = std::thread::current().id();
        let thread = || std::thread::current().id();
        assert_eq!(read_through(PIECE_BYTES, thread).await, Some(here));
        assert_ne!(read_through(PIECE_BYTES + 1, thread).await, Some(here));
        assert_eq!(
            read_through(PIECE_BYTES + 1, || panic!("a defect of the host, provoked by this test")).await,
            None::<()>
        );
    }
}
