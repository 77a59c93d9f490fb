//! `s3-paced BUCKET KEY SIZE COUNT INTERVAL_MICROSECONDS`: puts to S3 at a fixed rate, with the client of
//! `rolebox-guest`; each latency counts from when the put was due.
//!
//! One put that does not count comes first, so that the session and the connection are there. The copy of the body that
//! each put uses up is part of its latency: between two that are due there may be no time that is nobody's.

use std::process::ExitCode;
use std::thread::sleep;
use std::time::Duration;

use rolebox_bench_guests::{Outcome, finish, lines, words};
use rolebox_bench_workloads::arguments::{exactly, name, number};
use rolebox_bench_workloads::pace::at_rate;
use rolebox_bench_workloads::s3::body;
use rolebox_bench_workloads::timing::clock;
use rolebox_guest::s3::Client;

fn main() -> ExitCode {
    finish(run(&words()))
}

fn run(words: &[String]) -> Outcome {
    let [bucket, key, size, count, interval] = exactly("BUCKET KEY SIZE COUNT INTERVAL_MICROSECONDS", words)?;
    let (bucket, key) = (name("BUCKET", bucket)?, name("KEY", key)?);
    let (size, count) = (number("SIZE", size, 0)?, number("COUNT", count, 1)?);
    let interval = Duration::from_micros(number("INTERVAL_MICROSECONDS", interval, 1)?);
    let (client, body) = (Client::new(), body(size));
    let put = || client.put_object(&bucket, &key, body.clone()).send().map(drop);
    put()?;
    let now = clock();
    let sleep_until = |due: Duration| sleep(due.saturating_sub(now()));
    Ok(lines(&at_rate(interval, count, &now, sleep_until, put)?))
}
