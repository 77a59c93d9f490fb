//! Holds a definition to the operator's bounds: each thing that it asks for, beside what is allowed.

use std::borrow::Cow;
use std::fs::File;
use std::ops::RangeInclusive;
use std::path::PathBuf;

use serde::Serialize;

use super::files::{Refused, shown_list};
use super::{Allowed, OperatorBounds};
use crate::definition::{
    CORE, ContainerDefinition, DEFAULT_SESSION_DURATION, Image, Limits, MIN_CPU, PortMapping, RoleSession,
    SessionPolicySetting, TaskDefinition, show_bytes, show_duration,
};

/// One thing that a definition asks for, beside the operator's bound on it. As JSON it is stable: keys are added, never
/// changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct BoundCheck {
    /// What it is, in a few words: `memory of app`, `timeout`.
    pub what: String,
    /// The JSON path in the definition.
    pub place: String,
    /// What the definition asks for, as people write it: `64 MiB`, `1h`.
    pub asks: String,
    /// Whether that is what a definition gets that says nothing of it.
    pub default: bool,
    /// What the operator allows: `at most 512 MiB`, `any`, `none`.
    pub bound: String,
    /// Whether what is asked for is within the bound.
    pub allowed: bool,
    /// Why not, where the bound alone does not say it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// How the operator would allow it: the method of [`OperatorBounds`], and the flag of the `rolebox` command. None
    /// where nobody can.
    #[serde(skip)]
    pub raised_by: Option<RaisedBy>,
}

/// How an operator raises a bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct RaisedBy {
    /// The method of [`OperatorBounds`].
    pub method: &'static str,
    /// What to change in the flags of the `rolebox` command.
    pub flag: &'static str,
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

/// What a definition that keeps within the bounds names on disk, ready to be used.
#[derive(Debug)]
pub(crate) struct Admitted {
    /// The folder of each volume, in the definition's order, opened.
    pub(crate) volumes: Vec<File>,
    /// The file of each container's image; none for one in a registry.
    pub(crate) images: Vec<Option<PathBuf>>,
}

impl From<BoundCheck> for BoundExceeded {
    fn from(check: BoundCheck) -> Self {
        let mut bound = check.why.unwrap_or_else(|| format!("the operator allows {}", check.bound));
        if let Some(RaisedBy { method, flag }) = check.raised_by {
            bound.push_str(&format!("; to allow it: OperatorBounds::{method}, or {flag}"));
        }
        Self { place: check.place, what: format!("asks for {}", check.asks), bound }
    }
}

/// The checks so far, and what they opened.
struct Examination<'a> {
    bounds: &'a OperatorBounds,
    checks: Vec<BoundCheck>,
    volumes: Vec<File>,
    images: Vec<Option<PathBuf>>,
}

impl OperatorBounds {
    /// Everything that `definition` asks for, each beside the bound on it, also where all is within.
    ///
    /// Volumes and images are looked at on disk, as when the task is prepared; nothing is run.
    #[must_use]
    pub fn checks(&self, definition: &TaskDefinition) -> Vec<BoundCheck> {
        Examination::of(self, definition).checks
    }

    /// What `definition` names on disk, or everything in which it exceeds the bounds.
    pub(crate) fn admit(&self, definition: &TaskDefinition) -> Result<Admitted, Vec<BoundExceeded>> {
        let Examination { checks, volumes, images, .. } = Examination::of(self, definition);
        let exceeded: Vec<_> = checks.into_iter().filter(|check| !check.allowed).map(BoundExceeded::from).collect();
        if exceeded.is_empty() { Ok(Admitted { volumes, images }) } else { Err(exceeded) }
    }
}

impl<'a> Examination<'a> {
    fn of(bounds: &'a OperatorBounds, definition: &TaskDefinition) -> Self {
        let mut examination = Self { bounds, checks: Vec::new(), volumes: Vec::new(), images: Vec::new() };
        examination.role(definition);
        examination.task(definition);
        examination.containers(definition);
        examination.volumes(definition);
        examination.egress(definition);
        examination.limits(definition.limits());
        examination
    }

    /// Adds a check whose bound says all.
    fn add(
        &mut self,
        (what, place): (impl Into<String>, impl Into<String>),
        (asks, default): (impl Into<String>, bool),
        bound: impl Into<String>,
        allowed: bool,
        (method, flag): (&'static str, &'static str),
    ) {
        self.checks.push(BoundCheck {
            what: what.into(),
            place: place.into(),
            asks: asks.into(),
            default,
            bound: bound.into(),
            allowed,
            why: None,
            raised_by: Some(RaisedBy { method, flag }),
        });
    }

