//! Whose resources a call reaches.

use rolebox_policy::{Check, CheckAccount, CheckResource};

use crate::support::{OWN, account, capabilities, check_calls as check, on, s3};

#[test]
fn the_answer_names_the_owner_to_expect() {
    let object = |named: Option<&str>| {
        Check::new("s3:GetObject", CheckResource::Arn("arn:aws:s3:::b/k".into()))
            .account(CheckAccount::BucketOwner(named.map(account)))
    };
    let (stranger, friend) = ("999999999999", "222222222222");
    for (accounts, named, expected) in [
        ("", None, Some(Some(OWN))),
        ("", Some(OWN), Some(Some(OWN))),
        ("", Some(stranger), None),
        (r#", "account": "any""#, None, Some(None)),
        (r#", "account": ["any"]"#, Some(stranger), Some(Some(stranger))),
        (r#", "account": "any""#, Some(OWN), Some(Some(OWN))),
        (r#", "account": "222222222222""#, None, Some(Some(friend))),
        (r#", "account": "222222222222""#, Some(OWN), None),
        (r#", "account": "222222222222""#, Some(stranger), None),
        (r#", "account": ["222222222222", "123456789012"]"#, None, Some(Some(OWN))),
        (r#", "account": ["222222222222", "123456789012"]"#, Some(friend), Some(Some(friend))),
        (r#", "account": ["222222222222", "123456789012"]"#, Some(stranger), None),
    ] {
        let json = format!(r#"[{{"action": "s3:GetObject", "resource": "arn:aws:s3:::*"{accounts}}}]"#);
        let answer = capabilities(&json).authorize(&[object(named)]);
        let owner = answer.ok().map(|answer| answer.bucket_owner);
        assert_eq!(owner, expected.map(|owner| owner.map(account)), "{json} {named:?}");
    }
}

#[test]
fn one_header_serves_all_checks_of_a_call() {
    let capabilities = capabilities(
        r#"[{"action": "s3:PutObject", "resource": "arn:aws:s3:::b/*", "account": ["123456789012", "222222222222"]},
            {"action": "s3:PutObjectTagging", "resource": "arn:aws:s3:::b/*", "account": "222222222222"},
            {"action": "s3:PutObjectRetention", "resource": "arn:aws:s3:::b/*"},
            {"action": "s3:GetObject", "resource": "arn:aws:s3:::a/*", "account": "333333333333"}]"#,
    );
    let b = |action| s3(action, "arn:aws:s3:::b/k");
    let owner = |checks: &[Check]| capabilities.authorize(checks).map(|answer| answer.bucket_owner);
    assert_eq!(owner(&[b("s3:PutObject")]), Ok(Some(account(OWN))));
    assert_eq!(owner(&[b("s3:PutObject"), b("s3:PutObjectTagging")]), Ok(Some(account("222222222222"))));
    assert_eq!(owner(&[b("s3:PutObjectTagging"), b("s3:PutObject")]), Ok(Some(account("222222222222"))));
    // No owner does for both.
    let denial = owner(&[b("s3:PutObjectRetention"), b("s3:PutObjectTagging")]).unwrap_err();
    assert_eq!(denial.missing.len(), 1);
    // A copy has a header of its own for its source.
    let source = Check::new("s3:GetObject", CheckResource::Arn("arn:aws:s3:::a/k".into()))
        .account(CheckAccount::SourceBucketOwner(None));
    let answer = capabilities.authorize(&[b("s3:PutObject"), source]).unwrap();
    assert_eq!(answer.bucket_owner, Some(account(OWN)));
    assert_eq!(answer.source_bucket_owner, Some(account("333333333333")));
    // One request can't name two owners.
    let named = |owner| {
        Check::new("s3:PutObject", CheckResource::Arn("arn:aws:s3:::b/k".into()))
            .account(CheckAccount::BucketOwner(Some(account(owner))))
    };
    assert!(capabilities.authorize(&[named(OWN), named("222222222222")]).is_err());
}

#[test]
fn a_strangers_resource_is_out_of_reach() {
    check(
        r#"[{"action": "s3:*", "resource": "*"},
            {"action": ["sqs:*", "dynamodb:*"], "resource": "*"},
            {"action": "kms:Decrypt", "resource": "arn:aws:kms:*:123456789012:key/*"}]"#,
        &[
            (on("sqs:SendMessage", "arn:aws:sqs:us-east-1:123456789012:q"), true),
            (on("sqs:SendMessage", "arn:aws:sqs:us-east-1:999999999999:q"), false),
            (on("sqs:SendMessage", "arn:aws:sqs:us-east-1:99999999999:q"), false),
            (on("sqs:SendMessage", "arn:aws:sqs:us-east-1:aws:q"), false),
            (on("sqs:SendMessage", "arn:aws:sqs:us-east-1:*:q"), false),
            (Check::new("sqs:ListQueues", CheckResource::Any), true),
            (Check::new("dynamodb:GetItem", CheckResource::Covering("arn:aws:dynamodb:*:*:table/*".into())), false),
            (
                Check::new(
                    "dynamodb:GetItem",
                    CheckResource::Covering("arn:aws:dynamodb:*:123456789012:table/*".into()),
                ),
                true,
            ),
            (on("kms:Decrypt", "arn:aws:kms:us-east-1:123456789012:key/1"), true),
            (on("kms:Decrypt", "arn:aws:kms:us-east-1:999999999999:key/1"), false),
            // A wildcard Region does not reach over the account.
            (on("kms:Decrypt", "arn:aws:kms:us-east-1:999999999999:x:123456789012:key/1"), false),
            // An S3 check that names no owner has been parsed wrongly.
            (on("s3:GetObject", "arn:aws:s3:::b/k"), false),
            (s3("s3:GetObject", "arn:aws:s3:::b/k").account(CheckAccount::NoAccount), false),
        ],
    );
}

#[test]
fn buckets_are_created_and_listed_in_the_own_account_only() {
    let create =
        || Check::new("s3:CreateBucket", CheckResource::Arn("arn:aws:s3:::b".into())).account(CheckAccount::NoAccount);
    let list = || Check::new("s3:ListAllMyBuckets", CheckResource::Any).account(CheckAccount::NoAccount);
    check(r#"[{"action": "s3:*", "resource": "*"}]"#, &[(create(), true), (list(), true)]);
    check(r#"[{"action": "s3:*", "resource": "arn:aws:s3:::*"}]"#, &[(create(), true), (list(), false)]);
    check(
        r#"[{"action": "s3:*", "resource": "*", "account": "222222222222"}]"#,
        &[(create(), false), (list(), false), (s3("s3:GetObject", "arn:aws:s3:::b/k"), true)],
    );
    check(
        r#"[{"action": "s3:Create*", "resource": "*", "account": ["222222222222", "123456789012"]}]"#,
        &[(create(), true), (list(), false)],
    );
}
