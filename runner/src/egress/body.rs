//! A guest's body while it comes in, and the way of its pieces to the HTTP client.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt;
use http_body_util::combinators::UnsyncBoxBody;
use tokio::sync::mpsc;

/// Pieces that may wait between the guest and the connection.
const PIECES: usize = 2;

/// How long an answer waits for a guest to write what nobody wants any more.
const DRAIN_TIME: Duration = Duration::from_secs(30);

/// The guest gave its request up before the end of the body.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("the request was given up before the end of its body")]
pub(crate) struct GivenUp;

/// The body of a guest's request, as it comes in.
pub(crate) struct GuestBody {
    frames: UnsyncBoxBody<Bytes, GivenUp>,
    ended: bool,
    put_back: Option<Bytes>,
}

impl std::fmt::Debug for GuestBody {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("GuestBody").field("ended", &self.ended).finish_non_exhaustive()
    }
}

impl GuestBody {
    pub(crate) fn new(frames: UnsyncBoxBody<Bytes, GivenUp>) -> Self {
        Self { frames, ended: false, put_back: None }
    }

    /// The next piece; `None` at the end. A trailer of HTTP's is passed over: one that carries a checksum belongs to
    /// framing that is inside the body.
    pub(crate) async fn next(&mut self) -> Option<Result<Bytes, GivenUp>> {
        if let Some(piece) = self.put_back.take() {
            return Some(Ok(piece));
        }
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

    /// Puts a piece in front of what is still to come.
    pub(crate) fn put_back(&mut self, piece: Bytes) {
        self.put_back = Some(piece);
    }

    /// Reads and drops what is left, up to so many bytes and for no longer than [`DRAIN_TIME`]. Gives how many bytes there
    /// were, and whether that was all.
    ///
    /// Clients in some languages take an answer that comes before they have written all for a lost connection.
    pub(crate) async fn drain(&mut self, most: u64) -> (u64, bool) {
        let mut read: u64 = 0;
        let all = tokio::time::timeout(DRAIN_TIME, async {
            while let Some(Ok(piece)) = self.next().await {
                read = read.saturating_add(piece.len() as u64);
                if read > most {
                    return false;
                }
            }
            true
        });
        let all = all.await.unwrap_or(false);
        (read, all)
    }
}

/// What goes into an [`OutgoingBody`].
#[derive(Debug)]
enum Piece {
    Data(Bytes),
    End,
}

/// Where pieces of a body go in, to come out of an [`OutgoingBody`]. Dropped before the end, it cuts the body off.
#[derive(Debug)]
pub(super) struct Pieces(mpsc::Sender<Piece>);

/// The client has let go of the body: there is an answer already, or none will come.
#[derive(Debug)]
pub(super) struct Unwanted;

impl Pieces {
    pub(super) async fn send(&self, data: Bytes) -> Result<(), Unwanted> {
        self.0.send(Piece::Data(data)).await.map_err(|_| Unwanted)
    }

    /// Ends the body: only now does the service take it for whole.
    pub(super) async fn end(self) -> Result<(), Unwanted> {
        self.0.send(Piece::End).await.map_err(|_| Unwanted)
    }
}

/// A body that the HTTP client sends while its pieces come.
#[derive(Debug)]
pub(super) struct OutgoingBody {
    pieces: mpsc::Receiver<Piece>,
    /// Bytes that are still to come, where that is known.
    left: Option<u64>,
    ended: bool,
}

impl OutgoingBody {
    /// A body of this length, or one whose length is not known, and where its pieces go in.
    pub(super) fn new(length: Option<u64>) -> (Pieces, Self) {
        let (sender, pieces) = mpsc::channel(PIECES);
        (Pieces(sender), Self { pieces, left: length, ended: false })
    }
}

impl Body for OutgoingBody {
    type Data = Bytes;
    type Error = GivenUp;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, GivenUp>>> {
        if self.ended {
            return Poll::Ready(None);
        }
        self.pieces.poll_recv(context).map(|piece| match piece {
            Some(Piece::Data(data)) => {
                self.left = self.left.map(|left| left.saturating_sub(data.len() as u64));
                Some(Ok(Frame::data(data)))
            }
            Some(Piece::End) if self.left.is_none_or(|left| left == 0) => {
                self.ended = true;
                None
            }
            // Whoever gave the pieces has gone before the end, or ended it elsewhere than was announced. The connection must
            // not look as if all had been sent.
            _ => {
                self.ended = true;
                Some(Err(GivenUp))
            }
        })
    }

    fn is_end_stream(&self) -> bool {
        self.ended || self.left == Some(0)
    }

    fn size_hint(&self) -> SizeHint {
        self.left.map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}
