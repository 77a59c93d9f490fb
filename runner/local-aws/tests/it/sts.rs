//! AssumeRole and GetCallerIdentity: what is given, and mostly what is not.

use std::time::Duration;

use aws_sdk_sts::config::{BehaviorVersion, Credentials, Region, retry::RetryConfig};
use aws_sdk_sts::error::ProvideErrorMetadata;
use rolebox_local_aws::{LocalAws, Roles};

use crate::client::{FULL, Key, Local, assume_parameters, noon, policies, role_arn, roles};

const HOST: &str = "arn:aws:iam::123456789012:user/rolebox-host";

type Parameter<'a> = (&'a str, &'a str);

/// A role with a trust statement of its own.
fn trusting(name: &str, statement: &str) -> String {
    format!(
        r#"{{"roles": [{{"name": "{name}", "trustPolicy": {{"Version": "2012-10-17", "Statement": [{statement}]}}, {FULL}}}]}}"#
    )
}

#[tokio::test]
async fn the_sdk_assumes_a_role_and_learns_who_it_is() {
    let aws = LocalAws::builder(Roles::from_json(&roles(&[("full", FULL)])).unwrap()).build().unwrap();
    let server = aws.start("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let [endpoint, _, id, secret] = server.environment();
    let client = |credentials: Credentials| {
        let config = aws_sdk_sts::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("us-east-1"))
            .endpoint_url(&endpoint.value)
            .retry_config(RetryConfig::disabled())
            .http_client(aws_smithy_http_client::Builder::new().build_http())
            .credentials_provider(credentials)
            .build();
        aws_sdk_sts::Client::from_conf(config)
    };
    let host = client(Credentials::new(&id.value, &secret.value, None, None, "test"));
    assert_eq!(host.get_caller_identity().send().await.unwrap().arn(), Some(HOST));

    let answer = host
        .assume_role()
        .role_arn(role_arn("full"))
        .role_session_name("task-7")
        .policy(r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}"#)
        .send()
        .await
        .unwrap();
    let user = answer.assumed_role_user().unwrap();
    assert_eq!(user.arn(), "arn:aws:sts::123456789012:assumed-role/full/task-7");
    let given = answer.credentials().unwrap();
    assert!(answer.session_token_size().unwrap() as usize == answer.credentials().unwrap().session_token().len());

    let task = client(Credentials::new(
        given.access_key_id(),
        given.secret_access_key(),
        Some(given.session_token().into()),
        None,
        "test",
    ));
    let identity = task.get_caller_identity().send().await.unwrap();
    assert_eq!(identity.arn(), Some("arn:aws:sts::123456789012:assumed-role/full/task-7"));
    assert_eq!(identity.account(), Some("123456789012"));
    assert!(identity.user_id().unwrap().ends_with(":task-7"));

    // Nobody trusts the session to take another role.
    let denied = task.assume_role().role_arn(role_arn("none")).role_session_name("x1").send().await.unwrap_err();
    assert_eq!(denied.code(), Some("AccessDenied"));
    assert_eq!(
        denied.message(),
        Some(
            "User: arn:aws:sts::123456789012:assumed-role/full/task-7 is not authorized to perform: sts:AssumeRole on \
             resource: arn:aws:iam::123456789012:role/none"
        )
    );
    server.shutdown().await;
}

