//! Time is a hand on a clock that the test turns, STS is a script, and all runs on one thread, so that each test sees
//! the same order of events every time.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed, as it should")]

mod answers;
mod aws;
mod calls;
mod capture;
mod clock;
mod denied;
mod failures;
mod lifetime;
mod requests;
mod script;
mod secrecy;

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use aws_smithy_async::rt::sleep::SharedAsyncSleep;
use aws_smithy_async::time::SharedTimeSource;
use rolebox_policy::SessionPolicy;

use self::clock::ManualClock;
use self::script::ScriptedSts;
use super::*;

const ROLE: &str = "arn:aws:iam::123456789012:role/path/s3-sample";
const TASK_ID: &str = "0123456789abcdef0123456789abcdef";
const MINUTE: Duration = Duration::from_secs(60);

/// 2026-11-25T00:00:00Z
fn start() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_564_800)
}

fn request_named(session_name: &str) -> RoleSessionRequest {
    let policy = SessionPolicyChoice::Required(SessionPolicy::deny_everything());
    RoleSessionRequest::new(ROLE.parse().unwrap(), SessionName::new(session_name).unwrap(), policy)
}

fn request() -> RoleSessionRequest {
    request_named(TASK_ID)
}

/// A host: its clock, its STS, its sessions.
struct Host {
    clock: ManualClock,
    sts: Arc<ScriptedSts>,
    sessions: RoleSessions,
}

impl Host {
    fn new() -> Self {
        Self::with_randomness(0.5)
    }

    fn with_randomness(randomness: f64) -> Self {
        let clock = ManualClock::new(start());
        let sts = Arc::new(ScriptedSts::new(clock.clone()));
        let settings = RoleSessionsSettings::default()
            .with_time_source(SharedTimeSource::new(clock.clone()))
            .with_sleep(SharedAsyncSleep::new(clock.clone()))
            .with_randomness(Randomness::new(move || randomness));
        let sessions = RoleSessions::new(Arc::clone(&sts) as Arc<dyn Sts>, settings);
        Self { clock, sts, sessions }
    }

    fn hold(&self) -> RoleSession {
        self.sessions.hold(request(), Sharing::Private)
    }

    /// Waits for credentials while time passes.
    async fn credentials(&self, session: &RoleSession) -> Result<Arc<SessionCredentials>, RoleSessionError> {
        let session = session.clone();
        let call = tokio::spawn(async move { session.credentials().await });
        settle().await;
        while !call.is_finished() {
            self.clock.advance(Duration::from_millis(100));
            settle().await;
        }
        call.await.unwrap()
    }
}

/// Lets everything run that can, on a runtime of one thread.
async fn settle() {
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
}

fn unreachable() -> StsError {
    StsError::Unreachable { reason: "connection refused".into() }
}

fn throttling() -> StsError {
    StsError::Throttling { code: "Throttling".into(), message: "Rate exceeded".into() }
}

fn access_denied() -> StsError {
    StsError::AccessDenied { message: "no".into() }
}
