//! `report.json`: the whole, for other programs. Its schema stands in `benches/REPORT.md`.
//!
//! One row a line: a run has tens of thousands of samples, and one a line would make a file that no difference of two
//! revisions can be read in.

use std::io;

use serde::Serialize;

use crate::rows::{Status, Table, Unit};
use crate::{Line, Report};

/// The version of the schema. A key that goes or changes its meaning raises it; one that is added does not.
const SCHEMA: u32 = 1;

#[derive(Serialize)]
struct Row<'a> {
    table: Table,
    name: &'a str,
    unit: Unit,
    status: Status,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<&'a str>,
    #[serde(flatten)]
    numbers: Option<Numbers>,
    processes: Vec<usize>,
    samples: Vec<f64>,
}

#[derive(Serialize)]
struct Numbers {
    median: f64,
    p10: f64,
    p90: f64,
    p99: f64,
    ci95: [f64; 2],
    wide: bool,
}

pub(crate) fn render(report: &Report, lines: &[Line<'_>]) -> io::Result<String> {
    let rows = lines.iter().map(|line| serde_json::to_string(&row(line))).collect::<Result<Vec<_>, _>>()?;
    Ok(format!(
        "{{\n\"schema\": {SCHEMA},\n\"quick\": {},\n\"took\": {},\n\"machine\": {},\n\"rows\": [\n{}\n]\n}}\n",
        report.quick,
        serde_json::to_string(&report.took)?,
        serde_json::to_string(&report.machine)?,
        rows.join(",\n"),
    ))
}

fn row<'a>(line: &Line<'a>) -> Row<'a> {
    let row = line.row;
    Row {
        table: row.table,
        name: &row.name,
        unit: row.unit,
        status: row.status,
        reason: row.reason.as_deref(),
        note: row.note.as_deref(),
        numbers: line.summary.map(|summary| Numbers {
            median: summary.median,
            p10: summary.p10,
            p90: summary.p90,
            p99: summary.p99,
            ci95: summary.ci95,
            wide: summary.is_wide(),
        }),
        processes: row.samples.iter().map(Vec::len).collect(),
        samples: row.samples.concat(),
    }
}
