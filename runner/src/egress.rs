//! The one way out: parse, authorize, sign, send, audit.
//!
//! Every AWS call of every guest passes through [`TaskCalls::call`], in that order, and each step only takes what the
//! step before it made: [`sign`](self::sign) takes an authorized operation with its final URL, and [`send`](self::send) a
//! signed one. There is no other function in this crate that signs or sends for a guest.
//!
//! Two doors lead here: the typed call of `rolebox:aws`, and `wasi:http`, which any AWS SDK speaks. Over `wasi:http` the body
//! of an object may be of any length: it is parsed and authorized by its head, and signed and sent while it comes in. Other
//! hosts are [`hosts`]' business, which signs nothing.

mod addressed;
mod answer;
pub mod audit;
mod body;
mod destination;
mod endpoint;
mod framing;
mod hosts;
mod limits;
mod payload;
mod refusals;
mod scrub;
mod send;
mod sign;
mod skew;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod upload;

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use aws_smithy_async::time::SharedTimeSource;
use rolebox_aws_request::{Call, CallerScope, Operation, Refusal, RefusalKind};
use rolebox_policy::{Authorization, Capabilities, MissingGrant, Region, RoleArn};

use self::addressed::{Addressed, Authorized, Sending};
pub use self::answer::Answer;
use self::answer::{Accounts, AnswerStream};
pub(crate) use self::answer::{AnswerBody, HttpAnswer};
use self::audit::{Answered, AuditSink, CallRecord, Decision, PendingEnd, RecordedTask};
use self::body::OutgoingBody;
pub(crate) use self::body::{GivenUp, GuestBody};
pub use self::destination::{Destination, HostAddress};
pub use self::endpoint::Endpoints;
pub use self::hosts::HostRequest;
pub(crate) use self::hosts::{HostEgress, HostRequests};
use self::limits::CallQuota;
pub use self::limits::{CallLimits, CallUsage};
pub(crate) use self::limits::{LimitReached, Permit};
use self::payload::PayloadHash;
use self::refusals::Refusals;
pub use self::refusals::TaskWithoutRole;
pub(crate) use self::refusals::no_role;
pub use self::send::{HttpClients, HttpClientsError};
use self::send::{Reading, Received};
use self::sign::{Signed, SignedBody};
use self::skew::ClockSkew;
use self::upload::Sent;
use crate::credentials::{RoleSession, SessionCredentials};

/// What the calls of all tasks of one host share.
#[derive(Debug, Clone)]
pub struct Egress {
    pub(crate) clients: HttpClients,
    pub(crate) endpoints: Arc<Endpoints>,
    pub(crate) audit: Arc<dyn AuditSink>,
    pub(crate) time: SharedTimeSource,
}

impl Egress {
    /// A way out that sends with `clients` to `endpoints` and records each call in `audit`.
    #[must_use]
    pub fn new(clients: HttpClients, endpoints: Endpoints, audit: Arc<dyn AuditSink>, time: SharedTimeSource) -> Self {
        Self { clients, endpoints: Arc::new(endpoints), audit, time }
    }
}

/// Who a task is: what every one of its calls is checked against and recorded under.
#[derive(Debug)]
pub struct TaskIdentity {
    /// The ECS task id: 32 hexadecimal digits.
    pub task_id: String,
    /// The family of its task definition.
    pub family: String,
    /// The role that its calls are made under.
    pub role: RoleArn,
    /// The Region of calls that name none.
    pub region: Region,
    /// What it may call.
    pub capabilities: Capabilities,
}

/// One task's authority to call AWS: its role session, bound to its capabilities. Its containers share it.
#[derive(Debug)]
pub struct TaskCalls {
    egress: Egress,
    identity: TaskIdentity,
    scope: Arc<CallerScope>,
    session: RoleSession,
    quota: Arc<CallQuota>,
    unsigned_payload: bool,
    recorded: RecordedTask,
    refusals: Refusals,
}

/// A refusal before anything was signed.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct CallDenied {
    /// Every permission that is missing; empty where the request is not one that the host understands.
    pub missing: Vec<MissingGrant>,
    reason: String,
}

