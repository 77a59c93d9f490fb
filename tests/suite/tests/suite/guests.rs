//! One test for each guest, named after it: a guest without one does not compile into the suite.

use rolebox_guest_artifacts as artifacts;
use rolebox_suite::{Host, all_of_s3, bounds, task, with_role};
use serde_json::{Value, json};

// Guests whose tests lie with what they are about.
use crate::egress::raw_call;
use crate::files::files;
use crate::hostile::http_call;
use crate::limits::{allocate, loop_forever, print_forever, recurse};
use crate::sdk::{dynamodb_state, s3_sample_sdk, sdk_operations, secrets, two_roles};
use crate::secrets::hold_memory;
use crate::serving::{http_handler, http_presence};
use crate::streaming::stream;

artifacts::assert_every_guest_is_tested!();

fn image(path: &str) -> &std::path::Path {
    std::path::Path::new(path)
}

#[tokio::test]
async fn s3_sample() {
    let host = Host::start().await;
    let capabilities = json!([
        {"action": ["s3:CreateBucket"], "resource": ["arn:aws:s3:::node-sdk-sample-*"]},
        {"action": ["s3:PutObject"], "resource": ["arn:aws:s3:::node-sdk-sample-*/*"]}
    ]);
    let outcome = host.run(&with_role(task(image(artifacts::S3_SAMPLE), &[]), "full", &capabilities)).await;
    assert_eq!(outcome.stopped.exit_code(), 0, "{outcome:?}");
    let bucket = host.aws.aws().buckets().pop().expect("the bucket").name;
    let uuid = bucket.strip_prefix("node-sdk-sample-").expect("the sample's name");
    assert!(uuid.len() == 36 && uuid.as_bytes()[14] == b'4', "{uuid} is no UUID of version 4");
    assert_eq!(outcome.stdout, format!("Successfully uploaded data to {bucket}/hello_world.txt\n"));
    assert_eq!(host.aws.aws().object(&bucket, "hello_world.txt").unwrap(), b"Hello World!");
    assert_eq!(host.operations(), ["CreateBucket", "PutObject"]);
}

#[tokio::test]
async fn s3_operations() {
    let host = Host::start().await;
    let outcome =
        host.run(&with_role(task(image(artifacts::S3_OPERATIONS), &["every-operation"]), "full", &all_of_s3())).await;
    assert_eq!(outcome.stopped.exit_code(), 0, "{outcome:?}");
    let mut operations = host.operations();
    operations.sort();
    operations.dedup();
    let expected = [
        "CreateBucket",
        "DeleteBucket",
        "DeleteObject",
        "GetObject",
        "HeadBucket",
        "HeadObject",
        "ListBuckets",
        "ListObjectsV2",
        "PutObject",
    ];
    assert_eq!(operations, expected);
}

#[tokio::test]
async fn exit_ok() {
    let host = Host::start().await;
    let outcome = host.run(&task(image(artifacts::EXIT_OK), &[])).await;
    assert_eq!(outcome.stopped.exit_code(), 0);
    assert_eq!(outcome.stopped.stop_code.to_string(), "EssentialContainerExited");
    assert_eq!(outcome.stopped.stopped_reason, "Essential container in task exited");
    assert_eq!(outcome.stopped.containers[0].exit_code, Some(0));
    assert_eq!(host.request_count(), 0, "a task without a role asks STS for nothing");
}

#[tokio::test]
async fn exit_with() {
    let host = Host::start().await;
    for (code, seen) in [("0", 0), ("1", 1), ("3", 1)] {
        let outcome = host.run(&task(image(artifacts::EXIT_WITH), &[code])).await;
        assert_eq!(outcome.stopped.exit_code(), seen, "WASI 0.2 knows success and failure: {outcome:?}");
    }
}

#[tokio::test]
async fn trap() {
    let host = Host::start().await;
    let outcome = host.run(&task(image(artifacts::TRAP), &[])).await;
    assert_eq!(outcome.stopped.exit_code(), 134);
    assert!(outcome.stopped.stopped_reason.contains("unreachable"), "{outcome:?}");
}

#[tokio::test]
async fn print() {
    let host = Host::start().await;
    let outcome = host.run(&task(image(artifacts::PRINT), &["a\\0b\\xff\\n", "to stderr"])).await;
    assert_eq!((outcome.stdout.as_str(), outcome.stderr.as_str()), ("a\0b\u{fffd}\n", "to stderr"));
    assert!(outcome.stopped.output_complete);
}

#[tokio::test]
async fn print_environment() {
    let host = Host::start().await;
    let mut definition = with_role(task(image(artifacts::PRINT_ENVIRONMENT), &["one", "two"]), "full", &json!([]));
    definition["containerDefinitions"][0]["environment"] = json!([{"name": "OWN", "value": "1"}]);
    let outcome = host.run(&definition).await;
    assert_eq!(
        outcome.stdout,
        "argument print-environment.wasm\nargument one\nargument two\nenvironment OWN=1\n\
         environment AWS_REGION=us-east-1\nenvironment AWS_DEFAULT_REGION=us-east-1\n\
         environment AWS_ACCESS_KEY_ID=rolebox-signs-on-the-host\n\
         environment AWS_SECRET_ACCESS_KEY=rolebox-signs-on-the-host\n"
    );
}

#[tokio::test]
async fn sockets() {
    let host = Host::start().await;
    let address = host.aws.address().to_string();
    let outcome = host.run(&task(image(artifacts::SOCKETS), &[&address, "localhost"])).await;
    assert_eq!(outcome.stopped.exit_code(), 0, "a way onto the network works: {outcome:?}");
    assert_eq!(host.request_count(), 0);
}

