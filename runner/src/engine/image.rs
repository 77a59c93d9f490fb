//! Images: a component or a core module, made ready to be instantiated many times.
//!
//! An image is known by the SHA-256 of its bytes. It is linked once against what the host grants, so that a start only
//! copies. How it gets here is the business of [`super::images`].

use std::path::PathBuf;
use std::sync::Arc;

use wasmtime::component::{Component, InstancePre};
use wasmtime::{Engine, Module};
use wasmtime_wasi::p2::bindings::CommandPre;
use wasmtime_wasi_http::p2::bindings::ProxyPre;

use super::code::Compiled;
use crate::host::{self, ComponentState, ModuleState};
use crate::showable::showable;

/// The SHA-256 of an image's bytes, printed as `sha256:` is in OCI but without the prefix.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct ImageId(pub(super) [u8; 32]);

impl std::fmt::Display for ImageId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl std::fmt::Debug for ImageId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ImageId({self})")
    }
}

/// The two kinds of WebAssembly binary.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ImageKind {
    Component,
    Module,
}

impl ImageKind {
    /// Told apart by the layer field after the magic number.
    /// <https://github.com/WebAssembly/component-model/blob/main/design/mvp/Binary.md>
    pub(super) fn of(image: &[u8]) -> Result<Self, ImageProblem> {
        match image.first_chunk::<8>() {
            Some([b'\0', b'a', b's', b'm', _, 0, 1, 0]) => Ok(Self::Component),
            Some([b'\0', b'a', b's', b'm', 1, 0, 0, 0]) => Ok(Self::Module),
            Some([0x7f, b'E', b'L', b'F', ..]) => Err(ImageProblem::Unsigned),
            _ => {
                let start = image.iter().take(8).map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" ");
                let found = if start.is_empty() { "none: the file is empty".to_owned() } else { start };
                Err(ImageProblem::NotWasm { found })
            }
        }
    }
}

/// An image could not be loaded, compiled or linked. The command line's exit code for all of these is 126.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum ImageError {
    /// The file cannot be run.
    #[error("image {} {problem}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why not.
        problem: ImageProblem,
    },
    /// References to registries are not resolved.
    #[error(
        "image `{reference}` is not a file: images in registries cannot be pulled; name a path that ends in `.wasm`"
    )]
    Registry {
        /// The reference as written.
        reference: String,
    },
}

/// Why an image cannot be run, without its name: images with the same bytes share it.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum ImageProblem {
    /// The file is not there or cannot be read.
    #[error("cannot be read: {0}; build it, or correct `image` in the container definition")]
    Unreadable(Arc<std::io::Error>),
    /// The name leads to a folder, a device or a pipe.
    #[error("is not a regular file")]
    NotAFile,
    /// The file is larger than the host compiles, or runs where it is compiled already.
    #[error("has {size} bytes; at most {most} are loaded")]
    TooLarge {
        /// Its size in bytes.
        size: u64,
        /// The most that is loaded.
        most: u64,
    },
    /// The file was written to while it was read.
    #[error("was changed while it was loaded; start the task again when the file is whole")]
    Changed,
    /// The file does not begin like a WebAssembly binary.
    #[error(
        "is not a WebAssembly component or module (its first bytes are {found}); build it with `--target wasm32-wasip2`"
    )]
    NotWasm {
        /// The first bytes, in hexadecimal.
        found: String,
    },
    /// The file is compiled code of wasmtime's own, which runs with the host's rights and says nothing of its author.
    #[error(
        "is compiled code without a signature, which is never run; name the image, or what `rolebox compile` made of it"
    )]
    Unsigned,
    /// The file begins like WebAssembly but is malformed, or uses a proposal that is not enabled.
    #[error("could not be compiled: {}", showable(.0))]
    Invalid(String),
    /// Compiling it would take more than any real image does.
    #[error("is not compiled: {}", showable(.0))]
    TooComplex(String),
    /// The compiler did not come to an end.
    #[cfg(feature = "compiler")]
    #[error("could not be compiled: {}", showable(&.0.to_string()))]
    Compiler(#[from] crate::compiler::CompileFailure),
    /// The file is an artifact, and one that is not run.
    #[error("is an artifact that is not run: {0}")]
    Artifact(#[from] crate::artifact::ArtifactError),
    /// This build has no compiler.
    #[error(
        "is not compiled yet, and this build of rolebox has no compiler: it runs what `rolebox compile` made of an image"
    )]
    NoCompiler,
    /// The image imports an interface that the host does not grant, or another version of one.
    #[error("imports what is not granted to tasks: {}; tasks get WASI 0.2 and `rolebox:aws`", showable(.0))]
    Link(String),
    /// The image has no entry point; what is missing.
    #[error("has nothing to run: {0}")]
    NothingToRun(&'static str),
    /// The wasm engine or its threads are not what they should be; what is wrong.
    #[error("could not be loaded: {}", showable(.0))]
    Engine(String),
}

impl ImageProblem {
    /// Whether the same bytes would meet the same problem again, after as much work.
    pub(super) fn is_lasting(&self) -> bool {
        match self {
            Self::Invalid(_) | Self::TooComplex(_) | Self::Link(_) | Self::NothingToRun(_) => true,
            #[cfg(feature = "compiler")]
            Self::Compiler(failure) => failure.is_the_images(),
            _ => false,
        }
    }
}

impl From<std::io::Error> for ImageProblem {
    fn from(error: std::io::Error) -> Self {
        Self::Unreadable(Arc::new(error))
    }
}

