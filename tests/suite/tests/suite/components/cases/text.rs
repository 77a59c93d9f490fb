//! Invalid text in every string that a guest can pass, and names in images that are no text to be shown.

use crate::components::assemble::{
    LIBC, binary, command, command_text, module, raw_component, raw_module, repeated, section,
};
use crate::components::case::End::{Exits, Refused};
use crate::components::case::{Case, cannot_start, traps};

const NO_TEXT: &str = "utf-8";

pub(super) fn cases() -> Vec<Case> {
    [fields_and_names(), signed_call(), encodings(), images()].concat()
}

/// Calls with the string at 64, which has a byte that stands in no UTF-8.
fn passing(imports: &str, call: &str) -> Vec<u8> {
    command(&format!(
        r#"{imports} (data (i32.const 64) "na\ffme")
        (func (export "run") (result i32) {call} (i32.const 0))"#
    ))
}

fn fields_and_names() -> Vec<Case> {
    let fields = r#"(import "http" "[constructor]fields" (func $fields (result i32)))"#;
    let request = r#"(import "http" "[constructor]fields" (func $fields (result i32)))
        (import "http" "[constructor]outgoing-request" (func $request (param i32) (result i32)))"#;
    vec![
        Case::new(
            "a header's name that is no text",
            passing(
                &format!(
                    r#"{fields}
                    (import "http" "[method]fields.append" (func $append (param i32 i32 i32 i32 i32 i32)))"#
                ),
                "(call $append (call $fields) (i32.const 64) (i32.const 5) (i32.const 0) (i32.const 0) (i32.const 16))",
            ),
            traps(NO_TEXT),
        ),
        Case::new(
            "a header's name that is asked for and is no text",
            passing(
                &format!(
                    r#"{fields} (import "http" "[method]fields.has" (func $has (param i32 i32 i32) (result i32)))"#
                ),
                "(drop (call $has (call $fields) (i32.const 64) (i32.const 5)))",
            ),
            traps(NO_TEXT),
        ),
        Case::new(
            "a header's name in a list that is no text",
            passing(
                r#"(import "http" "[static]fields.from-list" (func $from (param i32 i32 i32)))"#,
                "(i32.store (i32.const 128) (i32.const 64)) (i32.store (i32.const 132) (i32.const 5))
                (call $from (i32.const 128) (i32.const 1) (i32.const 16))",
            ),
            traps(NO_TEXT),
        ),
        Case::new(
            "an authority that is no text",
            passing(
                &format!(
                    r#"{request} (import "http" "[method]outgoing-request.set-authority"
                        (func $set (param i32 i32 i32 i32) (result i32)))"#
                ),
                "(drop (call $set (call $request (call $fields)) (i32.const 1) (i32.const 64) (i32.const 5)))",
            ),
            traps(NO_TEXT),
        ),
        Case::new(
            "a path that is no text",
            passing(
                &format!(
                    r#"{request} (import "http" "[method]outgoing-request.set-path-with-query"
                        (func $set (param i32 i32 i32 i32) (result i32)))"#
                ),
                "(drop (call $set (call $request (call $fields)) (i32.const 1) (i32.const 64) (i32.const 5)))",
            ),
            traps(NO_TEXT),
        ),
        Case::new(
            "a host's name to look up that is no text",
            passing(
                r#"(import "the-network" "instance-network" (func $network (result i32)))
                (import "lookup" "resolve-addresses" (func $resolve (param i32 i32 i32 i32)))"#,
                "(call $resolve (call $network) (i32.const 64) (i32.const 5) (i32.const 16))",
            ),
            traps(NO_TEXT),
        ),
        Case::new(
            "a path of preview 1 that is no text",
            binary(
                r#"(module
                (import "wasi_snapshot_preview1" "path_open"
                    (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
                (memory (export "memory") 1) (data (i32.const 64) "na\ffme")
                (func (export "_start")
                    (if (i32.eqz (call $open (i32.const 3) (i32.const 0) (i32.const 64) (i32.const 5) (i32.const 0)
                        (i64.const 0) (i64.const 0) (i32.const 0) (i32.const 128))) (then (unreachable)))))"#,
            ),
            Exits(0),
        ),
    ]
}

