//! What S3 does with buckets and objects, as far as clients can tell the difference.

use std::time::Duration;

use crate::client::{FULL, Key, Local, Reply, roles};

async fn start() -> (Local, Key) {
    let local = Local::start(&roles(&[("full", FULL)])).await;
    let key = local.assume("full", &[]).await;
    local.bucket(&key, "data-bucket").await;
    (local, key)
}

#[tokio::test]
async fn buckets_are_made_found_and_deleted_when_empty() {
    let (local, key) = start().await;
    let call = async |method: &str, target: &str| local.s3(&key, method, target).send().await;
    call("HEAD", "/data-bucket").await.expect(200, "");
    assert_eq!(call("HEAD", "/data-bucket").await.header("x-amz-bucket-region"), Some("us-east-1"));
    call("HEAD", "/no-such-bucket").await.expect(404, "");
    call("GET", "/no-such-bucket?list-type=2").await.expect(404, "NoSuchBucket");
    call("PUT", "/no-such-bucket/key").await.expect(404, "NoSuchBucket");
    assert!(local.aws().objects("no-such-bucket").is_none());
    call("GET", "/data-bucket?location").await.expect(200, "");
    call("PUT", "/data-bucket/key").await.expect(200, "");
    call("DELETE", "/data-bucket").await.expect(409, "BucketNotEmpty");
    call("DELETE", "/data-bucket/key").await.expect(204, "");
    call("DELETE", "/data-bucket/key").await.expect(204, "");
    call("DELETE", "/data-bucket").await.expect(204, "");
    call("DELETE", "/data-bucket").await.expect(404, "NoSuchBucket");
    let body =
        "<CreateBucketConfiguration><LocationConstraint>eu-central-1</LocationConstraint></CreateBucketConfiguration>";
    let elsewhere = local.s3(&key, "PUT", "/new-bucket").body(body).send().await;
    elsewhere.expect(400, "IllegalLocationConstraintException");
    for name in ["ab", "A-bucket", "a_b", "192.168.0.1", "a..b", "-abc", "abc-"] {
        call("PUT", &format!("/{name}")).await.expect(400, "InvalidBucketName");
    }
}

#[tokio::test]
async fn an_object_comes_back_as_it_was_put() {
    let (local, key) = start().await;
    let put = local
        .s3(&key, "PUT", "/data-bucket/hello_world.txt")
        .header("content-type", "text/plain; charset=utf-8")
        .header("content-encoding", "aws-chunked,gzip")
        .header("cache-control", "no-store")
        .header("content-disposition", "attachment")
        .header("x-amz-meta-colour", "blue")
        .body("Hello World!");
    let reply = put.send().await;
    assert_eq!(reply.header("etag"), Some("\"ed076287532e86365e841e92bfc50d8c\""));
    for method in ["GET", "HEAD"] {
        let reply = local.s3(&key, method, "/data-bucket/hello_world.txt").send().await;
        for (name, value) in [
            ("content-type", "text/plain; charset=utf-8"),
            ("content-encoding", "gzip"),
            ("cache-control", "no-store"),
            ("content-disposition", "attachment"),
            ("x-amz-meta-colour", "blue"),
            ("content-length", "12"),
            ("etag", "\"ed076287532e86365e841e92bfc50d8c\""),
            ("last-modified", "Wed, 25 Nov 2026 12:00:00 GMT"),
        ] {
            assert_eq!(reply.header(name), Some(value), "{method}");
        }
        assert_eq!(reply.body, if method == "GET" { "Hello World!" } else { "" });
    }
    let reply = local.s3(&key, "GET", "/data-bucket/hello_world.txt?response-content-type=text%2Fhtml").send().await;
    assert_eq!(reply.header("content-type"), Some("text/html"));
}

