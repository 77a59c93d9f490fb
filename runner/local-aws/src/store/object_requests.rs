//! Requests for objects: put, get, head, copy, delete.

use std::ops::Range;

use s3s::dto::*;
use s3s::{S3Request, S3Response, S3Result, s3_error};

use super::conditions::{Conditions, plain_source, precondition};
use super::content::{self, Claims};
use super::index::{Precondition, Store, internal};
use super::records::{Attributes, Checksums, ObjectRecord};
use super::service::Answer;
use super::wire::{attributes, claims};
use crate::s3::DeniedKeys;

impl Store {
    pub(super) async fn answer_put_object(&self, req: S3Request<PutObjectInput>) -> Answer<PutObjectOutput> {
        let input = req.input;
        self.require_bucket(&input.bucket)?;
        let precondition = precondition(input.if_match, input.if_none_match)?;
        let attributes = attributes!(input);
        let claims = claims!(input, req);
        let body = input.body.unwrap_or_else(|| StreamingBlob::from(s3s::Body::empty()));
        let content = content::receive(&self.path(&input.bucket), body, claims).await?;
        let record = ObjectRecord {
            key: input.key,
            content: content.record().clone(),
            last_modified: self.clock().now().into(),
            attributes,
        };
        let output = PutObjectOutput {
            e_tag: Some(ETag::Strong(record.content.etag.clone())),
            checksum_crc32: record.content.checksums.crc32.clone(),
            checksum_crc32c: record.content.checksums.crc32c.clone(),
            checksum_crc64nvme: record.content.checksums.crc64nvme.clone(),
            checksum_sha1: record.content.checksums.sha1.clone(),
            checksum_sha256: record.content.checksums.sha256.clone(),
            ..Default::default()
        };
        self.blocking(move |store| store.put_object(&input.bucket, record, content, &precondition)).await?;
        Ok(S3Response::new(output))
    }

    pub(super) async fn answer_get_object(&self, req: S3Request<GetObjectInput>) -> Answer<GetObjectOutput> {
        let input = req.input;
        let (bucket, key) = (input.bucket, input.key);
        let (record, file) = self.blocking(move |store| store.open_object(&bucket, &key)).await?;
        Conditions::of(input.if_match, input.if_none_match, input.if_modified_since, input.if_unmodified_since)
            .check(&record)?;
        let size = record.content.size;
        let range = input.range.map(|range| range.check(size)).transpose()?;
        let content_range = range.as_ref().map(|range| format!("bytes {}-{}/{size}", range.start, range.end - 1));
        let whole: Range<u64> = 0..size;
        let range = range.unwrap_or(whole);
        let length = range.end - range.start;
        let body = content::send(file, range).map_err(|error| internal(&error))?;
        let attributes = record.attributes.clone();
        // A checksum is over the whole content, so a part of it goes without.
        let checksums = if length == size { record.content.checksums.clone() } else { Checksums::default() };
        Ok(S3Response::new(GetObjectOutput {
            accept_ranges: Some("bytes".into()),
            body: Some(body),
            content_length: i64::try_from(length).ok(),
            content_range,
            metadata: attributes.metadata_output(),
            cache_control: input.response_cache_control.or(attributes.cache_control),
            content_disposition: input.response_content_disposition.or(attributes.content_disposition),
            content_encoding: input.response_content_encoding.or(attributes.content_encoding),
            content_language: input.response_content_language.or(attributes.content_language),
            content_type: input.response_content_type.or(attributes.content_type).or_else(default_content_type),
            checksum_crc32: checksums.crc32,
            checksum_crc32c: checksums.crc32c,
            checksum_crc64nvme: checksums.crc64nvme,
            checksum_sha1: checksums.sha1,
            checksum_sha256: checksums.sha256,
            e_tag: Some(ETag::Strong(record.content.etag.clone())),
            last_modified: Some(record.last_modified.timestamp()),
            ..Default::default()
        }))
    }

    pub(super) async fn answer_head_object(&self, req: S3Request<HeadObjectInput>) -> Answer<HeadObjectOutput> {
        let input = req.input;
        let record = self.object(&input.bucket, &input.key)?;
        Conditions::of(input.if_match, input.if_none_match, input.if_modified_since, input.if_unmodified_since)
            .check(&record)?;
        let attributes = record.attributes.clone();
        let checksums = record.content.checksums.clone();
        Ok(S3Response::new(HeadObjectOutput {
            accept_ranges: Some("bytes".into()),
            content_length: i64::try_from(record.content.size).ok(),
            metadata: attributes.metadata_output(),
            cache_control: attributes.cache_control,
            content_disposition: attributes.content_disposition,
            content_encoding: attributes.content_encoding,
            content_language: attributes.content_language,
            content_type: attributes.content_type.or_else(default_content_type),
            checksum_crc32: checksums.crc32,
            checksum_crc32c: checksums.crc32c,
            checksum_crc64nvme: checksums.crc64nvme,
            checksum_sha1: checksums.sha1,
            checksum_sha256: checksums.sha256,
            e_tag: Some(ETag::Strong(record.content.etag.clone())),
            last_modified: Some(record.last_modified.timestamp()),
            ..Default::default()
        }))
    }

