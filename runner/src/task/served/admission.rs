//! Which requests are let in: a task's containers share the places.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::definition::{Mebibytes, TaskDefinition};

/// The places of one task. Clones share them.
#[derive(Debug, Clone)]
pub(in crate::task) struct Admission {
    requests: Arc<Semaphore>,
    /// In MiB; none where the task has no `memory` of its own.
    memory: Option<Arc<Semaphore>>,
}

/// A place, given back when this is dropped.
#[derive(Debug)]
pub(super) struct Place {
    _request: OwnedSemaphorePermit,
    _memory: Option<OwnedSemaphorePermit>,
}

impl Admission {
    /// As many places as the definition's `requestsInFlight`, in what the task's own `memory` leaves beside its commands.
    pub(in crate::task) fn new(definition: &TaskDefinition) -> Self {
        let commands = definition.containers().iter().filter(|container| container.port_mapping().is_none());
        let commands: u32 = commands.map(|container| container.memory().get()).sum();
        let memory = definition.memory().map(|memory| memory.get().saturating_sub(commands));
        let semaphore = |places: u32| Arc::new(Semaphore::new(usize::try_from(places).unwrap_or(usize::MAX)));
        Self { requests: semaphore(definition.limits().requests_in_flight), memory: memory.map(semaphore) }
    }

    /// A place for a request whose container has this `memory`, if there is one.
    pub(super) fn take(&self, memory: Mebibytes) -> Option<Place> {
        let request = self.requests.clone().try_acquire_owned().ok()?;
        let memory = match &self.memory {
            Some(all) => Some(all.clone().try_acquire_many_owned(memory.get()).ok()?),
            None => None,
        };
        Some(Place { _request: request, _memory: memory })
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use serde_json::{Value, json};

    use super::*;

    const SMALL: Mebibytes = Mebibytes::new(64);

    fn admission(memory: Value, requests_in_flight: u32) -> Admission {
        let definition = json!({
            "family": "test",
            "memory": memory,
            "containerDefinitions": [
                {"name": "web", "image": "web.wasm", "memory": 64, "portMappings": [{"containerPort": 80}]},
                {"name": "large", "image": "web.wasm", "memory": 128, "portMappings": [{"containerPort": 81}]},
                {"name": "beside", "image": "app.wasm", "memory": 100, "essential": false},
            ],
            "rolebox": {"limits": {"requestsInFlight": requests_in_flight}},
        });
        Admission::new(&TaskDefinition::from_value(definition, Path::new(".")).unwrap())
    }

    #[test]
    fn there_are_as_many_places_as_the_definition_says() {
        let admission = admission(Value::Null, 2);
        let places = [admission.take(SMALL).unwrap(), admission.clone().take(Mebibytes::new(128)).unwrap()];
        assert!(admission.take(SMALL).is_none());
        drop(places);
        assert!(admission.take(SMALL).is_some());
    }

    #[test]
    fn the_tasks_own_memory_has_room_for_its_commands_and_for_the_requests() {
        // 192 MiB are for requests.
        let admission = admission(json!("292"), 64);
        let large = admission.take(Mebibytes::new(128)).unwrap();
        assert!(admission.take(Mebibytes::new(128)).is_none());
        let _small = admission.take(SMALL).unwrap();
        assert!(admission.take(SMALL).is_none());
        drop(large);
        // What was refused took nothing.
        let _two = [admission.take(SMALL).unwrap(), admission.take(SMALL).unwrap()];
        assert!(admission.take(SMALL).is_none());
    }
}
