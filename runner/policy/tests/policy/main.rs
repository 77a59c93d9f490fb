//! The crate's behaviour through its public interface, mostly as tables.
//!
//! What a row expects comes from AWS's documentation or from what the capability's author must be able to rely on,
//! never from running the code: the module that a table tests would agree with itself.

#![allow(clippy::unwrap_used, reason = "a test that unwraps what is not there fails, as it should")]

mod accounts;
mod authorize;
mod capabilities;
mod conditions;
mod documents;
mod equivalence;
mod evaluation;
mod facts;
mod session_policies;
mod support;
mod trust;
