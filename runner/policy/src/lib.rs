//! What a task may ask AWS for: capabilities, the session policy rendered from them, and the evaluation of IAM's
//! policy language.
//!
//! A task definition declares [capabilities](Capabilities): IAM actions on ARN patterns, allow only. They have two
//! outputs. [`Capabilities::authorize`] answers, before anything is signed, whether a call is covered;
//! [`Capabilities::session_policy`] renders the same bound for `sts:AssumeRole`, so that AWS enforces it as well. The
//! two agree: a call that can be signed at all is allowed here exactly when IAM allows it under that policy.
//!
//! [`evaluate`] and [`TrustPolicy`] implement IAM's own policy language, for an emulator that has to decide as AWS
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
