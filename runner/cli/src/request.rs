//! A request that `explain --request` is asked about, taken apart as the guest's door takes one apart.
//!
//! The URL goes through the same `http::Uri` as a request over `wasi:http`, and everything behind it through the same
//! parser. Absent: what wasmtime refuses before the host sees a request, such as a guest's own `Host` header; the parser
//! does not rely on that, and drops or refuses such fields by itself.

use std::fs::File;
use std::io::Read;
use std::os::unix::ffi::OsStrExt;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Uri};
use rolebox::egress::{Destination, HostRequest};
use rolebox_aws_request::Call;
use rolebox_aws_request::host::AwsHost;

use crate::arguments::RequestArguments;
use crate::failure::Failure;

/// The words of a request. Nothing of them has been judged.
#[derive(Debug)]
pub(crate) struct Request {
    /// As it was given: `PUT https://…`.
    line: Vec<u8>,
    headers: Vec<Vec<u8>>,
    /// None where it has more bytes than the definition lets the host hold.
    body: Option<Bytes>,
    body_length: u64,
    body_limit: u64,
}

/// What a request is to the host.
#[derive(Debug)]
pub(crate) enum Addressed {
    /// A call to an AWS API.
    Aws { host: AwsHost, call: Call, body: Body },
    /// A request to another host.
    Host(HostRequest),
}

/// How a call's body is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Body {
    Whole,
    /// While it comes in, since it is too long to be held.
    Streamed,
}

/// A request that was denied before its operation was known.
#[derive(Debug)]
pub(crate) struct Unparsed {
    /// The endpoint prefix of the AWS service, where the host name is one.
    pub(crate) service: Option<String>,
    pub(crate) reason: String,
}

impl Request {
    /// The request of the arguments, if they name one. Of its body no more than `body_limit` bytes are held.
    pub(crate) fn read(arguments: &RequestArguments, body_limit: u64) -> Result<Option<Self>, Failure> {
        let Some(line) = &arguments.request else {
            return Ok(None);
        };
        let (mut body, mut body_length) = (Vec::new(), 0);
        if let Some(file) = &arguments.body {
            let read = File::open(file).and_then(|opened| {
                body_length = opened.metadata()?.len();
                opened.take(body_limit.saturating_add(1)).read_to_end(&mut body)
            });
            let read = read.map_err(|error| {
                let context = format!("{}: the request's body cannot be read", file.display());
                Failure::runner(error).context(context)
            })?;
            // What is no regular file does not tell its length.
            body_length = body_length.max(read as u64);
        }
        Ok(Some(Self {
            line: line.as_bytes().to_vec(),
            headers: arguments.headers.iter().map(|header| header.as_bytes().to_vec()).collect(),
            body: (body.len() as u64 <= body_limit).then(|| body.into()),
            body_length,
            body_limit,
        }))
    }

    /// The method and URL, for people.
    pub(crate) fn shown(&self) -> String {
        String::from_utf8_lossy(&self.line).into_owned()
    }

    /// The most that the host holds of a body, in bytes.
    pub(crate) fn body_limit(&self) -> u64 {
        self.body_limit
    }

    /// The host that it addresses, and what it is there.
    pub(crate) fn addressed(&self) -> Result<Addressed, Unparsed> {
        let nowhere = |reason: String| Unparsed { service: None, reason };
        let (method, uri) = self.method_and_uri().map_err(nowhere)?;
        let destination = Destination::of(&uri).map_err(|error| nowhere(error.to_string()))?;
        let target = uri.path_and_query().map_or("/", |target| target.as_str());
        let fields = || self.headers.iter().map(|header| field(header)).collect::<Result<Vec<_>, _>>();
        match destination {
            Destination::Aws(host) => {
                let refused = |reason: String| Unparsed { service: Some(host.service.clone()), reason };
                let mut headers = fields().map_err(refused)?;
                let body = if self.body.is_some() { Body::Whole } else { Body::Streamed };
                if body == Body::Streamed
                    && !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-length"))
                {
                    // As any client does that knows its body.
                    headers.push(("content-length".to_owned(), self.body_length.to_string().into_bytes()));
                }
                match Call::from_wire(&host, method, target, headers, self.body.clone().unwrap_or_default()) {
                    Ok(call) => Ok(Addressed::Aws { host, call, body }),
                    Err(refusal) => Err(refused(refusal.to_string())),
                }
            }
            Destination::Host(address) => {
                let mut headers = HeaderMap::new();
                for (name, value) in fields().map_err(nowhere)? {
                    let name = HeaderName::from_bytes(name.as_bytes()).map_err(|error| nowhere(error.to_string()))?;
                    let value = HeaderValue::from_bytes(&value).map_err(|error| nowhere(error.to_string()))?;
                    headers.append(name, value);
                }
                let method = method.parse().map_err(|_| nowhere(format!("`{method}` is no method")))?;
                Ok(Addressed::Host(HostRequest {
                    method,
                    address,
                    target: target.to_owned(),
                    headers,
                    first_byte: None,
                }))
            }
            _ => Err(nowhere("the request goes nowhere that is known".to_owned())),
        }
    }

    fn method_and_uri(&self) -> Result<(&str, Uri), String> {
        let line = str::from_utf8(&self.line).map_err(|_| "the request is not UTF-8; percent-encode its path")?;
        let (method, url) = line
            .split_once(' ')
            .ok_or("the request is not a method and a URL with one space between them; write GET https://…")?;
        if url.contains('#') {
            // A fragment is never sent, so either the key is cut short or the URL is not what is meant.
            return Err("the URL holds a `#`, and what follows one is never sent; write %23 for a `#` in a key".into());
        }
        match url.parse::<Uri>() {
            Ok(uri) => Ok((method, uri)),
            Err(error) => Err(format!("the URL cannot be read: {error}; percent-encode what is not plain ASCII")),
        }
    }
}

/// `NAME: VALUE`. What the two may hold is the parser's to say.
fn field(header: &[u8]) -> Result<(String, Vec<u8>), String> {
    let shown = || String::from_utf8_lossy(header).escape_debug().to_string();
    let colon = header
        .iter()
        .position(|byte| *byte == b':')
        .ok_or_else(|| format!("header `{}`: it has no colon; write NAME: VALUE", shown()))?;
    let name = str::from_utf8(&header[..colon]).map_err(|_| format!("header `{}`: its name is not ASCII", shown()))?;
    let value = &header[colon + 1..];
    Ok((name.to_owned(), value.strip_prefix(b" ").unwrap_or(value).to_vec()))
}