impl std::fmt::Display for CallDenied {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.reason)
    }
}

/// Why a call has no answer from the service.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CallError {
    /// The task's capabilities do not grant it, or the host does not understand it. Nothing was signed or sent.
    #[error("{0}")]
    Denied(CallDenied),
    /// The request is malformed. Nothing was signed or sent.
    #[error("{0}")]
    InvalidRequest(String),
    /// A body is larger than the task's limit.
    #[error("the body is larger than the task's limit of {limit} bytes (`rolebox.limits.bodyBytes`)")]
    TooLarge {
        /// The limit in bytes.
        limit: u64,
    },
    /// There is no valid role session.
    #[error("{0}")]
    CredentialsUnavailable(String),
    /// No connection, or one that was lost.
    #[error("{0}")]
    EndpointUnreachable(String),
    /// The service took longer than the task's limit for one call.
    #[error("the service did not answer in time")]
    TimedOut,
    /// A limit on the task's calls is used up.
    #[error("{0}")]
    Quota(String),
}

impl CallError {
    pub(crate) fn denied(reason: impl Into<String>) -> Self {
        Self::Denied(CallDenied { missing: Vec::new(), reason: reason.into() })
    }
}

impl From<Refusal> for CallError {
    fn from(refusal: Refusal) -> Self {
        match refusal.kind() {
            RefusalKind::Malformed => Self::InvalidRequest(refusal.to_string()),
            _ => Self::denied(refusal.to_string()),
        }
    }
}

impl TaskCalls {
    /// Binds a role session to what the task may do with it.
    #[must_use]
    pub fn new(egress: Egress, identity: TaskIdentity, session: RoleSession, limits: CallLimits) -> Self {
        let scope = Arc::new(CallerScope {
            account: identity.role.account().clone(),
            partition: identity.role.partition().to_owned(),
            region: identity.region.clone(),
        });
        let quota = Arc::new(CallQuota::new(limits, egress.time.clone()));
        let recorded = RecordedTask {
            task_id: identity.task_id.clone(),
            family: identity.family.clone(),
            role: Some((identity.role.to_string(), session.request().session_name().as_str().to_owned())),
        };
        let refusals = Refusals::new(egress.audit.clone(), egress.time.clone(), recorded.clone());
        Self { egress, identity, scope, session, quota, unsigned_payload: false, recorded, refusals }
    }

    /// Lets bodies that are too long to be held go unsigned over TLS, without framing and without a checksum behind them:
    /// `UNSIGNED-PAYLOAD`. Everything else of such a request is signed.
    #[must_use]
    pub fn allow_unsigned_payload(mut self) -> Self {
        self.unsigned_payload = true;
        self
    }

    /// Who the calls are made for.
    #[must_use]
    pub fn identity(&self) -> &TaskIdentity {
        &self.identity
    }

    /// Makes one call.
    ///
    /// # Errors
    ///
    /// A [`CallError`] where there is no answer from the service. An error that the service itself answered is an
    /// [`Answer`] with its status.
    pub async fn call(&self, call: Call) -> Result<Answer, CallError> {
        match self.admit() {
            Ok(permit) => self.call_admitted(&permit, call).await,
            Err(limit) => Err(self.refuse_at(limit, &call.service, call.body.len() as u64).await),
        }
    }

    /// What the task's calls came to so far. Final once the task has stopped and no call of it is in flight.
    #[must_use]
    pub fn usage(&self) -> CallUsage {
        self.quota.usage()
    }

    /// Lets a call begin, before anything of it is held or looked at, so that a flood of nonsense is bounded as well.
    pub(crate) fn admit(&self) -> Result<Permit, LimitReached> {
        self.quota.admit()
    }

    /// The largest body of a request or an answer that is held whole, in bytes.
    pub(crate) fn body_bytes(&self) -> u64 {
        self.quota.limits().body_bytes
    }

    /// How long one call may take, or pause.
    pub(crate) fn call_timeout(&self) -> Duration {
        self.quota.limits().call_timeout
    }

