//! Where installed programs are, and what version they say they are.
//!
//! The script's own folder comes first: what it builds has the version that the report is about. The folders of system
//! programs come last, since containerd and runc are in them and not everybody's `PATH` has them. Nothing is
//! downloaded.

use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{BOUND, Inputs, Missing, child};

/// The program of that name.
pub(crate) fn program(inputs: &Inputs, name: &str) -> Result<PathBuf, Missing> {
    [inputs.prefix.join("bin")]
        .into_iter()
        .chain(folders(inputs))
        .map(|folder| folder.join(name))
        .find(|path| runs(path))
        .ok_or_else(|| not_installed(name))
}

/// The `PATH` for programs that start others of the system by their names.
pub(crate) fn path(inputs: &Inputs) -> OsString {
    // It was taken apart at its colons, so no part has one.
    std::env::join_paths(folders(inputs)).unwrap_or_else(|_| inputs.path.clone())
}

/// What is said of anything that the script would install.
pub(crate) fn not_installed(name: &str) -> Missing {
    Missing::NotInstalled(format!("{name} is not installed; benches/install-baselines.sh installs it"))
}

/// The version in what the program says when asked for it.
pub(crate) fn version(program: &Path) -> Result<String, Missing> {
    let ended = child::run(Command::new(program).arg("--version"), BOUND)?;
    first_version(&ended.said())
        .ok_or_else(|| Missing::NotPossible(format!("{} --version names no version", program.display())))
}

/// The first word of the first line that begins with a digit, or with `v` and a digit.
fn first_version(said: &str) -> Option<String> {
    said.lines()
        .next()?
        .split_whitespace()
        .map(|word| word.strip_prefix('v').unwrap_or(word))
        .find(|word| word.starts_with(|first: char| first.is_ascii_digit()))
        .map(|word| word.trim_end_matches(',').to_owned())
}

fn folders(inputs: &Inputs) -> impl Iterator<Item = PathBuf> {
    // Nothing of the system is looked at in tests, where nothing is to be found.
    let system = ["/usr/sbin", "/sbin"].into_iter().filter(|_| !cfg!(test)).map(PathBuf::from);
    // An empty entry of PATH means the current folder, which is not where anybody installs these.
    std::env::split_paths(&inputs.path).chain(system).filter(|folder| folder.is_absolute())
}

fn runs(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_found_in_what_programs_say() {
        let table = [
            ("bubblewrap 0.8.0\n", Some("0.8.0")),
            ("crun version 1.8.1\ncommit: f8a096be060b22ccd3d5f3ebe44108517fbf6c30\n", Some("1.8.1")),
            ("runc version 1.1.5+ds1\ncommit: 1.1.5\n", Some("1.1.5+ds1")),
            ("containerd example.org/containerd 1.6.20~ds1 1.6.20~ds1-1\n", Some("1.6.20~ds1")),
            ("runsc version 0.0~20221219.0\nspec: 1.0.2\n", Some("0.0~20221219.0")),
            ("v20.20.2\n", Some("20.20.2")),
            ("workerd 2026-11-17\n", Some("2026-11-17")),
            ("wasmtime 48.0.8 (0123456789 2026-11-01)\n", Some("48.0.8")),
            ("QEMU emulator version 7.2.22 (Debian 1:7.2)\n", Some("7.2.22")),
            ("usage: something\n1.0\n", None),
            ("", None),
        ];
        for (said, version) in table {
            assert_eq!(first_version(said).as_deref(), version, "{said}");
        }
    }

    #[test]
    fn the_scripts_own_folder_comes_first() {
        let folder = tempfile::tempdir().unwrap();
        let prefix = folder.path().join("prefix");
        let system = folder.path().join("system");
        let make = |path: &Path, mode| {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
            fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        };
        let inputs = Inputs {
            programs: crate::programs::Programs::at(folder.path()),
            work: folder.path().to_path_buf(),
            prefix: prefix.clone(),
            path: system.clone().into_os_string(),
        };
        make(&system.join("thing"), 0o755);
        assert_eq!(program(&inputs, "thing"), Ok(system.join("thing")));
        make(&prefix.join("bin/thing"), 0o644);
        assert_eq!(program(&inputs, "thing"), Ok(system.join("thing")), "a file that does not run is no program");
        make(&prefix.join("bin/thing"), 0o755);
        assert_eq!(program(&inputs, "thing"), Ok(prefix.join("bin/thing")));
    }
}
