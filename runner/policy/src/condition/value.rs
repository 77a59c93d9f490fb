//! What condition operators compare: numbers, moments, address ranges, ARNs.

use std::cmp::Ordering;
use std::net::IpAddr;

use time::{Date, Month, OffsetDateTime, PrimitiveDateTime, Time, UtcOffset};

use crate::Context;
use crate::pattern::{Template, Variables, Wildcards};

/// A decimal number of any length. Binary floating point would make two large numbers equal that are not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Number {
    negative: bool,
    /// Without leading zeros.
    whole: String,
    /// Without trailing zeros.
    fraction: String,
}

impl Number {
    /// Reads an integer or a decimal. Exponents are not numbers to IAM's documents, so not here either.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let error = || "is not a decimal number, such as `10` or `-0.5`".to_owned();
        let (negative, digits) = match text.strip_prefix('-') {
            Some(digits) => (true, digits),
            None => (false, text),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
        let numeric = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        if !numeric(whole) || !numeric(fraction) {
            return Err(error());
        }
        let whole = whole.trim_start_matches('0').to_owned();
        let fraction = fraction.trim_end_matches('0').to_owned();
        let zero = whole.is_empty() && fraction.is_empty();
        Ok(Self { negative: negative && !zero, whole, fraction })
    }
}

impl Ord for Number {
    fn cmp(&self, other: &Self) -> Ordering {
        let magnitude = || {
            let by_length = self.whole.len().cmp(&other.whole.len());
            by_length.then_with(|| self.whole.cmp(&other.whole)).then_with(|| self.fraction.cmp(&other.fraction))
        };
        match (self.negative, other.negative) {
            (false, false) => magnitude(),
            (true, true) => magnitude().reverse(),
            (false, true) => Ordering::Greater,
            (true, false) => Ordering::Less,
        }
    }
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// A point in time, in nanoseconds since the epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Moment(i128);

impl Moment {
    /// Reads one of W3C's forms of ISO 8601 (<https://www.w3.org/TR/NOTE-datetime>) or whole seconds since the epoch.
    /// Four digits are a year. A time of day needs its zone; a date alone begins at midnight UTC.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        parse_moment(text)
            .map(Self)
            .ok_or_else(|| "is not a date, such as `2026-01-31T12:00:00Z`, nor seconds since 1970".to_owned())
    }
}

fn parse_moment(text: &str) -> Option<i128> {
    if text.len() > 4 && text.len() <= 18 && text.bytes().all(|b| b.is_ascii_digit()) {
        return Some(text.parse::<i128>().ok()? * 1_000_000_000);
    }
    let (date, time) = match text.split_once('T') {
        Some((date, time)) => (date, Some(time)),
        None => (text, None),
    };
    let mut fields = date.split('-');
    let year = digits(fields.next()?, 4)?;
    let month = fields.next().map_or(Some(1), |field| digits(field, 2))?;
    let day = fields.next().map(|field| digits(field, 2));
    if fields.next().is_some() || (time.is_some() && day.is_none()) {
        return None;
    }
    let month = Month::try_from(u8::try_from(month).ok()?).ok()?;
    let day = u8::try_from(day.unwrap_or(Some(1))?).ok()?;
    let date = Date::from_calendar_date(i32::try_from(year).ok()?, month, day).ok()?;
    let (time, offset) = match time {
        Some(time) => parse_time(time)?,
        None => (Time::MIDNIGHT, UtcOffset::UTC),
    };
    let moment: OffsetDateTime = PrimitiveDateTime::new(date, time).assume_offset(offset);
    Some(moment.unix_timestamp_nanos())
}

