//! A task that serves runs until it is stopped, and then lets its requests end.

use rolebox::task::StopCode;
use rolebox_guest_artifacts as artifacts;

use super::*;

#[tokio::test]
async fn one_that_answered_all_ended_well() {
    let mut served = Served::start(|_| {}).await;
    assert_eq!(served.get("/hello").await.status, 200);
    // Neither a connection that waits for its next request nor one that never had one is waited for.
    let mut idle = served.connect().await;
    idle.send("GET /hello HTTP/1.1\r\nHost: test\r\n\r\n").await;
    assert_eq!(idle.answer().await.unwrap().status, 200);
    let mut fresh = served.connect().await;
    fresh.send("GET /hel").await;
    // One that is in flight is.
    let mut client = served.begin().await;
    served.running.stop("maintenance");
    assert!(idle.is_closed().await && fresh.is_closed().await);
    client.send("5\r\nlater\r\n0\r\n\r\n").await;
    assert_eq!(client.chunk().await.as_deref(), Some(&b"later"[..]));
    assert_eq!(client.chunk().await.as_deref(), Some(&b""[..]));
    assert!(client.is_closed().await);
    let stopped = served.running.wait().await;
    assert_eq!((stopped.exit_code(), stopped.stop_code), (0, StopCode::UserInitiated), "{stopped:?}");
    assert_eq!(stopped.stopped_reason, "maintenance");
    assert_eq!(stopped.containers[0].exit_code, Some(0));
    assert!(TcpStream::connect(served.address).await.is_err(), "nobody listens there any more");
}

#[tokio::test]
async fn one_that_has_to_be_cut_was_killed() {
    let mut served = Served::start(|_| {}).await;
    let mut client = served.begin().await;
    served.running.stop("maintenance");
    // The client never ends its body.
    let stopped = served.running.wait().await;
    assert_eq!((stopped.exit_code(), stopped.stop_code), (137, StopCode::UserInitiated), "{stopped:?}");
    assert_eq!(stopped.stopped_reason, "maintenance");
    assert!(client.chunk().await.is_none(), "and the client sees that there was more to come");
}

#[tokio::test]
async fn a_task_that_nobody_holds_listens_no_more() {
    let served = Served::start(|_| {}).await;
    let address = served.address;
    let mut idle = served.connect().await;
    drop(served.running);
    assert!(idle.is_closed().await);
    assert!(TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn the_timeout_is_each_requests_and_not_the_tasks() {
    let mut served = Served::start(|definition| definition["rolebox"]["timeout"] = json!("50ms")).await;
    // Longer than the task would have had.
    for _ in 0..3 {
        assert_eq!(served.get("/sleep").await.status, 504);
    }
    assert_eq!(served.get("/hello").await.status, 200);
    served.running.stop("done");
    assert_eq!(served.running.wait().await.exit_code(), 0);
}

/// Beside the server, a container that runs this guest.
fn beside(guest: &str, arguments: &[&str], essential: bool) -> Value {
    json!({"name": "beside", "image": guest, "memory": 16, "command": arguments, "essential": essential,
        "dependsOn": [{"containerName": "guest", "condition": "START"}]})
}

fn add(definition: &mut Value, container: Value) {
    definition["containerDefinitions"].as_array_mut().unwrap().push(container);
}

#[tokio::test]
async fn a_command_beside_it_that_is_essential_ends_the_task() {
    let mut served = Served::start(|definition| {
        add(definition, beside(artifacts::EXIT_WITH, &["1"], true));
    })
    .await;
    let stopped = served.running.wait().await;
    assert_eq!((stopped.exit_code(), stopped.stop_code), (1, StopCode::EssentialContainerExited), "{stopped:?}");
    assert_eq!(stopped.containers[0].exit_code, Some(0), "which had nothing left to answer");
}

#[tokio::test]
async fn a_command_beside_it_that_is_not_leaves_it_alone_and_has_the_timeout_for_itself() {
    let served = Served::start(|definition| {
        definition["rolebox"]["timeout"] = json!("100ms");
        add(definition, beside(artifacts::LOOP_FOREVER, &[], false));
    })
    .await;
    while served.get("/sleep").await.status != 504 {}
    assert_eq!(served.get("/hello").await.status, 200);
    let stopped = served.stop().await;
    assert_eq!(stopped.exit_code(), 0, "{stopped:?}");
    assert_eq!(stopped.containers[1].exit_code, Some(137));
    let reason = stopped.containers[1].reason.as_deref();
    assert_eq!(reason, Some("TimeoutError: it ran longer than its `timeout` of 100 ms"));
}

#[tokio::test]
async fn a_port_that_is_taken_is_why_a_task_cannot_start() {
    let served = Served::start(|_| {}).await;
    let definition = handler(|definition| {
        definition["containerDefinitions"][0]["portMappings"][0]["hostPort"] = json!(served.address.port());
    });
    let outcome = served.host.run(&definition).await;
    assert_eq!((outcome.stopped.stop_code, outcome.stopped.exit_code()), (StopCode::TaskFailedToStart, 125));
    let reason = outcome.stopped.stopped_reason;
    assert!(
        reason.starts_with(&format!("CannotStartContainerError: cannot listen on {}: ", served.address)),
        "{reason}"
    );
    assert!(reason.ends_with("end what listens there, or choose another `hostPort`"), "{reason}");
}
