//! Decisions over whole policies: AWS's documented examples, and each rule that they illustrate.
//!
//! Where an example names its page, the page is of the IAM User Guide
//! (<https://docs.aws.amazon.com/IAM/latest/UserGuide/>).

use rolebox_policy::Decision::{self, Allowed, ExplicitlyDenied, ImplicitlyDenied};
use rolebox_policy::{AccessRequest, Context, PolicyDocument, evaluate};

use crate::support::{context, decide, policy, statement};

/// Rows: action, resource, context, decision.
type Row<'a> = (&'a str, &'a str, &'a [&'a str], Decision);

#[track_caller]
fn check(policy: &PolicyDocument, rows: &[Row<'_>]) {
    for (action, resource, context, expected) in rows {
        assert_eq!(decide(policy, action, resource, context), *expected, "{action} {resource} {context:?}");
    }
}

/// reference_policies_variables: a folder for each user.
#[test]
fn the_users_own_folder() {
    let policy = policy(
        r#"{
          "Version": "2012-10-17",
          "Statement": [
            {
              "Action": ["s3:ListBucket"],
              "Effect": "Allow",
              "Resource": ["arn:aws:s3:::mybucket"],
              "Condition": {"StringLike": {"s3:prefix": ["${aws:username}/*"]}}
            },
            {
              "Action": ["s3:GetObject", "s3:PutObject"],
              "Effect": "Allow",
              "Resource": ["arn:aws:s3:::mybucket/${aws:username}/*"]
            }
          ]
        }"#,
    );
    check(
        &policy,
        &[
            ("s3:GetObject", "arn:aws:s3:::mybucket/david/k", &["aws:username=david"], Allowed),
            ("s3:PutObject", "arn:aws:s3:::mybucket/david/a/b", &["aws:username=david"], Allowed),
            ("s3:GetObject", "arn:aws:s3:::mybucket/eve/k", &["aws:username=david"], ImplicitlyDenied),
            ("s3:GetObject", "arn:aws:s3:::mybucket/David/k", &["aws:username=david"], ImplicitlyDenied),
            // A role's session has no user name, and no name is not an empty one.
            ("s3:GetObject", "arn:aws:s3:::mybucket/david/k", &[], ImplicitlyDenied),
            ("s3:GetObject", "arn:aws:s3:::mybucket//k", &[], ImplicitlyDenied),
            // A user whose name holds wildcards reads a folder of that very name.
            ("s3:GetObject", "arn:aws:s3:::mybucket/eve/k", &["aws:username=*"], ImplicitlyDenied),
            ("s3:GetObject", "arn:aws:s3:::mybucket/*/k", &["aws:username=*"], Allowed),
            ("s3:GetObject", "arn:aws:s3:::mybucket/eve/k", &["aws:username=ev?"], ImplicitlyDenied),
            ("s3:ListBucket", "arn:aws:s3:::mybucket", &["aws:username=david", "s3:prefix=david/"], Allowed),
            ("s3:ListBucket", "arn:aws:s3:::mybucket", &["aws:username=david", "s3:prefix=david"], ImplicitlyDenied),
            ("s3:ListBucket", "arn:aws:s3:::mybucket", &["aws:username=david", "s3:prefix=eve/"], ImplicitlyDenied),
            ("s3:ListBucket", "arn:aws:s3:::mybucket", &["aws:username=*", "s3:prefix=eve/"], ImplicitlyDenied),
            ("s3:ListBucket", "arn:aws:s3:::mybucket", &["aws:username=david"], ImplicitlyDenied),
            ("s3:ListBucket", "arn:aws:s3:::mybucket", &["s3:prefix=/"], ImplicitlyDenied),
        ],
    );
}

/// reference_policies_variables: a queue by the user's name, in any account's ARN.
#[test]
fn a_variable_within_a_name() {
    let policy = policy(
        r#"{
          "Version": "2012-10-17",
          "Statement": [
            {"Sid": "ListForConsole", "Effect": "Allow", "Action": "sqs:ListQueues", "Resource": "*"},
            {"Sid": "AllQueueActions", "Effect": "Allow", "Action": "sqs:*",
             "Resource": "arn:aws:sqs:us-east-2:*:${aws:username}-queue"}
          ]
        }"#,
    );
    check(
        &policy,
        &[
            ("sqs:ListQueues", "*", &[], Allowed),
            ("sqs:SendMessage", "arn:aws:sqs:us-east-2:123456789012:bob-queue", &["aws:username=bob"], Allowed),
            (
                "sqs:SendMessage",
                "arn:aws:sqs:us-east-1:123456789012:bob-queue",
                &["aws:username=bob"],
                ImplicitlyDenied,
            ),
            (
                "sqs:SendMessage",
                "arn:aws:sqs:us-east-2:123456789012:eve-queue",
                &["aws:username=bob"],
                ImplicitlyDenied,
            ),
            ("sqs:SendMessage", "arn:aws:sqs:us-east-2:123456789012:-queue", &[], ImplicitlyDenied),
            ("sqs:SendMessage", "*", &["aws:username=bob"], ImplicitlyDenied),
        ],
    );
}

