//! Runs cases through a real guest and says what came of each, in the words of the tables.

use std::path::Path;

use rolebox_guest_artifacts as artifacts;
use rolebox_suite::{ACCOUNT, Host, task, with_key, with_role};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::cases::{Body, Case, Doors};
use super::recorder::{COUNT, KEY_ID, Received, SECRET, TOKEN, Upstream, hex};

/// The largest body that the tasks here may send or receive, in bytes.
pub(super) const BODY_LIMIT: usize = 1_000_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Door {
    Typed,
    Http,
}

/// What a guest printed about one call.
#[derive(Debug)]
pub(super) struct Printed(pub(super) String);

impl Printed {
    /// The value of a line that begins so.
    pub(super) fn line(&self, start: &str) -> Option<&str> {
        self.0.lines().find_map(|line| line.strip_prefix(start))
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.line(&format!("header {name}: "))
    }

    pub(super) fn body(&self) -> &str {
        let (_, body) = self.0.split_once("\nbody\n").unwrap_or_default();
        body.strip_suffix('\n').unwrap_or(body)
    }
}

/// Runs one guest that makes all these calls, and takes its output apart. `arguments` are each call's.
pub(super) async fn calls(host: &Host, door: Door, capabilities: &Value, arguments: &[Vec<String>]) -> Vec<Printed> {
    let guest = match door {
        Door::Typed => artifacts::RAW_CALL,
        Door::Http => artifacts::HTTP_CALL,
    };
    // One call more, since only a list is printed with numbers.
    let lists = [arguments, &arguments[..1]].concat().join(&"--".to_owned());
    let list: Vec<&str> = lists.iter().map(String::as_str).collect();
    let definition = with_role(task(Path::new(guest), &list), "full", capabilities);
    let outcome = host.run(&with_key(definition, "limits", json!({"bodyBytes": BODY_LIMIT}))).await;
    for secret in [KEY_ID, SECRET, TOKEN] {
        assert!(!format!("{outcome:?}").contains(secret), "a guest has seen a key: {outcome:?}");
    }
    assert!(outcome.stopped.exit_code() <= 1 && outcome.stderr.is_empty(), "the guest itself failed: {outcome:?}");
    let mut rest = outcome.stdout.strip_prefix("call 1\n").expect("the first call");
    let mut printed = Vec::new();
    for next in 2..=arguments.len() + 1 {
        let (this, after) = rest.split_once(&format!("call {next}\n")).expect("the next call");
        printed.push(Printed(this.to_owned()));
        rest = after;
    }
    printed
}

/// The guest's arguments for a case.
pub(super) fn arguments(case: &Case, door: Door) -> Vec<String> {
    let (method, rest) = case.request.split_once(' ').expect("METHOD and where to");
    let mut arguments = match (door, rest.split_once("://")) {
        (Door::Http, Some((scheme, rest))) => {
            let split = rest.find(['/', '?']).unwrap_or(rest.len());
            vec![scheme.to_owned(), rest[..split].to_owned(), method.to_owned(), rest[split..].to_owned()]
        }
        (Door::Http, None) => {
            let (service, region, target) = addressed(rest);
            let authority = match (service, region) {
                ("iam", _) => "iam.amazonaws.com".to_owned(),
                (_, region) => format!("{service}.{}.amazonaws.com", region.unwrap_or("us-east-1")),
            };
            vec!["https".into(), authority, method.to_owned(), target.to_owned()]
        }
        (Door::Typed, Some(_)) => panic!("{}: the typed door takes no URL", case.name),
        (Door::Typed, None) => {
            let (service, region, target) = addressed(rest);
            let (path, query) = target.split_once('?').unwrap_or((target, ""));
            let mut arguments = vec![service.to_owned(), method.to_owned(), path.to_owned()];
            for pair in query.split('&').filter(|pair| !pair.is_empty()) {
                arguments.extend(["--query".to_owned(), decoded(pair)]);
            }
            arguments.extend(region.map(|region| ["--region".to_owned(), region.to_owned()]).into_iter().flatten());
            arguments
        }
    };
    for (name, value) in &case.headers {
        arguments.extend(["--header".to_owned(), format!("{name}:{value}")]);
    }
    if door == Door::Http {
        for (name, value) in &case.trailers {
            arguments.extend(["--trailer".to_owned(), format!("{name}:{value}")]);
        }
    }
    match &case.body {
        Body::Text(text) if text.is_empty() => {}
        Body::Text(text) => arguments.extend(["--body".to_owned(), text.clone()]),
        Body::Size(size) => arguments.extend(["--body-size".to_owned(), size.to_string()]),
    }
    arguments
}

