//! Amazon ECR: JSON 1.1. Its answers to GetAuthorizationToken and GetDownloadUrlForLayer are credentials and presigned
//! URLs: only their full names grant them.
//!
//! Refused on purpose: settings of the whole registry (replication, scanning, pull-through caches, templates, policies).
//!
//! Sources: Amazon ECR API Reference; "Actions, resources, and condition keys for Amazon Elastic Container Registry",
//! Service Authorization Reference.

use rolebox_policy::{AccountId, Check, CheckResource};

use crate::api::{Input, Row, Service, on_any, place, rows};
use crate::call::Protocol;
use crate::refusal::{Quoted, Refusal};

pub(crate) static SERVICE: Service = Service {
    endpoint: "api.ecr",
    signing_name: "ecr",
    actions: "ecr",
    json: Some(("AmazonEC2ContainerRegistry_V20150921", Protocol::Json11)),
    query: None,
    rows: ROWS,
};

const ROWS: &[Row] = rows! {
    BatchCheckLayerAvailability "registryId repositoryName layerDigests" => repository;
    BatchDeleteImage "registryId repositoryName imageIds*(imageDigest imageTag)" => repository;
    BatchGetImage "registryId repositoryName imageIds*(imageDigest imageTag) acceptedMediaTypes" => repository;
    CompleteLayerUpload "registryId repositoryName uploadId layerDigests" => repository;
    CreateRepository "registryId repositoryName tags*(Key Value) imageTagMutability imageScanningConfiguration(scanOnPush) encryptionConfiguration(encryptionType)" => create;
    DeleteLifecyclePolicy "registryId repositoryName" => repository;
    DeleteRepository "registryId repositoryName force" => repository;
    DeleteRepositoryPolicy "registryId repositoryName" => repository;
    DescribeImageScanFindings "registryId repositoryName imageId(imageDigest imageTag) nextToken maxResults" => repository;
    DescribeImages "registryId repositoryName imageIds*(imageDigest imageTag) nextToken maxResults filter(tagStatus imageStatus)" => repository;
    DescribeRegistry "" => on_any;
    DescribeRepositories "registryId repositoryNames nextToken maxResults" => repositories;
    GetAuthorizationToken "registryIds" => on_any;
    GetDownloadUrlForLayer "registryId repositoryName layerDigest" => repository;
    GetLifecyclePolicy "registryId repositoryName" => repository;
    GetRepositoryPolicy "registryId repositoryName" => repository;
    InitiateLayerUpload "registryId repositoryName" => repository;
    ListImages "registryId repositoryName nextToken maxResults filter(tagStatus imageStatus)" => repository;
    ListTagsForResource "resourceArn" => tags;
    PutImage "registryId repositoryName imageManifest imageManifestMediaType imageTag imageDigest" => repository;
    PutImageScanningConfiguration "registryId repositoryName imageScanningConfiguration(scanOnPush)" => repository;
    PutImageTagMutability "registryId repositoryName imageTagMutability" => repository;
    PutLifecyclePolicy "registryId repositoryName lifecyclePolicyText" => repository;
    SetRepositoryPolicy "registryId repositoryName policyText force" => repository;
    StartImageScan "registryId repositoryName imageId(imageDigest imageTag)" => repository;
    TagResource "resourceArn tags*(Key Value)" => tags;
    UntagResource "resourceArn tagKeys" => tags;
    UploadLayerPart "registryId repositoryName uploadId partFirstByte partLastByte layerPartBlob" => repository;
};

/// Lower-case words between slashes, as Docker has them.
fn is_name(name: &str) -> bool {
    let word = |word: &str| {
        word.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric())
            && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"._-".contains(&byte))
    };
    (2..=256).contains(&name.len()) && name.split('/').all(word)
}

fn arn(input: &Input<'_>, member: &str, name: &str) -> Result<CheckResource, Refusal> {
    if !is_name(name) {
        return Err(Refusal::not_understood(
            place(member),
            format!("{} is not a repository's name", Quoted(name)),
            "name a repository by lower-case words between slashes",
        ));
    }
    let registry: AccountId = match input.optional("registryId")? {
        None => input.scope.account.clone(),
        Some(id) => id.parse().map_err(|_| {
            Refusal::not_understood(place("registryId"), "it is not an account's twelve digits", "name an account")
        })?,
    };
    let (partition, region) = (&input.scope.partition, input.region);
    Ok(CheckResource::Arn(format!("arn:{partition}:ecr:{region}:{registry}:repository/{name}")))
}

fn repository(input: &Input<'_>) -> Result<Vec<Check>, Refusal> {
    Ok(vec![input.own(arn(input, "repositoryName", input.required("repositoryName")?)?)])
}

fn create(input: &Input<'_>) -> Result<Vec<Check>, Refusal> {
    let mut checks = repository(input)?;
    if let (true, Some(check)) = (input.has("tags"), checks.first()) {
        checks.push(input.action("TagResource", check.resource.clone()));
    }
    Ok(checks)
}

/// Each repository that is named, or all of a registry.
fn repositories(input: &Input<'_>) -> Result<Vec<Check>, Refusal> {
    let names = input.texts("repositoryNames")?;
    if names.is_empty() {
        return on_any(input);
    }
    names.into_iter().map(|name| Ok(input.own(arn(input, "repositoryNames", name)?))).collect()
}

fn tags(input: &Input<'_>) -> Result<Vec<Check>, Refusal> {
    let arn = input.arn("resourceArn")?;
    let name = arn.resource.strip_prefix("repository/").filter(|name| is_name(name));
    if name.is_none() || arn.account.len() != 12 || arn.region.is_empty() {
        return Err(Refusal::not_understood(
            place("resourceArn"),
            "it is not a repository's ARN",
            "name a repository by its whole ARN",
        ));
    }
    Ok(vec![input.own(CheckResource::Arn(arn.to_string()))])
}
