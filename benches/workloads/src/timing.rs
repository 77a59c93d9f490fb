//! A loop that times each call by itself.
//!
//! The clock is a parameter, so that the loop can be tested: it gives the time that has passed since a moment of its
//! own.

use std::convert::Infallible;
use std::time::{Duration, Instant};

/// The system's monotonic clock, which begins at zero now.
pub fn clock() -> impl Fn() -> Duration {
    let start = Instant::now();
    move || start.elapsed()
}

/// A duration in whole nanoseconds; beyond 584 years, the largest number.
pub fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// Makes `warm_up` calls that do not count and then `count` that do, one after the other, and gives the nanoseconds
/// that each of the latter took.
///
/// Before each call, `prepare` makes what the call uses up; its time does not count.
///
/// # Errors
///
/// The first error of a call, which ends the measurement.
pub fn each<T, E>(
    count: usize,
    warm_up: usize,
    now: impl Fn() -> Duration,
    mut prepare: impl FnMut() -> T,
    mut call: impl FnMut(T) -> Result<(), E>,
) -> Result<Vec<u64>, E> {
    for _ in 0..warm_up {
        call(prepare())?;
    }
    let mut took = Vec::with_capacity(count);
    for _ in 0..count {
        let prepared = prepare();
        let began = now();
        call(prepared)?;
        took.push(nanoseconds(now().saturating_sub(began)));
    }
    Ok(took)
}

/// As [`each`], for calls that use nothing up and can not fail.
pub(crate) fn each_run(count: usize, warm_up: usize, now: impl Fn() -> Duration, mut run: impl FnMut()) -> Vec<u64> {
    let timed = each(
        count,
        warm_up,
        now,
        || (),
        |()| {
            run();
            Ok::<(), Infallible>(())
        },
    );
    match timed {
        Ok(took) => took,
        Err(never) => match never {},
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    /// A clock that stands still unless it is moved.
    struct Clock(Cell<Duration>);

    impl Clock {
        fn pass(&self, nanoseconds: u64) {
            self.0.set(self.0.get() + Duration::from_nanos(nanoseconds));
        }
    }

    #[test]
    fn only_the_calls_after_the_warm_up_count_and_nothing_of_what_prepares_them() {
        let clock = Clock(Cell::default());
        let mut made = 0;
        let prepare = || {
            made += 1;
            clock.pass(1_000_000);
            made
        };
        let call = |number: u64| {
            clock.pass(number);
            Ok::<(), Infallible>(())
        };
        assert_eq!(each(3, 2, || clock.0.get(), prepare, call), Ok(vec![3, 4, 5]));
    }

    #[test]
    fn the_first_error_ends_the_measurement() {
        for (count, warm_up) in [(5, 0), (0, 5), (5, 5)] {
            let mut calls = 0;
            let call = |()| {
                calls += 1;
                if calls == 3 { Err("third") } else { Ok(()) }
            };
            assert_eq!(each(count, warm_up, || Duration::ZERO, || (), call), Err("third"));
            assert_eq!(calls, 3);
        }
    }
}