    pub(super) async fn answer_copy_object(&self, req: S3Request<CopyObjectInput>) -> Answer<CopyObjectOutput> {
        let input = req.input;
        let (source_bucket, source_key) = plain_source(&input.copy_source)?;
        self.require_bucket(&input.bucket)?;
        let conditions = Conditions::of(
            input.copy_source_if_match,
            input.copy_source_if_none_match,
            input.copy_source_if_modified_since,
            input.copy_source_if_unmodified_since,
        );
        let replaces = match input.metadata_directive.as_ref().map(MetadataDirective::as_str) {
            None | Some(MetadataDirective::COPY) => false,
            Some(MetadataDirective::REPLACE) => true,
            Some(_) => return Err(s3_error!(InvalidArgument, "Unknown metadata directive.")),
        };
        if !replaces && source_bucket == input.bucket && source_key == input.key {
            return Err(s3_error!(
                InvalidRequest,
                "This copy request is illegal because it is trying to copy an object to itself without changing the object's \
                 metadata, storage class, website redirect location or encryption attributes."
            ));
        }
        let attributes = replaces.then(|| attributes!(input));
        let record = self
            .blocking(move |store| {
                let (source, file) = store.open_object(&source_bucket, &source_key)?;
                conditions.check_source(&source)?;
                let content = content::copy(file, 0..source.content.size, &store.path(&input.bucket))?;
                let mut content_record = content.record().clone();
                content_record.checksums = source.content.checksums.clone();
                let record = ObjectRecord {
                    key: input.key,
                    content: content_record,
                    last_modified: store.clock().now().into(),
                    attributes: attributes.unwrap_or_else(|| source.attributes.clone()),
                };
                store.put_object(&input.bucket, record.clone(), content, &Precondition::default())?;
                Ok(record)
            })
            .await?;
        let result = CopyObjectResult {
            e_tag: Some(ETag::Strong(record.content.etag)),
            last_modified: Some(record.last_modified.timestamp()),
            ..Default::default()
        };
        Ok(S3Response::new(CopyObjectOutput { copy_object_result: Some(result), ..Default::default() }))
    }

    pub(super) async fn answer_delete_object(&self, req: S3Request<DeleteObjectInput>) -> Answer<DeleteObjectOutput> {
        self.blocking(move |store| store.delete_object(&req.input.bucket, &req.input.key)).await?;
        Ok(S3Response::new(DeleteObjectOutput::default()))
    }

    pub(super) async fn answer_delete_objects(
        &self,
        req: S3Request<DeleteObjectsInput>,
    ) -> Answer<DeleteObjectsOutput> {
        let input = req.input;
        let quiet = input.delete.quiet.unwrap_or_default();
        let mut errors = req.extensions.get::<DeniedKeys>().map(|denied| denied.0.clone()).unwrap_or_default();
        let (deleted, failed) = self
            .blocking(move |store| {
                store.require_bucket(&input.bucket)?;
                let (mut deleted, mut failed) = (Vec::new(), Vec::new());
                for object in input.delete.objects {
                    match store.delete_object(&input.bucket, &object.key) {
                        Ok(()) => deleted.push(DeletedObject { key: Some(object.key), ..Default::default() }),
                        Err(error) => failed.push(Error {
                            code: Some(error.code().as_str().into()),
                            message: error.message().map(Into::into),
                            key: Some(object.key),
                            version_id: None,
                        }),
                    }
                }
                Ok((deleted, failed))
            })
            .await?;
        errors.extend(failed);
        Ok(S3Response::new(DeleteObjectsOutput {
            deleted: (!quiet).then_some(deleted),
            errors: (!errors.is_empty()).then_some(errors),
            request_charged: None,
        }))
    }
}

fn default_content_type() -> Option<String> {
    Some("binary/octet-stream".into())
}

/// Contents for tests, past every check.
impl Store {
    pub(crate) fn read_whole(&self, bucket: &str, key: &str) -> S3Result<Vec<u8>> {
        let (_, mut file) = self.open_object(bucket, key)?;
        let mut bytes = Vec::new();
        std::io::Read::read_to_end(&mut file, &mut bytes).map_err(|error| internal(&error))?;
        Ok(bytes)
    }

    pub(crate) async fn write_whole(&self, bucket: &str, key: &str, bytes: Vec<u8>) -> S3Result<()> {
        self.require_bucket(bucket)?;
        let body = StreamingBlob::from(s3s::Body::from(bytes));
        let content = content::receive(&self.path(bucket), body, Claims::default()).await?;
        let record = ObjectRecord {
            key: key.into(),
            content: content.record().clone(),
            last_modified: self.clock().now().into(),
            attributes: Attributes::default(),
        };
        self.put_object(bucket, record, content, &Precondition::default())
    }
}
