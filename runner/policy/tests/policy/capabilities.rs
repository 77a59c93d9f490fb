//! What capabilities are refused for, and that the message says where and how to mend it.

use rolebox_policy::{Capabilities, RawCapability, RoleArn};

use crate::support::try_capabilities;

#[test]
fn shapes_that_are_no_capability() {
    for json in [
        r#"{}"#,
        r#"{"action": "s3:GetObject"}"#,
        r#"{"resource": "*"}"#,
        r#"{"action": "s3:GetObject", "resource": "*", "effect": "Deny"}"#,
        r#"{"Action": "s3:GetObject", "Resource": "*"}"#,
        r#"{"action": "s3:GetObject", "resource": "*", "condition": {}}"#,
        r#"{"action": "s3:GetObject", "resource": "*", "leading_keys": {}}"#,
        r#"{"action": "s3:GetObject", "action": "s3:PutObject", "resource": "*"}"#,
        r#"{"action": 1, "resource": "*"}"#,
        r#"{"action": null, "resource": "*"}"#,
        r#"{"action": [["s3:GetObject"]], "resource": "*"}"#,
        r#"{"action": ["s3:GetObject", 1], "resource": "*"}"#,
        r#"{"action": "s3:GetObject", "resource": {"arn": "*"}}"#,
        r#"{"action": "s3:GetObject", "resource": "*", "account": 123456789012}"#,
        r#"{"action": "s3:GetObject", "resource": "*", "prefix": true}"#,
        r#"{"action": "dynamodb:GetItem", "resource": "*", "leadingKeys": ["u1"]}"#,
        r#"{"action": "dynamodb:GetItem", "resource": "*", "leadingKeys": "u1"}"#,
    ] {
        assert!(serde_json::from_str::<RawCapability>(json).is_err(), "{json}");
    }
}

#[test]
fn one_or_many_in_every_field() {
    for json in [
        r#"{"action": "s3:ListBucket", "resource": "arn:aws:s3:::b", "account": "any", "prefix": "a", "region": "us-east-1"}"#,
        r#"{"action": ["s3:ListBucket"], "resource": ["arn:aws:s3:::b"], "account": ["any"], "prefix": ["a"], "region": ["us-east-1"]}"#,
        r#"{"action": "kms:Decrypt", "resource": "*", "via": "s3"}"#,
        r#"{"action": "kms:Decrypt", "resource": "*", "via": ["s3", "sqs"]}"#,
    ] {
        let raw: RawCapability = serde_json::from_str(json).unwrap();
        // What is written again is what was read, so that `explain` and `--suggest-capabilities` can show it.
        let again: RawCapability = serde_json::from_str(&serde_json::to_string(&raw).unwrap()).unwrap();
        assert_eq!(raw, again);
        try_capabilities(&format!("[{json}]")).unwrap();
    }
}

