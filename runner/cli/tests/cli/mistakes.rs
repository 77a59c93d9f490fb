//! Bad input: each a clear error with what, where and how to mend it, and the exit code for it.

use expect_test::{Expect, expect};
use serde_json::{Value, json};

use super::{Sandbox, module, printing};

/// Runs a changed definition, with a good image beside it.
fn refuse(change: impl FnOnce(&mut Value), exit_code: i32, expected: Expect) {
    let sandbox = Sandbox::new();
    sandbox.file("app.wasm", printing(1, b"must not run", ""));
    sandbox.definition(change);
    let outcome = sandbox.run(&["run", "task-definition.json"]);
    assert_eq!((outcome.code, outcome.text()), (Some(exit_code), ""), "{}", outcome.stderr);
    expected.assert_eq(&outcome.stderr);
}

#[test]
fn definitions_that_are_wrong() {
    refuse(
        |definition| definition["familly"] = json!("x"),
        125,
        expect![[r#"
        rolebox: task-definition.json: familly: unknown key in the task definition. Did you mean "family"?
    "#]],
    );
    refuse(
        |definition| definition["containerDefinitions"] = json!([]),
        125,
        expect![[r#"
        rolebox: task-definition.json: containerDefinitions: there are 0 container definitions. Give 1 to 10.
    "#]],
    );
    refuse(
        |definition| definition["containerDefinitions"][0]["memory"] = json!(0),
        125,
        expect![[r#"
        rolebox: task-definition.json: containerDefinitions[0].memory: 0 MiB are out of range. Give 4 to 4096 MiB.
    "#]],
    );
    refuse(
        |definition| definition["containerDefinitions"][0]["memory"] = json!("16"),
        125,
        expect![[r#"
        rolebox: task-definition.json: containerDefinitions[0].memory: string "16" is of the wrong type. Give a whole number.
    "#]],
    );
    refuse(
        |definition| {
            definition["pidMode"] = json!("host");
            definition["containerDefinitions"][0]["privileged"] = json!(true);
        },
        125,
        expect![[r#"
            rolebox: task-definition.json has 2 problems:
              containerDefinitions[0].privileged: refused: a guest runs in a sandbox and is given no privilege of the host. Remove the key.
              pidMode: refused: tasks have no processes, so no process namespace to share. Remove the key.
        "#]],
    );
}

#[test]
fn definitions_that_are_none() {
    let sandbox = Sandbox::new();
    let outcome = sandbox.run(&["run", "missing.json"]);
    assert_eq!(outcome.code, Some(125));
    expect![[r#"
        rolebox: missing.json: cannot be read: No such file or directory (os error 2). Name a file that exists and that you may read.
    "#]].assert_eq(&outcome.stderr);

    sandbox.file("broken.json", "{\n  \"family\": \"a\",\n}");
    let outcome = sandbox.run(&["run", "broken.json"]);
    assert_eq!(outcome.code, Some(125));
    expect![[r#"
        rolebox: broken.json: line 3, column 1: not JSON: trailing comma. Correct the syntax there.
    "#]]
    .assert_eq(&outcome.stderr);

    sandbox.file("misnamed.json", module(""));
    let outcome = sandbox.run(&["run", "misnamed.json"]);
    assert_eq!(outcome.code, Some(125));
    expect![[r#"
        rolebox: misnamed.json: this is WebAssembly and not a task definition. Give a component's file a name that ends in .wasm
    "#]].assert_eq(&outcome.stderr);

    let outcome = sandbox.run(&["run", "."]);
    assert_eq!(outcome.code, Some(125));
}

/// A command that wants more than WASI.
const IMPORTING: &str = r#"(component
    (import "evil:host/keys" (instance (export "steal" (func))))
    (core module $module (func (export "run") (result i32) (i32.const 0)))
    (core instance $instance (instantiate $module))
    (func $run (result (result)) (canon lift (core func $instance "run")))
    (instance $command (export "run" (func $run)))
    (export "wasi:cli/run@0.2.0" (instance $command)))"#;

#[test]
fn images_that_cannot_run() {
    let missing = |definition: &mut Value| definition["containerDefinitions"][0]["image"] = json!("missing.wasm");
    refuse(
        missing,
        126,
        expect![[r#"
        rolebox: task-definition.json: containerDefinitions[0].image: image missing.wasm cannot be read: No such file or directory (os error 2); build it, or correct `image` in the container definition
    "#]],
    );
    let registry = |definition: &mut Value| definition["containerDefinitions"][0]["image"] = json!("team/app:1");
    refuse(
        registry,
        126,
        expect![[r#"
        rolebox: task-definition.json: containerDefinitions[0].image: image `team/app:1` is not a file: images in registries cannot be pulled; name a path that ends in `.wasm`
    "#]],
    );

    let component = |text: &str| wat::parse_str(text).expect("a component");
    for (image, said) in [
        (b"#!/bin/sh\n".to_vec(), "not a WebAssembly"),
        (Vec::new(), "not a WebAssembly"),
        (b"\0asm\x01\0\0\0\xff\xff".to_vec(), "app.wasm"),
        (component(r#"(module (import "env" "launch" (func)) (func (export "_start")))"#), "env"),
        (component(IMPORTING), "evil:host/keys"),
        (component("(module)"), "nothing to run"),
        (component("(component)"), "nothing to run"),
    ] {
        let sandbox = Sandbox::new();
        sandbox.file("app.wasm", image);
        let outcome = sandbox.run(&["run", "app.wasm"]);
        assert_eq!(outcome.code, Some(126), "{}", outcome.stderr);
        assert!(outcome.stderr.starts_with("rolebox: "), "{}", outcome.stderr);
        assert!(outcome.stderr.contains(said), "{said}: {}", outcome.stderr);
    }
}

#[test]
fn mistakes_as_json() {
    let sandbox = Sandbox::new();
    sandbox.definition(|definition| definition["containerDefinitions"][0]["memory"] = json!(0));
    let outcome = sandbox.run(&["run", "task-definition.json", "--output", "json"]);
    assert_eq!((outcome.code, outcome.text()), (Some(125), ""));
    expect![[r#"
        {
          "error": "task-definition.json: containerDefinitions[0].memory: 0 MiB are out of range. Give 4 to 4096 MiB.",
          "exitCode": 125,
          "problems": [
            {
              "mend": "Give 4 to 4096 MiB.",
              "path": "containerDefinitions[0].memory",
              "what": "0 MiB are out of range"
            }
          ]
        }"#]]
    .assert_eq(&format!("{:#}", outcome.report()));

    let outcome = sandbox.run(&["fly", "--output=json"]);
    assert_eq!((outcome.code, outcome.text()), (Some(125), ""));
    let report = outcome.report();
    assert_eq!(report["exitCode"], 125);
    assert!(report["error"].as_str().expect("a message").contains("fly"), "{report}");
}

#[test]
fn mistakes_in_the_command_line() {
    let sandbox = Sandbox::new();
    sandbox.file("app.wasm", printing(1, b"must not run", ""));
    sandbox.definition(|_| ());
    for line in [
        "",
        "fly",
        "run",
        "run app.wasm --no-such-flag",
        "run app.wasm --memory much",
        "run app.wasm --memory 0",
        "run app.wasm --env NOVALUE",
        "run app.wasm --volume here",
        "run app.wasm --timeout soon",
        "run app.wasm --capability s3:GetObject",
        "run app.wasm --capability s3:GetObject=arn:aws:s3:::b/*",
        "run app.wasm --task-role-arn app",
        "run app.wasm --allow-host s3.amazonaws.com",
        "run app.wasm --roles roles.json",
        "run app.wasm --max-memory 1",
        "run app.wasm --max-memory 128",
        "run app.wasm --max-timeout soon",
        "run app.wasm --max-timeout 1s",
        "run app.wasm --allow-role app",
        "run app.wasm --audit /no/such/folder/audit.jsonl",
        "run task-definition.json --memory 64",
        "run task-definition.json -- argument",
        "run app.wasm --output yaml",
        "explain",
        "local-aws",
        "local-aws --roles missing.json",
        "local-aws --listen nowhere --roles missing.json",
    ] {
        let arguments: Vec<_> = line.split_ascii_whitespace().collect();
        let outcome = sandbox.run(&arguments);
        assert_eq!((outcome.code, outcome.text()), (Some(125), ""), "{line}: {}", outcome.stderr);
        assert!(!outcome.stderr.is_empty(), "{line}");
    }
}

#[test]
fn help_and_version_are_answers() {
    let sandbox = Sandbox::new();
    for line in [&["--help"][..], &["run", "--help"], &["explain", "--help"], &["local-aws", "-h"], &["--version"]] {
        let outcome = sandbox.run(line);
        assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(0), ""), "{line:?}");
        assert!(!outcome.stdout.is_empty(), "{line:?}");
    }
}

#[test]
fn a_role_needs_an_aws() {
    let sandbox = Sandbox::new();
    sandbox.file("app.wasm", printing(1, b"must not run", ""));
    let with_role = |definition: &mut Value| definition["taskRoleArn"] = json!("arn:aws:iam::123456789012:role/app");
    sandbox.definition(with_role);

    let outcome = sandbox.run(&["run", "task-definition.json"]);
    assert_eq!((outcome.code, outcome.text()), (Some(125), ""));
    expect![[r#"
        rolebox: no AWS Region is set. Set AWS_REGION, or region in the profile that AWS_PROFILE names
    "#]]
    .assert_eq(&outcome.stderr);

    let outcome = sandbox.run(&["run", "task-definition.json", "--local"]);
    assert_eq!((outcome.code, outcome.text()), (Some(125), ""));
    expect![[r#"
        rolebox: ./roles.json: the roles of the embedded AWS cannot be read (name their file with --roles): No such file or directory (os error 2)
    "#]].assert_eq(&outcome.stderr);

    for (name, value, said) in [
        ("AWS_REGION", "the moon", "AWS_REGION"),
        ("AWS_USE_FIPS_ENDPOINT", "true", "AWS_USE_FIPS_ENDPOINT"),
        ("AWS_ENDPOINT_URL", "ftp://127.0.0.1", "AWS_ENDPOINT_URL"),
        ("AWS_ENDPOINT_URL_STS", "nowhere", "AWS_ENDPOINT_URL_STS"),
        ("AWS_ENDPOINT_URL_SECRETS_MANAGER", "http://u:p@h/", "AWS_ENDPOINT_URL_SECRETS_MANAGER"),
    ] {
        let mut command = sandbox.command(&["run", "task-definition.json"]);
        command.env("AWS_REGION", "us-east-1").env(name, value);
        let outcome = super::Outcome::of(command.output().expect("rolebox runs"), &sandbox);
        assert_eq!((outcome.code, outcome.text()), (Some(125), ""), "{name}");
        assert!(outcome.stderr.contains(said), "{name}: {}", outcome.stderr);
    }
}

#[test]
fn base_credentials_that_are_missing_or_an_endpoint_that_is_down() {
    let sandbox = Sandbox::new();
    sandbox.file("app.wasm", printing(1, b"must not run", ""));
    sandbox.definition(|definition| definition["taskRoleArn"] = json!("arn:aws:iam::123456789012:role/app"));
    // Port 9 of the loopback: nobody listens.
    let run = |variables: &[(&str, &str)]| {
        let mut command = sandbox.command(&["run", "task-definition.json"]);
        command.env("AWS_REGION", "us-east-1").env("AWS_ENDPOINT_URL", "http://127.0.0.1:9");
        command.envs(variables.iter().copied());
        super::Outcome::of(command.output().expect("rolebox runs"), &sandbox)
    };
    let outcome = run(&[]);
    assert_eq!((outcome.code, outcome.text()), (Some(125), ""), "{}", outcome.stderr);
    assert!(outcome.stderr.contains("credentials"), "{}", outcome.stderr);

    let outcome = run(&[("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE"), ("AWS_SECRET_ACCESS_KEY", "hosts-own-secret")]);
    assert_eq!((outcome.code, outcome.text()), (Some(125), ""), "{}", outcome.stderr);
    assert!(outcome.stderr.contains("STS cannot be reached"), "{}", outcome.stderr);
    assert!(!outcome.stderr.contains("hosts-own-secret"), "{}", outcome.stderr);
}
