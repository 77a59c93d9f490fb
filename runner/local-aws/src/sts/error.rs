//! STS's errors, with AWS's codes and messages.

use http::StatusCode;

use crate::answer::escape_xml;
use crate::body::BodyError;
use crate::sigv4::{MAX_SKEW, Rejection, amz_date};

/// An error as STS answers it.
#[derive(Debug)]
pub(super) struct StsError {
    pub(super) status: StatusCode,
    pub(super) code: &'static str,
    pub(super) message: String,
}

impl StsError {
    pub(super) fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into() }
    }

    /// A parameter outside of what the API takes.
    pub(super) fn validation(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "ValidationError", message)
    }

    /// A parameter's value against a rule of the service model, in the words of AWS's own validation.
    pub(super) fn constraint(parameter: &str, value: &str, constraint: &str) -> Self {
        Self::validation(format!(
            "1 validation error detected: Value '{value}' at '{parameter}' failed to satisfy constraint: Member must {constraint}"
        ))
    }

    pub(super) fn malformed(message: &str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "MalformedInput", message)
    }

    pub(super) fn invalid_action(action: &str, version: &str) -> Self {
        let message = format!("Could not find operation {action} for version {version}");
        Self::new(StatusCode::BAD_REQUEST, "InvalidAction", message)
    }

    /// The caller may not do `action` on a role. AWS answers the same whether the role's trust policy, the caller's
    /// policies or the role's absence is the cause.
    pub(super) fn denied(caller: &str, action: &str, role_arn: &str) -> Self {
        let message = format!("User: {caller} is not authorized to perform: {action} on resource: {role_arn}");
        Self::new(StatusCode::FORBIDDEN, "AccessDenied", message)
    }

    pub(super) fn body(error: BodyError) -> Self {
        match error {
            BodyError::TooLong => {
                Self::new(StatusCode::PAYLOAD_TOO_LARGE, "RequestEntityTooLarge", "The request is too long")
            }
            BodyError::Digest | BodyError::Broken => Self::malformed("the body could not be read"),
        }
    }

    /// The request is not its caller's.
    pub(super) fn rejection(rejection: Rejection) -> Self {
        let forbidden = |code, message: String| Self::new(StatusCode::FORBIDDEN, code, message);
        let mismatch = |message: String| Self::new(StatusCode::FORBIDDEN, "SignatureDoesNotMatch", message);
        let incomplete = |message: String| Self::new(StatusCode::BAD_REQUEST, "IncompleteSignature", message);
        match rejection {
            Rejection::Anonymous => {
                forbidden("MissingAuthenticationToken", "Request is missing Authentication Token".into())
            }
            Rejection::Algorithm => incomplete("Authorization header requires 'AWS4-HMAC-SHA256'.".into()),
            Rejection::Malformed(what) => incomplete(what),
            Rejection::Region(region) => {
                mismatch(format!("Credential should be scoped to a valid region, not '{region}'. "))
            }
            Rejection::Service(_) => mismatch("Credential should be scoped to correct service: 'sts'. ".into()),
            Rejection::UnknownKey(_) | Rejection::Token => {
                forbidden("InvalidClientTokenId", "The security token included in the request is invalid.".into())
            }
            Rejection::NoDate => incomplete(
                "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.".into(),
            ),
            Rejection::ScopeDate { scope, request } => mismatch(format!(
                "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '{scope}' != '{request}'"
            )),
            Rejection::Skewed { request, now } => mismatch(if request < now {
                format!(
                    "Signature expired: {} is now earlier than {} ({} - 15 min.)",
                    amz_date(request),
                    amz_date(now - MAX_SKEW),
                    amz_date(now)
                )
            } else {
                format!(
                    "Signature not yet current: {} is still later than {} ({} + 15 min.)",
                    amz_date(request),
                    amz_date(now + MAX_SKEW),
                    amz_date(now)
                )
            }),
            Rejection::NotSigned(names) => {
                mismatch(format!("'{}' must be a 'SignedHeader' in the AWS Authorization.", names.join("', '")))
            }
            Rejection::Absent(name) => mismatch(format!("the signed header '{name}' is not in the request")),
            Rejection::Expired => {
                forbidden("ExpiredToken", "The security token included in the request is expired".into())
            }
            // STS computes the digest itself, so these two do not occur.
            Rejection::NoPayloadHash | Rejection::PayloadHash => incomplete("x-amz-content-sha256 is malformed".into()),
            Rejection::Mismatch(_) => mismatch(
                "The request signature we calculated does not match the signature you provided. Check your AWS Secret \
                 Access Key and signing method. Consult the service documentation for details."
                    .into(),
            ),
        }
    }

    pub(super) fn to_xml(&self, request_id: &str) -> String {
        format!(
            "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/{}/\"><Error><Type>Sender</Type><Code>{}</Code>\
             <Message>{}</Message></Error><RequestId>{request_id}</RequestId></ErrorResponse>",
            super::VERSION,
            self.code,
            escape_xml(&self.message),
        )
    }
}
