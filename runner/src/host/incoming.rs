//! Incoming requests of `wasi:http`: what a handler is called with, and what becomes of bodies that it leaves unfinished.

use std::mem;
use std::ops::{Deref, DerefMut};

use bytes::Bytes;
use http::{Request, Response};
use tokio::sync::oneshot;
use wasmtime::component::{Resource, ResourceTable};
use wasmtime_wasi_http::p2::bindings::http::types::{ErrorCode, Scheme};
use wasmtime_wasi_http::p2::body::{HostOutgoingBody, StreamContext};
use wasmtime_wasi_http::p2::types::{HostIncomingRequest, HostResponseOutparam};
use wasmtime_wasi_http::{Error, WasiBody, WasiHttpView};

use super::ComponentState;

/// What a handler makes of a request: an answer whose body may still come, or an error of its own. Where the sender is
/// dropped there will be neither.
pub(crate) type GuestAnswer = Result<Response<WasiBody>, ErrorCode>;

impl ComponentState {
    /// The two arguments of `handle` for this request, which came over plain HTTP; `answer` is told what the guest answers.
    ///
    /// Fails for a request that names no authority, neither in its URI nor in its one `Host`.
    pub(crate) fn incoming<B>(
        &mut self,
        request: Request<B>,
        answer: oneshot::Sender<GuestAnswer>,
    ) -> wasmtime::Result<(Resource<HostIncomingRequest>, Resource<HostResponseOutparam>)>
    where
        B: http_body::Body<Data = Bytes> + Send + 'static,
        B::Error: Into<Error>,
    {
        let mut http = self.http();
        let request = http.new_incoming_request(Scheme::Http, request)?;
        Ok((request, http.new_response_outparam(answer)?))
    }
}

/// A guest's resources. What ends unfinished with them is seen to be unfinished.
///
/// wasmtime-wasi-http ends a body in good order whose writer is merely dropped, so that the answer, or the upload, of a guest
/// that was cut in the middle would look whole. The guest itself finishes a body or aborts it; what is still here was neither.
pub(super) struct Resources(ResourceTable);

impl Resources {
    pub(super) fn new(capacity: usize) -> Self {
        let mut table = ResourceTable::new();
        table.set_max_capacity(capacity);
        Self(table)
    }
}

impl Deref for Resources {
    type Target = ResourceTable;

    fn deref(&self) -> &ResourceTable {
        &self.0
    }
}

impl DerefMut for Resources {
    fn deref_mut(&mut self) -> &mut ResourceTable {
        &mut self.0
    }
}

impl Drop for Resources {
    fn drop(&mut self) {
        for entry in self.0.iter_mut() {
            if let Some(body) = entry.downcast_mut::<HostOutgoingBody>() {
                let (empty, _) = HostOutgoingBody::new(StreamContext::Response, None, 1, 1);
                mem::replace(body, empty).abort();
            }
        }
    }
}
