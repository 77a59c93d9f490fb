//! Takes out of a service's answer what a guest must not see: S3 answers a refused signature with the key id, the
//! string that was signed and the whole canonical request, session token included.

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, ETAG};
use http::{HeaderMap, HeaderValue};
use rolebox_aws_request::Operation;

use super::Answer;
use super::send::Received;
use super::sign::Signed;
use crate::credentials::SessionCredentials;

/// What stands in an answer in place of what was taken out.
const REDACTED: &str = "[removed by the host]";

/// Elements of S3's error documents that quote the signed request. The `…Bytes` forms are hexadecimal, so no search
/// for the token would find it there.
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html>
const QUOTING_ELEMENTS: [&str; 8] = [
    "AWSAccessKeyId",
    "StringToSign",
    "StringToSignBytes",
    "SignatureProvided",
    "CanonicalRequest",
    "CanonicalRequestBytes",
    "Token-0",
    "SignatureProvidedBytes",
];

/// Cleans what came back for a request that was `signed` with `credentials`.
pub(super) fn scrub(
    operation: &Operation,
    received: Received,
    signed: &Signed,
    credentials: &SessionCredentials,
) -> Received {
    let needles = [
        credentials.secret_access_key().expose(),
        credentials.session_token().expose(),
        credentials.access_key_id(),
        &signed.signature,
    ];
    match received {
        // A long object, whose own bytes are the guest's: the service does not write into them.
        Received::Open(mut open) => {
            scrub_headers(&mut open.headers, &needles);
            Received::Open(open)
        }
        Received::Whole(answer) => Received::Whole(scrub_whole(operation, answer, &needles)),
    }
}

fn scrub_whole(operation: &Operation, mut answer: Answer, needles: &[&str]) -> Answer {
    scrub_headers(&mut answer.headers, needles);
    let object = operation.method == "GET" && answer.status.is_success();
    // An object's own bytes are the guest's: the service does not write into them, and they may be large.
    if !object || answer.body.len() <= SMALL_BODY {
        let cleaned = scrub_body(answer.body.clone(), needles, !answer.status.is_success());
        if cleaned != answer.body {
            // What these said was about the other body.
            answer.headers.remove(CONTENT_LENGTH);
            answer.headers.remove(ETAG);
            answer.body = cleaned;
        }
    }
    answer
}

/// Bodies up to this size, in bytes, are searched whatever they are.
pub(super) const SMALL_BODY: usize = 64 << 10;

fn scrub_headers(headers: &mut HeaderMap, needles: &[&str]) {
    for value in headers.values_mut() {
        if needles.iter().any(|needle| find(value.as_bytes(), needle.as_bytes()).is_some()) {
            *value = HeaderValue::from_static(REDACTED);
        }
    }
}

fn scrub_body(body: Bytes, needles: &[&str], error: bool) -> Bytes {
    let mut cleaned = None;
    for needle in needles {
        let current: &[u8] = cleaned.as_deref().unwrap_or(&body);
        if let Some(without) = replace_all(current, needle.as_bytes()) {
            cleaned = Some(without);
        }
    }
    if error {
        for element in QUOTING_ELEMENTS {
            let current: &[u8] = cleaned.as_deref().unwrap_or(&body);
            if let Some(without) = empty_element(current, element) {
                cleaned = Some(without);
            }
        }
    }
    let body = cleaned.map_or(body, Bytes::from);
    if error && QUOTING_WORDS.iter().any(|words| find(&body, words.as_bytes()).is_some()) {
        return without_message(&body);
    }
    body
}

/// What a JSON service's message holds when it quotes the request that it would have signed.
const QUOTING_WORDS: [&str; 2] = ["String-to-Sign", "Canonical String"];

/// A JSON error without its message; nothing at all where it is no JSON object.
fn without_message(body: &[u8]) -> Bytes {
    let Ok(serde_json::Value::Object(mut error)) = serde_json::from_slice(body) else {
        return Bytes::from_static(REDACTED.as_bytes());
    };
    for (_, value) in error.iter_mut().filter(|(name, _)| name.eq_ignore_ascii_case("message")) {
        *value = REDACTED.into();
    }
    Bytes::from(serde_json::Value::Object(error).to_string())
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    // Most headers are shorter than any key, and making a searcher takes longer than searching them.
    if haystack.len() < needle.len() { None } else { memchr::memmem::find(haystack, needle) }
}

