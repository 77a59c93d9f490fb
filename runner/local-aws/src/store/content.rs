//! Contents: written once, with their digests, and read in pieces.

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::body::{Body, Frame, SizeHint};
use s3s::checksum::ChecksumHasher;
use s3s::crypto::{Checksum as _, Crc32, Crc32c, Crc64Nvme, Md5, Sha1, Sha256};
use s3s::dto::StreamingBlob;
use s3s::{S3Error, S3Result, TrailingHeaders, s3_error};
use tokio::io::{AsyncRead, AsyncWriteExt, BufWriter, ReadBuf};
use uuid::Uuid;

use super::index::internal;
use super::records::{Checksums, ContentRecord};
use crate::sigv4::to_hex;

/// How much is read from a file at a time.
const PIECE: usize = 64 * 1024;

/// A content that no record names yet. Unless it is [kept](Self::keep) its file is deleted again.
#[derive(Debug)]
pub(super) struct NewContent {
    path: Option<PathBuf>,
    record: ContentRecord,
    md5: [u8; 16],
}

impl NewContent {
    /// An empty content in a bucket's `data` folder, and where its file has to be made.
    fn place(bucket: &Path) -> (Self, PathBuf) {
        let file = Uuid::new_v4().simple().to_string();
        let path = bucket.join("data").join(&file);
        let record = ContentRecord { file, size: 0, etag: String::new(), checksums: Checksums::default() };
        (Self { path: Some(path.clone()), record, md5: [0; 16] }, path)
    }

    /// As [`place`](Self::place), with the file.
    fn create(bucket: &Path) -> S3Result<(Self, File)> {
        let (content, path) = Self::place(bucket);
        let file = File::create(path).map_err(|error| not_created(&error))?;
        Ok((content, file))
    }

    pub(super) fn record(&self) -> &ContentRecord {
        &self.record
    }

    /// The file belongs to a record now.
    pub(super) fn keep(mut self) {
        self.path = None;
    }
}

impl Drop for NewContent {
    fn drop(&mut self) {
        if let Some(path) = &self.path {
            let _ = fs::remove_file(path);
        }
    }
}

/// What a client says about a content before or after sending it, all of which must hold.
#[derive(Debug, Default)]
pub(super) struct Claims {
    /// `Content-MD5`, in base64.
    pub(super) md5: Option<String>,
    pub(super) checksums: Checksums,
    /// The names in `x-amz-trailer`, and where their values arrive with the end of the body.
    pub(super) trailers: Option<(String, TrailingHeaders)>,
    /// The length that was announced.
    pub(super) length: Option<i64>,
}

/// Writes a body into a bucket's `data` folder.
pub(super) async fn receive(bucket: &Path, body: StreamingBlob, claims: Claims) -> S3Result<NewContent> {
    let (mut content, path) = NewContent::place(bucket);
    let file = tokio::fs::File::create(&path).await.map_err(|error| not_created(&error))?;

    let mut digests = ChecksumHasher::default();
    claims.prepare(&mut digests)?;
    let mut md5 = Md5::new();
    let mut file = BufWriter::with_capacity(PIECE, file);
    let mut body = s3s::Body::from(body);
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(body_error)?.into_data() else {
            continue;
        };
        md5.update(&data);
        digests.update(&data);
        content.record.size += data.len() as u64;
        file.write_all(&data).await.map_err(|error| internal(&error))?;
    }
    file.flush().await.map_err(|error| internal(&error))?;

    if claims.length.is_some_and(|length| u64::try_from(length) != Ok(content.record.size)) {
        return Err(s3_error!(
            IncompleteBody,
            "You did not provide the number of bytes specified by the Content-Length HTTP header"
        ));
    }
    content.md5 = md5.finalize();
    content.record.etag = to_hex(&content.md5);
    content.record.checksums = from_dto(digests.finalize());
    claims.check(&content)?;
    Ok(content)
}

