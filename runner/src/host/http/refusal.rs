//! A refusal as the service itself would write it, so that the guest's SDK reads it and raises its own error.
//! <https://smithy.io/2.0/aws/protocols/index.html>
//!
//! A denial is never one that SDKs repeat: what is denied now is denied again. A rate that is used up is.

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use rolebox_aws_request::Protocol;

use crate::egress::{Answer, CallError};

/// The header by which JSON services name an error.
const ERROR_TYPE: HeaderName = HeaderName::from_static("x-amzn-errortype");

/// An error's status and code, in the two spellings that AWS has.
struct Spelling {
    status: StatusCode,
    xml: &'static str,
    json: &'static str,
}

fn spelling(error: &CallError) -> Spelling {
    let of = |status, xml, json| Spelling { status, xml, json };
    match error {
        CallError::Denied(_) => of(StatusCode::FORBIDDEN, "AccessDenied", "AccessDeniedException"),
        CallError::TooLarge { .. } => of(StatusCode::BAD_REQUEST, "EntityTooLarge", "RequestEntityTooLargeException"),
        // SDKs wait and try again, which is what a rate asks for.
        CallError::Quota(_) => of(StatusCode::BAD_REQUEST, "Throttling", "ThrottlingException"),
        CallError::CredentialsUnavailable(_) => {
            of(StatusCode::FORBIDDEN, "InvalidToken", "UnrecognizedClientException")
        }
        _ => of(StatusCode::BAD_REQUEST, "InvalidRequest", "ValidationException"),
    }
}

/// The answer in place of the service's.
pub(super) fn answer(protocol: Protocol, error: &CallError) -> Answer {
    let Spelling { status, xml, json } = spelling(error);
    let message = error.to_string();
    let mut headers = HeaderMap::new();
    let (content_type, body) = match protocol {
        Protocol::RestXml => {
            let message = escaped(&message);
            let body = format!(
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{xml}</Code><Message>{message}</Message></Error>"
            );
            ("application/xml", body)
        }
        Protocol::Query => {
            let message = escaped(&message);
            let body = format!(
                "<ErrorResponse><Error><Type>Sender</Type><Code>{xml}</Code><Message>{message}</Message></Error>\
                 </ErrorResponse>"
            );
            ("text/xml", body)
        }
        Protocol::Json10 => ("application/x-amz-json-1.0", json_body(json, &message)),
        Protocol::Json11 => ("application/x-amz-json-1.1", json_body(json, &message)),
        _ => ("application/json", json_body(json, &message)),
    };
    if !matches!(protocol, Protocol::RestXml | Protocol::Query) {
        headers.insert(ERROR_TYPE, HeaderValue::from_static(json));
    }
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    Answer { status, headers, body: Bytes::from(body) }
}

fn json_body(code: &str, message: &str) -> String {
    // `message` in lower case is what most services write, and every SDK reads.
    serde_json::json!({"__type": code, "message": message}).to_string()
}

/// Text for an XML element. Characters that XML 1.0 cannot hold become a replacement character.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\t' | '\n' => out.push(character),
            character if character.is_control() => out.push('\u{fffd}'),
            character => out.push(character),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(protocol: Protocol) -> (u16, String) {
        let answer = answer(protocol, &CallError::denied("s3:GetObject on <a&b>\u{7}"));
        (answer.status.as_u16(), String::from_utf8(answer.body.to_vec()).unwrap())
    }

    #[test]
    fn each_protocol_has_its_own_denial() {
        let (status, xml) = text(Protocol::RestXml);
        assert_eq!(status, 403);
        assert!(
            xml.contains("<Error><Code>AccessDenied</Code><Message>s3:GetObject on &lt;a&amp;b&gt;\u{fffd}</Message>"),
            "{xml}"
        );
        let (_, query) = text(Protocol::Query);
        assert!(query.starts_with("<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code>"), "{query}");
        for protocol in [Protocol::Json10, Protocol::Json11, Protocol::RestJson] {
            let (_, json) = text(protocol);
            let json: serde_json::Value = serde_json::from_str(&json).unwrap();
            assert_eq!(json["__type"], "AccessDeniedException");
            assert_eq!(json["message"], "s3:GetObject on <a&b>\u{7}");
        }
    }
}
