//! Images that cannot be run are refused when the task is prepared, with what is wrong and where.

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
async fn compiled_code_that_nobody_signed_is_no_image() {
    let (host, folder) = (Host::start().await, tempfile::tempdir().unwrap());
    let image = image_file(folder.path(), "image.wasm", b"\x7fELF\x02\x01\x01\xc8 and so on");
    let error = refusal(&host, &image).await;
    assert!(error.contains("compiled code without a signature") && error.contains("rolebox compile"), "{error}");
}

#[tokio::test]
async fn a_file_that_changes_is_the_image_that_it_became() {
    let (host, folder) = (Host::start().await, tempfile::tempdir().unwrap());
    let exits = |code: u8| {
        let module = format!(
            r#"(module (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32))) (memory (export "memory") 1)
                (func (export "_start") (call $exit (i32.const {code}))))"#
        );
        image_file(folder.path(), "image.wasm", &wat::parse_str(module).unwrap())
    };
    let run = async |image: &Path| host.run(&task(image, &[])).await.stopped.exit_code();
    // The same name, inode, size and time, as nearly as can be made: only the change time tells them apart.
    for code in [10, 11, 12, 10] {
        let image = exits(code);
        let old = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000_000);
        std::fs::File::options().write(true).open(&image).unwrap().set_modified(old).unwrap();
        assert_eq!(run(&image).await, i32::from(code));
        assert_eq!(run(&image).await, i32::from(code));
    }
}

#[tokio::test]
async fn more_images_than_are_kept_ready_all_run() {
    let host = Host::with(|settings| settings.with_prepared_images(1, 1)).await;
    let guests = [artifacts::EXIT_OK, artifacts::TRAP].map(Path::new);
    let held = host.prepare(&task(guests[0], &[])).await.unwrap();
    for _ in 0..2 {
        for guest in guests {
            host.prepare(&task(guest, &[])).await.unwrap();
        }
    }
    // Who holds an image that was let go of still has it.
    let output = rolebox::output::TaskOutput::Capture(rolebox::output::CapturedOutput::default());
    assert_eq!(held.start(output).wait().await.exit_code(), 0);
}
