//! Compiling is bounded: in number, in time, in memory, and in what a compiler process can do.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use rolebox::compiler::{Compiler, CompilerProcess};
use rolebox_guest_artifacts as artifacts;
use rolebox_suite::{Host, image_file, task};
use tempfile::TempDir;

const WORKER: &str = env!("CARGO_BIN_EXE_compile-worker");

/// Compiler processes that leave traces in a folder.
struct Traces(TempDir);

impl Traces {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn worker(&self) -> CompilerProcess {
        let named = |name: &str| format!("{name}={}", self.path(name).display());
        CompilerProcess::new(WORKER, [named("log"), named("busy")])
    }

    /// One word for each process that was started: whether another one was at work then.
    fn started(&self) -> Vec<String> {
        let log = fs::read_to_string(self.path("log")).unwrap_or_default();
        log.lines().map(|line| line.split(' ').nth(1).unwrap().to_owned()).collect()
    }
}

async fn host(process: CompilerProcess) -> Host {
    Host::with(|settings| settings.with_compiler(Compiler::process(process))).await
}

/// A shell in a compiler process's place.
fn shell(script: &str) -> CompilerProcess {
    CompilerProcess::new("/bin/sh", ["-c", script])
}

async fn refusal(host: &Host, image: &Path) -> String {
    host.prepare(&task(image, &[])).await.expect_err("the image is refused").to_string()
}

/// A module that exits with `code`.
fn exits(folder: &Path, code: u8) -> PathBuf {
    let module = format!(
        r#"(module (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32))) (memory (export "memory") 1)
            (func (export "_start") (call $exit (i32.const {code}))))"#
    );
    image_file(folder, &format!("{code}.wasm"), &wat::parse_str(module).unwrap())
}

/// Waits for a file that another process writes.
async fn appears(path: &Path) -> String {
    loop {
        match fs::read_to_string(path) {
            Ok(text) if text.ends_with('\n') => return text,
            _ => tokio::time::sleep(Duration::from_millis(5)).await,
        }
    }
}

