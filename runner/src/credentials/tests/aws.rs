//! The real client against a scripted server on a loopback port: what it sends, how it reads answers, and what it logs.

mod base;
mod server;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_sts::config::SharedHttpClient;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;

use self::server::{Reply, Server};
use super::capture::Capture;
use super::*;

fn base_credentials() -> Credentials {
    Credentials::new("AKIABASEKEY", "BASESECRET", Some("BASETOKEN".into()), None, "test")
}

fn settings(server: &Server, clock: &ManualClock) -> AwsStsSettings {
    settings_with(server, clock, SharedCredentialsProvider::new(base_credentials()))
}

fn settings_with(server: &Server, clock: &ManualClock, base: SharedCredentialsProvider) -> AwsStsSettings {
    AwsStsSettings::new("eu-central-1".parse().unwrap(), base)
        .with_endpoint_url(server.url().parse().unwrap())
        .with_time_source(SharedTimeSource::new(clock.clone()))
        .with_sleep(SharedAsyncSleep::new(clock.clone()))
}

/// Sessions from the server, by the same clock.
fn sessions(server: &Server) -> RoleSessions {
    let clock = ManualClock::new(start());
    let settings = RoleSessionsSettings::default()
        .with_time_source(SharedTimeSource::new(clock.clone()))
        .with_sleep(SharedAsyncSleep::new(clock.clone()));
    RoleSessions::new(Arc::new(AwsSts::new(self::settings(server, &clock))), settings)
}

fn client(server: &Server) -> AwsSts {
    AwsSts::new(settings(server, &ManualClock::new(start())))
}

fn success() -> Reply {
    Reply::http(
        200,
        &format!(
            r#"<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult>
<AssumedRoleUser><AssumedRoleId>AROA:x</AssumedRoleId><Arn>arn:aws:sts::123456789012:assumed-role/s3-sample/{TASK_ID}</Arn></AssumedRoleUser>
<Credentials><AccessKeyId>ASIAKEY1</AccessKeyId><SecretAccessKey>SECRETKEY1</SecretAccessKey>
<SessionToken>SESSIONTOKEN1</SessionToken><Expiration>2026-11-25T01:00:00Z</Expiration></Credentials>
<PackedPolicySize>6</PackedPolicySize></AssumeRoleResult>
<ResponseMetadata><RequestId>r</RequestId></ResponseMetadata></AssumeRoleResponse>"#
        ),
    )
}

fn error(status: u16, code: &str, message: &str) -> Reply {
    Reply::http(
        status,
        &format!(
            r#"<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type>
<Code>{code}</Code><Message>{message}</Message></Error><RequestId>r</RequestId></ErrorResponse>"#
        ),
    )
}

#[tokio::test]
async fn every_input_is_sent_and_signed() {
    let server = Server::start(|_| success()).await;
    let request = request()
        .with_duration(Duration::from_secs(1800))
        .unwrap()
        .with_external_id(ExternalId::new("tenant:7").unwrap())
        .with_source_identity(SourceIdentity::new("alice").unwrap())
        .with_tags([("family", "s3-sample"), ("cluster", "a b")])
        .unwrap();
    client(&server).assume_role(&request).await.unwrap();
    let (head, form) = server.only_request();
    let form: Vec<_> = form.split('&').collect();
    assert_eq!(
        form,
        [
            "Action=AssumeRole",
            "Version=2011-06-15",
            "RoleArn=arn%3Aaws%3Aiam%3A%3A123456789012%3Arole%2Fpath%2Fs3-sample",
            "RoleSessionName=0123456789abcdef0123456789abcdef",
            &format!("Policy={}", server::encoded(SessionPolicy::deny_everything().as_str())),
            "DurationSeconds=1800",
            "Tags.member.1.Key=cluster",
            "Tags.member.1.Value=a%20b",
            "Tags.member.2.Key=family",
            "Tags.member.2.Value=s3-sample",
            "ExternalId=tenant%3A7",
            "SourceIdentity=alice",
        ]
    );
    assert!(head.starts_with("POST / HTTP/1.1\r\n"), "{head}");
    for line in [
        "x-amz-security-token: BASETOKEN",
        "x-amz-date: 20261125T000000Z",
        "authorization: AWS4-HMAC-SHA256 Credential=AKIABASEKEY/20261125/eu-central-1/sts/aws4_request, ",
    ] {
        assert!(head.contains(line), "{line} in {head}");
    }
}

