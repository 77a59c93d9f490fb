//! Bodies that are sent while they come in: which are, and what they are held to on the way.

use bytes::Bytes;
use proptest::prelude::*;
use rolebox_aws_request::{Call, Operation, Payload, Refusal, RefusalKind, StreamedBody, host, parse_streamed};

use crate::common::scope;

const OBJECT: &str = "https://s3.us-east-1.amazonaws.com/bucket/k";

fn head(method: &str, url: &str, headers: &[(&str, &str)]) -> Result<Operation, Refusal> {
    let rest = url.strip_prefix("https://").expect("a URL");
    let (authority, target) = rest.split_at(rest.find('/').expect("a path"));
    let Ok(host::Host::Aws(host)) = host::classify(authority) else { panic!("{authority} is AWS's") };
    let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec())).collect();
    parse_streamed(&Call::from_wire(&host, method, target, headers, Bytes::new())?, &scope())
}

fn body(headers: &[(&str, &str)]) -> Result<StreamedBody, Refusal> {
    match head("PUT", OBJECT, headers)?.payload {
        Payload::Streamed(body) => Ok(body),
        Payload::Whole(_) => panic!("it is streamed"),
    }
}

/// A body's data, and the checksums at its end.
type Read = (Vec<u8>, Vec<(String, String)>);

/// What is read of a body that comes in these pieces, and the checksums at its end.
fn read(body: &StreamedBody, pieces: &[&[u8]]) -> Result<Read, Refusal> {
    let (mut reader, mut data) = (body.reader(), Vec::new());
    for piece in pieces {
        reader.push(Bytes::copy_from_slice(piece), |piece| data.extend_from_slice(&piece))?;
    }
    Ok((data, reader.finish()?))
}

/// More than any header holds.
static LONG: std::sync::LazyLock<String> = std::sync::LazyLock::new(|| "a".repeat(20_000));

const FRAMED: &[(&str, &str)] = &[
    ("content-encoding", "aws-chunked"),
    ("x-amz-decoded-content-length", "4"),
    ("x-amz-trailer", "x-amz-checksum-crc32"),
    ("x-amz-content-sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER"),
];

#[test]
fn only_objects_and_their_parts_are_sent_as_they_come() {
    let length: &[(&str, &str)] = &[("content-length", "99999999")];
    for (method, url) in [("PUT", OBJECT), ("PUT", "https://bucket.s3.amazonaws.com/k?partNumber=1&uploadId=u")] {
        let operation = head(method, url, length).unwrap();
        assert_eq!(operation.payload.length(), 99_999_999, "{url}");
        assert!(operation.payload.whole().is_none());
        assert!(operation.headers.iter().all(|(name, _)| name != "content-length"), "{operation:?}");
    }
    for (method, url) in [
        ("GET", OBJECT),
        ("PUT", "https://bucket.s3.amazonaws.com/?policy"),
        ("PUT", "https://bucket.s3.amazonaws.com/"),
        ("POST", "https://bucket.s3.amazonaws.com/?delete"),
        ("POST", "https://bucket.s3.amazonaws.com/k?uploadId=u"),
        ("POST", "https://dynamodb.us-east-1.amazonaws.com/"),
        ("POST", "https://lambda.us-east-1.amazonaws.com/2015-03-31/functions/f/invocations"),
        ("POST", "https://sts.amazonaws.com/"),
        ("POST", "https://iam.amazonaws.com/"),
    ] {
        assert_eq!(head(method, url, length).unwrap_err().kind(), RefusalKind::HeldWhole, "{method} {url}");
    }
    assert_eq!(head("PUT", OBJECT, &[]).unwrap_err().kind(), RefusalKind::HeldWhole, "no length");
}

#[test]
fn what_a_streamed_request_says_is_parsed_as_any_other_is() {
    for headers in [
        &[("content-length", "4"), ("x-amz-invented", "1")][..],
        &[("content-length", "+4")],
        &[("content-length", "4"), ("content-length", "4")],
        &[("content-length", "99999999999999999999999")],
        &[("content-length", "18446744073709551615")],
        &[FRAMED[0], ("x-amz-decoded-content-length", "18446744073709551615")],
        &[("content-length", "4"), ("x-amz-meta-a", LONG.as_str())],
        &[("content-length", "4"), ("transfer-encoding", "chunked")],
        &[("content-encoding", "aws-chunked")],
        &[("content-encoding", "aws-chunked"), ("x-amz-decoded-content-length", "-4")],
        &[FRAMED[0], FRAMED[1], ("x-amz-trailer", "x-amz-acl")],
        &[FRAMED[0], FRAMED[1], ("x-amz-trailer", "x-amz-checksum-crc32,x-amz-checksum-sha1")],
        &[FRAMED[0], FRAMED[1], ("x-amz-trailer", "x-amz-checksum-crc32,x-amz-checksum-crc32")],
        // A checksum is sent once, and two of them are one too many.
        &[FRAMED[0], FRAMED[1], FRAMED[2], ("x-amz-checksum-crc32", "rfPzYw==")],
        &[("content-length", "4"), ("x-amz-checksum-crc32", "rfPzYw=="), ("x-amz-checksum-sha1", "x")],
        &[("content-length", "4"), ("x-amz-copy-source", "/../secret/key")],
    ] {
        let refusal = head("PUT", OBJECT, headers).expect_err(&format!("{headers:?}"));
        assert_ne!(refusal.kind(), RefusalKind::HeldWhole, "{headers:?}");
    }
    let operation = head("PUT", OBJECT, &[("content-length", "4"), ("x-amz-acl", "public-read")]).unwrap();
    let needed: Vec<_> = operation.checks.iter().map(|check| check.action.to_string()).collect();
    assert_eq!(needed, ["s3:PutObject", "s3:PutObjectAcl"]);
}

