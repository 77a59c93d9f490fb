//! Runs a task's containers together: in the order of their dependencies, until an essential one ends.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use tokio::sync::watch;

use super::PreparedTask;
use super::outcome::{ContainerEnd, EndedContainer, TaskEnd};
use super::usage::ContainerUsage;
use crate::cpu::{CpuBudget, Cut, Guest, TaskShare};
use crate::definition::Condition;
use crate::host::{AwsCtx, FileWork};
use crate::output::OutputQueue;

/// Where each container stands.
#[derive(Debug, Clone, PartialEq, Eq)]
enum State {
    Waiting,
    Running,
    Ended(ContainerEnd),
}

/// One run of a task's containers.
struct Run<'a> {
    task: &'a PreparedTask,
    aws: &'a AwsCtx,
    files: &'a FileWork,
    output: &'a OutputQueue,
    share: TaskShare,
    budget: Option<CpuBudget>,
    states: Vec<State>,
    usage: Vec<ContainerUsage>,
    running: Vec<(usize, Guest<ContainerEnd>)>,
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
    files: &FileWork,
    output: &OutputQueue,
    mut stopped: watch::Receiver<Option<String>>,
) -> TaskEnd {
    let (definition, count) = (&task.definition, task.containers.len());
    let mut run = Run {
        task,
        aws,
        files,
        output,
        share: task.runner.0.guests.share(definition.cpu_share(), definition.cpu_limit()),
        budget: definition.limits().cpu_time.map(CpuBudget::new),
        states: vec![State::Waiting; count],
        // Not `vec!`, which would clone one and so count all containers together.
        usage: (0..count).map(|_| ContainerUsage::default()).collect(),
        running: Vec::with_capacity(count),
    };
    let timeout = definition.timeout();
    let deadline = tokio::time::sleep(timeout);
    tokio::pin!(deadline);
    let (decisive, others) = loop {
        run.start_ready();
        if let Some(index) = decided(task, &run.states) {
            break (index, ContainerEnd::TaskStopping);
        }
        let cut = tokio::select! {
            ended = run.next_end() => match ended {
                Some((index, Ok(end))) => {
                    run.states[index] = State::Ended(end);
                    continue;
                }
                Some((_, Err(Cut::CpuTime))) => ContainerEnd::CpuTime {
                    limit: in_words(definition.limits().cpu_time.unwrap_or_default()),
                },
                // A panic in a host function: a defect of ours that ends the task and nothing else.
                Some((_, Err(Cut::Panicked))) => {
                    ContainerEnd::FailedToStart("the host failed while running the task".to_owned())
                }
                Some((_, Err(Cut::Stopped))) => ContainerEnd::StopRequested("the runner was closed".to_owned()),
                // `decided` finds a decisive container when none runs; a definition has an essential one.
                None => ContainerEnd::FailedToStart("no container can be started".to_owned()),
            },
            () = &mut deadline => ContainerEnd::TimedOut { timeout: in_words(timeout) },
            reason = stop_requested(&mut stopped) => ContainerEnd::StopRequested(reason),
        };
        break (first_live(&run.states), cut);
    };
    run.end(decisive, &others).await
}

impl Run<'_> {
    /// Starts every container whose dependencies have come to where they must be, and ends those whose never will.
    fn start_ready(&mut self) {
        // One start may be what the next one waits for.
        let mut changed = true;
        while std::mem::take(&mut changed) {
            for index in 0..self.states.len() {
                if self.states[index] != State::Waiting {
                    continue;
                }
                match readiness(self.task, index, &self.states) {
                    Readiness::NotYet => continue,
                    Readiness::Never(container) => {
                        self.states[index] = State::Ended(ContainerEnd::DependencyFailed { container });
                    }
                    Readiness::Ready => self.start(index),
                }
                changed = true;
            }
        }
    }

    fn start(&mut self, index: usize) {
        self.states[index] = State::Running;
        let (shared, container) = (self.task.runner.0.clone(), self.task.containers[index].clone());
        let (aws, files) = (self.aws.clone(), self.files.clone());
        let (output, usage) = (self.output.clone(), self.usage[index].clone());
        let (weight, computed) = (container.definition().cpu(), usage.computed.clone());
        let guest = self.share.spawn(weight, computed, self.budget.clone(), async move {
            let inspector = shared.settings.inspector.as_ref();
            container.run(&shared.engine, aws, files, &output, &usage, inspector).await
        });
        self.running.push((index, guest));
    }

    /// The next container that ends, or `None` where none runs.
    async fn next_end(&mut self) -> Option<(usize, Result<ContainerEnd, Cut>)> {
        poll_fn(|context| {
            for place in 0..self.running.len() {
                let (index, guest) = &mut self.running[place];
                if let Poll::Ready(end) = Pin::new(guest).poll(context) {
                    let index = *index;
                    self.running.swap_remove(place);
                    return Poll::Ready(Some((index, end)));
                }
            }
            if self.running.is_empty() { Poll::Ready(None) } else { Poll::Pending }
        })
        .await
    }

    /// Cuts what still runs, with `others` as its end, and waits until its store is gone.
    async fn end(self, decisive: usize, others: &ContainerEnd) -> TaskEnd {
        for (_, guest) in self.running {
            guest.stop().await;
        }
        let ended = self.task.containers.iter().zip(self.states).zip(self.usage);
        let containers = ended.map(|((container, state), usage)| {
            let end = match state {
                State::Ended(end) => end,
                State::Running | State::Waiting => others.clone(),
            };
            let definition = container.definition();
            EndedContainer {
                name: definition.name().to_owned(),
                essential: definition.essential(),
                end,
                peak_memory: usage.peak_memory(),
                cpu_time: usage.cpu_time(),
            }
        });
        TaskEnd { containers: containers.collect(), decisive }
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
            (State::Ended(ContainerEnd::DependencyFailed { .. } | ContainerEnd::FailedToStart(_)), _) => {
                return Readiness::Never(name.to_owned());
            }
            (State::Ended(end), Condition::Success) if !end.success() => return Readiness::Never(name.to_owned()),
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
        matches!(&states[*index], State::Ended(ContainerEnd::FailedToStart(_) | ContainerEnd::DependencyFailed { .. }))
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
