//! containerd, the daemon below Docker and Kubernetes, asked by its own client to run a container.
//!
//! The daemon is started by the first launch, with its state in the work folder, and ended with the baseline. The image
//! is made by hand and in the daemon's store before the time begins. What is in the time is a snapshot, the shim, runc
//! and the client itself. The daemon is in no memory figure: a machine has one for all its containers. Needs root.

use std::fs::{self, File};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{self, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal};

use crate::child::Running;
use crate::{BOUND, Baseline, Idle, Inputs, Missing, child, find, image, memory};

/// Fully named, so that nobody takes it for one that a registry has.
const IMAGE: &str = "localhost/rolebox-baseline:1";

/// Where the daemon keeps it, and the name of the cgroups that its containers get.
const NAMESPACE: &str = "rolebox-baselines";

/// How often is looked whether the daemon listens. Not in any time that is measured.
const LOOK: Duration = Duration::from_millis(10);

/// The daemon without its part for Kubernetes, which a client of its own never asks.
const CONFIG: &str = "version = 2\ndisabled_plugins = [\"io.containerd.grpc.v1.cri\"]\n";

pub(crate) struct Containerd {
    inputs: Inputs,
    daemon: OnceLock<Result<Daemon, Missing>>,
    launched: AtomicUsize,
}

impl Containerd {
    pub(crate) fn new(inputs: &Inputs) -> Self {
        Self { inputs: inputs.clone(), daemon: OnceLock::new(), launched: AtomicUsize::new(0) }
    }

    fn client(&self) -> Result<&Client, Missing> {
        let daemon = self.daemon.get_or_init(|| Daemon::start(&self.inputs));
        daemon.as_ref().map(|daemon| &daemon.client).map_err(Missing::clone)
    }

    fn id(&self) -> String {
        format!("rolebox-baseline-{}-{}", process::id(), self.launched.fetch_add(1, Ordering::Relaxed))
    }
}

impl Baseline for Containerd {
    fn name(&self) -> &'static str {
        "containerd"
    }

    fn version(&self) -> Result<String, Missing> {
        find::version(&find::program(&self.inputs, "containerd")?)
    }

    fn launch(&self) -> Result<Duration, Missing> {
        let client = self.client()?;
        let id = self.id();
        let ended = child::run(&mut client.command(&["run", "--rm", IMAGE, &id]), BOUND);
        if ended.is_err() {
            client.delete(&id);
        }
        Ok(ended?.took)
    }

    fn most(&self) -> usize {
        20
    }

    fn idle(&self) -> Option<Result<Idle, Missing>> {
        Some(self.client().and_then(|client| {
            let id = self.id();
            let idle = match Idle::start(&mut client.command(&["run", "--rm", IMAGE, &id, "/idle"]), BOUND) {
                Ok(idle) => idle,
                Err(missing) => {
                    client.delete(&id);
                    return Err(missing);
                }
            };
            // The client is only there to carry the output, and would not be in use. The shim has left its tree.
            let pids = settled(&id);
            let seen = !pids.is_empty();
            let client = client.clone();
            let idle = idle.with_pids(pids).asking(move || client.delete(&id));
            if seen { Ok(idle) } else { Err(Missing::NotPossible("the shim of containerd is not seen".into())) }
        }))
    }
}

/// The shims that were started with that argument, and what descends from them.
fn shims(argument: &str) -> Vec<u32> {
    memory::with_argument(argument)
        .into_iter()
        .filter(|pid| is_called(*pid, "containerd-shim"))
        .flat_map(memory::tree)
        .collect()
}

/// The same once runc, which only starts the container, has ended.
fn settled(argument: &str) -> Vec<u32> {
    let until = Instant::now() + BOUND;
    loop {
        let pids = shims(argument);
        if !pids.iter().any(|pid| is_called(*pid, "runc")) || Instant::now() > until {
            return pids;
        }
        thread::sleep(LOOK);
    }
}

/// Whether the process's name begins so. The system cuts names at 15 bytes.
fn is_called(pid: u32, name: &str) -> bool {
    fs::read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|called| called.starts_with(name))
}

