//! The sample against moto, which nobody here wrote, with its IAM enforcement on.

use std::path::Path;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use rolebox::AwsSettings;
use rolebox::egress::Endpoints;
use rolebox_guest_artifacts as artifacts;
use rolebox_peers::{Moto, Peers, Role, User};
use rolebox_suite::{Host, task, with_role};
use serde_json::{Value, json};

fn allow(action: &str, resource: &str) -> Value {
    json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": action, "Resource": resource}]})
}

/// Moto with a host that may assume two roles, of which one is limited to another bucket; and settings to reach it.
fn moto(peers: &Peers) -> (Moto, AwsSettings) {
    let moto = peers.moto().unwrap();
    let host = User { name: "host".into(), policies: vec![allow("sts:AssumeRole", "*")] };
    let trust = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow",
        "Principal": {"AWS": "arn:aws:iam::123456789012:user/host"}, "Action": "sts:AssumeRole"}]});
    let role = |name: &str, resource: &str| Role {
        name: name.into(),
        trust_policy: trust.clone(),
        policies: vec![allow("s3:*", resource)],
    };
    let roles = [role("s3-sample", "*"), role("another-bucket", "arn:aws:s3:::another-bucket*")];
    let key = moto.set_up(&[host], &roles).unwrap().remove(0);
    moto.enforce().unwrap();
    let base = SharedCredentialsProvider::new(Credentials::new(key.id, key.secret, None, None, "moto"));
    let endpoints = Endpoints::public().with_every_service(&moto.endpoint()).unwrap();
    let settings = AwsSettings::new("us-east-1".parse().unwrap(), base).with_endpoints(endpoints);
    (moto, settings)
}

fn sample(role: &str) -> Value {
    let capabilities = json!([
        {"action": "s3:CreateBucket", "resource": "arn:aws:s3:::node-sdk-sample-*"},
        {"action": "s3:PutObject", "resource": "arn:aws:s3:::node-sdk-sample-*/*"},
    ]);
    with_role(task(Path::new(artifacts::S3_SAMPLE), &[]), role, &capabilities)
}

#[tokio::test]
async fn the_sample_is_allowed_under_its_role_and_denied_under_another() {
    let peers = Peers::install().unwrap();
    let (_moto, settings) = moto(&peers);
    let host = Host::with(|all| all.with_aws(settings)).await;

    let allowed = host.run(&sample("s3-sample")).await;
    assert_eq!(allowed.stopped.exit_code(), 0, "{allowed:?}");
    assert!(allowed.stdout.starts_with("Successfully uploaded data to node-sdk-sample-"), "{allowed:?}");

    let denied = host.run(&sample("another-bucket")).await;
    assert_eq!(denied.stopped.exit_code(), 1, "{denied:?}");
    assert!(denied.stderr.contains("AccessDenied"), "moto's own denial: {denied:?}");
    assert!(host.audit.all().iter().any(|record| record["status"] == 403), "the call was allowed here, and sent");
}
