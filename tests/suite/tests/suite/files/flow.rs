//! How much there is, how much may be under way, and what a stop waits for.

use std::time::Duration;

use rolebox::output::{CapturedOutput, TaskOutput};
use rolebox_suite::{parse, with_key};
use serde_json::json;

use super::preview1::{Calls, MOUNT, RESULT, Value, errno};
use super::volume::{Lease, Volume};

/// Longer than any test, and shorter than the kernel waits for a lease.
const LONG: Duration = Duration::from_secs(30);

#[tokio::test]
async fn a_file_call_that_hangs_holds_up_neither_its_own_stop_nor_another_task() {
    let volume = Volume::with(|settings| settings.with_output_grace(Duration::from_millis(20))).await;
    let calls = Calls::default().open("preview1", "read");
    let hang =
        [("component", volume.operations(&["read component"], false)), ("preview1", volume.calls(&calls, false))];
    for (leased, definition) in hang {
        volume.write(leased, "content");
        volume.write("file", "content");
        let mut lease = Lease::on(&volume.path(leased)).await;
        let prepared = volume.host.runner.prepare(&parse(&definition)).await.unwrap();
        let output = CapturedOutput::default();
        let mut task = prepared.start(TaskOutput::Capture(output.clone()));
        lease.asked().await;
        let beside = [("read file", "ok content"), ("write file beside!", "ok"), ("read file", "ok beside!")];
        volume.check(false, &beside).await;
        task.stop("it hangs");
        let stopped = task.wait().await;
        assert_eq!(stopped.stopped_reason, "it hangs");
        assert_eq!(output.stdout(), b"", "the call has not returned");
        lease.release();
    }
}

#[tokio::test]
async fn stopped_waits_for_what_was_begun() {
    let volume = Volume::with(|settings| settings.with_output_grace(LONG)).await;
    let calls = Calls::default().open("preview1", "write truncate");
    let truncate = [
        ("component", volume.operations(&["open component write truncate"], false)),
        ("preview1", volume.calls(&calls, false)),
    ];
    for (leased, definition) in truncate {
        volume.write(leased, "content");
        let mut lease = Lease::on(&volume.path(leased)).await;
        let prepared = volume.host.runner.prepare(&parse(&definition)).await.unwrap();
        let mut task = prepared.start(TaskOutput::Discard);
        lease.asked().await;
        task.stop("enough");
        let stopped = tokio::spawn(async move { task.wait().await });
        // Another task's whole life passes meanwhile.
        volume.check(false, &[("write file x", "ok"), ("read file", "ok x")]).await;
        assert!(!stopped.is_finished(), "the truncation is still to come");
        lease.release();
        assert_eq!(stopped.await.unwrap().stopped_reason, "enough");
        assert_eq!(std::fs::read(volume.path(leased)).unwrap(), b"", "it came before STOPPED");
    }
}

#[tokio::test]
async fn a_huge_folder_is_listed_right() {
    const ENTRIES: usize = 100_000;
    let volume = Volume::new().await;
    std::fs::create_dir(volume.path("huge")).unwrap();
    volume.write("huge/0", "");
    let mut length = 1;
    for number in 1..ENTRIES {
        let name = number.to_string();
        length += name.len();
        // Links to a few files: a file system bounds the links of each.
        if number % 10_000 == 0 {
            volume.write(&format!("huge/{name}"), "");
        } else {
            let first = volume.path(&format!("huge/{}", number / 10_000 * 10_000));
            std::fs::hard_link(first, volume.path(&format!("huge/{name}"))).unwrap();
        }
    }
    let expected = format!("ok {ENTRIES} 0 {length}");
    volume.check(false, &[("list huge", &expected)]).await;

    let (entries, length) = ((ENTRIES + 2).to_string(), (length + 3).to_string());
    // libc's buffer, and one that no part of the host's ends with.
    for buffer in [4096, 333_333] {
        let calls = Calls::default().open("huge", "directory").list(buffer);
        let lines = volume.lines(&volume.calls(&calls, false)).await;
        assert_eq!(lines, [errno::SUCCESS, &entries, &length], "through {buffer} bytes");
    }
}

