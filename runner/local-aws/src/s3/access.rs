//! May the caller do this? Asked once s3s knows the operation, before the body is read.

use http::{HeaderMap, Uri};
use rolebox_policy::Context;
use s3s::access::{S3Access, S3AccessContext};
use s3s::dto::{self, CopySource, CreateBucketInput, DeleteObjectsInput};
use s3s::path::S3Path;
use s3s::{S3Error, S3Request, S3Result, s3_error};

use super::Caller;
use super::operations::{self, CONTEXT_HEADERS, LIST_CONTEXT, Level, Operation, WIDENINGS, matches};
use crate::ACCOUNT;
use crate::sigv4::Target;
use crate::store::Store;

/// The keys of a DeleteObjects that the caller may not delete. S3 answers them one by one in a response of status 200.
#[derive(Clone, Debug, Default)]
pub(crate) struct DeniedKeys(pub(crate) Vec<dto::Error>);

/// Decides by operation, policies and the owners of buckets.
#[derive(Debug)]
pub(super) struct Access {
    pub(super) store: Store,
}

#[async_trait::async_trait]
impl S3Access for Access {
    async fn check(&self, cx: &mut S3AccessContext<'_>) -> S3Result<()> {
        let name = cx.s3_op().name().to_owned();
        let Some(caller) = cx.extensions_mut().get::<Caller>().cloned() else {
            return Err(s3_error!(AccessDenied, "Access Denied"));
        };
        caller.record.set_operation(&name);
        let Some(operation) = operations::find(&name) else {
            return Err(s3_error!(
                AccessDenied,
                "User: {} is not authorized to perform the operation {name}, which the embedded S3 does not have",
                caller.principal.arn
            ));
        };
        self.check_operation(operation, &caller, cx.s3_path(), cx.uri(), cx.headers())
    }

    async fn create_bucket(&self, req: &mut S3Request<CreateBucketInput>) -> S3Result<()> {
        let Some(configuration) = &req.input.create_bucket_configuration else {
            return Ok(());
        };
        if configuration.location_constraint.is_some() {
            return Err(s3_error!(
                IllegalLocationConstraintException,
                "The specified location constraint is incompatible for the region specific endpoint this request was sent to."
            ));
        }
        if configuration.bucket.is_some() || configuration.location.is_some() {
            return Err(s3_error!(NotImplemented, "Directory buckets are not implemented"));
        }
        Ok(())
    }

    async fn delete_objects(&self, req: &mut S3Request<DeleteObjectsInput>) -> S3Result<()> {
        let Some(caller) = req.extensions.get::<Caller>().cloned() else {
            return Err(s3_error!(AccessDenied, "Access Denied"));
        };
        let bypass = req.headers.contains_key("x-amz-bypass-governance-retention");
        let bucket = req.input.bucket.clone();
        let context = self.context(&caller, Some(&bucket), &req.headers);
        let objects = std::mem::take(&mut req.input.delete.objects);
        if objects.len() > 1_000 {
            return Err(s3_error!(MalformedXML, "A request names at most 1000 keys"));
        }
        let mut denied = DeniedKeys::default();
        for object in objects {
            let arn = object_arn(&bucket, &object.key);
            let mut context = context.clone();
            let action = match &object.version_id {
                None => "s3:DeleteObject",
                Some(version) => {
                    context.insert("s3:VersionId", version.clone());
                    "s3:DeleteObjectVersion"
                }
            };
            let actions = [Some(action), bypass.then_some("s3:BypassGovernanceRetention")];
            let mut checks = actions.into_iter().flatten();
            let result = checks
                .try_for_each(|action| self.authorize(&caller, action, &arn, &context))
                .and_then(|()| only_null_version(object.version_id.as_deref()))
                .and_then(|()| only_plain_delete(&object));
            match result {
                Ok(()) => req.input.delete.objects.push(object),
                Err(error) => denied.0.push(dto::Error {
                    code: Some(error.code().as_str().into()),
                    key: Some(object.key),
                    message: error.message().map(Into::into),
                    version_id: object.version_id,
                }),
            }
        }
        req.extensions.insert(denied);
        Ok(())
    }
}

