//! The form that a query-protocol request carries, each parameter of which must be asked for.

use std::collections::BTreeMap;

use super::error::StsError;
use crate::sigv4::decode;

/// More parameters than AssumeRole could use: 50 tags of two parts each, 50 transitive keys, 10 policies.
const MAX_PARAMETERS: usize = 256;

/// The parameters that nobody took yet.
#[derive(Debug)]
pub(super) struct Parameters(BTreeMap<String, String>);

impl Parameters {
    /// Reads an `application/x-www-form-urlencoded` body. A parameter that occurs twice is refused, since its two values
    /// could be read by two parties.
    pub(super) fn parse(body: &[u8]) -> Result<Self, StsError> {
        let text = std::str::from_utf8(body).map_err(|_| StsError::malformed("the body is not UTF-8"))?;
        let mut parameters = BTreeMap::new();
        for pair in text.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let decoded = |text: &str| {
                decode(&text.replace('+', " ")).ok_or_else(|| StsError::malformed("the body is not a form in UTF-8"))
            };
            let name = decoded(name)?;
            if parameters.insert(name.clone(), decoded(value)?).is_some() {
                return Err(StsError::malformed(&format!("the parameter {name} occurs twice")));
            }
            if parameters.len() > MAX_PARAMETERS {
                return Err(StsError::malformed("the request has too many parameters"));
            }
        }
        Ok(Self(parameters))
    }

    pub(super) fn take(&mut self, name: &str) -> Option<String> {
        self.0.remove(name)
    }

    pub(super) fn required(&mut self, name: &str) -> Result<String, StsError> {
        self.take(name).ok_or_else(|| match name {
            "Action" => StsError::new(
                http::StatusCode::BAD_REQUEST,
                "MissingAction",
                "The request is missing an action or a required parameter",
            ),
            _ => StsError::validation(format!(
                "1 validation error detected: Value null at '{}' failed to satisfy constraint: Member must not be null",
                model_name(name)
            )),
        })
    }

    /// The members of a list, `NAME.member.1` and on, each with its fields: `["arn"]` for `PolicyArns.member.1.arn`, `[""]`
    /// for a list of plain values. The list ends at the first number that is not there; what follows a gap stays and is
    /// refused by [`finish`](Self::finish).
    pub(super) fn take_list<const N: usize>(&mut self, name: &str, fields: [&str; N]) -> Vec<[Option<String>; N]> {
        let mut members = Vec::new();
        loop {
            let index = members.len() + 1;
            let member = fields.map(|field| match field {
                "" => self.take(&format!("{name}.member.{index}")),
                _ => self.take(&format!("{name}.member.{index}.{field}")),
            });
            if member.iter().all(Option::is_none) {
                return members;
            }
            members.push(member);
        }
    }

    /// Refuses what was not taken: a parameter that is ignored here might matter to AWS.
    pub(super) fn finish(self) -> Result<(), StsError> {
        match self.0.into_keys().next() {
            None => Ok(()),
            Some(name) => Err(StsError::validation(format!(
                "the parameter {name} is not known here; the embedded STS does not ignore what it does not implement"
            ))),
        }
    }
}

/// A parameter's name as AWS's validation messages write it.
pub(super) fn model_name(parameter: &str) -> String {
    let mut letters = parameter.chars();
    letters.next().map(|first| first.to_lowercase().chain(letters).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_end_at_the_first_gap_and_the_rest_is_refused() {
        let mut parameters =
            Parameters::parse(b"Tags.member.1.Key=a&Tags.member.1.Value=x+y&Tags.member.3.Key=c").unwrap();
        let tags = parameters.take_list("Tags", ["Key", "Value"]);
        assert_eq!(tags, [[Some("a".into()), Some("x y".into())]]);
        assert!(parameters.finish().unwrap_err().message.contains("Tags.member.3.Key"));
    }

    #[test]
    fn forms_that_can_be_read_twice_are_refused() {
        for body in [&b"Action=a&Action=b"[..], b"Action=%", b"Action=%ff", b"\xff", b"Action=a&%41ction=b"] {
            assert!(Parameters::parse(body).is_err());
        }
        let many: String = (0..300).map(|index| format!("p{index}=&")).collect();
        assert!(Parameters::parse(many.as_bytes()).is_err());
    }
}
