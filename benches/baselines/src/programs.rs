//! The programs that are launched, compiled with the rustc that is there.
//!
//! Native ones are static, so that a container needs no file but the program, and so that what is measured is not the
//! dynamic linker. The same sources make the components. Nothing of the workspace is compiled into them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::{Missing, child};

/// How long rustc may take for one of them.
const BOUND: Duration = Duration::from_secs(120);

/// Where the programs are.
#[derive(Debug, Clone)]
pub struct Programs {
    /// Native and static; ends at once with exit code 0.
    pub noop: PathBuf,
    /// Native and static; writes one page, prints `idle` and a line feed, and sleeps for a minute.
    pub idle: PathBuf,
    /// Native and static; prints `poweroff` and a line feed, and restarts the machine. For a guest alone.
    pub poweroff: PathBuf,
    /// What `noop` is, as a component that exports `wasi:cli/run`.
    pub noop_wasm: PathBuf,
    /// What `idle` is, as a component that exports `wasi:cli/run`.
    pub idle_wasm: PathBuf,
}

impl Programs {
    /// The paths at which [`Programs::build`] puts them.
    pub fn at(folder: &Path) -> Self {
        Self {
            noop: folder.join("noop"),
            idle: folder.join("idle"),
            poweroff: folder.join("poweroff"),
            noop_wasm: folder.join("noop.wasm"),
            idle_wasm: folder.join("idle.wasm"),
        }
    }

    /// Compiles them all into the folder, which takes seconds.
    ///
    /// # Errors
    ///
    /// The folder cannot be written, or rustc fails: it is not on `PATH`, the C library has no static form here, or the
    /// target `wasm32-wasip2` is not installed.
    pub fn build(folder: &Path) -> Result<Self, Missing> {
        let programs = Self::at(folder);
        native(include_str!("../programs/noop.rs"), &programs.noop)?;
        native(include_str!("../programs/idle.rs"), &programs.idle)?;
        native(include_str!("../programs/poweroff.rs"), &programs.poweroff)?;
        component(include_str!("../programs/noop.rs"), &programs.noop_wasm)?;
        component(include_str!("../programs/idle.rs"), &programs.idle_wasm)?;
        Ok(programs)
    }
}

fn native(source: &str, program: &Path) -> Result<(), Missing> {
    rustc(source, program, &["-C", "target-feature=+crt-static"])
}

fn component(source: &str, program: &Path) -> Result<(), Missing> {
    rustc(source, program, &["--target", "wasm32-wasip2"])
}

fn rustc(source: &str, program: &Path, options: &[&str]) -> Result<(), Missing> {
    let file = program.with_extension("rs");
    fs::write(&file, source)
        .map_err(|error| Missing::NotPossible(format!("{} cannot be written: {error}", file.display())))?;
    child::run(
        Command::new("rustc")
            .args(["--edition", "2024", "-O", "-C", "panic=abort", "-C", "strip=symbols"])
            .args(options)
            .arg("-o")
            .arg(program)
            .arg(&file),
        BOUND,
    )?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_programs_do_what_they_are_for() {
        let folder = tempfile::tempdir().unwrap();
        let programs = match Programs::build(folder.path()) {
            Ok(programs) => programs,
            // A system may have no static C library. There the benches say so, and there is nothing to try.
            Err(Missing::NotPossible(reason)) if reason.contains("-lc") => return,
            Err(missing) => panic!("{missing}"),
        };
        assert_eq!(child::run(&mut Command::new(&programs.noop), BOUND).unwrap().said(), "");
        let idle = crate::Idle::start(&mut Command::new(&programs.idle), BOUND).unwrap();
        assert_eq!(idle.pids().len(), 1);
        for component in [&programs.noop_wasm, &programs.idle_wasm] {
            // The magic number, and the version that tells a component from a module.
            assert!(fs::read(component).unwrap().starts_with(b"\0asm\x0d\0\x01\0"));
        }
    }
}
