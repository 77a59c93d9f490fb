//! Amazon SQS: JSON 1.0, and the older query form.
//!
//! A queue is named by its URL, in which account and name stand; the URL's host says nothing, since the call goes to
//! where the host sends it. An attribute `Policy` gives others access to the queue for as long as it stands, so setting
//! it needs sqs:AddPermission besides, which only its full name grants.
//!
//! Sources: Amazon SQS API Reference; "Actions, resources, and condition keys for Amazon SQS", Service Authorization
//! Reference. The batch operations have the actions of the single ones.

use rolebox_policy::{Check, CheckResource};

use crate::api::{Input, Row, Service, on_any, place, rows};
use crate::call::Protocol;
use crate::host::{self, Host};
use crate::refusal::{Quoted, Refusal};
use crate::wire::json::Json;
use crate::wire::path;

pub(crate) static SERVICE: Service = Service {
    endpoint: "sqs",
    signing_name: "sqs",
    actions: "sqs",
    json: Some(("AmazonSQS", Protocol::Json10)),
    query: Some("2012-11-05"),
    rows: ROWS,
};

const ROWS: &[Row] = rows! {
    AddPermission "QueueUrl Label AWSAccountIds Actions" => queue;
    CancelMessageMoveTask "TaskHandle" => move_task;
    ChangeMessageVisibility "QueueUrl ReceiptHandle VisibilityTimeout" => queue;
    ChangeMessageVisibilityBatch "QueueUrl Entries*(Id ReceiptHandle VisibilityTimeout)" => batch;
    CreateQueue "QueueName Attributes tags" => create;
    DeleteMessage "QueueUrl ReceiptHandle" => queue;
    DeleteMessageBatch "QueueUrl Entries*(Id ReceiptHandle)" => batch;
    DeleteQueue "QueueUrl" => queue;
    GetQueueAttributes "QueueUrl AttributeNames" => queue;
    GetQueueUrl "QueueName QueueOwnerAWSAccountId" => by_name;
    ListDeadLetterSourceQueues "QueueUrl NextToken MaxResults" => queue;
    ListMessageMoveTasks "SourceArn MaxResults" => source;
    ListQueueTags "QueueUrl" => queue;
    ListQueues "QueueNamePrefix NextToken MaxResults" => on_any;
    PurgeQueue "QueueUrl" => queue;
    ReceiveMessage "QueueUrl AttributeNames MessageSystemAttributeNames MessageAttributeNames MaxNumberOfMessages VisibilityTimeout WaitTimeSeconds ReceiveRequestAttemptId" => queue;
    RemovePermission "QueueUrl Label" => queue;
    SendMessage "QueueUrl MessageBody DelaySeconds MessageAttributes MessageSystemAttributes MessageDeduplicationId MessageGroupId" => queue;
    SendMessageBatch "QueueUrl Entries*(Id MessageBody DelaySeconds MessageAttributes MessageSystemAttributes MessageDeduplicationId MessageGroupId)" => batch;
    SetQueueAttributes "QueueUrl Attributes" => set_attributes;
    StartMessageMoveTask "SourceArn DestinationArn MaxNumberOfMessagesPerSecond" => start_move;
    TagQueue "QueueUrl Tags" => queue;
    UntagQueue "QueueUrl TagKeys" => queue;
};

/// Names under which the query form spells lists and maps, beside the rows' own.
pub(crate) const FLATTENED: [&str; 12] = [
    "AWSAccountId",
    "ActionName",
    "Attribute",
    "AttributeName",
    "ChangeMessageVisibilityBatchRequestEntry",
    "DeleteMessageBatchRequestEntry",
    "MessageAttribute",
    "MessageAttributeName",
    "MessageSystemAttribute",
    "SendMessageBatchRequestEntry",
    "Tag",
    "TagKey",
];

/// A queue by its account and name.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Queue {
    account: String,
    name: String,
}

impl Queue {
    /// Reads the `/ACCOUNT/NAME` of a queue's URL.
    fn read(account_and_name: &str) -> Option<Self> {
        let (account, name) = account_and_name.strip_prefix('/')?.split_once('/')?;
        let digits = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
        (digits && is_name(name)).then(|| Self { account: account.into(), name: name.into() })
    }

    /// The path of its URL.
    pub(crate) fn path(&self) -> String {
        format!("/{}/{}", self.account, self.name)
    }

