//! `http-call SCHEME AUTHORITY METHOD PATH-WITH-QUERY [OPTION…] [-- SCHEME …]…`: outgoing requests of `wasi:http` just as
//! they are told, however malformed. An answer is printed as [`rolebox_test_guests::print_response`] does, whatever its
//! status. Without one the guest fails, and prints `unformed: PART` where `wasi:http` takes no such part, `error: CODE`
//! where the request has no answer, or `cut: WHERE` where the answer ends early.
//!
//! Options, each as often as wanted, escapes resolved in all values: `--header NAME:VALUE` (nothing is trimmed),
//! `--trailer NAME:VALUE`, `--body TEXT`, `--body-size BYTES` (so many `x`). The body is written after the request has
//! been handed over, a piece at a time; a line `written BYTES` says how much of it was taken.

use std::process::ExitCode;

use rolebox_guest::Response;
use rolebox_test_guests::{arguments, each_call, number, print_response, unescape, unescape_text};
use wasip2::http::outgoing_handler;
use wasip2::http::types::{
    ErrorCode, Fields, IncomingBody, IncomingResponse, Method, OutgoingBody, OutgoingRequest, Scheme,
};
use wasip2::io::streams::StreamError;

/// The most that one `blocking-write-and-flush` takes, in bytes.
const PIECE: usize = 4096;

/// The most that is read at once, in bytes.
const READ: u64 = 64 << 10;

/// Why there is no answer.
enum Failure {
    Unformed(&'static str),
    Error(ErrorCode),
    Cut(&'static str),
}

fn main() -> ExitCode {
    let well = each_call(&arguments(), |arguments| match Told::read(arguments).send() {
        Ok(response) => {
            print_response(&response);
            true
        }
        Err(failure) => {
            match failure {
                Failure::Unformed(part) => println!("unformed: {part}"),
                Failure::Error(code) => println!("error: {code:?}"),
                Failure::Cut(place) => println!("cut: {place}"),
            }
            false
        }
    });
    if well { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// A request as the arguments have it.
struct Told {
    scheme: Scheme,
    authority: String,
    method: Method,
    target: String,
    headers: Vec<(String, Vec<u8>)>,
    trailers: Vec<(String, Vec<u8>)>,
    body: Vec<u8>,
}

impl Told {
    fn read(arguments: &[String]) -> Self {
        let [scheme, authority, method, target, options @ ..] = arguments else {
            panic!("usage: http-call SCHEME AUTHORITY METHOD PATH-WITH-QUERY [OPTION…]")
        };
        let mut told = Self {
            scheme: scheme_named(&unescape_text(scheme)),
            authority: unescape_text(authority),
            method: method_named(&unescape_text(method)),
            target: unescape_text(target),
            headers: Vec::new(),
            trailers: Vec::new(),
            body: Vec::new(),
        };
        for option in options.chunks(2) {
            let [option, value] = option else { panic!("{option:?} has no value") };
            match option.as_str() {
                "--header" => told.headers.push(field(value)),
                "--trailer" => told.trailers.push(field(value)),
                "--body" => told.body = unescape(value),
                "--body-size" => {
                    let size = number(Some(value), "a number of bytes");
                    told.body = vec![b'x'; usize::try_from(size).expect("it fits into memory")];
                }
                _ => panic!("no option: {option}"),
            }
        }
        told
    }

    fn send(self) -> Result<Response, Failure> {
        let headers = Fields::from_list(&self.headers).map_err(|_| Failure::Unformed("header"))?;
        let request = OutgoingRequest::new(headers);
        request.set_method(&self.method).map_err(|()| Failure::Unformed("method"))?;
        request.set_scheme(Some(&self.scheme)).map_err(|()| Failure::Unformed("scheme"))?;
        request.set_authority(Some(&self.authority)).map_err(|()| Failure::Unformed("authority"))?;
        request.set_path_with_query(Some(&self.target)).map_err(|()| Failure::Unformed("path-with-query"))?;
        let trailers = (!self.trailers.is_empty())
            .then(|| Fields::from_list(&self.trailers).map_err(|_| Failure::Unformed("trailer")))
            .transpose()?;
        let body = request.body().map_err(|()| Failure::Unformed("body"))?;
        let answer = outgoing_handler::handle(request, None).map_err(Failure::Error)?;
        let written = write(&body, &self.body);
        if !self.body.is_empty() {
            println!("written {written}");
        }
        // Where the body is not what `content-length` says, the answer says the same, with the reason.
        let finished = OutgoingBody::finish(body, trailers);
        answer.subscribe().block();
        match answer.get() {
            Some(Ok(Ok(response))) => {
                finished.map_err(Failure::Error)?;
                read(&response)
            }
            Some(Ok(Err(code))) => Err(Failure::Error(code)),
            Some(Err(())) | None => panic!("an answer is ready once, when it says so"),
        }
    }
}

/// Writes the body, and says how many of its bytes were taken.
fn write(body: &OutgoingBody, content: &[u8]) -> usize {
    let stream = body.write().expect("the stream is taken once");
    content.chunks(PIECE).take_while(|piece| stream.blocking_write_and_flush(piece).is_ok()).map(<[u8]>::len).sum()
}

fn read(response: &IncomingResponse) -> Result<Response, Failure> {
    let (status, headers) = (response.status(), response.headers().entries());
    let incoming = response.consume().expect("the body is taken once");
    let mut body = Vec::new();
    {
        let stream = incoming.stream().expect("the stream is taken once");
        loop {
            match stream.blocking_read(READ) {
                Ok(piece) => body.extend(piece),
                Err(StreamError::Closed) => break,
                Err(StreamError::LastOperationFailed(_)) => return Err(Failure::Cut("body")),
            }
        }
    }
    drop(IncomingBody::finish(incoming));
    Ok(Response { status, headers, body })
}

fn field(option: &str) -> (String, Vec<u8>) {
    let (name, value) = option.split_once(':').expect("a field is NAME:VALUE");
    (unescape_text(name), unescape(value))
}

fn scheme_named(name: &str) -> Scheme {
    match name {
        "http" => Scheme::Http,
        "https" => Scheme::Https,
        other => Scheme::Other(other.to_owned()),
    }
}

fn method_named(name: &str) -> Method {
    match name {
        "GET" => Method::Get,
        "HEAD" => Method::Head,
        "POST" => Method::Post,
        "PUT" => Method::Put,
        "DELETE" => Method::Delete,
        other => Method::Other(other.to_owned()),
    }
}
