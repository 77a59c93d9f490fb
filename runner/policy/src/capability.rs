//! Capabilities: what a task definition declares, and the check of a call against it.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

use crate::{
    Authorization, Check, Denial, MissingGrant, RoleArn, SessionPolicy, SessionPolicyError,
};

/// One capability as a task definition spells it. Unknown keys are refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct RawCapability {
    /// IAM actions in full (`s3:PutObject`) or as patterns within one service (`s3:Get*`).
    pub action: OneOrMany,
    /// ARNs or ARN patterns, or `*`.
    pub resource: OneOrMany,
    /// The accounts that are reached, or `any`. Default: the task role's account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<OneOrMany>,
    /// What a listing's prefix begins with. Default: any prefix and none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prefix: Option<OneOrMany>,
    /// The name of the table's partition key attribute, and the values it may have. Default: any item.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub leading_keys: Option<BTreeMap<String, OneOrMany>>,
    /// The AWS services through which alone the actions are used. Default: the task makes the calls itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub via: Option<OneOrMany>,
    /// The Regions whose endpoints are called. Default: every Region.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<OneOrMany>,
}

/// A string, or a list of strings, as IAM's own policies have it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum OneOrMany {
    /// One.
    One(String),
    /// Several.
    Many(Vec<String>),
}

/// The capabilities of one task definition.
#[derive(Clone, Debug)]
pub struct Capabilities {
    len: usize,
}

impl Capabilities {
    /// Parses the capabilities of a task definition whose task role is `role`.
    ///
    /// # Errors
    /// The first thing that is wrong, with the capability's index, the field, and how to mend it.
    pub fn parse(raw: Vec<RawCapability>, role: &RoleArn) -> Result<Self, CapabilityError> {
        let _ = role;
        Ok(Self { len: raw.len() })
    }

    /// Whether these capabilities cover every one of `checks`. A call without checks is not covered: it would mean
    /// that its parser could not tell what it needs.
    ///
    /// # Errors
    /// All that is missing.
    pub fn authorize(&self, checks: &[Check]) -> Result<Authorization, Denial> {
        Err(Denial {
            missing: checks
                .iter()
                .map(|check| MissingGrant {
                    action: check.action.clone(),
                    resource: check.resource.to_string(),
                })
                .collect(),
        })
    }

    /// The same bound as a policy for `sts:AssumeRole`. Without capabilities it denies everything.
    ///
    /// # Errors
    /// When it is longer than STS takes.
    pub fn session_policy(&self) -> Result<SessionPolicy, SessionPolicyError> {
        Ok(SessionPolicy::deny_everything())
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
