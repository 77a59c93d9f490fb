//! The AWS CLI, cut off from the caller's own configuration.

use std::ffi::OsStr;
use std::process::{Command, ExitStatus, Stdio};

use crate::{PeerError, Peers};

/// The AWS CLI with an environment of its own.
#[derive(Clone, Debug)]
pub struct AwsCli {
    peers: Peers,
    environment: Vec<(String, String)>,
}

/// How a command ended.
#[derive(Clone, Debug)]
pub struct CliOutput {
    /// Its exit status: 0 for success, 254 for an error of the service.
    pub status: ExitStatus,
    /// What it wrote.
    pub stdout: Vec<u8>,
    /// Its messages.
    pub stderr: String,
}

impl Peers {
    /// The AWS CLI. Its environment holds what is given here, such as `AWS_ENDPOINT_URL`, `AWS_REGION`,
    /// `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`, and no other variable of AWS's.
    pub fn aws<N: Into<String>, V: Into<String>>(&self, environment: impl IntoIterator<Item = (N, V)>) -> AwsCli {
        let environment = environment.into_iter().map(|(name, value)| (name.into(), value.into())).collect();
        AwsCli { peers: self.clone(), environment }
    }
}

impl AwsCli {
    /// Runs `aws` with these arguments to its end. That the service refuses is no error here: see the output.
    ///
    /// # Errors
    /// When the CLI can't be run.
    pub fn run<A: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = A>) -> Result<CliOutput, PeerError> {
        let program = self.peers.program("aws");
        let mut command = Command::new(&program);
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("AWS_") {
                command.env_remove(name);
            }
        }
        let output = command
            .args(arguments)
            // No files of the user's, no instance metadata, one attempt.
            .env("AWS_CONFIG_FILE", "/dev/null")
            .env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .env("AWS_MAX_ATTEMPTS", "1")
            .env("AWS_PAGER", "")
            // The first version of the CLI knows the Region by its older name only.
            .env("AWS_DEFAULT_REGION", "us-east-1")
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .output()
            .map_err(|source| PeerError::Run {
                program: program.display().to_string(),
                mend: "delete the folder `peers` in the target folder to install it anew",
                source,
            })?;
        Ok(CliOutput {
            status: output.status,
            stdout: output.stdout,
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        })
    }
}
