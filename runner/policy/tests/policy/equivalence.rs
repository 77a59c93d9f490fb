//! The matcher allows exactly what IAM allows under the rendered session policy.
//!
//! Capabilities and requests are generated. What AWS would put into a request's context is taken from the published
//! service authorization data, and the check that goes to the matcher is made beside it from the same request: neither
//! is derived from the other, nor from the code that parses requests, so a mistake in one is not in both.

use std::cell::Cell;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::test_runner::{RngSeed, TestError, TestRunner};
use rolebox_policy::{
    AccessRequest, Capabilities, Check, CheckAccount, CheckResource, Context, Decision, ItemKey, OneOrMany,
    PolicyDocument, RawCapability, evaluate,
};

use crate::facts::{Action, Facts, facts};
use crate::support::{OWN, account, role};

const FRIEND: &str = "222222222222";
const STRANGER: &str = "999999999999";
const REGIONS: [&str; 2] = ["us-east-1", "eu-west-1"];
/// The partition key attribute of every table in these tests.
const PARTITION_KEY: &str = "pk";

/// Names that resources have. Few, so that requests often meet capabilities, and some of them awkward.
const NAMES: [&str; 7] = ["a", "ab", "b", "in/x", "a*", "a?", "ü"];
/// What a capability writes in a name's place.
const NAME_PATTERNS: [&str; 9] = ["a", "ab", "a*", "*", "a?", "*b", "in/*", "a${*}", "ü"];
const PREFIXES: [&str; 4] = ["in/", "a", "a*", "${x}"];
const LISTED: [&str; 6] = ["in/", "in/x", "a", "a*b", "${x}y", ""];
const NOTABLE: [&str; 9] = [
    "s3:PutObject",
    "s3:PutObjectAcl",
    "s3:PutBucketPolicy",
    "s3:CreateBucket",
    "s3:ListAllMyBuckets",
    "kms:Decrypt",
    "kms:CreateGrant",
    "dynamodb:Scan",
    "ecr:GetAuthorizationToken",
];
/// Actions that are granted in full only, some of each service that capabilities are made for.
const EXPLICIT: [&str; 12] = [
    "s3:PutObjectAcl",
    "s3:PutBucketPolicy",
    "s3:PutBucketAcl",
    "s3:PutBucketNotification",
    "s3:PutReplicationConfiguration",
    "dynamodb:PutResourcePolicy",
    "kms:CreateGrant",
    "kms:PutKeyPolicy",
    "sqs:SetQueueAttributes",
    "ecr:GetDownloadUrlForLayer",
    "lambda:GetFunction",
    "ssm:StartSession",
];
const KEYS: [&str; 4] = ["u1", "u2", "${u}", "*"];

/// One request, as AWS would see it.
#[derive(Clone, Debug)]
struct Request {
    action: Action,
    /// None: it works on no resource.
    arn: Option<String>,
    /// The account that the resource belongs to.
    owner: &'static str,
    region: &'static str,
    prefix: Option<&'static str>,
    keys: Vec<&'static str>,
    /// The AWS service that makes the call to KMS on the task's behalf.
    via: Option<&'static str>,
}

impl Request {
    /// The context that the published data gives this request.
    fn context(&self) -> Context {
        let mut context = Context::new();
        context.insert("aws:RequestedRegion", self.region);
        if self.has_owner() {
            context.insert("aws:ResourceAccount", self.owner);
        }
        if let Some(prefix) = self.prefix
            && self.action.has_key("s3:prefix")
        {
            context.insert("s3:prefix", prefix);
        }
        if self.action.has_key("dynamodb:LeadingKeys") {
            context.insert_all("dynamodb:LeadingKeys", self.keys.iter().copied());
        }
        if let Some(via) = self.via {
            context.insert("kms:ViaService", via);
        }
        context
    }

    /// Whether AWS knows the account of what it works on.
    fn has_owner(&self) -> bool {
        self.arn.is_some() && self.action.name != "s3:CreateBucket"
    }

    fn is_index(&self) -> bool {
        self.arn.as_ref().is_some_and(|arn| arn.contains("/index/"))
    }

