//! One connection: its requests one after the other.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use http::{Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpStream;
use tokio::sync::watch;
use wasmtime_wasi_http::WasiBody;

use super::socket::Socket;
use super::{HEAD_TIMEOUT, MAX_HEAD_BYTES, STALL_TIMEOUT, Stage, reached};

/// Serves `stream` until the client or `stage` ends it.
pub(super) async fn run<H, F>(stream: TcpStream, handler: H, mut stage: watch::Receiver<Stage>)
where
    H: Fn(Request<Incoming>) -> F,
    F: Future<Output = Response<WasiBody>>,
{
    // Answers are often small and always complete; without it each could wait for the client's acknowledgement.
    let _ = stream.set_nodelay(true);
    let asked = Arc::new(AtomicBool::new(false));
    let service = service_fn(|request| {
        asked.store(true, Ordering::Relaxed);
        let answer = handler(request);
        async { Ok::<_, Infallible>(answer.await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(MAX_HEAD_BYTES)
        .serve_connection(TokioIo::new(Socket::new(stream, STALL_TIMEOUT)), service);
    tokio::pin!(connection);
    tokio::select! {
        ended = connection.as_mut() => return end(ended),
        () = reached(&mut stage, Stage::Draining) => {}
    }
    // hyper takes a connection without any request for one at its first, and would wait for it.
    if !asked.load(Ordering::Relaxed) {
        return;
    }
    connection.as_mut().graceful_shutdown();
    tokio::select! {
        ended = connection.as_mut() => end(ended),
        () = reached(&mut stage, Stage::Cut) => {}
    }
}

fn end(ended: hyper::Result<()>) {
    if let Err(error) = ended {
        // Clients come and go; what a guest failed at is said where that is known.
        tracing::debug!(%error, "a connection ended early");
    }
}
