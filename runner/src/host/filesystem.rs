//! Files of a guest: what is mounted, and every operation on it.
//!
//! wasmtime-wasi's own file system opens whatever a name leads to, starts work that a stop leaves behind, and collects
//! whole folders. So this one stands in its place, for WASI 0.2 ([`interface`]) and for preview 1
//! ([`super::preview1`]), with these rules:
//!
//! - A volume gives regular files and folders only. A name is first resolved to what it names, without opening that
//!   (`O_PATH`), and this very object is opened once it is known to be a file or a folder. A FIFO, a device or a socket
//!   can be looked at, renamed and removed, and its opening is refused with `not-permitted`.
//! - The kernel resolves names, beneath the folder that they start from (`openat2`, `RESOLVE_BENEATH`): neither `..`, an
//!   absolute name nor a symbolic link leads out, also while others move folders about.
//! - Every operation runs on a thread for blocking work and holds one of its task's few places ([`FileWork`]) until it
//!   has really ended, whatever became of the guest.
//! - A folder is read in parts, as the guest asks for them.
//! - The files and folders that a task has open are counted.
//!
//! Absent: systems without `openat2` (Linux before 5.6, or a filter that forbids it) or `/proc`. A container with a
//! volume is not started there; a weaker way to resolve names would be a way out.

mod descriptor;
mod error;
mod interface;
mod listing;
mod metadata;
mod open;
mod path;
mod stream;
mod work;

use std::fs::File;
use std::sync::Arc;

pub(super) use self::descriptor::{Descriptor, Direction};
use self::error::ErrorCode;
pub(super) use self::interface::{FilesystemView, add_to_linker};
pub(super) use self::metadata::Metadata;
pub(super) use self::open::OpenOptions;
pub(crate) use self::work::FileWork;

/// Bytes that one read or write moves at most. A guest that asks for more gets a part, as it may from any file.
pub(super) const TRANSFER_BYTES: usize = 256 << 10;

/// A folder of the host that a container sees.
#[derive(Debug)]
pub(crate) struct Mount {
    /// The folder, open.
    pub(crate) folder: Arc<File>,
    /// The name that the container knows it by.
    pub(crate) container_path: String,
    /// Whether the container may change nothing in it.
    pub(crate) read_only: bool,
}

/// One container's view of the host's files: its mounts, and its task's account of what it does with them.
#[derive(Debug, Clone)]
pub(crate) struct Filesystem {
    mounts: Arc<[Mount]>,
    work: FileWork,
}

/// Volumes cannot be offered here.
#[derive(Debug, thiserror::Error)]
#[error(
    "a container with a volume needs the system call openat2, and /proc for this process ({}): run on Linux 5.6 or \
     later, without a filter on either, or take the mount points out of the definition",
    .0.name()
)]
pub(crate) struct Unsupported(ErrorCode);

impl Filesystem {
    /// Fails where the system lacks what the rules of this module need; without mounts nothing is asked of it.
    pub(crate) async fn new(mounts: Arc<[Mount]>, work: FileWork) -> Result<Self, Unsupported> {
        if let Some(folder) = mounts.first().map(|mount| mount.folder.clone()) {
            work.run(move || path::probe(&folder)).await.map_err(Unsupported)?;
        }
        Ok(Self { mounts, work })
    }

    /// The folders that the container starts with, each with its name.
    pub(super) fn preopened(&self) -> impl Iterator<Item = (Descriptor, &str)> {
        self.mounts.iter().map(|mount| {
            let descriptor = Descriptor::mounted(mount.folder.clone(), !mount.read_only, self.work.clone());
            (descriptor, mount.container_path.as_str())
        })
    }
}
