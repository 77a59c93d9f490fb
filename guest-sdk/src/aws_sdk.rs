//! What the official AWS SDK for Rust needs to run in a task: one [`SdkConfig`], and an executor for its futures.
//!
//! Requests leave over `wasi:http`, where the host parses, authorizes and signs them as it does a [`Call`](crate::Call).
//! What the SDK signs before is dropped there; it need not sign at all. Of the two ways to say so, a preference for no
//! authentication and credentials that are none, only the first spares the guest a hash of each body, and only the second
//! works for every service: operations whose model knows no unsigned request, DynamoDB's for example, want an identity.
//! So both are set, and each service takes the one it can.
//!
//! Absent: an endpoint. A guest addresses AWS's public names over TLS, and the host decides where that leads; the SDK
//! would also frame a streamed body differently without TLS.

use std::env;

use aws_credential_types::Credentials;
use aws_smithy_runtime_api::client::auth::{AuthSchemeId, AuthSchemePreference};
use aws_smithy_runtime_api::client::behavior_version::BehaviorVersion;
use aws_smithy_types::error::display::DisplayErrorContext;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use aws_types::SdkConfig;
use aws_types::region::Region;
use aws_types::sdk_config::{SharedCredentialsProvider, SharedTimeSource};

use self::platform::{http_client, sleep};

/// Stands in for both halves of a key. Visibly not real, and dropped by the host.
const PLACEHOLDER: &str = "rolebox-signs-on-the-host";

/// The configuration for every client of the official AWS SDK in a task: HTTP through the host, pauses and time from
/// WASI, the task's Region, and no key.
///
/// ```no_run
/// let s3 = aws_sdk_s3::Client::new(&rolebox_guest::aws_config());
/// let buckets = rolebox_guest::block_on(s3.list_buckets().send());
/// ```
///
/// The Region is `AWS_REGION`, else `AWS_DEFAULT_REGION`, which the host sets; without either, a call fails before it is
/// made. Retries, checksums and time limits are the SDK's defaults of its newest behaviour version; a service's own
/// `config::Builder::from(&aws_config())` changes them. Give the SDK's crates `default-features = false`: their default
/// HTTP client and TLS don't build for WASI.
///
/// Await the calls inside [`block_on`]. Outside a task every call fails at once, with an error that says so.
pub fn aws_config() -> SdkConfig {
    let region = ["AWS_REGION", "AWS_DEFAULT_REGION"].into_iter().find_map(|name| env::var(name).ok());
    let placeholder = Credentials::new(PLACEHOLDER, PLACEHOLDER, None, None, "rolebox-guest");
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(region.map(Region::new))
        .http_client(http_client())
        .sleep_impl(sleep())
        .time_source(SharedTimeSource::default())
        .auth_scheme_preference(AuthSchemePreference::from([AuthSchemeId::from("noAuth")]))
        .credentials_provider(SharedCredentialsProvider::new(placeholder))
        .build()
}

/// An error of the SDK as text that begins with the service's code, `AccessDenied: …`, or, where no answer came, with all
/// that is known of why.
///
/// Takes a service's own `Error`, an `SdkError`, and every other error that has a code.
pub fn code_and_message<E: ProvideErrorMetadata + std::error::Error>(error: &E) -> String {
    match (error.code(), error.message()) {
        (Some(code), Some(message)) => format!("{code}: {message}"),
        (Some(code), None) => code.to_owned(),
        (None, _) => DisplayErrorContext(error).to_string(),
    }
}

pub use self::platform::block_on;

#[cfg(target_family = "wasm")]
mod platform {
    use aws_smithy_wasm::wasi::{WasiHttpClientBuilder, WasiSleep};
    use aws_types::sdk_config::{SharedAsyncSleep, SharedHttpClient};

    pub(super) fn http_client() -> SharedHttpClient {
        WasiHttpClientBuilder::new().build()
    }

    pub(super) fn sleep() -> SharedAsyncSleep {
        SharedAsyncSleep::new(WasiSleep)
    }

