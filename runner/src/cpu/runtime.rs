//! The runtimes that a guest's future touches while a guest thread polls it.

use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::runtime::{Builder, Handle, Runtime};

/// File operations of all guests that may be under way at once. Each holds a thread while the system works on it, and
/// one that the system never ends holds it for ever.
const FILE_THREADS: usize = 256;

/// The guests' own runtime: their timers, and the threads of their file operations.
///
/// Apart from the embedder's, so that file operations that hang in the system use up these threads and not those that
/// resolve names or load credentials.
#[derive(Debug)]
pub(super) struct GuestRuntime(Option<Runtime>);

impl GuestRuntime {
    pub(super) fn start() -> std::io::Result<Self> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .max_blocking_threads(FILE_THREADS)
            .thread_name("rolebox-guest-io")
            .enable_time()
            .build()?;
        Ok(Self(Some(runtime)))
    }

    pub(super) fn handle(&self) -> Option<Handle> {
        self.0.as_ref().map(|runtime| runtime.handle().clone())
    }
}

impl Drop for GuestRuntime {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            // Not waited for: a file operation that hangs would hang whoever drops the last runner.
            runtime.shutdown_background();
        }
    }
}

/// Polls `future` with another runtime entered than that of the thread: connections, timers and name look-ups that it
/// begins belong to that one.
pub(crate) fn in_runtime<F: Future>(runtime: Handle, future: F) -> impl Future<Output = F::Output> {
    InRuntime { runtime, future: Box::pin(future) }
}

struct InRuntime<F> {
    runtime: Handle,
    future: Pin<Box<F>>,
}

impl<F: Future> Future for InRuntime<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let this = &mut *self;
        let _entered = this.runtime.enter();
        this.future.as_mut().poll(context)
    }
}
