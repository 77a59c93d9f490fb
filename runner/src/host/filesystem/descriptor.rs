//! An open file or folder of a guest, and what can be done with it.
//!
//! Each operation is one closure on a thread for blocking work, counted by [`FileWork`]. What changes something is
//! refused here where the mount is read-only, whatever the host's permissions say.

use std::fs::File;
use std::num::NonZeroU64;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use bytes::Bytes;
use rustix::fs::{Advice, AtFlags, CWD, FileType, Timespec, Timestamps, UTIME_NOW, UTIME_OMIT};
use rustix::io::{ReadWriteFlags, pwritev2};
use wasmtime_wasi::p2::bindings::filesystem::types::{DescriptorFlags, NewTimestamp};

use super::error::{ErrorCode, code, io_code};
use super::listing::{Listing, Preview1Entries};
use super::metadata::Metadata;
use super::open::{self, OpenOptions, Opened};
use super::path::{entry, folder_entry, locate};
use super::work::{FileWork, OpenSlot, Place};
use super::{TRANSFER_BYTES, listing};
use crate::settings::descriptor_path;

/// An open file or folder. Cheap to clone; it is closed with the last clone.
#[derive(Debug, Clone)]
pub(in crate::host) struct Descriptor(Arc<Open>);

#[derive(Debug)]
struct Open {
    /// Always there, until it is closed.
    file: Option<Arc<File>>,
    folder: bool,
    readable: bool,
    writable: bool,
    /// Whether the mount that it lies in may be changed.
    mutable: bool,
    work: FileWork,
    /// Mounts have none: their folders are open once, for all that start from them.
    slot: Option<OpenSlot>,
}

/// Where a write goes.
#[derive(Debug, Clone, Copy)]
pub(in crate::host) enum Direction {
    /// To this offset in bytes.
    At(u64),
    /// To the end, wherever that is when the system writes.
    End,
}

impl Drop for Open {
    /// Closing may wait for a server of the file system, so it is an operation like any other.
    fn drop(&mut self) {
        if let Some(slot) = self.slot.take() {
            self.work.close(self.file.take(), slot);
        }
    }
}

impl Descriptor {
    /// A folder that a container starts with.
    pub(super) fn mounted(folder: Arc<File>, mutable: bool, work: FileWork) -> Self {
        Self(Arc::new(Open {
            file: Some(folder),
            folder: true,
            readable: true,
            writable: mutable,
            mutable,
            work,
            slot: None,
        }))
    }

    pub(in crate::host) fn is_folder(&self) -> bool {
        self.0.folder
    }

    pub(in crate::host) fn readable(&self) -> bool {
        self.0.readable
    }

    pub(in crate::host) fn writable(&self) -> bool {
        self.0.writable
    }

    pub(super) fn flags(&self) -> DescriptorFlags {
        let all = [
            (self.0.readable, DescriptorFlags::READ),
            (self.0.writable && !self.0.folder, DescriptorFlags::WRITE),
            (self.0.mutable && self.0.folder, DescriptorFlags::MUTATE_DIRECTORY),
        ];
        let set = all.into_iter().filter(|(set, _)| *set);
        set.fold(DescriptorFlags::empty(), |flags, (_, flag)| flags | flag)
    }

    /// `is-directory` for a folder.
    pub(in crate::host) fn as_file(&self) -> Result<&Self, ErrorCode> {
        if self.0.folder { Err(ErrorCode::IsDirectory) } else { Ok(self) }
    }

    /// `not-directory` for a file.
    pub(in crate::host) fn as_folder(&self) -> Result<&Self, ErrorCode> {
        if self.0.folder { Ok(self) } else { Err(ErrorCode::NotDirectory) }
    }

    /// `not-permitted` where the mount is read-only.
    pub(in crate::host) fn as_mutable(&self) -> Result<&Self, ErrorCode> {
        if self.0.mutable { Ok(self) } else { Err(ErrorCode::NotPermitted) }
    }

    /// A place for an operation of the task, if one is free now.
    pub(super) fn free_place(&self) -> Option<Place> {
        self.0.work.free_place()
    }

    /// A place for an operation of the task.
    pub(super) async fn place(&self) -> Option<Place> {
        self.0.work.place().await
    }

