//! Where folders lie on their file systems, whatever names they are reached by.
//!
//! A name says little: a bind mount gives a folder another one, and `/proc` can be mounted anywhere. Linux lists the
//! mounts that a process sees, and for each the part of which file system it shows; by that list a folder is known by its
//! file system and its place in it. <https://man7.org/linux/man-pages/man5/proc_pid_mountinfo.5.html>

use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

/// File systems that are the kernel's own interfaces and not somebody's files.
const KERNEL_INTERFACES: [&str; 18] = [
    "binfmt_misc",
    "bpf",
    "cgroup",
    "cgroup2",
    "configfs",
    "debugfs",
    "devpts",
    "devtmpfs",
    "efivarfs",
    "fusectl",
    "mqueue",
    "nsfs",
    "proc",
    "pstore",
    "rpc_pipefs",
    "securityfs",
    "sysfs",
    "tracefs",
];

/// What this process sees mounted.
#[derive(Debug)]
pub(super) struct Mounts(Vec<Mount>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Mount {
    id: u64,
    /// The file system, by its device numbers as text.
    device: Vec<u8>,
    /// What of the file system is mounted.
    root: PathBuf,
    point: PathBuf,
    kind: Vec<u8>,
}

/// A folder's place in its file system.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Place {
    device: Vec<u8>,
    path: PathBuf,
}

/// Everything that one folder shows: itself, and what is mounted in it.
#[derive(Debug)]
pub(super) struct Shown {
    places: Vec<Place>,
    kernel_interface: bool,
}

impl Shown {
    /// Whether one of the two is, holds or lies in the other.
    pub(super) fn overlaps(&self, other: &Self) -> bool {
        let overlap = |one: &Place, other: &Place| {
            one.device == other.device && (one.path.starts_with(&other.path) || other.path.starts_with(&one.path))
        };
        self.places.iter().any(|one| other.places.iter().any(|other| overlap(one, other)))
    }

    /// Whether a file system of the kernel's own interfaces is shown.
    pub(super) fn kernel_interface(&self) -> bool {
        self.kernel_interface
    }
}

impl Mounts {
    /// The mounts as they are now.
    pub(super) fn read() -> io::Result<Self> {
        Self::parse(&std::fs::read("/proc/self/mountinfo")?)
            .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "/proc/self/mountinfo is not understood"))
    }

    fn parse(text: &[u8]) -> Option<Self> {
        let lines = text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        lines.map(Mount::parse).collect::<Option<_>>().map(Self)
    }

    /// What the open `folder` shows, which lies at `real`.
    pub(super) fn shown_by(&self, folder: &File, real: &Path) -> io::Result<Shown> {
        let information = std::fs::read_to_string(format!("/proc/self/fdinfo/{}", folder.as_raw_fd()))?;
        let id: Option<u64> = information.lines().find_map(|line| line.strip_prefix("mnt_id:")?.trim().parse().ok());
        // One that this process does not see is another namespace's, reached through a process of it.
        id.and_then(|id| self.0.iter().find(|mount| mount.id == id))
            .and_then(|mount| self.shown(mount, real))
            .ok_or_else(|| io::Error::other("it lies in no mount of this process"))
    }

    /// What `path` shows, which is absolute, without symbolic links, and need not exist.
    pub(super) fn shown_at(&self, path: &Path) -> Option<Shown> {
        // Of several mounts at one point the last covers the others.
        let holder = self.0.iter().filter(|mount| path.starts_with(&mount.point));
        let holder = holder.max_by_key(|mount| mount.point.as_os_str().len())?;
        self.shown(holder, path)
    }

    fn shown(&self, holder: &Mount, path: &Path) -> Option<Shown> {
        let own = holder.place_of(path)?;
        let below = || self.0.iter().filter(|mount| mount.point != path && mount.point.starts_with(path));
        let places = below().map(|mount| Place { device: mount.device.clone(), path: mount.root.clone() });
        Some(Shown {
            places: std::iter::once(own).chain(places).collect(),
            kernel_interface: holder.is_kernel_interface() || below().any(Mount::is_kernel_interface),
        })
    }
}

impl Mount {
    /// `36 35 98:0 /root /point rw,noatime master:1 - ext4 /dev/sda1 rw`
    fn parse(line: &[u8]) -> Option<Self> {
        let mut fields = line.split(|byte| *byte == b' ');
        let id = std::str::from_utf8(fields.next()?).ok()?.parse().ok()?;
        let (_parent, device) = (fields.next()?, fields.next()?.to_owned());
        let (root, point) = (unescaped(fields.next()?), unescaped(fields.next()?));
        let kind = fields.skip_while(|field| *field != b"-").nth(1)?.to_owned();
        Some(Self { id, device, root, point, kind })
    }

    fn place_of(&self, path: &Path) -> Option<Place> {
        let below = path.strip_prefix(&self.point).ok()?;
        let path = if below.as_os_str().is_empty() { self.root.clone() } else { self.root.join(below) };
        Some(Place { device: self.device.clone(), path })
    }

