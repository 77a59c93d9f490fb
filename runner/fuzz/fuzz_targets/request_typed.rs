//! A request through the typed call, where no HTTP library has looked at any part of it: one of the requests that are
//! understood, changed in a few places.
#![no_main]

use std::collections::BTreeMap;
use std::sync::LazyLock;

use arbitrary::Arbitrary;
use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use rolebox_aws_request::Call;
use rolebox_fuzz::{request, words};

/// The requests to begin with: what botocore sends for every operation of the services that are taken apart, and the
/// seeds of `request_wire` for the rest.
static TEMPLATES: LazyLock<Vec<Call>> = LazyLock::new(|| {
    let recorded = include_str!("../../aws-request/facts/requests.txt").lines().filter(|line| !line.starts_with('#'));
    let mut templates: Vec<Call> = recorded.filter_map(recorded_call).collect();
    let rest = [
        include_str!("../seeds/request_wire/kinesis-other"),
        include_str!("../seeds/request_wire/lambda-invoke"),
        include_str!("../seeds/request_wire/sqs-form"),
        include_str!("../seeds/request_wire/sts-get-caller-identity"),
        include_str!("../seeds/request_wire/s3-signed-chunks"),
        include_str!("../seeds/request_wire/s3-unsigned-trailer"),
    ];
    templates.extend(rest.iter().filter_map(|seed| request::from_text(seed.as_bytes())));
    templates
});

/// Reads one recorded request, without the length of a body that is going to change.
fn recorded_call(line: &str) -> Option<Call> {
    #[derive(serde::Deserialize)]
    struct Recorded {
        method: String,
        url: String,
        headers: BTreeMap<String, String>,
        body: String,
    }
    let Recorded { method, url, headers, body } = serde_json::from_str(line).ok()?;
    let kept = headers.iter().filter(|(name, _)| !name.eq_ignore_ascii_case("content-length"));
    let head: String = kept.map(|(name, value)| format!("\n{name}: {value}")).collect();
    request::from_text(format!("{method} {url}{head}\n\n{body}").as_bytes())
}

static WORDS: LazyLock<Vec<String>> = LazyLock::new(|| {
    let words = words::of_dictionary(include_str!("../dictionaries/request.dict"));
    words.into_iter().filter_map(|word| String::from_utf8(word).ok()).collect()
});

#[derive(Arbitrary, Debug)]
struct Input<'a> {
    template: u16,
    changes: Vec<Change<'a>>,
}

#[derive(Arbitrary, Debug)]
enum Text<'a> {
    Word(u16),
    Raw(&'a str),
}

#[derive(Arbitrary, Debug)]
enum Change<'a> {
    Service(Text<'a>),
    Region(Option<Text<'a>>),
    Method(Text<'a>),
    Path(Text<'a>),
    AppendToPath(Text<'a>),
    AddQuery(Text<'a>, Text<'a>),
    DropQuery(u8),
    AppendToQuery(u8, Text<'a>),
    AddHeader(Text<'a>, &'a [u8]),
    AddPlainHeader(Text<'a>, Text<'a>),
    DropHeader(u8),
    AppendToHeader(u8, Text<'a>),
    Body(&'a [u8]),
    InsertIntoBody(u16, Text<'a>),
    ReplaceInBody(Text<'a>, Text<'a>),
    /// The body of another request.
    BodyOf(u16),
}

fn nth<T>(list: &[T], at: impl Into<usize>) -> Option<usize> {
    (!list.is_empty()).then(|| at.into() % list.len())
}

fn text(text: &Text<'_>) -> String {
    match text {
        Text::Word(at) => nth(&WORDS, *at).map(|at| WORDS[at].clone()).unwrap_or_default(),
        Text::Raw(raw) => (*raw).to_owned(),
    }
}

fn change(call: &mut Call, change: &Change<'_>) {
    match change {
        Change::Service(name) => call.service = text(name),
        Change::Region(name) => call.region = name.as_ref().map(text),
        Change::Method(name) => call.method = text(name),
        Change::Path(path) => call.path = text(path),
        Change::AppendToPath(more) => call.path.push_str(&text(more)),
        Change::AddQuery(key, value) => call.query.push((text(key), text(value))),
        Change::DropQuery(at) => drop(nth(&call.query, *at).map(|at| call.query.remove(at))),
        Change::AppendToQuery(at, more) => {
            if let Some(at) = nth(&call.query, *at) {
                call.query[at].1.push_str(&text(more));
            }
        }
        Change::AddHeader(name, value) => call.headers.push((text(name), value.to_vec())),
        Change::AddPlainHeader(name, value) => call.headers.push((text(name), text(value).into_bytes())),
        Change::DropHeader(at) => drop(nth(&call.headers, *at).map(|at| call.headers.remove(at))),
        Change::AppendToHeader(at, more) => {
            if let Some(at) = nth(&call.headers, *at) {
                call.headers[at].1.extend_from_slice(text(more).as_bytes());
            }
        }
        Change::Body(body) => call.body = Bytes::copy_from_slice(body),
        Change::InsertIntoBody(at, more) => {
            let at = usize::from(*at) % (call.body.len() + 1);
            call.body = [&call.body[..at], text(more).as_bytes(), &call.body[at..]].concat().into();
        }
        Change::ReplaceInBody(from, to) => {
            if let Ok(body) = std::str::from_utf8(&call.body) {
                call.body = body.replacen(&text(from), &text(to), 1).into();
            }
        }
        Change::BodyOf(at) => {
            if let Some(at) = nth(&TEMPLATES, *at) {
                call.body = TEMPLATES[at].body.clone();
            }
        }
    }
}

fuzz_target!(|input: Input<'_>| {
    let Some(template) = nth(&TEMPLATES, input.template) else { return };
    let mut call = TEMPLATES[template].clone();
    for one in input.changes.iter().take(8) {
        change(&mut call, one);
    }
    request::check(&call);
});
