//! A compiler process as an embedder would have one, which leaves traces that tests look for.
//!
//! `compile-worker [log=FILE] [busy=FOLDER]` adds a line to the file when it starts; the folder is there for as long as
//! it works, and if it was there before, the line says so.

use std::fs;
use std::io::Write;
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let named = |name: &str| arguments.iter().find_map(|argument| argument.strip_prefix(name)).map(str::to_owned);
    let (log, busy) = (named("log="), named("busy="));
    let overlaps = busy.as_ref().is_some_and(|folder| fs::create_dir(folder).is_err());
    if let Some(log) = log {
        let mut log = fs::OpenOptions::new().create(true).append(true).open(log).expect("the log");
        writeln!(log, "{} {}", std::process::id(), if overlaps { "overlaps" } else { "alone" }).expect("the log");
    }
    let ended = rolebox::compiler::compile_worker();
    if let Some(busy) = busy {
        fs::remove_dir(busy).expect("the folder");
    }
    ended
}
