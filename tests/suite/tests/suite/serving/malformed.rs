//! What is no request, or could be read in two ways, reaches no guest.

use super::*;

/// Sends `text` and expects to be told so with `status`, and hung up on.
async fn refused(served: &Served, text: &[u8], status: u16) {
    let mut client = served.connect().await;
    // What is too long may be cut while it is written.
    let _ = client.0.write_all(text).await;
    let shown = text.escape_ascii().to_string();
    let answer = client.answer().await.unwrap_or_else(|| panic!("no answer: {shown:.100}"));
    assert_eq!(answer.status, status, "{shown:.100}");
}

#[tokio::test]
async fn what_can_be_read_in_two_ways_is_refused() {
    let served = Served::start(|_| {}).await;
    for (text, status) in [
        // Who is asked.
        ("GET / HTTP/1.1\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: a@b\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: \r\n\r\n", 400),
        ("GET http://a/hello HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("GET http://other/hello HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n", 400),
        ("CONNECT /hello HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        // Where a message ends.
        ("POST /length HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", 400),
        ("POST /length HTTP/1.1\r\nHost: a\r\nContent-Length: +1\r\n\r\na", 400),
        ("POST /length HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, identity\r\n\r\n", 400),
        ("POST /length HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n", 400),
        ("POST /length HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        ("GET /hello HTTP/1.1\r\nHost: a\r\n folded: b\r\n\r\n", 400),
        ("GET /hello HTTP/1.1\r\nHost : a\r\n\r\n", 400),
        ("GET  /hello HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("GET /hello HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n", 400),
        // What it is.
        ("\x16\x03\x01\x02\x00\x01", 400),
    ] {
        refused(&served, text.as_bytes(), status).await;
    }
    // HTTP/2 has no answer that its client would understand.
    let mut client = served.connect().await;
    client.send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await;
    assert!(client.is_closed().await);
    let stopped = served.stop().await;
    assert_eq!(stopped.containers[0].requests.unwrap().request_count, 0, "none reached a guest");
}

#[tokio::test]
async fn a_length_beside_chunks_is_not_what_the_guest_sees() {
    let served = Served::start(|_| {}).await;
    let mut client = served.connect().await;
    client
        .send("POST /request HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")
        .await;
    let answer = client.answer().await.unwrap();
    assert!(answer.status == 400 || !answer.text().contains("content-length"), "{answer:?}");
}

#[tokio::test]
async fn heads_are_bounded() {
    let served = Served::start(|_| {}).await;
    let long = format!("GET /hello HTTP/1.1\r\nHost: a\r\nX: {}\r\n\r\n", "x".repeat(64 << 10));
    refused(&served, long.as_bytes(), 431).await;
    let many = format!("GET /hello HTTP/1.1\r\nHost: a\r\n{}\r\n", "X: y\r\n".repeat(200));
    refused(&served, many.as_bytes(), 431).await;
    let target = format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", "x".repeat(64 << 10));
    refused(&served, target.as_bytes(), 431).await;
    assert_eq!(served.get("/hello").await.status, 200);
}

#[tokio::test]
async fn half_a_request_is_none() {
    let served = Served::start(|_| {}).await;
    for half in ["", "G", "GET /hello HTTP/1.1\r\nHos", "GET /hello HTTP/1.1\r\nHost: a\r\n"] {
        let mut client = served.connect().await;
        client.send(half).await;
        client.0.shutdown().await.unwrap();
        assert!(client.answer().await.is_none(), "{half:?}");
    }
    let stopped = served.stop().await;
    assert_eq!(stopped.containers[0].requests.unwrap().request_count, 0);
}

#[tokio::test]
async fn a_body_that_is_none_is_the_clients_failure() {
    let served = Served::start(|_| {}).await;
    let mut client = served.connect().await;
    client.send("POST /length HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nzz\r\n").await;
    let answer = client.answer().await.unwrap();
    assert_eq!((answer.status, answer.text()), (400, "the request's body is not whole\n"));
    assert!(client.is_closed().await);
    let stopped = served.stop().await;
    assert_eq!(stopped.containers[0].requests.unwrap().failed_count, 0, "{stopped:?}");
}
