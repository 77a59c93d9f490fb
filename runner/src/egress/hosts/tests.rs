//! Requests to hosts that a definition names, against a server on the loopback that a test's own look-up leads to.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed, as it should")]

use std::net::Ipv4Addr;

use http_body_util::{BodyExt, Full};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

use super::super::testing::Records;
use super::*;

/// Leads every name to the loopback but a few, which lead elsewhere.
fn look_up(name: &str) -> io::Result<Vec<IpAddr>> {
    let address: IpAddr = match name {
        "private.example.com" => Ipv4Addr::new(10, 0, 0, 1).into(),
        "metadata.example.com" => Ipv4Addr::new(169, 254, 169, 254).into(),
        _ => Ipv4Addr::LOCALHOST.into(),
    };
    Ok(vec![address])
}

/// Names that may lead to the loopback, as no task's may.
const LOOPBACK: Names = Names { look_up, may_connect: |address| address.is_loopback() };

fn requests(names: &[&str], limits: CallLimits, resolver: Names) -> (HostRequests, Records) {
    let records = Records::default();
    let time = SharedTimeSource::default();
    let egress =
        HostEgress { clients: HttpClients::new().unwrap(), audit: Arc::new(records.clone()), time: time.clone() };
    let names = names.iter().map(|name| name.parse().unwrap()).collect();
    let recorded = RecordedTask { task_id: "0".repeat(32), family: "test".into(), role: None };
    let quota = Arc::new(CallQuota::new(limits, time));
    (HostRequests::with(egress, names, quota, recorded, resolver), records)
}

fn get(host: &str, port: u16) -> HostRequest {
    HostRequest {
        method: Method::GET,
        address: HostAddress { name: host.into(), port, tls: false },
        target: "/".into(),
        headers: HeaderMap::new(),
        first_byte: None,
    }
}

