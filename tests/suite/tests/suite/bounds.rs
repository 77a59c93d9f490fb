//! A definition asks; the operator's bounds decide.
//!
//! Each bound has a case that is just within it and one that is not; the refusal names the place, what was asked for, the
//! bound, and how the operator would allow it.

mod volumes;

use std::path::Path;
use std::time::Duration;

use rolebox::OperatorBounds;
use rolebox::definition::{EgressName, Limits, Mebibytes};
use rolebox::settings::BoundCheck;
use rolebox_guest_artifacts as artifacts;
use rolebox_suite::{Host, bounds, parse, task, with_key, with_role};
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

fn in_full_role() -> Value {
    with_role(exit_ok(), "full", &json!([]))
}

fn with_container(mut definition: Value, change: impl FnOnce(&mut Value)) -> Value {
    let mut container = definition["containerDefinitions"][0].clone();
    container["name"] = json!("second");
    change(&mut container);
    definition["containerDefinitions"].as_array_mut().unwrap().push(container);
    definition
}

fn limits(change: impl FnOnce(&mut Limits)) -> Limits {
    let mut limits = Limits::default();
    change(&mut limits);
    limits
}

/// What exceeds the bounds, as the error's lines are. Nothing is run, and no host is needed for it.
fn exceeded(bounds: &OperatorBounds, definition: &Value) -> Vec<BoundCheck> {
    let checks = bounds.checks(&parse(definition));
    checks.into_iter().filter(|check| !check.allowed).collect()
}

#[tokio::test]
async fn the_library_allows_nothing_until_it_is_told_to() {
    let definition = with_key(in_full_role(), "sessionPolicy", json!("off"));
    let definition = with_key(definition, "roleSession", json!("per-definition"));
    let mut definition = with_key(definition, "egress", json!(["api.example.com:443"]));
    definition["volumes"] = json!([{"name": "data", "host": {"sourcePath": "/srv"}}]);
    let error = refusal(OperatorBounds::deny_all(), &definition).await;
    let places: Vec<_> = error.lines().skip(1).map(|line| line.trim().split(": ").next().unwrap()).collect();
    let expected = [
        "taskRoleArn",
        "rolebox.sessionPolicy",
        "rolebox.roleSession",
        "containerDefinitions[0].image",
        "volumes[0].host.sourcePath",
        "rolebox.egress[0]",
    ];
    assert_eq!(places, expected, "every excess is listed at once: {error}");
}

