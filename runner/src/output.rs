//! A task's standard output and error: from the guest, through a bounded queue, to one writer off the async threads.
//!
//! A guest can print faster than anybody reads, or into a pipe that nobody reads at all. So a write only ever puts
//! bytes into a queue of fixed size; when the queue is full the guest waits, inside its own time limit, and no thread
//! of the host does. Both streams share one queue, so that their lines keep the order in which they were written.
//!
//! Absent: log drivers. An embedder gives an [`OutputWriter`], and sends the bytes where it likes.

use std::collections::VecDeque;
use std::io;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use tokio::io::AsyncWrite;
use tokio::sync::Notify;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamError, StreamResult};

/// Bytes that wait for the writer at most, as far as a guest is told; and the most that one write may hand over. A
/// terminal or pipe takes 64 KiB at once.
const QUEUE_BYTES: usize = 64 << 10;

/// Bytes of a task's commands that wait for the writer at most, whatever guests do. Each stream of each of a task's ten containers may have
/// been told of the same room, so twenty may fill it at once; a guest that writes without having been told is over it.
const QUEUE_LIMIT: usize = 24 * QUEUE_BYTES;

/// The most that one write of a request's guest hands over: as much as WASI lets a guest write without asking for room
/// first. Requests are many, and each may have been told of the same room.
const REQUEST_BYTES: usize = 4 << 10;

/// One of a task's two output streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutputName {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

/// Where a task's output goes. It runs on a thread of its own, so it may block; while it does, only this task waits.
pub trait OutputWriter: Send + 'static {
    /// Writes all of `bytes`.
    ///
    /// # Errors
    ///
    /// After an error nothing more is written: the guest sees a closed stream, as a process does whose reader left.
    fn write(&mut self, name: OutputName, bytes: &[u8]) -> io::Result<()>;
}

/// What to do with a task's output.
#[derive(Default)]
#[non_exhaustive]
pub enum TaskOutput {
    /// Counted against the task's limit and dropped.
    #[default]
    Discard,
    /// Kept in memory, up to the task's limit (16 MiB by default), and read from [`CapturedOutput`]. Of a task that serves,
    /// each of whose requests may print as much, the first so many bytes are kept.
    Capture(CapturedOutput),
    /// Handed to a writer.
    Writer(Box<dyn OutputWriter>),
}

impl std::fmt::Debug for TaskOutput {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Discard => "Discard",
            Self::Capture(_) => "Capture",
            Self::Writer(_) => "Writer",
        })
    }
}

/// Output kept in memory. Clones share what was captured.
#[derive(Debug, Clone, Default)]
pub struct CapturedOutput(Arc<Mutex<[Vec<u8>; 2]>>);

impl CapturedOutput {
    /// What was written to standard output so far.
    #[must_use]
    pub fn stdout(&self) -> Vec<u8> {
        self.lock()[0].clone()
    }

    /// What was written to standard error so far.
    #[must_use]
    pub fn stderr(&self) -> Vec<u8> {
        self.lock()[1].clone()
    }

    fn keep(&self, name: OutputName, bytes: &[u8], most: u64) {
        let mut kept = self.lock();
        let length = kept[0].len() + kept[1].len();
        let room = usize::try_from(most).unwrap_or(usize::MAX).saturating_sub(length);
        kept[name as usize].extend_from_slice(&bytes[..bytes.len().min(room)]);
    }

    fn lock(&self) -> MutexGuard<'_, [Vec<u8>; 2]> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The guest printed more than its definition allows; this ends the task.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("the task printed more than its limit of {limit} bytes")]
pub(crate) struct OutputLimitExceeded {
    pub(crate) limit: u64,
}

/// The host's end of a task's output, shared by the streams of all its containers.
#[derive(Clone)]
pub(crate) struct OutputQueue {
    shared: Arc<Shared>,
    /// Bytes taken so far from the guests that share one limit: those of the task's commands, or one request's.
    accepted: Arc<AtomicU64>,
    /// Bytes of the same guests that wait for the writer.
    own: Arc<AtomicUsize>,
    /// The most that these may be where the queue is full, whatever the guests were told: all of these together are what the
    /// queue holds at most, so that nobody takes another's.
    own_limit: usize,
    /// The most that one write hands over.
    most: usize,
}

struct Shared {
    state: Mutex<State>,
    /// Wakes the writer: bytes are waiting, or no more will come.
    filled: Condvar,
    /// Wakes guests that wait for room, and `finish`.
    drained: Notify,
    limit: u64,
    /// Bytes that wait for the writer at most, whatever guests do.
    queue_limit: usize,
}

struct State {
    sink: Sink,
    queue: VecDeque<Waiting>,
    /// Bytes in `queue` and in the writer's hands.
    waiting: usize,
    phase: Phase,
}

/// Bytes that wait for the writer, and where those of their guests are counted.
struct Waiting {
    name: OutputName,
    bytes: Bytes,
    own: Arc<AtomicUsize>,
}

/// Nothing is accepted but in `Open`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Open,
    /// The task has ended; the writer still writes what waits.
    Closing,
    /// The writer failed, or was given up on. Nothing more is written.
    Closed,
}

