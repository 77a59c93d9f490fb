//! The task's output: to this process's own stdout and stderr, byte for byte.

use std::fs::File;
use std::io::{self, ErrorKind, Write};
use std::os::fd::AsFd;
use std::time::Duration;

use rolebox::output::{OutputName, OutputWriter};

/// How long to wait before a stream that is full is tried again, where it does not block by itself.
const FULL_PAUSE: Duration = Duration::from_millis(1);

/// This process's stdout and stderr, without buffers of their own: nothing is held back when the process ends, and a
/// writer that is stuck holds no lock that the end would wait for.
#[derive(Debug)]
pub(crate) struct StandardStreams {
    stdout: File,
    stderr: File,
}

impl StandardStreams {
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self {
            stdout: File::from(io::stdout().as_fd().try_clone_to_owned()?),
            stderr: File::from(io::stderr().as_fd().try_clone_to_owned()?),
        })
    }
}

impl OutputWriter for StandardStreams {
    fn write(&mut self, name: OutputName, bytes: &[u8]) -> io::Result<()> {
        match name {
            OutputName::Stdout => write_all(&mut self.stdout, bytes),
            OutputName::Stderr => write_all(&mut self.stderr, bytes),
        }
    }
}

/// Writes all of `bytes`, also to a stream that another process has set to be non-blocking.
fn write_all(stream: &mut impl Write, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match stream.write(bytes) {
            Ok(0) => return Err(ErrorKind::WriteZero.into()),
            Ok(written) => bytes = &bytes[written..],
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => std::thread::sleep(FULL_PAUSE),
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes three bytes at a time and is full every other time.
    #[derive(Default)]
    struct Narrow {
        taken: Vec<u8>,
        calls: usize,
    }

    impl Write for Narrow {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.calls += 1;
            match self.calls % 3 {
                0 => Err(ErrorKind::WouldBlock.into()),
                1 => Err(ErrorKind::Interrupted.into()),
                _ => {
                    let length = bytes.len().min(3);
                    self.taken.extend_from_slice(&bytes[..length]);
                    Ok(length)
                }
            }
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn every_byte_is_written_once() {
        let mut stream = Narrow::default();
        write_all(&mut stream, b"\x00every byte\xff\n").expect("all written");
        assert_eq!(stream.taken, b"\x00every byte\xff\n");
    }

    #[test]
    fn a_reader_that_left_is_an_error() {
        struct Gone;
        impl Write for Gone {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(ErrorKind::BrokenPipe.into())
            }

            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let error = write_all(&mut Gone, b"x").expect_err("nobody reads");
        assert_eq!(error.kind(), ErrorKind::BrokenPipe);
    }
}
