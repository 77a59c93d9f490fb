//! The Simple Storage Service: s3s between a check of the signature in front and a check of the permissions behind.
//!
//! A request passes, in this order: its target is read; the forms that are not served are refused; the signature, token
//! and time are checked; its body is bounded and held to the digest that was signed; s3s checks the signature again,
//! decodes signed chunks and names the operation; the [access check](access) decides; the [store](crate::store) acts.

mod access;
mod error;
mod operations;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, EXPECT, HeaderValue};
use http::request::Parts;
use http::{Method, Request, Response};
use http_body_util::BodyExt;
use hyper::body::{Body as _, Incoming};
use rolebox_policy::Context;
use s3s::auth::{S3Auth, SecretKey};
use s3s::config::{S3Config, StaticConfigProvider};
use s3s::service::{S3Service, S3ServiceBuilder};
use s3s::{Body, S3Result, s3_error};
use time::OffsetDateTime;

use self::access::Access;
pub(crate) use self::access::DeniedKeys;
use self::error::Refusal;
use crate::answer::{Answer, escape_xml};
use crate::body::{self, InboundBody};
use crate::credentials::Credentials;
use crate::principal::{Principal, RequestFacts};
use crate::sigv4::{self, PayloadClaim, SigningService, Target};
use crate::store::Store;

/// The longest body that is XML, 2 MiB: a DeleteObjects of 1,000 keys of 1,024 bytes fits, as it has to.
const MAX_XML: usize = 2 * 1024 * 1024;
/// The longest body of a request that needs none.
const MAX_UNUSED_BODY: u64 = 64 * 1024;

/// Who asks, for everything behind the signature.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    pub(crate) principal: Arc<Principal>,
    pub(crate) context: Context,
    pub(crate) record: CallRecord,
}

/// What becomes known about a call on its way.
#[derive(Clone, Debug, Default)]
pub(crate) struct CallRecord(Arc<Mutex<Option<String>>>);

impl CallRecord {
    pub(crate) fn set_operation(&self, name: &str) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(name.into());
    }

    fn operation(&self) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// The service.
#[derive(Clone, Debug)]
pub(crate) struct S3 {
    service: S3Service,
    credentials: Arc<Credentials>,
    max_body: u64,
}

impl S3 {
    /// `max_body` bounds a streamed body, in bytes.
    pub(crate) fn new(store: Store, credentials: Arc<Credentials>, max_body: u64) -> Self {
        let mut config = S3Config::default();
        config.xml_max_body_size = MAX_XML;
        // The time was checked in front, by a clock that may be a test's.
        config.presigned_url_max_skew_time_secs = u32::MAX;
        let mut builder = S3ServiceBuilder::new(store.clone());
        builder.set_config(Arc::new(StaticConfigProvider::new(Arc::new(config))));
        builder.set_auth(Keys(Arc::clone(&credentials)));
        builder.set_access(Access { store });
        Self { service: builder.build(), credentials, max_body }
    }

    /// Answers a request.
    pub(crate) async fn handle(
        &self,
        parts: Parts,
        incoming: Incoming,
        peer: SocketAddr,
        now: OffsetDateTime,
        request_id: &str,
    ) -> Answer {
        let mut answer = Answer::new("s3");
        // A client that waits for a go-ahead has not begun to write, so there is nothing to read to its end.
        let waits = parts.headers.contains_key(EXPECT);
        let inbound = InboundBody::new(incoming, self.max_body);
        let response = match self.call(parts, &inbound, peer, now, &mut answer).await {
            Ok(response) => response,
            Err(Refused::DotSegment) => error::dot_segment(),
            Err(Refused::With(refusal)) => refusal.into_response(),
        };
        if !waits {
            inbound.drain().await;
        }
        let (response, error_code) = finish(response, request_id).await;
        answer.response = response;
        answer.error_code = error_code;
        answer
    }

