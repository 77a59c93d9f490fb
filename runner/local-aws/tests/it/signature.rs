//! Requests that are nobody's: wrong, missing, old, changed or ambiguous signatures. None of them does anything.

use std::time::Duration;

use crate::client::{Call, FULL, Key, Local, Reply, Signed, exchange, exchange_and_close, noon, roles};

const OTHER_SIGNATURE: &str = "0000000000000000000000000000000000000000000000000000000000000000";

struct Case {
    name: &'static str,
    make: fn(&Local, &Key) -> Signed,
    status: u16,
    code: &'static str,
}

fn put(local: &Local, key: &Key) -> Call {
    local.s3(key, "PUT", "/bucket-one/key").body("Hello World!")
}

fn sign_with(local: &Local, key: Key) -> Signed {
    put(local, &key).sign()
}

/// Every case is a change to a request that would succeed, which `the_unchanged_request_succeeds` shows.
const CASES: &[Case] = &[
    Case {
        name: "no authorization",
        make: |l, k| put(l, k).sign().without("authorization"),
        status: 403,
        code: "AccessDenied",
    },
    Case {
        name: "signature version 2",
        make: |l, k| put(l, k).sign().replaced("authorization", "AWS AKIAIOSFODNN7EXAMPLE:c2lnbmF0dXJl"),
        status: 400,
        code: "InvalidRequest",
    },
    Case {
        name: "signature version 4a",
        make: |l, k| put(l, k).sign().authorization("AWS4-HMAC-SHA256", "AWS4-ECDSA-P256-SHA256"),
        status: 400,
        code: "InvalidRequest",
    },
    Case {
        name: "authorization twice",
        make: |l, k| {
            let signed = put(l, k).sign();
            let value = signed.headers.iter().find(|(name, _)| name == "authorization").unwrap().1.clone();
            signed.with("authorization", &value)
        },
        status: 400,
        code: "AuthorizationHeaderMalformed",
    },
    Case {
        name: "no signed headers",
        make: |l, k| put(l, k).sign().authorization("SignedHeaders=", "SignedFooters="),
        status: 400,
        code: "AuthorizationHeaderMalformed",
    },
    Case {
        name: "no terminator in the scope",
        make: |l, k| put(l, k).sign().authorization("/aws4_request", ""),
        status: 400,
        code: "AuthorizationHeaderMalformed",
    },
    Case {
        name: "wrong secret",
        make: |l, k| sign_with(l, Key { secret: "wrong".into(), ..k.clone() }),
        status: 403,
        code: "SignatureDoesNotMatch",
    },
    Case {
        name: "unknown key",
        make: |l, k| sign_with(l, Key { id: "ASIAAAAAAAAAAAAAAAAA".into(), ..k.clone() }),
        status: 403,
        code: "InvalidAccessKeyId",
    },
    Case {
        name: "a session's key without its token",
        make: |l, k| sign_with(l, Key { token: None, ..k.clone() }),
        status: 403,
        code: "InvalidAccessKeyId",
    },
    Case {
        name: "a wrong token",
        make: |l, k| sign_with(l, Key { token: Some("IQoJ".into()), ..k.clone() }),
        status: 400,
        code: "InvalidToken",
    },
    Case {
        name: "the host's key with a token",
        make: |l, k| sign_with(l, Key { token: k.token.clone(), ..l.host_key() }),
        status: 400,
        code: "InvalidToken",
    },
    Case {
        name: "another region",
        make: |l, k| put(l, k).region("eu-central-1").sign(),
        status: 400,
        code: "AuthorizationHeaderMalformed",
    },
    Case {
        name: "another service",
        make: |l, k| put(l, k).service("dynamodb").payload("UNSIGNED-PAYLOAD").sign(),
        status: 400,
        code: "AuthorizationHeaderMalformed",
    },
    Case {
        name: "sts's signature for s3",
        make: |l, k| put(l, k).service("sts").sign(),
        status: 400,
        code: "AuthorizationHeaderMalformed",
    },
    Case {
        name: "the right region in the scope only",
        make: |l, k| put(l, k).region("eu-central-1").sign().authorization("eu-central-1", "us-east-1"),
        status: 403,
        code: "SignatureDoesNotMatch",
    },
    Case {
        name: "sixteen minutes late",
        make: |l, k| put(l, k).time(noon() - Duration::from_secs(16 * 60)).sign(),
        status: 403,
        code: "RequestTimeTooSkewed",
    },
    Case {
        name: "sixteen minutes early",
        make: |l, k| put(l, k).time(noon() + Duration::from_secs(16 * 60)).sign(),
        status: 403,
        code: "RequestTimeTooSkewed",
    },
    Case { name: "no date", make: |l, k| put(l, k).sign().without("x-amz-date"), status: 403, code: "AccessDenied" },
    Case {
        name: "a date that is none",
        make: |l, k| put(l, k).sign().replaced("x-amz-date", "yesterday"),
        status: 403,
        code: "AccessDenied",
    },
    Case {
        name: "a date that is not the scope's",
        make: |l, k| put(l, k).sign().authorization("/20261125/", "/20261124/"),
        status: 400,
        code: "AuthorizationHeaderMalformed",
    },
    Case {
        name: "a date changed within the skew",
        make: |l, k| put(l, k).sign().replaced("x-amz-date", "20261125T120001Z"),
        status: 403,
        code: "SignatureDoesNotMatch",
    },
    Case {
        name: "an unsigned x-amz-acl",
        make: |l, k| put(l, k).sign().with("x-amz-acl", "public-read"),
        status: 403,
        code: "AccessDenied",
    },
    Case {
        name: "an unsigned x-amz-copy-source",
        make: |l, k| put(l, k).sign().with("x-amz-copy-source", "bucket-one/other"),
        status: 403,
        code: "AccessDenied",
    },
    Case {
        name: "an unsigned x-amz-meta",
        make: |l, k| put(l, k).sign().with("x-amz-meta-a", "b"),
        status: 403,
        code: "AccessDenied",
    },
    Case {
        name: "an unsigned x-amz header in upper case",
        make: |l, k| put(l, k).sign().with("X-Amz-Tagging", "a=b"),
        status: 403,
        code: "AccessDenied",
    },
    Case {
        name: "an unsigned expected owner",
        make: |l, k| put(l, k).sign().with("x-amz-expected-bucket-owner", "123456789012"),
        status: 403,
        code: "AccessDenied",
    },
    Case {
        name: "the token left out of the signature",
        make: |l, k| {
            let token = k.token.clone().unwrap();
            sign_with(l, Key { token: None, ..k.clone() }).with("x-amz-security-token", &token)
        },
        status: 403,
        code: "AccessDenied",
    },
    Case {
        name: "the host left out of the signature",
        make: |l, k| put(l, k).sign().authorization("host;", ""),
        status: 403,
        code: "AccessDenied",
    },
    Case {
        name: "a signed header that is not there",
        make: |l, k| put(l, k).header("cache-control", "no-store").sign().without("cache-control"),
        status: 403,
        code: "SignatureDoesNotMatch",
    },
    Case {
        name: "a signed header changed",
        make: |l, k| put(l, k).header("x-amz-meta-a", "b").sign().replaced("x-amz-meta-a", "c"),
        status: 403,
        code: "SignatureDoesNotMatch",
    },
    Case {
        name: "a signed header twice",
        make: |l, k| put(l, k).header("x-amz-meta-a", "b").sign().with("x-amz-meta-a", "b"),
        status: 400,
        code: "AuthorizationHeaderMalformed",
    },
    Case {
        name: "another host",
        make: |l, k| put(l, k).sign().replaced("host", "s3.amazonaws.com"),
        status: 403,
        code: "SignatureDoesNotMatch",
    },
    Case {
        name: "another method",
        make: |l, k| {
            let mut signed = put(l, k).sign();
            signed.method = "DELETE".into();
            signed
        },
        status: 403,
        code: "SignatureDoesNotMatch",
    },
    Case {
        name: "another key",
        make: |l, k| {
            let mut signed = put(l, k).sign();
            signed.target = "/bucket-one/other".into();
            signed
        },
        status: 403,
        code: "SignatureDoesNotMatch",
    },
    Case {
        name: "a query parameter added",
        make: |l, k| {
            let mut signed = put(l, k).sign();
            signed.target = "/bucket-one/key?acl".into();
            signed
        },
        status: 403,
        code: "SignatureDoesNotMatch",
    },
    Case {
        name: "another signature",
        make: |l, k| {
            let signed = put(l, k).sign();
            let signature = signed.signature.clone();
            signed.authorization(&signature, OTHER_SIGNATURE)
        },
        status: 403,
        code: "SignatureDoesNotMatch",
    },
    Case {
        name: "no payload hash",
        make: |l, k| put(l, k).sign().without("x-amz-content-sha256").authorization("x-amz-content-sha256;", ""),
        status: 400,
        code: "InvalidRequest",
    },
    Case {
        name: "a payload hash that is none",
        make: |l, k| put(l, k).payload("not-a-hash").sign(),
        status: 400,
        code: "InvalidArgument",
    },
    Case {
        name: "another payload hash",
        make: |l, k| put(l, k).sign().replaced("x-amz-content-sha256", OTHER_SIGNATURE),
        status: 403,
        code: "SignatureDoesNotMatch",
    },
    Case {
        name: "a body changed",
        make: |l, k| {
            let mut signed = put(l, k).sign();
            signed.body = b"Hello Wormd!".to_vec();
            signed
        },
        status: 400,
        code: "XAmzContentSHA256Mismatch",
    },
    Case {
        name: "a body cut to nothing",
        make: |l, k| {
            let mut signed = put(l, k).sign();
            signed.body.clear();
            signed
        },
        status: 400,
        code: "XAmzContentSHA256Mismatch",
    },
    Case {
        name: "a body without a length",
        make: |l, k| {
            let mut signed = put(l, k).sign();
            signed.chunked = true;
            signed
        },
        status: 411,
        code: "MissingContentLength",
    },
    Case {
        name: "a presigned url",
        make: |l, k| {
            let mut signed = put(l, k).sign().without("authorization");
            signed.target =
                format!("/bucket-one/key?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Signature={OTHER_SIGNATURE}");
            signed
        },
        status: 501,
        code: "NotImplemented",
    },
    Case {
        name: "an x-amz parameter in the query, signed",
        make: |l, k| l.s3(k, "PUT", "/bucket-one/key?x-amz-acl=public-read").body("x").sign(),
        status: 501,
        code: "NotImplemented",
    },
    Case {
        name: "version 2 query authentication beside a signature",
        make: |l, k| l.s3(k, "PUT", "/bucket-one/key?AWSAccessKeyId=AKIA&Signature=c2ln&Expires=1").body("x").sign(),
        status: 501,
        code: "NotImplemented",
    },
    Case {
        name: "a form upload",
        make: |l, k| {
            l.s3(k, "POST", "/bucket-one")
                .header("content-type", "multipart/form-data; boundary=x")
                .body("--x--")
                .sign()
        },
        status: 501,
        code: "NotImplemented",
    },
    Case {
        name: "a method override",
        make: |l, k| put(l, k).header("x-http-method-override", "DELETE").sign(),
        status: 501,
        code: "NotImplemented",
    },
];

