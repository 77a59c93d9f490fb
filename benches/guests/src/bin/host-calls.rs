//! `host-calls KIND COUNT`: what a call of the host costs. COUNT lines, on each the mean of one batch of calls; one
//! batch before them does not count.
//!
//! | KIND | one call | calls a batch |
//! |---|---|---|
//! | `empty` | the monotonic clock: a number comes back | 10,000 |
//! | `strings` | a GetObject that no capability grants: strings go there and back, and the host checks them | 100 |
//! | `random-1k` | 1 KiB of random bytes: a list comes back | 1,000 |
//! | `random-1m` | 1 MiB of random bytes | 10 |
//! | `write-4k` | a line of 4 KiB to stdout, written and flushed; the results go to stderr | 100 |

use std::error::Error;
use std::hint::black_box;
use std::process::ExitCode;

use rolebox_bench_guests::{Outcome, finish, finish_on_stderr, lines, words};
use rolebox_bench_workloads::arguments::{ArgumentError, exactly, number};
use rolebox_bench_workloads::timing::{clock, each};
use rolebox_guest::s3::Client;
use wasip2::cli::stdout::get_stdout;
use wasip2::clocks::monotonic_clock;
use wasip2::random::random::get_random_bytes;

/// No definition of the benches grants anything on it.
const NOT_GRANTED: &str = "rolebox-bench-not-granted";

/// As much as one call may write.
const LINE: usize = 4_096;

fn main() -> ExitCode {
    let words = words();
    let to_stdout = words.first().is_some_and(|kind| kind == "write-4k");
    let outcome = run(&words);
    if to_stdout { finish_on_stderr(outcome) } else { finish(outcome) }
}

fn run(words: &[String]) -> Outcome {
    let [kind, count] = exactly("KIND COUNT", words)?;
    let count = number("COUNT", count, 1)?;
    match kind.as_str() {
        "empty" => batches(count, 10_000, || {
            black_box(monotonic_clock::now());
            Ok(())
        }),
        "strings" => {
            let client = Client::new();
            batches(count, 100, || match client.get_object(NOT_GRANTED, "key") {
                Err(rolebox_guest::Error::Denied(_)) => Ok(()),
                Err(error) => Err(error.into()),
                Ok(_) => Err(format!("the task may read {NOT_GRANTED}, which is to be denied").into()),
            })
        }
        "random-1k" => batches(count, 1_000, || random(1 << 10)),
        "random-1m" => batches(count, 10, || random(1 << 20)),
        "write-4k" => {
            let mut line = vec![b'x'; LINE];
            line[LINE - 1] = b'\n';
            let stdout = get_stdout();
            batches(count, 100, || Ok(stdout.blocking_write_and_flush(&line)?))
        }
        word => {
            let known = vec!["empty", "strings", "random-1k", "random-1m", "write-4k"];
            Err(ArgumentError::Choice { what: "KIND", word: word.to_owned(), known }.into())
        }
    }
}

fn random(size: u64) -> Result<(), Box<dyn Error>> {
    black_box(get_random_bytes(size));
    Ok(())
}

/// Times `count` batches of `size` calls, after one that does not count, and gives what a call took in each.
fn batches(count: usize, size: u64, mut call: impl FnMut() -> Result<(), Box<dyn Error>>) -> Outcome {
    let batch = |()| (0..size).try_for_each(|_| call());
    let took = each(count, 1, clock(), || (), batch)?;
    let of_a_call: Vec<u64> = took.iter().map(|nanoseconds| (nanoseconds + size / 2) / size).collect();
    Ok(lines(&of_a_call))
}
