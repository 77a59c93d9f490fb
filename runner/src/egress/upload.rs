//! Bodies on their way from a guest to a service, while they come in.
//!
//! A body is pumped while its request is sent. An answer that comes before the guest has written all waits for the rest, so
//! a service and a guest that talk to each other in one request and its answer are not served.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use rolebox_aws_request::StreamedBody;
use tokio::time::timeout;

use super::CallError;
use super::body::{GuestBody, Pieces};
use super::framing::FrameWriter;
use super::limits::CallQuota;

/// How far a body got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pumped {
    /// All of it is on its way.
    Whole,
    /// The service wants no more of it.
    Refused,
}

/// What is counted of a body on its way: for the task's usage, and for the record of the call.
#[derive(Debug, Clone)]
pub(super) struct Sent {
    quota: Arc<CallQuota>,
    bytes: Arc<AtomicU64>,
}

impl Sent {
    /// Counts into `bytes`, which the call's record reads at its end.
    pub(super) fn new(quota: Arc<CallQuota>, bytes: Arc<AtomicU64>) -> Self {
        Self { quota, bytes }
    }

    pub(super) fn count(&self, bytes: u64) {
        self.quota.count_sent(bytes);
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }
}

/// Takes a guest's body out of its frame, holds it to its length and its checksums, writes it anew, and passes it on.
///
/// The last piece goes only when all before it was found to be right: until then no service takes the body for whole.
pub(super) async fn pump(
    body: &mut GuestBody,
    stream: &StreamedBody,
    mut writer: FrameWriter,
    pieces: Pieces,
    sent: &Sent,
    patience: Duration,
) -> Result<Pumped, CallError> {
    let (mut reader, mut ready) = (stream.reader(), Vec::new());
    while let Some(piece) = next(body, patience).await? {
        let mut taken = 0;
        reader.push(piece, |data| {
            taken += data.len() as u64;
            writer.data(data, &mut ready);
        })?;
        if pass_on(&mut ready, &pieces, patience).await? == Pumped::Refused {
            return Ok(Pumped::Refused);
        }
        sent.count(taken);
    }
    let found = reader.finish()?;
    let checksum = stream.checksum_header().and_then(|header| found.iter().find(|(name, _)| name == header));
    writer.finish(checksum.map(|(name, value)| (name.as_str(), value.as_str())), &mut ready);
    if pass_on(&mut ready, &pieces, patience).await? == Pumped::Refused {
        return Ok(Pumped::Refused);
    }
    end(pieces, patience).await
}

/// The next piece of a guest's body.
pub(super) async fn next(body: &mut GuestBody, patience: Duration) -> Result<Option<Bytes>, CallError> {
    match timeout(patience, body.next()).await {
        Ok(Some(Ok(piece))) => Ok(Some(piece)),
        Ok(None) => Ok(None),
        Ok(Some(Err(given_up))) => Err(CallError::InvalidRequest(given_up.to_string())),
        Err(_) => Err(CallError::TimedOut),
    }
}

/// Passes on what is ready.
pub(super) async fn pass_on(ready: &mut Vec<Bytes>, pieces: &Pieces, patience: Duration) -> Result<Pumped, CallError> {
    for piece in ready.drain(..).filter(|piece| !piece.is_empty()) {
        match timeout(patience, pieces.send(piece)).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) => return Ok(Pumped::Refused),
            Err(_) => return Err(CallError::TimedOut),
        }
    }
    Ok(Pumped::Whole)
}

/// Says that all has been passed on.
pub(super) async fn end(pieces: Pieces, patience: Duration) -> Result<Pumped, CallError> {
    match timeout(patience, pieces.end()).await {
        Ok(Ok(())) => Ok(Pumped::Whole),
        // A client that knows the body's length may let go of it before it is told.
        Ok(Err(_)) => Ok(Pumped::Refused),
        Err(_) => Err(CallError::TimedOut),
    }
}

/// Sends, and pumps the body meanwhile. An answer that comes early waits until the body has been pumped or is not wanted.
pub(super) async fn together<T>(
    send: impl Future<Output = Result<T, CallError>>,
    pump: impl Future<Output = Result<Pumped, CallError>>,
    patience: Duration,
) -> Result<T, CallError> {
    let (mut send, mut pump) = (pin!(send), pin!(pump));
    let mut sent = None;
    let pumped = loop {
        tokio::select! {
            pumped = &mut pump => break pumped,
            answer = &mut send, if sent.is_none() => match answer {
                Ok(answer) => sent = Some(answer),
                // Nobody takes the rest.
                Err(error) => {
                    // Where the pump has an error of its own, that is the cause of this one.
                    return match ready_output(pump.as_mut()) {
                        Some(Err(cause)) => Err(cause),
                        _ => Err(error),
                    };
                }
            },
        }
    };
    match (pumped, sent) {
        (Ok(_), Some(answer)) => Ok(answer),
        // The service has answered, and stopped reading without saying so.
        (Err(CallError::TimedOut), Some(answer)) => Ok(answer),
        // What is wrong with the body is the cause of whatever the client made of it.
        (Err(error), _) => Err(error),
        (Ok(_), None) => timeout(patience, send).await.unwrap_or(Err(CallError::TimedOut)),
    }
}

/// What a future has now, if anything.
fn ready_output<F: Future>(future: std::pin::Pin<&mut F>) -> Option<F::Output> {
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    match future.poll(&mut context) {
        std::task::Poll::Ready(output) => Some(output),
        std::task::Poll::Pending => None,
    }
}
