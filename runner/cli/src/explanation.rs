//! What `explain` says: one structure, shown as JSON or as text.

mod mismatch;
mod request;
mod text;

use rolebox::definition::{
    Condition, ContainerDefinition, RoleSession, SessionPolicySetting, TaskDefinition, TaskRole, show_duration,
};
use rolebox::settings::BoundCheck;
use rolebox::task::PrepareError;
use rolebox_policy::RawCapability;
use serde::Serialize;
use serde_json::Value;

use self::mismatch::Mismatch;
pub(crate) use self::request::RequestExplanation;
use crate::failure::{IMAGE_FAILED, RUNNER_FAILED};
use crate::input::Input;

/// What became of a definition, short of running it.
#[derive(Debug)]
pub(crate) enum Prepared {
    /// It would start; what each container's image imports.
    Imports(Vec<Vec<String>>),
    /// It would not.
    Refused(PrepareError),
}

/// The explanation of a task definition. Its JSON form is stable: keys are added, never changed.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Explanation<'a> {
    /// The definition file or component.
    file: String,
    family: &'a str,
    /// `null` for a task without AWS.
    task_role: Option<Role<'a>>,
    execution_role_arn: Option<&'a str>,
    /// Hosts beside AWS, as `rolebox.egress` has them.
    egress: Vec<String>,
    limits: Limits,
    /// Everything that the definition asks for, beside the operator's bound on it.
    bounds: Vec<BoundCheck>,
    containers: Vec<Container<'a>>,
    volumes: Vec<Volume<'a>>,
    /// Keys that were accepted and have no effect.
    ignored_keys: Vec<Ignored<'a>>,
    /// What does not fit together.
    mismatches: Vec<Mismatch>,
    /// What `rolebox run` would exit with before the task starts; 0 if it would start.
    exit_code: u8,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Role<'a> {
    arn: &'a str,
    /// As the definition has them.
    capabilities: &'a [RawCapability],
    session_policy: SessionPolicy<'a>,
    /// `per-task` or `per-definition`.
    role_session: &'static str,
    session_duration: String,
    external_id: Option<&'a str>,
    source_identity: Option<&'a str>,
    session_tags: bool,
    unsigned_payload: bool,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct SessionPolicy<'a> {
    /// `required` or `off`.
    setting: &'static str,
    /// In characters; STS takes 2,048. `null` when the setting is off.
    length: Option<usize>,
    /// The policy that AssumeRole is called with.
    document: Option<Value>,
    /// The same as text, in the order in which it is sent.
    #[serde(skip)]
    text: Option<&'a str>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Limits {
    timeout: String,
    output_bytes: u64,
    body_bytes: u64,
    calls_in_flight: u32,
    calls_per_second: u32,
    /// `null` for no limit.
    total_bytes: Option<u64>,
    call_timeout: String,
    /// `null` for no limit.
    cpu_time: Option<String>,
    open_files: u32,
    connections: u32,
    requests_in_flight: u32,
    /// In CPU units of which 1,024 stand for one core; `null` where nothing is said: then one core is the limit.
    cpu_limit: Option<u32>,
    /// The keys of these whose value is the default.
    defaults: Vec<&'static str>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Container<'a> {
    name: &'a str,
    image: String,
    essential: bool,
    cpu: u32,
    /// In MiB.
    memory: u32,
    /// The program's name first.
    arguments: Vec<&'a str>,
    environment: Vec<Variable<'a>>,
    mount_points: Vec<MountPoint<'a>>,
    /// Where its requests come in; empty for a command.
    port_mappings: Vec<PortMapping>,
    depends_on: Vec<Dependency<'a>>,
    /// What the image imports; `null` where it was not loaded.
    imports: Option<Vec<String>>,
}

