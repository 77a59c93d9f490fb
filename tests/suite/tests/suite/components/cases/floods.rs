//! The clock and the random source, asked for too much and too often.

use crate::components::assemble::{command, start};
use crate::components::case::{Case, timed_out, traps};

pub(super) fn cases() -> Vec<Case> {
    let once = |imports: &str, body: &str| {
        command(&format!(r#"{imports} (func (export "run") (result i32) {body} (i32.const 0))"#))
    };
    let forever = |imports: &str, body: &str| once(imports, &format!("(loop {body} (br 0))"));
    let random = r#"(import "random" "get-random-bytes" (func $random (param i64 i32)))"#;
    let wait = r#"(import "clock" "subscribe-duration" (func $wait (param i64) (result i32)))
        (import "clock" "subscribe-instant" (func $until (param i64) (result i32)))
        (import "poll" "[method]pollable.block" (func $block (param i32)))
        (import "poll" "[method]pollable.ready" (func $ready (param i32) (result i32)))"#;
    vec![
        Case::new(
            "as many random bytes as there are numbers",
            once(random, "(call $random (i64.const -1) (i32.const 16))"),
            traps("exceeds limit"),
        ),
        Case::new(
            "a gigabyte of random bytes",
            once(random, "(call $random (i64.const 1073741824) (i32.const 16))"),
            traps("exceeds limit"),
        ),
        Case::new(
            "as many insecure random bytes as there are numbers",
            once(
                r#"(import "insecure" "get-insecure-random-bytes" (func $random (param i64 i32)))"#,
                "(call $random (i64.const -1) (i32.const 16))",
            ),
            traps("exceeds limit"),
        ),
        Case::new(
            "random numbers without end",
            forever(r#"(import "random" "get-random-u64" (func $random (result i64)))"#, "(drop (call $random))"),
            timed_out(),
        ),
        Case::new(
            "random bytes of preview 1 without end",
            start(
                r#"(import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))"#,
                "(loop (drop (call $random (i32.const 0) (i32.const 65536))) (br 0))",
            ),
            timed_out(),
        ),
        Case::new(
            "the time without end",
            forever(r#"(import "clock" "now" (func $now (result i64)))"#, "(drop (call $now))"),
            timed_out(),
        ),
        Case::new(
            "the time of preview 1 without end",
            start(
                r#"(import "wasi_snapshot_preview1" "clock_time_get" (func $time (param i32 i64 i32) (result i32)))"#,
                "(loop (drop (call $time (i32.const 1) (i64.const 0) (i32.const 0))) (br 0))",
            ),
            timed_out(),
        ),
        Case::new(
            "a clock that there is not",
            start(
                r#"(import "wasi_snapshot_preview1" "clock_time_get" (func $time (param i32 i64 i32) (result i32)))"#,
                "(drop (call $time (i32.const 77) (i64.const 0) (i32.const 0)))",
            ),
            traps("Invalid enum value"),
        ),
        Case::new(
            "a sleep of 2^63 ns",
            once(wait, "(call $block (call $wait (i64.const 0x8000000000000000)))"),
            timed_out(),
        ),
        Case::new("a sleep of 2^64 - 1 ns", once(wait, "(call $block (call $wait (i64.const -1)))"), timed_out()),
        Case::new(
            "a sleep until the end of time",
            once(wait, "(call $block (call $until (i64.const -1)))"),
            timed_out(),
        ),
        Case::new(
            "a sleep that is looked at without end",
            once(
                wait,
                "(local $p i32) (local.set $p (call $wait (i64.const -1)))
                (loop (drop (call $ready (local.get $p))) (br 0))",
            ),
            timed_out(),
        ),
        Case::new(
            "sleeps of nothing without end",
            command(&format!(
                r#"{wait} (import "poll" "[resource-drop]pollable" (func $drop (param i32)))
                (func (export "run") (result i32) (local $p i32)
                    (loop
                        (local.set $p (call $wait (i64.const 0)))
                        (call $block (local.get $p)) (call $drop (local.get $p)) (br 0))
                    (unreachable))"#
            )),
            timed_out(),
        ),
        Case::new(
            "giving way without end",
            start(
                r#"(import "wasi_snapshot_preview1" "sched_yield" (func $yield (result i32)))"#,
                "(loop (drop (call $yield)) (br 0))",
            ),
            timed_out(),
        ),
    ]
}
