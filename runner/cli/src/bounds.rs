//! The operator's bounds of `run` and `explain`, where the author of a definition and the operator are one person.
//!
//! They take a definition at its word, and flags narrow that: any image, any role that the base credentials can assume,
//! the hosts that it names, its host ports, volumes in its own folder. A component's volumes are flags, so they are the
//! operator's own.

use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rolebox::OperatorBounds;
use rolebox::definition::{
    EgressName, Limits, MAX_CONTAINERS, MAX_MEMORY, MAX_TIMEOUT, MIN_MEMORY, Mebibytes, parse_duration,
};
use rolebox_policy::RoleArn;

use crate::arguments::{BoundsArguments, InputArguments};
use crate::component;
use crate::failure::Failure;
use crate::input::Input;

/// The longest session that STS gives, for any role.
const MAX_SESSION_DURATION: Duration = Duration::from_secs(12 * 3600);

/// Volumes of a task where no flag says otherwise: more than anybody writes by hand.
const MAX_VOLUMES: usize = 64;

/// The bounds for `input`. `private` are files and folders that no volume may reach.
pub(crate) fn bounds(
    input: &Input,
    arguments: &InputArguments,
    private: impl IntoIterator<Item = PathBuf>,
) -> Result<OperatorBounds, Failure> {
    let narrowed = &arguments.bounds;
    let bounds = amounts(narrowed)?;
    let mut bounds = authority(narrowed, bounds)?;
    for root in volume_roots(input, arguments) {
        bounds = bounds.allow_volumes_in(root);
    }
    if narrowed.image_roots.is_empty() {
        bounds = bounds.allow_any_image();
    }
    for root in &narrowed.image_roots {
        bounds = bounds.allow_images_in(root);
    }
    Ok(private.into_iter().fold(bounds, OperatorBounds::protect))
}

/// How much a task may ask for.
fn amounts(narrowed: &BoundsArguments) -> Result<OperatorBounds, Failure> {
    let whole_task = Mebibytes::new(MAX_MEMORY.get() * MAX_CONTAINERS as u32);
    let bounds = OperatorBounds::deny_all()
        .with_max_memory(memory("--max-memory", narrowed.max_memory, MAX_MEMORY)?)
        .with_max_task_memory(memory("--max-task-memory", narrowed.max_task_memory, whole_task)?)
        .with_max_cpu(narrowed.max_cpu.unwrap_or(u32::MAX))
        .with_max_containers(narrowed.max_containers.unwrap_or(MAX_CONTAINERS))
        .with_max_volumes(narrowed.max_volumes.unwrap_or(MAX_VOLUMES))
        .with_max_timeout(duration("--max-timeout", narrowed.max_timeout.as_deref(), MAX_TIMEOUT)?)
        .with_max_session_duration(duration(
            "--max-session-duration",
            narrowed.max_session_duration.as_deref(),
            MAX_SESSION_DURATION,
        )?)
        .with_max_limits(limits(&narrowed.max_limits)?);
    Ok(match narrowed.max_cpu_limit {
        Some(limit) => bounds.with_max_cpu_limit(limit),
        None => bounds,
    })
}

/// What a task may do in the operator's name.
fn authority(narrowed: &BoundsArguments, mut bounds: OperatorBounds) -> Result<OperatorBounds, Failure> {
    if !narrowed.require_session_policy {
        bounds = bounds.allow_session_policy_off();
    }
    if !narrowed.require_session_per_task {
        bounds = bounds.allow_shared_sessions();
    }
    if !narrowed.require_signed_payload {
        bounds = bounds.allow_unsigned_payload();
    }
    if narrowed.allow_roles.is_empty() && !narrowed.no_roles {
        bounds = bounds.allow_any_role();
    }
    for role in &narrowed.allow_roles {
        let role: RoleArn =
            role.parse().map_err(|error| Failure::runner(anyhow::Error::new(error)).context("--allow-role"))?;
        bounds = bounds.allow_role(&role);
    }
    if narrowed.allow_egress.is_empty() && !narrowed.no_egress {
        bounds = bounds.allow_any_egress();
    }
    if narrowed.allow_ports.is_empty() && !narrowed.no_ports {
        bounds = bounds.allow_any_host_port();
    }
    for ports in &narrowed.allow_ports {
        bounds = bounds.allow_host_ports(host_ports(ports)?);
    }
    for host in &narrowed.allow_egress {
        let name: EgressName = component::with_port(host)
            .parse()
            .map_err(|error| Failure::runner(anyhow::Error::new(error)).context("--allow-egress"))?;
        bounds = bounds.allow_egress(name);
    }
    Ok(bounds)
}

