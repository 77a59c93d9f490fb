//! An image's file: which image it holds, and its bytes.
//!
//! A file whose device, inode, size and times are those of one that was read before is taken to hold the same bytes, as
//! git does. That is safe in the direction that counts: what then runs is what was read and checked before under the
//! same identity, never something that was not looked at. What it can get wrong is how soon a change is seen, and that
//! only by who writes through a mapping or sets the system's clock back; any other write changes the inode's change
//! time, which nobody can set. A change within the clock's resolution of the last one would not show, so a file is only
//! remembered when it had been left alone for a while before it was read.
//!
//! Absent: defence against who may write images. What he writes is what runs.

use std::fs::{File, Metadata, OpenOptions};
use std::io::{ErrorKind, Read};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use sha2::{Digest, Sha256};

use crate::engine::MAX_IMAGE_BYTES;
use crate::engine::artifact::{self, MAX_ARTIFACT_BYTES};
use crate::engine::image::{ImageId, ImageProblem};

/// How long a file must have been left alone before it is remembered: no file system that Linux has keeps times in steps
/// longer than this (FAT's are of two seconds).
const SETTLED: Duration = Duration::from_secs(2);

/// How much is read at once, in bytes.
const CHUNK: usize = 256 << 10;

/// What tells one state of one file from any other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(in crate::engine) struct Stamp {
    device: u64,
    inode: u64,
    size: u64,
    /// When the content was changed: seconds, nanoseconds.
    modified: (i64, i64),
    /// When the content or anything else of the inode was changed.
    changed: (i64, i64),
}

impl Stamp {
    #[cfg(feature = "compiler")]
    pub(in crate::engine) const BYTES: usize = 7 * 8;

