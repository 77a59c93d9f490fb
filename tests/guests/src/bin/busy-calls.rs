//! `busy-calls N BUCKET`: asks for the bucket's head N times, one after the other. Prints `N ok` and, for each other
//! outcome, `N` and the case: `12 quota`. Succeeds if all went well.

use std::collections::BTreeMap;
use std::process::ExitCode;

use rolebox_guest::{Error, s3};
use rolebox_test_guests::{arguments, number};

fn main() -> ExitCode {
    let arguments = arguments();
    let calls = number(arguments.first(), "a number of calls");
    let bucket = arguments.get(1).expect("usage: busy-calls N BUCKET");
    let s3 = s3::Client::new();
    let mut outcomes: BTreeMap<String, u64> = BTreeMap::new();
    for _ in 0..calls {
        let outcome = match s3.head_bucket(bucket) {
            Ok(()) => "ok".to_owned(),
            Err(Error::Denied(_)) => "denied".to_owned(),
            Err(Error::Quota(_)) => "quota".to_owned(),
            Err(Error::Service(error)) => error.code,
            Err(error) => error.to_string(),
        };
        *outcomes.entry(outcome).or_default() += 1;
    }
    for (outcome, count) in &outcomes {
        println!("{count} {outcome}");
    }
    if outcomes.keys().all(|outcome| outcome == "ok") { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
