//! `rolebox:aws/signed-call`: the typed door into [`crate::egress`].
//!
//! Nothing is decided here. The guest's record becomes a [`Call`], and the answer or refusal becomes a record again.

use std::sync::Arc;

use bytes::Bytes;
use rolebox_aws_request::Call;
use wasmtime::component::{HasData, Linker};

use self::bindings::rolebox::aws::signed_call::{self, Denial, Error, MissingGrant, Request, Response};
use crate::egress::{Answer, CallError, TaskCalls};

mod bindings {
    wasmtime::component::bindgen!({
        path: "wit",
        world: "rolebox:aws/guest",
        imports: { default: async | trappable },
    });
}

/// A task's authority to make AWS calls, to be kept in the `T` of a `Store<T>`.
#[derive(Debug, Clone)]
pub struct AwsCtx(Option<Arc<TaskCalls>>);

impl AwsCtx {
    /// Calls are made with this task's role session, within its capabilities.
    #[must_use]
    pub fn new(calls: Arc<TaskCalls>) -> Self {
        Self(Some(calls))
    }

    /// A task without a role: every call is denied.
    #[must_use]
    pub fn without_role() -> Self {
        Self(None)
    }

    pub(super) fn calls(&self) -> Option<&Arc<TaskCalls>> {
        self.0.as_ref()
    }
}

/// What a task without a role is told.
pub(super) const NO_ROLE: &str =
    "the task has no role: give its definition a `taskRoleArn` and the capabilities it needs";

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
        let Some(calls) = &self.0 else {
            return Ok(Err(Error::Denied(Denial { missing: Vec::new(), reason: NO_ROLE.to_owned() })));
        };
        Ok(calls.call(incoming(request)).await.map(outgoing).map_err(refused))
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
