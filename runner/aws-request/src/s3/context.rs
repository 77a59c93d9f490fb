//! The condition keys that a request decides, as IAM publishes them for each action.

use rolebox_policy::Check;

use super::tags::Tags;
use crate::wire::xml::Element;

/// Where a condition key's value stands in the request.
#[derive(Clone, Copy, Debug)]
enum From {
    Query(&'static str),
    Header(&'static str),
}

/// Actions that write an object's tags.
const TAGGING: &[&str] =
    &["s3:BypassGovernanceRetention", "s3:PutObject", "s3:PutObjectTagging", "s3:PutObjectVersionTagging"];
/// Actions that write a bucket's tags.
const BUCKET_TAGGING: &[&str] = &["s3:CreateBucket", "s3:TagResource"];

const LISTS: &[&str] = &["s3:ListBucket", "s3:ListBucketVersions"];
const ANNOTATION_LISTS: &[&str] = &["s3:ListObjectAnnotations", "s3:ListObjectVersionAnnotations"];
const ANNOTATION_WRITES: &[&str] = &[
    "s3:DeleteObjectAnnotation",
    "s3:DeleteObjectVersionAnnotation",
    "s3:PutObjectAnnotation",
    "s3:PutObjectVersionAnnotation",
];
const VERSIONS: &[&str] = &[
    "s3:DeleteObjectVersion",
    "s3:DeleteObjectVersionAnnotation",
    "s3:DeleteObjectVersionTagging",
    "s3:GetObjectVersion",
    "s3:GetObjectVersionAcl",
    "s3:GetObjectVersionAnnotation",
    "s3:GetObjectVersionAttributes",
    "s3:GetObjectVersionTagging",
    "s3:ListObjectVersionAnnotations",
    "s3:PutObjectVersionAcl",
    "s3:PutObjectVersionAnnotation",
    "s3:PutObjectVersionTagging",
];
const WRITES: &[&str] = &["s3:BypassGovernanceRetention", "s3:PutObject"];
const ACLS: &[&str] = &[
    "s3:BypassGovernanceRetention",
    "s3:CreateBucket",
    "s3:PutBucketAcl",
    "s3:PutObject",
    "s3:PutObjectAcl",
    "s3:PutObjectVersionAcl",
];
const RETENTION: &[&str] = &["s3:PutObject", "s3:PutObjectRetention"];

/// Condition keys, where their values stand, and the actions that have them.
///
/// Source: "Actions, resources, and condition keys for Amazon S3", Service Authorization Reference
/// (list_amazons3.html). A key that the request alone doesn't decide (the object's existing tags) is not here. A test
/// compares with `facts/s3.json`.
#[rustfmt::skip]
const KEYS: &[(&str, From, &[&str])] = &[
    ("s3:prefix", From::Query("prefix"), LISTS),
    ("s3:delimiter", From::Query("delimiter"), LISTS),
    ("s3:max-keys", From::Query("max-keys"), LISTS),
    ("s3:annotation-prefix", From::Query("annotation-prefix"), ANNOTATION_LISTS),
    ("s3:max-annotation-results", From::Query("max-annotation-results"), ANNOTATION_LISTS),
    ("s3:versionid", From::Query("versionId"), VERSIONS),
    ("s3:if-match", From::Header("if-match"), &["s3:DeleteObject", "s3:PutObject"]),
    ("s3:if-none-match", From::Header("if-none-match"), &["s3:PutObject"]),
    ("s3:object-lock-event-hold", From::Header("x-amz-object-lock-event-hold"), RETENTION),
    ("s3:object-lock-event-hold-duration-days", From::Header("x-amz-object-lock-event-hold-duration-days"), RETENTION),
    ("s3:object-lock-legal-hold", From::Header("x-amz-object-lock-legal-hold"), &["s3:PutObject", "s3:PutObjectLegalHold"]),
    ("s3:object-lock-mode", From::Header("x-amz-object-lock-mode"), RETENTION),
    ("s3:object-lock-retain-until-date", From::Header("x-amz-object-lock-retain-until-date"), RETENTION),
    ("s3:x-amz-acl", From::Header("x-amz-acl"), ACLS),
    ("s3:x-amz-bucket-namespace", From::Header("x-amz-bucket-namespace"), &["s3:CreateBucket"]),
    ("s3:x-amz-copy-source", From::Header("x-amz-copy-source"), WRITES),
    ("s3:x-amz-grant-full-control", From::Header("x-amz-grant-full-control"), ACLS),
    ("s3:x-amz-grant-read", From::Header("x-amz-grant-read"), ACLS),
    ("s3:x-amz-grant-read-acp", From::Header("x-amz-grant-read-acp"), ACLS),
    ("s3:x-amz-grant-write", From::Header("x-amz-grant-write"), ACLS),
    ("s3:x-amz-grant-write-acp", From::Header("x-amz-grant-write-acp"), ACLS),
    ("s3:x-amz-metadata-directive", From::Header("x-amz-metadata-directive"), WRITES),
    ("s3:x-amz-object-annotation-directive", From::Header("x-amz-object-annotation-directive"), &["s3:PutObject"]),
    ("s3:x-amz-object-if-match", From::Header("x-amz-object-if-match"), ANNOTATION_WRITES),
    ("s3:x-amz-object-ownership", From::Header("x-amz-object-ownership"), &["s3:CreateBucket"]),
    ("s3:x-amz-server-side-encryption", From::Header("x-amz-server-side-encryption"), WRITES),
    ("s3:x-amz-server-side-encryption-aws-kms-key-id", From::Header("x-amz-server-side-encryption-aws-kms-key-id"), WRITES),
    ("s3:x-amz-server-side-encryption-customer-algorithm", From::Header("x-amz-server-side-encryption-customer-algorithm"), WRITES),
    ("s3:x-amz-storage-class", From::Header("x-amz-storage-class"), &["s3:BypassGovernanceRetention", "s3:PutObject", "s3:PutObjectAcl", "s3:PutObjectVersionAcl"]),
    ("s3:x-amz-website-redirect-location", From::Header("x-amz-website-redirect-location"), WRITES),
];

/// Adds to each check what query and headers decide.
pub(crate) fn fill(checks: &mut [Check], query: &[(String, String)], headers: &[(String, String)]) {
    if query.is_empty() && headers.is_empty() {
        return;
    }
    for (key, from, actions) in KEYS {
        let (pairs, name) = match from {
            From::Query(name) => (query, *name),
            From::Header(name) => (headers, *name),
        };
        let Some((_, value)) = pairs.iter().find(|(candidate, _)| candidate == name) else {
            continue;
        };
        for check in checks.iter_mut().filter(|check| actions.contains(&check.action.as_str())) {
            check.context.insert(*key, value.as_str());
        }
    }
}

/// Where in an XML body a condition key's value stands: key, the elements down to it, and the action that has it.
const BODY_KEYS: &[(&str, &[&str], &str)] = &[
    ("s3:locationconstraint", &["LocationConstraint"], "s3:CreateBucket"),
    ("s3:object-lock-legal-hold", &["Status"], "s3:PutObjectLegalHold"),
    ("s3:object-lock-mode", &["Mode"], "s3:PutObjectRetention"),
    ("s3:object-lock-retain-until-date", &["RetainUntilDate"], "s3:PutObjectRetention"),
    ("s3:object-lock-event-hold", &["EventHold"], "s3:PutObjectRetention"),
    ("s3:object-lock-event-hold-duration-days", &["EventHoldDuration", "Days"], "s3:PutObjectRetention"),
    ("s3:InventoryAccessibleOptionalFields", &["OptionalFields", "Field"], "s3:PutInventoryConfiguration"),
];

/// Adds to each check what an XML body decides.
pub(crate) fn fill_body(checks: &mut [Check], document: &Element) {
    for (key, path, action) in BODY_KEYS {
        for check in checks.iter_mut().filter(|check| check.action == *action) {
            let mut elements = vec![document];
            for name in *path {
                elements = elements.iter().flat_map(|element| element.all(name)).collect();
            }
            check.context.insert_all(*key, elements.iter().map(|element| element.text.as_str()));
        }
    }
}

/// Adds to each check the tags that the request puts on what it works on.
pub(crate) fn fill_tags(checks: &mut [Check], Tags(tags): &Tags) {
    for check in checks {
        let (key, keys) = match check.action.as_str() {
            action if TAGGING.contains(&action) => ("s3:RequestObjectTag/", "s3:RequestObjectTagKeys"),
            action if BUCKET_TAGGING.contains(&action) => ("aws:RequestTag/", "aws:TagKeys"),
            _ => continue,
        };
        for (name, value) in tags {
            check.context.insert(format!("{key}{name}"), value.as_str());
        }
        check.context.insert_all(keys, tags.iter().map(|(name, _)| name.as_str()));
    }
}

/// Every condition key of the table with the actions that it is given to.
#[cfg(test)]
pub(crate) fn published() -> impl Iterator<Item = (&'static str, &'static [&'static str])> {
    let body = BODY_KEYS.iter().map(|(key, _, action)| (*key, std::slice::from_ref(action)));
    KEYS.iter().map(|(key, _, actions)| (*key, *actions)).chain(body)
}
