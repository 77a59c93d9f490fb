//! The query protocol: a form with `Action`, `Version` and parameters.
//!
//! Lists and maps are spelled out in keys (`Attributes.entry.1.key`). The first part of a key is checked against the
//! row; what follows is passed on as it was decoded, and shown to the row's function.

use bytes::Bytes;
use rolebox_policy::Region;

use super::{Input, Service, checks, only_reads, row};
use crate::call::{Call, CallerScope, Operation, Protocol};
use crate::refusal::{Quoted, Refusal};
use crate::shape;
use crate::sqs;
use crate::wire::headers::Headers;
use crate::wire::json::Json;
use crate::wire::percent;

const FORM: &str = "application/x-www-form-urlencoded";
/// More parameters than any request has: ten messages with ten attributes of three parts each, and room.
const MOST: usize = 1024;

pub(super) fn parse(
    service: &'static Service,
    version: &'static str,
    call: &Call,
    scope: &CallerScope,
    region: Region,
) -> Result<Operation, Refusal> {
    super::json::post_without_query(service.endpoint, call)?;
    let mut headers = Headers::screen(&call.headers, Some(call.body.len()))?;
    let content_type = headers.take("content-type")?.unwrap_or_default();
    let (kind, charset) = content_type.split_once(';').unwrap_or((content_type, "charset=utf-8"));
    if kind.trim() != FORM || !charset.trim().eq_ignore_ascii_case("charset=utf-8") {
        return Err(Refusal::not_understood(
            "header `content-type`",
            format!("it is {}", Quoted(content_type)),
            format!("send {FORM}"),
        ));
    }
    let mut parameters = read_form(&call.body)?;
    let take = |parameters: &mut Vec<(String, String)>, name: &str| {
        let at = parameters.iter().position(|(key, _)| key == name)?;
        Some(parameters.remove(at).1)
    };
    let action = take(&mut parameters, "Action").unwrap_or_default();
    let given = take(&mut parameters, "Version");
    let row = row(service, &action)?;
    headers.finish(row.name)?;
    if given.as_deref() != Some(version) {
        return Err(Refusal::not_understood(
            "parameter `Version`",
            format!("it is not the {version} of {}", service.endpoint),
            format!("send Version={version}"),
        ));
    }
    // A queue may stand in the path, as its URL has it.
    let queue = match call.path.as_str() {
        "/" | "" => None,
        path if service.endpoint == "sqs" => Some(sqs::queue_in_path(path)?),
        path => {
            return Err(Refusal::not_understood(
                format!("path {}", Quoted(path)),
                format!("{} is called at `/`", service.endpoint),
                "send the path `/`",
            ));
        }
    };
    let body = tree(&parameters)?;
    let names = body.members().iter().map(|(name, _)| name.as_str());
    let flattened = |name: &&str| service.endpoint != "sqs" || !sqs::FLATTENED.contains(name);
    shape::check_names(names.filter(flattened), row.shape, row.name)?;
    let body = match &queue {
        Some(queue) => queue.put_into(body)?,
        None => body,
    };
    let input = Input { service, name: row.name, body: &body, nested: &parameters, region: &region, scope };
    let checks = checks(row, &input)?;
    Ok(Operation {
        service: service.endpoint,
        signing_name: service.signing_name,
        name: row.name,
        region,
        method: "POST",
        path: queue.map_or("/".into(), |queue| queue.path()),
        query: Vec::new(),
        headers: vec![("content-type".into(), FORM.into())],
        payload: Bytes::from(write_form(row.name, version, &parameters)).into(),
        checks,
        takes_bucket_owner: false,
        protocol: Protocol::Query,
        safe_to_retry: only_reads(row.name),
        answers_with_object: false,
    })
}

/// Reads a form strictly: every key once, and none of a signature.
fn read_form(body: &[u8]) -> Result<Vec<(String, String)>, Refusal> {
    let refuse = |what: String| {
        Refusal::malformed("form body", what, "send Action=…&Version=…&NAME=VALUE, percent-encoded, each name once")
    };
    let text = std::str::from_utf8(body).map_err(|_| refuse("it is not UTF-8".into()))?;
    let mut parameters: Vec<(String, String)> = Vec::new();
    let mut names = std::collections::HashSet::new();
    for pair in text.split('&') {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        let decode = |text: &str| {
            let spaced = text.replace('+', " ");
            percent::decode(&spaced).map(|text| text.into_owned()).map_err(|error| refuse(error.to_string()))
        };
        let (key, value) = (decode(key)?, decode(value)?);
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
        if key.is_empty() || !key.bytes().all(plain) {
            return Err(refuse(format!("{} is not a parameter's name", Quoted(&key))));
        }
        if parameters.len() == MOST {
            return Err(refuse("it has more than 1,024 parameters".into()));
        }
        if !names.insert(key.clone()) {
            return Err(refuse(format!("{} is given twice", Quoted(&key))));
        }
        parameters.push((key, value));
    }
    crate::wire::query::no_signature(&parameters)?;
    Ok(parameters)
}

/// The parameters as an object: texts by their names, lists and maps by the first part of theirs.
fn tree(parameters: &[(String, String)]) -> Result<Json, Refusal> {
    let mut members: Vec<(String, Json)> = Vec::new();
    for (key, value) in parameters {
        let (first, value) = match key.split_once('.') {
            None => (key.as_str(), Json::Text(value.clone())),
            Some((first, _)) => (first, Json::Null),
        };
        match members.iter().find(|(name, _)| name == first) {
            None => members.push((first.to_owned(), value)),
            Some((_, Json::Null)) if value == Json::Null => {}
            Some(_) => {
                return Err(Refusal::malformed(
                    super::place(first),
                    "it is text and a list at once",
                    "send one of them",
                ));
            }
        }
    }
    Ok(Json::Object(members))
}

fn write_form(action: &str, version: &str, parameters: &[(String, String)]) -> String {
    let mut form = format!("Action={action}&Version={version}");
    for (key, value) in parameters {
        form.push('&');
        percent::encode_into(&mut form, key);
        form.push('=');
        percent::encode_into(&mut form, value);
    }
    form
}
