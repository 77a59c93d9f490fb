//! Multipart uploads: of several parts and a part that is copied, and given up.

use aws_sdk_s3::Client;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{ChecksumAlgorithm, CompletedMultipartUpload, CompletedPart};

use super::{got, noise};
use crate::Transcript;

/// The least that a part may have which is not the last, in bytes.
const PART_BYTES: usize = 5 << 20;
const KEY: &str = "large/object.bin";

pub(super) async fn uploaded(transcript: &mut Transcript, s3: &Client, bucket: &str) {
    let Some(upload) = begun(transcript, s3, bucket, "UPLOAD-1").await else { return };
    let mut parts = Vec::new();
    for (number, length) in [(1_i32, PART_BYTES), (2, PART_BYTES + 1), (3, 1_000)] {
        let body = ByteStream::from(noise(length, u64::from(number.unsigned_abs())));
        let part = s3.upload_part().bucket(bucket).key(KEY).upload_id(&upload).part_number(number).body(body);
        let part = part.checksum_algorithm(ChecksumAlgorithm::Crc32).send().await;
        if let Some(part) = transcript.whole(&format!("UploadPart {number}"), part) {
            let completed = CompletedPart::builder().part_number(number).set_e_tag(part.e_tag);
            parts.push(completed.set_checksum_crc32(part.checksum_crc32).build());
        }
    }
    // In place of the third: what counts is what was uploaded last under a number.
    let copy = s3.upload_part_copy().bucket(bucket).key(KEY).upload_id(&upload).part_number(3);
    let copy = copy.copy_source(format!("{bucket}/streamed/CRC32")).copy_source_range("bytes=10-1009").send().await;
    if let Some(copied) = transcript.whole("UploadPartCopy", copy).and_then(|copied| copied.copy_part_result) {
        parts.pop();
        let completed = CompletedPart::builder().part_number(3).set_e_tag(copied.e_tag);
        parts.push(completed.set_checksum_crc32(copied.checksum_crc32).build());
    }
    let uploads = s3.list_multipart_uploads().bucket(bucket).send().await;
    transcript.part("ListMultipartUploads", uploads, |listed| {
        let uploads: Vec<_> = listed.uploads().iter().map(|upload| (upload.key(), upload.upload_id())).collect();
        format!("{uploads:?}, more: {:?}", listed.is_truncated())
    });
    let mut pages = s3.list_parts().bucket(bucket).key(KEY).upload_id(&upload).max_parts(2).into_paginator().send();
    while let Some(page) = pages.next().await {
        let shown = transcript.part("ListParts, a page", page, |page| {
            let part = |part: &aws_sdk_s3::types::Part| {
                format!("{:?} {:?} {:?} {:?}", part.part_number(), part.size(), part.e_tag(), part.checksum_crc32())
            };
            format!("{:?}, more: {:?}", page.parts().iter().map(part).collect::<Vec<_>>(), page.is_truncated())
        });
        if shown.is_none() {
            break;
        }
    }
    let invalid = CompletedPart::builder().part_number(1).e_tag("\"0\"").build();
    transcript.whole("CompleteMultipartUpload of others", complete(s3, bucket, &upload, vec![invalid]).await);
    transcript.whole("CompleteMultipartUpload", complete(s3, bucket, &upload, parts).await);
    got(transcript, "GetObject, of parts", s3.get_object().bucket(bucket).key(KEY)).await;
    let across = format!("bytes={}-{}", PART_BYTES - 2, PART_BYTES + 1);
    got(transcript, "GetObject, across parts", s3.get_object().bucket(bucket).key(KEY).range(across)).await;
}

pub(super) async fn given_up(transcript: &mut Transcript, s3: &Client, bucket: &str) {
    let Some(upload) = begun(transcript, s3, bucket, "UPLOAD-2").await else { return };
    let abort = || s3.abort_multipart_upload().bucket(bucket).key(KEY).upload_id(&upload);
    transcript.whole("AbortMultipartUpload", abort().send().await);
    transcript.whole("AbortMultipartUpload again", abort().send().await);
    let body = ByteStream::from_static(b"too late");
    let part = s3.upload_part().bucket(bucket).key(KEY).upload_id(&upload).part_number(1).body(body).send().await;
    transcript.whole("UploadPart too late", part);
    transcript.whole("ListParts of none", s3.list_parts().bucket(bucket).key(KEY).upload_id(&upload).send().await);
}

/// Begins an upload; gives its id.
async fn begun(transcript: &mut Transcript, s3: &Client, bucket: &str, name: &str) -> Option<String> {
    let begun = s3.create_multipart_upload().bucket(bucket).key(KEY).checksum_algorithm(ChecksumAlgorithm::Crc32);
    let begun = begun.content_type("application/octet-stream").send().await;
    let id = begun.as_ref().ok().and_then(|begun| begun.upload_id.clone());
    transcript.made_up(id.as_deref(), name);
    transcript.whole("CreateMultipartUpload", begun);
    id
}

async fn complete(
    s3: &Client,
    bucket: &str,
    upload: &str,
    parts: Vec<CompletedPart>,
) -> Result<
    aws_sdk_s3::operation::complete_multipart_upload::CompleteMultipartUploadOutput,
    aws_sdk_s3::error::SdkError<aws_sdk_s3::operation::complete_multipart_upload::CompleteMultipartUploadError>,
> {
    let parts = CompletedMultipartUpload::builder().set_parts(Some(parts)).build();
    s3.complete_multipart_upload().bucket(bucket).key(KEY).upload_id(upload).multipart_upload(parts).send().await
}
