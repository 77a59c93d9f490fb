//! How a task ended, in ECS's words.
//! <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/stopped-task-error-codes.html>

use std::fmt;
use std::time::Duration;

use serde::{Serialize, Serializer};

use super::served::RequestUsage;
use crate::egress::CallUsage;

/// The exit code of a process that was killed (128 + SIGKILL): what ECS shows for a container that a limit or StopTask
/// ended.
const KILLED: i32 = 137;

/// The exit code of a process that aborted (128 + SIGABRT): a trap is a program's own fault.
const ABORTED: i32 = 134;

/// The exit code of the runner's own failures.
const RUNNER_FAILED: i32 = 125;

/// Why a task stopped: ECS's `stopCode`.
/// <https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Task.html>
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub enum StopCode {
    /// It never ran: its role could not be assumed, or a container could not be started.
    TaskFailedToStart,
    /// An essential container ended, by itself or by one of its limits.
    EssentialContainerExited,
    /// It was asked to stop.
    UserInitiated,
}

impl fmt::Display for StopCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

/// Why a task never ran.
#[derive(Debug)]
pub(super) enum StartFailure {
    Failed(String),
    /// It was asked to stop first.
    Stopped(String),
}

/// How one container ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ContainerEnd {
    /// The guest ended by itself.
    Exited(i32),
    /// The guest did what wasm does not allow.
    Trapped(String),
    /// It asked for more than its memory, in bytes.
    OutOfMemory { limit: u64 },
    /// The task printed more than its limit, in bytes.
    OutputLimit { limit: u64 },
    /// The task's containers computed longer than their limit, as text.
    CpuTime { limit: String },
    /// The task ran longer than its timeout, as text.
    TimedOut { timeout: String },
    /// It was asked to stop, for this reason.
    StopRequested(String),
    /// It was stopped because an essential container of the task ended.
    TaskStopping,
    /// It served, and had answered all requests when the task was to end: for this reason, where the task was asked to stop.
    Drained { requested: Option<String> },
    /// It could not be started.
    FailedToStart(String),
    /// A container that it depends on did not end as its condition asks, so it was never started.
    DependencyFailed { container: String },
}

impl ContainerEnd {
    fn exit_code(&self) -> Option<i32> {
        match self {
            Self::Exited(code) => Some(*code),
            // A server ends only because it is asked to, so this is how it ends well.
            Self::Drained { .. } => Some(0),
            Self::Trapped(_) => Some(ABORTED),
            Self::OutOfMemory { .. }
            | Self::OutputLimit { .. }
            | Self::CpuTime { .. }
            | Self::TimedOut { .. }
            | Self::StopRequested(_)
            | Self::TaskStopping => Some(KILLED),
            Self::FailedToStart(_) | Self::DependencyFailed { .. } => None,
        }
    }

    /// Whether it ended as `SUCCESS` asks.
    pub(super) fn success(&self) -> bool {
        *self == Self::Exited(0)
    }

    pub(super) fn reason(&self) -> Option<String> {
        Some(match self {
            Self::Exited(_) | Self::TaskStopping => return None,
            Self::Drained { requested } => return requested.clone(),
            Self::Trapped(trap) => format!("the guest trapped: {trap}"),
            Self::OutOfMemory { limit } => {
                let limit = limit >> 20;
                format!("OutOfMemoryError: the container needed more than its `memory` of {limit} MiB")
            }
            Self::OutputLimit { limit } => {
                format!("OutputLimitError: more was printed than `rolebox.limits.outputBytes`, {limit} bytes")
            }
            Self::CpuTime { limit } => {
                format!("CpuTimeError: more was computed than `rolebox.limits.cpuTime`, {limit}")
            }
            Self::TimedOut { timeout } => format!("TimeoutError: it ran longer than its `timeout` of {timeout}"),
            Self::StopRequested(reason) => reason.clone(),
            Self::FailedToStart(why) => format!("CannotStartContainerError: {why}"),
            Self::DependencyFailed { container } => {
                format!("the container {container}, which it depends on, did not end as `dependsOn` asks")
            }
        })
    }
}

/// A container of a task that has ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct StoppedContainer {
    /// Its name in the definition.
    pub name: String,
    /// Whether the task ends with it.
    pub essential: bool,
    /// Its exit code: the guest's own; 134 after a trap; 137 when a limit or a stop ended it; 0 when it served, and all
    /// requests were answered before it was to end. `None` when it never ran.
    pub exit_code: Option<i32>,
    /// Why it ended, where the exit code does not say it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The most memory that it used at one time, in bytes: linear memories and tables.
    pub peak_memory: u64,
    /// The processor time that it used, in JSON a number of seconds: its own code, and the host's while it waited for that.
    #[serde(serialize_with = "in_seconds")]
    pub cpu_time: Duration,
    /// For a container that serves: what became of the requests to it. Its `peak_memory` is the largest of theirs, and its
    /// `cpu_time` that of all.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub requests: Option<RequestUsage>,
}

