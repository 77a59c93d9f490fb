//! The decision over identity policies and a session policy.

use crate::{Context, PolicyDocument};

/// What is asked: may the caller do this?
#[derive(Clone, Copy, Debug)]
pub struct AccessRequest<'a> {
    /// The action in full, such as `s3:GetObject`. Compared without regard to case.
    pub action: &'a str,
    /// The ARN that the action works on, or `*` when it works on none. Compared byte by byte; `*` and `?` in it are
    /// ordinary characters.
    pub resource: &'a str,
    /// The condition keys of the request, those about the caller (`aws:username`, `aws:PrincipalArn` …) included.
    pub context: &'a Context,
}

/// The answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// A statement allows it in each kind of policy there is, and none denies it.
    Allowed,
    /// A statement denies it. Nothing can overrule that.
    ExplicitlyDenied,
    /// No statement allows it, or one of the kinds of policy has none that does.
    ImplicitlyDenied,
}

impl Decision {
    /// Whether the request may go ahead.
    pub fn is_allowed(self) -> bool {
        self == Self::Allowed
    }
}

/// Decides a request by a principal's identity policies, intersected with the session policy if there is one.
///
/// An explicit deny in any of them comes first; then one of the identity policies, and the session policy, must each
/// allow the request
/// (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html>).
pub fn evaluate<'p>(
    identity_policies: impl IntoIterator<Item = &'p PolicyDocument>,
    session_policy: Option<&PolicyDocument>,
    request: &AccessRequest<'_>,
) -> Decision {
    let mut decision = Decision::ImplicitlyDenied;
    for policy in identity_policies {
        match policy.decide(request) {
            Decision::ExplicitlyDenied => return Decision::ExplicitlyDenied,
            Decision::Allowed => decision = Decision::Allowed,
            Decision::ImplicitlyDenied => {}
        }
    }
    match session_policy.map(|policy| policy.decide(request)) {
        Some(Decision::ExplicitlyDenied) => Decision::ExplicitlyDenied,
        Some(Decision::ImplicitlyDenied) => Decision::ImplicitlyDenied,
        Some(Decision::Allowed) | None => decision,
    }
}
