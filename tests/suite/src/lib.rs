//! What the suite's tests share: an embedded AWS with a few roles, a runner for it, and tasks in one line each.
//!
//! Nothing here decides what is right; a test says what it expects.

use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use rolebox::definition::TaskDefinition;
use rolebox::egress::Endpoints;
use rolebox::egress::audit::{AuditRecord, AuditSink, Recorded};
use rolebox::output::{CapturedOutput, TaskOutput};
use rolebox::task::PrepareError;
use rolebox::{AwsSettings, OperatorBounds, Runner, RunnerSettings, StoppedTask};
use rolebox_local_aws::{LocalAws, Roles, Server};
use serde_json::{Value, json};

/// The account of the embedded AWS.
pub const ACCOUNT: &str = "123456789012";

/// Roles that the tests use: `full` may do everything in S3, `reader` may only read, and `stranger` trusts nobody here.
const ROLES: &str = r#"{"roles": [
    {"name": "full", "trustPolicy": TRUST, "managedPolicyArns": ["arn:aws:iam::aws:policy/AmazonS3FullAccess"]},
    {"name": "reader", "trustPolicy": TRUST, "managedPolicyArns": ["arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"]},
    {"name": "stranger", "trustPolicy": {"Version": "2012-10-17", "Statement": [{"Effect": "Allow",
        "Principal": {"Service": "ecs-tasks.amazonaws.com"}, "Action": "sts:AssumeRole"}]}}
]}"#;

const TRUST: &str = r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Allow",
    "Principal": {"AWS": "arn:aws:iam::123456789012:root"}, "Action": "sts:AssumeRole"}]}"#;

/// An embedded AWS, a runner for it, and what the runner recorded.
#[derive(Debug)]
pub struct Host {
    /// The embedded AWS.
    pub aws: Server,
    /// The audit records so far.
    pub audit: Records,
    /// The runner.
    pub runner: Runner,
}

/// How a task ended, with what it printed.
#[derive(Debug)]
pub struct Outcome {
    /// How it ended.
    pub stopped: StoppedTask,
    /// Its standard output.
    pub stdout: String,
    /// Its standard error.
    pub stderr: String,
}

/// Audit records kept in memory.
#[derive(Debug, Clone, Default)]
pub struct Records(Arc<Mutex<Vec<AuditRecord>>>);

impl Records {
    /// All records so far, as the JSON that a file would hold.
    pub fn all(&self) -> Vec<Value> {
        let records = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        records.iter().map(|record| serde_json::to_value(record).expect("a record is JSON")).collect()
    }
}

impl AuditSink for Records {
    fn record(&self, record: AuditRecord) -> Recorded {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(record);
        Box::pin(std::future::ready(Ok(())))
    }
}

/// The bounds that most tests run under: any role, image and share of the processor, since those are what a test itself
/// chooses.
pub fn bounds() -> OperatorBounds {
    OperatorBounds::deny_all().allow_any_role().allow_any_image().with_max_cpu(u32::MAX)
}

impl Host {
    /// A host with the default bounds.
    pub async fn start() -> Self {
        Self::with(|settings| settings).await
    }

    /// A host whose settings are changed by `change`.
    pub async fn with(change: impl FnOnce(RunnerSettings) -> RunnerSettings) -> Self {
        Self::with_roles(&ROLES.replace("TRUST", TRUST), change).await
    }

    /// The same with other roles than the suite's own, from the text of a roles file.
    pub async fn with_roles(roles: &str, change: impl FnOnce(RunnerSettings) -> RunnerSettings) -> Self {
        let roles = Roles::from_json(roles).expect("a roles file");
        let aws = LocalAws::builder(roles).build().expect("an embedded AWS");
        let aws = aws.start((Ipv4Addr::LOCALHOST, 0).into()).await.expect("a free port");
        let audit = Records::default();
        let settings = RunnerSettings::new(bounds())
            .with_max_instances(64)
            .with_aws(aws_settings(&aws))
            .with_audit(Arc::new(audit.clone()));
        let runner = Runner::new(change(settings)).expect("a runner");
        Self { aws, audit, runner }
    }

