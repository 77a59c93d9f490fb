//! The programs that are measured, native and in wasm, built once before the first measurement.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};
use rolebox_bench_baselines::programs::Programs;
use serde_json::json;

/// Where the programs lie. The folder has everything that processes of one run share.
#[derive(Debug, Clone)]
pub(crate) struct Inputs(PathBuf);

/// The guests of `benches/guests`.
pub(crate) const GUESTS: [&str; 7] = ["compute", "host-calls", "neighbour", "s3-paced", "s3-sdk", "s3-typed", "start"];

impl Inputs {
    /// What an earlier call of [`Inputs::build`] left in `folder`.
    pub(crate) fn at(folder: &Path) -> Self {
        Self(folder.to_owned())
    }

    /// Builds what is missing or was changed. The native programs are small and made each time.
    pub(crate) fn build(folder: &Path) -> Result<Self> {
        std::fs::create_dir_all(folder).with_context(|| format!("{} cannot be made", folder.display()))?;
        let inputs = Self(folder.to_owned());
        std::fs::create_dir_all(inputs.0.join("programs")).context("a folder for the native programs")?;
        Programs::build(&inputs.0.join("programs"))?;
        for (name, text) in SMALL.into_iter().zip([NO_OP, IDLE, FIRST, SPIN, FILL]) {
            let bytes = wat::parse_str(text).with_context(|| format!("the component {name}"))?;
            let path = inputs.small(name);
            // As it was, so that its compiled form in the cache is found by its time.
            if std::fs::read(&path).ok().as_ref() != Some(&bytes) {
                std::fs::write(&path, bytes).with_context(|| path.display().to_string())?;
            }
        }
        guests(&inputs)?;
        Ok(inputs)
    }

    /// The folder that they are in.
    pub(crate) fn folder(&self) -> &Path {
        &self.0
    }

    /// The programs that are launched natively and in what people would use instead.
    pub(crate) fn programs(&self) -> Programs {
        Programs::at(&self.0.join("programs"))
    }

    /// A component that is written by hand: `noop`, `idle`, `first`, `spin` or `fill`.
    pub(crate) fn small(&self, name: &str) -> PathBuf {
        self.0.join(format!("{name}.wasm"))
    }

    /// A component of `benches/guests`.
    pub(crate) fn guest(&self, name: &str) -> PathBuf {
        guest_target().join("wasm32-wasip2/release").join(format!("{name}.wasm"))
    }

    /// The compiled-code cache that the processes of a run share.
    pub(crate) fn code_cache(&self) -> PathBuf {
        self.0.join("code")
    }
}

/// The repository's root.
pub(crate) fn root() -> &'static Path {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here)
}

fn guest_target() -> PathBuf {
    root().join("target/bench-guests")
}

/// The components that are written by hand.
pub(crate) const SMALL: [&str; 5] = ["noop", "idle", "first", "spin", "fill"];

/// Variables that Cargo sets for what it runs, or that are meant for native code. Those for its network stay.
const OUTER: [&str; 6] =
    ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_ENCODED_RUSTFLAGS", "CARGO_BUILD_", "CARGO_PROFILE_", "RUSTFLAGS"];

/// Builds `benches/guests`, with a Cargo of its own since it is a workspace of its own.
fn guests(inputs: &Inputs) -> Result<()> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut build = Command::new(cargo);
    // What the outer Cargo set for its own build.
    for (name, _) in std::env::vars_os() {
        let set = |name: &str| OUTER.iter().any(|prefix| name.starts_with(prefix));
        if name.to_str().is_some_and(set) {
            build.env_remove(name);
        }
    }
    let status = build
        // The native side has its processor's 128-bit vectors (SSE2 is part of x86-64), so the guests have wasm's.
        .env("CARGO_ENCODED_RUSTFLAGS", "-Ctarget-feature=+simd128")
        .args(["build", "--release", "--locked", "--target", "wasm32-wasip2", "--target-dir"])
        .arg(guest_target())
        .current_dir(root().join("benches/guests"))
        .stdout(Stdio::null())
        .status()
        .context("cargo cannot be started")?;
    if !status.success() {
        bail!(
            "the guests could not be built; Cargo says above why (is the target there? rustup target add wasm32-wasip2)"
        );
    }
    for guest in GUESTS {
        let path = inputs.guest(guest);
        ensure!(path.exists(), "{} was not built", path.display());
    }
    Ok(())
}

/// The definition of a task with this image and arguments, under a role whose session its tasks share, that may do
/// everything in S3.
pub(crate) fn document(image: &Path, arguments: &[&str]) -> serde_json::Value {
    json!({
        "family": "bench",
        "containerDefinitions": [
            {"name": "guest", "image": image, "memory": 64, "cpu": 1024, "command": arguments},
        ],
        "taskRoleArn": crate::ROLE,
        "rolebox": {
            "capabilities": [{"action": ["s3:PutObject", "s3:GetObject"], "resource": "arn:aws:s3:::bench/*"}],
            "roleSession": "per-definition",
        },
    })
}

