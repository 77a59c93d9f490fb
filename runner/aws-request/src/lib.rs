//! From an HTTP request to an AWS operation.
//!
//! A hostile guest forms the request. [`parse`] turns it into an [`Operation`]: the service's operation by name, every
//! IAM action on every ARN that it needs (as [`rolebox_policy::Check`]s), and the request itself made anew from its
//! decoded parts. What is not understood whole is a [`Refusal`]: an unknown operation, a query key, header or body
//! member that the operation is not listed with, two ways to read one thing. So nothing is ever signed that was not
//! checked, and AWS reads exactly what was checked.
//!
//! ```
//! use bytes::Bytes;
//! use rolebox_aws_request::{Call, CallerScope, parse};
//!
//! let scope = CallerScope {
//!     account: "123456789012".parse()?,
//!     partition: "aws".into(),
//!     region: "us-east-1".parse()?,
//! };
//! let mut call = Call {
//!     service: "s3".into(),
//!     region: None,
//!     method: "PUT".into(),
//!     path: "/bucket/a%20key".into(),
//!     query: Vec::new(),
//!     headers: vec![("X-Amz-Acl".into(), b"public-read".to_vec())],
//!     body: Bytes::from_static(b"Hello World!"),
//! };
//! let operation = parse(&call, &scope)?;
//! let needed: Vec<String> =
//!     operation.checks.iter().map(|check| format!("{} on {}", check.action, check.resource)).collect();
//! assert_eq!(needed, ["s3:PutObject on arn:aws:s3:::bucket/a key", "s3:PutObjectAcl on arn:aws:s3:::bucket/a key"]);
//!
//! call.path = "/bucket/%2e%2e/other".into();
//! let refusal = parse(&call, &scope).unwrap_err();
//! assert!(refusal.to_string().contains("segment"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What is understood
//!
//! | Service | How far |
//! |---|---|
//! | S3 | the REST API of general purpose buckets: 101 operations |
//! | DynamoDB | items, batches, transactions, queries, scans, tables; the items that a call names |
//! | SQS, SNS, Secrets Manager, KMS | most of each; JSON, and the query form where there is one |
//! | SSM | Parameter Store |
//! | CloudWatch Logs, ECR | groups, streams, events, queries; repositories and images |
//! | Lambda | Invoke |
//! | STS | GetCallerIdentity |
//! | Athena, CloudWatch, Comprehend, ECS, EventBridge, Firehose, Glue, Kinesis, Redshift Data, Rekognition, Step Functions, Textract, Transcribe, Translate | the operation's name alone: its permission is on `*` |
//!
//! Each service is a table in a file of its own, with its sources. `facts/` holds the same from the AWS SDKs' models and
//! the Service Authorization Reference, and tests compare the two; what is refused on purpose is listed there with the
//! reason.
//!
//! [`host`] says which host names are AWS's, and what they name.
//!
//! Everything is pure: no I/O, no clock, no environment. Absent on purpose: signing, sending, and the decision whether
//! the task may do it, which is [`rolebox_policy::Capabilities::authorize`]'s.

mod api;
mod call;
mod dynamodb;
mod ecr;
#[cfg(test)]
mod facts;
pub mod host;
mod kms;
mod lambda;
mod logs;
mod names;
mod other;
mod refusal;
mod s3;
mod secretsmanager;
mod shape;
mod sns;
mod sqs;
mod ssm;
mod sts;
mod wire;

pub use call::{Call, CallerScope, Operation, Payload, Protocol};
pub use refusal::{Refusal, RefusalKind};
pub use s3::{BodyReader, StreamedBody};

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
        "s3" => return s3::parse(call, scope, region),
        "lambda" => return lambda::parse(call, scope, region),
        "sts" => return sts::parse(call, scope, region),
        "iam" => {
            return Err(Refusal::never_signed(
                "service `iam`",
                "calls that give or change authority are never signed for a task",
                "let the operator make them",
            ));
        }
        _ => {}
    }
    if let Some(service) = SERVICES.iter().find(|service| service.endpoint == call.service) {
        return api::parse(service, call, scope, region);
    }
    match other::find(&call.service) {
        Some(service) => service.parse(call, region),
        None => Err(Refusal::not_understood(
            format!("service {}", Quoted(&call.service)),
            "it is not one whose requests are understood",
            "use a service that is listed",
        )),
    }
}

/// Parses a request whose body is too long to be held, before the body has come. `call.body` is not looked at; the
/// operation's [`Payload`] says how the body is read.
///
/// # Errors
///
/// As [`parse`], and [`RefusalKind::HeldWhole`] where the body must be held whole: that of every operation but those that
/// store an object or a part of one, and every body whose length is not in the headers.
pub fn parse_streamed(call: &Call, scope: &CallerScope) -> Result<Operation, Refusal> {
    let region = region(call, scope)?;
    match call.service.as_str() {
        "s3" => s3::parse_streamed(call, scope, region),
        service => Err(Refusal::held_whole(&Quoted(service).to_string())),
    }
}

/// How a service writes its answers to a call, whether or not the call is understood: what a denial must look like for
/// the guest's SDK to read it. A service that is not known here counts as one of JSON 1.1.
pub fn protocol(call: &Call) -> Protocol {
    match call.service.as_str() {
        "s3" => Protocol::RestXml,
        "lambda" => Protocol::RestJson,
        "sts" | "iam" => Protocol::Query,
        endpoint => match SERVICES.iter().find(|service| service.endpoint == endpoint) {
            Some(service) => service.protocol(call),
            None => other::find(endpoint).map_or(Protocol::Json11, other::Other::protocol),
        },
    }
}

/// The services whose operation stands in the body.
static SERVICES: [&api::Service; 8] = [
    &dynamodb::SERVICE,
    &sqs::SERVICE,
    &sns::SERVICE,
    &secretsmanager::SERVICE,
    &ssm::SERVICE,
    &kms::SERVICE,
    &logs::SERVICE,
    &ecr::SERVICE,
];

/// The Region that the call goes to: its own, or the task's. Always one of the task's partition, since credentials of
/// one partition mean nothing in another.
fn region(call: &Call, scope: &CallerScope) -> Result<Region, Refusal> {
    let region = match &call.region {
        None => return Ok(scope.region.clone()),
        Some(region) if region == scope.region.as_str() => return Ok(scope.region.clone()),
        Some(region) => region,
    };
    let refuse = |what: String| {
        Refusal::not_understood(format!("Region {}", Quoted(region)), what, "name a Region such as eu-central-1")
    };
    match host::partition_of_region(region) {
        Some(partition) if partition == scope.partition => {
            region.parse().map_err(|_| refuse("it is not the name of a Region".into()))
        }
        Some(partition) => Err(refuse(format!("it lies in the partition {partition}, the task's role does not"))),
        None => Err(refuse("it is not the name of a Region".into())),
    }
}