    /// Adds the check of something on disk.
    fn add_file(
        &mut self,
        (what, place): (String, String),
        asks: String,
        bound: String,
        refused: Option<Refused>,
        (method, flag): (&'static str, &'static str),
    ) {
        let can_be_allowed = refused.as_ref().is_none_or(|refused| refused.can_be_allowed);
        self.checks.push(BoundCheck {
            what,
            place,
            asks,
            default: false,
            bound,
            allowed: refused.is_none(),
            why: refused.map(|refused| refused.why),
            raised_by: can_be_allowed.then_some(RaisedBy { method, flag }),
        });
    }

    fn role(&mut self, definition: &TaskDefinition) {
        let bounds = self.bounds;
        let roles = match &bounds.roles {
            Allowed::Any => Cow::Borrowed("any"),
            Allowed::Listed(roles) => listed(roles.iter()),
        };
        let raise = ("allow_role", "--allow-role ARN");
        let Some(role) = definition.task_role() else {
            return self.add(("role", "taskRoleArn"), ("none", true), roles, true, raise);
        };
        let allowed = match &bounds.roles {
            Allowed::Any => true,
            Allowed::Listed(roles) => roles.contains(role.arn().as_str()),
        };
        self.add(("role", "taskRoleArn"), (role.arn().as_str(), false), roles, allowed, raise);

        let off = *role.session_policy() == SessionPolicySetting::Off;
        self.add(
            ("session policy", "rolebox.sessionPolicy"),
            (if off { "off" } else { "required" }, !off),
            if bounds.session_policy_off { "required or off" } else { "required" },
            !off || bounds.session_policy_off,
            ("allow_session_policy_off", "leave out --require-session-policy"),
        );
        let shared = role.role_session() == RoleSession::PerDefinition;
        self.add(
            ("role session", "rolebox.roleSession"),
            (if shared { "per-definition" } else { "per-task" }, !shared),
            if bounds.shared_sessions { "per-task or per-definition" } else { "per-task" },
            !shared || bounds.shared_sessions,
            ("allow_shared_sessions", "leave out --require-session-per-task"),
        );
        let unsigned = role.unsigned_payload();
        self.add(
            ("unsigned bodies", "rolebox.unsignedPayload"),
            (if unsigned { "over TLS" } else { "none" }, !unsigned),
            if bounds.unsigned_payload { "over TLS" } else { "none" },
            !unsigned || bounds.unsigned_payload,
            ("allow_unsigned_payload", "leave out --require-signed-payload"),
        );
        let (asked, most) = (role.session_duration(), bounds.max_session_duration);
        self.add(
            ("session duration", "rolebox.sessionDuration"),
            (show_duration(asked), asked == DEFAULT_SESSION_DURATION),
            format!("at most {}", show_duration(most)),
            asked <= most,
            ("with_max_session_duration", "--max-session-duration DURATION"),
        );
    }

    fn task(&mut self, definition: &TaskDefinition) {
        let bounds = self.bounds;
        let (asked, most) = (definition.timeout(), bounds.max_timeout);
        self.add(
            ("timeout", "rolebox.timeout"),
            (show_duration(asked), asked == definition.default_timeout()),
            format!("at most {}", show_duration(most)),
            asked <= most,
            ("with_max_timeout", "--max-timeout DURATION"),
        );
        let containers = definition.containers();
        // The task's own, else its containers' together.
        let place = |key: &str, own: bool| match containers.len() {
            _ if own => key.to_owned(),
            1 => format!("containerDefinitions[0].{key}"),
            _ => "containerDefinitions".to_owned(),
        };
        let (asked, most) = (definition.most_memory(), bounds.max_task_memory());
        self.add(
            ("memory of the task", place("memory", definition.memory().is_some())),
            (format!("{asked} MiB"), false),
            format!("at most {most}"),
            asked <= u64::from(most.get()),
            ("with_max_task_memory", "--max-task-memory MIB"),
        );
        let asked = definition.cpu_share();
        self.add(
            ("cpu of the task", place("cpu", definition.cpu().is_some())),
            (asked.to_string(), asked == MIN_CPU * u32::try_from(containers.len()).unwrap_or(u32::MAX)),
            if bounds.max_cpu == u32::MAX { "any".to_owned() } else { format!("at most {}", bounds.max_cpu) },
            asked <= bounds.max_cpu,
            ("with_max_cpu", "--max-cpu UNITS"),
        );
        let asked = definition.cpu_limit();
        let most = bounds.max_cpu_limit.unwrap_or(CORE);
        self.add(
            ("cpu limit", "rolebox.cpuLimit"),
            (asked.unwrap_or(CORE).to_string(), asked.is_none()),
            format!("at most {most}"),
            asked.unwrap_or(CORE) <= most,
            ("with_max_cpu_limit", "--max-cpu-limit UNITS"),
        );
        self.add(
            ("containers", "containerDefinitions"),
            (containers.len().to_string(), false),
            format!("at most {}", bounds.max_containers),
            containers.len() <= bounds.max_containers,
            ("with_max_containers", "--max-containers COUNT"),
        );
    }