#[tokio::test]
async fn each_amount_has_a_bound_that_says_how_it_is_raised() {
    let second = |timeout: &str| with_key(in_full_role(), "timeout", json!(timeout));
    let limited = |key: &str, value: Value| with_key(exit_ok(), "limits", json!({key: value}));
    let cpu = |cpu: u32| {
        let mut definition = exit_ok();
        definition["containerDefinitions"][0]["cpu"] = json!(cpu);
        definition
    };
    let of_memory = |memory: u32| {
        let mut definition = exit_ok();
        definition["memory"] = json!(memory);
        definition
    };
    let two = |memory: u32| with_container(exit_ok(), |container| container["memory"] = json!(memory));
    let most = |change: fn(&mut Limits)| bounds().with_max_limits(limits(change));
    // The bounds, what is within and what is beyond, and the refusal.
    for (bounds, within, beyond, said) in [
        (
            bounds().with_max_memory(Mebibytes::new(64)).with_max_task_memory(Mebibytes::new(512)),
            exit_ok(),
            two(65),
            "containerDefinitions[1].memory: asks for 65 MiB (the operator allows at most 64 MiB; to allow it: \
             OperatorBounds::with_max_memory, or --max-memory MIB)",
        ),
        (
            bounds().with_max_task_memory(Mebibytes::new(128)),
            two(64),
            two(65),
            "containerDefinitions: asks for 129 MiB (the operator allows at most 128 MiB; to allow it: \
             OperatorBounds::with_max_task_memory, or --max-task-memory MIB)",
        ),
        // Without a bound of its own a task has what one container may have.
        (
            bounds().with_max_memory(Mebibytes::new(100)),
            of_memory(100),
            of_memory(101),
            "memory: asks for 101 MiB (the operator allows at most 100 MiB; to allow it: \
             OperatorBounds::with_max_task_memory",
        ),
        (bounds(), two(448), two(449), "containerDefinitions: asks for 513 MiB (the operator allows at most 512 MiB"),
        (
            OperatorBounds::deny_all().allow_any_image(),
            cpu(1024),
            cpu(1025),
            "containerDefinitions[0].cpu: asks for 1025 (the operator allows at most 1024; to allow it: \
             OperatorBounds::with_max_cpu, or --max-cpu UNITS)",
        ),
        (
            bounds().with_max_cpu_limit(512),
            with_key(exit_ok(), "cpuLimit", json!(512)),
            exit_ok(),
            "rolebox.cpuLimit: asks for 1024 (the operator allows at most 512; to allow it: \
             OperatorBounds::with_max_cpu_limit, or --max-cpu-limit UNITS)",
        ),
        (
            bounds().with_max_containers(1),
            exit_ok(),
            two(64),
            "containerDefinitions: asks for 2 (the operator allows at most 1; to allow it: \
             OperatorBounds::with_max_containers, or --max-containers COUNT)",
        ),
        (
            bounds().with_max_timeout(Duration::from_secs(5)),
            second("5s"),
            second("5s1ms"),
            "rolebox.timeout: asks for 5s1ms (the operator allows at most 5s; to allow it: \
             OperatorBounds::with_max_timeout, or --max-timeout DURATION)",
        ),
        (
            bounds(),
            with_key(in_full_role(), "sessionDuration", json!("1h")),
            with_key(in_full_role(), "sessionDuration", json!("1h1s")),
            "rolebox.sessionDuration: asks for 1h1s (the operator allows at most 1h; to allow it: \
             OperatorBounds::with_max_session_duration, or --max-session-duration DURATION)",
        ),
        (
            bounds(),
            limited("outputBytes", json!(16 << 20)),
            limited("outputBytes", json!((16 << 20) + 1)),
            "rolebox.limits.outputBytes: asks for 16777217 bytes (the operator allows at most 16 MiB; to allow it: \
             OperatorBounds::with_max_limits, or --max-limit KEY=VALUE)",
        ),
        (
            most(|limits| limits.body_bytes = 8),
            limited("bodyBytes", json!(8)),
            exit_ok(),
            "rolebox.limits.bodyBytes: asks for 16 MiB (the operator allows at most 8 bytes",
        ),
        (
            bounds(),
            limited("callsInFlight", json!(64)),
            limited("callsInFlight", json!(65)),
            "rolebox.limits.callsInFlight: asks for 65 (the operator allows at most 64",
        ),
        (
            bounds(),
            limited("callsPerSecond", json!(1_000)),
            limited("callsPerSecond", json!(1_001)),
            "rolebox.limits.callsPerSecond: asks for 1001 (the operator allows at most 1000",
        ),
        (
            most(|limits| limits.total_bytes = Some(1 << 30)),
            limited("totalBytes", json!(1 << 30)),
            exit_ok(),
            "rolebox.limits.totalBytes: asks for no limit (the operator allows at most 1 GiB",
        ),
        (
            bounds(),
            limited("callTimeout", json!("60s")),
            limited("callTimeout", json!("61s")),
            "rolebox.limits.callTimeout: asks for 1m1s (the operator allows at most 1m",
        ),
        (
            most(|limits| limits.cpu_time = Some(Duration::from_secs(60))),
            limited("cpuTime", json!("1m")),
            exit_ok(),
            "rolebox.limits.cpuTime: asks for no limit (the operator allows at most 1m",
        ),
        (
            bounds(),
            limited("openFiles", json!(256)),
            limited("openFiles", json!(257)),
            "rolebox.limits.openFiles: asks for 257 (the operator allows at most 256",
        ),
        (
            bounds(),
            limited("connections", json!(256)),
            limited("connections", json!(257)),
            "rolebox.limits.connections: asks for 257 (the operator allows at most 256",
        ),
        (
            bounds(),
            limited("requestsInFlight", json!(64)),
            limited("requestsInFlight", json!(65)),
            "rolebox.limits.requestsInFlight: asks for 65 (the operator allows at most 64",
        ),
    ] {
        assert_eq!(exceeded(&bounds, &within), [], "{said}: at the bound is within it");
        let error = refusal(bounds, &beyond).await;
        assert!(error.contains(&format!("\n  {said}")), "{said}\n{error}");
        assert_eq!(error.lines().count(), 2, "nothing else is exceeded: {error}");
    }
}

#[tokio::test]
async fn one_role_allowed_is_not_another() {
    let role = "arn:aws:iam::123456789012:role/reader".parse().unwrap();
    let bounds = OperatorBounds::deny_all().allow_any_image().allow_role(&role);
    for other in ["full", "Reader", "reader2", "path/reader"] {
        let error = refusal(bounds.clone(), &with_role(exit_ok(), other, &json!([]))).await;
        let said = format!(
            "taskRoleArn: asks for arn:aws:iam::123456789012:role/{other} (the operator allows \
             arn:aws:iam::123456789012:role/reader; to allow it: OperatorBounds::allow_role, or --allow-role ARN)"
        );
        assert!(error.contains(&said), "{error}");
    }
    let mut elsewhere = with_role(exit_ok(), "reader", &json!([]));
    elsewhere["taskRoleArn"] = json!("arn:aws:iam::210987654321:role/reader");
    assert_eq!(exceeded(&bounds, &elsewhere).len(), 1);
    let host = Host::with(|settings| settings.with_bounds(bounds)).await;
    assert_eq!(host.run(&with_role(exit_ok(), "reader", &json!([]))).await.stopped.exit_code(), 0);
}

