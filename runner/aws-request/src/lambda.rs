//! AWS Lambda: invoking a function. Everything else of Lambda's API is refused: GetFunction answers with a presigned
//! URL, and most of the rest changes what runs under which role.
//!
//! Source: "Invoke", AWS Lambda API Reference (API_Invoke.html); "Actions, resources, and condition keys for AWS
//! Lambda", Service Authorization Reference.

use rolebox_policy::{Check, CheckResource, Region};

use crate::call::{Call, CallerScope, Operation, Protocol};
use crate::names;
use crate::refusal::{Quoted, Refusal};
use crate::wire::headers::Headers;
use crate::wire::{path, percent, query};

/// The operations: name, what stands before the function in the path, and what stands after it.
const OPERATIONS: [(&str, &str, &str); 2] = [
    ("Invoke", "2015-03-31/functions/", "/invocations"),
    ("InvokeWithResponseStream", "2021-11-15/functions/", "/response-streaming-invocations"),
];

/// Headers that an invocation takes. `X-Amz-Client-Context` is shown to the function alone.
const HEADERS: [&str; 5] =
    ["content-type", "x-amz-client-context", "x-amz-invocation-type", "x-amz-log-type", "x-amz-tenant-id"];

/// Parses a request to Lambda.
pub(crate) fn parse(call: &Call, scope: &CallerScope, region: Region) -> Result<Operation, Refusal> {
    let decoded = path::decode(&call.path)?;
    let unknown = || {
        Refusal::not_understood(
            "Lambda request",
            format!("{} {} is not an invocation of a function", Quoted(&call.method), Quoted(&call.path)),
            "POST to /2015-03-31/functions/NAME/invocations",
        )
    };
    let (operation, given) = OPERATIONS
        .iter()
        .find_map(|operation| Some((operation, decoded.strip_prefix(operation.1)?.strip_suffix(operation.2)?)))
        .filter(|_| call.method == "POST")
        .ok_or_else(unknown)?;
    query::check(&call.query)?;
    let qualifier = match call.query.as_slice() {
        [] => None,
        [(key, value)] if key == "Qualifier" && !value.is_empty() => Some(value.as_str()),
        _ => {
            return Err(Refusal::not_understood(
                "query",
                "an invocation takes none but a Qualifier",
                "leave the other keys out",
            ));
        }
    };
    let resource = function(given, qualifier, region.as_str(), scope)?;
    let mut headers = Headers::screen(&call.headers, Some(call.body.len()))?;
    let mut kept = Vec::new();
    headers.take_all(|name| HEADERS.contains(&name), &mut kept)?;
    headers.finish(operation.0)?;

    let mut path = format!("/{}", operation.1);
    percent::encode_into(&mut path, given);
    path.push_str(operation.2);
    let check =
        Check::new("lambda:InvokeFunction", CheckResource::Arn(resource)).with("aws:RequestedRegion", region.as_str());
    Ok(Operation {
        service: "lambda",
        signing_name: "lambda",
        name: operation.0,
        region,
        method: "POST",
        path,
        query: call.query.clone(),
        headers: kept,
        payload: call.body.clone().into(),
        checks: vec![check],
        takes_bucket_owner: false,
        protocol: Protocol::RestJson,
        safe_to_retry: false,
        answers_with_object: false,
    })
}

/// The ARN of a function that is named by its name, `ACCOUNT:function:NAME` or its ARN, each with an alias or version
/// after a colon or in the query.
fn function(given: &str, qualifier: Option<&str>, region: &str, scope: &CallerScope) -> Result<String, Refusal> {
    let refuse = |what: &str| {
        Refusal::not_understood(
            format!("function {}", Quoted(given)),
            what,
            "name a function by its name or ARN, with one alias or version at most",
        )
    };
    let word = |text: &str, longest: usize| {
        (1..=longest).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    };
    // What stands before the name, and the name with what may follow it.
    let (before, named) = if given.starts_with("arn:") {
        let arn = names::arn("function", given, "lambda", scope)?;
        let named = arn.resource.strip_prefix("function:").ok_or_else(|| refuse("it is not a function's ARN"))?;
        if arn.account.len() != 12 || arn.region.is_empty() {
            return Err(refuse("its ARN lacks the Region or the account"));
        }
        (format!("arn:{}:lambda:{}:{}", arn.partition, arn.region, arn.account), named.to_owned())
    } else if let Some((account, named)) = given.split_once(":function:") {
        let account: rolebox_policy::AccountId = account.parse().map_err(|_| refuse("its account is not one"))?;
        (format!("arn:{}:lambda:{region}:{account}", scope.partition), named.to_owned())
    } else {
        (format!("arn:{}:lambda:{region}:{}", scope.partition, scope.account), given.to_owned())
    };
    let (name, own) = named.split_once(':').map_or((named.as_str(), None), |(name, own)| (name, Some(own)));
    let qualifier = match (own, qualifier) {
        (Some(own), Some(other)) if own != other => return Err(refuse("it has two different qualifiers")),
        (own, other) => own.or(other),
    };
    if !word(name, 140) || !qualifier.is_none_or(|qualifier| qualifier == "$LATEST" || word(qualifier, 128)) {
        return Err(refuse("its name or qualifier is not one"));
    }
    Ok(match qualifier {
        None => format!("{before}:function:{name}"),
        Some(qualifier) => format!("{before}:function:{name}:{qualifier}"),
    })
}