#[tokio::test]
async fn ranges_and_conditions_are_those_of_http() {
    let (local, key) = start().await;
    local.s3(&key, "PUT", "/data-bucket/key").body("0123456789").send().await.expect(200, "");
    let ranges = [
        ("bytes=0-3", 206, "0123", "bytes 0-3/10"),
        ("bytes=5-", 206, "56789", "bytes 5-9/10"),
        ("bytes=-2", 206, "89", "bytes 8-9/10"),
        ("bytes=8-100", 206, "89", "bytes 8-9/10"),
    ];
    for (range, status, body, content_range) in ranges {
        let reply = local.s3(&key, "GET", "/data-bucket/key").header("range", range).send().await;
        assert_eq!(
            (reply.status, reply.body.as_str(), reply.header("content-range")),
            (status, body, Some(content_range))
        );
    }
    local.s3(&key, "GET", "/data-bucket/key").header("range", "bytes=10-").send().await.expect(416, "InvalidRange");

    let etag = "\"781e5e245d69b566979b86e28d23f2c7\"";
    let (before, after) = ("Wed, 25 Nov 2026 11:59:59 GMT", "Wed, 25 Nov 2026 12:00:00 GMT");
    let cases = [
        ("if-match", etag, 200),
        ("if-match", "\"other\"", 412),
        ("if-none-match", etag, 304),
        ("if-none-match", "\"other\"", 200),
        ("if-modified-since", before, 200),
        ("if-modified-since", after, 304),
        ("if-unmodified-since", before, 412),
        ("if-unmodified-since", after, 200),
    ];
    for (name, value, status) in cases {
        let reply = local.s3(&key, "GET", "/data-bucket/key").header(name, value).send().await;
        assert_eq!(reply.status, status, "{name}: {value}");
    }
    let put = |name: &str, value: &str| local.s3(&key, "PUT", "/data-bucket/key").header(name, value).body("new");
    put("if-none-match", "*").send().await.expect(412, "PreconditionFailed");
    put("if-none-match", etag).send().await.expect(501, "NotImplemented");
    put("if-match", "\"other\"").send().await.expect(412, "PreconditionFailed");
    assert_eq!(local.aws().object("data-bucket", "key").unwrap(), b"0123456789");
    put("if-match", etag).send().await.expect(200, "");
    local.s3(&key, "PUT", "/data-bucket/new").header("if-none-match", "*").body("new").send().await.expect(200, "");
}

#[tokio::test]
async fn a_wrong_checksum_leaves_the_old_object() {
    let (local, key) = start().await;
    let put = || local.s3(&key, "PUT", "/data-bucket/key").body("Hello World!");
    put().header("x-amz-checksum-crc32", "HCkRo=").send().await.expect(400, "BadDigest");
    put().header("content-md5", "AAAAAAAAAAAAAAAAAAAAAA==").send().await.expect(400, "BadDigest");
    put().header("x-amz-checksum-sha256", "AAAA").send().await.expect(400, "BadDigest");
    assert!(local.aws().object("data-bucket", "key").is_err());
    let good = put().header("x-amz-checksum-crc32", "HCkcow==").header("content-md5", "7Qdih1MuhjZehB6Sv8UNjA==");
    let reply = good.send().await;
    let expected = if reply.status == 200 {
        reply.header("x-amz-checksum-crc32").unwrap_or_default().to_owned()
    } else {
        reply.body
    };
    assert_eq!(expected, "HCkcow==");
    let got = local.s3(&key, "GET", "/data-bucket/key").header("x-amz-checksum-mode", "ENABLED").send().await;
    assert_eq!(got.header("x-amz-checksum-crc32"), Some("HCkcow=="));
}

