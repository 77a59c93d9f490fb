//! The path of a request, decoded whole and free of anything that a later step could resolve or rewrite.
//!
//! URL libraries resolve `.` and `..` also in their encoded spellings, proxies merge slashes or decode `%2F` early, and
//! S3 takes each of them as part of a key. So dot segments are refused in every spelling, and the rest is sent in the
//! one encoding that the signature is over.

use std::borrow::Cow;

use crate::refusal::{Quoted, Refusal};
use crate::wire::percent;

/// The longest path that is read, in bytes as encoded: S3's longest key (1,024 bytes, each as `%XX`) with room for the
/// bucket, and more than any other service's path needs.
const LONGEST: usize = 4096;

/// Decodes a path and returns what follows its first `/`.
///
/// The encoded form may hold anything that RFC 3986 allows in a path (section 3.3) and the characters that common
/// clients leave bare; controls, spaces, `?` and `#` may only appear encoded.
pub(crate) fn decode(path: &str) -> Result<Cow<'_, str>, Refusal> {
    let malformed = |what: &str, mend: &str| Refusal::malformed(format!("path {}", Quoted(path)), what, mend);
    if path.len() > LONGEST {
        return Err(malformed("it is longer than 4,096 bytes", "use a shorter key"));
    }
    let Some(rest) = path.strip_prefix('/') else {
        return Err(malformed("it does not begin with `/`", "send an absolute path such as /bucket/key"));
    };
    // Most paths need no encoding at all; only the others are looked at character by character.
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'/');
    if rest.bytes().all(plain) {
        no_dot_segments(rest).map_err(|what| malformed(what, "name the object without them"))?;
        return Ok(Cow::Borrowed(rest));
    }
    if let Some(bad) = rest.chars().find(|c| matches!(c, '?' | '#' | '\\' | ' ' | '\u{7f}') || c.is_control()) {
        return Err(malformed(
            &format!("it holds {} unencoded", Quoted(bad.encode_utf8(&mut [0; 4]))),
            "percent-encode every character but letters, digits and -._~/",
        ));
    }
    let decoded = percent::decode(rest).map_err(|error| {
        malformed(&error.to_string(), "percent-encode the UTF-8 of the path; a percent sign is %25")
    })?;
    no_dot_segments(&decoded).map_err(|what| malformed(what, "name the object without them"))?;
    Ok(decoded)
}

/// Refuses `.` and `..` as a whole segment of a decoded path or key.
pub(crate) fn no_dot_segments(decoded: &str) -> Result<(), &'static str> {
    let mut segments = decoded.as_bytes().split(|byte| *byte == b'/');
    match segments.any(|segment| matches!(segment, b"." | b"..")) {
        false => Ok(()),
        true => Err("it holds a segment `.` or `..`, raw or encoded, which servers resolve in different ways"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths() {
        for (path, decoded) in [
            ("/", Some("")),
            ("/b", Some("b")),
            ("/b/", Some("b/")),
            ("/b//k", Some("b//k")),
            ("/b/a%2Fb", Some("b/a/b")),
            ("/b/%252e%252e/k", Some("b/%2e%2e/k")),
            ("/b/...", Some("b/...")),
            ("/b/a..b", Some("b/a..b")),
            ("/b/%5C..%5C", Some("b/\\..\\")),
            ("", None),
            ("b/k", None),
            ("*", None),
            ("https://s3.amazonaws.com/b", None),
            ("/b/.", None),
            ("/b/../c", None),
            ("/b/..", None),
            ("/../b", None),
            ("/b/%2e", None),
            ("/b/%2E%2e/c", None),
            ("/b/.%2e/c", None),
            ("/b/a%2F..%2Fc", None),
            ("/b/a%2f%2e%2e%2fc", None),
            ("/b/a\\c", None),
            ("/b/a?x", None),
            ("/b/a#x", None),
            ("/b/a b", None),
            ("/b/a\tb", None),
            ("/b/a\r\nb", None),
            ("/b/a%", None),
            ("/b/a%0", None),
            ("/b/a%00", None),
            ("/b/%ff", None),
        ] {
            assert_eq!(super::decode(path).ok().as_deref(), decoded, "{path:?}");
        }
        assert!(super::decode(&format!("/b/{}", "k".repeat(LONGEST))).is_err());
    }
}
