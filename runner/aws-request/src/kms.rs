//! AWS KMS: JSON 1.1.
//!
//! A key is named by its id or ARN; an alias may stand for any key of its account and Region, and Decrypt may name no
//! key at all. What hides the key is allowed only by a capability that covers every key.
//!
//! Refused on purpose: custom key stores, keys in several Regions, and policies in CreateKey.
//!
//! Sources: AWS KMS API Reference; "AWS KMS permissions" (kms-api-permissions-reference.html), Developer Guide.

use rolebox_policy::{Check, CheckResource};

use crate::api::{Input, Row, Service, on_any, place, rows};
use crate::call::Protocol;
use crate::names;
use crate::refusal::{Quoted, Refusal};
use crate::wire::json::Json;

pub(crate) static SERVICE: Service = Service {
    endpoint: "kms",
    signing_name: "kms",
    actions: "kms",
    json: Some(("TrentService", Protocol::Json11)),
    query: None,
    rows: ROWS,
};

const ROWS: &[Row] = rows! {
    CancelKeyDeletion "KeyId" => key;
    CreateAlias "AliasName TargetKeyId" => alias;
    CreateGrant "KeyId GranteePrincipal RetiringPrincipal Operations Constraints(EncryptionContextSubset EncryptionContextEquals SourceArn) GrantTokens Name DryRun" => key;
    CreateKey "Description KeyUsage CustomerMasterKeySpec KeySpec Origin Tags*(TagKey TagValue)" => create;
    Decrypt "CiphertextBlob EncryptionContext GrantTokens KeyId EncryptionAlgorithm DryRun" => key_or_any;
    DeriveSharedSecret "KeyId KeyAgreementAlgorithm PublicKey GrantTokens DryRun" => key;
    DeleteAlias "AliasName" => alias;
    DescribeKey "KeyId GrantTokens" => key;
    DisableKey "KeyId" => key;
    DisableKeyRotation "KeyId" => key;
    EnableKey "KeyId" => key;
    EnableKeyRotation "KeyId RotationPeriodInDays" => key;
    Encrypt "KeyId Plaintext EncryptionContext GrantTokens EncryptionAlgorithm DryRun" => key;
    GenerateDataKey "KeyId EncryptionContext NumberOfBytes KeySpec GrantTokens DryRun" => key;
    GenerateDataKeyPair "EncryptionContext KeyId KeyPairSpec GrantTokens DryRun" => key;
    GenerateDataKeyPairWithoutPlaintext "EncryptionContext KeyId KeyPairSpec GrantTokens DryRun" => key;
    GenerateDataKeyWithoutPlaintext "KeyId EncryptionContext KeySpec NumberOfBytes GrantTokens DryRun" => key;
    GenerateMac "Message KeyId MacAlgorithm GrantTokens DryRun" => key;
    GenerateRandom "NumberOfBytes" => on_any;
    GetKeyPolicy "KeyId PolicyName" => key;
    GetKeyRotationStatus "KeyId" => key;
    GetParametersForImport "KeyId WrappingAlgorithm WrappingKeySpec" => key;
    GetPublicKey "KeyId GrantTokens" => key;
    ListAliases "KeyId Limit Marker" => on_any;
    ListGrants "Limit Marker KeyId GrantId GranteePrincipal" => key;
    ListKeyPolicies "KeyId Limit Marker" => key;
    ListKeyRotations "KeyId IncludeKeyMaterial Limit Marker" => key;
    ListKeys "Limit Marker" => on_any;
    ListResourceTags "KeyId Limit Marker" => key;
    ListRetirableGrants "Limit Marker RetiringPrincipal" => on_any;
    PutKeyPolicy "KeyId PolicyName Policy BypassPolicyLockoutSafetyCheck" => key;
    ReEncrypt "CiphertextBlob SourceEncryptionContext SourceKeyId DestinationKeyId DestinationEncryptionContext SourceEncryptionAlgorithm DestinationEncryptionAlgorithm GrantTokens DryRun" => re_encrypt;
    RetireGrant "GrantToken KeyId GrantId DryRun" => key_or_any;
    RevokeGrant "KeyId GrantId DryRun" => key;
    RotateKeyOnDemand "KeyId" => key;
    ScheduleKeyDeletion "KeyId PendingWindowInDays" => key;
    Sign "KeyId Message MessageType GrantTokens SigningAlgorithm DryRun" => key;
    TagResource "KeyId Tags*(TagKey TagValue)" => key;
    UntagResource "KeyId TagKeys" => key;
    UpdateAlias "AliasName TargetKeyId" => alias;
    UpdateKeyDescription "KeyId Description" => key;
    Verify "KeyId Message MessageType Signature SigningAlgorithm GrantTokens DryRun" => key;
    VerifyMac "Message KeyId MacAlgorithm Mac GrantTokens DryRun" => key;
};

