//! Durations as a definition writes them: `"500ms"`, `"60s"`, `"5m"`, `"1h30m"`.

use std::time::Duration;

const UNITS: [(&str, u64); 4] = [("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];

/// What [`parse_duration`] takes, for messages.
pub(super) const FORM: &str = "Write whole numbers with h, m, s or ms, the largest unit first: \"60s\", \"1h30m\".";

/// Reads a duration as a definition writes it: `500ms`, `60s`, `5m`, `1h30m`.
///
/// Whole numbers, each with its unit, each unit at most once and the largest first; no blanks, no sign, no fraction.
/// `None` for any other text, and for a duration past 2⁶⁴ milliseconds.
#[must_use]
pub fn parse_duration(text: &str) -> Option<Duration> {
    let mut rest = text;
    let mut milliseconds: u64 = 0;
    // The units that may still come.
    let mut units = &UNITS[..];
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (number, tail) = rest.split_at(digits);
        let letters = tail.bytes().take_while(u8::is_ascii_lowercase).count();
        let (unit, tail) = tail.split_at(letters);
        let found = units.iter().position(|(name, _)| *name == unit)?;
        let amount = number.parse::<u64>().ok()?.checked_mul(units[found].1)?;
        milliseconds = milliseconds.checked_add(amount)?;
        units = &units[found + 1..];
        rest = tail;
    }
    Some(Duration::from_millis(milliseconds))
}

/// Writes a duration in the notation of [`parse_duration`]: `1h30m`, `1m` for 60 s, `0s` for nothing. What is below a
/// millisecond is cut off.
#[must_use]
pub fn show_duration(duration: Duration) -> String {
    let mut rest = duration.as_millis();
    let mut shown = String::new();
    for (unit, size) in UNITS {
        let size = u128::from(size);
        if rest >= size {
            shown.push_str(&format!("{}{unit}", rest / size));
            rest %= size;
        }
    }
    if shown.is_empty() {
        shown.push_str("0s");
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_parse_and_show() {
        for (text, milliseconds, shown) in [
            ("60s", 60_000, "1m"),
            ("5m", 300_000, "5m"),
            ("1h30m", 5_400_000, "1h30m"),
            ("250ms", 250, "250ms"),
            ("1h2m3s4ms", 3_723_004, "1h2m3s4ms"),
            ("1h4ms", 3_600_004, "1h4ms"),
            ("90m", 5_400_000, "1h30m"),
            ("0s", 0, "0s"),
        ] {
            let duration = parse_duration(text).unwrap_or_else(|| panic!("{text} is a duration"));
            assert_eq!(duration.as_millis(), milliseconds, "{text}");
            assert_eq!(show_duration(duration), shown, "{text}");
        }
    }

    #[test]
    fn other_texts_are_no_durations() {
        for text in [
            "",
            "60",
            "s",
            "1 s",
            " 1s",
            "1s ",
            "-1s",
            "+1s",
            "1.5s",
            "1S",
            "1sec",
            "1d",
            "1m1h",
            "1s1s",
            "1ms1s",
            "1h-1m",
            "99999999999999999999s",
            "18446744073709551615h",
            "1\u{0661}s",
            "∞",
            "1h\0",
        ] {
            assert_eq!(parse_duration(text), None, "{text:?}");
        }
    }
}
