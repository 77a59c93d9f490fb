//! Runs a task's containers together: in the order of their dependencies, until an essential one ends.
//!
//! Containers that serve are drained before the rest is cut.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::sync::watch;

use super::PreparedTask;
use super::outcome::{ContainerEnd, EndedContainer, TaskEnd, in_words};
use super::served::{Admission, Handler, NetworkBinding, Server, Stage};
use super::usage::ContainerUsage;
use crate::cpu::{CpuBudget, Cut, FirstTurn, Guest, TaskShare};
use crate::definition::{Condition, PortMapping};
use crate::host::{AwsCtx, FileWork};
use crate::output::OutputQueue;

/// Where each container stands.
#[derive(Debug, Clone, PartialEq, Eq)]
enum State {
    Waiting,
    Running,
    Ended(ContainerEnd),
}

/// What a task's containers share.
#[derive(Clone, Copy)]
pub(super) struct Task<'a> {
    pub(super) prepared: &'a PreparedTask,
    pub(super) id: &'a str,
    pub(super) aws: &'a AwsCtx,
    pub(super) files: &'a FileWork,
    pub(super) output: &'a OutputQueue,
    /// Told of each container that listens.
    pub(super) listens: &'a watch::Sender<Vec<NetworkBinding>>,
}

/// One run of a task's containers.
struct Run<'a> {
    task: Task<'a>,
    share: Arc<TaskShare>,
    budget: Option<CpuBudget>,
    admission: Admission,
    states: Vec<State>,
    usage: Vec<ContainerUsage>,
    running: Vec<(usize, Running)>,
}

/// A container that runs.
enum Running {
    Command(Guest<ContainerEnd>),
    Server(Server),
}

