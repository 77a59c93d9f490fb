//! `files OPERATION…`: operations on the first mount, by `wasi:filesystem` itself. Each argument is one operation, its
//! words separated by blanks and unescaped; each prints a line: `ok` with what it found, or the error's name.
//!
//! | operation | result |
//! |---|---|
//! | `open PATH FLAG…` | `file` or `folder`; flags: `read`, `write`, `create`, `exclusive`, `truncate`, `directory`, `sync`, `nofollow` |
//! | `read PATH` | the content |
//! | `write PATH TEXT`, `append PATH TEXT`, `stream PATH TEXT` | through `write`, an appending stream, a stream |
//! | `stat PATH`, `link-stat PATH` | the type; the second does not follow a link |
//! | `list PATH` | how many entries, how many names that are no text, and the sum of the names' lengths |
//! | `mkdir PATH`, `rmdir PATH`, `unlink PATH`, `times PATH`, `link-times PATH`, `readlink PATH` | |
//! | `rename PATH PATH`, `link PATH PATH`, `symlink TARGET PATH` | |
//! | `size PATH BYTES`, `write-at PATH BYTES` | sets the size; writes one byte there |
//! | `fill PATH` | writes until that fails, and says how many bytes and why |
//! | `hold PATH COUNT` | opens it so often and keeps all; says how many were opened, and why not more |
//! | `readers PATH COUNT`, `writers PATH COUNT` | that many streams at once; how many bytes went through them |

use rolebox_test_guests::{arguments, unescape_text};
use wasip2::filesystem::preopens;
use wasip2::filesystem::types::{
    Descriptor, DescriptorFlags, DescriptorType, ErrorCode, NewTimestamp, OpenFlags, PathFlags, filesystem_error_code,
};
use wasip2::io::streams::{InputStream, OutputStream, StreamError};

fn main() {
    let (mount, _) = preopens::get_directories().into_iter().next().expect("a mount");
    for argument in arguments() {
        let words: Vec<String> = argument.split(' ').map(unescape_text).collect();
        match perform(&mount, &words) {
            Ok(found) if found.is_empty() => println!("ok"),
            Ok(found) => println!("ok {found}"),
            Err(code) => println!("{}", code.name()),
        }
    }
}

fn perform(mount: &Descriptor, words: &[String]) -> Result<String, ErrorCode> {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let follow = PathFlags::SYMLINK_FOLLOW;
    match words[..] {
        ["open", path, ref flags @ ..] => {
            let opened = open(mount, path, flags)?;
            return Ok(name(opened.get_type()?).to_owned());
        }
        ["read", path] => {
            let (bytes, _) = open(mount, path, &["read"])?.read(1 << 16, 0)?;
            return Ok(String::from_utf8_lossy(&bytes).into_owned());
        }
        ["write", path, text] => {
            open(mount, path, &["write", "create"])?.write(text.as_bytes(), 0)?;
        }
        ["append", path, text] => stream(&open(mount, path, &["write"])?.append_via_stream()?, text)?,
        ["stream", path, text] => stream(&open(mount, path, &["write", "create"])?.write_via_stream(0)?, text)?,
        ["stat", path] => return Ok(name(mount.stat_at(follow, path)?.type_).to_owned()),
        ["link-stat", path] => return Ok(name(mount.stat_at(PathFlags::empty(), path)?.type_).to_owned()),
        ["list", path] => return list(&open(mount, path, &["directory"])?),
        ["mkdir", path] => mount.create_directory_at(path)?,
        ["rmdir", path] => mount.remove_directory_at(path)?,
        ["unlink", path] => mount.unlink_file_at(path)?,
        ["times", path] => mount.set_times_at(follow, path, NewTimestamp::Now, NewTimestamp::Now)?,
        ["link-times", path] => mount.set_times_at(PathFlags::empty(), path, NewTimestamp::Now, NewTimestamp::Now)?,
        ["readlink", path] => return mount.readlink_at(path),
        ["rename", path, new] => mount.rename_at(path, mount, new)?,
        ["link", path, new] => mount.link_at(PathFlags::empty(), path, mount, new)?,
        ["symlink", target, path] => mount.symlink_at(target, path)?,
        ["size", path, bytes] => open(mount, path, &["write"])?.set_size(number(bytes))?,
        ["write-at", path, at] => {
            open(mount, path, &["write"])?.write(b"x", number(at))?;
        }
        ["fill", path] => return fill(&open(mount, path, &["write", "create"])?),
        ["hold", path, count] => return Ok(hold(mount, path, number(count))),
        ["readers", path, count] => return readers(&open(mount, path, &["read"])?, number(count)),
        ["writers", path, count] => return writers(&open(mount, path, &["write", "create"])?, number(count)),
        _ => panic!("no operation: {words:?}"),
    }
    Ok(String::new())
}

