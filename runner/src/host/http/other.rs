//! Requests to hosts that are not AWS's.

use http::Response;
use http::request::Parts;
use http::uri::PathAndQuery;
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody};

use super::{DRAINED_BYTES, content_length, error_code, response};
use crate::egress::{CallError, GuestBody, HostAddress, HostRequest};
use crate::host::signed_call::AwsCtx;

/// The request as it is made, without its body.
pub(super) fn request(head: Parts, address: HostAddress, options: Option<RequestOptions>) -> HostRequest {
    let target = head.uri.path_and_query().map_or("/", PathAndQuery::as_str).to_owned();
    let first_byte = options.and_then(|options| options.first_byte_timeout);
    HostRequest { method: head.method, address, target, headers: head.headers, first_byte }
}

/// Makes the request, or says why not.
pub(super) async fn forward(
    aws: &AwsCtx,
    request: HostRequest,
    body: &mut GuestBody,
) -> Result<Response<WasiBody>, Error> {
    let answered = match aws.hosts() {
        Some(hosts) => hosts.request(request, body).await,
        None => {
            let HostRequest { address, headers, .. } = &request;
            let error = CallError::denied(format!("the host {address} is not AWS's, and this task may reach no other"));
            aws.refuse_request(&format!("{}:{}", address.name, address.port), content_length(headers), &error).await;
            Err(error)
        }
    };
    body.drain(DRAINED_BYTES).await;
    match answered {
        Ok(answer) => Ok(response(answer)),
        Err(error) => {
            tracing::debug!(%error, "a guest's request to another host has no answer");
            Err(error_code(&error).into())
        }
    }
}
