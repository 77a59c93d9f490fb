//! Permissions: role policies, session policies, conditions, and what headers and bodies add to a request.

use crate::client::{FULL, Key, Local, policies, roles};

const SAMPLE: &str = "node-sdk-sample-7f7a0f7e-6f0e-4c7c-9d0b-2c5b3a1d9e10";

/// A role's statements, a session policy's statements, a request, and how it ends.
struct Case {
    name: &'static str,
    role: &'static str,
    session: Option<&'static str>,
    method: &'static str,
    target: &'static str,
    headers: &'static [(&'static str, &'static str)],
    status: u16,
    code: &'static str,
}

const ALL: &str = r#"{"Effect":"Allow","Action":"s3:*","Resource":"*"}"#;
const PUT_ONLY: &str = r#"{"Effect":"Allow","Action":"s3:PutObject","Resource":"arn:aws:s3:::data-bucket/in/*"}"#;

const fn case(
    name: &'static str,
    role: &'static str,
    method: &'static str,
    target: &'static str,
    status: u16,
    code: &'static str,
) -> Case {
    Case { name, role, session: None, method, target, headers: &[], status, code }
}

impl Case {
    const fn session(mut self, session: &'static str) -> Self {
        self.session = Some(session);
        self
    }

    const fn headers(mut self, headers: &'static [(&'static str, &'static str)]) -> Self {
        self.headers = headers;
        self
    }
}

const DENIED: &str = "AccessDenied";

