//! Calls that are refused before anything of them is looked at: past a limit, or by a task without a role.
//!
//! A guest can have millions of these a second, since they cost it nothing. The first of each kind is recorded like any
//! other denial; the others are counted, and each kind's count is recorded once, when the task ends. A task's records of
//! refusals are so two for each kind at most.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aws_smithy_async::time::SharedTimeSource;

use super::CallError;
use super::audit::{AuditRecord, AuditSink, CallRecord, Decision, RecordedTask};

/// What a task without a role is told.
const NO_ROLE: &str = "the task has no role: give its definition a `taskRoleArn` and the capabilities it needs";

/// The refusals of one task.
#[derive(Debug)]
pub(super) struct Refusals {
    sink: Arc<dyn AuditSink>,
    time: SharedTimeSource,
    task: RecordedTask,
    seen: Mutex<BTreeMap<&'static str, Seen>>,
}

/// One kind of refusal.
#[derive(Debug)]
struct Seen {
    first: AuditRecord,
    count: u64,
}

impl Refusals {
    pub(super) fn new(sink: Arc<dyn AuditSink>, time: SharedTimeSource, task: RecordedTask) -> Self {
        Self { sink, time, task, seen: Mutex::default() }
    }

    /// Records a refusal, or counts it where one of this `kind` is recorded already.
    pub(super) async fn refused(&self, kind: &'static str, service: &str, body_bytes: u64, error: &CallError) {
        if let Some(first) = self.first(kind, service, body_bytes, error) {
            // A refusal stands whether or not it can be recorded.
            let _ = self.sink.record(first).await;
        }
    }

    fn first(&self, kind: &'static str, service: &str, body_bytes: u64, error: &CallError) -> Option<AuditRecord> {
        let mut all = self.seen();
        if let Some(seen) = all.get_mut(kind) {
            seen.count += 1;
            return None;
        }
        let record = CallRecord::new(&self.task, self.time.now(), service, body_bytes);
        let first = record.decided(None, &Decision::of(error));
        all.insert(kind, Seen { first: first.clone(), count: 1 });
        Some(first)
    }

    /// Records how many there were of each kind. For when no guest of the task runs any more.
    pub(super) fn summarize(&self) {
        for Seen { first, count } in std::mem::take(&mut *self.seen()).into_values() {
            // Taken in order now; whoever must know that it is kept flushes the sink.
            drop(self.sink.record(first.counted(count, self.time.now())));
        }
    }

    fn seen(&self) -> MutexGuard<'_, BTreeMap<&'static str, Seen>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Refusals {
    fn drop(&mut self) {
        self.summarize();
    }
}

/// A task without a role. Every AWS call of it is denied, and the audit says so.
///
/// How many were denied is recorded when the last copy of this is dropped.
#[derive(Debug)]
pub struct TaskWithoutRole(Refusals);

impl TaskWithoutRole {
    /// The task with this ECS task id and this family.
    #[must_use]
    pub fn new(audit: Arc<dyn AuditSink>, time: SharedTimeSource, task_id: String, family: String) -> Self {
        Self(Refusals::new(audit, time, RecordedTask { task_id, family, role: None }))
    }

    /// Records that a call to `service` was denied.
    pub(crate) async fn deny(&self, service: &str, body_bytes: u64) {
        self.0.refused("noRole", service, body_bytes, &no_role()).await;
    }
}

/// The denial of every call of a task without a role.
pub(crate) fn no_role() -> CallError {
    CallError::denied(NO_ROLE)
}
