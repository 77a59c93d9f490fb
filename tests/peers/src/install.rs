//! The virtual environment, made once.

use std::collections::hash_map::DefaultHasher;
use std::fs::{self, File};
use std::hash::{Hash, Hasher};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::PeerError;

const REQUIREMENTS: &str = include_str!("../requirements.txt");

/// The installed peers.
#[derive(Clone, Debug)]
pub struct Peers {
    environment: PathBuf,
}

impl Peers {
    /// Installs the peers under the target folder, or finds them there. Processes that ask at the same time wait for the
    /// one that installs. What is installed is told on stderr, past the test harness's capture, since it takes a minute.
    ///
    /// # Errors
    /// When Python 3 with `venv`, or a package, can't be had.
    pub fn install() -> Result<Self, PeerError> {
        Self::install_in(&target_folder().join("peers"))
    }

    /// As [`install`](Self::install), in a folder of the caller's choice.
    ///
    /// # Errors
    /// As [`install`](Self::install).
    pub fn install_in(folder: &Path) -> Result<Self, PeerError> {
        fs::create_dir_all(folder).map_err(at(folder))?;
        let mut state = DefaultHasher::new();
        REQUIREMENTS.hash(&mut state);
        let environment = folder.join(format!("python-{:016x}", state.finish()));
        let peers = Self { environment: environment.clone() };

        let lock_path = folder.join("lock");
        let lock = File::create(&lock_path).map_err(at(&lock_path))?;
        lock.lock().map_err(at(&lock_path))?;
        // Written last, so an installation that was interrupted is made anew.
        let done = environment.join("installed");
        if done.exists() {
            return Ok(peers);
        }
        if environment.exists() {
            fs::remove_dir_all(&environment).map_err(at(&environment))?;
        }
        tell(&format!(
            "installing moto, boto3 and the AWS CLI from PyPI into {} (once, some 300 MB):",
            environment.display()
        ));
        for requirement in REQUIREMENTS.lines().filter(|line| !line.starts_with('#')) {
            tell(&format!("  {requirement}"));
        }
        let mut venv = Command::new("python3");
        venv.args(["-m", "venv"]).arg(&environment);
        run(venv, "python3", "install Python 3.10 or later with its venv module (Debian: python3-venv)")?;
        let requirements = environment.join("requirements.txt");
        fs::write(&requirements, REQUIREMENTS).map_err(at(&requirements))?;
        let mut pip = Command::new(peers.program("pip"));
        pip.args(["install", "--quiet", "--disable-pip-version-check", "--no-input", "--requirement"])
            .arg(&requirements);
        run(pip, "pip", "check that PyPI, or the index that pip is configured for, can be reached")?;
        fs::write(&done, "").map_err(at(&done))?;
        tell("the peers are installed");
        Ok(peers)
    }

    /// A program of the environment, such as `python`, `moto_server` or `aws`.
    pub fn program(&self, name: &str) -> PathBuf {
        self.environment.join("bin").join(name)
    }
}

/// Runs a step with its output shown.
fn run(mut command: Command, program: &str, mend: &'static str) -> Result<(), PeerError> {
    let status = command
        .stdin(Stdio::null())
        .stdout(Stdio::from(std::io::stderr()))
        .status()
        .map_err(|source| PeerError::Run { program: program.into(), mend, source })?;
    if status.success() {
        return Ok(());
    }
    let output = "its messages are above".into();
    Err(PeerError::Failed { what: format!("{command:?}"), status, mend, output })
}

/// Writes a line to stderr itself: `eprintln!` would be kept from the person who waits until the test fails.
fn tell(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

fn target_folder() -> PathBuf {
    match std::env::var_os("CARGO_TARGET_DIR") {
        Some(folder) => folder.into(),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target"),
    }
}

pub(crate) fn at(path: &Path) -> impl FnOnce(std::io::Error) -> PeerError {
    let path = path.to_owned();
    move |source| PeerError::Io { path, source }
}
