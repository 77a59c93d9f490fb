//! Which condition keys this emulator can answer truthfully.
//!
//! To a condition, a key that is not supplied is an absent key, and an absent key changes a decision just as a value
//! does: a `Deny` on it stops denying. So a role may look only at keys that are supplied, or at those that would be
//! absent in AWS as well for the requests that are possible here. Session policies are not held to this: they only
//! narrow what a role allows, and a task's may speak of services that are not embedded.

/// Keys whose value every request has, and keys of single operations, all in lower case. Those that end in `/` stand for
/// all that begin so.
const SUPPLIED: &[&str] = &[
    "aws:currenttime",
    "aws:epochtime",
    "aws:principalaccount",
    "aws:principalarn",
    "aws:principalisawsservice",
    "aws:principaltag/",
    "aws:principaltype",
    "aws:requestedregion",
    "aws:requesttag/",
    "aws:resourceaccount",
    "aws:securetransport",
    "aws:sourceidentity",
    "aws:sourceip",
    "aws:tagkeys",
    "aws:tokenissuetime",
    "aws:useragent",
    "aws:userid",
    "aws:username",
    "aws:viaawsservice",
    "s3:authtype",
    "s3:delimiter",
    "s3:if-match",
    "s3:if-none-match",
    "s3:locationconstraint",
    "s3:max-keys",
    "s3:prefix",
    "s3:resourceaccount",
    "s3:signatureversion",
    "s3:versionid",
    "s3:x-amz-acl",
    "s3:x-amz-content-sha256",
    "s3:x-amz-copy-source",
    "s3:x-amz-grant-full-control",
    "s3:x-amz-grant-read",
    "s3:x-amz-grant-read-acp",
    "s3:x-amz-grant-write",
    "s3:x-amz-grant-write-acp",
    "s3:x-amz-metadata-directive",
    "s3:x-amz-object-ownership",
    "s3:x-amz-server-side-encryption",
    "s3:x-amz-server-side-encryption-aws-kms-key-id",
    "s3:x-amz-storage-class",
    "sts:externalid",
    "sts:rolesessionname",
    "sts:sourceidentity",
    "sts:transitivetagkeys",
];

/// Keys that no request has here, as none would have in AWS when a host outside of a VPC and of an organization calls
/// with a user's or role's keys, without multi-factor authentication, for a bucket without tags, access points and
/// object lock.
const ABSENT: &[&str] = &[
    "aws:calledvia",
    "aws:calledviafirst",
    "aws:calledvialast",
    "aws:federatedprovider",
    "aws:multifactorauthage",
    "aws:multifactorauthpresent",
    "aws:principalorgid",
    "aws:principalorgpaths",
    "aws:resourceorgid",
    "aws:resourceorgpaths",
    "aws:resourcetag/",
    "aws:sourceaccount",
    "aws:sourcearn",
    "aws:sourceorgid",
    "aws:sourceorgpaths",
    "aws:sourcevpc",
    "aws:sourcevpce",
    "aws:vpcsourceip",
    "s3:accesspointnetworkorigin",
    "s3:buckettag/",
    "s3:dataaccesspointaccount",
    "s3:dataaccesspointarn",
    "s3:existingobjecttag/",
    "s3:object-lock-remaining-retention-days",
];

/// Services whose keys decide about requests that can be made here. The keys of every other service are absent from
/// them in AWS too.
const EMBEDDED: &[&str] = &["aws:", "s3:", "sts:"];

/// Whether a condition on `key`, in lower case, is decided here as in AWS.
pub(crate) fn is_answered(key: &str) -> bool {
    let listed = |keys: &[&str]| {
        keys.iter().any(|known| match known.strip_suffix('/') {
            Some(family) => key.strip_prefix(family).is_some_and(|rest| rest.starts_with('/')),
            None => *known == key,
        })
    };
    !EMBEDDED.iter().any(|service| key.starts_with(service)) || listed(SUPPLIED) || listed(ABSENT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_known_keys_of_embedded_services_are_answered() {
        for key in [
            "s3:prefix",
            "aws:principaltag/team",
            "aws:multifactorauthpresent",
            "dynamodb:leadingkeys",
            "kms:viaservice",
        ] {
            assert!(is_answered(key), "{key}");
        }
        for key in
            ["aws:principaltag", "aws:invented", "s3:signatureage", "s3:requestobjecttag/x", "sts:awsservicename"]
        {
            assert!(!is_answered(key), "{key}");
        }
    }
}
