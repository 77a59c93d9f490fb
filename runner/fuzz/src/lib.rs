//! What the fuzz targets share: how an input becomes a request or a set of capabilities, and what must hold of it.
//!
//! Each target is a few lines in `fuzz_targets/`. What it holds stands here, so that two targets that reach the same
//! code by different doors hold it to the same rules. A rule that breaks is a panic, which is what libFuzzer looks for.

#![warn(missing_docs)]

pub mod capabilities;
pub mod policy;
pub mod request;
pub mod streamed;
pub mod words;

/// What goes before the first empty line of an input, and what goes after it; all of it before when there is none.
///
/// The inputs of most targets are texts of this form, so that seeds are readable and a dictionary is of use.
pub fn split(input: &[u8]) -> (&[u8], &[u8]) {
    match input.windows(2).position(|two| two == b"\n\n") {
        Some(at) => (&input[..at], &input[at + 2..]),
        None => (input, &[]),
    }
}

/// Asserts that a message says something, in lines that can be shown and logged as they are.
pub fn readable(message: &str) {
    assert!(!message.trim().is_empty());
    for line in message.split('\n') {
        assert!(!line.is_empty() && !line.contains(char::is_control), "{message:?}");
    }
}
