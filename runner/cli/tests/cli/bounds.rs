//! The operator's bounds as flags of `run` and `explain`: each refuses what is beyond it, and lets the rest run.

use serde_json::{Value, json};

use super::{Outcome, Sandbox, printing};

const ROLE: &str = "arn:aws:iam::123456789012:role/sample";

fn with_role(definition: &mut Value) {
    definition["taskRoleArn"] = json!(ROLE);
}

/// A sandbox with an image, a definition and the folders `data` and `images`.
fn sandbox(change: impl FnOnce(&mut Value)) -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.file("app.wasm", printing(1, b"it ran", ""));
    for folder in ["data", "images"] {
        std::fs::create_dir(sandbox.path().join(folder)).expect("a folder");
    }
    sandbox.definition(change);
    sandbox
}

fn command(sandbox: &Sandbox, command: &str, flags: &str) -> Outcome {
    let line = format!("{command} task-definition.json {flags}");
    sandbox.run(&line.split_ascii_whitespace().collect::<Vec<_>>())
}

/// What `explain` says of the bounds, with flags.
fn explained(sandbox: &Sandbox, flags: &str) -> (Value, Option<i32>) {
    let outcome = command(sandbox, "explain", &format!("--output json {flags}"));
    (
        serde_json::from_slice(&outcome.stdout).unwrap_or_else(|error| panic!("{error}: {}", outcome.stderr)),
        outcome.code,
    )
}

