//! A launch that stays, so that its memory can be seen.
//!
//! It is there once its program has said so on its output: what is weighed then has started wholly. A heap that grows
//! with use is not shown, since nothing is done with it.

use std::fmt;
use std::io::{self, Read};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rustix::fd::OwnedFd;

use crate::Missing;
use crate::child::{self, Running};
use crate::memory::{self, Memory};

/// What the idle programs say once they are there.
pub(crate) const THERE: &str = "idle";

/// What is done when one is dropped.
type Hook = Box<dyn FnOnce() + Send>;

/// One that stays; dropping it ends it.
pub struct Idle {
    pids: Vec<u32>,
    handles: Vec<OwnedFd>,
    running: Option<Running>,
    ask: Option<Hook>,
    tidy: Option<Hook>,
}

impl fmt::Debug for Idle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Idle").field("pids", &self.pids).finish_non_exhaustive()
    }
}

impl Idle {
    /// Starts the program and waits until it has said [`THERE`].
    pub(crate) fn start(command: &mut Command, bound: Duration) -> Result<Self, Missing> {
        let program = command.get_program().to_string_lossy().into_owned();
        let err =
            tempfile::tempfile().map_err(|error| child::failed(&program, "has no file for its output", &error))?;
        let kept = err.try_clone().map_err(|error| child::failed(&program, "has no file for its output", &error))?;
        let mut running = Running::start(command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(err))?;
        let said = until_there(&mut running, bound);
        match said {
            Ok(true) => Ok(Self::of(running)),
            Ok(false) => {
                let last = child::tail(&child::read_all(&kept));
                Err(Missing::NotPossible(format!("{program} did not say that it is there{last}")))
            }
            Err(error) => Err(child::failed(&program, "did not say that it is there", &error)),
        }
    }

    /// All that is there because of the program now.
    pub(crate) fn of(running: Running) -> Self {
        let pids = memory::tree(running.pid());
        Self { handles: child::handles(&pids), pids, running: Some(running), ask: None, tidy: None }
    }

    /// How it is asked to end before it is ended, where somebody else would have to tidy up otherwise.
    pub(crate) fn asking(mut self, ask: impl FnOnce() + Send + 'static) -> Self {
        self.ask = Some(Box::new(ask));
        self
    }

    /// What there is to tidy up once its processes have ended.
    pub(crate) fn tidying(mut self, tidy: impl FnOnce() + Send + 'static) -> Self {
        self.tidy = Some(Box::new(tidy));
        self
    }

    /// Other processes than those that descend from what was started.
    pub(crate) fn with_pids(mut self, pids: Vec<u32>) -> Self {
        self.handles = child::handles(&pids);
        self.pids = pids;
        self
    }

    /// All processes that exist because of it, those that only attend it too.
    pub fn pids(&self) -> &[u32] {
        &self.pids
    }

    /// What they hold now.
    ///
    /// # Errors
    ///
    /// As [`memory::of`].
    pub fn memory(&self) -> io::Result<Memory> {
        memory::of(&self.pids)
    }
}

impl Drop for Idle {
    fn drop(&mut self) {
        if let Some(ask) = self.ask.take() {
            ask();
            // One that does not end is ended below.
            let _ = self.running.as_ref().map(|running| running.ends_within(child::GRACE));
        }
        self.running.take();
        // Some have left its tree, as containerd's shim does.
        child::end(&self.handles);
        if let Some(tidy) = self.tidy.take() {
            tidy();
        }
    }
}

/// Reads the program's output until it says [`THERE`]; whether it did before it ended or time ran out.
fn until_there(running: &mut Running, bound: Duration) -> io::Result<bool> {
    let Some(out) = running.child().stdout.as_mut() else {
        return Err(io::Error::other("it has no output"));
    };
    let until = Instant::now() + bound;
    let mut said = Vec::new();
    let mut piece = [0; 512];
    while child::readable(&*out, until.saturating_duration_since(Instant::now()))? {
        let count = out.read(&mut piece)?;
        if count == 0 {
            return Ok(false);
        }
        said.extend_from_slice(&piece[..count]);
        // On a line of its own: a kernel's messages may come before it.
        if String::from_utf8_lossy(&said).lines().any(|line| line.trim_end() == THERE) {
            return Ok(true);
        }
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::child::shell;

    #[test]
    fn it_stays_until_it_is_dropped() {
        let (ended, end) = std::sync::mpsc::channel();
        let idle = Idle::start(&mut shell("echo [0.1] kernel; echo idle; exec tail -f /dev/null"), crate::BOUND)
            .unwrap()
            .tidying(move || ended.send(()).unwrap());
        let pid = idle.pids()[0];
        assert!(idle.memory().unwrap().rss > 0);
        assert!(end.try_recv().is_err());
        drop(idle);
        assert!(end.try_recv().is_ok());
        assert!(memory::of(&[pid]).is_err());
    }

    #[test]
    fn one_that_ends_is_not_there() {
        let answer = Idle::start(&mut shell("echo no room >&2"), crate::BOUND);
        let Err(Missing::NotPossible(reason)) = answer else { panic!("{answer:?}") };
        assert_eq!(reason, "/bin/sh did not say that it is there: no room");
    }

    #[test]
    fn one_that_is_silent_is_ended_at_its_bound() {
        let answer = Idle::start(&mut shell("exec tail -f /dev/null"), Duration::from_millis(100));
        assert!(matches!(answer, Err(Missing::NotPossible(_))), "{answer:?}");
    }
}
