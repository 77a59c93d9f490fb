//! Objects that are longer than what the host holds: sent and read while they come, and held to all that holds others.

use std::path::Path;

use rolebox_guest_artifacts as artifacts;
use rolebox_suite::{ACCOUNT, Host, Outcome, all_of_s3, task, with_key, with_role};
use serde_json::{Value, json};

/// What the tasks here may have held whole, in bytes.
const HELD: u64 = 100_000;
/// The length of most objects here: more than that, and not a whole number of chunks.
const LONG: u64 = 1_000_003;

/// The bytes that the guest writes, as its own source says.
fn pattern(length: u64) -> Vec<u8> {
    (0..length).map(|place| (place ^ (place >> 8) ^ (place >> 16).wrapping_mul(31)) as u8).collect()
}

async fn host() -> Host {
    let host = Host::start().await;
    host.aws.aws().create_bucket_of(&ACCOUNT.parse().unwrap(), "own", false).unwrap();
    host
}

async fn run_limited(host: &Host, capabilities: &Value, limits: Value, arguments: &str) -> Outcome {
    let arguments: Vec<&str> = arguments.split(' ').collect();
    let definition = with_role(task(Path::new(artifacts::STREAM), &arguments), "full", capabilities);
    host.run(&with_key(definition, "limits", limits)).await
}

async fn run(host: &Host, arguments: &str) -> Outcome {
    run_limited(host, &all_of_s3(), json!({"bodyBytes": HELD}), arguments).await
}

const KEY: &str = "s3.us-east-1.amazonaws.com /own/key --bytes 1000003";

#[tokio::test]
pub(crate) async fn stream() {
    let host = host().await;
    for options in ["", " --framed", " --header content-encoding:gzip", " --header content-type:text/plain"] {
        let outcome = run(&host, &format!("put {KEY}{options}")).await;
        assert_eq!(outcome.stopped.exit_code(), 0, "{options}: {outcome:?}");
        assert!(host.aws.aws().object("own", "key").unwrap() == pattern(LONG), "{options}");
        let outcome = run(&host, &format!("get {KEY}")).await;
        assert_eq!((outcome.stopped.exit_code(), outcome.stdout.as_str()), (0, "status 200\nsame 1000003\n"));
    }
    // The audit has the whole length in both directions, and a decision and an end for each.
    let records = host.audit.all();
    let count = |event: &str, key: &str| {
        records.iter().filter(|record| record["event"] == event && record[key] == LONG).count()
    };
    assert_eq!((count("decision", "bytesSent"), count("end", "bytesReceived")), (4, 4), "{records:#?}");
    assert!(records.iter().filter(|record| record["event"] == "end").all(|record| record["outcome"] == "answered"));
}

#[tokio::test]
async fn a_checksum_in_a_header_is_checked_on_the_way_and_stored() {
    let host = host().await;
    // The CRC32 of another body, and the right one.
    for (checksum, exit_code, stored) in [("AAAAAA==", 1, false), ("", 0, true)] {
        let checksum = if checksum.is_empty() { crc32_base64(&pattern(LONG)) } else { checksum.to_owned() };
        let outcome = run(&host, &format!("put {KEY} --header x-amz-checksum-crc32:{checksum}")).await;
        assert_eq!(outcome.stopped.exit_code(), exit_code, "{outcome:?}");
        assert_eq!(host.aws.aws().object("own", "key").is_ok(), stored);
        assert_eq!(outcome.stdout.contains("x-amz-checksum-crc32"), !stored, "{outcome:?}");
    }
}

fn crc32_base64(data: &[u8]) -> String {
    let step = |value: u32, byte: &u8| {
        (0..8).fold(value ^ u32::from(*byte), |value, _| (value >> 1) ^ (0xedb8_8320 & (value & 1).wrapping_neg()))
    };
    let bits = u64::from(!data.iter().fold(!0, step)) << 4;
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let digits = (0..6).rev().map(|place| char::from(DIGITS[(bits >> (6 * place) & 63) as usize]));
    digits.chain(['=', '=']).collect()
}

