//! A denied call is the SDK's own AccessDenied error, which it does not try again; and a call that fails is tried again
//! after a pause.

use std::sync::atomic::{AtomicUsize, Ordering};

use rolebox_suite::{ACCOUNT, Host};
use serde_json::json;

use super::{code_cached, operations, run};
use crate::hostile::recorder::Upstream;

#[tokio::test]
async fn a_denial_is_the_sdk_s_own_error_and_is_made_once() {
    let host = Host::with(code_cached).await;
    let on = |arn: &str| arn.replace("ACCOUNT", ACCOUNT);
    for (calls, name, code, action, arn) in [
        ("denied-s3", "photos", "AccessDenied", "s3:PutObject", "arn:aws:s3:::photos/denied.txt".to_owned()),
        (
            "denied-dynamodb",
            "songs",
            "AccessDeniedException",
            "dynamodb:PutItem",
            on("arn:aws:dynamodb:us-east-1:ACCOUNT:table/songs"),
        ),
        (
            "denied-secrets",
            "key",
            "AccessDeniedException",
            "secretsmanager:GetSecretValue",
            on("arn:aws:secretsmanager:us-east-1:ACCOUNT:secret:key-??????"),
        ),
    ] {
        let capabilities = json!([
            {"action": action, "resource": arn.replace(name, "another")},
            {"action": "s3:GetObject", "resource": "arn:aws:s3:::photos/*"},
        ]);
        let before = host.audit.all().len();
        let outcome = run(&host, &operations(calls, name, "full", &capabilities)).await;
        assert_eq!(outcome.stopped.exit_code(), 0, "{outcome:?}");
        let expected = format!("error Unhandled {code} 403: no capability of this task grants {action} on {arn}");
        assert!(outcome.stdout.contains(&expected), "{expected}: {outcome:?}");
        let records = host.audit.all().split_off(before);
        assert_eq!(records.len(), 1, "{calls} is denied once, and not tried again: {records:#?}");
        assert_eq!(records[0]["decision"], "deny", "{records:#?}");
    }
    assert_eq!(host.operations(), Vec::<String>::new(), "nothing was sent");
}

/// The SDK waits before it tries again, which would panic or hang if the guest's executor had no timers.
#[tokio::test]
async fn a_call_that_fails_is_tried_again_after_a_pause() {
    const FAILURES: usize = 4;
    let count = AtomicUsize::new(0);
    // More often than the host itself tries again.
    let upstream = Upstream::start(move |_| {
        let (status, body) = match count.fetch_add(1, Ordering::SeqCst) {
            0..FAILURES => ("500 Internal Server Error", r#"{"__type": "InternalServerError", "message": "not now"}"#),
            _ => ("200 OK", r#"{"SecretString": "opened", "Name": "key"}"#),
        };
        let length = body.len();
        format!(
            "HTTP/1.1 {status}\r\ncontent-type: application/x-amz-json-1.1\r\ncontent-length: {length}\r\n\r\n{body}"
        )
        .into_bytes()
    })
    .await;
    let settings = upstream.settings();
    let host = Host::with(|all| code_cached(all.with_aws(settings))).await;
    let arn = format!("arn:aws:secretsmanager:us-east-1:{ACCOUNT}:secret:key-??????");
    let capabilities = json!([{"action": "secretsmanager:GetSecretValue", "resource": arn}]);
    let outcome = run(&host, &operations("denied-secrets", "key", "full", &capabilities)).await;
    assert_eq!(outcome.stopped.exit_code(), 0, "{outcome:?}");
    assert!(outcome.stdout.starts_with("GetSecretValue: GetSecretValueOutput {"), "{outcome:?}");
    assert_eq!(upstream.requests().len(), FAILURES + 1);
}
