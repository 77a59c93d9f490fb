//! An S3 and an STS for one's own machine that enforce what AWS would.
//!
//! They listen on one port of the loopback, in the process that starts them, and are account `123456789012` in
//! `us-east-1`. Roles come from a [file](Roles); buckets and objects are kept in a [folder](DataFolder). The host gets
//! one key ([`Server::environment`]) that may assume every role whose trust policy admits it, and may look at S3 but not
//! write. All else needs a role's session.
//!
//! What is enforced: the signature with every `x-amz-*` header, the host, the body's digest, Region, service and a clock
//! skew of 15 minutes; the session token and its expiry; trust policies; the role's policies intersected with the session
//! policy, an explicit deny first; the owner of each bucket. Answers have AWS's error codes and elements.
//!
//! What is absent: other services, other accounts' principals, bucket policies and ACLs (a bucket is closed to other
//! accounts, or [open to the world](LocalAws::create_bucket_of)), presigned URLs, anonymous requests, virtual-hosted
//! names, versions, tags, encryption with keys, object lock. Requests for them are refused, never ignored.
//!
//! ```
//! # use rolebox_local_aws::{LocalAws, LocalAwsError, Roles};
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let roles = Roles::from_json(
//!     r#"{"roles": [{
//!         "name": "reader",
//!         "trustPolicy": {"Version": "2012-10-17", "Statement": [{
//!             "Effect": "Allow",
//!             "Principal": {"AWS": "arn:aws:iam::123456789012:root"},
//!             "Action": "sts:AssumeRole"}]},
//!         "managedPolicyArns": ["arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"]}]}"#,
//! )?;
//! let server = LocalAws::builder(roles).build()?.start("127.0.0.1:0".parse()?).await?;
//! for variable in server.environment() {
//!     println!("export {variable}");
//! }
//! server.shutdown().await;
//! # Ok(())
//! # }
//! ```

mod answer;
mod body;
mod clock;
mod condition_keys;
mod credentials;
mod local_aws;
mod managed;
mod principal;
mod random;
mod request_log;
mod roles;
mod s3;
mod secret;
mod server;
mod sigv4;
mod store;
mod sts;

pub use clock::{Clock, ManualClock};
pub use credentials::IssuedSession;
pub use local_aws::{EnvironmentVariable, LocalAws, LocalAwsBuilder, LocalAwsError};
pub use request_log::RequestRecord;
pub use roles::{KnownPolicies, Roles, RolesError};
pub use secret::Secret;
pub use server::{Server, serve};
pub use store::{BucketInfo, DataFolder, DataFolderError, ObjectInfo};

/// The account that this is.
pub const ACCOUNT: &str = "123456789012";
/// The Region that this is.
pub const REGION: &str = "us-east-1";
/// The user whose key the host gets: `arn:aws:iam::123456789012:user/rolebox-host`.
pub const HOST_USER: &str = "rolebox-host";
