//! When sessions are refreshed, how long they are served, and which outages they outlast.

use std::ops::Range;

use aws_smithy_async::time::TimeSource;

use super::super::schedule::{Backoff, Schedule};
use super::*;

/// Makes a call every twenty seconds for `time`, with STS out of reach from `outage.start` to `outage.end`, and returns
/// when calls failed. No call may be served a session with a minute or less to live.
async fn run(host: &Host, session: &RoleSession, time: Duration, outage: Range<Duration>) -> Vec<Duration> {
    let begin = host.clock.now();
    let mut lost = Vec::new();
    loop {
        let passed = host.clock.now().duration_since(begin).unwrap();
        if passed >= time {
            return lost;
        }
        host.sts.fail(outage.contains(&passed).then(unreachable));
        match host.credentials(session).await {
            Ok(credentials) => {
                let left = credentials.expiration().duration_since(host.clock.now()).unwrap();
                assert!(left > EXPIRY_MARGIN, "served with {left:?} left after {passed:?}");
            }
            Err(_) => lost.push(passed),
        }
        host.clock.advance(Duration::from_secs(20));
        settle().await;
    }
}

#[tokio::test]
async fn a_long_task_crosses_five_rotations_unharmed() {
    for randomness in [0.0, 0.5, 1.0] {
        let host = Host::with_randomness(randomness);
        let session = host.hold();
        // Six sessions, each used for two thirds of an hour, more or less.
        let lost = run(&host, &session, 220 * MINUTE, Duration::ZERO..Duration::ZERO).await;
        assert!(lost.is_empty(), "{lost:?}");
        assert_eq!(host.sts.calls(), 6, "with randomness {randomness}");
        assert!(host.sts.requests().iter().all(|made| *made == request()), "each refresh asks for the same");
    }
}

#[tokio::test]
async fn an_outage_of_half_an_hour_in_a_session_of_one_hour_loses_no_call() {
    // A session of one hour is served for 59 minutes, so it outlasts any such outage that begins in its first 28, with
    // a minute for the next attempt: both the first session and the one that follows it at the refresh.
    for (randomness, refreshed_after) in [(0.0, 37), (0.5, 40), (1.0, 43)] {
        for begin in (0..=28).step_by(4).chain((refreshed_after..=refreshed_after + 28).step_by(4)) {
            let host = Host::with_randomness(randomness);
            let session = host.hold();
            let begin = begin * MINUTE + Duration::from_secs(1);
            let lost = run(&host, &session, 105 * MINUTE, begin..begin + 30 * MINUTE - Duration::from_secs(1)).await;
            assert!(lost.is_empty(), "{lost:?} in an outage from {begin:?}, randomness {randomness}");
        }
    }
}

#[tokio::test]
async fn an_outage_past_the_end_of_the_session_fails_closed_and_recovers() {
    let host = Host::new();
    let session = host.hold();
    let lost = run(&host, &session, 90 * MINUTE, 35 * MINUTE..65 * MINUTE).await;
    // Nothing before the session ends, everything from then on, and no more than the longest pause after the outage.
    let (first, last) = (lost.first().unwrap(), lost.last().unwrap());
    assert!((59 * MINUTE..59 * MINUTE + Duration::from_secs(21)).contains(first), "{first:?}");
    assert!((64 * MINUTE..66 * MINUTE).contains(last), "{last:?}");
    // Once a minute or so for 25 minutes, not at each of 360 calls.
    assert!(host.sts.calls() < 60, "{} calls to STS", host.sts.calls());
}

#[tokio::test]
async fn the_old_session_is_served_while_it_is_refreshed() {
    let host = Host::new();
    let session = host.hold();
    let old = session.credentials().await.unwrap();
    host.clock.advance(39 * MINUTE);
    session.credentials().await.unwrap();
    settle().await;
    assert_eq!(host.sts.calls(), 1, "it is too early");
    host.clock.advance(MINUTE);
    host.sts.answer(false);
    for _ in 0..100 {
        let served = session.credentials().await.unwrap();
        assert!(Arc::ptr_eq(&served, &old));
        settle().await;
    }
    assert_eq!(host.sts.calls(), 2, "one refreshes");
    host.sts.answer(true);
    settle().await;
    assert_eq!(session.credentials().await.unwrap().session_token().expose(), "SESSIONTOKEN2");
}

#[tokio::test]
async fn the_end_is_sixty_seconds_before_expiry_and_not_a_moment_later() {
    let end = 59 * MINUTE;
    let moment = Duration::from_nanos(1);
    for (age, is_served) in [
        (Duration::ZERO, true),
        (end - Duration::from_secs(1), true),
        (end - moment, true),
        (end, false),
        (end + moment, false),
        (60 * MINUTE, false),
        (60 * MINUTE + moment, false),
        (600 * MINUTE, false),
    ] {
        let host = Host::new();
        let session = host.hold();
        session.credentials().await.unwrap();
        host.sts.fail(access_denied());
        host.clock.advance(age);
        assert_eq!(session.credentials().await.is_ok(), is_served, "at an age of {age:?}");
    }
}

