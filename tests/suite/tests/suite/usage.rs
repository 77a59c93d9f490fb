//! What a task spent is in its outcome, under the names that `--output json` gives it.

use std::path::Path;

use rolebox_guest_artifacts as artifacts;
use rolebox_suite::{Host, all_of_s3, task, with_role};
use serde_json::json;

#[tokio::test]
async fn calls_and_bytes_memory_and_time_are_in_the_outcome() {
    let host = Host::start().await;
    let definition = with_role(task(Path::new(artifacts::S3_SAMPLE), &[]), "full", &all_of_s3());
    let stopped = host.run(&definition).await.stopped;
    assert_eq!(stopped.exit_code(), 0, "{stopped:?}");
    let body = b"Hello World!".len() as u64;
    assert_eq!((stopped.call_count, stopped.bytes_sent), (2, body), "CreateBucket and PutObject");
    assert!(stopped.cpu_time.as_nanos() > 0 && stopped.peak_memory > 1 << 20, "{stopped:?}");

    let outcome = serde_json::to_value(&stopped).unwrap();
    assert_eq!(outcome["callCount"], json!(2));
    assert_eq!(outcome["bytesSent"], json!(body));
    assert_eq!(outcome["bytesReceived"], json!(stopped.bytes_received));
    assert_eq!(outcome["peakMemory"], outcome["containers"][0]["peakMemory"], "there is one container");
    assert_eq!(outcome["cpuTime"], outcome["containers"][0]["cpuTime"]);
    assert_eq!(outcome["cpuTime"].as_f64().unwrap(), stopped.cpu_time.as_secs_f64());
}

#[tokio::test]
async fn a_denied_call_is_no_call_and_sends_nothing() {
    let host = Host::start().await;
    let definition = with_role(task(Path::new(artifacts::S3_SAMPLE), &[]), "full", &json!([]));
    let stopped = host.run(&definition).await.stopped;
    assert_ne!(stopped.exit_code(), 0);
    assert_eq!((stopped.call_count, stopped.bytes_sent, stopped.bytes_received), (0, 0, 0), "{stopped:?}");
}
