//! Every operator against present, absent and several values
//! (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html>).

use rolebox_policy::Decision;

use crate::support::{decide, statement};

/// Whether a condition holds. The context's values of `aws:k` are separated by `|`; none is absence.
fn holds(operator: &str, values: &str, request: Option<&str>) -> bool {
    let policy = statement(&format!(
        r#"{{"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {{"{operator}": {{"aws:k": {values}}}}}}}"#
    ));
    let mut pairs: Vec<String> =
        request.map(|values| values.split('|').map(|value| format!("aws:K={value}")).collect()).unwrap_or_default();
    pairs.extend(["aws:username=bob", "aws:star=*", "aws:arn=arn:aws:iam::123456789012:user/x:y"].map(str::to_owned));
    let pairs: Vec<&str> = pairs.iter().map(String::as_str).collect();
    decide(&policy, "s3:GetObject", "*", &pairs) == Decision::Allowed
}

/// Rows: operator, its values, the request's values, whether it holds. The negated operator must say the opposite, and
/// with IfExists the same but for absence.
const PLAIN: &[(&str, &str, &str, bool)] = &[
    // Strings are exact and wildcards are text.
    ("StringEquals", r#""a""#, "a", true),
    ("StringEquals", r#""a""#, "A", false),
    ("StringEquals", r#""a""#, "ab", false),
    ("StringEquals", r#""a""#, "", false),
    ("StringEquals", r#""""#, "", true),
    ("StringEquals", r#"["a", "b"]"#, "b", true),
    ("StringEquals", r#"["a", "b"]"#, "c", false),
    ("StringEquals", r#""a*""#, "ab", false),
    ("StringEquals", r#""a*""#, "a*", true),
    ("StringEquals", r#""?""#, "x", false),
    ("StringEquals", r#""${aws:username}""#, "bob", true),
    ("StringEquals", r#""${aws:username}""#, "eve", false),
    ("StringEquals", r#""x-${aws:username}-y""#, "x-bob-y", true),
    ("StringEquals", r#""${aws:absent}""#, "", false),
    ("StringEquals", r#""${aws:absent}""#, "${aws:absent}", false),
    ("StringEquals", r#"["${aws:absent}", "a"]"#, "a", true),
    ("StringEquals", r#""${aws:absent, 'd'}""#, "d", true),
    ("StringEquals", r#""${aws:star}""#, "x", false),
    ("StringEquals", r#""${*}""#, "*", true),
    ("StringEquals", r#""${$}{x}""#, "${x}", true),
    ("StringEquals", "true", "true", true),
    ("StringEquals", "12", "12", true),
    ("StringEqualsIgnoreCase", r#""Ab""#, "aB", true),
    ("StringEqualsIgnoreCase", r#""Ab""#, "ab ", false),
    ("StringEqualsIgnoreCase", r#""a*""#, "AB", false),
    ("StringEqualsIgnoreCase", r#""${aws:username}""#, "BOB", true),
    // Likeness has wildcards, but not where a variable's value has them.
    ("StringLike", r#""a*c""#, "abc", true),
    ("StringLike", r#""a*c""#, "ac", true),
    ("StringLike", r#""a*c""#, "a/b:c", true),
    ("StringLike", r#""a*c""#, "abd", false),
    ("StringLike", r#""A*c""#, "abc", false),
    ("StringLike", r#""a?c""#, "abc", true),
    ("StringLike", r#""a?c""#, "ac", false),
    ("StringLike", r#""*""#, "", true),
    ("StringLike", r#""${aws:star}""#, "x", false),
    ("StringLike", r#""${aws:star}""#, "*", true),
    ("StringLike", r#""a${aws:star}*""#, "a*b", true),
    ("StringLike", r#""a${aws:star}*""#, "ab", false),
    ("StringLike", r#""${aws:absent}*""#, "x", false),
    ("StringLike", r#""a${*}""#, "ab", false),
    ("StringLike", r#"["x*", "a*"]"#, "ab", true),
    // The documentation's own pair: a string reaches over colons, an ARN does not.
    (
        "StringLike",
        r#""arn:aws:someservice:*:111122223333:finance/*""#,
        "arn:aws:someservice:us-east-2:999999999999:store/abc:111122223333:finance/document.txt",
        true,
    ),
    (
        "ArnLike",
        r#""arn:aws:someservice:*:111122223333:finance/*""#,
        "arn:aws:someservice:us-east-2:999999999999:store/abc:111122223333:finance/document.txt",
        false,
    ),
    (
        "ArnLike",
        r#""arn:aws:someservice:*:111122223333:finance/*""#,
        "arn:aws:someservice:x:111122223333:finance/a",
        true,
    ),
    // Equality of ARNs is likeness.
    ("ArnEquals", r#""arn:aws:sns:*:123456789012:*""#, "arn:aws:sns:us-east-1:123456789012:t", true),
    ("ArnEquals", r#""arn:aws:sns:us-east-1:123456789012:t""#, "arn:aws:sns:us-east-1:123456789012:t", true),
    ("ArnEquals", r#""arn:aws:sns:us-east-1:123456789012:t""#, "arn:aws:sns:us-east-1:123456789012:T", false),
    ("ArnEquals", r#""arn:aws:sns:us-east-1:123456789012:t?""#, "arn:aws:sns:us-east-1:123456789012:t", false),
    ("ArnEquals", r#""arn:aws:sns:*:*:t""#, "arn:aws:sns:us-east-1:123456789012:x:t", false),
    ("ArnEquals", r#""arn:aws:sns:*:*:*:t""#, "arn:aws:sns:us-east-1:123456789012:x:t", true),
    ("ArnEquals", r#""arn:aws:sns:*:*:*""#, "arn:aws:sns", false),
    ("ArnEquals", r#""arn:aws:sns:*:*:*""#, "t", false),
    ("ArnLike", r#""arn:aws:iam::*:user/${aws:username}""#, "arn:aws:iam::123456789012:user/bob", true),
    ("ArnLike", r#""arn:aws:iam::*:user/${aws:username}""#, "arn:aws:iam::123456789012:user/eve", false),
    ("ArnLike", r#""arn:aws:iam::*:user/${aws:star}""#, "arn:aws:iam::123456789012:user/eve", false),
    ("ArnLike", r#""arn:aws:iam::*:user/${aws:absent}""#, "arn:aws:iam::123456789012:user/", false),
    // Numbers.
    ("NumericEquals", r#""10""#, "10", true),
    ("NumericEquals", "10", "10.0", true),
    ("NumericEquals", r#""10""#, "11", false),
    ("NumericEquals", r#""10""#, "ten", false),
    ("NumericEquals", r#"["1", "2"]"#, "2", true),
    ("NumericEquals", r#""9007199254740993""#, "9007199254740992", false),
    ("NumericLessThan", r#""10""#, "9", true),
    ("NumericLessThan", r#""10""#, "10", false),
    ("NumericLessThan", r#""10""#, "100", false),
    ("NumericLessThan", r#""10""#, "-100", true),
    ("NumericLessThan", r#""10""#, "", false),
    ("NumericLessThanEquals", r#""10""#, "10", true),
    ("NumericLessThanEquals", r#""10""#, "11", false),
    ("NumericGreaterThan", r#""10""#, "11", true),
    ("NumericGreaterThan", r#""10""#, "10", false),
    ("NumericGreaterThan", r#""10""#, "9", false),
    ("NumericGreaterThanEquals", r#""10""#, "10", true),
    ("NumericGreaterThanEquals", r#""10""#, "9.99", false),
    ("NumericGreaterThanEquals", r#"["10", "5"]"#, "7", true),
    // Dates, in either form on either side.
    ("DateEquals", r#""2020-01-01T00:00:01Z""#, "2020-01-01T00:00:01Z", true),
    ("DateEquals", r#""2020-01-01T00:00:01Z""#, "1577836801", true),
    ("DateEquals", r#""2020-01-01T01:00:01+01:00""#, "2020-01-01T00:00:01Z", true),
    ("DateEquals", r#""1577836801""#, "2020-01-01T00:00:02Z", false),
    ("DateEquals", "1577836801", "2020-01-01T00:00:01Z", true),
    ("DateEquals", r#""2020-01-01""#, "2020-01-01T00:00:00Z", true),
    ("DateLessThan", r#""2020-01-01T00:00:01Z""#, "2020-01-01T00:00:00Z", true),
    ("DateLessThan", r#""2020-01-01T00:00:01Z""#, "2020-01-01T00:00:01Z", false),
    ("DateLessThan", r#""2020-01-01T00:00:01Z""#, "yesterday", false),
    ("DateLessThanEquals", r#""2020-01-01T00:00:01Z""#, "2020-01-01T00:00:01Z", true),
    ("DateLessThanEquals", r#""2020-01-01T00:00:01Z""#, "2020-01-01T00:00:02Z", false),
    ("DateGreaterThan", r#""2020-01-01T00:00:01Z""#, "2020-01-01T00:00:02Z", true),
    ("DateGreaterThan", r#""2020-01-01T00:00:01Z""#, "2020-01-01T00:00:01Z", false),
    ("DateGreaterThanEquals", r#""2020-01-01T00:00:01Z""#, "2020-01-01T00:00:01Z", true),
    ("DateGreaterThanEquals", r#""2020-01-01T00:00:01Z""#, "2019-12-31T23:59:59Z", false),
    // Booleans, as words or as JSON has them.
    ("Bool", r#""true""#, "true", true),
    ("Bool", "true", "true", true),
    ("Bool", r#""True""#, "true", true),
    ("Bool", r#""true""#, "false", false),
    ("Bool", r#""false""#, "false", true),
    ("Bool", r#""false""#, "", false),
    ("Bool", r#""true""#, "1", false),
    // Addresses and ranges.
    ("IpAddress", r#""203.0.113.0/24""#, "203.0.113.1", true),
    ("IpAddress", r#""203.0.113.0/24""#, "203.0.114.1", false),
    ("IpAddress", r#""203.0.113.7""#, "203.0.113.7", true),
    ("IpAddress", r#""203.0.113.7""#, "203.0.113.8", false),
    ("IpAddress", r#""2001:DB8::/32""#, "2001:db8::1", true),
    ("IpAddress", r#""0.0.0.0/0""#, "2001:db8::1", false),
    ("IpAddress", r#""0.0.0.0/0""#, "nowhere", false),
    ("IpAddress", r#"["10.0.0.0/8", "203.0.113.0/24"]"#, "203.0.113.1", true),
];

fn negated(operator: &str) -> Option<&'static str> {
    Some(match operator {
        "StringEquals" => "StringNotEquals",
        "StringEqualsIgnoreCase" => "StringNotEqualsIgnoreCase",
        "StringLike" => "StringNotLike",
        "ArnEquals" => "ArnNotEquals",
        "ArnLike" => "ArnNotLike",
        "NumericEquals" => "NumericNotEquals",
        "DateEquals" => "DateNotEquals",
        "IpAddress" => "NotIpAddress",
        _ => return None,
    })
}

#[test]
fn operators() {
    let mut rows = 0;
    for (operator, values, request, expected) in PLAIN {
        for (operator, expected, absent) in [(Some(*operator), *expected, false), (negated(operator), !*expected, true)]
        {
            let Some(operator) = operator else { continue };
            assert_eq!(holds(operator, values, Some(request)), expected, "{operator} {values} {request}");
            // A key that is not there makes an operator false, its negation true, and IfExists true.
            assert_eq!(holds(operator, values, None), absent, "{operator} {values} absent");
            let if_exists = format!("{operator}IfExists");
            assert_eq!(holds(&if_exists, values, Some(request)), expected, "{if_exists} {values} {request}");
            assert!(holds(&if_exists, values, None), "{if_exists} {values} absent");
            rows += 4;
        }
    }
    println!("{rows} conditions of one value");
}

/// Rows: operator, values, the request's values, whether it holds.
const SETS: &[(&str, &str, Option<&str>, bool)] = &[
    ("ForAllValues:StringEquals", r#"["a", "b"]"#, Some("a"), true),
    ("ForAllValues:StringEquals", r#"["a", "b"]"#, Some("a|b"), true),
    ("ForAllValues:StringEquals", r#"["a", "b"]"#, Some("a|c"), false),
    ("ForAllValues:StringEquals", r#"["a", "b"]"#, Some("c"), false),
    ("ForAllValues:StringEquals", r#"["a", "b"]"#, None, true),
    ("ForAllValues:StringEquals", r#"["a", "b"]"#, Some(""), true),
    ("ForAllValues:StringLike", r#"["a*"]"#, Some("a|ab"), true),
    ("ForAllValues:StringLike", r#"["a*"]"#, Some("a|b"), false),
    ("ForAllValues:StringLike", r#""${aws:star}""#, Some("a"), false),
    ("ForAllValues:StringLike", r#""${aws:absent}*""#, Some("a"), false),
    ("ForAllValues:StringNotEquals", r#"["a", "b"]"#, Some("c|d"), true),
    ("ForAllValues:StringNotEquals", r#"["a", "b"]"#, Some("a|d"), false),
    ("ForAllValues:StringNotEquals", r#"["a", "b"]"#, None, true),
    ("ForAllValues:StringEqualsIfExists", r#""a""#, None, true),
    ("ForAllValues:StringEqualsIfExists", r#""a""#, Some("b"), false),
    ("ForAllValues:NumericLessThan", r#""10""#, Some("1|9"), true),
    ("ForAllValues:NumericLessThan", r#""10""#, Some("1|11"), false),
    ("ForAllValues:ArnLike", r#""arn:aws:iam::*:role/*""#, Some("arn:aws:iam::1:role/r|arn:aws:iam::1:user/u"), false),
    ("ForAnyValue:StringEquals", r#"["a", "b"]"#, Some("a"), true),
    ("ForAnyValue:StringEquals", r#"["a", "b"]"#, Some("c|b"), true),
    ("ForAnyValue:StringEquals", r#"["a", "b"]"#, Some("c|d"), false),
    ("ForAnyValue:StringEquals", r#"["a", "b"]"#, None, false),
    ("ForAnyValue:StringEquals", r#"["a", ""]"#, Some(""), false),
    ("ForAnyValue:StringLike", r#""a*""#, Some("x|ab"), true),
    ("ForAnyValue:StringLike", r#""${aws:star}""#, Some("x|ab"), false),
    ("ForAnyValue:StringNotEquals", r#"["a", "b"]"#, Some("a|c"), true),
    ("ForAnyValue:StringNotEquals", r#"["a", "b"]"#, Some("a|b"), false),
    ("ForAnyValue:StringNotEquals", r#"["a", "b"]"#, None, false),
    ("ForAnyValue:StringEqualsIfExists", r#""a""#, None, true),
    ("ForAnyValue:StringEqualsIfExists", r#""a""#, Some("b"), false),
    ("ForAnyValue:Bool", r#""true""#, Some("false|true"), true),
    ("ForAnyValue:IpAddress", r#""10.0.0.0/8""#, Some("10.0.0.1|::1"), true),
    ("ForAllValues:IpAddress", r#""10.0.0.0/8""#, Some("10.0.0.1|::1"), false),
    ("ForAnyValue:DateLessThan", r#""2020-01-01""#, Some("2021-01-01|2019-01-01"), true),
    // Without a set operator, several values: one must match, and the negation is the opposite.
    ("StringEquals", r#""a""#, Some("a|b"), true),
    ("StringEquals", r#""a""#, Some("b|c"), false),
    ("StringNotEquals", r#""a""#, Some("a|b"), false),
    ("StringNotEquals", r#""a""#, Some("b|c"), true),
    // Several values of a negated operator are all to be missed.
    ("StringNotEquals", r#"["a", "b"]"#, Some("a"), false),
    ("StringNotEquals", r#"["a", "b"]"#, Some("c"), true),
    ("StringNotLike", r#"["a*", "b*"]"#, Some("bc"), false),
    ("NotIpAddress", r#"["10.0.0.0/8", "::/0"]"#, Some("::1"), false),
    // Presence.
    ("Null", r#""true""#, None, true),
    ("Null", r#""true""#, Some("x"), false),
    ("Null", r#""false""#, None, false),
    ("Null", r#""false""#, Some("x"), true),
    ("Null", "true", None, true),
    ("Null", "false", Some("x|y"), true),
    // The negation of a variable without a value matches, as the documentation of variables says.
    ("StringNotEquals", r#""${aws:absent}""#, Some("x"), true),
    ("ArnNotLike", r#""arn:aws:iam::*:user/${aws:absent}""#, Some("arn:aws:iam::1:user/u"), true),
    // A variable may stand anywhere in an ARN to compare with, and its colons are its own.
    ("ArnLike", r#""arn:aws:iam::*:user/x:${aws:username}""#, Some("arn:aws:iam::1:user/x:bob"), true),
    ("ArnLike", r#""arn:aws:iam::${aws:username, 'a:b'}:user/x""#, Some("arn:aws:iam::bob:user/x"), true),
    ("ArnLike", r#""arn:aws:x:::${aws:arn}""#, Some("arn:aws:x:::arn:aws:iam::123456789012:user/x:y"), true),
];

#[test]
fn sets_and_presence() {
    for (operator, values, request, expected) in SETS {
        assert_eq!(holds(operator, values, *request), *expected, "{operator} {values} {request:?}");
    }
    println!("{} conditions of several values and none", SETS.len());
}
