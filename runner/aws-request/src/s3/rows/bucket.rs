//! Operations on the account's buckets, on a bucket itself, and on what it holds.

use crate::s3::families::*;
use crate::s3::row::{Body, Level, Row, on_bucket, on_service, sum};
use crate::s3::shape;

const fn plain(name: &'static str, method: &'static str) -> Row {
    Row {
        name,
        method,
        level: Level::Bucket,
        needs: &[],
        takes: &[],
        copies: false,
        headers: &[],
        body: Body::Empty,
        actions: &[],
    }
}

pub(super) const ROWS: &[Row] = &[
    Row {
        level: Level::Service,
        takes: &["bucket-region", "continuation-token", "max-buckets", "prefix"],
        actions: &[on_service("s3:ListAllMyBuckets")],
        ..plain("ListBuckets", "GET")
    },
    Row {
        headers: &[&BUCKET_CANNED_ACL, &BUCKET_GRANTS, &OWNERSHIP, &BUCKET_LOCK, &NAMESPACE],
        body: Body::Xml { shape: shape::CREATE_BUCKET, optional: true, checksum: false },
        actions: &[on_bucket("s3:CreateBucket")],
        ..plain("CreateBucket", "PUT")
    },
    Row { actions: &[on_bucket("s3:DeleteBucket")], ..plain("DeleteBucket", "DELETE") },
    Row { actions: &[on_bucket("s3:ListBucket")], ..plain("HeadBucket", "HEAD") },
    Row {
        takes: &["delimiter", "encoding-type", "marker", "max-keys", "prefix"],
        headers: &[&PAYER, &OPTIONAL_ATTRIBUTES],
        actions: &[on_bucket("s3:ListBucket")],
        ..plain("ListObjects", "GET")
    },
    Row {
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
        headers: &[&PAYER, &OPTIONAL_ATTRIBUTES],
        actions: &[on_bucket("s3:ListBucket")],
        ..plain("ListObjectsV2", "GET")
    },
    Row {
        needs: &["versions"],
        takes: &["delimiter", "encoding-type", "key-marker", "max-keys", "prefix", "version-id-marker"],
        headers: &[&PAYER, &OPTIONAL_ATTRIBUTES],
        actions: &[on_bucket("s3:ListBucketVersions")],
        ..plain("ListObjectVersions", "GET")
    },
    Row {
        needs: &["uploads"],
        takes: &["delimiter", "encoding-type", "key-marker", "max-uploads", "prefix", "upload-id-marker"],
        headers: &[&PAYER],
        actions: &[on_bucket("s3:ListBucketMultipartUploads")],
        ..plain("ListMultipartUploads", "GET")
    },
    // Its permissions are those of each key in its body.
    Row { needs: &["delete"], headers: &[&PAYER, &BYPASS], body: sum(shape::DELETE), ..plain("DeleteObjects", "POST") },
];
