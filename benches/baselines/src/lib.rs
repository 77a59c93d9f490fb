//! What people would use in place of a Rolebox task, each launched with a program that does nothing.
//!
//! A launch goes from the start to the end of that program: a process, a container, a sandbox, a JavaScript or wasm
//! runtime, a virtual machine. Where one can stay, what it costs in memory can be seen too. A baseline that cannot run
//! on this machine says why and how to change that; none panics, and none takes longer than its bound.
//!
//! Linux alone: processes are waited for and weighed through pidfds and `/proc`. Absent: Firecracker and Cloud
//! Hypervisor, which Debian does not have; Docker and Podman, which are what is here (containerd, crun, runc) and more;
//! statistics and reports, which `rolebox-bench-report` makes.

mod bubblewrap;
mod child;
mod containerd;
mod cpio;
mod find;
mod hybrid;
mod idle;
mod image;
mod javascript;
mod kvm;
pub mod memory;
mod oci;
mod process;
pub mod programs;
mod qemu;
mod runtimes;
mod wasmtime;

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

pub use crate::idle::Idle;
use crate::programs::Programs;

/// How long a launch may take, unless its baseline says otherwise.
const BOUND: Duration = Duration::from_secs(10);

/// What baselines launch and where they find it.
#[derive(Debug, Clone)]
pub struct Inputs {
    /// The programs that are launched.
    pub programs: Programs,
    /// A folder that may be written and ends with the run. Its path is best short: sockets are made in it, and their
    /// paths end at 107 bytes.
    pub work: PathBuf,
    /// Where `benches/install-baselines.sh` puts what it builds: `target/baselines` of this clone. Looked in first.
    pub prefix: PathBuf,
    /// The environment's `PATH`.
    pub path: OsString,
}

/// Why a baseline has no number.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Missing {
    /// A program is not there; the text names it and says how to install it.
    #[error("{0}")]
    NotInstalled(String),
    /// It is there and does not run on this machine; the text says what failed.
    #[error("{0}")]
    NotPossible(String),
}

/// One way to run a program apart from others.
pub trait Baseline: Send + Sync {
    /// What the report calls it.
    fn name(&self) -> &'static str;

    /// Its version, and with it what else decides what the number means: the platform, the accelerator.
    fn version(&self) -> Result<String, Missing>;

    /// One launch, from the start to the end. What it needs only once is made by the first call, outside the time. The
    /// exit code is checked: a fast failure is no launch. An error may be this launch's alone, where guests are
    /// emulated.
    fn launch(&self) -> Result<Duration, Missing>;

    /// How many launches are worth their time in one run of the bench.
    fn most(&self) -> usize;

    /// One that stays, for a minute at most. `None`: it has no counterpart of that, or its memory cannot be told from
    /// the bench's own.
    fn idle(&self) -> Option<Result<Idle, Missing>>;
}

/// Ends a process of the bench that takes too long, with all that it started: a baseline's containers would stay.
pub fn end_with_all(pid: u32) {
    child::end(&child::handles(&memory::tree(pid)));
}

/// All baselines, those that cannot run here too; the lighter ones come first.
pub fn all(inputs: &Inputs) -> Vec<Box<dyn Baseline>> {
    vec![
        Box::new(process::Process::new(inputs)),
        Box::new(process::Cold::new(inputs)),
        Box::new(bubblewrap::Bubblewrap::new(inputs)),
        Box::new(runtimes::Runtime::crun(inputs)),
        Box::new(runtimes::Runtime::runc(inputs)),
        Box::new(containerd::Containerd::new(inputs)),
        Box::new(runtimes::Runtime::runsc(inputs)),
        Box::new(wasmtime::Wasmtime::new(inputs)),
        Box::new(javascript::Node::new(inputs)),
        Box::new(javascript::WorkerdTest::new(inputs)),
        Box::new(javascript::WorkerdAnswer::new(inputs)),
        Box::new(kvm::Halt::new()),
        Box::new(qemu::Microvm::new(inputs)),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Nothing is installed where both folders are empty.
    fn bare(folder: &std::path::Path) -> Inputs {
        let nowhere = folder.join("nowhere");
        Inputs {
            programs: Programs::at(&nowhere),
            work: folder.to_path_buf(),
            prefix: nowhere.clone(),
            path: nowhere.into_os_string(),
        }
    }

    #[test]
    fn what_is_not_installed_says_how_to_install_it() {
        let folder = tempfile::tempdir().unwrap();
        let inputs = bare(folder.path());
        let installed = [
            bubblewrap::Bubblewrap::new(&inputs).launch(),
            runtimes::Runtime::crun(&inputs).launch(),
            runtimes::Runtime::runc(&inputs).launch(),
            containerd::Containerd::new(&inputs).launch(),
            runtimes::Runtime::runsc(&inputs).launch(),
            wasmtime::Wasmtime::new(&inputs).launch(),
            javascript::Node::new(&inputs).launch(),
            javascript::WorkerdTest::new(&inputs).launch(),
            javascript::WorkerdAnswer::new(&inputs).launch(),
            qemu::Microvm::new(&inputs).launch(),
        ];
        for answer in installed {
            let Err(Missing::NotInstalled(reason)) = answer else { panic!("{answer:?}") };
            assert!(reason.contains("benches/install-baselines.sh"), "{reason}");
        }
    }

    #[test]
    fn nothing_panics_where_nothing_is_there() {
        let folder = tempfile::tempdir().unwrap();
        for baseline in all(&bare(folder.path())) {
            let _ = baseline.version();
            let _ = baseline.launch();
            let _ = baseline.idle();
            assert!(baseline.most() > 0, "{}", baseline.name());
        }
    }

    #[test]
    fn names_differ() {
        let folder = tempfile::tempdir().unwrap();
        let mut names: Vec<_> = all(&bare(folder.path())).iter().map(|baseline| baseline.name()).collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
    }
}
