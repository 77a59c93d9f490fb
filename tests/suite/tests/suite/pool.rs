//! Many tasks at once: the pool's places, and what tasks of one definition share.

use std::path::{Path, PathBuf};

use rolebox::output::TaskOutput;
use rolebox::task::StopCode;
use rolebox_guest_artifacts as artifacts;
use rolebox_suite::{Host, all_of_s3, image_file, parse, sleeping_module, task, with_key, with_role};
use serde_json::{Value, json};

/// A core module that waits for as long as it is let, with one memory and this many tables.
fn waits(folder: &Path, tables: usize) -> PathBuf {
    let module = sleeping_module(3_600_000_000_000, &"(table 1 funcref)".repeat(tables));
    image_file(folder, &format!("waits-{tables}.wasm"), &wat::parse_str(module).unwrap())
}

async fn start(host: &Host, definition: &Value) -> rolebox::RunningTask {
    host.runner.prepare(&parse(definition)).await.unwrap().start(TaskOutput::Discard)
}

#[tokio::test]
async fn a_full_pool_refuses_the_next_task_and_takes_it_when_one_has_ended() {
    let (host, folder) = (Host::with(|settings| settings.with_max_instances(3)).await, tempfile::tempdir().unwrap());
    let definition = task(&waits(folder.path(), 0), &[]);
    let mut running =
        vec![start(&host, &definition).await, start(&host, &definition).await, start(&host, &definition).await];
    let refused = start(&host, &definition).await.wait().await;
    assert_eq!((refused.stop_code, refused.exit_code()), (StopCode::TaskFailedToStart, 125));
    assert_eq!(
        refused.stopped_reason,
        "RESOURCE:INSTANCES: the task needs 1 more instances than the host has free of its 3; wait until other tasks have \
         ended, or raise `max_instances`"
    );
    assert!(refused.containers.is_empty(), "nothing of it began");
    let mut first = running.remove(0);
    first.stop("makes room");
    first.wait().await;
    let outcome = host.run(&task(Path::new(artifacts::PRINT), &["there is room"])).await;
    assert_eq!((outcome.stopped.exit_code(), outcome.stdout.as_str()), (0, "there is room"));
}

#[tokio::test]
async fn what_one_image_needs_is_taken_from_the_pool_whole() {
    let (host, folder) = (Host::with(|settings| settings.with_max_instances(2)).await, tempfile::tempdir().unwrap());
    // Two instances have eight tables between them: with four and three taken, another four are too many.
    let _first = start(&host, &task(&waits(folder.path(), 4), &[])).await;
    let refused = {
        let _second = start(&host, &task(&waits(folder.path(), 3), &[])).await;
        start(&host, &task(&waits(folder.path(), 0), &[])).await.wait().await
    };
    assert!(refused.stopped_reason.starts_with("RESOURCE:INSTANCES: "), "{refused:?}");
    // A task of two containers takes its places together or not at all.
    let mut two = task(&waits(folder.path(), 0), &[]);
    let second = two["containerDefinitions"][0].clone();
    two["containerDefinitions"].as_array_mut().unwrap().push(second);
    two["containerDefinitions"][1]["name"] = json!("second");
    let refused = start(&host, &two).await.wait().await;
    assert!(refused.stopped_reason.contains("needs 1 more instances"), "{refused:?}");
}

#[tokio::test]
async fn a_thousand_tasks_of_one_definition_share_one_session_and_all_end() {
    let host = Host::with(|settings| {
        settings.with_bounds(rolebox_suite::bounds().allow_shared_sessions()).with_max_instances(1_000)
    })
    .await;
    let definition = with_role(task(Path::new(artifacts::EXIT_OK), &[]), "full", &all_of_s3());
    let definition = with_key(definition, "roleSession", json!("per-definition"));
    let prepared = host.prepare(&definition).await.unwrap();
    let running: Vec<_> = (0..1_000).map(|_| prepared.start(TaskOutput::Discard)).collect();
    for mut task in running {
        let stopped = task.wait().await;
        assert_eq!(stopped.exit_code(), 0, "{stopped:?}");
    }
    let assumed =
        host.aws.aws().requests().iter().filter(|request| request.operation.as_deref() == Some("AssumeRole")).count();
    assert_eq!(assumed, 1);
}
