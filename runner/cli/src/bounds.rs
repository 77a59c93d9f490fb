//! The operator's bounds of `run` and `explain`, where the author of a definition and the operator are one person.
//!
//! They take a definition at its word, and flags narrow that: any image, any role that the base credentials can assume,
//! the hosts that it names, volumes in its own folder. A component's volumes are flags, so they are the operator's own.

use std::path::{Path, PathBuf};

use rolebox::OperatorBounds;
use rolebox::definition::{MAX_MEMORY, MAX_TIMEOUT, MIN_MEMORY, Mebibytes, parse_duration};
use rolebox_policy::RoleArn;

use crate::arguments::InputArguments;
use crate::component;
use crate::failure::Failure;
use crate::input::Input;

/// The bounds for `input`. `private` are folders that no volume may reach.
pub(crate) fn bounds(
    input: &Input,
    arguments: &InputArguments,
    private: impl IntoIterator<Item = PathBuf>,
) -> Result<OperatorBounds, Failure> {
    let narrowed = &arguments.bounds;
    let mut bounds = OperatorBounds::deny_all()
        .allow_any_image()
        .allow_any_egress()
        .with_max_memory(max_memory(narrowed.max_memory)?)
        .with_max_timeout(max_timeout(narrowed.max_timeout.as_deref())?)
        .with_max_limits(*input.definition.limits());
    if !narrowed.require_session_policy {
        bounds = bounds.allow_session_policy_off();
    }
    if !narrowed.require_session_per_task {
        bounds = bounds.allow_shared_sessions();
    }
    if narrowed.allow_roles.is_empty() {
        bounds = bounds.allow_any_role();
    }
    for role in &narrowed.allow_roles {
        let role: RoleArn =
            role.parse().map_err(|error| Failure::runner(anyhow::Error::new(error)).context("--allow-role"))?;
        bounds = bounds.allow_role(&role);
    }
    for root in volume_roots(input, arguments) {
        bounds = bounds.allow_volumes_in(root);
    }
    Ok(private.into_iter().fold(bounds, OperatorBounds::protect))
}

fn volume_roots(input: &Input, arguments: &InputArguments) -> Vec<PathBuf> {
    let roots = &arguments.bounds.volume_roots;
    if !roots.is_empty() {
        return roots.clone();
    }
    if input.is_component {
        return component::volume_folders(&arguments.component).map(Path::to_owned).collect();
    }
    vec![input.folder().to_owned()]
}

fn max_memory(memory: Option<u32>) -> Result<Mebibytes, Failure> {
    let Some(memory) = memory.map(Mebibytes::new) else {
        return Ok(MAX_MEMORY);
    };
    if !(MIN_MEMORY..=MAX_MEMORY).contains(&memory) {
        return Err(Failure::because(format!(
            "--max-memory: {memory} are out of range. Give {} to {} MiB",
            MIN_MEMORY.get(),
            MAX_MEMORY.get(),
        )));
    }
    Ok(memory)
}

fn max_timeout(text: Option<&str>) -> Result<std::time::Duration, Failure> {
    let Some(text) = text else { return Ok(MAX_TIMEOUT) };
    parse_duration(text).ok_or_else(|| {
        Failure::because(format!("--max-timeout: {text:?} is not a duration. Write it like 60s, 5m or 1h30m"))
    })
}
