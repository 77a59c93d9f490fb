//! Capabilities as session policies, to the letter.

use expect_test::{Expect, expect};
use rolebox_policy::{Decision, PolicyDocument, SESSION_POLICY_LIMIT, SessionPolicyError};

use crate::support::{capabilities, decide};

#[track_caller]
fn check(json: &str, expected: Expect) {
    let policy = capabilities(json).session_policy().unwrap();
    let text = policy.as_str();
    assert!(text.chars().count() <= SESSION_POLICY_LIMIT);
    assert!(text.chars().all(|c| (' '..='\u{ff}').contains(&c)), "{text}");
    PolicyDocument::parse(text).unwrap();
    // One statement a line is easier to read, and the only change.
    expected.assert_eq(&text.replace(r#"{"Effect""#, "\n{\"Effect\""));
}

#[test]
fn the_sample() {
    check(
        r#"[{"action": ["s3:CreateBucket"], "resource": ["arn:aws:s3:::node-sdk-sample-*"]},
            {"action": ["s3:PutObject"], "resource": ["arn:aws:s3:::node-sdk-sample-*/*"]}]"#,
        expect![[r#"
            {"Version":"2012-10-17","Statement":[
            {"Effect":"Allow","Action":"s3:CreateBucket","Resource":"arn:aws:s3:::node-sdk-sample-*"},
            {"Effect":"Allow","Action":"s3:PutObject","Resource":"arn:aws:s3:::node-sdk-sample-*/*","Condition":{"StringEquals":{"aws:ResourceAccount":"123456789012"}}}]}"#]],
    );
}

#[test]
fn nothing_denies_everything() {
    check(
        "[]",
        expect![[r#"
            {"Version":"2012-10-17","Statement":[
            {"Effect":"Deny","Action":"*","Resource":"*"}]}"#]],
    );
    let nothing = capabilities("[]").session_policy().unwrap();
    let policy = PolicyDocument::parse(nothing.as_str()).unwrap();
    assert_eq!(decide(&policy, "s3:GetObject", "arn:aws:s3:::b/k", &[]), Decision::ExplicitlyDenied);
}

#[test]
fn what_differs_in_actions_or_resources_alone_is_one_statement() {
    check(
        r#"[{"action": "s3:GetObject", "resource": "arn:aws:s3:::b/*"},
            {"action": ["s3:PutObject", "s3:GetObject"], "resource": ["arn:aws:s3:::b/*"]},
            {"action": ["s3:PutObject", "s3:GetObject"], "resource": "arn:aws:s3:::c/*"},
            {"action": "sqs:SendMessage", "resource": "arn:aws:sqs:*:123456789012:q"}]"#,
        expect![[r#"
            {"Version":"2012-10-17","Statement":[
            {"Effect":"Allow","Action":["s3:GetObject","s3:PutObject"],"Resource":["arn:aws:s3:::b/*","arn:aws:s3:::c/*"],"Condition":{"StringEquals":{"aws:ResourceAccount":"123456789012"}}},
            {"Effect":"Allow","Action":"sqs:SendMessage","Resource":"arn:aws:sqs:*:123456789012:q"}]}"#]],
    );
}

#[test]
fn what_another_pattern_covers_is_left_out() {
    check(
        r#"[{"action": ["sqs:Send*", "sqs:SendMessage", "SQS:sendmessage", "sqs:send**", "sqs:Send*"],
             "resource": ["arn:aws:sqs:*:123456789012:q1", "arn:aws:sqs:*:123456789012:q?", "arn:aws:sqs:*:123456789012:q1"]}]"#,
        expect![[r#"
            {"Version":"2012-10-17","Statement":[
            {"Effect":"Allow","Action":"sqs:Send*","Resource":"arn:aws:sqs:*:123456789012:q?"}]}"#]],
    );
}

#[test]
fn a_pattern_is_denied_what_needs_the_full_name() {
    check(
        r#"[{"action": "s3:*", "resource": "*"}]"#,
        expect![[r#"
            {"Version":"2012-10-17","Statement":[
            {"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"StringEquals":{"aws:ResourceAccount":"123456789012"}}},
            {"Effect":"Allow","Action":["s3:CreateBucket","s3:ListAllMyBuckets"],"Resource":"*"},
            {"Effect":"Deny","Action":["s3:AssociateAccessGrantsIdentityCenter","s3:BypassGovernanceRetention","s3:Create*Grant*","s3:CreateSession","s3:Delete*Grant*","s3:Delete*Policy*","s3:DissociateAccessGrantsIdentityCenter","s3:GetDataAccess","s3:ObjectOwnerOverrideToBucketOwner","s3:Put*Acl","s3:Put*Block","s3:Put*Policy*","s3:PutAnalyticsConfiguration","s3:PutBucketAbac","s3:PutBucketLogging","s3:PutBucketNotification","s3:PutBucketOwnershipControls","s3:PutInventoryConfiguration","s3:PutReplicationConfiguration","s3:UpdateAccessGrantsLocation"],"Resource":"*"}]}"#]],
    );
    check(
        r#"[{"action": ["s3:PutObject*", "kms:Decrypt"], "resource": "*", "account": "any"}]"#,
        expect![[r#"
            {"Version":"2012-10-17","Statement":[
            {"Effect":"Allow","Action":["kms:Decrypt","s3:PutObject*"],"Resource":"*"},
            {"Effect":"Deny","Action":"s3:Put*Acl","Resource":"*"}]}"#]],
    );
}

#[test]
fn a_full_name_is_spared() {
    // In the same capability nothing needs to be kept apart; the other names that the short pattern stands for do.
    check(
        r#"[{"action": ["s3:Put*", "s3:PutObjectAcl"], "resource": "arn:aws:s3:::b/*"}]"#,
        expect![[r#"
            {"Version":"2012-10-17","Statement":[
            {"Effect":"Allow","Action":["s3:Put*","s3:PutObjectAcl"],"Resource":"arn:aws:s3:::b/*","Condition":{"StringEquals":{"aws:ResourceAccount":"123456789012"}}},
            {"Effect":"Deny","Action":["s3:Put*Block","s3:Put*Policy*","s3:PutAnalyticsConfiguration","s3:PutBucketAbac","s3:PutBucketAcl","s3:PutBucketLogging","s3:PutBucketNotification","s3:PutBucketOwnershipControls","s3:PutInventoryConfiguration","s3:PutObjectVersionAcl","s3:PutReplicationConfiguration"],"Resource":"*"}]}"#]],
    );
    check(
        r#"[{"action": "kms:*", "resource": "arn:aws:kms:us-east-1:123456789012:key/*"},
            {"action": "kms:CreateGrant", "resource": "arn:aws:kms:us-east-1:123456789012:key/1"}]"#,
        expect![[r#"
            {"Version":"2012-10-17","Statement":[
            {"Effect":"Allow","Action":"kms:*","Resource":"arn:aws:kms:us-east-1:123456789012:key/*"},
            {"Effect":"Allow","Action":"kms:CreateGrant","Resource":"arn:aws:kms:us-east-1:123456789012:key/1"},
            {"Effect":"Deny","Action":["kms:PutKeyPolicy","kms:RetireGrant","kms:RevokeGrant"],"Resource":"*"},
            {"Effect":"Deny","Action":"kms:CreateGrant","NotResource":"arn:aws:kms:us-east-1:123456789012:key/1"}]}"#]],
    );
    // Granted on everything: there is nothing left to deny.
    check(
        r#"[{"action": "kms:Re*Grant", "resource": "arn:aws:kms:us-east-1:123456789012:key/*", "account": "any"},
            {"action": ["kms:RetireGrant", "kms:RevokeGrant"], "resource": "*", "account": "any"}]"#,
        expect![[r#"
            {"Version":"2012-10-17","Statement":[
            {"Effect":"Allow","Action":"kms:Re*Grant","Resource":"arn:aws:kms:us-east-1:123456789012:key/*"},
            {"Effect":"Allow","Action":["kms:RetireGrant","kms:RevokeGrant"],"Resource":"*"}]}"#]],
    );
}

#[test]
fn bounds_are_conditions() {
    check(
        r#"[{"action": "s3:List*", "resource": "arn:aws:s3:::b", "prefix": ["in/", "a*?$"], "region": ["us-east-1", "eu-west-1"]},
            {"action": ["sqs:*"], "resource": "*", "account": ["222222222222", "123456789012"]},
            {"action": "dynamodb:*Item", "resource": "arn:aws:dynamodb:us-east-1:123456789012:table/orders", "leadingKeys": {"pk": ["u*", "${x}", "$"]}}]"#,
        expect![[r#"
            {"Version":"2012-10-17","Statement":[
            {"Effect":"Allow","Action":["s3:ListBucket","s3:ListBucketVersions"],"Resource":"arn:aws:s3:::b","Condition":{"StringEquals":{"aws:RequestedRegion":["eu-west-1","us-east-1"],"aws:ResourceAccount":"123456789012"},"StringLike":{"s3:prefix":["a${*}${?}${$}*","in/*"]}}},
            {"Effect":"Allow","Action":"sqs:*","Resource":"*","Condition":{"StringEqualsIfExists":{"aws:ResourceAccount":["123456789012","222222222222"]}}},
            {"Effect":"Allow","Action":["dynamodb:BatchGetItem","dynamodb:BatchWriteItem","dynamodb:ConditionCheckItem","dynamodb:DeleteItem","dynamodb:GetItem","dynamodb:PutItem","dynamodb:UpdateItem"],"Resource":"arn:aws:dynamodb:us-east-1:123456789012:table/orders","Condition":{"ForAllValues:StringEquals":{"dynamodb:LeadingKeys":["$","${$}{x}","u*"]},"Null":{"dynamodb:LeadingKeys":"false"}}},
            {"Effect":"Deny","Action":["sqs:AddPermission","sqs:CreateQueue","sqs:RemovePermission","sqs:SetQueueAttributes"],"Resource":"*"}]}"#]],
    );
}

#[test]
fn via_names_the_service_in_the_keys_region() {
    for (resource, region, expected) in [
        (
            "arn:aws:kms:us-east-1:123456789012:key/1",
            "",
            r#"{"StringEquals":{"kms:ViaService":["s3.us-east-1.amazonaws.com","sqs.us-east-1.amazonaws.com"]}}"#,
        ),
        (
            "arn:aws:kms:*:123456789012:key/1",
            "",
            r#"{"StringLike":{"kms:ViaService":["s3.*.amazonaws.com","sqs.*.amazonaws.com"]}}"#,
        ),
        (
            "arn:aws:kms:*:123456789012:key/1",
            r#", "region": "eu-west-1""#,
            r#"{"StringEquals":{"kms:ViaService":["s3.eu-west-1.amazonaws.com","sqs.eu-west-1.amazonaws.com"]}}"#,
        ),
    ] {
        let json = format!(r#"[{{"action": "kms:Decrypt", "resource": "{resource}", "via": ["sqs", "s3"]{region}}}]"#);
        let policy = capabilities(&json).session_policy().unwrap();
        assert!(policy.as_str().contains(expected), "{}", policy.as_str());
    }
}

/// What `via` is for: AWS's own call on the task's behalf is allowed, the task's is not, nor another service's.
#[test]
fn via_allows_the_service_alone() {
    let policy = capabilities(
        r#"[{"action": ["kms:Decrypt", "kms:GenerateDataKey"], "resource": "arn:aws:kms:us-east-1:123456789012:key/1", "via": "s3"}]"#,
    )
    .session_policy()
    .unwrap();
    let policy = PolicyDocument::parse(policy.as_str()).unwrap();
    let key = "arn:aws:kms:us-east-1:123456789012:key/1";
    for (action, key, context, expected) in [
        ("kms:Decrypt", key, &["kms:ViaService=s3.us-east-1.amazonaws.com"][..], Decision::Allowed),
        ("kms:GenerateDataKey", key, &["kms:ViaService=s3.us-east-1.amazonaws.com"], Decision::Allowed),
        ("kms:Decrypt", key, &[], Decision::ImplicitlyDenied),
        ("kms:Decrypt", key, &["kms:ViaService=s3.eu-west-1.amazonaws.com"], Decision::ImplicitlyDenied),
        ("kms:Decrypt", key, &["kms:ViaService=sqs.us-east-1.amazonaws.com"], Decision::ImplicitlyDenied),
        ("kms:Encrypt", key, &["kms:ViaService=s3.us-east-1.amazonaws.com"], Decision::ImplicitlyDenied),
        (
            "kms:Decrypt",
            "arn:aws:kms:us-east-1:123456789012:key/2",
            &["kms:ViaService=s3.us-east-1.amazonaws.com"],
            Decision::ImplicitlyDenied,
        ),
    ] {
        assert_eq!(decide(&policy, action, key, context), expected, "{action} {key} {context:?}");
    }
}

#[test]
fn text_stays_within_the_alphabet_of_sts() {
    check(
        r#"[{"action": "s3:GetObject", "resource": ["arn:aws:s3:::b/ü€😀\"\\"], "account": "any"}]"#,
        expect![[r#"
            {"Version":"2012-10-17","Statement":[
            {"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/ü\u20ac\ud83d\ude00\"\\"}]}"#]],
    );
}

#[test]
fn too_long_is_an_error_that_says_what_to_shorten() {
    let keys: Vec<String> = (0..60).map(|i| format!(r#""arn:aws:s3:::bucket/a-rather-long-key-{i}""#)).collect();
    let json = format!(
        r#"[{{"action": "s3:ListBucket", "resource": "arn:aws:s3:::bucket"}},
            {{"action": "s3:GetObject", "resource": [{}]}}]"#,
        keys.join(",")
    );
    let error = capabilities(&json).session_policy().unwrap_err();
    let SessionPolicyError::TooLong { length, longest, share } = error else { panic!("{error}") };
    assert_eq!(longest, 1);
    assert!(length > SESSION_POLICY_LIMIT && share < length && share > length / 2, "{length} {share}");
    let message = error.to_string();
    for part in [length.to_string().as_str(), "2048", "capabilities[1]", "patterns"] {
        assert!(message.contains(part), "{message}");
    }
}

/// The limit itself is allowed, and counted in characters, not bytes.
#[test]
fn the_limit_is_in_characters() {
    let policy = |key: &str| {
        let json = format!(r#"[{{"action": "s3:GetObject", "resource": "arn:aws:s3:::b/{key}", "account": "any"}}]"#);
        capabilities(&json).session_policy().map(|policy| policy.as_str().chars().count())
    };
    let fixed = policy("").unwrap();
    // An ARN of at most 2,048 bytes leaves room for about a thousand such characters.
    assert_eq!(policy(&"ü".repeat(1000)), Ok(fixed + 1000));
    assert_eq!(policy(&"k".repeat(SESSION_POLICY_LIMIT - fixed)), Ok(SESSION_POLICY_LIMIT));
    assert!(policy(&"k".repeat(SESSION_POLICY_LIMIT - fixed + 1)).is_err());
}
