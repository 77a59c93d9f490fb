//! No part of a key is in anything that prints, at any level. What the AWS SDK logs is looked at in `aws`.

use super::capture::Capture;
use super::*;

fn assert_secretless(text: &str) {
    for secret in ["ASIAKEY", "SECRETKEY", "SESSIONTOKEN"] {
        assert!(!text.contains(secret), "{secret} in: {text}");
    }
}

#[tokio::test]
async fn nothing_that_prints_holds_a_secret() {
    let (log, _guard) = Capture::start();
    let host = Host::new();
    let session = host.sessions.hold(request(), Sharing::Shared);
    let credentials = session.credentials().await.unwrap();
    let mut printed = vec![
        format!("{credentials:?} {credentials:#?}"),
        format!("{session:?} {session:#?}"),
        format!("{:?} {:#?}", host.sessions, host.sessions),
        format!("{:?}", credentials.secret_access_key()),
        format!("{:?}", session.request()),
    ];
    // A refresh that fails in each way, an answer that is wrong, the end.
    for failure in [Some(access_denied()), Some(throttling()), Some(unreachable()), None] {
        host.sts.fail(failure);
        host.clock.advance(45 * MINUTE);
        printed.push(format!("{:?} {session:?}", host.credentials(&session).await));
        settle().await;
    }
    host.sts.edit(|answer| answer.assumed_role_arn.clear());
    host.clock.advance(60 * MINUTE);
    let error = host.credentials(&session).await.unwrap_err();
    printed.push(format!("{error} {error:?} {} {:?}", error.cause(), error.cause()));
    for text in printed {
        assert_secretless(&text);
        assert!(!text.is_empty());
    }
    let log = log.text();
    assert!(log.contains("role session assumed") && log.contains("no role session"), "{log}");
    assert_secretless(&log);
}

#[test]
fn an_unchecked_answer_prints_no_secret() {
    let answer = AssumeRoleAnswer {
        access_key_id: Secret::new("ASIAKEY1".into()),
        secret_access_key: Secret::new("SECRETKEY1".into()),
        session_token: Secret::new("SESSIONTOKEN1".into()),
        expiration: None,
        assumed_role_arn: String::new(),
        packed_policy_size: None,
    };
    assert_secretless(&format!("{answer:?} {answer:#?}"));
}
