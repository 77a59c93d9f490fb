//! The thread that advances an engine's epoch, so that guests that never call the host still give way.

use std::io;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

/// One ticking thread; it ends, and is waited for, when this is dropped.
#[derive(Debug)]
pub(super) struct Ticker {
    // Never sent on: its disconnection is what ends the thread.
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Ticker {
    pub(super) fn start(engine: &wasmtime::Engine, interval: Duration) -> io::Result<Self> {
        let (stop, stopped) = channel::<()>();
        // Weak, so that the thread is no reason for the engine and its reserved memory to stay.
        let engine = engine.weak();
        let thread = std::thread::Builder::new().name("rolebox-epoch".to_owned()).spawn(move || {
            while stopped.recv_timeout(interval) == Err(RecvTimeoutError::Timeout) {
                let Some(engine) = engine.upgrade() else { return };
                engine.increment_epoch();
            }
        })?;
        Ok(Self { stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // The thread cannot panic; were it to, there is nothing left to tick for.
            let _ = thread.join();
        }
    }
}
