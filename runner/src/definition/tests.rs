//! Tables of documents that are taken, and many more that are not.

mod accepted;
// Tables, a case to a line; and `expect!` can't update itself where rustfmt has broken it into several.
#[rustfmt::skip]
mod refused_containers;
#[rustfmt::skip]
mod refused_keys;
#[rustfmt::skip]
mod refused_rolebox;
#[rustfmt::skip]
mod refused_texts;
#[rustfmt::skip]
mod refused_values;

use std::path::Path;

use expect_test::Expect;
use serde_json::{Value, json};

use super::{DefinitionError, TaskDefinition};

/// A definition with nothing wrong, as small as one can be.
fn smallest() -> Value {
    json!({
        "family": "sample",
        "taskRoleArn": "arn:aws:iam::123456789012:role/sample",
        "containerDefinitions": [{"name": "app", "image": "app.wasm", "memory": 64}],
    })
}

fn parse(document: &Value) -> Result<TaskDefinition, DefinitionError> {
    TaskDefinition::parse(&document.to_string(), Path::new("/tasks"))
}

fn accept(document: &Value) -> TaskDefinition {
    parse(document).unwrap_or_else(|error| panic!("{document} is refused: {error}"))
}

/// The smallest definition with the value at `pointer` (RFC 6901) set, missing parents included. Above the last list
/// element of a pointer all must be there but for objects.
fn with(pointer: &str, value: Value) -> Value {
    let mut document = smallest();
    let mut place = &mut document;
    for part in pointer.split('/').skip(1) {
        place = match part.parse::<usize>() {
            Ok(index) => {
                if place.is_null() {
                    *place = json!([]);
                }
                let list = place.as_array_mut().expect("a list");
                if list.len() <= index {
                    list.resize(index + 1, Value::Null);
                }
                &mut list[index]
            }
            Err(_) => &mut place[part],
        };
    }
    *place = value;
    document
}

/// Changes of the smallest definition, each with what is said about it.
fn refuse_each<const N: usize>(rows: [(&str, Value, Expect); N]) {
    for (pointer, value, expected) in rows {
        refuse(&with(pointer, value), expected);
    }
}

fn refuse(document: &Value, expected: Expect) {
    let error = parse(document).err().unwrap_or_else(|| panic!("{document} is accepted"));
    expected.assert_eq(&error.to_string());
}

fn refuse_text(text: &str, expected: Expect) {
    let error = TaskDefinition::parse(text, Path::new("/tasks")).err().unwrap_or_else(|| panic!("{text} is accepted"));
    expected.assert_eq(&error.to_string());
}
