//! What the command itself says: on stderr, or as the answer of a command on stdout.

use std::io::{self, IsTerminal, Write};

use serde::Serialize;

use crate::arguments::OutputFormat;
use crate::failure::Failure;

/// Where and how things are said.
#[derive(Debug)]
pub(crate) struct Console {
    format: OutputFormat,
    stdout: Paint,
    stderr: Paint,
}

/// Whether a stream shows colours.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Paint(bool);

impl Paint {
    /// Colours on a terminal that has some, unless <https://no-color.org> asks for none.
    pub(crate) fn on(is_terminal: bool) -> Self {
        let unwanted = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let dumb = std::env::var_os("TERM").is_some_and(|value| value == "dumb");
        Self(is_terminal && !unwanted && !dumb)
    }

    /// Whether there are colours.
    pub(crate) fn is_on(self) -> bool {
        self.0
    }

    pub(crate) fn bold(self, text: &str) -> String {
        self.with("1", text)
    }

    pub(crate) fn dim(self, text: &str) -> String {
        self.with("2", text)
    }

    pub(crate) fn red(self, text: &str) -> String {
        self.with("1;31", text)
    }

    pub(crate) fn yellow(self, text: &str) -> String {
        self.with("33", text)
    }

    fn with(self, code: &str, text: &str) -> String {
        if self.0 { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }
}

impl Console {
    pub(crate) fn new(format: OutputFormat) -> Self {
        Self { format, stdout: Paint::on(io::stdout().is_terminal()), stderr: Paint::on(io::stderr().is_terminal()) }
    }

    pub(crate) fn format(&self) -> OutputFormat {
        self.format
    }

    /// The colours of answers.
    pub(crate) fn paint(&self) -> Paint {
        self.stdout
    }

    /// Whether somebody watches stderr, and it is theirs to read rather than a program's.
    pub(crate) fn has_audience(&self) -> bool {
        self.format == OutputFormat::Text && io::stderr().is_terminal()
    }

    /// Says why the command failed.
    pub(crate) fn failure(&self, failure: &Failure) {
        match self.format {
            OutputFormat::Text => self.say_in(Paint::red, &failure.to_string()),
            OutputFormat::Json => self.report(&failure.json()),
        }
    }

    /// Says `message` on stderr, to people.
    pub(crate) fn say(&self, message: &str) {
        self.say_in(Paint::bold, message);
    }

    fn say_in(&self, paint: fn(Paint, &str) -> String, message: &str) {
        let name = paint(self.stderr, "rolebox:");
        // With stderr closed there is nobody to tell.
        let _ = writeln!(io::stderr(), "{name} {}", printable(message));
    }

    /// Writes `report` as one line of JSON on stderr.
    pub(crate) fn report(&self, report: &impl Serialize) {
        let line = serde_json::to_string(report).unwrap_or_else(|error| format!("{{\"error\":\"{error}\"}}"));
        let _ = writeln!(io::stderr(), "{line}");
    }

    /// Writes the command's answer to stdout.
    pub(crate) fn answer(&self, answer: &str) -> Result<(), Failure> {
        let mut stdout = io::stdout().lock();
        match stdout.write_all(answer.as_bytes()).and_then(|()| stdout.flush()) {
            // Whoever read has read enough: `rolebox explain … | head`.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            Err(error) => Err(Failure::runner(error).context("the answer cannot be written to stdout")),
            Ok(()) => Ok(()),
        }
    }

    /// Writes the command's answer to stdout, as indented JSON.
    pub(crate) fn answer_json(&self, answer: &impl Serialize) -> Result<(), Failure> {
        let mut json = serde_json::to_string_pretty(answer).map_err(Failure::runner)?;
        json.push('\n');
        self.answer(&json)
    }
}

/// `text` without what moves a cursor: parts of a message are a guest's, a file's or a server's words.
pub(crate) fn printable(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '\n' | '\t' => shown.push(letter),
            letter if letter.is_control() => shown.extend(letter.escape_default()),
            letter => shown.push(letter),
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_words_cannot_move_the_cursor() {
        assert_eq!(printable("a\x1b[2Jb\r\u{9b}1m\tc\nd"), "a\\u{1b}[2Jb\\r\\u{9b}1m\tc\nd");
    }
}
