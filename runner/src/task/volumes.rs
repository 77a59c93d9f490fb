//! The folders of a definition's volumes, opened when the definition was held to the operator's bounds.

use std::collections::BTreeMap;
use std::fs::File;
use std::sync::Arc;

use crate::definition::TaskDefinition;

/// The open folder of each volume, by the volume's name.
#[derive(Debug, Default)]
pub(super) struct Folders(BTreeMap<String, Arc<File>>);

impl Folders {
    /// `opened` are the folders of `definition`'s volumes, in its order.
    pub(super) fn new(definition: &TaskDefinition, opened: Vec<File>) -> Self {
        let names = definition.volumes().iter().map(|volume| volume.name().to_owned());
        Self(names.zip(opened.into_iter().map(Arc::new)).collect())
    }

    pub(super) fn of(&self, volume: &str) -> Option<&Arc<File>> {
        self.0.get(volume)
    }
}
