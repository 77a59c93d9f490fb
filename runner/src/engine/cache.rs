//! Compiled code kept on disk between processes.
//!
//! What is read from here runs with the host's own rights: wasmtime checks a compiled file's header, not its machine
//! code. So the folder must be one that nobody but this process's user can have written into, from the root of the file
//! system down ([`folder`]); an entry is opened once, looked at through that descriptor and mapped through it; it says
//! for which image, engine and settings it is, and bears a checksum of all that ([`entry`]). One that does not pass is
//! removed and the image compiled again. An entry is written under a new name, synced and renamed, and never changed in
//! place, because another process may have it mapped.
//!
//! The checksum is for what disks and crashes do, not for what people do: who can write here could write the right one
//! too, with a cryptographic digest as well, and would not need to, since the code runs as himself.
//!
//! The folder also remembers which image an unchanged file was found to hold ([`super::images::source`] says when a file
//! counts as unchanged), so that a new process need not hash it. Its size is bounded ([`sweep`]); any number of processes
//! may use it at the same time, and what one of them removes another one that has it mapped keeps.
//!
//! Absent: defence against this user himself, or root.

mod entry;
mod folder;
mod sweep;

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use rustix::fs::{AtFlags, FlockOperation, Mode, OFlags};
use wasmtime::Engine;

use super::code::{Compiled, TrustedCode};
use super::compile::EngineKey;
use super::image::{ImageId, ImageKind};
use super::images::source::Stamp;
use crate::measure::{Stage, reached};
use crate::settings::descriptor_path;

/// The compiled-code cache of one engine.
#[derive(Debug)]
pub(super) struct CodeCache {
    folder: PathBuf,
    /// The most bytes that all entries may have together.
    most: u64,
    engine: EngineKey,
}

/// Why an entry was not used or not written. Never fatal: the image is compiled instead.
#[derive(Debug, thiserror::Error)]
pub(super) enum CacheError {
    #[error("{} is not used: {reason}", path.display())]
    Untrusted { path: PathBuf, reason: &'static str },
    #[error("{}: {source}", path.display())]
    Io { path: PathBuf, source: io::Error },
    #[error("{} is removed: {reason}", path.display())]
    Damaged { path: PathBuf, reason: String },
    #[error("the entry of {size} bytes does not fit into the {most} that the cache may have")]
    TooLarge { size: u64, most: u64 },
}

impl CodeCache {
    pub(super) fn new(folder: PathBuf, most: u64, engine: EngineKey) -> Self {
        Self { folder, most, engine }
    }

    /// The image's compiled code, or `None` when there is no entry. An entry that cannot be used is gone afterwards.
    pub(super) fn load(&self, engine: &Engine, image: &ImageId) -> Result<Option<Compiled>, CacheError> {
        let Some(folder) = folder::open(&self.folder)? else { return Ok(None) };
        let name = entry::name(image, &self.engine);
        let Some(file) = self.open(&folder, &name)? else { return Ok(None) };
        let loaded = self.check(&file, &name, image).and_then(|kind| {
            reached(Stage::CodeFetched);
            let code = TrustedCode::from_cache(&descriptor_path(&file));
            code.load(engine, kind).map_err(|error| self.damaged(&name, format!("{error:#}")))
        });
        match loaded {
            Ok(compiled) => {
                reached(Stage::Deserialised);
                // When it was used last decides what is removed first; that it could not be noted harms nothing.
                let _ = file.set_modified(SystemTime::now());
                Ok(Some(compiled))
            }
            Err(error) => {
                self.remove(&folder, &name);
                Err(error)
            }
        }
    }

