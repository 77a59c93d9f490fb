//! Images that cannot be run are refused when the task is prepared, with what is wrong and where.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use rolebox_guest_artifacts as artifacts;
use rolebox_suite::{Host, image_file, task};

/// The error of preparing a task with this image.
async fn refusal(host: &Host, image: &Path) -> String {
    host.prepare(&task(image, &[])).await.expect_err("the image is refused").to_string()
}

async fn refused_text(module: &str) -> String {
    let (host, folder) = (Host::start().await, tempfile::tempdir().unwrap());
    let image = image_file(folder.path(), "image.wasm", &wat::parse_str(module).unwrap());
    refusal(&host, &image).await
}

#[tokio::test]
async fn an_image_that_is_no_wasm_is_refused_by_its_first_bytes() {
    let (host, folder) = (Host::start().await, tempfile::tempdir().unwrap());
    for (content, found) in [
        (b"#!/bin/sh\n".as_slice(), "23 21 2f 62 69 6e 2f 73"),
        (b"", "none: the file is empty"),
        (b"\0asm", "00 61 73 6d"),
        (b"\0asm\x01\0\0\x01", "00 61 73 6d 01 00 00 01"),
    ] {
        let error = refusal(&host, &image_file(folder.path(), "image.wasm", content)).await;
        assert!(error.starts_with("containerDefinitions[0].image: image "), "{error}");
        assert!(error.contains(found) && error.contains("--target wasm32-wasip2"), "{error}");
    }
}

#[tokio::test]
async fn an_image_that_is_missing_a_folder_or_truncated_is_refused() {
    let (host, folder) = (Host::start().await, tempfile::tempdir().unwrap());
    let error = refusal(&host, &folder.path().join("missing.wasm")).await;
    assert!(error.contains("missing.wasm") && error.contains("No such file"), "{error}");
    std::fs::create_dir(folder.path().join("folder.wasm")).unwrap();
    let error = refusal(&host, &folder.path().join("folder.wasm")).await;
    assert!(error.contains("not a regular file"), "{error}");
    let whole = std::fs::read(artifacts::EXIT_OK).unwrap();
    let error = refusal(&host, &image_file(folder.path(), "half.wasm", &whole[..whole.len() / 2])).await;
    assert!(error.contains("could not be compiled"), "{error}");
}

#[tokio::test]
async fn an_import_that_is_not_granted_is_named() {
    let error =
        refused_text(r#"(component (import "example:host/keys@1.0.0" (instance (export "read" (func)))))"#).await;
    assert!(error.contains("example:host/keys@1.0.0") && error.contains("not granted"), "{error}");
    let error = refused_text(r#"(module (import "env" "secrets" (func)) (func (export "_start")))"#).await;
    assert!(error.contains("env") && error.contains("secrets"), "{error}");
    // A later WASI, and an interface of WASI that tasks do not get.
    let error =
        refused_text(r#"(component (import "wasi:http/outgoing-handler@9.9.9" (instance (export "handle" (func)))))"#);
    let error = error.await;
    assert!(error.contains("wasi:http/outgoing-handler@9.9.9"), "{error}");
}

#[tokio::test]
async fn an_image_without_an_entry_point_has_nothing_to_run() {
    let error = refused_text("(component)").await;
    assert!(error.contains("nothing to run") && error.contains("wasi:cli/run"), "{error}");
    let error = refused_text(r#"(module (func (export "run")))"#).await;
    assert!(error.contains("nothing to run") && error.contains("_start"), "{error}");
    let error = refused_text(r#"(module (func (export "_start") (param i32)))"#).await;
    assert!(error.contains("nothing to run"), "{error}");
}

#[tokio::test]
async fn a_core_module_runs_and_its_exit_code_is_whole() {
    let (host, folder) = (Host::start().await, tempfile::tempdir().unwrap());
    let module = r#"(module
        (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
        (memory (export "memory") 1)
        (func (export "_start") (call $exit (i32.const 42))))"#;
    let image = image_file(folder.path(), "exit.wasm", &wat::parse_str(module).unwrap());
    assert_eq!(host.run(&task(&image, &[])).await.stopped.exit_code(), 42);
}

#[tokio::test]
async fn compiled_code_is_kept_for_its_owner_alone_and_never_taken_from_others() {
    let cache = tempfile::tempdir().unwrap();
    let folder = cache.path().join("code");
    let run = async || {
        let folder = folder.clone();
        let host = Host::with(|settings| settings.with_code_cache(folder)).await;
        host.run(&task(Path::new(artifacts::EXIT_OK), &[])).await.stopped.exit_code()
    };
    let entry = || {
        let mut entries: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert_eq!(entries.len(), 1, "one entry, nothing half-written: {entries:?}");
        entries.remove(0)
    };
    let inode = || std::os::unix::fs::MetadataExt::ino(&std::fs::metadata(entry()).unwrap());
    let set_mode = |path: &Path, mode| std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;

    assert_eq!(run().await, 0);
    assert_eq!((mode(&folder), mode(&entry())), (0o700, 0o600));
    let first = inode();
    assert_eq!(run().await, 0);
    assert_eq!(inode(), first, "the entry was used");

    // A file that others could have written is compiled again and replaced.
    set_mode(&entry(), 0o666);
    assert_eq!(run().await, 0);
    assert_eq!(mode(&entry()), 0o600);
    assert_ne!(inode(), first);

    // A damaged one too.
    let path = entry();
    std::fs::remove_file(&path).unwrap();
    std::fs::write(&path, b"not compiled code").unwrap();
    set_mode(&path, 0o600);
    assert_eq!(run().await, 0);
    assert!(std::fs::metadata(&path).unwrap().len() > 1_000);

    // In a folder that others may write to, nothing is read or written.
    std::fs::remove_file(&path).unwrap();
    set_mode(&folder, 0o777);
    assert_eq!(run().await, 0);
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 0);
}
