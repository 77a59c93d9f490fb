//! Trust policies: who may assume a role.

use crate::{AccessRequest, Arn, Decision, PolicyError};

/// A role's trust policy: who may assume it, and under which conditions.
#[derive(Clone, Debug)]
pub struct TrustPolicy {
    _statements: (),
}

impl TrustPolicy {
    /// Reads a trust policy.
    ///
    /// # Errors
    /// As [`PolicyDocument::parse`](crate::PolicyDocument::parse); also a statement with a resource, without a
    /// principal, or with `NotPrincipal`.
    pub fn parse(text: &str) -> Result<Self, PolicyError> {
        let _ = text;
        Ok(Self { _statements: () })
    }

    /// Whether `principal` may do `request.action` (`sts:AssumeRole`, `sts:TagSession`, `sts:SetSourceIdentity`) on this
    /// role. `request.resource` is not looked at: a trust policy stands on one role. AssumeRole's own condition keys
    /// are `sts:RoleSessionName`, `sts:ExternalId`, `sts:SourceIdentity`, `aws:RequestTag/…`, `aws:TagKeys` and
    /// `sts:TransitiveTagKeys`.
    pub fn evaluate(&self, principal: &Principal, request: &AccessRequest<'_>) -> Decision {
        let _ = (principal, request);
        Decision::ImplicitlyDenied
    }

    /// See [`PolicyDocument::context_keys`](crate::PolicyDocument::context_keys).
    pub fn context_keys(&self) -> Vec<String> {
        Vec::new()
    }
}

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Principal {
    /// A user, a role's session (`arn:aws:sts::ACCOUNT:assumed-role/ROLE/SESSION`) or an account's root user.
    Aws(Arn),
    /// An AWS service by its principal's name, such as `ecs-tasks.amazonaws.com`.
    Service(String),
}
