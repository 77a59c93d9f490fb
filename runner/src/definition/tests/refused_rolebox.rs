//! What is wrong in the object `rolebox`, under its key or in a label.

use expect_test::expect;
use serde_json::json;

use super::{parse, refuse, refuse_each, smallest, with};

#[test]
fn durations_and_limits() {
    refuse_each([
        ("/rolebox/timeout", json!("0s"), expect![[r#"rolebox.timeout: "0s" is out of range. Give 1ms to 720h."#]]),
        ("/rolebox/timeout", json!("60"), expect![[r#"rolebox.timeout: "60" is not a duration. Write whole numbers with h, m, s or ms, the largest unit first: "60s", "1h30m"."#]]),
        ("/rolebox/timeout", json!(""), expect![[r#"rolebox.timeout: "" is not a duration. Write whole numbers with h, m, s or ms, the largest unit first: "60s", "1h30m"."#]]),
        ("/rolebox/timeout", json!("721h"), expect![[r#"rolebox.timeout: "721h" is out of range. Give 1ms to 720h."#]]),
        ("/rolebox/timeout", json!("-1s"), expect![[r#"rolebox.timeout: "-1s" is not a duration. Write whole numbers with h, m, s or ms, the largest unit first: "60s", "1h30m"."#]]),
        ("/rolebox/sessionDuration", json!("14m59s"), expect![[r#"rolebox.sessionDuration: "14m59s" is out of range. Give 15m to 12h."#]]),
        ("/rolebox/sessionDuration", json!("12h1s"), expect![[r#"rolebox.sessionDuration: "12h1s" is out of range. Give 15m to 12h."#]]),
        ("/rolebox/sessionDuration", json!("1h1ms"), expect![[r#"rolebox.sessionDuration: "1h1ms" is not in whole seconds. Round it to seconds: that is what STS takes."#]]),
        ("/rolebox/limits/outputBytes", json!(0), expect!["rolebox.limits.outputBytes: 0 is out of range. Give 1 to 1099511627776."]),
        ("/rolebox/limits/bodyBytes", json!(2_u64 << 30), expect!["rolebox.limits.bodyBytes: 2147483648 is out of range. Give 1 to 1073741824."]),
        ("/rolebox/limits/callsInFlight", json!(1025), expect!["rolebox.limits.callsInFlight: 1025 is out of range. Give 1 to 1024."]),
        ("/rolebox/limits/callsPerSecond", json!(-1), expect!["rolebox.limits.callsPerSecond: -1 is out of range. Give 1 to 100000."]),
        ("/rolebox/limits/totalBytes", json!(0), expect!["rolebox.limits.totalBytes: 0 is out of range. Give 1 to 9223372036854775807."]),
        ("/rolebox/limits/callTimeout", json!("61m"), expect![[r#"rolebox.limits.callTimeout: "61m" is out of range. Give 1ms to 1h."#]]),
        ("/rolebox/limits/openFiles", json!(0), expect!["rolebox.limits.openFiles: 0 is out of range. Give 1 to 1024."]),
        ("/rolebox/limits/requestsInFlight", json!(0), expect!["rolebox.limits.requestsInFlight: 0 is out of range. Give 1 to 1024."]),
        ("/rolebox/limits/requestsInFlight", json!(1025), expect!["rolebox.limits.requestsInFlight: 1025 is out of range. Give 1 to 1024."]),
        ("/rolebox/limits/openFiles", json!(1025), expect!["rolebox.limits.openFiles: 1025 is out of range. Give 1 to 1024."]),
        ("/rolebox/limits/connections", json!(0), expect!["rolebox.limits.connections: 0 is out of range. Give 1 to 1024."]),
        ("/rolebox/limits/connections", json!(1025), expect!["rolebox.limits.connections: 1025 is out of range. Give 1 to 1024."]),
        ("/rolebox/limits/cpuTime", json!("0s"), expect![[r#"rolebox.limits.cpuTime: "0s" is out of range. Give 1ms to 720h."#]]),
        ("/rolebox/limits/cpuTime", json!("10"), expect![[r#"rolebox.limits.cpuTime: "10" is not a duration. Write whole numbers with h, m, s or ms, the largest unit first: "60s", "1h30m"."#]]),
        ("/rolebox/cpuLimit", json!(0), expect!["rolebox.cpuLimit: 0 CPU units are out of range. Give 1 to 1024, which stand for the one core that a task can use."]),
        ("/rolebox/cpuLimit", json!(1025), expect!["rolebox.cpuLimit: 1025 CPU units are out of range. Give 1 to 1024, which stand for the one core that a task can use."]),
        ("/rolebox/cpuLimit", json!(-1), expect!["rolebox.cpuLimit: -1 CPU units are out of range. Give 1 to 1024, which stand for the one core that a task can use."]),
    ]);
}

#[test]
fn session_settings() {
    refuse_each([
        ("/rolebox/sessionPolicy", json!("none"), expect![[r#"rolebox.sessionPolicy: "none" is not one of the values. Give "required" or "off"."#]]),
        ("/rolebox/sessionPolicy", json!(""), expect![[r#"rolebox.sessionPolicy: "" is not one of the values. Give "required" or "off"."#]]),
        ("/rolebox/roleSession", json!("per-definiton"), expect![[r#"rolebox.roleSession: "per-definiton" is not one of the values. Give "per-task" or "per-definition"."#]]),
        ("/rolebox/externalId", json!("x"), expect![[r#"rolebox.externalId: "x" is not what STS takes. Give 2 to 1224 letters, digits or _+=,.@:/-."#]]),
        ("/rolebox/externalId", json!("has blank"), expect![[r#"rolebox.externalId: "has blank" is not what STS takes. Give 2 to 1224 letters, digits or _+=,.@:/-."#]]),
        ("/rolebox/sourceIdentity", json!("aws:me"), expect![[r#"rolebox.sourceIdentity: "aws:me" is not what STS takes. Give 2 to 64 letters, digits or _+=,.@-."#]]),
        ("/rolebox/sourceIdentity", json!("s".repeat(65)), expect![[r#"rolebox.sourceIdentity: "sssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssss" is not what STS takes. Give 2 to 64 letters, digits or _+=,.@-."#]]),
    ]);
}

#[test]
fn without_a_role_there_is_no_aws() {
    let mut document = smallest();
    document
        .as_object_mut()
        .expect("an object")
        .remove("taskRoleArn");
    document["rolebox"] = json!({
        "capabilities": [{"action": "s3:GetObject", "resource": "arn:aws:s3:::b/*"}],
        "roleSession": "per-task",
        "sessionTags": true,
        "unsignedPayload": true,
    });
    refuse(
        &document,
        expect![[r#"
        rolebox.capabilities: the task has no role. Name one in taskRoleArn, or remove this key: without a role there are no AWS calls.
        rolebox.roleSession: the task has no role. Name one in taskRoleArn, or remove this key: without a role there are no AWS calls.
        rolebox.sessionTags: the task has no role. Name one in taskRoleArn, or remove this key: without a role there are no AWS calls.
        rolebox.unsignedPayload: the task has no role. Name one in taskRoleArn, or remove this key: without a role there are no AWS calls."#]],
    );
}

#[test]
fn egress_entries() {
    refuse_each([
        ("/rolebox/egress", json!([""]), expect![[r#"rolebox.egress[0]: "" has no port. Write host:port for TLS, or http://host:port."#]]),
        ("/rolebox/egress", json!(["api.example.com"]), expect![[r#"rolebox.egress[0]: "api.example.com" has no port. Write host:port for TLS, or http://host:port."#]]),
        ("/rolebox/egress", json!(["api.example.com:0"]), expect![[r#"rolebox.egress[0]: "api.example.com:0" has no port from 1 to 65535. Write host:port for TLS, or http://host:port."#]]),
        ("/rolebox/egress", json!(["https://api.example.com:443"]), expect![[r#"rolebox.egress[0]: "https://api.example.com:443" has a scheme that is not http. Write host:port for TLS, or http://host:port."#]]),
        ("/rolebox/egress", json!(["http://api.example.com:80/"]), expect![[r#"rolebox.egress[0]: "http://api.example.com:80/" has more than a host and a port. Write host:port for TLS, or http://host:port."#]]),
        ("/rolebox/egress", json!(["user@api.example.com:443"]), expect![[r#"rolebox.egress[0]: "user@api.example.com:443" has a user name. Write host:port for TLS, or http://host:port."#]]),
        ("/rolebox/egress", json!(["*.example.com:443"]), expect![[r#"rolebox.egress[0]: "*.example.com:443" has a wildcard. Name each host by itself."#]]),
        ("/rolebox/egress", json!(["localhost:8080"]), expect![[r#"rolebox.egress[0]: "localhost:8080" is a name inside a network. Give the full, public name: only public addresses can be reached."#]]),
        ("/rolebox/egress", json!(["169.254.169.254:80"]), expect![[r#"rolebox.egress[0]: "169.254.169.254:80" is an address. Name the host: what a name leads to is checked when it is connected to."#]]),
        ("/rolebox/egress", json!(["[fd00:ec2::254]:80"]), expect![[r#"rolebox.egress[0]: "[fd00:ec2::254]:80" is an address. Name the host: what a name leads to is checked when it is connected to."#]]),
        ("/rolebox/egress", json!(["bücher.example:443"]), expect![[r#"rolebox.egress[0]: "bücher.example:443" has letters outside ASCII. Write the name in its ASCII form, xn--…."#]]),
        ("/rolebox/egress", json!(["s3.amazonaws.com:443"]), expect![[r#"rolebox.egress[0]: "s3.amazonaws.com:443" is an AWS host name. Remove it: AWS is called under rolebox.capabilities. Only endpoints of your own, ID.execute-api.REGION.amazonaws.com or ID.lambda-url.REGION.on.aws, may stand here."#]]),
        ("/rolebox/egress", json!(["a.example.com:443", "http://A.example.com:443"]), expect![[r#"rolebox.egress[1]: "http://A.example.com:443" is named twice. Keep one entry for a host and port."#]]),
    ]);
    for entry in [
        ":443",
        "api.example.com:",
        "api.example.com:+443",
        "api.example.com:65536",
        "api.example.com.:443",
        "-api.example.com:443",
        "a..example.com:443",
        "a_b.example.com:443",
        "api.example.com :443",
        "api.example.com\r\n:443",
        "api.example.com:443?x",
        "api.example.com:443#x",
        "http:///api.example.com:80",
        "HTTP://api.example.com:80",
        "ftp://api.example.com:21",
        "::1:80",
        "127.1:80",
        "0x7f.1:80",
        "2130706433:80",
        "example.0x7f:80",
        "017700000001:80",
        "s3.us-east-1.amazonaws.com:443",
        "S3.AMAZONAWS.COM:443",
        "sts.amazonaws.com:443",
        "bucket.s3.eu-west-1.amazonaws.com:443",
        "unheard-of.us-east-1.api.aws:443",
        "dynamodb.cn-north-1.amazonaws.com.cn:443",
        "amazonaws.com:443",
        "execute-api.us-east-1.amazonaws.com:443",
        "http://s3.amazonaws.com:80",
    ] {
        let error = parse(&with("/rolebox/egress", json!([entry])))
            .err()
            .unwrap_or_else(|| panic!("{entry} is accepted"))
            .to_string();
        assert!(error.starts_with("rolebox.egress[0]: "), "{entry}: {error}");
    }
}

#[test]
fn labels() {
    let label = |text: &str| with("/containerDefinitions/0/dockerLabels/rolebox", json!(text));
    refuse(
        &label("timeout=60s"),
        expect!["containerDefinitions[0].dockerLabels.rolebox: the string is not JSON (its line 1, column 2: expected ident). Give the object rolebox as a JSON string."],
    );
    refuse(
        &label("[]"),
        expect!["containerDefinitions[0].dockerLabels.rolebox: the string holds a list. Give the object rolebox as a JSON string."],
    );
    refuse(
        &label(r#"{"timeout": "60s", "timeout": "61s"}"#),
        expect!["containerDefinitions[0].dockerLabels.rolebox.timeout: this key appears twice in the same object. Keep the one that you mean."],
    );
    refuse(
        &label(r#"{"timeot": "60s"}"#),
        expect![[r#"containerDefinitions[0].dockerLabels.rolebox.timeot: unknown key in rolebox. Did you mean "timeout"?"#]],
    );
    refuse(
        &label(r#"{"timeout": "60"}"#),
        expect![[r#"containerDefinitions[0].dockerLabels.rolebox.timeout: "60" is not a duration. Write whole numbers with h, m, s or ms, the largest unit first: "60s", "1h30m"."#]],
    );
    refuse(
        &label(r#"{"limits": {"bodyBytes": "x"}}"#),
        expect![[r#"containerDefinitions[0].dockerLabels.rolebox.limits.bodyBytes: string "x" is of the wrong type. Give a whole number."#]],
    );
    refuse(
        &label(r#"{"egress": ["x"]}"#),
        expect![[r#"containerDefinitions[0].dockerLabels.rolebox.egress[0]: "x" has no port. Write host:port for TLS, or http://host:port."#]],
    );

    let mut both = label("{}");
    both["rolebox"] = json!({});
    refuse(
        &both,
        expect!["containerDefinitions[0].dockerLabels.rolebox: the same object stands in rolebox too. Keep one of them."],
    );

    let mut two = label("{}");
    let mut other = two["containerDefinitions"][0].clone();
    other["name"] = json!("other");
    two["containerDefinitions"]
        .as_array_mut()
        .expect("a list")
        .push(other);
    refuse(
        &two,
        expect!["containerDefinitions[1].dockerLabels.rolebox: the same object stands in containerDefinitions[0].dockerLabels.rolebox too. Keep one of them."],
    );
}

#[test]
fn capabilities() {
    let one = |action: &str, arn: &str| json!([{"action": [action], "resource": [arn]}]);
    refuse_each([
        ("/rolebox/capabilities", json!([{}]), expect![[r#"rolebox.capabilities[0]: the key "action" is missing. Add it."#]]),
        ("/rolebox/capabilities", json!(["s3:GetObject"]), expect!["rolebox.capabilities[0]: a string is of the wrong type. Give an object."]),
        ("/rolebox/capabilities", json!([{"action": [], "resource": ["*"]}]), expect!["rolebox.capabilities[0].action: is an empty list"]),
        ("/rolebox/capabilities", one("GetObject", "arn:aws:s3:::b/*"), expect!["rolebox.capabilities[0].action[0]: `GetObject` is not an action of one service, such as `s3:GetObject` or `s3:Get*`"]),
        ("/rolebox/capabilities", one("iam:PassRole", "*"), expect!["rolebox.capabilities[0].action[0]: `iam:PassRole` is an action of IAM, and those are never granted to a task"]),
        ("/rolebox/capabilities", one("*", "*"), expect!["rolebox.capabilities[0].action[0]: `*` is not an action of one service, such as `s3:GetObject` or `s3:Get*`"]),
        ("/rolebox/capabilities", one("s3:GetObject", "bucket/*"), expect!["rolebox.capabilities[0].resource[0]: `bucket/*` is neither `*` nor an ARN in full, `arn:partition:service:region:account:resource`"]),
        ("/rolebox/capabilities", one("sqs:SendMessage", "arn:aws:sqs:us-east-1:*:q"), expect!["rolebox.capabilities[0].resource[0]: `arn:aws:sqs:us-east-1:*:q` has no account of twelve digits in its fifth field; a wildcard there would reach accounts that nobody named"]),
        (
            "/rolebox/capabilities",
            json!([
                {"action": "s3:GetObject", "resource": "arn:aws:s3:::b/*"},
                {"action": "s3:GetObject", "resource": "arn:aws:s3:::b/*", "account": "1234"},
            ]),
            expect!["rolebox.capabilities[1].account: `1234` is not an account number of twelve digits, nor `any` alone"],
        ),
    ]);
}

#[test]
fn capabilities_that_make_no_session_policy() {
    let arns: Vec<_> = (0..60).map(|number| format!("arn:aws:s3:::a-bucket-with-a-long-name-{number}/*")).collect();
    let mut document = with("/rolebox/capabilities", json!([{"action": ["s3:GetObject"], "resource": arns}]));
    refuse(&document, expect![[r#"rolebox.capabilities: the session policy of these capabilities has 2912 characters, and STS takes at most 2048; 2765 of them come from capabilities[0]: write its ARNs or actions as fewer or shorter patterns, or leave out what the task does not need. Or say "sessionPolicy": "off", if the host alone may hold the task to its capabilities."#]]);
    document["rolebox"]["sessionPolicy"] = json!("off");
    assert!(parse(&document).is_ok(), "the policy was not asked for");
}
