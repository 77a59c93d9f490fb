//! Signature Version 4 over exactly the bytes that are sent.
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html>
//!
//! The cryptography is `aws-sigv4`'s. What is decided here is what it is given: the settings of each service, and that
//! nothing is sent which was not signed. Tests sign AWS's published vectors, and compare with botocore over thousands of
//! requests.
//!
//! A body that is sent while it comes in is not known yet when its request is signed; [`framing`](super::framing) says how
//! it is bound to the signature all the same.
//!
//! Absent: presigned URLs, S3 Express's tokens, and Signature Version 4A.

mod chunks;
#[cfg(test)]
mod tests;

use std::time::SystemTime;

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SigningSettings,
};
use aws_sigv4::sign::v4;
use aws_smithy_runtime_api::client::identity::Identity;
use bytes::Bytes;
use http::header::{ACCEPT, HOST};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use tracing::dispatcher::{Dispatch, with_default};

pub(super) use self::chunks::ChunkSigner;
use super::CallError;
use super::addressed::{Addressed, Sending};
use super::framing::FrameWriter;
use super::payload::PayloadHash;
use crate::credentials::SessionCredentials;

/// A request that carries a signature over everything in it. Only [`sign`] makes one, and only this is sent.
pub(super) struct Signed {
    pub(super) method: Method,
    pub(super) headers: HeaderMap,
    pub(super) body: SignedBody,
    /// The signature in hexadecimal, so that an answer which echoes it can be cleaned.
    pub(super) signature: String,
}

/// The body of a request that carries a signature.
pub(super) enum SignedBody {
    /// What was hashed.
    Whole(Bytes),
    /// To be written by this.
    Streamed(Box<FrameWriter>),
}

/// How a service canonicalises a request before it compares signatures.
#[derive(Debug, Clone, Copy)]
struct Canonicalization {
    /// The path is percent-encoded once more than it is sent.
    encodes_path_twice: bool,
    /// Empty and dot segments of the path are removed. No path that is sent has any, so this changes nothing.
    normalizes_path: bool,
    /// The body's hash is sent as well, in `x-amz-content-sha256`; it is signed either way.
    sends_body_hash: bool,
}

/// Services that depart from [`GENERAL`], by their name in the credential scope.
///
/// Source: "Create a canonical request", IAM User Guide (reference_sigv-create-signed-request.html): S3 encodes a path
/// once and normalises none, since keys may hold anything, and it wants the hash.
const BY_SERVICE: [(&str, Canonicalization); 1] =
    [("s3", Canonicalization { encodes_path_twice: false, normalizes_path: false, sends_body_hash: true })];

/// All other services.
const GENERAL: Canonicalization =
    Canonicalization { encodes_path_twice: true, normalizes_path: true, sends_body_hash: false };

impl Canonicalization {
    fn of(signing_name: &str) -> Self {
        BY_SERVICE.iter().find(|(name, _)| *name == signing_name).map_or(GENERAL, |(_, own)| *own)
    }

    fn settings(self) -> SigningSettings {
        let mut settings = SigningSettings::default();
        // Nothing that is sent goes unsigned; a guest's own `user-agent` and trace header are not passed on.
        settings.excluded_headers = None;
        settings.percent_encoding_mode =
            if self.encodes_path_twice { PercentEncodingMode::Double } else { PercentEncodingMode::Single };
        settings.uri_path_normalization_mode = self.normalizes_path.into();
        settings.payload_checksum_kind =
            if self.sends_body_hash { PayloadChecksumKind::XAmzSha256 } else { PayloadChecksumKind::NoHeader };
        settings
    }
}

/// A request as it will be sent, but for the headers that signing adds.
struct Unsigned<'a> {
    method: &'a str,
    url: &'a str,
    headers: &'a HeaderMap,
    payload: &'a PayloadHash,
}

/// What a signature is good for, beside its request and its time.
struct Scope<'a> {
    region: &'a str,
    signing_name: &'a str,
    canonicalization: Canonicalization,
}

/// The headers that carry a signature, and the signature itself.
struct Signature {
    headers: Vec<(HeaderName, HeaderValue)>,
    hexadecimal: String,
}