impl Access {
    fn check_operation(
        &self,
        operation: &Operation,
        caller: &Caller,
        path: &S3Path,
        uri: &Uri,
        headers: &HeaderMap,
    ) -> S3Result<()> {
        // Read before, when the signature was checked, so this can't fail.
        let target = Target::parse(uri).map_err(|_| s3_error!(InvalidURI, "Couldn't parse the specified URI."))?;
        check_query(operation, &target)?;
        check_headers(operation, headers)?;

        let (bucket, key) = (path.get_bucket_name(), path.get_object_key());
        let arn = match (operation.level, bucket, key) {
            (Level::Account, None, None) => "arn:aws:s3:::*".to_owned(),
            (Level::Bucket, Some(bucket), None) => format!("arn:aws:s3:::{bucket}"),
            (Level::Object, Some(bucket), Some(key)) => object_arn(bucket, key),
            _ => {
                return Err(s3_error!(MethodNotAllowed, "The specified method is not allowed against this resource."));
            }
        };
        if let Some(bucket) = bucket {
            self.check_owner(bucket, headers, "x-amz-expected-bucket-owner")?;
        }

        let mut context = self.context(caller, bucket, headers);
        let version = target.query_value("versionId");
        if let Some(version) = version {
            context.insert("s3:VersionId", version);
        }
        if operation.action == "s3:ListBucket" {
            for name in LIST_CONTEXT {
                if let Some(value) = target.query_value(name) {
                    context.insert(format!("s3:{name}"), value);
                }
            }
        }
        if operation.name == "DeleteObjects" {
            // Every key of the body has a check of its own. That the bucket lets the caller in at all is known now.
            return bucket.map_or(Ok(()), |bucket| self.check_membership(caller, bucket));
        }
        let action = version.and(operation.version_action).unwrap_or(operation.action);
        self.authorize(caller, action, &arn, &context)?;
        for (action, arn) in widened(operation, headers, &arn) {
            self.authorize(caller, action, &arn, &context)?;
        }
        if let Some(source) = headers.get("x-amz-copy-source") {
            self.check_source(caller, source.to_str().unwrap_or_default(), headers)?;
        }
        if let (Some(bucket), Some(key)) = (bucket, key) {
            self.hide_absence(operation, caller, bucket, key, headers)?;
        }
        only_null_version(version)?;
        check_supported(headers)
    }

    /// What policies can look at. An account owns the bucket also where the bucket does not exist: a caller that may use
    /// it learns from the store that there is none, and any other caller learns nothing.
    fn context(&self, caller: &Caller, bucket: Option<&str>, headers: &HeaderMap) -> Context {
        let mut context = caller.context.clone();
        context.insert("s3:authType", "REST-HEADER");
        context.insert("s3:signatureversion", "AWS4-HMAC-SHA256");
        for name in CONTEXT_HEADERS {
            if let Some(value) = headers.get(*name).and_then(|value| value.to_str().ok()) {
                context.insert(format!("s3:{name}"), value);
            }
        }
        if let Some(bucket) = bucket {
            let owner = self.owner(bucket);
            context.insert("aws:ResourceAccount", owner.clone());
            context.insert("s3:ResourceAccount", owner);
        }
        context
    }

    fn owner(&self, bucket: &str) -> String {
        self.store.ownership(bucket).map_or_else(|| ACCOUNT.into(), |ownership| ownership.owner)
    }

    /// A bucket of another account must let the caller in as well.
    fn check_membership(&self, caller: &Caller, bucket: &str) -> S3Result<()> {
        match self.store.ownership(bucket) {
            Some(ownership) if ownership.owner != ACCOUNT && !ownership.open_to_the_world => Err(s3_error!(
                AccessDenied,
                "Access Denied: {} is not let in by the bucket's owner",
                caller.principal.arn
            )),
            _ => Ok(()),
        }
    }

