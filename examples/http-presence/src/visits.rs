//! The count, kept in a DynamoDB table whose partition key is `page`.

use std::fmt;

use rolebox_guest::{Call, Response, Transport};
use serde_json::{Value, json};

/// The table where the environment names none in `TABLE`.
const TABLE: &str = "presence";

/// How often the page was visited.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Visits {
    pub(crate) count: u64,
    /// When the first visit was, in seconds since 1970.
    pub(crate) since: u64,
}

/// Why a visit was not counted.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    code: String,
    message: String,
}

impl Failure {
    /// DynamoDB's error code, `ResourceNotFoundException` for example; the host's refusals have one too.
    pub(crate) fn code(&self) -> &str {
        &self.code
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.message)
    }
}

/// The table, and what calls go through.
pub(crate) struct Table<T> {
    name: String,
    transport: T,
}

impl<T: Transport> Table<T> {
    pub(crate) fn from_environment(transport: T) -> Self {
        Self { name: std::env::var("TABLE").unwrap_or_else(|_| TABLE.to_owned()), transport }
    }

    /// Counts a visit at `now`, in seconds since 1970. DynamoDB adds, so that visits at the same time all count.
    pub(crate) fn visit(&self, now: u64) -> Result<Visits, Failure> {
        let update = json!({
            "TableName": self.name,
            "Key": {"page": {"S": "home"}},
            "UpdateExpression": "SET firstVisit = if_not_exists(firstVisit, :now) ADD visitCount :one",
            "ExpressionAttributeValues": {":now": {"N": now.to_string()}, ":one": {"N": "1"}},
            "ReturnValues": "ALL_NEW",
        });
        let call = Call::new("dynamodb")
            .header("content-type", "application/x-amz-json-1.0")
            .header("x-amz-target", "DynamoDB_20120810.UpdateItem")
            .body(update.to_string());
        let answer = self.transport.send(call).map_err(|error| Failure {
            code: error.code().unwrap_or("NoAnswer").to_owned(),
            message: error.to_string(),
        })?;
        read(&answer)
    }
}

fn read(answer: &Response) -> Result<Visits, Failure> {
    let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    if !answer.is_success() {
        // com.amazonaws.dynamodb.v20120810#ResourceNotFoundException
        let code = body["__type"].as_str().and_then(|code| code.rsplit('#').next()).unwrap_or("UnknownError");
        let message = body["message"].as_str().or(body["Message"].as_str()).unwrap_or_default();
        return Err(Failure { code: code.to_owned(), message: message.to_owned() });
    }
    let number = |name: &str| body["Attributes"][name]["N"].as_str().and_then(|number| number.parse().ok());
    match (number("visitCount"), number("firstVisit")) {
        (Some(count), Some(since)) => Ok(Visits { count, since }),
        _ => Err(Failure { code: "UnexpectedAnswer".to_owned(), message: "the item has no count".to_owned() }),
    }
}

#[cfg(test)]
mod tests {
    use rolebox_guest::{Denial, Error};

    use super::*;

    struct Answers(Result<(u16, Value), Error>);

    impl Transport for Answers {
        fn send(&self, call: Call) -> Result<Response, Error> {
            assert_eq!((call.service.as_str(), call.method.as_str(), call.path.as_str()), ("dynamodb", "POST", "/"));
            let (status, body) = self.0.clone()?;
            Ok(Response { status, headers: vec![], body: body.to_string().into_bytes() })
        }
    }

    fn visit(answer: Result<(u16, Value), Error>) -> Result<Visits, String> {
        let table = Table { name: "t".to_owned(), transport: Answers(answer) };
        table.visit(7).map_err(|failure| failure.code().to_owned())
    }

    #[test]
    fn the_answer_is_read() {
        let attributes = json!({"Attributes": {"visitCount": {"N": "3"}, "firstVisit": {"N": "7"}}});
        assert_eq!(visit(Ok((200, attributes))), Ok(Visits { count: 3, since: 7 }));
    }

    #[test]
    fn every_failure_has_a_code() {
        let missing = json!({"__type": "com.amazonaws.dynamodb.v20120810#ResourceNotFoundException", "message": "no"});
        assert_eq!(visit(Ok((400, missing))).unwrap_err(), "ResourceNotFoundException");
        assert_eq!(visit(Ok((500, json!(null)))).unwrap_err(), "UnknownError");
        assert_eq!(visit(Ok((200, json!({})))).unwrap_err(), "UnexpectedAnswer");
        let denied = Error::Denied(Denial { missing: vec![], reason: String::new() });
        assert_eq!(visit(Err(denied)).unwrap_err(), "AccessDenied");
        assert_eq!(visit(Err(Error::TimedOut)).unwrap_err(), "NoAnswer");
    }
}
