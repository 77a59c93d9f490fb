//! What the host holds for hostile guests, measured in a process of its own: the tests beside this one need memory as
//! well.

use std::process::Command;

use rolebox_suite::Host;

use super::cases;

/// Set in the process that measures.
const MEASURING: &str = "ROLEBOX_SUITE_MEASURES";

/// What one guest may cost the host at most, in bytes: its own 16 MiB of memory; a thousand resources, each of which may
/// be header fields of 32 KiB; one call's buffers of 17 MiB; and 31 MiB for compiling it, and for what nobody counts.
const BYTES_A_GUEST: u64 = (16 + 32 + 17 + 31) << 20;

#[test]
fn what_the_host_holds_for_a_hostile_guest_is_bounded() {
    if std::env::var_os(MEASURING).is_some() {
        return measure();
    }
    let name = "components::held::what_the_host_holds_for_a_hostile_guest_is_bounded";
    let suite = std::env::current_exe().unwrap();
    let measured = Command::new(suite).args(["--exact", name, "--nocapture"]).env(MEASURING, "1").output().unwrap();
    let output = String::from_utf8_lossy(&measured.stdout);
    assert!(measured.status.success(), "{output}{}", String::from_utf8_lossy(&measured.stderr));
    assert!(output.contains("1 passed"), "{output}");
    print!("{output}");
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn measure() {
    let (host, folder) = (Host::start().await, tempfile::tempdir().unwrap());
    let (begun, mut raised) = (status("VmRSS:"), Vec::new());
    for case in cases::of_resources() {
        let before = status("VmHWM:");
        assert_eq!(case.run(&host, folder.path()).await, None);
        let peak = status("VmHWM:");
        // Measured from the beginning: what an allocator keeps of an earlier case must not hide a later one.
        let held = peak.saturating_sub(begun);
        assert!(held <= BYTES_A_GUEST, "{}: {held} bytes are held since the first guest began", case.name);
        raised.push((peak.saturating_sub(before), case.name));
    }
    raised.sort();
    println!("{} KiB at most; raised most by {:?}", status("VmHWM:").saturating_sub(begun) >> 10, raised.last());
}

/// A figure of this process's, in bytes. <https://man7.org/linux/man-pages/man5/proc_pid_status.5.html>
fn status(name: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    line.trim().strip_suffix(" kB").unwrap().parse::<u64>().unwrap() << 10
}
