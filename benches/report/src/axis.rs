//! The horizontal axis of a plot: where a value stands and which ticks are drawn.
//!
//! It is our own and not that of plotters: a tick has to read `100 µs` or `16 KiB`, powers of two have to stand at even
//! distances for bytes, and no sample may bring the page down, whether zero, negative or not a number.

use crate::rows::Unit;

/// Values that differ by more than this factor are drawn on a logarithmic axis.
const MOST_LINEAR: f64 = 20.0;

/// A linear axis spans at least this part of its values: noise in the last digit is no difference to draw.
const LEAST_SPAN: f64 = 0.02;

/// A logarithmic axis spans at most this factor. What lies below stands at its start.
const MOST_LOGARITHMIC: f64 = 1e12;

/// Of so many values one may be negative on a logarithmic axis, where it stands at the start: a difference of two times
/// goes below zero by chance, and the others are not to be squeezed together for it.
const FEW_NEGATIVE: usize = 20;

/// Values beyond this are not drawn: their differences could overflow.
const LARGEST: f64 = 1e100;

/// From where to where an axis goes, and how.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Axis {
    unit: Unit,
    /// Of the values, or of their logarithms.
    low: f64,
    high: f64,
    logarithmic: bool,
    /// Whether there are values that a logarithm does not have, which stand at the start.
    has_zero: bool,
    has_negative: bool,
}

impl Axis {
    /// An axis for `values`; `None` where none of them can be drawn.
    pub(crate) fn fit(unit: Unit, values: impl Iterator<Item = f64>) -> Option<Self> {
        let (mut low, mut high, mut least) = (f64::INFINITY, f64::NEG_INFINITY, f64::INFINITY);
        let (mut count, mut negative) = (0, 0);
        for value in values.filter(|value| is_drawable(*value)) {
            count += 1;
            negative += usize::from(value < 0.0);
            low = low.min(value);
            high = high.max(value);
            if value > 0.0 {
                least = least.min(value);
            }
        }
        if low > high {
            return None;
        }
        if unit == Unit::Ratio {
            // The line at 1 is always seen.
            (low, high, least) = (low.min(1.0), high.max(1.0), least.min(1.0));
        }
        if negative * FEW_NEGATIVE <= count && high > least * MOST_LINEAR {
            let (start, end) = (least.max(high / MOST_LOGARITHMIC).ln(), high.ln());
            let margin = (end - start) * 0.03;
            return Some(Self {
                unit,
                low: start - margin,
                high: end + margin,
                logarithmic: true,
                has_zero: low < start.exp() * 0.999,
                has_negative: negative > 0,
            });
        }
        let largest = low.abs().max(high.abs());
        let span = (high - low).max(largest * LEAST_SPAN).max(f64::MIN_POSITIVE.sqrt());
        let (middle, margin) = ((low + high) / 2.0, span * 0.04);
        let (start, end) = (middle - span / 2.0 - margin, middle + span / 2.0 + margin);
        // From zero where that leaves no more than half of the plot empty.
        let start = if low >= 0.0 && (low < high / 2.0 || largest == 0.0) { 0.0 } else { start };
        // Nothing at all but zeros: any axis will do.
        let end = if largest == 0.0 { 1.0 } else { end };
        Some(Self { unit, low: start, high: end, logarithmic: false, has_zero: false, has_negative: false })
    }

    /// Where `value` stands: 0 is the axis's start, 1 its end. `None` for what cannot be drawn.
    pub(crate) fn place(&self, value: f64) -> Option<f64> {
        if !is_drawable(value) {
            return None;
        }
        let value = match self.logarithmic {
            true if value > 0.0 => value.ln(),
            true => self.low,
            false => value,
        };
        Some(((value - self.low) / (self.high - self.low)).clamp(0.0, 1.0))
    }

    /// Whether a value of 1 means that two quantities are equal.
    pub(crate) fn has_one(&self) -> bool {
        self.unit == Unit::Ratio
    }

