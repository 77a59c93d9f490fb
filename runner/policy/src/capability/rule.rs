//! Rules: what a capability comes down to.

use crate::arn::is_account;
use crate::pattern::Pattern;
use crate::{Check, CheckAccount, CheckResource, Region};

use super::{AccountSet, Accounts};

/// Actions on resources under bounds, allow only. A capability becomes one rule, or two where some of its actions have
/// an account to be bound and some have none.
#[derive(Clone, Debug)]
pub(crate) struct Rule {
    /// The index of the capability that it comes from.
    pub(crate) capability: usize,
    pub(crate) actions: Vec<ActionPattern>,
    pub(crate) resources: Vec<ResourcePattern>,
    pub(crate) bounds: Bounds,
}

/// An action in full, or a pattern of actions of one service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ActionPattern {
    pub(crate) text: String,
    pub(crate) pattern: Pattern,
}

/// An ARN pattern, or `*`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ResourcePattern {
    pub(crate) text: String,
    pub(crate) pattern: Pattern,
    /// The account that it names, if it does.
    pub(crate) account: Option<String>,
}

/// A service by the name that it has in `kms:ViaService`, or a pattern of such names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ServicePattern {
    pub(crate) text: String,
    pub(crate) pattern: Pattern,
}

/// What narrows a rule beyond actions and resources. Each has one rendering in IAM's language.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Bounds {
    pub(crate) account: AccountBound,
    /// Empty: every Region.
    pub(crate) regions: Vec<Region>,
    /// Empty: every prefix and none.
    pub(crate) prefixes: Vec<String>,
    pub(crate) leading_keys: Option<LeadingKeys>,
    /// Values of `kms:ViaService`, with `*` where any Region will do. Empty: whoever makes the call.
    pub(crate) via: Vec<ServicePattern>,
}

/// How the account of a resource is bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AccountBound {
    /// It is not, because any account is meant, because each ARN pattern names its account, or because the action
    /// never leaves the caller's.
    None,
    /// To these, and the account must be known: S3, whose ARNs name none.
    Owner(AccountSet),
    /// To these where the resource has an account, as in an ARN that `*` matches; an action may work on no resource.
    IfKnown(AccountSet),
}

/// The partition key attribute of a DynamoDB table and the values that it may have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LeadingKeys {
    pub(crate) attribute: String,
    pub(crate) values: Vec<String>,
}

/// How a rule covers a check.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Coverage {
    /// The owners that the bucket may have.
    pub(crate) owners: AccountSet,
    /// Whether the rule has the action in full, not only by a pattern.
    pub(crate) in_full: bool,
}

impl ActionPattern {
    pub(crate) fn new(text: &str) -> Self {
        Self { text: text.to_owned(), pattern: Pattern::wild(text) }
    }

    /// Whether it is an action's full name.
    pub(crate) fn in_full(&self) -> bool {
        self.pattern.is_literal()
    }
}

impl ServicePattern {
    pub(crate) fn new(text: String) -> Self {
        Self { pattern: Pattern::wild(&text), text }
    }
}

impl ResourcePattern {
    /// Whether it is `*`, which alone matches what works on no resource.
    pub(crate) fn is_everything(&self) -> bool {
        self.text == "*"
    }

    pub(super) fn covers(&self, resource: &CheckResource, covering: Option<&Pattern>) -> bool {
        // A `*` in the Region's place could reach over the account to a like name behind it. No service makes such an
        // ARN, and none should be taken for what it is not.
        let in_account = |arn: &str| self.account.as_deref().is_none_or(|account| account_of(arn) == Some(account));
        match (resource, covering) {
            (CheckResource::Arn(arn), _) => self.pattern.matches(arn) && in_account(arn),
            (CheckResource::Covering(arn), Some(meant)) => self.pattern.covers(meant) && in_account(arn),
            (CheckResource::Any | CheckResource::Covering(_), _) => self.is_everything(),
        }
    }
}

