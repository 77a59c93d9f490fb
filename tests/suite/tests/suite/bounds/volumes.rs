//! Volumes: which folders of the host a definition may name.

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use rolebox::output::{CapturedOutput, TaskOutput};
use rolebox_guest_artifacts as artifacts;
use rolebox_suite::{Host, bounds, task};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{exceeded, exit_ok, refusal};

const NEVER: &str = "(it is, holds or lies in a folder that is never mounted)";

fn with_volume(folder: &Path) -> Value {
    let mut definition = exit_ok();
    definition["volumes"] = json!([{"name": "data", "host": {"sourcePath": folder}}]);
    definition
}

/// Folders of the host, made as they are named.
struct Disk(TempDir);

impl Disk {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn folder(&self, name: &str) -> PathBuf {
        std::fs::create_dir_all(self.path(name)).unwrap();
        self.path(name)
    }
}

#[tokio::test]
async fn volumes_lie_in_folders_that_are_allowed() {
    let disk = Disk::new();
    let (allowed, outside) = (disk.folder("in"), disk.folder("out/deep"));
    disk.folder("in/a/b");
    disk.folder("into");
    symlink(&outside, allowed.join("leads-out")).unwrap();
    symlink(disk.path("out"), allowed.join("a/middle")).unwrap();
    symlink("b", allowed.join("a/stays")).unwrap();
    std::fs::write(allowed.join("file"), "").unwrap();
    let bounds = bounds().allow_volumes_in(&allowed);
    for within in ["", "a", "a/b", "a/../a/b", "a/stays", "../in/a"] {
        assert_eq!(exceeded(&bounds, &with_volume(&allowed.join(within))), [], "{within}");
    }
    let through_proc = format!("/proc/self/root{}/a", allowed.canonicalize().unwrap().display());
    assert_eq!(exceeded(&bounds, &with_volume(Path::new(&through_proc))), [], "the same folder by another name");

    let elsewhere = format!(
        "(it lies in no folder that the operator allows volumes in: {}; to allow it: OperatorBounds::allow_volumes_in, \
         or --volume-root DIR)",
        allowed.display(),
    );
    for (refused, why) in [
        (outside.clone(), elsewhere.as_str()),
        (disk.path("in/leads-out"), &elsewhere),
        (disk.path("in/a/middle/deep"), &elsewhere),
        (disk.path("in/../out"), &elsewhere),
        (disk.path("into"), &elsewhere),
        (disk.path(""), &elsewhere),
        (disk.path("in/missing"), "(No such file or directory (os error 2); make the folder first)"),
        (disk.path("in/file"), "(it is not a folder)"),
    ] {
        let error = refusal(bounds.clone(), &with_volume(&refused)).await;
        let said = format!("volumes[0].host.sourcePath: asks for {} {why}", refused.display());
        assert!(error.contains(&said), "{said}\n{error}");
    }
}

#[tokio::test]
async fn nothing_of_the_system_is_ever_mounted() {
    let disk = Disk::new();
    symlink("/proc", disk.path("proc")).unwrap();
    symlink("/", disk.path("root")).unwrap();
    let everywhere = bounds().allow_volumes_in("/").allow_volumes_in("/proc").allow_volumes_in("/dev");
    for folder in [
        "/proc",
        "/proc/self",
        "/proc/self/fd",
        "/proc/self/task",
        "/proc/self/root",
        "/proc/self/root/proc",
        "/proc/self/root/sys/kernel",
        "/proc/thread-self/root/dev",
        "/sys",
        "/sys/kernel",
        "/dev",
        "/dev/pts",
        "/dev/shm",
        "/",
        "/../proc",
        "/usr/../dev",
    ] {
        let error = refusal(everywhere.clone(), &with_volume(Path::new(folder))).await;
        assert!(error.contains(NEVER), "{folder}: {error}");
    }
    for folder in [disk.path("proc"), disk.path("proc/self"), disk.path("root"), disk.path("root/sys")] {
        let error = refusal(everywhere.clone(), &with_volume(&folder)).await;
        assert!(error.contains(NEVER), "{folder:?}: {error}");
    }
}

