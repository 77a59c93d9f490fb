//! A role session's credentials, and what an answer must be to become them.

use std::fmt;
use std::time::{Duration, SystemTime};

use rolebox_policy::Arn;
use zeroize::{ZeroizeOnDrop, Zeroizing};

use super::request::RoleSessionRequest;
use super::schedule::EXPIRY_MARGIN;
use super::sts::{AssumeRoleAnswer, StsError};

/// A text that must not be seen. It has no `Display` and no `Serialize`, its `Debug` says nothing, and its memory is
/// zeroized when it is dropped.
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes over a secret without copying it.
    #[must_use]
    pub fn new(secret: String) -> Self {
        Self(Zeroizing::new(secret))
    }

    /// The secret itself. What becomes of it is the caller's to answer for: it goes into a signature or a request that
    /// is signed, and nowhere else.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl ZeroizeOnDrop for Secret {}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// The credentials of one role session, valid when they were made.
///
/// They only come from an answer of STS that was checked: no part is empty or unprintable, it expires later than
/// [`EXPIRY_MARGIN`] from now, and it is a session of the role and of the name that were asked for.
pub struct SessionCredentials {
    access_key_id: Secret,
    secret_access_key: Secret,
    session_token: Secret,
    expiration: SystemTime,
    assumed_role_arn: String,
    packed_policy_size: Option<u32>,
}

impl SessionCredentials {
    /// Checks `answer`, which was received at `now`, against what was asked for.
    pub(super) fn from_answer(
        answer: AssumeRoleAnswer,
        request: &RoleSessionRequest,
        now: SystemTime,
    ) -> Result<Self, StsError> {
        let invalid = |reason: String| Err(StsError::InvalidAnswer { reason });
        let parts = [
            ("access key id", &answer.access_key_id),
            ("secret access key", &answer.secret_access_key),
            ("session token", &answer.session_token),
        ];
        for (what, part) in parts {
            if part.expose().is_empty() {
                return invalid(format!("the {what} is empty"));
            }
            // They are parts of HTTP header fields.
            if !part.expose().bytes().all(|b| b.is_ascii_graphic()) {
                return invalid(format!("the {what} holds characters that no {what} has"));
            }
        }
        let Some(expiration) = answer.expiration else {
            return invalid("it does not say when the session expires".into());
        };
        match expiration.duration_since(now) {
            Ok(left) if left > EXPIRY_MARGIN => {}
            Ok(left) => {
                let left = left.as_secs();
                return invalid(format!(
                    "the session expires in {left} s, and one is used until 60 s before it expires"
                ));
            }
            Err(past) => {
                let past = past.duration().as_secs();
                return invalid(format!("the session expired {past} s ago: is this host's clock right?"));
            }
        }
        let role = request.role();
        let expected = Arn {
            partition: role.partition().into(),
            service: "sts".into(),
            region: String::new(),
            account: role.account().as_str().into(),
            resource: format!("assumed-role/{}/{}", role.name(), request.session_name()),
        }
        .to_string();
        if answer.assumed_role_arn != expected {
            let answered = super::sts::one_line(&answer.assumed_role_arn);
            return invalid(format!("it is for `{answered}` instead of `{expected}`"));
        }
        Ok(Self {
            access_key_id: answer.access_key_id,
            secret_access_key: answer.secret_access_key,
            session_token: answer.session_token,
            expiration,
            assumed_role_arn: expected,
            packed_policy_size: answer.packed_policy_size,
        })
    }

    /// The access key id. It is no secret by itself and is still kept out of logs, as everything that belongs to a key.
    #[must_use]
    pub fn access_key_id(&self) -> &str {
        self.access_key_id.expose()
    }

    /// The key that signs.
    #[must_use]
    pub fn secret_access_key(&self) -> &Secret {
        &self.secret_access_key
    }

    /// The token that goes with each signed request.
    #[must_use]
    pub fn session_token(&self) -> &Secret {
        &self.session_token
    }

    /// When STS says that the session ends.
    #[must_use]
    pub fn expiration(&self) -> SystemTime {
        self.expiration
    }

    /// `arn:PARTITION:sts::ACCOUNT:assumed-role/ROLE/SESSION`, as CloudTrail names the caller.
    #[must_use]
    pub fn assumed_role_arn(&self) -> &str {
        &self.assumed_role_arn
    }

    /// How full STS's packed form of session policy and tags is, in per cent, where it says so.
    #[must_use]
    pub fn packed_policy_size(&self) -> Option<u32> {
        self.packed_policy_size
    }

    /// How long the session lives from `now` on.
    pub(super) fn lifetime(&self, now: SystemTime) -> Duration {
        self.expiration.duration_since(now).unwrap_or_default()
    }
}

impl fmt::Debug for SessionCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The access key id as well: a key id in a log is the first half of a leak.
        f.debug_struct("SessionCredentials")
            .field("assumed_role_arn", &self.assumed_role_arn)
            .field("expiration", &self.expiration)
            .field("access_key_id", &self.access_key_id)
            .field("secret_access_key", &self.secret_access_key)
            .field("session_token", &self.session_token)
            .finish_non_exhaustive()
    }
}
