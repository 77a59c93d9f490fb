//! What can be opened: regular files and folders, and neither a FIFO, a socket nor a device.

use std::os::unix::net::UnixListener;
use std::path::Path;

use rustix::fs::{CWD, FileType, Mode, mknodat};

use super::preview1::{Calls, MOUNT, RESULT, Value, errno};
use super::volume::Volume;

fn fifo(path: &Path) {
    mknodat(CWD, path, FileType::Fifo, Mode::from_raw_mode(0o666), 0).unwrap();
}

/// A volume with something of each kind; without the right to make devices there is a second FIFO in its place.
async fn every_kind() -> (Volume, &'static str, UnixListener) {
    let volume = Volume::new().await;
    fifo(&volume.path("fifo"));
    volume.link("fifo", "to-fifo");
    let zero = rustix::fs::makedev(1, 5);
    let device = match mknodat(CWD, volume.path("device"), FileType::CharacterDevice, Mode::from_raw_mode(0o666), zero)
    {
        Ok(()) => "device",
        Err(_) => {
            fifo(&volume.path("device"));
            "fifo"
        }
    };
    let socket = UnixListener::bind(volume.path("socket")).unwrap();
    volume.write("file", "content");
    std::fs::create_dir(volume.path("folder")).unwrap();
    (volume, device, socket)
}

#[tokio::test]
pub(crate) async fn files() {
    let (volume, device, _socket) = every_kind().await;
    let device = format!("ok {device}");
    volume
        .check(
            false,
            &[
                ("read fifo", "not-permitted"),
                ("write fifo x", "not-permitted"),
                ("open fifo read write", "not-permitted"),
                ("open fifo read create", "not-permitted"),
                ("open fifo write truncate", "not-permitted"),
                ("open fifo create exclusive", "exist"),
                ("open fifo directory", "not-directory"),
                ("read to-fifo", "not-permitted"),
                ("write to-fifo x", "not-permitted"),
                ("read folder/../fifo", "not-permitted"),
                ("read socket", "not-permitted"),
                ("write socket x", "not-permitted"),
                ("read device", "not-permitted"),
                ("write device x", "not-permitted"),
                // They are there all the same, and can be looked at and put in order.
                ("stat fifo", "ok fifo"),
                ("stat to-fifo", "ok fifo"),
                ("link-stat to-fifo", "ok link"),
                ("stat socket", "ok socket"),
                ("stat device", &device),
                ("times fifo", "ok"),
                ("times to-fifo", "ok"),
                ("link-times to-fifo", "ok"),
                ("times socket", "ok"),
                ("times device", "ok"),
                ("list .", "ok 6 0 33"),
                ("rename fifo moved", "ok"),
                ("read moved", "not-permitted"),
                ("link moved linked", "ok"),
                ("read linked", "not-permitted"),
                ("unlink moved", "ok"),
                ("unlink linked", "ok"),
                // What is beside them is as anywhere.
                ("read file", "ok content"),
                ("open folder read", "ok folder"),
            ],
        )
        .await;
}

#[tokio::test]
async fn preview_1_opens_the_same_kinds() {
    let (volume, _, _socket) = every_kind().await;
    let times = |path| [MOUNT, Value::I32(1), Value::Text(path), Value::I64(0), Value::I64(0), Value::I32(0b1010)];
    let mut calls = Calls::default();
    for path in ["fifo", "to-fifo", "socket", "device"] {
        for flags in ["read", "write", "read write create", "write truncate"] {
            calls = calls.open(path, flags);
        }
        calls = calls.call("path_filestat_set_times", &times(path));
        calls = calls.call("path_filestat_get", &[MOUNT, Value::I32(1), Value::Text(path), Value::I32(RESULT)]);
    }
    let calls = calls
        .open("fifo", "create exclusive")
        .call("path_rename", &[MOUNT, Value::Text("fifo"), MOUNT, Value::Text("moved")])
        .open("moved", "read")
        .open("file", "read")
        .open("folder", "directory");
    let lines = volume.lines(&volume.calls(&calls, false)).await;
    let mut expected = Vec::new();
    for _ in 0..4 {
        expected.extend([errno::PERM; 4]);
        expected.extend([errno::SUCCESS; 2]);
    }
    expected.extend([errno::EXIST, errno::SUCCESS, errno::PERM, errno::SUCCESS, errno::SUCCESS]);
    assert_eq!(lines, expected);
}

