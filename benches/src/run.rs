//! One run: which tables, in how many processes, and where the report goes.
//!
//! Each table is measured in at least five processes of its own, one after the other, all tables once before any of
//! them for the second time: what differs between processes, and what changes on the machine in ten minutes, is then in
//! the spread. A process that hangs is ended, and a table that fails leaves the others their rows; the run then fails
//! at its end.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use clap::{Args, Parser, Subcommand};
use rolebox_bench_baselines::end_with_all;
use rolebox_bench_report::Report;
use rolebox_bench_report::rows::{Row, Status, Table, Unit, merge};

use crate::bench::Bench;
use crate::inputs::{Inputs, root};
use crate::{machine, server, tables};

/// How long one table may take in one process: several times what the slowest one takes.
const TABLE_TIMEOUT: Duration = Duration::from_secs(180);

/// Measures what isolation costs, and writes a report.
#[derive(Debug, Parser)]
#[command(name = "cargo bench --", args_conflicts_with_subcommands = true)]
struct Arguments {
    #[command(flatten)]
    run: RunArguments,
    #[command(subcommand)]
    part: Option<Part>,
}

#[derive(Debug, Args)]
struct RunArguments {
    /// Measures for a sixth of the time: for a look, not for numbers to quote
    #[arg(long)]
    quick: bool,
    /// Measures only these tables (T1 to T10)
    #[arg(long = "table", value_name = "TABLE", ignore_case = true)]
    tables: Vec<Table>,
    /// In how many processes each table is measured
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=1000))]
    processes: u32,
    /// Where the report is written [default: target/report]
    #[arg(long, value_name = "FOLDER")]
    output: Option<PathBuf>,
    /// What Cargo says to every bench
    #[arg(long, hide = true)]
    bench: bool,
}

/// What this program does in the processes that it starts itself.
#[derive(Debug, Subcommand)]
enum Part {
    /// Measures one table once
    #[command(hide = true)]
    Measure {
        table: Table,
        #[arg(long)]
        process: usize,
        #[command(flatten)]
        part: PartArguments,
    },
    /// Takes and gives bytes
    #[command(hide = true)]
    Serve,
    /// Runs no-op tasks when it is asked to
    #[command(hide = true)]
    TasksInAProcess(PartArguments),
    /// Starts idle tasks until one fails
    #[command(hide = true)]
    IdleTasks(PartArguments),
    /// Starts idle processes until one fails
    #[command(hide = true)]
    IdleProcesses(PartArguments),
}

#[derive(Debug, Args)]
struct PartArguments {
    #[arg(long)]
    inputs: PathBuf,
    #[arg(long)]
    quick: bool,
}

/// The bench program, from its command line.
///
/// # Errors
///
/// When something could not be measured that should have been; the report is written all the same.
pub fn main() -> Result<()> {
    let arguments = Arguments::parse();
    match arguments.part {
        None => run(&arguments.run),
        Some(Part::Measure { table, process, part }) => {
            let mut bench = Bench::new(table, process, part.quick, Inputs::at(&part.inputs));
            tables::measure(table, &mut bench)
        }
        Some(Part::Serve) => server::serve(),
        Some(Part::TasksInAProcess(part)) => tables::tasks_in_a_process(&Inputs::at(&part.inputs)),
        Some(Part::IdleTasks(part)) => tables::idle_tasks_until_failure(&Inputs::at(&part.inputs), part.quick),
        Some(Part::IdleProcesses(part)) => tables::idle_processes_until_failure(&Inputs::at(&part.inputs), part.quick),
    }
}

