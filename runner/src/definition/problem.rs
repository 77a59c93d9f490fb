//! What can be wrong with a task definition, and where.

use std::fmt;
use std::path::PathBuf;

/// Why a text is not a task definition that Rolebox runs.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DefinitionError {
    /// The file could not be read.
    #[error("{}: cannot be read: {source}. Name a file that exists and that you may read.", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        #[source]
        source: std::io::Error,
    },
    /// The text is longer than [`MAX_DOCUMENT_BYTES`](super::MAX_DOCUMENT_BYTES).
    #[error(
        "the task definition is longer than {} bytes. Shorten it: no more than that is read.",
        super::MAX_DOCUMENT_BYTES
    )]
    TooLong,
    /// The text is not JSON.
    #[error("line {line}, column {column}: not JSON: {reason}. Correct the syntax there.")]
    NotJson {
        /// The line, counted from 1.
        line: usize,
        /// The column, counted from 1; 0 stands for the end of the line before.
        column: usize,
        /// What the JSON parser found.
        reason: String,
    },
    /// The text is JSON, and one or more things in it are wrong. Shown one to a line.
    #[error("{}", Lines(.0))]
    Invalid(Vec<Problem>),
}

impl DefinitionError {
    /// The single problems, where the text was JSON; empty otherwise.
    #[must_use]
    pub fn problems(&self) -> &[Problem] {
        match self {
            Self::Invalid(problems) => problems,
            _ => &[],
        }
    }
}

/// One thing that is wrong in a task definition.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Problem {
    /// Where: a JSON path such as `containerDefinitions[0].memory`. Empty for the document as a whole.
    pub path: String,
    /// What is wrong, without a full stop.
    pub what: String,
    /// How to mend it: a sentence. Empty where `what` says so already.
    pub mend: String,
}

impl Problem {
    /// A problem of a place, for callers that make definitions and report in the same way.
    #[must_use]
    pub fn new(path: impl Into<String>, what: impl Into<String>, mend: impl Into<String>) -> Self {
        Self { path: path.into(), what: what.into(), mend: mend.into() }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        f.write_str(&self.what)?;
        if !self.mend.is_empty() {
            write!(f, ". {}", self.mend)?;
        }
        Ok(())
    }
}

struct Lines<'a>(&'a [Problem]);

impl fmt::Display for Lines<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            problem.fmt(f)?;
        }
        Ok(())
    }
}

/// A place in the document.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Location(String);

impl Location {
    pub(super) fn root() -> Self {
        Self::default()
    }

    /// The member `name` of the object at this place.
    pub(super) fn key(&self, name: &str) -> Self {
        let plain =
            !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
        if !plain {
            // The key is the author's text: escaped, so that it can neither look like another path nor move a
            // terminal's cursor.
            return Self(format!("{}[{}]", self.0, quoted(name)));
        }
        if self.0.is_empty() { Self(name.to_owned()) } else { Self(format!("{}.{name}", self.0)) }
    }

    /// The element `index` of the list at this place.
    pub(super) fn index(&self, index: usize) -> Self {
        Self(format!("{}[{index}]", self.0))
    }

    /// The place at `path`, a JSON path of its own, below this one.
    pub(super) fn path(&self, path: &str) -> Self {
        Self(format!("{}.{path}", self.0))
    }

    /// The place that `serde_path_to_error` found below this one.
    pub(super) fn below(&self, path: &serde_path_to_error::Path) -> Self {
        use serde_path_to_error::Segment;
        path.iter().fold(self.clone(), |at, segment| match segment {
            Segment::Seq { index } => at.index(*index),
            Segment::Map { key } => at.key(key),
            Segment::Enum { .. } | Segment::Unknown => at,
        })
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Everything found wrong so far.
#[derive(Debug, Default)]
pub(super) struct Problems(Vec<Problem>);

impl Problems {
    pub(super) fn add(&mut self, at: &Location, what: impl Into<String>, mend: impl Into<String>) {
        self.0.push(Problem { path: at.0.clone(), what: what.into(), mend: mend.into() });
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn into_error(self) -> DefinitionError {
        DefinitionError::Invalid(self.0)
    }
}

/// The author's text as a message may show it: quoted, escaped, and cut after 80 characters.
pub(super) fn quoted(text: &str) -> String {
    const SHOWN: usize = 80;
    let mut shown: String = text.chars().take(SHOWN).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    format!("{shown:?}")
}
