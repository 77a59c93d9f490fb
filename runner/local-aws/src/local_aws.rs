//! The emulator as a whole: how it is made, how it answers, and what tests and demonstrations can look at.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use http::{Method, Request, Response};
use hyper::body::Incoming;
use rolebox_policy::AccountId;
use tokio::net::TcpListener;
use uuid::Uuid;

use crate::REGION;
use crate::clock::Clock;
use crate::credentials::{Credentials, IssuedSession};
use crate::random;
use crate::request_log::{RequestLog, RequestRecord};
use crate::roles::Roles;
use crate::s3::S3;
use crate::server::Server;
use crate::store::{BucketInfo, DataFolder, DataFolderError, ObjectInfo, Store};
use crate::sts::Sts;

/// The longest body of one request when nothing else is said: 5 GiB, S3's own limit for one PUT
/// (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/upload-objects.html>).
const DEFAULT_MAX_BODY: u64 = 5 * 1024 * 1024 * 1024;

/// An embedded S3 and STS. Clones are the same one.
#[derive(Clone, Debug)]
pub struct LocalAws {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    roles: Roles,
    clock: Clock,
    credentials: Arc<Credentials>,
    store: Store,
    s3: S3,
    log: RequestLog,
}

/// How to make a [`LocalAws`].
#[derive(Clone, Debug)]
pub struct LocalAwsBuilder {
    roles: Roles,
    data: DataFolder,
    clock: Clock,
    max_body: u64,
}

/// Why an emulator can't be made, or asked about its data.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LocalAwsError {
    /// The data folder can't be used.
    #[error(transparent)]
    Data(#[from] DataFolderError),
    /// The address can't be listened on.
    #[error("can't listen on {address}: {source}; choose another address, or port 0 for any free one")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The store refused what was asked for directly.
    #[error("the embedded S3 refuses: {code}: {message}")]
    Store {
        /// S3's error code.
        code: String,
        /// What is wrong.
        message: String,
    },
}

impl From<s3s::S3Error> for LocalAwsError {
    fn from(error: s3s::S3Error) -> Self {
        Self::Store { code: error.code().as_str().into(), message: error.message().unwrap_or_default().into() }
    }
}

impl LocalAwsBuilder {
    /// Where buckets and objects are kept. Default: a temporary folder.
    #[must_use]
    pub fn data(mut self, data: DataFolder) -> Self {
        self.data = data;
        self
    }

    /// Where the time comes from. Default: the system.
    #[must_use]
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// The longest body of one request, in bytes. Default: 5 GiB, as in S3.
    #[must_use]
    pub fn max_body(mut self, bytes: u64) -> Self {
        self.max_body = bytes;
        self
    }

    /// Opens the data folder and makes the host's key.
    ///
    /// # Errors
    /// When the data folder can't be used, for instance because another process does.
    pub fn build(self) -> Result<LocalAws, LocalAwsError> {
        let store = Store::open(&self.data, self.clock.clone())?;
        let credentials = Arc::new(Credentials::new());
        let s3 = S3::new(store.clone(), Arc::clone(&credentials), self.max_body);
        let log = RequestLog::default();
        let inner = Inner { roles: self.roles, clock: self.clock, credentials, store, s3, log };
        Ok(LocalAws { inner: Arc::new(inner) })
    }
}

impl LocalAws {
    /// Begins an emulator with these roles.
    pub fn builder(roles: Roles) -> LocalAwsBuilder {
        LocalAwsBuilder { roles, data: DataFolder::default(), clock: Clock::default(), max_body: DEFAULT_MAX_BODY }
    }

    /// Listens on `address` and serves from a task of the current runtime.
    ///
    /// # Errors
    /// When the address can't be listened on.
    pub async fn start(self, address: SocketAddr) -> Result<Server, LocalAwsError> {
        let failed = |source| LocalAwsError::Listen { address, source };
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        Server::start(self, listener).map_err(failed)
    }

    /// The host's ARN, which a role's trust policy can name.
    pub fn host_arn(&self) -> String {
        self.inner.credentials.host().principal.arn.to_string()
    }

