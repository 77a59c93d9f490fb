//! SHA-256, with the crate that Rust programs take: sixty-four rounds of 32-bit rotations and additions for each block.
//!
//! Natively the crate uses the processor's SHA instructions if there are any. A guest runs the portable code.

use std::hint::black_box;

use sha2::{Digest, Sha256};

use super::Run;
use crate::generate::bytes;

const SIZE: usize = 2 << 20;

pub(super) fn prepare() -> Run {
    let data = bytes(SIZE, 1);
    Box::new(move || first_word(&Sha256::digest(black_box(&data[..]))))
}

/// The first eight bytes, as a number.
fn first_word(digest: &[u8]) -> u64 {
    digest.iter().take(8).fold(0, |word, byte| word << 8 | u64::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_is_the_published_one() {
        // FIPS 180-4's example, "abc".
        assert_eq!(first_word(&Sha256::digest(b"abc")), 0xba78_16bf_8f01_cfea);
    }
}
