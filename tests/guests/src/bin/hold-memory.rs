//! `hold-memory BUCKET`: reads all that a task can see into its memory, keeps it there, and ends: the arguments, the
//! environment, every file of every directory, the answers to calls that succeed, that the service refuses and that
//! the host refuses. A test then looks for secrets in the memory.
//!
//! Prints `held N bytes`.

use std::path::Path;

use rolebox_guest::{Call, Error, Response};
use rolebox_test_guests::arguments;
use wasip2::cli::environment;
use wasip2::filesystem::preopens;

fn main() {
    let mut held: Vec<Vec<u8>> = std::env::args().map(String::into_bytes).collect();
    held.extend(environment::get_environment().into_iter().map(|(name, value)| format!("{name}={value}").into_bytes()));
    for (_, path) in preopens::get_directories() {
        hold_files(Path::new(&path), &mut held);
    }
    let arguments = arguments();
    let [bucket] = arguments.as_slice() else { panic!("usage: hold-memory BUCKET") };
    for (method, path) in [
        ("GET", "/".to_owned()),
        ("PUT", format!("/{bucket}")),
        ("PUT", format!("/{bucket}/held")),
        ("GET", format!("/{bucket}/held")),
        ("GET", format!("/{bucket}/no-such-key")),
        ("GET", format!("/{bucket}?acl")),
        ("GET", format!("/{bucket}/%")),
    ] {
        let call = Call::new("s3").method(method).path(path);
        hold_answer(call.body(if method == "PUT" { "held" } else { "" }).send(), &mut held);
    }
    hold_answer(Call::new("sts").body("Action=GetSessionToken&Version=2011-06-15").send(), &mut held);

    println!("held {} bytes", held.iter().map(Vec::len).sum::<usize>());
    // Never freed, so that it stands in the memory until the host takes that away.
    std::mem::forget(std::hint::black_box(held));
}

fn hold_answer(answer: Result<Response, Error>, held: &mut Vec<Vec<u8>>) {
    match answer {
        Ok(response) => {
            held.extend(response.headers.into_iter().map(|(name, value)| [name.as_bytes(), b": ", &value].concat()));
            held.push(response.body);
        }
        Err(error) => held.push(format!("{error:?}").into_bytes()),
    }
}

fn hold_files(directory: &Path, held: &mut Vec<Vec<u8>>) {
    let Ok(entries) = std::fs::read_dir(directory) else {
        return;
    };
    for entry in entries.flatten() {
        let path = entry.path();
        held.push(path.to_string_lossy().into_owned().into_bytes());
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => hold_files(&path, held),
            Ok(_) => held.extend(std::fs::read(&path).ok()),
            Err(_) => {}
        }
    }
}
