//! ListObjects' rules: prefix, delimiter, where to go on, and how much.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

use super::records::ObjectRecord;

/// The most entries of one answer
/// (<https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html>).
pub(super) const MAX_KEYS: i32 = 1_000;

/// What is asked for.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct PageRequest<'a> {
    pub(super) prefix: &'a str,
    pub(super) delimiter: Option<&'a str>,
    /// The last key or common prefix that the client has; the page begins behind it.
    pub(super) after: Option<&'a str>,
    pub(super) max: usize,
}

/// A page.
#[derive(Debug, Default)]
pub(super) struct Page {
    pub(super) objects: Vec<Arc<ObjectRecord>>,
    pub(super) common_prefixes: Vec<String>,
    /// The last entry of this page, if more follow.
    pub(super) next: Option<String>,
}

pub(super) fn list(objects: &BTreeMap<String, Arc<ObjectRecord>>, request: &PageRequest<'_>) -> Page {
    let mut page = Page::default();
    let mut last: Option<String> = None;
    let start = match request.after {
        Some(after) if after >= request.prefix => Bound::Excluded(after),
        _ => Bound::Included(request.prefix),
    };
    for (key, object) in objects.range::<str, _>((start, Bound::Unbounded)) {
        if !key.starts_with(request.prefix) {
            break;
        }
        let rolled_up = request.delimiter.filter(|delimiter| !delimiter.is_empty()).and_then(|delimiter| {
            let rest = &key[request.prefix.len()..];
            rest.find(delimiter).map(|at| &key[..request.prefix.len() + at + delimiter.len()])
        });
        if let Some(common) = rolled_up
            && (last.as_deref() == Some(common) || request.after.is_some_and(|after| after >= common))
        {
            continue;
        }
        if page.objects.len() + page.common_prefixes.len() == request.max {
            // A page of no entries has no place to go on from.
            page.next = last;
            return page;
        }
        match rolled_up {
            Some(common) => {
                page.common_prefixes.push(common.into());
                last = Some(common.into());
            }
            None => {
                page.objects.push(Arc::clone(object));
                last = Some(key.clone());
            }
        }
    }
    page
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::records::{Attributes, Checksums, ContentRecord};

    fn objects(keys: &[&str]) -> BTreeMap<String, Arc<ObjectRecord>> {
        let record = |key: &str| ObjectRecord {
            key: key.into(),
            content: ContentRecord { file: "f".into(), size: 0, etag: "e".into(), checksums: Checksums::default() },
            last_modified: time::OffsetDateTime::UNIX_EPOCH.into(),
            attributes: Attributes::default(),
        };
        keys.iter().map(|key| ((*key).to_owned(), Arc::new(record(key)))).collect()
    }

    /// Every page's entries, joined by `|`, common prefixes in brackets.
    fn pages(keys: &[&str], prefix: &str, delimiter: Option<&str>, max: usize) -> String {
        let objects = objects(keys);
        let (mut after, mut text) = (None::<String>, Vec::new());
        loop {
            let page = list(&objects, &PageRequest { prefix, delimiter, after: after.as_deref(), max });
            let mut entries: Vec<String> = page.objects.iter().map(|object| object.key.clone()).collect();
            entries.extend(page.common_prefixes.iter().map(|prefix| format!("({prefix})")));
            text.push(entries.join(" "));
            after = page.next;
            if after.is_none() {
                return text.join(" | ");
            }
        }
    }

    #[test]
    fn pages_roll_up_and_go_on_without_loss_or_repetition() {
        let keys = ["a", "a/", "a/1", "a/2", "a/b/3", "ab", "b/1", "c"];
        assert_eq!(pages(&keys, "", None, 1000), "a a/ a/1 a/2 a/b/3 ab b/1 c");
        assert_eq!(pages(&keys, "", None, 3), "a a/ a/1 | a/2 a/b/3 ab | b/1 c");
        assert_eq!(pages(&keys, "", Some("/"), 1000), "a ab c (a/) (b/)");
        assert_eq!(pages(&keys, "", Some("/"), 2), "a (a/) | ab (b/) | c");
        assert_eq!(pages(&keys, "", Some("/"), 1), "a | (a/) | ab | (b/) | c");
        assert_eq!(pages(&keys, "a/", Some("/"), 1000), "a/ a/1 a/2 (a/b/)");
        assert_eq!(pages(&keys, "a", Some("/"), 1000), "a ab (a/)");
        assert_eq!(pages(&keys, "x", None, 1000), "");
        assert_eq!(pages(&keys, "", None, 0), "");
        assert_eq!(pages(&["äa", "äb", "ö"], "ä", Some("b"), 10), "äa (äb)");
    }

    #[test]
    fn a_start_before_the_prefix_does_not_widen_it() {
        let objects = objects(&["a", "b/1", "b/2", "c"]);
        let page = list(&objects, &PageRequest { prefix: "b/", after: Some("a"), max: 10, ..PageRequest::default() });
        assert_eq!(page.objects.len(), 2);
    }
}