/// Rows: a capability, the field that the error names, and a part of what it says.
#[test]
fn refusals() {
    const TABLE: &str = "arn:aws:dynamodb:us-east-1:123456789012:table/t";
    let rows: &[(&str, &str, &str)] = &[
        // Actions.
        (r#"{"action": [], "resource": "*"}"#, "action", "empty list"),
        (r#"{"action": "", "resource": "*"}"#, "action", "not an action"),
        (r#"{"action": "*", "resource": "*"}"#, "action", "one service"),
        (r#"{"action": "*:*", "resource": "*"}"#, "action", "one service"),
        (r#"{"action": "s3", "resource": "*"}"#, "action", "not an action"),
        (r#"{"action": "s3:", "resource": "*"}"#, "action", "not an action"),
        (r#"{"action": ":GetObject", "resource": "*"}"#, "action", "not an action"),
        (r#"{"action": "s*:GetObject", "resource": "*"}"#, "action", "one service"),
        (r#"{"action": "s?:GetObject", "resource": "*"}"#, "action", "one service"),
        (r#"{"action": "s3:Get Object", "resource": "*"}"#, "action", "not an action"),
        (r#"{"action": " s3:GetObject", "resource": "*"}"#, "action", "not an action"),
        (r#"{"action": "s3:GetObject\n", "resource": "*"}"#, "action", "not an action"),
        (r#"{"action": "s3:Get:Object", "resource": "*"}"#, "action", "not an action"),
        (r#"{"action": "s3:Get${x}", "resource": "*"}"#, "action", "not an action"),
        (r#"{"action": "s3.GetObject", "resource": "*"}"#, "action", "not an action"),
        (r#"{"action": ["s3:GetObject", "nonsense"], "resource": "*"}"#, "action[1]", "nonsense"),
        // What a task is never granted.
        (r#"{"action": "iam:*", "resource": "*"}"#, "action", "never granted"),
        (r#"{"action": "iam:PassRole", "resource": "*"}"#, "action", "never granted"),
        (r#"{"action": "IAM:getrole", "resource": "*"}"#, "action", "never granted"),
        (r#"{"action": "sts:*", "resource": "*"}"#, "action", "GetCallerIdentity"),
        (r#"{"action": "sts:Get*", "resource": "*"}"#, "action", "GetCallerIdentity"),
        (r#"{"action": "sts:GetCallerIdentit?", "resource": "*"}"#, "action", "GetCallerIdentity"),
        (r#"{"action": "sts:AssumeRole", "resource": "*"}"#, "action", "GetCallerIdentity"),
        (r#"{"action": "STS:AssumeRole", "resource": "*"}"#, "action", "GetCallerIdentity"),
        (r#"{"action": "sts:GetSessionToken", "resource": "*"}"#, "action", "GetCallerIdentity"),
        // Resources.
        (r#"{"action": "s3:GetObject", "resource": []}"#, "resource", "empty list"),
        (r#"{"action": "s3:GetObject", "resource": ""}"#, "resource", "neither `*` nor an ARN"),
        (r#"{"action": "s3:GetObject", "resource": "**"}"#, "resource", "neither `*` nor an ARN"),
        (r#"{"action": "s3:GetObject", "resource": "bucket/*"}"#, "resource", "neither `*` nor an ARN"),
        (r#"{"action": "s3:GetObject", "resource": "s3://bucket/*"}"#, "resource", "neither `*` nor an ARN"),
        (r#"{"action": "s3:GetObject", "resource": "arn:aws:s3:*"}"#, "resource", "in full"),
        (r#"{"action": "s3:GetObject", "resource": "arn:*"}"#, "resource", "in full"),
        (r#"{"action": "s3:GetObject", "resource": "arn:aws:s3:::"}"#, "resource", "sixth field"),
        (r#"{"action": "s3:GetObject", "resource": "arn:*:s3:::b/*"}"#, "resource", "partition"),
        (r#"{"action": "s3:GetObject", "resource": "arn:aws-cn:s3:::b/*"}"#, "resource", "partition"),
        (r#"{"action": "s3:GetObject", "resource": "arn::s3:::b/*"}"#, "resource", "partition"),
        (r#"{"action": "s3:GetObject", "resource": "arn:aws:*:::b/*"}"#, "resource", "service"),
        (r#"{"action": "s3:GetObject", "resource": "arn:aws:S3:::b/*"}"#, "resource", "service"),
        (r#"{"action": "s3:GetObject", "resource": "arn:aws:s?:::b/*"}"#, "resource", "service"),
        (r#"{"action": "s3:GetObject", "resource": "arn:aws:s3:::b/${aws:username}"}"#, "resource", "policy variable"),
        (r#"{"action": "s3:GetObject", "resource": "arn:aws:s3:::b/${"}"#, "resource", "policy variable"),
        (r#"{"action": "s3:GetObject", "resource": "arn:aws:s3:::b/\u0000"}"#, "resource", "control"),
        (r#"{"action": "s3:GetObject", "resource": ["arn:aws:s3:::b/*", "b"]}"#, "resource[1]", "`b`"),
        (
            r#"{"action": "s3:GetObject", "resource": "arn:aws:s3:us-east-1:123456789012:accesspoint/ap"}"#,
            "resource",
            "access points",
        ),
        (r#"{"action": "sqs:*", "resource": "arn:aws:sqs:us east:123456789012:q"}"#, "resource", "Region"),
        (r#"{"action": "sqs:*", "resource": "arn:aws:sqs:us-east-1:*:q"}"#, "resource", "nobody named"),
        (r#"{"action": "sqs:*", "resource": "arn:aws:sqs:*:*:*"}"#, "resource", "nobody named"),
        (r#"{"action": "sqs:*", "resource": "arn:aws:sqs:us-east-1:12345678901?:q"}"#, "resource", "twelve digits"),
        (r#"{"action": "sqs:*", "resource": "arn:aws:sqs:us-east-1:1234:q"}"#, "resource", "twelve digits"),
        (
            r#"{"action": "sqs:*", "resource": "arn:aws:sqs:us-east-1:*:q", "account": "any"}"#,
            "resource",
            "twelve digits",
        ),
        // Actions and resources that never meet.
        (
            r#"{"action": "s3:GetObject", "resource": "arn:aws:sqs:us-east-1:123456789012:q"}"#,
            "resource",
            "s3:GetObject",
        ),
        (r#"{"action": "sqs:SendMessage", "resource": "arn:aws:s3:::b"}"#, "resource", "sqs:SendMessage"),
        (
            r#"{"action": ["s3:GetObject", "sqs:SendMessage"], "resource": ["arn:aws:s3:::b/*"]}"#,
            "resource",
            "sqs:SendMessage",
        ),
        // Accounts.
        (
            r#"{"action": "sqs:*", "resource": "arn:aws:sqs:us-east-1:999999999999:q"}"#,
            "resource",
            r#""account": "999999999999""#,
        ),
        (
            r#"{"action": "sqs:*", "resource": "arn:aws:sqs:us-east-1:123456789012:q", "account": "222222222222"}"#,
            "resource",
            "`account` does not name",
        ),
        (r#"{"action": "s3:GetObject", "resource": "*", "account": []}"#, "account", "empty list"),
        (r#"{"action": "s3:GetObject", "resource": "*", "account": ""}"#, "account", "twelve digits"),
        (r#"{"action": "s3:GetObject", "resource": "*", "account": "*"}"#, "account", "twelve digits"),
        (r#"{"action": "s3:GetObject", "resource": "*", "account": "Any"}"#, "account", "`any` alone"),
        (
            r#"{"action": "s3:GetObject", "resource": "*", "account": ["any", "222222222222"]}"#,
            "account[0]",
            "`any` alone",
        ),
        (r#"{"action": "s3:GetObject", "resource": "*", "account": "12345678901"}"#, "account", "twelve digits"),
        (r#"{"action": "s3:CreateBucket", "resource": "*", "account": "222222222222"}"#, "account", "s3:CreateBucket"),
        (
            r#"{"action": "s3:ListAllMyBuckets", "resource": "*", "account": "222222222222"}"#,
            "account",
            "ListAllMyBuckets",
        ),
        // Prefixes.
        (r#"{"action": "s3:ListBucket", "resource": "*", "prefix": ""}"#, "prefix", "every prefix"),
        (r#"{"action": "s3:ListBucket", "resource": "*", "prefix": []}"#, "prefix", "empty list"),
        (r#"{"action": "s3:ListBucket", "resource": "*", "prefix": ["a", ""]}"#, "prefix[1]", "empty"),
        (r#"{"action": "s3:PutObject", "resource": "*", "prefix": "in/"}"#, "prefix", "arn:aws:s3:::bucket/in/*"),
        (
            r#"{"action": ["s3:ListBucket", "s3:GetObject"], "resource": "*", "prefix": "in/"}"#,
            "prefix",
            "s3:GetObject",
        ),
        (r#"{"action": "s3:ListBucketMultipartUploads", "resource": "*", "prefix": "in/"}"#, "prefix", "by prefix"),
        (r#"{"action": "s3:Put*", "resource": "*", "prefix": "in/"}"#, "prefix", "s3:Put*"),
        (r#"{"action": "sqs:ListQueues", "resource": "*", "prefix": "in/"}"#, "prefix", "sqs:ListQueues"),
        // Leading keys.
        (r#"{"action": "dynamodb:GetItem", "resource": "TABLE", "leadingKeys": {}}"#, "leadingKeys", "exactly one"),
        (
            r#"{"action": "dynamodb:GetItem", "resource": "TABLE", "leadingKeys": {"a": "1", "b": "2"}}"#,
            "leadingKeys",
            "exactly one",
        ),
        (
            r#"{"action": "dynamodb:GetItem", "resource": "TABLE", "leadingKeys": {"": "1"}}"#,
            "leadingKeys",
            "without a name",
        ),
        (
            r#"{"action": "dynamodb:GetItem", "resource": "TABLE", "leadingKeys": {"pk": []}}"#,
            "leadingKeys.pk",
            "empty list",
        ),
        (
            r#"{"action": "dynamodb:GetItem", "resource": "TABLE", "leadingKeys": {"pk": ""}}"#,
            "leadingKeys.pk",
            "no key",
        ),
        (
            r#"{"action": "dynamodb:Scan", "resource": "TABLE", "leadingKeys": {"pk": "1"}}"#,
            "leadingKeys",
            "dynamodb:Scan",
        ),
        (
            r#"{"action": "dynamodb:PartiQLSelect", "resource": "TABLE", "leadingKeys": {"pk": "1"}}"#,
            "leadingKeys",
            "PartiQLSelect",
        ),
        (
            r#"{"action": "dynamodb:Describe*", "resource": "TABLE", "leadingKeys": {"pk": "1"}}"#,
            "leadingKeys",
            "Describe*",
        ),
        (r#"{"action": "dynamodb:GetItem", "resource": "*", "leadingKeys": {"pk": "1"}}"#, "resource", "one table"),
        (
            r#"{"action": "dynamodb:GetItem", "resource": "TABLE*", "leadingKeys": {"pk": "1"}}"#,
            "resource",
            "one table",
        ),
        (
            r#"{"action": "dynamodb:GetItem", "resource": "TABLE?", "leadingKeys": {"pk": "1"}}"#,
            "resource",
            "one table",
        ),
        (
            r#"{"action": "dynamodb:Query", "resource": "TABLE/index/i", "leadingKeys": {"pk": "1"}}"#,
            "resource",
            "one table",
        ),
        (
            r#"{"action": "dynamodb:Query", "resource": ["TABLE", "TABLE/*"], "leadingKeys": {"pk": "1"}}"#,
            "resource[1]",
            "one table",
        ),
        // Via.
        (r#"{"action": "s3:GetObject", "resource": "*", "via": "s3"}"#, "action", "not an action of KMS"),
        (
            r#"{"action": ["kms:Decrypt", "s3:GetObject"], "resource": "*", "via": "s3"}"#,
            "action[1]",
            "not an action of KMS",
        ),
        (r#"{"action": "kms:Decrypt", "resource": "*", "via": []}"#, "via", "empty list"),
        (r#"{"action": "kms:Decrypt", "resource": "*", "via": ""}"#, "via", "not an AWS service"),
        (r#"{"action": "kms:Decrypt", "resource": "*", "via": "*"}"#, "via", "not an AWS service"),
        (r#"{"action": "kms:Decrypt", "resource": "*", "via": "s3.amazonaws.com"}"#, "via", "not an AWS service"),
        // Regions.
        (r#"{"action": "s3:GetObject", "resource": "*", "region": []}"#, "region", "empty list"),
        (r#"{"action": "s3:GetObject", "resource": "*", "region": ""}"#, "region", "Region"),
        (r#"{"action": "s3:GetObject", "resource": "*", "region": "*"}"#, "region", "Region"),
        (r#"{"action": "s3:GetObject", "resource": "*", "region": "us-*"}"#, "region", "Region"),
        (
            r#"{"action": "s3:GetObject", "resource": "*", "region": ["us-east-1", "aws-global"]}"#,
            "region[1]",
            "aws-global",
        ),
    ];
    for (json, field, part) in rows {
        let json = json.replace("TABLE", TABLE);
        // Not the first of the list, so that the index is seen to be right.
        let list = format!(r#"[{{"action": "s3:GetObject", "resource": "arn:aws:s3:::b/*"}}, {json}]"#);
        let error = try_capabilities(&list).expect_err(&json);
        assert_eq!((error.index, error.field.as_str()), (1, *field), "{error}\n{json}");
        let message = error.to_string();
        assert!(message.starts_with(&format!("capabilities[1].{field}: ")) && message.contains(part), "{message}");
    }
    println!("{} capabilities refused", rows.len());
}

#[test]
fn what_no_policy_can_keep_apart_is_refused() {
    for (wide, full) in [
        (r#""action": "s3:*", "resource": "*""#, r#""action": "s3:PutObjectAcl", "resource": "*", "account": "any""#),
        (
            r#""action": "kms:*", "resource": "arn:aws:kms:us-east-1:123456789012:key/1""#,
            r#""action": "kms:CreateGrant", "resource": "arn:aws:kms:us-east-1:123456789012:key/1", "via": "s3""#,
        ),
        (
            r#""action": "s3:Put*", "resource": "*", "region": "us-east-1""#,
            r#""action": "s3:PutBucketPolicy", "resource": "arn:aws:s3:::b""#,
        ),
    ] {
        for list in [format!("[{{{wide}}}, {{{full}}}]"), format!("[{{{full}}}, {{{wide}}}]")] {
            let error = try_capabilities(&list).expect_err(&list);
            assert_eq!(error.field, "action");
            assert!(error.to_string().contains("in place of the pattern"), "{error}");
            assert_eq!(error.index, usize::from(list.starts_with(&format!("[{{{full}"))), "{error}");
        }
    }
}

#[test]
fn accounts_are_counted() {
    let accounts: Vec<String> = (0..63).map(|i| format!(r#""{i:012}""#)).collect();
    let json = |accounts: &[String]| {
        format!(r#"[{{"action": "s3:GetObject", "resource": "*", "account": [{}]}}]"#, accounts.join(","))
    };
    assert!(try_capabilities(&json(&accounts[..62])).is_ok());
    let error = try_capabilities(&json(&accounts)).unwrap_err();
    assert!(error.to_string().contains("63 accounts"), "{error}");
}

#[test]
fn other_partitions_have_their_own_arns() {
    let role: RoleArn = "arn:aws-cn:iam::123456789012:role/r".parse().unwrap();
    let parse = |json: &str| {
        Capabilities::parse(serde_json::from_str(json).unwrap(), &role).map(|all| all.session_policy().unwrap())
    };
    assert!(parse(r#"[{"action": "s3:GetObject", "resource": "arn:aws-cn:s3:::b/*"}]"#).is_ok());
    assert!(parse(r#"[{"action": "s3:GetObject", "resource": "arn:aws:s3:::b/*"}]"#).is_err());
    let via = r#"[{"action": "kms:Decrypt", "resource": "arn:aws-cn:kms:cn-north-1:123456789012:key/1", "via": "s3"}]"#;
    let policy = parse(via).unwrap();
    assert!(
        policy.as_str().contains(r#"{"StringLike":{"kms:ViaService":"s3.cn-north-1.amazonaws.com*"}}"#),
        "{}",
        policy.as_str()
    );
}
