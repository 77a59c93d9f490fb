//! Answers, whole and in pieces.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use http_body::{Body, Frame, SizeHint};
use tokio::time::{Instant, Sleep};
use url::Url;

use super::CallError;
use super::audit::{Answered, PendingEnd};
use super::limits::{CallQuota, Permit};
use super::send::unreachable;

/// The service's answer, cleaned of what a guest may not see.
#[derive(Debug)]
#[non_exhaustive]
pub struct Answer {
    /// The HTTP status.
    pub status: StatusCode,
    /// Header fields, without those of the connection.
    pub headers: HeaderMap,
    /// The body, whole.
    pub body: Bytes,
}

/// An answer as a guest's HTTP client has it.
#[derive(Debug)]
pub(crate) struct HttpAnswer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: AnswerBody,
}

/// The body of an answer. Either way the call counts as in flight while the guest keeps it: a body that nobody reads is
/// the host's memory.
#[derive(Debug)]
pub(crate) enum AnswerBody {
    /// Whole, with what it holds back from the next call.
    Whole(Bytes, Option<Permit>),
    /// To be read as it comes.
    Streamed(Box<AnswerStream>),
}

impl HttpAnswer {
    pub(crate) fn whole(answer: Answer, permit: Option<Permit>) -> Self {
        let Answer { status, headers, body } = answer;
        Self { status, headers, body: AnswerBody::Whole(body, permit) }
    }
}

/// What is counted and recorded of an answer that a guest reads as it comes.
#[derive(Debug)]
pub(super) struct Accounts {
    pub(super) quota: Arc<CallQuota>,
    pub(super) permit: Permit,
    pub(super) end: PendingEnd,
    /// How long the service may pause.
    pub(super) patience: Duration,
    pub(super) url: Url,
    pub(super) answered: Answered,
}

/// The body of an answer while it comes.
#[derive(Debug)]
pub(crate) struct AnswerStream {
    body: reqwest::Body,
    received: u64,
    /// Set while the guest waits for the service.
    deadline: Option<Pin<Box<Sleep>>>,
    quota: Arc<CallQuota>,
    patience: Duration,
    url: Url,
    /// Gone when it has ended.
    open: Option<Open>,
}

/// What ends with the body.
#[derive(Debug)]
struct Open {
    _permit: Permit,
    end: PendingEnd,
    answered: Answered,
}

impl AnswerStream {
    pub(super) fn new(body: reqwest::Body, accounts: Accounts) -> Self {
        let Accounts { quota, permit, end, patience, url, answered } = accounts;
        let open = Some(Open { _permit: permit, end, answered });
        let mut stream = Self { body, received: 0, deadline: None, quota, patience, url, open };
        stream.close_at_end();
        stream
    }

    /// Ends it where nothing more will come: a client that knows the length does not ask for the end.
    fn close_at_end(&mut self) {
        if self.body.is_end_stream() {
            self.close(None);
        }
    }

    /// Ends it: the connection is not read any further, and the record says how it ended.
    fn close(&mut self, error: Option<&CallError>) {
        if let Some(Open { end, answered, .. }) = self.open.take() {
            end.finish(&answered, self.received, error);
        }
    }

    /// Takes a piece into account.
    fn took(&mut self, bytes: u64) -> Result<(), CallError> {
        self.quota.spend(bytes)?;
        self.quota.count_received(bytes);
        self.received += bytes;
        Ok(())
    }
}

impl Drop for AnswerStream {
    fn drop(&mut self) {
        // What the guest did not read to its end is recorded as aborted, with the bytes that it read.
        if let Some(Open { end, answered, .. }) = self.open.take() {
            end.abort(&answered, self.received);
        }
    }
}

impl Body for AnswerStream {
    type Data = Bytes;
    type Error = CallError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, CallError>>> {
        let this = &mut *self;
        if this.open.is_none() {
            return Poll::Ready(None);
        }
        let failed = loop {
            match Pin::new(&mut this.body).poll_frame(context) {
                Poll::Ready(Some(Ok(frame))) => {
                    this.deadline = None;
                    // A trailer says nothing that a guest is told.
                    let Ok(data) = frame.into_data() else { continue };
                    match this.took(data.len() as u64) {
                        Ok(()) => {
                            this.close_at_end();
                            return Poll::Ready(Some(Ok(Frame::data(data))));
                        }
                        Err(error) => break error,
                    }
                }
                Poll::Ready(Some(Err(error))) => break unreachable(&this.url, &error),
                Poll::Ready(None) => {
                    this.close(None);
                    return Poll::Ready(None);
                }
                Poll::Pending => {
                    let patience = this.patience;
                    let deadline = this
                        .deadline
                        .get_or_insert_with(|| Box::pin(tokio::time::sleep_until(Instant::now() + patience)));
                    ready!(deadline.as_mut().poll(context));
                    break CallError::TimedOut;
                }
            }
        };
        this.close(Some(&failed));
        Poll::Ready(Some(Err(failed)))
    }

    fn is_end_stream(&self) -> bool {
        self.open.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        if self.open.is_some() { self.body.size_hint() } else { SizeHint::with_exact(0) }
    }
}
