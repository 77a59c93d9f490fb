//! Container definitions: what runs, with what arguments, variables, mounts and memory.

use std::collections::BTreeSet;
use std::path::Path;

use super::dependency::{Dependency, dependencies};
use super::image::{self, Image};
use super::port::{PortMapping, port_mapping};
use super::problem::{Location, Problems, quoted};
use super::raw::{RawContainer, RawMountPoint, RawVariable, Whole};
use super::size::{self, Mebibytes};

/// The `cpu` of a container that has none: the lowest share, as ECS's agent gives it.
pub const MIN_CPU: u32 = 2;

/// The highest `cpu` of a container: the highest share that Linux knows.
pub const MAX_CPU: u32 = 262_144;

/// One of a definition's `containerDefinitions`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContainerDefinition {
    name: String,
    image: Image,
    program: String,
    cpu: u32,
    memory: Mebibytes,
    essential: bool,
    entry_point: Vec<String>,
    command: Vec<String>,
    environment: Vec<(String, String)>,
    mount_points: Vec<MountPoint>,
    port_mapping: Option<PortMapping>,
    depends_on: Vec<Dependency>,
}

impl ContainerDefinition {
    /// The container's name, its own within the task: 1 to 255 letters, digits, hyphens and underscores.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it runs.
    #[must_use]
    pub fn image(&self) -> &Image {
        &self.image
    }

    /// Its share of the processor relative to other containers, where 1,024 stands for one core: 2 to 262,144. A
    /// definition that says 0, 1 or nothing gets 2.
    #[must_use]
    pub fn cpu(&self) -> u32 {
        self.cpu
    }

    /// The hard limit on its memory: the container's own `memory`, else the task's.
    #[must_use]
    pub fn memory(&self) -> Mebibytes {
        self.memory
    }

    /// Whether the task ends when this container does. Default true.
    #[must_use]
    pub fn essential(&self) -> bool {
        self.essential
    }

    /// The guest's arguments, the program's name first: `entryPoint` and `command`, one after the other. The image's
    /// own entry point, used where the definition has none, is the name of its file or repository.
    #[must_use]
    pub fn arguments(&self) -> Vec<&str> {
        let program = std::slice::from_ref(&self.program);
        let entry_point = if self.entry_point.is_empty() { program } else { &self.entry_point };
        entry_point.iter().chain(&self.command).map(String::as_str).collect()
    }

    /// The definition's own variables, in its order, each name once.
    #[must_use]
    pub fn environment(&self) -> &[(String, String)] {
        &self.environment
    }

    /// The volumes it sees. Without any it has no file system.
    #[must_use]
    pub fn mount_points(&self) -> &[MountPoint] {
        &self.mount_points
    }

    /// Where its requests come in: its `portMappings`, of which there is none or one. With one, the container is a handler of
    /// HTTP requests and serves them until the task ends; without, it is a command.
    #[must_use]
    pub fn port_mapping(&self) -> Option<&PortMapping> {
        self.port_mapping.as_ref()
    }

    /// The containers that it waits for. There is no cycle.
    #[must_use]
    pub fn depends_on(&self) -> &[Dependency] {
        &self.depends_on
    }
}

/// A volume as a container sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MountPoint {
    source_volume: String,
    container_path: String,
    read_only: bool,
}

impl MountPoint {
    /// The name of one of the definition's volumes.
    #[must_use]
    pub fn source_volume(&self) -> &str {
        &self.source_volume
    }

    /// Where the guest sees it: absolute, without `.`, `..`, doubled or trailing slashes; `/` is allowed.
    #[must_use]
    pub fn container_path(&self) -> &str {
        &self.container_path
    }

    /// Whether the guest may only read. Default false.
    #[must_use]
    pub fn read_only(&self) -> bool {
        self.read_only
    }
}

