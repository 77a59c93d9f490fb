//! Header fields: of signing, of the connection, and those that widen an operation; copy sources.

use super::{Case, case};

const PUT: &str = "sent PUT /bucket/in/k";

/// What the service would need beside s3:PutObject.
fn also(action: &str) -> String {
    format!("denied: {action} on arn:aws:s3:::bucket/in/k")
}

pub(super) fn cases() -> Vec<Case> {
    [of_signing_and_connection(), widening(), copies()].into_iter().flatten().collect()
}

fn of_signing_and_connection() -> Vec<Case> {
    let put = |name, outcome: &str| case(name, "PUT s3 /bucket/in/k", outcome);
    let forbidden = |outcome: &str| format!("{outcome} || unformed header");
    vec![
        put("Host", &forbidden(PUT)).header("Host", "evil.example"),
        put("two hosts", &forbidden(PUT)).header("Host", "bucket").header("host", "evil.example"),
        put("Authorization", PUT).header("Authorization", "AWS4-HMAC-SHA256 Credential=x"),
        put("date of signing", PUT).header("X-Amz-Date", "20000101T000000Z").header("Date", "x"),
        put("session token", PUT).header("X-Amz-Security-Token", "t"),
        put("hash of the body", PUT).header("X-Amz-Content-Sha256", "UNSIGNED-PAYLOAD"),
        put("hash of the body twice", "malformed")
            .header("X-Amz-Content-Sha256", "UNSIGNED-PAYLOAD")
            .header("x-amz-content-sha256", "0"),
        put("Connection names a field", &forbidden(PUT))
            .header("Connection", "close, content-type")
            .header("Content-Type", "text/x"),
        put("Connection names an AWS field", &forbidden("malformed"))
            .header("Connection", "x-amz-acl")
            .header("x-amz-acl", "private"),
        put("Connection names the owner's field", &forbidden("malformed"))
            .header("Connection", "X-Amz-Expected-Bucket-Owner"),
        put("fields of the connection", &forbidden(PUT))
            .header("Keep-Alive", "1")
            .header("Upgrade", "h2c")
            .header("Proxy-Authorization", "x"),
        put("TE and Trailer", PUT).header("TE", "trailers").header("Trailer", "x-amz-acl"),
        put("chunked with a length", &forbidden("malformed"))
            .header("Transfer-Encoding", "chunked")
            .header("Content-Length", "0"),
        put("chunked", &forbidden(PUT)).header("Transfer-Encoding", "chunked"),
        put("two lengths", &forbidden("malformed")).header("Content-Length", "0").header("content-length", "0"),
        put("wrong length", "malformed || error ErrorCode::HttpProtocolError")
            .header("Content-Length", "5")
            .body("data"),
        put("length too small", "malformed || error ErrorCode::HttpProtocolError")
            .header("Content-Length", "2")
            .body("data"),
        put("length with a sign", &forbidden("malformed")).header("Content-Length", "+4").body("data"),
        put("list of lengths", &forbidden("malformed")).header("Content-Length", "4, 4").body("data"),
        put("trailers", "sent PUT /bucket/in/k data").trailer("x-amz-acl", "public-read").body("data"),
        put("Expect", PUT).header("Expect", "100-continue"),
        put("method override", PUT).header("X-HTTP-Method-Override", "DELETE").header("_method", "DELETE"),
        put("URL override", PUT).header("X-Original-URL", "/other/k").header("X-Rewrite-URL", "/other/k"),
        put("forwarded host", PUT).header("X-Forwarded-Host", "evil.example").header("Forwarded", "host=evil.example"),
        put("CRLF in a value", &forbidden("malformed")).header("Content-Type", "a\\r\\nx-amz-acl: public-read"),
        put("LF in a value", &forbidden("malformed")).header("X-Other", "a\\nx-amz-acl: public-read"),
        put("CR in a value", &forbidden("malformed")).header("X-Other", "a\\rb"),
        put("NUL in a value", &forbidden("malformed")).header("Content-Type", "a\\0b"),
        put("tab in a value", "malformed").header("Content-Type", "a\\x09b"),
        put("byte that is no UTF-8", "malformed").header("x-amz-meta-a", "\\xff"),
        put("non-ASCII value", "malformed").header("x-amz-meta-a", "\\xc3\\xa9"),
        put("name with a space", &forbidden("malformed")).header("x-amz-acl ", "public-read"),
        put("name with CRLF", &forbidden("malformed")).header("x\\r\\nx-amz-acl", "public-read"),
        put("empty name", &forbidden("malformed")).header("", "x"),
        put("non-ASCII name", &forbidden("malformed")).header("x-amz-\\xc3\\xa9", "x"),
        put("underscores are another name", PUT).header("x_amz_acl", "public-read"),
        put("field twice", "malformed").header("Content-Type", "a").header("content-type", "b"),
        put("AWS field twice", "malformed").header("x-amz-acl", "private").header("X-Amz-Acl", "public-read"),
        put("metadata twice", "malformed").header("x-amz-meta-a", "1").header("X-Amz-Meta-A", "2"),
        put("white space around a value", "sent PUT /bucket/in/k [x-amz-meta-a: b]").header("X-Amz-Meta-A", "  b\\x09"),
    ]
}

