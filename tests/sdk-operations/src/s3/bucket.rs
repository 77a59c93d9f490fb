//! Buckets: made, listed page by page, emptied and deleted.

use aws_sdk_s3::Client;
use aws_sdk_s3::types::{Delete, ObjectIdentifier};

use crate::Transcript;

/// A bucket that nobody has.
pub(super) const MISSING: &str = "rolebox-sdk-operations-missing";

pub(super) async fn made(transcript: &mut Transcript, s3: &Client, bucket: &str) {
    transcript.whole("HeadBucket of none", s3.head_bucket().bucket(bucket).send().await);
    transcript.whole("CreateBucket", s3.create_bucket().bucket(bucket).send().await);
    transcript.whole("CreateBucket again", s3.create_bucket().bucket(bucket).send().await);
    transcript.whole("HeadBucket", s3.head_bucket().bucket(bucket).send().await);
    transcript.whole("GetBucketLocation", s3.get_bucket_location().bucket(bucket).send().await);
    transcript.whole("ListBuckets", s3.list_buckets().send().await);
    transcript.whole("ListObjectsV2 of none", s3.list_objects_v2().bucket(MISSING).send().await);
    transcript.whole("ListObjectsV2 of nothing", s3.list_objects_v2().bucket(bucket).send().await);
}

/// Every page of every way to list.
pub(super) async fn listed(transcript: &mut Transcript, s3: &Client, bucket: &str) {
    transcript.whole("ListObjectsV2", s3.list_objects_v2().bucket(bucket).send().await);
    let folders = s3.list_objects_v2().bucket(bucket).delimiter("/").prefix("copies/").send().await;
    transcript.whole("ListObjectsV2 of a folder", folders);
    transcript.whole("ListObjectsV2 after", s3.list_objects_v2().bucket(bucket).start_after("p").send().await);

    let mut pages = s3.list_objects_v2().bucket(bucket).into_paginator().page_size(3).send();
    let mut keys = Vec::new();
    while let Some(page) = pages.next().await {
        let shown = transcript.part("ListObjectsV2, a page", page, |page| {
            let keys: Vec<_> = page.contents().iter().filter_map(|object| object.key()).collect();
            format!("{:?} of {:?}, more: {:?}", keys, page.key_count(), page.is_truncated())
        });
        let Some(page) = shown else { break };
        keys.extend(page.contents().iter().filter_map(|object| object.key().map(str::to_owned)));
    }
    transcript.line(&format!("all pages: {keys:?}"));
    transcript.whole("ListObjects", s3.list_objects().bucket(bucket).max_keys(2).send().await);
    transcript
        .whole("ListObjects after", s3.list_objects().bucket(bucket).marker("hello.txt").max_keys(2).send().await);
}

/// Deletes all that is left, one first and then the rest at once.
pub(super) async fn deleted(transcript: &mut Transcript, s3: &Client, bucket: &str) {
    transcript.whole("DeleteBucket that is not empty", s3.delete_bucket().bucket(bucket).send().await);
    transcript.whole("DeleteObject", s3.delete_object().bucket(bucket).key("hello.txt").send().await);
    transcript.whole("DeleteObject of none", s3.delete_object().bucket(bucket).key("hello.txt").send().await);
    let left = s3.list_objects_v2().bucket(bucket).send().await;
    let left = left.map(|left| left.contents.unwrap_or_default()).unwrap_or_default();
    let objects = left.iter().filter_map(|object| ObjectIdentifier::builder().key(object.key()?).build().ok());
    if let Ok(delete) = Delete::builder().set_objects(Some(objects.collect())).build() {
        let deleted = s3.delete_objects().bucket(bucket).delete(delete).send().await;
        transcript.part("DeleteObjects", deleted, |deleted| {
            let mut keys: Vec<_> = deleted.deleted().iter().filter_map(|one| one.key()).collect();
            keys.sort_unstable();
            format!("{keys:?}, errors: {:?}", deleted.errors())
        });
    }
    transcript.whole("DeleteBucket", s3.delete_bucket().bucket(bucket).send().await);
    transcript.whole("DeleteBucket of none", s3.delete_bucket().bucket(bucket).send().await);
}
