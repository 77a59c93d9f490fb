//! What the benches share: samples with their spread, tasks in one line, and the processes to compare with.
//!
//! A figure is only worth something beside another one of the same run, so every bench measures what it compares in turns:
//! A B C, A B C, each turn long enough to be timed, and says the median and the spread over the turns.

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use rolebox::credentials::{AssumeRoleAnswer, RoleSessionRequest, Secret, Sts, StsFuture};
use rolebox::definition::TaskDefinition;
use rolebox::{AwsSettings, OperatorBounds, Runner, RunnerSettings};
use serde_json::{Value, json};

/// How long something took, once a turn.
#[derive(Debug, Clone, Default)]
pub struct Samples(Vec<Duration>);

impl Samples {
    /// Adds the time of one of `count` things that took `time` together.
    pub fn add(&mut self, time: Duration, count: u32) {
        self.0.push(time / count.max(1));
    }

    /// The sample that so many hundredths lie below.
    #[must_use]
    pub fn percentile(&self, hundredths: usize) -> Duration {
        let mut sorted = self.0.clone();
        sorted.sort_unstable();
        let index = (sorted.len().saturating_sub(1) * hundredths + 50) / 100;
        sorted.get(index).copied().unwrap_or_default()
    }

    /// The median.
    #[must_use]
    pub fn median(&self) -> Duration {
        self.percentile(50)
    }
}

impl fmt::Display for Samples {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [low, median, high] = [10, 50, 90].map(|hundredths| in_words(self.percentile(hundredths)));
        write!(f, "{median:>10}   (p10 {low}, p90 {high}, {} turns)", self.0.len())
    }
}

/// A duration to three digits in its own unit.
#[must_use]
pub fn in_words(time: Duration) -> String {
    let nanoseconds = time.as_nanos();
    let (value, unit) = match nanoseconds {
        0..1_000 => return format!("{nanoseconds} ns"),
        1_000..1_000_000 => (nanoseconds as f64 / 1e3, "µs"),
        1_000_000..1_000_000_000 => (nanoseconds as f64 / 1e6, "ms"),
        _ => (nanoseconds as f64 / 1e9, "s"),
    };
    let digits = if value < 10.0 { 2 } else { usize::from(value < 100.0) };
    format!("{value:.digits$} {unit}")
}

/// Times `work`.
pub fn time<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let began = Instant::now();
    let result = work();
    (result, began.elapsed())
}

/// The role of tasks that have one.
pub const ROLE: &str = "arn:aws:iam::123456789012:role/s3-sample";

/// Gives one session to whoever asks: an STS without a network.
#[derive(Debug)]
pub struct OneSession;

impl Sts for OneSession {
    fn assume_role<'a>(&'a self, request: &'a RoleSessionRequest) -> StsFuture<'a, AssumeRoleAnswer> {
        let session = request.session_name();
        Box::pin(async move {
            Ok(AssumeRoleAnswer {
                access_key_id: Secret::new("ASIAIOSFODNN7EXAMPLE".into()),
                secret_access_key: Secret::new("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".into()),
                session_token: Secret::new("FwoGZXIvYXdzEXAMPLE".repeat(20)),
                expiration: Some(SystemTime::now() + Duration::from_secs(3_600)),
                assumed_role_arn: format!("arn:aws:sts::123456789012:assumed-role/s3-sample/{}", session.as_str()),
                packed_policy_size: None,
            })
        })
    }

    fn caller_identity(&self) -> StsFuture<'_, String> {
        Box::pin(async { Ok(ROLE.into()) })
    }
}

/// Settings that allow any image and role, with an STS in the process.
///
/// # Panics
///
/// Never: the Region is one.
#[must_use]
pub fn settings() -> RunnerSettings {
    let region = "us-east-1".parse().expect("a Region");
    RunnerSettings::new(OperatorBounds::deny_all().allow_any_image().allow_any_role().allow_shared_sessions())
        .with_aws(AwsSettings::with_sts(region, Arc::new(OneSession)))
}

/// A runner with these settings.
///
/// # Panics
///
/// If the engine does not start: then there is nothing to measure.
#[must_use]
pub fn runner(settings: RunnerSettings) -> Runner {
    Runner::new(settings).expect("the engine starts")
}

/// A definition of one container with this image and 64 MiB of memory, under a role whose session its tasks share.
///
/// # Panics
///
/// If it is not a definition: a bench's own mistake.
#[must_use]
pub fn definition(image: &Path, change: impl FnOnce(&mut Value)) -> TaskDefinition {
    let mut document = json!({
        "family": "bench",
        "containerDefinitions": [{"name": "guest", "image": image, "memory": 64, "cpu": 1024}],
        "taskRoleArn": ROLE,
        "rolebox": {
            "capabilities": [{"action": "s3:PutObject", "resource": "arn:aws:s3:::node-sdk-sample-*/*"}],
            "roleSession": "per-definition",
        },
    });
    change(&mut document);
    TaskDefinition::parse(&document.to_string(), Path::new(".")).expect("a task definition")
}

/// Writes a component or module given as text to `folder`.
///
/// # Panics
///
/// If the text is wrong or the file cannot be written: a bench's own mistake.
pub fn image(folder: &Path, name: &str, text: &str) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, wat::parse_str(text).expect("the text of a component")).expect("the image is written");
    path
}

/// The smallest command: a component that ends at once and imports nothing.
pub const NO_OP: &str = r#"(component
    (core module $m (func (export "run") (result i32) (i32.const 0)))
    (core instance $i (instantiate $m))
    (func $run (result (result)) (canon lift (core func $i "run")))
    (instance $exports (export "run" (func $run)))
    (export "wasi:cli/run@0.2.6" (instance $exports)))"#;

/// A command that waits for a minute, with one page of memory that it has written to.
pub const IDLE: &str = r#"(component
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
            (call $block (call $subscribe (i64.const 60000000000)))
            (i32.const 0)))
    (core instance $i (instantiate $m (with "h" (instance
        (export "subscribe" (func $subscribe))
        (export "block" (func $block))))))
    (func $run (result (result)) (canon lift (core func $i "run")))
    (instance $exports (export "run" (func $run)))
    (export "wasi:cli/run@0.2.6" (instance $exports)))"#;

/// Builds a static native program that ends at once, to compare a task's start with a process's.
///
/// # Panics
///
/// If there is no Rust compiler, which built this bench.
#[must_use]
pub fn static_program(folder: &Path) -> PathBuf {
    let (source, program) = (folder.join("noop.rs"), folder.join("noop"));
    std::fs::write(&source, "fn main() {}\n").expect("the source is written");
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let built = Command::new(rustc)
        .args(["-O", "-C", "target-feature=+crt-static", "-C", "panic=abort", "-o"])
        .args([&program, &source])
        .status()
        .expect("rustc starts");
    assert!(built.success(), "the native program is built");
    program
}
