//! The loop on the official AWS SDK.

use aws_sdk_s3::Client;
use aws_sdk_s3::error::{DisplayErrorContext, ProvideErrorMetadata};
use aws_sdk_s3::primitives::{ByteStream, ByteStreamError};
use bytes::Bytes;

use super::{Operation, Plan, body};
use crate::timing::{clock, nanoseconds};

/// A call that did not do what the plan says, which ends the measurement.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CallError {
    /// The call failed; the SDK has made its retries.
    #[error("{}", code_and_message(.0))]
    Failed(#[source] Box<aws_sdk_s3::Error>),
    /// The answer's body broke off, or has another checksum than S3 says.
    #[error("{}", DisplayErrorContext(.0))]
    Body(#[source] ByteStreamError),
    /// The object has another size than the plan says.
    #[error("the object has {got} bytes, not {expected}")]
    Size {
        /// As the plan says.
        expected: usize,
        /// As it came.
        got: usize,
    },
}

/// Makes the plan's calls, one after the other, and gives the nanoseconds that each took, those of the warm-up left
/// out.
///
/// A put counts from the request's making to the answer's end, a get until the body is there whole. Checksums and
/// retries are as the client has them, which is the SDK's default unless its configuration says otherwise. All puts
/// share the memory of one body.
///
/// # Errors
///
/// The first call's that fails, or that reads an object of another size.
pub async fn calls(client: &Client, plan: &Plan) -> Result<Vec<u64>, CallError> {
    let body = match plan.operation {
        Operation::Put => Bytes::from(body(plan.size)),
        Operation::Get => Bytes::new(),
    };
    let now = clock();
    let mut took = Vec::with_capacity(plan.count);
    for turn in 0..plan.warm_up.saturating_add(plan.count) {
        let body = body.clone();
        let began = now();
        match plan.operation {
            Operation::Put => put(client, plan, body).await?,
            Operation::Get => get(client, plan).await?,
        }
        if turn >= plan.warm_up {
            took.push(nanoseconds(now().saturating_sub(began)));
        }
    }
    Ok(took)
}

async fn put(client: &Client, plan: &Plan, body: Bytes) -> Result<(), CallError> {
    let request = client.put_object().bucket(&plan.bucket).key(&plan.key).body(ByteStream::from(body));
    request.send().await.map_err(|error| CallError::Failed(Box::new(error.into())))?;
    Ok(())
}

async fn get(client: &Client, plan: &Plan) -> Result<(), CallError> {
    let request = client.get_object().bucket(&plan.bucket).key(&plan.key);
    let object = request.send().await.map_err(|error| CallError::Failed(Box::new(error.into())))?;
    let got = object.body.collect().await.map_err(CallError::Body)?.into_bytes().len();
    if got == plan.size { Ok(()) } else { Err(CallError::Size { expected: plan.size, got }) }
}

/// The service's code and message, or, where no answer came, all that is known of why.
fn code_and_message(error: &aws_sdk_s3::Error) -> String {
    match (error.code(), error.message()) {
        (Some(code), message) => format!("{code}: {}", message.unwrap_or("no message")),
        (None, _) => DisplayErrorContext(error).to_string(),
    }
}
