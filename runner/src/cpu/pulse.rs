//! Tells the engine's clock thread whether any guest computes, so that an idle host is not woken a hundred times a second.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;

/// What guest threads hold: it says when a turn begins and ends.
#[derive(Debug)]
pub(crate) struct Pulse {
    shared: Arc<Shared>,
    wake: SyncSender<()>,
}

/// What the clock thread holds.
#[derive(Debug)]
pub(crate) struct PulseWatch {
    shared: Arc<Shared>,
    woken: Receiver<()>,
}

#[derive(Debug, Default)]
struct Shared {
    /// Turns that are under way.
    turns: AtomicUsize,
    /// The clock thread waits until it is woken.
    resting: AtomicBool,
}

impl Pulse {
    pub(crate) fn new() -> (Self, PulseWatch) {
        // One message is enough: it says that there is something to do, not how much.
        let (wake, woken) = sync_channel(1);
        let shared = Arc::new(Shared::default());
        (Self { shared: Arc::clone(&shared), wake }, PulseWatch { shared, woken })
    }

    /// A turn begins; it lasts until what is returned is dropped.
    pub(super) fn turn(&self) -> Turn<'_> {
        // Counted before `resting` is looked at, and the clock thread does the two the other way round: one of both sees
        // what the other did.
        self.shared.turns.fetch_add(1, Ordering::SeqCst);
        if self.shared.resting.load(Ordering::SeqCst) && self.shared.resting.swap(false, Ordering::SeqCst) {
            // Where it is full, it is being woken.
            let _ = self.wake.try_send(());
        }
        Turn(&self.shared)
    }
}

/// A turn that is under way.
#[derive(Debug)]
pub(super) struct Turn<'a>(&'a Shared);

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.0.turns.fetch_sub(1, Ordering::SeqCst);
    }
}

impl PulseWatch {
    /// Waits for `interval`, and then for as long as no turn is under way. Returns false when there will be none.
    pub(crate) fn wait(&self, interval: Duration) -> bool {
        if self.woken.recv_timeout(interval) == Err(RecvTimeoutError::Disconnected) {
            return false;
        }
        self.shared.resting.store(true, Ordering::SeqCst);
        let woken = self.shared.turns.load(Ordering::SeqCst) > 0 || self.woken.recv().is_ok();
        self.shared.resting.store(false, Ordering::SeqCst);
        woken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_rests_until_a_turn_begins_and_ends_with_the_last_guest_thread() {
        let (pulse, watch) = Pulse::new();
        let (ticked, ticks) = std::sync::mpsc::channel();
        let clock = std::thread::spawn(move || {
            while watch.wait(Duration::from_micros(10)) {
                let _ = ticked.send(());
            }
        });
        for _ in 0..1_000 {
            // However often it rests in between, a turn that lasts sees the clock tick.
            let turn = pulse.turn();
            while ticks.try_recv().is_ok() {}
            ticks.recv().unwrap();
            drop(turn);
        }
        drop(pulse);
        clock.join().unwrap();
    }
}
