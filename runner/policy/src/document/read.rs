//! From JSON to statements.

use std::collections::BTreeSet;

use super::{Actions, Effect, PolicyError, Resources, Statement};
use crate::arn::{is_label, shorten};
use crate::condition::{Condition, Operator};
use crate::json::Json;
use crate::pattern::{Pattern, Template, Variables, Wildcards};
use crate::trust::Principals;

/// What the document is for; it decides which elements its statements have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PolicyKind {
    /// Identity and session policies: a resource, no principal.
    Identity,
    /// Trust policies: a principal, no resource, STS actions.
    Trust,
}

/// A statement as it was read. The principals are there in trust policies only.
pub(crate) struct ReadStatement {
    pub(crate) statement: Statement,
    pub(crate) principals: Option<Principals>,
}

/// Reads a whole document.
pub(crate) fn read_statements(text: &str, kind: PolicyKind) -> Result<Vec<ReadStatement>, PolicyError> {
    let json = Json::parse(text)
        .map_err(|error| PolicyError { path: "$".into(), problem: format!("is not JSON: {error}") })?;
    let document = Members::of(&json, "$")?;
    document.only(&["Version", "Id", "Statement"])?;
    let variables = match document.string("Version")? {
        Some("2012-10-17") => Variables::Yes,
        // The default of a policy without a version is the old one
        // (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_version.html).
        Some("2008-10-17") | None => Variables::No,
        Some(other) => {
            return Err(
                document.problem("Version", format!("`{}` is neither `2012-10-17` nor `2008-10-17`", shorten(other)))
            );
        }
    };
    document.string("Id")?;
    let Some(statement) = document.get("Statement") else {
        return Err(document.missing("Statement"));
    };
    let statements: Vec<(String, &Json)> = match statement {
        Json::Array(list) => list.iter().enumerate().map(|(i, item)| (format!("$.Statement[{i}]"), item)).collect(),
        single => vec![("$.Statement".into(), single)],
    };
    if statements.is_empty() {
        return Err(document.problem("Statement", "is empty: a policy has at least one statement".into()));
    }
    let mut ids = BTreeSet::new();
    let mut read = Vec::with_capacity(statements.len());
    for (path, json) in statements {
        let members = Members::of(json, &path)?;
        if let Some(id) = members.string("Sid")?
            && !id.is_empty()
            && !ids.insert(id)
        {
            return Err(members.problem("Sid", format!("`{}` names two statements", shorten(id))));
        }
        read.push(read_statement(&members, kind, variables)?);
    }
    Ok(read)
}

fn read_statement(members: &Members<'_>, kind: PolicyKind, variables: Variables) -> Result<ReadStatement, PolicyError> {
    members.only(match kind {
        PolicyKind::Identity => &["Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Condition"],
        PolicyKind::Trust => &["Sid", "Effect", "Principal", "Action", "Condition"],
    })?;
    let effect = match members.string("Effect")? {
        Some("Allow") => Effect::Allow,
        Some("Deny") => Effect::Deny,
        Some(other) => {
            return Err(members.problem("Effect", format!("`{}` is neither `Allow` nor `Deny`", shorten(other))));
        }
        None => return Err(members.missing("Effect")),
    };
    let action = |name| members.each(name, |text| read_action(text, kind));
    let actions = match members.either("Action", "NotAction")? {
        "Action" => Actions::In(action("Action")?),
        other => Actions::NotIn(action(other)?),
    };
    let resource = |name| members.each(name, |text| read_resource(text, variables));
    let (resources, principals) = match kind {
        PolicyKind::Trust => {
            let Some(json) = members.get("Principal") else {
                return Err(members.missing("Principal"));
            };
            (Resources::Itself, Some(Principals::read(json, &members.path_of("Principal"))?))
        }
        PolicyKind::Identity => match members.either("Resource", "NotResource")? {
            "Resource" => (Resources::In(resource("Resource")?), None),
            other => (Resources::NotIn(resource(other)?), None),
        },
    };
    let conditions = match members.get("Condition") {
        Some(json) => read_conditions(json, &members.path_of("Condition"), variables)?,
        None => Vec::new(),
    };
    Ok(ReadStatement { statement: Statement { effect, actions, resources, conditions }, principals })
}

