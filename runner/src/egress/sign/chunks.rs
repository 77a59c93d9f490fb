//! The signatures of chunks, each of which goes on from the one before it; the first from that of the request.

use std::time::SystemTime;

use aws_sigv4::http_request::SigningSettings;
use aws_sigv4::sign::v4;
use aws_smithy_runtime_api::client::identity::Identity;
use aws_smithy_runtime_api::http::Headers;
use bytes::Bytes;
use tracing::subscriber::{NoSubscriber, with_default};

use super::{CallError, unsignable};

/// Signs the chunks of one body.
pub(in crate::egress) struct ChunkSigner {
    identity: Identity,
    region: String,
    signing_name: &'static str,
    time: SystemTime,
    settings: SigningSettings,
    /// The signature before.
    running: String,
}

impl std::fmt::Debug for ChunkSigner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ChunkSigner").finish_non_exhaustive()
    }
}

impl ChunkSigner {
    /// Goes on from `seed`, the signature of the request, by the same identity and for the same scope and time.
    pub(super) fn new(
        identity: Identity,
        region: &str,
        signing_name: &'static str,
        time: SystemTime,
        settings: SigningSettings,
        seed: &str,
    ) -> Self {
        Self { identity, region: region.to_owned(), signing_name, time, settings, running: seed.to_owned() }
    }

    /// The signature of the next chunk.
    pub(in crate::egress) fn chunk(&mut self, data: &Bytes) -> Result<&str, CallError> {
        self.sign(|running, parameters| v4::sign_chunk(data, running, parameters))
    }

    /// The signature of the trailer, which is this one field.
    pub(in crate::egress) fn trailer(&mut self, name: &str, value: &str) -> Result<&str, CallError> {
        let mut fields = Headers::new();
        fields.try_insert(name.to_owned(), value.to_owned()).map_err(|error| unsignable(&error))?;
        self.sign(|running, parameters| v4::sign_trailer(&fields, running, parameters))
    }

    fn sign(
        &mut self,
        sign: impl FnOnce(
            &str,
            &v4::SigningParams<'_, SigningSettings>,
        ) -> Result<aws_sigv4::SigningOutput<()>, aws_sigv4::http_request::SigningError>,
    ) -> Result<&str, CallError> {
        let parameters = v4::SigningParams::builder()
            .identity(&self.identity)
            .region(&self.region)
            .name(self.signing_name)
            .time(self.time)
            .settings(self.settings.clone())
            .build()
            .map_err(|error| unsignable(&error))?;
        // As for the request itself: the library's log would show what was signed.
        let signed = with_default(NoSubscriber::new(), || sign(&self.running, &parameters));
        let (_, signature) = signed.map_err(|error| unsignable(&error))?.into_parts();
        self.running = signature;
        Ok(&self.running)
    }
}

#[cfg(test)]
impl ChunkSigner {
    /// As in AWS's examples: their key, Region and bucket's service.
    pub(in crate::egress) fn for_tests(seed: &str, time: SystemTime) -> Self {
        let key = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
        let credentials = aws_credential_types::Credentials::new("AKIAIOSFODNN7EXAMPLE", key, None, None, "test");
        Self::new(Identity::from(credentials), "us-east-1", "s3", time, SigningSettings::default(), seed)
    }
}
