//! SIGINT and SIGTERM: both ask for an orderly end. SIGXFSZ, by which the system ends a process that writes past a limit
//! on the size of files, is for whoever wrote: the write fails.

use rustix::process::Signal as Number;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::failure::Failure;

/// The signals that end the command. While this exists they do nothing by themselves.
#[derive(Debug)]
pub(crate) struct Signals {
    interrupt: Signal,
    terminate: Signal,
    /// Never looked at: that it is listened for takes its effect from it.
    _file_size: Signal,
}

impl Signals {
    pub(crate) fn new() -> Result<Self, Failure> {
        let listen =
            |kind| signal(kind).map_err(|error| Failure::runner(error).context("signals cannot be listened for"));
        Ok(Self {
            interrupt: listen(SignalKind::interrupt())?,
            terminate: listen(SignalKind::terminate())?,
            _file_size: listen(SignalKind::from_raw(Number::XFSZ.as_raw()))?,
        })
    }

    /// The name of the next signal that comes, or that came since the last one was taken.
    pub(crate) async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.interrupt.recv() => "SIGINT",
            _ = self.terminate.recv() => "SIGTERM",
        }
    }
}
