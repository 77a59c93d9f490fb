//! Reads a secret from Secrets Manager and an encrypted object from S3, and prints how long they are.
//!
//! A program that uses a secret does not show it: logs are read by more people than secrets are. So this one prints its
//! length and nothing that it could be guessed from, a hash of it neither. `SECRET_ID`, `BUCKET` and `KEY` say what to read.

use std::env;
use std::process::ExitCode;

use rolebox_guest::{aws_config, block_on, code_and_message};

fn main() -> ExitCode {
    match block_on(read_both()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("{failure}");
            ExitCode::FAILURE
        }
    }
}

async fn read_both() -> Result<(), String> {
    let (secret_id, bucket, key) = (variable("SECRET_ID")?, variable("BUCKET")?, variable("KEY")?);
    let config = aws_config();

    let secrets = aws_sdk_secretsmanager::Client::new(&config);
    let secret = secrets.get_secret_value().secret_id(&secret_id).send().await;
    let secret = secret.map_err(|error| code_and_message(&error))?;
    let text = secret.secret_string().ok_or_else(|| format!("the secret {secret_id} is no text"))?;
    println!("{secret_id}: {} characters", text.chars().count());

    let s3 = aws_sdk_s3::Client::new(&config);
    let object = s3.get_object().bucket(&bucket).key(&key).send().await;
    let object = object.map_err(|error| code_and_message(&error))?;
    let encryption = match &object.server_side_encryption {
        Some(encryption) => format!("encrypted with {encryption}"),
        None => "not encrypted".to_owned(),
    };
    let body = object.body.collect().await.map_err(|error| format!("the object was cut short: {error}"))?;
    println!("s3://{bucket}/{key}: {} bytes, {encryption}", body.into_bytes().len());
    Ok(())
}

fn variable(name: &str) -> Result<String, String> {
    env::var(name).map_err(|_| format!("the definition's environment has no {name}"))
}