    fn authorize(&self, caller: &Caller, action: &str, arn: &str, context: &Context) -> S3Result<()> {
        // Only CreateBucket needs no look at an owner: the name is free, or the store says that it is not.
        if action != "s3:CreateBucket"
            && let Some(bucket) = arn.strip_prefix("arn:aws:s3:::").and_then(|rest| rest.split('/').next())
        {
            self.check_membership(caller, bucket)?;
        }
        caller.principal.authorize(action, arn, context).map_err(|reason| {
            s3_error!(
                AccessDenied,
                "User: {} is not authorized to perform: {action} on resource: \"{arn}\" {}",
                caller.principal.arn,
                reason.describe(action)
            )
        })
    }

    /// The header names the account that the caller takes for the bucket's owner.
    fn check_owner(&self, bucket: &str, headers: &HeaderMap, header: &str) -> S3Result<()> {
        let Some(expected) = headers.get(header) else {
            return Ok(());
        };
        let expected = expected.as_bytes();
        if expected.len() != 12 || !expected.iter().all(u8::is_ascii_digit) {
            return Err(s3_error!(
                InvalidBucketOwnerAWSAccountID,
                "The value of the expected bucket owner parameter must be an AWS Account ID"
            ));
        }
        match self.store.ownership(bucket) {
            Some(ownership) if ownership.owner.as_bytes() != expected => Err(s3_error!(AccessDenied, "Access Denied")),
            _ => Ok(()),
        }
    }

    /// A copy reads its source as well.
    fn check_source(&self, caller: &Caller, header: &str, headers: &HeaderMap) -> S3Result<()> {
        let invalid =
            || s3_error!(InvalidArgument, "Copy Source must mention the source bucket and key: sourcebucket/sourcekey");
        // Read by the same parser as s3s reads it for the copy itself.
        let CopySource::Bucket { bucket, key, version_id } = CopySource::parse(header).map_err(|_| invalid())? else {
            return Err(s3_error!(NotImplemented, "A copy source that is not a bucket is not implemented"));
        };
        if key.is_empty() {
            return Err(invalid());
        }
        self.check_owner(&bucket, headers, "x-amz-source-expected-bucket-owner")?;
        let mut context = self.context(caller, Some(&bucket), headers);
        let action = match &version_id {
            None => "s3:GetObject",
            Some(version) => {
                context.insert("s3:VersionId", version.to_string());
                "s3:GetObjectVersion"
            }
        };
        self.authorize(caller, action, &object_arn(&bucket, &key), &context)?;
        self.hide(caller, &bucket, &key, headers)?;
        only_null_version(version_id.as_deref())
    }

    /// Whether a key exists is only for callers that may list the bucket
    /// (<https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html>).
    fn hide_absence(
        &self,
        operation: &Operation,
        caller: &Caller,
        bucket: &str,
        key: &str,
        headers: &HeaderMap,
    ) -> S3Result<()> {
        if matches!(operation.name, "GetObject" | "HeadObject") {
            self.hide(caller, bucket, key, headers)
        } else {
            Ok(())
        }
    }

    fn hide(&self, caller: &Caller, bucket: &str, key: &str, headers: &HeaderMap) -> S3Result<()> {
        if self.store.has_object(bucket, key) || self.store.ownership(bucket).is_none() {
            return Ok(());
        }
        let context = self.context(caller, Some(bucket), headers);
        self.authorize(caller, "s3:ListBucket", &format!("arn:aws:s3:::{bucket}"), &context)
    }
}

fn object_arn(bucket: &str, key: &str) -> String {
    format!("arn:aws:s3:::{bucket}/{key}")
}

