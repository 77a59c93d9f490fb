//! A suggestion for people: a block to paste, and what it leaves out.

use std::io;

use serde::Serialize;
use serde_json::ser::{Formatter, Serializer};

use super::Suggestion;

impl Suggestion {
    /// What there is to be said, one message after the other.
    pub(crate) fn messages(&self) -> Vec<String> {
        let mut messages = Vec::new();
        if self.suggested_capabilities.is_empty() {
            messages.push("the task made no AWS call that was allowed, so it needs no capabilities".to_owned());
        } else {
            let lines: Vec<_> = self
                .suggested_capabilities
                .iter()
                .map(|capability| format!("\n  {}", in_one_line(capability)))
                .collect();
            messages.push(format!(
                "what the task called is allowed by these capabilities:\n\"capabilities\": [{}\n]",
                lines.join(",")
            ));
        }
        messages.extend(self.suggestion_problems.iter().map(|problem| format!("but note: {problem}")));
        let mut listed = |title: &str, lines: Vec<String>| {
            if !lines.is_empty() {
                messages.push(format!("{title}\n  {}", lines.join("\n  ")));
            }
        };
        listed(
            "asked for, not granted, and not in the list:",
            self.not_granted
                .iter()
                .map(|denied| format!("{} on {}", denied.action, denied.resource.escape_debug()))
                .collect(),
        );
        listed(
            "refused without being understood:",
            self.not_understood
                .iter()
                .map(|refused| format!("{}: {}", refused.service.escape_debug(), refused.reason.escape_debug()))
                .collect(),
        );
        messages
    }
}

/// JSON on one line, with blanks where people put them. What moves a cursor is escaped, as JSON has it.
fn in_one_line(value: &impl Serialize) -> String {
    let mut json = Vec::new();
    // Plain data always has a form.
    let _ = value.serialize(&mut Serializer::with_formatter(&mut json, Spaced));
    let json = String::from_utf8(json).unwrap_or_default();
    let mut text = String::with_capacity(json.len());
    for letter in json.chars() {
        if letter.is_control() {
            text.push_str(&format!("\\u{:04x}", u32::from(letter)));
        } else {
            text.push(letter);
        }
    }
    text
}

struct Spaced;

impl Formatter for Spaced {
    fn begin_array_value<W: ?Sized + io::Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        if first { Ok(()) } else { writer.write_all(b", ") }
    }

    fn begin_object_key<W: ?Sized + io::Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        if first { Ok(()) } else { writer.write_all(b", ") }
    }

    fn begin_object_value<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        writer.write_all(b": ")
    }
}
