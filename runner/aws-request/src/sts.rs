//! AWS STS: GetCallerIdentity alone. Every other call gives out authority, and is never signed for a guest.
//!
//! Source: "GetCallerIdentity", AWS STS API Reference (API_GetCallerIdentity.html).

use rolebox_policy::Region;

use crate::api::{self, Row, Service, on_any, rows};
use crate::call::{Call, CallerScope, Operation};
use crate::refusal::{Refusal, RefusalKind};

static SERVICE: Service =
    Service { endpoint: "sts", signing_name: "sts", actions: "sts", json: None, query: Some("2011-06-15"), rows: ROWS };

const ROWS: &[Row] = rows! {
    GetCallerIdentity "" => on_any;
};

/// Parses a request to STS.
pub(crate) fn parse(call: &Call, scope: &CallerScope, region: Region) -> Result<Operation, Refusal> {
    api::parse(&SERVICE, call, scope, region).map_err(|refusal| match refusal.kind() {
        RefusalKind::NotUnderstood => Refusal::never_signed(
            "service `sts`",
            format!("only GetCallerIdentity is signed for a task ({refusal})"),
            "let the operator make other calls; the task's role session is the host's",
        ),
        _ => refusal,
    })
}
