//! Unpredictable text: key ids, secrets and tokens.

use sha2::{Digest, Sha256};
use uuid::Uuid;
use zeroize::Zeroizing;

/// The alphabet of the part of an access key id that follows its four-letter prefix.
const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
/// The alphabet of secret access keys and session tokens.
const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// 32 bytes from the operating system's generator. Each version 4 UUID holds 122 random bits, so four of them hold more
/// than the digest.
fn block() -> Zeroizing<[u8; 32]> {
    let mut digest = Sha256::new();
    for _ in 0..4 {
        digest.update(Uuid::new_v4().as_bytes());
    }
    Zeroizing::new(digest.finalize().into())
}

fn text(alphabet: &[u8], length: usize) -> String {
    // Both alphabets have a power of two of letters, so the remainder is not biased.
    let mut text = String::with_capacity(length);
    while text.len() < length {
        let wanted = length - text.len();
        text.extend(block().iter().take(wanted).map(|byte| char::from(alphabet[usize::from(*byte) % alphabet.len()])));
    }
    text
}

/// An identifier of AWS's form: a four-letter prefix such as `ASIA`, then sixteen letters and digits.
pub(crate) fn identifier(prefix: &str) -> String {
    format!("{prefix}{}", text(BASE32, 16))
}

/// `length` letters of the base64 alphabet.
pub(crate) fn secret_text(length: usize) -> String {
    text(BASE64, length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_are_those_of_aws_and_differ_each_time() {
        let id = identifier("ASIA");
        assert_eq!(id.len(), 20);
        assert!(id.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit()));
        assert_ne!(id, identifier("ASIA"));
        assert_eq!(secret_text(40).len(), 40);
        assert_ne!(secret_text(40), secret_text(40));
    }
}
