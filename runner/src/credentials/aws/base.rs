//! The host's own credentials.

use std::error::Error;
use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use aws_smithy_async::future::timeout::Timeout;
use aws_smithy_async::rt::sleep::{AsyncSleep, SharedAsyncSleep};
use aws_smithy_async::time::SharedTimeSource;
use tokio::sync::Mutex;

use super::super::sts::StsError;
use super::errors::causes;

/// How long the provider may take: it may have to run a program or ask another service.
const LOAD_TIMEOUT: Duration = Duration::from_secs(25);
/// How long credentials are used before the provider is asked again.
const REUSE: Duration = Duration::from_secs(15 * 60);
/// How long before they expire the provider is asked again.
const MARGIN: Duration = Duration::from_secs(5 * 60);

/// Loads base credentials, one caller at a time, and keeps them for a while: a provider may run a program or ask a
/// service each time, and a thousand tasks that start ask at once.
pub(super) struct BaseCredentials {
    provider: SharedCredentialsProvider,
    cached: Mutex<Option<Cached>>,
    time_source: SharedTimeSource,
    sleep: SharedAsyncSleep,
}

struct Cached {
    credentials: Credentials,
    reuse_until: SystemTime,
}

impl BaseCredentials {
    pub(super) fn new(
        provider: SharedCredentialsProvider,
        time_source: SharedTimeSource,
        sleep: SharedAsyncSleep,
    ) -> Self {
        Self { provider, cached: Mutex::default(), time_source, sleep }
    }

    pub(super) async fn load(&self) -> Result<Credentials, StsError> {
        let mut cached = self.cached.lock().await;
        let now = self.time_source.now();
        if let Some(cached) = cached.as_ref().filter(|cached| now < cached.reuse_until) {
            return Ok(cached.credentials.clone());
        }
        *cached = None;
        let loading = self.provider.provide_credentials();
        let credentials = match Timeout::new(loading, self.sleep.sleep(LOAD_TIMEOUT)).await {
            Ok(Ok(credentials)) => credentials,
            Ok(Err(error)) => {
                return Err(StsError::NoBaseCredentials { reason: reason(&error) });
            }
            Err(_) => {
                let reason = format!("loading them took longer than {} s", LOAD_TIMEOUT.as_secs());
                return Err(StsError::NoBaseCredentials { reason });
            }
        };
        let now = self.time_source.now();
        let mut reuse_until = now + REUSE;
        if let Some(expiry) = credentials.expiry() {
            if let Ok(past) = now.duration_since(expiry) {
                let message = format!("{} s ago by this host's clock", past.as_secs());
                return Err(StsError::ExpiredToken { message });
            }
            reuse_until = reuse_until.min(expiry - MARGIN);
        }
        *cached = Some(Cached { credentials: credentials.clone(), reuse_until });
        Ok(credentials)
    }

    /// Asks the provider again next time.
    pub(super) async fn forget(&self) {
        *self.cached.lock().await = None;
    }
}

fn reason(error: &CredentialsError) -> String {
    match (error, error.source()) {
        // Its own text, that a provider was not enabled, explains nothing to who has none.
        (CredentialsError::CredentialsNotLoaded(_), Some(source)) => causes(source),
        (CredentialsError::CredentialsNotLoaded(_), None) => "none were found".into(),
        _ => causes(error),
    }
}
