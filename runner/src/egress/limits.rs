//! How much one task may call AWS.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use aws_smithy_async::time::SharedTimeSource;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::CallError;
use crate::definition::Limits;

/// Limits on one task's calls, each from the `limits` of its definition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CallLimits {
    /// The largest body that is held whole, of a request or an answer, in bytes. Default 16 MiB. It is host memory too.
    pub body_bytes: u64,
    /// Calls that have begun and not ended. Default 64.
    pub calls_in_flight: u32,
    /// Calls begun a second, with as many at once after a pause. Default 1,000.
    pub calls_per_second: u32,
    /// Bytes of request and answer bodies over the task's whole life. Default unbounded.
    pub total_bytes: Option<u64>,
    /// How long one call may take, retries included. Default 60 s. A body that is sent or read while it comes may take
    /// longer, and pause for so long.
    pub call_timeout: Duration,
    /// Requests that have begun and not ended to hosts that are not AWS's. Each has a connection. Default 256.
    pub connections: u32,
}

impl From<&Limits> for CallLimits {
    fn from(limits: &Limits) -> Self {
        Self {
            body_bytes: limits.body_bytes,
            calls_in_flight: limits.calls_in_flight,
            calls_per_second: limits.calls_per_second,
            total_bytes: limits.total_bytes,
            call_timeout: limits.call_timeout,
            connections: limits.connections,
        }
    }
}

impl Default for CallLimits {
    fn default() -> Self {
        Self::from(&Limits::default())
    }
}

/// A limit that does not let a call begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum LimitReached {
    #[error("{0} calls are in flight already (`rolebox.limits.callsInFlight`)")]
    CallsInFlight(u32),
    #[error("{0} connections are open already (`rolebox.limits.connections`)")]
    Connections(u32),
    #[error("more than {0} calls a second (`rolebox.limits.callsPerSecond`)")]
    CallsPerSecond(u32),
    #[error("more than {0} bytes in all (`rolebox.limits.totalBytes`)")]
    TotalBytes(u64),
    #[error("more than {0} bytes in one body (`rolebox.limits.bodyBytes`)")]
    BodyBytes(u64),
}

impl LimitReached {
    /// The limit's key in a definition.
    pub(super) fn key(self) -> &'static str {
        match self {
            Self::CallsInFlight(_) => "callsInFlight",
            Self::Connections(_) => "connections",
            Self::CallsPerSecond(_) => "callsPerSecond",
            Self::TotalBytes(_) => "totalBytes",
            Self::BodyBytes(_) => "bodyBytes",
        }
    }
}

impl From<LimitReached> for CallError {
    fn from(limit: LimitReached) -> Self {
        match limit {
            LimitReached::BodyBytes(limit) => Self::TooLarge { limit },
            _ => Self::Quota(limit.to_string()),
        }
    }
}

/// What a task's calls came to. It grows while the task runs, and stands still once the task has stopped.
///
/// Calls are AWS's, and requests to other hosts. A call has begun when its decision, to allow it, is recorded: the audit has
/// an `end` for each. One that is denied, or that a limit does not let begin, is not counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CallUsage {
    /// Calls begun, whatever became of them.
    pub call_count: u64,
    /// Bytes of the bodies of requests that were sent, each once, also where the call was sent again or cut before its
    /// answer. Headers are not counted.
    pub bytes_sent: u64,
    /// Bytes of the bodies of answers that the guest was given.
    pub bytes_received: u64,
}

