//! T9: what one task's S3 puts take beside others that take what they can get, at equal shares.
//!
//! The load is open: a put is due every twenty milliseconds whether or not the one before has ended, and its latency
//! counts from when it was due. So a host that stands still for a while is charged with all that came due meanwhile.
//! The neighbours have the same `cpu` as the measured task.

use anyhow::{Context, Result};
use rolebox::output::TaskOutput;
use rolebox_bench_report::rows::Unit;

use crate::bench::{Bench, part};
use crate::hosts::{Host, numbers, settings_at};
use crate::server::Server;
use crate::tables::idle::stop_all;

/// Microseconds between two puts. A put computes for some hundred microseconds of the guest's share, so that at this
/// rate the measured task asks for less than it is due beside the most neighbours: a task that asks for more waits
/// rightly.
const INTERVAL: &str = "20000";

/// Puts at the beginning of a run that do not count: the task's own start computes as much as several puts.
const WARM_UP: usize = 10;

/// Neighbours at once.
const NEIGHBOURS: [usize; 3] = [1, 8, 64];

pub(crate) fn measure(bench: &mut Bench) -> Result<()> {
    let inputs = bench.inputs.clone();
    let server = Server::start()?;
    let host = Host::new(settings_at(server.url())?, &inputs)?;
    let puts = bench.choose("110", "16");
    let measured = host.prepare(&inputs.guest("s3-paced"), &["bench", "paced", "1024", puts, INTERVAL])?;
    let mut places = vec![("alone".to_owned(), None)];
    for does in ["spin", "allocate", "print"] {
        let neighbour = host.prepare_with(&inputs.guest("neighbour"), &[does], |document| {
            document["rolebox"]["limits"] = serde_json::json!({"outputBytes": 1_u64 << 40});
        })?;
        for count in NEIGHBOURS {
            let verb = if count == 1 { format!("{does}s") } else { does.to_owned() };
            places.push((format!("beside {count} that {verb}"), Some((neighbour.clone(), count))));
        }
    }
    // Each process begins with another one, so that none is always the first or the last.
    let places: Vec<_> = {
        let first = bench.process * 3 % places.len();
        let (before, from) = places.split_at(first);
        from.iter().chain(before).cloned().collect()
    };
    host.run(&measured).context("the first puts")?;
    let mut p99 = Vec::new();
    for (place, neighbours) in &places {
        let _entered = host.runtime.enter();
        let running: Vec<_> = match neighbours {
            Some((task, count)) => (0..*count).map(|_| task.start(TaskOutput::Discard)).collect(),
            None => Vec::new(),
        };
        let taken = numbers(&host.run(&measured)?.0)?;
        host.runtime.block_on(stop_all(running))?;
        let samples: Vec<f64> =
            taken.iter().skip(bench.choose(WARM_UP, WARM_UP / 2)).map(|nanoseconds| nanoseconds / 1e9).collect();
        p99.push((place.clone(), part(&samples, 0.99)));
        bench.samples(&format!("put of 1 KiB, {place}"), Unit::Seconds, samples)?;
    }
    let alone = p99.iter().find(|(place, _)| place == "alone").context("alone")?.1;
    for (place, of) in p99.iter().filter(|(place, _)| place != "alone") {
        bench.samples(&format!("p99 {place} to p99 alone"), Unit::Ratio, vec![of / alone])?;
    }
    Ok(())
}
