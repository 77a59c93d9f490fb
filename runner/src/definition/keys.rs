//! What each key of a task definition is to us.
//!
//! ECS has some 140 keys, most of them for containers with a kernel, a network and a disk. Dropping those silently
//! would let a definition promise what no task gets, so each is named in one table ([`ecs_keys`](super::ecs_keys)) as
//! used, as meaning nothing here, or as refused. A key in no table is a mistake, and the answer names the likely one.

use serde_json::{Map, Value};

use super::ecs_keys;
use super::problem::{Location, Problems, quoted};

/// The keys that one kind of object takes.
#[derive(Debug)]
pub(super) struct Level {
    /// The object, as a message calls it: `a container definition`.
    pub(super) name: &'static str,
    pub(super) keys: &'static [Key],
}

/// One key of a [`Level`].
#[derive(Debug)]
pub(super) struct Key {
    pub(super) name: &'static str,
    pub(super) verdict: Verdict,
}

/// What is done with a key.
#[derive(Debug)]
pub(super) enum Verdict {
    /// Read by this module.
    Used,
    /// Read: an object with keys of its own.
    Object(&'static Level),
    /// Read: a list of such objects.
    List(&'static Level),
    /// Accepted, and without effect; the text says why nothing is lost.
    Ignored(&'static str),
    /// An object of which nothing is used: its keys are ignored or refused.
    Inspected(&'static Level),
    /// Would promise what Rolebox does not do. Accepted when it asks for nothing (null, false, 0, "" or empty), which
    /// is how `aws ecs describe-task-definition` prints what was not set.
    Refused {
        /// The sentence after the key's name: what it would promise.
        why: &'static str,
        mend: &'static str,
        /// Values that promise only what holds anyway.
        harmless: &'static [&'static str],
    },
}

/// A key that was accepted and has no effect.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct IgnoredKey {
    /// Its JSON path, `containerDefinitions[0].logConfiguration` for example.
    pub path: String,
    /// Why it means nothing here.
    pub why: &'static str,
}

/// Goes through a document's keys.
#[derive(Debug)]
pub(super) struct Sorter<'a> {
    pub(super) problems: &'a mut Problems,
    pub(super) ignored: &'a mut Vec<IgnoredKey>,
    /// Whether all objects and lists are where they belong, so that what is left can be read.
    is_well_formed: bool,
}

impl<'a> Sorter<'a> {
    /// Sorts the members of `object`: what is used is returned, what is ignored is listed, the rest reported. Null is
    /// what an absent key is. `None` if so much is wrong that the rest can't be read.
    pub(super) fn sort(
        level: &'static Level,
        object: Map<String, Value>,
        at: &Location,
        problems: &'a mut Problems,
        ignored: &'a mut Vec<IgnoredKey>,
    ) -> Option<Value> {
        let mut sorter = Self { problems, ignored, is_well_formed: true };
        let used = sorter.members(level, object, at);
        sorter.is_well_formed.then_some(Value::Object(used))
    }

    fn members(&mut self, level: &'static Level, object: Map<String, Value>, at: &Location) -> Map<String, Value> {
        let mut used = Map::new();
        for (name, value) in object {
            let place = at.key(&name);
            let Some(key) = level.keys.iter().find(|key| key.name == name) else {
                let (what, mend) = unknown(level, &name);
                self.problems.add(&place, what, mend);
                continue;
            };
            if !value.is_null()
                && let Some(value) = self.member(key, value, &place)
            {
                used.insert(name, value);
            }
        }
        used
    }

    /// The value of `key`, if it is used.
    fn member(&mut self, key: &'static Key, value: Value, at: &Location) -> Option<Value> {
        match &key.verdict {
            Verdict::Used => Some(value),
            Verdict::Object(level) => self.object(level, value, at),
            Verdict::List(level) => {
                let Value::Array(values) = value else {
                    self.wrong_type(&value, "a list", at);
                    return None;
                };
                let sorted = values.into_iter().enumerate();
                Some(sorted.filter_map(|(index, value)| self.object(level, value, &at.index(index))).collect())
            }
            Verdict::Ignored(why) => {
                if !asks_for_nothing(&value) {
                    self.ignored.push(IgnoredKey { path: at.to_string(), why });
                }
                None
            }
            Verdict::Inspected(level) => {
                self.object(level, value, at);
                None
            }
            Verdict::Refused { why, mend, harmless } => {
                let is_harmless = value.as_str().is_some_and(|text| harmless.contains(&text));
                if !asks_for_nothing(&value) && !is_harmless {
                    self.problems.add(at, format!("refused: {why}"), *mend);
                }
                None
            }
        }
    }

    /// Sorts what must be an object. The check is made here, since serde would read a struct from a list too, by
    /// position.
    fn object(&mut self, level: &'static Level, value: Value, at: &Location) -> Option<Value> {
        match value {
            Value::Object(object) => Some(Value::Object(self.members(level, object, at))),
            other => {
                self.wrong_type(&other, "an object", at);
                None
            }
        }
    }

    fn wrong_type(&mut self, value: &Value, expected: &str, at: &Location) {
        self.is_well_formed = false;
        let what = format!("{} is of the wrong type", kind(value));
        self.problems.add(at, what, format!("Give {expected}."));
    }
}

/// Whether a value is what `describe-task-definition` prints for a key that was not set.
fn asks_for_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(value) => !value,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Array(values) => values.is_empty(),
        Value::Object(members) => members.values().all(asks_for_nothing),
    }
}

/// The type of a value, with its article.
pub(super) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

fn unknown(level: &Level, name: &str) -> (String, String) {
    let what = format!("unknown key in {}", level.name);
    let here = || level.keys.iter().map(|key| key.name);
    let elsewhere = || {
        let has_name = |other: &&&Level| other.keys.iter().any(|key| key.name == name);
        let level = ecs_keys::LEVELS.iter().find(has_name)?;
        Some(format!("It is a key of {}: move it there.", level.name))
    };
    let did_you_mean = |close: &str| format!("Did you mean {}?", quoted(close));
    let mend = here()
        .find(|key| key.eq_ignore_ascii_case(name))
        .map(did_you_mean)
        .or_else(elsewhere)
        .or_else(|| closest(name, here()).map(did_you_mean));
    if let Some(mend) = mend {
        return (what, mend);
    }
    let known: Vec<_> = level
        .keys
        .iter()
        .filter(|key| matches!(key.verdict, Verdict::Used | Verdict::Object(_) | Verdict::List(_)))
        .map(|key| key.name)
        .collect();
    (what, format!("Remove it; the keys read here are {}.", known.join(", ")))
}

/// The candidate that `name` most likely misspells: equal but for case, or else at most a third of its letters away.
fn closest<'a>(name: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    // Longer than any key: nobody's typing mistake, and the distance takes quadratic time.
    const LONGEST: usize = 64;
    if name.len() > LONGEST {
        return None;
    }
    let name = name.to_ascii_lowercase();
    candidates
        .map(|candidate| (distance(&name, &candidate.to_ascii_lowercase()), candidate))
        .filter(|(distance, candidate)| *distance <= candidate.len() / 3)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// The Levenshtein distance: how many letters to insert, remove or replace.
fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (line, letter) in left.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = line + 1;
        for (column, other) in right.iter().enumerate() {
            let replaced = diagonal + usize::from(letter != *other);
            diagonal = row[column + 1];
            row[column + 1] = replaced.min(row[column] + 1).min(diagonal + 1);
        }
    }
    row[right.len()]
}
