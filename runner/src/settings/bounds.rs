//! The operator's bounds: the most that any task definition may ask for.

use std::collections::BTreeSet;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rolebox_policy::RoleArn;

use crate::definition::{EgressName, Image, Limits, Mebibytes, RoleSession, SessionPolicySetting, TaskDefinition};

/// The highest memory of one container where the operator sets no other.
const DEFAULT_MAX_MEMORY: Mebibytes = Mebibytes::new(512);

/// The longest timeout where the operator sets no other.
const DEFAULT_MAX_TIMEOUT: Duration = Duration::from_secs(3600);

/// Folders that hold the system's own interfaces: never a volume, whatever the bounds say.
const SYSTEM_FOLDERS: [&str; 3] = ["/proc", "/sys", "/dev"];

/// What the operator of a runner lets definitions ask for.
///
/// [`OperatorBounds::deny_all`] is the start, and each method allows one thing more. Where a definition asks for more
/// than the bounds allow it is refused whole, before anything of it runs.
#[derive(Debug, Clone)]
pub struct OperatorBounds {
    roles: Allowed<BTreeSet<String>>,
    image_folders: Allowed<Vec<PathBuf>>,
    volume_folders: Vec<PathBuf>,
    protected: Vec<PathBuf>,
    egress: Allowed<Vec<EgressName>>,
    max_memory: Mebibytes,
    max_timeout: Duration,
    max_limits: Limits,
    session_policy_off: bool,
    shared_sessions: bool,
}

#[derive(Debug, Clone)]
enum Allowed<T> {
    Listed(T),
    Any,
}

/// A definition asks for more than the operator's bounds allow.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {what} ({bound})")]
#[non_exhaustive]
pub struct BoundExceeded {
    /// The JSON path in the definition.
    pub place: String,
    /// What the definition asks for.
    pub what: String,
    /// The bound, and how the operator would raise it.
    pub bound: String,
}

impl OperatorBounds {
    /// Nothing is allowed: no role, no image, no volume, no host, no session without a policy, no shared session. What
    /// must have some number has a small one: 512 MiB of memory, one hour.
    #[must_use]
    pub fn deny_all() -> Self {
        Self {
            roles: Allowed::Listed(BTreeSet::new()),
            image_folders: Allowed::Listed(Vec::new()),
            volume_folders: Vec::new(),
            protected: Vec::new(),
            egress: Allowed::Listed(Vec::new()),
            max_memory: DEFAULT_MAX_MEMORY,
            max_timeout: DEFAULT_MAX_TIMEOUT,
            max_limits: Limits::default(),
            session_policy_off: false,
            shared_sessions: false,
        }
    }

    /// Tasks may have this role.
    #[must_use]
    pub fn allow_role(mut self, role: &RoleArn) -> Self {
        if let Allowed::Listed(roles) = &mut self.roles {
            roles.insert(role.to_string());
        }
        self
    }

    /// Tasks may have any role that the base credentials can assume.
    #[must_use]
    pub fn allow_any_role(mut self) -> Self {
        self.roles = Allowed::Any;
        self
    }

    /// Images may be files in this folder or below it.
    #[must_use]
    pub fn allow_images_in(mut self, folder: impl Into<PathBuf>) -> Self {
        if let Allowed::Listed(folders) = &mut self.image_folders {
            folders.push(folder.into());
        }
        self
    }

    /// Images may be any file that this process can read.
    #[must_use]
    pub fn allow_any_image(mut self) -> Self {
        self.image_folders = Allowed::Any;
        self
    }

    /// Volumes may be this folder, or folders below it that no symbolic link leads out of.
    #[must_use]
    pub fn allow_volumes_in(mut self, folder: impl Into<PathBuf>) -> Self {
        self.volume_folders.push(folder.into());
        self
    }

    /// No volume may be this folder, lie in it or contain it, whatever else is allowed: the host's own data.
    #[must_use]
    pub fn protect(mut self, folder: impl Into<PathBuf>) -> Self {
        self.protected.push(folder.into());
        self
    }

    /// Definitions may name this host in `egress`.
    #[must_use]
    pub fn allow_egress(mut self, name: EgressName) -> Self {
        if let Allowed::Listed(names) = &mut self.egress {
            names.push(name);
        }
        self
    }

    /// Definitions may name any host in `egress`.
    #[must_use]
    pub fn allow_any_egress(mut self) -> Self {
        self.egress = Allowed::Any;
        self
    }

