//! `print-forever [stderr]`: prints lines without end, to stdout if not told otherwise. An error in writing ends it,
//! with failure.

use std::io::Write;

use rolebox_test_guests::arguments;

fn main() -> std::io::Result<()> {
    let line = [b"all work and no play makes a log full\n".as_slice(); 100].concat();
    let to_stderr = arguments().first().is_some_and(|stream| stream == "stderr");
    loop {
        if to_stderr {
            std::io::stderr().write_all(&line)?;
        } else {
            std::io::stdout().write_all(&line)?;
        }
    }
}