/// A body in signed chunks, as SDKs stream it over plain HTTP.
#[tokio::test]
async fn chunked_bodies_are_decoded_and_their_checksums_verified() {
    let (local, key) = start().await;
    let body = |crc: &str| format!("c\r\nHello World!\r\n0\r\nx-amz-checksum-crc32:{crc}\r\n\r\n");
    let put = |crc: &str| {
        local
            .s3(&key, "PUT", "/data-bucket/key")
            .header("content-encoding", "aws-chunked")
            .header("x-amz-trailer", "x-amz-checksum-crc32")
            .header("x-amz-decoded-content-length", "12")
            .payload("STREAMING-UNSIGNED-PAYLOAD-TRAILER")
            .body(body(crc))
    };
    put("AAAAAA==").send().await.expect(400, "BadDigest");
    assert!(local.aws().object("data-bucket", "key").is_err());
    put("HCkcow==").send().await.expect(200, "");
    assert_eq!(local.aws().object("data-bucket", "key").unwrap(), b"Hello World!");
    let signed = local
        .s3(&key, "PUT", "/data-bucket/signed")
        .header("x-amz-decoded-content-length", "12")
        .payload("STREAMING-AWS4-HMAC-SHA256-PAYLOAD")
        .body(format!("c;chunk-signature={}\r\nHello World!\r\n0;chunk-signature={0}\r\n\r\n", "0".repeat(64)));
    signed.send().await.expect(403, "SignatureDoesNotMatch");
    let cut = local
        .s3(&key, "PUT", "/data-bucket/cut")
        .header("x-amz-trailer", "x-amz-checksum-crc32")
        .header("x-amz-decoded-content-length", "12")
        .payload("STREAMING-UNSIGNED-PAYLOAD-TRAILER")
        .body("c\r\nHello");
    cut.send().await.expect(400, "IncompleteBody");
    let short = local
        .s3(&key, "PUT", "/data-bucket/short")
        .header("x-amz-trailer", "x-amz-checksum-crc32")
        .header("x-amz-decoded-content-length", "11")
        .payload("STREAMING-UNSIGNED-PAYLOAD-TRAILER")
        .body(body("HCkcow=="));
    assert!(short.send().await.status >= 400);
    for name in ["signed", "cut", "short"] {
        assert!(local.aws().object("data-bucket", name).is_err(), "{name}");
    }
}

#[tokio::test]
async fn lists_page_roll_up_and_encode() {
    let (local, key) = start().await;
    for name in ["a", "a/1", "a/2", "b c/1", "d%"] {
        local.aws().put_object("data-bucket", name, "x").await.unwrap();
    }
    let list = async |query: &str| local.s3(&key, "GET", &format!("/data-bucket{query}")).send().await;
    let reply = list("?list-type=2").await;
    assert_eq!(reply.elements("Key"), ["a", "a/1", "a/2", "b c/1", "d%"]);
    assert_eq!(reply.element("KeyCount"), "5");
    assert_eq!(reply.element("ETag"), "\"9dd4e461268c8034f5c8564e155c67a6\"");
    let reply = list("?list-type=2&delimiter=%2F&encoding-type=url").await;
    assert_eq!(reply.elements("Key"), ["a", "d%25"]);
    assert!(reply.body.contains("<CommonPrefixes><Prefix>b%20c/</Prefix></CommonPrefixes>"), "{}", reply.body);
    let mut query = "?list-type=2&max-keys=2".to_owned();
    let mut keys = Vec::new();
    loop {
        let reply: Reply = list(&query).await;
        keys.extend(reply.elements("Key"));
        if reply.element("IsTruncated") != "true" {
            break;
        }
        query = format!("?list-type=2&max-keys=2&continuation-token={}", reply.element("NextContinuationToken"));
    }
    assert_eq!(keys, ["a", "a/1", "a/2", "b c/1", "d%"]);
    assert_eq!(list("?marker=a%2F1&max-keys=1").await.elements("Key"), ["a/2"]);
    assert_eq!(list("?list-type=2&start-after=b").await.elements("Key"), ["b c/1", "d%"]);
    assert_eq!(list("?list-type=2&max-keys=0").await.element("IsTruncated"), "false");
    list("?list-type=2&max-keys=-1").await.expect(400, "InvalidArgument");
    list("?list-type=2&max-keys=x").await.expect(400, "InvalidArgument");
    list("?list-type=2&continuation-token=abc").await.expect(400, "InvalidArgument");
    list("?list-type=2&encoding-type=base64").await.expect(400, "InvalidArgument");
}

