//! T6: what a call from a guest to the host costs, by what it carries.
//!
//! First the way itself, with host functions that do nothing: wasmtime's calls of a component's imports, with the
//! settings that the runner has. Then real calls of a task: the clock, random bytes, standard output, and an AWS call
//! that is denied, which passes a record of strings in and another one out and is recorded in the audit.

use anyhow::{Context, Result, ensure};
use rolebox_bench_report::rows::Unit;
use wasmtime::component::{Component, Instance, Linker};
use wasmtime::{Config, Engine, Store};

use crate::bench::{Bench, Case, wasm};
use crate::hosts::{Host, numbers, settings};

/// Calls the host `count` times, in each of four ways.
const CALLER: &str = r#"(component
    (import "empty" (func $empty))
    (import "strings" (func $strings (param "a" string) (param "b" string) (result string)))
    (import "take" (func $take (param "bytes" (list u8))))
    (import "give" (func $give (param "length" u32) (result (list u8))))
    (core module $memory
        (memory (export "memory") 64)
        ;; What the host gives is put where it was before: nothing is kept.
        (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 2097152)))
    (core instance $mem (instantiate $memory))
    (alias core export $mem "memory" (core memory $m))
    (alias core export $mem "realloc" (core func $realloc))
    (core func $empty-core (canon lower (func $empty)))
    (core func $strings-core (canon lower (func $strings) (memory $m) (realloc $realloc)))
    (core func $take-core (canon lower (func $take) (memory $m)))
    (core func $give-core (canon lower (func $give) (memory $m) (realloc $realloc)))
    (core module $main
        (import "h" "memory" (memory 64))
        (import "h" "empty" (func $empty))
        (import "h" "strings" (func $strings (param i32 i32 i32 i32 i32)))
        (import "h" "take" (func $take (param i32 i32)))
        (import "h" "give" (func $give (param i32 i32)))
        (data (i32.const 4096) "arn:aws:s3:::node-sdk-sample-0123/folder/hello_world.txt")
        (func (export "empty") (param $count i32)
            (loop $again
                (call $empty)
                (br_if $again (local.tee $count (i32.sub (local.get $count) (i32.const 1))))))
        (func (export "strings") (param $count i32)
            (loop $again
                (call $strings (i32.const 4096) (i32.const 56) (i32.const 4096) (i32.const 33) (i32.const 64))
                (br_if $again (local.tee $count (i32.sub (local.get $count) (i32.const 1))))))
        (func (export "take") (param $count i32) (param $length i32)
            (loop $again
                (call $take (i32.const 65536) (local.get $length))
                (br_if $again (local.tee $count (i32.sub (local.get $count) (i32.const 1))))))
        (func (export "give") (param $count i32) (param $length i32)
            (loop $again
                (call $give (local.get $length) (i32.const 64))
                (br_if $again (local.tee $count (i32.sub (local.get $count) (i32.const 1)))))))
    (core instance $i (instantiate $main (with "h" (instance
        (export "memory" (memory $m))
        (export "empty" (func $empty-core))
        (export "strings" (func $strings-core))
        (export "take" (func $take-core))
        (export "give" (func $give-core))))))
    (func (export "call-empty") (param "count" u32) (canon lift (core func $i "empty")))
    (func (export "call-strings") (param "count" u32) (canon lift (core func $i "strings")))
    (func (export "call-take") (param "count" u32) (param "length" u32) (canon lift (core func $i "take")))
    (func (export "call-give") (param "count" u32) (param "length" u32) (canon lift (core func $i "give"))))"#;

pub(crate) fn measure(bench: &mut Bench) -> Result<()> {
    the_way_itself(bench)?;
    real_calls(bench)
}

/// Host functions that do nothing, in a store of their own.
struct Caller {
    store: Store<()>,
    instance: Instance,
}

