//! What the folder holds, in memory: every bucket's owner, keys and uploads.
//!
//! The folder's lock makes this the only writer, so the index and the records can't part. Methods here block on the file
//! system for the time of a small read or write; the [service](super::service) calls them off the async threads.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use s3s::{S3Error, S3Result, s3_error};
use uuid::Uuid;

use super::content::NewContent;
use super::folder::{DataFolder, DataFolderError, Folder, at, create_private};
use super::listing::{Page, PageRequest, list};
use super::records::{
    BucketRecord, ObjectRecord, PartRecord, UploadRecord, object_file_name, read_record, write_record,
};
use crate::clock::Clock;

/// A bucket, for tests and demonstrations.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BucketInfo {
    /// Its name.
    pub name: String,
    /// The account that owns it.
    pub owner: String,
}

/// An object, for tests and demonstrations.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ObjectInfo {
    /// Its key.
    pub key: String,
    /// In bytes.
    pub size: u64,
    /// When it was written.
    pub last_modified: SystemTime,
}

/// Who owns a bucket and whom it lets in.
#[derive(Clone, Debug)]
pub(crate) struct Ownership {
    pub(crate) owner: String,
    pub(crate) open_to_the_world: bool,
}

/// The folder and its index. Clones share both.
#[derive(Clone, Debug)]
pub(crate) struct Store {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    folder: Folder,
    clock: Clock,
    buckets: Mutex<BTreeMap<String, Bucket>>,
}

#[derive(Debug)]
pub(super) struct Bucket {
    pub(super) record: BucketRecord,
    pub(super) objects: BTreeMap<String, Arc<ObjectRecord>>,
    pub(super) uploads: BTreeMap<String, Upload>,
}

#[derive(Clone, Debug)]
pub(super) struct Upload {
    pub(super) record: UploadRecord,
    pub(super) parts: BTreeMap<i32, Arc<PartRecord>>,
}

/// Which state of a key a write needs.
#[derive(Clone, Debug, Default)]
pub(super) struct Precondition {
    /// There is no such key.
    pub(super) absent: bool,
    /// The key's ETag, without quotes, or `*` for any.
    pub(super) etag: Option<String>,
}

impl Store {
    /// Opens a folder and reads what it holds.
    pub(crate) fn open(folder: &DataFolder, clock: Clock) -> Result<Self, DataFolderError> {
        let folder = Folder::open(folder)?;
        let mut buckets = BTreeMap::new();
        for (name, path) in entries(&folder.buckets())? {
            if name.starts_with('.') {
                // A bucket whose making was interrupted.
                fs::remove_dir_all(&path).map_err(at(&path))?;
                continue;
            }
            buckets.insert(name, Bucket::load(&path)?);
        }
        Ok(Self { inner: Arc::new(Inner { folder, clock, buckets: Mutex::new(buckets) }) })
    }

