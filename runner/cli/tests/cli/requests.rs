//! `rolebox explain --request`.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use expect_test::expect;
use serde_json::{Value, json};

use super::{Outcome, Sandbox};

/// A definition whose image does not exist: a request is explained without it.
fn capable(definition: &mut Value) {
    definition["taskRoleArn"] = json!("arn:aws:iam::123456789012:role/sample");
    definition["rolebox"] = json!({
        "capabilities": [
            {"action": "s3:PutObject", "resource": "arn:aws:s3:::data/in/*"},
            {"action": "s3:GetObject", "resource": "arn:aws:s3:::data/*"},
            {"action": "s3:ListBucket", "resource": "arn:aws:s3:::data", "prefix": "in/"},
            {"action": "s3:Delete*", "resource": "arn:aws:s3:::data/tmp/*"},
            {"action": "s3:*", "resource": "arn:aws:s3:::wide/*"},
            {"action": "secretsmanager:GetSecretValue",
             "resource": "arn:aws:secretsmanager:us-east-1:123456789012:secret:db-??????"},
            {"action": "sts:GetCallerIdentity", "resource": "*"},
            {"action": "dynamodb:GetItem", "resource": "arn:aws:dynamodb:us-east-1:123456789012:table/t",
             "leadingKeys": {"pk": ["u1"]}},
        ],
        "limits": {"bodyBytes": 1024},
    });
}

fn sandbox() -> Sandbox {
    sandbox_with(|_| ())
}

fn sandbox_with(change: impl FnOnce(&mut Value)) -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.definition(|definition| {
        capable(definition);
        change(definition);
    });
    sandbox
}

fn explain(sandbox: &Sandbox, request: &str, more: &[&str]) -> Value {
    let arguments = ["explain", "task-definition.json", "--output", "json", "--request", request];
    let outcome = sandbox.run(&[&arguments, more].concat());
    assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(0), ""), "{request}");
    serde_json::from_slice(&outcome.stdout).expect("JSON")
}

/// What is not understood: denied with a reason, and nothing else claimed about it.
fn refusal(request: &str, more: &[&str]) -> String {
    let explanation = explain(&sandbox(), request, more);
    let reason = explanation["reason"].as_str().expect("a reason");
    let claims = ["operation", "checks", "capabilities", "context"].map(|key| &explanation[key]);
    if claims != [&Value::Null, &json!([]), &json!([]), &json!({})] || explanation["decision"] != "deny" {
        return format!("understood as {explanation}");
    }
    reason.to_owned()
}

#[test]
fn a_request_to_another_host_is_held_against_the_definition() {
    let sandbox = sandbox_with(|definition| {
        definition["rolebox"]["egress"] = json!(["api.example.com:443", "x.execute-api.us-east-1.amazonaws.com:443"]);
    });
    for (request, more, decision, said) in [
        ("POST https://api.example.com/a?b", &[][..], "allow", "`api.example.com:443` is in rolebox.egress"),
        ("GET https://API.example.com:443/", &[], "allow", "unsigned"),
        ("GET http://api.example.com/", &[], "deny", "which has `api.example.com:443`"),
        ("GET https://api.example.com:8443/", &[], "deny", "which has `api.example.com:443`"),
        ("CONNECT https://api.example.com/", &[], "deny", "CONNECT"),
        ("GET https://x.execute-api.us-east-1.amazonaws.com/prod", &[], "allow", "unsigned"),
        (
            "GET https://x.execute-api.us-east-1.amazonaws.com/prod",
            &["--header", "Authorization: AWS4-HMAC-SHA256 Credential=a"],
            "deny",
            "authorization",
        ),
    ] {
        let explanation = explain(&sandbox, request, more);
        assert_eq!(explanation["decision"], decision, "{request}: {explanation}");
        assert!(explanation["reason"].as_str().expect("a reason").contains(said), "{request}: {explanation}");
        assert_eq!((&explanation["service"], &explanation["checks"]), (&Value::Null, &json!([])));
    }
}

