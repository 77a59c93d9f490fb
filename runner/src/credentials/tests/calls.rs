//! Who asks, who waits, who shares, and what is left when they go.

use super::*;

fn served(answer: &Result<Arc<SessionCredentials>, RoleSessionError>) -> &str {
    answer.as_ref().unwrap().session_token().expose()
}

#[tokio::test]
async fn a_thousand_first_calls_at_once_make_one_assume_role() {
    for sharing in [Sharing::Private, Sharing::Shared] {
        let host = Host::new();
        host.sts.answer(false);
        let session = host.sessions.hold(request(), sharing);
        let callers: Vec<_> = (0..1000)
            .map(|_| {
                let session = match sharing {
                    Sharing::Private => session.clone(),
                    Sharing::Shared => host.sessions.hold(request(), sharing),
                };
                tokio::spawn(async move { session.credentials().await })
            })
            .collect();
        settle().await;
        host.sts.answer(true);
        for caller in callers {
            assert_eq!(served(&caller.await.unwrap()), "SESSIONTOKEN1");
        }
        assert_eq!(host.sts.calls(), 1);
    }
}

#[tokio::test]
async fn a_session_is_opened_by_assuming_the_role() {
    let host = Host::new();
    let session = host.sessions.open(request(), Sharing::Private).await.unwrap();
    assert_eq!(host.sts.calls(), 1);
    assert_eq!(served(&session.credentials().await), "SESSIONTOKEN1");
    assert_eq!(session.request(), &request());
    for sharing in [Sharing::Private, Sharing::Shared] {
        host.sts.fail(access_denied());
        let error = host.sessions.open(request(), sharing).await.unwrap_err();
        assert_eq!((error.role().as_str(), error.session_name().as_str()), (ROLE, TASK_ID));
        assert_eq!(host.sessions.shared(), 0);
        // A task that starts anew asks anew: the role may have been mended.
        host.sts.fail(None);
        host.sessions.open(request(), sharing).await.unwrap();
    }
}

#[tokio::test]
async fn a_failure_is_handed_to_all_who_waited() {
    let host = Host::new();
    host.sts.fail(access_denied());
    host.sts.answer(false);
    let session = host.hold();
    let callers: Vec<_> = (0..1000)
        .map(|_| {
            let session = session.clone();
            tokio::spawn(async move { session.credentials().await })
        })
        .collect();
    settle().await;
    host.sts.answer(true);
    for caller in callers {
        assert_eq!(*caller.await.unwrap().unwrap_err().cause(), access_denied());
    }
    assert_eq!(host.sts.calls(), 1, "nobody asks again because the first was refused");
}

#[tokio::test]
async fn a_first_caller_that_goes_away_harms_nobody() {
    let host = Host::new();
    host.sts.answer(false);
    let session = host.hold();
    let call = |session: RoleSession| tokio::spawn(async move { session.credentials().await });
    let first = call(session.clone());
    settle().await;
    let second = call(session.clone());
    settle().await;
    first.abort();
    assert!(first.await.unwrap_err().is_cancelled());
    host.sts.answer(true);
    assert_eq!(served(&second.await.unwrap()), "SESSIONTOKEN1");
    assert_eq!(host.sts.calls(), 1);
}

#[tokio::test]
async fn what_nobody_waits_for_any_more_serves_the_next() {
    let host = Host::new();
    host.sts.answer(false);
    let session = host.hold();
    let caller = tokio::spawn({
        let session = session.clone();
        async move { session.credentials().await }
    });
    settle().await;
    caller.abort();
    settle().await;
    host.sts.answer(true);
    settle().await;
    assert_eq!(served(&session.credentials().await), "SESSIONTOKEN1");
    assert_eq!(host.sts.calls(), 1);
}

#[tokio::test]
async fn an_sts_that_panics_fails_the_call_and_not_the_session() {
    let host = Host::new();
    host.sts.panic(true);
    let session = host.hold();
    assert_eq!(*session.credentials().await.unwrap_err().cause(), StsError::Interrupted);
    host.sts.panic(false);
    host.clock.advance(MINUTE);
    assert_eq!(served(&session.credentials().await), "SESSIONTOKEN2");
}

#[test]
fn a_runtime_that_ends_takes_its_call_along_and_not_the_session() {
    let runtime = || tokio::runtime::Builder::new_current_thread().build().unwrap();
    let host = Host::new();
    host.sts.answer(false);
    let session = host.hold();
    let first = runtime();
    first.block_on(async {
        let session = session.clone();
        tokio::spawn(async move { session.credentials().await });
        settle().await;
    });
    drop(first);
    host.sts.answer(true);
    runtime().block_on(async {
        assert_eq!(*session.credentials().await.unwrap_err().cause(), StsError::Interrupted);
        host.clock.advance(MINUTE);
        assert_eq!(served(&session.credentials().await), "SESSIONTOKEN2");
    });
}

