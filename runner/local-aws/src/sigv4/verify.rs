//! Everything that must hold before a request counts as its caller's.

use std::sync::Arc;

use hmac::{Hmac, KeyInit, Mac};
use http::header::{AUTHORIZATION, HOST, HeaderName};
use http::request::Parts;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use time::{Duration, OffsetDateTime, PrimitiveDateTime};
use zeroize::Zeroizing;

use super::authorization::{ALGORITHM, Authorization, AuthorizationError, from_hex, to_hex};
use super::canonical::{Target, canonical_request};
use crate::REGION;
use crate::credentials::{Credential, Credentials};

/// How far a request's time may be from the service's, either way
/// (<https://docs.aws.amazon.com/AmazonS3/latest/API/RESTAuthentication.html>).
pub(crate) const MAX_SKEW: Duration = Duration::minutes(15);

const X_AMZ_DATE: HeaderName = HeaderName::from_static("x-amz-date");
const X_AMZ_SECURITY_TOKEN: HeaderName = HeaderName::from_static("x-amz-security-token");
const X_AMZ_CONTENT_SHA256: HeaderName = HeaderName::from_static("x-amz-content-sha256");

/// The service that a credential's scope must name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SigningService {
    S3,
    Sts,
}

impl SigningService {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::S3 => "s3",
            Self::Sts => "sts",
        }
    }
}

/// What the signature says about the body. Whoever reads the body has to hold it to this.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PayloadClaim {
    /// It has this SHA-256.
    Sha256([u8; 32]),
    /// Nothing.
    Unsigned,
    /// It comes in chunks, each with a signature of its own.
    SignedChunks,
    /// It comes in chunks without signatures, and a checksum at the end.
    UnsignedChunks,
}

impl PayloadClaim {
    fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "UNSIGNED-PAYLOAD" => Self::Unsigned,
            "STREAMING-AWS4-HMAC-SHA256-PAYLOAD" | "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER" => Self::SignedChunks,
            "STREAMING-UNSIGNED-PAYLOAD-TRAILER" => Self::UnsignedChunks,
            digest => Self::Sha256(from_hex(digest)?),
        })
    }
}

/// A request whose signature, token and time are right.
#[derive(Debug)]
pub(crate) struct Verified {
    pub(crate) credential: Arc<Credential>,
    pub(crate) payload: PayloadClaim,
}

/// Why a request is nobody's. Each protocol has its own words for these.
#[derive(Debug)]
pub(crate) enum Rejection {
    /// No `Authorization` header.
    Anonymous,
    /// Signed in another way than Signature Version 4 with HMAC.
    Algorithm,
    /// The `Authorization` header, or a header that must be single, is not of its form.
    Malformed(String),
    /// The credential's scope names another Region.
    Region(String),
    /// The credential's scope names another service.
    Service(String),
    /// No such key, or a session's key without its token.
    UnknownKey(String),
    /// No `X-Amz-Date`, or one that is not a time.
    NoDate,
    /// The scope's date is not the request's.
    ScopeDate { scope: String, request: String },
    /// The request's time is too far from the service's.
    Skewed { request: OffsetDateTime, now: OffsetDateTime },
    /// Headers that must be signed and are not.
    NotSigned(Vec<String>),
    /// A header that is signed is not there.
    Absent(String),
    /// The session token is not this key's.
    Token,
    /// The session's life is over.
    Expired,
    /// No `X-Amz-Content-SHA256`.
    NoPayloadHash,
    /// `X-Amz-Content-SHA256` is not one of its forms.
    PayloadHash,
    /// The signature is not the one that the key makes for this request.
    Mismatch(Box<Mismatch>),
}

/// What AWS tells about a wrong signature: enough to find the difference. The canonical request repeats the caller's own
/// headers, the session token among them, so this is for the answer and never for a log.
pub(crate) struct Mismatch {
    pub(crate) access_key_id: String,
    pub(crate) signature: String,
    pub(crate) string_to_sign: String,
    pub(crate) canonical_request: Vec<u8>,
}

impl std::fmt::Debug for Mismatch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mismatch").field("access_key_id", &self.access_key_id).finish_non_exhaustive()
    }
}

