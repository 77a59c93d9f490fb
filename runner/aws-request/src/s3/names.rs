//! Names of buckets and keys.

use crate::wire::path::no_dot_segments;

/// Beginnings and ends that S3 keeps for what is not a general purpose bucket, and what they stand for.
///
/// Source: "General purpose buckets naming rules", Amazon S3 User Guide (bucketnamingrules.html).
const RESERVED: [(bool, &str, &str); 8] = [
    (true, "xn--", "an internationalised name"),
    (true, "sthree-", "S3's own"),
    (false, "-s3alias", "an access point's alias"),
    (false, "--ol-s3", "an Object Lambda access point's alias"),
    (false, ".mrap", "a Multi-Region Access Point's alias"),
    (false, "--x-s3", "a directory bucket (S3 Express)"),
    (false, "--xa-s3", "a directory bucket's access point"),
    (false, "--table-s3", "a table bucket"),
];

/// The longest key, in bytes of UTF-8.
///
/// Source: "Naming Amazon S3 objects", Amazon S3 User Guide (object-keys.html).
const LONGEST_KEY: usize = 1024;

/// Checks the name of a general purpose bucket; says what is wrong with it.
///
/// Older buckets of us-east-1 with upper-case letters, underscores or up to 255 characters are refused: the same name
/// means another bucket in a host name.
pub(crate) fn bucket(name: &str) -> Result<(), String> {
    let bytes = name.as_bytes();
    if !(3..=63).contains(&bytes.len()) {
        return Err("a bucket's name has 3 to 63 characters".into());
    }
    let alphanumeric = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    if !bytes.iter().all(|byte| alphanumeric(byte) || matches!(byte, b'-' | b'.')) {
        return Err("a bucket's name holds only lower-case letters, digits, dashes and dots".into());
    }
    if !bytes.first().is_some_and(alphanumeric) || !bytes.last().is_some_and(alphanumeric) || name.contains("..") {
        return Err("a bucket's name begins and ends with a letter or digit and has no two dots in a row".into());
    }
    if bytes.iter().all(|byte| byte.is_ascii_digit() || *byte == b'.') && bytes.split(|b| *b == b'.').count() == 4 {
        return Err("a bucket's name is not an IP address".into());
    }
    let reserved =
        RESERVED.iter().find(|(start, text, _)| if *start { name.starts_with(text) } else { name.ends_with(text) });
    match reserved {
        Some((_, text, what)) => Err(format!("`{text}` marks {what}, which is not a bucket")),
        None => Ok(()),
    }
}

/// Checks an object's key; says what is wrong with it.
pub(crate) fn key(key: &str) -> Result<(), String> {
    key_in_path(key)?;
    no_dot_segments(key).map_err(Into::into)
}

/// The same for a key out of a path, which holds no dot segments any more.
pub(crate) fn key_in_path(key: &str) -> Result<(), String> {
    if key.is_empty() {
        return Err("a key is not empty".into());
    }
    if key.len() > LONGEST_KEY {
        return Err("a key has at most 1,024 bytes".into());
    }
    if key.contains('\0') {
        return Err("it holds a NUL".into());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets() {
        let (longest, too_long) = ("b".repeat(63), "b".repeat(64));
        for good in ["abc", "a.b-c", "node-sdk-sample-1", "1bucket", "1.2.3", "s3.us-east-1", &longest] {
            assert_eq!(bucket(good), Ok(()), "{good}");
        }
        for bad in [
            "",
            "ab",
            &too_long,
            "Bucket",
            "my_bucket",
            "-abc",
            "abc-",
            ".abc",
            "abc.",
            "a..b",
            "192.168.0.1",
            "bücket",
            "buc ket",
            "b%63",
            "b/c",
            "b:c",
            "b@c",
            "arn:aws:s3:::b",
            "b*cket",
            "xn--bucket",
            "sthree-x",
            "point-0123456789abcdef-s3alias",
            "lambda--ol-s3",
            "x.mrap",
            "b--use1-az4--x-s3",
            "p--use1-az4--xa-s3",
            "t--table-s3",
        ] {
            assert!(bucket(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn keys() {
        for good in ["k", "/k", "a//b", "a/", "*", "?", "é", "a\nb", "...", &"k".repeat(1024)] {
            assert_eq!(key(good), Ok(()), "{good}");
        }
        for bad in ["", ".", "..", "a/../b", "./a", "a/..", "a\0b", &"k".repeat(1025)] {
            assert!(key(bad).is_err(), "{bad}");
        }
    }
}
