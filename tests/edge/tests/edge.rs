//! The command without a compiler, linked statically: built by its recipe, it runs artifacts and nothing else.

#![allow(clippy::unwrap_used, reason = "a test that unwraps fails where it should")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use rolebox::artifact::{Machines, SigningKey, make_artifact};
use rolebox::compiler::Compiler;
use rolebox_guest_artifacts as artifacts;
use tempfile::TempDir;

/// The program, built with the development profile: what is tested is the recipe and the features, and the smallest one
/// takes minutes.
fn build() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap();
    let output = Command::new(root.join("runner/cli/build-edge")).args(["--profile", "dev"]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    PathBuf::from(String::from_utf8(output.stdout).unwrap().trim_end())
}

struct Edge {
    program: PathBuf,
    folder: TempDir,
}

impl Edge {
    fn run(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(&self.program);
        command.args(arguments).current_dir(self.folder.path()).env_clear().env("HOME", self.folder.path());
        command.output().unwrap()
    }

    fn prints(&self, arguments: &[&str], expected: &str) {
        let output = self.run(arguments);
        let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert_eq!((output.status.code(), &*stdout, &*stderr), (Some(0), expected, ""));
    }

    fn refuses(&self, arguments: &[&str], code: i32, expected: &str) {
        let output = self.run(arguments);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{stderr}");
        assert!(output.stdout.is_empty() && stderr.contains(expected), "{stderr}");
    }
}

/// Whether an ELF file asks for an interpreter (`PT_INTERP`) or libraries (`PT_DYNAMIC` with `DT_NEEDED`): a static one
/// does neither. <https://refspecs.linuxfoundation.org/elf/gabi4+/ch5.pheader.html>
fn is_static(program: &Path) -> bool {
    const PT_INTERP: u32 = 3;
    let bytes = fs::read(program).unwrap();
    assert_eq!(bytes[..5], *b"\x7fELF\x02", "a program of 64 bits");
    let half = |at: usize| usize::from(u16::from_le_bytes(bytes[at..at + 2].try_into().unwrap()));
    let start = usize::try_from(u64::from_le_bytes(bytes[32..40].try_into().unwrap())).unwrap();
    let (size, count) = (half(54), half(56));
    let kind = |index: usize| {
        let at = start + index * size;
        u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap())
    };
    (0..count).all(|index| kind(index) != PT_INTERP)
}

/// One test, since there is one program to build.
#[test]
fn a_static_program_without_a_compiler_runs_what_was_signed() {
    let edge = Edge { program: build(), folder: tempfile::tempdir().unwrap() };
    assert!(is_static(&edge.program));

    let path = |name: &str| edge.folder.path().join(name);
    let key = SigningKey::create(&path("private.pem"), &path("public.pem")).unwrap();
    SigningKey::create(&path("other-private.pem"), &path("other.pem")).unwrap();
    let module = wat::parse_str("(module (memory (export \"memory\") 1) (func (export \"_start\")))").unwrap();
    fs::write(path("module.wasm"), module).unwrap();
    for (image, artifact) in [(Path::new(artifacts::PRINT), "print.cwasm"), (&path("module.wasm"), "module.cwasm")] {
        let bytes = make_artifact(image, &Compiler::in_process(), Machines::Any, &key).unwrap();
        fs::write(path(artifact), bytes).unwrap();
    }

    let accepted = ["--artifact-key", "public.pem"];
    let with_key = |arguments: &[&'static str]| [arguments, &accepted].concat();
    edge.prints(&with_key(&["run", "module.cwasm"]), "");
    let definition = serde_json::json!({
        "family": "edge",
        "containerDefinitions": [{"name": "app", "image": "print.cwasm", "memory": 16, "command": ["signed and run"]}],
    });
    fs::write(path("task-definition.json"), definition.to_string()).unwrap();
    edge.prints(&with_key(&["run", "task-definition.json"]), "signed and run");

    // Nothing but that.
    edge.refuses(&["run", "print.cwasm"], 126, "no key is accepted");
    edge.refuses(&["run", "print.cwasm", "--artifact-key", "other.pem"], 126, "not a key that is accepted");
    edge.refuses(&with_key(&["run", "module.wasm"]), 126, "this build of rolebox has no compiler");
    fs::copy(artifacts::PRINT, path("image.wasm")).unwrap();
    edge.refuses(&with_key(&["run", "image.wasm"]), 126, "this build of rolebox has no compiler");
    let mut altered = fs::read(path("print.cwasm")).unwrap();
    *altered.last_mut().unwrap() ^= 1;
    fs::write(path("altered.cwasm"), altered).unwrap();
    edge.refuses(&with_key(&["run", "altered.cwasm"]), 126, "its code is not what was signed");
    for absent in ["compile", "local-aws", "__compile-image"] {
        edge.refuses(&[absent], 125, "unrecognized subcommand");
    }
}