    /// Records that a limit does not let a call to `service`, which may be any host, begin; returns what to answer.
    pub(crate) async fn refuse_at(&self, limit: LimitReached, service: &str, body_bytes: u64) -> CallError {
        let error = CallError::from(limit);
        self.refusals.refused(limit.key(), service, body_bytes, &error).await;
        error
    }

    /// Records that a request to `service`, which may be any host, was refused before it could be parsed.
    pub(crate) async fn refuse(&self, service: &str, error: &CallError) {
        let started = self.egress.time.now();
        self.record_denial(self.new_record(started, service, 0), None, error).await;
    }

    fn new_record(&self, started: SystemTime, service: &str, body_bytes: u64) -> CallRecord {
        CallRecord::new(&self.recorded, started, service, body_bytes)
    }

    async fn deny(&self, record: CallRecord, operation: Option<&Operation>, error: CallError) -> CallError {
        self.record_denial(record, operation, &error).await;
        error
    }

    async fn record_denial(&self, record: CallRecord, operation: Option<&Operation>, error: &CallError) {
        // A denial stands whether or not it can be recorded.
        let _ = self.egress.audit.record(record.decided(operation, &Decision::of(error))).await;
    }

    /// Resolves when no call is in flight, none of those included whose task has gone away in the middle. For when no
    /// guest of the task runs any more: what was refused is summed up in the audit.
    pub(crate) async fn idle(&self) {
        self.refusals.summarize();
        self.quota.idle().await;
    }

    /// Makes a call that was let in, and reads its answer whole. It is in flight for as long as `_permit` lives.
    pub(crate) async fn call_admitted(&self, _permit: &Permit, call: Call) -> Result<Answer, CallError> {
        let (addressed, end) = self.begin(call, None).await?;
        let received = self.sign_and_send(&addressed, false).await.and_then(|received| match received {
            Received::Whole(answer) => Ok(answer),
            Received::Open(_) => Err(unexpected()),
        });
        self.finish_whole(received, end)
    }

    /// Makes a call that was let in for a guest's HTTP client, which reads the object that it asked for while it comes.
    pub(crate) async fn exchange(&self, permit: Permit, call: Call) -> Result<HttpAnswer, CallError> {
        let (addressed, end) = self.begin(call, None).await?;
        match self.sign_and_send(&addressed, addressed.operation.answers_with_object).await {
            Ok(Received::Open(open)) => {
                let answered = Answered::new(open.status, &open.headers);
                let patience = self.quota.limits().call_timeout;
                let (quota, url) = (self.quota.clone(), addressed.target.url);
                let accounts = Accounts { quota, permit, end, patience, url, answered };
                let body = AnswerBody::Streamed(Box::new(AnswerStream::new(open.body, accounts)));
                Ok(HttpAnswer { status: open.status, headers: open.headers, body })
            }
            Ok(Received::Whole(answer)) => {
                self.finish_whole(Ok(answer), end).map(|answer| HttpAnswer::whole(answer, Some(permit)))
            }
            Err(error) => {
                end.fail(&error);
                Err(error)
            }
        }
    }

    /// Makes a call that was let in and whose body, of `announced` bytes as it comes in, is too long to be held. What is
    /// left of the body afterwards was not wanted.
    pub(crate) async fn upload(
        &self,
        permit: Permit,
        call: Call,
        announced: u64,
        body: &mut GuestBody,
    ) -> Result<HttpAnswer, CallError> {
        let (addressed, mut end) = self.begin(call, Some(announced)).await?;
        let sent = Sent::new(self.quota.clone(), end.count_sent());
        let outcome = self.sign_and_stream(&addressed, body, &sent).await;
        self.finish_whole(outcome, end).map(|answer| HttpAnswer::whole(answer, Some(permit)))
    }

