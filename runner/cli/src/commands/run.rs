//! `rolebox run`: one task, attached.

use std::fs::OpenOptions;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use indicatif::ProgressBar;
use rolebox::definition::Problem;
use rolebox::egress::audit::{AuditSink, JsonLines, TracingAudit};
use rolebox::output::TaskOutput;
use rolebox::task::{NetworkBinding, PrepareError, PreparedTask, StopCode, StoppedTask};
use rolebox::{Runner, RunnerSettings};
use serde::Serialize;

use crate::arguments::{InputArguments, OutputFormat, RunArguments};
use crate::aws;
use crate::bounds::bounds;
use crate::compiling::with_images;
use crate::component::flag_of;
use crate::console::{Console, printable};
use crate::descriptors;
use crate::failure::{Failure, STOPPED};
use crate::input::Input;
use crate::local::EmbeddedAws;
use crate::signals::Signals;
use crate::suggestion::{Recorder, Suggestion};
use crate::task_output::StandardStreams;

/// A definition has ten containers at most, and one task runs. Each request to one that serves has an instance too.
const MAX_COMMANDS: u32 = 10;

/// How long work goes on before it is shown to.
const PATIENCE: Duration = Duration::from_millis(300);

/// What `--output json` prints when the task has ended: the last line of stderr.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Outcome<'a> {
    /// The ECS task's own fields: `taskId`, `stopCode`, `stoppedReason`, `containers`, `outputComplete`.
    #[serde(flatten)]
    task: &'a StoppedTask,
    /// What the process exits with.
    exit_code: u8,
    /// With `--suggest-capabilities`.
    #[serde(flatten)]
    suggestion: Option<Suggestion>,
}

/// Runs the task and returns its exit code.
pub(crate) async fn run(arguments: RunArguments, console: &Console) -> Result<u8, Failure> {
    descriptors::raise_limit();
    // From here on an interrupt ends the task in order.
    let mut signals = Signals::new()?;
    let input = Input::read(&arguments.input)?;
    let recorder = recorder(&arguments, &input)?;
    let local = EmbeddedAws::asked_for(&arguments, &input).await?;
    let ended = run_with(&arguments, &input, local.as_ref(), recorder, &mut signals, console).await;
    if let Some(local) = local {
        local.shutdown().await;
    }
    ended
}

/// Takes note of the task's calls, if that was asked for.
fn recorder(arguments: &RunArguments, input: &Input) -> Result<Option<Recorder>, Failure> {
    if !arguments.suggest_capabilities {
        return Ok(None);
    }
    match input.definition.task_role() {
        Some(role) => Ok(Some(Recorder::new(role))),
        None => Err(Failure::because(
            "--suggest-capabilities: the task has no role, so it makes no AWS call. Name one in taskRoleArn, with \
             capabilities wide enough for the task to run",
        )),
    }
}

async fn run_with(
    arguments: &RunArguments,
    input: &Input,
    local: Option<&EmbeddedAws>,
    recorder: Option<Recorder>,
    signals: &mut Signals,
    console: &Console,
) -> Result<u8, Failure> {
    let prepare = async { prepare(settings(arguments, input, local, recorder.as_ref()).await?, input, console).await };
    let prepared = tokio::select! {
        prepared = prepare => prepared?,
        signal = signals.next() => return Err(Failure::stopped(signal)),
    };
    let streams = StandardStreams::new()
        .map_err(|error| Failure::runner(error).context("stdout and stderr cannot be written to"))?;
    let mut running = prepared.start(TaskOutput::Writer(Box::new(streams)));
    let mut bindings = running.bindings();
    let mut stopping = false;
    let stopped = loop {
        tokio::select! {
            Some(binding) = bindings.next() => listens(&binding, console),
            stopped = running.wait() => break stopped,
            signal = signals.next() => {
                if stopping {
                    // Whoever asks twice will not wait.
                    return Ok(STOPPED);
                }
                stopping = true;
                running.stop(format!("the runner received {signal}"));
            }
        }
    };
    let exit_code = process_exit_code(stopped.exit_code());
    let suggestion = recorder.map(|recorder| recorder.suggest(arguments.generalise));
    match console.format() {
        OutputFormat::Json => console.report(&Outcome { task: &stopped, exit_code, suggestion }),
        OutputFormat::Text => {
            if let Some(ending) = ending(&stopped) {
                console.say(&ending);
            }
            if let Some(suggestion) = suggestion {
                suggestion.messages().iter().for_each(|message| console.say(message));
            }
        }
    }
    Ok(exit_code)
}

