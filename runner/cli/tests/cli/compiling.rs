//! `rolebox compile`, and running what it made.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use serde_json::json;

use super::{Outcome, Sandbox, printing};

/// As `openssl genpkey -algorithm ed25519` wrote it, for these tests alone.
const PRIVATE: &str = "-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIJFX9gOyY0/9BWrvGBZi+Vp1W84zAHHzqoTtqLWvasN/
-----END PRIVATE KEY-----
";

/// As `openssl pkey -pubout` wrote it.
const PUBLIC: &str = "-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEAFTHD15eVqktPt7x5XzBtcooGiiyQ3eDL1TC5s+VKg1s=
-----END PUBLIC KEY-----
";

/// Somebody else's.
const OTHER_PUBLIC: &str = "-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEAYfMR+G4gu5kHyuIaic95do6sF0i8SZmYpKhMR8n9YXc=
-----END PUBLIC KEY-----
";

/// A key for X25519.
const NO_ED25519: &str = "-----BEGIN PUBLIC KEY-----
MCowBQYDK2VuAyEACIk6m8bzcqQjXnEZzVdcDymzLfMVMTg/7SSLpR+0lyw=
-----END PUBLIC KEY-----
";

const KEY_NAME: &str = "ed25519:1531c3d79795aa4b4fb7bc795f306d728a068a2c90dde0cbd530b9b3e54a835b";

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("a mode");
}

/// A sandbox with an image that prints, and both keys.
fn sandbox() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.file("app.wasm", printing(1, b"printed\n", ""));
    sandbox.file("public.pem", PUBLIC);
    sandbox.file("other.pem", OTHER_PUBLIC);
    set_mode(&sandbox.file("private.pem", PRIVATE), 0o600);
    sandbox
}

/// The same with an artifact of the image.
fn compiled(name: &str) -> (Sandbox, PathBuf) {
    let sandbox = sandbox();
    let outcome = sandbox.run(&["compile", "app.wasm", "-o", name, "--key", "private.pem"]);
    assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(0), ""));
    let artifact = sandbox.path().join(name);
    let size = fs::metadata(&artifact).expect("an artifact").len();
    assert_eq!(outcome.text(), format!("{name} has {size} bytes and is signed with {KEY_NAME}\n"));
    (sandbox, artifact)
}

fn refused(outcome: &Outcome, code: i32, expected: &str) {
    assert_eq!((outcome.code, outcome.text()), (Some(code), ""), "{}", outcome.stderr);
    assert!(outcome.stderr.contains(expected), "{}", outcome.stderr);
}

#[test]
fn an_artifact_runs_with_the_key_that_it_is_signed_with() {
    for name in ["app.cwasm", "app.signed.wasm", "artifact"] {
        let (sandbox, _) = compiled(name);
        fs::remove_file(sandbox.path().join("app.wasm")).expect("the image is not needed any more");
        for keys in [
            ["--artifact-key", "public.pem"].as_slice(),
            &["--artifact-key", "other.pem", "--artifact-key", "public.pem"],
        ] {
            let outcome = sandbox.run(&[&["run", name], keys].concat());
            assert_eq!((outcome.code, outcome.text(), outcome.stderr.as_str()), (Some(0), "printed\n", ""));
        }
    }
}

#[test]
fn a_definition_may_name_an_artifact() {
    let (sandbox, artifact) = compiled("artifact.bin");
    for image in [artifact.display().to_string(), "app.cwasm".to_owned()] {
        fs::copy(&artifact, sandbox.path().join("app.cwasm")).expect("a copy");
        let definition = sandbox.definition(|document| document["containerDefinitions"][0]["image"] = json!(image));
        let definition = definition.display().to_string();
        let outcome = sandbox.run(&["run", &definition, "--artifact-key", "public.pem"]);
        assert_eq!((outcome.code, outcome.text(), outcome.stderr.as_str()), (Some(0), "printed\n", ""));
        refused(&sandbox.run(&["run", &definition]), 126, "no key is accepted");
        // What it imports can be told too.
        let outcome = sandbox.run(&["explain", &definition, "--artifact-key", "public.pem"]);
        assert!(outcome.code == Some(0) && outcome.text().contains("wasi_snapshot_preview1"), "{}", outcome.stderr);
    }
}