#[tokio::test]
async fn requests_that_are_nobodys_are_refused() {
    let local = Local::start(&roles(&[("full", FULL)])).await;
    let key = local.assume("full", &[]).await;
    local.bucket(&key, "bucket-one").await;
    for case in CASES {
        let reply = (case.make)(&local, &key).send().await;
        assert_eq!(
            (reply.status, reply.element("Code").as_str()),
            (case.status, case.code),
            "{}: {}",
            case.name,
            reply.body
        );
    }
    // Nothing was written by any of them.
    assert_eq!(local.aws().objects("bucket-one").unwrap(), []);
}

#[tokio::test]
async fn the_unchanged_request_succeeds() {
    let local = Local::start(&roles(&[("full", FULL)])).await;
    let key = local.assume("full", &[]).await;
    local.bucket(&key, "bucket-one").await;
    put(&local, &key).send().await.expect(200, "");
    for skew in [Duration::from_secs(14 * 60 + 59), Duration::ZERO] {
        put(&local, &key).time(noon() - skew).send().await.expect(200, "");
        put(&local, &key).time(noon() + skew).send().await.expect(200, "");
    }
    put(&local, &key).payload("UNSIGNED-PAYLOAD").send().await.expect(200, "");
}

#[tokio::test]
async fn dot_segments_get_an_empty_answer_of_status_400() {
    let local = Local::start(&roles(&[("full", FULL)])).await;
    let key = local.assume("full", &[]).await;
    local.bucket(&key, "bucket-one").await;
    local.bucket(&key, "bucket-two").await;
    local.aws().put_object("bucket-two", "secret", "secret").await.unwrap();
    let targets = [
        "/bucket-one/../bucket-two/secret",
        "/bucket-one/%2e%2e/bucket-two/secret",
        "/bucket-one/%2E./bucket-two/secret",
        "/bucket-one/./key",
        "/bucket-one/a/..",
        "/../bucket-two/secret",
        "/bucket-one/..%2fbucket-two%2fsecret",
        "/bucket-one/..%5cbucket-two%5csecret",
    ];
    for target in targets {
        let reply = local.s3(&key, "GET", target).send().await;
        assert_eq!((reply.status, reply.body.as_str()), (400, ""), "{target}");
    }
}

