//! The sessions of all tasks: shared or not, assumed once, refreshed, served, dropped.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, SystemTime};

use aws_smithy_async::rt::sleep::{AsyncSleep, SharedAsyncSleep};
use aws_smithy_async::time::SharedTimeSource;
use tokio::sync::watch;

use super::answer::SessionCredentials;
use super::denied;
use super::error::RoleSessionError;
use super::gate::Gate;
use super::request::RoleSessionRequest;
use super::schedule::{Backoff, Randomness, Schedule};
use super::settings::{RoleSessionsSettings, Sharing};
use super::sts::{Sts, StsError};

/// How often a session that nobody has yet is tried for before those who wait are told, where STS itself is failing.
const FIRST_ATTEMPTS: u32 = 3;

/// The wait between these attempts.
const BETWEEN_ATTEMPTS: Backoff = Backoff { first: Duration::from_millis(500), longest: Duration::from_secs(2) };

/// The longest wait between them. When all calls to STS pause for longer, those who wait are told at once.
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// How long a session answers from memory after a failure, and how long a refresh waits for its next attempt.
const AFTER_FAILURE: Backoff = Backoff { first: Duration::from_secs(1), longest: Duration::from_secs(60) };

/// The same after a refusal: only a change of policies mends it, so it is not asked for often, but it is: a role that
/// was mended should not need its tasks to be restarted.
const AFTER_REFUSAL: Duration = Duration::from_secs(60);

/// The role sessions of one host, all from one base identity. Cheap to clone; clones are the same sessions.
#[derive(Clone)]
pub struct RoleSessions {
    common: Arc<Common>,
}

struct Common {
    gate: Gate,
    time: SharedTimeSource,
    sleep: SharedAsyncSleep,
    randomness: Randomness,
    /// The sessions that tasks share. Tasks hold them; here they are only found.
    shared: Mutex<HashMap<RoleSessionRequest, Weak<Session>>>,
}

impl RoleSessions {
    /// No session yet. All will come from `sts`.
    #[must_use]
    pub fn new(sts: Arc<dyn Sts>, settings: RoleSessionsSettings) -> Self {
        let RoleSessionsSettings { time_source: time, sleep, randomness, calls_in_flight } = settings;
        let gate = Gate::new(sts, calls_in_flight, time.clone(), sleep.clone(), randomness.clone());
        Self { common: Arc::new(Common { gate, time, sleep, randomness, shared: Mutex::default() }) }
    }

    /// Assumes the role that `request` names, or joins the tasks that have, and gives a task its hold on the session.
    /// Who has a [`RoleSession`] has seen AssumeRole succeed: the guest starts after this.
    ///
    /// Dropping the future is safe at any time.
    ///
    /// # Errors
    /// Those of [`RoleSession::credentials`].
    ///
    /// # Panics
    /// Outside a Tokio runtime.
    pub async fn open(&self, request: RoleSessionRequest, sharing: Sharing) -> Result<RoleSession, RoleSessionError> {
        let session = self.hold(request, sharing);
        session.credentials().await?;
        Ok(session)
    }

    /// A hold on a session that may have no credentials yet.
    pub(super) fn hold(&self, request: RoleSessionRequest, sharing: Sharing) -> RoleSession {
        let new = |request| Arc::new(Session { request, common: Arc::clone(&self.common), state: Mutex::default() });
        let session = match sharing {
            Sharing::Private => new(request),
            Sharing::Shared => {
                let mut shared = lock(&self.common.shared);
                shared.get(&request).and_then(Weak::upgrade).unwrap_or_else(|| {
                    let session = new(request.clone());
                    shared.insert(request, Arc::downgrade(&session));
                    session
                })
            }
        };
        RoleSession { session }
    }

    /// How many sessions are shared at the moment.
    #[must_use]
    pub fn shared(&self) -> usize {
        lock(&self.common.shared).len()
    }
}

impl fmt::Debug for RoleSessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RoleSessions").field("shared", &self.shared()).finish_non_exhaustive()
    }
}

/// A task's hold on its role session. When the last clone is dropped, the session is forgotten and its credentials are
/// zeroized, as soon as no call that is being signed holds them any more.
#[derive(Clone)]
pub struct RoleSession {
    session: Arc<Session>,
}

