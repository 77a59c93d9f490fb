//! T5: computing, native and in wasm, with each way to interrupt a guest that never yields.
//!
//! The same source on all sides (`benches/workloads`), built at the same level of optimisation. The guest times its own
//! runs with its own clock, so that its start is not in them. Three engines have wasmtime's own settings and differ in
//! how a guest is interrupted; the fourth row is the whole runner: a task under all limits, interrupted each
//! millisecond, in its turns.
//!
//! Two kernels have code for the native processor in the crates that they use, which no guest can have. They are
//! measured and said, and there is a mean with them and one without.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use rolebox_bench_report::rows::{Status, Unit};
use rolebox_bench_workloads::kernels;
use rolebox_bench_workloads::timing::clock;
use wasmtime::Config;
use wasmtime_wasi::WasiCtxBuilder;
use wasmtime_wasi::p2::pipe::MemoryOutputPipe;

use super::alone::Alone;
use crate::bench::{Bench, Case, median};
use crate::hosts::{Host, settings};

/// How a guest that never yields is made to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Interruption {
    Never,
    Epochs,
    Fuel,
}

pub(crate) fn measure(bench: &mut Bench) -> Result<()> {
    let inputs = bench.inputs.clone();
    let guest = inputs.guest("compute");
    let host = Host::new(settings(), &inputs)?;
    let engines = [
        ("wasm without interruption", Program::new(&guest, Interruption::Never)?),
        ("wasm with epochs", Program::new(&guest, Interruption::Epochs)?),
        ("wasm with fuel", Program::new(&guest, Interruption::Fuel)?),
    ];
    let (count, warm_up) = (bench.choose(5, 3), 1);
    let names: Vec<&str> = kernels::ALL.iter().map(|kernel| kernel.name).collect();
    let seconds = 14.0 / names.len() as f64;
    for name in &names {
        let arguments = [(*name).to_owned(), count.to_string(), warm_up.to_string()];
        let native_row = format!("{name}: native");
        let mut cases = vec![Case::new(native_row.clone(), Unit::Seconds, |turn| {
            let taken = kernels::measure(name, count, warm_up, clock())?.nanoseconds;
            taken.iter().for_each(|time| turn.add(&native_row, Unit::Seconds, *time as f64 / 1e9));
            Ok(())
        })];
        let expected = kernels::measure(name, 1, 0, clock())?.checksum;
        for (how, program) in &engines {
            let (row, arguments) = (format!("{name}: {how}"), &arguments);
            cases.push(Case::new(row.clone(), Unit::Seconds, move |turn| {
                let times = times(&program.run(arguments)?, expected)?;
                times.iter().for_each(|time| turn.add(&row, Unit::Seconds, *time));
                Ok(())
            }));
        }
        let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let task = host.prepare(&guest, &words)?;
        let (row, host) = (format!("{name}: a task"), &host);
        cases.push(Case::new(row.clone(), Unit::Seconds, move |turn| {
            let times = times(&host.run(&task)?.0, expected)?;
            times.iter().for_each(|time| turn.add(&row, Unit::Seconds, *time));
            Ok(())
        }));
        bench.interleave(seconds, cases)?;
    }
    ratios(bench)
}

/// Each row to the native one, and their geometric means.
fn ratios(bench: &mut Bench) -> Result<()> {
    for how in ["wasm without interruption", "wasm with epochs", "wasm with fuel", "a task"] {
        let (mut all, mut same_code) = (Vec::new(), Vec::new());
        for kernel in kernels::ALL {
            let row = format!("{}: {how} to native", kernel.name);
            let (of, to) = (format!("{}: {how}", kernel.name), format!("{}: native", kernel.name));
            bench.ratio(&row, &of, &to)?;
            if let Some(native_only) = kernel.native_only {
                bench.note(&row, &format!("natively its crates use {native_only}"))?;
            }
            let (of, to) = (bench.taken(&of), bench.taken(&to));
            if of.is_empty() || to.is_empty() {
                continue;
            }
            let logarithm = (median(&of) / median(&to)).ln();
            all.push(logarithm);
            if kernel.native_only.is_none() {
                same_code.push(logarithm);
            }
        }
        let whole = kernels::ALL.len();
        for (which, logarithms, wanted) in [
            ("geometric mean of all", all, whole),
            (
                "geometric mean without sha256 and regex",
                same_code,
                kernels::ALL.iter().filter(|k| k.native_only.is_none()).count(),
            ),
        ] {
            let row = format!("{which}: {how} to native");
            if logarithms.len() < wanted {
                bench.missing(&row, Unit::Ratio, Status::NotPossible, "a kernel was not measured")?;
                continue;
            }
            let mean = (logarithms.iter().sum::<f64>() / logarithms.len() as f64).exp();
            bench.samples(&row, Unit::Ratio, vec![mean])?;
        }
    }
    Ok(())
}

/// What the guest printed: nanoseconds, and `checksum N`, which must be what the native run came to.
fn times(printed: &str, expected: u64) -> Result<Vec<f64>> {
    let mut times = Vec::new();
    let mut checked = false;
    for line in printed.lines() {
        match line.strip_prefix("checksum ") {
            Some(checksum) => {
                ensure!(checksum.parse() == Ok(expected), "the guest computed {checksum}, natively it is {expected}");
                checked = true;
            }
            None => times.push(line.parse::<f64>().with_context(|| format!("the guest printed {line:?}"))? / 1e9),
        }
    }
    ensure!(checked, "the guest printed no checksum");
    Ok(times)
}

/// The guest on an engine with one way to interrupt it.
struct Program {
    guest: Alone,
    interruption: Interruption,
    runtime: tokio::runtime::Runtime,
}

impl Program {
    fn new(component: &Path, interruption: Interruption) -> Result<Self> {
        let mut config = Config::new();
        config.epoch_interruption(interruption == Interruption::Epochs);
        config.consume_fuel(interruption == Interruption::Fuel);
        let guest = Alone::new(component, &config)?;
        if interruption == Interruption::Epochs {
            // As often as the runner does it.
            let engine = guest.engine.weak();
            std::thread::spawn(move || {
                while let Some(engine) = engine.upgrade() {
                    engine.increment_epoch();
                    drop(engine);
                    std::thread::sleep(std::time::Duration::from_millis(1));
                }
            });
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().context("a runtime")?;
        Ok(Self { guest, interruption, runtime })
    }

    /// Runs it to its end, and gives what it printed.
    fn run(&self, arguments: &[String]) -> Result<String> {
        let output = MemoryOutputPipe::new(1 << 20);
        let mut wasi = WasiCtxBuilder::new();
        wasi.arg("compute").args(arguments).stdout(output.clone()).inherit_stderr();
        let run = self.guest.run(wasi, |store| {
            match self.interruption {
                Interruption::Never => {}
                Interruption::Epochs => {
                    store.set_epoch_deadline(1);
                    store.epoch_deadline_async_yield_and_update(1);
                }
                Interruption::Fuel => {
                    store.set_fuel(u64::MAX)?;
                    // Some hundred microseconds: at least as often as epochs.
                    store.fuel_async_yield_interval(Some(1_000_000))?;
                }
            }
            Ok(())
        });
        self.runtime.block_on(run)?;
        Ok(String::from_utf8_lossy(&output.contents()).into_owned())
    }
}