#[tokio::test]
async fn an_upload_in_parts_outlives_its_session_and_stays_with_its_key() {
    let (local, first) = start().await;
    local.bucket(&first, "other-bucket").await;
    let begun = local.s3(&first, "POST", "/data-bucket/big?uploads").header("content-type", "text/plain").send().await;
    let id = begun.element("UploadId");
    let part = |key: &Key, bucket: &str, number: u32, body: Vec<u8>| {
        local.s3(key, "PUT", &format!("/{bucket}/big?partNumber={number}&uploadId={id}")).body(body)
    };
    let five = vec![b'a'; 5 * 1024 * 1024];
    let one = part(&first, "data-bucket", 1, five.clone()).send().await.header("etag").unwrap().to_owned();
    // The session ends in the middle; the next one goes on.
    local.clock.advance(Duration::from_secs(3600));
    let key = local.assume("full", &[]).await;
    let two = part(&key, "data-bucket", 2, b"end".to_vec()).send().await.header("etag").unwrap().to_owned();
    part(&key, "other-bucket", 2, b"end".to_vec()).send().await.expect(404, "NoSuchUpload");
    part(&key, "data-bucket", 0, b"end".to_vec()).send().await.expect(400, "InvalidArgument");
    part(&key, "data-bucket", 10_001, b"end".to_vec()).send().await.expect(400, "InvalidArgument");

    let listed = local.s3(&key, "GET", &format!("/data-bucket/big?uploadId={id}")).send().await;
    assert_eq!(listed.elements("PartNumber"), ["1", "2"]);
    assert_eq!(
        local.s3(&key, "GET", "/data-bucket?uploads").send().await.elements("UploadId"),
        std::slice::from_ref(&id)
    );

    let complete = |bucket: &str, parts: &[(u32, &str)]| {
        let parts: String = parts
            .iter()
            .map(|(number, etag)| format!("<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag></Part>"))
            .collect();
        let body = format!("<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>");
        local.s3(&key, "POST", &format!("/{bucket}/big?uploadId={id}")).body(body)
    };
    complete("other-bucket", &[(1, &one)]).send().await.expect(404, "NoSuchUpload");
    complete("data-bucket", &[]).send().await.expect(400, "MalformedXML");
    complete("data-bucket", &[(2, &two), (1, &one)]).send().await.expect(400, "InvalidPartOrder");
    complete("data-bucket", &[(1, &two), (2, &two)]).send().await.expect(400, "InvalidPart");
    complete("data-bucket", &[(1, &one), (3, &two)]).send().await.expect(400, "InvalidPart");
    complete("data-bucket", &[(1, &one), (2, &two)]).send().await.expect(200, "");
    complete("data-bucket", &[(1, &one), (2, &two)]).send().await.expect(404, "NoSuchUpload");
    let whole = local.aws().object("data-bucket", "big").unwrap();
    assert_eq!((whole.len(), &whole[whole.len() - 3..]), (five.len() + 3, &b"end"[..]));
    let head = local.s3(&key, "HEAD", "/data-bucket/big").send().await;
    assert!(head.header("etag").unwrap().ends_with("-2\""));
    assert_eq!(head.header("content-type"), Some("text/plain"));
}

