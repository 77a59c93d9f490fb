//! The examples on the official SDK, each under its own definition.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use rolebox_guest_artifacts as artifacts;
use rolebox_suite::{Host, Outcome};
use serde_json::{Value, json};

use super::moto::Server;
use super::{code_cached, run};
use crate::hostile::recorder::{Received, Upstream};

/// A definition of an example as it stands in its folder, its image the one that was built.
fn definition(example: &str, file: &str, image: &str) -> Value {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples").join(example);
    let text = std::fs::read_to_string(folder.join(file)).unwrap();
    let mut definition: Value = serde_json::from_str(&text).unwrap();
    definition["containerDefinitions"][0]["image"] = json!(image);
    definition
}

#[tokio::test]
pub(crate) async fn s3_sample_sdk() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/s3-sample-sdk");
    let roles = std::fs::read_to_string(folder.join("roles.json")).unwrap();
    let host = Host::with_roles(&roles, code_cached).await;
    let of_file = async |file| run(&host, &definition("s3-sample-sdk", file, artifacts::S3_SAMPLE_SDK)).await;

    let outcome = of_file("task-definition.json").await;
    assert_eq!(outcome.stopped.exit_code(), 0, "{outcome:?}");
    let bucket = host.aws.aws().buckets().pop().expect("the bucket").name;
    assert_eq!(outcome.stdout, format!("Successfully uploaded data to {bucket}/hello_world.txt\n"));
    assert_eq!(host.aws.aws().object(&bucket, "hello_world.txt").unwrap(), b"Hello World!");
    assert_eq!(host.operations(), ["CreateBucket", "PutObject"]);

    let denied = of_file("task-definition-read-only.json").await;
    assert_eq!((denied.stopped.exit_code(), denied.stdout.as_str()), (1, ""), "{denied:?}");
    let beginning = "AccessDenied: no capability of this task grants s3:PutObject on arn:aws:s3:::node-sdk-sample-";
    assert!(denied.stderr.starts_with(beginning), "{denied:?}");
    assert_eq!(host.operations(), ["CreateBucket", "PutObject", "CreateBucket"], "the upload was not sent");
}

/// What the READMEs of `dynamodb-state`, `secrets` and `two-roles` set up.
const RESOURCES: &str = r#"
import boto3, json, sys
endpoint = json.load(sys.stdin)
def client(service):
    return boto3.client(service, endpoint_url=endpoint, region_name="us-east-1",
                        aws_access_key_id="setup", aws_secret_access_key="setup")
for table in ["rolebox-counters", "rolebox-two-roles"]:
    client("dynamodb").create_table(TableName=table, BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}])
client("secretsmanager").create_secret(Name="rolebox-example", SecretString="correct horse battery staple")
s3, key = client("s3"), client("kms").create_key()["KeyMetadata"]["Arn"]
for bucket in ["rolebox-secrets", "rolebox-two-roles"]:
    s3.create_bucket(Bucket=bucket)
s3.put_object(Bucket="rolebox-secrets", Key="report.txt", Body=b"for few eyes",
              ServerSideEncryption="aws:kms", SSEKMSKeyId=key)
"#;

fn server(roles: &[&str]) -> Server {
    Server::start(roles, |moto| {
        moto.python(RESOURCES, &json!(moto.endpoint()).to_string()).unwrap();
    })
}

#[tokio::test]
pub(crate) async fn dynamodb_state() {
    let server = server(&["dynamodb-state"]);
    let host = server.host().await;
    for count in 1..=3 {
        let definition = definition("dynamodb-state", "task-definition.json", artifacts::DYNAMODB_STATE);
        let outcome = run(&host, &definition).await;
        assert_eq!(
            (outcome.stopped.exit_code(), outcome.stdout),
            (0, format!("visits: {count}\n")),
            "{}",
            outcome.stderr
        );
    }
}

