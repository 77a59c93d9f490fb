//! `print STDOUT [STDERR]`: writes the texts, escapes resolved, and nothing else.

use std::io::Write;

use rolebox_test_guests::{arguments, unescape};

fn main() -> std::io::Result<()> {
    let arguments = arguments();
    let text = |index: usize| arguments.get(index).map(|text| unescape(text)).unwrap_or_default();
    std::io::stdout().write_all(&text(0))?;
    std::io::stdout().flush()?;
    std::io::stderr().write_all(&text(1))
}
