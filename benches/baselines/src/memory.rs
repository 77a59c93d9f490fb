//! Which processes there are because of one, and what memory they hold.
//!
//! From `/proc`, so only for processes that this user may look at. Memory of the kernel, such as page tables and
//! sockets, is in none of it.

use std::collections::HashMap;
use std::fs;
use std::io;

/// The place of the parent for [`stat`].
const PARENT: usize = 1;

/// The place of the faults that waited for a disk for [`stat`].
pub(crate) const MAJOR_FAULTS: usize = 9;

/// Bytes of memory that processes hold.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Memory {
    /// Proportional set size: pages that are shared count in parts. What one more of the same costs is near to it.
    pub pss: u64,
    /// Resident set size: pages that are shared count whole, once for each process.
    pub rss: u64,
}

/// The sum over these processes.
///
/// # Errors
///
/// One of them is gone, or its memory is not this user's to see.
pub fn of(pids: &[u32]) -> io::Result<Memory> {
    let mut sum = Memory::default();
    for pid in pids {
        let path = format!("/proc/{pid}/smaps_rollup");
        let text =
            fs::read_to_string(&path).map_err(|error| io::Error::new(error.kind(), format!("{path}: {error}")))?;
        let one = rollup(&text).ok_or_else(|| io::Error::other(format!("{path} has no Pss and Rss")))?;
        sum.pss += one.pss;
        sum.rss += one.rss;
    }
    Ok(sum)
}

/// The process and all that descend from it, each before its children.
pub(crate) fn tree(root: u32) -> Vec<u32> {
    let mut children: HashMap<u32, Vec<u32>> = HashMap::new();
    for pid in all() {
        if let Some(parent) = stat(pid, PARENT).and_then(|parent| u32::try_from(parent).ok()) {
            children.entry(parent).or_default().push(pid);
        }
    }
    let mut tree = vec![root];
    let mut next = 0;
    while let Some(pid) = tree.get(next) {
        // Each process has one parent, so none comes twice.
        tree.extend(children.remove(pid).unwrap_or_default());
        next += 1;
    }
    tree
}

/// The processes with that argument.
pub(crate) fn with_argument(argument: &str) -> Vec<u32> {
    all()
        .filter(|pid| {
            let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            line.split(|byte| *byte == 0).any(|one| one == argument.as_bytes())
        })
        .collect()
}

fn all() -> impl Iterator<Item = u32> {
    fs::read_dir("/proc").into_iter().flatten().filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
}

/// The number at that place of `/proc/PID/stat`, counted from the process's state.
pub(crate) fn stat(pid: u32, place: usize) -> Option<u64> {
    number(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?, place)
}

/// The name before the state is in parentheses and may hold any byte, parentheses too.
fn number(stat: &str, place: usize) -> Option<u64> {
    stat.rsplit_once(')')?.1.split_whitespace().nth(place)?.parse().ok()
}

/// From `/proc/PID/smaps_rollup`.
fn rollup(text: &str) -> Option<Memory> {
    let field = |name: &str| -> Option<u64> {
        let kib: u64 =
            text.lines().find_map(|line| line.strip_prefix(name))?.trim().strip_suffix(" kB")?.parse().ok()?;
        Some(kib * 1024)
    };
    Some(Memory { pss: field("Pss:")?, rss: field("Rss:")? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rollups_are_read() {
        let text = "00400000-7ffd rollup\nRss:                 884 kB\nPss:                 385 kB\nPss_Dirty: 8 kB\n";
        assert_eq!(rollup(text), Some(Memory { pss: 385 * 1024, rss: 884 * 1024 }));
        assert_eq!(rollup("Rss: 884 kB\n"), None);
        assert_eq!(rollup("Rss: many kB\nPss: 1 kB\n"), None);
    }

    #[test]
    fn numbers_are_read_whatever_the_name_is() {
        assert_eq!(number("12 (sh) S 7 12 12 0 -1 4194304 99 0 5 0", PARENT), Some(7));
        assert_eq!(number("12 (sh) S 7 12 12 0 -1 4194304 99 0 5 0", MAJOR_FAULTS), Some(5));
        assert_eq!(number("12 (a) R 1 (b) S 7 12 12 0", PARENT), Some(7));
        assert_eq!(number("12 (sh) S 7", MAJOR_FAULTS), None);
        assert_eq!(number("12", PARENT), None);
    }

    #[test]
    fn our_own_memory_is_seen() {
        let own = of(&[std::process::id()]).unwrap();
        assert!(own.pss > 0 && own.rss >= own.pss, "{own:?}");
        let twice = of(&[std::process::id(), std::process::id()]).unwrap();
        assert!(twice.rss > own.rss);
    }

    #[test]
    fn a_tree_begins_with_its_root() {
        let parent = std::os::unix::process::parent_id();
        let tree = tree(parent);
        assert_eq!(tree.first(), Some(&parent));
        assert!(tree.contains(&std::process::id()));
    }
}