    /// Runs a task to its end.
    pub async fn run(&self, definition: &Value) -> Outcome {
        let prepared = self.prepare(definition).await.expect("the task is prepared");
        let output = CapturedOutput::default();
        let stopped = prepared.start(TaskOutput::Capture(output.clone())).wait().await;
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Outcome { stopped, stdout: text(output.stdout()), stderr: text(output.stderr()) }
    }

    /// Prepares a task.
    pub async fn prepare(&self, definition: &Value) -> Result<rolebox::PreparedTask, PrepareError> {
        self.runner.prepare(&parse(definition)).await
    }

    /// What the embedded AWS was asked for, AssumeRole left out; `?` for what it did not understand.
    pub fn operations(&self) -> Vec<String> {
        let requests = self.aws.aws().requests().into_iter();
        let operations = requests.map(|request| request.operation.unwrap_or_else(|| "?".to_owned()));
        operations.filter(|operation| operation != "AssumeRole").collect()
    }

    /// How many requests of any kind the embedded AWS has seen.
    pub fn request_count(&self) -> usize {
        self.aws.aws().requests().len()
    }
}

/// Settings for the embedded AWS, as the identity that it knows as the host.
pub fn aws_settings(aws: &Server) -> AwsSettings {
    aws_settings_with(aws, |endpoints| endpoints)
}

/// The same with some services elsewhere.
pub fn aws_settings_with(aws: &Server, change: impl FnOnce(Endpoints) -> Endpoints) -> AwsSettings {
    let environment = aws.environment();
    let value = |name: &str| {
        let variable = environment.iter().find(|variable| variable.name == name);
        variable.map(|variable| variable.value.clone()).expect("a variable of the embedded AWS")
    };
    let (key, secret) = (value("AWS_ACCESS_KEY_ID"), value("AWS_SECRET_ACCESS_KEY"));
    let base = SharedCredentialsProvider::new(Credentials::new(key, secret, None, None, "suite"));
    let endpoints = Endpoints::public().with_every_service(&value("AWS_ENDPOINT_URL")).expect("a URL");
    AwsSettings::new(value("AWS_REGION").parse().expect("a Region"), base).with_endpoints(change(endpoints))
}

/// Parses a definition that the test says is right.
pub fn parse(definition: &Value) -> TaskDefinition {
    TaskDefinition::parse(&definition.to_string(), Path::new(".")).expect("a task definition")
}

/// A task of one container with this image and arguments, without a role.
pub fn task(image: &Path, arguments: &[&str]) -> Value {
    json!({
        "family": "test",
        "containerDefinitions": [
            {"name": "guest", "image": image, "memory": 64, "command": arguments},
        ],
        "rolebox": {},
    })
}

/// The same task under a role of the embedded AWS, with these capabilities.
pub fn with_role(mut task: Value, role: &str, capabilities: &Value) -> Value {
    task["taskRoleArn"] = json!(format!("arn:aws:iam::{ACCOUNT}:role/{role}"));
    task["rolebox"]["capabilities"] = capabilities.clone();
    task
}

/// The same task with one more key under `rolebox`.
pub fn with_key(mut task: Value, key: &str, value: Value) -> Value {
    task["rolebox"][key] = value;
    task
}

/// Writes a module or component, given as text or as bytes, into `folder`.
pub fn image_file(folder: &Path, name: &str, content: &[u8]) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, content).expect("the image is written");
    path
}

/// The text of a core module that sleeps for so long through preview 1's clocks, and that has these `fields` as well.
pub fn sleeping_module(nanoseconds: u64, fields: &str) -> String {
    format!(
        r#"(module
        (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
        (memory (export "memory") 1)
        {fields}
        (func (export "_start")
            (i32.store8 (i32.const 8) (i32.const 0))
            (i32.store (i32.const 16) (i32.const 1))
            (i64.store (i32.const 24) (i64.const {nanoseconds}))
            (drop (call $poll (i32.const 0) (i32.const 256) (i32.const 1) (i32.const 512)))))"#
    )
}

/// Capabilities that allow all of S3 in the account.
pub fn all_of_s3() -> Value {
    json!([{"action": ["s3:*"], "resource": ["arn:aws:s3:::*"]}, {"action": "s3:ListAllMyBuckets", "resource": "*"}])
}
