//! Trust policies: who may assume a role.

use rolebox_policy::Decision::{self, Allowed, ExplicitlyDenied, ImplicitlyDenied};
use rolebox_policy::{AccessRequest, Principal, TrustPolicy};

use crate::support::context;

const HOST: &str = "arn:aws:iam::123456789012:user/host";
const SESSION: &str = "arn:aws:sts::123456789012:assumed-role/host-role/session-1";
const FOREIGN: &str = "arn:aws:iam::999999999999:user/host";

fn aws(arn: &str) -> Principal {
    Principal::Aws(arn.parse().unwrap())
}

fn service(name: &str) -> Principal {
    Principal::Service(name.into())
}

/// One statement with this principal.
fn trusting(principal: &str) -> String {
    format!(
        r#"{{"Version": "2012-10-17", "Statement": [{{"Effect": "Allow", "Principal": {principal}, "Action": "sts:AssumeRole"}}]}}"#
    )
}

#[track_caller]
fn check(text: &str, rows: &[(Principal, &str, &[&str], Decision)]) {
    let policy = TrustPolicy::parse(text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    for (principal, action, pairs, expected) in rows {
        let context = context(pairs);
        let request = AccessRequest { action, resource: "arn:aws:iam::123456789012:role/task", context: &context };
        assert_eq!(policy.evaluate(principal, &request), *expected, "{text}\n{principal:?} {action} {pairs:?}");
    }
}

#[test]
fn principals() {
    let rows: &[(&str, &[&str], &[&str])] = &[
        (r#""*""#, &[HOST, SESSION, FOREIGN], &[]),
        (r#"{"AWS": "*"}"#, &[HOST, SESSION, FOREIGN], &[]),
        (
            r#"{"AWS": "123456789012"}"#,
            &[HOST, SESSION, "arn:aws:iam::123456789012:root", "arn:aws-cn:iam::123456789012:user/host"],
            &[FOREIGN],
        ),
        (
            r#"{"AWS": "arn:aws:iam::123456789012:root"}"#,
            &[HOST, SESSION, "arn:aws:iam::123456789012:root"],
            &[FOREIGN, "arn:aws-cn:iam::123456789012:user/host"],
        ),
        (
            r#"{"AWS": "arn:aws:iam::123456789012:user/host"}"#,
            &[HOST],
            &[SESSION, FOREIGN, "arn:aws:iam::123456789012:user/Host", "arn:aws:iam::123456789012:user/x/host"],
        ),
        (
            r#"{"AWS": "arn:aws:iam::123456789012:role/host-role"}"#,
            &[
                SESSION,
                "arn:aws:sts::123456789012:assumed-role/host-role/other",
                "arn:aws:iam::123456789012:role/host-role",
            ],
            &[
                HOST,
                "arn:aws:sts::999999999999:assumed-role/host-role/session-1",
                "arn:aws:sts::123456789012:assumed-role/host-role-2/session-1",
                "arn:aws:sts::123456789012:assumed-role/other/host-role",
                "arn:aws:sts::123456789012:federated-user/host-role",
                "arn:aws:sqs::123456789012:role/host-role",
            ],
        ),
        // A session's ARN does not tell the role's path.
        (r#"{"AWS": "arn:aws:iam::123456789012:role/service/host-role"}"#, &[SESSION], &[HOST]),
        (
            r#"{"AWS": "arn:aws:sts::123456789012:assumed-role/host-role/session-1"}"#,
            &[SESSION],
            &["arn:aws:sts::123456789012:assumed-role/host-role/session-2", HOST],
        ),
        (r#"{"AWS": ["999999999999", "arn:aws:iam::123456789012:user/host"]}"#, &[HOST, FOREIGN], &[SESSION]),
        (r#"{"Service": "ecs-tasks.amazonaws.com"}"#, &[], &[HOST, SESSION]),
    ];
    for (principal, admitted, refused) in rows {
        let text = trusting(principal);
        for arn in *admitted {
            check(&text, &[(aws(arn), "sts:AssumeRole", &[], Allowed)]);
        }
        for arn in *refused {
            check(&text, &[(aws(arn), "sts:AssumeRole", &[], ImplicitlyDenied)]);
        }
    }
}

#[test]
fn services() {
    check(
        &trusting(r#"{"Service": ["ecs-tasks.amazonaws.com", "lambda.amazonaws.com"]}"#),
        &[
            (service("ecs-tasks.amazonaws.com"), "sts:AssumeRole", &[], Allowed),
            (service("lambda.amazonaws.com"), "sts:AssumeRole", &[], Allowed),
            (service("ecs.amazonaws.com"), "sts:AssumeRole", &[], ImplicitlyDenied),
            (service("ECS-tasks.amazonaws.com"), "sts:AssumeRole", &[], ImplicitlyDenied),
        ],
    );
    // Everybody in an account is not every service.
    check(
        &trusting(r#"{"AWS": "123456789012", "Service": "ec2.amazonaws.com"}"#),
        &[
            (aws(HOST), "sts:AssumeRole", &[], Allowed),
            (service("ec2.amazonaws.com"), "sts:AssumeRole", &[], Allowed),
            (service("ecs-tasks.amazonaws.com"), "sts:AssumeRole", &[], ImplicitlyDenied),
        ],
    );
}

/// An external id, as against a confused deputy: the user guide's page id_roles_common-scenarios_third-party.
#[test]
fn an_external_id() {
    check(
        r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Principal": {"AWS": "123456789012"},
            "Action": "sts:AssumeRole", "Condition": {"StringEquals": {"sts:ExternalId": "12345"}}}}"#,
        &[
            (aws(HOST), "sts:AssumeRole", &["sts:ExternalId=12345"], Allowed),
            (aws(HOST), "sts:AssumeRole", &["sts:ExternalId=54321"], ImplicitlyDenied),
            (aws(HOST), "sts:AssumeRole", &["sts:ExternalId="], ImplicitlyDenied),
            (aws(HOST), "sts:AssumeRole", &[], ImplicitlyDenied),
            (aws(FOREIGN), "sts:AssumeRole", &["sts:ExternalId=12345"], ImplicitlyDenied),
            (aws(HOST), "sts:TagSession", &["sts:ExternalId=12345"], ImplicitlyDenied),
        ],
    );
}

#[test]
fn tags_and_source_identity_need_their_own_actions() {
    let text = |actions: &str| {
        format!(
            r#"{{"Version": "2012-10-17", "Statement": [{{"Effect": "Allow", "Principal": {{"AWS": "{HOST}"}}, "Action": {actions},
                 "Condition": {{"StringLike": {{"sts:RoleSessionName": "task-*"}},
                                "StringEqualsIfExists": {{"sts:SourceIdentity": "rolebox"}},
                                "ForAllValues:StringEquals": {{"aws:TagKeys": ["cluster", "family"]}}}}}}]}}"#
        )
    };
    let (name, source) = ("sts:RoleSessionName=task-1", "sts:SourceIdentity=rolebox");
    let (cluster, other) = ("aws:TagKeys=cluster", "aws:TagKeys=owner");
    check(
        &text(r#"["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"]"#),
        &[
            (aws(HOST), "sts:AssumeRole", &[name], Allowed),
            (aws(HOST), "STS:assumerole", &[name, source, cluster], Allowed),
            (aws(HOST), "sts:TagSession", &[name, cluster], Allowed),
            (aws(HOST), "sts:SetSourceIdentity", &[name, source], Allowed),
            (aws(HOST), "sts:AssumeRole", &["sts:RoleSessionName=x"], ImplicitlyDenied),
            (aws(HOST), "sts:AssumeRole", &[], ImplicitlyDenied),
            (aws(HOST), "sts:SetSourceIdentity", &[name, "sts:SourceIdentity=eve"], ImplicitlyDenied),
            (aws(HOST), "sts:TagSession", &[name, cluster, other], ImplicitlyDenied),
            (aws(HOST), "sts:AssumeRoleWithSAML", &[name], ImplicitlyDenied),
            (aws(SESSION), "sts:AssumeRole", &[name], ImplicitlyDenied),
        ],
    );
    check(
        &text(r#""sts:AssumeRole""#),
        &[
            (aws(HOST), "sts:TagSession", &[name, cluster], ImplicitlyDenied),
            (aws(HOST), "sts:SetSourceIdentity", &[name, source], ImplicitlyDenied),
        ],
    );
    check(&text(r#""sts:*""#), &[(aws(HOST), "sts:TagSession", &[name, cluster], Allowed)]);
}

#[test]
fn an_explicit_deny_comes_first() {
    check(
        &format!(
            r#"{{"Version": "2012-10-17", "Statement": [
                {{"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole"}},
                {{"Effect": "Deny", "Principal": {{"AWS": "{HOST}"}}, "Action": "sts:*"}},
                {{"Effect": "Deny", "Principal": "*", "Action": "sts:AssumeRole", "Condition": {{"Bool": {{"aws:SecureTransport": "false"}}}}}}]}}"#
        ),
        &[
            (aws(HOST), "sts:AssumeRole", &[], ExplicitlyDenied),
            (aws(HOST), "sts:TagSession", &[], ExplicitlyDenied),
            (aws(SESSION), "sts:AssumeRole", &[], Allowed),
            (aws(SESSION), "sts:AssumeRole", &["aws:SecureTransport=false"], ExplicitlyDenied),
            (aws(SESSION), "sts:TagSession", &[], ImplicitlyDenied),
        ],
    );
}

/// Rows: the statement, where the error points, and a part of what it says.
#[test]
fn refusals() {
    let principals = [
        ("{}", "", "no principal"),
        ("[]", "", "a list"),
        ("null", "", "null"),
        (r#""123456789012""#, "", "a string"),
        (r#""arn:aws:iam::123456789012:root""#, "", "a string"),
        (r#"{"AWS": []}"#, ".AWS", "empty list"),
        (r#"{"AWS": 123456789012}"#, ".AWS", "a number"),
        (r#"{"AWS": ""}"#, ".AWS", "not a principal"),
        (r#"{"AWS": "12345678901"}"#, ".AWS", "not a principal"),
        (r#"{"AWS": "arn:aws:iam::123456789012:*"}"#, ".AWS", "without wildcards"),
        (r#"{"AWS": "arn:aws:iam::*:root"}"#, ".AWS", "not a principal"),
        (r#"{"AWS": "arn:aws:iam::123456789012:role/*"}"#, ".AWS", "without wildcards"),
        (r#"{"AWS": "arn:aws:iam::123456789012:role/r?"}"#, ".AWS", "without wildcards"),
        (r#"{"AWS": "arn:aws:iam::123456789012:role/"}"#, ".AWS", "not a principal"),
        (r#"{"AWS": "arn:aws:iam::123456789012:role/a//b"}"#, ".AWS", "not a principal"),
        (r#"{"AWS": "arn:aws:iam::123456789012:group/g"}"#, ".AWS", "not a principal"),
        (r#"{"AWS": "arn:aws:iam:us-east-1:123456789012:user/u"}"#, ".AWS", "not a principal"),
        (r#"{"AWS": "arn:aws:sts::123456789012:assumed-role/r"}"#, ".AWS", "not a principal"),
        (r#"{"AWS": "arn:aws:sts::123456789012:assumed-role/r/s/t"}"#, ".AWS", "not a principal"),
        (r#"{"AWS": "arn:aws:sts::123456789012:assumed-role/r/*"}"#, ".AWS", "without wildcards"),
        (r#"{"AWS": "arn:aws:sts::123456789012:federated-user/u"}"#, ".AWS", "not a principal"),
        (r#"{"AWS": "AROAEXAMPLEID"}"#, ".AWS", "not a principal"),
        (r#"{"AWS": "arn:aws:s3:::bucket"}"#, ".AWS", "not a principal"),
        (r#"{"AWS": "arn:aws:iam::${aws:PrincipalAccount}:root"}"#, ".AWS", "not a principal"),
        (r#"{"AWS": ["123456789012", "x"]}"#, ".AWS[1]", "`x`"),
        (r#"{"Service": "*"}"#, ".Service", "service's principal"),
        (r#"{"Service": "ecs-tasks"}"#, ".Service", "service's principal"),
        (r#"{"Service": "*.amazonaws.com"}"#, ".Service", "service's principal"),
        (r#"{"Service": "ECS.amazonaws.com"}"#, ".Service", "service's principal"),
        (r#"{"Service": ".amazonaws.com"}"#, ".Service", "service's principal"),
        (r#"{"Federated": "cognito-identity.amazonaws.com"}"#, ".Federated", "kind of principal"),
        (r#"{"CanonicalUser": "79a5"}"#, ".CanonicalUser", "kind of principal"),
        (r#"{"aws": "123456789012"}"#, ".aws", "kind of principal"),
        (r#"{"*": "*"}"#, r#"["*"]"#, "kind of principal"),
        (r#"{"AWS": "123456789012", "AWS": "*"}"#, ".AWS", "twice"),
    ];
    let mut rows: Vec<(String, String, &str)> = principals
        .iter()
        .map(|(principal, path, part)| {
            let statement = format!(r#""Effect": "Allow", "Principal": {principal}, "Action": "sts:AssumeRole""#);
            (statement, format!("$.Statement[0].Principal{path}"), *part)
        })
        .collect();
    for (statement, path, part) in [
        (r#""Effect": "Allow", "Action": "sts:AssumeRole""#, "", "has no `Principal`"),
        (r#""Effect": "Allow", "NotPrincipal": "*", "Action": "sts:AssumeRole""#, ".NotPrincipal", "not an element"),
        (
            r#""Effect": "Allow", "Principal": "*", "NotPrincipal": "*", "Action": "sts:AssumeRole""#,
            ".NotPrincipal",
            "not an element",
        ),
        (
            r#""Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole", "Resource": "*""#,
            ".Resource",
            "not an element",
        ),
        (r#""Effect": "Allow", "Principal": "*", "NotAction": "sts:AssumeRole""#, ".NotAction", "not an element"),
        (r#""Effect": "Allow", "Principal": "*""#, "", "has no `Action`"),
        (r#""Principal": "*", "Action": "sts:AssumeRole""#, "", "has no `Effect`"),
        (r#""Effect": "Allow", "Principal": "*", "Action": "s3:GetObject""#, ".Action", "STS"),
        (r#""Effect": "Allow", "Principal": "*", "Action": ["sts:AssumeRole", "iam:PassRole"]"#, ".Action[1]", "STS"),
        (
            r#""Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole", "Condition": {"StringSame": {"sts:ExternalId": "x"}}"#,
            ".Condition.StringSame",
            "operator",
        ),
        (
            r#""Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole", "Condition": {"StringEquals": {"ExternalId": "x"}}"#,
            ".Condition.StringEquals.ExternalId",
            "condition key",
        ),
    ] {
        rows.push((statement.into(), format!("$.Statement[0]{path}"), part));
    }
    for (statement, path, part) in &rows {
        let text = format!(r#"{{"Version": "2012-10-17", "Statement": [{{{statement}}}]}}"#);
        let error = TrustPolicy::parse(&text).expect_err(&text);
        assert_eq!(error.path, *path, "{error}\n{text}");
        assert!(error.to_string().contains(part), "{error}\n{text}");
    }
    println!("{} trust policies refused", rows.len());
}

#[test]
fn a_trust_policy_tells_the_keys_that_it_looks_at() {
    let policy = TrustPolicy::parse(
        r#"{"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole",
             "Condition": {"StringEquals": {"sts:ExternalId": "${aws:PrincipalTag/x}"}}},
            {"Effect": "Deny", "Principal": "*", "Action": "sts:AssumeRole",
             "Condition": {"Null": {"STS:externalid": "true"}}}]}"#,
    )
    .unwrap();
    assert_eq!(policy.context_keys(), ["aws:principaltag/x", "sts:externalid"]);
}