#[tokio::test]
async fn parameters_outside_of_the_api_are_refused() {
    let local = Local::start(&roles(&[("full", FULL)])).await;
    let host = local.host_key();
    let arn = role_arn("full");
    let long = |length: usize| "a".repeat(length);
    let policy = |length: usize| {
        let text = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}"#;
        format!("{text}{}", " ".repeat(length - text.len()))
    };
    let policy_2048 = policy(2048);
    let (name_65, policy_2049, id_1225, key_129, value_257) =
        (long(65), policy(2049), long(1225), long(129), long(257));
    let cases: Vec<(&str, Vec<Parameter<'_>>, &str)> = vec![
        ("a name of one letter", vec![("RoleSessionName", "a")], "ValidationError"),
        ("a name of 65 letters", vec![("RoleSessionName", &name_65)], "ValidationError"),
        ("a name with a slash", vec![("RoleSessionName", "a/b")], "ValidationError"),
        ("a name with a colon", vec![("RoleSessionName", "a:b")], "ValidationError"),
        ("a name with a space", vec![("RoleSessionName", "a b")], "ValidationError"),
        ("a name with an umlaut", vec![("RoleSessionName", "äöü")], "ValidationError"),
        ("899 seconds", vec![("DurationSeconds", "899")], "ValidationError"),
        ("0 seconds", vec![("DurationSeconds", "0")], "ValidationError"),
        ("43,201 seconds", vec![("DurationSeconds", "43201")], "ValidationError"),
        ("more than the role's maximum", vec![("DurationSeconds", "3601")], "ValidationError"),
        ("negative seconds", vec![("DurationSeconds", "-1")], "MalformedInput"),
        ("seconds that are no number", vec![("DurationSeconds", "1h")], "MalformedInput"),
        ("an empty policy", vec![("Policy", "")], "ValidationError"),
        ("a policy of 2,049 characters", vec![("Policy", &policy_2049)], "ValidationError"),
        ("a policy outside of Latin-1", vec![("Policy", "{\"€\":1}")], "ValidationError"),
        ("a policy with a control character", vec![("Policy", "{\"\u{1}\":1}")], "ValidationError"),
        (
            "a policy of 2,048 characters beside an ARN",
            vec![
                ("Policy", &policy_2048),
                ("PolicyArns.member.1.arn", "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"),
            ],
            "ValidationError",
        ),
        ("a policy that is no JSON", vec![("Policy", "{")], "MalformedPolicyDocument"),
        ("a policy without statements", vec![("Policy", r#"{"Version":"2012-10-17"}"#)], "MalformedPolicyDocument"),
        (
            "a policy with an unknown element",
            vec![(
                "Policy",
                r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*","Foo":1}]}"#,
            )],
            "MalformedPolicyDocument",
        ),
        (
            "a policy with a principal",
            vec![(
                "Policy",
                r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}]}"#,
            )],
            "MalformedPolicyDocument",
        ),
        (
            "an unknown managed policy",
            vec![("PolicyArns.member.1.arn", "arn:aws:iam::aws:policy/Nope")],
            "ValidationError",
        ),
        ("an external id of one letter", vec![("ExternalId", "a")], "ValidationError"),
        ("an external id of 1,225 letters", vec![("ExternalId", &id_1225)], "ValidationError"),
        ("an external id with a space", vec![("ExternalId", "a b")], "ValidationError"),
        ("a source identity of one letter", vec![("SourceIdentity", "a")], "ValidationError"),
        ("a source identity with a slash", vec![("SourceIdentity", "a/b")], "ValidationError"),
        ("a tag without a value", vec![("Tags.member.1.Key", "a")], "ValidationError"),
        (
            "a tag's key of 129 letters",
            vec![("Tags.member.1.Key", &key_129), ("Tags.member.1.Value", "")],
            "ValidationError",
        ),
        (
            "a tag's value of 257 letters",
            vec![("Tags.member.1.Key", "a"), ("Tags.member.1.Value", &value_257)],
            "ValidationError",
        ),
        ("a tag with a star", vec![("Tags.member.1.Key", "a*"), ("Tags.member.1.Value", "")], "ValidationError"),
        ("a reserved tag", vec![("Tags.member.1.Key", "AWS:a"), ("Tags.member.1.Value", "")], "InvalidParameterValue"),
        (
            "a tag twice",
            vec![
                ("Tags.member.1.Key", "a"),
                ("Tags.member.1.Value", ""),
                ("Tags.member.2.Key", "A"),
                ("Tags.member.2.Value", ""),
            ],
            "InvalidParameterValue",
        ),
        ("a transitive key that is no tag", vec![("TransitiveTagKeys.member.1", "a")], "InvalidParameterValue"),
        ("a gap in a list", vec![("Tags.member.2.Key", "a"), ("Tags.member.2.Value", "")], "ValidationError"),
        ("an mfa device", vec![("SerialNumber", "arn:aws:iam::123456789012:mfa/a")], "AccessDenied"),
        ("a parameter that is not known", vec![("Polcy", "{}")], "ValidationError"),
    ];
    assert!(cases.len() >= 30);
    for (name, parameters, code) in cases {
        let reply = local.sts(&host, &assume_parameters(&arn, &parameters)).send().await;
        assert_eq!(reply.element("Code"), code, "{name}: {}", reply.body);
        assert!(reply.status == 400 || reply.status == 403, "{name}");
    }
    for missing in [
        vec![("Action", "AssumeRole"), ("RoleArn", arn.as_str())],
        vec![("Action", "AssumeRole"), ("RoleSessionName", "ab")],
    ] {
        local.sts(&host, &missing).send().await.expect(400, "ValidationError");
    }
    assert_eq!(local.aws().issued_sessions().len(), 0);
}

