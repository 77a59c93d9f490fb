//! What a guest asks for is parsed, authorized, signed and sent, or denied with nothing sent.

use std::path::Path;
use std::sync::Arc;

use rolebox::egress::audit::{AuditError, AuditRecord, AuditSink, Recorded};
use rolebox_guest_artifacts as artifacts;
use rolebox_suite::{ACCOUNT, Host, Outcome, all_of_s3, task, with_key, with_role};
use serde_json::{Value, json};

async fn s3_call(host: &Host, capabilities: &Value, arguments: &[&str]) -> Outcome {
    host.run(&with_role(task(Path::new(artifacts::S3_CALL), arguments), "full", capabilities)).await
}

fn bucket_of(host: &Host, owner: &str, name: &str, open: bool) {
    host.aws.aws().create_bucket_of(&owner.parse().unwrap(), name, open).unwrap();
}

#[tokio::test]
async fn a_denial_names_action_arn_and_capability_and_sends_nothing() {
    let host = Host::start().await;
    bucket_of(&host, ACCOUNT, "photos", false);
    let capabilities = json!([{"action": "s3:GetObject", "resource": "arn:aws:s3:::photos/*"}]);
    for (arguments, action, arn) in [
        (&["put-object", "photos", "a.txt", "x"][..], "s3:PutObject", "arn:aws:s3:::photos/a.txt"),
        (&["delete-object", "photos", "a.txt"], "s3:DeleteObject", "arn:aws:s3:::photos/a.txt"),
        (&["list-objects", "photos"], "s3:ListBucket", "arn:aws:s3:::photos"),
        (&["head-bucket", "photos"], "s3:ListBucket", "arn:aws:s3:::photos"),
        (&["create-bucket", "another"], "s3:CreateBucket", "arn:aws:s3:::another"),
        (&["delete-bucket", "photos"], "s3:DeleteBucket", "arn:aws:s3:::photos"),
        (&["get-object", "photos2", "a.txt"], "s3:GetObject", "arn:aws:s3:::photos2/a.txt"),
        (&["list-buckets"], "s3:ListAllMyBuckets", "*"),
    ] {
        let outcome = s3_call(&host, &capabilities, arguments).await;
        assert_ne!(outcome.stopped.exit_code(), 0, "{arguments:?}");
        for part in [action, arn, "capability"] {
            assert!(outcome.stdout.contains(part), "{arguments:?}: no {part} in {outcome:?}");
        }
    }
    assert_eq!(host.operations(), Vec::<String>::new(), "nothing was sent");
    let records = host.audit.all();
    assert!(records.iter().all(|record| record["event"] == "decision" && record["decision"] == "deny"), "{records:#?}");
    assert_eq!(records.len(), 8);
}

#[tokio::test]
async fn without_a_role_there_is_no_aws_at_all() {
    let host = Host::start().await;
    let outcome = host.run(&task(Path::new(artifacts::S3_CALL), &["list-buckets"])).await;
    assert!(outcome.stdout.contains("taskRoleArn"), "{outcome:?}");
    assert_eq!(host.request_count(), 0);
}

