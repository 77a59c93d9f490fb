//! T1: a launch, stage by stage, whole, and beside what people would use instead.
//!
//! The stages come from marks in the library itself (its feature `measure`); the first instruction's moment from a
//! guest whose first instruction asks for the time. Whole launches are of a no-op: for a task from
//! `PreparedTask::start` to its outcome, for a process from fork to its exit status.

use std::fs::File;
use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use rolebox::PreparedTask;
use rolebox::definition::TaskDefinition;
use rolebox::measure::{Stage, Stages};
use rolebox::output::{CapturedOutput, TaskOutput};
use rolebox_bench_report::rows::Unit;
use rustix::fs::{Advice, fadvise};
use tokio::runtime::Runtime;
use wasmtime::{Config, InstanceAllocationStrategy, PoolingAllocationConfig};
use wasmtime_wasi::WasiCtxBuilder;

use super::alone::Alone;
use crate::bench::{Bench, Case, Turn};
use crate::hosts::{Host, run_to_end, settings};
use crate::inputs::{Inputs, document};

/// Launches in one turn of what takes microseconds.
const MANY: u32 = 25;

/// What a launch of a task leaves out.
const NO_NETWORK: &str = "AssumeRole is answered in the process: over a network, add T8's";

pub(crate) fn measure(bench: &mut Bench) -> Result<()> {
    let inputs = bench.inputs.clone();
    whole(bench, &inputs)?;
    stage_by_stage(bench, &inputs)?;
    compile(bench, &inputs)?;
    super::baselines::launch(bench)
}

/// Parse and load in one set of turns, and the launch itself in another: the latter is a hundred times shorter.
fn stage_by_stage(bench: &mut Bench, inputs: &Inputs) -> Result<()> {
    let sdk = inputs.guest("start");
    let definition = document(&sdk, &[]).to_string();
    let warm = |turn: &mut Turn| load(turn, inputs, &definition, false);
    let cold = |turn: &mut Turn| {
        evict(&inputs.code_cache())?;
        load(turn, inputs, &definition, true)
    };
    bench.interleave(
        1.5,
        vec![
            Case::new("stage: fetch code from the cache, page cache warm", Unit::Seconds, warm),
            Case::new("stage: fetch code from the cache, page cache cold", Unit::Seconds, cold),
        ],
    )?;

    let host = Host::new(settings(), inputs)?;
    let stages = Stages::keep();
    let noop = host.prepare(&inputs.small("noop"), &[])?;
    let first = host.prepare(&inputs.small("first"), &[])?;
    let launch = |turn: &mut Turn| {
        for _ in 0..MANY {
            let (marks, began, ended) = launch_once(&host, &stages, &noop, TaskOutput::Discard)?;
            let at = |stage| mark(&marks, stage);
            let mut stage = |name: &str, from: Instant, to: Instant| {
                turn.add(&format!("stage: {name}"), Unit::Seconds, (to - from).as_secs_f64());
            };
            stage("begin, take places, bind the role session", began, at(Stage::SessionBound)?);
            stage("schedule, open what the container has", at(Stage::SessionBound)?, at(Stage::Opened)?);
            stage("make the store, instantiate", at(Stage::Opened)?, at(Stage::Instantiated)?);
            stage("run to the exit", at(Stage::Instantiated)?, at(Stage::Returned)?);
            stage("tear down", at(Stage::Returned)?, at(Stage::TornDown)?);
            stage("flush output and audit, report", at(Stage::TornDown)?, ended);
        }
        Ok(())
    };
    let first_instruction = |turn: &mut Turn| {
        for _ in 0..MANY {
            let output = CapturedOutput::default();
            let (marks, ..) = launch_once(&host, &stages, &first, TaskOutput::Capture(output.clone()))?;
            let printed: [u8; 8] = output.stdout().try_into().ok().context("the guest prints eight bytes")?;
            let since_clock = u64::from_le_bytes(printed) as f64 / 1e9;
            // The guest's clock begins when its context is made, just before the store.
            let instantiated = (mark(&marks, Stage::Instantiated)? - mark(&marks, Stage::Opened)?).as_secs_f64();
            turn.add("stage: to the first instruction", Unit::Seconds, (since_clock - instantiated).max(0.0));
        }
        Ok(())
    };
    bench.interleave(
        1.0,
        vec![
            Case::new("stage: make the store, instantiate", Unit::Seconds, launch),
            Case::new("stage: to the first instruction", Unit::Seconds, first_instruction),
        ],
    )
}

