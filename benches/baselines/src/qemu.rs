//! QEMU's microvm: a Linux guest without firmware and PCI, from the start of QEMU to the end of the guest.
//!
//! The kernel is Debian's for clouds, as it comes, so it holds drivers that such a guest has no use for; one built for
//! the purpose starts sooner. The first program ends the guest at once. Where the processor runs no guests, QEMU
//! emulates one: that is a number of another kind, and the name says so.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

use crate::{Baseline, Idle, Inputs, Missing, child, cpio, find, kvm};

/// An emulated guest takes seconds, and now and then hangs.
const BOUND: Duration = Duration::from_secs(20);

/// What the first program says, so that a kernel that restarts by itself is no launch.
const RAN: &str = "poweroff";

/// No firmware tables, which the kernel then does not look for. Ending means restarting: that needs none of them.
const MACHINE: &str = "microvm,acpi=off,rtc=off";
const KERNEL_OPTIONS: &str = "console=ttyS0 quiet loglevel=0 reboot=t panic=-1";

pub(crate) struct Microvm {
    inputs: Inputs,
    hardware: bool,
    prepared: OnceLock<Result<Prepared, Missing>>,
}

struct Prepared {
    program: PathBuf,
    kernel: PathBuf,
    poweroff: PathBuf,
    idle: PathBuf,
}

impl Microvm {
    pub(crate) fn new(inputs: &Inputs) -> Self {
        Self { inputs: inputs.clone(), hardware: kvm::hardware(), prepared: OnceLock::new() }
    }

    fn prepared(&self) -> Result<&Prepared, Missing> {
        self.prepared.get_or_init(|| self.prepare()).as_ref().map_err(Missing::clone)
    }

    fn prepare(&self) -> Result<Prepared, Missing> {
        let program = find::program(&self.inputs, "qemu-system-x86_64")?;
        let kernel = self.inputs.prefix.join("kernel/vmlinuz");
        if !kernel.is_file() {
            return Err(find::not_installed("a kernel for QEMU"));
        }
        if std::env::consts::ARCH != "x86_64" {
            return Err(Missing::NotPossible("QEMU's microvm is for x86_64 alone".into()));
        }
        let archive = |name: &str, program: &Path| {
            let path = self.inputs.work.join(name);
            let written = fs::read(program).and_then(|program| {
                let archive = cpio::initramfs(&program).ok_or(std::io::ErrorKind::FileTooLarge)?;
                fs::write(&path, archive)
            });
            written.map(|()| path).map_err(|error| child::failed("QEMU", "has no file system", &error))
        };
        let poweroff = archive("poweroff.cpio", &self.inputs.programs.poweroff)?;
        let idle = archive("idle.cpio", &self.inputs.programs.idle)?;
        Ok(Prepared { program, kernel, poweroff, idle })
    }

    fn command(&self, prepared: &Prepared, first: &Path) -> Command {
        let mut command = Command::new(&prepared.program);
        command.args(["-machine", MACHINE, "-accel", if self.hardware { "kvm" } else { "tcg" }, "-cpu", "max"]);
        command.args(["-m", "128", "-nodefaults", "-no-user-config", "-display", "none", "-serial", "stdio"]);
        command.arg("-no-reboot").arg("-kernel").arg(&prepared.kernel).arg("-initrd").arg(first);
        command.args(["-append", KERNEL_OPTIONS]);
        command
    }
}

impl Baseline for Microvm {
    fn name(&self) -> &'static str {
        if self.hardware {
            "QEMU microvm"
        } else {
            "QEMU microvm, emulated (TCG): no hardware-VM number can be had on this machine"
        }
    }

    fn version(&self) -> Result<String, Missing> {
        let version = find::version(&find::program(&self.inputs, "qemu-system-x86_64")?)?;
        let kernel = fs::read_to_string(self.inputs.prefix.join("kernel/version"));
        let kernel = kernel.as_deref().map_or("unknown", str::trim);
        let accelerator = if self.hardware { "KVM" } else { "TCG" };
        Ok(format!("{version}, {accelerator}, guest Linux {kernel}"))
    }

    fn launch(&self) -> Result<Duration, Missing> {
        let prepared = self.prepared()?;
        let ended = child::run(&mut self.command(prepared, &prepared.poweroff), BOUND)?;
        let said = ended.said();
        if !said.lines().any(|line| line.trim_end() == RAN) {
            return Err(Missing::NotPossible(format!(
                "QEMU's guest did not come to its program{}",
                child::tail(&said)
            )));
        }
        Ok(ended.took)
    }

    fn most(&self) -> usize {
        if self.hardware { 20 } else { 5 }
    }

    fn idle(&self) -> Option<Result<Idle, Missing>> {
        let prepared = self.prepared();
        Some(prepared.and_then(|prepared| Idle::start(&mut self.command(prepared, &prepared.idle), BOUND)))
    }
}
