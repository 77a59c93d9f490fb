//! Role sessions: the temporary credentials under which the host signs one task's calls.
//!
//! ECS hands a task its role's credentials; Rolebox keeps them. [`RoleSessions`] assumes the task's role through an
//! [`Sts`], [`RoleSession`] is one task's hold on the outcome, and [`RoleSession::credentials`] gives the
//! [`SessionCredentials`] that sign the next call. Between the two stand the rules that keep this dull in operation:
//!
//! - **One asks, the others wait.** Whoever needs a session first starts the AssumeRole call on a task of its own and
//!   waits for it like everybody else, so a caller that goes away harms nobody, and a failure is handed to all who
//!   waited instead of making each of them ask again.
//! - **Refreshed early, served late.** A call after about two thirds of the session's life starts a refresh and is
//!   served the old session meanwhile, until [`EXPIRY_MARGIN`] before it expires. Then calls fail: an expired session
//!   is never signed with.
//! - **A good session outlives bad answers.** An answer is checked before it replaces anything ([`SessionCredentials`]
//!   says how), and a failed refresh changes nothing but the time of the next one.
//! - **No storm.** STS sees a bounded number of calls at once; throttling and outages pause all sessions together, and
//!   each session remembers its last failure for a while and answers from memory. A refusal is not repeated at once.
//! - **Nothing outlives its task.** The last [`RoleSession`] takes the credentials with it; they are zeroized.
//!
//! Refreshing is lazy: it is calls that start it. A task that makes none for a session's whole life costs STS nothing,
//! and its next call waits for AssumeRole.
//!
//! An outage of STS costs no call if it is over when the session has a minute left: a session of one hour outlasts any
//! half hour that begins in its first 29 minutes. One that begins just before the refresh may last only the third that
//! is left. Longer sessions outlast more.
//!
//! Absent: the choice of base credentials (the embedder passes a provider), assuming with a web identity or SAML, and
//! any way from a guest to here. No process environment is read, save what libraries read by themselves: the AWS SDK
//! its log switch (made harmless, see [`AwsSts`]), user agent, trace header and partition file, and [`https_client`]
//! the place of the system's certificates.

mod answer;
mod aws;
mod denied;
mod error;
mod gate;
mod request;
mod schedule;
mod sessions;
mod settings;
mod sts;
#[cfg(test)]
mod tests;

pub use self::answer::{Secret, SessionCredentials};
pub use self::aws::{AwsSts, AwsStsSettings, https_client};
pub use self::error::RoleSessionError;
pub use self::request::{
    BaseIdentity, DEFAULT_DURATION, ExternalId, RoleSessionRequest, RoleSessionRequestError, SessionName,
    SessionPolicyChoice, SourceIdentity,
};
pub use self::schedule::{EXPIRY_MARGIN, Randomness};
pub use self::sessions::{RoleSession, RoleSessions};
pub use self::settings::{RoleSessionsSettings, Sharing};
pub use self::sts::{AssumeRoleAnswer, Sts, StsError, StsFuture};
