//! What happens after STS said no, or nothing.

use super::*;

fn refusals() -> Vec<StsError> {
    let message = || "no".to_owned();
    vec![
        access_denied(),
        StsError::MalformedPolicyDocument { message: message() },
        StsError::PackedPolicyTooLarge { message: message() },
        StsError::RegionDisabled { message: message() },
        StsError::InvalidRequest { code: "ValidationError".into(), message: message() },
    ]
}

fn base_credentials_at_fault() -> Vec<StsError> {
    let message = || "no".to_owned();
    vec![
        StsError::ExpiredToken { message: message() },
        StsError::NoBaseCredentials { reason: message() },
        StsError::BaseCredentialsRejected { code: "InvalidClientTokenId".into(), message: message() },
    ]
}

fn transient() -> Vec<StsError> {
    vec![throttling(), unreachable(), StsError::Unavailable { status: 503, message: "no".into() }]
}

#[tokio::test]
async fn what_trying_again_cannot_mend_is_tried_once() {
    let invalid = StsError::InvalidAnswer { reason: "no".into() };
    let other = StsError::Other { status: 418, code: "Teapot".into(), message: "no".into() };
    for failure in [refusals(), base_credentials_at_fault(), vec![invalid, other]].concat() {
        let host = Host::new();
        host.sts.fail(failure.clone());
        let error = host.hold().credentials().await.unwrap_err();
        assert_eq!((error.cause(), host.sts.calls()), (&failure, 1));
    }
}

#[tokio::test]
async fn a_first_call_outlasts_a_hiccup_of_sts() {
    for failure in transient() {
        let host = Host::new();
        host.sts.fail(failure.clone());
        let session = host.hold();
        let call = tokio::spawn(async move { session.credentials().await });
        settle().await;
        host.sts.fail(None);
        settle().await;
        assert!(!call.is_finished(), "it is not repeated at once");
        host.clock.advance(Duration::from_secs(5));
        assert!(call.await.unwrap().is_ok(), "{failure}");
        assert_eq!(host.sts.calls(), 2);
    }
}

#[tokio::test]
async fn a_first_call_gives_up_after_three_attempts() {
    for failure in transient() {
        let host = Host::new();
        host.sts.fail(failure.clone());
        let error = host.credentials(&host.hold()).await.unwrap_err();
        assert_eq!((error.cause(), host.sts.calls()), (&failure, 3));
    }
}

#[tokio::test]
async fn a_failure_is_answered_from_memory_for_a_while() {
    for failure in base_credentials_at_fault() {
        let host = Host::with_randomness(0.0);
        host.sts.fail(failure);
        let session = host.hold();
        session.credentials().await.unwrap_err();
        for (asked, pause) in (1..).zip([1, 2, 4, 8, 16, 32, 60, 60].map(Duration::from_secs)) {
            host.clock.advance(pause - Duration::from_millis(1));
            for _ in 0..100 {
                session.credentials().await.unwrap_err();
            }
            assert_eq!(host.sts.calls(), asked, "within {pause:?}");
            host.clock.advance(Duration::from_millis(1));
            session.credentials().await.unwrap_err();
            assert_eq!(host.sts.calls(), asked + 1, "after {pause:?}");
        }
        host.sts.fail(None);
        host.clock.advance(MINUTE);
        session.credentials().await.unwrap();
    }
}

#[tokio::test]
async fn an_outage_costs_callers_no_time_and_sts_no_storm() {
    for failure in transient() {
        let host = Host::new();
        host.sts.fail(failure.clone());
        let sessions: Vec<_> = (0..20).map(|_| host.hold()).collect();
        // Ten minutes in which each of them is asked for once a second.
        let mut waited = 0;
        for _ in 0..600 {
            let call = |session: &RoleSession| {
                let session = session.clone();
                tokio::spawn(async move { session.credentials().await })
            };
            let calls: Vec<_> = sessions.iter().map(call).collect();
            settle().await;
            for call in calls {
                if call.is_finished() {
                    assert_eq!(call.await.unwrap().unwrap_err().cause(), &failure);
                } else {
                    waited += 1;
                }
            }
            host.clock.advance(Duration::from_secs(1));
        }
        // After each pause, which grows to half a minute, as many ask as may at once.
        assert!(host.sts.calls() < 600, "{} calls to STS", host.sts.calls());
        assert!(waited < 600, "{waited} of 12000 callers had to wait");
        host.sts.fail(None);
        host.clock.advance(MINUTE);
        for session in &sessions {
            host.credentials(session).await.unwrap();
        }
    }
}

