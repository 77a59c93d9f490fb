//! Guests run in process against the embedded AWS: one binary, so that everything is linked once.

#![allow(clippy::unwrap_used, reason = "a test that unwraps fails where it should")]

mod bounds;
mod code_cache;
mod compiling;
mod components;
mod cpu;
mod egress;
mod files;
mod guests;
mod hostile;
mod images;
mod languages;
mod limits;
mod moto;
mod pool;
mod roles;
mod sdk;
mod secrets;
mod serving;
mod streaming;
mod usage;