#[tokio::test]
async fn what_is_wrong_with_a_body_leaves_no_object() {
    let host = host().await;
    for (options, said) in [
        // The checksum behind the body is of another one.
        (" --framed --wrong", "x-amz-checksum-crc32"),
        // The body ends before its end, in its frame and without one.
        (" --framed --send 500000", "does not end"),
        (" --framed --abort 500000", "given up"),
        (" --send 500000 --header content-length:1000003", "given up"),
        (" --abort 500000 --header content-length:1000003", "given up"),
        // More than one checksum, a checksum that is none, and what the operation does not take.
        (" --framed --header x-amz-checksum-sha1:AAAA", "more than one checksum"),
        (" --header x-amz-invented:1", "x-amz-invented"),
        (" --header x-amz-decoded-content-length:1000003 --header content-encoding:aws-chunked", "aws-chunked"),
    ] {
        let outcome = run(&host, &format!("put {KEY}{options}")).await;
        assert_eq!(outcome.stopped.exit_code(), 1, "{options}: {outcome:?}");
        assert!(outcome.stdout.contains(said), "{options}: {outcome:?}");
        assert!(host.aws.aws().object("own", "key").is_err(), "{options}: {outcome:?}");
    }
    let ends: Vec<_> = host.audit.all().into_iter().filter(|record| record["event"] == "end").collect();
    assert_eq!(ends.len(), 6, "those whose bodies were at fault had begun: {ends:#?}");
    assert!(ends.iter().all(|end| end["outcome"] == "failed"), "{ends:#?}");
    assert!(ends[1..].iter().all(|end| end["bytesSent"].as_u64().unwrap() <= 500_000), "as far as it got: {ends:#?}");
}

#[tokio::test]
async fn a_long_body_without_a_length_is_held_up_to_the_limit_and_then_refused() {
    let host = host().await;
    let short = run(&host, "put s3.us-east-1.amazonaws.com /own/short --bytes 50000 --send 50000").await;
    assert_eq!(short.stopped.exit_code(), 0, "{short:?}");
    assert!(host.aws.aws().object("own", "short").unwrap() == pattern(50_000));
    let long = run(&host, &format!("put {KEY} --send 1000003")).await;
    assert!(long.stdout.contains("EntityTooLarge") && long.stdout.contains("bodyBytes"), "{long:?}");
    assert!(host.aws.aws().object("own", "key").is_err());
}

#[tokio::test]
async fn only_objects_and_parts_are_sent_while_they_come() {
    let host = host().await;
    for target in ["/own?policy", "/own?delete", "/own"] {
        let outcome = run(&host, &format!("put s3.us-east-1.amazonaws.com {target} --bytes 1000003")).await;
        assert_eq!(outcome.stopped.exit_code(), 1, "{target}: {outcome:?}");
        assert!(outcome.stdout.contains("written 1000003\nstatus 4"), "it was read to its end: {outcome:?}");
    }
    let outcome = run(&host, "put dynamodb.us-east-1.amazonaws.com / --bytes 1000003").await;
    assert!(outcome.stdout.contains("RequestEntityTooLargeException"), "{outcome:?}");
    assert_eq!(host.operations(), Vec::<String>::new());
}

#[tokio::test]
async fn a_denial_comes_before_the_body_and_after_it_was_read() {
    let host = host().await;
    let reading = json!([{"action": "s3:GetObject", "resource": "arn:aws:s3:::own/*"}]);
    let limits = json!({"bodyBytes": HELD});
    let outcome = run_limited(&host, &reading, limits.clone(), &format!("put {KEY} --framed")).await;
    assert!(outcome.stdout.starts_with("written 1000003\nstatus 403\n"), "{outcome:?}");
    for part in ["<Code>AccessDenied</Code>", "s3:PutObject", "arn:aws:s3:::own/key", "capability"] {
        assert!(outcome.stdout.contains(part), "{part}: {outcome:?}");
    }
    assert_eq!(host.operations(), Vec::<String>::new(), "nothing was sent");
    let records = host.audit.all();
    assert_eq!(records.len(), 1, "{records:#?}");
    assert_eq!((&records[0]["decision"], &records[0]["bytesSent"]), (&json!("deny"), &json!(LONG)));

    // AWS's own denial, which comes while the body is still on its way.
    let definition = with_role(
        task(Path::new(artifacts::STREAM), &format!("put {KEY}").split(' ').collect::<Vec<_>>()),
        "reader",
        &all_of_s3(),
    );
    let outcome = host.run(&with_key(definition, "limits", limits)).await;
    assert!(outcome.stdout.contains("status 403") && outcome.stdout.contains("AccessDenied"), "{outcome:?}");
    assert!(host.aws.aws().object("own", "key").is_err());
}