#[tokio::test]
async fn a_refusal_is_answered_from_memory_for_a_minute_and_then_asked_again() {
    for failure in refusals() {
        let host = Host::new();
        host.sts.fail(failure);
        let session = host.hold();
        session.credentials().await.unwrap_err();
        host.sts.fail(None);
        host.clock.advance(MINUTE - Duration::from_millis(1));
        session.credentials().await.unwrap_err();
        assert_eq!(host.sts.calls(), 1);
        // Somebody mended the role: its tasks need no restart.
        host.clock.advance(Duration::from_millis(1));
        session.credentials().await.unwrap();
    }
}

#[tokio::test]
async fn a_refused_refresh_leaves_the_session_that_is_there() {
    for failure in [refusals(), base_credentials_at_fault(), transient()].concat() {
        let host = Host::new();
        let session = host.hold();
        session.credentials().await.unwrap();
        host.sts.fail(failure.clone());
        host.clock.advance(45 * MINUTE);
        for _ in 0..13 {
            assert!(session.credentials().await.is_ok(), "{failure}");
            settle().await;
            host.clock.advance(MINUTE);
        }
        assert!(host.sts.calls() > 2, "it is tried again");
        host.clock.advance(MINUTE);
        assert_eq!(host.credentials(&session).await.unwrap_err().cause(), &failure);
    }
}

#[tokio::test]
async fn a_session_that_ends_is_asked_for_whatever_failed_a_moment_ago() {
    for failure in [access_denied(), unreachable()] {
        let host = Host::new();
        let session = host.hold();
        session.credentials().await.unwrap();
        host.sts.fail(failure);
        host.clock.advance(59 * MINUTE - Duration::from_secs(1));
        session.credentials().await.unwrap();
        settle().await;
        assert_eq!(host.sts.calls(), 2);
        host.sts.fail(None);
        host.clock.advance(Duration::from_secs(1));
        session.credentials().await.unwrap();
    }
}

#[tokio::test]
async fn throttling_makes_all_sessions_pause_together() {
    let host = Host::new();
    host.sts.fail(throttling());
    let sessions: Vec<_> = (0..200).map(|_| host.hold()).collect();
    let callers: Vec<_> = sessions
        .iter()
        .map(|session| {
            let session = session.clone();
            tokio::spawn(async move { session.credentials().await })
        })
        .collect();
    for _ in 0..100 {
        settle().await;
        host.clock.advance(Duration::from_millis(100));
    }
    for caller in callers {
        assert_eq!(*caller.await.unwrap().unwrap_err().cause(), throttling());
    }
    // Three rounds of as many as may be under way at once, not 200 times three.
    assert!(host.sts.calls() <= 3 * 16, "{} calls", host.sts.calls());
    // One answer ends the pause for all.
    host.sts.fail(None);
    host.clock.advance(MINUTE);
    for session in sessions {
        host.credentials(&session).await.unwrap();
    }
}

#[tokio::test]
async fn one_roles_refusal_is_no_pause_for_others() {
    let host = Host::new();
    host.sts.fail(access_denied());
    host.hold().credentials().await.unwrap_err();
    host.sts.fail(None);
    host.hold().credentials().await.unwrap();
    assert_eq!(host.sts.calls(), 2);
}

#[tokio::test]
async fn an_sts_that_never_answers_is_given_up() {
    let host = Host::new();
    host.sts.answer(false);
    let error = host.credentials(&host.hold()).await.unwrap_err();
    assert!(matches!(error.cause(), StsError::Unreachable { .. }), "{error}");
    assert_eq!(host.sts.calls(), 3);
}

#[tokio::test]
async fn a_refresh_that_never_ends_stops_no_call() {
    let host = Host::new();
    let session = host.hold();
    session.credentials().await.unwrap();
    host.clock.advance(40 * MINUTE);
    host.sts.answer(false);
    for _ in 0..18 {
        session.credentials().await.unwrap();
        settle().await;
        host.clock.advance(MINUTE);
    }
    host.sts.answer(true);
    host.clock.advance(MINUTE);
    host.credentials(&session).await.unwrap();
}
