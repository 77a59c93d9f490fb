//! The form of what the cache keeps.
//!
//! An entry is compiled code as wasmtime serializes it, so that it can be mapped as it is, and after that a trailer:
//! mark, kind, image, engine, the code's length, and a checksum of all the rest. A stamp is a file's stamp, the image
//! that it was found to hold, and a checksum.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use crc_fast::{CrcAlgorithm, Digest};
use sha2::Digest as _;

use crate::engine::MAX_CODE_BYTES;
use crate::engine::compile::EngineKey;
use crate::engine::image::{ImageId, ImageKind};
use crate::engine::images::source::Stamp;

/// How names of entries end.
pub(super) const CODE: &str = ".cwasm";
/// How names of stamps end.
pub(super) const STAMP: &str = ".stamp";

const MARK: [u8; 8] = *b"RBXCODE1";

/// How much of an entry is read at once, in bytes: it stays in the processor's cache.
const CHUNK: usize = 256 << 10;

const WHOLE: &str = "it is not whole";

pub(super) fn name(image: &ImageId, engine: &EngineKey) -> String {
    format!("{image}-{engine}{CODE}")
}

pub(super) fn stamp_name(stamp: &Stamp) -> String {
    let digest: [u8; 32] = sha2::Sha256::digest(stamp.bytes()).into();
    format!("{}{STAMP}", ImageId(digest))
}

/// What stands after the code.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Trailer {
    kind: ImageKind,
    image: ImageId,
    engine: [u8; EngineKey::BYTES],
    code: u64,
    checksum: u64,
}

impl Trailer {
    const BYTES: usize = Self::CHECKED + 8;
    /// Without the checksum.
    const CHECKED: usize = 8 + 1 + 32 + EngineKey::BYTES + 8;

    pub(super) fn new(image: &ImageId, engine: &EngineKey, kind: ImageKind, code: &[u8]) -> Self {
        let length = u64::try_from(code.len()).unwrap_or(u64::MAX);
        let mut trailer = Self { kind, image: *image, engine: *engine.bytes(), code: length, checksum: 0 };
        let mut checksum = checksum();
        checksum.update(code);
        checksum.update(&trailer.checked());
        trailer.checksum = checksum.finalize();
        trailer
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        let mut bytes = self.checked();
        bytes.extend(self.checksum.to_le_bytes());
        bytes
    }

    fn checked(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(Self::BYTES);
        bytes.extend(MARK);
        bytes.push(match self.kind {
            ImageKind::Component => 1,
            ImageKind::Module => 2,
        });
        bytes.extend(self.image.0);
        bytes.extend(self.engine);
        bytes.extend(self.code.to_le_bytes());
        bytes
    }

    fn decode(bytes: &[u8; Self::BYTES]) -> Option<Self> {
        let mut rest = bytes.as_slice();
        if take(&mut rest)? != MARK {
            return None;
        }
        Some(Self {
            kind: match take(&mut rest)? {
                [1] => ImageKind::Component,
                [2] => ImageKind::Module,
                _ => return None,
            },
            image: ImageId(take(&mut rest)?),
            engine: take(&mut rest)?,
            code: u64::from_le_bytes(take(&mut rest)?),
            checksum: u64::from_le_bytes(take(&mut rest)?),
        })
    }
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (taken, left) = rest.split_first_chunk()?;
    *rest = left;
    Some(*taken)
}

fn checksum() -> Digest {
    Digest::new(CrcAlgorithm::Crc64Nvme)
}

/// Whether `file` is the whole entry for this image and engine, and of which kind; else what is wrong with it.
pub(super) fn check(file: &File, image: &ImageId, engine: &EngineKey) -> Result<ImageKind, String> {
    let read = |error: io::Error| format!("it cannot be read: {error}");
    let size = file.metadata().map_err(read)?.len();
    let code = size.checked_sub(Trailer::BYTES as u64).ok_or(WHOLE)?;
    let mut trailer = [0; Trailer::BYTES];
    file.read_exact_at(&mut trailer, code).map_err(read)?;
    let trailer = Trailer::decode(&trailer).ok_or(WHOLE)?;
    if trailer.code != code || code > MAX_CODE_BYTES {
        return Err(WHOLE.to_owned());
    }
    if trailer.image != *image || trailer.engine != *engine.bytes() {
        return Err("it is another image's or another engine's".to_owned());
    }
    let mut checksum = checksum();
    let mut chunk = vec![0; CHUNK];
    let mut offset = 0;
    while offset < code {
        let length = usize::try_from(code - offset).unwrap_or(CHUNK).min(CHUNK);
        let chunk = chunk.get_mut(..length).ok_or(WHOLE)?;
        file.read_exact_at(chunk, offset).map_err(read)?;
        checksum.update(chunk);
        offset += length as u64;
    }
    checksum.update(&trailer.checked());
    if checksum.finalize() == trailer.checksum { Ok(trailer.kind) } else { Err("its checksum is wrong".to_owned()) }
}

/// What a file says that remembers a stamp's image.
pub(super) fn stamp_content(stamp: &Stamp, image: &ImageId) -> Vec<u8> {
    let mut content = stamp.bytes().to_vec();
    content.extend(image.0);
    let mut sum = checksum();
    sum.update(&content);
    content.extend(sum.finalize().to_le_bytes());
    content
}

/// The image, if the file says just this stamp.
pub(super) fn read_stamp(file: &File, stamp: &Stamp) -> Option<ImageId> {
    let mut content = [0; Stamp::BYTES + 32 + 8];
    if file.metadata().ok()?.len() != content.len() as u64 {
        return None;
    }
    file.read_exact_at(&mut content, 0).ok()?;
    let image = ImageId(content.get(Stamp::BYTES..)?.first_chunk().copied()?);
    (stamp_content(stamp, &image) == content).then_some(image)
}
