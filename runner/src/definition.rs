//! Task definitions: from the JSON that ECS takes to what a task is.
//!
//! The text is the input of `aws ecs register-task-definition --cli-input-json`, in camelCase, with one key of ours,
//! `rolebox`; what `aws ecs describe-task-definition` prints is taken too. Where only ECS's own keys can be sent, the
//! object under `rolebox` goes, as a JSON string, into a container's `dockerLabels` under the same name. It is parsed once,
//! here, into types that can't hold anything else:
//!
//! ```
//! use std::path::Path;
//! use rolebox::definition::TaskDefinition;
//!
//! let text = r#"{
//!     "family": "s3-sample",
//!     "taskRoleArn": "arn:aws:iam::123456789012:role/s3-sample",
//!     "containerDefinitions": [{"name": "sample-app", "image": "s3-sample.wasm", "cpu": 10, "memory": 200}],
//!     "rolebox": {
//!         "capabilities": [{"action": ["s3:PutObject"], "resource": ["arn:aws:s3:::node-sdk-sample-*/*"]}],
//!         "timeout": "60s"
//!     }
//! }"#;
//! let definition = TaskDefinition::parse(text, Path::new("/srv/tasks")).expect("a task definition");
//! assert_eq!(definition.containers()[0].memory().get(), 200);
//!
//! // A mistake is an error that says where it is and how to mend it.
//! let error = TaskDefinition::parse(&text.replace("cpu", "cpus"), Path::new(".")).expect_err("a mistake");
//! assert_eq!(
//!     error.to_string(),
//!     r#"containerDefinitions[0].cpus: unknown key in a container definition. Did you mean "cpu"?"#
//! );
//! ```
//!
//! Nothing that ECS would do is dropped silently. A key is used; or it is accepted, without effect, and listed by
//! [`TaskDefinition::ignored_keys`]; or it is refused by name, because it would promise what Rolebox does not do. A key
//! that is none of these, a key that stands twice, a value of the wrong type or out of range: each is a [`Problem`].
//!
//! Absent here: the operator's bounds on what a definition may ask for, loading images, resolving paths. This module
//! reads no file but in [`TaskDefinition::read`].

mod container;
mod dependency;
mod document;
mod duration;
mod ecs_keys;
mod egress_name;
mod image;
mod json;
mod keys;
mod limits;
mod port;
mod problem;
mod raw;
mod role;
mod size;
mod volume;

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rolebox_policy::RoleArn;
use serde_json::Value;

pub use container::{ContainerDefinition, MAX_CPU, MIN_CPU, MountPoint};
pub use dependency::{Condition, Dependency};
pub use duration::{parse_duration, show_duration};
pub use egress_name::{EgressName, EgressNameError};
pub use image::{Image, ImageReference};
pub use keys::IgnoredKey;
pub use limits::{DEFAULT_REQUEST_TIMEOUT, DEFAULT_TIMEOUT, Limits, MAX_TIMEOUT};
pub use port::PortMapping;
pub use problem::{DefinitionError, Problem};
pub use role::{DEFAULT_SESSION_DURATION, RoleSession, SessionPolicySetting, TaskRole};
pub(crate) use size::CORE;
pub use size::{MAX_CONTAINERS, MAX_MEMORY, MIN_MEMORY, Mebibytes, show_bytes};
pub use volume::Volume;

use container::Surroundings;
use keys::Sorter;
use problem::{Location, Problems, quoted};
use raw::{RawRolebox, RawTaskDefinition};

/// The longest text that is read, in bytes: 1 MiB. ECS takes 64 KiB.
pub const MAX_DOCUMENT_BYTES: u64 = 1024 * 1024;

/// A task definition: what to run, under which role, within which limits.
#[derive(Debug, Clone)]
pub struct TaskDefinition {
    family: String,
    task_role: Option<TaskRole>,
    execution_role: Option<RoleArn>,
    cpu: Option<u32>,
    memory: Option<Mebibytes>,
    containers: Vec<ContainerDefinition>,
    volumes: Vec<Volume>,
    egress: Vec<EgressName>,
    /// As the definition has it.
    timeout: Option<Duration>,
    cpu_limit: Option<u32>,
    limits: Limits,
    ignored_keys: Vec<IgnoredKey>,
    folder: PathBuf,
}

