//! By how much a task outlives its limits: `cargo bench --bench overrun`.
//!
//! Each task has 50 ms, of time or of processor time, and is ended by that. Measured is what passes between the limit and
//! the moment when nothing of the task is left, alone and beside eight tasks that spin.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rolebox::output::TaskOutput;
use rolebox::{PreparedTask, Runner};
use rolebox_benches::{IDLE, Samples, definition, image, runner, settings};
use serde_json::{Value, json};

const LIMIT: Duration = Duration::from_millis(50);
const TURNS: usize = 100;

const SPIN: &str = r#"(component
    (core module $m (func (export "run") (result i32) (loop $again (br $again)) (i32.const 0)))
    (core instance $i (instantiate $m))
    (func $run (result (result)) (canon lift (core func $i "run")))
    (instance $exports (export "run" (func $run)))
    (export "wasi:cli/run@0.2.6" (instance $exports)))"#;

/// Fills and copies its whole memory, which no epoch interrupts in the middle.
const FILL: &str = r#"(component
    (core module $m
        (memory 1000)
        (func (export "run") (result i32)
            (loop $again (memory.fill (i32.const 0) (i32.const 1) (i32.const 65536000)) (br $again)) (i32.const 0)))
    (core instance $i (instantiate $m))
    (func $run (result (result)) (canon lift (core func $i "run")))
    (instance $exports (export "run" (func $run)))
    (export "wasi:cli/run@0.2.6" (instance $exports)))"#;

type Change = fn(&mut Value);

fn timeout(document: &mut Value) {
    document["rolebox"]["timeout"] = json!("50ms");
}

fn cpu_time(document: &mut Value) {
    document["rolebox"]["limits"] = json!({"cpuTime": "50ms"});
}

async fn prepare(runner: &Runner, image: &Path, change: Change) -> PreparedTask {
    runner.prepare(&definition(image, change)).await.expect("the task is prepared")
}

async fn overrun(task: &PreparedTask, by_cpu: bool) -> Duration {
    let began = Instant::now();
    let stopped = task.start(TaskOutput::Discard).wait().await;
    assert_eq!(stopped.exit_code(), 137, "{stopped:?}");
    let spent = if by_cpu { stopped.cpu_time } else { began.elapsed() };
    spent.saturating_sub(LIMIT)
}

fn main() {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name, text| image(folder.path(), name, text);
    let (spin, idle, fill) = (write("spin.wasm", SPIN), write("idle.wasm", IDLE), write("fill.wasm", FILL));
    let kinds: [(&str, &PathBuf, Change, bool); 4] = [
        ("a guest that never yields, `timeout`", &spin, timeout, false),
        ("a guest that never yields, `cpuTime`", &spin, cpu_time, true),
        ("a guest that waits in a host call, `timeout`", &idle, timeout, false),
        ("a guest that fills 64 MB at a time, `timeout`", &fill, timeout, false),
    ];
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let runner = runner(settings());
    runtime.block_on(async {
        for beside in [0, 8] {
            let spinning = prepare(&runner, &spin, |_| ()).await;
            let spinning: Vec<_> = (0..beside).map(|_| spinning.start(TaskOutput::Discard)).collect();
            println!("\nbeside {beside} tasks that spin: how far past 50 ms a task ends");
            for (name, image, change, by_cpu) in &kinds {
                let task = prepare(&runner, image, *change).await;
                let mut samples = Samples::default();
                for _ in 0..TURNS {
                    samples.add(overrun(&task, *by_cpu).await, 1);
                }
                println!("  {name:<46} {samples}, p99 {:?}", samples.percentile(99));
            }
            drop(spinning);
        }
    });
}
