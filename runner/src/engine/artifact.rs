//! Artifacts: compiled code that bears the signature of an operator's key, for machines that compile nothing.
//!
//! Code that is run as it comes has the host's own rights, so who made it is all that can be asked of it. An artifact is
//! therefore a head, which says what the code is for and bears an Ed25519 signature
//! ([RFC 8032](https://www.rfc-editor.org/rfc/rfc8032)) over all that it says, and the code, whose hash is in the head.
//! Numbers are little-endian:
//!
//! | bytes | what |
//! |---|---|
//! | 8 | the mark: `89 52 42 58 41 0d 0a 1a`, such that no image begins so and a transfer as text would break it |
//! | 2 | the version of this format: 1 |
//! | 1 | the kind of image: 1 a component, 2 a core module |
//! | 1 | the length of the next field |
//! | n | the engine that it is for, as text: wasmtime's major version, architecture, system, settings |
//! | 32 | SHA-256 of the image |
//! | 32 | the public key that the signature is to be checked with, if it is one that the operator accepts |
//! | 8 | the length of the code |
//! | 32 | SHA-256 of the code |
//! | 64 | the signature over `rolebox artifact` and a NUL, and all of the head before it |
//! | … | the code, as wasmtime serializes it, to the end of the file |
//!
//! An artifact is known by its mark, not by its name. It is read into memory whole before it is checked, and what was
//! checked is what is loaded: a mapped file could be changed by whoever may write it after it was found to be good. That
//! costs the pages that processes with one cache entry would share, which matters least where artifacts are for.
//!
//! Absent: expiry and revocation of keys. An operator who no longer trusts one stops naming it.

mod key;
#[cfg(feature = "compiler")]
mod make;

use std::fs::File;
use std::io::Read;
use std::path::Path;

use sha2::{Digest, Sha256};

#[cfg(feature = "compiler")]
pub use self::key::SigningKey;
pub use self::key::{ArtifactKey, KeyError};
#[cfg(feature = "compiler")]
pub use self::make::{Machines, make_artifact};
use super::image::{ImageKind, ImageProblem};
use super::{MAX_CODE_BYTES, code_description};

const MARK: [u8; 8] = [0x89, b'R', b'B', b'X', b'A', b'\r', b'\n', 0x1a];
const VERSION: u16 = 1;
/// What is signed begins with this, so that no signature made for anything else fits.
const CONTEXT: &[u8] = b"rolebox artifact\0";

/// Bytes before the engine's text, its length included.
const BEFORE_ENGINE: usize = 8 + 2 + 1 + 1;
/// Bytes after it that are signed.
const AFTER_ENGINE: usize = 32 + 32 + 8 + 32;
const SIGNATURE: usize = 64;

/// The largest artifact that is read, in bytes.
pub(super) const MAX_ARTIFACT_BYTES: u64 =
    MAX_CODE_BYTES + (BEFORE_ENGINE + u8::MAX as usize + AFTER_ENGINE + SIGNATURE) as u64;

/// Whether the file begins as an artifact does. What cannot be read does not.
#[must_use]
pub fn is_artifact(file: &Path) -> bool {
    let mut mark = [0; MARK.len()];
    // A pipe could be read only once.
    let is_file = file.metadata().is_ok_and(|metadata| metadata.is_file());
    is_file && File::open(file).and_then(|mut file| file.read_exact(&mut mark)).is_ok() && mark == MARK
}

/// Why an artifact is not run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ArtifactError {
    /// The file ends before the artifact does.
    #[error("it is cut short; copy or make it again")]
    Truncated,
    /// There is more in the file than the artifact.
    #[error("{0} bytes follow its end; copy or make it again")]
    Trailing(u64),
    /// A later version of this format, or none.
    #[error("its format is version {0}, and this rolebox reads version {VERSION}; make it again with this version")]
    Version(u16),
    /// The head says what no head does.
    #[error("its head is malformed; copy or make it again")]
    Malformed,
    /// The operator accepts no artifacts.
    #[error(
        "no key is accepted, and it is signed with {0}; `RunnerSettings::accept_artifacts` or `--artifact-key` accepts one"
    )]
    NoKeys(Box<ArtifactKey>),
    /// It is signed, or says so, with a key that the operator does not accept.
    #[error("it is signed with {0}, which is not a key that is accepted; name that one if you trust its owner")]
    OtherKey(Box<ArtifactKey>),
    /// Its head is not what the key signed.
    #[error("its signature is not that of its key over its head; it was altered, or signed by somebody else")]
    Signature,
    /// Its code is not what the key signed.
    #[error("its code is not what was signed; it was altered")]
    Code,
    /// It is for another version, machine or settings.
    #[error("it is for {made_for:?}, and this is {here:?}; make it again with this version of rolebox")]
    OtherEngine {
        /// What it says.
        made_for: String,
        /// What it would have to say.
        here: String,
    },
    /// wasmtime does not load the code: it is of the other kind, or for a processor that this machine has not.
    #[error("wasmtime does not load it: {0}; make it again for this machine")]
    NotLoaded(String),
}

/// What an artifact says of its code.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Head {
    kind: ImageKind,
    engine: String,
    image: [u8; 32],
    key: [u8; 32],
    code: u64,
    code_hash: [u8; 32],
}

