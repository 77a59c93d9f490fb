//! Amazon S3's REST API.
//!
//! The operation follows from the method, from what the path names (nothing, a bucket, an object) and from the query
//! keys; the tables in [`rows`] are that rule as data. The path is always rewritten to the path style
//! (`/bucket/key`), so that the host name is the service's own and never a guest's choice.
//!
//! Not here: access points, directory buckets (S3 Express), Object Lambda, Outposts, S3 Control, signed URLs and the
//! browser's POST form.

pub(crate) mod context;
pub(crate) mod names;
pub(crate) mod row;
pub(crate) mod rows;

use bytes::Bytes;
use rolebox_policy::{AccountId, Check, CheckAccount, CheckResource, Region};

use crate::call::{Call, CallerScope, Operation, Protocol};
use crate::refusal::{Quoted, Refusal};
use crate::wire::headers::Headers;
use crate::wire::{path, percent, query};
use row::{Action, Body, Level};

/// The header with which S3 compares a bucket's owner.
pub(crate) const EXPECTED_OWNER: &str = "x-amz-expected-bucket-owner";

/// What a path names.
struct Target<'a> {
    bucket: &'a str,
    key: &'a str,
}

impl Target<'_> {
    fn level(&self) -> Level {
        match (self.bucket, self.key) {
            ("", _) => Level::Service,
            (_, "") => Level::Bucket,
            _ => Level::Object,
        }
    }

    /// The path in path style, in the encoding that is signed.
    fn path(&self) -> String {
        let mut path = String::with_capacity(2 + self.bucket.len() + self.key.len() * 3 / 2);
        path.push('/');
        path.push_str(self.bucket);
        if !self.key.is_empty() {
            path.push('/');
            percent::encode_path_into(&mut path, self.key);
        }
        path
    }
}

/// Parses a request to S3.
pub(crate) fn parse(
    call: &Call,
    scope: &CallerScope,
    region: Region,
) -> Result<Operation, Refusal> {
    let decoded = path::decode(&call.path)?;
    let target = target(&call.path, &decoded)?;
    let (hint, pairs) = without_hint(&call.query)?;
    let row = row::find(rows::ROWS, &call.method, target.level(), &pairs)?;
    if hint.is_some_and(|hint| hint != row.name) {
        return Err(Refusal::not_understood(
            "query key `x-id`",
            format!("it says otherwise than the request, which is {}", row.name),
            "leave it out, or name the operation that the request is",
        ));
    }

    let mut headers = Headers::screen(&call.headers, call.body.len())?;
    let owner = expected_owner(&mut headers, row.actions)?;
    let mut kept = Vec::new();
    headers.take_all(|name| takes(row.headers, name), &mut kept)?;
    headers.finish(row.name)?;

    let body = match row.body {
        Body::Opaque => call.body.clone(),
        Body::Empty if call.body.is_empty() => Bytes::new(),
        Body::Empty => {
            return Err(Refusal::not_understood(
                "body",
                format!("{} takes none", row.name),
                "send it without a body",
            ));
        }
    };

    let versioned = pairs.iter().any(|(key, _)| key == "versionId");
    let checks = row
        .actions
        .iter()
        .map(|action| {
            let name = action
                .versioned
                .filter(|_| versioned)
                .unwrap_or(action.name);
            let mut check = Check::new(name, resource(action.on, &target, scope))
                .account(account(action, owner.clone()))
                .with("aws:RequestedRegion", region.as_str());
            context::fill(&mut check.context, name, &pairs, &kept);
            check
        })
        .collect();

    Ok(Operation {
        service: "s3",
        signing_name: "s3",
        name: row.name,
        region,
        method: row.method,
        path: target.path(),
        query: pairs,
        headers: kept,
        body,
        checks,
        protocol: Protocol::RestXml,
        safe_to_retry: matches!(row.method, "GET" | "HEAD"),
    })
}

/// Splits a decoded path into bucket and key.
fn target<'a>(raw: &str, decoded: &'a str) -> Result<Target<'a>, Refusal> {
    let refuse = |what: String| {
        Refusal::not_understood(
            format!("path {}", Quoted(raw)),
            what,
            "name a general purpose bucket and a key, as in /bucket/key",
        )
    };
    let (bucket, key) = decoded.split_once('/').unwrap_or((decoded, ""));
    if decoded.is_empty() {
        return Ok(Target { bucket, key });
    }
    // A bucket's name needs no encoding. One that has it, or that ends at an encoded slash, is read in two ways.
    if !raw
        .strip_prefix('/')
        .is_some_and(|rest| rest.split('/').next() == Some(bucket))
    {
        return Err(refuse("the bucket's name is percent-encoded".into()));
    }
    names::bucket(bucket).map_err(refuse)?;
    if !key.is_empty() {
        names::key(key).map_err(refuse)?;
    }
    Ok(Target { bucket, key })
}

/// The value of the SDKs' query key `x-id`, which repeats the operation's name, and the other pairs.
#[expect(clippy::type_complexity, reason = "one caller, next to it")]
fn without_hint(
    pairs: &[(String, String)],
) -> Result<(Option<&str>, Vec<(String, String)>), Refusal> {
    query::check(pairs)?;
    let hint = pairs
        .iter()
        .find(|(key, _)| key == "x-id")
        .map(|(_, value)| value.as_str());
    Ok((
        hint,
        pairs
            .iter()
            .filter(|(key, _)| key != "x-id")
            .cloned()
            .collect(),
    ))
}

/// Whether a header is in one of the families. An entry that ends in `*` stands for a family of names.
fn takes(families: &[&[&str]], name: &str) -> bool {
    families
        .iter()
        .copied()
        .flatten()
        .any(|entry| match entry.strip_suffix('*') {
            None => *entry == name,
            Some(start) => name.strip_prefix(start).is_some_and(|rest| {
                !rest.is_empty()
                    && rest
                        .bytes()
                        .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
            }),
        })
}

/// The account that the guest expects to own the bucket. The header itself is the host's to set.
fn expected_owner(
    headers: &mut Headers<'_>,
    actions: &[Action],
) -> Result<Option<AccountId>, Refusal> {
    let reaches_a_bucket = actions
        .iter()
        .any(|action| account(action, None) != CheckAccount::NoAccount);
    match headers.take(EXPECTED_OWNER)? {
        None => Ok(None),
        Some(_) if !reaches_a_bucket => Err(Refusal::not_understood(
            format!("header `{EXPECTED_OWNER}`"),
            "the operation reaches no bucket that exists",
            "leave it out",
        )),
        Some(owner) => owner.parse().map(Some).map_err(|_| {
            Refusal::malformed(
                format!("header `{EXPECTED_OWNER}`"),
                format!("{} is not an account's twelve digits", Quoted(owner)),
                "name the account that owns the bucket",
            )
        }),
    }
}

/// Where the account of an action's resource is found.
fn account(action: &Action, owner: Option<AccountId>) -> CheckAccount {
    match action.name {
        "s3:ListAllMyBuckets" | "s3:CreateBucket" => CheckAccount::NoAccount,
        _ => CheckAccount::BucketOwner(owner),
    }
}

fn resource(on: Level, target: &Target<'_>, scope: &CallerScope) -> CheckResource {
    let partition = &scope.partition;
    match on {
        Level::Service => CheckResource::Any,
        Level::Bucket => CheckResource::Arn(format!("arn:{partition}:s3:::{}", target.bucket)),
        Level::Object => CheckResource::Arn(format!(
            "arn:{partition}:s3:::{}/{}",
            target.bucket, target.key
        )),
    }
}
