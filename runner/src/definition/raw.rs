//! The document's shape: types as JSON has them, nothing checked beyond that.
//!
//! What is missing is `None` or empty here, so that every missing key can be reported at once by the code that
//! needs it. Keys are sorted before ([`keys`](super::keys)); `deny_unknown_fields` holds the two in step.

use std::collections::BTreeMap;
use std::fmt;

use rolebox_policy::RawCapability;
use serde::Deserialize;
use serde::de::{DeserializeOwned, Deserializer, Error, Visitor};
use serde_json::Value;

use super::problem::{Location, Problems};

/// Reads `value` as a `T`, or reports the first place where its type is wrong.
pub(super) fn read<T: DeserializeOwned>(value: Value, at: &Location, problems: &mut Problems) -> Option<T> {
    match serde_path_to_error::deserialize(value) {
        Ok(raw) => Some(raw),
        Err(error) => {
            let place = at.below(error.path());
            let (what, mend) = in_words_of_json(&error.into_inner().to_string());
            problems.add(&place, what, mend);
            None
        }
    }
}

/// serde speaks of Rust's types; the author wrote JSON. What is wrong, and how to mend it.
fn in_words_of_json(message: &str) -> (String, String) {
    if let Some(expected) = message.strip_prefix("expected ") {
        return ("the value is of the wrong type".to_owned(), format!("Give {expected}."));
    }
    if let Some(key) = message.strip_prefix("missing field ") {
        return (format!("the key {} is missing", key.replace('`', "\"")), "Add it.".to_owned());
    }
    match message.strip_prefix("invalid type: ").and_then(|found| found.rsplit_once(", expected ")) {
        Some((found, expected)) => {
            let found = match found {
                "map" => "an object",
                "sequence" => "a list",
                other => other,
            };
            let expected = match expected {
                "a map" => "an object",
                "a sequence" => "a list",
                other => other,
            };
            let found: String = found.chars().take(100).collect();
            (format!("{} is of the wrong type", found.replace("floating point", "number")), format!("Give {expected}."))
        }
        None => (message.to_owned(), String::new()),
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct RawTaskDefinition {
    pub(super) family: Option<String>,
    pub(super) task_role_arn: Option<String>,
    pub(super) execution_role_arn: Option<String>,
    pub(super) cpu: Option<Amount>,
    pub(super) memory: Option<Amount>,
    #[serde(default)]
    pub(super) container_definitions: Vec<RawContainer>,
    #[serde(default)]
    pub(super) volumes: Vec<RawVolume>,
    pub(super) rolebox: Option<RawRolebox>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct RawContainer {
    pub(super) name: Option<String>,
    pub(super) image: Option<String>,
    pub(super) cpu: Option<Whole>,
    pub(super) memory: Option<Whole>,
    pub(super) essential: Option<bool>,
    #[serde(default)]
    pub(super) entry_point: Vec<String>,
    #[serde(default)]
    pub(super) command: Vec<String>,
    #[serde(default)]
    pub(super) environment: Vec<RawVariable>,
    #[serde(default)]
    pub(super) mount_points: Vec<RawMountPoint>,
    #[serde(default)]
    pub(super) port_mappings: Vec<RawPortMapping>,
    #[serde(default)]
    pub(super) depends_on: Vec<RawDependency>,
    #[serde(default)]
    pub(super) docker_labels: BTreeMap<String, String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct RawVariable {
    pub(super) name: Option<String>,
    pub(super) value: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct RawMountPoint {
    pub(super) source_volume: Option<String>,
    pub(super) container_path: Option<String>,
    pub(super) read_only: Option<bool>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct RawPortMapping {
    pub(super) container_port: Option<Whole>,
    pub(super) host_port: Option<Whole>,
    pub(super) protocol: Option<String>,
    pub(super) app_protocol: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct RawDependency {
    pub(super) container_name: Option<String>,
    pub(super) condition: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct RawVolume {
    pub(super) name: Option<String>,
    pub(super) host: Option<RawHost>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct RawHost {
    pub(super) source_path: Option<String>,
}

/// The object under the key `rolebox`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct RawRolebox {
    #[serde(default)]
    pub(super) capabilities: Vec<RawCapability>,
    #[serde(default)]
    pub(super) egress: Vec<String>,
    pub(super) timeout: Option<String>,
    pub(super) session_policy: Option<String>,
    pub(super) role_session: Option<String>,
    pub(super) session_duration: Option<String>,
    pub(super) external_id: Option<String>,
    pub(super) source_identity: Option<String>,
    pub(super) session_tags: Option<bool>,
    pub(super) unsigned_payload: Option<bool>,
    pub(super) cpu_limit: Option<Whole>,
    pub(super) limits: Option<RawLimits>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct RawLimits {
    pub(super) output_bytes: Option<Whole>,
    pub(super) body_bytes: Option<Whole>,
    pub(super) calls_in_flight: Option<Whole>,
    pub(super) calls_per_second: Option<Whole>,
    pub(super) total_bytes: Option<Whole>,
    pub(super) call_timeout: Option<String>,
    pub(super) cpu_time: Option<String>,
    pub(super) open_files: Option<Whole>,
    pub(super) connections: Option<Whole>,
    pub(super) requests_in_flight: Option<Whole>,
}

/// A whole number of any size and sign: its range is checked where its meaning is known, and said in its units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Whole(pub(super) i128);

impl<'de> Deserialize<'de> for Whole {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct WholeVisitor;

        impl Visitor<'_> for WholeVisitor {
            type Value = Whole;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a whole number")
            }

            fn visit_i64<E: Error>(self, value: i64) -> Result<Whole, E> {
                Ok(Whole(value.into()))
            }

            fn visit_u64<E: Error>(self, value: u64) -> Result<Whole, E> {
                Ok(Whole(value.into()))
            }
        }

        deserializer.deserialize_any(WholeVisitor)
    }
}

/// What ECS takes for a task's `cpu` and `memory`: `512`, `"512"`, or with a unit, `"0.5 vCPU"`, `"1 GB"`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Amount {
    Number(i128),
    Text(String),
}

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AmountVisitor;

        impl Visitor<'_> for AmountVisitor {
            type Value = Amount;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a whole number or a string")
            }

            fn visit_i64<E: Error>(self, value: i64) -> Result<Amount, E> {
                Ok(Amount::Number(value.into()))
            }

            fn visit_u64<E: Error>(self, value: u64) -> Result<Amount, E> {
                Ok(Amount::Number(value.into()))
            }

            fn visit_str<E: Error>(self, value: &str) -> Result<Amount, E> {
                Ok(Amount::Text(value.to_owned()))
            }
        }

        deserializer.deserialize_any(AmountVisitor)
    }
}
