//! Whether a folder is one that only this user, or root, can have put something into.
//!
//! That takes more than looking at the folder: who can write to one that it lies in could move another in its place. So
//! the path is walked as the system walks it, symbolic links and all, and every folder on the way must belong to root or
//! this user and be writable to nobody else; where others may write but the sticky bit keeps them from each other's
//! files, as in `/tmp`, it is enough that the next one on the way belongs to root or this user.

use std::ffi::OsString;
use std::fs::{self, DirBuilder, File, Metadata};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Component, Path, PathBuf};

use rustix::fs::{Mode, OFlags};

use super::CacheError;

/// Bits of a mode that let somebody other than the owner write.
const OTHERS_WRITE: u32 = 0o022;

/// The bit that keeps those who may write to a folder from renaming and removing what is not theirs.
const STICKY: u32 = 0o1000;

/// Symbolic links on one way, as many as Linux follows.
const MAX_LINKS: u32 = 40;

const OF_ANOTHER: &str = "it belongs to another user";
const WRITABLE: &str = "its group or others may write to it; `chmod go-w` it or delete it";

/// Opens the folder at `path`, or says that there is none.
pub(super) fn open(path: &Path) -> Result<Option<File>, CacheError> {
    let failed = |source: io::Error| CacheError::Io { path: path.to_owned(), source };
    let Some(real) = walk(path)? else { return Ok(None) };
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let folder = match rustix::fs::openat(rustix::fs::CWD, &real, flags, Mode::empty()) {
        Ok(folder) => File::from(folder),
        Err(rustix::io::Errno::NOENT) => return Ok(None),
        Err(error) => return Err(failed(error.into())),
    };
    let metadata = folder.metadata().map_err(failed)?;
    match mine(&metadata) {
        Ok(()) => Ok(Some(folder)),
        Err(reason) => Err(CacheError::Untrusted { path: real, reason }),
    }
}

/// The same, made where it is missing, for this user alone.
pub(super) fn create(path: &Path) -> Result<File, CacheError> {
    if let Some(folder) = open(path)? {
        return Ok(folder);
    }
    let failed = |source| CacheError::Io { path: path.to_owned(), source };
    // What there is of the way was found to be trusted, so nobody else makes the rest of it.
    DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(failed)?;
    open(path)?.ok_or_else(|| failed(io::ErrorKind::NotFound.into()))
}

/// Whether an open file is a regular one that only this user can have written.
pub(super) fn owned(file: &File) -> Result<(), &'static str> {
    let metadata = file.metadata().map_err(|_| "it cannot be looked at")?;
    if !metadata.is_file() {
        return Err("it is not a regular file");
    }
    mine(&metadata)
}

fn mine(metadata: &Metadata) -> Result<(), &'static str> {
    if metadata.uid() != rustix::process::geteuid().as_raw() {
        Err(OF_ANOTHER)
    } else if metadata.mode() & OTHERS_WRITE != 0 {
        Err(WRITABLE)
    } else {
        Ok(())
    }
}

fn roots_or_mine(metadata: &Metadata) -> Result<(), &'static str> {
    let owner = metadata.uid();
    if owner != 0 && owner != rustix::process::geteuid().as_raw() { Err(OF_ANOTHER) } else { Ok(()) }
}

/// The path without symbolic links, every step of it trusted; `None` where a part of it is missing.
fn walk(path: &Path) -> Result<Option<PathBuf>, CacheError> {
    let failed = |path: &Path, source| CacheError::Io { path: path.to_owned(), source };
    let absolute = std::path::absolute(path).map_err(|error| failed(path, error))?;
    let mut left = parts(&absolute);
    let (mut here, mut links) = (PathBuf::from("/"), 0);
    while let Some(part) = left.pop() {
        let metadata = fs::symlink_metadata(&here).map_err(|error| failed(&here, error))?;
        holds(&metadata).map_err(|reason| CacheError::Untrusted { path: here.clone(), reason })?;
        if part == ".." {
            here.pop();
            continue;
        }
        let next = here.join(&part);
        let metadata = match fs::symlink_metadata(&next) {
            Ok(metadata) => metadata,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed(&next, error)),
        };
        roots_or_mine(&metadata).map_err(|reason| CacheError::Untrusted { path: next.clone(), reason })?;
        if !metadata.is_symlink() {
            here = next;
            continue;
        }
        links += 1;
        if links > MAX_LINKS {
            return Err(failed(&next, io::Error::other("too many symbolic links")));
        }
        let target = fs::read_link(&next).map_err(|error| failed(&next, error))?;
        if target.is_absolute() {
            here = PathBuf::from("/");
        }
        left.extend(parts(&target));
    }
    Ok(Some(here))
}

