//! AWS calls for programs that run as Rolebox tasks.
//!
//! A task holds no key. It says which call it wants, the host checks that call against the capabilities of the task
//! definition, signs it with a session of the task's role, sends it, and hands back the answer. This crate is the
//! task's side of that: a typed client for Amazon S3 ([`s3::Client`]) and the plain call for every other service
//! ([`Call`]).
//!
//! # A whole task
//!
//! ```toml
//! [dependencies]
//! rolebox-guest = { path = "../rolebox/guest-sdk" }
//! ```
//!
//! ```no_run
//! use rolebox_guest::s3;
//!
//! fn main() -> Result<(), rolebox_guest::Error> {
//!     let s3 = s3::Client::new();
//!     s3.create_bucket("node-sdk-sample-1")?;
//!     s3.put_object("node-sdk-sample-1", "hello_world.txt", "Hello World!").send()?;
//!     println!("Successfully uploaded data to node-sdk-sample-1/hello_world.txt");
//!     Ok(())
//! }
//! ```
//!
//! `cargo build --release --target wasm32-wasip2` makes the component; `rustup target add wasm32-wasip2` is all that
//! it needs beside Rust.
//!
//! # Errors
//!
//! Every operation fails with an [`Error`], which tells apart what the host refused ([`Error::Denied`], before
//! anything was signed or sent), what kept an answer from coming, and what the service itself answered
//! ([`Error::Service`]).
//!
//! ```no_run
//! use rolebox_guest::{Error, s3};
//!
//! # fn main() -> Result<(), Error> {
//! let settings = match s3::Client::new().get_object("my-bucket", "settings.json") {
//!     Ok(object) => object.body,
//!     Err(error) if error.is_no_such_key() => b"{}".to_vec(),
//!     Err(Error::Denied(denial)) => {
//!         for grant in &denial.missing {
//!             eprintln!("the task definition must grant {} on {}", grant.action, grant.resource);
//!         }
//!         return Err(Error::Denied(denial));
//!     }
//!     Err(error) => return Err(error),
//! };
//! # Ok(())
//! # }
//! ```
//!
//! # Any other service
//!
//! ```no_run
//! use rolebox_guest::Call;
//!
//! # fn main() -> Result<(), rolebox_guest::Error> {
//! let answer = Call::new("dynamodb")
//!     .header("content-type", "application/x-amz-json-1.0")
//!     .header("x-amz-target", "DynamoDB_20120810.GetItem")
//!     .body(r#"{"TableName": "songs", "Key": {"id": {"S": "42"}}}"#)
//!     .send()?;
//! if answer.is_success() {
//!     println!("{}", String::from_utf8_lossy(&answer.body));
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # The official AWS SDK
//!
//! With the feature `aws-config`, `aws_config()` gives every client of the official SDK its HTTP, pauses, time and Region,
//! and `block_on` runs their futures:
//!
//! ```toml
//! [dependencies]
//! aws-sdk-s3 = { version = "1", default-features = false, features = ["behavior-version-latest"] }
//! rolebox-guest = { path = "../rolebox/guest-sdk", features = ["aws-config"] }
//! ```
//!
//! ```no_run
//! # #[cfg(feature = "aws-config")]
//! # {
//! use rolebox_guest::{aws_config, block_on, code_and_message};
//!
//! let s3 = aws_sdk_s3::Client::new(&aws_config());
//! match block_on(s3.list_buckets().send()) {
//!     Ok(listed) => println!("{} buckets", listed.buckets().len()),
//!     Err(error) => eprintln!("{}", code_and_message(&error)),
//! }
//! # }
//! ```
//!
//! A call that the host refuses is the service's own AccessDenied, which the SDK does not try again. Bodies stream. Build
//! such a task with optimisation: a debug build of the SDK has functions with more local variables than WebAssembly allows.
//!
//! # Outside a task
//!
//! The crate compiles for any target, so that a task's logic can be tested where it is written: a [`Transport`] of
//! the test's own stands in for the host. Without one, a call made outside a task fails with
//! [`Error::EndpointUnreachable`].
//!
//! # What is absent
//!
//! In the client and the call of this crate, streaming: requests and answers are held whole, up to the limit that
//! [`Error::TooLarge`] names. And retries: whether a call is worth a second try is the task's to say, and the host retries
//! what is safe. The official SDK has both. Signing, credentials and endpoints are the host's alone.

#[cfg(feature = "aws-config")]
mod aws_sdk;
mod bindings;
mod call;
mod error;
mod host;
pub mod s3;
pub mod uri;

#[cfg(feature = "aws-config")]
pub use aws_sdk::{aws_config, block_on, code_and_message};
#[cfg(feature = "aws-config")]
pub use aws_types::SdkConfig;
pub use call::{Call, Response, Transport};
pub use error::{Denial, Error, MissingGrant, ServiceError};
