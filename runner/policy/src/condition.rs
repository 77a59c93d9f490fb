//! Condition blocks: operators, their values, and whether they hold for a request
//! (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html>).
//!
//! Two rules of IAM's shape all of it. A key that is absent makes an operator false and a negated operator true; and a
//! negated operator is the opposite of the plain one over all of its values. Absent on purpose: `BinaryEquals`, which
//! no key that Rolebox or its embedded AWS supplies would need.

mod value;

use crate::Context;
use crate::pattern::{Template, Variables, Wildcards, is_condition_key};
use value::{ArnPattern, IpRange, Moment, Number};

/// One operator on one key.
#[derive(Clone, Debug)]
pub(crate) struct Condition {
    /// In lower case.
    key: String,
    quantifier: Option<Quantifier>,
    if_exists: bool,
    negated: bool,
    test: Test,
}

/// How an operator applies to a key with several values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Quantifier {
    /// `ForAllValues:`
    All,
    /// `ForAnyValue:`
    Any,
}

/// The comparison of one of the request's values with the policy's values, of which one has to match.
#[derive(Clone, Debug)]
enum Test {
    Text(Vec<Template>),
    TextIgnoringCase(Vec<Template>),
    Arn(Vec<ArnPattern>),
    Number(Order, Vec<Number>),
    Date(Order, Vec<Moment>),
    Ip(Vec<IpRange>),
    Bool(Vec<bool>),
    /// `Null`: whether the key has to be absent.
    Absent(bool),
}

/// The order in which a request's value has to stand to a policy's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Order {
    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Order {
    fn holds(self, ordering: std::cmp::Ordering) -> bool {
        match self {
            Self::Equal => ordering.is_eq(),
            Self::Less => ordering.is_lt(),
            Self::LessOrEqual => ordering.is_le(),
            Self::Greater => ordering.is_gt(),
            Self::GreaterOrEqual => ordering.is_ge(),
        }
    }
}

/// An operator's name, taken apart.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Operator {
    quantifier: Option<Quantifier>,
    if_exists: bool,
    negated: bool,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    TextEquals,
    TextEqualsIgnoringCase,
    TextLike,
    Arn,
    Number(Order),
    Date(Order),
    Ip,
    Bool,
    Null,
}

impl Operator {
    /// Reads an operator's name.
    ///
    /// # Errors
    /// It is not one that is implemented.
    pub(crate) fn parse(name: &str) -> Result<Self, String> {
        let (quantifier, rest) = match name.split_once(':') {
            Some(("ForAllValues", rest)) => (Some(Quantifier::All), rest),
            Some(("ForAnyValue", rest)) => (Some(Quantifier::Any), rest),
            _ => (None, name),
        };
        let (base, if_exists) = match rest.strip_suffix("IfExists") {
            Some(base) => (base, true),
            None => (rest, false),
        };
        let (negated, kind) = match base {
            "StringEquals" => (false, Kind::TextEquals),
            "StringNotEquals" => (true, Kind::TextEquals),
            "StringEqualsIgnoreCase" => (false, Kind::TextEqualsIgnoringCase),
            "StringNotEqualsIgnoreCase" => (true, Kind::TextEqualsIgnoringCase),
            "StringLike" => (false, Kind::TextLike),
            "StringNotLike" => (true, Kind::TextLike),
            "ArnEquals" | "ArnLike" => (false, Kind::Arn),
            "ArnNotEquals" | "ArnNotLike" => (true, Kind::Arn),
            "NumericEquals" => (false, Kind::Number(Order::Equal)),
            "NumericNotEquals" => (true, Kind::Number(Order::Equal)),
            "NumericLessThan" => (false, Kind::Number(Order::Less)),
            "NumericLessThanEquals" => (false, Kind::Number(Order::LessOrEqual)),
            "NumericGreaterThan" => (false, Kind::Number(Order::Greater)),
            "NumericGreaterThanEquals" => (false, Kind::Number(Order::GreaterOrEqual)),
            "DateEquals" => (false, Kind::Date(Order::Equal)),
            "DateNotEquals" => (true, Kind::Date(Order::Equal)),
            "DateLessThan" => (false, Kind::Date(Order::Less)),
            "DateLessThanEquals" => (false, Kind::Date(Order::LessOrEqual)),
            "DateGreaterThan" => (false, Kind::Date(Order::Greater)),
            "DateGreaterThanEquals" => (false, Kind::Date(Order::GreaterOrEqual)),
            "IpAddress" => (false, Kind::Ip),
            "NotIpAddress" => (true, Kind::Ip),
            "Bool" => (false, Kind::Bool),
            // `Null` is about the key alone: IAM has neither `NullIfExists` nor a set operator for it.
            "Null" if !if_exists && quantifier.is_none() => (false, Kind::Null),
            _ => return Err("is not a condition operator that is known here".into()),
        };
        Ok(Self { quantifier, if_exists, negated, kind })
    }

