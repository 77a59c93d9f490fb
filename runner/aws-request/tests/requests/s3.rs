//! S3 requests and what they mean.

use crate::common::{kind, meaning, wire};

const DELETE: &str =
    "<Delete><Object><Key>a</Key></Object><Object><Key>b/c</Key><VersionId>1</VersionId></Object></Delete>";
const KMS: &str = "arn:aws:kms:us-east-1:123456789012:key/k-1";

#[test]
fn operations_and_their_permissions() {
    let h: &[(&str, &str)] = &[];
    for (method, target, headers, body, expected) in [
        ("GET", "/", h, "", "ListBuckets: s3:ListAllMyBuckets on *"),
        ("GET", "/?x-id=ListBuckets", h, "", "ListBuckets: s3:ListAllMyBuckets on *"),
        ("PUT", "/bucket", h, "", "CreateBucket: s3:CreateBucket on bucket"),
        ("PUT", "/bucket/", h, "", "CreateBucket: s3:CreateBucket on bucket"),
        ("PUT", "/bucket", &[("x-amz-acl", "private")], "", "CreateBucket: s3:CreateBucket on bucket"),
        (
            "PUT",
            "/bucket",
            &[
                ("x-amz-acl", "public-read"),
                ("x-amz-object-ownership", "ObjectWriter"),
                ("x-amz-bucket-object-lock-enabled", "true"),
            ],
            "",
            "CreateBucket: s3:CreateBucket on bucket, s3:PutBucketAcl on bucket of 123456789012, s3:PutBucketOwnershipControls on bucket of 123456789012, \
             s3:PutBucketObjectLockConfiguration on bucket of 123456789012, s3:PutBucketVersioning on bucket of 123456789012",
        ),
        (
            "PUT",
            "/bucket",
            h,
            "<CreateBucketConfiguration><LocationConstraint>eu-west-1</LocationConstraint><Tags><Tag><Key>a</Key><Value>b</Value></Tag></Tags></CreateBucketConfiguration>",
            "CreateBucket: s3:CreateBucket on bucket, s3:TagResource on bucket of 123456789012",
        ),
        ("DELETE", "/bucket", h, "", "DeleteBucket: s3:DeleteBucket on bucket"),
        ("HEAD", "/bucket", h, "", "HeadBucket: s3:ListBucket on bucket"),
        ("GET", "/bucket", h, "", "ListObjects: s3:ListBucket on bucket"),
        ("GET", "/bucket?prefix=a", h, "", "ListObjects: s3:ListBucket on bucket"),
        ("GET", "/bucket?list-type=2&prefix=in%2F&delimiter=%2F", h, "", "ListObjectsV2: s3:ListBucket on bucket"),
        ("GET", "/bucket?versions", h, "", "ListObjectVersions: s3:ListBucketVersions on bucket"),
        ("GET", "/bucket?uploads", h, "", "ListMultipartUploads: s3:ListBucketMultipartUploads on bucket"),
        ("GET", "/bucket?location", h, "", "GetBucketLocation: s3:GetBucketLocation on bucket"),
        ("GET", "/bucket?acl", h, "", "GetBucketAcl: s3:GetBucketAcl on bucket"),
        ("GET", "/bucket?encryption", h, "", "GetBucketEncryption: s3:GetEncryptionConfiguration on bucket"),
        (
            "GET",
            "/bucket?analytics",
            h,
            "",
            "ListBucketAnalyticsConfigurations: s3:GetAnalyticsConfiguration on bucket",
        ),
        (
            "GET",
            "/bucket?analytics&id=1",
            h,
            "",
            "GetBucketAnalyticsConfiguration: s3:GetAnalyticsConfiguration on bucket",
        ),
        (
            "PUT",
            "/bucket?policy",
            h,
            "{\"Version\":\"2012-10-17\",\"Statement\":[]}",
            "PutBucketPolicy: s3:PutBucketPolicy on bucket",
        ),
        (
            "PUT",
            "/bucket?replication",
            h,
            "<ReplicationConfiguration><Role>arn:aws:iam::123456789012:role/r</Role></ReplicationConfiguration>",
            "PutBucketReplication: s3:PutReplicationConfiguration on bucket, iam:PassRole on arn:aws:iam::123456789012:role/r",
        ),
        (
            "POST",
            "/bucket?delete",
            h,
            DELETE,
            "DeleteObjects: s3:DeleteObject on bucket/a, s3:DeleteObjectVersion on bucket/b/c",
        ),
        (
            "POST",
            "/bucket?delete",
            &[("x-amz-bypass-governance-retention", "true")],
            "<Delete><Object><Key>a</Key></Object></Delete>",
            "DeleteObjects: s3:DeleteObject on bucket/a, s3:BypassGovernanceRetention on bucket/a",
        ),
        ("GET", "/bucket/k", h, "", "GetObject: s3:GetObject on bucket/k"),
        ("GET", "/bucket/k?versionId=null", h, "", "GetObject: s3:GetObjectVersion on bucket/k"),
        ("GET", "/bucket/a%20b//%C3%A9?x-id=GetObject", h, "", "GetObject: s3:GetObject on bucket/a b//é"),
        ("HEAD", "/bucket/k", h, "", "HeadObject: s3:GetObject on bucket/k"),
        (
            "GET",
            "/bucket/k?attributes",
            h,
            "",
            "GetObjectAttributes: s3:GetObject on bucket/k, s3:GetObjectAttributes on bucket/k",
        ),
        (
            "GET",
            "/bucket/k?attributes&versionId=1",
            h,
            "",
            "GetObjectAttributes: s3:GetObjectVersion on bucket/k, s3:GetObjectVersionAttributes on bucket/k",
        ),
        ("PUT", "/bucket/k", h, "data", "PutObject: s3:PutObject on bucket/k"),
        (
            "PUT",
            "/bucket/k",
            &[
                ("x-amz-acl", "private"),
                ("x-amz-tagging", "a=b"),
                ("x-amz-object-lock-mode", "GOVERNANCE"),
                ("x-amz-object-lock-legal-hold", "ON"),
            ],
            "data",
            "PutObject: s3:PutObject on bucket/k, s3:PutObjectAcl on bucket/k, s3:PutObjectTagging on bucket/k, \
             s3:PutObjectRetention on bucket/k, s3:PutObjectLegalHold on bucket/k",
        ),
        (
            "PUT",
            "/bucket/k",
            &[("x-amz-grant-read", "id=\"x\"")],
            "data",
            "PutObject: s3:PutObject on bucket/k, s3:PutObjectAcl on bucket/k",
        ),
        (
            "PUT",
            "/bucket/k",
            &[("x-amz-server-side-encryption", "aws:kms"), ("x-amz-server-side-encryption-aws-kms-key-id", KMS)],
            "data",
            "PutObject: s3:PutObject on bucket/k, kms:GenerateDataKey on arn:aws:kms:us-east-1:123456789012:key/k-1",
        ),
        (
            "POST",
            "/bucket/k?uploads",
            &[("x-amz-server-side-encryption", "aws:kms"), ("x-amz-server-side-encryption-aws-kms-key-id", "alias/a")],
            "",
            "CreateMultipartUpload: s3:PutObject on bucket/k, kms:GenerateDataKey on arn:aws:kms:us-east-1:123456789012:key/*, \
             kms:Decrypt on arn:aws:kms:us-east-1:123456789012:key/*",
        ),
        ("PUT", "/bucket/k?partNumber=1&uploadId=u", h, "data", "UploadPart: s3:PutObject on bucket/k"),
        (
            "PUT",
            "/bucket/k?partNumber=1&uploadId=u",
            &[("x-amz-copy-source", "source/s")],
            "",
            "UploadPartCopy: s3:PutObject on bucket/k, s3:GetObject on source/s",
        ),
        (
            "POST",
            "/bucket/k?uploadId=u",
            h,
            "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>\"e\"</ETag></Part></CompleteMultipartUpload>",
            "CompleteMultipartUpload: s3:PutObject on bucket/k",
        ),
        ("DELETE", "/bucket/k?uploadId=u", h, "", "AbortMultipartUpload: s3:AbortMultipartUpload on bucket/k"),
        ("GET", "/bucket/k?uploadId=u", h, "", "ListParts: s3:ListMultipartUploadParts on bucket/k"),
        (
            "PUT",
            "/bucket/k",
            &[("x-amz-copy-source", "/source/s")],
            "",
            "CopyObject: s3:PutObject on bucket/k, s3:PutObjectTagging on bucket/k, s3:GetObject on source/s, s3:GetObjectTagging on source/s",
        ),
        (
            "PUT",
            "/bucket/k",
            &[("x-amz-copy-source", "source%2Fs?versionId=v"), ("x-amz-tagging-directive", "REPLACE")],
            "",
            "CopyObject: s3:PutObject on bucket/k, s3:GetObjectVersion on source/s",
        ),
        (
            "PUT",
            "/bucket/k",
            &[
                ("x-amz-copy-source", "source/s"),
                ("x-amz-tagging-directive", "REPLACE"),
                ("x-amz-source-expected-bucket-owner", "999999999999"),
                ("x-amz-expected-bucket-owner", "123456789012"),
            ],
            "",
            "CopyObject: s3:PutObject on bucket/k of 123456789012, s3:GetObject on source/s of source 999999999999",
        ),
        (
            "PUT",
            "/bucket/k",
            &[
                ("x-amz-copy-source", "source/s"),
                ("x-amz-tagging-directive", "REPLACE"),
                ("x-amz-object-annotation-directive", "COPY"),
            ],
            "",
            "CopyObject: s3:PutObject on bucket/k, s3:PutObjectAnnotation on bucket/k, s3:GetObject on source/s, s3:GetObjectAnnotation on source/s",
        ),
        ("DELETE", "/bucket/k", h, "", "DeleteObject: s3:DeleteObject on bucket/k"),
        ("DELETE", "/bucket/k?versionId=1", h, "", "DeleteObject: s3:DeleteObjectVersion on bucket/k"),
        (
            "DELETE",
            "/bucket/k?versionId=1",
            &[("x-amz-bypass-governance-retention", "true")],
            "",
            "DeleteObject: s3:DeleteObjectVersion on bucket/k, s3:BypassGovernanceRetention on bucket/k",
        ),
        ("DELETE", "/bucket/k?tagging", h, "", "DeleteObjectTagging: s3:DeleteObjectTagging on bucket/k"),
        ("GET", "/bucket/k?acl&versionId=1", h, "", "GetObjectAcl: s3:GetObjectVersionAcl on bucket/k"),
        (
            "PUT",
            "/bucket/k?acl&versionId=1",
            &[("x-amz-acl", "private")],
            "",
            "PutObjectAcl: s3:PutObjectVersionAcl on bucket/k",
        ),
        (
            "PUT",
            "/bucket/k?retention",
            &[("x-amz-bypass-governance-retention", "true")],
            "<Retention><Mode>GOVERNANCE</Mode><RetainUntilDate>2030-01-01T00:00:00Z</RetainUntilDate></Retention>",
            "PutObjectRetention: s3:PutObjectRetention on bucket/k, s3:BypassGovernanceRetention on bucket/k",
        ),
        (
            "POST",
            "/bucket/k?restore",
            h,
            "<RestoreRequest><Days>1</Days></RestoreRequest>",
            "RestoreObject: s3:RestoreObject on bucket/k",
        ),
    ] {
        let url = format!("https://s3.us-east-1.amazonaws.com{target}");
        let operation = wire(method, &url, headers, body.as_bytes()).map(|operation| operation.map(|o| meaning(&o)));
        assert_eq!(operation, Ok(Some(expected.to_owned())), "{method} {target} {headers:?}");
    }
}

