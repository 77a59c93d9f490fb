//! Images: a component or a core module on disk, made ready to be instantiated many times.
//!
//! An image is known by the SHA-256 of its bytes. Each is compiled once, however many tasks ask for it at the same
//! time, on a thread that may block; then linked once against what the host grants, so that a start only copies.

use std::collections::HashMap;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use sha2::{Digest, Sha256};
use tokio::sync::OnceCell;
use wasmtime::component::Component;
use wasmtime::{Engine, Module};
use wasmtime_wasi::p2::bindings::CommandPre;

use super::MAX_IMAGE_BYTES;
use super::cache::CodeCache;
use crate::host::{self, ComponentState, ModuleState};

/// The SHA-256 of an image's bytes, printed as `sha256:` is in OCI but without the prefix.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct ImageId([u8; 32]);

impl ImageId {
    fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }
}

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

/// An image could not be loaded, compiled or linked. The command line's exit code for all of these is 126.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImageError {
    /// The file is not there or cannot be read.
    #[error("image {}: {source}; build it, or correct `image` in the container definition", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The name leads to a folder, a device or a pipe.
    #[error("image {} is not a regular file", path.display())]
    NotAFile {
        /// The file.
        path: PathBuf,
    },
    /// The file is larger than the host compiles.
    #[error("image {} has {size} bytes; at most {MAX_IMAGE_BYTES} are loaded", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Its size in bytes.
        size: u64,
    },
    /// The file does not begin like a WebAssembly binary.
    #[error("image {} is not a WebAssembly component or module (its first bytes are {found}); build it with `--target wasm32-wasip2`", path.display())]
    NotWasm {
        /// The file.
        path: PathBuf,
        /// The first bytes, in hexadecimal.
        found: String,
    },
    /// The file begins like WebAssembly but is malformed, or uses a proposal that is not enabled.
    #[error("image {} could not be compiled: {source:#}", path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// What wasmtime said.
        source: wasmtime::Error,
    },
    /// The image imports an interface that the host does not grant, or another version of one.
    #[error("image {} imports what is not granted to tasks: {source:#}; tasks get WASI 0.2 and `rolebox:aws`", path.display())]
    Link {
        /// The file.
        path: PathBuf,
        /// What wasmtime said: it names the import.
        source: wasmtime::Error,
    },
    /// The image has no entry point.
    #[error("image {} has nothing to run: {expected}", path.display())]
    NothingToRun {
        /// The file.
        path: PathBuf,
        /// The export that is missing.
        expected: &'static str,
    },
    /// The compiling thread ended without an answer.
    #[error("image {} could not be compiled: the compiler stopped unexpectedly", path.display())]
    Compiler {
        /// The file.
        path: PathBuf,
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

/// What comes out of the compiler or the cache, not linked yet.
pub(super) enum Compiled {
    Component(Component),
    Module(Module),
}

/// An image ready to be instantiated.
pub(crate) struct Image {
    pub(crate) program: Program,
    imports: Vec<ImportedInterface>,
}

/// The linked form of an image: what `InstancePre` caches is shared by all its tasks.
pub(crate) enum Program {
    /// A WASI 0.2 command component.
    Component(CommandPre<ComponentState>),
    /// A WASI preview 1 command module.
    Module(wasmtime::InstancePre<ModuleState>),
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
    /// What the image imports, in its own order.
    pub(crate) fn imports(&self) -> &[ImportedInterface] {
        &self.imports
    }
}

/// All images of one engine.
pub(crate) struct Images {
    shared: Arc<Shared>,
    prepared: Mutex<HashMap<ImageId, Arc<OnceCell<Arc<Image>>>>>,
}

/// What compiling needs on its own thread.
struct Shared {
    engine: Engine,
    components: wasmtime::component::Linker<ComponentState>,
    modules: wasmtime::Linker<ModuleState>,
    cache: Option<CodeCache>,
}

impl Images {
    pub(super) fn new(engine: &Engine, cache: Option<PathBuf>) -> wasmtime::Result<Self> {
        let cache = cache.map(|folder| CodeCache::new(engine, folder));
        let (components, modules) = (host::component_linker(engine)?, host::module_linker(engine)?);
        let shared = Arc::new(Shared { engine: engine.clone(), components, modules, cache });
        Ok(Self { shared, prepared: Mutex::default() })
    }

    /// Reads, compiles and links the image at `path`; an image that is ready already is only read and hashed.
    pub(crate) async fn load(&self, path: &Path) -> Result<Arc<Image>, ImageError> {
        let owned = path.to_owned();
        let (id, bytes) = blocking(path, move || {
            let bytes = read(&owned)?;
            Ok((ImageId::of(&bytes), bytes))
        })
        .await?;
        let cell = self.prepared.lock().unwrap_or_else(PoisonError::into_inner).entry(id).or_default().clone();
        // A caller that goes away while compiling leaves the cell empty, and the next caller compiles.
        let image = cell
            .get_or_try_init(|| async {
                let (shared, owned) = (self.shared.clone(), path.to_owned());
                blocking(path, move || shared.prepare(&owned, id, &bytes)).await.map(Arc::new)
            })
            .await?;
        Ok(image.clone())
    }
}

async fn blocking<T: Send + 'static>(
    path: &Path,
    work: impl FnOnce() -> Result<T, ImageError> + Send + 'static,
) -> Result<T, ImageError> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|_| Err(ImageError::Compiler { path: path.to_owned() }))
}

