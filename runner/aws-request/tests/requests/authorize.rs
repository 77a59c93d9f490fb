//! Requests against capabilities: that what is asked for is what a definition's author would grant.

use rolebox_policy::{Capabilities, RawCapability};

use crate::common::wire;

/// The capabilities of a role in account 123456789012, as a definition has them.
fn capabilities(json: &str) -> Capabilities {
    let raw: Vec<RawCapability> = serde_json::from_str(json).expect("capabilities");
    let role = "arn:aws:iam::123456789012:role/task".parse().expect("a role");
    Capabilities::parse(raw, &role).expect("capabilities")
}

/// `allowed`, with the bucket owners that the host sets; or every action that is missing.
fn decide(granted: &Capabilities, method: &str, url: &str, headers: &[(&str, &str)], body: &str) -> String {
    let operation = wire(method, url, headers, body.as_bytes()).expect("a request").expect("one to AWS");
    match granted.authorize(&operation.checks) {
        Ok(allowed) => {
            let mut text = "allowed".to_owned();
            for owner in [allowed.bucket_owner, allowed.source_bucket_owner].into_iter().flatten() {
                assert!(operation.takes_bucket_owner || operation.name == "CreateBucket");
                text = format!("{text} {owner}");
            }
            text
        }
        Err(denial) => {
            let missing: Vec<String> =
                denial.missing.iter().map(|grant| format!("{} on {}", grant.action, grant.resource)).collect();
            missing.join(", ")
        }
    }
}

#[test]
fn s3() {
    let granted = capabilities(
        r#"[
            {"action": ["s3:CreateBucket"], "resource": ["arn:aws:s3:::sample-*"]},
            {"action": ["s3:PutObject", "s3:GetObject", "s3:DeleteObject"], "resource": ["arn:aws:s3:::sample-*/in/*"]},
            {"action": ["s3:ListBucket"], "resource": ["arn:aws:s3:::sample-*"], "prefix": "in/"},
            {"action": ["s3:GetBucketLocation", "s3:PutBucketAcl"], "resource": ["arn:aws:s3:::sample-*"], "region": "us-east-1"}
        ]"#,
    );
    let host = "https://s3.us-east-1.amazonaws.com";
    let h: &[(&str, &str)] = &[];
    for (method, target, headers, body, expected) in [
        ("PUT", "/sample-1", h, "", "allowed"),
        ("PUT", "/other", h, "", "s3:CreateBucket on arn:aws:s3:::other"),
        ("PUT", "/sample-1", &[("x-amz-acl", "public-read")], "", "allowed 123456789012"),
        ("PUT", "/sample-1", &[("x-amz-object-ownership", "ObjectWriter")], "", "s3:PutBucketOwnershipControls on arn:aws:s3:::sample-1"),
        ("PUT", "/sample-1/in/k", h, "data", "allowed 123456789012"),
        ("PUT", "/sample-1/out/k", h, "data", "s3:PutObject on arn:aws:s3:::sample-1/out/k"),
        ("PUT", "/sample-1/in/k", &[("x-amz-acl", "public-read")], "data", "s3:PutObjectAcl on arn:aws:s3:::sample-1/in/k"),
        ("PUT", "/sample-1/in/k", &[("x-amz-expected-bucket-owner", "999999999999")], "data", "s3:PutObject on arn:aws:s3:::sample-1/in/k"),
        ("GET", "/sample-1/in/k?versionId=1", h, "", "s3:GetObjectVersion on arn:aws:s3:::sample-1/in/k"),
        (
            "POST",
            "/sample-1?delete",
            h,
            "<Delete><Object><Key>in/a</Key></Object><Object><Key>out/b</Key></Object></Delete>",
            "s3:DeleteObject on arn:aws:s3:::sample-1/out/b",
        ),
        (
            "PUT",
            "/sample-1/in/k",
            &[("x-amz-copy-source", "secret/k"), ("x-amz-tagging-directive", "REPLACE")],
            "",
            "s3:GetObject on arn:aws:s3:::secret/k",
        ),
        (
            "PUT",
            "/sample-1/in/k",
            &[("x-amz-copy-source", "sample-2/in/k"), ("x-amz-tagging-directive", "REPLACE")],
            "",
            "allowed 123456789012 123456789012",
        ),
        ("GET", "/sample-1?list-type=2&prefix=in%2Fa", h, "", "allowed 123456789012"),
        ("GET", "/sample-1?list-type=2&prefix=out%2F", h, "", "s3:ListBucket on arn:aws:s3:::sample-1"),
        ("GET", "/sample-1?list-type=2", h, "", "s3:ListBucket on arn:aws:s3:::sample-1"),
        ("HEAD", "/sample-1", h, "", "s3:ListBucket on arn:aws:s3:::sample-1"),
        ("GET", "/sample-1?location", h, "", "allowed 123456789012"),
        ("GET", "/", h, "", "s3:ListAllMyBuckets on *"),
    ] {
        assert_eq!(decide(&granted, method, &format!("{host}{target}"), headers, body), expected, "{method} {target}");
    }
    let elsewhere = "https://s3.eu-west-1.amazonaws.com/sample-1?location";
    assert_eq!(decide(&granted, "GET", elsewhere, h, ""), "s3:GetBucketLocation on arn:aws:s3:::sample-1");
}

