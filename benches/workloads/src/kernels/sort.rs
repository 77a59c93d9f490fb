//! The standard library's unstable sort of random numbers: comparisons, moves, few branches that can be foreseen.
//!
//! A run begins with a copy of the numbers, which is a small part of it.

use std::hint::black_box;

use super::Run;
use crate::generate::Numbers;

const COUNT: usize = 100_000;

pub(super) fn prepare() -> Run {
    let mut numbers = Numbers::new(7);
    let unsorted: Vec<u64> = (0..COUNT).map(|_| numbers.next()).collect();
    let mut sorted = unsorted.clone();
    Box::new(move || {
        sorted.copy_from_slice(black_box(&unsorted));
        sorted.sort_unstable();
        // Some of them are enough to tell whether they stand where they should.
        black_box(&sorted).iter().step_by(97).fold(0, |sum: u64, number| sum.rotate_left(5) ^ number)
    })
}
