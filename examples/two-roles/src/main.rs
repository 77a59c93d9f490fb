//! Writes into a bucket and into a table, whichever its task may use: the arguments name them.
//!
//! It prints what it wrote to stdout, and to stderr each failure, the service's code first. It fails where one did.

use std::env;
use std::process::ExitCode;

use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_s3::primitives::ByteStream;

use rolebox_guest::{SdkConfig, aws_config, block_on, code_and_message};

fn main() -> ExitCode {
    let mut arguments = env::args().skip(1);
    let (Some(bucket), Some(table)) = (arguments.next(), arguments.next()) else {
        eprintln!("the arguments are missing: a bucket and a table");
        return ExitCode::FAILURE;
    };
    let (to_bucket, to_table) = block_on(async {
        let config = aws_config();
        (put_object(&config, &bucket).await, put_item(&config, &table).await)
    });
    let well = [report("bucket", &bucket, to_bucket), report("table", &table, to_table)];
    if well == [true, true] { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

async fn put_object(config: &SdkConfig, bucket: &str) -> Result<(), String> {
    let body = ByteStream::from_static(b"from a task that may");
    let put = aws_sdk_s3::Client::new(config).put_object().bucket(bucket).key("two-roles.txt").body(body).send().await;
    put.map(drop).map_err(|error| code_and_message(&error))
}

async fn put_item(config: &SdkConfig, table: &str) -> Result<(), String> {
    let id = AttributeValue::S("two-roles".to_owned());
    let put = aws_sdk_dynamodb::Client::new(config).put_item().table_name(table).item("id", id).send().await;
    put.map(drop).map_err(|error| code_and_message(&error))
}

/// Says how it went, and whether it went well.
fn report(kind: &str, name: &str, written: Result<(), String>) -> bool {
    match &written {
        Ok(()) => println!("{kind} {name}: written"),
        Err(failure) => eprintln!("{kind} {name}: {failure}"),
    }
    written.is_ok()
}
