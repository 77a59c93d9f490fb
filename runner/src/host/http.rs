//! `wasi:http/outgoing-handler`: the door that any HTTP client speaks, the AWS SDKs among them.
//!
//! A request to an AWS host name takes the same way out as the typed call ([`aws`]); one to another host goes there as the
//! definition allows ([`other`]). Everything else is denied. Either way the guest's body is read to its end, within bounds,
//! before there is an answer: clients in some languages take an early one for a lost connection.
//!
//! Absent: any way of `wasmtime-wasi-http`'s own to send.

mod aws;
mod other;
mod refusal;

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::uri::Authority;
use http::{HeaderMap, Request, Response};
use http_body_util::{BodyExt, Full};
use tokio::task::JoinHandle;
use wasmtime_wasi_http::p2::bindings::http::types::ErrorCode;
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody, WasiHttpHooks};

use super::signed_call::AwsCtx;
use crate::egress::{AnswerBody, CallError, Destination, GivenUp, GuestBody, HttpAnswer};

/// Bytes of a body that are read and dropped before an answer that does not need them.
const DRAINED_BYTES: u64 = 64 << 20;

/// The most that one write to a request's body takes, in bytes; two wait at most, in each request that is not sent yet.
/// wasmtime-wasi-http's own default is 1 MiB.
const BODY_CHUNK_BYTES: usize = 16 << 10;

/// The hooks of one task's `wasi:http`.
pub(super) struct HttpDoor(AwsCtx);

impl HttpDoor {
    pub(super) fn new(aws: AwsCtx) -> Self {
        Self(aws)
    }
}

/// What `send_request` gives: the answer, and what is still to be done for it, which is nothing.
type Sent = (Response<WasiBody>, Box<dyn Future<Output = Result<(), Error>> + Send>);

impl WasiHttpHooks for HttpDoor {
    /// The host makes that header from the URL that it builds itself.
    fn set_host_header(&mut self) -> bool {
        false
    }

    fn p2_outgoing_body_chunk_size(&mut self) -> usize {
        BODY_CHUNK_BYTES
    }

    fn send_request(
        &mut self,
        request: Request<WasiBody>,
        options: Option<RequestOptions>,
        _processed: Box<dyn Future<Output = Result<(), Error>> + Send>,
    ) -> Box<dyn Future<Output = Result<Sent, Error>> + Send> {
        let aws = self.0.clone();
        let runtime = aws.runtime().cloned();
        let answer = async move { forward(&aws, request, options).await };
        // The future that is returned is polled where guests' timers are, on one thread for all of them.
        let answer: Pin<Box<dyn Future<Output = _> + Send>> = match runtime {
            Some(runtime) => Box::pin(Spawned(runtime.spawn(answer))),
            None => Box::pin(answer),
        };
        Box::new(async move { Ok((answer.await?, Box::new(async { Ok(()) }) as Box<dyn Future<Output = _> + Send>)) })
    }
}

/// A call under way in the runtime of calls; it is given up when this is dropped.
struct Spawned(JoinHandle<Result<Response<WasiBody>, Error>>);

impl Future for Spawned {
    type Output = Result<Response<WasiBody>, Error>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(context).map(|ended| {
            // A panic is a defect of ours, and the runtime's end takes its calls with it. The guest sees a lost connection.
            ended.unwrap_or_else(|_| Err(ErrorCode::ConnectionTerminated.into()))
        })
    }
}

impl Drop for Spawned {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Makes the request, or says why not.
async fn forward(
    aws: &AwsCtx,
    request: Request<WasiBody>,
    options: Option<RequestOptions>,
) -> Result<Response<WasiBody>, Error> {
    let (head, body) = request.into_parts();
    let mut body = GuestBody::new(body.map_err(|_| GivenUp).boxed_unsync());
    let authority = head.uri.authority().map_or("", Authority::as_str).to_owned();
    match Destination::of(&head.uri) {
        Ok(Destination::Aws(host)) => aws::forward(aws, &host, &head, &mut body).await,
        Ok(Destination::Host(address)) => {
            let request = other::request(head, address, options);
            other::forward(aws, request, &mut body).await
        }
        Err(error) => {
            body.drain(DRAINED_BYTES).await;
            aws.refuse_request(&authority, content_length(&head.headers), &error).await;
            tracing::debug!(%error, "a guest's request was denied");
            // There is no service whose error this could be.
            Err(ErrorCode::HttpRequestDenied.into())
        }
    }
}

/// The length that a request gives its body as it comes in.
fn content_length(headers: &HeaderMap) -> u64 {
    let length = headers.get(http::header::CONTENT_LENGTH);
    length.and_then(|length| length.to_str().ok()?.parse().ok()).unwrap_or_default()
}

/// An answer for `wasmtime-wasi-http`.
fn response(answer: HttpAnswer) -> Response<WasiBody> {
    let HttpAnswer { status, headers, body } = answer;
    let body: WasiBody = match body {
        AnswerBody::Whole(body, permit) => {
            let body = Full::new(body).map_err(|never| match never {});
            // The call counts as in flight while the guest keeps its answer.
            let body = body.map_frame(move |frame| {
                let _held = &permit;
                frame
            });
            body.boxed_unsync()
        }
        AnswerBody::Streamed(body) => body.map_err(|error| Error::from(error_code(&error))).boxed_unsync(),
    };
    let mut response = Response::new(body);
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    response
}

/// The answer to HEAD has the fields of a body and no body. RFC 9110, section 9.3.2.
fn without_body(answer: HttpAnswer) -> HttpAnswer {
    match answer.body {
        AnswerBody::Whole(_, permit) => HttpAnswer { body: AnswerBody::Whole(Bytes::new(), permit), ..answer },
        AnswerBody::Streamed(_) => answer,
    }
}

/// What a failure is in the words of `wasi:http`, where no service could say it.
fn error_code(error: &CallError) -> ErrorCode {
    match error {
        CallError::Denied(_) => ErrorCode::HttpRequestDenied,
        CallError::InvalidRequest(_) => ErrorCode::HttpProtocolError,
        CallError::TooLarge { limit } => ErrorCode::HttpRequestBodySize(Some(*limit)),
        CallError::EndpointUnreachable(_) => ErrorCode::DestinationUnavailable,
        CallError::TimedOut => ErrorCode::HttpResponseTimeout,
        CallError::Quota(_) => ErrorCode::ConnectionLimitReached,
        CallError::CredentialsUnavailable(_) => ErrorCode::ConfigurationError,
    }
}
