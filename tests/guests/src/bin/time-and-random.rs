//! Checks that both clocks run and that random numbers are not the same twice.

use std::time::{Duration, Instant, SystemTime};

use wasip2::random::{insecure, insecure_seed, random};

fn main() {
    let begin = Instant::now();
    // 1 January 2026.
    assert!(SystemTime::now() > SystemTime::UNIX_EPOCH + Duration::from_secs(1_767_225_600));
    while begin.elapsed() < Duration::from_millis(1) {}

    assert_ne!(random::get_random_bytes(32), random::get_random_bytes(32));
    assert_ne!(random::get_random_bytes(32), vec![0; 32]);
    assert_ne!(random::get_random_u64(), random::get_random_u64());
    assert_eq!(insecure::get_insecure_random_bytes(32).len(), 32);
    insecure_seed::insecure_seed();
    println!("time passes, and no number came twice");
}