fn replace_all(text: &[u8], needle: &[u8]) -> Option<Vec<u8>> {
    // An empty needle is in everything; a secret that is empty is none.
    if needle.is_empty() {
        return None;
    }
    let mut at = find(text, needle)?;
    let (mut out, mut rest) = (Vec::with_capacity(text.len()), text);
    loop {
        out.extend_from_slice(&rest[..at]);
        out.extend_from_slice(REDACTED.as_bytes());
        rest = &rest[at + needle.len()..];
        match find(rest, needle) {
            Some(next) => at = next,
            None => break,
        }
    }
    out.extend_from_slice(rest);
    Some(out)
}

/// `text` without what stands between the tags of every `element`; to the end where one is not closed.
fn empty_element(text: &[u8], element: &str) -> Option<Vec<u8>> {
    let (open, close) = (format!("<{element}>"), format!("</{element}>"));
    find(text, open.as_bytes())?;
    let (mut out, mut rest) = (Vec::with_capacity(text.len()), text);
    while let Some(at) = find(rest, open.as_bytes()) {
        let inner = at + open.len();
        out.extend_from_slice(&rest[..inner]);
        out.extend_from_slice(REDACTED.as_bytes());
        let end = find(&rest[inner..], close.as_bytes()).map_or(rest.len(), |length| inner + length);
        rest = &rest[end..];
    }
    out.extend_from_slice(rest);
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_s3_quotes_is_taken_out() {
        let body = Bytes::from_static(
            b"<Error><Code>SignatureDoesNotMatch</Code><AWSAccessKeyId>ASIAEXAMPLE</AWSAccessKeyId>\
              <StringToSign>AWS4-HMAC-SHA256 x</StringToSign><CanonicalRequestBytes>50 55</CanonicalRequestBytes>\
              <CanonicalRequest>PUT\nx-amz-security-token:TOKEN",
        );
        let cleaned = scrub_body(body, &["SECRET", "TOKEN", "ASIAEXAMPLE", "beef"], true);
        let cleaned = String::from_utf8(cleaned.to_vec()).unwrap();
        assert!(cleaned.contains("<Code>SignatureDoesNotMatch</Code>"), "{cleaned}");
        for gone in ["ASIAEXAMPLE", "AWS4-HMAC", "50 55", "TOKEN", "x-amz-security-token"] {
            assert!(!cleaned.contains(gone), "{gone} in {cleaned}");
        }
    }

    #[test]
    fn the_message_that_quotes_what_was_signed_is_taken_out_of_json() {
        let body = r#"{"__type":"InvalidSignatureException","message":"The Canonical String was 'POST\n/'"}"#;
        let cleaned = scrub_body(Bytes::from_static(body.as_bytes()), &["SECRET"], true);
        let cleaned: serde_json::Value = serde_json::from_slice(&cleaned).unwrap();
        assert_eq!(cleaned["__type"], "InvalidSignatureException");
        assert_eq!(cleaned["message"], REDACTED);
    }

    #[test]
    fn an_echo_anywhere_is_replaced_each_time() {
        let cleaned = scrub_body(Bytes::from_static(b"TOKENaTOKEN and SECRET"), &["SECRET", "TOKEN"], false);
        let cleaned = String::from_utf8(cleaned.to_vec()).unwrap();
        assert_eq!(cleaned, format!("{REDACTED}a{REDACTED} and {REDACTED}"));
    }

    #[test]
    fn an_answer_without_echo_is_passed_on_unchanged() {
        let body = Bytes::from_static(b"<StringToSign>is an object's own text</StringToSign>");
        assert_eq!(scrub_body(body.clone(), &["SECRET", "", "TOKEN"], false), body);
    }

    #[test]
    fn a_header_that_echoes_is_redacted() {
        let mut headers = HeaderMap::new();
        headers.insert("x-debug", HeaderValue::from_static("token=TOKEN"));
        headers.insert("etag", HeaderValue::from_static("\"abc\""));
        scrub_headers(&mut headers, &["TOKEN"]);
        assert_eq!(headers["x-debug"], REDACTED);
        assert_eq!(headers["etag"], "\"abc\"");
    }
}
