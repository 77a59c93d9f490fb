//! How long a task may run, and how much it may ask of the host.

use std::time::Duration;

use super::duration;
use super::problem::{Location, Problems, quoted};
use super::raw::{RawLimits, Whole};

const MIB: u64 = 1024 * 1024;

/// `rolebox.timeout` when the definition has none: 1 hour. A task that is meant to run longer says so; one that
/// hangs ends.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(3600);

/// `rolebox.timeout` of a task that serves requests when the definition has none, and so how long each of them may take:
/// 1 minute, which is also how long AWS's load balancers wait for an answer.
/// <https://docs.aws.amazon.com/elasticloadbalancing/latest/application/edit-load-balancer-attributes.html>
pub const DEFAULT_REQUEST_TIMEOUT: Duration = Duration::from_secs(60);

/// The longest `rolebox.timeout` that a definition may ask for: 720 hours. The operator's own bound is apart.
pub const MAX_TIMEOUT: Duration = Duration::from_secs(720 * 3600);

/// What a task may ask of the host: `rolebox.limits` in the definition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// `outputBytes`: bytes that the task may write to stdout and stderr together. 1 to 2⁴⁰ (1 TiB), default 16 MiB. Each
    /// request to a container with `portMappings` may write as much.
    pub output_bytes: u64,
    /// `bodyBytes`: the longest request or response body of an AWS call, in bytes, where the host must hold it whole.
    /// 1 to 2³⁰ (1 GiB), default 16 MiB. An S3 object or part that is longer is sent, and an object is read, while it
    /// comes.
    pub body_bytes: u64,
    /// `callsInFlight`: AWS calls that the task may have under way at once. 1 to 1,024, default 64.
    pub calls_in_flight: u32,
    /// `callsPerSecond`: AWS calls that the task may begin in a second. 1 to 100,000, default 1,000.
    pub calls_per_second: u32,
    /// `totalBytes`: bytes of request and response bodies over the task's whole life. 1 to 2⁶³ − 1, unbounded when
    /// absent.
    pub total_bytes: Option<u64>,
    /// `callTimeout`: how long one AWS call may take, from the guest's request to the last byte of the answer. 1 ms to
    /// 1 h, default 60 s: a long poll takes 20 s; a Lambda function that is waited for may need more. A body that is sent or
    /// read while it comes may take longer, and pause for so long.
    pub call_timeout: Duration,
    /// `cpuTime`: how long the task's containers may compute, all together. 1 ms to 720 h, unbounded when absent. Time that
    /// they wait, for an answer or for their turn, is not counted. Each request to a container with `portMappings` may
    /// compute for so long.
    pub cpu_time: Option<Duration>,
    /// `openFiles`: files and folders of volumes that the task's containers may have open at once, all together. 1 to
    /// 1,024, default 256. Each is a descriptor of the host's process.
    pub open_files: u32,
    /// `connections`: requests that the task may have under way at once to hosts that are not AWS's, each of which has a
    /// connection. 1 to 1,024, default 256.
    pub connections: u32,
    /// `requestsInFlight`: requests that the task's containers with `portMappings` may be answering at once, all together. 1
    /// to 1,024, default 64. Each has an instance of its own, with the container's whole `memory`. One more is answered
    /// with 503.
    pub requests_in_flight: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            output_bytes: 16 * MIB,
            body_bytes: 16 * MIB,
            calls_in_flight: 64,
            calls_per_second: 1_000,
            total_bytes: None,
            call_timeout: Duration::from_secs(60),
            cpu_time: None,
            open_files: 256,
            connections: 256,
            requests_in_flight: 64,
        }
    }
}

impl Limits {
    /// The most that a definition can ask for: the upper end of each range. For an operator who sets no bound of their own.
    #[must_use]
    pub fn highest() -> Self {
        Self {
            output_bytes: 1 << 40,
            body_bytes: 1 << 30,
            calls_in_flight: 1_024,
            calls_per_second: 100_000,
            total_bytes: None,
            call_timeout: Duration::from_secs(3600),
            cpu_time: None,
            open_files: 1_024,
            connections: 1_024,
            requests_in_flight: 1_024,
        }
    }
}

/// Reads `rolebox.limits`.
pub(super) fn limits(raw: &RawLimits, at: &Location, problems: &mut Problems) -> Limits {
    let (default, highest) = (Limits::default(), Limits::highest());
    let mut whole = |key: &str, value: Option<Whole>, max: u64| {
        let Whole(value) = value?;
        let found = u64::try_from(value).ok().filter(|value| (1..=max).contains(value));
        if found.is_none() {
            problems.add(&at.key(key), format!("{value} is out of range"), format!("Give 1 to {max}."));
        }
        found
    };
    let output_bytes = whole("outputBytes", raw.output_bytes, highest.output_bytes);
    let body_bytes = whole("bodyBytes", raw.body_bytes, highest.body_bytes);
    let calls_in_flight = whole("callsInFlight", raw.calls_in_flight, highest.calls_in_flight.into());
    let calls_per_second = whole("callsPerSecond", raw.calls_per_second, highest.calls_per_second.into());
    let open_files = whole("openFiles", raw.open_files, highest.open_files.into());
    let connections = whole("connections", raw.connections, highest.connections.into());
    let requests_in_flight = whole("requestsInFlight", raw.requests_in_flight, highest.requests_in_flight.into());
    let total_bytes = whole("totalBytes", raw.total_bytes, i64::MAX as u64);
    let call_timeout = span(
        raw.call_timeout.as_deref(),
        Duration::from_millis(1)..=highest.call_timeout,
        &at.key("callTimeout"),
        problems,
    );
    let cpu_time = span(raw.cpu_time.as_deref(), Duration::from_millis(1)..=MAX_TIMEOUT, &at.key("cpuTime"), problems);
    let small = |value: Option<u64>| value.and_then(|value| u32::try_from(value).ok());
    Limits {
        output_bytes: output_bytes.unwrap_or(default.output_bytes),
        body_bytes: body_bytes.unwrap_or(default.body_bytes),
        calls_in_flight: small(calls_in_flight).unwrap_or(default.calls_in_flight),
        calls_per_second: small(calls_per_second).unwrap_or(default.calls_per_second),
        total_bytes,
        call_timeout: call_timeout.unwrap_or(default.call_timeout),
        cpu_time,
        open_files: small(open_files).unwrap_or(default.open_files),
        connections: small(connections).unwrap_or(default.connections),
        requests_in_flight: small(requests_in_flight).unwrap_or(default.requests_in_flight),
    }
}

/// Reads a duration and checks its range.
pub(super) fn span(
    text: Option<&str>,
    range: std::ops::RangeInclusive<Duration>,
    at: &Location,
    problems: &mut Problems,
) -> Option<Duration> {
    let text = text?;
    let Some(found) = duration::parse_duration(text) else {
        problems.add(at, format!("{} is not a duration", quoted(text)), duration::FORM);
        return None;
    };
    if !range.contains(&found) {
        problems.add(
            at,
            format!("{} is out of range", quoted(text)),
            format!("Give {} to {}.", duration::show_duration(*range.start()), duration::show_duration(*range.end())),
        );
        return None;
    }
    Some(found)
}
