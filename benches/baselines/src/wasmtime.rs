//! The command of wasmtime, with a component compiled beforehand: a process of its own for each component.
//!
//! The compiler and the machine code are those that Rolebox has, and the code is mapped from a file as Rolebox maps it.
//! What differs is that each launch is a process with an engine of its own, and that no role is involved.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

use crate::{BOUND, Baseline, Idle, Inputs, Missing, child, find};

pub(crate) struct Wasmtime {
    inputs: Inputs,
    noop: OnceLock<Result<PathBuf, Missing>>,
}

impl Wasmtime {
    pub(crate) fn new(inputs: &Inputs) -> Self {
        Self { inputs: inputs.clone(), noop: OnceLock::new() }
    }

    fn compile(&self, component: &Path, name: &str) -> Result<PathBuf, Missing> {
        let compiled = self.inputs.work.join(name);
        let program = find::program(&self.inputs, "wasmtime")?;
        child::run(Command::new(program).arg("compile").arg(component).arg("-o").arg(&compiled), BOUND)?;
        Ok(compiled)
    }

    fn run(&self, compiled: &Path) -> Result<Command, Missing> {
        let mut command = Command::new(find::program(&self.inputs, "wasmtime")?);
        command.args(["run", "--allow-precompiled"]).arg(compiled);
        Ok(command)
    }
}

impl Baseline for Wasmtime {
    fn name(&self) -> &'static str {
        "wasmtime run"
    }

    fn version(&self) -> Result<String, Missing> {
        find::version(&find::program(&self.inputs, "wasmtime")?)
    }

    fn launch(&self) -> Result<Duration, Missing> {
        let noop = self.noop.get_or_init(|| self.compile(&self.inputs.programs.noop_wasm, "noop.cwasm"));
        let noop = noop.as_ref().map_err(Missing::clone)?;
        Ok(child::run(&mut self.run(noop)?, BOUND)?.took)
    }

    fn most(&self) -> usize {
        200
    }

    fn idle(&self) -> Option<Result<Idle, Missing>> {
        let compiled = self.compile(&self.inputs.programs.idle_wasm, "idle.cwasm");
        Some(compiled.and_then(|compiled| Idle::start(&mut self.run(&compiled)?, BOUND)))
    }
}
