//! The role session: assumed before the guest starts, under the task's name, or the task does not start.

use std::path::Path;

use aws_credential_types::provider::ProvideCredentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::future::ProvideCredentials as Provided;
use rolebox::AwsSettings;
use rolebox::egress::Endpoints;
use rolebox_guest_artifacts as artifacts;
use rolebox_suite::{Host, all_of_s3, task, with_key, with_role};
use serde_json::json;

fn exit_ok(role: &str) -> serde_json::Value {
    with_role(task(Path::new(artifacts::EXIT_OK), &[]), role, &json!([]))
}

#[tokio::test]
async fn the_session_is_assumed_before_the_guest_starts_and_named_after_the_task() {
    let host = Host::start().await;
    let outcome = host.run(&exit_ok("full")).await;
    assert_eq!(outcome.stopped.exit_code(), 0);
    let session = host.aws.aws().issued_sessions().pop().expect("a session, though nothing was called");
    assert_eq!(session.session_name, outcome.stopped.task_id);
}

#[tokio::test]
async fn two_tasks_have_two_sessions_unless_their_definition_shares_one() {
    let host = Host::with(|settings| settings.with_bounds(rolebox_suite::bounds().allow_shared_sessions())).await;
    host.run(&exit_ok("full")).await;
    host.run(&exit_ok("full")).await;
    assert_eq!(host.aws.aws().issued_sessions().len(), 2);

    let shared = with_key(exit_ok("full"), "roleSession", json!("per-definition"));
    let prepared = host.prepare(&shared).await.unwrap();
    let mut tasks: Vec<_> = (0..5).map(|_| prepared.start(rolebox::output::TaskOutput::Discard)).collect();
    for task in &mut tasks {
        assert_eq!(task.wait().await.exit_code(), 0);
    }
    let sessions = host.aws.aws().issued_sessions();
    assert_eq!(sessions.len(), 3, "five tasks, one session");
    assert!(sessions.iter().any(|session| session.session_name == "test@1"), "{sessions:?}");
}

#[tokio::test]
async fn a_role_that_does_not_trust_the_host_fails_the_start_and_prints_the_statement_to_add() {
    let host = Host::start().await;
    let outcome = host.run(&with_role(task(Path::new(artifacts::PRINT), &["ran"]), "stranger", &all_of_s3())).await;
    assert_eq!(outcome.stopped.exit_code(), 125);
    assert_eq!(outcome.stopped.stop_code.to_string(), "TaskFailedToStart");
    assert_eq!(outcome.stdout, "", "the guest never ran");
    let reason = &outcome.stopped.stopped_reason;
    let host_arn = host.aws.aws().host_arn();
    for part in ["not authorized to perform: sts:AssumeRole", &host_arn, "role/stranger", "\"Effect\"", "\"Principal\""]
    {
        assert!(reason.contains(part), "no {part} in: {reason}");
    }
}

#[tokio::test]
async fn a_role_that_is_not_there_shows_what_sts_says() {
    let host = Host::start().await;
    let outcome = host.run(&exit_ok("nobody")).await;
    assert_eq!(outcome.stopped.exit_code(), 125);
    assert!(outcome.stopped.stopped_reason.contains("role/nobody"), "{outcome:?}");
}

#[derive(Debug)]
struct NoCredentials;

impl ProvideCredentials for NoCredentials {
    fn provide_credentials<'a>(&'a self) -> Provided<'a>
    where
        Self: 'a,
    {
        Provided::ready(Err(CredentialsError::not_loaded("there are none")))
    }
}

#[tokio::test]
async fn missing_base_credentials_and_an_endpoint_that_is_down_fail_the_start() {
    let region = || "us-east-1".parse().unwrap();
    let none = AwsSettings::new(region(), SharedCredentialsProvider::new(NoCredentials));
    let host = Host::with(|settings| settings.with_aws(none)).await;
    let outcome = host.run(&exit_ok("full")).await;
    assert_eq!(outcome.stopped.exit_code(), 125);
    assert!(outcome.stopped.stopped_reason.contains("credentials"), "{outcome:?}");

    // A port that was free a moment ago.
    let port = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
    let down = Endpoints::public().with_every_service(&format!("http://127.0.0.1:{port}")).unwrap();
    let base = aws_credential_types::Credentials::new("AKIDEXAMPLE", "secret", None, None, "test");
    let unreachable = AwsSettings::new(region(), SharedCredentialsProvider::new(base)).with_endpoints(down);
    let host = Host::with(|settings| settings.with_aws(unreachable)).await;
    let outcome = host.run(&exit_ok("full")).await;
    assert_eq!(outcome.stopped.exit_code(), 125);
    assert!(outcome.stopped.stopped_reason.contains("127.0.0.1"), "{outcome:?}");
}

#[tokio::test]
async fn wrong_base_credentials_show_what_sts_says() {
    let base = aws_credential_types::Credentials::new("AKIDUNKNOWN", "wrong-secret-key", None, None, "test");
    let host = Host::start().await;
    let url = format!("http://{}", host.aws.address());
    let settings = AwsSettings::new("us-east-1".parse().unwrap(), SharedCredentialsProvider::new(base))
        .with_endpoints(Endpoints::public().with_every_service(&url).unwrap());
    let second = Host::with(|all| all.with_aws(settings)).await;
    let outcome = second.run(&exit_ok("full")).await;
    assert_eq!(outcome.stopped.exit_code(), 125);
    assert!(outcome.stopped.stopped_reason.contains("InvalidClientTokenId"), "{outcome:?}");
    assert!(!format!("{outcome:?}").contains("wrong-secret-key"));
}

#[tokio::test]
async fn a_runner_without_aws_settings_refuses_a_task_with_a_role() {
    let settings = rolebox::RunnerSettings::new(rolebox_suite::bounds()).with_max_instances(4);
    let runner = rolebox::Runner::new(settings).unwrap();
    let definition = rolebox_suite::parse(&exit_ok("full"));
    let error = runner.prepare(&definition).await.unwrap_err().to_string();
    assert!(error.contains("taskRoleArn") && error.contains("AWS settings"), "{error}");
}

#[tokio::test]
async fn a_session_policy_that_is_off_is_an_operators_choice() {
    let off = with_key(exit_ok("full"), "sessionPolicy", json!("off"));
    let host = Host::start().await;
    assert!(host.prepare(&off).await.is_err());
    let host = Host::with(|settings| settings.with_bounds(rolebox_suite::bounds().allow_session_policy_off())).await;
    assert_eq!(host.run(&off).await.stopped.exit_code(), 0);
}
