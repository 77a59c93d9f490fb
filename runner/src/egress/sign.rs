//! Signature Version 4 over exactly the bytes that are sent.
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html>
//!
//! The cryptography is `aws-sigv4`'s. What is decided here is what it is given: the settings of each service, and that
//! nothing is sent which was not signed.

use std::time::SystemTime;

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SigningSettings, UriPathNormalizationMode,
};
use aws_sigv4::sign::v4;
use aws_smithy_runtime_api::client::identity::Identity;
use bytes::Bytes;
use http::header::{ACCEPT, HOST};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use tracing::subscriber::{NoSubscriber, with_default};

use super::endpoint::Target;
use super::{Authorized, CallError};
use crate::credentials::SessionCredentials;

/// A request that carries a signature over everything in it. Only [`sign`] makes one, and only this is sent.
pub(super) struct Signed {
    pub(super) method: Method,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    /// The signature in hexadecimal, so that an answer which echoes it can be cleaned.
    pub(super) signature: String,
}

/// How a service wants its requests canonicalised. S3 is the exception in all three points: it neither encodes a path
/// a second time nor normalises it, since keys may hold anything, and it wants the body's hash as a header.
fn settings(signing_name: &str) -> SigningSettings {
    let mut settings = SigningSettings::default();
    // Nothing that is sent goes unsigned; a guest's own `user-agent` and trace header are not passed on.
    settings.excluded_headers = None;
    if matches!(signing_name, "s3" | "s3express" | "s3-outposts" | "s3-object-lambda") {
        settings.percent_encoding_mode = PercentEncodingMode::Single;
        settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
        settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
    }
    settings
}

/// Signs an authorized operation for `target` with the task's role session.
pub(super) fn sign(
    authorized: &Authorized,
    target: &Target,
    credentials: &SessionCredentials,
    now: SystemTime,
) -> Result<Signed, CallError> {
    let operation = &authorized.operation;
    let mut headers: HeaderMap = authorized.headers().collect();
    headers.insert(HOST, target.host.clone());
    // The HTTP client adds this one when it is absent, and then it would not be signed.
    headers.entry(ACCEPT).or_insert(HeaderValue::from_static("*/*"));

    let identity = Identity::from(Credentials::new(
        credentials.access_key_id(),
        credentials.secret_access_key().expose(),
        Some(credentials.session_token().expose().to_owned()),
        Some(credentials.expiration()),
        "rolebox",
    ));
    let parameters = v4::SigningParams::builder()
        .identity(&identity)
        .region(operation.region.as_str())
        .name(operation.signing_name)
        .time(now)
        .settings(settings(operation.signing_name))
        .build()
        .map_err(|error| unsignable(&error))?
        .into();
    let text = |(name, value)| signable_header(name, value);
    let signable_headers = headers.iter().map(text).collect::<Result<Vec<_>, _>>()?;
    let body = SignableBody::Bytes(&operation.body);
    let request = SignableRequest::new(operation.method, target.url.as_str(), signable_headers.into_iter(), body)
        .map_err(|error| unsignable(&error))?;
    // At its finest level the library logs the canonical request, and with it the session token.
    let signed = with_default(NoSubscriber::new(), || aws_sigv4::http_request::sign(request, &parameters));
    let (instructions, signature) = signed.map_err(|error| unsignable(&error))?.into_parts();
    let (added, query) = instructions.into_parts();
    if !query.is_empty() {
        // The settings ask for headers; a signed query would be a presigned URL.
        return Err(CallError::denied("the signature would have to go into the query"));
    }
    for header in added {
        let mut value = HeaderValue::from_str(header.value()).map_err(|error| unsignable(&error))?;
        // All of them name the key or hold the token, and an HTTP library's own log shows what is not marked.
        value.set_sensitive(true);
        headers.insert(HeaderName::from_static(header.name()), value);
    }
    let method = Method::from_bytes(operation.method.as_bytes()).map_err(|error| unsignable(&error))?;
    Ok(Signed { method, headers, body: operation.body.clone(), signature })
}

fn signable_header<'a>(name: &'a HeaderName, value: &'a HeaderValue) -> Result<(&'a str, &'a str), CallError> {
    let text = std::str::from_utf8(value.as_bytes())
        .map_err(|_| CallError::InvalidRequest(format!("the header `{name}` is not UTF-8, so it cannot be signed")))?;
    Ok((name.as_str(), text))
}

fn unsignable(error: &dyn std::error::Error) -> CallError {
    CallError::InvalidRequest(format!("the request cannot be signed: {error}"))
}
