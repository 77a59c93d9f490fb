//! Why a request is not signed.
//!
//! Every refusal says what was wrong, where, and how to mend it. Text of the guest's is quoted in a bounded, escaped
//! form: a refusal ends up in logs and in answers, and must not be a way to write either. Values of headers that may
//! hold a key (customer encryption keys, authorization) are never quoted at all.

use std::fmt;

/// How many characters of a guest's text a refusal quotes at most.
const QUOTED: usize = 80;

/// Which kind of refusal it is, so that a caller can choose between "invalid request" and "denied".
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RefusalKind {
    /// The request breaks the rules of HTTP, of its encoding or of its own format: no service would take it as it
    /// stands, or services differ in what they would make of it.
    Malformed,
    /// The request is well formed, but is not one that is understood whole: an unknown operation, query key, header or
    /// body member, or a place named in a way that hides what it is. What is not understood is not signed.
    NotUnderstood,
    /// The body of the request cannot be sent while it comes in: what it holds is read first, or its length is not known.
    HeldWhole,
    /// The request is understood, and is of a kind that is never signed for a guest, whatever its capabilities.
    NeverSigned,
}

/// A request that was refused before it was authorized, signed or sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {what}; {mend}")]
pub struct Refusal {
    kind: RefusalKind,
    place: String,
    what: String,
    mend: String,
}

impl Refusal {
    /// The request is malformed: `place` is the part of the request, `what` is wrong there, `mend` says what to do.
    pub(crate) fn malformed(place: impl Into<String>, what: impl Into<String>, mend: impl Into<String>) -> Self {
        Self::new(RefusalKind::Malformed, place, what, mend)
    }

    /// The request is not understood whole.
    pub(crate) fn not_understood(place: impl Into<String>, what: impl Into<String>, mend: impl Into<String>) -> Self {
        Self::new(RefusalKind::NotUnderstood, place, what, mend)
    }

    /// The body must be held whole.
    pub(crate) fn held_whole(operation: &str) -> Self {
        Self::new(
            RefusalKind::HeldWhole,
            "body",
            format!("the body of {operation} is read whole before it is sent, and this one is too long for that"),
            "send a shorter body; only objects and their parts may be of any length",
        )
    }

    /// The request is never signed for a guest.
    pub(crate) fn never_signed(place: impl Into<String>, what: impl Into<String>, mend: impl Into<String>) -> Self {
        Self::new(RefusalKind::NeverSigned, place, what, mend)
    }

    fn new(kind: RefusalKind, place: impl Into<String>, what: impl Into<String>, mend: impl Into<String>) -> Self {
        Self { kind, place: place.into(), what: what.into(), mend: mend.into() }
    }

    /// Which kind of refusal it is.
    pub fn kind(&self) -> RefusalKind {
        self.kind
    }

    /// The part of the request that is at fault, such as "query key `acl`".
    pub fn place(&self) -> &str {
        &self.place
    }
}

/// A guest's text as a refusal quotes it: escaped, in back quotes, and cut to 80 characters.
pub(crate) struct Quoted<'a>(pub(crate) &'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("`")?;
        for (count, character) in self.0.chars().enumerate() {
            if count == QUOTED {
                return f.write_str("…`");
            }
            match character {
                '`' => f.write_str("\\`")?,
                // A quoted text stays one readable line: no control, direction or invisible characters.
                ' '..='~' => fmt::Write::write_char(f, character)?,
                _ => write!(f, "{}", character.escape_unicode())?,
            }
        }
        f.write_str("`")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoted_text_is_escaped_and_bounded() {
        assert_eq!(Quoted("a\nb`c\u{202e}").to_string(), "`a\\u{a}b\\`c\\u{202e}`");
        let long = "k".repeat(10_000);
        assert_eq!(Quoted(&long).to_string().chars().count(), QUOTED + 3);
    }

    #[test]
    fn a_refusal_says_where_what_and_how_to_mend() {
        let refusal = Refusal::malformed("path `/a%`", "a `%` without two hex digits", "write a percent sign as %25");
        assert_eq!(refusal.to_string(), "path `/a%`: a `%` without two hex digits; write a percent sign as %25");
        assert_eq!(refusal.kind(), RefusalKind::Malformed);
    }
}