/// Waits until there is no such process.
async fn ends(process: &str) {
    while Path::new("/proc").join(process.trim()).exists() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn a_process_compiles_what_then_runs() {
    let traces = Traces::new();
    let host = host(traces.worker()).await;
    assert_eq!(host.run(&task(Path::new(artifacts::PRINT), &["x"])).await.stopped.exit_code(), 0);
    let module = exits(traces.0.path(), 42);
    assert_eq!(host.run(&task(&module, &[])).await.stopped.exit_code(), 42);
    assert_eq!(traces.started(), ["alone", "alone"]);
    // It is ready now.
    assert_eq!(host.run(&task(&module, &[])).await.stopped.exit_code(), 42);
    assert_eq!(traces.started().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn tasks_that_ask_for_one_image_at_once_have_it_compiled_once() {
    let traces = Traces::new();
    let host = std::sync::Arc::new(host(traces.worker()).await);
    // Under other names too: an image is its bytes.
    let copy = traces.path("copy.wasm");
    fs::copy(artifacts::PRINT, &copy).unwrap();
    let mut asking = tokio::task::JoinSet::new();
    for index in 0..40 {
        let host = host.clone();
        let image = if index % 2 == 0 { PathBuf::from(artifacts::PRINT) } else { copy.clone() };
        asking.spawn(async move { host.prepare(&task(&image, &[])).await.map(drop) });
    }
    for prepared in asking.join_all().await {
        prepared.unwrap();
    }
    assert_eq!(traces.started(), ["alone"]);
}

#[tokio::test]
async fn compiling_goes_on_when_the_one_that_asked_goes_away() {
    let traces = Traces::new();
    let host = std::sync::Arc::new(host(traces.worker()).await);
    let first = tokio::spawn({
        let host = host.clone();
        async move { host.prepare(&task(Path::new(artifacts::PRINT), &[])).await.map(drop) }
    });
    appears(&traces.path("log")).await;
    first.abort();
    host.prepare(&task(Path::new(artifacts::PRINT), &[])).await.unwrap();
    assert_eq!(traces.started(), ["alone"]);
}

#[tokio::test]
async fn the_next_one_takes_over_when_the_threads_of_the_first_are_gone() {
    let traces = Traces::new();
    let host = std::sync::Arc::new(host(traces.worker()).await);
    let (shared, log) = (host.clone(), traces.path("log"));
    let other = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let definition = task(Path::new(artifacts::PRINT), &[]);
            let prepare = shared.prepare(&definition);
            tokio::select! {
                _ = prepare => panic!("it has not got that far"),
                _ = appears(&log) => {}
            }
        });
        runtime.shutdown_background();
    });
    tokio::task::spawn_blocking(|| other.join().unwrap()).await.unwrap();
    host.prepare(&task(Path::new(artifacts::PRINT), &[])).await.unwrap();
    assert!(traces.started().len() <= 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_more_are_compiled_at_once_than_is_said() {
    let traces = Traces::new();
    let host = std::sync::Arc::new(host(traces.worker()).await);
    let mut asking = tokio::task::JoinSet::new();
    for code in 0..8 {
        let (host, image) = (host.clone(), exits(traces.0.path(), code));
        asking.spawn(async move { host.run(&task(&image, &[])).await.stopped.exit_code() });
    }
    let mut codes = asking.join_all().await;
    codes.sort_unstable();
    assert_eq!(codes, [0, 1, 2, 3, 4, 5, 6, 7]);
    assert_eq!(traces.started(), ["alone"; 8]);
}

#[tokio::test]
async fn a_process_that_gives_no_code_is_told_from_one_that_does() {
    let folder = tempfile::tempdir().unwrap();
    let image = exits(folder.path(), 0);
    let image = image.as_path();
    let magic = "printf 'RBXCANS1\\0\\004\\0\\0\\0\\0\\0\\0\\0code'";
    for (script, expected) in [
        ("exit 3", "exit code 3"),
        ("echo it broke >&2; exit 4", "exit code 4, saying: it broke"),
        ("kill -SEGV $$", "signal 11"),
        ("kill -KILL $$", "signal 9"),
        ("kill -XCPU $$", "--compile-timeout"),
        ("echo memory allocation of 4096 bytes failed >&2; kill -ABRT $$", "--compile-memory"),
        ("cat >/dev/null", "answers other than"),
        ("cat", "answers other than"),
        ("echo hello", "answers other than"),
        // Cut, doubled and without its end.
        (magic, "answers other than"),
        (&format!("{magic}; printf RBXCEND1x"), "answers other than"),
        // Whole, but then it failed.
        (&format!("{magic}; printf RBXCEND1; exit 1"), "exit code 1"),
        // Whole, and no code.
        (&format!("{magic}; printf RBXCEND1"), "could not be loaded"),
    ] {
        let error = refusal(&host(shell(script)).await, image).await;
        assert!(error.contains("0.wasm") && error.contains(expected), "{script}: {error}");
    }
    for command in ["/nowhere/compiler", "relative/compiler"] {
        let error = refusal(&host(CompilerProcess::new(command, [""; 0])).await, image).await;
        assert!(error.contains(command) && error.contains("cannot be started"), "{error}");
    }
}

#[tokio::test]
async fn a_process_whose_time_is_over_ends_with_all_that_it_started() {
    let folder = tempfile::tempdir().unwrap();
    let (image, pids) = (exits(folder.path(), 0), folder.path().join("pids"));
    for script in ["sleep 1000 & echo $! $$ > PIDS; wait", "(while :; do echo x >&2; done) & echo $! $$ > PIDS; wait"] {
        let script = script.replace("PIDS", &pids.display().to_string());
        let host = host(shell(&script).with_time(Duration::from_millis(300))).await;
        let error = refusal(&host, &image).await;
        assert!(error.contains("0.3 s") && error.contains("--compile-timeout"), "{error}");
        for process in appears(&pids).await.split_whitespace() {
            ends(process).await;
        }
        fs::remove_file(&pids).unwrap();
    }
}

#[tokio::test]
async fn what_a_process_leaves_behind_ends_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let (image, pid) = (exits(folder.path(), 0), folder.path().join("pid"));
    let script = format!("sleep 1000 <&- >/dev/null 2>&1 & echo $! > {}; exit 3", pid.display());
    assert!(refusal(&host(shell(&script)).await, &image).await.contains("exit code 3"));
    ends(&appears(&pid).await).await;
}

#[tokio::test]
async fn a_process_ends_when_its_runner_does() {
    let folder = tempfile::tempdir().unwrap();
    let (image, pid) = (exits(folder.path(), 0), folder.path().join("pid"));
    let host = host(shell(&format!("echo $$ > {}; exec sleep 1000", pid.display()))).await;
    let definition = task(&image, &[]);
    let started = tokio::select! {
        _ = host.prepare(&definition) => panic!("it never ends"),
        started = appears(&pid) => started,
    };
    drop(host);
    ends(&started).await;
}

