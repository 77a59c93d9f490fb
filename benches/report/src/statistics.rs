//! Percentiles, and how far the median can be trusted.
//!
//! The interval is a percentile bootstrap in two stages: processes are drawn with replacement, then samples within each
//! of them. Samples of one process resemble each other more than those of two, and an interval that ignored it would be
//! far too narrow. The generator has a fixed seed, so that the same samples give the same report.

use serde::{Deserialize, Serialize};

/// Rounds of resampling.
const RESAMPLES: usize = 1_000;

/// More samples of one process than this are thinned out evenly before resampling: the median of so many is known to a
/// fraction of what processes differ by.
const MOST_RESAMPLED: usize = 400;

/// An interval wider than this part of the median is called wide.
const WIDE: f64 = 0.2;

/// What samples come to.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// Half of the samples lie below.
    pub median: f64,
    /// A tenth lies below.
    pub p10: f64,
    /// Nine tenths lie below.
    pub p90: f64,
    /// All but a hundredth lie below.
    pub p99: f64,
    /// The median's 95 % interval. From one process it says nothing of what others would give.
    pub ci95: [f64; 2],
    /// How many processes gave samples.
    pub processes: usize,
}

impl Summary {
    /// Whether the interval is so wide that the median should not be relied on: more than a fifth of it, or of one
    /// process alone, whatever it is.
    #[must_use]
    pub fn is_wide(&self) -> bool {
        let [low, high] = self.ci95;
        self.processes < 2 || high - low > WIDE * self.median.abs()
    }
}

/// The sample below which a part of the sorted `samples` lies, between two of them interpolated. Not a number where
/// there are none.
#[must_use]
pub fn quantile(sorted: &[f64], part: f64) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else { return f64::NAN };
    let place = part.clamp(0.0, 1.0) * last as f64;
    let (below, above) = (place.floor(), place.ceil());
    let (low, high) = (sorted[below as usize], sorted[above as usize]);
    low + (high - low) * (place - below)
}

/// What the samples of all processes come to; `None` where there are none.
#[must_use]
pub fn summarize(processes: &[Vec<f64>]) -> Option<Summary> {
    let mut all: Vec<f64> = processes.iter().flatten().copied().collect();
    if all.is_empty() {
        return None;
    }
    all.sort_unstable_by(f64::total_cmp);
    let [p10, median, p90, p99] = [0.1, 0.5, 0.9, 0.99].map(|part| quantile(&all, part));
    let given = processes.iter().filter(|samples| !samples.is_empty()).count();
    Some(Summary { median, p10, p90, p99, ci95: interval(processes), processes: given })
}

fn interval(processes: &[Vec<f64>]) -> [f64; 2] {
    let thinned: Vec<Vec<f64>> =
        processes.iter().filter(|samples| !samples.is_empty()).map(|samples| thinned(samples)).collect();
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let mut medians: Vec<f64> = (0..RESAMPLES)
        .map(|_| {
            let mut drawn = Vec::new();
            for _ in 0..thinned.len() {
                let process = &thinned[random.below(thinned.len())];
                drawn.extend((0..process.len()).map(|_| process[random.below(process.len())]));
            }
            median(&mut drawn)
        })
        .collect();
    medians.sort_unstable_by(f64::total_cmp);
    [quantile(&medians, 0.025), quantile(&medians, 0.975)]
}

/// The same as [`quantile`] at a half, without sorting: this is where a report's time goes.
fn median(samples: &mut [f64]) -> f64 {
    let place = samples.len() / 2;
    let even = samples.len().is_multiple_of(2);
    let (below, &mut above, _) = samples.select_nth_unstable_by(place, f64::total_cmp);
    let low = if even { below.iter().copied().max_by(f64::total_cmp).unwrap_or(above) } else { above };
    low + (above - low) * 0.5
}

/// At most [`MOST_RESAMPLED`] of `samples`, evenly spread over their order.
fn thinned(samples: &[f64]) -> Vec<f64> {
    let count = samples.len().min(MOST_RESAMPLED);
    (0..count).map(|index| samples[index * samples.len() / count]).collect()
}

/// xorshift64*: Marsaglia, "Xorshift RNGs" (2003), with Vigna's multiplier. For resampling, not for secrets.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let drawn = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 32;
        usize::try_from((drawn * bound as u64) >> 32).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_interpolated() {
        let samples = [1.0, 2.0, 3.0, 4.0];
        assert_eq!([0.0, 0.5, 1.0].map(|part| quantile(&samples, part)), [1.0, 2.5, 4.0]);
        assert!((quantile(&samples, 0.1) - 1.3).abs() < 1e-9);
        assert!(quantile(&[], 0.5).is_nan());
        assert_eq!(quantile(&[7.0], 0.99), 7.0);
    }

    #[test]
    fn the_median_without_sorting_is_the_same() {
        let mut random = Random(1);
        for count in 1..60 {
            let mut samples: Vec<f64> = (0..count).map(|_| random.below(20) as f64).collect();
            let quick = median(&mut samples.clone());
            samples.sort_unstable_by(f64::total_cmp);
            assert_eq!(quick, quantile(&samples, 0.5), "{samples:?}");
        }
    }

    #[test]
    fn no_samples_have_no_summary() {
        assert_eq!(summarize(&[]), None);
        assert_eq!(summarize(&[vec![], vec![]]), None);
    }

    #[test]
    fn the_interval_holds_what_processes_differ_by() {
        // Within a process all alike, between them not: a bootstrap over all samples would find next to nothing.
        let processes: Vec<Vec<f64>> = (0..5).map(|process| vec![1.0 + f64::from(process) * 0.1; 200]).collect();
        let summary = summarize(&processes).expect("samples");
        assert!((summary.median - 1.2).abs() < 1e-9);
        assert!(summary.ci95[0] <= 1.11 && summary.ci95[1] >= 1.29, "{summary:?}");
        assert!(summary.is_wide() == (summary.ci95[1] - summary.ci95[0] > 0.24));
    }

    #[test]
    fn samples_that_agree_have_a_narrow_interval_around_the_median() {
        let processes: Vec<Vec<f64>> =
            (0..5).map(|_| (0..1_000).map(|index| 100.0 + f64::from(index % 10)).collect()).collect();
        let summary = summarize(&processes).expect("samples");
        assert!(summary.ci95[0] <= summary.median && summary.median <= summary.ci95[1]);
        assert!(!summary.is_wide(), "{summary:?}");
        assert_eq!(summary, summarize(&processes).expect("samples"), "the same samples give the same numbers");
    }
}