#[tokio::test]
async fn what_is_not_asked_for_is_not_sent() {
    let server = Server::start(|_| success()).await;
    let request =
        RoleSessionRequest::new(ROLE.parse().unwrap(), SessionName::new(TASK_ID).unwrap(), SessionPolicyChoice::Off);
    client(&server).assume_role(&request).await.unwrap();
    let (_, form) = server.only_request();
    for absent in ["Policy", "Tags", "ExternalId", "SourceIdentity", "TransitiveTagKeys", "SerialNumber"] {
        assert!(!form.contains(absent), "{absent} in {form}");
    }
    assert!(form.contains("DurationSeconds=3600"), "{form}");
}

#[tokio::test]
async fn a_session_from_end_to_end() {
    let server = Server::start(|_| success()).await;
    let session = sessions(&server).open(request(), Sharing::Private).await.unwrap();
    let credentials = session.credentials().await.unwrap();
    assert_eq!(credentials.access_key_id(), "ASIAKEY1");
    assert_eq!(credentials.secret_access_key().expose(), "SECRETKEY1");
    assert_eq!(credentials.session_token().expose(), "SESSIONTOKEN1");
    assert_eq!(credentials.expiration(), start() + 60 * MINUTE);
    assert_eq!(credentials.packed_policy_size(), Some(6));
}

#[tokio::test]
async fn the_caller_is_identified() {
    let arn = "arn:aws:sts::123456789012:assumed-role/host/i-0";
    for (answered, is_taken) in [(arn, true), ("", false), ("nobody", false)] {
        let answer = format!(
            "<GetCallerIdentityResponse><GetCallerIdentityResult><UserId>A</UserId><Account>123456789012</Account>\
             <Arn>{answered}</Arn></GetCallerIdentityResult></GetCallerIdentityResponse>"
        );
        let server = Server::start(move |_| Reply::http(200, &answer)).await;
        assert_eq!(client(&server).caller_identity().await.ok().as_deref(), is_taken.then_some(arn));
        assert!(server.only_request().1.starts_with("Action=GetCallerIdentity"));
    }
}

/// The variant's name and the text.
fn described(error: &StsError) -> (String, String) {
    let name = format!("{error:?}");
    let end = name.find(|c: char| !c.is_alphanumeric()).unwrap_or(name.len());
    (name[..end].into(), error.to_string())
}