#[test]
fn an_artifact_is_refused_without_its_key_or_when_it_was_altered() {
    let (sandbox, artifact) = compiled("app.cwasm");
    let run = |keys: &[&str]| sandbox.run(&[&["run", "app.cwasm"], keys].concat());
    refused(&run(&[]), 126, "no key is accepted, and it is signed with ed25519:1531c3d7");
    refused(&run(&["--artifact-key", "other.pem"]), 126, "which is not a key that is accepted");

    let whole = fs::read(&artifact).expect("the artifact");
    let with_key = |bytes: &[u8]| {
        fs::write(&artifact, bytes).expect("written");
        run(&["--artifact-key", "public.pem"])
    };
    let flipped = |place: usize| {
        let mut bytes = whole.clone();
        bytes[place] ^= 1;
        bytes
    };
    let code = whole.windows(4).position(|bytes| bytes == b"\x7fELF").expect("code");
    for (bytes, expected) in [
        (whole[..whole.len() - 1].to_vec(), "cut short"),
        (whole[..100].to_vec(), "cut short"),
        ([whole.as_slice(), b"x"].concat(), "1 bytes follow its end"),
        (flipped(code + 5_000), "its code is not what was signed"),
        // The kind of image: component and module swapped.
        (
            {
                let mut bytes = whole.clone();
                bytes[10] = 1;
                bytes
            },
            "its signature is not",
        ),
        (flipped(20), "its signature is not"),
        (flipped(code - 1), "its signature is not"),
        (flipped(8), "format is version 0"),
        // Without a head it is code of anybody's.
        (whole[code..].to_vec(), "compiled code without a signature"),
    ] {
        refused(&with_key(&bytes), 126, expected);
    }
    assert_eq!(with_key(&whole).text(), "printed\n");
}

#[test]
fn keys_that_are_none_are_refused_by_name() {
    let sandbox = sandbox();
    sandbox.file("x25519.pem", NO_ED25519);
    for (key, expected) in [
        ("missing.pem", "No such file"),
        ("app.wasm", "--artifact-key: app.wasm"),
        ("private.pem", "it is a private key"),
        ("x25519.pem", "not an Ed25519 public key"),
    ] {
        refused(&sandbox.run(&["run", "app.wasm", "--artifact-key", key]), 125, expected);
    }
    let compile = |key: &str| sandbox.run(&["compile", "app.wasm", "-o", "app.cwasm", "--key", key]);
    refused(&compile("missing.pem"), 125, "missing.pem");
    refused(&compile("public.pem"), 125, "others may read it");
    set_mode(&sandbox.path().join("public.pem"), 0o600);
    refused(&compile("public.pem"), 125, "not an Ed25519 private key");
    for mode in [0o640, 0o644, 0o602] {
        set_mode(&sandbox.path().join("private.pem"), mode);
        refused(&compile("private.pem"), 125, "chmod 600");
    }
    assert!(!sandbox.path().join("app.cwasm").exists());
}

#[test]
fn what_could_not_run_is_not_compiled() {
    let sandbox = sandbox();
    sandbox.file("text.wasm", "text");
    sandbox.file("library.wasm", wat::parse_str("(module)").expect("a module"));
    sandbox.file("foreign.wasm", wat::parse_str("(module (import \"env\" \"f\" (func)))").expect("a module"));
    for (image, expected) in [
        ("missing.wasm", "No such file"),
        ("text.wasm", "not a WebAssembly component or module"),
        ("library.wasm", "nothing to run"),
        ("foreign.wasm", "not granted"),
        (".", "not a regular file"),
    ] {
        let outcome = sandbox.run(&["compile", image, "-o", "out.cwasm", "--key", "private.pem"]);
        refused(&outcome, 126, expected);
        assert!(!sandbox.path().join("out.cwasm").exists());
    }
    let outcome = sandbox.run(&["compile", "app.wasm", "-o", "no/folder", "--key", "private.pem"]);
    refused(&outcome, 125, "no/folder: the artifact cannot be written");
}

#[test]
fn without_a_key_one_is_made_and_kept() {
    let sandbox = sandbox();
    let first = sandbox.run(&["compile", "app.wasm", "-o", "app.cwasm", "--output", "json"]);
    assert_eq!(first.code, Some(0), "{}", first.stderr);
    let public = sandbox.path().join(".config/rolebox/artifact-key.pub.pem");
    let private = sandbox.path().join(".config/rolebox/artifact-key.pem");
    assert!(first.stderr.contains("made a signing key"), "{}", first.stderr);
    assert_eq!(fs::metadata(&private).expect("a key").permissions().mode() & 0o777, 0o600);
    let run = sandbox.run(&["run", "app.cwasm", "--artifact-key", &public.display().to_string()]);
    assert_eq!((run.code, run.text()), (Some(0), "printed\n"));
    // It is the same the next time.
    let second = sandbox.run(&["compile", "app.wasm", "-o", "app.cwasm", "--output", "json"]);
    assert_eq!((second.code, second.stderr.as_str()), (Some(0), ""));
    assert_eq!(first.text(), second.text());
}

#[test]
fn an_image_is_compiled_within_the_limits_that_are_set() {
    let sandbox = sandbox();
    for command in [["run", "app.wasm"].as_slice(), &["compile", "app.wasm", "-o", "a.cwasm", "--key", "private.pem"]] {
        let outcome = sandbox.run(&[command, &["--compile-timeout", "1ms"]].concat());
        refused(&outcome, 126, "--compile-timeout");
        let outcome = sandbox.run(&[command, &["--compile-timeout", "soon"]].concat());
        refused(&outcome, 125, "--compile-timeout: \"soon\" is not a duration");
    }
    let outcome = sandbox.run(&["run", "app.wasm", "--compile-timeout", "5m", "--compile-memory", "512"]);
    assert_eq!((outcome.code, outcome.text()), (Some(0), "printed\n"));
}
