//! What the pool of instances has room for, counted before a guest starts.
//!
//! wasmtime's pool has a fixed number of places for instances, memories and tables, and one component can need several of
//! each. A place that is missing in the middle of a start would be an error deep inside it, and a component that needs many
//! would take them from tasks that were let in already. So a task takes all places that its commands can need before
//! anything of it is begun, or is refused. A container that serves takes those of an instance for each request, when it
//! comes: so many requests can leave no room for another task.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use super::Program;

/// Places of one kind that are free.
#[derive(Debug)]
struct Places {
    total: u32,
    free: AtomicU32,
}

impl Places {
    fn new(total: u32) -> Self {
        Self { total, free: AtomicU32::new(total) }
    }

    fn take(&self, count: u32) -> bool {
        let less = |free: u32| free.checked_sub(count);
        self.free.fetch_update(Ordering::AcqRel, Ordering::Acquire, less).is_ok()
    }

    fn give_back(&self, count: u32) {
        self.free.fetch_add(count, Ordering::AcqRel);
    }
}

/// How many places of each kind something needs, or the pool has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct PoolPlaces {
    pub(crate) instances: u32,
    pub(crate) memories: u32,
    pub(crate) tables: u32,
}

impl PoolPlaces {
    /// What one instance of `program` needs.
    pub(crate) fn of(program: &Program) -> Self {
        let required = match program {
            Program::Component(program) => program.component().resources_required(),
            Program::Module(module) => Some(module.module().resources_required()),
        };
        match required {
            Some(required) => Self { instances: 1, memories: required.num_memories, tables: required.num_tables },
            // A component that is given core modules from outside: the host gives none, so it cannot be linked.
            None => Self {
                instances: 1,
                memories: super::MAX_MEMORIES_PER_COMPONENT,
                tables: super::MAX_TABLES_PER_COMPONENT,
            },
        }
    }

    /// Both together.
    pub(crate) fn and(self, other: Self) -> Self {
        Self {
            instances: self.instances.saturating_add(other.instances),
            memories: self.memories.saturating_add(other.memories),
            tables: self.tables.saturating_add(other.tables),
        }
    }
}

/// The pool is full.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "RESOURCE:{kind}: the task needs {needed} more {name} than the host has free of its {total}; wait until other tasks have \
     ended, or raise `max_instances`"
)]
pub(crate) struct PoolFull {
    kind: &'static str,
    name: &'static str,
    needed: u32,
    total: u32,
}

/// The places of one engine. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Pool(Arc<Kinds>);

#[derive(Debug)]
struct Kinds {
    instances: Places,
    memories: Places,
    tables: Places,
}

impl Pool {
    pub(super) fn new(places: PoolPlaces) -> Self {
        Self(Arc::new(Kinds {
            instances: Places::new(places.instances),
            memories: Places::new(places.memories),
            tables: Places::new(places.tables),
        }))
    }

    /// Takes all of `places` or none.
    pub(crate) fn take(&self, places: PoolPlaces) -> Result<PoolShare, PoolFull> {
        // Given back on every way out, what was not taken not counted.
        let mut share = PoolShare { pool: self.clone(), places: PoolPlaces::default() };
        let kinds = &self.0;
        let full = |kind, name, needed: u32, places: &Places| PoolFull {
            kind,
            name,
            needed: needed.saturating_sub(places.free.load(Ordering::Acquire)).max(1),
            total: places.total,
        };
        if !kinds.instances.take(places.instances) {
            return Err(full("INSTANCES", "instances", places.instances, &kinds.instances));
        }
        share.places.instances = places.instances;
        if !kinds.memories.take(places.memories) {
            return Err(full("MEMORIES", "linear memories", places.memories, &kinds.memories));
        }
        share.places.memories = places.memories;
        if !kinds.tables.take(places.tables) {
            return Err(full("TABLES", "tables", places.tables, &kinds.tables));
        }
        share.places.tables = places.tables;
        Ok(share)
    }
}

/// Places that a task holds until this is dropped.
#[derive(Debug)]
pub(crate) struct PoolShare {
    pool: Pool,
    places: PoolPlaces,
}

impl Drop for PoolShare {
    fn drop(&mut self) {
        self.pool.0.instances.give_back(self.places.instances);
        self.pool.0.memories.give_back(self.places.memories);
        self.pool.0.tables.give_back(self.places.tables);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FOUR: PoolPlaces = PoolPlaces { instances: 4, memories: 4, tables: 8 };

    fn places(instances: u32, memories: u32, tables: u32) -> PoolPlaces {
        PoolPlaces { instances, memories, tables }
    }

    #[test]
    fn what_is_not_free_is_refused_whole_and_comes_back_when_a_share_is_dropped() {
        let pool = Pool::new(FOUR);
        let first = pool.take(places(1, 3, 2)).unwrap();
        for (wanted, kind) in [
            (places(4, 1, 1), "RESOURCE:INSTANCES: the task needs 1 more instances than the host has free of its 4"),
            (
                places(1, 2, 1),
                "RESOURCE:MEMORIES: the task needs 1 more linear memories than the host has free of its 4",
            ),
            (places(1, 1, 9), "RESOURCE:TABLES: the task needs 3 more tables than the host has free of its 8"),
        ] {
            let refused = pool.take(wanted).unwrap_err().to_string();
            assert!(refused.starts_with(kind), "{refused}");
        }
        // A refusal took nothing.
        let second = pool.take(places(3, 1, 6)).unwrap();
        drop(first);
        drop(second);
        drop(pool.take(places(4, 4, 8)).unwrap());
    }

    #[test]
    fn many_takers_never_hold_more_than_there_is() {
        let pool = Pool::new(FOUR);
        let held = AtomicU32::new(0);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..10_000 {
                        if let Ok(_share) = pool.take(places(1, 1, 1)) {
                            assert!(held.fetch_add(1, Ordering::SeqCst) < 4);
                            held.fetch_sub(1, Ordering::SeqCst);
                        }
                    }
                });
            }
        });
        drop(pool.take(FOUR).unwrap());
    }
}
