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
    /// The largest request or answer body, in bytes. Default 16 MiB. A body is held whole, so this is host memory too.
    pub body_bytes: u64,
    /// Calls that have begun and not ended. Default 64.
    pub calls_in_flight: u32,
    /// Calls begun a second, with as many at once after a pause. Default 1,000.
    pub calls_per_second: u32,
    /// Bytes of request and answer bodies over the task's whole life. Default unbounded.
    pub total_bytes: Option<u64>,
    /// How long one call may take, retries included. Default 60 s.
    pub call_timeout: Duration,
}

impl From<&Limits> for CallLimits {
    fn from(limits: &Limits) -> Self {
        Self {
            body_bytes: limits.body_bytes,
            calls_in_flight: limits.calls_in_flight,
            calls_per_second: limits.calls_per_second,
            total_bytes: limits.total_bytes,
            call_timeout: limits.call_timeout,
        }
    }
}

impl Default for CallLimits {
    fn default() -> Self {
        Self::from(&Limits::default())
    }
}

/// A call that was let in and has not ended.
#[derive(Debug)]
pub(crate) struct Permit {
    _in_flight: OwnedSemaphorePermit,
}

/// What one task has used of its limits.
#[derive(Debug)]
pub(super) struct CallQuota {
    limits: CallLimits,
    in_flight: Arc<Semaphore>,
    rate: Mutex<TokenBucket>,
    /// Bytes of bodies so far, in both directions.
    spent: AtomicU64,
    time: SharedTimeSource,
}

impl CallQuota {
    pub(super) fn new(limits: CallLimits, time: SharedTimeSource) -> Self {
        let in_flight = Arc::new(Semaphore::new(limits.calls_in_flight as usize));
        let rate = Mutex::new(TokenBucket::full(limits.calls_per_second, time.now()));
        Self { limits, in_flight, rate, spent: AtomicU64::new(0), time }
    }

    pub(super) fn limits(&self) -> &CallLimits {
        &self.limits
    }

    /// Lets a call begin; it has ended when the permit is dropped.
    pub(super) fn admit(&self) -> Result<Permit, CallError> {
        let permit = self.in_flight.clone().try_acquire_owned().map_err(|_| {
            let limit = self.limits.calls_in_flight;
            CallError::Quota(format!("{limit} calls are in flight already (`rolebox.limits.callsInFlight`)"))
        })?;
        let now = self.time.now();
        if self.rate.lock().unwrap_or_else(PoisonError::into_inner).take(now) {
            Ok(Permit { _in_flight: permit })
        } else {
            let limit = self.limits.calls_per_second;
            Err(CallError::Quota(format!("more than {limit} calls a second (`rolebox.limits.callsPerSecond`)")))
        }
    }

    /// Resolves when no call is in flight.
    pub(super) async fn idle(&self) {
        // Fails only where the semaphore is closed, which this one never is.
        let _all = self.in_flight.acquire_many(self.limits.calls_in_flight).await;
    }

    /// Takes the body of a request, of so many bytes.
    pub(super) fn accept_body(&self, bytes: u64) -> Result<(), CallError> {
        if bytes > self.limits.body_bytes {
            return Err(CallError::TooLarge { limit: self.limits.body_bytes });
        }
        self.spend(bytes)
    }

    /// Counts bytes of a body. What is over the limit is counted too: nothing after it fits either.
    pub(super) fn spend(&self, bytes: u64) -> Result<(), CallError> {
        let spent = self.spent.fetch_add(bytes, Ordering::Relaxed).saturating_add(bytes);
        match self.limits.total_bytes {
            Some(limit) if spent > limit => {
                Err(CallError::Quota(format!("more than {limit} bytes in all (`rolebox.limits.totalBytes`)")))
            }
            _ => Ok(()),
        }
    }
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
        assert!(matches!(quota.accept_body(9), Err(CallError::TooLarge { limit: 8 })));
        quota.accept_body(8).unwrap();
        let first = quota.admit().unwrap();
        let _second = quota.admit().unwrap();
        assert!(matches!(quota.admit(), Err(CallError::Quota(_))));
        drop(first);
        drop(quota.admit().unwrap());
    }

    #[test]
    fn the_total_counts_both_directions() {
        let limits = CallLimits { total_bytes: Some(10), ..CallLimits::default() };
        let quota = CallQuota::new(limits, SharedTimeSource::default());
        quota.accept_body(6).unwrap();
        quota.spend(4).unwrap();
        assert!(matches!(quota.accept_body(1), Err(CallError::Quota(_))));
    }
}
