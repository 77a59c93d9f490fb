//! Calls against capabilities.

use rolebox_policy::{Check, CheckAccount, CheckResource, ItemKey};

use crate::support::{OWN, account, capabilities, check_calls as check, on, s3};

#[test]
fn the_sample_needs_exactly_its_two() {
    check(
        r#"[{"action": ["s3:CreateBucket"], "resource": ["arn:aws:s3:::node-sdk-sample-*"]},
            {"action": ["s3:PutObject"], "resource": ["arn:aws:s3:::node-sdk-sample-*/*"]}]"#,
        &[
            (
                Check::new("s3:CreateBucket", CheckResource::Arn("arn:aws:s3:::node-sdk-sample-1".into()))
                    .account(CheckAccount::NoAccount),
                true,
            ),
            (s3("s3:PutObject", "arn:aws:s3:::node-sdk-sample-1/hello_world.txt"), true),
            (s3("s3:PutObject", "arn:aws:s3:::node-sdk-sample-1/a/b"), true),
            (s3("S3:putobject", "arn:aws:s3:::node-sdk-sample-1/k"), true),
            (s3("s3:PutObject", "arn:aws:s3:::node-sdk-sample-1"), false),
            (s3("s3:PutObject", "arn:aws:s3:::other/k"), false),
            (s3("s3:PutObject", "arn:aws:s3:::NODE-sdk-sample-1/k"), false),
            (s3("s3:PutObject", "arn:aws-cn:s3:::node-sdk-sample-1/k"), false),
            (s3("s3:PutObject", "*"), false),
            (s3("s3:PutObject", ""), false),
            (s3("s3:GetObject", "arn:aws:s3:::node-sdk-sample-1/k"), false),
            (s3("s3:PutObjectAcl", "arn:aws:s3:::node-sdk-sample-1/k"), false),
            (s3("s3:PutObjectTagging", "arn:aws:s3:::node-sdk-sample-1/k"), false),
            (s3("s3:DeleteBucket", "arn:aws:s3:::node-sdk-sample-1"), false),
            (s3("s3", "arn:aws:s3:::node-sdk-sample-1/k"), false),
            (s3("", "arn:aws:s3:::node-sdk-sample-1/k"), false),
            (on("s3express:PutObject", "arn:aws:s3:::node-sdk-sample-1/k"), false),
        ],
    );
}

#[test]
fn every_check_of_a_call_counts() {
    let capabilities = capabilities(
        r#"[{"action": "s3:PutObject", "resource": "arn:aws:s3:::b/out/*"},
            {"action": "s3:GetObject", "resource": "arn:aws:s3:::b/in/*"}]"#,
    );
    let put = s3("s3:PutObject", "arn:aws:s3:::b/out/k");
    let get = s3("s3:GetObject", "arn:aws:s3:::b/in/k");
    let foreign = s3("s3:GetObject", "arn:aws:s3:::c/in/k");
    let tags = s3("s3:PutObjectTagging", "arn:aws:s3:::b/out/k");

    let answer = capabilities.authorize(&[put.clone(), get.clone()]).unwrap();
    assert_eq!(answer.capabilities, [0, 1]);
    assert_eq!(answer.bucket_owner, Some(account(OWN)));
    assert_eq!(answer.source_bucket_owner, None);

    let denial = capabilities.authorize(&[put, foreign, get, tags]).unwrap_err();
    let missing: Vec<_> = denial.missing.iter().map(|m| (m.action.as_str(), m.resource.as_str())).collect();
    assert_eq!(missing, [("s3:GetObject", "arn:aws:s3:::c/in/k"), ("s3:PutObjectTagging", "arn:aws:s3:::b/out/k")]);
    let reason = denial.reason();
    for part in ["capability", "s3:GetObject on arn:aws:s3:::c/in/k", "s3:PutObjectTagging on arn:aws:s3:::b/out/k"] {
        assert!(reason.contains(part), "{reason}");
    }
}

