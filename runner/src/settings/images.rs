//! Settings for images: how they are compiled, and how many are kept.

use std::path::Path;
#[cfg(feature = "compiler")]
use std::path::PathBuf;

use super::RunnerSettings;
use crate::artifact::ArtifactKey;
#[cfg(feature = "compiler")]
use crate::compiler::Compiler;

/// How many images are kept ready by default.
const DEFAULT_PREPARED: usize = 256;

/// How much code of theirs, in bytes.
const DEFAULT_PREPARED_BYTES: u64 = 1 << 30;

/// The most bytes of the code cache by default: some hundred images of usual size.
#[cfg(feature = "compiler")]
const DEFAULT_CODE_CACHE_BYTES: u64 = 1 << 30;

/// The part of the settings that is about images.
#[derive(Debug, Clone)]
pub(crate) struct ImageSettings {
    /// Images kept ready.
    pub(crate) prepared: usize,
    /// The bytes of code that they may have together.
    pub(crate) prepared_bytes: u64,
    /// Images compiled at once.
    pub(crate) compilations: usize,
    /// Whose artifacts are run.
    pub(crate) artifact_keys: Vec<ArtifactKey>,
    #[cfg(feature = "compiler")]
    pub(crate) compiler: Compiler,
    #[cfg(feature = "compiler")]
    pub(crate) code_cache: Option<PathBuf>,
    #[cfg(feature = "compiler")]
    pub(crate) code_cache_bytes: u64,
}

impl Default for ImageSettings {
    fn default() -> Self {
        Self {
            prepared: DEFAULT_PREPARED,
            prepared_bytes: DEFAULT_PREPARED_BYTES,
            compilations: 1,
            artifact_keys: Vec::new(),
            #[cfg(feature = "compiler")]
            compiler: Compiler::in_process(),
            #[cfg(feature = "compiler")]
            code_cache: None,
            #[cfg(feature = "compiler")]
            code_cache_bytes: DEFAULT_CODE_CACHE_BYTES,
        }
    }
}

impl ImageSettings {
    /// The folder for compiled code, if there is one.
    pub(crate) fn code_cache(&self) -> Option<&Path> {
        #[cfg(feature = "compiler")]
        return self.code_cache.as_deref();
        #[cfg(not(feature = "compiler"))]
        None
    }
}

impl RunnerSettings {
    /// How many images are kept ready for further tasks, and how many bytes of code they may have together; 256 and
    /// 1 GiB by default. Which one was asked for least recently goes first; tasks keep what they hold.
    #[must_use]
    pub fn with_prepared_images(mut self, count: usize, bytes: u64) -> Self {
        self.images.prepared = count;
        self.images.prepared_bytes = bytes;
        self
    }

    /// How many images are compiled, or artifacts read, at the same time; 1 by default, since each compilation uses all
    /// processors. Others wait in the order in which they came.
    #[must_use]
    pub fn with_concurrent_compilations(mut self, count: usize) -> Self {
        self.images.compilations = count;
        self
    }

    /// Definitions may name artifacts that are signed with this key in place of images. May be given several times; by
    /// default none is accepted. Its owner can run any code with this process's rights.
    #[must_use]
    pub fn accept_artifacts(mut self, key: ArtifactKey) -> Self {
        self.images.artifact_keys.push(key);
        self
    }
}

#[cfg(feature = "compiler")]
impl RunnerSettings {
    /// How images are compiled; [`Compiler::in_process`] by default. Where images are not the operator's own, give a
    /// [`Compiler::process`].
    #[must_use]
    pub fn with_compiler(mut self, compiler: Compiler) -> Self {
        self.images.compiler = compiler;
        self
    }

    /// Compiled code is kept in this folder between processes; default none.
    ///
    /// What lies there runs with the host's own rights. So nothing is loaded from or written into a folder that others
    /// may write to, or that lies in one where others could put another in its place; and no volume may contain it.
    #[must_use]
    pub fn with_code_cache(mut self, folder: PathBuf) -> Self {
        self.images.code_cache = Some(folder);
        self
    }

    /// The most bytes that the code cache may have, 1 GiB by default. What was used least recently goes first.
    #[must_use]
    pub fn with_code_cache_size(mut self, bytes: u64) -> Self {
        self.images.code_cache_bytes = bytes;
        self
    }
}