#[test]
fn the_checksum_is_taken_out_of_the_headers_and_the_encoding_kept_apart() {
    let headers = [("content-length", "4"), ("x-amz-checksum-crc32", "rfPzYw=="), ("content-encoding", "gzip")];
    let operation = head("PUT", OBJECT, &headers).unwrap();
    assert_eq!(operation.headers, []);
    let body = body(&headers).unwrap();
    assert_eq!((body.length(), body.checksum_header()), (4, Some("x-amz-checksum-crc32")));
    assert_eq!(body.content_encoding(), Some("gzip"));
    let found = vec![("x-amz-checksum-crc32".to_owned(), "rfPzYw==".to_owned())];
    assert_eq!(read(&body, &[b"da", b"", b"ta"]).unwrap(), (b"data".to_vec(), found));
}

#[test]
fn a_body_is_held_to_its_length_and_its_checksums() {
    let plain: &[(&str, &str)] = &[("content-length", "4")];
    let wrong_crc: &[(&str, &str)] = &[("content-length", "4"), ("x-amz-checksum-crc32", "AAAAAA==")];
    let wrong_md5: &[(&str, &str)] = &[("content-length", "4"), ("content-md5", "AAAAAAAAAAAAAAAAAAAAAA==")];
    let right_md5: &[(&str, &str)] = &[("content-length", "4"), ("content-md5", "jXd/OF0900fxKXJ47mMaIA==")];
    for (headers, pieces, refused) in [
        (plain, &[&b"data"[..]][..], None),
        (plain, &[b"dat"], Some("has 3")),
        (plain, &[b"data", b"!"], Some("has more")),
        (wrong_crc, &[b"data"], Some("rfPzYw==")),
        (wrong_md5, &[b"data"], Some("content-md5")),
        (right_md5, &[b"wrong"], Some("has more")),
        (FRAMED, &[b"4\r\ndata\r\n0\r\nx-amz-checksum-crc32:rfPzYw==\r\n\r\n"], None),
        (FRAMED, &[b"4\r\ndata\r\n0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n"], Some("rfPzYw==")),
        (FRAMED, &[b"4\r\ndata\r\n0\r\n\r\n"], Some("missing")),
        (FRAMED, &[b"3\r\ndat\r\n0\r\nx-amz-checksum-crc32:rfPzYw==\r\n\r\n"], Some("has 3")),
        (FRAMED, &[b"5\r\ndata!\r\n0\r\n"], Some("has more")),
        (FRAMED, &[b"4\r\ndata\r\n0\r\nx-amz-checksum-crc32:rfPzYw==\r\n"], Some("does not end")),
        (FRAMED, &[b"4\r\nda"], Some("within a chunk")),
        (FRAMED, &[b"4\r\ndata!\r\n"], Some("longer than its size")),
        (FRAMED, &[b"4\r\ndata\r\n0\r\nx-amz-checksum-crc32:rfPzYw==\r\n\r\n", b"4"], Some("follows its end")),
        (FRAMED, &[&[b'0'; 600]], Some("does not end")),
        (FRAMED, &[b"4;x=y\r\n"], Some("extension")),
        (FRAMED, &[b"4\n"], Some("CR LF")),
    ] {
        let outcome = read(&body(headers).unwrap(), pieces);
        match (refused, outcome) {
            (None, Ok((data, _))) => assert_eq!(data, b"data"),
            (Some(part), Err(refusal)) => {
                assert!(refusal.to_string().contains(part), "{headers:?} {pieces:?}: {refusal}");
                assert_eq!(refusal.kind(), RefusalKind::Malformed);
            }
            (refused, outcome) => panic!("{headers:?} {pieces:?}: {refused:?}, {outcome:?}"),
        }
    }
}

proptest! {
    /// However a framed body is cut into chunks, and these into pieces, what is read is the body.
    #[test]
    fn cuts_change_nothing(
        data in proptest::collection::vec(any::<u8>(), 0..2_000),
        chunks in 1..700_usize,
        pieces in 1..300_usize,
    ) {
        let mut framed = Vec::new();
        for chunk in data.chunks(chunks) {
            framed.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
            framed.extend_from_slice(chunk);
            framed.extend_from_slice(b"\r\n");
        }
        framed.extend_from_slice(b"0\r\n\r\n");
        let length = data.len().to_string();
        let body = body(&[FRAMED[0], ("x-amz-decoded-content-length", &length)]).unwrap();
        let pieces: Vec<&[u8]> = framed.chunks(pieces).collect();
        prop_assert_eq!(read(&body, &pieces).unwrap().0, data);
    }
}
