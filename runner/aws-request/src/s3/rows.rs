//! S3's operations: method, query keys, headers, body and IAM actions of each.
//!
//! Sources: the operations' pages in the Amazon S3 API Reference, and "Required permissions for Amazon S3 API
//! operations" in the Amazon S3 User Guide (using-with-s3-policy-actions.html).

use super::row::{Body, Level, Row, on_bucket, on_object, on_service, on_version};

/// Conditions on a read.
const READ_IF: &[&str] = &[
    "if-match",
    "if-modified-since",
    "if-none-match",
    "if-unmodified-since",
];
/// Conditions on a write.
const WRITE_IF: &[&str] = &["if-match", "if-none-match"];
/// What S3 stores with an object and gives back.
const CONTENT: &[&str] = &[
    "cache-control",
    "content-disposition",
    "content-encoding",
    "content-language",
    "content-type",
    "expires",
    "x-amz-meta-*",
];
/// Checksums of the body.
const CHECKSUMS: &[&str] = &[
    "content-md5",
    "x-amz-checksum-crc32",
    "x-amz-checksum-crc32c",
    "x-amz-checksum-crc64nvme",
    "x-amz-checksum-sha1",
    "x-amz-checksum-sha256",
    "x-amz-sdk-checksum-algorithm",
];
/// A key of the customer's own for one object. Without it the object can't be read; it gives no permission.
const CUSTOMER_KEY: &[&str] = &[
    "x-amz-server-side-encryption-customer-algorithm",
    "x-amz-server-side-encryption-customer-key",
    "x-amz-server-side-encryption-customer-key-md5",
];
/// What S3 is to put into the headers of its answer.
const RESPONSE_KEYS: &[&str] = &[
    "partNumber",
    "response-cache-control",
    "response-content-disposition",
    "response-content-encoding",
    "response-content-language",
    "response-content-type",
    "response-expires",
    "versionId",
];

/// Every operation.
pub(crate) const ROWS: &[Row] = &[
    Row {
        name: "ListBuckets",
        method: "GET",
        level: Level::Service,
        needs: &[],
        takes: &[
            "bucket-region",
            "continuation-token",
            "max-buckets",
            "prefix",
        ],
        headers: &[],
        body: Body::Empty,
        actions: &[on_service("s3:ListAllMyBuckets")],
    },
    Row {
        name: "CreateBucket",
        method: "PUT",
        level: Level::Bucket,
        needs: &[],
        takes: &[],
        headers: &[],
        body: Body::Empty,
        actions: &[on_bucket("s3:CreateBucket")],
    },
    Row {
        name: "DeleteBucket",
        method: "DELETE",
        level: Level::Bucket,
        needs: &[],
        takes: &[],
        headers: &[],
        body: Body::Empty,
        actions: &[on_bucket("s3:DeleteBucket")],
    },
    Row {
        name: "HeadBucket",
        method: "HEAD",
        level: Level::Bucket,
        needs: &[],
        takes: &[],
        headers: &[],
        body: Body::Empty,
        actions: &[on_bucket("s3:ListBucket")],
    },
    Row {
        name: "ListObjectsV2",
        method: "GET",
        level: Level::Bucket,
        needs: &["list-type=2"],
        takes: &[
            "continuation-token",
            "delimiter",
            "encoding-type",
            "fetch-owner",
            "max-keys",
            "prefix",
            "start-after",
        ],
        headers: &[&["x-amz-optional-object-attributes"]],
        body: Body::Empty,
        actions: &[on_bucket("s3:ListBucket")],
    },
    Row {
        name: "PutObject",
        method: "PUT",
        level: Level::Object,
        needs: &[],
        takes: &[],
        headers: &[
            WRITE_IF,
            CONTENT,
            CHECKSUMS,
            CUSTOMER_KEY,
            &["x-amz-storage-class"],
        ],
        body: Body::Opaque,
        actions: &[on_object("s3:PutObject")],
    },
    Row {
        name: "GetObject",
        method: "GET",
        level: Level::Object,
        needs: &[],
        takes: RESPONSE_KEYS,
        headers: &[READ_IF, CUSTOMER_KEY, &["range", "x-amz-checksum-mode"]],
        body: Body::Empty,
        actions: &[on_version("s3:GetObject", "s3:GetObjectVersion")],
    },
    Row {
        name: "HeadObject",
        method: "HEAD",
        level: Level::Object,
        needs: &[],
        takes: RESPONSE_KEYS,
        headers: &[READ_IF, CUSTOMER_KEY, &["range", "x-amz-checksum-mode"]],
        body: Body::Empty,
        actions: &[on_version("s3:GetObject", "s3:GetObjectVersion")],
    },
    Row {
        name: "DeleteObject",
        method: "DELETE",
        level: Level::Object,
        needs: &[],
        takes: &["versionId"],
        headers: &[&["if-match"]],
        body: Body::Empty,
        actions: &[on_version("s3:DeleteObject", "s3:DeleteObjectVersion")],
    },
];
