//! A container that serves: a listener, and an instance of the image for each request.
//!
//! The container runs from when it listens until its task ends. Each request has a store of its own, under the container's
//! `memory` and the task's `timeout` and `cpuTime`, and runs on the guest threads in the task's share; the role session,
//! the bounds on calls and the volumes are the task's. What a request does to its instance ends that request:
//!
//! - A request that there is no place for is answered with 503 at once: places are `requestsInFlight`, the task's own
//!   `memory`, and the engine's pool. Nothing waits in a queue.
//! - A guest that traps, uses up its memory or its output, or ends without an answer is a 500; an answer that HTTP does not
//!   have a 502; one that takes too long a 504. When the answer has begun there is no other: its connection is cut, so that
//!   nobody takes the part for the whole.
//! - A client that goes away before it has the answer takes the instance with it, as soon as it is noticed.
//! - A guest may go on after its answer is away, until it returns or its time is over; its place stays taken.
//!
//! When the task is to end, the listener closes, and requests in flight get [`DRAIN_GRACE`]. A server ends only because it
//! is asked to, so one that had answered all by then ended well.
//!
//! Absent: an instance for several requests, which would let one client's request see what another one left in memory.

mod admission;
mod request;

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use serde::Serialize;
use tokio::sync::watch;
use tokio::task::JoinHandle;

pub(super) use self::admission::Admission;
use super::Shared;
use super::container::PreparedContainer;
use super::usage::ContainerUsage;
use crate::cpu::TaskShare;
use crate::definition::PortMapping;
use crate::host::{AwsCtx, FileWork};
use crate::output::OutputQueue;
use crate::serve;
pub(super) use crate::serve::Stage;

/// How long requests in flight have when their task is to end. With the two graces that follow it, for output and for the
/// audit, a task still ends within 10 s.
pub(super) const DRAIN_GRACE: Duration = Duration::from_secs(5);

/// Where a container is served: ECS's network binding.
/// <https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_NetworkBinding.html>
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct NetworkBinding {
    /// The container's name in the definition.
    pub container_name: String,
    /// The address that the host listens on.
    #[serde(rename = "bindIP")]
    pub bind_ip: std::net::IpAddr,
    /// As the definition has it.
    pub container_port: u16,
    /// The port that the host listens on, never 0.
    pub host_port: u16,
    /// `tcp`.
    pub protocol: &'static str,
}

impl NetworkBinding {
    /// The address to connect to.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        (self.bind_ip, self.host_port).into()
    }
}

/// What became of the requests to a container.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct RequestUsage {
    /// Requests that an instance was made for.
    pub request_count: u64,
    /// Of these, those whose guest trapped, met a limit, gave no answer or not all of it.
    pub failed_count: u64,
    /// Requests that there was no place for.
    pub refused_count: u64,
}

/// The same while they are counted; a clone counts the same.
#[derive(Debug, Clone, Default)]
pub(super) struct RequestCounts(Arc<[AtomicU64; 3]>);

impl RequestCounts {
    fn begun(&self) {
        self.0[0].fetch_add(1, Ordering::Relaxed);
    }

    fn failed(&self) {
        self.0[1].fetch_add(1, Ordering::Relaxed);
    }

    fn refused(&self) {
        self.0[2].fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn usage(&self) -> RequestUsage {
        let [request_count, failed_count, refused_count] = [0, 1, 2].map(|index| self.0[index].load(Ordering::Relaxed));
        RequestUsage { request_count, failed_count, refused_count }
    }
}

/// What every request to one container has in common.
pub(super) struct Handler {
    pub(super) shared: Arc<Shared>,
    pub(super) task_id: String,
    pub(super) container: Arc<PreparedContainer>,
    pub(super) aws: AwsCtx,
    pub(super) files: FileWork,
    pub(super) output: OutputQueue,
    pub(super) usage: ContainerUsage,
    pub(super) share: Arc<TaskShare>,
    pub(super) admission: Admission,
    pub(super) timeout: Duration,
    pub(super) cpu_time: Option<Duration>,
    /// The last to be dropped: when there is no receiver left, there is no role session and no share here either.
    pub(super) stage: watch::Receiver<Stage>,
}

/// A container that is being served. It ends by [`Server::stop`] alone; polled, it tells that the host's part failed.
pub(super) struct Server {
    stage: watch::Sender<Stage>,
    listener: JoinHandle<()>,
}

impl Server {
    /// Listens where `mapping` says, and has `handler` answer, whose stage is told by `stage`. Must be called within a tokio
    /// runtime.
    ///
    /// Fails where the host cannot listen there, in words.
    pub(super) fn start(
        stage: watch::Sender<Stage>,
        handler: Handler,
        mapping: &PortMapping,
    ) -> Result<(Self, NetworkBinding), String> {
        let wanted = SocketAddr::from((handler.shared.settings.listen_address, mapping.host_port()));
        let (listener, address) = serve::listen(wanted).map_err(|error| {
            let mend = match error.kind() {
                ErrorKind::AddrInUse => "end what listens there, or choose another `hostPort`",
                ErrorKind::PermissionDenied => "choose a `hostPort` of 1024 or more, or let the runner have lower ones",
                ErrorKind::AddrNotAvailable => "listen on an address of this machine",
                _ => "choose another `hostPort`",
            };
            format!("cannot listen on {wanted}: {error}; {mend}")
        })?;
        let binding = NetworkBinding {
            container_name: handler.container.definition().name().to_owned(),
            bind_ip: address.ip(),
            container_port: mapping.container_port(),
            host_port: address.port(),
            protocol: "tcp",
        };
        let all = handler.shared.served.clone();
        let (reached, handler) = (handler.stage.clone(), Arc::new(handler));
        let answer = move |request| request::answer(handler.clone(), request);
        let listener = tokio::spawn(serve::serve(listener, all, answer, reached));
        Ok((Self { stage, listener }, binding))
    }

    /// Takes no more requests, and gives those in flight [`DRAIN_GRACE`]. Returns whether all had ended by then. Nothing of
    /// them runs afterwards.
    pub(super) async fn stop(self) -> bool {
        self.stage.send_replace(Stage::Draining);
        let drained = tokio::time::timeout(DRAIN_GRACE, self.stage.closed()).await.is_ok();
        self.stage.send_replace(Stage::Cut);
        self.stage.closed().await;
        drained
    }
}

impl Future for Server {
    /// There is no good end but [`Server::stop`].
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        Pin::new(&mut self.listener).poll(context).map(drop)
    }
}
