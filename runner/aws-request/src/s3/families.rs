//! Families of headers, and the permissions that each adds.
//!
//! A header that an operation's row doesn't name through a family is refused if it begins with `x-amz-` and dropped
//! otherwise. Sources: the operations' pages in the Amazon S3 API Reference for the names; "Required permissions for
//! Amazon S3 API operations" (using-with-s3-policy-actions.html) for what they add.

use super::row::{Action, on_bucket, on_object};

/// Headers that belong together.
#[derive(Debug)]
pub(crate) struct Family {
    /// Names in lower case; an entry that ends in `*` stands for every name that begins so.
    pub(crate) names: &'static [&'static str],
    /// The permissions that one of these headers adds to the operation's own.
    pub(crate) adds: &'static [Action],
    /// Values that add nothing.
    pub(crate) harmless: &'static [&'static str],
    /// The only values that are understood; empty for any.
    pub(crate) values: &'static [&'static str],
}

const fn plain(names: &'static [&'static str]) -> Family {
    Family { names, adds: &[], harmless: &[], values: &[] }
}

const fn adding(names: &'static [&'static str], adds: &'static [Action]) -> Family {
    Family { names, adds, harmless: &[], values: &[] }
}

/// Conditions on a read.
pub(crate) const READ_IF: Family = plain(&["if-match", "if-modified-since", "if-none-match", "if-unmodified-since"]);
/// Conditions on a write.
pub(crate) const WRITE_IF: Family = plain(&["if-match", "if-none-match"]);
/// Conditions on a deletion.
pub(crate) const DELETE_IF: Family = plain(&["if-match", "x-amz-if-match-last-modified-time", "x-amz-if-match-size"]);
/// A part of an object.
pub(crate) const RANGE: Family = plain(&["range"]);
/// Whether the answer carries the stored checksums.
pub(crate) const CHECKSUM_MODE: Family = plain(&["x-amz-checksum-mode"]);
/// What S3 stores with an object and gives back.
pub(crate) const CONTENT: Family = plain(&[
    "cache-control",
    "content-disposition",
    "content-encoding",
    "content-language",
    "content-type",
    "expires",
    "x-amz-meta-*",
    "x-amz-storage-class",
    "x-amz-website-redirect-location",
]);
/// The MD5 of the body, and which checksum an SDK chose.
pub(crate) const BODY_CHECKSUM: Family = plain(&["content-md5", "x-amz-sdk-checksum-algorithm"]);
/// Checksums of the body, or of the whole object.
pub(crate) const CHECKSUMS: Family = plain(&[
    "x-amz-checksum-crc32",
    "x-amz-checksum-crc32c",
    "x-amz-checksum-crc64nvme",
    "x-amz-checksum-md5",
    "x-amz-checksum-sha1",
    "x-amz-checksum-sha256",
    "x-amz-checksum-sha512",
    "x-amz-checksum-xxhash128",
    "x-amz-checksum-xxhash3",
    "x-amz-checksum-xxhash64",
]);
/// Which checksum S3 is to make of the object.
pub(crate) const CHECKSUM_ALGORITHM: Family = plain(&["x-amz-checksum-algorithm"]);
/// Whether the checksum of a multipart upload is of the whole object or of the parts' checksums.
pub(crate) const CHECKSUM_TYPE: Family = plain(&["x-amz-checksum-type"]);
/// The size that a multipart upload comes to.
pub(crate) const MULTIPART_SIZE: Family = plain(&["x-amz-mp-object-size"]);
/// A key of the customer's own for one object. It decides whether S3 can read the object, and grants nothing.
pub(crate) const CUSTOMER_KEY: Family = plain(&[
    "x-amz-server-side-encryption-customer-algorithm",
    "x-amz-server-side-encryption-customer-key",
    "x-amz-server-side-encryption-customer-key-md5",
]);
/// The same for the source of a copy.
pub(crate) const SOURCE_CUSTOMER_KEY: Family = plain(&[
    "x-amz-copy-source-server-side-encryption-customer-algorithm",
    "x-amz-copy-source-server-side-encryption-customer-key",
    "x-amz-copy-source-server-side-encryption-customer-key-md5",
]);
/// Encryption with a key that S3 or KMS holds. The permissions on a named key come from [`super::encryption`].
pub(crate) const ENCRYPTION: Family = Family {
    names: &["x-amz-server-side-encryption"],
    adds: &[],
    harmless: &[],
    values: &["AES256", "aws:kms", "aws:kms:dsse"],
};
/// The KMS key, and how it is used.
pub(crate) const ENCRYPTION_KEY: Family = plain(&[
    "x-amz-server-side-encryption-aws-kms-key-id",
    "x-amz-server-side-encryption-bucket-key-enabled",
    "x-amz-server-side-encryption-context",
]);
/// The caller pays for the request, which the bucket's owner otherwise would.
pub(crate) const PAYER: Family =
    Family { names: &["x-amz-request-payer"], adds: &[], harmless: &[], values: &["requester"] };
/// Further attributes in a listing.
pub(crate) const OPTIONAL_ATTRIBUTES: Family = plain(&["x-amz-optional-object-attributes"]);
/// What GetObjectAttributes is asked for.
pub(crate) const ATTRIBUTES: Family =
    plain(&["x-amz-max-parts", "x-amz-object-attributes", "x-amz-part-number-marker"]);
