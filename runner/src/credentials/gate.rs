//! The way to STS that all sessions share: so many calls at once and no more, none that takes for ever, and a pause
//! for everybody when STS throttles or is out of reach.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use aws_smithy_async::future::timeout::Timeout;
use aws_smithy_async::rt::sleep::{AsyncSleep, SharedAsyncSleep};
use aws_smithy_async::time::SharedTimeSource;
use tokio::sync::Semaphore;

use super::request::RoleSessionRequest;
use super::schedule::{Backoff, Randomness};
use super::sts::{AssumeRoleAnswer, Sts, StsError};

/// How long one attempt may take. [`AwsSts`](super::AwsSts) has tighter limits of its own for each part of it; this
/// one holds for whatever stands in for STS.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(45);

/// The pause of everybody after a failure of STS itself.
const PAUSE: Backoff = Backoff { first: Duration::from_millis(500), longest: Duration::from_secs(30) };

/// See the module's description.
pub(super) struct Gate {
    sts: Arc<dyn Sts>,
    permits: Semaphore,
    pause: Mutex<Pause>,
    time: SharedTimeSource,
    sleep: SharedAsyncSleep,
    randomness: Randomness,
}

#[derive(Default)]
struct Pause {
    failures: u32,
    current: Option<(SystemTime, StsError)>,
}

impl Gate {
    pub(super) fn new(
        sts: Arc<dyn Sts>,
        calls_in_flight: usize,
        time: SharedTimeSource,
        sleep: SharedAsyncSleep,
        randomness: Randomness,
    ) -> Self {
        let permits = Semaphore::new(calls_in_flight.clamp(1, Semaphore::MAX_PERMITS));
        Self { sts, permits, pause: Mutex::default(), time, sleep, randomness }
    }

    /// One attempt. Gives the time at which it was made as well: a session's life is counted from there, since the
    /// answer may have been long on its way.
    ///
    /// During a pause the failure that began it is the answer, and STS is not called.
    pub(super) async fn assume_role(
        &self,
        request: &RoleSessionRequest,
    ) -> Result<(AssumeRoleAnswer, SystemTime), StsError> {
        // Nobody closes the semaphore.
        let _permit = self.permits.acquire().await.map_err(|_| StsError::Interrupted)?;
        let asked_at = self.time.now();
        if let Some(failure) = self.paused(asked_at) {
            return Err(failure);
        }
        let result = self.limited(self.sts.assume_role(request)).await;
        self.learn(asked_at, result.as_ref().err());
        result.map(|answer| (answer, asked_at))
    }

    /// Who the host is to STS, if that can be found out.
    pub(super) async fn caller_identity(&self) -> Option<String> {
        self.limited(self.sts.caller_identity()).await.ok()
    }

    /// How long the pause at `now` still lasts; zero without one.
    pub(super) fn pause_left(&self, now: SystemTime) -> Duration {
        let pause = self.pause.lock().unwrap_or_else(PoisonError::into_inner);
        pause.current.as_ref().and_then(|(until, _)| until.duration_since(now).ok()).unwrap_or_default()
    }

    async fn limited<T>(&self, call: impl Future<Output = Result<T, StsError>>) -> Result<T, StsError> {
        let limit = self.sleep.sleep(ATTEMPT_TIMEOUT);
        Timeout::new(Box::pin(call), limit).await.unwrap_or_else(|_| {
            let reason = format!("there was no answer within {} s", ATTEMPT_TIMEOUT.as_secs());
            Err(StsError::Unreachable { reason })
        })
    }

    fn paused(&self, now: SystemTime) -> Option<StsError> {
        let pause = self.pause.lock().unwrap_or_else(PoisonError::into_inner);
        pause.current.as_ref().filter(|(until, _)| now < *until).map(|(_, failure)| failure.clone())
    }

    /// Takes note of how an attempt made at `asked_at` ended.
    fn learn(&self, asked_at: SystemTime, failure: Option<&StsError>) {
        let mut pause = self.pause.lock().unwrap_or_else(PoisonError::into_inner);
        match failure {
            Some(failure) if failure.is_transient() => {
                // Attempts that were under way when the pause began say nothing new.
                if pause.current.as_ref().is_none_or(|(until, _)| *until <= asked_at) {
                    pause.failures = pause.failures.saturating_add(1);
                    let until = self.time.now() + PAUSE.pause(pause.failures, &self.randomness);
                    tracing::warn!(%failure, failures = pause.failures, "calls to STS pause");
                    pause.current = Some((until, failure.clone()));
                }
            }
            // These may have been found out without a word from STS.
            Some(StsError::NoBaseCredentials { .. } | StsError::InvalidAnswer { .. } | StsError::Interrupted) => {}
            Some(_) | None => *pause = Pause::default(),
        }
    }
}
