//! What is measured: rows, each with its raw samples, or with the reason why there are none.
//!
//! A row belongs to one of ten tables. Its samples come from several processes and are kept apart by process, because
//! two processes differ by more than two turns of one (where the loader put them, what the allocator did): the spread
//! that is reported must hold that too.

use serde::{Deserialize, Serialize};

use crate::statistics::{Summary, summarize};

/// One of the ten tables of the report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, clap::ValueEnum)]
#[value(rename_all = "UPPER")]
pub enum Table {
    /// Launch, by stage and beside others.
    T1,
    /// Launch, many at once.
    T2,
    /// No-op tasks a second over cores.
    T3,
    /// Idle tasks: the memory of each, and how many.
    T4,
    /// Compute kernels, native and in wasm.
    T5,
    /// Calls from guest to host.
    T6,
    /// AWS calls, beside the official SDK.
    T7,
    /// Capability checks, request parsing and role sessions.
    T8,
    /// Noisy neighbours.
    T9,
    /// How far past its limits a task ends.
    T10,
}

impl Table {
    /// All of them, in order.
    pub const ALL: [Self; 10] =
        [Self::T1, Self::T2, Self::T3, Self::T4, Self::T5, Self::T6, Self::T7, Self::T8, Self::T9, Self::T10];

    /// What it is about, as a heading.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::T1 => "Launch",
            Self::T2 => "Launch, many at once",
            Self::T3 => "No-op tasks a second",
            Self::T4 => "Idle tasks",
            Self::T5 => "Compute",
            Self::T6 => "Calls from guest to host",
            Self::T7 => "AWS calls",
            Self::T8 => "Checks and role sessions",
            Self::T9 => "Noisy neighbours",
            Self::T10 => "Past a limit",
        }
    }

    /// What is measured in it, in a line.
    #[must_use]
    pub fn about(self) -> &'static str {
        match self {
            Self::T1 => "How long a launch takes, stage by stage, and beside other ways of running a program.",
            Self::T2 => "How long a launch takes when 1, 4, 16 and 64 of them begin at once.",
            Self::T3 => {
                "How many no-op tasks end in a second over the number of cores: threads of one process beside separate \
                 processes."
            }
            Self::T4 => {
                "How much memory each idle task takes, as PSS beside RSS, and how many there are at the point \
                 of failure."
            }
            Self::T5 => "Compute kernels: native, in wasm without interruption, with epochs and with fuel.",
            Self::T6 => "How long a call from guest to host takes.",
            Self::T7 => "AWS calls: the official SDK native, the same SDK in a guest, and the guest SDK.",
            Self::T8 => {
                "A capability check, the parsing of a request, AssumeRole cold and cached, and 1,000 tasks at once."
            }
            Self::T9 => {
                "Latency of S3 puts at a fixed rate (open loop) beside neighbours that spin, allocate or print."
            }
            Self::T10 => "How far past its limit a task ends.",
        }
    }
}

impl std::fmt::Display for Table {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{self:?}")
    }
}

/// What a row's numbers count. Always the base unit; [`Unit::in_words`] scales it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Unit {
    /// Seconds.
    #[serde(rename = "s")]
    Seconds,
    /// Bytes.
    #[serde(rename = "B")]
    Bytes,
    /// Events a second.
    #[serde(rename = "1/s")]
    PerSecond,
    /// Bytes a second.
    #[serde(rename = "B/s")]
    BytesPerSecond,
    /// One quantity divided by another.
    #[serde(rename = "ratio")]
    Ratio,
    /// Things counted.
    #[serde(rename = "1")]
    Count,
}

