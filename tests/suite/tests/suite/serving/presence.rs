//! The example `http-presence` against moto's DynamoDB, with the definition that it ships.

use std::path::Path;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use rolebox::AwsSettings;
use rolebox::egress::Endpoints;
use rolebox_guest_artifacts as artifacts;
use rolebox_peers::{Moto, Peers};

use super::*;

const DEFINITION: &str = include_str!("../../../../../examples/http-presence/task-definition.json");

const CREATE_TABLE: &str = r#"
import boto3, sys
boto3.client("dynamodb", endpoint_url=sys.stdin.read(), region_name="us-east-1", aws_access_key_id="setup",
             aws_secret_access_key="setup").create_table(
    TableName="presence", BillingMode="PAY_PER_REQUEST",
    KeySchema=[{"AttributeName": "page", "KeyType": "HASH"}],
    AttributeDefinitions=[{"AttributeName": "page", "AttributeType": "S"}])
"#;

/// The example, on a free port, with moto for its AWS.
async fn presence() -> (Moto, Served) {
    let peers = Peers::install().unwrap();
    let moto = peers.moto().unwrap();
    let base = SharedCredentialsProvider::new(Credentials::new("host", "host", None, None, "moto"));
    let endpoints = Endpoints::public().with_every_service(&moto.endpoint()).unwrap();
    let aws = AwsSettings::new("us-east-1".parse().unwrap(), base).with_endpoints(endpoints);
    let mut definition: Value = serde_json::from_str(DEFINITION).unwrap();
    definition["containerDefinitions"][0]["image"] = json!(Path::new(artifacts::HTTP_PRESENCE));
    definition["containerDefinitions"][0]["portMappings"][0] = json!({"containerPort": 80, "hostPort": 0});
    (moto, Served::on(host_with(|settings| settings.with_aws(aws)).await, &definition).await)
}

#[tokio::test]
pub(crate) async fn http_presence() {
    let (moto, served) = presence().await;
    // Nobody has made the table yet.
    let answer = served.get("/").await;
    assert_eq!(answer.status, 502, "{answer:?}");
    assert!(answer.text().contains("ResourceNotFoundException"), "{}", answer.text());
    moto.python(CREATE_TABLE, &moto.endpoint()).unwrap();

    for visits in ["1 visit<", "2 visits<"] {
        let answer = served.get("/").await;
        assert_eq!(answer.status, 200, "{answer:?}");
        assert!(answer.text().contains(visits) && answer.text().contains("to test since 20"), "{}", answer.text());
        assert_eq!(answer.header("content-type"), Some("text/html; charset=utf-8"));
    }
    for (request, status) in [("GET /other", 404), ("POST /", 405), ("PUT /?", 405), ("HEAD /", 200)] {
        let mut client = served.connect().await;
        client.send(format!("{request} HTTP/1.1\r\nHost: test\r\n\r\n")).await;
        let head = client.head().await.unwrap();
        assert_eq!(head.status, status, "{request}");
        assert_eq!(head.header("allow"), (status == 405).then_some("GET, HEAD"));
    }
    assert!(served.get("/?again").await.text().contains("3 visits<"), "and none of those was a visit");
    let mut client = served.connect().await;
    client.send("GET / HTTP/1.1\r\nHost: it's\r\n\r\n").await;
    assert!(client.answer().await.unwrap().text().contains("to it&#39;s since"), "what a visitor sends is escaped");

    let (output, stopped) = (served.output.clone(), served.stop().await);
    assert_eq!((stopped.exit_code(), stopped.call_count), (0, 5), "{stopped:?}");
    let stderr = String::from_utf8(output.stderr()).unwrap();
    assert!(stderr.starts_with("ResourceNotFoundException: "), "{stderr}");
}
