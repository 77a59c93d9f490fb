//! The JSON records of the folder.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::path::Path;

use s3s::dto;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use time::OffsetDateTime;

use super::folder::DataFolderError;
use crate::sigv4::to_hex;

/// A bucket.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct BucketRecord {
    /// The account that owns it.
    pub(super) owner: String,
    /// Whether its owner lets every other account do everything in it.
    pub(super) open_to_the_world: bool,
    pub(super) created: Milliseconds,
}

/// An object.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct ObjectRecord {
    pub(super) key: String,
    pub(super) content: ContentRecord,
    pub(super) last_modified: Milliseconds,
    pub(super) attributes: Attributes,
}

/// A content in the `data` folder.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct ContentRecord {
    /// The file's name.
    pub(super) file: String,
    /// In bytes.
    pub(super) size: u64,
    /// Without quotes: the MD5, or for a multipart upload the MD5 of its parts' MD5s and their number.
    pub(super) etag: String,
    #[serde(default, skip_serializing_if = "Checksums::is_empty")]
    pub(super) checksums: Checksums,
}

/// Checksums in base64, as many as the client sent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Checksums {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) crc32: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) crc32c: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) crc64nvme: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) sha1: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) sha256: Option<String>,
}

impl Checksums {
    pub(super) fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// What a client says about an object and gets back with it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub(super) struct Attributes {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) cache_control: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) content_disposition: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) content_encoding: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) content_language: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) content_type: Option<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) metadata: BTreeMap<String, String>,
}

impl Attributes {
    pub(super) fn metadata_output(&self) -> Option<dto::Metadata> {
        (!self.metadata.is_empty()).then(|| self.metadata.clone().into_iter().collect())
    }
}

/// A multipart upload that is neither completed nor aborted.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct UploadRecord {
    pub(super) key: String,
    pub(super) initiated: Milliseconds,
    pub(super) attributes: Attributes,
}

/// A part of one.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct PartRecord {
    pub(super) number: i32,
    pub(super) content: ContentRecord,
    pub(super) last_modified: Milliseconds,
}

/// A time in milliseconds since 1970, the resolution of S3's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Milliseconds(i64);

impl From<OffsetDateTime> for Milliseconds {
    fn from(time: OffsetDateTime) -> Self {
        Self(i64::try_from(time.unix_timestamp_nanos() / 1_000_000).unwrap_or(i64::MAX))
    }
}

impl Milliseconds {
    pub(super) fn time(self) -> OffsetDateTime {
        OffsetDateTime::from_unix_timestamp_nanos(i128::from(self.0) * 1_000_000).unwrap_or(OffsetDateTime::UNIX_EPOCH)
    }

    pub(super) fn timestamp(self) -> dto::Timestamp {
        self.time().into()
    }
}

/// The file name of a key's record.
pub(super) fn object_file_name(key: &str) -> String {
    format!("{}.json", to_hex(&Sha256::digest(key)))
}

/// Replaces a record whole.
pub(super) fn write_record(path: &Path, record: &impl Serialize) -> io::Result<()> {
    let folder = path.parent().ok_or(io::ErrorKind::InvalidInput)?;
    let mut file = tempfile::Builder::new().prefix(".new-").tempfile_in(folder)?;
    file.write_all(&serde_json::to_vec(record)?)?;
    file.persist(path)?;
    Ok(())
}

/// Reads a record.
pub(super) fn read_record<T: DeserializeOwned>(path: &Path) -> Result<T, DataFolderError> {
    let text = fs::read(path).map_err(super::folder::at(path))?;
    serde_json::from_slice(&text)
        .map_err(|error| DataFolderError::Damaged { path: path.into(), problem: error.to_string() })
}
