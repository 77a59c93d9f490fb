//! Two judges that nobody here wrote: AWS's published vectors, and botocore.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed, as it should")]

mod botocore;
mod requests;
mod vectors;

use super::*;

#[test]
fn s3_alone_departs_from_the_general_rule() {
    for (signing_name, twice, normalizes, hash) in
        [("s3", false, false, true), ("lambda", true, true, false), ("sts", true, true, false)]
    {
        let rule = Canonicalization::of(signing_name);
        let found = (rule.encodes_path_twice, rule.normalizes_path, rule.sends_body_hash);
        assert_eq!(found, (twice, normalizes, hash), "{signing_name}");
    }
}

#[test]
fn a_header_that_signers_read_differently_is_refused() {
    let name = HeaderName::from_static("x-amz-meta-a");
    for (value, signed) in [("a  b", true), ("\"~\"", true), ("a\tb", false), ("\ta", false), ("é", false)] {
        let value = HeaderValue::from_bytes(value.as_bytes()).unwrap();
        assert_eq!(signable_header(&name, &value).is_ok(), signed, "{value:?}");
    }
}
