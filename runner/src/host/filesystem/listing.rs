//! A folder's entries, read in parts: what the host holds does not grow with the folder.
//!
//! Preview 1's cookies are the kernel's own (`d_off`), so that a guest can go on from any entry, also after others were
//! removed, and nothing is kept between its calls. <https://man7.org/linux/man-pages/man2/getdents.2.html>

use std::collections::VecDeque;
use std::os::fd::BorrowedFd;

use rustix::fs::{AtFlags, FileType, RawDir, RawDirEntry, SeekFrom, seek, statat};
use wasmtime_wasi::p2::bindings::filesystem::types::DirectoryEntry;

use super::descriptor::Descriptor;
use super::error::{ErrorCode, code};
use super::metadata::{Metadata, descriptor_type, identity};
use super::open::open_entries;

/// The kernel's buffer of a part, in bytes: some hundred entries.
const PART_BYTES: usize = 8 << 10;

/// The most of preview 1's entries that are read at once, in bytes.
const MAX_PREVIEW1_BYTES: usize = 32 << 10;

/// Room for one entry of the longest name, in bytes: the kernel answers `EINVAL` where none fits.
const MIN_PART_BYTES: usize = 1 << 10;

/// The length of preview 1's `dirent`, in bytes; the name follows it.
/// <https://github.com/WebAssembly/WASI/blob/wasi-0.1/preview1/docs.md#dirent>
const DIRENT_BYTES: usize = 24;

/// A folder that is being listed for WASI 0.2.
#[derive(Debug)]
pub(in crate::host) struct Listing {
    entries: Descriptor,
    read: VecDeque<Result<DirectoryEntry, ErrorCode>>,
    ended: bool,
}

/// Some entries, and whether they are the last ones.
#[derive(Debug)]
pub(super) struct Batch {
    entries: VecDeque<Result<DirectoryEntry, ErrorCode>>,
    ended: bool,
}

impl Listing {
    /// `entries` was opened to be listed.
    pub(super) fn new(entries: Descriptor) -> Self {
        Self { entries, read: VecDeque::new(), ended: false }
    }

    /// The next entry, without `.` and `..`. One whose name is not UTF-8 is an error, and the next one follows it.
    pub(super) async fn next(&mut self) -> Result<Option<DirectoryEntry>, ErrorCode> {
        while self.read.is_empty() && !self.ended {
            let batch = self.entries.next_entries().await?;
            (self.read, self.ended) = (batch.entries, batch.ended);
        }
        self.read.pop_front().transpose()
    }
}

/// Reads on in a folder that was opened to be listed.
pub(super) fn read_batch(folder: BorrowedFd<'_>) -> Result<Batch, ErrorCode> {
    let mut buffer = Vec::with_capacity(PART_BYTES);
    let mut raw = RawDir::new(folder, buffer.spare_capacity_mut());
    let mut entries = VecDeque::new();
    loop {
        let Some(entry) = raw.next() else { return Ok(Batch { entries, ended: true }) };
        let entry = entry.map_err(code)?;
        if !matches!(entry.file_name().to_bytes(), b"." | b"..") {
            let name = entry.file_name().to_str().map_err(|_| ErrorCode::IllegalByteSequence);
            let type_ = descriptor_type(file_type(folder, &entry));
            entries.push_back(name.map(|name| DirectoryEntry { type_, name: name.to_owned() }));
        }
        if raw.is_buffer_empty() {
            return Ok(Batch { entries, ended: false });
        }
    }
}

/// Not every file system tells an entry's type beside its name.
fn file_type(folder: BorrowedFd<'_>, entry: &RawDirEntry<'_>) -> FileType {
    match entry.file_type() {
        FileType::Unknown => statat(folder, entry.file_name(), AtFlags::SYMLINK_NOFOLLOW)
            .map_or(FileType::Unknown, |stat| FileType::from_raw_mode(stat.st_mode)),
        known => known,
    }
}

/// A part of a folder's entries as preview 1 lays them out.
#[derive(Debug)]
pub(in crate::host) struct Preview1Entries {
    /// Whole entries, one after the other.
    pub(in crate::host) bytes: Vec<u8>,
    /// Where the next part begins; `None` after the last one.
    pub(in crate::host) next: Option<u64>,
}

