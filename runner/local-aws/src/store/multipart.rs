//! Multipart uploads: begun, filled in any order, completed or aborted. Any caller that may write the key may go on with
//! one, so an upload outlives the session that began it.

use std::fs;
use std::sync::Arc;

use s3s::dto::CompletedPart;
use s3s::{S3Error, S3Result, s3_error};
use uuid::Uuid;

use super::content::{NewContent, concatenate};
use super::folder::{at, create_private};
use super::index::{Precondition, Store, Upload, find, internal, remove_content};
use super::records::{Attributes, ObjectRecord, PartRecord, UploadRecord, write_record};

/// Parts have numbers from 1 to 10,000
/// (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html>).
const PART_NUMBERS: std::ops::RangeInclusive<i32> = 1..=10_000;
/// The least size of a part that is not the last.
const MIN_PART_SIZE: u64 = 5 * 1024 * 1024;

impl Store {
    pub(super) fn create_upload(&self, bucket: &str, key: &str, attributes: Attributes) -> S3Result<String> {
        let mut buckets = self.lock();
        let entry = find(&mut buckets, bucket)?;
        let id = Uuid::new_v4().simple().to_string();
        let record = UploadRecord { key: key.into(), initiated: self.clock().now().into(), attributes };
        let folder = self.path(bucket).join("uploads").join(&id);
        create_private(&folder)
            .and_then(|()| write_record(&folder.join("upload.json"), &record).map_err(at(&folder)))
            .map_err(|error| internal(&error))?;
        entry.uploads.insert(id.clone(), Upload { record, parts: Default::default() });
        Ok(id)
    }

    /// An upload, if it is one of this key.
    pub(super) fn upload(&self, bucket: &str, key: &str, id: &str) -> S3Result<Upload> {
        let mut buckets = self.lock();
        let upload = find(&mut buckets, bucket)?.uploads.get(id).filter(|upload| upload.record.key == key);
        upload.cloned().ok_or_else(no_such_upload)
    }

    /// Every upload of a bucket with its id, by key and then by age.
    pub(super) fn uploads(&self, bucket: &str) -> S3Result<Vec<(String, Upload)>> {
        let mut buckets = self.lock();
        let mut uploads: Vec<_> =
            find(&mut buckets, bucket)?.uploads.iter().map(|(id, upload)| (id.clone(), upload.clone())).collect();
        uploads.sort_by(|(_, a), (_, b)| (&a.record.key, a.record.initiated).cmp(&(&b.record.key, b.record.initiated)));
        Ok(uploads)
    }

    pub(super) fn put_part(
        &self,
        bucket: &str,
        key: &str,
        id: &str,
        number: i32,
        content: NewContent,
    ) -> S3Result<Arc<PartRecord>> {
        check_part_number(number)?;
        let mut buckets = self.lock();
        let upload = find(&mut buckets, bucket)?.uploads.get_mut(id).filter(|upload| upload.record.key == key);
        let upload = upload.ok_or_else(no_such_upload)?;
        let part = Arc::new(PartRecord {
            number,
            content: content.record().clone(),
            last_modified: self.clock().now().into(),
        });
        let path = self.path(bucket);
        let record_path = path.join("uploads").join(id).join(format!("part-{number:05}.json"));
        write_record(&record_path, &*part).map_err(|error| internal(&error))?;
        content.keep();
        if let Some(old) = upload.parts.insert(number, Arc::clone(&part)) {
            remove_content(&path, &old.content.file);
        }
        Ok(part)
    }

    /// Makes an object of the parts that the client lists. The upload is gone afterwards, and whole again if this fails.
    pub(super) fn complete_upload(
        &self,
        bucket: &str,
        key: &str,
        id: &str,
        listed: &[CompletedPart],
        precondition: &Precondition,
    ) -> S3Result<ObjectRecord> {
        // Taken out while its parts are read, so that nobody replaces them or completes it a second time.
        let upload = self.take_upload(bucket, key, id)?;
        let made = self.make_object(bucket, key, &upload, listed, precondition);
        match made {
            Ok(record) => {
                self.discard(bucket, id, &upload);
                Ok(record)
            }
            Err(error) => {
                if let Ok(entry) = find(&mut self.lock(), bucket) {
                    entry.uploads.insert(id.into(), upload);
                }
                Err(error)
            }
        }
    }

