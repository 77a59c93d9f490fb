//! What holds for every request, whatever a guest forms.

use bytes::Bytes;
use proptest::collection::vec;
use proptest::prelude::*;
use rolebox_aws_request::host::{self, Host};
use rolebox_aws_request::{Call, Operation, parse};

use crate::common::scope;

/// Texts near to what requests are made of, so that many requests are understood in part.
fn fragment() -> impl Strategy<Value = String> {
    prop_oneof![
        prop::sample::select(vec![
            "bucket",
            "other-bucket",
            "k",
            "..",
            ".",
            "%2e%2e",
            "%2F",
            "/",
            "//",
            "a b",
            "%",
            "%zz",
            "%00",
            "%ff",
            "é",
            "+",
            "?",
            "#",
            "\\",
            "*",
            "acl",
            "tagging",
            "versionId",
            "uploads",
            "uploadId",
            "partNumber",
            "list-type",
            "2",
            "prefix",
            "delete",
            "x-id",
            "policy",
            "x-amz-acl",
            "X-Amz-Signature",
            "arn:aws:s3:::bucket",
            "-s3alias",
            "\r\n",
            "\0",
            "=",
            "&",
        ])
        .prop_map(str::to_owned),
        "[ -~]{0,8}",
        "\\PC{0,4}",
    ]
}

fn path() -> impl Strategy<Value = String> {
    vec(fragment(), 0..6).prop_map(|parts| format!("/{}", parts.concat()))
}

fn plausible_path() -> impl Strategy<Value = String> {
    ("[a-z0-9.-]{3,12}", vec("[ -~]{0,4}|\\PC{0,3}|/|%2[0-9A-F]", 0..6))
        .prop_map(|(bucket, key)| format!("/{bucket}/{}", key.concat()))
}

fn headers() -> impl Strategy<Value = Vec<(String, Vec<u8>)>> {
    let name = prop_oneof![
        prop::sample::select(vec![
            "x-amz-acl",
            "X-Amz-Copy-Source",
            "content-type",
            "x-amz-tagging",
            "x-amz-meta-a",
            "host",
            "authorization",
            "content-length",
            "connection",
            "x-amz-expected-bucket-owner",
            "content-encoding",
            "x-amz-trailer",
            "x-amz-decoded-content-length",
            "x-amz-target",
            "x-amz-server-side-encryption",
            "if-match",
            "x-amz-future",
        ])
        .prop_map(str::to_owned),
        "[ -~]{0,10}",
    ];
    let value = prop_oneof![
        prop::sample::select(vec![
            "private",
            "bucket/k",
            "a=b",
            "aws-chunked",
            "application/x-amz-json-1.0",
            "application/x-www-form-urlencoded",
            "DynamoDB_20120810.GetItem",
            "AmazonSQS.SendMessage",
            "123456789012",
            "aws:kms",
            "0",
            "x-amz-acl",
        ])
        .prop_map(|text| text.as_bytes().to_vec()),
        vec(any::<u8>(), 0..10),
    ];
    vec((name, value), 0..5)
}

fn body() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        Just(Vec::new()),
        vec(any::<u8>(), 0..40),
        prop::sample::select(vec![
            "<Delete><Object><Key>a</Key></Object></Delete>",
            "<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>",
            "{\"TableName\":\"t\",\"Key\":{\"pk\":{\"S\":\"1\"}}}",
            "{\"QueueUrl\":\"https://sqs.us-east-1.amazonaws.com/123456789012/q\"}",
            "Action=GetCallerIdentity&Version=2011-06-15",
            "Action=ListTopics&Version=2010-03-31",
            "<a><!-- --></a>",
            "{\"a\":1,\"a\":2}",
        ])
        .prop_map(|text| text.as_bytes().to_vec()),
    ]
}

fn call() -> impl Strategy<Value = Call> {
    let service = prop_oneof![
        6 => Just("s3".to_owned()),
        2 => prop::sample::select(vec!["dynamodb", "sqs", "sns", "sts", "kms", "ssm", "logs", "lambda", "api.ecr", "kinesis"])
            .prop_map(str::to_owned),
        1 => "[ -~]{0,10}",
    ];
    let region = prop::option::of(prop_oneof![Just("eu-west-1".to_owned()), "[ -~]{0,12}"]);
    let method = prop_oneof![
        6 => prop::sample::select(vec!["GET", "PUT", "POST", "DELETE", "HEAD"]).prop_map(str::to_owned),
        1 => "[ -~]{0,6}",
    ];
    let query = vec((fragment(), fragment()), 0..3);
    (service, region, method, prop_oneof![path(), plausible_path()], query, headers(), body()).prop_map(
        |(service, region, method, path, query, headers, body)| Call {
            service,
            region,
            method,
            path,
            query,
            headers,
            body: Bytes::from(body),
        },
    )
}

