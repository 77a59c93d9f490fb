#![allow(clippy::unwrap_used, reason = "a test that panics has failed, as it should")]

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use aws_smithy_async::time::{SharedTimeSource, TimeSource};
use http::{HeaderMap, HeaderValue, StatusCode};
use rolebox_aws_request::{CallerScope, Operation, parse};
use rolebox_policy::Capabilities;

use super::*;
use crate::egress::addressed::Authorized;
use crate::egress::audit::TracingAudit;
use crate::egress::send::Received;
use crate::egress::testing::{ROLE, SESSION, put, session};
use crate::egress::{CallLimits, Egress, Endpoints, HttpClients, TaskCalls, TaskIdentity};

/// 2026-11-25T12:00:00Z by the host's clock.
const NOW: u64 = 1_795_608_000;

const TOO_SKEWED: &str = "<?xml version=\"1.0\"?><Error><Code>RequestTimeTooSkewed</Code><Message>The difference between \
                          the request time and the current time is too large.</Message></Error>";
const EXPIRED: &str = r#"{"__type":"com.amazon.coral.service#InvalidSignatureException","message":"Signature expired: 20261125T120000Z is now earlier than 20261125T121000Z"}"#;
const NOT_YET: &str = r#"{"Message":"Signature not yet current: 20261125T120000Z is still later than 20261125T115500Z","__type":"InvalidSignatureException"}"#;
const WRONG_KEY: &str = r#"{"__type":"InvalidSignatureException","message":"The request signature we calculated does not match the signature you provided. Signature expired"}"#;
const QUERY: &str = "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error><Type>Sender</Type>\
                     <Code>SignatureDoesNotMatch</Code><Message>Signature expired: 20261125T120000Z</Message></Error>\
                     </ErrorResponse>";

/// A clock that stands where the test puts it.
#[derive(Clone, Debug)]
struct ManualClock(Arc<AtomicU64>);

impl TimeSource for ManualClock {
    fn now(&self) -> SystemTime {
        at(self.0.load(Ordering::Relaxed))
    }
}

fn at(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
}

