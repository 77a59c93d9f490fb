//! Between preview 1's types and ours.

use wasmtime_wasi::p1::types::{self, Errno, Error};
use wasmtime_wasi::p2::bindings::clocks::wall_clock::Datetime;
use wasmtime_wasi::p2::bindings::filesystem::types::{DescriptorType, ErrorCode, NewTimestamp};

use super::descriptors::OpenFile;
use crate::host::filesystem::Metadata;

const NANOSECONDS: u64 = 1_000_000_000;

/// Preview 1 has one number for a device, and a guest has no use for the host's.
const DEVICE: u64 = 1;

/// What asks that each write reach the disk first, which is not offered.
pub(super) const SYNCHRONOUS: types::Fdflags =
    types::Fdflags::SYNC.union(types::Fdflags::DSYNC).union(types::Fdflags::RSYNC);

pub(super) fn follows(flags: types::Lookupflags) -> bool {
    flags.contains(types::Lookupflags::SYMLINK_FOLLOW)
}

/// Too many open files have an error of their own in preview 1.
pub(super) fn opening(error: ErrorCode) -> Error {
    match error {
        ErrorCode::InsufficientMemory => Errno::Mfile.into(),
        error => error.into(),
    }
}

pub(super) fn file_status(file: &OpenFile) -> types::Fdstat {
    let mut rights = types::Rights::all();
    if !file.descriptor.readable() {
        rights.remove(types::Rights::FD_READ | types::Rights::FD_READDIR);
    }
    if !file.descriptor.writable() {
        rights.remove(types::Rights::FD_WRITE);
    }
    types::Fdstat {
        fs_filetype: types::Filetype::RegularFile,
        fs_flags: file.flags,
        fs_rights_base: rights,
        fs_rights_inheriting: rights,
    }
}

/// Folders have every right that preview 1 knows of one; what a mount allows shows when it is used.
pub(super) fn folder_status() -> types::Fdstat {
    let of_files = types::Rights::FD_SEEK
        | types::Rights::FD_TELL
        | types::Rights::FD_READ
        | types::Rights::FD_WRITE
        | types::Rights::FD_ALLOCATE
        | types::Rights::FD_ADVISE
        | types::Rights::FD_FILESTAT_SET_SIZE
        | types::Rights::SOCK_SHUTDOWN
        | types::Rights::SOCK_ACCEPT;
    types::Fdstat {
        fs_filetype: types::Filetype::Directory,
        fs_flags: types::Fdflags::empty(),
        fs_rights_base: types::Rights::all().difference(of_files),
        fs_rights_inheriting: types::Rights::all(),
    }
}

pub(super) fn filestat(metadata: &Metadata) -> types::Filestat {
    let stat = metadata.stat();
    types::Filestat {
        dev: DEVICE,
        ino: metadata.identity(),
        filetype: filetype(stat.type_),
        nlink: stat.link_count,
        size: stat.size,
        atim: timestamp(stat.data_access_timestamp),
        mtim: timestamp(stat.data_modification_timestamp),
        ctim: timestamp(stat.status_change_timestamp),
    }
}

/// Preview 1 has no word for a FIFO.
fn filetype(type_: DescriptorType) -> types::Filetype {
    match type_ {
        DescriptorType::BlockDevice => types::Filetype::BlockDevice,
        DescriptorType::CharacterDevice => types::Filetype::CharacterDevice,
        DescriptorType::Directory => types::Filetype::Directory,
        DescriptorType::RegularFile => types::Filetype::RegularFile,
        DescriptorType::SymbolicLink => types::Filetype::SymbolicLink,
        DescriptorType::Socket => types::Filetype::SocketStream,
        DescriptorType::Fifo | DescriptorType::Unknown => types::Filetype::Unknown,
    }
}

/// In nanoseconds since 1970; 0 for what preview 1 cannot say.
fn timestamp(time: Option<Datetime>) -> types::Timestamp {
    let nanoseconds = time.and_then(|time| time.seconds.checked_mul(NANOSECONDS)?.checked_add(time.nanoseconds.into()));
    nanoseconds.unwrap_or_default()
}

/// New times of access and of change.
pub(super) fn new_times(
    access: types::Timestamp,
    change: types::Timestamp,
    flags: types::Fstflags,
) -> Result<(NewTimestamp, NewTimestamp), Error> {
    let time = |given, now, time| match (flags.contains(given), flags.contains(now)) {
        (true, true) => Err(Errno::Inval),
        (true, false) => Ok(NewTimestamp::Timestamp(datetime(time))),
        (false, true) => Ok(NewTimestamp::Now),
        (false, false) => Ok(NewTimestamp::NoChange),
    };
    let access = time(types::Fstflags::ATIM, types::Fstflags::ATIM_NOW, access)?;
    let change = time(types::Fstflags::MTIM, types::Fstflags::MTIM_NOW, change)?;
    Ok((access, change))
}

fn datetime(time: types::Timestamp) -> Datetime {
    let nanoseconds = u32::try_from(time % NANOSECONDS).unwrap_or_default();
    Datetime { seconds: time / NANOSECONDS, nanoseconds }
}