enum Sink {
    Discard,
    Capture(CapturedOutput),
    /// Not started: most tasks of a busy host print nothing, and a thread costs more than they do.
    Writer(Box<dyn OutputWriter>),
    /// The thread has the writer.
    Started,
}

impl OutputQueue {
    /// `limit` is what a task may print, in bytes, and each of its requests, of which there are so many at once.
    pub(crate) fn new(output: TaskOutput, limit: u64, requests: u32) -> Self {
        let sink = match output {
            TaskOutput::Discard => Sink::Discard,
            TaskOutput::Capture(captured) => Sink::Capture(captured),
            TaskOutput::Writer(writer) => Sink::Writer(writer),
        };
        let state = State { sink, queue: VecDeque::new(), waiting: 0, phase: Phase::Open };
        // Each request has two streams.
        let requests = usize::try_from(requests).unwrap_or(usize::MAX).saturating_mul(2 * REQUEST_BYTES);
        let shared = Shared {
            state: Mutex::new(state),
            filled: Condvar::new(),
            drained: Notify::new(),
            limit,
            queue_limit: QUEUE_LIMIT.saturating_add(requests),
        };
        Self {
            shared: Arc::new(shared),
            accepted: Arc::default(),
            own: Arc::default(),
            own_limit: QUEUE_LIMIT,
            most: QUEUE_BYTES,
        }
    }

    /// The same queue for one request, with a limit of its own.
    pub(crate) fn of_request(&self) -> Self {
        Self {
            shared: self.shared.clone(),
            accepted: Arc::default(),
            own: Arc::default(),
            own_limit: 2 * REQUEST_BYTES,
            most: REQUEST_BYTES,
        }
    }

    /// The guest's end of one stream.
    pub(crate) fn stream(&self, name: OutputName) -> GuestStream {
        GuestStream { queue: self.clone(), name }
    }

    /// Takes nothing more from guests and waits until all is written, for `grace` at most.
    ///
    /// Returns whether everything was written. What was not is dropped: after this nothing of the task is begun to be
    /// written, though a write that hangs in the system cannot be taken back.
    pub(crate) async fn finish(&self, grace: Duration) -> bool {
        self.set_phase(Phase::Closing);
        let written = tokio::time::timeout(grace, async {
            loop {
                let drained = self.shared.drained.notified();
                tokio::pin!(drained);
                drained.as_mut().enable();
                if self.lock().waiting == 0 {
                    return;
                }
                drained.await;
            }
        });
        let complete = written.await.is_ok();
        self.set_phase(Phase::Closed);
        complete
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set_phase(&self, phase: Phase) {
        let mut state = self.lock();
        // What failed stays failed.
        if state.phase != Phase::Closed {
            state.phase = phase;
        }
        if state.phase == Phase::Closed {
            state.queue.clear();
        }
        drop(state);
        self.shared.filled.notify_all();
        self.shared.drained.notify_waiters();
    }

    /// Room in the queue, in bytes.
    fn room(&self) -> StreamResult<usize> {
        let state = self.lock();
        match state.phase {
            Phase::Open => Ok(QUEUE_BYTES.saturating_sub(state.waiting).min(self.most)),
            Phase::Closing | Phase::Closed => Err(StreamError::Closed),
        }
    }

    fn accept(&self, name: OutputName, bytes: &Bytes) -> StreamResult<()> {
        // Nothing is written, so nothing is queued: an entry costs memory however small it is.
        if bytes.is_empty() {
            return Ok(());
        }
        let mut state = self.lock();
        let waiting = state.waiting + bytes.len();
        let own = self.own.load(Ordering::Relaxed) + bytes.len();
        let no_room = waiting > QUEUE_BYTES && own > self.own_limit;
        if bytes.len() > self.most || no_room || waiting > self.shared.queue_limit {
            return Err(StreamError::Trap(wasmtime::Error::msg("wrote more than `check-write` permitted")));
        }
        if state.phase != Phase::Open {
            return Err(StreamError::Closed);
        }
        // Changed under the lock alone.
        let left = self.shared.limit.saturating_sub(self.accepted.load(Ordering::Relaxed));
        let exceeded = bytes.len() as u64 > left;
        let taken = bytes.slice(..bytes.len().min(usize::try_from(left).unwrap_or(usize::MAX)));
        self.accepted.fetch_add(taken.len() as u64, Ordering::Relaxed);
        self.hand_over(&mut state, name, taken)?;
        drop(state);
        if exceeded {
            let error = OutputLimitExceeded { limit: self.shared.limit };
            return Err(StreamError::Trap(wasmtime::Error::new(error)));
        }
        Ok(())
    }

    fn hand_over(&self, state: &mut State, name: OutputName, bytes: Bytes) -> StreamResult<()> {
        match &mut state.sink {
            Sink::Discard => return Ok(()),
            Sink::Capture(captured) => {
                captured.keep(name, &bytes, self.shared.limit);
                return Ok(());
            }
            Sink::Started => {}
            sink @ Sink::Writer(_) => {
                let Sink::Writer(writer) = std::mem::replace(sink, Sink::Started) else { return Ok(()) };
                let queue = self.clone();
                let thread = std::thread::Builder::new().name("rolebox-output".to_owned());
                if let Err(error) = thread.spawn(move || queue.write_all(writer)) {
                    tracing::error!(%error, "a task's output cannot be written");
                    state.phase = Phase::Closed;
                    return Err(StreamError::Closed);
                }
            }
        }
        state.waiting += bytes.len();
        self.own.fetch_add(bytes.len(), Ordering::Relaxed);
        state.queue.push_back(Waiting { name, bytes, own: self.own.clone() });
        self.shared.filled.notify_one();
        Ok(())
    }

    /// The writer's thread: ends when the queue is empty and nothing more can come.
    fn write_all(&self, mut writer: Box<dyn OutputWriter>) {
        // Also where the writer panics: a guest must not wait for a thread that is gone.
        let _closed = ClosedOnDrop(self);
        loop {
            let Waiting { name, bytes, own } = {
                let mut state = self.lock();
                loop {
                    if let Some(next) = state.queue.pop_front() {
                        break next;
                    }
                    if state.phase != Phase::Open {
                        return;
                    }
                    state = self.shared.filled.wait(state).unwrap_or_else(PoisonError::into_inner);
                }
            };
            let written = writer.write(name, &bytes);
            self.lock().waiting -= bytes.len();
            own.fetch_sub(bytes.len(), Ordering::Relaxed);
            if let Err(error) = written {
                tracing::debug!(%error, "the task's output cannot be written");
                return;
            }
            self.shared.drained.notify_waiters();
        }
    }

    async fn ready(&self) {
        loop {
            let drained = self.shared.drained.notified();
            tokio::pin!(drained);
            drained.as_mut().enable();
            if self.room().map_or(true, |room| room > 0) {
                return;
            }
            drained.await;
        }
    }
}

/// Closes the queue when its writer is gone, however it went.
struct ClosedOnDrop<'a>(&'a OutputQueue);

