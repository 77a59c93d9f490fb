//! The data folder: kept over restarts, used by one at a time, and never guessed about.

use std::fs;

use rolebox_local_aws::{DataFolder, DataFolderError, LocalAws, LocalAwsError, Roles};

use crate::client::{FULL, Local, roles};

fn open(path: &std::path::Path) -> Result<LocalAws, LocalAwsError> {
    LocalAws::builder(Roles::none()).data(DataFolder::At(path.into())).build()
}

#[track_caller]
fn refused(path: &std::path::Path) -> DataFolderError {
    match open(path) {
        Err(LocalAwsError::Data(error)) => error,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn data_and_owners_survive_a_restart_and_sessions_do_not() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let file = roles(&[("full", FULL)]);
    let local = Local::start_at(&file, DataFolder::At(data.clone())).await;
    let key = local.assume("full", &[]).await;
    local.bucket(&key, "data-bucket").await;
    local
        .s3(&key, "PUT", "/data-bucket/hello_world.txt")
        .header("x-amz-meta-a", "b")
        .body("Hello World!")
        .send()
        .await
        .expect(200, "");
    local.aws().create_bucket_of(&"999999999999".parse().unwrap(), "closed-bucket", false).unwrap();
    let begun = local.s3(&key, "POST", "/data-bucket/big?uploads").send().await;
    let id = begun.element("UploadId");
    let part = local.s3(&key, "PUT", &format!("/data-bucket/big?partNumber=1&uploadId={id}")).body("part").send().await;
    let etag = part.header("etag").unwrap().to_owned();
    local.server.shutdown().await;

    let local = Local::start_at(&file, DataFolder::At(data)).await;
    local.s3(&key, "GET", "/data-bucket/hello_world.txt").send().await.expect(403, "InvalidAccessKeyId");
    let key = local.assume("full", &[]).await;
    let reply = local.s3(&key, "GET", "/data-bucket/hello_world.txt").send().await;
    assert_eq!((reply.body.as_str(), reply.header("x-amz-meta-a")), ("Hello World!", Some("b")));
    local.s3(&key, "GET", "/closed-bucket?list-type=2").send().await.expect(403, "AccessDenied");
    let body = format!(
        "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>{etag}</ETag></Part></CompleteMultipartUpload>"
    );
    local.s3(&key, "POST", &format!("/data-bucket/big?uploadId={id}")).body(body).send().await.expect(200, "");
    assert_eq!(local.aws().object("data-bucket", "big").unwrap(), b"part");
}

#[tokio::test]
async fn a_second_user_of_the_folder_is_kept_out_until_the_first_is_gone() {
    let folder = tempfile::tempdir().unwrap();
    let first = open(folder.path()).unwrap();
    let error = refused(folder.path());
    assert!(matches!(error, DataFolderError::InUse(_)), "{error}");
    assert!(error.to_string().contains("in use by another rolebox"));
    drop(first);
    open(folder.path()).unwrap();
}

#[test]
fn a_folder_that_is_not_ours_is_not_touched() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("thesis.txt"), "years of work").unwrap();
    assert!(matches!(refused(folder.path()), DataFolderError::Foreign(_)));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    fs::write(folder.path().join("format"), "rolebox-local-aws 999\n").unwrap();
    assert!(matches!(refused(folder.path()), DataFolderError::Foreign(_)));
    let file = folder.path().join("thesis.txt");
    assert!(matches!(refused(&file), DataFolderError::Io { .. }));
}

#[tokio::test]
async fn damage_is_named_and_leftovers_are_removed() {
    let folder = tempfile::tempdir().unwrap();
    let aws = open(folder.path()).unwrap();
    aws.create_bucket_of(&"123456789012".parse().unwrap(), "data-bucket", false).unwrap();
    aws.put_object("data-bucket", "key", "content").await.unwrap();
    drop(aws);
    let bucket = folder.path().join("buckets/data-bucket");
    for leftover in ["data/orphan", "objects/.new-abc"] {
        fs::write(bucket.join(leftover), "leftover").unwrap();
    }
    fs::create_dir(bucket.join("uploads/half")).unwrap();
    fs::create_dir(folder.path().join("buckets/.new-half")).unwrap();
    let aws = open(folder.path()).unwrap();
    assert_eq!(aws.object("data-bucket", "key").unwrap(), b"content");
    for leftover in ["data/orphan", "objects/.new-abc", "uploads/half", "../.new-half"] {
        assert!(!bucket.join(leftover).exists(), "{leftover}");
    }
    drop(aws);
    fs::write(bucket.join("bucket.json"), "{").unwrap();
    let error = refused(folder.path());
    assert!(matches!(&error, DataFolderError::Damaged { path, .. } if path.ends_with("bucket.json")), "{error}");
    fs::remove_file(bucket.join("bucket.json")).unwrap();
    assert!(matches!(refused(folder.path()), DataFolderError::Io { .. }), "a bucket without an owner is nobody's");
}

#[cfg(unix)]
#[tokio::test]
async fn only_its_owner_can_enter_the_folder() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let _aws = open(&data).unwrap();
    assert_eq!(fs::metadata(&data).unwrap().permissions().mode() & 0o777, 0o700);
}

#[tokio::test]
async fn a_failed_upload_leaves_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let local = Local::start_at(&roles(&[("full", FULL)]), DataFolder::At(folder.path().into())).await;
    let key = local.assume("full", &[]).await;
    local.bucket(&key, "data-bucket").await;
    let mut signed = local.s3(&key, "PUT", "/data-bucket/key").body("Hello World!").sign();
    signed.body = b"Hello Wormd!".to_vec();
    signed.send().await.expect(400, "XAmzContentSHA256Mismatch");
    local
        .s3(&key, "PUT", "/data-bucket/key")
        .header("content-md5", "AAAA")
        .body("x")
        .send()
        .await
        .expect(400, "BadDigest");
    assert_eq!(fs::read_dir(folder.path().join("buckets/data-bucket/data")).unwrap().count(), 0);
    // Replaced and deleted contents go too.
    for body in ["one", "two"] {
        local.s3(&key, "PUT", "/data-bucket/key").body(body).send().await.expect(200, "");
    }
    assert_eq!(fs::read_dir(folder.path().join("buckets/data-bucket/data")).unwrap().count(), 1);
    local.s3(&key, "DELETE", "/data-bucket/key").send().await.expect(204, "");
    assert_eq!(fs::read_dir(folder.path().join("buckets/data-bucket/data")).unwrap().count(), 0);
}
