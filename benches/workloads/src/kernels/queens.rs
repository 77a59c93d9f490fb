//! Queens that do not threaten each other, all ways to place them: recursion and branches, on three words of bits.

use std::hint::black_box;

use super::Run;

const QUEENS: u32 = 11;

pub(super) fn prepare() -> Run {
    Box::new(|| solutions(black_box(QUEENS)))
}

/// At most 31 queens.
fn solutions(queens: u32) -> u64 {
    place((1 << queens) - 1, 0, 0, 0)
}

/// The ways to fill the rows that are left: `taken` are the columns with a queen, `left` and `right` those of this row
/// that a queen above threatens along a diagonal.
fn place(all: u32, taken: u32, left: u32, right: u32) -> u64 {
    if taken == all {
        return 1;
    }
    let mut free = all & !(taken | left | right);
    let mut found = 0;
    while free != 0 {
        let column = free & free.wrapping_neg();
        free ^= column;
        found += place(all, taken | column, (left | column) << 1, (right | column) >> 1);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_the_known_ones() {
        // https://oeis.org/A000170
        for (queens, count) in [(1, 1), (2, 0), (3, 0), (4, 2), (6, 4), (8, 92), (11, 2_680)] {
            assert_eq!(solutions(queens), count, "{queens} queens");
        }
    }
}