    /// Runs a future to its end, and gives what it gave: the executor that the SDK's HTTP and pauses work with.
    ///
    /// It is `wstd`'s, so `wstd::task`, `wstd::time` and `#[wstd::main]` work with it as well, and futures that need no
    /// executor, such as those of the `futures` crates and of `tokio::sync`. Those of tokio's own runtime don't: its
    /// timers, and its `#[tokio::main]` around a call of the SDK, which would panic.
    ///
    /// What is still tied to the host, such as an answer's unread body, is to be dropped before the future ends.
    ///
    /// # Panics
    ///
    /// Inside another `block_on`.
    pub fn block_on<F: Future>(future: F) -> F::Output {
        wstd::runtime::block_on(future)
    }
}

#[cfg(not(target_family = "wasm"))]
mod platform {
    use aws_smithy_async::rt::sleep::TokioSleep;
    use aws_smithy_runtime_api::client::http::{
        HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn,
    };
    use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
    use aws_smithy_runtime_api::client::result::ConnectorError;
    use aws_types::sdk_config::{SharedAsyncSleep, SharedHttpClient};

    /// Nobody is there to send a request.
    #[derive(Debug)]
    struct NoHost;

    impl HttpConnector for NoHost {
        fn call(&self, _: HttpRequest) -> HttpConnectorFuture {
            let reason = "this program does not run as a Rolebox task: build it for wasm32-wasip2, or give the client an \
                          HTTP client of your own";
            // A mistake of the user's is not tried again.
            HttpConnectorFuture::ready(Err(ConnectorError::user(reason.into())))
        }
    }

    pub(super) fn http_client() -> SharedHttpClient {
        http_client_fn(|_, _| SharedHttpConnector::new(NoHost))
    }

    pub(super) fn sleep() -> SharedAsyncSleep {
        SharedAsyncSleep::new(TokioSleep::new())
    }

    /// Runs a future to its end, and gives what it gave. Outside a task this is a runtime of tokio's, on this thread.
    ///
    /// # Panics
    ///
    /// Inside another runtime, or when the system gives none.
    pub fn block_on<F: Future>(future: F) -> F::Output {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
        runtime.expect("a runtime without I/O needs nothing of the system").block_on(future)
    }
}

#[cfg(test)]
mod tests {
    use std::error::Error;
    use std::fmt;
    use std::time::Duration;

    use aws_credential_types::provider::ProvideCredentials;
    use aws_smithy_async::rt::sleep::AsyncSleep;
    use aws_smithy_types::error::ErrorMetadata;

    use super::*;

    /// An error of the SDK that no service has answered.
    #[derive(Debug)]
    struct NoAnswer(ErrorMetadata, fmt::Error);

    impl fmt::Display for NoAnswer {
        fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            formatter.write_str("dispatch failure")
        }
    }

    impl Error for NoAnswer {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            Some(&self.1)
        }
    }

    impl ProvideErrorMetadata for NoAnswer {
        fn meta(&self) -> &ErrorMetadata {
            &self.0
        }
    }

    #[test]
    fn an_error_s_text_begins_with_its_code_or_says_why_there_is_none() {
        let answered = ErrorMetadata::builder().code("AccessDenied").message("no capability").build();
        assert_eq!(code_and_message(&answered), "AccessDenied: no capability");
        assert_eq!(code_and_message(&ErrorMetadata::builder().code("SlowDown").build()), "SlowDown");
        let text = code_and_message(&NoAnswer(ErrorMetadata::builder().build(), fmt::Error));
        assert!(text.starts_with("dispatch failure") && text.contains(&fmt::Error.to_string()), "{text}");
    }

    #[test]
    fn the_configuration_has_no_key_and_no_endpoint() {
        let config = aws_config();
        assert_eq!(config.endpoint_url(), None);
        let provider = config.credentials_provider().expect("a service that wants an identity has one");
        let credentials = block_on(provider.provide_credentials());
        assert_eq!(credentials.expect("credentials that are none").secret_access_key(), PLACEHOLDER);
    }

    #[test]
    fn pauses_end() {
        let sleep = aws_config().sleep_impl().expect("the SDK's retries need it");
        // Inside: tokio's timers are bound to their runtime when they are made.
        block_on(async { AsyncSleep::sleep(&sleep, Duration::from_millis(1)).await });
    }
}
