//! Nothing that a guest, a log or a record can hold has a key in it.

use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use memchr::memmem::find;
use rolebox_guest_artifacts as artifacts;
use rolebox_local_aws::{IssuedSession, Server};
use rolebox_suite::{ACCOUNT, Host, all_of_s3, task, with_role};
use serde_json::json;

/// Everything of these sessions' keys, and of the host's own, that must not be in `text`.
pub(crate) fn assert_no_key(what: &str, text: &[u8], aws: &Server) {
    let sessions = aws.aws().issued_sessions();
    assert!(!sessions.is_empty());
    let mut secrets: Vec<String> = sessions.iter().flat_map(secrets_of).collect();
    let environment = aws.environment();
    let own = environment.iter().find(|variable| variable.name == "AWS_SECRET_ACCESS_KEY").unwrap();
    secrets.push(own.value.clone());
    for secret in secrets {
        assert!(find(text, secret.as_bytes()).is_none(), "{what} holds a key");
    }
}

fn secrets_of(session: &IssuedSession) -> [String; 3] {
    [
        session.secret_access_key.expose().to_owned(),
        session.session_token.expose().to_owned(),
        session.access_key_id.clone(),
    ]
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// One test for all: the log's subscriber is the process's, and what is logged at TRACE must come from this task.
#[tokio::test]
pub(crate) async fn hold_memory() {
    let log = Log::default();
    let writer = log.clone();
    // Where another test has set one, its own events go there; ours are what this test is about.
    let subscriber = tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_ansi(false);
    tracing::subscriber::set_global_default(subscriber.with_writer(move || writer.clone()).finish()).unwrap();

    let memories = Arc::new(Mutex::new(Vec::<Vec<u8>>::new()));
    let kept = memories.clone();
    let host = Host::with(|settings| {
        settings.inspect_memory(Arc::new(move |memory: &[u8]| {
            kept.lock().unwrap_or_else(PoisonError::into_inner).push(memory.to_vec());
        }))
    })
    .await;
    host.aws.aws().create_bucket_of(&ACCOUNT.parse().unwrap(), "held", false).unwrap();
    let definition = with_role(task(Path::new(artifacts::HOLD_MEMORY), &["held"]), "full", &all_of_s3());
    let outcome = host.run(&definition).await;
    assert_eq!(outcome.stopped.exit_code(), 0, "{outcome:?}");
    // A guest that traps is looked at too, and one whose calls AWS refuses.
    host.run(&with_role(task(Path::new(artifacts::TRAP), &[]), "full", &json!([]))).await;
    let refused =
        with_role(task(Path::new(artifacts::S3_CALL), &["put-object", "held", "a", "b"]), "reader", &all_of_s3());
    let refused = host.run(&refused).await;
    assert!(refused.stdout.contains("AccessDenied"), "{refused:?}");

    let memories = memories.lock().unwrap_or_else(PoisonError::into_inner).clone();
    assert_eq!(memories.len(), 3, "one memory for each guest");
    assert!(memories.iter().any(|memory| find(memory, b"rolebox-signs-on-the-host").is_some()), "guest memory is seen");
    for memory in &memories {
        assert_no_key("guest memory", memory, &host.aws);
    }
    for outcome in [&outcome, &refused] {
        assert_no_key("output", format!("{outcome:?}").as_bytes(), &host.aws);
    }
    let records = host.audit.all();
    assert!(records.len() > 2);
    assert_no_key("the audit", serde_json::to_string(&records).unwrap().as_bytes(), &host.aws);
    let runner = format!("{:?}", host.runner);
    assert_no_key("the runner's Debug", runner.as_bytes(), &host.aws);

    let logged = log.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
    assert!(find(&logged, b"PutObject").is_some(), "calls are logged");
    assert_no_key("the log at TRACE", &logged, &host.aws);
    // A signature is good for minutes, so it is no secret to keep; but nothing needs it in a log either.
    assert!(find(&logged, b"Signature=").is_none(), "a signature is logged");
}

#[tokio::test]
async fn errors_of_a_refused_role_hold_no_key() {
    let host = Host::start().await;
    host.run(&with_role(task(Path::new(artifacts::EXIT_OK), &[]), "full", &json!([]))).await;
    let outcome = host.run(&with_role(task(Path::new(artifacts::EXIT_OK), &[]), "stranger", &json!([]))).await;
    assert_eq!(outcome.stopped.exit_code(), 125);
    assert_no_key("the error", format!("{outcome:?}").as_bytes(), &host.aws);
}
