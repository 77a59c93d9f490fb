//! Keeps the cache's folder within its bound, and clears away what processes that died left behind.
//!
//! Only names that the cache itself gives are touched. Several processes may sweep at the same time: what is gone
//! already is gone.

use std::fs::File;
use std::io;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustix::fs::{AtFlags, Dir, FileType, FlockOperation, Mode, OFlags};

use super::entry::{CODE, STAMP};

/// How names of files end that are still written to.
pub(super) const PARTIAL: &str = ".partial";

/// Younger ones are left alone: their writer may not have come to locking them yet.
const PARTIAL_AGE: Duration = Duration::from_secs(60);

/// What any file takes on disk, in bytes: many small ones must count too.
const BLOCK: u64 = 4096;

struct Kept {
    name: String,
    size: u64,
    /// Seconds and nanoseconds.
    used: (i64, i64),
}

/// Removes what was used least recently until all together has at most `most` bytes; `newest` stays.
pub(super) fn sweep(folder: &File, most: u64, newest: &str) -> io::Result<()> {
    let mut kept = Vec::new();
    for found in Dir::read_from(folder)? {
        let Ok(name) = found?.file_name().to_str().map(str::to_owned) else { continue };
        if name.starts_with('.') && name.ends_with(PARTIAL) {
            remove_leftover(folder, &name);
        } else if name.ends_with(CODE) || name.ends_with(STAMP) {
            kept.extend(look(folder, name));
        }
    }
    kept.sort_by_key(|entry| entry.used);
    let mut total: u64 = kept.iter().map(|entry| entry.size).sum();
    for entry in kept {
        if total <= most {
            break;
        }
        if entry.name == newest {
            continue;
        }
        match rustix::fs::unlinkat(folder, &entry.name, AtFlags::empty()) {
            Ok(()) | Err(rustix::io::Errno::NOENT) => total -= entry.size,
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

fn look(folder: &File, name: String) -> Option<Kept> {
    let stat = rustix::fs::statat(folder, &name, AtFlags::SYMLINK_NOFOLLOW).ok()?;
    if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
        return None;
    }
    let size = u64::try_from(stat.st_size).ok()?.next_multiple_of(BLOCK);
    Some(Kept { name, size, used: modified(&stat) })
}

fn modified(stat: &rustix::fs::Stat) -> (i64, i64) {
    #[allow(clippy::useless_conversion, reason = "the types differ between architectures")]
    (stat.st_mtime.into(), i64::try_from(stat.st_mtime_nsec).unwrap_or(0))
}

/// Removes a partial file that nobody writes to any more: nobody holds its lock.
fn remove_leftover(folder: &File, name: &str) {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let Ok(file) = rustix::fs::openat(folder, name, flags, Mode::empty()) else { return };
    let Ok(stat) = rustix::fs::fstat(&file) else { return };
    let age = u64::try_from(modified(&stat).0)
        .ok()
        .and_then(|seconds| SystemTime::now().duration_since(UNIX_EPOCH + Duration::from_secs(seconds)).ok());
    if age.is_some_and(|age| age >= PARTIAL_AGE)
        && rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive).is_ok()
    {
        let _ = rustix::fs::unlinkat(folder, name, AtFlags::empty());
    }
}
