//! Pointers and lengths handed to the host, and what a guest's own allocator hands back to it.

use crate::components::assemble::{LIBC, binary, command, command_on, command_text, start};
use crate::components::case::End::{Exits, Refused};
use crate::components::case::{Case, End, timed_out, traps};

pub(super) fn cases() -> Vec<Case> {
    [preview1(), lists(), allocators()].concat()
}

/// Calls of preview 1 that trap, or give an error number and then exit with 0. None succeeds.
fn preview1() -> Vec<Case> {
    const OUT: &str = "Pointer out of bounds";
    let call = |name: &'static str, parameters: usize, arguments: &str, end| {
        let image = start(
            &format!(
                r#"(import "wasi_snapshot_preview1" "{name}" (func $call (param {}) (result i32)))"#,
                "i32 ".repeat(parameters)
            ),
            &format!("(if (i32.eqz (call $call {arguments})) (then (unreachable)))"),
        );
        (image, end)
    };
    let rows = [
        (
            "fd_write, vectors past the end",
            call("fd_write", 4, "(i32.const 1) (i32.const 65532) (i32.const 1) (i32.const 0)", traps(OUT)),
        ),
        (
            "fd_write, vectors at the end of the address space",
            call("fd_write", 4, "(i32.const 1) (i32.const -8) (i32.const 8) (i32.const 0)", traps(OUT)),
        ),
        (
            "fd_write, four thousand million vectors",
            call("fd_write", 4, "(i32.const 1) (i32.const 0) (i32.const -1) (i32.const 0)", Exits(0)),
        ),
        (
            "fd_write, vectors that are not aligned",
            call("fd_write", 4, "(i32.const 1) (i32.const 3) (i32.const 1) (i32.const 0)", traps("not aligned")),
        ),
        (
            "fd_write, a result past the end",
            call("fd_write", 4, "(i32.const 1) (i32.const 0) (i32.const 0) (i32.const 65534)", traps(OUT)),
        ),
        (
            "fd_read, a descriptor that is none",
            call("fd_read", 4, "(i32.const 2147483647) (i32.const 0) (i32.const 0) (i32.const 0)", Exits(0)),
        ),
        ("random_get, past the end", call("random_get", 2, "(i32.const 65000) (i32.const 1000)", traps(OUT))),
        (
            "random_get, a length that wraps",
            call("random_get", 2, "(i32.const 16) (i32.const -1)", traps("exceeds limit")),
        ),
        ("args_get, pointers past the end", call("args_get", 2, "(i32.const 65533) (i32.const 0)", traps(OUT))),
        ("args_get, a buffer past the end", call("args_get", 2, "(i32.const 0) (i32.const 65535)", traps(OUT))),
        (
            "args_sizes_get, results past the end",
            call("args_sizes_get", 2, "(i32.const 65535) (i32.const -1)", traps(OUT)),
        ),
        (
            "environ_sizes_get, results past the end",
            call("environ_sizes_get", 2, "(i32.const -4) (i32.const 0)", traps(OUT)),
        ),
        (
            "fd_prestat_get, a descriptor that is none",
            call("fd_prestat_get", 2, "(i32.const 3) (i32.const 0)", Exits(0)),
        ),
        ("path_open, a path past the end", call_path_open("(i32.const 65000) (i32.const 10000)")),
        ("path_open, a path at the end of the address space", call_path_open("(i32.const -1) (i32.const 2)")),
        (
            "poll_oneoff, subscriptions past the end",
            call("poll_oneoff", 4, "(i32.const 65530) (i32.const 0) (i32.const 1) (i32.const 0)", traps(OUT)),
        ),
        (
            "poll_oneoff, four thousand million subscriptions",
            call("poll_oneoff", 4, "(i32.const 0) (i32.const 0) (i32.const -1) (i32.const 0)", Exits(0)),
        ),
        (
            "poll_oneoff, no subscription",
            call("poll_oneoff", 4, "(i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0)", Exits(0)),
        ),
    ];
    rows.into_iter().map(|(name, (image, end))| Case::new(name, image, end)).collect()
}

fn call_path_open(path: &str) -> (Vec<u8>, End) {
    let image = start(
        r#"(import "wasi_snapshot_preview1" "path_open"
            (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))"#,
        &format!(
            "(if (i32.eqz (call $open (i32.const 3) (i32.const 0) {path} (i32.const 0) (i64.const 0) (i64.const 0)
                (i32.const 0) (i32.const 0))) (then (unreachable)))"
        ),
    );
    (image, traps("Pointer out of bounds"))
}

