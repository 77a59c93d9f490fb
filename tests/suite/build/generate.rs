//! Generates images with wasm-smith: modules and components that nobody wrote.
//!
//! Shared by `build.rs`, which generates what the suite tries, and by the fuzz target `images` in `runner/fuzz`.

use arbitrary::Unstructured;
use wasm_encoder::{
    CodeSection, EntityType, ExportKind, ExportSection, Function, FunctionSection, ImportSection, Instruction,
    MemorySection, MemoryType, Module, TypeSection, ValType,
};
use wasm_smith::{Component, Config};

/// Preview 1, as far as generated modules call it: names with the numbers of their parameters, which are all `i32` but
/// where there is a `+`, which stands for `i64`. All but `proc_exit` give an `i32`.
const PREVIEW1: [(&str, &str); 16] = [
    ("args_get", "--"),
    ("args_sizes_get", "--"),
    ("environ_get", "--"),
    ("environ_sizes_get", "--"),
    ("clock_time_get", "-+-"),
    ("fd_close", "-"),
    ("fd_fdstat_get", "--"),
    ("fd_prestat_get", "--"),
    ("fd_read", "----"),
    ("fd_seek", "-+--"),
    ("fd_write", "----"),
    ("path_open", "-----++--"),
    ("poll_oneoff", "----"),
    ("proc_exit", "-"),
    ("random_get", "--"),
    ("sched_yield", ""),
];

/// Functions of WASI 0.2 and `rolebox:aws` as a component's core module imports them, with their results.
const LOWERED: [(&str, &str, &str, &str); 14] = [
    ("clock", "now", "", "+"),
    ("clock", "subscribe-duration", "+", "-"),
    ("poll", "[method]pollable.ready", "-", "-"),
    ("poll", "poll", "---", ""),
    ("random", "get-random-bytes", "+-", ""),
    ("environment", "get-environment", "-", ""),
    ("environment", "get-arguments", "-", ""),
    ("stdin", "get-stdin", "", "-"),
    ("stdout", "get-stdout", "", "-"),
    ("streams", "[method]output-stream.blocking-write-and-flush", "----", ""),
    ("streams", "[method]input-stream.read", "-+-", ""),
    ("http", "[constructor]fields", "", "-"),
    ("http", "[method]fields.append", "------", ""),
    ("aws", "call", "----------------", ""),
];

/// What is generated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A command module that imports what it is granted of preview 1, and has something to run.
    Command,
    /// The core module of a component: it imports functions of [`lowered_imports`] and exports `run`.
    Inner,
    /// Any module, with any imports.
    Module,
    /// Any component, with any imports.
    Component,
}

impl Kind {
    /// Every kind.
    pub(crate) const ALL: [Self; 4] = [Self::Command, Self::Inner, Self::Module, Self::Component];
}

/// An image of this kind, made from these bytes. `None` where they do not suffice.
pub(crate) fn image(kind: Kind, bytes: &[u8]) -> Option<Vec<u8>> {
    match kind {
        Kind::Command => {
            let functions = PREVIEW1.map(|(name, parameters)| {
                let results = if name == "proc_exit" { "" } else { "-" };
                ("wasi_snapshot_preview1", name, parameters, results)
            });
            module(known(interface(&functions), command("_start", "")), bytes)
        }
        Kind::Inner => module(known(interface(&LOWERED), command("run", "-")), bytes),
        Kind::Module => module(Config::default(), bytes),
        Kind::Component => {
            let component = Component::new(Config::default(), &mut Unstructured::new(bytes)).ok()?;
            Some(component.to_bytes())
        }
    }
}

/// The imports of [`Kind::Inner`] as text, for the component around it.
pub(crate) fn lowered_imports() -> String {
    let list = |word: &str, signs: &str| {
        let types: String = signs.bytes().map(|sign| if sign == b'+' { " i64" } else { " i32" }).collect();
        if types.is_empty() { types } else { format!("({word}{types})") }
    };
    let import = |(instance, name, parameters, results): &(&str, &str, &str, &str)| {
        let (parameters, results) = (list("param", parameters), list("result", results));
        format!("(import \"{instance}\" \"{name}\" (func {parameters} {results}))\n")
    };
    LOWERED.iter().map(import).collect()
}

fn module(config: Config, bytes: &[u8]) -> Option<Vec<u8>> {
    wasm_smith::Module::new(config, &mut Unstructured::new(bytes)).ok().map(|module| module.to_bytes())
}

/// Modules that import what they are granted and have something to run, so that most of them do.
fn known(imports: Vec<u8>, exports: Vec<u8>) -> Config {
    Config {
        available_imports: Some(imports),
        exports: Some(exports),
        exceptions_enabled: false,
        gc_enabled: false,
        // Would bring references to the host's objects, which need a garbage collector.
        reference_types_enabled: false,
        threads_enabled: false,
        generate_custom_sections: true,
        max_instructions: 300,
        // Beside the one that is exported.
        max_memories: 0,
        max_table_elements: 10_000,
        ..Config::default()
    }
}

/// A module that imports all of these, in wasm-smith's way to say what may be imported.
fn interface(functions: &[(&str, &str, &str, &str)]) -> Vec<u8> {
    let (mut types, mut imports) = (TypeSection::new(), ImportSection::new());
    for (at, (module, name, parameters, results)) in (0..).zip(functions) {
        types.ty().function(values(parameters), values(results));
        imports.import(module, name, EntityType::Function(at));
    }
    let mut module = Module::new();
    module.section(&types).section(&imports);
    module.finish()
}

/// A module that exports an entry point and a memory, in wasm-smith's way to say what has to be exported.
fn command(entry: &str, results: &str) -> Vec<u8> {
    let (mut types, mut functions, mut memories) = (TypeSection::new(), FunctionSection::new(), MemorySection::new());
    let (mut exports, mut code) = (ExportSection::new(), CodeSection::new());
    types.ty().function([], values(results));
    functions.function(0);
    memories.memory(MemoryType { minimum: 1, maximum: None, memory64: false, shared: false, page_size_log2: None });
    exports.export(entry, ExportKind::Func, 0).export("memory", ExportKind::Memory, 0);
    let mut body = Function::new([]);
    body.instruction(&Instruction::Unreachable).instruction(&Instruction::End);
    code.function(&body);
    let mut module = Module::new();
    module.section(&types).section(&functions).section(&memories).section(&exports).section(&code);
    module.finish()
}

fn values(signs: &str) -> Vec<ValType> {
    signs.bytes().map(|sign| if sign == b'+' { ValType::I64 } else { ValType::I32 }).collect()
}
