//! `cargo bench`: everything that this machine can measure, into `target/report/`. See [`rolebox_benches::run`].

use std::process::ExitCode;

fn main() -> ExitCode {
    match rolebox_benches::run::main() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // With its causes, and without the back trace that an environment may ask for.
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}
