//! The operator's bounds: the most that any task definition may ask for.
//!
//! What is here is what an operator says. `checks` holds a definition to it, `files` what a definition names on disk, and
//! `mounts` knows folders under whatever name they are mounted.
//!
//! Absent: a bound on what a role's own policies allow.

mod checks;
mod files;
mod mounts;

use std::collections::BTreeSet;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use rolebox_policy::RoleArn;

pub use self::checks::{BoundCheck, BoundExceeded, RaisedBy};
pub(crate) use self::files::descriptor_path;
use crate::definition::{DEFAULT_SESSION_DURATION, EgressName, Limits, MAX_CONTAINERS, Mebibytes};

/// The highest memory of one container where the operator sets no other.
const DEFAULT_MAX_MEMORY: Mebibytes = Mebibytes::new(512);

/// The longest timeout where the operator sets no other.
const DEFAULT_MAX_TIMEOUT: Duration = Duration::from_secs(3600);

/// The highest share of the processor where the operator sets no other: what stands for one core, which is also the most
/// that a task computes.
const DEFAULT_MAX_CPU: u32 = 1_024;

/// How many volumes a task may have, and a container mount, where the operator sets no other. Each is a descriptor of
/// this process for each task.
const DEFAULT_MAX_VOLUMES: usize = 16;

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
    host_ports: Allowed<Vec<RangeInclusive<u16>>>,
    max_memory: Mebibytes,
    /// As much as one container where it is not set.
    max_task_memory: Option<Mebibytes>,
    max_cpu: u32,
    max_cpu_limit: Option<u32>,
    max_containers: usize,
    max_volumes: usize,
    max_timeout: Duration,
    max_session_duration: Duration,
    max_limits: Limits,
    session_policy_off: bool,
    shared_sessions: bool,
    unsigned_payload: bool,
}

#[derive(Debug, Clone)]
enum Allowed<T> {
    Listed(T),
    Any,
}

impl OperatorBounds {
    /// Nothing is allowed: no role, no image, no volume, no host, no host port, no session without a policy, no shared
    /// session. What must have some number has a small one: 512 MiB of memory for a whole task, the share of one core, ten
    /// containers, 16 volumes, one hour for a task and for a role session, and the default of each of `rolebox.limits`.
    #[must_use]
    pub fn deny_all() -> Self {
        Self {
            roles: Allowed::Listed(BTreeSet::new()),
            image_folders: Allowed::Listed(Vec::new()),
            volume_folders: Vec::new(),
            protected: Vec::new(),
            egress: Allowed::Listed(Vec::new()),
            host_ports: Allowed::Listed(Vec::new()),
            max_memory: DEFAULT_MAX_MEMORY,
            max_task_memory: None,
            max_cpu: DEFAULT_MAX_CPU,
            max_cpu_limit: None,
            max_containers: MAX_CONTAINERS,
            max_volumes: DEFAULT_MAX_VOLUMES,
            max_session_duration: DEFAULT_SESSION_DURATION,
            max_timeout: DEFAULT_MAX_TIMEOUT,
            max_limits: Limits::default(),
            session_policy_off: false,
            shared_sessions: false,
            unsigned_payload: false,
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

    /// Images may be files in this folder or below it, and come from nowhere else. A symbolic link that leads out of it is
    /// not in it.
    #[must_use]
    pub fn allow_images_in(mut self, folder: impl Into<PathBuf>) -> Self {
        if let Allowed::Listed(folders) = &mut self.image_folders {
            folders.push(folder.into());
        }
        self
    }

    /// Images may come from anywhere: from any file that this process can read.
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

    /// Containers may be served on this port of the host. 0 stands for a free one that the host chooses.
    #[must_use]
    pub fn allow_host_port(self, port: u16) -> Self {
        self.allow_host_ports(port..=port)
    }

    /// Containers may be served on these ports of the host.
    #[must_use]
    pub fn allow_host_ports(mut self, ports: RangeInclusive<u16>) -> Self {
        if let Allowed::Listed(listed) = &mut self.host_ports {
            listed.push(ports);
        }
        self
    }

    /// Containers may be served on any port that this process may listen on.
    #[must_use]
    pub fn allow_any_host_port(mut self) -> Self {
        self.host_ports = Allowed::Any;
        self
    }

    /// The most memory that one container may have, 512 MiB by default.
    #[must_use]
    pub fn with_max_memory(mut self, memory: Mebibytes) -> Self {
        self.max_memory = memory;
        self
    }

    /// The most memory that a task may have: its own `memory`, else its containers' together, where one that serves requests
    /// counts once for each of `requestsInFlight`. As much as one container may have by default.
    #[must_use]
    pub fn with_max_task_memory(mut self, memory: Mebibytes) -> Self {
        self.max_task_memory = Some(memory);
        self
    }

    /// The highest share of the processor that a task may have: its own `cpu`, else its containers' together. 1,024 by
    /// default, which stand for one core.
    #[must_use]
    pub fn with_max_cpu(mut self, cpu: u32) -> Self {
        self.max_cpu = cpu;
        self
    }

    /// The most that a task may compute, in CPU units of which 1,024 stand for one core: its `cpuLimit`, and the whole core
    /// where it has none. No bound by default: no task computes more than one core anyway.
    #[must_use]
    pub fn with_max_cpu_limit(mut self, cpu_limit: u32) -> Self {
        self.max_cpu_limit = Some(cpu_limit);
        self
    }

    /// How many containers a task may have, 10 by default, which is the most that any definition has.
    #[must_use]
    pub fn with_max_containers(mut self, containers: usize) -> Self {
        self.max_containers = containers;
        self
    }

    /// How many volumes a task may have, and how many each of its containers may mount; 16 by default.
    #[must_use]
    pub fn with_max_volumes(mut self, volumes: usize) -> Self {
        self.max_volumes = volumes;
        self
    }

    /// The longest `sessionDuration`: how long a role session is good for that somebody got hold of. One hour by default.
    #[must_use]
    pub fn with_max_session_duration(mut self, duration: Duration) -> Self {
        self.max_session_duration = duration;
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

    /// Definitions may say `"unsignedPayload": true`.
    #[must_use]
    pub fn allow_unsigned_payload(mut self) -> Self {
        self.unsigned_payload = true;
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

    /// The most memory that a task may have.
    #[must_use]
    pub fn max_task_memory(&self) -> Mebibytes {
        self.max_task_memory.unwrap_or(self.max_memory)
    }
}
