//! Images, arguments, variables, mounts and dependencies that can't be.

use expect_test::expect;
use serde_json::json;

use super::{parse, refuse, refuse_each, smallest, with};

#[test]
fn images() {
    refuse_each([
        ("/containerDefinitions/0/image", json!(null), expect!["containerDefinitions[0].image: the image has no name. Give a path that ends in .wasm, or an image in a registry: [HOST/]NAME[:TAG][@sha256:DIGEST]."]),
        ("/containerDefinitions/0/image", json!(""), expect!["containerDefinitions[0].image: the image has no name. Give a path that ends in .wasm, or an image in a registry: [HOST/]NAME[:TAG][@sha256:DIGEST]."]),
        ("/containerDefinitions/0/image", json!("./app"), expect![[r#"containerDefinitions[0].image: "./app": the registry's host is malformed. Give a path that ends in .wasm, or an image in a registry: [HOST/]NAME[:TAG][@sha256:DIGEST]."#]]),
        ("/containerDefinitions/0/image", json!("App:latest"), expect![[r#"containerDefinitions[0].image: "App:latest": the repository's name is malformed: its parts are lower-case letters and digits, joined by single dots, dashes or underscores. Give a path that ends in .wasm, or an image in a registry: [HOST/]NAME[:TAG][@sha256:DIGEST]."#]]),
        ("/containerDefinitions/0/image", json!("https://example.com/app"), expect![[r#"containerDefinitions[0].image: "https://example.com/app": the image is a URL. Give a path that ends in .wasm, or an image in a registry: [HOST/]NAME[:TAG][@sha256:DIGEST]."#]]),
        ("/containerDefinitions/0/image", json!("app@sha256:12"), expect![[r#"containerDefinitions[0].image: "app@sha256:12": the digest is not 64 hexadecimal digits. Give a path that ends in .wasm, or an image in a registry: [HOST/]NAME[:TAG][@sha256:DIGEST]."#]]),
        ("/containerDefinitions/0/image", json!("app@sha512:12"), expect![[r#"containerDefinitions[0].image: "app@sha512:12": the digest's algorithm is not sha256. Give a path that ends in .wasm, or an image in a registry: [HOST/]NAME[:TAG][@sha256:DIGEST]."#]]),
        ("/containerDefinitions/0/image", json!("example.com:70000/app"), expect![[r#"containerDefinitions[0].image: "example.com:70000/app": the registry's host is malformed. Give a path that ends in .wasm, or an image in a registry: [HOST/]NAME[:TAG][@sha256:DIGEST]."#]]),
        ("/containerDefinitions/0/image", json!("app:a b"), expect![[r#"containerDefinitions[0].image: "app:a b": the tag is malformed. Give a path that ends in .wasm, or an image in a registry: [HOST/]NAME[:TAG][@sha256:DIGEST]."#]]),
        ("/containerDefinitions/0/image", json!("a\u{0}.wasm"), expect![[r#"containerDefinitions[0].image: "a\0.wasm": the image's name holds a NUL. Give a path that ends in .wasm, or an image in a registry: [HOST/]NAME[:TAG][@sha256:DIGEST]."#]]),
    ]);
}

#[test]
fn arguments_and_environment() {
    refuse_each([
        ("/containerDefinitions/0/command", json!(["a", "b\u{0}"]), expect!["containerDefinitions[0].command[1]: the argument holds a NUL. Remove it."]),
        ("/containerDefinitions/0/entryPoint", json!(["\u{0}"]), expect!["containerDefinitions[0].entryPoint[0]: the argument holds a NUL. Remove it."]),
        ("/containerDefinitions/0/environment", json!([{"value": "b"}]), expect!["containerDefinitions[0].environment[0].name: the variable has no name. Give it one."]),
        ("/containerDefinitions/0/environment", json!([{"name": "A=B", "value": "b"}]), expect![[r#"containerDefinitions[0].environment[0].name: "A=B" is not the name of a variable. Give one without = and NUL."#]]),
        ("/containerDefinitions/0/environment", json!([{"name": "A", "value": "\u{0}"}]), expect!["containerDefinitions[0].environment[0].value: the value holds a NUL. Remove it."]),
        ("/containerDefinitions/0/environment", json!([{"name": "A"}, {"name": "A"}]), expect![[r#"containerDefinitions[0].environment[1].name: "A" is set twice. Keep the one that you mean."#]]),
        ("/containerDefinitions/0/environment", json!([{"name": "AWS_SECRET_ACCESS_KEY", "value": "wJalr"}]), expect!["containerDefinitions[0].environment[0].name: AWS_SECRET_ACCESS_KEY holds credentials, and a task never holds a key. Remove it: the host signs the task's calls with its role, and sets placeholders for SDKs."]),
        ("/containerDefinitions/0/environment", json!([{"name": "aws_access_key_id"}]), expect!["containerDefinitions[0].environment[0].name: aws_access_key_id holds credentials, and a task never holds a key. Remove it: the host signs the task's calls with its role, and sets placeholders for SDKs."]),
        ("/containerDefinitions/0/environment", json!([{"name": "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"}]), expect!["containerDefinitions[0].environment[0].name: AWS_CONTAINER_CREDENTIALS_RELATIVE_URI holds credentials, and a task never holds a key. Remove it: the host signs the task's calls with its role, and sets placeholders for SDKs."]),
    ]);
}

#[test]
fn volumes_and_mount_points() {
    refuse_each([
        ("/volumes", json!([{"name": "v"}]), expect!["volumes[0].host.sourcePath: the volume names no folder of the host. Give one, absolute or relative to the definition: volumes that Docker would make do not exist here."]),
        ("/volumes", json!([{"name": "v", "host": {}}]), expect!["volumes[0].host.sourcePath: the volume names no folder of the host. Give one, absolute or relative to the definition: volumes that Docker would make do not exist here."]),
        ("/volumes", json!([{"name": "v", "host": {"sourcePath": "a\u{0}"}}]), expect!["volumes[0].host.sourcePath: the path holds a NUL. Remove it."]),
        ("/volumes", json!([{"host": {"sourcePath": "v"}}]), expect!["volumes[0].name: the volume has no name. Give it one."]),
        ("/volumes", json!([{"name": "v", "host": {"sourcePath": "v"}}, {"name": "v", "host": {"sourcePath": "w"}}]), expect![[r#"volumes[1].name: two volumes are named "v". Give each its own name."#]]),
        ("/containerDefinitions/0/mountPoints", json!([{"sourceVolume": "v", "containerPath": "/v"}]), expect![[r#"containerDefinitions[0].mountPoints[0].sourceVolume: the definition has no volume "v". Name one of its volumes, or add it there."#]]),
        ("/containerDefinitions/0/mountPoints", json!([{"containerPath": "/v"}]), expect![[r#"containerDefinitions[0].mountPoints[0].sourceVolume: the definition has no volume "". Name one of its volumes, or add it there."#]]),
    ]);
    for path in [
        "",
        "data",
        "./data",
        "/data/",
        "/data//x",
        "/data/../etc",
        "/./data",
        "/da\0ta",
    ] {
        let mut document = with(
            "/volumes",
            json!([{"name": "v", "host": {"sourcePath": "v"}}]),
        );
        document["containerDefinitions"][0]["mountPoints"] =
            json!([{"sourceVolume": "v", "containerPath": path}]);
        let error = parse(&document).expect_err("a refusal").to_string();
        assert!(
            error.starts_with("containerDefinitions[0].mountPoints[0].containerPath: "),
            "{error}"
        );
    }
    let mut document = with(
        "/volumes",
        json!([{"name": "v", "host": {"sourcePath": "v"}}]),
    );
    document["containerDefinitions"][0]["mountPoints"] = json!([
        {"sourceVolume": "v", "containerPath": "/v"},
        {"sourceVolume": "v", "containerPath": "/v"},
    ]);
    refuse(
        &document,
        expect![[r#"containerDefinitions[0].mountPoints[1].containerPath: two volumes are mounted at "/v". Give each its own path."#]],
    );
}

#[test]
fn dependencies() {
    /// Name, whether essential, and whom it waits for.
    type Row<'a> = (&'a str, bool, &'a [(&'a str, &'a str)]);
    let depends = |containers: &[Row<'_>]| {
        let containers: Vec<_> = containers
            .iter()
            .map(|(name, essential, depends_on)| {
                let depends_on: Vec<_> = depends_on
                    .iter()
                    .map(|(name, condition)| json!({"containerName": name, "condition": condition}))
                    .collect();
                json!({
                    "name": name, "image": "app.wasm", "memory": 4, "essential": essential, "dependsOn": depends_on,
                })
            })
            .collect();
        with("/containerDefinitions", json!(containers))
    };
    for (document, expected) in [
        (
            depends(&[("a", true, &[("a", "START")])]),
            expect!["containerDefinitions: containers wait for each other in a circle: a waits for a. Take one of these dependsOn away."],
        ),
        (
            depends(&[("a", true, &[("b", "START")])]),
            expect![[r#"containerDefinitions[0].dependsOn[0].containerName: the task has no container "b". Name one of its containers."#]],
        ),
        (
            depends(&[("a", true, &[("", "START")])]),
            expect![[r#"containerDefinitions[0].dependsOn[0].containerName: the task has no container "". Name one of its containers."#]],
        ),
        (
            depends(&[("a", true, &[("b", "HEALTHY")]), ("b", true, &[])]),
            expect!["containerDefinitions[0].dependsOn[0].condition: refused: HEALTHY needs a health check, and none is run. Wait for START, COMPLETE or SUCCESS."],
        ),
        (
            depends(&[("a", true, &[("b", "start")]), ("b", true, &[])]),
            expect![[r#"containerDefinitions[0].dependsOn[0].condition: "start" is not a condition. Give START, COMPLETE or SUCCESS."#]],
        ),
        (
            depends(&[("a", true, &[("b", "COMPLETE")]), ("b", true, &[])]),
            expect![[r#"containerDefinitions[0].dependsOn[0].condition: "b" is essential: when it ends, the task does. Give it "essential": false, or wait for START."#]],
        ),
        (
            depends(&[("a", true, &[("b", "SUCCESS")]), ("b", true, &[])]),
            expect![[r#"containerDefinitions[0].dependsOn[0].condition: "b" is essential: when it ends, the task does. Give it "essential": false, or wait for START."#]],
        ),
        (
            depends(&[
                ("a", true, &[("b", "START"), ("b", "COMPLETE")]),
                ("b", false, &[]),
            ]),
            expect![[r#"containerDefinitions[0].dependsOn[1].containerName: the container waits for "b" twice. Keep the condition that you mean."#]],
        ),
        (
            depends(&[
                ("a", true, &[("b", "START")]),
                ("b", true, &[("a", "START")]),
            ]),
            expect!["containerDefinitions: containers wait for each other in a circle: a waits for b waits for a. Take one of these dependsOn away."],
        ),
        (
            depends(&[
                ("free", true, &[]),
                ("outside", true, &[("free", "START"), ("a", "START")]),
                ("a", false, &[("b", "START")]),
                ("b", false, &[("c", "SUCCESS")]),
                ("c", false, &[("free", "START"), ("a", "COMPLETE")]),
            ]),
            expect!["containerDefinitions: containers wait for each other in a circle: a waits for b waits for c waits for a. Take one of these dependsOn away."],
        ),
    ] {
        refuse(&document, expected);
    }
    let document = with(
        "/containerDefinitions/0/dependsOn",
        json!([{"containerName": "app"}]),
    );
    refuse(
        &document,
        expect![[r#"containerDefinitions[0].dependsOn[0].condition: "" is not a condition. Give START, COMPLETE or SUCCESS."#]],
    );
}

#[test]
fn parts_that_are_more_than_the_whole() {
    let mut document = smallest();
    document["containerDefinitions"] = json!([
        {"name": "a", "image": "a.wasm", "memory": 300, "cpu": 600},
        {"name": "b", "image": "b.wasm", "memory": 300, "cpu": 600},
        {"name": "c", "image": "c.wasm", "memory": 4},
    ]);
    document["memory"] = json!(512);
    document["cpu"] = json!("1 vCPU");
    refuse(
        &document,
        expect![[r#"
        memory: the task has 512 MiB, and its containers 604 MiB together. Give the task more, or its containers less.
        cpu: the task has 1024 CPU units, and its containers 1200 together. Give the task more, or its containers less."#]],
    );
}

#[test]
fn port_mappings() {
    refuse_each([
        ("/containerDefinitions/0/portMappings", json!({"containerPort": 80}), expect!["containerDefinitions[0].portMappings: an object is of the wrong type. Give a list."]),
        ("/containerDefinitions/0/portMappings", json!([80]), expect!["containerDefinitions[0].portMappings[0]: a number is of the wrong type. Give an object."]),
        ("/containerDefinitions/0/portMappings", json!([{}]), expect!["containerDefinitions[0].portMappings[0].containerPort: the mapping has no container port. Give one, 1 to 65535."]),
        ("/containerDefinitions/0/portMappings", json!([{"hostPort": 80}]), expect!["containerDefinitions[0].portMappings[0].containerPort: the mapping has no container port. Give one, 1 to 65535."]),
        ("/containerDefinitions/0/portMappings", json!([{"containerPort": 0}]), expect!["containerDefinitions[0].portMappings[0].containerPort: 0 is not a port. Give 1 to 65535."]),
        ("/containerDefinitions/0/portMappings", json!([{"containerPort": 65536}]), expect!["containerDefinitions[0].portMappings[0].containerPort: 65536 is not a port. Give 1 to 65535."]),
        ("/containerDefinitions/0/portMappings", json!([{"containerPort": -1}]), expect!["containerDefinitions[0].portMappings[0].containerPort: -1 is not a port. Give 1 to 65535."]),
        ("/containerDefinitions/0/portMappings", json!([{"containerPort": "80"}]), expect![[r#"containerDefinitions[0].portMappings[0].containerPort: string "80" is of the wrong type. Give a whole number."#]]),
        ("/containerDefinitions/0/portMappings", json!([{"containerPort": 80, "hostPort": 70000}]), expect!["containerDefinitions[0].portMappings[0].hostPort: 70000 is not a port. Give 1 to 65535, or 0 for a free one."]),
        ("/containerDefinitions/0/portMappings", json!([{"containerPort": 80, "protocol": "udp"}]), expect![[r#"containerDefinitions[0].portMappings[0].protocol: refused: only TCP is served. Remove the key, or say "tcp"."#]]),
        ("/containerDefinitions/0/portMappings", json!([{"containerPort": 80, "protocol": "TCP"}]), expect![[r#"containerDefinitions[0].portMappings[0].protocol: "TCP" is not a transport protocol. Remove the key, or say "tcp"."#]]),
        ("/containerDefinitions/0/portMappings", json!([{"containerPort": 80, "appProtocol": "http2"}]), expect![[r#"containerDefinitions[0].portMappings[0].appProtocol: refused: http2 is not served, HTTP/1.1 is. Remove the key, or say "http"."#]]),
        ("/containerDefinitions/0/portMappings", json!([{"containerPort": 80, "appProtocol": "grpc"}]), expect![[r#"containerDefinitions[0].portMappings[0].appProtocol: refused: grpc is not served, HTTP/1.1 is. Remove the key, or say "http"."#]]),
        ("/containerDefinitions/0/portMappings", json!([{"containerPort": 80, "appProtocol": "https"}]), expect![[r#"containerDefinitions[0].portMappings[0].appProtocol: "https" is not an application protocol. Remove the key, or say "http"."#]]),
        ("/containerDefinitions/0/portMappings", json!([{"containerPort": 80}, {"containerPort": 81}]), expect!["containerDefinitions[0].portMappings[1]: the container has 2 port mappings, and its requests come in on one port. Keep one; a second container with the same image can have another."]),
        ("/containerDefinitions/0/portMappings", json!([{"containerPort": 80, "containerport": 81}]), expect![[r#"containerDefinitions[0].portMappings[0].containerport: unknown key in a port mapping. Did you mean "containerPort"?"#]]),
    ]);
}

#[test]
fn containers_that_serve_beside_others() {
    let two = |one: serde_json::Value, other: serde_json::Value| {
        let mut document = smallest();
        document["containerDefinitions"] = json!([
            {"name": "web", "image": "web.wasm", "memory": 64, "essential": false},
            {"name": "app", "image": "app.wasm", "memory": 64},
        ]);
        document["containerDefinitions"][0]["portMappings"] = one;
        for (key, value) in other.as_object().expect("keys") {
            document["containerDefinitions"][1][key] = value.clone();
        }
        document
    };
    let port = json!([{"containerPort": 80}]);
    refuse(&two(port.clone(), json!({"portMappings": [{"containerPort": 8080, "hostPort": 80}]})), expect![[r#"containerDefinitions[1].portMappings[0].hostPort: the container "web" has the host port 80 already. Give each its own, or 0 for a free one."#]]);
    for condition in ["COMPLETE", "SUCCESS"] {
        let waits = json!({"dependsOn": [{"containerName": "web", "condition": condition}]});
        refuse(&two(port.clone(), waits), expect![[r#"containerDefinitions[1].dependsOn[0].condition: "web" serves requests until the task ends. Wait for START: that it listens."#]]);
    }
    let free = json!([{"containerPort": 80, "hostPort": 0}]);
    for accepted in [
        two(free.clone(), json!({"portMappings": free})),
        two(port, json!({"dependsOn": [{"containerName": "web", "condition": "START"}]})),
    ] {
        parse(&accepted).expect("a definition");
    }
}
