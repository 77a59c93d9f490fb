//! Whole runs of the `rolebox` command, on guests that a few lines of WebAssembly text make.

mod bounds;
mod compiling;
mod explaining;
mod local_aws;
mod mistakes;
mod requests;
mod running;
mod serving;
mod streaming;
mod suggesting;

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;

/// A folder for one test, with an environment that names no AWS and no home but this.
struct Sandbox(TempDir);

impl Sandbox {
    fn new() -> Self {
        Self(TempDir::new().expect("a temporary folder"))
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    /// Writes a file and returns its path.
    fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path().join(name);
        std::fs::write(&path, content).expect("a file");
        path
    }

    /// Writes a definition of one container that runs `app.wasm`, changed by `change`.
    fn definition(&self, change: impl FnOnce(&mut Value)) -> PathBuf {
        let mut definition = json!({
            "family": "sample",
            "containerDefinitions": [{"name": "app", "image": "app.wasm", "memory": 16}],
        });
        change(&mut definition);
        self.file("task-definition.json", definition.to_string())
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rolebox"));
        command
            .args(arguments)
            .current_dir(self.path())
            .env_clear()
            .env("HOME", self.path())
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .stdin(Stdio::null());
        command
    }

    fn run(&self, arguments: &[&str]) -> Outcome {
        Outcome::of(self.command(arguments).output().expect("rolebox runs"), self)
    }

    /// Starts the command with its outputs piped.
    fn start(&self, arguments: &[&str]) -> Child {
        self.command(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("rolebox starts")
    }
}

/// How a run ended. Paths of the sandbox are shown as `DIR`.
#[derive(Debug)]
struct Outcome {
    code: Option<i32>,
    stdout: Vec<u8>,
    stderr: String,
}

impl Outcome {
    fn of(output: Output, sandbox: &Sandbox) -> Self {
        let folder = sandbox.path().display().to_string();
        Self {
            code: output.status.code(),
            stdout: output.stdout,
            stderr: String::from_utf8_lossy(&output.stderr).replace(&folder, "DIR"),
        }
    }

    fn text(&self) -> &str {
        std::str::from_utf8(&self.stdout).expect("UTF-8")
    }

    /// The last line of stderr, as JSON.
    fn report(&self) -> Value {
        let line = self.stderr.lines().last().unwrap_or_default();
        serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {}", self.stderr))
    }
}

fn signal(child: &Child, name: &str) {
    let status = Command::new("kill").args([format!("-{name}"), child.id().to_string()]).status().expect("kill runs");
    assert!(status.success());
}

/// Reads one line, byte by byte, so that nothing behind it is taken.
fn read_line(from: &mut impl Read) -> String {
    let mut line = Vec::new();
    let mut byte = [0];
    while !line.ends_with(b"\n") && from.read(&mut byte).expect("a byte") == 1 {
        line.extend(byte);
    }
    String::from_utf8(line).expect("UTF-8")
}

fn code(status: ExitStatus) -> Option<i32> {
    status.code()
}

/// A module of WASI preview 1 that prints `text` to the stream `descriptor`, then does what `then` says.
fn printing(descriptor: i32, text: &[u8], then: &str) -> Vec<u8> {
    let data: String = text.iter().map(|byte| format!("\\{byte:02x}")).collect();
    let length = text.len();
    module(&format!(
        r#"(memory (export "memory") 1)
        (data (i32.const 0) "\10\00\00\00")
        (data (i32.const 16) "{data}")
        (func $print
            (i32.store (i32.const 4) (i32.const {length}))
            (drop (call $fd_write (i32.const {descriptor}) (i32.const 0) (i32.const 1) (i32.const 8))))
        (func (export "_start") (call $print) {then})"#
    ))
}

/// A module of WASI preview 1 with these fields.
fn module(fields: &str) -> Vec<u8> {
    let text = format!(
        r#"(module
            (import "wasi_snapshot_preview1" "fd_write"
                (func $fd_write (param i32 i32 i32 i32) (result i32)))
            (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
            {fields})"#
    );
    wat::parse_str(&text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}