/// `data-bucket` holds `in/old`, `out/old` and `secret`.
const CASES: &[Case] = &[
    case("what is allowed", PUT_ONLY, "PUT", "/data-bucket/in/new", 200, ""),
    case("another prefix", PUT_ONLY, "PUT", "/data-bucket/out/new", 403, DENIED),
    case("the prefix without its slash", PUT_ONLY, "PUT", "/data-bucket/in", 403, DENIED),
    case("another case", PUT_ONLY, "PUT", "/data-bucket/IN/new", 403, DENIED),
    case("a doubled slash in front", PUT_ONLY, "PUT", "/data-bucket//in/new", 403, DENIED),
    case("another bucket", PUT_ONLY, "PUT", "/data-bucket-2/in/new", 403, DENIED),
    case("another action", PUT_ONLY, "GET", "/data-bucket/in/old", 403, DENIED),
    case("deletion", PUT_ONLY, "DELETE", "/data-bucket/in/old", 403, DENIED),
    case("listing", PUT_ONLY, "GET", "/data-bucket?list-type=2", 403, DENIED),
    case("the old listing", PUT_ONLY, "GET", "/data-bucket", 403, DENIED),
    case("the head of a bucket", PUT_ONLY, "HEAD", "/data-bucket", 403, ""),
    case("all buckets", PUT_ONLY, "GET", "/", 403, DENIED),
    case("the location", PUT_ONLY, "GET", "/data-bucket?location", 403, DENIED),
    case("a new bucket", PUT_ONLY, "PUT", "/new-bucket", 403, DENIED),
    case("the end of a bucket", PUT_ONLY, "DELETE", "/data-bucket", 403, DENIED),
    case("uploads in progress", PUT_ONLY, "GET", "/data-bucket?uploads", 403, DENIED),
    case("the parts of an upload", PUT_ONLY, "GET", "/data-bucket/in/new?uploadId=abc", 403, DENIED),
    case("the end of an upload", PUT_ONLY, "DELETE", "/data-bucket/in/new?uploadId=abc", 403, DENIED),
    case("nothing allowed at all", r#"{"Effect":"Deny","Action":"*","Resource":"*"}"#, "GET", "/data-bucket/secret", 403, DENIED),
    case(
        "an explicit deny",
        r#"{"Effect":"Allow","Action":"s3:*","Resource":"*"},{"Effect":"Deny","Action":"s3:GetObject","Resource":"arn:aws:s3:::data-bucket/secret"}"#,
        "GET",
        "/data-bucket/secret",
        403,
        DENIED,
    ),
    case(
        "beside an explicit deny",
        r#"{"Effect":"Allow","Action":"s3:*","Resource":"*"},{"Effect":"Deny","Action":"s3:GetObject","Resource":"arn:aws:s3:::data-bucket/secret"}"#,
        "GET",
        "/data-bucket/in/old",
        200,
        "",
    ),
    case("a narrower session policy", ALL, "GET", "/data-bucket/secret", 403, DENIED).session(PUT_ONLY),
    case("within the session policy", ALL, "PUT", "/data-bucket/in/new", 200, "").session(PUT_ONLY),
    case("a wider session policy", PUT_ONLY, "GET", "/data-bucket/secret", 403, DENIED).session(ALL),
    case("a session policy that denies", ALL, "GET", "/data-bucket/secret", 403, DENIED)
        .session(r#"{"Effect":"Allow","Action":"s3:*","Resource":"*"},{"Effect":"Deny","Action":"s3:GetObject","Resource":"*"}"#),
    case("a session policy for another account's buckets", ALL, "GET", "/data-bucket/secret", 403, DENIED).session(
        r#"{"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"StringEquals":{"aws:ResourceAccount":"999999999999"}}}"#,
    ),
    case("a session policy for this account's buckets", ALL, "GET", "/data-bucket/secret", 200, "").session(
        r#"{"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"StringEquals":{"aws:ResourceAccount":"123456789012"}}}"#,
    ),
    case("a version", r#"{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}"#, "GET", "/data-bucket/secret?versionId=null", 403, DENIED),
    case("the null version", r#"{"Effect":"Allow","Action":"s3:GetObjectVersion","Resource":"*"}"#, "GET", "/data-bucket/secret?versionId=null", 200, ""),
    case("a version that is not there", ALL, "GET", "/data-bucket/secret?versionId=abc", 400, "InvalidArgument"),
    case("deleting a version", r#"{"Effect":"Allow","Action":"s3:DeleteObject","Resource":"*"}"#, "DELETE", "/data-bucket/secret?versionId=null", 403, DENIED),
    case(
        "the prefix of a condition",
        r#"{"Effect":"Allow","Action":"s3:ListBucket","Resource":"*","Condition":{"StringLike":{"s3:prefix":"in/*"}}}"#,
        "GET",
        "/data-bucket?list-type=2&prefix=in%2Fx",
        200,
        "",
    ),
    case(
        "another prefix than the condition's",
        r#"{"Effect":"Allow","Action":"s3:ListBucket","Resource":"*","Condition":{"StringLike":{"s3:prefix":"in/*"}}}"#,
        "GET",
        "/data-bucket?list-type=2&prefix=out%2F",
        403,
        DENIED,
    ),
    case(
        "no prefix under a condition",
        r#"{"Effect":"Allow","Action":"s3:ListBucket","Resource":"*","Condition":{"StringLike":{"s3:prefix":"*"}}}"#,
        "GET",
        "/data-bucket?list-type=2",
        403,
        DENIED,
    ),
    case(
        "too many keys for a condition",
        r#"{"Effect":"Allow","Action":"s3:ListBucket","Resource":"*","Condition":{"NumericLessThanEquals":{"s3:max-keys":"10"}}}"#,
        "GET",
        "/data-bucket?list-type=2&max-keys=11",
        403,
        DENIED,
    ),
    case(
        "a prefix means nothing to uploads",
        r#"{"Effect":"Allow","Action":"s3:ListBucketMultipartUploads","Resource":"*","Condition":{"StringLike":{"s3:prefix":"*"}}}"#,
        "GET",
        "/data-bucket?uploads&prefix=in%2F",
        403,
        DENIED,
    ),
    case("an acl without its permission", PUT_ONLY, "PUT", "/data-bucket/in/new", 403, DENIED).headers(&[("x-amz-acl", "private")]),
    case("a grant without its permission", PUT_ONLY, "PUT", "/data-bucket/in/new", 403, DENIED)
        .headers(&[("x-amz-grant-read", "uri=\"http://acs.amazonaws.com/groups/global/AllUsers\"")]),
    case("tags without their permission", PUT_ONLY, "PUT", "/data-bucket/in/new", 403, DENIED).headers(&[("x-amz-tagging", "a=b")]),
    case("retention without its permission", PUT_ONLY, "PUT", "/data-bucket/in/new", 403, DENIED)
        .headers(&[("x-amz-object-lock-mode", "GOVERNANCE"), ("x-amz-object-lock-retain-until-date", "2030-01-01T00:00:00Z")]),
    case("a legal hold without its permission", PUT_ONLY, "PUT", "/data-bucket/in/new", 403, DENIED)
        .headers(&[("x-amz-object-lock-legal-hold", "ON")]),
    case("a key of kms without its permission", ALL, "PUT", "/data-bucket/in/new", 403, DENIED)
        .headers(&[("x-amz-server-side-encryption", "aws:kms"), ("x-amz-server-side-encryption-aws-kms-key-id", "abc")]),
    case("a bypass without its permission", r#"{"Effect":"Allow","Action":"s3:DeleteObject","Resource":"*"}"#, "DELETE", "/data-bucket/secret", 403, DENIED)
        .headers(&[("x-amz-bypass-governance-retention", "true")]),
    case("a public acl", ALL, "PUT", "/data-bucket/in/new", 400, "AccessControlListNotSupported").headers(&[("x-amz-acl", "public-read")]),
    case("a grant", ALL, "PUT", "/data-bucket/in/new", 400, "AccessControlListNotSupported").headers(&[("x-amz-grant-read", "id=\"1\"")]),
    case("tags", ALL, "PUT", "/data-bucket/in/new", 501, "NotImplemented").headers(&[("x-amz-tagging", "a=b")]),
    case("object lock", ALL, "PUT", "/data-bucket/in/new", 501, "NotImplemented").headers(&[("x-amz-object-lock-legal-hold", "ON")]),
    case("encryption by kms", ALL, "PUT", "/data-bucket/in/new", 501, "NotImplemented").headers(&[("x-amz-server-side-encryption", "aws:kms")]),
    case("a customer's key", ALL, "PUT", "/data-bucket/in/new", 501, "NotImplemented")
        .headers(&[("x-amz-server-side-encryption-customer-algorithm", "AES256")]),
    case("another storage class", ALL, "PUT", "/data-bucket/in/new", 501, "NotImplemented").headers(&[("x-amz-storage-class", "GLACIER")]),
    case("a header that is not known", ALL, "PUT", "/data-bucket/in/new", 501, "NotImplemented").headers(&[("x-amz-tomorrow", "1")]),
    case("a header of another operation", ALL, "GET", "/data-bucket/secret", 501, "NotImplemented").headers(&[("x-amz-copy-source", "a/b")]),
    case("what changes nothing", ALL, "PUT", "/data-bucket/in/new", 200, "")
        .headers(&[("x-amz-acl", "bucket-owner-full-control"), ("x-amz-server-side-encryption", "AES256"), ("x-amz-storage-class", "STANDARD")]),
    case("an acl of a bucket", ALL, "PUT", "/data-bucket?acl", 403, DENIED),
    case("a policy", ALL, "PUT", "/data-bucket?policy", 403, DENIED),
    case("a policy read", ALL, "GET", "/data-bucket?policy", 403, DENIED),
    case("a session of s3 express", ALL, "GET", "/data-bucket?session", 403, DENIED),
    case("an object's acl", ALL, "GET", "/data-bucket/secret?acl", 403, DENIED),
    case("an object's torrent", ALL, "GET", "/data-bucket/secret?torrent", 403, DENIED),
    case("an object's tags", ALL, "PUT", "/data-bucket/secret?tagging", 403, DENIED),
    case("a restoration", ALL, "POST", "/data-bucket/secret?restore", 403, DENIED),
    case("a query over an object", ALL, "POST", "/data-bucket/secret?select&select-type=2", 403, DENIED),
    case("versions", ALL, "GET", "/data-bucket?versions", 403, DENIED),
    case("a parameter that is not known", ALL, "GET", "/data-bucket/secret?tomorrow", 501, "NotImplemented"),
    case("a subresource in another case", ALL, "GET", "/data-bucket/secret?ACL", 501, "NotImplemented"),
    case("a head with a subresource", ALL, "HEAD", "/data-bucket/secret?acl", 501, ""),
    case("another operation's id", ALL, "GET", "/data-bucket/secret?x-id=PutObject", 501, "NotImplemented"),
    case("the operation's own id", ALL, "GET", "/data-bucket/secret?x-id=GetObject", 200, ""),
    case("a bucket's name that is none", ALL, "PUT", "/Data_Bucket", 400, "InvalidBucketName"),
    case("a key of 1,025 bytes", ALL, "PUT", LONG_TARGET, 400, "KeyTooLongError"),
    case("a method that is not known", ALL, "PATCH", "/data-bucket/secret", 501, "NotImplemented"),
    case("a post on a key", ALL, "POST", "/data-bucket/secret", 501, "NotImplemented"),
];

const LONG_TARGET: &str = {
    const BYTES: [u8; 1038] = {
        let mut bytes = [b'a'; 1038];
        let start = *b"/data-bucket/";
        let mut index = 0;
        while index < start.len() {
            bytes[index] = start[index];
            index += 1;
        }
        bytes
    };
    match std::str::from_utf8(&BYTES) {
        Ok(text) => text,
        Err(_) => "",
    }
};

#[tokio::test]
async fn each_request_ends_as_its_policies_say() {
    assert_eq!(LONG_TARGET.len(), 13 + 1025);
    for case in CASES {
        let local = Local::start(&roles(&[("full", FULL), ("task", &policies(case.role))])).await;
        let full = local.assume("full", &[]).await;
        for bucket in ["data-bucket", "data-bucket-2"] {
            local.bucket(&full, bucket).await;
        }
        for name in ["in/old", "out/old", "secret"] {
            local.aws().put_object("data-bucket", name, "content").await.unwrap();
        }
        let session =
            case.session.map(|statements| format!(r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#));
        let more: Vec<(&str, &str)> = session.iter().map(|policy| ("Policy", policy.as_str())).collect();
        let key = local.assume("task", &more).await;
        let mut call = local.s3(&key, case.method, case.target);
        for (name, value) in case.headers {
            call = call.header(name, value);
        }
        if case.method == "PUT" && case.target.matches('/').count() > 1 {
            call = call.body("new content");
        }
        let reply = call.send().await;
        assert_eq!(
            (reply.status, reply.element("Code").as_str()),
            (case.status, case.code),
            "{}: {}",
            case.name,
            reply.body
        );
        // Whatever was denied did not happen.
        if case.status >= 400 {
            assert!(local.aws().object("data-bucket", "in/new").is_err(), "{}", case.name);
            assert_eq!(local.aws().object("data-bucket", "secret").unwrap(), b"content", "{}", case.name);
        }
    }
}

#[tokio::test]
async fn the_sample_works_under_its_role_and_nothing_else_does() {
    let policy = r#"{"Version":"2012-10-17","Statement":[
        {"Effect":"Allow","Action":"s3:CreateBucket","Resource":"arn:aws:s3:::node-sdk-sample-*"},
        {"Effect":"Allow","Action":"s3:PutObject","Resource":"arn:aws:s3:::node-sdk-sample-*/*",
         "Condition":{"StringEquals":{"aws:ResourceAccount":"123456789012"}}}]}"#;
    let local = Local::start(&roles(&[("s3-sample", FULL)])).await;
    let key = local.assume("s3-sample", &[("Policy", policy)]).await;
    local.s3(&key, "PUT", &format!("/{SAMPLE}")).send().await.expect(200, "");
    let put = |name: &str| local.s3(&key, "PUT", &format!("/{SAMPLE}/{name}")).body("Hello World!");
    put("hello_world.txt").header("x-amz-expected-bucket-owner", "123456789012").send().await.expect(200, "");
    assert_eq!(local.aws().object(SAMPLE, "hello_world.txt").unwrap(), b"Hello World!");
    local.s3(&key, "GET", &format!("/{SAMPLE}/hello_world.txt")).send().await.expect(403, DENIED);
    local.s3(&key, "PUT", "/another-bucket").send().await.expect(403, DENIED);

    let requests = local.aws().requests();
    let put = requests.iter().find(|request| request.operation.as_deref() == Some("PutObject")).unwrap();
    assert_eq!(put.principal.as_deref(), Some("arn:aws:sts::123456789012:assumed-role/s3-sample/task-1"));
    assert_eq!(put.session_name.as_deref(), Some("task-1"));
    assert_eq!((put.status, put.service, put.method.as_str()), (200, "s3", "PUT"));
    let last = requests.last().unwrap();
    assert_eq!(
        (last.status, last.error_code.as_deref(), last.operation.as_deref()),
        (403, Some(DENIED), Some("CreateBucket"))
    );
    assert_eq!(requests[0].operation.as_deref(), Some("AssumeRole"));
    assert!(requests[0].principal.as_deref().unwrap().ends_with("user/rolebox-host"));
}

#[tokio::test]
async fn denials_say_who_what_where_and_why() {
    let local = Local::start(&roles(&[("task", &policies(PUT_ONLY))])).await;
    let message = async |key: &Key, target: &str| local.s3(key, "GET", target).send().await.element("Message");
    let key = local.assume("task", &[]).await;
    assert_eq!(
        message(&key, "/data-bucket/a%26amp").await,
        "User: arn:aws:sts::123456789012:assumed-role/task/task-1 is not authorized to perform: s3:GetObject on resource: \
         &quot;arn:aws:s3:::data-bucket/a&amp;amp&quot; because no identity-based policy allows the s3:GetObject action"
    );
    let all = format!(r#"{{"Version":"2012-10-17","Statement":[{ALL}]}}"#);
    let host = local.host_key();
    assert_eq!(local.s3(&host, "PUT", "/new-bucket").send().await.element("Code"), DENIED);
    let local = Local::start(&roles(&[("task", FULL)])).await;
    let deny = all.replace("Allow", "Deny");
    for (policy, words) in
        [(PUT_ONLY, "because no session policy allows"), (&deny, "with an explicit deny in a session policy")]
    {
        let policy = if policy.starts_with(r#"{"Version"#) {
            policy.to_owned()
        } else {
            format!(r#"{{"Version":"2012-10-17","Statement":[{policy}]}}"#)
        };
        let key = local.assume("task", &[("Policy", &policy)]).await;
        assert!(local.s3(&key, "GET", "/data-bucket/a").send().await.element("Message").contains(words));
    }
}

#[tokio::test]
async fn the_host_may_look_but_not_touch() {
    let local = Local::start(&roles(&[("full", FULL)])).await;
    let full = local.assume("full", &[]).await;
    local.bucket(&full, "data-bucket").await;
    local.aws().put_object("data-bucket", "key", "content").await.unwrap();
    let host = local.host_key();
    assert_eq!(local.s3(&host, "GET", "/data-bucket/key").send().await.body, "content");
    local.s3(&host, "GET", "/").send().await.expect(200, "");
    local.s3(&host, "GET", "/data-bucket?list-type=2").send().await.expect(200, "");
    for (method, target) in [
        ("PUT", "/data-bucket/new"),
        ("DELETE", "/data-bucket/key"),
        ("PUT", "/new-bucket"),
        ("DELETE", "/data-bucket"),
    ] {
        local.s3(&host, method, target).send().await.expect(403, DENIED);
    }
}

#[tokio::test]
async fn a_copy_needs_its_source_as_well() {
    let target_only = r#"{"Effect":"Allow","Action":"s3:PutObject","Resource":"arn:aws:s3:::data-bucket/out/*"}"#;
    let both = r#"{"Effect":"Allow","Action":"s3:PutObject","Resource":"arn:aws:s3:::data-bucket/out/*"},
        {"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::data-bucket/in/*"}"#;
    let local =
        Local::start(&roles(&[("full", FULL), ("one", &policies(target_only)), ("both", &policies(both))])).await;
    let full = local.assume("full", &[]).await;
    local.bucket(&full, "data-bucket").await;
    for name in ["in/a b", "secret"] {
        local.aws().put_object("data-bucket", name, name).await.unwrap();
    }
    let (one, both) = (local.assume("one", &[]).await, local.assume("both", &[]).await);
    let copy =
        |key: &Key, source: &str| local.s3(key, "PUT", "/data-bucket/out/copy").header("x-amz-copy-source", source);
    copy(&one, "data-bucket/in/a%20b").send().await.expect(403, DENIED);
    for source in [
        "data-bucket/secret",
        "/data-bucket/secret",
        "data-bucket%2Fsecret",
        "data-bucket/in/../secret",
        "data-bucket/in/a%20b?versionId=null",
    ] {
        copy(&both, source).send().await.expect(403, DENIED);
    }
    for (source, code) in [
        ("", "InvalidArgument"),
        ("data-bucket", "InvalidArgument"),
        ("data-bucket/", "InvalidArgument"),
        ("Data_Bucket/x", "InvalidArgument"),
        ("arn:aws:s3:us-east-1:123456789012:accesspoint/points/object/in/a", "NotImplemented"),
    ] {
        assert_eq!(copy(&both, source).send().await.element("Code"), code, "{source}");
    }
    assert!(local.aws().object("data-bucket", "out/copy").is_err());
    copy(&both, "/data-bucket/in/a%20b").send().await.expect(200, "");
    assert_eq!(local.aws().object("data-bucket", "out/copy").unwrap(), b"in/a b");
}

#[tokio::test]
async fn delete_objects_is_decided_for_each_key() {
    let role = r#"{"Effect":"Allow","Action":"s3:DeleteObject","Resource":"arn:aws:s3:::data-bucket/in/*"}"#;
    let local = Local::start(&roles(&[("full", FULL), ("task", &policies(role))])).await;
    let full = local.assume("full", &[]).await;
    local.bucket(&full, "data-bucket").await;
    for name in ["in/1", "in/2", "secret"] {
        local.aws().put_object("data-bucket", name, name).await.unwrap();
    }
    let key = local.assume("task", &[]).await;
    let delete = |body: &str| local.s3(&key, "POST", "/data-bucket?delete").body(body);
    let reply = delete(
        "<Delete><Object><Key>in/1</Key></Object><Object><Key>secret</Key></Object>\
         <Object><Key>in/2</Key><VersionId>null</VersionId></Object></Delete>",
    )
    .send()
    .await;
    assert_eq!(reply.status, 200);
    assert!(reply.body.contains("<Deleted><Key>in/1</Key></Deleted>"), "{}", reply.body);
    assert_eq!(reply.elements("Code"), ["AccessDenied", "AccessDenied"]);
    let left: Vec<String> = local.aws().objects("data-bucket").unwrap().into_iter().map(|object| object.key).collect();
    assert_eq!(left, ["in/2", "secret"]);
    delete("<Delete>").send().await.expect(400, "MalformedXML");
    delete("not xml").send().await.expect(400, "MalformedXML");
    let many: String = (0..1001).map(|index| format!("<Object><Key>in/{index}</Key></Object>")).collect();
    delete(&format!("<Delete>{many}</Delete>")).send().await.expect(400, "MalformedXML");
    let bypass =
        delete("<Delete><Object><Key>in/2</Key></Object></Delete>").header("x-amz-bypass-governance-retention", "true");
    assert_eq!(bypass.send().await.elements("Code"), ["AccessDenied"]);
}

#[tokio::test]
async fn whether_a_key_exists_is_only_for_those_who_may_list() {
    let get = r#"{"Effect":"Allow","Action":["s3:GetObject","s3:PutObject"],"Resource":"*"}"#;
    let get_and_list = r#"{"Effect":"Allow","Action":["s3:GetObject","s3:ListBucket"],"Resource":"*"}"#;
    let local =
        Local::start(&roles(&[("full", FULL), ("get", &policies(get)), ("both", &policies(get_and_list))])).await;
    let full = local.assume("full", &[]).await;
    local.bucket(&full, "data-bucket").await;
    let (get, both) = (local.assume("get", &[]).await, local.assume("both", &[]).await);
    local.s3(&get, "GET", "/data-bucket/absent").send().await.expect(403, DENIED);
    local.s3(&get, "HEAD", "/data-bucket/absent").send().await.expect(403, "");
    local.s3(&both, "GET", "/data-bucket/absent").send().await.expect(404, "NoSuchKey");
    local.s3(&both, "HEAD", "/data-bucket/absent").send().await.expect(404, "");
    let copy = local.s3(&get, "PUT", "/data-bucket/new").header("x-amz-copy-source", "data-bucket/absent");
    copy.send().await.expect(403, DENIED);
}

#[tokio::test]
async fn policy_variables_and_tags_of_a_session_count() {
    let role = r#"{"Effect":"Allow","Action":"s3:PutObject","Resource":"arn:aws:s3:::data-bucket/${aws:PrincipalTag/team}/*"}"#;
    let file = roles(&[("full", FULL), ("task", &policies(role))])
        .replace(r#""Action": "sts:AssumeRole""#, r#""Action": ["sts:AssumeRole", "sts:TagSession"]"#);
    let local = Local::start(&file).await;
    let full = local.assume("full", &[]).await;
    local.bucket(&full, "data-bucket").await;
    let untagged = local.assume("task", &[]).await;
    let red = local.assume("task", &[("Tags.member.1.Key", "team"), ("Tags.member.1.Value", "red")]).await;
    let put = async |key: &Key, target: &str| local.s3(key, "PUT", target).body("x").send().await.status;
    assert_eq!(put(&red, "/data-bucket/red/key").await, 200);
    assert_eq!(put(&red, "/data-bucket/blue/key").await, 403);
    assert_eq!(put(&untagged, "/data-bucket/red/key").await, 403);
    assert_eq!(put(&untagged, "/data-bucket//key").await, 403);
}
