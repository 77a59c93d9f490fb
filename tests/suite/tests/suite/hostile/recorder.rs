//! An upstream that records every byte, and role sessions that no STS made.

use std::fmt::Write;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use memchr::memmem::find;
use rolebox::AwsSettings;
use rolebox::credentials::{AssumeRoleAnswer, RoleSessionRequest, Secret, Sts, StsFuture};
use rolebox::egress::Endpoints;
use rolebox_suite::ACCOUNT;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

pub(crate) const KEY_ID: &str = "ASIAHOSTILEEXAMPLE";
pub(crate) const SECRET: &str = "hostileSecretAccessKeyThatSigns";
pub(crate) const TOKEN: &str = "hostileSessionTokenThatGoesWithIt";

/// The header in which the upstream counts the requests that it has seen, the answered one included.
pub(crate) const COUNT: &str = "x-recorded";

/// One request as it came, field names in lower case.
#[derive(Clone, Debug, Default)]
pub(crate) struct Received {
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Received {
    /// The one field of this name; `None` where there is none. Two are a defect.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.iter().filter(|(field, _)| field == name).map(|(_, value)| value.as_str());
        let value = values.next();
        assert_eq!(values.next(), None, "{name} twice: {self:?}");
        value
    }

    pub(crate) fn signature(&self) -> &str {
        self.header("authorization").and_then(|value| value.rsplit_once("Signature=")).expect("it is signed").1
    }
}

/// What the upstream answers to a request.
type Answers = Arc<dyn Fn(&Received) -> Vec<u8> + Send + Sync>;

#[derive(Default)]
struct Log {
    requests: Vec<Received>,
    /// Bytes that are part of no request.
    stray: usize,
}

/// The upstream.
#[derive(Clone)]
pub(crate) struct Upstream {
    pub(crate) address: SocketAddr,
    log: Arc<Mutex<Log>>,
}

impl Upstream {
    /// Listens on a free port of loopback until the test ends.
    pub(crate) async fn start(answers: impl Fn(&Received) -> Vec<u8> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let upstream = Self { address: listener.local_addr().unwrap(), log: Arc::default() };
        let (log, answers): (_, Answers) = (upstream.log.clone(), Arc::new(answers));
        tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                tokio::spawn(serve(connection, log.clone(), answers.clone()));
            }
        });
        upstream
    }

    /// The requests so far. No byte has come that is not of one of them.
    pub(crate) fn requests(&self) -> Vec<Received> {
        let log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        assert_eq!(log.stray, 0, "bytes came that are part of no request");
        log.requests.clone()
    }

    /// Settings that send every call here, under sessions with the keys above.
    pub(crate) fn settings(&self) -> AwsSettings {
        let endpoints = Endpoints::public().with_every_service(&format!("http://{}", self.address)).unwrap();
        AwsSettings::with_sts("us-east-1".parse().unwrap(), Arc::new(ScriptedSts)).with_endpoints(endpoints)
    }
}

async fn serve(mut connection: TcpStream, log: Arc<Mutex<Log>>, answers: Answers) {
    let mut held = Vec::new();
    loop {
        while let Some((received, length)) = request(&held) {
            held.drain(..length);
            let count = {
                let mut log = log.lock().unwrap_or_else(PoisonError::into_inner);
                log.requests.push(received.clone());
                log.requests.len()
            };
            let answer = answers(&received);
            // An answer says how many requests there have been; one that is no HTTP stays as it is.
            let at = find(&answer, b"\r\n").map_or(0, |end| end + 2);
            let field = if answer.starts_with(b"HTTP/1.1 ") { format!("{COUNT}: {count}\r\n") } else { String::new() };
            let whole = [&answer[..at], field.as_bytes(), &answer[at..]].concat();
            if connection.write_all(&whole).await.is_err() || !framed(&answer) {
                return;
            }
        }
        match connection.read_buf(&mut held).await {
            Ok(length) if length > 0 => {}
            _ => break,
        }
    }
    log.lock().unwrap_or_else(PoisonError::into_inner).stray += held.len();
}

/// Whether an answer says where it ends, so that the connection can go on after it.
fn framed(answer: &[u8]) -> bool {
    let Some(head) = find(answer, b"\r\n\r\n") else { return false };
    let fields = answer[..head].to_ascii_lowercase();
    let Some(at) = find(&fields, b"content-length: ") else { return false };
    let digits: Vec<u8> = fields[at + 16..].iter().copied().take_while(u8::is_ascii_digit).collect();
    std::str::from_utf8(&digits).unwrap().parse() == Ok(answer.len() - head - 4)
}

/// The request that `bytes` begin with, once it is there whole, and its length. The host frames by length alone.
fn request(bytes: &[u8]) -> Option<(Received, usize)> {
    let head = find(bytes, b"\r\n\r\n")? + 4;
    let text = std::str::from_utf8(&bytes[..head - 4]).expect("a head in UTF-8");
    let mut lines = text.split("\r\n");
    let mut first = lines.next().unwrap_or_default().split(' ');
    let (Some(method), Some(target), Some("HTTP/1.1"), None) = (first.next(), first.next(), first.next(), first.next())
    else {
        panic!("no request line: {text}")
    };
    let mut received = Received { method: method.to_owned(), target: target.to_owned(), ..Received::default() };
    for line in lines {
        let (name, value) = line.split_once(':').expect("a field");
        assert!(!value.contains(['\r', '\n']) && !name.contains(char::is_whitespace), "{line:?}");
        received.headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    assert_eq!(received.header("transfer-encoding"), None, "{text}");
    let length: usize = received.header("content-length").map_or(0, |value| value.parse().expect("a length"));
    received.body = bytes.get(head..head + length)?.to_vec();
    Some((received, head + length))
}

/// `bytes` in lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

/// Gives every role the same keys, without a word to anybody.
#[derive(Debug)]
struct ScriptedSts;

impl Sts for ScriptedSts {
    fn assume_role<'a>(&'a self, request: &'a RoleSessionRequest) -> StsFuture<'a, AssumeRoleAnswer> {
        let session = request.session_name();
        let answer = AssumeRoleAnswer {
            access_key_id: Secret::new(KEY_ID.into()),
            secret_access_key: Secret::new(SECRET.into()),
            session_token: Secret::new(TOKEN.into()),
            expiration: Some(SystemTime::now() + Duration::from_secs(3600)),
            assumed_role_arn: format!("arn:aws:sts::{ACCOUNT}:assumed-role/{}/{session}", request.role().name()),
            packed_policy_size: None,
        };
        Box::pin(std::future::ready(Ok(answer)))
    }

    fn caller_identity(&self) -> StsFuture<'_, String> {
        Box::pin(std::future::ready(Ok(format!("arn:aws:iam::{ACCOUNT}:user/host"))))
    }
}
