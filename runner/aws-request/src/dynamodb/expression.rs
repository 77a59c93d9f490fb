//! A Query's key condition: what it compares for plain equality.
//!
//! Only the forms that DynamoDB documents are read: comparisons joined by AND, each of a name and a value. Anything
//! else yields nothing, and then no capability that is bound to partition keys allows the Query.
//!
//! Source: "Key condition expressions for the Query operation", Developer Guide (Query.KeyConditionExpressions.html).

use crate::wire::json::Json;

/// The attributes that a Query compares for equality, with their values; `None` when its condition can't be read.
pub(super) fn equalities(body: &Json) -> Option<Vec<(&str, &Json)>> {
    match (body.get("KeyConditionExpression"), body.get("KeyConditions")) {
        (Some(Json::Text(expression)), None) => in_expression(expression, body),
        (None, Some(conditions)) => Some(in_conditions(conditions)),
        _ => None,
    }
}

/// The older form: an object of conditions by attribute.
fn in_conditions(conditions: &Json) -> Vec<(&str, &Json)> {
    let conditions = conditions.members().iter();
    conditions
        .filter_map(|(name, condition)| match condition.get("AttributeValueList")?.as_list()? {
            [value] if condition.get("ComparisonOperator")?.as_text()? == "EQ" => Some((name.as_str(), value)),
            _ => None,
        })
        .collect()
}

fn in_expression<'a>(expression: &'a str, body: &'a Json) -> Option<Vec<(&'a str, &'a Json)>> {
    let tokens = tokens(expression)?;
    let mut tokens = tokens.as_slice();
    let mut equalities = Vec::new();
    loop {
        if let Some((name, value)) = condition(&mut tokens)? {
            equalities.push((resolve_name(name, body)?, resolve_value(value, body)?));
        }
        match tokens {
            [] => return Some(equalities),
            [and, rest @ ..] if and.eq_ignore_ascii_case("AND") => tokens = rest,
            _ => return None,
        }
    }
}

/// Reads one condition: name and value when it is an equality, `Some(None)` when it is another.
#[expect(clippy::option_option, reason = "the outer is whether it was read, the inner what it says")]
fn condition<'a>(tokens: &mut &[&'a str]) -> Option<Option<(&'a str, &'a str)>> {
    if let ["(", rest @ ..] = *tokens {
        *tokens = rest;
        let read = condition(tokens)?;
        *tokens = tokens.strip_prefix(&[")"])?;
        return Some(read);
    }
    let (read, rest) = match *tokens {
        [name, "=", value, rest @ ..] if is_name(name) && is_value(value) => (Some((*name, *value)), rest),
        [name, "<" | "<=" | ">" | ">=", value, rest @ ..] if is_name(name) && is_value(value) => (None, rest),
        [name, between, low, and, high, rest @ ..]
            if is_name(name)
                && between.eq_ignore_ascii_case("BETWEEN")
                && is_value(low)
                && and.eq_ignore_ascii_case("AND")
                && is_value(high) =>
        {
            (None, rest)
        }
        ["begins_with", "(", name, ",", value, ")", rest @ ..] if is_name(name) && is_value(value) => (None, rest),
        _ => return None,
    };
    *tokens = rest;
    Some(read)
}

fn is_name(token: &str) -> bool {
    let word = token.strip_prefix('#').unwrap_or(token);
    const KEYWORDS: [&str; 5] = ["AND", "BETWEEN", "IN", "NOT", "OR"];
    word.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        && !KEYWORDS.iter().any(|keyword| token.eq_ignore_ascii_case(keyword))
}

fn is_value(token: &str) -> bool {
    token.len() > 1 && token.starts_with(':')
}

/// The attribute that a name or a `#placeholder` stands for.
fn resolve_name<'a>(token: &'a str, body: &'a Json) -> Option<&'a str> {
    if token.starts_with('#') { body.get("ExpressionAttributeNames")?.get(token)?.as_text() } else { Some(token) }
}

fn resolve_value<'a>(token: &str, body: &'a Json) -> Option<&'a Json> {
    body.get("ExpressionAttributeValues")?.get(token)
}

