//! Who computes when: guests run on threads of the runner's own, in turns that `cpu` weighs.
//!
//! ECS on EC2 gives each container a relative share of the processor by its `cpu`, and lets it borrow what others leave.
//! There the kernel does it, with a control group for each task; here many tasks share one process, so the runner does
//! it: [`shares`] decides, [`executor`] polls. A turn ends when the guest waits for something or when the engine's epoch
//! has advanced, so a guest that never calls the host delays others by one epoch.
//!
//! Guests have threads of their own because they compute. On the embedder's async threads a few busy guests would hold
//! up everything else there, the way out to AWS among it; on their own threads they compete with it as threads do, and
//! the system favours the one that mostly waits.
//!
//! Absent: more than one core for a task, threads inside a guest, and binding tasks to cores.

mod executor;
mod pulse;
mod runtime;
mod shares;

pub(crate) use self::executor::{CpuBudget, Cut, Executor, FirstTurn, Guest, TaskShare};
pub(crate) use self::pulse::{Pulse, PulseWatch};
pub(crate) use self::runtime::in_runtime;
use crate::definition::CORE;