    fn containers(&mut self, definition: &TaskDefinition) {
        let bounds = self.bounds;
        for (index, container) in definition.containers().iter().enumerate() {
            let (name, place) = (container.name(), format!("containerDefinitions[{index}]"));
            self.image(name, &place, container.image());
            let (asked, most) = (container.memory(), bounds.max_memory);
            self.add(
                (format!("memory of {name}"), format!("{place}.memory")),
                (asked.to_string(), false),
                format!("at most {most}"),
                asked <= most,
                ("with_max_memory", "--max-memory MIB"),
            );
            self.host_port(container, &place);
            let mounted = container.mount_points().len();
            if mounted > 0 {
                self.add(
                    (format!("volumes of {name}"), format!("{place}.mountPoints")),
                    (mounted.to_string(), false),
                    format!("at most {}", bounds.max_volumes),
                    mounted <= bounds.max_volumes,
                    ("with_max_volumes", "--max-volumes COUNT"),
                );
            }
        }
    }

    fn image(&mut self, name: &str, place: &str, image: &Image) {
        let bounds = self.bounds;
        let bound = match &bounds.image_folders {
            Allowed::Any => "any".to_owned(),
            Allowed::Listed(folders) if folders.is_empty() => "none".to_owned(),
            Allowed::Listed(folders) => format!("in {}", shown_list(folders)),
        };
        let (file, refused) = match image {
            Image::File(path) => match bounds.image_file(path) {
                Ok(file) => (Some(file), None),
                Err(refused) => (None, Some(refused)),
            },
            Image::Registry(_) => {
                let why = "it is in a registry, and the operator allows images in folders alone: ";
                let refused = match &bounds.image_folders {
                    Allowed::Any => None,
                    Allowed::Listed(folders) => {
                        let why = format!("{why}{}", shown_list(folders));
                        Some(Refused { why, can_be_allowed: false })
                    }
                };
                (None, refused)
            }
        };
        self.images.push(file);
        let what = (format!("image of {name}"), format!("{place}.image"));
        self.add_file(what, image.to_string(), bound, refused, ("allow_images_in", "--image-root DIR"));
    }

    fn host_port(&mut self, container: &ContainerDefinition, place: &str) {
        let Some(port) = container.port_mapping().map(PortMapping::host_port) else { return };
        let (bound, allowed) = match &self.bounds.host_ports {
            Allowed::Any => (Cow::Borrowed("any"), true),
            Allowed::Listed(ports) => {
                let shown = |range: &RangeInclusive<u16>| match (range.start(), range.end()) {
                    (first, last) if first == last => first.to_string(),
                    (first, last) => format!("{first}-{last}"),
                };
                (listed(ports.iter().map(shown)), ports.iter().any(|range| range.contains(&port)))
            }
        };
        let asks = if port == 0 { "0 (a free one)".to_owned() } else { port.to_string() };
        self.add(
            (format!("host port of {}", container.name()), format!("{place}.portMappings[0].hostPort")),
            (asks, false),
            bound,
            allowed,
            ("allow_host_port", "--allow-port PORT"),
        );
    }

