//! `volume OPERATION PATH [ARGUMENT]`: one operation on a file system. Prints the result and ends well, or prints the
//! error and fails.
//!
//! | operation | argument | result |
//! |---|---|---|
//! | `read PATH` | | the content |
//! | `write PATH`, `append PATH` | text, escapes resolved | |
//! | `list PATH` | | names in order, a line each, folders with `/` at the end |
//! | `stat PATH` | | `file N`, `directory`, `link` or `other` |
//! | `create-directory PATH`, `remove-file PATH`, `remove-directory PATH` | | |
//! | `rename PATH`, `link PATH` (hard) | new path | |
//! | `symlink PATH` | what the new link at PATH points to | |
//! | `truncate PATH` | length in bytes | |

use std::fs;
use std::io::{Error, ErrorKind, Write};
use std::process::ExitCode;

use rolebox_test_guests::{arguments, number, unescape};
use wasip2::filesystem::preopens;

fn main() -> ExitCode {
    let arguments = arguments();
    let [operation, path, rest @ ..] = arguments.as_slice() else {
        eprintln!("usage: volume OPERATION PATH [ARGUMENT]");
        return ExitCode::FAILURE;
    };
    match perform(operation, path, rest.first()) {
        Ok(result) => {
            print!("{result}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            println!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn perform(operation: &str, path: &str, argument: Option<&String>) -> Result<String, Error> {
    let text = argument.map(String::as_str).unwrap_or_default();
    match operation {
        "read" => return Ok(String::from_utf8_lossy(&fs::read(path)?).into_owned()),
        "list" => return list(path),
        "stat" => return stat(path),
        "write" => fs::write(path, unescape(text))?,
        "append" => fs::OpenOptions::new().append(true).open(path)?.write_all(&unescape(text))?,
        "create-directory" => fs::create_dir(path)?,
        "remove-file" => fs::remove_file(path)?,
        "remove-directory" => fs::remove_dir(path)?,
        "rename" => fs::rename(path, text)?,
        "link" => fs::hard_link(path, text)?,
        "symlink" => symlink(text, path)?,
        "truncate" => fs::OpenOptions::new().write(true).open(path)?.set_len(number(argument, "a length"))?,
        _ => {
            return Err(Error::new(ErrorKind::InvalidInput, format!("no operation: {operation}")));
        }
    }
    Ok(String::new())
}

fn list(path: &str) -> Result<String, Error> {
    let mut names = Vec::new();
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        let mark = if entry.file_type()?.is_dir() { "/" } else { "" };
        names.push(format!("{}{mark}\n", entry.file_name().to_string_lossy()));
    }
    names.sort();
    Ok(names.concat())
}

fn stat(path: &str) -> Result<String, Error> {
    let metadata = fs::symlink_metadata(path)?;
    let kind = metadata.file_type();
    Ok(if kind.is_file() {
        format!("file {}\n", metadata.len())
    } else if kind.is_dir() {
        "directory\n".to_owned()
    } else if kind.is_symlink() {
        "link\n".to_owned()
    } else {
        "other\n".to_owned()
    })
}

/// By the interface itself: the standard library has no stable way to make a symbolic link on WASI.
fn symlink(target: &str, path: &str) -> Result<(), Error> {
    for (directory, mount) in preopens::get_directories() {
        let inside = path.strip_prefix(&mount).map(|inside| inside.trim_start_matches('/'));
        if let Some(inside) = inside.filter(|inside| !inside.is_empty()) {
            return directory.symlink_at(target, inside).map_err(|code| Error::other(code.message()));
        }
    }
    Err(Error::new(ErrorKind::NotFound, "no directory holds the path"))
}
