//! Bodies of S3: framing, size, and the documents that hold what a request is about.

use super::super::run::BODY_LIMIT;
use super::{Case, case};

pub(super) fn cases() -> Vec<Case> {
    let framed = |name, length: &str, body: &str, outcome: &str| {
        case(name, "PUT s3 /bucket/in/k", outcome)
            .header("content-encoding", "aws-chunked")
            .header("x-amz-content-sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER")
            .header("x-amz-decoded-content-length", length)
            .header("x-amz-trailer", "x-amz-checksum-crc32")
            .body(body)
    };
    let trailer = "x-amz-checksum-crc32:rfPzYw==\\r\\n\\r\\n";
    let delete = |name, objects: &str, outcome: &str| {
        case(name, "POST s3 /bucket?delete", outcome).narrow().body(format!("<Delete>{objects}</Delete>"))
    };
    let key = |key: &str| format!("<Object><Key>{key}</Key></Object>");
    let document = |name, body: &str, outcome: &str| case(name, "POST s3 /bucket?delete", outcome).body(body);
    vec![
        case("too large", "PUT s3 /bucket/in/k", "too large").body_of(BODY_LIMIT + 1),
        case("denied after its body", "PUT s3 /other/k", "denied: s3:PutObject on arn:aws:s3:::other/k")
            .narrow()
            .body_of(BODY_LIMIT),
        case("not understood after its body", "BREW s3 /bucket/in/k", "not understood").body_of(BODY_LIMIT),
        framed(
            "out of its frame",
            "4",
            &format!("4\\r\\ndata\\r\\n0\\r\\n{trailer}"),
            "sent PUT /bucket/in/k [x-amz-checksum-crc32: rfPzYw==] data",
        ),
        framed(
            "the checksum of another body",
            "4",
            "4\\r\\ndata\\r\\n0\\r\\nx-amz-checksum-crc32:AAAAAA==\\r\\n\\r\\n",
            "malformed",
        ),
        framed("decoded length too small", "3", &format!("4\\r\\ndata\\r\\n0\\r\\n{trailer}"), "malformed"),
        framed("decoded length too large", "5", &format!("4\\r\\ndata\\r\\n0\\r\\n{trailer}"), "malformed"),
        framed("chunk beyond the end", "4", "5\\r\\ndata\\r\\n0\\r\\n\\r\\n", "malformed"),
        framed("no last chunk", "4", "4\\r\\ndata\\r\\n", "malformed"),
        framed(
            "request after the last chunk",
            "4",
            &format!("4\\r\\ndata\\r\\n0\\r\\n{trailer}GET /other/k HTTP/1.1\\r\\n"),
            "malformed",
        ),
        framed("ACL as trailer", "4", "4\\r\\ndata\\r\\n0\\r\\nx-amz-acl:public-read\\r\\n\\r\\n", "malformed"),
        // DeleteObjects: each key counts.
        delete(
            "foreign key among own",
            &(key("in/a") + &key("secret")),
            "denied: s3:DeleteObject on arn:aws:s3:::bucket/secret",
        ),
        delete("foreign key by entity", &key("&#115;ecret"), "denied: s3:DeleteObject on arn:aws:s3:::bucket/secret"),
        delete("encoded key is text", &key("secret%2Fa"), "denied: s3:DeleteObject on arn:aws:s3:::bucket/secret%2Fa"),
        delete(
            "version needs its own action",
            "<Object><Key>in/a</Key><VersionId>v</VersionId></Object>",
            "denied: s3:DeleteObjectVersion on arn:aws:s3:::bucket/in/a",
        ),
        delete("key twice in one object", "<Object><Key>in/a</Key><Key>secret</Key></Object>", "not understood"),
        delete(
            "object in an object",
            "<Object><Key>in/a</Key><Object><Key>secret</Key></Object></Object>",
            "not understood",
        ),
        delete("parent segment in a key", &key("in/../secret"), "not understood"),
        delete("comment in a key", &key("in/<!-- -->secret"), "malformed"),
        delete("CDATA", &key("<![CDATA[secret]]>"), "malformed"),
        delete("undefined entity", &key("&x;"), "malformed"),
        delete("NUL by reference", &key("in/a&#0;b"), "malformed"),
        delete("empty key", &key(""), "not understood"),
        document(
            "entity of a DTD",
            &format!("<!DOCTYPE Delete [<!ENTITY x \"secret\">]><Delete>{}</Delete>", key("&x;")),
            "malformed",
        ),
        document("external entity", "<!DOCTYPE Delete SYSTEM \"file:///etc/passwd\"><Delete/>", "malformed"),
        document("billion laughs", "<!DOCTYPE l [<!ENTITY a \"aa\"><!ENTITY b \"&a;&a;\">]><Delete/>", "malformed"),
        document("two documents", &format!("<Delete>{0}</Delete><Delete>{0}</Delete>", key("in/a")), "malformed"),
        document("other namespace", "<Delete xmlns=\"http://example.com\"/>", "malformed"),
        document("JSON", "{\"Delete\":[]}", "malformed"),
        // Documents that carry authority.
        case(
            "bucket policy under a pattern",
            "PUT s3 /bucket?policy",
            "denied: s3:PutBucketPolicy on arn:aws:s3:::bucket",
        )
        .body("{\"Statement\":[]}"),
        case("policy with a doubled key", "PUT s3 /bucket?policy", "malformed")
            .body("{\"Statement\":[],\"Statement\":[]}"),
        case(
            "replication under a role",
            "PUT s3 /bucket?replication",
            "denied: s3:PutReplicationConfiguration on \
            arn:aws:s3:::bucket, iam:PassRole on arn:aws:iam::123456789012:role/admin",
        )
        .body("<ReplicationConfiguration><Role>arn:aws:iam::123456789012:role/admin</Role></ReplicationConfiguration>"),
        case("body with a read", "GET s3 /bucket/in/k", "not understood").body("data"),
        case("body with a bucket's removal", "DELETE s3 /bucket", "not understood").body("data"),
    ]
}
