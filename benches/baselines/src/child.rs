//! Programs that are started, waited for and, where they stay too long, ended with all that they started.
//!
//! The wait is a poll of the program's pidfd: exact to a few microseconds, with a bound, and without a second thread.
//! What ends is the whole tree as `/proc` shows it, since container runtimes leave their process group. A program that
//! has left the tree too, as containerd's shim does, is its baseline's to end.

use std::fs::File;
use std::io::{Read, Seek};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::fd::{AsFd, OwnedFd};
use rustix::process::{Pid, PidfdFlags, Signal};

use crate::{Missing, memory};

/// How long a process may take to end that was asked to, or that was ended.
pub(crate) const GRACE: Duration = Duration::from_secs(3);

/// How much of what a failed program said is worth passing on.
const TAIL: usize = 300;

/// A program that ended by itself with exit code 0.
#[derive(Debug)]
pub(crate) struct Ended {
    /// From before it was started until it had ended.
    pub(crate) took: Duration,
    /// How often it waited for the disk to bring a page of its memory, where the system says so.
    pub(crate) faults: Option<u64>,
    said: File,
}

impl Ended {
    /// What it wrote to its output and its error output.
    pub(crate) fn said(&self) -> String {
        read_all(&self.said)
    }
}

/// Runs the program to its end, with nothing to read and its outputs kept.
pub(crate) fn run(command: &mut Command, bound: Duration) -> Result<Ended, Missing> {
    let program = command.get_program().to_string_lossy().into_owned();
    let said = tempfile::tempfile().map_err(|error| failed(&program, "has no file for its output", &error))?;
    let outputs = said.try_clone().and_then(|out| Ok((out, said.try_clone()?)));
    let (out, err) = outputs.map_err(|error| failed(&program, "has no file for its output", &error))?;
    command.stdin(Stdio::null()).stdout(out).stderr(err);

    let begin = Instant::now();
    let mut running = Running::start(command)?;
    let ended = running.ends_within(bound);
    let took = begin.elapsed();
    if !ended? {
        // Read before it is ended, so that nothing of the end is in it.
        let last = tail(&read_all(&said));
        return Err(Missing::NotPossible(format!("{program} did not end within {} s{last}", bound.as_secs_f32())));
    }
    // Between its end and the moment that it is waited for: after that it has no numbers any more.
    let faults = memory::stat(running.pid(), memory::MAJOR_FAULTS);
    let status = running.wait()?;
    if status.success() {
        Ok(Ended { took, faults, said })
    } else {
        let how = match (status.code(), status.signal()) {
            (Some(code), _) => format!("exited with {code}"),
            (None, Some(signal)) => format!("was ended by signal {signal}"),
            (None, None) => format!("ended as {status}"),
        };
        Err(Missing::NotPossible(format!("{program} {how}{}", tail(&read_all(&said)))))
    }
}

/// A program that runs; dropping it ends it and all that it started.
#[derive(Debug)]
pub(crate) struct Running {
    program: String,
    child: Child,
}