fn parse_time(text: &str) -> Option<(Time, UtcOffset)> {
    let zone_at = text.find(['Z', '+', '-'])?;
    let (clock, zone) = text.split_at(zone_at);
    let offset = if zone == "Z" {
        UtcOffset::UTC
    } else {
        let (hours, minutes) = zone[1..].split_once(':')?;
        let sign = if zone.starts_with('-') { -1 } else { 1 };
        let (hours, minutes) = (i8::try_from(digits(hours, 2)?).ok()?, i8::try_from(digits(minutes, 2)?).ok()?);
        UtcOffset::from_hms(sign * hours, sign * minutes, 0).ok()?
    };
    let (clock, fraction) = match clock.split_once('.') {
        Some((clock, fraction)) => (clock, Some(fraction)),
        None => (clock, None),
    };
    let fields: Vec<u8> =
        clock.split(':').map(|field| digits(field, 2).and_then(|n| u8::try_from(n).ok())).collect::<Option<_>>()?;
    let nanos = match fraction {
        None => 0,
        Some(fraction) if fields.len() == 3 && (1..=9).contains(&fraction.len()) => {
            digits(fraction, fraction.len())? * 10_u32.pow(9 - u32::try_from(fraction.len()).ok()?)
        }
        Some(_) => return None,
    };
    let time = match fields.as_slice() {
        [hour, minute] => Time::from_hms(*hour, *minute, 0),
        [hour, minute, second] => Time::from_hms_nano(*hour, *minute, *second, nanos),
        _ => return None,
    };
    Some((time.ok()?, offset))
}

/// A number of exactly so many digits.
fn digits(text: &str, count: usize) -> Option<u32> {
    (text.len() == count && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.parse().ok())?
}

/// A range of IP addresses, as `address/prefix` or one address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct IpRange {
    network: u128,
    mask: u128,
    v4: bool,
}

impl IpRange {
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let error = || "is not an IP address or range, such as `203.0.113.0/24` or `2001:db8::/32`".to_owned();
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| error())?;
        let width = if address.is_ipv4() { 32 } else { 128 };
        let prefix = match prefix {
            None => width,
            Some(text) if text.len() <= 3 && text.bytes().all(|b| b.is_ascii_digit()) => {
                text.parse().map_err(|_| error())?
            }
            Some(_) => return Err(error()),
        };
        if prefix > width {
            return Err(error());
        }
        // Both families live in 128 bits, so one mask serves.
        let mask = u128::MAX.checked_shl(width - prefix).unwrap_or(0);
        Ok(Self { network: bits(address) & mask, mask, v4: address.is_ipv4() })
    }

    pub(super) fn contains(&self, address: IpAddr) -> bool {
        address.is_ipv4() == self.v4 && bits(address) & self.mask == self.network
    }
}

fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u128::from(u32::from(address)),
        IpAddr::V6(address) => u128::from(address),
    }
}

/// The value of an ARN operator. Each of the six parts between colons is matched on its own, so a `*` in one of them
/// does not reach into the next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ArnPattern {
    parts: [Template; 6],
}

impl ArnPattern {
    pub(super) fn parse(text: &str, variables: Variables) -> Result<Self, String> {
        let parts: [&str; 6] = split_arn(text, variables).try_into().map_err(|_| {
            "is not an ARN with its six parts, in which `*` and `?` are allowed, such as `arn:aws:sns:*:*:topic`"
                .to_owned()
        })?;
        let mut templates = Vec::with_capacity(6);
        for part in parts {
            templates.push(Template::parse(part, Wildcards::Yes, variables)?);
        }
        let parts = templates.try_into().map_err(|_| "is not an ARN".to_owned())?;
        Ok(Self { parts })
    }

    pub(super) fn matches(&self, arn: &str, context: &Context) -> bool {
        let mut values = arn.splitn(6, ':');
        let matched = self.parts.iter().all(|part| {
            let Some(value) = values.next() else {
                return false;
            };
            part.resolve(context).is_some_and(|pattern| pattern.matches(value))
        });
        matched && values.next().is_none()
    }

    pub(super) fn keys(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().flat_map(Template::keys)
    }
}