    fn of(metadata: &Metadata) -> Self {
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            size: metadata.size(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }

    /// The same, for keeping on disk.
    #[cfg(feature = "compiler")]
    pub(in crate::engine) fn bytes(&self) -> [u8; Self::BYTES] {
        let mut bytes = [0; Self::BYTES];
        let fields = [
            self.device.to_le_bytes(),
            self.inode.to_le_bytes(),
            self.size.to_le_bytes(),
            self.modified.0.to_le_bytes(),
            self.modified.1.to_le_bytes(),
            self.changed.0.to_le_bytes(),
            self.changed.1.to_le_bytes(),
        ];
        for (place, field) in bytes.chunks_exact_mut(8).zip(fields) {
            place.copy_from_slice(&field);
        }
        bytes
    }

    /// Whether a change at `now` or later would show.
    fn is_settled(&self, now: SystemTime) -> bool {
        let Ok(now) = now.duration_since(UNIX_EPOCH) else { return false };
        [self.modified, self.changed].into_iter().all(|(seconds, nanoseconds)| {
            let (Ok(seconds), Ok(nanoseconds)) = (u64::try_from(seconds), u32::try_from(nanoseconds)) else {
                // Before 1970: long ago.
                return seconds < 0;
            };
            Duration::new(seconds, nanoseconds) + SETTLED <= now
        })
    }
}

/// What a file was found to hold.
#[derive(Debug)]
pub(in crate::engine) struct Identified {
    pub(in crate::engine) image: ImageId,
    pub(super) stamp: Stamp,
    /// Whether the file can be taken to hold this for as long as its stamp is the same.
    pub(super) settled: bool,
}

/// The file's stamp; refuses what is no file.
pub(super) fn stamp(path: &Path) -> Result<Stamp, ImageProblem> {
    // Looked at before it is opened: opening a device may do something.
    let metadata = std::fs::metadata(path)?;
    if metadata.is_file() { Ok(Stamp::of(&metadata)) } else { Err(ImageProblem::NotAFile) }
}

/// Reads the file and tells which image it holds: by all of its bytes, or by an artifact's head, which holds a hash of
/// the rest.
pub(in crate::engine) fn identify(path: &Path) -> Result<Identified, ImageProblem> {
    let (mut file, before) = open(path)?;
    let now = SystemTime::now();
    let image = if let Some(head) = artifact::head(&mut file)? {
        ImageId(Sha256::digest(head).into())
    } else {
        let mut hash = Sha256::new();
        // What was read to look for an artifact is the beginning.
        rewind(&mut file)?;
        fill(&mut file, MAX_IMAGE_BYTES, |bytes| hash.update(bytes))?;
        ImageId(hash.finalize().into())
    };
    let settled = before.is_settled(now) && Stamp::of(&file.metadata()?) == before;
    Ok(Identified { image, stamp: before, settled })
}

/// The bytes of the image that the file was found to hold, or that it holds another one by now.
pub(in crate::engine) fn read(path: &Path, expected: ImageId) -> Result<Content, ImageProblem> {
    let (mut file, stamp) = open(path)?;
    let head = artifact::head(&mut file)?;
    let most = if head.is_some() { MAX_ARTIFACT_BYTES } else { MAX_IMAGE_BYTES };
    rewind(&mut file)?;
    let mut bytes = Vec::with_capacity(usize::try_from(stamp.size.min(most)).unwrap_or(0));
    fill(&mut file, most, |chunk| bytes.extend_from_slice(chunk))?;
    let found = Sha256::digest(head.as_deref().unwrap_or(&bytes));
    if ImageId(found.into()) != expected {
        return Err(ImageProblem::Changed);
    }
    Ok(if head.is_some() { Content::Artifact(bytes) } else { Content::Image(bytes) })
}

/// What a file holds.
pub(in crate::engine) enum Content {
    Image(Vec<u8>),
    Artifact(Vec<u8>),
}

fn open(path: &Path) -> Result<(File, Stamp), ImageProblem> {
    stamp(path)?;
    // Not blocking, for the case that a pipe has come into its place since.
    let flags = rustix::fs::OFlags::NONBLOCK.bits().cast_signed();
    let file = OpenOptions::new().read(true).custom_flags(flags).open(path)?;
    let metadata = file.metadata()?;
    if metadata.is_file() { Ok((file, Stamp::of(&metadata))) } else { Err(ImageProblem::NotAFile) }
}

fn rewind(file: &mut File) -> Result<(), ImageProblem> {
    Ok(std::io::Seek::rewind(file)?)
}

/// Gives `use_` the rest of the file, and refuses it when that is more than `most` bytes.
fn fill(file: &mut File, most: u64, mut use_: impl FnMut(&[u8])) -> Result<(), ImageProblem> {
    let size = file.metadata()?.len();
    if size > most {
        return Err(ImageProblem::TooLarge { size, most });
    }
    let mut chunk = vec![0; CHUNK];
    let mut total = 0_u64;
    loop {
        let count = match file.read(&mut chunk) {
            Ok(0) => return Ok(()),
            Ok(count) => count,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return Err(error.into()),
        };
        total = total.saturating_add(u64::try_from(count).unwrap_or(u64::MAX));
        // A file that grew since.
        if total > most {
            return Err(ImageProblem::TooLarge { size: total, most });
        }
        use_(chunk.get(..count).unwrap_or_default());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(modified: (i64, i64), changed: (i64, i64)) -> Stamp {
        Stamp { device: 1, inode: 2, size: 3, modified, changed }
    }

    #[test]
    fn a_file_is_remembered_only_when_it_was_left_alone_for_a_while() {
        let now = UNIX_EPOCH + Duration::new(1_000, 500);
        for (modified, changed, expected) in [
            ((900, 0), (900, 0), true),
            ((998, 500), (998, 500), true),
            ((998, 501), (900, 0), false),
            // What was just moved here, with an old time of its content.
            ((900, 0), (998, 501), false),
            ((900, 0), (2_000, 0), false),
            ((2_000, 0), (900, 0), false),
            ((-5, 0), (900, 0), true),
        ] {
            assert_eq!(at(modified, changed).is_settled(now), expected, "{modified:?} {changed:?}");
        }
        assert!(!at((0, 0), (0, 0)).is_settled(UNIX_EPOCH - Duration::from_secs(1)));
    }

    #[test]
    fn a_file_that_became_another_one_is_not_read_as_the_first() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("image.wasm");
        std::fs::write(&path, "first").expect("written");
        let first = identify(&path).expect("identified");
        assert!(!first.settled, "it was written just now");
        assert!(matches!(read(&path, first.image), Ok(Content::Image(bytes)) if bytes == b"first"));
        std::fs::write(&path, "other").expect("written");
        assert!(matches!(read(&path, first.image), Err(ImageProblem::Changed)));
        assert_ne!(identify(&path).expect("identified").image, first.image);
    }
}
