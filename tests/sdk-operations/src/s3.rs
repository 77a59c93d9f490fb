//! Amazon S3: what the embedded one has, and in [`more`] what only a larger one has.

mod bucket;
mod more;
mod multipart;
mod objects;

use aws_sdk_s3::Client;
use aws_sdk_s3::primitives::ByteStream;

use crate::Transcript;

pub use more::more;

/// Each operation of the embedded S3 that a task uses, and the errors that it meets, in a bucket of this name.
pub async fn core(s3: &Client, bucket: &str) -> Transcript {
    let mut transcript = Transcript::default();
    bucket::made(&mut transcript, s3, bucket).await;
    objects::put(&mut transcript, s3, bucket).await;
    objects::read(&mut transcript, s3, bucket).await;
    objects::copied(&mut transcript, s3, bucket).await;
    bucket::listed(&mut transcript, s3, bucket).await;
    multipart::uploaded(&mut transcript, s3, bucket).await;
    multipart::given_up(&mut transcript, s3, bucket).await;
    bucket::deleted(&mut transcript, s3, bucket).await;
    transcript
}

/// An upload, for a task that may make none.
pub async fn denied(s3: &Client, bucket: &str) -> Transcript {
    let mut transcript = Transcript::default();
    let body = ByteStream::from_static(b"Hello World!");
    transcript.whole("PutObject", s3.put_object().bucket(bucket).key("denied.txt").body(body).send().await);
    transcript
}

/// Bytes that no compression makes small and that are the same each time.
fn noise(length: usize, seed: u64) -> Vec<u8> {
    let mut state = seed | 1;
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        // Xorshift (Marsaglia, 2003).
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend(state.to_le_bytes());
    }
    bytes.truncate(length);
    bytes
}

/// A body's length and a hash of it (FNV-1a).
fn digest(bytes: &[u8]) -> String {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for byte in bytes {
        hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    }
    format!("{} bytes {hash:016x}", bytes.len())
}

/// Writes down an object that was got, its body included.
async fn got(
    transcript: &mut Transcript,
    call: &str,
    request: aws_sdk_s3::operation::get_object::builders::GetObjectFluentBuilder,
) {
    if let Some(object) = transcript.whole(call, request.send().await) {
        match object.body.collect().await {
            Ok(body) => transcript.line(&format!("{call}, its body: {}", digest(&body.into_bytes()))),
            Err(error) => transcript.line(&format!("{call}, its body: {error}")),
        }
    }
}