/// Splits at the first five colons, those within a variable (`${aws:username}`) left out.
fn split_arn(text: &str, variables: Variables) -> Vec<&str> {
    let mut parts = Vec::with_capacity(6);
    let mut start = 0;
    let mut in_variable = false;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'{' if variables == Variables::Yes && text[..at].ends_with('$') => in_variable = true,
            b'}' => in_variable = false,
            b':' if !in_variable && parts.len() < 5 => {
                parts.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_compare_exactly() {
        let ascending = [
            "-10",
            "-9.5",
            "-1",
            "-0.25",
            "-0.2",
            "0",
            "0.09",
            "0.1",
            "1",
            "1.001",
            "1.01",
            "2",
            "9",
            "10",
            "9007199254740992",
            "9007199254740993",
            "100000000000000000000000000000",
        ];
        for (i, a) in ascending.iter().enumerate() {
            for (j, b) in ascending.iter().enumerate() {
                assert_eq!(Number::parse(a).unwrap().cmp(&Number::parse(b).unwrap()), i.cmp(&j), "{a} {b}");
            }
        }
        for (a, b) in [("1", "1.0"), ("01", "1"), ("-0", "0"), ("0.50", "0.5")] {
            assert_eq!(Number::parse(a), Number::parse(b));
        }
        for bad in ["", "-", "+1", "1.", ".5", "1e3", "0x10", "1,000", " 1", "NaN", "inf", "--1", "1.2.3", "١", "*"] {
            assert!(Number::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn moments_in_their_forms() {
        for (text, seconds) in [
            ("1970", 0),
            ("1970-02", 31 * 86_400),
            ("1970-01-02", 86_400),
            ("1970-01-01T00:01Z", 60),
            ("1970-01-01T00:00:01Z", 1),
            ("1970-01-01T01:00:00+01:00", 0),
            ("1969-12-31T19:30:00-05:30", 3_600),
            ("2020-01-01T00:00:01Z", 1_577_836_801),
            ("1577836801", 1_577_836_801),
            ("00000", 0),
        ] {
            assert_eq!(Moment::parse(text), Ok(Moment(seconds * 1_000_000_000)), "{text}");
        }
        assert_eq!(Moment::parse("1970-01-01T00:00:00.5Z"), Ok(Moment(500_000_000)));
        for bad in [
            "",
            "now",
            "70",
            "197",
            "1970-1-1",
            "1970-13",
            "1970-02-30",
            "1970-01-01T",
            "1970-01T00:00Z",
            "1970-01-01T00:00:00",
            "1970-01-01 00:00:00Z",
            "1970-01-01T00Z",
            "1970-01-01T24:00:00Z",
            "1970-01-01T00:00:60Z",
            "1970-01-01T00:00.5Z",
            "1970-01-01T00:00:00.Z",
            "1970-01-01T00:00:00+1:00",
            "1970-01-01T00:00:00+26:00",
            "1970-01-01T00:00:00ZZ",
            "1970-01-01-01",
            "-1577836801",
            "1577836801.5",
            "1234567890123456789",
            "*",
        ] {
            assert!(Moment::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn address_ranges() {
        for (range, inside, outside) in [
            ("203.0.113.0/24", "203.0.113.255", "203.0.112.255"),
            ("203.0.113.7/24", "203.0.113.1", "203.0.114.7"),
            ("203.0.113.7", "203.0.113.7", "203.0.113.8"),
            ("0.0.0.0/0", "255.255.255.255", "::1"),
            ("::/0", "2001:db8::1", "203.0.113.7"),
            ("2001:DB8:1234:5678::/64", "2001:db8:1234:5678::9", "2001:db8:1234:5679::9"),
            ("::ffff:203.0.113.7", "::ffff:203.0.113.7", "203.0.113.7"),
        ] {
            let parsed = IpRange::parse(range).unwrap();
            assert!(parsed.contains(inside.parse().unwrap()), "{range} {inside}");
            assert!(!parsed.contains(outside.parse().unwrap()), "{range} {outside}");
        }
        for bad in [
            "",
            "*",
            "203.0.113",
            "203.0.113.0/33",
            "203.0.113.0/",
            "203.0.113.0/-1",
            "203.0.113.0/+8",
            "::/129",
            "203.0.113.256",
            "a/8",
            "203.0.113.0/24/8",
        ] {
            assert!(IpRange::parse(bad).is_err(), "{bad}");
        }
    }
}
