//! `rolebox:aws/signed-call`: the typed door into [`crate::egress`].
//!
//! Nothing is decided here. The guest's record becomes a [`Call`], and the answer or refusal becomes a record again.

use std::sync::Arc;

use bytes::Bytes;
use rolebox_aws_request::Call;
use tokio::runtime::Handle;
use wasmtime::component::{HasData, Linker};

use self::bindings::rolebox::aws::signed_call::{self, Denial, Error, MissingGrant, Request, Response};
use crate::cpu::in_runtime;
use crate::egress::{Answer, CallError, HostRequests, LimitReached, Permit, TaskCalls, TaskWithoutRole, no_role};

mod bindings {
    wasmtime::component::bindgen!({
        path: "wit",
        world: "rolebox:aws/guest",
        imports: { default: async | trappable },
    });
}

/// A task's authority to make AWS calls, to be kept in the `T` of a `Store<T>`.
///
/// Calls are made in the tokio runtime in which it was made, whatever thread polls the guest: connections are shared, and
/// must not belong to a runtime that goes away or that guests keep busy.
#[derive(Debug, Clone)]
pub struct AwsCtx {
    authority: Authority,
    hosts: Option<Arc<HostRequests>>,
    runtime: Option<Handle>,
}

#[derive(Debug, Clone)]
enum Authority {
    Role(Arc<TaskCalls>),
    /// None, and who records that.
    NoRole(Option<Arc<TaskWithoutRole>>),
}

/// Why a call may not even begin. It is to be recorded with what was called.
#[derive(Debug)]
pub(super) enum NotAdmitted {
    Limit(Arc<TaskCalls>, LimitReached),
    NoRole(Option<Arc<TaskWithoutRole>>),
}

impl NotAdmitted {
    /// Records the refusal of a call to `service`, which may be any host, and returns what to answer.
    pub(super) async fn refuse(&self, service: &str, body_bytes: u64) -> CallError {
        match self {
            Self::Limit(calls, limit) => calls.refuse_at(*limit, service, body_bytes).await,
            Self::NoRole(task) => {
                if let Some(task) = task {
                    task.deny(service, body_bytes).await;
                }
                no_role()
            }
        }
    }
}

impl AwsCtx {
    /// Calls are made with this task's role session, within its capabilities.
    #[must_use]
    pub fn new(calls: Arc<TaskCalls>) -> Self {
        Self::with(Authority::Role(calls))
    }

    /// A task without a role: every call is denied, and nothing is recorded.
    #[must_use]
    pub fn without_role() -> Self {
        Self::with(Authority::NoRole(None))
    }

    /// A task without a role: every call is denied, and the audit of `task` says so.
    #[must_use]
    pub fn denying(task: Arc<TaskWithoutRole>) -> Self {
        Self::with(Authority::NoRole(Some(task)))
    }

    fn with(authority: Authority) -> Self {
        Self { authority, hosts: None, runtime: Handle::try_current().ok() }
    }

    /// The same, with a way to hosts that are not AWS's.
    #[must_use]
    pub(crate) fn with_hosts(self, hosts: Option<Arc<HostRequests>>) -> Self {
        Self { hosts, ..self }
    }

    pub(super) fn hosts(&self) -> Option<&HostRequests> {
        self.hosts.as_deref()
    }

    /// Records that a request to `authority` was refused before it was one to anybody.
    pub(super) async fn refuse_request(&self, authority: &str, body_bytes: u64, error: &CallError) {
        match (self.admit(), &self.hosts) {
            (Ok((calls, _)), _) => calls.refuse(authority, error).await,
            // A task without a role may have other hosts, and then its lack of one is not what is wrong.
            (Err(NotAdmitted::NoRole(_)), Some(hosts)) => hosts.refuse(authority, body_bytes, error).await,
            (Err(not), _) => drop(not.refuse(authority, body_bytes).await),
        }
    }

    /// The runtime to make calls in; none where this was made outside of any.
    pub(super) fn runtime(&self) -> Option<&Handle> {
        self.runtime.as_ref()
    }

    /// Lets a call begin, with what it is made by.
    pub(super) fn admit(&self) -> Result<(Arc<TaskCalls>, Permit), NotAdmitted> {
        match &self.authority {
            Authority::Role(calls) => match calls.admit() {
                Ok(permit) => Ok((calls.clone(), permit)),
                Err(limit) => Err(NotAdmitted::Limit(calls.clone(), limit)),
            },
            Authority::NoRole(task) => Err(NotAdmitted::NoRole(task.clone())),
        }
    }
}

struct HasAws;

impl HasData for HasAws {
    type Data<'a> = &'a mut AwsCtx;
}

/// Adds `rolebox:aws` to a linker of your own, in wasmtime's idiom: `get` finds the [`AwsCtx`] in your store's state.
///
/// # Errors
///
/// When the linker defines the interface already.
pub fn add_to_linker<T: Send + 'static>(
    linker: &mut Linker<T>,
    get: fn(&mut T) -> &mut AwsCtx,
) -> wasmtime::Result<()> {
    signed_call::add_to_linker::<T, HasAws>(linker, get)
}

impl signed_call::Host for AwsCtx {
    async fn call(&mut self, request: Request) -> wasmtime::Result<Result<Response, Error>> {
        let admitted = self.admit();
        let answer = async move {
            match admitted {
                Ok((calls, permit)) => calls.call_admitted(&permit, incoming(request)).await,
                Err(not) => Err(not.refuse(&request.service, request.body.len() as u64).await),
            }
        };
        // Polled with the guest, so that what it costs to check and sign a call is the guest's own computing.
        let answer = match &self.runtime {
            Some(runtime) => in_runtime(runtime.clone(), answer).await,
            None => answer.await,
        };
        Ok(answer.map(outgoing).map_err(refused))
    }
}

fn incoming(request: Request) -> Call {
    Call {
        service: request.service,
        region: request.region,
        method: request.method,
        path: request.path,
        query: request.query,
        headers: request.headers,
        body: Bytes::from(request.body),
    }
}

fn outgoing(answer: Answer) -> Response {
    let headers =
        answer.headers.iter().map(|(name, value)| (name.as_str().to_owned(), value.as_bytes().to_vec())).collect();
    Response { status: answer.status.as_u16(), headers, body: answer.body.to_vec() }
}

fn refused(error: CallError) -> Error {
    match error {
        CallError::Denied(denied) => Error::Denied(Denial {
            reason: denied.to_string(),
            missing: denied
                .missing
                .into_iter()
                .map(|grant| MissingGrant { action: grant.action, resource: grant.resource })
                .collect(),
        }),
        CallError::InvalidRequest(reason) => Error::InvalidRequest(reason),
        CallError::TooLarge { limit } => Error::TooLarge(limit),
        CallError::CredentialsUnavailable(reason) => Error::CredentialsUnavailable(reason),
        CallError::EndpointUnreachable(reason) => Error::EndpointUnreachable(reason),
        CallError::TimedOut => Error::TimedOut,
        CallError::Quota(reason) => Error::Quota(reason),
    }
}