/// Everything that is not one of the operations that are understood, and everything that tries to be two things.
#[tokio::test]
pub(crate) async fn raw_call() {
    let host = Host::start().await;
    bucket_of(&host, ACCOUNT, "photos", false);
    let everything = json!([{"action": ["s3:*", "sts:GetCallerIdentity"], "resource": ["*"], "account": "any"}]);
    let before = host.operations().len();
    let cases: &[&[&str]] = &[
        &["s3", "GET", "/photos/../secret/key"],
        &["s3", "GET", "/photos/%2e%2e/secret/key"],
        &["s3", "GET", "/photos/./key"],
        &["s3", "GET", "/photos/a%"],
        &["s3", "GET", "/photos/a%zz"],
        &["s3", "GET", "/photos/a%00b"],
        &["s3", "GET", "/photos/a%ff"],
        &["s3", "GET", "photos/a"],
        &["s3", "GET", "//photos/a"],
        &["s3", "GET", "/photos/a?acl"],
        &["s3", "GET", "/photos/a#b"],
        &["s3", "GET", "/photos/a", "--query", "X-Amz-Signature=0"],
        &["s3", "GET", "/photos/a", "--query", "x-amz-acl=public-read"],
        &["s3", "GET", "/photos", "--query", "acl", "--query", "policy"],
        &["s3", "GET", "/photos", "--query", "invented"],
        &["s3", "GET", "/photos", "--query", "list-type=2", "--query", "list-type=2"],
        &["s3", "PUT", "/photos/a", "--header", "x-amz-invented:1"],
        &["s3", "PUT", "/photos/a", "--header", "x-amz-expected-bucket-owner:me"],
        &["s3", "PUT", "/photos/a", "--header", "x-amz-copy-source:/../secret/key"],
        &["s3", "PUT", "/photos/a", "--header", "bad name:1"],
        &["s3", "PUT", "/photos/a", "--header", "x-amz-meta-a:b\\r\\nx-amz-acl: public-read"],
        &["s3", "BREW", "/photos/a"],
        &["s3", "get", "/photos/a"],
        &["s3", "GET", "/arn:aws:s3:::photos/a"],
        &["s3", "GET", "/photos--use1-az4--x-s3/a"],
        &["s3", "GET", "/PHOTOS/a"],
        &["s3", "GET", "/photos/a", "--region", "evil.example/"],
        &["s3.evil.example", "GET", "/photos/a"],
        &["S3", "GET", "/photos/a"],
        &["", "GET", "/photos/a"],
        &["iam", "POST", "/", "--body", "Action=CreateAccessKey&Version=2010-05-08"],
        &[
            "sts",
            "POST",
            "/",
            "--body",
            "Action=AssumeRole&Version=2011-06-15&RoleArn=arn:aws:iam::123456789012:role/full",
        ],
        &["sts", "POST", "/", "--body", "Action=GetSessionToken&Version=2011-06-15"],
    ];
    for case in cases {
        let outcome = host.run(&with_role(task(Path::new(artifacts::RAW_CALL), case), "full", &everything)).await;
        assert_ne!(outcome.stopped.exit_code(), 0, "{case:?} was answered: {outcome:?}");
    }
    assert_eq!(host.operations().len(), before, "nothing was sent: {:?}", host.aws.aws().requests());
}

#[tokio::test]
async fn a_bucket_of_another_account_is_out_of_reach_even_if_it_is_open_to_the_world() {
    let host = Host::start().await;
    bucket_of(&host, "999999999999", "open-to-all", true);
    bucket_of(&host, ACCOUNT, "own", false);
    let put = |capabilities: Value| {
        let host = &host;
        async move { s3_call(host, &capabilities, &["put-object", "open-to-all", "a", "x"]).await }
    };
    let wildcard = json!([{"action": "s3:*", "resource": "arn:aws:s3:::*"}]);
    let outcome = put(wildcard.clone()).await;
    assert!(outcome.stdout.contains("AccessDenied"), "the owner is not the task's account: {outcome:?}");
    assert_eq!(host.aws.aws().objects("open-to-all").unwrap().len(), 0);
    assert_eq!(s3_call(&host, &wildcard, &["put-object", "own", "a", "x"]).await.stopped.exit_code(), 0);

    let named = json!([{"action": "s3:*", "resource": "arn:aws:s3:::*", "account": "999999999999"}]);
    assert_eq!(put(named).await.stopped.exit_code(), 0, "the definition may name the account");
}

#[tokio::test]
async fn the_session_policy_bounds_the_session_at_aws_too() {
    let host = Host::start().await;
    let capabilities = json!([{"action": "s3:PutObject", "resource": "arn:aws:s3:::own/*"}]);
    bucket_of(&host, ACCOUNT, "own", false);
    assert_eq!(s3_call(&host, &capabilities, &["put-object", "own", "a", "x"]).await.stopped.exit_code(), 0);
    let session = host.aws.aws().issued_sessions().pop().expect("one session");
    assert_eq!(session.role_arn, format!("arn:aws:iam::{ACCOUNT}:role/full"));
    // The role alone may read; the reader's own role may not write, whatever the definition says.
    let broad = all_of_s3();
    let outcome = host
        .run(&with_role(task(Path::new(artifacts::S3_CALL), &["put-object", "own", "b", "x"]), "reader", &broad))
        .await;
    assert!(outcome.stdout.contains("AccessDenied"), "{outcome:?}");
}

