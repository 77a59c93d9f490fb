//! The published service authorization data, and what must agree with it.

use std::collections::BTreeMap;

use crate::support::try_capabilities;

/// Resources and actions of the services that Rolebox parses, as AWS publishes them.
#[derive(Debug, Default)]
pub(crate) struct Facts {
    /// ARN formats by `service:type`.
    pub(crate) resources: BTreeMap<&'static str, &'static str>,
    pub(crate) actions: Vec<Action>,
}

#[derive(Clone, Debug)]
pub(crate) struct Action {
    /// `service:Name`
    pub(crate) name: &'static str,
    /// The `service:type`s that it works on; none when it works on no resource.
    pub(crate) kinds: Vec<String>,
    pub(crate) keys: Vec<&'static str>,
}

impl Action {
    pub(crate) fn service(&self) -> &'static str {
        self.name.split(':').next().unwrap()
    }

    pub(crate) fn has_key(&self, key: &str) -> bool {
        self.keys.iter().any(|published| published.eq_ignore_ascii_case(key))
    }
}

pub(crate) fn facts() -> Facts {
    let mut facts = Facts::default();
    for line in include_str!("../../facts/condition-keys.txt").lines() {
        if let Some(resource) = line.strip_prefix("resource ") {
            let at = resource.find(" arn:").unwrap();
            facts.resources.insert(&resource[..at], &resource[at + 1..]);
        } else if let Some(action) = line.strip_prefix("action ") {
            let mut columns = action.split(" | ");
            let (name, kinds) = (columns.next().unwrap(), columns.next().unwrap());
            let keys = columns.next().unwrap();
            let service = name.split(':').next().unwrap();
            facts.actions.push(Action {
                name,
                kinds: kinds.split(", ").filter(|kind| *kind != "-").map(|kind| format!("{service}:{kind}")).collect(),
                keys: keys.split(", ").filter(|key| *key != "-").collect(),
            });
        }
    }
    facts
}

#[test]
fn a_prefix_stands_exactly_where_aws_has_the_key() {
    let actions = facts().actions;
    let s3: Vec<_> = actions.iter().filter(|action| action.service() == "s3").collect();
    assert!(s3.len() > 150);
    for action in s3 {
        let json = format!(r#"[{{"action": "{}", "resource": "*", "prefix": "in/"}}]"#, action.name);
        assert_eq!(try_capabilities(&json).is_ok(), action.has_key("s3:prefix"), "{}", action.name);
    }
}

#[test]
fn leading_keys_stand_exactly_where_aws_has_the_key_but_for_partiql() {
    let actions = facts().actions;
    let dynamodb: Vec<_> = actions.iter().filter(|action| action.service() == "dynamodb").collect();
    assert!(dynamodb.len() > 50);
    for action in dynamodb {
        let json = format!(
            r#"[{{"action": "{}", "resource": "arn:aws:dynamodb:us-east-1:123456789012:table/t", "leadingKeys": {{"pk": "u"}}}}]"#,
            action.name
        );
        let expected = action.has_key("dynamodb:LeadingKeys") && !action.name.contains("PartiQL");
        assert_eq!(try_capabilities(&json).is_ok(), expected, "{}", action.name);
    }
}

#[test]
fn every_published_action_can_be_granted_in_full() {
    let actions = facts().actions;
    for action in &actions {
        let json = format!(r#"[{{"action": "{}", "resource": "*"}}]"#, action.name);
        let policy = try_capabilities(&json).unwrap().session_policy().unwrap();
        assert!(policy.as_str().contains(action.name), "{}", policy.as_str());
        assert!(!policy.as_str().contains("Deny"), "{}", policy.as_str());
    }
}