    /// The condition that this operator puts on `key`. `values` are the policy's, at least one.
    ///
    /// # Errors
    /// The key or a value does not have the form that the operator needs; with the value's index.
    pub(crate) fn on(
        self,
        key: &str,
        values: &[String],
        variables: Variables,
    ) -> Result<Condition, (Option<usize>, String)> {
        if !is_condition_key(key) {
            return Err((None, "is not a condition key, such as `aws:SourceIp`".into()));
        }
        let template = |wildcards| move |text: &str| Template::parse(text, wildcards, variables);
        let test = match self.kind {
            Kind::TextEquals => Test::Text(each(values, template(Wildcards::No))?),
            Kind::TextEqualsIgnoringCase => Test::TextIgnoringCase(each(values, template(Wildcards::No))?),
            Kind::TextLike => Test::Text(each(values, template(Wildcards::Yes))?),
            Kind::Arn => Test::Arn(each(values, |text| ArnPattern::parse(text, variables))?),
            Kind::Number(order) => Test::Number(order, each(values, Number::parse)?),
            Kind::Date(order) => Test::Date(order, each(values, Moment::parse)?),
            Kind::Ip => Test::Ip(each(values, IpRange::parse)?),
            Kind::Bool => Test::Bool(each(values, parse_bool)?),
            Kind::Null => match each(values, parse_bool)?.as_slice() {
                [absent] => Test::Absent(*absent),
                _ => {
                    return Err((Some(1), "is one value too many: `Null` takes `true` or `false`".into()));
                }
            },
        };
        let Self { quantifier, if_exists, negated, .. } = self;
        Ok(Condition { key: key.to_ascii_lowercase(), quantifier, if_exists, negated, test })
    }
}

impl Condition {
    /// Whether it holds for a request.
    pub(crate) fn holds(&self, context: &Context) -> bool {
        let values = context.values(&self.key);
        if let Test::Absent(absent) = self.test {
            return values.is_empty() == absent;
        }
        if values.is_empty() {
            return self.if_exists
                || match self.quantifier {
                    Some(Quantifier::All) => true,
                    Some(Quantifier::Any) => false,
                    None => self.negated,
                };
        }
        let holds_for = |value: &String| self.test.matches(value, context) != self.negated;
        // IAM calls an empty string a null data set: to a set operator it is as if it were not there.
        let mut in_set = values.iter().filter(|value| !value.is_empty());
        match self.quantifier {
            Some(Quantifier::All) => in_set.all(holds_for),
            Some(Quantifier::Any) => in_set.any(holds_for),
            // A key with several values wants a set operator, and IAM leaves open what happens without one. Here a
            // plain operator holds when one value matches, and the negated one is its opposite.
            None => values.iter().any(|value| self.test.matches(value, context)) != self.negated,
        }
    }

    /// The condition keys that it looks at: its own and those of its variables, in lower case.
    pub(crate) fn keys(&self) -> Vec<&str> {
        let mut keys = vec![self.key.as_str()];
        match &self.test {
            Test::Text(values) | Test::TextIgnoringCase(values) => {
                keys.extend(values.iter().flat_map(Template::keys));
            }
            Test::Arn(values) => keys.extend(values.iter().flat_map(ArnPattern::keys)),
            Test::Number(..) | Test::Date(..) | Test::Ip(_) | Test::Bool(_) | Test::Absent(_) => {}
        }
        keys
    }
}

impl Test {
    /// Whether one of the policy's values matches this value of the request. A value that does not have the form that
    /// the operator compares matches none.
    fn matches(&self, value: &str, context: &Context) -> bool {
        match self {
            Self::Text(patterns) => {
                patterns.iter().any(|text| text.resolve(context).is_some_and(|pattern| pattern.matches(value)))
            }
            Self::TextIgnoringCase(patterns) => patterns
                .iter()
                .any(|text| text.resolve(context).is_some_and(|pattern| pattern.matches_ignoring_case(value))),
            Self::Arn(patterns) => patterns.iter().any(|pattern| pattern.matches(value, context)),
            Self::Number(order, bounds) => {
                Number::parse(value).is_ok_and(|number| bounds.iter().any(|bound| order.holds(number.cmp(bound))))
            }
            Self::Date(order, bounds) => {
                Moment::parse(value).is_ok_and(|moment| bounds.iter().any(|bound| order.holds(moment.cmp(bound))))
            }
            Self::Ip(ranges) => value.parse().is_ok_and(|address| ranges.iter().any(|range| range.contains(address))),
            Self::Bool(wanted) => parse_bool(value).is_ok_and(|value| wanted.contains(&value)),
            // Answered from the key alone, before any value is looked at.
            Self::Absent(_) => false,
        }
    }
}

fn each<T>(values: &[String], parse: impl Fn(&str) -> Result<T, String>) -> Result<Vec<T>, (Option<usize>, String)> {
    let parsed = values.iter().enumerate();
    parsed.map(|(index, value)| parse(value).map_err(|problem| (Some(index), problem))).collect()
}

fn parse_bool(text: &str) -> Result<bool, String> {
    if text.eq_ignore_ascii_case("true") {
        Ok(true)
    } else if text.eq_ignore_ascii_case("false") {
        Ok(false)
    } else {
        Err("is neither `true` nor `false`".into())
    }
}