    fn volumes(&mut self, definition: &TaskDefinition) {
        let bounds = self.bounds;
        let bound = match bounds.volume_folders.as_slice() {
            [] => "none".to_owned(),
            folders => format!("in {}", shown_list(folders)),
        };
        let (count, raise) = (definition.volumes().len(), ("with_max_volumes", "--max-volumes COUNT"));
        if count == 0 {
            self.add(("volumes", "volumes"), ("none", true), bound.clone(), true, raise);
        } else {
            let (asks, most) = (count.to_string(), format!("at most {}", bounds.max_volumes));
            self.add(("volumes", "volumes"), (asks, false), most, count <= bounds.max_volumes, raise);
        }
        // Past the bound nothing more is opened: there could be as many as a document holds.
        for (index, volume) in definition.volumes().iter().enumerate().take(bounds.max_volumes) {
            let refused = match bounds.volume_folder(volume.source_path()) {
                Ok(folder) => {
                    self.volumes.push(folder);
                    None
                }
                Err(refused) => Some(refused),
            };
            let what = (format!("volume {}", volume.name()), format!("volumes[{index}].host.sourcePath"));
            let asks = volume.source_path().display().to_string();
            self.add_file(what, asks, bound.clone(), refused, ("allow_volumes_in", "--volume-root DIR"));
        }
    }

    fn egress(&mut self, definition: &TaskDefinition) {
        let bounds = self.bounds;
        let bound = match &bounds.egress {
            Allowed::Any => Cow::Borrowed("any"),
            Allowed::Listed(names) => listed(names.iter()),
        };
        let raise = ("allow_egress", "--allow-egress HOST[:PORT]");
        if definition.egress().is_empty() {
            self.add(("hosts", "rolebox.egress"), ("none", true), bound.clone(), true, raise);
        }
        for (index, name) in definition.egress().iter().enumerate() {
            let allowed = match &bounds.egress {
                Allowed::Any => true,
                Allowed::Listed(names) => names.contains(name),
            };
            let place = format!("rolebox.egress[{index}]");
            self.add(("host", place), (name.to_string(), false), bound.clone(), allowed, raise);
        }
    }

    fn limits(&mut self, asked: &Limits) {
        let most = &self.bounds.max_limits;
        let default = Limits::default();
        let values = amounts(asked).into_iter().zip(amounts(most)).zip(amounts(&default));
        for (((key, asked), (_, most)), (_, default)) in values {
            self.add(
                (words(key), format!("rolebox.limits.{key}")),
                (asked.to_string(), asked == default),
                if most == Amount::Unbounded { "any".to_owned() } else { format!("at most {most}") },
                asked <= most,
                ("with_max_limits", "--max-limit KEY=VALUE"),
            );
        }
    }
}

/// One of `rolebox.limits`. Within one key they are compared with each other, and no limit is the most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Amount {
    Bytes(u64),
    Count(u32),
    Time(std::time::Duration),
    Unbounded,
}

impl std::fmt::Display for Amount {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Bytes(bytes) => f.write_str(&show_bytes(*bytes)),
            Self::Count(count) => count.fmt(f),
            Self::Time(time) => f.write_str(&show_duration(*time)),
            Self::Unbounded => f.write_str("no limit"),
        }
    }
}

/// Each amount of `rolebox.limits`, by its key.
fn amounts(limits: &Limits) -> [(&'static str, Amount); 10] {
    // Without a pattern that skips fields: one that is added is to be bounded too.
    let Limits {
        output_bytes,
        body_bytes,
        calls_in_flight,
        calls_per_second,
        total_bytes,
        call_timeout,
        cpu_time,
        open_files,
        connections,
        requests_in_flight,
    } = *limits;
    [
        ("outputBytes", Amount::Bytes(output_bytes)),
        ("bodyBytes", Amount::Bytes(body_bytes)),
        ("callsInFlight", Amount::Count(calls_in_flight)),
        ("callsPerSecond", Amount::Count(calls_per_second)),
        ("totalBytes", total_bytes.map_or(Amount::Unbounded, Amount::Bytes)),
        ("callTimeout", Amount::Time(call_timeout)),
        ("cpuTime", cpu_time.map_or(Amount::Unbounded, Amount::Time)),
        ("openFiles", Amount::Count(open_files)),
        ("connections", Amount::Count(connections)),
        ("requestsInFlight", Amount::Count(requests_in_flight)),
    ]
}

/// A key of `rolebox.limits` as words: `calls in flight`.
fn words(key: &str) -> String {
    let mut words = String::with_capacity(key.len() + 2);
    for letter in key.chars() {
        if letter.is_ascii_uppercase() {
            words.push(' ');
        }
        words.push(letter.to_ascii_lowercase());
    }
    words
}

fn listed<T: std::fmt::Display>(items: impl Iterator<Item = T>) -> Cow<'static, str> {
    let items: Vec<_> = items.map(|item| item.to_string()).collect();
    if items.is_empty() { Cow::Borrowed("none") } else { Cow::Owned(items.join(", ")) }
}