#[test]
fn each_flag_refuses_what_is_beyond_it() {
    let memory = |definition: &mut Value| definition["memory"] = json!("64");
    let two = |definition: &mut Value| {
        let mut second = definition["containerDefinitions"][0].clone();
        second["name"] = json!("second");
        definition["containerDefinitions"].as_array_mut().expect("a list").push(second);
    };
    let volume = |definition: &mut Value| {
        definition["volumes"] = json!([{"name": "data", "host": {"sourcePath": "data"}}]);
        definition["containerDefinitions"][0]["mountPoints"] = json!([{"sourceVolume": "data", "containerPath": "/d"}]);
    };
    let host = |definition: &mut Value| definition["rolebox"] = json!({"egress": ["api.example.com:443"]});
    let off = |definition: &mut Value| {
        with_role(definition);
        definition["rolebox"] = json!({"sessionPolicy": "off"});
    };
    let shared = |definition: &mut Value| {
        with_role(definition);
        definition["rolebox"] = json!({"roleSession": "per-definition"});
    };
    let unsigned = |definition: &mut Value| {
        with_role(definition);
        definition["rolebox"] = json!({"unsignedPayload": true});
    };
    let long = |definition: &mut Value| {
        with_role(definition);
        definition["rolebox"] = json!({"sessionDuration": "2h"});
    };
    let none: fn(&mut Value) = |_| ();
    type Change = fn(&mut Value);
    // The definition, a flag that it is within, one that it is beyond, and the refusal.
    for (change, within, beyond, said) in [
        (
            none,
            "--max-memory 16",
            "--max-memory 15",
            "containerDefinitions[0].memory: asks for 16 MiB (the operator allows at most 15 MiB; to allow it: OperatorBounds::with_max_memory, or --max-memory MIB)",
        ),
        (
            memory as Change,
            "--max-task-memory 64",
            "--max-task-memory 63",
            "memory: asks for 64 MiB (the operator allows at most 63 MiB;",
        ),
        (
            two as Change,
            "--max-task-memory 32",
            "--max-task-memory 31",
            "containerDefinitions: asks for 32 MiB (the operator allows at most 31 MiB;",
        ),
        (none, "--max-cpu 2", "--max-cpu 1", "containerDefinitions[0].cpu: asks for 2 (the operator allows at most 1;"),
        (
            none,
            "--max-cpu-limit 1024",
            "--max-cpu-limit 1023",
            "rolebox.cpuLimit: asks for 1024 (the operator allows at most 1023;",
        ),
        (
            two as Change,
            "--max-containers 2",
            "--max-containers 1",
            "containerDefinitions: asks for 2 (the operator allows at most 1;",
        ),
        (volume as Change, "--max-volumes 1", "--max-volumes 0", "volumes: asks for 1 (the operator allows at most 0;"),
        (
            none,
            "--max-timeout 1h",
            "--max-timeout 59m",
            "rolebox.timeout: asks for 1h (the operator allows at most 59m;",
        ),
        (
            none,
            "--max-limit outputBytes=16777216",
            "--max-limit outputBytes=1024",
            "rolebox.limits.outputBytes: asks for 16 MiB (the operator allows at most 1 KiB;",
        ),
        (
            none,
            "--max-limit bodyBytes=16777216",
            "--max-limit bodyBytes=1",
            "rolebox.limits.bodyBytes: asks for 16 MiB (the operator allows at most 1 byte;",
        ),
        (
            none,
            "--max-limit callsInFlight=64",
            "--max-limit callsInFlight=63",
            "rolebox.limits.callsInFlight: asks for 64 (the operator allows at most 63;",
        ),
        (
            none,
            "--max-limit callsPerSecond=1000",
            "--max-limit callsPerSecond=999",
            "rolebox.limits.callsPerSecond: asks for 1000 (the operator allows at most 999;",
        ),
        (
            none,
            "--max-limit callTimeout=1m",
            "--max-limit callTimeout=59s",
            "rolebox.limits.callTimeout: asks for 1m (the operator allows at most 59s;",
        ),
        (
            none,
            "",
            "--max-limit totalBytes=1024",
            "rolebox.limits.totalBytes: asks for no limit (the operator allows at most 1 KiB;",
        ),
        (
            none,
            "",
            "--max-limit cpuTime=1s",
            "rolebox.limits.cpuTime: asks for no limit (the operator allows at most 1s;",
        ),
        (
            none,
            "--max-limit openFiles=256",
            "--max-limit openFiles=255",
            "rolebox.limits.openFiles: asks for 256 (the operator allows at most 255;",
        ),
        (
            none,
            "--max-limit requestsInFlight=64",
            "--max-limit requestsInFlight=63",
            "rolebox.limits.requestsInFlight: asks for 64 (the operator allows at most 63;",
        ),
        (
            volume as Change,
            "--volume-root data",
            "--volume-root images",
            "volumes[0].host.sourcePath: asks for data (it lies in no folder that the operator allows volumes in: images; to allow it: OperatorBounds::allow_volumes_in, or --volume-root DIR)",
        ),
        (
            volume as Change,
            "",
            "--no-volumes",
            "volumes[0].host.sourcePath: asks for data (it lies in no folder that the operator allows volumes in: none;",
        ),
        (
            none,
            "--image-root .",
            "--image-root images",
            "containerDefinitions[0].image: asks for app.wasm (it lies in no folder that the operator allows images in: images; to allow it: OperatorBounds::allow_images_in, or --image-root DIR)",
        ),
        (
            host as Change,
            "--allow-egress api.example.com",
            "--allow-egress example.com",
            "rolebox.egress[0]: asks for api.example.com:443 (the operator allows example.com:443;",
        ),
        (
            host as Change,
            "",
            "--no-egress",
            "rolebox.egress[0]: asks for api.example.com:443 (the operator allows none;",
        ),
    ] {
        let sandbox = sandbox(change);
        let outcome = command(&sandbox, "run", within);
        assert_eq!(outcome.code, Some(0), "{within}: {}", outcome.stderr);
        assert!(outcome.text().starts_with("it ran"), "{within}");
        let outcome = command(&sandbox, "run", beyond);
        assert_eq!((outcome.code, outcome.text()), (Some(125), ""), "{beyond}: {}", outcome.stderr);
        assert!(outcome.stderr.contains(&format!("\n  {said}")), "{said}\n{}", outcome.stderr);
        let (explanation, code) = explained(&sandbox, beyond);
        assert_eq!((&explanation["exitCode"], code), (&json!(125), Some(125)), "{beyond}");
    }
    // With a role there is AWS, which these would be run with: that they would start is what `explain` says.
    for (change, within, beyond, said) in [
        (
            with_role as Change,
            "--allow-role arn:aws:iam::123456789012:role/sample",
            "--allow-role arn:aws:iam::123456789012:role/other",
            "taskRoleArn",
        ),
        (with_role as Change, "", "--no-roles", "taskRoleArn"),
        (off as Change, "", "--require-session-policy", "rolebox.sessionPolicy"),
        (shared as Change, "", "--require-session-per-task", "rolebox.roleSession"),
        (unsigned as Change, "", "--require-signed-payload", "rolebox.unsignedPayload"),
        (long as Change, "--max-session-duration 2h", "--max-session-duration 1h", "rolebox.sessionDuration"),
    ] {
        let sandbox = sandbox(change);
        assert_eq!(explained(&sandbox, within).1, Some(0), "{within}");
        let (explanation, code) = explained(&sandbox, beyond);
        assert_eq!(code, Some(125), "{beyond}");
        let checks = explanation["bounds"].as_array().expect("a list").iter();
        let exceeded: Vec<_> = checks.filter(|check| check["allowed"] == false).map(|check| &check["place"]).collect();
        assert_eq!(exceeded, [said], "{beyond}");
        let mismatches = explanation["mismatches"].as_array().expect("a list");
        assert!(mismatches.iter().any(|mismatch| mismatch["path"] == said), "{mismatches:?}");
        let outcome = command(&sandbox, "run --local", beyond);
        assert_eq!(outcome.code, Some(125), "{beyond}");
    }
}