    pub(super) fn clock(&self) -> &Clock {
        &self.inner.clock
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Bucket>> {
        // A panic in between could only leave an entry out that has a record, which the next start finds.
        self.inner.buckets.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn path(&self, bucket: &str) -> PathBuf {
        self.inner.folder.bucket(bucket)
    }

    pub(crate) fn ownership(&self, bucket: &str) -> Option<Ownership> {
        self.lock().get(bucket).map(|bucket| Ownership {
            owner: bucket.record.owner.clone(),
            open_to_the_world: bucket.record.open_to_the_world,
        })
    }

    pub(crate) fn has_object(&self, bucket: &str, key: &str) -> bool {
        self.lock().get(bucket).is_some_and(|bucket| bucket.objects.contains_key(key))
    }

    pub(crate) fn bucket_infos(&self) -> Vec<BucketInfo> {
        let buckets = self.lock();
        buckets
            .iter()
            .map(|(name, bucket)| BucketInfo { name: name.clone(), owner: bucket.record.owner.clone() })
            .collect()
    }

    pub(crate) fn object_infos(&self, bucket: &str) -> Option<Vec<ObjectInfo>> {
        let buckets = self.lock();
        let objects = buckets.get(bucket)?.objects.values();
        let info = |object: &Arc<ObjectRecord>| ObjectInfo {
            key: object.key.clone(),
            size: object.content.size,
            last_modified: object.last_modified.time().into(),
        };
        Some(objects.map(info).collect())
    }

    /// Makes a bucket. A bucket that exists is an error here, whoever owns it.
    pub(crate) fn create_bucket(&self, name: &str, owner: &str, open_to_the_world: bool) -> S3Result<()> {
        let mut buckets = self.lock();
        if buckets.contains_key(name) {
            return Err(s3_error!(BucketAlreadyExists, "The requested bucket name is not available."));
        }
        let record = BucketRecord { owner: owner.into(), open_to_the_world, created: self.inner.clock.now().into() };
        // Made beside its place and then renamed: a bucket exists with its owner or not at all.
        let new = self.inner.folder.buckets().join(format!(".new-{}", Uuid::new_v4().simple()));
        let make = || -> Result<(), DataFolderError> {
            for folder in ["objects", "data", "uploads"] {
                create_private(&new.join(folder))?;
            }
            write_record(&new.join("bucket.json"), &record).map_err(at(&new))?;
            let place = self.path(name);
            fs::rename(&new, &place).map_err(at(&place))
        };
        make().map_err(|error| internal(&error))?;
        buckets.insert(name.into(), Bucket { record, objects: BTreeMap::new(), uploads: BTreeMap::new() });
        Ok(())
    }

    pub(super) fn delete_bucket(&self, name: &str) -> S3Result<()> {
        let mut buckets = self.lock();
        if !find(&mut buckets, name)?.objects.is_empty() {
            return Err(s3_error!(BucketNotEmpty, "The bucket you tried to delete is not empty"));
        }
        let removed = self.inner.folder.removed().join(Uuid::new_v4().simple().to_string());
        fs::rename(self.path(name), &removed).map_err(|error| internal(&error))?;
        buckets.remove(name);
        if let Err(error) = fs::remove_dir_all(&removed) {
            tracing::warn!(path = %removed.display(), %error, "a deleted bucket stays on the disk until the next start");
        }
        Ok(())
    }

    pub(super) fn object(&self, bucket: &str, key: &str) -> S3Result<Arc<ObjectRecord>> {
        Ok(Arc::clone(find_object(find(&mut self.lock(), bucket)?, key)?))
    }

    /// An object's record and its content, opened while nothing can replace it.
    pub(super) fn open_object(&self, bucket: &str, key: &str) -> S3Result<(Arc<ObjectRecord>, File)> {
        let mut buckets = self.lock();
        let record = Arc::clone(find_object(find(&mut buckets, bucket)?, key)?);
        let path = self.path(bucket).join("data").join(&record.content.file);
        let file = File::open(path).map_err(|error| internal(&error))?;
        Ok((record, file))
    }

    /// Gives a key new content.
    pub(super) fn put_object(
        &self,
        bucket: &str,
        record: ObjectRecord,
        content: NewContent,
        precondition: &Precondition,
    ) -> S3Result<()> {
        let mut buckets = self.lock();
        let entry = find(&mut buckets, bucket)?;
        precondition.check(entry.objects.get(&record.key).map(|old| old.content.etag.as_str()))?;
        let path = self.path(bucket);
        let record_path = path.join("objects").join(object_file_name(&record.key));
        write_record(&record_path, &record).map_err(|error| internal(&error))?;
        content.keep();
        if let Some(old) = entry.objects.insert(record.key.clone(), Arc::new(record)) {
            remove_content(&path, &old.content.file);
        }
        Ok(())
    }

    /// Removes a key. That there is none is no error, as in S3.
    pub(super) fn delete_object(&self, bucket: &str, key: &str) -> S3Result<()> {
        let mut buckets = self.lock();
        let entry = find(&mut buckets, bucket)?;
        let Some(old) = entry.objects.get(key) else {
            return Ok(());
        };
        let path = self.path(bucket);
        fs::remove_file(path.join("objects").join(object_file_name(key))).map_err(|error| internal(&error))?;
        remove_content(&path, &old.content.file);
        entry.objects.remove(key);
        Ok(())
    }

    pub(super) fn list(&self, bucket: &str, request: &PageRequest<'_>) -> S3Result<Page> {
        Ok(list(&find(&mut self.lock(), bucket)?.objects, request))
    }
}

impl Precondition {
    fn check(&self, etag: Option<&str>) -> S3Result<()> {
        let holds = match (&self.etag, etag) {
            (None, _) => true,
            (Some(_), None) => {
                return Err(s3_error!(NoSuchKey, "The specified key does not exist."));
            }
            (Some(wanted), Some(etag)) => wanted == "*" || wanted == etag,
        };
        if holds && !(self.absent && etag.is_some()) {
            return Ok(());
        }
        Err(s3_error!(PreconditionFailed, "At least one of the pre-conditions you specified did not hold"))
    }
}

impl Bucket {
    fn load(path: &Path) -> Result<Self, DataFolderError> {
        let record = read_record(&path.join("bucket.json"))?;
        let mut named = Vec::new();
        let mut objects = BTreeMap::new();
        for (name, path) in entries(&path.join("objects"))? {
            if name.starts_with('.') {
                fs::remove_file(&path).map_err(at(&path))?;
                continue;
            }
            let object: ObjectRecord = read_record(&path)?;
            named.push(object.content.file.clone());
            objects.insert(object.key.clone(), Arc::new(object));
        }
        let mut uploads = BTreeMap::new();
        for (id, path) in entries(&path.join("uploads"))? {
            let upload = Upload::load(&path)?;
            let Some(upload) = upload else {
                fs::remove_dir_all(&path).map_err(at(&path))?;
                continue;
            };
            named.extend(upload.parts.values().map(|part| part.content.file.clone()));
            uploads.insert(id, upload);
        }
        // Contents whose record was never written, or is gone.
        named.sort();
        for (name, path) in entries(&path.join("data"))? {
            if named.binary_search(&name).is_err() {
                fs::remove_file(&path).map_err(at(&path))?;
            }
        }
        Ok(Self { record, objects, uploads })
    }
}

impl Upload {
    /// Reads an upload; `None` when its making was interrupted.
    fn load(path: &Path) -> Result<Option<Self>, DataFolderError> {
        let record_path = path.join("upload.json");
        if !record_path.exists() {
            return Ok(None);
        }
        let record = read_record(&record_path)?;
        let mut parts = BTreeMap::new();
        for (name, path) in entries(path)? {
            if name.starts_with('.') {
                fs::remove_file(&path).map_err(at(&path))?;
            } else if name != "upload.json" {
                let part: PartRecord = read_record(&path)?;
                parts.insert(part.number, Arc::new(part));
            }
        }
        Ok(Some(Self { record, parts }))
    }
}

/// The names and paths in a folder.
fn entries(folder: &Path) -> Result<Vec<(String, PathBuf)>, DataFolderError> {
    let mut entries = Vec::new();
    for entry in fs::read_dir(folder).map_err(at(folder))? {
        let entry = entry.map_err(at(folder))?;
        let name = entry.file_name().into_string().map_err(|_| DataFolderError::Damaged {
            path: entry.path(),
            problem: "its name is not one that this program gives".into(),
        })?;
        entries.push((name, entry.path()));
    }
    Ok(entries)
}

pub(super) fn find<'b>(buckets: &'b mut BTreeMap<String, Bucket>, name: &str) -> S3Result<&'b mut Bucket> {
    buckets.get_mut(name).ok_or_else(|| s3_error!(NoSuchBucket, "The specified bucket does not exist"))
}

fn find_object<'b>(bucket: &'b Bucket, key: &str) -> S3Result<&'b Arc<ObjectRecord>> {
    bucket.objects.get(key).ok_or_else(|| s3_error!(NoSuchKey, "The specified key does not exist."))
}

/// Deletes a content that no record names any more. A failure costs space until the next start and nothing else.
pub(super) fn remove_content(bucket: &Path, file: &str) {
    let path = bucket.join("data").join(file);
    if let Err(error) = fs::remove_file(&path)
        && error.kind() != io::ErrorKind::NotFound
    {
        tracing::warn!(path = %path.display(), %error, "a replaced content stays on the disk until the next start");
    }
}

/// The folder failed. The caller learns why, since who serves it and who uses it are one person here.
pub(super) fn internal(error: &dyn std::error::Error) -> S3Error {
    tracing::error!(%error, "the data folder failed");
    s3_error!(InternalError, "We encountered an internal error: the data folder failed: {error}")
}