#[tokio::test]
async fn bodies_are_bounded_in_both_directions() {
    let host = Host::start().await;
    bucket_of(&host, ACCOUNT, "own", false);
    host.aws.aws().put_object("own", "large", vec![b'x'; 5_000]).await.unwrap();
    let limits = json!({"bodyBytes": 1_000});
    let run = async |arguments: &[&str]| {
        let definition = with_role(task(Path::new(artifacts::RAW_CALL), arguments), "full", &all_of_s3());
        host.run(&with_key(definition, "limits", limits.clone())).await
    };
    let sent = run(&["s3", "PUT", "/own/a", "--body-size", "1001"]).await;
    assert!(sent.stdout.contains("too-large") || sent.stdout.contains("too large"), "{sent:?}");
    let received = run(&["s3", "GET", "/own/large"]).await;
    assert!(received.stdout.contains("too-large") || received.stdout.contains("too large"), "{received:?}");
    assert_eq!(run(&["s3", "PUT", "/own/a", "--body-size", "1000"]).await.stopped.exit_code(), 0);
    assert_eq!(host.aws.aws().object("own", "a").unwrap().len(), 1_000);
}

/// A sink that keeps nothing.
#[derive(Debug)]
struct Full;

impl AuditSink for Full {
    fn record(&self, _: AuditRecord) -> Recorded {
        Box::pin(async { Err(AuditError(std::io::Error::other("no space left"))) })
    }
}

#[tokio::test]
async fn a_call_that_cannot_be_recorded_is_denied() {
    let host = Host::with(|settings| settings.with_audit(Arc::new(Full))).await;
    bucket_of(&host, ACCOUNT, "own", false);
    let outcome = s3_call(&host, &all_of_s3(), &["put-object", "own", "a", "x"]).await;
    assert!(outcome.stdout.contains("cannot record"), "{outcome:?}");
    assert_eq!(host.operations(), Vec::<String>::new());
}

#[tokio::test]
async fn each_call_is_recorded_before_and_after() {
    let host = Host::start().await;
    bucket_of(&host, ACCOUNT, "own", false);
    let outcome = s3_call(&host, &all_of_s3(), &["put-object", "own", "a", "xyz"]).await;
    let records = host.audit.all();
    let [decision, end] = records.as_slice() else { panic!("two records: {records:#?}") };
    assert_eq!((&decision["event"], &end["event"]), (&json!("decision"), &json!("end")));
    for record in [decision, end] {
        assert_eq!(record["taskId"], json!(outcome.stopped.task_id));
        assert_eq!(record["callId"], decision["callId"]);
        assert_eq!(record["family"], "test");
        assert_eq!(record["roleArn"], format!("arn:aws:iam::{ACCOUNT}:role/full"));
        assert_eq!((&record["service"], &record["operation"]), (&json!("s3"), &json!("PutObject")));
        assert_eq!(record["region"], "us-east-1");
        assert_eq!(record["checks"], json!([{"action": "s3:PutObject", "resource": "arn:aws:s3:::own/a"}]));
        assert_eq!((&record["decision"], &record["bytesSent"]), (&json!("allow"), &json!(3)));
    }
    assert_eq!((&end["outcome"], &end["status"]), (&json!("answered"), &json!(200)));
    assert!(end["requestId"].is_string() && end["durationMs"].is_number(), "{end:#}");
}

