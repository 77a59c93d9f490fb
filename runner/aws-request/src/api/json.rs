//! JSON with an `X-Amz-Target` (AWS JSON 1.0 and 1.1).

use bytes::Bytes;
use rolebox_policy::{Check, Region};

use super::{Input, Service, checks, only_reads, row};
use crate::call::{Call, CallerScope, Operation, Protocol};
use crate::refusal::{Quoted, Refusal};
use crate::shape;
use crate::wire::headers::Headers;
use crate::wire::json::Json;
use crate::wire::query;

pub(super) const TARGET: &str = "x-amz-target";

/// What a request says by itself.
pub(crate) struct Request<'a> {
    /// The operation's name as the target has it.
    pub(crate) name: &'a str,
    pub(crate) body: Json,
}

/// An operation of a service, by their names.
#[derive(Clone, Copy)]
pub(crate) struct Named {
    pub(crate) endpoint: &'static str,
    pub(crate) signing_name: &'static str,
    pub(crate) target: &'static str,
    pub(crate) name: &'static str,
}

/// Reads a request: POST to `/`, with the protocol's own content type and a target of the service's, and nothing else.
pub(crate) fn read<'a>(
    endpoint: &str,
    prefix: &str,
    protocol: Protocol,
    call: &'a Call,
) -> Result<Request<'a>, Refusal> {
    post_without_query(endpoint, call)?;
    if !matches!(call.path.as_str(), "/" | "") {
        return Err(Refusal::not_understood(
            format!("path {}", Quoted(&call.path)),
            format!("{endpoint} is called at `/`"),
            "send the path `/`",
        ));
    }
    let mut headers = Headers::screen(&call.headers, Some(call.body.len()))?;
    let expected = content_type(protocol);
    let given = headers.take("content-type")?.unwrap_or_default();
    if given != expected {
        return Err(Refusal::not_understood(
            "header `content-type`",
            format!("it is {}", Quoted(given)),
            format!("send {expected}, which {endpoint} speaks"),
        ));
    }
    let target = headers.take(TARGET)?.unwrap_or_default();
    let Some(name) = target.strip_prefix(prefix).and_then(|rest| rest.strip_prefix('.')) else {
        return Err(Refusal::not_understood(
            format!("header `{TARGET}`"),
            format!("{} is not an operation of {endpoint}", Quoted(target)),
            format!("send {prefix}.OPERATION"),
        ));
    };
    headers.finish(endpoint)?;
    Ok(Request { name, body: Json::read(if call.body.is_empty() { b"{}" } else { &call.body })? })
}

/// Makes the operation, with a request of its own.
pub(crate) fn operation(
    named: Named,
    protocol: Protocol,
    region: Region,
    body: &Json,
    checks: Vec<Check>,
) -> Operation {
    Operation {
        service: named.endpoint,
        signing_name: named.signing_name,
        name: named.name,
        region,
        method: "POST",
        path: "/".into(),
        query: Vec::new(),
        headers: vec![
            ("content-type".into(), content_type(protocol).into()),
            (TARGET.into(), format!("{}.{}", named.target, named.name)),
        ],
        payload: Bytes::from(body.write()).into(),
        checks,
        takes_bucket_owner: false,
        protocol,
        safe_to_retry: only_reads(named.name),
        answers_with_object: false,
    }
}

/// Parses a request to a service with a table of rows.
pub(super) fn parse(
    service: &'static Service,
    target: &'static str,
    protocol: Protocol,
    call: &Call,
    scope: &CallerScope,
    region: Region,
) -> Result<Operation, Refusal> {
    let request = read(service.endpoint, target, protocol, call)?;
    let row = row(service, request.name)?;
    shape::check_json(&request.body, row.shape, row.name)?;
    let input = Input { service, name: row.name, body: &request.body, nested: &[], region: &region, scope };
    let checks = checks(row, &input)?;
    let named = Named { endpoint: service.endpoint, signing_name: service.signing_name, target, name: row.name };
    Ok(operation(named, protocol, region, &request.body, checks))
}

/// Parameters in the query string would stand beside those in the body.
pub(super) fn post_without_query(endpoint: &str, call: &Call) -> Result<(), Refusal> {
    if call.method != "POST" {
        return Err(Refusal::not_understood(
            "method",
            format!("{} is not how {endpoint} is called", Quoted(&call.method)),
            "send a POST",
        ));
    }
    query::check(&call.query)?;
    match call.query.first() {
        None => Ok(()),
        Some((key, _)) => Err(Refusal::not_understood(
            format!("query key {}", Quoted(key)),
            "parameters are taken from the body alone",
            "move it into the body",
        )),
    }
}

fn content_type(protocol: Protocol) -> &'static str {
    match protocol {
        Protocol::Json10 => "application/x-amz-json-1.0",
        _ => "application/x-amz-json-1.1",
    }
}
