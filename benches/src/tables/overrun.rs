//! T10: by how much a task outlives its limits.
//!
//! Each task has 50 ms, of time or of processor time, and is ended by that. For `timeout` what is measured passes
//! between the limit and the moment when nothing of the task is left; for `cpuTime` it is what the task computed beyond
//! it, as the runner counts it. Alone, and beside eight tasks that spin.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use rolebox::PreparedTask;
use rolebox::output::TaskOutput;
use rolebox_bench_report::rows::Unit;
use serde_json::{Value, json};

use crate::bench::{Bench, Case};
use crate::hosts::{Host, settings};

const LIMIT: Duration = Duration::from_millis(50);

/// Tasks that spin beside the measured one.
const SPINNING: usize = 8;

fn timeout(document: &mut Value) {
    document["rolebox"]["timeout"] = json!("50ms");
}

fn cpu_time(document: &mut Value) {
    document["rolebox"]["limits"] = json!({"cpuTime": "50ms"});
}

pub(crate) fn measure(bench: &mut Bench) -> Result<()> {
    let inputs = bench.inputs.clone();
    let host = Host::new(settings(), &inputs)?;
    let [spin, idle, fill] = ["spin", "idle", "fill"].map(|name| inputs.small(name));
    let never = host.prepare(&spin, &[])?;
    let kinds = [
        ("a guest that never yields, `timeout`", host.prepare_with(&spin, &[], timeout)?, false),
        ("a guest that never yields, `cpuTime`, computed past it", host.prepare_with(&spin, &[], cpu_time)?, true),
        ("a guest that waits in a host call, `timeout`", host.prepare_with(&idle, &[], timeout)?, false),
        ("a guest that fills 64 MB at a time, `timeout`", host.prepare_with(&fill, &[], timeout)?, false),
    ];
    for (beside, place) in [(0, "alone"), (SPINNING, "beside eight that spin")] {
        let _entered = host.runtime.enter();
        let spinning: Vec<_> = (0..beside).map(|_| never.start(TaskOutput::Discard)).collect();
        let mut cases = Vec::new();
        for (name, task, by_cpu) in &kinds {
            let (name, host) = (format!("{name}, {place}"), &host);
            let row = name.clone();
            cases.push(Case::new(name, Unit::Seconds, move |turn| {
                turn.add(&row, Unit::Seconds, host.runtime.block_on(overrun(task, *by_cpu))?.as_secs_f64());
                Ok(())
            }));
        }
        bench.interleave(4.5, cases)?;
        drop(spinning);
    }
    Ok(())
}

async fn overrun(task: &PreparedTask, by_cpu: bool) -> Result<Duration> {
    let began = Instant::now();
    let stopped = task.start(TaskOutput::Discard).wait().await;
    ensure!(stopped.exit_code() == 137, "{}", stopped.stopped_reason);
    let spent = if by_cpu { stopped.cpu_time } else { began.elapsed() };
    Ok(spent.saturating_sub(LIMIT))
}
