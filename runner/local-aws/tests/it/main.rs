//! The emulator over its port: what a client gets, and mostly what it does not get.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod access;
mod client;
mod data_folder;
mod objects;
mod owners;
mod roles;
mod secrets;
mod server;
mod signature;
mod sts;
