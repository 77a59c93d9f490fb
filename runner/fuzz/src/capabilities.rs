//! Capabilities: that the matcher allows what IAM allows under the rendered session policy.
//!
//! As in `rolebox-policy`'s own property test, a request is taken apart twice, into what AWS would see of it (after the
//! published service authorization data) and into the check that the matcher is given, and neither is derived from the
//! other. There the capabilities are generated from well-formed parts; here they are whatever the fuzzer makes of JSON.

use std::collections::HashMap;
use std::sync::LazyLock;

use rolebox_policy::{
    AccessRequest, AccountId, Capabilities, Check, CheckAccount, CheckResource, Context, Decision, ItemKey,
    PolicyDocument, RawCapability, Region, RoleArn, SESSION_POLICY_LIMIT, evaluate,
};

/// The partition key attribute of every table here.
const PARTITION_KEY: &str = "pk";

/// An action as AWS publishes it.
#[derive(Debug)]
struct Action {
    name: &'static str,
    /// The formats of the ARNs that a guest's request of it can mean, by the resource type's name.
    arns: Vec<(&'static str, &'static str)>,
    keys: Vec<&'static str>,
}

/// Every action that can be signed at all, by its name in lower case.
static ACTIONS: LazyLock<HashMap<String, Action>> = LazyLock::new(|| {
    let (mut formats, mut actions) = (HashMap::new(), HashMap::new());
    for line in include_str!("../../policy/facts/condition-keys.txt").lines() {
        if let Some((kind, arn)) = line.strip_prefix("resource ").and_then(|resource| resource.split_once(' ')) {
            formats.insert(kind, arn);
        } else if let Some(action) = line.strip_prefix("action ") {
            let columns: Vec<&str> = action.split(" | ").collect();
            let &[name, kinds, keys] = columns.as_slice() else { continue };
            let service = name.split(':').next().unwrap_or_default();
            let listed = |column: &'static str| column.split(", ").filter(|entry| *entry != "-");
            let arns: Vec<_> = listed(kinds)
                // Access points and S3's control plane are refused when a request is parsed.
                .filter(|kind| if service == "s3" { ["bucket", "object"].contains(kind) } else { *kind != "bucket" })
                .filter_map(|kind| Some((kind, *formats.get(format!("{service}:{kind}").as_str())?)))
                .collect();
            if service != "s3" || name == "s3:ListAllMyBuckets" || !arns.is_empty() {
                actions.insert(name.to_ascii_lowercase(), Action { name, arns, keys: listed(keys).collect() });
            }
        }
    }
    actions
});

impl Action {
    fn has_key(&self, key: &str) -> bool {
        self.keys.iter().any(|published| published.eq_ignore_ascii_case(key))
    }
}

/// One request, as AWS would see it.
#[derive(Debug)]
struct Request<'a> {
    action: &'static Action,
    arn: Option<String>,
    owner: AccountId,
    region: Region,
    prefix: Option<&'a str>,
    keys: Vec<&'a str>,
    via: Option<&'a str>,
}

impl<'a> Request<'a> {
    /// Reads a line `ACTION|TYPE|OWNER|REGION|NAME…`, where `prefix=`, `key=` and `via=` begin what is no name. `None`
    /// for what is no request, or none that can be signed.
    fn from_line(line: &'a str) -> Option<Self> {
        let mut fields = line.split('|');
        let action = ACTIONS.get(&fields.next()?.to_ascii_lowercase())?;
        let kind = fields.next()?;
        let owner: AccountId = fields.next()?.parse().ok()?;
        let region: Region = fields.next()?.parse().ok()?;
        let (mut names, mut prefix, mut keys, mut via) = (Vec::new(), None, Vec::new(), None);
        for field in fields {
            match field.split_once('=') {
                Some(("prefix", value)) => prefix = Some(value),
                Some(("key", value)) => keys.push(value),
                // A service makes only calls that have the key.
                Some(("via", value)) => via = Some(value).filter(|_| action.has_key("kms:ViaService")),
                _ => names.push(field),
            }
        }
        let arn = match action.arns.iter().find(|(name, _)| *name == kind).or(action.arns.first()) {
            None => None,
            // No service but S3 has names with a colon, and only S3's ARNs stay in their account whatever the name: the
            // matcher refuses what could be read as another account's, and IAM sees only a pattern.
            Some(_) if !action.name.starts_with("s3:") && names.iter().any(|name| name.contains(':')) => return None,
            Some((_, format)) => Some(fill(format, &owner, &region, &names)),
        };
        Some(Self { action, arn, owner, region, prefix, keys, via })
    }

    /// Whether AWS knows the account of what it works on.
    fn has_owner(&self) -> bool {
        self.arn.is_some() && self.action.name != "s3:CreateBucket"
    }

