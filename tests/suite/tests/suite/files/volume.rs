//! A folder that is mounted into tasks of either kind, and what they find there.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

use rolebox::RunnerSettings;
use rolebox_guest_artifacts as artifacts;
use rolebox_suite::{Host, bounds, image_file, task};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::preview1::Calls;

/// A volume on the host. `path("x")` is what guests know as `x`.
pub(super) struct Volume {
    pub(super) host: Host,
    folder: TempDir,
}

impl Volume {
    pub(super) async fn new() -> Self {
        Self::with(|settings| settings).await
    }

    pub(super) async fn with(change: impl FnOnce(RunnerSettings) -> RunnerSettings) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("data")).unwrap();
        let bounds = bounds().allow_volumes_in(folder.path());
        let host = Host::with(|settings| change(settings.with_bounds(bounds))).await;
        Self { host, folder }
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join("data").join(name)
    }

    /// What lies beside the volume, where no guest may come.
    pub(super) fn outside(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(super) fn write(&self, name: &str, content: &str) {
        std::fs::write(self.path(name), content).unwrap();
    }

    pub(super) fn link(&self, target: &str, name: &str) {
        std::os::unix::fs::symlink(target, self.path(name)).unwrap();
    }

    /// Mounts the volume into a task.
    pub(super) fn mount(&self, mut definition: Value, read_only: bool) -> Value {
        definition["volumes"] = json!([{"name": "data", "host": {"sourcePath": self.path("")}}]);
        definition["containerDefinitions"][0]["mountPoints"] =
            json!([{"sourceVolume": "data", "containerPath": "/data", "readOnly": read_only}]);
        definition
    }

    /// A task of a component that performs these operations of the guest `files`.
    pub(super) fn operations(&self, operations: &[&str], read_only: bool) -> Value {
        self.mount(task(Path::new(artifacts::FILES), operations), read_only)
    }

    /// A task of a core module that makes these calls of preview 1.
    pub(super) fn calls(&self, calls: &Calls, read_only: bool) -> Value {
        let image = image_file(self.folder.path(), "calls.wasm", &wat::parse_str(calls.module()).unwrap());
        self.mount(task(&image, &[]), read_only)
    }

    /// The lines that a task prints; it must end well.
    pub(super) async fn lines(&self, definition: &Value) -> Vec<String> {
        let outcome = self.host.run(definition).await;
        assert_eq!(outcome.stopped.exit_code(), 0, "{outcome:?}");
        outcome.stdout.lines().map(str::to_owned).collect()
    }

    /// Performs operations of WASI 0.2 and compares what each says.
    pub(super) async fn check(&self, read_only: bool, expected: &[(&str, &str)]) {
        let (operations, results): (Vec<_>, Vec<_>) = expected.iter().copied().unzip();
        let lines = self.lines(&self.operations(&operations, read_only)).await;
        let seen: Vec<_> = operations.iter().copied().zip(lines.iter().map(String::as_str)).collect();
        assert_eq!(seen, expected, "{} results of {}", lines.len(), results.len());
    }

    /// The volume's content: each name with its type, times and content, in order.
    pub(super) fn snapshot(&self) -> Vec<String> {
        let mut names = vec![PathBuf::new()];
        let mut seen = Vec::new();
        while let Some(name) = names.pop() {
            let path = self.path("").join(&name);
            let metadata = std::fs::symlink_metadata(&path).unwrap();
            let content = if metadata.is_file() { std::fs::read(&path).unwrap() } else { Vec::new() };
            let (kind, links) = (metadata.file_type(), std::os::unix::fs::MetadataExt::nlink(&metadata));
            seen.push(format!("{} {kind:?} {links} {:?} {content:?}", name.display(), metadata.modified().unwrap()));
            if metadata.is_dir() {
                names.extend(std::fs::read_dir(&path).unwrap().map(|entry| name.join(entry.unwrap().file_name())));
            }
        }
        seen.sort();
        seen
    }
}

/// Another process that holds a write lease on a file: whoever opens the file waits, in the kernel, until the lease is
/// given back. The one way to make a call on a regular file hang that needs no privilege.
/// <https://man7.org/linux/man-pages/man2/F_GETLEASE.2const.html>
pub(super) struct Lease {
    process: Child,
    said: Option<BufReader<ChildStdout>>,
}

/// Says `held`, then `asked` for each time that somebody waits, until its standard input ends.
const HOLDER: &str = "
import fcntl, os, signal, sys
def asked(*_):
    os.write(1, b'asked\\n')
signal.signal(signal.SIGIO, asked)
file = os.open(sys.argv[1], os.O_RDWR)
fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_WRLCK)
os.write(1, b'held\\n')
while os.read(0, 1):
    pass
";

impl Lease {
    pub(super) async fn on(file: &Path) -> Self {
        let mut process = Command::new("python3")
            .args(["-c", HOLDER])
            .arg(file)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("python3 is on the PATH");
        let said = process.stdout.take().map(BufReader::new);
        let mut lease = Self { process, said };
        lease.hear("held").await;
        lease
    }

    /// Returns when somebody waits for the file.
    pub(super) async fn asked(&mut self) {
        self.hear("asked").await;
    }

    async fn hear(&mut self, word: &str) {
        let mut said = self.said.take().unwrap();
        let heard = tokio::task::spawn_blocking(move || {
            let mut line = String::new();
            said.read_line(&mut line).unwrap();
            (line, said)
        });
        let (line, said) = heard.await.unwrap();
        self.said = Some(said);
        assert_eq!(line.trim_end(), word, "no lease where the temporary folder lies?");
    }

    /// Gives the lease back: whoever waits goes on.
    pub(super) fn release(self) {}
}

impl Drop for Lease {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        let _ = self.process.wait();
    }
}
