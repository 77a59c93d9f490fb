//! The record of every AWS call, and of every request to another host: the decision before anything is sent, and the end
//! afterwards.
//!
//! A record names who asked, what for, and what was decided, in the field names of the JSON lines that `--audit`
//! writes. It never holds a body, a header or a key.
//!
//! - `decision` comes before anything is signed. With `"decision": "allow"` the call has begun, and an `end` follows.
//! - `end` comes after the last byte of the answer, the failure, or the end of the task, in the middle of which the call is
//!   `aborted`. So is one whose answer the guest does not read to its end.
//! - `refusals` comes when the task ends. A call past a limit, or of a task without a role, is refused before anything of
//!   it is looked at, and a guest can have as many of those as it likes. So only the first of each kind has a `decision`,
//!   and `refusals` repeats that with `count`, the number of all of its kind.
//!
//! Absent: rotation and shipping of logs. An embedder implements [`AuditSink`] for that.

mod json_lines;

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use aws_smithy_async::time::SharedTimeSource;
use http::{HeaderMap, Method, StatusCode};
use rolebox_aws_request::Operation;
use rolebox_policy::{Check, CheckResource};
use serde::Serialize;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

pub use self::json_lines::JsonLines;
use super::{Answer, CallError};

/// Characters of what a guest wrote that a record keeps at most: an operation's name or a request id is shorter.
const MAX_GUEST_TEXT: usize = 64;

/// Characters of a service's or host's name that a record keeps at most: the longest name of DNS and a port.
const MAX_HOST: usize = 253 + 6;

/// Permissions of one call that a record keeps at most: a DeleteObjects needs one for each of its thousand keys.
const MAX_CHECKS: usize = 64;

/// Characters of a reason that a record keeps at most.
const MAX_REASON: usize = 1_024;

/// The answer of a sink: whether the record is kept.
pub type Recorded = Pin<Box<dyn Future<Output = Result<(), AuditError>> + Send>>;

/// The record could not be kept.
#[derive(Debug, thiserror::Error)]
#[error("the audit record could not be written: {0}")]
pub struct AuditError(#[from] pub io::Error);

/// Keeps records. A call whose decision it cannot keep is denied.
pub trait AuditSink: Send + Sync + std::fmt::Debug {
    /// Takes the record at once, in order, without blocking; the future tells when it is kept. A future that is dropped
    /// takes nothing back.
    fn record(&self, record: AuditRecord) -> Recorded;

    /// Resolves when all that was recorded before is kept.
    fn flush(&self) -> Recorded {
        Box::pin(std::future::ready(Ok(())))
    }
}

/// What is known when a call has been decided, and when it has ended.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct AuditRecord {
    /// `decision`, `end` or `refusals`.
    pub event: Event,
    /// When, as RFC 3339 in UTC.
    pub time: String,
    /// The same in the records of one call, and unlike any other call's.
    pub call_id: String,
    /// The ECS task id.
    pub task_id: String,
    /// The family of the task definition.
    pub family: String,
    /// The role whose session signs; none for a task without a role, whose calls are all denied.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role_arn: Option<String>,
    /// The name of that session, as CloudTrail shows it: the task id, unless tasks of one definition share a session.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role_session: Option<String>,
    /// The service, as the guest named it while the request was not understood, as its endpoint prefix afterwards. For a
    /// host that is not AWS's, its name and port.
    pub service: String,
    /// The Region, where the request was understood.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// The operation, where the request was understood: `PutObject`. For a host that is not AWS's, the method.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operation: Option<String>,
    /// The actions and ARNs that the call needs: the first 64, where it needs more.
    pub checks: Vec<CheckedPermission>,
    /// How many more it needs.
    #[serde(skip_serializing_if = "is_zero")]
    pub checks_left_out: usize,
    /// All of them whole, as they were authorized, for a sink in this process. They are no part of the JSON.
    #[serde(skip)]
    pub permissions: Permissions,
    /// `allow` or `deny`.
    pub decision: &'static str,
    /// Why it was denied.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Bytes of the request's body: as the guest says it before it is sent, as many as were sent in the end.
    pub bytes_sent: u64,
    /// How many calls were refused for this reason, the first included; only in `refusals`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
    /// How the call ended; only in `end`.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub end: Option<CallEnd>,
}

/// Which of a call's records this is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Event {
    /// Before anything is signed.
    Decision,
    /// After the answer, the failure, or the end of the task.
    End,
    /// When the task has ended: the `decision` about a call that was refused unseen, once more, with how many there were.
    Refusals,
}

/// One permission that a call needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CheckedPermission {
    /// The IAM action.
    pub action: String,
    /// The ARN, or the pattern of all that it could mean.
    pub resource: String,
}

