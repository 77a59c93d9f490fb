//! Runs a task's containers together: in the order of their dependencies, until an essential one ends.

use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;

use super::PreparedTask;
use super::outcome::{ContainerEnd, EndedContainer, TaskEnd};
use crate::definition::Condition;
use crate::host::AwsCtx;
use crate::output::OutputQueue;

/// Where each container stands.
#[derive(Debug, Clone, PartialEq, Eq)]
enum State {
    Waiting,
    Running,
    Ended(ContainerEnd, u64),
}

/// Resolves when the task is asked to stop, with the reason.
pub(super) async fn stop_requested(stopped: &mut watch::Receiver<Option<String>>) -> String {
    // The value is let go of before anything else is waited for: it holds a lock.
    let reason = stopped.wait_for(Option::is_some).await.ok().and_then(|reason| reason.clone());
    match reason {
        Some(reason) => reason,
        // Whoever could have asked is gone, having asked first: a handle asks when it is dropped.
        None => std::future::pending().await,
    }
}

/// Runs all containers. When this returns, none of them runs any more.
pub(super) async fn run(
    task: &PreparedTask,
    aws: &AwsCtx,
    output: &OutputQueue,
    mut stopped: watch::Receiver<Option<String>>,
) -> TaskEnd {
    let timeout = task.definition.timeout();
    let deadline = tokio::time::sleep(timeout);
    tokio::pin!(deadline);
    let mut states = vec![State::Waiting; task.containers.len()];
    let mut running = JoinSet::new();
    let (decisive, others) = loop {
        start_ready(task, aws, output, &mut states, &mut running);
        if let Some(index) = decided(task, &states) {
            break (index, ContainerEnd::TaskStopping);
        }
        tokio::select! {
            ended = running.join_next() => match ended {
                Some(Ok((index, end, peak_memory))) => states[index] = State::Ended(end, peak_memory),
                // A panic in a host function: a defect of ours that ends the task and nothing else.
                Some(Err(error)) => {
                    tracing::error!(%error, "a container's host code failed");
                    let failed = ContainerEnd::FailedToStart("the host failed while running the task".to_owned());
                    break (first_live(&states), failed);
                }
                // `decided` finds a decisive container when none runs; a definition has an essential one.
                None => break (first_live(&states), ContainerEnd::FailedToStart("no container can be started".to_owned())),
            },
            () = &mut deadline => break (first_live(&states), ContainerEnd::TimedOut { timeout: in_words(timeout) }),
            reason = stop_requested(&mut stopped) => break (first_live(&states), ContainerEnd::StopRequested(reason)),
        }
    };
    // Dropped futures take their stores with them; this waits until each has.
    running.shutdown().await;
    let containers = task.containers.iter().zip(states).map(|(container, state)| {
        let (end, peak_memory) = match state {
            State::Ended(end, peak_memory) => (end, peak_memory),
            State::Running | State::Waiting => (others.clone(), 0),
        };
        let definition = container.definition();
        EndedContainer { name: definition.name().to_owned(), essential: definition.essential(), end, peak_memory }
    });
    TaskEnd { containers: containers.collect(), decisive }
}

/// Starts every container whose dependencies have come to where they must be, and ends those whose never will.
fn start_ready(
    task: &PreparedTask,
    aws: &AwsCtx,
    output: &OutputQueue,
    states: &mut [State],
    running: &mut JoinSet<(usize, ContainerEnd, u64)>,
) {
    // One start may be what the next one waits for.
    let mut changed = true;
    while std::mem::take(&mut changed) {
        for index in 0..states.len() {
            if states[index] != State::Waiting {
                continue;
            }
            match readiness(task, index, states) {
                Readiness::NotYet => continue,
                Readiness::Never(container) => {
                    states[index] = State::Ended(ContainerEnd::DependencyFailed { container }, 0);
                }
                Readiness::Ready => {
                    states[index] = State::Running;
                    let (shared, container) = (task.runner.0.clone(), task.containers[index].clone());
                    let (aws, output) = (aws.clone(), output.clone());
                    running.spawn(async move {
                        let inspector = shared.settings.inspector.as_ref();
                        let (end, peak) = container.run(&shared.engine, aws, &output, inspector).await;
                        (index, end, peak)
                    });
                }
            }
            changed = true;
        }
    }
}

enum Readiness {
    Ready,
    NotYet,
    /// The container with this name did not end as the condition asks.
    Never(String),
}

fn readiness(task: &PreparedTask, index: usize, states: &[State]) -> Readiness {
    let mut ready = Readiness::Ready;
    for dependency in task.containers[index].definition().depends_on() {
        let name = dependency.container_name();
        let Some(other) = task.containers.iter().position(|container| container.definition().name() == name) else {
            return Readiness::Never(name.to_owned());
        };
        let met = match (&states[other], dependency.condition()) {
            (State::Ended(ContainerEnd::DependencyFailed { .. } | ContainerEnd::FailedToStart(_), _), _) => {
                return Readiness::Never(name.to_owned());
            }
            (State::Ended(end, _), Condition::Success) if !end.success() => return Readiness::Never(name.to_owned()),
            (State::Ended(..), _) | (State::Running, Condition::Start) => true,
            (State::Running | State::Waiting, _) => false,
        };
        if !met {
            ready = Readiness::NotYet;
        }
    }
    ready
}

/// The container whose end ends the task: an essential one, or any that could not be started, or the last one.
fn decided(task: &PreparedTask, states: &[State]) -> Option<usize> {
    let ended = |index: &usize| matches!(states[*index], State::Ended(..));
    let never_ran = |index: &usize| {
        matches!(
            &states[*index],
            State::Ended(ContainerEnd::FailedToStart(_) | ContainerEnd::DependencyFailed { .. }, _)
        )
    };
    let essential = |index: &usize| task.containers[*index].definition().essential();
    let all = 0..states.len();
    all.clone()
        .filter(ended)
        .find(|index| essential(index))
        .or_else(|| all.clone().find(never_ran))
        .or_else(|| all.clone().all(|index| ended(&index)).then(|| all.len().saturating_sub(1)))
}

/// The container to name when the task as a whole is ended: the first one that has not ended.
fn first_live(states: &[State]) -> usize {
    states.iter().position(|state| !matches!(state, State::Ended(..))).unwrap_or_default()
}

fn in_words(duration: Duration) -> String {
    if duration.subsec_nanos() == 0 {
        format!("{} s", duration.as_secs())
    } else {
        format!("{} ms", duration.as_millis())
    }
}