type Template = (
    &'static str,
    &'static str,
    &'static str,
    &'static [(&'static str, &'static str)],
    &'static [(&'static str, &'static str)],
    &'static str,
);

/// Requests that are understood: service, method, path (`K` is a key), query, headers and body.
const UNDERSTOOD: &[Template] = &[
    ("s3", "GET", "/", &[], &[], ""),
    (
        "s3",
        "PUT",
        "/bucket",
        &[],
        &[("x-amz-acl", "public-read")],
        "<CreateBucketConfiguration><LocationConstraint>eu-west-1</LocationConstraint></CreateBucketConfiguration>",
    ),
    ("s3", "GET", "/bucket", &[("list-type", "2"), ("prefix", "in/ü &?")], &[], ""),
    ("s3", "GET", "/bucket", &[("acl", "")], &[("x-amz-expected-bucket-owner", "123456789012")], ""),
    (
        "s3",
        "PUT",
        "/bucket/K",
        &[("x-id", "PutObject")],
        &[("Content-Type", "text/plain"), ("x-amz-meta-a", "b"), ("x-amz-tagging", "a+b=c%20d")],
        "data",
    ),
    (
        "s3",
        "PUT",
        "/bucket/K",
        &[],
        &[
            ("content-encoding", "aws-chunked,gzip"),
            ("x-amz-decoded-content-length", "4"),
            ("x-amz-trailer", "x-amz-checksum-crc32"),
        ],
        "4\r\ndata\r\n0\r\nx-amz-checksum-crc32:rfPzYw==\r\n\r\n",
    ),
    (
        "s3",
        "PUT",
        "/bucket/K",
        &[],
        &[("x-amz-copy-source", "/source/a%2Fb?versionId=v"), ("x-amz-tagging-directive", "COPY")],
        "",
    ),
    ("s3", "PUT", "/bucket/K", &[("partNumber", "1"), ("uploadId", "u/+=")], &[("x-amz-copy-source", "source/k")], ""),
    ("s3", "GET", "/bucket/K", &[("versionId", "v")], &[("Range", "bytes=0-1"), ("If-Match", "\"e\"")], ""),
    ("s3", "DELETE", "/bucket/K", &[], &[("x-amz-bypass-governance-retention", "true")], ""),
    (
        "s3",
        "POST",
        "/bucket",
        &[("delete", "")],
        &[("content-md5", "x")],
        "<Delete><Object><Key>a&amp;&#13;b</Key><VersionId>1</VersionId></Object></Delete>",
    ),
    (
        "s3",
        "PUT",
        "/bucket/K",
        &[("tagging", "")],
        &[],
        "<Tagging><TagSet><Tag><Key>a</Key><Value> b </Value></Tag></TagSet></Tagging>",
    ),
    ("s3", "PUT", "/bucket", &[("policy", "")], &[], "{\"Version\": \"2012-10-17\", \"n\": [1, -2.5, null, true]}"),
    (
        "dynamodb",
        "POST",
        "/",
        &[],
        &[("content-type", "application/x-amz-json-1.0"), ("x-amz-target", "DynamoDB_20120810.GetItem")],
        "{\"TableName\":\"t\",\"Key\":{\"pk\":{\"S\":\"1\"}}}",
    ),
    (
        "sqs",
        "POST",
        "/",
        &[],
        &[("content-type", "application/x-amz-json-1.0"), ("x-amz-target", "AmazonSQS.SendMessage")],
        "{\"QueueUrl\":\"https://sqs.eu-west-1.amazonaws.com/123456789012/q\",\"MessageBody\":\"\\u00e9\"}",
    ),
    (
        "sqs",
        "POST",
        "/123456789012/q",
        &[],
        &[("content-type", "application/x-www-form-urlencoded")],
        "Action=SendMessage&Version=2012-11-05&MessageBody=a+b%2Bc",
    ),
    (
        "sns",
        "POST",
        "/",
        &[],
        &[("content-type", "application/x-www-form-urlencoded; charset=utf-8")],
        "Version=2010-03-31&Action=Publish&PhoneNumber=%2B1&Message=x",
    ),
    (
        "sts",
        "POST",
        "/",
        &[],
        &[("content-type", "application/x-www-form-urlencoded")],
        "Action=GetCallerIdentity&Version=2011-06-15",
    ),
    (
        "kms",
        "POST",
        "/",
        &[],
        &[("content-type", "application/x-amz-json-1.1"), ("x-amz-target", "TrentService.Decrypt")],
        "{\"CiphertextBlob\":\"x\"}",
    ),
    (
        "lambda",
        "POST",
        "/2015-03-31/functions/f:v/invocations",
        &[("Qualifier", "v")],
        &[("X-Amz-Invocation-Type", "Event")],
        "{}",
    ),
    (
        "kinesis",
        "POST",
        "/",
        &[],
        &[("content-type", "application/x-amz-json-1.1"), ("x-amz-target", "Kinesis_20131202.PutRecord")],
        "{\"Any\":{\"thing\":[1]}}",
    ),
];