    /// Decides about a call, and records that. From here on it has begun: its end is recorded whatever happens, also when
    /// the task ends in between. `streamed` is the length of a body that is still to come.
    async fn begin(&self, call: Call, streamed: Option<u64>) -> Result<(Addressed, PendingEnd), CallError> {
        let body_bytes = streamed.unwrap_or(call.body.len() as u64);
        let accepted = match streamed {
            Some(bytes) => self.quota.spend(bytes),
            None => self.quota.accept_body(body_bytes),
        };
        if let Err(limit) = accepted {
            return Err(self.refuse_at(limit, &call.service, body_bytes).await);
        }
        let started = self.egress.time.now();
        let record = self.new_record(started, &call.service, body_bytes);
        let parsed = match streamed {
            Some(_) => self.parse_streamed(&call),
            None => self.parse(call).await,
        };
        let operation = match parsed {
            Ok(operation) => operation,
            Err(error) => return Err(self.deny(record, None, error).await),
        };
        let addressed = match self.authorize(operation).and_then(|authorized| self.address(authorized)) {
            Ok(addressed) => addressed,
            Err(denied) => {
                let (operation, error) = *denied;
                return Err(self.deny(record, Some(&operation), error).await);
            }
        };
        let record = record.decided(Some(&addressed.operation), &Decision::Allowed);
        let end = PendingEnd::begin(&self.egress.audit, &self.egress.time, started, record).await?;
        self.quota.count_call();
        Ok((addressed, end))
    }

    /// Counts and records an answer that is held whole.
    fn finish_whole(&self, outcome: Result<Answer, CallError>, end: PendingEnd) -> Result<Answer, CallError> {
        // What came has been paid for; past the total it is not handed on.
        let outcome = outcome
            .and_then(|answer| self.quota.spend(answer.body.len() as u64).map(|()| answer).map_err(CallError::from));
        if let Ok(answer) = &outcome {
            self.quota.count_received(answer.body.len() as u64);
        }
        end.finish_whole(&outcome);
        outcome
    }

    /// Everything that is done with a call before it is sent, but for its record: what a benchmark measures. The signed
    /// request is not handed out, only how many headers it has.
    ///
    /// # Errors
    ///
    /// As for [`TaskCalls::call`].
    #[cfg(feature = "measure")]
    pub async fn prepare_to_send(&self, call: Call) -> Result<usize, CallError> {
        let authorized = self.authorize(self.parse(call).await?).map_err(|denied| denied.1)?;
        let addressed = self.address(authorized).map_err(|denied| denied.1)?;
        let Sending::Whole(body) = &addressed.sending else { return Err(unexpected()) };
        let payload = PayloadHash::of(body).await;
        let credentials = self.session.credentials().await;
        let credentials =
            credentials.map_err(|error| CallError::CredentialsUnavailable(error.for_guest().to_owned()))?;
        Ok(sign::sign(&addressed, &payload, &credentials, self.egress.time.now())?.headers.len())
    }

    async fn parse(&self, call: Call) -> Result<Operation, CallError> {
        let scope = Arc::clone(&self.scope);
        let parsed = payload::read_through(call.body.len(), move || rolebox_aws_request::parse(&call, &scope)).await;
        Ok(parsed.ok_or_else(|| CallError::denied("the host failed while it read the request"))??)
    }

    /// Parses a request by its head.
    fn parse_streamed(&self, call: &Call) -> Result<Operation, CallError> {
        rolebox_aws_request::parse_streamed(call, &self.scope).map_err(|refusal| match refusal.kind() {
            RefusalKind::HeldWhole => CallError::TooLarge { limit: self.quota.limits().body_bytes },
            _ => refusal.into(),
        })
    }

    fn authorize(&self, operation: Operation) -> Result<Authorized, Box<(Operation, CallError)>> {
        match self.identity.capabilities.authorize(&operation.checks) {
            Ok(Authorization { bucket_owner, source_bucket_owner, .. }) => {
                Ok(Authorized { operation, bucket_owner, source_bucket_owner })
            }
            Err(denial) => {
                let reason = denial.to_string();
                let denied = CallDenied { missing: denial.missing, reason };
                Err(Box::new((operation, CallError::Denied(denied))))
            }
        }
    }

    fn address(&self, authorized: Authorized) -> Result<Addressed, Box<(Operation, CallError)>> {
        let partition = self.identity.role.partition();
        authorized.addressed(self.unsigned_payload, |operation| {
            let target = self.egress.endpoints.target(operation, partition);
            target.map_err(|error| CallError::denied(error.to_string()))
        })
    }

