//! Conditions of a request on an object's state, and ranges of it.

use std::ops::Range;

use s3s::dto::{CopySource, ETagCondition, Timestamp};
use s3s::{S3Error, S3ErrorCode, S3Result, s3_error};

use super::index::Precondition;
use super::records::ObjectRecord;

/// The conditions of a read, as RFC 9110 section 13.2.2 orders them.
pub(super) struct Conditions {
    if_match: Option<ETagCondition>,
    if_none_match: Option<ETagCondition>,
    if_modified_since: Option<Timestamp>,
    if_unmodified_since: Option<Timestamp>,
}

enum Outcome {
    Holds,
    NotModified,
    Failed,
}

impl Conditions {
    pub(super) fn of(
        if_match: Option<ETagCondition>,
        if_none_match: Option<ETagCondition>,
        if_modified_since: Option<Timestamp>,
        if_unmodified_since: Option<Timestamp>,
    ) -> Self {
        Self { if_match, if_none_match, if_modified_since, if_unmodified_since }
    }

    fn evaluate(&self, record: &ObjectRecord) -> Outcome {
        let matches = |condition: &ETagCondition| match condition {
            ETagCondition::Any => true,
            ETagCondition::ETag(etag) => etag.value() == record.content.etag,
        };
        // Dates in headers have seconds only, so the record's time is cut to one as well.
        let modified = record.last_modified.time().unix_timestamp();
        let seconds = |timestamp: &Timestamp| time::OffsetDateTime::from(timestamp.clone()).unix_timestamp();
        match (&self.if_match, &self.if_unmodified_since) {
            (Some(condition), _) if !matches(condition) => return Outcome::Failed,
            (None, Some(since)) if modified > seconds(since) => return Outcome::Failed,
            _ => {}
        }
        match (&self.if_none_match, &self.if_modified_since) {
            (Some(condition), _) if matches(condition) => Outcome::NotModified,
            (None, Some(since)) if modified <= seconds(since) => Outcome::NotModified,
            _ => Outcome::Holds,
        }
    }

    pub(super) fn check(&self, record: &ObjectRecord) -> S3Result<()> {
        match self.evaluate(record) {
            Outcome::Holds => Ok(()),
            Outcome::Failed => Err(precondition_failed()),
            Outcome::NotModified => {
                let mut error = S3Error::with_message(S3ErrorCode::Custom("NotModified".into()), "Not Modified");
                error.set_status_code(http::StatusCode::NOT_MODIFIED);
                Err(error)
            }
        }
    }

    /// As [`check`](Self::check), for the source of a copy, which has no "not modified".
    pub(super) fn check_source(&self, record: &ObjectRecord) -> S3Result<()> {
        match self.evaluate(record) {
            Outcome::Holds => Ok(()),
            Outcome::Failed | Outcome::NotModified => Err(precondition_failed()),
        }
    }
}

fn precondition_failed() -> S3Error {
    s3_error!(PreconditionFailed, "At least one of the pre-conditions you specified did not hold")
}

/// The conditions of a write: `If-None-Match: *` and `If-Match` with one ETag are all that S3 takes.
pub(super) fn precondition(
    if_match: Option<ETagCondition>,
    if_none_match: Option<ETagCondition>,
) -> S3Result<Precondition> {
    let absent = match if_none_match {
        None => false,
        Some(ETagCondition::Any) => true,
        Some(ETagCondition::ETag(_)) => {
            return Err(s3_error!(
                NotImplemented,
                "A header you provided implies functionality that is not implemented: if-none-match with an ETag"
            ));
        }
    };
    let etag = if_match.map(|condition| match condition {
        ETagCondition::Any => "*".into(),
        ETagCondition::ETag(etag) => etag.value().to_owned(),
    });
    Ok(Precondition { absent, etag })
}

/// The bucket and key of a copy's source. The access check let only these through.
pub(super) fn plain_source(source: &CopySource) -> S3Result<(String, String)> {
    match source {
        CopySource::Bucket { bucket, key, .. } => Ok((bucket.to_string(), key.to_string())),
        _ => Err(s3_error!(NotImplemented, "A copy source that is not a bucket is not implemented")),
    }
}

/// `bytes=FIRST-LAST`, both of which UploadPartCopy requires.
pub(super) fn copy_range(header: Option<&str>, size: u64) -> S3Result<Range<u64>> {
    let Some(header) = header else {
        return Ok(0..size);
    };
    let invalid = || {
        s3_error!(
            InvalidArgument,
            "The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the zero-based \
             offsets of the first and last bytes to copy"
        )
    };
    let (first, last) = header.strip_prefix("bytes=").and_then(|range| range.split_once('-')).ok_or_else(invalid)?;
    let (first, last): (u64, u64) = (first.parse().map_err(|_| invalid())?, last.parse().map_err(|_| invalid())?);
    if first > last || last >= size {
        return Err(s3_error!(InvalidRange, "The requested range is not satisfiable"));
    }
    Ok(first..last + 1)
}