fn mark(marks: &[(Stage, Instant)], wanted: Stage) -> Result<Instant> {
    let found = marks.iter().find(|(stage, _)| *stage == wanted);
    found.map(|(_, at)| *at).with_context(|| format!("a launch without {wanted:?}"))
}

type Launched = (Vec<(Stage, Instant)>, Instant, Instant);

fn launch_once(host: &Host, stages: &Stages, task: &PreparedTask, output: TaskOutput) -> Result<Launched> {
    drop(stages.take());
    let task = task.clone();
    // On a thread of the runtime, as an embedder's tasks would be.
    let launched = host.runtime.spawn(async move {
        let began = Instant::now();
        let stopped = task.start(output).wait().await;
        (stopped, began, Instant::now())
    });
    let (stopped, began, ended) = host.runtime.block_on(launched).context("the launch")?;
    ensure!(stopped.exit_code() == 0, "{}", stopped.stopped_reason);
    Ok((stages.take(), began, ended))
}

/// What the first launch of an image waits for where nothing is cached: seconds, and so measured once in a process.
fn compile(bench: &mut Bench, inputs: &Inputs) -> Result<()> {
    let image = inputs.guest("start");
    let host = Host { runtime: Runtime::new().context("a runtime")?, runner: crate::runner(settings()) };
    let began = Instant::now();
    let task = host.prepare(&image, &[])?;
    let took = began.elapsed().as_secs_f64();
    host.run(&task)?;
    let size = std::fs::metadata(&image).context("the guest")?.len() as f64 / 1e6;
    let note = format!("a component of {size:.1} MB with the official S3 SDK, on all cores");
    bench.noted("stage: compile, nothing cached", Unit::Seconds, vec![took], &note)
}

/// A new runner that finds the code of a guest with the official SDK on disk.
fn load(turn: &mut Turn, inputs: &Inputs, definition: &str, cold: bool) -> Result<()> {
    let host = Host::new(settings(), inputs)?;
    let stages = Stages::keep();
    let read = bytes_read()?;
    let began = Instant::now();
    let definition = TaskDefinition::parse(definition, Path::new(".")).context("the definition")?;
    let parsed = Instant::now();
    let task = host.runtime.block_on(host.runner.prepare(&definition)).context("the task")?;
    let ready = Instant::now();
    let marks = stages.take();
    drop(task);
    let read = bytes_read()? - read;
    ensure!(
        cold == (read > 1 << 20),
        "the system does not forget, or keep, files when it is asked to: {read} bytes came from the disk"
    );
    let how = if cold { "page cache cold" } else { "page cache warm" };
    let (fetched, deserialised) = (mark(&marks, Stage::CodeFetched)?, mark(&marks, Stage::Deserialised)?);
    if !cold {
        turn.add("stage: parse the definition", Unit::Seconds, (parsed - began).as_secs_f64());
    }
    turn.add(&format!("stage: fetch code from the cache, {how}"), Unit::Seconds, (fetched - parsed).as_secs_f64());
    turn.add(&format!("stage: deserialise, {how}"), Unit::Seconds, (deserialised - fetched).as_secs_f64());
    let linked = mark(&marks, Stage::Linked)?;
    turn.add(&format!("stage: link, {how}"), Unit::Seconds, (linked - deserialised).as_secs_f64());
    turn.add(&format!("stage: hand over what is prepared, {how}"), Unit::Seconds, (ready - linked).as_secs_f64());
    Ok(())
}

/// Bytes that this process has had from a disk so far.
fn bytes_read() -> Result<u64> {
    let io = std::fs::read_to_string("/proc/self/io").context("/proc/self/io")?;
    let read = io.lines().find_map(|line| line.strip_prefix("read_bytes: ")).context("/proc/self/io")?;
    read.parse().with_context(|| format!("{read:?} is no number"))
}

/// Asks the system to forget the files of a folder, which are on disk: the next one to read them waits for the disk.
fn evict(folder: &Path) -> Result<()> {
    for entry in std::fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let path = entry?.path();
        if path.is_file() {
            let file = File::open(&path).with_context(|| path.display().to_string())?;
            fadvise(&file, 0, None, Advice::DontNeed).context("fadvise")?;
        }
    }
    Ok(())
}