    /// Sends a body that is held whole. `leave_open` lets the guest read a long answer while it comes.
    async fn sign_and_send(&self, addressed: &Addressed, leave_open: bool) -> Result<Received, CallError> {
        let limits = self.quota.limits();
        let reading = Reading { limit: limits.body_bytes, leave_open };
        let attempts = self.attempts(addressed, |signed| async move {
            let SignedBody::Whole(body) = &signed.body else { return Err(unexpected()) };
            self.egress.clients.send(&addressed.target, &signed, body.clone().into(), reading).await
        });
        let received = tokio::time::timeout(limits.call_timeout, attempts).await;
        received.unwrap_or(Err(CallError::TimedOut))
    }

    /// Signs and sends until there is an answer to hand on.
    async fn attempts<S>(&self, addressed: &Addressed, send: impl Fn(Arc<Signed>) -> S) -> Result<Received, CallError>
    where
        S: Future<Output = Result<Received, CallError>>,
    {
        let operation = &addressed.operation;
        let Sending::Whole(body) = &addressed.sending else { return Err(unexpected()) };
        let payload = PayloadHash::of(body).await;
        let mut skew = ClockSkew::default();
        let mut unsent = Some(body.len() as u64);
        let mut attempt = 1;
        loop {
            // Signed anew each time: a signature is valid for one moment.
            let credentials = self.credentials().await?;
            let time = skew.correct(self.egress.time.now());
            let signed = Arc::new(sign::sign(addressed, &payload, &credentials, time)?);
            if let Some(bytes) = unsent.take() {
                self.quota.count_sent(bytes);
            }
            let sent = send(Arc::clone(&signed)).await;
            let whole = sent.as_ref().ok().and_then(Received::whole);
            if skew.learn(&addressed.target, whole, self.egress.time.now()) {
                continue;
            }
            match send::retry_after(operation, attempt, &sent) {
                Some(pause) => tokio::time::sleep(pause).await,
                None => return sent.map(|received| scrub::scrub(operation, received, &signed, &credentials)),
            }
            attempt += 1;
        }
    }

    /// Sends a body while it comes in, once: it cannot be had again.
    async fn sign_and_stream(
        &self,
        addressed: &Addressed,
        body: &mut GuestBody,
        sent: &Sent,
    ) -> Result<Answer, CallError> {
        let Sending::Streamed { body: stream, framing } = &addressed.sending else { return Err(unexpected()) };
        let limits = self.quota.limits();
        let credentials = tokio::time::timeout(limits.call_timeout, self.credentials()).await;
        let credentials = credentials.unwrap_or(Err(CallError::TimedOut))?;
        let mut signed = sign::sign(addressed, &PayloadHash::streamed(*framing), &credentials, self.egress.time.now())?;
        let none = SignedBody::Whole(bytes::Bytes::new());
        let SignedBody::Streamed(writer) = std::mem::replace(&mut signed.body, none) else { return Err(unexpected()) };
        let (pieces, outgoing) = OutgoingBody::new(Some(framing.length(stream)));
        let reading = Reading { limit: limits.body_bytes, leave_open: false };
        let send = self.egress.clients.send(&addressed.target, &signed, reqwest::Body::wrap(outgoing), reading);
        let pump = upload::pump(body, stream, *writer, pieces, sent, limits.call_timeout);
        let received = upload::together(send, pump, limits.call_timeout).await?;
        match scrub::scrub(&addressed.operation, received, &signed, &credentials) {
            Received::Whole(answer) => Ok(answer),
            Received::Open(_) => Err(unexpected()),
        }
    }

    async fn credentials(&self) -> Result<Arc<SessionCredentials>, CallError> {
        self.session.credentials().await.map_err(|error| {
            tracing::warn!(%error, task_id = self.identity.task_id, "a call has no role session");
            CallError::CredentialsUnavailable(error.for_guest().to_owned())
        })
    }
}

/// What the steps of a call rule out among themselves. It fails the call and nothing else.
fn unexpected() -> CallError {
    tracing::error!("the steps of a call do not fit together");
    CallError::denied("the host failed while it made the call")
}
