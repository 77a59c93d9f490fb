//! `allocate [MIB]`: takes so much memory, or without an argument all there is, a MiB at a time, and writes to every
//! page of it. Prints `allocated N MiB`; a refusal ends it with `refused after N MiB` and failure.

use std::process::ExitCode;

use rolebox_test_guests::{arguments, number};

const MIB: usize = 1 << 20;

fn main() -> ExitCode {
    let wanted = match arguments().first() {
        None => u64::MAX,
        argument => number(argument, "a number of MiB"),
    };
    let mut held: Vec<Vec<u8>> = Vec::new();
    for allocated in 0..wanted {
        let mut block = Vec::new();
        if held.try_reserve(1).is_err() || block.try_reserve_exact(MIB).is_err() {
            // What is held is let go first: printing allocates.
            drop(held);
            println!("refused after {allocated} MiB");
            return ExitCode::FAILURE;
        }
        block.resize(MIB, 0xA5);
        held.push(std::hint::black_box(block));
    }
    println!("allocated {wanted} MiB");
    ExitCode::SUCCESS
}