#[tokio::test]
async fn parameters_at_the_edge_of_the_api_are_taken() {
    let mut file = roles(&[("full", FULL)]);
    file = file.replace(r#""name": "full""#, r#""name": "full", "maxSessionDuration": 43200"#);
    let local = Local::start(&file).await;
    let text = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}"#;
    let policy = format!("{text}{}", " ".repeat(2048 - text.len()));
    let (name, id) = ("a".repeat(64), "b".repeat(1224));
    let sets: [&[(&str, &str)]; 6] = [
        &[("RoleSessionName", "a_")],
        &[("RoleSessionName", &name)],
        &[("RoleSessionName", "A1_+=,.@-")],
        &[("DurationSeconds", "900")],
        &[("DurationSeconds", "43200")],
        &[("Policy", &policy), ("ExternalId", &id)],
    ];
    for parameters in sets {
        local.assume("full", parameters).await;
    }
    let longest = local.aws().issued_sessions().into_iter().next_back().unwrap();
    assert_eq!(longest.expires, noon() + Duration::from_secs(43_200));
}

#[tokio::test]
async fn policies_and_tags_share_one_packed_size() {
    let statement = r#"{"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::123456789012:root"}, "Action": ["sts:AssumeRole", "sts:TagSession"]}"#;
    let local = Local::start(&trusting("full", statement)).await;
    let resource = "x".repeat(1_800);
    let policy = format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::{resource}"}}]}}"#
    );
    let value = "v".repeat(256);
    let arn = role_arn("full");
    let parameters = [("Policy", policy.as_str()), ("Tags.member.1.Key", "k"), ("Tags.member.1.Value", &value)];
    let reply = local.sts(&local.host_key(), &assume_parameters(&arn, &parameters)).send().await;
    reply.expect(400, "PackedPolicyTooLarge");
    local.assume("full", &parameters[..1]).await;
}

