//! One permission that a call needs, and the answer to it.
//!
//! Whoever parses a request says, in these terms, everything that the request would make AWS check. The terms hold no
//! decision: what they mean for a task is [`Capabilities::authorize`](crate::Capabilities::authorize)'s to say.

use std::fmt;

use crate::{AccountId, Context};

/// One permission that a call needs: an action on a resource, under conditions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// The IAM action in full, such as `s3:PutObject`. IAM's spelling; compared without regard to case.
    pub action: String,
    /// What the action works on.
    pub resource: CheckResource,
    /// The condition keys that the request itself decides: for every call `aws:RequestedRegion`, and where AWS has them
    /// `s3:prefix` and, when an AWS service makes this call for the task, `kms:ViaService`. A capability's bounds look
    /// at these and at no others; more do no harm.
    pub context: Context,
    /// Where the account is found that the resource belongs to.
    pub account: CheckAccount,
    /// The DynamoDB items that the call names, by their attributes: every item of a GetItem, PutItem, BatchGetItem and
    /// so on, and for a Query on a table itself the one entry of what it compares for plain equality. Empty when the
    /// call is not bound to items (Scan, an index, PartiQL): no capability with `leadingKeys` allows it then.
    pub items: Vec<ItemKey>,
}

impl Check {
    /// A permission whose account is in its ARN, without conditions.
    pub fn new(action: impl Into<String>, resource: CheckResource) -> Self {
        Self {
            action: action.into(),
            resource,
            context: Context::new(),
            account: CheckAccount::InArn,
            items: Vec::new(),
        }
    }

    /// The same with an account that is found elsewhere.
    #[must_use]
    pub fn account(mut self, account: CheckAccount) -> Self {
        self.account = account;
        self
    }

    /// The same with one more condition key.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<String>) -> Self {
        self.context.insert(key, value);
        self
    }

    /// The same with one more item that the call names.
    #[must_use]
    pub fn item(mut self, item: ItemKey) -> Self {
        self.items.push(item);
        self
    }
}

/// What an action works on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CheckResource {
    /// One resource by its ARN. A `*` or `?` in it is an ordinary character, as in an S3 key.
    Arn(String),
    /// A pattern (`*`, `?`) of every ARN that the call can mean, where the request hides the ARN: a secret by its name
    /// is `…:secret:NAME-??????`, and a Decrypt without a key id `…:key/*`. Only a capability that covers all of them
    /// allows it.
    Covering(String),
    /// The action works on no resource, or on none that is known: only a capability on `*` allows it.
    Any,
}

impl CheckResource {
    /// The ARN, the pattern, or `*`.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Arn(text) | Self::Covering(text) => text,
            Self::Any => "*",
        }
    }
}

impl fmt::Display for CheckResource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Where the account is found that a resource belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CheckAccount {
    /// In the ARN's account field. Also for what works on no resource at all.
    InArn,
    /// S3's ListBuckets and CreateBucket: they reach no account but the caller's own.
    NoAccount,
    /// An S3 bucket's owner: the account that the guest's `x-amz-expected-bucket-owner` names, or none when it names
    /// none and the host chooses.
    BucketOwner(Option<AccountId>),
    /// The same for a copy's source and `x-amz-source-expected-bucket-owner`.
    SourceBucketOwner(Option<AccountId>),
}

/// The attributes by which a call names one DynamoDB item, as text.
///
/// Strings (`S`) and numbers (`N`) stand as the request spells them. Leave every other type out: a capability that
/// asks for such an attribute does not match then.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ItemKey {
    attributes: Vec<(String, String)>,
}

impl ItemKey {
    /// An item without attributes.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same with one more attribute.
    #[must_use]
    pub fn attribute(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.attributes.push((name.into(), value.into()));
        self
    }

    /// The attribute's value. None when it is absent or was given twice, which no request that AWS accepts does.
    pub fn value(&self, name: &str) -> Option<&str> {
        let mut found = self.attributes.iter().filter(|(attribute, _)| attribute == name);
        match (found.next(), found.next()) {
            (Some((_, value)), None) => Some(value),
            _ => None,
        }
    }
}

/// A call is covered. What the host has to set before it signs.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Authorization {
    /// The value of `x-amz-expected-bucket-owner`. None: leave the header out, since the capabilities that cover the
    /// call allow any account, or no check of the call asks for a bucket's owner.
    pub bucket_owner: Option<AccountId>,
    /// The value of `x-amz-source-expected-bucket-owner`, likewise.
    pub source_bucket_owner: Option<AccountId>,
    /// The capabilities that cover the call, by their index in the task definition, ascending, each once.
    pub capabilities: Vec<usize>,
}

/// A call is not covered. Nothing of it may be signed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.reason())]
#[non_exhaustive]
pub struct Denial {
    /// Every permission that is missing, in the order in which the call was checked. Empty only for a call without
    /// checks.
    pub missing: Vec<MissingGrant>,
}

impl Denial {
    /// The reason in a sentence, for the guest, the audit record and the person who writes the task definition. It
    /// names every missing action and ARN.
    pub fn reason(&self) -> String {
        if self.missing.is_empty() {
            return "it is not known which permissions this call needs, so no capability covers it".into();
        }
        let grants: Vec<String> = self.missing.iter().map(ToString::to_string).collect();
        format!("no capability of this task grants {}", grants.join(", nor "))
    }
}

/// A permission that no capability grants.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct MissingGrant {
    /// The action in full.
    pub action: String,
    /// The ARN, pattern or `*`.
    pub resource: String,
    /// What to know about it, such as that the action is granted by its full name only.
    pub note: Option<&'static str>,
}

impl fmt::Display for MissingGrant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} on {}", self.action, self.resource)?;
        match self.note {
            Some(note) => write!(f, " ({note})"),
            None => Ok(()),
        }
    }
}