fn lists() -> Vec<Case> {
    let write = |arguments: &str| {
        command(&format!(
            r#"(import "stdout" "get-stdout" (func $stdout (result i32)))
            (import "streams" "[method]output-stream.write" (func $write (param i32 i32 i32 i32)))
            (func (export "run") (result i32) (call $write (call $stdout) {arguments}) (i32.const 0))"#
        ))
    };
    let from_list = |arguments: &str| {
        command(&format!(
            r#"(import "http" "[static]fields.from-list" (func $from (param i32 i32 i32)))
            (func (export "run") (result i32) (call $from {arguments}) (i32.const 0))"#
        ))
    };
    vec![
        Case::new(
            "a list past the end",
            write("(i32.const 65000) (i32.const 1000) (i32.const 16)"),
            traps("out of bounds"),
        ),
        Case::new(
            "a list at the end of the address space",
            write("(i32.const -1) (i32.const 1) (i32.const 16)"),
            traps("out of bounds"),
        ),
        Case::new("a list whose end wraps", write("(i32.const 16) (i32.const -1) (i32.const 16)"), traps("")),
        Case::new("a result past the end", write("(i32.const 0) (i32.const 0) (i32.const 65535)"), traps("")),
        Case::new(
            "a result that is not aligned",
            write("(i32.const 0) (i32.const 0) (i32.const 17)"),
            traps("aligned"),
        ),
        Case::new(
            "a list of tuples that is not aligned",
            from_list("(i32.const 2) (i32.const 1) (i32.const 16)"),
            traps("aligned"),
        ),
        Case::new(
            "a list whose size in bytes overflows",
            from_list("(i32.const 0) (i32.const 0x10000001) (i32.const 16)"),
            traps(""),
        ),
        Case::new(
            "an option that is neither",
            command(
                r#"(import "http" "[constructor]fields" (func $fields (result i32)))
                (import "http" "[constructor]outgoing-request" (func $request (param i32) (result i32)))
                (import "http" "[method]outgoing-request.set-authority"
                    (func $set (param i32 i32 i32 i32) (result i32)))
                (func (export "run") (result i32)
                    (call $set (call $request (call $fields)) (i32.const 2) (i32.const 0) (i32.const 0)))"#,
            ),
            traps("discriminant"),
        ),
        Case::new(
            "an enumeration's value that it does not have",
            command(
                r#"(import "new-tcp" "create-tcp-socket" (func $new (param i32 i32)))
                (func (export "run") (result i32) (call $new (i32.const 77) (i32.const 16)) (i32.const 0))"#,
            ),
            traps("discriminant"),
        ),
        Case::new(
            "a run whose result is neither success nor failure",
            command(r#"(func (export "run") (result i32) (i32.const 2))"#),
            traps("discriminant"),
        ),
    ]
}

/// `get-arguments` gives strings, and asks the guest for the room.
fn allocators() -> Vec<Case> {
    const ARGUMENTS: &str = r#"(import "environment" "get-arguments" (func $arguments (param i32)))
        (func (export "run") (result i32) (call $arguments (i32.const 16)) (i32.const 0))"#;
    let realloc = |body: &str| {
        command_on(
            &format!(
                r#"(memory (export "memory") 1)
                (func (export "realloc") (param i32 i32 i32 i32) (result i32) {body})"#
            ),
            ARGUMENTS,
        )
    };
    let small = LIBC.replace("i32.const 4096", "i32.const 65535");
    vec![
        Case::new(
            "an allocator that gives the end of the address space",
            realloc("(i32.const -1)"),
            traps("realloc return"),
        ),
        Case::new(
            "an allocator that gives the end of the memory",
            realloc("(i32.const 65536)"),
            traps("realloc return"),
        ),
        Case::new("an allocator that gives what is not aligned", realloc("(i32.const 2)"), traps("realloc return")),
        Case::new("an allocator that always gives the same", realloc("(i32.const 1024)"), Exits(0)),
        Case::new("an allocator that gives room over the result", realloc("(i32.const 16)"), Exits(0)),
        Case::new("an allocator that traps", realloc("(unreachable)"), traps("unreachable")),
        Case::new("an allocator without end", realloc("(loop (br 0)) (unreachable)"), timed_out()),
        Case::new(
            "an allocator that calls itself",
            {
                let text = r#"(memory (export "memory") 1)
                (func $f (export "realloc") (param i32 i32 i32 i32) (result i32)
                    (call $f (local.get 0) (local.get 1) (local.get 2) (local.get 3)))"#;
                command_on(text, ARGUMENTS)
            },
            traps("call stack exhausted"),
        ),
        Case::new("an allocator that has a byte left", command_on(&small, ARGUMENTS), traps("realloc return")),
        Case::new(
            "random bytes for which there is no room",
            command(
                r#"(import "random" "get-random-bytes" (func $random (param i64 i32)))
                (func (export "run") (result i32) (call $random (i64.const 100000) (i32.const 16)) (i32.const 0))"#,
            ),
            traps("realloc return"),
        ),
        Case::new(
            "an allocator that is of another type",
            {
                let libc = r#"(memory (export "memory") 1) (func (export "realloc") (result i32) (i32.const 0))"#;
                // Valid text, and not a valid component.
                binary(&command_text(libc, ARGUMENTS, r#"(canon lift (core func $guest "run"))"#))
            },
            Refused("realloc"),
        ),
    ]
}
