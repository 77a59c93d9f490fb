//! The host's side of a [`Call`]: conversion to and from the generated bindings, and nothing else.

use crate::bindings::signed_call;
use crate::{Call, Denial, Error, MissingGrant, Response, Transport};

/// The host that runs this task.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Host;

impl Transport for Host {
    fn send(&self, call: Call) -> Result<Response, Error> {
        // Outside of a component there is no import to call; what the bindings have in its place would panic.
        if !cfg!(target_family = "wasm") {
            return Err(Error::EndpointUnreachable(
                "this program does not run as a Rolebox task: build it for wasm32-wasip2, or give the client a Transport \
                 of your own"
                    .to_owned(),
            ));
        }
        signed_call::call(&call.into()).map(Response::from).map_err(Error::from)
    }
}

impl From<Call> for signed_call::Request {
    fn from(call: Call) -> Self {
        let Call { service, region, method, path, query, headers, body } = call;
        Self { service, region, method, path, query, headers, body }
    }
}

impl From<signed_call::Response> for Response {
    fn from(response: signed_call::Response) -> Self {
        let signed_call::Response { status, headers, body } = response;
        Self { status, headers, body }
    }
}

impl From<signed_call::Error> for Error {
    fn from(error: signed_call::Error) -> Self {
        match error {
            signed_call::Error::Denied(denial) => Self::Denied(denial.into()),
            signed_call::Error::InvalidRequest(reason) => Self::InvalidRequest(reason),
            signed_call::Error::TooLarge(limit) => Self::TooLarge { limit },
            signed_call::Error::CredentialsUnavailable(reason) => Self::CredentialsUnavailable(reason),
            signed_call::Error::EndpointUnreachable(reason) => Self::EndpointUnreachable(reason),
            signed_call::Error::TimedOut => Self::TimedOut,
            signed_call::Error::Quota(limit) => Self::Quota(limit),
        }
    }
}

impl From<signed_call::Denial> for Denial {
    fn from(denial: signed_call::Denial) -> Self {
        let missing =
            denial.missing.into_iter().map(|grant| MissingGrant { action: grant.action, resource: grant.resource });
        Self { missing: missing.collect(), reason: denial.reason }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_refusal_of_the_host_keeps_its_meaning() {
        let denial = signed_call::Denial {
            missing: vec![signed_call::MissingGrant {
                action: "s3:PutObject".into(),
                resource: "arn:aws:s3:::b/k".into(),
            }],
            reason: "no capability grants s3:PutObject".into(),
        };
        let cases = [
            (
                signed_call::Error::Denied(denial),
                Error::Denied(Denial {
                    missing: vec![MissingGrant { action: "s3:PutObject".into(), resource: "arn:aws:s3:::b/k".into() }],
                    reason: "no capability grants s3:PutObject".into(),
                }),
            ),
            (signed_call::Error::InvalidRequest("a".into()), Error::InvalidRequest("a".into())),
            (signed_call::Error::TooLarge(7), Error::TooLarge { limit: 7 }),
            (signed_call::Error::CredentialsUnavailable("b".into()), Error::CredentialsUnavailable("b".into())),
            (signed_call::Error::EndpointUnreachable("c".into()), Error::EndpointUnreachable("c".into())),
            (signed_call::Error::TimedOut, Error::TimedOut),
            (signed_call::Error::Quota("d".into()), Error::Quota("d".into())),
        ];
        for (from_host, expected) in cases {
            assert_eq!(Error::from(from_host), expected);
        }
    }

    #[test]
    fn a_call_outside_a_task_is_an_error_and_no_panic() {
        let error = Call::new("s3").send().expect_err("nobody is there to answer");
        assert!(matches!(error, Error::EndpointUnreachable(_)), "{error}");
    }
}
