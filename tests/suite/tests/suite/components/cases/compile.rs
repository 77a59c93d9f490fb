//! Images made to cost the compiler time or memory. Each runs, or is refused within the host's bounds.
//!
//! Sizes are such that a host without those bounds compiles each within seconds, so that the suite ends either way.

use crate::components::assemble::{binary, leb, module, raw_component, raw_module, repeated, section, start};
use crate::components::case::Case;
use crate::components::case::End::{Refused, Survived};

pub(super) fn cases() -> Vec<Case> {
    [bodies(), counts(), components()].concat()
}

/// What lies in a module of one function `_start` of this body, which has these declarations of locals.
fn one_function(locals: &[u8], body: &[u8]) -> Vec<u8> {
    functions(1, locals, body)
}

/// A module of so many functions of this body, of which the first is `_start`.
fn functions(count: usize, locals: &[u8], body: &[u8]) -> Vec<u8> {
    let code = [locals, body, b"\x0b"].concat();
    let code = [leb(code.len()), code].concat();
    raw_module(&[
        section(1, &repeated(1, b"\x60\0\0")),
        section(3, &repeated(count, b"\0")),
        section(7, b"\x01\x06_start\0\0"),
        section(10, &repeated(count, &code)),
    ])
}

fn bodies() -> Vec<Case> {
    const NO_LOCALS: &[u8] = b"\0";
    let nested =
        |depth: usize, open: &[u8]| one_function(NO_LOCALS, &[open.repeat(depth), b"\x0b".repeat(depth)].concat());
    // block, br_table to itself a million times, end
    let table = |count: usize| {
        let targets = [leb(count), b"\0".repeat(count + 1)].concat();
        one_function(NO_LOCALS, &[b"\x02\x40\x41\0\x0e".as_slice(), &targets, b"\x0b"].concat())
    };
    vec![
        Case::new("a function of half a megabyte", one_function(NO_LOCALS, &b"\x41\x01\x1a".repeat(170_000)), Survived),
        Case::new(
            "a function larger than any is",
            one_function(NO_LOCALS, &b"\x01".repeat(7_700_000)),
            Refused("size"),
        ),
        Case::new("blocks twenty thousand deep", nested(20_000, b"\x02\x40"), Survived),
        Case::new("loops two thousand deep", nested(2_000, b"\x03\x40"), Survived),
        Case::new("conditions ten thousand deep", nested(10_000, b"\x41\0\x04\x40"), Survived),
        Case::new("a br_table with a million entries", table(1_000_000), Survived),
        Case::new("fifty thousand locals", one_function(b"\x01\xd0\x86\x03\x7e", b""), Survived),
        Case::new("fifty thousand and one locals", one_function(b"\x01\xd1\x86\x03\x7e", b""), Refused("locals")),
        Case::new(
            "four thousand million locals",
            one_function(b"\x01\xff\xff\xff\xff\x0f\x7e", b""),
            Refused("locals"),
        ),
        Case::new(
            "a thousand values on the stack across every branch",
            one_function(
                NO_LOCALS,
                &[b"\x41\x01".repeat(1_000), b"\x02\x40\x41\x01\x0d\0\x0b".repeat(500), b"\x1a".repeat(1_000)].concat(),
            ),
            Survived,
        ),
        Case::new("a function of ten thousand calls", start("(func $f)", &"(call $f)".repeat(10_000)), Survived),
    ]
}