#[tokio::test]
async fn opening_keeps_wasis_meaning_of_every_flag() {
    let volume = Volume::new().await;
    volume.write("file", "content");
    std::fs::create_dir(volume.path("folder")).unwrap();
    volume.link("missing", "dangling");
    volume.link("folder/../new-by-link", "to-new");
    volume.link("loop", "loop");
    volume.link("../secret", "out");
    volume.link("/etc/hostname", "absolute");
    volume.link("file", "to-file");
    let checks = [
        ("open missing read", "no-entry"),
        ("open missing read create directory", "invalid"),
        ("open file directory", "not-directory"),
        ("open file/ read", "not-directory"),
        ("open folder/ read", "ok folder"),
        ("open folder read write", "is-directory"),
        ("open folder create", "is-directory"),
        ("open folder truncate", "is-directory"),
        ("open file create exclusive", "exist"),
        ("open dangling create exclusive", "exist"),
        ("open dangling read", "no-entry"),
        ("open to-file read nofollow", "loop"),
        ("open to-file read", "ok file"),
        ("open dangling write create nofollow", "loop"),
        ("open loop read", "loop"),
        ("open loop write create", "loop"),
        ("open file read sync", "unsupported"),
        ("open out read", "not-permitted"),
        ("open out write create", "not-permitted"),
        ("open absolute read", "not-permitted"),
        ("readlink absolute", "not-permitted"),
        ("readlink to-file", "ok file"),
        ("readlink file", "invalid"),
        ("open new/ write create", "is-directory"),
        ("open none/new write create", "no-entry"),
        ("write to-new linked", "ok"),
        ("read new-by-link", "ok linked"),
        ("write dangling made", "ok"),
        ("read missing", "ok made"),
        ("append file +", "ok"),
        ("read file", "ok content+"),
        ("stream file C", "ok"),
        ("read file", "ok Content+"),
        ("size file 3", "ok"),
        ("read file", "ok Con"),
        ("open file write truncate", "ok file"),
        ("read file", "ok"),
        ("mkdir folder/sub/", "ok"),
        ("rmdir folder", "not-empty"),
        ("rename folder/sub/ moved/", "ok"),
        ("rename file moved2/", "not-directory"),
        ("rmdir moved/", "ok"),
        ("unlink folder", "is-directory"),
        ("rmdir file", "not-directory"),
        ("symlink file again", "ok"),
        ("link again hard", "ok"),
        ("link-stat hard", "ok link"),
        ("link folder hard2", "not-permitted"),
    ];
    volume.check(false, &checks).await;
    assert!(!volume.outside("secret").exists(), "no file was created outside");
}

#[tokio::test]
async fn nothing_changes_in_a_volume_that_is_read_only() {
    let volume = Volume::new().await;
    volume.write("file", "content");
    std::fs::create_dir(volume.path("folder")).unwrap();
    volume.link("file", "link");
    let before = volume.snapshot();
    let refused = [
        "write file x",
        "write new x",
        "append file x",
        "stream file x",
        "open file write",
        "open file truncate",
        "open file create",
        "open new create exclusive",
        "size file 0",
        "write-at file 0",
        "mkdir new",
        "rmdir folder",
        "unlink file",
        "unlink link",
        "rename file new",
        "link file new",
        "symlink file new",
        "times file",
        "link-times link",
        "times folder",
    ];
    let checks: Vec<_> = refused.iter().map(|operation| (*operation, "not-permitted")).collect();
    volume.check(true, &checks).await;
    volume.check(true, &[("read file", "ok content"), ("list .", "ok 3 0 14")]).await;

    let (file, new) = (Value::Text("file"), Value::Text("new"));
    let calls = Calls::default()
        .open("file", "write")
        .open("file", "truncate")
        .open("new", "create")
        .call("path_create_directory", &[MOUNT, new])
        .call("path_remove_directory", &[MOUNT, Value::Text("folder")])
        .call("path_unlink_file", &[MOUNT, file])
        .call("path_rename", &[MOUNT, file, MOUNT, new])
        .call("path_link", &[MOUNT, Value::I32(0), file, MOUNT, new])
        .call("path_symlink", &[file, MOUNT, new])
        .call(
            "path_filestat_set_times",
            &[MOUNT, Value::I32(1), file, Value::I64(0), Value::I64(0), Value::I32(0b1010)],
        )
        .open("file", "read")
        .call("fd_filestat_set_size", &[Value::Opened, Value::I64(0)])
        .call("fd_filestat_set_times", &[Value::Opened, Value::I64(0), Value::I64(0), Value::I32(0b1010)])
        .call("fd_pwrite", &[Value::Opened, Value::I32(0), Value::I32(1), Value::I64(0), Value::I32(RESULT)]);
    let lines = volume.lines(&volume.calls(&calls, true)).await;
    let mut expected = [errno::PERM; 14];
    expected[10] = errno::SUCCESS;
    assert_eq!(lines, expected);
    assert_eq!(volume.snapshot(), before);
}