/// Conditions of an annotation.
pub(crate) const ANNOTATION_IF: Family = plain(&["x-amz-object-if-match"]);
/// Condition on an upload that is aborted.
pub(crate) const ABORT_IF: Family = plain(&["x-amz-if-match-initiated-time"]);

/// An access control list for the operation that is about one: its own permission covers it.
pub(crate) const ACL: Family = plain(&[
    "x-amz-acl",
    "x-amz-grant-full-control",
    "x-amz-grant-read",
    "x-amz-grant-read-acp",
    "x-amz-grant-write",
    "x-amz-grant-write-acp",
]);
/// An access control list for an object that is written.
pub(crate) const OBJECT_ACL: Family = adding(
    &["x-amz-acl", "x-amz-grant-full-control", "x-amz-grant-read", "x-amz-grant-read-acp", "x-amz-grant-write-acp"],
    &[on_object("s3:PutObjectAcl")],
);
/// A canned access control list for a bucket that is created; `private` is what it has anyway.
pub(crate) const BUCKET_CANNED_ACL: Family =
    Family { names: &["x-amz-acl"], adds: &[on_bucket("s3:PutBucketAcl")], harmless: &["private"], values: &[] };
/// Grants on a bucket that is created.
pub(crate) const BUCKET_GRANTS: Family = adding(
    &[
        "x-amz-grant-full-control",
        "x-amz-grant-read",
        "x-amz-grant-read-acp",
        "x-amz-grant-write",
        "x-amz-grant-write-acp",
    ],
    &[on_bucket("s3:PutBucketAcl")],
);
/// Who owns the objects in a bucket that is created.
pub(crate) const OWNERSHIP: Family = adding(&["x-amz-object-ownership"], &[on_bucket("s3:PutBucketOwnershipControls")]);
/// Object lock on a bucket that is created, which turns versioning on.
pub(crate) const BUCKET_LOCK: Family = Family {
    names: &["x-amz-bucket-object-lock-enabled"],
    adds: &[on_bucket("s3:PutBucketObjectLockConfiguration"), on_bucket("s3:PutBucketVersioning")],
    harmless: &["false"],
    values: &["true", "false"],
};
/// Whether the new bucket's name is unique within the account or everywhere.
pub(crate) const NAMESPACE: Family = plain(&["x-amz-bucket-namespace"]);
/// Tags for an object that is written.
pub(crate) const TAGGING: Family = adding(&["x-amz-tagging"], &[on_object("s3:PutObjectTagging")]);
/// Retention of an object that is written.
pub(crate) const RETENTION: Family = adding(
    &[
        "x-amz-object-lock-event-hold",
        "x-amz-object-lock-event-hold-duration-days",
        "x-amz-object-lock-event-hold-duration-years",
        "x-amz-object-lock-mode",
        "x-amz-object-lock-retain-until-date",
    ],
    &[on_object("s3:PutObjectRetention")],
);
/// A legal hold on an object that is written.
pub(crate) const LEGAL_HOLD: Family = adding(&["x-amz-object-lock-legal-hold"], &[on_object("s3:PutObjectLegalHold")]);
/// Overrides governance-mode retention.
pub(crate) const BYPASS: Family = Family {
    names: &["x-amz-bypass-governance-retention"],
    adds: &[on_object("s3:BypassGovernanceRetention")],
    harmless: &["false"],
    values: &["true", "false"],
};
/// The token with which AWS support lets object lock be turned on for an existing bucket.
pub(crate) const LOCK_TOKEN: Family = plain(&["x-amz-bucket-object-lock-token"]);
/// Says that a bucket policy may lock its writer out.
pub(crate) const CONFIRM_POLICY: Family = plain(&["x-amz-confirm-remove-self-bucket-access"]);
/// Which objects a lifecycle rule moves by default.
pub(crate) const TRANSITION_SIZE: Family = plain(&["x-amz-transition-default-minimum-object-size"]);
/// Whether notification targets are tried out first.
pub(crate) const SKIP_VALIDATION: Family = plain(&["x-amz-skip-destination-validation"]);
/// What a copy takes over from its source. Permissions come from [`super::copy`].
pub(crate) const DIRECTIVES: Family = Family {
    names: &["x-amz-metadata-directive", "x-amz-tagging-directive"],
    adds: &[],
    harmless: &[],
    values: &["COPY", "REPLACE"],
};
/// Whether a copy takes annotations over. Permissions come from [`super::copy`].
pub(crate) const ANNOTATION_DIRECTIVE: Family =
    Family { names: &["x-amz-object-annotation-directive"], adds: &[], harmless: &[], values: &["COPY", "EXCLUDE"] };
/// Conditions on the source of a copy.
pub(crate) const SOURCE_IF: Family = plain(&[
    "x-amz-copy-source-if-match",
    "x-amz-copy-source-if-modified-since",
    "x-amz-copy-source-if-none-match",
    "x-amz-copy-source-if-unmodified-since",
]);
/// The part of the source that a part of an upload is copied from.
pub(crate) const SOURCE_RANGE: Family = plain(&["x-amz-copy-source-range"]);

impl Family {
    /// Whether the family holds this header.
    pub(crate) fn holds(&self, name: &str) -> bool {
        self.names.iter().any(|entry| match entry.strip_suffix('*') {
            None => *entry == name,
            Some(start) => name.strip_prefix(start).is_some_and(|rest| {
                !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
            }),
        })
    }
}
