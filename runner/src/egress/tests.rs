//! Whole calls against a service that says what it is told to: what is counted of them, and what is recorded.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed, as it should")]

use std::net::SocketAddr;

use http::StatusCode;
use rolebox_policy::RawCapability;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

use super::testing::{ROLE, Records, SESSION, put, session};
use super::*;

/// Of each record, the event, the decision and the count or the outcome.
fn summary(records: &Records) -> Vec<String> {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let shown = records.all().into_iter().map(|record| {
        let last = ["count", "outcome"].into_iter().find_map(|key| record.get(key)).unwrap_or(&Value::Null).clone();
        format!("{} {} {}", text(&record["event"]), text(&record["decision"]), text(&last))
    });
    shown.collect()
}

async fn calls(endpoints: Endpoints, limits: CallLimits) -> (TaskCalls, Records) {
    calls_in("us-east-1", endpoints, limits).await
}

async fn calls_in(region: &str, endpoints: Endpoints, limits: CallLimits) -> (TaskCalls, Records) {
    let records = Records::default();
    let egress =
        Egress::new(HttpClients::new().unwrap(), endpoints, Arc::new(records.clone()), SharedTimeSource::default());
    let role: RoleArn = ROLE.parse().unwrap();
    let declared: Vec<RawCapability> = serde_json::from_value(json!([
        {"action": "s3:PutObject", "resource": "arn:aws:s3:::bucket/*"},
        {"action": "dynamodb:GetItem", "resource": "arn:aws:dynamodb:us-east-1:123456789012:table/t"},
    ]))
    .unwrap();
    let identity = TaskIdentity {
        task_id: SESSION.into(),
        family: "s3-sample".into(),
        capabilities: Capabilities::parse(declared, &role).unwrap(),
        role,
        region: region.parse().unwrap(),
    };
    (TaskCalls::new(egress, identity, session().await, limits), records)
}

/// Reads one request to its end: its length is known, since the host sets it.
async fn read_request(stream: &mut TcpStream) {
    let mut read = Vec::new();
    loop {
        let mut part = [0; 4096];
        let count = stream.read(&mut part).await.unwrap();
        read.extend_from_slice(&part[..count]);
        let text = String::from_utf8_lossy(&read);
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let head = head.to_ascii_lowercase();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
        if body.len() >= length.parse().unwrap() {
            return;
        }
    }
}

/// A service that answers its requests in turn, one connection each, and tells of each that it has come. Where there is
/// no answer left, it keeps the connection and says nothing.
async fn service(answers: &'static [&'static str]) -> (Endpoints, mpsc::UnboundedReceiver<()>) {
    let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (came, requests) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        let mut silent = Vec::new();
        let mut answers = answers.iter();
        while let Ok((mut stream, _)) = listener.accept().await {
            read_request(&mut stream).await;
            match answers.next() {
                Some(answer) => stream.write_all(answer.as_bytes()).await.unwrap(),
                None => silent.push(stream),
            }
            // Nobody may wait for it any more.
            let _ = came.send(());
        }
    });
    (Endpoints::public().with_every_service(&url).unwrap(), requests)
}

const DONE: &str = "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 3\r\n\r\nyes";
const BUSY: &str = "HTTP/1.1 503 Busy\r\nconnection: close\r\ncontent-length: 5\r\n\r\nlater";

fn usage(call_count: u64, bytes_sent: u64, bytes_received: u64) -> CallUsage {
    CallUsage { call_count, bytes_sent, bytes_received }
}