#[tokio::test]
async fn each_answer_has_its_meaning_and_stss_own_words() {
    let whole = 1_000_000;
    let cases: Vec<(Reply, &str, &str)> = vec![
        (error(403, "AccessDenied", "User: x is not authorized"), "AccessDenied", "User: x is not authorized"),
        (error(400, "MalformedPolicyDocument", "Syntax at 1:5."), "MalformedPolicyDocument", "Syntax at 1:5. It"),
        (error(400, "PackedPolicyTooLarge", "Packed size 182%"), "PackedPolicyTooLarge", "Packed size 182%"),
        (error(403, "RegionDisabledException", "not activated here"), "RegionDisabled", "not activated here"),
        (error(400, "ExpiredTokenException", "it is expired"), "ExpiredToken", "it is expired"),
        (error(403, "ExpiredToken", "it is expired"), "ExpiredToken", "it is expired"),
        (error(403, "InvalidClientTokenId", "token is invalid"), "BaseCredentialsRejected", "token is invalid"),
        (error(403, "SignatureDoesNotMatch", "Signature expired"), "BaseCredentialsRejected", "Signature expired"),
        (error(403, "MissingAuthenticationToken", ""), "BaseCredentialsRejected", "it gave no reason"),
        (error(400, "Throttling", "Rate exceeded"), "Throttling", "Rate exceeded"),
        (error(400, "ThrottlingException", "Rate exceeded"), "Throttling", "Rate exceeded"),
        (error(503, "RequestLimitExceeded", "slower"), "Throttling", "slower"),
        (Reply::http(429, "<html>"), "Throttling", "status 429"),
        (error(400, "ValidationError", "exceeds the 1 hour limit"), "InvalidRequest", "exceeds the 1 hour limit"),
        (error(500, "InternalFailure", "sorry"), "Unavailable", "sorry"),
        (error(503, "ServiceUnavailable", "sorry"), "Unavailable", "sorry"),
        (Reply::http(502, "<html>Bad Gateway</html>"), "Unavailable", "502"),
        (Reply::http(503, ""), "Unavailable", "503"),
        (
            Reply::http(
                403,
                "<ErrorResponse><Errors><Error><Code>InvalidClientTokenId</Code><Message>a &lt;nested&gt; error</Message>\
                 </Error></Errors></ErrorResponse>",
            ),
            "BaseCredentialsRejected",
            "a <nested> error",
        ),
        (error(418, "Teapot", "short and stout"), "Other", "short and stout"),
        (Reply::http(403, "<html>Blocked by the proxy</html>"), "Other", "Blocked by the proxy"),
        (Reply::http(302, "moved"), "Other", "302"),
        (Reply::http(200, "<html>Please log in</html>"), "InvalidAnswer", "not valid"),
        (Reply::http(200, ""), "InvalidAnswer", "not valid"),
        (Reply::http(200, "{\"Credentials\": {}}"), "InvalidAnswer", "not valid"),
        (Reply::raw("HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n<AssumeRoleRes"), "Unreachable", "reached"),
        (Reply::raw("HTTP/1.1 200 OK\r\ncontent-le"), "Unreachable", "reached"),
        (Reply::raw("220 mail.example.com ESMTP\r\n"), "Unreachable", "reached"),
        (Reply::raw(""), "Unreachable", "reached"),
        (error(400, "ValidationError", &"x".repeat(whole)), "InvalidRequest", "…"),
        (error(400, "ValidationError", "two\nlines\u{7f}"), "InvalidRequest", "two lines"),
    ];
    for (reply, name, says) in cases {
        let shown = format!("{reply:.200?}");
        let server = Server::start(move |_| reply.clone()).await;
        let error = client(&server).assume_role(&request()).await.unwrap_err();
        let (is, text) = described(&error);
        assert_eq!(is, name, "{shown}: {text}");
        assert!(text.contains(says), "{shown}: `{says}` in: {text}");
        assert!(text.len() < 2000 && !text.contains(|c: char| c.is_control()), "{text:?}");
        server.only_request();
    }
}

#[tokio::test]
async fn an_answer_that_lacks_parts_is_no_session() {
    let Reply::Http(_, whole) = success() else { unreachable!("it is HTTP") };
    for (part, without) in [
        ("<AccessKeyId>ASIAKEY1</AccessKeyId>", ""),
        ("<SecretAccessKey>SECRETKEY1</SecretAccessKey>", ""),
        ("<SessionToken>SESSIONTOKEN1</SessionToken>", ""),
        ("<SessionToken>SESSIONTOKEN1</SessionToken>", "<SessionToken/>"),
        ("<Expiration>2026-11-25T01:00:00Z</Expiration>", ""),
        ("2026-11-25T01:00:00Z", "tomorrow"),
        ("2026-11-25T01:00:00Z", "2026-11-24T23:00:00Z"),
        ("assumed-role/s3-sample/", "assumed-role/admin/"),
        ("AssumedRoleUser>", "Other>"),
        ("Credentials>", "Other>"),
        // Cut off: the parser takes what there is.
        ("<SessionToken>SESSIONTOKEN1</SessionToken>", "\0"),
        ("<AccessKeyId>", "\0"),
    ] {
        assert!(whole.contains(part));
        let answer = whole.replace(part, without);
        let answer = answer.split('\0').next().unwrap_or_default().to_owned();
        let server = Server::start(move |_| Reply::http(200, &answer)).await;
        let error = sessions(&server).open(request(), Sharing::Private).await.unwrap_err();
        assert!(matches!(error.cause(), StsError::InvalidAnswer { .. }), "without {part}: {error}");
    }
}

#[tokio::test]
async fn nobody_listening_is_unreachable() {
    let server = Server::start(|_| success()).await;
    let client = client(&server);
    server.stop().await;
    let error = client.assume_role(&request()).await.unwrap_err();
    assert!(matches!(error, StsError::Unreachable { .. }), "{error}");
}