#[tokio::test]
async fn ambiguous_targets_are_refused() {
    let local = Local::start(&roles(&[("full", FULL)])).await;
    let key = local.assume("full", &[]).await;
    let address = local.server.address();
    let absolute = format!("http://{address}/bucket-one/key");
    let targets = [
        "/bucket-one/a%2Fb",
        "/bucket-one/%00",
        "/bucket-one/%ff",
        "/bucket-one/%",
        "/bucket-one/%zz",
        "/bucket-one?prefix=a+b",
        "/bucket-one?prefix=a&prefix=b",
        "/bucket-one?prefix=a&Prefix=b",
        "/bucket-one?prefix=%ff",
        "/bucket-one?&prefix=a",
        absolute.as_str(),
    ];
    for target in targets {
        // aws-sigv4 refuses some of these, so they go out with another request's signature: they are refused before.
        let mut signed = local.s3(&key, "GET", "/bucket-one/key").sign();
        signed.target = target.into();
        let reply = signed.send().await;
        assert_eq!((reply.status, reply.element("Code").as_str()), (400, "InvalidURI"), "{target}: {}", reply.body);
    }
}

#[tokio::test]
async fn bytes_that_are_no_request_end_in_an_error_and_the_server_goes_on() {
    let local = Local::start(&roles(&[("full", FULL)])).await;
    let requests: [&[u8]; 7] = [
        b"\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost: a\r\nno colon\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\ncontent-length: 6\r\nconnection: close\r\n\r\nabcdef",
        b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: abc\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    ];
    for bytes in requests {
        let reply: Reply = exchange_and_close(local.server.address(), bytes).await;
        assert!(reply.status == 0 || reply.status == 400, "{}", reply.status);
    }
    let long = format!("GET / HTTP/1.1\r\nhost: a\r\nx-long: {}\r\n\r\n", "a".repeat(4_000_000));
    let reply = exchange(local.server.address(), long.as_bytes()).await;
    // The rest of such headers is not read, so the answer may be lost.
    assert!(reply.status == 431 || reply.status == 0, "{}", reply.status);
    local.assume("full", &[]).await;
}

