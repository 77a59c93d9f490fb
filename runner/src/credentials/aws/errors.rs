//! From the SDK's errors to [`StsError`].

use std::error::Error;

use aws_credential_types::Credentials;
use aws_sdk_sts::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;

use super::super::sts::{StsError, one_line};

/// What stands for a secret that an answer echoed.
const REDACTED: &str = "[redacted]";

/// How much of an error's body is read, in bytes.
const READ_OF_BODY: usize = 4096;

/// What `error` means. The call was signed with `base`, no part of which is left in the result.
pub(super) fn classify<E>(error: SdkError<E, HttpResponse>, base: &Credentials) -> StsError
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    let clean = |text: &str| one_line(&redact(text, base));
    let status = error.raw_response().map_or(0, |response| response.status().as_u16());
    let body = error.raw_response().and_then(|response| response.body().bytes()).unwrap_or_default();
    let body = String::from_utf8_lossy(&body[..body.len().min(READ_OF_BODY)]).into_owned();
    match error {
        SdkError::ServiceError(service) => {
            let service = service.into_err();
            match (service.code(), element(&body, "Code")) {
                (Some(code), _) => {
                    by_code(&clean(code), status, message(&clean(service.message().unwrap_or_default())))
                }
                (None, Some(code)) if status >= 300 => {
                    let text = element(&body, "Message").unwrap_or_default();
                    by_code(&clean(&code), status, message(&clean(&text)))
                }
                // What looked like an answer may hold a session, so nothing of it is shown.
                _ if status < 300 => by_status(status, clean(&causes(&service))),
                _ => by_status(status, message(&clean(&body))),
            }
        }
        SdkError::ResponseError(_) if (200..300).contains(&status) => {
            // The body ended early or was no answer of STS; which, the SDK does not say.
            StsError::Unreachable { reason: clean(&causes(&error)) }
        }
        SdkError::ResponseError(_) => by_status(status, clean(&causes(&error))),
        SdkError::ConstructionFailure(_) => {
            StsError::InvalidRequest { code: "not sent".into(), message: clean(&causes(&error)) }
        }
        // No connection, a lost one, or one that took too long.
        _ => StsError::Unreachable { reason: clean(&causes(&error)) },
    }
}

/// By the codes of AssumeRole and those common to AWS's query protocol, with and without the suffix that newer
/// protocols give them.
fn by_code(code: &str, status: u16, message: String) -> StsError {
    let code = code.to_owned();
    match code.strip_suffix("Exception").unwrap_or(&code) {
        "AccessDenied" => StsError::AccessDenied { message },
        "MalformedPolicyDocument" => StsError::MalformedPolicyDocument { message },
        "PackedPolicyTooLarge" => StsError::PackedPolicyTooLarge { message },
        "RegionDisabled" => StsError::RegionDisabled { message },
        "ExpiredToken" => StsError::ExpiredToken { message },
        "InvalidClientTokenId"
        | "InvalidAccessKeyId"
        | "InvalidToken"
        | "UnrecognizedClient"
        | "SignatureDoesNotMatch"
        | "InvalidSignature"
        | "IncompleteSignature"
        | "MissingAuthenticationToken"
        | "RequestExpired"
        | "RequestTimeTooSkewed"
        | "OptInRequired" => StsError::BaseCredentialsRejected { code, message },
        "Throttling" | "Throttled" | "RequestThrottled" | "RequestLimitExceeded" | "TooManyRequests" | "SlowDown" => {
            StsError::Throttling { code, message }
        }
        "ValidationError"
        | "Validation"
        | "InvalidParameterValue"
        | "InvalidParameterCombination"
        | "MissingParameter"
        | "InvalidAction"
        | "MalformedQueryString" => StsError::InvalidRequest { code, message },
        _ if status == 429 => StsError::Throttling { code, message },
        _ if status >= 500 => StsError::Unavailable { status, message: format!("{code}: {message}") },
        _ => StsError::Other { status, code, message },
    }
}

/// Where the answer has no code that could be read: a proxy's page, or half an answer.
fn by_status(status: u16, message: String) -> StsError {
    match status {
        429 => StsError::Throttling { code: "status 429".into(), message },
        500.. => StsError::Unavailable { status, message },
        200..300 => StsError::InvalidAnswer { reason: message },
        _ => StsError::Other { status, code: "no code".into(), message },
    }
}

/// STS's message without what it quotes: to a wrong signature STS answers with the canonical request, in which the
/// session token of the base credentials is a header.
fn message(text: &str) -> String {
    const QUOTES: [&str; 2] = ["The Canonical String for this request", "The String-to-Sign should have been"];
    let end = QUOTES.iter().filter_map(|quote| text.find(quote)).min().unwrap_or(text.len());
    match text[..end].trim() {
        "" => "it gave no reason".into(),
        message => message.into(),
    }
}

/// `text` without the parts of the base credentials, wherever it holds them.
fn redact(text: &str, base: &Credentials) -> String {
    let parts = [Some(base.secret_access_key()), base.session_token(), Some(base.access_key_id())];
    let mut text = text.to_owned();
    for part in parts.into_iter().flatten().filter(|part| !part.is_empty()) {
        if text.contains(part) {
            text = text.replace(part, REDACTED);
        }
    }
    text
}

/// What stands between an element's tags. For answers that the SDK finds no error in: other servers than STS nest theirs
/// in other elements.
fn element(xml: &str, name: &str) -> Option<String> {
    let (_, rest) = xml.split_once(&format!("<{name}>"))?;
    let (text, _) = rest.split_once(&format!("</{name}>"))?;
    const ENTITIES: [(&str, &str); 5] =
        [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&apos;", "'"), ("&amp;", "&")];
    Some(ENTITIES.iter().fold(text.to_owned(), |text, (entity, character)| text.replace(entity, character)))
}

/// An error and its causes in one text, each said once.
pub(super) fn causes(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text += ": ";
            text += &cause_text;
        }
        source = cause.source();
    }
    text
}
