//! The wasmtime engine that every task of a runner shares: configuration, compiled images, and the one epoch ticker.
//!
//! What is here decides what guests may cost before any of them runs: the pool's sizes, the stack, and the interval
//! at which running code gives way. What one task may use of it is [`crate::host`]'s business, and when it ends is
//! [`crate::task`]'s.
//!
//! Absent on purpose: wasm threads and shared memories, garbage collection, WASI 0.3 and the Winch compiler. Each
//! would widen what has to be trusted (features of the `wasmtime` crate that are not compiled in cannot be turned on
//! by a guest).

pub(crate) mod artifact;
#[cfg(feature = "compiler")]
mod cache;
mod code;
#[cfg(feature = "compiler")]
pub(crate) mod compile;
mod image;
mod images;
mod pool;
mod ticker;

use std::num::NonZeroUsize;
use std::sync::Arc;

#[cfg(feature = "compiler")]
use wasmtime::OptLevel;
use wasmtime::{Config, InstanceAllocationStrategy, PoolingAllocationConfig};

pub(crate) use self::image::{Image, Program};
pub use self::image::{ImageError, ImageProblem, ImportedInterface};
pub(crate) use self::images::Images;
pub(crate) use self::pool::{Pool, PoolPlaces};
use crate::cpu::Pulse;
pub(crate) use crate::settings::ImageSettings;

/// How often running guests are interrupted to give way, and so how long one may hold a thread at most.
///
/// A millisecond is short against a call over a network, and some hundred times the cost of the switch.
pub(crate) const EPOCH_INTERVAL: std::time::Duration = std::time::Duration::from_millis(1);

/// The largest image read from disk, in bytes: about twice the largest Python component seen (40 MB).
pub(crate) const MAX_IMAGE_BYTES: u64 = 96 << 20;

/// The most machine code of one image, in bytes: several times what the largest image that is read gives.
pub(crate) const MAX_CODE_BYTES: u64 = 512 << 20;

/// Core instances of one component. A component built by usual tools has between 3 and 12: its own module, the shims
/// that tie it to the canonical ABI, and adapters.
const MAX_CORE_INSTANCES_PER_COMPONENT: u32 = 64;

/// Linear memories of one component; usual ones have one or two.
const MAX_MEMORIES_PER_COMPONENT: u32 = 4;

/// Tables of one component; usual ones have two to four.
const MAX_TABLES_PER_COMPONENT: u32 = 16;

/// Linear memories in the pool for each instance in it.
const MEMORIES_PER_INSTANCE: u32 = 2;

/// Tables in the pool for each instance in it.
const TABLES_PER_INSTANCE: u32 = 4;

/// Elements of one table. A 40 MB Python component has 11,000 functions in its table.
const MAX_TABLE_ELEMENTS: usize = 65_536;

/// The stack of wasm code in one task, in bytes. wasmtime's default; deeper recursion traps.
const MAX_WASM_STACK: usize = 512 << 10;

/// The host's own stack under a task's wasm, in bytes: room for host calls above the wasm stack.
const ASYNC_STACK: usize = 1 << 20;

/// What the engine is built from: the part of [`crate::RunnerSettings`] that concerns execution.
#[derive(Debug, Clone)]
pub(crate) struct EngineSettings {
    /// How many instances may exist at once.
    pub(crate) max_instances: u32,
    /// The highest `memory` that a container may ask for, in bytes.
    pub(crate) max_memory: u64,
    /// How images are compiled and kept.
    pub(crate) images: ImageSettings,
    /// Whether memories stay readable after a guest has ended ([`crate::RunnerSettings::inspect_memory`]).
    pub(crate) inspectable: bool,
}

/// The engine could not be built.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// wasmtime refused its configuration or could not reserve address space for the pool.
    #[error(
        "the wasm engine could not start: {0:#}; the pool reserves address space for {1} instances, which `max_instances` lowers"
    )]
    Wasmtime(wasmtime::Error, u32),
    /// The thread that advances the epoch could not be started.
    #[error("the engine's clock thread could not start: {0}")]
    Ticker(#[source] std::io::Error),
}