/// Checks a request to `service`, which came at `now`. `body` is the digest of its body where that is already known;
/// otherwise the header must tell it.
pub(crate) fn verify(
    parts: &Parts,
    target: &Target,
    service: SigningService,
    body: Option<[u8; 32]>,
    now: OffsetDateTime,
    credentials: &Credentials,
) -> Result<Verified, Rejection> {
    let authorization = read_authorization(parts)?;
    if authorization.service != service.name() {
        return Err(Rejection::Service(authorization.service));
    }
    if authorization.region != REGION {
        return Err(Rejection::Region(authorization.region));
    }
    let date_text = single(parts, &X_AMZ_DATE)?.ok_or(Rejection::NoDate)?;
    let request_time = parse_amz_date(date_text).ok_or(Rejection::NoDate)?;
    if authorization.date.as_str() != &date_text[..8] {
        return Err(Rejection::ScopeDate { scope: authorization.date, request: date_text[..8].into() });
    }
    if (now - request_time).abs() > MAX_SKEW {
        return Err(Rejection::Skewed { request: request_time, now });
    }
    check_signed_headers(parts, &authorization)?;

    let credential = credentials
        .find(&authorization.access_key_id)
        .ok_or_else(|| Rejection::UnknownKey(authorization.access_key_id.clone()))?;
    check_token(parts, &credential, now)?;

    let header = single(parts, &X_AMZ_CONTENT_SHA256)?;
    let claim = header.map(|text| PayloadClaim::parse(text).ok_or(Rejection::PayloadHash)).transpose()?;
    let (payload, payload_text) = match (body, claim, header) {
        // A header that tells another digest than the body has makes another signature than the body does.
        (Some(digest), _, _) => (PayloadClaim::Sha256(digest), to_hex(&digest)),
        (None, Some(claim), Some(text)) => (claim, text.to_owned()),
        (None, ..) => return Err(Rejection::NoPayloadHash),
    };

    let canonical_request =
        canonical_request(parts.method.as_str(), target, &parts.headers, &authorization.signed_headers, &payload_text);
    let string_to_sign =
        format!("{ALGORITHM}\n{date_text}\n{}\n{}", authorization.scope(), sha256_hex(&canonical_request));
    let key = signing_key(credential.secret_access_key.expose(), &authorization);
    let signature = hmac(&key[..], string_to_sign.as_bytes());
    if !bool::from(signature.ct_eq(&authorization.signature)) {
        return Err(Rejection::Mismatch(Box::new(Mismatch {
            access_key_id: authorization.access_key_id,
            signature: authorization.signature_text,
            string_to_sign,
            canonical_request,
        })));
    }
    Ok(Verified { credential, payload })
}

fn read_authorization(parts: &Parts) -> Result<Authorization, Rejection> {
    let header = single(parts, &AUTHORIZATION)?.ok_or(Rejection::Anonymous)?;
    Authorization::parse(header).map_err(|error| match error {
        AuthorizationError::Algorithm => Rejection::Algorithm,
        AuthorizationError::Malformed(what) => Rejection::Malformed(format!("the authorization header has {what}")),
    })
}

/// The value of a header that may occur once.
fn single<'p>(parts: &'p Parts, name: &HeaderName) -> Result<Option<&'p str>, Rejection> {
    let mut values = parts.headers.get_all(name).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    if values.next().is_some() {
        return Err(Rejection::Malformed(format!("the header {name} occurs twice")));
    }
    value.to_str().map(Some).map_err(|_| Rejection::Malformed(format!("the header {name} is not ASCII")))
}

/// The host and every `x-amz-*` header must be signed, and what is signed must be there. A header that AWS gives a
/// meaning to must not occur twice, or its reader might see another value than the signer.
fn check_signed_headers(parts: &Parts, authorization: &Authorization) -> Result<(), Rejection> {
    let mut not_signed = Vec::new();
    for name in parts.headers.keys() {
        if name != HOST && !name.as_str().starts_with("x-amz-") {
            continue;
        }
        if parts.headers.get_all(name).iter().count() > 1 {
            return Err(Rejection::Malformed(format!("the header {name} occurs twice")));
        }
        if !authorization.signed_headers.iter().any(|signed| signed == name.as_str()) {
            not_signed.push(name.as_str().to_owned());
        }
    }
    if !authorization.signed_headers.iter().any(|signed| signed == HOST.as_str())
        && !not_signed.contains(&"host".into())
    {
        not_signed.push("host".into());
    }
    if !not_signed.is_empty() {
        not_signed.sort();
        return Err(Rejection::NotSigned(not_signed));
    }
    match authorization.signed_headers.iter().find(|name| !parts.headers.contains_key(name.as_str())) {
        Some(name) => Err(Rejection::Absent(name.clone())),
        None => Ok(()),
    }
}

