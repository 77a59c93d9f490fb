//! The roles file: read whole or refused whole, with the place of what is wrong.

use rolebox_local_aws::{Roles, RolesError};

const TRUST: &str = r#""trustPolicy": {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::123456789012:root"}, "Action": "sts:AssumeRole"}]}"#;

fn role(rest: &str) -> String {
    format!(r#"{{"roles": [{{"name": "task", {TRUST}{rest}}}]}}"#)
}

fn statement(statement: &str) -> String {
    role(&format!(r#", "policies": [{{"Version": "2012-10-17", "Statement": [{statement}]}}]"#))
}

#[test]
fn a_role_needs_a_name_and_a_trust_policy_and_nothing_else() {
    let roles = Roles::from_json(&role("")).unwrap();
    assert_eq!(roles.arns().collect::<Vec<_>>(), ["arn:aws:iam::123456789012:role/task"]);
    assert_eq!(Roles::from_json(r#"{"roles": []}"#).unwrap().arns().count(), 0);
    assert_eq!(Roles::none().arns().count(), 0);
    let whole = role(
        r#", "maxSessionDuration": 43200, "managedPolicyArns": ["arn:aws:iam::aws:policy/AmazonS3FullAccess", "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"]"#,
    );
    Roles::from_json(&whole).unwrap();
}

#[test]
fn what_is_not_understood_is_refused_with_its_place() {
    let allow = r#""Effect":"Allow","Action":"s3:*","Resource":"*""#;
    let cases: Vec<(&str, String, &str)> = vec![
        ("not json", "{".into(), "$"),
        ("empty", "".into(), "$"),
        ("a list", "[]".into(), "$"),
        ("text behind", format!("{} x", role("")), "$"),
        ("no roles", "{}".into(), "$"),
        ("an unknown key", r#"{"roles": [], "users": []}"#.into(), "$.users"),
        ("roles that are no list", r#"{"roles": {}}"#.into(), "$.roles"),
        ("no name", format!(r#"{{"roles": [{{{TRUST}}}]}}"#), "$.roles[0]"),
        ("no trust policy", r#"{"roles": [{"name": "task"}]}"#.into(), "$.roles[0]"),
        ("an unknown key of a role", role(r#", "permissionsBoundary": "arn"#), "$.roles[0]"),
        ("a known key misspelt", role(r#", "managedPolicies": []"#), "$.roles[0]"),
        ("a doubled key", role(r#", "name": "other""#), "$.roles[0]"),
        ("a managed policy that is not shipped", role(r#", "managedPolicyArns": ["arn:aws:iam::aws:policy/AdministratorAccess"]"#), "$.roles[0].managedPolicyArns[0]"),
        ("a managed policy of another partition", role(r#", "managedPolicyArns": ["arn:aws-cn:iam::aws:policy/AmazonS3FullAccess"]"#), "$.roles[0].managedPolicyArns[0]"),
        ("too short a maximum", role(r#", "maxSessionDuration": 3599"#), "$.roles[0].maxSessionDuration"),
        ("too long a maximum", role(r#", "maxSessionDuration": 43201"#), "$.roles[0].maxSessionDuration"),
        ("a policy without statements", role(r#", "policies": [{"Version": "2012-10-17"}]"#), "$.roles[0].policies[0]"),
        ("a policy that is text", role(r#", "policies": ["{}"]"#), "$.roles[0].policies[0]"),
        ("an unknown element", statement(&format!(r#"{{{allow},"Foo":1}}"#)), "$.roles[0].policies[0]"),
        ("an unknown version", role(r#", "policies": [{"Version": "2030-01-01", "Statement": []}]"#), "$.roles[0].policies[0]"),
        ("an unknown effect", statement(r#"{"Effect":"Maybe","Action":"s3:*","Resource":"*"}"#), "$.roles[0].policies[0]"),
        ("a principal in an identity policy", statement(&format!(r#"{{{allow},"Principal":"*"}}"#)), "$.roles[0].policies[0]"),
        ("no resource", statement(r#"{"Effect":"Allow","Action":"s3:*"}"#), "$.roles[0].policies[0]"),
        ("an unknown operator", statement(&format!(r#"{{{allow},"Condition":{{"StringSounds":{{"s3:prefix":"a"}}}}}}"#)), "$.roles[0].policies[0]"),
        ("a doubled element", statement(&format!(r#"{{{allow},"Effect":"Deny"}}"#)), "$.roles[0].policies[0]"),
        ("an unknown condition key", statement(&format!(r#"{{{allow},"Condition":{{"StringEquals":{{"aws:Invented":"a"}}}}}}"#)), "$.roles[0].policies[0]"),
        ("an unknown key of s3", statement(&format!(r#"{{{allow},"Condition":{{"StringEquals":{{"s3:TlsVersion":"1.2"}}}}}}"#)), "$.roles[0].policies[0]"),
        ("an unknown variable", statement(r#"{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::${aws:Invented}/*"}"#), "$.roles[0].policies[0]"),
        ("a trust policy with a resource", r#"{"roles": [{"name": "task", "trustPolicy": {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole", "Resource": "*"}]}}]}"#.into(), "$.roles[0].trustPolicy"),
        ("a trust policy without a principal", r#"{"roles": [{"name": "task", "trustPolicy": {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole"}]}}]}"#.into(), "$.roles[0].trustPolicy"),
        ("a trust policy with an unknown key", r#"{"roles": [{"name": "task", "trustPolicy": {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole", "Condition": {"StringEquals": {"sts:Invented": "a"}}}]}}]}"#.into(), "$.roles[0].trustPolicy"),
    ];
    for (name, text, path) in cases {
        let error = Roles::from_json(&text).expect_err(name);
        assert!(error.to_string().contains(&format!("`{path}")), "{name}: {error}");
    }
}

#[test]
fn names_are_those_that_iam_takes_and_differ() {
    for name in ["", "a/b", "a b", "ä", &"a".repeat(65), "a:b", "a*"] {
        let text = role("").replace(r#""name": "task""#, &format!(r#""name": "{name}""#));
        assert!(matches!(Roles::from_json(&text), Err(RolesError::Name { .. })), "{name}");
    }
    let twice = format!(r#"{{"roles": [{{"name": "task", {TRUST}}}, {{"name": "task", {TRUST}}}]}}"#);
    let error = Roles::from_json(&twice).unwrap_err();
    assert!(error.to_string().contains("`$.roles[1].name`"), "{error}");
    Roles::from_json(&role("").replace(r#""task""#, r#""A-z_0.9+=,@""#)).unwrap();
}

#[test]
fn keys_of_services_that_are_not_embedded_are_taken() {
    let text = statement(
        r#"{"Effect":"Allow","Action":"dynamodb:GetItem","Resource":"*","Condition":{"ForAllValues:StringEquals":{"dynamodb:LeadingKeys":["a"]}}}"#,
    );
    Roles::from_json(&text).unwrap();
}
