//! The import of `rolebox:aws/signed-call`, generated from `wit/aws.wit`. Private: the rest of the crate is safe
//! code over it.
#![allow(
    unsafe_code,
    reason = "lowering and lifting a component's values reads and writes linear memory by address, which only \
              generated code does, and only here; wit-bindgen keeps to the canonical ABI"
)]
#![allow(missing_docs, unreachable_pub, clippy::undocumented_unsafe_blocks, reason = "generated")]

wit_bindgen::generate!({
    path: "wit",
    world: "rolebox:aws/guest",
});

pub(crate) use rolebox::aws::signed_call;