/// A task that has ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct StoppedTask {
    /// The ECS task id.
    pub task_id: String,
    /// Why it stopped, as a code.
    pub stop_code: StopCode,
    /// Why it stopped, in words.
    pub stopped_reason: String,
    /// Its containers, in the definition's order; empty when none was started.
    pub containers: Vec<StoppedContainer>,
    /// The most memory that its containers used, each at its own peak, in bytes.
    pub peak_memory: u64,
    /// The processor time that its containers used, in JSON a number of seconds.
    #[serde(serialize_with = "in_seconds")]
    pub cpu_time: Duration,
    /// AWS calls that were begun; one that was denied, or that a limit did not let begin, is not counted.
    pub call_count: u64,
    /// Bytes of the bodies of requests that were sent for it.
    pub bytes_sent: u64,
    /// Bytes of the bodies of answers that it was given.
    pub bytes_received: u64,
    /// Whether all that it printed was written before the end.
    pub output_complete: bool,
    #[serde(skip)]
    exit_code: i32,
}

/// What `containers::run` hands over: each container with its end, and the one that ended the task.
#[derive(Debug)]
pub(super) struct TaskEnd {
    pub(super) containers: Vec<EndedContainer>,
    /// The index of the container whose end stopped the task.
    pub(super) decisive: usize,
}

#[derive(Debug)]
pub(super) struct EndedContainer {
    pub(super) name: String,
    pub(super) essential: bool,
    pub(super) end: ContainerEnd,
    pub(super) peak_memory: u64,
    pub(super) cpu_time: Duration,
    pub(super) requests: Option<RequestUsage>,
}

/// A limit as messages have it: `5 s`, `1500 ms`.
pub(super) fn in_words(duration: Duration) -> String {
    if duration.subsec_nanos() == 0 {
        format!("{} s", duration.as_secs())
    } else {
        format!("{} ms", duration.as_millis())
    }
}

fn in_seconds<S: Serializer>(time: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(time.as_secs_f64())
}

impl StoppedTask {
    /// What the `rolebox` command exits with: the exit code of the container that ended the task, or 125 when none ran.
    #[must_use]
    pub fn exit_code(&self) -> i32 {
        self.exit_code
    }

    pub(super) fn failed_to_start(task_id: String, failure: StartFailure) -> Self {
        let (stop_code, stopped_reason, exit_code) = match failure {
            StartFailure::Failed(reason) => (StopCode::TaskFailedToStart, reason, RUNNER_FAILED),
            StartFailure::Stopped(reason) => (StopCode::UserInitiated, reason, KILLED),
        };
        Self {
            task_id,
            stop_code,
            stopped_reason,
            containers: Vec::new(),
            peak_memory: 0,
            cpu_time: Duration::ZERO,
            call_count: 0,
            bytes_sent: 0,
            bytes_received: 0,
            output_complete: true,
            exit_code,
        }
    }

    pub(super) fn ended(task_id: String, task: TaskEnd, calls: CallUsage, output_complete: bool) -> Self {
        let (stop_code, stopped_reason, exit_code) = match task.containers.get(task.decisive) {
            Some(decisive) => {
                let code = match decisive.end {
                    ContainerEnd::StopRequested(_) | ContainerEnd::Drained { requested: Some(_) } => {
                        StopCode::UserInitiated
                    }
                    ContainerEnd::FailedToStart(_) | ContainerEnd::DependencyFailed { .. } => {
                        StopCode::TaskFailedToStart
                    }
                    _ => StopCode::EssentialContainerExited,
                };
                let reason = decisive.end.reason().unwrap_or_else(|| "Essential container in task exited".to_owned());
                (code, reason, decisive.end.exit_code().unwrap_or(RUNNER_FAILED))
            }
            // A definition has at least one container.
            None => (StopCode::TaskFailedToStart, "the task has no container".to_owned(), RUNNER_FAILED),
        };
        let containers: Vec<_> = task
            .containers
            .into_iter()
            .map(|container| StoppedContainer {
                exit_code: container.end.exit_code(),
                reason: container.end.reason(),
                name: container.name,
                essential: container.essential,
                peak_memory: container.peak_memory,
                cpu_time: container.cpu_time,
                requests: container.requests,
            })
            .collect();
        Self {
            task_id,
            stop_code,
            stopped_reason,
            peak_memory: containers.iter().map(|container| container.peak_memory).sum(),
            cpu_time: containers.iter().map(|container| container.cpu_time).sum(),
            containers,
            call_count: calls.call_count,
            bytes_sent: calls.bytes_sent,
            bytes_received: calls.bytes_received,
            output_complete,
            exit_code,
        }
    }
}
