//! From a task definition's spelling to rules.

use std::collections::BTreeMap;

use super::explicit::{Conflict, is_explicit};
use super::rule::{AccountBound, ActionPattern, Bounds, LeadingKeys, ResourcePattern, Rule};
use super::{
    AccountSet, Accounts, Capabilities, CapabilityError, Exclusions, OneOrMany, RawCapability,
};
use crate::arn::{MAX_ARN_BYTES, is_account, is_label, shorten};
use crate::pattern::{Pattern, Template, Variables, Wildcards};
use crate::{AccountId, Context, Region, RoleArn};

/// S3's actions that reach no account but the caller's: `aws:ResourceAccount` is not bound on them, since there is
/// nothing yet, or nothing single, that it would be the account of.
const WITHOUT_OWNER: &[&str] = &["s3:CreateBucket", "s3:ListAllMyBuckets"];

/// The actions with the condition key `s3:prefix`. A test holds them to the published list.
pub(crate) const WITH_PREFIX: &[&str] = &["s3:ListBucket", "s3:ListBucketVersions"];

/// The actions with the condition key `dynamodb:LeadingKeys`, PartiQL's left out: a statement in PartiQL is text whose
/// keys the host does not read. A test holds them to the published list.
pub(crate) const WITH_LEADING_KEYS: &[&str] = &[
    "dynamodb:BatchGetItem",
    "dynamodb:BatchWriteItem",
    "dynamodb:ConditionCheckItem",
    "dynamodb:DeleteItem",
    "dynamodb:GetItem",
    "dynamodb:PutItem",
    "dynamodb:Query",
    "dynamodb:UpdateItem",
];

/// The one action of STS that is ever signed for a task.
const CALLER_IDENTITY: &str = "sts:GetCallerIdentity";

pub(super) fn parse(
    raw: &[RawCapability],
    role: &RoleArn,
) -> Result<Capabilities, CapabilityError> {
    let mut accounts = Accounts::default();
    let own = accounts.add(role.account()).unwrap_or_default();
    let mut rules = Vec::new();
    for (index, raw) in raw.iter().enumerate() {
        let mut parser = Parser {
            index,
            raw,
            role,
            own,
            accounts: &mut accounts,
        };
        rules.extend(parser.rules()?);
    }
    let exclusions = Exclusions::of(&rules).map_err(conflict)?;
    Ok(Capabilities {
        len: raw.len(),
        rules,
        exclusions,
        accounts,
    })
}

fn conflict(conflict: Conflict) -> CapabilityError {
    let Conflict {
        wide,
        pattern,
        action,
        full,
    } = conflict;
    CapabilityError {
        index: wide,
        field: "action".into(),
        problem: format!(
            "`{pattern}` covers {action}, which capabilities[{full}] grants in full under other bounds, and no session \
             policy can keep the two apart: write the actions that are meant in place of the pattern"
        ),
    }
}

/// A field, and what is wrong with it.
type Problem = (String, String);

struct Parser<'a> {
    index: usize,
    raw: &'a RawCapability,
    role: &'a RoleArn,
    own: AccountSet,
    accounts: &'a mut Accounts,
}

