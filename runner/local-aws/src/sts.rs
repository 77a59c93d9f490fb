//! The Security Token Service: AssumeRole and GetCallerIdentity, in AWS's query protocol.
//!
//! A request is `POST /` with a form in its body, an answer is XML
//! (<https://docs.aws.amazon.com/STS/latest/APIReference/welcome.html>). Every other operation is answered with
//! `InvalidAction`: what is not implemented can't succeed by accident.

mod assume_role;
mod error;
mod parameters;

use std::net::SocketAddr;
use std::sync::Arc;

use http::request::Parts;
use http::{Response, StatusCode};
use hyper::body::Incoming;
use sha2::{Digest, Sha256};
use time::OffsetDateTime;

use self::error::StsError;
use self::parameters::Parameters;
use crate::answer::{Answer, escape_xml};
use crate::body;
use crate::principal::{Principal, RequestFacts};
use crate::roles::Roles;
use crate::sigv4::{self, SigningService, Target};
use crate::{ACCOUNT, credentials::Credentials};

/// The version of the API, which every request names.
const VERSION: &str = "2011-06-15";
/// The longest body. A session policy of 2,048 characters and 50 tags, each letter percent-encoded, fit well.
const MAX_BODY: u64 = 256 * 1024;

/// What STS works on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sts<'a> {
    pub(crate) roles: &'a Roles,
    pub(crate) credentials: &'a Credentials,
    pub(crate) now: OffsetDateTime,
}

/// A caller and what it sent.
struct Call<'a> {
    principal: Arc<Principal>,
    facts: RequestFacts<'a>,
    parameters: Parameters,
}

impl Sts<'_> {
    /// Answers a request.
    pub(crate) async fn handle(self, parts: &Parts, incoming: Incoming, peer: SocketAddr, request_id: &str) -> Answer {
        let mut answer = Answer::new("sts");
        let result = self.call(parts, incoming, peer, request_id, &mut answer).await;
        let (status, text) = match result {
            Ok(text) => (StatusCode::OK, text),
            Err(error) => {
                answer.error_code = Some(error.code.into());
                (error.status, error.to_xml(request_id))
            }
        };
        let mut response = Response::new(s3s::Body::from(text));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(http::header::CONTENT_TYPE, http::HeaderValue::from_static("text/xml"));
        if let Ok(value) = request_id.parse() {
            headers.insert("x-amzn-requestid", value);
        }
        answer.response = response;
        answer
    }

    async fn call(
        self,
        parts: &Parts,
        incoming: Incoming,
        peer: SocketAddr,
        request_id: &str,
        answer: &mut Answer,
    ) -> Result<String, StsError> {
        let target = Target::parse(&parts.uri).map_err(|_| StsError::malformed("the request target can't be read"))?;
        let bytes = body::collect(incoming, MAX_BODY).await.map_err(StsError::body)?;
        let digest = Sha256::digest(&bytes).into();
        let verified = sigv4::verify(parts, &target, SigningService::Sts, Some(digest), self.now, self.credentials)
            .map_err(StsError::rejection)?;
        let principal = Arc::clone(&verified.credential.principal);
        answer.principal = Some(principal.arn.to_string());
        answer.session_name = principal.session().map(|session| session.name.clone());

        if !target.query.is_empty() {
            return Err(StsError::malformed("parameters belong into the body, not into the query"));
        }
        let mut parameters = Parameters::parse(&bytes)?;
        let action = parameters.required("Action")?;
        answer.operation = Some(action.clone());
        let version = parameters.required("Version")?;
        if version != VERSION {
            return Err(StsError::invalid_action(&action, &version));
        }
        let facts = RequestFacts {
            now: self.now,
            source_ip: peer.ip(),
            user_agent: parts.headers.get(http::header::USER_AGENT).and_then(|value| value.to_str().ok()),
        };
        let call = Call { principal, facts, parameters };
        let result = match action.as_str() {
            "AssumeRole" => self.assume_role(call)?,
            "GetCallerIdentity" => get_caller_identity(call)?,
            _ => return Err(StsError::invalid_action(&action, &version)),
        };
        Ok(format!(
            "<{action}Response xmlns=\"https://sts.amazonaws.com/doc/{VERSION}/\"><{action}Result>{result}</{action}Result>\
             <ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata></{action}Response>"
        ))
    }
}

/// Who the caller is. No policy can deny this
/// (<https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html>).
fn get_caller_identity(call: Call<'_>) -> Result<String, StsError> {
    call.parameters.finish()?;
    Ok(format!(
        "<Arn>{}</Arn><UserId>{}</UserId><Account>{ACCOUNT}</Account>",
        escape_xml(&call.principal.arn.to_string()),
        escape_xml(&call.principal.user_id),
    ))
}
