//! The workload with which AWS announced IAM roles for ECS tasks, on the official AWS SDK: it makes a bucket of its own,
//! and puts one object into it.

use std::process::ExitCode;

use aws_sdk_s3::primitives::ByteStream;
use rolebox_guest::{aws_config, block_on, code_and_message};
use uuid::Uuid;

const KEY: &str = "hello_world.txt";

fn main() -> ExitCode {
    match block_on(upload()) {
        Ok(bucket) => {
            println!("Successfully uploaded data to {bucket}/{KEY}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{}", code_and_message(&error));
            ExitCode::FAILURE
        }
    }
}

/// Gives the name of the new bucket.
async fn upload() -> Result<String, aws_sdk_s3::Error> {
    let bucket = format!("node-sdk-sample-{}", Uuid::new_v4());
    let s3 = aws_sdk_s3::Client::new(&aws_config());
    s3.create_bucket().bucket(&bucket).send().await?;
    s3.put_object().bucket(&bucket).key(KEY).body(ByteStream::from_static(b"Hello World!")).send().await?;
    Ok(bucket)
}
