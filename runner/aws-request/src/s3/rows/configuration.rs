//! The configuration of buckets: one subresource each, read with GET, written with PUT, removed with DELETE.
//!
//! Several of these bodies give away authority or data for as long as they stand: a bucket policy, an ACL, public
//! access, a replication, notification, logging or inventory target. Nothing here judges them; their actions are on the
//! policy's list of those that only their full name grants.

use crate::s3::families::*;
use crate::s3::row::{Body, Level, Row, on_bucket, sum, xml};
use crate::s3::shape;

/// One row a line: `METHOD Operation ["subresource"] "action"`, then what further query keys, body and headers it takes.
macro_rules! rows {
    ($($method:ident $name:ident [$($needs:literal)+] $action:literal
        $(, takes $takes:literal)? $(, body $body:expr_2021)? $(, headers $($family:ident)+)?;)*) => {
        &[$(Row {
            name: stringify!($name),
            method: stringify!($method),
            level: Level::Bucket,
            needs: &[$($needs),+],
            takes: &[$($takes)?],
            copies: false,
            headers: &[$($(&$family),+)?],
            body: first!($($body,)? Body::Empty),
            actions: &[on_bucket($action)],
        }),*]
    };
}

/// The first of one or two expressions.
macro_rules! first {
    ($first:expr_2021 $(, $other:expr_2021)?) => {
        $first
    };
}

