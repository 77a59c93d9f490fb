//! `cargo demo`: the S3 sample of the ECS announcement under its own role, on the embedded AWS, told step by step.
//!
//! Nothing here is staged: the images are the examples' own, the calls are those that their guests make, and what is
//! printed about them comes from the audit records and from the embedded AWS's own log and data. It ends with an
//! error where something is not as it says.

mod aws;
mod scan;
mod show;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use rolebox::definition::TaskDefinition;
use rolebox::output::{CapturedOutput, TaskOutput};
use rolebox::{OperatorBounds, Runner, RunnerSettings, StoppedTask};
use rolebox_local_aws::Server;

use self::scan::MemoryScan;
use self::show::{Calls, Show};

#[tokio::main]
async fn main() -> Result<()> {
    let show = Show::new();
    let folder = example("s3-sample");
    rolebox_guest_artifacts::place_examples().context("the examples' images cannot be put in place")?;

    show.title("Rolebox: a task with a role and without a key");
    let aws = aws::start(&folder.join("roles.json")).await?;
    show.fact("embedded AWS", &format!("S3 and STS on http://{}", aws.address()));
    show.fact("the host itself is", &aws.aws().host_arn());

    let scan = MemoryScan::default();
    let calls = Calls::default();
    // One operator and one author: the definitions of this repository may have what they wish.
    let bounds = OperatorBounds::deny_all().allow_any_role().allow_any_image();
    let settings = RunnerSettings::new(bounds)
        .with_aws(aws::settings(&aws)?)
        .with_audit(Arc::new(calls.clone()))
        .inspect_memory(scan.inspector());
    let runner = Runner::new(settings)?;

    sample(&show, &runner, &aws, &calls, &folder).await?;
    denial(&show, &runner, &aws, &calls, &folder).await?;
    no_key(&show, &runner, &aws, &scan).await?;
    aws.shutdown().await;
    Ok(())
}

/// A folder of `examples`.
fn example(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples").join(name)
}

async fn run(runner: &Runner, definition: &TaskDefinition) -> Result<(StoppedTask, CapturedOutput)> {
    let prepared = runner.prepare(definition).await?;
    let output = CapturedOutput::default();
    let stopped = prepared.start(TaskOutput::Capture(output.clone())).wait().await;
    Ok((stopped, output))
}

async fn sample(show: &Show, runner: &Runner, aws: &Server, calls: &Calls, folder: &Path) -> Result<()> {
    let definition = TaskDefinition::read(&folder.join("task-definition.json"))?;
    show.step(1, "The sample, under the role s3-sample");
    show.definition(&definition);
    let (stopped, output) = run(runner, &definition).await?;
    show.assumed(aws.aws());
    show.calls(&calls.take());
    show.output(&output);
    show.stopped(&stopped);
    ensure!(stopped.exit_code() == 0, "the sample failed: {}", stopped.stopped_reason);

    show.heading("What the embedded AWS holds now");
    let bucket = aws.aws().buckets().into_iter().next().context("the sample made no bucket")?;
    for object in aws.aws().objects(&bucket.name).context("the bucket is gone")? {
        let content = aws.aws().object(&bucket.name, &object.key)?;
        show.object(&bucket.name, &object.key, &String::from_utf8_lossy(&content));
        ensure!(content == b"Hello World!", "the object is not what the sample uploads");
    }
    Ok(())
}

async fn denial(show: &Show, runner: &Runner, aws: &Server, calls: &Calls, folder: &Path) -> Result<()> {
    let definition = TaskDefinition::read(&folder.join("task-definition-read-only.json"))?;
    show.step(2, "The same component, under a role and capabilities without s3:PutObject");
    show.definition(&definition);
    let before = puts(aws);
    let (stopped, output) = run(runner, &definition).await?;
    show.assumed(aws.aws());
    show.calls(&calls.take());
    show.output(&output);
    show.stopped(&stopped);
    ensure!(stopped.exit_code() != 0, "the upload was not denied");
    ensure!(puts(aws) == before, "a denied upload reached the embedded AWS");
    show.remark("The denial was the host's own: nothing was signed, and no PutObject reached the embedded AWS.");
    Ok(())
}

/// Uploads that the embedded AWS has seen, whatever became of them.
fn puts(aws: &Server) -> usize {
    aws.aws().requests().iter().filter(|request| request.method == "PUT" && request.path.ends_with(".txt")).count()
}

async fn no_key(show: &Show, runner: &Runner, aws: &Server, scan: &MemoryScan) -> Result<()> {
    show.step(3, "Where is the key? Not with the guest");
    let definition = probe()?;
    let (stopped, output) = run(runner, &definition).await?;
    ensure!(stopped.exit_code() == 0, "the probe failed: {}", stopped.stopped_reason);
    show.heading("Environment and files of a task with the role s3-sample, as the guest sees them");
    show.output(&output);
    let sees = output.stdout();
    ensure!(!sees.windows(9).any(|text| text == b"directory"), "the probe has a folder that it was not given");

    show.heading("Linear memories of all guests above, searched when each had ended");
    let sessions = aws.aws().issued_sessions();
    let found = scan.find(&sessions);
    ensure!(scan.memories() == 3, "{} memories were seen, of three guests", scan.memories());
    for session in &sessions {
        ensure!(scan::holds(&sees, session).is_none(), "the guest's environment holds a key");
    }
    ensure!(found.is_empty(), "guest memory holds {}", found.join(", "));
    show.scan(scan.memories(), scan.bytes(), sessions.len());
    show.remark("Each guest asked, the host signed. There is nothing in a guest for anybody to carry away.");
    Ok(())
}

/// A task with the sample's role whose guest prints all that it can see.
fn probe() -> Result<TaskDefinition> {
    let image = rolebox_guest_artifacts::PRINT_ENVIRONMENT;
    let text = format!(
        r#"{{
            "family": "probe",
            "taskRoleArn": "arn:aws:iam::123456789012:role/s3-sample",
            "containerDefinitions": [{{"name": "probe", "image": {image:?}, "memory": 64}}]
        }}"#
    );
    Ok(TaskDefinition::parse(&text, Path::new("."))?)
}
