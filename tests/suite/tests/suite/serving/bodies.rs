//! Requests and answers on their way, as they should go.

use super::*;

#[tokio::test]
async fn a_handler_sees_the_request_as_the_client_sent_it() {
    let served = Served::start(|_| {}).await;
    let mut client = served.connect().await;
    client
        .send(
            "DELETE /request?a=%2F&b HTTP/1.1\r\nHost: name.example:8080\r\nX-One: 1\r\nx-one: 2\r\nConnection: x-one\r\n\
             Keep-Alive: 5\r\nUpgrade: h2c\r\nProxy-Connection: close\r\nHTTP2-Settings: AA\r\n\r\n",
        )
        .await;
    let answer = client.answer().await.unwrap();
    assert_eq!(
        answer.text(),
        "method Method::Delete\nscheme Some(Scheme::Http)\nauthority Some(\"name.example:8080\")\n\
         target Some(\"/request?a=%2F&b\")\nheader x-one: 1\nheader x-one: 2\n",
        "and nothing that belongs to the connection"
    );
}

#[tokio::test]
async fn bodies_stream_in_both_directions() {
    let served = Served::start(|_| {}).await;
    let mut client = served.begin().await;
    for piece in ["a", "bc", "def"] {
        client.send(format!("{:x}\r\n{piece}\r\n", piece.len())).await;
        // It is back before the next one is sent.
        assert_eq!(client.chunk().await.as_deref(), Some(piece.as_bytes()));
    }
    client.send("0\r\n\r\n").await;
    assert_eq!(client.chunk().await.as_deref(), Some(&b""[..]));
    // The connection serves the next request.
    client.send("GET /hello HTTP/1.1\r\nHost: test\r\n\r\n").await;
    assert_eq!(client.answer().await.unwrap().text(), "hello\n");
}

#[tokio::test]
async fn large_bodies_arrive_whole_and_are_never_held() {
    const LENGTH: usize = 48 << 20;
    // Neither body fits into the guest's memory.
    let served = Served::start(|definition| definition["containerDefinitions"][0]["memory"] = json!(16)).await;
    let answer = served.get(&format!("/bytes/{LENGTH}")).await;
    assert!(answer.whole && answer.body.len() == LENGTH && answer.body.iter().all(|byte| *byte == b'x'));

    let mut client = served.connect().await;
    client.send(format!("POST /length HTTP/1.1\r\nHost: test\r\nContent-Length: {LENGTH}\r\n\r\n")).await;
    let piece = vec![b'y'; 1 << 20];
    for _ in 0..LENGTH / piece.len() {
        client.send(&piece).await;
    }
    assert_eq!(client.answer().await.unwrap().text(), format!("{LENGTH}\n"));
    let stopped = served.stop().await;
    assert!(stopped.peak_memory <= 16 << 20, "{stopped:?}");
}

#[tokio::test]
async fn a_client_that_waits_to_be_asked_for_its_body_is_asked() {
    let served = Served::start(|_| {}).await;
    let mut client = served.connect().await;
    client.send("POST /length HTTP/1.1\r\nHost: test\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n").await;
    assert_eq!(client.head().await.unwrap().status, 100);
    client.send("body").await;
    assert_eq!(client.answer().await.unwrap().text(), "4\n");
    // Where nobody wants the body, it is not asked for.
    client.send("POST /hello HTTP/1.1\r\nHost: test\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n").await;
    let answer = client.answer().await.unwrap();
    assert_eq!((answer.status, answer.text()), (200, "hello\n"));
}

#[tokio::test]
async fn requests_that_do_not_wait_are_answered_in_their_order() {
    let served = Served::start(|_| {}).await;
    let mut client = served.connect().await;
    let request = |target: &str| format!("GET {target} HTTP/1.1\r\nHost: test\r\n\r\n");
    let body = "POST /echo HTTP/1.1\r\nHost: test\r\nContent-Length: 31\r\n\r\nGET /trap HTTP/1.1\r\nHost: a\r\n\r\n";
    client.send(format!("{}{body}{}", request("/bytes/100000"), request("/hello"))).await;
    assert_eq!(client.answer().await.unwrap().body.len(), 100_000);
    assert_eq!(client.answer().await.unwrap().text(), "GET /trap HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!(client.answer().await.unwrap().text(), "hello\n");
    let stopped = served.stop().await;
    assert_eq!(stopped.containers[0].requests.unwrap().request_count, 3);
}

#[tokio::test]
async fn an_answer_without_a_body_is_one_and_its_guest_need_not_know() {
    let served = Served::start(|_| {}).await;
    let mut client = served.connect().await;
    for (request, status) in [("HEAD /bytes/1000000", 200), ("GET /status/204", 204), ("GET /status/304", 304)] {
        client.send(format!("{request} HTTP/1.1\r\nHost: test\r\n\r\n")).await;
        assert_eq!(client.head().await.unwrap().status, status);
    }
    client.send("GET /hello HTTP/1.1\r\nHost: test\r\n\r\n").await;
    assert_eq!(client.head().await.unwrap().status, 200);
    let stopped = served.stop().await;
    assert_eq!(stopped.containers[0].requests.unwrap().failed_count, 0, "{stopped:?}");
}

#[tokio::test]
async fn each_request_has_an_instance_of_its_own() {
    let served = Served::start(|_| {}).await;
    let mut client = served.connect().await;
    for _ in 0..3 {
        client.send("GET /count HTTP/1.1\r\nHost: test\r\n\r\n").await;
        assert_eq!(client.answer().await.unwrap().text(), "1\n");
    }
    for line in ["one", "two"] {
        served.get(&format!("/print/{line}")).await;
    }
    let (output, stopped) = (served.output.clone(), served.stop().await);
    assert_eq!(output.stdout(), b"one\ntwo\n", "what all of them print is the task's");
    assert!(stopped.output_complete);
}
