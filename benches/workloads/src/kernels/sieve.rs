//! The sieve of Eratosthenes over odd numbers, a byte each: stores at growing distances, and a bounds check for each.

use std::hint::black_box;

use super::Run;

const LIMIT: usize = 1_000_000;

pub(super) fn prepare() -> Run {
    let mut composite = Vec::new();
    Box::new(move || sum_of_primes(black_box(LIMIT), &mut composite))
}

/// The sum of all primes below `limit`. `composite` is memory to work in; what it holds is of no account.
fn sum_of_primes(limit: usize, composite: &mut Vec<bool>) -> u64 {
    // The index `i` stands for the number `2 * i + 1`.
    composite.clear();
    composite.resize(limit / 2, false);
    let mut sum = if limit > 2 { 2 } else { 0 };
    for index in 1..composite.len() {
        if composite[index] {
            continue;
        }
        let prime = 2 * index + 1;
        sum += prime as u64;
        let mut multiple = prime.saturating_mul(prime) / 2;
        while multiple < composite.len() {
            composite[multiple] = true;
            multiple += prime;
        }
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_the_known_ones() {
        // https://oeis.org/A046731
        let cases = [(0, 0), (2, 0), (3, 2), (4, 5), (10, 17), (100, 1_060), (1_000, 76_127), (10_000, 5_736_396)];
        for (limit, sum) in cases {
            assert_eq!(sum_of_primes(limit, &mut vec![true; 7]), sum, "below {limit}");
        }
    }
}
