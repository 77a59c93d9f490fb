//! `s3-sdk put|get BUCKET KEY SIZE COUNT WARM_UP`: calls of S3 with the official AWS SDK.
//!
//! With `AWS_REQUEST_CHECKSUM_CALCULATION=when_required`, the SDKs' own setting, the SDK leaves out the checksum that
//! it would compute over each body in the guest: the host hashes what it signs in any case.

use std::process::ExitCode;

use aws_sdk_s3::config::{Builder, RequestChecksumCalculation};
use rolebox_bench_guests::{Outcome, finish, lines, words};
use rolebox_bench_workloads::s3::{Plan, calls};
use rolebox_guest::{aws_config, block_on};

fn main() -> ExitCode {
    finish(run(&words()))
}

fn run(words: &[String]) -> Outcome {
    let plan = Plan::parse(words)?;
    let mut config = Builder::from(&aws_config());
    if std::env::var("AWS_REQUEST_CHECKSUM_CALCULATION").is_ok_and(|setting| setting == "when_required") {
        config = config.request_checksum_calculation(RequestChecksumCalculation::WhenRequired);
    }
    let client = aws_sdk_s3::Client::from_conf(config.build());
    Ok(lines(&block_on(calls(&client, &plan))?))
}
