//! `rolebox explain`.

use expect_test::expect;
use serde_json::{Value, json};

use super::{Sandbox, printing};

fn whole(definition: &mut Value) {
    definition["taskRoleArn"] = json!("arn:aws:iam::123456789012:role/sample");
    definition["networkMode"] = json!("awsvpc");
    definition["containerDefinitions"][0]["environment"] = json!([{"name": "MODE", "value": "fast\u{1b}[2J"}]);
    definition["rolebox"] = json!({
        "capabilities": [
            {"action": ["s3:CreateBucket"], "resource": ["arn:aws:s3:::sample-*"]},
            {"action": ["s3:PutObject"], "resource": ["arn:aws:s3:::sample-*/*"]},
        ],
        "timeout": "60s",
    });
}

#[test]
fn a_definition_is_explained_in_text() {
    let sandbox = Sandbox::new();
    sandbox.file("app.wasm", printing(1, b"must not run", ""));
    sandbox.definition(whole);
    let outcome = sandbox.run(&["explain", "task-definition.json"]);
    assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(0), ""));
    expect![[r#"
        Task definition sample (task-definition.json)

        Task role arn:aws:iam::123456789012:role/sample
          role session    one for each task, renewed every 1h
          session policy  required, 267 of at most 2048 characters
            {
              "Version": "2012-10-17",
              "Statement": [
                {
                  "Effect": "Allow",
                  "Action": "s3:CreateBucket",
                  "Resource": "arn:aws:s3:::sample-*"
                },
                {
                  "Effect": "Allow",
                  "Action": "s3:PutObject",
                  "Resource": "arn:aws:s3:::sample-*/*",
                  "Condition": {
                    "StringEquals": {
                      "aws:ResourceAccount": "123456789012"
                    }
                  }
                }
              ]
            }

        Capabilities
          s3:CreateBucket
            on arn:aws:s3:::sample-*
          s3:PutObject
            on arn:aws:s3:::sample-*/*

        Hosts none beside AWS

        Limits
          timeout         1m
          cpu time        no limit (default)
          cpu             one core (default)
          output          16 MiB (default)
          a call's body   16 MiB (default)
          a call's time   1m (default)
          calls at once   64 (default)
          calls a second  1000 (default)
          bodies in all   no limit (default)
          open files      256 (default)
          connections     256 (default)
          requests        64 at once (default)

        Bounds
                              asks                                   bound                       verdict
          role                arn:aws:iam::123456789012:role/sample  any                         within
          session policy      required (default)                     required or off             within
          role session        per-task (default)                     per-task or per-definition  within
          unsigned bodies     none (default)                         over TLS                    within
          session duration    1h (default)                           at most 12h                 within
          timeout             1m                                     at most 720h                within
          memory of the task  16 MiB                                 at most 40960 MiB           within
          cpu of the task     2 (default)                            any                         within
          cpu limit           1024 (default)                         at most 1024                within
          containers          1                                      at most 10                  within
          image of app        app.wasm                               any                         within
          memory of app       16 MiB                                 at most 4096 MiB            within
          volumes             none (default)                         in .                        within
          hosts               none (default)                         any                         within
          output bytes        16 MiB (default)                       at most 1024 GiB            within
          body bytes          16 MiB (default)                       at most 1 GiB               within
          calls in flight     64 (default)                           at most 1024                within
          calls per second    1000 (default)                         at most 100000              within
          total bytes         no limit (default)                     any                         within
          call timeout        1m (default)                           at most 1h                  within
          cpu time            no limit (default)                     any                         within
          open files          256 (default)                          at most 1024                within
          connections         256 (default)                          at most 1024                within
          requests in flight  64 (default)                           at most 1024                within

        Container app
          image           app.wasm
          memory          16 MiB at most
          cpu             share 2 (1024 stand for one core)
          arguments       app.wasm
          environment     MODE=fast\u{1b}[2J
          imports         wasi_snapshot_preview1

        Keys without effect
          networkMode: a task has no network of its own: what it reaches stands in rolebox.egress and its capabilities

        Mismatches
          rolebox.capabilities: no image imports rolebox:aws or wasi:http, so these are never used
    "#]]
    .assert_eq(outcome.text());
}

#[test]
fn a_definition_is_explained_in_json() {
    let sandbox = Sandbox::new();
    sandbox.file("app.wasm", printing(1, b"must not run", ""));
    sandbox.definition(whole);
    let outcome = sandbox.run(&["explain", "task-definition.json", "--output", "json"]);
    assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(0), ""));
    let explanation: Value = serde_json::from_slice(&outcome.stdout).expect("JSON");
    let document = &explanation["taskRole"]["sessionPolicy"]["document"];
    assert_eq!(document["Version"], "2012-10-17");
    assert_eq!(explanation["taskRole"]["arn"], "arn:aws:iam::123456789012:role/sample");
    assert_eq!(explanation["limits"]["timeout"], "1m");
    assert_eq!(explanation["containers"][0]["memory"], 16);
    assert_eq!(explanation["ignoredKeys"][0]["path"], "networkMode");
    assert_eq!(explanation["exitCode"], 0);
    assert_eq!(
        explanation["limits"]["defaults"],
        json!([
            "outputBytes",
            "bodyBytes",
            "callsInFlight",
            "callsPerSecond",
            "totalBytes",
            "callTimeout",
            "cpuTime",
            "openFiles",
            "connections",
            "requestsInFlight",
            "cpuLimit"
        ]),
    );
    let checks = explanation["bounds"].as_array().expect("a list");
    assert!(checks.iter().all(|check| check["allowed"] == true), "{checks:?}");
    let timeout = checks.iter().find(|check| check["place"] == "rolebox.timeout").expect("a check");
    expect![[r#"{"allowed":true,"asks":"1m","bound":"at most 720h","default":false,"place":"rolebox.timeout","what":"timeout"}"#]]
        .assert_eq(&timeout.to_string());
    // What a program may rely on: the keys.
    let keys: Vec<_> = explanation.as_object().expect("an object").keys().map(String::as_str).collect();
    expect![
        "bounds containers egress executionRoleArn exitCode family file ignoredKeys limits mismatches taskRole volumes"
    ]
    .assert_eq(&keys.join(" "));
}

#[test]
fn what_does_not_fit_is_listed() {
    let sandbox = Sandbox::new();
    sandbox.file("app.wasm", printing(1, b"must not run", ""));
    std::fs::create_dir(sandbox.path().join("data")).expect("a folder");
    let mismatches = |change: fn(&mut Value)| {
        let definition = sandbox.definition(change);
        let outcome = sandbox.run(&["explain", &definition.display().to_string(), "--output", "json"]);
        let explanation: Value = serde_json::from_slice(&outcome.stdout).expect("JSON");
        assert_eq!(explanation["exitCode"], json!(outcome.code));
        let lines = explanation["mismatches"].as_array().expect("a list").iter().map(|mismatch| {
            let text =
                |key: &str| mismatch[key].as_str().expect("text").replace(&sandbox.path().display().to_string(), "DIR");
            format!("{}: {}\n", text("path"), text("what"))
        });
        format!("{}exit code {}", lines.collect::<String>(), explanation["exitCode"])
    };
    expect![[r#"
        rolebox.capabilities: no image imports rolebox:aws or wasi:http, so these are never used
        exit code 0"#]]
    .assert_eq(&mismatches(whole));
    expect![[r#"
        rolebox.egress: no image imports wasi:http, so these are never reached
        volumes[0]: no container mounts this volume
        exit code 0"#]]
    .assert_eq(&mismatches(|definition| {
        definition["volumes"] = json!([{"name": "data", "host": {"sourcePath": "data"}}]);
        definition["rolebox"] = json!({"egress": ["api.example.com:443"]});
    }));
    expect![[r#"
        volumes[0].host.sourcePath: asks for /etc (it lies in no folder that the operator allows volumes in: DIR; to allow it: OperatorBounds::allow_volumes_in, or --volume-root DIR)
        volumes[1].host.sourcePath: asks for DIR/none (No such file or directory (os error 2); make the folder first)
        exit code 125"#]]
    .assert_eq(&mismatches(|definition| {
        definition["volumes"] = json!([
            {"name": "etc", "host": {"sourcePath": "/etc"}}, {"name": "none", "host": {"sourcePath": "none"}},
        ]);
        definition["containerDefinitions"][0]["mountPoints"] = json!([
            {"sourceVolume": "etc", "containerPath": "/etc"}, {"sourceVolume": "none", "containerPath": "/none"},
        ]);
    }));
    expect![[r#"
        containerDefinitions[0].image: image DIR/missing.wasm cannot be read: No such file or directory (os error 2); build it, or correct `image` in the container definition
        exit code 126"#]].assert_eq(&mismatches(|definition| {
        definition["containerDefinitions"][0]["image"] = json!("missing.wasm");
    }));
}

#[test]
fn explaining_needs_no_aws_and_a_reader_may_leave() {
    let sandbox = Sandbox::new();
    sandbox.file("app.wasm", printing(1, b"must not run", ""));
    let mut child = sandbox.start(&["explain", "app.wasm", "--task-role-arn", "arn:aws:iam::123456789012:role/app"]);
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("an end");
    assert_eq!((output.status.code(), output.stderr.as_slice()), (Some(0), &b""[..]));
}
