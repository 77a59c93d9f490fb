//! A process of its own: what every system offers, and what all else here is made of.
//!
//! Started as `std::process::Command` does it, by `posix_spawn`. It holds the same rights as the bench: nothing is
//! isolated but memory. Once as it is, and once with its file not in memory.

use std::fs::{self, File};
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

use rustix::fs::Advice;

use crate::{BOUND, Baseline, Idle, Inputs, Missing, child};

/// A static program, started and waited for.
pub(crate) struct Process {
    inputs: Inputs,
}

impl Process {
    pub(crate) fn new(inputs: &Inputs) -> Self {
        Self { inputs: inputs.clone() }
    }
}

impl Baseline for Process {
    fn name(&self) -> &'static str {
        "process"
    }

    fn version(&self) -> Result<String, Missing> {
        kernel()
    }

    fn launch(&self) -> Result<Duration, Missing> {
        Ok(child::run(&mut Command::new(&self.inputs.programs.noop), BOUND)?.took)
    }

    fn most(&self) -> usize {
        500
    }

    fn idle(&self) -> Option<Result<Idle, Missing>> {
        Some(Idle::start(&mut Command::new(&self.inputs.programs.idle), BOUND))
    }
}

/// The same, from a file that the page cache does not hold. A hypervisor below may still hold it.
pub(crate) struct Cold {
    inputs: Inputs,
    /// A copy of the program, which nothing else runs: pages that are in use cannot be dropped.
    copy: OnceLock<Result<File, Missing>>,
}

impl Cold {
    pub(crate) fn new(inputs: &Inputs) -> Self {
        Self { inputs: inputs.clone(), copy: OnceLock::new() }
    }

    fn copy(&self) -> Result<File, Missing> {
        let path = self.inputs.work.join("cold");
        fs::copy(&self.inputs.programs.noop, &path)
            // Pages that are not yet on the disk cannot be dropped.
            .and_then(|_| File::options().write(true).open(&path)?.sync_all())
            .and_then(|()| File::open(&path))
            .map_err(|error| Missing::NotPossible(format!("{} cannot be made: {error}", path.display())))
    }
}

impl Baseline for Cold {
    fn name(&self) -> &'static str {
        "process, page cache cold"
    }

    fn version(&self) -> Result<String, Missing> {
        kernel()
    }

    fn launch(&self) -> Result<Duration, Missing> {
        let copy = self.copy.get_or_init(|| self.copy()).as_ref().map_err(Missing::clone)?;
        rustix::fs::fadvise(copy, 0, None, Advice::DontNeed)
            .map_err(|error| Missing::NotPossible(format!("the page cache keeps the program: {error}")))?;
        let ended = child::run(&mut Command::new(self.inputs.work.join("cold")), BOUND)?;
        match ended.faults {
            // The advice is only that, and a file system in memory has nowhere else to keep a file.
            Some(0) => Err(Missing::NotPossible(
                "the program did not wait for a disk: the file system of the work folder keeps its files in memory"
                    .into(),
            )),
            None => Err(Missing::NotPossible("the system does not say whether a process waited for a disk".into())),
            Some(_) => Ok(ended.took),
        }
    }

    fn most(&self) -> usize {
        100
    }

    /// No other than that of [`Process`].
    fn idle(&self) -> Option<Result<Idle, Missing>> {
        None
    }
}

/// The kernel's name and version, which is what a process is made by.
pub(crate) fn kernel() -> Result<String, Missing> {
    let release = fs::read_to_string("/proc/sys/kernel/osrelease")
        .map_err(|error| Missing::NotPossible(format!("the kernel does not say its version: {error}")))?;
    Ok(format!("Linux {}", release.trim()))
}
