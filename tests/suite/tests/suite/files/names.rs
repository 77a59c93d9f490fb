//! Names that a guest gives, and names that lie on the disk.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use super::preview1::{Calls, MOUNT, RESULT, Value, errno};
use super::volume::Volume;

/// A volume whose links lead out, and something outside that must not be reached.
async fn with_ways_out() -> Volume {
    let volume = Volume::new().await;
    std::fs::write(volume.outside("secret"), "secret").unwrap();
    std::fs::create_dir(volume.path("folder")).unwrap();
    volume.write("file", "content");
    volume.link("..", "up");
    volume.link("../secret", "secret");
    volume.link("/", "root");
    volume.link("folder/../../secret", "devious");
    volume.link("/proc/self/root", "magic");
    volume
}

/// Names that lead out.
const OUT: [&str; 12] = [
    "..",
    "../secret",
    "folder/../../secret",
    "./../secret",
    "/etc/passwd",
    "/",
    "//etc",
    "up/secret",
    "secret",
    "devious",
    "root/etc/passwd",
    "magic/etc/passwd",
];

#[tokio::test]
async fn no_name_leads_out() {
    let volume = with_ways_out().await;
    let mut operations = Vec::new();
    for path in OUT {
        for operation in ["read", "write-at", "stat", "list", "times", "open"] {
            let rest = if operation == "write-at" { " 0" } else { "" };
            operations.push(format!("{operation} {path}{rest}"));
        }
    }
    // What these would make, remove or move lies outside.
    for path in ["../new", "up/new", "root/new", "/new", "folder/../../new"] {
        operations.push(format!("write {path} x"));
        operations.push(format!("mkdir {path}"));
        operations.push(format!("rename file {path}"));
        operations.push(format!("rename {path} file"));
        operations.push(format!("link file {path}"));
        operations.push(format!("link {path} new"));
        operations.push(format!("symlink file {path}"));
        operations.push(format!("unlink {path}"));
        operations.push(format!("rmdir {path}"));
        operations.push(format!("readlink {path}"));
        operations.push(format!("link-times {path}"));
    }
    operations.push("symlink /etc/passwd new".to_owned());
    let checks: Vec<_> = operations.iter().map(|operation| (operation.as_str(), "not-permitted")).collect();
    volume.check(false, &checks).await;
    assert_eq!(std::fs::read_to_string(volume.outside("secret")).unwrap(), "secret");
    assert!(!volume.outside("new").exists());
    assert_eq!(std::fs::read_to_string(volume.path("file")).unwrap(), "content");
}

#[tokio::test]
async fn no_name_leads_preview_1_out() {
    let volume = with_ways_out().await;
    let mut calls = Calls::default();
    for path in OUT {
        calls = calls
            .open(path, "read")
            .call("path_filestat_get", &[MOUNT, Value::I32(1), Value::Text(path), Value::I32(RESULT)]);
    }
    for path in ["../new", "up/new", "root/new", "/new"] {
        let (file, path) = (Value::Text("file"), Value::Text(path));
        calls = calls
            .call("path_create_directory", &[MOUNT, path])
            .call("path_rename", &[MOUNT, file, MOUNT, path])
            .call("path_link", &[MOUNT, Value::I32(0), file, MOUNT, path])
            .call("path_symlink", &[file, MOUNT, path])
            .call("path_unlink_file", &[MOUNT, path])
            .call("path_remove_directory", &[MOUNT, path]);
    }
    let lines = volume.lines(&volume.calls(&calls, false)).await;
    assert_eq!(lines, vec![errno::PERM; 2 * OUT.len() + 4 * 6]);
}

#[tokio::test]
async fn names_that_no_file_can_have() {
    let volume = Volume::new().await;
    let long = "n".repeat(5_000);
    let deep = "d/".repeat(2_500);
    let operations = [
        format!("read {long}"),
        format!("write {long} x"),
        format!("mkdir {long}"),
        format!("stat {long}"),
        format!("read {deep}"),
        format!("mkdir {deep}"),
        format!("write {} x", "n".repeat(256)),
    ];
    let mut checks: Vec<_> = operations.iter().map(|operation| (operation.as_str(), "name-too-long")).collect();
    checks.extend([
        (r"read a\0b", "invalid"),
        (r"write a\0 x", "invalid"),
        (r"mkdir \0", "invalid"),
        (r"rename a\0b c", "invalid"),
        ("read ", "no-entry"),
        ("mkdir ", "no-entry"),
        ("stat ", "no-entry"),
        ("rename  x", "no-entry"),
        ("symlink  x", "no-entry"),
        ("mkdir .", "exist"),
    ]);
    volume.check(false, &checks).await;

    let calls = Calls::default()
        .open(&long, "read")
        .open(&deep, "read")
        .open("a\0b", "read")
        .open("", "read")
        .call("path_create_directory", &[MOUNT, Value::Text(&long)]);
    let lines = volume.lines(&volume.calls(&calls, false)).await;
    assert_eq!(lines, [errno::NAMETOOLONG, errno::NAMETOOLONG, errno::INVAL, errno::NOENT, errno::NAMETOOLONG]);
    assert_eq!(std::fs::read_dir(volume.path("")).unwrap().count(), 0, "nothing was made");
}

#[tokio::test]
async fn a_name_on_the_disk_that_is_no_text_hides_no_other() {
    let volume = Volume::new().await;
    std::fs::write(volume.path("").join(OsStr::from_bytes(b"latin-\xe9")), "").unwrap();
    std::os::unix::fs::symlink(OsStr::from_bytes(b"\xff"), volume.path("to-no-text")).unwrap();
    volume.write("text", "content");
    let checks =
        [("list .", "ok 2 1 14"), ("readlink to-no-text", "illegal-byte-sequence"), ("read text", "ok content")];
    volume.check(false, &checks).await;

    // Preview 1's listing is bytes, with `.` and `..` in it.
    let calls = Calls::default().open(".", "directory").list(4096).call(
        "path_readlink",
        &[MOUNT, Value::Text("to-no-text"), Value::I32(RESULT), Value::I32(16), Value::I32(RESULT + 16)],
    );
    let lines = volume.lines(&volume.calls(&calls, false)).await;
    assert_eq!(lines, [errno::SUCCESS, "5", "24", errno::ILSEQ]);
}
