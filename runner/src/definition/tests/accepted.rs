use std::path::Path;
use std::time::Duration;

use expect_test::expect;
use serde_json::{Value, json};

use super::{accept, smallest, with};
use crate::definition::{Condition, Image, RoleSession, SessionPolicySetting, TaskDefinition};

#[test]
fn the_smallest_definition_has_the_documented_defaults() {
    let definition = accept(&smallest());
    assert_eq!(definition.timeout(), Duration::from_secs(3600));
    assert!(definition.egress().is_empty() && definition.volumes().is_empty());
    assert!(definition.ignored_keys().is_empty());
    let limits = definition.limits();
    assert_eq!((limits.output_bytes, limits.body_bytes), (16 << 20, 16 << 20));
    assert_eq!((limits.calls_in_flight, limits.calls_per_second, limits.open_files), (64, 1_000, 256));
    assert_eq!(limits.requests_in_flight, 64);
    assert_eq!((limits.total_bytes, limits.call_timeout), (None, Duration::from_secs(60)));

    let container = &definition.containers()[0];
    assert_eq!(container.image(), &Image::File("/tasks/app.wasm".into()));
    assert_eq!(container.arguments(), ["app.wasm"]);
    assert_eq!((container.cpu(), container.memory().bytes()), (2, 64 << 20));
    assert!(container.essential());
    assert!(container.environment().is_empty() && container.mount_points().is_empty());

    let role = definition.task_role().expect("a role");
    assert_eq!(role.arn().as_str(), "arn:aws:iam::123456789012:role/sample");
    assert!(role.capabilities().is_empty());
    assert_eq!(role.role_session(), RoleSession::PerTask);
    assert_eq!(role.session_duration(), Duration::from_secs(3600));
    assert!(matches!(role.session_policy(), SessionPolicySetting::Required(_)));
    assert_eq!((role.external_id(), role.source_identity(), role.session_tags()), (None, None, false));
    assert!(!role.unsigned_payload());
}

#[test]
fn everything_that_is_read_can_be_asked_for() {
    let definition = accept(&json!({
        "family": "pipeline",
        "taskRoleArn": "arn:aws:iam::123456789012:role/team/pipeline",
        "executionRoleArn": "arn:aws:iam::123456789012:role/execution",
        "cpu": "1 vCPU",
        "memory": "0.5 GB",
        "containerDefinitions": [
            {
                "name": "fetch", "image": "/images/fetch.wasm", "cpu": 256, "memory": 100, "essential": false,
                "entryPoint": ["fetch", "--quiet"], "command": ["in"],
                "environment": [{"name": "MODE", "value": "fast"}, {"name": "EMPTY", "value": ""}],
                "mountPoints": [{"sourceVolume": "scratch", "containerPath": "/scratch"}],
            },
            {
                "name": "load", "image": "registry.example.com/team/load:1.2", "cpu": 512, "memory": 200,
                "mountPoints": [{"sourceVolume": "scratch", "containerPath": "/", "readOnly": true}],
                "dependsOn": [{"containerName": "fetch", "condition": "SUCCESS"}],
            },
        ],
        "volumes": [
            {"name": "scratch", "host": {"sourcePath": "scratch"}},
            {"name": "unused", "host": {"sourcePath": "/srv/data"}},
        ],
        "rolebox": {
            "capabilities": [{"action": "s3:GetObject", "resource": "arn:aws:s3:::in/*"}],
            "egress": ["API.example.com:443", "http://plain.example.com:8080"],
            "timeout": "1h30m",
            "sessionPolicy": "off",
            "roleSession": "per-definition",
            "sessionDuration": "15m",
            "externalId": "partner:42",
            "sourceIdentity": "pipeline",
            "sessionTags": true,
            "unsignedPayload": true,
            "cpuLimit": 512,
            "limits": {
                "outputBytes": 1, "bodyBytes": 2, "callsInFlight": 3, "callsPerSecond": 4, "totalBytes": 5,
                "callTimeout": "6s", "cpuTime": "7s", "openFiles": 8, "connections": 9, "requestsInFlight": 10,
            },
        },
    }));
    assert_eq!(definition.cpu(), Some(1024));
    assert_eq!(definition.memory().expect("a memory").get(), 512);
    assert_eq!(definition.execution_role().expect("a role").name(), "execution");
    assert_eq!(definition.timeout(), Duration::from_secs(5400));

    let [fetch, load] = definition.containers() else {
        panic!("two containers");
    };
    assert_eq!(fetch.arguments(), ["fetch", "--quiet", "in"]);
    assert_eq!(load.arguments(), ["load"]);
    assert_eq!(fetch.environment()[0], ("MODE".to_owned(), "fast".to_owned()));
    assert_eq!(load.mount_points()[0].container_path(), "/");
    assert!(load.mount_points()[0].read_only() && !fetch.mount_points()[0].read_only());
    assert_eq!(load.depends_on()[0].container_name(), "fetch");
    assert_eq!(load.depends_on()[0].condition(), Condition::Success);
    let folders: Vec<_> = definition.volumes().iter().map(|volume| volume.source_path()).collect();
    assert_eq!(folders, [Path::new("/tasks/scratch"), Path::new("/srv/data")]);

    let egress: Vec<_> = definition.egress().iter().map(ToString::to_string).collect();
    assert_eq!(egress, ["api.example.com:443", "http://plain.example.com:8080"]);
    assert!(definition.egress()[0].tls() && !definition.egress()[1].tls());

    let role = definition.task_role().expect("a role");
    assert_eq!(role.session_policy(), &SessionPolicySetting::Off);
    assert_eq!(role.role_session(), RoleSession::PerDefinition);
    assert_eq!(role.session_duration(), Duration::from_secs(900));
    assert_eq!((role.external_id(), role.source_identity()), (Some("partner:42"), Some("pipeline")));
    assert!(role.session_tags() && role.unsigned_payload());
    assert_eq!(role.declared_capabilities().len(), 1);

    let limits = definition.limits();
    assert_eq!((limits.output_bytes, limits.body_bytes, limits.calls_in_flight), (1, 2, 3));
    assert_eq!((limits.calls_per_second, limits.total_bytes), (4, Some(5)));
    assert_eq!(limits.call_timeout, Duration::from_secs(6));
    assert_eq!((limits.cpu_time, limits.open_files), (Some(Duration::from_secs(7)), 8));
    assert_eq!(limits.connections, 9);
    assert_eq!(limits.requests_in_flight, 10);
    assert_eq!((definition.cpu_limit(), definition.cpu_share()), (Some(512), 1024));
}

