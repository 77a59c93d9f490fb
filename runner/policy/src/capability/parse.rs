//! From a task definition's spelling to rules.

mod fields;
mod reduce;

use super::explicit::Conflict;
use super::{
    AccountBound, AccountSet, Accounts, ActionPattern, Bounds, Capabilities, CapabilityError, Exclusions,
    RawCapability, ResourcePattern, Rule,
};
use crate::arn::shorten;
use crate::{AccountId, Region, RoleArn};
use fields::{
    Problem, each, nonempty, optional, place, read_action, read_leading_keys, read_resource, read_via, service_of,
    via_services,
};
use reduce::{narrow, of_service, without_covered, without_covered_resources};

/// S3's actions that reach no account but the caller's: `aws:ResourceAccount` is not bound on them, since there is
/// nothing yet, or nothing single, that it would be the account of.
const WITHOUT_OWNER: &[&str] = &["s3:CreateBucket", "s3:ListAllMyBuckets"];

/// The actions with the condition key `s3:prefix`. A test holds them to the published list.
const WITH_PREFIX: &[&str] = &["s3:ListBucket", "s3:ListBucketVersions"];

/// The actions with the condition key `dynamodb:LeadingKeys`, PartiQL's left out: a statement in PartiQL is text whose
/// keys the host does not read. A test holds them to the published list.
const WITH_LEADING_KEYS: &[&str] = &[
    "dynamodb:BatchGetItem",
    "dynamodb:BatchWriteItem",
    "dynamodb:ConditionCheckItem",
    "dynamodb:DeleteItem",
    "dynamodb:GetItem",
    "dynamodb:PutItem",
    "dynamodb:Query",
    "dynamodb:UpdateItem",
];

pub(super) fn parse(raw: &[RawCapability], role: &RoleArn) -> Result<Capabilities, CapabilityError> {
    let mut accounts = Accounts::default();
    let own = accounts.add(role.account()).unwrap_or_default();
    let mut rules = Vec::new();
    for (index, raw) in raw.iter().enumerate() {
        let mut parser = Parser { index, raw, role, own, accounts: &mut accounts };
        rules.extend(parser.rules()?);
    }
    let exclusions = Exclusions::of(&rules).map_err(conflict)?;
    Ok(Capabilities { len: raw.len(), rules, exclusions, accounts })
}

fn conflict(conflict: Conflict) -> CapabilityError {
    let Conflict { wide, pattern, action, full } = conflict;
    CapabilityError {
        index: wide,
        field: "action".into(),
        problem: format!(
            "`{pattern}` covers {action}, which capabilities[{full}] grants in full under other bounds, and no session \
             policy can keep the two apart: write the actions that are meant in place of the pattern"
        ),
    }
}

struct Parser<'a> {
    index: usize,
    raw: &'a RawCapability,
    role: &'a RoleArn,
    own: AccountSet,
    accounts: &'a mut Accounts,
}