    /// The most memory that one container may have, 512 MiB by default.
    #[must_use]
    pub fn with_max_memory(mut self, memory: Mebibytes) -> Self {
        self.max_memory = memory;
        self
    }

    /// The longest `timeout`, one hour by default.
    #[must_use]
    pub fn with_max_timeout(mut self, timeout: Duration) -> Self {
        self.max_timeout = timeout;
        self
    }

    /// The most that definitions may ask for under `rolebox.limits`; what they have without asking by default.
    ///
    /// Bodies are held in the host's memory: `bodyBytes` times `callsInFlight`, in each direction, is what one task may
    /// have the host hold.
    #[must_use]
    pub fn with_max_limits(mut self, limits: Limits) -> Self {
        self.max_limits = limits;
        self
    }

    /// Definitions may say `"sessionPolicy": "off"`.
    #[must_use]
    pub fn allow_session_policy_off(mut self) -> Self {
        self.session_policy_off = true;
        self
    }

    /// Definitions may say `"roleSession": "per-definition"`.
    #[must_use]
    pub fn allow_shared_sessions(mut self) -> Self {
        self.shared_sessions = true;
        self
    }

    /// The most memory that one container may have.
    #[must_use]
    pub fn max_memory(&self) -> Mebibytes {
        self.max_memory
    }

    /// The longest `timeout`.
    #[must_use]
    pub fn max_timeout(&self) -> Duration {
        self.max_timeout
    }

    /// Everything in which `definition` exceeds the bounds, apart from its folders: those are looked at on disk when
    /// the task is prepared. Empty when it keeps within them.
    #[must_use]
    pub fn exceeded_by(&self, definition: &TaskDefinition) -> Vec<BoundExceeded> {
        let mut exceeded = Vec::new();
        let mut add = |place: &str, what: String, bound: String| {
            exceeded.push(BoundExceeded { place: place.to_owned(), what, bound });
        };
        if let Some(role) = definition.task_role() {
            if let Allowed::Listed(roles) = &self.roles
                && !roles.contains(role.arn().as_str())
            {
                let bound = "the operator has not allowed this role to tasks".to_owned();
                add("taskRoleArn", format!("asks for {}", role.arn()), bound);
            }
            if !self.session_policy_off && *role.session_policy() == SessionPolicySetting::Off {
                let bound = "the operator requires a session policy".to_owned();
                add("rolebox.sessionPolicy", "asks for a session without a policy".to_owned(), bound);
            }
            if !self.shared_sessions && role.role_session() == RoleSession::PerDefinition {
                let bound = "the operator requires a role session for each task".to_owned();
                add("rolebox.roleSession", "asks to share a role session".to_owned(), bound);
            }
        }
        if definition.timeout() > self.max_timeout {
            let bound = format!("the operator allows at most {} s", self.max_timeout.as_secs());
            add("rolebox.timeout", format!("asks for {} s", definition.timeout().as_secs()), bound);
        }
        for (key, asked, most) in amounts(definition.limits(), &self.max_limits) {
            if asked > most {
                let place = format!("rolebox.limits.{key}");
                add(&place, format!("asks for {asked}"), format!("the operator allows at most {most}"));
            }
        }
        for (index, container) in definition.containers().iter().enumerate() {
            if container.memory() > self.max_memory {
                let place = format!("containerDefinitions[{index}].memory");
                let bound = format!("the operator allows at most {}", self.max_memory);
                add(&place, format!("asks for {}", container.memory()), bound);
            }
        }
        if let Allowed::Listed(names) = &self.egress {
            for (index, name) in definition.egress().iter().enumerate() {
                if !names.contains(name) {
                    let bound = "the operator has not allowed this host".to_owned();
                    add(
                        &format!("rolebox.egress[{index}]"),
                        format!("asks for {}:{}", name.host(), name.port()),
                        bound,
                    );
                }
            }
        }
        exceeded
    }

    /// The image's file, if the operator allows it. `place` is where the definition names it.
    pub(crate) fn image_file(&self, image: &Path, place: &str) -> Result<PathBuf, BoundExceeded> {
        let Allowed::Listed(folders) = &self.image_folders else { return Ok(image.to_owned()) };
        let allowed: Vec<_> = folders.iter().filter_map(|folder| folder.canonicalize().ok()).collect();
        // A name that is not there is the loader's to report, but only where the operator lets anybody look.
        let real = image.canonicalize().ok().or_else(|| {
            let missing = image.symlink_metadata().is_err();
            let parent = image.parent().filter(|_| missing)?.canonicalize().ok()?;
            Some(parent.join(image.file_name()?))
        });
        if let Some(real) = real.filter(|real| allowed.iter().any(|folder| real.starts_with(folder))) {
            return Ok(real);
        }
        Err(BoundExceeded {
            place: place.to_owned(),
            what: format!("asks for {}", image.display()),
            bound: "it lies in no folder that the operator allows images in".to_owned(),
        })
    }

