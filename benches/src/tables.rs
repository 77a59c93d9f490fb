//! The ten tables, one file each.

mod alone;
mod baselines;
mod calls;
mod checks;
mod compute;
mod crowds;
mod host_calls;
mod idle;
mod launch;
mod neighbours;
mod overrun;
mod rates;

use anyhow::Result;
use rolebox_bench_report::rows::Table;

use crate::bench::Bench;
use crate::hosts::{Host, settings};
use crate::inputs::{GUESTS, Inputs, SMALL};

pub(crate) use self::baselines::versions;
pub(crate) use self::idle::{idle_processes_until_failure, idle_tasks_until_failure};
pub(crate) use self::rates::tasks_in_a_process;

/// Measures one table in this process.
pub(crate) fn measure(table: Table, bench: &mut Bench) -> Result<()> {
    match table {
        Table::T1 => launch::measure(bench),
        Table::T2 => crowds::measure(bench),
        Table::T3 => rates::measure(bench),
        Table::T4 => idle::measure(bench),
        Table::T5 => compute::measure(bench),
        Table::T6 => host_calls::measure(bench),
        Table::T7 => calls::measure(bench),
        Table::T8 => checks::measure(bench),
        Table::T9 => neighbours::measure(bench),
        Table::T10 => overrun::measure(bench),
    }
}

/// Compiles the guests once, so that no process of the run has to.
pub(crate) fn prepare(inputs: &Inputs) -> Result<()> {
    let host = Host::new(settings(), inputs)?;
    for guest in GUESTS {
        host.prepare(&inputs.guest(guest), &[])?;
    }
    for small in SMALL {
        host.prepare(&inputs.small(small), &[])?;
    }
    Ok(())
}