    pub(super) fn fd(&self) -> BorrowedFd<'_> {
        self.0.file().as_fd()
    }

    /// Runs `body`, which gets the descriptor back, where it may block.
    async fn run<R, F>(&self, body: F) -> Result<R, ErrorCode>
    where
        F: FnOnce(BorrowedFd<'_>) -> Result<R, ErrorCode> + Send + 'static,
        R: Send + 'static,
    {
        let open = self.clone();
        self.0.work.run(move || body(open.fd())).await
    }

    pub(in crate::host) async fn metadata(&self) -> Result<Metadata, ErrorCode> {
        self.run(|file| Metadata::of(file)).await
    }

    pub(in crate::host) async fn metadata_at(&self, path: String, follow: bool) -> Result<Metadata, ErrorCode> {
        self.as_folder()?.run(move |folder| Metadata::of(locate(folder, &path, follow)?)).await
    }

    /// Reads up to `length` bytes. None at all means the end.
    pub(in crate::host) async fn read(&self, length: usize, offset: u64) -> Result<Vec<u8>, ErrorCode> {
        let open = self.as_file()?.clone();
        self.0.work.run(move || open.read_now(length, offset).map_err(|error| io_code(&error))).await
    }

    /// Writes a first part of `bytes`, and says how long it is.
    pub(in crate::host) async fn write(&self, bytes: Bytes, to: Direction) -> Result<usize, ErrorCode> {
        let open = self.as_file()?.as_mutable()?.clone();
        self.0.work.run(move || open.write_now(&bytes, to).map_err(|error| io_code(&error))).await
    }

    /// Reads where it is called.
    pub(super) fn read_now(&self, length: usize, offset: u64) -> std::io::Result<Vec<u8>> {
        let mut buffer = vec![0; length.min(TRANSFER_BYTES)];
        let read = loop {
            match self.0.file().read_at(&mut buffer, offset) {
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                read => break read?,
            }
        };
        buffer.truncate(read);
        Ok(buffer)
    }

    /// Writes where it is called.
    pub(super) fn write_now(&self, bytes: &[u8], to: Direction) -> std::io::Result<usize> {
        let part = &bytes[..bytes.len().min(TRANSFER_BYTES)];
        match to {
            Direction::At(offset) => self.0.file().write_at(part, offset),
            Direction::End => {
                let part = [std::io::IoSlice::new(part)];
                Ok(pwritev2(self.fd(), &part, 0, ReadWriteFlags::APPEND)?)
            }
        }
    }

    pub(in crate::host) async fn set_size(&self, size: u64) -> Result<(), ErrorCode> {
        self.as_file()?.as_mutable()?.run(move |file| rustix::fs::ftruncate(file, size).map_err(code)).await
    }

    pub(in crate::host) async fn advise(&self, offset: u64, length: u64, advice: Advice) -> Result<(), ErrorCode> {
        let length = NonZeroU64::new(length);
        self.as_file()?.run(move |file| rustix::fs::fadvise(file, offset, length, advice).map_err(code)).await
    }

    pub(in crate::host) async fn sync(&self, metadata_too: bool) -> Result<(), ErrorCode> {
        let folder = self.0.folder;
        self.run(move |file| {
            // A folder is open only to start from, and such a descriptor cannot be synchronised.
            let entries = folder.then(|| open::open_entries(file)).transpose()?;
            let file = entries.as_ref().map_or(file, AsFd::as_fd);
            if metadata_too { rustix::fs::fsync(file) } else { rustix::fs::fdatasync(file) }.map_err(code)
        })
        .await
    }

    pub(in crate::host) async fn set_times(&self, access: NewTimestamp, change: NewTimestamp) -> Result<(), ErrorCode> {
        let (times, folder) = (timestamps(access, change)?, self.0.folder);
        self.as_mutable()?
            .run(move |file| {
                if folder {
                    rustix::fs::utimensat(file, ".", &times, AtFlags::empty()).map_err(code)
                } else {
                    rustix::fs::futimens(file, &times).map_err(code)
                }
            })
            .await
    }

    pub(in crate::host) async fn set_times_at(
        &self,
        path: String,
        follow: bool,
        access: NewTimestamp,
        change: NewTimestamp,
    ) -> Result<(), ErrorCode> {
        let times = timestamps(access, change)?;
        self.as_folder()?
            .as_mutable()?
            .run(move |folder| {
                let found = locate(folder, &path, follow)?;
                // Through the descriptor that was found, without opening it: it may be a FIFO.
                rustix::fs::utimensat(CWD, descriptor_path(&found), &times, AtFlags::empty()).map_err(code)
            })
            .await
    }

    pub(in crate::host) async fn create_folder(&self, path: String) -> Result<(), ErrorCode> {
        self.as_folder()?.as_mutable()?.run(move |folder| open::create_folder(folder, &path)).await
    }

    pub(in crate::host) async fn remove_folder(&self, path: String) -> Result<(), ErrorCode> {
        self.as_folder()?
            .as_mutable()?
            .run(move |folder| {
                let old = folder_entry(folder, &path)?;
                rustix::fs::unlinkat(old.folder(), old.name.as_ref(), AtFlags::REMOVEDIR).map_err(code)
            })
            .await
    }

    pub(in crate::host) async fn remove_file(&self, path: String) -> Result<(), ErrorCode> {
        self.as_folder()?
            .as_mutable()?
            .run(move |folder| {
                let old = folder_entry(folder, &path)?;
                rustix::fs::unlinkat(old.folder(), old.name.as_ref(), AtFlags::empty()).map_err(code)
            })
            .await
    }

    pub(in crate::host) async fn rename(&self, path: String, to: &Self, new_path: String) -> Result<(), ErrorCode> {
        let to = to.as_folder()?.as_mutable()?.clone();
        self.as_folder()?
            .as_mutable()?
            .run(move |folder| {
                let (mut old, new) = (folder_entry(folder, &path)?, folder_entry(to.fd(), &new_path)?);
                if new.name.ends_with('/') && !old.name.ends_with('/') {
                    // Then what is renamed must be a folder; the kernel sees to it when the old name says so.
                    old.name.to_mut().push('/');
                }
                rustix::fs::renameat(old.folder(), old.name.as_ref(), new.folder(), new.name.as_ref()).map_err(code)
            })
            .await
    }

    /// Makes a hard link; a symbolic link in the old name's last place is linked itself.
    pub(in crate::host) async fn link(&self, path: String, to: &Self, new_path: String) -> Result<(), ErrorCode> {
        let to = to.as_folder()?.as_mutable()?.clone();
        self.as_folder()?
            .as_mutable()?
            .run(move |folder| {
                let (old, new) = (entry(folder, &path)?, entry(to.fd(), &new_path)?);
                let (name, new_name) = (old.name.as_ref(), new.name.as_ref());
                rustix::fs::linkat(old.folder(), name, new.folder(), new_name, AtFlags::empty()).map_err(code)
            })
            .await
    }

    /// Makes a symbolic link at `path` that points to `target`.
    pub(in crate::host) async fn symlink(&self, target: String, path: String) -> Result<(), ErrorCode> {
        self.as_folder()?.as_mutable()?.run(move |folder| open::create_link(folder, &target, &path)).await
    }

    pub(in crate::host) async fn read_link(&self, path: String) -> Result<String, ErrorCode> {
        self.as_folder()?
            .run(move |folder| {
                let found = locate(folder, &path, false)?;
                match Metadata::of(&found)?.file_type() {
                    FileType::Symlink => open::read_link(found.as_fd()),
                    _ => Err(ErrorCode::Invalid),
                }
            })
            .await
    }

    /// Opens a file or folder that `path` leads to.
    pub(in crate::host) async fn open(&self, path: String, options: OpenOptions) -> Result<Self, ErrorCode> {
        if options.changes() {
            self.as_mutable()?;
        }
        let slot = self.as_folder()?.0.work.open_slot().await?;
        let (work, mutable) = (self.0.work.clone(), self.0.mutable);
        self.run(move |folder| {
            let (file, folder) = match open::open(folder, &path, options)? {
                Opened::File(file) => (file, false),
                Opened::Folder(file) => (file, true),
            };
            Ok(Self(Arc::new(Open {
                file: Some(Arc::new(file)),
                folder,
                readable: options.readable(),
                writable: options.writable(),
                mutable,
                work,
                slot: Some(slot),
            })))
        })
        .await
    }

    /// A folder's entries, to be read as they are asked for. It counts as one more open folder.
    pub(in crate::host) async fn list(&self) -> Result<Listing, ErrorCode> {
        let slot = self.as_folder()?.0.work.open_slot().await?;
        let work = self.0.work.clone();
        let entries = self
            .run(move |folder| {
                let file = Some(Arc::new(open::open_entries(folder)?));
                let open = Open {
                    file,
                    folder: true,
                    readable: true,
                    writable: false,
                    mutable: false,
                    work,
                    slot: Some(slot),
                };
                Ok(Self(Arc::new(open)))
            })
            .await?;
        Ok(Listing::new(entries))
    }

    /// Reads entries where it is called; only for what [`Descriptor::list`] opened.
    pub(super) async fn next_entries(&self) -> Result<listing::Batch, ErrorCode> {
        self.run(listing::read_batch).await
    }

    /// A part of a folder's entries, from `cookie`, in preview 1's form: at least `bytes` long, but for the last part.
    pub(in crate::host) async fn preview1_entries(
        &self,
        cookie: u64,
        bytes: usize,
    ) -> Result<Preview1Entries, ErrorCode> {
        self.as_folder()?.run(move |folder| listing::read_preview1(folder, cookie, bytes)).await
    }
}

impl Open {
    fn file(&self) -> &File {
        self.file.as_deref().expect("an open file is closed last")
    }
}

fn timestamps(access: NewTimestamp, change: NewTimestamp) -> Result<Timestamps, ErrorCode> {
    Ok(Timestamps { last_access: timespec(access)?, last_modification: timespec(change)? })
}

fn timespec(time: NewTimestamp) -> Result<Timespec, ErrorCode> {
    const NANOSECONDS: u32 = 1_000_000_000;
    match time {
        NewTimestamp::NoChange => Ok(Timespec { tv_sec: 0, tv_nsec: UTIME_OMIT }),
        NewTimestamp::Now => Ok(Timespec { tv_sec: 0, tv_nsec: UTIME_NOW }),
        NewTimestamp::Timestamp(time) => {
            let whole = time.seconds.checked_add((time.nanoseconds / NANOSECONDS).into());
            let tv_sec = whole.and_then(|whole| i64::try_from(whole).ok()).ok_or(ErrorCode::Overflow)?;
            Ok(Timespec { tv_sec, tv_nsec: (time.nanoseconds % NANOSECONDS).into() })
        }
    }
}