fn key_in(input: &Input<'_>, name: &str) -> Result<CheckResource, Refusal> {
    names::kms_key(&place(name), input.required(name)?, input.region.as_str(), input.scope)
}

fn key(input: &Input<'_>) -> Result<Vec<Check>, Refusal> {
    context(input.own(key_in(input, "KeyId")?), input, "EncryptionContext").map(|check| vec![check])
}

/// Without a key id the ciphertext or the grant says which key is used, and only KMS can read it.
fn key_or_any(input: &Input<'_>) -> Result<Vec<Check>, Refusal> {
    if input.has("KeyId") {
        return key(input);
    }
    let every = CheckResource::Covering(input.resource("key/*"));
    context(input.own(every), input, "EncryptionContext").map(|check| vec![check])
}

fn re_encrypt(input: &Input<'_>) -> Result<Vec<Check>, Refusal> {
    let from = match input.has("SourceKeyId") {
        true => key_in(input, "SourceKeyId")?,
        false => CheckResource::Covering(input.resource("key/*")),
    };
    let to = key_in(input, "DestinationKeyId")?;
    Ok(vec![
        context(input.action("ReEncryptFrom", from), input, "SourceEncryptionContext")?,
        context(input.action("ReEncryptTo", to), input, "DestinationEncryptionContext")?,
    ])
}

/// An alias needs the permission on itself and on the key that it stands for, before or after.
fn alias(input: &Input<'_>) -> Result<Vec<Check>, Refusal> {
    let name = input.required("AliasName")?;
    let plain = |name: &str| !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"/_-".contains(&b));
    if name.len() > 256 || !name.strip_prefix("alias/").is_some_and(plain) {
        return Err(Refusal::not_understood(
            place("AliasName"),
            format!("{} is not an alias", Quoted(name)),
            "name an alias as alias/NAME",
        ));
    }
    let mut checks = vec![input.own(CheckResource::Arn(input.resource(name)))];
    if input.name != "DeleteAlias" {
        checks.push(input.own(key_in(input, "TargetKeyId")?));
    }
    if input.name != "CreateAlias" {
        checks.push(input.own(CheckResource::Covering(input.resource("key/*"))));
    }
    Ok(checks)
}

fn create(input: &Input<'_>) -> Result<Vec<Check>, Refusal> {
    let mut checks = vec![input.own(CheckResource::Any)];
    checks.extend(input.has("Tags").then(|| input.action("TagResource", CheckResource::Any)));
    Ok(checks)
}

/// Adds the encryption context to a check's conditions.
fn context(mut check: Check, input: &Input<'_>, name: &str) -> Result<Check, Refusal> {
    let Some(pairs) = input.body.object(name)? else {
        return Ok(check);
    };
    for (key, value) in pairs.members() {
        if let Json::Text(value) = value {
            check.context.insert(format!("kms:EncryptionContext:{key}"), value.as_str());
        }
    }
    check.context.insert_all("kms:EncryptionContextKeys", pairs.members().iter().map(|(key, _)| key.as_str()));
    Ok(check)
}