impl Unit {
    /// As it is written in `report.json`.
    #[must_use]
    pub fn symbol(self) -> &'static str {
        match self {
            Self::Seconds => "s",
            Self::Bytes => "B",
            Self::PerSecond => "1/s",
            Self::BytesPerSecond => "B/s",
            Self::Ratio => "ratio",
            Self::Count => "1",
        }
    }

    /// What it measures, for the title of an axis.
    #[must_use]
    pub fn quantity(self) -> &'static str {
        match self {
            Self::Seconds => "Time",
            Self::Bytes => "Memory",
            Self::PerSecond => "Rate",
            Self::BytesPerSecond => "Throughput",
            Self::Ratio => "Ratio",
            Self::Count => "Count",
        }
    }

    /// `value` to three digits, scaled: `4.21 µs`, `16.0 KiB`, `1.07 ×`.
    #[must_use]
    pub fn in_words(self, value: f64) -> String {
        let (divisor, symbol) = self.scale(value);
        match self {
            _ if value.is_nan() => "not a number".to_owned(),
            _ if value.is_infinite() => format!("{value}"),
            Self::Count if value.fract() == 0.0 => format!("{value}"),
            _ => format!("{} {symbol}", three_digits(value / divisor)).trim_end().to_owned(),
        }
    }

    /// The scale on which `value` reads well: what to divide by, and the symbol that stands behind.
    pub(crate) fn scale(self, value: f64) -> (f64, &'static str) {
        let scales: &[(f64, &str)] = match self {
            Self::Seconds => &[(1e-9, "ns"), (1e-6, "µs"), (1e-3, "ms"), (1.0, "s")],
            Self::Bytes => &[(1.0, "B"), (KIB, "KiB"), (KIB * KIB, "MiB"), (KIB * KIB * KIB, "GiB")],
            Self::BytesPerSecond => &[(1.0, "B/s"), (KIB, "KiB/s"), (KIB * KIB, "MiB/s"), (KIB * KIB * KIB, "GiB/s")],
            Self::PerSecond => &[(1.0, "/s"), (1e3, "k/s"), (1e6, "M/s")],
            Self::Ratio => &[(1.0, "×")],
            Self::Count => &[(1.0, "")],
        };
        // What rounds to one of the next scale is written on that one.
        let fitting = scales.iter().rev().find(|(divisor, _)| value.abs() >= divisor * 0.9995);
        fitting.copied().unwrap_or(scales[0])
    }
}

const KIB: f64 = 1024.0;

fn three_digits(value: f64) -> String {
    let digits = match value.abs() {
        below if below < 9.995 => 2,
        below if below < 99.95 => 1,
        _ => 0,
    };
    format!("{value:.digits$}")
}

/// Whether a row has numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Status {
    /// It has samples.
    #[serde(rename = "measured")]
    Measured,
    /// The program to measure is not on this machine; `benches/install-baselines.sh` installs what can be had.
    #[serde(rename = "not installed")]
    NotInstalled,
    /// This machine cannot do it, or it failed.
    #[serde(rename = "not possible here")]
    NotPossible,
}

impl Status {
    /// As it is written in all three forms of the report.
    #[must_use]
    pub fn in_words(self) -> &'static str {
        match self {
            Self::Measured => "measured",
            Self::NotInstalled => "not installed",
            Self::NotPossible => "not possible here",
        }
    }
}

/// One line of a table, as it comes from one process and as it is merged from all.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// Its table.
    pub table: Table,
    /// What was measured; unique within the table.
    pub name: String,
    /// What `samples` count.
    pub unit: Unit,
    /// Whether there are samples.
    pub status: Status,
    /// Why there are none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What a reader has to know beside the numbers: settings, what failed at a point of failure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// The samples of each process, in the order in which they were taken.
    pub samples: Vec<Vec<f64>>,
}

impl Row {
    /// A row with the samples of one process.
    #[must_use]
    pub fn measured(table: Table, name: impl Into<String>, unit: Unit, samples: Vec<f64>) -> Self {
        let (reason, note) = (None, None);
        Self { table, name: name.into(), unit, status: Status::Measured, reason, note, samples: vec![samples] }
    }

    /// A row without samples.
    #[must_use]
    pub fn missing(
        table: Table,
        name: impl Into<String>,
        unit: Unit,
        status: Status,
        reason: impl Into<String>,
    ) -> Self {
        let (reason, note) = (Some(reason.into()), None);
        Self { table, name: name.into(), unit, status, reason, note, samples: Vec::new() }
    }

