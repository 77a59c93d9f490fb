//! What a hostile guest forms. Each case ends in a refusal, or in a named safe outcome: what the request then means and
//! where it goes, so that a reader sees that nothing of the attack is left.

use bytes::Bytes;
use rolebox_aws_request::{Call, parse};

use crate::common::{kind, meaning, scope, wire};

type Case<'a> = (&'a str, &'a str, &'a str, &'a [(&'a str, &'a str)], &'a str, &'a str);

const PLAIN: &[(&str, &str)] = &[];
const S3: &str = "https://s3.us-east-1.amazonaws.com";
/// What a put of `k` means when nothing else is left of the request.
const PUT: &str = "PutObject: s3:PutObject on bucket/k -> /bucket/k []";
const GET: &str = "GetObject: s3:GetObject on bucket/k -> /bucket/k []";

fn outcome(method: &str, url: &str, headers: &[(&str, &str)], body: &str) -> String {
    let url = if url.starts_with('/') { format!("{S3}{url}") } else { url.to_owned() };
    match wire(method, &url, headers, body.as_bytes()) {
        Err(refusal) => kind(&refusal).to_owned(),
        Ok(None) => "not AWS's".to_owned(),
        Ok(Some(operation)) => {
            let names: Vec<&str> = operation.headers.iter().map(|(name, _)| name.as_str()).collect();
            format!("{} -> {} [{}]", meaning(&operation), operation.path_and_query(), names.join(" "))
        }
    }
}

