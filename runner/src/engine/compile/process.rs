//! The outside of a compiler process: started, fed, watched, ended.

use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::process::{Pid, PidfdFlags, Signal};

use super::frame::{Answer, Request};
use super::{CompileFailure, CompilerProcess, EngineKey, Target};
use crate::engine::image::ImageProblem;

/// How often it is looked whether anybody still wants the answer.
const LOOK: Duration = Duration::from_millis(100);

/// How much of the process's standard error is kept, in bytes.
const MAX_STDERR: usize = 4096;

/// How much is read at once, in bytes: what a pipe holds by default.
const CHUNK: usize = 64 << 10;

impl CompilerProcess {
    pub(super) fn compile(
        &self,
        image: &[u8],
        (target, engine): (Target, EngineKey),
        cancelled: &dyn Fn() -> bool,
    ) -> Result<Vec<u8>, ImageProblem> {
        let cores = std::thread::available_parallelism().map_or(1, |cores| u64::try_from(cores.get()).unwrap_or(1));
        let request = Request {
            engine,
            target,
            memory: self.memory,
            // The wall time ends it first, unless the watching thread itself is held up.
            cpu_seconds: self.time.as_secs().saturating_add(1).saturating_mul(cores),
            parent: std::process::id(),
            image: u64::try_from(image.len()).unwrap_or(u64::MAX),
        };
        let answer = self.ask(&request, image, cancelled)?;
        Err(match answer {
            Answer::Code(code) => return Ok(code),
            Answer::Invalid(why) => ImageProblem::Invalid(why),
            Answer::TooComplex(what) => ImageProblem::TooComplex(what),
            Answer::Mismatch => CompileFailure::Mismatch { command: self.command.clone() }.into(),
            Answer::OutOfMemory => CompileFailure::OutOfMemory { limit: self.memory }.into(),
            Answer::Failed(why) => CompileFailure::Crashed { how: "failed".to_owned(), stderr: why }.into(),
        })
    }

    fn ask(&self, request: &Request, image: &[u8], cancelled: &dyn Fn() -> bool) -> Result<Answer, CompileFailure> {
        let deadline = Instant::now() + self.time;
        let mut running = Running::start(self).map_err(|reason| self.not_started(reason))?;
        let head = request.encode();
        match running.talk([&head, image], deadline, cancelled) {
            Ok(()) => {}
            Err(Interrupted::Deadline) => return Err(CompileFailure::OutOfTime { limit: self.time }),
            Err(Interrupted::Cancelled) => return Err(CompileFailure::Cancelled),
            Err(Interrupted::TooMuch) => return Err(CompileFailure::Unintelligible { command: self.command.clone() }),
            Err(Interrupted::System(error)) => return Err(self.not_started(error)),
        }
        let status = running.end();
        let stderr = String::from_utf8_lossy(&running.errors).into_owned();
        if status.is_none_or(|status| status.success())
            && let Some(answer) = Answer::decode(running.answer.split_off(0))
        {
            return Ok(answer);
        }
        Err(self.failure(status, stderr))
    }

    fn not_started(&self, reason: io::Error) -> CompileFailure {
        CompileFailure::NotStarted { command: self.command.clone(), reason: reason.to_string() }
    }

    fn failure(&self, status: Option<ExitStatus>, stderr: String) -> CompileFailure {
        let signal = status.and_then(|status| status.signal());
        if signal == Some(Signal::XCPU.as_raw()) {
            return CompileFailure::OutOfTime { limit: self.time };
        }
        // What Rust's standard library says before it aborts, and what a thread that got no stack says.
        if stderr.contains("memory allocation of") || stderr.contains("Cannot allocate memory") {
            return CompileFailure::OutOfMemory { limit: self.memory };
        }
        let how = match (signal, status.and_then(|status| status.code())) {
            (Some(signal), _) => format!("was ended by signal {signal}"),
            (None, Some(0)) | (None, None) => {
                return CompileFailure::Unintelligible { command: self.command.clone() };
            }
            (None, Some(code)) => format!("ended with exit code {code}"),
        };
        CompileFailure::Crashed { how, stderr }
    }
}

/// Why a conversation was not led to its end.
enum Interrupted {
    Deadline,
    Cancelled,
    /// More bytes came than any answer has.
    TooMuch,
    System(io::Error),
}

impl From<rustix::io::Errno> for Interrupted {
    fn from(error: rustix::io::Errno) -> Self {
        Self::System(error.into())
    }
}

/// A process with its three pipes. Dropping it ends the process and all of its group.
struct Running {
    child: Child,
    /// Whether it has been waited for.
    ended: bool,
    exit: OwnedFd,
    stdin: Option<ChildStdin>,
    stdout: Option<ChildStdout>,
    stderr: Option<ChildStderr>,
    answer: Vec<u8>,
    errors: Vec<u8>,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.end();
    }
}

fn pid(child: &Child) -> Option<Pid> {
    Pid::from_raw(child.id().cast_signed())
}

impl Running {
    /// Ends the process, if it has not ended, and all that it may have left in its group; gives how it ended the first
    /// time.
    fn end(&mut self) -> Option<ExitStatus> {
        if std::mem::replace(&mut self.ended, true) {
            return None;
        }
        // Its number, and with it the group's, is nobody else's until it has been waited for.
        if let Some(group) = pid(&self.child) {
            let _ = rustix::process::kill_process_group(group, Signal::KILL);
        }
        self.child.wait().ok()
    }

