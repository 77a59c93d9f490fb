//! Text that must never be seen: secret access keys and session tokens.

use std::fmt;

use subtle::ConstantTimeEq;
use zeroize::{Zeroize, ZeroizeOnDrop};

/// A secret access key or a session token.
///
/// It is overwritten when dropped, its `Debug` form shows nothing of it, and it implements no serialization.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Secret(String);

impl Secret {
    pub(crate) fn new(text: String) -> Self {
        Self(text)
    }

    /// The text itself. Whoever calls this is responsible for where the text goes.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Compares in time that depends on the lengths only, so that an answer's delay tells nothing about a token.
    pub(crate) fn matches(&self, other: &[u8]) -> bool {
        self.0.as_bytes().ct_eq(other).into()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_nothing_and_only_the_same_text_matches() {
        let secret = Secret::new("wJalrXUtnFEMI".into());
        assert_eq!(format!("{secret:?}"), "Secret(…)");
        assert!(secret.matches(b"wJalrXUtnFEMI"));
        for other in [&b""[..], b"wJalrXUtnFEM", b"wJalrXUtnFEMI ", b"WJalrXUtnFEMI"] {
            assert!(!secret.matches(other));
        }
    }
}
