//! What in a definition does not fit: with the operator's bounds, with its images, or with itself.

use rolebox::definition::TaskDefinition;
use rolebox::task::PrepareError;
use serde::Serialize;

use super::Prepared;

/// Something that does not fit, and where.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct Mismatch {
    /// A JSON path in the definition; empty for the whole.
    pub(super) path: String,
    pub(super) what: String,
}

impl Mismatch {
    fn new(path: impl Into<String>, what: impl Into<String>) -> Self {
        Self { path: path.into(), what: what.into() }
    }
}

/// Everything that does not fit, in the order of what would stop the task first.
pub(super) fn all(definition: &TaskDefinition, prepared: &Prepared) -> Vec<Mismatch> {
    let mut found = match prepared {
        Prepared::Refused(error) => refused(error),
        Prepared::Imports(imports) => imported(definition, imports),
    };
    for (index, volume) in definition.volumes().iter().enumerate() {
        let mut mounts = definition.containers().iter().flat_map(|container| container.mount_points());
        if !mounts.any(|mount| mount.source_volume() == volume.name()) {
            found.push(Mismatch::new(format!("volumes[{index}]"), "no container mounts this volume"));
        }
    }
    found
}

/// Why the task would not start.
fn refused(error: &PrepareError) -> Vec<Mismatch> {
    match error {
        PrepareError::Bounds(exceeded) => exceeded
            .iter()
            .map(|bound| Mismatch::new(&bound.place, format!("{} ({})", bound.what, bound.bound)))
            .collect(),
        PrepareError::Image { container, source } => {
            vec![Mismatch::new(format!("containerDefinitions[{container}].image"), source.to_string())]
        }
        error => vec![Mismatch::new("", error.to_string())],
    }
}

/// Where the images ask for other things than the definition gives.
fn imported(definition: &TaskDefinition, imports: &[Vec<String>]) -> Vec<Mismatch> {
    let mut found = Vec::new();
    let imports_any = |names: &[String], prefixes: &[&str]| {
        names.iter().any(|name| prefixes.iter().any(|prefix| name.starts_with(prefix)))
    };
    // The two doors to AWS.
    const AWS: [&str; 2] = ["rolebox:aws/", "wasi:http/outgoing-handler"];
    const FILES: [&str; 2] = ["wasi:filesystem/", "wasi_snapshot_preview1"];

    let without_role = definition.task_role().is_none();
    let without_capabilities = definition.task_role().is_some_and(|role| role.capabilities().is_empty());
    for (index, names) in imports.iter().enumerate() {
        let calls_aws = imports_any(names, &["rolebox:aws/"]);
        let image = format!("containerDefinitions[{index}].image");
        if calls_aws && without_role {
            found
                .push(Mismatch::new(&image, "imports rolebox:aws, and the task has no role: every AWS call is denied"));
        }
        if calls_aws && without_capabilities {
            let what = "imports rolebox:aws, and the task has no capabilities: every AWS call is denied";
            found.push(Mismatch::new(&image, what));
        }
    }
    let nobody_imports = |prefixes: &[&str]| !imports.iter().any(|names| imports_any(names, prefixes));
    if let Some(role) = definition.task_role()
        && !role.capabilities().is_empty()
        && nobody_imports(&AWS)
    {
        let what = "no image imports rolebox:aws or wasi:http, so these are never used";
        found.push(Mismatch::new("rolebox.capabilities", what));
    }
    if !definition.egress().is_empty() && nobody_imports(&AWS[1..]) {
        found.push(Mismatch::new("rolebox.egress", "no image imports wasi:http, so these are never reached"));
    }
    for (index, (container, names)) in definition.containers().iter().zip(imports).enumerate() {
        if !container.mount_points().is_empty() && !imports_any(names, &FILES) {
            let path = format!("containerDefinitions[{index}].mountPoints");
            found.push(Mismatch::new(path, "the image imports no wasi:filesystem, so it sees no volume"));
        }
    }
    found
}
