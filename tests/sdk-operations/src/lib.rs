//! Calls through the official AWS SDK, and what each got, written down.
//!
//! A guest and a native program run the same functions against the same server with the same role, one after the other:
//! their transcripts must be equal line by line. Each function leaves nothing behind that it made, so that the second run
//! finds what the first one found.
//!
//! What cannot be equal twice is not written: request ids, times, and the ids that a service makes up. What a call got is
//! otherwise written whole, an error with its type, code, status and message.

pub mod dynamodb;
pub mod s3;
pub mod secrets;
mod transcript;

pub use transcript::Transcript;
