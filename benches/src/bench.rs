//! One table in one process: cases measured in turns, and rows written for the parent process.
//!
//! What is compared is measured A B C, A B C, so that what changes on the machine meanwhile meets all alike. The first
//! turn warms up and is thrown away. A case that fails is a row that says why, and the others go on.

use std::collections::BTreeMap;
use std::io::Write;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use rolebox_bench_report::rows::{Row, Status, Table, Unit};
use rolebox_bench_report::statistics::quantile;
use rustix::time::{ClockId, clock_gettime};

use crate::inputs::Inputs;

/// Why a ratio or a difference is missing.
const NOT_BOTH: &str = "one of the two was not measured";

/// What a table's code measures with.
pub(crate) struct Bench {
    table: Table,
    /// Which of the processes of this run it is, from 0.
    pub(crate) process: usize,
    /// Whether a look is wanted and not numbers to quote.
    pub(crate) quick: bool,
    /// The guests and programs.
    pub(crate) inputs: Inputs,
    /// What each turn gave, by row, for ratios.
    turns: BTreeMap<String, Vec<Vec<f64>>>,
}

/// One thing to be measured, again and again.
pub(crate) struct Case<'a> {
    name: String,
    unit: Unit,
    run: Box<Run<'a>>,
}

/// What one turn of a case does.
type Run<'a> = dyn FnMut(&mut Turn) -> Result<()> + 'a;

impl<'a> Case<'a> {
    /// A case; `name` and `unit` are for the row that says that it failed.
    pub(crate) fn new(name: impl Into<String>, unit: Unit, run: impl FnMut(&mut Turn) -> Result<()> + 'a) -> Self {
        Self { name: name.into(), unit, run: Box::new(run) }
    }

    /// A case whose every turn is `count` times `work`, and gives the mean time of one: for what takes so little that a
    /// clock would be a part of it.
    pub(crate) fn timed(name: impl Into<String>, count: u32, mut work: impl FnMut() -> Result<()> + 'a) -> Self {
        let name = name.into();
        let row = name.clone();
        Self::new(name, Unit::Seconds, move |turn| {
            let began = Instant::now();
            for _ in 0..count {
                work()?;
            }
            turn.add(&row, Unit::Seconds, began.elapsed().as_secs_f64() / f64::from(count));
            Ok(())
        })
    }
}

/// What one turn of a case gives: samples, each for a row.
#[derive(Debug, Default)]
pub(crate) struct Turn(Vec<(String, Unit, f64)>);

impl Turn {
    /// Adds a sample to a row of this table.
    pub(crate) fn add(&mut self, row: &str, unit: Unit, value: f64) {
        self.0.push((row.to_owned(), unit, value));
    }

    /// Its samples, of whichever rows.
    pub(crate) fn values(self) -> Vec<f64> {
        self.0.into_iter().map(|(_, _, value)| value).collect()
    }
}

impl Bench {
    pub(crate) fn new(table: Table, process: usize, quick: bool, inputs: Inputs) -> Self {
        Self { table, process, quick, inputs, turns: BTreeMap::new() }
    }

    /// `full`, or `quick` of it where a look is wanted.
    pub(crate) fn choose<T>(&self, full: T, quick: T) -> T {
        if self.quick { quick } else { full }
    }

    /// Measures the cases in turns for some `seconds`, at least three times each beside the turn that warms up; in a
    /// quick run for a sixth of that, at least once, and without a warm-up where one turn takes longer.
    pub(crate) fn interleave(&mut self, seconds: f64, mut cases: Vec<Case<'_>>) -> Result<()> {
        let budget = Duration::from_secs_f64(if self.quick { seconds / 6.0 } else { seconds });
        let least = if self.quick { 1 } else { 3 };
        let mut rows: Vec<(String, Unit, Vec<f64>)> = Vec::new();
        let (began, mut number) = (Instant::now(), 0);
        while (number <= least || began.elapsed() < budget) && !cases.is_empty() {
            let mut whole = Vec::new();
            let mut failed = None;
            for (index, case) in cases.iter_mut().enumerate() {
                let mut turn = Turn::default();
                match (case.run)(&mut turn) {
                    Ok(()) => whole.push(turn),
                    Err(error) => {
                        let reason = format!("{error:#}");
                        self.missing(&case.name, case.unit, Status::NotPossible, &reason)?;
                        failed = Some(index);
                        break;
                    }
                }
            }
            // A turn in which one failed counts for none: what is compared is compared within a turn.
            match failed {
                Some(index) => drop(cases.remove(index)),
                None => {
                    // In a quick run, one that takes longer than all should counts as well, and is the only one.
                    let only = self.quick && number == 0 && began.elapsed() > budget;
                    if number > 0 || only {
                        whole.into_iter().for_each(|turn| self.keep(turn, &mut rows));
                    }
                    if only {
                        break;
                    }
                    number += 1;
                }
            }
        }
        for (name, unit, samples) in rows {
            self.samples(&name, unit, samples)?;
        }
        Ok(())
    }

