//! T4: what an idle task holds, beside an idle process and an idle container, and how many there can be.
//!
//! Each has written to one page of its memory and waits. Where the end is looked for, it is looked for in a process of
//! its own: past Linux's bound on memory mappings allocations of the host itself fail, and it may not survive that.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use rolebox::output::TaskOutput;
use rolebox_bench_report::rows::{Status, Unit};

use crate::bench::Bench;
use crate::hosts::{Host, settings};
use crate::inputs::Inputs;
use crate::usage::{held, held_by, memory_available};

/// Idle processes that are started at most.
const MOST_PROCESSES: usize = 10_000;

/// The least memory that is left to the system, in bytes.
const LEFT: f64 = 2.0 * 1024.0 * 1024.0 * 1024.0;

pub(crate) fn measure(bench: &mut Bench) -> Result<()> {
    let inputs = bench.inputs.clone();
    tasks(bench, &inputs)?;
    processes(bench, &inputs)?;
    if bench.process == 0 {
        until_failure(bench, &inputs, "idle tasks in one process at the most", "idle-tasks")?;
        until_failure(bench, &inputs, "idle processes at the most", "idle-processes")?;
    }
    super::baselines::idle(bench)
}

fn tasks(bench: &mut Bench, inputs: &Inputs) -> Result<()> {
    let count = bench.choose(5_000, 1_000);
    let host = Host::new(settings().with_max_instances(count), inputs)?;
    let task = host.prepare(&inputs.small("idle"), &[])?;
    // One is started and ended before, so that what the first one alone allocates does not count to all.
    let before = host.runtime.block_on(async {
        let first = vec![task.start(TaskOutput::Discard)];
        settled().await?;
        stop_all(first).await?;
        held()
    })?;
    let after = host.runtime.block_on(async {
        let running: Vec<_> = (0..count).map(|_| task.start(TaskOutput::Discard)).collect();
        settled().await?;
        let after = held()?;
        stop_all(running).await?;
        Ok::<_, anyhow::Error>(after)
    })?;
    let each = |before: f64, after: f64| vec![(after - before) / f64::from(count)];
    let mappings = each(before.mappings as f64, after.mappings as f64);
    bench.samples("idle task: memory (PSS)", Unit::Bytes, each(before.pss, after.pss))?;
    bench.samples("idle task: memory (RSS)", Unit::Bytes, each(before.rss, after.rss))?;
    bench.samples("idle task: page tables", Unit::Bytes, each(before.page_tables, after.page_tables))?;
    bench.samples("idle task: memory mappings", Unit::Count, mappings)?;
    bench.samples("runner without tasks: memory (PSS)", Unit::Bytes, vec![before.pss])?;
    bench.samples("runner without tasks: memory (RSS)", Unit::Bytes, vec![before.rss])
}

/// Waits until nothing more is mapped for a tenth of a second: then each task has come to where it waits.
pub(super) async fn settled() -> Result<()> {
    let mut last = 0;
    for _ in 0..100 {
        tokio::time::sleep(Duration::from_millis(100)).await;
        let now = held()?.mappings;
        if now == last {
            return Ok(());
        }
        last = now;
    }
    bail!("idle tasks still change something after ten seconds")
}

/// Stops tasks that must all have waited until then.
pub(super) async fn stop_all(running: Vec<rolebox::RunningTask>) -> Result<()> {
    for task in &running {
        task.stop("measured");
    }
    for mut task in running {
        let stopped = task.wait().await;
        ensure!(stopped.stopped_reason == "measured", "a task that should wait ended: {}", stopped.stopped_reason);
    }
    Ok(())
}

/// Processes that are killed when this is dropped.
struct Processes(Vec<Child>);

impl Drop for Processes {
    fn drop(&mut self) {
        for process in &mut self.0 {
            let _ = process.kill();
        }
        for process in &mut self.0 {
            let _ = process.wait();
        }
    }
}