impl TaskDefinition {
    /// Reads and parses the file at `path`; paths in it are relative to its folder.
    ///
    /// # Errors
    /// As [`parse`](Self::parse), and when the file can't be read.
    pub fn read(path: &Path) -> Result<Self, DefinitionError> {
        use std::io::Read as _;

        let unreadable = |source| DefinitionError::Unreadable { path: path.to_owned(), source };
        let mut bytes = Vec::new();
        // One byte more than is allowed shows that there is more, without reading all of it.
        std::fs::File::open(path)
            .and_then(|file| file.take(MAX_DOCUMENT_BYTES + 1).read_to_end(&mut bytes))
            .map_err(unreadable)?;
        if bytes.len() as u64 > MAX_DOCUMENT_BYTES {
            return Err(DefinitionError::TooLong);
        }
        let text = String::from_utf8(bytes).map_err(|error| {
            let before = &error.as_bytes()[..error.utf8_error().valid_up_to()];
            let line = before.rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
            DefinitionError::NotJson {
                line: 1 + before.iter().filter(|byte| **byte == b'\n').count(),
                column: 1 + line.len(),
                reason: "not UTF-8".to_owned(),
            }
        })?;
        // `parent` of a bare file name is empty, which stands for the current folder, as joining onto it does.
        Self::parse(&text, path.parent().unwrap_or(Path::new("")))
    }

    /// Parses `text`. Relative paths in it are taken from `folder`, which is not looked at.
    ///
    /// # Errors
    /// When the text is longer than [`MAX_DOCUMENT_BYTES`], is not JSON, or is no task definition. All problems of the
    /// same kind are found at once: doubled keys; then unknown and refused keys with the first value of a wrong type;
    /// then what is wrong with the values.
    pub fn parse(text: &str, folder: &Path) -> Result<Self, DefinitionError> {
        if text.len() as u64 > MAX_DOCUMENT_BYTES {
            return Err(DefinitionError::TooLong);
        }
        let mut problems = Problems::default();
        let document = json::parse(text, &Location::root(), &mut problems)?;
        if !problems.is_empty() {
            return Err(problems.into_error());
        }
        Self::from_value(document, folder)
    }

    /// Parses a document that is JSON already: for callers that build one, and are then held to the same rules.
    ///
    /// # Errors
    /// As [`parse`](Self::parse).
    pub fn from_value(document: Value, folder: &Path) -> Result<Self, DefinitionError> {
        let mut problems = Problems::default();
        let mut ignored_keys = Vec::new();
        let document = document::described(document, &mut problems);
        let raw = document.and_then(|(document, at)| {
            let used = Sorter::sort(&ecs_keys::TASK, document, &at, &mut problems, &mut ignored_keys)?;
            let mut raw: RawTaskDefinition = raw::read(used, &at, &mut problems)?;
            let (rolebox, rolebox_at) = document::rolebox(&mut raw, &at, &mut problems, &mut ignored_keys)?;
            Some((raw, at, rolebox, rolebox_at))
        });
        // A misspelt key leaves a value missing: to say both would hide the one mistake behind another.
        let (raw, at, rolebox, rolebox_at) = match raw {
            Some(raw) if problems.is_empty() => raw,
            _ => return Err(problems.into_error()),
        };
        let definition = build(raw, rolebox, folder, &at, &rolebox_at, &mut problems);
        match definition {
            Some(definition) if problems.is_empty() => {
                ignored_keys.sort_by(|one, other| one.path.cmp(&other.path));
                Ok(Self { ignored_keys, ..definition })
            }
            _ => Err(problems.into_error()),
        }
    }

    /// The name that all revisions of this definition share: 1 to 255 letters, digits, hyphens and underscores.
    #[must_use]
    pub fn family(&self) -> &str {
        &self.family
    }

    /// The role whose sessions sign the task's AWS calls, with what it may do; `None` for a task without AWS.
    #[must_use]
    pub fn task_role(&self) -> Option<&TaskRole> {
        self.task_role.as_ref()
    }

    /// The execution role, which in ECS fetches images and secrets before the task starts. Never the task's.
    #[must_use]
    pub fn execution_role(&self) -> Option<&RoleArn> {
        self.execution_role.as_ref()
    }

    /// The task's own `cpu`, in CPU units of which 1,024 stand for one core: 1 to 262,144. At least the sum of its
    /// containers'.
    #[must_use]
    pub fn cpu(&self) -> Option<u32> {
        self.cpu
    }