fn widening() -> Vec<Case> {
    let put = |name, outcome: &str| case(name, "PUT s3 /bucket/in/k", outcome).narrow();
    let kms = ("x-amz-server-side-encryption", "aws:kms");
    vec![
        put("field of the future", "not understood").header("x-amz-future", "1"),
        case("field of the future on a read", "GET s3 /bucket/in/k", "not understood").header("X-AMZ-FUTURE", "1"),
        case("ACL on a read", "GET s3 /bucket/in/k", "not understood").header("x-amz-acl", "public-read"),
        put("ACL", &also("s3:PutObjectAcl")).header("X-Amz-ACL", "public-read"),
        put("grant", &also("s3:PutObjectAcl")).header("x-amz-grant-full-control", "uri=everyone"),
        put("tags", &also("s3:PutObjectTagging")).header("x-amz-tagging", "a=b"),
        put("retention", &also("s3:PutObjectRetention")).header("x-amz-object-lock-mode", "COMPLIANCE"),
        put("legal hold", &also("s3:PutObjectLegalHold")).header("x-amz-object-lock-legal-hold", "ON"),
        put("KMS key", "denied: kms:GenerateDataKey on arn:aws:kms:us-east-1:123456789012:key/k-1")
            .header(kms.0, kms.1)
            .header("x-amz-server-side-encryption-aws-kms-key-id", "k-1"),
        put("KMS key of another account", "denied: kms:GenerateDataKey on arn:aws:kms:us-east-1:999999999999:key/k-1")
            .header(kms.0, kms.1)
            .header("x-amz-server-side-encryption-aws-kms-key-id", "arn:aws:kms:us-east-1:999999999999:key/k-1"),
        put("KMS key of another partition", "not understood")
            .header(kms.0, kms.1)
            .header("x-amz-server-side-encryption-aws-kms-key-id", "arn:aws-cn:kms:cn-north-1:123456789012:key/k"),
        put("wildcard key", "not understood")
            .header(kms.0, kms.1)
            .header("x-amz-server-side-encryption-aws-kms-key-id", "*"),
        put("unknown encryption", "not understood").header("x-amz-server-side-encryption", "aws:new"),
        case("bypass of governance", "DELETE s3 /bucket/in/k", also("s3:BypassGovernanceRetention"))
            .narrow()
            .header("x-amz-bypass-governance-retention", "true"),
        case("bypass in another spelling", "DELETE s3 /bucket/in/k", "not understood")
            .header("x-amz-bypass-governance-retention", "TRUE"),
        case("ACL that is granted", "PUT s3 /bucket/acl/k", "sent PUT /bucket/acl/k [x-amz-acl: private]")
            .narrow()
            .header("x-amz-acl", "private"),
        case(
            "two grants missing",
            "PUT s3 /other/k",
            "denied: s3:PutObject on arn:aws:s3:::other/k, s3:PutObjectAcl on arn:aws:s3:::other/k",
        )
        .narrow()
        .header("x-amz-acl", "private"),
        put("two owners", "malformed")
            .header("x-amz-expected-bucket-owner", "123456789012")
            .header("X-Amz-Expected-Bucket-Owner", "999999999999"),
        put("owner of a source without a copy", "not understood")
            .header("x-amz-source-expected-bucket-owner", "123456789012"),
    ]
}

fn copies() -> Vec<Case> {
    let foreign = "denied: s3:GetObject on arn:aws:s3:::other/s";
    let copy = |name, source: &str, outcome: &str| {
        case(name, "PUT s3 /bucket/in/k", outcome)
            .narrow()
            .header("x-amz-copy-source", source)
            .header("x-amz-tagging-directive", "REPLACE")
    };
    vec![
        copy("source", "other/s", foreign),
        copy("source with a slash", "/other/s", foreign),
        copy("source encoded in part", "%6Fther%2Fs", foreign),
        copy("version of the source", "other/s?versionId=v", "denied: s3:GetObjectVersion on arn:aws:s3:::other/s"),
        copy("parent in the source", "bucket/in/../../other/s", "not understood"),
        copy("encoded parent in the source", "bucket/in/%2e%2e/secret", "not understood"),
        copy("plus in the source", "other/a+b", "not understood"),
        copy("two sources in one", "bucket/in/s, other/s", "not understood"),
        copy("two sources", "bucket/in/s", "malformed").header("X-Amz-Copy-Source", "other/s"),
        copy("access point", "arn:aws:s3:us-east-1:999999999999:accesspoint/p/object/s", "not understood"),
        copy("alias", "p-0123-s3alias/s", "not understood"),
        copy("URL", "https://evil.example/s", "not understood"),
        copy("second query key", "bucket/in/s?versionId=1&x=y", "not understood"),
        copy("empty source", "", "not understood"),
        copy("source with a body", "bucket/in/s", "not understood").body("data"),
        copy(
            "source that is granted",
            "/bucket/in%2Fs",
            &format!(
                "{PUT} [x-amz-copy-source: bucket/in/s, \
             x-amz-source-expected-bucket-owner: 123456789012, x-amz-tagging-directive: REPLACE]"
            ),
        ),
        copy("source of another owner", "bucket/in/s", "denied: s3:GetObject on arn:aws:s3:::bucket/in/s")
            .header("x-amz-source-expected-bucket-owner", "999999999999"),
        case(
            "tags are copied unless replaced",
            "PUT s3 /bucket/in/k",
            "denied: s3:PutObjectTagging on \
             arn:aws:s3:::bucket/in/k, s3:GetObjectTagging on arn:aws:s3:::bucket/in/s",
        )
        .narrow()
        .header("x-amz-copy-source", "bucket/in/s"),
        case("source on a read", "GET s3 /bucket/in/k", "not understood").header("x-amz-copy-source", "other/s"),
        case("source of a part", "PUT s3 /bucket/in/k?partNumber=1&uploadId=u", foreign)
            .narrow()
            .header("x-amz-copy-source", "other/s"),
    ]
}
