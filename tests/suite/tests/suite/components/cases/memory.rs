//! Memories and tables: many, large, growing, and filled from segments that do not fit.

use crate::components::assemble::{binary, command, command_on, module, start};
use crate::components::case::End::{Exits, Refused};
use crate::components::case::{Case, out_of_memory, timed_out, traps};

pub(super) fn cases() -> Vec<Case> {
    [growth(), initial(), tables(), many(), segments()].concat()
}

fn growth() -> Vec<Case> {
    vec![
        Case::new(
            "a memory that grows until it is refused",
            start("", "(loop (drop (memory.grow (i32.const 16))) (br 0))"),
            out_of_memory(),
        )
        .memory(8),
        Case::new(
            "a memory that grows by all of the address space at once",
            start("", "(drop (memory.grow (i32.const 65535)))"),
            out_of_memory(),
        ),
        Case::new(
            "growth past what the memory itself declares is the guest's own failure",
            module(
                r#"(memory (export "memory") 1 2)
                (func (export "_start")
                    (loop (br_if 0 (i32.ne (memory.grow (i32.const 1)) (i32.const -1)))))"#,
            ),
            Exits(0),
        ),
        Case::new(
            "a component whose memory grows until it is refused",
            command(
                r#"(func (export "run") (result i32)
                    (loop (drop (memory.grow (i32.const 16))) (br 0)) (unreachable))"#,
            ),
            out_of_memory(),
        ),
        Case::new(
            "a memory that grows while a host call allocates in it",
            command_on(
                r#"(memory (export "memory") 1)
                (func (export "realloc") (param i32 i32 i32 i32) (result i32)
                    (loop (drop (memory.grow (i32.const 16))) (br 0)) (unreachable))"#,
                r#"(import "random" "get-random-bytes" (func $random (param i64 i32)))
                (func (export "run") (result i32) (call $random (i64.const 8) (i32.const 16)) (i32.const 0))"#,
            ),
            out_of_memory(),
        ),
        Case::new(
            "every page of a memory written over and over",
            start(
                "",
                "(drop (memory.grow (i32.const 63)))
                (loop (memory.fill (i32.const 0) (i32.const 255) (i32.const 4194304)) (br 0))",
            ),
            timed_out(),
        ),
        Case::new(
            "every page of a memory copied onto itself over and over",
            start(
                "",
                "(drop (memory.grow (i32.const 63)))
                (loop (memory.copy (i32.const 1) (i32.const 0) (i32.const 4194303)) (br 0))",
            ),
            timed_out(),
        ),
    ]
}

