//! No secret is logged, at any level, or shown by a `Debug` form.

use std::io::Write;
use std::sync::{Arc, Mutex};

use tracing_subscriber::fmt::MakeWriter;

use crate::client::{FULL, Key, Local, roles};

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Lines {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// The subscriber is the process's: one for this thread alone would miss what `tracing` has decided to skip for threads
/// without one. What other tests log is captured too, and harms nothing.
#[test]
fn nothing_at_trace_holds_a_key_or_token() {
    let lines = Lines::default();
    let subscriber =
        tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(lines.clone()).finish();
    tracing::subscriber::set_global_default(subscriber).unwrap();
    let secrets = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(talk());
    let log = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    assert!(log.contains("answered") && log.contains("PutObject"), "the log was captured");
    assert!(log.contains("s3s"), "s3s was captured too");
    for secret in secrets {
        assert!(secret.len() >= 40);
        assert!(!log.contains(&secret), "a secret is in the log");
        // Nor a good part of one.
        assert!(!log.contains(&secret[..20]), "a part of a secret is in the log");
    }
}

/// Requests that succeed and that fail, and every secret that took part.
async fn talk() -> Vec<String> {
    let local = Local::start(&roles(&[("full", FULL)])).await;
    let key = local.assume("full", &[]).await;
    let host = local.host_key();
    local.bucket(&key, "data-bucket").await;
    let mut secrets = Vec::new();
    let put = |key: &Key| local.s3(key, "PUT", "/data-bucket/key").body("Hello World!");
    for key in
        [&key, &host, &Key { secret: "wrong".into(), ..key.clone() }, &Key { token: host.token.clone(), ..key.clone() }]
    {
        let signed = put(key).sign();
        secrets.push(signed.signature.clone());
        signed.send().await;
    }
    let mut changed = put(&key).sign();
    changed.body = b"Hello Wormd!".to_vec();
    changed.send().await;
    for target in ["/data-bucket?list-type=2", "/data-bucket?policy", "/data-bucket/absent", "/data-bucket/%ff", "/"] {
        let mut signed = local.s3(&key, "GET", "/data-bucket/key").sign();
        if target.contains("%ff") {
            signed.target = target.into();
            signed.send().await;
        } else {
            local.s3(&key, "GET", target).send().await;
        }
    }
    local.s3(&key, "POST", "/data-bucket?delete").body("<Delete").send().await;
    local.s3(&key, "POST", "/data-bucket/big?uploads").send().await;
    local.s3(&key, "PUT", "/data-bucket/copy").header("x-amz-copy-source", "data-bucket/key").send().await;
    local.sts(&key, &[("Action", "GetCallerIdentity")]).send().await;
    local.sts(&host, &[("Action", "AssumeRole")]).send().await;

    secrets.extend([host.secret, key.secret, key.token.unwrap()]);
    for session in local.aws().issued_sessions() {
        let shown = format!("{session:?}");
        assert!(!shown.contains(session.secret_access_key.expose()) && !shown.contains(session.session_token.expose()));
    }
    let shown = format!("{:?} {:?}", local.server, local.server.environment());
    for secret in &secrets {
        assert!(!shown.contains(secret.as_str()));
    }
    local.server.shutdown().await;
    secrets
}