#[test]
fn a_call_without_checks_is_denied() {
    let denial = capabilities(r#"[{"action": "s3:*", "resource": "*", "account": "any"}]"#).authorize(&[]).unwrap_err();
    assert!(denial.missing.is_empty());
    assert!(denial.reason().contains("capability"), "{}", denial.reason());
}

#[test]
fn no_capability_allows_nothing() {
    check(
        "[]",
        &[
            (s3("s3:GetObject", "arn:aws:s3:::b/k"), false),
            (Check::new("sts:GetCallerIdentity", CheckResource::Any), false),
        ],
    );
}

#[test]
fn patterns_never_grant_lasting_authority() {
    let bucket = |action| (s3(action, "arn:aws:s3:::b"), false);
    let object = |action| (s3(action, "arn:aws:s3:::b/k"), false);
    check(
        r#"[{"action": ["s3:*", "s3:Put*", "s3:PutObjectAc?", "s3:P?tBucketPolicy"], "resource": "*"},
            {"action": ["ecr:*", "lambda:*", "kms:*", "secretsmanager:*", "ssm:*", "sqs:*", "sns:*"], "resource": "*"}]"#,
        &[
            (s3("s3:PutObject", "arn:aws:s3:::b/k"), true),
            (s3("s3:GetBucketAcl", "arn:aws:s3:::b"), true),
            (s3("s3:GetBucketPolicy", "arn:aws:s3:::b"), true),
            (s3("s3:PutBucketVersioning", "arn:aws:s3:::b"), true),
            bucket("s3:PutBucketPolicy"),
            bucket("s3:putbucketpolicy"),
            bucket("s3:DeleteBucketPolicy"),
            bucket("s3:PutBucketAcl"),
            bucket("s3:PutBucketOwnershipControls"),
            bucket("s3:PutBucketPublicAccessBlock"),
            (s3("s3:GetReplicationConfiguration", "arn:aws:s3:::b"), true),
            (s3("s3:PutLifecycleConfiguration", "arn:aws:s3:::b"), true),
            bucket("s3:PutAnalyticsConfiguration"),
            bucket("s3:PutBucketAbac"),
            bucket("s3:PutBucketLogging"),
            bucket("s3:PutBucketNotification"),
            bucket("s3:putbucketnotification"),
            bucket("s3:PutInventoryConfiguration"),
            bucket("s3:PutReplicationConfiguration"),
            bucket("s3:CreateSession"),
            bucket("s3:GetDataAccess"),
            object("s3:PutObjectAcl"),
            object("s3:PutObjectVersionAcl"),
            object("s3:BypassGovernanceRetention"),
            object("s3:ObjectOwnerOverrideToBucketOwner"),
            (on("kms:Decrypt", "arn:aws:kms:us-east-1:123456789012:key/1"), true),
            (on("kms:CreateGrant", "arn:aws:kms:us-east-1:123456789012:key/1"), false),
            (on("kms:PutKeyPolicy", "arn:aws:kms:us-east-1:123456789012:key/1"), false),
            (Check::new("ecr:GetAuthorizationToken", CheckResource::Any), false),
            (on("ecr:GetDownloadUrlForLayer", "arn:aws:ecr:us-east-1:123456789012:repository/r"), false),
            (on("ecr:BatchGetImage", "arn:aws:ecr:us-east-1:123456789012:repository/r"), true),
            (on("lambda:GetFunction", "arn:aws:lambda:us-east-1:123456789012:function:f"), false),
            (on("lambda:AddPermission", "arn:aws:lambda:us-east-1:123456789012:function:f"), false),
            (on("lambda:GetFunctionConfiguration", "arn:aws:lambda:us-east-1:123456789012:function:f"), true),
            (on("lambda:InvokeFunction", "arn:aws:lambda:us-east-1:123456789012:function:f"), true),
            (on("secretsmanager:PutResourcePolicy", "arn:aws:secretsmanager:us-east-1:123456789012:secret:s"), false),
            (on("secretsmanager:GetSecretValue", "arn:aws:secretsmanager:us-east-1:123456789012:secret:s"), true),
            (on("ssm:StartSession", "arn:aws:ec2:us-east-1:123456789012:instance/i-1"), false),
            (on("sqs:SetQueueAttributes", "arn:aws:sqs:us-east-1:123456789012:q"), false),
            (on("sns:AddPermission", "arn:aws:sns:us-east-1:123456789012:t"), false),
        ],
    );
}

