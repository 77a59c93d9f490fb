//! A request that `explain --request` is asked about, taken apart as the guest's door takes one apart.
//!
//! The URL goes through the same `http::Uri` as a request over `wasi:http`, and everything behind it through the same
//! parser. Absent: what wasmtime refuses before the host sees a request, such as a guest's own `Host` header; the parser
//! does not rely on that, and drops or refuses such fields by itself.

use std::fs::File;
use std::io::Read;
use std::os::unix::ffi::OsStrExt;

use bytes::Bytes;
use http::Uri;
use http::uri::Scheme;
use rolebox_aws_request::Call;
use rolebox_aws_request::host::{self, AwsHost, Host};

use crate::arguments::RequestArguments;
use crate::failure::Failure;

/// The words of a request. Nothing of them has been judged.
#[derive(Debug)]
pub(crate) struct Request {
    /// As it was given: `PUT https://…`.
    line: Vec<u8>,
    headers: Vec<Vec<u8>>,
    /// None where it has more bytes than the definition lets a body have.
    body: Option<Bytes>,
    body_limit: u64,
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
        let mut body = Vec::new();
        if let Some(file) = &arguments.body {
            File::open(file)
                .and_then(|opened| opened.take(body_limit.saturating_add(1)).read_to_end(&mut body))
                .map_err(|error| {
                    let context = format!("{}: the request's body cannot be read", file.display());
                    Failure::runner(error).context(context)
                })?;
        }
        Ok(Some(Self {
            line: line.as_bytes().to_vec(),
            headers: arguments.headers.iter().map(|header| header.as_bytes().to_vec()).collect(),
            body: (body.len() as u64 <= body_limit).then(|| body.into()),
            body_limit,
        }))
    }

    /// The method and URL, for people.
    pub(crate) fn shown(&self) -> String {
        String::from_utf8_lossy(&self.line).into_owned()
    }

    /// The AWS host that it addresses, and the call that it is there.
    pub(crate) fn call(&self) -> Result<(AwsHost, Call), Unparsed> {
        let nowhere = |reason: String| Unparsed { service: None, reason };
        let (method, uri) = self.method_and_uri().map_err(nowhere)?;
        let host = aws_host(&uri).map_err(nowhere)?;
        let refused = |reason: String| Unparsed { service: Some(host.service.clone()), reason };
        let headers = self.headers.iter().map(|header| field(header)).collect::<Result<_, _>>().map_err(refused)?;
        let body = self.body.clone().ok_or_else(|| {
            let limit = self.body_limit;
            refused(format!("the body is larger than the task's limit of {limit} bytes (`rolebox.limits.bodyBytes`)"))
        })?;
        let target = uri.path_and_query().map_or("/", |target| target.as_str());
        match Call::from_wire(&host, method, target, headers, body) {
            Ok(call) => Ok((host, call)),
            Err(refusal) => Err(refused(refusal.to_string())),
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

/// The AWS API that the URI addresses: as for a guest, over TLS and no other.
fn aws_host(uri: &Uri) -> Result<AwsHost, String> {
    let https = uri.scheme() == Some(&Scheme::HTTPS);
    let authority = uri.authority().map(|authority| authority.as_str()).unwrap_or_default();
    match host::from_authority(authority, https).map_err(|refusal| refusal.to_string())? {
        Host::Aws(host) if https => Ok(host),
        Host::Aws(_) => Err(format!("{authority} is called over TLS only; write https://")),
        _ => Err(format!("the host {authority} is not AWS's, and no other can be reached")),
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
