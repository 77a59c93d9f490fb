//! What to do when STS denies AssumeRole.
//!
//! Most task roles trust `ecs-tasks.amazonaws.com` and nobody else, and the host is not that service. So the error
//! says who asked and prints the statement that the trust policy lacks. STS tells neither a missing role from a denied
//! one nor, always, which of several permissions is missing; the advice names what it can.

use rolebox_policy::Arn;
use serde::Serialize;

use super::request::RoleSessionRequest;

/// What stands in the statement where nobody could say who asked.
const UNKNOWN_CALLER: &str = "REPLACE-WITH-THE-ARN-OF-THE-HOST'S-ROLE-OR-USER";

/// A statement of a trust policy, in the order in which people write one.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Statement<'a> {
    effect: &'static str,
    principal: Principal<'a>,
    action: Vec<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    condition: Option<Condition<'a>>,
}

#[derive(Serialize)]
struct Principal<'a> {
    #[serde(rename = "AWS")]
    aws: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Condition<'a> {
    string_equals: ExternalIdEquals<'a>,
}

#[derive(Serialize)]
struct ExternalIdEquals<'a> {
    #[serde(rename = "sts:ExternalId")]
    external_id: &'a str,
}

/// The statement that admits `caller` to the role, for everything that `request` asks for.
pub(super) fn trust_statement(request: &RoleSessionRequest, caller: Option<&str>) -> String {
    let principal = caller.map(principal);
    let principal = principal.as_ref().map_or(UNKNOWN_CALLER, |principal| &principal.arn);
    let statement = Statement {
        effect: "Allow",
        principal: Principal { aws: principal },
        action: actions(request),
        condition: request
            .external_id()
            .map(|external_id| Condition { string_equals: ExternalIdEquals { external_id: external_id.as_str() } }),
    };
    // Strings and lists of them always serialize.
    serde_json::to_string_pretty(&statement).unwrap_or_default()
}

/// The text that follows STS's words. `message` is what STS said.
pub(super) fn advice(request: &RoleSessionRequest, caller: Option<&str>, message: &str) -> String {
    let mut text = String::from("\n");
    match caller {
        Some(caller) => text += &format!("The host asked as {caller}. "),
        None => text += "Who the host asked as could not be found out. ",
    }
    let missing = denied_action(message);
    let further = &actions(request)[1..];
    match missing {
        Some(action) if further.contains(&action) => {
            let what = if action == "sts:TagSession" { "session tags" } else { "a source identity" };
            text += &format!(
                "It asks for {what}, so the role's trust policy must allow {action}, as it allows sts:AssumeRole; or \
                 turn {what} off. "
            );
        }
        _ => {
            text += "The role must exist and its trust policy must admit the host, which assumes the role in the \
                     task's place; most task roles trust only ecs-tasks.amazonaws.com. ";
            if !further.is_empty() {
                let further = further.join(" and ");
                text += &format!("For what the session carries, {further} must be allowed there as well. ");
            }
        }
    }
    let principal = caller.map(principal);
    if let Some(account) = principal.as_ref().map(|principal| &principal.account)
        && account != request.role().account().as_str()
    {
        text += &format!(
            "The host is of account {account} and the role of another: the host's own policies must allow \
             sts:AssumeRole on the role too. "
        );
    }
    text += &format!(
        "Add this statement to the trust policy of the role {}:\n{}",
        request.role().name(),
        trust_statement(request, caller)
    );
    if let Some(role) = principal.and_then(|principal| principal.role_without_path) {
        text += &format!(
            "\n(If the host's role has a path, write its full ARN: `aws iam get-role --role-name {role}` prints it.)"
        );
    }
    text
}

/// The permissions that this request needs in the role's trust policy, AssumeRole first.
fn actions(request: &RoleSessionRequest) -> Vec<&'static str> {
    let mut actions = vec!["sts:AssumeRole"];
    if request.source_identity().is_some() {
        actions.push("sts:SetSourceIdentity");
    }
    if request.tags().next().is_some() {
        actions.push("sts:TagSession");
    }
    actions
}

/// A caller as a trust policy names it.
struct CallerPrincipal {
    arn: String,
    account: String,
    /// The caller's role, where the ARN had to be made without knowing the role's path.
    role_without_path: Option<String>,
}

fn principal(caller: &str) -> CallerPrincipal {
    let Ok(arn) = caller.parse::<Arn>() else {
        return CallerPrincipal { arn: caller.into(), account: String::new(), role_without_path: None };
    };
    let account = arn.account.clone();
    // A session's ARN holds the session's name, which changes, and a trust policy takes no wildcard in a principal.
    let role = arn.resource.strip_prefix("assumed-role/").and_then(|rest| rest.split('/').next());
    match role {
        Some(role) if arn.service == "sts" => CallerPrincipal {
            arn: format!("arn:{}:iam::{account}:role/{role}", arn.partition),
            account,
            role_without_path: Some(role.into()),
        },
        _ => CallerPrincipal { arn: caller.into(), account, role_without_path: None },
    }
}

/// Who asked, according to STS's message: `User: ARN is not authorized to perform: ACTION on resource: ARN`.
pub(super) fn denied_caller(message: &str) -> Option<String> {
    let arn = message.split_once("User: ")?.1.split_whitespace().next()?;
    arn.parse::<Arn>().ok().map(|arn| arn.to_string())
}

/// Which action was denied, according to STS's message, where it is one that AssumeRole needs.
fn denied_action(message: &str) -> Option<&'static str> {
    let action = message.split_once("not authorized to perform: ")?.1.split_whitespace().next()?;
    ["sts:AssumeRole", "sts:SetSourceIdentity", "sts:TagSession"].into_iter().find(|known| *known == action)
}
