//! What calls got, as lines of text that are the same whenever the answers are.

use std::error::Error;
use std::fmt::Debug;

use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_types::error::display::DisplayErrorContext;

/// Lines of text, one for each call.
#[derive(Debug, Default)]
pub struct Transcript {
    lines: Vec<String>,
    /// Ids that a service made up, and what is written in their place.
    made_up: Vec<(String, String)>,
}

impl Transcript {
    /// The lines so far.
    pub fn lines(&self) -> &[String] {
        &self.lines
    }

    /// Writes down a call's whole answer, or its error; gives the answer.
    pub(crate) fn whole<O: Debug, E>(&mut self, call: &str, result: Result<O, SdkError<E>>) -> Option<O>
    where
        E: Debug + Error + ProvideErrorMetadata + 'static,
    {
        self.part(call, result, |output| format!("{output:?}"))
    }

    /// Writes down what `show` makes of a call's answer, or its error; gives the answer.
    pub(crate) fn part<O, E>(
        &mut self,
        call: &str,
        result: Result<O, SdkError<E>>,
        show: impl FnOnce(&O) -> String,
    ) -> Option<O>
    where
        E: Debug + Error + ProvideErrorMetadata + 'static,
    {
        let text = match &result {
            Ok(output) => show(output),
            Err(error) => failure(error),
        };
        self.line(&format!("{call}: {text}"));
        result.ok()
    }

    /// Writes down a line about what a call got.
    pub(crate) fn line(&mut self, text: &str) {
        let mut text = without_times(&without_request_ids(text));
        for (id, name) in &self.made_up {
            text = text.replace(id, name);
        }
        self.lines.push(text.replace(['\n', '\r'], " "));
    }

    /// Has `name` written in place of an id that the service made up.
    pub(crate) fn made_up(&mut self, id: Option<&str>, name: &str) {
        // "null" is the version of an object in a bucket that keeps none.
        if let Some(id) = id.filter(|id| !id.is_empty() && *id != "null") {
            self.made_up.push((id.to_owned(), format!("<{name}>")));
        }
    }
}

/// An error's type, code, status and message.
fn failure<E>(error: &SdkError<E>) -> String
where
    E: Debug + Error + ProvideErrorMetadata + 'static,
{
    let SdkError::ServiceError(answered) = error else { return format!("no answer: {}", DisplayErrorContext(error)) };
    let kind = format!("{:?}", answered.err());
    let kind = kind.split(['(', ' ']).next().unwrap_or_default();
    let (code, message) = (error.code().unwrap_or("-"), error.message().unwrap_or("-"));
    format!("error {kind} {code} {}: {message}", answered.raw().status().as_u16())
}

/// The text without the ids that every answer has: `_request_id: Some("…")`.
fn without_request_ids(text: &str) -> String {
    cut(&cut(text, "_request_id: Some(\"", "\")"), "\"aws_request_id\": \"", "\"")
}

/// The text without times of day: `2026-11-28T17:15:44Z`, with a fraction or without.
fn without_times(text: &str) -> String {
    const SHAPE: &[u8] = b"0000-00-00T00:00:00";
    let fits = |byte: u8, shape: u8| if shape == b'0' { byte.is_ascii_digit() } else { byte == shape };
    let (mut out, mut rest) = (String::with_capacity(text.len()), text);
    while let Some(first) = rest.chars().next() {
        let begins = rest.len() >= SHAPE.len() && rest.bytes().zip(SHAPE).all(|(byte, shape)| fits(byte, *shape));
        let end = rest.find('Z').filter(|_| begins);
        match end {
            Some(end) => {
                out.push_str("<time>");
                rest = &rest[end + 1..];
            }
            None => {
                out.push(first);
                rest = &rest[first.len_utf8()..];
            }
        }
    }
    out
}

/// The text without what stands between `from` and `to`, wherever it does.
fn cut(text: &str, from: &str, to: &str) -> String {
    let (mut out, mut rest) = (String::with_capacity(text.len()), text);
    while let Some((before, after)) = rest.split_once(from) {
        let Some((_, after)) = after.split_once(to) else { break };
        out.push_str(before);
        out.push_str(from);
        out.push('…');
        out.push_str(to);
        rest = after;
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_from_run_to_run_is_not_written() {
        let mut transcript = Transcript::default();
        transcript.made_up(Some("x1y2"), "UPLOAD");
        transcript.made_up(Some("null"), "VERSION");
        transcript.line(r#"A { id: "x1y2", at: 2026-11-28T17:15:44.5Z, v: null, _request_id: Some("a"), b: 1 }"#);
        transcript.line(r#"B { _extended_request_id: Some("c"), _request_id: None }"#);
        assert_eq!(
            transcript.lines(),
            [
                r#"A { id: "<UPLOAD>", at: <time>, v: null, _request_id: Some("…"), b: 1 }"#,
                r#"B { _extended_request_id: Some("…"), _request_id: None }"#,
            ]
        );
    }
}
