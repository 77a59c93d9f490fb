//! Query keys and values: each key once, none of those that carry a signature, encoded anew.

use crate::refusal::{Quoted, Refusal};
use crate::wire::percent;

/// The most keys that are read: more than any operation takes.
const MOST_KEYS: usize = 64;
/// Query keys of signatures, beside everything that begins with `x-amz-`: the older S3 form.
///
/// Source: "Signing and authenticating REST requests", Amazon S3 User Guide (RESTAuthentication.html).
const SIGNATURE_KEYS: [&str; 3] = ["awsaccesskeyid", "signature", "expires"];

/// Checks decoded query pairs of a guest.
///
/// Refused: a key given twice (services differ in which one they take), an empty key, NUL, and everything that S3
/// would honour as if it were a header or a signature. S3 reads `x-amz-*` query keys as headers.
pub(crate) fn check(pairs: &[(String, String)]) -> Result<(), Refusal> {
    if pairs.len() > MOST_KEYS {
        return Err(Refusal::malformed("query", "it has more than 64 keys", "send only the keys of the operation"));
    }
    for (position, (key, value)) in pairs.iter().enumerate() {
        let place = || format!("query key {}", Quoted(key));
        if key.is_empty() {
            return Err(Refusal::malformed("query", "it has an empty key", "remove the stray `&` or `=`"));
        }
        if key.contains('\0') || value.contains('\0') {
            return Err(Refusal::malformed(place(), "it holds a NUL", "remove the NUL"));
        }
        if pairs[..position].iter().any(|(earlier, _)| earlier == key) {
            return Err(Refusal::malformed(place(), "it is given twice", "send each query key once"));
        }
        signature_key(key)?;
    }
    Ok(())
}

/// Refuses names that carry a signature, among the parameters of a form.
pub(crate) fn no_signature(pairs: &[(String, String)]) -> Result<(), Refusal> {
    pairs.iter().try_for_each(|(key, _)| signature_key(key))
}

fn signature_key(key: &str) -> Result<(), Refusal> {
    if has_prefix_ignoring_case(key, "x-amz-") || SIGNATURE_KEYS.iter().any(|name| key.eq_ignore_ascii_case(name)) {
        return Err(Refusal::never_signed(
            format!("query key {}", Quoted(key)),
            "a signature, and every x-amz-* name, is refused in the query",
            "leave signing to the host, and send what the operation takes as headers",
        ));
    }
    Ok(())
}

/// Reads a raw query string (what follows the `?`), strictly.
///
/// A bare key has the value `""`. `+` is refused: form encoding reads it as a space and AWS's canonical query string
/// as a plus sign.
pub(crate) fn decode(raw: &str) -> Result<Vec<(String, String)>, Refusal> {
    let mut pairs = Vec::new();
    if raw.is_empty() {
        return Ok(pairs);
    }
    for pair in raw.split('&') {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        let decode = |text: &str| {
            let place = || format!("query {}", Quoted(pair));
            if let Some(bad) = text.chars().find(|c| matches!(c, '+' | '#' | ' ' | '\u{7f}') || c.is_control()) {
                return Err(Refusal::malformed(
                    place(),
                    format!("it holds {} unencoded", Quoted(bad.encode_utf8(&mut [0; 4]))),
                    "percent-encode it (%2B for a plus sign, %20 for a space)",
                ));
            }
            match percent::decode(text) {
                Ok(text) => Ok(text.into_owned()),
                Err(error) => {
                    Err(Refusal::malformed(place(), error.to_string(), "percent-encode the UTF-8 of the value"))
                }
            }
        };
        pairs.push((decode(key)?, decode(value)?));
        if pairs.len() > MOST_KEYS {
            break;
        }
    }
    Ok(pairs)
}

/// Writes pairs in their order as a query string without the `?`; a key with an empty value stands alone.
pub(crate) fn encode(pairs: &[(String, String)]) -> String {
    let mut raw = String::new();
    for (key, value) in pairs {
        if !raw.is_empty() {
            raw.push('&');
        }
        percent::encode_into(&mut raw, key);
        if !value.is_empty() {
            raw.push('=');
            percent::encode_into(&mut raw, value);
        }
    }
    raw
}

/// Whether `text` begins with `prefix`, which is in lower case, in any case.
pub(crate) fn has_prefix_ignoring_case(text: &str, prefix: &str) -> bool {
    text.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::RefusalKind;

    fn pairs(raw: &str) -> Result<Vec<(String, String)>, Refusal> {
        let pairs = decode(raw)?;
        check(&pairs)?;
        Ok(pairs)
    }

    #[test]
    fn reads_and_writes() {
        for (raw, written) in [
            ("", ""),
            ("acl", "acl"),
            ("acl=", "acl"),
            ("list-type=2&prefix=a%2Fb", "list-type=2&prefix=a%2Fb"),
            ("prefix=a/b=c", "prefix=a%2Fb%3Dc"),
            ("prefix=%C3%A9", "prefix=%C3%A9"),
        ] {
            assert_eq!(pairs(raw).map(|pairs| encode(&pairs)).as_deref(), Ok(written), "{raw:?}");
        }
    }

    #[test]
    fn refuses() {
        use RefusalKind::{Malformed, NeverSigned};
        for (raw, kind) in [
            ("&", Malformed),
            ("acl&", Malformed),
            ("=v", Malformed),
            ("a=1&a=1", Malformed),
            ("a&a=1", Malformed),
            ("%61=1&a=2", Malformed),
            ("a=%", Malformed),
            ("a=%0", Malformed),
            ("a=%00", Malformed),
            ("a=b+c", Malformed),
            ("a=b c", Malformed),
            ("a=b\r\nx: y", Malformed),
            ("a=%ff", Malformed),
            ("X-Amz-Signature=1", NeverSigned),
            ("x-amz-acl=public-read", NeverSigned),
            ("x%2Damz-copy-source=b/k", NeverSigned),
            ("X-AMZ-Security-Token=t", NeverSigned),
            ("AWSAccessKeyId=AKIA", NeverSigned),
            ("signature=s", NeverSigned),
            ("Expires=1", NeverSigned),
        ] {
            assert_eq!(pairs(raw).map_err(|refusal| refusal.kind()), Err(kind), "{raw:?}");
        }
        let many = (0..100).map(|n| format!("k{n}=1")).collect::<Vec<_>>().join("&");
        assert_eq!(pairs(&many).map_err(|refusal| refusal.kind()), Err(Malformed));
    }
}