fn read(path: &Path) -> Result<Vec<u8>, ImageError> {
    let failed = |source| ImageError::Read { path: path.to_owned(), source };
    // Looked at before it is opened: opening a pipe would wait for whoever writes to it.
    let metadata = std::fs::metadata(path).map_err(failed)?;
    if !metadata.is_file() {
        return Err(ImageError::NotAFile { path: path.to_owned() });
    }
    let too_large = |size| ImageError::TooLarge { path: path.to_owned(), size };
    if metadata.len() > MAX_IMAGE_BYTES {
        return Err(too_large(metadata.len()));
    }
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).map_err(failed)?;
    // One byte more than allowed tells a file that grew since.
    let size = file.take(MAX_IMAGE_BYTES + 1).read_to_end(&mut bytes).map_err(failed)?;
    if size as u64 > MAX_IMAGE_BYTES { Err(too_large(size as u64)) } else { Ok(bytes) }
}

/// The two kinds of WebAssembly binary, told apart by the layer field after the magic number.
/// <https://github.com/WebAssembly/component-model/blob/main/design/mvp/Binary.md>
fn is_component(path: &Path, bytes: &[u8]) -> Result<bool, ImageError> {
    match bytes.first_chunk::<8>() {
        Some([b'\0', b'a', b's', b'm', _, 0, 1, 0]) => Ok(true),
        Some([b'\0', b'a', b's', b'm', 1, 0, 0, 0]) => Ok(false),
        _ => {
            let start = bytes.iter().take(8).map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" ");
            let found = if start.is_empty() { "none: the file is empty".to_owned() } else { start };
            Err(ImageError::NotWasm { path: path.to_owned(), found })
        }
    }
}

impl Shared {
    fn prepare(&self, path: &Path, id: ImageId, bytes: &[u8]) -> Result<Image, ImageError> {
        let component = is_component(path, bytes)?;
        let compiled = match self.cached(&id, component) {
            Some(compiled) => compiled,
            None => self.compile(path, &id, bytes, component)?,
        };
        match compiled {
            Compiled::Component(component) => self.link_component(path, &component),
            Compiled::Module(module) => self.link_module(path, &module),
        }
    }

    fn cached(&self, id: &ImageId, component: bool) -> Option<Compiled> {
        let cache = self.cache.as_ref()?;
        cache.load(&self.engine, id, component).unwrap_or_else(|error| {
            tracing::warn!(%error, "compiled code is not taken from the cache; the image is compiled again");
            None
        })
    }

    fn compile(&self, path: &Path, id: &ImageId, bytes: &[u8], component: bool) -> Result<Compiled, ImageError> {
        let invalid = |source| ImageError::Invalid { path: path.to_owned(), source };
        let (compiled, code) = if component {
            let component = Component::from_binary(&self.engine, bytes).map_err(invalid)?;
            let code = self.cache.is_some().then(|| component.serialize()).transpose().map_err(invalid)?;
            (Compiled::Component(component), code)
        } else {
            let module = Module::from_binary(&self.engine, bytes).map_err(invalid)?;
            let code = self.cache.is_some().then(|| module.serialize()).transpose().map_err(invalid)?;
            (Compiled::Module(module), code)
        };
        if let (Some(cache), Some(code)) = (&self.cache, code)
            && let Err(error) = cache.store(id, &code)
        {
            // Nothing fails, but every later start is slower until somebody mends it.
            tracing::error!(
                "compiled code is not kept: {error}; the task runs, and the next start compiles again: make room there, or \
                 make the folder this user's alone"
            );
        }
        Ok(compiled)
    }

    fn link_component(&self, path: &Path, component: &Component) -> Result<Image, ImageError> {
        let imports = component
            .component_type()
            .imports(&self.engine)
            .map(|(name, _)| ImportedInterface { name: name.to_owned() })
            .collect();
        let linked = self.components.instantiate_pre(component);
        let linked = linked.map_err(|source| ImageError::Link { path: path.to_owned(), source })?;
        let command = CommandPre::new(linked).map_err(|_| ImageError::NothingToRun {
            path: path.to_owned(),
            expected: "the component does not export `wasi:cli/run@0.2.x`; build a binary (`fn main`), not a library",
        })?;
        Ok(Image { program: Program::Component(command), imports })
    }

    fn link_module(&self, path: &Path, module: &Module) -> Result<Image, ImageError> {
        let mut imports: Vec<_> =
            module.imports().map(|import| ImportedInterface { name: import.module().to_owned() }).collect();
        imports.dedup();
        let linked = self.modules.instantiate_pre(module);
        let linked = linked.map_err(|source| ImageError::Link { path: path.to_owned(), source })?;
        let starts = module
            .get_export("_start")
            .is_some_and(|export| export.func().is_some_and(|ty| ty.params().len() == 0 && ty.results().len() == 0));
        if !starts {
            let expected = "the module does not export a function `_start` without parameters";
            return Err(ImageError::NothingToRun { path: path.to_owned(), expected });
        }
        Ok(Image { program: Program::Module(linked), imports })
    }
}
