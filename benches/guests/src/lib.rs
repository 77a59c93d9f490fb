//! What the guests have in common: words in, lines out.
//!
//! Each guest takes its work from the words behind the program's name, and prints what it measured when it is done, one
//! whole number of nanoseconds in decimal digits a line. What goes wrong is a line on stderr, and the exit code is 1.

use std::error::Error;
use std::fmt::Write as _;
use std::io::{self, Write};
use std::process::ExitCode;

/// What a guest prints, or why it has nothing to print.
pub type Outcome = Result<String, Box<dyn Error>>;

/// The words behind the program's name.
pub fn words() -> Vec<String> {
    std::env::args().skip(1).collect()
}

/// A line for each number.
pub fn lines(numbers: &[u64]) -> String {
    numbers.iter().fold(String::with_capacity(numbers.len() * 8), |mut lines, number| {
        // A String takes whatever is written to it.
        let _ = writeln!(lines, "{number}");
        lines
    })
}

/// Prints to stdout, or the error to stderr, and gives the exit code.
pub fn finish(outcome: Outcome) -> ExitCode {
    finish_to(io::stdout().lock(), outcome)
}

/// As [`finish`], for guests whose stdout is what they measure.
pub fn finish_on_stderr(outcome: Outcome) -> ExitCode {
    finish_to(io::stderr().lock(), outcome)
}

fn finish_to(mut out: impl Write, outcome: Outcome) -> ExitCode {
    match outcome.and_then(|text| Ok(out.write_all(text.as_bytes()).and_then(|()| out.flush())?)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Nothing is left to say it with if this fails.
            drop(out);
            let _ = writeln!(io::stderr(), "{error}");
            ExitCode::FAILURE
        }
    }
}