impl Parser<'_> {
    fn rules(&mut self) -> Result<Vec<Rule>, CapabilityError> {
        self.read().map_err(|(field, problem)| CapabilityError { index: self.index, field, problem })
    }

    fn read(&mut self) -> Result<Vec<Rule>, Problem> {
        let raw = self.raw;
        let mut actions = each("action", &raw.action, read_action)?;
        let reached = self.read_accounts()?;
        let partition = self.role.partition();
        let resources = each("resource", &raw.resource, |text| read_resource(text, partition))?;
        for (at, resource) in resources.iter().enumerate() {
            self.check_account(resource, reached).map_err(|problem| place("resource", &raw.resource, at, problem))?;
        }
        let regions =
            optional("region", raw.region.as_ref(), |text| text.parse::<Region>().map_err(|error| error.to_string()))?;
        let prefixes = optional("prefix", raw.prefix.as_ref(), |text| nonempty(text, "would allow every prefix"))?;
        if raw.prefix.is_some() {
            actions = narrow(&actions, WITH_PREFIX).map_err(|action| {
                let problem = format!(
                    "has no place beside {action}: only {} list by prefix; objects are narrowed by their ARN, such as \
                     `arn:aws:s3:::bucket/in/*`",
                    WITH_PREFIX.join(" and ")
                );
                ("prefix".to_owned(), problem)
            })?;
        }
        let leading_keys = match &raw.leading_keys {
            None => None,
            Some(keys) => {
                actions = narrow(&actions, WITH_LEADING_KEYS).map_err(|action| {
                    let problem = format!(
                        "can't bound {action}, which AWS does not check against leading keys; those that it does \
                         are {}",
                        WITH_LEADING_KEYS.join(", ")
                    );
                    ("leadingKeys".to_owned(), problem)
                })?;
                Some(read_leading_keys(keys, &resources, &raw.resource)?)
            }
        };
        let services = optional("via", raw.via.as_ref(), read_via)?;
        if let Some(at) = actions.iter().position(|action| raw.via.is_some() && service_of(&action.text) != "kms") {
            let problem = "is not an action of KMS, and only those are used by a service on the task's behalf: leave \
                           `via` out"
                .to_owned();
            return Err(place("action", &raw.action, at, problem));
        }
        let via = via_services(&services, &regions, &resources, partition);
        // The service's name in `kms:ViaService` holds the Region already.
        let regions = if via.is_empty() { regions } else { Vec::new() };
        let bounds = |account| Bounds {
            account,
            regions: regions.clone(),
            prefixes: prefixes.clone(),
            leading_keys: leading_keys.clone(),
            via: via.clone(),
        };
        self.split(&actions, &resources, reached, bounds)
    }

    /// The rules of one capability. S3's actions stand apart from the others, and those of S3's that have no owner to
    /// be bound apart from those that have.
    fn split(
        &self,
        actions: &[ActionPattern],
        resources: &[ResourcePattern],
        reached: AccountSet,
        bounds: impl Fn(AccountBound) -> Bounds,
    ) -> Result<Vec<Rule>, Problem> {
        let rule = |actions, resources, account| Rule {
            capability: self.index,
            actions: without_covered(actions),
            resources: without_covered_resources(resources),
            bounds: bounds(account),
        };
        let mut rules = Vec::new();
        let (s3, other): (Vec<_>, Vec<_>) =
            actions.iter().cloned().partition(|action| service_of(&action.text) == "s3");
        if !s3.is_empty() {
            let resources = of_service(resources, |service| service == "s3");
            if resources.is_empty() {
                return Err(mismatch(&s3));
            }
            if reached.is_any() {
                rules.push(rule(s3, resources, AccountBound::None));
            } else {
                let mut ownerless = Vec::new();
                for name in WITHOUT_OWNER {
                    let covering = s3.iter().find(|action| action.pattern.matches_ignoring_case(name));
                    let Some(covering) = covering else { continue };
                    if !reached.and(self.own).is_empty() {
                        ownerless.push(ActionPattern::new(name));
                    } else if covering.in_full() {
                        let problem = format!(
                            "does not reach the task role's account, and {name} works in no other: grant it in a \
                             capability of its own, without `account`"
                        );
                        return Err(("account".into(), problem));
                    }
                }
                let is_ownerless =
                    |action: &ActionPattern| WITHOUT_OWNER.iter().any(|name| name.eq_ignore_ascii_case(&action.text));
                let owned: Vec<_> = s3.into_iter().filter(|action| !is_ownerless(action)).collect();
                if !owned.is_empty() {
                    rules.push(rule(owned, resources.clone(), AccountBound::Owner(reached)));
                }
                if !ownerless.is_empty() {
                    rules.push(rule(ownerless, resources, AccountBound::None));
                }
            }
        }
        if !other.is_empty() {
            let resources = of_service(resources, |service| service != "s3");
            if resources.is_empty() {
                return Err(mismatch(&other));
            }
            let account = if reached.is_any() || resources.iter().all(|resource| resource.account.is_some()) {
                AccountBound::None
            } else {
                AccountBound::IfKnown(reached)
            };
            rules.push(rule(other, resources, account));
        }
        Ok(rules)
    }

    fn read_accounts(&mut self) -> Result<AccountSet, Problem> {
        let Some(named) = &self.raw.account else {
            return Ok(self.own);
        };
        if named.as_slice() == ["any"] {
            return Ok(AccountSet::ANY);
        }
        let accounts = each("account", named, |text| {
            text.parse::<AccountId>().map_err(|error| format!("{error}, nor `any` alone"))
        })?;
        let mut set = AccountSet::NONE;
        for account in &accounts {
            let Some(one) = self.accounts.add(account) else {
                let problem = format!(
                    "is one account too many: capabilities name at most {} accounts, the task role's among them",
                    Accounts::MOST
                );
                return Err(("account".into(), problem));
            };
            set = set.or(one);
        }
        Ok(set)
    }

    /// Whether an ARN's account is one that the capability reaches.
    fn check_account(&self, resource: &ResourcePattern, reached: AccountSet) -> Result<(), String> {
        let Some(account) = &resource.account else { return Ok(()) };
        if reached.is_any() || !self.accounts.find(account).and(reached).is_empty() {
            return Ok(());
        }
        Err(match self.raw.account {
            Some(_) => format!("is in account {account}, which `account` does not name"),
            None => format!(
                "is in account {account}, and a capability reaches only the task role's, {}, unless it says \
                 \"account\": \"{account}\"",
                self.role.account()
            ),
        })
    }
}

fn mismatch(actions: &[ActionPattern]) -> Problem {
    let action = actions.first().map_or("", |action| &action.text);
    ("resource".into(), format!("holds no ARN that `{}` works on, nor `*`", shorten(action)))
}
