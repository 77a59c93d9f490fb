//! The first run of a guest with a real SDK in it: compiled, taken from the disk, and taken from the process.
//!
//! `cargo bench --bench first_run`. Builds the guest first (`benches/sdk-guest`, minutes on two cores). Each sample is what
//! passes between a new runner's `prepare` and the end of a run that only starts.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use rolebox::output::TaskOutput;
use rolebox::{PreparedTask, Runner};
use rolebox_benches::{Samples, definition, in_words, runner, settings, time};

const TURNS: usize = 7;

fn sdk_guest() -> PathBuf {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("sdk-guest");
    let target = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/bench-guest");
    println!("building the guest with the official S3 SDK in {}", target.display());
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let built = Command::new(cargo)
        .args(["build", "--release", "--locked", "--target", "wasm32-wasip2", "--target-dir"])
        .arg(&target)
        .current_dir(source)
        .status()
        .expect("cargo starts");
    assert!(built.success(), "the guest is built; is the target installed? `rustup target add wasm32-wasip2`");
    target.join("wasm32-wasip2/release/rolebox-bench-sdk-guest.wasm")
}

fn prepare(runtime: &tokio::runtime::Runtime, runner: &Runner, image: &Path) -> (PreparedTask, Duration) {
    let definition = definition(image, |_| ());
    let (task, took) = time(|| runtime.block_on(runner.prepare(&definition)));
    (task.expect("the task is prepared"), took)
}

fn run(runtime: &tokio::runtime::Runtime, task: &PreparedTask) -> Duration {
    let (stopped, took) = time(|| runtime.block_on(async { task.start(TaskOutput::Discard).wait().await }));
    assert_eq!(stopped.exit_code(), 0, "{stopped:?}");
    took
}

fn main() {
    let image = sdk_guest();
    let bytes = std::fs::metadata(&image).expect("the guest").len();
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let [mut compiled, mut from_disk, mut in_process, mut ran] = std::array::from_fn(|_| Samples::default());
    for _ in 0..TURNS {
        let folder = tempfile::tempdir().expect("a folder");
        let cached = || settings().with_code_cache(folder.path().join("code"));
        let first = runner(cached());
        let (task, took) = prepare(&runtime, &first, &image);
        compiled.add(took, 1);
        ran.add(run(&runtime, &task), 1);
        for _ in 0..5 {
            in_process.add(prepare(&runtime, &first, &image).1, 1);
        }
        drop((task, first));
        let second = runner(cached());
        let (task, took) = prepare(&runtime, &second, &image);
        from_disk.add(took, 1);
        ran.add(run(&runtime, &task), 1);
    }
    println!("\na guest of {:.2} MB with the official S3 SDK", bytes as f64 / 1e6);
    println!("  prepare, nothing cached         {compiled}");
    println!("  prepare, code cached on disk    {from_disk}");
    println!("  prepare, in the process         {in_process}");
    println!("  run of a guest that only starts {ran}");
    println!("  to its first instruction, nothing cached: {}", in_words(compiled.median()));
}