#[tokio::test]
async fn a_caller_at_the_end_waits_for_the_new_session() {
    let host = Host::new();
    let session = host.hold();
    session.credentials().await.unwrap();
    host.clock.advance(59 * MINUTE);
    assert_eq!(session.credentials().await.unwrap().session_token().expose(), "SESSIONTOKEN2");
}

#[tokio::test]
async fn a_task_that_rests_costs_nothing() {
    let host = Host::new();
    let session = host.hold();
    session.credentials().await.unwrap();
    for _ in 0..600 {
        host.clock.advance(MINUTE);
        settle().await;
    }
    assert_eq!(host.sts.calls(), 1);
    assert_eq!(session.credentials().await.unwrap().session_token().expose(), "SESSIONTOKEN2");
}

#[tokio::test]
async fn a_clock_that_is_set_back_makes_a_session_due() {
    let host = Host::new();
    let session = host.hold();
    session.credentials().await.unwrap();
    // As time servers do it, which tells nothing.
    host.clock.set(start() - Duration::from_secs(1));
    session.credentials().await.unwrap();
    settle().await;
    assert_eq!(host.sts.calls(), 1);
    host.clock.set(start() - 600 * MINUTE);
    assert_eq!(session.credentials().await.unwrap().session_token().expose(), "SESSIONTOKEN1");
    settle().await;
    assert_eq!(session.credentials().await.unwrap().session_token().expose(), "SESSIONTOKEN2");
    assert_eq!(host.sts.calls(), 2);
}

#[test]
fn a_session_is_refreshed_at_two_thirds_of_its_life_more_or_less() {
    let hour = 60 * MINUTE;
    for (randomness, life, asked_for, refreshed_after, served_for) in [
        (0.0, hour, hour, 37 * MINUTE, 59 * MINUTE),
        (0.5, hour, hour, 40 * MINUTE, 59 * MINUTE),
        (1.0, hour, hour, 43 * MINUTE, 59 * MINUTE),
        (0.5, 12 * hour, 12 * hour, 8 * hour, 719 * MINUTE),
        (0.5, 15 * MINUTE, 15 * MINUTE, 10 * MINUTE, 14 * MINUTE),
        // Less than was asked for, as a broker may give.
        (0.5, 15 * MINUTE, hour, 10 * MINUTE, 14 * MINUTE),
        (0.5, 90 * Duration::from_secs(1), hour, Duration::from_secs(30), Duration::from_secs(30)),
        // More than was asked for is not believed.
        (0.5, 100_000 * hour, hour, 40 * MINUTE, 59 * MINUTE),
        // A source of randomness that is broken breaks nothing.
        (f64::NAN, hour, hour, 37 * MINUTE, 59 * MINUTE),
        (f64::INFINITY, hour, hour, 43 * MINUTE, 59 * MINUTE),
        (-5.0, hour, hour, 37 * MINUTE, 59 * MINUTE),
    ] {
        let randomness = Randomness::new(move || randomness);
        let schedule = Schedule::new(start(), life, asked_for, &randomness);
        let after = |time: SystemTime| time.duration_since(start()).unwrap().as_secs();
        assert_eq!(after(schedule.refresh_at), refreshed_after.as_secs(), "{randomness:?} {life:?} {asked_for:?}");
        assert_eq!(after(schedule.serve_until), served_for.as_secs(), "{randomness:?} {life:?} {asked_for:?}");
    }
}

#[test]
fn pauses_double_up_to_their_longest() {
    let backoff = Backoff { first: Duration::from_secs(1), longest: MINUTE };
    let full = Randomness::new(|| 0.0);
    let half = Randomness::new(|| 1.0);
    for (failures, seconds) in [(1, 1), (2, 2), (3, 4), (6, 32), (7, 60), (8, 60), (1000, 60), (u32::MAX, 60)] {
        assert_eq!(backoff.pause(failures, &full), Duration::from_secs(seconds));
        assert_eq!(backoff.pause(failures, &half), Duration::from_secs(seconds) / 2);
    }
}

#[test]
fn the_operating_systems_randomness_is_random_and_in_range() {
    let schedules: Vec<_> =
        (0..100).map(|_| Schedule::new(start(), 60 * MINUTE, 60 * MINUTE, &Randomness::default()).refresh_at).collect();
    let range = start() + 37 * MINUTE..start() + 43 * MINUTE;
    assert!(schedules.iter().all(|refresh_at| range.contains(refresh_at)));
    assert!(schedules.iter().any(|refresh_at| *refresh_at != schedules[0]));
}