#[tokio::test]
async fn the_total_is_counted_while_an_object_comes_and_cuts_it() {
    let host = host().await;
    assert_eq!(run(&host, &format!("put {KEY}")).await.stopped.exit_code(), 0);
    let limits = |total: u64| json!({"bodyBytes": HELD, "totalBytes": total});
    let outcome = run_limited(&host, &all_of_s3(), limits(LONG / 2), &format!("get {KEY}")).await;
    assert_eq!(outcome.stopped.exit_code(), 1, "{outcome:?}");
    assert!(outcome.stdout.contains("cut after "), "{outcome:?}");
    assert!(outcome.stopped.bytes_received <= LONG / 2);
    let last = host.audit.all().pop().unwrap();
    assert_eq!((&last["event"], &last["outcome"]), (&json!("end"), &json!("failed")), "{last:#?}");
    let outcome = run_limited(&host, &all_of_s3(), limits(LONG), &format!("get {KEY}")).await;
    assert_eq!(outcome.stopped.exit_code(), 0, "{outcome:?}");
    // A body is counted by what it is said to be.
    let outcome = run_limited(&host, &all_of_s3(), limits(LONG - 1), &format!("put {KEY}")).await;
    assert!(outcome.stdout.contains("totalBytes"), "{outcome:?}");
}

#[tokio::test]
async fn an_answer_that_is_not_read_to_its_end_ends_with_the_task() {
    let host = host().await;
    assert_eq!(run(&host, &format!("put {KEY}")).await.stopped.exit_code(), 0);
    let outcome = run(&host, &format!("get {KEY} --read 70000")).await;
    assert_eq!(outcome.stopped.exit_code(), 0, "{outcome:?}");
    let last = host.audit.all().pop().unwrap();
    assert_eq!((&last["outcome"], &last["status"]), (&json!("aborted"), &json!(200)), "{last:#?}");
    assert!(last["bytesReceived"].as_u64().unwrap() >= 70_000);
    // Another task's calls are not held up by it.
    assert_eq!(run(&host, &format!("get {KEY}")).await.stopped.exit_code(), 0);
}

#[tokio::test]
async fn ranges_parts_and_missing_objects_are_what_the_service_says() {
    let host = host().await;
    assert_eq!(run(&host, &format!("put {KEY}")).await.stopped.exit_code(), 0);
    let outcome = run(&host, &format!("get {KEY} --header range:bytes=0-499999")).await;
    assert_eq!(outcome.stdout, "status 206\nsame 500000\n");
    let outcome = run(&host, "get s3.us-east-1.amazonaws.com /own/missing --bytes 1").await;
    assert!(outcome.stdout.contains("status 404") && outcome.stdout.contains("NoSuchKey"), "{outcome:?}");
    let outcome = run(&host, &format!("put {}", KEY.replace("/own/key", "/own/key?partNumber=1&uploadId=none"))).await;
    assert!(outcome.stdout.contains("NoSuchUpload"), "{outcome:?}");
}

/// At the limit and around it, framed and not, each in whichever way it goes.
#[tokio::test]
async fn bodies_around_the_limit_arrive_like_any_other() {
    let host = host().await;
    for bytes in [0, 1, 65_535, 65_536, 65_537, HELD - 20, HELD - 1, HELD, HELD + 1, 2 * 65_536] {
        for options in ["", " --framed"] {
            let key = format!("s3.us-east-1.amazonaws.com /own/key-{bytes} --bytes {bytes}");
            let outcome = run(&host, &format!("put {key}{options}")).await;
            assert_eq!(outcome.stopped.exit_code(), 0, "{bytes}{options}: {outcome:?}");
            assert!(
                host.aws.aws().object("own", &format!("key-{bytes}")).unwrap() == pattern(bytes),
                "{bytes}{options}"
            );
            let outcome = run(&host, &format!("get {key}")).await;
            assert_eq!(outcome.stdout, format!("status 200\nsame {bytes}\n"));
            // However little is held, any object can be read and written.
            let little = run_limited(&host, &all_of_s3(), json!({"bodyBytes": 10_000}), &format!("get {key}")).await;
            assert_eq!(little.stdout, format!("status 200\nsame {bytes}\n"), "{bytes}");
        }
    }
}