/// What a task saw is no longer so when it writes: it reads again, and writes what follows from that.
#[tokio::test]
async fn a_counter_that_another_task_has_raised_is_read_again() {
    fn operation(request: &Received) -> &str {
        request.header("x-amz-target").and_then(|target| target.split_once('.')).map_or("", |target| target.1)
    }
    let stored = AtomicU64::new(7);
    let upstream = Upstream::start(move |request| {
        // Two other tasks come first, each between this one's read and its write.
        let now = stored.load(Ordering::SeqCst);
        let body = match operation(request) {
            "GetItem" => json!({"Item": {"id": {"S": "visits"}, "count": {"N": now.to_string()}}}),
            _ if now < 9 => {
                stored.fetch_add(1, Ordering::SeqCst);
                json!({"__type": "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException", "message": "no"})
            }
            _ => json!({}),
        };
        let status = if body.get("__type").is_some() { "400 Bad Request" } else { "200 OK" };
        let body = body.to_string();
        let head = format!("HTTP/1.1 {status}\r\ncontent-type: application/x-amz-json-1.0\r\n");
        format!("{head}content-length: {}\r\n\r\n{body}", body.len()).into_bytes()
    })
    .await;
    let settings = upstream.settings();
    let host = Host::with(|all| code_cached(all.with_aws(settings))).await;
    let outcome = run(&host, &definition("dynamodb-state", "task-definition.json", artifacts::DYNAMODB_STATE)).await;
    assert_eq!((outcome.stopped.exit_code(), outcome.stdout.as_str()), (0, "visits: 10\n"), "{outcome:?}");
    let requests = upstream.requests();
    let operations: Vec<_> = requests.iter().map(operation).collect();
    assert_eq!(operations, ["GetItem", "PutItem", "GetItem", "PutItem", "GetItem", "PutItem"]);
    let last: Value = serde_json::from_slice(&requests[5].body).unwrap();
    assert_eq!(last["ConditionExpression"], "#count = :seen");
    assert_eq!(last["ExpressionAttributeValues"], json!({":seen": {"N": "9"}}));
}

#[tokio::test]
pub(crate) async fn secrets() {
    let server = server(&["secrets"]);
    let host = server.host().await;
    let outcome = run(&host, &definition("secrets", "task-definition.json", artifacts::SECRETS)).await;
    assert_eq!(outcome.stopped.exit_code(), 0, "{outcome:?}");
    let expected =
        "rolebox-example: 28 characters\ns3://rolebox-secrets/report.txt: 12 bytes, encrypted with aws:kms\n";
    assert_eq!(outcome.stdout, expected);
}

#[tokio::test]
pub(crate) async fn two_roles() {
    let server = server(&["two-roles-bucket", "two-roles-table"]);
    let host = server.host().await;
    let [bucket, table] = ["task-definition-bucket.json", "task-definition-table.json"]
        .map(|file| definition("two-roles", file, artifacts::TWO_ROLES));
    // At once, on one host.
    let (bucket, table) = tokio::join!(run(&host, &bucket), run(&host, &table));
    let printed = |outcome: &Outcome| (outcome.stopped.exit_code(), outcome.stdout.clone(), outcome.stderr.clone());
    let expected = (
        1,
        "bucket rolebox-two-roles: written\n".to_owned(),
        "table rolebox-two-roles: AccessDeniedException: no capability of this task grants dynamodb:PutItem on \
         arn:aws:dynamodb:us-east-1:123456789012:table/rolebox-two-roles\n"
            .to_owned(),
    );
    assert_eq!(printed(&bucket), expected);
    let expected = (
        1,
        "table rolebox-two-roles: written\n".to_owned(),
        "bucket rolebox-two-roles: AccessDenied: no capability of this task grants s3:PutObject on \
         arn:aws:s3:::rolebox-two-roles/two-roles.txt\n"
            .to_owned(),
    );
    assert_eq!(printed(&table), expected);
}
