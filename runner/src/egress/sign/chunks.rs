//! The signatures of chunks, each of which goes on from the one before it; the first from that of the request.
//!
//! Source: "Signature calculations for the Authorization header: transferring payload in multiple chunks", Amazon S3 API
//! Reference (sigv4-streaming.html), and the page on trailing headers (sigv4-streaming-trailers.html).

use std::time::SystemTime;

use aws_sigv4::sign::v4::{calculate_signature, generate_signing_key};
use bytes::Bytes;
use sha2::{Digest, Sha256};
use time::OffsetDateTime;
use zeroize::Zeroizing;

use crate::egress::payload::hexadecimal;

/// Signs the chunks of one body.
///
/// The key is derived once, and good for one day, Region and service. The library would derive it from the secret for each
/// chunk, and leave a copy of that behind each time.
pub(in crate::egress) struct ChunkSigner {
    key: Zeroizing<Vec<u8>>,
    /// The second and third line of each string to sign: the time, and the scope.
    time_and_scope: String,
    /// The signature before.
    running: String,
}

impl std::fmt::Debug for ChunkSigner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ChunkSigner").finish_non_exhaustive()
    }
}

impl ChunkSigner {
    /// Goes on from `seed`, the signature of the request, for the same scope and time.
    pub(super) fn new(secret: &str, region: &str, signing_name: &str, time: SystemTime, seed: &str) -> Self {
        let key = generate_signing_key(secret, time, region, signing_name);
        let utc = OffsetDateTime::from(time);
        let (year, month, day) = (utc.year(), u8::from(utc.month()), utc.day());
        let (hour, minute, second) = utc.to_hms();
        let date = format!("{year:04}{month:02}{day:02}");
        Self {
            key: Zeroizing::new(key.as_ref().to_vec()),
            time_and_scope: format!(
                "{date}T{hour:02}{minute:02}{second:02}Z\n{date}/{region}/{signing_name}/aws4_request"
            ),
            running: seed.to_owned(),
        }
    }

    /// The signature of the next chunk.
    pub(in crate::egress) fn chunk(&mut self, data: &Bytes) -> &str {
        let (none, data) = (hexadecimal(&Sha256::digest(b"")), hexadecimal(&Sha256::digest(data)));
        self.sign("AWS4-HMAC-SHA256-PAYLOAD", &format!("{none}\n{data}"))
    }

    /// The signature of the trailer, which is this one field.
    pub(in crate::egress) fn trailer(&mut self, name: &str, value: &str) -> &str {
        let fields = hexadecimal(&Sha256::digest(format!("{name}:{value}\n")));
        self.sign("AWS4-HMAC-SHA256-TRAILER", &fields)
    }

    fn sign(&mut self, algorithm: &str, hashes: &str) -> &str {
        let text = format!("{algorithm}\n{}\n{}\n{hashes}", self.time_and_scope, self.running);
        self.running = calculate_signature(&self.key, text.as_bytes());
        &self.running
    }
}

#[cfg(test)]
impl ChunkSigner {
    /// As in AWS's examples: their key, Region and service.
    pub(in crate::egress) fn for_tests(seed: &str, time: SystemTime) -> Self {
        Self::new("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "us-east-1", "s3", time, seed)
    }
}
