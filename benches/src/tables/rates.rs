//! T3: how many no-op tasks a second, over cores: threads of one process, and processes of their own.
//!
//! Mapping and unmapping memory is serialised within one process by the kernel, so that two processes can do more than
//! two threads. Each of the tasks is a whole one, under its limits and with a role session that it shares.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use rolebox_bench_report::rows::Unit;

use crate::bench::{Bench, Case};
use crate::hosts::{Host, run_to_end, settings};
use crate::inputs::Inputs;

pub(crate) fn measure(bench: &mut Bench) -> Result<()> {
    let inputs = bench.inputs.clone();
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let slice = Duration::from_millis(bench.choose(150, 60));
    let doubled = std::iter::successors(Some(1), |last| Some(last * 2));
    let mut counts: Vec<usize> = doubled.take_while(|count| *count < cores).collect();
    counts.push(cores);
    let mut hosts = Vec::new();
    let mut processes = Vec::new();
    for _ in 0..cores {
        processes.push(Runner::start(&inputs)?);
    }
    for threads in &counts {
        hosts.push((*threads, OneHost::new(&inputs, *threads)?));
    }
    let processes = std::cell::RefCell::new(processes);
    let program = inputs.programs().noop;
    let mut cases = Vec::new();
    for (threads, host) in &hosts {
        let name = format!("no-op tasks, one process, {threads} at a time");
        let row = name.clone();
        cases.push(Case::new(name, Unit::PerSecond, move |turn| {
            turn.add(&row, Unit::PerSecond, host.rate(slice, *threads)?);
            Ok(())
        }));
    }
    for count in counts.iter().filter(|count| **count > 1) {
        let (name, processes) = (format!("no-op tasks, {count} processes, each one at a time"), &processes);
        let row = name.clone();
        cases.push(Case::new(name, Unit::PerSecond, move |turn| {
            let mut processes = processes.borrow_mut();
            let used = processes.get_mut(..*count).context("processes")?;
            used.iter_mut().try_for_each(|process| process.ask(slice))?;
            let rates: Result<Vec<f64>> = used.iter_mut().map(Runner::answer).collect();
            turn.add(&row, Unit::PerSecond, rates?.iter().sum());
            Ok(())
        }));
    }
    for count in &counts {
        let name = format!("processes by fork and exec, {count} at a time");
        let (row, program) = (name.clone(), &program);
        cases.push(Case::new(name, Unit::PerSecond, move |turn| {
            turn.add(&row, Unit::PerSecond, starts_at_once(program, slice, *count)?);
            Ok(())
        }));
    }
    bench.interleave(5.0, cases)
}

/// Processes a second, so many at a time, for `slice`.
fn starts_at_once(program: &Path, slice: Duration, count: usize) -> Result<f64> {
    let rates: Result<Vec<f64>> = std::thread::scope(|scope| {
        let starting: Vec<_> = (0..count).map(|_| scope.spawn(|| starts(program, slice))).collect();
        starting.into_iter().map(|thread| thread.join().ok().context("a thread")?).collect()
    });
    Ok(rates?.iter().sum())
}

/// Processes a second, one after the other.
fn starts(program: &Path, slice: Duration) -> Result<f64> {
    let (began, mut count) = (Instant::now(), 0_u32);
    while began.elapsed() < slice {
        let status = Command::new(program).status().context("a process")?;
        anyhow::ensure!(status.success(), "{status}");
        count += 1;
    }
    Ok(f64::from(count) / began.elapsed().as_secs_f64())
}

/// A runner with so many guest threads, and a task.
struct OneHost {
    host: Host,
    task: Arc<rolebox::PreparedTask>,
}

impl OneHost {
    fn new(inputs: &Inputs, threads: usize) -> Result<Self> {
        // As many threads of each kind as tasks at a time, so that no more cores are used than that.
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(threads).enable_all().build();
        let host = Host::new(settings().with_guest_threads(threads), inputs)?;
        let host = Host { runtime: runtime.context("a runtime")?, ..host };
        let task = Arc::new(host.prepare(&inputs.small("noop"), &[])?);
        Ok(Self { host, task })
    }

    /// Tasks a second, as many one after the other at a time as there are threads, for `slice`.
    fn rate(&self, slice: Duration, threads: usize) -> Result<f64> {
        let task = Arc::clone(&self.task);
        let all = self.host.runtime.spawn(async move {
            let began = Instant::now();
            let mut workers = tokio::task::JoinSet::new();
            for _ in 0..threads {
                let task = Arc::clone(&task);
                workers.spawn(async move {
                    let mut count = 0_u32;
                    while began.elapsed() < slice {
                        run_to_end(&task).await?;
                        count += 1;
                    }
                    Ok::<_, anyhow::Error>(count)
                });
            }
            let counts = workers.join_all().await.into_iter().collect::<Result<Vec<_>>>()?;
            Ok::<_, anyhow::Error>(f64::from(counts.iter().sum::<u32>()) / began.elapsed().as_secs_f64())
        });
        self.host.runtime.block_on(all).context("the tasks")?
    }
}

/// A process with a runner of its own; it ends when its input does.
struct Runner {
    process: Child,
    ask: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Runner {
    fn start(inputs: &Inputs) -> Result<Self> {
        let mut process = Command::new(std::env::current_exe().context("this program's own path")?)
            .args(["tasks-in-a-process", "--inputs"])
            .arg(inputs.folder())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("a process for tasks cannot be started")?;
        let ask = process.stdin.take();
        let answers = BufReader::new(process.stdout.take().context("its output")?);
        let mut runner = Self { process, ask, answers };
        runner.answer().context("a process for tasks did not come up")?;
        Ok(runner)
    }

    fn ask(&mut self, slice: Duration) -> Result<()> {
        let ask = self.ask.as_mut().context("its input")?;
        writeln!(ask, "{}", slice.as_millis()).context("a process for tasks takes no more")
    }

    fn answer(&mut self) -> Result<f64> {
        let mut line = String::new();
        self.answers.read_line(&mut line).context("a process for tasks")?;
        line.trim().parse().with_context(|| format!("a process for tasks said {line:?}"))
    }
}

impl Drop for Runner {
    fn drop(&mut self) {
        drop(self.ask.take());
        let _ = self.process.wait();
    }
}

/// The other side of [`Runner`]: for each line with a number of milliseconds, the tasks a second of that time.
pub(crate) fn tasks_in_a_process(inputs: &Inputs) -> Result<()> {
    let host = OneHost::new(inputs, 1)?;
    let mut out = std::io::stdout();
    let mut say = |rate: f64| -> Result<()> {
        writeln!(out, "{rate}")?;
        out.flush().context("standard output")
    };
    say(0.0)?;
    for line in std::io::stdin().lines() {
        let milliseconds = line.context("standard input")?.trim().parse().context("milliseconds")?;
        say(host.rate(Duration::from_millis(milliseconds), 1)?)?;
    }
    Ok(())
}
