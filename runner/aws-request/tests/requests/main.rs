//! Requests as tables: what they mean, and what is refused.

// Tables stay one case a line.
#[rustfmt::skip]
mod authorize;
mod common;
#[rustfmt::skip]
mod hostile;
mod properties;
mod s3;
#[rustfmt::skip]
mod services;
mod streamed;
