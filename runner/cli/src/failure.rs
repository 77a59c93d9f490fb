//! What can go wrong, with the exit code that says so.

use std::fmt;
use std::path::Path;

use rolebox::definition::{DefinitionError, Problem};
use serde::Serialize;

/// The runner or the definition failed: a mistake in the command line too.
pub(crate) const RUNNER_FAILED: u8 = 125;
/// The image could not be loaded or linked, or has nothing to run.
pub(crate) const IMAGE_FAILED: u8 = 126;
/// Stopped by a signal before there was a task; a task's own ending of this kind has the same code.
pub(crate) const STOPPED: u8 = 137;

/// Why the command ends without the outcome of a task.
#[derive(Debug)]
pub(crate) struct Failure {
    exit_code: u8,
    error: anyhow::Error,
    /// The single mistakes of a definition, or of the flags that stand for one.
    problems: Vec<Problem>,
}

/// What `--output json` prints for a failure, on stderr.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct FailureJson<'a> {
    error: String,
    exit_code: u8,
    problems: Vec<ProblemJson<'a>>,
}

/// One mistake in a definition.
#[derive(Debug, Serialize)]
struct ProblemJson<'a> {
    path: &'a str,
    what: &'a str,
    mend: &'a str,
}

impl Failure {
    /// A failure of the runner.
    pub(crate) fn runner(error: impl Into<anyhow::Error>) -> Self {
        Self { exit_code: RUNNER_FAILED, error: error.into(), problems: Vec::new() }
    }

    /// A failure of the runner in these words.
    pub(crate) fn because(message: impl fmt::Display + fmt::Debug + Send + Sync + 'static) -> Self {
        Self::runner(anyhow::Error::msg(message))
    }

    /// An image that can't be run.
    pub(crate) fn image(error: impl Into<anyhow::Error>) -> Self {
        Self { exit_code: IMAGE_FAILED, ..Self::runner(error) }
    }

    /// A signal that came before there was a task.
    pub(crate) fn stopped(signal: &str) -> Self {
        Self { exit_code: STOPPED, ..Self::because(format!("stopped by {signal} before the task started")) }
    }

    /// Mistakes in the definition at `file`.
    pub(crate) fn definition(file: &Path, error: DefinitionError) -> Self {
        let problems = error.problems().to_vec();
        let file = file.display();
        let message = match &error {
            // Names the file itself.
            DefinitionError::Unreadable { .. } => error.to_string(),
            _ => match problems.as_slice() {
                [] | [_] => format!("{file}: {error}"),
                several => listed(&format!("{file} has {} problems:", several.len()), several),
            },
        };
        Self { problems, ..Self::because(message) }
    }

    /// Mistakes in flags; each problem's path is a flag.
    pub(crate) fn flags(problems: Vec<Problem>) -> Self {
        let message = match problems.as_slice() {
            [problem] => problem.to_string(),
            several => listed("the flags make no task:", several),
        };
        Self { problems, ..Self::because(message) }
    }

    /// The same, with what was being done in front.
    pub(crate) fn context(self, context: impl fmt::Display + Send + Sync + 'static) -> Self {
        Self { error: self.error.context(context), ..self }
    }

    /// What the process exits with.
    pub(crate) fn exit_code(&self) -> u8 {
        self.exit_code
    }

    /// What is printed under `--output json`.
    pub(crate) fn json(&self) -> FailureJson<'_> {
        FailureJson {
            error: self.to_string(),
            exit_code: self.exit_code,
            problems: self
                .problems
                .iter()
                .map(|problem| ProblemJson { path: &problem.path, what: &problem.what, mend: &problem.mend })
                .collect(),
        }
    }
}

fn listed(title: &str, problems: &[Problem]) -> String {
    problems.iter().fold(title.to_owned(), |mut text, problem| {
        text.push_str("\n  ");
        text.push_str(&problem.to_string());
        text
    })
}

impl fmt::Display for Failure {
    /// The whole chain of causes. Some errors of libraries repeat their cause in their own words; it is said once.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut said = String::new();
        for cause in self.error.chain() {
            let cause = cause.to_string();
            if said.contains(&cause) {
                continue;
            }
            if !said.is_empty() {
                said.push_str(": ");
            }
            said.push_str(&cause);
        }
        f.write_str(&said)
    }
}
