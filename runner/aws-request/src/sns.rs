//! Amazon SNS: the query protocol.
//!
//! A topic is named by its ARN. An attribute `Policy` gives others access for as long as it stands, so setting it needs
//! sns:AddPermission besides, which only its full name grants.
//!
//! Sources: Amazon SNS API Reference; "Actions, resources, and condition keys for Amazon SNS", Service Authorization
//! Reference, which knows topics only: what works on platforms, endpoints and telephone numbers needs `*`.

use rolebox_policy::{Check, CheckResource};

use crate::api::{Input, Row, Service, missing, on_any, place, rows};
use crate::names;
use crate::refusal::{Quoted, Refusal};

pub(crate) static SERVICE: Service =
    Service { endpoint: "sns", signing_name: "sns", actions: "sns", json: None, query: Some("2010-03-31"), rows: ROWS };

const ROWS: &[Row] = rows! {
    AddPermission "TopicArn Label AWSAccountId ActionName" => topic;
    CheckIfPhoneNumberIsOptedOut "phoneNumber" => on_any;
    ConfirmSubscription "TopicArn Token AuthenticateOnUnsubscribe" => topic;
    CreateTopic "Name Attributes Tags DataProtectionPolicy" => create;
    DeleteEndpoint "EndpointArn" => on_any;
    DeleteTopic "TopicArn" => topic;
    GetDataProtectionPolicy "ResourceArn" => resource;
    GetEndpointAttributes "EndpointArn" => on_any;
    GetSMSAttributes "attributes" => on_any;
    GetSubscriptionAttributes "SubscriptionArn" => subscription;
    GetTopicAttributes "TopicArn" => topic;
    ListSubscriptions "NextToken" => on_any;
    ListSubscriptionsByTopic "TopicArn NextToken" => topic;
    ListTagsForResource "ResourceArn" => resource;
    ListTopics "NextToken" => on_any;
    Publish "TopicArn TargetArn PhoneNumber Message Subject MessageStructure MessageAttributes MessageDeduplicationId MessageGroupId" => publish;
    PublishBatch "TopicArn PublishBatchRequestEntries" => publish;
    PutDataProtectionPolicy "ResourceArn DataProtectionPolicy" => resource;
    RemovePermission "TopicArn Label" => topic;
    SetSubscriptionAttributes "SubscriptionArn AttributeName AttributeValue" => subscription;
    SetTopicAttributes "TopicArn AttributeName AttributeValue" => set_attributes;
    Subscribe "TopicArn Protocol Endpoint Attributes ReturnSubscriptionArn" => subscribe;
    TagResource "ResourceArn Tags" => resource;
    Unsubscribe "SubscriptionArn" => subscription;
    UntagResource "ResourceArn TagKeys" => resource;
};

fn is_name(name: &str) -> bool {
    let word = name.strip_suffix(".fifo").unwrap_or(name);
    !word.is_empty()
        && name.len() <= 256
        && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

/// The topic whose ARN stands in a parameter.
fn topic_arn(input: &Input<'_>, name: &str) -> Result<CheckResource, Refusal> {
    let arn = input.arn(name)?;
    if !is_name(&arn.resource) || arn.account.len() != 12 || arn.region.is_empty() {
        return Err(Refusal::not_understood(place(name), "it is not a topic's ARN", "name a topic by its whole ARN"));
    }
    Ok(CheckResource::Arn(arn.to_string()))
}

fn topic(input: &Input<'_>) -> Result<Vec<Check>, Refusal> {
    Ok(vec![input.own(topic_arn(input, "TopicArn")?)])
}

fn resource(input: &Input<'_>) -> Result<Vec<Check>, Refusal> {
    Ok(vec![input.own(topic_arn(input, "ResourceArn")?)])
}

/// A subscription's ARN is its topic's with an id; IAM looks at the topic.
fn subscription(input: &Input<'_>) -> Result<Vec<Check>, Refusal> {
    let mut arn = input.arn("SubscriptionArn")?;
    match arn.resource.rsplit_once(':') {
        Some((topic, id)) if is_name(topic) && !id.is_empty() && arn.account.len() == 12 => {
            arn.resource = topic.to_owned();
            Ok(vec![input.own(CheckResource::Arn(arn.to_string()))])
        }
        _ => Err(Refusal::not_understood(
            place("SubscriptionArn"),
            "it is not a subscription's ARN",
            "name a subscription by its whole ARN",
        )),
    }
}

fn create(input: &Input<'_>) -> Result<Vec<Check>, Refusal> {
    let name = input.required("Name")?;
    if !is_name(name) {
        return Err(Refusal::not_understood(
            place("Name"),
            format!("{} is not a topic's name", Quoted(name)),
            "name a topic by letters, digits, dashes and underscores",
        ));
    }
    let arn = CheckResource::Arn(input.resource(name));
    let mut checks = vec![input.own(arn.clone())];
    let policy = input.nested.iter().any(|(key, value)| key.starts_with("Attributes.") && value == "Policy");
    checks.extend(policy.then(|| input.action("AddPermission", arn.clone())));
    checks.extend(input.has("Tags").then(|| input.action("TagResource", arn.clone())));
    checks.extend(input.has("DataProtectionPolicy").then(|| input.action("PutDataProtectionPolicy", arn)));
    Ok(checks)
}

fn set_attributes(input: &Input<'_>) -> Result<Vec<Check>, Refusal> {
    let arn = topic_arn(input, "TopicArn")?;
    let mut checks = vec![input.own(arn.clone())];
    checks.extend((input.required("AttributeName")? == "Policy").then(|| input.action("AddPermission", arn)));
    Ok(checks)
}

fn subscribe(input: &Input<'_>) -> Result<Vec<Check>, Refusal> {
    let mut check = input.own(topic_arn(input, "TopicArn")?);
    for (key, name) in [("sns:Protocol", "Protocol"), ("sns:Endpoint", "Endpoint")] {
        if let Some(value) = input.optional(name)? {
            check.context.insert(key, value);
        }
    }
    Ok(vec![check])
}

/// Messages go to one of a topic, a platform's endpoint and a telephone number. A batch has the action of the single one.
fn publish(input: &Input<'_>) -> Result<Vec<Check>, Refusal> {
    let given: Vec<&str> =
        ["TopicArn", "TargetArn", "PhoneNumber"].into_iter().filter(|name| input.has(name)).collect();
    let resource = match given.as_slice() {
        ["TopicArn"] => topic_arn(input, "TopicArn")?,
        ["TargetArn"] => {
            let target = input.required("TargetArn")?;
            let arn = names::arn(&place("TargetArn"), target, "sns", input.scope)?;
            if arn.resource.starts_with("endpoint/") {
                CheckResource::Arn(arn.to_string())
            } else {
                topic_arn(input, "TargetArn")?
            }
        }
        ["PhoneNumber"] => CheckResource::Any,
        [] => return Err(missing("TopicArn")),
        _ => {
            return Err(Refusal::not_understood(
                place("TopicArn"),
                "more than one of TopicArn, TargetArn and PhoneNumber is given",
                "send one of them",
            ));
        }
    };
    Ok(vec![input.action("Publish", resource)])
}
