//! Records as JSON lines in a file.

use std::fs::File;
use std::io::{self, Write};
use std::sync::mpsc::{Sender, channel};

use tokio::sync::oneshot;

use super::{AuditError, AuditRecord, AuditSink, Recorded, trace};

/// How many records are written before the disk is waited for once.
const MAX_BATCH: usize = 256;

/// Records as JSON, one a line, written by a thread of its own. Each is also a `tracing` event.
///
/// The queue needs no bound of its own: a call goes on only when its decision has been written, so what can wait here
/// is two records for each call in flight, and two for each kind of refusal of a task.
#[derive(Debug)]
pub struct JsonLines {
    lines: Sender<Line>,
}

/// A line to write, empty for a flush, and whom to tell.
#[derive(Debug)]
struct Line {
    json: Vec<u8>,
    written: oneshot::Sender<io::Result<()>>,
}

impl JsonLines {
    /// Records go to `writer`, which is flushed after each. With a file they survive the end of this process, however it
    /// comes, and not a crash of the machine: the system writes them to the disk when it likes.
    ///
    /// # Errors
    ///
    /// When the thread cannot be started.
    pub fn new(writer: impl Write + Send + 'static) -> io::Result<Self> {
        Self::start(writer, |_| Ok(()))
    }

    /// Records go to `file` and are on the disk before a call goes on, so that they survive a crash of the machine too.
    ///
    /// The cost is one `fdatasync` before each call and one after it: some 0.1 to 10 ms by the disk. Records that come
    /// while the disk is busy share the next one.
    ///
    /// # Errors
    ///
    /// When the thread cannot be started.
    pub fn synced(file: File) -> io::Result<Self> {
        Self::start(file, File::sync_data)
    }

    fn start<W: Write + Send + 'static>(mut writer: W, sync: fn(&W) -> io::Result<()>) -> io::Result<Self> {
        let (lines, queue) = channel::<Line>();
        std::thread::Builder::new().name("rolebox-audit".to_owned()).spawn(move || {
            let mut whole = true;
            while let Ok(first) = queue.recv() {
                let mut batch = Vec::new();
                for line in std::iter::once(first).chain(queue.try_iter().take(MAX_BATCH)) {
                    // After a write that failed half-way the next record begins a line of its own.
                    let mended = if whole { Ok(()) } else { writer.write_all(b"\n") };
                    let written = mended.and_then(|()| writer.write_all(&line.json)).and_then(|()| writer.flush());
                    whole = written.is_ok();
                    batch.push((line.written, written));
                }
                let synced = sync(&writer);
                for (waiting, written) in batch {
                    let kept = written.and_then(|()| match &synced {
                        Ok(()) => Ok(()),
                        // An error is not for cloning, and each record has its own.
                        Err(error) => Err(io::Error::new(error.kind(), error.to_string())),
                    });
                    // Nobody waits for the end of a call to be written, so there may be no receiver.
                    let _ = waiting.send(kept);
                }
            }
        })?;
        Ok(Self { lines })
    }

    fn send(&self, json: Vec<u8>) -> Recorded {
        let (written, done) = oneshot::channel();
        // Where the thread has ended, `done` says so.
        let _ = self.lines.send(Line { json, written });
        Box::pin(async move {
            match done.await {
                Ok(written) => Ok(written?),
                Err(_) => Err(AuditError(io::Error::other("the audit writer has ended"))),
            }
        })
    }
}

impl AuditSink for JsonLines {
    fn record(&self, record: AuditRecord) -> Recorded {
        trace(&record);
        match serde_json::to_vec(&record) {
            Ok(mut json) => {
                json.push(b'\n');
                self.send(json)
            }
            Err(error) => Box::pin(std::future::ready(Err(AuditError(error.into())))),
        }
    }

    fn flush(&self) -> Recorded {
        self.send(Vec::new())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test that panics has failed, as it should")]
mod tests {
    use super::*;

    #[tokio::test]
    async fn records_that_the_disk_did_not_take_are_not_kept() {
        let refused: fn(&Vec<u8>) -> io::Result<()> = |_| Err(io::Error::other("the disk is gone"));
        let sink = JsonLines::start(Vec::new(), refused).unwrap();
        let waiting: Vec<_> = (0..3).map(|_| sink.send(b"{}\n".to_vec())).collect();
        for kept in waiting {
            assert!(kept.await.unwrap_err().to_string().contains("the disk is gone"));
        }
        let path = std::env::temp_dir().join(format!("rolebox-audit-{}", uuid::Uuid::new_v4()));
        let sink = JsonLines::synced(File::create(&path).unwrap()).unwrap();
        let waiting: Vec<_> = (0..600).map(|number| sink.send(format!("{number}\n").into_bytes())).collect();
        for kept in waiting {
            kept.await.unwrap();
        }
        let written = std::fs::read_to_string(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        assert_eq!(written, (0..600).map(|number| format!("{number}\n")).collect::<String>());
    }
}