/// The names of a definition's volumes, and the rest of what a container is checked against.
pub(super) struct Surroundings<'a> {
    pub(super) folder: &'a Path,
    pub(super) volumes: &'a BTreeSet<String>,
    /// The task's own `memory`.
    pub(super) memory: Option<Mebibytes>,
    /// How many containers the task has.
    pub(super) containers: usize,
}

/// Reads one container definition, its dependencies apart: those need all containers.
pub(super) fn container(
    raw: RawContainer,
    around: &Surroundings<'_>,
    at: &Location,
    problems: &mut Problems,
) -> Option<ContainerDefinition> {
    let name = name(raw.name, "the container", &at.key("name"), problems);
    let image = image(raw.image.as_deref(), around.folder, &at.key("image"), problems);
    let cpu = cpu(raw.cpu, &at.key("cpu"), problems);
    let memory = memory(raw.memory, around, &at.key("memory"), problems);
    check_arguments(&raw.entry_point, &at.key("entryPoint"), problems);
    check_arguments(&raw.command, &at.key("command"), problems);
    let environment = environment(raw.environment, &at.key("environment"), problems);
    let mount_points = mount_points(raw.mount_points, around.volumes, &at.key("mountPoints"), problems);
    let port_mapping = port_mapping(raw.port_mappings, &at.key("portMappings"), problems);
    let image = image?;
    Some(ContainerDefinition {
        program: program(&image),
        name: name?,
        image,
        cpu: cpu?,
        memory: memory?,
        essential: raw.essential.unwrap_or(true),
        entry_point: raw.entry_point,
        command: raw.command,
        environment,
        mount_points,
        port_mapping,
        depends_on: dependencies(raw.depends_on, &at.key("dependsOn"), problems),
    })
}

/// The name of a family, container or volume.
pub(super) fn name(text: Option<String>, of: &str, at: &Location, problems: &mut Problems) -> Option<String> {
    let text = text.unwrap_or_default();
    if text.is_empty() {
        problems.add(at, format!("{of} has no name"), "Give it one.");
        return None;
    }
    let fits =
        text.len() <= 255 && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    if !fits {
        problems.add(
            at,
            format!("{} is not a name", quoted(&text)),
            "Give up to 255 letters, digits, hyphens and underscores.",
        );
        return None;
    }
    Some(text)
}

fn image(text: Option<&str>, folder: &Path, at: &Location, problems: &mut Problems) -> Option<Image> {
    const FORM: &str = "Give a path that ends in .wasm, or an image in a registry: [HOST/]NAME[:TAG][@sha256:DIGEST].";
    let text = text.unwrap_or_default();
    image::parse(text, folder)
        .map_err(|what| {
            let what = if text.is_empty() { what.to_owned() } else { format!("{}: {what}", quoted(text)) };
            problems.add(at, what, FORM);
        })
        .ok()
}

/// What the guest sees as its program's name.
fn program(image: &Image) -> String {
    match image {
        Image::File(path) => path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
        Image::Registry(reference) => {
            let repository = reference.repository();
            repository.rsplit('/').next().unwrap_or(repository).to_owned()
        }
    }
}

fn cpu(cpu: Option<Whole>, at: &Location, problems: &mut Problems) -> Option<u32> {
    let Whole(cpu) = cpu.unwrap_or(Whole(0));
    match u32::try_from(cpu) {
        Ok(cpu) if cpu <= MAX_CPU => Some(cpu.max(MIN_CPU)),
        _ => {
            problems.add(
                at,
                format!("{cpu} CPU units are out of range"),
                format!("Give 0 to {MAX_CPU}; 1024 stand for one core."),
            );
            None
        }
    }
}

