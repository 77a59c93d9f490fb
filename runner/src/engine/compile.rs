//! Compiling an image to machine code, bounded in time, memory and number.
//!
//! Cranelift cannot be interrupted, and what it needs for a hostile image is bounded by nothing but [`check`]. So an
//! operator who runs images of others has them compiled in a process of their own, which the host can end: see
//! [`Compiler::process`]. Both ways give the same bytes, in wasmtime's own format, from the same settings; which
//! settings those are is said once, in [`code_config`](super::code_config), and compared by [`EngineKey`].
//!
//! Absent: who may compile when, which is [`super::images`]' business, and where code is kept ([`super::cache`]).

mod check;
mod frame;
mod process;
mod worker;

use std::ffi::OsString;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::path::PathBuf;
use std::time::Duration;

use sha2::{Digest, Sha256};
use wasmtime::Engine;

pub use self::worker::compile_worker;
use super::code_config;
use super::image::{ImageKind, ImageProblem};

/// How long a compiler process may take by default: a hundred times what a 3 MB component takes on two cores, and ten times
/// what one of 40 MB does with a whole Python in it.
const DEFAULT_TIME: Duration = Duration::from_secs(120);

/// The longest that can be given: what takes a day is not compiled.
const MOST_TIME: Duration = Duration::from_secs(24 * 3600);

/// The address space that a compiler process may have by default, in bytes.
const DEFAULT_MEMORY: u64 = 2 << 30;

/// The least address space that a compiler process can start with, in bytes: its own code and its threads' stacks.
const LEAST_MEMORY: u64 = 256 << 20;

/// How images are compiled; see [`RunnerSettings::with_compiler`](crate::RunnerSettings::with_compiler).
#[derive(Debug, Clone, Default)]
pub struct Compiler(Way);

#[derive(Debug, Clone, Default)]
enum Way {
    #[default]
    InProcess,
    Process(CompilerProcess),
}

impl Compiler {
    /// In this process, on a thread of its own. Nothing but the image's size and form bounds what it takes: for images
    /// that the operator trusts not to be made to waste his time.
    #[must_use]
    pub fn in_process() -> Self {
        Self(Way::InProcess)
    }

    /// In a process for each image, which is ended when it exceeds its limits.
    #[must_use]
    pub fn process(process: CompilerProcess) -> Self {
        Self(Way::Process(process))
    }

    /// The machine code of `image`, which is of that kind, for engines of `key`, which is `target`'s. Gives up when
    /// `cancelled` says so, where it can.
    pub(super) fn compile(
        &self,
        image: &[u8],
        kind: ImageKind,
        (target, key): (Target, EngineKey),
        cancelled: &dyn Fn() -> bool,
    ) -> Result<Vec<u8>, ImageProblem> {
        match &self.0 {
            Way::InProcess => {
                let engine = target.engine()?;
                if EngineKey::of(&engine) != key {
                    return Err(ImageProblem::Engine(
                        "it was started with other settings than code is made for".to_owned(),
                    ));
                }
                compile(&engine, image, kind)
            }
            Way::Process(process) => process.compile(image, (target, key), cancelled),
        }
    }
}

/// A program that compiles one image and ends: one that calls [`compile_worker`] and nothing else, such as the embedder's
/// own with an argument that tells it so.
///
/// It is started with an empty environment in a process group of its own, limits itself before it looks at the image,
/// and is killed with all of its group when its time is over or its starter ends.
#[derive(Debug, Clone)]
pub struct CompilerProcess {
    command: PathBuf,
    arguments: Vec<OsString>,
    time: Duration,
    memory: u64,
}

impl CompilerProcess {
    /// The program at `command`, an absolute path, with these arguments; 120 s and 2 GiB for each image.
    ///
    /// It must be of the same version as this library, which is checked. `/proc/self/exe` is the program that runs now,
    /// also when its file has been replaced since.
    #[must_use]
    pub fn new<A: Into<OsString>>(command: impl Into<PathBuf>, arguments: impl IntoIterator<Item = A>) -> Self {
        let arguments = arguments.into_iter().map(Into::into).collect();
        Self { command: command.into(), arguments, time: DEFAULT_TIME, memory: DEFAULT_MEMORY }
    }

    /// How long one image may take, from the start of the process to its last byte; 120 s by default, a day at most.
    #[must_use]
    pub fn with_time(mut self, time: Duration) -> Self {
        self.time = time.min(MOST_TIME);
        self
    }

