//! Why a call has no result.

use std::fmt;

/// Why a call has no result.
///
/// Its text begins with the error code of the service where there is one, `NoSuchBucket: …` for example, and fits on
/// one line of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// The host refused the call before anything was signed or sent: the task's capabilities do not grant it, or it
    /// is not one that the host understands.
    Denied(Denial),
    /// The request is malformed, an empty bucket name for example; the reason.
    InvalidRequest(String),
    /// The request's or the answer's body is larger than the task may use.
    TooLarge {
        /// The limit, in bytes.
        limit: u64,
    },
    /// The task's role session could not be had, or has expired; the reason.
    CredentialsUnavailable(String),
    /// The endpoint did not answer: no address, no connection, or a connection lost; the reason.
    EndpointUnreachable(String),
    /// The call took longer than it may.
    TimedOut,
    /// A limit on the task's calls is used up; which one, and what it allows.
    Quota(String),
    /// The service answered with an error.
    Service(ServiceError),
    /// The service reported success with an answer that could not be read; why.
    UnexpectedAnswer(String),
}

/// A call that the host refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Denial {
    /// Every IAM action and ARN that is missing; empty where the request is not one that the host understands.
    pub missing: Vec<MissingGrant>,
    /// A sentence for a person: what was denied, and which capability would allow it.
    pub reason: String,
}

/// One permission that the task's capabilities do not grant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MissingGrant {
    /// The IAM action, `s3:PutObject` for example.
    pub action: String,
    /// The ARN, or the pattern of all ARNs that the request could mean.
    pub resource: String,
}

/// An error that a service answered with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceError {
    /// The HTTP status.
    pub status: u16,
    /// The error code, `NoSuchBucket` for example. An answer without a body, as to a HEAD request, has none: then it
    /// is the status in words, `NotFound` for example, as the AWS SDKs call it.
    pub code: String,
    /// The service's message; may be empty.
    pub message: String,
    /// AWS's name for this request, which its support asks for.
    pub request_id: Option<String>,
}

impl Error {
    /// The service's error code. A call that the host denied has the code that the service would have used,
    /// `AccessDenied`; the other errors have none, since no service was asked or understood.
    ///
    /// S3's codes: <https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html>.
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Denied(_) => Some("AccessDenied"),
            Self::Service(error) => Some(&error.code),
            _ => None,
        }
    }

    /// Whether the object does not exist. A HEAD request can't tell: see [`is_not_found`](Self::is_not_found).
    pub fn is_no_such_key(&self) -> bool {
        self.code() == Some("NoSuchKey")
    }

    /// Whether the bucket does not exist. A HEAD request can't tell: see [`is_not_found`](Self::is_not_found).
    pub fn is_no_such_bucket(&self) -> bool {
        self.code() == Some("NoSuchBucket")
    }

    /// Whether the service answered that what was named does not exist, be it a bucket or an object (status 404).
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::Service(error) if error.status == 404)
    }

    /// Whether the host or the service refused the call for lack of permission (`AccessDenied`, or status 403 with
    /// no code).
    pub fn is_access_denied(&self) -> bool {
        matches!(self.code(), Some("AccessDenied" | "Forbidden"))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Denied(denial) => write!(f, "AccessDenied: {}", denial.reason),
            Self::InvalidRequest(reason) => write!(f, "the request is invalid: {reason}"),
            Self::TooLarge { limit } => write!(f, "the body is larger than this task may use, {limit} bytes"),
            Self::CredentialsUnavailable(reason) => {
                write!(f, "the task's role session is not available: {reason}")
            }
            Self::EndpointUnreachable(reason) => {
                write!(f, "the service could not be reached: {reason}")
            }
            Self::TimedOut => f.write_str("the call took longer than it may"),
            Self::Quota(limit) => write!(f, "a limit on this task's calls is used up: {limit}"),
            Self::Service(error) => error.fmt(f),
            Self::UnexpectedAnswer(reason) => {
                write!(f, "the service's answer could not be read: {reason}")
            }
        }
    }
}

impl fmt::Display for ServiceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.code)?;
        if !self.message.is_empty() {
            write!(f, ": {}", self.message)?;
        }
        write!(f, " (status {}", self.status)?;
        if let Some(id) = &self.request_id {
            write!(f, ", request {id}")?;
        }
        f.write_str(")")
    }
}

impl std::error::Error for Error {}

#[cfg(test)]
mod tests {
    use super::*;

    fn service(status: u16, code: &str, message: &str, request_id: Option<&str>) -> Error {
        let request_id = request_id.map(str::to_owned);
        Error::Service(ServiceError { status, code: code.into(), message: message.into(), request_id })
    }

    #[test]
    fn an_error_s_text_begins_with_the_code_of_the_service() {
        let denial = Denial { missing: vec![], reason: "no capability grants s3:PutObject on arn:aws:s3:::b/k".into() };
        let cases = [
            (
                service(404, "NoSuchBucket", "The specified bucket does not exist", Some("4442587FB7D0A2F9")),
                "NoSuchBucket: The specified bucket does not exist (status 404, request 4442587FB7D0A2F9)",
            ),
            (service(404, "NotFound", "", None), "NotFound (status 404)"),
            (Error::Denied(denial), "AccessDenied: no capability grants s3:PutObject on arn:aws:s3:::b/k"),
            (Error::TooLarge { limit: 16 }, "the body is larger than this task may use, 16 bytes"),
        ];
        for (error, expected) in cases {
            assert_eq!(error.to_string(), expected);
        }
    }

    #[test]
    fn what_is_missing_can_be_told_apart() {
        let cases = [
            // error, no such key, no such bucket, not found, access denied
            (service(404, "NoSuchKey", "", None), true, false, true, false),
            (service(404, "NoSuchBucket", "", None), false, true, true, false),
            (service(404, "NotFound", "", None), false, false, true, false),
            (service(403, "AccessDenied", "", None), false, false, false, true),
            (service(403, "Forbidden", "", None), false, false, false, true),
            (service(403, "SignatureDoesNotMatch", "", None), false, false, false, false),
            (Error::Denied(Denial { missing: vec![], reason: String::new() }), false, false, false, true),
            (Error::TimedOut, false, false, false, false),
        ];
        for (error, key, bucket, not_found, denied) in cases {
            let told =
                (error.is_no_such_key(), error.is_no_such_bucket(), error.is_not_found(), error.is_access_denied());
            assert_eq!(told, (key, bucket, not_found, denied), "{error}");
        }
    }
}