    /// The most that the task may compute, in CPU units of which 1,024 stand for one core: 1 to 1,024, and never more than
    /// one core. It is `rolebox.cpuLimit`, or the task's own `cpu` where that is less: ECS makes that one a hard limit too.
    #[must_use]
    pub fn cpu_limit(&self) -> Option<u32> {
        let own = self.cpu.filter(|cpu| *cpu < CORE);
        match (self.cpu_limit, own) {
            (Some(limit), Some(own)) => Some(limit.min(own)),
            (limit, own) => limit.or(own),
        }
    }

    /// What the task counts beside others when they compete for the processor: its own `cpu`, else its containers' together.
    #[must_use]
    pub fn cpu_share(&self) -> u32 {
        self.cpu.unwrap_or_else(|| self.containers.iter().map(ContainerDefinition::cpu).sum())
    }

    /// The task's own `memory`, 4 MiB to 40 GiB. At least the sum of its containers', so that holding each container to
    /// its limit holds the task to this one.
    #[must_use]
    pub fn memory(&self) -> Option<Mebibytes> {
        self.memory
    }

    /// One to ten containers, in the definition's order. At least one is essential.
    #[must_use]
    pub fn containers(&self) -> &[ContainerDefinition] {
        &self.containers
    }

    /// The volumes that containers may mount.
    #[must_use]
    pub fn volumes(&self) -> &[Volume] {
        &self.volumes
    }

    /// The hosts beside AWS that the task may reach: `rolebox.egress`, default none.
    #[must_use]
    pub fn egress(&self) -> &[EgressName] {
        &self.egress
    }

    /// Whether a container of it serves HTTP requests: one with `portMappings`.
    #[must_use]
    pub fn serves(&self) -> bool {
        self.containers.iter().any(|container| container.port_mapping().is_some())
    }

    /// How long the task may run: `rolebox.timeout`, 1 ms to [`MAX_TIMEOUT`], else
    /// [`default_timeout`](Self::default_timeout).
    ///
    /// A task that [serves](Self::serves) runs until it is stopped. There, this is how long each request may take, and each
    /// command container of the task.
    #[must_use]
    pub fn timeout(&self) -> Duration {
        self.timeout.unwrap_or_else(|| self.default_timeout())
    }

    /// The timeout when the definition has none: [`DEFAULT_TIMEOUT`], and [`DEFAULT_REQUEST_TIMEOUT`] for a task that serves.
    #[must_use]
    pub fn default_timeout(&self) -> Duration {
        if self.serves() { DEFAULT_REQUEST_TIMEOUT } else { DEFAULT_TIMEOUT }
    }

    /// The most memory, in MiB, that the task's instances may have at once: the task's own `memory`, which requests are let in
    /// within; else each command container's, and `requestsInFlight` times that of the largest that serves.
    #[must_use]
    pub fn most_memory(&self) -> u64 {
        let of = |container: &ContainerDefinition| u64::from(container.memory().get());
        let (serving, commands): (Vec<_>, Vec<_>) =
            self.containers.iter().partition(|container| container.port_mapping().is_some());
        let request = serving.into_iter().map(of).max().unwrap_or_default();
        let together = commands.into_iter().map(of).sum::<u64>() + request * u64::from(self.limits.requests_in_flight);
        self.memory.map_or(together, |memory| memory.get().into())
    }

    /// What the task may ask of the host.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// The keys that were accepted and have no effect, sorted by their paths.
    #[must_use]
    pub fn ignored_keys(&self) -> &[IgnoredKey] {
        &self.ignored_keys
    }

    /// The folder from which relative paths of this definition were taken.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }
}

