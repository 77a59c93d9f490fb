//! How much a task may have under way on its files, and the account of it.
//!
//! A blocking call that has begun cannot be taken back: its thread stays in the kernel until the file system answers,
//! which a server that is gone or a lease may delay for ever. So a call holds one of its task's places until it has
//! ended, and a task whose places are all held waits for itself and for nobody else. All places free means that nothing
//! is under way, which is what a stop waits for.

use std::fs::File;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use tokio::runtime::Handle;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinHandle;

use super::error::ErrorCode;

/// File operations that one task has under way at most. A guest makes one call at a time; the others are streams that
/// it reads and writes at the same time, and files that are being closed.
const PLACES: u32 = 8;

/// The account of one task's file operations and open files, shared by its containers. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct FileWork {
    places: Arc<Semaphore>,
    open: Arc<Semaphore>,
    closing: Arc<Closing>,
}

/// Files that a guest has let go of and the system has not closed yet.
#[derive(Debug, Default)]
struct Closing {
    count: AtomicUsize,
    closed: Notify,
}

/// One of the files that a task may have open; given back when it is dropped.
pub(super) type OpenSlot = OwnedSemaphorePermit;

/// A file that is closed when this is dropped; then its slot is free, and whoever waits for one hears of it.
struct Close {
    _file: Option<Arc<File>>,
    _slot: OpenSlot,
    _closed: Closed,
}

struct Closed(Arc<Closing>);

impl Drop for Closed {
    fn drop(&mut self) {
        self.0.count.fetch_sub(1, Ordering::SeqCst);
        self.0.closed.notify_waiters();
    }
}

/// A place for one operation; given back when it is dropped, or by the operation when it ends.
#[derive(Debug)]
pub(super) struct Place(OwnedSemaphorePermit);

impl FileWork {
    /// For a task that may have `open_files` files and folders open at once.
    pub(crate) fn new(open_files: u32) -> Self {
        let permits = |count: u32| Arc::new(Semaphore::new(usize::try_from(count).unwrap_or(usize::MAX)));
        Self { places: permits(PLACES), open: permits(open_files), closing: Arc::default() }
    }

    /// Resolves when no file operation that the task has begun is still under way.
    ///
    /// For a task whose guests are gone. A guest that still runs waits with its next operation meanwhile.
    pub(crate) async fn idle(&self) {
        // The semaphore is never closed.
        drop(self.places.acquire_many(PLACES).await);
    }

    /// Fails when the task has as many files open as it may. Those that are being closed are waited for.
    pub(super) async fn open_slot(&self) -> Result<OpenSlot, ErrorCode> {
        loop {
            let closed = self.closing.closed.notified();
            // In this order: a file that was closed in between has given its slot back before.
            let closing = self.closing.count.load(Ordering::SeqCst);
            if let Ok(slot) = self.open.clone().try_acquire_owned() {
                return Ok(slot);
            }
            if closing == 0 {
                // WASI 0.2 has no word for this; what is short is the host's memory for open files.
                return Err(ErrorCode::InsufficientMemory);
            }
            closed.await;
        }
    }

    /// Closes a file where that may block: the server of a network file system is told then.
    pub(super) fn close(&self, file: Option<Arc<File>>, slot: OpenSlot) {
        self.closing.count.fetch_add(1, Ordering::SeqCst);
        let close = Close { _file: file, _slot: slot, _closed: Closed(self.closing.clone()) };
        self.run_later(move || drop(close));
    }

    /// Waits for a place.
    pub(super) async fn place(&self) -> Option<Place> {
        self.places.clone().acquire_owned().await.ok().map(Place)
    }

    /// A place, if one is free now.
    pub(super) fn free_place(&self) -> Option<Place> {
        self.places.clone().try_acquire_owned().ok().map(Place)
    }

    /// Runs `body` on a thread for blocking work. If the caller goes away first, what has begun goes on to its end.
    pub(super) async fn run<R, F>(&self, body: F) -> Result<R, ErrorCode>
    where
        F: FnOnce() -> Result<R, ErrorCode> + Send + 'static,
        R: Send + 'static,
    {
        let Some(place) = self.place().await else { return Err(ErrorCode::Io) };
        place.start(body).await.unwrap_or(Err(ErrorCode::Io))
    }

