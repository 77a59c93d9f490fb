//! Tags, versions and configuration, which the embedded S3 does not have.

use aws_sdk_s3::Client;
use aws_sdk_s3::config::{Config, Region};
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{
    BucketLocationConstraint, BucketVersioningStatus, CorsConfiguration, CorsRule, CreateBucketConfiguration,
    ExpirationStatus, LifecycleExpiration, LifecycleRule, LifecycleRuleFilter, ObjectAttributes, ServerSideEncryption,
    Tag, Tagging, VersioningConfiguration,
};

use super::got;
use crate::Transcript;

const KEY: &str = "notes/today.txt";

/// Tags, versions and configuration of a bucket of this name.
pub async fn more(s3: &Client, bucket: &str) -> Transcript {
    let mut transcript = Transcript::default();
    transcript.whole("CreateBucket", s3.create_bucket().bucket(bucket).send().await);
    tags(&mut transcript, s3, bucket).await;
    configuration(&mut transcript, s3, bucket).await;
    versions(&mut transcript, s3, bucket).await;
    elsewhere(&mut transcript, s3, &format!("{bucket}-elsewhere")).await;
    transcript.whole("DeleteBucket", s3.delete_bucket().bucket(bucket).send().await);
    transcript
}

fn tagging() -> Option<Tagging> {
    let tag = Tag::builder().key("team").value("blue & red").build().ok()?;
    Tagging::builder().tag_set(tag).build().ok()
}

async fn tags(transcript: &mut Transcript, s3: &Client, bucket: &str) {
    let body = ByteStream::from_static(b"one");
    let put = s3.put_object().bucket(bucket).key(KEY).body(body).tagging("team=blue&stage=test");
    let put = put.server_side_encryption(ServerSideEncryption::Aes256).send().await;
    transcript.whole("PutObject, tagged and encrypted", put);
    let tags = s3.get_object_tagging().bucket(bucket).key(KEY).send().await;
    transcript.part("GetObjectTagging", tags, |tags| {
        let mut tags: Vec<_> = tags.tag_set().iter().map(|tag| format!("{}={}", tag.key(), tag.value())).collect();
        tags.sort();
        tags.join(" ")
    });
    let put = s3.put_object_tagging().bucket(bucket).key(KEY).set_tagging(tagging()).send().await;
    transcript.whole("PutObjectTagging", put);
    transcript.whole("GetObjectTagging again", s3.get_object_tagging().bucket(bucket).key(KEY).send().await);
    transcript.whole("DeleteObjectTagging", s3.delete_object_tagging().bucket(bucket).key(KEY).send().await);
    transcript.whole("GetObjectTagging of none", s3.get_object_tagging().bucket(bucket).key(KEY).send().await);
    let attributes = s3.get_object_attributes().bucket(bucket).key(KEY);
    let attributes = attributes
        .object_attributes(ObjectAttributes::Etag)
        .object_attributes(ObjectAttributes::ObjectSize)
        .object_attributes(ObjectAttributes::StorageClass);
    transcript.whole("GetObjectAttributes", attributes.send().await);

    transcript.whole("GetBucketTagging of none", s3.get_bucket_tagging().bucket(bucket).send().await);
    let put = s3.put_bucket_tagging().bucket(bucket).set_tagging(tagging()).send().await;
    transcript.whole("PutBucketTagging", put);
    transcript.whole("GetBucketTagging", s3.get_bucket_tagging().bucket(bucket).send().await);
    transcript.whole("DeleteBucketTagging", s3.delete_bucket_tagging().bucket(bucket).send().await);
}