/// The smallest command: a component that ends at once and imports nothing.
pub(crate) const NO_OP: &str = r#"(component
    (core module $m (func (export "run") (result i32) (i32.const 0)))
    (core instance $i (instantiate $m))
    (func $run (result (result)) (canon lift (core func $i "run")))
    (instance $exports (export "run" (func $run)))
    (export "wasi:cli/run@0.2.6" (instance $exports)))"#;

/// A command that waits for ten minutes, with one page of memory that it has written to.
const IDLE: &str = r#"(component
    (import "wasi:io/poll@0.2.6" (instance $poll
        (export "pollable" (type $pollable (sub resource)))
        (export "[method]pollable.block" (func (param "self" (borrow $pollable))))))
    (alias export $poll "pollable" (type $pollable))
    (import "wasi:clocks/monotonic-clock@0.2.6" (instance $clock
        (alias outer 1 $pollable (type $p))
        (export "pollable" (type $pollable (eq $p)))
        (export "subscribe-duration" (func (param "when" u64) (result (own $pollable))))))
    (core func $subscribe (canon lower (func $clock "subscribe-duration")))
    (core func $block (canon lower (func $poll "[method]pollable.block")))
    (core module $m
        (import "h" "subscribe" (func $subscribe (param i64) (result i32)))
        (import "h" "block" (func $block (param i32)))
        (memory (export "memory") 1)
        (func (export "run") (result i32)
            (i32.store (i32.const 1024) (i32.const 7))
            (call $block (call $subscribe (i64.const 600000000000)))
            (i32.const 0)))
    (core instance $i (instantiate $m (with "h" (instance
        (export "subscribe" (func $subscribe))
        (export "block" (func $block))))))
    (func $run (result (result)) (canon lift (core func $i "run")))
    (instance $exports (export "run" (func $run)))
    (export "wasi:cli/run@0.2.6" (instance $exports)))"#;

/// Asks for the time before anything else, and prints it: eight bytes, the nanoseconds since its clock was made.
const FIRST: &str = r#"(component
    (import "wasi:io/error@0.2.6" (instance $error (export "error" (type (sub resource)))))
    (alias export $error "error" (type $error-type))
    (import "wasi:io/streams@0.2.6" (instance $streams
        (alias outer 1 $error-type (type $e))
        (export "error" (type $error (eq $e)))
        (export "output-stream" (type $out (sub resource)))
        (type $failed (variant (case "last-operation-failed" (own $error)) (case "closed")))
        (export "stream-error" (type $stream-error (eq $failed)))
        (export "[method]output-stream.blocking-write-and-flush"
            (func (param "self" (borrow $out)) (param "contents" (list u8)) (result (result (error $stream-error)))))))
    (alias export $streams "output-stream" (type $out))
    (import "wasi:cli/stdout@0.2.6" (instance $stdout
        (alias outer 1 $out (type $o))
        (export "output-stream" (type $output (eq $o)))
        (export "get-stdout" (func (result (own $output))))))
    (import "wasi:clocks/monotonic-clock@0.2.6" (instance $clock (export "now" (func (result u64)))))
    (core module $memory (memory (export "memory") 1))
    (core instance $mem (instantiate $memory))
    (alias core export $mem "memory" (core memory $m))
    (core func $now (canon lower (func $clock "now")))
    (core func $get (canon lower (func $stdout "get-stdout")))
    (core func $write (canon lower
        (func $streams "[method]output-stream.blocking-write-and-flush") (memory $m)))
    (core module $main
        (import "h" "memory" (memory 1))
        (import "h" "now" (func $now (result i64)))
        (import "h" "get" (func $get (result i32)))
        (import "h" "write" (func $write (param i32 i32 i32 i32)))
        (func (export "run") (result i32)
            (i64.store (i32.const 0) (call $now))
            (call $write (call $get) (i32.const 0) (i32.const 8) (i32.const 64))
            (i32.const 0)))
    (core instance $i (instantiate $main (with "h" (instance
        (export "memory" (memory $m))
        (export "now" (func $now))
        (export "get" (func $get))
        (export "write" (func $write))))))
    (func $run (result (result)) (canon lift (core func $i "run")))
    (instance $exports (export "run" (func $run)))
    (export "wasi:cli/run@0.2.6" (instance $exports)))"#;

/// Never ends by itself.
const SPIN: &str = r#"(component
    (core module $m (func (export "run") (result i32) (loop $again (br $again)) (i32.const 0)))
    (core instance $i (instantiate $m))
    (func $run (result (result)) (canon lift (core func $i "run")))
    (instance $exports (export "run" (func $run)))
    (export "wasi:cli/run@0.2.6" (instance $exports)))"#;

/// Fills its whole memory again and again, which no epoch interrupts in the middle.
const FILL: &str = r#"(component
    (core module $m
        (memory 1000)
        (func (export "run") (result i32)
            (loop $again (memory.fill (i32.const 0) (i32.const 1) (i32.const 65536000)) (br $again)) (i32.const 0)))
    (core instance $i (instantiate $m))
    (func $run (result (result)) (canon lift (core func $i "run")))
    (instance $exports (export "run" (func $run)))
    (export "wasi:cli/run@0.2.6" (instance $exports)))"#;
