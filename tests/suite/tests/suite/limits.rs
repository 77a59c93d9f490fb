//! Limits hold, and each ending has its ECS meaning.

use std::io;
use std::path::Path;
use std::sync::mpsc;

use rolebox::output::{OutputName, OutputWriter, TaskOutput};
use rolebox_guest_artifacts as artifacts;
use rolebox_suite::{Host, Outcome, parse, sleeping_module, task, with_key};
use serde_json::json;

const KILLED: i32 = 137;

async fn run_with_timeout(image: &str, arguments: &[&str], timeout: &str) -> Outcome {
    let host = Host::start().await;
    host.run(&with_key(task(Path::new(image), arguments), "timeout", json!(timeout))).await
}

#[tokio::test]
pub(crate) async fn loop_forever() {
    let outcome = run_with_timeout(artifacts::LOOP_FOREVER, &[], "200ms").await;
    assert_eq!(outcome.stopped.exit_code(), KILLED);
    assert_eq!(outcome.stopped.stopped_reason, "TimeoutError: it ran longer than its `timeout` of 200 ms");
}

#[tokio::test]
pub(crate) async fn allocate() {
    let host = Host::start().await;
    let outcome = host.run(&task(Path::new(artifacts::ALLOCATE), &["32"])).await;
    assert_eq!((outcome.stopped.exit_code(), outcome.stdout.as_str()), (0, "allocated 32 MiB\n"), "{outcome:?}");
    assert!(outcome.stopped.containers[0].peak_memory > 32 << 20);

    let outcome = host.run(&task(Path::new(artifacts::ALLOCATE), &[])).await;
    assert_eq!(outcome.stopped.exit_code(), KILLED);
    assert_eq!(
        outcome.stopped.stopped_reason,
        "OutOfMemoryError: the container needed more than its `memory` of 64 MiB"
    );
    assert!(outcome.stopped.containers[0].peak_memory <= 64 << 20);
}

#[tokio::test]
pub(crate) async fn recurse() {
    let host = Host::start().await;
    let outcome = host.run(&task(Path::new(artifacts::RECURSE), &[])).await;
    assert_eq!(outcome.stopped.exit_code(), 134, "the guest's own stack in its memory is full: {outcome:?}");

    // Recursion that needs no stack in memory ends at the host's bound for it.
    let module = r#"(module (memory (export "memory") 1) (func $down (export "_start") (call $down)))"#;
    let folder = tempfile::tempdir().unwrap();
    let image = rolebox_suite::image_file(folder.path(), "down.wasm", &wat::parse_str(module).unwrap());
    let outcome = host.run(&task(&image, &[])).await;
    assert_eq!(outcome.stopped.exit_code(), 134);
    assert!(outcome.stopped.stopped_reason.contains("call stack exhausted"), "{outcome:?}");
}

#[tokio::test]
pub(crate) async fn print_forever() {
    let host = Host::start().await;
    for stream in ["", "stderr"] {
        let arguments: &[&str] = if stream.is_empty() { &[] } else { &[stream] };
        let limits = json!({"outputBytes": 100_000});
        let outcome = host.run(&with_key(task(Path::new(artifacts::PRINT_FOREVER), arguments), "limits", limits)).await;
        assert_eq!(outcome.stopped.exit_code(), KILLED);
        assert!(outcome.stopped.stopped_reason.starts_with("OutputLimitError: "), "{outcome:?}");
        assert_eq!(outcome.stdout.len() + outcome.stderr.len(), 100_000, "what was allowed is kept, to the byte");
    }
}

/// A writer that is stuck until the test lets go, as a pipe is that nobody reads.
struct Stuck(mpsc::Receiver<()>);

impl OutputWriter for Stuck {
    fn write(&mut self, _: OutputName, _: &[u8]) -> io::Result<()> {
        let _ = self.0.recv();
        Ok(())
    }
}