#[derive(Debug, Serialize)]
struct Variable<'a> {
    name: &'a str,
    value: &'a str,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct MountPoint<'a> {
    source_volume: &'a str,
    container_path: &'a str,
    read_only: bool,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct PortMapping {
    container_port: u16,
    /// 0 for a free one that the host chooses.
    host_port: u16,
    protocol: &'static str,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Dependency<'a> {
    container_name: &'a str,
    condition: &'static str,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Volume<'a> {
    name: &'a str,
    source_path: String,
}

#[derive(Debug, Serialize)]
struct Ignored<'a> {
    path: &'a str,
    why: &'a str,
}

impl<'a> Explanation<'a> {
    pub(crate) fn new(input: &'a Input, bounds: Vec<BoundCheck>, prepared: &Prepared) -> Self {
        let definition = &input.definition;
        let imports = match prepared {
            Prepared::Imports(imports) => imports.as_slice(),
            Prepared::Refused(_) => &[],
        };
        Self {
            file: input.file.display().to_string(),
            family: definition.family(),
            task_role: definition.task_role().map(role),
            execution_role_arn: definition.execution_role().map(|role| role.as_str()),
            egress: definition.egress().iter().map(ToString::to_string).collect(),
            limits: limits(definition),
            bounds,
            containers: definition
                .containers()
                .iter()
                .enumerate()
                .map(|(index, definition)| container(definition, imports.get(index)))
                .collect(),
            volumes: definition
                .volumes()
                .iter()
                .map(|volume| Volume { name: volume.name(), source_path: volume.source_path().display().to_string() })
                .collect(),
            ignored_keys: definition
                .ignored_keys()
                .iter()
                .map(|key| Ignored { path: &key.path, why: key.why })
                .collect(),
            mismatches: mismatch::all(definition, prepared),
            exit_code: match prepared {
                Prepared::Imports(_) => 0,
                Prepared::Refused(PrepareError::Image { .. }) => IMAGE_FAILED,
                Prepared::Refused(_) => RUNNER_FAILED,
            },
        }
    }

    /// What `rolebox run` would exit with before the task starts.
    pub(crate) fn exit_code(&self) -> u8 {
        self.exit_code
    }
}

fn role(role: &TaskRole) -> Role<'_> {
    Role {
        arn: role.arn().as_str(),
        capabilities: role.declared_capabilities(),
        session_policy: match role.session_policy() {
            SessionPolicySetting::Required(policy) => SessionPolicy {
                setting: "required",
                length: Some(policy.as_str().chars().count()),
                document: serde_json::from_str(policy.as_str()).ok(),
                text: Some(policy.as_str()),
            },
            _ => SessionPolicy { setting: "off", length: None, document: None, text: None },
        },
        role_session: match role.role_session() {
            RoleSession::PerDefinition => "per-definition",
            _ => "per-task",
        },
        session_duration: show_duration(role.session_duration()),
        external_id: role.external_id(),
        source_identity: role.source_identity(),
        session_tags: role.session_tags(),
        unsigned_payload: role.unsigned_payload(),
    }
}

fn limits(definition: &TaskDefinition) -> Limits {
    let (limits, default) = (definition.limits(), rolebox::definition::Limits::default());
    let are_default = [
        ("timeout", definition.timeout() == definition.default_timeout()),
        ("outputBytes", limits.output_bytes == default.output_bytes),
        ("bodyBytes", limits.body_bytes == default.body_bytes),
        ("callsInFlight", limits.calls_in_flight == default.calls_in_flight),
        ("callsPerSecond", limits.calls_per_second == default.calls_per_second),
        ("totalBytes", limits.total_bytes == default.total_bytes),
        ("callTimeout", limits.call_timeout == default.call_timeout),
        ("cpuTime", limits.cpu_time == default.cpu_time),
        ("openFiles", limits.open_files == default.open_files),
        ("connections", limits.connections == default.connections),
        ("requestsInFlight", limits.requests_in_flight == default.requests_in_flight),
        ("cpuLimit", definition.cpu_limit().is_none()),
    ];
    Limits {
        timeout: show_duration(definition.timeout()),
        output_bytes: limits.output_bytes,
        body_bytes: limits.body_bytes,
        calls_in_flight: limits.calls_in_flight,
        calls_per_second: limits.calls_per_second,
        total_bytes: limits.total_bytes,
        call_timeout: show_duration(limits.call_timeout),
        cpu_time: limits.cpu_time.map(show_duration),
        open_files: limits.open_files,
        connections: limits.connections,
        requests_in_flight: limits.requests_in_flight,
        cpu_limit: definition.cpu_limit(),
        defaults: are_default.into_iter().filter_map(|(key, default)| default.then_some(key)).collect(),
    }
}

fn container<'a>(definition: &'a ContainerDefinition, imports: Option<&Vec<String>>) -> Container<'a> {
    Container {
        name: definition.name(),
        image: definition.image().to_string(),
        essential: definition.essential(),
        cpu: definition.cpu(),
        memory: definition.memory().get(),
        arguments: definition.arguments(),
        environment: definition.environment().iter().map(|(name, value)| Variable { name, value }).collect(),
        mount_points: definition
            .mount_points()
            .iter()
            .map(|mount| MountPoint {
                source_volume: mount.source_volume(),
                container_path: mount.container_path(),
                read_only: mount.read_only(),
            })
            .collect(),
        port_mappings: definition
            .port_mapping()
            .map(|mapping| PortMapping {
                container_port: mapping.container_port(),
                host_port: mapping.host_port(),
                protocol: "tcp",
            })
            .into_iter()
            .collect(),
        depends_on: definition
            .depends_on()
            .iter()
            .map(|dependency| Dependency {
                container_name: dependency.container_name(),
                condition: match dependency.condition() {
                    Condition::Complete => "COMPLETE",
                    Condition::Success => "SUCCESS",
                    _ => "START",
                },
            })
            .collect(),
        imports: imports.cloned(),
    }
}
