//! Requests as tables: what they mean, and what is refused.

mod common;
// Tables stay one case a line.
#[rustfmt::skip]
mod hostile;
mod properties;
mod s3;
#[rustfmt::skip]
mod services;
