//! A guest's request as it comes in, and the operation that is made of it.

use std::fmt;

use bytes::Bytes;
use rolebox_policy::{AccountId, Check, Region};

use crate::host::AwsHost;
use crate::refusal::Refusal;
use crate::s3::StreamedBody;
use crate::wire::query;

/// A request that a guest wants signed, as it comes out of either door.
#[derive(Clone)]
pub struct Call {
    /// The service's endpoint prefix as in its host name: `s3`, `dynamodb`, `secretsmanager` …
    pub service: String,
    /// The Region to call; the task's own when absent.
    pub region: Option<String>,
    /// The HTTP method in capitals.
    pub method: String,
    /// The absolute path, percent-encoded as on the wire, without a query. S3 buckets are named in the path.
    pub path: String,
    /// Query keys and values, decoded. A key that stands alone has the value `""`.
    pub query: Vec<(String, String)>,
    /// Header names in any case, and values.
    pub headers: Vec<(String, Vec<u8>)>,
    /// The body, whole; empty for none, and for one that is yet to come ([`parse_streamed`](crate::parse_streamed)).
    pub body: Bytes,
}

impl Call {
    /// A request to an AWS host name, as it stands on the wire.
    ///
    /// `path_and_query` is the request target in origin form (RFC 9112, section 3.2.1). A bucket in the host name is put
    /// in front of the path.
    ///
    /// # Errors
    ///
    /// When the query is malformed. Everything else is [`parse`](crate::parse)'s to check.
    pub fn from_wire(
        host: &AwsHost,
        method: &str,
        path_and_query: &str,
        headers: Vec<(String, Vec<u8>)>,
        body: Bytes,
    ) -> Result<Self, Refusal> {
        let (path, raw_query) = path_and_query.split_once('?').unwrap_or((path_and_query, ""));
        let path = match &host.bucket {
            Some(bucket) if path.starts_with('/') => format!("/{bucket}{path}"),
            _ => path.to_owned(),
        };
        Ok(Self {
            service: host.service.clone(),
            region: Some(host.region.clone()),
            method: method.to_owned(),
            path,
            query: query::decode(raw_query)?,
            headers,
            body,
        })
    }
}

impl fmt::Debug for Call {
    /// Without header values and body: they may hold a guest's own secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call")
            .field("service", &self.service)
            .field("region", &self.region)
            .field("method", &self.method)
            .field("path", &self.path)
            .field("query", &self.query)
            .field("headers", &self.headers.iter().map(|(name, _)| name).collect::<Vec<_>>())
            .field("body", &format_args!("{} bytes", self.body.len()))
            .finish()
    }
}

/// Whose request it is: what a name without an account, a Region or a partition means.
#[derive(Clone, Debug)]
pub struct CallerScope {
    /// The account of the task's role.
    pub account: AccountId,
    /// The partition of the task's role: `aws`, `aws-cn`, `aws-us-gov` …
    pub partition: String,
    /// The task's Region.
    pub region: Region,
}

/// How a service's requests and answers are written, which is also how a denial must be written for its SDKs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Protocol {
    /// REST with XML bodies: S3.
    RestXml,
    /// REST with JSON bodies: Lambda.
    RestJson,
    /// `application/x-amz-json-1.0` with an `X-Amz-Target`: DynamoDB, SQS.
    Json10,
    /// `application/x-amz-json-1.1` with an `X-Amz-Target`: KMS, Secrets Manager.
    Json11,
    /// Form encoded `Action` and parameters, XML answers: SNS, STS.
    Query,
}

/// The body of an operation.
#[derive(Clone)]
pub enum Payload {
    /// Made anew, or taken over as it is; empty for none.
    Whole(Bytes),
    /// Still to come. Its framing and its checksum are the sender's to write: no header speaks of them.
    Streamed(StreamedBody),
}

impl Payload {
    /// Bytes of the body.
    #[must_use]
    pub fn length(&self) -> u64 {
        match self {
            Self::Whole(body) => body.len() as u64,
            Self::Streamed(body) => body.length(),
        }
    }

    /// The body, where it is held whole.
    #[must_use]
    pub fn whole(&self) -> Option<&Bytes> {
        match self {
            Self::Whole(body) => Some(body),
            Self::Streamed(_) => None,
        }
    }
}

impl From<Bytes> for Payload {
    fn from(body: Bytes) -> Self {
        Self::Whole(body)
    }
}

impl fmt::Debug for Payload {
    /// Without the bytes: they may be a guest's own secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let how = if self.whole().is_some() { "" } else { ", streamed" };
        write!(f, "{} bytes{how}", self.length())
    }
}

/// What a request means, with everything that is needed to authorize it, and the request itself made anew.
///
/// Only [`parse`](crate::parse) makes one. None of its parts is a slice of what the guest sent.
#[derive(Clone)]
#[non_exhaustive]
pub struct Operation {
    /// The endpoint prefix: `s3`.
    pub service: &'static str,
    /// The service's name in the credential scope of a signature (Signature Version 4), mostly the same.
    pub signing_name: &'static str,
    /// The operation's name in the service's API: `PutObject`.
    pub name: &'static str,
    /// The Region that the request goes to and is signed for.
    pub region: Region,
    /// The HTTP method.
    pub method: &'static str,
    /// The absolute path, percent-encoded in the one form that is signed. Free of dot segments.
    pub path: String,
    /// Query keys and values, not encoded; see [`Operation::path_and_query`].
    pub query: Vec<(String, String)>,
    /// Header names in lower case and values of visible ASCII, without those of signing and of the connection.
    pub headers: Vec<(String, String)>,
    /// The body that is signed and sent.
    pub payload: Payload,
    /// Every permission that the operation needs; never empty.
    pub checks: Vec<Check>,
    /// Whether the request may carry `x-amz-expected-bucket-owner` (and, for a copy,
    /// `x-amz-source-expected-bucket-owner`), which the host sets from the authorization. S3's ListBuckets and
    /// CreateBucket, and all other services, know no such header.
    pub takes_bucket_owner: bool,
    /// How an answer of the service's is written.
    pub protocol: Protocol,
    /// Whether the request may be sent again after a connection is lost: it only reads.
    pub safe_to_retry: bool,
    /// Whether the answer, where it is a success, is bytes that the service stores as they are and that may be of any
    /// length: an object.
    pub answers_with_object: bool,
}

impl Operation {
    /// The path and the query, encoded as they are signed and sent.
    pub fn path_and_query(&self) -> String {
        let mut target = self.path.clone();
        if !self.query.is_empty() {
            target.push('?');
            target.push_str(&query::encode(&self.query));
        }
        target
    }
}

impl fmt::Debug for Operation {
    /// Without header values and body: they may hold a guest's own secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Operation")
            .field("service", &self.service)
            .field("name", &self.name)
            .field("region", &self.region)
            .field("method", &self.method)
            .field("target", &self.path_and_query())
            .field("headers", &self.headers.iter().map(|(name, _)| name).collect::<Vec<_>>())
            .field("payload", &self.payload)
            .field("checks", &self.checks)
            .finish_non_exhaustive()
    }
}
