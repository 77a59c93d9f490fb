//! From an HTTP request to an AWS operation.
//!
//! A hostile guest forms the request. [`parse`] turns it into an [`Operation`]: the service's operation by name, every
//! IAM action on every ARN that it needs (as [`rolebox_policy::Check`]s), and the request itself made anew from its
//! decoded parts. What is not understood whole is a [`Refusal`]: an unknown operation, a query key, header or body
//! member that the operation is not listed with, two ways to read one thing. So nothing is ever signed that was not
//! checked, and AWS reads exactly what was checked.
//!
//! [`host`] says which host names are AWS's, and what they name.
//!
//! Everything is pure: no I/O, no clock, no environment. Absent on purpose: signing, sending, and the decision whether
//! the task may do it, which is [`rolebox_policy::Capabilities::authorize`]'s.

mod call;
pub mod host;
mod names;
mod refusal;
mod s3;
mod wire;

pub use call::{Call, CallerScope, Operation, Protocol};
pub use refusal::{Refusal, RefusalKind};

use refusal::Quoted;
use rolebox_policy::Region;

/// Parses a request into the operation that it means.
///
/// # Errors
///
/// A [`Refusal`] when the request is malformed, is not understood whole, or is of a kind that is never signed for a
/// guest. Nothing of it may be sent then.
pub fn parse(call: &Call, scope: &CallerScope) -> Result<Operation, Refusal> {
    let region = region(call, scope)?;
    match call.service.as_str() {
        "s3" => s3::parse(call, scope, region),
        "iam" | "sts" => Err(Refusal::never_signed(
            format!("service {}", Quoted(&call.service)),
            "calls that give or change authority are never signed for a task",
            "let the operator make them",
        )),
        service => Err(Refusal::not_understood(
            format!("service {}", Quoted(service)),
            "it is not one whose requests are understood",
            "use a service that is listed",
        )),
    }
}

/// The Region that the call goes to: its own, or the task's. Always one of the task's partition, since credentials of
/// one partition mean nothing in another.
fn region(call: &Call, scope: &CallerScope) -> Result<Region, Refusal> {
    let region = match &call.region {
        None => return Ok(scope.region.clone()),
        Some(region) => region,
    };
    let refuse = |what: String| {
        Refusal::not_understood(
            format!("Region {}", Quoted(region)),
            what,
            "name a Region such as eu-central-1",
        )
    };
    match host::partition_of_region(region) {
        Some(partition) if partition == scope.partition => region
            .parse()
            .map_err(|_| refuse("it is not the name of a Region".into())),
        Some(partition) => Err(refuse(format!(
            "it lies in the partition {partition}, the task's role does not"
        ))),
        None => Err(refuse("it is not the name of a Region".into())),
    }
}
