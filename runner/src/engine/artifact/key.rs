//! The keys of artifacts, as `openssl genpkey -algorithm ed25519` and `openssl pkey -pubout` write them.

use std::fmt;

use ed25519_dalek::pkcs8::DecodePublicKey;
use ed25519_dalek::{Signature, VerifyingKey};

/// A public key whose owner's artifacts an operator runs.
///
/// He who has its private half can run any code with the host's rights: it is as good as root on every machine that
/// accepts it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ArtifactKey(VerifyingKey);

/// A file or text holds no key that can be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The text is not an Ed25519 public key.
    #[error(
        "it is not an Ed25519 public key in PEM (`-----BEGIN PUBLIC KEY-----`): make one of a private key with `openssl \
         pkey -in private.pem -pubout`"
    )]
    NotPublic,
    /// The text is a private key, which this machine has no use for.
    #[error(
        "it is a private key, and machines that run artifacts must not have it: name the public one (`openssl pkey -in \
         private.pem -pubout`)"
    )]
    Private,
    /// The text is not an Ed25519 private key.
    #[error(
        "it is not an Ed25519 private key in PEM (`-----BEGIN PRIVATE KEY-----`), without a pass phrase: make one with \
         `openssl genpkey -algorithm ed25519`"
    )]
    NotPrivate,
    /// Others may read the private key.
    #[error("others may read it, who could then sign: `chmod 600` it")]
    Readable,
    /// The file is no file, or cannot be read or written.
    #[error("{0}")]
    File(String),
}

impl ArtifactKey {
    /// The key in a PEM text.
    ///
    /// # Errors
    ///
    /// [`KeyError::NotPublic`], and [`KeyError::Private`] for a private key.
    pub fn from_pem(text: &str) -> Result<Self, KeyError> {
        if text.contains("PRIVATE KEY-----") {
            return Err(KeyError::Private);
        }
        match VerifyingKey::from_public_key_pem(text.trim()) {
            // With a weak one a signature of anything can be had without the private half.
            Ok(key) if !key.is_weak() => Ok(Self(key)),
            _ => Err(KeyError::NotPublic),
        }
    }

    pub(super) fn from_bytes(bytes: &[u8; 32]) -> Option<Self> {
        VerifyingKey::from_bytes(bytes).ok().map(Self)
    }

    pub(super) fn has_signed(&self, message: &[u8], signature: &[u8; 64]) -> bool {
        self.0.verify_strict(message, &Signature::from_bytes(signature)).is_ok()
    }
}

impl fmt::Display for ArtifactKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ed25519:")?;
        self.0.as_bytes().iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for ArtifactKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ArtifactKey({self})")
    }
}

#[cfg(feature = "compiler")]
pub use self::signing::SigningKey;

#[cfg(feature = "compiler")]
mod signing {
    use std::fmt;
    use std::fs::OpenOptions;
    use std::io::{Read, Write};
    use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
    use std::path::Path;

    use ed25519_dalek::Signer;
    use ed25519_dalek::pkcs8::{DecodePrivateKey, EncodePrivateKey, EncodePublicKey};
    use zeroize::Zeroizing;

    use super::{ArtifactKey, KeyError};

    /// Larger files are no keys.
    const MAX_FILE: u64 = 16 << 10;

    /// The private half of an [`ArtifactKey`]. Its bytes are wiped when it is dropped.
    pub struct SigningKey(ed25519_dalek::SigningKey);

    impl SigningKey {
        /// Reads a private key in PEM, without a pass phrase, from a file that nobody but its owner may read.
        ///
        /// # Errors
        ///
        /// [`KeyError`].
        pub fn read(file: &Path) -> Result<Self, KeyError> {
            let failed = |error: std::io::Error| KeyError::File(error.to_string());
            let flags = rustix::fs::OFlags::NONBLOCK.bits().cast_signed();
            let file = OpenOptions::new().read(true).custom_flags(flags).open(file).map_err(failed)?;
            let metadata = file.metadata().map_err(failed)?;
            if !metadata.is_file() {
                return Err(KeyError::File("it is not a regular file".to_owned()));
            }
            if metadata.mode() & 0o077 != 0 {
                return Err(KeyError::Readable);
            }
            // As large as it can become, so that no copy is left behind where it grew.
            let mut text = Zeroizing::new(String::with_capacity(MAX_FILE as usize + 1));
            file.take(MAX_FILE).read_to_string(&mut text).map_err(failed)?;
            ed25519_dalek::SigningKey::from_pkcs8_pem(text.trim()).map(Self).map_err(|_| KeyError::NotPrivate)
        }

        /// Makes a new key and writes both its halves: the private one for its owner alone, and none of them over a file
        /// that is there.
        ///
        /// # Errors
        ///
        /// [`KeyError::File`].
        pub fn create(private: &Path, public: &Path) -> Result<Self, KeyError> {
            let failed = |error: &dyn fmt::Display| KeyError::File(error.to_string());
            let mut seed = Zeroizing::new([0; 32]);
            getrandom::fill(&mut *seed).map_err(|error| failed(&error))?;
            let key = ed25519_dalek::SigningKey::from_bytes(&seed);
            let line_ending = ed25519_dalek::pkcs8::spki::der::pem::LineEnding::LF;
            let pem = key.to_pkcs8_pem(line_ending).map_err(|error| failed(&error))?;
            let public_pem = key.verifying_key().to_public_key_pem(line_ending).map_err(|error| failed(&error))?;
            write_new(private, 0o600, pem.as_bytes()).map_err(|error| failed(&error))?;
            write_new(public, 0o644, public_pem.as_bytes()).map_err(|error| failed(&error))?;
            Ok(Self(key))
        }

        /// The public half.
        #[must_use]
        pub fn public(&self) -> ArtifactKey {
            ArtifactKey(self.0.verifying_key())
        }

        pub(in crate::engine::artifact) fn public_bytes(&self) -> [u8; 32] {
            self.0.verifying_key().to_bytes()
        }

        pub(in crate::engine::artifact) fn sign(&self, message: &[u8]) -> [u8; 64] {
            self.0.sign(message).to_bytes()
        }
    }

    fn write_new(path: &Path, mode: u32, content: &[u8]) -> std::io::Result<()> {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(path)?;
        file.write_all(content)?;
        file.sync_all()
    }

    impl fmt::Debug for SigningKey {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "SigningKey({})", self.public())
        }
    }
}
