//! What a task may ask AWS for: capabilities, the session policy rendered from them, and the evaluation of IAM's
//! policy language.
//!
//! A task definition declares [capabilities](Capabilities): IAM actions on ARN patterns, allow only. They have two
//! outputs. [`Capabilities::authorize`] answers, before anything is signed, whether a call is covered;
//! [`Capabilities::session_policy`] renders the same bound for `sts:AssumeRole`, so that AWS enforces it as well. The
//! two agree: a call that can be signed at all is allowed here exactly when IAM allows it under that policy.
//!
//! ```
//! use rolebox_policy::{Capabilities, Check, CheckAccount, CheckResource, RawCapability, RoleArn};
//!
//! let declared: Vec<RawCapability> = serde_json::from_str(
//!     r#"[{"action": "s3:PutObject", "resource": "arn:aws:s3:::node-sdk-sample-*/*"}]"#,
//! )?;
//! let role: RoleArn = "arn:aws:iam::123456789012:role/s3-sample".parse()?;
//! let capabilities = Capabilities::parse(declared, &role)?;
//!
//! // What AssumeRole is given.
//! assert_eq!(
//!     capabilities.session_policy()?.as_str(),
//!     concat!(
//!         r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:PutObject","#,
//!         r#""Resource":"arn:aws:s3:::node-sdk-sample-*/*","#,
//!         r#""Condition":{"StringEquals":{"aws:ResourceAccount":"123456789012"}}}]}"#,
//!     ),
//! );
//!
//! // What each call is held against, with what the host must set before it signs.
//! let object = |action: &str| {
//!     Check::new(action, CheckResource::Arn("arn:aws:s3:::node-sdk-sample-1/hello_world.txt".into()))
//!         .account(CheckAccount::BucketOwner(None))
//! };
//! let allowed = capabilities.authorize(&[object("s3:PutObject")])?;
//! assert_eq!(allowed.bucket_owner.as_ref(), Some(role.account()));
//!
//! let denied = capabilities.authorize(&[object("s3:PutObject"), object("s3:PutObjectTagging")]).unwrap_err();
//! assert_eq!(
//!     denied.reason(),
//!     "no capability of this task grants s3:PutObjectTagging on arn:aws:s3:::node-sdk-sample-1/hello_world.txt",
//! );
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! [`evaluate()`] and [`TrustPolicy`] implement IAM's own policy language, for an emulator that has to decide as AWS
//! would, and for the test that holds the two outputs together.
//!
//! Everything is pure: no I/O, no clock, no environment, no WebAssembly. What a decision depends on is an argument.
//! Absent on purpose: resource-based policies other than trust policies, permissions boundaries, service and resource
//! control policies. Nothing here grants anything by default, and what is not understood is refused when it is read.

mod arn;
mod capability;
mod check;
mod condition;
mod context;
mod document;
mod evaluate;
mod json;
mod pattern;
mod session_policy;
mod trust;

pub use arn::{AccountId, Arn, ArnError, Region, RoleArn};
pub use capability::{Capabilities, CapabilityError, OneOrMany, RawCapability};
pub use check::{Authorization, Check, CheckAccount, CheckResource, Denial, ItemKey, MissingGrant};
pub use context::Context;
pub use document::{PolicyDocument, PolicyError};
pub use evaluate::{AccessRequest, Decision, evaluate};
pub use session_policy::{SESSION_POLICY_LIMIT, SessionPolicy, SessionPolicyError};
pub use trust::{Principal, TrustPolicy};
