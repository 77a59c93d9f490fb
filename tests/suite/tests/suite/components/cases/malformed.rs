//! Binaries that are none: cut off, with sizes that lie, with sections out of order.

use crate::components::assemble::{raw_component, raw_module, section, start};
use crate::components::case::Case;
use crate::components::case::End::Refused;

const INVALID: &str = "could not be compiled";

pub(super) fn cases() -> Vec<Case> {
    let ty = section(1, b"\x01\x60\0\0");
    vec![
        Case::new("a module of one byte too few", cut(1), Refused(INVALID)),
        Case::new("a module with a byte after its end", [start("", ""), vec![7]].concat(), Refused(INVALID)),
        Case::new(
            "a section that is longer than the module",
            raw_module(&[b"\x01\xff\xff\xff\xff\x0f".to_vec()]),
            Refused(INVALID),
        ),
        Case::new(
            "a size that never ends",
            raw_module(&[b"\x01\xff\xff\xff\xff\xff\xff\xff".to_vec()]),
            Refused(INVALID),
        ),
        Case::new(
            "a vector of four thousand million types",
            raw_module(&[section(1, b"\xff\xff\xff\xff\x0f")]),
            Refused(INVALID),
        ),
        Case::new("sections out of order", raw_module(&[section(3, b"\0"), ty.clone()]), Refused(INVALID)),
        Case::new("a section that stands twice", raw_module(&[ty.clone(), ty.clone()]), Refused(INVALID)),
        Case::new("functions without code", raw_module(&[ty.clone(), section(3, b"\x01\0")]), Refused(INVALID)),
        Case::new(
            "a function of a type that there is not",
            raw_module(&[ty, section(3, b"\x01\x09")]),
            Refused(INVALID),
        ),
        Case::new("a section that there is not", raw_module(&[section(99, b"")]), Refused(INVALID)),
        Case::new("a component's section that there is not", raw_component(&[section(99, b"")]), Refused(INVALID)),
        Case::new(
            "a component whose module is cut off",
            raw_component(&[section(1, b"\0asm\x01\0")]),
            Refused(INVALID),
        ),
        Case::new(
            "a component whose module is a component",
            raw_component(&[section(1, b"\0asm\x0d\0\x01\0")]),
            Refused(INVALID),
        ),
        Case::new("a component that begins and has nothing", raw_component(&[]), Refused("nothing to run")),
        Case::new("a component of another version", b"\0asm\x0e\0\x01\0".to_vec(), Refused(INVALID)),
        Case::new("a module of another version", b"\0asm\x02\0\0\0".to_vec(), Refused("is not a WebAssembly")),
    ]
}

/// A module without its last bytes.
fn cut(bytes: usize) -> Vec<u8> {
    let mut module = start("", "(drop (i32.const 1))");
    module.truncate(module.len() - bytes);
    module
}
