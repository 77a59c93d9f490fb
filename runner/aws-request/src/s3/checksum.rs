//! The checksums that S3 takes with a body, each by the header that carries it.
//!
//! Source: "Checking object integrity", Amazon S3 User Guide (checking-object-integrity-upload.html). A CRC is sent with
//! its most significant byte first, an xxHash in its canonical form, which is the same, with the seed 0.

use std::hash::Hasher as _;

use crc_fast::CrcAlgorithm;
use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha512};
use twox_hash::{XxHash3_64, XxHash3_128, XxHash64};

use crate::wire::digest::base64;

/// What the names of checksum headers begin with.
const PREFIX: &str = "x-amz-checksum-";

/// A checksum that is being made.
pub(super) enum Checksum {
    Crc32(crc_fast::Digest),
    Crc64(crc_fast::Digest),
    Md5(Md5),
    Sha1(Sha1),
    Sha256(Sha256),
    Sha512(Sha512),
    XxHash64(XxHash64),
    XxHash3(Box<XxHash3_64>),
    XxHash128(Box<XxHash3_128>),
}

impl std::fmt::Debug for Checksum {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Checksum")
    }
}

impl Checksum {
    /// The checksum that this header (in lower case) carries; `None` for a header that carries none.
    pub(super) fn of_header(name: &str) -> Option<Self> {
        Some(match name.strip_prefix(PREFIX)? {
            "crc32" => Self::Crc32(crc_fast::Digest::new(CrcAlgorithm::Crc32IsoHdlc)),
            "crc32c" => Self::Crc32(crc_fast::Digest::new(CrcAlgorithm::Crc32Iscsi)),
            "crc64nvme" => Self::Crc64(crc_fast::Digest::new(CrcAlgorithm::Crc64Nvme)),
            "md5" => Self::md5(),
            "sha1" => Self::Sha1(Sha1::new()),
            "sha256" => Self::Sha256(Sha256::new()),
            "sha512" => Self::Sha512(Sha512::new()),
            "xxhash64" => Self::XxHash64(XxHash64::with_seed(0)),
            "xxhash3" => Self::XxHash3(Box::new(XxHash3_64::new())),
            "xxhash128" => Self::XxHash128(Box::new(XxHash3_128::new())),
            _ => return None,
        })
    }

    /// What `content-md5` carries.
    pub(super) fn md5() -> Self {
        Self::Md5(Md5::new())
    }

    /// Takes the next bytes of the body.
    pub(super) fn update(&mut self, data: &[u8]) {
        match self {
            Self::Crc32(digest) | Self::Crc64(digest) => digest.update(data),
            Self::Md5(digest) => digest.update(data),
            Self::Sha1(digest) => digest.update(data),
            Self::Sha256(digest) => digest.update(data),
            Self::Sha512(digest) => digest.update(data),
            Self::XxHash64(hash) => hash.write(data),
            Self::XxHash3(hash) => hash.write(data),
            Self::XxHash128(hash) => hash.write(data),
        }
    }

    /// The checksum in Base64, as its header has it.
    pub(super) fn finish(self) -> String {
        match self {
            // The library gives every CRC in 64 bits, of which a CRC of 32 fills the lower half.
            Self::Crc32(digest) => base64(&digest.finalize().to_be_bytes()[4..]),
            Self::Crc64(digest) => base64(&digest.finalize().to_be_bytes()),
            Self::Md5(digest) => base64(&digest.finalize()),
            Self::Sha1(digest) => base64(&digest.finalize()),
            Self::Sha256(digest) => base64(&digest.finalize()),
            Self::Sha512(digest) => base64(&digest.finalize()),
            Self::XxHash64(hash) => base64(&hash.finish().to_be_bytes()),
            Self::XxHash3(hash) => base64(&hash.finish().to_be_bytes()),
            Self::XxHash128(hash) => base64(&hash.finish_128().to_be_bytes()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::s3::families::CHECKSUMS;

    #[test]
    fn every_checksum_that_is_taken_can_be_made() {
        for name in CHECKSUMS.names {
            assert!(Checksum::of_header(name).is_some(), "{name}");
        }
        assert!(Checksum::of_header("x-amz-checksum-type").is_none());
        assert!(Checksum::of_header("content-md5").is_none());
    }

    #[test]
    fn published_check_values() {
        // The check values of the catalogue of CRCs, which are of these nine digits; RFC 1321; FIPS 180-4.
        for (name, data, expected) in [
            ("x-amz-checksum-crc32", "123456789", &[0xcb, 0xf4, 0x39, 0x26][..]),
            ("x-amz-checksum-crc32c", "123456789", &[0xe3, 0x06, 0x92, 0x83]),
            ("x-amz-checksum-crc64nvme", "123456789", &[0xae, 0x8b, 0x14, 0x86, 0x0a, 0x79, 0x98, 0x88]),
            (
                "x-amz-checksum-md5",
                "abc",
                &[0x90, 0x01, 0x50, 0x98, 0x3c, 0xd2, 0x4f, 0xb0, 0xd6, 0x96, 0x3f, 0x7d, 0x28, 0xe1, 0x7f, 0x72],
            ),
            (
                "x-amz-checksum-sha1",
                "abc",
                &[
                    0xa9, 0x99, 0x3e, 0x36, 0x47, 0x06, 0x81, 0x6a, 0xba, 0x3e, 0x25, 0x71, 0x78, 0x50, 0xc2, 0x6c,
                    0x9c, 0xd0, 0xd8, 0x9d,
                ],
            ),
            ("x-amz-checksum-xxhash64", "", &[0xef, 0x46, 0xdb, 0x37, 0x51, 0xd8, 0xe9, 0x99]),
            ("x-amz-checksum-xxhash3", "", &[0x2d, 0x06, 0x80, 0x05, 0x38, 0xd3, 0x94, 0xc2]),
        ] {
            let mut checksum = Checksum::of_header(name).unwrap();
            // In pieces, as a body comes.
            let (first, second) = data.as_bytes().split_at(data.len() / 2);
            checksum.update(first);
            checksum.update(second);
            assert_eq!(checksum.finish(), base64(expected), "{name}");
        }
    }
}
