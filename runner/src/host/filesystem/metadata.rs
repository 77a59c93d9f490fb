//! What is known about a file without opening it.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::os::fd::AsFd;

use rustix::fs::{FileType, Stat, fstat};
use wasmtime_wasi::p2::bindings::clocks::wall_clock::Datetime;
use wasmtime_wasi::p2::bindings::filesystem::types::{DescriptorStat, DescriptorType, MetadataHashValue};

use super::error::{ErrorCode, code};

/// Makes the second half of a hash from the first one: one number tells files apart, and WASI asks for two.
const SECOND_HALF: u64 = 0x9e37_79b9_7f4a_7c15;

/// The metadata of one file.
#[derive(Debug, Clone, Copy)]
pub(in crate::host) struct Metadata(Stat);

impl Metadata {
    pub(super) fn of(file: impl AsFd) -> Result<Self, ErrorCode> {
        fstat(file).map(Self).map_err(code)
    }

    pub(super) fn file_type(&self) -> FileType {
        FileType::from_raw_mode(self.0.st_mode)
    }

    /// The device that the file lies on.
    pub(super) fn device(&self) -> u64 {
        self.0.st_dev
    }

    pub(super) fn is_same_file(&self, other: &Self) -> bool {
        (self.0.st_dev, self.0.st_ino) == (other.0.st_dev, other.0.st_ino)
    }

    /// What preview 1 calls the inode.
    pub(in crate::host) fn identity(&self) -> u64 {
        identity(self.0.st_dev, self.0.st_ino)
    }

    pub(super) fn hash(&self) -> MetadataHashValue {
        let lower = self.identity();
        MetadataHashValue { lower, upper: lower ^ SECOND_HALF }
    }

    pub(in crate::host) fn stat(&self) -> DescriptorStat {
        DescriptorStat {
            type_: descriptor_type(self.file_type()),
            #[allow(clippy::useless_conversion, reason = "the field's width differs by architecture")]
            link_count: self.0.st_nlink.into(),
            size: u64::try_from(self.0.st_size).unwrap_or_default(),
            data_access_timestamp: datetime(self.0.st_atime, self.0.st_atime_nsec),
            data_modification_timestamp: datetime(self.0.st_mtime, self.0.st_mtime_nsec),
            status_change_timestamp: datetime(self.0.st_ctime, self.0.st_ctime_nsec),
        }
    }
}

/// One number that tells files apart, of the two that the system has.
pub(super) fn identity(device: u64, inode: u64) -> u64 {
    let mut hasher = DefaultHasher::new();
    (device, inode).hash(&mut hasher);
    hasher.finish()
}

pub(super) fn descriptor_type(file_type: FileType) -> DescriptorType {
    match file_type {
        FileType::RegularFile => DescriptorType::RegularFile,
        FileType::Directory => DescriptorType::Directory,
        FileType::Symlink => DescriptorType::SymbolicLink,
        FileType::Fifo => DescriptorType::Fifo,
        FileType::Socket => DescriptorType::Socket,
        FileType::CharacterDevice => DescriptorType::CharacterDevice,
        FileType::BlockDevice => DescriptorType::BlockDevice,
        FileType::Unknown => DescriptorType::Unknown,
    }
}

/// `None` before 1970, which WASI's clock cannot say.
fn datetime(seconds: i64, nanoseconds: impl TryInto<u32>) -> Option<Datetime> {
    Some(Datetime { seconds: seconds.try_into().ok()?, nanoseconds: nanoseconds.try_into().ok()? })
}