    /// What the axis shows, in words.
    pub(crate) fn title(&self) -> String {
        let quantity = match self.unit {
            Unit::Ratio => "Ratio (the line: equal)",
            unit => unit.quantity(),
        };
        match (self.logarithmic, self.has_zero) {
            (true, true) if self.has_negative => format!("{quantity}, logarithmic; 0 and less at the left edge"),
            (true, true) => format!("{quantity}, logarithmic; 0 at the left edge"),
            (true, false) => format!("{quantity}, logarithmic"),
            (false, _) if self.low == 0.0 => format!("{quantity}, from 0"),
            (false, _) => format!("{quantity}, not from 0"),
        }
    }

    /// At most `most` values at which to draw a tick, each with its label.
    pub(crate) fn ticks(&self, most: usize) -> Vec<(f64, String)> {
        if self.logarithmic { self.logarithmic_ticks(most) } else { self.linear_ticks(most) }
    }

    fn linear_ticks(&self, most: usize) -> Vec<(f64, String)> {
        let (divisor, symbol) = self.unit.scale(self.low.abs().max(self.high.abs()));
        let (low, high) = (self.low / divisor, self.high / divisor);
        let least = (high - low) / most.max(1) as f64;
        let power = 10f64.powf(least.log10().floor());
        let step = [1.0, 2.0, 5.0, 10.0].map(|part| part * power).into_iter().find(|step| *step >= least);
        let step = step.unwrap_or(power * 10.0);
        let digits = (-(step * 1.001).log10().floor()).clamp(0.0, 12.0) as usize;
        let first = (low / step).ceil();
        (0..=most)
            .map(|index| (first + index as f64) * step)
            .take_while(|value| *value <= high)
            .map(|value| match value.abs() < step / 2.0 {
                true => (0.0, "0".to_owned()),
                false => (value * divisor, format!("{value:.digits$} {symbol}").trim_end().to_owned()),
            })
            .take(most)
            .collect()
    }

    fn logarithmic_ticks(&self, most: usize) -> Vec<(f64, String)> {
        let (low, high) = (self.low.exp(), self.high.exp());
        let binary = matches!(self.unit, Unit::Bytes | Unit::BytesPerSecond);
        let base: f64 = if binary { 2.0 } else { 10.0 };
        let (first, last) = ((low.ln() / base.ln()).floor() as i32, (high.ln() / base.ln()).ceil() as i32);
        let every = |parts: &[f64], step: i32| -> Vec<f64> {
            (first..=last)
                .filter(|power| power.rem_euclid(step) == 0)
                .flat_map(|power| parts.iter().map(move |part| part * base.powi(power)).collect::<Vec<_>>())
                .filter(|value| (low..=high).contains(value))
                .collect()
        };
        let within: &[&[f64]] = if binary { &[] } else { &[&[1.0, 2.0, 5.0], &[1.0, 3.0]] };
        let steps: &[i32] = if binary { &[1, 2, 5, 10, 20, 50] } else { &[1, 2, 3, 6, 12] };
        let choices = within.iter().map(|parts| every(parts, 1)).chain(steps.iter().map(|step| every(&[1.0], *step)));
        let ticks = choices.into_iter().find(|ticks| ticks.len() <= most).unwrap_or_default();
        ticks.into_iter().map(|value| (value, self.label(value))).collect()
    }

    fn label(&self, value: f64) -> String {
        let (divisor, symbol) = self.unit.scale(value);
        // Powers of ten are not exact; nine digits are more than any label has.
        let value = (value / divisor * 1e9).round() / 1e9;
        format!("{value} {symbol}").trim_end().to_owned()
    }
}

