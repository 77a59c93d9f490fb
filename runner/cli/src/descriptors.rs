//! How many files and connections this process may have open.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Lets this process have as many descriptors as the system would let it ask for.
///
/// Many systems begin with 1,024, for the sake of programs that use `select`. A task alone may have 256 connections and
/// 256 files open by default, beside the calls of all.
pub(crate) fn raise_limit() {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current != maximum
        && let Err(error) = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum })
    {
        // It goes on with what there is: whoever needs more is told when it is used up.
        tracing::warn!(%error, "the limit on open files cannot be raised");
    }
}
