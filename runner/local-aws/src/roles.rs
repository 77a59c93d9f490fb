//! The roles file: which roles exist, who may assume them, and what they may do.
//!
//! ```json
//! {"roles": [{
//!     "name": "s3-sample",
//!     "trustPolicy": {"Version": "2012-10-17", "Statement": [{
//!         "Effect": "Allow",
//!         "Principal": {"AWS": "arn:aws:iam::123456789012:root"},
//!         "Action": "sts:AssumeRole"}]},
//!     "managedPolicyArns": ["arn:aws:iam::aws:policy/AmazonS3FullAccess"]
//! }]}
//! ```
//!
//! A file is read whole or refused whole. What the evaluator does not implement, and a condition key whose value an
//! emulator of S3 and STS can't know, is refused here with its place in the file, since a role that is read but not
//! enforced would be a promise that nobody keeps.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use rolebox_policy::{PolicyDocument, PolicyError, TrustPolicy};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::condition_keys;
use crate::{ACCOUNT, managed};

/// How long a session of a role may last when the roles file does not say: one hour, as for a role that IAM makes.
const DEFAULT_MAX_SESSION_SECONDS: u32 = 3_600;
/// The range that IAM takes for a role's maximum session duration, in seconds
/// (<https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html>).
const MAX_SESSION_SECONDS: std::ops::RangeInclusive<u32> = 3_600..=43_200;
/// The length of a role's name that IAM takes.
const NAME_LENGTH: std::ops::RangeInclusive<usize> = 1..=64;

/// The roles that can be assumed.
#[derive(Clone, Debug, Default)]
pub struct Roles {
    by_name: BTreeMap<String, Arc<Role>>,
}

/// One role.
#[derive(Debug)]
pub(crate) struct Role {
    pub(crate) name: String,
    /// `arn:aws:iam::123456789012:role/NAME`.
    pub(crate) arn: String,
    /// IAM's unique id of the role, the first part of the user id of its sessions.
    pub(crate) id: String,
    pub(crate) trust_policy: TrustPolicy,
    pub(crate) policies: Vec<Arc<PolicyDocument>>,
    /// The longest session, in seconds.
    pub(crate) max_session_seconds: u32,
}

/// A roles file that can't be used. Nothing of it is in force then.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RolesError {
    /// The text is not JSON, or not of the form of a roles file.
    #[error(
        "the roles file can't be read at `{path}`: {source}; its form is {{\"roles\": [{{\"name\", \"trustPolicy\", \"policies\", \"managedPolicyArns\"}}]}}"
    )]
    Form {
        /// Where, as a JSON path.
        path: String,
        /// What is wrong.
        #[source]
        source: serde_json::Error,
    },
    /// A name that IAM would not take, or that another role has.
    #[error("the roles file has at `{path}` the name `{name}`, which {problem}")]
    Name {
        /// Where, as a JSON path.
        path: String,
        /// The name.
        name: String,
        /// What is wrong with it and what is expected.
        problem: &'static str,
    },
    /// A policy that is malformed, or has an element that is not implemented.
    #[error("the roles file has at `{path}` a policy that can't be enforced: {source}")]
    Policy {
        /// Where, as a JSON path.
        path: String,
        /// What is wrong.
        #[source]
        source: PolicyError,
    },
    /// A policy whose condition looks at a key that this emulator does not supply.
    #[error(
        "the roles file has at `{path}` a policy that looks at the condition key `{key}`, which the embedded S3 and STS \
         do not supply; leave it out, or test this role against AWS itself"
    )]
    ConditionKey {
        /// Where, as a JSON path.
        path: String,
        /// The key, in lower case.
        key: String,
    },
    /// A managed policy that is not shipped.
    #[error(
        "the roles file names at `{path}` the managed policy `{arn}`, which is not shipped; write its document under \
         `policies` instead, or use one of {known}"
    )]
    ManagedPolicy {
        /// Where, as a JSON path.
        path: String,
        /// The ARN.
        arn: String,
        /// The ARNs that are shipped.
        known: KnownPolicies,
    },
    /// A maximum session duration outside of IAM's range.
    #[error("the roles file has at `{path}` {seconds} seconds; IAM takes 3600 to 43200")]
    MaxSessionDuration {
        /// Where, as a JSON path.
        path: String,
        /// The value.
        seconds: u32,
    },
}

/// The managed policies that are shipped, as a list for people.
#[derive(Clone, Copy, Debug)]
pub struct KnownPolicies(());

