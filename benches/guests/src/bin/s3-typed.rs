//! `s3-typed put|get BUCKET KEY SIZE COUNT WARM_UP`: calls of S3 with the client of `rolebox-guest`.
//!
//! That client takes a body by value. The copy of it that each put uses up is made before the clock starts, as the
//! SDK's loop makes its own, which only counts a reference.

use std::error::Error;
use std::process::ExitCode;

use rolebox_bench_guests::{Outcome, finish, lines, words};
use rolebox_bench_workloads::s3::{Operation, Plan, body};
use rolebox_bench_workloads::timing::{clock, each};
use rolebox_guest::s3::Client;

fn main() -> ExitCode {
    finish(run(&words()))
}

fn run(words: &[String]) -> Outcome {
    let Plan { operation, bucket, key, size, count, warm_up } = Plan::parse(words)?;
    let client = Client::new();
    let took = match operation {
        Operation::Put => {
            let body = body(size);
            let put = |body| client.put_object(&bucket, &key, body).send().map(drop);
            each(count, warm_up, clock(), || body.clone(), put)?
        }
        Operation::Get => {
            let get = |()| -> Result<(), Box<dyn Error>> {
                let got = client.get_object(&bucket, &key)?.body.len();
                if got == size { Ok(()) } else { Err(format!("the object has {got} bytes, not {size}").into()) }
            };
            each(count, warm_up, clock(), || (), get)?
        }
    };
    Ok(lines(&took))
}
