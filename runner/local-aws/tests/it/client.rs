//! A client that signs with `aws-sigv4`, lets a test change anything afterwards, and writes the bytes itself.

use std::net::SocketAddr;
use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SigningSettings, UriPathNormalizationMode,
    sign,
};
use aws_sigv4::sign::v4;
use rolebox_local_aws::{DataFolder, LocalAws, ManualClock, Roles, Server};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// 2026-11-25T12:00:00Z: far from midnight, so that skewed times stay on the same day.
pub(crate) fn noon() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_608_000)
}

/// A server with a clock that stands still.
pub(crate) struct Local {
    pub(crate) server: Server,
    pub(crate) clock: ManualClock,
}

impl Local {
    pub(crate) async fn start(roles: &str) -> Self {
        Self::start_at(roles, DataFolder::Temporary).await
    }

    pub(crate) async fn start_at(roles: &str, data: DataFolder) -> Self {
        let clock = ManualClock::new(noon());
        let aws = LocalAws::builder(Roles::from_json(roles).unwrap())
            .data(data)
            .clock(clock.clock())
            .max_body(32 * 1024 * 1024)
            .build()
            .unwrap();
        let server = aws.start("127.0.0.1:0".parse().unwrap()).await.unwrap();
        Self { server, clock }
    }

    pub(crate) fn aws(&self) -> &LocalAws {
        self.server.aws()
    }

    pub(crate) fn host_key(&self) -> Key {
        let [_, _, id, secret] = self.server.environment();
        Key { id: id.value, secret: secret.value, token: None }
    }

    /// A request to S3.
    pub(crate) fn s3(&self, key: &Key, method: &str, target: &str) -> Call {
        Call::new(self.server.address(), key, "s3", self.clock.now(), method, target)
    }

    /// A request to STS, with the API's version added.
    pub(crate) fn sts(&self, key: &Key, parameters: &[(&str, &str)]) -> Call {
        let mut body = String::from("Version=2011-06-15");
        for (name, value) in parameters {
            body.push_str(&format!("&{}={}", encode(name), encode(value)));
        }
        Call::new(self.server.address(), key, "sts", self.clock.now(), "POST", "/")
            .header("content-type", "application/x-www-form-urlencoded")
            .body(body)
    }

    /// Assumes a role as the host, which must succeed.
    pub(crate) async fn assume(&self, role: &str, more: &[(&str, &str)]) -> Key {
        self.assume_with(&self.host_key(), role, more).await
    }

    pub(crate) async fn assume_with(&self, key: &Key, role: &str, more: &[(&str, &str)]) -> Key {
        let reply = self.sts(key, &assume_parameters(&role_arn(role), more)).send().await;
        assert_eq!(reply.status, 200, "{}", reply.body);
        Key {
            id: reply.element("AccessKeyId"),
            secret: reply.element("SecretAccessKey"),
            token: Some(reply.element("SessionToken")),
        }
    }

    /// A bucket of the account, made with full rights.
    pub(crate) async fn bucket(&self, key: &Key, name: &str) {
        self.s3(key, "PUT", &format!("/{name}")).send().await.expect(200, "");
    }
}

pub(crate) fn role_arn(name: &str) -> String {
    format!("arn:aws:iam::123456789012:role/{name}")
}

pub(crate) fn assume_parameters<'a>(role_arn: &'a str, more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let mut parameters = vec![("Action", "AssumeRole"), ("RoleArn", role_arn)];
    if !more.iter().any(|(name, _)| *name == "RoleSessionName") {
        parameters.push(("RoleSessionName", "task-1"));
    }
    parameters.extend_from_slice(more);
    parameters
}