impl Future for Running {
    type Output = Result<ContainerEnd, Cut>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut *self {
            Self::Command(guest) => Pin::new(guest).poll(context),
            // One that listens no more without having been asked to.
            Self::Server(server) => Pin::new(server).poll(context).map(|()| Err(Cut::Panicked)),
        }
    }
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
pub(super) async fn run(task: Task<'_>, mut stopped: watch::Receiver<Option<String>>) -> TaskEnd {
    let (definition, count) = (&task.prepared.definition, task.prepared.containers.len());
    let mut run = Run {
        task,
        share: Arc::new(task.prepared.runner.0.guests.share(definition.cpu_share(), definition.cpu_limit())),
        budget: definition.limits().cpu_time.map(CpuBudget::new),
        admission: Admission::new(definition),
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
        if let Some(index) = decided(task.prepared, &run.states) {
            break (index, ContainerEnd::TaskStopping);
        }
        let cut = tokio::select! {
            ended = run.next_end() => match ended {
                Some((index, Ok(end))) => {
                    run.states[index] = State::Ended(end);
                    continue;
                }
                Some((index, Err(cut))) => break (index, ended_by(cut, definition.limits().cpu_time)),
                // `decided` finds a decisive container when none runs; a definition has an essential one.
                None => ContainerEnd::FailedToStart("no container can be started".to_owned()),
            },
            // One that serves is meant to go on: there, the timeout is each request's and each command's.
            () = &mut deadline, if !definition.serves() => ContainerEnd::TimedOut { timeout: in_words(timeout) },
            reason = stop_requested(&mut stopped) => ContainerEnd::StopRequested(reason),
        };
        break (first_live(task.prepared, &run.states), cut);
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
                match readiness(self.task.prepared, index, &self.states) {
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
        let running = match self.task.prepared.containers[index].definition().port_mapping() {
            None => Running::Command(self.command(index)),
            Some(mapping) => match self.server(index, mapping) {
                Ok(server) => Running::Server(server),
                Err(why) => {
                    self.states[index] = State::Ended(ContainerEnd::FailedToStart(why));
                    return;
                }
            },
        };
        self.running.push((index, running));
    }

    fn command(&self, index: usize) -> Guest<ContainerEnd> {
        let Task { prepared, aws, files, output, .. } = self.task;
        let (shared, container) = (prepared.runner.0.clone(), prepared.containers[index].clone());
        let (aws, files, output, usage) = (aws.clone(), files.clone(), output.clone(), self.usage[index].clone());
        let (weight, computed) = (container.definition().cpu(), usage.computed.clone());
        // The task that it is beside has no timeout, and a command is not to compute for ever by it.
        let timeout = prepared.definition.serves().then(|| prepared.definition.timeout());
        self.share.spawn(weight, computed, self.budget.clone(), FirstTurn::Here, async move {
            let inspector = shared.settings.inspector.as_ref();
            let end = container.run(&shared.engine, aws, files, &output, &usage, inspector);
            let Some(timeout) = timeout else { return end.await };
            let ended = tokio::time::timeout(timeout, end).await;
            ended.unwrap_or_else(|_| ContainerEnd::TimedOut { timeout: in_words(timeout) })
        })
    }

    fn server(&self, index: usize, mapping: &PortMapping) -> Result<Server, String> {
        let Task { prepared, id, aws, files, output, listens } = self.task;
        let (stage, reached) = watch::channel(Stage::Serving);
        let handler = Handler {
            shared: prepared.runner.0.clone(),
            task_id: id.to_owned(),
            container: prepared.containers[index].clone(),
            aws: aws.clone(),
            files: files.clone(),
            output: output.clone(),
            usage: self.usage[index].clone(),
            share: self.share.clone(),
            admission: self.admission.clone(),
            timeout: prepared.definition.timeout(),
            cpu_time: prepared.definition.limits().cpu_time,
            stage: reached,
        };
        let (server, binding) = Server::start(stage, handler, mapping)?;
        listens.send_modify(|bindings| bindings.push(binding));
        Ok(server)
    }

    /// The next container that ends, or `None` where none runs.
    async fn next_end(&mut self) -> Option<(usize, Result<ContainerEnd, Cut>)> {
        poll_fn(|context| {
            for place in 0..self.running.len() {
                let (index, running) = &mut self.running[place];
                if let Poll::Ready(end) = Pin::new(running).poll(context) {
                    let index = *index;
                    self.running.swap_remove(place);
                    return Poll::Ready(Some((index, end)));
                }
            }
            if self.running.is_empty() { Poll::Ready(None) } else { Poll::Pending }
        })
        .await
    }

    /// Drains what serves, then cuts what still runs, with `others` as its end, and waits until all stores are gone.
    async fn end(mut self, decisive: usize, others: &ContainerEnd) -> TaskEnd {
        let requested = match others {
            ContainerEnd::StopRequested(reason) => Some(reason.clone()),
            _ => None,
        };
        let (mut guests, mut servers) = (Vec::new(), Vec::new());
        for (index, running) in std::mem::take(&mut self.running) {
            match running {
                Running::Command(guest) => guests.push(guest),
                // Each on its own, so that their graces run at the same time.
                Running::Server(server) => servers.push((index, tokio::spawn(server.stop()))),
            }
        }
        for (index, stopping) in servers {
            if stopping.await.unwrap_or(false) {
                self.states[index] = State::Ended(ContainerEnd::Drained { requested: requested.clone() });
            }
        }
        for guest in guests {
            guest.stop().await;
        }
        let ended = self.task.prepared.containers.iter().zip(self.states).zip(self.usage);
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
                requests: definition.port_mapping().map(|_| usage.requests.usage()),
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

/// The container to name when the task as a whole is ended: the first one that has not ended, an essential one if there is.
fn first_live(task: &PreparedTask, states: &[State]) -> usize {
    let live = |index: &usize| !matches!(states[*index], State::Ended(..));
    let essential = |index: &usize| task.containers[*index].definition().essential();
    let all = 0..states.len();
    let first = all.clone().filter(live).find(essential).or_else(|| all.clone().find(live));
    first.unwrap_or_default()
}

/// The end of a container that did not end by itself, and of all that run beside it.
fn ended_by(cut: Cut, cpu_time: Option<Duration>) -> ContainerEnd {
    match cut {
        Cut::CpuTime => ContainerEnd::CpuTime { limit: in_words(cpu_time.unwrap_or_default()) },
        // A panic in a host function: a defect of ours that ends the task and nothing else.
        Cut::Panicked => ContainerEnd::FailedToStart("the host failed while running the task".to_owned()),
        Cut::Stopped => ContainerEnd::StopRequested("the runner was closed".to_owned()),
    }
}