fn run(arguments: &RunArguments) -> Result<()> {
    let tables = if arguments.tables.is_empty() { Table::ALL.to_vec() } else { arguments.tables.clone() };
    let output = arguments.output.clone().unwrap_or_else(|| root().join("target/report"));
    eprintln!("building the guests and the native programs (minutes, the first time)");
    let inputs = Inputs::build(&root().join("target/bench-inputs"))?;
    tables::prepare(&inputs).context("the guests could not be compiled")?;
    let machine = machine::describe(tables::versions(&inputs));
    let (began, mut rows, mut failures) = (Instant::now(), Vec::new(), Vec::new());
    let all = tables.len() * arguments.processes as usize;
    let mut done = 0;
    for process in 0..arguments.processes as usize {
        for table in &tables {
            let table_began = Instant::now();
            let measured = measure(*table, process, arguments.quick, &inputs, &mut rows);
            done += 1;
            let (took, left) = (table_began.elapsed().as_secs_f64(), began.elapsed().as_secs_f64() / done as f64);
            let left = left * (all - done) as f64;
            eprintln!(
                "[{done:>2}/{all}] {table:<3} {:<26} process {} of {}: {took:.1} s; some {left:.0} s left",
                table.title(),
                process + 1,
                arguments.processes,
            );
            if let Err(error) = measured {
                eprintln!("        failed: {error:#}");
                let (name, reason) = (format!("process {} of this table", process + 1), format!("{error:#}"));
                merge(&mut rows, Row::missing(*table, name, Unit::Count, Status::NotPossible, reason));
                failures.push(format!("{table}, process {}: {error:#}", process + 1));
            }
        }
    }
    rows.sort_by_key(|row: &Row| row.table);
    let report = Report { machine, rows, quick: arguments.quick, took: began.elapsed().as_secs_f64() };
    for path in report.write(&output).with_context(|| format!("the report in {}", output.display()))? {
        eprintln!("wrote {}", path.display());
    }
    ensure!(failures.is_empty(), "not everything could be measured:\n  {}", failures.join("\n  "));
    Ok(())
}

/// Measures one table in a process of its own, and adds its rows.
fn measure(table: Table, process: usize, quick: bool, inputs: &Inputs, rows: &mut Vec<Row>) -> Result<()> {
    let mut command = Command::new(std::env::current_exe().context("this program's own path")?);
    command.args(["measure", &table.to_string(), "--process", &process.to_string(), "--inputs"]).arg(inputs.folder());
    if quick {
        command.arg("--quick");
    }
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().context("a process for a table")?;
    let out = BufReader::new(child.stdout.take().context("its output")?);
    let (lines, received) = mpsc::channel();
    // Lines of a process that is ended at its timeout end with it.
    let reader = std::thread::spawn(move || {
        for line in out.lines().map_while(Result::ok) {
            if lines.send(line).is_err() {
                return;
            }
        }
    });
    let deadline = Instant::now() + TABLE_TIMEOUT;
    let mut outcome = Ok(());
    loop {
        match received.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            Ok(line) => match serde_json::from_str::<Row>(&line) {
                Ok(row) => merge(rows, row),
                Err(error) => outcome = Err(error).with_context(|| format!("it printed {line:?}")),
            },
            Err(mpsc::RecvTimeoutError::Disconnected) => break,
            Err(mpsc::RecvTimeoutError::Timeout) => {
                outcome = Err(anyhow::anyhow!("it did not end within {} s", TABLE_TIMEOUT.as_secs()));
                end_with_all(child.id());
                break;
            }
        }
    }
    let status = child.wait().context("its end")?;
    // What a killed process started may hold its output open: not waited for.
    if outcome.is_ok() {
        let _ = reader.join();
    }
    outcome?;
    if !status.success() {
        bail!("its process ended with {status}; it says above why");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cargo_passes_is_understood() {
        let parse = |words: &[&str]| Arguments::try_parse_from([&["bench"], words].concat());
        let run = parse(&["--quick", "--table", "t5", "--table", "T10", "--bench"]).expect("a run").run;
        assert!(run.quick && run.bench);
        assert_eq!(run.tables, [Table::T5, Table::T10]);
        assert_eq!(run.processes, 5);
        for refused in [&["--table", "T11"][..], &["--processes", "0"], &["--fast"], &["T5"]] {
            parse(refused).expect_err("refused");
        }
    }
}