/// reference_policies_variables, special characters and defaults.
#[test]
fn escapes_and_defaults() {
    let policy = statement(
        r#"[{"Effect": "Allow", "Action": "s3:GetObject",
             "Resource": ["arn:aws:s3:::b/literal${*}", "arn:aws:s3:::b/${$}{aws:username}",
                          "arn:aws:s3:::b/of/${aws:userid, 'anonymous'}/*"]}]"#,
    );
    check(
        &policy,
        &[
            ("s3:GetObject", "arn:aws:s3:::b/literal*", &[], Allowed),
            ("s3:GetObject", "arn:aws:s3:::b/literally", &[], ImplicitlyDenied),
            ("s3:GetObject", "arn:aws:s3:::b/${aws:username}", &["aws:username=bob"], Allowed),
            ("s3:GetObject", "arn:aws:s3:::b/$bob", &["aws:username=bob"], ImplicitlyDenied),
            ("s3:GetObject", "arn:aws:s3:::b/of/anonymous/k", &[], Allowed),
            ("s3:GetObject", "arn:aws:s3:::b/of/anonymous/k", &["aws:userid=AIDA"], ImplicitlyDenied),
            ("s3:GetObject", "arn:aws:s3:::b/of/AIDA/k", &["aws:userid=AIDA"], Allowed),
        ],
    );
}

/// reference_policies_elements_version: before 2012-10-17 a variable is text.
#[test]
fn the_old_version_has_no_variables() {
    for version in ["", r#""Version": "2008-10-17","#] {
        let policy = policy(&format!(
            r#"{{{version} "Statement": {{"Effect": "Allow", "Action": "s3:GetObject",
                 "Resource": "arn:aws:s3:::b/${{aws:username}}/*",
                 "Condition": {{"StringEquals": {{"s3:x": "${{$}}"}}}}}}}}"#
        ));
        check(
            &policy,
            &[
                ("s3:GetObject", "arn:aws:s3:::b/bob/k", &["aws:username=bob", "s3:x=$"], ImplicitlyDenied),
                ("s3:GetObject", "arn:aws:s3:::b/${aws:username}/k", &["aws:username=bob", "s3:x=${$}"], Allowed),
            ],
        );
    }
}

