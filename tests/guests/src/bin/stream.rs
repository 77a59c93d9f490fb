//! `stream put AUTHORITY TARGET --bytes N [OPTION…]` and `stream get AUTHORITY TARGET --bytes N [--read M]`: a body of any
//! length over `wasi:http`, in constant memory. Its bytes follow from their place alone, so what comes back is compared
//! byte by byte. Prints `status N`, then `same N` or what differs; of an error the answer's body or the code.
//!
//! Options of `put`: `--framed` (in `aws-chunked`, with a CRC32 behind it), `--wrong` (that checksum is another one),
//! `--header NAME:VALUE`, `--send M` (only so many bytes are sent, and the body is then ended), `--abort M` (as many, and it
//! is given up). `get --read M` reads so many bytes and lets go of the rest.

use std::process::ExitCode;

use rolebox_test_guests::{arguments, number};
use wasip2::http::outgoing_handler;
use wasip2::http::types::{
    Fields, FutureIncomingResponse, IncomingBody, Method, OutgoingBody, OutgoingRequest, Scheme,
};
use wasip2::io::streams::{OutputStream, StreamError};

/// What is made and compared at once, in bytes.
const PIECE: usize = 64 << 10;

#[derive(Default)]
struct Told {
    put: bool,
    authority: String,
    target: String,
    bytes: u64,
    framed: bool,
    wrong: bool,
    headers: Vec<(String, Vec<u8>)>,
    send: Option<u64>,
    abort: Option<u64>,
    read: Option<u64>,
}

