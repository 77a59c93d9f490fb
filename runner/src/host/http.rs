//! `wasi:http/outgoing-handler`: the door that any AWS SDK speaks, into the same way out as the typed call.
//!
//! A request to an AWS host name becomes a [`Call`](rolebox_aws_request::Call) and is parsed, authorized and signed as
//! one. A refusal is the service's own error document, so that the guest's SDK raises its own error; the guest's body
//! is read to its end first, because clients in some languages take an early answer for a lost connection. Whatever
//! the guest's SDK signed is dropped by the parser.
//!
//! Absent: other hosts, which are refused, and bodies that stream: each is held whole, up to the task's limit.

mod refusal;

use std::pin::Pin;
use std::task::{Context, Poll};

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use http::uri::{Authority, PathAndQuery, Scheme};
use http::{Method, Request, Response};
use http_body_util::{BodyExt, Full};
use rolebox_aws_request::host::{self, AwsHost, Host};
use rolebox_aws_request::{Call, Protocol};
use tokio::task::JoinHandle;
use wasmtime_wasi_http::p2::bindings::http::types::ErrorCode;
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody, WasiHttpHooks};

use super::signed_call::{AwsCtx, NotAdmitted};
use crate::egress::{Answer, CallError, LimitReached, Permit, TaskCalls};

/// Bytes of a body over the limit that are read and dropped before the refusal: a client that is far beyond it is cut.
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
        _options: Option<RequestOptions>,
        _processed: Box<dyn Future<Output = Result<(), Error>> + Send>,
    ) -> Box<dyn Future<Output = Result<Sent, Error>> + Send> {
        let aws = self.0.clone();
        let runtime = aws.runtime().cloned();
        let answer = async move { forward(&aws, request).await };
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

/// Makes the call that the request is, or says why not.
async fn forward(aws: &AwsCtx, request: Request<WasiBody>) -> Result<Response<WasiBody>, Error> {
    // Counted before its body is held.
    let admitted = aws.admit();
    let limit = admitted.as_ref().map_or(0, |(calls, _)| calls.body_bytes());
    let (parts, body) = request.into_parts();
    let (body, length) = read_whole(body, limit).await?;

    let authority = parts.uri.authority().map_or("", Authority::as_str);
    if length > limit.saturating_add(DRAINED_BYTES) {
        // Not read to its end, so no answer would be understood.
        match &admitted {
            Ok((calls, _)) => calls.refuse_at(LimitReached::BodyBytes(limit), authority, length).await,
            Err(not) => not.refuse(authority, length).await,
        };
        return Err(ErrorCode::HttpRequestBodySize(Some(limit)).into());
    }
    let https = parts.uri.scheme() == Some(&Scheme::HTTPS);
    let host = match aws_host(authority, https) {
        Ok(host) => host,
        Err(error) => {
            record(&admitted, authority, length, &error).await;
            tracing::debug!(%error, "a guest's request was denied");
            // There is no service whose error this could be.
            return Err(ErrorCode::HttpRequestDenied.into());
        }
    };
    let head = parts.method == Method::HEAD;
    let target = parts.uri.path_and_query().map_or("/", PathAndQuery::as_str);
    let headers = parts.headers.iter().map(|(name, value)| (name.to_string(), value.as_bytes().to_vec())).collect();
    let held = body.clone().unwrap_or_default();
    let call = match Call::from_wire(&host, parts.method.as_str(), target, headers, held) {
        Ok(call) => call,
        Err(refusal) => {
            let error = CallError::from(refusal);
            record(&admitted, &host.service, length, &error).await;
            return Ok(response(refusal::answer(Protocol::RestXml, &error), head));
        }
    };
    let protocol = rolebox_aws_request::protocol(&call);
    let answered = match (admitted, body) {
        (Err(not), _) => Err(not.refuse(&call.service, length).await),
        (Ok((calls, _)), None) => Err(calls.refuse_at(LimitReached::BodyBytes(limit), &call.service, length).await),
        (Ok((calls, permit)), Some(_)) => calls.call_admitted(&permit, call).await.map(|answer| (answer, permit)),
    };
    match answered {
        Ok((answer, permit)) => Ok(held_response(answer, head, permit)),
        Err(CallError::EndpointUnreachable(reason)) => {
            tracing::debug!(reason, "a guest's request has no answer");
            Err(ErrorCode::DestinationUnavailable.into())
        }
        Err(CallError::TimedOut) => Err(ErrorCode::HttpResponseTimeout.into()),
        Err(error) => Ok(response(refusal::answer(protocol, &error), head)),
    }
}

/// The AWS API that a guest addresses. Every other host is denied.
fn aws_host(authority: &str, https: bool) -> Result<AwsHost, CallError> {
    match host::from_authority(authority, https)? {
        Host::Aws(host) if https => Ok(host),
        Host::Aws(_) => Err(CallError::denied(format!("{authority} is called over TLS only: write https"))),
        _ => Err(CallError::denied(format!("the host {authority} is not AWS's, and no other can be reached"))),
    }
}

/// The body, or `None` where it has more than `limit` bytes, and its length. Either way it is read to its end, but not
/// further than [`DRAINED_BYTES`] past the limit.
async fn read_whole(mut body: WasiBody, limit: u64) -> Result<(Option<Bytes>, u64), Error> {
    let (mut held, mut length) = (BytesMut::new(), 0_u64);
    while let Some(frame) = body.frame().await {
        // A trailer is not passed on; one that carries a checksum belongs to framing that is inside the body.
        let Ok(data) = frame?.into_data() else { continue };
        length = length.saturating_add(data.len() as u64);
        if length <= limit {
            held.extend_from_slice(&data);
        } else {
            held = BytesMut::new();
        }
        if length > limit.saturating_add(DRAINED_BYTES) {
            break;
        }
    }
    Ok(((length <= limit).then(|| held.freeze()), length))
}

/// The call counts as in flight while the guest keeps its answer: a body that nobody reads is the host's memory.
fn held_response(answer: Answer, head: bool, permit: Permit) -> Response<WasiBody> {
    response(answer, head).map(|body| {
        body.map_frame(move |frame| {
            let _held = &permit;
            frame
        })
        .boxed_unsync()
    })
}

fn response(answer: Answer, head: bool) -> Response<WasiBody> {
    // The answer to HEAD has the fields of a body and no body. RFC 9110, section 9.3.2.
    let body = if head { Bytes::new() } else { answer.body };
    let mut response = Response::new(Full::new(body).map_err(|never| match never {}).boxed_unsync());
    *response.status_mut() = answer.status;
    *response.headers_mut() = answer.headers;
    response
}

/// Records a refusal: that the call was not let in, where it was not, or else what `error` says.
async fn record(
    admitted: &Result<(Arc<TaskCalls>, Permit), NotAdmitted>,
    service: &str,
    body_bytes: u64,
    error: &CallError,
) {
    match admitted {
        Ok((calls, _)) => calls.refuse(service, error).await,
        Err(not) => drop(not.refuse(service, body_bytes).await),
    }
}