fn memory(
    memory: Option<Whole>,
    around: &Surroundings<'_>,
    at: &Location,
    problems: &mut Problems,
) -> Option<Mebibytes> {
    match (memory, around.memory) {
        (Some(Whole(memory)), _) => size::container_memory(memory, at, problems),
        (None, Some(task)) if around.containers == 1 => size::container_memory(task.get().into(), at, problems),
        (None, Some(_)) => {
            problems.add(
                at,
                "the container has no memory, and the task's is not divided between several containers",
                format!("Give each container its own, {} MiB.", size::range()),
            );
            None
        }
        (None, None) => {
            problems.add(
                at,
                "neither the container nor the task has a memory",
                format!("Give the container's hard limit, {} MiB.", size::range()),
            );
            None
        }
    }
}

fn check_arguments(arguments: &[String], at: &Location, problems: &mut Problems) {
    for (index, argument) in arguments.iter().enumerate() {
        if argument.contains('\0') {
            problems.add(&at.index(index), "the argument holds a NUL", "Remove it.");
        }
    }
}

/// Variables through which SDKs take credentials. The host sets placeholders in some; a real key in any would be a key
/// in the guest.
const CREDENTIALS: [&str; 9] = [
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_SECURITY_TOKEN",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
];

fn environment(raw: Vec<RawVariable>, at: &Location, problems: &mut Problems) -> Vec<(String, String)> {
    let mut names = BTreeSet::new();
    let mut variables = Vec::new();
    for (index, variable) in raw.into_iter().enumerate() {
        let at = at.index(index);
        let name = variable.name.unwrap_or_default();
        let value = variable.value.unwrap_or_default();
        let name_at = at.key("name");
        if name.is_empty() {
            problems.add(&name_at, "the variable has no name", "Give it one.");
        } else if name.contains(['=', '\0']) {
            problems.add(
                &name_at,
                format!("{} is not the name of a variable", quoted(&name)),
                "Give one without = and NUL.",
            );
        } else if CREDENTIALS.contains(&name.to_ascii_uppercase().as_str()) {
            problems.add(
                &name_at,
                format!("{name} holds credentials, and a task never holds a key"),
                "Remove it: the host signs the task's calls with its role, and sets placeholders for SDKs.",
            );
        } else if !names.insert(name.clone()) {
            problems.add(&name_at, format!("{} is set twice", quoted(&name)), "Keep the one that you mean.");
        }
        if value.contains('\0') {
            problems.add(&at.key("value"), "the value holds a NUL", "Remove it.");
        }
        variables.push((name, value));
    }
    variables
}

fn mount_points(
    raw: Vec<RawMountPoint>,
    volumes: &BTreeSet<String>,
    at: &Location,
    problems: &mut Problems,
) -> Vec<MountPoint> {
    let mut paths = BTreeSet::new();
    let mut mount_points = Vec::new();
    for (index, mount) in raw.into_iter().enumerate() {
        let at = at.index(index);
        let source_volume = mount.source_volume.unwrap_or_default();
        let container_path = mount.container_path.unwrap_or_default();
        if !volumes.contains(&source_volume) {
            problems.add(
                &at.key("sourceVolume"),
                format!("the definition has no volume {}", quoted(&source_volume)),
                "Name one of its volumes, or add it there.",
            );
        }
        let path_at = at.key("containerPath");
        if !is_plain_absolute(&container_path) {
            problems.add(
                &path_at,
                format!("{} is not a plain absolute path", quoted(&container_path)),
                "Begin with a slash; leave out \".\", \"..\", doubled slashes and the last slash.",
            );
        } else if !paths.insert(container_path.clone()) {
            problems.add(
                &path_at,
                format!("two volumes are mounted at {}", quoted(&container_path)),
                "Give each its own path.",
            );
        }
        mount_points.push(MountPoint { source_volume, container_path, read_only: mount.read_only.unwrap_or(false) });
    }
    mount_points
}

fn is_plain_absolute(path: &str) -> bool {
    let is_plain = |part: &str| !matches!(part, "" | "." | "..");
    match path.strip_prefix('/') {
        None => false,
        Some("") => true,
        Some(parts) => !path.contains('\0') && parts.split('/').all(is_plain),
    }
}