#[test]
fn a_body_that_is_too_long_to_be_held_is_one_that_streams() {
    let sandbox = sandbox_with(|definition| definition["rolebox"]["limits"] = json!({"bodyBytes": 100}));
    sandbox.file("long", [b'x'; 101]);
    let put = "PUT https://s3.us-east-1.amazonaws.com/data/in/k";
    let explanation = explain(&sandbox, put, &["--body", "long"]);
    assert_eq!((&explanation["operation"], &explanation["decision"]), (&json!("PutObject"), &json!("allow")));
    for (request, more) in [
        (put, &["--body", "long", "--header", "content-encoding: aws-chunked"][..]),
        ("POST https://s3.us-east-1.amazonaws.com/data?delete", &["--body", "long"]),
        ("POST https://dynamodb.us-east-1.amazonaws.com/", &["--body", "long"]),
    ] {
        assert_eq!(explain(&sandbox, request, more)["decision"], "deny", "{request} {more:?}");
    }
}

#[test]
fn a_request_is_explained_in_json() {
    let sandbox = sandbox();
    sandbox.file("body", "hello");
    let explanation = explain(
        &sandbox,
        "PUT https://s3.us-east-1.amazonaws.com/data/in/k%20x?x-id=PutObject",
        &["--header", "Content-Type: text/plain", "--header", "Content-Length:5", "--body", "body"],
    );
    expect![[r#"
        {
          "capabilities": [
            0
          ],
          "checks": [
            {
              "action": "s3:PutObject",
              "decision": "allow",
              "resource": "arn:aws:s3:::data/in/k x"
            }
          ],
          "context": {
            "aws:RequestedRegion": "us-east-1"
          },
          "decision": "allow",
          "operation": "PutObject",
          "reason": "granted by capabilities[0]",
          "service": "s3"
        }"#]]
    .assert_eq(&format!("{explanation:#}"));
}

#[test]
fn a_request_is_explained_in_text() {
    let sandbox = sandbox();
    let outcome = sandbox.run(&[
        "explain",
        "task-definition.json",
        "--request",
        "PUT https://data.s3.us-east-1.amazonaws.com/out/k",
        "--header",
        "x-amz-copy-source: /data/in/k",
    ]);
    assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(0), ""));
    expect![[r#"
        PUT https://data.s3.us-east-1.amazonaws.com/out/k
          service         s3
          operation       CopyObject
          needs           deny  s3:PutObject on arn:aws:s3:::data/out/k
                          deny  s3:PutObjectTagging on arn:aws:s3:::data/out/k
                          allow s3:GetObject on arn:aws:s3:::data/in/k
                          deny  s3:GetObjectTagging on arn:aws:s3:::data/in/k
          context         aws:RequestedRegion = us-east-1
                          s3:x-amz-copy-source = data/in/k
          decision        deny
          reason          no capability of this task grants s3:PutObject on arn:aws:s3:::data/out/k, nor s3:PutObjectTagging on arn:aws:s3:::data/out/k, nor s3:GetObjectTagging on arn:aws:s3:::data/in/k
    "#]].assert_eq(outcome.text());
}

/// The decision on each check, as `allow ACTION` or `deny ACTION`, and the operation.
fn decisions(request: &str, more: &[&str], body: &str) -> String {
    let sandbox = sandbox();
    sandbox.file("body", body);
    let explanation = explain(&sandbox, request, &[more, &["--body", "body"]].concat());
    let checks = explanation["checks"].as_array().expect("a list");
    let mut said = format!("{} {}", explanation["decision"], explanation["operation"]);
    for check in checks {
        said.push_str(&format!(", {} {} {}", check["decision"], check["action"], check["resource"]));
    }
    said.replace('"', "")
}

#[test]
fn each_check_has_its_decision() {
    let mut wrong = String::new();
    let get_object = "GET https://s3.amazonaws.com/data/k";
    let dynamodb = "POST https://dynamodb.us-east-1.amazonaws.com/";
    let target = |name| ["--header", name, "--header", "content-type: application/x-amz-json-1.0"];
    let get_item = target("x-amz-target: DynamoDB_20120810.GetItem");
    let table = "arn:aws:dynamodb:us-east-1:123456789012:table/t";
    for (request, headers, body, expected) in [
        (get_object, &[][..], "", "allow GetObject, allow s3:GetObject arn:aws:s3:::data/k".to_owned()),
        (
            "GET https://s3.amazonaws.com/other/k",
            &[],
            "",
            "deny GetObject, deny s3:GetObject arn:aws:s3:::other/k".to_owned(),
        ),
        // A bound beside the ARN.
        (
            "GET https://s3.amazonaws.com/data?list-type=2&prefix=in/x",
            &[],
            "",
            "allow ListObjectsV2, allow s3:ListBucket arn:aws:s3:::data".to_owned(),
        ),
        (
            "GET https://s3.amazonaws.com/data?list-type=2&prefix=out/",
            &[],
            "",
            "deny ListObjectsV2, deny s3:ListBucket arn:aws:s3:::data".to_owned(),
        ),
        // A bucket of an account that no capability reaches.
        (
            get_object,
            &["--header", "x-amz-expected-bucket-owner: 999988887777"],
            "",
            "deny GetObject, deny s3:GetObject arn:aws:s3:::data/k".to_owned(),
        ),
        // Granted by its full name only.
        (
            "GET https://s3.amazonaws.com/wide/k?acl",
            &[],
            "",
            "allow GetObjectAcl, allow s3:GetObjectAcl arn:aws:s3:::wide/k".to_owned(),
        ),
        (
            "PUT https://s3.amazonaws.com/wide/k?acl",
            &["--header", "x-amz-acl: private"],
            "",
            "deny PutObjectAcl, deny s3:PutObjectAcl arn:aws:s3:::wide/k".to_owned(),
        ),
        // One of several, in the order of the request.
        (
            "POST https://s3.amazonaws.com/data?delete",
            &[],
            "<Delete><Object><Key>tmp/1</Key></Object><Object><Key>in/1</Key></Object></Delete>",
            "deny DeleteObjects, allow s3:DeleteObject arn:aws:s3:::data/tmp/1, deny s3:DeleteObject arn:aws:s3:::data/in/1"
                .to_owned(),
        ),
        // On items, which the ARN does not name.
        (
            dynamodb,
            &get_item,
            r#"{"TableName": "t", "Key": {"pk": {"S": "u1"}}}"#,
            format!("allow GetItem, allow dynamodb:GetItem {table}"),
        ),
        (
            dynamodb,
            &get_item,
            r#"{"TableName": "t", "Key": {"pk": {"S": "u2"}}}"#,
            format!("deny GetItem, deny dynamodb:GetItem {table}"),
        ),
        // A secret by its name.
        (
            "POST https://secretsmanager.us-east-1.amazonaws.com/",
            &[
                "--header",
                "x-amz-target: secretsmanager.GetSecretValue",
                "--header",
                "content-type: application/x-amz-json-1.1",
            ],
            r#"{"SecretId": "db"}"#,
            "allow GetSecretValue, allow secretsmanager:GetSecretValue \
             arn:aws:secretsmanager:us-east-1:123456789012:secret:db-??????"
                .to_owned(),
        ),
        // No resource at all.
        (
            "POST https://sts.us-east-1.amazonaws.com/",
            &["--header", "content-type: application/x-www-form-urlencoded"],
            "Action=GetCallerIdentity&Version=2011-06-15",
            "allow GetCallerIdentity, allow sts:GetCallerIdentity *".to_owned(),
        ),
        ("GET https://s3.amazonaws.com/", &[], "", "deny ListBuckets, deny s3:ListAllMyBuckets *".to_owned()),
    ] {
        let found = decisions(request, headers, body);
        if found != expected {
            wrong.push_str(&format!("{request}: {found}\n"));
        }
    }
    assert_eq!(wrong, "");
}

#[test]
fn a_denial_says_what_is_missing() {
    let explanation = explain(&sandbox(), "DELETE https://s3.amazonaws.com/data/in/k", &[]);
    expect!["no capability of this task grants s3:DeleteObject on arn:aws:s3:::data/in/k"]
        .assert_eq(explanation["reason"].as_str().expect("a reason"));
    assert_eq!((&explanation["decision"], &explanation["capabilities"]), (&json!("deny"), &json!([])));
}

#[test]
fn what_is_not_understood_is_denied_without_checks() {
    let mut wrong = String::new();
    let get = "GET https://s3.us-east-1.amazonaws.com/data/k";
    for (request, more, said) in [
        // No request at all.
        ("", &[][..], "a method and a URL"),
        ("GET", &[], "a method and a URL"),
        ("https://s3.amazonaws.com/data/k", &[], "a method and a URL"),
        ("GET  https://s3.amazonaws.com/data/k", &[], "URL"),
        ("GET https://s3.amazonaws.com/data/k HTTP/1.1", &[], "URL"),
        ("GET https://s3.amazonaws.com/data/a b", &[], "URL"),
        ("GET https://s3.amazonaws.com/data/k\r\nHost: evil", &[], "URL"),
        ("GET https://s3.amazonaws.com/data/k#fragment", &[], "%23"),
        ("GET /data/k", &[], "host"),
        ("GET b/k", &[], ""),
        // Methods.
        ("get https://s3.amazonaws.com/data/k", &[], "get"),
        ("TRACE https://s3.amazonaws.com/data/k", &[], ""),
        ("PATCH https://s3.amazonaws.com/data/k", &[], ""),
        // Hosts.
        ("GET http://s3.amazonaws.com/data/k", &[], "TLS only"),
        ("GET ftp://s3.amazonaws.com/data/k", &[], "TLS only"),
        ("GET ftp://example.com/", &[], "http or https"),
        ("GET https://example.com:0/", &[], "port"),
        ("GET https://example.com:65536/", &[], "port"),
        ("GET https://s3.amazonaws.com:8443/b/k", &[], "port"),
        ("GET https://user:pass@s3.amazonaws.com/data/k", &[], "userinfo"),
        ("GET https://s3.amazonaws.com@evil.example/data/k", &[], "userinfo"),
        ("GET https://s3.amazonaws.com.evil.example/data/k", &[], "rolebox.egress"),
        ("GET https://example.com/", &[], "rolebox.egress"),
        ("GET https://169.254.169.254/latest/meta-data/", &[], "not AWS's"),
        ("GET https://0x7f.1/", &[], "IPv4"),
        ("GET https://[::1]/", &[], "not AWS's"),
        ("GET https://x.execute-api.us-east-1.amazonaws.com/", &[], "rolebox.egress"),
        ("GET https://unheard-of.service.amazonaws.com/", &[], ""),
        ("GET https://s3.cn-north-1.amazonaws.com.cn/data/k", &[], "partition"),
        ("GET https://s3.us-gov-west-1.amazonaws.com/data/k", &[], "partition"),
        ("POST https://iam.amazonaws.com/", &[], "never signed"),
        // Paths and queries.
        ("GET https://s3.amazonaws.com/data/../c/k", &[], "segment"),
        ("GET https://s3.amazonaws.com/data/%2e%2E/k", &[], "segment"),
        ("GET https://s3.amazonaws.com/data/%00", &[], "NUL"),
        ("GET https://s3.amazonaws.com/data/%ff", &[], "UTF-8"),
        ("GET https://s3.amazonaws.com/data/%zz", &[], "%"),
        ("GET https://s3.amazonaws.com/data/k?acl&tagging", &[], ""),
        ("GET https://s3.amazonaws.com/data/k?unknown", &[], "unknown"),
        ("GET https://s3.amazonaws.com/data/k?versionId=1&versionId=2", &[], "versionId"),
        ("GET https://s3.amazonaws.com/data/k?X-Amz-Signature=00", &[], ""),
        // Headers.
        (get, &["--header", "no colon"], "colon"),
        (get, &["--header", ""], "colon"),
        (get, &["--header", ": value"], "header"),
        (get, &["--header", "x-amz-new-thing: 1"], "x-amz-new-thing"),
        (get, &["--header", "x-amz-request-payer : requester"], "header"),
        (get, &["--header", "Range: bytes=0-1\r\nx-amz-acl: public-read"], ""),
        (get, &["--header", "Range: bytes=0-1", "--header", "range: bytes=2-3"], "range"),
        (get, &["--header", "Content-Length: 7"], "content-length"),
        (get, &["--header", "Range: \u{fc}"], "range"),
    ] {
        let reason = refusal(request, more);
        if !reason.contains(said) {
            wrong.push_str(&format!("{request:?} {more:?}: {reason}\n"));
        }
    }
    assert_eq!(wrong, "");
}

#[test]
fn bytes_that_are_no_text_are_denied() {
    let sandbox = sandbox();
    let get = b"GET https://s3.amazonaws.com/data/k".as_slice();
    for (request, header) in [
        (b"GET https://s3.amazonaws.com/data/\xff".as_slice(), b"a: b".as_slice()),
        (get, b"\xff: b"),
        (get, b"x-amz-\xff: b"),
        (get, b"range: \xff"),
    ] {
        let mut command = sandbox.command(&["explain", "task-definition.json", "--output=json", "--request"]);
        command.arg(OsStr::from_bytes(request)).arg("--header").arg(OsStr::from_bytes(header));
        let outcome = Outcome::of(command.output().expect("rolebox runs"), &sandbox);
        assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(0), ""));
        let explanation: Value = serde_json::from_slice(&outcome.stdout).expect("JSON");
        assert_eq!((&explanation["decision"], &explanation["checks"]), (&json!("deny"), &json!([])), "{header:?}");
    }
}