    async fn call(
        &self,
        mut parts: Parts,
        inbound: &InboundBody,
        peer: SocketAddr,
        now: OffsetDateTime,
        answer: &mut Answer,
    ) -> Result<Response<Body>, Refused> {
        let target = Target::parse(&parts.uri)
            .map_err(|error| Refusal::target(error).map_or(Refused::DotSegment, Refused::With))?;
        refuse_other_forms(&parts, &target)?;
        let verified = sigv4::verify(&parts, &target, SigningService::S3, None, now, &self.credentials)
            .map_err(Refusal::rejection)?;
        let principal = Arc::clone(&verified.credential.principal);
        answer.principal = Some(principal.arn.to_string());
        answer.session_name = principal.session().map(|session| session.name.clone());

        let length =
            parts.headers.get(http::header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
        if length.is_some_and(|length: u64| length > self.max_body) {
            return Err(Refusal::body(body::BodyError::TooLong).into());
        }
        if let PayloadClaim::Sha256(digest) = verified.payload {
            inbound.expect_digest(digest);
        }
        let body = match parts.method {
            // An empty body has no end that its reader would wait for, so it is compared with its digest here.
            Method::PUT if inbound.size_hint().exact() != Some(0) => Body::http_body(inbound.clone()),
            Method::PUT => read(inbound, 0).await?,
            Method::POST => read(inbound, MAX_XML as u64).await?,
            _ => read(inbound, MAX_UNUSED_BODY).await?,
        };

        let facts = RequestFacts {
            now,
            source_ip: peer.ip(),
            user_agent: parts.headers.get(http::header::USER_AGENT).and_then(|value| value.to_str().ok()),
        };
        let record = CallRecord::default();
        let caller = Caller { context: principal.context(&facts), principal, record: record.clone() };
        parts.extensions.insert(caller);
        for name in [AUTHORIZATION.as_str(), "x-amz-security-token"] {
            // Its `Debug` form shows nothing then, and s3s logs requests at level `debug`.
            if let Some(value) = parts.headers.get_mut(name) {
                value.set_sensitive(true);
            }
        }
        let result = self.service.call(Request::from_parts(parts, body)).await;
        answer.operation = record.operation();
        // What was wrong with the body is the cause of whatever s3s and the store made of it.
        if let Some(error) = inbound.error() {
            return Err(Refusal::body(error).into());
        }
        result.map_err(|_| Refusal::bad_request("InternalError", "We encountered an internal error.").into())
    }
}

/// Why a request gets no further.
enum Refused {
    DotSegment,
    With(Refusal),
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        Self::With(refusal)
    }
}

/// Ways to authenticate that S3 has besides the header of Signature Version 4. s3s would look for them first, so a request
/// that has two must not reach it.
fn refuse_other_forms(parts: &Parts, target: &Target) -> Result<(), Refusal> {
    for (name, _) in &target.query {
        let name = name.to_ascii_lowercase();
        if name.starts_with("x-amz-") || matches!(name.as_str(), "awsaccesskeyid" | "signature" | "expires") {
            return Err(Refusal::not_implemented(format!(
                "The query parameter {name} is not implemented: sign with headers; presigned URLs are not served."
            )));
        }
    }
    let content_type = parts.headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes).unwrap_or_default();
    if content_type.trim_ascii_start().to_ascii_lowercase().starts_with(b"multipart/") {
        return Err(Refusal::not_implemented("Uploads by forms are not implemented."));
    }
    if parts.headers.contains_key("x-http-method-override") || parts.headers.contains_key("x-method-override") {
        return Err(Refusal::not_implemented("Method overrides are not implemented."));
    }
    Ok(())
}

/// Reads a body whole, so that its digest is known to be right before anything is decided.
async fn read(inbound: &InboundBody, limit: u64) -> Result<Body, Refusal> {
    inbound.limit(limit);
    let bytes: Bytes = inbound.clone().collect().await.map_err(Refusal::body)?.to_bytes();
    Ok(Body::from(bytes))
}

/// Gives an answer its request id, in the header and, for an error, in the body too. Returns the error's code.
async fn finish(response: Response<Body>, request_id: &str) -> (Response<Body>, Option<String>) {
    let (mut parts, body) = response.into_parts();
    if let Ok(value) = HeaderValue::from_str(request_id) {
        parts.headers.insert("x-amz-request-id", value);
    }
    if !parts.status.is_client_error() && !parts.status.is_server_error() {
        return (Response::from_parts(parts, body), None);
    }
    // Errors are short and in memory already.
    let bytes = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    let code =
        text.split_once("<Code>").and_then(|(_, rest)| rest.split_once("</Code>")).map(|(code, _)| code.to_owned());
    let text = match text.rsplit_once("</Error>") {
        Some((error, rest)) => format!("{error}<RequestId>{}</RequestId></Error>{rest}", escape_xml(request_id)),
        None => text.into_owned(),
    };
    parts.headers.remove(http::header::CONTENT_LENGTH);
    (Response::from_parts(parts, Body::from(text)), code)
}

/// The keys, as s3s asks for them.
struct Keys(Arc<Credentials>);

#[async_trait::async_trait]
impl S3Auth for Keys {
    async fn get_secret_key(&self, access_key: &str) -> S3Result<SecretKey> {
        match self.0.find(access_key) {
            Some(credential) => Ok(SecretKey::from(credential.secret_access_key.expose())),
            None => {
                Err(s3_error!(InvalidAccessKeyId, "The AWS Access Key Id you provided does not exist in our records."))
            }
        }
    }
}
