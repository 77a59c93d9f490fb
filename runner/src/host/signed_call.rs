//! `rolebox:aws/signed-call`: the typed door into [`crate::egress`].
//!
//! Nothing is decided here. The guest's record becomes a [`Call`], and the answer or refusal becomes a record again.

use std::sync::Arc;

use bytes::Bytes;
use rolebox_aws_request::Call;
use wasmtime::component::{HasData, Linker};

use self::bindings::rolebox::aws::signed_call::{self, Denial, Error, MissingGrant, Request, Response};
use crate::egress::{Answer, CallError, LimitReached, Permit, TaskCalls, TaskWithoutRole, no_role};

mod bindings {
    wasmtime::component::bindgen!({
        path: "wit",
        world: "rolebox:aws/guest",
        imports: { default: async | trappable },
    });
}

/// A task's authority to make AWS calls, to be kept in the `T` of a `Store<T>`.
#[derive(Debug, Clone)]
pub struct AwsCtx(Authority);

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
        Self(Authority::Role(calls))
    }

    /// A task without a role: every call is denied, and nothing is recorded.
    #[must_use]
    pub fn without_role() -> Self {
        Self(Authority::NoRole(None))
    }

    /// A task without a role: every call is denied, and the audit of `task` says so.
    #[must_use]
    pub fn denying(task: Arc<TaskWithoutRole>) -> Self {
        Self(Authority::NoRole(Some(task)))
    }

    /// Lets a call begin, with what it is made by.
    pub(super) fn admit(&self) -> Result<(Arc<TaskCalls>, Permit), NotAdmitted> {
        match &self.0 {
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
        let answer = match self.admit() {
            Ok((calls, permit)) => calls.call_admitted(&permit, incoming(request)).await,
            Err(not) => Err(not.refuse(&request.service, request.body.len() as u64).await),
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
