//! Answers: the host's own, and a handler's on their way to the client.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode, Version};
use http_body::{Body, Frame, SizeHint};
use http_body_util::{BodyExt, Full};
use tokio::sync::oneshot;
use wasmtime_wasi_http::{Error, WasiBody};

/// An answer of the host's own, for people: `why` says nothing that the client may not know.
pub(crate) fn refusal(status: StatusCode, why: &'static str) -> Response<WasiBody> {
    let body = Full::new(Bytes::from(format!("{why}\n"))).map_err(|never| match never {});
    let mut response = Response::new(body.boxed_unsync());
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    if status == StatusCode::SERVICE_UNAVAILABLE {
        headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
    }
    response
}

/// What became of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Gone {
    /// It is away whole.
    Whole,
    /// The handler broke it off.
    BrokenOff,
}

/// The handler's word from the client: told what became of the answer, or dropped when the client has left before.
pub(crate) type Client = oneshot::Sender<Gone>;

/// Why a handler's answer cannot be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unsendable {
    /// HTTP has no such answer; why not.
    NotHttp(&'static str),
    /// HTTP/1.0 ends an answer without a length with the connection, and so also one that was cut.
    NotOfOld,
}

/// Makes a handler's answer to a request of this method one that can be sent, or says why it cannot. `client` is told what
/// becomes of it.
pub(crate) fn sent(
    response: Response<WasiBody>,
    (method, version): (&Method, Version),
    client: Client,
) -> Result<Response<WasiBody>, Unsendable> {
    let (mut parts, body) = response.into_parts();
    if parts.status.is_informational() {
        return Err(Unsendable::NotHttp("its status is not that of a final answer"));
    }
    let length = content_length(&parts.headers).map_err(Unsendable::NotHttp)?;
    // What HTTP sends no body for: the handler does not know, and goes on writing. RFC 9110, section 6.4.1.
    let bodiless = *method == Method::HEAD || matches!(parts.status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
    if bodiless {
        if parts.status == StatusCode::NO_CONTENT {
            // Who believes it waits for a body that is none. RFC 9110, section 8.6.
            parts.headers.remove(CONTENT_LENGTH);
        }
        tokio::spawn(drain(Answer::new(body, None, client)));
        return Ok(Response::from_parts(parts, Unsaid.boxed_unsync()));
    }
    // hyper would send the head as it is, and the client take the next answer for the rest of this one.
    if length.is_some() && body.size_hint().exact().is_some_and(|exact| Some(exact) != length) {
        return Err(Unsendable::NotHttp("its Content-Length is not that of its body"));
    }
    if version < Version::HTTP_11 && length.is_none() && body.size_hint().exact().is_none() {
        return Err(Unsendable::NotOfOld);
    }
    Ok(Response::from_parts(parts, Answer::new(body, length, client).boxed_unsync()))
}

/// Two lengths, or one that is no number, would have the client and whoever is in front of it see different answers.
fn content_length(headers: &HeaderMap) -> Result<Option<u64>, &'static str> {
    let mut lengths = headers.get_all(CONTENT_LENGTH).iter();
    match (lengths.next(), lengths.next()) {
        (None, _) => Ok(None),
        (Some(length), None) => {
            let digits = length.to_str().ok().filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
            digits.and_then(|text| text.parse().ok()).map(Some).ok_or("its Content-Length is not a number")
        }
        (Some(_), Some(_)) => Err("it has more than one Content-Length"),
    }
}

async fn drain(mut body: Answer) {
    while let Some(Ok(_)) = body.frame().await {}
}

/// The body of an answer that has none; how long one would be is not said.
struct Unsaid;

impl Body for Unsaid {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(self: Pin<&mut Self>, _context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        Poll::Ready(None)
    }
}

/// A handler's body that tells when it is away.
struct Answer {
    body: WasiBody,
    /// Bytes that are still to come, where the answer's head says how many there are: hyper asks for no end after those.
    left: Option<u64>,
    client: Option<Client>,
}

impl Answer {
    fn new(body: WasiBody, left: Option<u64>, client: Client) -> Self {
        let mut answer = Self { body, left, client: Some(client) };
        if left == Some(0) || answer.body.is_end_stream() {
            answer.away();
        }
        answer
    }

    fn away(&mut self) {
        if let Some(client) = self.client.take() {
            // Whoever waited for it may have ended.
            let _ = client.send(Gone::Whole);
        }
    }
}

impl Body for Answer {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(context);
        match &polled {
            Poll::Ready(None) => self.away(),
            Poll::Ready(Some(Ok(frame))) => {
                let length = frame.data_ref().map(Bytes::len);
                match (length, &mut self.left) {
                    // Trailers are the last of a body.
                    (None, _) => self.away(),
                    (Some(length), Some(left)) => {
                        *left = left.saturating_sub(length as u64);
                        if *left == 0 {
                            self.away();
                        }
                    }
                    (Some(_), None) => {}
                }
            }
            // Cut in the middle, which the client sees.
            Poll::Ready(Some(Err(_))) => {
                if let Some(client) = self.client.take() {
                    let _ = client.send(Gone::BrokenOff);
                }
            }
            Poll::Pending => {}
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