    /// The check of it, the bucket's owner being what the guest's header names.
    fn check(&self) -> Check {
        let resource = match &self.arn {
            Some(arn) => CheckResource::Arn(arn.clone()),
            None => CheckResource::Any,
        };
        let mut check = Check::new(self.action.name, resource).with("aws:RequestedRegion", self.region);
        if self.action.service() == "s3" {
            check = check.account(if self.has_owner() {
                CheckAccount::BucketOwner(Some(account(self.owner)))
            } else {
                CheckAccount::NoAccount
            });
        }
        // A parser may well note what the request says though AWS has no such key for the action.
        if let Some(prefix) = self.prefix {
            check = check.with("s3:prefix", prefix);
        }
        if let Some(via) = self.via {
            check = check.with("kms:ViaService", via);
        }
        // An index has another partition key, and PartiQL is not read.
        if !self.is_index() && !self.action.name.contains("PartiQL") {
            for key in &self.keys {
                check = check.item(ItemKey::new().attribute(PARTITION_KEY, *key).attribute("sk", "1"));
            }
        }
        check
    }
}

/// The resources of an action that a guest's request can mean: access points and S3's control plane are refused when a
/// request is parsed.
fn usable_kinds(action: &Action) -> Vec<String> {
    let s3 = ["s3:bucket", "s3:object"];
    let usable = |kind: &&String| match action.service() {
        "s3" => s3.contains(&kind.as_str()),
        _ => kind.as_str() != "ssm:bucket",
    };
    action.kinds.iter().filter(usable).cloned().collect()
}

fn signable(action: &Action) -> bool {
    action.service() != "s3" || action.name == "s3:ListAllMyBuckets" || !usable_kinds(action).is_empty()
}

/// Fills an ARN format; `region`, `account` and each `name` in its turn.
fn fill(format: &str, region: &str, account: &str, names: &[&str]) -> String {
    let mut names = names.iter().cycle();
    let mut arn = String::new();
    let mut rest = format;
    while let Some(at) = rest.find("${") {
        let end = rest[at..].find('}').unwrap() + at;
        arn.push_str(&rest[..at]);
        arn.push_str(match &rest[at + 2..end] {
            "Partition" => "aws",
            "Region" => region,
            "Account" => account,
            _ => names.next().unwrap(),
        });
        rest = &rest[end + 1..];
    }
    arn + rest
}

/// What a request is made of, once it is known which capabilities it meets.
#[derive(Clone, Debug)]
struct Draft {
    /// Where its action is taken from.
    pool: usize,
    action: Index,
    kind: Index,
    names: Vec<&'static str>,
    owner: &'static str,
    region: &'static str,
    prefix: Option<&'static str>,
    keys: Vec<&'static str>,
    via: Option<&'static str>,
}

fn draft() -> impl Strategy<Value = Draft> {
    (
        0..6_usize,
        any::<Index>(),
        any::<Index>(),
        vec(select(&NAMES[..]), 2),
        select(vec![OWN, OWN, OWN, OWN, FRIEND, STRANGER]),
        select(&REGIONS[..]),
        proptest::option::of(select(&LISTED[..])),
        vec(select(&KEYS[..]), 1..3),
        select(vec![None, None, Some("s3.us-east-1.amazonaws.com"), Some("secretsmanager.eu-west-1.amazonaws.com")]),
    )
        .prop_map(|(pool, action, kind, names, owner, region, prefix, keys, via)| Draft {
            pool,
            action,
            kind,
            names,
            owner,
            region,
            prefix,
            keys,
            via,
        })
}

/// Where requests take their actions from, beside those that the capabilities were made from.
struct Pools {
    all: Vec<Action>,
    /// Those that bounds and exclusions are about.
    notable: Vec<Action>,
}

impl Pools {
    fn of(facts: &Facts) -> Self {
        let all: Vec<Action> = facts.actions.iter().filter(|action| signable(action)).cloned().collect();
        let is_notable = |action: &&Action| {
            action.has_key("s3:prefix") || action.has_key("dynamodb:LeadingKeys") || NOTABLE.contains(&action.name)
        };
        let notable = all.iter().filter(is_notable).cloned().collect();
        Self { all, notable }
    }
}

