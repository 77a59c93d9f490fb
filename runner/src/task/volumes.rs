//! Resolves a definition's volumes to folders that the operator allows.

use std::collections::BTreeMap;
use std::fs::File;
use std::sync::Arc;

use crate::definition::TaskDefinition;
use crate::settings::{BoundExceeded, OperatorBounds};

/// The open folder of each volume, by the volume's name.
#[derive(Debug, Default)]
pub(super) struct Folders(BTreeMap<String, Arc<File>>);

impl Folders {
    pub(super) fn of(&self, volume: &str) -> Option<&Arc<File>> {
        self.0.get(volume)
    }
}

/// Opens every volume of `definition`, or says which of them the bounds refuse.
pub(super) fn resolve(definition: &TaskDefinition, bounds: &OperatorBounds) -> Result<Folders, Vec<BoundExceeded>> {
    let (mut folders, mut refused) = (BTreeMap::new(), Vec::new());
    for (index, volume) in definition.volumes().iter().enumerate() {
        let place = format!("volumes[{index}].host.sourcePath");
        match bounds.volume_folder(volume.source_path(), &place) {
            Ok(folder) => {
                folders.insert(volume.name().to_owned(), Arc::new(folder));
            }
            Err(bound) => refused.push(bound),
        }
    }
    if refused.is_empty() { Ok(Folders(folders)) } else { Err(refused) }
}
