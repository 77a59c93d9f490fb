//! What a task called, each permission once.

use std::collections::BTreeSet;

use rolebox_policy::{AccountId, Capabilities, Check, CheckAccount, CheckResource, RoleArn};

use super::{NotGranted, NotUnderstood};

/// Permissions that are kept in mind at most, so that a task can't fill the runner's memory.
const MOST_PERMISSIONS: usize = 100_000;

/// Refusals that are kept in mind at most. Their reasons quote the guest.
const MOST_REFUSALS: usize = 1_000;

/// The calls of one task so far.
#[derive(Debug, Default)]
pub(super) struct Calls {
    pub(super) uses: BTreeSet<Use>,
    pub(super) not_granted: BTreeSet<NotGranted>,
    pub(super) not_understood: BTreeSet<NotUnderstood>,
    /// Whether something was left out.
    pub(super) incomplete: bool,
}

/// A permission that the task used.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Use {
    pub(super) action: String,
    pub(super) resource: Resource,
    pub(super) account: Account,
    /// The prefix of a listing.
    pub(super) prefix: Option<String>,
    /// The value of `kms:ViaService`, for what a service does on the task's behalf.
    pub(super) via: Option<String>,
    /// Where the account was to be found.
    place: Place,
}

/// What an action works on: [`CheckResource`], in an order.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Resource {
    Any,
    Arn(String),
    Covering(String),
}

/// The account that a capability has to reach.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Account {
    /// The task role's.
    Own,
    Other(String),
    /// It is not known whose the bucket was: the capabilities let it be anybody's.
    Any,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    InArn,
    None,
    Bucket,
}

/// What narrows a capability beyond its ARNs; empty for what has no such bound.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Bounds {
    pub(super) prefixes: BTreeSet<String>,
    /// Services, as `via` has them.
    pub(super) via: BTreeSet<String>,
}

impl Calls {
    /// Takes note of a call that was understood.
    pub(super) fn decided(&mut self, permissions: &[Check], capabilities: &Capabilities, role: &RoleArn) {
        match capabilities.authorize(permissions) {
            Ok(authorization) => {
                for check in permissions {
                    let chosen = match &check.account {
                        CheckAccount::SourceBucketOwner(_) => authorization.source_bucket_owner.as_ref(),
                        _ => authorization.bucket_owner.as_ref(),
                    };
                    let used = Use::new(check, chosen, role);
                    self.incomplete |= !insert(&mut self.uses, used, MOST_PERMISSIONS);
                }
            }
            Err(denial) => {
                for missing in denial.missing {
                    let missing = NotGranted { action: missing.action, resource: missing.resource };
                    self.incomplete |= !insert(&mut self.not_granted, missing, MOST_PERMISSIONS);
                }
            }
        }
    }

    /// Takes note of a request that was refused before it was known what it needs.
    pub(super) fn not_understood(&mut self, service: &str, reason: &str) {
        let refusal = NotUnderstood { service: service.to_owned(), reason: reason.to_owned() };
        self.incomplete |= !insert(&mut self.not_understood, refusal, MOST_REFUSALS);
    }
}

/// Adds `item`, and says whether there was room.
fn insert<T: Ord>(set: &mut BTreeSet<T>, item: T, most: usize) -> bool {
    let fits = set.len() < most || set.contains(&item);
    if fits {
        set.insert(item);
    }
    fits
}

impl Use {
    /// `chosen` is the owner that the host held the bucket to.
    pub(super) fn new(check: &Check, chosen: Option<&AccountId>, role: &RoleArn) -> Self {
        let own = role.account().as_str();
        let of = |account: &str| match account {
            "" => Account::Own,
            account if account == own => Account::Own,
            account => Account::Other(account.to_owned()),
        };
        let (place, account) = match &check.account {
            CheckAccount::NoAccount => (Place::None, Account::Own),
            CheckAccount::InArn => (Place::InArn, of(check.resource.as_str().split(':').nth(4).unwrap_or_default())),
            CheckAccount::BucketOwner(named) | CheckAccount::SourceBucketOwner(named) => {
                let account = named.as_ref().or(chosen).map_or(Account::Any, |account| of(account.as_str()));
                (Place::Bucket, account)
            }
        };
        let value = |key: &str| check.context.value(key).map(str::to_owned);
        let lists = ["s3:ListBucket", "s3:ListBucketVersions"].contains(&check.action.as_str());
        Self {
            action: check.action.clone(),
            resource: match &check.resource {
                CheckResource::Arn(arn) => Resource::Arn(arn.clone()),
                CheckResource::Covering(pattern) => Resource::Covering(pattern.clone()),
                CheckResource::Any => Resource::Any,
            },
            account,
            prefix: value("s3:prefix").filter(|prefix| lists && !prefix.is_empty()),
            via: value("kms:ViaService").filter(|_| check.action.starts_with("kms:")),
            place,
        }
    }

    /// The permission again, as far as the suggestion's bounds look at it.
    pub(super) fn check(&self) -> Check {
        let resource = match &self.resource {
            Resource::Any => CheckResource::Any,
            Resource::Arn(arn) => CheckResource::Arn(arn.clone()),
            Resource::Covering(pattern) => CheckResource::Covering(pattern.clone()),
        };
        let owner = match &self.account {
            Account::Other(account) => account.parse().ok(),
            Account::Own | Account::Any => None,
        };
        let mut check = Check::new(self.action.clone(), resource).account(match self.place {
            Place::InArn => CheckAccount::InArn,
            Place::None => CheckAccount::NoAccount,
            Place::Bucket => CheckAccount::BucketOwner(owner),
        });
        for (key, value) in [("s3:prefix", &self.prefix), ("kms:ViaService", &self.via)] {
            if let Some(value) = value {
                check = check.with(key, value);
            }
        }
        check
    }
}

impl Bounds {
    /// The narrowest bounds within which all of `uses` are.
    pub(super) fn of(uses: &[&Use]) -> Self {
        let all = |of: fn(&Use) -> Option<&str>| {
            let values: Option<BTreeSet<String>> = uses.iter().map(|used| of(used).map(str::to_owned)).collect();
            // One use without it has no such bound.
            values.unwrap_or_default()
        };
        let mut prefixes = all(|used| used.prefix.as_deref());
        // A prefix is a bound on how a listing's prefix begins.
        let shorter = prefixes.clone();
        prefixes.retain(|prefix| !shorter.iter().any(|other| other != prefix && prefix.starts_with(other.as_str())));
        Self { prefixes, via: all(|used| used.via.as_deref().and_then(|via| via.split('.').next())) }
    }
}
