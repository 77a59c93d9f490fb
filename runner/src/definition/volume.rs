//! Volumes: folders of the host that containers may mount.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::container::name;
use super::problem::{Location, Problems, quoted};
use super::raw::RawVolume;

/// One of a definition's `volumes`: a folder of the host. Where such folders may lie is the operator's to bound.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Volume {
    name: String,
    source_path: PathBuf,
}

impl Volume {
    /// Its name, its own within the definition: 1 to 255 letters, digits, hyphens and underscores.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The folder: `host.sourcePath`, below the definition's folder when it is relative. Not resolved: it may hold `..`
    /// or lead through symbolic links.
    #[must_use]
    pub fn source_path(&self) -> &Path {
        &self.source_path
    }
}

/// Reads all volumes.
pub(super) fn volumes(raw: Vec<RawVolume>, folder: &Path, at: &Location, problems: &mut Problems) -> Vec<Volume> {
    let mut names = BTreeSet::new();
    let mut volumes = Vec::new();
    for (index, volume) in raw.into_iter().enumerate() {
        let at = at.index(index);
        let path_at = at.key("host").key("sourcePath");
        let source_path = volume.host.and_then(|host| host.source_path).unwrap_or_default();
        if source_path.is_empty() {
            problems.add(
                &path_at,
                "the volume names no folder of the host",
                "Give one, absolute or relative to the definition: volumes that Docker would make do not exist here.",
            );
        } else if source_path.contains('\0') {
            problems.add(&path_at, "the path holds a NUL", "Remove it.");
        }
        let Some(name) = name(volume.name, "the volume", &at.key("name"), problems) else {
            continue;
        };
        if !names.insert(name.clone()) {
            problems.add(
                &at.key("name"),
                format!("two volumes are named {}", quoted(&name)),
                "Give each its own name.",
            );
        }
        volumes.push(Volume { name, source_path: folder.join(source_path) });
    }
    volumes
}
