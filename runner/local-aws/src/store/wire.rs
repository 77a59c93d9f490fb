//! What several requests and answers have in common on the wire: the fields that describe an object, and how listings are
//! written, with keys that XML may not be able to hold and tokens to go on with.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use s3s::dto::{CommonPrefix, ETag, EncodingType, Object, ObjectStorageClass};
use s3s::{S3Result, s3_error};

use super::listing::MAX_KEYS;
use super::records::ObjectRecord;

/// What `encoding-type=url` leaves as it is.
const LISTED_KEY: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/');

/// How keys are written in a listing: as they are, or so that XML can hold every one of them.
#[derive(Clone, Copy)]
pub(super) enum ListEncoding {
    Plain,
    Url,
}

impl ListEncoding {
    pub(super) fn of(encoding: Option<&EncodingType>) -> S3Result<Self> {
        match encoding.map(EncodingType::as_str) {
            None => Ok(Self::Plain),
            Some(EncodingType::URL) => Ok(Self::Url),
            Some(_) => Err(s3_error!(InvalidArgument, "Invalid Encoding Method specified in Request")),
        }
    }

    pub(super) fn encode(self, text: String) -> String {
        match self {
            Self::Plain => text,
            Self::Url => utf8_percent_encode(&text, LISTED_KEY).to_string(),
        }
    }

    pub(super) fn prefix(self, prefix: String) -> CommonPrefix {
        CommonPrefix { prefix: Some(self.encode(prefix)) }
    }

    pub(super) fn object(self, record: &ObjectRecord) -> Object {
        Object {
            key: Some(self.encode(record.key.clone())),
            e_tag: Some(ETag::Strong(record.content.etag.clone())),
            last_modified: Some(record.last_modified.timestamp()),
            size: i64::try_from(record.content.size).ok(),
            storage_class: Some(ObjectStorageClass::from_static(ObjectStorageClass::STANDARD)),
            ..Default::default()
        }
    }
}

/// How many entries a page may have: what the client wants, at most what S3 gives.
pub(super) fn max_keys(asked: Option<i32>) -> S3Result<i32> {
    match asked {
        Some(asked) if asked < 0 => {
            Err(s3_error!(InvalidArgument, "Argument maxKeys must be an integer between 0 and 2147483647"))
        }
        asked => Ok(asked.unwrap_or(MAX_KEYS).min(MAX_KEYS)),
    }
}

/// A continuation token: opaque to clients, so that none of them begins to rely on its being a key.
pub(super) fn token_of_key(key: &str) -> String {
    format!("1{}", crate::sigv4::to_hex(key.as_bytes()))
}

pub(super) fn key_of_token(token: &str) -> S3Result<String> {
    let decode = || {
        let digits = token.strip_prefix('1').filter(|digits| digits.is_ascii() && digits.len().is_multiple_of(2))?;
        let bytes: Option<Vec<u8>> = digits
            .as_bytes()
            .chunks(2)
            .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
            .collect();
        String::from_utf8(bytes?).ok()
    };
    decode().ok_or_else(|| s3_error!(InvalidArgument, "The continuation token provided is incorrect"))
}

/// What a request says about the object that it makes. The inputs of several operations have these fields in common, but no
/// type.
macro_rules! attributes {
    ($input:ident) => {
        $crate::store::records::Attributes {
            cache_control: $input.cache_control,
            content_disposition: $input.content_disposition,
            content_encoding: $crate::store::wire::without_aws_chunked($input.content_encoding),
            content_language: $input.content_language,
            content_type: $input.content_type,
            metadata: $input.metadata.unwrap_or_default().into_iter().collect(),
        }
    };
}
pub(super) use attributes;

/// What a request says about its body.
macro_rules! claims {
    ($input:ident, $req:ident) => {
        $crate::store::content::Claims {
            md5: $input.content_md5,
            checksums: $crate::store::records::Checksums {
                crc32: $input.checksum_crc32,
                crc32c: $input.checksum_crc32c,
                crc64nvme: $input.checksum_crc64nvme,
                sha1: $input.checksum_sha1,
                sha256: $input.checksum_sha256,
            },
            trailers: $crate::store::wire::header(&$req.headers, "x-amz-trailer").zip($req.trailing_headers),
            length: $input.content_length,
        }
    };
}
pub(super) use claims;

/// `aws-chunked` says how a body was framed on its way, which is over once it is stored.
pub(super) fn without_aws_chunked(encoding: Option<String>) -> Option<String> {
    let rest: Vec<String> = encoding?
        .split(',')
        .map(|coding| coding.trim().to_owned())
        .filter(|coding| !coding.is_empty() && !coding.eq_ignore_ascii_case("aws-chunked"))
        .collect();
    (!rest.is_empty()).then(|| rest.join(","))
}

pub(super) fn header(headers: &http::HeaderMap, name: &str) -> Option<String> {
    headers.get(name)?.to_str().ok().map(Into::into)
}
