//! Which S3 operations exist here, what each may carry, and what each needs.
//!
//! Source: the service authorization reference
//! (<https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html>) and "Required permissions for
//! Amazon S3 API operations"
//! (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html>). The table is this crate's
//! own: `rolebox-aws-request` has another, and a mistake in one shows as a difference between the two.
//!
//! An operation that is not listed is denied. So is a query parameter or an `x-amz-*` header that its row does not list:
//! it could make the request another one, or widen it.

/// What an operation works on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Level {
    /// The account: `GET /`.
    Account,
    Bucket,
    Object,
}

/// One operation.
#[derive(Debug)]
pub(super) struct Operation {
    /// s3s's name of it, which is AWS's.
    pub(super) name: &'static str,
    pub(super) level: Level,
    /// The action that it needs.
    pub(super) action: &'static str,
    /// The action that it needs in its place when it names a version.
    pub(super) version_action: Option<&'static str>,
    /// Query parameters that it may have, `x-id` aside.
    pub(super) query: &'static [&'static str],
    /// `x-amz-*` headers that it may have, besides [`COMMON_HEADERS`]. Those that end in `-` stand for all that begin so.
    pub(super) headers: &'static [&'static str],
}

/// Headers that every operation may have.
pub(super) const COMMON_HEADERS: &[&str] =
    &["x-amz-content-sha256", "x-amz-date", "x-amz-security-token", "x-amz-user-agent"];

const OWNER: &str = "x-amz-expected-bucket-owner";

/// What a request with a body may say about it.
const BODY: [&str; 5] =
    [OWNER, "x-amz-checksum-", "x-amz-decoded-content-length", "x-amz-sdk-checksum-algorithm", "x-amz-trailer"];

/// What a request that makes an object may say about it.
const NEW_OBJECT: [&str; 12] = [
    "x-amz-acl",
    "x-amz-grant-",
    "x-amz-meta-",
    "x-amz-object-lock-",
    "x-amz-server-side-encryption",
    "x-amz-server-side-encryption-aws-kms-key-id",
    "x-amz-server-side-encryption-bucket-key-enabled",
    "x-amz-server-side-encryption-context",
    "x-amz-storage-class",
    "x-amz-tagging",
    "x-amz-website-redirect-location",
    OWNER,
];

/// What a copy may say about its source.
const COPY_SOURCE: [&str; 8] = [
    "x-amz-copy-source",
    "x-amz-copy-source-if-match",
    "x-amz-copy-source-if-modified-since",
    "x-amz-copy-source-if-none-match",
    "x-amz-copy-source-if-unmodified-since",
    "x-amz-copy-source-range",
    "x-amz-source-expected-bucket-owner",
    OWNER,
];

/// What an answer is to look like.
const RESPONSE_QUERY: [&str; 7] = [
    "versionId",
    "response-cache-control",
    "response-content-disposition",
    "response-content-encoding",
    "response-content-language",
    "response-content-type",
    "response-expires",
];