    /// Keeps `code` for later processes. Either the whole entry is there afterwards or nothing of it.
    pub(super) fn store(&self, image: &ImageId, kind: ImageKind, code: &[u8]) -> Result<(), CacheError> {
        let trailer = entry::Trailer::new(image, &self.engine, kind, code).encode();
        let size = u64::try_from(code.len() + trailer.len()).unwrap_or(u64::MAX);
        if size > self.most {
            return Err(CacheError::TooLarge { size, most: self.most });
        }
        let folder = folder::create(&self.folder)?;
        let name = entry::name(image, &self.engine);
        self.write(&folder, &name, &[code, &trailer])?;
        if let Err(error) = sweep::sweep(&folder, self.most, &name) {
            tracing::warn!(%error, "the code cache may be larger than it should be");
        }
        Ok(())
    }

    /// Which image the file of this stamp was found to hold.
    pub(super) fn recall(&self, stamp: &Stamp) -> Option<ImageId> {
        let folder = folder::open(&self.folder).ok()??;
        let name = entry::stamp_name(stamp);
        let file = self.open(&folder, &name).ok()??;
        let found = folder::owned(&file).ok().and_then(|()| entry::read_stamp(&file, stamp));
        if found.is_none() {
            self.remove(&folder, &name);
        }
        found
    }

    /// Remembers that for later processes.
    pub(super) fn remember(&self, stamp: &Stamp, image: &ImageId) -> Result<(), CacheError> {
        let folder = folder::create(&self.folder)?;
        self.write(&folder, &entry::stamp_name(stamp), &[&entry::stamp_content(stamp, image)])
    }

    fn open(&self, folder: &File, name: &str) -> Result<Option<File>, CacheError> {
        // Not blocking, for the case that somebody put a pipe there; it fails the checks that follow.
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        match rustix::fs::openat(folder, name, flags, Mode::empty()) {
            Ok(file) => Ok(Some(File::from(file))),
            Err(rustix::io::Errno::NOENT) => Ok(None),
            Err(error) => {
                // A symbolic link, or nobody's to read: no entry of ours is that.
                self.remove(folder, name);
                Err(self.failed(name, error.into()))
            }
        }
    }

    /// Whether the open file is the entry that its name says, written by this user and whole.
    fn check(&self, file: &File, name: &str, image: &ImageId) -> Result<ImageKind, CacheError> {
        folder::owned(file).map_err(|reason| self.damaged(name, reason.to_owned()))?;
        entry::check(file, image, &self.engine).map_err(|reason| self.damaged(name, reason))
    }

    /// Writes a file under a name of its own, and gives it its name when it is whole and on disk.
    fn write(&self, folder: &File, name: &str, parts: &[&[u8]]) -> Result<(), CacheError> {
        let partial = format!(".{}{}", uuid::Uuid::new_v4().simple(), sweep::PARTIAL);
        let written = write_new(folder, &partial, parts).and_then(|_locked| {
            rustix::fs::renameat(folder, &partial, folder, name)?;
            folder.sync_all()
        });
        written.map_err(|error: io::Error| {
            // Best effort: the error to report is the first one.
            let _ = rustix::fs::unlinkat(folder, &partial, AtFlags::empty());
            self.failed(name, error)
        })
    }

    fn remove(&self, folder: &impl AsFd, name: &str) {
        if let Err(error) = rustix::fs::unlinkat(folder, name, AtFlags::empty()) {
            tracing::debug!(name, %error, "an entry of the code cache cannot be removed");
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.join(Path::new(name))
    }

    fn failed(&self, name: &str, source: io::Error) -> CacheError {
        CacheError::Io { path: self.path(name), source }
    }

    fn damaged(&self, name: &str, reason: String) -> CacheError {
        CacheError::Damaged { path: self.path(name), reason }
    }
}

/// The new file, locked as long as it is open: by that others tell that its writer is alive.
fn write_new(folder: &File, name: &str, parts: &[&[u8]]) -> io::Result<File> {
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let mut file = File::from(rustix::fs::openat(folder, name, flags, Mode::RUSR | Mode::WUSR)?);
    rustix::fs::flock(&file, FlockOperation::LockExclusive)?;
    for part in parts {
        file.write_all(part)?;
    }
    file.sync_all()?;
    Ok(file)
}
