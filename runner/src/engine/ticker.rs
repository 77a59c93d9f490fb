//! The thread that advances an engine's epoch, so that guests that never call the host still give way.
//!
//! It rests while no guest computes, and ends when the engine is gone and no guest thread is left.

use std::io;
use std::time::Duration;

use crate::cpu::PulseWatch;

/// Starts the ticking thread: once in each `interval` while a guest computes.
pub(super) fn start(engine: &wasmtime::Engine, interval: Duration, watch: PulseWatch) -> io::Result<()> {
    // Weak, so that the thread is no reason for the engine and its reserved memory to stay.
    let engine = engine.weak();
    std::thread::Builder::new().name("rolebox-epoch".to_owned()).spawn(move || {
        while watch.wait(interval) {
            let Some(engine) = engine.upgrade() else { return };
            engine.increment_epoch();
        }
    })?;
    Ok(())
}