impl fmt::Display for KnownPolicies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, policy) in managed::MANAGED_POLICIES.iter().enumerate() {
            write!(f, "{}`{}`", if index == 0 { "" } else { ", " }, policy.arn)?;
        }
        Ok(())
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawFile {
    roles: Vec<RawRole>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct RawRole {
    name: String,
    // Policies keep their text, since the policy crate refuses doubled keys, which a `Value` would have merged.
    trust_policy: Box<RawValue>,
    #[serde(default)]
    policies: Vec<Box<RawValue>>,
    #[serde(default)]
    managed_policy_arns: Vec<String>,
    max_session_duration: Option<u32>,
}

impl Roles {
    /// No roles: nothing can be assumed.
    pub fn none() -> Self {
        Self::default()
    }

    /// Reads a roles file.
    ///
    /// Besides the keys of the module's example a role may have `"maxSessionDuration"`, in seconds: 3600, its default,
    /// to 43200.
    ///
    /// # Errors
    /// Anything that is not understood in full; see [`RolesError`].
    pub fn from_json(text: &str) -> Result<Self, RolesError> {
        let mut deserializer = serde_json::Deserializer::from_str(text);
        let raw: RawFile = serde_path_to_error::deserialize(&mut deserializer)
            .map_err(|error| RolesError::Form { path: format!("$.{}", error.path()), source: error.into_inner() })?;
        deserializer.end().map_err(|source| RolesError::Form { path: "$".into(), source })?;
        let mut by_name = BTreeMap::new();
        for (index, raw) in raw.roles.into_iter().enumerate() {
            let role = Role::from_raw(raw, &format!("$.roles[{index}]"))?;
            if by_name.contains_key(&role.name) {
                return Err(RolesError::Name {
                    path: format!("$.roles[{index}].name"),
                    name: role.name,
                    problem: "another role of the file has; give each role a name of its own",
                });
            }
            by_name.insert(role.name.clone(), Arc::new(role));
        }
        Ok(Self { by_name })
    }

    /// The ARNs of all roles, in the order of their names.
    pub fn arns(&self) -> impl Iterator<Item = &str> {
        self.by_name.values().map(|role| role.arn.as_str())
    }

    pub(crate) fn by_arn(&self, arn: &str) -> Option<&Arc<Role>> {
        self.by_name.values().find(|role| role.arn == arn)
    }
}

impl Role {
    fn from_raw(raw: RawRole, path: &str) -> Result<Self, RolesError> {
        let name_is_valid = NAME_LENGTH.contains(&raw.name.len())
            && raw.name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+=,.@_-".contains(&byte));
        if !name_is_valid {
            return Err(RolesError::Name {
                path: format!("{path}.name"),
                name: raw.name,
                problem: "is not 1 to 64 letters, digits or any of `+=,.@_-`",
            });
        }

        let trust_path = format!("{path}.trustPolicy");
        let trust_policy = TrustPolicy::parse(raw.trust_policy.get())
            .map_err(|source| RolesError::Policy { path: trust_path.clone(), source })?;
        refuse_unknown_keys(trust_policy.context_keys(), &trust_path)?;

        let mut policies = Vec::new();
        for (index, text) in raw.policies.iter().enumerate() {
            let path = format!("{path}.policies[{index}]");
            let document = PolicyDocument::parse(text.get())
                .map_err(|source| RolesError::Policy { path: path.clone(), source })?;
            refuse_unknown_keys(document.context_keys(), &path)?;
            policies.push(Arc::new(document));
        }
        for (index, arn) in raw.managed_policy_arns.into_iter().enumerate() {
            let path = format!("{path}.managedPolicyArns[{index}]");
            let Some(managed) = managed::find(&arn) else {
                return Err(RolesError::ManagedPolicy { path, arn, known: KnownPolicies(()) });
            };
            let document =
                PolicyDocument::parse(managed.document).map_err(|source| RolesError::Policy { path, source })?;
            policies.push(Arc::new(document));
        }

        let max_session_seconds = raw.max_session_duration.unwrap_or(DEFAULT_MAX_SESSION_SECONDS);
        if !MAX_SESSION_SECONDS.contains(&max_session_seconds) {
            let path = format!("{path}.maxSessionDuration");
            return Err(RolesError::MaxSessionDuration { path, seconds: max_session_seconds });
        }

        Ok(Self {
            arn: format!("arn:aws:iam::{ACCOUNT}:role/{}", raw.name),
            id: crate::random::identifier("AROA"),
            name: raw.name,
            trust_policy,
            policies,
            max_session_seconds,
        })
    }
}

fn refuse_unknown_keys(keys: Vec<String>, path: &str) -> Result<(), RolesError> {
    match keys.into_iter().find(|key| !condition_keys::is_answered(key)) {
        Some(key) => Err(RolesError::ConditionKey { path: path.into(), key }),
        None => Ok(()),
    }
}
