//! `exit-with CODE`: exits with this code. WASI 0.2 knows success and failure only, so the host sees 0 or 1.

use rolebox_test_guests::{arguments, number};

fn main() {
    let code = number(arguments().first(), "an exit code");
    std::process::exit(i32::try_from(code).unwrap_or(i32::MAX));
}