/// An artifact that bears the signature of an accepted key over just this code for just this engine.
pub(super) struct Artifact {
    kind: ImageKind,
    code: Vec<u8>,
}

impl Artifact {
    /// Checks all that can be checked without running it.
    ///
    /// # Errors
    ///
    /// [`ArtifactError`]: what is wrong with the head first, then whether it may be believed, then what it says.
    pub(super) fn verify(mut artifact: Vec<u8>, accepted: &[ArtifactKey]) -> Result<Self, ArtifactError> {
        let length = head_length(&artifact)?;
        let (bytes, code) = artifact.split_at_checked(length).ok_or(ArtifactError::Truncated)?;
        let (signed, signature) = bytes.split_last_chunk::<SIGNATURE>().ok_or(ArtifactError::Truncated)?;
        let head = Head::decode(signed).ok_or(ArtifactError::Malformed)?;
        let key = ArtifactKey::from_bytes(&head.key).ok_or(ArtifactError::Malformed)?;
        if accepted.is_empty() {
            return Err(ArtifactError::NoKeys(Box::new(key)));
        }
        if !accepted.contains(&key) {
            return Err(ArtifactError::OtherKey(Box::new(key)));
        }
        if !key.has_signed(&message(signed), signature) {
            return Err(ArtifactError::Signature);
        }
        let here = code_description();
        if head.engine != here {
            return Err(ArtifactError::OtherEngine { made_for: head.engine, here });
        }
        match u64::try_from(code.len()).unwrap_or(u64::MAX).checked_sub(head.code) {
            None => return Err(ArtifactError::Truncated),
            Some(0) => {}
            Some(more) => return Err(ArtifactError::Trailing(more)),
        }
        if <[u8; 32]>::from(Sha256::digest(code)) != head.code_hash {
            return Err(ArtifactError::Code);
        }
        artifact.drain(..length);
        Ok(Self { kind: head.kind, code: artifact })
    }

    pub(super) fn kind(&self) -> ImageKind {
        self.kind
    }

    pub(super) fn into_code(self) -> Vec<u8> {
        self.code
    }
}

/// The head of the artifact that the file begins with, its signature included; `None` when it is no artifact.
pub(super) fn head(file: &mut File) -> Result<Option<Vec<u8>>, ImageProblem> {
    let mut head = Vec::new();
    let most = BEFORE_ENGINE + usize::from(u8::MAX) + AFTER_ENGINE + SIGNATURE;
    file.take(most as u64).read_to_end(&mut head)?;
    if !head.starts_with(&MARK) {
        return Ok(None);
    }
    let length = head_length(&head)?;
    if head.len() < length {
        return Err(ArtifactError::Truncated.into());
    }
    head.truncate(length);
    Ok(Some(head))
}

/// How long the head is that `artifact` begins with.
fn head_length(artifact: &[u8]) -> Result<usize, ArtifactError> {
    let before = artifact.first_chunk::<BEFORE_ENGINE>().ok_or(ArtifactError::Truncated)?;
    let (mark, rest) = before.split_at(MARK.len());
    let [low, high, _kind, engine] = *rest else { return Err(ArtifactError::Malformed) };
    let version = u16::from_le_bytes([low, high]);
    if mark != MARK {
        Err(ArtifactError::Malformed)
    } else if version != VERSION {
        Err(ArtifactError::Version(version))
    } else {
        Ok(BEFORE_ENGINE + usize::from(engine) + AFTER_ENGINE + SIGNATURE)
    }
}

fn message(signed: &[u8]) -> Vec<u8> {
    [CONTEXT, signed].concat()
}

impl Head {
    #[cfg(feature = "compiler")]
    fn encode(&self) -> Vec<u8> {
        // The description is this crate's own and short.
        let length = u8::try_from(self.engine.len()).unwrap_or(u8::MAX);
        let mut bytes = MARK.to_vec();
        bytes.extend(VERSION.to_le_bytes());
        bytes.push(match self.kind {
            ImageKind::Component => 1,
            ImageKind::Module => 2,
        });
        bytes.push(length);
        bytes.extend(self.engine.bytes().take(usize::from(length)));
        bytes.extend(self.image);
        bytes.extend(self.key);
        bytes.extend(self.code.to_le_bytes());
        bytes.extend(self.code_hash);
        bytes
    }

    /// What the signed bytes say, whose length [`head_length`] has told.
    fn decode(signed: &[u8]) -> Option<Self> {
        let (before, rest) = signed.split_at_checked(BEFORE_ENGINE)?;
        let (engine, mut rest) = rest.split_at_checked(rest.len().checked_sub(AFTER_ENGINE)?)?;
        Some(Self {
            kind: match before.get(10)? {
                1 => ImageKind::Component,
                2 => ImageKind::Module,
                _ => return None,
            },
            engine: std::str::from_utf8(engine).ok()?.to_owned(),
            image: take(&mut rest)?,
            key: take(&mut rest)?,
            code: u64::from_le_bytes(take(&mut rest)?),
            code_hash: take(&mut rest)?,
        })
    }
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (taken, left) = rest.split_first_chunk()?;
    *rest = left;
    Some(*taken)
}

#[cfg(all(test, feature = "compiler"))]
mod tests;
