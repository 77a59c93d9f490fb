//! AWS Signature Version 4, as a service checks it.
//!
//! s3s verifies signatures too, and does so again on every S3 request behind this. What it leaves open is checked here,
//! before it sees the request: that each `x-amz-*` header and the host are signed and exist, the credential's Region and
//! service, the session token and its expiry, and the time by a [clock](crate::Clock) that a test can move. STS
//! requests are checked here alone. The calculation follows
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html>; it shares no code with
//! the signer in `rolebox`, so that neither can hide a mistake of the other.
//!
//! Not served, and refused: presigned URLs, signatures in forms, Signature Version 2 and 4A, anonymous requests.

mod authorization;
mod canonical;
mod verify;

pub(crate) use authorization::to_hex;
pub(crate) use canonical::{Target, TargetError, decode};
pub(crate) use verify::{MAX_SKEW, PayloadClaim, Rejection, SigningService, amz_date, verify};
