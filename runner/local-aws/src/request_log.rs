//! What was asked, by whom, and how it ended: for demonstrations, and for tests that count calls.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

/// How many requests are remembered; older ones are forgotten.
const MAX_RECORDS: usize = 10_000;

/// One request that was received and answered.
///
/// It holds no header, query or body, hence no signature, key or token.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RequestRecord {
    /// When it came.
    pub time: SystemTime,
    /// The request id that the answer carried.
    pub request_id: String,
    /// The HTTP method.
    pub method: String,
    /// The path as it was sent, without the query.
    pub path: String,
    /// `s3` or `sts`.
    pub service: &'static str,
    /// AWS's name of the operation, such as `PutObject`. `None` when the request was refused before that was known.
    pub operation: Option<String>,
    /// The caller's ARN. `None` when the request was not the caller's by its signature.
    pub principal: Option<String>,
    /// The role session's name, when the caller is one.
    pub session_name: Option<String>,
    /// The HTTP status of the answer.
    pub status: u16,
    /// AWS's error code, when the answer is an error that has one.
    pub error_code: Option<String>,
}

#[derive(Debug, Default)]
pub(crate) struct RequestLog(Mutex<VecDeque<RequestRecord>>);

impl RequestLog {
    pub(crate) fn push(&self, record: RequestRecord) {
        tracing::info!(
            request_id = record.request_id,
            service = record.service,
            operation = record.operation.as_deref().unwrap_or("-"),
            method = record.method,
            path = record.path,
            principal = record.principal.as_deref().unwrap_or("-"),
            status = record.status,
            error_code = record.error_code.as_deref().unwrap_or("-"),
            "answered"
        );
        let mut records = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if records.len() == MAX_RECORDS {
            records.pop_front();
        }
        records.push_back(record);
    }

    pub(crate) fn all(&self) -> Vec<RequestRecord> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }
}