/// `concat!` for lists.
const fn join<const A: usize, const B: usize, const N: usize>(
    first: [&'static str; A],
    second: [&'static str; B],
) -> [&'static str; N] {
    assert!(A + B == N, "the joined list has the length of both");
    let mut joined = [""; N];
    let mut index = 0;
    while index < N {
        joined[index] = if index < A { first[index] } else { second[index - A] };
        index += 1;
    }
    joined
}

const PUT_OBJECT_HEADERS: [&str; 17] = join(BODY, NEW_OBJECT);
const COPY_OBJECT_HEADERS: [&str; 23] = join::<20, 3, 23>(
    join(COPY_SOURCE, NEW_OBJECT),
    ["x-amz-metadata-directive", "x-amz-tagging-directive", "x-amz-checksum-algorithm"],
);
const CREATE_UPLOAD_HEADERS: [&str; 14] = join(NEW_OBJECT, ["x-amz-checksum-algorithm", "x-amz-checksum-type"]);
const COMPLETE_UPLOAD_HEADERS: [&str; 6] = join(BODY, ["x-amz-mp-object-size"]);
const CREATE_BUCKET_HEADERS: [&str; 8] = [
    "x-amz-acl",
    "x-amz-bucket-object-lock-enabled",
    "x-amz-checksum-",
    "x-amz-decoded-content-length",
    "x-amz-grant-",
    "x-amz-object-ownership",
    "x-amz-sdk-checksum-algorithm",
    "x-amz-trailer",
];
const DELETE_OBJECTS_HEADERS: [&str; 6] = join(BODY, ["x-amz-bypass-governance-retention"]);

/// Every operation, by name.
pub(super) const OPERATIONS: &[Operation] = &[
    Operation {
        name: "AbortMultipartUpload",
        level: Level::Object,
        action: "s3:AbortMultipartUpload",
        version_action: None,
        query: &["uploadId"],
        headers: &[OWNER],
    },
    Operation {
        name: "CompleteMultipartUpload",
        level: Level::Object,
        action: "s3:PutObject",
        version_action: None,
        query: &["uploadId"],
        headers: &COMPLETE_UPLOAD_HEADERS,
    },
    Operation {
        name: "CopyObject",
        level: Level::Object,
        action: "s3:PutObject",
        version_action: None,
        query: &[],
        headers: &COPY_OBJECT_HEADERS,
    },
    Operation {
        name: "CreateBucket",
        level: Level::Bucket,
        action: "s3:CreateBucket",
        version_action: None,
        query: &[],
        headers: &CREATE_BUCKET_HEADERS,
    },
    Operation {
        name: "CreateMultipartUpload",
        level: Level::Object,
        action: "s3:PutObject",
        version_action: None,
        query: &["uploads"],
        headers: &CREATE_UPLOAD_HEADERS,
    },
    Operation {
        name: "DeleteBucket",
        level: Level::Bucket,
        action: "s3:DeleteBucket",
        version_action: None,
        query: &[],
        headers: &[OWNER],
    },
    Operation {
        name: "DeleteObject",
        level: Level::Object,
        action: "s3:DeleteObject",
        version_action: Some("s3:DeleteObjectVersion"),
        query: &["versionId"],
        headers: &[OWNER, "x-amz-bypass-governance-retention"],
    },
    Operation {
        // Its actions are checked for each key once its body is read: see the access check.
        name: "DeleteObjects",
        level: Level::Bucket,
        action: "s3:DeleteObject",
        version_action: Some("s3:DeleteObjectVersion"),
        query: &["delete"],
        headers: &DELETE_OBJECTS_HEADERS,
    },
    Operation {
        name: "GetBucketLocation",
        level: Level::Bucket,
        action: "s3:GetBucketLocation",
        version_action: None,
        query: &["location"],
        headers: &[OWNER],
    },
    Operation {
        name: "GetObject",
        level: Level::Object,
        action: "s3:GetObject",
        version_action: Some("s3:GetObjectVersion"),
        query: &RESPONSE_QUERY,
        headers: &[OWNER, "x-amz-checksum-mode"],
    },
    Operation {
        name: "HeadBucket",
        level: Level::Bucket,
        action: "s3:ListBucket",
        version_action: None,
        query: &[],
        headers: &[OWNER],
    },
    Operation {
        name: "HeadObject",
        level: Level::Object,
        action: "s3:GetObject",
        version_action: Some("s3:GetObjectVersion"),
        query: &["versionId"],
        headers: &[OWNER, "x-amz-checksum-mode"],
    },
    Operation {
        name: "ListBuckets",
        level: Level::Account,
        action: "s3:ListAllMyBuckets",
        version_action: None,
        query: &["continuation-token", "max-buckets", "prefix"],
        headers: &[],
    },
    Operation {
        name: "ListMultipartUploads",
        level: Level::Bucket,
        action: "s3:ListBucketMultipartUploads",
        version_action: None,
        query: &["encoding-type", "key-marker", "max-uploads", "prefix", "upload-id-marker", "uploads"],
        headers: &[OWNER],
    },
    Operation {
        name: "ListObjects",
        level: Level::Bucket,
        action: "s3:ListBucket",
        version_action: None,
        query: &["delimiter", "encoding-type", "marker", "max-keys", "prefix"],
        headers: &[OWNER],
    },
    Operation {
        name: "ListObjectsV2",
        level: Level::Bucket,
        action: "s3:ListBucket",
        version_action: None,
        query: &[
            "continuation-token",
            "delimiter",
            "encoding-type",
            "fetch-owner",
            "list-type",
            "max-keys",
            "prefix",
            "start-after",
        ],
        headers: &[OWNER],
    },
    Operation {
        name: "ListParts",
        level: Level::Object,
        action: "s3:ListMultipartUploadParts",
        version_action: None,
        query: &["max-parts", "part-number-marker", "uploadId"],
        headers: &[OWNER],
    },
    Operation {
        name: "PutObject",
        level: Level::Object,
        action: "s3:PutObject",
        version_action: None,
        query: &[],
        headers: &PUT_OBJECT_HEADERS,
    },
    Operation {
        name: "UploadPart",
        level: Level::Object,
        action: "s3:PutObject",
        version_action: None,
        query: &["partNumber", "uploadId"],
        headers: &BODY,
    },
    Operation {
        name: "UploadPartCopy",
        level: Level::Object,
        action: "s3:PutObject",
        version_action: None,
        query: &["partNumber", "uploadId"],
        headers: &COPY_SOURCE,
    },
];

pub(super) fn find(name: &str) -> Option<&'static Operation> {
    OPERATIONS.iter().find(|operation| operation.name == name)
}

impl Operation {
    /// Whether its row lists this header.
    pub(super) fn takes_header(&self, name: &str) -> bool {
        COMMON_HEADERS.contains(&name) || self.headers.iter().any(|known| matches(known, name))
    }
}

/// A header that widens a request: what its presence needs besides.
pub(super) struct Widening {
    /// The header; one that ends in `-` stands for all that begin so.
    pub(super) header: &'static str,
    pub(super) bucket_actions: &'static [&'static str],
    pub(super) object_actions: &'static [&'static str],
}

