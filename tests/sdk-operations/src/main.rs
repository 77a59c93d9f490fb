//! Makes calls through the official AWS SDK, as its first argument says, and prints what each got.

use std::process::ExitCode;

use rolebox_guest::{aws_config, block_on};
use rolebox_sdk_operations::{Transcript, dynamodb, s3, secrets};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [calls, name] = arguments.as_slice() else {
        eprintln!("the arguments are what to call, and the name of a bucket, table or secret");
        return ExitCode::FAILURE;
    };
    let Some(transcript) = block_on(run(calls, name)) else {
        eprintln!("nothing is called {calls}");
        return ExitCode::FAILURE;
    };
    for line in transcript.lines() {
        println!("{line}");
    }
    ExitCode::SUCCESS
}

async fn run(calls: &str, name: &str) -> Option<Transcript> {
    let config = aws_config();
    let (s3, dynamodb) = (aws_sdk_s3::Client::new(&config), aws_sdk_dynamodb::Client::new(&config));
    let secrets = aws_sdk_secretsmanager::Client::new(&config);
    Some(match calls {
        "s3" => s3::core(&s3, name).await,
        "more-s3" => s3::more(&s3, name).await,
        "dynamodb" => dynamodb::table(&dynamodb, name).await,
        "secrets" => secrets::secret(&secrets, name).await,
        "denied-s3" => s3::denied(&s3, name).await,
        "denied-dynamodb" => dynamodb::denied(&dynamodb, name).await,
        "denied-secrets" => secrets::denied(&secrets, name).await,
        _ => return None,
    })
}
