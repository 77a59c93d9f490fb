//! What is signed: an authorized operation with its final URL and headers.
//!
//! Both are made before the decision is recorded, so that an operation which cannot be sent as it was checked is denied
//! in the record too, and never allowed and then dropped.

use bytes::Bytes;
use http::header::CONTENT_LENGTH;
use http::{HeaderMap, HeaderName, HeaderValue};
use rolebox_aws_request::{Operation, Payload, StreamedBody};
use rolebox_policy::AccountId;

use super::CallError;
use super::endpoint::Target;
use super::framing::Framing;

/// Header by which S3 refuses a bucket of another owner.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-owner-condition.html>
const EXPECTED_BUCKET_OWNER: HeaderName = HeaderName::from_static("x-amz-expected-bucket-owner");
/// The same for the source of a copy.
const SOURCE_EXPECTED_BUCKET_OWNER: HeaderName = HeaderName::from_static("x-amz-source-expected-bucket-owner");

/// An operation that the task's capabilities grant. Only `TaskCalls::authorize` makes one.
#[derive(Debug)]
pub(super) struct Authorized {
    pub(super) operation: Operation,
    pub(super) bucket_owner: Option<AccountId>,
    pub(super) source_bucket_owner: Option<AccountId>,
}

/// An authorized operation that can be sent as it was checked. Only this is signed.
#[derive(Debug)]
pub(super) struct Addressed {
    pub(super) operation: Operation,
    pub(super) target: Target,
    pub(super) headers: HeaderMap,
    pub(super) sending: Sending,
}

/// How the body is sent.
#[derive(Debug)]
pub(super) enum Sending {
    /// Whole, under its hash.
    Whole(Bytes),
    /// While it comes in.
    Streamed { body: StreamedBody, framing: Framing },
}

impl Authorized {
    /// The operation with where it goes. What it cannot be sent for is an error, with the operation for the record.
    /// `unsigned` says that the definition lets bodies go unsigned over TLS.
    pub(super) fn addressed(
        self,
        unsigned: bool,
        target: impl FnOnce(&Operation) -> Result<Target, CallError>,
    ) -> Result<Addressed, Box<(Operation, CallError)>> {
        let sendable = target(&self.operation).and_then(|target| {
            let sending = match &self.operation.payload {
                Payload::Whole(body) => Sending::Whole(body.clone()),
                Payload::Streamed(body) => {
                    let framing = Framing::of(body, target.url.scheme() == "https", unsigned);
                    Sending::Streamed { body: body.clone(), framing }
                }
            };
            Ok((target, self.headers(&sending)?, sending))
        });
        match sendable {
            Ok((target, headers, sending)) => Ok(Addressed { operation: self.operation, target, headers, sending }),
            Err(error) => Err(Box::new((self.operation, error))),
        }
    }

    /// The headers to sign: the operation's own, and the owners that the capabilities bind buckets to.
    ///
    /// What cannot be a header is an error and never left out: one that is missing could be the one that narrows.
    fn headers(&self, sending: &Sending) -> Result<HeaderMap, CallError> {
        let operation = &self.operation;
        let mut headers = HeaderMap::with_capacity(operation.headers.len() + 3);
        for (name, value) in &operation.headers {
            let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| not_a_header(name))?;
            let value = HeaderValue::from_str(value).map_err(|_| not_a_header(name.as_str()))?;
            headers.append(name, value);
        }
        if operation.takes_bucket_owner {
            let owners = [
                (EXPECTED_BUCKET_OWNER, &self.bucket_owner),
                (SOURCE_EXPECTED_BUCKET_OWNER, &self.source_bucket_owner),
            ];
            for (name, owner) in owners {
                let Some(owner) = owner else { continue };
                let value = HeaderValue::from_str(owner.as_str()).map_err(|_| not_a_header(name.as_str()))?;
                headers.append(name, value);
            }
        }
        // An empty body is sent without a length otherwise, and S3 wants one with every upload. RFC 9110, section 8.6.
        match sending {
            Sending::Whole(body) if matches!(operation.method, "PUT" | "POST" | "PATCH") => {
                headers.append(CONTENT_LENGTH, HeaderValue::from(body.len()));
            }
            Sending::Whole(_) => {}
            Sending::Streamed { body, framing } => framing.describe(body, &mut headers)?,
        }
        Ok(headers)
    }
}

fn not_a_header(name: &str) -> CallError {
    CallError::InvalidRequest(format!("the header `{name}` cannot be sent"))
}
