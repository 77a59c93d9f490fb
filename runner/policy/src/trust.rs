//! Trust policies: who may assume a role
//! (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html>).
//!
//! Absent on purpose: federated principals, which Rolebox never is, and `NotPrincipal`, whose meaning depends on
//! everything that is not listed. A policy that has them is refused when it is read.

use crate::arn::{is_account, is_label};
use crate::document::{Members, PolicyKind, Statement, context_keys, decide, read_statements};
use crate::json::Json;
use crate::{AccessRequest, Arn, Decision, PolicyError};

/// A role's trust policy: who may assume it, and under which conditions.
#[derive(Clone, Debug)]
pub struct TrustPolicy {
    statements: Vec<(Principals, Statement)>,
}

impl TrustPolicy {
    /// Reads a trust policy.
    ///
    /// # Errors
    /// As [`PolicyDocument::parse`](crate::PolicyDocument::parse); also a statement with a resource, without a
    /// principal, with `NotPrincipal` or `NotAction`, or with an action that is not STS's.
    pub fn parse(text: &str) -> Result<Self, PolicyError> {
        let mut statements = Vec::new();
        for read in read_statements(text, PolicyKind::Trust)? {
            // The reader gives every statement of a trust policy its principals; without them it would admit nobody.
            statements.push((read.principals.unwrap_or_default(), read.statement));
        }
        Ok(Self { statements })
    }

    /// Whether `principal` may do `request.action` (`sts:AssumeRole`, `sts:TagSession`, `sts:SetSourceIdentity`) on this
    /// role. `request.resource` is not looked at: a trust policy stands on one role. AssumeRole's own condition keys
    /// are `sts:RoleSessionName`, `sts:ExternalId`, `sts:SourceIdentity`, `aws:RequestTag/…`, `aws:TagKeys` and
    /// `sts:TransitiveTagKeys`.
    ///
    /// This is the role's half of the answer. Where the policy names an account rather than the caller, IAM also wants
    /// the caller's own policies to allow the action.
    pub fn evaluate(&self, principal: &Principal, request: &AccessRequest<'_>) -> Decision {
        let about_principal = self.statements.iter().filter(|(principals, _)| principals.include(principal));
        decide(about_principal.map(|(_, statement)| statement).filter(|statement| statement.applies(request)))
    }

    /// See [`PolicyDocument::context_keys`](crate::PolicyDocument::context_keys).
    pub fn context_keys(&self) -> Vec<String> {
        context_keys(self.statements.iter().map(|(_, statement)| statement))
    }
}

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Principal {
    /// A user, a role's session (`arn:aws:sts::ACCOUNT:assumed-role/ROLE/SESSION`) or an account's root user.
    Aws(Arn),
    /// An AWS service by its principal's name, such as `ecs-tasks.amazonaws.com`.
    Service(String),
}

/// A `Principal` element.
#[derive(Clone, Debug, Default)]
pub(crate) struct Principals {
    entries: Vec<Entry>,
}

#[derive(Clone, Debug)]
enum Entry {
    /// `*`
    Everybody,
    /// Twelve digits, or the account's root ARN: everybody in the account.
    Account {
        partition: Option<String>,
        account: String,
    },
    /// A user or a role's session.
    Exactly(Arn),
    /// A role: the role's sessions, whatever their names. A session's ARN does not tell the role's path, and role names
    /// are unique in an account without it.
    Role {
        partition: String,
        account: String,
        name: String,
    },
    Service(String),
}

impl Principals {
    pub(crate) fn read(json: &Json, path: &str) -> Result<Self, PolicyError> {
        if *json == Json::String("*".into()) {
            return Ok(Self { entries: vec![Entry::Everybody] });
        }
        let members = Members::of(json, path)?;
        let mut entries = Vec::new();
        for (name, _) in members.iter() {
            entries.extend(match name {
                "AWS" => members.each(name, read_aws)?,
                "Service" => members.each(name, read_service)?,
                _ => {
                    return Err(members.problem(
                        name,
                        "is not a kind of principal that is known here; these are: AWS, Service".into(),
                    ));
                }
            });
        }
        if entries.is_empty() {
            return Err(PolicyError { path: path.into(), problem: "names no principal".into() });
        }
        Ok(Self { entries })
    }

    fn include(&self, principal: &Principal) -> bool {
        self.entries.iter().any(|entry| entry.includes(principal))
    }
}

impl Entry {
    fn includes(&self, principal: &Principal) -> bool {
        let arn = match (self, principal) {
            (Self::Everybody, _) => return true,
            (Self::Service(name), Principal::Service(caller)) => return name == caller,
            (Self::Service(_), _) | (_, Principal::Service(_)) => return false,
            (_, Principal::Aws(arn)) => arn,
        };
        match self {
            Self::Account { partition, account } => {
                arn.account == *account && partition.as_ref().is_none_or(|partition| arn.partition == *partition)
            }
            Self::Exactly(named) => arn == named,
            Self::Role { partition, account, name } => {
                arn.partition == *partition && arn.account == *account && role_name(arn) == Some(name)
            }
            Self::Everybody | Self::Service(_) => false,
        }
    }
}

/// The role that a session, or a role itself, belongs to.
fn role_name(arn: &Arn) -> Option<&str> {
    match arn.service.as_str() {
        "sts" => arn.resource.strip_prefix("assumed-role/")?.split_once('/').map(|(name, _)| name),
        "iam" => arn.resource.strip_prefix("role/")?.rsplit('/').next(),
        _ => None,
    }
}

fn read_aws(text: &str) -> Result<Entry, String> {
    if text == "*" {
        return Ok(Entry::Everybody);
    }
    if is_account(text) {
        return Ok(Entry::Account { partition: None, account: text.into() });
    }
    let error = || {
        "is not a principal that is known here: `*`, an account's number, or the ARN of a root user, user, role or \
         role session, without wildcards"
            .to_owned()
    };
    let arn: Arn = text.parse().map_err(|_| error())?;
    if !is_account(&arn.account) || !arn.region.is_empty() || arn.resource.contains(['*', '?', ':']) {
        return Err(error());
    }
    let named = |prefix: &str| {
        arn.resource.strip_prefix(prefix).is_some_and(|rest| rest.split('/').all(|part| !part.is_empty()))
    };
    match arn.service.as_str() {
        "iam" if arn.resource == "root" => Ok(Entry::Account { partition: Some(arn.partition), account: arn.account }),
        "iam" if named("user/") => Ok(Entry::Exactly(arn)),
        "iam" if named("role/") => {
            let name = role_name(&arn).unwrap_or_default().to_owned();
            Ok(Entry::Role { partition: arn.partition, account: arn.account, name })
        }
        "sts" if named("assumed-role/") && arn.resource.split('/').count() == 3 => Ok(Entry::Exactly(arn)),
        _ => Err(error()),
    }
}

fn read_service(text: &str) -> Result<Entry, String> {
    // `SERVICE.amazonaws.com`, also with a Region and with the partitions' own suffixes. A wildcard is none.
    if text.contains('.') && text.split('.').all(is_label) {
        Ok(Entry::Service(text.into()))
    } else {
        Err("is not a service's principal, such as `ecs-tasks.amazonaws.com`".into())
    }
}