#[tokio::test]
async fn two_tasks_never_share_unless_told_to() {
    let host = Host::new();
    let (one, other) = (host.hold(), host.hold());
    assert_eq!(served(&one.credentials().await), "SESSIONTOKEN1");
    assert_eq!(served(&other.credentials().await), "SESSIONTOKEN2");
    // Not with those that share either, though every input is equal.
    let shared = || host.sessions.hold(request(), Sharing::Shared);
    let first = shared();
    assert_eq!(served(&first.credentials().await), "SESSIONTOKEN3");
    assert_eq!(served(&shared().credentials().await), "SESSIONTOKEN3");
    // And the end of one task is not the end of what others share.
    drop(one);
    drop(other);
    assert_eq!(served(&shared().credentials().await), "SESSIONTOKEN3");
}

#[tokio::test]
async fn sessions_are_shared_only_where_every_input_is_equal() {
    let host = Host::new();
    let role: rolebox_policy::RoleArn = "arn:aws:iam::123456789012:role/other/s3-sample".parse().unwrap();
    let name = SessionName::new(TASK_ID).unwrap();
    let required = SessionPolicyChoice::Required(SessionPolicy::deny_everything());
    let different = [
        request(),
        RoleSessionRequest::new(role, name.clone(), required),
        RoleSessionRequest::new(ROLE.parse().unwrap(), name, SessionPolicyChoice::Off),
        request_named("fedcba9876543210fedcba9876543210"),
        request().with_duration(Duration::from_secs(900)).unwrap(),
        request().with_external_id(ExternalId::new("one").unwrap()),
        request().with_external_id(ExternalId::new("two").unwrap()),
        request().with_source_identity(SourceIdentity::new("one").unwrap()),
        request().with_tags([("family", "one")]).unwrap(),
        request().with_tags([("family", "two")]).unwrap(),
        request().with_tags([("Family", "one")]).unwrap(),
        request().with_base_identity(BaseIdentity::Chained),
    ];
    let mut sessions = Vec::new();
    for (number, request) in different.iter().enumerate() {
        let session = host.sessions.hold(request.clone(), Sharing::Shared);
        assert_eq!(served(&session.credentials().await), format!("SESSIONTOKEN{}", number + 1));
        sessions.push(session);
    }
    assert_eq!(host.sessions.shared(), different.len());
    assert_eq!(host.sts.requests(), different);
    // The order in which tags are named is no difference.
    let tags = |tags: [(&str, &str); 2]| host.sessions.hold(request().with_tags(tags).unwrap(), Sharing::Shared);
    let (one, other) = (tags([("a", "1"), ("b", "2")]), tags([("b", "2"), ("a", "1")]));
    assert_eq!(served(&one.credentials().await), served(&other.credentials().await));
}

#[tokio::test]
async fn the_last_holder_takes_the_session_along() {
    fn zeroizes<T: zeroize::ZeroizeOnDrop>(_: &T) {}

    let host = Host::new();
    let one = host.sessions.hold(request(), Sharing::Shared);
    let other = host.sessions.hold(request(), Sharing::Shared);
    let credentials = one.credentials().await.unwrap();
    zeroizes(credentials.secret_access_key());
    zeroizes(credentials.session_token());
    let alive = Arc::downgrade(&credentials);
    drop(credentials);
    drop(one);
    assert!(alive.upgrade().is_some());
    assert_eq!(host.sessions.shared(), 1);
    drop(other);
    assert!(alive.upgrade().is_none(), "the credentials outlive the last task");
    assert_eq!(host.sessions.shared(), 0);
    let again = host.sessions.hold(request(), Sharing::Shared);
    assert_eq!(served(&again.credentials().await), "SESSIONTOKEN2");
}

#[tokio::test]
async fn a_task_that_ends_while_its_role_is_assumed_leaves_nothing() {
    let host = Host::new();
    host.sts.answer(false);
    let session = host.sessions.hold(request(), Sharing::Shared);
    let caller = tokio::spawn(async move { session.credentials().await });
    settle().await;
    caller.abort();
    settle().await;
    assert_eq!(host.sessions.shared(), 0);
    // A task that comes now does not meet the answer to the one that went.
    let next = host.sessions.hold(request(), Sharing::Shared);
    host.sts.answer(true);
    assert_eq!(served(&next.credentials().await), "SESSIONTOKEN2");
}

#[tokio::test]
async fn an_expired_session_is_let_go_when_it_is_found() {
    let host = Host::new();
    let session = host.hold();
    let alive = Arc::downgrade(&session.credentials().await.unwrap());
    host.clock.advance(Duration::from_secs(3600));
    host.sts.fail(access_denied());
    session.credentials().await.unwrap_err();
    assert!(alive.upgrade().is_none());
}

#[tokio::test]
async fn sts_sees_a_bounded_number_of_calls_at_once() {
    let host = Host::new();
    host.sts.answer(false);
    let callers: Vec<_> = (0..1000)
        .map(|_| {
            let session = host.hold();
            tokio::spawn(async move { session.credentials().await })
        })
        .collect();
    settle().await;
    assert_eq!(host.sts.calls(), 16);
    host.sts.answer(true);
    for caller in callers {
        caller.await.unwrap().unwrap();
    }
    assert_eq!((host.sts.calls(), host.sts.most_in_flight()), (1000, 16));
}
