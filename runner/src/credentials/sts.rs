//! The two calls of STS that the host makes, as a trait: tests script them, and a broker in another process, which
//! alone holds the base credentials, can stand in for STS.

use std::fmt;
use std::pin::Pin;
use std::time::SystemTime;

use super::answer::Secret;
use super::request::RoleSessionRequest;

/// What the methods of [`Sts`] return: a boxed future, so that the trait can be an object.
pub type StsFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, StsError>> + Send + 'a>>;

/// The AWS Security Token Service, or what stands in for it.
///
/// One call is one attempt: repeating, waiting and pausing are decided by [`RoleSessions`](super::RoleSessions), which
/// also ends attempts that take too long, by dropping the future. Implementations log no secret and put none in an
/// error.
pub trait Sts: fmt::Debug + Send + Sync {
    /// Assumes a role. The answer is passed on as it is; who called checks it.
    fn assume_role<'a>(&'a self, request: &'a RoleSessionRequest) -> StsFuture<'a, AssumeRoleAnswer>;

    /// The ARN of the identity that [`assume_role`](Self::assume_role) calls STS with. Asked only to explain a denial.
    fn caller_identity(&self) -> StsFuture<'_, String>;
}

/// STS's answer to AssumeRole, unchecked. Its `Debug` shows no part of the key.
#[derive(Debug)]
pub struct AssumeRoleAnswer {
    /// The access key id.
    pub access_key_id: Secret,
    /// The key that signs.
    pub secret_access_key: Secret,
    /// The token that goes with it.
    pub session_token: Secret,
    /// When the session ends; `None` where the answer names no time, or one that does not exist.
    pub expiration: Option<SystemTime>,
    /// The session's ARN; empty where the answer names none.
    pub assumed_role_arn: String,
    /// How full the packed form of session policy and tags is, in per cent.
    pub packed_policy_size: Option<u32>,
}

/// Why STS gave no session. Each carries STS's own words in `message`, made printable and without secrets.
/// <https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html#API_AssumeRole_Errors>,
/// <https://docs.aws.amazon.com/STS/latest/APIReference/CommonErrors.html>
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StsError {
    /// The base identity may not assume the role in this way, or there is no such role.
    #[error("STS denied it: {message}")]
    AccessDenied {
        /// STS's words.
        message: String,
    },
    /// STS can't read the session policy.
    #[error(
        "STS cannot read the session policy: {message}. It is rendered from the task's capabilities: check their \
         actions, ARNs and conditions"
    )]
    MalformedPolicyDocument {
        /// STS's words.
        message: String,
    },
    /// Session policy and tags fill more than STS's packed form holds.
    #[error(
        "the session policy and tags are too large for STS: {message}. Declare fewer or shorter capabilities, or fewer \
         session tags"
    )]
    PackedPolicyTooLarge {
        /// STS's words.
        message: String,
    },
    /// The account has not activated STS in this Region.
    #[error(
        "STS is not activated in this Region: {message}. Activate it in the account's settings in IAM, or use another \
         Region"
    )]
    RegionDisabled {
        /// STS's words.
        message: String,
    },
    /// STS takes the request for wrong: a duration above the role's maximum, for example.
    #[error("STS refused the request ({code}): {message}")]
    InvalidRequest {
        /// STS's error code.
        code: String,
        /// STS's words.
        message: String,
    },
    /// The base credentials have expired.
    #[error("the host's base credentials have expired: {message}. Renew them, for example with `aws sso login`")]
    ExpiredToken {
        /// STS's words.
        message: String,
    },
    /// There are no base credentials, or they can't be loaded.
    #[error(
        "the host has no base credentials: {reason}. Give it some, for example with AWS_PROFILE, with \
         AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or as an instance role"
    )]
    NoBaseCredentials {
        /// What the credentials provider said.
        reason: String,
    },
    /// STS does not know the base credentials or does not accept what they signed.
    #[error(
        "STS did not accept the host's base credentials ({code}): {message}. Check that they are complete, active and \
         of this partition, and that the host's clock is right"
    )]
    BaseCredentialsRejected {
        /// STS's error code.
        code: String,
        /// STS's words.
        message: String,
    },
    /// Too many calls to STS.
    #[error("STS is throttling this account ({code}): {message}")]
    Throttling {
        /// STS's error code.
        code: String,
        /// STS's words.
        message: String,
    },
    /// STS has a failure of its own.
    #[error("STS failed (status {status}): {message}")]
    Unavailable {
        /// The HTTP status.
        status: u16,
        /// STS's words.
        message: String,
    },
    /// There was no whole answer: no connection, or one that was lost or took too long.
    #[error("STS cannot be reached: {reason}. Check the network and, where one is set, the endpoint URL")]
    Unreachable {
        /// What happened to the connection.
        reason: String,
    },
    /// An answer that is no session of the role that was asked for.
    #[error("the answer of STS is not valid: {reason}. Check the endpoint URL, where one is set")]
    InvalidAnswer {
        /// What is wrong with it.
        reason: String,
    },
    /// An error that STS does not document.
    #[error("STS answered with an error (status {status}, {code}): {message}")]
    Other {
        /// The HTTP status; 0 where there was none.
        status: u16,
        /// The error code, or `no code`.
        code: String,
        /// STS's words.
        message: String,
    },
    /// The call was broken off within the host: its runtime is shutting down, or the [`Sts`] panicked.
    #[error("the call to STS was broken off")]
    Interrupted,
}

impl StsError {
    /// Whether it is about STS as a whole and passes by itself, so that all sessions do well to pause.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Throttling { .. } | Self::Unavailable { .. } | Self::Unreachable { .. })
    }

    /// Whether STS understood this request and will refuse it again until somebody changes a policy or the definition.
    #[must_use]
    pub fn is_refusal(&self) -> bool {
        matches!(
            self,
            Self::AccessDenied { .. }
                | Self::MalformedPolicyDocument { .. }
                | Self::PackedPolicyTooLarge { .. }
                | Self::RegionDisabled { .. }
                | Self::InvalidRequest { .. }
        )
    }
}

/// Foreign text as an error message quotes it: in one line, printable, of bounded length, and without the full stop
/// that the message sets itself.
pub(super) fn one_line(text: &str) -> String {
    const LIMIT: usize = 1000;
    let mut line = String::new();
    for (count, c) in text.trim().trim_end_matches('.').chars().enumerate() {
        if count == LIMIT {
            line.push('…');
            break;
        }
        line.push(if c.is_control() { ' ' } else { c });
    }
    line
}