fn counts() -> Vec<Case> {
    let types = |count: usize| raw_module(&[section(1, &repeated(count, b"\x60\0\0"))]);
    let imports = |count: usize| {
        raw_module(&[section(1, &repeated(1, b"\x60\0\0")), section(2, &repeated(count, b"\x01a\x01b\0\0"))])
    };
    let exports: String = (0..20_000).map(|at| format!(r#"(export "e{at}" (func $f))"#)).collect();
    let globals = raw_module(&[
        section(1, &repeated(1, b"\x60\0\0")),
        section(3, &repeated(1, b"\0")),
        section(6, &repeated(50_000, b"\x7f\x01\x41\0\x0b")),
        section(7, b"\x01\x06_start\0\0"),
        section(10, b"\x01\x02\0\x0b"),
    ]);
    let segments: String = (0..20_000).map(|at| format!(r#"(data (i32.const {at}) "x")"#)).collect();
    let data = "x".repeat(60_000);
    vec![
        Case::new("ten thousand functions", functions(10_000, b"\0", b""), Survived),
        Case::new("a million functions and one", functions(1_000_001, b"\0", b""), Refused("functions")),
        Case::new("a million types, and nothing to run", types(1_000_000), Refused("")),
        Case::new("a million types and one", types(1_000_001), Refused("types")),
        Case::new("a hundred thousand imports", imports(100_000), Refused("")),
        Case::new("a million imports and one", imports(1_000_001), Refused("imports")),
        Case::new("twenty thousand exports", start(&format!("(func $f) {exports}"), ""), Survived),
        Case::new("fifty thousand globals", globals, Survived),
        Case::new("twenty thousand data segments", start(&segments, ""), Survived),
        Case::new(
            "a hundred thousand data segments and one",
            {
                let segment = b"\x01\x01x";
                raw_module(&[section(12, &leb(100_001)), section(11, &repeated(100_001, segment))])
            },
            Refused("data"),
        ),
        Case::new(
            "a data segment of a megabyte",
            module(&format!(r#"(memory 32) (data (i32.const 0) "{}") (func (export "_start"))"#, data.repeat(17))),
            Survived,
        ),
        Case::new(
            "custom sections of 8 MiB",
            {
                let mut image = start("", "");
                image.extend(section(0, &[b"\x04note".as_slice(), &vec![0; 8 << 20]].concat()));
                image
            },
            Survived,
        ),
    ]
}

fn components() -> Vec<Case> {
    const COMPONENT: u8 = 4;
    let depth = |depth| (1..depth).fold(raw_component(&[]), |inner, _| raw_component(&[section(COMPONENT, &inner)]));
    let wide: String = (0..1_001).map(|_| "(component)").collect();
    let modules: String = (0..1_001).map(|_| "(core module)").collect();
    let types: String = (0..50_000).map(|_| "(type (list u8))").collect();
    let tuple = |depth: usize| {
        let types: String = (1..depth).map(|at| format!("(type $t{at} (tuple $t{} $t{}))", at - 1, at - 1)).collect();
        binary(&format!("(component (type $t0 (tuple u8 u8)) {types})"))
    };
    let record = format!("(component (type (record {})))", r#"(field "a" u8)"#.repeat(2));
    vec![
        Case::new("components ninety deep", depth(90), Refused("components inside one another")),
        Case::new("components two thousand deep", depth(2_000), Refused("components inside one another")),
        Case::new("a thousand components and one", binary(&format!("(component {wide})")), Refused("components")),
        Case::new("a thousand modules and one", binary(&format!("(component {modules})")), Refused("modules")),
        Case::new(
            "fifty thousand types of a component",
            binary(&format!("(component {types})")),
            Refused("nothing to run"),
        ),
        Case::new("a type that doubles fifteen times", tuple(15), Refused("nothing to run")),
        Case::new("a type that doubles sixty times", tuple(60), Refused("type size")),
        Case::new(
            "a type that is a hundred and fifty deep",
            {
                let types: String = (1..150).map(|at| format!("(type $t{at} (list $t{}))", at - 1)).collect();
                binary(&format!("(component (type $t0 (list u8)) {types})"))
            },
            Refused(""),
        ),
        Case::new("a record with a field's name twice", binary(&record), Refused("could not be compiled")),
        Case::new(
            "a component of a million empty sections",
            raw_component(&vec![section(0, b"\x01n"); 300_000]),
            Refused("nothing to run"),
        ),
    ]
}