#[test]
fn a_port_mapping_makes_a_container_one_that_serves() {
    let ports = |mapping: Value| {
        let definition = accept(&with("/containerDefinitions/0/portMappings", json!([mapping])));
        assert!(definition.serves());
        let mapping = *definition.containers()[0].port_mapping().expect("a mapping");
        (mapping.container_port(), mapping.host_port())
    };
    // What ECS's modes mean by an absent host port differs: here it is the container's, as in all but `bridge`.
    assert_eq!(ports(json!({"containerPort": 8080})), (8080, 8080));
    assert_eq!(
        ports(json!({"containerPort": 80, "hostPort": 8080, "protocol": "tcp", "appProtocol": "http"})),
        (80, 8080)
    );
    assert_eq!(ports(json!({"containerPort": 65_535, "hostPort": 0})), (65_535, 0));

    let named = accept(&with("/containerDefinitions/0/portMappings", json!([{"containerPort": 1, "name": "web"}])));
    let ignored: Vec<_> = named.ignored_keys().iter().map(|key| key.path.as_str()).collect();
    assert_eq!(ignored, ["containerDefinitions[0].portMappings[0].name"]);
    assert!(!accept(&with("/containerDefinitions/0/portMappings", json!([]))).serves());
}

#[test]
fn a_task_that_serves_has_a_timeout_for_each_request() {
    let command = accept(&smallest());
    assert_eq!((command.timeout(), command.default_timeout()), (Duration::from_secs(3600), Duration::from_secs(3600)));
    let mut document = with("/containerDefinitions/0/portMappings", json!([{"containerPort": 80}]));
    assert_eq!(accept(&document).timeout(), Duration::from_secs(60));
    document["rolebox"]["timeout"] = json!("5s");
    assert_eq!(accept(&document).timeout(), Duration::from_secs(5));
}

#[test]
fn the_most_memory_of_a_task_is_that_of_all_requests_beside_its_commands() {
    let mut document = smallest();
    document["containerDefinitions"] = json!([
        {"name": "web", "image": "web.wasm", "memory": 64, "portMappings": [{"containerPort": 80}]},
        {"name": "api", "image": "web.wasm", "memory": 100, "portMappings": [{"containerPort": 81}]},
        {"name": "beside", "image": "app.wasm", "memory": 10},
    ]);
    document["rolebox"]["limits"] = json!({"requestsInFlight": 5});
    assert_eq!(accept(&document).most_memory(), 510);
    document["memory"] = json!("200");
    assert_eq!(accept(&document).most_memory(), 200);
    assert_eq!(accept(&smallest()).most_memory(), 64);
}

