//! What the test guests share. Each guest is a file of its own in `src/bin`: a new file there is built with the
//! others, and `rolebox-guest-artifacts` then wants a test that has its name.
//!
//! Guests assert on themselves: one that succeeds has seen what it should see. What only the host can see (how a task
//! ended, what went upstream) is the test's to assert. Text that a test compares is printed to stdout, a line a fact.

use std::fmt::Display;

use rolebox_guest::{Error, Response};

/// The arguments after the program's name.
pub fn arguments() -> Vec<String> {
    std::env::args().skip(1).collect()
}

/// Makes each call of a list, its arguments separated by `--`, and says whether all went well. Where there is more than
/// one, a line `call N` stands before the output of each, from 1 on.
pub fn each_call(arguments: &[String], call: impl Fn(&[String]) -> bool) -> bool {
    let calls: Vec<&[String]> = arguments.split(|argument| argument == "--").collect();
    let mut well = true;
    for (index, arguments) in calls.iter().enumerate() {
        if calls.len() > 1 {
            println!("call {}", index + 1);
        }
        well &= call(arguments);
    }
    well
}

/// The number that this argument is. Panics, and so traps, where it is none: a test's own mistake.
pub fn number(argument: Option<&String>, meaning: &str) -> u64 {
    let Some(argument) = argument else { panic!("the argument is missing: {meaning}") };
    argument.parse().unwrap_or_else(|error| panic!("{argument:?} is not {meaning}: {error}"))
}

/// Text from an argument, in which `\xNN`, `\n`, `\r`, `\0` and `\\` stand for bytes that an argument can't hold or a
/// table of cases can't show.
pub fn unescape(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        let (value, used) = match (byte, after) {
            (b'\\', [b'n', ..]) => (b'\n', 2),
            (b'\\', [b'r', ..]) => (b'\r', 2),
            (b'\\', [b'0', ..]) => (0, 2),
            (b'\\', [b'\\', ..]) => (b'\\', 2),
            (b'\\', [b'x', high, low, ..]) => match (hex(*high), hex(*low)) {
                (Some(high), Some(low)) => (high << 4 | low, 4),
                _ => panic!("not an escape: {text:?}"),
            },
            (b'\\', _) => panic!("not an escape: {text:?}"),
            _ => (byte, 1),
        };
        bytes.push(value);
        rest = &rest[used..];
    }
    bytes
}

/// [`unescape`]d text that goes where only UTF-8 can go.
pub fn unescape_text(text: &str) -> String {
    String::from_utf8(unescape(text)).unwrap_or_else(|_| panic!("only a header's value and a body may hold {text:?}"))
}

/// Prints an answer: `status N`, a line `header NAME: VALUE` for each header, and the body after a line `body`.
pub fn print_response(response: &Response) {
    println!("status {}", response.status);
    for (name, value) in &response.headers {
        println!("header {name}: {}", value.escape_ascii());
    }
    println!("body");
    println!("{}", String::from_utf8_lossy(&response.body));
}

/// Prints an error: its case, a colon and the details; a denial's missing grants on lines of their own.
pub fn print_error(error: &Error) {
    match error {
        Error::Denied(denial) => {
            println!("denied: {}", denial.reason);
            for grant in &denial.missing {
                println!("missing: {} on {}", grant.action, grant.resource);
            }
        }
        Error::InvalidRequest(reason) => println!("invalid-request: {reason}"),
        Error::TooLarge { limit } => println!("too-large: {limit}"),
        Error::CredentialsUnavailable(reason) => println!("credentials-unavailable: {reason}"),
        Error::EndpointUnreachable(reason) => println!("endpoint-unreachable: {reason}"),
        Error::TimedOut => println!("timed-out"),
        Error::Quota(limit) => println!("quota: {limit}"),
        Error::Service(error) => println!("service: {} {}", error.status, error.code),
        other => println!("other: {other}"),
    }
}

/// Prints `NAME: ok` and the value, or `NAME: ` and the error; says whether it went well.
pub fn report<T: Display, E: Display>(name: &str, result: Result<T, E>) -> bool {
    match &result {
        Ok(value) => println!("{name}: ok {value}"),
        Err(error) => println!("{name}: {error}"),
    }
    result.is_ok()
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}