#[tokio::test]
async fn errors_tell_what_aws_tells() {
    let local = Local::start(&roles(&[("full", FULL)])).await;
    let key = local.assume("full", &[]).await;
    let wrong = Key { secret: "wrong".into(), ..key.clone() };
    let reply = local.s3(&wrong, "GET", "/bucket-one/key").send().await;
    assert_eq!(reply.element("AWSAccessKeyId"), key.id);
    assert!(reply.element("StringToSign").starts_with("AWS4-HMAC-SHA256\n20261125T120000Z\n20261125/us-east-1/s3/"));
    assert!(reply.element("CanonicalRequest").starts_with("GET\n/bucket-one/key\n\nhost:"));
    assert!(!reply.element("RequestId").is_empty());
    assert_eq!(reply.header("x-amz-request-id"), Some(reply.element("RequestId").as_str()));

    let reply = put(&local, &key).sign().with("x-amz-acl", "private").with("x-amz-tagging", "a=b").send().await;
    assert_eq!(reply.element("HeadersNotSigned"), "x-amz-acl, x-amz-tagging");

    let reply = put(&local, &key).region("eu-central-1").send().await;
    assert_eq!(reply.element("Region"), "us-east-1");

    let reply = put(&local, &key).time(noon() - Duration::from_secs(3600)).send().await;
    assert_eq!(reply.element("ServerTime"), "2026-11-25T12:00:00Z");
    assert_eq!(reply.element("RequestTime"), "2026-11-25T11:00:00Z");
}

