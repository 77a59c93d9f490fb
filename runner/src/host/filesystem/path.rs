//! Where a name of a guest leads, resolved by the kernel beneath the folder that it starts from.

use std::borrow::Cow;
use std::fs::File;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{CWD, Mode, OFlags, ResolveFlags, openat, openat2};
use rustix::io::Errno;

use super::error::{ErrorCode, code};
use crate::settings::descriptor_path;

/// How often a name is resolved again that a rename somewhere on the system disturbed. `openat2` cannot tell then whether
/// a `..` was led out, and says so; each try is as likely to succeed as the first one.
const ATTEMPTS: usize = 64;

/// Resolves `path` from `folder` and opens what it names with `flags`.
///
/// Absolute names, and `..` and symbolic links that lead out, are `not-permitted`.
pub(super) fn resolve(folder: impl AsFd, path: &str, flags: OFlags, mode: Mode) -> Result<OwnedFd, ErrorCode> {
    let within = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS;
    for _ in 0..ATTEMPTS {
        match openat2(&folder, path, flags | OFlags::CLOEXEC, mode, within) {
            Ok(opened) => return Ok(opened),
            Err(Errno::AGAIN | Errno::INTR) => {}
            Err(Errno::XDEV) => return Err(ErrorCode::NotPermitted),
            Err(errno) => return Err(code(errno)),
        }
    }
    Err(ErrorCode::Busy)
}

/// What `path` names, not opened: only good to look at and to start from. Whether a symbolic link in the last place is
/// followed is `follow`'s to say.
pub(super) fn locate(folder: impl AsFd, path: &str, follow: bool) -> Result<OwnedFd, ErrorCode> {
    let last = if follow { OFlags::empty() } else { OFlags::NOFOLLOW };
    resolve(folder, path, OFlags::PATH | last, Mode::empty())
}

/// Fails where names cannot be resolved, or what they lead to cannot be opened, as this module's users need it.
pub(super) fn probe(folder: &File) -> Result<(), ErrorCode> {
    let found = locate(folder, ".", false)?;
    openat(CWD, descriptor_path(&found), OFlags::PATH | OFlags::CLOEXEC, Mode::empty()).map(drop).map_err(code)
}

/// The folder that holds an entry, and the entry's name in it.
pub(super) struct Entry<'a> {
    folder: Folder<'a>,
    /// One component, which may be `.`: never `..`, and never empty.
    pub(super) name: Cow<'a, str>,
}

enum Folder<'a> {
    Start(BorrowedFd<'a>),
    Below(OwnedFd),
}

impl Entry<'_> {
    pub(super) fn folder(&self) -> BorrowedFd<'_> {
        match &self.folder {
            Folder::Start(start) => *start,
            Folder::Below(below) => below.as_fd(),
        }
    }
}

/// Resolves all but the last component of `path`, for calls that create, remove or rename what the last one names.
///
/// A name that ends in `/`, `.` or `..` means the folder itself, and so is resolved whole, with `.` in its place.
pub(super) fn entry<'a>(folder: BorrowedFd<'a>, path: &'a str) -> Result<Entry<'a>, ErrorCode> {
    let (head, name) = split(path)?;
    let folder = if head.is_empty() {
        Folder::Start(folder)
    } else {
        Folder::Below(resolve(folder, head, OFlags::PATH | OFlags::DIRECTORY, Mode::empty())?)
    };
    Ok(Entry { folder, name: Cow::Borrowed(name) })
}

/// The same where a folder's name may end in `/`, as in `mkdir a/`: the slash stays with the last component, and the
/// kernel refuses what is no folder then. The calls that this is for never follow a link there.
pub(super) fn folder_entry<'a>(folder: BorrowedFd<'a>, path: &'a str) -> Result<Entry<'a>, ErrorCode> {
    let trimmed = path.trim_end_matches('/');
    if trimmed.is_empty() {
        return entry(folder, path);
    }
    let mut found = entry(folder, trimmed)?;
    if trimmed.len() < path.len() {
        found.name.to_mut().push('/');
    }
    Ok(found)
}

/// All but the last component, and the last one.
fn split(path: &str) -> Result<(&str, &str), ErrorCode> {
    if path.is_empty() {
        return Err(ErrorCode::NoEntry);
    }
    if path.starts_with('/') {
        return Err(ErrorCode::NotPermitted);
    }
    let (head, name) = path.rsplit_once('/').unwrap_or(("", path));
    if matches!(name, "" | "." | "..") { Ok((path, ".")) } else { Ok((head, name)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_component_is_a_plain_name_or_the_folder_itself() {
        let cases = [
            ("a", ("", "a")),
            ("a/b", ("a", "b")),
            ("a//b", ("a/", "b")),
            ("a/../b", ("a/..", "b")),
            ("a/", ("a/", ".")),
            (".", (".", ".")),
            ("..", ("..", ".")),
            ("a/..", ("a/..", ".")),
            ("a/.", ("a/.", ".")),
        ];
        for (path, parts) in cases {
            assert_eq!(split(path), Ok(parts), "{path}");
        }
        assert_eq!(split(""), Err(ErrorCode::NoEntry));
        for absolute in ["/", "/a", "//a/b"] {
            assert_eq!(split(absolute), Err(ErrorCode::NotPermitted), "{absolute}");
        }
    }

    #[test]
    fn no_name_leads_out_of_the_folder() {
        let outside = tempfile::tempdir().unwrap();
        let inside = outside.path().join("inside");
        std::fs::create_dir(&inside).unwrap();
        std::fs::write(outside.path().join("secret"), "").unwrap();
        let link = |target: &str, name: &str| std::os::unix::fs::symlink(target, inside.join(name)).unwrap();
        link("..", "up");
        link("/", "root");
        link("../secret", "secret");
        link("/proc/self/root", "magic");
        let folder = std::fs::File::open(&inside).unwrap();
        for path in ["..", "../secret", "/etc/passwd", "./../secret", "up", "up/secret", "root/etc", "secret", "magic"]
        {
            assert_eq!(locate(&folder, path, true).unwrap_err(), ErrorCode::NotPermitted, "{path}");
        }
        for path in ["../new", "up/new", "root/new", "/new", "../inside/.."] {
            assert_eq!(entry(folder.as_fd(), path).err(), Some(ErrorCode::NotPermitted), "{path}");
        }
        assert!(locate(&folder, "up", false).is_ok(), "the link itself is inside");
        assert!(locate(&folder, "up/../inside", true).is_err());
    }

    #[test]
    fn a_folder_keeps_its_slash() {
        let folder = tempfile::tempdir().unwrap();
        let open = std::fs::File::open(folder.path()).unwrap();
        assert_eq!(folder_entry(open.as_fd(), "a//").unwrap().name, "a/");
        assert_eq!(folder_entry(open.as_fd(), "a").unwrap().name, "a");
        assert_eq!(folder_entry(open.as_fd(), "/").err(), Some(ErrorCode::NotPermitted));
    }
}
