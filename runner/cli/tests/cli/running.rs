//! What a task prints and how it ends.

use std::process::Stdio;

use serde_json::json;

use super::{Outcome, Sandbox, code, module, printing, read_line, signal};

#[test]
fn output_passes_byte_for_byte_and_nothing_is_added() {
    let sandbox = Sandbox::new();
    let text = b"\x00\xff\x1b[31m no newline";
    sandbox.file("app.wasm", printing(1, text, ""));
    let definition = sandbox.definition(|_| ());
    let outcome = sandbox.run(&["run", &definition.display().to_string()]);
    assert_eq!((outcome.code, outcome.stdout.as_slice(), outcome.stderr.as_str()), (Some(0), &text[..], ""));

    sandbox.file("app.wasm", printing(2, b"only an error\n", ""));
    let outcome = sandbox.run(&["run", "app.wasm"]);
    assert_eq!((outcome.code, outcome.text(), outcome.stderr.as_str()), (Some(0), "", "only an error\n"));
}

#[test]
fn a_task_exits_with_its_own_code() {
    let sandbox = Sandbox::new();
    for exit_code in [0, 1, 3, 42, 125] {
        sandbox.file("app.wasm", printing(1, b"", &format!("(call $proc_exit (i32.const {exit_code}))")));
        let outcome = sandbox.run(&["run", "app.wasm"]);
        assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(exit_code), ""));
    }
}

#[test]
fn the_report_is_one_line_of_json_after_the_tasks_own_output() {
    let sandbox = Sandbox::new();
    sandbox.file("app.wasm", printing(2, b"mine\n", "(call $proc_exit (i32.const 3))"));
    let outcome = sandbox.run(&["--output", "json", "run", "app.wasm"]);
    assert_eq!((outcome.code, outcome.text()), (Some(3), ""));
    assert!(outcome.stderr.starts_with("mine\n{"), "{}", outcome.stderr);
    let report = outcome.report();
    assert_eq!(report["exitCode"], 3);
    assert_eq!(report["stopCode"], "EssentialContainerExited");
    assert_eq!(report["containers"][0]["exitCode"], 3);
    assert_eq!(report["outputComplete"], true);
    assert_eq!(report["taskId"].as_str().expect("an id").len(), 32);
}

#[test]
fn a_task_that_loops_for_ever_ends_at_its_timeout() {
    let sandbox = Sandbox::new();
    sandbox.file("app.wasm", printing(1, b"begun\n", "(loop $again (br $again))"));
    let outcome = sandbox.run(&["run", "app.wasm", "--timeout", "300ms"]);
    assert_eq!((outcome.code, outcome.text()), (Some(137), "begun\n"));
    assert!(outcome.stderr.contains("timeout"), "{}", outcome.stderr);
}

#[test]
fn a_task_that_prints_for_ever_into_a_pipe_that_nobody_reads_ends_too() {
    let sandbox = Sandbox::new();
    sandbox.file("app.wasm", printing(1, b"y\n", "(loop $again (call $print) (br $again))"));
    let mut child = sandbox.start(&["run", "app.wasm", "--timeout", "500ms"]);
    // Its stdout stays open and unread until the process has ended.
    let unread = child.stdout.take();
    let output = child.wait_with_output().expect("an end");
    drop(unread);
    assert_eq!(code(output.status), Some(137));
}

#[test]
fn a_task_whose_reader_leaves_ends() {
    let sandbox = Sandbox::new();
    // fd_write's error is ignored by this guest, so its timeout ends it.
    sandbox.file("app.wasm", printing(1, b"y\n", "(loop $again (call $print) (br $again))"));
    let mut child = sandbox.start(&["run", "app.wasm", "--timeout", "500ms"]);
    drop(child.stdout.take());
    assert_eq!(code(child.wait().expect("an end")), Some(137));
}

#[test]
fn a_trap_is_the_tasks_failure() {
    let sandbox = Sandbox::new();
    sandbox.file("app.wasm", printing(1, b"", "unreachable"));
    let outcome = sandbox.run(&["run", "app.wasm"]);
    assert!(outcome.code.is_some_and(|code| code != 0 && code != 125 && code != 126), "{outcome:?}");
    assert!(outcome.stderr.contains("unreachable"), "{}", outcome.stderr);
}

#[test]
fn signals_end_a_task() {
    let sandbox = Sandbox::new();
    sandbox.file("app.wasm", printing(1, b"begun\n", "(loop $again (br $again))"));
    for name in ["TERM", "INT"] {
        let mut child = sandbox.start(&["run", "app.wasm", "--timeout", "10m"]);
        let begun = read_line(child.stdout.as_mut().expect("a pipe"));
        assert_eq!(begun, "begun\n");
        signal(&child, name);
        let outcome = Outcome::of(child.wait_with_output().expect("an end"), &sandbox);
        assert_eq!(outcome.code, Some(137), "{name}");
        assert!(outcome.stderr.contains(&format!("SIG{name}")), "{}", outcome.stderr);
    }
}