#[tokio::test]
async fn an_image_that_takes_more_memory_than_there_is_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let data = "x".repeat(80 << 20);
    let module = format!(r#"(module (memory 1300) (data (i32.const 0) "{data}") (func (export "_start")))"#);
    let image = image_file(folder.path(), "large.wasm", &wat::parse_str(module).unwrap());
    let error = refusal(&host(Traces::new().worker().with_memory(0)).await, &image).await;
    assert!(error.contains("256 MiB") && error.contains("--compile-memory"), "{error}");
}

#[tokio::test]
async fn what_failed_is_not_tried_again_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let (image, log) = (exits(folder.path(), 0), folder.path().join("log"));
    let host = host(shell(&format!("echo started >> {}; exit 3", log.display()))).await;
    for _ in 0..5 {
        assert!(refusal(&host, &image).await.contains("exit code 3"));
    }
    assert_eq!(fs::read_to_string(&log).unwrap(), "started\n");
    // Another image is another matter.
    assert!(refusal(&host, &exits(folder.path(), 1)).await.contains("exit code 3"));
    assert_eq!(fs::read_to_string(&log).unwrap(), "started\nstarted\n");
}

#[tokio::test]
async fn both_ways_refuse_the_same_by_the_same_words() {
    let folder = tempfile::tempdir().unwrap();
    let in_process = Host::start().await;
    let traces = Traces::new();
    let process = host(traces.worker()).await;
    for (text, expected) in [
        ("(module (func (export \"_start\") (result i32) i32.const 0))".to_owned(), "nothing to run"),
        ("(module (func i32.add))".to_owned(), "could not be compiled"),
        (format!("(module (func {}))", "nop ".repeat(1_100_000)), "bytes in the function"),
        ("(component (import \"c\" (component)))".to_owned(), "components as imports"),
    ] {
        let image = image_file(folder.path(), "image.wasm", &wat::parse_str(&text).unwrap());
        let errors = [refusal(&in_process, &image).await, refusal(&process, &image).await];
        assert!(errors[0].contains(expected), "{}", errors[0]);
        assert_eq!(errors[0], errors[1]);
    }
}

#[tokio::test]
async fn a_process_is_told_nothing_of_its_starters_environment() {
    let folder = tempfile::tempdir().unwrap();
    let (image, seen) = (exits(folder.path(), 0), folder.path().join("environment"));
    let script = format!("tr '\\0' '\\n' < /proc/$$/environ > {0}; echo >> {0}; exit 3", seen.display());
    refusal(&host(shell(&script)).await, &image).await;
    assert_eq!(fs::read_to_string(&seen).unwrap().trim(), "");
}

/// The head of a request for an image of one byte, as `engine/compile/frame.rs` has it.
fn request(memory: u64, cpu_seconds: u64, parent: u32) -> Vec<u8> {
    let mut head = b"RBXCREQ1".to_vec();
    head.extend([0; 32 + 1]);
    head.extend(memory.to_le_bytes());
    head.extend(cpu_seconds.to_le_bytes());
    head.extend(parent.to_le_bytes());
    head.extend(1_u64.to_le_bytes());
    head
}

#[test]
fn a_process_limits_itself_before_it_sees_the_image() {
    let mut worker = Command::new(WORKER).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut stdin = worker.stdin.take().unwrap();
    stdin.write_all(&request(1 << 30, 77, std::process::id())).unwrap();
    let status = |file: &str| fs::read_to_string(format!("/proc/{}/{file}", worker.id())).unwrap();
    // The niceness is what it takes on last.
    let niceness = || status("stat").rsplit(") ").next().unwrap().split(' ').nth(16).unwrap().to_owned();
    let own = niceness();
    while niceness() == own {
        std::thread::yield_now();
    }
    let limits = status("limits");
    for (name, expected) in [
        ("Max address space", "1073741824"),
        ("Max cpu time", "77"),
        ("Max file size", "0"),
        ("Max core file size", "0"),
        ("Max open files", "16"),
    ] {
        let line = limits.lines().find(|line| line.starts_with(name)).unwrap();
        let values: Vec<_> = line[name.len()..].split_whitespace().take(2).collect();
        assert_eq!(values, [expected; 2], "{line}");
    }
    drop(stdin);
    // That the request is for another engine is told without the image.
    assert!(worker.wait_with_output().unwrap().stdout.starts_with(b"RBXCANS1\x03"));
}

#[test]
fn a_process_whose_starter_is_another_does_nothing() {
    let worker = Command::new(WORKER).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut worker = worker.unwrap();
    worker.stdin.take().unwrap().write_all(&request(1 << 30, 77, 1)).unwrap();
    let output = worker.wait_with_output().unwrap();
    assert!(!output.status.success() && output.stdout.is_empty());
    assert!(String::from_utf8_lossy(&output.stderr).contains("who asked has ended"));
}
