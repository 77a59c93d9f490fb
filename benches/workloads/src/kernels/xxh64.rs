//! XXH64, whose Rust code is the same on every processor: 64-bit multiplications and rotations.
//!
//! Over a buffer that stays in the cache, again and again with the last hash for a seed, so that the arithmetic is
//! measured and not the memory.

use std::hint::black_box;

use twox_hash::XxHash64;

use super::Run;
use crate::generate::bytes;

const SIZE: usize = 256 << 10;
const TURNS: usize = 64;

pub(super) fn prepare() -> Run {
    let data = bytes(SIZE, 2);
    Box::new(move || (0..TURNS).fold(0, |seed, _| XxHash64::oneshot(seed, black_box(&data[..]))))
}
