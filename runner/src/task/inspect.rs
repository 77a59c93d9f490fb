//! Shows a guest's linear memories to [`RunnerSettings::inspect_memory`](crate::RunnerSettings::inspect_memory).
//!
//! wasmtime shows the memories inside a component only in the core dump of a trap. So a guest that ended well is
//! entered once more with its time used up: it traps at its first instruction, and nothing of it has run.

use wasmtime::{Store, WasmCoreDump};

use crate::settings::MemoryInspector;

/// Shows the memories if `error` brought a core dump. If not, prepares `store` so that the next entry traps and brings
/// one, and returns true.
pub(super) fn after<T: 'static>(
    store: &mut Store<T>,
    error: Option<&wasmtime::Error>,
    inspector: &MemoryInspector,
) -> bool {
    match error.and_then(|error| error.downcast_ref::<WasmCoreDump>()) {
        Some(dump) => {
            for memory in dump.memories() {
                inspector(memory.data(&mut *store));
            }
            false
        }
        None => {
            store.epoch_deadline_trap();
            store.set_epoch_deadline(0);
            error.is_none()
        }
    }
}
