//! Every signature is compared with botocore's.

use std::io::Write;
use std::process::{Command, Stdio};
use std::time::Duration;

use http::header::AUTHORIZATION;
use rolebox_peers::Peers;
use serde_json::{Value, json};

use super::requests::{Awkward, Choices};
use super::*;
use crate::egress::Endpoints;
use crate::egress::addressed::Authorized;
use crate::egress::testing::{ACCESS_KEY_ID, SECRET_ACCESS_KEY, SESSION_TOKEN, session};

/// How many requests are signed.
const REQUESTS: usize = 2_400;

/// Any number makes as good a run; with this one every run is the same.
const SEED: u64 = 0x05ee_d0f5_16a4;

/// What the signer adds. botocore adds its own.
const ADDED: [&str; 5] = ["authorization", "host", "x-amz-content-sha256", "x-amz-date", "x-amz-security-token"];

#[tokio::test]
async fn signatures_are_botocores() {
    let credentials = session().await.credentials().await.unwrap();
    let endpoints = [
        Endpoints::public(),
        Endpoints::public().with_every_service("http://127.0.0.1:5000").unwrap(),
        Endpoints::public().with_every_service("https://endpoint.example:8443/a/prefix").unwrap(),
    ];
    let mut choices = Choices(SEED);
    let (mut requests, mut ours) = (Vec::new(), Vec::new());
    for _ in 0..REQUESTS {
        let Awkward { operation, path, query } = choices.request();
        let endpoint = &endpoints[choices.below(endpoints.len() as u64) as usize];
        let target = endpoint.target(&operation, "aws").unwrap();
        // Any second of twenty years.
        let time = 1_500_000_000 + choices.below(630_000_000);
        let owner = choices.below(2) == 0;
        let authorized = Authorized {
            operation,
            bucket_owner: owner.then(|| "123456789012".parse().unwrap()),
            source_bucket_owner: None,
        };
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(time);
        let addressed = authorized.addressed(false, |_| Ok(target)).unwrap();
        let signed =
            sign(&addressed, &PayloadHash::at_once(addressed.operation.payload.whole().unwrap()), &credentials, now)
                .unwrap();

        let text = |value: &HeaderValue| value.to_str().unwrap().to_owned();
        let headers: Vec<_> = signed.headers.iter().map(|(name, value)| (name.as_str(), text(value))).collect();
        let Addressed { operation, target, .. } = &addressed;
        requests.push(json!({
            "service": operation.signing_name,
            "region": operation.region.as_str(),
            "time": time,
            "method": signed.method.as_str(),
            "url": target.url.as_str(),
            "headers": headers.into_iter().filter(|(name, _)| !ADDED.contains(name)).collect::<Vec<_>>(),
            "body": addressed.operation.payload.whole().unwrap().iter().map(|byte| format!("{byte:02x}")).collect::<String>(),
            "base": target.url.as_str().strip_suffix(&operation.path_and_query()).unwrap(),
            "path": path,
            "query": query,
        }));
        ours.push(text(&signed.headers[AUTHORIZATION]));
    }

    let theirs = sign_with_botocore(&requests);
    assert_eq!(theirs.len(), REQUESTS);
    for ((request, ours), [as_sent, as_meant]) in requests.iter().zip(&ours).zip(&theirs) {
        assert_eq!(ours, as_sent, "as sent: {request:#}");
        assert_eq!(ours, as_meant, "as meant: {request:#}");
    }
    let s3 = requests.iter().filter(|request| request["service"] == "s3").count();
    // To stderr itself: what a test that passes prints is not shown.
    let _ = writeln!(
        std::io::stderr(),
        "signatures compared with botocore: {REQUESTS} (S3: {s3}, other services: {})",
        REQUESTS - s3
    );
}

/// The Authorization headers that botocore makes: one of the URL as sent, one of the URL as meant.
fn sign_with_botocore(requests: &[Value]) -> Vec<[String; 2]> {
    let input = json!({
        "accessKeyId": ACCESS_KEY_ID,
        "secretAccessKey": SECRET_ACCESS_KEY,
        "sessionToken": SESSION_TOKEN,
        "requests": requests,
    });
    let mut python = Command::new(Peers::install().unwrap().program("python"))
        .args(["-c", include_str!("botocore.py")])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    python.stdin.take().unwrap().write_all(input.to_string().as_bytes()).unwrap();
    let output = python.wait_with_output().unwrap();
    assert!(output.status.success(), "botocore's side failed");
    serde_json::from_slice(&output.stdout).unwrap()
}