/// The strings of a typed call, each in its turn: where its pointer and length stand among the flat parameters, which
/// are empty strings and lists otherwise.
fn signed_call() -> Vec<Case> {
    let call = |changed: &[(usize, u32)], memory: &str| {
        let mut parameters = [0_u32; 16];
        parameters[15] = 16;
        for (at, value) in changed {
            parameters[*at] = *value;
        }
        let arguments: String = parameters.iter().map(|value| format!("(i32.const {value}) ")).collect();
        passing(
            &format!(r#"(import "aws" "call" (func $call (param {}))) "#, "i32 ".repeat(16)),
            &format!("{memory} (call $call {arguments})"),
        )
    };
    // An entry of a list at 128: the two pointers and lengths of its tuple.
    let entry = |first: bool| {
        let (name, value) = if first { (64, 0) } else { (0, 64) };
        let lengths = if first { (5, 0) } else { (0, 5) };
        format!(
            "(i32.store (i32.const 128) (i32.const {name})) (i32.store (i32.const 132) (i32.const {}))
            (i32.store (i32.const 136) (i32.const {value})) (i32.store (i32.const 140) (i32.const {}))",
            lengths.0, lengths.1
        )
    };
    vec![
        Case::new("a service that is no text", call(&[(0, 64), (1, 5)], ""), traps(NO_TEXT)),
        Case::new("a Region that is no text", call(&[(2, 1), (3, 64), (4, 5)], ""), traps(NO_TEXT)),
        Case::new("a method that is no text", call(&[(5, 64), (6, 5)], ""), traps(NO_TEXT)),
        Case::new("a call's path that is no text", call(&[(7, 64), (8, 5)], ""), traps(NO_TEXT)),
        Case::new("a query key that is no text", call(&[(9, 128), (10, 1)], &entry(true)), traps(NO_TEXT)),
        Case::new("a query value that is no text", call(&[(9, 128), (10, 1)], &entry(false)), traps(NO_TEXT)),
        Case::new("a call's header that is no text", call(&[(11, 128), (12, 1)], &entry(true)), traps(NO_TEXT)),
        Case::new("a header's value of any bytes", call(&[(11, 128), (12, 1)], &entry(false)), Exits(0)),
        Case::new("a body past the end", call(&[(13, 64), (14, 65_536)], ""), traps("out of bounds")),
        Case::new("a body of 4 GiB", call(&[(13, 0), (14, u32::MAX)], ""), traps("")),
        Case::new("four hundred million query keys", call(&[(9, 128), (10, 400_000_000)], ""), traps("")),
        Case::new("a call of nothing at all", call(&[], ""), Exits(0)),
    ]
}

/// Text in the other encodings of the canonical ABI.
fn encodings() -> Vec<Case> {
    let encoded = |encoding: &str, pointer: u32, length: u32, data: &str| {
        let fields = format!(
            r#"(import "the-network" "instance-network" (func $network (result i32)))
            (import "lookup" "resolve-addresses" (func $resolve (param i32 i32 i32 i32)))
            (data (i32.const 64) "{data}")
            (func (export "run") (result i32)
                (call $resolve (call $network) (i32.const {pointer}) (i32.const {length}) (i32.const 16)) (i32.const 0))"#
        );
        let text = command_text(LIBC, &fields, r#"(canon lift (core func $guest "run"))"#);
        binary(&text.replace("(realloc (core", &format!("string-encoding={encoding} (realloc (core")))
    };
    vec![
        Case::new("UTF-16 with half a pair", encoded("utf16", 64, 1, r"\00\d8"), traps("unpaired surrogate")),
        Case::new("UTF-16 that is not aligned", encoded("utf16", 65, 1, "aa"), traps("aligned")),
        Case::new("UTF-16 past the end", encoded("utf16", 65_534, 2, ""), traps("out of bounds")),
        Case::new("UTF-16 whose size in bytes overflows", encoded("utf16", 64, 0x8000_0001, ""), traps("")),
        Case::new("Latin-1 of any bytes", encoded("latin1+utf16", 64, 4, r"\ff\80\00\81"), Exits(0)),
        Case::new(
            "Latin-1 that says it is UTF-16 and is half a pair",
            encoded("latin1+utf16", 64, 0x8000_0001, r"\00\d8"),
            traps("unpaired surrogate"),
        ),
    ]
}

/// Names in an image are the guest's own words: what is said of them stays short and can be shown.
fn images() -> Vec<Case> {
    let long = "x".repeat(90_000);
    vec![
        Case::new(
            "an import whose name clears the terminal",
            module(r#"(import "env" "\1b[2J\0d\07" (func)) (func (export "_start"))"#),
            Refused("not granted"),
        ),
        Case::new(
            "an import whose name is 100 KB long",
            module(&format!(r#"(import "env" "{long}" (func)) (func (export "_start"))"#)),
            Refused("not granted"),
        ),
        Case::new(
            "an import whose name forges a line of a log",
            module(r#"(import "env" "x\0arolebox: all is well" (func)) (func (export "_start"))"#),
            Refused("x rolebox: all is well"),
        ),
        Case::new(
            "an export of a component whose name is no name",
            {
                let name = b"\x08\x1b[2Ja\x0a\x0db";
                raw_component(&[section(11, &[b"\x01\0", name.as_slice(), b"\x03\0\0"].concat())])
            },
            Refused("could not be compiled"),
        ),
        Case::new(
            "a function's name of 90 KB with control characters, in an error of the host",
            command(&format!(
                r#"(import "stdout" "get-stdout" (func $stdout (result i32)))
                (start $f) (func $f (@name "\1b[2J\0a{long}") (loop (drop (call $stdout)) (br 0)))
                (func (export "run") (result i32) (i32.const 0))"#
            )),
            cannot_start(""),
        ),
        Case::new(
            "an import whose name is no text",
            raw_module(&[section(1, &repeated(1, b"\x60\0\0")), section(2, b"\x01\x01a\x02\xff\xfe\0\0")]),
            Refused("malformed UTF-8"),
        ),
        Case::new(
            "a function's name that is no text, in a trap",
            raw_module(&[
                section(1, &repeated(1, b"\x60\0\0")),
                section(3, &repeated(1, b"\0")),
                section(7, b"\x01\x06_start\0\0"),
                section(10, b"\x01\x03\0\0\x0b"),
                section(0, b"\x04name\x01\x06\x01\0\x03\xff\xfe\xfd"),
            ]),
            traps("unreachable"),
        ),
        Case::new(
            "a function's name of 100 KB with control characters, in a trap",
            binary(&format!(r#"(module (func $"\1b[2J{long}" (export "_start") (unreachable)))"#)),
            traps("unreachable"),
        ),
    ]
}