    /// The parameters with the queue that the path names.
    pub(crate) fn put_into(&self, body: Json) -> Result<Json, Refusal> {
        let Json::Object(mut members) = body else {
            return Ok(body);
        };
        let named = members.iter().find(|(name, _)| name == "QueueUrl").map(|(_, value)| value.as_text());
        match named {
            None => members.push(("QueueUrl".into(), Json::Text(format!("https://sqs{}", self.path())))),
            Some(url) if url.is_some_and(|url| read_url(url, None).as_ref() == Some(self)) => {}
            Some(_) => {
                return Err(Refusal::not_understood(
                    place("QueueUrl"),
                    "it names another queue than the path",
                    "send the path `/`, or the same queue in both",
                ));
            }
        }
        Ok(Json::Object(members))
    }
}

/// A queue that stands in the path of a request in the query form.
pub(crate) fn queue_in_path(raw: &str) -> Result<Queue, Refusal> {
    let path = path::decode(raw)?;
    let plain = raw.trim_end_matches('/');
    Queue::read(plain).filter(|_| raw.len() - plain.len() <= 1 && path.trim_end_matches('/') == &plain[1..]).ok_or_else(
        || {
            Refusal::not_understood(
                format!("path {}", Quoted(raw)),
                "it is not a queue's, which is /ACCOUNT/NAME",
                "send the path of the queue's URL, or `/`",
            )
        },
    )
}