    /// Its numbers; `None` where there are no samples.
    #[must_use]
    pub fn summary(&self) -> Option<Summary> {
        summarize(&self.samples)
    }
}

/// Adds `row` to `rows`: to the row of the same table and name, or as a new one.
///
/// What was measured once stays measured: a baseline that fails in a later process keeps its samples, and says so in
/// its note.
pub fn merge(rows: &mut Vec<Row>, row: Row) {
    let Some(known) = rows.iter_mut().find(|known| known.table == row.table && known.name == row.name) else {
        rows.push(row);
        return;
    };
    match (known.status, row.status) {
        (Status::Measured, Status::Measured) => {
            known.samples.extend(row.samples);
            if known.note.is_none() {
                known.note = row.note;
            }
        }
        (Status::Measured, _) => {
            add_note(known, row.reason);
        }
        (_, Status::Measured) => {
            let reason = known.reason.take();
            *known = row;
            add_note(known, reason);
        }
        _ => {}
    }
}

/// Notes why a row has no samples of some process; once is enough.
fn add_note(row: &mut Row, reason: Option<String>) {
    const BEGINNING: &str = "not in every process: ";
    if row.note.as_ref().is_some_and(|note| note.contains(BEGINNING)) {
        return;
    }
    let reason = format!("{BEGINNING}{}", reason.unwrap_or_default());
    row.note = Some(match row.note.take() {
        Some(note) => format!("{note}; {reason}"),
        None => reason,
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_scaled_and_rounded_to_three_digits() {
        let cases = [
            (Unit::Seconds, 1.5, "1.50 s"),
            (Unit::Seconds, 0.000_004_214, "4.21 µs"),
            (Unit::Seconds, 0.000_999_6, "1.00 ms"),
            (Unit::Seconds, 0.000_000_036, "36.0 ns"),
            (Unit::Seconds, 0.0, "0.00 ns"),
            (Unit::Bytes, 16_384.0, "16.0 KiB"),
            (Unit::Bytes, 1023.0, "1023 B"),
            (Unit::Bytes, 1023.8, "1.00 KiB"),
            (Unit::Bytes, -2048.0, "-2.00 KiB"),
            (Unit::BytesPerSecond, 3.5 * 1024.0 * 1024.0 * 1024.0, "3.50 GiB/s"),
            (Unit::PerSecond, 38_000.0, "38.0 k/s"),
            (Unit::Ratio, 1.067, "1.07 ×"),
            (Unit::Count, 10_922.0, "10922"),
            (Unit::Count, 1.5, "1.50"),
            (Unit::Seconds, f64::NAN, "not a number"),
        ];
        for (unit, value, expected) in cases {
            assert_eq!(unit.in_words(value), expected);
        }
    }

    #[test]
    fn the_samples_of_processes_stay_apart() {
        let row = |samples| Row::measured(Table::T1, "a", Unit::Seconds, samples);
        let mut rows = Vec::new();
        merge(&mut rows, row(vec![1.0]));
        merge(&mut rows, row(vec![2.0, 3.0]));
        merge(&mut rows, Row::measured(Table::T2, "a", Unit::Seconds, vec![9.0]));
        assert_eq!(rows.len(), 2);
        assert_eq!(rows[0].samples, [vec![1.0], vec![2.0, 3.0]]);
    }

    #[test]
    fn a_row_that_failed_once_keeps_its_samples_and_says_so() {
        let measured = || Row::measured(Table::T1, "a", Unit::Seconds, vec![1.0]);
        let failed = || Row::missing(Table::T1, "a", Unit::Seconds, Status::NotPossible, "it hung");
        for order in [[measured(), failed()], [failed(), measured()]] {
            let mut rows = Vec::new();
            order.into_iter().for_each(|row| merge(&mut rows, row));
            assert_eq!((rows[0].status, rows[0].samples.len()), (Status::Measured, 1));
            assert_eq!(rows[0].note.as_deref(), Some("not in every process: it hung"));
            assert_eq!(rows[0].reason, None);
        }
    }
}
