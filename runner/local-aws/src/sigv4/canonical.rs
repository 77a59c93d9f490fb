//! The request target, read strictly, and the canonical request made from it.

use std::borrow::Cow;

use http::Uri;
use http::header::HeaderMap;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// What stays as it is in a canonical path, besides letters and digits.
const PATH: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/');
/// What stays as it is in a canonical query, besides letters and digits.
const QUERY: &AsciiSet = &PATH.add(b'/');

/// A request target whose every part has one meaning.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Target {
    /// The path, decoded.
    pub(crate) path: String,
    /// The query, decoded, in the order in which it was sent. No name occurs twice.
    pub(crate) query: Vec<(String, String)>,
}

/// Why a request target is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TargetError {
    /// A `.` or `..` segment, raw or encoded. Clients and proxies would resolve it, each in its own way.
    DotSegment,
    /// Anything else with more than one reading, or none.
    Ambiguous(&'static str),
}

impl Target {
    /// Reads the target of a request.
    pub(crate) fn parse(uri: &Uri) -> Result<Self, TargetError> {
        let ambiguous = TargetError::Ambiguous;
        if uri.scheme().is_some() || uri.authority().is_some() || !uri.path().starts_with('/') {
            return Err(ambiguous("the request target is not a path"));
        }
        let raw = uri.path();
        let path = decode(raw).ok_or(ambiguous("the path has a stray % or is not UTF-8"))?;
        if path.contains('\0') {
            return Err(ambiguous("the path has a NUL"));
        }
        // Backslashes are no separators to S3, but some clients take them for one.
        if path.split(['/', '\\']).any(|segment| segment == "." || segment == "..") {
            return Err(TargetError::DotSegment);
        }
        if path.matches('/').count() != raw.matches('/').count() {
            return Err(ambiguous("the path has an encoded slash"));
        }

        let mut query: Vec<(String, String)> = Vec::new();
        for pair in uri.query().unwrap_or_default().split('&') {
            if pair.is_empty() {
                if uri.query().is_some_and(|query| !query.is_empty()) {
                    return Err(ambiguous("the query has an empty part"));
                }
                continue;
            }
            if pair.contains('+') {
                return Err(ambiguous("the query has a + that is not encoded: write %20 for a space, %2B for a plus"));
            }
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let name = decode(name).ok_or(ambiguous("the query has a stray % or is not UTF-8"))?;
            let value = decode(value).ok_or(ambiguous("the query has a stray % or is not UTF-8"))?;
            if query.iter().any(|(other, _)| other.eq_ignore_ascii_case(&name)) {
                return Err(ambiguous("the query has a parameter twice"));
            }
            query.push((name, value));
        }
        Ok(Self { path, query })
    }

    /// The value of a query parameter.
    pub(crate) fn query_value(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }
}

/// Decodes percent-encoding; `None` when a `%` is not followed by two hexadecimal digits, or the result is not UTF-8.
pub(crate) fn decode(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    for (index, _) in bytes.iter().enumerate().filter(|(_, byte)| **byte == b'%') {
        let digits = bytes.get(index + 1..index + 3)?;
        if !digits.iter().all(u8::is_ascii_hexdigit) {
            return None;
        }
    }
    percent_decode_str(text).decode_utf8().ok().map(Cow::into_owned)
}

/// The canonical request, the text whose digest is signed. Header values may hold any byte, so it is not a `String`.
pub(super) fn canonical_request(
    method: &str,
    target: &Target,
    headers: &HeaderMap,
    signed_headers: &[String],
    payload: &str,
) -> Vec<u8> {
    let mut text = Vec::with_capacity(512);
    text.extend_from_slice(method.as_bytes());
    text.push(b'\n');
    text.extend(utf8_percent_encode(&target.path, PATH).flat_map(str::bytes));
    text.push(b'\n');

    let encode = |part: &str| utf8_percent_encode(part, QUERY).to_string();
    let mut pairs: Vec<_> = target.query.iter().map(|(name, value)| (encode(name), encode(value))).collect();
    pairs.sort();
    for (index, (name, value)) in pairs.iter().enumerate() {
        if index > 0 {
            text.push(b'&');
        }
        text.extend_from_slice(name.as_bytes());
        text.push(b'=');
        text.extend_from_slice(value.as_bytes());
    }
    text.push(b'\n');

    for name in signed_headers {
        text.extend_from_slice(name.as_bytes());
        text.push(b':');
        for (index, value) in headers.get_all(name).iter().enumerate() {
            if index > 0 {
                text.push(b',');
            }
            push_collapsed(&mut text, value.as_bytes());
        }
        text.push(b'\n');
    }
    text.push(b'\n');
    text.extend_from_slice(signed_headers.join(";").as_bytes());
    text.push(b'\n');
    text.extend_from_slice(payload.as_bytes());
    text
}