impl Running {
    /// Starts it in a process group of its own, so that an interrupt from the terminal is the bench's to handle.
    pub(crate) fn start(command: &mut Command) -> Result<Self, Missing> {
        let program = command.get_program().to_string_lossy().into_owned();
        match command.process_group(0).spawn() {
            Ok(child) => Ok(Self { program, child }),
            Err(error) => Err(failed(&program, "cannot be started", &error)),
        }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn child(&mut self) -> &mut Child {
        &mut self.child
    }

    /// Waits for the end, no longer than `bound`; whether it came.
    pub(crate) fn ends_within(&self, bound: Duration) -> Result<bool, Missing> {
        let pidfd = rustix::process::pidfd_open(Pid::from_child(&self.child), PidfdFlags::empty())
            .map_err(|error| failed(&self.program, "cannot be waited for", &error.into()))?;
        readable(&pidfd, bound).map_err(|error| failed(&self.program, "cannot be waited for", &error))
    }

    fn wait(&mut self) -> Result<ExitStatus, Missing> {
        self.child.wait().map_err(|error| failed(&self.program, "cannot be waited for", &error))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Once it has been waited for, its number may be another process's.
        if matches!(self.child.try_wait(), Ok(None)) {
            // From the top, so that nobody sees a child end and starts another.
            end(&handles(&memory::tree(self.pid())));
            let _ = self.child.wait();
        }
    }
}

/// What stands for the processes, whatever their numbers come to mean once they have ended.
pub(crate) fn handles(pids: &[u32]) -> Vec<OwnedFd> {
    let pids = pids.iter().filter_map(|pid| Pid::from_raw(i32::try_from(*pid).ok()?));
    pids.filter_map(|pid| rustix::process::pidfd_open(pid, PidfdFlags::empty()).ok()).collect()
}

/// Ends the processes and waits until they have ended. One that is gone already is no error.
pub(crate) fn end(processes: &[OwnedFd]) {
    for process in processes {
        let _ = rustix::process::pidfd_send_signal(process, Signal::KILL);
    }
    for process in processes {
        let _ = readable(process, GRACE);
    }
}

/// Waits until there is something to read, no longer than `bound`; whether there is.
pub(crate) fn readable(source: impl AsFd, bound: Duration) -> std::io::Result<bool> {
    let until = Instant::now() + bound;
    loop {
        let left = until.saturating_duration_since(Instant::now());
        let left = Timespec::try_from(left).map_err(std::io::Error::other)?;
        match rustix::event::poll(&mut [PollFd::new(&source, PollFlags::IN)], Some(&left)) {
            Ok(ready) => return Ok(ready > 0),
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// A failure of the program or of what was done to it.
pub(crate) fn failed(program: &str, what: &str, error: &std::io::Error) -> Missing {
    Missing::NotPossible(format!("{program} {what}: {error}"))
}

/// The last that was said, on one line, to be put behind a sentence.
pub(crate) fn tail(said: &str) -> String {
    let line = said.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut from = line.len().saturating_sub(TAIL);
    while !line.is_char_boundary(from) {
        from += 1;
    }
    match &line[from..] {
        "" => String::new(),
        last if from == 0 => format!(": {last}"),
        last => format!(": …{last}"),
    }
}

pub(crate) fn read_all(mut file: &File) -> String {
    let mut said = Vec::new();
    let _ = file.rewind().and_then(|()| file.read_to_end(&mut said));
    String::from_utf8_lossy(&said).into_owned()
}

/// A program that does what a test needs.
#[cfg(test)]
pub(crate) fn shell(script: &str) -> Command {
    let mut command = Command::new("/bin/sh");
    command.args(["-c", script]);
    command
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_program_that_fails_fast_is_no_launch() {
        let Err(Missing::NotPossible(reason)) = run(&mut shell("echo no such luck >&2; exit 1"), crate::BOUND) else {
            panic!("a failure counted as a launch");
        };
        assert_eq!(reason, "/bin/sh exited with 1: no such luck");
    }

    #[test]
    fn a_program_that_is_killed_is_no_launch() {
        let Err(Missing::NotPossible(reason)) = run(&mut shell("kill -9 $$"), crate::BOUND) else {
            panic!("a failure counted as a launch");
        };
        assert_eq!(reason, "/bin/sh was ended by signal 9");
    }

    #[test]
    fn a_program_that_ends_well_is_a_launch() {
        let ended = run(&mut shell("echo out; echo err >&2"), crate::BOUND).unwrap();
        assert_eq!(ended.said(), "out\nerr\n");
        assert!(ended.took < crate::BOUND);
    }

    #[test]
    fn a_program_that_is_not_there_is_said() {
        let Err(Missing::NotPossible(reason)) = run(&mut Command::new("/no/such/program"), crate::BOUND) else {
            panic!("there is such a program");
        };
        assert!(reason.starts_with("/no/such/program cannot be started: "), "{reason}");
    }

    #[test]
    fn a_program_that_hangs_is_ended_with_all_that_it_started() {
        // The child has a process group of its own, and says who it is.
        let mut command = shell("setsid tail -f /dev/null & echo $!; wait");
        let begin = Instant::now();
        let Err(Missing::NotPossible(reason)) = run(&mut command, Duration::from_millis(300)) else {
            panic!("nothing hung");
        };
        assert!(begin.elapsed() < Duration::from_secs(5));
        let pid = reason.strip_prefix("/bin/sh did not end within 0.3 s: ").unwrap_or_else(|| panic!("{reason}"));
        let state = fs::read_to_string(format!("/proc/{pid}/stat"));
        // Gone, or a zombie that nobody has waited for yet.
        assert!(state.as_ref().map_or(true, |stat| stat.contains(") Z ")), "{state:?}");
    }

    #[test]
    fn only_the_end_of_long_talk_is_passed_on() {
        assert_eq!(tail(""), "");
        assert_eq!(tail("one\ntwo\n"), ": one two");
        let long = tail(&"ä".repeat(1000));
        assert!(long.starts_with(": …ä") && long.len() < 2 * TAIL, "{long}");
    }
}
