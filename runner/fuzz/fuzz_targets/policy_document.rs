//! A policy document, of an identity and of a role's trust, behind lines of requests that it decides.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rolebox_fuzz::{policy, split};

fuzz_target!(|input: &[u8]| {
    let (requests, document) = split(input);
    if let (Ok(requests), Ok(document)) = (std::str::from_utf8(requests), std::str::from_utf8(document)) {
        let requests: Vec<_> = requests.lines().take(16).map(policy::Request::from_line).collect();
        policy::check_identity(document, &requests);
        policy::check_trust(document, &requests);
    }
});
