//! An answer that is no session of what was asked for is no session, and does not replace one.

use super::*;

type Edit = fn(&mut AssumeRoleAnswer);

/// What may be wrong with an answer, and what the error must say of it.
const WRONG: &[(Edit, &str)] = &[
    (|a| a.access_key_id = Secret::new(String::new()), "the access key id is empty"),
    (|a| a.secret_access_key = Secret::new(String::new()), "the secret access key is empty"),
    (|a| a.session_token = Secret::new(String::new()), "the session token is empty"),
    (|a| a.access_key_id = Secret::new("ASIA\r\nx-amz-acl: public".into()), "the access key id holds characters"),
    (|a| a.secret_access_key = Secret::new("SECRET KEY".into()), "the secret access key holds characters"),
    (|a| a.session_token = Secret::new("TOKEN\u{e9}".into()), "the session token holds characters"),
    (|a| a.session_token = Secret::new("TOKEN\0".into()), "the session token holds characters"),
    (|a| a.expiration = None, "does not say when"),
    (|a| a.expiration = Some(SystemTime::UNIX_EPOCH), "clock right?"),
    (|a| a.expiration = a.expiration.map(|at| at - Duration::from_secs(3601)), "expired 1 s ago"),
    (|a| a.expiration = a.expiration.map(|at| at - Duration::from_secs(3600)), "expires in 0 s"),
    (|a| a.expiration = a.expiration.map(|at| at - Duration::from_secs(3540)), "expires in 60 s"),
    (|a| a.assumed_role_arn = String::new(), "instead of"),
    (|a| a.assumed_role_arn = ROLE.into(), "instead of"),
    (|a| a.assumed_role_arn = a.assumed_role_arn.replace("s3-sample/", "admin/"), "assumed-role/admin/"),
    (|a| a.assumed_role_arn = a.assumed_role_arn.replace("s3-sample/", "S3-Sample/"), "instead of"),
    (|a| a.assumed_role_arn = a.assumed_role_arn.replace("s3-sample/", "path/s3-sample/"), "instead of"),
    (|a| a.assumed_role_arn = a.assumed_role_arn.replace("123456789012", "210987654321"), "::210987654321:"),
    (|a| a.assumed_role_arn = a.assumed_role_arn.replace("arn:aws:", "arn:aws-cn:"), "arn:aws-cn:"),
    (|a| a.assumed_role_arn = a.assumed_role_arn.replace(TASK_ID, "other-task"), "/other-task"),
    (|a| a.assumed_role_arn += "0", "instead of"),
    (|a| a.assumed_role_arn = "\u{1b}[2J\n".repeat(1000), "instead of"),
];

fn assert_invalid(error: &RoleSessionError, says: &str) {
    let text = error.to_string();
    assert!(matches!(error.cause(), StsError::InvalidAnswer { .. }), "{text}");
    assert!(text.contains(says), "`{says}` in: {text}");
    assert!(text.len() < 2000 && !text.contains(|c: char| c.is_control()), "{text:?}");
    for secret in ["ASIA", "SECRET", "TOKEN", "public"] {
        assert!(!text.contains(secret) && !format!("{error:?}").contains(secret), "{text}");
    }
}

#[tokio::test]
async fn a_wrong_first_answer_is_no_session() {
    for (wrong, says) in WRONG {
        let host = Host::new();
        host.sts.edit(wrong);
        let session = host.hold();
        assert_invalid(&session.credentials().await.unwrap_err(), says);
        host.sts.edit(|_| ());
        host.clock.advance(MINUTE);
        session.credentials().await.unwrap();
    }
}

#[tokio::test]
async fn a_wrong_answer_replaces_no_good_session() {
    for (wrong, says) in WRONG {
        let host = Host::new();
        let session = host.hold();
        session.credentials().await.unwrap();
        host.sts.edit(wrong);
        host.clock.advance(45 * MINUTE);
        for _ in 0..13 {
            let served = session.credentials().await.unwrap();
            assert_eq!(served.session_token().expose(), "SESSIONTOKEN1");
            settle().await;
            host.clock.advance(MINUTE);
        }
        assert!(host.sts.calls() > 2);
        host.clock.advance(MINUTE);
        assert_invalid(&session.credentials().await.unwrap_err(), says);
    }
}

#[tokio::test]
async fn a_right_answer_is_passed_on_whole() {
    let host = Host::new();
    let credentials = host.hold().credentials().await.unwrap();
    assert_eq!(credentials.access_key_id(), "ASIAKEY1");
    assert_eq!(credentials.secret_access_key().expose(), "SECRETKEY1");
    assert_eq!(credentials.session_token().expose(), "SESSIONTOKEN1");
    assert_eq!(credentials.expiration(), start() + 60 * MINUTE);
    assert_eq!(credentials.packed_policy_size(), Some(6));
    assert_eq!(credentials.assumed_role_arn(), format!("arn:aws:sts::123456789012:assumed-role/s3-sample/{TASK_ID}"));
}

#[tokio::test]
async fn an_answer_that_expires_a_moment_past_the_margin_serves_who_waited() {
    let host = Host::new();
    host.sts.live(Duration::from_secs(61));
    let session = host.hold();
    assert_eq!(session.credentials().await.unwrap().session_token().expose(), "SESSIONTOKEN1");
    host.clock.advance(Duration::from_secs(1));
    assert_eq!(session.credentials().await.unwrap().session_token().expose(), "SESSIONTOKEN2");
}
