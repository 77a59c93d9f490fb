//! STS itself, through the AWS SDK, with explicit values only.

mod base;
mod errors;

use std::fmt;
use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_sts::config::retry::RetryConfig;
use aws_sdk_sts::config::timeout::TimeoutConfig;
use aws_sdk_sts::config::{BehaviorVersion, IdentityCache, SharedHttpClient};
use aws_sdk_sts::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_sts::operation::assume_role::AssumeRoleOutput;
use aws_sdk_sts::types::Tag;
use aws_smithy_async::rt::sleep::{SharedAsyncSleep, TokioSleep};
use aws_smithy_async::time::{SharedTimeSource, SystemTimeSource};
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use rolebox_policy::Region;
use tracing::instrument::WithSubscriber;
use tracing::subscriber::NoSubscriber;
use url::Url;

use self::base::BaseCredentials;
use super::answer::Secret;
use super::request::{RoleSessionRequest, SessionPolicyChoice};
use super::sts::{AssumeRoleAnswer, Sts, StsError, StsFuture, one_line};

/// How long a connection to STS may take to open.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// How long STS may take to begin its answer.
const READ_TIMEOUT: Duration = Duration::from_secs(10);
/// How long the whole call may take.
const CALL_TIMEOUT: Duration = Duration::from_secs(15);

/// An HTTP client for the AWS SDK: TLS by rustls with ring, the system's trusted certificates, no proxy and no
/// redirects. Also fit for `aws-config`, which would otherwise bring a second TLS library.
#[must_use]
pub fn https_client() -> SharedHttpClient {
    aws_smithy_http_client::Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https()
}

/// Everything that [`AwsSts`] depends on.
#[derive(Clone)]
pub struct AwsStsSettings {
    region: Region,
    base_credentials: SharedCredentialsProvider,
    endpoint_url: Option<Url>,
    http_client: SharedHttpClient,
    time_source: SharedTimeSource,
    sleep: SharedAsyncSleep,
}

impl AwsStsSettings {
    /// Calls the public STS of `region` as who `base_credentials` say; the sessions are valid in all Regions of the
    /// partition. With [`https_client`], the system's clock and Tokio's timer.
    ///
    /// The provider need not cache: its credentials are reused for up to 15 minutes, and not in the last five before
    /// they expire.
    #[must_use]
    pub fn new(region: Region, base_credentials: SharedCredentialsProvider) -> Self {
        Self {
            region,
            base_credentials,
            endpoint_url: None,
            http_client: https_client(),
            time_source: SharedTimeSource::new(SystemTimeSource::new()),
            sleep: SharedAsyncSleep::new(TokioSleep::new()),
        }
    }

    /// Calls this URL instead, plain HTTP and loopback included.
    #[must_use]
    pub fn with_endpoint_url(mut self, endpoint_url: Url) -> Self {
        self.endpoint_url = Some(endpoint_url);
        self
    }

    /// Sends with this client, for example one that uses a proxy.
    #[must_use]
    pub fn with_http_client(mut self, http_client: SharedHttpClient) -> Self {
        self.http_client = http_client;
        self
    }

    /// Signs by this clock, and compares the expiry of the base credentials with it.
    #[must_use]
    pub fn with_time_source(mut self, time_source: SharedTimeSource) -> Self {
        self.time_source = time_source;
        self
    }

    /// Measures time-outs with this.
    #[must_use]
    pub fn with_sleep(mut self, sleep: SharedAsyncSleep) -> Self {
        self.sleep = sleep;
        self
    }
}

impl fmt::Debug for AwsStsSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A provider may be the credentials themselves.
        f.debug_struct("AwsStsSettings")
            .field("region", &self.region)
            .field("endpoint_url", &self.endpoint_url.as_ref().map(Url::as_str))
            .finish_non_exhaustive()
    }
}

/// The AWS Security Token Service, called through the AWS SDK.
///
/// The SDK is used for signing, transport and parsing alone. It repeats nothing, caches no identity and corrects no
/// clock: [`RoleSessions`](super::RoleSessions) decides about repeating, base credentials are loaded here, and a skew
/// that an answer claims would be believed unauthenticated.
///
/// The SDK's log events are discarded, those of the base credentials' provider included. At its finest level it logs
/// requests with the base session token in a header, and, if a variable of the process environment says so, answers
/// with the keys. What matters of them is in the [`StsError`].
pub struct AwsSts {
    client: aws_sdk_sts::Client,
    base: BaseCredentials,
    region: Region,
    /// Where calls go, for messages.
    endpoint: String,
}