/// Makes one content of several, in a bucket's `data` folder. Its ETag is that of a multipart upload.
pub(super) fn concatenate(bucket: &Path, parts: &[ContentRecord]) -> S3Result<NewContent> {
    let (mut content, mut output) = NewContent::create(bucket)?;
    let mut md5s = Md5::new();
    for part in parts {
        let mut input = File::open(bucket.join("data").join(&part.file)).map_err(|error| internal(&error))?;
        content.record.size += io::copy(&mut input, &mut output).map_err(|error| internal(&error))?;
        let md5: Vec<u8> = part
            .etag
            .as_bytes()
            .chunks(2)
            .filter_map(|digits| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok())
            .collect();
        md5s.update(&md5);
    }
    content.record.etag = format!("{}-{}", to_hex(&md5s.finalize()), parts.len());
    Ok(content)
}

/// Makes a content of a range of another one, which may lie in another bucket.
pub(super) fn copy(mut source: File, range: std::ops::Range<u64>, bucket: &Path) -> S3Result<NewContent> {
    let (mut content, mut output) = NewContent::create(bucket)?;
    source.seek(SeekFrom::Start(range.start)).map_err(|error| internal(&error))?;
    let mut source = source.take(range.end - range.start);
    let mut md5 = Md5::new();
    let mut piece = vec![0; PIECE];
    loop {
        let length = source.read(&mut piece).map_err(|error| internal(&error))?;
        if length == 0 {
            break;
        }
        md5.update(&piece[..length]);
        io::Write::write_all(&mut output, &piece[..length]).map_err(|error| internal(&error))?;
        content.record.size += length as u64;
    }
    content.md5 = md5.finalize();
    content.record.etag = to_hex(&content.md5);
    Ok(content)
}

/// A file's bytes as a response body.
pub(super) fn send(mut file: File, range: std::ops::Range<u64>) -> io::Result<StreamingBlob> {
    file.seek(SeekFrom::Start(range.start))?;
    let body = FileBody { file: tokio::fs::File::from_std(file), left: range.end - range.start };
    Ok(StreamingBlob::from(s3s::Body::http_body_unsync(body)))
}

struct FileBody {
    file: tokio::fs::File,
    left: u64,
}

impl Body for FileBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        if self.left == 0 {
            return Poll::Ready(None);
        }
        let wanted = usize::try_from(self.left).unwrap_or(PIECE).min(PIECE);
        let mut piece = BytesMut::zeroed(wanted);
        let mut buffer = ReadBuf::new(&mut piece);
        ready!(Pin::new(&mut self.file).poll_read(context, &mut buffer))?;
        let length = buffer.filled().len();
        if length == 0 {
            // Contents are never changed, so this is somebody else's doing.
            return Poll::Ready(Some(Err(io::ErrorKind::UnexpectedEof.into())));
        }
        piece.truncate(length);
        self.left -= length as u64;
        Poll::Ready(Some(Ok(Frame::data(piece.freeze()))))
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}

impl Claims {
    /// Switches on the checksums that have to be computed.
    fn prepare(&self, digests: &mut ChecksumHasher) -> S3Result<()> {
        let trailing = self.trailers.iter().flat_map(|(names, _)| names.split(','));
        let by_trailer = trailing.filter_map(|name| name.trim().strip_prefix("x-amz-checksum-"));
        let wanted = [
            (self.checksums.crc32.is_some(), "crc32"),
            (self.checksums.crc32c.is_some(), "crc32c"),
            (self.checksums.crc64nvme.is_some(), "crc64nvme"),
            (self.checksums.sha1.is_some(), "sha1"),
            (self.checksums.sha256.is_some(), "sha256"),
        ];
        let by_value = wanted.iter().filter(|(sent, _)| *sent).map(|(_, name)| *name);
        for name in by_trailer.chain(by_value) {
            match name.to_ascii_lowercase().as_str() {
                "crc32" => digests.crc32 = Some(Crc32::new()),
                "crc32c" => digests.crc32c = Some(Crc32c::new()),
                "crc64nvme" => digests.crc64nvme = Some(Crc64Nvme::new()),
                "sha1" => digests.sha1 = Some(Sha1::new()),
                "sha256" => digests.sha256 = Some(Sha256::new()),
                other => {
                    return Err(s3_error!(InvalidRequest, "The checksum algorithm {other} is not known"));
                }
            }
        }
        Ok(())
    }