fn check(cases: &[Case<'_>]) {
    for (name, method, url, headers, body, expected) in cases {
        assert_eq!(outcome(method, url, headers, body), *expected, "{name}: {method} {url} {headers:?} {body}");
    }
    println!("{} hostile cases", cases.len());
}

#[test]
fn paths() {
    check(&[
        ("dot segment", "GET", "/bucket/./k", PLAIN, "", "malformed"),
        ("parent segment", "GET", "/bucket/a/../k", PLAIN, "", "malformed"),
        ("out of the bucket", "GET", "/bucket/../other/k", PLAIN, "", "malformed"),
        ("above the root", "GET", "/../../bucket/k", PLAIN, "", "malformed"),
        ("encoded dot", "GET", "/bucket/%2e/k", PLAIN, "", "malformed"),
        ("encoded parent", "GET", "/bucket/%2e%2e/other/k", PLAIN, "", "malformed"),
        ("half encoded parent", "GET", "/bucket/.%2E/other/k", PLAIN, "", "malformed"),
        ("parent by encoded slashes", "GET", "/bucket/a%2F..%2Fk", PLAIN, "", "malformed"),
        ("parent all encoded", "GET", "/bucket/a%2f%2e%2e%2fk", PLAIN, "", "malformed"),
        ("trailing parent", "GET", "/bucket/k/..", PLAIN, "", "malformed"),
        ("bucket is a dot", "GET", "/./k", PLAIN, "", "malformed"),
        ("twice encoded parent is a name", "GET", "/bucket/%252e%252e/k", PLAIN, "", "GetObject: s3:GetObject on bucket/%2e%2e/k -> /bucket/%252e%252e/k []"),
        ("encoded slash in the key", "GET", "/bucket/a%2Fk", PLAIN, "", "GetObject: s3:GetObject on bucket/a/k -> /bucket/a/k []"),
        ("encoded slash after the bucket", "GET", "/bucket%2Fk", PLAIN, "", "not understood"),
        ("encoded bucket", "GET", "/%62ucket/k", PLAIN, "", "not understood"),
        ("empty bucket", "GET", "//bucket/k", PLAIN, "", "not understood"),
        ("slashes in the key stay", "GET", "/bucket//k", PLAIN, "", "GetObject: s3:GetObject on bucket//k -> /bucket//k []"),
        ("backslash", "GET", "/bucket\\k", PLAIN, "", "malformed"),
        ("encoded backslash is a character", "GET", "/bucket/..%5Ck", PLAIN, "", "GetObject: s3:GetObject on bucket/..\\k -> /bucket/..%5Ck []"),
        ("NUL", "GET", "/bucket/k%00", PLAIN, "", "malformed"),
        ("invalid UTF-8", "GET", "/bucket/%ff%fe", PLAIN, "", "malformed"),
        ("overlong UTF-8", "GET", "/bucket/%c0%ae%c0%ae/k", PLAIN, "", "malformed"),
        ("surrogate", "GET", "/bucket/%ed%a0%80", PLAIN, "", "malformed"),
        ("stray percent", "GET", "/bucket/100%", PLAIN, "", "malformed"),
        ("percent u", "GET", "/bucket/%u002e%u002e/k", PLAIN, "", "malformed"),
        ("CRLF", "GET", "/bucket/k\r\nx: y", PLAIN, "", "malformed"),
        ("encoded CRLF stays encoded", "GET", "/bucket/k%0d%0ax", PLAIN, "", "GetObject: s3:GetObject on bucket/k\r\nx -> /bucket/k%0D%0Ax []"),
        ("space", "GET", "/bucket/a b", PLAIN, "", "malformed"),
        ("fragment", "GET", "/bucket/k#x", PLAIN, "", "malformed"),
        ("wildcard in the key is a character", "GET", "/bucket/*", PLAIN, "", "GetObject: s3:GetObject on bucket/* -> /bucket/%2A []"),
        ("question mark in the key is a character", "GET", "/bucket/a%3Fb", PLAIN, "", "GetObject: s3:GetObject on bucket/a?b -> /bucket/a%3Fb []"),
        ("wildcard bucket", "GET", "/bucket*/k", PLAIN, "", "not understood"),
        ("policy variable in the key is text", "GET", "/bucket/${aws:username}", PLAIN, "", "GetObject: s3:GetObject on bucket/${aws:username} -> /bucket/%24%7Baws%3Ausername%7D []"),
        ("ARN as bucket", "GET", "/arn:aws:s3:::bucket/k", PLAIN, "", "not understood"),
        ("encoded ARN as bucket", "GET", "/arn%3Aaws%3As3%3Aus-east-1%3A123456789012%3Aaccesspoint%2Fp/k", PLAIN, "", "not understood"),
        ("access point alias", "GET", "/point-0123456789-s3alias/k", PLAIN, "", "not understood"),
        ("Object Lambda alias", "GET", "/lambda--ol-s3/k", PLAIN, "", "not understood"),
        ("directory bucket", "GET", "/b--use1-az4--x-s3/k", PLAIN, "", "not understood"),
        ("upper-case bucket", "GET", "/Bucket/k", PLAIN, "", "not understood"),
        ("bucket with an at sign", "GET", "/user@bucket/k", PLAIN, "", "not understood"),
        ("bucket is an address", "GET", "/169.254.169.254/k", PLAIN, "", "not understood"),
        ("very long key", "GET", &format!("/bucket/{}", "k".repeat(1025)), PLAIN, "", "not understood"),
        ("very long path", "GET", &format!("/bucket/{}", "%41".repeat(5000)), PLAIN, "", "malformed"),
        ("absolute form", "GET", "https://s3.us-east-1.amazonaws.com/https://evil.example/k", PLAIN, "", "not understood"),
    ]);
}

#[test]
fn hosts() {
    check(&[
        ("look-alike below", "GET", "https://s3.amazonaws.com.evil.example/bucket/k", PLAIN, "", "not AWS's"),
        ("look-alike before", "GET", "https://evils3.amazonaws.co/bucket/k", PLAIN, "", "not AWS's"),
        ("userinfo", "GET", "https://s3.us-east-1.amazonaws.com@evil.example/bucket/k", PLAIN, "", "malformed"),
        ("userinfo with a password", "GET", "https://a:b@s3.us-east-1.amazonaws.com/bucket/k", PLAIN, "", "malformed"),
        ("trailing dot", "GET", "https://s3.us-east-1.amazonaws.com./bucket/k", PLAIN, "", "not understood"),
        ("another port", "GET", "https://s3.us-east-1.amazonaws.com:8443/bucket/k", PLAIN, "", "malformed"),
        ("port of the other scheme", "GET", "http://s3.us-east-1.amazonaws.com:443/bucket/k", PLAIN, "", "malformed"),
        ("own port", "GET", "https://s3.us-east-1.amazonaws.com:443/bucket/k", PLAIN, "", GET),
        ("upper case", "GET", "https://S3.US-EAST-1.AMAZONAWS.COM/bucket/k", PLAIN, "", GET),
        ("full-width letters", "GET", "https://\u{ff53}3.us-east-1.amazonaws.com/bucket/k", PLAIN, "", "malformed"),
        ("ideographic full stop", "GET", "https://s3.us-east-1.amazonaws\u{3002}com/bucket/k", PLAIN, "", "malformed"),
        ("percent in the host", "GET", "https://s3%2eamazonaws.com/bucket/k", PLAIN, "", "malformed"),
        ("bucket in host and path is a key", "GET", "https://bucket.s3.us-east-1.amazonaws.com/bucket/k", PLAIN, "", "GetObject: s3:GetObject on bucket/bucket/k -> /bucket/bucket/k []"),
        ("parent out of the bucket in the host", "GET", "https://bucket.s3.us-east-1.amazonaws.com/../other/k", PLAIN, "", "malformed"),
        ("two buckets in the host", "GET", "https://other.bucket.s3.us-east-1.amazonaws.com/k", PLAIN, "", "GetObject: s3:GetObject on other.bucket/k -> /other.bucket/k []"),
        ("metadata address", "GET", "http://169.254.169.254/latest/meta-data/", PLAIN, "", "not AWS's"),
        ("container credentials address", "GET", "http://169.254.170.2/v2/credentials", PLAIN, "", "not AWS's"),
        ("metadata address in IPv6", "GET", "http://[fd00:ec2::254]/latest/", PLAIN, "", "not AWS's"),
        ("mapped metadata address", "GET", "http://[::ffff:a9fe:a9fe]/latest/", PLAIN, "", "not AWS's"),
        ("address as one number", "GET", "http://2852039166/latest/", PLAIN, "", "malformed"),
        ("address in hex", "GET", "http://0xa9fea9fe/latest/", PLAIN, "", "malformed"),
        ("address in octal", "GET", "http://0251.0376.0251.0376/latest/", PLAIN, "", "malformed"),
        ("access point", "GET", "https://p-123456789012.s3-accesspoint.us-east-1.amazonaws.com/k", PLAIN, "", "not understood"),
        ("S3 control", "GET", "https://123456789012.s3-control.us-east-1.amazonaws.com/v20180820/accesspoint", PLAIN, "", "not understood"),
        ("S3 Express", "GET", "https://b--use1-az4--x-s3.s3express-use1-az4.us-east-1.amazonaws.com/k", PLAIN, "", "not understood"),
        ("accelerate", "GET", "https://bucket.s3-accelerate.amazonaws.com/k", PLAIN, "", "not understood"),
        ("FIPS", "GET", "https://s3-fips.us-east-1.amazonaws.com/bucket/k", PLAIN, "", "not understood"),
        ("website", "GET", "https://bucket.s3-website-us-east-1.amazonaws.com/k", PLAIN, "", "not understood"),
        ("dual stack goes to the plain name", "GET", "https://s3.dualstack.us-east-1.amazonaws.com/bucket/k", PLAIN, "", GET),
        ("China", "GET", "https://s3.cn-north-1.amazonaws.com.cn/bucket/k", PLAIN, "", "not understood"),
        ("GovCloud", "GET", "https://s3.us-gov-west-1.amazonaws.com/bucket/k", PLAIN, "", "not understood"),
        ("a Region of another partition's suffix", "GET", "https://s3.cn-north-1.amazonaws.com/bucket/k", PLAIN, "", "not understood"),
        ("unknown service", "GET", "https://unheard-of.us-east-1.amazonaws.com/", PLAIN, "", "not understood"),
        ("unknown name under a suffix", "GET", "https://a.b.c.amazonaws.com/", PLAIN, "", "not understood"),
        ("customer's endpoint goes unsigned", "GET", "https://abc.execute-api.us-east-1.amazonaws.com/", PLAIN, "", "not AWS's"),
    ]);
}

#[test]
fn signatures_and_connections() {
    check(&[
        ("Host", "PUT", "/bucket/k", &[("Host", "evil.example")], "", PUT),
        ("two hosts", "PUT", "/bucket/k", &[("Host", "bucket"), ("host", "evil.example")], "", PUT),
        ("Authorization", "PUT", "/bucket/k", &[("Authorization", "AWS4-HMAC-SHA256 Credential=x")], "", PUT),
        ("Date", "PUT", "/bucket/k", &[("X-Amz-Date", "20000101T000000Z"), ("Date", "x")], "", PUT),
        ("session token", "PUT", "/bucket/k", &[("X-Amz-Security-Token", "t")], "", PUT),
        ("payload hash", "PUT", "/bucket/k", &[("X-Amz-Content-Sha256", "UNSIGNED-PAYLOAD")], "", PUT),
        ("payload hash twice", "PUT", "/bucket/k", &[("X-Amz-Content-Sha256", "a"), ("x-amz-content-sha256", "b")], "", "malformed"),
        ("presigned query", "GET", "/bucket/k?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Signature=0", PLAIN, "", "never signed"),
        ("presigned query in lower case", "GET", "/bucket/k?x-amz-signature=0", PLAIN, "", "never signed"),
        ("presigned query in mixed case", "GET", "/bucket/k?X-aMz-Security-Token=0", PLAIN, "", "never signed"),
        ("encoded presigned query", "GET", "/bucket/k?%58-Amz-Signature=0", PLAIN, "", "never signed"),
        ("older presigned query", "GET", "/bucket/k?AWSAccessKeyId=A&Expires=1&Signature=s", PLAIN, "", "never signed"),
        ("header as a query key", "PUT", "/bucket/k?x-amz-acl=public-read", PLAIN, "", "never signed"),
        ("copy source as a query key", "PUT", "/bucket/k?x-amz-copy-source=other/k", PLAIN, "", "never signed"),
        ("Connection names a header", "PUT", "/bucket/k", &[("Connection", "close, content-type"), ("Content-Type", "x")], "", PUT),
        ("Connection names an AWS header", "PUT", "/bucket/k", &[("Connection", "x-amz-acl"), ("x-amz-acl", "private")], "", "malformed"),
        ("Connection names the owner's header", "GET", "/bucket/k", &[("Connection", "X-Amz-Expected-Bucket-Owner")], "", "malformed"),
        ("hop-by-hop fields", "PUT", "/bucket/k", &[("Keep-Alive", "1"), ("TE", "trailers"), ("Upgrade", "h2c"), ("Proxy-Authorization", "x")], "", PUT),
        ("chunked with a length", "PUT", "/bucket/k", &[("Transfer-Encoding", "chunked"), ("Content-Length", "0")], "", "malformed"),
        ("chunked alone", "PUT", "/bucket/k", &[("Transfer-Encoding", "chunked")], "", PUT),
        ("two lengths", "PUT", "/bucket/k", &[("Content-Length", "0"), ("content-length", "0")], "", "malformed"),
        ("wrong length", "PUT", "/bucket/k", &[("Content-Length", "5")], "data", "malformed"),
        ("signed length", "PUT", "/bucket/k", &[("Content-Length", "+4")], "data", "malformed"),
        ("list of lengths", "PUT", "/bucket/k", &[("Content-Length", "4, 4")], "data", "malformed"),
        ("Expect", "PUT", "/bucket/k", &[("Expect", "100-continue")], "", PUT),
        ("Trailer", "PUT", "/bucket/k", &[("Trailer", "x-amz-acl")], "", PUT),
        ("method override", "GET", "/bucket/k", &[("X-HTTP-Method-Override", "DELETE"), ("X-Method-Override", "PUT"), ("_method", "DELETE")], "", GET),
        ("rewritten URL headers", "GET", "/bucket/k", &[("X-Original-URL", "/other/k"), ("X-Rewrite-URL", "/other/k"), ("X-Forwarded-Host", "evil.example")], "", GET),
        ("CRLF in a value", "PUT", "/bucket/k", &[("Content-Type", "a\r\nx-amz-acl: public-read")], "", "malformed"),
        ("LF in a dropped value", "PUT", "/bucket/k", &[("X-Other", "a\nx-amz-acl: public-read")], "", "malformed"),
        ("NUL in a value", "PUT", "/bucket/k", &[("Content-Type", "a\0b")], "", "malformed"),
        ("tab in a value", "PUT", "/bucket/k", &[("Content-Type", "a\tb")], "", "malformed"),
        ("non-ASCII value", "PUT", "/bucket/k", &[("x-amz-meta-a", "é")], "", "malformed"),
        ("name with a space", "PUT", "/bucket/k", &[("x-amz-acl ", "public-read")], "", "malformed"),
        ("name with a colon", "PUT", "/bucket/k", &[("x-amz-acl:", "public-read")], "", "malformed"),
        ("empty name", "PUT", "/bucket/k", &[("", "x")], "", "malformed"),
        ("non-ASCII name", "PUT", "/bucket/k", &[("x-amz-\u{e9}", "x")], "", "malformed"),
        ("underscores are another name", "PUT", "/bucket/k", &[("x_amz_acl", "public-read")], "", PUT),
        ("header twice", "PUT", "/bucket/k", &[("Content-Type", "a"), ("content-type", "b")], "", "malformed"),
        ("AWS header twice", "PUT", "/bucket/k", &[("x-amz-acl", "private"), ("X-Amz-Acl", "public-read")], "", "malformed"),
        ("metadata twice", "PUT", "/bucket/k", &[("x-amz-meta-a", "1"), ("X-Amz-Meta-A", "2")], "", "malformed"),
        ("metadata without a name", "PUT", "/bucket/k", &[("x-amz-meta-", "1")], "", "not understood"),
    ]);
    let headers: Vec<(&str, &str)> = (0..200).map(|_| ("x-other", "x")).collect();
    assert_eq!(outcome("PUT", "/bucket/k", &headers, ""), "malformed");
    assert_eq!(outcome("PUT", "/bucket/k", &[(&"a".repeat(10_000), "x")], ""), "malformed");
}

#[test]
fn operations_and_subresources() {
    check(&[
        ("lower-case method", "get", "/bucket/k", PLAIN, "", "not understood"),
        ("unknown method", "PATCH", "/bucket/k", PLAIN, "", "not understood"),
        ("method with a space", "GET /other", "/bucket/k", PLAIN, "", "not understood"),
        ("POST form upload", "POST", "/bucket", &[("Content-Type", "multipart/form-data; boundary=x")], "x", "not understood"),
        ("PUT on the service", "PUT", "/", PLAIN, "", "not understood"),
        ("DELETE on the service", "DELETE", "/", PLAIN, "", "not understood"),
        ("unknown subresource", "GET", "/bucket?future", PLAIN, "", "not understood"),
        ("two subresources", "GET", "/bucket?acl&policy", PLAIN, "", "not understood"),
        ("subresource and listing", "GET", "/bucket?list-type=2&acl", PLAIN, "", "not understood"),
        ("subresource twice", "GET", "/bucket?acl&acl", PLAIN, "", "malformed"),
        ("upper-case subresource", "GET", "/bucket?ACL", PLAIN, "", "not understood"),
        ("mixed-case subresource", "PUT", "/bucket/k?Tagging", PLAIN, "<Tagging/>", "not understood"),
        ("encoded subresource", "GET", "/bucket?%61cl", PLAIN, "", "GetBucketAcl: s3:GetBucketAcl on bucket -> /bucket?acl []"),
        ("subresource with a value", "GET", "/bucket?acl=x", PLAIN, "", "not understood"),
        ("list-type 3", "GET", "/bucket?list-type=3", PLAIN, "", "not understood"),
        ("empty version", "GET", "/bucket/k?versionId=", PLAIN, "", "not understood"),
        ("version of a bucket", "GET", "/bucket?versionId=1", PLAIN, "", "not understood"),
        ("version with a put", "PUT", "/bucket/k?versionId=1", PLAIN, "", "not understood"),
        ("upload without a part", "PUT", "/bucket/k?uploadId=u", PLAIN, "", "not understood"),
        ("part without an upload", "PUT", "/bucket/k?partNumber=1", PLAIN, "", "not understood"),
        ("upload and uploads", "POST", "/bucket/k?uploads&uploadId=u", PLAIN, "", "not understood"),
        ("unknown query key", "GET", "/bucket/k?fetch-from=evil", PLAIN, "", "not understood"),
        ("query key with a space", "GET", "/bucket/k?a%20b=1", PLAIN, "", "not understood"),
        ("plus in the query", "GET", "/bucket?prefix=a+b", PLAIN, "", "malformed"),
        ("stray percent in the query", "GET", "/bucket?prefix=%", PLAIN, "", "malformed"),
        ("NUL in the query", "GET", "/bucket?prefix=%00", PLAIN, "", "malformed"),
        ("second question mark", "GET", "/bucket?prefix=a?acl", PLAIN, "", "ListObjects: s3:ListBucket on bucket -> /bucket?prefix=a%3Facl []"),
        ("semicolon is no separator", "GET", "/bucket?prefix=a;acl", PLAIN, "", "ListObjects: s3:ListBucket on bucket -> /bucket?prefix=a%3Bacl []"),
        ("empty query key", "GET", "/bucket?=acl", PLAIN, "", "malformed"),
        ("hint of another operation", "GET", "/bucket/k?x-id=DeleteObject", PLAIN, "", "not understood"),
        ("hint that is true", "GET", "/bucket/k?x-id=GetObject", PLAIN, "", GET),
        ("session credentials", "GET", "/bucket?session", PLAIN, "", "not understood"),
        ("torrent", "GET", "/bucket/k?torrent", PLAIN, "", "not understood"),
        ("rename", "PUT", "/bucket/k?renameObject", &[("x-amz-rename-source", "/other")], "", "not understood"),
        ("Object Lambda answer", "POST", "/WriteGetObjectResponse", PLAIN, "", "not understood"),
        ("body with a GET", "GET", "/bucket/k", PLAIN, "body", "not understood"),
        ("body with a DELETE", "DELETE", "/bucket", PLAIN, "body", "not understood"),
    ]);
}

#[test]
fn widening_headers() {
    check(&[
        ("future header", "PUT", "/bucket/k", &[("x-amz-future", "1")], "", "not understood"),
        ("future header on a read", "GET", "/bucket/k", &[("X-AMZ-FUTURE", "1")], "", "not understood"),
        ("ACL on a read", "GET", "/bucket/k", &[("x-amz-acl", "public-read")], "", "not understood"),
        ("ACL on a part", "PUT", "/bucket/k?partNumber=1&uploadId=u", &[("x-amz-acl", "public-read")], "", "not understood"),
        ("ACL adds its action", "PUT", "/bucket/k", &[("X-Amz-ACL", "public-read")], "", "PutObject: s3:PutObject on bucket/k, s3:PutObjectAcl on bucket/k -> /bucket/k [x-amz-acl]"),
        ("grant adds its action", "PUT", "/bucket/k", &[("x-amz-grant-full-control", "uri=x")], "", "PutObject: s3:PutObject on bucket/k, s3:PutObjectAcl on bucket/k -> /bucket/k [x-amz-grant-full-control]"),
        ("bucket ACL adds its action", "PUT", "/bucket", &[("x-amz-acl", "public-read-write")], "", "CreateBucket: s3:CreateBucket on bucket, s3:PutBucketAcl on bucket of 123456789012 -> /bucket [x-amz-acl]"),
        ("private in another case is not private", "PUT", "/bucket", &[("x-amz-acl", "Private")], "", "CreateBucket: s3:CreateBucket on bucket, s3:PutBucketAcl on bucket of 123456789012 -> /bucket [x-amz-acl]"),
        ("bypass adds its action", "DELETE", "/bucket/k", &[("x-amz-bypass-governance-retention", "true")], "", "DeleteObject: s3:DeleteObject on bucket/k, s3:BypassGovernanceRetention on bucket/k -> /bucket/k [x-amz-bypass-governance-retention]"),
        ("bypass in another spelling", "DELETE", "/bucket/k", &[("x-amz-bypass-governance-retention", "TRUE")], "", "not understood"),
        ("key without an algorithm", "PUT", "/bucket/k", &[("x-amz-server-side-encryption-aws-kms-key-id", "k-1")], "", "not understood"),
        ("unknown algorithm", "PUT", "/bucket/k", &[("x-amz-server-side-encryption", "aws:new")], "", "not understood"),
        ("wildcard key", "PUT", "/bucket/k", &[("x-amz-server-side-encryption", "aws:kms"), ("x-amz-server-side-encryption-aws-kms-key-id", "*")], "", "not understood"),
        ("key of another partition", "PUT", "/bucket/k", &[("x-amz-server-side-encryption", "aws:kms"), ("x-amz-server-side-encryption-aws-kms-key-id", "arn:aws-cn:kms:cn-north-1:123456789012:key/k")], "", "not understood"),
        ("tag twice", "PUT", "/bucket/k", &[("x-amz-tagging", "a=1&a=2")], "", "not understood"),
        ("device of the root user", "DELETE", "/bucket/k?versionId=1", &[("x-amz-mfa", "serial 1")], "", "not understood"),
        ("other requester", "GET", "/bucket/k", &[("x-amz-request-payer", "owner")], "", "not understood"),
        ("website redirect is content", "PUT", "/bucket/k", &[("x-amz-website-redirect-location", "https://evil.example")], "", "PutObject: s3:PutObject on bucket/k -> /bucket/k [x-amz-website-redirect-location]"),
        ("another account's bucket", "GET", "/bucket/k", &[("x-amz-expected-bucket-owner", "999999999999")], "", "GetObject: s3:GetObject on bucket/k of 999999999999 -> /bucket/k []"),
        ("owner that is none", "GET", "/bucket/k", &[("x-amz-expected-bucket-owner", "any")], "", "malformed"),
        ("two owners", "GET", "/bucket/k", &[("x-amz-expected-bucket-owner", "123456789012"), ("X-Amz-Expected-Bucket-Owner", "999999999999")], "", "malformed"),
        ("owner of a new bucket", "PUT", "/bucket", &[("x-amz-expected-bucket-owner", "123456789012")], "", "not understood"),
        ("source owner without a copy", "PUT", "/bucket/k", &[("x-amz-source-expected-bucket-owner", "123456789012")], "", "not understood"),
    ]);
}

#[test]
fn copies() {
    let copied = "CopyObject: s3:PutObject on bucket/k, s3:GetObject on other/s -> /bucket/k [x-amz-tagging-directive x-amz-copy-source]";
    let replace = ("x-amz-tagging-directive", "REPLACE");
    check(&[
        ("source", "PUT", "/bucket/k", &[("x-amz-copy-source", "other/s"), replace], "", copied),
        ("source with a slash", "PUT", "/bucket/k", &[("X-Amz-Copy-Source", "/other/s"), replace], "", copied),
        ("encoded source", "PUT", "/bucket/k", &[("x-amz-copy-source", "%6Fther%2Fs"), replace], "", copied),
        ("parent in the source", "PUT", "/bucket/k", &[("x-amz-copy-source", "bucket/../other/s")], "", "not understood"),
        ("encoded parent in the source", "PUT", "/bucket/k", &[("x-amz-copy-source", "bucket/%2e%2e/other/s")], "", "not understood"),
        ("plus in the source", "PUT", "/bucket/k", &[("x-amz-copy-source", "other/a+b")], "", "not understood"),
        ("two sources", "PUT", "/bucket/k", &[("x-amz-copy-source", "bucket/s"), ("X-AMZ-COPY-SOURCE", "other/s")], "", "malformed"),
        ("two sources in one", "PUT", "/bucket/k", &[("x-amz-copy-source", "bucket/s, other/s")], "", "not understood"),
        ("source is an access point", "PUT", "/bucket/k", &[("x-amz-copy-source", "arn:aws:s3:us-east-1:999999999999:accesspoint/p/object/s")], "", "not understood"),
        ("source is an alias", "PUT", "/bucket/k", &[("x-amz-copy-source", "p-0123-s3alias/s")], "", "not understood"),
        ("source is a URL", "PUT", "/bucket/k", &[("x-amz-copy-source", "https://evil.example/s")], "", "not understood"),
        ("source with a second key", "PUT", "/bucket/k", &[("x-amz-copy-source", "other/s?versionId=1&x=y")], "", "not understood"),
        ("empty source", "PUT", "/bucket/k", &[("x-amz-copy-source", "")], "", "not understood"),
        ("source on a read", "GET", "/bucket/k", &[("x-amz-copy-source", "other/s")], "", "not understood"),
        ("source on a bucket", "PUT", "/bucket", &[("x-amz-copy-source", "other/s")], "", "not understood"),
        ("source on an ACL", "PUT", "/bucket/k?acl", &[("x-amz-copy-source", "other/s")], "", "not understood"),
        ("source with a body", "PUT", "/bucket/k", &[("x-amz-copy-source", "other/s")], "data", "not understood"),
        ("unknown directive", "PUT", "/bucket/k", &[("x-amz-copy-source", "other/s"), ("x-amz-metadata-directive", "MERGE")], "", "not understood"),
        ("directive without a copy", "PUT", "/bucket/k", &[("x-amz-metadata-directive", "COPY")], "", "not understood"),
        ("tags are copied unless replaced", "PUT", "/bucket/k", &[("x-amz-copy-source", "other/s")], "", "CopyObject: s3:PutObject on bucket/k, s3:PutObjectTagging on bucket/k, s3:GetObject on other/s, s3:GetObjectTagging on other/s -> /bucket/k [x-amz-copy-source]"),
        ("version of the source", "PUT", "/bucket/k", &[("x-amz-copy-source", "other/s?versionId=v"), replace], "", "CopyObject: s3:PutObject on bucket/k, s3:GetObjectVersion on other/s -> /bucket/k [x-amz-tagging-directive x-amz-copy-source]"),
    ]);
}

#[test]
fn bodies() {
    let object = |key: &str| format!("<Delete><Object><Key>{key}</Key></Object></Delete>");
    let made = "[content-type x-amz-checksum-sha256 x-amz-sdk-checksum-algorithm]";
    check(&[
        ("foreign key shows", "POST", "/bucket?delete", PLAIN, "<Delete><Object><Key>in/a</Key></Object><Object><Key>secret</Key></Object></Delete>", &format!("DeleteObjects: s3:DeleteObject on bucket/in/a, s3:DeleteObject on bucket/secret -> /bucket?delete {made}" )),
        ("key twice in one object", "POST", "/bucket?delete", PLAIN, "<Delete><Object><Key>in/a</Key><Key>secret</Key></Object></Delete>", "not understood"),
        ("predefined entity", "POST", "/bucket?delete", PLAIN, &object("a&amp;b"), &format!("DeleteObjects: s3:DeleteObject on bucket/a&b -> /bucket?delete {made}")),
        ("entity of a DTD", "POST", "/bucket?delete", PLAIN, &format!("<!DOCTYPE Delete [<!ENTITY x \"secret\">]>{}", object("&x;")), "malformed"),
        ("external entity", "POST", "/bucket?delete", PLAIN, &format!("<!DOCTYPE Delete SYSTEM \"file:///etc/passwd\">{}", object("a")), "malformed"),
        ("billion laughs", "POST", "/bucket?delete", PLAIN, "<!DOCTYPE l [<!ENTITY a \"aa\"><!ENTITY b \"&a;&a;\">]><Delete/>", "malformed"),
        ("undefined entity", "POST", "/bucket?delete", PLAIN, &object("&x;"), "malformed"),
        ("comment inside a key", "POST", "/bucket?delete", PLAIN, &object("in/<!-- -->secret"), "malformed"),
        ("CDATA", "POST", "/bucket?delete", PLAIN, &object("<![CDATA[secret]]>"), "malformed"),
        ("processing instruction", "POST", "/bucket?delete", PLAIN, &format!("<?x y?>{}", object("a")), "malformed"),
        ("parent segment in a key", "POST", "/bucket?delete", PLAIN, &object("in/../secret"), "not understood"),
        ("encoded key is text", "POST", "/bucket?delete", PLAIN, &object("in%2F..%2Fsecret"), &format!("DeleteObjects: s3:DeleteObject on bucket/in%2F..%2Fsecret -> /bucket?delete {made}")),
        ("NUL by reference", "POST", "/bucket?delete", PLAIN, &object("a&#0;b"), "malformed"),
        ("empty key", "POST", "/bucket?delete", PLAIN, &object(""), "not understood"),
        ("no key", "POST", "/bucket?delete", PLAIN, "<Delete><Object/></Delete>", "malformed"),
        ("no object", "POST", "/bucket?delete", PLAIN, "<Delete/>", "malformed"),
        ("too many objects", "POST", "/bucket?delete", PLAIN, &format!("<Delete>{}</Delete>", "<Object><Key>a</Key></Object>".repeat(1001)), "malformed"),
        ("empty version", "POST", "/bucket?delete", PLAIN, "<Delete><Object><Key>a</Key><VersionId/></Object></Delete>", "malformed"),
        ("other root", "POST", "/bucket?delete", PLAIN, "<Tagging><Object><Key>a</Key></Object></Tagging>", "not understood"),
        ("other namespace", "POST", "/bucket?delete", PLAIN, "<Delete xmlns=\"http://example.com\"><Object><Key>a</Key></Object></Delete>", "malformed"),
        ("prefixed elements", "POST", "/bucket?delete", PLAIN, "<s:Delete xmlns:s=\"http://s3.amazonaws.com/doc/2006-03-01/\"/>", "malformed"),
        ("two documents", "POST", "/bucket?delete", PLAIN, &object("a").repeat(2), "malformed"),
        ("text after the document", "POST", "/bucket?delete", PLAIN, &format!("{}x", object("a")), "malformed"),
        ("not XML", "POST", "/bucket?delete", PLAIN, "{\"Delete\":[]}", "malformed"),
        ("UTF-16", "POST", "/bucket?delete", PLAIN, "<?xml version=\"1.0\" encoding=\"UTF-16\"?><Delete/>", "malformed"),
        ("framed XML", "POST", "/bucket?delete", &[("content-encoding", "aws-chunked"), ("x-amz-decoded-content-length", "9")], "9\r\n<Delete/>\r\n0\r\n\r\n", "malformed"),
        ("location of a directory bucket", "PUT", "/bucket", PLAIN, "<CreateBucketConfiguration><Location><Name>z</Name></Location></CreateBucketConfiguration>", "not understood"),
        ("restore into another bucket", "POST", "/bucket/k?restore", PLAIN, "<RestoreRequest><OutputLocation><S3><BucketName>other</BucketName></S3></OutputLocation></RestoreRequest>", "not understood"),
        ("replication under a role", "PUT", "/bucket?replication", PLAIN, "<ReplicationConfiguration><Role>arn:aws:iam::123456789012:role/admin</Role></ReplicationConfiguration>", &format!("PutBucketReplication: s3:PutReplicationConfiguration on bucket, iam:PassRole on arn:aws:iam::123456789012:role/admin -> /bucket?replication {made}" )),
        ("replication without a role", "PUT", "/bucket?replication", PLAIN, "<ReplicationConfiguration/>", "not understood"),
        ("replication under what is no role", "PUT", "/bucket?replication", PLAIN, "<ReplicationConfiguration><Role>arn:aws:iam::123456789012:user/admin</Role></ReplicationConfiguration>", "not understood"),
        ("policy with a doubled key", "PUT", "/bucket?policy", PLAIN, "{\"Statement\":[],\"Statement\":[]}", "malformed"),
        ("policy in XML", "PUT", "/bucket?policy", PLAIN, "<Policy/>", "malformed"),
        ("empty policy", "PUT", "/bucket?policy", PLAIN, "", "malformed"),
        ("ACL in headers and body", "PUT", "/bucket?acl", &[("x-amz-acl", "private")], "<AccessControlPolicy/>", "PutBucketAcl: s3:PutBucketAcl on bucket -> /bucket?acl [content-type x-amz-checksum-sha256 x-amz-sdk-checksum-algorithm x-amz-acl]"),
        ("grantee of an unknown type", "PUT", "/bucket?acl", PLAIN, "<AccessControlPolicy><AccessControlList><Grant><Grantee xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:type=\"Everyone\"/></Grant></AccessControlList></AccessControlPolicy>", "malformed"),
        ("wrong content type is replaced", "PUT", "/bucket?tagging", &[("Content-Type", "text/html")], "<Tagging><TagSet/></Tagging>", &format!("PutBucketTagging: s3:PutBucketTagging on bucket -> /bucket?tagging {made}")),
    ]);
}

/// The typed door takes strings that no HTTP parser has seen.
#[test]
fn the_typed_door() {
    let call = |service: &str, region: Option<&str>, method: &str, path: &str, query: &[(&str, &str)]| {
        let call = Call {
            service: service.into(),
            region: region.map(Into::into),
            method: method.into(),
            path: path.into(),
            query: query.iter().map(|(key, value)| ((*key).into(), (*value).into())).collect(),
            headers: Vec::new(),
            body: Bytes::new(),
        };
        parse(&call, &scope()).map_or_else(|refusal| kind(&refusal).to_owned(), |operation| meaning(&operation))
    };
    for (service, region, method, path, query, expected) in [
        ("s3", None, "GET", "/bucket/k", &[] as &[(&str, &str)], "GetObject: s3:GetObject on bucket/k"),
        ("s3", Some("eu-west-1"), "GET", "/bucket/k", &[], "GetObject: s3:GetObject on bucket/k"),
        ("s3", None, "GET", "", &[], "malformed"),
        ("s3", None, "GET", "bucket/k", &[], "malformed"),
        ("s3", None, "GET", "*", &[], "malformed"),
        ("s3", None, "GET", "https://evil.example/k", &[], "malformed"),
        ("s3", None, "GET", "/bucket/k?acl", &[], "malformed"),
        ("s3", None, "GET", "/bucket", &[("acl", ""), ("acl", "")], "malformed"),
        ("s3", None, "GET", "/bucket", &[("acl&policy", "")], "not understood"),
        ("s3", None, "GET", "/bucket", &[("prefix", "a&acl")], "ListObjects: s3:ListBucket on bucket"),
        ("s3", None, "GET", "/bucket", &[("", "x")], "malformed"),
        ("s3", None, "GET", "/bucket", &[("prefix", "a\0")], "malformed"),
        ("s3", Some("us-east-1.evil.example"), "GET", "/bucket/k", &[], "not understood"),
        ("s3", Some("us-east-1/../"), "GET", "/bucket/k", &[], "not understood"),
        ("s3", Some("cn-north-1"), "GET", "/bucket/k", &[], "not understood"),
        ("s3", Some("us-gov-west-1"), "GET", "/bucket/k", &[], "not understood"),
        ("s3", Some(""), "GET", "/bucket/k", &[], "not understood"),
        ("s3", Some("aws-global"), "GET", "/bucket/k", &[], "not understood"),
        ("S3", None, "GET", "/bucket/k", &[], "not understood"),
        ("s3.us-east-1", None, "GET", "/bucket/k", &[], "not understood"),
        ("bucket.s3", None, "GET", "/k", &[], "not understood"),
        ("s3-control", None, "GET", "/k", &[], "not understood"),
        ("s3express", None, "GET", "/k", &[], "not understood"),
        ("evil.example/", None, "GET", "/k", &[], "not understood"),
        ("", None, "GET", "/k", &[], "not understood"),
        ("iam", None, "POST", "/", &[], "never signed"),
        ("sts", None, "POST", "/", &[("Action", "AssumeRole")], "never signed"),
        ("sts", None, "GET", "/", &[("Action", "GetCallerIdentity")], "never signed"),
        ("s3", None, "GET /other/k HTTP/1.1\r\nx: y", "/bucket/k", &[], "not understood"),
        ("s3", None, "", "/bucket/k", &[], "not understood"),
    ] {
        assert_eq!(
            call(service, region, method, path, query),
            expected,
            "{service} {region:?} {method} {path} {query:?}"
        );
    }
}
