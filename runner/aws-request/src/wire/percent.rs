//! Percent-encoding (RFC 3986, section 2.1), strictly: every `%` is followed by two hex digits, and what is decoded is
//! UTF-8 without NUL.

use std::borrow::Cow;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// Everything but RFC 3986's unreserved characters, as AWS's `UriEncode` has it.
///
/// Source: "Create a signed AWS API request", IAM User Guide (reference_sigv-create-signed-request.html).
const RESERVED: AsciiSet = NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
/// As [`RESERVED`], with `/` kept: an object key in a path.
const RESERVED_BUT_SLASH: AsciiSet = RESERVED.remove(b'/');

/// What is wrong with an encoded text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PercentError {
    #[error("a `%` is not followed by two hex digits")]
    Stray,
    #[error("it holds a NUL")]
    Nul,
    #[error("it is not UTF-8 once decoded")]
    NotUtf8,
}

/// Decodes `text`. `+` stays a plus sign.
pub(crate) fn decode(text: &str) -> Result<Cow<'_, str>, PercentError> {
    if !text.as_bytes().iter().any(|byte| matches!(byte, b'%' | 0)) {
        return Ok(Cow::Borrowed(text));
    }
    let mut decoded = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        let byte = if byte == b'%' {
            let (Some(high), Some(low)) = (bytes.next().and_then(hex), bytes.next().and_then(hex)) else {
                return Err(PercentError::Stray);
            };
            high << 4 | low
        } else {
            byte
        };
        if byte == 0 {
            return Err(PercentError::Nul);
        }
        decoded.push(byte);
    }
    String::from_utf8(decoded).map(Cow::Owned).map_err(|_| PercentError::NotUtf8)
}

/// Encodes everything but unreserved characters, `/` included.
pub(crate) fn encode_into(target: &mut String, text: &str) {
    target.extend(utf8_percent_encode(text, &RESERVED));
}

/// Encodes everything but unreserved characters and `/`.
pub(crate) fn encode_path_into(target: &mut String, text: &str) {
    target.extend(utf8_percent_encode(text, &RESERVED_BUT_SLASH));
}

fn hex(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decodes_only_what_is_well_formed() {
        for (text, decoded) in [
            ("", Ok("")),
            ("a+b", Ok("a+b")),
            ("a%20b", Ok("a b")),
            ("%C3%a9", Ok("é")),
            ("%252e", Ok("%2e")),
            ("é", Ok("é")),
            ("%", Err(PercentError::Stray)),
            ("a%2", Err(PercentError::Stray)),
            ("%zz", Err(PercentError::Stray)),
            ("%%41", Err(PercentError::Stray)),
            ("%+1", Err(PercentError::Stray)),
            ("%u0041", Err(PercentError::Stray)),
            ("a%00", Err(PercentError::Nul)),
            ("a\0", Err(PercentError::Nul)),
            ("%ff", Err(PercentError::NotUtf8)),
            ("%c0%ae", Err(PercentError::NotUtf8)),
            ("%ed%a0%80", Err(PercentError::NotUtf8)),
        ] {
            assert_eq!(decode(text).as_deref(), decoded.as_ref().map(|text| *text), "{text:?}");
        }
    }

    #[test]
    fn encodes_all_but_unreserved_characters() {
        let mut text = String::new();
        encode_into(&mut text, "aZ0-._~ /+%é'{\\");
        assert_eq!(text, "aZ0-._~%20%2F%2B%25%C3%A9%27%7B%5C");
        text.clear();
        encode_path_into(&mut text, "a/b c");
        assert_eq!(text, "a/b%20c");
    }
}
