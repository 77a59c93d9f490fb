//! Memory and cpu amounts.

use std::fmt;

use super::container::MAX_CPU;
use super::problem::{Location, Problems, quoted};
use super::raw::{Amount, Whole};

/// The least memory of a container, in MiB: what ECS asks for, so that a definition can go there too.
pub const MIN_MEMORY: Mebibytes = Mebibytes(4);

/// The most memory of a container, in MiB: all that a 32-bit linear memory can address. The operator's own bound is
/// apart.
pub const MAX_MEMORY: Mebibytes = Mebibytes(4096);

/// The most containers of a task, as in ECS.
pub const MAX_CONTAINERS: usize = 10;

/// One core in CPU units, and so the most that a task can use at once.
/// <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task_definition_parameters.html>
pub(crate) const CORE: u32 = 1_024;

/// An amount of memory in units of 2²⁰ bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mebibytes(u32);

impl Mebibytes {
    /// `amount` MiB.
    #[must_use]
    pub const fn new(amount: u32) -> Self {
        Self(amount)
    }

    /// The number of MiB.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0
    }

    /// The number of bytes.
    #[must_use]
    pub const fn bytes(self) -> u64 {
        self.0 as u64 * 1024 * 1024
    }
}

impl fmt::Display for Mebibytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} MiB", self.0)
    }
}

/// Writes a number of bytes in the largest unit that needs no fraction: `16 MiB`, `1536 bytes`.
#[must_use]
pub fn show_bytes(bytes: u64) -> String {
    if bytes == 1 {
        return "1 byte".to_owned();
    }
    let units = [(30, "GiB"), (20, "MiB"), (10, "KiB")];
    let unit = units.into_iter().find(|(shift, _)| bytes > 0 && bytes.trailing_zeros() >= *shift);
    unit.map_or_else(|| format!("{bytes} bytes"), |(shift, unit)| format!("{} {unit}", bytes >> shift))
}

/// The range of a container's memory, for messages.
pub(super) fn range() -> String {
    format!("{} to {}", MIN_MEMORY.0, MAX_MEMORY.0)
}

/// A container's hard limit.
pub(super) fn container_memory(amount: i128, at: &Location, problems: &mut Problems) -> Option<Mebibytes> {
    let found = u32::try_from(amount).ok().map(Mebibytes).filter(|memory| (MIN_MEMORY..=MAX_MEMORY).contains(memory));
    if found.is_none() {
        problems.add(at, format!("{amount} MiB are out of range"), format!("Give {} MiB.", range()));
    }
    found
}

/// A task's `memory`: MiB as a number or in digits, or GB with their unit.
pub(super) fn task_memory(amount: Option<Amount>, at: &Location, problems: &mut Problems) -> Option<Mebibytes> {
    let most = MAX_MEMORY.0 * MAX_CONTAINERS as u32;
    let amount = whole(amount?, "gb", 1024, "\"512\" or \"0.5 GB\"", at, problems)?;
    let found = u32::try_from(amount).ok().filter(|amount| (MIN_MEMORY.0..=most).contains(amount));
    if found.is_none() {
        problems.add(
            at,
            format!("{amount} MiB are out of range"),
            format!("Give {} to {most} MiB, and at most {} of them to one container.", MIN_MEMORY.0, MAX_MEMORY.0),
        );
    }
    found.map(Mebibytes)
}

/// A task's `cpu`: CPU units as a number or in digits, or vCPUs with their unit.
pub(super) fn task_cpu(amount: Option<Amount>, at: &Location, problems: &mut Problems) -> Option<u32> {
    let amount = whole(amount?, "vcpu", 1024, "\"512\" or \"0.5 vCPU\"", at, problems)?;
    let found = u32::try_from(amount).ok().filter(|amount| (1..=MAX_CPU).contains(amount));
    if found.is_none() {
        problems.add(
            at,
            format!("{amount} CPU units are out of range"),
            format!("Give 1 to {MAX_CPU}; 1024 stand for one core."),
        );
    }
    found
}

/// `rolebox.cpuLimit`: a part of one core in CPU units.
pub(super) fn cpu_limit(units: Option<Whole>, at: &Location, problems: &mut Problems) -> Option<u32> {
    let Whole(units) = units?;
    let found = u32::try_from(units).ok().filter(|units| (1..=CORE).contains(units));
    if found.is_none() {
        problems.add(
            at,
            format!("{units} CPU units are out of range"),
            format!("Give 1 to {CORE}, which stand for the one core that a task can use."),
        );
    }
    found
}

/// A number, digits, or a decimal fraction with `unit` behind it, which stands for `size` of what is counted.
fn whole(
    amount: Amount,
    unit: &str,
    size: i128,
    example: &str,
    at: &Location,
    problems: &mut Problems,
) -> Option<i128> {
    let text = match amount {
        Amount::Number(number) => return Some(number),
        Amount::Text(text) => text,
    };
    let found = in_units(&text, unit, size);
    if found.is_none() {
        problems.add(at, format!("{} is not an amount", quoted(&text)), format!("Write it as {example}."));
    }
    found
}

fn in_units(text: &str, unit: &str, size: i128) -> Option<i128> {
    let is_digits = |text: &str| (1..=9).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    if is_digits(text) {
        return text.parse().ok();
    }
    let lower = text.to_ascii_lowercase();
    let number = lower.strip_suffix(unit)?;
    let number = number.strip_suffix(' ').unwrap_or(number);
    if number.is_empty() {
        return None;
    }
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    let whole = if whole.is_empty() { "0" } else { whole };
    if !is_digits(whole) || !is_digits(fraction) {
        return None;
    }
    // In whole units of what is counted: a fraction that does not come out even is a mistake.
    let parts = 10_i128.pow(u32::try_from(fraction.len()).ok()?);
    let scaled = (whole.parse::<i128>().ok()? * parts + fraction.parse::<i128>().ok()?) * size;
    (scaled % parts == 0).then_some(scaled / parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_have_the_largest_whole_unit() {
        let shown = [0, 1, 1023, 1024, 1536, 16 << 20, 3 << 30].map(show_bytes);
        assert_eq!(shown, ["0 bytes", "1 byte", "1023 bytes", "1 KiB", "1536 bytes", "16 MiB", "3 GiB"]);
    }

    #[test]
    fn amounts_have_units() {
        for (text, found) in [
            ("512", Some(512)),
            ("1 GB", Some(1024)),
            ("1gb", Some(1024)),
            (".5GB", Some(512)),
            ("0.5 GB", Some(512)),
            ("2.25GB", Some(2304)),
            ("0.3GB", None),
            ("", None),
            (" 512", None),
            ("512 MB", None),
            ("GB", None),
            (".GB", None),
            ("1.GB", None),
            ("1  GB", None),
            ("-1GB", None),
            ("1e3", None),
            ("0x10", None),
            ("1,024", None),
            ("99999999999999999999", None),
            ("1.99999999999999999999GB", None),
        ] {
            assert_eq!(in_units(text, "gb", 1024), found, "{text:?}");
        }
    }
}