#[tokio::test]
async fn small_parts_and_aborted_uploads_make_no_object() {
    let (local, key) = start().await;
    let id = local.s3(&key, "POST", "/data-bucket/big?uploads").send().await.element("UploadId");
    let target = |number: u32| format!("/data-bucket/big?partNumber={number}&uploadId={id}");
    let mut etags = Vec::new();
    for number in [1, 2] {
        let reply = local.s3(&key, "PUT", &target(number)).body("small").send().await;
        etags.push(reply.header("etag").unwrap().to_owned());
    }
    let copied = local.s3(&key, "PUT", &target(3)).header("x-amz-copy-source", "data-bucket/source");
    copied.send().await.expect(404, "NoSuchKey");
    local.aws().put_object("data-bucket", "source", "0123456789").await.unwrap();
    let copied = local
        .s3(&key, "PUT", &target(3))
        .header("x-amz-copy-source", "data-bucket/source")
        .header("x-amz-copy-source-range", "bytes=2-4");
    copied.send().await.expect(200, "");
    let outside = local
        .s3(&key, "PUT", &target(4))
        .header("x-amz-copy-source", "data-bucket/source")
        .header("x-amz-copy-source-range", "bytes=2-10");
    outside.send().await.expect(416, "InvalidRange");
    let body = format!(
        "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>{}</ETag></Part><Part><PartNumber>2</PartNumber>\
         <ETag>{}</ETag></Part></CompleteMultipartUpload>",
        etags[0], etags[1]
    );
    let complete = local.s3(&key, "POST", &format!("/data-bucket/big?uploadId={id}")).body(body);
    complete.send().await.expect(400, "EntityTooSmall");
    let abort = || local.s3(&key, "DELETE", &format!("/data-bucket/big?uploadId={id}"));
    abort().send().await.expect(204, "");
    abort().send().await.expect(404, "NoSuchUpload");
    assert!(local.aws().object("data-bucket", "big").is_err());
}

#[tokio::test]
async fn copies_keep_or_replace_what_describes_the_object() {
    let (local, key) = start().await;
    let put = local
        .s3(&key, "PUT", "/data-bucket/a")
        .header("x-amz-meta-v", "1")
        .header("content-type", "text/a")
        .body("content");
    put.send().await.expect(200, "");
    let copy = |target: &str| local.s3(&key, "PUT", target).header("x-amz-copy-source", "data-bucket/a");
    copy("/data-bucket/b").send().await.expect(200, "");
    copy("/data-bucket/c")
        .header("x-amz-metadata-directive", "REPLACE")
        .header("content-type", "text/c")
        .send()
        .await
        .expect(200, "");
    copy("/data-bucket/a").send().await.expect(400, "InvalidRequest");
    copy("/data-bucket/a").header("x-amz-metadata-directive", "REPLACE").send().await.expect(200, "");
    copy("/no-such-bucket/a").send().await.expect(404, "NoSuchBucket");
    copy("/data-bucket/d").header("x-amz-copy-source-if-match", "\"x\"").send().await.expect(412, "PreconditionFailed");
    let head = async |name: &str| local.s3(&key, "HEAD", &format!("/data-bucket/{name}")).send().await;
    let b = head("b").await;
    assert_eq!((b.header("x-amz-meta-v"), b.header("content-type")), (Some("1"), Some("text/a")));
    let c = head("c").await;
    assert_eq!((c.header("x-amz-meta-v"), c.header("content-type")), (None, Some("text/c")));
    assert_eq!(local.aws().object("data-bucket", "c").unwrap(), b"content");
}

#[tokio::test]
async fn the_longest_key_and_a_key_beside_its_own_prefix_are_kept() {
    let (local, key) = start().await;
    let longest = "k".repeat(1024);
    for name in [longest.as_str(), "a", "a/b", "a/", "A"] {
        local.s3(&key, "PUT", &format!("/data-bucket/{name}")).body(name).send().await.expect(200, "");
    }
    for name in [longest.as_str(), "a", "a/b", "a/", "A"] {
        assert_eq!(local.s3(&key, "GET", &format!("/data-bucket/{name}")).send().await.body, name);
    }
    local.s3(&key, "GET", "/data-bucket/a/b/").send().await.expect(404, "NoSuchKey");
}
