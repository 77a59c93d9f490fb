//! The task that the command line names: a definition file, or a component with flags.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use rolebox::artifact::is_artifact;
use rolebox::definition::TaskDefinition;

use crate::arguments::InputArguments;
use crate::component;
use crate::failure::Failure;

/// A task definition with the file that it came from.
#[derive(Debug)]
pub(crate) struct Input {
    /// The definition file or component, as it was named.
    pub(crate) file: PathBuf,
    pub(crate) definition: TaskDefinition,
    /// Whether `file` is a component.
    pub(crate) is_component: bool,
}

impl Input {
    /// Reads what `arguments` name.
    pub(crate) fn read(arguments: &InputArguments) -> Result<Self, Failure> {
        let file = arguments.file.clone();
        let named = file.extension().is_some_and(|extension| extension == "wasm" || extension == "cwasm");
        let is_component = named || is_artifact(&file);
        let definition = if is_component {
            let folder = std::env::current_dir()
                .map_err(|error| Failure::runner(error).context("the current folder is not known"))?;
            // An artifact may have any name, but in a definition only a whole path is a path by whatever name.
            let image = if named { file.clone() } else { folder.join(&file) };
            component::definition(&image, &arguments.component, &folder)?
        } else {
            definition(&file, arguments)?
        };
        Ok(Self { file, definition, is_component })
    }

    /// The folder that the file lies in.
    pub(crate) fn folder(&self) -> &Path {
        match self.file.parent() {
            Some(parent) if parent != Path::new("") => parent,
            _ => Path::new("."),
        }
    }
}

fn definition(file: &Path, arguments: &InputArguments) -> Result<TaskDefinition, Failure> {
    let given = component::given(&arguments.component);
    if !given.is_empty() {
        return Err(Failure::because(format!(
            "{}: a task definition says these things itself: {}. Write them there, or run the component alone",
            file.display(),
            given.join(", "),
        )));
    }
    if is_wasm(file) {
        return Err(Failure::because(format!(
            "{}: this is WebAssembly and not a task definition. Give a component's file a name that ends in .wasm",
            file.display(),
        )));
    }
    TaskDefinition::read(file).map_err(|error| Failure::definition(file, error))
}

/// Whether the file begins as WebAssembly does. What can't be read is no concern of this.
fn is_wasm(file: &Path) -> bool {
    let mut magic = [0; 4];
    // A pipe could be read only once.
    let is_file = file.metadata().is_ok_and(|metadata| metadata.is_file());
    is_file && File::open(file).and_then(|mut file| file.read_exact(&mut magic)).is_ok() && magic == *b"\0asm"
}
