//! Where in a document the parts stand: the definition itself, and the object `rolebox`.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::ecs_keys;
use super::json;
use super::keys::{IgnoredKey, Sorter, kind};
use super::problem::{DefinitionError, Location, Problems};
use super::raw::{self, RawRolebox, RawTaskDefinition};

/// The definition within `document`, and where it stands: the document itself, or what is under `taskDefinition`, as
/// `describe-task-definition` and `register-task-definition` print it, with the definition's tags beside.
pub(super) fn described(document: Value, problems: &mut Problems) -> Option<(Map<String, Value>, Location)> {
    let root = Location::root();
    let mut document = object(document, &root, problems)?;
    let Some(definition) = document.remove("taskDefinition") else {
        return Some((document, root));
    };
    for (key, _) in document.into_iter().filter(|(key, _)| key != "tags") {
        problems.add(
            &root.key(&key),
            "unknown key beside taskDefinition",
            "Move it into taskDefinition, or remove it.",
        );
    }
    let at = root.key("taskDefinition");
    object(definition, &at, problems).map(|definition| (definition, at))
}

fn object(value: Value, at: &Location, problems: &mut Problems) -> Option<Map<String, Value>> {
    match value {
        Value::Object(object) => Some(object),
        other => {
            problems.add(
                at,
                format!("a task definition is an object, and this is {}", kind(&other)),
                "Give an object with family and containerDefinitions.",
            );
            None
        }
    }
}

/// The object `rolebox` and where it stands: under its own key, or as a JSON string in one container's labels.
pub(super) fn rolebox(
    raw: &mut RawTaskDefinition,
    at: &Location,
    problems: &mut Problems,
    ignored_keys: &mut Vec<IgnoredKey>,
) -> Option<(RawRolebox, Location)> {
    const KEY: &str = "rolebox";
    let mut found = raw.rolebox.take().map(|rolebox| (rolebox, at.key(KEY)));
    let mut is_readable = true;
    for (index, container) in raw.container_definitions.iter_mut().enumerate() {
        let labels_at = at.key("containerDefinitions").index(index).key("dockerLabels");
        let mut labels = std::mem::take(&mut container.docker_labels);
        let label = labels.remove(KEY);
        note_labels(&labels, &labels_at, ignored_keys);
        let Some(label) = label else { continue };
        let label_at = labels_at.key(KEY);
        if let Some((_, other)) = &found {
            problems.add(&label_at, format!("the same object stands in {other} too"), "Keep one of them.");
            continue;
        }
        match label_object(&label, &label_at, problems, ignored_keys) {
            Some(rolebox) => found = Some((rolebox, label_at)),
            None => is_readable = false,
        }
    }
    is_readable.then(|| found.unwrap_or_else(|| (RawRolebox::default(), at.key(KEY))))
}

fn label_object(
    label: &str,
    at: &Location,
    problems: &mut Problems,
    ignored_keys: &mut Vec<IgnoredKey>,
) -> Option<RawRolebox> {
    const FORM: &str = "Give the object rolebox as a JSON string.";
    match json::parse(label, at, problems) {
        Ok(Value::Object(object)) => {
            let used = Sorter::sort(&ecs_keys::ROLEBOX, object, at, problems, ignored_keys)?;
            raw::read(used, at, problems)
        }
        Ok(other) => {
            problems.add(at, format!("the string holds {}", kind(&other)), FORM);
            None
        }
        Err(error) => {
            let what = match error {
                DefinitionError::NotJson { line, column, reason } => {
                    format!("the string is not JSON (its line {line}, column {column}: {reason})")
                }
                other => other.to_string(),
            };
            problems.add(at, what, FORM);
            None
        }
    }
}

fn note_labels(labels: &BTreeMap<String, String>, at: &Location, ignored_keys: &mut Vec<IgnoredKey>) {
    for label in labels.keys() {
        ignored_keys.push(IgnoredKey { path: at.key(label).to_string(), why: "no Docker runs the task" });
    }
}
