//! What a row of S3's tables says, and how the one row of a request is found.

use super::families::Family;
use crate::refusal::{Quoted, Refusal};

/// What a request's path names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Level {
    /// `/`
    Service,
    /// `/bucket`
    Bucket,
    /// `/bucket/key`
    Object,
}

/// One operation of S3's REST API.
#[derive(Debug)]
pub(crate) struct Row {
    /// The operation's name.
    pub(crate) name: &'static str,
    pub(crate) method: &'static str,
    pub(crate) level: Level,
    /// Query keys that must be there: `acl` alone, `list-type=2` with that value, `uploadId=*` with some value.
    pub(crate) needs: &'static [&'static str],
    /// Query keys that may be there.
    pub(crate) takes: &'static [&'static str],
    /// Whether `x-amz-copy-source` must be there; otherwise it must not.
    pub(crate) copies: bool,
    /// Headers that may be there.
    pub(crate) headers: &'static [&'static Family],
    pub(crate) body: Body,
    /// The permissions that the operation needs in every form.
    pub(crate) actions: &'static [Action],
}

/// What a row takes as its body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Body {
    /// None.
    Empty,
    /// Bytes that S3 stores as they are.
    Opaque,
    /// An XML document.
    Xml {
        /// Its shape, in the notation of [`crate::shape`].
        shape: &'static str,
        /// Whether it may be left out.
        optional: bool,
        /// Whether the operation takes, or wants, a checksum of the body in its headers.
        checksum: bool,
    },
    /// A policy document in JSON, with a checksum.
    Policy,
}

/// An XML document in an operation that takes no checksum of it.
pub(crate) const fn xml(shape: &'static str) -> Body {
    Body::Xml { shape, optional: false, checksum: false }
}

/// An XML document with a checksum.
pub(crate) const fn sum(shape: &'static str) -> Body {
    Body::Xml { shape, optional: false, checksum: true }
}

/// An IAM action and what it works on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Action {
    pub(crate) on: Level,
    pub(crate) name: &'static str,
    /// The action that stands in its place when the request names a version.
    pub(crate) versioned: Option<&'static str>,
}

pub(crate) const fn on_service(name: &'static str) -> Action {
    Action { on: Level::Service, name, versioned: None }
}

pub(crate) const fn on_bucket(name: &'static str) -> Action {
    Action { on: Level::Bucket, name, versioned: None }
}

pub(crate) const fn on_object(name: &'static str) -> Action {
    Action { on: Level::Object, name, versioned: None }
}

pub(crate) const fn on_version(name: &'static str, versioned: &'static str) -> Action {
    Action { on: Level::Object, name, versioned: Some(versioned) }
}

impl Row {
    /// A row's needed keys, as name and value.
    fn needed(&self) -> impl Iterator<Item = (&'static str, Option<&'static str>)> {
        self.needs.iter().map(|need| match need.split_once('=') {
            Some((key, value)) => (key, Some(value)),
            None => (*need, None),
        })
    }

    /// Whether all that the row needs is there, and the row knows all that is there.
    fn fits(&self, query: &[(String, String)]) -> bool {
        if self.needs.len() > query.len() {
            return false;
        }
        let given = |key: &str| query.iter().any(|(name, _)| name == key);
        self.needed().all(|(key, _)| given(key)) && query.iter().all(|(key, _)| self.knows(key))
    }

    /// Whether one of the row's families holds this header.
    pub(crate) fn takes_header(&self, name: &str) -> bool {
        self.headers.iter().any(|family| family.holds(name))
    }

    fn knows(&self, key: &str) -> bool {
        self.takes.contains(&key) || self.needed().any(|(name, _)| name == key)
    }

    /// Checks the values of the query keys.
    fn check_values(&self, query: &[(String, String)]) -> Result<(), Refusal> {
        for (key, value) in query {
            let expected = self.needed().find(|(name, _)| name == key).map(|(_, value)| value);
            let problem = match expected {
                Some(None) if !value.is_empty() => "it stands alone, without a value".to_owned(),
                Some(Some("*")) if value.is_empty() => "its value is empty".to_owned(),
                Some(Some(fixed)) if fixed != "*" && fixed != value => {
                    format!("its value can only be {fixed}")
                }
                None if key == "versionId" && value.is_empty() => "its value is empty".to_owned(),
                _ => continue,
            };
            return Err(Refusal::not_understood(
                format!("query key {}", Quoted(key)),
                format!("{problem} in {}", self.name),
                "send it as the S3 API has it",
            ));
        }
        Ok(())
    }
}

/// Finds the one row that a request belongs to.
///
/// A row fits when every key that it needs is there, and every key that is there is its own. The tables are such that
/// never two rows fit the same keys (a test holds that), so a request with two subresources fits none.
pub(crate) fn find<'r>(
    rows: impl Iterator<Item = &'r Row>,
    method: &str,
    level: Level,
    copies: bool,
    query: &[(String, String)],
) -> Result<&'r Row, Refusal> {
    // What is quickest to compare comes first: there are many rows, and each call looks at them all.
    let mut fitting =
        rows.filter(|row| row.level == level && row.copies == copies && row.method == method && row.fits(query));
    match (fitting.next(), fitting.next()) {
        (Some(row), None) => {
            row.check_values(query)?;
            Ok(row)
        }
        _ => Err(unknown(method, level, copies, query)),
    }
}

fn unknown(method: &str, level: Level, copies: bool, query: &[(String, String)]) -> Refusal {
    let on = match level {
        Level::Service => "no bucket",
        Level::Bucket => "a bucket",
        Level::Object => "an object",
    };
    let mut what = format!("{} on {on}", Quoted(method));
    if !query.is_empty() {
        let keys: Vec<&str> = query.iter().map(|(key, _)| key.as_str()).collect();
        what.push_str(&format!(" with the query keys {}", Quoted(&keys.join(", "))));
    }
    if copies {
        what.push_str(" and x-amz-copy-source");
    }
    Refusal::not_understood(
        "S3 request",
        format!("{what} is no operation that is known"),
        "use one operation of the S3 API, in its own spelling and without further query keys",
    )
}

/// Whether some request would fit both rows.
#[cfg(test)]
pub(crate) fn overlap(one: &Row, other: &Row) -> bool {
    one.method == other.method
        && one.level == other.level
        && one.copies == other.copies
        && one.needed().all(|(key, _)| other.knows(key))
        && other.needed().all(|(key, _)| one.knows(key))
}
