//! The task role: which role, what the task may do with it, and what its sessions look like.

use std::time::Duration;

use rolebox_policy::{Capabilities, RawCapability, RoleArn, SessionPolicy};

use super::duration;
use super::limits::span;
use super::problem::{Location, Problems, quoted};
use super::raw::RawRolebox;

/// How long a role session lasts when the definition does not say: 1 hour, which every role allows.
pub const DEFAULT_SESSION_DURATION: Duration = Duration::from_secs(3600);

/// The form of a role's ARN, for messages.
pub(super) const ARN_FORM: &str = "Give the role's full ARN: arn:aws:iam::ACCOUNT:role/NAME.";

/// The task role of a definition, with everything that depends on there being one.
///
/// A definition without a task role has none of this, and its task makes no AWS call at all.
#[derive(Debug, Clone)]
pub struct TaskRole {
    arn: RoleArn,
    declared: Vec<RawCapability>,
    capabilities: Capabilities,
    session_policy: SessionPolicySetting,
    role_session: RoleSession,
    session_duration: Duration,
    external_id: Option<String>,
    source_identity: Option<String>,
    session_tags: bool,
    unsigned_payload: bool,
}

/// The session policy that `sts:AssumeRole` is called with: `rolebox.sessionPolicy`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum SessionPolicySetting {
    /// `"required"`, the default: AWS holds the session to the capabilities too.
    Required(SessionPolicy),
    /// `"off"`: the session has all of the role's permissions, and only the host holds the task to its capabilities.
    /// For capabilities that do not fit into the 2,048 characters that STS takes.
    Off,
}

/// Who shares a role session: `rolebox.roleSession`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RoleSession {
    /// `"per-task"`, the default: each task has a session of its own, named after the task.
    PerTask,
    /// `"per-definition"`: tasks of the same revision share one, if every input of AssumeRole is equal.
    PerDefinition,
}

impl TaskRole {
    /// The role: `taskRoleArn`.
    #[must_use]
    pub fn arn(&self) -> &RoleArn {
        &self.arn
    }

    /// What the task may do: `rolebox.capabilities`. Without any, no call is allowed.
    #[must_use]
    pub fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    /// The capabilities as they were written, for people to read.
    #[must_use]
    pub fn declared_capabilities(&self) -> &[RawCapability] {
        &self.declared
    }

    /// The session policy, rendered from the capabilities, or that there is none.
    #[must_use]
    pub fn session_policy(&self) -> &SessionPolicySetting {
        &self.session_policy
    }

    /// Whether tasks of this definition share a role session.
    #[must_use]
    pub fn role_session(&self) -> RoleSession {
        self.role_session
    }

    /// How long a session lasts before it must be renewed: `rolebox.sessionDuration`, whole seconds from 15 minutes to
    /// 12 hours, default 1 hour. The role's own maximum may be less, and is one hour where a role assumes a role.
    /// <https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html>
    #[must_use]
    pub fn session_duration(&self) -> Duration {
        self.session_duration
    }

    /// The external id that the role's trust policy asks for: `rolebox.externalId`, 2 to 1,224 letters, digits or
    /// `_+=,.@:/-`. Default none.
    #[must_use]
    pub fn external_id(&self) -> Option<&str> {
        self.external_id.as_deref()
    }

    /// The source identity of the sessions: `rolebox.sourceIdentity`, 2 to 64 letters, digits or `_+=,.@-`. Default
    /// none, since the role's trust policy must allow `sts:SetSourceIdentity` first.
    #[must_use]
    pub fn source_identity(&self) -> Option<&str> {
        self.source_identity.as_deref()
    }

    /// Whether sessions are tagged with cluster, family and task: `rolebox.sessionTags`. Default false, since the
    /// role's trust policy must allow `sts:TagSession` first.
    #[must_use]
    pub fn session_tags(&self) -> bool {
        self.session_tags
    }

    /// Whether bodies that are too long to be held whole go unsigned, where TLS protects them: `rolebox.unsignedPayload`.
    /// Default false: then they are signed chunk by chunk, or followed by a checksum. For services that take neither.
    #[must_use]
    pub fn unsigned_payload(&self) -> bool {
        self.unsigned_payload
    }
}

