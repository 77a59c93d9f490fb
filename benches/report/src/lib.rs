//! The report of one run of the benches: what was measured on which machine, and its three forms.
//!
//! Measuring is not done here, and nothing here knows what it is that was measured: rows come in, files go out.
//!
//! `report.json` is the whole, for other programs; its schema stands in `benches/REPORT.md`. `report.md` is the summary
//! for a README, and `report.html` the page for people.

mod axis;
mod html;
mod json;
mod markdown;
mod plot;
pub mod rows;
pub mod statistics;

use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::rows::{Row, Status, Unit};
use crate::statistics::Summary;

/// What the numbers were taken on and with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Machine {
    /// The processor's name as the system gives it.
    pub cpu: String,
    /// Cores that this process may use.
    pub cores: usize,
    /// Bytes of memory.
    pub memory: u64,
    /// The kernel and its version.
    pub kernel: String,
    /// The hypervisor, where the processor says that there is one.
    pub virtual_machine: Option<bool>,
    /// When the run began, as RFC 3339 in UTC.
    pub date: String,
    /// The commit that was measured, with `-dirty` behind it where files differ from it; `unknown` outside a clone.
    pub commit: String,
    /// Names and versions: rustc, wasmtime, baselines.
    pub versions: Vec<(String, String)>,
    /// Names and values of what the numbers depend on: profile, features, limits on or off, `max_map_count`.
    pub settings: Vec<(String, String)>,
}

/// One run.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// What it was taken on.
    pub machine: Machine,
    /// Everything that was measured, in the order of the tables.
    pub rows: Vec<Row>,
    /// Whether it was a short run, whose numbers are for a look and not to be quoted.
    pub quick: bool,
    /// How long the run took, in seconds.
    pub took: f64,
}

impl Report {
    /// Writes all three forms into `folder`, and gives their paths.
    ///
    /// # Errors
    ///
    /// What the file system says.
    pub fn write(&self, folder: &Path) -> io::Result<Vec<PathBuf>> {
        std::fs::create_dir_all(folder)?;
        let lines = self.lines();
        let forms = [
            ("report.json", json::render(self, &lines)?),
            ("report.md", markdown::render(self, &lines)),
            ("report.html", html::render(self, &lines)?),
        ];
        let mut written = Vec::new();
        for (name, text) in forms {
            let path = folder.join(name);
            std::fs::write(&path, text)?;
            written.push(path);
        }
        Ok(written)
    }

    fn lines(&self) -> Vec<Line<'_>> {
        self.rows.iter().map(|row| Line { row, summary: row.summary() }).collect()
    }
}

/// A row and what its samples come to. The interval takes a thousand rounds of resampling, so it is found once and not
/// by each form.
#[derive(Debug, Clone, Copy)]
struct Line<'a> {
    row: &'a Row,
    summary: Option<Summary>,
}

impl Line<'_> {
    /// `200 × 5` where five processes gave 200 samples each, `987 from 5` where they gave different numbers.
    fn count(&self) -> String {
        let counts: Vec<usize> = self.row.samples.iter().map(Vec::len).filter(|count| *count > 0).collect();
        match counts.split_first() {
            Some((first, others)) if others.iter().any(|count| count != first) => {
                format!("{} from {}", counts.iter().sum::<usize>(), counts.len())
            }
            Some((first, _)) => format!("{first} × {}", counts.len()),
            None => "0".to_owned(),
        }
    }

    /// Why there are no numbers: status and reason.
    fn missing(&self) -> String {
        let status = match self.row.status {
            Status::Measured => "no samples",
            status => status.in_words(),
        };
        self.row.reason.as_ref().map_or_else(|| status.to_owned(), |reason| format!("{status}: {reason}"))
    }
}

/// The facts about a run that stand above the tables, as names and values.
fn facts(report: &Report) -> Vec<(&str, String)> {
    let machine = &report.machine;
    let virtual_machine = match machine.virtual_machine {
        Some(true) => "yes",
        Some(false) => "no",
        None => "unknown",
    };
    let pairs = |pairs: &[(String, String)]| {
        pairs.iter().map(|(name, value)| format!("{name} {value}")).collect::<Vec<_>>().join("; ")
    };
    vec![
        ("Processor", format!("{}, {} cores", machine.cpu, machine.cores)),
        ("Memory", Unit::Bytes.in_words(machine.memory as f64)),
        ("Kernel", machine.kernel.clone()),
        ("Virtual machine", virtual_machine.to_owned()),
        ("Versions", pairs(&machine.versions)),
        ("Settings", pairs(&machine.settings)),
        ("Commit", machine.commit.clone()),
        ("Date", machine.date.clone()),
        ("Took", took(report.took)),
    ]
}

/// Seconds as hours, minutes and seconds.
fn took(seconds: f64) -> String {
    let whole = seconds.max(0.0).round() as u64;
    match (whole / 3600, whole / 60 % 60, whole % 60) {
        (0, 0, seconds) => format!("{seconds} s"),
        (0, minutes, seconds) => format!("{minutes} min {seconds} s"),
        (hours, minutes, _) => format!("{hours} h {minutes} min"),
    }
}

/// What a quick run says of itself.
const QUICK: &str = "This was a quick run. Its numbers are for a look and not to be quoted.";
