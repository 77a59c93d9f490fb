//! The product of two square matrices in plain loops, rows first: multiplications and additions that a compiler may put
//! into vectors, since none changes its place in a sum.

use std::hint::black_box;

use super::Run;
use crate::generate::{Numbers, digest};

const SIDE: usize = 192;

pub(super) fn prepare() -> Run {
    let mut numbers = Numbers::new(3);
    let [left, right] = std::array::from_fn(|_| (0..SIDE * SIDE).map(|_| numbers.unit()).collect::<Vec<f64>>());
    let mut product = vec![0.0; SIDE * SIDE];
    Box::new(move || {
        multiply(black_box(&left), black_box(&right), SIDE, &mut product);
        // What lies on the diagonal depends on every number of both.
        let diagonal: Vec<u8> = product.iter().step_by(SIDE + 1).flat_map(|number| number.to_le_bytes()).collect();
        digest(&diagonal)
    })
}

/// All three are `side` rows of `side` numbers, one row after the other.
fn multiply(left: &[f64], right: &[f64], side: usize, product: &mut [f64]) {
    for (row, sums) in left.chunks_exact(side).zip(product.chunks_exact_mut(side)) {
        sums.fill(0.0);
        for (factor, of_right) in row.iter().zip(right.chunks_exact(side)) {
            for (sum, number) in sums.iter_mut().zip(of_right) {
                *sum += factor * number;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_times_columns() {
        let mut product = [9.0; 4];
        multiply(&[1.0, 2.0, 3.0, 4.0], &[5.0, 6.0, 7.0, 8.0], 2, &mut product);
        assert_eq!(product, [19.0, 22.0, 43.0, 50.0]);
    }
}
