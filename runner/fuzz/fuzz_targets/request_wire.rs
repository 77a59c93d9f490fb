//! A request as a guest writes it onto the wire, through `wasi:http`.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rolebox_fuzz::request;

fuzz_target!(|input: &[u8]| {
    if let Some(call) = request::from_text(input) {
        request::check(&call);
    }
});