#[test]
fn a_body_over_the_tasks_limit_is_denied() {
    let sandbox = sandbox();
    let delete = "POST https://s3.amazonaws.com/data?delete";
    for (length, decision, said) in [(1024, "allow", "granted"), (1025, "deny", "1024 bytes")] {
        let document = "<Delete><Object><Key>tmp/k</Key></Object></Delete>";
        // A document may have white space behind it.
        sandbox.file("body", format!("{document:<length$}"));
        let explanation = explain(&sandbox, delete, &["--body", "body"]);
        assert_eq!(explanation["decision"], decision, "{explanation:#}");
        assert!(explanation["reason"].as_str().expect("a reason").contains(said), "{explanation:#}");
    }
}

#[test]
fn a_task_without_a_role_makes_no_call() {
    let sandbox = Sandbox::new();
    sandbox.definition(|_| ());
    let explanation = explain(&sandbox, "GET https://s3.amazonaws.com/data/k", &[]);
    assert!(explanation["reason"].as_str().expect("a reason").contains("no role"), "{explanation:#}");
    assert_eq!((&explanation["decision"], &explanation["checks"]), (&json!("deny"), &json!([])));
    assert_eq!(explanation["service"], "s3");

    let role = "arn:aws:iam::123456789012:role/app";
    let outcome = sandbox.run(&[
        "explain",
        "app.wasm",
        "--task-role-arn",
        role,
        "--capability",
        "s3:GetObject=arn:aws:s3:::data/*",
        "--output=json",
        "--request",
        "GET https://s3.amazonaws.com/data/k",
    ]);
    let explanation: Value = serde_json::from_slice(&outcome.stdout).expect("JSON");
    assert_eq!(explanation["decision"], "allow", "{explanation:#}");
}