impl RoleSession {
    /// The credentials to sign the next call with. Ask for each call anew and do not keep them: they are refreshed.
    ///
    /// Returns at once while a session is there that may be served, and starts its refresh in the background where it
    /// is due. Otherwise waits for AssumeRole. Dropping the future is safe at any time, for this caller and for others.
    ///
    /// # Panics
    /// Outside a Tokio runtime, for the call to STS runs as a task of its own.
    ///
    /// # Errors
    /// [`RoleSessionError`] when there is no session that may be served and none can be had. The same answer is given
    /// from memory for a while: one second after a first failure, doubling up to a minute, and a minute after a
    /// refusal.
    pub async fn credentials(&self) -> Result<Arc<SessionCredentials>, RoleSessionError> {
        let (found, leader) = self.session.look();
        if let Some(leader) = leader {
            tokio::spawn(leader.lead());
        }
        let mut answer = match found {
            Found::Answer(answer) => return answer,
            Found::Wait(answer) => answer,
        };
        let answer = answer.wait_for(Option::is_some).await;
        match answer.as_deref() {
            Ok(Some(answer)) => answer.clone(),
            // The leader always leaves an answer; this is for one that is gone without a trace.
            _ => Err(RoleSessionError::new(&self.session.request, StsError::Interrupted, None)),
        }
    }

    /// What the session was asked for with.
    #[must_use]
    pub fn request(&self) -> &RoleSessionRequest {
        &self.session.request
    }
}

impl fmt::Debug for RoleSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RoleSession")
            .field("role", &self.request().role().as_str())
            .field("session_name", &self.request().session_name().as_str())
            .finish_non_exhaustive()
    }
}

type Answer = Result<Arc<SessionCredentials>, RoleSessionError>;

/// A session, held by those who use it.
struct Session {
    request: RoleSessionRequest,
    common: Arc<Common>,
    // Never held across an await.
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    current: Option<Current>,
    /// Where the answer to the call that is under way will be.
    asking: Option<watch::Receiver<Option<Answer>>>,
    failure: Option<Failure>,
}

struct Current {
    credentials: Arc<SessionCredentials>,
    schedule: Schedule,
}

struct Failure {
    error: RoleSessionError,
    /// How many in a row.
    count: u32,
    /// STS is not asked before then.
    until: SystemTime,
}

enum Found {
    Answer(Answer),
    Wait(watch::Receiver<Option<Answer>>),
}

impl Session {
    /// What there is for a caller at this moment, and the leader to spawn if it is this caller who asks STS. It is not
    /// spawned here: a runtime that is shutting down drops it on the spot, and that takes the lock.
    fn look(self: &Arc<Self>) -> (Found, Option<Leader>) {
        let now = self.common.time.now();
        let mut state = lock(&self.state);
        let served = match &state.current {
            Some(current) if current.schedule.serves(now) => {
                let credentials = Arc::clone(&current.credentials);
                if !current.schedule.refreshes(now) {
                    return (Found::Answer(Ok(credentials)), None);
                }
                Some(credentials)
            }
            _ => {
                // What may not be served is not kept either.
                state.current = None;
                None
            }
        };
        let (answer, leader) = match (&state.asking, &state.failure) {
            (Some(answer), _) => (answer.clone(), None),
            (None, Some(failure)) if now < failure.until => {
                let answer = served.ok_or_else(|| failure.error.clone());
                return (Found::Answer(answer), None);
            }
            (None, _) => {
                let (sender, answer) = watch::channel(None);
                state.asking = Some(answer.clone());
                let leader = Leader {
                    request: self.request.clone(),
                    common: Arc::clone(&self.common),
                    session: Arc::downgrade(self),
                    refreshing: served.is_some(),
                    answer: Some(sender),
                };
                (answer, Some(leader))
            }
        };
        (served.map_or(Found::Wait(answer), |credentials| Found::Answer(Ok(credentials))), leader)
    }

