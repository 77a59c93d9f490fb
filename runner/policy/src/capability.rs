//! Capabilities: what a task definition declares, and the check of a call against it.
//!
//! A capability is read once into [rules](rule): IAM actions on ARN patterns under bounds, allow only. Both outputs,
//! [`Capabilities::authorize`] and [`Capabilities::session_policy`], work from the same rules and the same
//! [exclusions](explicit), and nothing else. That is how they agree.
//!
//! Absent on purpose: conditions of the author's own. Each bound that there is has a meaning that the host can check
//! before it signs and that IAM can check after; a condition key that only AWS knows would be a bound of one of the two.

mod authorize;
mod explicit;
mod parse;
mod rule;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{AccountId, RoleArn, SessionPolicy, SessionPolicyError};
pub(crate) use explicit::Exclusions;
pub(crate) use rule::{AccountBound, ActionPattern, Bounds, LeadingKeys, ResourcePattern, Rule, ServicePattern};

/// One capability as a task definition spells it. Unknown keys are refused.
///
/// ```json
/// {"action": ["s3:GetObject", "s3:PutObject"], "resource": "arn:aws:s3:::node-sdk-sample-*/*"}
/// ```
///
/// Only `action` and `resource` are required. Each of the others narrows, and is an error where it could not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct RawCapability {
    /// IAM actions in full (`s3:PutObject`) or as patterns within one service (`s3:Get*`). Those that change
    /// permissions, answer with credentials, or configure what gives data or authority away for as long as it stands
    /// are granted only in full; `iam:` and `sts:` never, but for `sts:GetCallerIdentity`.
    pub action: OneOrMany,
    /// ARNs or ARN patterns with `*` and `?`, or `*` for every resource and for actions that work on none. `${*}`,
    /// `${?}` and `${$}` stand for the characters themselves.
    pub resource: OneOrMany,
    /// The accounts that are reached, by their twelve digits, or `any` alone. Default: the task role's account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<OneOrMany>,
    /// What the prefix of an S3 listing begins with, literally. Only `s3:ListBucket` and `s3:ListBucketVersions` have
    /// prefixes; objects are narrowed by `resource`. Default: any prefix and none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prefix: Option<OneOrMany>,
    /// The name of a DynamoDB table's partition key attribute, and the values that it may have. It bounds item
    /// operations and a Query of the table itself; a Scan, an index and PartiQL are not covered at all then. Default:
    /// any item.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub leading_keys: Option<BTreeMap<String, OneOrMany>>,
    /// The AWS services that use the KMS actions on the task's behalf, such as `s3` for a bucket whose default key
    /// encrypts. The task may not call KMS itself then. Default: it may, and services may on its behalf.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub via: Option<OneOrMany>,
    /// The Regions whose endpoints are called. Default: every Region.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<OneOrMany>,
}

/// A string, or a list of strings, as IAM's own policies have it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged, expecting = "expected a string or a list of strings")]
pub enum OneOrMany {
    /// One.
    One(String),
    /// Several.
    Many(Vec<String>),
}

impl OneOrMany {
    /// The strings.
    pub fn as_slice(&self) -> &[String] {
        match self {
            Self::One(one) => std::slice::from_ref(one),
            Self::Many(many) => many,
        }
    }
}

/// The capabilities of one task definition.
#[derive(Clone, Debug)]
pub struct Capabilities {
    len: usize,
    rules: Vec<Rule>,
    exclusions: Exclusions,
    accounts: Accounts,
}

impl Capabilities {
    /// Parses the capabilities of a task definition whose task role is `role`.
    ///
    /// # Errors
    /// The first thing that is wrong, with the capability's index, the field, and how to mend it.
    pub fn parse(raw: Vec<RawCapability>, role: &RoleArn) -> Result<Self, CapabilityError> {
        parse::parse(&raw, role)
    }

    /// The same bound as a policy for `sts:AssumeRole`. Without capabilities it denies everything.
    ///
    /// # Errors
    /// When it is longer than STS takes.
    pub fn session_policy(&self) -> Result<SessionPolicy, SessionPolicyError> {
        crate::session_policy::render(&self.rules, &self.exclusions, &self.accounts)
    }

    /// How many capabilities there are.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none: then no call is allowed.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }
}

/// A capability that can't be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("capabilities[{index}].{field}: {problem}")]
#[non_exhaustive]
pub struct CapabilityError {
    /// Which capability, from 0.
    pub index: usize,
    /// Which of its fields, such as `action` or `resource[2]`.
    pub field: String,
    /// What is wrong and how to mend it.
    pub problem: String,
}

/// The accounts that a definition names, the task role's first, each with a bit in an [`AccountSet`].
#[derive(Clone, Debug, Default)]
pub(crate) struct Accounts {
    known: Vec<AccountId>,
}

/// A set of accounts. The highest bit stands for every account there is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct AccountSet(u64);

impl Accounts {
    /// So many accounts can be named: all bits of a set but the one for every account.
    pub(crate) const MOST: usize = 63;

    /// The account's own set; it is added if need be. None when there is no room.
    pub(crate) fn add(&mut self, account: &AccountId) -> Option<AccountSet> {
        let at = match self.known.iter().position(|known| known == account) {
            Some(at) => at,
            None if self.known.len() < Self::MOST => {
                self.known.push(account.clone());
                self.known.len() - 1
            }
            None => return None,
        };
        Some(AccountSet(1 << at))
    }

    /// The set of one account by its digits; empty when no capability names it.
    pub(crate) fn find(&self, account: &str) -> AccountSet {
        let at = self.known.iter().position(|known| known.as_str() == account);
        at.map_or(AccountSet::NONE, |at| AccountSet(1 << at))
    }

    /// The accounts in a set, in the order in which they were named.
    pub(crate) fn of(&self, set: AccountSet) -> impl Iterator<Item = &AccountId> {
        self.known.iter().enumerate().filter(move |(at, _)| set.0 & (1 << at) != 0).map(|(_, account)| account)
    }
}

impl AccountSet {
    pub(crate) const NONE: Self = Self(0);
    pub(crate) const ANY: Self = Self(u64::MAX);

    pub(crate) fn is_empty(self) -> bool {
        self == Self::NONE
    }

    pub(crate) fn is_any(self) -> bool {
        self == Self::ANY
    }

    pub(crate) fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    pub(crate) fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}
