//! Exits from where nobody expects one, exit codes that there are not, and each kind of trap.

use crate::components::assemble::{LIBC, binary, command, command_on, command_text, start};
use crate::components::case::End::Exits;
use crate::components::case::{Case, traps};

pub(super) fn cases() -> Vec<Case> {
    [exits(), traps_of_wasm()].concat()
}

const PROC_EXIT: &str = r#"(import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))"#;
const EXIT: &str = r#"(import "exit" "exit" (func $exit (param i32)))"#;

fn exits() -> Vec<Case> {
    let code = |code: i64| start(PROC_EXIT, &format!("(call $exit (i32.const {code})) (unreachable)"));
    let post_return = command_text(
        LIBC,
        &format!(
            r#"{EXIT} (func (export "run") (result i32) (i32.const 1))
            (func (export "after") (param i32) (call $exit (i32.const 0)))"#
        ),
        r#"(canon lift (core func $guest "run") (post-return (core func $guest "after")))"#,
    );
    vec![
        Case::new("the highest exit code that there is", code(125), Exits(125)),
        Case::new("an exit code that is the runner's own", code(126), traps("exit status")),
        Case::new("an exit code that says a limit was reached", code(137), traps("exit status")),
        Case::new("an exit code of 256", code(256), traps("exit status")),
        Case::new("a negative exit code", code(-1), traps("exit status")),
        Case::new(
            "an exit in a start function",
            start(&format!("{PROC_EXIT} (start $f) (func $f (call $exit (i32.const 7)))"), "(unreachable)"),
            Exits(7),
        ),
        Case::new(
            "an exit at the end of a long chain of calls",
            start(
                &format!(
                    "{PROC_EXIT} (func $f (param i32)
                        (if (i32.eqz (local.get 0)) (then (call $exit (i32.const 8))))
                        (call $f (i32.sub (local.get 0) (i32.const 1))))"
                ),
                "(call $f (i32.const 1000))",
            ),
            Exits(8),
        ),
        Case::new(
            "a component's exit when it starts",
            command(&format!(
                r#"{EXIT} (start $f) (func $f (call $exit (i32.const 0)))
                (func (export "run") (result i32) (i32.const 1))"#
            )),
            Exits(0),
        ),
        Case::new(
            "a component's exit without an end of run",
            command(&format!(r#"{EXIT} (func (export "run") (result i32) (call $exit (i32.const 0)) (unreachable))"#)),
            Exits(0),
        ),
        Case::new(
            "an exit in an allocator",
            command_on(
                r#"(memory (export "memory") 1) (table (export "table") 1 funcref)
                (func (export "realloc") (param i32 i32 i32 i32) (result i32)
                    (call_indirect (i32.const 0)) (unreachable))"#,
                &format!(
                    r#"(import "libc" "table" (table 1 funcref)) {EXIT}
                    (import "environment" "get-arguments" (func $arguments (param i32)))
                    (elem (i32.const 0) $hook) (func $hook (call $exit (i32.const 0)))
                    (func (export "run") (result i32) (call $arguments (i32.const 16)) (i32.const 0))"#
                ),
            ),
            traps("cannot leave component instance"),
        ),
        Case::new("an exit in a post-return", binary(&post_return), traps("cannot leave component instance")),
        Case::new("an exit in a component that another one calls", inner_exit(), Exits(0)),
    ]
}

fn inner_exit() -> Vec<u8> {
    binary(
        r#"(component
            (import "wasi:cli/exit@0.2.0" (instance $exit (export "exit" (func (param "status" (result))))))
            (component $callee
                (import "exit" (func $exit (param "status" (result))))
                (core func $exit' (canon lower (func $exit)))
                (core module $m (import "" "exit" (func $exit (param i32)))
                    (func (export "leave") (call $exit (i32.const 0)) (unreachable)))
                (core instance $i (instantiate $m (with "" (instance (export "exit" (func $exit'))))))
                (func (export "leave") (canon lift (core func $i "leave"))))
            (component $caller
                (import "leave" (func $leave))
                (core func $leave' (canon lower (func $leave)))
                (core module $m (import "" "leave" (func $leave))
                    (func (export "run") (result i32) (call $leave) (i32.const 1)))
                (core instance $i (instantiate $m (with "" (instance (export "leave" (func $leave'))))))
                (func (export "run") (result (result)) (canon lift (core func $i "run"))))
            (instance $callee (instantiate $callee (with "exit" (func $exit "exit"))))
            (instance $command (instantiate $caller (with "leave" (func $callee "leave"))))
            (export "wasi:cli/run@0.2.0" (instance $command)))"#,
    )
}

fn traps_of_wasm() -> Vec<Case> {
    let rows = [
        ("unreachable", "", "(unreachable)", "unreachable"),
        ("a division by zero", "", "(drop (i32.div_s (i32.const 1) (i32.const 0)))", "integer divide by zero"),
        ("a remainder by zero", "", "(drop (i64.rem_u (i64.const 1) (i64.const 0)))", "integer divide by zero"),
        (
            "a division that overflows",
            "",
            "(drop (i32.div_s (i32.const 0x80000000) (i32.const -1)))",
            "integer overflow",
        ),
        ("a number that is none, as an integer", "", "(drop (i32.trunc_f32_s (f32.const nan)))", "invalid conversion"),
        (
            "a number that is too large, as an integer",
            "",
            "(drop (i32.trunc_f64_u (f64.const 1e300)))",
            "integer overflow",
        ),
        ("a load past the end", "", "(drop (i32.load (i32.const 65533)))", "out of bounds memory access"),
        (
            "a load at the end of the address space",
            "",
            "(drop (i64.load offset=0xffffffff (i32.const -1)))",
            "out of bounds memory access",
        ),
        ("a store past the end", "", "(i64.store (i32.const 65530) (i64.const 1))", "out of bounds memory access"),
        (
            "a fill past the end",
            "",
            "(memory.fill (i32.const 1) (i32.const 0) (i32.const 65536))",
            "out of bounds memory access",
        ),
        ("a call through nothing", "(table 1 funcref)", "(call_indirect (i32.const 0))", "uninitialized element"),
        ("a call through a table's end", "(table 1 funcref)", "(call_indirect (i32.const 1))", "table"),
        (
            "a call of another type through a table",
            "(table 1 funcref) (elem (i32.const 0) $f) (func $f (param i64))",
            "(call_indirect (i32.const 0))",
            "indirect call type mismatch",
        ),
    ];
    rows.into_iter().map(|(name, fields, body, says)| Case::new(name, start(fields, body), traps(says))).collect()
}
