//! `s3-call OPERATION [ARGUMENT…]`: one operation of the S3 client. Prints `ok` and the result, or the error as
//! [`rolebox_test_guests::print_error`] does, and then fails.
//!
//! `create-bucket B`, `delete-bucket B`, `head-bucket B`, `list-buckets`, `put-object B K BODY`, `get-object B K`,
//! `head-object B K`, `delete-object B K`, `list-objects B [PREFIX [DELIMITER]]`; each with `--region R` at the end
//! where it is to go to another Region.

use std::process::ExitCode;

use rolebox_guest::{Error, s3};
use rolebox_test_guests::{arguments, print_error, unescape};

fn main() -> ExitCode {
    let mut arguments = arguments();
    let mut s3 = s3::Client::new();
    if let Some(position) = arguments.iter().position(|argument| argument == "--region") {
        let region = arguments.split_off(position);
        s3 = s3.region(region.get(1).expect("--region has a value"));
    }
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match perform(&s3, &arguments) {
        Ok(result) => {
            println!("ok {result}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            print_error(&error);
            ExitCode::FAILURE
        }
    }
}

fn perform(s3: &s3::Client, arguments: &[&str]) -> Result<String, Error> {
    let done = |()| String::new();
    match arguments {
        ["create-bucket", bucket] => s3.create_bucket(bucket).map(done),
        ["delete-bucket", bucket] => s3.delete_bucket(bucket).map(done),
        ["head-bucket", bucket] => s3.head_bucket(bucket).map(done),
        ["list-buckets"] => {
            let names: Vec<String> = s3.list_buckets()?.into_iter().map(|bucket| bucket.name).collect();
            Ok(names.join(" "))
        }
        ["put-object", bucket, key, body] => s3.put_object(bucket, key, unescape(body)).send().map(|_| String::new()),
        ["get-object", bucket, key] => {
            s3.get_object(bucket, key).map(|object| String::from_utf8_lossy(&object.body).into_owned())
        }
        ["head-object", bucket, key] => {
            s3.head_object(bucket, key).map(|head| head.content_length.map_or_else(String::new, |n| n.to_string()))
        }
        ["delete-object", bucket, key] => s3.delete_object(bucket, key).map(done),
        ["list-objects", bucket, options @ ..] => {
            let mut listing = s3.list_objects_v2(bucket);
            if let Some(prefix) = options.first() {
                listing = listing.prefix(*prefix);
            }
            if let Some(delimiter) = options.get(1) {
                listing = listing.delimiter(*delimiter);
            }
            let page = listing.send()?;
            let keys: Vec<String> = page.objects.into_iter().map(|object| object.key).collect();
            Ok([keys, page.common_prefixes].concat().join(" "))
        }
        _ => panic!("no operation: {arguments:?}"),
    }
}