#[test]
fn a_tasks_own_cpu_caps_as_in_ecs_and_its_containers_cpu_only_weighs() {
    let limit_and_share = |own: Value, limit: Value| {
        let definition = accept(&with("/rolebox/cpuLimit", limit));
        let mut document = smallest();
        document["cpu"] = own;
        document["containerDefinitions"][0]["cpu"] = json!(100);
        let own = accept(&document);
        (own.cpu_limit(), own.cpu_share(), definition.cpu_limit())
    };
    assert_eq!(limit_and_share(json!(256), json!(512)), (Some(256), 256, Some(512)));
    assert_eq!(limit_and_share(json!(2048), json!(null)), (None, 2048, None));
    assert_eq!(limit_and_share(json!(null), json!(1)), (None, 100, Some(1)));
}

/// A definition as one is found in an account: registered for EC2, printed by `describe-task-definition`.
fn described() -> Value {
    json!({
        "taskDefinition": {
            "taskDefinitionArn": "arn:aws:ecs:us-east-1:123456789012:task-definition/sample:3",
            "containerDefinitions": [{
                "name": "app", "image": "app.wasm", "cpu": 10, "memory": 200, "links": [], "portMappings": [],
                "essential": true, "entryPoint": [], "command": [], "environment": [], "environmentFiles": [],
                "mountPoints": [], "volumesFrom": [], "secrets": [], "dnsServers": [], "dnsSearchDomains": [],
                "extraHosts": [], "dockerSecurityOptions": [], "ulimits": [], "systemControls": [],
                "credentialSpecs": [], "privileged": false, "interactive": false, "readonlyRootFilesystem": true,
                "dockerLabels": {
                    "team": "a",
                    "rolebox": "{\"timeout\": \"60s\", \"limits\": {\"callsInFlight\": 2}}",
                },
                "linuxParameters": {"capabilities": {"add": [], "drop": ["ALL"]}, "initProcessEnabled": true},
                "logConfiguration": {"logDriver": "awslogs", "options": {"awslogs-group": "/ecs/sample"}},
                "restartPolicy": {"enabled": false},
                "user": null,
            }],
            "family": "sample",
            "taskRoleArn": "arn:aws:iam::123456789012:role/sample",
            "networkMode": "bridge",
            "revision": 3,
            "volumes": [],
            "status": "ACTIVE",
            "requiresAttributes": [{"name": "com.amazonaws.ecs.capability.task-iam-role"}],
            "placementConstraints": [],
            "compatibilities": ["EXTERNAL", "EC2"],
            "requiresCompatibilities": ["EC2"],
            "registeredAt": "2026-11-01T10:00:00+00:00",
            "registeredBy": "arn:aws:iam::123456789012:user/operator",
            "enableFaultInjection": false,
            "ipcMode": "none",
        },
        "tags": [],
    })
}

