//! S3's answers to requests that are nobody's, with AWS's codes, messages and elements.

use http::header::{CONTENT_TYPE, HeaderValue};
use http::{Response, StatusCode};
use s3s::Body;

use crate::REGION;
use crate::answer::escape_xml;
use crate::body::BodyError;
use crate::principal::rfc3339;
use crate::sigv4::{MAX_SKEW, Rejection, TargetError};

/// An error as S3 answers it.
#[derive(Debug)]
pub(super) struct Refusal {
    status: StatusCode,
    code: &'static str,
    message: String,
    /// Further elements, as XML.
    details: String,
}

impl Refusal {
    fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), details: String::new() }
    }

    fn with(mut self, element: &str, text: &str) -> Self {
        self.details.push_str(&format!("<{element}>{}</{element}>", escape_xml(text)));
        self
    }

    pub(super) fn bad_request(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, message)
    }

    pub(super) fn not_implemented(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_IMPLEMENTED, "NotImplemented", message)
    }

    pub(super) fn target(error: TargetError) -> Option<Self> {
        match error {
            TargetError::DotSegment => None,
            TargetError::Ambiguous(what) => {
                Some(Self::bad_request("InvalidURI", format!("Couldn't parse the specified URI: {what}.")))
            }
        }
    }

    pub(super) fn body(error: BodyError) -> Self {
        match error {
            BodyError::TooLong => {
                Self::bad_request("EntityTooLarge", "Your proposed upload exceeds the maximum allowed size")
            }
            BodyError::Digest => Self::bad_request(
                "XAmzContentSHA256Mismatch",
                "The provided 'x-amz-content-sha256' header does not match what was computed.",
            ),
            BodyError::Broken => Self::bad_request("IncompleteBody", "The request body terminated unexpectedly"),
        }
    }

    pub(super) fn rejection(rejection: Rejection) -> Self {
        let forbidden = |code, message: &str| Self::new(StatusCode::FORBIDDEN, code, message);
        let malformed = |message: String| {
            let message = format!("The authorization header is malformed; {message}");
            Self::bad_request("AuthorizationHeaderMalformed", message)
        };
        match rejection {
            Rejection::Anonymous => forbidden("AccessDenied", "Access Denied"),
            Rejection::Algorithm => Self::bad_request(
                "InvalidRequest",
                "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.",
            ),
            Rejection::Malformed(what) => malformed(what),
            Rejection::Region(region) => {
                malformed(format!("the region '{region}' is wrong; expecting '{REGION}'")).with("Region", REGION)
            }
            Rejection::Service(service) => {
                malformed(format!("incorrect service \"{service}\". This endpoint belongs to \"s3\"."))
            }
            Rejection::UnknownKey(key) => {
                forbidden("InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records.")
                    .with("AWSAccessKeyId", &key)
            }
            Rejection::NoDate => {
                forbidden("AccessDenied", "AWS authentication requires a valid Date or x-amz-date header")
            }
            Rejection::ScopeDate { scope, request } => malformed(format!(
                "Invalid credential date \"{scope}\". This date is not the same as X-Amz-Date: \"{request}\"."
            )),
            Rejection::Skewed { request, now } => forbidden(
                "RequestTimeTooSkewed",
                "The difference between the request time and the current time is too large.",
            )
            .with("RequestTime", &rfc3339(request))
            .with("ServerTime", &rfc3339(now))
            .with("MaxAllowedSkewMilliseconds", &MAX_SKEW.whole_milliseconds().to_string()),
            Rejection::NotSigned(names) => {
                forbidden("AccessDenied", "There were headers present in the request which were not signed")
                    .with("HeadersNotSigned", &names.join(", "))
            }
            Rejection::Absent(name) => {
                forbidden("SignatureDoesNotMatch", &format!("The signed header {name} is not in the request."))
            }
            Rejection::Token => {
                Self::bad_request("InvalidToken", "The provided token is malformed or otherwise invalid.")
            }
            Rejection::Expired => Self::bad_request("ExpiredToken", "The provided token has expired."),
            Rejection::NoPayloadHash => {
                Self::bad_request("InvalidRequest", "Missing required header for this request: x-amz-content-sha256")
            }
            Rejection::PayloadHash => Self::bad_request(
                "InvalidArgument",
                "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-UNSIGNED-PAYLOAD-TRAILER, \
                 STREAMING-AWS4-HMAC-SHA256-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER or a valid sha256 value.",
            ),
            Rejection::Mismatch(mismatch) => forbidden(
                "SignatureDoesNotMatch",
                "The request signature we calculated does not match the signature you provided. Check your key and signing \
                 method.",
            )
            .with("AWSAccessKeyId", &mismatch.access_key_id)
            .with("StringToSign", &mismatch.string_to_sign)
            .with("SignatureProvided", &mismatch.signature)
            .with("StringToSignBytes", &spaced_hex(mismatch.string_to_sign.as_bytes()))
            .with("CanonicalRequest", &String::from_utf8_lossy(&mismatch.canonical_request))
            .with("CanonicalRequestBytes", &spaced_hex(&mismatch.canonical_request)),
        }
    }

    pub(super) fn into_response(self) -> Response<Body> {
        let text = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{}</Code><Message>{}</Message>{}</Error>",
            self.code,
            escape_xml(&self.message),
            self.details
        );
        let mut response = Response::new(Body::from(text));
        *response.status_mut() = self.status;
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/xml"));
        response
    }
}

/// Bytes as AWS repeats them: two digits each, with spaces between.
fn spaced_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" ")
}

/// The answer to a path with dot segments: status 400 and no body, as S3 gives it.
pub(super) fn dot_segment() -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::BAD_REQUEST;
    response
}