    pub(super) fn abort_upload(&self, bucket: &str, key: &str, id: &str) -> S3Result<()> {
        let upload = self.take_upload(bucket, key, id)?;
        self.discard(bucket, id, &upload);
        Ok(())
    }

    fn take_upload(&self, bucket: &str, key: &str, id: &str) -> S3Result<Upload> {
        let mut buckets = self.lock();
        let uploads = &mut find(&mut buckets, bucket)?.uploads;
        match uploads.get(id) {
            Some(upload) if upload.record.key == key => uploads.remove(id).ok_or_else(no_such_upload),
            _ => Err(no_such_upload()),
        }
    }

    fn make_object(
        &self,
        bucket: &str,
        key: &str,
        upload: &Upload,
        listed: &[CompletedPart],
        precondition: &Precondition,
    ) -> S3Result<ObjectRecord> {
        let parts = select(upload, listed)?;
        let content = concatenate(&self.path(bucket), &parts)?;
        let record = ObjectRecord {
            key: key.into(),
            content: content.record().clone(),
            last_modified: self.clock().now().into(),
            attributes: upload.record.attributes.clone(),
        };
        self.put_object(bucket, record.clone(), content, precondition)?;
        Ok(record)
    }

    fn discard(&self, bucket: &str, id: &str, upload: &Upload) {
        let path = self.path(bucket);
        let folder = path.join("uploads").join(id);
        // Without its record an upload does not exist, so that goes first.
        if let Err(error) = fs::remove_file(folder.join("upload.json")).and_then(|()| fs::remove_dir_all(&folder)) {
            tracing::warn!(path = %folder.display(), %error, "an ended upload stays on the disk until the next start");
        }
        for part in upload.parts.values() {
            remove_content(&path, &part.content.file);
        }
    }
}

pub(super) fn check_part_number(number: i32) -> S3Result<()> {
    if PART_NUMBERS.contains(&number) {
        return Ok(());
    }
    Err(s3_error!(InvalidArgument, "Part number must be an integer between 1 and 10000, inclusive"))
}

fn no_such_upload() -> S3Error {
    s3_error!(
        NoSuchUpload,
        "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed."
    )
}

/// The contents that the client lists, in order.
fn select(upload: &Upload, listed: &[CompletedPart]) -> S3Result<Vec<super::records::ContentRecord>> {
    let invalid = || {
        s3_error!(
            InvalidPart,
            "One or more of the specified parts could not be found. The part may not have been uploaded, or the specified \
             entity tag may not match the part's entity tag."
        )
    };
    if listed.is_empty() {
        return Err(s3_error!(MalformedXML, "You must specify at least one part"));
    }
    let numbers: Option<Vec<i32>> = listed.iter().map(|part| part.part_number).collect();
    let numbers = numbers.ok_or_else(|| s3_error!(MalformedXML, "A part has no number"))?;
    if !numbers.windows(2).all(|pair| pair[0] < pair[1]) {
        return Err(s3_error!(InvalidPartOrder, "The list of parts was not in ascending order."));
    }
    let mut contents = Vec::new();
    for (index, (number, listed)) in numbers.iter().zip(listed).enumerate() {
        let part = upload.parts.get(number).ok_or_else(invalid)?;
        if listed.e_tag.as_ref().is_none_or(|etag| etag.value() != part.content.etag) {
            return Err(invalid());
        }
        if index + 1 < numbers.len() && part.content.size < MIN_PART_SIZE {
            return Err(s3_error!(EntityTooSmall, "Your proposed upload is smaller than the minimum allowed size"));
        }
        contents.push(part.content.clone());
    }
    Ok(contents)
}
