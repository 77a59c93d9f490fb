//! The server that all S3 calls of a table are sent to: it takes and gives bytes and does nothing else.
//!
//! So that a client's own cost is not hidden behind a server's. It runs in a process of its own, whose processor time
//! is not counted. It stores nothing, and checks only that a request is signed at all where its path does not begin
//! with `/unsigned`; that what is sent here would be accepted is checked beforehand against the embedded AWS, which
//! verifies it.

use std::convert::Infallible;
use std::io::{BufRead, BufReader, Write};
use std::net::Ipv4Addr;
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;

/// The longest object that it gives.
const LONGEST: usize = 64 << 20;

/// A server in a process of its own, which is killed when this is dropped.
pub(crate) struct Server {
    process: Child,
    url: String,
}

impl Server {
    /// Starts one on a free port of the loopback.
    pub(crate) fn start() -> Result<Self> {
        let program = std::env::current_exe().context("this program's own path")?;
        let mut process = Command::new(program)
            .arg("serve")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("the server's process cannot be started")?;
        let mut url = String::new();
        let out = process.stdout.take().context("the server's output")?;
        BufReader::new(out).read_line(&mut url).context("the server says nothing")?;
        Ok(Self { process, url: url.trim().to_owned() })
    }

    /// Where it listens.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Serves until its input ends, as it does with the process that started it. Prints where.
pub(crate) fn serve() -> Result<()> {
    std::thread::spawn(|| {
        let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
        std::process::exit(0);
    });
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().context("a runtime")?;
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.context("a free port")?;
        let mut out = std::io::stdout();
        writeln!(out, "http://{}", listener.local_addr()?)?;
        out.flush()?;
        let longest = Bytes::from(vec![7; LONGEST]);
        loop {
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            let longest = longest.clone();
            tokio::spawn(async move {
                let answer = service_fn(|request| answer(request, longest.clone()));
                // A client that goes away is no failure.
                let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), answer).await;
            });
        }
    })
}

/// `GET …/N` gives N bytes; a body of a PUT is read to its end.
async fn answer(request: Request<hyper::body::Incoming>, longest: Bytes) -> Result<Response<Full<Bytes>>, Infallible> {
    let signed = request.headers().get("authorization").is_some_and(|value| value.as_bytes().starts_with(b"AWS4-"));
    let path = request.uri().path().to_owned();
    let body = match *request.method() {
        _ if !signed && !path.starts_with("/unsigned") => None,
        Method::PUT => {
            let mut body = request.into_body();
            while let Some(Ok(_)) = body.frame().await {}
            Some(Bytes::new())
        }
        Method::GET => {
            let length = path.rsplit('/').next().and_then(|last| last.parse::<usize>().ok());
            length.filter(|length| *length <= LONGEST).map(|length| longest.slice(..length))
        }
        _ => None,
    };
    let status = if body.is_some() { StatusCode::OK } else { StatusCode::BAD_REQUEST };
    let mut response = Response::new(Full::new(body.unwrap_or_default()));
    *response.status_mut() = status;
    let fields = response.headers_mut();
    for (name, value) in [
        ("x-amz-request-id", "79104EXAMPLEB723"),
        ("etag", "\"d41d8cd98f00b204e9800998ecf8427e\""),
        ("content-type", "binary/octet-stream"),
    ] {
        fields.insert(name, http::HeaderValue::from_static(value));
    }
    Ok(response)
}