    fn is_kernel_interface(&self) -> bool {
        KERNEL_INTERFACES.iter().any(|kind| kind.as_bytes() == self.kind)
    }
}

/// A path as the list writes it: blanks, tabs, line ends and backslashes as three octal digits.
fn unescaped(field: &[u8]) -> PathBuf {
    let mut bytes = Vec::with_capacity(field.len());
    let mut rest = field;
    while let [first, tail @ ..] = rest {
        let octal = |digit: u8| matches!(digit, b'0'..=b'7').then(|| u32::from(digit - b'0'));
        let code = match (first, tail) {
            (b'\\', [a, b, c, ..]) => octal(*a).zip(octal(*b)).zip(octal(*c)).map(|((a, b), c)| a * 64 + b * 8 + c),
            _ => None,
        };
        match code.and_then(|code| u8::try_from(code).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &tail[3..];
            }
            None => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    PathBuf::from(OsString::from_vec(bytes))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that panics has failed, as it should")]
mod tests {
    use super::*;

    /// A machine with its data on a disk of its own, bind mounts of both, and a second `/proc` for a chroot.
    const LIST: &str = "\
22 27 0:21 / /proc rw - proc proc rw
24 27 0:6 / /dev rw shared:1 - devtmpfs devtmpfs rw
27 1 254:0 / / rw,relatime - ext4 /dev/vda rw
40 27 8:1 / /data rw - ext4 /dev/sda1 rw
41 27 254:0 /var/lib/rolebox /srv/bind rw shared:2 master:1 - ext4 /dev/vda rw
42 27 254:0 /var/lib/rolebox/code/x /srv/deep rw - ext4 /dev/vda rw
43 27 8:1 /buckets /srv/tasks/with\\040blank rw - ext4 /dev/sda1 rw
44 27 0:21 / /srv/chroot/proc rw - proc proc rw
45 27 0:6 / /srv/devices rw - devtmpfs devtmpfs rw
46 27 254:0 /home /srv/over rw - ext4 /dev/vda rw
47 27 0:50 / /srv/over rw - tmpfs tmpfs rw
";

    fn shown(path: &str) -> Shown {
        Mounts::parse(LIST.as_bytes()).unwrap().shown_at(Path::new(path)).unwrap()
    }

    #[test]
    fn a_folder_is_known_by_its_place_and_not_by_its_name() {
        for (one, other, overlap) in [
            ("/var/lib/rolebox", "/srv/bind", true),
            ("/var/lib/rolebox/code", "/srv/bind", true),
            ("/var/lib/rolebox", "/srv/bind/code", true),
            ("/var/lib/rolebox/code", "/srv/deep", true),
            ("/var/lib/rolebox/code", "/srv/deep/y", true),
            ("/data/buckets", "/srv/tasks", true),
            ("/data", "/srv/tasks/with blank/a", true),
            ("/dev", "/srv/devices/shm", true),
            ("/var/lib", "/srv", true),
            ("/var/lib/rolebox/other", "/srv/deep", false),
            ("/var/lib/roleboxes", "/srv/bind", false),
            ("/data/other", "/srv/tasks", false),
            ("/srv/tasks/a", "/srv/tasks/b", false),
            // Covered by a mount on top of it.
            ("/home", "/srv/over/x", false),
        ] {
            assert_eq!(shown(one).overlaps(&shown(other)), overlap, "{one} and {other}");
            assert_eq!(shown(other).overlaps(&shown(one)), overlap, "{other} and {one}");
        }
    }

    #[test]
    fn kernel_interfaces_are_known_wherever_they_are_mounted() {
        for (path, kernel) in [
            ("/proc/1", true),
            ("/srv/chroot", true),
            ("/srv/chroot/proc/self", true),
            ("/srv/devices/x", true),
            ("/srv/chroot/etc", false),
            ("/srv/over", false),
            ("/data", false),
        ] {
            assert_eq!(shown(path).kernel_interface(), kernel, "{path}");
        }
    }

    #[test]
    fn a_list_that_is_not_understood_is_none() {
        for text in ["x", "1 2 3", "a 27 0:21 / /proc rw - proc proc rw", "22 27 0:21 / /proc rw proc proc rw"] {
            assert!(Mounts::parse(text.as_bytes()).is_none(), "{text}");
        }
        assert_eq!(unescaped(br"/a\040b\134\011c\x\04"), Path::new("/a b\\\tc\\x\\04"));
    }

    #[test]
    fn this_process_sees_its_own_folders() {
        let real = Path::new(env!("CARGO_MANIFEST_DIR")).canonicalize().unwrap();
        let (mounts, open) = (Mounts::read().unwrap(), File::open(&real).unwrap());
        let shown = mounts.shown_by(&open, &real).unwrap();
        assert!(shown.overlaps(&mounts.shown_at(&real).unwrap()));
        assert!(!shown.overlaps(&mounts.shown_at(&real.with_file_name("elsewhere")).unwrap()));
    }
}
