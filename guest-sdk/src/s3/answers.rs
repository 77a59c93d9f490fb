//! What S3's answers mean.

use super::xml::Element;
use crate::{Error, Response, ServiceError};

/// A bucket as ListBuckets shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bucket {
    /// The name.
    pub name: String,
    /// When it was made, as S3 puts it: `2026-11-25T10:00:00.000Z`; may be empty.
    pub creation_date: String,
}

/// An object, whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object {
    /// What S3 knows about it.
    pub head: ObjectHead,
    /// Its content.
    pub body: Vec<u8>,
}

/// What S3 knows about an object.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ObjectHead {
    /// Bytes.
    pub content_length: Option<u64>,
    /// The media type.
    pub content_type: Option<String>,
    /// The entity tag, in the quotes that S3 puts around it.
    pub e_tag: Option<String>,
    /// When it was written, as an HTTP date: `Wed, 25 Nov 2026 10:00:00 GMT`.
    pub last_modified: Option<String>,
    /// The metadata of the user's own, `x-amz-meta-` taken off the names. Values that are not UTF-8 are left out.
    pub metadata: Vec<(String, String)>,
}

pub(super) fn object_head(response: &Response) -> ObjectHead {
    let text = |name| response.header(name).map(str::to_owned);
    let metadata = response.headers.iter().filter_map(|(name, value)| {
        let name = name.strip_prefix("x-amz-meta-")?;
        Some((name.to_owned(), String::from_utf8(value.clone()).ok()?))
    });
    ObjectHead {
        content_length: response.header("content-length").and_then(|length| length.parse().ok()),
        content_type: text("content-type"),
        e_tag: text("etag"),
        last_modified: text("last-modified"),
        metadata: metadata.collect(),
    }
}

pub(super) fn buckets(response: &Response) -> Result<Vec<Bucket>, Error> {
    let answer = Element::parse(&response.body, "ListAllMyBucketsResult").map_err(Error::UnexpectedAnswer)?;
    let buckets = answer.children("Buckets").flat_map(|buckets| buckets.children("Bucket"));
    let parsed = buckets.map(|bucket| {
        let name = bucket.text("Name").ok_or_else(|| Error::UnexpectedAnswer("a bucket has no name".to_owned()))?;
        let creation_date = bucket.text("CreationDate").unwrap_or_default();
        Ok(Bucket { name: name.to_owned(), creation_date: creation_date.to_owned() })
    });
    parsed.collect()
}

/// The error that an answer without success reports. What can't be read of it is made up for by the status: an error
/// is an error, also when a proxy on the way wrote it.
pub(super) fn service_error(response: &Response) -> ServiceError {
    let error = Element::parse(&response.body, "Error").ok();
    let text = |name| error.as_ref().and_then(|error| error.text(name)).map(str::to_owned);
    ServiceError {
        status: response.status,
        code: text("Code").filter(|code| !code.is_empty()).unwrap_or_else(|| status_in_words(response.status)),
        message: text("Message").unwrap_or_default(),
        request_id: text("RequestId").or_else(|| response.header("x-amz-request-id").map(str::to_owned)),
    }
}

/// Names for the statuses that S3 answers a HEAD request with, which has no body to carry a code.
fn status_in_words(status: u16) -> String {
    match status {
        301 => "MovedPermanently",
        304 => "NotModified",
        307 => "TemporaryRedirect",
        400 => "BadRequest",
        403 => "Forbidden",
        404 => "NotFound",
        405 => "MethodNotAllowed",
        412 => "PreconditionFailed",
        500 => "InternalError",
        503 => "ServiceUnavailable",
        _ => return format!("Status{status}"),
    }
    .to_owned()
}