impl AwsSts {
    /// Makes no call yet.
    #[must_use]
    pub fn new(settings: AwsStsSettings) -> Self {
        let AwsStsSettings { base_credentials, region, endpoint_url, http_client, time_source, sleep } = settings;
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .read_timeout(READ_TIMEOUT)
            .operation_timeout(CALL_TIMEOUT)
            .build();
        let mut config = aws_sdk_sts::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(aws_sdk_sts::config::Region::new(region.as_str().to_owned()))
            .http_client(http_client)
            .time_source(time_source.clone())
            .sleep_impl(sleep.clone())
            .timeout_config(timeouts)
            .retry_config(RetryConfig::disabled())
            .identity_cache(IdentityCache::no_cache())
            .disable_clock_skew_correction(true);
        let endpoint = match &endpoint_url {
            Some(url) => url.to_string(),
            None => format!("the public endpoint of {region}"),
        };
        config.set_endpoint_url(endpoint_url.map(String::from));
        let base = BaseCredentials::new(base_credentials, time_source, sleep);
        Self { client: aws_sdk_sts::Client::from_conf(config.build()), base, region, endpoint }
    }

    async fn assume(&self, request: &RoleSessionRequest) -> Result<AssumeRoleAnswer, StsError> {
        let base = self.base.load().await?;
        let mut call = self
            .client
            .assume_role()
            .role_arn(request.role().as_str())
            .role_session_name(request.session_name().as_str())
            // Checked to be between 900 and 43200 when the request was made.
            .duration_seconds(i32::try_from(request.duration().as_secs()).unwrap_or(i32::MAX))
            .set_external_id(request.external_id().map(|id| id.as_str().to_owned()))
            .set_source_identity(request.source_identity().map(|identity| identity.as_str().to_owned()));
        // Without a session policy there is no parameter at all: an empty one would be malformed.
        call = match request.policy() {
            SessionPolicyChoice::Required(policy) => call.policy(policy.as_str()),
            SessionPolicyChoice::Off => call,
        };
        for (key, value) in request.tags() {
            let tag = Tag::builder().key(key).value(value).build();
            let tag = tag.map_err(|error| StsError::InvalidAnswer { reason: one_line(&error.to_string()) })?;
            call = call.tags(tag);
        }
        match call.customize().config_override(with_base(&base)).send().await {
            Ok(output) => Ok(answer(output)),
            Err(error) => Err(self.explain(error, &base).await),
        }
    }

    async fn identify(&self) -> Result<String, StsError> {
        let base = self.base.load().await?;
        match self.client.get_caller_identity().customize().config_override(with_base(&base)).send().await {
            Ok(output) => output
                .arn()
                .filter(|arn| arn.parse::<rolebox_policy::Arn>().is_ok())
                .map(str::to_owned)
                .ok_or_else(|| StsError::InvalidAnswer { reason: "it names no caller".into() }),
            Err(error) => Err(self.explain(error, &base).await),
        }
    }

    /// What went wrong, in our words; base credentials that STS does not accept are not used again.
    async fn explain<E>(&self, error: SdkError<E, HttpResponse>, base: &Credentials) -> StsError
    where
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    {
        let error = match errors::classify(error, base) {
            StsError::Unreachable { reason } => {
                StsError::Unreachable { reason: format!("{}: {reason}", self.endpoint) }
            }
            error => error,
        };
        if matches!(error, StsError::ExpiredToken { .. } | StsError::BaseCredentialsRejected { .. }) {
            self.base.forget().await;
        }
        error
    }
}

impl Sts for AwsSts {
    fn assume_role<'a>(&'a self, request: &'a RoleSessionRequest) -> StsFuture<'a, AssumeRoleAnswer> {
        Box::pin(self.assume(request).with_subscriber(NoSubscriber::new()))
    }

    fn caller_identity(&self) -> StsFuture<'_, String> {
        Box::pin(self.identify().with_subscriber(NoSubscriber::new()))
    }
}

impl fmt::Debug for AwsSts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AwsSts").field("region", &self.region).finish_non_exhaustive()
    }
}

fn with_base(base: &Credentials) -> aws_sdk_sts::config::Builder {
    aws_sdk_sts::Config::builder().credentials_provider(base.clone())
}

/// The parts of the SDK's answer, moved and not copied, so that no copy is left behind unzeroized.
fn answer(output: AssumeRoleOutput) -> AssumeRoleAnswer {
    // Deprecated in favour of the token's size, which says nothing about how near the limit of policy and tags is.
    #[expect(deprecated, reason = "the only measure of how full the session policy is")]
    let packed_policy_size = output.packed_policy_size().and_then(|size| u32::try_from(size).ok());
    let assumed_role_arn = output.assumed_role_user.map(|user| user.arn).unwrap_or_default();
    let (access_key_id, secret_access_key, session_token, expiration) = match output.credentials {
        Some(c) => (c.access_key_id, c.secret_access_key, c.session_token, SystemTime::try_from(c.expiration).ok()),
        None => Default::default(),
    };
    AssumeRoleAnswer {
        access_key_id: Secret::new(access_key_id),
        secret_access_key: Secret::new(secret_access_key),
        session_token: Secret::new(session_token),
        expiration,
        assumed_role_arn,
        packed_policy_size,
    }
}
