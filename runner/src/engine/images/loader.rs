//! From a file to an image that is ready, on a thread that may block.

use std::path::Path;

use wasmtime::Engine;

use super::source::{self, Content};
use crate::engine::ImageSettings;
use crate::engine::artifact::{Artifact, ArtifactError, ArtifactKey};
#[cfg(feature = "compiler")]
use crate::engine::cache::CodeCache;
use crate::engine::code::{Compiled, TrustedCode};
#[cfg(feature = "compiler")]
use crate::engine::compile::{Compiler, EngineKey, Target};
use crate::engine::image::{Image, ImageId, ImageKind, ImageProblem, Linkers};
use crate::measure::{Stage, reached};

/// What it takes to make images ready for one engine.
pub(super) struct Loader {
    engine: Engine,
    linkers: Linkers,
    keys: Vec<ArtifactKey>,
    #[cfg(feature = "compiler")]
    compiler: Compiler,
    #[cfg(feature = "compiler")]
    key: EngineKey,
    #[cfg(feature = "compiler")]
    cache: Option<CodeCache>,
}

impl Loader {
    pub(super) fn new(engine: &Engine, settings: &ImageSettings) -> wasmtime::Result<Self> {
        #[cfg(feature = "compiler")]
        let key = EngineKey::of(engine);
        Ok(Self {
            engine: engine.clone(),
            linkers: Linkers::new(engine)?,
            keys: settings.artifact_keys.clone(),
            #[cfg(feature = "compiler")]
            compiler: settings.compiler.clone(),
            #[cfg(feature = "compiler")]
            key,
            #[cfg(feature = "compiler")]
            cache: settings.code_cache.clone().map(|folder| CodeCache::new(folder, settings.code_cache_bytes, key)),
        })
    }

    /// Which image the file of this stamp was found to hold by an earlier process.
    pub(super) fn recall(&self, stamp: &source::Stamp) -> Option<ImageId> {
        #[cfg(feature = "compiler")]
        return self.cache.as_ref()?.recall(stamp);
        #[cfg(not(feature = "compiler"))]
        {
            let _ = stamp;
            None
        }
    }

    /// The image from the cache on disk, if it is there.
    pub(super) fn cached(&self, id: ImageId) -> Option<Result<Image, ImageProblem>> {
        let compiled = self.load_cached(id)?;
        let linked = self.linkers.link(&compiled);
        reached(Stage::Linked);
        Some(linked)
    }

    /// The image from its file, compiled if need be.
    pub(super) fn load(&self, id: ImageId, path: &Path, cancelled: &dyn Fn() -> bool) -> Result<Image, ImageProblem> {
        let compiled = match source::read(path, id)? {
            Content::Artifact(bytes) => self.open_artifact(bytes)?,
            Content::Image(bytes) => self.compile(id, &bytes, cancelled)?,
        };
        self.linkers.link(&compiled)
    }

    fn open_artifact(&self, bytes: Vec<u8>) -> Result<Compiled, ImageProblem> {
        let artifact = Artifact::verify(bytes, &self.keys)?;
        let kind = artifact.kind();
        let code = TrustedCode::from_artifact(artifact.into_code());
        let loaded = code.load(&self.engine, kind);
        loaded.map_err(|error| ArtifactError::NotLoaded(format!("{error:#}")).into())
    }

    #[cfg(not(feature = "compiler"))]
    fn load_cached(&self, _: ImageId) -> Option<Compiled> {
        None
    }

    #[cfg(not(feature = "compiler"))]
    fn compile(&self, _: ImageId, image: &[u8], _: &dyn Fn() -> bool) -> Result<Compiled, ImageProblem> {
        ImageKind::of(image)?;
        Err(ImageProblem::NoCompiler)
    }
}

#[cfg(feature = "compiler")]
impl Loader {
    fn load_cached(&self, id: ImageId) -> Option<Compiled> {
        self.cache.as_ref()?.load(&self.engine, &id).unwrap_or_else(|error| {
            tracing::warn!(%error, "compiled code is not taken from the cache; the image is compiled again");
            None
        })
    }

    fn compile(&self, id: ImageId, image: &[u8], cancelled: &dyn Fn() -> bool) -> Result<Compiled, ImageProblem> {
        let kind = ImageKind::of(image)?;
        // Another process may have compiled it while this one waited for its turn.
        if let Some(compiled) = self.load_cached(id) {
            return Ok(compiled);
        }
        let code = self.compiler.compile(image, kind, (Target::ThisMachine, self.key), cancelled)?;
        if let Some(cache) = &self.cache {
            match cache.store(&id, kind, &code) {
                // From the cache it is mapped, and processes that run the same image share its pages.
                Ok(()) => {
                    if let Some(compiled) = self.load_cached(id) {
                        return Ok(compiled);
                    }
                }
                // Nothing fails, but every later start is slower until somebody mends it.
                Err(error) => tracing::error!(
                    "compiled code is not kept: {error}; the task runs, and the next start compiles again: make room \
                     there, or make the folder this user's alone"
                ),
            }
        }
        let code = TrustedCode::from_compiler(code);
        code.load(&self.engine, kind).map_err(|error| ImageProblem::Engine(format!("{error:#}")))
    }

    /// Remembers for later processes which image the file of this stamp holds.
    pub(super) fn remember(&self, stamp: &source::Stamp, id: &ImageId) {
        if let Some(cache) = &self.cache
            && let Err(error) = cache.remember(stamp, id)
        {
            tracing::debug!(%error, "the next process hashes this image again");
        }
    }
}

#[cfg(not(feature = "compiler"))]
impl Loader {
    pub(super) fn remember(&self, _: &source::Stamp, _: &ImageId) {}
}
