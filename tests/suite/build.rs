//! Generates the images of `components::generated`: modules and components that nobody wrote, the same in each build.
//!
//! They lie one after another in `generated.bin`: a byte for the kind, four for the length in little-endian order, and
//! the image. Why in a build script, says `Cargo.toml`.

use std::path::PathBuf;

use arbitrary::Unstructured;
use wasm_encoder::{
    CodeSection, EntityType, ExportKind, ExportSection, Function, FunctionSection, ImportSection, Instruction,
    MemorySection, MemoryType, Module, TypeSection, ValType,
};
use wasm_smith::{Component, Config};

/// How many of each kind. They are tried by one test, which is to take some ten seconds.
const COUNT: usize = 600;

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

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let runnable = interface(&PREVIEW1.map(|(name, parameters)| {
        let results = if name == "proc_exit" { "" } else { "-" };
        ("wasi_snapshot_preview1", name, parameters, results)
    }));
    let inner = interface(&LOWERED);
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let mut images = Vec::new();
    for _ in 0..COUNT {
        let bytes = random.bytes();
        let mut add = |kind: u8, image: Option<Vec<u8>>| {
            // Where the random bytes do not suffice, there is no image.
            let Some(image) = image else { return };
            images.push(kind);
            images.extend(u32::try_from(image.len()).expect("small").to_le_bytes());
            images.extend(image);
        };
        add(b'm', module(known(&runnable, command("_start", false)), &bytes));
        add(b'i', module(known(&inner, command("run", true)), &bytes));
        add(b'w', module(Config::default(), &bytes));
        let component = Component::new(Config::default(), &mut Unstructured::new(&bytes));
        add(b'c', component.ok().map(|component| component.to_bytes()));
    }
    let path = PathBuf::from(std::env::var_os("OUT_DIR").expect("cargo sets it")).join("generated.bin");
    std::fs::write(path, images).expect("the images are written");
}

fn module(config: Config, bytes: &[u8]) -> Option<Vec<u8>> {
    wasm_smith::Module::new(config, &mut Unstructured::new(bytes)).ok().map(|module| module.to_bytes())
}

/// Modules that import what they are granted and have something to run, so that most of them do.
fn known(imports: &[u8], exports: Vec<u8>) -> Config {
    Config {
        available_imports: Some(imports.to_vec()),
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
fn command(entry: &str, result: bool) -> Vec<u8> {
    let (mut types, mut functions, mut memories) = (TypeSection::new(), FunctionSection::new(), MemorySection::new());
    let (mut exports, mut code) = (ExportSection::new(), CodeSection::new());
    types.ty().function([], values(if result { "-" } else { "" }));
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

/// A generator of Marsaglia's (xorshift64): the same images everywhere.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// What one image is generated from: between 256 bytes and 2 KiB.
    fn bytes(&mut self) -> Vec<u8> {
        let words = 32 + self.next() % 224;
        (0..words).flat_map(|_| self.next().to_le_bytes()).collect()
    }
}
