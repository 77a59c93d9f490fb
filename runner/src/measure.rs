//! The moments at which a launch comes from one stage to the next, for benches.
//!
//! Without the cargo feature `measure` nothing of this is compiled but an empty function. With it, moments are kept
//! only while there is a [`Stages`], for the whole process: a bench launches one task at a time while it has one.
//!
//! The launch of a component that is a command is marked; that of a core module, or of a handler of requests, is not.

/// A moment in a launch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Stage {
    /// The image's entry in the code cache is open and its checksum was found right.
    CodeFetched,
    /// The code is mapped and can be linked.
    Deserialised,
    /// The image is linked against what the host grants.
    Linked,
    /// The task has its role session.
    SessionBound,
    /// The container has its mount points, and what it will see of the host; its store and instance come next.
    Opened,
    /// The instance is there; the guest is about to be called.
    Instantiated,
    /// The guest has returned.
    Returned,
    /// The container's store and instance are gone.
    TornDown,
}

#[cfg(feature = "measure")]
mod kept {
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::sync::{Mutex, MutexGuard, PoisonError};
    use std::time::Instant;

    use super::Stage;

    static WANTED: AtomicBool = AtomicBool::new(false);
    static KEPT: Mutex<Vec<(Stage, Instant)>> = Mutex::new(Vec::new());

    fn kept() -> MutexGuard<'static, Vec<(Stage, Instant)>> {
        KEPT.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has moments kept until it is dropped.
    #[derive(Debug)]
    pub struct Stages(());

    impl Stages {
        /// Keeps moments from now on.
        #[must_use]
        pub fn keep() -> Self {
            kept().clear();
            WANTED.store(true, Ordering::Relaxed);
            Self(())
        }

        /// The moments since the last time, in their order.
        #[must_use]
        pub fn take(&self) -> Vec<(Stage, Instant)> {
            std::mem::take(&mut *kept())
        }
    }

    impl Drop for Stages {
        fn drop(&mut self) {
            WANTED.store(false, Ordering::Relaxed);
        }
    }

    pub(crate) fn reached(stage: Stage) {
        if WANTED.load(Ordering::Relaxed) {
            kept().push((stage, Instant::now()));
        }
    }
}

#[cfg(feature = "measure")]
pub use kept::Stages;
#[cfg(feature = "measure")]
pub(crate) use kept::reached;

/// Notes that a launch has come this far.
#[cfg(not(feature = "measure"))]
pub(crate) fn reached(_: Stage) {}
