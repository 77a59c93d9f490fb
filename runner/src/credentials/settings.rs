//! What sessions run on, and whether tasks share them.

use aws_smithy_async::rt::sleep::{SharedAsyncSleep, TokioSleep};
use aws_smithy_async::time::{SharedTimeSource, SystemTimeSource};

use super::schedule::Randomness;

/// Whether a task's session is its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sharing {
    /// The task has a session of its own, whoever else asks for an equal one. This is the rule.
    Private,
    /// Tasks whose requests are equal in every input have one session together, as long as one of them runs.
    Shared,
}

/// What [`RoleSessions`](super::RoleSessions) runs on. The default is the system's clock, Tokio's timer, the operating
/// system's randomness and 16 calls in flight.
#[derive(Clone, Debug)]
pub struct RoleSessionsSettings {
    pub(super) time_source: SharedTimeSource,
    pub(super) sleep: SharedAsyncSleep,
    pub(super) randomness: Randomness,
    pub(super) calls_in_flight: usize,
}

impl Default for RoleSessionsSettings {
    fn default() -> Self {
        Self {
            time_source: SharedTimeSource::new(SystemTimeSource::new()),
            sleep: SharedAsyncSleep::new(TokioSleep::new()),
            randomness: Randomness::default(),
            calls_in_flight: 16,
        }
    }
}

impl RoleSessionsSettings {
    /// Compares expiry with this clock. It must be right: STS names absolute times.
    #[must_use]
    pub fn with_time_source(mut self, time_source: SharedTimeSource) -> Self {
        self.time_source = time_source;
        self
    }

    /// Waits with this, between attempts and for the end of one that takes too long.
    #[must_use]
    pub fn with_sleep(mut self, sleep: SharedAsyncSleep) -> Self {
        self.sleep = sleep;
        self
    }

    /// Spreads refreshes and pauses with these numbers.
    #[must_use]
    pub fn with_randomness(mut self, randomness: Randomness) -> Self {
        self.randomness = randomness;
        self
    }

    /// Makes at most so many calls to STS at once, and at least one; others wait their turn.
    #[must_use]
    pub fn with_calls_in_flight(mut self, calls_in_flight: usize) -> Self {
        self.calls_in_flight = calls_in_flight;
        self
    }
}