#[tokio::test]
async fn a_server_that_never_answers_is_given_up() {
    for reply in [Reply::Silence, Reply::raw_and_silence("HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n<Assume")] {
        let server = Server::start(move |_| reply.clone()).await;
        let clock = ManualClock::new(start());
        let client = AwsSts::new(settings(&server, &clock));
        let call = tokio::spawn(async move { client.assume_role(&request()).await });
        server.replied().await;
        while !call.is_finished() {
            clock.advance(Duration::from_secs(1));
            settle().await;
        }
        let error = call.await.unwrap().unwrap_err();
        assert!(matches!(error, StsError::Unreachable { .. }), "{error}");
        assert!(clock.passed(start()) < Duration::from_secs(45), "given up after {:?}", clock.passed(start()));
    }
}

/// Takes the request's URL instead of sending it.
#[derive(Clone, Debug, Default)]
struct UrlOnly(Arc<std::sync::Mutex<Vec<String>>>);

impl HttpConnector for UrlOnly {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        self.0.lock().unwrap().push(request.uri().to_owned());
        HttpConnectorFuture::ready(Err(ConnectorError::io("not sent".into())))
    }
}

impl HttpClient for UrlOnly {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

#[tokio::test]
async fn the_regions_own_endpoint_is_called() {
    for (region, url) in [
        ("us-east-1", "https://sts.us-east-1.amazonaws.com/"),
        ("eu-central-1", "https://sts.eu-central-1.amazonaws.com/"),
        ("us-gov-west-1", "https://sts.us-gov-west-1.amazonaws.com/"),
        ("cn-north-1", "https://sts.cn-north-1.amazonaws.com.cn/"),
    ] {
        let urls = UrlOnly::default();
        let base = SharedCredentialsProvider::new(base_credentials());
        let settings = AwsStsSettings::new(region.parse().unwrap(), base);
        let settings = settings.with_http_client(SharedHttpClient::new(urls.clone()));
        AwsSts::new(settings).assume_role(&request()).await.unwrap_err();
        assert_eq!(*urls.0.lock().unwrap(), [url]);
    }
}

/// Everything that a call's life prints, with the log at its finest.
async fn printed() -> String {
    let (log, _guard) = Capture::start();
    let echo = "The Canonical String for this request should have been 'x-amz-security-token:BASETOKEN'";
    let replies = [
        success(),
        error(403, "SignatureDoesNotMatch", echo),
        error(403, "SignatureDoesNotMatch", "token BASETOKEN key AKIABASEKEY secret BASESECRET"),
        error(403, "BASETOKEN", "code"),
        error(500, "InternalFailure", "token BASETOKEN\nkey AKIABASEKEY"),
        Reply::http(200, "BASETOKEN SESSIONTOKEN1"),
        Reply::http(403, "<html>BASETOKEN</html>"),
        Reply::http(403, "<Error><Code>BASETOKEN</Code><Message>BASESECRET AKIABASEKEY</Message></Error>"),
        Reply::http(200, "<Error><Code>SESSIONTOKEN1</Code><Message>SECRETKEY1</Message></Error>"),
        Reply::raw("HTTP/1.1 BASETOKEN\r\n\r\n"),
    ];
    let count = replies.len();
    let server = Server::start(move |number| replies[number].clone()).await;
    let settings = settings(&server, &ManualClock::new(start()));
    let mut text = format!("{settings:?}");
    let client = AwsSts::new(settings);
    text += &format!("{client:?}");
    for _ in 0..count {
        match client.assume_role(&request()).await {
            Ok(answer) => text += &format!("{answer:?}"),
            Err(error) => text += &format!("{error} {error:?}"),
        }
    }
    assert_eq!(server.requests().len(), count);
    tracing::trace!("the log is on");
    text + &log.text()
}

const SECRETS: [&str; 6] = ["AKIABASEKEY", "BASESECRET", "BASETOKEN", "ASIAKEY", "SECRETKEY", "SESSIONTOKEN"];

#[tokio::test]
async fn nothing_prints_a_secret_whatever_an_answer_echoes() {
    let printed = printed().await;
    assert!(printed.contains("the log is on"));
    for secret in SECRETS {
        assert!(!printed.contains(secret), "{secret} in: {printed}");
    }
}

#[test]
fn the_sdks_switch_for_logging_secrets_has_no_effect() {
    // The SDK reads it from the process environment, so the test above is run once more in a process that has it.
    let output = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "--nocapture"])
        .arg(format!(
            "{}::nothing_prints_a_secret_whatever_an_answer_echoes",
            module_path!().split_once("::").unwrap().1
        ))
        .env("LOG_SENSITIVE_BODIES", "true")
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && text.contains("1 passed"), "{text}");
}
