//! Putting a built component where it is looked for. The build script and the library share this file.

use std::path::Path;
use std::{fs, io};

/// Makes `to` a copy of `from`; says whether it had to.
///
/// A file that is the same already is left alone, and with it its time of change. Another one is replaced by a
/// rename: who reads `to` meanwhile sees the old file or the new one, never a part, and who has mapped the old one
/// keeps it.
pub(crate) fn place(from: &Path, to: &Path) -> io::Result<bool> {
    let content = fs::read(from)?;
    if fs::read(to).is_ok_and(|present| present == content) {
        return Ok(false);
    }
    // Beside its goal, since a rename does not cross file systems; named after the process, since two may do this.
    let partial = to.with_added_extension(format!("{}.partial", std::process::id()));
    let placed = fs::write(&partial, content).and_then(|()| fs::rename(&partial, to));
    if placed.is_err() {
        let _ = fs::remove_file(&partial);
    }
    placed.map(|()| true)
}