#[test]
fn a_full_name_grants_what_patterns_do_not() {
    check(
        r#"[{"action": ["s3:*", "s3:PutObjectAcl"], "resource": "arn:aws:s3:::b/*"},
            {"action": "s3:*", "resource": "arn:aws:s3:::c/*"},
            {"action": ["s3:PutBucketPolicy", "s3:PutBucketNotification"], "resource": "arn:aws:s3:::b"},
            {"action": "ecr:GetAuthorizationToken", "resource": "*"}]"#,
        &[
            (s3("s3:PutObjectAcl", "arn:aws:s3:::b/k"), true),
            (s3("s3:PutObjectAcl", "arn:aws:s3:::c/k"), false),
            (s3("s3:PutObjectVersionAcl", "arn:aws:s3:::b/k"), false),
            (s3("s3:PutObject", "arn:aws:s3:::c/k"), true),
            (s3("s3:PutBucketPolicy", "arn:aws:s3:::b"), true),
            (s3("s3:PutBucketPolicy", "arn:aws:s3:::b/k"), false),
            (s3("s3:PutBucketNotification", "arn:aws:s3:::b"), true),
            (s3("s3:PutBucketNotification", "arn:aws:s3:::c"), false),
            (s3("s3:PutBucketAcl", "arn:aws:s3:::b"), false),
            (Check::new("ecr:GetAuthorizationToken", CheckResource::Any), true),
        ],
    );
}

#[test]
fn iam_and_sts_are_out_of_reach_of_any_pattern() {
    check(
        r#"[{"action": "sts:GetCallerIdentity", "resource": "*"}, {"action": ["s3:*", "ec2:*"], "resource": "*"}]"#,
        &[
            (Check::new("sts:GetCallerIdentity", CheckResource::Any), true),
            (on("sts:AssumeRole", "arn:aws:iam::123456789012:role/r"), false),
            (on("iam:PassRole", "arn:aws:iam::123456789012:role/r"), false),
            (Check::new("iam:ListRoles", CheckResource::Any), false),
        ],
    );
}

