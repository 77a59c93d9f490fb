//! Amazon CloudWatch Logs: JSON 1.1.
//!
//! IAM looks at a log group as `log-group:NAME:*`, save for its tags, and at a stream as
//! `log-group:NAME:log-stream:STREAM`.
//!
//! Refused on purpose: deliveries, destinations, subscriptions, exports, policies and everything else that sends logs
//! elsewhere.
//!
//! Sources: Amazon CloudWatch Logs API Reference; "CloudWatch Logs resources" (iam-access-control-overview-cwl.html),
//! User Guide; "Actions, resources, and condition keys for Amazon CloudWatch Logs", Service Authorization Reference.

use rolebox_policy::{Arn, Check, CheckResource};

use crate::api::{Input, Row, Service, missing, on_any, place, rows};
use crate::call::Protocol;
use crate::names;
use crate::refusal::{Quoted, Refusal};

pub(crate) static SERVICE: Service = Service {
    endpoint: "logs",
    signing_name: "logs",
    actions: "logs",
    json: Some(("Logs_20140328", Protocol::Json11)),
    query: None,
    rows: ROWS,
};

const ROWS: &[Row] = rows! {
    CreateLogGroup "logGroupName tags logGroupClass deletionProtectionEnabled" => create_group;
    CreateLogStream "logGroupName logStreamName" => stream;
    DeleteLogGroup "logGroupName" => group;
    DeleteLogStream "logGroupName logStreamName" => stream;
    DeleteMetricFilter "logGroupName filterName" => group;
    DeleteRetentionPolicy "logGroupName" => group;
    DescribeLogGroups "logGroupNamePrefix logGroupNamePattern nextToken limit logGroupClass" => on_any;
    DescribeLogStreams "logGroupName logGroupIdentifier logStreamNamePrefix orderBy descending nextToken limit" => group;
    DescribeMetricFilters "logGroupName filterNamePrefix nextToken limit" => group;
    FilterLogEvents "logGroupName logGroupIdentifier logStreamNames logStreamNamePrefix startTime endTime filterPattern nextToken limit startFromHead interleaved unmask" => reads;
    GetLogEvents "logGroupName logGroupIdentifier logStreamName startTime endTime nextToken limit startFromHead unmask" => reads;
    GetLogGroupFields "logGroupName time logGroupIdentifier" => group;
    GetQueryResults "queryId nextToken maxItems" => query_results;
    ListTagsForResource "resourceArn" => tags;
    PutLogEvents "logGroupName logStreamName logEvents*(timestamp message) sequenceToken entity(keyAttributes attributes)" => stream;
    PutMetricFilter "logGroupName filterName filterPattern metricTransformations*(metricName metricNamespace metricValue defaultValue dimensions unit)" => group;
    PutRetentionPolicy "logGroupName retentionInDays" => group;
    StartQuery "queryLanguage logGroupName logGroupNames logGroupIdentifiers startTime endTime queryString limit" => start_query;
    StopQuery "queryId" => on_any;
    TagResource "resourceArn tags" => tags;
    TestMetricFilter "filterPattern logEventMessages" => on_any;
    UntagResource "resourceArn tagKeys" => tags;
};

fn is_group(name: &str) -> bool {
    (1..=512).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-/.#".contains(&byte))
}

/// The ARN of a log group by its name or its ARN, without the `:*` at its end.
fn group_arn(input: &Input<'_>, member: &str, given: &str) -> Result<String, Refusal> {
    let refuse = || {
        Refusal::not_understood(
            place(member),
            format!("{} is not a log group's name or ARN", Quoted(given)),
            "name a log group by letters, digits and _-/.#, or by its ARN",
        )
    };
    if !given.starts_with("arn:") {
        return if is_group(given) { Ok(input.resource(&format!("log-group:{given}"))) } else { Err(refuse()) };
    }
    let given = given.strip_suffix(":*").unwrap_or(given);
    let arn: Arn = names::arn(&place(member), given, "logs", input.scope)?;
    let whole = arn.account.len() == 12 && !arn.region.is_empty();
    match arn.resource.strip_prefix("log-group:") {
        Some(name) if whole && is_group(name) => Ok(arn.to_string()),
        _ => Err(refuse()),
    }
}