/// The permissions of a call with their conditions, accounts and items. Items hold values of a guest's, so that `Debug`
/// shows only how many permissions there are.
#[derive(Clone, Default)]
pub struct Permissions(Arc<[Check]>);

impl Permissions {
    /// Every permission that the call needs; none where the request was not understood.
    #[must_use]
    pub fn as_slice(&self) -> &[Check] {
        &self.0
    }
}

impl std::fmt::Debug for Permissions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Permissions({})", self.0.len())
    }
}

/// How a call ended.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct CallEnd {
    /// `answered`, `failed`, or `aborted` when the task ended first, or did not read the answer to its end.
    pub outcome: &'static str,
    /// The HTTP status of the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// AWS's own id of the request, for its support and CloudTrail.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// Bytes of the answer's body.
    pub bytes_received: u64,
    /// From the request to the end, in milliseconds.
    pub duration_ms: f64,
    /// What failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// What was decided.
#[derive(Debug)]
pub(super) enum Decision {
    Allowed,
    Denied(String),
}

impl Decision {
    pub(super) fn of(error: &CallError) -> Self {
        Self::Denied(error.to_string())
    }
}

/// The task that records are about.
#[derive(Debug, Clone)]
pub(super) struct RecordedTask {
    pub(super) task_id: String,
    pub(super) family: String,
    /// Its role's ARN, and the name of the session.
    pub(super) role: Option<(String, String)>,
}

/// The record of a call that has not been decided.
#[derive(Debug)]
pub(super) struct CallRecord(AuditRecord);

impl CallRecord {
    pub(super) fn new(task: &RecordedTask, started: SystemTime, service: &str, body_bytes: u64) -> Self {
        let (role_arn, role_session) = task.role.clone().unzip();
        Self(AuditRecord {
            event: Event::Decision,
            time: timestamp(started),
            call_id: uuid::Uuid::new_v4().simple().to_string(),
            task_id: task.task_id.clone(),
            family: task.family.clone(),
            role_arn,
            role_session,
            service: shortened(service, MAX_HOST),
            region: None,
            operation: None,
            checks: Vec::new(),
            permissions: Permissions::default(),
            checks_left_out: 0,
            decision: "deny",
            reason: None,
            bytes_sent: body_bytes,
            count: None,
            end: None,
        })
    }

    /// A request to a host that is not AWS's, by its method.
    pub(super) fn with_method(self, method: &Method) -> Self {
        let Self(record) = self;
        Self(AuditRecord { operation: Some(shortened(method.as_str(), MAX_GUEST_TEXT)), ..record })
    }

    pub(super) fn decided(self, operation: Option<&Operation>, decision: &Decision) -> AuditRecord {
        let Self(mut record) = self;
        if let Some(operation) = operation {
            record.service = operation.service.to_string();
            record.region = Some(operation.region.to_string());
            record.operation = Some(operation.name.to_string());
            record.bytes_sent = operation.payload.length();
            record.checks_left_out = operation.checks.len().saturating_sub(MAX_CHECKS);
            record.checks = operation
                .checks
                .iter()
                .take(MAX_CHECKS)
                .map(|check| CheckedPermission { action: check.action.to_string(), resource: named(&check.resource) })
                .collect();
            record.permissions = Permissions(operation.checks.as_slice().into());
        }
        match decision {
            Decision::Allowed => record.decision = "allow",
            Decision::Denied(reason) => record.reason = Some(shortened(reason, MAX_REASON)),
        }
        record
    }
}

