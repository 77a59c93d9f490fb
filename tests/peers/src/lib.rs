//! Peers for tests: moto as an AWS that nobody here wrote, and the AWS CLI as such a client.
//!
//! They come from PyPI into a virtual environment under the target folder, once for each state of `requirements.txt`.
//! [`Peers::install`] makes it, or finds it made; [`Peers::moto`] starts a server that ends with its handle;
//! [`Peers::aws`] runs the CLI with nothing of the caller's own AWS configuration.
//!
//! What moto does not do, so that no test relies on it: session policies, conditions, permissions boundaries, copy
//! sources, body hashes, clock skew, expiry and Regions are not enforced, and a trust policy admits only those whose ARN
//! it spells out.

mod cli;
mod install;
mod moto;

pub use cli::{AwsCli, CliOutput};
pub use install::Peers;
pub use moto::{AccessKey, Moto, Role, User};

/// Why a peer can't be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PeerError {
    /// A program could not be run at all.
    #[error("{program} can't be run: {source}; {mend}")]
    Run {
        /// The program.
        program: String,
        /// What to do.
        mend: &'static str,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A program ended with an error.
    #[error("{what} failed with {status}; {mend}\n{output}")]
    Failed {
        /// What was done.
        what: String,
        /// How it ended.
        status: std::process::ExitStatus,
        /// What to do.
        mend: &'static str,
        /// What it wrote, if it was not shown already.
        output: String,
    },
    /// A file could not be read or written.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: std::path::PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// moto ended, or wrote something else than where it listens.
    #[error("moto_server did not start; it wrote:\n{0}")]
    NotStarted(String),
    /// moto answered something unexpected.
    #[error("moto answered {0}")]
    Answer(String),
}
