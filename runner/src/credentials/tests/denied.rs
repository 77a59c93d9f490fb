//! The error of a denied AssumeRole says who asked and what to add.

use super::*;

async fn denial(host: &Host, request: RoleSessionRequest, message: &str) -> RoleSessionError {
    host.sts.fail(StsError::AccessDenied { message: message.into() });
    host.sessions.hold(request, Sharing::Private).credentials().await.unwrap_err()
}

fn message(user: &str, action: &str) -> String {
    format!("User: {user} is not authorized to perform: {action} on resource: {ROLE}")
}

#[tokio::test]
async fn the_whole_text() {
    let host = Host::new();
    let user = "arn:aws:sts::123456789012:assumed-role/rolebox-host/i-0123456789abcdef0";
    let error = denial(&host, request(), &message(user, "sts:AssumeRole")).await;
    let expected = r#"cannot assume arn:aws:iam::123456789012:role/path/s3-sample as session 0123456789abcdef0123456789abcdef: STS denied it: User: arn:aws:sts::123456789012:assumed-role/rolebox-host/i-0123456789abcdef0 is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::123456789012:role/path/s3-sample
The host asked as arn:aws:sts::123456789012:assumed-role/rolebox-host/i-0123456789abcdef0. The role must exist and its trust policy must admit the host, which assumes the role in the task's place; most task roles trust only ecs-tasks.amazonaws.com. Add this statement to the trust policy of the role s3-sample:
{
  "Effect": "Allow",
  "Principal": {
    "AWS": "arn:aws:iam::123456789012:role/rolebox-host"
  },
  "Action": [
    "sts:AssumeRole"
  ]
}
(If the host's role has a path, write its full ARN: `aws iam get-role --role-name rolebox-host` prints it.)"#;
    assert_eq!(error.to_string(), expected);
    assert_eq!(error.caller(), Some(user));
    assert_eq!(host.sts.identity_calls(), 0, "STS named the caller");
    assert!(!error.for_guest().contains("arn:"));
}

#[tokio::test]
async fn who_asked_is_asked_for_where_the_message_does_not_say() {
    let user = "arn:aws:iam::123456789012:user/admin";
    for message in ["Access denied", "User: somebody is not authorized", "User: ", "", "User: arn:aws:iam::x:y is not"]
    {
        let host = Host::new();
        host.sts.identify(user);
        let error = denial(&host, request(), message).await;
        assert_eq!(error.caller(), Some(user), "{message}");
        assert!(error.trust_statement().unwrap().contains(&format!("\"AWS\": \"{user}\"")));
        assert!(!error.to_string().contains("get-role"), "a user's ARN is whole");
    }
}

#[tokio::test]
async fn a_caller_that_cannot_be_found_out_is_left_to_fill_in() {
    let host = Host::new();
    let error = denial(&host, request(), "Access denied").await;
    assert_eq!(error.caller(), None);
    let text = error.to_string();
    assert!(text.contains("could not be found out"), "{text}");
    assert!(text.contains("REPLACE-WITH-THE-ARN-OF-THE-HOST'S-ROLE-OR-USER"), "{text}");
}

#[tokio::test]
async fn what_the_session_carries_is_in_the_statement() {
    let identity = || request().with_source_identity(SourceIdentity::new("alice").unwrap());
    let tags = || request().with_tags([("family", "s3-sample")]).unwrap();
    let both = || identity().with_tags([("family", "s3-sample")]).unwrap();
    // What is asked for, the action that STS names, what the advice says, the statement's actions.
    let cases: [(RoleSessionRequest, &str, &str, &[&str]); 6] = [
        (
            identity(),
            "sts:AssumeRole",
            "For what the session carries, sts:SetSourceIdentity must be allowed",
            &["sts:AssumeRole", "sts:SetSourceIdentity"],
        ),
        (
            identity(),
            "sts:SetSourceIdentity",
            "It asks for a source identity, so the role's trust policy must allow",
            &["sts:AssumeRole", "sts:SetSourceIdentity"],
        ),
        (tags(), "sts:TagSession", "or turn session tags off", &["sts:AssumeRole", "sts:TagSession"]),
        (
            both(),
            "sts:AssumeRole",
            "sts:SetSourceIdentity and sts:TagSession must be allowed there as well",
            &["sts:AssumeRole", "sts:SetSourceIdentity", "sts:TagSession"],
        ),
        (
            both(),
            "sts:TagSession",
            "It asks for session tags",
            &["sts:AssumeRole", "sts:SetSourceIdentity", "sts:TagSession"],
        ),
        // Not what was asked for: the message is not believed to know better.
        (request(), "sts:TagSession", "most task roles trust only", &["sts:AssumeRole"]),
    ];
    for (request, action, says, actions) in cases {
        let host = Host::new();
        let error = denial(&host, request, &message("arn:aws:iam::123456789012:user/admin", action)).await;
        assert!(error.to_string().contains(says), "`{says}` in: {error}");
        let statement: serde_json::Value = serde_json::from_str(&error.trust_statement().unwrap()).unwrap();
        assert_eq!(statement["Action"], serde_json::json!(actions));
        assert!(statement.get("Condition").is_none());
    }
}

#[tokio::test]
async fn an_external_id_is_the_statements_condition() {
    let host = Host::new();
    let request = request().with_external_id(ExternalId::new("tenant:7").unwrap());
    let error = denial(&host, request, &message("arn:aws:iam::123456789012:user/admin", "sts:AssumeRole")).await;
    let statement: serde_json::Value = serde_json::from_str(&error.trust_statement().unwrap()).unwrap();
    assert_eq!(statement["Condition"], serde_json::json!({"StringEquals": {"sts:ExternalId": "tenant:7"}}));
}

#[tokio::test]
async fn a_caller_of_another_account_needs_a_policy_of_its_own() {
    for (user, says_so) in [
        ("arn:aws:iam::210987654321:user/admin", true),
        ("arn:aws:sts::210987654321:assumed-role/host/session", true),
        ("arn:aws:iam::123456789012:user/admin", false),
        ("arn:aws:sts::123456789012:federated-user/admin", false),
    ] {
        let host = Host::new();
        let error = denial(&host, request(), &message(user, "sts:AssumeRole")).await;
        let text = error.to_string();
        assert_eq!(text.contains("the host's own policies must allow sts:AssumeRole"), says_so, "{text}");
    }
}

#[tokio::test]
async fn partitions_are_kept() {
    let host = Host::new();
    let user = "arn:aws-us-gov:sts::123456789012:assumed-role/host/session";
    let error = denial(&host, request(), &message(user, "sts:AssumeRole")).await;
    assert!(error.trust_statement().unwrap().contains("arn:aws-us-gov:iam::123456789012:role/host"));
}

#[tokio::test]
async fn other_errors_print_no_statement_and_ask_nobody() {
    for failure in [
        unreachable(),
        StsError::PackedPolicyTooLarge { message: "182%".into() },
        StsError::ExpiredToken { message: "expired".into() },
    ] {
        let host = Host::new();
        host.sts.fail(failure);
        let error = host.credentials(&host.hold()).await.unwrap_err();
        assert_eq!((error.trust_statement(), error.caller()), (None, None));
        assert!(!error.to_string().contains('\n'), "{error}");
        assert_eq!(host.sts.identity_calls(), 0);
    }
}