/// One wasmtime engine with its ticker and images. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Engine {
    wasmtime: wasmtime::Engine,
    images: Arc<Images>,
    pool: Pool,
    pulse: Arc<Pulse>,
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine").finish_non_exhaustive()
    }
}

impl Engine {
    pub(crate) fn new(settings: &EngineSettings) -> Result<Self, EngineError> {
        let refused = |error| EngineError::Wasmtime(error, settings.max_instances);
        let wasmtime = wasmtime::Engine::new(&config(settings)).map_err(refused)?;
        let (pulse, watch) = Pulse::new();
        ticker::start(&wasmtime, EPOCH_INTERVAL, watch).map_err(EngineError::Ticker)?;
        let images = Images::new(&wasmtime, &settings.images).map_err(refused)?;
        let pool = Pool::new(places(settings));
        Ok(Self { wasmtime, images: Arc::new(images), pool, pulse: Arc::new(pulse) })
    }

    /// Who runs this engine's code says so here, or it is never interrupted.
    pub(crate) fn pulse(&self) -> &Arc<Pulse> {
        &self.pulse
    }

    /// What of the pool is free.
    pub(crate) fn pool(&self) -> &Pool {
        &self.pool
    }

    pub(crate) fn wasmtime(&self) -> &wasmtime::Engine {
        &self.wasmtime
    }

    pub(crate) fn images(&self) -> &Images {
        &self.images
    }
}

/// What the pool has places for.
fn places(settings: &EngineSettings) -> PoolPlaces {
    let instances = settings.max_instances;
    PoolPlaces {
        instances,
        memories: instances.saturating_mul(MEMORIES_PER_INSTANCE),
        tables: instances.saturating_mul(TABLES_PER_INSTANCE),
    }
}

fn config(settings: &EngineSettings) -> Config {
    let PoolPlaces { instances, memories, tables } = places(settings);
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(instances)
        // A core instance is only counted: its memory is allocated when it comes to be.
        .total_core_instances(instances.saturating_mul(MAX_CORE_INSTANCES_PER_COMPONENT))
        .total_memories(memories)
        .total_tables(tables)
        .total_stacks(instances)
        .max_core_instances_per_component(MAX_CORE_INSTANCES_PER_COMPONENT)
        .max_memories_per_component(MAX_MEMORIES_PER_COMPONENT)
        .max_tables_per_component(MAX_TABLES_PER_COMPONENT)
        .max_memories_per_module(1)
        .max_tables_per_module(4)
        .table_elements(MAX_TABLE_ELEMENTS)
        .max_memory_size(usize::try_from(settings.max_memory).unwrap_or(usize::MAX));

    let mut config = code_config();
    config
        .allocation_strategy(InstanceAllocationStrategy::Pooling(pool))
        .max_wasm_stack(MAX_WASM_STACK)
        .async_stack_size(ASYNC_STACK)
        // A guest's back trace is for its author, and the first frames are those that help.
        .wasm_backtrace_max_frames(NonZeroUsize::new(16))
        .coredump_on_trap(settings.inspectable);
    config
}

/// What compiled code depends on, of all that can be set: the same wherever code is made and wherever it runs. Whatever is
/// added here needs a word in [`code_description`].
pub(crate) fn code_config() -> Config {
    let mut config = Config::new();
    config.memory_init_cow(true).epoch_interruption(true);
    #[cfg(feature = "compiler")]
    config.cranelift_opt_level(OptLevel::Speed);
    config
}

/// The same in words, for errors that people read; wasmtime compares the settings themselves.
pub(crate) fn code_description() -> String {
    use std::env::consts::{ARCH, OS};
    format!("wasmtime {WASMTIME} {ARCH}-{OS} epochs")
}

/// The version of wasmtime that compiled code belongs to: its major one, as it writes it into the code.
const WASMTIME: &str = "48";
