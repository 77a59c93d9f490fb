//! Objects held whole and streamed, with every checksum, under conditions, in part, and copied.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use aws_sdk_s3::Client;
use aws_sdk_s3::primitives::{ByteStream, SdkBody};
use aws_sdk_s3::types::{ChecksumAlgorithm, ChecksumMode, MetadataDirective};
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

use super::bucket::MISSING;
use super::{got, noise};
use crate::Transcript;

/// The size of an object that is streamed, in bytes: several pieces, the last one short.
const STREAMED_BYTES: usize = 300_001;
const PIECE_BYTES: usize = 64 << 10;
/// The size of one that the host does not hold whole, in bytes: more than 16 MiB.
const LARGE_BYTES: usize = (16 << 20) + STREAMED_BYTES;

/// A key with everything that has to be escaped somewhere.
const AWKWARD: &str = "folder/a b+c&d=e?f%20g/ü'(1)*.txt";

/// A body that comes in pieces and says how long it will be: the SDK sends its checksum in a trailer.
struct Pieces(Bytes);

impl Body for Pieces {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let piece = self.0.len().min(PIECE_BYTES);
        let piece = self.0.split_to(piece);
        Poll::Ready((!piece.is_empty()).then(|| Ok(Frame::data(piece))))
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.0.len() as u64)
    }
}

pub(super) async fn put(transcript: &mut Transcript, s3: &Client, bucket: &str) {
    let put = |key: &str| s3.put_object().bucket(bucket).key(key);
    let hello = || ByteStream::from_static(b"Hello World!");
    let described = put("hello.txt").body(hello()).content_type("text/plain").metadata("colour", "blue");
    let described = described.cache_control("max-age=60").content_disposition("inline").content_language("en");
    transcript.whole("PutObject", described.send().await);
    transcript.whole("PutObject where there is one", put("hello.txt").body(hello()).if_none_match("*").send().await);
    transcript.whole("PutObject where there is none", put("new.txt").body(hello()).if_none_match("*").send().await);
    transcript.whole("PutObject of nothing", put("empty").send().await);
    transcript.whole("PutObject, awkward", put(AWKWARD).body(hello()).send().await);
    transcript.whole("PutObject into none", s3.put_object().bucket(MISSING).key("k").body(hello()).send().await);
    let zipped = put("hello.gz").body(hello()).content_encoding("gzip");
    transcript.whole("PutObject, encoded", zipped.send().await);

    let algorithms = [ChecksumAlgorithm::Crc32, ChecksumAlgorithm::Crc32C, ChecksumAlgorithm::Sha1];
    for algorithm in algorithms.into_iter().chain([ChecksumAlgorithm::Sha256]) {
        let checked = put(&format!("checked/{algorithm}")).body(hello()).checksum_algorithm(algorithm.clone());
        transcript.whole(&format!("PutObject with {algorithm}"), checked.send().await);
        let pieces = ByteStream::new(SdkBody::from_body_1_x(Pieces(noise(STREAMED_BYTES, 7).into())));
        let streamed = put(&format!("streamed/{algorithm}")).body(pieces).checksum_algorithm(algorithm.clone());
        transcript.whole(&format!("PutObject, streamed, with {algorithm}"), streamed.send().await);
    }
    let pieces = ByteStream::new(SdkBody::from_body_1_x(Pieces(noise(LARGE_BYTES, 8).into())));
    transcript.whole("PutObject, streamed, large", put("streamed/large").body(pieces).send().await);
    let wrong = put("wrong").body(hello()).checksum_sha256("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=");
    transcript.whole("PutObject with another's checksum", wrong.send().await);
}

pub(super) async fn read(transcript: &mut Transcript, s3: &Client, bucket: &str) {
    let get = |key: &str| s3.get_object().bucket(bucket).key(key);
    let head = |key: &str| s3.head_object().bucket(bucket).key(key);
    got(transcript, "GetObject", get("hello.txt")).await;
    got(transcript, "GetObject, awkward", get(AWKWARD)).await;
    got(transcript, "GetObject of nothing", get("empty")).await;
    got(transcript, "GetObject, streamed", get("streamed/CRC32")).await;
    got(transcript, "GetObject, streamed, large", get("streamed/large")).await;
    got(transcript, "GetObject, a range", get("streamed/SHA256").range("bytes=65530-65541")).await;
    got(transcript, "GetObject, the last bytes", get("streamed/SHA256").range("bytes=-5")).await;
    got(transcript, "GetObject, beyond", get("hello.txt").range("bytes=100-200")).await;
    got(transcript, "GetObject of no key", get("none")).await;
    got(transcript, "GetObject of no bucket", s3.get_object().bucket(MISSING).key("k")).await;
    got(transcript, "GetObject if another", get("hello.txt").if_match("\"0\"")).await;
    got(transcript, "GetObject, another type", get("hello.txt").response_content_type("text/html")).await;
    let seen = transcript.whole("HeadObject", head("hello.txt").checksum_mode(ChecksumMode::Enabled).send().await);
    if let Some(etag) = seen.and_then(|seen| seen.e_tag) {
        got(transcript, "GetObject if the same", get("hello.txt").if_match(&etag)).await;
        got(transcript, "GetObject if changed", get("hello.txt").if_none_match(&etag)).await;
    }
    for algorithm in ["CRC32", "CRC32C", "SHA1", "SHA256"] {
        for key in [format!("checked/{algorithm}"), format!("streamed/{algorithm}")] {
            let checked = head(&key).checksum_mode(ChecksumMode::Enabled).send().await;
            transcript.whole(&format!("HeadObject of {key}"), checked);
        }
    }
    transcript.whole("HeadObject of none", head("none").send().await);
}

pub(super) async fn copied(transcript: &mut Transcript, s3: &Client, bucket: &str) {
    let copy = |from: &str, to: &str| s3.copy_object().bucket(bucket).copy_source(format!("{bucket}/{from}")).key(to);
    transcript.whole("CopyObject", copy("hello.txt", "copies/hello.txt").send().await);
    transcript.whole("CopyObject of none", copy("none", "copies/none").send().await);
    let replaced = copy("hello.txt", "copies/red.txt").metadata_directive(MetadataDirective::Replace);
    let replaced = replaced.metadata("colour", "red").content_type("text/markdown").send().await;
    transcript.whole("CopyObject with other metadata", replaced);
    let changed = copy("hello.txt", "copies/changed.txt").copy_source_if_match("\"0\"").send().await;
    transcript.whole("CopyObject if another", changed);
    got(transcript, "GetObject, the copy", s3.get_object().bucket(bucket).key("copies/hello.txt")).await;
    got(transcript, "GetObject, the other copy", s3.get_object().bucket(bucket).key("copies/red.txt")).await;
}
