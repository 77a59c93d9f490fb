//! The system's errors in WASI's words.

use std::io;

use rustix::io::Errno;

pub(in crate::host) use wasmtime_wasi::p2::bindings::filesystem::types::ErrorCode;

/// What a guest is told about `errno`. What WASI has no word for is `io`.
pub(super) fn code(errno: Errno) -> ErrorCode {
    match errno {
        Errno::ACCESS => ErrorCode::Access,
        Errno::AGAIN => ErrorCode::WouldBlock,
        Errno::ALREADY => ErrorCode::Already,
        Errno::BADF => ErrorCode::BadDescriptor,
        Errno::BUSY => ErrorCode::Busy,
        Errno::DEADLK => ErrorCode::Deadlock,
        Errno::DQUOT => ErrorCode::Quota,
        Errno::EXIST => ErrorCode::Exist,
        Errno::FBIG => ErrorCode::FileTooLarge,
        Errno::ILSEQ => ErrorCode::IllegalByteSequence,
        Errno::INPROGRESS => ErrorCode::InProgress,
        Errno::INTR => ErrorCode::Interrupted,
        Errno::INVAL => ErrorCode::Invalid,
        Errno::ISDIR => ErrorCode::IsDirectory,
        Errno::LOOP => ErrorCode::Loop,
        Errno::MLINK => ErrorCode::TooManyLinks,
        Errno::NAMETOOLONG => ErrorCode::NameTooLong,
        Errno::NOENT => ErrorCode::NoEntry,
        Errno::NOLCK => ErrorCode::NoLock,
        // The host's own descriptors are used up, which is the guest's limit for open files in another place.
        Errno::NOMEM | Errno::MFILE | Errno::NFILE => ErrorCode::InsufficientMemory,
        Errno::NOSPC => ErrorCode::InsufficientSpace,
        Errno::NOTDIR => ErrorCode::NotDirectory,
        Errno::NOTEMPTY => ErrorCode::NotEmpty,
        Errno::NOTSUP | Errno::NOSYS => ErrorCode::Unsupported,
        Errno::OVERFLOW => ErrorCode::Overflow,
        Errno::PERM => ErrorCode::NotPermitted,
        Errno::PIPE => ErrorCode::Pipe,
        Errno::ROFS => ErrorCode::ReadOnly,
        Errno::SPIPE => ErrorCode::InvalidSeek,
        Errno::TXTBSY => ErrorCode::TextFileBusy,
        Errno::XDEV => ErrorCode::CrossDevice,
        _ => ErrorCode::Io,
    }
}

/// The same for an error that came through the standard library.
pub(super) fn io_code(error: &io::Error) -> ErrorCode {
    match (Errno::from_io_error(error), error.kind()) {
        (Some(errno), _) => code(errno),
        (None, io::ErrorKind::WriteZero) => ErrorCode::InsufficientSpace,
        (None, io::ErrorKind::InvalidInput) => ErrorCode::Invalid,
        (None, _) => ErrorCode::Io,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guest_hears_what_the_system_said() {
        let cases = [
            (Errno::NOSPC, ErrorCode::InsufficientSpace),
            (Errno::DQUOT, ErrorCode::Quota),
            (Errno::FBIG, ErrorCode::FileTooLarge),
            (Errno::ROFS, ErrorCode::ReadOnly),
            (Errno::MFILE, ErrorCode::InsufficientMemory),
            (Errno::NFILE, ErrorCode::InsufficientMemory),
            (Errno::XDEV, ErrorCode::CrossDevice),
            (Errno::STALE, ErrorCode::Io),
        ];
        for (errno, expected) in cases {
            assert_eq!(code(errno), expected, "{errno}");
            assert_eq!(io_code(&errno.into()), expected, "{errno}");
        }
        assert_eq!(io_code(&io::ErrorKind::WriteZero.into()), ErrorCode::InsufficientSpace);
        assert_eq!(io_code(&io::Error::other("something")), ErrorCode::Io);
    }
}
