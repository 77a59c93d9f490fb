//! Services that take an operation's name and its parameters in the body: JSON with an `X-Amz-Target`, and the older
//! query protocol.
//!
//! A service is a table of rows: the operation's name, the parameters that it takes (in the notation of
//! [`crate::shape`]), and a function that says which permissions they need. What no row names is refused.
//!
//! Sources: the services' API References and the AWS SDKs' models (botocore 1.44.8) for operations and parameters; the
//! Service Authorization Reference for actions and resources.

pub(crate) mod json;
mod query;

use rolebox_policy::{Check, CheckResource, Region};

use crate::call::{Call, CallerScope, Operation, Protocol};
use crate::names;
use crate::refusal::{Quoted, Refusal};
use crate::wire::json::Json;

/// A service.
#[derive(Debug)]
pub(crate) struct Service {
    /// The endpoint prefix.
    pub(crate) endpoint: &'static str,
    /// The name in the credential scope.
    pub(crate) signing_name: &'static str,
    /// The prefix of IAM actions.
    pub(crate) actions: &'static str,
    /// JSON's target prefix and protocol, where the service speaks it.
    pub(crate) json: Option<(&'static str, Protocol)>,
    /// The query protocol's version, where the service speaks it.
    pub(crate) query: Option<&'static str>,
    pub(crate) rows: &'static [Row],
}

/// One operation.
pub(crate) struct Row {
    pub(crate) name: &'static str,
    /// The parameters.
    pub(crate) shape: &'static str,
    /// The permissions that they need.
    pub(crate) checks: fn(&Input<'_>) -> Result<Vec<Check>, Refusal>,
}

impl std::fmt::Debug for Row {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Row").field("name", &self.name).finish_non_exhaustive()
    }
}

/// A table of rows, one a line: `Operation "Parameters" => permissions;`.
macro_rules! rows {
    ($($name:ident $shape:literal => $checks:expr_2021;)*) => {
        &[$($crate::api::Row { name: stringify!($name), shape: $shape, checks: $checks }),*]
    };
}
pub(crate) use rows;

/// An operation's parameters, as the functions of its row see them.
pub(crate) struct Input<'a> {
    pub(crate) service: &'static Service,
    pub(crate) name: &'static str,
    /// The parameters. In the query protocol lists and maps are there by their name alone.
    pub(crate) body: &'a Json,
    /// Names and values that the query protocol spells `Attributes.entry.1.key`, by their keys in full.
    pub(crate) nested: &'a [(String, String)],
    pub(crate) region: &'a Region,
    pub(crate) scope: &'a CallerScope,
}

impl Input<'_> {
    /// The operation's own action on a resource.
    pub(crate) fn own(&self, resource: CheckResource) -> Check {
        self.action(self.name, resource)
    }

    /// Another action of the same service.
    pub(crate) fn action(&self, name: &str, resource: CheckResource) -> Check {
        Check::new(format!("{}:{name}", self.service.actions), resource)
    }

    /// A resource of the service's in the task role's account and the call's Region.
    pub(crate) fn resource(&self, resource: &str) -> String {
        names::own(self.service.actions, self.region.as_str(), resource, self.scope)
    }

    /// A parameter that must be there, as text that is not empty.
    pub(crate) fn required(&self, name: &str) -> Result<&str, Refusal> {
        match self.optional(name)? {
            Some(text) => Ok(text),
            None => Err(missing(name)),
        }
    }

    /// A parameter as text that is not empty.
    pub(crate) fn optional(&self, name: &str) -> Result<Option<&str>, Refusal> {
        match self.body.text(name)? {
            Some("") => Err(Refusal::malformed(place(name), "it is empty", "leave it out, or give it a value")),
            text => Ok(text),
        }
    }

    /// A parameter that is a list of texts.
    pub(crate) fn texts(&self, name: &str) -> Result<Vec<&str>, Refusal> {
        let text =
            |value: &'_ Json| -> Result<(), Refusal> {
                value.as_text().filter(|text| !text.is_empty()).map(drop).ok_or_else(|| {
                    Refusal::malformed(place(name), "it is not made of strings", "send a list of strings")
                })
            };
        let values = self.body.list(name)?;
        values.iter().try_for_each(text)?;
        Ok(values.iter().filter_map(Json::as_text).collect())
    }

    /// A parameter that is an ARN of the service's.
    pub(crate) fn arn(&self, name: &str) -> Result<rolebox_policy::Arn, Refusal> {
        names::arn(&place(name), self.required(name)?, self.service.actions, self.scope)
    }

    /// Whether the parameter is there at all.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.body.get(name).is_some()
    }

    /// The permissions on a KMS key that a parameter names, used by the service in the caller's name.
    pub(crate) fn key_via(&self, name: &str, actions: &[&str]) -> Result<Vec<Check>, Refusal> {
        let Some(key) = self.optional(name)? else {
            return Ok(Vec::new());
        };
        let resource = names::kms_key(&place(name), key, self.region.as_str(), self.scope)?;
        let suffix = crate::host::suffix(&self.scope.partition);
        let via = format!("{}.{}.{suffix}", self.service.endpoint, self.region);
        Ok(actions
            .iter()
            .map(|action| Check::new(*action, resource.clone()).with("kms:ViaService", via.as_str()))
            .collect())
    }
}