#[tokio::test]
async fn a_thousand_streams_of_one_file_at_once() {
    let volume = Volume::new().await;
    volume.write("file", &"x".repeat(10_000));
    // The table holds 1,024 entries.
    let checks = [("readers file 1000", "ok 10000000"), ("writers new 1000", "ok 1000")];
    volume.check(false, &checks).await;
    assert_eq!(std::fs::read(volume.path("new")).unwrap(), [b'w'; 1000], "what was written is there");
}

#[tokio::test]
async fn open_files_are_limited_for_the_whole_task_and_given_back() {
    let volume = Volume::new().await;
    volume.write("file", "content");
    std::fs::create_dir(volume.path("folder")).unwrap();
    let limited = |definition| with_key(definition, "limits", json!({"openFiles": 5}));
    let operations = ["hold file 5", "hold file 6", "hold folder 6", "hold file 5", "list folder", "read file"];
    let lines = volume.lines(&limited(volume.operations(&operations, false))).await;
    let short = "ok 5 insufficient-memory";
    assert_eq!(lines, ["ok 5", short, short, "ok 5", "ok 0 0 0", "ok content"]);
    let lines = volume.lines(&volume.operations(&["hold file 256", "hold file 257"], false)).await;
    assert_eq!(lines, ["ok 256", "ok 256 insufficient-memory"], "without a limit of its own");

    let calls = Calls::default()
        .open_often("file", 5)
        .open("file", "read")
        .call("fd_close", &[Value::I32(4)])
        .open("file", "read")
        .open("file", "read");
    let lines = volume.lines(&limited(volume.calls(&calls, false))).await;
    assert_eq!(lines, [errno::SUCCESS, errno::MFILE, errno::SUCCESS, errno::SUCCESS, errno::MFILE]);
}

#[tokio::test]
async fn a_volume_that_is_full_is_an_error_and_no_end() {
    let volume = Volume::new().await;
    let last = i64::MAX.to_string();
    let (beyond, too_large) = (format!("write-at file {last}"), format!("size file {}", u64::MAX));
    volume.write("file", "content");
    let checks = [(beyond.as_str(), "invalid"), (too_large.as_str(), "invalid"), ("read file", "ok content")];
    volume.check(false, &checks).await;

    // Only the superuser can make a file system to fill. Elsewhere the errors above stand for this one, which comes the
    // same way, and its name has a test of its own in the runner.
    std::fs::create_dir(volume.path("small")).unwrap();
    if let Some(_small) = Small::mount(&volume.path("small")) {
        let full = ("fill small/file", "ok 65536 insufficient-space");
        let next = ("write small/other x", "insufficient-space");
        volume.check(false, &[full, next, ("read file", "ok content")]).await;
    }
}

/// A file system in memory of 64 KiB.
struct Small(std::path::PathBuf);

impl Small {
    fn mount(path: &std::path::Path) -> Option<Self> {
        let mounted = std::process::Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=64k", "tmpfs"])
            .arg(path)
            .stderr(std::process::Stdio::null())
            .status();
        mounted.is_ok_and(|status| status.success()).then(|| Self(path.to_owned()))
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let unmounted = std::process::Command::new("umount").arg(&self.0).status();
        assert!(unmounted.is_ok_and(|status| status.success()), "{} stays mounted", self.0.display());
    }
}

#[tokio::test]
async fn preview_1_descriptors_move_seek_and_close() {
    let volume = Volume::new().await;
    volume.write("file", "content");
    std::fs::create_dir(volume.path("folder")).unwrap();
    let calls = Calls::default()
        .open("file", "read")
        .call("fd_seek", &[Value::Opened, Value::I64(3), Value::I32(0), Value::I32(200)])
        .call("fd_seek", &[Value::Opened, Value::I64(1), Value::I32(1), Value::I32(200)])
        .show(200)
        .call("fd_seek", &[Value::Opened, Value::I64(u64::MAX), Value::I32(2), Value::I32(200)])
        .show(200)
        .call("fd_seek", &[Value::Opened, Value::I64(u64::MAX), Value::I32(0), Value::I32(200)])
        .open("folder", "directory")
        .call("fd_renumber", &[Value::I32(5), Value::I32(4)])
        .call("fd_readdir", &[Value::I32(4), Value::I32(131_072), Value::I32(4096), Value::I64(0), Value::I32(200)])
        .call("fd_close", &[Value::I32(5)])
        .call("fd_close", &[Value::I32(4)])
        .call("fd_close", &[Value::I32(4)])
        .call("fd_close", &[Value::I32(77)])
        .call("path_link", &[MOUNT, Value::I32(1), Value::Text("file"), MOUNT, Value::Text("new")])
        .open("folder", "read write")
        .open("file", "read directory")
        .open("file", "read nofollow")
        .call("path_symlink", &[Value::Text("file"), MOUNT, Value::Text("link")])
        .open("link", "read nofollow");
    let lines = volume.lines(&volume.calls(&calls, false)).await;
    let badf = "8";
    let ok = errno::SUCCESS;
    let expected = [
        ok,
        ok,
        ok,
        "4",
        ok,
        "6",
        errno::INVAL,
        ok,
        ok,
        ok,
        badf,
        ok,
        badf,
        badf,
        errno::INVAL,
        errno::ISDIR,
        errno::NOTDIR,
        ok,
        ok,
        errno::LOOP,
    ];
    assert_eq!(lines, expected);
}