/// A roles file of one trusting role for each name, with these policies.
pub(crate) fn roles(roles: &[(&str, &str)]) -> String {
    let roles: Vec<String> = roles
        .iter()
        .map(|(name, policies)| {
            format!(
                r#"{{"name": "{name}", "trustPolicy": {{"Version": "2012-10-17", "Statement": [{{"Effect": "Allow",
                    "Principal": {{"AWS": "arn:aws:iam::123456789012:root"}}, "Action": "sts:AssumeRole"}}]}}, {policies}}}"#
            )
        })
        .collect();
    format!(r#"{{"roles": [{}]}}"#, roles.join(","))
}

/// The `policies` of a role: one document with these statements.
pub(crate) fn policies(statements: &str) -> String {
    format!(r#""policies": [{{"Version": "2012-10-17", "Statement": [{statements}]}}]"#)
}

pub(crate) const FULL: &str = r#""managedPolicyArns": ["arn:aws:iam::aws:policy/AmazonS3FullAccess"]"#;

#[derive(Clone, Debug)]
pub(crate) struct Key {
    pub(crate) id: String,
    pub(crate) secret: String,
    pub(crate) token: Option<String>,
}

/// A request before it is signed.
#[derive(Clone)]
pub(crate) struct Call {
    address: SocketAddr,
    key: Key,
    pub(crate) service: String,
    pub(crate) region: String,
    pub(crate) time: SystemTime,
    method: String,
    target: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    /// What the signature says about the body when that is not its digest.
    payload: Option<String>,
}

impl Call {
    fn new(address: SocketAddr, key: &Key, service: &str, time: SystemTime, method: &str, target: &str) -> Self {
        Self {
            address,
            key: key.clone(),
            service: service.into(),
            region: "us-east-1".into(),
            time,
            method: method.into(),
            target: target.into(),
            headers: Vec::new(),
            body: Vec::new(),
            payload: None,
        }
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    pub(crate) fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    pub(crate) fn payload(mut self, payload: &str) -> Self {
        self.payload = Some(payload.into());
        self
    }

    pub(crate) fn region(mut self, region: &str) -> Self {
        self.region = region.into();
        self
    }

    pub(crate) fn service(mut self, service: &str) -> Self {
        self.service = service.into();
        self
    }

    pub(crate) fn time(mut self, time: SystemTime) -> Self {
        self.time = time;
        self
    }

    /// The signed request, for a test to change.
    pub(crate) fn sign(self) -> Signed {
        let identity = Credentials::new(&self.key.id, &self.key.secret, self.key.token.clone(), None, "test").into();
        let mut settings = SigningSettings::default();
        if self.service == "s3" {
            settings.percent_encoding_mode = PercentEncodingMode::Single;
            settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
            settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
        }
        let parameters = v4::SigningParams::builder()
            .identity(&identity)
            .region(&self.region)
            .name(&self.service)
            .time(self.time)
            .settings(settings)
            .build()
            .unwrap()
            .into();
        let mut headers = vec![("host".to_owned(), self.address.to_string())];
        headers.extend(self.headers.iter().cloned());
        let uri = format!("http://{}{}", self.address, self.target);
        let body = match &self.payload {
            Some(payload) => SignableBody::Precomputed(payload.clone()),
            None => SignableBody::Bytes(&self.body),
        };
        let pairs = headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let request = SignableRequest::new(&self.method, uri.as_str(), pairs, body).unwrap();
        let (instructions, signature) = sign(request, &parameters).unwrap().into_parts();
        headers.extend(instructions.headers().map(|(name, value)| (name.to_owned(), value.to_owned())));
        Signed {
            address: self.address,
            method: self.method,
            target: self.target,
            headers,
            body: self.body,
            chunked: false,
            signature,
        }
    }

    pub(crate) async fn send(self) -> Reply {
        self.sign().send().await
    }
}

/// A signed request.
pub(crate) struct Signed {
    pub(crate) address: SocketAddr,
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    /// Whether the body goes in HTTP's own chunks, without a length.
    pub(crate) chunked: bool,
    pub(crate) signature: String,
}

impl Signed {
    pub(crate) fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(other, _)| other != name);
        self
    }

    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    pub(crate) fn replaced(self, name: &str, value: &str) -> Self {
        self.without(name).with(name, value)
    }

    /// Changes the `Authorization` header's text.
    pub(crate) fn authorization(mut self, from: &str, to: &str) -> Self {
        for (name, value) in &mut self.headers {
            if name == "authorization" {
                assert!(value.contains(from), "{from} is not in the header");
                *value = value.replace(from, to);
            }
        }
        self
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut text = format!("{} {} HTTP/1.1\r\n", self.method, self.target);
        for (name, value) in &self.headers {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        if self.chunked {
            text.push_str("transfer-encoding: chunked\r\n");
        } else if !self.body.is_empty() || matches!(self.method.as_str(), "PUT" | "POST") {
            text.push_str(&format!("content-length: {}\r\n", self.body.len()));
        }
        text.push_str("connection: close\r\n\r\n");
        let mut bytes = text.into_bytes();
        if self.chunked {
            bytes.extend(format!("{:x}\r\n", self.body.len()).into_bytes());
            bytes.extend(&self.body);
            bytes.extend(b"\r\n0\r\n\r\n");
        } else {
            bytes.extend(&self.body);
        }
        bytes
    }

    pub(crate) async fn send(self) -> Reply {
        exchange(self.address, &self.bytes()).await
    }
}

/// As [`exchange`], with the writing half closed, so that a server which waits for more sees that there is none.
pub(crate) async fn exchange_and_close(address: SocketAddr, bytes: &[u8]) -> Reply {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    stream.shutdown().await.unwrap();
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    Reply::parse(&answer)
}

/// Writes bytes and reads the answer to its end, both at once. A server that stops reading is found by its answer.
pub(crate) async fn exchange(address: SocketAddr, bytes: &[u8]) -> Reply {
    let (mut reader, mut writer) = TcpStream::connect(address).await.unwrap().into_split();
    let mut answer = Vec::new();
    let (_, _) = tokio::join!(writer.write_all(bytes), reader.read_to_end(&mut answer));
    Reply::parse(&answer)
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Reply {
    pub(crate) fn parse(bytes: &[u8]) -> Self {
        let text = String::from_utf8_lossy(bytes);
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
        let mut lines = head.split("\r\n");
        let status = lines.next().and_then(|line| line.split(' ').nth(1)).and_then(|code| code.parse().ok());
        let headers: Vec<(String, String)> = lines
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
            .collect();
        let body = match headers.iter().any(|(name, value)| name == "transfer-encoding" && value == "chunked") {
            true => dechunk(body),
            false => body.to_owned(),
        };
        Self { status: status.unwrap_or_default(), headers, body }
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn element(&self, name: &str) -> String {
        let open = format!("<{name}>");
        let rest = self.body.split_once(&open).map(|(_, rest)| rest);
        rest.and_then(|rest| rest.split_once("</")).map(|(text, _)| text.to_owned()).unwrap_or_default()
    }

    pub(crate) fn elements(&self, name: &str) -> Vec<String> {
        let open = format!("<{name}>");
        self.body
            .split(&open)
            .skip(1)
            .filter_map(|rest| rest.split_once("</"))
            .map(|(text, _)| text.to_owned())
            .collect()
    }

    /// Asserts status and error code; an empty code means none.
    #[track_caller]
    pub(crate) fn expect(&self, status: u16, code: &str) -> &Self {
        assert_eq!((self.status, self.element("Code").as_str()), (status, code), "{}", self.body);
        self
    }
}

fn dechunk(mut text: &str) -> String {
    let mut whole = String::new();
    while let Some((length, rest)) = text.split_once("\r\n") {
        let length = usize::from_str_radix(length, 16).unwrap_or_default();
        if length == 0 {
            break;
        }
        whole.push_str(&rest[..length]);
        text = &rest[length + 2..];
    }
    whole
}

pub(crate) fn encode(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
            _ => format!("%{byte:02X}"),
        })
        .collect()
}