fn is_name(name: &str) -> bool {
    let word = name.strip_suffix(".fifo").unwrap_or(name);
    !word.is_empty()
        && name.len() <= 80
        && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

/// Reads a queue's URL. An AWS host must be SQS's; `region` is the one that it must lie in, if that is known.
fn read_url(url: &str, region: Option<&str>) -> Option<Queue> {
    let (https, rest) = match url.split_once("://") {
        Some(("https", rest)) => (true, rest),
        Some(("http", rest)) => (false, rest),
        _ => return None,
    };
    let slash = rest.find('/')?;
    let (authority, path) = rest.split_at(slash);
    match host::from_authority(authority, https).ok()? {
        Host::Aws(host) if host.service != "sqs" || region.is_some_and(|region| region != host.region) => None,
        Host::Customer(_) => None,
        _ => Queue::read(path),
    }
}

fn queue_arn(input: &Input<'_>) -> Result<CheckResource, Refusal> {
    let url = input.required("QueueUrl")?;
    match read_url(url, Some(input.region.as_str())) {
        Some(Queue { account, name }) => {
            let arn = format!("arn:{}:sqs:{}:{account}:{name}", input.scope.partition, input.region);
            Ok(CheckResource::Arn(arn))
        }
        None => Err(Refusal::not_understood(
            place("QueueUrl"),
            format!("{} is not a queue's URL in {}", Quoted(url), input.region),
            "send the URL as GetQueueUrl answers it",
        )),
    }
}

fn queue(input: &Input<'_>) -> Result<Vec<Check>, Refusal> {
    Ok(vec![input.own(queue_arn(input)?)])
}

fn batch(input: &Input<'_>) -> Result<Vec<Check>, Refusal> {
    let single = input.name.strip_suffix("Batch").unwrap_or(input.name);
    Ok(vec![input.action(single, queue_arn(input)?)])
}

fn set_attributes(input: &Input<'_>) -> Result<Vec<Check>, Refusal> {
    let arn = queue_arn(input)?;
    let mut checks = vec![input.own(arn.clone())];
    checks.extend(sets_policy(input).then(|| input.action("AddPermission", arn)));
    Ok(checks)
}

/// Whether the attributes that a request sets hold a policy, in either form.
fn sets_policy(input: &Input<'_>) -> bool {
    input.body.get("Attributes").is_some_and(|attributes| attributes.get("Policy").is_some())
        || input.nested.iter().any(|(key, value)| key.starts_with("Attribute.") && value == "Policy")
}

/// The ARN of a queue by its name, in the task's account or the one that a parameter names.
fn named(input: &Input<'_>) -> Result<CheckResource, Refusal> {
    let name = input.required("QueueName")?;
    let owner = input.optional("QueueOwnerAWSAccountId")?.unwrap_or(input.scope.account.as_str());
    match Queue::read(&format!("/{owner}/{name}")) {
        Some(_) => Ok(CheckResource::Arn(format!("arn:{}:sqs:{}:{owner}:{name}", input.scope.partition, input.region))),
        None => Err(Refusal::not_understood(
            place("QueueName"),
            format!("{} is not a queue's name", Quoted(name)),
            "name a queue by at most 80 letters, digits, dashes and underscores",
        )),
    }
}

fn by_name(input: &Input<'_>) -> Result<Vec<Check>, Refusal> {
    Ok(vec![input.own(named(input)?)])
}

fn create(input: &Input<'_>) -> Result<Vec<Check>, Refusal> {
    let arn = named(input)?;
    let mut checks = vec![input.own(arn.clone())];
    checks.extend(sets_policy(input).then(|| input.action("AddPermission", arn.clone())));
    let tags = input.has("tags") || input.has("Tag");
    checks.extend(tags.then(|| input.action("TagQueue", arn)));
    Ok(checks)
}

fn arn(input: &Input<'_>, name: &str) -> Result<CheckResource, Refusal> {
    let arn = input.arn(name)?;
    if !is_name(&arn.resource) || arn.account.len() != 12 || arn.region.is_empty() {
        return Err(Refusal::not_understood(place(name), "it is not a queue's ARN", "name a queue by its whole ARN"));
    }
    Ok(CheckResource::Arn(arn.to_string()))
}

fn source(input: &Input<'_>) -> Result<Vec<Check>, Refusal> {
    Ok(vec![input.own(arn(input, "SourceArn")?)])
}

/// Moving messages receives and deletes them here, and sends them there.
///
/// Source: "StartMessageMoveTask", Amazon SQS API Reference, and "Configuring queue permissions for dead-letter queue
/// redrive", Developer Guide.
fn start_move(input: &Input<'_>) -> Result<Vec<Check>, Refusal> {
    let from = arn(input, "SourceArn")?;
    let mut checks = vec![
        input.own(from.clone()),
        input.action("ReceiveMessage", from.clone()),
        input.action("DeleteMessage", from.clone()),
        input.action("GetQueueAttributes", from),
    ];
    // Without a destination the messages go back to where each came from, which the request doesn't say.
    let to = match input.has("DestinationArn") {
        true => arn(input, "DestinationArn")?,
        false => CheckResource::Covering(input.resource("*")),
    };
    checks.push(input.action("SendMessage", to));
    Ok(checks)
}

/// The task's handle hides the queue.
fn move_task(input: &Input<'_>) -> Result<Vec<Check>, Refusal> {
    Ok(vec![input.own(CheckResource::Covering(input.resource("*")))])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queue_urls() {
        for (url, fine) in [
            ("https://sqs.us-east-1.amazonaws.com/123456789012/queue", true),
            ("https://sqs.us-east-1.amazonaws.com/123456789012/queue.fifo", true),
            ("http://localhost:5000/123456789012/queue", true),
            ("http://127.0.0.1:4566/000000000000/queue", true),
            ("https://sqs.eu-west-1.amazonaws.com/123456789012/queue", false),
            ("https://sns.us-east-1.amazonaws.com/123456789012/queue", false),
            ("https://user@sqs.us-east-1.amazonaws.com/123456789012/queue", false),
            ("https://sqs.us-east-1.amazonaws.com/123456789012/queue?x", false),
            ("https://sqs.us-east-1.amazonaws.com/123456789012/queue/", false),
            ("https://sqs.us-east-1.amazonaws.com/123456789012/../999999999999/queue", false),
            ("https://sqs.us-east-1.amazonaws.com//123456789012/queue", false),
            ("https://sqs.us-east-1.amazonaws.com/123456789012/queue%2Fx", false),
            ("https://sqs.us-east-1.amazonaws.com/123/queue", false),
            ("https://sqs.us-east-1.amazonaws.com/123456789012/*", false),
            ("/123456789012/queue", false),
            ("queue", false),
            ("", false),
        ] {
            assert_eq!(read_url(url, Some("us-east-1")).is_some(), fine, "{url}");
        }
    }

    #[test]
    fn queues_in_paths() {
        for (path, fine) in [
            ("/123456789012/queue", true),
            ("/123456789012/queue/", true),
            ("/123456789012/queue//", false),
            ("/123456789012/%71ueue", false),
            ("/123456789012", false),
            ("/123456789012/", false),
            ("//queue", false),
            ("/a/../123456789012/queue", false),
            ("///", false),
        ] {
            assert_eq!(queue_in_path(path).is_ok(), fine, "{path}");
        }
    }
}
