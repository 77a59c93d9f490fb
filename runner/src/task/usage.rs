//! What a container used of the host, readable also when its store is gone.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::served::RequestCounts;

/// Counted while the container runs; a clone counts the same.
#[derive(Debug, Clone, Default)]
pub(super) struct ContainerUsage {
    /// Bytes.
    pub(super) peak_memory: Arc<AtomicU64>,
    /// Nanoseconds.
    pub(super) computed: Arc<AtomicU64>,
    /// Of a container that serves.
    pub(super) requests: RequestCounts,
}

impl ContainerUsage {
    /// The most linear memory and tables at one time, in bytes.
    pub(super) fn peak_memory(&self) -> u64 {
        self.peak_memory.load(Ordering::Relaxed)
    }

    /// The processor time.
    pub(super) fn cpu_time(&self) -> Duration {
        Duration::from_nanos(self.computed.load(Ordering::Relaxed))
    }
}
