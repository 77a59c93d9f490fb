//! What one request would be: the operation, every permission that it needs, and the decision.
//!
//! The parser and the authorizer are the ones that a guest's request goes through. Absent: everything behind the
//! decision. AWS may still deny what is allowed here, since the role's own policies are not known.

use std::collections::BTreeMap;

use rolebox::definition::{TaskDefinition, TaskRole};
use rolebox::egress::HostRequest;
use rolebox_aws_request::{Call, CallerScope, Operation, RefusalKind};
use rolebox_policy::{Capabilities, Check, Denial, Region};
use serde::Serialize;

use super::text::Page;
use crate::console::Paint;
use crate::request::{Addressed, Body, Request, Unparsed};

/// Regions to take for the task's own, which no request names that has a host name.
const REGIONS: [&str; 2] = ["us-east-1", "us-west-2"];

/// The explanation of a request. Its JSON form is stable: keys are added, never changed.
#[derive(Debug, Serialize)]
pub(crate) struct RequestExplanation {
    /// The request as it was given.
    #[serde(skip)]
    line: String,
    /// The service's endpoint prefix; `null` where the host is not AWS's.
    service: Option<String>,
    /// The operation's name in the service's API; `null` where the request was not understood.
    operation: Option<String>,
    /// Every permission that it needs; none where the request was not understood.
    checks: Vec<CheckExplanation>,
    decision: Decision,
    /// Why, in a sentence.
    reason: String,
    /// The capabilities that cover the request, by their index in the definition; none where it is denied.
    capabilities: Vec<usize>,
    /// The condition keys that the request itself decides, over all checks.
    context: BTreeMap<String, Values>,
}

#[derive(Debug, Serialize)]
struct CheckExplanation {
    action: String,
    /// The ARN, a pattern of all that the request can mean, or `*`.
    resource: String,
    decision: Decision,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Decision {
    Allow,
    Deny,
}

/// A string, or a list of several, as IAM has it.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Values {
    One(String),
    Many(Vec<String>),
}

impl RequestExplanation {
    /// What `request` would be for a task under `role`.
    pub(crate) fn new(request: &Request, definition: &TaskDefinition) -> Self {
        let role = definition.task_role();
        let explained = match request.addressed() {
            Err(unparsed) => Err(unparsed),
            Ok(Addressed::Host(asked)) => return Self::of_host(request, &asked, definition),
            Ok(Addressed::Aws { host, call, body }) => {
                let service = Some(call.service.clone());
                let refused = |reason: String| Unparsed { service: service.clone(), reason };
                match role {
                    None => Err(refused(
                        "the task has no role: give its definition a `taskRoleArn` and the capabilities it needs"
                            .into(),
                    )),
                    Some(role) => scope(role, &host.region)
                        .and_then(|scope| parse(&call, body, &scope, request.body_limit()))
                        .map(|operation| (role, operation))
                        .map_err(refused),
                }
            }
        };
        let line = request.shown();
        match explained {
            Err(Unparsed { service, reason }) => Self {
                line,
                service,
                operation: None,
                checks: Vec::new(),
                decision: Decision::Deny,
                reason,
                capabilities: Vec::new(),
                context: BTreeMap::new(),
            },
            Ok((role, operation)) => {
                let authorized = role.capabilities().authorize(&operation.checks);
                let checks = decide(role.capabilities(), &operation.checks, authorized.as_ref().err());
                let context = context(&operation.checks);
                let (decision, reason, capabilities) = match authorized {
                    Ok(authorization) => {
                        let named: Vec<_> =
                            authorization.capabilities.iter().map(|index| format!("capabilities[{index}]")).collect();
                        let reason = format!("granted by {}", named.join(", "));
                        (Decision::Allow, reason, authorization.capabilities)
                    }
                    Err(denial) => (Decision::Deny, denial.reason(), Vec::new()),
                };
                Self {
                    line,
                    service: Some(operation.service.to_owned()),
                    operation: Some(operation.name.to_owned()),
                    checks,
                    decision,
                    reason,
                    capabilities,
                    context,
                }
            }
        }
    }

