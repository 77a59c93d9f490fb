//! What isolation costs, measured: the program behind `cargo bench`.
//!
//! One program measures everything, and has a process for each table and repetition ([`run`]); a table is one file of
//! `tables`. What is measured natively and in wasm is the same source (`benches/workloads`, `benches/guests`), what
//! people would use in place of Rolebox is in `benches/baselines`, and what becomes of the samples in `benches/report`.
//!
//! Absent: micro-benchmarks for one's own comparison of two commits. Those are criterion's: `cargo bench --bench
//! pieces`.

mod bench;
mod embedded;
mod hosts;
mod inputs;
mod machine;
pub mod run;
mod server;
mod tables;
mod usage;

pub use hosts::{OneSession, ROLE, definition, runner, settings};
/// The smallest command: a component that ends at once and imports nothing.
pub const NO_OP: &str = inputs::NO_OP;
pub use hosts::image;
