//! The port: connections in, answers out, and an end that comes in bounded time.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::{JoinHandle, JoinSet};

use crate::local_aws::{EnvironmentVariable, LocalAws};

/// How many connections are served at once; more wait in the kernel's queue. Each may hold [`MAX_HEADER_BYTES`] and one
/// body's buffers.
const MAX_CONNECTIONS: usize = 1_024;
/// How much of a request's line and headers is read. S3's own limit is 8 KiB; the longest session token needs more.
const MAX_HEADER_BYTES: usize = 64 * 1024;
/// How long a client may take over a request's headers, and how long a connection may be idle.
const HEADER_TIME: Duration = Duration::from_secs(60);
/// How long requests in flight may go on after the end was asked for.
const SHUTDOWN_TIME: Duration = Duration::from_secs(5);
/// How long to wait when the system has no connection to give, mostly because all file descriptors are in use.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// A [`LocalAws`] that is being served. Dropping it ends the service at once.
#[derive(Debug)]
pub struct Server {
    aws: LocalAws,
    address: SocketAddr,
    end: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Server {
    pub(crate) fn start(aws: LocalAws, listener: TcpListener) -> io::Result<Self> {
        let address = listener.local_addr()?;
        let (end, mut ended) = watch::channel(false);
        let shutdown = async move { until_ended(&mut ended).await };
        let task = tokio::spawn(serve(aws.clone(), listener, shutdown));
        Ok(Self { aws, address, end, task })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The emulator: its sessions, requests and data.
    pub fn aws(&self) -> &LocalAws {
        &self.aws
    }

    /// `AWS_ENDPOINT_URL`, `AWS_REGION`, `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY` of a client that is the host.
    pub fn environment(&self) -> [EnvironmentVariable; 4] {
        self.aws.environment(self.address)
    }

    /// Ends the service: no new connections, idle ones are closed, and requests in flight get five seconds.
    pub async fn shutdown(mut self) {
        self.end.send_replace(true);
        let _ = (&mut self.task).await;
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Aborting the task drops its set of connections, which aborts those.
        self.task.abort();
    }
}

/// Serves `aws` on `listener` until `shutdown` is ready, and then until requests in flight are answered, at most five
/// seconds.
pub async fn serve(aws: LocalAws, listener: TcpListener, shutdown: impl Future<Output = ()>) {
    let (end, ended) = watch::channel(false);
    let free = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let mut connections = JoinSet::new();
    let mut shutdown = std::pin::pin!(shutdown);
    loop {
        let accepted = tokio::select! {
            () = &mut shutdown => break,
            Some(_) = connections.join_next() => continue,
            accepted = accept(&listener, &free) => accepted,
        };
        match accepted {
            Ok((stream, peer, permit)) => {
                let (aws, ended) = (aws.clone(), ended.clone());
                connections.spawn(async move {
                    serve_connection(aws, stream, peer, ended).await;
                    drop(permit);
                });
            }
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    drop(listener);
    end.send_replace(true);
    let finished = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(SHUTDOWN_TIME, finished).await.is_err() {
        connections.shutdown().await;
    }
}

async fn until_ended(ended: &mut watch::Receiver<bool>) {
    // An error means that the sender is gone, which is an end as well.
    let _ = ended.wait_for(|ended| *ended).await;
}

async fn accept(
    listener: &TcpListener,
    free: &Arc<Semaphore>,
) -> io::Result<(TcpStream, SocketAddr, Option<tokio::sync::OwnedSemaphorePermit>)> {
    // The semaphore is never closed, so there is always a permit in the end.
    let permit = Arc::clone(free).acquire_owned().await.ok();
    let (stream, peer) = listener.accept().await?;
    Ok((stream, peer, permit))
}

async fn serve_connection(aws: LocalAws, stream: TcpStream, peer: SocketAddr, mut ended: watch::Receiver<bool>) {
    // Answers are written whole; waiting to fill a packet would only delay them.
    let _ = stream.set_nodelay(true);
    let service = service_fn(|request| {
        let aws = aws.clone();
        async move { Ok::<_, Infallible>(aws.answer(request, peer).await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIME)
        .max_buf_size(MAX_HEADER_BYTES)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = std::pin::pin!(connection);
    let result = tokio::select! {
        result = &mut connection => result,
        () = until_ended(&mut ended) => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = result {
        tracing::debug!(%error, "a connection ended early");
    }
}
