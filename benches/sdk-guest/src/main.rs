//! With the argument `list`, lists buckets with the official S3 SDK; without, ends at once. Either way the SDK is linked.

use aws_sdk_s3::config::{Builder, Region};
use aws_smithy_async::rt::sleep::{AsyncSleep, Sleep};
use aws_smithy_wasm::wasi::WasiHttpClientBuilder;

/// Pauses before retries, which the SDK insists on having, pass at once: what is measured does not retry.
#[derive(Debug)]
struct NoPause;

impl AsyncSleep for NoPause {
    fn sleep(&self, _: std::time::Duration) -> Sleep {
        Sleep::new(async {})
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    if std::env::args().nth(1).as_deref() != Some("list") {
        return;
    }
    let config = Builder::new()
        .behavior_version_latest()
        .region(Region::new("us-east-1"))
        .http_client(WasiHttpClientBuilder::new().build())
        .sleep_impl(NoPause)
        .allow_no_auth()
        .build();
    match aws_sdk_s3::Client::from_conf(config).list_buckets().send().await {
        Ok(listed) => println!("{} buckets", listed.buckets().len()),
        Err(error) => {
            eprintln!("{error:?}");
            std::process::exit(1);
        }
    }
}
