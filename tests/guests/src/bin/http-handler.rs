//! A handler of incoming HTTP requests: the path says what it does, well or badly. Run as a command it prints `command`.
//!
//! - `/hello`, `/status/CODE`: a short answer. `/request`: what the handler sees of the request, a line a fact.
//! - `/count`: how many requests this instance has seen. `/echo`: the request's body, piece by piece, as it
//!   comes. `/length`: how many bytes it has. `/bytes/N`: so many bytes.
//! - `/print/TEXT`: prints a line. `/make/BUCKET`, `/put/BUCKET/KEY`: calls of S3, answered with the error's code where
//!   one fails.
//! - `/linger`: prints a line after the answer is away; `/linger/for-ever`: never returns after that.
//! - `/trap`, `/trap/late`, `/spin`, `/spin/late`, `/sleep`, `/allocate`, `/print-forever`, `/exit`: as they say, before the
//!   answer or, late, in the middle of its body.
//! - `/silent`, `/error`, `/twice`, `/unfinished`, `/short`, `/length/TEXT`, `/huge-headers`: answers that are none.

use std::io::{Read as _, Write as _};
use std::sync::atomic::{AtomicU32, Ordering};

use rolebox_guest::{Error, s3};
use wasip2::clocks::monotonic_clock;
use wasip2::exports::http::incoming_handler::Guest;
use wasip2::http::types::{
    ErrorCode, Fields, IncomingRequest, Method, OutgoingBody, OutgoingResponse, ResponseOutparam,
};
use wasip2::io::streams::{InputStream, OutputStream, StreamError};

/// The most that is read at once, in bytes.
const PIECE: u64 = 64 << 10;

wasip2::http::proxy::export!(Handler);

struct Handler;

static COUNT: AtomicU32 = AtomicU32::new(0);

fn main() {
    println!("command");
}

impl Guest for Handler {
    fn handle(request: IncomingRequest, answer: ResponseOutparam) {
        let target = request.path_with_query().unwrap_or_default();
        let path = target.split('?').next().unwrap_or_default();
        let parts: Vec<&str> = path.split('/').skip(1).collect();
        match parts.as_slice() {
            ["hello"] => text(answer, 200, "hello\n"),
            ["status", code] => text(answer, code.parse().expect("a status"), "told\n"),
            ["request"] => text(answer, 200, &described(&request)),
            ["echo"] => echo(&request, answer),
            ["count"] => text(answer, 200, &format!("{}\n", COUNT.fetch_add(1, Ordering::Relaxed) + 1)),
            ["length"] => text(answer, 200, &format!("{}\n", each_piece(&request, |_| {}))),
            ["bytes", count] => bytes(answer, count.parse().expect("a number")),
            ["print", line] => {
                println!("{line}");
                text(answer, 200, "printed\n");
            }
            ["make", bucket] => called(answer, s3::Client::new().create_bucket(bucket)),
            ["put", bucket, key] => called(answer, s3::Client::new().put_object(bucket, key, "put\n").send()),
            ["linger", rest @ ..] => {
                text(answer, 200, "away\n");
                println!("lingered");
                if rest == ["for-ever"] {
                    spin();
                }
            }
            bad => badly(bad, answer),
        }
    }
}

fn badly(path: &[&str], answer: ResponseOutparam) {
    match path {
        ["trap"] => panic!("told to"),
        ["trap", "late"] => {
            let _begun = begun(answer);
            panic!("told to");
        }
        ["spin"] => spin(),
        ["spin", "late"] => {
            let _begun = begun(answer);
            spin();
        }
        ["sleep"] => monotonic_clock::subscribe_duration(3_600_000_000_000).block(),
        ["allocate"] => allocate(),
        ["print-forever"] => loop {
            println!("{}", "x".repeat(1_000));
        },
        ["exit"] => std::process::exit(0),
        ["silent"] => drop(answer),
        ["error"] => ResponseOutparam::set(answer, Err(ErrorCode::InternalError(Some("told to".to_owned())))),
        ["twice"] => twice(answer),
        ["unfinished"] => std::mem::forget(begun(answer)),
        ["short"] => {
            let (body, mut stream) = start(answer, 200, &[("content-length", "10")]);
            write(&mut stream, b"short");
            drop(stream);
            assert!(OutgoingBody::finish(body, None).is_err());
        }
        ["length", length] => {
            let fields = Fields::new();
            fields.append("content-length", length.as_bytes()).expect("a field");
            ResponseOutparam::set(answer, Ok(OutgoingResponse::new(fields)));
        }
        ["huge-headers"] => {
            let fields = Fields::new();
            let mut count = 0;
            while fields.append(&format!("x-{count}"), &[b'x'; 1_000]).is_ok() {
                count += 1;
            }
            ResponseOutparam::set(answer, Ok(OutgoingResponse::new(fields)));
        }
        _ => text(answer, 404, "no such path\n"),
    }
}

