//! The fields of a capability, one by one.

use std::collections::BTreeMap;

use crate::arn::{MAX_ARN_BYTES, is_account, is_label, shorten};
use crate::capability::rule::account_of;
use crate::capability::{ActionPattern, LeadingKeys, OneOrMany, ResourcePattern, ServicePattern};
use crate::pattern::{Template, Variables, Wildcards};
use crate::{Context, Region};

/// The one action of STS that is ever signed for a task.
const CALLER_IDENTITY: &str = "sts:GetCallerIdentity";

/// A field, and what is wrong with it.
pub(super) type Problem = (String, String);

pub(super) fn read_action(text: &str) -> Result<ActionPattern, String> {
    let in_name = |b: u8| b.is_ascii_alphanumeric() || b"*?".contains(&b);
    let well_formed = |service: &str, name: &str| {
        is_label(&service.to_ascii_lowercase()) && !name.is_empty() && name.bytes().all(in_name)
    };
    match text.split_once(':') {
        Some((service, name)) if well_formed(service, name) => {}
        _ => {
            return Err("is not an action of one service, such as `s3:GetObject` or `s3:Get*`".into());
        }
    }
    match service_of(text).as_str() {
        "iam" => Err("is an action of IAM, and those are never granted to a task".into()),
        "sts" if !text.eq_ignore_ascii_case(CALLER_IDENTITY) => {
            Err(format!("is an action of STS, and none but {CALLER_IDENTITY}, in full, is granted to a task"))
        }
        _ => Ok(ActionPattern::new(text)),
    }
}

pub(super) fn read_resource(text: &str, partition: &str) -> Result<ResourcePattern, String> {
    // A capability knows no requester, so a variable would have no value; the three characters have their escapes.
    let template = Template::parse(text, Wildcards::Yes, Variables::Yes)?;
    if let Some(key) = template.keys().next() {
        return Err(format!("holds the policy variable `{key}`, and capabilities have none"));
    }
    let pattern = template.resolve(&Context::new()).map(std::borrow::Cow::into_owned).unwrap_or_default();
    let named = account_of(text).filter(|account| is_account(account)).map(str::to_owned);
    let resource = ResourcePattern { text: text.to_owned(), pattern, account: named };
    if text == "*" {
        return Ok(resource);
    }
    if text.len() > MAX_ARN_BYTES || text.chars().any(char::is_control) {
        return Err("is longer than 2,048 bytes or holds control characters".into());
    }
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    let &["arn", its_partition, service, region, account, rest] = parts.as_slice() else {
        return Err("is neither `*` nor an ARN in full, `arn:partition:service:region:account:resource`".into());
    };
    if its_partition != partition {
        return Err(format!("is not in the task role's partition, `{partition}`"));
    }
    if !is_label(service) {
        return Err("has no service, written out, in its third field".into());
    }
    let in_region = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-*?".contains(&b);
    if !region.bytes().all(in_region) {
        return Err("has no Region in its fourth field; `*` stands for any".into());
    }
    if !account.is_empty() && !is_account(account) {
        return Err("has no account of twelve digits in its fifth field; a wildcard there would reach accounts that \
                    nobody named"
            .into());
    }
    if rest.is_empty() {
        return Err("names no resource in its sixth field".into());
    }
    if service == "s3" && !(region.is_empty() && account.is_empty()) {
        return Err(
            "is not a bucket or an object, such as `arn:aws:s3:::bucket/*`; access points are not supported".into()
        );
    }
    Ok(resource)
}

pub(super) fn read_leading_keys(
    keys: &BTreeMap<String, OneOrMany>,
    resources: &[ResourcePattern],
    raw_resources: &OneOrMany,
) -> Result<LeadingKeys, Problem> {
    let field = "leadingKeys";
    let mut entries = keys.iter();
    let (Some((attribute, values)), None) = (entries.next(), entries.next()) else {
        return Err((field.into(), "does not name exactly one attribute, the table's partition key".into()));
    };
    if attribute.is_empty() {
        return Err((field.into(), "names an attribute without a name".into()));
    }
    for (at, resource) in resources.iter().enumerate() {
        let mut parts = resource.text.splitn(6, ':').skip(2);
        let (service, name) = (parts.next(), parts.nth(2));
        let table = name.and_then(|name| name.strip_prefix("table/"));
        let is_table = |name: &str| name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_.-".contains(&b));
        // A pattern could also match an index, whose partition key is another attribute.
        if service != Some("dynamodb") || !table.is_some_and(is_table) {
            let problem = "is not one table by its name, such as \
                           `arn:aws:dynamodb:us-east-1:123456789012:table/orders`, and leading keys belong to one"
                .to_owned();
            return Err(place("resource", raw_resources, at, problem));
        }
    }
    let field = format!("{field}.{}", shorten(attribute));
    let values = each(&field, values, |value| nonempty(value, "is no key"))?;
    Ok(LeadingKeys { attribute: attribute.clone(), values: sorted(values) })
}