#[test]
fn a_task_sees_its_arguments_and_nothing_of_the_hosts_environment() {
    let sandbox = Sandbox::new();
    // Prints its whole environment block.
    let guest = wat::parse_str(
        r#"(module
            (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
            (import "wasi_snapshot_preview1" "environ_sizes_get" (func $sizes (param i32 i32) (result i32)))
            (import "wasi_snapshot_preview1" "environ_get" (func $get (param i32 i32) (result i32)))
            (import "wasi_snapshot_preview1" "args_sizes_get" (func $arg_sizes (param i32 i32) (result i32)))
            (import "wasi_snapshot_preview1" "args_get" (func $args (param i32 i32) (result i32)))
            (memory (export "memory") 1)
            (func $print (param $length i32)
                (i32.store (i32.const 0) (i32.const 32768))
                (i32.store (i32.const 4) (local.get $length))
                (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8))))
            (func (export "_start")
                (drop (call $sizes (i32.const 16) (i32.const 20)))
                (drop (call $get (i32.const 1024) (i32.const 32768)))
                (call $print (i32.load (i32.const 20)))
                (drop (call $arg_sizes (i32.const 16) (i32.const 20)))
                (drop (call $args (i32.const 1024) (i32.const 32768)))
                (call $print (i32.load (i32.const 20)))))"#,
    )
    .expect("a module");
    sandbox.file("app.wasm", guest);
    let mut command = sandbox.command(&["run", "app.wasm", "--env", "MINE=yes", "--", "--flag", "x y"]);
    let output = command.env("AWS_SECRET_ACCESS_KEY", "hosts-own-secret").env("OTHER", "no").output();
    let outcome = Outcome::of(output.expect("rolebox runs"), &sandbox);
    let seen = outcome.text();
    assert!(seen.contains("MINE=yes\0"), "{seen:?}");
    assert!(seen.ends_with("app.wasm\0--flag\0x y\0"), "{seen:?}");
    for foreign in ["hosts-own-secret", "OTHER", "HOME", "PATH"] {
        assert!(!seen.contains(foreign), "{foreign}: {seen:?}");
    }
}

#[test]
fn standard_streams_that_are_closed_do_no_harm() {
    let sandbox = Sandbox::new();
    sandbox.file("app.wasm", printing(1, b"unseen", "(call $proc_exit (i32.const 5))"));
    let status = sandbox
        .command(&["run", "app.wasm"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .expect("rolebox runs");
    assert_eq!(code(status), Some(5));
}

#[test]
fn a_volume_is_where_the_definition_says_and_nowhere_else() {
    let sandbox = Sandbox::new();
    sandbox.file("app.wasm", module(r#"(memory (export "memory") 1) (func (export "_start"))"#));
    std::fs::create_dir(sandbox.path().join("inside")).expect("a folder");
    let outside = tempfile::TempDir::new().expect("a folder");
    let outside = outside.path().display().to_string();
    for (source, expected) in
        [("inside", Some(0)), ("missing", Some(125)), (&outside, Some(125)), ("/proc", Some(125)), ("..", Some(125))]
    {
        let definition = sandbox.definition(|definition| {
            definition["volumes"] = json!([{"name": "v", "host": {"sourcePath": source}}]);
            definition["containerDefinitions"][0]["mountPoints"] =
                json!([{"sourceVolume": "v", "containerPath": "/v"}]);
        });
        let outcome = sandbox.run(&["run", &definition.display().to_string()]);
        assert_eq!(outcome.code, expected, "{source}: {}", outcome.stderr);
    }
}

#[test]
fn a_full_disk_for_the_cache_is_said_and_the_task_runs_all_the_same() {
    let sandbox = Sandbox::new();
    // Without data, which the engine would keep in a file in memory that the limit below is for too.
    sandbox.file("app.wasm", module(r#"(memory (export "memory") 1) (func (export "_start"))"#));
    // A limit on the size of files makes a write fail as a full disk does, for this process alone.
    let outcome = std::process::Command::new("sh")
        .args(["-c", "ulimit -f 1; exec \"$0\" run app.wasm", env!("CARGO_BIN_EXE_rolebox")])
        .current_dir(sandbox.path())
        .env_clear()
        .env("HOME", sandbox.path())
        .output()
        .expect("sh runs");
    let outcome = Outcome::of(outcome, &sandbox);
    assert_eq!((outcome.code, outcome.text()), (Some(0), ""), "{outcome:?}");
    assert!(outcome.stderr.contains("compiled code is not kept: DIR/.cache/rolebox/code/"), "{}", outcome.stderr);
    let code = sandbox.path().join(".cache/rolebox/code");
    assert_eq!(std::fs::read_dir(code).expect("the folder").count(), 0, "nothing half-written is left");
}