fn headers(fields: &[(&'static str, &str)]) -> HeaderMap {
    fields.iter().map(|(name, value)| (http::HeaderName::from_static(name), value.parse().unwrap())).collect()
}

fn no_body() -> GuestBody {
    GuestBody::new(Full::new(Bytes::new()).map_err(|never| match never {}).boxed_unsync())
}

/// A body that comes in these pieces.
fn body<const N: usize>(pieces: [&'static str; N]) -> GuestBody {
    let (sender, body) = OutgoingBody::new(None);
    tokio::spawn(async move {
        for piece in pieces {
            let _ = sender.send(Bytes::from(piece)).await;
        }
        let _ = sender.end().await;
    });
    GuestBody::new(body.boxed_unsync())
}

/// A server that reads one request a connection, answers it, and gives what it read.
async fn server(answer: &'static str) -> (u16, mpsc::UnboundedReceiver<String>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (came, requests) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut read = String::new();
            while !is_whole(&read) {
                let mut part = [0; 4096];
                let count = stream.read(&mut part).await.unwrap();
                read.push_str(&String::from_utf8_lossy(&part[..count]));
                if count == 0 {
                    break;
                }
            }
            let _ = came.send(read);
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    (port, requests)
}

fn is_whole(read: &str) -> bool {
    let Some((head, body)) = read.split_once("\r\n\r\n") else { return false };
    let head = head.to_ascii_lowercase();
    match head.lines().find_map(|line| line.strip_prefix("content-length: ")) {
        Some(length) => body.len() >= length.parse().unwrap(),
        None => !head.contains("transfer-encoding: chunked") || body.ends_with("0\r\n\r\n"),
    }
}

async fn text(answer: HttpAnswer) -> Result<String, CallError> {
    let AnswerBody::Streamed(body) = answer.body else { panic!("it is streamed") };
    Ok(String::from_utf8(body.collect().await?.to_bytes().to_vec()).unwrap())
}

const DONE: &str =
    "HTTP/1.1 200 OK\r\nconnection: close\r\nkeep-alive: timeout=5\r\ncontent-length: 3\r\nx-own: 1\r\n\r\nyes";

#[tokio::test]
async fn a_host_that_is_named_gets_the_request_as_it_is() {
    let (port, mut came) = server(DONE).await;
    let (requests, records) = requests(&[&format!("http://api.example.com:{port}")], CallLimits::default(), LOOPBACK);
    let request = HostRequest {
        method: Method::POST,
        target: "/a/b?c=d&e".into(),
        headers: headers(&[
            ("authorization", "Bearer own"),
            ("x-amz-acl", "anything"),
            ("content-length", "8"),
            ("expect", "100-continue"),
            ("te", "trailers"),
            ("user-agent", "guest/1"),
        ]),
        ..get("api.example.com", port)
    };
    let answer = requests.request(request, &mut body(["four", "more"])).await.unwrap();
    assert_eq!((answer.status.as_u16(), answer.headers.get("x-own").unwrap().as_bytes()), (200, &b"1"[..]));
    assert!(!answer.headers.contains_key("keep-alive") && !answer.headers.contains_key("connection"));
    assert_eq!(text(answer).await.unwrap(), "yes");

    let came = came.recv().await.unwrap();
    let (head, sent) = came.split_once("\r\n\r\n").unwrap();
    let mut lines: Vec<_> = head.lines().map(str::to_ascii_lowercase).collect();
    assert_eq!(lines.remove(0), "post /a/b?c=d&e http/1.1");
    lines.retain(|line| line != "accept: */*");
    lines.sort();
    let host = format!("host: api.example.com:{port}");
    assert_eq!(
        lines,
        ["authorization: bearer own", "content-length: 8", &host, "user-agent: guest/1", "x-amz-acl: anything"]
    );
    assert_eq!(sent, "fourmore");
    assert_eq!(requests.usage(), CallUsage { call_count: 1, bytes_sent: 8, bytes_received: 3 });

    let records = records.all();
    let shown: Vec<_> =
        records.iter().map(|record| (&record["event"], &record["decision"], &record["operation"])).collect();
    assert_eq!(
        shown,
        [(&json!("decision"), &json!("allow"), &json!("POST")), (&json!("end"), &json!("allow"), &json!("POST"))]
    );
    assert_eq!(records[1]["service"], format!("api.example.com:{port}"));
    assert_eq!(
        (&records[1]["bytesSent"], &records[1]["bytesReceived"], &records[1]["status"]),
        (&json!(8), &json!(3), &json!(200))
    );
    assert!(!format!("{records:?}").contains("own"), "no header and no path is recorded");
}

#[tokio::test]
async fn a_body_without_a_length_is_sent_in_pieces_and_an_empty_one_not_at_all() {
    let (port, mut came) = server(DONE).await;
    let (requests, records) = requests(&[&format!("http://api.example.com:{port}")], CallLimits::default(), LOOPBACK);
    let post = || HostRequest { method: Method::POST, ..get("api.example.com", port) };
    requests.request(post(), &mut body(["one", "two"])).await.unwrap();
    let text = came.recv().await.unwrap();
    assert!(text.contains("transfer-encoding: chunked") && text.contains("3\r\none\r\n3\r\ntwo\r\n"), "{text}");
    requests.request(get("api.example.com", port), &mut no_body()).await.unwrap();
    let text = came.recv().await.unwrap();
    assert!(!text.contains("transfer-encoding") && !text.contains("content-length"), "{text}");
    let ends: Vec<_> = records.all().into_iter().filter(|record| record["event"] == "end").collect();
    assert_eq!(ends[0]["bytesSent"], 6, "as many as there were");
    assert!(ends.iter().all(|end| end["outcome"] == "aborted"), "nobody read the answers: {ends:?}");
    requests.request(post(), &mut no_body()).await.unwrap();
    let text = came.recv().await.unwrap();
    assert!(text.contains("content-length: 0"), "{text}");
}

#[tokio::test]
async fn a_redirect_is_handed_over_and_not_followed() {
    let (port, mut came) = server("HTTP/1.1 302 Found\r\nconnection: close\r\nlocation: http://169.254.169.254/latest\r\ncontent-length: 0\r\n\r\n").await;
    let (requests, records) = requests(&[&format!("http://api.example.com:{port}")], CallLimits::default(), LOOPBACK);
    let answer = requests.request(get("api.example.com", port), &mut no_body()).await.unwrap();
    assert_eq!(answer.status.as_u16(), 302);
    assert_eq!(answer.headers["location"], "http://169.254.169.254/latest");
    // It has no body, so that it has ended when it is there.
    assert_eq!(records.all().pop().unwrap()["outcome"], "answered");
    assert!(came.recv().await.is_some());
    assert!(came.try_recv().is_err());
}

#[tokio::test]
async fn what_is_not_named_is_denied_and_never_looked_up() {
    let never: Names = Names { look_up: |name| panic!("{name} was looked up"), may_connect: |_| true };
    let names = ["api.example.com:443", "http://plain.example.com:8080", "abc.execute-api.us-east-1.amazonaws.com:443"];
    let (requests, records) = requests(&names, CallLimits::default(), never);
    let tls = |host: &str, port| HostRequest {
        address: HostAddress { name: host.into(), port, tls: true },
        ..get(host, port)
    };
    let customer = || tls("abc.execute-api.us-east-1.amazonaws.com", 443);
    let with = |fields: &[(&'static str, &str)]| HostRequest { headers: headers(fields), ..customer() };
    let asking = |target: &str| HostRequest { target: target.into(), ..customer() };
    let cases = [
        (tls("other.example.com", 443), "`other.example.com:443` is not among the hosts"),
        (tls("api.example.com", 8443), "which has `api.example.com:443`"),
        (get("api.example.com", 443), "`http://api.example.com:443` is not among"),
        (tls("plain.example.com", 8080), "which has `http://plain.example.com:8080`"),
        (tls("sub.api.example.com", 443), "is not among"),
        (tls("api.example.com.evil.example", 443), "is not among"),
        (tls("xabc.execute-api.us-east-1.amazonaws.com", 443), "is not among"),
        (HostRequest { method: Method::CONNECT, ..tls("api.example.com", 443) }, "CONNECT"),
        (
            with(&[("authorization", "AWS4-HMAC-SHA256 Credential=a/20261125/us-east-1/execute-api/aws4_request")]),
            "authorization",
        ),
        (with(&[("authorization", " aws key:signature")]), "authorization"),
        (with(&[("x-amz-security-token", "t")]), "x-amz-security-token"),
        (with(&[("x-amz-date", "20261125T000000Z")]), "x-amz-date"),
        (asking("/?X-Amz-Signature=0"), "x-amz-signature"),
        (asking("/?a=b&x%2Damz-credential=0"), "x-amz-credential"),
        (asking("/?AWSAccessKeyId=0"), "awsaccesskeyid"),
    ];
    let count = cases.len();
    for (request, said) in cases {
        let shown = format!("{request:?}");
        let error = requests.request(request, &mut no_body()).await.unwrap_err();
        assert!(matches!(error, CallError::Denied(_)) && error.to_string().contains(said), "{shown}: {error}");
    }
    let records = records.all();
    assert_eq!(records.len(), count);
    assert!(records.iter().all(|record| record["event"] == "decision" && record["decision"] == "deny"), "{records:#?}");
    assert_eq!(requests.usage(), CallUsage::default());
}

#[tokio::test]
async fn a_name_that_leads_to_no_public_address_is_not_connected_to() {
    let (port, mut came) = server(DONE).await;
    let names = ["private", "metadata", "loopback"].map(|name| format!("http://{name}.example.com:{port}"));
    let names = names.each_ref().map(String::as_str);
    let resolver = Names { look_up, may_connect: addresses::is_public };
    let (requests, records) = requests(&names, CallLimits::default(), resolver);
    for host in ["private.example.com", "metadata.example.com", "loopback.example.com"] {
        let error = requests.request(get(host, port), &mut no_body()).await.unwrap_err();
        assert!(error.to_string().contains("has no public address"), "{host}: {error}");
    }
    assert!(came.try_recv().is_err(), "nothing was connected to");
    let failed = records.all().into_iter().filter(|record| record["outcome"] == "failed").count();
    assert_eq!(failed, 3, "each was allowed and came to nothing");
}

#[tokio::test]
async fn connections_and_bytes_are_limited() {
    let (port, _came) = server(DONE).await;
    let name = format!("http://api.example.com:{port}");
    let limits = CallLimits { connections: 1, total_bytes: Some(9), ..CallLimits::default() };
    let (requests, records) = requests(&[&name], limits, LOOPBACK);
    let held = requests.request(get("api.example.com", port), &mut no_body()).await.unwrap();
    for _ in 0..3 {
        let error = requests.request(get("api.example.com", port), &mut no_body()).await.unwrap_err();
        assert!(error.to_string().contains("rolebox.limits.connections"), "{error}");
    }
    assert_eq!(text(held).await.unwrap(), "yes");
    // Three bytes have come; seven more are too many, in whichever direction.
    let post = HostRequest {
        method: Method::POST,
        headers: headers(&[("content-length", "7")]),
        ..get("api.example.com", port)
    };
    let error = requests.request(post, &mut body(["sevenby"])).await.unwrap_err();
    assert!(error.to_string().contains("rolebox.limits.totalBytes"), "{error}");
    let answer = requests.request(get("api.example.com", port), &mut no_body()).await.unwrap();
    let error = text(answer).await.unwrap_err();
    assert!(error.to_string().contains("rolebox.limits.totalBytes"), "{error}");
    requests.idle().await;
    let refusals: Vec<_> = records.all().into_iter().filter(|record| record["event"] == "refusals").collect();
    assert_eq!((refusals.len(), &refusals[0]["count"]), (1, &json!(3)), "{refusals:?}");
}

#[tokio::test]
async fn a_server_that_says_nothing_is_waited_for_so_long() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let limits = CallLimits { call_timeout: Duration::from_millis(50), ..CallLimits::default() };
    let (requests, _) = requests(&[&format!("http://api.example.com:{port}")], limits, LOOPBACK);
    let error = requests.request(get("api.example.com", port), &mut no_body()).await.unwrap_err();
    assert!(matches!(error, CallError::TimedOut), "{error}");
    // The head comes, and of the body the first byte.
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        read_until(&mut stream, "\r\n\r\n").await;
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\ny").await.unwrap();
        std::future::pending::<()>().await;
    });
    // Long enough for the head on a busy machine.
    let limits = CallLimits { call_timeout: Duration::from_secs(1), ..limits };
    let (requests, records) = self::requests(&[&format!("http://api.example.com:{port}")], limits, LOOPBACK);
    let answer = requests.request(get("api.example.com", port), &mut no_body()).await.unwrap();
    let error = text(answer).await.unwrap_err();
    assert!(matches!(error, CallError::TimedOut), "{error}");
    let last = records.all().pop().unwrap();
    assert_eq!((&last["outcome"], &last["bytesReceived"]), (&json!("failed"), &json!(1)), "{last:#?}");
}

/// Whatever ends it early, a body without a length must not look as if all of it had come.
#[tokio::test]
async fn a_body_that_is_cut_off_has_no_end() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (requests, records) = requests(&[&format!("http://api.example.com:{port}")], CallLimits::default(), LOOPBACK);
    let (pieces, body) = OutgoingBody::new(None);
    let (came, cut) = tokio::sync::oneshot::channel();
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut read = read_until(&mut stream, "first").await;
        // An answer that comes early takes nothing of the body's meaning.
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await.unwrap();
        came.send(()).unwrap();
        // Until the other side closes, or cuts the connection.
        let mut part = [0; 4096];
        while let Ok(count @ 1..) = stream.read(&mut part).await {
            read.push_str(&String::from_utf8_lossy(&part[..count]));
        }
        read
    });
    let feeding = tokio::spawn(async move {
        let _ = pieces.send(Bytes::from_static(b"first")).await;
        cut.await.unwrap();
        // Dropped without an end.
    });
    let post = HostRequest { method: Method::POST, ..get("api.example.com", port) };
    let outcome = requests.request(post, &mut GuestBody::new(body.boxed_unsync())).await;
    assert!(matches!(outcome, Err(CallError::InvalidRequest(_))), "{outcome:?}");
    feeding.await.unwrap();
    let read = server.await.unwrap();
    assert!(read.contains("first") && !read.contains("0\r\n\r\n"), "{read}");
    let last = records.all().pop().unwrap();
    assert_eq!((&last["outcome"], &last["bytesSent"]), (&json!("failed"), &json!(5)), "{last:#?}");
}

/// What comes, up to and with a text.
async fn read_until(stream: &mut tokio::net::TcpStream, text: &str) -> String {
    let (mut read, mut part) = (String::new(), [0; 4096]);
    while !read.contains(text) {
        let count = stream.read(&mut part).await.unwrap();
        assert!(count > 0, "the connection ended after {read:?}");
        read.push_str(&String::from_utf8_lossy(&part[..count]));
    }
    read
}

#[tokio::test]
async fn what_would_be_sent_otherwise_than_written_is_refused() {
    let (requests, records) = requests(&["api.example.com:443"], CallLimits::default(), LOOPBACK);
    for target in ["/a/../b", "/a/%2e%2e/b", "/a{b}", "/?a='b'", "/a b", "x", "@evil.example/", ":80/", "/a#b"] {
        let address = HostAddress { name: "api.example.com".into(), port: 443, tls: true };
        let request = HostRequest { address, target: target.into(), ..get("api.example.com", 443) };
        let error = requests.request(request, &mut no_body()).await.unwrap_err();
        assert!(matches!(error, CallError::InvalidRequest(_)), "{target}: {error}");
    }
    assert!(records.all().iter().all(|record| record["decision"] == "deny"));
}
