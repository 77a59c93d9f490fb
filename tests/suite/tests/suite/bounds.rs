//! A definition asks; the operator's bounds decide.

use std::path::Path;
use std::time::Duration;

use rolebox::OperatorBounds;
use rolebox::definition::Mebibytes;
use rolebox_guest_artifacts as artifacts;
use rolebox_suite::{Host, bounds, task, with_key, with_role};
use serde_json::{Value, json};

async fn refusal(bounds: OperatorBounds, definition: &Value) -> String {
    let host = Host::with(|settings| settings.with_bounds(bounds)).await;
    let error = host.prepare(definition).await.expect_err("the bounds refuse it").to_string();
    assert_eq!(host.request_count(), 0, "nothing of it has begun");
    error
}

fn exit_ok() -> Value {
    task(Path::new(artifacts::EXIT_OK), &[])
}

fn with_volume(folder: &Path) -> Value {
    let mut definition = exit_ok();
    definition["volumes"] = json!([{"name": "data", "host": {"sourcePath": folder}}]);
    definition
}

#[tokio::test]
async fn the_library_allows_nothing_until_it_is_told_to() {
    let definition = with_key(with_role(exit_ok(), "full", &json!([])), "sessionPolicy", json!("off"));
    let error = refusal(OperatorBounds::deny_all(), &definition).await;
    for place in ["taskRoleArn: ", "rolebox.sessionPolicy: ", "containerDefinitions[0].image: "] {
        assert!(error.contains(place), "every excess is listed, {place} is not: {error}");
    }
}

#[tokio::test]
async fn one_role_allowed_is_not_another() {
    let role = "arn:aws:iam::123456789012:role/reader".parse().unwrap();
    let bounds = OperatorBounds::deny_all().allow_any_image().allow_role(&role);
    let error = refusal(bounds.clone(), &with_role(exit_ok(), "full", &json!([]))).await;
    assert!(error.contains("asks for arn:aws:iam::123456789012:role/full"), "{error}");
    let host = Host::with(|settings| settings.with_bounds(bounds)).await;
    assert_eq!(host.run(&with_role(exit_ok(), "reader", &json!([]))).await.stopped.exit_code(), 0);
}

#[tokio::test]
async fn memory_timeout_sharing_and_hosts_are_bounded() {
    let small = || bounds().with_max_memory(Mebibytes::new(32)).with_max_timeout(Duration::from_secs(5));
    let error = refusal(small(), &with_key(exit_ok(), "timeout", json!("5s"))).await;
    assert!(error.contains("containerDefinitions[0].memory: asks for 64 MiB"), "{error}");
    assert!(!error.contains("timeout"), "at the bound is within it: {error}");
    let error = refusal(small(), &with_key(exit_ok(), "timeout", json!("6s"))).await;
    assert!(error.contains("rolebox.timeout: asks for 6 s"), "{error}");
    let shared = with_key(with_role(exit_ok(), "full", &json!([])), "roleSession", json!("per-definition"));
    let error = refusal(bounds(), &shared).await;
    assert!(error.contains("rolebox.roleSession"), "{error}");
    let error = refusal(bounds(), &with_key(exit_ok(), "egress", json!(["api.example.com:443"]))).await;
    assert!(error.contains("rolebox.egress[0]: asks for api.example.com:443"), "{error}");
}

#[tokio::test]
async fn images_lie_in_folders_that_are_allowed() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::copy(artifacts::EXIT_OK, folder.path().join("in.wasm")).unwrap();
    std::os::unix::fs::symlink(artifacts::EXIT_OK, folder.path().join("out.wasm")).unwrap();
    let bounds = OperatorBounds::deny_all().allow_images_in(folder.path());
    let host = Host::with(|settings| settings.with_bounds(bounds.clone())).await;
    assert_eq!(host.run(&task(&folder.path().join("in.wasm"), &[])).await.stopped.exit_code(), 0);
    for outside in [folder.path().join("out.wasm"), Path::new(artifacts::EXIT_OK).to_owned()] {
        let error = refusal(bounds.clone(), &task(&outside, &[])).await;
        assert!(error.contains("no folder that the operator allows images in"), "{error}");
    }
}

#[tokio::test]
async fn volumes_lie_in_folders_that_are_allowed_and_never_in_the_hosts_own() {
    let root = tempfile::tempdir().unwrap();
    let folder = |name: &str| {
        let path = root.path().join(name);
        std::fs::create_dir_all(&path).unwrap();
        path
    };
    let (allowed, inner, outside, data) = (folder("in"), folder("in/a"), folder("out"), folder("in/data/deep"));
    let data_folder = root.path().join("in/data");
    std::os::unix::fs::symlink(&outside, allowed.join("link")).unwrap();
    std::fs::write(allowed.join("file"), "").unwrap();
    let cache = root.path().join("in/cache");
    let bounds = || bounds().allow_volumes_in(&allowed).protect(&data_folder);
    let host = Host::with(|settings| settings.with_bounds(bounds()).with_code_cache(cache.clone())).await;
    assert_eq!(host.run(&with_volume(&inner)).await.stopped.exit_code(), 0);
    for (refused, why) in [
        (outside.clone(), "no folder that the operator allows volumes in"),
        (allowed.join("link"), "no folder that the operator allows volumes in"),
        (allowed.join("../out"), "no folder that the operator allows volumes in"),
        (allowed.join("missing"), "make the folder first"),
        (allowed.join("file"), "not a folder"),
        (data_folder.clone(), "never mounted"),
        (data, "never mounted"),
        (cache, "never mounted"),
        // The parent of what is never mounted.
        (allowed.clone(), "never mounted"),
        ("/proc".into(), "never mounted"),
        ("/sys/kernel".into(), "never mounted"),
        ("/dev".into(), "never mounted"),
        ("/".into(), "never mounted"),
    ] {
        let error = host.prepare(&with_volume(&refused)).await.expect_err("refused").to_string();
        assert!(error.contains("volumes[0].host.sourcePath") && error.contains(why), "{refused:?}: {error}");
    }
    let everywhere = rolebox_suite::bounds().allow_volumes_in("/");
    let error = refusal(everywhere, &with_volume(Path::new("/proc/self"))).await;
    assert!(error.contains("never mounted"), "{error}");
}