impl AuditRecord {
    /// This record of a first refusal, made that of all `count` refusals like it.
    pub(super) fn counted(self, count: u64, now: SystemTime) -> Self {
        Self { event: Event::Refusals, time: timestamp(now), count: Some(count), ..self }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(count: &usize) -> bool {
    *count == 0
}

fn named(resource: &CheckResource) -> String {
    match resource {
        CheckResource::Arn(arn) | CheckResource::Covering(arn) => arn.to_string(),
        CheckResource::Any => "*".to_owned(),
    }
}

/// A call that was allowed and has begun. Its end is recorded when it is finished or, as `aborted`, when it is dropped
/// because its task ended.
#[derive(Debug)]
pub(super) struct PendingEnd {
    sink: Arc<dyn AuditSink>,
    time: SharedTimeSource,
    started: SystemTime,
    record: Option<AuditRecord>,
    /// Bytes of a body that is sent while it comes in, so far.
    sent: Option<Arc<AtomicU64>>,
}

impl PendingEnd {
    /// Records that a call was allowed, before anything of it is signed or sent. One that cannot be recorded is denied.
    pub(super) async fn begin(
        sink: &Arc<dyn AuditSink>,
        time: &SharedTimeSource,
        started: SystemTime,
        decision: AuditRecord,
    ) -> Result<Self, CallError> {
        let recorded = sink.record(decision.clone());
        // It is on record from here on, whether or not this future is polled to its end.
        let mut end = Self { sink: sink.clone(), time: time.clone(), started, record: Some(decision), sent: None };
        if let Err(error) = recorded.await {
            // There is no end of what never began.
            end.record = None;
            tracing::error!(%error, "a call is denied because it cannot be recorded");
            return Err(CallError::denied("the call was denied because the host cannot record it in its audit log"));
        }
        Ok(end)
    }

    /// The call has an answer, which is held whole, or none.
    pub(super) fn finish_whole(self, outcome: &Result<Answer, CallError>) {
        match outcome {
            Ok(answer) => {
                self.finish(&Answered::new(answer.status, &answer.headers), answer.body.len() as u64, None);
            }
            Err(error) => self.fail(error),
        }
    }

    /// The call has no answer.
    pub(super) fn fail(mut self, error: &CallError) {
        self.end(CallEnd::without_answer("failed").because(error));
    }

    /// The guest has read so much of the answer, all of it unless there is an error.
    pub(super) fn finish(mut self, answered: &Answered, bytes_received: u64, error: Option<&CallError>) {
        let end = answered.end(if error.is_none() { "answered" } else { "failed" }, bytes_received);
        self.end(match error {
            Some(error) => end.because(error),
            None => end,
        });
    }

    /// The guest has read so much of the answer and will read no more.
    pub(super) fn abort(mut self, answered: &Answered, bytes_received: u64) {
        self.end(answered.end("aborted", bytes_received));
    }

    /// Where to count the bytes of a body that is sent while it comes in: as far as it gets, they are what the end says.
    pub(super) fn count_sent(&mut self) -> Arc<AtomicU64> {
        Arc::clone(self.sent.get_or_insert_default())
    }

    fn end(&mut self, mut end: CallEnd) {
        let Some(mut record) = self.record.take() else { return };
        let now = self.time.now();
        end.duration_ms = now.duration_since(self.started).unwrap_or_default().as_secs_f64() * 1e3;
        record.event = Event::End;
        if let Some(sent) = &self.sent {
            record.bytes_sent = sent.load(Ordering::Relaxed);
        }
        record.time = timestamp(now);
        record.end = Some(end);
        // Taken in order now; nobody waits for it, because the call has happened already.
        drop(self.sink.record(record));
    }
}

impl Drop for PendingEnd {
    fn drop(&mut self) {
        self.end(CallEnd::without_answer("aborted"));
    }
}

impl CallEnd {
    fn without_answer(outcome: &'static str) -> Self {
        Self { outcome, status: None, request_id: None, bytes_received: 0, duration_ms: 0.0, error: None }
    }

    fn because(self, error: &CallError) -> Self {
        Self { error: Some(shortened(&error.to_string(), MAX_REASON)), ..self }
    }
}

/// What the head of an answer tells the record.
#[derive(Debug, Clone)]
pub(super) struct Answered {
    status: u16,
    request_id: Option<String>,
}

impl Answered {
    pub(super) fn new(status: StatusCode, headers: &HeaderMap) -> Self {
        Self { status: status.as_u16(), request_id: request_id(headers) }
    }

    fn end(&self, outcome: &'static str, bytes_received: u64) -> CallEnd {
        let (status, request_id) = (Some(self.status), self.request_id.clone());
        CallEnd { status, request_id, bytes_received, ..CallEnd::without_answer(outcome) }
    }
}

fn request_id(headers: &HeaderMap) -> Option<String> {
    let header = headers.get("x-amz-request-id").or_else(|| headers.get("x-amzn-requestid"))?;
    header.to_str().ok().map(|id| shortened(id, MAX_GUEST_TEXT))
}

fn timestamp(time: SystemTime) -> String {
    OffsetDateTime::from(time).format(&Rfc3339).unwrap_or_default()
}

fn shortened(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// Records as events of the `tracing` crate, under the target `rolebox::audit`.
#[derive(Debug, Clone, Copy, Default)]
pub struct TracingAudit;

impl AuditSink for TracingAudit {
    fn record(&self, record: AuditRecord) -> Recorded {
        trace(&record);
        Box::pin(std::future::ready(Ok(())))
    }
}

fn trace(record: &AuditRecord) {
    tracing::info!(
        target: "rolebox::audit",
        event = ?record.event,
        call_id = record.call_id,
        task_id = record.task_id,
        service = record.service,
        operation = record.operation,
        decision = record.decision,
        reason = record.reason,
        status = record.end.as_ref().and_then(|end| end.status),
        outcome = record.end.as_ref().map(|end| end.outcome),
        count = record.count,
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_text_of_a_guest_is_cut_between_characters() {
        assert_eq!(shortened("äöü", 2), "äö…");
        assert_eq!(shortened("äöü", 3), "äöü");
    }
}