fn open(mount: &Descriptor, path: &str, words: &[&str]) -> Result<Descriptor, ErrorCode> {
    let (mut follow, mut open, mut flags) = (PathFlags::SYMLINK_FOLLOW, OpenFlags::empty(), DescriptorFlags::empty());
    for word in words {
        match *word {
            "read" => flags |= DescriptorFlags::READ,
            "write" => flags |= DescriptorFlags::WRITE,
            "sync" => flags |= DescriptorFlags::FILE_INTEGRITY_SYNC,
            "create" => open |= OpenFlags::CREATE,
            "exclusive" => open |= OpenFlags::EXCLUSIVE,
            "truncate" => open |= OpenFlags::TRUNCATE,
            "directory" => open |= OpenFlags::DIRECTORY,
            "nofollow" => follow = PathFlags::empty(),
            other => panic!("no flag: {other}"),
        }
    }
    mount.open_at(follow, path, open, flags)
}

fn name(type_: DescriptorType) -> &'static str {
    match type_ {
        DescriptorType::RegularFile => "file",
        DescriptorType::Directory => "folder",
        DescriptorType::SymbolicLink => "link",
        DescriptorType::Fifo => "fifo",
        DescriptorType::Socket => "socket",
        DescriptorType::CharacterDevice | DescriptorType::BlockDevice => "device",
        DescriptorType::Unknown => "unknown",
    }
}

fn number(text: &str) -> u64 {
    text.parse().expect("a number")
}

fn stream(stream: &OutputStream, text: &str) -> Result<(), ErrorCode> {
    stream.blocking_write_and_flush(text.as_bytes()).map_err(code)
}

fn code(error: StreamError) -> ErrorCode {
    match error {
        StreamError::LastOperationFailed(error) => filesystem_error_code(&error).expect("an error of a file"),
        StreamError::Closed => panic!("a stream is closed"),
    }
}

fn list(folder: &Descriptor) -> Result<String, ErrorCode> {
    let entries = folder.read_directory()?;
    let (mut count, mut no_text, mut length) = (0, 0, 0);
    loop {
        match entries.read_directory_entry() {
            Ok(Some(entry)) => (count, length) = (count + 1, length + entry.name.len()),
            Ok(None) => return Ok(format!("{count} {no_text} {length}")),
            Err(ErrorCode::IllegalByteSequence) => no_text += 1,
            Err(code) => return Err(code),
        }
    }
}

fn fill(file: &Descriptor) -> Result<String, ErrorCode> {
    let stream = file.write_via_stream(0)?;
    let mut written = 0;
    loop {
        match stream.blocking_write_and_flush(&[7; 4096]) {
            Ok(()) => written += 4096,
            Err(error) => return Ok(format!("{written} {}", code(error).name())),
        }
    }
}

fn hold(mount: &Descriptor, path: &str, count: u64) -> String {
    let mut held = Vec::new();
    for _ in 0..count {
        match open(mount, path, &["read"]) {
            Ok(opened) => held.push(opened),
            Err(code) => return format!("{} {}", held.len(), code.name()),
        }
    }
    held.len().to_string()
}

fn readers(file: &Descriptor, count: u64) -> Result<String, ErrorCode> {
    let mut streams: Vec<InputStream> = (0..count).map(|_| file.read_via_stream(0)).collect::<Result<_, _>>()?;
    let mut bytes = 0;
    // Each is asked first, so that all are under way at once.
    while !streams.is_empty() {
        streams.retain(|stream| match stream.read(1 << 16) {
            Ok(read) => {
                bytes += read.len();
                true
            }
            Err(StreamError::Closed) => false,
            Err(error) => panic!("{}", code(error).name()),
        });
        if let Some(stream) = streams.first() {
            stream.subscribe().block();
        }
    }
    Ok(bytes.to_string())
}

/// Each writes one byte at a place of its own, and is dropped without being asked whether it has.
fn writers(file: &Descriptor, count: u64) -> Result<String, ErrorCode> {
    let streams: Vec<OutputStream> = (0..count).map(|at| file.write_via_stream(at)).collect::<Result<_, _>>()?;
    for stream in &streams {
        stream.check_write().map_err(code)?;
        stream.write(b"w").map_err(code)?;
    }
    drop(streams);
    Ok(file.stat()?.size.to_string())
}
