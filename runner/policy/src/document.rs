//! IAM policy documents, read strictly
//! (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html>).
//!
//! A policy that is half understood is worse than none: an element that is skipped may be the one that narrows a
//! statement. So whatever is not known is refused when the policy is read, with its place as a JSON path.

mod read;

use std::collections::BTreeSet;

use crate::condition::Condition;
use crate::pattern::{Pattern, Template};
use crate::{AccessRequest, Decision};

pub(crate) use read::{Members, PolicyKind, read_statements};

/// An identity policy, managed or inline, or a session policy.
#[derive(Clone, Debug)]
pub struct PolicyDocument {
    statements: Vec<Statement>,
}

impl PolicyDocument {
    /// Reads a policy document.
    ///
    /// # Errors
    /// What is not a policy, and what this crate does not implement: an element, operator, version or key that is
    /// unknown or doubled, a principal. The error says where, as a JSON path.
    pub fn parse(text: &str) -> Result<Self, PolicyError> {
        let statements = read_statements(text, PolicyKind::Identity)?;
        Ok(Self { statements: statements.into_iter().map(|read| read.statement).collect() })
    }

    /// The condition keys that conditions and policy variables of this policy look at, each once, in lower case. Whoever
    /// supplies the context can refuse, when a policy is loaded, keys that it would never supply.
    pub fn context_keys(&self) -> Vec<String> {
        context_keys(&self.statements)
    }

    /// What this policy alone says.
    pub(crate) fn decide(&self, request: &AccessRequest<'_>) -> Decision {
        decide(self.statements.iter().filter(|statement| statement.applies(request)))
    }
}

/// A policy that can't be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {problem}")]
#[non_exhaustive]
pub struct PolicyError {
    /// Where in the document: a JSON path such as `$.Statement[0].Effect`.
    pub path: String,
    /// What is wrong and what is expected.
    pub problem: String,
}

/// One statement, without its principal.
#[derive(Clone, Debug)]
pub(crate) struct Statement {
    pub(crate) effect: Effect,
    pub(crate) actions: Actions,
    pub(crate) resources: Resources,
    pub(crate) conditions: Vec<Condition>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    Allow,
    Deny,
}

/// `Action` or `NotAction`.
#[derive(Clone, Debug)]
pub(crate) enum Actions {
    In(Vec<Pattern>),
    NotIn(Vec<Pattern>),
}

/// `Resource` or `NotResource`.
#[derive(Clone, Debug)]
pub(crate) enum Resources {
    In(Vec<Template>),
    NotIn(Vec<Template>),
    /// The statement stands on the one resource that holds it, as in a trust policy.
    Itself,
}

impl Statement {
    /// Whether it is about this request and its conditions hold.
    pub(crate) fn applies(&self, request: &AccessRequest<'_>) -> bool {
        let action =
            |patterns: &[Pattern]| patterns.iter().any(|pattern| pattern.matches_ignoring_case(request.action));
        let resource = |templates: &[Template]| {
            templates.iter().any(|template| {
                template.resolve(request.context).is_some_and(|pattern| pattern.matches(request.resource))
            })
        };
        let about_action = match &self.actions {
            Actions::In(patterns) => action(patterns),
            Actions::NotIn(patterns) => !action(patterns),
        };
        let about_resource = || match &self.resources {
            Resources::In(templates) => resource(templates),
            Resources::NotIn(templates) => !resource(templates),
            Resources::Itself => true,
        };
        about_action && about_resource() && self.conditions.iter().all(|condition| condition.holds(request.context))
    }

    fn keys(&self) -> impl Iterator<Item = &str> {
        let templates = match &self.resources {
            Resources::In(templates) | Resources::NotIn(templates) => templates.as_slice(),
            Resources::Itself => &[],
        };
        templates.iter().flat_map(Template::keys).chain(self.conditions.iter().flat_map(Condition::keys))
    }
}

/// The decision of the statements that apply: an explicit deny comes first.
pub(crate) fn decide<'a>(applying: impl Iterator<Item = &'a Statement>) -> Decision {
    let mut decision = Decision::ImplicitlyDenied;
    for statement in applying {
        match statement.effect {
            Effect::Deny => return Decision::ExplicitlyDenied,
            Effect::Allow => decision = Decision::Allowed,
        }
    }
    decision
}

pub(crate) fn context_keys<'a>(statements: impl IntoIterator<Item = &'a Statement>) -> Vec<String> {
    let keys: BTreeSet<&str> = statements.into_iter().flat_map(Statement::keys).collect();
    keys.into_iter().map(str::to_owned).collect()
}
