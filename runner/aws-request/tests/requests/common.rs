//! What the tests of requests share: a request as text in, its meaning as text out.

use bytes::Bytes;
use rolebox_aws_request::host::{self, Host};
use rolebox_aws_request::{Call, CallerScope, Operation, Refusal, RefusalKind, parse};
use rolebox_policy::{Check, CheckAccount};

/// The task that every request here comes from.
pub(crate) fn scope() -> CallerScope {
    CallerScope {
        account: "123456789012".parse().expect("an account"),
        partition: "aws".into(),
        region: "us-east-1".parse().expect("a Region"),
    }
}

/// A request as it stands on the wire. `None` when its host is not AWS's.
pub(crate) fn wire(
    method: &str,
    url: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Result<Option<Operation>, Refusal> {
    let (scheme, rest) = url.split_once("://").expect("a URL");
    let split = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, target) = rest.split_at(split);
    let Host::Aws(host) = host::from_authority(authority, scheme == "https")? else {
        return Ok(None);
    };
    let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec())).collect();
    let call = Call::from_wire(&host, method, target, headers, Bytes::copy_from_slice(body))?;
    parse(&call, &scope()).map(Some)
}

/// The kind of a refusal, as the tables have it.
pub(crate) fn kind(refusal: &Refusal) -> &'static str {
    match refusal.kind() {
        RefusalKind::Malformed => "malformed",
        RefusalKind::NotUnderstood => "not understood",
        RefusalKind::NeverSigned => "never signed",
        _ => "another kind",
    }
}

/// One permission: `action on resource`.
pub(crate) fn permission(check: &Check) -> String {
    let account = match &check.account {
        CheckAccount::BucketOwner(Some(owner)) => format!(" of {owner}"),
        CheckAccount::SourceBucketOwner(Some(owner)) => format!(" of source {owner}"),
        _ => String::new(),
    };
    format!("{} on {}{account}", check.action, check.resource)
}

/// An operation and its permissions: `Name: action on resource, …`, S3's ARNs cut to bucket and key.
pub(crate) fn meaning(operation: &Operation) -> String {
    let permissions: Vec<String> =
        operation.checks.iter().map(|check| permission(check).replace("arn:aws:s3:::", "")).collect();
    format!("{}: {}", operation.name, permissions.join(", "))
}