#[test]
fn what_describe_prints_is_taken_and_what_has_no_effect_is_listed() {
    let definition = accept(&described());
    assert_eq!(definition.timeout(), Duration::from_secs(60));
    assert_eq!(definition.limits().calls_in_flight, 2);
    let ignored: Vec<_> = definition.ignored_keys().iter().map(|key| format!("{}: {}", key.path, key.why)).collect();
    expect![[r#"
        taskDefinition.compatibilities: ECS's own record of the registered revision
        taskDefinition.containerDefinitions[0].dockerLabels.team: no Docker runs the task
        taskDefinition.containerDefinitions[0].linuxParameters.capabilities.drop: a guest has none of the kernel's capabilities to drop
        taskDefinition.containerDefinitions[0].linuxParameters.initProcessEnabled: a task has no processes
        taskDefinition.containerDefinitions[0].logConfiguration: the task's output passes through the runner's own stdout and stderr
        taskDefinition.containerDefinitions[0].readonlyRootFilesystem: a guest has no root file system
        taskDefinition.networkMode: a task has no network of its own: what it reaches stands in rolebox.egress and its capabilities
        taskDefinition.registeredAt: ECS's own record of the registered revision
        taskDefinition.registeredBy: ECS's own record of the registered revision
        taskDefinition.requiresAttributes: ECS's own record of the registered revision
        taskDefinition.requiresCompatibilities: there is one launch type
        taskDefinition.revision: ECS's own record of the registered revision
        taskDefinition.status: ECS's own record of the registered revision
        taskDefinition.taskDefinitionArn: ECS's own record of the registered revision"#]].assert_eq(&ignored.join("\n"));
    // The same document, one level up: what `--query taskDefinition` prints.
    assert_eq!(accept(&described()["taskDefinition"]).family(), "sample");
}

#[test]
fn a_task_without_a_role_has_no_aws() {
    let mut document = smallest();
    document.as_object_mut().expect("an object").remove("taskRoleArn");
    assert!(accept(&document).task_role().is_none());
    for empty in [json!(""), json!(null)] {
        document["taskRoleArn"] = empty;
        assert!(accept(&document).task_role().is_none());
    }
    document["rolebox"] = json!({"capabilities": [], "egress": ["api.example.com:443"], "sessionTags": false});
    assert!(accept(&document).task_role().is_none());
}

#[test]
fn borders_of_ranges_are_inside() {
    for (pointer, value) in [
        ("/containerDefinitions/0/memory", json!(4)),
        ("/containerDefinitions/0/memory", json!(4096)),
        ("/containerDefinitions/0/cpu", json!(0)),
        ("/containerDefinitions/0/cpu", json!(262_144)),
        ("/memory", json!(64)),
        ("/memory", json!("40 GB")),
        ("/cpu", json!(".25 vcpu")),
        ("/family", json!("f".repeat(255))),
        ("/rolebox/timeout", json!("1ms")),
        ("/rolebox/timeout", json!("720h")),
        ("/rolebox/sessionDuration", json!("12h")),
        ("/rolebox/limits/outputBytes", json!(1_u64 << 40)),
        ("/rolebox/limits/bodyBytes", json!(1 << 30)),
        ("/rolebox/limits/totalBytes", json!(i64::MAX)),
        ("/rolebox/limits/callTimeout", json!("1h")),
        ("/rolebox/limits/cpuTime", json!("720h")),
        ("/rolebox/cpuLimit", json!(1)),
        ("/rolebox/cpuLimit", json!(1024)),
        ("/rolebox/egress", json!(["x.example.com:1", "x.example.com:65535"])),
        // Endpoints of customers are not AWS's.
        ("/rolebox/egress", json!(["id0.execute-api.us-east-1.amazonaws.com:443"])),
        ("/rolebox/egress", json!(["id0.lambda-url.eu-west-1.on.aws:443"])),
        // Harmless values of keys that are refused.
        ("/containerDefinitions/0/workingDirectory", json!("/")),
        ("/containerDefinitions/0/privileged", json!(false)),
        ("/containerDefinitions/0/healthCheck", json!({"command": []})),
        ("/containerDefinitions/0/environment", json!([{"name": "AWS_REGION", "value": "eu-west-1"}])),
        ("/proxyConfiguration", json!(null)),
        // Lists may be null, as in a skeleton that was filled in halfway.
        ("/containerDefinitions/0/command", json!(null)),
        ("/volumes", json!(null)),
    ] {
        accept(&with(pointer, value));
    }
}

#[test]
fn the_only_container_may_take_the_tasks_memory() {
    let mut document = smallest();
    document["containerDefinitions"][0] = json!({"name": "app", "image": "app.wasm"});
    document["memory"] = json!("512");
    assert_eq!(accept(&document).containers()[0].memory().get(), 512);
}

#[test]
fn a_file_is_read_from_its_own_folder() {
    #[allow(clippy::disallowed_methods, reason = "the library reads no environment, its tests may")]
    let folder = std::env::temp_dir().join(format!("rolebox-definition-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let path = folder.join("task-definition.json");
    std::fs::write(&path, smallest().to_string()).expect("a file");
    let definition = TaskDefinition::read(&path).expect("a definition");
    std::fs::write(&path, vec![b' '; 1024 * 1024 + 1]).expect("a file");
    let too_long = TaskDefinition::read(&path).expect_err("too long");
    std::fs::write(&path, b"{\n \"\xff").expect("a file");
    let not_text = TaskDefinition::read(&path).expect_err("no UTF-8");
    std::fs::remove_dir_all(&folder).expect("removal");
    let missing = TaskDefinition::read(&path).expect_err("missing");

    assert_eq!(definition.containers()[0].image(), &Image::File(folder.join("app.wasm")));
    let shown = format!("{too_long}\n{not_text}\n{missing}").replace(&folder.display().to_string(), "FOLDER");
    expect![[r#"
        the task definition is longer than 1048576 bytes. Shorten it: no more than that is read.
        line 2, column 3: not JSON: not UTF-8. Correct the syntax there.
        FOLDER/task-definition.json: cannot be read: No such file or directory (os error 2). Name a file that exists and that you may read."#]].assert_eq(&shown);
}