    /// What a request to another host would be.
    fn of_host(request: &Request, asked: &HostRequest, definition: &TaskDefinition) -> Self {
        let (decision, reason) = match asked.admit(definition.egress()) {
            Ok(()) => {
                let reason = format!(
                    "`{}` is in rolebox.egress: it is sent unsigned, if the name leads to a public address",
                    asked.address
                );
                (Decision::Allow, reason)
            }
            Err(error) => (Decision::Deny, error.to_string()),
        };
        Self {
            line: request.shown(),
            service: None,
            operation: None,
            checks: Vec::new(),
            decision,
            reason,
            capabilities: Vec::new(),
            context: BTreeMap::new(),
        }
    }

    /// The explanation as text, in colours if `paint` has some.
    pub(crate) fn text(&self, paint: Paint) -> String {
        let mut page = Page::new(paint);
        page.heading(&self.line.escape_debug().to_string(), "");
        page.entry("service", self.service.as_deref().unwrap_or("none that is known"));
        page.entry("operation", self.operation.as_deref().unwrap_or("none that is understood"));
        let needs = |check: &CheckExplanation| {
            let decision = check.decision.as_str();
            format!("{decision:<5} {} on {}", check.action, check.resource.escape_debug())
        };
        page.entries("needs", self.checks.iter().map(needs));
        let conditions = self.context.iter().map(|(key, values)| match values {
            Values::One(value) => format!("{key} = {}", value.escape_debug()),
            Values::Many(values) => format!("{key} = {}", values.join(", ").escape_debug()),
        });
        page.entries("context", conditions);
        page.entry("decision", self.decision.as_str());
        page.entry("reason", &self.reason.replace('\n', " "));
        page.text
    }
}

impl Decision {
    fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Deny => "deny",
        }
    }
}

/// The operation that a call is.
fn parse(call: &Call, body: Body, scope: &CallerScope, limit: u64) -> Result<Operation, String> {
    let parsed = match body {
        Body::Whole => rolebox_aws_request::parse(call, scope),
        Body::Streamed => rolebox_aws_request::parse_streamed(call, scope),
    };
    parsed.map_err(|refusal| match refusal.kind() {
        RefusalKind::HeldWhole => {
            format!("the body is larger than the task's limit of {limit} bytes (`rolebox.limits.bodyBytes`)")
        }
        _ => refusal.to_string(),
    })
}

/// Whose request it is. A URL always names the Region, so the task's own has no say; it is taken to be another, so that
/// the parser holds the one that is named against the role's partition.
fn scope(role: &TaskRole, called: &str) -> Result<CallerScope, String> {
    let region = REGIONS.into_iter().find(|region| *region != called).unwrap_or_default();
    let region: Region = region.parse().map_err(|error: rolebox_policy::ArnError| error.to_string())?;
    let arn = role.arn();
    Ok(CallerScope { account: arn.account().clone(), partition: arn.partition().to_owned(), region })
}

/// What was decided about each check.
fn decide(capabilities: &Capabilities, checks: &[Check], denial: Option<&Denial>) -> Vec<CheckExplanation> {
    let alone: Vec<bool> =
        checks.iter().map(|check| capabilities.authorize(std::slice::from_ref(check)).is_ok()).collect();
    let missing = denial.map_or(&[][..], |denial| &denial.missing);
    // Checks that are covered one by one may still not be covered together: a request names one owner of its buckets.
    let mut together = missing.len().saturating_sub(alone.iter().filter(|covered| !**covered).count());
    let mut missing = missing.iter().peekable();
    checks
        .iter()
        .zip(alone)
        .map(|(check, covered)| {
            let is_next = missing
                .peek()
                .is_some_and(|grant| grant.action == check.action && grant.resource == check.resource.as_str());
            let denied = !covered || (is_next && together > 0);
            if denied {
                missing.next();
                if covered {
                    together -= 1;
                }
            }
            CheckExplanation {
                action: check.action.clone(),
                resource: check.resource.to_string(),
                decision: if denied { Decision::Deny } else { Decision::Allow },
            }
        })
        .collect()
}

/// The condition keys of all checks, each with every value that one of them has.
fn context(checks: &[Check]) -> BTreeMap<String, Values> {
    let mut keys: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (key, values) in checks.iter().flat_map(|check| check.context.iter()) {
        let held = keys.entry(key).or_default();
        for value in values {
            if !held.contains(value) {
                held.push(value.clone());
            }
        }
    }
    keys.into_iter()
        .map(|(key, mut values)| {
            let values = match (values.pop(), values.is_empty()) {
                (Some(one), true) => Values::One(one),
                (last, _) => Values::Many(values.into_iter().chain(last).collect()),
            };
            (key.to_owned(), values)
        })
        .collect()
}