#[tokio::test]
async fn only_those_whom_the_trust_policy_admits_get_a_session() {
    let cases: [(&str, &str, &[Parameter<'_>], bool); 16] = [
        (
            "the account",
            r#"{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::123456789012:root"},"Action":"sts:AssumeRole"}"#,
            &[],
            true,
        ),
        (
            "the account's number",
            r#"{"Effect":"Allow","Principal":{"AWS":"123456789012"},"Action":"sts:AssumeRole"}"#,
            &[],
            true,
        ),
        (
            "the host",
            r#"{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::123456789012:user/rolebox-host"},"Action":"sts:AssumeRole"}"#,
            &[],
            true,
        ),
        ("everybody", r#"{"Effect":"Allow","Principal":"*","Action":"sts:AssumeRole"}"#, &[], true),
        (
            "another user",
            r#"{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::123456789012:user/other"},"Action":"sts:AssumeRole"}"#,
            &[],
            false,
        ),
        (
            "another account",
            r#"{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::999999999999:root"},"Action":"sts:AssumeRole"}"#,
            &[],
            false,
        ),
        (
            "a service only",
            r#"{"Effect":"Allow","Principal":{"Service":"ecs-tasks.amazonaws.com"},"Action":"sts:AssumeRole"}"#,
            &[],
            false,
        ),
        (
            "another action",
            r#"{"Effect":"Allow","Principal":{"AWS":"123456789012"},"Action":"sts:TagSession"}"#,
            &[],
            false,
        ),
        (
            "a denial beside",
            r#"{"Effect":"Allow","Principal":"*","Action":"sts:AssumeRole"},{"Effect":"Deny","Principal":{"AWS":"arn:aws:iam::123456789012:user/rolebox-host"},"Action":"sts:AssumeRole"}"#,
            &[],
            false,
        ),
        (
            "an external id that is missing",
            r#"{"Effect":"Allow","Principal":"*","Action":"sts:AssumeRole","Condition":{"StringEquals":{"sts:ExternalId":"secret-id"}}}"#,
            &[],
            false,
        ),
        (
            "another external id",
            r#"{"Effect":"Allow","Principal":"*","Action":"sts:AssumeRole","Condition":{"StringEquals":{"sts:ExternalId":"secret-id"}}}"#,
            &[("ExternalId", "Secret-id")],
            false,
        ),
        (
            "the external id",
            r#"{"Effect":"Allow","Principal":"*","Action":"sts:AssumeRole","Condition":{"StringEquals":{"sts:ExternalId":"secret-id"}}}"#,
            &[("ExternalId", "secret-id")],
            true,
        ),
        (
            "another session name",
            r#"{"Effect":"Allow","Principal":"*","Action":"sts:AssumeRole","Condition":{"StringLike":{"sts:RoleSessionName":"job-*"}}}"#,
            &[],
            false,
        ),
        (
            "tags without sts:TagSession",
            r#"{"Effect":"Allow","Principal":"*","Action":"sts:AssumeRole"}"#,
            &[("Tags.member.1.Key", "a"), ("Tags.member.1.Value", "b")],
            false,
        ),
        (
            "a source identity without sts:SetSourceIdentity",
            r#"{"Effect":"Allow","Principal":"*","Action":"sts:AssumeRole"}"#,
            &[("SourceIdentity", "alice")],
            false,
        ),
        (
            "tags and source identity with both",
            r#"{"Effect":"Allow","Principal":"*","Action":["sts:AssumeRole","sts:TagSession","sts:SetSourceIdentity"]}"#,
            &[("SourceIdentity", "alice"), ("Tags.member.1.Key", "a"), ("Tags.member.1.Value", "b")],
            true,
        ),
    ];
    for (name, statement, parameters, admitted) in cases {
        let local = Local::start(&trusting("full", statement)).await;
        let arn = role_arn("full");
        let reply = local.sts(&local.host_key(), &assume_parameters(&arn, parameters)).send().await;
        match admitted {
            true => assert_eq!(reply.status, 200, "{name}: {}", reply.body),
            false => {
                assert_eq!(
                    (reply.status, reply.element("Code").as_str()),
                    (403, "AccessDenied"),
                    "{name}: {}",
                    reply.body
                );
                assert!(
                    reply.element("Message").starts_with(&format!("User: {HOST} is not authorized to perform: sts:"))
                );
                assert!(reply.element("Message").ends_with(&arn));
            }
        }
    }
}

#[tokio::test]
async fn the_denial_names_the_action_that_is_missing() {
    let local =
        Local::start(&trusting("full", r#"{"Effect":"Allow","Principal":"*","Action":"sts:AssumeRole"}"#)).await;
    let arn = role_arn("full");
    for (parameters, action) in [
        (&[("Tags.member.1.Key", "a"), ("Tags.member.1.Value", "b")][..], "sts:TagSession"),
        (&[("SourceIdentity", "alice")][..], "sts:SetSourceIdentity"),
    ] {
        let reply = local.sts(&local.host_key(), &assume_parameters(&arn, parameters)).send().await;
        assert!(reply.element("Message").contains(&format!("perform: {action} on")), "{}", reply.body);
    }
    for unknown in [
        "arn:aws:iam::123456789012:role/none",
        "arn:aws:iam::999999999999:role/full",
        "arn:aws-cn:iam::123456789012:role/full",
    ] {
        let reply = local.sts(&local.host_key(), &assume_parameters(unknown, &[])).send().await;
        reply.expect(403, "AccessDenied");
        assert!(reply.element("Message").ends_with(unknown));
    }
}

#[tokio::test]
async fn sessions_chain_within_bounds() {
    let chainable =
        policies(r#"{"Effect":"Allow","Action":"sts:AssumeRole","Resource":"arn:aws:iam::123456789012:role/second"}"#);
    let mut file = roles(&[("first", &chainable), ("second", FULL), ("idle", FULL)]);
    file = file.replace(r#""name": "second""#, r#""name": "second", "maxSessionDuration": 43200"#);
    let local = Local::start(&file).await;
    let first = local.assume("first", &[]).await;
    local.assume_with(&first, "second", &[("DurationSeconds", "3600")]).await;
    let arn = role_arn("second");
    let reply = local.sts(&first, &assume_parameters(&arn, &[("DurationSeconds", "3601")])).send().await;
    reply.expect(400, "ValidationError");
    assert!(reply.element("Message").contains("role chaining"));
    // Its own policies do not let it, though the trust policy names the account.
    let idle = local.assume("idle", &[]).await;
    local.sts(&idle, &assume_parameters(&arn, &[])).send().await.expect(403, "AccessDenied");
    // A session policy takes it away too.
    let narrow = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}"#;
    let narrowed = local.assume("first", &[("Policy", narrow)]).await;
    local.sts(&narrowed, &assume_parameters(&arn, &[])).send().await.expect(403, "AccessDenied");
}

#[tokio::test]
async fn a_trust_policy_that_names_a_role_needs_no_policy_of_that_role() {
    let file = format!(
        r#"{{"roles": [
            {{"name": "first", "trustPolicy": {{"Version": "2012-10-17", "Statement": [{{"Effect": "Allow", "Principal": {{"AWS": "123456789012"}}, "Action": "sts:AssumeRole"}}]}}, {FULL}}},
            {{"name": "second", "trustPolicy": {{"Version": "2012-10-17", "Statement": [{{"Effect": "Allow", "Principal": {{"AWS": "arn:aws:iam::123456789012:role/first"}}, "Action": "sts:AssumeRole"}}]}}, {FULL}}}]}}"#
    );
    let local = Local::start(&file).await;
    let first = local.assume("first", &[]).await;
    local.assume_with(&first, "second", &[]).await;
    let arn = role_arn("second");
    local.sts(&local.host_key(), &assume_parameters(&arn, &[])).send().await.expect(403, "AccessDenied");
    let deny = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}"#;
    let narrowed = local.assume("first", &[("Policy", deny)]).await;
    local.sts(&narrowed, &assume_parameters(&arn, &[])).send().await.expect(403, "AccessDenied");
}

#[tokio::test]
async fn a_chained_session_inherits_what_it_cannot_shed() {
    let write_own = policies(
        r#"{"Effect":"Allow","Action":["sts:AssumeRole","sts:TagSession","sts:SetSourceIdentity"],"Resource":"*"},
           {"Effect":"Allow","Action":"s3:PutObject","Resource":"arn:aws:s3:::data-bucket/${aws:PrincipalTag/team}/${aws:SourceIdentity}"}"#,
    );
    let file = roles(&[("full", FULL), ("first", &write_own), ("second", &write_own)]).replace(
        r#""Action": "sts:AssumeRole""#,
        r#""Action": ["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"]"#,
    );
    let local = Local::start(&file).await;
    let full = local.assume("full", &[]).await;
    local.bucket(&full, "data-bucket").await;
    let tags = [
        ("SourceIdentity", "alice"),
        ("Tags.member.1.Key", "team"),
        ("Tags.member.1.Value", "red"),
        ("TransitiveTagKeys.member.1", "team"),
    ];
    let first = local.assume("first", &tags).await;
    let second = local.assume_with(&first, "second", &[]).await;
    for (target, status) in [("red/alice", 200), ("red/bob", 403), ("blue/alice", 403)] {
        let put = local.s3(&second, "PUT", &format!("/data-bucket/{target}")).body("x");
        assert_eq!(put.send().await.status, status, "{target}");
    }
    let arn = role_arn("second");
    for (parameters, code) in [
        (vec![("SourceIdentity", "bob")], "AccessDenied"),
        (vec![("Tags.member.1.Key", "Team"), ("Tags.member.1.Value", "blue")], "InvalidParameterValue"),
    ] {
        let reply = local.sts(&first, &assume_parameters(&arn, &parameters)).send().await;
        assert_eq!(reply.element("Code"), code, "{}", reply.body);
    }
}

#[tokio::test]
async fn requests_to_sts_that_are_nobodys_are_refused() {
    let local = Local::start(&roles(&[("full", FULL)])).await;
    let host = local.host_key();
    let call = || local.sts(&host, &[("Action", "GetCallerIdentity")]);
    call().send().await.expect(200, "");
    let wrong = Key { secret: "wrong".into(), ..host.clone() };
    let unknown = Key { id: "AKIAAAAAAAAAAAAAAAAA".into(), ..host.clone() };
    let with_token = Key { token: Some("token".into()), ..host.clone() };
    let signed = || call().sign();
    let mut changed = signed();
    changed.body.extend(b"&DurationSeconds=900");
    let mut doubled = signed();
    doubled.body = b"Version=2011-06-15&Action=GetCallerIdentity&Action=AssumeRole".to_vec();
    let with_query = {
        let mut call = call().sign();
        call.target = "/?Action=AssumeRole".into();
        call
    };
    let cases = [
        ("no authorization", signed().without("authorization"), 403, "MissingAuthenticationToken"),
        ("wrong secret", local.sts(&wrong, &[("Action", "GetCallerIdentity")]).sign(), 403, "SignatureDoesNotMatch"),
        ("unknown key", local.sts(&unknown, &[("Action", "GetCallerIdentity")]).sign(), 403, "InvalidClientTokenId"),
        (
            "a token too much",
            local.sts(&with_token, &[("Action", "GetCallerIdentity")]).sign(),
            403,
            "InvalidClientTokenId",
        ),
        ("another region", call().region("eu-central-1").sign(), 403, "SignatureDoesNotMatch"),
        ("another service", call().service("s3").sign(), 403, "SignatureDoesNotMatch"),
        ("late", call().time(noon() - Duration::from_secs(901)).sign(), 403, "SignatureDoesNotMatch"),
        ("early", call().time(noon() + Duration::from_secs(901)).sign(), 403, "SignatureDoesNotMatch"),
        ("no date", signed().without("x-amz-date"), 400, "IncompleteSignature"),
        ("an unsigned x-amz header", signed().with("x-amz-target", "x"), 403, "SignatureDoesNotMatch"),
        (
            "a malformed authorization",
            signed().authorization("Credential=", "Credentials="),
            400,
            "IncompleteSignature",
        ),
        ("a changed body", changed, 403, "SignatureDoesNotMatch"),
        ("another body", doubled, 403, "SignatureDoesNotMatch"),
        ("parameters in the query", with_query, 403, "SignatureDoesNotMatch"),
    ];
    for (name, signed, status, code) in cases {
        let reply = signed.send().await;
        assert_eq!((reply.status, reply.element("Code").as_str()), (status, code), "{name}: {}", reply.body);
        assert_eq!(reply.element("Type"), "Sender", "{name}");
    }
}

#[tokio::test]
async fn operations_and_forms_that_are_not_served_are_refused() {
    let local = Local::start(&roles(&[("full", FULL)])).await;
    let host = local.host_key();
    for action in
        ["GetSessionToken", "GetFederationToken", "AssumeRoleWithWebIdentity", "AssumeRoot", "ListBuckets", ""]
    {
        local.sts(&host, &[("Action", action)]).send().await.expect(400, "InvalidAction");
    }
    local.sts(&host, &[]).send().await.expect(400, "MissingAction");
    local.sts(&host, &[("Action", "GetCallerIdentity"), ("Extra", "1")]).send().await.expect(400, "ValidationError");
    let call = || local.sts(&host, &[]);
    call().body("Version=2010-01-01&Action=GetCallerIdentity").send().await.expect(400, "InvalidAction");
    call().body("Action=GetCallerIdentity").send().await.expect(400, "ValidationError");
    call().body("Action=a&Action=b&Version=2011-06-15").send().await.expect(400, "MalformedInput");
    call().body(&b"Action=\xff"[..]).send().await.expect(400, "MalformedInput");
    call().body("Action=%zz").send().await.expect(400, "MalformedInput");
    call().body(vec![b'a'; 300_000]).send().await.expect(413, "RequestEntityTooLarge");
}
