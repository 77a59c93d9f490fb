//! DeleteObjects: every key in its body is a deletion of its own.

use super::names;
use crate::refusal::{Quoted, Refusal};
use crate::wire::xml::Element;

/// The most keys of one request.
///
/// Source: "DeleteObjects", Amazon S3 API Reference (API_DeleteObjects.html).
const MOST_KEYS: usize = 1000;

/// The keys that the body names, each with its version.
pub(crate) fn keys(body: &Element) -> Result<Vec<(&str, Option<&str>)>, Refusal> {
    let place = "body element `Object`";
    let mut keys = Vec::new();
    for object in body.all("Object") {
        let Some(key) = object.text_of("Key") else {
            return Err(Refusal::malformed(place, "it has no Key", "name a key in each"));
        };
        names::key(key).map_err(|what| {
            Refusal::not_understood(format!("{place} {}", Quoted(key)), what, "name the key of an object")
        })?;
        let version = object.text_of("VersionId");
        if version.is_some_and(str::is_empty) {
            return Err(Refusal::malformed(place, "its VersionId is empty", "leave it out, or name a version"));
        }
        keys.push((key, version));
    }
    if keys.is_empty() || keys.len() > MOST_KEYS {
        return Err(Refusal::malformed("body", "it does not name 1 to 1,000 objects", "delete up to 1,000 at a time"));
    }
    Ok(keys)
}