/// An answer that the service gives when its clock is so many minutes from the host's.
fn refusal(status: u16, minutes: i64, headers: &[(&'static str, &str)], body: &str) -> Answer {
    let date = DateTime::from_secs(NOW.cast_signed() + minutes * 60).fmt(Format::HttpDate).unwrap();
    let mut answer = Answer {
        status: StatusCode::from_u16(status).unwrap(),
        headers: HeaderMap::new(),
        body: body.to_owned().into(),
    };
    answer.headers.insert(DATE, date.parse().unwrap());
    for (name, value) in headers {
        answer.headers.append(*name, HeaderValue::from_str(value).unwrap());
    }
    answer
}

fn operation() -> Operation {
    let call = put(b"body");
    let scope = CallerScope {
        account: "123456789012".parse().unwrap(),
        partition: "aws".into(),
        region: "us-east-1".parse().unwrap(),
    };
    parse(&call, &scope).unwrap()
}

fn target(endpoint: &str) -> Target {
    Endpoints::public().with_every_service(endpoint).unwrap().target(&operation(), "aws").unwrap()
}

/// What is learnt from one answer over TLS, in seconds.
fn learnt(answer: Answer) -> Option<i64> {
    let mut skew = ClockSkew::default();
    let again = skew.learn(&target("https://endpoint.example"), Some(&answer), at(NOW));
    let seconds = match skew.offset {
        None => None,
        Some(Offset::Ahead(by)) => Some(by.as_secs().cast_signed()),
        Some(Offset::Behind(by)) => Some(-by.as_secs().cast_signed()),
    };
    assert_eq!(again, seconds.is_some());
    seconds
}

#[test]
fn the_time_is_learnt_from_answers_that_blame_it() {
    let lambda = [("x-amzn-errortype", "InvalidSignatureException:http://internal.amazon.com/coral/")];
    let lambda_body = r#"{"message":"Signature expired: 20261125T120000Z is now earlier than 20261125T121000Z"}"#;
    for (what, answer, seconds) in [
        ("S3, the host is behind", refusal(403, 10, &[], TOO_SKEWED), 600),
        ("S3, the host is ahead", refusal(403, -10, &[], TOO_SKEWED), -600),
        ("JSON, expired", refusal(400, 10, &[], EXPIRED), 600),
        ("JSON, not yet", refusal(400, -6, &[], NOT_YET), -360),
        ("REST with JSON", refusal(403, 7, &lambda, lambda_body), 420),
        ("query", refusal(403, 10, &[], QUERY), 600),
        ("the least that is believed", refusal(403, 4, &[], TOO_SKEWED), 240),
        ("the most that is corrected", refusal(403, 15, &[], TOO_SKEWED), 900),
        ("more than that", refusal(403, 16, &[], TOO_SKEWED), 900),
        ("a day ahead", refusal(403, 24 * 60, &[], TOO_SKEWED), 900),
        ("a day behind", refusal(403, -24 * 60, &[], TOO_SKEWED), -900),
    ] {
        assert_eq!(learnt(answer), Some(seconds), "{what}");
    }
}

#[test]
fn nothing_is_learnt_from_any_other_answer() {
    let quoted =
        "<Error><Code>NoSuchKey</Code><Message>no</Message><Key><Code>RequestTimeTooSkewed</Code></Key></Error>";
    let elsewhere = "<Error><Code>AccessDenied</Code><Message>Signature expired: no</Message></Error>";
    let long = TOO_SKEWED.to_owned() + &" ".repeat(LONGEST_ERROR);
    let mut without_date = refusal(403, 10, &[], TOO_SKEWED);
    without_date.headers.remove(DATE);
    let mut nonsense = refusal(403, 10, &[], TOO_SKEWED);
    nonsense.headers.insert(DATE, HeaderValue::from_static("tomorrow"));
    let mut no_text = refusal(403, 10, &[], TOO_SKEWED);
    no_text.body = vec![0xff; 8].into();
    for (what, answer) in [
        ("a success that says so", refusal(200, 10, &[], TOO_SKEWED)),
        ("a redirect that says so", refusal(307, 10, &[], TOO_SKEWED)),
        ("a failure of the service", refusal(503, 10, &[], TOO_SKEWED)),
        ("the wrong key", refusal(400, 10, &[], WRONG_KEY)),
        ("another error with such a message", refusal(403, 10, &[], elsewhere)),
        ("another error that quotes the code", refusal(404, 10, &[], quoted)),
        ("an expired session", refusal(400, 10, &[], "<Error><Code>ExpiredToken</Code></Error>")),
        ("no error at all", refusal(403, 10, &[], "")),
        ("a body that is no text", no_text),
        ("a body longer than an error", refusal(403, 10, &[], &long)),
        ("a clock that agrees", refusal(403, 0, &[], TOO_SKEWED)),
        ("a clock that nearly agrees", refusal(403, -3, &[], TOO_SKEWED)),
        ("no date", without_date),
        ("a date that is none", nonsense),
        ("two dates", refusal(403, 10, &[("date", "Wed, 25 Nov 2026 12:10:00 GMT")], TOO_SKEWED)),
        ("an answer out of a cache", refusal(403, 10, &[("age", "600")], TOO_SKEWED)),
    ] {
        assert_eq!(learnt(answer), None, "{what}");
    }
}

#[test]
fn nothing_is_learnt_without_tls_or_an_answer() {
    for endpoint in ["http://127.0.0.1:5000", "http://169.254.1.1", "http://endpoint.example:443"] {
        let mut skew = ClockSkew::default();
        assert!(!skew.learn(&target(endpoint), Some(&refusal(403, 10, &[], TOO_SKEWED)), at(NOW)), "{endpoint}");
        assert_eq!(skew.correct(at(NOW)), at(NOW));
    }
    let mut skew = ClockSkew::default();
    assert!(!skew.learn(&target("https://endpoint.example"), None, at(NOW)));
}

#[test]
fn a_time_that_cannot_be_corrected_stays() {
    let behind = ClockSkew { offset: Some(Offset::Behind(Duration::MAX)) };
    let ahead = ClockSkew { offset: Some(Offset::Ahead(Duration::MAX)) };
    assert_eq!((behind.correct(at(NOW)), ahead.correct(at(NOW))), (at(NOW), at(NOW)));
}

/// Makes one call whose attempts are answered in turn, each a second later; returns the times that were signed, and the
/// status of what is handed on.
async fn call(endpoint: &str, answers: Vec<Answer>) -> (Vec<String>, StatusCode) {
    let clock = ManualClock(Arc::new(AtomicU64::new(NOW)));
    let time = SharedTimeSource::new(clock.clone());
    let egress = Egress::new(HttpClients::new().unwrap(), Endpoints::public(), Arc::new(TracingAudit), time);
    let role: rolebox_policy::RoleArn = ROLE.parse().unwrap();
    let identity = TaskIdentity {
        task_id: SESSION.into(),
        family: "s3-sample".into(),
        capabilities: Capabilities::parse(Vec::new(), &role).unwrap(),
        role,
        region: "us-east-1".parse().unwrap(),
    };
    let calls = TaskCalls::new(egress, identity, session().await, CallLimits::default());
    let authorized = Authorized { operation: operation(), bucket_owner: None, source_bucket_owner: None };
    let (answers, signed_at) = (Mutex::new(VecDeque::from(answers)), Mutex::new(Vec::new()));
    let addressed = authorized.addressed(false, |_| Ok(target(endpoint))).unwrap();
    let answer = calls.attempts(&addressed, |signed| {
        signed_at.lock().unwrap().push(signed.headers["x-amz-date"].to_str().unwrap().to_owned());
        clock.0.fetch_add(1, Ordering::Relaxed);
        let answer = answers.lock().unwrap().pop_front().unwrap();
        async move { Ok(Received::Whole(answer)) }
    });
    let status = answer.await.unwrap().whole().unwrap().status;
    (signed_at.into_inner().unwrap(), status)
}

#[tokio::test]
async fn a_call_is_signed_once_more_by_the_services_clock() {
    let done = || refusal(200, 10, &[], "");
    let refused = || refusal(403, 10, &[], TOO_SKEWED);
    let (https, http) = ("https://endpoint.example", "http://127.0.0.1:5000");
    for (what, endpoint, answers, signed_at, status) in [
        ("a right clock", https, vec![done()], vec!["20261125T120000Z"], 200),
        // The answer names the time of its second attempt.
        ("a slow clock", https, vec![refused(), done()], vec!["20261125T120000Z", "20261125T121000Z"], 200),
        ("refused again", https, vec![refused(), refused()], vec!["20261125T120000Z", "20261125T121000Z"], 403),
        ("plain HTTP", http, vec![refused()], vec!["20261125T120000Z"], 403),
    ] {
        let (times, answered) = call(endpoint, answers).await;
        assert_eq!(
            (times.iter().map(String::as_str).collect::<Vec<_>>(), answered.as_u16()),
            (signed_at, status),
            "{what}"
        );
    }
}
