//! Where buckets and objects are kept: a folder that survives restarts.
//!
//! ```text
//! DIR/format                        the layout's version
//! DIR/lock                          held by the one process that serves the folder
//! DIR/buckets/NAME/bucket.json      the owner, and whether it is open to the world
//! DIR/buckets/NAME/objects/*.json   one record for each key, under the key's SHA-256
//! DIR/buckets/NAME/data/*           contents, each under a name of its own
//! DIR/buckets/NAME/uploads/ID/      a multipart upload: upload.json, one record for each part
//! DIR/removed/                      what is about to be deleted
//! ```
//!
//! Records are JSON and say what they are about, so the folder can be read without this program. No key becomes part of a
//! path: a key may hold `..`, `//`, a trailing slash or 1,024 bytes, `a` and `a/b` may both exist, and two keys never
//! share a file, also where the file system ignores case. (s3s-fs, which s3s has for this, maps keys to paths. In 0.14 a
//! key with dots reaches another bucket, `a//b` and `a/b` are one file under two ARNs, keys of some hundred bytes fail,
//! a bucket with objects can be deleted, and an upload is bound to the access key that began it, so that it does not
//! outlive a session, but not to its bucket.)
//!
//! A content is written whole before its record is, and a record is replaced by a rename, so a key holds either its old
//! or its new content. What no record names is deleted at the next start. Nothing is flushed to the disk explicitly: after
//! a power failure the last objects may be missing. Versions, tags, ACLs, encryption keys and object lock are not kept,
//! and requests for them are refused.

mod conditions;
mod content;
mod folder;
mod index;
mod list_requests;
mod listing;
mod multipart;
mod object_requests;
mod records;
mod service;
mod upload_requests;
mod wire;

pub use folder::{DataFolder, DataFolderError};
pub(crate) use index::Store;
pub use index::{BucketInfo, ObjectInfo};
