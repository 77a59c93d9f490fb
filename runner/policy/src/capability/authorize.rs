//! The answer to a call.

use super::rule::Rule;
use super::{AccountSet, Capabilities};
use crate::capability::explicit::is_explicit;
use crate::pattern::Pattern;
use crate::{AccountId, Authorization, Check, CheckAccount, CheckResource, Denial, MissingGrant};

impl Capabilities {
    /// Whether these capabilities cover every one of `checks`. A call without checks is not covered: it would mean
    /// that its parser could not tell what it needs.
    ///
    /// # Errors
    /// All that is missing.
    pub fn authorize(&self, checks: &[Check]) -> Result<Authorization, Denial> {
        let mut missing = Vec::new();
        let mut capabilities = Vec::new();
        let mut bucket = Header::new();
        let mut source = Header::new();
        for check in checks {
            let meant = match &check.resource {
                CheckResource::Covering(pattern) => Some(Pattern::wild(pattern)),
                CheckResource::Arn(_) | CheckResource::Any => None,
            };
            let owners = self.cover(check, meant.as_ref(), &mut capabilities);
            let owners = match &check.account {
                CheckAccount::BucketOwner(named) => bucket.narrow(owners, named.as_ref()),
                CheckAccount::SourceBucketOwner(named) => source.narrow(owners, named.as_ref()),
                CheckAccount::InArn | CheckAccount::NoAccount => owners,
            };
            if owners.is_empty() {
                missing.push(MissingGrant {
                    action: check.action.clone(),
                    resource: check.resource.to_string(),
                    note: self.note(check, meant.as_ref()),
                });
            }
        }
        if !missing.is_empty() || checks.is_empty() {
            return Err(Denial { missing });
        }
        capabilities.sort_unstable();
        capabilities.dedup();
        Ok(Authorization { bucket_owner: self.choose(bucket), source_bucket_owner: self.choose(source), capabilities })
    }

    /// The owners for which the rules cover a check, none if they don't. The capabilities that do so are noted.
    fn cover(&self, check: &Check, meant: Option<&Pattern>, capabilities: &mut Vec<usize>) -> AccountSet {
        let mut owners = AccountSet::NONE;
        let mut excluded = None;
        for rule in &self.rules {
            let Some(coverage) = rule.covers(check, meant, &self.accounts) else {
                continue;
            };
            if !coverage.in_full
                && *excluded.get_or_insert_with(|| self.exclusions.exclude(&check.action, &check.resource, meant))
            {
                continue;
            }
            owners = owners.or(coverage.owners);
            if capabilities.last() != Some(&rule.capability) {
                capabilities.push(rule.capability);
            }
        }
        owners
    }

    /// The account to put into a header: the guest's own choice, else the task role's, else the first that was named.
    /// None when any will do.
    fn choose(&self, header: Header<'_>) -> Option<AccountId> {
        match header {
            Header { named: Some(named), .. } => Some(named.clone()),
            Header { owners, .. } if owners.is_any() => None,
            Header { owners, .. } => self.accounts.of(owners).next().cloned(),
        }
    }

    /// What a person who writes the task definition would want to know about a missing grant.
    fn note(&self, check: &Check, meant: Option<&Pattern>) -> Option<&'static str> {
        let for_action: Vec<&Rule> =
            self.rules.iter().filter(|rule| rule.covers_action(&check.action).is_some()).collect();
        if for_action.iter().all(|rule| rule.covers_action(&check.action) == Some(false)) && is_explicit(&check.action)
        {
            return Some("granted only by its full name, never by a pattern");
        }
        let mut for_both = for_action.iter().filter(|rule| rule.covers_resource(check, meant)).peekable();
        if for_both.peek().is_none() {
            return match check.resource {
                CheckResource::Covering(_) => Some("only a resource pattern that covers all of it allows it"),
                CheckResource::Any => Some("only \"resource\": \"*\" allows it"),
                CheckResource::Arn(_) => None,
            };
        }
        let mut only_account = for_both.filter(|rule| rule.bounds.hold(check));
        Some(if only_account.next().is_some() {
            "in an account that it does not reach"
        } else {
            "outside of its region, prefix, leadingKeys or via"
        })
    }
}

/// What is known of the value of one header.
#[derive(Clone, Copy, Debug)]
struct Header<'a> {
    /// The owners that every check so far allows.
    owners: AccountSet,
    /// The owner that the guest names.
    named: Option<&'a AccountId>,
}

impl<'a> Header<'a> {
    fn new() -> Self {
        Self { owners: AccountSet::ANY, named: None }
    }

    /// Takes one more check into account. Empty when no value would do: one request has one header, so the owner that
    /// one check allows must do for all.
    fn narrow(&mut self, owners: AccountSet, named: Option<&'a AccountId>) -> AccountSet {
        if owners.is_empty() {
            return owners;
        }
        match (self.named, named) {
            (Some(before), Some(now)) if before != now => return AccountSet::NONE,
            (None, Some(now)) => self.named = Some(now),
            _ => {}
        }
        let both = self.owners.and(owners);
        if !both.is_empty() {
            self.owners = both;
        }
        both
    }
}
