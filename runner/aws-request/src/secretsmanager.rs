//! AWS Secrets Manager: JSON 1.1.
//!
//! A secret's ARN ends in six random characters. A secret that is named by its name, or by an ARN without them, can be
//! any of those, so only a capability that covers them all allows the call.
//!
//! Refused on purpose: replication to other Regions and accounts, and rotation by a managed service.
//!
//! Sources: AWS Secrets Manager API Reference; "Actions, resources, and condition keys for AWS Secrets Manager", Service
//! Authorization Reference; "Secrets Manager ARN" (reference_iam-permissions.html), User Guide.

use rolebox_policy::{Check, CheckResource};

use crate::api::{Input, Row, Service, on_any, place, rows};
use crate::call::{CallerScope, Protocol};
use crate::names;
use crate::refusal::{Quoted, Refusal};

pub(crate) static SERVICE: Service = Service {
    endpoint: "secretsmanager",
    signing_name: "secretsmanager",
    actions: "secretsmanager",
    json: Some(("secretsmanager", Protocol::Json11)),
    query: None,
    rows: ROWS,
};

const ROWS: &[Row] = rows! {
    BatchGetSecretValue "SecretIdList Filters*(Key Values) MaxResults NextToken" => batch;
    CancelRotateSecret "SecretId" => secret;
    CreateSecret "Name ClientRequestToken Description KmsKeyId SecretBinary SecretString Tags*(Key Value)" => create;
    DeleteResourcePolicy "SecretId" => secret;
    DeleteSecret "SecretId RecoveryWindowInDays ForceDeleteWithoutRecovery" => secret;
    DescribeSecret "SecretId" => secret;
    GetRandomPassword "PasswordLength ExcludeCharacters ExcludeNumbers ExcludePunctuation ExcludeUppercase ExcludeLowercase IncludeSpace RequireEachIncludedType" => on_any;
    GetResourcePolicy "SecretId" => secret;
    GetSecretValue "SecretId VersionId VersionStage" => secret;
    ListSecretVersionIds "SecretId MaxResults NextToken IncludeDeprecated" => secret;
    ListSecrets "IncludePlannedDeletion MaxResults NextToken Filters*(Key Values) SortOrder SortBy" => on_any;
    PutResourcePolicy "SecretId ResourcePolicy BlockPublicPolicy" => secret;
    PutSecretValue "SecretId ClientRequestToken SecretBinary SecretString VersionStages" => secret;
    RestoreSecret "SecretId" => secret;
    RotateSecret "SecretId ClientRequestToken RotationLambdaARN RotationRules(AutomaticallyAfterDays Duration ScheduleExpression) RotateImmediately" => rotate;
    TagResource "SecretId Tags*(Key Value)" => secret;
    UntagResource "SecretId TagKeys" => secret;
    UpdateSecret "SecretId ClientRequestToken Description KmsKeyId SecretBinary SecretString" => update;
    UpdateSecretVersionStage "SecretId VersionStage RemoveFromVersionId MoveToVersionId" => secret;
    ValidateResourcePolicy "SecretId ResourcePolicy" => validate;
};

/// The KMS actions that a secret under a key of the customer's needs.
///
/// Source: "Secret encryption and decryption in AWS Secrets Manager", User Guide (security-encryption.html).
const KEY_ACTIONS: &[&str] = &["kms:GenerateDataKey", "kms:Decrypt"];

/// The secrets that an identifier can mean.
pub(crate) fn secret_of(place: &str, id: &str, region: &str, scope: &CallerScope) -> Result<CheckResource, Refusal> {
    let is_name = |name: &str| {
        (1..=512).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"/_+=.@-".contains(&b))
    };
    let refuse = || {
        Refusal::not_understood(
            place,
            format!("{} is not a secret's name or ARN", Quoted(id)),
            "name a secret by letters, digits and /_+=.@-, or by its ARN",
        )
    };
    if !id.starts_with("arn:") {
        let arn = names::own("secretsmanager", region, &format!("secret:{id}-??????"), scope);
        return if is_name(id) { Ok(CheckResource::Covering(arn)) } else { Err(refuse()) };
    }
    let arn = names::arn(place, id, "secretsmanager", scope)?;
    let name = arn.resource.strip_prefix("secret:").filter(|name| is_name(name)).ok_or_else(refuse)?;
    if arn.account.len() != 12 || arn.region.is_empty() {
        return Err(refuse());
    }
    let whole = name.rsplit_once('-').is_some_and(|(name, end)| {
        !name.is_empty() && end.len() == 6 && end.bytes().all(|byte| byte.is_ascii_alphanumeric())
    });
    Ok(if whole { CheckResource::Arn(arn.to_string()) } else { CheckResource::Covering(format!("{arn}-??????")) })
}

fn secret_in(input: &Input<'_>, name: &str) -> Result<CheckResource, Refusal> {
    secret_of(&place(name), input.required(name)?, input.region.as_str(), input.scope)
}

fn secret(input: &Input<'_>) -> Result<Vec<Check>, Refusal> {
    Ok(vec![input.own(secret_in(input, "SecretId")?)])
}

/// The batch has an action without a resource, and reads each secret besides. Filters can find any.
fn batch(input: &Input<'_>) -> Result<Vec<Check>, Refusal> {
    let mut checks = vec![input.own(CheckResource::Any)];
    let ids = input.texts("SecretIdList")?;
    for id in &ids {
        let secret = secret_of(&place("SecretIdList"), id, input.region.as_str(), input.scope)?;
        checks.push(input.action("GetSecretValue", secret));
    }
    if ids.is_empty() || input.has("Filters") {
        let every = CheckResource::Covering(input.resource("secret:*"));
        checks.push(input.action("ListSecrets", CheckResource::Any));
        checks.push(input.action("GetSecretValue", every));
    }
    Ok(checks)
}

fn create(input: &Input<'_>) -> Result<Vec<Check>, Refusal> {
    let name = input.required("Name")?;
    if name.starts_with("arn:") {
        return Err(Refusal::not_understood(place("Name"), "it is an ARN", "name the secret by its name"));
    }
    let resource = secret_in(input, "Name")?;
    let mut checks = vec![input.own(resource.clone())];
    checks.extend(input.has("Tags").then(|| input.action("TagResource", resource)));
    checks.extend(input.key_via("KmsKeyId", KEY_ACTIONS)?);
    Ok(checks)
}

fn update(input: &Input<'_>) -> Result<Vec<Check>, Refusal> {
    let mut checks = secret(input)?;
    checks.extend(input.key_via("KmsKeyId", KEY_ACTIONS)?);
    Ok(checks)
}

/// Rotation runs a function in the caller's name.
fn rotate(input: &Input<'_>) -> Result<Vec<Check>, Refusal> {
    let mut checks = secret(input)?;
    if let Some(function) = input.optional("RotationLambdaARN")? {
        let arn = names::arn(&place("RotationLambdaARN"), function, "lambda", input.scope)?;
        checks.push(Check::new("lambda:InvokeFunction", CheckResource::Arn(arn.to_string())));
    }
    Ok(checks)
}

/// A policy may be tried out without a secret.
fn validate(input: &Input<'_>) -> Result<Vec<Check>, Refusal> {
    if input.has("SecretId") { secret(input) } else { on_any(input) }
}