impl Drop for ClosedOnDrop<'_> {
    fn drop(&mut self) {
        self.0.lock().waiting = 0;
        self.0.set_phase(Phase::Closed);
    }
}

/// What a guest holds as its standard output or error.
#[derive(Clone)]
pub(crate) struct GuestStream {
    queue: OutputQueue,
    name: OutputName,
}

impl IsTerminal for GuestStream {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for GuestStream {
    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }

    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        // Only WASI 0.3 asks for this form, and it is not linked.
        Box::new(tokio::io::sink())
    }
}

#[wasmtime_wasi::async_trait]
impl OutputStream for GuestStream {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.queue.accept(self.name, &bytes)
    }

    fn flush(&mut self) -> StreamResult<()> {
        // The queue is the guest's horizon: what it holds is written even after the guest has ended.
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        self.queue.room()
    }
}

#[wasmtime_wasi::async_trait]
impl Pollable for GuestStream {
    async fn ready(&mut self) {
        self.queue.ready().await;
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that panics has failed, as it should")]
mod tests {
    use std::sync::mpsc;

    use super::*;

    /// Writes nothing until it is let go.
    struct Held(mpsc::Receiver<()>);

    impl OutputWriter for Held {
        fn write(&mut self, _: OutputName, _: &[u8]) -> std::io::Result<()> {
            let _ = self.0.recv();
            Ok(())
        }
    }

    #[test]
    fn a_request_that_writes_what_it_was_not_told_takes_no_room_of_others() {
        let (let_go, held) = mpsc::channel();
        let queue = OutputQueue::new(TaskOutput::Writer(Box::new(Held(held))), u64::MAX, 2);
        let [mut floods, mut behaves, mut command] =
            [queue.of_request(), queue.of_request(), queue.clone()].map(|own| own.stream(OutputName::Stdout));
        // Both were told of room while there was some.
        assert!(behaves.check_write().unwrap() >= REQUEST_BYTES && command.check_write().unwrap() >= REQUEST_BYTES);
        let piece = || Bytes::from(vec![b'x'; REQUEST_BYTES]);
        let written = (0..1_000).take_while(|_| floods.write(piece()).is_ok()).count();
        assert!((QUEUE_BYTES / REQUEST_BYTES..=QUEUE_BYTES / REQUEST_BYTES + 2).contains(&written), "{written}");
        assert_eq!(floods.check_write().unwrap(), 0);
        behaves.write(piece()).unwrap();
        command.write(piece()).unwrap();
        drop(let_go);
    }
}
