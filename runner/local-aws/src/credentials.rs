//! Keys: the host's own, and those that AssumeRole handed out.
//!
//! Sessions live in memory only. After a restart their keys are unknown, as if they had been revoked.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use rolebox_policy::{Arn, PolicyDocument};
use time::OffsetDateTime;

use crate::principal::{Principal, PrincipalKind, RoleSession};
use crate::secret::Secret;
use crate::{ACCOUNT, HOST_USER, managed, random};

/// How many sessions are remembered. Beyond it those that expired first are forgotten, and then those that expire next:
/// an unbounded map would let a caller that assumes roles in a loop fill the memory.
const MAX_SESSIONS: usize = 20_000;

/// The host user's own permissions, besides reading S3: to ask for a role. Whether it gets one is the role's trust
/// policy's to say.
const HOST_POLICY: &str = r#"{
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": ["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"], "Resource": "*"}]
}"#;
const HOST_MANAGED_POLICY: &str = "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess";

/// One access key and whose it is.
#[derive(Debug)]
pub(crate) struct Credential {
    pub(crate) access_key_id: String,
    pub(crate) secret_access_key: Secret,
    /// Present for a session.
    pub(crate) session: Option<SessionKey>,
    pub(crate) principal: Arc<Principal>,
}

/// What a session's key has and a user's has not.
#[derive(Debug)]
pub(crate) struct SessionKey {
    pub(crate) token: Secret,
    pub(crate) expires: OffsetDateTime,
}

/// A role session that STS handed out.
///
/// This is for tests and demonstrations that look for these texts where they must not be.
#[derive(Clone, Debug)]
pub struct IssuedSession {
    /// `ASIA…`.
    pub access_key_id: String,
    /// The secret access key.
    pub secret_access_key: Secret,
    /// The session token.
    pub session_token: Secret,
    /// The role's ARN.
    pub role_arn: String,
    /// The session's name.
    pub session_name: String,
    /// When it expires.
    pub expires: SystemTime,
}

/// Every key that is valid, or was.
#[derive(Debug)]
pub(crate) struct Credentials {
    host: Arc<Credential>,
    sessions: Mutex<HashMap<String, Arc<Credential>>>,
}

impl Credentials {
    /// A new host key, and no sessions.
    pub(crate) fn new() -> Self {
        let host = Credential {
            access_key_id: random::identifier("AKIA"),
            secret_access_key: Secret::new(random::secret_text(40)),
            session: None,
            principal: Arc::new(host_user()),
        };
        Self { host: Arc::new(host), sessions: Mutex::default() }
    }

    pub(crate) fn host(&self) -> &Credential {
        &self.host
    }

    pub(crate) fn find(&self, access_key_id: &str) -> Option<Arc<Credential>> {
        if access_key_id == self.host.access_key_id {
            return Some(Arc::clone(&self.host));
        }
        self.lock().get(access_key_id).cloned()
    }

    /// Makes a key for a session that ends at `expires`.
    pub(crate) fn issue(&self, principal: Principal, expires: OffsetDateTime) -> Arc<Credential> {
        let credential = Arc::new(Credential {
            access_key_id: random::identifier("ASIA"),
            secret_access_key: Secret::new(random::secret_text(40)),
            // AWS's tokens are several hundred letters of base64 with a common beginning, and no length is promised.
            session: Some(SessionKey { token: Secret::new(format!("IQoJ{}", random::secret_text(356))), expires }),
            principal: Arc::new(principal),
        });
        let mut sessions = self.lock();
        if sessions.len() >= MAX_SESSIONS {
            let mut by_expiry: Vec<_> = sessions
                .values()
                .map(|old| (old.session.as_ref().map(|key| key.expires), old.access_key_id.clone()))
                .collect();
            by_expiry.sort();
            // A tenth at a time, so that not every further call sorts.
            for (_, access_key_id) in by_expiry.into_iter().take(MAX_SESSIONS / 10) {
                sessions.remove(&access_key_id);
            }
        }
        sessions.insert(credential.access_key_id.clone(), Arc::clone(&credential));
        credential
    }

    /// The sessions that are remembered, those that expire first in front.
    pub(crate) fn issued(&self) -> Vec<IssuedSession> {
        let mut issued: Vec<_> = self
            .lock()
            .values()
            .filter_map(|credential| {
                let key = credential.session.as_ref()?;
                let session = credential.principal.session()?;
                Some(IssuedSession {
                    access_key_id: credential.access_key_id.clone(),
                    secret_access_key: credential.secret_access_key.clone(),
                    session_token: key.token.clone(),
                    role_arn: session.role_arn.clone(),
                    session_name: session.name.clone(),
                    expires: key.expires.into(),
                })
            })
            .collect();
        issued.sort_by_key(|session| session.expires);
        issued
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, Arc<Credential>>> {
        // A panic elsewhere leaves the map whole: it is changed by single insertions and removals.
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn host_user() -> Principal {
    let documents = [Some(HOST_POLICY), managed::find(HOST_MANAGED_POLICY).map(|managed| managed.document)];
    // Both are part of the program, and a test reads them. Were one unreadable, the user would only have less.
    let identity_policies =
        documents.into_iter().flatten().filter_map(|text| PolicyDocument::parse(text).ok()).map(Arc::new).collect();
    Principal {
        arn: user_arn(),
        user_id: random::identifier("AIDA"),
        kind: PrincipalKind::User { name: HOST_USER.into() },
        identity_policies,
    }
}

fn user_arn() -> Arn {
    Arn {
        partition: "aws".into(),
        service: "iam".into(),
        region: String::new(),
        account: ACCOUNT.into(),
        resource: format!("user/{HOST_USER}"),
    }
}

/// The ARN of a session of a role.
pub(crate) fn session_arn(role_name: &str, session_name: &str) -> Arn {
    Arn {
        partition: "aws".into(),
        service: "sts".into(),
        region: String::new(),
        account: ACCOUNT.into(),
        resource: format!("assumed-role/{role_name}/{session_name}"),
    }
}

/// A session as the principal of a key.
pub(crate) fn session_principal(
    role_id: &str,
    role_name: &str,
    identity_policies: Vec<Arc<PolicyDocument>>,
    session: RoleSession,
) -> Principal {
    Principal {
        arn: session_arn(role_name, &session.name),
        user_id: format!("{role_id}:{}", session.name),
        kind: PrincipalKind::Session(session),
        identity_policies,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_user_has_both_of_its_policies() {
        assert_eq!(host_user().identity_policies.len(), 2);
    }
}
