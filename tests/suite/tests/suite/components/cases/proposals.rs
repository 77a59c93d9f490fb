//! Proposals of WebAssembly that are not enabled are refused when the image is compiled, and those that are enabled
//! run under the same limits.

use crate::components::assemble::{binary, module, start};
use crate::components::case::End::{Exits, Refused};
use crate::components::case::{Case, out_of_memory, timed_out, traps};

pub(super) fn cases() -> Vec<Case> {
    [refused(), enabled()].concat()
}

fn refused() -> Vec<Case> {
    let core = [
        ("exceptions", r#"(tag $t) (func (export "_start") (throw $t))"#),
        (
            "garbage collected structures",
            r#"(type $s (struct (field i32))) (func (export "_start") (drop (struct.new $s (i32.const 1))))"#,
        ),
        (
            "garbage collected arrays",
            r#"(type $a (array (mut i8))) (func (export "_start") (drop (array.new $a (i32.const 1) (i32.const 100000000))))"#,
        ),
        ("references to anything", r#"(table 1 externref) (func (export "_start"))"#),
        ("shared memories", r#"(memory 1 2 shared) (func (export "_start"))"#),
        (
            "atomic operations",
            r#"(memory 1) (func (export "_start") (drop (i32.atomic.rmw.add (i32.const 0) (i32.const 1))))"#,
        ),
        (
            "waits for other threads",
            r#"(memory 1) (func (export "_start") (drop (memory.atomic.wait32 (i32.const 0) (i32.const 0) (i64.const -1))))"#,
        ),
        (
            "stack switching",
            r#"(type $f (func)) (type $c (cont $f)) (func $g) (elem declare func $g) (func (export "_start") (drop (cont.new $c (ref.func $g))))"#,
        ),
        ("pages of one byte", r#"(memory 1 (pagesize 1)) (func (export "_start"))"#),
        (
            "wide arithmetic",
            r#"(func (export "_start") (i64.add128 (i64.const 1) (i64.const 1) (i64.const 1) (i64.const 1)) (drop) (drop))"#,
        ),
    ];
    core.into_iter()
        .map(|(name, fields)| {
            Case::new(format!("{name}, which are not enabled"), module(fields), Refused("could not be compiled"))
        })
        .chain([
            Case::new(
                "asynchronous functions of components",
                binary(
                    r#"(component
                        (core module $m (func (export "run") (result i32) (i32.const 0))
                            (func (export "callback") (param i32 i32 i32) (result i32) (i32.const 0)))
                        (core instance $i (instantiate $m))
                        (func (export "run") (canon lift (core func $i "run") async
                            (callback (core func $i "callback")))))"#,
                ),
                Refused("could not be compiled"),
            ),
            Case::new(
                "streams and futures of components",
                binary(r#"(component (type $s (stream u8)) (core func (canon stream.new $s)))"#),
                Refused("could not be compiled"),
            ),
            Case::new(
                "threads of components",
                binary(r#"(component (core func (canon thread.available_parallelism)))"#),
                Refused("could not be compiled"),
            ),
            Case::new(
                "values of components",
                binary(r#"(component (import "v" (value string)))"#),
                Refused("could not be compiled"),
            ),
        ])
        .collect()
}

fn enabled() -> Vec<Case> {
    vec![
        Case::new(
            "a memory of 64 bits that grows without end",
            module(
                r#"(memory (export "memory") i64 1)
                (func (export "_start") (loop (drop (memory.grow (i64.const 16))) (br 0)))"#,
            ),
            out_of_memory(),
        ),
        Case::new(
            "a memory of 64 bits that grows by all that there is",
            module(
                r#"(memory (export "memory") i64 1)
                (func (export "_start") (drop (memory.grow (i64.const 0xffffffffffff))))"#,
            ),
            out_of_memory(),
        ),
        Case::new(
            "a memory of 64 bits that begins with 2^48 bytes",
            module(r#"(memory (export "memory") i64 0x100000000) (func (export "_start"))"#),
            Refused("memory has a minimum byte size"),
        ),
        Case::new(
            "a memory of 64 bits read at the end of the address space",
            module(
                r#"(memory (export "memory") i64 1)
                (func (export "_start") (drop (i64.load (i64.const -1))))"#,
            ),
            traps("out of bounds memory access"),
        ),
        Case::new("tail calls without end", start("(func $f (return_call $f))", "(call $f)"), timed_out()),
        Case::new(
            "relaxed SIMD, whose results may differ between processors",
            start(
                "",
                "(drop (i32x4.relaxed_trunc_f32x4_s (v128.const f32x4 nan 1e30 -1e30 1)))
                (drop (f32x4.relaxed_madd (v128.const f32x4 1 2 3 4) (v128.const f32x4 1 2 3 4)
                    (v128.const f32x4 1 2 3 4)))",
            ),
            Exits(0),
        ),
    ]
}