/// One port, or the first and the last of several.
fn host_ports(text: &str) -> Result<RangeInclusive<u16>, Failure> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    match (first.parse(), last.parse()) {
        (Ok(first), Ok(last)) if first <= last => Ok(first..=last),
        _ => Err(Failure::because(format!("--allow-port: {text:?} is no port. Write it like 8080, 8080-8089 or 0"))),
    }
}

fn volume_roots(input: &Input, arguments: &InputArguments) -> Vec<PathBuf> {
    let roots = &arguments.bounds.volume_roots;
    if !roots.is_empty() || arguments.bounds.no_volumes {
        return roots.clone();
    }
    if input.is_component {
        return component::volume_folders(&arguments.component).map(Path::to_owned).collect();
    }
    vec![input.folder().to_owned()]
}

fn memory(flag: &str, memory: Option<u32>, most: Mebibytes) -> Result<Mebibytes, Failure> {
    let Some(memory) = memory.map(Mebibytes::new) else {
        return Ok(most);
    };
    if !(MIN_MEMORY..=most).contains(&memory) {
        return Err(Failure::because(format!(
            "{flag}: {memory} are out of range. Give {} to {} MiB",
            MIN_MEMORY.get(),
            most.get(),
        )));
    }
    Ok(memory)
}

fn duration(flag: &str, text: Option<&str>, most: Duration) -> Result<Duration, Failure> {
    let Some(text) = text else { return Ok(most) };
    parse_duration(text)
        .ok_or_else(|| Failure::because(format!("{flag}: {text:?} is not a duration. Write it like 60s, 5m or 1h30m")))
}

/// The most of each of `rolebox.limits`: as much as a definition can say, narrowed by each `KEY=VALUE`.
fn limits(narrowed: &[String]) -> Result<Limits, Failure> {
    let mut limits = Limits::highest();
    for text in narrowed {
        narrow(&mut limits, text).map_err(|mend| Failure::because(format!("--max-limit: {text:?} {mend}")))?;
    }
    Ok(limits)
}

fn narrow(limits: &mut Limits, text: &str) -> Result<(), &'static str> {
    const WHOLE: &str = "has no whole number. Write it like callsInFlight=8 or bodyBytes=1048576";
    const TIME: &str = "has no duration. Write it like callTimeout=30s";
    let (key, value) = text.split_once('=').ok_or("has no =. Write KEY=VALUE, with a key of rolebox.limits")?;
    let time = || parse_duration(value).ok_or(TIME);
    match key {
        "outputBytes" => limits.output_bytes = value.parse().map_err(|_| WHOLE)?,
        "bodyBytes" => limits.body_bytes = value.parse().map_err(|_| WHOLE)?,
        "callsInFlight" => limits.calls_in_flight = value.parse().map_err(|_| WHOLE)?,
        "callsPerSecond" => limits.calls_per_second = value.parse().map_err(|_| WHOLE)?,
        "totalBytes" => limits.total_bytes = Some(value.parse().map_err(|_| WHOLE)?),
        "callTimeout" => limits.call_timeout = time()?,
        "cpuTime" => limits.cpu_time = Some(time()?),
        "openFiles" => limits.open_files = value.parse().map_err(|_| WHOLE)?,
        "connections" => limits.connections = value.parse().map_err(|_| WHOLE)?,
        "requestsInFlight" => limits.requests_in_flight = value.parse().map_err(|_| WHOLE)?,
        _ => {
            return Err(
                "names none of rolebox.limits: outputBytes, bodyBytes, callsInFlight, callsPerSecond, totalBytes, \
                        callTimeout, cpuTime, openFiles, connections, requestsInFlight",
            );
        }
    }
    Ok(())
}
