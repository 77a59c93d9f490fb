//! Capabilities as a task definition declares them, behind lines of requests that are held against them.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rolebox_fuzz::{capabilities, split};

fuzz_target!(|input: &[u8]| {
    let (requests, list) = split(input);
    if let (Ok(requests), Ok(list)) = (std::str::from_utf8(requests), std::str::from_utf8(list)) {
        capabilities::check(list, requests);
    }
});