/// A session's key needs its own token and a life that is not over; a user's key must come without one.
fn check_token(parts: &Parts, credential: &Credential, now: OffsetDateTime) -> Result<(), Rejection> {
    let token = single(parts, &X_AMZ_SECURITY_TOKEN)?;
    match (&credential.session, token) {
        (None, None) => Ok(()),
        (None, Some(_)) => Err(Rejection::Token),
        (Some(_), None) => Err(Rejection::UnknownKey(credential.access_key_id.clone())),
        (Some(key), Some(token)) if !key.token.matches(token.as_bytes()) => Err(Rejection::Token),
        (Some(key), Some(_)) if now >= key.expires => Err(Rejection::Expired),
        (Some(_), Some(_)) => Ok(()),
    }
}

/// `YYYYMMDDTHHMMSSZ`.
fn parse_amz_date(text: &str) -> Option<OffsetDateTime> {
    // The parser alone would take signs and spaces in a number's place.
    let bytes = text.as_bytes();
    let is_form = bytes.len() == 16
        && bytes.iter().enumerate().all(|(index, byte)| match index {
            8 => *byte == b'T',
            15 => *byte == b'Z',
            _ => byte.is_ascii_digit(),
        });
    let format = time::macros::format_description!("[year][month][day]T[hour][minute][second]Z");
    is_form.then(|| PrimitiveDateTime::parse(text, format).ok())?.map(PrimitiveDateTime::assume_utc)
}

/// A time as `YYYYMMDDTHHMMSSZ`.
pub(crate) fn amz_date(time: OffsetDateTime) -> String {
    let format = time::macros::format_description!("[year][month][day]T[hour][minute][second]Z");
    time.to_offset(time::UtcOffset::UTC).format(format).unwrap_or_default()
}

pub(super) fn sha256_hex(bytes: &[u8]) -> String {
    to_hex(&Sha256::digest(bytes))
}

fn hmac(key: &[u8], text: &[u8]) -> Zeroizing<[u8; 32]> {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else {
        unreachable!("HMAC takes a key of any length");
    };
    mac.update(text);
    Zeroizing::new(mac.finalize().into_bytes().into())
}

fn signing_key(secret: &str, authorization: &Authorization) -> Zeroizing<[u8; 32]> {
    let first = Zeroizing::new(format!("AWS4{secret}"));
    let date = hmac(first.as_bytes(), authorization.date.as_bytes());
    let region = hmac(&date[..], authorization.region.as_bytes());
    let service = hmac(&region[..], authorization.service.as_bytes());
    hmac(&service[..], b"aws4_request")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signing_key_is_that_of_the_documentation() {
        // https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html, the example "GET Object".
        let header = "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,\
            SignedHeaders=host,Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41";
        let authorization = Authorization::parse(header).unwrap();
        let key = signing_key("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", &authorization);
        let string_to_sign = "AWS4-HMAC-SHA256\n20130524T000000Z\n20130524/us-east-1/s3/aws4_request\n\
            7344ae5b7ee6c3e7e6b0fe0640412a37625d1fbfff95c48bbb2dc43964946972";
        assert_eq!(hmac(&key[..], string_to_sign.as_bytes())[..], authorization.signature[..]);
    }

    #[test]
    fn only_the_basic_form_is_a_date() {
        assert_eq!(parse_amz_date("20261125T010203Z").map(amz_date).as_deref(), Some("20261125T010203Z"));
        for text in [
            "",
            "20261125",
            "2026-11-25T01:02:03Z",
            "20261125T010203",
            "20261325T010203Z",
            "20261125T256060Z",
            "+0261125T010203Z",
            "20261125t010203z",
        ] {
            assert_eq!(parse_amz_date(text), None, "{text}");
        }
    }
}
