//! `rolebox run --suggest-capabilities`.

use expect_test::{Expect, expect};
use rolebox_guest_artifacts::RAW_CALL;
use serde_json::{Value, json};

use super::{Outcome, Sandbox, printing};

const UUID: &str = "0fb1c7a2-3d64-4c1e-9a77-5f1f3e0f2b1a";
const UUID_2: &str = "7c9e6679-7425-40de-944b-e07fc1f90ae7";

/// What a test may do at all, wide enough for every call here.
fn broad() -> Value {
    json!([
        {"action": ["s3:*", "s3:PutBucketPolicy", "s3:PutObjectAcl"], "resource": "*"},
        {"action": ["secretsmanager:*", "kms:*", "sqs:*", "dynamodb:*", "sts:GetCallerIdentity"], "resource": "*"},
    ])
}

/// A folder with a task that makes `calls`, each as the guest `raw-call` takes it, under `capabilities`.
struct Calling(Sandbox, Vec<String>);

impl Calling {
    fn new(calls: &[&str]) -> Self {
        let sandbox = Sandbox::new();
        sandbox.file("app.wasm", std::fs::read(RAW_CALL).expect("the guest"));
        let trust = json!({"Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::123456789012:root"}, "Action": "sts:AssumeRole",
        }]});
        let everything = json!({"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Action": "*", "Resource": "*"},
        ]});
        let role = json!({"name": "sample", "trustPolicy": trust, "policies": [everything]});
        sandbox.file("roles.json", json!({"roles": [role]}).to_string());
        let command = calls.join(" -- ").replace("UUID_2", UUID_2).replace("UUID", UUID);
        Self(sandbox, command.split_ascii_whitespace().map(|word| word.replace("%20", " ")).collect())
    }

    fn define(&self, capabilities: &Value) {
        self.0.definition(|definition| {
            definition["taskRoleArn"] = json!("arn:aws:iam::123456789012:role/sample");
            definition["containerDefinitions"][0]["memory"] = json!(64);
            definition["containerDefinitions"][0]["command"] = json!(self.1);
            definition["rolebox"] = json!({"capabilities": capabilities});
        });
    }

    fn run(&self, capabilities: &Value, more: &[&str]) -> Outcome {
        self.define(capabilities);
        self.0.run(&[&["run", "task-definition.json", "--local", "--suggest-capabilities"], more].concat())
    }

    /// The report of a run.
    fn report(&self, capabilities: &Value, more: &[&str]) -> Value {
        self.run(capabilities, &[&["--output", "json"], more].concat()).report()
    }

    /// The decision on a request under `capabilities`.
    fn decision(&self, capabilities: &Value, request: &str) -> Value {
        self.define(capabilities);
        let request = request.replace("UUID_2", UUID_2).replace("UUID", UUID);
        let arguments = ["explain", "task-definition.json", "--output", "json", "--request", &request];
        let outcome = self.0.run(&arguments);
        let explanation: Value = serde_json::from_slice(&outcome.stdout).expect("JSON");
        explanation["decision"].clone()
    }
}

fn lines(capabilities: &Value) -> String {
    let capabilities = capabilities.as_array().expect("a list");
    capabilities.iter().map(|capability| format!("{capability}\n")).collect::<String>().replace(UUID, "UUID")
}

/// What is suggested for `calls`; the same run under it succeeds and suggests the same again.
fn round_trip(calls: &[&str], more: &[&str], expected: Expect) -> (Calling, Value) {
    let calling = Calling::new(calls);
    let report = calling.report(&broad(), more);
    assert_eq!(report["exitCode"], 0, "{report:#}");
    let suggested = report["suggestedCapabilities"].clone();
    expected.assert_eq(&lines(&suggested));
    for key in ["notGranted", "notUnderstood", "suggestionProblems"] {
        assert_eq!(report[key], json!([]), "{key}");
    }
    let again = calling.report(&suggested, more);
    assert_eq!(again["exitCode"], 0, "{again:#}");
    for key in ["suggestedCapabilities", "notGranted", "notUnderstood", "suggestionProblems"] {
        assert_eq!(again[key], report[key], "{key}");
    }
    (calling, suggested)
}

