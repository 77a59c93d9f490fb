//! Documents with a key that is not known, not offered, or not where it belongs.

use expect_test::expect;
use serde_json::json;

use super::{refuse, refuse_each};

#[test]
fn unknown_keys() {
    refuse_each([
        ("/containerDefinition", json!([]), expect![[r#"containerDefinition: unknown key in the task definition. Did you mean "containerDefinitions"?"#]]),
        ("/TaskRoleArn", json!("x"), expect![[r#"TaskRoleArn: unknown key in the task definition. Did you mean "taskRoleArn"?"#]]),
        ("/taskRole", json!("x"), expect![[r#"taskRole: unknown key in the task definition. Did you mean "taskRoleArn"?"#]]),
        ("/capabilities", json!([]), expect!["capabilities: unknown key in the task definition. It is a key of rolebox: move it there."]),
        ("/roleBox", json!({}), expect![[r#"roleBox: unknown key in the task definition. Did you mean "rolebox"?"#]]),
        ("/timeout", json!("60s"), expect!["timeout: unknown key in the task definition. It is a key of rolebox: move it there."]),
        ("/zzz", json!(null), expect!["zzz: unknown key in the task definition. Remove it; the keys read here are family, taskRoleArn, executionRoleArn, cpu, memory, containerDefinitions, volumes, rolebox."]),
        ("/a\u{1b}[2J\"b", json!(0), expect![[r#"["a\u{1b}[2J\"b"]: unknown key in the task definition. Remove it; the keys read here are family, taskRoleArn, executionRoleArn, cpu, memory, containerDefinitions, volumes, rolebox."#]]),
        ("/", json!(0), expect![[r#"[""]: unknown key in the task definition. Remove it; the keys read here are family, taskRoleArn, executionRoleArn, cpu, memory, containerDefinitions, volumes, rolebox."#]]),
        ("/containerDefinitions/0/Image", json!("x"), expect![[r#"containerDefinitions[0].Image: unknown key in a container definition. Did you mean "image"?"#]]),
        ("/containerDefinitions/0/enviroment", json!([]), expect![[r#"containerDefinitions[0].enviroment: unknown key in a container definition. Did you mean "environment"?"#]]),
        ("/containerDefinitions/0/family", json!("x"), expect!["containerDefinitions[0].family: unknown key in a container definition. It is a key of the task definition: move it there."]),
        ("/containerDefinitions/0/environment", json!([{"key": "A", "value": "b"}]), expect!["containerDefinitions[0].environment[0].key: unknown key in an environment variable. Remove it; the keys read here are name, value."]),
        ("/containerDefinitions/0/mountPoints", json!([{"readonly": true}]), expect![[r#"containerDefinitions[0].mountPoints[0].readonly: unknown key in a mount point. Did you mean "readOnly"?"#]]),
        ("/containerDefinitions/0/linuxParameters", json!({"capabilites": {}}), expect![[r#"containerDefinitions[0].linuxParameters.capabilites: unknown key in linuxParameters. Did you mean "capabilities"?"#]]),
        ("/volumes", json!([{"name": "v", "host": {"path": "/x"}}]), expect!["volumes[0].host.path: unknown key in a volume's host. Remove it; the keys read here are sourcePath."]),
        ("/rolebox/capabilites", json!([]), expect![[r#"rolebox.capabilites: unknown key in rolebox. Did you mean "capabilities"?"#]]),
        ("/rolebox/outputBytes", json!(1), expect!["rolebox.outputBytes: unknown key in rolebox. It is a key of rolebox.limits: move it there."]),
        ("/rolebox/limits/callsPerSeconds", json!(1), expect![[r#"rolebox.limits.callsPerSeconds: unknown key in rolebox.limits. Did you mean "callsPerSecond"?"#]]),
        (
            "/rolebox/capabilities",
            json!([{"actions": ["s3:GetObject"], "resource": ["*"]}]),
            expect![[r#"
                rolebox.capabilities[0].actions: unknown key in a capability. Did you mean "action"?
                rolebox.capabilities[0]: the key "action" is missing. Add it."#]],
        ),
        ("/rolebox/capabilities", json!([{"effect": "Deny", "action": ["s3:GetObject"], "resource": ["*"]}]), expect!["rolebox.capabilities[0].effect: unknown key in a capability. Remove it; the keys read here are action, resource, account, prefix, leadingKeys, via, region."]),
    ]);
}

#[test]
fn keys_of_the_task_that_would_promise_too_much() {
    refuse_each([
        ("/pidMode", json!("host"), expect!["pidMode: refused: tasks have no processes, so no process namespace to share. Remove the key."]),
        ("/pidMode", json!("task"), expect!["pidMode: refused: tasks have no processes, so no process namespace to share. Remove the key."]),
        ("/ipcMode", json!("host"), expect![[r#"ipcMode: refused: tasks have no IPC resources to share. Remove the key, or say "none"."#]]),
        ("/proxyConfiguration", json!({"type": "APPMESH", "containerName": "app"}), expect!["proxyConfiguration: refused: there is no App Mesh proxy. Remove the key."]),
        ("/inferenceAccelerators", json!([{"deviceName": "d", "deviceType": "t"}]), expect!["inferenceAccelerators: refused: no accelerator is given to a task. Remove the key."]),
        ("/ephemeralStorage", json!({"sizeInGiB": 21}), expect!["ephemeralStorage: refused: a task has no disk of its own. Remove the key; a task that needs files mounts a volume."]),
        ("/enableFaultInjection", json!(true), expect!["enableFaultInjection: refused: there is no fault injection endpoint. Remove the key."]),
        ("/trustedExecutionConfiguration", json!({"isolationMode": "CONFIDENTIAL_SANDBOX"}), expect!["trustedExecutionConfiguration: refused: there is no attestation and no hardware isolation. Remove the key."]),
        ("/volumes", json!([{"name": "v", "dockerVolumeConfiguration": {"scope": "task"}, "host": {"sourcePath": "v"}}]), expect![[r#"volumes[0].dockerVolumeConfiguration: refused: no Docker runs the task. Name a folder of the host in "host": {"sourcePath": …}."#]]),
        ("/volumes", json!([{"name": "v", "efsVolumeConfiguration": {"fileSystemId": "fs-1"}, "host": {"sourcePath": "v"}}]), expect![[r#"volumes[0].efsVolumeConfiguration: refused: EFS is not mounted. Name a folder of the host in "host": {"sourcePath": …}."#]]),
        ("/volumes", json!([{"name": "v", "s3filesVolumeConfiguration": {"fileSystemArn": "a"}, "host": {"sourcePath": "v"}}]), expect![[r#"volumes[0].s3filesVolumeConfiguration: refused: S3 Files is not mounted. Name a folder of the host in "host": {"sourcePath": …}."#]]),
        (
            "/volumes",
            json!([{
                "name": "v", "fsxWindowsFileServerVolumeConfiguration": {"fileSystemId": "fs-1"},
                "host": {"sourcePath": "v"},
            }]),
            expect![[r#"volumes[0].fsxWindowsFileServerVolumeConfiguration: refused: FSx is not mounted. Name a folder of the host in "host": {"sourcePath": …}."#]],
        ),
        ("/volumes", json!([{"name": "v", "configuredAtLaunch": true, "host": {"sourcePath": "v"}}]), expect![[r#"volumes[0].configuredAtLaunch: refused: EBS volumes are not attached. Name a folder of the host in "host": {"sourcePath": …}."#]]),
    ]);
}

#[test]
fn keys_of_a_container_that_would_promise_too_much() {
    refuse_each([
        ("/containerDefinitions/0/privileged", json!(true), expect!["containerDefinitions[0].privileged: refused: a guest runs in a sandbox and is given no privilege of the host. Remove the key."]),
        ("/containerDefinitions/0/privileged", json!("yes"), expect!["containerDefinitions[0].privileged: refused: a guest runs in a sandbox and is given no privilege of the host. Remove the key."]),
        ("/containerDefinitions/0/linuxParameters", json!({"capabilities": {"add": ["SYS_ADMIN"]}}), expect!["containerDefinitions[0].linuxParameters.capabilities.add: refused: a guest is given none of the kernel's capabilities. Remove the key."]),
        ("/containerDefinitions/0/linuxParameters", json!({"devices": [{"hostPath": "/dev/kvm"}]}), expect!["containerDefinitions[0].linuxParameters.devices: refused: no device is given to a task. Remove the key."]),
        ("/containerDefinitions/0/linuxParameters", json!({"sharedMemorySize": 64}), expect!["containerDefinitions[0].linuxParameters.sharedMemorySize: refused: there is no /dev/shm. Remove the key."]),
        ("/containerDefinitions/0/linuxParameters", json!({"tmpfs": [{"containerPath": "/tmp", "size": 64}]}), expect!["containerDefinitions[0].linuxParameters.tmpfs: refused: a task has no file system but its volumes. Remove the key; a task that needs files mounts a volume."]),
        ("/containerDefinitions/0/linuxParameters", json!([]), expect!["containerDefinitions[0].linuxParameters: a list is of the wrong type. Give an object."]),
        ("/containerDefinitions/0/resourceRequirements", json!([{"type": "GPU", "value": "1"}]), expect!["containerDefinitions[0].resourceRequirements: refused: no accelerator is given to a task. Remove the key."]),
        ("/containerDefinitions/0/healthCheck", json!({"command": ["CMD", "x"]}), expect!["containerDefinitions[0].healthCheck: refused: no health check is run. Remove the key."]),
        ("/containerDefinitions/0/secrets", json!([{"name": "S", "valueFrom": "arn:aws:secretsmanager:us-east-1:123456789012:secret:s"}]), expect!["containerDefinitions[0].secrets: refused: secrets are not delivered yet. Remove them, and let the task read the secret itself under a capability on secretsmanager:GetSecretValue."]),
        ("/containerDefinitions/0/environmentFiles", json!([{"type": "s3", "value": "arn:aws:s3:::b/k"}]), expect!["containerDefinitions[0].environmentFiles: refused: files of environment variables are not fetched. Write the variables into environment."]),
        ("/containerDefinitions/0/portMappings", json!([{"containerPortRange": "8080-8090"}]), expect!["containerDefinitions[0].portMappings[0].containerPortRange: refused: a container's requests come in on one port. Name that one in containerPort."]),
        ("/containerDefinitions/0/firelensConfiguration", json!({"type": "fluentd"}), expect!["containerDefinitions[0].firelensConfiguration: refused: no log router is run. Remove the key."]),
        ("/containerDefinitions/0/repositoryCredentials", json!({"credentialsParameter": "arn:aws:secretsmanager:us-east-1:123456789012:secret:s"}), expect!["containerDefinitions[0].repositoryCredentials: refused: the credentials of registries are the operator's. Remove the key."]),
        ("/containerDefinitions/0/links", json!(["other"]), expect!["containerDefinitions[0].links: refused: containers of a task share no network. Remove the key."]),
        ("/containerDefinitions/0/restartPolicy", json!({"enabled": true}), expect!["containerDefinitions[0].restartPolicy: refused: a container that ended is not started again. Remove the key."]),
        ("/containerDefinitions/0/volumesFrom", json!([{"sourceContainer": "other"}]), expect!["containerDefinitions[0].volumesFrom: refused: a container takes no mounts over from another. Repeat the other container's mountPoints."]),
        ("/containerDefinitions/0/startTimeout", json!(30), expect!["containerDefinitions[0].startTimeout: refused: waiting for dependencies has no limit of its own. Remove the key; rolebox.timeout bounds the whole task."]),
        ("/containerDefinitions/0/workingDirectory", json!("/app"), expect!["containerDefinitions[0].workingDirectory: refused: a guest's working directory is always /. Remove the key, and name files by their absolute paths."]),
        ("/containerDefinitions/0/disableNetworking", json!(true), expect!["containerDefinitions[0].disableNetworking: refused: it would also end the task's signed AWS calls. Remove the key; a task without capabilities and rolebox.egress reaches nothing."]),
        ("/containerDefinitions/0/dnsServers", json!(["192.0.2.1"]), expect!["containerDefinitions[0].dnsServers: refused: names are resolved by the host. Remove the key; hosts that the task may reach stand in rolebox.egress."]),
        ("/containerDefinitions/0/dnsSearchDomains", json!(["example.com"]), expect!["containerDefinitions[0].dnsSearchDomains: refused: names are resolved by the host. Remove the key; hosts that the task may reach stand in rolebox.egress."]),
        ("/containerDefinitions/0/extraHosts", json!([{"hostname": "s3.amazonaws.com", "ipAddress": "192.0.2.1"}]), expect!["containerDefinitions[0].extraHosts: refused: names are resolved by the host. Remove the key; hosts that the task may reach stand in rolebox.egress."]),
        ("/containerDefinitions/0/dockerSecurityOptions", json!(["label:disable"]), expect!["containerDefinitions[0].dockerSecurityOptions: refused: no Docker runs the task. Remove the key."]),
        ("/containerDefinitions/0/interactive", json!(true), expect!["containerDefinitions[0].interactive: refused: a task has no standard input. Remove the key."]),
        ("/containerDefinitions/0/pseudoTerminal", json!(true), expect!["containerDefinitions[0].pseudoTerminal: refused: a task has no terminal. Remove the key."]),
        ("/containerDefinitions/0/ulimits", json!([{"name": "nofile", "softLimit": 1, "hardLimit": 1}]), expect!["containerDefinitions[0].ulimits: refused: a guest has none of the kernel's limits. Remove the key; the limits here are memory, rolebox.timeout and rolebox.limits."]),
        ("/containerDefinitions/0/systemControls", json!([{"namespace": "net.core.somaxconn", "value": "1"}]), expect!["containerDefinitions[0].systemControls: refused: a guest has no kernel parameters. Remove the key."]),
        ("/containerDefinitions/0/credentialSpecs", json!(["credentialspec:x"]), expect!["containerDefinitions[0].credentialSpecs: refused: there is no Active Directory for a task. Remove the key."]),
    ]);
}

#[test]
fn several_problems_are_said_at_once() {
    refuse(
        &json!({
            "familly": "x",
            "pidMode": "host",
            "containerDefinitions": [{"name": "app", "image": "app.wasm", "memory": "200", "privileged": true}],
        }),
        expect![[r#"
            containerDefinitions[0].privileged: refused: a guest runs in a sandbox and is given no privilege of the host. Remove the key.
            familly: unknown key in the task definition. Did you mean "family"?
            pidMode: refused: tasks have no processes, so no process namespace to share. Remove the key.
            containerDefinitions[0].memory: string "200" is of the wrong type. Give a whole number."#]],
    );
    refuse(
        &json!({"containerDefinitions": [{"cpu": -1}, {"memory": 1}], "rolebox": {"timeout": "soon"}}),
        expect![[r#"
            family: the family has no name. Give it one.
            containerDefinitions[0].name: the container has no name. Give it one.
            containerDefinitions[0].image: the image has no name. Give a path that ends in .wasm, or an image in a registry: [HOST/]NAME[:TAG][@sha256:DIGEST].
            containerDefinitions[0].cpu: -1 CPU units are out of range. Give 0 to 262144; 1024 stand for one core.
            containerDefinitions[0].memory: neither the container nor the task has a memory. Give the container's hard limit, 4 to 4096 MiB.
            containerDefinitions[1].name: the container has no name. Give it one.
            containerDefinitions[1].image: the image has no name. Give a path that ends in .wasm, or an image in a registry: [HOST/]NAME[:TAG][@sha256:DIGEST].
            containerDefinitions[1].memory: 1 MiB are out of range. Give 4 to 4096 MiB.
            rolebox.timeout: "soon" is not a duration. Write whole numbers with h, m, s or ms, the largest unit first: "60s", "1h30m"."#]],
    );
}