fn read_action(text: &str, kind: PolicyKind) -> Result<Pattern, String> {
    let in_name = |b: u8| b.is_ascii_alphanumeric() || b"*?".contains(&b);
    match text.split_once(':') {
        None if text == "*" => {}
        Some((service, name))
            if is_label(&service.to_ascii_lowercase()) && !name.is_empty() && name.bytes().all(in_name) =>
        {
            if kind == PolicyKind::Trust && !service.eq_ignore_ascii_case("sts") {
                return Err("is not an action of STS, which is all that a trust policy speaks of".into());
            }
        }
        _ => {
            return Err("is not an action, such as `s3:GetObject` or `s3:Get*`; a wildcard in the service's \
                        place is none either"
                .into());
        }
    }
    Ok(Pattern::wild(text))
}

fn read_resource(text: &str, variables: Variables) -> Result<Template, String> {
    let template = Template::parse(text, Wildcards::Yes, variables)?;
    if text == "*" {
        return Ok(template);
    }
    let mut parts = text.splitn(6, ':');
    let mut part = || parts.next().unwrap_or_default();
    let (arn, partition, service, region, account) = (part(), part(), part(), part(), part());
    if arn != "arn" || partition.is_empty() || !text.contains(':') {
        return Err("is neither `*` nor an ARN".into());
    }
    // `arn:aws:sqs:*` reaches beyond its last colon, so what comes after the service may be missing.
    let service_is_named = is_label(service) && text.splitn(6, ':').count() >= 4;
    if !service_is_named {
        return Err("has no service in the third field of its ARN, where IAM takes no wildcard".into());
    }
    if variables == Variables::Yes && [partition, region, account].iter().any(|part| part.contains("${")) {
        return Err("has a policy variable before the fifth colon of its ARN, where IAM takes none".into());
    }
    Ok(template)
}

fn read_conditions(json: &Json, path: &str, variables: Variables) -> Result<Vec<Condition>, PolicyError> {
    let mut conditions = Vec::new();
    let operators = Members::of(json, path)?;
    for (name, block) in operators.iter() {
        let operator = Operator::parse(name).map_err(|problem| operators.problem(name, problem))?;
        let block = Members::of(block, &operators.path_of(name))?;
        let mut keys = BTreeSet::new();
        for (key, _) in block.iter() {
            // Keys ignore case, so these would be two conditions that look like one.
            if !keys.insert(key.to_ascii_lowercase()) {
                return Err(block.problem(key, "stands twice under one operator".into()));
            }
            let values = block.scalars(key)?;
            conditions.push(operator.on(key, &values, variables).map_err(|(index, problem)| {
                let value = index.and_then(|index| values.get(index));
                match value {
                    Some(value) => block.problem(key, format!("`{}` {problem}", shorten(value))),
                    None => block.problem(key, problem),
                }
            })?);
        }
    }
    Ok(conditions)
}

/// The members of a JSON object, each there once, and the object's place.
pub(crate) struct Members<'a> {
    path: String,
    members: &'a [(String, Json)],
}

impl<'a> Members<'a> {
    /// The members of `json`, which stands at `path`.
    ///
    /// # Errors
    /// It is not an object, or has two members of one name.
    pub(crate) fn of(json: &'a Json, path: &str) -> Result<Self, PolicyError> {
        let Json::Object(members) = json else {
            return Err(PolicyError { path: path.to_owned(), problem: format!("is {}, not an object", json.kind()) });
        };
        let this = Self { path: path.to_owned(), members };
        let mut names = BTreeSet::new();
        match members.iter().find(|(name, _)| !names.insert(name)) {
            Some((name, _)) => Err(this.problem(name, "stands twice".into())),
            None => Ok(this),
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&'a str, &'a Json)> {
        self.members.iter().map(|(name, json)| (name.as_str(), json))
    }

    pub(crate) fn get(&self, name: &str) -> Option<&'a Json> {
        self.iter().find(|(member, _)| *member == name).map(|(_, json)| json)
    }