/// A request that is understood, with some key, and often one thing about it changed.
fn changed_call() -> impl Strategy<Value = Call> {
    let key = "(%[0-9A-F]{2}|[a-zA-Z0-9'()*!~ü/._-]){1,12}";
    (prop::sample::select(UNDERSTOOD), key, 0..12_u8, fragment(), fragment(), body(), any::<prop::sample::Index>())
        .prop_map(|((service, method, path, query, headers, body), key, change, one, other, noise, at)| {
            let mut call = Call {
                service: service.into(),
                region: Some("eu-west-1".into()),
                method: method.into(),
                path: path.replace('K', &key),
                query: query.iter().map(|(key, value)| ((*key).into(), (*value).into())).collect(),
                headers: headers.iter().map(|(name, value)| ((*name).into(), value.as_bytes().into())).collect(),
                body: Bytes::from_static(body.as_bytes()),
            };
            match change {
                0 => call.path.push_str(&one),
                1 => call.query.push((one, other)),
                2 => call.headers.push((one, other.into_bytes())),
                3 => call.body = noise.into(),
                4 if !call.headers.is_empty() => {
                    let at = at.index(call.headers.len());
                    call.headers[at].1.extend_from_slice(one.as_bytes());
                }
                5 if !call.body.is_empty() => {
                    let mut body = call.body.to_vec();
                    let at = at.index(body.len());
                    body[at] ^= 1 << (key.len() % 8);
                    call.body = body.into();
                }
                6 if !call.query.is_empty() => {
                    let at = at.index(call.query.len());
                    call.query[at].1.push_str(&one);
                }
                _ => {}
            }
            call
        })
}

/// The operation as a request again.
fn again(operation: &Operation) -> Call {
    Call {
        service: operation.service.to_owned(),
        region: Some(operation.region.to_string()),
        method: operation.method.to_owned(),
        path: operation.path.clone(),
        query: operation.query.clone(),
        headers: operation.headers.iter().map(|(name, value)| (name.clone(), value.as_bytes().to_vec())).collect(),
        body: operation.payload.whole().expect("it is whole").clone(),
    }
}