fn processes(bench: &mut Bench, inputs: &Inputs) -> Result<()> {
    let mut idle = Processes(Vec::new());
    for _ in 0..bench.choose(100, 30) {
        let mut process = Command::new(inputs.programs().idle);
        let mut process = process.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().context("an idle process")?;
        // It says when it has written its page.
        let out = process.stdout.take().context("its output")?;
        idle.0.push(process);
        BufReader::new(out).read_line(&mut String::new()).context("an idle process says nothing")?;
    }
    let (mut pss, mut rss, mut tables) = (Vec::new(), Vec::new(), Vec::new());
    for process in &idle.0 {
        let held = held_by(&process.id().to_string())?;
        pss.push(held.pss);
        rss.push(held.rss);
        tables.push(held.page_tables);
    }
    bench.samples("idle process: memory (PSS)", Unit::Bytes, pss)?;
    bench.samples("idle process: memory (RSS)", Unit::Bytes, rss)?;
    bench.noted(
        "idle process: page tables",
        Unit::Bytes,
        tables,
        "without the kernel's own some ten kilobytes for each process, which no process is charged for",
    )
}

/// Has a process of its own go to its end, and reports how many it had and what failed.
fn until_failure(bench: &mut Bench, inputs: &Inputs, row: &str, mode: &str) -> Result<()> {
    let mut command = Command::new(std::env::current_exe().context("this program's own path")?);
    command.args([mode, "--inputs"]).arg(inputs.folder());
    if bench.quick {
        command.arg("--quick");
    }
    let mut process =
        Processes(vec![command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().context("a process")?]);
    let child = process.0.first_mut().context("a process")?;
    let out = BufReader::new(child.stdout.take().context("its output")?);
    let (mut count, mut why) = (None, None);
    for line in out.lines() {
        let line = line.context("its output")?;
        match line.split_once(' ') {
            Some(("count", number)) => count = number.parse::<f64>().ok(),
            Some(("failed", reason)) => why = Some(reason.to_owned()),
            _ => {}
        }
    }
    let status = child.wait().context("its end")?;
    let why = why.unwrap_or_else(|| format!("the host's process itself ended ({status})"));
    match count {
        Some(count) => bench.noted(row, Unit::Count, vec![count], &format!("tried once; what failed then: {why}")),
        None => bench.missing(row, Unit::Count, Status::NotPossible, &why),
    }
}

fn count(number: usize) {
    println!("count {number}");
    let _ = std::io::stdout().flush();
}

/// Starts idle tasks until one does not start, and says how many there were: `count N`, and `failed WHY` at the end.
pub(crate) fn idle_tasks_until_failure(inputs: &Inputs, quick: bool) -> Result<()> {
    // As many as the pool can have: an eighth fewer, again and again, where the address space does not hold them.
    let mut instances: u32 = 65_536;
    let host = loop {
        match Host::new(settings().with_max_instances(instances), inputs) {
            Ok(host) => break host,
            Err(_) if instances > 1_000 => instances -= instances / 8,
            Err(error) => return Err(error),
        }
    };
    let task = host.prepare(&inputs.small("idle"), &[])?;
    let bound = if quick { 2_000 } else { usize::MAX };
    host.runtime.block_on(async {
        let mut running = Vec::new();
        while running.len() < bound {
            let started = running.len();
            running.extend((0..100).map(|_| task.start(TaskOutput::Discard)));
            tokio::time::sleep(Duration::from_millis(20)).await;
            for (index, task) in running.iter_mut().enumerate().skip(started.saturating_sub(100)) {
                // One that could not be started has ended, all others wait.
                if let Ok(stopped) = tokio::time::timeout(Duration::ZERO, task.wait()).await {
                    count(index);
                    println!("failed {}", stopped.stopped_reason.replace('\n', " "));
                    return Ok(());
                }
            }
            count(running.len());
            if memory_available()? < LEFT {
                println!("failed nothing: stopped where the system had 2 GiB left");
                return Ok(());
            }
        }
        println!("failed nothing: a quick run stops there");
        Ok(())
    })
}

/// The same with idle processes.
pub(crate) fn idle_processes_until_failure(inputs: &Inputs, quick: bool) -> Result<()> {
    let mut idle = Processes(Vec::new());
    let bound = if quick { 500 } else { MOST_PROCESSES };
    while idle.0.len() < bound {
        match Command::new(inputs.programs().idle).stdin(Stdio::null()).stdout(Stdio::null()).spawn() {
            Ok(process) => idle.0.push(process),
            Err(error) => {
                count(idle.0.len());
                println!("failed {error}");
                return Ok(());
            }
        }
        if idle.0.len().is_multiple_of(100) && memory_available()? < LEFT {
            count(idle.0.len());
            println!("failed nothing: stopped where the system had 2 GiB left");
            return Ok(());
        }
    }
    count(idle.0.len());
    println!("failed nothing: the bench stops there");
    Ok(())
}
