//! bubblewrap, the sandbox of Flatpak: namespaces around a process, without a runtime or an image.
//!
//! All namespaces that it knows, and a file system with nothing in it but the program. No seccomp filter: it is the
//! caller's to write, and a no-op would not show its cost.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::{BOUND, Baseline, Idle, Inputs, Missing, child, find};

pub(crate) struct Bubblewrap {
    inputs: Inputs,
}

impl Bubblewrap {
    pub(crate) fn new(inputs: &Inputs) -> Self {
        Self { inputs: inputs.clone() }
    }

    fn command(&self, program: &Path) -> Result<Command, Missing> {
        let mut command = Command::new(find::program(&self.inputs, "bwrap")?);
        command.args(["--unshare-all", "--ro-bind"]).arg(program).args(["/program", "/program"]);
        Ok(command)
    }
}

impl Baseline for Bubblewrap {
    fn name(&self) -> &'static str {
        "bubblewrap"
    }

    fn version(&self) -> Result<String, Missing> {
        find::version(&find::program(&self.inputs, "bwrap")?)
    }

    fn launch(&self) -> Result<Duration, Missing> {
        Ok(child::run(&mut self.command(&self.inputs.programs.noop)?, BOUND)?.took)
    }

    fn most(&self) -> usize {
        100
    }

    fn idle(&self) -> Option<Result<Idle, Missing>> {
        let command = self.command(&self.inputs.programs.idle);
        Some(command.and_then(|mut command| Idle::start(&mut command, BOUND)))
    }
}
