//! What the numbers are taken on and with.

use std::fs;
use std::process::Command;

use rolebox_bench_report::Machine;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::inputs::root;

/// What a reader has to know of this machine. `versions` are those of programs that are measured beside ours.
pub(crate) fn describe(versions: Vec<(String, String)>) -> Machine {
    let cpu_info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let field = |name: &str| {
        let line = cpu_info.lines().find(|line| line.starts_with(name));
        line.and_then(|line| line.split_once(':')).map(|(_, value)| value.trim().to_owned()).unwrap_or_default()
    };
    let memory = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let memory = memory.lines().find(|line| line.starts_with("MemTotal:"));
    let memory = memory.and_then(|line| line.split_whitespace().nth(1)).and_then(|number| number.parse::<u64>().ok());
    let mut known = vec![
        ("rolebox".to_owned(), env!("CARGO_PKG_VERSION").to_owned()),
        ("rustc".to_owned(), first_line(Command::new("rustc").arg("--version")).replace("rustc ", "")),
        ("wasmtime".to_owned(), locked("wasmtime")),
        ("aws-sdk-s3".to_owned(), locked("aws-sdk-s3")),
    ];
    known.extend(versions);
    Machine {
        cpu: Some(field("model name")).filter(|name| !name.is_empty()).unwrap_or_else(|| "unknown".to_owned()),
        cores: std::thread::available_parallelism().map_or(1, usize::from),
        memory: memory.unwrap_or_default() * 1024,
        kernel: format!("Linux {}", read("/proc/sys/kernel/osrelease")),
        virtual_machine: Some(field("flags"))
            .filter(|flags| !flags.is_empty())
            .map(|flags| flags.split(' ').any(|flag| flag == "hypervisor")),
        date: OffsetDateTime::now_utc().format(&Rfc3339).unwrap_or_default(),
        commit: commit(),
        versions: known,
        settings: settings(),
    }
}

/// All of them hold in every table; where one would end a measurement it is raised.
const LIMITS: &str = "all on; raised are callsPerSecond (T6, T7), outputBytes (T6, T9), memory and bodyBytes (T7)";

fn settings() -> Vec<(String, String)> {
    let profile = if cfg!(debug_assertions) {
        "development: not to be quoted"
    } else {
        "optimised, link-time optimisation within each crate alone, also of the guests"
    };
    [
        ("profile", profile.to_owned()),
        ("limits of tasks", LIMITS.to_owned()),
        ("interruption of guests", "epochs, every millisecond".to_owned()),
        ("instances", "pooling, copy-on-write, unless a row says otherwise".to_owned()),
        ("compiler of guests", "Cranelift, optimised for speed; guests use 128-bit vectors (simd128)".to_owned()),
        ("vm.max_map_count", read("/proc/sys/vm/max_map_count")),
        ("vm.overcommit_memory", read("/proc/sys/vm/overcommit_memory")),
        ("transparent huge pages", read("/sys/kernel/mm/transparent_hugepage/enabled")),
        ("load when the run began", read("/proc/loadavg")),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .to_vec()
}

fn read(path: &str) -> String {
    fs::read_to_string(path).map_or_else(|_| "unknown".to_owned(), |text| text.trim().to_owned())
}

fn first_line(command: &mut Command) -> String {
    let output = command.output().ok().filter(|output| output.status.success());
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
    text.lines().next().unwrap_or("unknown").to_owned()
}

fn commit() -> String {
    let git = |arguments: &[&str]| {
        let output = Command::new("git").current_dir(root()).args(arguments).output().ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    match (git(&["rev-parse", "--short=12", "HEAD"]), git(&["status", "--porcelain", "--untracked-files=no"])) {
        (Some(commit), Some(changed)) if changed.is_empty() => commit,
        (Some(commit), _) => format!("{commit}-dirty"),
        (None, _) => "unknown".to_owned(),
    }
}

/// The version of a package in the lock file that this program was built with.
fn locked(package: &str) -> String {
    let lock = include_str!("../../Cargo.lock");
    let name = format!("name = \"{package}\"\nversion = \"");
    let rest = lock.split_once(&name).map(|(_, rest)| rest).unwrap_or_default();
    rest.split('"').next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_machine_is_described() {
        let machine = describe(vec![("crun".to_owned(), "1.8.1".to_owned())]);
        assert!(machine.cores > 0 && machine.memory > 0, "{machine:?}");
        assert!(machine.kernel.starts_with("Linux "), "{machine:?}");
        assert!(machine.versions.contains(&("crun".to_owned(), "1.8.1".to_owned())));
        assert!(locked("wasmtime").starts_with("48."), "{}", locked("wasmtime"));
        assert_eq!(locked("no-such-package"), "");
    }
}