#[tokio::test]
async fn time_and_random() {
    let host = Host::start().await;
    let outcome = host.run(&task(image(artifacts::TIME_AND_RANDOM), &[])).await;
    assert_eq!(outcome.stopped.exit_code(), 0, "{outcome:?}");
}

#[tokio::test]
async fn volume() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("in.txt"), "from the host").unwrap();
    std::fs::write(folder.path().parent().unwrap().join("rolebox-suite-outside"), "secret").unwrap();
    std::os::unix::fs::symlink("../rolebox-suite-outside", folder.path().join("leads-out")).unwrap();
    let allowed = folder.path().to_owned();
    let host = Host::with(|settings| settings.with_bounds(bounds().allow_volumes_in(allowed))).await;
    let volume = |read_only: bool, arguments: &[&str]| {
        let mut definition = task(image(artifacts::VOLUME), arguments);
        definition["volumes"] = json!([{"name": "data", "host": {"sourcePath": folder.path()}}]);
        definition["containerDefinitions"][0]["mountPoints"] =
            json!([{"sourceVolume": "data", "containerPath": "/data", "readOnly": read_only}]);
        definition
    };
    let outcome = host.run(&volume(false, &["read", "/data/in.txt"])).await;
    assert_eq!(outcome.stdout, "from the host", "{outcome:?}");
    let outcome = host.run(&volume(false, &["write", "/data/out.txt", "from the guest"])).await;
    assert_eq!(outcome.stopped.exit_code(), 0, "{outcome:?}");
    assert_eq!(std::fs::read_to_string(folder.path().join("out.txt")).unwrap(), "from the guest");
    for (read_only, refused) in [
        (true, ["write", "/data/in.txt", "x"]),
        (true, ["remove-file", "/data/in.txt", ""]),
        (false, ["read", "/data/leads-out", ""]),
        (false, ["read", "/data/../rolebox-suite-outside", ""]),
        (false, ["read", "/etc/passwd", ""]),
        (false, ["list", "/", ""]),
    ] {
        let arguments: Vec<&str> = refused.into_iter().filter(|argument| !argument.is_empty()).collect();
        let outcome = host.run(&volume(read_only, &arguments)).await;
        assert_ne!(outcome.stopped.exit_code(), 0, "{refused:?}: {outcome:?}");
    }
    assert_eq!(std::fs::read_to_string(folder.path().join("in.txt")).unwrap(), "from the host");
}

#[tokio::test]
async fn busy_calls() {
    let host = Host::start().await;
    let bucket = host.aws.aws();
    bucket.create_bucket_of(&"123456789012".parse().unwrap(), "busy", false).unwrap();
    let mut definition = with_role(task(image(artifacts::BUSY_CALLS), &["40", "busy"]), "full", &all_of_s3());
    let outcome = host.run(&definition).await;
    assert_eq!((outcome.stopped.exit_code(), outcome.stdout.as_str()), (0, "40 ok\n"), "{outcome:?}");

    definition["rolebox"]["limits"] = json!({"callsPerSecond": 1});
    let before = host.request_count();
    let outcome = host.run(&definition).await;
    assert!(outcome.stdout.contains("quota"), "{outcome:?}");
    assert!(host.request_count() - before < 40, "what is over the rate is not sent");
    let over = outcome.stdout.lines().find_map(|line| line.strip_suffix(" quota")).unwrap();
    let records = host.audit.all();
    let summed_up: Vec<_> = records.iter().filter(|record| record["event"] == "refusals").collect();
    assert_eq!(summed_up.len(), 1, "one kind of refusal, one record of how many there were");
    assert_eq!(summed_up[0]["count"].to_string(), over);
    assert!(summed_up[0]["reason"].as_str().unwrap().contains("rolebox.limits.callsPerSecond"), "{summed_up:?}");
}

#[tokio::test]
async fn busy_calls_without_a_role() {
    let host = Host::start().await;
    let outcome = host.run(&task(image(artifacts::BUSY_CALLS), &["40", "busy"])).await;
    assert_eq!(outcome.stdout, "40 denied\n", "{outcome:?}");
    let records = host.audit.all();
    let shown: Vec<_> =
        records.iter().map(|record| (&record["event"], &record["decision"], &record["count"])).collect();
    let (decision, refusals, deny) = (json!("decision"), json!("refusals"), json!("deny"));
    assert_eq!(shown, [(&decision, &deny, &Value::Null), (&refusals, &deny, &json!(40))]);
    assert_eq!(records[0]["taskId"], json!(outcome.stopped.task_id));
    assert!(records[0].get("roleArn").is_none(), "{}", records[0]);
    assert_eq!(host.request_count(), 0);
}

#[tokio::test]
async fn s3_call() {
    let host = Host::start().await;
    let run = async |arguments: &[&str]| {
        host.run(&with_role(task(image(artifacts::S3_CALL), arguments), "full", &all_of_s3())).await
    };
    assert_eq!(run(&["create-bucket", "one-call"]).await.stdout, "ok \n");
    assert_eq!(run(&["put-object", "one-call", "a b/ü%+.txt", "x"]).await.stdout, "ok \n");
    assert_eq!(run(&["list-objects", "one-call"]).await.stdout, "ok a b/ü%+.txt\n");
    let missing = run(&["get-object", "one-call", "not-there"]).await;
    assert_ne!(missing.stopped.exit_code(), 0);
    assert!(missing.stdout.contains("NoSuchKey"), "{missing:?}");
}