    /// The volume's folder, opened, if the operator allows it. `place` is where the definition names it.
    ///
    /// What is checked is where the open folder lies, and the open folder is what tasks get: nobody can move another one
    /// under its name in between, or between two starts of one prepared task.
    pub(crate) fn volume_folder(&self, source: &Path, place: &str) -> Result<File, BoundExceeded> {
        let refused = |bound: &str| BoundExceeded {
            place: place.to_owned(),
            what: format!("asks for {}", source.display()),
            bound: bound.to_owned(),
        };
        let folder = match open_folder(source) {
            Ok(folder) => folder,
            Err(error) if error.kind() == io::ErrorKind::NotADirectory => return Err(refused("it is not a folder")),
            Err(error) => return Err(refused(&format!("{error}; make the folder first"))),
        };
        let real = path_of(&folder).map_err(|error| refused(&format!("its place cannot be told: {error}")))?;
        let system = SYSTEM_FOLDERS.iter().map(PathBuf::from);
        let protected = self.protected.iter().map(|folder| resolved(folder));
        if system.chain(protected).any(|folder| real.starts_with(&folder) || folder.starts_with(&real)) {
            return Err(refused("it is, holds or lies in a folder that is never mounted"));
        }
        let allowed = self.volume_folders.iter().filter_map(|folder| folder.canonicalize().ok());
        if allowed.into_iter().any(|allowed| real.starts_with(allowed)) {
            Ok(folder)
        } else {
            Err(refused("it lies in no folder that the operator allows volumes in"))
        }
    }
}

/// Each amount of `rolebox.limits`, by its key: what is asked for and what is allowed. No total at all is the most.
fn amounts(asked: &Limits, most: &Limits) -> [(&'static str, u128, u128); 7] {
    let total = |limits: &Limits| limits.total_bytes.map_or(u128::MAX, u128::from);
    let cpu = |limits: &Limits| limits.cpu_time.map_or(u128::MAX, |time| time.as_millis());
    [
        ("outputBytes", asked.output_bytes.into(), most.output_bytes.into()),
        ("bodyBytes", asked.body_bytes.into(), most.body_bytes.into()),
        ("callsInFlight", asked.calls_in_flight.into(), most.calls_in_flight.into()),
        ("callsPerSecond", asked.calls_per_second.into(), most.calls_per_second.into()),
        ("totalBytes", total(asked), total(most)),
        ("callTimeout", asked.call_timeout.as_millis(), most.call_timeout.as_millis()),
        ("cpuTime", cpu(asked), cpu(most)),
    ]
}

/// Opens a folder for what can be done with a folder; nothing that is none is opened, so no pipe is waited for.
fn open_folder(path: &Path) -> io::Result<File> {
    let flags = rustix::fs::OFlags::DIRECTORY.bits();
    OpenOptions::new().read(true).custom_flags(flags.cast_signed()).open(path)
}

/// Where an open folder lies now, without symbolic links.
fn path_of(folder: &File) -> io::Result<PathBuf> {
    std::fs::read_link(descriptor_path(folder))
}

/// The name under which Linux gives this process the open folder again, wherever it has been moved to.
/// <https://man7.org/linux/man-pages/man5/proc_pid_fd.5.html>
pub(crate) fn descriptor_path(folder: &File) -> PathBuf {
    PathBuf::from(format!("/proc/self/fd/{}", folder.as_raw_fd()))
}

/// `path` without symbolic links, also where its last parts do not exist yet.
fn resolved(path: &Path) -> PathBuf {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    for ancestor in absolute.ancestors() {
        if let (Ok(real), Ok(rest)) = (ancestor.canonicalize(), absolute.strip_prefix(ancestor)) {
            return if rest.as_os_str().is_empty() { real } else { real.join(rest) };
        }
    }
    absolute
}

/// Whether an image is a file; images in registries are not resolved.
pub(crate) fn image_path(image: &Image) -> Option<&Path> {
    match image {
        Image::File(path) => Some(path),
        Image::Registry(_) => None,
    }
}