pub(super) const ROWS: &[Row] = rows! {
    GET GetBucketAbac ["abac"] "s3:GetBucketAbac";
    PUT PutBucketAbac ["abac"] "s3:PutBucketAbac", body sum(shape::ABAC);
    GET GetBucketAccelerateConfiguration ["accelerate"] "s3:GetAccelerateConfiguration", headers PAYER;
    PUT PutBucketAccelerateConfiguration ["accelerate"] "s3:PutAccelerateConfiguration", body sum(shape::ACCELERATE);
    GET GetBucketAcl ["acl"] "s3:GetBucketAcl";
    PUT PutBucketAcl ["acl"] "s3:PutBucketAcl", body shape::OPTIONAL_ACL, headers ACL;
    GET GetBucketAnalyticsConfiguration ["analytics" "id=*"] "s3:GetAnalyticsConfiguration";
    GET ListBucketAnalyticsConfigurations ["analytics"] "s3:GetAnalyticsConfiguration", takes "continuation-token";
    PUT PutBucketAnalyticsConfiguration ["analytics" "id=*"] "s3:PutAnalyticsConfiguration", body xml(shape::ANALYTICS);
    DELETE DeleteBucketAnalyticsConfiguration ["analytics" "id=*"] "s3:PutAnalyticsConfiguration";
    GET GetBucketCors ["cors"] "s3:GetBucketCORS";
    PUT PutBucketCors ["cors"] "s3:PutBucketCORS", body sum(shape::CORS);
    DELETE DeleteBucketCors ["cors"] "s3:PutBucketCORS";
    GET GetBucketEncryption ["encryption"] "s3:GetEncryptionConfiguration";
    PUT PutBucketEncryption ["encryption"] "s3:PutEncryptionConfiguration", body sum(shape::ENCRYPTION);
    DELETE DeleteBucketEncryption ["encryption"] "s3:PutEncryptionConfiguration";
    GET GetBucketIntelligentTieringConfiguration ["intelligent-tiering" "id=*"] "s3:GetIntelligentTieringConfiguration";
    GET ListBucketIntelligentTieringConfigurations ["intelligent-tiering"] "s3:GetIntelligentTieringConfiguration", takes "continuation-token";
    PUT PutBucketIntelligentTieringConfiguration ["intelligent-tiering" "id=*"] "s3:PutIntelligentTieringConfiguration", body xml(shape::INTELLIGENT_TIERING);
    DELETE DeleteBucketIntelligentTieringConfiguration ["intelligent-tiering" "id=*"] "s3:PutIntelligentTieringConfiguration";
    GET GetBucketInventoryConfiguration ["inventory" "id=*"] "s3:GetInventoryConfiguration";
    GET ListBucketInventoryConfigurations ["inventory"] "s3:GetInventoryConfiguration", takes "continuation-token";
    PUT PutBucketInventoryConfiguration ["inventory" "id=*"] "s3:PutInventoryConfiguration", body xml(shape::INVENTORY);
    DELETE DeleteBucketInventoryConfiguration ["inventory" "id=*"] "s3:PutInventoryConfiguration";
    GET GetBucketLifecycleConfiguration ["lifecycle"] "s3:GetLifecycleConfiguration";
    PUT PutBucketLifecycleConfiguration ["lifecycle"] "s3:PutLifecycleConfiguration", body sum(shape::LIFECYCLE), headers TRANSITION_SIZE;
    DELETE DeleteBucketLifecycle ["lifecycle"] "s3:PutLifecycleConfiguration";
    GET GetBucketLocation ["location"] "s3:GetBucketLocation";
    GET GetBucketLogging ["logging"] "s3:GetBucketLogging";
    PUT PutBucketLogging ["logging"] "s3:PutBucketLogging", body sum(shape::LOGGING);
    GET GetBucketMetadataConfiguration ["metadataConfiguration"] "s3:GetBucketMetadataTableConfiguration";
    DELETE DeleteBucketMetadataConfiguration ["metadataConfiguration"] "s3:DeleteBucketMetadataTableConfiguration";
    GET GetBucketMetadataTableConfiguration ["metadataTable"] "s3:GetBucketMetadataTableConfiguration";
    DELETE DeleteBucketMetadataTableConfiguration ["metadataTable"] "s3:DeleteBucketMetadataTableConfiguration";
    GET GetBucketMetricsConfiguration ["metrics" "id=*"] "s3:GetMetricsConfiguration";
    GET ListBucketMetricsConfigurations ["metrics"] "s3:GetMetricsConfiguration", takes "continuation-token";
    PUT PutBucketMetricsConfiguration ["metrics" "id=*"] "s3:PutMetricsConfiguration", body xml(shape::METRICS);
    DELETE DeleteBucketMetricsConfiguration ["metrics" "id=*"] "s3:PutMetricsConfiguration";
    GET GetBucketNotificationConfiguration ["notification"] "s3:GetBucketNotification";
    PUT PutBucketNotificationConfiguration ["notification"] "s3:PutBucketNotification", body xml(shape::NOTIFICATION), headers SKIP_VALIDATION;
    GET GetBucketOwnershipControls ["ownershipControls"] "s3:GetBucketOwnershipControls";
    PUT PutBucketOwnershipControls ["ownershipControls"] "s3:PutBucketOwnershipControls", body sum(shape::OWNERSHIP);
    DELETE DeleteBucketOwnershipControls ["ownershipControls"] "s3:PutBucketOwnershipControls";
    GET GetBucketPolicy ["policy"] "s3:GetBucketPolicy";
    PUT PutBucketPolicy ["policy"] "s3:PutBucketPolicy", body Body::Policy, headers CONFIRM_POLICY;
    DELETE DeleteBucketPolicy ["policy"] "s3:DeleteBucketPolicy";
    GET GetBucketPolicyStatus ["policyStatus"] "s3:GetBucketPolicyStatus";
    GET GetBucketReplication ["replication"] "s3:GetReplicationConfiguration";
    // Passing the role in its body needs iam:PassRole as well.
    PUT PutBucketReplication ["replication"] "s3:PutReplicationConfiguration", body sum(shape::REPLICATION), headers LOCK_TOKEN;
    DELETE DeleteBucketReplication ["replication"] "s3:PutReplicationConfiguration";
    GET GetBucketRequestPayment ["requestPayment"] "s3:GetBucketRequestPayment";
    PUT PutBucketRequestPayment ["requestPayment"] "s3:PutBucketRequestPayment", body sum(shape::REQUEST_PAYMENT);
    GET GetBucketTagging ["tagging"] "s3:GetBucketTagging";
    PUT PutBucketTagging ["tagging"] "s3:PutBucketTagging", body sum(shape::TAGGING);
    DELETE DeleteBucketTagging ["tagging"] "s3:PutBucketTagging";
    GET GetBucketVersioning ["versioning"] "s3:GetBucketVersioning";
    PUT PutBucketVersioning ["versioning"] "s3:PutBucketVersioning", body sum(shape::VERSIONING);
    GET GetBucketWebsite ["website"] "s3:GetBucketWebsite";
    PUT PutBucketWebsite ["website"] "s3:PutBucketWebsite", body sum(shape::WEBSITE);
    DELETE DeleteBucketWebsite ["website"] "s3:DeleteBucketWebsite";
    GET GetObjectLockConfiguration ["object-lock"] "s3:GetBucketObjectLockConfiguration";
    PUT PutObjectLockConfiguration ["object-lock"] "s3:PutBucketObjectLockConfiguration", body sum(shape::OBJECT_LOCK), headers PAYER LOCK_TOKEN;
    GET GetPublicAccessBlock ["publicAccessBlock"] "s3:GetBucketPublicAccessBlock";
    PUT PutPublicAccessBlock ["publicAccessBlock"] "s3:PutBucketPublicAccessBlock", body sum(shape::PUBLIC_ACCESS_BLOCK);
    DELETE DeletePublicAccessBlock ["publicAccessBlock"] "s3:PutBucketPublicAccessBlock";
};
