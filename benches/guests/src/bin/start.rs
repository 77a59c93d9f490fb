//! `start`: ends at once. `start list`: lists buckets with the official AWS SDK, and prints how many there are.
//!
//! Either way the SDK is linked, and so this guest is as large as real ones are: for what a start costs.

use std::process::ExitCode;

use rolebox_bench_guests::{Outcome, finish};
use rolebox_guest::{aws_config, block_on, code_and_message};

fn main() -> ExitCode {
    if std::env::args().nth(1).as_deref() == Some("list") { finish(list()) } else { ExitCode::SUCCESS }
}

fn list() -> Outcome {
    let client = aws_sdk_s3::Client::new(&aws_config());
    let listed = block_on(client.list_buckets().send()).map_err(|error| code_and_message(&error))?;
    Ok(format!("{}\n", listed.buckets().len()))
}