/// Begins an answer; its body's stream is its child, so it comes first.
fn start(answer: ResponseOutparam, status: u16, headers: &[(&str, &str)]) -> (OutgoingBody, OutputStream) {
    let fields = Fields::new();
    for (name, value) in headers {
        fields.append(name, value.as_bytes()).expect("a field");
    }
    let response = OutgoingResponse::new(fields);
    response.set_status_code(status).expect("a status");
    let body = response.body().expect("a body");
    let stream = body.write().expect("a stream");
    ResponseOutparam::set(answer, Ok(response));
    (body, stream)
}

fn begun(answer: ResponseOutparam) -> (OutputStream, OutgoingBody) {
    let (body, mut stream) = start(answer, 200, &[("content-type", "text/plain")]);
    write(&mut stream, b"begun\n");
    (stream, body)
}

fn finish(body: OutgoingBody, stream: OutputStream) {
    drop(stream);
    OutgoingBody::finish(body, None).expect("a whole body");
}

fn write(stream: &mut OutputStream, bytes: &[u8]) {
    stream.write_all(bytes).expect("the body is taken");
    stream.flush().expect("the body is taken");
}

fn text(answer: ResponseOutparam, status: u16, text: &str) {
    let (body, mut stream) = start(answer, status, &[("content-type", "text/plain")]);
    write(&mut stream, text.as_bytes());
    finish(body, stream);
}

fn described(request: &IncomingRequest) -> String {
    let method = match request.method() {
        Method::Other(other) => other,
        method => format!("{method:?}"),
    };
    let mut lines = vec![
        format!("method {method}"),
        format!("scheme {:?}", request.scheme()),
        format!("authority {:?}", request.authority()),
        format!("target {:?}", request.path_with_query()),
    ];
    let headers = request.headers().entries();
    lines.extend(headers.iter().map(|(name, value)| format!("header {name}: {}", value.escape_ascii())));
    lines.push(String::new());
    lines.join("\n")
}

/// Calls `each` with each piece of the body as it comes, and returns its length.
fn each_piece(request: &IncomingRequest, mut each: impl FnMut(&[u8])) -> usize {
    let body = request.consume().expect("a body");
    let stream: InputStream = body.stream().expect("a stream");
    let mut length = 0;
    loop {
        match stream.blocking_read(PIECE) {
            Ok(piece) => {
                length += piece.len();
                each(&piece);
            }
            Err(StreamError::Closed) => return length,
            Err(StreamError::LastOperationFailed(error)) => panic!("the body broke off: {}", error.to_debug_string()),
        }
    }
}

fn echo(request: &IncomingRequest, answer: ResponseOutparam) {
    let (body, mut stream) = start(answer, 200, &[]);
    each_piece(request, |piece| write(&mut stream, piece));
    finish(body, stream);
}

fn bytes(answer: ResponseOutparam, count: usize) {
    let (body, mut stream) = start(answer, 200, &[]);
    let mut source = std::io::repeat(b'x').take(count as u64);
    std::io::copy(&mut source, &mut stream).expect("the body is taken");
    finish(body, stream);
}

fn called<T>(answer: ResponseOutparam, called: Result<T, Error>) {
    match called {
        Ok(_) => text(answer, 200, "done\n"),
        Err(error) => text(answer, 502, &format!("{}\n", error.code().unwrap_or("no code"))),
    }
}

fn twice(answer: ResponseOutparam) {
    let handle = answer.handle();
    ResponseOutparam::set(answer, Ok(OutgoingResponse::new(Fields::new())));
    #[expect(unsafe_code, reason = "what a guest in another language could do by a mistake")]
    // SAFETY: a handle is a number that the host looks up; one that is none traps.
    let again = unsafe { ResponseOutparam::from_handle(handle) };
    ResponseOutparam::set(again, Ok(OutgoingResponse::new(Fields::new())));
}

fn allocate() {
    let mut all = Vec::new();
    loop {
        all.push(std::hint::black_box(vec![1_u8; 1 << 20]));
    }
}

fn spin() -> ! {
    loop {
        std::hint::black_box(());
    }
}