impl Rule {
    /// How this rule covers a check, if it does. `covering` is the check's resource when that is a pattern.
    pub(crate) fn covers(&self, check: &Check, covering: Option<&Pattern>, accounts: &Accounts) -> Option<Coverage> {
        let in_full = self.covers_action(&check.action)?;
        let covered = self.covers_resource(check, covering)
            && self.bounds.hold(check)
            && self.resource_account_holds(check, accounts);
        if !covered {
            return None;
        }
        let owners = self.owners(&check.account, accounts);
        (!owners.is_empty()).then_some(Coverage { owners, in_full })
    }

    /// Whether it has the action, and if so whether in full.
    pub(crate) fn covers_action(&self, action: &str) -> Option<bool> {
        let mut covered = None;
        for pattern in &self.actions {
            if pattern.pattern.matches_ignoring_case(action) {
                if pattern.in_full() {
                    return Some(true);
                }
                covered = Some(false);
            }
        }
        covered
    }

    /// Whether one of its ARN patterns covers the check's resource, accounts left aside.
    pub(crate) fn covers_resource(&self, check: &Check, covering: Option<&Pattern>) -> bool {
        self.resources.iter().any(|resource| resource.covers(&check.resource, covering))
    }

    /// Whether the account in the check's ARN is one that a bound by ARN allows.
    fn resource_account_holds(&self, check: &Check, accounts: &Accounts) -> bool {
        let AccountBound::IfKnown(set) = self.bounds.account else {
            return true;
        };
        match &check.resource {
            CheckResource::Any => true,
            CheckResource::Arn(arn) | CheckResource::Covering(arn) => match account_of(arn) {
                None | Some("") => true,
                // A pattern's account may be open, which is every account.
                Some(account) => is_account(account) && !accounts.find(account).and(set).is_empty(),
            },
        }
    }

    /// The owners that the check's bucket may have under this rule.
    fn owners(&self, account: &CheckAccount, accounts: &Accounts) -> AccountSet {
        let allowed = match self.bounds.account {
            AccountBound::Owner(set) => set,
            AccountBound::None | AccountBound::IfKnown(_) => AccountSet::ANY,
        };
        match account {
            CheckAccount::BucketOwner(Some(named)) | CheckAccount::SourceBucketOwner(Some(named)) => {
                match accounts.find(named.as_str()) {
                    // No capability names it, so it is allowed where any account is.
                    AccountSet::NONE if allowed.is_any() => AccountSet::ANY,
                    known => known.and(allowed),
                }
            }
            CheckAccount::BucketOwner(None) | CheckAccount::SourceBucketOwner(None) => allowed,
            CheckAccount::InArn | CheckAccount::NoAccount if allowed.is_any() => AccountSet::ANY,
            // S3 always has an owner to name where this bound stands; who says otherwise has not understood the call.
            CheckAccount::InArn | CheckAccount::NoAccount => AccountSet::NONE,
        }
    }
}

/// The account field of an ARN or an ARN pattern, empty where it names none.
pub(super) fn account_of(arn: &str) -> Option<&str> {
    arn.split(':').nth(4)
}

impl Bounds {
    /// Whether Region, prefix, leading keys and service hold.
    pub(super) fn hold(&self, check: &Check) -> bool {
        let region = self.regions.is_empty()
            || check
                .context
                .value("aws:RequestedRegion")
                .is_some_and(|called| self.regions.iter().any(|region| region.as_str() == called));
        let prefix = self.prefixes.is_empty()
            || check
                .context
                .value("s3:prefix")
                .is_some_and(|listed| self.prefixes.iter().any(|prefix| listed.starts_with(prefix.as_str())));
        let keys = self.leading_keys.as_ref().is_none_or(|keys| {
            let allowed = |value: &str| keys.values.iter().any(|allowed| allowed == value);
            let bound = |item: &crate::ItemKey| item.value(&keys.attribute).is_some_and(allowed);
            !check.items.is_empty() && check.items.iter().all(bound)
        });
        // A task's own call to KMS comes through no service, whatever the task says.
        let via = self.via.is_empty()
            || check
                .context
                .value("kms:ViaService")
                .is_some_and(|service| self.via.iter().any(|allowed| allowed.pattern.matches(service)));
        region && prefix && keys && via
    }
}
