//! Requests to AWS host names.
//!
//! A request becomes a [`Call`] and is parsed, authorized and signed as one. A refusal is the service's own error document,
//! so that the guest's SDK raises its own error. Whatever the guest's SDK signed is dropped by the parser.
//!
//! A body is held whole up to the task's limit, and hashed; so is one whose length its headers do not tell. A longer one is
//! sent while it comes in, where the operation stores it as it is.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::request::Parts;
use http::uri::PathAndQuery;
use http::{HeaderMap, Method, Response};
use rolebox_aws_request::host::AwsHost;
use rolebox_aws_request::{Call, Protocol};
use wasmtime_wasi_http::p2::bindings::http::types::ErrorCode;
use wasmtime_wasi_http::{Error, WasiBody};

use super::{DRAINED_BYTES, content_length, error_code, refusal, response, without_body};
use crate::egress::{CallError, GuestBody, HttpAnswer, LimitReached};
use crate::host::signed_call::AwsCtx;

/// How long a guest may pause in a body that is read only to be dropped.
const UNADMITTED_TIME: Duration = Duration::from_secs(60);

/// The length of a body in a frame of `aws-chunked`, without the frame.
const DECODED_LENGTH: &str = "x-amz-decoded-content-length";

/// Makes the call that the request is, or says why not.
pub(super) async fn forward(
    aws: &AwsCtx,
    host: &AwsHost,
    head: &Parts,
    body: &mut GuestBody,
) -> Result<Response<WasiBody>, Error> {
    // Counted before its body is held.
    let admitted = aws.admit();
    let limit = admitted.as_ref().map_or(0, |(calls, _)| calls.body_bytes());
    let announced = announced_length(&head.headers);
    let is_head = head.method == Method::HEAD;
    let refused = |protocol: Protocol, error: &CallError| {
        Ok(response(without_body_if(is_head, HttpAnswer::whole(refusal::answer(protocol, error), None))))
    };

    let held = match &admitted {
        Ok(_) if announced > limit => Held::TooLong { length: announced, ended: false, streams: true },
        Ok((calls, _)) => hold(body, limit, is_framed(&head.headers), calls.call_timeout()).await?,
        Err(_) => hold(body, limit, false, UNADMITTED_TIME).await?,
    };
    let (length, held, streams) = match held {
        Held::Whole(bytes) => (bytes.len() as u64, Some(bytes), false),
        Held::TooLong { streams: true, .. } => (announced, Some(Bytes::new()), true),
        Held::TooLong { length, ended: true, .. } => (length, None, false),
        Held::TooLong { length, .. } => {
            // Not read to its end, so no answer would be understood.
            match &admitted {
                Ok((calls, _)) => calls.refuse_at(LimitReached::BodyBytes(limit), &host.service, length).await,
                Err(not) => not.refuse(&host.service, length).await,
            };
            return Err(ErrorCode::HttpRequestBodySize(Some(limit)).into());
        }
    };
    let call = match call(host, head, held.clone().unwrap_or_default()) {
        Ok(call) => call,
        Err(error) => {
            body.drain(DRAINED_BYTES).await;
            match &admitted {
                Ok((calls, _)) => calls.refuse(&host.service, &error).await,
                Err(not) => drop(not.refuse(&host.service, length).await),
            }
            return refused(Protocol::RestXml, &error);
        }
    };
    let protocol = rolebox_aws_request::protocol(&call);
    let answered = match (admitted, held) {
        (Err(not), _) => Err(not.refuse(&call.service, length).await),
        (Ok((calls, _)), None) => Err(calls.refuse_at(LimitReached::BodyBytes(limit), &call.service, length).await),
        (Ok((calls, permit)), Some(_)) if streams => calls.upload(permit, call, length, body).await,
        (Ok((calls, permit)), Some(_)) => calls.exchange(permit, call).await,
    };
    body.drain(DRAINED_BYTES).await;
    match answered {
        Ok(answer) => Ok(response(without_body_if(is_head, answer))),
        Err(error @ (CallError::EndpointUnreachable(_) | CallError::TimedOut)) => {
            tracing::debug!(%error, "a guest's request has no answer");
            Err(error_code(&error).into())
        }
        Err(error) => refused(protocol, &error),
    }
}

fn without_body_if(is_head: bool, answer: HttpAnswer) -> HttpAnswer {
    if is_head { without_body(answer) } else { answer }
}

fn call(host: &AwsHost, head: &Parts, body: Bytes) -> Result<Call, CallError> {
    let target = head.uri.path_and_query().map_or("/", PathAndQuery::as_str);
    let headers = head.headers.iter().map(|(name, value)| (name.to_string(), value.as_bytes().to_vec())).collect();
    Ok(Call::from_wire(host, head.method.as_str(), target, headers, body)?)
}

/// How long the body is, as far as the headers tell: 0 where they do not. The parser reads them again, strictly.
fn announced_length(headers: &HeaderMap) -> u64 {
    let decoded: Option<u64> = headers.get(DECODED_LENGTH).and_then(|length| length.to_str().ok()?.trim().parse().ok());
    decoded.unwrap_or_default().max(content_length(headers))
}

/// Whether the headers tell the length of what a frame holds.
fn is_framed(headers: &HeaderMap) -> bool {
    headers.contains_key(DECODED_LENGTH)
}

/// A body that was read to its end, or as far as it is read.
enum Held {
    Whole(Bytes),
    TooLong {
        length: u64,
        ended: bool,
        /// All of it is still to come, and to be sent while it comes.
        streams: bool,
    },
}

/// Holds a body of up to `limit` bytes. A longer one is sent while it comes in where it is `framed`, since its length is
/// known then: with its frame it is too long, and without perhaps not. Any other is read and dropped, but not further than
/// [`DRAINED_BYTES`] past the limit. The guest may pause for as long as `patience`.
async fn hold(body: &mut GuestBody, limit: u64, framed: bool, patience: Duration) -> Result<Held, Error> {
    let (mut held, mut length) = (BytesMut::new(), 0_u64);
    loop {
        let piece = match tokio::time::timeout(patience, body.next()).await {
            Ok(Some(Ok(piece))) => piece,
            Ok(Some(Err(_))) => return Err(ErrorCode::HttpProtocolError.into()),
            Ok(None) => return Ok(Held::Whole(held.freeze())),
            Err(_) => return Err(ErrorCode::ConnectionReadTimeout.into()),
        };
        length = length.saturating_add(piece.len() as u64);
        if length <= limit {
            held.extend_from_slice(&piece);
            continue;
        }
        if framed {
            held.extend_from_slice(&piece);
            body.put_back(held.freeze());
            return Ok(Held::TooLong { length, ended: false, streams: true });
        }
        drop(held);
        let left = limit.saturating_add(DRAINED_BYTES).saturating_sub(length);
        let (read, ended) = body.drain(left).await;
        return Ok(Held::TooLong { length: length.saturating_add(read), ended, streams: false });
    }
}
