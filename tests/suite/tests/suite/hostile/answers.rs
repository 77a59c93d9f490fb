//! What a hostile or careless upstream answers, and what the guest sees of it.

use rolebox_suite::Host;
use serde_json::json;

use super::recorder::{KEY_ID, Received, TOKEN, Upstream};
use super::run::{BODY_LIMIT, Door, Printed, calls};

/// Name, answer, and lines that the guest must print, at the typed door and at `wasi:http`.
type Row = (&'static str, fn(&Received) -> Vec<u8>, &'static [&'static str], &'static [&'static str]);

fn answer(head: &str, body: &str) -> Vec<u8> {
    format!("HTTP/1.1 {head}\r\ncontent-length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

/// S3's answer to a wrong signature, with all that it quotes. Its `…Bytes` are hexadecimal.
fn mismatch(received: &Received) -> Vec<u8> {
    let (token, signature) = (received.header("x-amz-security-token").unwrap(), received.signature());
    assert_eq!(token, TOKEN);
    let in_hex: Vec<String> = token.bytes().map(|byte| format!("{byte:02x}")).collect();
    let body = format!(
        "<Error><Code>SignatureDoesNotMatch</Code><AWSAccessKeyId>{KEY_ID}</AWSAccessKeyId><StringToSign>\
         AWS4-HMAC-SHA256\nmarker</StringToSign><SignatureProvided>{signature}</SignatureProvided><StringToSignBytes>\
         41 57 53</StringToSignBytes><CanonicalRequest>PUT\nx-amz-security-token:{token}\nmarker</CanonicalRequest>\
         <CanonicalRequestBytes>{}</CanonicalRequestBytes><RequestId>R1</RequestId></Error>",
        in_hex.join(" ")
    );
    answer("403 Forbidden", &body)
}

const ROWS: &[Row] = &[
    (
        "redirect",
        |_| answer("307 Temporary Redirect\r\nlocation: http://169.254.169.254/latest/", ""),
        &["status 307", "header location: http://169.254.169.254/latest/"],
        &["status 307", "header location: http://169.254.169.254/latest/"],
    ),
    (
        "permanent-redirect",
        |_| answer("301 Moved Permanently\r\nlocation: https://evil.example/", "moved"),
        &["status 301", "moved"],
        &["status 301", "moved"],
    ),
    (
        "signature-mismatch",
        mismatch,
        &["status 403", "<Code>SignatureDoesNotMatch</Code>", "<RequestId>R1</RequestId>"],
        &["status 403", "<Code>SignatureDoesNotMatch</Code>", "<RequestId>R1</RequestId>"],
    ),
    (
        "echo-in-success",
        |received| answer("200 OK", &format!("{received:?}")),
        &["status 200", "[removed by the host]"],
        &["status 200", "[removed by the host]"],
    ),
    (
        "echo-in-a-field",
        |received| {
            let authorization = received.header("authorization").unwrap();
            answer(&format!("200 OK\r\nx-debug: {TOKEN}\r\nx-other: {authorization}"), "")
        },
        &["header x-debug: [removed by the host]", "header x-other: [removed by the host]"],
        &["header x-debug: [removed by the host]", "header x-other: [removed by the host]"],
    ),
    (
        "fields-of-the-connection",
        |_| answer("200 OK\r\nconnection: x-a\r\nkeep-alive: 1\r\nupgrade: h2c", "a"),
        &["status 200"],
        &["status 200"],
    ),
    (
        "garbage",
        |_| b"\x16\x03\x01 this is not HTTP\r\n\r\n".to_vec(),
        &["endpoint-unreachable: the connection failed to 127.0.0.1"],
        &["error: ErrorCode::DestinationUnavailable"],
    ),
    (
        "nothing",
        |_| Vec::new(),
        &["endpoint-unreachable: the connection failed to 127.0.0.1"],
        &["error: ErrorCode::DestinationUnavailable"],
    ),
    (
        "cut",
        |_| b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nshort".to_vec(),
        &["endpoint-unreachable: the connection failed to 127.0.0.1"],
        &["error: ErrorCode::DestinationUnavailable"],
    ),
    (
        "two-lengths",
        |_| b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab".to_vec(),
        &["endpoint-unreachable: the connection failed to 127.0.0.1"],
        &["error: ErrorCode::DestinationUnavailable"],
    ),
    (
        "too-large",
        |_| answer("200 OK", &"x".repeat(BODY_LIMIT + 1)),
        &["too-large: 1000000"],
        &["status 400", "EntityTooLarge"],
    ),
    (
        "too-large-without-a-length",
        |_| format!("HTTP/1.1 200 OK\r\n\r\n{}", "x".repeat(BODY_LIMIT + 1)).into_bytes(),
        &["too-large: 1000000"],
        &["status 400", "EntityTooLarge"],
    ),
    (
        "server-error-to-a-write",
        |_| answer("503 Slow Down", "<Error><Code>SlowDown</Code></Error>"),
        &["status 503", "SlowDown"],
        &["status 503", "SlowDown"],
    ),
];

#[tokio::test(flavor = "multi_thread")]
async fn answers() {
    let upstream = Upstream::start(|received| {
        let name = received.target.rsplit('/').next().unwrap_or_default();
        ROWS.iter().find(|row| row.0 == name).expect("a row").1(received)
    })
    .await;
    let host = Host::with(|settings| settings.with_aws(upstream.settings())).await;
    let capabilities = json!([{"action": "s3:PutObject", "resource": "arn:aws:s3:::bucket/*"}]);
    for door in [Door::Typed, Door::Http] {
        let lists: Vec<Vec<String>> = ROWS
            .iter()
            .map(|(name, ..)| {
                let words = match door {
                    Door::Typed => vec!["s3".to_owned(), "PUT".into(), format!("/bucket/{name}")],
                    Door::Http => {
                        vec!["https".into(), "s3.amazonaws.com".into(), "PUT".into(), format!("/bucket/{name}")]
                    }
                };
                [words, vec!["--body".into(), "data".into()]].concat()
            })
            .collect();
        let before = upstream.requests().len();
        let printed = calls(&host, door, &capabilities, &lists).await;
        let requests = upstream.requests().split_off(before);
        // No redirect is followed and no write is repeated; the first call is made again at the end.
        assert_eq!(requests.len(), ROWS.len() + 1);
        for ((row, printed), received) in ROWS.iter().zip(&printed).zip(&requests) {
            let expected = if door == Door::Typed { row.2 } else { row.3 };
            for line in expected {
                assert!(printed.0.contains(line), "{door:?} {}: no {line:?} in {printed:?}", row.0);
            }
            shows_nothing(printed, received, row.0);
        }
    }
    println!("hostile answers: {} (each through both doors)", ROWS.len());
}

/// The guest sees no signature, and nothing of what was signed.
fn shows_nothing(printed: &Printed, received: &Received, name: &str) {
    let in_hex: Vec<String> = TOKEN.bytes().map(|byte| format!("{byte:02x}")).collect();
    for gone in [received.signature(), TOKEN, KEY_ID, "marker", "41 57 53", &in_hex.join(" ")] {
        assert!(!printed.0.contains(gone), "{name}: {gone} in {printed:?}");
    }
    for field in ["connection", "keep-alive", "upgrade", "transfer-encoding"] {
        assert_eq!(printed.header(field), None, "{name}");
    }
}