/// reference_policies_elements_action and _resource: case, wildcards, what they cross.
#[test]
fn actions_ignore_case_and_resources_do_not() {
    let policy = statement(
        r#"[{"Effect": "Allow", "Action": ["S3:get*", "iam:*AccessKey*", "ec2:Describe?pcs"], "Resource": ["arn:aws:s3:::B/a*z", "arn:aws:iam::123456789012:*"]}]"#,
    );
    check(
        &policy,
        &[
            ("s3:GetObject", "arn:aws:s3:::B/az", &[], Allowed),
            ("S3:GETOBJECT", "arn:aws:s3:::B/a/b/c:z", &[], Allowed),
            ("s3:GetObject", "arn:aws:s3:::b/az", &[], ImplicitlyDenied),
            ("s3:GetObject", "arn:aws:s3:::B/A/z", &[], ImplicitlyDenied),
            ("s3:GetObject", "arn:aws:s3:::B/a/b", &[], ImplicitlyDenied),
            ("s3:PutObject", "arn:aws:s3:::B/az", &[], ImplicitlyDenied),
            ("iam:CreateAccessKey", "arn:aws:iam::123456789012:user/bob", &[], Allowed),
            ("iam:ListAccessKeys", "arn:aws:iam::123456789012:user/a/bob", &[], Allowed),
            ("iam:ListUsers", "arn:aws:iam::123456789012:user/bob", &[], ImplicitlyDenied),
            ("iam:ListAccessKeys", "arn:aws:iam::123456789013:user/bob", &[], ImplicitlyDenied),
            ("ec2:DescribeVpcs", "arn:aws:iam::123456789012:x", &[], Allowed),
            ("ec2:Describepcs", "arn:aws:iam::123456789012:x", &[], ImplicitlyDenied),
        ],
    );
}

#[test]
fn a_last_star_reaches_over_colons() {
    let policy =
        statement(r#"{"Effect": "Allow", "Action": "*", "Resource": ["arn:aws:sqs:*", "arn:*:logs:us-east-1:*"]}"#);
    check(
        &policy,
        &[
            ("sqs:SendMessage", "arn:aws:sqs:us-east-1:123456789012:q", &[], Allowed),
            ("sqs:SendMessage", "arn:aws-cn:sqs:cn-north-1:123456789012:q", &[], ImplicitlyDenied),
            ("logs:GetLogEvents", "arn:aws-cn:logs:us-east-1:123456789012:log-group:g:log-stream:s", &[], Allowed),
            ("logs:GetLogEvents", "arn:aws:logs:us-west-1:123456789012:log-group:g", &[], ImplicitlyDenied),
            ("sqs:ListQueues", "*", &[], ImplicitlyDenied),
        ],
    );
}

/// reference_policies_elements_notaction and _notresource.
#[test]
fn not_action_and_not_resource() {
    let not_action = statement(r#"{"Effect": "Allow", "NotAction": ["iam:*", "s3:Delete*"], "Resource": "*"}"#);
    check(
        &not_action,
        &[
            ("s3:GetObject", "arn:aws:s3:::b/k", &[], Allowed),
            ("sqs:SendMessage", "*", &[], Allowed),
            ("S3:deletebucket", "arn:aws:s3:::b", &[], ImplicitlyDenied),
            ("iam:GetUser", "*", &[], ImplicitlyDenied),
        ],
    );
    let not_resource = statement(
        r#"[{"Effect": "Allow", "Action": "s3:*", "Resource": "*"},
            {"Effect": "Deny", "Action": "s3:*", "NotResource": ["arn:aws:s3:::HRBucket/Payroll", "arn:aws:s3:::HRBucket/Payroll/*"]}]"#,
    );
    check(
        &not_resource,
        &[
            ("s3:GetObject", "arn:aws:s3:::HRBucket/Payroll/k", &[], Allowed),
            ("s3:GetObject", "arn:aws:s3:::HRBucket/Payroll", &[], Allowed),
            ("s3:GetObject", "arn:aws:s3:::HRBucket/Payrolls", &[], ExplicitlyDenied),
            ("s3:GetObject", "arn:aws:s3:::hrbucket/Payroll/k", &[], ExplicitlyDenied),
            ("s3:ListAllMyBuckets", "*", &[], ExplicitlyDenied),
            ("sqs:SendMessage", "*", &[], ImplicitlyDenied),
        ],
    );
    // All but the caller's own folder: without a caller's name there is no folder to spare.
    let deny_others = statement(
        r#"[{"Effect": "Allow", "Action": "s3:*", "Resource": "*"},
            {"Effect": "Deny", "Action": "s3:*", "NotResource": "arn:aws:s3:::b/${aws:username}/*"}]"#,
    );
    check(
        &deny_others,
        &[
            ("s3:GetObject", "arn:aws:s3:::b/bob/k", &["aws:username=bob"], Allowed),
            ("s3:GetObject", "arn:aws:s3:::b/eve/k", &["aws:username=bob"], ExplicitlyDenied),
            ("s3:GetObject", "arn:aws:s3:::b/bob/k", &[], ExplicitlyDenied),
            ("s3:GetObject", "arn:aws:s3:::b//k", &[], ExplicitlyDenied),
        ],
    );
}

