//! STS as the test wants it.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use aws_smithy_async::time::TimeSource;
use tokio::sync::watch;

use super::clock::ManualClock;
use super::*;

type Edit = Box<dyn Fn(&mut AssumeRoleAnswer) + Send>;

pub(super) struct ScriptedSts {
    clock: ManualClock,
    life: Mutex<Duration>,
    failure: Mutex<Option<StsError>>,
    edit: Mutex<Option<Edit>>,
    panics: Mutex<bool>,
    identity: Mutex<Result<String, StsError>>,
    requests: Mutex<Vec<RoleSessionRequest>>,
    answering: watch::Sender<bool>,
    in_flight: AtomicUsize,
    most_in_flight: AtomicUsize,
    identity_calls: AtomicUsize,
}

impl ScriptedSts {
    /// Gives sessions of one hour.
    pub(super) fn new(clock: ManualClock) -> Self {
        Self {
            clock,
            life: Mutex::new(Duration::from_secs(3600)),
            failure: Mutex::default(),
            edit: Mutex::default(),
            panics: Mutex::default(),
            identity: Mutex::new(Err(unreachable())),
            requests: Mutex::default(),
            answering: watch::Sender::new(true),
            in_flight: AtomicUsize::new(0),
            most_in_flight: AtomicUsize::new(0),
            identity_calls: AtomicUsize::new(0),
        }
    }

    /// From now on sessions last this long.
    pub(super) fn live(&self, life: Duration) {
        *self.life.lock().unwrap() = life;
    }

    /// From now on every call fails so, or works again.
    pub(super) fn fail(&self, failure: impl Into<Option<StsError>>) {
        *self.failure.lock().unwrap() = failure.into();
    }

    /// From now on answers are changed so.
    pub(super) fn edit(&self, edit: impl Fn(&mut AssumeRoleAnswer) + Send + 'static) {
        *self.edit.lock().unwrap() = Some(Box::new(edit));
    }

    pub(super) fn panic(&self, panics: bool) {
        *self.panics.lock().unwrap() = panics;
    }

    pub(super) fn identify(&self, arn: &str) {
        *self.identity.lock().unwrap() = Ok(arn.into());
    }

    /// From now on calls stay unanswered, or those that wait are answered.
    pub(super) fn answer(&self, answering: bool) {
        self.answering.send_replace(answering);
    }

    pub(super) fn calls(&self) -> usize {
        self.requests.lock().unwrap().len()
    }

    pub(super) fn identity_calls(&self) -> usize {
        self.identity_calls.load(Ordering::Relaxed)
    }

    pub(super) fn requests(&self) -> Vec<RoleSessionRequest> {
        self.requests.lock().unwrap().clone()
    }

    pub(super) fn most_in_flight(&self) -> usize {
        self.most_in_flight.load(Ordering::Relaxed)
    }

    fn session(&self, number: usize, request: &RoleSessionRequest) -> AssumeRoleAnswer {
        let role = request.role();
        let mut answer = AssumeRoleAnswer {
            access_key_id: Secret::new(format!("ASIAKEY{number}")),
            secret_access_key: Secret::new(format!("SECRETKEY{number}")),
            session_token: Secret::new(format!("SESSIONTOKEN{number}")),
            expiration: Some(self.clock.now() + *self.life.lock().unwrap()),
            assumed_role_arn: format!(
                "arn:{}:sts::{}:assumed-role/{}/{}",
                role.partition(),
                role.account(),
                role.name(),
                request.session_name()
            ),
            packed_policy_size: Some(6),
        };
        if let Some(edit) = &*self.edit.lock().unwrap() {
            edit(&mut answer);
        }
        answer
    }
}

impl Sts for ScriptedSts {
    fn assume_role<'a>(&'a self, request: &'a RoleSessionRequest) -> StsFuture<'a, AssumeRoleAnswer> {
        Box::pin(async move {
            let number = {
                let mut requests = self.requests.lock().unwrap();
                requests.push(request.clone());
                requests.len()
            };
            let in_flight = self.in_flight.fetch_add(1, Ordering::Relaxed) + 1;
            self.most_in_flight.fetch_max(in_flight, Ordering::Relaxed);
            let _ = self.answering.subscribe().wait_for(|answering| *answering).await;
            self.in_flight.fetch_sub(1, Ordering::Relaxed);
            assert!(!*self.panics.lock().unwrap(), "scripted");
            match self.failure.lock().unwrap().clone() {
                Some(failure) => Err(failure),
                None => Ok(self.session(number, request)),
            }
        })
    }

    fn caller_identity(&self) -> StsFuture<'_, String> {
        self.identity_calls.fetch_add(1, Ordering::Relaxed);
        let identity = self.identity.lock().unwrap().clone();
        Box::pin(async move { identity })
    }
}

impl std::fmt::Debug for ScriptedSts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ScriptedSts")
    }
}
