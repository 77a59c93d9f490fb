//! The port: bounds, parallel clients, and the end.

use std::time::Duration;

use rolebox_local_aws::{LocalAws, LocalAwsError, Roles};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::client::{FULL, Local, roles};

#[tokio::test]
async fn bodies_over_the_bound_are_refused_and_the_answer_arrives() {
    let local = Local::start(&roles(&[("full", FULL)])).await;
    let key = local.assume("full", &[]).await;
    local.bucket(&key, "data-bucket").await;
    // The emulator of these tests takes 32 MiB.
    let over = vec![0; 32 * 1024 * 1024 + 1];
    let reply = local.s3(&key, "PUT", "/data-bucket/key").payload("UNSIGNED-PAYLOAD").body(over).send().await;
    // The rest of the body is read up to a bound, so a client that writes everything first may see the connection end.
    assert!(
        reply.status == 0 || (reply.status == 400 && reply.element("Code") == "EntityTooLarge"),
        "{}",
        reply.status
    );
    let xml = vec![b' '; 2 * 1024 * 1024 + 1];
    local.s3(&key, "POST", "/data-bucket?delete").body(xml).send().await.expect(400, "EntityTooLarge");
    let get = vec![b' '; 64 * 1024 + 1];
    local.s3(&key, "GET", "/data-bucket/key").body(get).send().await.expect(400, "EntityTooLarge");
    assert_eq!(local.aws().objects("data-bucket").unwrap(), []);
    local.s3(&key, "PUT", "/data-bucket/key").body(vec![0; 8 * 1024 * 1024]).send().await.expect(200, "");
}

#[tokio::test]
async fn an_early_refusal_reaches_a_client_that_is_still_writing() {
    let local = Local::start(&roles(&[("full", FULL)])).await;
    let host = local.host_key();
    let body = vec![b'a'; 8 * 1024 * 1024];
    local.s3(&host, "PUT", "/data-bucket/key").body(body).send().await.expect(403, "AccessDenied");
}

#[tokio::test]
async fn many_clients_at_once_are_served() {
    let local = Local::start(&roles(&[("full", FULL)])).await;
    let key = local.assume("full", &[]).await;
    local.bucket(&key, "data-bucket").await;
    let mut clients = tokio::task::JoinSet::new();
    for index in 0..100 {
        let put = local.s3(&key, "PUT", &format!("/data-bucket/{}", index % 10)).body(format!("{index}"));
        clients.spawn(async move { put.send().await.status });
    }
    assert!(clients.join_all().await.into_iter().all(|status| status == 200));
    assert_eq!(local.aws().objects("data-bucket").unwrap().len(), 10);
}

#[tokio::test]
async fn the_end_comes_though_connections_are_kept_open() {
    let local = Local::start(&roles(&[("full", FULL)])).await;
    let address = local.server.address();
    let mut idle = TcpStream::connect(address).await.unwrap();
    let mut half = TcpStream::connect(address).await.unwrap();
    half.write_all(b"PUT /data-bucket/key HTTP/1.1\r\nhost: a\r\ncontent-length: 10\r\n\r\nhalf").await.unwrap();
    let mut kept = TcpStream::connect(address).await.unwrap();
    kept.write_all(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
    let mut first = [0; 12];
    kept.read_exact(&mut first).await.unwrap();
    assert_eq!(&first, b"HTTP/1.1 403");
    // Five seconds are what requests in flight get; far more than that would be a hang.
    tokio::time::timeout(Duration::from_secs(60), local.server.shutdown()).await.unwrap();
    for stream in [&mut idle, &mut half, &mut kept] {
        let mut rest = Vec::new();
        let _ = stream.read_to_end(&mut rest).await;
    }
    assert!(TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn dropping_the_server_frees_its_port_and_folder() {
    let folder = tempfile::tempdir().unwrap();
    let start = async || {
        let data = rolebox_local_aws::DataFolder::At(folder.path().into());
        let aws = LocalAws::builder(Roles::none()).data(data).build()?;
        aws.start("127.0.0.1:0".parse().unwrap()).await
    };
    let server = start().await.unwrap();
    assert!(matches!(start().await, Err(LocalAwsError::Data(_))));
    server.shutdown().await;
    start().await.unwrap();
}

#[tokio::test]
async fn an_address_in_use_is_named() {
    let local = Local::start(&roles(&[])).await;
    let aws = LocalAws::builder(Roles::none()).build().unwrap();
    let error = aws.start(local.server.address()).await.unwrap_err();
    assert!(error.to_string().contains(&local.server.address().to_string()), "{error}");
}

#[tokio::test]
async fn the_environment_is_that_of_a_client() {
    let local = Local::start(&roles(&[])).await;
    let lines: Vec<String> = local.server.environment().iter().map(ToString::to_string).collect();
    assert_eq!(lines[0], format!("AWS_ENDPOINT_URL=http://{}", local.server.address()));
    assert_eq!(lines[1], "AWS_REGION=us-east-1");
    assert!(lines[2].starts_with("AWS_ACCESS_KEY_ID=AKIA"));
    assert_eq!(lines[3].len(), "AWS_SECRET_ACCESS_KEY=".len() + 40);
    assert_eq!(local.aws().host_arn(), "arn:aws:iam::123456789012:user/rolebox-host");
}
