//! Command-line words, parsed into what they mean.
//!
//! The guests take their work from the task definition's `command`. A word that is wrong is an error that names it: a
//! bench must not measure something else than it says.

use std::fmt::Display;
use std::str::FromStr;

/// Words that name no measurement.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ArgumentError {
    /// There are too many words or too few.
    #[error("expected {usage}, got {got} words")]
    Words {
        /// What was expected, a name for each word.
        usage: &'static str,
        /// How many words there were.
        got: usize,
    },
    /// A word is none of those that can stand in its place.
    #[error("{what} is {word:?}, and can be {}", known.join(", "))]
    Choice {
        /// The word's name in the usage.
        what: &'static str,
        /// The word.
        word: String,
        /// What it can be.
        known: Vec<&'static str>,
    },
    /// A word is no number, or one that is too small or too large.
    #[error("{what} is {word:?}, and must be a whole number, at least {least}, that this machine can count to")]
    Number {
        /// The word's name in the usage.
        what: &'static str,
        /// The word.
        word: String,
        /// The smallest number that can stand in its place.
        least: String,
    },
    /// A name is empty.
    #[error("{what} is empty")]
    Empty {
        /// The word's name in the usage.
        what: &'static str,
    },
}

/// The words, if there are as many as `usage` names.
///
/// # Errors
///
/// [`ArgumentError::Words`].
pub fn exactly<'a, const N: usize>(usage: &'static str, words: &'a [String]) -> Result<&'a [String; N], ArgumentError> {
    words.try_into().map_err(|_| ArgumentError::Words { usage, got: words.len() })
}

/// A whole number that is `least` or more.
///
/// # Errors
///
/// [`ArgumentError::Number`].
pub fn number<T: FromStr + PartialOrd + Display>(what: &'static str, word: &str, least: T) -> Result<T, ArgumentError> {
    match word.parse() {
        Ok(number) if number >= least => Ok(number),
        _ => Err(ArgumentError::Number { what, word: word.to_owned(), least: least.to_string() }),
    }
}

/// A name, which has at least one character.
///
/// # Errors
///
/// [`ArgumentError::Empty`].
pub fn name(what: &'static str, word: &str) -> Result<String, ArgumentError> {
    if word.is_empty() { Err(ArgumentError::Empty { what }) } else { Ok(word.to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_whole_and_not_too_small() {
        assert_eq!(number("COUNT", "7", 1), Ok(7_u64));
        for word in ["", "0", "-1", "1.5", "seven", " 7", "99999999999999999999"] {
            let error = number("COUNT", word, 1_u64).expect_err("no such number");
            let text =
                format!("COUNT is {word:?}, and must be a whole number, at least 1, that this machine can count to");
            assert_eq!(error.to_string(), text);
        }
    }

    #[test]
    fn as_many_words_as_the_usage_names() {
        let words = ["a".to_owned(), "b".to_owned()];
        assert_eq!(exactly("A B", &words), Ok(&words));
        let error = exactly::<3>("A B C", &words).expect_err("a word is missing");
        assert_eq!(error.to_string(), "expected A B C, got 2 words");
    }
}
