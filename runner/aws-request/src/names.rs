//! Names of what calls work on: ARNs that a guest gives, and the ARNs of what it names shortly.
//!
//! A name without an account or Region means the task role's account and the call's Region. A name that hides the ARN
//! (a KMS alias, a secret by name) becomes the pattern of every ARN that it can mean.

use rolebox_policy::{Arn, CheckResource};

use crate::call::CallerScope;
use crate::refusal::{Quoted, Refusal};

/// Reads an ARN of the given service in the task's partition.
///
/// An ARN names one thing: `*` and `?` are refused, since a service could read them as a pattern.
pub(crate) fn arn(place: &str, text: &str, service: &str, scope: &CallerScope) -> Result<Arn, Refusal> {
    let refuse = |what: String| {
        Refusal::not_understood(place, format!("{} {what}", Quoted(text)), format!("name one ARN of {service}"))
    };
    if !text.bytes().all(|byte| byte.is_ascii_graphic()) || text.contains(['*', '?']) {
        return Err(refuse("is not a plain ARN".into()));
    }
    let arn: Arn = text.parse().map_err(|_| refuse("is not an ARN".into()))?;
    if arn.service != service {
        return Err(refuse(format!("is an ARN of {}", arn.service)));
    }
    if arn.partition != scope.partition {
        return Err(refuse(format!("lies in the partition {}, the task's role does not", arn.partition)));
    }
    Ok(arn)
}

/// The ARN of something in the task role's account and the given Region.
pub(crate) fn own(service: &str, region: &str, resource: &str, scope: &CallerScope) -> String {
    let CallerScope { partition, account, .. } = scope;
    format!("arn:{partition}:{service}:{region}:{account}:{resource}")
}

/// The KMS keys that an identifier of a key can mean: a key's id or ARN is one, an alias may stand for any key of its
/// account and Region.
///
/// Source: "Key identifiers (KeyId)", AWS KMS Developer Guide (concepts.html#key-id).
pub(crate) fn kms_key(place: &str, key: &str, region: &str, scope: &CallerScope) -> Result<CheckResource, Refusal> {
    let refuse = |what: &str| {
        Refusal::not_understood(place, format!("{} {what}", Quoted(key)), "name a key by its id, its ARN or an alias")
    };
    let id = |id: &str| !id.is_empty() && id.len() <= 128 && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    let alias = |name: &str| {
        !name.is_empty() && name.len() <= 256 && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"/_-".contains(&b))
    };
    if key.starts_with("arn:") {
        let arn = arn(place, key, "kms", scope)?;
        let account_and_region = arn.account.len() == 12 && !arn.region.is_empty();
        return match arn.resource.split_once('/') {
            Some(("key", name)) if id(name) && account_and_region => Ok(CheckResource::Arn(key.to_owned())),
            Some(("alias", name)) if alias(name) && account_and_region => {
                Ok(CheckResource::Covering(Arn { resource: "key/*".into(), ..arn }.to_string()))
            }
            _ => Err(refuse("is not the ARN of a key or an alias")),
        };
    }
    match key.strip_prefix("alias/") {
        Some(name) if alias(name) => Ok(CheckResource::Covering(own("kms", region, "key/*", scope))),
        None if id(key) => Ok(CheckResource::Arn(own("kms", region, &format!("key/{key}"), scope))),
        _ => Err(refuse("is not a key's id, ARN or alias")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kms_keys() {
        let scope = CallerScope {
            account: "123456789012".parse().unwrap(),
            partition: "aws".into(),
            region: "us-east-1".parse().unwrap(),
        };
        for (key, resource) in [
            ("k-1", Some("arn:aws:kms:eu-west-1:123456789012:key/k-1")),
            ("mrk-1234", Some("arn:aws:kms:eu-west-1:123456789012:key/mrk-1234")),
            ("alias/aws/s3", Some("arn:aws:kms:eu-west-1:123456789012:key/*")),
            ("arn:aws:kms:us-east-1:999999999999:key/k", Some("arn:aws:kms:us-east-1:999999999999:key/k")),
            ("arn:aws:kms:us-east-1:999999999999:alias/a", Some("arn:aws:kms:us-east-1:999999999999:key/*")),
            ("", None),
            ("*", None),
            ("key/k", None),
            ("k/../l", None),
            ("k*", None),
            ("alias/", None),
            ("alias/a*", None),
            ("alias/é", None),
            ("arn:aws:kms:us-east-1:999999999999:key/*", None),
            ("arn:aws:kms:us-east-1:999999999999:key/k/l", None),
            ("arn:aws:kms:us-east-1::key/k", None),
            ("arn:aws:kms::999999999999:key/k", None),
            ("arn:aws:s3:us-east-1:999999999999:key/k", None),
            ("arn:aws-cn:kms:cn-north-1:999999999999:key/k", None),
            ("arn:aws:kms:us-east-1:999999999999:grant/k", None),
        ] {
            let read = kms_key("key", key, "eu-west-1", &scope).ok();
            assert_eq!(read.as_ref().map(CheckResource::as_str), resource, "{key}");
        }
    }
}