/// A call that was let in and has not ended.
#[derive(Debug)]
pub(crate) struct Permit(#[expect(dead_code, reason = "it is for dropping")] OwnedSemaphorePermit);

/// What one task has used of its limits.
#[derive(Debug)]
pub(super) struct CallQuota {
    limits: CallLimits,
    in_flight: Arc<Semaphore>,
    connections: Arc<Semaphore>,
    rate: Mutex<TokenBucket>,
    /// Bytes of bodies so far, in both directions, those of refused requests and answers included.
    spent: AtomicU64,
    begun: AtomicU64,
    sent: AtomicU64,
    received: AtomicU64,
    time: SharedTimeSource,
}

impl CallQuota {
    pub(super) fn new(limits: CallLimits, time: SharedTimeSource) -> Self {
        let in_flight = Arc::new(Semaphore::new(limits.calls_in_flight as usize));
        let connections = Arc::new(Semaphore::new(limits.connections as usize));
        let rate = Mutex::new(TokenBucket::full(limits.calls_per_second, time.now()));
        let [spent, begun, sent, received] = [const { AtomicU64::new(0) }; 4];
        Self { limits, in_flight, connections, rate, spent, begun, sent, received, time }
    }

    pub(super) fn limits(&self) -> &CallLimits {
        &self.limits
    }

    /// Lets a call begin; it has ended when the permit is dropped.
    pub(super) fn admit(&self) -> Result<Permit, LimitReached> {
        self.admit_to(&self.in_flight, LimitReached::CallsInFlight(self.limits.calls_in_flight))
    }

    /// Lets a request to a host that is not AWS's begin; its connection is free again when the permit is dropped.
    pub(super) fn admit_connection(&self) -> Result<Permit, LimitReached> {
        self.admit_to(&self.connections, LimitReached::Connections(self.limits.connections))
    }

    fn admit_to(&self, places: &Arc<Semaphore>, full: LimitReached) -> Result<Permit, LimitReached> {
        let place = places.clone().try_acquire_owned().map_err(|_| full)?;
        let now = self.time.now();
        if self.rate.lock().unwrap_or_else(PoisonError::into_inner).take(now) {
            Ok(Permit(place))
        } else {
            Err(LimitReached::CallsPerSecond(self.limits.calls_per_second))
        }
    }

    /// Resolves when no call is in flight, and no request to another host.
    pub(super) async fn idle(&self) {
        // Fails only where a semaphore is closed, which these never are.
        let _all = self.in_flight.acquire_many(self.limits.calls_in_flight).await;
        let _all = self.connections.acquire_many(self.limits.connections).await;
    }

    /// Takes the body of a request, of so many bytes.
    pub(super) fn accept_body(&self, bytes: u64) -> Result<(), LimitReached> {
        if bytes > self.limits.body_bytes {
            return Err(LimitReached::BodyBytes(self.limits.body_bytes));
        }
        self.spend(bytes)
    }

    /// Counts bytes of a body. What is over the limit is counted too: nothing after it fits either.
    pub(super) fn spend(&self, bytes: u64) -> Result<(), LimitReached> {
        let spent = add(&self.spent, bytes);
        match self.limits.total_bytes {
            Some(limit) if spent > limit => Err(LimitReached::TotalBytes(limit)),
            _ => Ok(()),
        }
    }

    /// Counts a call that has begun.
    pub(super) fn count_call(&self) {
        self.begun.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts bytes of the body of a request that are being sent for the first time.
    pub(super) fn count_sent(&self, bytes: u64) {
        add(&self.sent, bytes);
    }

    /// Counts the body of an answer that is handed to the guest.
    pub(super) fn count_received(&self, bytes: u64) {
        add(&self.received, bytes);
    }

    /// What the task's calls came to so far.
    pub(super) fn usage(&self) -> CallUsage {
        CallUsage {
            call_count: self.begun.load(Ordering::Relaxed),
            bytes_sent: self.sent.load(Ordering::Relaxed),
            bytes_received: self.received.load(Ordering::Relaxed),
        }
    }
}

/// Adds to a counter, which stays at the most that it can hold; gives the sum. A guest says some of the numbers.
fn add(counter: &AtomicU64, bytes: u64) -> u64 {
    let sum = |count: u64| count.saturating_add(bytes);
    let before = counter.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |count| Some(sum(count)));
    before.map_or_else(sum, sum)
}

/// Holds up to one second's worth of calls.
#[derive(Debug)]
struct TokenBucket {
    per_second: f64,
    tokens: f64,
    filled: SystemTime,
}

impl TokenBucket {
    fn full(per_second: u32, now: SystemTime) -> Self {
        let per_second = f64::from(per_second);
        Self { per_second, tokens: per_second, filled: now }
    }

    fn take(&mut self, now: SystemTime) -> bool {
        // A clock that was set back fills nothing, and counts from there.
        let elapsed = now.duration_since(self.filled).unwrap_or_default().as_secs_f64();
        self.tokens = (self.tokens + elapsed * self.per_second).min(self.per_second);
        self.filled = now;
        let granted = self.tokens >= 1.0;
        if granted {
            self.tokens -= 1.0;
        }
        granted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_holds_and_refills_with_time() {
        let start = SystemTime::UNIX_EPOCH;
        let mut bucket = TokenBucket::full(10, start);
        assert_eq!((0..15).filter(|_| bucket.take(start)).count(), 10);
        let later = start + Duration::from_millis(500);
        assert_eq!((0..15).filter(|_| bucket.take(later)).count(), 5);
        assert!(!bucket.take(start), "a clock set back grants nothing");
        assert_eq!((0..50).filter(|_| bucket.take(start + Duration::from_secs(60))).count(), 10);
    }

    #[test]
    fn calls_in_flight_and_body_size_are_bounded() {
        let limits = CallLimits { calls_in_flight: 2, body_bytes: 8, ..CallLimits::default() };
        let quota = CallQuota::new(limits, SharedTimeSource::default());
        assert!(matches!(quota.accept_body(9), Err(LimitReached::BodyBytes(8))));
        quota.accept_body(8).unwrap();
        let first = quota.admit().unwrap();
        let _second = quota.admit().unwrap();
        assert!(matches!(quota.admit(), Err(LimitReached::CallsInFlight(2))));
        drop(first);
        drop(quota.admit().unwrap());
    }

    #[test]
    fn the_total_counts_both_directions() {
        let limits = CallLimits { total_bytes: Some(10), ..CallLimits::default() };
        let quota = CallQuota::new(limits, SharedTimeSource::default());
        quota.accept_body(6).unwrap();
        quota.spend(4).unwrap();
        assert!(matches!(quota.accept_body(1), Err(LimitReached::TotalBytes(10))));
        // No number that a guest can say winds it back.
        assert!(matches!(quota.spend(u64::MAX - 10), Err(LimitReached::TotalBytes(10))));
        assert!(matches!(quota.spend(1), Err(LimitReached::TotalBytes(10))));
    }
}