/// Reads the task role and the keys of `rolebox` that belong to it. `None` without a role, or if something is wrong.
pub(super) fn task_role(
    arn: Option<&str>,
    raw: &RawRolebox,
    arn_at: &Location,
    at: &Location,
    problems: &mut Problems,
) -> Option<TaskRole> {
    let session_policy_off =
        choice(raw.session_policy.as_deref(), [("required", false), ("off", true)], &at.key("sessionPolicy"), problems);
    let role_session = choice(
        raw.role_session.as_deref(),
        [("per-task", RoleSession::PerTask), ("per-definition", RoleSession::PerDefinition)],
        &at.key("roleSession"),
        problems,
    );
    let session_duration = session_duration(raw.session_duration.as_deref(), at, problems);
    let external_id = sts_text(raw.external_id.as_deref(), 1_224, "_+=,.@:/-", &at.key("externalId"), problems);
    let source_identity = sts_text(raw.source_identity.as_deref(), 64, "_+=,.@-", &at.key("sourceIdentity"), problems);

    let Some(arn) = arn.filter(|arn| !arn.is_empty()) else {
        without_role(raw, at, problems);
        return None;
    };
    let arn: RoleArn = match arn.parse() {
        Ok(arn) => arn,
        Err(error) => {
            problems.add(arn_at, error.to_string(), ARN_FORM);
            return None;
        }
    };
    let capabilities_at = at.key("capabilities");
    let capabilities = match Capabilities::parse(raw.capabilities.clone(), &arn) {
        Ok(capabilities) => capabilities,
        Err(error) => {
            let mut place = capabilities_at.index(error.index);
            if !error.field.is_empty() {
                place = place.path(&error.field);
            }
            problems.add(&place, error.problem, "");
            return None;
        }
    };
    let session_policy = if session_policy_off.unwrap_or(false) {
        SessionPolicySetting::Off
    } else {
        match capabilities.session_policy() {
            Ok(policy) => SessionPolicySetting::Required(policy),
            Err(error) => {
                problems.add(
                    &capabilities_at,
                    error.to_string(),
                    "Or say \"sessionPolicy\": \"off\", if the host alone may hold the task to its capabilities.",
                );
                return None;
            }
        }
    };
    Some(TaskRole {
        arn,
        declared: raw.capabilities.clone(),
        capabilities,
        session_policy,
        role_session: role_session.unwrap_or(RoleSession::PerTask),
        session_duration: session_duration.unwrap_or(DEFAULT_SESSION_DURATION),
        external_id,
        source_identity,
        session_tags: raw.session_tags.unwrap_or(false),
        unsigned_payload: raw.unsigned_payload.unwrap_or(false),
    })
}

/// Without a task role, a wish about AWS or about role sessions can't be met, and would otherwise be dropped silently.
fn without_role(raw: &RawRolebox, at: &Location, problems: &mut Problems) {
    let wishes = [
        ("capabilities", !raw.capabilities.is_empty()),
        ("sessionPolicy", raw.session_policy.is_some()),
        ("roleSession", raw.role_session.is_some()),
        ("sessionDuration", raw.session_duration.is_some()),
        ("externalId", raw.external_id.is_some()),
        ("sourceIdentity", raw.source_identity.is_some()),
        ("sessionTags", raw.session_tags == Some(true)),
        ("unsignedPayload", raw.unsigned_payload == Some(true)),
    ];
    for (key, _) in wishes.into_iter().filter(|(_, given)| *given) {
        problems.add(
            &at.key(key),
            "the task has no role",
            "Name one in taskRoleArn, or remove this key: without a role there are no AWS calls.",
        );
    }
}

fn choice<T: Copy, const N: usize>(
    text: Option<&str>,
    choices: [(&str, T); N],
    at: &Location,
    problems: &mut Problems,
) -> Option<T> {
    let text = text?;
    let found = choices.iter().find(|(name, _)| *name == text);
    if found.is_none() {
        let names: Vec<_> = choices.iter().map(|(name, _)| quoted(name)).collect();
        problems.add(at, format!("{} is not one of the values", quoted(text)), format!("Give {}.", names.join(" or ")));
    }
    found.map(|(_, value)| *value)
}

fn session_duration(text: Option<&str>, at: &Location, problems: &mut Problems) -> Option<Duration> {
    let place = at.key("sessionDuration");
    let shortest = Duration::from_secs(900);
    let longest = Duration::from_secs(12 * 3600);
    let duration = span(text, shortest..=longest, &place, problems)?;
    if duration.subsec_millis() > 0 {
        problems.add(
            &place,
            format!("{} is not in whole seconds", quoted(&duration::show_duration(duration))),
            "Round it to seconds: that is what STS takes.",
        );
        return None;
    }
    Some(duration)
}

/// A text that STS takes: 2 to `longest` letters, digits and `punctuation`.
fn sts_text(
    text: Option<&str>,
    longest: usize,
    punctuation: &str,
    at: &Location,
    problems: &mut Problems,
) -> Option<String> {
    let text = text?;
    let fits = (2..=longest).contains(&text.len())
        && text.chars().all(|letter| letter.is_ascii_alphanumeric() || punctuation.contains(letter));
    if !fits {
        problems.add(
            at,
            format!("{} is not what STS takes", quoted(text)),
            format!("Give 2 to {longest} letters, digits or {punctuation}."),
        );
        return None;
    }
    Some(text.to_owned())
}
