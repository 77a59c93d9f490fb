//! From text to a JSON tree in which every object names each of its keys once.
//!
//! `serde_json` keeps the last of two equal keys, other parsers keep the first: a definition that says `"privileged"`
//! or `"resource"` twice would mean one thing to its reviewer and another to the host. So doubled keys are errors, at
//! any depth, in the parts that nothing reads too.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use super::problem::{DefinitionError, Location, Problems};

/// Parses `text`. Doubled keys are added to `problems`; what is returned for them is of no use.
pub(super) fn parse(text: &str, at: &Location, problems: &mut Problems) -> Result<Value, DefinitionError> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    Tree { at: at.clone(), problems }
        .deserialize(&mut deserializer)
        .and_then(|value| deserializer.end().map(|()| value))
        .map_err(|error| DefinitionError::NotJson {
            line: error.line(),
            column: error.column(),
            reason: without_position(&error),
        })
}

/// `serde_json`'s message without the "at line 1 column 2" that it ends in.
pub(super) fn without_position(error: &serde_json::Error) -> String {
    let message = error.to_string();
    let suffix = format!(" at line {} column {}", error.line(), error.column());
    message.strip_suffix(&suffix).unwrap_or(&message).to_owned()
}

struct Tree<'a> {
    at: Location,
    problems: &'a mut Problems,
}

impl<'de> DeserializeSeed<'de> for Tree<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Tree<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while let Some(value) =
            sequence.next_element_seed(Tree { at: self.at.index(values.len()), problems: self.problems })?
        {
            values.push(value);
        }
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut values = Map::new();
        while let Some(key) = map.next_key::<String>()? {
            let at = self.at.key(&key);
            if values.contains_key(&key) {
                self.problems.add(&at, "this key appears twice in the same object", "Keep the one that you mean.");
            }
            let value = map.next_value_seed(Tree { at, problems: self.problems })?;
            values.insert(key, value);
        }
        Ok(Value::Object(values))
    }
}
