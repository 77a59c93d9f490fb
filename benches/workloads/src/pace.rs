//! An open loop: calls that come at a fixed rate, whether or not the one before has ended.
//!
//! A loop that waits for an answer before it asks again slows down with what it measures, and then asks least when that
//! is slowest. What callers from outside would have waited in the meantime is left out: coordinated omission. So here
//! each call has a moment at which it is due, and its latency counts from then, not from when it began.
//!
//! There is one caller, and so at most one call at a time. A call that comes due during another begins when that one
//! has ended; its wait is part of its latency.

use std::time::Duration;

use crate::timing::nanoseconds;

/// Makes `count` calls, the first at once and each further one due `interval` after the one before it was due, and
/// gives the nanoseconds from when each was due until it had ended.
///
/// `now` and `sleep_until` know the same clock. `sleep_until` is called only with moments that are still to come; if it
/// sleeps too long, that is latency too.
///
/// # Errors
///
/// The first error of a call, which ends the schedule.
pub fn at_rate<E>(
    interval: Duration,
    count: usize,
    now: impl Fn() -> Duration,
    mut sleep_until: impl FnMut(Duration),
    mut call: impl FnMut() -> Result<(), E>,
) -> Result<Vec<u64>, E> {
    let mut latencies = Vec::with_capacity(count);
    let mut due = now();
    for _ in 0..count {
        if now() < due {
            sleep_until(due);
        }
        call()?;
        latencies.push(nanoseconds(now().saturating_sub(due)));
        due = due.saturating_add(interval);
    }
    Ok(latencies)
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::convert::Infallible;

    use super::*;

    const START: Duration = Duration::from_nanos(1_000);
    const INTERVAL: Duration = Duration::from_nanos(100);

    /// Gives the latencies of calls that take these nanoseconds, when each sleep ends `late` nanoseconds after it
    /// should, and the moments at which the calls began, from the first.
    fn check(took: &[u64], late: u64) -> (Vec<u64>, Vec<u64>) {
        let clock = Cell::new(START);
        let pass = |nanoseconds| clock.set(clock.get() + Duration::from_nanos(nanoseconds));
        let sleep_until = |moment: Duration| {
            assert!(moment > clock.get(), "no sleep until {moment:?}, which has passed");
            clock.set(moment);
            pass(late);
        };
        let mut began = Vec::new();
        let mut calls = took.iter();
        let call = || {
            began.push(nanoseconds(clock.get() - START));
            pass(*calls.next().expect("as many calls as were asked for"));
            Ok::<(), Infallible>(())
        };
        let latencies = at_rate(INTERVAL, took.len(), || clock.get(), sleep_until, call);
        (latencies.expect("no call fails"), began)
    }

    #[test]
    fn calls_that_keep_up_begin_when_they_are_due() {
        assert_eq!(check(&[10, 99, 100, 1], 0), (vec![10, 99, 100, 1], vec![0, 100, 200, 300]));
    }

    #[test]
    fn a_slow_call_is_counted_in_all_that_had_to_wait_for_it() {
        let latencies = vec![350, 260, 170, 80, 10];
        assert_eq!(check(&[350, 10, 10, 10, 10], 0), (latencies, vec![0, 350, 360, 370, 400]));
    }

    #[test]
    fn when_every_call_is_too_slow_the_wait_grows() {
        assert_eq!(check(&[150; 4], 0), (vec![150, 200, 250, 300], vec![0, 150, 300, 450]));
    }

    #[test]
    fn a_sleep_that_ends_late_is_latency() {
        assert_eq!(check(&[10, 10, 10], 7), (vec![10, 17, 17], vec![0, 107, 207]));
    }

    #[test]
    fn the_first_error_ends_the_schedule() {
        let mut calls = 0;
        let call = || {
            calls += 1;
            if calls == 2 { Err("second") } else { Ok(()) }
        };
        assert_eq!(at_rate(INTERVAL, 5, || START, |_| (), call), Err("second"));
        assert_eq!(calls, 2);
    }

    #[test]
    fn no_calls_take_no_time() {
        assert_eq!(check(&[], 0), (vec![], vec![]));
    }
}
