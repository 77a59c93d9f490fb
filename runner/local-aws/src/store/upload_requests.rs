//! Requests for multipart uploads.

use s3s::dto::*;
use s3s::{S3Request, S3Response};

use super::conditions::{Conditions, copy_range, plain_source, precondition};
use super::content;
use super::index::{Store, Upload};
use super::multipart::check_part_number;
use super::service::Answer;
use super::wire::{ListEncoding, attributes, claims, max_keys};

impl Store {
    pub(super) async fn answer_create_multipart_upload(
        &self,
        req: S3Request<CreateMultipartUploadInput>,
    ) -> Answer<CreateMultipartUploadOutput> {
        let input = req.input;
        let attributes = attributes!(input);
        let (bucket, key) = (input.bucket.clone(), input.key.clone());
        let id = self.blocking(move |store| store.create_upload(&bucket, &key, attributes)).await?;
        Ok(S3Response::new(CreateMultipartUploadOutput {
            bucket: Some(input.bucket),
            key: Some(input.key),
            upload_id: Some(id),
            checksum_algorithm: input.checksum_algorithm,
            ..Default::default()
        }))
    }

    pub(super) async fn answer_upload_part(&self, req: S3Request<UploadPartInput>) -> Answer<UploadPartOutput> {
        let input = req.input;
        check_part_number(input.part_number)?;
        self.upload(&input.bucket, &input.key, &input.upload_id)?;
        let claims = claims!(input, req);
        let body = input.body.unwrap_or_else(|| StreamingBlob::from(s3s::Body::empty()));
        let content = content::receive(&self.path(&input.bucket), body, claims).await?;
        let part = self
            .blocking(move |store| {
                store.put_part(&input.bucket, &input.key, &input.upload_id, input.part_number, content)
            })
            .await?;
        let checksums = part.content.checksums.clone();
        Ok(S3Response::new(UploadPartOutput {
            e_tag: Some(ETag::Strong(part.content.etag.clone())),
            checksum_crc32: checksums.crc32,
            checksum_crc32c: checksums.crc32c,
            checksum_crc64nvme: checksums.crc64nvme,
            checksum_sha1: checksums.sha1,
            checksum_sha256: checksums.sha256,
            ..Default::default()
        }))
    }

    pub(super) async fn answer_upload_part_copy(
        &self,
        req: S3Request<UploadPartCopyInput>,
    ) -> Answer<UploadPartCopyOutput> {
        let input = req.input;
        check_part_number(input.part_number)?;
        let (source_bucket, source_key) = plain_source(&input.copy_source)?;
        self.upload(&input.bucket, &input.key, &input.upload_id)?;
        let conditions = Conditions::of(
            input.copy_source_if_match,
            input.copy_source_if_none_match,
            input.copy_source_if_modified_since,
            input.copy_source_if_unmodified_since,
        );
        let part = self
            .blocking(move |store| {
                let (source, file) = store.open_object(&source_bucket, &source_key)?;
                conditions.check_source(&source)?;
                let range = copy_range(input.copy_source_range.as_deref(), source.content.size)?;
                let content = content::copy(file, range, &store.path(&input.bucket))?;
                store.put_part(&input.bucket, &input.key, &input.upload_id, input.part_number, content)
            })
            .await?;
        let result = CopyPartResult {
            e_tag: Some(ETag::Strong(part.content.etag.clone())),
            last_modified: Some(part.last_modified.timestamp()),
            ..Default::default()
        };
        Ok(S3Response::new(UploadPartCopyOutput { copy_part_result: Some(result), ..Default::default() }))
    }

    pub(super) async fn answer_complete_multipart_upload(
        &self,
        req: S3Request<CompleteMultipartUploadInput>,
    ) -> Answer<CompleteMultipartUploadOutput> {
        let input = req.input;
        let precondition = precondition(input.if_match, input.if_none_match)?;
        let parts = input.multipart_upload.and_then(|upload| upload.parts).unwrap_or_default();
        let (bucket, key, id) = (input.bucket.clone(), input.key.clone(), input.upload_id);
        let record =
            self.blocking(move |store| store.complete_upload(&bucket, &key, &id, &parts, &precondition)).await?;
        Ok(S3Response::new(CompleteMultipartUploadOutput {
            location: Some(format!("/{}/{}", input.bucket, input.key)),
            bucket: Some(input.bucket),
            key: Some(input.key),
            e_tag: Some(ETag::Strong(record.content.etag)),
            ..Default::default()
        }))
    }