/// The log group that one of two parameters names.
fn group_of(input: &Input<'_>) -> Result<String, Refusal> {
    match (input.optional("logGroupName")?, input.optional("logGroupIdentifier")?) {
        (Some(name), None) if name.starts_with("arn:") => {
            Err(Refusal::not_understood(place("logGroupName"), "it is an ARN", "send it as logGroupIdentifier"))
        }
        (Some(name), None) => group_arn(input, "logGroupName", name),
        (None, Some(id)) => group_arn(input, "logGroupIdentifier", id),
        (None, None) => Err(missing("logGroupName")),
        (Some(_), Some(_)) => Err(Refusal::not_understood(
            place("logGroupName"),
            "logGroupIdentifier is there as well",
            "send one of them",
        )),
    }
}

fn whole_group(arn: &str) -> CheckResource {
    CheckResource::Covering(format!("{arn}:*"))
}

fn group(input: &Input<'_>) -> Result<Vec<Check>, Refusal> {
    Ok(vec![input.own(whole_group(&group_of(input)?))])
}

fn create_group(input: &Input<'_>) -> Result<Vec<Check>, Refusal> {
    let arn = group_of(input)?;
    let mut checks = vec![input.own(whole_group(&arn))];
    checks.extend(input.has("tags").then(|| input.action("TagResource", CheckResource::Arn(arn))));
    Ok(checks)
}

/// The ARN of a stream. Its name may hold anything but `:` and `*`.
fn stream_arn(input: &Input<'_>) -> Result<CheckResource, Refusal> {
    let name = input.required("logStreamName")?;
    if name.len() > 512 || name.contains([':', '*']) || name.chars().any(char::is_control) {
        return Err(Refusal::not_understood(
            place("logStreamName"),
            format!("{} is not a log stream's name", Quoted(name)),
            "name a log stream without `:`, `*` and control characters",
        ));
    }
    Ok(CheckResource::Arn(format!("{}:log-stream:{name}", group_of(input)?)))
}

fn stream(input: &Input<'_>) -> Result<Vec<Check>, Refusal> {
    Ok(vec![input.own(stream_arn(input)?)])
}

/// Reading events, from a stream or a whole group. Unmasking what a data protection policy hides has its own action.
fn reads(input: &Input<'_>) -> Result<Vec<Check>, Refusal> {
    let group = whole_group(&group_of(input)?);
    let from = if input.name == "GetLogEvents" { stream_arn(input)? } else { group.clone() };
    let mut checks = vec![input.own(from)];
    checks.extend(input.has("unmask").then(|| input.action("Unmask", group)));
    Ok(checks)
}

/// A query reads every group that it names. Its text could name more (`SOURCE`), which is only understood in part.
fn start_query(input: &Input<'_>) -> Result<Vec<Check>, Refusal> {
    let language = input.optional("queryLanguage")?.unwrap_or("CWLI");
    let text = input.required("queryString")?;
    if language != "CWLI"
        || text.to_ascii_lowercase().contains("source")
        || text.to_ascii_lowercase().contains("unmask")
    {
        return Err(Refusal::not_understood(
            place("queryString"),
            "the query could name log groups of its own, or unmask what they hide",
            "write it in CWLI, without SOURCE and unmask, and name the groups in logGroupNames",
        ));
    }
    let mut groups: Vec<(&str, &str)> = Vec::new();
    groups.extend(input.optional("logGroupName")?.map(|name| ("logGroupName", name)));
    groups.extend(input.texts("logGroupNames")?.into_iter().map(|name| ("logGroupNames", name)));
    groups.extend(input.texts("logGroupIdentifiers")?.into_iter().map(|name| ("logGroupIdentifiers", name)));
    groups.into_iter().map(|(member, name)| Ok(input.own(whole_group(&group_arn(input, member, name)?)))).collect()
}

/// A query's id hides the groups that it has read.
fn query_results(input: &Input<'_>) -> Result<Vec<Check>, Refusal> {
    Ok(vec![input.own(CheckResource::Covering(input.resource("log-group:*")))])
}

fn tags(input: &Input<'_>) -> Result<Vec<Check>, Refusal> {
    let arn = group_arn(input, "resourceArn", input.required("resourceArn")?)?;
    Ok(vec![input.own(CheckResource::Arn(arn))])
}
