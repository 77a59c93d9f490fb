//! A host whose clock is wrong, and a service that says so.
//!
//! A signature names its time, and a service refuses one that is too far from its own: S3 at 15 minutes, others at 5.
//! Such a refusal tells the right time in its `date`, and the call is signed once more by that. Since the service refused
//! the signature, nothing was done yet, so this holds for calls that change something as well.
//!
//! Who can turn the clock can have signatures made for a later time and use them then. So the time is learnt only
//!
//! - from an answer over TLS, whose certificate both HTTP clients verify; never over plain HTTP, which only an
//!   operator's endpoint can be;
//! - from a refusal that names the time as its reason, in [`REFUSALS`], and whose `date` bears it out by
//!   [`SMALLEST`];
//! - up to [`LARGEST`], whatever the answer says;
//! - once a call, and for that call alone. A host whose clock stays wrong pays each call twice and warns each time; an
//!   answer that lied has no effect beyond its own call.
//!
//! Absent: answers to HEAD, which have no body, so that S3's do not say what was refused; and bodies that are sent while
//! they come in, which cannot be sent again: on a host whose clock is that wrong, they fail.

use std::time::{Duration, SystemTime};

use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use http::HeaderName;
use http::header::{AGE, DATE};
use serde_json::Value;

use super::Answer;
use super::endpoint::Target;

/// The most that a clock is corrected by. It is the widest window that AWS gives a signature, so what a host signs is of
/// use for one window more at most; and with the window itself it mends clocks that are wrong by 20 to 30 minutes. One
/// that is further off is the operator's to set right: role sessions, whose expiry is compared with it, fail as well.
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html> (`RequestTimeTooSkewed`)
const LARGEST: Duration = Duration::from_secs(15 * 60);

/// The least difference that is believed to be the reason. The narrowest window is five minutes, of which the request
/// may have spent some on its way.
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-troubleshooting.html>
const SMALLEST: Duration = Duration::from_secs(4 * 60);

/// Error codes that mean a wrong time, and how their message must begin where the code has other reasons too.
///
/// Sources: "Troubleshooting Signature Version 4 signing for AWS API requests", IAM User Guide
/// (reference_sigv-troubleshooting.html); "Error responses", Amazon S3 API Reference (ErrorResponses.html);
/// "Common error types" of the services' API references.
const REFUSALS: [(&str, &[&str]); 5] = [
    ("RequestTimeTooSkewed", &[""]),
    ("RequestExpired", &[""]),
    ("RequestInTheFuture", &[""]),
    ("InvalidSignatureException", &["Signature expired", "Signature not yet current"]),
    ("SignatureDoesNotMatch", &["Signature expired", "Signature not yet current"]),
];

/// Where REST services with JSON bodies name the error.
const ERROR_TYPE: HeaderName = HeaderName::from_static("x-amzn-errortype");

/// Errors are short; what is longer is not read for one. In bytes.
const LONGEST_ERROR: usize = 16 << 10;

/// What one call has learnt of the time.
#[derive(Debug, Default)]
pub(super) struct ClockSkew {
    offset: Option<Offset>,
}

/// How far the service's clock is from the host's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Offset {
    Ahead(Duration),
    Behind(Duration),
}

impl ClockSkew {
    /// The time to sign by, when the host's clock says `now`.
    pub(super) fn correct(&self, now: SystemTime) -> SystemTime {
        let corrected = match self.offset {
            None => Some(now),
            Some(Offset::Ahead(by)) => now.checked_add(by),
            Some(Offset::Behind(by)) => now.checked_sub(by),
        };
        corrected.unwrap_or(now)
    }

    /// Takes what was sent to `target` and came back at `now`. Whether something was learnt, so that the call is to be
    /// signed and sent once more; never more than once.
    pub(super) fn learn(&mut self, target: &Target, sent: Option<&Answer>, now: SystemTime) -> bool {
        let Some(answer) = sent else { return false };
        if self.offset.is_some() || target.url.scheme() != "https" || !blames_the_time(answer) {
            return false;
        }
        let Some(offset) = offset(answer, now) else { return false };
        tracing::warn!(
            host = target.url.host_str(),
            ?offset,
            "the host's clock is wrong: a service refused a signature for its time, and the call is signed once more \
             by the service's clock; set the host's right, for example with NTP"
        );
        self.offset = Some(offset);
        true
    }
}

/// The offset that the answer's `date` shows, within bounds.
fn offset(answer: &Answer, now: SystemTime) -> Option<Offset> {
    let mut dates = answer.headers.get_all(DATE).iter();
    let (Some(date), None) = (dates.next(), dates.next()) else { return None };
    if answer.headers.contains_key(AGE) {
        // Out of a cache: that was the time when the answer was made (RFC 9111, section 5.1).
        return None;
    }
    let date = DateTime::from_str(date.to_str().ok()?, Format::HttpDate).ok()?;
    let date = SystemTime::try_from(date).ok()?;
    let (by, offset): (_, fn(Duration) -> Offset) = match date.duration_since(now) {
        Ok(ahead) => (ahead, Offset::Ahead),
        Err(behind) => (behind.duration(), Offset::Behind),
    };
    (by >= SMALLEST).then(|| offset(by.min(LARGEST)))
}

/// Whether the answer refuses a signature for its time.
fn blames_the_time(answer: &Answer) -> bool {
    if !answer.status.is_client_error() || answer.body.len() > LONGEST_ERROR {
        return false;
    }
    let Some((code, message)) = error(answer) else { return false };
    REFUSALS.iter().any(|(refusal, begins)| *refusal == code && begins.iter().any(|begin| message.starts_with(begin)))
}

/// The error's code and message, in whichever of AWS's forms.
fn error(answer: &Answer) -> Option<(String, String)> {
    let body = std::str::from_utf8(&answer.body).ok()?;
    let header = answer.headers.get(ERROR_TYPE).and_then(|value| value.to_str().ok());
    if let Ok(Value::Object(body)) = serde_json::from_str(body) {
        let member = |name: &str| body.get(name).and_then(Value::as_str);
        // `namespace#Code`, and in the header `Code:address`.
        let code = header.or(member("__type"))?;
        let code = code.rsplit('#').next()?.split(':').next()?;
        let message = member("message").or(member("Message")).unwrap_or_default();
        return Some((code.to_owned(), message.to_owned()));
    }
    // The first element of each name is the error's own. What follows may quote the request, escaped.
    let element = |name: &str| {
        let (_, rest) = body.split_once(&format!("<{name}>"))?;
        Some(rest.split_once(&format!("</{name}>"))?.0.to_owned())
    };
    Some((element("Code")?, element("Message").unwrap_or_default()))
}

#[cfg(test)]
mod tests;