/// How a refusal calls a parameter.
pub(crate) fn place(name: &str) -> String {
    format!("parameter {}", Quoted(name))
}

/// A parameter that is not there.
pub(crate) fn missing(name: &str) -> Refusal {
    Refusal::malformed(place(name), "it is missing", "send it as the service's API Reference has it")
}

/// Permissions of an operation that works on no resource, or on none that IAM knows.
pub(crate) fn on_any(input: &Input<'_>) -> Result<Vec<Check>, Refusal> {
    Ok(vec![input.own(CheckResource::Any)])
}

/// Parses a request to a service of this kind.
pub(crate) fn parse(
    service: &'static Service,
    call: &Call,
    scope: &CallerScope,
    region: Region,
) -> Result<Operation, Refusal> {
    match (service.json, service.query) {
        (Some((prefix, protocol)), None) => json::parse(service, prefix, protocol, call, scope, region),
        (Some((prefix, protocol)), Some(_)) if has_target(call) => {
            json::parse(service, prefix, protocol, call, scope, region)
        }
        (_, Some(version)) => query::parse(service, version, call, scope, region),
        (None, None) => Err(Refusal::not_understood(
            format!("service {}", Quoted(service.endpoint)),
            "it speaks no protocol that is understood",
            "use another service",
        )),
    }
}

/// The row of an operation.
fn row(service: &'static Service, name: &str) -> Result<&'static Row, Refusal> {
    service.rows.iter().find(|row| row.name == name).ok_or_else(|| {
        Refusal::not_understood(
            format!("operation {}", Quoted(name)),
            format!("it is not one of {}'s that is understood", service.endpoint),
            "use an operation that is listed, in its own spelling",
        )
    })
}

/// The most permissions and items of one call: more than any operation's own limit (100 items in a transaction or a
/// batch), so that a guest can't make the host work for what AWS would refuse anyway.
const MOST: usize = 1000;

/// The permissions of an operation, each with the Region.
fn checks(row: &Row, input: &Input<'_>) -> Result<Vec<Check>, Refusal> {
    let mut checks = (row.checks)(input)?;
    if checks.is_empty() {
        return Err(Refusal::not_understood(
            format!("operation {}", row.name),
            "it names nothing that it works on",
            "name at least one",
        ));
    }
    if checks.iter().map(|check| 1 + check.items.len()).sum::<usize>() > MOST {
        return Err(Refusal::malformed(
            format!("operation {}", row.name),
            "it names more than 1,000 things",
            "make several calls, within the limits of the service",
        ));
    }
    for check in &mut checks {
        check.context.insert("aws:RequestedRegion", input.region.as_str());
    }
    Ok(checks)
}

impl Service {
    /// How the service's answers to this call are written.
    pub(crate) fn protocol(&self, call: &Call) -> Protocol {
        match self.json {
            Some((_, protocol)) if self.query.is_none() || has_target(call) => protocol,
            _ => Protocol::Query,
        }
    }
}

/// Whether a call has the header that JSON services are addressed with.
fn has_target(call: &Call) -> bool {
    call.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case(json::TARGET))
}

/// Whether an operation only reads, by the verb that its name begins with.
fn only_reads(name: &str) -> bool {
    const VERBS: [&str; 8] = ["BatchGet", "Describe", "Get", "List", "Query", "Scan", "TransactGet", "Verify"];
    VERBS.iter().any(|verb| name.starts_with(verb))
}
