//! crun, runc and gVisor's runsc: programs that run one OCI bundle, started directly.
//!
//! No daemon and no image are in the time: it is the part of a container's start that nothing above can avoid. crun is
//! started where no mixture of cgroup versions is seen (see `hybrid`).

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{self, Command};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crate::{BOUND, Baseline, Idle, Inputs, Missing, child, find, hybrid, oci};

pub(crate) struct Runtime {
    inputs: Inputs,
    name: &'static str,
    program: &'static str,
    most: usize,
    /// Options before the command, for the runtime at that path.
    options: fn(&Path) -> Result<Vec<OsString>, Missing>,
    prepared: OnceLock<Result<Prepared, Missing>>,
    launched: AtomicUsize,
}

/// What all launches share.
#[derive(Clone)]
struct Prepared {
    path: PathBuf,
    options: Vec<OsString>,
    noop: PathBuf,
    idle: PathBuf,
}

impl Runtime {
    pub(crate) fn crun(inputs: &Inputs) -> Self {
        Self::new(inputs, "crun", "crun", 50, |_| Ok(Vec::new()))
    }

    pub(crate) fn runc(inputs: &Inputs) -> Self {
        Self::new(inputs, "runc", "runc", 50, |_| Ok(Vec::new()))
    }

    /// With no network, as the others, and whatever platform is the best that this version has without hardware.
    pub(crate) fn runsc(inputs: &Inputs) -> Self {
        Self::new(inputs, "gVisor runsc", "runsc", 20, |path| {
            let platform = format!("--platform={}", platform(path)?);
            let mut options = vec![platform.into(), "--network=none".into()];
            if !rustix::process::geteuid().is_root() {
                options.extend(["--rootless".into(), "--ignore-cgroups".into()]);
            }
            Ok(options)
        })
    }

    fn new(
        inputs: &Inputs,
        name: &'static str,
        program: &'static str,
        most: usize,
        options: fn(&Path) -> Result<Vec<OsString>, Missing>,
    ) -> Self {
        let (prepared, launched) = (OnceLock::new(), AtomicUsize::new(0));
        Self { inputs: inputs.clone(), name, program, most, options, prepared, launched }
    }

    fn prepared(&self) -> Result<&Prepared, Missing> {
        self.prepared.get_or_init(|| self.prepare()).as_ref().map_err(Missing::clone)
    }

    fn prepare(&self) -> Result<Prepared, Missing> {
        let path = find::program(&self.inputs, self.program)?;
        let folder = self.inputs.work.join(self.program);
        let mut options = vec![OsString::from("--root"), folder.join("state").into()];
        options.extend((self.options)(&path)?);
        let bundle = |name: &str, program: &Path| {
            let bundle = folder.join(name);
            let (user, group) = (rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw());
            oci::bundle(&bundle, program, user, group)
                .map(|()| bundle)
                .map_err(|error| child::failed(self.program, "has no bundle", &error))
        };
        let noop = bundle("noop", &self.inputs.programs.noop)?;
        let idle = bundle("idle", &self.inputs.programs.idle)?;
        Ok(Prepared { path, options, noop, idle })
    }

    /// A name that no other container has, also where two runs go on at once.
    fn id(&self) -> String {
        format!("rolebox-baseline-{}-{}", process::id(), self.launched.fetch_add(1, Ordering::Relaxed))
    }
}

impl Prepared {
    fn run(&self, bundle: &Path, id: &str) -> Command {
        let mut command = Command::new(&self.path);
        command.args(&self.options).args(["run", "--bundle"]).arg(bundle).arg(id);
        command
    }

    /// Ends the container and takes away what the runtime keeps of it. One that is gone already is no error.
    fn delete(&self, id: &str) {
        let mut command = Command::new(&self.path);
        command.args(&self.options).args(["delete", "--force", id]);
        let _ = hybrid::hidden(|| child::run(&mut command, BOUND));
    }
}

impl Baseline for Runtime {
    fn name(&self) -> &'static str {
        self.name
    }

    fn version(&self) -> Result<String, Missing> {
        let path = find::program(&self.inputs, self.program)?;
        let version = find::version(&path)?;
        if self.program == "runsc" { Ok(format!("{version}, {}", platform(&path)?)) } else { Ok(version) }
    }

    fn launch(&self) -> Result<Duration, Missing> {
        let prepared = self.prepared()?;
        let id = self.id();
        let ended = hybrid::hidden(|| child::run(&mut prepared.run(&prepared.noop, &id), BOUND));
        if ended.is_err() {
            prepared.delete(&id);
        }
        Ok(ended?.took)
    }

    fn most(&self) -> usize {
        self.most
    }

    fn idle(&self) -> Option<Result<Idle, Missing>> {
        Some(self.prepared().and_then(|prepared| {
            let id = self.id();
            match hybrid::hidden(|| Idle::start(&mut prepared.run(&prepared.idle, &id), BOUND)) {
                Ok(idle) => {
                    let prepared = prepared.clone();
                    Ok(idle.tidying(move || prepared.delete(&id)))
                }
                Err(missing) => {
                    prepared.delete(&id);
                    Err(missing)
                }
            }
        }))
    }
}

/// `systrap` where the version has it, else `ptrace`. Not `kvm`, which is another thing where it runs at all.
fn platform(runsc: &Path) -> Result<&'static str, Missing> {
    let flags = child::run(Command::new(runsc).arg("flags"), BOUND)?;
    Ok(if flags.said().contains("systrap") { "systrap" } else { "ptrace" })
}
