//! Every input of AssumeRole, in one value that is also the key under which sessions are shared.
//!
//! The limits are those of <https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html>, checked here so
//! that a mistake is named when a task is prepared and not by STS when it starts.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use rolebox_policy::{RoleArn, SessionPolicy};
use sha2::{Digest, Sha256};

/// How long a session is asked for unless the request says otherwise: one hour, which every role allows.
pub const DEFAULT_DURATION: Duration = Duration::from_secs(3600);

/// STS's bounds on a session's duration. A role's own maximum lies between one hour and the upper one.
const DURATION: std::ops::RangeInclusive<u64> = 900..=43_200;

/// The longest session that STS gives to a caller which is itself a role's session.
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles.html#iam-term-role-chaining>
const CHAINED_LIMIT: Duration = Duration::from_secs(3600);

/// The most session tags that one session takes.
const MAX_TAGS: usize = 50;

/// Whether the session is bound by a session policy. There is no default: leaving the bound out is written down.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum SessionPolicyChoice {
    /// The session may do what the role's policies *and* this policy allow.
    Required(SessionPolicy),
    /// The session may do all that the role's policies allow. Only the host's own check of the task's capabilities
    /// bounds it further.
    Off,
}

/// What the base credentials are, as far as it changes what STS allows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum BaseIdentity {
    /// An IAM user, or unknown. Where it is a role's session after all and more than one hour is asked for, STS
    /// refuses and says so.
    #[default]
    Direct,
    /// A role's session, such as that of an EC2 instance or of an SSO user: assuming with it is role chaining, and no
    /// session is longer than one hour.
    Chained,
}

/// One AssumeRole call, complete. Two requests that are equal ask for the same session; no input is left out of the
/// comparison, so nothing can be shared across a difference.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RoleSessionRequest {
    role: RoleArn,
    session_name: SessionName,
    policy: SessionPolicyChoice,
    duration: Duration,
    external_id: Option<ExternalId>,
    source_identity: Option<SourceIdentity>,
    // Sorted, so that the order in which tags were named makes no difference.
    tags: BTreeMap<String, String>,
    base: BaseIdentity,
}

impl RoleSessionRequest {
    /// Asks for `role` as `session_name`, bound by `policy`: for [`DEFAULT_DURATION`], without external id, source
    /// identity or tags, from a [direct](BaseIdentity::Direct) base identity.
    #[must_use]
    pub fn new(role: RoleArn, session_name: SessionName, policy: SessionPolicyChoice) -> Self {
        Self {
            role,
            session_name,
            policy,
            duration: DEFAULT_DURATION,
            external_id: None,
            source_identity: None,
            tags: BTreeMap::new(),
            base: BaseIdentity::Direct,
        }
    }

    /// Asks for a session of this length: whole seconds from 15 minutes to 12 hours, and not above the role's own
    /// maximum, which only STS knows.
    ///
    /// # Errors
    /// [`RoleSessionRequestError::Duration`].
    pub fn with_duration(mut self, duration: Duration) -> Result<Self, RoleSessionRequestError> {
        if !DURATION.contains(&duration.as_secs()) || duration.subsec_nanos() != 0 {
            return Err(RoleSessionRequestError::Duration(duration));
        }
        self.duration = duration;
        Ok(self)
    }

    /// Sends the external id that the role's trust policy expects of a caller from another account.
    #[must_use]
    pub fn with_external_id(mut self, external_id: ExternalId) -> Self {
        self.external_id = Some(external_id);
        self
    }

    /// Names who is behind the session in CloudTrail. The role's trust policy must allow `sts:SetSourceIdentity`.
    #[must_use]
    pub fn with_source_identity(mut self, source_identity: SourceIdentity) -> Self {
        self.source_identity = Some(source_identity);
        self
    }

    /// Sets session tags, none of them transitive. The role's trust policy must allow `sts:TagSession`.
    ///
    /// # Errors
    /// [`RoleSessionRequestError::Tag`] for a key or value that STS does not take, and for two keys that differ in
    /// case only; [`RoleSessionRequestError::TooManyTags`].
    pub fn with_tags<K, V>(mut self, tags: impl IntoIterator<Item = (K, V)>) -> Result<Self, RoleSessionRequestError>
    where
        K: Into<String>,
        V: Into<String>,
    {
        let mut checked = BTreeMap::new();
        for (key, value) in tags {
            let (key, value) = (key.into(), value.into());
            let problem = tag_problem(&key, &value).or_else(|| {
                let same = |other: &String| other.to_lowercase() == key.to_lowercase();
                checked.keys().any(same).then_some("the key is there already; case makes no difference to STS")
            });
            if let Some(problem) = problem {
                return Err(RoleSessionRequestError::Tag { key: shorten(&key), problem });
            }
            checked.insert(key, value);
        }
        if checked.len() > MAX_TAGS {
            return Err(RoleSessionRequestError::TooManyTags(checked.len()));
        }
        self.tags = checked;
        Ok(self)
    }

    /// Says what the base credentials are.
    #[must_use]
    pub fn with_base_identity(mut self, base: BaseIdentity) -> Self {
        self.base = base;
        self
    }

    /// The role to assume.
    #[must_use]
    pub fn role(&self) -> &RoleArn {
        &self.role
    }

    /// The session's name, the same for every refresh.
    #[must_use]
    pub fn session_name(&self) -> &SessionName {
        &self.session_name
    }

    /// The bound on the session.
    #[must_use]
    pub fn policy(&self) -> &SessionPolicyChoice {
        &self.policy
    }