#[tokio::test]
async fn output_that_nobody_reads_stops_the_guest_and_nobody_else() {
    let host = Host::with(|settings| settings.with_output_grace(std::time::Duration::from_millis(50))).await;
    let (release, stuck) = mpsc::channel();
    let definition = parse(&with_key(task(Path::new(artifacts::PRINT_FOREVER), &[]), "timeout", json!("300ms")));
    let printing = host.runner.prepare(&definition).await.unwrap();
    let mut printing = printing.start(TaskOutput::Writer(Box::new(Stuck(stuck))));
    let beside = host.run(&task(Path::new(artifacts::PRINT), &["heard"])).await;
    assert_eq!((beside.stopped.exit_code(), beside.stdout.as_str()), (0, "heard"));
    let stopped = printing.wait().await;
    assert_eq!(stopped.exit_code(), KILLED);
    assert!(stopped.stopped_reason.starts_with("TimeoutError"), "{stopped:?}");
    assert!(!stopped.output_complete);
    drop(release);
}

/// A writer whose reader has gone away.
struct Gone;

impl OutputWriter for Gone {
    fn write(&mut self, _: OutputName, _: &[u8]) -> io::Result<()> {
        Err(io::ErrorKind::BrokenPipe.into())
    }
}

#[tokio::test]
async fn a_reader_that_leaves_is_a_closed_stream() {
    let host = Host::start().await;
    let prepared = host.runner.prepare(&parse(&task(Path::new(artifacts::PRINT_FOREVER), &[]))).await.unwrap();
    let stopped = prepared.start(TaskOutput::Writer(Box::new(Gone))).wait().await;
    assert_ne!(stopped.exit_code(), 0);
    assert_eq!(stopped.stop_code.to_string(), "EssentialContainerExited");
}

#[tokio::test]
async fn a_task_is_stopped_on_request_with_the_first_reason() {
    let host = Host::start().await;
    let prepared = host.runner.prepare(&parse(&task(Path::new(artifacts::LOOP_FOREVER), &[]))).await.unwrap();
    let mut running = prepared.start(TaskOutput::Discard);
    assert_eq!(running.id().len(), 32);
    running.stop("deployment of revision 2");
    running.stop("a later reason");
    let stopped = running.wait().await;
    assert_eq!(stopped.exit_code(), KILLED);
    assert_eq!(
        (stopped.stop_code.to_string().as_str(), stopped.stopped_reason.as_str()),
        ("UserInitiated", "deployment of revision 2")
    );
}

#[tokio::test]
async fn a_host_call_that_waits_does_not_outlast_the_timeout() {
    let host = Host::start().await;
    let module = sleeping_module(3_600_000_000_000, "");
    let folder = tempfile::tempdir().unwrap();
    let image = rolebox_suite::image_file(folder.path(), "sleep.wasm", &wat::parse_str(module).unwrap());
    let outcome = host.run(&with_key(task(&image, &[]), "timeout", json!("200ms"))).await;
    assert!(outcome.stopped.stopped_reason.starts_with("TimeoutError"), "{outcome:?}");
}

#[tokio::test]
async fn containers_start_in_the_order_of_their_dependencies_and_end_with_an_essential_one() {
    let host = Host::start().await;
    let container = |name: &str, image: &str, arguments: &[&str], essential: bool| json!({"name": name, "image": image, "memory": 32, "command": arguments, "essential": essential});
    let mut last = container("last", artifacts::PRINT, &["last"], true);
    last["dependsOn"] = json!([{"containerName": "first", "condition": "SUCCESS"}]);
    let beside = container("beside", artifacts::LOOP_FOREVER, &[], false);
    let first = container("first", artifacts::PRINT, &["first "], false);
    let mut definition = json!({"family": "several", "containerDefinitions": [last, beside, first], "rolebox": {}});
    let outcome = host.run(&definition).await;
    assert_eq!((outcome.stopped.exit_code(), outcome.stdout.as_str()), (0, "first last"), "{outcome:?}");
    let codes: Vec<_> = outcome.stopped.containers.iter().map(|container| container.exit_code).collect();
    assert_eq!(codes, [Some(0), Some(KILLED), Some(0)]);

    definition["containerDefinitions"][2] = container("first", artifacts::TRAP, &[], false);
    let outcome = host.run(&definition).await;
    assert_eq!(outcome.stopped.stop_code.to_string(), "TaskFailedToStart");
    assert!(outcome.stopped.stopped_reason.contains("first"), "{outcome:?}");
    assert_eq!(outcome.stopped.containers[0].exit_code, None, "it never ran");
    assert_eq!(outcome.stdout, "");
}
