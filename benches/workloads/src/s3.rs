//! Puts and gets of one object, one after the other: what is asked for ([`Plan`]), and with the feature `sdk` the loop
//! that does it with the official AWS SDK (`calls`).
//!
//! The guests on the typed client of `rolebox-guest` take the same plan and have their own loop, since that client
//! exists in tasks only.

use std::fmt;

use crate::arguments::{ArgumentError, exactly, name, number};
use crate::generate::bytes;

#[cfg(feature = "sdk")]
mod sdk;
#[cfg(feature = "sdk")]
pub use sdk::{CallError, calls};

/// What a call does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// PutObject.
    Put,
    /// GetObject, the whole body.
    Get,
}

/// What to measure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// What each call does.
    pub operation: Operation,
    /// The bucket, which must exist.
    pub bucket: String,
    /// The object's key. To be read, it must exist, with `size` bytes; [`body`] gives some.
    pub key: String,
    /// The object's size, in bytes.
    pub size: usize,
    /// Calls that are timed, at least one.
    pub count: usize,
    /// Calls before them that are not.
    pub warm_up: usize,
}

impl fmt::Display for Operation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Put => "put",
            Self::Get => "get",
        })
    }
}

impl Plan {
    /// The words that [`parse`](Self::parse) takes.
    pub const USAGE: &str = "put|get BUCKET KEY SIZE COUNT WARM_UP";

    /// A plan out of the words of a command line, without the program's name: [`USAGE`](Self::USAGE).
    ///
    /// # Errors
    ///
    /// [`ArgumentError`], for the first word that is wrong.
    pub fn parse(words: &[String]) -> Result<Self, ArgumentError> {
        let [operation, bucket, key, size, count, warm_up] = exactly(Self::USAGE, words)?;
        let operation = match operation.as_str() {
            "put" => Operation::Put,
            "get" => Operation::Get,
            word => {
                let known = vec!["put", "get"];
                return Err(ArgumentError::Choice { what: "the operation", word: word.to_owned(), known });
            }
        };
        Ok(Self {
            operation,
            bucket: name("BUCKET", bucket)?,
            key: name("KEY", key)?,
            size: number("SIZE", size, 0)?,
            count: number("COUNT", count, 1)?,
            warm_up: number("WARM_UP", warm_up, 0)?,
        })
    }

    /// The words that [`parse`](Self::parse) makes this plan of.
    pub fn words(&self) -> Vec<String> {
        let Self { operation, bucket, key, size, count, warm_up } = self;
        vec![
            operation.to_string(),
            bucket.clone(),
            key.clone(),
            size.to_string(),
            count.to_string(),
            warm_up.to_string(),
        ]
    }
}

/// A body of this many bytes, the same each time, which does not compress.
pub fn body(size: usize) -> Vec<u8> {
    bytes(size, 9)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Plan, ArgumentError> {
        Plan::parse(&line.split(' ').map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn a_plan_and_its_words_are_the_same() {
        let plan = Plan {
            operation: Operation::Put,
            bucket: "bench".into(),
            key: "a/b".into(),
            size: 65_536,
            count: 100,
            warm_up: 10,
        };
        assert_eq!(plan.words().join(" "), "put bench a/b 65536 100 10");
        assert_eq!(Plan::parse(&plan.words()), Ok(plan.clone()));
        assert_eq!(parse("get bench a/b 0 1 0"), {
            Ok(Plan { operation: Operation::Get, size: 0, count: 1, warm_up: 0, ..plan })
        });
    }

    #[test]
    fn a_word_that_is_wrong_is_named() {
        let whole = "and must be a whole number, at least";
        let cases = [
            ("", "expected put|get BUCKET KEY SIZE COUNT WARM_UP, got 1 words".to_owned()),
            ("put b k 1 1", "expected put|get BUCKET KEY SIZE COUNT WARM_UP, got 5 words".to_owned()),
            ("put b k 1 1 1 1", "expected put|get BUCKET KEY SIZE COUNT WARM_UP, got 7 words".to_owned()),
            ("Put b k 1 1 1", "the operation is \"Put\", and can be put, get".to_owned()),
            ("put  k 1 1 1", "BUCKET is empty".to_owned()),
            ("put b  1 1 1", "KEY is empty".to_owned()),
            ("put b k 1k 1 1", format!("SIZE is \"1k\", {whole} 0, that this machine can count to")),
            ("put b k 1 0 1", format!("COUNT is \"0\", {whole} 1, that this machine can count to")),
            ("put b k 1 1 -1", format!("WARM_UP is \"-1\", {whole} 0, that this machine can count to")),
        ];
        for (line, text) in cases {
            assert_eq!(parse(line).expect_err("is no plan").to_string(), text, "{line:?}");
        }
    }
}