#[tokio::test]
async fn a_call_that_the_tasks_end_cuts_is_recorded_as_aborted() {
    // An endpoint that takes connections and never answers.
    let silent = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let url = format!("http://{}", silent.local_addr().unwrap());
    let first = Host::start().await;
    let settings =
        rolebox_suite::aws_settings_with(&first.aws, |endpoints| endpoints.with_service("s3", &url).unwrap());
    let host = Host::with(|all| all.with_aws(settings)).await;
    let definition = with_role(task(Path::new(artifacts::S3_CALL), &["list-buckets"]), "full", &all_of_s3());
    let outcome = host.run(&with_key(definition, "timeout", json!("300ms"))).await;
    assert!(outcome.stopped.stopped_reason.starts_with("TimeoutError"), "{outcome:?}");
    let records = host.audit.all();
    let [decision, end] = records.as_slice() else { panic!("two records: {records:#?}") };
    assert_eq!((&decision["decision"], &end["outcome"]), (&json!("allow"), &json!("aborted")));
    assert_eq!(decision["callId"], end["callId"]);
}

#[tokio::test]
async fn a_call_ends_at_its_own_timeout_and_the_guest_goes_on() {
    let silent = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let url = format!("http://{}", silent.local_addr().unwrap());
    let first = Host::start().await;
    let settings =
        rolebox_suite::aws_settings_with(&first.aws, |endpoints| endpoints.with_service("s3", &url).unwrap());
    let host = Host::with(|all| all.with_aws(settings)).await;
    let definition = with_role(task(Path::new(artifacts::S3_CALL), &["list-buckets"]), "full", &all_of_s3());
    let outcome = host.run(&with_key(definition, "limits", json!({"callTimeout": "200ms"}))).await;
    assert_eq!(outcome.stopped.containers[0].exit_code, Some(1), "the guest ended by itself: {outcome:?}");
    assert!(outcome.stdout.contains("timed"), "{outcome:?}");
}

/// What a definition names is tried, and leads to public addresses alone; what it does not name is not looked up. Nothing
/// outside this machine is reached either way.
#[tokio::test]
async fn other_hosts_are_reached_as_the_definition_says_and_never_the_machine_itself() {
    let host = Host::with(|settings| settings.with_bounds(rolebox_suite::bounds().allow_any_egress())).await;
    let egress = json!(["localhost.localdomain:443", "http://no-such-host.invalid:80"]);
    let request = async |role: Option<&str>, scheme: &str, authority: &str| {
        let task = task(Path::new(artifacts::HTTP_CALL), &[scheme, authority, "POST", "/", "--body", "text"]);
        let task = match role {
            Some(role) => with_role(task, role, &json!([])),
            None => task,
        };
        host.run(&with_key(task, "egress", egress.clone())).await
    };
    for (role, scheme, authority, said) in [
        (None, "https", "localhost.localdomain", "error: ErrorCode::DestinationUnavailable"),
        (Some("full"), "https", "LOCALHOST.localdomain:443", "error: ErrorCode::DestinationUnavailable"),
        (None, "http", "no-such-host.invalid", "error: ErrorCode::DestinationUnavailable"),
        (None, "http", "localhost.localdomain", "error: ErrorCode::HttpRequestDenied"),
        (None, "https", "localhost.localdomain:8443", "error: ErrorCode::HttpRequestDenied"),
        (None, "https", "other.example.com", "error: ErrorCode::HttpRequestDenied"),
        (Some("full"), "https", "other.example.com", "error: ErrorCode::HttpRequestDenied"),
        (None, "https", "127.0.0.1", "error: ErrorCode::HttpRequestDenied"),
        (None, "http", "[::1]", "error: ErrorCode::HttpRequestDenied"),
        (None, "http", "169.254.169.254", "error: ErrorCode::HttpRequestDenied"),
        (None, "https", "2130706433", "error: ErrorCode::HttpRequestDenied"),
    ] {
        let before = host.audit.all().len();
        let outcome = request(role, scheme, authority).await;
        assert!(outcome.stdout.contains(said), "{authority}: {outcome:?}");
        let records = host.audit.all().split_off(before);
        let decision = if said.contains("Denied") { "deny" } else { "allow" };
        assert_eq!(records[0]["decision"], decision, "{authority}: {records:#?}");
        assert_eq!(records.len(), if decision == "allow" { 2 } else { 1 }, "{authority}: {records:#?}");
    }
}