pub(super) fn read_via(text: &str) -> Result<String, String> {
    if is_label(text) {
        Ok(text.to_owned())
    } else {
        Err("is not an AWS service as KMS names it, such as `s3` or `secretsmanager`".into())
    }
}

/// The values of `kms:ViaService`: `s3.us-east-1.amazonaws.com`, with `*` for a Region that nothing tells
/// (<https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html#conditions-kms-via-service>).
pub(super) fn via_services(
    services: &[String],
    regions: &[Region],
    resources: &[ResourcePattern],
    partition: &str,
) -> Vec<ServicePattern> {
    let literal = |region: &&str| !region.is_empty() && !region.contains(['*', '?']);
    let of_arns: Vec<&str> = resources.iter().map(|resource| resource.text.split(':').nth(3).unwrap_or("*")).collect();
    let mut regions: Vec<&str> = if !regions.is_empty() {
        regions.iter().map(Region::as_str).collect()
    } else if of_arns.iter().all(literal) {
        of_arns
    } else {
        vec!["*"]
    };
    regions = sorted(regions);
    // AWS does not say whether the name ends in `.cn` in China. Only AWS sets it, so either may stand.
    let end = if partition == "aws-cn" { "*" } else { "" };
    let name = |service: &String, region: &&str| ServicePattern::new(format!("{service}.{region}.amazonaws.com{end}"));
    services.iter().flat_map(|service| regions.iter().map(move |region| name(service, region))).collect()
}

pub(super) fn optional<T: Ord>(
    field: &str,
    values: Option<&OneOrMany>,
    read: impl Fn(&str) -> Result<T, String>,
) -> Result<Vec<T>, Problem> {
    values.map_or(Ok(Vec::new()), |values| each(field, values, read).map(sorted))
}

pub(super) fn nonempty(text: &str, because: &str) -> Result<String, String> {
    if text.is_empty() { Err(format!("is empty and {because}")) } else { Ok(text.to_owned()) }
}

/// Sorted and each once, so that bounds that mean the same are equal.
pub(super) fn sorted<T: Ord>(mut values: Vec<T>) -> Vec<T> {
    values.sort_unstable();
    values.dedup();
    values
}

/// Every string of a field, read; never none of them.
pub(super) fn each<T>(
    field: &str,
    values: &OneOrMany,
    read: impl Fn(&str) -> Result<T, String>,
) -> Result<Vec<T>, Problem> {
    if values.as_slice().is_empty() {
        return Err((field.into(), "is an empty list".into()));
    }
    let mut read_values = Vec::with_capacity(values.as_slice().len());
    for (at, text) in values.as_slice().iter().enumerate() {
        read_values.push(read(text).map_err(|problem| place(field, values, at, problem))?);
    }
    Ok(read_values)
}

/// A problem of one string of a field.
pub(super) fn place(field: &str, values: &OneOrMany, at: usize, problem: String) -> Problem {
    let field = match values {
        OneOrMany::One(_) => field.to_owned(),
        OneOrMany::Many(_) => format!("{field}[{at}]"),
    };
    // Errors of a type's own quote the text themselves.
    let text = values.as_slice().get(at).map(String::as_str).unwrap_or_default();
    let quoted = format!("`{}`", shorten(text));
    let problem = if problem.starts_with(&quoted) { problem } else { format!("{quoted} {problem}") };
    (field, problem)
}

pub(super) fn service_of(action: &str) -> String {
    action.split(':').next().unwrap_or_default().to_ascii_lowercase()
}