impl Draft {
    fn request(&self, facts: &Facts, pools: &Pools, named: &[Action]) -> Request {
        let pool = match self.pool {
            0 => &pools.notable,
            1 => &pools.all,
            _ => named,
        };
        let action = self.action.get(pool).clone();
        let kinds = usable_kinds(&action);
        let arn = (!kinds.is_empty())
            .then(|| fill(facts.resources[self.kind.get(&kinds).as_str()], self.region, self.owner, &self.names));
        let Self { owner, region, prefix, keys, via, .. } = self.clone();
        // A service makes only calls that have the key.
        let via = via.filter(|_| action.has_key("kms:ViaService"));
        Request { action, arn, owner, region, prefix, keys, via }
    }
}

/// An action in full, or a pattern that covers it.
fn action_text(action: &Action, form: u8) -> String {
    let (service, name) = action.name.split_once(':').unwrap();
    let middle = name.len() / 2;
    match form {
        0 => format!("{service}:*"),
        1 => format!("{service}:{}*", &name[..3]),
        2 => format!("{service}:*{}", &name[middle..]),
        3 => format!("{service}:{}?{}", &name[..middle], &name[middle + 1..]),
        4 => format!("{service}:{}", name.to_lowercase()),
        _ => action.name.to_owned(),
    }
}

/// A capability, and the actions that it was made from.
fn capability(facts: &Facts) -> impl Strategy<Value = (RawCapability, Vec<Action>)> + use<> {
    let resources = facts.resources.clone();
    // Services, and what their actions have in common; bounds that only some actions take need lists of just those.
    let kinds_of_lists =
        [("s3", ""), ("s3", ""), ("s3", "s3:prefix"), ("dynamodb", ""), ("dynamodb", "dynamodb:LeadingKeys")];
    let other_services = ["kms", "sqs", "ecr", "lambda", "ssm"].map(|service| (service, ""));
    let lists: Vec<Vec<Action>> = kinds_of_lists
        .iter()
        .chain(&other_services)
        .map(|(service, key)| {
            let of = |action: &&Action| {
                action.service() == *service && signable(action) && (key.is_empty() || action.has_key(key))
            };
            facts.actions.iter().filter(of).cloned().collect()
        })
        .collect();
    let actions = select(lists).prop_flat_map(|actions| vec((select(actions), 0_u8..9), 1..4));
    let resource = (any::<Index>(), vec(select(&NAME_PATTERNS[..]), 2), select(vec!["us-east-1", "*", "eu-*"]));
    let account = select(vec![
        None,
        None,
        None,
        Some(OneOrMany::One("any".into())),
        Some(OneOrMany::One(FRIEND.into())),
        Some(OneOrMany::Many(vec![FRIEND.into(), OWN.into()])),
    ]);
    let bounds = (
        proptest::option::weighted(0.2, vec(select(&REGIONS[..]), 1..3)),
        proptest::option::weighted(0.3, vec(select(&PREFIXES[..]), 1..3)),
        proptest::option::weighted(0.4, vec(select(&KEYS[..]), 1..3)),
        proptest::option::weighted(0.3, select(vec!["s3", "secretsmanager"])),
    );
    (actions, vec(resource, 1..4), proptest::bool::weighted(0.3), account, bounds).prop_map(
        move |(actions, patterns, everything, account, (region, prefix, keys, via))| {
            let service = actions[0].0.service();
            let with_prefix = prefix.is_some() && actions.iter().all(|(action, _)| action.has_key("s3:prefix"));
            let is_item = |action: &Action| action.has_key("dynamodb:LeadingKeys") && !action.name.contains("PartiQL");
            let with_keys = keys.is_some() && actions.iter().all(|(action, _)| is_item(action));
            let kinds: Vec<String> = actions.iter().flat_map(|(action, _)| usable_kinds(action)).collect();
            let arn_account = match &account {
                Some(OneOrMany::One(one)) if one == FRIEND => FRIEND,
                _ => OWN,
            };
            let resource = if with_keys {
                vec![format!("arn:aws:dynamodb:*:{arn_account}:table/a")]
            } else if everything || kinds.is_empty() {
                vec!["*".to_owned()]
            } else {
                let arn = |(kind, names, region): &(Index, Vec<&str>, &str)| {
                    fill(resources[kind.get(&kinds).as_str()], region, arn_account, names)
                };
                patterns.iter().map(arn).collect()
            };
            let many = |values: Vec<&str>| OneOrMany::Many(values.into_iter().map(str::to_owned).collect());
            let raw = RawCapability {
                action: OneOrMany::Many(actions.iter().map(|(action, form)| action_text(action, *form)).collect()),
                resource: OneOrMany::Many(resource),
                account,
                prefix: if with_prefix { prefix.map(many) } else { None },
                leading_keys: if with_keys {
                    keys.map(|keys| [(PARTITION_KEY.to_owned(), many(keys))].into())
                } else {
                    None
                },
                via: if service == "kms" { via.map(|via| OneOrMany::One(via.into())) } else { None },
                region: region.map(many),
            };
            (raw, actions.into_iter().map(|(action, _)| action).collect())
        },
    )
}

