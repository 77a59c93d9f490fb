//! Buckets of strangers: whose they are, whom they let in, and what a caller can insist on.

use crate::client::{FULL, Key, Local, policies, roles};

const STRANGER: &str = "999999999999";

/// `own-bucket` is the account's; `open-bucket` and `closed-bucket` are a stranger's.
async fn start() -> (Local, Key) {
    let local = Local::start(&roles(&[("full", FULL)])).await;
    let key = local.assume("full", &[]).await;
    local.bucket(&key, "own-bucket").await;
    let stranger = STRANGER.parse().unwrap();
    local.aws().create_bucket_of(&stranger, "open-bucket", true).unwrap();
    local.aws().create_bucket_of(&stranger, "closed-bucket", false).unwrap();
    for bucket in ["own-bucket", "open-bucket", "closed-bucket"] {
        local.aws().put_object(bucket, "key", "content").await.unwrap();
    }
    (local, key)
}

#[tokio::test]
async fn a_strangers_open_bucket_takes_everybody_in_and_a_closed_one_nobody() {
    let (local, key) = start().await;
    local.s3(&key, "PUT", "/open-bucket/new").body("x").send().await.expect(200, "");
    local.s3(&key, "GET", "/open-bucket/key").send().await.expect(200, "");
    for (method, target) in [
        ("GET", "/closed-bucket/key"),
        ("PUT", "/closed-bucket/key"),
        ("DELETE", "/closed-bucket/key"),
        ("GET", "/closed-bucket?list-type=2"),
        ("GET", "/closed-bucket?location"),
        ("DELETE", "/closed-bucket"),
        ("POST", "/closed-bucket/key?uploads"),
    ] {
        local.s3(&key, method, target).send().await.expect(403, "AccessDenied");
    }
    let body = "<Delete><Object><Key>key</Key></Object></Delete>";
    local.s3(&key, "POST", "/closed-bucket?delete").body(body).send().await.expect(403, "AccessDenied");
    let copy = local.s3(&key, "PUT", "/own-bucket/copy").header("x-amz-copy-source", "closed-bucket/key");
    copy.send().await.expect(403, "AccessDenied");
    assert_eq!(local.aws().object("closed-bucket", "key").unwrap(), b"content");
}

#[tokio::test]
async fn the_expected_owner_must_be_the_owner() {
    let (local, key) = start().await;
    let own = "123456789012";
    let cases = [
        ("own-bucket", own, 200, ""),
        ("own-bucket", STRANGER, 403, "AccessDenied"),
        ("open-bucket", own, 403, "AccessDenied"),
        ("open-bucket", STRANGER, 200, ""),
        ("own-bucket", "", 400, "InvalidBucketOwnerAWSAccountID"),
        ("own-bucket", "12345678901", 400, "InvalidBucketOwnerAWSAccountID"),
        ("own-bucket", "12345678901x", 400, "InvalidBucketOwnerAWSAccountID"),
        ("own-bucket", "any", 400, "InvalidBucketOwnerAWSAccountID"),
    ];
    for (bucket, owner, status, code) in cases {
        for (method, target) in [
            ("PUT", format!("/{bucket}/key")),
            ("GET", format!("/{bucket}?list-type=2")),
            ("POST", format!("/{bucket}?delete")),
        ] {
            let body = if method == "GET" { "" } else { "<Delete><Object><Key>absent</Key></Object></Delete>" };
            let call = local.s3(&key, method, &target).header("x-amz-expected-bucket-owner", owner).body(body);
            let reply = call.send().await;
            assert_eq!(
                (reply.status, reply.element("Code").as_str()),
                (status, code),
                "{method} {target} {owner}: {}",
                reply.body
            );
        }
    }
    // Operations that do not take the header refuse it.
    for (method, target) in [("GET", "/"), ("PUT", "/new-bucket")] {
        let call = local.s3(&key, method, target).header("x-amz-expected-bucket-owner", own);
        call.send().await.expect(501, "NotImplemented");
    }
}

#[tokio::test]
async fn the_expected_owner_of_a_copys_source_counts_for_itself() {
    let (local, key) = start().await;
    let own = "123456789012";
    let cases = [
        ("own-bucket/key", own, 200),
        ("own-bucket/key", STRANGER, 403),
        ("open-bucket/key", own, 403),
        ("open-bucket/key", STRANGER, 200),
        ("open-bucket/key", "x", 400),
    ];
    for (source, owner, status) in cases {
        let call = local
            .s3(&key, "PUT", "/own-bucket/copy")
            .header("x-amz-copy-source", source)
            .header("x-amz-expected-bucket-owner", own)
            .header("x-amz-source-expected-bucket-owner", owner);
        assert_eq!(call.send().await.status, status, "{source} {owner}");
    }
}

#[tokio::test]
async fn conditions_see_the_account_of_the_bucket() {
    let own = r#"{"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"StringEquals":{"aws:ResourceAccount":"123456789012"}}}"#;
    let local = Local::start(&roles(&[("task", &policies(own)), ("full", FULL)])).await;
    let full = local.assume("full", &[]).await;
    local.bucket(&full, "own-bucket").await;
    local.aws().create_bucket_of(&STRANGER.parse().unwrap(), "open-bucket", true).unwrap();
    for bucket in ["own-bucket", "open-bucket"] {
        local.aws().put_object(bucket, "key", "content").await.unwrap();
    }
    let key = local.assume("task", &[]).await;
    local.s3(&key, "GET", "/own-bucket/key").send().await.expect(200, "");
    local.s3(&key, "GET", "/open-bucket/key").send().await.expect(403, "AccessDenied");
    let copy = local.s3(&key, "PUT", "/own-bucket/copy").header("x-amz-copy-source", "open-bucket/key");
    copy.send().await.expect(403, "AccessDenied");
    // A bucket that does not exist has no other owner, so the store's own answer comes through.
    local.s3(&key, "GET", "/no-such-bucket/key").send().await.expect(404, "NoSuchBucket");
    // These have no bucket's account yet, so a policy that insists on one does not allow them.
    local.s3(&key, "GET", "/").send().await.expect(403, "AccessDenied");
}

#[tokio::test]
async fn names_are_shared_by_all_accounts_and_lists_are_not() {
    let (local, key) = start().await;
    local.s3(&key, "PUT", "/open-bucket").send().await.expect(409, "BucketAlreadyExists");
    local.s3(&key, "PUT", "/closed-bucket").send().await.expect(409, "BucketAlreadyExists");
    local.s3(&key, "PUT", "/own-bucket").send().await.expect(200, "");
    let reply = local.s3(&key, "GET", "/").send().await;
    assert_eq!(reply.elements("Name"), ["own-bucket"]);
    assert!(local.aws().create_bucket_of(&STRANGER.parse().unwrap(), "own-bucket", true).is_err());
    assert!(local.aws().create_bucket_of(&STRANGER.parse().unwrap(), "../escape", true).is_err());
    assert_eq!(local.aws().buckets().len(), 3);
}
