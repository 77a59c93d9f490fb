//! Which containers wait for which, and what only all containers together show.

use std::collections::{BTreeMap, BTreeSet};

use super::container::ContainerDefinition;
use super::port::PortMapping;
use super::problem::{Location, Problems, quoted};
use super::raw::RawDependency;

/// A container that another one waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dependency {
    container_name: String,
    condition: Condition,
}

impl Dependency {
    /// The name of another container of the task.
    #[must_use]
    pub fn container_name(&self) -> &str {
        &self.container_name
    }

    /// What it must have done.
    #[must_use]
    pub fn condition(&self) -> Condition {
        self.condition
    }
}

/// What a container waits for in another. ECS's `HEALTHY` is refused: there are no health checks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Condition {
    /// It has started; for a container with `portMappings`, that it listens.
    Start,
    /// It has ended. Only for a command that is not essential.
    Complete,
    /// It has ended with exit code 0. Only for a command that is not essential.
    Success,
}

/// Reads `dependsOn`; whether the containers exist is seen when all are read.
pub(super) fn dependencies(raw: Vec<RawDependency>, at: &Location, problems: &mut Problems) -> Vec<Dependency> {
    let mut dependencies = Vec::new();
    for (index, dependency) in raw.into_iter().enumerate() {
        let at = at.index(index);
        let condition = match dependency.condition.as_deref() {
            Some("START") => Condition::Start,
            Some("COMPLETE") => Condition::Complete,
            Some("SUCCESS") => Condition::Success,
            Some("HEALTHY") => {
                problems.add(
                    &at.key("condition"),
                    "refused: HEALTHY needs a health check, and none is run",
                    "Wait for START, COMPLETE or SUCCESS.",
                );
                continue;
            }
            other => {
                problems.add(
                    &at.key("condition"),
                    format!("{} is not a condition", quoted(other.unwrap_or_default())),
                    "Give START, COMPLETE or SUCCESS.",
                );
                continue;
            }
        };
        dependencies.push(Dependency { container_name: dependency.container_name.unwrap_or_default(), condition });
    }
    dependencies
}

/// Checks what only all containers together show: names, who is essential, who waits for whom.
pub(super) fn check_together(containers: &[ContainerDefinition], at: &Location, problems: &mut Problems) {
    let mut names = BTreeSet::new();
    for (index, container) in containers.iter().enumerate() {
        if !names.insert(container.name()) {
            problems.add(
                &at.index(index).key("name"),
                format!("two containers are named {}", quoted(container.name())),
                "Give each its own name.",
            );
        }
    }
    if !containers.iter().any(ContainerDefinition::essential) {
        problems.add(
            at,
            "no container is essential, so nothing would end the task",
            "Leave \"essential\" out, or make it true, in one of them.",
        );
    }
    check_host_ports(containers, at, problems);
    for (index, container) in containers.iter().enumerate() {
        check_dependencies(container, containers, &at.index(index).key("dependsOn"), problems);
    }
    if let Some(cycle) = cycle(containers) {
        problems.add(
            at,
            format!("containers wait for each other in a circle: {}", cycle.join(" waits for ")),
            "Take one of these dependsOn away.",
        );
    }
}

fn check_host_ports(containers: &[ContainerDefinition], at: &Location, problems: &mut Problems) {
    let mut ports = BTreeMap::new();
    for (index, container) in containers.iter().enumerate() {
        // Each that leaves it to the host gets a port of its own.
        let Some(port) = container.port_mapping().map(PortMapping::host_port).filter(|port| *port != 0) else {
            continue;
        };
        if let Some(other) = ports.insert(port, container.name()) {
            problems.add(
                &at.index(index).key("portMappings").index(0).key("hostPort"),
                format!("the container {} has the host port {port} already", quoted(other)),
                "Give each its own, or 0 for a free one.",
            );
        }
    }
}

fn check_dependencies(
    container: &ContainerDefinition,
    containers: &[ContainerDefinition],
    at: &Location,
    problems: &mut Problems,
) {
    let mut names = BTreeSet::new();
    for (index, dependency) in container.depends_on().iter().enumerate() {
        let name_at = at.index(index).key("containerName");
        let name = dependency.container_name();
        let Some(other) = containers.iter().find(|other| other.name() == name) else {
            problems.add(
                &name_at,
                format!("the task has no container {}", quoted(name)),
                "Name one of its containers.",
            );
            continue;
        };
        if !names.insert(name) {
            problems.add(
                &name_at,
                format!("the container waits for {} twice", quoted(name)),
                "Keep the condition that you mean.",
            );
        }
        // <https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDependency.html>
        if dependency.condition() != Condition::Start && other.essential() {
            problems.add(
                &at.index(index).key("condition"),
                format!("{} is essential: when it ends, the task does", quoted(name)),
                "Give it \"essential\": false, or wait for START.",
            );
        } else if dependency.condition() != Condition::Start && other.port_mapping().is_some() {
            problems.add(
                &at.index(index).key("condition"),
                format!("{} serves requests until the task ends", quoted(name)),
                "Wait for START: that it listens.",
            );
        }
    }
}

/// One circle of waiting containers, its first name again at the end.
fn cycle(containers: &[ContainerDefinition]) -> Option<Vec<&str>> {
    // Whoever waits only for containers that can start can start too. The rest wait, directly or not, for a circle.
    let mut waiting: Vec<&ContainerDefinition> = containers.iter().collect();
    loop {
        let before = waiting.len();
        let names: BTreeSet<&str> = waiting.iter().map(|container| container.name()).collect();
        waiting.retain(|container| waits_for(container, &names).is_some());
        if waiting.len() == before {
            break;
        }
    }
    let names: BTreeSet<&str> = waiting.iter().map(|container| container.name()).collect();
    // Each of these waits for another of these: following them comes back to one seen before.
    let mut path = vec![waiting.first()?.name()];
    loop {
        let last = path.last()?;
        let container = waiting.iter().find(|container| container.name() == *last)?;
        let next = waits_for(container, &names)?;
        if let Some(start) = path.iter().position(|name| *name == next) {
            path.push(next);
            return Some(path.split_off(start));
        }
        path.push(next);
    }
}

/// The first of `names` that `container` waits for.
fn waits_for<'a>(container: &'a ContainerDefinition, names: &BTreeSet<&str>) -> Option<&'a str> {
    container.depends_on().iter().map(Dependency::container_name).find(|name| names.contains(name))
}