fn initial() -> Vec<Case> {
    let pages = |pages: u32| module(&format!(r#"(memory (export "memory") {pages}) (func (export "_start"))"#));
    vec![
        Case::new("a memory that begins with all that it may have", pages(256), Exits(0)),
        Case::new("a memory that begins with a page more than it may have", pages(257), out_of_memory()),
        Case::new("a memory that begins with 4 GiB", pages(65_536), Refused("memory has a minimum byte size")),
        Case::new(
            "a memory of which the declared maximum alone is beyond the limit",
            module(r#"(memory (export "memory") 1 65536) (func (export "_start"))"#),
            Exits(0),
        ),
    ]
}

fn tables() -> Vec<Case> {
    vec![
        Case::new(
            "a table that grows to the host's bound, and no further",
            module(
                r#"(memory (export "memory") 1) (table $t 1 funcref)
                (func (export "_start")
                    (loop (br_if 0 (i32.ne (table.grow $t (ref.null func) (i32.const 1024)) (i32.const -1))))
                    (if (i32.gt_u (table.size $t) (i32.const 65536)) (then (unreachable))))"#,
            ),
            Exits(0),
        ),
        Case::new(
            "a table that grows by four thousand million elements",
            module(
                r#"(memory (export "memory") 1) (table $t 0 externref)
                (func (export "_start") (drop (table.grow $t (ref.null extern) (i32.const -1))))"#,
            ),
            Refused("gc types are disallowed"),
        ),
        Case::new(
            "tables and memory that are together beyond the limit",
            module(
                r#"(memory (export "memory") 240) (table $t 1 funcref) (table $u 1 funcref) (table $v 1 funcref)
                (func (export "_start")
                    (drop (table.grow $t (ref.null func) (i32.const 60000)))
                    (drop (table.grow $u (ref.null func) (i32.const 60000)))
                    (drop (table.grow $v (ref.null func) (i32.const 60000)))
                    (unreachable))"#,
            ),
            out_of_memory(),
        ),
        Case::new(
            "a table that begins beyond the host's bound",
            module(r#"(memory (export "memory") 1) (table 100000 funcref) (func (export "_start"))"#),
            Refused("table"),
        ),
        Case::new(
            "a table of ten million elements",
            module(r#"(memory (export "memory") 1) (table 10000000 funcref) (func (export "_start"))"#),
            Refused("table"),
        ),
    ]
}

/// A component that instantiates a core module with these fields this many times.
fn instances(fields: &str, count: usize) -> Vec<u8> {
    let instances: String = (0..count).map(|_| "(core instance (instantiate $one))\n").collect();
    binary(&format!(
        r#"(component
            (core module $one {fields}) {instances}
            (core module $m (func (export "run") (result i32) (i32.const 0)))
            (core instance $guest (instantiate $m))
            (func $run (result (result)) (canon lift (core func $guest "run")))
            (instance $command (export "run" (func $run)))
            (export "wasi:cli/run@0.2.0" (instance $command)))"#
    ))
}

fn many() -> Vec<Case> {
    let memories: String = (0..2).map(|_| "(memory 1)").collect();
    vec![
        Case::new("four memories in four instances", instances("(memory 1)", 4), Exits(0)),
        Case::new("five memories in five instances", instances("(memory 1)", 5), Refused("memories")),
        Case::new("four memories that are together beyond the limit", instances("(memory 100)", 4), out_of_memory()),
        Case::new("two hundred memories in as many instances", instances("(memory 1)", 200), Refused("instances")),
        Case::new(
            "two memories in one module",
            module(&format!("{memories} (func (export \"_start\"))")),
            Refused("memor"),
        ),
        Case::new("twenty tables in five instances", instances(&"(table 1 funcref)".repeat(4), 5), Refused("tables")),
        Case::new("sixty-three instances and one", instances("(func)", 63), Exits(0)),
        Case::new("sixty-four instances and one", instances("(func)", 64), Refused("instances")),
        Case::new("nine hundred instances", instances("(func)", 900), Refused("instances")),
        Case::new("two thousand instances", instances("(func)", 2_000), Refused("instances count")),
        Case::new("two hundred components in components, each with a memory", nested(200), Refused("instances")),
    ]
}

/// Components side by side in one, each instantiated, each with a memory of its own.
fn nested(count: usize) -> Vec<u8> {
    let one = "(component (core module $m (memory 1)) (core instance (instantiate $m)))";
    let components: String =
        (0..count).map(|at| format!("(component $c{at} {one} (instance (instantiate 0)))\n")).collect();
    let instances: String = (0..count).map(|at| format!("(instance (instantiate $c{at}))\n")).collect();
    binary(&format!(
        r#"(component {components} {instances}
            (core module $m (func (export "run") (result i32) (i32.const 0)))
            (core instance $guest (instantiate $m))
            (func $run (result (result)) (canon lift (core func $guest "run")))
            (instance $command (export "run" (func $run)))
            (export "wasi:cli/run@0.2.0" (instance $command)))"#
    ))
}

fn segments() -> Vec<Case> {
    let data = "x".repeat(100_000);
    vec![
        Case::new(
            "a data segment past the end of the memory",
            start(&format!(r#"(data (i32.const 1) "{data}")"#), ""),
            traps("out of bounds memory access"),
        ),
        Case::new(
            "a data segment at the end of the address space",
            start(r#"(data (i32.const -1) "xx")"#, ""),
            traps("out of bounds memory access"),
        ),
        Case::new(
            "an element segment past the end of the table",
            start("(table 1 funcref) (elem (i32.const 1) $f) (func $f)", ""),
            traps("out of bounds table access"),
        ),
        Case::new(
            "a passive segment initialised past its end",
            start(r#"(data $d "xx")"#, "(memory.init $d (i32.const 0) (i32.const 1) (i32.const 2))"),
            traps("out of bounds memory access"),
        ),
        Case::new(
            "a component with a data segment past the end of its memory",
            command(r#"(data (i32.const 65535) "xx") (func (export "run") (result i32) (i32.const 0))"#),
            traps("out of bounds memory access"),
        ),
        Case::new(
            "a memory without an export, and a call of preview 1 that needs it",
            module(
                r#"(import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
                (memory 1) (func (export "_start") (drop (call $random (i32.const 0) (i32.const 8))))"#,
            ),
            traps("memory"),
        ),
        Case::new(
            "a memory that is exported under a name that is no memory's",
            module(
                r#"(import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
                (func (export "memory")) (func (export "_start") (drop (call $random (i32.const 0) (i32.const 8))))"#,
            ),
            traps("memory"),
        ),
        Case::new(
            "a table of the memory's name, and a call of preview 1 that needs the memory",
            module(
                r#"(import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
                (table (export "memory") 1 funcref)
                (func (export "_start") (drop (call $random (i32.const 0) (i32.const 8))))"#,
            ),
            traps("memory"),
        ),
    ]
}
