//! Start functions, and entering again what has not been left.

use crate::components::assemble::{LIBC, binary, command, command_on, command_text, start};
use crate::components::case::End::Exits;
use crate::components::case::{Case, cannot_start, out_of_memory, output_limit, timed_out, traps};
use serde_json::json;

pub(super) fn cases() -> Vec<Case> {
    [starts(), entered_again()].concat()
}

fn starts() -> Vec<Case> {
    vec![
        Case::new("a start function that loops", start("(start $f) (func $f (loop (br 0)))", ""), timed_out()),
        Case::new("a start function that traps", start("(start $f) (func $f (unreachable))", ""), traps("unreachable")),
        Case::new(
            "a start function that grows the memory",
            start("(start $f) (func $f (loop (drop (memory.grow (i32.const 16))) (br 0)))", ""),
            out_of_memory(),
        ),
        Case::new(
            "a start function that prints without end",
            start(
                r#"(import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
                (data (i32.const 0) "\00\10\00\00\00\10\00\00") (start $f)
                (func $f (loop (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 16))) (br 0)))"#,
                "",
            ),
            output_limit(),
        )
        .limits(json!({"outputBytes": 10_000})),
        Case::new(
            "a start function that sleeps for ever",
            start(
                r#"(import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
                (start $f)
                (func $f
                    (i32.store (i32.const 16) (i32.const 1)) (i64.store (i32.const 24) (i64.const -1))
                    (drop (call $poll (i32.const 0) (i32.const 256) (i32.const 1) (i32.const 512))))"#,
                "",
            ),
            timed_out(),
        ),
        Case::new(
            "a component whose core instance loops when it starts",
            command(r#"(start $f) (func $f (loop (br 0))) (func (export "run") (result i32) (i32.const 0))"#),
            timed_out(),
        ),
        Case::new(
            "a component whose core instance traps when it starts",
            command(r#"(start $f) (func $f (unreachable)) (func (export "run") (result i32) (i32.const 0))"#),
            traps("unreachable"),
        ),
        Case::new(
            "a component whose allocator's instance loops when it starts",
            command_on(
                &format!("{LIBC} (start $f) (func $f (loop (br 0)))"),
                r#"(func (export "run") (result i32) (i32.const 0))"#,
            ),
            timed_out(),
        ),
        Case::new(
            "a component that asks the host when it starts",
            command(
                r#"(import "clock" "subscribe-duration" (func $wait (param i64) (result i32)))
                (import "poll" "[method]pollable.block" (func $block (param i32)))
                (start $f) (func $f (call $block (call $wait (i64.const -1))))
                (func (export "run") (result i32) (i32.const 0))"#,
            ),
            timed_out(),
        ),
        Case::new(
            "a component that takes handles without end when it starts",
            command(
                r#"(import "stdout" "get-stdout" (func $stdout (result i32)))
                (start $f) (func $f (loop (drop (call $stdout)) (br 0)))
                (func (export "run") (result i32) (i32.const 0))"#,
            ),
            cannot_start("resource table"),
        ),
        Case::new("an instance of a component that loops when it starts", inner_start(), timed_out()),
        Case::new(
            "a module whose _initialize never returns, and which nobody calls",
            start(r#"(func (export "_initialize") (loop (br 0)))"#, ""),
            Exits(0),
        ),
        Case::new("a function that never returns", start("", "(loop (br 0))"), timed_out()),
        Case::new(
            "a function that never returns and only calls",
            start("(func $f)", "(loop (call $f) (br 0))"),
            timed_out(),
        ),
        Case::new(
            "a component that never returns",
            command(r#"(func (export "run") (result i32) (loop (br 0)) (unreachable))"#),
            timed_out(),
        ),
    ]
}

fn inner_start() -> Vec<u8> {
    binary(
        r#"(component
            (component $inner
                (core module $m (start $f) (func $f (loop (br 0))))
                (core instance (instantiate $m)))
            (instance (instantiate $inner))
            (core module $m (func (export "run") (result i32) (i32.const 0)))
            (core instance $guest (instantiate $m))
            (func $run (result (result)) (canon lift (core func $guest "run")))
            (instance $command (export "run" (func $run)))
            (export "wasi:cli/run@0.2.0" (instance $command)))"#,
    )
}

/// An allocator that calls whatever the core module has put into its table.
const HOOKED: &str = r#"
    (memory (export "memory") 1)
    (table (export "table") 1 funcref)
    (func (export "realloc") (param i32 i32 i32 i32) (result i32) (call_indirect (i32.const 0)) (i32.const 1024))"#;

/// Fields that hang `$hook` into the allocator's table and then have the host allocate.
fn hooked(imports: &str, hook: &str) -> Vec<u8> {
    command_on(
        HOOKED,
        &format!(
            r#"(import "libc" "table" (table 1 funcref)) {imports}
            (import "environment" "get-arguments" (func $arguments (param i32)))
            (elem (i32.const 0) $hook) (func $hook {hook})
            (func (export "run") (result i32) (call $arguments (i32.const 16)) (i32.const 0))"#
        ),
    )
}

const NOT_LEFT: &str = "cannot leave component instance";

fn entered_again() -> Vec<Case> {
    vec![
        Case::new(
            "an allocator that asks the host",
            hooked(r#"(import "clock" "now" (func $now (result i64)))"#, "(drop (call $now))"),
            traps(NOT_LEFT),
        ),
        Case::new(
            "an allocator that has the host allocate again",
            hooked("", "(call $arguments (i32.const 16))"),
            traps(NOT_LEFT),
        ),
        Case::new(
            "an allocator that makes a signed call",
            hooked(
                &format!(r#"(import "aws" "call" (func $call (param {})))"#, "i32 ".repeat(16)),
                &format!("(call $call {})", "(i32.const 0)".repeat(16)),
            ),
            traps(NOT_LEFT),
        ),
        Case::new(
            "an allocator that drops a handle",
            hooked(
                r#"(import "streams" "[resource-drop]output-stream" (func $drop (param i32)))"#,
                "(call $drop (i32.const 1))",
            ),
            traps(NOT_LEFT),
        ),
        Case::new("a post-return that asks the host", post_return("(drop (call $now))"), traps(NOT_LEFT)),
        Case::new("a post-return that traps", post_return("(unreachable)"), traps("unreachable")),
        Case::new("a post-return that never returns", post_return("(loop (br 0))"), timed_out()),
        Case::new(
            "a post-return that grows the memory",
            post_return("(loop (drop (memory.grow (i32.const 16))) (br 0))"),
            out_of_memory(),
        ),
    ]
}

fn post_return(body: &str) -> Vec<u8> {
    let fields = format!(
        r#"(import "clock" "now" (func $now (result i64)))
        (func (export "run") (result i32) (i32.const 0))
        (func (export "after") (param i32) {body})"#
    );
    let lift = r#"(canon lift (core func $guest "run") (post-return (core func $guest "after")))"#;
    binary(&command_text(LIBC, &fields, lift))
}
