//! JSON bodies (RFC 8259), with every member name once, read into a tree and written anew.
//!
//! Readers differ in which of two members of one name they take, so a doubled name is refused at any depth. Numbers are
//! read as 64-bit integers or doubles; one that fits neither is refused. The order of members stays.

use std::collections::HashSet;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, Serializer};

use crate::refusal::{Quoted, Refusal};

/// A JSON value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Json {
    Null,
    Bool(bool),
    Integer(i64),
    Unsigned(u64),
    Double(f64),
    Text(String),
    List(Vec<Json>),
    Object(Vec<(String, Json)>),
}

impl Json {
    /// Reads a whole body, which must be an object.
    pub(crate) fn read(body: &[u8]) -> Result<Self, Refusal> {
        let refuse = |what: String| {
            Refusal::malformed("JSON body", what, "send one JSON object with each member name once, in UTF-8")
        };
        let json: Self = serde_json::from_slice(body).map_err(|error| refuse(error.to_string()))?;
        match json {
            Self::Object(_) => Ok(json),
            _ => Err(refuse("it is not an object".into())),
        }
    }

    /// The value as text without white space.
    pub(crate) fn write(&self) -> String {
        // Nothing in a tree that was read can't be written: names are strings and doubles are finite.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// The member called `name`, of an object.
    pub(crate) fn get(&self, name: &str) -> Option<&Self> {
        self.members().iter().find(|(member, _)| member == name).map(|(_, value)| value)
    }

    /// An object's members; none for anything else.
    pub(crate) fn members(&self) -> &[(String, Self)] {
        match self {
            Self::Object(members) => members,
            _ => &[],
        }
    }

    /// A text's characters.
    pub(crate) fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// A list's values.
    pub(crate) fn as_list(&self) -> Option<&[Self]> {
        match self {
            Self::List(values) => Some(values),
            _ => None,
        }
    }

    /// Whether it is an object.
    pub(crate) fn is_object(&self) -> bool {
        matches!(self, Self::Object(_))
    }

    /// The text of the member called `name`: `None` when it is absent.
    ///
    /// # Errors
    ///
    /// When it is something else than text. A service might read `null` as absent and a number as text, so neither is
    /// taken where a name stands that decides what is authorized.
    pub(crate) fn text(&self, name: &str) -> Result<Option<&str>, Refusal> {
        match self.get(name) {
            None => Ok(None),
            Some(Self::Text(text)) => Ok(Some(text)),
            Some(_) => Err(wrong_type(name, "a string")),
        }
    }

    /// The values of the list called `name`; empty when it is absent.
    pub(crate) fn list(&self, name: &str) -> Result<&[Self], Refusal> {
        match self.get(name) {
            None => Ok(&[]),
            Some(Self::List(values)) => Ok(values),
            Some(_) => Err(wrong_type(name, "a list")),
        }
    }

    /// The object called `name`: `None` when it is absent.
    pub(crate) fn object(&self, name: &str) -> Result<Option<&Self>, Refusal> {
        match self.get(name) {
            None => Ok(None),
            Some(value) if value.is_object() => Ok(Some(value)),
            Some(_) => Err(wrong_type(name, "an object")),
        }
    }
}

/// A member of the wrong type.
pub(crate) fn wrong_type(name: &str, expected: &str) -> Refusal {
    Refusal::malformed(
        format!("body member {}", Quoted(name)),
        format!("it is not {expected}"),
        "send it as the service's API Reference has it",
    )
}

struct JsonVisitor;

impl<'de> Visitor<'de> for JsonVisitor {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Json, E> {
        Ok(Json::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Json, E> {
        Ok(Json::Integer(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Json, E> {
        Ok(Json::Unsigned(value))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Json, E> {
        // Integers past 64 bits arrive here rounded: what would be sent is another number than what was received.
        if value.is_finite() && value.abs() < 2f64.powi(63) {
            Ok(Json::Double(value))
        } else {
            Err(E::custom("a number is out of range"))
        }
    }

    fn visit_str<E>(self, value: &str) -> Result<Json, E> {
        Ok(Json::Text(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Json, E> {
        Ok(Json::Text(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut values: A) -> Result<Json, A::Error> {
        let mut list = Vec::new();
        while let Some(value) = values.next_element()? {
            list.push(value);
        }
        Ok(Json::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Json, A::Error> {
        let mut members: Vec<(String, Json)> = Vec::new();
        while let Some(member) = map.next_entry::<String, Json>()? {
            members.push(member);
        }
        let mut names = HashSet::with_capacity(members.len());
        match members.iter().find(|(name, _)| !names.insert(name.as_str())) {
            Some((name, _)) => Err(A::Error::custom(format!("the member {} is given twice", Quoted(name)))),
            None => Ok(Json::Object(members)),
        }
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(JsonVisitor)
    }
}

impl Serialize for Json {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Integer(value) => serializer.serialize_i64(*value),
            Self::Unsigned(value) => serializer.serialize_u64(*value),
            Self::Double(value) => serializer.serialize_f64(*value),
            Self::Text(value) => serializer.serialize_str(value),
            Self::List(values) => values.serialize(serializer),
            Self::Object(members) => {
                let mut map = serializer.serialize_map(Some(members.len()))?;
                for (name, value) in members {
                    map.serialize_entry(name, value)?;
                }
                map.end()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies() {
        for (body, written) in [
            ("{}", "{}"),
            (" { \"b\" : 1 , \"a\" : [ true , null , -1.5 ] } ", r#"{"b":1,"a":[true,null,-1.5]}"#),
            (r#"{"a":"\u0041\ud83d\ude00\/"}"#, "{\"a\":\"A\u{1f600}/\"}"),
            (
                r#"{"a":18446744073709551615,"b":-9223372036854775808}"#,
                r#"{"a":18446744073709551615,"b":-9223372036854775808}"#,
            ),
            (r#"{"a":{"x":1},"b":{"x":1}}"#, r#"{"a":{"x":1},"b":{"x":1}}"#),
            ("", "refused"),
            ("[]", "refused"),
            ("null", "refused"),
            ("{} {}", "refused"),
            ("{},", "refused"),
            ("{'a':1}", "refused"),
            ("{a:1}", "refused"),
            (r#"{"a":1,}"#, "refused"),
            (r#"{"a":1,"a":1}"#, "refused"),
            (r#"{"a":1,"\u0061":2}"#, "refused"),
            (r#"{"a":{"b":[{"x":1,"x":2}]}}"#, "refused"),
            (r#"{"a":NaN}"#, "refused"),
            (r#"{"a":1e400}"#, "refused"),
            (r#"{"a":123456789012345678901234567890}"#, "refused"),
            (r#"{"a":01}"#, "refused"),
            (r#"{"a":"\ud83d"}"#, "refused"),
            (r#"{"a":"\x41"}"#, "refused"),
            ("{\"a\":\"\n\"}", "refused"),
            ("\u{feff}{}", "refused"),
            ("{/* c */}", "refused"),
        ] {
            assert_eq!(Json::read(body.as_bytes()).map_or("refused".into(), |json| json.write()), written, "{body}");
        }
        assert!(Json::read(b"{\"a\":\"\xff\"}").is_err());
        let deep = format!("{{\"a\":{}{}}}", "[".repeat(1000), "]".repeat(1000));
        assert!(Json::read(deep.as_bytes()).is_err());
    }
}
