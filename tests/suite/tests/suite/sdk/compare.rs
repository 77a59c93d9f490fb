//! The same calls in a guest and natively, with the same role against the same server: the same answers, line by line.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use aws_credential_types::Credentials;
use aws_sdk_s3::config::Region;
use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::result::ConnectorError;
use rolebox_sdk_operations::{Transcript, dynamodb, s3, secrets};
use rolebox_suite::{Host, Outcome, all_of_s3};

use super::{code_cached, native, operations, run};

/// Fails with the first line that differs.
pub(super) fn assert_same(native: &Transcript, guest: &Outcome) {
    assert_eq!(guest.stopped.exit_code(), 0, "{guest:?}");
    for (native, guest) in native.lines().iter().zip(guest.stdout.lines()) {
        assert_eq!(guest, native, "the guest's line, and the native one");
    }
    assert_eq!(guest.stdout.lines().count(), native.lines().len());
}

/// The operations of a transcript: the first words of its lines.
pub(super) fn operations_of(transcript: &Transcript) -> BTreeSet<&str> {
    let words = transcript.lines().iter().map(|line| line.split([' ', ':', ',']).next().unwrap_or_default());
    words.filter(|word| word.starts_with(char::is_uppercase)).collect()
}

/// Each line that begins so: what a test says of a transcript beyond that it is the same twice.
#[track_caller]
pub(super) fn assert_lines(transcript: &Transcript, expected: &[&str]) {
    for beginning in expected {
        let found = transcript.lines().iter().any(|line| line.starts_with(beginning));
        assert!(found, "no line begins with {beginning:?}:\n{}", transcript.lines().join("\n"));
    }
}

#[tokio::test]
pub(crate) async fn sdk_operations() {
    let host = Host::with(code_cached).await;
    let environment = host.aws.environment();
    let value = |name: &str| environment.iter().find(|variable| variable.name == name).unwrap().value.clone();
    let key = Credentials::new(value("AWS_ACCESS_KEY_ID"), value("AWS_SECRET_ACCESS_KEY"), None, None, "suite");
    let config = native::with_role(&value("AWS_ENDPOINT_URL"), key, "full").await;
    let native = s3::core(&aws_sdk_s3::Client::new(&config), "sdk-operations").await;
    assert!(operations_of(&native).len() >= 19, "{:?}", operations_of(&native));
    assert_lines(
        &native,
        &[
            "PutObject where there is one: error Unhandled PreconditionFailed 412: ",
            "PutObject with another's checksum: error Unhandled BadDigest 400: ",
            "GetObject of no key: error NoSuchKey NoSuchKey 404: ",
            "GetObject of no bucket: error Unhandled NoSuchBucket 404: ",
            "GetObject, streamed, its body: 300001 bytes ",
            "GetObject, streamed, large, its body: 17077217 bytes ",
            "GetObject, of parts, its body: 10486761 bytes ",
            "DeleteBucket that is not empty: error Unhandled BucketNotEmpty 409: ",
        ],
    );
    // A checksum that came in a trailer is the object's.
    for (key, checksum) in [("CRC32", "crc32"), ("CRC32C", "crc32_c"), ("SHA1", "sha1"), ("SHA256", "sha256")] {
        let head =
            native.lines().iter().find(|line| line.starts_with(&format!("HeadObject of streamed/{key}:"))).unwrap();
        assert!(head.contains(&format!("checksum_{checksum}: Some(")), "{head}");
    }

    let guest = run(&host, &operations("s3", "sdk-operations", "full", &all_of_s3())).await;
    assert_same(&native, &guest);
}

/// What the SDK in a guest hands to its host: S3's requests unsigned, so that no body is hashed in the guest, and others
/// signed with a placeholder, which the host drops.
#[tokio::test]
async fn a_guest_s_sdk_has_no_key_to_sign_with() {
    let sent = Arc::new(Mutex::new(Vec::new()));
    let seen = sent.clone();
    let client = http_client_fn(move |_, _| SharedHttpConnector::new(Recorder(seen.clone())));
    let region = Region::from_static("us-east-1");
    let config = rolebox_guest::aws_config().to_builder().region(region).http_client(client).build();
    s3::denied(&aws_sdk_s3::Client::new(&config), "photos").await;
    dynamodb::denied(&aws_sdk_dynamodb::Client::new(&config), "songs").await;
    secrets::denied(&aws_sdk_secretsmanager::Client::new(&config), "key").await;

    let sent = sent.lock().unwrap();
    let hosts: Vec<_> = sent.iter().map(|(url, _)| url.split('?').next().unwrap()).collect();
    let expected = [
        "https://photos.s3.us-east-1.amazonaws.com/denied.txt",
        "https://dynamodb.us-east-1.amazonaws.com/",
        "https://secretsmanager.us-east-1.amazonaws.com/",
    ];
    assert_eq!(hosts, expected);
    assert_eq!(sent[0].1, None);
    for (_, authorization) in &sent[1..] {
        let authorization = authorization.as_deref().unwrap();
        assert!(authorization.contains("Credential=rolebox-signs-on-the-host/"), "{authorization}");
    }
}

/// A request's URL and Authorization.
type UrlAndAuthorization = (String, Option<String>);

/// Keeps the URL and the Authorization of each request, and answers none.
#[derive(Debug)]
struct Recorder(Arc<Mutex<Vec<UrlAndAuthorization>>>);

impl HttpConnector for Recorder {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let authorization = request.headers().get("authorization").map(str::to_owned);
        self.0.lock().unwrap().push((request.uri().to_owned(), authorization));
        HttpConnectorFuture::ready(Err(ConnectorError::user("nobody answers".into())))
    }
}

/// Where no host is there, a call is an error at once, and says how to mend it.
#[tokio::test]
async fn outside_a_task_a_call_fails_and_says_so() {
    let config = rolebox_guest::aws_config().to_builder().region(Region::from_static("us-east-1")).build();
    let native = s3::denied(&aws_sdk_s3::Client::new(&config), "bucket").await;
    let line = &native.lines()[0];
    assert!(line.starts_with("PutObject: no answer: "), "{line}");
    assert!(line.contains("does not run as a Rolebox task: build it for wasm32-wasip2"), "{line}");
}