    /// Takes the outcome of the call that was under way.
    fn settle(&self, outcome: Result<Current, RoleSessionError>) {
        let now = self.common.time.now();
        let mut state = lock(&self.state);
        state.asking = None;
        match outcome {
            Ok(current) => {
                state.failure = None;
                state.current = Some(current);
            }
            Err(error) => {
                let count = state.failure.as_ref().map_or(0, |failure| failure.count).saturating_add(1);
                let pause = if error.cause().is_refusal() {
                    AFTER_REFUSAL
                } else {
                    AFTER_FAILURE.pause(count, &self.common.randomness)
                };
                // When the old session ends, its refresh is due whatever happened before.
                let until = match &state.current {
                    Some(current) => current.schedule.serve_until.min(now + pause),
                    None => now + pause,
                };
                state.failure = Some(Failure { error, count, until });
            }
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let mut shared = lock(&self.common.shared);
        // A task may have opened an equal session since this one's last holder went.
        if shared.get(&self.request).is_some_and(|other| std::ptr::eq(other.as_ptr(), self)) {
            shared.remove(&self.request);
        }
    }
}

/// Whoever asks STS for all who wait. It runs as a Tokio task of its own, so no caller's end ends it, and does not hold
/// the session: where all tasks are gone meanwhile, what it got is dropped.
struct Leader {
    request: RoleSessionRequest,
    common: Arc<Common>,
    session: Weak<Session>,
    /// Whether a session is there that is served meanwhile.
    refreshing: bool,
    /// Taken when the answer is given.
    answer: Option<watch::Sender<Option<Answer>>>,
}

impl Leader {
    async fn lead(mut self) {
        let outcome = match self.ask().await {
            Ok(current) => {
                tracing::debug!(
                    role = %self.request.role(), session = %self.request.session_name(),
                    expiration = ?current.credentials.expiration(), "role session assumed"
                );
                Ok(current)
            }
            Err(cause) => {
                let what = if self.refreshing {
                    "role session not refreshed; the present one is served until it ends"
                } else {
                    "no role session"
                };
                tracing::warn!(
                    role = %self.request.role(), session = %self.request.session_name(), %cause,
                    "{what}"
                );
                let caller = match &cause {
                    StsError::AccessDenied { message } => match denied::denied_caller(message) {
                        Some(caller) => Some(caller),
                        None => self.common.gate.caller_identity().await,
                    },
                    _ => None,
                };
                Err(RoleSessionError::new(&self.request, cause, caller))
            }
        };
        self.finish(outcome);
    }

    async fn ask(&self) -> Result<Current, StsError> {
        let Common { gate, time, sleep, randomness, .. } = &*self.common;
        // While the old session is served there is time for single attempts.
        let attempts = if self.refreshing { 1 } else { FIRST_ATTEMPTS };
        let mut attempt = 1;
        loop {
            let failure = match gate.assume_role(&self.request).await {
                Ok((answer, asked_at)) => {
                    let credentials = SessionCredentials::from_answer(answer, &self.request, time.now())?;
                    let life = credentials.lifetime(asked_at);
                    let schedule = Schedule::new(asked_at, life, self.request.duration(), randomness);
                    return Ok(Current { credentials: Arc::new(credentials), schedule });
                }
                Err(failure) => failure,
            };
            if attempt >= attempts || !failure.is_transient() {
                return Err(failure);
            }
            let pause = BETWEEN_ATTEMPTS.pause(attempt, randomness).max(gate.pause_left(time.now()));
            if pause > LONGEST_WAIT {
                return Err(failure);
            }
            sleep.sleep(pause).await;
            attempt += 1;
        }
    }

    fn finish(&mut self, outcome: Result<Current, RoleSessionError>) {
        let Some(sender) = self.answer.take() else {
            return;
        };
        let answer = match &outcome {
            Ok(current) => Ok(Arc::clone(&current.credentials)),
            Err(error) => Err(error.clone()),
        };
        // First the session, then those who wait: who comes between them is served already.
        if let Some(session) = self.session.upgrade() {
            session.settle(outcome);
        }
        sender.send_replace(Some(answer));
    }
}

impl Drop for Leader {
    /// A leader that is gone before it had an answer leaves one all the same, or its session would wait for ever.
    fn drop(&mut self) {
        if self.answer.is_some() {
            self.finish(Err(RoleSessionError::new(&self.request, StsError::Interrupted, None)));
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing panics while a lock is held, and what a lock guards is whole at every moment.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
