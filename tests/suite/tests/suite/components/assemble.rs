//! Builds the binaries of the cases: components around a hostile core module, and binaries that no text can say.

use std::fmt::Write;

/// The interfaces that a case's component imports, with the identifiers by which its core module names them.
const PRELUDE: &str = include_str!("prelude.wat");

/// A memory of one page, and an allocator that hands out what comes next and never frees.
pub(super) const LIBC: &str = r#"
    (memory (export "memory") 1)
    (global $next (mut i32) (i32.const 4096))
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
        (global.set $next (i32.and (i32.add (global.get $next) (i32.const 7)) (i32.const -8)))
        (global.get $next)
        (global.set $next (i32.add (global.get $next) (local.get 3))))"#;

/// The binary of a text, which a case says is well formed.
pub(super) fn binary(text: &str) -> Vec<u8> {
    wat::parse_str(text).unwrap_or_else(|error| panic!("{error}"))
}

/// A core module with these fields.
pub(super) fn module(fields: &str) -> Vec<u8> {
    binary(&format!("(module {fields})"))
}

/// A preview 1 command whose `_start` has this body, with a memory of one page and whatever else `fields` define.
pub(super) fn start(fields: &str, body: &str) -> Vec<u8> {
    module(&format!(r#"{fields} (memory (export "memory") 1) (func (export "_start") {body})"#))
}

/// A command whose core module has these fields, with [`LIBC`] for its memory.
pub(super) fn command(fields: &str) -> Vec<u8> {
    command_on(LIBC, fields)
}

/// The same with these fields of the module that owns the memory and `realloc`.
///
/// `fields` export `run`, of which the result 0 is success. What they import of an instance of the prelude is lowered;
/// `libc` is the module that owns the memory; `[resource-drop]TYPE` of any instance drops a handle.
pub(super) fn command_on(libc: &str, fields: &str) -> Vec<u8> {
    binary(&command_text(libc, fields, r#"(canon lift (core func $guest "run"))"#))
}

/// The text of a command whose `run` is lifted as `lift` says.
pub(super) fn command_text(libc: &str, fields: &str, lift: &str) -> String {
    let (lowered, arguments) = lower(fields);
    format!(
        r#"(component {PRELUDE}
  (core module $libc-module {libc})
  (core instance $libc (instantiate $libc-module))
{lowered}
  (core module $guest-module (import "libc" "memory" (memory 0)) {fields})
  (core instance $guest (instantiate $guest-module (with "libc" (instance $libc)){arguments}))
  (func $run (result (result)) {lift})
  (instance $command (export "run" (func $run)))
  (export "wasi:cli/run@0.2.0" (instance $command)))"#
    )
}

/// The functions that `fields` import, lowered, and the arguments that hand them to the core module.
fn lower(fields: &str) -> (String, String) {
    let (mut lowered, mut arguments) = (String::new(), String::new());
    let mut instances: Vec<(&str, Vec<&str>)> = Vec::new();
    for import in fields.split("(import \"").skip(1) {
        let mut names = import.split('"');
        let (instance, function) = (names.next().unwrap(), names.nth(1).unwrap());
        if instance == "libc" {
            continue;
        }
        match instances.iter_mut().find(|(name, _)| *name == instance) {
            Some((_, functions)) => functions.push(function),
            None => instances.push((instance, vec![function])),
        }
    }
    for (instance, functions) in instances {
        write!(arguments, "\n    (with \"{instance}\" (instance").unwrap();
        for function in functions {
            let id = format!("${instance}.{}", function.replace(['[', ']'], "."));
            match function.strip_prefix("[resource-drop]") {
                Some(resource) => writeln!(lowered, "  (core func {id} (canon resource.drop ${resource}))"),
                None => writeln!(
                    lowered,
                    "  (core func {id} (canon lower (func ${instance} \"{function}\")\n    \
                     (memory (core memory $libc \"memory\")) (realloc (core func $libc \"realloc\"))))"
                ),
            }
            .unwrap();
            write!(arguments, " (export \"{function}\" (func {id}))").unwrap();
        }
        arguments.push_str("))");
    }
    (lowered, arguments)
}

/// `component` with the last of its own core modules replaced by `module`.
pub(super) fn with_core_module(component: &[u8], module: &[u8]) -> Vec<u8> {
    /// The section that holds a core module.
    /// <https://github.com/WebAssembly/component-model/blob/main/design/mvp/Binary.md#component-definitions>
    const CORE_MODULE: u8 = 1;
    let mut sections = Vec::new();
    let mut rest = &component[8..];
    while let Some((&id, after)) = rest.split_first() {
        let (size, after) = read_leb(after);
        let (content, after) = after.split_at(size);
        sections.push((id, content));
        rest = after;
    }
    let last = sections.iter().rposition(|(id, _)| *id == CORE_MODULE).expect("a core module");
    sections[last].1 = module;
    let mut replaced = component[..8].to_vec();
    for (id, content) in sections {
        replaced.extend(section(id, content));
    }
    replaced
}

/// A core module of these sections, as bytes.
pub(super) fn raw_module(sections: &[Vec<u8>]) -> Vec<u8> {
    [b"\0asm\x01\0\0\0".as_slice(), &sections.concat()].concat()
}

/// A component of these sections, as bytes.
pub(super) fn raw_component(sections: &[Vec<u8>]) -> Vec<u8> {
    [b"\0asm\x0d\0\x01\0".as_slice(), &sections.concat()].concat()
}

/// A section: its number, its size and its content.
pub(super) fn section(id: u8, content: &[u8]) -> Vec<u8> {
    [&[id], leb(content.len()).as_slice(), content].concat()
}

/// A vector of `count` times the same item.
pub(super) fn repeated(count: usize, item: &[u8]) -> Vec<u8> {
    [leb(count), item.repeat(count)].concat()
}

/// An unsigned LEB128 number.
pub(super) fn leb(mut number: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let low = (number & 0x7f) as u8;
        number >>= 7;
        if number == 0 {
            bytes.push(low);
            return bytes;
        }
        bytes.push(low | 0x80);
    }
}

fn read_leb(bytes: &[u8]) -> (usize, &[u8]) {
    let length = bytes.iter().position(|byte| byte & 0x80 == 0).expect("a number") + 1;
    let number = bytes[..length].iter().rev().fold(0, |number, byte| number << 7 | usize::from(byte & 0x7f));
    (number, &bytes[length..])
}