async fn configuration(transcript: &mut Transcript, s3: &Client, bucket: &str) {
    transcript.whole("GetBucketCors of none", s3.get_bucket_cors().bucket(bucket).send().await);
    let rule = CorsRule::builder().allowed_methods("GET").allowed_origins("https://example.com").build();
    if let Some(cors) = rule.ok().and_then(|rule| CorsConfiguration::builder().cors_rules(rule).build().ok()) {
        let put = s3.put_bucket_cors().bucket(bucket).cors_configuration(cors).send().await;
        transcript.whole("PutBucketCors", put);
        transcript.whole("GetBucketCors", s3.get_bucket_cors().bucket(bucket).send().await);
        transcript.whole("DeleteBucketCors", s3.delete_bucket_cors().bucket(bucket).send().await);
    }
    let rule = LifecycleRule::builder()
        .id("expire")
        .status(ExpirationStatus::Enabled)
        .filter(LifecycleRuleFilter::builder().prefix("notes/").build())
        .expiration(LifecycleExpiration::builder().days(7).build())
        .build();
    let lifecycle =
        rule.ok().and_then(|rule| aws_sdk_s3::types::BucketLifecycleConfiguration::builder().rules(rule).build().ok());
    let put = s3.put_bucket_lifecycle_configuration().bucket(bucket).set_lifecycle_configuration(lifecycle);
    transcript.whole("PutBucketLifecycleConfiguration", put.send().await);
    let got = s3.get_bucket_lifecycle_configuration().bucket(bucket).send().await;
    transcript.whole("GetBucketLifecycleConfiguration", got);
    transcript.whole("DeleteBucketLifecycle", s3.delete_bucket_lifecycle().bucket(bucket).send().await);
    transcript.whole("GetBucketEncryption", s3.get_bucket_encryption().bucket(bucket).send().await);
}

async fn versions(transcript: &mut Transcript, s3: &Client, bucket: &str) {
    let enabled = VersioningConfiguration::builder().status(BucketVersioningStatus::Enabled).build();
    let put = s3.put_bucket_versioning().bucket(bucket).versioning_configuration(enabled).send().await;
    transcript.whole("PutBucketVersioning", put);
    transcript.whole("GetBucketVersioning", s3.get_bucket_versioning().bucket(bucket).send().await);
    let put = s3.put_object().bucket(bucket).key(KEY).body(ByteStream::from_static(b"two")).send().await;
    let version = put.as_ref().ok().and_then(|put| put.version_id.clone());
    transcript.made_up(version.as_deref(), "VERSION-2");
    transcript.whole("PutObject, a version", put);
    let deleted = s3.delete_object().bucket(bucket).key(KEY).send().await;
    transcript.made_up(deleted.as_ref().ok().and_then(|deleted| deleted.version_id()), "MARKER");
    transcript.whole("DeleteObject, the newest", deleted);
    got(transcript, "GetObject, deleted", s3.get_object().bucket(bucket).key(KEY)).await;
    let version = version.unwrap_or_default();
    got(transcript, "GetObject, a version", s3.get_object().bucket(bucket).key(KEY).version_id(&version)).await;

    let listed = s3.list_object_versions().bucket(bucket).send().await;
    let shown = transcript.part("ListObjectVersions", listed, |listed| {
        let versions = listed.versions().iter().map(|one| format!("{:?} {:?}", one.version_id(), one.is_latest()));
        let markers = listed.delete_markers().iter().map(|one| format!("{:?} {:?}", one.version_id(), one.is_latest()));
        format!("{:?}, markers {:?}", versions.collect::<Vec<_>>(), markers.collect::<Vec<_>>())
    });
    let Some(shown) = shown else { return };
    let versions = shown.versions().iter().map(|one| one.version_id());
    for version in versions.chain(shown.delete_markers().iter().map(|one| one.version_id())) {
        let deleted = s3.delete_object().bucket(bucket).key(KEY).set_version_id(version.map(str::to_owned));
        transcript.whole("DeleteObject, a version", deleted.send().await);
    }
}

/// A bucket in another Region, where making one twice is an error, which it is not in us-east-1.
async fn elsewhere(transcript: &mut Transcript, s3: &Client, bucket: &str) {
    let region = || Config::builder().region(Region::from_static("eu-west-1"));
    let place = CreateBucketConfiguration::builder().location_constraint(BucketLocationConstraint::EuWest1).build();
    for call in ["CreateBucket elsewhere", "CreateBucket elsewhere again"] {
        let create = s3.create_bucket().bucket(bucket).create_bucket_configuration(place.clone());
        transcript.whole(call, create.customize().config_override(region()).send().await);
    }
    let location = s3.get_bucket_location().bucket(bucket).customize().config_override(region()).send().await;
    transcript.whole("GetBucketLocation elsewhere", location);
    let deleted = s3.delete_bucket().bucket(bucket).customize().config_override(region()).send().await;
    transcript.whole("DeleteBucket elsewhere", deleted);
}