fn refuse_all(calling: &Calling, suggested: &Value, requests: &[&str]) {
    for request in requests {
        assert_eq!(calling.decision(suggested, request), "deny", "{request} under {suggested:#}");
    }
}

#[test]
fn objects_by_their_keys_and_no_others() {
    let (calling, suggested) = round_trip(
        &[
            "s3 PUT /first-bucket",
            "s3 PUT /first-bucket/in/1 --body x",
            "s3 PUT /first-bucket/in/2 --body x",
            "s3 GET /first-bucket/in/1",
            "s3 GET /first-bucket/in/1",
            "s3 GET /first-bucket/in/2",
            "s3 GET /first-bucket/a*b",
            "s3 GET /first-bucket/what%3F$",
            "s3 GET /first-bucket/line%0Aline",
            "s3 DELETE /first-bucket/in/2",
        ],
        &[],
        expect![[r#"
            {"action":["s3:CreateBucket"],"resource":["arn:aws:s3:::first-bucket"]}
            {"action":["s3:DeleteObject"],"resource":["arn:aws:s3:::first-bucket/in/2"]}
            {"action":["s3:GetObject"],"resource":["arn:aws:s3:::first-bucket/a${*}b","arn:aws:s3:::first-bucket/in/1","arn:aws:s3:::first-bucket/in/2","arn:aws:s3:::first-bucket/line?line","arn:aws:s3:::first-bucket/what${?}${$}"]}
            {"action":["s3:PutObject"],"resource":["arn:aws:s3:::first-bucket/in/1","arn:aws:s3:::first-bucket/in/2"]}
        "#]],
    );
    refuse_all(
        &calling,
        &suggested,
        &[
            "PUT https://s3.amazonaws.com/first-bucket/in/3",
            "PUT https://s3.amazonaws.com/second-bucket/in/1",
            "DELETE https://s3.amazonaws.com/first-bucket/in/1",
            "GET https://s3.amazonaws.com/first-bucket/axb",
            "GET https://s3.amazonaws.com/first-bucket/whatx$",
            "GET https://s3.amazonaws.com/first-bucket",
            "GET https://s3.amazonaws.com/",
        ],
    );
}

#[test]
fn listings_by_their_prefix() {
    let (calling, suggested) = round_trip(
        &[
            "s3 PUT /first-bucket",
            "s3 PUT /second-bucket",
            "s3 GET /first-bucket --query list-type=2 --query prefix=in/",
            "s3 GET /first-bucket --query list-type=2 --query prefix=in/2024/",
            "s3 GET /second-bucket --query list-type=2 --query prefix=in/",
            "s3 GET /second-bucket --query list-type=2",
        ],
        &[],
        expect![[r#"
            {"action":["s3:CreateBucket"],"resource":["arn:aws:s3:::first-bucket","arn:aws:s3:::second-bucket"]}
            {"action":["s3:ListBucket"],"prefix":["in/"],"resource":["arn:aws:s3:::first-bucket"]}
            {"action":["s3:ListBucket"],"resource":["arn:aws:s3:::second-bucket"]}
        "#]],
    );
    refuse_all(
        &calling,
        &suggested,
        &[
            "GET https://s3.amazonaws.com/first-bucket?list-type=2",
            "GET https://s3.amazonaws.com/first-bucket?list-type=2&prefix=out/",
            "GET https://s3.amazonaws.com/third-bucket?list-type=2",
        ],
    );
}

#[test]
fn what_has_no_arn_and_what_hides_it() {
    let json = |version, target| {
        format!("POST / --header x-amz-target:{target} --header content-type:application/x-amz-json-{version} --body")
    };
    let secret = format!("secretsmanager {}", json("1.1", "secretsmanager.GetSecretValue"));
    let decrypt = format!("kms {}", json("1.1", "TrentService.Decrypt"));
    let secret = |id: &str| format!("{secret} {{\"SecretId\":\"{id}\"}}");
    let sts = "sts POST / --header content-type:application/x-www-form-urlencoded \
               --body Action=GetCallerIdentity&Version=2011-06-15";
    let (calling, suggested) = round_trip(
        &[
            "s3 GET /",
            sts,
            &secret("db"),
            &secret("arn:aws:secretsmanager:us-east-1:123456789012:secret:db-abcdef"),
            &secret("arn:aws:secretsmanager:us-east-1:123456789012:secret:other-abcdef"),
            &format!("{decrypt} {{\"CiphertextBlob\":\"AAAA\"}}"),
        ],
        &[],
        expect![[r#"
            {"action":["kms:Decrypt"],"resource":["arn:aws:kms:us-east-1:123456789012:key/*"]}
            {"action":["s3:ListAllMyBuckets"],"resource":["*"]}
            {"action":["secretsmanager:GetSecretValue"],"resource":["arn:aws:secretsmanager:us-east-1:123456789012:secret:db-??????","arn:aws:secretsmanager:us-east-1:123456789012:secret:other-abcdef"]}
            {"action":["sts:GetCallerIdentity"],"resource":["*"]}
        "#]],
    );
    refuse_all(&calling, &suggested, &["GET https://s3.amazonaws.com/first-bucket/k"]);
}

#[test]
fn keys_that_a_service_uses_for_the_task_are_via_it() {
    let key = "arn:aws:kms:us-east-1:123456789012:key/UUID";
    let (calling, suggested) = round_trip(
        &[
            "s3 PUT /first-bucket",
            &format!(
                "s3 PUT /first-bucket/k --body x --header x-amz-server-side-encryption:aws:kms \
                 --header x-amz-server-side-encryption-aws-kms-key-id:{key}"
            ),
        ],
        &["--generalise"],
        expect![[r#"
            {"action":["kms:GenerateDataKey"],"resource":["arn:aws:kms:us-east-1:123456789012:key/UUID"],"via":["s3"]}
            {"action":["s3:CreateBucket"],"resource":["arn:aws:s3:::first-bucket"]}
            {"action":["s3:PutObject"],"resource":["arn:aws:s3:::first-bucket/k"]}
        "#]],
    );
    refuse_all(&calling, &suggested, &["GET https://s3.amazonaws.com/first-bucket/k"]);
}

#[test]
fn actions_that_are_granted_by_their_full_name_only() {
    let policy = r#"{"Version":"2012-10-17","Statement":[]}"#;
    round_trip(
        &[
            "s3 PUT /first-bucket",
            "s3 PUT /first-bucket/k --body x --header x-amz-acl:private",
            &format!("s3 PUT /first-bucket --query policy --body {policy}"),
        ],
        &[],
        expect![[r#"
            {"action":["s3:CreateBucket","s3:PutBucketPolicy"],"resource":["arn:aws:s3:::first-bucket"]}
            {"action":["s3:PutObject","s3:PutObjectAcl"],"resource":["arn:aws:s3:::first-bucket/k"]}
        "#]],
    );
}

#[test]
fn patterns_only_where_told() {
    let calls = [
        "s3 PUT /sample-UUID",
        "s3 PUT /UUID_2",
        "s3 PUT /sample-UUID/in/1 --body x",
        "s3 PUT /sample-UUID/in/2 --body x",
        "s3 PUT /sample-UUID/in/sub/3 --body x",
        "s3 PUT /sample-UUID/out/1 --body x",
        "s3 PUT /sample-UUID/top-1 --body x",
        "s3 PUT /sample-UUID/top-2 --body x",
        "s3 GET /sample-UUID/in/UUID_2.csv",
        "s3 GET /sample-UUID/in/a*b",
    ];
    let (calling, suggested) = round_trip(
        &calls,
        &["--generalise"],
        expect![[r#"
        {"action":["s3:CreateBucket"],"resource":["arn:aws:s3:::7c9e6679-7425-40de-944b-e07fc1f90ae7","arn:aws:s3:::sample-*"]}
        {"action":["s3:GetObject"],"resource":["arn:aws:s3:::sample-*/in/*"]}
        {"action":["s3:PutObject"],"resource":["arn:aws:s3:::sample-*/in/*","arn:aws:s3:::sample-*/out/1","arn:aws:s3:::sample-*/top-1","arn:aws:s3:::sample-*/top-2"]}
    "#]],
    );
    refuse_all(
        &calling,
        &suggested,
        &[
            "PUT https://s3.amazonaws.com/other-UUID",
            "PUT https://s3.amazonaws.com/UUID",
            "PUT https://s3.amazonaws.com/sample-UUID/out/2",
            "PUT https://s3.amazonaws.com/sample-UUID/top-3",
            "PUT https://s3.amazonaws.com/UUID_2/in/1",
            "DELETE https://s3.amazonaws.com/sample-UUID/in/1",
        ],
    );
    for request in ["PUT https://s3.amazonaws.com/sample-UUID_2", "PUT https://s3.amazonaws.com/sample-UUID_2/in/9"] {
        assert_eq!(calling.decision(&suggested, request), "allow", "{request}");
    }
    let exact = calling.report(&broad(), &[])["suggestedCapabilities"].clone();
    assert!(!exact.to_string().replace("${*}", "").contains('*'), "{exact:#}");
    refuse_all(&calling, &exact, &["PUT https://s3.amazonaws.com/sample-UUID_2"]);
}

#[test]
fn other_accounts_are_named() {
    let calling = Calling::new(&[
        "s3 GET /first-bucket/k --header x-amz-expected-bucket-owner:111122223333",
        "s3 GET /first-bucket/k",
        "s3 GET /first-bucket/k2",
    ]);
    let two = json!([
        {"action": "s3:GetObject", "resource": "*", "account": ["111122223333", "123456789012"]},
    ]);
    let report = calling.report(&two, &[]);
    expect![[r#"
        {"account":"111122223333","action":["s3:GetObject"],"resource":["arn:aws:s3:::first-bucket/k"]}
        {"action":["s3:GetObject"],"resource":["arn:aws:s3:::first-bucket/k","arn:aws:s3:::first-bucket/k2"]}
    "#]]
    .assert_eq(&lines(&report["suggestedCapabilities"]));
    assert_eq!(report["suggestionProblems"], json!([]));
    // Where anybody's bucket was let in, it is not known whose it was.
    let any = json!([{"action": "s3:GetObject", "resource": "*", "account": "any"}]);
    let report = calling.report(&any, &[]);
    expect![[r#"
        {"account":"111122223333","action":["s3:GetObject"],"resource":["arn:aws:s3:::first-bucket/k"]}
        {"account":"any","action":["s3:GetObject"],"resource":["arn:aws:s3:::first-bucket/k","arn:aws:s3:::first-bucket/k2"]}
    "#]].assert_eq(&lines(&report["suggestedCapabilities"]));
    assert_eq!(report["suggestionProblems"], json!([]));
}

#[test]
fn what_was_denied_is_listed_apart() {
    let calling = Calling::new(&[
        "s3 PUT /first-bucket",
        "s3 GET /first-bucket/secret",
        "s3 PUT /first-bucket/k --header x-amz-copy-source:/first-bucket/secret",
        "s3 GET /first-bucket/../k",
        "s3 GET /first-bucket/k --query unheard-of",
        "iam POST / --body Action=CreateUser",
    ]);
    let narrow = json!([
        {"action": "s3:CreateBucket", "resource": "arn:aws:s3:::first-*"},
        {"action": "s3:PutObject", "resource": "arn:aws:s3:::first-bucket/k"},
    ]);
    let report = calling.report(&narrow, &["--generalise"]);
    assert_ne!(report["exitCode"], 0);
    expect![[r#"
        {"action":["s3:CreateBucket"],"resource":["arn:aws:s3:::first-bucket"]}
    "#]]
    .assert_eq(&lines(&report["suggestedCapabilities"]));
    expect![[r#"
        {"action":"s3:GetObject","resource":"arn:aws:s3:::first-bucket/secret"}
        {"action":"s3:GetObjectTagging","resource":"arn:aws:s3:::first-bucket/secret"}
        {"action":"s3:PutObjectTagging","resource":"arn:aws:s3:::first-bucket/k"}
    "#]]
    .assert_eq(&lines(&report["notGranted"]));
    expect![[r#"
        {"reason":"service `iam`: calls that give or change authority are never signed for a task; let the operator make them","service":"iam"}
        {"reason":"S3 request: `GET` on an object with the query keys `unheard-of` is no operation that is known; use one operation of the S3 API, in its own spelling and without further query keys","service":"s3"}
        {"reason":"path `/first-bucket/../k`: it holds a segment `.` or `..`, raw or encoded, which servers resolve in different ways; name the object without them","service":"s3"}
    "#]].assert_eq(&lines(&report["notUnderstood"]));
}

#[test]
fn a_block_that_does_not_fit_says_so() {
    let calls: Vec<_> = (0..60).map(|key| format!("s3 GET /first-bucket/folder-{key}/a-key-of-some-length")).collect();
    let calls: Vec<_> = calls.iter().map(String::as_str).collect();
    let report = Calling::new(&calls).report(&broad(), &[]);
    let problem = report["suggestionProblems"][0].as_str().expect("a problem");
    assert!(problem.contains("2048") || problem.contains("2,048"), "{problem}");
    assert_eq!(report["suggestedCapabilities"][0]["resource"].as_array().map(Vec::len), Some(60));
}

#[test]
fn a_block_to_paste_stands_on_stderr() {
    let calling = Calling::new(&[
        "s3 PUT /first-bucket",
        "s3 GET /first-bucket/%C2%9B2J",
        "s3 DELETE /other-bucket/%1B%5B2J",
        "s3 GET /first-bucket/k --query \\x1b[2J",
    ]);
    let capabilities = json!([
        {"action": ["s3:CreateBucket", "s3:GetObject"], "resource": ["arn:aws:s3:::first-*"]},
    ]);
    let outcome = calling.run(&capabilities, &[]);
    let said = outcome.stderr.find("rolebox: what").map_or("", |at| &outcome.stderr[at..]);
    assert!(!said.contains(['\u{1b}', '\u{9b}']), "{said:?}");
    expect![[r#"
        rolebox: what the task called is allowed by these capabilities:
        "capabilities": [
          {"action": ["s3:CreateBucket"], "resource": ["arn:aws:s3:::first-bucket"]},
          {"action": ["s3:GetObject"], "resource": ["arn:aws:s3:::first-bucket/?2J"]}
        ]
        rolebox: asked for, not granted, and not in the list:
          s3:DeleteObject on arn:aws:s3:::other-bucket/\u{1b}[2J
        rolebox: refused without being understood:
          s3: S3 request: `GET` on an object with the query keys `\\u{1b}[2J` is no operation that is known; use one operation of the S3 API, in its own spelling and without further query keys
    "#]]
    .assert_eq(said);
}

#[test]
fn the_audit_file_and_the_tasks_output_are_as_ever() {
    let calling = Calling::new(&["s3 PUT /first-bucket"]);
    calling.define(&broad());
    let plain = calling.0.run(&["run", "task-definition.json", "--local"]);
    let outcome = calling.run(&broad(), &["--audit", "audit.jsonl"]);
    assert_eq!((outcome.code, plain.stderr.as_str()), (Some(0), ""));
    let audit = std::fs::read_to_string(calling.0.path().join("audit.jsonl")).expect("an audit file");
    let records: Vec<Value> = audit.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(records.len(), 2, "{audit}");
    assert!(records.iter().all(|record| record.get("permissions").is_none()), "{audit}");
}

#[test]
fn a_task_that_calls_nothing_needs_nothing() {
    let calling = Calling::new(&[]);
    calling.0.file("app.wasm", printing(1, b"done\n", ""));
    let outcome = calling.run(&broad(), &[]);
    assert_eq!((outcome.code, outcome.text()), (Some(0), "done\n"));
    expect![[r#"
        rolebox: the task made no AWS call that was allowed, so it needs no capabilities
    "#]]
    .assert_eq(&outcome.stderr);
    let report = calling.report(&broad(), &[]);
    assert_eq!(report["suggestedCapabilities"], json!([]));
}

#[test]
fn nothing_is_suggested_unless_asked_for_and_possible() {
    let sandbox = Sandbox::new();
    sandbox.file("app.wasm", printing(1, b"ran\n", ""));
    sandbox.definition(|_| ());
    let outcome = sandbox.run(&["run", "task-definition.json", "--output", "json"]);
    assert!(outcome.report().get("suggestedCapabilities").is_none());
    for (flags, said) in [
        (&["--suggest-capabilities"][..], "no role"),
        (&["--generalise"], "--suggest-capabilities"),
        (&["--suggest-capabilities", "--local"], "no role"),
    ] {
        let outcome = sandbox.run(&[&["run", "task-definition.json"], flags].concat());
        assert_eq!((outcome.code, outcome.text()), (Some(125), ""), "{flags:?}");
        assert!(outcome.stderr.contains(said), "{flags:?}: {}", outcome.stderr);
    }
}
