//! Requests as tables: what they mean, and what is refused.

mod common;
mod s3;