/// What must hold for everything that may be signed.
fn well_formed(operation: &Operation) -> Result<(), TestCaseError> {
    prop_assert!(!operation.checks.is_empty());
    let target = operation.path_and_query();
    prop_assert!(target.starts_with('/'));
    prop_assert!(target.bytes().all(|byte| byte.is_ascii_graphic() && !b"#\\\"<>^`{|}".contains(&byte)), "{target}");
    let path = target.split('?').next().unwrap_or_default();
    prop_assert!(path == operation.path, "a `?` in {}", operation.path);
    for segment in path.split('/') {
        let decoded = segment.replace("%2E", ".").replace("%2e", ".");
        prop_assert!(decoded != "." && decoded != "..", "{path}");
    }
    // An empty first segment would be read as an authority.
    prop_assert!(!path.starts_with("//"), "{path}");
    let mut names = std::collections::HashSet::new();
    for (name, value) in &operation.headers {
        prop_assert!(names.insert(name.as_str()), "{name} twice");
        prop_assert!(
            name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_.".contains(&byte))
        );
        prop_assert!(value.bytes().all(|byte| (b' '..=b'~').contains(&byte)));
        prop_assert!(value.trim() == value);
        for own in ["host", "authorization", "x-amz-date", "x-amz-security-token", "x-amz-content-sha256", "connection"]
        {
            prop_assert!(name != own);
        }
    }
    for (key, _) in &operation.query {
        prop_assert!(!key.to_ascii_lowercase().starts_with("x-amz-"), "{key}");
    }
    for check in &operation.checks {
        let (service, action) = check.action.split_once(':').unwrap_or_default();
        prop_assert!(!service.is_empty() && !action.is_empty());
        prop_assert!(!service.eq_ignore_ascii_case("sts") || action == "GetCallerIdentity");
        prop_assert!(check.context.value("aws:RequestedRegion") == Some(operation.region.as_str()));
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, ..ProptestConfig::default() })]

    /// Parsing never panics, and what it lets through is well-formed and stable: made anew once more, it is the same.
    #[test]
    fn what_is_parsed_is_well_formed_and_stable(call in prop_oneof![call(), changed_call(), changed_call()]) {
        if let Ok(operation) = parse(&call, &scope()) {
            well_formed(&operation)?;
            let second = parse(&again(&operation), &scope());
            let second = second.map_err(|refusal| TestCaseError::fail(format!("{refusal}: {operation:?}")))?;
            prop_assert_eq!(second.name, operation.name);
            prop_assert_eq!(second.path_and_query(), operation.path_and_query());
            prop_assert_eq!(second.payload.whole(), operation.payload.whole());
            let sorted = |operation: &Operation| {
                let mut headers = operation.headers.clone();
                headers.sort();
                headers
            };
            prop_assert_eq!(sorted(&second), sorted(&operation));
            let permissions = |operation: &Operation| {
                operation.checks.iter().map(|check| (check.action.clone(), check.resource.clone())).collect::<Vec<_>>()
            };
            prop_assert_eq!(permissions(&second), permissions(&operation));
        }
    }

    /// What is understood as it stands is understood with every key, unless the key itself is refused.
    #[test]
    fn what_is_understood_stays_so(template in prop::sample::select(UNDERSTOOD)) {
        let (service, method, path, query, headers, body) = template;
        let call = Call {
            service: service.into(),
            region: Some("eu-west-1".into()),
            method: method.into(),
            path: path.replace('K', "a/b"),
            query: query.iter().map(|(key, value)| ((*key).into(), (*value).into())).collect(),
            headers: headers.iter().map(|(name, value)| ((*name).into(), value.as_bytes().into())).collect(),
            body: Bytes::from_static(body.as_bytes()),
        };
        let operation = parse(&call, &scope()).map_err(|refusal| TestCaseError::fail(format!("{refusal}")))?;
        well_formed(&operation)?;
    }

    /// Any key comes through as itself, and its permission is on exactly that key.
    #[test]
    fn keys_come_through(key in "\\PC{1,40}") {
        let dots = key.split('/').any(|segment| matches!(segment, "." | ".."));
        let encoded: String = key.bytes().map(|byte| format!("%{byte:02X}")).collect();
        let call = Call {
            service: "s3".into(),
            region: None,
            method: "GET".into(),
            path: format!("/bucket/{encoded}"),
            query: Vec::new(),
            headers: Vec::new(),
            body: Bytes::new(),
        };
        match parse(&call, &scope()) {
            Ok(operation) => {
                prop_assert!(!dots);
                well_formed(&operation)?;
                prop_assert_eq!(operation.checks[0].resource.as_str(), format!("arn:aws:s3:::bucket/{key}"));
            }
            Err(refusal) => prop_assert!(dots, "{refusal}"),
        }
    }

    /// No host name panics, and none with an AWS suffix passes as another host.
    #[test]
    fn hosts_are_classified(prefix in "[a-zA-Z0-9._%@:-]{0,20}|\\PC{0,10}", suffix in prop::sample::select(vec![
        "amazonaws.com", "amazonaws.com.cn", "api.aws", "on.aws", "AMAZONAWS.COM", "amazonaws.com.", "amazonaws.eu", "c2s.ic.gov",
    ])) {
        for name in [format!("{prefix}.{suffix}"), format!("{prefix}{suffix}"), suffix.to_owned()] {
            if let Ok(Host::Other(other)) = host::from_authority(&name, true) {
                let plain = suffix.trim_end_matches('.').to_ascii_lowercase();
                let port = other.rsplit_once(':').map_or(other.as_str(), |(host, _)| host);
                prop_assert!(port != plain && !port.ends_with(&format!(".{plain}")), "{name}");
            }
        }
    }
}