fn whole(bench: &mut Bench, inputs: &Inputs) -> Result<()> {
    let host = Host::new(settings(), inputs)?;
    let (noop, exit_ok) = (inputs.small("noop"), Path::new(rolebox_guest_artifacts::EXIT_OK));
    let own_session = |document: &mut serde_json::Value| document["rolebox"]["roleSession"] = "per-task".into();
    let no_role = |document: &mut serde_json::Value| {
        document["rolebox"] = serde_json::json!({});
        document.as_object_mut().map(|document| document.remove("taskRoleArn"));
    };
    let tasks = [
        ("task, a session shared with others", host.prepare(&noop, &[])?),
        ("task, a session of its own", host.prepare_with(&noop, &[], own_session)?),
        ("task without a role", host.prepare_with(&noop, &[], no_role)?),
        ("task, `fn main() {}` in Rust", host.prepare(exit_ok, &[])?),
        ("task, `fn main() {}` in Rust with the S3 SDK", host.prepare(&inputs.guest("start"), &[])?),
    ];
    let alone = tokio::runtime::Builder::new_current_thread().build().context("a runtime")?;
    let pooled = Alone::new(&noop, &config(pool()))?;
    let on_demand = Alone::new(&noop, &config(InstanceAllocationStrategy::OnDemand))?;
    let rust = Alone::new(exit_ok, &config(pool()))?;
    let mut cases: Vec<Case<'_>> = tasks.iter().map(|(name, task)| task_case(&host, name, task)).collect();
    for (name, command) in [
        ("wasmtime alone in the process, pooling", &pooled),
        ("wasmtime alone in the process, on demand", &on_demand),
        ("wasmtime alone in the process, pooling, `fn main() {}` in Rust", &rust),
    ] {
        cases.push(alone_case(&alone, name, command));
    }
    let thread = "native thread, spawned and joined";
    cases.push(Case::new(thread, Unit::Seconds, move |turn| {
        for _ in 0..MANY {
            let began = Instant::now();
            std::thread::spawn(|| ()).join().ok().context("a thread")?;
            turn.add(thread, Unit::Seconds, began.elapsed().as_secs_f64());
        }
        Ok(())
    }));
    bench.interleave(1.2, cases)?;
    for (name, _) in tasks.iter().filter(|(_, task)| task.definition().task_role().is_some()) {
        bench.note(name, NO_NETWORK)?;
    }
    let (of, to) = ("task, a session shared with others", "wasmtime alone in the process, pooling");
    bench.ratio("task to wasmtime alone", of, to)
}

/// Launches of a task on a thread of the runtime, one after the other.
fn task_case<'a>(host: &'a Host, name: &'a str, task: &'a PreparedTask) -> Case<'a> {
    Case::new(name, Unit::Seconds, move |turn| {
        let task = task.clone();
        let launches = host.runtime.spawn(async move {
            let mut taken = Vec::new();
            for _ in 0..MANY {
                let began = Instant::now();
                run_to_end(&task).await?;
                taken.push(began.elapsed());
            }
            Ok::<_, anyhow::Error>(taken)
        });
        let taken = host.runtime.block_on(launches).context("the launches")??;
        taken.iter().for_each(|taken| turn.add(name, Unit::Seconds, taken.as_secs_f64()));
        Ok(())
    })
}

/// Launches of a command with wasmtime alone, on one thread.
fn alone_case<'a>(runtime: &'a Runtime, name: &'a str, command: &'a Alone) -> Case<'a> {
    Case::new(name, Unit::Seconds, move |turn| {
        runtime.block_on(async {
            for _ in 0..MANY {
                let began = Instant::now();
                let run = command.run(WasiCtxBuilder::new(), |store| {
                    store.set_epoch_deadline(1_000_000);
                    Ok(())
                });
                run.await?;
                turn.add(name, Unit::Seconds, began.elapsed().as_secs_f64());
            }
            Ok(())
        })
    })
}

/// An engine that interrupts by epochs, as the runner's does.
fn config(allocation: InstanceAllocationStrategy) -> Config {
    let mut config = Config::new();
    config.allocation_strategy(allocation).epoch_interruption(true);
    config
}

fn pool() -> InstanceAllocationStrategy {
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(64).total_core_instances(64).total_memories(64).total_tables(64).total_stacks(64);
    InstanceAllocationStrategy::Pooling(pool)
}
