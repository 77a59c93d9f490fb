//! The host's own credentials: loaded once for many, renewed in time, named when they are missing.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::future::ProvideCredentials as Provided;
use aws_credential_types::provider::{ProvideCredentials, Result as ProviderResult};

use super::*;

/// A provider that does as it is told and counts how often.
#[derive(Clone)]
struct Provider {
    script: Arc<Mutex<Box<dyn Fn() -> ProviderResult + Send>>>,
    loads: Arc<AtomicUsize>,
    hangs: bool,
}

impl Provider {
    fn new(script: impl Fn() -> ProviderResult + Send + 'static) -> Self {
        Self { script: Arc::new(Mutex::new(Box::new(script))), loads: Arc::default(), hangs: false }
    }

    fn loads(&self) -> usize {
        self.loads.load(Ordering::Relaxed)
    }
}

impl std::fmt::Debug for Provider {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Provider")
    }
}

impl ProvideCredentials for Provider {
    fn provide_credentials<'a>(&'a self) -> Provided<'a>
    where
        Self: 'a,
    {
        self.loads.fetch_add(1, Ordering::Relaxed);
        if self.hangs {
            return Provided::new(std::future::pending());
        }
        let result = (self.script.lock().unwrap())();
        Provided::new(async move {
            // As one that asks a service.
            tokio::task::yield_now().await;
            result
        })
    }
}

fn client(server: &Server, clock: &ManualClock, provider: &Provider) -> Arc<AwsSts> {
    let base = SharedCredentialsProvider::new(provider.clone());
    Arc::new(AwsSts::new(settings_with(server, clock, base)))
}

fn expiring(at: SystemTime) -> ProviderResult {
    Ok(Credentials::new("AKIABASEKEY", "BASESECRET", Some("BASETOKEN".into()), Some(at), "test"))
}

#[tokio::test]
async fn they_are_loaded_once_for_many_calls() {
    let server = Server::start(|_| success()).await;
    let provider = Provider::new(|| Ok(base_credentials()));
    let clock = ManualClock::new(start());
    let client = client(&server, &clock, &provider);
    let calls: Vec<_> = (0..20)
        .map(|_| {
            let client = Arc::clone(&client);
            tokio::spawn(async move { client.assume_role(&request()).await })
        })
        .collect();
    for call in calls {
        call.await.unwrap().unwrap();
    }
    assert_eq!(provider.loads(), 1);
    // Even what names no end is asked for again: a profile may have changed.
    clock.advance(15 * MINUTE);
    client.assume_role(&request()).await.unwrap();
    assert_eq!(provider.loads(), 2);
}

#[tokio::test]
async fn they_are_renewed_before_they_expire() {
    let server = Server::start(|_| success()).await;
    let end = start() + 12 * MINUTE;
    let provider = Provider::new(move || expiring(end));
    let clock = ManualClock::new(start());
    let client = client(&server, &clock, &provider);
    for (minute, loads) in [(0, 1), (6, 1), (7, 2), (11, 3)] {
        clock.set(start() + minute * MINUTE);
        client.assume_role(&request()).await.unwrap();
        assert_eq!(provider.loads(), loads, "at minute {minute}");
    }
    clock.set(end);
    let error = client.assume_role(&request()).await.unwrap_err();
    assert!(matches!(error, StsError::ExpiredToken { .. }), "{error}");
    assert_eq!(server.requests().len(), 4, "expired credentials sign nothing");
}

#[tokio::test]
async fn what_sts_does_not_accept_is_not_used_again() {
    for code in ["ExpiredToken", "InvalidClientTokenId"] {
        let server = Server::start(move |number| if number == 0 { error(403, code, "no") } else { success() }).await;
        let provider = Provider::new(|| Ok(base_credentials()));
        let client = client(&server, &ManualClock::new(start()), &provider);
        client.assume_role(&request()).await.unwrap_err();
        client.assume_role(&request()).await.unwrap();
        assert_eq!(provider.loads(), 2, "{code}");
    }
}

#[tokio::test]
async fn missing_ones_are_named_and_nothing_is_sent() {
    let server = Server::start(|_| success()).await;
    type Script = fn() -> ProviderResult;
    let failures: [(Script, &str); 4] = [
        (|| Err(CredentialsError::not_loaded_no_source()), "none were found"),
        (|| Err(CredentialsError::not_loaded("no providers in chain provided credentials")), "no providers in chain"),
        (|| Err(CredentialsError::provider_error("the SSO session has expired")), "the SSO session has expired"),
        (|| Err(CredentialsError::invalid_configuration("profile `x` is not there")), "profile `x` is not there"),
    ];
    for (script, says) in failures {
        let client = client(&server, &ManualClock::new(start()), &Provider::new(script));
        let error = client.assume_role(&request()).await.unwrap_err();
        assert!(matches!(error, StsError::NoBaseCredentials { .. }), "{error:?}");
        let text = error.to_string();
        assert!(text.contains(says) && text.contains("AWS_PROFILE"), "`{says}` in: {text}");
    }
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn a_provider_that_hangs_is_given_up() {
    let server = Server::start(|_| success()).await;
    let mut provider = Provider::new(|| Ok(base_credentials()));
    provider.hangs = true;
    let clock = ManualClock::new(start());
    let client = client(&server, &clock, &provider);
    let call = tokio::spawn(async move { client.assume_role(&request()).await });
    settle().await;
    clock.advance(Duration::from_secs(25));
    let error = call.await.unwrap().unwrap_err();
    assert!(matches!(error, StsError::NoBaseCredentials { .. }), "{error}");
}
