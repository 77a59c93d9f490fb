//! Runners and tasks in one line each, and role sessions without a network.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result, ensure};
use rolebox::credentials::{AssumeRoleAnswer, RoleSessionRequest, Secret, Sts, StsFuture};
use rolebox::definition::{Mebibytes, TaskDefinition};
use rolebox::egress::Endpoints;
use rolebox::output::{CapturedOutput, TaskOutput};
use rolebox::{AwsSettings, OperatorBounds, PreparedTask, Runner, RunnerSettings};
use serde_json::Value;

use crate::inputs::{self, Inputs};

/// The role of the benches' tasks.
pub const ROLE: &str = "arn:aws:iam::123456789012:role/s3-sample";

/// Gives one session to whoever asks: an STS without a network.
#[derive(Debug)]
pub struct OneSession;

impl Sts for OneSession {
    fn assume_role<'a>(&'a self, request: &'a RoleSessionRequest) -> StsFuture<'a, AssumeRoleAnswer> {
        let session = request.session_name();
        Box::pin(async move {
            Ok(AssumeRoleAnswer {
                access_key_id: Secret::new("ASIAIOSFODNN7EXAMPLE".into()),
                secret_access_key: Secret::new("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".into()),
                session_token: Secret::new("FwoGZXIvYXdzEXAMPLE".repeat(20)),
                expiration: Some(SystemTime::now() + Duration::from_secs(3_600)),
                assumed_role_arn: format!("arn:aws:sts::123456789012:assumed-role/s3-sample/{}", session.as_str()),
                packed_policy_size: None,
            })
        })
    }

    fn caller_identity(&self) -> StsFuture<'_, String> {
        Box::pin(async { Ok(ROLE.into()) })
    }
}

/// Bounds that allow any image and role, and shares as large as is asked for.
fn bounds() -> OperatorBounds {
    let memory = Mebibytes::new(1024);
    OperatorBounds::deny_all()
        .allow_any_image()
        .allow_any_role()
        .allow_shared_sessions()
        .with_max_cpu(u32::MAX)
        .with_max_memory(memory)
        .with_max_task_memory(memory)
        .with_max_limits(rolebox::definition::Limits::highest())
}

/// Settings that allow any image and role, with an STS in the process.
///
/// # Panics
///
/// Never: the Region is one.
#[must_use]
pub fn settings() -> RunnerSettings {
    let region = "us-east-1".parse().expect("a Region");
    RunnerSettings::new(bounds()).with_aws(AwsSettings::with_sts(region, Arc::new(OneSession)))
}

/// The same, with every service at `endpoint`.
pub(crate) fn settings_at(endpoint: &str) -> Result<RunnerSettings> {
    let region = "us-east-1".parse().context("a Region")?;
    let endpoints = Endpoints::public().with_every_service(endpoint).context("the server's URL")?;
    let aws = AwsSettings::with_sts(region, Arc::new(OneSession)).with_endpoints(endpoints);
    Ok(RunnerSettings::new(bounds()).with_aws(aws))
}

/// A runner with these settings.
///
/// # Panics
///
/// If the engine does not start: then there is nothing to measure.
#[must_use]
pub fn runner(settings: RunnerSettings) -> Runner {
    Runner::new(settings).expect("the engine starts")
}

/// A definition of one container with this image and 64 MiB of memory, under a role whose session its tasks share.
///
/// # Panics
///
/// If it is not a definition: a bench's own mistake.
#[must_use]
pub fn definition(image: &Path, change: impl FnOnce(&mut Value)) -> TaskDefinition {
    let mut document = inputs::document(image, &[]);
    change(&mut document);
    parse(&document).expect("a task definition")
}

fn parse(document: &Value) -> Result<TaskDefinition> {
    TaskDefinition::parse(&document.to_string(), Path::new(".")).context("a bench's definition")
}

/// Writes a component or module given as text to `folder`.
///
/// # Panics
///
/// If the text is wrong or the file cannot be written: a bench's own mistake.
pub fn image(folder: &Path, name: &str, text: &str) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, wat::parse_str(text).expect("the text of a component")).expect("the image is written");
    path
}

/// A runner with what it takes to run tasks on it.
pub(crate) struct Host {
    pub(crate) runtime: tokio::runtime::Runtime,
    pub(crate) runner: Runner,
}

impl Host {
    /// A runner with these settings and the compiled code that the processes of this run share.
    pub(crate) fn new(settings: RunnerSettings, inputs: &Inputs) -> Result<Self> {
        let runtime = tokio::runtime::Runtime::new().context("a runtime")?;
        let runner = Runner::new(settings.with_code_cache(inputs.code_cache())).context("the engine")?;
        Ok(Self { runtime, runner })
    }

    /// A task of this image with these arguments.
    pub(crate) fn prepare(&self, image: &Path, arguments: &[&str]) -> Result<PreparedTask> {
        self.prepare_with(image, arguments, |_| ())
    }

    /// The same with a definition that is changed before.
    pub(crate) fn prepare_with(
        &self,
        image: &Path,
        arguments: &[&str],
        change: impl FnOnce(&mut Value),
    ) -> Result<PreparedTask> {
        let mut document = inputs::document(image, arguments);
        change(&mut document);
        let definition = parse(&document)?;
        self.runtime.block_on(self.runner.prepare(&definition)).context("the task is not prepared")
    }

    /// Runs a task to its end, which must be a good one; gives what it printed, to stdout and to stderr.
    pub(crate) fn run(&self, task: &PreparedTask) -> Result<(String, String)> {
        let output = CapturedOutput::default();
        let stopped = self.runtime.block_on(async { task.start(TaskOutput::Capture(output.clone())).wait().await });
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        let (stdout, stderr) = (text(output.stdout()), text(output.stderr()));
        ensure!(stopped.exit_code() == 0, "{}: {stderr}", stopped.stopped_reason);
        Ok((stdout, stderr))
    }
}

/// Starts a task and waits for its end, which must be a good one.
pub(crate) async fn run_to_end(task: &PreparedTask) -> Result<()> {
    let stopped = task.start(TaskOutput::Discard).wait().await;
    ensure!(stopped.exit_code() == 0, "{}", stopped.stopped_reason);
    Ok(())
}

/// The numbers that a guest printed, one in a line.
pub(crate) fn numbers(printed: &str) -> Result<Vec<f64>> {
    let lines = printed.lines().filter(|line| !line.is_empty());
    lines.map(|line| line.trim().parse::<f64>().with_context(|| format!("a guest printed {line:?}"))).collect()
}