/// Appends a header's value without the spaces around it, and with one space for each run of them inside.
fn push_collapsed(text: &mut Vec<u8>, value: &[u8]) {
    let mut words = value.split(|byte| *byte == b' ' || *byte == b'\t').filter(|word| !word.is_empty());
    if let Some(first) = words.next() {
        text.extend_from_slice(first);
    }
    for word in words {
        text.push(b' ');
        text.extend_from_slice(word);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(target: &str) -> Result<Target, TargetError> {
        Target::parse(&target.parse().unwrap())
    }

    #[test]
    fn dot_segments_are_found_raw_and_encoded() {
        let cases = [
            "/b/../c",
            "/b/..",
            "/b/./k",
            "/..",
            "/b/%2e%2e/c",
            "/b/%2E%2E/c",
            "/b/.%2e/c",
            "/b/%2e/k",
            "/b/..%2fc",
            "/b/%2e%2e%2fc",
            "/b/..%5Cc",
            "/%2e%2e/b",
            "/b/k/..?versionId=1",
        ];
        for case in cases {
            assert_eq!(parse(case), Err(TargetError::DotSegment), "{case}");
        }
        for case in ["/b/...", "/b/a..b", "/b/.hidden", "/b/k.", "/b/%2e%2e%2e"] {
            assert!(parse(case).is_ok(), "{case}");
        }
    }

    #[test]
    fn targets_with_more_than_one_reading_are_refused() {
        let cases = [
            "http://other/b/k",
            "*",
            "/b/%",
            "/b/%4",
            "/b/%zz",
            "/b/%ff",
            "/b/%c3%28",
            "/b/%00",
            "/b/a%2Fb",
            "/b?a+b=c",
            "/b?prefix=a+b",
            "/b?a=1&a=2",
            "/b?a=1&A=2",
            "/b?a=1&%61=2",
            "/b?&a=1",
            "/b?a=1&",
            "/b?a=1&&b=2",
            "/b?a=%",
            "/b?a=%ff",
        ];
        for case in cases {
            assert!(matches!(parse(case), Err(TargetError::Ambiguous(_))), "{case}");
        }
    }

    #[test]
    fn keys_and_parameters_are_decoded_once() {
        let target = parse("/b/a%20b%252F+c//d?uploads&prefix=%E2%82%AC%2B%26%3D").unwrap();
        assert_eq!(target.path, "/b/a b%2F+c//d");
        assert_eq!(target.query, [("uploads".into(), String::new()), ("prefix".into(), "€+&=".into())]);
        assert_eq!(parse("/b?").unwrap().query, []);
    }

    #[test]
    fn the_canonical_request_is_that_of_the_documentation() {
        // The example "GET Object" of https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html.
        const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        let mut headers = HeaderMap::new();
        headers.insert("host", "examplebucket.s3.amazonaws.com".parse().unwrap());
        headers.insert("range", "bytes=0-9".parse().unwrap());
        headers.insert("x-amz-content-sha256", EMPTY.parse().unwrap());
        headers.insert("x-amz-date", "20130524T000000Z".parse().unwrap());
        let names: Vec<String> = ["host", "range", "x-amz-content-sha256", "x-amz-date"].map(String::from).into();
        let text = canonical_request("GET", &parse("/test.txt").unwrap(), &headers, &names, EMPTY);
        let digest = super::super::verify::sha256_hex(&text);
        assert_eq!(digest, "7344ae5b7ee6c3e7e6b0fe0640412a37625d1fbfff95c48bbb2dc43964946972");
    }

    #[test]
    fn the_query_is_sorted_after_encoding_and_spaces_in_headers_collapse() {
        let mut headers = HeaderMap::new();
        headers.append("x-amz-meta-a", "  one   two ".parse().unwrap());
        headers.append("x-amz-meta-a", "three".parse().unwrap());
        let target = parse("/a%20b/%24?b=2&a%3D=1&a=%2F&acl").unwrap();
        let text = canonical_request("PUT", &target, &headers, &["x-amz-meta-a".into()], "UNSIGNED-PAYLOAD");
        let expected =
            "PUT\n/a%20b/%24\na=%2F&a%3D=1&acl=&b=2\nx-amz-meta-a:one two,three\n\nx-amz-meta-a\nUNSIGNED-PAYLOAD";
        assert_eq!(String::from_utf8(text).unwrap(), expected);
    }
}
