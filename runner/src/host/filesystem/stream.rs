//! Files as streams of WASI 0.2.
//!
//! A stream has at most one operation under way, and begins it when its task has a place for it: at once if one is free,
//! else when the guest waits for the stream. So a guest with a thousand streams holds its own places and no others. A
//! stream that is dropped leaves a read behind and waits for a write, which it has taken the bytes for.

use std::io;
use std::mem;

use bytes::Bytes;
use wasmtime_wasi::async_trait;
use wasmtime_wasi::p2::{InputStream, OutputStream, Pollable, StreamError, StreamResult};

use super::TRANSFER_BYTES;
use super::descriptor::{Descriptor, Direction};
use super::work::{Operation, Place};

/// What a stream reads ahead, or takes from a guest before it is written, in bytes: the host holds it for each stream.
const HELD_BYTES: usize = 16 << 10;

/// What is read ahead for a guest that waits before it has said how much it wants, in bytes.
const UNASKED_BYTES: usize = 4 << 10;

/// A file that is read from an offset on.
pub(super) struct ReadStream {
    file: Descriptor,
    position: u64,
    state: Read,
}

enum Read {
    /// Nothing is under way, and this many bytes are wanted next.
    Idle(usize),
    Reading(Operation<io::Result<Vec<u8>>>),
    /// Not empty.
    Held(Bytes),
    Failed(io::Error),
    Ended,
}

impl ReadStream {
    pub(super) fn new(file: Descriptor, position: u64) -> Self {
        Self { file, position, state: Read::Idle(UNASKED_BYTES) }
    }

    fn begin(&mut self, place: Place, length: usize) {
        let (file, position) = (self.file.clone(), self.position);
        self.state = Read::Reading(place.start(move || file.read_now(length, position)));
    }
}

#[async_trait]
impl InputStream for ReadStream {
    fn read(&mut self, size: usize) -> StreamResult<Bytes> {
        match &mut self.state {
            Read::Idle(_) if size == 0 => Ok(Bytes::new()),
            Read::Idle(wanted) => {
                let length = size.min(HELD_BYTES);
                *wanted = length;
                if let Some(place) = self.file.free_place() {
                    self.begin(place, length);
                }
                Ok(Bytes::new())
            }
            Read::Reading(_) => Ok(Bytes::new()),
            Read::Held(bytes) => {
                let part = bytes.split_to(size.min(bytes.len()));
                if bytes.is_empty() {
                    self.state = Read::Idle(UNASKED_BYTES);
                }
                self.position += part.len() as u64;
                Ok(part)
            }
            Read::Failed(_) => match mem::replace(&mut self.state, Read::Ended) {
                Read::Failed(error) => Err(StreamError::LastOperationFailed(error.into())),
                _ => Err(StreamError::Closed),
            },
            Read::Ended => Err(StreamError::Closed),
        }
    }

    async fn blocking_read(&mut self, size: usize) -> StreamResult<Bytes> {
        if let Read::Idle(wanted) = &mut self.state {
            if size == 0 {
                return Ok(Bytes::new());
            }
            // The guest takes all of it with this call.
            *wanted = size.min(TRANSFER_BYTES);
        }
        self.ready().await;
        self.read(size)
    }
}

#[async_trait]
impl Pollable for ReadStream {
    async fn ready(&mut self) {
        if let Read::Idle(wanted) = self.state {
            match self.file.place().await {
                Some(place) => self.begin(place, wanted),
                None => self.state = Read::Ended,
            }
        }
        if let Read::Reading(operation) = &mut self.state {
            self.state = match operation.await {
                Some(Ok(bytes)) if bytes.is_empty() => Read::Ended,
                Some(Ok(bytes)) => Read::Held(bytes.into()),
                Some(Err(error)) => Read::Failed(error),
                None => Read::Failed(no_result()),
            };
        }
    }
}

/// A file that is written.
pub(super) struct WriteStream {
    file: Descriptor,
    to: Direction,
    state: Write,
}

enum Write {
    Ready,
    /// Taken from the guest, and not begun: the task has no place free.
    Taken(Bytes),
    /// The answer is how much was written before the end or the error.
    Writing(Operation<(u64, io::Result<()>)>),
    Failed(io::Error),
    Closed,
}

impl WriteStream {
    /// `file` lies in a mount that may be changed.
    pub(super) fn new(file: Descriptor, to: Direction) -> Self {
        Self { file, to, state: Write::Ready }
    }

    fn begin(&mut self, place: Place, bytes: Bytes) {
        let (file, to) = (self.file.clone(), self.to);
        self.state = Write::Writing(place.start(move || write_all(&file, &bytes, to)));
    }

    /// What went wrong, once; a stream that has failed is closed afterwards.
    fn failure(&mut self) -> Option<StreamError> {
        match mem::replace(&mut self.state, Write::Closed) {
            Write::Failed(error) => Some(StreamError::LastOperationFailed(error.into())),
            Write::Closed => Some(StreamError::Closed),
            state => {
                self.state = state;
                None
            }
        }
    }
}

fn write_all(file: &Descriptor, bytes: &[u8], to: Direction) -> (u64, io::Result<()>) {
    let mut written = 0;
    while written < bytes.len() {
        let to = match to {
            Direction::At(offset) => Direction::At(offset.saturating_add(written as u64)),
            Direction::End => Direction::End,
        };
        match file.write_now(&bytes[written..], to) {
            Ok(0) => return (written as u64, Err(io::ErrorKind::WriteZero.into())),
            Ok(count) => written += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return (written as u64, Err(error)),
        }
    }
    (written as u64, Ok(()))
}

#[async_trait]
impl OutputStream for WriteStream {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        match &self.state {
            Write::Ready if bytes.len() > HELD_BYTES => Err(StreamError::trap("more is written than may be")),
            Write::Ready if bytes.is_empty() => Ok(()),
            Write::Ready => {
                match self.file.free_place() {
                    Some(place) => self.begin(place, bytes),
                    None => self.state = Write::Taken(bytes),
                }
                Ok(())
            }
            Write::Closed => Err(StreamError::Closed),
            _ => Err(StreamError::trap("more is written before the last write has ended")),
        }
    }

    fn flush(&mut self) -> StreamResult<()> {
        // Nothing is held back, and `check_write` allows nothing before the last write has ended.
        self.failure().map_or(Ok(()), Err)
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        if let Some(failure) = self.failure() {
            return Err(failure);
        }
        match mem::replace(&mut self.state, Write::Ready) {
            Write::Ready => return Ok(HELD_BYTES),
            Write::Taken(bytes) => match self.file.free_place() {
                Some(place) => self.begin(place, bytes),
                None => self.state = Write::Taken(bytes),
            },
            state => self.state = state,
        }
        Ok(0)
    }

    async fn cancel(&mut self) {
        self.ready().await;
    }
}

#[async_trait]
impl Pollable for WriteStream {
    async fn ready(&mut self) {
        if let Write::Taken(bytes) = &self.state {
            let bytes = bytes.clone();
            match self.file.place().await {
                Some(place) => self.begin(place, bytes),
                None => self.state = Write::Failed(no_result()),
            }
        }
        if let Write::Writing(operation) = &mut self.state {
            let ended = operation.await;
            let (written, result) = ended.unwrap_or_else(|| (0, Err(no_result())));
            if let Direction::At(offset) = &mut self.to {
                *offset = offset.saturating_add(written);
            }
            self.state = result.map_or_else(Write::Failed, |()| Write::Ready);
        }
    }
}

fn no_result() -> io::Error {
    io::Error::other("the file operation was given up")
}
