//! The peers by themselves: that they install, enforce and read.

use rolebox_local_aws::{DataFolder, LocalAws, Roles};
use rolebox_peers::{AccessKey, AwsCli, Peers, Role, User};
use serde_json::json;

fn cli(peers: &Peers, endpoint: &str, key: &AccessKey) -> AwsCli {
    peers.aws([
        ("AWS_ENDPOINT_URL", endpoint),
        ("AWS_REGION", "us-east-1"),
        ("AWS_ACCESS_KEY_ID", &key.id),
        ("AWS_SECRET_ACCESS_KEY", &key.secret),
    ])
}

fn allow(action: &str, resource: &str) -> serde_json::Value {
    json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": action, "Resource": resource}]})
}

#[test]
fn moto_enforces_the_policies_of_users_and_roles() {
    let peers = Peers::install().unwrap();
    let moto = peers.moto().unwrap();
    let trust = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::123456789012:user/host"}, "Action": "sts:AssumeRole"}]});
    let host = User { name: "host".into(), policies: vec![allow("sts:AssumeRole", "*")] };
    let writer = Role { name: "writer".into(), trust_policy: trust.clone(), policies: vec![allow("s3:*", "*")] };
    let other =
        Role { name: "other".into(), trust_policy: trust, policies: vec![allow("s3:*", "arn:aws:s3:::other/*")] };
    let keys = moto.set_up(&[host], &[writer, other]).unwrap();
    moto.enforce().unwrap();

    let aws = cli(&peers, &moto.endpoint(), &keys[0]);
    let denied = aws.run(["s3api", "create-bucket", "--bucket", "data-bucket"]).unwrap();
    assert!(!denied.status.success() && denied.stderr.contains("AccessDenied"), "{}", denied.stderr);
    let wrong = AccessKey { secret: "wrong".into(), ..keys[0].clone() };
    let refused = cli(&peers, &moto.endpoint(), &wrong).run(["sts", "get-caller-identity"]).unwrap();
    assert!(refused.stderr.contains("SignatureDoesNotMatch"), "{}", refused.stderr);

    for (role, allowed) in [("writer", true), ("other", false)] {
        let arn = format!("arn:aws:iam::123456789012:role/{role}");
        let assumed = aws.run(["sts", "assume-role", "--role-arn", &arn, "--role-session-name", "task"]).unwrap();
        assert!(assumed.status.success(), "{}", assumed.stderr);
        let answer: serde_json::Value = serde_json::from_slice(&assumed.stdout).unwrap();
        let text = |name: &str| answer["Credentials"][name].as_str().unwrap().to_owned();
        let task = peers.aws([
            ("AWS_ENDPOINT_URL", moto.endpoint()),
            ("AWS_ACCESS_KEY_ID", text("AccessKeyId")),
            ("AWS_SECRET_ACCESS_KEY", text("SecretAccessKey")),
            ("AWS_SESSION_TOKEN", text("SessionToken")),
        ]);
        let made = task.run(["s3api", "create-bucket", "--bucket", &format!("bucket-of-{role}")]).unwrap();
        assert_eq!(made.status.success(), allowed, "{role}: {}", made.stderr);
        if !allowed {
            assert!(made.stderr.contains("AccessDenied"), "{}", made.stderr);
        }
    }
}

#[test]
fn moto_ends_with_its_handle() {
    let peers = Peers::install().unwrap();
    let moto = peers.moto().unwrap();
    moto.reset().unwrap();
    let address: std::net::SocketAddr = moto.endpoint().trim_start_matches("http://").parse().unwrap();
    drop(moto);
    assert!(std::net::TcpStream::connect(address).is_err());
}

#[test]
fn the_cli_reads_and_lists_what_the_embedded_s3_keeps() {
    let peers = Peers::install().unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let roles = Roles::from_json(
        r#"{"roles": [{"name": "writer", "managedPolicyArns": ["arn:aws:iam::aws:policy/AmazonS3FullAccess"],
            "trustPolicy": {"Version": "2012-10-17", "Statement": [{"Effect": "Allow",
                "Principal": {"AWS": "arn:aws:iam::123456789012:root"}, "Action": "sts:AssumeRole"}]}}]}"#,
    )
    .unwrap();
    let server = runtime.block_on(async {
        let aws = LocalAws::builder(roles).data(DataFolder::At(folder.path().join("data"))).build().unwrap();
        aws.create_bucket_of(&"123456789012".parse().unwrap(), "data-bucket", false).unwrap();
        aws.put_object("data-bucket", "a b/hello_world.txt", "Hello World!").await.unwrap();
        aws.start("127.0.0.1:0".parse().unwrap()).await.unwrap()
    });
    let environment = server.environment().map(|variable| (variable.name, variable.value));
    let host = peers.aws(environment.clone());
    let read = host.run(["s3", "cp", "s3://data-bucket/a b/hello_world.txt", "-"]).unwrap();
    assert!(read.status.success(), "{}", read.stderr);
    assert_eq!(read.stdout, b"Hello World!");
    let listed = host.run(["s3", "ls", "--recursive", "s3://data-bucket"]).unwrap();
    assert!(String::from_utf8_lossy(&listed.stdout).contains("a b/hello_world.txt"), "{}", listed.stderr);
    let denied = host.run(["s3api", "create-bucket", "--bucket", "new-bucket"]).unwrap();
    assert!(denied.stderr.contains("AccessDenied"), "{}", denied.stderr);

    // Under a role the CLI writes as it pleases: one file in many parts, with its own checksums.
    let assumed = host
        .run([
            "sts",
            "assume-role",
            "--role-arn",
            "arn:aws:iam::123456789012:role/writer",
            "--role-session-name",
            "cli",
        ])
        .unwrap();
    let answer: serde_json::Value = serde_json::from_slice(&assumed.stdout).unwrap();
    let text = |name: &str| answer["Credentials"][name].as_str().unwrap().to_owned();
    let writer = peers.aws([
        ("AWS_ENDPOINT_URL", format!("http://{}", server.address())),
        ("AWS_ACCESS_KEY_ID", text("AccessKeyId")),
        ("AWS_SECRET_ACCESS_KEY", text("SecretAccessKey")),
        ("AWS_SESSION_TOKEN", text("SessionToken")),
    ]);
    let big: Vec<u8> = (0..20_000_000u32).map(|index| (index % 251) as u8).collect();
    let file = folder.path().join("big");
    std::fs::write(&file, &big).unwrap();
    let file = file.to_str().unwrap();
    for arguments in [
        vec!["s3", "cp", "--no-progress", file, "s3://data-bucket/big"],
        vec!["s3", "cp", "--no-progress", "s3://data-bucket/big", "s3://data-bucket/copy"],
        vec!["s3", "rm", "--recursive", "--exclude", "copy", "s3://data-bucket"],
    ] {
        let done = writer.run(&arguments).unwrap();
        assert!(done.status.success(), "{arguments:?}: {}", done.stderr);
    }
    assert_eq!(server.aws().object("data-bucket", "copy").unwrap(), big);
    let keys: Vec<String> = server.aws().objects("data-bucket").unwrap().into_iter().map(|object| object.key).collect();
    assert_eq!(keys, ["copy"]);
    runtime.block_on(server.shutdown());
}
