//! `rolebox local-aws`, and `run --local`.

use serde_json::{Value, json};

use super::{Outcome, Sandbox, code, printing, read_line, signal};

fn roles() -> String {
    json!({"roles": [{
        "name": "sample",
        "trustPolicy": {"Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::123456789012:root"}, "Action": "sts:AssumeRole",
        }]},
        "policies": [],
        "managedPolicyArns": ["arn:aws:iam::aws:policy/AmazonS3FullAccess"],
    }]})
    .to_string()
}

fn with_role(definition: &mut Value) {
    definition["taskRoleArn"] = json!("arn:aws:iam::123456789012:role/sample");
}

#[test]
fn it_prints_its_environment_and_serves_until_a_signal() {
    let sandbox = Sandbox::new();
    sandbox.file("roles.json", roles());
    for name in ["TERM", "INT"] {
        let mut child =
            sandbox.start(&["local-aws", "--listen", "127.0.0.1:0", "--roles", "roles.json", "--data", "data"]);
        let stdout = child.stdout.as_mut().expect("a pipe");
        let names: Vec<_> = (0..4)
            .map(|_| read_line(stdout))
            .map(|line| {
                let (name, value) = line
                    .trim_end()
                    .split_once('=')
                    .map(|(name, value)| (name.to_owned(), value.to_owned()))
                    .expect("NAME=value");
                assert!(!value.is_empty(), "{name}");
                name
            })
            .collect();
        assert_eq!(
            names,
            [
                "export AWS_ENDPOINT_URL",
                "export AWS_REGION",
                "export AWS_ACCESS_KEY_ID",
                "export AWS_SECRET_ACCESS_KEY"
            ]
        );
        signal(&child, name);
        assert_eq!(code(child.wait().expect("an end")), Some(0));
    }
}

#[test]
fn a_role_is_assumed_in_the_embedded_aws() {
    let sandbox = Sandbox::new();
    sandbox.file("roles.json", roles());
    sandbox.file("app.wasm", printing(1, b"ran\n", ""));
    sandbox.definition(with_role);
    let outcome = sandbox.run(&["run", "task-definition.json", "--local"]);
    assert_eq!((outcome.code, outcome.text(), outcome.stderr.as_str()), (Some(0), "ran\n", ""));
}

#[test]
fn a_role_that_cannot_be_assumed_says_why() {
    let sandbox = Sandbox::new();
    sandbox.file("roles.json", roles().replace("123456789012:root", "111122223333:root"));
    sandbox.file("app.wasm", printing(1, b"must not run", ""));
    sandbox.definition(with_role);
    let outcome = sandbox.run(&["run", "task-definition.json", "--local"]);
    assert_eq!((outcome.code, outcome.text()), (Some(125), ""));
    for said in ["arn:aws:iam::123456789012:role/sample", "STS denied it", "sts:AssumeRole", "rolebox-host"] {
        assert!(outcome.stderr.contains(said), "{said}: {}", outcome.stderr);
    }
}

/// Another process's `rolebox local-aws`, and the environment that it prints.
struct Serving(std::process::Child, Vec<(String, String)>);

impl Serving {
    fn start(sandbox: &Sandbox) -> Self {
        let mut child = sandbox.start(&["local-aws", "--roles", "roles.json"]);
        let stdout = child.stdout.as_mut().expect("a pipe");
        let environment = (0..4).map(|_| {
            let line = read_line(stdout);
            let (name, value) =
                line.trim_end().strip_prefix("export ").expect("export").split_once('=').expect("NAME=value");
            (name.to_owned(), value.to_owned())
        });
        let environment = environment.collect();
        Self(child, environment)
    }

    fn value(&self, name: &str) -> &str {
        let found = self.1.iter().find(|(other, _)| other == name);
        &found.expect("a variable").1
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        signal(&self.0, "TERM");
        self.0.wait().expect("an end");
    }
}

#[test]
fn the_standard_aws_environment_is_used() {
    let sandbox = Sandbox::new();
    sandbox.file("roles.json", roles());
    sandbox.file("app.wasm", printing(1, b"ran\n", ""));
    sandbox.definition(with_role);
    let serving = Serving::start(&sandbox);
    let run = |variables: &[(&str, &str)]| {
        let mut command = sandbox.command(&["run", "task-definition.json"]);
        command.envs(variables.iter().copied());
        Outcome::of(command.output().expect("rolebox runs"), &sandbox)
    };
    let (endpoint, region) = (serving.value("AWS_ENDPOINT_URL"), serving.value("AWS_REGION"));
    let (key, secret) = (serving.value("AWS_ACCESS_KEY_ID"), serving.value("AWS_SECRET_ACCESS_KEY"));

    let keys = [("AWS_REGION", region), ("AWS_ACCESS_KEY_ID", key), ("AWS_SECRET_ACCESS_KEY", secret)];
    // The endpoint of all services, or of STS alone: the more specific one wins.
    for endpoints in [
        &[("AWS_ENDPOINT_URL", endpoint)][..],
        &[("AWS_ENDPOINT_URL_STS", endpoint)],
        &[("AWS_ENDPOINT_URL", "http://127.0.0.1:9"), ("AWS_ENDPOINT_URL_STS", endpoint)],
    ] {
        let outcome = run(&[&keys, endpoints].concat());
        assert_eq!((outcome.code, outcome.text()), (Some(0), "ran\n"), "{endpoints:?}: {}", outcome.stderr);
    }

    // The same from a profile, with the endpoint in the profile or in its services section.
    std::fs::create_dir(sandbox.path().join(".aws")).expect("a folder");
    for (profile, services) in [
        (format!("endpoint_url = {endpoint}"), String::new()),
        ("services = here".to_owned(), format!("[services here]\nsts =\n  endpoint_url = {endpoint}\n")),
    ] {
        let config = format!(
            "[profile other]\nregion = {region}\naws_access_key_id = {key}\naws_secret_access_key = {secret}\n{profile}\n{services}"
        );
        sandbox.file(".aws/config", config);
        let outcome = run(&[("AWS_PROFILE", "other")]);
        assert_eq!((outcome.code, outcome.text()), (Some(0), "ran\n"), "{profile}: {}", outcome.stderr);
    }

    let wrong = run(&[&keys[..2], &[("AWS_SECRET_ACCESS_KEY", "wrong"), ("AWS_ENDPOINT_URL", endpoint)]].concat());
    assert_eq!((wrong.code, wrong.text()), (Some(125), ""));
    assert!(wrong.stderr.contains("SignatureDoesNotMatch"), "{}", wrong.stderr);
}

#[test]
fn no_key_is_logged_at_any_level() {
    let sandbox = Sandbox::new();
    sandbox.file("roles.json", roles());
    sandbox.file("app.wasm", printing(1, b"ran\n", ""));
    sandbox.definition(with_role);
    let outcome = sandbox.run(&["run", "task-definition.json", "--local", "--log", "trace", "--audit", "audit.jsonl"]);
    assert_eq!(outcome.code, Some(0));
    // The form of a session's key id; and what is not ours is not logged at all.
    for foreign in ["ASIA", "hyper", "aws_smithy", "aws_sdk", "x-amz-security-token"] {
        assert!(!outcome.stderr.contains(foreign), "{foreign}: {}", outcome.stderr);
    }
}
