//! A clock that stands still until the test moves it, and the sleepers that wait for it.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use aws_smithy_async::rt::sleep::{AsyncSleep, Sleep};
use aws_smithy_async::time::TimeSource;
use tokio::sync::watch;

#[derive(Clone, Debug)]
pub(super) struct ManualClock(Arc<watch::Sender<SystemTime>>);

impl ManualClock {
    pub(super) fn new(start: SystemTime) -> Self {
        Self(Arc::new(watch::Sender::new(start)))
    }

    pub(super) fn advance(&self, by: Duration) {
        self.0.send_modify(|now| *now += by);
    }

    pub(super) fn passed(&self, since: SystemTime) -> Duration {
        self.now().duration_since(since).unwrap()
    }

    pub(super) fn set(&self, to: SystemTime) {
        self.0.send_replace(to);
    }
}

impl TimeSource for ManualClock {
    fn now(&self) -> SystemTime {
        *self.0.borrow()
    }
}

impl AsyncSleep for ManualClock {
    fn sleep(&self, duration: Duration) -> Sleep {
        let mut time = self.0.subscribe();
        let until = self.now() + duration;
        Sleep::new(async move {
            let _ = time.wait_for(|now| *now >= until).await;
        })
    }
}
