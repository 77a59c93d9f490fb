//! The operator's bounds: the most that any task definition may ask for.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rolebox_policy::RoleArn;

use crate::definition::{EgressName, Image, Mebibytes, RoleSession, SessionPolicySetting, TaskDefinition};

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
        // A file that is not there is the loader's to report, by the name that the definition gives it.
        let Ok(real) = image.canonicalize() else { return Ok(image.to_owned()) };
        let allowed = folders.iter().filter_map(|folder| folder.canonicalize().ok());
        if allowed.into_iter().any(|folder| real.starts_with(folder)) {
            return Ok(real);
        }
        Err(BoundExceeded {
            place: place.to_owned(),
            what: format!("asks for {}", real.display()),
            bound: "it lies in no folder that the operator allows images in".to_owned(),
        })
    }

    /// The volume's folder without symbolic links, if the operator allows it. `place` is where the definition names it.
    pub(crate) fn volume_folder(&self, source: &Path, place: &str) -> Result<PathBuf, BoundExceeded> {
        let refused = |bound: &str| BoundExceeded {
            place: place.to_owned(),
            what: format!("asks for {}", source.display()),
            bound: bound.to_owned(),
        };
        let real = source.canonicalize().map_err(|error| refused(&format!("{error}; make the folder first")))?;
        if !real.is_dir() {
            return Err(refused("it is not a folder"));
        }
        let system = SYSTEM_FOLDERS.iter().map(PathBuf::from);
        // A folder that does not exist yet is compared by its name.
        let protected = self.protected.iter().map(|folder| folder.canonicalize().unwrap_or_else(|_| folder.clone()));
        if system.chain(protected).any(|folder| real.starts_with(&folder) || folder.starts_with(&real)) {
            return Err(refused("it is, holds or lies in a folder that is never mounted"));
        }
        let allowed = self.volume_folders.iter().filter_map(|folder| folder.canonicalize().ok());
        if allowed.into_iter().any(|folder| real.starts_with(folder)) {
            Ok(real)
        } else {
            Err(refused("it lies in no folder that the operator allows volumes in"))
        }
    }
}

/// Whether an image is a file; images in registries are not resolved.
pub(crate) fn image_path(image: &Image) -> Option<&Path> {
    match image {
        Image::File(path) => Some(path),
        Image::Registry(_) => None,
    }
}