#[tokio::test]
async fn the_hosts_own_folders_are_never_mounted() {
    let disk = Disk::new();
    let allowed = disk.folder("in");
    disk.folder("in/a");
    disk.folder("in/data/deep");
    disk.folder("in/data2");
    std::fs::write(allowed.join("audit.jsonl"), "").unwrap();
    symlink(disk.path("in/data"), disk.path("data-link")).unwrap();
    symlink("data/deep", allowed.join("to-data")).unwrap();
    // It need not exist when it is named: it will.
    let cache = disk.path("in/cache/code");
    // A folder that is protected is known by any of its names, and one that is allowed is not less protected.
    let bounds = bounds().allow_volumes_in(&allowed).allow_volumes_in(disk.path("in/data/deep"));
    let bounds = bounds.protect(disk.path("data-link")).protect(disk.path("in/audit.jsonl"));
    let host = Host::with(|settings| settings.with_bounds(bounds.clone()).with_code_cache(cache.clone())).await;
    for within in ["in/a", "in/data2"] {
        assert_eq!(host.run(&with_volume(&disk.path(within))).await.stopped.exit_code(), 0, "{within}");
    }
    disk.folder("in/cache/code/entries");
    for refused in [
        "in/data",
        "in/data/deep",
        "in/to-data",
        "data-link",
        "in/cache",
        "in/cache/code",
        "in/cache/code/entries",
        "in",
    ] {
        let error = host.prepare(&with_volume(&disk.path(refused))).await.expect_err("refused").to_string();
        assert!(error.contains("volumes[0].host.sourcePath") && error.contains(NEVER), "{refused}: {error}");
    }
}

#[tokio::test]
async fn the_folder_that_was_checked_is_the_one_that_is_mounted() {
    let disk = Disk::new();
    let (inner, outside) = (disk.folder("in/a"), disk.folder("out"));
    std::fs::write(inner.join("name"), "checked").unwrap();
    std::fs::write(outside.join("name"), "swapped in").unwrap();
    let allowed = disk.path("in");
    let host = Host::with(|settings| settings.with_bounds(bounds().allow_volumes_in(&allowed))).await;
    let mut definition = task(Path::new(artifacts::VOLUME), &["read", "/data/name"]);
    definition["volumes"] = json!([{"name": "data", "host": {"sourcePath": inner}}]);
    definition["containerDefinitions"][0]["mountPoints"] = json!([{"sourceVolume": "data", "containerPath": "/data"}]);
    let prepared = host.prepare(&definition).await.expect("it is allowed");
    std::fs::rename(&inner, disk.path("in/moved")).unwrap();
    symlink(&outside, &inner).unwrap();
    let output = CapturedOutput::default();
    let stopped = prepared.start(TaskOutput::Capture(output.clone())).wait().await;
    assert_eq!((stopped.exit_code(), output.stdout()), (0, b"checked".to_vec()));
    host.prepare(&definition).await.expect_err("now the name leads out");
}

#[tokio::test]
async fn volumes_are_counted_before_they_are_opened() {
    let disk = Disk::new();
    let folder = disk.folder("in");
    let bounds = bounds().allow_volumes_in(&folder).with_max_volumes(2);
    let asking = |volumes: usize, mounts: usize| {
        let mut definition = exit_ok();
        definition["volumes"] =
            (0..volumes).map(|number| json!({"name": format!("v{number}"), "host": {"sourcePath": folder}})).collect();
        definition["containerDefinitions"][0]["mountPoints"] =
            (0..mounts).map(|number| json!({"sourceVolume": "v0", "containerPath": format!("/m{number}")})).collect();
        definition
    };
    assert_eq!(exceeded(&bounds, &asking(2, 2)), []);
    let raise = "to allow it: OperatorBounds::with_max_volumes, or --max-volumes COUNT)";
    let error = refusal(bounds.clone(), &asking(5_000, 1)).await;
    assert!(error.contains(&format!("volumes: asks for 5000 (the operator allows at most 2; {raise}")), "{error}");
    let error = refusal(bounds, &asking(1, 3)).await;
    let said = format!("containerDefinitions[0].mountPoints: asks for 3 (the operator allows at most 2; {raise}");
    assert!(error.contains(&said), "{error}");
}