/// Whether what lies in this folder was put there, and can be moved, by root or this user only, or is protected from
/// others one by one.
fn holds(metadata: &Metadata) -> Result<(), &'static str> {
    roots_or_mine(metadata)?;
    if metadata.mode() & OTHERS_WRITE != 0 && metadata.mode() & STICKY == 0 { Err(WRITABLE) } else { Ok(()) }
}

/// The names on the way, the first one last.
fn parts(path: &Path) -> Vec<OsString> {
    let parts = path.components().filter_map(|part| match part {
        Component::Normal(name) => Some(name.to_owned()),
        Component::ParentDir => Some(OsString::from("..")),
        Component::RootDir | Component::CurDir | Component::Prefix(_) => None,
    });
    let mut parts: Vec<_> = parts.collect();
    parts.reverse();
    parts
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, chown, symlink};

    use super::*;

    fn set_mode(path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("a mode");
    }

    /// A folder three deep, which starts trusted.
    fn nested() -> (tempfile::TempDir, PathBuf) {
        let outer = tempfile::tempdir().expect("a folder");
        let inner = outer.path().join("a/b");
        fs::create_dir_all(&inner).expect("folders");
        for folder in [outer.path(), &outer.path().join("a"), &inner] {
            set_mode(folder, 0o700);
        }
        (outer, inner)
    }

    fn refused(path: &Path, place: &Path, reason: &str) {
        match open(path) {
            Err(CacheError::Untrusted { path, reason: found }) => {
                assert_eq!(path, place.canonicalize().expect("the place"));
                assert_eq!(found, reason);
            }
            other => panic!("{} was not refused: {other:?}", path.display()),
        }
    }

    #[test]
    fn a_folder_of_ones_own_is_trusted_and_one_that_is_missing_is_made_so() {
        let (outer, inner) = nested();
        assert!(open(&inner).expect("trusted").is_some());
        let missing = outer.path().join("c/d");
        assert!(open(&missing).expect("nothing there").is_none());
        create(&missing).expect("made");
        let mode = fs::metadata(&missing).expect("made").permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
    }

    #[test]
    fn every_folder_on_the_way_counts() {
        let (outer, inner) = nested();
        let middle = outer.path().join("a");
        for (place, mode) in [(inner.as_path(), 0o720), (&middle, 0o702), (outer.path(), 0o777)] {
            set_mode(place, mode);
            refused(&inner, place, WRITABLE);
            if place != inner {
                // Where others cannot move it, it is safe; the folder itself must be closed to them all the same.
                set_mode(place, mode | STICKY);
                assert!(open(&inner).expect("sticky").is_some());
            }
            set_mode(place, 0o700);
        }
        set_mode(&inner, 0o1777);
        refused(&inner, &inner, WRITABLE);
    }

    #[test]
    fn nothing_is_made_where_others_could_have() {
        let (outer, inner) = nested();
        set_mode(&inner, 0o777);
        assert!(matches!(create(&inner.join("cache")), Err(CacheError::Untrusted { .. })));
        assert!(!inner.join("cache").exists());
        drop(outer);
    }

    #[test]
    fn folders_of_other_users_are_not_trusted() {
        if !rustix::process::geteuid().is_root() {
            // Only root can give a folder away.
            let (_outer, inner) = nested();
            assert!(mine(&fs::metadata("/").expect("the root")).is_err());
            assert!(open(&inner).expect("trusted").is_some());
            return;
        }
        let (outer, inner) = nested();
        let middle = outer.path().join("a");
        for place in [&inner, &middle] {
            chown(place, Some(65_534), None).expect("given away");
            refused(&inner, place, OF_ANOTHER);
            chown(place, Some(0), None).expect("taken back");
        }
    }

    #[test]
    fn symbolic_links_are_followed_with_all_that_they_lead_through() {
        let (outer, inner) = nested();
        let (other, target) = nested();
        symlink(&target, inner.join("link")).expect("a link");
        let through = inner.join("link");
        assert!(open(&through).expect("trusted").is_some());
        // Both where the link lies and where it leads to.
        set_mode(&inner, 0o777);
        refused(&through, &inner, WRITABLE);
        set_mode(&inner, 0o700);
        set_mode(other.path(), 0o777);
        refused(&through, other.path(), WRITABLE);
        // Also in the middle of a chain, and relative.
        set_mode(other.path(), 0o700);
        let hop = outer.path().join("hop");
        fs::create_dir(&hop).expect("a folder");
        symlink(&target, hop.join("second")).expect("a link");
        symlink("../../hop/second", inner.join("first")).expect("a link");
        assert!(open(&inner.join("first")).expect("trusted").is_some());
        set_mode(&hop, 0o777);
        refused(&inner.join("first"), &hop, WRITABLE);
        symlink("loop", inner.join("loop")).expect("a link");
        assert!(matches!(open(&inner.join("loop")), Err(CacheError::Io { .. })));
    }
}
