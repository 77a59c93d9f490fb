//! A guest's body while it comes in, and the way of its pieces to the HTTP client.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt;
use http_body_util::combinators::UnsyncBoxBody;
use tokio::sync::mpsc;

/// Pieces that may wait between the guest and the connection.
const PIECES: usize = 2;

/// The guest gave its request up before the end of the body.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("the request was given up before the end of its body")]
pub(crate) struct GivenUp;

/// The body of a guest's request, as it comes in.
pub(crate) struct GuestBody {
    frames: UnsyncBoxBody<Bytes, GivenUp>,
    ended: bool,
}

impl std::fmt::Debug for GuestBody {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("GuestBody").field("ended", &self.ended).finish_non_exhaustive()
    }
}

impl GuestBody {
    pub(crate) fn new(frames: UnsyncBoxBody<Bytes, GivenUp>) -> Self {
        Self { frames, ended: false }
    }

    /// The next piece; `None` at the end. A trailer of HTTP's is passed over: one that carries a checksum belongs to
    /// framing that is inside the body.
    pub(crate) async fn next(&mut self) -> Option<Result<Bytes, GivenUp>> {
        while !self.ended {
            match self.frames.frame().await {
                Some(Ok(frame)) => {
                    if let Ok(data) = frame.into_data() {
                        return Some(Ok(data));
                    }
                }
                Some(Err(given_up)) => {
                    self.ended = true;
                    return Some(Err(given_up));
                }
                None => self.ended = true,
            }
        }
        None
    }

    /// Reads and drops what is left, up to so many bytes. Gives how many there were, and whether that was all.
    ///
    /// Clients in some languages take an answer that comes before they have written all for a lost connection.
    pub(crate) async fn drain(&mut self, most: u64) -> (u64, bool) {
        let mut read = 0;
        while let Some(Ok(piece)) = self.next().await {
            read += piece.len() as u64;
            if read > most {
                return (read, false);
            }
        }
        (read, true)
    }
}

/// Where pieces of a body go in, to come out of an [`OutgoingBody`].
pub(super) type Pieces = mpsc::Sender<Result<Bytes, GivenUp>>;

/// A body that the HTTP client sends while its pieces come.
#[derive(Debug)]
pub(super) struct OutgoingBody {
    pieces: mpsc::Receiver<Result<Bytes, GivenUp>>,
    /// Bytes that are still to come, where that is known.
    left: Option<u64>,
}

impl OutgoingBody {
    /// A body of this length, or one whose length is not known, and where its pieces go in.
    pub(super) fn new(length: Option<u64>) -> (Pieces, Self) {
        let (sender, pieces) = mpsc::channel(PIECES);
        (sender, Self { pieces, left: length })
    }
}

impl Body for OutgoingBody {
    type Data = Bytes;
    type Error = GivenUp;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, GivenUp>>> {
        self.pieces.poll_recv(context).map(|piece| match piece {
            Some(Ok(piece)) => {
                self.left = self.left.map(|left| left.saturating_sub(piece.len() as u64));
                Some(Ok(Frame::data(piece)))
            }
            Some(Err(given_up)) => Some(Err(given_up)),
            // Whoever gave the pieces has gone: where some are missing, the connection must not look as if all were sent.
            None if self.left.is_some_and(|left| left > 0) => Some(Err(GivenUp)),
            None => None,
        })
    }

    fn is_end_stream(&self) -> bool {
        self.left == Some(0)
    }

    fn size_hint(&self) -> SizeHint {
        self.left.map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}
