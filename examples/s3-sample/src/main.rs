//! The workload with which AWS announced IAM roles for ECS tasks: it makes a bucket of its own, and puts one object
//! into it.

use std::process::ExitCode;

use rolebox_guest::{Error, s3};
use uuid::Uuid;

const KEY: &str = "hello_world.txt";

fn main() -> ExitCode {
    match upload() {
        Ok(bucket) => {
            println!("Successfully uploaded data to {bucket}/{KEY}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            // The text of an error begins with the service's code: `AccessDenied: …`.
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// Gives the name of the new bucket.
fn upload() -> Result<String, Error> {
    let bucket = format!("node-sdk-sample-{}", Uuid::new_v4());
    let s3 = s3::Client::new();
    s3.create_bucket(&bucket)?;
    s3.put_object(&bucket, KEY, "Hello World!").send()?;
    Ok(bucket)
}