    pub(crate) fn path_of(&self, name: &str) -> String {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
        let name = shorten(name);
        if !name.is_empty() && name.bytes().all(plain) {
            format!("{}.{name}", self.path)
        } else {
            format!("{}[\"{name}\"]", self.path)
        }
    }

    pub(crate) fn problem(&self, name: &str, problem: String) -> PolicyError {
        PolicyError { path: self.path_of(name), problem }
    }

    /// Every string under `name`, read.
    pub(crate) fn each<T>(&self, name: &str, read: impl Fn(&str) -> Result<T, String>) -> Result<Vec<T>, PolicyError> {
        let (items, listed) = self.items(name)?;
        let mut values = Vec::with_capacity(items.len());
        for (index, item) in items.iter().enumerate() {
            let path = if listed { format!("{}[{index}]", self.path_of(name)) } else { self.path_of(name) };
            let Json::String(text) = item else {
                return Err(PolicyError { path, problem: format!("is {}, not a string", item.kind()) });
            };
            let value = read(text)
                .map_err(|problem| PolicyError { path, problem: format!("`{}` {problem}", shorten(text)) })?;
            values.push(value);
        }
        Ok(values)
    }

    fn only(&self, known: &[&str]) -> Result<(), PolicyError> {
        match self.iter().find(|(name, _)| !known.contains(name)) {
            Some((name, _)) => {
                Err(self
                    .problem(name, format!("is not an element that is allowed here; these are: {}", known.join(", "))))
            }
            None => Ok(()),
        }
    }

    fn missing(&self, name: &str) -> PolicyError {
        PolicyError { path: self.path.clone(), problem: format!("has no `{name}`") }
    }

    /// Which of two elements is there; exactly one has to be.
    fn either(&self, plain: &'static str, negated: &'static str) -> Result<&'static str, PolicyError> {
        match (self.get(plain), self.get(negated)) {
            (Some(_), None) => Ok(plain),
            (None, Some(_)) => Ok(negated),
            (None, None) => Err(self.missing(plain)),
            (Some(_), Some(_)) => {
                Err(self.problem(negated, format!("stands beside `{plain}`: a statement has one of them")))
            }
        }
    }

    fn string(&self, name: &str) -> Result<Option<&'a str>, PolicyError> {
        match self.get(name) {
            None => Ok(None),
            Some(Json::String(text)) => Ok(Some(text)),
            Some(other) => Err(self.problem(name, format!("is {}, not a string", other.kind()))),
        }
    }

    /// The value or list of values under `name`, and whether it was a list. Never empty.
    fn items(&self, name: &str) -> Result<(&'a [Json], bool), PolicyError> {
        match self.get(name) {
            None => Err(self.missing(name)),
            Some(Json::Array(list)) if list.is_empty() => Err(self.problem(name, "is an empty list".into())),
            Some(Json::Array(list)) => Ok((list, true)),
            Some(single) => Ok((std::slice::from_ref(single), false)),
        }
    }

    /// The value or list of values under `name` as text; condition values may be booleans and numbers as well.
    fn scalars(&self, name: &str) -> Result<Vec<String>, PolicyError> {
        let (items, _) = self.items(name)?;
        let text =
            |item: &Json| match item {
                Json::String(text) | Json::Number(text) => Ok(text.clone()),
                Json::Bool(value) => Ok(value.to_string()),
                other => Err(self
                    .problem(name, format!("holds {}, where values are strings, numbers and booleans", other.kind()))),
            };
        items.iter().map(text).collect()
    }
}