/// Signs an authorized operation for its target with the task's role session, as of `now`. `payload` is of its body, or
/// says how that is written.
pub(super) fn sign(
    addressed: &Addressed,
    payload: &PayloadHash,
    credentials: &SessionCredentials,
    now: SystemTime,
) -> Result<Signed, CallError> {
    let Addressed { operation, target, .. } = addressed;
    let mut headers = addressed.headers.clone();
    headers.insert(HOST, target.host.clone());
    // The HTTP client adds this one when it is absent, and then it would not be signed.
    headers.entry(ACCEPT).or_insert(HeaderValue::from_static("*/*"));
    let key = Credentials::new(
        credentials.access_key_id(),
        credentials.secret_access_key().expose(),
        Some(credentials.session_token().expose().to_owned()),
        Some(credentials.expiration()),
        "rolebox",
    );
    let scope = Scope {
        region: operation.region.as_str(),
        signing_name: operation.signing_name,
        canonicalization: Canonicalization::of(operation.signing_name),
    };
    let identity = Identity::from(key);
    let request = Unsigned { method: operation.method, url: target.url.as_str(), headers: &headers, payload };
    let signature = signature(&request, &identity, &scope, now)?;
    let body = match &addressed.sending {
        Sending::Whole(body) => SignedBody::Whole(body.clone()),
        Sending::Streamed { framing, .. } => {
            let (secret, name) = (credentials.secret_access_key().expose(), operation.signing_name);
            let seed = &signature.hexadecimal;
            let signer = framing.is_signed().then(|| ChunkSigner::new(secret, scope.region, name, now, seed));
            SignedBody::Streamed(Box::new(FrameWriter::new(*framing, signer)))
        }
    };
    for (name, value) in signature.headers {
        headers.insert(name, value);
    }
    let method = Method::from_bytes(operation.method.as_bytes()).map_err(|error| unsignable(&error))?;
    Ok(Signed { method, headers, body, signature: signature.hexadecimal })
}

fn signature(
    request: &Unsigned<'_>,
    identity: &Identity,
    scope: &Scope<'_>,
    now: SystemTime,
) -> Result<Signature, CallError> {
    let parameters = v4::SigningParams::builder()
        .identity(identity)
        .region(scope.region)
        .name(scope.signing_name)
        .time(now)
        .settings(scope.canonicalization.settings())
        .build()
        .map_err(|error| unsignable(&error))?
        .into();
    let text = |(name, value)| signable_header(name, value);
    let headers = request.headers.iter().map(text).collect::<Result<Vec<_>, _>>()?;
    let body = SignableBody::Precomputed(request.payload.as_str().to_owned());
    let request = SignableRequest::new(request.method, request.url, headers.into_iter(), body)
        .map_err(|error| unsignable(&error))?;
    // At its finest level the library logs the canonical request, and with it the session token.
    let signed = with_default(&Dispatch::none(), || aws_sigv4::http_request::sign(request, &parameters));
    let (instructions, hexadecimal) = signed.map_err(|error| unsignable(&error))?.into_parts();
    let (added, query) = instructions.into_parts();
    if !query.is_empty() {
        // The settings ask for headers; a signed query would be a presigned URL.
        return Err(CallError::denied("the signature would have to go into the query"));
    }
    let headers = added
        .into_iter()
        .map(|header| {
            let mut value = HeaderValue::from_str(header.value()).map_err(|error| unsignable(&error))?;
            // All of them name the key or hold the token, and an HTTP library's own log shows what is not marked.
            value.set_sensitive(true);
            Ok((HeaderName::from_static(header.name()), value))
        })
        .collect::<Result<_, CallError>>()?;
    Ok(Signature { headers, hexadecimal })
}

/// A header as it is signed: of visible ASCII and spaces. Signers disagree on which other characters are white space to
/// be trimmed (`aws-sigv4` keeps a tab, botocore does not), and the parser passes none on.
fn signable_header<'a>(name: &'a HeaderName, value: &'a HeaderValue) -> Result<(&'a str, &'a str), CallError> {
    let text = value.to_str().ok().filter(|text| !text.contains('\t'));
    let refused = || CallError::InvalidRequest(format!("the header `{name}` holds more than visible ASCII and spaces"));
    Ok((name.as_str(), text.ok_or_else(refused)?))
}

fn unsignable(error: &dyn std::error::Error) -> CallError {
    CallError::InvalidRequest(format!("the request cannot be signed: {error}"))
}