/// Splits an expression into names, values, operators, parentheses and commas. `None` at any other character: a dot or
/// a bracket would be a path into a document.
fn tokens(expression: &str) -> Option<Vec<&str>> {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    let mut tokens = Vec::new();
    let mut rest = expression.trim_start_matches([' ', '\t', '\r', '\n']);
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '(' | ')' | ',' | '=' => 1,
            '<' | '>' => 1 + usize::from(rest[1..].starts_with('=')),
            '#' | ':' => 1 + rest[1..].find(|c| !word(c)).unwrap_or(rest.len() - 1),
            c if word(c) => rest.find(|c| !word(c)).unwrap_or(rest.len()),
            _ => return None,
        };
        // `<>` is no operator of key conditions, and must not be read as two.
        if first == '<' && rest[length..].starts_with('>') {
            return None;
        }
        let (token, after) = rest.split_at(length);
        tokens.push(token);
        rest = after.trim_start_matches([' ', '\t', '\r', '\n']);
    }
    Some(tokens)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions() {
        for (expression, read) in [
            ("pk = :v", Some("pk")),
            ("#p=:v", Some("pk")),
            ("(pk = :v)", Some("pk")),
            ("((pk=:v))AND(sk<:w)", Some("pk")),
            ("pk = :v AND sk = :w", Some("pk sk")),
            ("pk = :v and sk BETWEEN :w AND :v", Some("pk")),
            ("pk = :v AND begins_with(sk, :w)", Some("pk")),
            ("sk >= :w AND pk = :v", Some("pk")),
            ("pk < :v", Some("")),
            ("pk <> :v", None),
            ("pk = :v OR pk = :w", None),
            ("NOT pk = :v", None),
            ("pk IN (:v)", None),
            (":v = pk", None),
            ("pk = pk", None),
            ("pk = :missing", None),
            ("#missing = :v", None),
            ("pk.x = :v", None),
            ("pk[0] = :v", None),
            ("pk = :v AND", None),
            ("pk = :v sk = :w", None),
            ("(pk = :v", None),
            ("pk = :v)", None),
            ("pk = :v AND contains(sk, :w)", None),
            ("AND = :v", None),
            ("pk = :", None),
            ("", None),
            ("pk = :v -- x", None),
            ("pk = :v\u{a0}", None),
        ] {
            let body = format!(
                r##"{{"KeyConditionExpression":{expression:?},"ExpressionAttributeNames":{{"#p":"pk"}},
                "ExpressionAttributeValues":{{":v":{{"S":"1"}},":w":{{"S":"2"}}}}}}"##
            )
            .replace("\\u{a0}", "\u{a0}");
            let body = Json::read(body.as_bytes()).unwrap();
            let names =
                equalities(&body).map(|pairs| pairs.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(" "));
            assert_eq!(names.as_deref(), read, "{expression}");
        }
    }

    #[test]
    fn older_conditions() {
        for (conditions, read) in [
            (r#"{"pk":{"ComparisonOperator":"EQ","AttributeValueList":[{"S":"1"}]}}"#, "pk"),
            (r#"{"pk":{"ComparisonOperator":"EQ","AttributeValueList":[{"S":"1"},{"S":"2"}]}}"#, ""),
            (r#"{"pk":{"ComparisonOperator":"EQ"}}"#, ""),
            (r#"{"pk":{"ComparisonOperator":"LT","AttributeValueList":[{"S":"1"}]}}"#, ""),
            (
                r#"{"pk":{"ComparisonOperator":"EQ","AttributeValueList":[{"S":"1"}]},"sk":{"ComparisonOperator":"GT","AttributeValueList":[{"S":"1"}]}}"#,
                "pk",
            ),
        ] {
            let body = Json::read(format!("{{\"KeyConditions\":{conditions}}}").as_bytes()).unwrap();
            let names: Vec<&str> = equalities(&body).unwrap().iter().map(|(name, _)| *name).collect();
            assert_eq!(names.join(" "), read, "{conditions}");
        }
        let both = Json::read(br#"{"KeyConditions":{},"KeyConditionExpression":"pk = :v"}"#).unwrap();
        assert_eq!(equalities(&both), None);
    }
}