/// `SERVICE[@REGION] TARGET`, taken apart.
fn addressed(text: &str) -> (&str, Option<&str>, &str) {
    let (service, target) = text.split_once(' ').expect("SERVICE and TARGET");
    match service.split_once('@') {
        Some((service, region)) => (service, Some(region), target),
        None => (service, None, target),
    }
}

/// A query's key and value decoded, since the typed door takes them so, in the guests' own escapes.
fn decoded(pair: &str) -> String {
    let mut out = String::new();
    let mut bytes = pair.bytes();
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            let digits = [bytes.next().expect("two digits"), bytes.next().expect("two digits")];
            out.push_str("\\x");
            out.push_str(std::str::from_utf8(&digits).unwrap());
        } else {
            out.push(char::from(byte));
        }
    }
    out
}

/// What came of a case: `denied: ACTION on ARN, …` for what the capabilities lack, `not understood`, `malformed`, `too
/// large`, `sent REQUEST`, or the door's own words.
pub(super) fn outcome(case: &Case, door: Door, printed: &Printed, upstream: &Upstream) -> String {
    if let Some(count) = printed.header(COUNT) {
        let requests = upstream.requests();
        let received = &requests[count.parse::<usize>().unwrap() - 1];
        assert_eq!(printed.line("status "), Some("200"), "{}: {printed:?}", case.name);
        return format!("sent {}", sent(received, upstream));
    }
    match door {
        Door::Typed => typed(printed),
        Door::Http => http(case, printed),
    }
}

fn typed(printed: &Printed) -> String {
    if printed.line("denied: ").is_some() {
        let missing: Vec<&str> = printed.0.lines().filter_map(|line| line.strip_prefix("missing: ")).collect();
        return match missing.as_slice() {
            [] => "not understood".to_owned(),
            missing => {
                let reason = printed.line("denied: ").unwrap_or_default();
                assert!(reason.contains("capabilit"), "{printed:?}");
                format!("denied: {}", missing.join(", "))
            }
        };
    }
    match printed.0.split_once(": ") {
        Some(("invalid-request", _)) => "malformed".to_owned(),
        Some(("too-large", _)) => "too large".to_owned(),
        _ => printed.0.clone(),
    }
}

fn http(case: &Case, printed: &Printed) -> String {
    for failure in ["unformed", "error"] {
        if let Some(what) = printed.line(&format!("{failure}: ")) {
            return format!("{failure} {what}");
        }
    }
    // The refusal came after the body had been read to its end.
    if let Body::Size(size) = &case.body {
        assert_eq!(printed.line("written "), Some(size.to_string().as_str()), "{}", case.name);
    }
    let error = document(case, printed);
    match (printed.line("status "), error.code.as_str()) {
        (Some("403"), "AccessDenied") => match &error.missing {
            None => "not understood".to_owned(),
            Some(missing) => format!("denied: {missing}"),
        },
        (Some("400"), "InvalidRequest" | "ValidationException") => "malformed".to_owned(),
        (Some("400"), "EntityTooLarge" | "RequestEntityTooLargeException") => "too large".to_owned(),
        _ => printed.0.clone(),
    }
}

struct ErrorDocument {
    code: String,
    /// What the capabilities lack, in the typed door's words.
    missing: Option<String>,
}

/// Reads the service's own form of an error. What is understood of the case decides which that is.
fn document(case: &Case, printed: &Printed) -> ErrorDocument {
    let body = printed.body();
    let (code, message) = if body.starts_with('{') {
        assert!(printed.header("content-type").is_some_and(|kind| kind.contains("json")), "{printed:?}");
        let json: Value = serde_json::from_str(body).expect("JSON");
        let code = json["__type"].as_str().expect("a code");
        assert_eq!(printed.header("x-amzn-errortype"), Some(code), "{printed:?}");
        (code.strip_suffix("Exception").unwrap().to_owned(), json["message"].as_str().expect("a message").to_owned())
    } else {
        let query = body.starts_with("<ErrorResponse><Error><Type>Sender</Type>");
        assert!(query || body.starts_with("<?xml"), "{}: neither kind of XML: {printed:?}", case.name);
        let between = |tag: &str| {
            let (_, rest) = body.split_once(&format!("<{tag}>")).expect("an element");
            let (text, _) = rest.split_once(&format!("</{tag}>")).expect("its end");
            text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
        };
        (between("Code"), between("Message"))
    };
    let spelling = case.request.split(' ').nth(1).unwrap_or_default();
    let xml = spelling.starts_with("s3") || spelling.contains(".s3.") || spelling.contains("//s3.");
    assert_eq!(body.starts_with("<?xml"), xml, "{}: another service's error: {printed:?}", case.name);
    let code = match code.as_str() {
        "Validation" => "ValidationException".to_owned(),
        "RequestEntityTooLarge" => "RequestEntityTooLargeException".to_owned(),
        _ => code,
    };
    ErrorDocument { code, missing: missing(&message) }
}

