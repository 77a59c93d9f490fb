//! What several tables share.

use rolebox_policy::{
    AccessRequest, AccountId, Capabilities, CapabilityError, Check, CheckAccount, CheckResource, Context, Decision,
    PolicyDocument, RawCapability, RoleArn, evaluate,
};

/// The account that the task role of every test is in.
pub(crate) const OWN: &str = "123456789012";

pub(crate) fn role() -> RoleArn {
    "arn:aws:iam::123456789012:role/task".parse().unwrap()
}

pub(crate) fn account(digits: &str) -> AccountId {
    digits.parse().unwrap()
}

/// Capabilities from the JSON list of a task definition.
pub(crate) fn capabilities(json: &str) -> Capabilities {
    try_capabilities(json).unwrap_or_else(|error| panic!("{error}\n{json}"))
}

pub(crate) fn try_capabilities(json: &str) -> Result<Capabilities, CapabilityError> {
    let raw: Vec<RawCapability> = serde_json::from_str(json).unwrap_or_else(|error| panic!("{error}\n{json}"));
    Capabilities::parse(raw, &role())
}

pub(crate) fn policy(json: &str) -> PolicyDocument {
    PolicyDocument::parse(json).unwrap_or_else(|error| panic!("{error}\n{json}"))
}

/// A policy of one statement in the current version.
pub(crate) fn statement(json: &str) -> PolicyDocument {
    policy(&format!(r#"{{"Version":"2012-10-17","Statement":{json}}}"#))
}

/// The decision of one policy; the context is `key=value` pairs, a key that stands twice having both values.
pub(crate) fn decide(policy: &PolicyDocument, action: &str, resource: &str, pairs: &[&str]) -> Decision {
    let context = context(pairs);
    evaluate([policy], None, &AccessRequest { action, resource, context: &context })
}

pub(crate) fn context(pairs: &[&str]) -> Context {
    let mut context = Context::new();
    for pair in pairs {
        let (key, value) = pair.split_once('=').unwrap();
        let mut values = context.values(key).to_vec();
        values.push(value.to_owned());
        context.insert_all(key, values);
    }
    context
}

/// An S3 check whose bucket's owner the host chooses.
pub(crate) fn s3(action: &str, arn: &str) -> Check {
    Check::new(action, CheckResource::Arn(arn.into()))
        .account(CheckAccount::BucketOwner(None))
        .with("aws:RequestedRegion", "us-east-1")
}

/// A check of a service whose ARNs name the account.
pub(crate) fn on(action: &str, arn: &str) -> Check {
    Check::new(action, CheckResource::Arn(arn.into())).with("aws:RequestedRegion", "us-east-1")
}

/// Whether each call, of one check, is allowed under these capabilities.
#[track_caller]
pub(crate) fn check_calls(json: &str, rows: &[(Check, bool)]) {
    let capabilities = capabilities(json);
    for (check, expected) in rows {
        let answer = capabilities.authorize(std::slice::from_ref(check));
        assert_eq!(answer.is_ok(), *expected, "{check:?}\n{json}\n{answer:?}");
    }
}
