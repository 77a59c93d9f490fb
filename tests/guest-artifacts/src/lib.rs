//! The guests of the tests and the examples, as components, and where they lie.
//!
//! The build script builds every file of `tests/guests/src/bin`, `tests/sdk-operations` and every Rust package under
//! `examples`, once, with a Cargo of its own for `wasm32-wasip2`. So a plain `cargo test` or `cargo demo` on a fresh clone needs no other
//! step, and a change to a guest is built when the tests are.
//!
//! There is a constant for each guest (`exit-ok` is [`EXIT_OK`]), with its path, and [`ALL`] of them.
//!
//! A suite that invokes [`assert_every_guest_is_tested!`] in the module of its tests does not compile while a guest
//! has no test of its name there:
//!
//! ```text
//! mod tests {
//!     rolebox_guest_artifacts::assert_every_guest_is_tested!();
//!
//!     #[test]
//!     fn exit_ok() { … rolebox_guest_artifacts::EXIT_OK … }
//! }
//! ```

use std::io;
use std::path::Path;

mod place;

#[cfg(test)]
#[path = "../build/environment.rs"]
mod environment;

include!(concat!(env!("OUT_DIR"), "/guests.rs"));

/// The component of this guest, `exit-ok` for example.
///
/// # Panics
///
/// If there is no such guest: a test's own mistake.
pub fn guest(name: &str) -> &'static Path {
    match ALL.iter().find(|(guest, _)| *guest == name) {
        Some((_, path)) => Path::new(path),
        None => {
            panic!("no guest is named {name:?}; there are {:?}", ALL.iter().map(|(name, _)| name).collect::<Vec<_>>())
        }
    }
}

/// Puts each example's component where its task definition names it: `examples/NAME/NAME.wasm`. The build has done
/// that already; this mends it where somebody has deleted or replaced the file since. What is in place is left alone.
///
/// # Errors
///
/// What the file system says, with the path.
pub fn place_examples() -> io::Result<()> {
    for (image, path) in EXAMPLES {
        place::place(Path::new(path), Path::new(image))
            .map_err(|error| io::Error::new(error.kind(), format!("{image}: {error}")))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::PathBuf;

    use super::*;

    #[test]
    fn every_guest_is_a_component() {
        assert!(!ALL.is_empty());
        for (name, path) in ALL {
            let content = fs::read(path).expect(path);
            // <https://github.com/WebAssembly/component-model/blob/main/design/mvp/Binary.md>: version 13, layer 1.
            assert!(content.starts_with(b"\0asm\x0d\0\x01\0"), "{name} is no component");
            assert_eq!(guest(name), Path::new(path));
        }
    }

    #[test]
    #[should_panic(expected = "no guest is named \"exit-okay\"")]
    fn a_guest_that_is_not_there_is_named() {
        guest("exit-okay");
    }

    /// Every image that a task definition of an example names by path, if it is one of ours to build.
    #[test]
    fn each_example_s_image_lies_where_its_definitions_name_it() {
        place_examples().expect("the examples' folders can be written");
        for (image, built) in EXAMPLES {
            let folder = Path::new(image).parent().expect("an example's folder");
            let definitions: Vec<PathBuf> = fs::read_dir(folder)
                .expect("an example's folder")
                .map(|entry| entry.expect("an entry").path())
                .filter(|path| {
                    path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("task-definition"))
                })
                .collect();
            assert!(!definitions.is_empty(), "{}", folder.display());
            for definition in definitions {
                let text = fs::read_to_string(&definition).expect("a task definition");
                let json: serde_json::Value = serde_json::from_str(&text).expect("JSON");
                let named = json["containerDefinitions"][0]["image"].as_str().expect("an image");
                let content = fs::read(folder.join(named)).expect("the image that the definition names");
                assert!(content == fs::read(built).expect("the built component"), "{}", definition.display());
            }
        }
    }

    #[test]
    fn a_file_is_placed_whole_and_only_when_it_differs() {
        let folder = tempfile::tempdir().expect("a folder");
        let (from, to) = (folder.path().join("from"), folder.path().join("to.wasm"));
        fs::write(&from, "one").expect("written");
        assert!(place::place(&from, &to).expect("placed"));
        assert!(!place::place(&from, &to).expect("in place"));
        fs::write(&from, "two").expect("written");
        assert!(place::place(&from, &to).expect("replaced"));
        assert_eq!(fs::read(&to).expect("read"), b"two");

        // A goal that can't be replaced stays, and nothing is left beside it.
        let goal = folder.path().join("goal");
        fs::create_dir(&goal).expect("a folder in its place");
        fs::write(goal.join("kept"), "").expect("written");
        place::place(&from, &goal).expect_err("a folder is no file");
        let mut names: Vec<_> =
            fs::read_dir(folder.path()).expect("listed").map(|entry| entry.expect("an entry").file_name()).collect();
        names.sort();
        assert_eq!(names, ["from", "goal", "to.wasm"]);
    }
}