#[tokio::test]
async fn a_session_ends_when_it_expires_and_not_before() {
    let local = Local::start(&roles(&[("full", FULL)])).await;
    let key = local.assume("full", &[("DurationSeconds", "900")]).await;
    local.bucket(&key, "bucket-one").await;
    local.clock.advance(Duration::from_secs(899));
    put(&local, &key).send().await.expect(200, "");
    local.clock.advance(Duration::from_secs(1));
    put(&local, &key).send().await.expect(400, "ExpiredToken");
    local.sts(&key, &[("Action", "GetCallerIdentity")]).send().await.expect(403, "ExpiredToken");
    // The next session is not affected.
    let key = local.assume("full", &[]).await;
    put(&local, &key).send().await.expect(200, "");
}

#[tokio::test]
async fn one_sessions_token_does_not_fit_another_ones_key() {
    let local = Local::start(&roles(&[("full", FULL)])).await;
    let one = local.assume("full", &[]).await;
    let two = local.assume("full", &[]).await;
    let mixed = Key { token: two.token.clone(), ..one.clone() };
    put(&local, &mixed).send().await.expect(400, "InvalidToken");
    local.sts(&mixed, &[("Action", "GetCallerIdentity")]).send().await.expect(403, "InvalidClientTokenId");
}

#[tokio::test]
async fn awkward_requests_are_signed_as_aws_signs_them() {
    let local = Local::start(&roles(&[("full", FULL)])).await;
    let key = local.assume("full", &[]).await;
    local.bucket(&key, "bucket-one").await;
    let keys = [
        "a b",
        "a+b",
        "a%2Bb",
        "100%",
        "ümlaut/€",
        "a//b",
        "/leading",
        "trailing/",
        "a...b",
        "~._-",
        "!$&'()*,;=:@",
        "[x]{y}|z^`\"<>",
        "emoji-🦀",
        "a=b&c=d?e#f",
    ];
    for name in keys {
        let target = format!("/bucket-one/{}", crate::client::encode(name).replace("%2F", "/"));
        local.s3(&key, "PUT", &target).body(name.as_bytes()).send().await.expect(200, "");
        let reply = local.s3(&key, "GET", &target).send().await;
        assert_eq!((reply.status, reply.body.as_str()), (200, name));
    }
    let mut listed: Vec<String> =
        local.aws().objects("bucket-one").unwrap().into_iter().map(|object| object.key).collect();
    let mut sent: Vec<String> = keys.iter().map(|key| (*key).to_owned()).collect();
    listed.sort();
    sent.sort();
    assert_eq!(listed, sent);
    let query = "/bucket-one?list-type=2&prefix=a%20b%26%3D%2F%3F%23%5B%5D%2B%25&delimiter=%2F";
    local.s3(&key, "GET", query).send().await.expect(200, "");
    put(&local, &key).header("x-amz-meta-spaces", "  a   b  ").send().await.expect(200, "");
}
