//! The first and only process of a virtual machine: says that it ran, and restarts the machine, which ends it.

use std::io::Write;

unsafe extern "C" {
    fn reboot(how: i32) -> i32;
}

/// `LINUX_REBOOT_CMD_RESTART`. Powering off needs ACPI, which the machine does not have.
const RESTART: i32 = 0x0123_4567;

fn main() {
    let mut out = std::io::stdout();
    let _ = out.write_all(b"poweroff\n").and_then(|()| out.flush());
    // SAFETY: a system call with one number. Nothing of this machine is worth keeping.
    unsafe { reboot(RESTART) };
}
