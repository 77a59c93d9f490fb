//! T2: how long each launch takes where 1, 4, 16 and 64 begin at the same moment.
//!
//! Each sample is one launch, from the common beginning to its own end: what the last of a crowd waits for counts. For
//! containers that includes what their launcher prepares, for tasks AssumeRole is answered in the process.

use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, Result};
use rolebox::PreparedTask;
use rolebox_bench_report::rows::Unit;

use crate::bench::{Bench, Case, Turn};
use crate::hosts::{Host, run_to_end, settings};

/// How many begin at once.
pub(super) const CROWDS: [usize; 4] = [1, 4, 16, 64];

pub(crate) fn measure(bench: &mut Bench) -> Result<()> {
    let inputs = bench.inputs.clone();
    let host = Host::new(settings(), &inputs)?;
    let runtime = &host.runtime;
    let own_session = |document: &mut serde_json::Value| document["rolebox"]["roleSession"] = "per-task".into();
    let small = Arc::new(host.prepare_with(&inputs.small("noop"), &[], own_session)?);
    let large = Arc::new(host.prepare_with(&inputs.guest("start"), &[], own_session)?);
    let program = inputs.programs().noop;
    let mut cases = Vec::new();
    for crowd in CROWDS {
        for (what, task) in [("no-op task", &small), ("task in Rust with the S3 SDK", &large)] {
            let name = format!("{what}, {crowd} at once");
            let row = name.clone();
            cases.push(Case::new(name, Unit::Seconds, move |turn| {
                // As many launches for each size of crowd, so that none has more samples by being larger.
                for _ in 0..64 / crowd {
                    tasks_at_once(runtime, task, crowd, &row, turn)?;
                }
                Ok(())
            }));
        }
        let (name, program) = (format!("process by fork and exec, {crowd} at once"), &program);
        let row = name.clone();
        cases.push(Case::new(name, Unit::Seconds, move |turn| {
            for _ in 0..16_usize.div_ceil(crowd) {
                at_once(crowd, &row, turn, || {
                    let status = std::process::Command::new(program).status().context("a process")?;
                    anyhow::ensure!(status.success(), "{status}");
                    Ok(())
                })?;
            }
            Ok(())
        }));
    }
    bench.interleave(5.0, cases)?;
    super::baselines::crowds(bench)
}

fn tasks_at_once(
    runtime: &tokio::runtime::Runtime,
    task: &Arc<PreparedTask>,
    crowd: usize,
    row: &str,
    turn: &mut Turn,
) -> Result<()> {
    let task = Arc::clone(task);
    let all = runtime.spawn(async move {
        let began = Instant::now();
        let mut launched = tokio::task::JoinSet::new();
        for _ in 0..crowd {
            let task = Arc::clone(&task);
            launched.spawn(async move { run_to_end(&task).await.map(|()| began.elapsed()) });
        }
        launched.join_all().await.into_iter().collect::<Result<Vec<_>>>()
    });
    for took in runtime.block_on(all).context("the launches")?? {
        turn.add(row, Unit::Seconds, took.as_secs_f64());
    }
    Ok(())
}

/// Does `work` on so many threads at once.
pub(super) fn at_once(
    crowd: usize,
    row: &str,
    turn: &mut Turn,
    work: impl Fn() -> Result<()> + Send + Sync,
) -> Result<()> {
    let (barrier, began) = (std::sync::Barrier::new(crowd), std::sync::OnceLock::new());
    let all: Result<Vec<_>> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..crowd)
            .map(|_| {
                scope.spawn(|| {
                    barrier.wait();
                    // The first one's beginning is everybody's: who waits for a core waits.
                    let began = *began.get_or_init(Instant::now);
                    work().map(|()| began.elapsed())
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().ok().context("a thread")?).collect()
    });
    for took in all? {
        turn.add(row, Unit::Seconds, took.as_secs_f64());
    }
    Ok(())
}