/// Reads entries from `cookie`, which is 0 at the start.
pub(super) fn read_preview1(folder: BorrowedFd<'_>, cookie: u64, wanted: usize) -> Result<Preview1Entries, ErrorCode> {
    let wanted = wanted.clamp(MIN_PART_BYTES, MAX_PREVIEW1_BYTES);
    let entries = open_entries(folder)?;
    let device = Metadata::of(&entries)?.device();
    if cookie != 0 {
        seek(&entries, SeekFrom::Start(cookie)).map_err(code)?;
    }
    let mut buffer = Vec::with_capacity(wanted);
    let mut raw = RawDir::new(&entries, buffer.spare_capacity_mut());
    let (mut bytes, mut next) = (Vec::with_capacity(wanted), cookie);
    while bytes.len() < wanted {
        let Some(entry) = raw.next() else { return Ok(Preview1Entries { bytes, next: None }) };
        let entry = entry.map_err(code)?;
        next = entry.next_entry_cookie();
        // Preview 1 takes any bytes for a name here. One that is not UTF-8 is shown, though no call can name it.
        let name = entry.file_name().to_bytes();
        let length = u32::try_from(name.len()).map_err(|_| ErrorCode::Overflow)?;
        bytes.extend_from_slice(&next.to_le_bytes());
        bytes.extend_from_slice(&identity(device, entry.ino()).to_le_bytes());
        bytes.extend_from_slice(&length.to_le_bytes());
        bytes.extend_from_slice(&[preview1_type(file_type(folder, &entry)), 0, 0, 0]);
        bytes.extend_from_slice(name);
    }
    Ok(Preview1Entries { bytes, next: Some(next) })
}

/// Preview 1's `filetype`. It has no word for a FIFO.
/// <https://github.com/WebAssembly/WASI/blob/wasi-0.1/preview1/docs.md#filetype>
pub(in crate::host) fn preview1_type(file_type: FileType) -> u8 {
    match file_type {
        FileType::BlockDevice => 1,
        FileType::CharacterDevice => 2,
        FileType::Directory => 3,
        FileType::RegularFile => 4,
        FileType::Socket => 6,
        FileType::Symlink => 7,
        FileType::Fifo | FileType::Unknown => 0,
    }
}

const _: () = assert!(DIRENT_BYTES == 8 + 8 + 4 + 4);

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::os::fd::AsFd;

    use super::*;

    const ENTRIES: usize = 5_000;

    /// More entries than fit into a part, and the longest name that there can be.
    fn many() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for number in 1..ENTRIES {
            std::fs::write(folder.path().join(number.to_string()), "").unwrap();
        }
        std::fs::write(folder.path().join("n".repeat(255)), "").unwrap();
        folder
    }

    #[test]
    fn parts_are_bounded_and_make_up_the_whole() {
        let folder = many();
        let entries = open_entries(File::open(folder.path()).unwrap().as_fd()).unwrap();
        let mut names = std::collections::BTreeSet::new();
        loop {
            let batch = read_batch(entries.as_fd()).unwrap();
            assert!(batch.entries.len() <= PART_BYTES / DIRENT_BYTES);
            names.extend(batch.entries.into_iter().map(|entry| entry.unwrap().name));
            if batch.ended {
                break;
            }
        }
        assert_eq!(names.len(), ENTRIES);
    }

    #[test]
    fn preview_1_goes_on_from_any_entry_also_when_others_are_gone() {
        let folder = many();
        let open = File::open(folder.path()).unwrap();
        for wanted in [1, 4_096, usize::MAX] {
            let (mut cookie, mut bytes) = (Some(0), 0);
            while let Some(at) = cookie {
                let part = read_preview1(open.as_fd(), at, wanted).unwrap();
                assert!(part.bytes.len() < MAX_PREVIEW1_BYTES + DIRENT_BYTES + 256);
                (bytes, cookie) = (bytes + part.bytes.len(), part.next);
            }
            let names: usize = (1..ENTRIES).map(|number| number.to_string().len()).sum();
            assert_eq!(bytes, (ENTRIES + 2) * DIRENT_BYTES + names + 255 + ".".len() + "..".len());
        }
        let first = read_preview1(open.as_fd(), 0, 4_096).unwrap();
        for number in 1..ENTRIES {
            std::fs::remove_file(folder.path().join(number.to_string())).unwrap();
        }
        assert!(read_preview1(open.as_fd(), first.next.unwrap(), 4_096).is_ok());
    }

    #[test]
    fn a_cookie_that_nobody_gave_is_an_error_or_an_end() {
        let folder = tempfile::tempdir().unwrap();
        let open = File::open(folder.path()).unwrap();
        for cookie in [1, 77, u64::MAX / 2, u64::MAX] {
            let part = read_preview1(open.as_fd(), cookie, 4_096);
            assert!(part.as_ref().map_or(true, |part| part.next.is_none()), "{cookie}: {part:?}");
        }
    }
}