    /// Runs `body` without waiting for it: on a thread for blocking work where there is a runtime, else here.
    fn run_later<F: FnOnce() + Send + 'static>(&self, body: F) {
        let Ok(runtime) = Handle::try_current() else { return body() };
        match self.free_place() {
            Some(Place(permit)) => drop(runtime.spawn_blocking(move || {
                body();
                drop(permit);
            })),
            None => {
                let work = self.clone();
                drop(runtime.spawn(async move {
                    work.run(move || {
                        body();
                        Ok(())
                    })
                    .await
                }));
            }
        }
    }
}

impl Place {
    /// Begins `body` on a thread for blocking work; the place is given back when it has ended.
    pub(super) fn start<R, F>(self, body: F) -> Operation<R>
    where
        F: FnOnce() -> R + Send + 'static,
        R: Send + 'static,
    {
        let Self(permit) = self;
        Operation(tokio::task::spawn_blocking(move || {
            let result = body();
            drop(permit);
            result
        }))
    }
}

/// An operation that was begun. Dropped, it is taken back if no thread has taken it up; else it goes on to its end.
#[derive(Debug)]
pub(super) struct Operation<R>(JoinHandle<R>);

impl<R> Future for Operation<R> {
    /// `None` where the operation has no result: it panicked, or its runtime is being shut down.
    type Output = Option<R>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<R>> {
        Pin::new(&mut self.0)
            .poll(context)
            .map(|result| result.inspect_err(|error| tracing::error!(%error, "a file operation has no result")).ok())
    }
}

impl<R> Drop for Operation<R> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    fn nothing_runs(work: &FileWork) -> bool {
        work.places.available_permits() == PLACES as usize
    }

    #[tokio::test]
    async fn what_was_begun_is_waited_for_although_nobody_waits_for_its_result() {
        let work = FileWork::new(1);
        let (release, held) = mpsc::channel::<()>();
        let (started, begun) = tokio::sync::oneshot::channel();
        let operation = work.place().await.unwrap().start(move || {
            started.send(()).unwrap();
            let _ = held.recv();
        });
        begun.await.unwrap();
        drop(operation);
        let mut idle = std::pin::pin!(work.idle());
        assert!(poll_once(idle.as_mut()).is_pending(), "it has begun and has not ended");
        drop(release);
        idle.await;
        assert!(nothing_runs(&work));
    }

    #[tokio::test]
    async fn a_task_whose_places_are_all_held_waits_and_another_does_not() {
        let (work, other) = (FileWork::new(1), FileWork::new(1));
        let mut held = Vec::new();
        for _ in 0..PLACES {
            held.push(work.place().await.unwrap());
        }
        assert!(work.free_place().is_none());
        let mut next = std::pin::pin!(work.run(|| Ok(())));
        assert!(poll_once(next.as_mut()).is_pending());
        assert_eq!(other.run(|| Ok(1)).await, Ok(1));
        held.pop();
        assert_eq!(next.await, Ok(()));
    }

    #[tokio::test]
    async fn a_panic_gives_its_place_back() {
        let work = FileWork::new(1);
        let result: Result<(), _> = work.run(|| panic!("a defect")).await;
        assert_eq!(result, Err(ErrorCode::Io));
        work.idle().await;
        assert!(nothing_runs(&work));
    }

    #[tokio::test]
    async fn open_files_are_counted_and_those_being_closed_are_waited_for() {
        let work = FileWork::new(2);
        let (first, _second) = (work.open_slot().await.unwrap(), work.open_slot().await.unwrap());
        assert_eq!(work.open_slot().await.unwrap_err(), ErrorCode::InsufficientMemory);
        // Nothing can be closed while all places are held.
        let places = work.places.clone().acquire_many_owned(PLACES).await.unwrap();
        work.close(None, first);
        let mut next = std::pin::pin!(work.open_slot());
        assert!(poll_once(next.as_mut()).is_pending());
        drop(places);
        let _third = next.await.unwrap();
        assert_eq!(work.open_slot().await.unwrap_err(), ErrorCode::InsufficientMemory);
    }

    #[test]
    fn without_a_runtime_what_is_left_is_done_here() {
        let done = Arc::new(std::sync::atomic::AtomicBool::new(false));
        let seen = done.clone();
        FileWork::new(1).run_later(move || seen.store(true, std::sync::atomic::Ordering::Relaxed));
        assert!(done.load(std::sync::atomic::Ordering::Relaxed));
    }

    fn poll_once<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
        future.poll(&mut Context::from_waker(std::task::Waker::noop()))
    }
}
