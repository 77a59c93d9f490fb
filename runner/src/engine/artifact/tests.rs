//! What is refused, and by which words. Heads are signed anew where what they say is to be believed and still refused.

use super::*;
use crate::engine::code::TrustedCode;
use crate::engine::code_config;

const COMPONENT: &str = r#"(component (core module (func (export "f"))))"#;

fn signing_key() -> SigningKey {
    let folder = tempfile::tempdir().expect("a folder");
    SigningKey::create(&folder.path().join("private"), &folder.path().join("public")).expect("a key")
}

fn code(text: &str, kind: ImageKind, config: &wasmtime::Config) -> Vec<u8> {
    let image = wat::parse_str(text).expect("an image");
    let engine = wasmtime::Engine::new(config).expect("an engine");
    match kind {
        ImageKind::Component => engine.precompile_component(&image),
        ImageKind::Module => engine.precompile_module(&image),
    }
    .expect("code")
}

/// An artifact of `code` whose head `change` has changed before it was signed.
fn artifact(code: &[u8], key: &SigningKey, change: impl FnOnce(&mut Head)) -> Vec<u8> {
    let mut head = Head {
        kind: ImageKind::Component,
        engine: code_description(),
        image: [1; 32],
        key: key.public_bytes(),
        code: code.len() as u64,
        code_hash: Sha256::digest(code).into(),
    };
    change(&mut head);
    let mut artifact = head.encode();
    artifact.extend(key.sign(&message(&artifact)));
    artifact.extend_from_slice(code);
    artifact
}

fn refusal(artifact: Vec<u8>, accepted: &[ArtifactKey]) -> ArtifactError {
    Artifact::verify(artifact, accepted).err().expect("it is refused")
}

#[test]
fn an_artifact_gives_back_the_code_that_was_signed() {
    let key = signing_key();
    let whole = artifact(b"code", &key, |_| {});
    let opened = Artifact::verify(whole, &[signing_key().public(), key.public()]).expect("accepted");
    assert_eq!(opened.kind(), ImageKind::Component);
    assert_eq!(opened.into_code(), b"code");
}

#[test]
fn only_the_accepted_keys_count() {
    let (key, other) = (signing_key(), signing_key());
    let whole = artifact(b"code", &key, |_| {});
    assert_eq!(refusal(whole.clone(), &[]), ArtifactError::NoKeys(Box::new(key.public())));
    assert_eq!(refusal(whole, &[other.public()]), ArtifactError::OtherKey(Box::new(key.public())));
    // Signed by one and saying that it was the other.
    let pretending = artifact(b"code", &key, |head| head.key = other.public_bytes());
    assert_eq!(refusal(pretending, &[other.public()]), ArtifactError::Signature);
    // Not signed at all.
    let mut unsigned = artifact(b"code", &key, |_| {});
    let end = unsigned.len() - b"code".len();
    unsigned[end - SIGNATURE..end].fill(0);
    assert_eq!(refusal(unsigned, &[key.public()]), ArtifactError::Signature);
}

#[test]
fn every_bit_counts() {
    let key = signing_key();
    let whole = artifact(b"some code", &key, |_| {});
    for place in 0..whole.len() {
        for bit in 0..8 {
            let mut changed = whole.clone();
            changed[place] ^= 1 << bit;
            assert!(Artifact::verify(changed, &[key.public()]).is_err(), "byte {place}, bit {bit}");
        }
    }
    let mut changed = whole;
    *changed.last_mut().expect("a byte") ^= 1;
    assert_eq!(refusal(changed, &[key.public()]), ArtifactError::Code);
}

#[test]
fn every_byte_must_be_there_and_no_other() {
    let key = signing_key();
    let whole = artifact(b"some code", &key, |_| {});
    for length in 0..whole.len() {
        assert_eq!(refusal(whole[..length].to_vec(), &[key.public()]), ArtifactError::Truncated, "{length}");
    }
    let longer = [whole.as_slice(), b"..."].concat();
    assert_eq!(refusal(longer, &[key.public()]), ArtifactError::Trailing(3));
}