#[test]
fn a_request_cannot_move_the_cursor() {
    let sandbox = sandbox();
    for (request, header) in [
        ("GET https://s3.amazonaws.com/data/\u{1b}[2J", "a: b"),
        ("GET https://s3.amazonaws.com/data/%1B%5B2J%C2%9B", "a: b"),
        ("GET https://s3.amazonaws.com/data/k", "x\u{1b}[2J: b"),
        ("GET https://s3.amazonaws.com/data/k", "\u{1b}[2J"),
    ] {
        let outcome = sandbox.run(&["explain", "task-definition.json", "--request", request, "--header", header]);
        assert_eq!(outcome.code, Some(0));
        assert!(!outcome.text().contains(['\u{1b}', '\u{9b}']), "{}", outcome.text());
    }
}

#[test]
fn mistakes_in_the_command_line_are_no_answers() {
    let sandbox = sandbox();
    let request = "GET https://s3.amazonaws.com/data/k";
    for line in [
        &["explain", "task-definition.json", "--header", "a: b"][..],
        &["explain", "task-definition.json", "--body", "body"],
        &["explain", "task-definition.json", "--request", request, "--body", "missing"],
        &["explain", "missing.json", "--request", request],
        &["explain", "--request", request],
        &["run", "task-definition.json", "--request", request],
    ] {
        let outcome = sandbox.run(line);
        assert_eq!((outcome.code, outcome.text()), (Some(125), ""), "{line:?}");
        assert!(!outcome.stderr.is_empty(), "{line:?}");
    }
}
