//! The condition keys that a request decides, as IAM publishes them for each action.

use rolebox_policy::Context;

/// Where a condition key's value stands in the request.
#[derive(Clone, Copy, Debug)]
pub(crate) enum From {
    Query(&'static str),
    Header(&'static str),
}

/// Condition keys, where their values stand, and the actions that have them.
///
/// Source: "Actions, resources, and condition keys for Amazon S3", Service Authorization Reference
/// (list_amazons3.html). A key that the request doesn't decide (the object's existing tags) is not here.
pub(crate) const KEYS: &[(&str, From, &[&str])] = &[
    (
        "s3:prefix",
        From::Query("prefix"),
        &["s3:ListBucket", "s3:ListBucketVersions"],
    ),
    (
        "s3:delimiter",
        From::Query("delimiter"),
        &["s3:ListBucket", "s3:ListBucketVersions"],
    ),
    (
        "s3:max-keys",
        From::Query("max-keys"),
        &["s3:ListBucket", "s3:ListBucketVersions"],
    ),
    (
        "s3:versionid",
        From::Query("versionId"),
        &["s3:GetObjectVersion", "s3:DeleteObjectVersion"],
    ),
    (
        "s3:if-match",
        From::Header("if-match"),
        &["s3:PutObject", "s3:DeleteObject"],
    ),
    (
        "s3:if-none-match",
        From::Header("if-none-match"),
        &["s3:PutObject"],
    ),
    (
        "s3:x-amz-storage-class",
        From::Header("x-amz-storage-class"),
        &["s3:PutObject"],
    ),
    (
        "s3:x-amz-server-side-encryption-customer-algorithm",
        From::Header("x-amz-server-side-encryption-customer-algorithm"),
        &["s3:PutObject"],
    ),
];

/// The context of one action, beside the Region.
pub(crate) fn fill(
    context: &mut Context,
    action: &str,
    query: &[(String, String)],
    headers: &[(String, String)],
) {
    for (key, from, actions) in KEYS {
        let (pairs, name) = match from {
            From::Query(name) => (query, name),
            From::Header(name) => (headers, name),
        };
        if let Some((_, value)) = pairs.iter().find(|(candidate, _)| candidate == name)
            && actions.contains(&action)
        {
            context.insert(*key, value.as_str());
        }
    }
}