impl Caller {
    fn new() -> wasmtime::Result<Self> {
        let mut config = Config::new();
        config.epoch_interruption(true);
        let engine = Engine::new(&config)?;
        let component = Component::new(&engine, wat::parse_str(CALLER).map_err(wasmtime::Error::msg)?)?;
        let mut linker = Linker::<()>::new(&engine);
        let mut root = linker.root();
        root.func_wrap("empty", |_, (): ()| Ok(()))?;
        root.func_wrap("strings", |_, (a, b): (String, String)| {
            std::hint::black_box((a, &b));
            Ok((b,))
        })?;
        root.func_wrap("take", |_, (bytes,): (Vec<u8>,)| {
            std::hint::black_box(bytes);
            Ok(())
        })?;
        let given = vec![7_u8; 1 << 20];
        root.func_wrap("give", move |_, (length,): (u32,)| {
            Ok((given.get(..length as usize).unwrap_or_default().to_vec(),))
        })?;
        let mut store = Store::new(&engine, ());
        store.set_epoch_deadline(u64::MAX / 2);
        store.set_hostcall_fuel(1 << 30);
        let instance = linker.instantiate(&mut store, &component)?;
        Ok(Self { store, instance })
    }

    fn call(&mut self, name: &str, count: u32, length: Option<u32>) -> wasmtime::Result<()> {
        match length {
            None => {
                let function = self.instance.get_typed_func::<(u32,), ()>(&mut self.store, name)?;
                function.call(&mut self.store, (count,))?;
            }
            Some(length) => {
                let function = self.instance.get_typed_func::<(u32, u32), ()>(&mut self.store, name)?;
                function.call(&mut self.store, (count, length))?;
            }
        }
        Ok(())
    }
}

fn the_way_itself(bench: &mut Bench) -> Result<()> {
    let caller = std::cell::RefCell::new(Caller::new().map_err(wasm)?);
    let kinds = [
        ("the way itself: empty", "call-empty", 20_000, None),
        ("the way itself: two strings in, one out", "call-strings", 5_000, None),
        ("the way itself: 1 KiB in", "call-take", 5_000, Some(1 << 10)),
        ("the way itself: 1 KiB out", "call-give", 5_000, Some(1 << 10)),
        ("the way itself: 1 MiB in", "call-take", 20, Some(1 << 20)),
        ("the way itself: 1 MiB out", "call-give", 20, Some(1 << 20)),
    ];
    let mut cases = Vec::new();
    for (name, function, count, length) in kinds {
        let caller = &caller;
        cases.push(Case::new(name, Unit::Seconds, move |turn| {
            let began = std::time::Instant::now();
            caller.borrow_mut().call(function, count, length).map_err(wasm)?;
            turn.add(name, Unit::Seconds, began.elapsed().as_secs_f64() / f64::from(count));
            Ok(())
        }));
    }
    // What the guest's side does, without a border: a copy of the bytes.
    let bytes = vec![7_u8; 1 << 20];
    cases.push(Case::timed("a copy of 1 MiB, natively", 20, move || {
        std::hint::black_box(std::hint::black_box(&bytes).clone());
        Ok(())
    }));
    bench.interleave(3.0, cases)
}

fn real_calls(bench: &mut Bench) -> Result<()> {
    let inputs = bench.inputs.clone();
    let host = Host::new(settings(), &inputs)?;
    let kinds = [
        ("a task: the clock", "empty", "10"),
        ("a task: a denied AWS call, strings in and out", "strings", "5"),
        ("a task: 1 KiB of random bytes", "random-1k", "5"),
        ("a task: 1 MiB of random bytes", "random-1m", "3"),
        ("a task: 4 KiB to standard output", "write-4k", "5"),
    ];
    let mut cases = Vec::new();
    for (name, kind, count) in kinds {
        let task = host.prepare_with(&inputs.guest("host-calls"), &[kind, count], |document| {
            document["rolebox"]["limits"] = serde_json::json!({"callsPerSecond": 100_000, "outputBytes": 1_u64 << 30});
        })?;
        let host = &host;
        cases.push(Case::new(name, Unit::Seconds, move |turn| {
            let (out, err) = host.run(&task)?;
            let printed = if kind.starts_with("write") { err } else { out };
            let each = numbers(&printed)?;
            ensure!(!each.is_empty(), "the guest printed nothing");
            each.iter().for_each(|each| turn.add(name, Unit::Seconds, each / 1e9));
            if kind == "write-4k" {
                let rates = each.iter().map(|each| 4096.0 / (each / 1e9));
                rates.for_each(|rate| turn.add("a task: stream to standard output", Unit::BytesPerSecond, rate));
            }
            Ok(())
        }));
    }
    bench.interleave(4.0, cases).context("the calls of a task")
}