/// Whether `value` can stand on an axis.
pub(crate) fn is_drawable(value: f64) -> bool {
    value.is_finite() && value.abs() < LARGEST
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(unit: Unit, values: &[f64], most: usize, expected: &[&str]) {
        let axis = Axis::fit(unit, values.iter().copied()).expect("an axis");
        let ticks = axis.ticks(most);
        let labels: Vec<&str> = ticks.iter().map(|(_, label)| label.as_str()).collect();
        assert_eq!(labels, expected, "{axis:?}");
        for (value, _) in ticks {
            assert!(axis.place(value).is_some_and(|place| (0.0..=1.0).contains(&place)), "{value} {axis:?}");
        }
    }

    #[test]
    fn one_negative_value_of_many_does_not_squeeze_the_others_together() {
        let many = |negative: usize| {
            (0..100).map(move |index| if index < negative { -1.0 } else { 10.0 * index as f64 - 49.0 })
        };
        let axis = Axis::fit(Unit::Seconds, many(5)).expect("values");
        assert!(axis.logarithmic && axis.title().ends_with("0 and less at the left edge"), "{}", axis.title());
        assert!(axis.place(-1.0).is_some_and(|place| place < 0.01));
        assert!(!Axis::fit(Unit::Seconds, many(6)).expect("values").logarithmic);
    }

    #[test]
    fn ticks_read_in_human_units() {
        check(Unit::Seconds, &[3e-6, 5e-2], 8, &["10 µs", "100 µs", "1 ms", "10 ms"]);
        check(Unit::Seconds, &[3e-6, 9e-5], 8, &["5 µs", "10 µs", "20 µs", "50 µs"]);
        check(Unit::Seconds, &[2e-5, 9e-4], 4, &["30 µs", "100 µs", "300 µs", "1 ms"]);
        check(Unit::Seconds, &[0.001, 0.004], 6, &["0", "1 ms", "2 ms", "3 ms", "4 ms"]);
        check(Unit::Seconds, &[0.0100, 0.0101], 4, &["10.0 ms", "10.1 ms"]);
        check(Unit::Bytes, &[10e3, 5e6], 6, &["16 KiB", "64 KiB", "256 KiB", "1 MiB", "4 MiB"]);
        check(Unit::Ratio, &[1.2, 1.4], 6, &["1.0 ×", "1.1 ×", "1.2 ×", "1.3 ×", "1.4 ×"]);
        check(Unit::PerSecond, &[900.0, 38_000.0], 6, &["1 k/s", "2 k/s", "5 k/s", "10 k/s", "20 k/s"]);
        check(Unit::Count, &[-2.0, 2.0], 5, &["-2", "-1", "0", "1", "2"]);
    }

    #[test]
    fn no_values_bring_it_down() {
        let odd = [
            0.0,
            -0.0,
            -1.0,
            1.0,
            f64::NAN,
            f64::INFINITY,
            f64::NEG_INFINITY,
            f64::MAX,
            f64::MIN,
            f64::MIN_POSITIVE,
            5e-324,
            1e99,
            -1e99,
        ];
        let units = [Unit::Seconds, Unit::Bytes, Unit::PerSecond, Unit::BytesPerSecond, Unit::Ratio, Unit::Count];
        for unit in units {
            assert_eq!(Axis::fit(unit, [].into_iter()), None);
            assert_eq!(Axis::fit(unit, [f64::NAN].into_iter()), None);
            for one in odd {
                for other in odd {
                    let Some(axis) = Axis::fit(unit, [one, other].into_iter()) else { continue };
                    assert!(axis.low < axis.high, "{one} {other} {axis:?}");
                    for most in [0, 1, 5, 8] {
                        assert!(axis.ticks(most).len() <= most, "{one} {other} {axis:?}");
                    }
                    for value in odd {
                        assert!(axis.place(value).is_none_or(|place| (0.0..=1.0).contains(&place)), "{value} {axis:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn zeros_stand_at_the_start_of_a_logarithmic_axis() {
        let axis = Axis::fit(Unit::Seconds, [0.0, 1e-6, 1e-3].into_iter()).expect("an axis");
        assert_eq!(axis.place(0.0), Some(0.0));
        assert!(axis.place(1e-6) > Some(0.0));
        assert!(axis.title().contains("left edge"));
    }
}