    pub(super) async fn answer_abort_multipart_upload(
        &self,
        req: S3Request<AbortMultipartUploadInput>,
    ) -> Answer<AbortMultipartUploadOutput> {
        let input = req.input;
        self.blocking(move |store| store.abort_upload(&input.bucket, &input.key, &input.upload_id)).await?;
        Ok(S3Response::new(AbortMultipartUploadOutput::default()))
    }

    pub(super) async fn answer_list_parts(&self, req: S3Request<ListPartsInput>) -> Answer<ListPartsOutput> {
        let input = req.input;
        let upload = self.upload(&input.bucket, &input.key, &input.upload_id)?;
        let max_parts = max_keys(input.max_parts)?;
        let after = input.part_number_marker.unwrap_or_default();
        let mut rest = upload.parts.range(after.saturating_add(1)..).map(|(_, part)| part);
        let parts: Vec<Part> = rest
            .by_ref()
            .take(usize::try_from(max_parts).unwrap_or_default())
            .map(|part| Part {
                part_number: Some(part.number),
                e_tag: Some(ETag::Strong(part.content.etag.clone())),
                last_modified: Some(part.last_modified.timestamp()),
                size: i64::try_from(part.content.size).ok(),
                ..Default::default()
            })
            .collect();
        let is_truncated = rest.next().is_some();
        Ok(S3Response::new(ListPartsOutput {
            bucket: Some(input.bucket),
            key: Some(input.key),
            upload_id: Some(input.upload_id),
            max_parts: Some(max_parts),
            part_number_marker: Some(after),
            next_part_number_marker: parts.last().and_then(|part| part.part_number),
            is_truncated: Some(is_truncated),
            parts: Some(parts),
            ..Default::default()
        }))
    }

    pub(super) async fn answer_list_multipart_uploads(
        &self,
        req: S3Request<ListMultipartUploadsInput>,
    ) -> Answer<ListMultipartUploadsOutput> {
        let input = req.input;
        let encoding = ListEncoding::of(input.encoding_type.as_ref())?;
        let max_uploads = max_keys(input.max_uploads)?;
        let prefix = input.prefix.clone().unwrap_or_default();
        let uploads = self.uploads(&input.bucket)?;
        // Behind a key marker alone come other keys; with an upload id, the rest of the same key's uploads too.
        let marker = input.key_marker.clone().unwrap_or_default();
        let begin = match (&input.upload_id_marker, marker.is_empty()) {
            (_, true) => 0,
            (Some(id), false) => uploads.iter().position(|(other, _)| other == id).map_or(uploads.len(), |at| at + 1),
            (None, false) => uploads.partition_point(|(_, upload)| upload.record.key <= marker),
        };
        let mut rest = uploads.into_iter().skip(begin).filter(|(_, upload)| upload.record.key.starts_with(&prefix));
        let listed: Vec<(String, Upload)> =
            rest.by_ref().take(usize::try_from(max_uploads).unwrap_or_default()).collect();
        let is_truncated = rest.next().is_some();
        let last = listed.last().filter(|_| is_truncated);
        Ok(S3Response::new(ListMultipartUploadsOutput {
            bucket: Some(input.bucket),
            next_key_marker: last.map(|(_, upload)| encoding.encode(upload.record.key.clone())),
            next_upload_id_marker: last.map(|(id, _)| id.clone()),
            is_truncated: Some(is_truncated),
            key_marker: Some(encoding.encode(marker)),
            upload_id_marker: input.upload_id_marker,
            max_uploads: Some(max_uploads),
            prefix: input.prefix.map(|prefix| encoding.encode(prefix)),
            encoding_type: input.encoding_type,
            uploads: Some(
                listed
                    .into_iter()
                    .map(|(id, upload)| MultipartUpload {
                        key: Some(encoding.encode(upload.record.key)),
                        upload_id: Some(id),
                        initiated: Some(upload.record.initiated.timestamp()),
                        ..Default::default()
                    })
                    .collect(),
            ),
            ..Default::default()
        }))
    }
}
