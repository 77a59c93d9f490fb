//! Why there is no role session.

use std::fmt;
use std::sync::Arc;

use rolebox_policy::RoleArn;

use super::denied;
use super::request::{RoleSessionRequest, SessionName};
use super::sts::StsError;

/// Why a task has no role session: which role was to be assumed under which name, what STS said, and what to do about
/// it. Cheap to clone, since all who waited for one call are handed the same.
///
/// The text is for the operator: it names the host's identity, where the role was denied. What a guest may know is
/// [`for_guest`](Self::for_guest).
#[derive(Clone)]
pub struct RoleSessionError(Arc<Parts>);

struct Parts {
    request: RoleSessionRequest,
    cause: StsError,
    caller: Option<String>,
}

impl RoleSessionError {
    /// `caller` is the ARN of who asked, where it is known.
    pub(super) fn new(request: &RoleSessionRequest, cause: StsError, caller: Option<String>) -> Self {
        Self(Arc::new(Parts { request: request.clone(), cause, caller }))
    }

    /// What STS said.
    #[must_use]
    pub fn cause(&self) -> &StsError {
        &self.0.cause
    }

    /// The role that was to be assumed.
    #[must_use]
    pub fn role(&self) -> &RoleArn {
        self.0.request.role()
    }

    /// The name of the session.
    #[must_use]
    pub fn session_name(&self) -> &SessionName {
        self.0.request.session_name()
    }

    /// The ARN of the identity that asked, where the role was denied and STS named it.
    #[must_use]
    pub fn caller(&self) -> Option<&str> {
        self.0.caller.as_deref()
    }

    /// The statement that the role's trust policy lacks, as JSON; `None` where that is not what went wrong.
    #[must_use]
    pub fn trust_statement(&self) -> Option<String> {
        let denied = matches!(self.0.cause, StsError::AccessDenied { .. });
        denied.then(|| denied::trust_statement(&self.0.request, self.caller()))
    }

    /// What a guest is told: nothing about the host, its identity or its settings.
    #[must_use]
    pub fn for_guest(&self) -> &'static str {
        "the host has no valid session of this task's role at the moment"
    }
}

impl fmt::Display for RoleSessionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot assume {} as session {}: {}", self.role(), self.session_name(), self.0.cause)?;
        if let StsError::AccessDenied { message } = &self.0.cause {
            f.write_str(&denied::advice(&self.0.request, self.caller(), message))?;
        }
        Ok(())
    }
}

impl fmt::Debug for RoleSessionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RoleSessionError")
            .field("role", self.role())
            .field("session_name", self.session_name())
            .field("cause", &self.0.cause)
            .field("caller", &self.0.caller)
            .finish()
    }
}

// The cause is part of the text, so it is no `source` besides: whoever prints a chain would print it twice.
impl std::error::Error for RoleSessionError {}
