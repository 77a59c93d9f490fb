//! A virtual machine with nothing in it: what the hypervisor of Linux costs before there is any guest.
//!
//! One page of memory, one processor in the mode that it starts in, one instruction: `hlt`. Firecracker and QEMU can
//! only be slower than that, whatever their guest is. Opened, run and closed in this process, with no program started,
//! so it has no memory of its own to show.

use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use kvm_bindings::kvm_userspace_memory_region;
use kvm_ioctls::{Kvm, VcpuExit};

use crate::{BOUND, Baseline, Idle, Missing, process};

/// Where the one page is in the guest, and where its processor begins.
const ADDRESS: u64 = 0x1000;
const PAGE: usize = 4096;
/// The only instruction.
const HLT: u8 = 0xf4;

/// A guest that halts.
pub(crate) struct Halt {
    /// Once a guest did not halt, its thread stays in the kernel, and another would do the same.
    hung: AtomicBool,
}

impl Halt {
    pub(crate) fn new() -> Self {
        Self { hung: AtomicBool::new(false) }
    }
}

impl Baseline for Halt {
    fn name(&self) -> &'static str {
        "KVM, one hlt"
    }

    fn version(&self) -> Result<String, Missing> {
        let below = match module() {
            Some(module @ ("kvm_intel" | "kvm_amd")) => module.to_owned(),
            Some(module) => format!("{module}, no hardware virtualisation"),
            None => "unknown module".to_owned(),
        };
        Ok(format!("{}, {below}", process::kernel()?))
    }

    fn launch(&self) -> Result<Duration, Missing> {
        let hung = || Missing::NotPossible("the guest of /dev/kvm did not halt".into());
        if self.hung.load(Ordering::Relaxed) {
            return Err(hung());
        }
        // Nothing but a signal gets a thread out of a guest, so it is left there if it has to be.
        let (done, outcome) = mpsc::channel();
        thread::spawn(move || done.send(halt()));
        outcome.recv_timeout(BOUND).unwrap_or_else(|_| {
            self.hung.store(true, Ordering::Relaxed);
            Err(hung())
        })
    }

    fn most(&self) -> usize {
        500
    }

    fn idle(&self) -> Option<Result<Idle, Missing>> {
        None
    }
}

/// Whether guests run on the processor itself, at full speed.
pub(crate) fn hardware() -> bool {
    matches!(module(), Some("kvm_intel" | "kvm_amd")) && Kvm::new().is_ok()
}

/// The module that runs guests. On other processors than x86 it is in KVM itself.
fn module() -> Option<&'static str> {
    ["kvm_intel", "kvm_amd", "kvm_pvm"]
        .into_iter()
        .find(|name| fs::exists(format!("/sys/module/{name}")).unwrap_or(false))
}

#[repr(align(4096))]
struct Page([u8; PAGE]);

#[cfg(target_arch = "x86_64")]
#[expect(unsafe_code, reason = "the kernel is told where the guest's memory is")]
fn halt() -> Result<Duration, Missing> {
    let failed = |what: &str| {
        let what = what.to_owned();
        move |error: kvm_ioctls::Error| Missing::NotPossible(format!("/dev/kvm: {what}: {error}"))
    };
    let mut page = Box::new(Page([0; PAGE]));
    page.0[0] = HLT;

    let begin = Instant::now();
    let kvm = Kvm::new().map_err(failed("it cannot be opened"))?;
    let machine = kvm.create_vm().map_err(failed("no virtual machine"))?;
    let region = kvm_userspace_memory_region {
        slot: 0,
        guest_phys_addr: ADDRESS,
        memory_size: PAGE as u64,
        userspace_addr: page.0.as_mut_ptr() as u64,
        flags: 0,
    };
    // SAFETY: the region is the page, whole and aligned. Nothing reads or writes it while the guest may, and it is
    // dropped after the machine below.
    unsafe { machine.set_user_memory_region(region) }.map_err(failed("no memory"))?;
    let mut processor = machine.create_vcpu(0).map_err(failed("no processor"))?;
    let mut segments = processor.get_sregs().map_err(failed("no registers"))?;
    segments.cs.base = 0;
    segments.cs.selector = 0;
    processor.set_sregs(&segments).map_err(failed("no registers"))?;
    let mut registers = processor.get_regs().map_err(failed("no registers"))?;
    registers.rip = ADDRESS;
    // The bit that is always set.
    registers.rflags = 2;
    processor.set_regs(&registers).map_err(failed("no registers"))?;
    let exit = processor.run().map_err(failed("the guest does not run"))?;
    if !matches!(exit, VcpuExit::Hlt) {
        return Err(Missing::NotPossible(format!("/dev/kvm: the guest ended with {exit:?} instead of halting")));
    }
    drop(processor);
    drop(machine);
    drop(kvm);
    let took = begin.elapsed();
    drop(page);
    Ok(took)
}

#[cfg(not(target_arch = "x86_64"))]
fn halt() -> Result<Duration, Missing> {
    Err(Missing::NotPossible("the guest that halts is written for x86_64 alone".into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_halts_or_says_why_not() {
        match Halt::new().launch() {
            Ok(took) => assert!(took < BOUND),
            Err(Missing::NotPossible(reason)) => {
                assert!(reason.contains("/dev/kvm") || reason.contains("x86_64"), "{reason}")
            }
            Err(missing) => panic!("{missing}"),
        }
    }
}