    /// The environment of a client that is the host, for a server at `address`.
    pub fn environment(&self, address: SocketAddr) -> [EnvironmentVariable; 4] {
        let host = self.inner.credentials.host();
        let variable = |name, value: &str| EnvironmentVariable { name, value: value.into() };
        [
            variable("AWS_ENDPOINT_URL", &format!("http://{address}")),
            variable("AWS_REGION", REGION),
            variable("AWS_ACCESS_KEY_ID", &host.access_key_id),
            variable("AWS_SECRET_ACCESS_KEY", host.secret_access_key.expose()),
        ]
    }

    /// The role sessions that STS handed out, those that expire first in front.
    pub fn issued_sessions(&self) -> Vec<IssuedSession> {
        self.inner.credentials.issued()
    }

    /// The requests that were answered, oldest first: the last 10,000.
    pub fn requests(&self) -> Vec<RequestRecord> {
        self.inner.log.all()
    }

    /// Every bucket, whoever owns it.
    pub fn buckets(&self) -> Vec<BucketInfo> {
        self.inner.store.bucket_infos()
    }

    /// The objects of a bucket in the order of their keys; `None` when there is no such bucket.
    pub fn objects(&self, bucket: &str) -> Option<Vec<ObjectInfo>> {
        self.inner.store.object_infos(bucket)
    }

    /// An object's content.
    ///
    /// # Errors
    /// When there is no such bucket or key, or the data folder fails.
    pub fn object(&self, bucket: &str, key: &str) -> Result<Vec<u8>, LocalAwsError> {
        Ok(self.inner.store.read_whole(bucket, key)?)
    }

    /// Makes a bucket that `owner` owns, past every check. `open_to_the_world` lets every caller of every account do
    /// everything in it that their own policies allow, as a bucket policy for everybody would; otherwise only `owner`'s
    /// callers are let in.
    ///
    /// # Errors
    /// When the name is taken or not one of a bucket, or the data folder fails.
    pub fn create_bucket_of(
        &self,
        owner: &AccountId,
        bucket: &str,
        open_to_the_world: bool,
    ) -> Result<(), LocalAwsError> {
        if !s3s::path::check_bucket_name(bucket) {
            let message =
                format!("`{bucket}` is not a bucket's name: 3 to 63 lower case letters, digits, dots and hyphens");
            return Err(LocalAwsError::Store { code: "InvalidBucketName".into(), message });
        }
        Ok(self.inner.store.create_bucket(bucket, owner.as_str(), open_to_the_world)?)
    }

    /// Writes an object, past every check.
    ///
    /// # Errors
    /// When there is no such bucket, or the data folder fails.
    pub async fn put_object(&self, bucket: &str, key: &str, content: impl Into<Vec<u8>>) -> Result<(), LocalAwsError> {
        Ok(self.inner.store.write_whole(bucket, key, content.into()).await?)
    }

    /// Answers one request that came over HTTP.
    pub(crate) async fn answer(&self, request: Request<Incoming>, peer: SocketAddr) -> Response<s3s::Body> {
        let inner = &*self.inner;
        let now = inner.clock.now();
        let (parts, incoming) = request.into_parts();
        let (method, path) = (parts.method.to_string(), parts.uri.path().to_owned());
        // S3 has no operation of this form, and STS no other.
        let is_sts = parts.method == Method::POST && parts.uri.path() == "/";
        let (request_id, answer) = if is_sts {
            let request_id = Uuid::new_v4().to_string();
            let sts = Sts { roles: &inner.roles, credentials: &inner.credentials, now };
            let answer = sts.handle(&parts, incoming, peer, &request_id).await;
            (request_id, answer)
        } else {
            let request_id = random::identifier("");
            let answer = inner.s3.handle(parts, incoming, peer, now, &request_id).await;
            (request_id, answer)
        };
        inner.log.push(RequestRecord {
            time: now.into(),
            request_id,
            method,
            path,
            service: answer.service,
            operation: answer.operation,
            principal: answer.principal,
            session_name: answer.session_name,
            status: answer.response.status().as_u16(),
            error_code: answer.error_code,
        });
        answer.response
    }
}

/// One variable of the host's environment.
///
/// Its `Display` form, `NAME=value`, is what a shell's `export` takes; its `Debug` form shows no value, since one of them
/// is the secret key.
#[derive(Clone)]
pub struct EnvironmentVariable {
    /// The name.
    pub name: &'static str,
    /// The value.
    pub value: String,
}

impl fmt::Display for EnvironmentVariable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.name, self.value)
    }
}

impl fmt::Debug for EnvironmentVariable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}=…", self.name)
    }
}
