//! AWS Systems Manager's Parameter Store: JSON 1.1.
//!
//! Only parameters are understood; the rest of Systems Manager (commands, sessions, automation) is refused.
//!
//! Sources: AWS Systems Manager API Reference; "Actions, resources, and condition keys for AWS Systems Manager", Service
//! Authorization Reference; "Restricting access to Parameter Store parameters" (sysman-paramstore-access.html) and
//! "Referencing AWS Secrets Manager secrets from Parameter Store parameters" (integration-ps-secretsmanager.html), User
//! Guide.

use rolebox_policy::{Check, CheckResource};

use crate::api::{Input, Row, Service, on_any, place, rows};
use crate::call::Protocol;
use crate::names;
use crate::refusal::{Quoted, Refusal};
use crate::secretsmanager;

pub(crate) static SERVICE: Service = Service {
    endpoint: "ssm",
    signing_name: "ssm",
    actions: "ssm",
    json: Some(("AmazonSSM", Protocol::Json11)),
    query: None,
    rows: ROWS,
};

const ROWS: &[Row] = rows! {
    AddTagsToResource "ResourceType ResourceId Tags*(Key Value)" => tags;
    DeleteParameter "Name" => one;
    DeleteParameters "Names" => many;
    DescribeParameters "Filters*(Key Values) ParameterFilters*(Key Option Values) MaxResults NextToken Shared" => on_any;
    GetParameter "Name WithDecryption" => one;
    GetParameterHistory "Name WithDecryption MaxResults NextToken" => one;
    GetParameters "Names WithDecryption" => many;
    GetParametersByPath "Path Recursive ParameterFilters*(Key Option Values) WithDecryption MaxResults NextToken" => by_path;
    LabelParameterVersion "Name ParameterVersion Labels" => one;
    ListTagsForResource "ResourceType ResourceId" => tags;
    PutParameter "Name Description Value Type KeyId Overwrite AllowedPattern Tags*(Key Value) Tier Policies DataType" => put;
    RemoveTagsFromResource "ResourceType ResourceId TagKeys" => tags;
    UnlabelParameterVersion "Name ParameterVersion Labels" => one;
};

/// The names of parameters that stand for a secret of Secrets Manager.
const SECRET: &str = "/aws/reference/secretsmanager/";
/// The names of parameters that AWS publishes; their ARNs have no account.
const PUBLIC: &str = "/aws/service/";

/// The permissions that a parameter needs, by its name or ARN, with a version or label after a colon.
fn parameter(input: &Input<'_>, member: &str, given: &str) -> Result<Vec<Check>, Refusal> {
    let refuse = || {
        Refusal::not_understood(
            place(member),
            format!("{} is not a parameter's name or ARN", Quoted(given)),
            "name a parameter by letters, digits and /_.-, or by its ARN",
        )
    };
    let is_name = |name: &str| {
        (1..=1011).contains(&name.len())
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/_.-".contains(&byte))
            && crate::wire::path::no_dot_segments(name).is_ok()
            && !name.contains("//")
    };
    let is_selector = |text: &str| {
        !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte))
    };
    if given.starts_with("arn:") {
        let arn = names::arn(&place(member), given, "ssm", input.scope)?;
        let (resource, selector) =
            arn.resource.split_once(':').map_or((arn.resource.as_str(), None), |(name, rest)| (name, Some(rest)));
        let name = resource.strip_prefix("parameter").filter(|name| name.starts_with('/')).ok_or_else(refuse)?;
        if !is_name(name) || !selector.is_none_or(is_selector) || arn.account.len() != 12 || arn.region.is_empty() {
            return Err(refuse());
        }
        let whole = rolebox_policy::Arn { resource: resource.to_owned(), ..arn.clone() };
        return Ok(vec![input.own(CheckResource::Arn(whole.to_string()))]);
    }
    let (name, selector) = given.split_once(':').map_or((given, None), |(name, rest)| (name, Some(rest)));
    if !is_name(name) || !selector.is_none_or(is_selector) {
        return Err(refuse());
    }
    let path = name.strip_prefix('/').unwrap_or(name);
    if name.starts_with(PUBLIC) {
        let arn = format!("arn:{}:ssm:{}::parameter/{path}", input.scope.partition, input.region);
        return Ok(vec![input.own(CheckResource::Arn(arn))]);
    }
    let mut checks = vec![input.own(CheckResource::Arn(input.resource(&format!("parameter/{path}"))))];
    if let Some(secret) = name.strip_prefix(SECRET) {
        let secret = secretsmanager::secret_of(&place(member), secret, input.region.as_str(), input.scope)?;
        checks.push(Check::new("secretsmanager:GetSecretValue", secret));
    }
    Ok(checks)
}

fn one(input: &Input<'_>) -> Result<Vec<Check>, Refusal> {
    parameter(input, "Name", input.required("Name")?)
}

fn many(input: &Input<'_>) -> Result<Vec<Check>, Refusal> {
    let mut checks = Vec::new();
    for name in input.texts("Names")? {
        checks.extend(parameter(input, "Names", name)?);
    }
    Ok(checks)
}

/// A path gives access to all that lies beneath it, whatever is granted there.
fn by_path(input: &Input<'_>) -> Result<Vec<Check>, Refusal> {
    let path = input.required("Path")?;
    if path == "/" {
        return Ok(vec![input.own(CheckResource::Covering(input.resource("parameter/*")))]);
    }
    let trimmed = path.strip_suffix('/').unwrap_or(path);
    if !trimmed.starts_with('/') || trimmed.contains(':') {
        return Err(Refusal::not_understood(
            place("Path"),
            format!("{} is not a path", Quoted(path)),
            "begin the path with `/`",
        ));
    }
    let mut checks = parameter(input, "Path", trimmed)?;
    let beneath: Vec<Check> =
        checks.iter().map(|check| input.own(CheckResource::Covering(format!("{}/*", check.resource)))).collect();
    checks.extend(beneath);
    Ok(checks)
}

fn put(input: &Input<'_>) -> Result<Vec<Check>, Refusal> {
    let mut checks = one(input)?;
    if input.has("Tags") {
        let tagged: Vec<Check> =
            checks.iter().map(|check| input.action("AddTagsToResource", check.resource.clone())).collect();
        checks.extend(tagged);
    }
    checks.extend(input.key_via("KeyId", &["kms:Encrypt", "kms:GenerateDataKey"])?);
    Ok(checks)
}

/// Tags of parameters alone.
fn tags(input: &Input<'_>) -> Result<Vec<Check>, Refusal> {
    if input.required("ResourceType")? != "Parameter" {
        return Err(Refusal::not_understood(
            place("ResourceType"),
            "it is not Parameter",
            "use the tags of parameters alone",
        ));
    }
    parameter(input, "ResourceId", input.required("ResourceId")?)
}
