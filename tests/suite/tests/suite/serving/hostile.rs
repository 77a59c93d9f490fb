//! Guests that answer badly, late or never, and clients that go away: each harms its own request.

use super::*;

#[tokio::test]
async fn a_guest_that_fails_before_it_answers_is_a_5xx_and_harms_nobody() {
    let served = Served::start(|definition| {
        definition["rolebox"]["limits"] = json!({"outputBytes": 100_000});
    })
    .await;
    // One that is in flight all the while.
    let mut beside = served.begin().await;
    let paths = [
        ("/trap", 500),
        ("/silent", 500),
        ("/error", 500),
        ("/exit", 500),
        ("/allocate", 500),
        ("/print-forever", 500),
        ("/huge-headers", 500),
        ("/status/101", 502),
        ("/length/1x", 500),
        ("/length/5", 502),
    ];
    for (path, status) in paths {
        let answer = served.get(path).await;
        assert_eq!((answer.status, answer.whole), (status, true), "{path}: {answer:?}");
        assert!(!answer.text().contains("told to"), "what the guest says of itself is not the client's: {answer:?}");
        assert_eq!(served.get("/hello").await.status, 200, "after {path}");
    }
    beside.send("4\r\nalso\r\n0\r\n\r\n").await;
    assert_eq!(beside.chunk().await.as_deref(), Some(&b"also"[..]));
    let (output, stopped) = (served.output.clone(), served.stop().await);
    let requests = stopped.containers[0].requests.unwrap();
    assert_eq!((requests.request_count, requests.failed_count), (21, 10), "{stopped:?}");
    assert_eq!(stopped.exit_code(), 0, "{stopped:?}");
    assert!(String::from_utf8(output.stderr()).unwrap().contains("told to"), "the author sees what was wrong");
}

#[tokio::test]
async fn a_guest_that_takes_too_long_is_a_504() {
    let served = Served::start(|definition| definition["rolebox"]["timeout"] = json!("200ms")).await;
    for path in ["/spin", "/sleep"] {
        let answer = served.get(path).await;
        assert_eq!((answer.status, answer.text()), (504, "the handler took too long\n"), "{path}");
    }
    let computing = Served::start(|definition| definition["rolebox"]["limits"] = json!({"cpuTime": "50ms"})).await;
    for _ in 0..2 {
        assert_eq!(computing.get("/spin").await.status, 504, "each request has its own cpuTime");
    }
    assert_eq!(computing.get("/hello").await.status, 200);
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_seen_to_break_off() {
    let served = Served::start(|definition| definition["rolebox"]["timeout"] = json!("500ms")).await;
    for path in ["/trap/late", "/spin/late", "/unfinished", "/short"] {
        let mut client = served.connect().await;
        client.send(format!("GET {path} HTTP/1.1\r\nHost: test\r\n\r\n")).await;
        // Nothing of it may have been sent yet.
        if let Some(answer) = client.answer().await {
            assert!(answer.status == 200 && !answer.whole, "{path}: {answer:?}");
        }
        assert!(client.is_closed().await, "{path}");
    }
    let stopped = served.stop().await;
    assert_eq!(stopped.containers[0].requests.unwrap().failed_count, 4, "each was the guest's doing: {stopped:?}");
}

/// HTTP/1.0 ends an answer without a length with the connection, so that one that was cut would look whole.
#[tokio::test]
async fn an_old_client_gets_only_answers_that_have_a_length() {
    let served = Served::start(|_| {}).await;
    for (path, status) in [("/trap/late", 505), ("/hello", 505), ("/status/204", 204)] {
        let mut client = served.connect().await;
        client.send(format!("GET {path} HTTP/1.0\r\nHost: test\r\n\r\n")).await;
        assert_eq!(client.answer().await.unwrap().status, status, "{path}");
    }
}

#[tokio::test]
async fn an_answer_is_given_once() {
    let served = Served::start(|_| {}).await;
    let mut client = served.connect().await;
    client.send("GET /twice HTTP/1.1\r\nHost: test\r\n\r\nGET /hello HTTP/1.1\r\nHost: test\r\n\r\n").await;
    let answer = client.answer().await.unwrap();
    assert_eq!((answer.status, answer.header("content-length")), (200, Some("0")));
    assert_eq!(client.answer().await.unwrap().text(), "hello\n", "and nothing in between");
}

#[tokio::test]
async fn a_guest_may_work_on_after_its_answer_for_as_long_as_it_has() {
    let served = Served::start(|definition| {
        definition["rolebox"] = json!({"timeout": "300ms", "limits": {"requestsInFlight": 1}});
    })
    .await;
    let answer = served.get("/linger/for-ever").await;
    assert_eq!((answer.whole, answer.text()), (true, "away\n"));
    // Its place is free when its time is over.
    while served.get("/hello").await.status == 503 {}
    let (output, stopped) = (served.output.clone(), served.stop().await);
    assert_eq!(output.stdout(), b"lingered\n");
    let requests = stopped.containers[0].requests.unwrap();
    assert_eq!((requests.request_count, requests.failed_count), (2, 1), "{stopped:?}");
}

#[tokio::test]
async fn a_client_that_goes_away_takes_its_instance_with_it() {
    let served = Served::start(|definition| {
        definition["rolebox"]["limits"] = json!({"requestsInFlight": 1});
    })
    .await;
    let waiting = served.begin().await;
    assert_eq!(served.get("/hello").await.status, 503);
    drop(waiting);
    while served.get("/hello").await.status == 503 {}
    // One that never heard anything.
    let mut silent = served.connect().await;
    silent.send("GET /sleep HTTP/1.1\r\nHost: test\r\n\r\n").await;
    while served.get("/hello").await.status != 503 {}
    drop(silent);
    while served.get("/hello").await.status == 503 {}
    let stopped = served.stop().await;
    assert_eq!(stopped.containers[0].requests.unwrap().failed_count, 0, "it was the client's doing: {stopped:?}");
}

#[tokio::test]
async fn a_client_that_reads_nothing_holds_its_guest_no_longer_than_any() {
    let served = Served::start(|definition| {
        definition["rolebox"]["timeout"] = json!("300ms");
        definition["rolebox"]["limits"] = json!({"requestsInFlight": 1});
    })
    .await;
    let mut client = served.connect().await;
    client.send("GET /bytes/100000000 HTTP/1.1\r\nHost: test\r\n\r\n").await;
    assert_eq!(client.head().await.unwrap().status, 200);
    // The guest's end is what the next line waits for.
    while served.get("/hello").await.status != 200 {}
    let mut length = 0;
    while let Some(chunk) = client.chunk().await {
        assert!(!chunk.is_empty(), "it was never whole");
        length += chunk.len();
    }
    assert!(length < 100_000_000);
}
