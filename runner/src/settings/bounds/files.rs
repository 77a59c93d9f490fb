//! What a definition names on the host's disk: volumes and images, held to the folders that the operator allows.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use super::mounts::{Mounts, Shown};
use super::{Allowed, OperatorBounds};

/// Folders that hold the system's own interfaces: never a volume, whatever the bounds say.
const SYSTEM_FOLDERS: [&str; 3] = ["/proc", "/sys", "/dev"];

/// Why a file or folder is not given to a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refused {
    pub(super) why: String,
    /// Whether the operator could allow it.
    pub(super) can_be_allowed: bool,
}

impl Refused {
    fn for_good(why: impl Into<String>) -> Self {
        Self { why: why.into(), can_be_allowed: false }
    }
}

impl OperatorBounds {
    /// The image's file, if the operator allows it.
    ///
    /// It is loaded by the name that is returned, which is free of symbolic links. Who can write to a folder that images
    /// are allowed in decides what runs, so that nothing is gained by changing the name in between.
    pub(super) fn image_file(&self, image: &Path) -> Result<PathBuf, Refused> {
        let Allowed::Listed(folders) = &self.image_folders else { return Ok(image.to_owned()) };
        let allowed: Vec<_> = folders.iter().filter_map(|folder| folder.canonicalize().ok()).collect();
        // A name that is not there is the loader's to report, but only where the operator lets anybody look.
        let real = image.canonicalize().ok().or_else(|| {
            let missing = image.symlink_metadata().is_err();
            let parent = image.parent().filter(|_| missing)?.canonicalize().ok()?;
            Some(parent.join(image.file_name()?))
        });
        real.filter(|real| allowed.iter().any(|folder| real.starts_with(folder))).ok_or_else(|| Refused {
            why: format!("it lies in no folder that the operator allows images in: {}", shown_list(folders)),
            can_be_allowed: true,
        })
    }

    /// The volume's folder, opened, if the operator allows it.
    ///
    /// What is checked is where the open folder lies, and the open folder is what tasks get: nobody can move another one
    /// under its name in between, or between two starts of one prepared task.
    pub(super) fn volume_folder(&self, source: &Path) -> Result<File, Refused> {
        let folder = match open_folder(source) {
            Ok(folder) => folder,
            Err(error) if error.kind() == io::ErrorKind::NotADirectory => {
                return Err(Refused::for_good("it is not a folder"));
            }
            Err(error) => return Err(Refused::for_good(format!("{error}; make the folder first"))),
        };
        let untold = |error: io::Error| Refused::for_good(format!("its place cannot be told: {error}"));
        let real = path_of(&folder).map_err(untold)?;
        let mounts = Mounts::read().map_err(untold)?;
        let shown = mounts.shown_by(&folder, &real).map_err(untold)?;
        if self.reaches_what_is_never_mounted(&real, &shown, &mounts) {
            return Err(Refused::for_good("it is, holds or lies in a folder that is never mounted"));
        }
        let allowed = self.volume_folders.iter().filter_map(|folder| folder.canonicalize().ok());
        if allowed.into_iter().any(|allowed| real.starts_with(allowed)) {
            return Ok(folder);
        }
        let folders = shown_list(&self.volume_folders);
        Err(Refused {
            why: format!("it lies in no folder that the operator allows volumes in: {folders}"),
            can_be_allowed: true,
        })
    }

    /// By name, and by place too: a bind mount shows a folder under another name, and `/proc` can be mounted anywhere.
    fn reaches_what_is_never_mounted(&self, real: &Path, shown: &Shown, mounts: &Mounts) -> bool {
        let system = SYSTEM_FOLDERS.iter().map(PathBuf::from);
        let protected = self.protected.iter().map(|folder| resolved(folder));
        shown.kernel_interface()
            || system.chain(protected).any(|folder| {
                real.starts_with(&folder)
                    || folder.starts_with(real)
                    || mounts.shown_at(&folder).is_none_or(|protected| protected.overlaps(shown))
            })
    }
}

/// Paths for a message.
pub(super) fn shown_list(folders: &[PathBuf]) -> String {
    if folders.is_empty() {
        return "none".to_owned();
    }
    folders.iter().map(|folder| folder.display().to_string()).collect::<Vec<_>>().join(", ")
}

/// Opens a folder for what can be done with a folder; nothing that is none is opened, so no pipe is waited for.
fn open_folder(path: &Path) -> io::Result<File> {
    let flags = rustix::fs::OFlags::DIRECTORY.bits();
    OpenOptions::new().read(true).custom_flags(flags.cast_signed()).open(path)
}

/// Where an open folder lies now, without symbolic links.
fn path_of(folder: &File) -> io::Result<PathBuf> {
    std::fs::read_link(descriptor_path(folder))
}

/// The name under which Linux gives this process an open file or folder again, wherever it has been moved to.
/// <https://man7.org/linux/man-pages/man5/proc_pid_fd.5.html>
pub(crate) fn descriptor_path(file: &impl AsRawFd) -> PathBuf {
    PathBuf::from(format!("/proc/self/fd/{}", file.as_raw_fd()))
}

/// `path` without symbolic links, also where its last parts do not exist yet.
fn resolved(path: &Path) -> PathBuf {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    for ancestor in absolute.ancestors() {
        if let (Ok(real), Ok(rest)) = (ancestor.canonicalize(), absolute.strip_prefix(ancestor)) {
            return if rest.as_os_str().is_empty() { real } else { real.join(rest) };
        }
    }
    absolute
}
