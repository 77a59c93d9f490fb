//! Compression and its inverse, in plain Rust: hash chains and bit streams.

use std::hint::black_box;

use miniz_oxide::deflate::compress_to_vec;
use miniz_oxide::inflate::decompress_to_vec;

use super::Run;
use crate::generate::{digest, log};

const SIZE: usize = 64 << 10;
const LEVEL: u8 = 6;

pub(super) fn prepare() -> Run {
    let text = log(SIZE, 6);
    Box::new(move || {
        let deflated = compress_to_vec(black_box(text.as_bytes()), LEVEL);
        let inflated = decompress_to_vec(black_box(&deflated)).expect("what was deflated is inflated");
        digest(&deflated) ^ digest(&inflated).rotate_left(1)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_gets_smaller_and_comes_back() {
        let text = log(SIZE, 6);
        let deflated = compress_to_vec(text.as_bytes(), LEVEL);
        assert!(deflated.len() < text.len() / 3, "{} of {} bytes", deflated.len(), text.len());
        assert_eq!(decompress_to_vec(&deflated).expect("is inflated"), text.as_bytes());
    }
}
