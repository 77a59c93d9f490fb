//! Percent-encoding of a [`Call`](crate::Call)'s path, as AWS defines it for Signature Version 4: every byte of the
//! UTF-8 form but the unreserved characters of [RFC 3986, section 2.3][unreserved] becomes `%XX`, in capitals.
//!
//! Query keys and values are not encoded here: a call takes them as they are, and the host encodes them.
//!
//! [unreserved]: https://www.rfc-editor.org/rfc/rfc3986#section-2.3

/// Encodes a path that may have several segments, such as an S3 object key: `/` stays as it is.
///
/// Nothing is normalised: `a//b` and `a/../b` are keys of their own to S3, and the host refuses dot segments.
///
/// ```
/// assert_eq!(rolebox_guest::uri::encode_path("in/100% sure.txt"), "in/100%25%20sure.txt");
/// ```
pub fn encode_path(path: &str) -> String {
    encode(path, |byte| byte == b'/')
}

/// Encodes one segment of a path: `/` is encoded too.
///
/// ```
/// use rolebox_guest::uri::encode_segment;
///
/// let path = format!("/2015-03-31/functions/{}/invocations", encode_segment("my/function"));
/// assert_eq!(path, "/2015-03-31/functions/my%2Ffunction/invocations");
/// ```
pub fn encode_segment(segment: &str) -> String {
    encode(segment, |_| false)
}

fn encode(text: &str, keep: impl Fn(u8) -> bool) -> String {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) || keep(byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push('%');
            encoded.push(char::from(HEX[usize::from(byte >> 4)]));
            encoded.push(char::from(HEX[usize::from(byte & 0xf)]));
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_keep_slashes_and_unreserved_characters_only() {
        let cases = [
            ("", ""),
            ("hello_world.txt", "hello_world.txt"),
            ("AZaz09-._~", "AZaz09-._~"),
            ("a/b/c", "a/b/c"),
            ("/leading", "/leading"),
            ("a//b", "a//b"),
            ("a/../b", "a/../b"),
            ("a b", "a%20b"),
            ("a+b", "a%2Bb"),
            ("100%", "100%25"),
            ("%2F", "%252F"),
            ("a?b#c", "a%3Fb%23c"),
            ("a&b=c;d:e@f$g,h", "a%26b%3Dc%3Bd%3Ae%40f%24g%2Ch"),
            ("!*'()", "%21%2A%27%28%29"),
            ("[]{}|\\^`\"<>", "%5B%5D%7B%7D%7C%5C%5E%60%22%3C%3E"),
            ("\u{0}\n\r\t\u{7f}", "%00%0A%0D%09%7F"),
            ("grün", "gr%C3%BCn"),
            ("日本/語", "%E6%97%A5%E6%9C%AC/%E8%AA%9E"),
            ("🦀", "%F0%9F%A6%80"),
        ];
        for (path, expected) in cases {
            assert_eq!(encode_path(path), expected, "{path:?}");
        }
    }

    #[test]
    fn a_segment_can_not_become_two() {
        let cases = [("a/b", "a%2Fb"), ("/", "%2F"), ("arn:aws:s3", "arn%3Aaws%3As3"), ("plain", "plain")];
        for (segment, expected) in cases {
            assert_eq!(encode_segment(segment), expected, "{segment:?}");
        }
    }
}