#[tokio::test]
async fn sessions_without_a_policy_and_shared_ones_are_to_be_allowed() {
    let off = with_key(in_full_role(), "sessionPolicy", json!("off"));
    let error = refusal(bounds(), &off).await;
    let said = "rolebox.sessionPolicy: asks for off (the operator allows required; to allow it: \
                OperatorBounds::allow_session_policy_off, or leave out --require-session-policy)";
    assert!(error.contains(said), "{error}");
    assert_eq!(exceeded(&bounds().allow_session_policy_off(), &off), []);

    let shared = with_key(in_full_role(), "roleSession", json!("per-definition"));
    let error = refusal(bounds(), &shared).await;
    let said = "rolebox.roleSession: asks for per-definition (the operator allows per-task; to allow it: \
                OperatorBounds::allow_shared_sessions, or leave out --require-session-per-task)";
    assert!(error.contains(said), "{error}");
    assert_eq!(exceeded(&bounds().allow_shared_sessions(), &shared), []);

    let unsigned = with_key(in_full_role(), "unsignedPayload", json!(true));
    let error = refusal(bounds(), &unsigned).await;
    let said = "rolebox.unsignedPayload: asks for over TLS (the operator allows none; to allow it: \
                OperatorBounds::allow_unsigned_payload, or leave out --require-signed-payload)";
    assert!(error.contains(said), "{error}");
    assert_eq!(exceeded(&bounds().allow_unsigned_payload(), &unsigned), []);
}

#[tokio::test]
async fn a_host_is_allowed_with_its_port_and_scheme() {
    let name: EgressName = "api.example.com:443".parse().unwrap();
    let bounds = bounds().allow_egress(name);
    let asking = |names: &[&str]| with_key(exit_ok(), "egress", json!(names));
    assert_eq!(exceeded(&bounds, &asking(&["API.example.com:443"])), []);
    let others = [
        "api.example.com:8443",
        "http://api.example.com:443",
        "www.api.example.com:443",
        "example.com:443",
        "api.example.com.evil.example:443",
    ];
    let error = refusal(bounds, &asking(&others)).await;
    for (index, other) in others.iter().enumerate() {
        let said = format!(
            "rolebox.egress[{index}]: asks for {other} (the operator allows api.example.com:443; to allow it: \
             OperatorBounds::allow_egress, or --allow-egress HOST[:PORT])"
        );
        assert!(error.contains(&said), "{error}");
    }
    // A name that would stand for several hosts is none.
    for text in ["*.example.com:443", "*:443", "example.com", "127.0.0.1:80", "s3.amazonaws.com:443"] {
        assert!(text.parse::<EgressName>().is_err(), "{text}");
    }
}

#[tokio::test]
async fn images_lie_in_folders_that_are_allowed() {
    let folder = tempfile::tempdir().unwrap();
    let (inside, outside) = (folder.path().join("in"), folder.path().join("out"));
    for folder in [&inside, &outside] {
        std::fs::create_dir(folder).unwrap();
        std::fs::copy(artifacts::EXIT_OK, folder.join("app.wasm")).unwrap();
    }
    std::os::unix::fs::symlink(outside.join("app.wasm"), inside.join("link.wasm")).unwrap();
    std::os::unix::fs::symlink(&outside, inside.join("leads-out")).unwrap();
    std::os::unix::fs::symlink("app.wasm", inside.join("stays.wasm")).unwrap();
    let bounds = OperatorBounds::deny_all().allow_images_in(&inside);
    let host = Host::with(|settings| settings.with_bounds(bounds.clone())).await;
    for image in ["app.wasm", "stays.wasm", "../in/app.wasm"] {
        assert_eq!(host.run(&task(&inside.join(image), &[])).await.stopped.exit_code(), 0, "{image}");
    }
    for image in ["link.wasm", "leads-out/app.wasm", "../out/app.wasm", "../in2/app.wasm", "missing/app.wasm"] {
        let error = refusal(bounds.clone(), &task(&inside.join(image), &[])).await;
        let said = format!(
            "(it lies in no folder that the operator allows images in: {}; to allow it: \
             OperatorBounds::allow_images_in, or --image-root DIR)",
            inside.display(),
        );
        assert!(error.contains("containerDefinitions[0].image: asks for ") && error.contains(&said), "{error}");
    }
    for reference in [
        "team/app:1",
        "registry.example.com/in/app.wasm@sha256:94afd1f2e64d908bc90dbca0035a5b567e94afd1f2e64d908bc90dbca0035a5b",
    ] {
        let error = refusal(bounds.clone(), &task(Path::new(reference), &[])).await;
        assert!(error.contains("it is in a registry, and the operator allows images in folders alone"), "{error}");
    }
}

#[tokio::test]
async fn everything_asked_for_stands_beside_its_bound() {
    let checks = bounds().checks(&parse(&in_full_role()));
    assert!(checks.iter().all(|check| check.allowed), "{checks:?}");
    let shown = serde_json::to_value(&checks).unwrap();
    let timeout = shown.as_array().unwrap().iter().find(|check| check["place"] == "rolebox.timeout").unwrap();
    assert_eq!(
        *timeout,
        json!({"what": "timeout", "place": "rolebox.timeout", "asks": "1h", "default": true, "bound": "at most 1h", "allowed": true})
    );
    for place in ["taskRoleArn", "rolebox.sessionPolicy", "volumes", "rolebox.egress", "rolebox.limits.cpuTime"] {
        assert!(checks.iter().any(|check| check.place == place), "{place}");
    }
}