    /// The address space that the process may have, in bytes; 2 GiB by default, and never less than 256 MiB, which it
    /// takes to start.
    #[must_use]
    pub fn with_memory(mut self, memory: u64) -> Self {
        self.memory = memory.max(LEAST_MEMORY);
        self
    }
}

/// A compiler process gave no code. The image may be good: the limits are the operator's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CompileFailure {
    /// Its time was over.
    #[error("the compiler was ended after {} s; `CompilerProcess::with_time` or `--compile-timeout` gives it more", .limit.as_secs_f64())]
    OutOfTime {
        /// The time that it had.
        limit: Duration,
    },
    /// It asked for more memory than it may have.
    #[error("the compiler needs more than {} MiB; `CompilerProcess::with_memory` or `--compile-memory` gives it more", .limit >> 20)]
    OutOfMemory {
        /// What it had, in bytes.
        limit: u64,
    },
    /// It ended without an answer.
    #[error("the compiler {how}{}", said(.stderr))]
    Crashed {
        /// How it ended.
        how: String,
        /// The beginning of what it wrote to its standard error.
        stderr: String,
    },
    /// Its answer is not what a compiler process of this library gives.
    #[error(
        "{} answers other than a compiler process of this version does; correct the command in `CompilerProcess::new`",
        .command.display()
    )]
    Unintelligible {
        /// The program.
        command: PathBuf,
    },
    /// It is of another version, or built with other settings.
    #[error("{} compiles for another version or other settings of the engine; install both from one build", .command.display())]
    Mismatch {
        /// The program.
        command: PathBuf,
    },
    /// It could not be started.
    #[error("the compiler {} cannot be started: {reason}", .command.display())]
    NotStarted {
        /// The program.
        command: PathBuf,
        /// What the system said.
        reason: String,
    },
    /// The runner was dropped meanwhile.
    #[error("the runner ended before the image was compiled")]
    Cancelled,
}

fn said(stderr: &str) -> String {
    let stderr = stderr.trim();
    if stderr.is_empty() { String::new() } else { format!(", saying: {stderr}") }
}

impl CompileFailure {
    /// Whether the image is the reason, so that it fails again when it is compiled again right away.
    pub(super) fn is_the_images(&self) -> bool {
        matches!(self, Self::OutOfTime { .. } | Self::OutOfMemory { .. } | Self::Crashed { .. })
    }
}

/// What code is made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Target {
    /// This machine, with every instruction that its processor has.
    ThisMachine,
    /// Any machine of this architecture with Linux: only instructions that all of them have.
    AnyMachine,
}

impl Target {
    pub(super) fn engine(self) -> Result<Engine, ImageProblem> {
        let mut config = code_config();
        if self == Self::AnyMachine {
            // The C library is not part of what code depends on.
            let target = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
            config.target(&target).map_err(|error| ImageProblem::Engine(format!("{error:#}")))?;
        }
        Engine::new(&config).map_err(|error| ImageProblem::Engine(format!("{error:#}")))
    }
}

/// Validates, measures and compiles.
fn compile(engine: &Engine, image: &[u8], kind: ImageKind) -> Result<Vec<u8>, ImageProblem> {
    check::check(image)?;
    let code = match kind {
        ImageKind::Component => engine.precompile_component(image),
        ImageKind::Module => engine.precompile_module(image),
    };
    code.map_err(|error| ImageProblem::Invalid(format!("{error:#}")))
}

/// Everything of an engine that code depends on: wasmtime's version, the target and its settings.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct EngineKey([u8; 32]);

impl EngineKey {
    pub(super) const BYTES: usize = 32;

    pub(super) fn of(engine: &Engine) -> Self {
        let mut hasher = Sha256Hasher(Sha256::new());
        engine.precompile_compatibility_hash().hash(&mut hasher);
        Self(hasher.0.finalize().into())
    }

    pub(super) fn bytes(&self) -> &[u8; Self::BYTES] {
        &self.0
    }
}

impl fmt::Display for EngineKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Enough to tell apart the few that one machine ever has; entries hold the whole.
        self.0.iter().take(8).try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for EngineKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EngineKey({self})")
    }
}

/// What `Hash` feeds to a hasher, hashed so that no two inputs meet.
struct Sha256Hasher(Sha256);

impl Hasher for Sha256Hasher {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The first bytes; whoever wants them all takes the digest.
    fn finish(&self) -> u64 {
        let digest: [u8; 32] = self.0.clone().finalize().into();
        digest.first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes))
    }
}