/// The permissions that a denial's sentence names, without what it says about each.
fn missing(message: &str) -> Option<String> {
    let grants = message.strip_prefix("no capability of this task grants ")?.split(", nor ");
    let grants: Vec<&str> = grants.map(|grant| grant.split_once(" (").map_or(grant, |(grant, _)| grant)).collect();
    Some(grants.join(", "))
}

/// A request as it was sent: method, target, the header fields that are not the same for all, and the body. What all
/// have in common is checked here: every field is signed, the body's hash is right, and nothing else is in it.
fn sent(received: &Received, upstream: &Upstream) -> String {
    let authorization = received.header("authorization").expect("it is signed");
    let (credential, rest) = authorization.split_once(", SignedHeaders=").expect("signed headers");
    let (signed, signature) = rest.split_once(", Signature=").expect("a signature");
    assert!(signature.len() == 64 && signature.bytes().all(|byte| byte.is_ascii_hexdigit()), "{authorization}");
    let scope: Vec<&str> = credential.split('/').collect();
    let &[key, _, region, service, "aws4_request"] = scope.as_slice() else { panic!("{credential}") };
    assert_eq!(key, format!("AWS4-HMAC-SHA256 Credential={KEY_ID}"));

    let mut names: Vec<&str> = received.headers.iter().map(|(name, _)| name.as_str()).collect();
    names.retain(|name| !matches!(*name, "authorization" | "connection"));
    names.sort_unstable();
    assert_eq!(signed.split(';').collect::<Vec<_>>(), names, "every field that is sent is signed: {received:?}");

    assert_eq!(received.header("host"), Some(upstream.address.to_string().as_str()));
    assert_eq!(received.header("x-amz-security-token"), Some(TOKEN));
    assert_eq!(received.header("accept"), Some("*/*"));
    assert!(received.header("x-amz-date").is_some_and(|date| date.len() == 16 && date.starts_with("20")));
    let hash = received.header("x-amz-content-sha256");
    assert_eq!(hash.is_some(), service == "s3");
    assert!(hash.is_none_or(|hash| hash == hex(&Sha256::digest(&received.body))), "the body is what was signed");

    let common = ["accept", "authorization", "content-length", "host", "x-amz-content-sha256", "x-amz-date"];
    let own = received.headers.iter().filter(|(name, value)| {
        // The host binds a bucket to the task's account; a case is told where it does not.
        let owner = name == "x-amz-expected-bucket-owner" && value == ACCOUNT;
        !owner && !common.contains(&name.as_str()) && name != "x-amz-security-token"
    });
    let mut own: Vec<String> = own.map(|(name, value)| format!("{name}: {value}")).collect();
    own.sort_unstable();
    let mut text = format!("{} {}", received.method, received.target);
    if region != "us-east-1" {
        text.push_str(&format!(" in {region}"));
    }
    if service == "s3" && received.header("x-amz-expected-bucket-owner").is_none() {
        text.push_str(" of any owner");
    }
    if !own.is_empty() {
        text.push_str(&format!(" [{}]", own.join(", ")));
    }
    if !received.body.is_empty() {
        text.push_str(&format!(" {}", String::from_utf8_lossy(&received.body)));
    }
    text
}

/// The doors that a case goes through, with what is expected at each.
pub(super) fn doors(case: &Case) -> Vec<(Door, &str)> {
    let (typed, http) = case.outcome.split_once(" || ").unwrap_or((&case.outcome, &case.outcome));
    match case.doors {
        Doors::Both => vec![(Door::Typed, typed), (Door::Http, http)],
        Doors::Typed => vec![(Door::Typed, &case.outcome)],
        Doors::Http => vec![(Door::Http, &case.outcome)],
    }
}