/// Beside a capability that is widened to its whole service, one that grants in full, on some of its resources, what the
/// pattern does not.
fn widen(made: &mut Vec<(RawCapability, Vec<Action>)>, pools: &Pools, which: Index) {
    let Some((wide, named)) = made.first_mut() else { return };
    if wide.prefix.is_some() || wide.leading_keys.is_some() {
        return;
    }
    let service = named[0].service();
    let in_full: Vec<&Action> =
        pools.all.iter().filter(|a| a.service() == service && EXPLICIT.contains(&a.name)).collect();
    let action = (*which.get(&in_full)).clone();
    let mut full = wide.clone();
    full.action = OneOrMany::One(action.name.into());
    full.resource = OneOrMany::One(wide.resource.as_slice()[0].clone());
    wide.action = OneOrMany::One(format!("{service}:*"));
    made.push((full, vec![action]));
}

#[test]
fn the_matcher_and_the_session_policy_agree() {
    let facts = facts();
    let mut config = ProptestConfig { failure_persistence: None, ..ProptestConfig::default() };
    // The same cases each time, unless PROPTEST_RNG_SEED asks for others; PROPTEST_CASES for more.
    if config.rng_seed == RngSeed::Random {
        config.rng_seed = RngSeed::Fixed(0x5eed);
    }
    let (compared, allowed, unusable) = (Cell::new(0_u32), Cell::new(0_u32), Cell::new(0_u32));
    let count = |cell: &Cell<u32>| cell.set(cell.get() + 1);
    let pools = Pools::of(&facts);
    let widened = proptest::option::weighted(0.4, any::<Index>());
    let strategy = (vec(capability(&facts), 1..5), widened, vec(draft(), 150));
    let result = TestRunner::new(config).run(&strategy, |(mut made, widened, drafts)| {
        if let Some(which) = widened {
            widen(&mut made, &pools, which);
        }
        let (raw, named): (Vec<_>, Vec<_>) = made.into_iter().unzip();
        let named = named.concat();
        let Ok(capabilities) = Capabilities::parse(raw, &role()) else {
            // Such as a full name beside another capability's pattern under other bounds.
            count(&unusable);
            return Ok(());
        };
        let Ok(rendered) = capabilities.session_policy() else {
            count(&unusable);
            return Ok(());
        };
        let policy = PolicyDocument::parse(rendered.as_str()).unwrap();
        for draft in &drafts {
            let request = draft.request(&facts, &pools, &named);
            let context = request.context();
            let asked = AccessRequest {
                action: request.action.name,
                resource: request.arn.as_deref().unwrap_or("*"),
                context: &context,
            };
            let iam = evaluate([&policy], None, &asked) == Decision::Allowed;
            let answer = capabilities.authorize(&[request.check()]);
            prop_assert_eq!(answer.is_ok(), iam, "{:?}\n{}\n{:?}", request, rendered.as_str(), answer);
            count(&compared);
            if iam {
                count(&allowed);
            }
        }
        Ok(())
    });
    match result {
        Ok(()) => {}
        Err(TestError::Fail(reason, (mut made, widened, _))) => {
            if let Some(which) = widened {
                widen(&mut made, &pools, which);
            }
            let raw: Vec<_> = made.into_iter().map(|(raw, _)| raw).collect();
            panic!("{reason}\n{}", serde_json::to_string_pretty(&raw).unwrap())
        }
        Err(TestError::Abort(reason)) => panic!("{reason}"),
    }
    println!(
        "matcher and session policy agree on {} generated calls, {} of them allowed; {} capability lists were unusable",
        compared.get(),
        allowed.get(),
        unusable.get()
    );
    // A generator that drifts off into denials, or into lists that don't parse, would prove nothing.
    assert!(allowed.get() * 25 > compared.get(), "{} of {}", allowed.get(), compared.get());
    assert!(u32::from(unusable.get() > 0) * unusable.get() < compared.get() / 150, "{}", unusable.get());
}