    /// The length to ask for: what the request says, but never more than one hour from a
    /// [chained](BaseIdentity::Chained) base identity. Sessions are refreshed, so the cap costs the task nothing.
    #[must_use]
    pub fn duration(&self) -> Duration {
        match self.base {
            BaseIdentity::Direct => self.duration,
            BaseIdentity::Chained => self.duration.min(CHAINED_LIMIT),
        }
    }

    /// The external id, if any.
    #[must_use]
    pub fn external_id(&self) -> Option<&ExternalId> {
        self.external_id.as_ref()
    }

    /// The source identity, if any.
    #[must_use]
    pub fn source_identity(&self) -> Option<&SourceIdentity> {
        self.source_identity.as_ref()
    }

    /// The session tags, by key.
    pub fn tags(&self) -> impl Iterator<Item = (&str, &str)> {
        self.tags.iter().map(|(key, value)| (key.as_str(), value.as_str()))
    }

    /// What the base credentials are said to be.
    #[must_use]
    pub fn base_identity(&self) -> BaseIdentity {
        self.base
    }
}

/// What a request for a role session must not hold.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RoleSessionRequestError {
    /// A text of the wrong length or with a character that STS does not take.
    #[error("the {what} `{text}` is not valid: STS takes {expected}")]
    Text {
        /// Which input.
        what: &'static str,
        /// What it was, shortened.
        text: String,
        /// What STS takes.
        expected: &'static str,
    },
    /// A duration that no role allows.
    #[error(
        "a role session cannot last {}.{:03} s: STS takes whole seconds from 900 (15 minutes) to 43200 (12 hours), and \
         not more than the role's maximum session duration", .0.as_secs(), .0.subsec_millis()
    )]
    Duration(Duration),
    /// A session tag that STS does not take.
    #[error("the session tag `{key}` is not valid: {problem}")]
    Tag {
        /// Its key, shortened.
        key: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// More tags than STS takes.
    #[error("{0} session tags are too many: STS takes at most 50")]
    TooManyTags(usize),
}

/// Declares a text that STS restricts to `[\w+=,.@-]`, the further bytes given, and a length.
macro_rules! sts_text {
    ($(#[$doc:meta])* $name:ident, $what:literal, $length:expr, $further:literal, $expected:literal) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash)]
        pub struct $name(String);

        impl $name {
            /// Checks the text's length and characters.
            ///
            /// # Errors
            /// [`RoleSessionRequestError::Text`], which says what STS takes.
            pub fn new(text: impl Into<String>) -> Result<Self, RoleSessionRequestError> {
                let text = text.into();
                let allowed = |b: u8| b.is_ascii_alphanumeric() || b"_+=,.@-".contains(&b) || $further.contains(&b);
                if $length.contains(&text.len()) && text.bytes().all(allowed) {
                    Ok(Self(text))
                } else {
                    let text = shorten(&text);
                    Err(RoleSessionRequestError::Text { what: $what, text, expected: $expected })
                }
            }

            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

sts_text!(
    /// A role session's name, which CloudTrail shows for each of its calls: the task id, or the name of a task
    /// definition's revision where its tasks share one session.
    SessionName, "session name", 2..=64, b"", "2 to 64 letters, digits and _+=,.@-"
);
sts_text!(
    /// The id that a role's trust policy expects of a caller from another account. AWS does not treat it as a secret.
    /// <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_common-scenarios_third-party.html>
    ExternalId, "external id", 2..=1224, b":/", "2 to 1224 letters, digits and _+=,.@:/-"
);
sts_text!(
    /// Who is behind a session. It stays with every session assumed from this one and cannot be changed there.
    SourceIdentity, "source identity", 2..=64, b"", "2 to 64 letters, digits and _+=,.@-"
);

impl SessionName {
    /// The name of the session that the tasks of one revision share: `family@revision`. A family that is too long for
    /// STS is cut and told apart by a hash, so that two of them never meet in one name.
    ///
    /// # Errors
    /// [`RoleSessionRequestError::Text`] for a family with a character that ECS does not allow either.
    pub fn for_definition(family: &str, revision: u32) -> Result<Self, RoleSessionRequestError> {
        // 64 characters less `@` and the ten digits that a revision may have.
        const ROOM: usize = 53;
        const HASH: usize = 16;
        if family.len() <= ROOM || !family.is_ascii() {
            return Self::new(format!("{family}@{revision}"));
        }
        let hash = Sha256::digest(family.as_bytes());
        let hash: String = hash.iter().take(HASH / 2).map(|byte| format!("{byte:02x}")).collect();
        Self::new(format!("{}.{hash}@{revision}", &family[..ROOM - HASH - 1]))
    }
}

fn tag_problem(key: &str, value: &str) -> Option<&'static str> {
    // STS: `[\p{L}\p{Z}\p{N}_.:/=+\-@]`. Of the separators only the plain space is taken: others are never meant.
    let allowed = |c: char| c.is_alphanumeric() || " _.:/=+-@".contains(c);
    if !(1..=128).contains(&key.chars().count()) {
        Some("a key has 1 to 128 characters")
    } else if value.chars().count() > 256 {
        Some("a value has at most 256 characters")
    } else if key.to_lowercase().starts_with("aws:") {
        Some("keys that begin with `aws:` are AWS's own")
    } else if !key.chars().chain(value.chars()).all(allowed) {
        Some("keys and values hold letters, digits, spaces and _.:/=+-@")
    } else {
        None
    }
}

/// Input as an error message quotes it: in one line, and not longer than a line.
fn shorten(text: &str) -> String {
    const LIMIT: usize = 80;
    let mut quoted: String = text.chars().take(LIMIT).flat_map(char::escape_debug).collect();
    if text.chars().nth(LIMIT).is_some() {
        quoted.push('…');
    }
    quoted
}
