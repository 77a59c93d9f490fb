//! Request bodies: bounded, and held to the digest that was signed.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use sha2::{Digest, Sha256};

/// How long a body is read on after an answer is ready. A client that is still writing would otherwise see a broken
/// connection in the answer's place. Only time bounds it: a loopback carries gigabytes in it.
const DRAIN_TIME: Duration = Duration::from_secs(10);

/// What is wrong with a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BodyError {
    #[error("the body is longer than allowed")]
    TooLong,
    #[error("the body's SHA-256 is not the one that was signed")]
    Digest,
    #[error("the connection broke while the body was read")]
    Broken,
}

/// A body on its way in.
///
/// Clones share it: whoever answers can see, after others have read the body, what was wrong with it, and read the rest.
#[derive(Clone, Debug)]
pub(crate) struct InboundBody(Arc<Mutex<Inbound>>);

#[derive(Debug)]
struct Inbound {
    incoming: Incoming,
    received: u64,
    limit: u64,
    digest: Option<(Sha256, [u8; 32])>,
    error: Option<BodyError>,
    ended: bool,
}

impl Inbound {
    fn fail(&mut self, error: BodyError) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        self.error = Some(error);
        Poll::Ready(Some(Err(error)))
    }

    /// Compares the digest of what was read, once.
    fn digest_is_wrong(&mut self) -> bool {
        self.digest.take().is_some_and(|(digest, expected)| <[u8; 32]>::from(digest.finalize()) != expected)
    }
}

impl InboundBody {
    /// A body of at most `limit` bytes.
    pub(crate) fn new(incoming: Incoming, limit: u64) -> Self {
        let inbound = Inbound { incoming, received: 0, limit, digest: None, error: None, ended: false };
        Self(Arc::new(Mutex::new(inbound)))
    }

    /// Makes it end in an error when its digest is another one. To be called before it is read.
    pub(crate) fn expect_digest(&self, sha256: [u8; 32]) {
        self.lock().digest = Some((Sha256::new(), sha256));
    }

    /// Lowers its bound.
    pub(crate) fn limit(&self, limit: u64) {
        let mut inbound = self.lock();
        inbound.limit = inbound.limit.min(limit);
    }

    /// What was found wrong so far.
    pub(crate) fn error(&self) -> Option<BodyError> {
        self.lock().error
    }

    /// Reads and drops what is left, for a bounded time.
    pub(crate) async fn drain(self) {
        {
            let mut inbound = self.lock();
            if inbound.error == Some(BodyError::Broken) {
                return;
            }
            // What is wrong with it is known and answered already.
            inbound.error = None;
            inbound.digest = None;
            inbound.limit = u64::MAX;
        }
        let mut body = self;
        let _ = tokio::time::timeout(DRAIN_TIME, async { while let Some(Ok(_)) = body.frame().await {} }).await;
    }

    fn lock(&self) -> MutexGuard<'_, Inbound> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Body for InboundBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let mut inbound = self.lock();
        let inbound = &mut *inbound;
        if let Some(error) = inbound.error {
            return Poll::Ready(Some(Err(error)));
        }
        if inbound.ended {
            return Poll::Ready(None);
        }
        match ready!(Pin::new(&mut inbound.incoming).poll_frame(context)) {
            None => {
                inbound.ended = true;
                match inbound.digest_is_wrong() {
                    true => inbound.fail(BodyError::Digest),
                    false => Poll::Ready(None),
                }
            }
            Some(Err(_)) => inbound.fail(BodyError::Broken),
            Some(Ok(frame)) => {
                if let Some(data) = frame.data_ref() {
                    inbound.received = inbound.received.saturating_add(data.len() as u64);
                    if inbound.received > inbound.limit {
                        return inbound.fail(BodyError::TooLong);
                    }
                    if let Some((digest, _)) = &mut inbound.digest {
                        digest.update(data);
                    }
                }
                // A reader that counts bytes stops at the last one and never asks for the end, so the digest is
                // compared before that byte is handed out.
                if inbound.incoming.is_end_stream() && inbound.digest_is_wrong() {
                    return inbound.fail(BodyError::Digest);
                }
                Poll::Ready(Some(Ok(frame)))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        let inbound = self.lock();
        // An empty body is compared with its digest too, so its end has to be polled.
        inbound.ended || (inbound.digest.is_none() && inbound.incoming.is_end_stream())
    }

    fn size_hint(&self) -> SizeHint {
        self.lock().incoming.size_hint()
    }
}

/// Reads a whole body of at most `limit` bytes. One that is longer is read to its end as well, and dropped.
pub(crate) async fn collect(incoming: Incoming, limit: u64) -> Result<Bytes, BodyError> {
    let body = InboundBody::new(incoming, limit);
    let collected = body.clone().collect().await;
    if collected.is_err() {
        body.drain().await;
    }
    collected.map(http_body_util::Collected::to_bytes)
}
