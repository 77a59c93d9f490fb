//! moto, which nobody here wrote, with its IAM enforcement on: the SDK in a guest and natively get the same from it.

use std::path::Path;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_types::SdkConfig;
use rolebox::AwsSettings;
use rolebox::egress::Endpoints;
use rolebox_guest_artifacts as artifacts;
use rolebox_peers::{Moto, Peers, Role, User};
use rolebox_sdk_operations::{dynamodb, s3, secrets};
use rolebox_suite::{ACCOUNT, Host, all_of_s3, task, with_role};
use serde_json::{Value, json};

use super::compare::{assert_lines, assert_same, operations_of};
use super::{code_cached, native, operations, run};

/// moto, with a host that may assume roles.
pub(super) struct Server {
    pub(super) moto: Moto,
    key: Credentials,
}

impl Server {
    /// moto with these roles, which may do everything. That is `*`, since moto matches no ARN of a table or a secret; what
    /// a task may do beyond its own capabilities is not in question here. `prepare` runs before policies are enforced.
    pub(super) fn start(roles: &[&str], prepare: impl FnOnce(&Moto)) -> Self {
        let allow = |action: &str| json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": action, "Resource": "*"}]});
        let moto = Peers::install().unwrap().moto().unwrap();
        let host = User { name: "host".into(), policies: vec![allow("sts:AssumeRole")] };
        let trust_policy = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow",
            "Principal": {"AWS": format!("arn:aws:iam::{ACCOUNT}:user/host")}, "Action": "sts:AssumeRole"}]});
        let role =
            |name: &&str| Role { name: (*name).into(), trust_policy: trust_policy.clone(), policies: vec![allow("*")] };
        let roles: Vec<_> = roles.iter().map(role).collect();
        let key = moto.set_up(&[host], &roles).unwrap().remove(0);
        prepare(&moto);
        moto.enforce().unwrap();
        Self { key: Credentials::new(key.id, key.secret, None, None, "moto"), moto }
    }

    /// A host for it.
    pub(super) async fn host(&self) -> Host {
        let base = SharedCredentialsProvider::new(self.key.clone());
        let endpoints = Endpoints::public().with_every_service(&self.moto.endpoint()).unwrap();
        let settings = AwsSettings::new("us-east-1".parse().unwrap(), base).with_endpoints(endpoints);
        Host::with(|all| code_cached(all.with_aws(settings))).await
    }

    /// The SDK natively, as this role.
    async fn native(&self, role: &str) -> SdkConfig {
        native::with_role(&self.moto.endpoint(), self.key.clone(), role).await
    }
}

fn on_table(action: &str) -> Value {
    json!([{"action": action, "resource": format!("arn:aws:dynamodb:us-east-1:{ACCOUNT}:table/sdk-operations*")}])
}

#[tokio::test]
async fn the_sdk_in_a_guest_gets_from_moto_what_it_gets_natively() {
    let server = Server::start(&["task"], |_| ());
    let (host, config) = (server.host().await, server.native("task").await);
    let in_guest = async |calls: &str, capabilities: &Value| {
        run(&host, &operations(calls, "sdk-operations", "task", capabilities)).await
    };

    let s3_client = aws_sdk_s3::Client::new(&config);
    let core = s3::core(&s3_client, "sdk-operations").await;
    assert_same(&core, &in_guest("s3", &all_of_s3()).await);
    let more = s3::more(&s3_client, "sdk-operations").await;
    assert_lines(
        &more,
        &[
            "CreateBucket elsewhere again: error BucketAlreadyOwnedByYou BucketAlreadyOwnedByYou 409: ",
            "GetObject, deleted: error NoSuchKey NoSuchKey 404: ",
            "GetBucketTagging of none: error Unhandled NoSuchTagSet 404: ",
        ],
    );
    assert_same(&more, &in_guest("more-s3", &all_of_s3()).await);
    let mut operations = operations_of(&core);
    operations.extend(operations_of(&more));
    assert!(operations.len() >= 25, "{operations:?}");

    let native = dynamodb::table(&aws_sdk_dynamodb::Client::new(&config), "sdk-operations").await;
    assert!(operations_of(&native).len() >= 10, "{:?}", operations_of(&native));
    assert_lines(
        &native,
        &[
            "CreateTable again: error ResourceInUseException ResourceInUseException 400: ",
            "PutItem where there is one: error ConditionalCheckFailedException ConditionalCheckFailedException 400: ",
            "GetItem of a table that is none: error ResourceNotFoundException ResourceNotFoundException 400: ",
            "TransactWriteItems where there is one: error TransactionCanceledException TransactionCanceledException 400: ",
        ],
    );
    assert_same(&native, &in_guest("dynamodb", &on_table("dynamodb:*")).await);

    let native = secrets::secret(&aws_sdk_secretsmanager::Client::new(&config), "sdk-operations").await;
    assert_lines(
        &native,
        &[
            "GetSecretValue of none: error ResourceNotFoundException ResourceNotFoundException 404: ",
            "GetSecretValue: Some(\"correct horse battery staple\"): ",
        ],
    );
    let secret = format!("arn:aws:secretsmanager:us-east-1:{ACCOUNT}:secret:sdk-operations-??????");
    let capabilities = json!([
        {"action": "secretsmanager:*", "resource": secret},
        {"action": "secretsmanager:ListSecrets", "resource": "*"},
    ]);
    assert_same(&native, &in_guest("secrets", &capabilities).await);
}

/// STS has no client in a guest: its one call that is signed for a guest is made by the typed call.
#[tokio::test]
async fn a_guest_asks_moto_who_it_is() {
    let server = Server::start(&["task"], |_| ());
    let host = server.host().await;
    let capabilities = json!([{"action": "sts:GetCallerIdentity", "resource": "*"}]);
    let body = "Action=GetCallerIdentity&Version=2011-06-15";
    let form = "content-type:application/x-www-form-urlencoded";
    let arguments = ["sts", "POST", "/", "--header", form, "--body", body];
    let outcome = host.run(&with_role(task(Path::new(artifacts::RAW_CALL), &arguments), "task", &capabilities)).await;
    assert_eq!(outcome.stopped.exit_code(), 0, "{outcome:?}");
    let arn = format!("<Arn>arn:aws:sts::{ACCOUNT}:assumed-role/task/");
    assert!(outcome.stdout.starts_with("status 200") && outcome.stdout.contains(&arn), "{outcome:?}");
}
