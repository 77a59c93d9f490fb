//! `compute KERNEL COUNT WARM_UP`: runs a compute kernel; at the end the line `checksum N`. `compute list`: the names
//! of all kernels, a line each.

use std::process::ExitCode;

use rolebox_bench_guests::{Outcome, finish, lines, words};
use rolebox_bench_workloads::arguments::{exactly, number};
use rolebox_bench_workloads::kernels::{ALL, Kernel};
use rolebox_bench_workloads::timing::clock;

fn main() -> ExitCode {
    finish(run(&words()))
}

fn run(words: &[String]) -> Outcome {
    if words == ["list"] {
        return Ok(ALL.iter().map(|kernel| format!("{}\n", kernel.name)).collect());
    }
    let [kernel, count, warm_up] = exactly("KERNEL COUNT WARM_UP", words)?;
    let (count, warm_up) = (number("COUNT", count, 1)?, number("WARM_UP", warm_up, 0)?);
    let measured = Kernel::named(kernel)?.measure(count, warm_up, clock());
    Ok(format!("{}checksum {}\n", lines(&measured.nanoseconds), measured.checksum))
}