impl Parser<'_> {
    fn rules(&mut self) -> Result<Vec<Rule>, CapabilityError> {
        self.read().map_err(|(field, problem)| CapabilityError {
            index: self.index,
            field,
            problem,
        })
    }

    fn read(&mut self) -> Result<Vec<Rule>, Problem> {
        let raw = self.raw;
        let mut actions = each("action", &raw.action, read_action)?;
        let reached = self.read_accounts()?;
        let partition = self.role.partition();
        let resources = each("resource", &raw.resource, |text| {
            read_resource(text, partition)
        })?;
        for (at, resource) in resources.iter().enumerate() {
            self.check_account(resource, reached)
                .map_err(|problem| place("resource", &raw.resource, at, problem))?;
        }
        let regions = optional("region", raw.region.as_ref(), |text| {
            text.parse::<Region>().map_err(|error| error.to_string())
        })?;
        let prefixes = optional("prefix", raw.prefix.as_ref(), |text| {
            nonempty(text, "would allow every prefix")
        })?;
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
        if let Some(at) = actions
            .iter()
            .position(|action| raw.via.is_some() && service_of(&action.text) != "kms")
        {
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
        let (s3, other): (Vec<_>, Vec<_>) = actions
            .iter()
            .cloned()
            .partition(|action| service_of(&action.text) == "s3");
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
                    let covering = s3
                        .iter()
                        .find(|action| action.pattern.matches_ignoring_case(name));
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
                let is_ownerless = |action: &ActionPattern| {
                    WITHOUT_OWNER
                        .iter()
                        .any(|name| name.eq_ignore_ascii_case(&action.text))
                };
                let owned: Vec<_> = s3
                    .into_iter()
                    .filter(|action| !is_ownerless(action))
                    .collect();
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
            let named = |resource: &ResourcePattern| {
                resource.text.split(':').nth(4).is_some_and(is_account)
            };
            let account = if reached.is_any() || resources.iter().all(named) {
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
            text.parse::<AccountId>()
                .map_err(|error| format!("{error}, nor `any` alone"))
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
        let account = resource.text.split(':').nth(4).unwrap_or_default();
        if account.is_empty()
            || reached.is_any()
            || !self.accounts.find(account).and(reached).is_empty()
        {
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
    (
        "resource".into(),
        format!("holds no ARN that `{}` works on, nor `*`", shorten(action)),
    )
}

fn read_action(text: &str) -> Result<ActionPattern, String> {
    let in_name = |b: u8| b.is_ascii_alphanumeric() || b"*?".contains(&b);
    let well_formed = |service: &str, name: &str| {
        is_label(&service.to_ascii_lowercase()) && !name.is_empty() && name.bytes().all(in_name)
    };
    match text.split_once(':') {
        Some((service, name)) if well_formed(service, name) => {}
        _ => {
            return Err(
                "is not an action of one service, such as `s3:GetObject` or `s3:Get*`".into(),
            );
        }
    }
    match service_of(text).as_str() {
        "iam" => Err("is an action of IAM, and those are never granted to a task".into()),
        "sts" if !text.eq_ignore_ascii_case(CALLER_IDENTITY) => Err(format!(
            "is an action of STS, and none but {CALLER_IDENTITY}, in full, is granted to a task"
        )),
        _ => Ok(ActionPattern::new(text)),
    }
}

fn read_resource(text: &str, partition: &str) -> Result<ResourcePattern, String> {
    // A capability knows no requester, so a variable would have no value; the three characters have their escapes.
    let template = Template::parse(text, Wildcards::Yes, Variables::Yes)?;
    if let Some(key) = template.keys().next() {
        return Err(format!(
            "holds the policy variable `{key}`, and capabilities have none"
        ));
    }
    let pattern = template
        .resolve(&Context::new())
        .map(std::borrow::Cow::into_owned)
        .unwrap_or_default();
    let resource = ResourcePattern {
        text: text.to_owned(),
        pattern,
    };
    if text == "*" {
        return Ok(resource);
    }
    if text.len() > MAX_ARN_BYTES || text.chars().any(char::is_control) {
        return Err("is longer than 2,048 bytes or holds control characters".into());
    }
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    let &["arn", its_partition, service, region, account, rest] = parts.as_slice() else {
        return Err(
            "is neither `*` nor an ARN in full, `arn:partition:service:region:account:resource`"
                .into(),
        );
    };
    if its_partition != partition {
        return Err(format!(
            "is not in the task role's partition, `{partition}`"
        ));
    }
    if !is_label(service) {
        return Err("has no service, written out, in its third field".into());
    }
    let in_region = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-*?".contains(&b);
    if !region.bytes().all(in_region) {
        return Err("has no Region in its fourth field; `*` stands for any".into());
    }
    if !account.is_empty() && !is_account(account) {
        return Err("has no account of twelve digits in its fifth field; a wildcard there would reach accounts that \
                    nobody named"
            .into());
    }
    if rest.is_empty() {
        return Err("names no resource in its sixth field".into());
    }
    if service == "s3" && !(region.is_empty() && account.is_empty()) {
        return Err("is not a bucket or an object, such as `arn:aws:s3:::bucket/*`; access points are not supported"
            .into());
    }
    Ok(resource)
}

fn read_leading_keys(
    keys: &BTreeMap<String, OneOrMany>,
    resources: &[ResourcePattern],
    raw_resources: &OneOrMany,
) -> Result<LeadingKeys, Problem> {
    let field = "leadingKeys";
    let mut entries = keys.iter();
    let (Some((attribute, values)), None) = (entries.next(), entries.next()) else {
        return Err((
            field.into(),
            "does not name exactly one attribute, the table's partition key".into(),
        ));
    };
    if attribute.is_empty() {
        return Err((field.into(), "names an attribute without a name".into()));
    }
    for (at, resource) in resources.iter().enumerate() {
        let mut parts = resource.text.splitn(6, ':').skip(2);
        let (service, name) = (parts.next(), parts.nth(2));
        let table = name.and_then(|name| name.strip_prefix("table/"));
        let is_table = |name: &str| {
            name.bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"_.-".contains(&b))
        };
        // A pattern could also match an index, whose partition key is another attribute.
        if service != Some("dynamodb") || !table.is_some_and(is_table) {
            let problem = "is not one table by its name, such as \
                           `arn:aws:dynamodb:us-east-1:123456789012:table/orders`, and leading keys belong to one"
                .to_owned();
            return Err(place("resource", raw_resources, at, problem));
        }
    }
    let field = format!("{field}.{}", shorten(attribute));
    let values = each(&field, values, |value| nonempty(value, "is no key"))?;
    Ok(LeadingKeys {
        attribute: attribute.clone(),
        values: sorted(values),
    })
}

fn read_via(text: &str) -> Result<String, String> {
    if is_label(text) {
        Ok(text.to_owned())
    } else {
        Err("is not an AWS service as KMS names it, such as `s3` or `secretsmanager`".into())
    }
}

/// The values of `kms:ViaService`: `s3.us-east-1.amazonaws.com`, with `*` for a Region that nothing tells
/// (<https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html#conditions-kms-via-service>).
fn via_services(
    services: &[String],
    regions: &[Region],
    resources: &[ResourcePattern],
    partition: &str,
) -> Vec<String> {
    let literal = |region: &&str| !region.is_empty() && !region.contains(['*', '?']);
    let of_arns: Vec<&str> = resources
        .iter()
        .map(|resource| resource.text.split(':').nth(3).unwrap_or("*"))
        .collect();
    let mut regions: Vec<&str> = if !regions.is_empty() {
        regions.iter().map(Region::as_str).collect()
    } else if of_arns.iter().all(literal) {
        of_arns
    } else {
        vec!["*"]
    };
    regions = sorted(regions);
    // AWS does not say whether the name ends in `.cn` in China. Only AWS sets it, so either may stand.
    let end = if partition == "aws-cn" { "*" } else { "" };
    let name = |service: &String, region: &&str| format!("{service}.{region}.amazonaws.com{end}");
    services
        .iter()
        .flat_map(|service| regions.iter().map(move |region| name(service, region)))
        .collect()
}

/// The actions that are meant of those that a bound knows. An action in full that it does not know, or a pattern that
/// covers none, comes back as the error.
fn narrow(actions: &[ActionPattern], known: &[&str]) -> Result<Vec<ActionPattern>, String> {
    let mut names: Vec<ActionPattern> = Vec::new();
    for action in actions {
        let covered: Vec<&str> = known
            .iter()
            .copied()
            .filter(|name| action.pattern.matches_ignoring_case(name))
            .collect();
        if covered.is_empty() {
            return Err(shorten(&action.text));
        }
        names.extend(covered.into_iter().map(ActionPattern::new));
    }
    Ok(without_covered(names))
}

/// The actions without those that another one of them covers. An action that a pattern does not grant stays.
fn without_covered(actions: Vec<ActionPattern>) -> Vec<ActionPattern> {
    let needed = |at: usize, action: &ActionPattern| {
        !actions.iter().enumerate().any(|(other_at, other)| {
            let same = other.text.eq_ignore_ascii_case(&action.text);
            let covers = !other.in_full()
                && !is_explicit(&action.text)
                && other.lower().covers(&action.lower());
            other_at != at && (covers && (!same || other_at < at) || same && other_at < at)
        })
    };
    let kept: Vec<bool> = actions
        .iter()
        .enumerate()
        .map(|(at, action)| needed(at, action))
        .collect();
    actions
        .into_iter()
        .zip(kept)
        .filter_map(|(action, kept)| kept.then_some(action))
        .collect()
}

/// The ARN patterns without those that another one of them covers.
fn without_covered_resources(resources: Vec<ResourcePattern>) -> Vec<ResourcePattern> {
    let needed = |at: usize, resource: &ResourcePattern| {
        !resources.iter().enumerate().any(|(other_at, other)| {
            let covers = other.pattern.covers(&resource.pattern);
            let back = resource.pattern.covers(&other.pattern);
            other_at != at && covers && (!back || other_at < at)
        })
    };
    let kept: Vec<bool> = resources
        .iter()
        .enumerate()
        .map(|(at, resource)| needed(at, resource))
        .collect();
    resources
        .into_iter()
        .zip(kept)
        .filter_map(|(resource, kept)| kept.then_some(resource))
        .collect()
}

impl ActionPattern {
    fn lower(&self) -> Pattern {
        Pattern::wild(&self.text.to_ascii_lowercase())
    }
}

/// The patterns that are of such a service, or `*`.
fn of_service(
    resources: &[ResourcePattern],
    wanted: impl Fn(&str) -> bool,
) -> Vec<ResourcePattern> {
    let of = |resource: &&ResourcePattern| {
        resource.is_everything() || resource.text.split(':').nth(2).is_some_and(&wanted)
    };
    resources.iter().filter(of).cloned().collect()
}

fn service_of(action: &str) -> String {
    action
        .split(':')
        .next()
        .unwrap_or_default()
        .to_ascii_lowercase()
}

fn optional<T: Ord>(
    field: &str,
    values: Option<&OneOrMany>,
    read: impl Fn(&str) -> Result<T, String>,
) -> Result<Vec<T>, Problem> {
    values.map_or(Ok(Vec::new()), |values| {
        each(field, values, read).map(sorted)
    })
}

fn nonempty(text: &str, because: &str) -> Result<String, String> {
    if text.is_empty() {
        Err(format!("is empty and {because}"))
    } else {
        Ok(text.to_owned())
    }
}

/// Sorted and each once, so that bounds that mean the same are equal.
fn sorted<T: Ord>(mut values: Vec<T>) -> Vec<T> {
    values.sort_unstable();
    values.dedup();
    values
}

/// Every string of a field, read; never none of them.
fn each<T>(
    field: &str,
    values: &OneOrMany,
    read: impl Fn(&str) -> Result<T, String>,
) -> Result<Vec<T>, Problem> {
    if values.as_slice().is_empty() {
        return Err((field.into(), "is an empty list".into()));
    }
    let mut read_values = Vec::with_capacity(values.as_slice().len());
    for (at, text) in values.as_slice().iter().enumerate() {
        read_values.push(read(text).map_err(|problem| place(field, values, at, problem))?);
    }
    Ok(read_values)
}

/// A problem of one string of a field.
fn place(field: &str, values: &OneOrMany, at: usize, problem: String) -> Problem {
    let field = match values {
        OneOrMany::One(_) => field.to_owned(),
        OneOrMany::Many(_) => format!("{field}[{at}]"),
    };
    // Errors of a type's own quote the text themselves.
    let text = values
        .as_slice()
        .get(at)
        .map(String::as_str)
        .unwrap_or_default();
    let quoted = format!("`{}`", shorten(text));
    let problem = if problem.starts_with(&quoted) {
        problem
    } else {
        format!("{quoted} {problem}")
    };
    (field, problem)
}
