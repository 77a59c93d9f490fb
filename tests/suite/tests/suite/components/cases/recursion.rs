//! Stacks: calls without end, within one module, through tables, and between component instances.

use crate::components::assemble::{binary, command, start};
use crate::components::case::{Case, traps};

const EXHAUSTED: &str = "call stack exhausted";

pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::new("a function that calls itself", start("(func $f (call $f))", "(call $f)"), traps(EXHAUSTED)),
        Case::new(
            "a function of a thousand parameters that calls itself",
            start(
                &format!(
                    "(func $f (param {}) {} (call $f))",
                    "i64 ".repeat(1_000),
                    (0..1_000).map(|at| format!("(local.get {at})")).collect::<String>()
                ),
                &format!("{} (call $f)", "(i64.const 1)".repeat(1_000)),
            ),
            traps(EXHAUSTED),
        ),
        Case::new(
            "two functions that call each other",
            start("(func $f (call $g)) (func $g (call $f))", "(call $f)"),
            traps(EXHAUSTED),
        ),
        Case::new(
            "a function that calls itself through a table",
            start("(table 1 funcref) (elem (i32.const 0) $f) (func $f (call_indirect (i32.const 0)))", "(call $f)"),
            traps(EXHAUSTED),
        ),
        Case::new("a start function that calls itself", start("(start $f) (func $f (call $f))", ""), traps(EXHAUSTED)),
        Case::new(
            "a function that asks the host at every depth",
            start(
                r#"(import "wasi_snapshot_preview1" "sched_yield" (func $yield (result i32)))
                (func $f (drop (call $yield)) (call $f))"#,
                "(call $f)",
            ),
            traps(EXHAUSTED),
        ),
        Case::new(
            "a component that asks the host at every depth",
            command(
                r#"(import "clock" "now" (func $now (result i64)))
                (func $f (export "run") (result i32) (drop (call $now)) (call $f))"#,
            ),
            traps(EXHAUSTED),
        ),
        Case::new(
            "a component instance that calls into the one that it is part of",
            mutual(),
            traps("cannot enter component instance"),
        ),
        Case::new("twenty component instances of which each calls the next", chain(20), traps("unreachable")),
    ]
}

/// The outer component hands a function of its own to an inner one, whose function calls it.
fn mutual() -> Vec<u8> {
    binary(
        r#"(component
            (component $inner
                (import "back" (func $back))
                (core func $back' (canon lower (func $back)))
                (core module $m (import "" "back" (func $back)) (func (export "forth") (call $back)))
                (core instance $i (instantiate $m (with "" (instance (export "back" (func $back'))))))
                (func (export "forth") (canon lift (core func $i "forth"))))
            (core module $shim
                (table (export "table") 1 funcref)
                (func (export "back") (call_indirect (i32.const 0))))
            (core instance $shim (instantiate $shim))
            (func $back (canon lift (core func $shim "back")))
            (instance $inner (instantiate $inner (with "back" (func $back))))
            (core func $forth (canon lower (func $inner "forth")))
            (core module $m
                (import "shim" "table" (table 1 funcref))
                (import "inner" "forth" (func $forth))
                (elem (i32.const 0) $forth)
                (func (export "run") (result i32) (call $forth) (i32.const 0)))
            (core instance $guest (instantiate $m (with "shim" (instance $shim))
                (with "inner" (instance (export "forth" (func $forth))))))
            (func $run (result (result)) (canon lift (core func $guest "run")))
            (instance $command (export "run" (func $run)))
            (export "wasi:cli/run@0.2.0" (instance $command)))"#,
    )
}

/// Instances of one component, of which each calls the one before it; the first one traps.
fn chain(length: usize) -> Vec<u8> {
    let links: String = (1..length)
        .map(|at| format!("(instance $i{at} (instantiate $link (with \"next\" (func $i{} \"call\"))))\n", at - 1))
        .collect();
    binary(&format!(
        r#"(component
            (component $end
                (core module $m (func (export "call") (unreachable)))
                (core instance $i (instantiate $m))
                (func (export "call") (canon lift (core func $i "call"))))
            (component $link
                (import "next" (func $next))
                (core func $next' (canon lower (func $next)))
                (core module $m (import "" "next" (func $next)) (func (export "call") (call $next)))
                (core instance $i (instantiate $m (with "" (instance (export "next" (func $next'))))))
                (func (export "call") (canon lift (core func $i "call"))))
            (component $caller
                (import "next" (func $next))
                (core func $next' (canon lower (func $next)))
                (core module $m (import "" "next" (func $next))
                    (func (export "run") (result i32) (call $next) (i32.const 0)))
                (core instance $i (instantiate $m (with "" (instance (export "next" (func $next'))))))
                (func (export "run") (result (result)) (canon lift (core func $i "run"))))
            (instance $i0 (instantiate $end))
            {links}
            (instance $command (instantiate $caller (with "next" (func $i{} "call"))))
            (export "wasi:cli/run@0.2.0" (instance $command)))"#,
        length - 1
    ))
}