#[test]
fn what_works_on_no_resource_needs_the_star() {
    for (resource, expected) in [
        (r#""*""#, true),
        (r#""arn:aws:sqs:*:123456789012:*""#, false),
        (r#"["arn:aws:sqs:*:123456789012:*", "*"]"#, true),
    ] {
        check(
            &format!(r#"[{{"action": "sqs:*", "resource": {resource}}}]"#),
            &[
                (Check::new("sqs:ListQueues", CheckResource::Any), expected),
                (on("sqs:SendMessage", "arn:aws:sqs:us-east-1:123456789012:q"), true),
                // An ARN that holds a `*` is not every resource.
                (on("sqs:SendMessage", "arn:aws:sqs:us-east-1:123456789012:*"), true),
            ],
        );
    }
}

#[test]
fn a_hidden_arn_must_be_covered_whole() {
    let secret = "arn:aws:secretsmanager:us-east-1:123456789012:secret:";
    let meant = Check::new("secretsmanager:GetSecretValue", CheckResource::Covering(format!("{secret}db-??????")));
    for (pattern, expected) in [
        ("db-??????", true),
        ("db-*", true),
        ("db*", true),
        ("*", true),
        ("d?-??????", true),
        ("db-?????", false),
        ("db-???????", false),
        ("db-a?????", false),
        ("db-AbCdEf", false),
        ("db", false),
        ("other-*", false),
    ] {
        check(
            &format!(r#"[{{"action": "secretsmanager:GetSecretValue", "resource": "{secret}{pattern}"}}]"#),
            &[(meant.clone(), expected)],
        );
    }
    let any_key = Check::new("kms:Decrypt", CheckResource::Covering("arn:aws:kms:us-east-1:123456789012:key/*".into()));
    for (pattern, expected) in [
        ("arn:aws:kms:us-east-1:123456789012:key/*", true),
        ("arn:aws:kms:*:123456789012:key/*", true),
        ("arn:aws:kms:us-east-1:123456789012:*", true),
        ("*", true),
        ("arn:aws:kms:us-east-1:123456789012:key/1*", false),
        ("arn:aws:kms:us-east-1:123456789012:key/1234", false),
        ("arn:aws:kms:eu-west-1:123456789012:key/*", false),
    ] {
        check(&format!(r#"[{{"action": "kms:Decrypt", "resource": "{pattern}"}}]"#), &[(any_key.clone(), expected)]);
    }
    // Two capabilities that cover a half each don't cover the whole.
    check(
        r#"[{"action": "kms:Decrypt", "resource": "arn:aws:kms:us-east-1:123456789012:key/1*"},
            {"action": "kms:Decrypt", "resource": "arn:aws:kms:us-east-1:123456789012:key/2*"}]"#,
        &[(any_key, false)],
    );
}

#[test]
fn a_prefix_bounds_listings() {
    let list = |action: &str, prefix: Option<&str>| {
        let check = s3(action, "arn:aws:s3:::b");
        match prefix {
            Some(prefix) => check.with("s3:prefix", prefix),
            None => check,
        }
    };
    check(
        r#"[{"action": "s3:List*", "resource": "*", "prefix": ["in/", "a*"]}]"#,
        &[
            (list("s3:ListBucket", Some("in/")), true),
            (list("s3:ListBucket", Some("in/x")), true),
            (list("s3:ListBucketVersions", Some("in/x")), true),
            (list("s3:ListBucket", Some("a*b")), true),
            (list("s3:ListBucket", Some("ab")), false),
            (list("s3:ListBucket", Some("in")), false),
            (list("s3:ListBucket", Some("IN/")), false),
            (list("s3:ListBucket", Some("")), false),
            (list("s3:ListBucket", None), false),
            // This one has no prefix to AWS, whatever the request says.
            (list("s3:ListBucketMultipartUploads", Some("in/")), false),
            (Check::new("s3:ListAllMyBuckets", CheckResource::Any).account(CheckAccount::NoAccount), false),
        ],
    );
}

#[test]
fn leading_keys_bound_items() {
    let table = "arn:aws:dynamodb:us-east-1:123456789012:table/orders";
    let index = "arn:aws:dynamodb:us-east-1:123456789012:table/orders/index/by-date";
    let call = |action, arn, items: &[&[(&str, &str)]]| {
        items.iter().fold(on(action, arn), |check, attributes| {
            check.item(attributes.iter().fold(ItemKey::new(), |item, (name, value)| item.attribute(*name, *value)))
        })
    };
    check(
        &format!(r#"[{{"action": "dynamodb:*", "resource": "{table}", "leadingKeys": {{"pk": ["u1", "u2"]}}}}]"#),
        &[
            (call("dynamodb:GetItem", table, &[&[("pk", "u1"), ("sk", "x")]]), true),
            (call("dynamodb:Query", table, &[&[("pk", "u2")]]), true),
            (call("dynamodb:BatchGetItem", table, &[&[("pk", "u1")], &[("pk", "u2")]]), true),
            (call("dynamodb:BatchGetItem", table, &[&[("pk", "u1")], &[("pk", "u3")]]), false),
            (call("dynamodb:BatchGetItem", table, &[&[("pk", "u1")], &[("sk", "u1")]]), false),
            (call("dynamodb:GetItem", table, &[&[("pk", "u3")]]), false),
            (call("dynamodb:GetItem", table, &[&[("PK", "u1")]]), false),
            (call("dynamodb:GetItem", table, &[&[("sk", "u1")]]), false),
            (call("dynamodb:PutItem", table, &[&[("pk", "u1"), ("pk", "u3")]]), false),
            (call("dynamodb:GetItem", table, &[&[]]), false),
            (call("dynamodb:GetItem", table, &[]), false),
            (call("dynamodb:Query", table, &[]), false),
            (call("dynamodb:Query", index, &[&[("pk", "u1")]]), false),
            (call("dynamodb:Scan", table, &[]), false),
            (call("dynamodb:Scan", table, &[&[("pk", "u1")]]), false),
            (call("dynamodb:PartiQLSelect", table, &[&[("pk", "u1")]]), false),
            (call("dynamodb:DescribeTable", table, &[]), false),
        ],
    );
}

/// A task's own call comes through no service. Where it asks S3 to use a key, S3 makes the call, and whoever parses the
/// request says so.
#[test]
fn via_never_matches_the_tasks_own_call() {
    let key = "arn:aws:kms:us-east-1:123456789012:key/1";
    let through = |action: &str, service: &str| on(action, key).with("kms:ViaService", service);
    check(
        &format!(r#"[{{"action": ["kms:Decrypt", "kms:GenerateDataKey*"], "resource": "{key}", "via": "s3"}}]"#),
        &[
            (on("kms:Decrypt", key), false),
            (on("kms:GenerateDataKey", key), false),
            (through("kms:Decrypt", "s3.us-east-1.amazonaws.com"), true),
            (through("kms:GenerateDataKeyPair", "s3.us-east-1.amazonaws.com"), true),
            (through("kms:Encrypt", "s3.us-east-1.amazonaws.com"), false),
            (through("kms:Decrypt", "s3.eu-west-1.amazonaws.com"), false),
            (through("kms:Decrypt", "sqs.us-east-1.amazonaws.com"), false),
            (through("kms:Decrypt", "s3.*.amazonaws.com"), false),
            (through("kms:Decrypt", ""), false),
        ],
    );
    // Without `via` the task may call KMS itself, and so may a service for it.
    check(
        &format!(r#"[{{"action": "kms:Decrypt", "resource": "{key}"}}]"#),
        &[(on("kms:Decrypt", key), true), (through("kms:Decrypt", "s3.us-east-1.amazonaws.com"), true)],
    );
    check(
        r#"[{"action": "kms:Decrypt", "resource": "*", "via": ["s3", "sqs"]}]"#,
        &[
            (on("kms:Decrypt", key), false),
            (through("kms:Decrypt", "s3.eu-west-1.amazonaws.com"), true),
            (through("kms:Decrypt", "sqs.us-east-1.amazonaws.com"), true),
            (through("kms:Decrypt", "xs3.us-east-1.amazonaws.com"), false),
        ],
    );
}

#[test]
fn a_region_bounds_the_endpoint() {
    let get = |region: Option<&str>| {
        let check = Check::new("s3:GetObject", CheckResource::Arn("arn:aws:s3:::b/k".into()))
            .account(CheckAccount::BucketOwner(None));
        match region {
            Some(region) => check.with("aws:RequestedRegion", region),
            None => check,
        }
    };
    check(
        r#"[{"action": "s3:GetObject", "resource": "arn:aws:s3:::b/*", "region": ["eu-west-1", "us-east-1"]}]"#,
        &[
            (get(Some("us-east-1")), true),
            (get(Some("eu-west-1")), true),
            (get(Some("us-east-2")), false),
            (get(Some("US-EAST-1")), false),
            (get(Some("")), false),
            (get(None), false),
        ],
    );
}

#[test]
fn escapes_stand_for_the_characters() {
    check(
        r#"[{"action": "s3:GetObject", "resource": ["arn:aws:s3:::b/a${*}", "arn:aws:s3:::b/b${?}", "arn:aws:s3:::b/c${$}{x}", "arn:aws:s3:::b/$d"]}]"#,
        &[
            (s3("s3:GetObject", "arn:aws:s3:::b/a*"), true),
            (s3("s3:GetObject", "arn:aws:s3:::b/ab"), false),
            (s3("s3:GetObject", "arn:aws:s3:::b/b?"), true),
            (s3("s3:GetObject", "arn:aws:s3:::b/bc"), false),
            (s3("s3:GetObject", "arn:aws:s3:::b/c${x}"), true),
            (s3("s3:GetObject", "arn:aws:s3:::b/$d"), true),
        ],
    );
}

#[test]
fn denials_say_what_to_know() {
    let capabilities = capabilities(
        r#"[{"action": "s3:*", "resource": "arn:aws:s3:::b/*"},
            {"action": "s3:ListBucket", "resource": "arn:aws:s3:::b", "prefix": "in/"},
            {"action": "kms:Decrypt", "resource": "arn:aws:kms:*:123456789012:key/1*"}]"#,
    );
    let stranger =
        s3("s3:GetObject", "arn:aws:s3:::b/k").account(CheckAccount::BucketOwner(Some(account("999999999999"))));
    for (check, part) in [
        (s3("s3:PutObjectAcl", "arn:aws:s3:::b/k"), "only by its full name"),
        (stranger, "account that it does not reach"),
        (s3("s3:ListBucket", "arn:aws:s3:::b").with("s3:prefix", "out/"), "prefix"),
        (Check::new("s3:ListAllMyBuckets", CheckResource::Any), r#""resource": "*""#),
        (
            Check::new("kms:Decrypt", CheckResource::Covering("arn:aws:kms:us-east-1:123456789012:key/*".into())),
            "covers all of it",
        ),
    ] {
        let reason = capabilities.authorize(&[check]).unwrap_err().reason();
        assert!(reason.contains(part) && reason.contains("capability"), "{reason}");
    }
}