#[test]
fn what_is_sent_is_made_anew() {
    for (url, headers, target, sent) in [
        ("https://bucket.s3.amazonaws.com/a%2Fb%7e", &[] as &[(&str, &str)], "/bucket/a/b~", &[] as &[(&str, &str)]),
        ("https://bucket.s3.eu-west-1.amazonaws.com//k", &[], "/bucket//k", &[]),
        ("https://s3.amazonaws.com/bucket/k'(1)*!", &[], "/bucket/k%27%281%29%2A%21", &[]),
        ("https://s3.amazonaws.com/bucket/k?x-id=PutObject", &[], "/bucket/k", &[]),
        (
            "https://s3.amazonaws.com/bucket/k",
            &[
                ("Host", "evil.example"),
                ("Authorization", "AWS4-HMAC-SHA256 Credential=AKIA/…"),
                ("X-Amz-Date", "20260101T000000Z"),
                ("X-Amz-Security-Token", "token"),
                ("X-Amz-Content-Sha256", "UNSIGNED-PAYLOAD"),
                ("X-Amz-User-Agent", "sdk"),
                ("Amz-Sdk-Invocation-Id", "1"),
                ("User-Agent", "sdk"),
                ("Expect", "100-continue"),
                ("X-Forwarded-For", "127.0.0.1"),
                ("X-HTTP-Method-Override", "DELETE"),
                ("Content-Length", "4"),
                ("Content-Type", " text/plain "),
                ("X-Amz-Meta-Name", "a"),
                ("x-amz-tagging", "a+b=c"),
                ("x-amz-copy-sourcex", ""),
            ][..15],
            "/bucket/k",
            &[("content-type", "text/plain"), ("x-amz-meta-name", "a"), ("x-amz-tagging", "a%20b=c")],
        ),
    ] {
        let operation = wire("PUT", url, headers, b"data").unwrap().unwrap();
        assert_eq!(operation.path_and_query(), target, "{url}");
        let made: Vec<_> = operation.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(made, sent, "{url}");
    }
}

