//! When a session is refreshed, how long it is served, and how long to pause after a failure. Pure: time and
//! randomness are arguments.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use uuid::Uuid;

/// How long before a session expires the last call is signed with it. A service compares the time at which it
/// receives the request, and an upload may wait in buffers before that.
pub const EXPIRY_MARGIN: Duration = Duration::from_secs(60);

/// The part of its life after which a session is refreshed, and by how much that is moved at most either way, so that
/// sessions which began together are not refreshed together.
const REFRESH_AT: f64 = 2.0 / 3.0;
const REFRESH_JITTER: f64 = 0.05;

/// Random numbers from 0 up to but not including 1. Only pauses and refresh times depend on them.
#[derive(Clone)]
pub struct Randomness(Arc<dyn Fn() -> f64 + Send + Sync>);

impl Randomness {
    /// Numbers from `source`. What is not within the range counts as its nearest bound.
    pub fn new(source: impl Fn() -> f64 + Send + Sync + 'static) -> Self {
        Self(Arc::new(source))
    }

    fn next(&self) -> f64 {
        let number = (self.0)();
        // Also for NaN, which `clamp` would pass on.
        if number > 0.0 { number.min(1.0) } else { 0.0 }
    }
}

impl Default for Randomness {
    /// Numbers from the operating system.
    fn default() -> Self {
        // The first 48 bits of a random UUID are random; a double holds 53 without rounding.
        Self::new(|| (Uuid::new_v4().as_u128() >> 80) as f64 / (1_u64 << 48) as f64)
    }
}

impl fmt::Debug for Randomness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Randomness")
    }
}

/// The moments that matter in a session's life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Schedule {
    asked_at: SystemTime,
    /// From then on a call starts a refresh.
    pub(super) refresh_at: SystemTime,
    /// Until just before then the session is served.
    pub(super) serve_until: SystemTime,
}

impl Schedule {
    /// For a session that was asked for at `asked_at` and has `life` left from then. It is not believed to live longer
    /// than was asked for (`duration`): an answer that claims so would never be renewed.
    pub(super) fn new(asked_at: SystemTime, life: Duration, duration: Duration, randomness: &Randomness) -> Self {
        let life = life.min(duration);
        let serve_until = asked_at + life.saturating_sub(EXPIRY_MARGIN);
        let part = REFRESH_AT + REFRESH_JITTER * (2.0 * randomness.next() - 1.0);
        Self { asked_at, refresh_at: (asked_at + life.mul_f64(part)).min(serve_until), serve_until }
    }

    pub(super) fn serves(&self, now: SystemTime) -> bool {
        now < self.serve_until
    }

    /// Also when the clock was set back to before the session began: how long it still lives cannot be told then.
    pub(super) fn refreshes(&self, now: SystemTime) -> bool {
        now >= self.refresh_at || now + EXPIRY_MARGIN < self.asked_at
    }
}

/// A pause that doubles with each failure in a row, from `first` to at most `longest`, less up to half of it at
/// random.
#[derive(Clone, Copy, Debug)]
pub(super) struct Backoff {
    pub(super) first: Duration,
    pub(super) longest: Duration,
}

impl Backoff {
    /// The pause after the `failures`-th failure in a row, counted from 1.
    pub(super) fn pause(&self, failures: u32, randomness: &Randomness) -> Duration {
        let doublings = failures.saturating_sub(1).min(31);
        let pause = self.first.saturating_mul(1 << doublings).min(self.longest);
        pause.mul_f64(1.0 - randomness.next() / 2.0)
    }
}
