//! What the host holds for a guest: handles, header fields, poll lists, streams and bodies that nobody finishes.

use crate::components::assemble::{command, start};
use crate::components::case::End::Exits;
use crate::components::case::{Case, output_limit, timed_out, traps};
use serde_json::json;

/// What a guest is told that asks for one handle too many.
const TABLE_FULL: &str = "resource table";

pub(super) fn cases() -> Vec<Case> {
    [handles(), fields(), polls(), streams(), bodies()].concat()
}

/// A command that does this for ever.
fn forever(imports: &str, body: &str) -> Vec<u8> {
    command(&format!(r#"{imports} (func (export "run") (result i32) (loop {body} (br 0)) (unreachable))"#))
}

fn handles() -> Vec<Case> {
    vec![
        Case::new(
            "pollables without end",
            forever(
                r#"(import "clock" "subscribe-duration" (func $wait (param i64) (result i32)))"#,
                "(drop (call $wait (i64.const 1000000000000)))",
            ),
            traps(TABLE_FULL),
        ),
        Case::new(
            "pollables of one stream without end",
            command(
                r#"(import "stdout" "get-stdout" (func $stdout (result i32)))
                (import "streams" "[method]output-stream.subscribe" (func $subscribe (param i32) (result i32)))
                (func (export "run") (result i32) (local $out i32)
                    (local.set $out (call $stdout))
                    (loop (drop (call $subscribe (local.get $out))) (br 0)) (unreachable))"#,
            ),
            traps(TABLE_FULL),
        ),
        Case::new(
            "handles of standard input without end",
            forever(r#"(import "stdin" "get-stdin" (func $in (result i32)))"#, "(drop (call $in))"),
            traps(TABLE_FULL),
        ),
        Case::new(
            "handles of standard output without end",
            forever(r#"(import "stdout" "get-stdout" (func $out (result i32)))"#, "(drop (call $out))"),
            traps(TABLE_FULL),
        ),
        Case::new(
            "networks without end",
            forever(r#"(import "the-network" "instance-network" (func $n (result i32)))"#, "(drop (call $n))"),
            traps(TABLE_FULL),
        ),
        Case::new(
            "sockets without end",
            forever(
                r#"(import "new-tcp" "create-tcp-socket" (func $new (param i32 i32)))"#,
                "(call $new (i32.const 0) (i32.const 16))
                (if (i32.load8_u (i32.const 16)) (then (return (i32.const 1))))",
            ),
            Exits(1),
        ),
        Case::new(
            "a stream whose pollable outlives it",
            command(
                r#"(import "stdout" "get-stdout" (func $stdout (result i32)))
                (import "streams" "[method]output-stream.subscribe" (func $subscribe (param i32) (result i32)))
                (import "streams" "[resource-drop]output-stream" (func $drop (param i32)))
                (func (export "run") (result i32) (local $out i32)
                    (local.set $out (call $stdout))
                    (drop (call $subscribe (local.get $out)))
                    (call $drop (local.get $out)) (i32.const 0))"#,
            ),
            traps("children"),
        ),
        Case::new(
            "a handle dropped twice",
            command(
                r#"(import "stdout" "get-stdout" (func $stdout (result i32)))
                (import "streams" "[resource-drop]output-stream" (func $drop (param i32)))
                (func (export "run") (result i32) (local $out i32)
                    (local.set $out (call $stdout))
                    (call $drop (local.get $out)) (call $drop (local.get $out)) (i32.const 0))"#,
            ),
            traps("unknown handle"),
        ),
        Case::new(
            "a handle of another type",
            command(
                r#"(import "stdin" "get-stdin" (func $stdin (result i32)))
                (import "streams" "[method]output-stream.check-write" (func $check (param i32 i32)))
                (func (export "run") (result i32) (call $check (call $stdin) (i32.const 16)) (i32.const 0))"#,
            ),
            traps("handle"),
        ),
        Case::new(
            "handles that were never given",
            command(
                r#"(import "poll" "[method]pollable.block" (func $block (param i32)))
                (func (export "run") (result i32) (call $block (i32.const -1)) (i32.const 0))"#,
            ),
            traps("unknown handle"),
        ),
    ]
}

const NEW_FIELDS: &str = r#"(import "http" "[constructor]fields" (func $fields (result i32)))"#;
const APPEND: &str = r#"(import "http" "[method]fields.append" (func $append (param i32 i32 i32 i32 i32 i32)))"#;

fn fields() -> Vec<Case> {
    vec![
        Case::new("header fields without end", forever(NEW_FIELDS, "(drop (call $fields))"), traps(TABLE_FULL)),
        Case::new(
            "a million values of one header field",
            command(&format!(
                r#"{NEW_FIELDS} {APPEND} (data (i32.const 64) "name")
                (func (export "run") (result i32) (local $fields i32) (local $left i32)
                    (local.set $fields (call $fields))
                    (local.set $left (i32.const 1000000))
                    (loop
                        (call $append (local.get $fields) (i32.const 64) (i32.const 4) (i32.const 64) (i32.const 4)
                            (i32.const 16))
                        (local.set $left (i32.sub (local.get $left) (i32.const 1)))
                        (br_if 0 (local.get $left)))
                    (i32.const 0))"#
            )),
            traps("size"),
        ),
        Case::new(
            "a header field of 60 KB",
            command(&format!(
                r#"{NEW_FIELDS} {APPEND} (data (i32.const 64) "name")
                (func (export "run") (result i32)
                    (memory.fill (i32.const 1024) (i32.const 120) (i32.const 60000))
                    (call $append (call $fields) (i32.const 64) (i32.const 4) (i32.const 1024) (i32.const 60000)
                        (i32.const 16))
                    (i32.const 0))"#
            )),
            traps("size"),
        ),
        Case::new(
            "copies of large header fields without end",
            command(&format!(
                r#"{NEW_FIELDS} {APPEND} (data (i32.const 64) "name")
                (import "http" "[method]fields.clone" (func $clone (param i32) (result i32)))
                (func (export "run") (result i32) (local $fields i32)
                    (local.set $fields (call $fields))
                    (memory.fill (i32.const 1024) (i32.const 120) (i32.const 30000))
                    (call $append (local.get $fields) (i32.const 64) (i32.const 4) (i32.const 1024) (i32.const 30000)
                        (i32.const 16))
                    (loop (drop (call $clone (local.get $fields))) (br 0)) (unreachable))"#
            )),
            traps(TABLE_FULL),
        ),
        Case::new(
            "large header fields without end",
            command(&format!(
                r#"{NEW_FIELDS} {APPEND} (data (i32.const 64) "name")
                (func (export "run") (result i32)
                    (memory.fill (i32.const 1024) (i32.const 120) (i32.const 30000))
                    (loop
                        (call $append (call $fields) (i32.const 64) (i32.const 4) (i32.const 1024) (i32.const 30000)
                            (i32.const 16))
                        (br_if 0 (i32.eqz (i32.load8_u (i32.const 16)))))
                    (i32.const 1))"#
            )),
            traps(TABLE_FULL),
        ),
        Case::new(
            "half a million entries for one set of header fields",
            command(
                r#"(import "http" "[static]fields.from-list" (func $from (param i32 i32 i32)))
                (func (export "run") (result i32)
                    (drop (memory.grow (i32.const 160)))
                    (call $from (i32.const 65536) (i32.const 500000) (i32.const 16)) (i32.const 0))"#,
            ),
            traps(""),
        ),
    ]
}

fn polls() -> Vec<Case> {
    let poll = r#"(import "poll" "poll" (func $poll (param i32 i32 i32)))
        (import "clock" "subscribe-duration" (func $wait (param i64) (result i32)))"#;
    let list = |count: u32| {
        command(&format!(
            r#"{poll} (func (export "run") (result i32) (local $p i32) (local $at i32)
                (local.set $p (call $wait (i64.const 0)))
                (drop (memory.grow (i32.const 120)))
                (local.set $at (i32.const {}))
                (loop
                    (local.set $at (i32.sub (local.get $at) (i32.const 4)))
                    (i32.store offset=65536 (local.get $at) (local.get $p))
                    (br_if 0 (local.get $at)))
                (call $poll (i32.const 65536) (i32.const {count}) (i32.const 16)) (i32.const 0))"#,
            count * 4
        ))
    };
    vec![
        Case::new(
            "an empty poll list",
            command(&format!(
                r#"{poll} (func (export "run") (result i32)
                    (call $poll (i32.const 0) (i32.const 0) (i32.const 16)) (i32.const 0))"#
            )),
            traps("empty poll list"),
        ),
        Case::new("a poll list of ten thousand entries", list(10_000), Exits(0)),
        Case::new("a poll list of a million entries", list(1_000_000), traps("")),
        Case::new(
            "a poll list longer than the memory",
            command(&format!(
                r#"{poll} (func (export "run") (result i32)
                    (call $poll (i32.const 0) (i32.const 0x3fffffff) (i32.const 16)) (i32.const 0))"#
            )),
            traps("out of bounds"),
        ),
        Case::new(
            "a million subscriptions of preview 1",
            start(
                r#"(import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))"#,
                "(drop (memory.grow (i32.const 200)))
                (if (i32.eqz (call $poll (i32.const 0) (i32.const 0) (i32.const 1000000) (i32.const 0)))
                    (then (unreachable)))",
            ),
            Exits(0),
        ),
        Case::new(
            "two thousand subscriptions of preview 1",
            start(
                r#"(import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))"#,
                "(drop (memory.grow (i32.const 200)))
                (drop (call $poll (i32.const 0) (i32.const 200000) (i32.const 2000) (i32.const 400000)))",
            ),
            traps(TABLE_FULL),
        ),
    ]
}

const STDOUT: &str = r#"(import "stdout" "get-stdout" (func $stdout (result i32)))"#;

fn streams() -> Vec<Case> {
    let write = |function: &str, parameters: &str, arguments: &str| {
        command(&format!(
            r#"{STDOUT} (import "streams" "[method]output-stream.{function}" (func $write (param i32 {parameters} i32)))
            (func (export "run") (result i32) (local $out i32)
                (local.set $out (call $stdout))
                (loop (call $write (local.get $out) {arguments} (i32.const 16))
                    (br_if 0 (i32.eqz (i32.load8_u (i32.const 16)))))
                (i32.const 1))"#
        ))
    };
    let bytes = |length: u32| format!("(i32.const 64) (i32.const {length})");
    let zeroes = |length: u64| format!("(i64.const {length})");
    let few = json!({"outputBytes": 10_000});
    vec![
        Case::new(
            "a blocking write of more than it takes",
            write("blocking-write-and-flush", "i32 i32", &bytes(4097)),
            traps("Buffer too large"),
        ),
        Case::new(
            "a write that was not permitted",
            command(&format!(
                r#"{STDOUT} (import "streams" "[method]output-stream.write" (func $write (param i32 i32 i32 i32)))
                (func (export "run") (result i32)
                    (drop (memory.grow (i32.const 1)))
                    (call $write (call $stdout) (i32.const 0) (i32.const 65537) (i32.const 16)) (i32.const 0))"#
            )),
            traps("check-write"),
        ),
        Case::new(
            "as many zeroes as there are numbers",
            write("write-zeroes", "i64", &zeroes(u64::MAX)),
            traps("zeroes"),
        ),
        Case::new(
            "as many zeroes at once as there are numbers",
            write("blocking-write-zeroes-and-flush", "i64", &zeroes(u64::MAX)),
            traps("Buffer too large"),
        ),
        Case::new("writes without end", write("blocking-write-and-flush", "i32 i32", &bytes(4096)), output_limit())
            .limits(few.clone()),
        Case::new("zeroes without end", write("write-zeroes", "i64", &zeroes(4096)), output_limit()).limits(few),
        Case::new("empty writes without end", write("write", "i32 i32", &bytes(0)), timed_out()),
        Case::new(
            "a read of as much as there is, of an input that is closed",
            command(
                r#"(import "stdin" "get-stdin" (func $stdin (result i32)))
                (import "streams" "[method]input-stream.read" (func $read (param i32 i64 i32)))
                (func (export "run") (result i32)
                    (call $read (call $stdin) (i64.const -1) (i32.const 16)) (i32.load8_u (i32.const 16)))"#,
            ),
            Exits(1),
        ),
        Case::new(
            "a skip of as much as there is, of an input that is closed",
            command(
                r#"(import "stdin" "get-stdin" (func $stdin (result i32)))
                (import "streams" "[method]input-stream.blocking-skip" (func $skip (param i32 i64 i32)))
                (func (export "run") (result i32)
                    (call $skip (call $stdin) (i64.const -1) (i32.const 16)) (i32.load8_u (i32.const 16)))"#,
            ),
            Exits(1),
        ),
        Case::new(
            "an input spliced into an output without end",
            command(&format!(
                r#"{STDOUT} (import "stdin" "get-stdin" (func $stdin (result i32)))
                (import "streams" "[method]output-stream.blocking-splice" (func $splice (param i32 i32 i64 i32)))
                (func (export "run") (result i32)
                    (call $splice (call $stdout) (call $stdin) (i64.const -1) (i32.const 16))
                    (i32.load8_u (i32.const 16)))"#
            )),
            Exits(1),
        ),
    ]
}

fn bodies() -> Vec<Case> {
    let request = r#"(import "http" "[constructor]fields" (func $fields (result i32)))
        (import "http" "[constructor]outgoing-request" (func $request (param i32) (result i32)))
        (import "http" "[method]outgoing-request.body" (func $body (param i32 i32)))
        (import "http" "[method]outgoing-body.write" (func $stream (param i32 i32)))"#;
    vec![
        Case::new("requests without end", forever(request, "(drop (call $request (call $fields)))"), traps(TABLE_FULL)),
        Case::new(
            "bodies that nobody finishes, without end",
            forever(
                &format!(
                    r#"{request} (import "streams" "[method]output-stream.write" (func $write (param i32 i32 i32 i32)))"#
                ),
                "(call $body (call $request (call $fields)) (i32.const 16))
                (call $stream (i32.load (i32.const 20)) (i32.const 32))
                (call $write (i32.load (i32.const 36)) (i32.const 64) (i32.const 16384) (i32.const 48))",
            ),
            traps(TABLE_FULL),
        ),
        Case::new(
            "a body that nobody reads, filled without end",
            command(&format!(
                r#"{request}
                (import "streams" "[method]output-stream.blocking-write-and-flush" (func $write (param i32 i32 i32 i32)))
                (func (export "run") (result i32)
                    (call $body (call $request (call $fields)) (i32.const 16))
                    (call $stream (i32.load (i32.const 20)) (i32.const 32))
                    (loop (call $write (i32.load (i32.const 36)) (i32.const 64) (i32.const 4096) (i32.const 48)) (br 0))
                    (unreachable))"#
            )),
            timed_out(),
        ),
        Case::new(
            "a body asked for twice",
            command(&format!(
                r#"{request} (func (export "run") (result i32) (local $request i32)
                    (local.set $request (call $request (call $fields)))
                    (call $body (local.get $request) (i32.const 16))
                    (call $body (local.get $request) (i32.const 16))
                    (i32.load8_u (i32.const 16)))"#
            )),
            Exits(1),
        ),
    ]
}