#[tokio::test]
async fn preview_1_moves_bytes_between_files_and_several_buffers() {
    let volume = Volume::new().await;
    volume.write("file", "content");
    // Buffers of 3 and 100 bytes at 1000 and 2000; a number is told after each call.
    let buffers = |calls: Calls| calls.put(512, 1000).put(516, 3).put(520, 2000).put(524, 100);
    let transfer = [Value::Opened, Value::I32(512), Value::I32(2), Value::I32(RESULT)];
    let calls = buffers(Calls::default().open("file", "read write"))
        .call("fd_read", &transfer)
        .show(RESULT)
        .call("fd_read", &transfer)
        .show(RESULT)
        .call("fd_seek", &[Value::Opened, Value::I64(1), Value::I32(0), Value::I32(200)])
        // What was read, 3 and 4 bytes, goes over the file's end.
        .put(524, 4)
        .call("fd_write", &transfer)
        .show(RESULT)
        .call("fd_fdstat_set_flags", &[Value::Opened, Value::I32(1)])
        .call("fd_seek", &[Value::Opened, Value::I64(0), Value::I32(0), Value::I32(200)])
        .call("fd_write", &transfer)
        .call("fd_seek", &[Value::Opened, Value::I64(0), Value::I32(1), Value::I32(200)])
        .show(200)
        .call("fd_read", &[MOUNT, Value::I32(512), Value::I32(2), Value::I32(RESULT)]);
    let lines = volume.lines(&volume.calls(&calls, false)).await;
    let ok = errno::SUCCESS;
    assert_eq!(lines, [ok, ok, "7", ok, "0", ok, ok, "7", ok, ok, ok, ok, "15", errno::ISDIR]);
    assert_eq!(std::fs::read_to_string(volume.path("file")).unwrap(), "ccontentcontent");
}

#[tokio::test]
async fn preview_1_never_waits_for_a_file() {
    let volume = Volume::new().await;
    volume.write("file", "content");
    // Subscriptions of 48 bytes at 512: a clock that is due in an hour, then the file.
    let hour = 3_600_000_000_000_u64;
    let [low, high] = [hour as u32, (hour >> 32) as u32];
    let poll = |count| [Value::I32(512), Value::I32(1024), Value::I32(count), Value::I32(RESULT)];
    let calls = Calls::default()
        .open("file", "read")
        .put(512 + 16, 1)
        .put(512 + 24, low)
        .put(512 + 28, high)
        .put(560, 77)
        .put(560 + 8, 1)
        .put(560 + 16, 4)
        .call("poll_oneoff", &poll(2))
        .show(RESULT)
        // The subscription's number; its error, 0, and its type, 1, in the upper half; no end of the file.
        .show(1024)
        .show(1024 + 8)
        .show(1024 + 24)
        .call("fd_seek", &[Value::Opened, Value::I64(0), Value::I32(2), Value::I32(200)])
        .call("poll_oneoff", &poll(2))
        .show(1024 + 24)
        // A folder cannot be waited for.
        .put(560 + 16, 3)
        .call("poll_oneoff", &poll(2));
    let lines = volume.lines(&volume.calls(&calls, false)).await;
    let ok = errno::SUCCESS;
    assert_eq!(lines, [ok, ok, "1", "77", "65536", "0", ok, ok, "1", "8"]);
}
