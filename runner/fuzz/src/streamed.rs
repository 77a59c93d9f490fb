//! What holds of every body that is read piece by piece.

use arbitrary::Arbitrary;
use bytes::Bytes;
use rolebox_aws_request::{Call, CallerScope, Payload, StreamedBody, parse, parse_streamed};

/// What the headers say of a body.
#[derive(Arbitrary, Debug)]
pub struct Head {
    /// The length that is announced; of the frame's content where there is one.
    length: u16,
    framed: bool,
    /// One of the checksums, in the trailer of a frame, else in a header with this value.
    checksum: Option<(u8, String)>,
    md5: Option<String>,
}

const CHECKSUMS: [&str; 10] =
    ["crc32", "crc32c", "crc64nvme", "md5", "sha1", "sha256", "sha512", "xxhash64", "xxhash3", "xxhash128"];

/// Reads `body` at once and in the pieces that `cuts` make of it, and compares what comes of both, and of the same request
/// held whole.
pub fn check(head: &Head, body: &[u8], cuts: &[u16]) {
    let Some(call) = call(head) else { return };
    let scope = CallerScope {
        account: "123456789012".parse().unwrap(),
        partition: "aws".into(),
        region: "us-east-1".parse().unwrap(),
    };
    let Ok(operation) = parse_streamed(&call, &scope) else { return };
    let Payload::Streamed(stream) = operation.payload else { panic!("it is streamed") };
    let at_once = read(&stream, &[body]);
    let (mut pieces, mut rest) = (Vec::new(), body);
    for cut in cuts {
        let (piece, after) = rest.split_at(usize::from(*cut).min(rest.len()));
        pieces.push(piece);
        rest = after;
    }
    pieces.push(rest);
    let in_pieces = read(&stream, &pieces);
    assert_eq!(at_once, in_pieces);
    let Ok((data, _)) = at_once else { return };
    assert_eq!(data.len() as u64, stream.length());
    // Held whole, it is the same body. What a header says of a checksum is the service's to compare then.
    let call = Call { body: Bytes::copy_from_slice(body), ..call };
    let whole = parse(&call, &scope).expect("what is read piece by piece is read whole");
    assert_eq!(whole.payload.whole().expect("it is held"), &data);
}

fn call(head: &Head) -> Option<Call> {
    let mut headers = Vec::new();
    let mut add = |name: String, value: &str| headers.push((name, value.as_bytes().to_vec()));
    if head.framed {
        add("content-encoding".into(), "aws-chunked");
        add("x-amz-decoded-content-length".into(), &head.length.to_string());
    } else {
        add("content-length".into(), &head.length.to_string());
    }
    if let Some((index, value)) = &head.checksum {
        let name = format!("x-amz-checksum-{}", CHECKSUMS[usize::from(*index) % CHECKSUMS.len()]);
        if head.framed { add("x-amz-trailer".into(), &name) } else { add(name, value) }
    }
    if let Some(md5) = &head.md5 {
        add("content-md5".into(), md5);
    }
    Some(Call {
        service: "s3".into(),
        region: None,
        method: "PUT".into(),
        path: "/bucket/key".into(),
        query: Vec::new(),
        headers,
        body: Bytes::new(),
    })
}

/// The data and the checksums of a body, or that it was refused: why may differ with where the pieces end.
fn read(stream: &StreamedBody, pieces: &[&[u8]]) -> Result<(Vec<u8>, Vec<(String, String)>), ()> {
    let (mut reader, mut data) = (stream.reader(), Vec::new());
    for piece in pieces {
        reader.push(Bytes::copy_from_slice(piece), |piece| data.extend_from_slice(&piece)).map_err(drop)?;
    }
    Ok((data, reader.finish().map_err(drop)?))
}
