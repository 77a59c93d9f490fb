//! Hiding the second version of cgroups from a program that knows no mixture of both.
//!
//! Where a system mounts version 1 and, beside it, version 2 at `unified`, crun refuses to start. It does start where
//! that mount is not seen, so it is started by a thread with a mount table of its own, which its children inherit. That
//! thread is made before the time begins: a shell that unmounts and then starts crun would be counted as crun's. On all
//! other systems nothing is done.

use std::panic;
use std::thread;

use rustix::fs::FsWord;
use rustix::mount::{MountPropagationFlags, UnmountFlags};
use rustix::thread::UnshareFlags;

/// `CGROUP2_SUPER_MAGIC` in `linux/magic.h`.
const CGROUP2: FsWord = 0x6367_7270;
const CGROUPS: &str = "/sys/fs/cgroup";
const UNIFIED: &str = "/sys/fs/cgroup/unified";

/// Does the work where no mixture of both versions is seen, as far as this user may arrange that.
pub(crate) fn hidden<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    if is_version_2(CGROUPS) || !is_version_2(UNIFIED) {
        return work();
    }
    thread::scope(|scope| {
        let apart = scope.spawn(|| {
            // Without the right to do so, what is started then says itself what it does not like.
            let _ = hide();
            work()
        });
        apart.join().unwrap_or_else(|panic| panic::resume_unwind(panic))
    })
}

fn is_version_2(path: &str) -> bool {
    rustix::fs::statfs(path).is_ok_and(|mounted| mounted.f_type == CGROUP2)
}

#[expect(unsafe_code, reason = "the call is unsafe for a flag that is not used here")]
fn hide() -> rustix::io::Result<()> {
    // SAFETY: what the function warns of is a thread whose table of file descriptors is no longer that of the others.
    // That table stays shared: only the mounts become the thread's own.
    unsafe { rustix::thread::unshare_unsafe(UnshareFlags::NEWNS)? };
    // First, so that nothing of what follows reaches the mounts of anybody else.
    rustix::mount::mount_change("/", MountPropagationFlags::PRIVATE | MountPropagationFlags::REC)?;
    rustix::mount::unmount(UNIFIED, UnmountFlags::DETACH)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn others_still_see_what_they_saw() {
        let seen = is_version_2(UNIFIED);
        assert_eq!(hidden(|| 7), 7);
        assert_eq!(is_version_2(UNIFIED), seen);
    }
}