    /// Compares what was sent in front and behind the body with what was computed.
    fn check(mut self, content: &NewContent) -> S3Result<()> {
        if let Some((_, trailers)) = self.trailers.take() {
            let headers = trailers.take().unwrap_or_default();
            let take = |slot: &mut Option<String>, name: &str| {
                if let Some(value) = headers.get(format!("x-amz-checksum-{name}")) {
                    *slot = Some(String::from_utf8_lossy(value.as_bytes()).into_owned());
                }
            };
            take(&mut self.checksums.crc32, "crc32");
            take(&mut self.checksums.crc32c, "crc32c");
            take(&mut self.checksums.crc64nvme, "crc64nvme");
            take(&mut self.checksums.sha1, "sha1");
            take(&mut self.checksums.sha256, "sha256");
        }
        let (sent, computed) = (&self.checksums, &content.record.checksums);
        let pairs = [
            (&sent.crc32, &computed.crc32, "CRC32"),
            (&sent.crc32c, &computed.crc32c, "CRC32C"),
            (&sent.crc64nvme, &computed.crc64nvme, "CRC64NVME"),
            (&sent.sha1, &computed.sha1, "SHA1"),
            (&sent.sha256, &computed.sha256, "SHA256"),
        ];
        for (sent, computed, name) in pairs {
            if sent.is_some() && sent != computed {
                return Err(s3_error!(BadDigest, "The {name} you specified did not match the calculated checksum."));
            }
        }
        if self.md5.is_some_and(|sent| sent != base64(&content.md5)) {
            return Err(s3_error!(BadDigest, "The Content-MD5 you specified did not match what we received."));
        }
        Ok(())
    }
}

/// A content's file could not be made: mostly because the bucket was deleted after the request was let in.
fn not_created(error: &io::Error) -> S3Error {
    match error.kind() {
        io::ErrorKind::NotFound => s3_error!(NoSuchBucket, "The specified bucket does not exist"),
        _ => internal(error),
    }
}

/// What went wrong while a body was read: the client's fault, whatever it is. s3s hides the kinds of its own errors, so the
/// one that has another code is told by its text.
fn body_error(error: s3s::StdError) -> S3Error {
    let text = error.to_string();
    if text.contains("SignatureMismatch") {
        return s3_error!(
            SignatureDoesNotMatch,
            "The signature of a chunk we calculated does not match the signature you provided."
        );
    }
    s3_error!(IncompleteBody, "The request body terminated unexpectedly: {text}")
}

fn from_dto(checksum: s3s::dto::Checksum) -> Checksums {
    Checksums {
        crc32: checksum.checksum_crc32,
        crc32c: checksum.checksum_crc32c,
        crc64nvme: checksum.checksum_crc64nvme,
        sha1: checksum.checksum_sha1,
        sha256: checksum.checksum_sha256,
    }
}

/// Standard base64 of an MD5.
fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let word = group.iter().fold(0u32, |word, byte| (word << 8) | u32::from(*byte)) << (8 * (3 - group.len()));
        for position in 0..4 {
            let letter = LETTERS[(word >> (18 - 6 * position)) as usize & 63];
            text.push(if position <= group.len() { char::from(letter) } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_pads_as_rfc_4648_does() {
        let cases =
            [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE=")];
        for (plain, encoded) in cases {
            assert_eq!(base64(plain.as_bytes()), encoded);
        }
    }
}
