//! One hostile image, the limits that it runs under, and how it has to end.

use std::fmt;
use std::path::Path;

use rolebox::StoppedTask;
use rolebox_suite::{Host, image_file, task, with_key};
use serde_json::{Value, json};

/// What a case that ends by itself has for it: enough on a loaded machine, and a case that hangs still ends.
const AMPLE: &str = "60s";

/// What a case that never ends by itself gets.
const SHORT: &str = "250ms";

/// The longest refusal or reason, in bytes. What a guest wrote into its image must not fill a log.
const LONGEST_MESSAGE: usize = 4_096;

/// A row of the suite.
#[derive(Clone)]
pub(super) struct Case {
    pub(super) name: String,
    image: Vec<u8>,
    memory: u32,
    timeout: &'static str,
    limits: Value,
    pub(super) end: End,
}

/// How a case has to end.
#[derive(Debug, Clone)]
pub(super) enum End {
    /// `prepare` refuses it, and says this.
    Refused(&'static str),
    /// It runs to its own end, with this exit code.
    Exits(i32),
    /// It is ended with this exit code and stop code, and a reason that begins and goes on like this.
    Stopped { code: i32, stop_code: &'static str, begins: &'static str, says: &'static str },
    /// It runs in any way that a task can end in, or is refused because it could not be compiled within the host's
    /// bounds, linked or started.
    Survived,
}

impl Case {
    pub(super) fn new(name: impl Into<String>, image: Vec<u8>, end: End) -> Self {
        let timeout = match end {
            End::Stopped { begins: TIMED_OUT, .. } | End::Survived => SHORT,
            _ => AMPLE,
        };
        Self { name: name.into(), image, memory: 16, timeout, limits: json!({}), end }
    }

    /// The container's `memory`, in MiB; 16 unless told otherwise.
    pub(super) fn memory(mut self, memory: u32) -> Self {
        self.memory = memory;
        self
    }

    /// The task's `timeout`, as a definition writes it; by how the case ends unless told otherwise.
    pub(super) fn timeout(mut self, timeout: &'static str) -> Self {
        self.timeout = timeout;
        self
    }

    /// `rolebox.limits` of the definition.
    pub(super) fn limits(mut self, limits: Value) -> Self {
        self.limits = limits;
        self
    }

    /// Runs the case and says how it ended otherwise than it has to, if it did.
    pub(super) async fn run(&self, host: &Host, folder: &Path) -> Option<String> {
        let found = self.found(host, folder).await;
        (!self.end.met_by(&found)).then(|| format!("{}\n   expected {:?}\n   found    {found}", self.name, self.end))
    }

    async fn found(&self, host: &Host, folder: &Path) -> Found {
        let name = format!("{}.wasm", self.name.replace(|c: char| !c.is_ascii_alphanumeric(), "-"));
        let image = image_file(folder, &name, &self.image);
        let definition = with_key(task(&image, &["argument"]), "timeout", json!(self.timeout));
        let mut definition = with_key(definition, "limits", self.limits.clone());
        definition["containerDefinitions"][0]["memory"] = json!(self.memory);
        let found = match host.prepare(&definition).await {
            Err(error) => Found::Refused(error.to_string()),
            Ok(_) => Found::Stopped(Box::new(host.run(&definition).await.stopped), u64::from(self.memory) << 20),
        };
        std::fs::remove_file(image).unwrap();
        found
    }
}

/// How a case ended.
enum Found {
    Refused(String),
    /// Together with the container's memory, in bytes.
    Stopped(Box<StoppedTask>, u64),
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(error) => write!(f, "refused: {error:?}"),
            Self::Stopped(stopped, _) => write!(f, "{stopped:?}"),
        }
    }
}

impl End {
    fn met_by(&self, found: &Found) -> bool {
        let message = match found {
            Found::Refused(error) => error,
            Found::Stopped(stopped, memory) => {
                if stopped.containers.iter().any(|container| container.peak_memory > *memory) {
                    return false;
                }
                &stopped.stopped_reason
            }
        };
        if message.len() > LONGEST_MESSAGE || message.contains(char::is_control) {
            return false;
        }
        if HOST_FAILED.iter().any(|failed| message.contains(failed)) {
            return false;
        }
        match (self, found) {
            (Self::Refused(says), Found::Refused(error)) => error.contains(says),
            (Self::Exits(code), Found::Stopped(stopped, _)) => {
                stopped.exit_code() == *code
                    && stopped.stop_code.to_string() == EXITED
                    && stopped.stopped_reason == "Essential container in task exited"
            }
            (Self::Stopped { code, stop_code, begins, says }, Found::Stopped(stopped, _)) => {
                stopped.exit_code() == *code
                    && stopped.stop_code.to_string() == *stop_code
                    && stopped.stopped_reason.strip_prefix(begins).is_some_and(|rest| rest.contains(says))
            }
            (Self::Survived, Found::Refused(_)) => true,
            (Self::Survived, Found::Stopped(stopped, _)) => {
                [EXITED, NEVER_STARTED].contains(&stopped.stop_code.to_string().as_str())
            }
            _ => false,
        }
    }
}

const EXITED: &str = "EssentialContainerExited";
const NEVER_STARTED: &str = "TaskFailedToStart";
const TIMED_OUT: &str = "TimeoutError: ";

/// What is said where the host's own code panicked, in a host function or in the compiler.
const HOST_FAILED: [&str; 2] = ["the host failed", "stopped unexpectedly"];

/// It did what wasm or the host does not allow.
pub(super) fn traps(says: &'static str) -> End {
    End::Stopped { code: 134, stop_code: EXITED, begins: "the guest trapped: ", says }
}

/// It asked for more than its memory.
pub(super) fn out_of_memory() -> End {
    End::Stopped { code: 137, stop_code: EXITED, begins: "OutOfMemoryError: ", says: "" }
}

/// Its time ran out.
pub(super) fn timed_out() -> End {
    End::Stopped { code: 137, stop_code: EXITED, begins: TIMED_OUT, says: "" }
}

/// It printed more than it may.
pub(super) fn output_limit() -> End {
    End::Stopped { code: 137, stop_code: EXITED, begins: "OutputLimitError: ", says: "" }
}

/// No instance of it came to be.
pub(super) fn cannot_start(says: &'static str) -> End {
    End::Stopped { code: 125, stop_code: NEVER_STARTED, begins: "CannotStartContainerError: ", says }
}