/// An image ready to be instantiated.
pub(crate) struct Image {
    pub(crate) program: Program,
    imports: Vec<ImportedInterface>,
    /// The size of its compiled form, in bytes.
    code: u64,
}

/// The linked form of an image: what `InstancePre` caches is shared by all its tasks.
pub(crate) enum Program {
    /// A WASI 0.2 component: a command, a handler of HTTP requests, or both.
    Component(ComponentProgram),
    /// A WASI preview 1 command module.
    Module(wasmtime::InstancePre<ModuleState>),
}

/// A component and its entrances, of which there is at least one. Which of them is used the container definition says.
pub(crate) struct ComponentProgram {
    instance: InstancePre<ComponentState>,
    command: Option<CommandPre<ComponentState>>,
    handler: Option<ProxyPre<ComponentState>>,
}

impl ComponentProgram {
    pub(super) fn component(&self) -> &Component {
        self.instance.component()
    }
}

/// One thing that an image imports, for `explain`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ImportedInterface {
    /// The import's name: `wasi:cli/environment@0.2.6`, or `wasi_snapshot_preview1` for a core module.
    pub name: String,
}

impl std::fmt::Debug for Image {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Image").field("imports", &self.imports).finish_non_exhaustive()
    }
}

impl Image {
    /// The size of its compiled form, in bytes.
    pub(super) fn code(&self) -> u64 {
        self.code
    }

    /// Its entrance as a command component; for a core module there is another one.
    pub(crate) fn command(&self) -> Option<&CommandPre<ComponentState>> {
        match &self.program {
            Program::Component(component) => component.command.as_ref(),
            Program::Module(_) => None,
        }
    }

    /// Its entrance as a handler of HTTP requests.
    pub(crate) fn handler(&self) -> Option<&ProxyPre<ComponentState>> {
        match &self.program {
            Program::Component(component) => component.handler.as_ref(),
            Program::Module(_) => None,
        }
    }

    /// Whether it has the entrance that a container needs: one for requests where it `serves`, and else one for a command.
    pub(crate) fn check_entrance(&self, serves: bool) -> Result<(), ImageProblem> {
        let missing = match (serves, &self.program) {
            (true, Program::Module(_)) => {
                "the container has `portMappings`, and a core module handles no requests; build a component that exports \
                 `wasi:http/incoming-handler@0.2.x`, or remove the mappings"
            }
            (true, Program::Component(component)) if component.handler.is_none() => {
                "the container has `portMappings`, and the component does not export `wasi:http/incoming-handler@0.2.x`; \
                 build a handler (a library, for the world `wasi:http/proxy`), or remove the mappings"
            }
            (false, Program::Component(component)) if component.command.is_none() => {
                "the component handles HTTP requests and does not export `wasi:cli/run@0.2.x`; give the container \
                 `portMappings` (a component by itself, `--port`), or build a binary (`fn main`)"
            }
            _ => return Ok(()),
        };
        Err(ImageProblem::NothingToRun(missing))
    }

    /// What the image imports, in its own order.
    pub(crate) fn imports(&self) -> &[ImportedInterface] {
        &self.imports
    }
}

/// What the host grants, and so what images are linked against.
pub(super) struct Linkers {
    components: wasmtime::component::Linker<ComponentState>,
    modules: wasmtime::Linker<ModuleState>,
}

impl Linkers {
    pub(super) fn new(engine: &Engine) -> wasmtime::Result<Self> {
        Ok(Self { components: host::component_linker(engine)?, modules: host::module_linker(engine)? })
    }

    pub(super) fn link(&self, compiled: &Compiled) -> Result<Image, ImageProblem> {
        match compiled {
            Compiled::Component(component) => self.component(component),
            Compiled::Module(module) => self.module(module),
        }
    }

    fn component(&self, component: &Component) -> Result<Image, ImageProblem> {
        let imports = component
            .component_type()
            .imports(component.engine())
            .map(|(name, _)| ImportedInterface { name: name.to_owned() })
            .collect();
        let linked = self.components.instantiate_pre(component);
        let linked = linked.map_err(|error| ImageProblem::Link(format!("{error:#}")))?;
        let program = ComponentProgram {
            command: CommandPre::new(linked.clone()).ok(),
            handler: ProxyPre::new(linked.clone()).ok(),
            instance: linked,
        };
        if program.command.is_none() && program.handler.is_none() {
            return Err(ImageProblem::NothingToRun(
                "the component exports neither `wasi:cli/run@0.2.x` nor `wasi:http/incoming-handler@0.2.x`; build a binary \
                 (`fn main`), or a handler of HTTP requests",
            ));
        }
        let code = size(component.image_range());
        Ok(Image { program: Program::Component(program), imports, code })
    }

    fn module(&self, module: &Module) -> Result<Image, ImageProblem> {
        let mut imports: Vec<_> =
            module.imports().map(|import| ImportedInterface { name: import.module().to_owned() }).collect();
        imports.dedup();
        let linked = self.modules.instantiate_pre(module);
        let linked = linked.map_err(|error| ImageProblem::Link(format!("{error:#}")))?;
        let starts = module
            .get_export("_start")
            .is_some_and(|export| export.func().is_some_and(|ty| ty.params().len() == 0 && ty.results().len() == 0));
        if !starts {
            let expected = "the module does not export a function `_start` without parameters";
            return Err(ImageProblem::NothingToRun(expected));
        }
        let code = size(module.image_range());
        Ok(Image { program: Program::Module(linked), imports, code })
    }
}

fn size(range: std::ops::Range<*const u8>) -> u64 {
    u64::try_from(range.end.addr().saturating_sub(range.start.addr())).unwrap_or(u64::MAX)
}