/// Every header that widens. Of these, what the store does not keep is refused after the check.
pub(super) const WIDENINGS: &[Widening] = &[
    Widening { header: "x-amz-acl", bucket_actions: &["s3:PutBucketAcl"], object_actions: &["s3:PutObjectAcl"] },
    Widening { header: "x-amz-grant-", bucket_actions: &["s3:PutBucketAcl"], object_actions: &["s3:PutObjectAcl"] },
    Widening {
        header: "x-amz-object-ownership",
        bucket_actions: &["s3:PutBucketOwnershipControls"],
        object_actions: &[],
    },
    Widening {
        header: "x-amz-bucket-object-lock-enabled",
        bucket_actions: &["s3:PutBucketObjectLockConfiguration", "s3:PutBucketVersioning"],
        object_actions: &[],
    },
    Widening { header: "x-amz-tagging", bucket_actions: &[], object_actions: &["s3:PutObjectTagging"] },
    Widening { header: "x-amz-object-lock-mode", bucket_actions: &[], object_actions: &["s3:PutObjectRetention"] },
    Widening {
        header: "x-amz-object-lock-retain-until-date",
        bucket_actions: &[],
        object_actions: &["s3:PutObjectRetention"],
    },
    Widening {
        header: "x-amz-object-lock-legal-hold",
        bucket_actions: &[],
        object_actions: &["s3:PutObjectLegalHold"],
    },
    Widening {
        header: "x-amz-bypass-governance-retention",
        bucket_actions: &[],
        object_actions: &["s3:BypassGovernanceRetention"],
    },
];

/// Headers that are condition keys under their own name.
pub(super) const CONTEXT_HEADERS: &[&str] = &[
    "if-match",
    "if-none-match",
    "x-amz-acl",
    "x-amz-content-sha256",
    "x-amz-copy-source",
    "x-amz-grant-full-control",
    "x-amz-grant-read",
    "x-amz-grant-read-acp",
    "x-amz-grant-write",
    "x-amz-grant-write-acp",
    "x-amz-metadata-directive",
    "x-amz-object-ownership",
    "x-amz-server-side-encryption",
    "x-amz-server-side-encryption-aws-kms-key-id",
    "x-amz-storage-class",
];

/// Query parameters that are condition keys of ListBucket, and of nothing else
/// (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/amazon-s3-policy-keys.html>).
pub(super) const LIST_CONTEXT: &[&str] = &["delimiter", "max-keys", "prefix"];

/// Whether a name is `known`, or begins with it where `known` ends in `-`.
pub(super) fn matches(known: &str, name: &str) -> bool {
    known == name || (known.ends_with('-') && name.starts_with(known))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_sorted_and_every_widening_header_is_listed_somewhere() {
        assert!(OPERATIONS.windows(2).all(|pair| pair[0].name < pair[1].name));
        for widening in WIDENINGS {
            let name = format!("{}x", widening.header);
            let name = if widening.header.ends_with('-') { name.as_str() } else { widening.header };
            assert!(OPERATIONS.iter().any(|operation| operation.takes_header(name)), "{name}");
        }
    }
}