async fn settings(
    arguments: &RunArguments,
    input: &Input,
    local: Option<&EmbeddedAws>,
    recorder: Option<&Recorder>,
) -> Result<RunnerSettings, Failure> {
    // A task that could write to the record of its own calls, or read what its objects are kept in, would be its own judge.
    let private = local.map(|local| local.data().to_owned()).into_iter().chain(arguments.audit.clone());
    let mut settings = settings_without_aws(input, &arguments.input, private)?;
    if input.definition.task_role().is_some() {
        settings = settings.with_aws(match local {
            Some(local) => local.settings()?,
            None => aws::settings().await?,
        });
    }
    let audit: Arc<dyn AuditSink> = match &arguments.audit {
        Some(file) => Arc::new(audit(file, arguments.audit_fsync).map_err(|error| {
            Failure::runner(error).context(format!("{}: the audit file cannot be opened", file.display()))
        })?),
        None => Arc::new(TracingAudit),
    };
    Ok(settings.with_audit(match recorder {
        Some(recorder) => Arc::new(recorder.in_front_of(audit)),
        None => audit,
    }))
}

/// The settings that `run` and `explain` share.
pub(super) fn settings_without_aws(
    input: &Input,
    arguments: &InputArguments,
    private: impl IntoIterator<Item = PathBuf>,
) -> Result<RunnerSettings, Failure> {
    let private = private.into_iter().chain(aws::own_files());
    let requests = if input.definition.serves() { input.definition.limits().requests_in_flight } else { 0 };
    let settings = RunnerSettings::new(bounds(input, arguments, private)?).with_max_instances(MAX_COMMANDS + requests);
    with_images(settings, &arguments.images)
}

fn audit(file: &Path, fsync: bool) -> io::Result<JsonLines> {
    // Earlier records stay: the file is a log.
    let file = OpenOptions::new().create(true).append(true).open(file)?;
    if fsync { JsonLines::synced(file) } else { JsonLines::new(file) }
}

async fn prepare(settings: RunnerSettings, input: &Input, console: &Console) -> Result<PreparedTask, Failure> {
    let work = async {
        let runner = Runner::new(settings).map_err(Failure::runner)?;
        let prepared = runner.prepare(&input.definition).await;
        prepared.map_err(|error| not_prepared(input, error))
    };
    tokio::pin!(work);
    if !console.has_audience() {
        return work.await;
    }
    // An image that was compiled before takes a millisecond: nothing is shown for that.
    match tokio::time::timeout(PATIENCE, &mut work).await {
        Ok(prepared) => prepared,
        Err(_) => {
            let message = format!("compiling the image of {}", printable(&input.file.display().to_string()));
            let progress = ProgressBar::new_spinner().with_message(message);
            progress.enable_steady_tick(Duration::from_millis(100));
            let prepared = work.await;
            progress.finish_and_clear();
            prepared
        }
    }
}

/// Says where a definition could not be prepared. Places of a component's definition are nobody's JSON.
fn not_prepared(input: &Input, error: PrepareError) -> Failure {
    match error {
        PrepareError::Image { source, .. } if input.is_component => Failure::image(source),
        PrepareError::Bounds(exceeded) if input.is_component => Failure::flags(
            exceeded.into_iter().map(|bound| Problem::new(flag_of(&bound.place), bound.what, bound.bound)).collect(),
        ),
        error @ PrepareError::Image { .. } => Failure::image(error).context(input.file.display().to_string()),
        error => Failure::runner(error).context(input.file.display().to_string()),
    }
}

/// What `--output json` prints as soon as a container listens: a line of stderr.
#[derive(Debug, Serialize)]
struct Listening<'a> {
    listening: &'a NetworkBinding,
}

fn listens(binding: &NetworkBinding, console: &Console) {
    match console.format() {
        OutputFormat::Json => console.report(&Listening { listening: binding }),
        OutputFormat::Text => {
            console.say(&format!("{} listens on http://{}", binding.container_name, binding.address()));
        }
    }
}

/// The exit code as a process can have it: its low eight bits, as for any process, but never 0 for what failed.
fn process_exit_code(exit_code: i32) -> u8 {
    let [low, ..] = exit_code.to_le_bytes();
    if low == 0 && exit_code != 0 { u8::MAX } else { low }
}

/// What is to be said about a task that did not just end by itself.
fn ending(stopped: &StoppedTask) -> Option<String> {
    let by_itself = stopped.stop_code == StopCode::EssentialContainerExited
        && stopped.containers.iter().all(|container| container.reason.is_none());
    let mut said = Vec::new();
    if !by_itself {
        said.push(format!("the task stopped ({}): {}", stopped.stop_code, stopped.stopped_reason));
    }
    if !stopped.output_complete {
        said.push("the last of the task's output was not written: nobody read it".to_owned());
    }
    (!said.is_empty()).then(|| said.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_never_exits_as_a_success() {
        for (exit_code, expected) in
            [(0, 0), (1, 1), (137, 137), (255, 255), (256, 255), (257, 1), (-1, 255), (-256, 255)]
        {
            assert_eq!(process_exit_code(exit_code), expected, "{exit_code}");
        }
    }
}
