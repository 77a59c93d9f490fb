//! The `rolebox` command: an embedder of the library `rolebox` that takes its settings from flags and from the standard
//! AWS environment.
//!
//! One file a command, in [`commands`]. What is outside is stable: the flags, the exit codes in [`failure`], and the JSON
//! that `--output json` gives. What a task prints passes through byte for byte; what the command itself says goes to
//! stderr, but for the answers of `explain` and `local-aws`, which are what those print.

mod arguments;
mod aws;
mod bounds;
#[cfg(feature = "compiler")]
mod code_cache;
mod commands;
mod compiling;
mod component;
mod console;
mod descriptors;
mod explanation;
mod failure;
mod input;
#[cfg(feature = "local-aws")]
mod local;
#[cfg(not(feature = "local-aws"))]
#[path = "local/absent.rs"]
mod local;
mod logging;
mod request;
mod signals;
mod suggestion;
mod task_output;

use std::process::ExitCode;

use crate::arguments::{Command, Invocation};
use crate::console::Console;
use crate::failure::Failure;

fn main() -> ExitCode {
    #[cfg(feature = "compiler")]
    if compiling::is_worker() {
        return rolebox::compiler::compile_worker();
    }
    let invocation = match arguments::read() {
        Ok(invocation) => invocation,
        Err(exit_code) => return exit_code,
    };
    let console = Console::new(invocation.output);
    logging::start(invocation.log);
    match run(invocation, &console) {
        Ok(exit_code) => ExitCode::from(exit_code),
        Err(failure) => {
            console.failure(&failure);
            ExitCode::from(failure.exit_code())
        }
    }
}

fn run(invocation: Invocation, console: &Console) -> Result<u8, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::runner(error).context("the threads of the runner cannot be started"))?;
    let result = runtime.block_on(async {
        match invocation.command {
            Command::Run(arguments) => commands::run::run(*arguments, console).await,
            #[cfg(feature = "compiler")]
            Command::Compile(arguments) => commands::compile::compile(*arguments, console).await,
            Command::Explain(arguments) => commands::explain::explain(*arguments, console).await,
            #[cfg(feature = "local-aws")]
            Command::LocalAws(arguments) => commands::local_aws::serve(arguments, console).await,
        }
    });
    // A file of a guest's that never answers, or a compiler that was interrupted, holds a thread: the process ends
    // without waiting for it.
    runtime.shutdown_background();
    result
}