#[test]
fn flags_that_bound_nothing_are_mistakes() {
    let sandbox = sandbox(|_| ());
    for flags in [
        "--max-limit bodyBytes",
        "--max-limit bodyBytes=much",
        "--max-limit bodyBytes=1MiB",
        "--max-limit bodyBytes=-1",
        "--max-limit callTimeout=30",
        "--max-limit speed=1",
        "--max-session-duration soon",
        "--max-task-memory 1",
        "--allow-egress *.example.com",
        "--allow-egress s3.amazonaws.com",
        "--no-egress --allow-egress example.com",
        "--no-volumes --volume-root data",
        "--no-roles --allow-role arn:aws:iam::123456789012:role/sample",
        "--audit-fsync",
    ] {
        let outcome = command(&sandbox, "run", flags);
        assert_eq!((outcome.code, outcome.text()), (Some(125), ""), "{flags}");
        let flag = flags.split(' ').next().expect("a flag");
        assert!(outcome.stderr.contains(flag), "{flags}: {}", outcome.stderr);
    }
}

#[test]
fn every_excess_of_a_component_is_said_about_its_flags() {
    let sandbox = sandbox(|_| ());
    let outcome = sandbox.run(&[
        "run",
        "app.wasm",
        "--memory",
        "128",
        "--allow-host",
        "api.example.com",
        "--volume",
        "data:/data",
        "--max-memory",
        "64",
        "--no-egress",
        "--volume-root",
        "images",
        "--output",
        "json",
    ]);
    assert_eq!(outcome.code, Some(125));
    let report = outcome.report();
    let paths: Vec<_> = report["problems"].as_array().expect("a list").iter().map(|problem| &problem["path"]).collect();
    assert_eq!(paths, ["--memory", "--volume", "--allow-host"], "{report}");
}

#[test]
fn what_the_host_writes_and_signs_with_is_never_mounted() {
    let sandbox = sandbox(|definition| {
        definition["volumes"] = json!([{"name": "data", "host": {"sourcePath": "data"}}]);
        definition["containerDefinitions"][0]["mountPoints"] = json!([{"sourceVolume": "data", "containerPath": "/d"}]);
    });
    let refused = |flags: &str, name: &str, value: &str| {
        let mut command = sandbox.command(&["run", "task-definition.json"]);
        let output = command.args(flags.split_ascii_whitespace()).env(name, value).output().expect("rolebox runs");
        let outcome = Outcome::of(output, &sandbox);
        if outcome.code == Some(0) {
            return false;
        }
        assert!(outcome.stderr.contains("a folder that is never mounted"), "{}", outcome.stderr);
        true
    };
    assert!(!refused("--audit audit.jsonl", "NOTHING", ""));
    assert!(refused("--audit data/audit.jsonl", "NOTHING", ""), "a task would write its own record");
    let data = sandbox.path().join("data");
    let data = data.to_str().expect("a path");
    for (name, value) in [
        ("HOME", data.to_owned()),
        ("XDG_CACHE_HOME", data.to_owned()),
        ("AWS_SHARED_CREDENTIALS_FILE", format!("{data}/credentials")),
        ("AWS_CONFIG_FILE", format!("{data}/config")),
        ("AWS_WEB_IDENTITY_TOKEN_FILE", format!("{data}/token")),
    ] {
        assert!(refused("", name, &value), "{name}");
    }
}

#[test]
fn an_audit_that_waits_for_the_disk_holds_the_same_records() {
    let sandbox = sandbox(|_| ());
    let outcome = command(&sandbox, "run", "--audit audit.jsonl --audit-fsync");
    assert_eq!((outcome.code, outcome.text()), (Some(0), "it ran"), "{}", outcome.stderr);
    assert_eq!(std::fs::read_to_string(sandbox.path().join("audit.jsonl")).expect("the file"), "");
}
