//! `cpu` is a share, `rolebox.cpuLimit` a cap and `rolebox.limits.cpuTime` a limit, on real threads.
//!
//! Only proportions are asserted: how fast this machine is, and what else runs on it, is the same for all tasks of a test.

use std::path::{Path, PathBuf};

use rolebox::output::TaskOutput;
use rolebox::{RunningTask, StoppedTask};
use rolebox_guest_artifacts as artifacts;
use rolebox_suite::{Host, image_file, parse, sleeping_module, task, with_key};
use serde_json::{Value, json};

/// A guest that never calls the host.
fn spinner(folder: &Path) -> PathBuf {
    let module = r#"(module (memory (export "memory") 1) (func (export "_start") (loop $again (br $again))))"#;
    image_file(folder, "spin.wasm", &wat::parse_str(module).unwrap())
}

/// A task of this `cpu`.
fn weighing(image: &Path, cpu: u32) -> Value {
    let mut task = task(image, &[]);
    task["containerDefinitions"][0]["cpu"] = json!(cpu);
    task
}

async fn start(host: &Host, definition: &Value) -> RunningTask {
    host.runner.prepare(&parse(definition)).await.unwrap().start(TaskOutput::Discard)
}

async fn wait_for_all(tasks: Vec<RunningTask>) -> Vec<StoppedTask> {
    let mut stopped = Vec::new();
    for mut task in tasks {
        stopped.push(task.wait().await);
    }
    stopped
}

#[tokio::test]
async fn tasks_that_spin_share_the_processor_by_their_cpu() {
    let (host, folder) = (Host::with(|settings| settings.with_guest_threads(2)).await, tempfile::tempdir().unwrap());
    let image = spinner(folder.path());
    let weights = [1024, 256, 1024, 256, 1024, 256, 1024, 256, 10];
    let mut running = Vec::new();
    for cpu in weights {
        running.push(start(&host, &with_key(weighing(&image, cpu), "timeout", json!("10s"))).await);
    }
    let stopped = wait_for_all(running).await;
    let computed = |weight: u32| {
        let tasks = stopped.iter().zip(weights).filter(move |(_, cpu)| *cpu == weight);
        tasks.map(|(task, _)| task.cpu_time.as_secs_f64()).collect::<Vec<_>>()
    };
    let unit: f64 =
        stopped.iter().map(|task| task.cpu_time.as_secs_f64()).sum::<f64>() / f64::from(weights.iter().sum::<u32>());
    for weight in [1024, 256] {
        for computed in computed(weight) {
            let share = computed / (unit * f64::from(weight));
            assert!((0.9..=1.1).contains(&share), "a task of {weight} computed {share} of its share: {stopped:?}");
        }
    }
    // Its share is a few turns in all: less than a turn of it may be missing or too much.
    assert!(computed(10)[0] > unit * 10.0 / 3.0, "a task of 10 was starved: {stopped:?}");
}

#[tokio::test]
async fn a_capped_task_leaves_the_rest_to_others_and_computes_no_more_alone() {
    let (host, folder) = (Host::with(|settings| settings.with_guest_threads(1)).await, tempfile::tempdir().unwrap());
    let image = spinner(folder.path());
    let timeout = |definition| with_key(definition, "timeout", json!("3s"));
    let capped = with_key(timeout(weighing(&image, 1024)), "cpuLimit", json!(128));
    let running = vec![start(&host, &capped).await, start(&host, &timeout(weighing(&image, 1024))).await];
    let stopped = wait_for_all(running).await;
    let [capped, other] = [&stopped[0], &stopped[1]].map(|task| task.cpu_time.as_secs_f64());
    // An eighth of the time that passed, whatever of it this machine gave to us, and a turn or two on credit.
    assert!(capped < 3.0 / 8.0 + 0.05, "{stopped:?}");
    assert!(other > capped, "{stopped:?}");
}

#[tokio::test]
async fn a_task_that_computes_past_its_limit_ends_and_says_so() {
    let (host, folder) = (Host::start().await, tempfile::tempdir().unwrap());
    let definition = with_key(task(&spinner(folder.path()), &[]), "limits", json!({"cpuTime": "100ms"}));
    let stopped = host.run(&definition).await.stopped;
    assert_eq!(stopped.exit_code(), 137);
    assert_eq!(stopped.stopped_reason, "CpuTimeError: more was computed than `rolebox.limits.cpuTime`, 100 ms");
    assert!(stopped.cpu_time.as_millis() >= 100, "{stopped:?}");
    let containers: Vec<_> = stopped.containers.iter().map(|container| container.cpu_time).collect();
    assert_eq!(containers.iter().sum::<std::time::Duration>(), stopped.cpu_time);
}

#[tokio::test]
async fn waiting_is_not_computing() {
    let (host, folder) = (Host::start().await, tempfile::tempdir().unwrap());
    let module = sleeping_module(300_000_000, "");
    let image = image_file(folder.path(), "sleep.wasm", &wat::parse_str(module).unwrap());
    let stopped = host.run(&with_key(task(&image, &[]), "limits", json!({"cpuTime": "250ms"}))).await.stopped;
    assert_eq!(stopped.exit_code(), 0, "{stopped:?}");
}

#[tokio::test]
async fn guests_that_never_yield_do_not_hold_up_a_task_that_calls_aws() {
    let (host, folder) = (Host::with(|settings| settings.with_guest_threads(1)).await, tempfile::tempdir().unwrap());
    let image = spinner(folder.path());
    let mut spinning = Vec::new();
    for _ in 0..8 {
        spinning.push(start(&host, &weighing(&image, 262_144)).await);
    }
    // Were it starved, it would wait for its own timeout.
    let calls = with_key(task(Path::new(artifacts::PRINT), &["heard"]), "timeout", json!("60s"));
    let outcome = host.run(&calls).await;
    assert_eq!((outcome.stopped.exit_code(), outcome.stdout.as_str()), (0, "heard"), "{outcome:?}");
    for task in &spinning {
        task.stop("enough");
    }
    for stopped in wait_for_all(spinning).await {
        assert_eq!(stopped.stopped_reason, "enough");
        assert!(stopped.peak_memory >= 65_536, "what a stopped task used is still known: {stopped:?}");
    }
}
