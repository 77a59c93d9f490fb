//! Policy documents that are refused, and where the error points.

use rolebox_policy::{PolicyDocument, TrustPolicy};

const OK: &str = r#""Effect": "Allow", "Action": "s3:GetObject", "Resource": "*""#;

/// Rows: a document, the path that the error names, and a part of what it says.
fn documents() -> Vec<(String, &'static str, &'static str)> {
    let mut rows: Vec<(String, &str, &str)> = [
        // Not a document.
        ("", "$", "not JSON"),
        ("nonsense", "$", "not JSON"),
        ("{", "$", "not JSON"),
        (r#"{"Statement": []} x"#, "$", "not JSON"),
        ("[]", "$", "a list, not an object"),
        ("null", "$", "null, not an object"),
        (r#""text""#, "$", "a string, not an object"),
        ("{}", "$", "has no `Statement`"),
        (r#"{"Version": "2012-10-17"}"#, "$", "has no `Statement`"),
        (r#"{"Statement": []}"#, "$.Statement", "empty"),
        (r#"{"Statement": "x"}"#, "$.Statement", "a string"),
        (r#"{"Statement": null}"#, "$.Statement", "null"),
        (r#"{"Statement": ["x"]}"#, "$.Statement[0]", "a string"),
        (r#"{"Statement": [{OK}, 1]}"#, "$.Statement[1]", "a number"),
        // Versions.
        (r#"{"Version": "2012-10-18", "Statement": {OK}}"#, "$.Version", "2012-10-17"),
        (r#"{"Version": "2020-01-01", "Statement": {OK}}"#, "$.Version", "neither"),
        (r#"{"Version": "", "Statement": {OK}}"#, "$.Version", "neither"),
        (r#"{"Version": 2012, "Statement": {OK}}"#, "$.Version", "a number"),
        (r#"{"Version": null, "Statement": {OK}}"#, "$.Version", "null"),
        // Elements that are unknown, misspelt, or twice there.
        (r#"{"version": "2012-10-17", "Statement": {OK}}"#, "$.version", "not an element"),
        (r#"{"Statement": {OK}, "statement": {OK}}"#, "$.statement", "not an element"),
        (r#"{"Statement": {OK}, "Statements": {OK}}"#, "$.Statements", "not an element"),
        (r#"{"Statement": {OK}, "Statement": {OK}}"#, "$.Statement", "twice"),
        (r#"{"Version": "2012-10-17", "Version": "2008-10-17", "Statement": {OK}}"#, "$.Version", "twice"),
        (r#"{"Id": 1, "Statement": {OK}}"#, "$.Id", "a number"),
    ]
    .map(|(text, path, part)| (text.replace("{OK}", &format!("{{{OK}}}")), path, part))
    .into();
    rows.extend(STATEMENTS.iter().map(|(statement, path, part)| {
        let text = format!(r#"{{"Version": "2012-10-17", "Statement": [{{{OK}}}, {{{statement}}}]}}"#);
        (text, *path, *part)
    }));
    rows.extend(CONDITIONS.iter().map(|(condition, path, part)| {
        let text = format!(r#"{{"Version": "2012-10-17", "Statement": [{{{OK}, "Condition": {condition}}}]}}"#);
        (text, *path, *part)
    }));
    rows
}

/// The second statement of a document.
const STATEMENTS: &[(&str, &str, &str)] = &[
    ("", "$.Statement[1]", "has no `Effect`"),
    (r#""Effect": "Allow""#, "$.Statement[1]", "has no `Action`"),
    (r#""Effect": "Allow", "Action": "s3:GetObject""#, "$.Statement[1]", "has no `Resource`"),
    (r#""Action": "s3:GetObject", "Resource": "*""#, "$.Statement[1]", "has no `Effect`"),
    // Effects.
    (r#""Effect": "allow", "Action": "s3:GetObject", "Resource": "*""#, "$.Statement[1].Effect", "neither"),
    (r#""Effect": "DENY", "Action": "s3:GetObject", "Resource": "*""#, "$.Statement[1].Effect", "neither"),
    (r#""Effect": "", "Action": "s3:GetObject", "Resource": "*""#, "$.Statement[1].Effect", "neither"),
    (r#""Effect": ["Allow"], "Action": "s3:GetObject", "Resource": "*""#, "$.Statement[1].Effect", "a list"),
    (
        r#""Effect": "Deny", "Effect": "Allow", "Action": "s3:GetObject", "Resource": "*""#,
        "$.Statement[1].Effect",
        "twice",
    ),
    // Elements.
    (
        r#""Effect": "Allow", "Action": "s3:GetObject", "Resource": "*", "effect": "Deny""#,
        "$.Statement[1].effect",
        "not an element",
    ),
    (
        r#""Effect": "Allow", "Action": "s3:GetObject", "Resource": "*", "Conditions": {}"#,
        "$.Statement[1].Conditions",
        "not an element",
    ),
    (
        r#""Effect": "Allow", "Action": "s3:GetObject", "Resource": "*", "a b": 1"#,
        r#"$.Statement[1]["a b"]"#,
        "not an element",
    ),
    (
        r#""Effect": "Allow", "Action": "s3:GetObject", "Resource": "*", "Principal": "*""#,
        "$.Statement[1].Principal",
        "not an element",
    ),
    (
        r#""Effect": "Allow", "Action": "s3:GetObject", "Resource": "*", "NotPrincipal": "*""#,
        "$.Statement[1].NotPrincipal",
        "not an element",
    ),
    (
        r#""Effect": "Allow", "Action": "s3:GetObject", "NotAction": "s3:PutObject", "Resource": "*""#,
        "$.Statement[1].NotAction",
        "stands beside",
    ),
    (
        r#""Effect": "Allow", "Action": "s3:GetObject", "Resource": "*", "NotResource": "arn:aws:s3:::b""#,
        "$.Statement[1].NotResource",
        "stands beside",
    ),
    (r#""Sid": 1, "Effect": "Allow", "Action": "s3:GetObject", "Resource": "*""#, "$.Statement[1].Sid", "a number"),
    // Actions.
    (r#""Effect": "Allow", "Action": [], "Resource": "*""#, "$.Statement[1].Action", "empty list"),
    (r#""Effect": "Allow", "Action": null, "Resource": "*""#, "$.Statement[1].Action", "null"),
    (r#""Effect": "Allow", "Action": {}, "Resource": "*""#, "$.Statement[1].Action", "an object"),
    (r#""Effect": "Allow", "Action": "", "Resource": "*""#, "$.Statement[1].Action", "not an action"),
    (r#""Effect": "Allow", "Action": "GetObject", "Resource": "*""#, "$.Statement[1].Action", "not an action"),
    (r#""Effect": "Allow", "Action": "s3:", "Resource": "*""#, "$.Statement[1].Action", "not an action"),
    (r#""Effect": "Allow", "Action": "s*:GetObject", "Resource": "*""#, "$.Statement[1].Action", "wildcard"),
    (r#""Effect": "Allow", "Action": "*:*", "Resource": "*""#, "$.Statement[1].Action", "wildcard"),
    (r#""Effect": "Allow", "Action": "**", "Resource": "*""#, "$.Statement[1].Action", "not an action"),
    (r#""Effect": "Allow", "Action": "s3:Get Object", "Resource": "*""#, "$.Statement[1].Action", "not an action"),
    (r#""Effect": "Allow", "Action": "s3:${aws:username}", "Resource": "*""#, "$.Statement[1].Action", "not an action"),
    (r#""Effect": "Allow", "Action": ["s3:GetObject", "s3"], "Resource": "*""#, "$.Statement[1].Action[1]", "`s3`"),
    (
        r#""Effect": "Allow", "Action": ["s3:GetObject", ["s3:PutObject"]], "Resource": "*""#,
        "$.Statement[1].Action[1]",
        "a list",
    ),
    (r#""Effect": "Allow", "NotAction": "x", "Resource": "*""#, "$.Statement[1].NotAction", "not an action"),
    // Resources.
    (r#""Effect": "Allow", "Action": "s3:GetObject", "Resource": []"#, "$.Statement[1].Resource", "empty list"),
    (
        r#""Effect": "Allow", "Action": "s3:GetObject", "Resource": """#,
        "$.Statement[1].Resource",
        "neither `*` nor an ARN",
    ),
    (
        r#""Effect": "Allow", "Action": "s3:GetObject", "Resource": "bucket/*""#,
        "$.Statement[1].Resource",
        "neither `*` nor an ARN",
    ),
    (
        r#""Effect": "Allow", "Action": "s3:GetObject", "Resource": "**""#,
        "$.Statement[1].Resource",
        "neither `*` nor an ARN",
    ),
    (r#""Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:*""#, "$.Statement[1].Resource", "service"),
    (r#""Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3""#, "$.Statement[1].Resource", "service"),
    (
        r#""Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:*:::b""#,
        "$.Statement[1].Resource",
        "no wildcard",
    ),
    (
        r#""Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s?:::b""#,
        "$.Statement[1].Resource",
        "no wildcard",
    ),
    (
        r#""Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn::s3:::b""#,
        "$.Statement[1].Resource",
        "nor an ARN",
    ),
    (
        r#""Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:sqs:us-east-1:${aws:PrincipalAccount}:q""#,
        "$.Statement[1].Resource",
        "fifth colon",
    ),
    (
        r#""Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:${s3:x}:s3:::b""#,
        "$.Statement[1].Resource",
        "service",
    ),
    (
        r#""Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/${aws:username""#,
        "$.Statement[1].Resource",
        "policy variable",
    ),
    (
        r#""Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/${username}""#,
        "$.Statement[1].Resource",
        "policy variable",
    ),
    (r#""Effect": "Allow", "Action": "s3:GetObject", "Resource": ["*", 1]"#, "$.Statement[1].Resource[1]", "a number"),
    (r#""Effect": "Deny", "Action": "s3:GetObject", "NotResource": "b""#, "$.Statement[1].NotResource", "nor an ARN"),
];

/// The condition block of the one statement of a document.
const CONDITIONS: &[(&str, &str, &str)] = &[
    ("[]", "$.Statement[0].Condition", "a list"),
    (r#""x""#, "$.Statement[0].Condition", "a string"),
    (r#"{"StringEquals": "x"}"#, "$.Statement[0].Condition.StringEquals", "a string"),
    (
        r#"{"StringEquals": {"aws:a": "x"}, "StringEquals": {"aws:b": "x"}}"#,
        "$.Statement[0].Condition.StringEquals",
        "twice",
    ),
    (r#"{"StringEquals": {"aws:a": "x", "aws:a": "y"}}"#, r#"$.Statement[0].Condition.StringEquals["aws:a"]"#, "twice"),
    (r#"{"StringEquals": {"aws:a": "x", "AWS:A": "y"}}"#, r#"$.Statement[0].Condition.StringEquals["AWS:A"]"#, "twice"),
    // Operators.
    (r#"{"StringMatches": {"aws:a": "x"}}"#, "$.Statement[0].Condition.StringMatches", "operator"),
    (r#"{"stringEquals": {"aws:a": "x"}}"#, "$.Statement[0].Condition.stringEquals", "operator"),
    (r#"{"StringEqual": {"aws:a": "x"}}"#, "$.Statement[0].Condition.StringEqual", "operator"),
    (r#"{"IfExists": {"aws:a": "x"}}"#, "$.Statement[0].Condition.IfExists", "operator"),
    (
        r#"{"StringEqualsIfExistsIfExists": {"aws:a": "x"}}"#,
        "$.Statement[0].Condition.StringEqualsIfExistsIfExists",
        "operator",
    ),
    (r#"{"NullIfExists": {"aws:a": "true"}}"#, "$.Statement[0].Condition.NullIfExists", "operator"),
    (r#"{"ForAllValues:Null": {"aws:a": "true"}}"#, r#"$.Statement[0].Condition["ForAllValues:Null"]"#, "operator"),
    (r#"{"ForAll:StringEquals": {"aws:a": "x"}}"#, r#"$.Statement[0].Condition["ForAll:StringEquals"]"#, "operator"),
    (
        r#"{"forAnyValue:StringEquals": {"aws:a": "x"}}"#,
        r#"$.Statement[0].Condition["forAnyValue:StringEquals"]"#,
        "operator",
    ),
    (
        r#"{"ForAllValues:ForAnyValue:StringEquals": {"aws:a": "x"}}"#,
        r#"$.Statement[0].Condition["ForAllValues:ForAnyValue:StringEquals"]"#,
        "operator",
    ),
    (r#"{"BinaryEquals": {"aws:a": "eA=="}}"#, "$.Statement[0].Condition.BinaryEquals", "operator"),
    (r#"{"": {"aws:a": "x"}}"#, r#"$.Statement[0].Condition[""]"#, "operator"),
    // Keys.
    (r#"{"StringEquals": {"a": "x"}}"#, "$.Statement[0].Condition.StringEquals.a", "condition key"),
    (r#"{"StringEquals": {"": "x"}}"#, r#"$.Statement[0].Condition.StringEquals[""]"#, "condition key"),
    (r#"{"StringEquals": {"aws:": "x"}}"#, r#"$.Statement[0].Condition.StringEquals["aws:"]"#, "condition key"),
    (r#"{"StringEquals": {"aws:a*": "x"}}"#, r#"$.Statement[0].Condition.StringEquals["aws:a*"]"#, "condition key"),
    (r#"{"StringEquals": {"${aws:a}": "x"}}"#, r#"$.Statement[0].Condition.StringEquals["${aws:a}"]"#, "condition key"),
    // Values.
    (r#"{"StringEquals": {"aws:a": []}}"#, r#"$.Statement[0].Condition.StringEquals["aws:a"]"#, "empty list"),
    (r#"{"StringEquals": {"aws:a": null}}"#, r#"$.Statement[0].Condition.StringEquals["aws:a"]"#, "null"),
    (r#"{"StringEquals": {"aws:a": {}}}"#, r#"$.Statement[0].Condition.StringEquals["aws:a"]"#, "an object"),
    (r#"{"StringEquals": {"aws:a": ["x", ["y"]]}}"#, r#"$.Statement[0].Condition.StringEquals["aws:a"]"#, "a list"),
    (r#"{"StringEquals": {"aws:a": "${x"}}"#, r#"$.Statement[0].Condition.StringEquals["aws:a"]"#, "policy variable"),
    (r#"{"StringLike": {"aws:a": ["ok", "${}"]}}"#, r#"$.Statement[0].Condition.StringLike["aws:a"]"#, "`${}`"),
    (r#"{"NumericEquals": {"aws:a": "ten"}}"#, r#"$.Statement[0].Condition.NumericEquals["aws:a"]"#, "decimal number"),
    (r#"{"NumericEquals": {"aws:a": "1e3"}}"#, r#"$.Statement[0].Condition.NumericEquals["aws:a"]"#, "decimal number"),
    (r#"{"NumericLessThan": {"aws:a": ""}}"#, r#"$.Statement[0].Condition.NumericLessThan["aws:a"]"#, "decimal number"),
    (
        r#"{"NumericLessThan": {"aws:a": "${aws:b}"}}"#,
        r#"$.Statement[0].Condition.NumericLessThan["aws:a"]"#,
        "decimal number",
    ),
    (r#"{"DateEquals": {"aws:a": "tomorrow"}}"#, r#"$.Statement[0].Condition.DateEquals["aws:a"]"#, "date"),
    (r#"{"DateEquals": {"aws:a": "2020-13-01"}}"#, r#"$.Statement[0].Condition.DateEquals["aws:a"]"#, "date"),
    (
        r#"{"DateGreaterThan": {"aws:a": "2020-01-01*"}}"#,
        r#"$.Statement[0].Condition.DateGreaterThan["aws:a"]"#,
        "date",
    ),
    (r#"{"Bool": {"aws:a": "yes"}}"#, r#"$.Statement[0].Condition.Bool["aws:a"]"#, "`true`"),
    (r#"{"Bool": {"aws:a": 1}}"#, r#"$.Statement[0].Condition.Bool["aws:a"]"#, "`true`"),
    (r#"{"Bool": {"aws:a": "${aws:b}"}}"#, r#"$.Statement[0].Condition.Bool["aws:a"]"#, "`true`"),
    (r#"{"Null": {"aws:a": "maybe"}}"#, r#"$.Statement[0].Condition.Null["aws:a"]"#, "`true`"),
    (r#"{"Null": {"aws:a": ["true", "false"]}}"#, r#"$.Statement[0].Condition.Null["aws:a"]"#, "too many"),
    (r#"{"IpAddress": {"aws:a": "10.0.0.0/33"}}"#, r#"$.Statement[0].Condition.IpAddress["aws:a"]"#, "IP address"),
    (r#"{"IpAddress": {"aws:a": "10.0.0.*"}}"#, r#"$.Statement[0].Condition.IpAddress["aws:a"]"#, "IP address"),
    (
        r#"{"NotIpAddress": {"aws:a": "example.com"}}"#,
        r#"$.Statement[0].Condition.NotIpAddress["aws:a"]"#,
        "IP address",
    ),
    (r#"{"ArnEquals": {"aws:a": "role/r"}}"#, r#"$.Statement[0].Condition.ArnEquals["aws:a"]"#, "six parts"),
    (r#"{"ArnLike": {"aws:a": "*"}}"#, r#"$.Statement[0].Condition.ArnLike["aws:a"]"#, "six parts"),
    (r#"{"ArnLike": {"aws:a": "arn:aws:sns:*:*"}}"#, r#"$.Statement[0].Condition.ArnLike["aws:a"]"#, "six parts"),
    (r#"{"ArnLike": {"aws:a": "arn:aws:sns:${aws:b"}}"#, r#"$.Statement[0].Condition.ArnLike["aws:a"]"#, "six parts"),
];

#[test]
fn refused_documents() {
    let rows = documents();
    for (text, path, part) in &rows {
        let error = PolicyDocument::parse(text).expect_err(text);
        assert_eq!(error.path, *path, "{error}\n{text}");
        let message = error.to_string();
        assert!(message.starts_with(&format!("{path}: ")) && message.contains(part), "{message}\n{text}");
        // A trust policy refuses the same, if often for another reason.
        assert!(TrustPolicy::parse(text).is_err(), "{text}");
    }
    println!("{} policy documents refused", rows.len());
}

#[test]
fn two_statements_of_one_name() {
    let text = |second: &str| {
        format!(
            r#"{{"Statement": [{{"Sid": "A", {OK}}}, {{"Sid": "", {OK}}}, {{"Sid": "", {OK}}}, {{"Sid": "{second}", {OK}}}]}}"#
        )
    };
    assert!(PolicyDocument::parse(&text("B")).is_ok());
    assert_eq!(PolicyDocument::parse(&text("A")).unwrap_err().path, "$.Statement[3].Sid");
}

#[test]
fn what_is_accepted_in_its_several_shapes() {
    for text in [
        format!(r#"{{"Statement": {{{OK}}}}}"#),
        format!(r#"{{"Version": "2008-10-17", "Id": "some policy", "Statement": [{{{OK}}}]}}"#),
        format!(r#"{{"Version": "2012-10-17", "Statement": [{{"Sid": "with spaces 1", {OK}, "Condition": {{}}}}]}}"#),
        format!("\u{20}\n{{\"Statement\":\t[{{{OK}}}]}}\n"),
        r#"{"Statement": {"Effect": "Deny", "NotAction": ["s3:*"], "NotResource": ["arn:*:s3:::b", "arn:aws:s3:*"]}}"#
            .into(),
        r#"{"Statement": {"Effect": "Allow", "Action": "*", "Resource": "arn:aws:s3:::${"}}"#.into(),
    ] {
        PolicyDocument::parse(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    }
}

/// Input that is made to hurt: it ends in an error, soon and without a panic.
#[test]
fn hostile_documents() {
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let nested = format!(r#"{{"Statement": {}1{}}}"#, r#"{"a":"#.repeat(500), "}".repeat(500));
    let long_name = format!(r#"{{"{}": 1}}"#, "x".repeat(1_000_000));
    for text in [deep.as_str(), &nested, &long_name, "\u{0}", "{\"\\ud800\": 1}", "{\"Statement\": 1e999}"] {
        let error = PolicyDocument::parse(text).unwrap_err();
        assert!(error.to_string().len() < 1000, "{}", error.to_string().len());
    }
}