    fn keep(&mut self, turn: Turn, rows: &mut Vec<(String, Unit, Vec<f64>)>) {
        let mut of_turn: BTreeMap<String, Vec<f64>> = BTreeMap::new();
        for (name, unit, value) in turn.0 {
            match rows.iter_mut().find(|row| row.0 == name) {
                Some(row) => row.2.push(value),
                None => rows.push((name.clone(), unit, vec![value])),
            }
            of_turn.entry(name).or_default().push(value);
        }
        for (name, values) in of_turn {
            self.turns.entry(name).or_default().push(values);
        }
    }

    /// A row with the ratio of two others, turn by turn, each turn's median by the other's.
    pub(crate) fn ratio(&mut self, name: &str, of: &str, to: &str) -> Result<()> {
        let (Some(of), Some(to)) = (self.turns.get(of), self.turns.get(to)) else {
            return self.missing(name, Unit::Ratio, Status::NotPossible, NOT_BOTH);
        };
        let ratios: Vec<f64> = of.iter().zip(to).map(|(of, to)| median(of) / median(to)).collect();
        self.turns.insert(name.to_owned(), ratios.iter().map(|ratio| vec![*ratio]).collect());
        self.samples(name, Unit::Ratio, ratios)
    }

    /// The difference of two rows, turn by turn.
    pub(crate) fn difference(&mut self, name: &str, unit: Unit, of: &str, to: &str) -> Result<()> {
        let (Some(of), Some(to)) = (self.turns.get(of), self.turns.get(to)) else {
            return self.missing(name, unit, Status::NotPossible, NOT_BOTH);
        };
        let differences: Vec<f64> = of.iter().zip(to).map(|(of, to)| median(of) - median(to)).collect();
        self.samples(name, unit, differences)
    }

    /// What the turns of a row gave so far, all together.
    pub(crate) fn taken(&self, row: &str) -> Vec<f64> {
        self.turns.get(row).map(|turns| turns.iter().flatten().copied().collect()).unwrap_or_default()
    }

    /// A row with these samples.
    pub(crate) fn samples(&mut self, name: &str, unit: Unit, samples: Vec<f64>) -> Result<()> {
        emit(&Row::measured(self.table, name, unit, samples))
    }

    /// The same, with what a reader has to know beside the numbers.
    pub(crate) fn noted(&mut self, name: &str, unit: Unit, samples: Vec<f64>, note: &str) -> Result<()> {
        emit(&Row { note: Some(note.to_owned()), ..Row::measured(self.table, name, unit, samples) })
    }

    /// What a reader has to know beside the numbers of a row that has them.
    pub(crate) fn note(&mut self, name: &str, note: &str) -> Result<()> {
        if self.taken(name).is_empty() {
            return Ok(());
        }
        let unit = Unit::Seconds;
        emit(&Row {
            note: Some(note.to_owned()),
            samples: Vec::new(),
            ..Row::measured(self.table, name, unit, Vec::new())
        })
    }

    /// A row without samples.
    pub(crate) fn missing(&mut self, name: &str, unit: Unit, status: Status, reason: &str) -> Result<()> {
        emit(&Row::missing(self.table, name, unit, status, reason))
    }
}

/// One line for the parent process.
fn emit(row: &Row) -> Result<()> {
    let line = serde_json::to_string(row).context("a row is JSON")?;
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}").and_then(|()| out.flush()).context("the parent process reads no more")
}

/// The median of samples in any order.
pub(crate) fn median(samples: &[f64]) -> f64 {
    part(samples, 0.5)
}

/// The sample below which a part of them lies.
pub(crate) fn part(samples: &[f64], part: f64) -> f64 {
    let mut sorted = samples.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    quantile(&sorted, part)
}

/// Processor time of this whole process so far, user and system.
pub(crate) fn process_cpu() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    let seconds = u64::try_from(time.tv_sec).unwrap_or_default();
    Duration::new(seconds, u32::try_from(time.tv_nsec).unwrap_or_default())
}

/// wasmtime's error as everybody else's, with its causes.
pub(crate) fn wasm(error: wasmtime::Error) -> anyhow::Error {
    anyhow::anyhow!("{error:#}")
}
