//! Imports that tasks are not granted, granted ones of other types, and entry points that are none.

use crate::components::assemble::{LIBC, binary, command, command_text, module};
use crate::components::case::End::{Exits, Refused};
use crate::components::case::{Case, cannot_start};

const NOT_GRANTED: &str = "not granted";

pub(super) fn cases() -> Vec<Case> {
    [of_modules(), of_components(), entries()].concat()
}

fn of_modules() -> Vec<Case> {
    let rows = [
        ("a function that WASI does not have", r#"(import "wasi_snapshot_preview1" "proc_fork" (func (result i32)))"#),
        ("a WASI before preview 1", r#"(import "wasi_unstable" "proc_exit" (func (param i32)))"#),
        ("a thread", r#"(import "wasi" "thread-spawn" (func (param i32) (result i32)))"#),
        ("a memory of the host's", r#"(import "env" "memory" (memory 1))"#),
        ("a table of the host's", r#"(import "env" "table" (table 1 funcref))"#),
        ("a global of the host's", r#"(import "env" "stack_pointer" (global (mut i32)))"#),
        (
            "another runtime's sockets",
            r#"(import "wasi_snapshot_preview1" "sock_open" (func (param i32 i32 i32) (result i32)))"#,
        ),
        ("the typed AWS call, from a core module", r#"(import "rolebox:aws/signed-call@0.1.0" "call" (func))"#),
        ("an exit of another type", r#"(import "wasi_snapshot_preview1" "proc_exit" (func (param i64)))"#),
        (
            "a write that gives nothing",
            r#"(import "wasi_snapshot_preview1" "fd_write" (func (param i32 i32 i32 i32)))"#,
        ),
        ("a function imported as a memory", r#"(import "wasi_snapshot_preview1" "fd_write" (memory 1))"#),
        ("a function imported as a global", r#"(import "wasi_snapshot_preview1" "fd_write" (global i32))"#),
    ];
    let named = rows.into_iter().map(|(name, import)| {
        let image = module(&format!(r#"{import} (func (export "_start"))"#));
        Case::new(format!("{name}, imported"), image, Refused(NOT_GRANTED))
    });
    let shared = module(r#"(import "env" "memory" (memory 1 1 shared)) (func (export "_start"))"#);
    named.chain([Case::new("a shared memory of the host's", shared, Refused("could not be compiled"))]).collect()
}

fn of_components() -> Vec<Case> {
    // A component that is a command otherwise, so that the import alone is what is wrong.
    let importing = |import: &str| {
        binary(&format!(
            r#"(component {import}
                (core module $m (func (export "run") (result i32) (i32.const 0)))
                (core instance $guest (instantiate $m))
                (func $run (result (result)) (canon lift (core func $guest "run")))
                (instance $command (export "run" (func $run)))
                (export "wasi:cli/run@0.2.0" (instance $command)))"#
        ))
    };
    let rows = [
        (
            "WASI 0.3's standard input",
            r#"(import "wasi:cli/stdin@0.3.0" (instance (export "read-via-stream" (func))))"#,
        ),
        (
            "a key store",
            r#"(import "wasi:keyvalue/store@0.2.0" (instance (export "open" (func (param "name" string)))))"#,
        ),
        (
            "HTTP's incoming handler",
            r#"(import "wasi:http/incoming-handler@0.2.0" (instance (export "handle" (func))))"#,
        ),
        ("a later rolebox:aws", r#"(import "rolebox:aws/signed-call@0.2.0" (instance (export "call" (func))))"#),
        ("credentials", r#"(import "rolebox:aws/credentials@0.1.0" (instance (export "get" (func (result string)))))"#),
        (
            "a function of the clock's that it does not have",
            r#"(import "wasi:clocks/monotonic-clock@0.2.0" (instance (export "set" (func (param "to" u64)))))"#,
        ),
        (
            "a clock of another type",
            r#"(import "wasi:clocks/monotonic-clock@0.2.0" (instance (export "now" (func (result string)))))"#,
        ),
        (
            "an exit with more parameters",
            r#"(import "wasi:cli/exit@0.2.0" (instance (export "exit" (func (param "status" (result)) (param "more" u32)))))"#,
        ),
        ("a function where an instance is", r#"(import "wasi:cli/exit@0.2.0" (func))"#),
        ("a function of the component's own", r#"(import "own" (func))"#),
        ("a core module", r#"(import "own" (core module (export "f" (func))))"#),
        (
            "a resource of the host's that is not WASI's",
            r#"(import "keys:store/keys@1.0.0" (instance (export "key" (type (sub resource)))))"#,
        ),
        ("a pollable of its own", r#"(import "wasi:io/poll@0.2.0" (instance (export "pollable" (func))))"#),
    ];
    rows.into_iter()
        .map(|(name, import)| {
            Case::new(format!("{name}, imported by a component"), importing(import), Refused(NOT_GRANTED))
        })
        .chain([
            Case::new(
                "a socket, which is refused when it is used",
                command(
                    r#"(import "new-tcp" "create-tcp-socket" (func $new (param i32 i32)))
                    (func (export "run") (result i32)
                        (call $new (i32.const 0) (i32.const 16)) (i32.load8_u (i32.const 16)))"#,
                ),
                Exits(1),
            ),
            Case::new(
                "a host name looked up, which is refused when it is done",
                command(
                    r#"(import "the-network" "instance-network" (func $network (result i32)))
                    (import "lookup" "resolve-addresses" (func $resolve (param i32 i32 i32 i32)))
                    (data (i32.const 64) "localhost")
                    (func (export "run") (result i32)
                        (call $resolve (call $network) (i32.const 64) (i32.const 9) (i32.const 16))
                        (i32.load8_u (i32.const 16)))"#,
                ),
                Exits(1),
            ),
        ])
        .collect()
}

fn entries() -> Vec<Case> {
    let lifted = |ty: &str, core: &str, export: &str| {
        binary(&format!(
            r#"(component
                (core module $m (func (export "run") {core}))
                (core instance $guest (instantiate $m))
                (func $run {ty} (canon lift (core func $guest "run")))
                (instance $command (export "run" (func $run)))
                (export "{export}" (instance $command)))"#
        ))
    };
    let result = "(result i32) (i32.const 0)";
    let ordinary =
        command_text(LIBC, &format!(r#"(func (export "run") {result})"#), r#"(canon lift (core func $guest "run"))"#);
    vec![
        Case::new("a run of WASI 0.2's latest", lifted("(result (result))", result, "wasi:cli/run@0.2.12"), Exits(0)),
        Case::new(
            "a run of a WASI that is to come",
            lifted("(result (result))", result, "wasi:cli/run@0.3.0"),
            Refused("nothing to run"),
        ),
        Case::new(
            "a run with a parameter",
            lifted(
                r#"(param "x" u32) (result (result))"#,
                "(param i32) (result i32) (i32.const 0)",
                "wasi:cli/run@0.2.0",
            ),
            cannot_start("type mismatch"),
        ),
        Case::new("a run that gives nothing", lifted("", "", "wasi:cli/run@0.2.0"), cannot_start("type mismatch")),
        Case::new(
            "a run that gives a number",
            lifted("(result u32)", result, "wasi:cli/run@0.2.0"),
            cannot_start("type mismatch"),
        ),
        Case::new(
            "a handler of HTTP requests, which has nothing to run",
            binary(&ordinary.replace(
                r#"(export "wasi:cli/run@0.2.0" (instance $command))"#,
                r#"(export "wasi:http/incoming-handler@0.2.0" (instance $command))"#,
            )),
            Refused("nothing to run"),
        ),
        Case::new(
            "a _start with a parameter",
            module(r#"(func (export "_start") (param i32))"#),
            Refused("nothing to run"),
        ),
        Case::new(
            "a _start that gives a number",
            module(r#"(func (export "_start") (result i32) (i32.const 0))"#),
            Refused("nothing to run"),
        ),
        Case::new("a _start that is a memory", module(r#"(memory (export "_start") 1)"#), Refused("nothing to run")),
    ]
}
