//! What one instance may use of the host's memory, enforced where wasmtime asks before it grants.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use wasmtime::ResourceLimiter;

/// What one element of a table costs the host, in bytes: a pointer, whatever it refers to.
const TABLE_ELEMENT_BYTES: usize = size_of::<usize>();

/// The container's memory is used up; this ends the container, as ECS ends one that exceeds its hard limit.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("the container needs more than its {limit} bytes of memory")]
pub(crate) struct MemoryLimitExceeded {
    pub(crate) limit: u64,
}

/// Counts all linear memories and tables of one store together.
///
/// Nothing is ever given back. wasmtime reports a failed growth also where it did not ask first, and without its size,
/// so a guest could have an earlier growth taken back by making later ones fail; and what is granted here fails only
/// when the host itself is out of memory.
#[derive(Debug)]
pub(crate) struct MemoryLimiter {
    limit: u64,
    used: u64,
    peak: Arc<AtomicU64>,
}

impl MemoryLimiter {
    /// `limit` is in bytes. `peak` is kept at the most that was in use at one time, which is all that was granted, since
    /// memories never shrink; it is shared so that it can be read when the store is gone, and among stores of which the
    /// largest counts.
    pub(crate) fn new(limit: u64, peak: Arc<AtomicU64>) -> Self {
        Self { limit, used: 0, peak }
    }

    fn grow(&mut self, bytes: u64) -> wasmtime::Result<bool> {
        let wanted = self.used.saturating_add(bytes);
        if wanted > self.limit {
            return Err(wasmtime::Error::new(MemoryLimitExceeded { limit: self.limit }));
        }
        self.used = wanted;
        self.peak.fetch_max(wanted, Ordering::Relaxed);
        Ok(true)
    }
}

impl ResourceLimiter for MemoryLimiter {
    fn memory_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> wasmtime::Result<bool> {
        if maximum.is_some_and(|maximum| desired > maximum) {
            // Beyond what the memory itself declares: its own `memory.grow` answers -1, and nothing was used.
            return Ok(false);
        }
        self.grow(desired.saturating_sub(current) as u64)
    }

    fn table_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> wasmtime::Result<bool> {
        if maximum.is_some_and(|maximum| desired > maximum) {
            return Ok(false);
        }
        let elements = desired.saturating_sub(current);
        self.grow(elements.saturating_mul(TABLE_ELEMENT_BYTES) as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: usize = 64 << 10;

    fn limiter(pages: u64) -> MemoryLimiter {
        MemoryLimiter::new(pages * PAGE as u64, Arc::default())
    }

    #[test]
    fn memories_and_tables_share_one_limit() {
        let mut limiter = limiter(4);
        assert!(limiter.memory_growing(0, 2 * PAGE, None).unwrap());
        assert!(limiter.memory_growing(0, PAGE, None).unwrap());
        assert!(limiter.table_growing(0, PAGE / TABLE_ELEMENT_BYTES, None).unwrap());
        let refused = limiter.table_growing(0, 1, None).unwrap_err();
        assert_eq!(refused.downcast_ref::<MemoryLimitExceeded>().unwrap().limit, 4 * PAGE as u64);
        assert_eq!(limiter.peak.load(Ordering::Relaxed), 4 * PAGE as u64);
    }

    #[test]
    fn a_failure_that_was_never_asked_for_frees_nothing() {
        let mut limiter = limiter(2);
        assert!(limiter.memory_growing(0, 2 * PAGE, None).unwrap());
        limiter.memory_grow_failed(wasmtime::Error::msg("beyond what the type allows")).unwrap();
        assert!(limiter.memory_growing(2 * PAGE, 3 * PAGE, None).is_err());
    }

    #[test]
    fn growth_past_the_declared_maximum_is_the_guests_own_failure() {
        let mut limiter = limiter(64);
        assert!(!limiter.memory_growing(PAGE, 3 * PAGE, Some(2 * PAGE)).unwrap());
        assert!(!limiter.table_growing(0, 11, Some(10)).unwrap());
        assert_eq!(limiter.peak.load(Ordering::Relaxed), 0);
    }
}