#[tokio::test]
async fn bodies_of_calls_are_counted_once_however_often_they_are_sent() {
    let (endpoints, _requests) = service(&[DONE, BUSY, DONE]).await;
    let (calls, records) = calls(endpoints, CallLimits::default()).await;
    calls.call(put(b"four")).await.unwrap();
    assert_eq!(calls.usage(), usage(1, 4, 3));
    let item = Call {
        service: "dynamodb".into(),
        method: "POST".into(),
        path: "/".into(),
        headers: vec![
            ("x-amz-target".into(), b"DynamoDB_20120810.GetItem".to_vec()),
            ("content-type".into(), b"application/x-amz-json-1.0".to_vec()),
        ],
        ..put(br#"{"TableName":"t","Key":{"pk":{"S":"a"}}}"#)
    };
    let length = item.body.len() as u64;
    // It only reads, so the busy service is asked twice.
    let answer = calls.call(item).await.unwrap();
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(calls.usage(), usage(2, 4 + length, 3 + 3));
    let ends = summary(&records).into_iter().filter(|record| record.starts_with("end")).count();
    assert_eq!(ends, 2, "a call that has begun has one end");
}

#[tokio::test]
async fn a_call_that_is_cut_counts_as_far_as_it_went() {
    let (endpoints, mut requests) = service(&[]).await;
    let (calls, records) = calls(endpoints, CallLimits::default()).await;
    let call = calls.call(put(b"four"));
    tokio::select! {
        _ = call => panic!("nobody answers"),
        came = requests.recv() => came.unwrap(),
    }
    assert_eq!(calls.usage(), usage(1, 4, 0));
    calls.idle().await;
    assert_eq!(summary(&records), ["decision allow null", "end allow aborted"]);
}

#[tokio::test]
async fn what_is_not_sent_is_not_counted() {
    let limits = CallLimits { body_bytes: 8, ..CallLimits::default() };
    let (calls, _) = calls(Endpoints::public().with_every_service("http://127.0.0.1:1").unwrap(), limits).await;
    let mut denied = put(b"four");
    denied.path = "/other/key".into();
    assert!(matches!(calls.call(denied).await, Err(CallError::Denied(_))));
    assert!(matches!(calls.call(put(b"nine bytes")).await, Err(CallError::TooLarge { limit: 8 })));
    assert_eq!(calls.usage(), usage(0, 0, 0));
}

#[tokio::test]
async fn an_answer_past_the_total_is_not_received() {
    let (endpoints, _requests) = service(&[DONE]).await;
    let limits = CallLimits { total_bytes: Some(5), ..CallLimits::default() };
    let (calls, records) = calls(endpoints, limits).await;
    assert!(matches!(calls.call(put(b"four")).await, Err(CallError::Quota(_))));
    assert_eq!(calls.usage(), usage(1, 4, 0));
    assert_eq!(summary(&records), ["decision allow null", "end allow failed"]);
}

#[tokio::test]
async fn a_call_without_an_endpoint_is_denied_in_the_record_too() {
    // A Region of no partition that is known: only an endpoint of the operator's could serve it.
    let (calls, records) = calls_in("xx-nowhere-1", Endpoints::public(), CallLimits::default()).await;
    let error = calls.call(put(b"")).await.unwrap_err();
    assert!(matches!(error, CallError::Denied(_)), "{error}");
    assert_eq!(summary(&records), ["decision deny null"]);
    let [record] = records.all().try_into().unwrap();
    assert_eq!((&record["operation"], &record["region"]), (&json!("PutObject"), &json!("xx-nowhere-1")));
    assert!(record["reason"].as_str().unwrap().contains("no public endpoint"), "{record}");
    assert_eq!(calls.usage(), usage(0, 0, 0));
}

#[tokio::test]
async fn a_flood_of_refusals_is_two_records_of_each_kind() {
    let limits = CallLimits { calls_in_flight: 1, body_bytes: 8, total_bytes: Some(8), ..CallLimits::default() };
    let (calls, records) = calls(Endpoints::public(), limits).await;
    let in_flight = calls.admit().unwrap();
    for _ in 0..100 {
        assert!(matches!(calls.call(put(b"")).await, Err(CallError::Quota(_))));
    }
    drop(in_flight);
    for _ in 0..10 {
        assert!(matches!(calls.call(put(b"nine bytes")).await, Err(CallError::TooLarge { .. })));
    }
    calls.quota.spend(8).unwrap();
    for _ in 0..3 {
        assert!(matches!(calls.call(put(b"1")).await, Err(CallError::Quota(_))));
    }
    assert_eq!(summary(&records), ["decision deny null"; 3], "the first of each kind, before the task ends");
    calls.idle().await;
    let all = records.all();
    let counted: Vec<_> =
        all[3..].iter().map(|record| (&record["event"], &record["count"], &record["reason"])).collect();
    let refusals = json!("refusals");
    assert_eq!(
        counted,
        [
            (&refusals, &json!(10), &all[1]["reason"]),
            (&refusals, &json!(100), &all[0]["reason"]),
            (&refusals, &json!(3), &all[2]["reason"]),
        ]
    );
    assert!(all[0]["reason"].as_str().unwrap().contains("rolebox.limits.callsInFlight"), "{}", all[0]);
    assert_eq!(all[1]["bytesSent"], 10);
    assert_eq!((&all[3]["callId"], &all[3]["taskId"]), (&all[1]["callId"], &json!(SESSION)));
    drop(calls);
    assert_eq!(records.all().len(), 6, "they are summed up once");
}

#[tokio::test]
async fn a_task_without_a_role_is_recorded_and_counted() {
    let records = Records::default();
    let audit = Arc::new(records.clone());
    let task = TaskWithoutRole::new(audit, SharedTimeSource::default(), SESSION.into(), "sample".into());
    for _ in 0..1_000 {
        task.deny("s3", 4).await;
    }
    drop(task);
    assert_eq!(summary(&records), ["decision deny null", "refusals deny 1000"]);
    let all = records.all();
    assert_eq!((all[0].get("roleArn"), all[0].get("roleSession")), (None, None));
    assert_eq!(
        (&all[0]["taskId"], &all[0]["service"], &all[0]["bytesSent"]),
        (&json!(SESSION), &json!("s3"), &json!(4))
    );
}
