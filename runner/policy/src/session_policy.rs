//! Capabilities as a session policy for `sts:AssumeRole`.
//!
//! The policy is as short as it can be made without changing what it says: STS takes 2,048 characters, and packs them
//! into a space of its own that is smaller still. Statements that differ in their actions alone, or in their resources
//! alone, are one.

use std::fmt::Write as _;

use crate::capability::{AccountBound, Accounts, ActionPattern, Bounds, Exclusions, ResourcePattern, Rule};

/// The longest session policy that STS takes, in characters
/// (<https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html>). STS also packs policy and tags into a
/// binary form of an unpublished size: only its answer tells how full that is.
pub const SESSION_POLICY_LIMIT: usize = 2048;

/// A session policy: JSON of at most [`SESSION_POLICY_LIMIT`] characters, all of them in STS's alphabet (U+0020 to
/// U+00FF).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SessionPolicy {
    json: String,
}

impl SessionPolicy {
    /// The policy that denies everything. STS takes no empty document.
    pub fn deny_everything() -> Self {
        let json = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"*","Resource":"*"}]}"#;
        Self { json: json.into() }
    }

    /// The JSON text, for `sts:AssumeRole`'s `Policy`.
    pub fn as_str(&self) -> &str {
        &self.json
    }
}

/// Capabilities that make no session policy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SessionPolicyError {
    /// Too long for STS.
    #[error(
        "the session policy of these capabilities has {length} characters, and STS takes at most {SESSION_POLICY_LIMIT}; \
         {share} of them come from capabilities[{longest}]: write its ARNs or actions as fewer or shorter patterns, or \
         leave out what the task does not need"
    )]
    TooLong {
        /// Its length in characters.
        length: usize,
        /// The capability that contributes most.
        longest: usize,
        /// How many characters it contributes, about.
        share: usize,
    },
}

/// A statement before it is written.
struct Statement {
    actions: Vec<ActionPattern>,
    resources: Vec<ResourcePattern>,
    bounds: Bounds,
}

