//! A Gaussian blur of a grey image, first along the rows and then along the columns, with the weights 1, 4, 6, 4, 1:
//! small whole numbers that a compiler may put into vectors.

use std::hint::black_box;

use super::Run;
use crate::generate::{bytes, digest};

const WIDTH: usize = 2_048;
const HEIGHT: usize = 1_024;

pub(super) fn prepare() -> Run {
    let image = bytes(WIDTH * HEIGHT, 8);
    let mut sums = vec![0; WIDTH * HEIGHT];
    let mut blurred = vec![0; WIDTH * HEIGHT];
    Box::new(move || {
        blur(black_box(&image), WIDTH, &mut sums, &mut blurred);
        digest(&blurred)
    })
}

/// All three are rows of `width` pixels, at least one. `sums` is memory to work in. Beyond the edges, the pixels are
/// those of the edges.
fn blur(image: &[u8], width: usize, sums: &mut [u16], blurred: &mut [u8]) {
    let mut padded = vec![0; width + 4];
    for (row, sums) in image.chunks_exact(width).zip(sums.chunks_exact_mut(width)) {
        padded[2..width + 2].copy_from_slice(row);
        padded[..2].fill(row[0]);
        padded[width + 2..].fill(row[width - 1]);
        let shifted = padded.iter().zip(&padded[1..]).zip(&padded[2..]).zip(&padded[3..]).zip(&padded[4..]);
        for (sum, ((((a, b), c), d), e)) in sums.iter_mut().zip(shifted) {
            *sum = weighted([a, b, c, d, e].map(|pixel| u16::from(*pixel)));
        }
    }
    let last = image.len() / width - 1;
    for (y, row) in blurred.chunks_exact_mut(width).enumerate() {
        let sums = |y: usize| &sums[y.min(last) * width..][..width];
        let above = (sums(y.saturating_sub(2)), sums(y.saturating_sub(1)));
        let columns = above.0.iter().zip(above.1).zip(sums(y)).zip(sums(y + 1)).zip(sums(y + 2));
        for (pixel, ((((a, b), c), d), e)) in row.iter_mut().zip(columns) {
            // At most 255 × 256, and so the rounded quotient fits into a byte.
            *pixel = ((weighted([*a, *b, *c, *d, *e]) + 128) >> 8) as u8;
        }
    }
}

/// The weights' sum is 16: of bytes at most 4,080, and of such sums at most 65,280.
fn weighted([a, b, c, d, e]: [u16; 5]) -> u16 {
    a + 4 * b + 6 * c + 4 * d + e
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(image: &[u8], width: usize, expected: &[u8]) {
        let mut blurred = vec![0; image.len()];
        blur(image, width, &mut vec![7; image.len()], &mut blurred);
        assert_eq!(blurred, expected);
    }

    #[test]
    fn one_colour_stays_and_a_point_spreads() {
        check(&[255; 12], 4, &[255; 12]);
        check(&[7], 1, &[7]);
        // 256 × the weights' products; in the last column, beyond the edge is the edge.
        let mut point = [0; 25];
        point[12] = 255;
        let spread = [1, 4, 6, 4, 1, 4, 16, 24, 16, 4, 6, 24, 36, 24, 6, 4, 16, 24, 16, 4, 1, 4, 6, 4, 1];
        check(&point, 5, &spread);
        check(&[0, 0, 0, 0, 255], 5, &[0, 0, 16, 80, 175]);
    }
}