#[test]
fn keys_that_a_request_names() {
    let put = |granted: &str, key: &str| {
        let headers = [("x-amz-server-side-encryption", "aws:kms"), ("x-amz-server-side-encryption-aws-kms-key-id", key)];
        decide(&capabilities(granted), "PUT", "https://s3.us-east-1.amazonaws.com/bucket/k", &headers, "data")
    };
    let s3 = r#"{"action": "s3:PutObject", "resource": "arn:aws:s3:::bucket/*"}"#;
    let via = |key: &str| {
        format!(
            r#"[{s3}, {{"action": "kms:GenerateDataKey", "resource": "arn:aws:kms:us-east-1:123456789012:key/{key}", "via": "s3"}}]"#
        )
    };
    assert_eq!(
        put(&format!("[{s3}]"), "k-1"),
        "kms:GenerateDataKey on arn:aws:kms:us-east-1:123456789012:key/k-1"
    );
    assert_eq!(put(&via("k-1"), "k-1"), "allowed 123456789012");
    assert_eq!(put(&via("k-1"), "k-2"), "kms:GenerateDataKey on arn:aws:kms:us-east-1:123456789012:key/k-2");
    assert_eq!(put(&via("k-1"), "alias/a"), "kms:GenerateDataKey on arn:aws:kms:us-east-1:123456789012:key/*");
    assert_eq!(put(&via("*"), "alias/a"), "allowed 123456789012");
    // The same grant doesn't let the task use the key itself.
    let headers = [("content-type", "application/x-amz-json-1.1"), ("x-amz-target", "TrentService.GenerateDataKey")];
    assert_eq!(
        decide(&capabilities(&via("k-1")), "POST", "https://kms.us-east-1.amazonaws.com/", &headers, r#"{"KeyId":"k-1"}"#),
        "kms:GenerateDataKey on arn:aws:kms:us-east-1:123456789012:key/k-1"
    );
}

#[test]
fn other_services() {
    let granted = capabilities(
        r#"[
            {"action": ["dynamodb:GetItem", "dynamodb:Query", "dynamodb:BatchGetItem"], "resource": "arn:aws:dynamodb:us-east-1:123456789012:table/t", "leadingKeys": {"pk": ["u1"]}},
            {"action": "sqs:SendMessage", "resource": "arn:aws:sqs:us-east-1:123456789012:q"},
            {"action": "secretsmanager:GetSecretValue", "resource": "arn:aws:secretsmanager:us-east-1:123456789012:secret:db-??????"},
            {"action": "logs:*", "resource": "arn:aws:logs:us-east-1:123456789012:log-group:/task:*"},
            {"action": "ssm:GetParameter*", "resource": "arn:aws:ssm:us-east-1:123456789012:parameter/task/*"},
            {"action": "sts:GetCallerIdentity", "resource": "*"}
        ]"#,
    );
    let query = r#""TableName":"t","ExpressionAttributeValues":{":v":{"S":"u1"},":w":{"S":"u2"}},"KeyConditionExpression""#;
    let (json10, json11) = ("application/x-amz-json-1.0", "application/x-amz-json-1.1");
    for (host, kind, target, body, expected) in [
        ("dynamodb", json10, "DynamoDB_20120810.GetItem", r#"{"TableName":"t","Key":{"pk":{"S":"u1"}}}"#.to_owned(), "allowed"),
        ("dynamodb", json10, "DynamoDB_20120810.GetItem", r#"{"TableName":"t","Key":{"pk":{"S":"u2"}}}"#.into(), "dynamodb:GetItem on arn:aws:dynamodb:us-east-1:123456789012:table/t"),
        ("dynamodb", json10, "DynamoDB_20120810.BatchGetItem", r#"{"RequestItems":{"t":{"Keys":[{"pk":{"S":"u1"}},{"pk":{"S":"u2"}}]}}}"#.into(), "dynamodb:BatchGetItem on arn:aws:dynamodb:us-east-1:123456789012:table/t"),
        ("dynamodb", json10, "DynamoDB_20120810.Query", format!("{{{query}:\"pk = :v\"}}"), "allowed"),
        ("dynamodb", json10, "DynamoDB_20120810.Query", format!("{{{query}:\"pk = :w\"}}"), "dynamodb:Query on arn:aws:dynamodb:us-east-1:123456789012:table/t"),
        ("dynamodb", json10, "DynamoDB_20120810.Query", format!("{{{query}:\"pk = :v OR pk = :w\"}}"), "dynamodb:Query on arn:aws:dynamodb:us-east-1:123456789012:table/t"),
        ("dynamodb", json10, "DynamoDB_20120810.Scan", r#"{"TableName":"t"}"#.into(), "dynamodb:Scan on arn:aws:dynamodb:us-east-1:123456789012:table/t"),
        ("sqs", json10, "AmazonSQS.SendMessageBatch", r#"{"QueueUrl":"https://sqs.us-east-1.amazonaws.com/123456789012/q"}"#.into(), "allowed"),
        ("sqs", json10, "AmazonSQS.SendMessage", r#"{"QueueUrl":"https://sqs.us-east-1.amazonaws.com/999999999999/q"}"#.into(), "sqs:SendMessage on arn:aws:sqs:us-east-1:999999999999:q"),
        ("secretsmanager", json11, "secretsmanager.GetSecretValue", r#"{"SecretId":"db"}"#.into(), "allowed"),
        ("secretsmanager", json11, "secretsmanager.GetSecretValue", r#"{"SecretId":"db2"}"#.into(), "secretsmanager:GetSecretValue on arn:aws:secretsmanager:us-east-1:123456789012:secret:db2-??????"),
        ("logs", json11, "Logs_20140328.CreateLogGroup", r#"{"logGroupName":"/task"}"#.into(), "allowed"),
        ("logs", json11, "Logs_20140328.PutLogEvents", r#"{"logGroupName":"/task","logStreamName":"s"}"#.into(), "allowed"),
        ("logs", json11, "Logs_20140328.PutLogEvents", r#"{"logGroupName":"/task2","logStreamName":"s"}"#.into(), "logs:PutLogEvents on arn:aws:logs:us-east-1:123456789012:log-group:/task2:log-stream:s"),
        ("ssm", json11, "AmazonSSM.GetParameter", r#"{"Name":"/task/a"}"#.into(), "allowed"),
        ("ssm", json11, "AmazonSSM.GetParametersByPath", r#"{"Path":"/task/a"}"#.into(), "allowed"),
        ("ssm", json11, "AmazonSSM.GetParametersByPath", r#"{"Path":"/task"}"#.into(), "ssm:GetParametersByPath on arn:aws:ssm:us-east-1:123456789012:parameter/task"),
        ("kinesis", json11, "Kinesis_20131202.PutRecord", "{}".into(), "kinesis:PutRecord on *"),
    ] {
        let url = format!("https://{host}.us-east-1.amazonaws.com/");
        let headers = [("content-type", kind), ("x-amz-target", target)];
        assert_eq!(decide(&granted, "POST", &url, &headers, &body), expected, "{target} {body}");
    }
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let body = "Action=GetCallerIdentity&Version=2011-06-15";
    assert_eq!(decide(&granted, "POST", "https://sts.us-east-1.amazonaws.com/", &form, body), "allowed");
}
