//! The same SDK outside a task, with a role session's real keys.

use aws_credential_types::Credentials;
use aws_smithy_async::rt::sleep::TokioSleep;
use aws_types::SdkConfig;
use aws_types::region::Region;
use aws_types::sdk_config::SharedCredentialsProvider;
use rolebox_suite::ACCOUNT;

/// A configuration for the server at `endpoint`, with the keys of a session of `role` that `host` assumes there.
pub(super) async fn with_role(endpoint: &str, host: Credentials, role: &str) -> SdkConfig {
    let sts = aws_sdk_sts::Client::new(&config(endpoint, host));
    let role = format!("arn:aws:iam::{ACCOUNT}:role/{role}");
    let assumed = sts.assume_role().role_arn(role).role_session_name("native").send().await.unwrap();
    let keys = assumed.credentials().unwrap();
    let (id, secret, token) = (keys.access_key_id(), keys.secret_access_key(), keys.session_token());
    config(endpoint, Credentials::new(id, secret, Some(token.to_owned()), None, "native"))
}

fn config(endpoint: &str, credentials: Credentials) -> SdkConfig {
    SdkConfig::builder()
        .behavior_version(aws_sdk_s3::config::BehaviorVersion::latest())
        .endpoint_url(endpoint)
        .region(Region::from_static("us-east-1"))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .sleep_impl(TokioSleep::new())
        .build()
}