fn check_query(operation: &Operation, target: &Target) -> S3Result<()> {
    for (name, value) in &target.query {
        let known = match name.as_str() {
            "x-id" => value == operation.name,
            name => operation.query.contains(&name),
        };
        if !known {
            return Err(s3_error!(
                NotImplemented,
                "The embedded S3 does not know the query parameter {name} of {}",
                operation.name
            ));
        }
    }
    Ok(())
}

fn check_headers(operation: &Operation, headers: &HeaderMap) -> S3Result<()> {
    let unknown =
        headers.keys().find(|name| name.as_str().starts_with("x-amz-") && !operation.takes_header(name.as_str()));
    match unknown {
        None => Ok(()),
        Some(name) => Err(not_implemented(name.as_str())),
    }
}

/// Everything that headers add to what an operation needs.
fn widened(operation: &Operation, headers: &HeaderMap, arn: &str) -> Vec<(&'static str, String)> {
    let mut needed = Vec::new();
    for widening in WIDENINGS {
        if headers.keys().any(|name| matches(widening.header, name.as_str())) {
            let actions = match operation.level {
                Level::Object => widening.object_actions,
                Level::Bucket | Level::Account => widening.bucket_actions,
            };
            needed.extend(actions.iter().map(|action| (*action, arn.to_owned())));
        }
    }
    if let Some(key) = headers.get("x-amz-server-side-encryption-aws-kms-key-id") {
        let key = String::from_utf8_lossy(key.as_bytes()).into_owned();
        let arn = match key.starts_with("arn:") {
            true => key,
            false => format!("arn:aws:kms:{}:{ACCOUNT}:key/{key}", crate::REGION),
        };
        needed.push(("kms:GenerateDataKey", arn));
    }
    needed
}

/// Refuses what the caller may ask for but the store does not keep. To ignore it would be worse: an object that was to be
/// encrypted, locked or shared would be so in name only.
fn check_supported(headers: &HeaderMap) -> S3Result<()> {
    for (name, value) in headers {
        let name = name.as_str();
        let value = value.as_bytes();
        let supported = match name {
            // The two ACLs that change nothing for a bucket whose owner owns all objects, as S3 makes buckets by default.
            "x-amz-acl" if matches!(value, b"private" | b"bucket-owner-full-control") => true,
            "x-amz-acl" => return Err(acl_not_supported()),
            _ if name.starts_with("x-amz-grant-") => return Err(acl_not_supported()),
            "x-amz-object-ownership" => value == b"BucketOwnerEnforced",
            "x-amz-bucket-object-lock-enabled" => value.eq_ignore_ascii_case(b"false"),
            "x-amz-server-side-encryption" => value == b"AES256",
            "x-amz-storage-class" => value == b"STANDARD",
            "x-amz-tagging-directive" => value == b"COPY",
            "x-amz-tagging" | "x-amz-website-redirect-location" => false,
            _ if name.starts_with("x-amz-object-lock-") => false,
            _ => !name.starts_with("x-amz-server-side-encryption-"),
        };
        if !supported {
            return Err(not_implemented(name));
        }
    }
    Ok(())
}

/// Nothing is versioned here, so each object has the one version that S3 calls `null`.
fn only_null_version(version: Option<&str>) -> S3Result<()> {
    match version {
        None | Some("null") => Ok(()),
        Some(_) => Err(s3_error!(InvalidArgument, "Invalid version id specified")),
    }
}

fn only_plain_delete(object: &dto::ObjectIdentifier) -> S3Result<()> {
    if object.e_tag.is_some() || object.last_modified_time.is_some() || object.size.is_some() {
        return Err(s3_error!(NotImplemented, "Conditions on a key to delete are not implemented"));
    }
    Ok(())
}

fn not_implemented(header: &str) -> S3Error {
    s3_error!(NotImplemented, "A header you provided implies functionality that is not implemented: {header}")
}

fn acl_not_supported() -> S3Error {
    s3_error!(AccessControlListNotSupported, "The bucket does not allow ACLs")
}
