//! The folder itself: its layout, its version, and the lock that keeps a second process out.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

/// The layout's version. A folder of another one is refused, not converted.
const FORMAT: &str = "rolebox-local-aws 1\n";

/// Where buckets and objects are kept.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub enum DataFolder {
    /// A temporary folder, deleted with the emulator.
    #[default]
    Temporary,
    /// This folder, which is made if it does not exist, readable by its owner only. It keeps its data, and one process
    /// at a time can use it.
    At(PathBuf),
}

/// A data folder that can't be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DataFolderError {
    /// The folder or something in it can't be read or written.
    #[error("the data folder can't be used: {path}: {source}")]
    Io {
        /// What could not be read or written.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Another process, or another emulator in this one, serves the folder.
    #[error("the data folder {0} is in use by another rolebox; stop that one, or give this one another folder")]
    InUse(PathBuf),
    /// The folder is not empty and was not made by this program, or by a version with another layout.
    #[error(
        "{0} is not a data folder of this version of rolebox: it holds other files and no fitting `format` file; give a \
         new or empty folder"
    )]
    Foreign(PathBuf),
    /// A record in the folder can't be read.
    #[error("the data folder holds a damaged record, {path}: {problem}; delete this file, or restore it")]
    Damaged {
        /// The record.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
}

/// Attaches a path to an I/O error.
pub(super) fn at(path: &Path) -> impl FnOnce(io::Error) -> DataFolderError {
    let path = path.to_owned();
    move |source| DataFolderError::Io { path, source }
}

/// An opened folder. The lock is released when this is dropped.
#[derive(Debug)]
pub(super) struct Folder {
    root: PathBuf,
    // Fields are dropped in order: the lock goes before the temporary folder does.
    _lock: File,
    _temporary: Option<tempfile::TempDir>,
}

impl Folder {
    pub(super) fn open(folder: &DataFolder) -> Result<Self, DataFolderError> {
        let (root, temporary) = match folder {
            DataFolder::At(path) => (path.clone(), None),
            DataFolder::Temporary => {
                let temporary = tempfile::Builder::new()
                    .prefix("rolebox-local-aws-")
                    .tempdir()
                    .map_err(at(&tempfile::env::temp_dir()))?;
                (temporary.path().to_owned(), Some(temporary))
            }
        };
        create_private(&root)?;
        // Another working directory later must not mean another folder.
        let root = root.canonicalize().map_err(at(&root))?;
        check_format(&root)?;

        let lock_path = root.join("lock");
        let lock = File::options().create(true).truncate(false).write(true).open(&lock_path).map_err(at(&lock_path))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(DataFolderError::InUse(root)),
            Err(TryLockError::Error(source)) => {
                return Err(DataFolderError::Io { path: lock_path, source });
            }
        }
        let format = root.join("format");
        fs::write(&format, FORMAT).map_err(at(&format))?;

        let folder = Self { root, _lock: lock, _temporary: temporary };
        create_private(&folder.buckets())?;
        // Left over from a process that ended in the middle of a deletion.
        let removed = folder.removed();
        match fs::remove_dir_all(&removed) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(at(&removed)(error));
            }
            _ => {}
        }
        create_private(&removed)?;
        Ok(folder)
    }

    pub(super) fn buckets(&self) -> PathBuf {
        self.root.join("buckets")
    }

    pub(super) fn bucket(&self, name: &str) -> PathBuf {
        self.buckets().join(name)
    }

    pub(super) fn removed(&self) -> PathBuf {
        self.root.join("removed")
    }
}

/// A folder that is not empty must say that it is one of ours, before anything in it is touched.
fn check_format(root: &Path) -> Result<(), DataFolderError> {
    let format = root.join("format");
    match fs::read(&format) {
        Ok(text) if text == FORMAT.as_bytes() => Ok(()),
        Ok(_) => Err(DataFolderError::Foreign(root.into())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            for entry in fs::read_dir(root).map_err(at(root))? {
                // A first start that was interrupted left the lock only.
                if entry.map_err(at(root))?.file_name() != "lock" {
                    return Err(DataFolderError::Foreign(root.into()));
                }
            }
            Ok(())
        }
        Err(error) => Err(at(&format)(error)),
    }
}

/// Makes a folder that only its owner can enter, if it does not exist.
pub(super) fn create_private(path: &Path) -> Result<(), DataFolderError> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path).map_err(at(path))
}
