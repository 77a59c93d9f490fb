//! Compiled code kept on disk between processes.
//!
//! What is read from here runs with the host's own rights: wasmtime checks a compiled file's header, not its machine
//! code. So the folder and each file must belong to this process's user and be writable by nobody else; a file is
//! written to a new name and renamed, never changed in place, because another process may have it mapped. The name
//! carries the image's hash and everything of the engine that code depends on, so an entry is either right or not
//! there.
//!
//! Absent: eviction and a bound on the folder's size.

use std::fs::{self, DirBuilder, OpenOptions};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use wasmtime::Engine;
use wasmtime::component::Component;

use super::image::{Compiled, ImageId};

/// Bits of a mode that let somebody other than the owner write.
const OTHERS_WRITE: u32 = 0o022;

/// The compiled-code cache of one engine.
#[derive(Debug)]
pub(super) struct CodeCache {
    folder: PathBuf,
    /// Distinguishes engine versions and settings whose code must not be mixed.
    engine_key: u64,
}

/// Why an entry was not used or not written. Never fatal: the image is compiled instead.
#[derive(Debug, thiserror::Error)]
pub(super) enum CacheError {
    #[error("{} is not used: {reason}", path.display())]
    Untrusted { path: PathBuf, reason: &'static str },
    #[error("{}: {source}", path.display())]
    Io { path: PathBuf, source: io::Error },
    #[error("{} could not be loaded: {source:#}", path.display())]
    Damaged { path: PathBuf, source: wasmtime::Error },
}

impl CodeCache {
    pub(super) fn new(engine: &Engine, folder: PathBuf) -> Self {
        let mut hasher = DefaultHasher::new();
        engine.precompile_compatibility_hash().hash(&mut hasher);
        Self { folder, engine_key: hasher.finish() }
    }

    fn entry(&self, image: &ImageId) -> PathBuf {
        self.folder.join(format!("{image}-{:016x}.cwasm", self.engine_key))
    }

    /// The image's compiled code, or `None` when there is no entry.
    pub(super) fn load(
        &self,
        engine: &Engine,
        image: &ImageId,
        component: bool,
    ) -> Result<Option<Compiled>, CacheError> {
        let path = self.entry(image);
        let failed = |source| CacheError::Io { path: path.clone(), source };
        match fs::symlink_metadata(&self.folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed(error)),
            Ok(folder) => trusted(&self.folder, &folder, true)?,
        }
        match fs::symlink_metadata(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed(error)),
            // Nobody else can point the name at another file in between: the folder is this user's alone.
            Ok(file) => trusted(&path, &file, false)?,
        }
        match deserialize(engine, &path, component) {
            Ok(code) => Ok(Some(code)),
            Err(source) => Err(CacheError::Damaged { path, source }),
        }
    }

    /// Keeps `code` for later processes. Either the whole entry is there afterwards or nothing of it.
    pub(super) fn store(&self, image: &ImageId, code: &[u8]) -> Result<(), CacheError> {
        let path = self.entry(image);
        let failed = |source| CacheError::Io { path: path.clone(), source };
        DirBuilder::new().recursive(true).mode(0o700).create(&self.folder).map_err(failed)?;
        trusted(&self.folder, &fs::symlink_metadata(&self.folder).map_err(failed)?, true)?;
        let partial = self.folder.join(format!(".{}.partial", uuid::Uuid::new_v4().simple()));
        let written = write_new(&partial, code).and_then(|()| fs::rename(&partial, &path));
        if written.is_err() {
            // Best effort: the error to report is the first one.
            let _ = fs::remove_file(&partial);
        }
        written.map_err(failed)
    }
}

fn write_new(path: &Path, code: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(code)?;
    file.sync_all()
}

/// Whether only this process's user can have written what `metadata` describes.
fn trusted(path: &Path, metadata: &fs::Metadata, folder: bool) -> Result<(), CacheError> {
    let reason = if metadata.uid() != rustix::process::geteuid().as_raw() {
        "it belongs to another user"
    } else if metadata.mode() & OTHERS_WRITE != 0 {
        "its group or others may write to it; `chmod go-w` it or delete it"
    } else if folder != metadata.is_dir() || !folder && !metadata.is_file() {
        "it is not a regular file in a folder"
    } else {
        return Ok(());
    };
    Err(CacheError::Untrusted { path: path.to_owned(), reason })
}

#[expect(
    unsafe_code,
    reason = "wasmtime cannot verify machine code; the checks around this one place are what makes it sound"
)]
fn deserialize(engine: &Engine, path: &Path, component: bool) -> wasmtime::Result<Compiled> {
    if component {
        // SAFETY: the file was written by `store` of the same user, from wasmtime's own compiler, under a name that
        // binds image and engine; nobody else could have written to it since, and entries are never changed in place.
        let component = unsafe { Component::deserialize_file(engine, path) }?;
        Ok(Compiled::Component(component))
    } else {
        // SAFETY: as above.
        let module = unsafe { wasmtime::Module::deserialize_file(engine, path) }?;
        Ok(Compiled::Module(module))
    }
}
