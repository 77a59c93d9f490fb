//! Bodies on their way from a guest to a service, while they come in.

use std::pin::pin;
use std::time::Duration;

use bytes::Bytes;
use rolebox_aws_request::StreamedBody;
use tokio::time::timeout;

use super::CallError;
use super::body::{GuestBody, Pieces};
use super::framing::FrameWriter;

/// How far a body got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pumped {
    /// All of it is on its way.
    Whole,
    /// The service wants no more of it.
    Refused,
}

/// Takes a guest's body out of its frame, holds it to its length and its checksums, writes it anew, and passes it on.
///
/// The last piece goes only when all before it was found to be right: until then no service takes the body for whole.
pub(super) async fn pump(
    body: &mut GuestBody,
    stream: &StreamedBody,
    mut writer: FrameWriter,
    pieces: Pieces,
    patience: Duration,
) -> Result<Pumped, CallError> {
    let (mut reader, mut ready) = (stream.reader(), Vec::new());
    while let Some(piece) = next(body, patience).await? {
        let mut written = Ok(());
        reader.push(piece, |data| {
            if written.is_ok() {
                written = writer.data(data, &mut ready);
            }
        })?;
        written?;
        if pass_on(&mut ready, &pieces, patience).await? == Pumped::Refused {
            return Ok(Pumped::Refused);
        }
    }
    let found = reader.finish()?;
    let checksum = stream.checksum_header().and_then(|header| found.iter().find(|(name, _)| name == header));
    writer.finish(checksum.map(|(name, value)| (name.as_str(), value.as_str())), &mut ready)?;
    pass_on(&mut ready, &pieces, patience).await
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
        match timeout(patience, pieces.send(Ok(piece))).await {
            Ok(Ok(())) => {}
            // The client has let go of the body: there is an answer already, or none will come.
            Ok(Err(_)) => return Ok(Pumped::Refused),
            Err(_) => return Err(CallError::TimedOut),
        }
    }
    Ok(Pumped::Whole)
}

/// Sends, and pumps the body meanwhile. There is an answer when both have ended, so that an answer which comes early waits
/// for the body.
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
            answer = &mut send, if sent.is_none() => sent = Some(answer),
        }
    };
    // What is wrong with the body is the cause of whatever the client made of it.
    pumped?;
    match sent {
        Some(answer) => answer,
        None => timeout(patience, send).await.unwrap_or(Err(CallError::TimedOut)),
    }
}