#[test]
fn a_later_format_is_named() {
    let key = signing_key();
    let mut later = artifact(b"code", &key, |_| {});
    later[8] = 2;
    assert_eq!(refusal(later, &[key.public()]), ArtifactError::Version(2));
}

#[test]
fn what_is_for_another_engine_says_so() {
    let key = signing_key();
    let older = artifact(b"code", &key, |head| head.engine = "wasmtime 47 x86_64-linux epochs".to_owned());
    let error = refusal(older, &[key.public()]);
    assert!(matches!(&error, ArtifactError::OtherEngine { .. }), "{error}");
    assert!(error.to_string().contains("wasmtime 47") && error.to_string().contains("make it again"), "{error}");
}

/// What wasmtime itself says of code that was signed for what it is not.
fn not_loaded(code: Vec<u8>, kind: ImageKind) -> String {
    let engine = wasmtime::Engine::new(&code_config()).expect("an engine");
    let key = signing_key();
    let opened = Artifact::verify(artifact(&code, &key, |head| head.kind = kind), &[key.public()]).expect("signed");
    let kind = opened.kind();
    format!("{:#}", TrustedCode::from_artifact(opened.into_code()).load(&engine, kind).err().expect("not loaded"))
}

#[test]
fn the_engine_has_the_last_word() {
    let mut other = code_config();
    other.epoch_interruption(false);
    let error = not_loaded(code(COMPONENT, ImageKind::Component, &other), ImageKind::Component);
    assert!(error.contains("epoch interruption"), "{error}");
    let component = code(COMPONENT, ImageKind::Component, &code_config());
    assert!(not_loaded(component, ImageKind::Module).contains("incompatible object file format"));
    let module = code("(module)", ImageKind::Module, &code_config());
    assert!(not_loaded(module, ImageKind::Component).contains("incompatible object file format"));
    assert!(!not_loaded(b"no code at all".to_vec(), ImageKind::Component).is_empty());
}

#[test]
fn the_version_that_is_written_down_is_wasmtimes() {
    let code = code(COMPONENT, ImageKind::Component, &code_config());
    let version = super::super::WASMTIME.as_bytes();
    // The section with the engine's metadata: a format version, the length, and the version.
    let expected = [&[0, 2], version].concat();
    assert!(memchr::memmem::find(&code, &expected).is_some());
}

#[test]
fn keys_are_read_as_openssl_writes_them() {
    let folder = tempfile::tempdir().expect("a folder");
    let (private, public) = (folder.path().join("private.pem"), folder.path().join("public.pem"));
    let key = SigningKey::create(&private, &public).expect("a key");
    let (private_text, public_text) =
        (std::fs::read_to_string(&private).expect("text"), std::fs::read_to_string(&public).expect("text"));
    assert_eq!(SigningKey::read(&private).expect("read").public(), key.public());
    assert_eq!(ArtifactKey::from_pem(&public_text), Ok(key.public()));
    assert_eq!(ArtifactKey::from_pem(&private_text), Err(KeyError::Private));
    assert_eq!(ArtifactKey::from_pem("a key"), Err(KeyError::NotPublic));
    assert_eq!(SigningKey::read(&public).err(), Some(KeyError::Readable));
    set_mode(&public, 0o600);
    assert_eq!(SigningKey::read(&public).err(), Some(KeyError::NotPrivate));
    for mode in [0o640, 0o604, 0o620, 0o666] {
        set_mode(&private, mode);
        assert_eq!(SigningKey::read(&private).err(), Some(KeyError::Readable), "{mode:o}");
    }
    assert!(matches!(SigningKey::read(folder.path()), Err(KeyError::File(_) | KeyError::Readable)));
    // None is written over.
    assert!(matches!(SigningKey::create(&private, &public), Err(KeyError::File(_))));
    assert_eq!(std::fs::read_to_string(&private).expect("text"), private_text);
    assert!(!format!("{key:?}").contains(private_text.lines().nth(1).expect("a line")));
}

fn set_mode(path: &std::path::Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).expect("a mode");
}