fn build(
    raw: RawTaskDefinition,
    rolebox: RawRolebox,
    folder: &Path,
    at: &Location,
    rolebox_at: &Location,
    problems: &mut Problems,
) -> Option<TaskDefinition> {
    let family = container::name(raw.family, "the family", &at.key("family"), problems);
    let task_role =
        role::task_role(raw.task_role_arn.as_deref(), &rolebox, &at.key("taskRoleArn"), rolebox_at, problems);
    let execution_role = execution_role(raw.execution_role_arn.as_deref(), &at.key("executionRoleArn"), problems);
    let cpu = size::task_cpu(raw.cpu, &at.key("cpu"), problems);
    let has_memory = raw.memory.is_some();
    let memory = size::task_memory(raw.memory, &at.key("memory"), problems);
    let volumes = volume::volumes(raw.volumes, folder, &at.key("volumes"), problems);

    let containers_at = at.key("containerDefinitions");
    let count = raw.container_definitions.len();
    if !(1..=MAX_CONTAINERS).contains(&count) {
        problems.add(
            &containers_at,
            format!("there are {count} container definitions"),
            format!("Give 1 to {MAX_CONTAINERS}."),
        );
        return None;
    }
    let around = Surroundings {
        folder,
        volumes: &volumes.iter().map(|volume| volume.name().to_owned()).collect::<BTreeSet<_>>(),
        // One that is out of range was reported: the containers are not to be told that there is none.
        memory: memory.or(has_memory.then_some(MIN_MEMORY)),
        containers: count,
    };
    let containers: Vec<_> = raw
        .container_definitions
        .into_iter()
        .enumerate()
        .filter_map(|(index, raw)| container::container(raw, &around, &containers_at.index(index), problems))
        .collect();
    let egress = egress(&rolebox.egress, &rolebox_at.key("egress"), problems);
    let timeout = limits::span(
        rolebox.timeout.as_deref(),
        Duration::from_millis(1)..=MAX_TIMEOUT,
        &rolebox_at.key("timeout"),
        problems,
    );
    let cpu_limit = size::cpu_limit(rolebox.cpu_limit, &rolebox_at.key("cpuLimit"), problems);
    let limits = limits::limits(&rolebox.limits.unwrap_or_default(), &rolebox_at.key("limits"), problems);
    // What follows compares parts with each other: with a part missing, it would only repeat what was said.
    if !problems.is_empty() {
        return None;
    }
    dependency::check_together(&containers, &containers_at, problems);
    check_sums(&containers, cpu, memory, at, problems);
    Some(TaskDefinition {
        family: family?,
        task_role,
        execution_role,
        cpu,
        memory,
        containers,
        volumes,
        egress,
        timeout,
        cpu_limit,
        limits,
        ignored_keys: Vec::new(),
        folder: folder.to_owned(),
    })
}

fn execution_role(arn: Option<&str>, at: &Location, problems: &mut Problems) -> Option<RoleArn> {
    let arn = arn.filter(|arn| !arn.is_empty())?;
    arn.parse().map_err(|error: rolebox_policy::ArnError| problems.add(at, error.to_string(), role::ARN_FORM)).ok()
}

fn egress(raw: &[String], at: &Location, problems: &mut Problems) -> Vec<EgressName> {
    let mut names: Vec<EgressName> = Vec::new();
    for (index, entry) in raw.iter().enumerate() {
        let at = at.index(index);
        match EgressName::parse(entry) {
            Ok(name) if names.iter().any(|other| (other.host(), other.port()) == (name.host(), name.port())) => {
                problems.add(&at, format!("{} is named twice", quoted(entry)), "Keep one entry for a host and port.");
            }
            Ok(name) => names.push(name),
            Err((what, mend)) => problems.add(&at, what, mend),
        }
    }
    names
}

/// A task's own cpu and memory are what its containers have together.
/// <https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDefinition.html>
fn check_sums(
    containers: &[ContainerDefinition],
    cpu: Option<u32>,
    memory: Option<Mebibytes>,
    at: &Location,
    problems: &mut Problems,
) {
    let containers_memory: u64 = containers.iter().map(|container| u64::from(container.memory().get())).sum();
    if let Some(memory) = memory.filter(|memory| u64::from(memory.get()) < containers_memory) {
        problems.add(
            &at.key("memory"),
            format!("the task has {memory}, and its containers {containers_memory} MiB together"),
            "Give the task more, or its containers less.",
        );
    }
    let containers_cpu: u64 = containers
        .iter()
        // A container that asks for nothing gets the lowest share, which is not counted.
        .map(|container| u64::from(container.cpu()))
        .filter(|cpu| *cpu > u64::from(MIN_CPU))
        .sum();
    if let Some(cpu) = cpu.filter(|cpu| u64::from(*cpu) < containers_cpu) {
        problems.add(
            &at.key("cpu"),
            format!("the task has {cpu} CPU units, and its containers {containers_cpu} together"),
            "Give the task more, or its containers less.",
        );
    }
}
