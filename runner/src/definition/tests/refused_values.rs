//! Values of a wrong type or out of range.

use expect_test::expect;
use serde_json::json;

use super::{refuse, refuse_each, smallest};

#[test]
fn values_of_the_wrong_type() {
    refuse_each([
        ("/family", json!(7), expect!["family: integer `7` is of the wrong type. Give a string."]),
        ("/taskRoleArn", json!(["x"]), expect!["taskRoleArn: a list is of the wrong type. Give a string."]),
        ("/cpu", json!(1.5), expect!["cpu: number `1.5` is of the wrong type. Give a whole number or a string."]),
        ("/memory", json!(true), expect!["memory: boolean `true` is of the wrong type. Give a whole number or a string."]),
        ("/containerDefinitions", json!({"name": "app"}), expect!["containerDefinitions: an object is of the wrong type. Give a list."]),
        ("/containerDefinitions", json!("app"), expect!["containerDefinitions: a string is of the wrong type. Give a list."]),
        ("/containerDefinitions/0", json!("app"), expect!["containerDefinitions[0]: a string is of the wrong type. Give an object."]),
        ("/containerDefinitions/0", json!(["app", "app.wasm"]), expect!["containerDefinitions[0]: a list is of the wrong type. Give an object."]),
        ("/containerDefinitions/0", json!([[]]), expect!["containerDefinitions[0]: a list is of the wrong type. Give an object."]),
        ("/containerDefinitions/0/memory", json!("200"), expect![[r#"containerDefinitions[0].memory: string "200" is of the wrong type. Give a whole number."#]]),
        ("/containerDefinitions/0/memory", json!(1.5), expect!["containerDefinitions[0].memory: number `1.5` is of the wrong type. Give a whole number."]),
        ("/containerDefinitions/0/memory", json!({}), expect!["containerDefinitions[0].memory: an object is of the wrong type. Give a whole number."]),
        ("/containerDefinitions/0/essential", json!("true"), expect![[r#"containerDefinitions[0].essential: string "true" is of the wrong type. Give a boolean."#]]),
        ("/containerDefinitions/0/command", json!("run"), expect![[r#"containerDefinitions[0].command: string "run" is of the wrong type. Give a list."#]]),
        ("/containerDefinitions/0/command", json!(["run", 1]), expect!["containerDefinitions[0].command[1]: integer `1` is of the wrong type. Give a string."]),
        ("/containerDefinitions/0/environment", json!({"A": "b"}), expect!["containerDefinitions[0].environment: an object is of the wrong type. Give a list."]),
        ("/containerDefinitions/0/environment", json!([{"name": "A", "value": 1}]), expect!["containerDefinitions[0].environment[0].value: integer `1` is of the wrong type. Give a string."]),
        ("/containerDefinitions/0/dockerLabels", json!({"rolebox": {}}), expect!["containerDefinitions[0].dockerLabels.rolebox: an object is of the wrong type. Give a string."]),
        (
            "/volumes",
            json!([1, {"name": 2, "zzz": 3}]),
            expect![[r#"
            volumes[0]: a number is of the wrong type. Give an object.
            volumes[1].zzz: unknown key in a volume. Remove it; the keys read here are name, host."#]],
        ),
        ("/volumes", json!(["v"]), expect!["volumes[0]: a string is of the wrong type. Give an object."]),
        ("/volumes", json!([{"name": "v", "host": "/srv"}]), expect!["volumes[0].host: a string is of the wrong type. Give an object."]),
        ("/rolebox", json!([[]]), expect!["rolebox: a list is of the wrong type. Give an object."]),
        ("/rolebox/limits", json!([1, 1]), expect!["rolebox.limits: a list is of the wrong type. Give an object."]),
        ("/rolebox/capabilities", json!([["s3:GetObject", "*"]]), expect!["rolebox.capabilities[0]: a list is of the wrong type. Give an object."]),
        ("/rolebox", json!("{}"), expect!["rolebox: a string is of the wrong type. Give an object."]),
        ("/rolebox/capabilities", json!({}), expect!["rolebox.capabilities: an object is of the wrong type. Give a list."]),
        ("/rolebox/capabilities", json!([{"action": 1, "resource": "*"}]), expect!["rolebox.capabilities[0].action: the value is of the wrong type. Give a string or a list of strings."]),
        ("/rolebox/capabilities", json!([{"action": "s3:GetObject"}]), expect![[r#"rolebox.capabilities[0]: the key "resource" is missing. Add it."#]]),
        ("/rolebox/egress", json!("a.example.com:443"), expect![[r#"rolebox.egress: string "a.example.com:443" is of the wrong type. Give a list."#]]),
        ("/rolebox/timeout", json!(60), expect!["rolebox.timeout: integer `60` is of the wrong type. Give a string."]),
        ("/rolebox/sessionTags", json!("yes"), expect![[r#"rolebox.sessionTags: string "yes" is of the wrong type. Give a boolean."#]]),
        ("/rolebox/limits/callsInFlight", json!("8"), expect![[r#"rolebox.limits.callsInFlight: string "8" is of the wrong type. Give a whole number."#]]),
    ]);
}

#[test]
fn amounts_out_of_range() {
    refuse_each([
        ("/containerDefinitions/0/memory", json!(0), expect!["containerDefinitions[0].memory: 0 MiB are out of range. Give 4 to 4096 MiB."]),
        ("/containerDefinitions/0/memory", json!(3), expect!["containerDefinitions[0].memory: 3 MiB are out of range. Give 4 to 4096 MiB."]),
        ("/containerDefinitions/0/memory", json!(-200), expect!["containerDefinitions[0].memory: -200 MiB are out of range. Give 4 to 4096 MiB."]),
        ("/containerDefinitions/0/memory", json!(4097), expect!["containerDefinitions[0].memory: 4097 MiB are out of range. Give 4 to 4096 MiB."]),
        ("/containerDefinitions/0/memory", json!(u64::MAX), expect!["containerDefinitions[0].memory: 18446744073709551615 MiB are out of range. Give 4 to 4096 MiB."]),
        ("/containerDefinitions/0/cpu", json!(-1), expect!["containerDefinitions[0].cpu: -1 CPU units are out of range. Give 0 to 262144; 1024 stand for one core."]),
        ("/containerDefinitions/0/cpu", json!(262_145), expect!["containerDefinitions[0].cpu: 262145 CPU units are out of range. Give 0 to 262144; 1024 stand for one core."]),
        ("/memory", json!("0"), expect!["memory: 0 MiB are out of range. Give 4 to 40960 MiB, and at most 4096 of them to one container."]),
        ("/memory", json!("41GB"), expect!["memory: 41984 MiB are out of range. Give 4 to 40960 MiB, and at most 4096 of them to one container."]),
        ("/memory", json!("512 MB"), expect![[r#"memory: "512 MB" is not an amount. Write it as "512" or "0.5 GB"."#]]),
        ("/memory", json!(63), expect!["memory: the task has 63 MiB, and its containers 64 MiB together. Give the task more, or its containers less."]),
        ("/cpu", json!("0"), expect!["cpu: 0 CPU units are out of range. Give 1 to 262144; 1024 stand for one core."]),
        ("/cpu", json!("half"), expect![[r#"cpu: "half" is not an amount. Write it as "512" or "0.5 vCPU"."#]]),
        ("/cpu", json!("0.0001 vCPU"), expect![[r#"cpu: "0.0001 vCPU" is not an amount. Write it as "512" or "0.5 vCPU"."#]]),
    ]);
}

#[test]
fn memory_that_nobody_gives() {
    let mut document = smallest();
    document["containerDefinitions"][0] =
        json!({"name": "app", "image": "app.wasm", "memoryReservation": 64});
    refuse(
        &document,
        expect!["containerDefinitions[0].memory: neither the container nor the task has a memory. Give the container's hard limit, 4 to 4096 MiB."],
    );
    document["memory"] = json!("8 GB");
    refuse(
        &document,
        expect!["containerDefinitions[0].memory: 8192 MiB are out of range. Give 4 to 4096 MiB."],
    );
    document["memory"] = json!("1 GB");
    document["containerDefinitions"] = json!([
        {"name": "app", "image": "app.wasm"},
        {"name": "other", "image": "other.wasm", "memory": 4},
    ]);
    refuse(
        &document,
        expect!["containerDefinitions[0].memory: the container has no memory, and the task's is not divided between several containers. Give each container its own, 4 to 4096 MiB."],
    );
}

#[test]
fn names_and_arns() {
    refuse_each([
        ("/family", json!(""), expect!["family: the family has no name. Give it one."]),
        ("/family", json!(null), expect!["family: the family has no name. Give it one."]),
        ("/family", json!("my family"), expect![[r#"family: "my family" is not a name. Give up to 255 letters, digits, hyphens and underscores."#]]),
        ("/family", json!("f".repeat(256)), expect![[r#"family: "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff…" is not a name. Give up to 255 letters, digits, hyphens and underscores."#]]),
        ("/taskRoleArn", json!("sample"), expect!["taskRoleArn: `sample` does not begin with `arn:`. Give the role's full ARN: arn:aws:iam::ACCOUNT:role/NAME."]),
        ("/taskRoleArn", json!("arn:aws:iam::123456789012:user/sample"), expect!["taskRoleArn: `arn:aws:iam::123456789012:user/sample` is not the ARN of an IAM role: its last field must begin with `role/`. Give the role's full ARN: arn:aws:iam::ACCOUNT:role/NAME."]),
        ("/executionRoleArn", json!("arn:aws:iam::1234:role/x"), expect!["executionRoleArn: `arn:aws:iam::1234:role/x` has an account, its fifth field, that is not twelve digits. Give the role's full ARN: arn:aws:iam::ACCOUNT:role/NAME."]),
        ("/containerDefinitions", json!([]), expect!["containerDefinitions: there are 0 container definitions. Give 1 to 10."]),
        ("/containerDefinitions", json!(null), expect!["containerDefinitions: there are 0 container definitions. Give 1 to 10."]),
        ("/containerDefinitions/0/name", json!("a/b"), expect![[r#"containerDefinitions[0].name: "a/b" is not a name. Give up to 255 letters, digits, hyphens and underscores."#]]),
        ("/containerDefinitions/0/name", json!(null), expect!["containerDefinitions[0].name: the container has no name. Give it one."]),
        ("/containerDefinitions/1", json!({"name": "app", "image": "b.wasm", "memory": 4}), expect![[r#"containerDefinitions[1].name: two containers are named "app". Give each its own name."#]]),
        (
            "/containerDefinitions",
            json!(vec![
                json!({"name": "app", "image": "b.wasm", "memory": 4});
                11
            ]),
            expect!["containerDefinitions: there are 11 container definitions. Give 1 to 10."],
        ),
        ("/containerDefinitions/0/essential", json!(false), expect![[r#"containerDefinitions: no container is essential, so nothing would end the task. Leave "essential" out, or make it true, in one of them."#]]),
    ]);
}