#[test]
fn bodies_are_made_anew() {
    let body = "<?xml version=\"1.0\"?>\n<Delete>\n  <Object><Key>a&#x26;&#xD;</Key></Object>\n</Delete>";
    let headers = [("Content-MD5", "wrong"), ("x-amz-checksum-crc32", "AAAAAA=="), ("Content-Type", "text/html")];
    let operation = wire("POST", "https://s3.amazonaws.com/bucket?delete", &headers, body.as_bytes()).unwrap().unwrap();
    let made =
        "<Delete xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Object><Key>a&amp;&#13;</Key></Object></Delete>";
    assert_eq!(*operation.payload.whole().unwrap(), made.as_bytes());
    let names: Vec<&str> = operation.headers.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["content-type", "x-amz-checksum-sha256", "x-amz-sdk-checksum-algorithm"]);
    assert_eq!(operation.path_and_query(), "/bucket?delete");

    let policy = wire("PUT", "https://s3.amazonaws.com/bucket?policy", &[], b" { \"Version\" : \"2012-10-17\" } ");
    assert_eq!(policy.unwrap().unwrap().payload.whole().unwrap(), r#"{"Version":"2012-10-17"}"#);
}

#[test]
fn framed_bodies_come_out_of_their_frame() {
    let unsigned = "4\r\ndata\r\n0\r\nx-amz-checksum-crc32:rfPzYw==\r\n\r\n";
    let signature = "a".repeat(64);
    let signed = format!("4;chunk-signature={signature}\r\ndata\r\n0;chunk-signature={signature}\r\n\r\n");
    let trailer: &[(&str, &str)] = &[
        ("content-encoding", "aws-chunked"),
        ("x-amz-decoded-content-length", "4"),
        ("x-amz-trailer", "x-amz-checksum-crc32"),
        ("x-amz-content-sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER"),
    ];
    let url = "https://s3.amazonaws.com/bucket/k";
    for (headers, body, sent) in [
        (trailer, unsigned, Some("x-amz-checksum-crc32: rfPzYw==")),
        (&trailer[..3], unsigned, Some("x-amz-checksum-crc32: rfPzYw==")),
        (
            &[
                ("content-encoding", "aws-chunked,gzip"),
                trailer[1],
                ("x-amz-content-sha256", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"),
            ],
            &signed,
            Some("content-encoding: gzip"),
        ),
        (&[("x-amz-content-sha256", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"), trailer[1]], &signed, Some("")),
        // As the SDKs write it for a program that has an encoding of its own.
        (
            &[("content-encoding", "gzip,aws-chunked"), trailer[1]],
            "4\r\ndata\r\n0\r\n\r\n",
            Some("content-encoding: gzip"),
        ),
        (
            &[("content-encoding", "gzip"), trailer[0], trailer[1]],
            "2\r\nda\r\n2\r\nta\r\n0\r\n\r\n",
            Some("content-encoding: gzip"),
        ),
        // A trailer that is not announced, or is announced and missing.
        (&[trailer[0], trailer[1]], unsigned, None),
        (trailer, "4\r\ndata\r\n0\r\n\r\n", None),
        // The checksum of something else.
        (trailer, "4\r\ndata\r\n0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n", None),
        (trailer, "4\r\ndata\r\n0\r\nx-amz-acl:public-read\r\n\r\n", None),
        (
            &[trailer[0], trailer[1], ("x-amz-trailer", "x-amz-acl")],
            "4\r\ndata\r\n0\r\nx-amz-acl:public-read\r\n\r\n",
            None,
        ),
        // Wrong lengths, and what does not end or goes on.
        (&[trailer[0], ("x-amz-decoded-content-length", "5"), trailer[2]], unsigned, None),
        (&[trailer[0], ("x-amz-decoded-content-length", "+4"), trailer[2]], unsigned, None),
        (&[trailer[0], trailer[2]], unsigned, None),
        (&[trailer[0], trailer[1]], "5\r\ndata\r\n0\r\n\r\n", None),
        (&[trailer[0], trailer[1]], "4\r\ndata\r\n", None),
        (&[trailer[0], trailer[1]], "4\r\ndata\r\n0\r\n", None),
        (&[trailer[0], trailer[1]], "4\r\ndata\r\n0\r\n\r\nGET / HTTP/1.1\r\n\r\n", None),
        (&[trailer[0], trailer[1]], "+4\r\ndata\r\n0\r\n\r\n", None),
        (&[trailer[0], trailer[1]], "0x4\r\ndata\r\n0\r\n\r\n", None),
        (&[trailer[0], trailer[1]], "4;x=y\r\ndata\r\n0\r\n\r\n", None),
        (&[trailer[0], trailer[1]], "4\ndata\n0\n\n", None),
        (&[trailer[0], trailer[1]], "FFFFFFFFFFFFFFFFF\r\ndata\r\n0\r\n\r\n", None),
        (&[trailer[0], trailer[1]], "data", None),
        (&[("content-encoding", "gzip,aws-chunked,br"), trailer[1]], "4\r\ndata\r\n0\r\n\r\n", None),
        // A trailer twice, in one way or the other; a signature of the trailer twice.
        (
            &[trailer[0], trailer[1], ("x-amz-trailer", "x-amz-checksum-crc32,x-amz-checksum-crc32")],
            "4\r\ndata\r\n0\r\nx-amz-checksum-crc32:rfPzYw==\r\n\r\n",
            None,
        ),
        (trailer, "4\r\ndata\r\n0\r\nx-amz-checksum-crc32:rfPzYw==\r\nx-amz-checksum-crc32:rfPzYw==\r\n\r\n", None),
        (trailer, "4\r\ndata\r\n0\r\nx-amz-trailer-signature:a\r\nx-amz-trailer-signature:b\r\n\r\n", None),
        (&[trailer[0], ("x-amz-decoded-content-length", "18446744073709551615")], "0\r\n\r\n", None),
        // The same checksum twice.
        (&[trailer[0], trailer[1], trailer[2], ("x-amz-checksum-crc32", "AAAAAA==")], unsigned, None),
        // What says that there is a frame, without one.
        (&[trailer[1]], "data", None),
        (&[trailer[2]], "data", None),
    ] {
        let operation = wire("PUT", url, headers, body.as_bytes());
        let made = operation.ok().flatten().map(|operation| {
            assert_eq!(*operation.payload.whole().unwrap(), "data");
            let fields: Vec<String> =
                operation.headers.iter().map(|(name, value)| format!("{name}: {value}")).collect();
            fields.join("\n")
        });
        assert_eq!(made.as_deref(), sent, "{headers:?} {body:?}");
    }
}

#[test]
fn a_list_that_comes_in_several_fields_is_sent_in_one() {
    let url = "https://bucket.s3.amazonaws.com/k?attributes";
    for (values, sent) in
        [(&["ETag"][..], "ETag"), (&["ETag,Checksum"], "ETag,Checksum"), (&["ETag", "Checksum"], "ETag,Checksum")]
    {
        let headers: Vec<_> = values.iter().map(|value| ("x-amz-object-attributes", *value)).collect();
        let operation = wire("GET", url, &headers, b"").unwrap().unwrap();
        assert_eq!(
            meaning(&operation),
            "GetObjectAttributes: s3:GetObject on bucket/k, s3:GetObjectAttributes on bucket/k"
        );
        assert_eq!(operation.headers, [("x-amz-object-attributes".to_owned(), sent.to_owned())]);
    }
    // Another field of the operation's does not become a list, and another operation does not take the list.
    let twice = [("x-amz-object-attributes", "ETag"), ("x-amz-max-parts", "1"), ("x-amz-max-parts", "2")];
    assert_eq!(kind(&wire("GET", url, &twice, b"").unwrap_err()), "malformed");
    let elsewhere = [("x-amz-object-attributes", "ETag"), ("x-amz-object-attributes", "Checksum")];
    let refusal = wire("GET", "https://bucket.s3.amazonaws.com/k", &elsewhere, b"").unwrap_err();
    assert_eq!(kind(&refusal), "not understood");
}

#[test]
fn context_is_what_iam_publishes() {
    let context = |method: &str, target: &str, headers: &[(&str, &str)], body: &str| {
        let url = format!("https://s3.eu-west-1.amazonaws.com{target}");
        let operation = wire(method, &url, headers, body.as_bytes()).unwrap().unwrap();
        operation
            .checks
            .iter()
            .map(|check| {
                let mut keys: Vec<String> =
                    check.context.iter().map(|(key, values)| format!("{key}={}", values.join("|"))).collect();
                keys.sort();
                keys.join(" ")
            })
            .collect::<Vec<_>>()
    };
    let region = "aws:RequestedRegion=eu-west-1";
    assert_eq!(
        context("GET", "/bucket?list-type=2&prefix=in%2F&delimiter=%2F&max-keys=10", &[], ""),
        [format!("{region} s3:delimiter=/ s3:max-keys=10 s3:prefix=in/")]
    );
    assert_eq!(context("GET", "/bucket?uploads&prefix=in%2F", &[], ""), [region]);
    assert_eq!(context("HEAD", "/bucket", &[], ""), [region]);
    assert_eq!(context("GET", "/bucket/k?versionId=v", &[], ""), [format!("{region} s3:versionid=v")]);
    assert_eq!(
        context("PUT", "/bucket/k", &[("x-amz-acl", "private"), ("x-amz-tagging", "a=1&b=2")], ""),
        [
            format!(
                "{region} s3:RequestObjectTag/a=1 s3:RequestObjectTag/b=2 s3:RequestObjectTagKeys=a|b s3:x-amz-acl=private"
            ),
            format!("{region} s3:x-amz-acl=private"),
            format!("{region} s3:RequestObjectTag/a=1 s3:RequestObjectTag/b=2 s3:RequestObjectTagKeys=a|b"),
        ]
    );
    assert_eq!(
        context(
            "PUT",
            "/bucket/k",
            &[("x-amz-server-side-encryption", "aws:kms"), ("x-amz-server-side-encryption-aws-kms-key-id", "k-1")],
            ""
        )[1],
        format!("{region} kms:ViaService=s3.eu-west-1.amazonaws.com")
    );
    assert_eq!(
        context(
            "PUT",
            "/bucket",
            &[],
            "<CreateBucketConfiguration><LocationConstraint>eu-west-1</LocationConstraint></CreateBucketConfiguration>"
        ),
        [format!("{region} s3:locationconstraint=eu-west-1")]
    );
}