    fn start(process: &CompilerProcess) -> io::Result<Self> {
        if !process.command.is_absolute() {
            return Err(io::Error::new(ErrorKind::InvalidInput, "it is not an absolute path"));
        }
        let mut child = Command::new(&process.command)
            .args(&process.arguments)
            .env_clear()
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .spawn()?;
        let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let exit = match watch(
            &child,
            [stdin.as_ref().map(AsFd::as_fd), stdout.as_ref().map(AsFd::as_fd), stderr.as_ref().map(AsFd::as_fd)],
        ) {
            Ok(exit) => exit,
            Err(error) => {
                let _ = child.kill();
                let _ = child.wait();
                return Err(error);
            }
        };
        Ok(Self { child, ended: false, exit, stdin, stdout, stderr, answer: Vec::new(), errors: Vec::new() })
    }

    /// Writes the request and reads until the process has closed both its outputs and ended.
    fn talk(
        &mut self,
        request: [&[u8]; 2],
        deadline: Instant,
        cancelled: &dyn Fn() -> bool,
    ) -> Result<(), Interrupted> {
        let mut unsent = request;
        let mut chunk = vec![0; CHUNK];
        loop {
            let (mut ended, left) = (false, deadline.saturating_duration_since(Instant::now()));
            if left.is_zero() {
                return Err(Interrupted::Deadline);
            }
            if cancelled() {
                return Err(Interrupted::Cancelled);
            }
            self.poll(left.min(LOOK), &mut ended)?;
            self.send(&mut unsent);
            self.receive(&mut chunk)?;
            if ended && self.stdout.is_none() {
                return Ok(());
            }
        }
    }

    /// Waits until something can be done, and says whether the process has ended.
    fn poll(&self, most: Duration, ended: &mut bool) -> Result<(), Interrupted> {
        let mut fds = Vec::with_capacity(4);
        // Once the outputs are closed there is only its end to wait for, and before that its end is nothing to act on.
        if self.stdout.is_none() {
            fds.push(PollFd::new(&self.exit, PollFlags::IN));
        }
        fds.extend(self.stdin.as_ref().map(|pipe| PollFd::new(pipe, PollFlags::OUT)));
        fds.extend(self.stdout.as_ref().map(|pipe| PollFd::new(pipe, PollFlags::IN)));
        fds.extend(self.stderr.as_ref().map(|pipe| PollFd::new(pipe, PollFlags::IN)));
        let most = Timespec { tv_sec: 0, tv_nsec: i64::from(most.subsec_nanos()) };
        match rustix::event::poll(&mut fds, Some(&most)) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        *ended = self.stdout.is_none() && fds.first().is_some_and(|exit| exit.revents().contains(PollFlags::IN));
        Ok(())
    }

    fn send(&mut self, unsent: &mut [&[u8]; 2]) {
        while let Some(pipe) = &mut self.stdin {
            let Some(part) = unsent.iter_mut().find(|part| !part.is_empty()) else {
                self.stdin = None;
                return;
            };
            match pipe.write(part) {
                Ok(sent) => *part = part.get(sent..).unwrap_or_default(),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                // It reads no further: why, its answer or its end tells.
                Err(_) => self.stdin = None,
            }
        }
    }

    fn receive(&mut self, chunk: &mut [u8]) -> Result<(), Interrupted> {
        while let Some(pipe) = &mut self.stdout {
            match read(pipe, chunk)? {
                Received::Nothing => break,
                Received::End => self.stdout = None,
                Received::Bytes(bytes) => {
                    self.answer.extend_from_slice(bytes);
                    if u64::try_from(self.answer.len()).is_ok_and(|length| length > Answer::MAX_BYTES) {
                        return Err(Interrupted::TooMuch);
                    }
                }
            }
        }
        // One chunk a turn: who writes without end must not keep the clock from being looked at.
        if let Some(pipe) = &mut self.stderr {
            match read(pipe, chunk)? {
                Received::Nothing => {}
                Received::End => self.stderr = None,
                Received::Bytes(bytes) => {
                    let room = MAX_STDERR - self.errors.len();
                    self.errors.extend_from_slice(bytes.get(..room).unwrap_or(bytes));
                }
            }
        }
        Ok(())
    }
}

enum Received<'a> {
    Nothing,
    Bytes(&'a [u8]),
    End,
}

fn read<'a>(pipe: &mut impl Read, chunk: &'a mut [u8]) -> Result<Received<'a>, Interrupted> {
    match pipe.read(chunk) {
        Ok(0) => Ok(Received::End),
        Ok(count) => Ok(Received::Bytes(chunk.get(..count).unwrap_or_default())),
        Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => Ok(Received::Nothing),
        Err(error) => Err(Interrupted::System(error)),
    }
}

/// Makes the pipes such that nothing waits for the process, and gives what tells its end.
fn watch(child: &Child, pipes: [Option<BorrowedFd<'_>>; 3]) -> io::Result<OwnedFd> {
    for pipe in pipes.into_iter().flatten() {
        rustix::io::ioctl_fionbio(pipe, true)?;
    }
    let pid = pid(child).ok_or_else(|| io::Error::other("the process has no number"))?;
    Ok(rustix::process::pidfd_open(pid, PidfdFlags::empty())?)
}
