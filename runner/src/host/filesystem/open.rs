//! Opening what a name leads to: a regular file or a folder, and nothing else.
//!
//! What the name leads to is found first and opened afterwards, through the descriptor that was found, so it cannot be
//! exchanged for a FIFO in between. What is not there yet is created with `O_EXCL`, which opens nothing that exists.

use std::fs::File;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{CWD, FileType, Mode, OFlags, openat, readlinkat};

use super::error::{ErrorCode, code};
use super::metadata::Metadata;
use super::path::{entry, locate, resolve};
use crate::settings::descriptor_path;

/// Symbolic links that are followed to find where a file is to be created, as many as the kernel follows.
const MAX_LINKS: usize = 40;

/// How often opening is tried again because a file came and went meanwhile.
const ATTEMPTS: usize = 16;

/// The permissions of a new file, of which the process's mask takes some: those of any program.
const NEW_FILE: Mode = Mode::from_raw_mode(0o666);

/// What a guest asks of an opening.
#[derive(Debug, Clone, Copy, Default)]
pub(in crate::host) struct OpenOptions {
    pub(in crate::host) read: bool,
    pub(in crate::host) write: bool,
    pub(in crate::host) create: bool,
    pub(in crate::host) exclusive: bool,
    pub(in crate::host) truncate: bool,
    pub(in crate::host) directory: bool,
    /// Whether a symbolic link in the last place is followed.
    pub(in crate::host) follow: bool,
}

/// What was opened.
#[derive(Debug)]
pub(super) enum Opened {
    File(File),
    /// Only to start from (`O_PATH`).
    Folder(File),
}

impl OpenOptions {
    /// Whether the opening may change something.
    pub(super) fn changes(self) -> bool {
        self.write || self.create || self.truncate
    }

    /// Whether bytes can be written to what is opened.
    pub(super) fn writable(self) -> bool {
        self.write || self.truncate
    }

    /// Whether bytes can be read from what is opened.
    pub(super) fn readable(self) -> bool {
        self.read || !self.writable()
    }

    fn access(self) -> OFlags {
        let mode = match (self.readable(), self.writable()) {
            (true, true) => OFlags::RDWR,
            (false, true) => OFlags::WRONLY,
            (_, false) => OFlags::RDONLY,
        };
        if self.truncate { mode | OFlags::TRUNC } else { mode }
    }
}

/// Opens what `path` leads to from `start`.
pub(super) fn open(start: BorrowedFd<'_>, path: &str, options: OpenOptions) -> Result<Opened, ErrorCode> {
    if options.directory && (options.create || options.exclusive || options.truncate) {
        return Err(ErrorCode::Invalid);
    }
    if options.create && options.exclusive {
        return create(start, path, options);
    }
    let mut path = path.to_owned();
    let (mut links, mut attempts) = (0, 0);
    loop {
        match locate(start, &path, options.follow) {
            Ok(found) => return open_found(found, options),
            Err(ErrorCode::NoEntry) if options.create => {}
            Err(error) => return Err(error),
        }
        match create(start, &path, options) {
            // Something has the name that leads nowhere: a link to what is not there, or a file that came this moment.
            Err(ErrorCode::Exist) => match link_target(start, &path)? {
                Some(target) if links < MAX_LINKS => (path, links) = (target, links + 1),
                Some(_) => return Err(ErrorCode::Loop),
                None if attempts < ATTEMPTS => attempts += 1,
                None => return Err(ErrorCode::Busy),
            },
            created => return created,
        }
    }
}

/// Creates a file that was not there.
fn create(start: BorrowedFd<'_>, path: &str, options: OpenOptions) -> Result<Opened, ErrorCode> {
    let flags = options.access().difference(OFlags::TRUNC) | OFlags::CREATE | OFlags::EXCL;
    resolve(start, path, flags, NEW_FILE).map(|file| Opened::File(file.into()))
}

/// Opens what was found, if it may be.
fn open_found(found: OwnedFd, options: OpenOptions) -> Result<Opened, ErrorCode> {
    match Metadata::of(&found)?.file_type() {
        FileType::RegularFile if options.directory => Err(ErrorCode::NotDirectory),
        FileType::RegularFile => reopen(&found, options.access()).map(Opened::File),
        FileType::Directory if options.changes() => Err(ErrorCode::IsDirectory),
        FileType::Directory => Ok(Opened::Folder(found.into())),
        // It was asked not to be followed.
        FileType::Symlink => Err(ErrorCode::Loop),
        _ if options.directory => Err(ErrorCode::NotDirectory),
        _ => Err(ErrorCode::NotPermitted),
    }
}

/// Opens the regular file that `found` is, whatever its name leads to by now.
fn reopen(found: &OwnedFd, flags: OFlags) -> Result<File, ErrorCode> {
    openat(CWD, descriptor_path(found), flags | OFlags::CLOEXEC | OFlags::NOCTTY, Mode::empty())
        .map(File::from)
        .map_err(code)
}

/// Where the symbolic link `path` points to, as a name from `start`; `None` if it is no symbolic link.
fn link_target(start: BorrowedFd<'_>, path: &str) -> Result<Option<String>, ErrorCode> {
    let found = match locate(start, path, false) {
        Ok(found) => found,
        Err(ErrorCode::NoEntry) => return Ok(None),
        Err(error) => return Err(error),
    };
    if Metadata::of(&found)?.file_type() != FileType::Symlink {
        return Ok(None);
    }
    let target = read_link(found.as_fd())?;
    // The kernel resolves the new name from `start` as it would have resolved the link.
    Ok(Some(match path.rsplit_once('/') {
        Some((head, _)) => format!("{head}/{target}"),
        None => target,
    }))
}

/// The content of an open symbolic link. An absolute one names the host's folders, which is not a guest's to read.
pub(super) fn read_link(link: BorrowedFd<'_>) -> Result<String, ErrorCode> {
    let target = readlinkat(link, "", Vec::new()).map_err(|errno| match errno {
        // What an empty name says of something that is no symbolic link.
        rustix::io::Errno::NOENT => ErrorCode::Invalid,
        errno => code(errno),
    })?;
    let target = target.into_string().map_err(|_| ErrorCode::IllegalByteSequence)?;
    if target.starts_with('/') { Err(ErrorCode::NotPermitted) } else { Ok(target) }
}

/// Opens the folder that `start` is, to read its entries.
pub(super) fn open_entries(start: BorrowedFd<'_>) -> Result<File, ErrorCode> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    openat(start, ".", flags, Mode::empty()).map(File::from).map_err(code)
}

/// Makes a folder, with the permissions that the process's mask leaves.
pub(super) fn create_folder(start: BorrowedFd<'_>, path: &str) -> Result<(), ErrorCode> {
    let new = super::path::folder_entry(start, path)?;
    rustix::fs::mkdirat(new.folder(), new.name.as_ref(), Mode::from_raw_mode(0o777)).map_err(code)
}

/// Makes a symbolic link that does not point to an absolute name: programs of the host might follow that one.
pub(super) fn create_link(start: BorrowedFd<'_>, target: &str, path: &str) -> Result<(), ErrorCode> {
    if target.starts_with('/') {
        return Err(ErrorCode::NotPermitted);
    }
    let new = entry(start, path)?;
    rustix::fs::symlinkat(target, new.folder(), new.name.as_ref()).map_err(code)
}