/// reference_policies_elements_condition_operators: encrypted transport.
#[test]
fn an_explicit_deny_comes_first() {
    let policy = policy(
        r#"{
          "Version": "2012-10-17",
          "Statement": [
            {"Effect": "Allow", "Action": "s3:*", "Resource": "*"},
            {"Sid": "BooleanExample", "Action": "s3:*", "Effect": "Deny",
             "Resource": ["arn:aws:s3:::DOC-EXAMPLE-BUCKET", "arn:aws:s3:::DOC-EXAMPLE-BUCKET/*"],
             "Condition": {"Bool": {"aws:SecureTransport": "false"}}},
            {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::DOC-EXAMPLE-BUCKET/*"}
          ]
        }"#,
    );
    check(
        &policy,
        &[
            ("s3:GetObject", "arn:aws:s3:::DOC-EXAMPLE-BUCKET/k", &["aws:SecureTransport=true"], Allowed),
            ("s3:GetObject", "arn:aws:s3:::DOC-EXAMPLE-BUCKET/k", &["aws:SecureTransport=false"], ExplicitlyDenied),
            ("s3:GetObject", "arn:aws:s3:::DOC-EXAMPLE-BUCKET/k", &[], Allowed),
            ("s3:GetObject", "arn:aws:s3:::other/k", &["aws:SecureTransport=false"], Allowed),
        ],
    );
}

#[test]
fn all_conditions_and_keys_hold_and_any_value() {
    let policy = statement(
        r#"{"Effect": "Allow", "Action": "ec2:*", "Resource": "*",
            "Condition": {
              "StringEquals": {"aws:PrincipalTag/team": ["red", "blue"], "aws:RequestedRegion": "us-east-1"},
              "IpAddress": {"aws:SourceIp": ["203.0.113.0/24", "2001:DB8:1234:5678::/64"]}
            }}"#,
    );
    let (team, region, ip) = ("aws:PrincipalTag/team=red", "aws:RequestedRegion=us-east-1", "aws:SourceIp=203.0.113.9");
    check(
        &policy,
        &[
            ("ec2:RunInstances", "*", &[team, region, ip], Allowed),
            (
                "ec2:RunInstances",
                "*",
                &["aws:principaltag/team=blue", region, "aws:SourceIp=2001:db8:1234:5678::1"],
                Allowed,
            ),
            ("ec2:RunInstances", "*", &["aws:PrincipalTag/team=green", region, ip], ImplicitlyDenied),
            ("ec2:RunInstances", "*", &[team, "aws:RequestedRegion=us-east-2", ip], ImplicitlyDenied),
            ("ec2:RunInstances", "*", &[team, region, "aws:SourceIp=203.0.114.9"], ImplicitlyDenied),
            ("ec2:RunInstances", "*", &[team, region], ImplicitlyDenied),
            ("ec2:RunInstances", "*", &[team, ip], ImplicitlyDenied),
            ("ec2:RunInstances", "*", &[], ImplicitlyDenied),
        ],
    );
}

/// reference_policies_elements_condition_operators, IfExists: launching needs more resources than the instance.
#[test]
fn if_exists_lets_other_resources_pass() {
    let types = |operator: &str| {
        statement(&format!(
            r#"{{"Effect": "Allow", "Action": "ec2:RunInstances", "Resource": "*",
                 "Condition": {{"{operator}": {{"ec2:InstanceType": ["t1.*", "t2.*", "m3.*"]}}}}}}"#
        ))
    };
    let instance = "arn:aws:ec2:us-east-1:123456789012:instance/*";
    let image = "arn:aws:ec2:us-east-1::image/ami-1";
    check(
        &types("StringLike"),
        &[
            ("ec2:RunInstances", instance, &["ec2:InstanceType=t2.micro"], Allowed),
            ("ec2:RunInstances", image, &[], ImplicitlyDenied),
        ],
    );
    check(
        &types("StringLikeIfExists"),
        &[
            ("ec2:RunInstances", instance, &["ec2:InstanceType=t2.micro"], Allowed),
            ("ec2:RunInstances", instance, &["ec2:InstanceType=c5.large"], ImplicitlyDenied),
            ("ec2:RunInstances", image, &[], Allowed),
        ],
    );
}

/// reference_policies_multi-value-conditions (DynamoDB attributes).
#[test]
fn sets_of_values() {
    let of = |effect: &str, quantifier: &str, values: &str| {
        statement(&format!(
            r#"[{{"Effect": "Allow", "Action": "dynamodb:PutItem", "Resource": "*"}},
                {{"Effect": "{effect}", "Action": ["dynamodb:GetItem", "dynamodb:PutItem"],
                 "Resource": "arn:aws:dynamodb:us-east-1:123456789012:table/Thread",
                 "Condition": {{"{quantifier}:StringLike": {{"dynamodb:requestedAttributes": {values}}}}}}}]"#
        ))
    };
    let table = "arn:aws:dynamodb:us-east-1:123456789012:table/Thread";
    let (post, message, id, user) = (
        "dynamodb:requestedAttributes=PostDateTime",
        "dynamodb:requestedAttributes=Message",
        "dynamodb:requestedAttributes=ID",
        "dynamodb:requestedAttributes=UserName",
    );
    check(
        &of("Allow", "ForAllValues", r#"["PostDateTime", "Message", "Tags"]"#),
        &[
            ("dynamodb:GetItem", table, &[post, message], Allowed),
            ("dynamodb:GetItem", table, &[post, message, id], ImplicitlyDenied),
            ("dynamodb:GetItem", table, &[post, user], ImplicitlyDenied),
            ("dynamodb:GetItem", table, &[], Allowed),
            ("dynamodb:GetItem", table, &["dynamodb:requestedAttributes="], Allowed),
        ],
    );
    check(
        &of("Deny", "ForAnyValue", r#"["ID", "PostDateTime"]"#),
        &[
            ("dynamodb:PutItem", table, &[user, message, post], ExplicitlyDenied),
            ("dynamodb:PutItem", table, &[user], Allowed),
            ("dynamodb:PutItem", table, &[], Allowed),
        ],
    );
}

/// reference_policies_condition_examples-multi-valued-context-keys: tag keys, with the check that there are any.
#[test]
fn a_null_check_beside_for_all_values() {
    let policy = statement(
        r#"[{"Effect": "Allow", "Action": "iam:*", "Resource": "*"},
            {"Effect": "Deny", "Action": ["iam:Tag*", "iam:UnTag*"], "Resource": ["*"],
             "Condition": {"Null": {"aws:TagKeys": "false"}, "ForAllValues:StringLike": {"aws:TagKeys": ["key1*", "key2*"]}}}]"#,
    );
    check(
        &policy,
        &[
            ("iam:TagUser", "*", &["aws:TagKeys=key1", "aws:TagKeys=key2x"], ExplicitlyDenied),
            ("iam:UntagRole", "*", &["aws:TagKeys=key1"], ExplicitlyDenied),
            ("iam:TagUser", "*", &["aws:TagKeys=key1", "aws:TagKeys=other"], Allowed),
            ("iam:TagUser", "*", &[], Allowed),
            ("iam:GetUser", "*", &["aws:TagKeys=key1"], Allowed),
        ],
    );
}

/// reference_policies_evaluation-logic: identity policies together, a session policy on top.
#[test]
fn a_session_policy_intersects() {
    let full = statement(r#"{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}"#);
    let read = statement(r#"{"Effect": "Allow", "Action": "s3:Get*", "Resource": "arn:aws:s3:::b/*"}"#);
    let queues = statement(r#"{"Effect": "Allow", "Action": "sqs:*", "Resource": "*"}"#);
    let no_delete = statement(
        r#"[{"Effect": "Allow", "Action": "*", "Resource": "*"}, {"Effect": "Deny", "Action": "s3:Delete*", "Resource": "*"}]"#,
    );
    let deny = statement(r#"{"Effect": "Deny", "Action": "*", "Resource": "*"}"#);
    let context = Context::new();
    let get = AccessRequest { action: "s3:GetObject", resource: "arn:aws:s3:::b/k", context: &context };
    let delete = AccessRequest { action: "s3:DeleteObject", ..get };
    let send = AccessRequest { action: "sqs:SendMessage", resource: "arn:aws:sqs:us-east-1:123456789012:q", ..get };
    let rows: &[(&[&PolicyDocument], Option<&PolicyDocument>, &AccessRequest<'_>, Decision)] = &[
        (&[], None, &get, ImplicitlyDenied),
        (&[], Some(&full), &get, ImplicitlyDenied),
        (&[&full], None, &get, Allowed),
        (&[&queues, &full], None, &get, Allowed),
        (&[&queues], None, &get, ImplicitlyDenied),
        (&[&full], Some(&read), &get, Allowed),
        (&[&read], Some(&full), &get, Allowed),
        (&[&full], Some(&read), &delete, ImplicitlyDenied),
        (&[&read], Some(&full), &delete, ImplicitlyDenied),
        (&[&full], Some(&queues), &get, ImplicitlyDenied),
        (&[&full], Some(&queues), &send, ImplicitlyDenied),
        (&[&full, &queues], Some(&queues), &send, Allowed),
        (&[&full], Some(&no_delete), &delete, ExplicitlyDenied),
        (&[&full, &no_delete], None, &delete, ExplicitlyDenied),
        (&[&no_delete, &full], None, &delete, ExplicitlyDenied),
        (&[&full, &no_delete], Some(&full), &get, Allowed),
        (&[&full], Some(&deny), &get, ExplicitlyDenied),
        (&[&full, &deny], Some(&full), &get, ExplicitlyDenied),
        (&[&queues], Some(&deny), &get, ExplicitlyDenied),
    ];
    for (at, (identity, session, request, expected)) in rows.iter().enumerate() {
        assert_eq!(evaluate(identity.iter().copied(), *session, request), *expected, "row {at}");
    }
}

/// What `AmazonS3FullAccess` and `AmazonS3ReadOnlyAccess` say.
#[test]
fn managed_policies() {
    let full = policy(
        r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ["s3:*", "s3-object-lambda:*"], "Resource": "*"}]}"#,
    );
    let read_only = policy(
        r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Allow",
            "Action": ["s3:Get*", "s3:List*", "s3:Describe*", "s3-object-lambda:Get*", "s3-object-lambda:List*"], "Resource": "*"}]}"#,
    );
    for (action, by_full, by_read_only) in [
        ("s3:GetObject", Allowed, Allowed),
        ("s3:ListAllMyBuckets", Allowed, Allowed),
        ("s3:PutObject", Allowed, ImplicitlyDenied),
        ("s3-object-lambda:GetObject", Allowed, Allowed),
        ("s3express:CreateSession", ImplicitlyDenied, ImplicitlyDenied),
        ("sts:AssumeRole", ImplicitlyDenied, ImplicitlyDenied),
    ] {
        assert_eq!(decide(&full, action, "*", &[]), by_full, "{action}");
        assert_eq!(decide(&read_only, action, "*", &[]), by_read_only, "{action}");
    }
}

#[test]
fn a_policy_tells_the_keys_that_it_looks_at() {
    let policy = statement(
        r#"[{"Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::b/${aws:PrincipalTag/Team}/${aws:userid, 'x'}",
             "Condition": {"StringLike": {"S3:prefix": "${aws:username}/*"}, "ArnLike": {"aws:SourceArn": "arn:aws:s3:::${s3:y}"},
                           "Null": {"aws:username": "true"}}}]"#,
    );
    assert_eq!(
        policy.context_keys(),
        ["aws:principaltag/team", "aws:sourcearn", "aws:userid", "aws:username", "s3:prefix", "s3:y"]
    );
    assert!(context(&["S3:PREFIX=a"]).value(&policy.context_keys()[4]).is_some());
}
