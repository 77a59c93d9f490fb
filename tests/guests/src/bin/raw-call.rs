//! `raw-call SERVICE METHOD PATH [OPTION…] [-- SERVICE …]…`: calls just as they are told, however malformed. Prints each
//! answer or error, as [`rolebox_test_guests::print_response`] and [`rolebox_test_guests::print_error`] do; an error
//! makes it fail.
//!
//! Options, each as often as wanted, escapes resolved in all values and in the path: `--query KEY[=VALUE]`,
//! `--header NAME:VALUE` (nothing is trimmed), `--body TEXT`, `--body-size BYTES` (so many `x`), `--region R`.

use std::process::ExitCode;

use rolebox_guest::Call;
use rolebox_test_guests::{arguments, each_call, number, print_error, print_response, unescape, unescape_text};

fn main() -> ExitCode {
    let well = each_call(&arguments(), |arguments| match call(arguments).send() {
        Ok(response) => {
            print_response(&response);
            true
        }
        Err(error) => {
            print_error(&error);
            false
        }
    });
    if well { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn call(arguments: &[String]) -> Call {
    let [service, method, path, options @ ..] = arguments else {
        panic!("usage: raw-call SERVICE METHOD PATH [OPTION…]")
    };
    let mut call = Call::new(unescape_text(service)).method(unescape_text(method)).path(unescape_text(path));
    for option in options.chunks(2) {
        let [option, value] = option else { panic!("{option:?} has no value") };
        call = match option.as_str() {
            "--query" => {
                let (key, value) = value.split_once('=').unwrap_or((value, ""));
                call.query(unescape_text(key), unescape_text(value))
            }
            "--header" => {
                let (name, value) = value.split_once(':').expect("a header is NAME:VALUE");
                call.header(unescape_text(name), unescape(value))
            }
            "--body" => call.body(unescape(value)),
            "--body-size" => {
                let size = number(Some(value), "a number of bytes");
                call.body(vec![b'x'; usize::try_from(size).expect("it fits into memory")])
            }
            "--region" => call.region(unescape_text(value)),
            _ => panic!("no option: {option}"),
        };
    }
    call
}
