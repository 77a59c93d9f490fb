//! A body that is sent while it comes in: however it is cut into pieces, it is the same body or the same refusal.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rolebox_fuzz::streamed;

fuzz_target!(|input: (streamed::Head, Vec<u8>, Vec<u16>)| {
    let (head, body, cuts) = input;
    streamed::check(&head, &body, &cuts);
});