    /// What the published data gives this request.
    fn context(&self) -> Context {
        let mut context = Context::new();
        context.insert("aws:RequestedRegion", self.region.as_str());
        if self.has_owner() {
            context.insert("aws:ResourceAccount", self.owner.as_str());
        }
        if let Some(prefix) = self.prefix.filter(|_| self.action.has_key("s3:prefix")) {
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

    /// What the matcher is asked, the bucket's owner being what the guest's header names.
    fn check(&self) -> Check {
        let resource = self.arn.clone().map_or(CheckResource::Any, CheckResource::Arn);
        let mut check = Check::new(self.action.name, resource).with("aws:RequestedRegion", self.region.as_str());
        if self.action.name.starts_with("s3:") {
            check = check.account(match self.has_owner() {
                true => CheckAccount::BucketOwner(Some(self.owner.clone())),
                false => CheckAccount::NoAccount,
            });
        }
        // A parser may well note what the request says though AWS has no such key for the action.
        for (key, value) in [("s3:prefix", self.prefix), ("kms:ViaService", self.via)] {
            if let Some(value) = value {
                check = check.with(key, value);
            }
        }
        // An index has another partition key, and PartiQL is not read.
        let is_index = self.arn.as_ref().is_some_and(|arn| arn.contains("/index/"));
        if !is_index && !self.action.name.contains("PartiQL") {
            for key in &self.keys {
                check = check.item(ItemKey::new().attribute(PARTITION_KEY, *key).attribute("sk", "1"));
            }
        }
        check
    }
}

/// Fills an ARN's format; `names` come in their turn, and again from the first.
fn fill(format: &str, owner: &AccountId, region: &Region, names: &[&str]) -> String {
    let names = if names.is_empty() { &["a"] } else { names };
    let mut names = names.iter().cycle();
    let mut parts = format.split("${");
    let mut arn = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (variable, after) = part.split_once('}').unwrap_or((part, ""));
        arn.push_str(match variable {
            "Partition" => "aws",
            "Region" => region.as_str(),
            "Account" => owner.as_str(),
            _ => names.next().copied().unwrap_or_default(),
        });
        arn.push_str(after);
    }
    arn
}

/// Reads a list of capabilities and holds both of its outputs to each other, for each line of `requests`.
pub fn check(list: &str, requests: &str) {
    let Ok(raw) = serde_json::from_str::<Vec<RawCapability>>(list) else { return };
    let written = serde_json::to_string(&raw).expect("JSON");
    let again: Vec<RawCapability> = serde_json::from_str(&written).expect("what was written");
    assert_eq!(again, raw);

    let role: RoleArn = "arn:aws:iam::123456789012:role/task".parse().expect("a role");
    let capabilities = match Capabilities::parse(raw.clone(), &role) {
        Ok(capabilities) => capabilities,
        Err(error) => {
            assert!(error.index < raw.len() && !error.field.is_empty() && !error.problem.is_empty(), "{error:?}");
            return crate::readable(&error.to_string());
        }
    };
    assert_eq!(capabilities.len(), raw.len());
    never_granted(&capabilities);
    let rendered = match capabilities.session_policy() {
        Ok(rendered) => rendered,
        Err(error) => return crate::readable(&error.to_string()),
    };
    let text = rendered.as_str();
    assert!(text.chars().count() <= SESSION_POLICY_LIMIT && text.chars().all(|c| (' '..='\u{ff}').contains(&c)));
    let policy = PolicyDocument::parse(text).unwrap_or_else(|error| panic!("{error}: {text}"));

    // A definition that names another attribute than the table's is one that only its author can mend.
    let tables = raw.iter().filter_map(|capability| capability.leading_keys.as_ref());
    if tables.flat_map(|keys| keys.keys()).any(|attribute| attribute != PARTITION_KEY) {
        return;
    }
    for request in requests.lines().take(16).filter_map(Request::from_line) {
        let context = request.context();
        let resource = request.arn.as_deref().unwrap_or("*");
        let asked = AccessRequest { action: request.action.name, resource, context: &context };
        let iam = evaluate([&policy], None, &asked) == Decision::Allowed;
        let answer = capabilities.authorize(&[request.check()]);
        assert_eq!(answer.is_ok(), iam, "{request:?}\n{text}\n{answer:?}");
        if let Err(denial) = answer {
            assert!(denial.reason().contains(request.action.name) && denial.reason().contains(resource));
        }
    }
}

/// What no task is ever granted, whatever its definition says.
fn never_granted(capabilities: &Capabilities) {
    assert!(capabilities.authorize(&[]).is_err());
    for action in
        ["iam:PassRole", "iam:CreateUser", "sts:AssumeRole", "STS:assumerole", "sts:GetSessionToken", "", "s3"]
    {
        let denied = capabilities.authorize(&[Check::new(action, CheckResource::Any)]);
        assert!(denied.is_err(), "{action}");
    }
}
