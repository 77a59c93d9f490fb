//! Who makes a request, and whether their policies allow it.

use std::net::IpAddr;
use std::sync::Arc;

use rolebox_policy::{AccessRequest, Arn, Context, Decision, PolicyDocument, evaluate};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::{ACCOUNT, REGION};

/// An authenticated caller with everything that bounds it.
#[derive(Debug)]
pub(crate) struct Principal {
    /// What `GetCallerIdentity` answers: a user's ARN, or `arn:aws:sts::ACCOUNT:assumed-role/ROLE/SESSION`.
    pub(crate) arn: Arn,
    /// The user id, `ROLEID:SESSION` for a session.
    pub(crate) user_id: String,
    pub(crate) kind: PrincipalKind,
    pub(crate) identity_policies: Vec<Arc<PolicyDocument>>,
}

#[derive(Debug)]
pub(crate) enum PrincipalKind {
    /// An IAM user with a key of unlimited life.
    User {
        /// The user's name.
        name: String,
    },
    /// A session of a role.
    Session(RoleSession),
}

/// What AssumeRole fixed for a session.
#[derive(Debug)]
pub(crate) struct RoleSession {
    pub(crate) role_arn: String,
    pub(crate) name: String,
    pub(crate) issued: OffsetDateTime,
    /// `Policy` and `PolicyArns` together: one of them must allow a request. `None` when neither was given, which does
    /// not narrow the role.
    pub(crate) session_policies: Option<Vec<Arc<PolicyDocument>>>,
    pub(crate) source_identity: Option<String>,
    /// Session tags, inherited ones included.
    pub(crate) tags: Vec<(String, String)>,
    /// The keys of those that a session assumed with this one inherits.
    pub(crate) transitive_tag_keys: Vec<String>,
}

/// Why a request is denied, in the words that AWS appends to its message
/// (<https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html>).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DenialReason {
    IdentityPolicyDenies,
    SessionPolicyDenies,
    NoIdentityPolicyAllows,
    NoSessionPolicyAllows,
}

impl DenialReason {
    pub(crate) fn describe(self, action: &str) -> String {
        match self {
            Self::IdentityPolicyDenies => "with an explicit deny in an identity-based policy".into(),
            Self::SessionPolicyDenies => "with an explicit deny in a session policy".into(),
            Self::NoIdentityPolicyAllows => {
                format!("because no identity-based policy allows the {action} action")
            }
            Self::NoSessionPolicyAllows => {
                format!("because no session policy allows the {action} action")
            }
        }
    }
}

impl Principal {
    /// The session's name, if this is a session of a role.
    pub(crate) fn session(&self) -> Option<&RoleSession> {
        match &self.kind {
            PrincipalKind::User { .. } => None,
            PrincipalKind::Session(session) => Some(session),
        }
    }

    /// Decides by identity policies, intersected with the session policies. An explicit deny in any comes first.
    pub(crate) fn authorize(&self, action: &str, resource: &str, context: &Context) -> Result<(), DenialReason> {
        let request = AccessRequest { action, resource, context };
        let decide = |policies: &[Arc<PolicyDocument>]| evaluate(policies.iter().map(Arc::as_ref), None, &request);
        let by_identity = decide(&self.identity_policies);
        let by_session = self.session().and_then(|session| session.session_policies.as_deref()).map(decide);
        match (by_identity, by_session) {
            (Decision::ExplicitlyDenied, _) => Err(DenialReason::IdentityPolicyDenies),
            (_, Some(Decision::ExplicitlyDenied)) => Err(DenialReason::SessionPolicyDenies),
            (Decision::Allowed, None | Some(Decision::Allowed)) => Ok(()),
            (Decision::Allowed, Some(_)) => Err(DenialReason::NoSessionPolicyAllows),
            (Decision::ImplicitlyDenied, _) => Err(DenialReason::NoIdentityPolicyAllows),
        }
    }

    /// Whether the session policies, if any, allow a request, without a look at the identity policies: what a policy on
    /// the other side that names the role itself still has to pass.
    pub(crate) fn session_policies_allow(&self, action: &str, resource: &str, context: &Context) -> bool {
        let request = AccessRequest { action, resource, context };
        match self.session().and_then(|session| session.session_policies.as_deref()) {
            None => true,
            Some(policies) => evaluate(policies.iter().map(Arc::as_ref), None, &request).is_allowed(),
        }
    }

    /// The condition keys that every request of this caller has.
    pub(crate) fn context(&self, request: &RequestFacts<'_>) -> Context {
        let mut context = Context::new();
        context.insert("aws:CurrentTime", rfc3339(request.now));
        context.insert("aws:EpochTime", request.now.unix_timestamp().to_string());
        context.insert("aws:SourceIp", request.source_ip.to_string());
        // The loopback stands where AWS's endpoints are, and those are reached by TLS: a role that insists on it would
        // otherwise be denied everything.
        context.insert("aws:SecureTransport", "true");
        context.insert("aws:RequestedRegion", REGION);
        context.insert("aws:ViaAWSService", "false");
        context.insert("aws:PrincipalIsAWSService", "false");
        context.insert("aws:PrincipalAccount", ACCOUNT);
        context.insert("aws:userid", self.user_id.clone());
        if let Some(user_agent) = request.user_agent {
            context.insert("aws:UserAgent", user_agent);
        }
        match &self.kind {
            PrincipalKind::User { name } => {
                context.insert("aws:PrincipalType", "User");
                context.insert("aws:PrincipalArn", self.arn.to_string());
                context.insert("aws:username", name.clone());
            }
            PrincipalKind::Session(session) => {
                context.insert("aws:PrincipalType", "AssumedRole");
                context.insert("aws:PrincipalArn", session.role_arn.clone());
                context.insert("aws:TokenIssueTime", rfc3339(session.issued));
                if let Some(source_identity) = &session.source_identity {
                    context.insert("aws:SourceIdentity", source_identity.clone());
                }
                for (key, value) in &session.tags {
                    context.insert(format!("aws:PrincipalTag/{key}"), value.clone());
                }
            }
        }
        context
    }
}

/// What a request tells about itself, whatever it asks for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RequestFacts<'a> {
    pub(crate) now: OffsetDateTime,
    pub(crate) source_ip: IpAddr,
    pub(crate) user_agent: Option<&'a str>,
}

/// A time as IAM's date conditions and STS's answers write it, to the second.
pub(crate) fn rfc3339(time: OffsetDateTime) -> String {
    let whole = time.to_offset(time::UtcOffset::UTC).replace_nanosecond(0).unwrap_or(time);
    // The format can fail only for years beyond 9999.
    whole.format(&Rfc3339).unwrap_or_default()
}