/// A call that hides its ARN is allowed only if IAM allows it whatever the ARN turns out to be, and denied, where one
/// capability decides, only if IAM could deny it.
#[test]
fn a_hidden_arn_is_allowed_only_if_every_arn_is() {
    // What may stand in a wildcard's place: what capabilities name, and what they surely don't.
    let stars = ["", "a", "ab", "ba", "a*", "in/x", "zzzzzzzz", "a/b:c"];
    let ones = ["a", "b", "z", "*", "?"];
    let secret = "arn:aws:secretsmanager:us-east-1:123456789012:secret:";
    let mut config = ProptestConfig { failure_persistence: None, ..ProptestConfig::default() };
    if config.rng_seed == RngSeed::Random {
        config.rng_seed = RngSeed::Fixed(0x5eed);
    }
    let (allowed, denied) = (Cell::new(0_u32), Cell::new(0_u32));
    let pattern = "[ab*?]{0,4}";
    let strategy = (vec(pattern, 1..4), pattern);
    let result = TestRunner::new(config).run(&strategy, |(granted, meant)| {
        let resource: Vec<String> = granted.iter().map(|name| format!("{secret}x{name}")).collect();
        let raw = RawCapability {
            action: OneOrMany::One("secretsmanager:GetSecretValue".into()),
            resource: OneOrMany::Many(resource),
            account: None,
            prefix: None,
            leading_keys: None,
            via: None,
            region: None,
        };
        // Several capabilities may cover a whole between them, and a `?` may be met by what follows a `*`; the matcher
        // does not look for either.
        let exact = granted.len() == 1 && !(granted[0].contains('?') && meant.contains('*'));
        let capabilities = Capabilities::parse(vec![raw], &role()).unwrap();
        let policy = PolicyDocument::parse(capabilities.session_policy().unwrap().as_str()).unwrap();
        let meant = format!("{secret}x{meant}");
        let check = Check::new("secretsmanager:GetSecretValue", CheckResource::Covering(meant.clone()));
        let answer = capabilities.authorize(&[check]).is_ok();

        let mut arns = vec![String::new()];
        for character in meant.chars() {
            let fills: Vec<String> = match character {
                '*' => stars.iter().map(ToString::to_string).collect(),
                '?' => ones.iter().map(ToString::to_string).collect(),
                other => vec![other.to_string()],
            };
            arns = arns.iter().flat_map(|arn| fills.iter().map(move |fill| format!("{arn}{fill}"))).collect();
        }
        let context = Context::new();
        let every = arns.iter().all(|arn| {
            let asked = AccessRequest { action: "secretsmanager:GetSecretValue", resource: arn, context: &context };
            evaluate([&policy], None, &asked) == Decision::Allowed
        });
        if answer {
            prop_assert!(every, "{meant} allowed by {granted:?}");
            allowed.set(allowed.get() + 1);
        } else {
            prop_assert!(!(exact && every), "{meant} denied by {granted:?}");
            denied.set(denied.get() + 1);
        }
        Ok(())
    });
    result.unwrap_or_else(|error| panic!("{error}"));
    println!("{} hidden ARNs allowed, {} denied", allowed.get(), denied.get());
    assert!(allowed.get() > 20 && denied.get() > 20, "{} {}", allowed.get(), denied.get());
}
