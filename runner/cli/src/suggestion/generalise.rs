//! From what was called to the ARNs that a capability names.
//!
//! By itself, an ARN stays as it is. Told to generalise, a UUID becomes `*`, and then two keys or more in one folder of a
//! bucket become `bucket/folder/*`. Two things stay: a UUID that is a bucket's, a KMS key's or any other resource's whole
//! name, since a `*` there means every such resource; and keys outside of any folder, since `bucket/*` means all of them.

use std::collections::{BTreeMap, BTreeSet};

use super::calls::{Resource, Use};

/// Each use with the ARN pattern that stands for it. All are of one action in one account.
pub(super) fn patterns(uses: Vec<&Use>, generalise: bool) -> Vec<(String, &Use)> {
    let patterns = uses.into_iter().map(|used| (pattern(&used.resource, generalise), used));
    if !generalise {
        return patterns.collect();
    }
    let mut folders: BTreeMap<String, (BTreeSet<String>, Vec<&Use>)> = BTreeMap::new();
    let mut rest = Vec::new();
    for (pattern, used) in patterns {
        match folder(&pattern) {
            Some(folder) => {
                let (keys, uses) = folders.entry(folder.to_owned()).or_default();
                keys.insert(pattern);
                uses.push(used);
            }
            None => rest.push((pattern, used)),
        }
    }
    for (folder, (keys, uses)) in folders {
        let whole = format!("{folder}*");
        let several = keys.len() > 1;
        rest.extend(
            uses.into_iter()
                .map(|used| (if several { whole.clone() } else { pattern(&used.resource, generalise) }, used)),
        );
    }
    rest
}

fn pattern(resource: &Resource, generalise: bool) -> String {
    let text = match resource {
        Resource::Any => return "*".to_owned(),
        Resource::Arn(arn) => escaped(arn),
        Resource::Covering(pattern) => pattern.clone(),
    };
    if generalise { without_uuids(&text) } else { text }
}

/// `arn` as a pattern for itself alone. No capability may hold a control character, so a `?` stands for one.
fn escaped(arn: &str) -> String {
    let mut text = String::with_capacity(arn.len());
    for letter in arn.chars() {
        match letter {
            '*' | '?' | '$' => text.extend(['$', '{', letter, '}']),
            letter if letter.is_control() => text.push('?'),
            letter => text.push(letter),
        }
    }
    text
}

/// Where the key begins in the ARN of an object.
fn key_at(arn: &str) -> Option<usize> {
    let resource_at = arn.find(":s3:::")? + ":s3:::".len();
    Some(resource_at + arn[resource_at..].find('/')? + 1)
}

/// The ARN of an object up to the last slash of its key, if it has one.
fn folder(arn: &str) -> Option<&str> {
    let key_at = key_at(arn)?;
    let slash = arn[key_at..].rfind('/')?;
    Some(&arn[..=key_at + slash])
}

fn without_uuids(arn: &str) -> String {
    let key_at = key_at(arn).unwrap_or(arn.len());
    let mut text = String::with_capacity(arn.len());
    let mut rest = 0;
    let mut at = 0;
    while at < arn.len() {
        if !is_uuid_at(arn, at) {
            at += 1;
            continue;
        }
        let end = at + UUID.len();
        let divides = |byte: Option<&u8>| byte.is_none_or(|byte| b":/".contains(byte));
        let bytes = arn.as_bytes();
        let is_whole_name =
            at < key_at && divides(at.checked_sub(1).and_then(|at| bytes.get(at))) && divides(bytes.get(end));
        if !is_whole_name {
            text.push_str(&arn[rest..at]);
            text.push('*');
            rest = end;
        }
        at = end;
    }
    text.push_str(&arn[rest..]);
    text
}

/// The form of a UUID: RFC 9562, section 4.
const UUID: &[u8] = b"hhhhhhhh-hhhh-hhhh-hhhh-hhhhhhhhhhhh";

fn is_uuid_at(text: &str, at: usize) -> bool {
    let bytes = text.as_bytes();
    let end = at + UUID.len();
    let Some(found) = bytes.get(at..end) else {
        return false;
    };
    let in_word = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    let fits = |(byte, form): (&u8, &u8)| if *form == b'h' { byte.is_ascii_hexdigit() } else { byte == form };
    found.iter().zip(UUID).all(fits)
        && !in_word(at.checked_sub(1).and_then(|at| bytes.get(at)))
        && !in_word(bytes.get(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uuids_become_wildcards_unless_they_are_a_whole_name() {
        let id = "0fb1c7a2-3d64-4c1e-9a77-5f1f3e0f2b1a";
        for (arn, expected) in [
            ("arn:aws:s3:::sample-ID", "arn:aws:s3:::sample-*"),
            ("arn:aws:s3:::sample-ID/k", "arn:aws:s3:::sample-*/k"),
            ("arn:aws:s3:::b/ID", "arn:aws:s3:::b/*"),
            ("arn:aws:s3:::b/in/ID/ID.csv", "arn:aws:s3:::b/in/*/*.csv"),
            ("arn:aws:sqs:us-east-1:123456789012:q-ID.fifo", "arn:aws:sqs:us-east-1:123456789012:q-*.fifo"),
            // Whole names.
            ("arn:aws:s3:::ID", "arn:aws:s3:::ID"),
            ("arn:aws:s3:::ID/k", "arn:aws:s3:::ID/k"),
            ("arn:aws:kms:us-east-1:123456789012:key/ID", "arn:aws:kms:us-east-1:123456789012:key/ID"),
            ("arn:aws:sqs:us-east-1:123456789012:ID", "arn:aws:sqs:us-east-1:123456789012:ID"),
            // No UUIDs.
            ("arn:aws:s3:::b/aID", "arn:aws:s3:::b/aID"),
            ("arn:aws:s3:::b/ID0", "arn:aws:s3:::b/ID0"),
            ("arn:aws:s3:::b/ä-0fb1c7a2-3d64", "arn:aws:s3:::b/ä-0fb1c7a2-3d64"),
        ] {
            assert_eq!(without_uuids(&arn.replace("ID", id)), expected.replace("ID", id), "{arn}");
        }
    }

    #[test]
    fn characters_of_a_name_are_no_wildcards() {
        assert_eq!(escaped("arn:aws:s3:::b/a*b?${c}\n"), "arn:aws:s3:::b/a${*}b${?}${$}{c}?");
    }

    #[test]
    fn only_keys_have_folders() {
        for (arn, expected) in [
            ("arn:aws:s3:::b/in/k", Some("arn:aws:s3:::b/in/")),
            ("arn:aws:s3:::b/in/", Some("arn:aws:s3:::b/in/")),
            ("arn:aws:s3:::b//k", Some("arn:aws:s3:::b//")),
            ("arn:aws:s3:::b/k", None),
            ("arn:aws:s3:::b", None),
            ("arn:aws:ssm:us-east-1:123456789012:parameter/a/b", None),
            ("*", None),
        ] {
            assert_eq!(folder(arn), expected, "{arn}");
        }
    }
}