/// `ctr`, and the daemon that it talks to.
#[derive(Clone)]
struct Client {
    program: PathBuf,
    address: PathBuf,
}

impl Client {
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.arg("--address").arg(&self.address).args(["--namespace", NAMESPACE]).args(arguments);
        command
    }

    /// Ends a container and takes it away. One that is gone already is no error.
    fn delete(&self, id: &str) {
        let _ = child::run(&mut self.command(&["task", "rm", "--force", id]), BOUND);
        let _ = child::run(&mut self.command(&["container", "rm", id]), BOUND);
    }
}

/// A daemon of our own; dropping it ends it.
struct Daemon {
    client: Client,
    running: Running,
}

impl Daemon {
    fn start(inputs: &Inputs) -> Result<Self, Missing> {
        let program = find::program(inputs, "containerd")?;
        let client = Client { program: find::program(inputs, "ctr")?, address: inputs.work.join("containerd.sock") };
        if !rustix::process::geteuid().is_root() {
            return Err(Missing::NotPossible("containerd needs root".into()));
        }
        let folder = inputs.work.join("containerd");
        let config = folder.join("config.toml");
        let log = folder.join("log");
        let unready = |error: std::io::Error| child::failed("containerd", "has no folder", &error);
        fs::create_dir_all(&folder).map_err(unready)?;
        fs::write(&config, CONFIG).map_err(unready)?;
        let out = File::create(&log).map_err(unready)?;
        let mut command = Command::new(program);
        command
            .arg("--config")
            .arg(config)
            .arg("--root")
            .arg(folder.join("root"))
            .arg("--state")
            .arg(folder.join("state"));
        command.arg("--address").arg(&client.address).stdin(Stdio::null()).stdout(Stdio::null()).stderr(out);
        // By which the shim finds runc.
        command.env("PATH", find::path(inputs));
        let daemon = Self { client, running: Running::start(&mut command)? };

        let until = Instant::now() + BOUND;
        while UnixStream::connect(&daemon.client.address).is_err() {
            if daemon.running.ends_within(LOOK)? || Instant::now() > until {
                let said = fs::read_to_string(&log).unwrap_or_default();
                return Err(Missing::NotPossible(format!("containerd does not listen{}", child::tail(&said))));
            }
        }
        daemon.import(inputs)?;
        Ok(daemon)
    }

    /// Puts the image into the daemon's store.
    fn import(&self, inputs: &Inputs) -> Result<(), Missing> {
        let unmade = |error: std::io::Error| child::failed("containerd", "has no image", &error);
        let noop = fs::read(&inputs.programs.noop).map_err(unmade)?;
        let idle = fs::read(&inputs.programs.idle).map_err(unmade)?;
        let image = image::archive(IMAGE, &[("noop", &noop), ("idle", &idle)])
            .ok_or_else(|| Missing::NotPossible("the programs are too large for an image".into()))?;
        let file = inputs.work.join("containerd/image.tar");
        fs::write(&file, image).map_err(unmade)?;
        let mut command = self.client.command(&["image", "import"]);
        child::run(command.arg(file), BOUND)?;
        Ok(())
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // Shims outlive it, and leave mounts behind if they do: none is left unless a launch went wrong.
        let address = self.client.address.to_string_lossy().into_owned();
        child::end(&child::handles(&shims(&address)));
        // So that it closes its store. If it does not, it is ended when `running` is dropped.
        if let Some(pid) = i32::try_from(self.running.pid()).ok().and_then(Pid::from_raw) {
            let _ = rustix::process::kill_process(pid, Signal::TERM);
        }
        let _ = self.running.ends_within(child::GRACE);
        remove_leavings();
    }
}

/// Takes away the folders and cgroups above those of the containers, which nobody else does. One that is in use stays.
fn remove_leavings() {
    let _ = fs::remove_dir(Path::new("/run/containerd/runc").join(NAMESPACE));
    let root = Path::new("/sys/fs/cgroup");
    let controllers = fs::read_dir(root).into_iter().flatten().flatten().map(|entry| entry.path());
    for above in controllers.chain([root.to_path_buf()]) {
        let _ = fs::remove_dir(above.join(NAMESPACE));
    }
}