/// Renders rules and what is excluded from them.
pub(crate) fn render(
    rules: &[Rule],
    exclusions: &Exclusions,
    accounts: &Accounts,
) -> Result<SessionPolicy, SessionPolicyError> {
    if rules.is_empty() {
        return Ok(SessionPolicy::deny_everything());
    }
    let mut json = String::from(r#"{"Version":"2012-10-17","Statement":["#);
    for (at, statement) in merge(rules).iter().enumerate() {
        if at > 0 {
            json.push(',');
        }
        json.push_str(r#"{"Effect":"Allow","Action":"#);
        push_strings(&mut json, statement.actions.iter().map(|action| action.text.as_str()));
        json.push_str(r#","Resource":"#);
        push_strings(&mut json, statement.resources.iter().map(|resource| resource.text.as_str()));
        push_condition(&mut json, &statement.bounds, accounts);
        json.push('}');
    }
    if !exclusions.denied.is_empty() {
        json.push_str(r#",{"Effect":"Deny","Action":"#);
        push_strings(&mut json, exclusions.denied.iter().map(|action| action.text.as_str()));
        json.push_str(r#","Resource":"*"}"#);
    }
    for (action, except) in &exclusions.denied_except_on {
        json.push_str(r#",{"Effect":"Deny","Action":"#);
        push_string(&mut json, &action.text);
        json.push_str(r#","NotResource":"#);
        push_strings(&mut json, except.iter().map(|resource| resource.text.as_str()));
        json.push('}');
    }
    json.push_str("]}");
    let length = json.chars().count();
    if length > SESSION_POLICY_LIMIT {
        let (longest, share) = longest(rules);
        return Err(SessionPolicyError::TooLong { length, longest, share });
    }
    Ok(SessionPolicy { json })
}

/// Rules as few statements. Two of the same bounds and resources become one with both's actions, and two of the same
/// bounds and actions one with both's resources; either way the union is what both allowed and no more.
fn merge(rules: &[Rule]) -> Vec<Statement> {
    let mut statements: Vec<Statement> = Vec::new();
    for rule in rules {
        let mut resources = rule.resources.clone();
        resources.sort_by(|a, b| a.text.cmp(&b.text));
        match statements.iter_mut().find(|s| s.bounds == rule.bounds && s.resources == resources) {
            Some(statement) => add_new(&mut statement.actions, &rule.actions),
            None => {
                statements.push(Statement { actions: rule.actions.clone(), resources, bounds: rule.bounds.clone() })
            }
        }
    }
    let mut merged: Vec<Statement> = Vec::new();
    for mut statement in statements {
        statement.actions.sort_by(|a, b| a.text.cmp(&b.text));
        match merged.iter_mut().find(|s| s.bounds == statement.bounds && s.actions == statement.actions) {
            Some(same) => add_new(&mut same.resources, &statement.resources),
            None => merged.push(statement),
        }
    }
    merged
}

fn add_new<T: Clone + PartialEq>(all: &mut Vec<T>, more: &[T]) {
    for item in more {
        if !all.contains(item) {
            all.push(item.clone());
        }
    }
}

/// Writes the condition block, if there is anything to bound.
fn push_condition(json: &mut String, bounds: &Bounds, accounts: &Accounts) {
    let Bounds { account, regions, prefixes, leading_keys, via } = bounds;
    // Operator, key, values: one operator may hold several keys, each of which has to hold.
    let mut tests: Vec<(&str, &str, Vec<String>)> = Vec::new();
    let numbers = |set| accounts.of(set).map(ToString::to_string).collect();
    match *account {
        AccountBound::None => {}
        AccountBound::Owner(set) => tests.push(("StringEquals", "aws:ResourceAccount", numbers(set))),
        AccountBound::IfKnown(set) => tests.push(("StringEqualsIfExists", "aws:ResourceAccount", numbers(set))),
    }
    if !regions.is_empty() {
        let names = regions.iter().map(ToString::to_string).collect();
        tests.push(("StringEquals", "aws:RequestedRegion", names));
    }
    if !prefixes.is_empty() {
        let patterns = prefixes.iter().map(|prefix| escape_pattern(prefix) + "*").collect();
        tests.push(("StringLike", "s3:prefix", patterns));
    }
    if let Some(keys) = leading_keys {
        let values = keys.values.iter().map(|value| escape_text(value)).collect();
        tests.push(("ForAllValues:StringEquals", "dynamodb:LeadingKeys", values));
        // `ForAllValues` is true of a request without the key, such as a Scan.
        tests.push(("Null", "dynamodb:LeadingKeys", vec!["false".into()]));
    }
    if !via.is_empty() {
        let operator = if via.iter().all(|name| name.pattern.is_literal()) { "StringEquals" } else { "StringLike" };
        tests.push((operator, "kms:ViaService", via.iter().map(|name| name.text.clone()).collect()));
    }
    if tests.is_empty() {
        return;
    }
    tests.sort_by_key(|(operator, key, _)| (*operator, *key));
    json.push_str(r#","Condition":{"#);
    let mut open: Option<&str> = None;
    for (operator, key, values) in &tests {
        if open == Some(operator) {
            json.push(',');
        } else {
            json.push_str(if open.is_some() { "}," } else { "" });
            push_string(json, operator);
            json.push_str(":{");
        }
        open = Some(operator);
        push_string(json, key);
        json.push(':');
        push_strings(json, values.iter().map(String::as_str));
    }
    json.push_str("}}");
}

/// Literal text where IAM sees wildcards and variables.
fn escape_pattern(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '*' | '?' | '$' => {
                let _ = write!(escaped, "${{{character}}}");
            }
            other => escaped.push(other),
        }
    }
    escaped
}

/// Literal text where IAM sees variables alone.
fn escape_text(text: &str) -> String {
    text.replace("${", "${$}{")
}

/// Writes one string as itself, and several as a list.
fn push_strings<'a>(json: &mut String, strings: impl Iterator<Item = &'a str> + Clone) {
    if strings.clone().count() == 1 {
        strings.for_each(|string| push_string(json, string));
        return;
    }
    json.push('[');
    for (at, string) in strings.enumerate() {
        if at > 0 {
            json.push(',');
        }
        push_string(json, string);
    }
    json.push(']');
}

/// Writes a JSON string in STS's alphabet.
fn push_string(json: &mut String, text: &str) {
    json.push('"');
    for character in text.chars() {
        match character {
            '"' | '\\' => json.extend(['\\', character]),
            ' '..='~' | '\u{a0}'..='\u{ff}' => json.push(character),
            other => {
                for unit in other.encode_utf16(&mut [0; 2]) {
                    let _ = write!(json, "\\u{unit:04x}");
                }
            }
        }
    }
    json.push('"');
}

/// The capability whose actions and resources take the most characters, and how many.
fn longest(rules: &[Rule]) -> (usize, usize) {
    let mut longest = (0, 0);
    for capability in rules.iter().map(|rule| rule.capability) {
        let of = rules.iter().filter(|rule| rule.capability == capability);
        let texts = of.flat_map(|rule| {
            let actions = rule.actions.iter().map(|action| &action.text);
            actions.chain(rule.resources.iter().map(|resource| &resource.text))
        });
        // Quotes and a comma belong to each.
        let share = texts.map(|text| text.chars().count() + 3).sum();
        if share > longest.1 {
            longest = (capability, share);
        }
    }
    longest
}