fn main() -> ExitCode {
    let told = Told::read(&arguments());
    if told.run() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

impl Told {
    fn read(arguments: &[String]) -> Self {
        let [what, authority, target, options @ ..] = arguments else {
            panic!("usage: stream put|get AUTHORITY TARGET --bytes N …")
        };
        let mut told =
            Self { put: what == "put", authority: authority.clone(), target: target.clone(), ..Self::default() };
        let mut options = options.iter();
        while let Some(option) = options.next() {
            let mut count = || number(options.next(), "a number of bytes");
            match option.as_str() {
                "--framed" => told.framed = true,
                "--wrong" => told.wrong = true,
                "--bytes" => told.bytes = count(),
                "--send" => told.send = Some(count()),
                "--abort" => told.abort = Some(count()),
                "--read" => told.read = Some(count()),
                "--header" => {
                    let field = options.next().expect("NAME:VALUE");
                    let (name, value) = field.split_once(':').expect("NAME:VALUE");
                    told.headers.push((name.to_owned(), value.as_bytes().to_vec()));
                }
                _ => panic!("no option: {option}"),
            }
        }
        told
    }

    fn run(&self) -> bool {
        let mut headers = self.headers.clone();
        if self.framed {
            for (name, value) in [
                ("content-encoding", "aws-chunked"),
                ("x-amz-decoded-content-length", self.bytes.to_string().as_str()),
                ("x-amz-trailer", "x-amz-checksum-crc32"),
                ("x-amz-content-sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER"),
            ] {
                headers.push((name.to_owned(), value.as_bytes().to_vec()));
            }
        } else if self.put && self.send.is_none() && self.abort.is_none() {
            headers.push(("content-length".to_owned(), self.bytes.to_string().into_bytes()));
        }
        let request = OutgoingRequest::new(Fields::from_list(&headers).expect("the fields are well formed"));
        request.set_method(if self.put { &Method::Put } else { &Method::Get }).expect("a method");
        request.set_scheme(Some(&Scheme::Https)).expect("a scheme");
        request.set_authority(Some(&self.authority)).expect("an authority");
        request.set_path_with_query(Some(&self.target)).expect("a target");
        let body = request.body().expect("the body is taken once");
        let answer = outgoing_handler::handle(request, None).expect("the request is taken");
        if self.put {
            let stream = body.write().expect("the stream is taken once");
            let taken = self.write(&stream);
            drop(stream);
            println!("written {taken}");
            if self.abort.is_some() {
                drop(body);
                return self.answer(&answer);
            }
        }
        // A body that is not as long as it was said to be shows in the answer.
        let _ = OutgoingBody::finish(body, None);
        self.answer(&answer)
    }

    /// Writes the body; gives how many bytes of it were taken.
    fn write(&self, stream: &OutputStream) -> u64 {
        let most = self.send.or(self.abort).unwrap_or(self.bytes);
        let (mut sent, mut checksum) = (0, !0_u32);
        while sent < most {
            let length = usize::try_from(most - sent).map_or(PIECE, |left| left.min(PIECE));
            let piece = pattern(sent, length);
            if self.framed {
                checksum = piece.iter().fold(checksum, |checksum, byte| crc32(checksum, *byte));
                if !write_all(stream, format!("{length:x}\r\n").as_bytes()) {
                    return sent;
                }
            }
            if !write_all(stream, &piece) || (self.framed && !write_all(stream, b"\r\n")) {
                return sent;
            }
            sent += length as u64;
        }
        if self.framed && most == self.bytes {
            let checksum = if self.wrong { checksum } else { !checksum };
            let trailer = format!("0\r\nx-amz-checksum-crc32:{}\r\n\r\n", base64(checksum.to_be_bytes()));
            write_all(stream, trailer.as_bytes());
        }
        sent
    }

    fn answer(&self, answer: &FutureIncomingResponse) -> bool {
        answer.subscribe().block();
        let response = match answer.get() {
            Some(Ok(Ok(response))) => response,
            Some(Ok(Err(code))) => {
                println!("error {code:?}");
                return false;
            }
            Some(Err(())) | None => panic!("an answer is ready once, when it says so"),
        };
        let status = response.status();
        println!("status {status}");
        let incoming = response.consume().expect("the body is taken once");
        let stream = incoming.stream().expect("the stream is taken once");
        let (mut read, mut text, mut ended) = (0_u64, Vec::new(), None);
        while self.read.is_none_or(|most| read < most) {
            match stream.blocking_read(PIECE as u64) {
                Ok(piece) if !self.put && status < 300 => {
                    if piece != pattern(read, piece.len()) {
                        println!("differs within {} bytes of {read}", piece.len());
                        return false;
                    }
                    read += piece.len() as u64;
                }
                Ok(piece) => {
                    read += piece.len() as u64;
                    text.extend(piece);
                }
                Err(StreamError::Closed) => break,
                Err(StreamError::LastOperationFailed(error)) => {
                    ended = Some(error.to_debug_string());
                    break;
                }
            }
        }
        drop(stream);
        drop(IncomingBody::finish(incoming));
        if let Some(error) = ended {
            println!("cut after {read}: {error}");
            return false;
        }
        println!("same {read}");
        print!("{}", String::from_utf8_lossy(&text));
        status < 300
    }
}

fn write_all(stream: &OutputStream, content: &[u8]) -> bool {
    let mut rest = content;
    while !rest.is_empty() {
        stream.subscribe().block();
        let Ok(room) = stream.check_write() else { return false };
        let (now, later) = rest.split_at(rest.len().min(usize::try_from(room).unwrap_or(usize::MAX)));
        if stream.write(now).is_err() {
            return false;
        }
        rest = later;
    }
    true
}

/// The bytes of a body from `start` on.
fn pattern(start: u64, length: usize) -> Vec<u8> {
    (start..start + length as u64).map(|place| (place ^ (place >> 8) ^ (place >> 16).wrapping_mul(31)) as u8).collect()
}

/// One step of the CRC of ISO 3309, by bits: this guest is small and not fast.
fn crc32(checksum: u32, byte: u8) -> u32 {
    (0..8).fold(checksum ^ u32::from(byte), |value, _| (value >> 1) ^ (0xedb8_8320 & (value & 1).wrapping_neg()))
}

/// Four bytes in Base64.
fn base64(bytes: [u8; 4]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let bits = u64::from(u32::from_be_bytes(bytes)) << 4;
    let digits = (0..6).rev().map(|place| char::from(DIGITS[(bits >> (6 * place) & 63) as usize]));
    digits.chain(['=', '=']).collect()
}
