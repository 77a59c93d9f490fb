//! One container: a fresh instance of its image, run to its end under its limits.

use std::sync::Arc;

use bytes::Bytes;
use http::header::HOST;
use http::{HeaderValue, Request};
use http_body_util::Empty;
use rolebox_policy::Region;
use tokio::sync::oneshot;
use wasmtime::Trap;
use wasmtime_wasi::{I32Exit, WasiCtxBuilder};

use super::inspect;
use super::outcome::ContainerEnd;
use super::usage::ContainerUsage;
use super::volumes::Folders;
use crate::definition::{ContainerDefinition, TaskDefinition};
use crate::engine::{Engine, Image, PoolPlaces, Program};
use crate::host::{
    self, AwsCtx, ComponentState, FileWork, Filesystem, GuestAnswer, MemoryLimitExceeded, MemoryLimiter, ModuleState,
    Mount, limited_store,
};
use crate::measure::{Stage, reached};
use crate::output::{OutputLimitExceeded, OutputName, OutputQueue};
use crate::settings::MemoryInspector;
use crate::showable::showable;

/// What a guest sees in place of a key: SDKs refuse to start without one. Visibly not real, and never sent.
const PLACEHOLDER: &str = "rolebox-signs-on-the-host";

/// Variables that the host alone sets, whatever the definition says: a key in a definition would be one in config.
const CREDENTIAL_VARIABLES: [&str; 2] = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"];

/// Beside the largest body, what one host call may hand over: the other parts of a request.
const CALL_OVERHEAD: usize = 1 << 20;

/// A container of a prepared task: everything that its starts have in common.
pub(super) struct PreparedContainer {
    definition: ContainerDefinition,
    image: Arc<Image>,
    environment: Vec<(String, String)>,
    mounts: Arc<[Mount]>,
    call_bytes: usize,
    places: PoolPlaces,
}

impl std::fmt::Debug for PreparedContainer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Without the environment: people put secrets there.
        f.debug_struct("PreparedContainer").field("name", &self.definition.name()).finish_non_exhaustive()
    }
}

impl PreparedContainer {
    pub(super) fn new(
        definition: &ContainerDefinition,
        image: Arc<Image>,
        volumes: &Folders,
        task: &TaskDefinition,
        region: Option<&Region>,
    ) -> Self {
        let region = task.task_role().and(region);
        let mounts = definition.mount_points().iter().filter_map(|mount| {
            let folder = volumes.of(mount.source_volume())?.clone();
            Some(Mount { folder, container_path: mount.container_path().to_owned(), read_only: mount.read_only() })
        });
        let body_bytes = usize::try_from(task.limits().body_bytes).unwrap_or(usize::MAX);
        Self {
            environment: environment(definition.environment(), region),
            mounts: mounts.collect(),
            call_bytes: body_bytes.saturating_add(CALL_OVERHEAD),
            places: PoolPlaces::of(&image.program),
            definition: definition.clone(),
            image,
        }
    }

    pub(super) fn image(&self) -> &Image {
        &self.image
    }

    pub(super) fn definition(&self) -> &ContainerDefinition {
        &self.definition
    }

    /// What one instance of it takes of the pool.
    pub(super) fn places(&self) -> PoolPlaces {
        self.places
    }

    /// What each instance gets of its own: its mount points opened, and its memory's limit.
    async fn opened(
        &self,
        files: FileWork,
        usage: &ContainerUsage,
    ) -> Result<(Filesystem, MemoryLimiter), ContainerEnd> {
        let filesystem = Filesystem::new(self.mounts.clone(), files).await;
        let filesystem = filesystem.map_err(|error| ContainerEnd::FailedToStart(error.to_string()))?;
        Ok((filesystem, MemoryLimiter::new(self.definition.memory().bytes(), usage.peak_memory.clone())))
    }

    /// Runs the container to its own end. To stop it before, drop the future.
    pub(super) async fn run(
        &self,
        engine: &Engine,
        aws: AwsCtx,
        files: FileWork,
        output: &OutputQueue,
        usage: &ContainerUsage,
        inspector: Option<&MemoryInspector>,
    ) -> ContainerEnd {
        let (filesystem, limiter) = match self.opened(files, usage).await {
            Ok(opened) => opened,
            Err(end) => return end,
        };
        let wasi = self.wasi(output);
        let engine = engine.wasmtime();
        reached(Stage::Opened);
        match &self.image.program {
            Program::Component(_) => {
                // Whoever prepared the task has looked for it.
                let Some(command) = self.image.command() else {
                    return ContainerEnd::FailedToStart("the component is no command".to_owned());
                };
                let state = ComponentState::new(wasi, filesystem, aws, limiter);
                let mut store = limited_store(engine, state, self.call_bytes);
                let command = match command.instantiate_async(&mut store).await {
                    Ok(command) => command,
                    Err(error) => return ended(Err(error), false),
                };
                reached(Stage::Instantiated);
                let result = command.wasi_cli_run().call_run(&mut store).await;
                reached(Stage::Returned);
                if let Some(inspector) = inspector {
                    let again = inspect::after(&mut store, result.as_ref().err(), inspector);
                    if again {
                        let trapped = command.wasi_cli_run().call_run(&mut store).await;
                        inspect::after(&mut store, trapped.as_ref().err(), inspector);
                    }
                }
                ended(result.map(|run| i32::from(run.is_err())), true)
            }
            Program::Module(module) => {
                let mut store = limited_store(engine, ModuleState::new(wasi, &filesystem, limiter), self.call_bytes);
                let started = match module.instantiate_async(&mut store).await {
                    Ok(instance) => instance.get_typed_func::<(), ()>(&mut store, "_start"),
                    Err(error) => Err(error),
                };
                let start = match started {
                    Ok(start) => start,
                    Err(error) => return ended(Err(error), false),
                };
                let result = start.call_async(&mut store, ()).await;
                if let Some(inspector) = inspector {
                    let again = inspect::after(&mut store, result.as_ref().err(), inspector);
                    if again {
                        let trapped = start.call_async(&mut store, ()).await;
                        inspect::after(&mut store, trapped.as_ref().err(), inspector);
                    }
                }
                ended(result.map(|()| 0), true)
            }
        }
    }

    /// Has a fresh instance handle one request, until the guest has returned. To stop it before, drop the future; where
    /// `answer` is dropped with it, there was none.
    #[expect(clippy::too_many_arguments, reason = "what a run is given, and the request")]
    pub(super) async fn answer<B>(
        &self,
        engine: &Engine,
        aws: AwsCtx,
        files: FileWork,
        output: &OutputQueue,
        usage: &ContainerUsage,
        inspector: Option<&MemoryInspector>,
        request: Request<B>,
        answer: oneshot::Sender<GuestAnswer>,
    ) -> ContainerEnd
    where
        B: http_body::Body<Data = Bytes, Error = hyper::Error> + Send + 'static,
    {
        let (filesystem, limiter) = match self.opened(files, usage).await {
            Ok(opened) => opened,
            Err(end) => return end,
        };
        // Whoever prepared the task has looked for it.
        let Some(handler) = self.image.handler() else {
            return ContainerEnd::FailedToStart("the component is no handler of requests".to_owned());
        };
        let state = ComponentState::of_request(self.wasi(output), filesystem, aws, limiter);
        let mut store = limited_store(engine.wasmtime(), state, self.call_bytes);
        let handler = match handler.instantiate_async(&mut store).await {
            Ok(handler) => handler,
            Err(error) => return ended(Err(error), false),
        };
        let (request, outparam) = match store.data_mut().incoming(request, answer) {
            Ok(arguments) => arguments,
            Err(error) => return ended(Err(error), false),
        };
        let handler = handler.wasi_http_incoming_handler();
        let result = handler.call_handle(&mut store, request, outparam).await;
        if let Some(inspector) = inspector
            && inspect::after(&mut store, result.as_ref().err(), inspector)
            && let Ok((request, outparam)) = store.data_mut().incoming(nothing(), oneshot::channel().0)
        {
            let trapped = handler.call_handle(&mut store, request, outparam).await;
            inspect::after(&mut store, trapped.as_ref().err(), inspector);
        }
        ended(result.map(|()| 0), true)
    }

    fn wasi(&self, output: &OutputQueue) -> WasiCtxBuilder {
        let mut wasi = host::wasi_builder();
        wasi.args(&self.definition.arguments())
            .envs(&self.environment)
            .stdout(output.stream(OutputName::Stdout))
            .stderr(output.stream(OutputName::Stderr));
        wasi
    }
}

/// A request for a guest that is entered only to be looked at.
fn nothing() -> Request<Empty<Bytes>> {
    let mut request = Request::new(Empty::new());
    request.headers_mut().insert(HOST, HeaderValue::from_static("localhost"));
    request
}

/// The definition's own variables and the few that the host adds where there is a role.
fn environment(own: &[(String, String)], region: Option<&Region>) -> Vec<(String, String)> {
    let mut environment = own.to_vec();
    environment.retain(|(name, _)| !CREDENTIAL_VARIABLES.contains(&name.as_str()));
    let Some(region) = region else { return environment };
    for name in ["AWS_REGION", "AWS_DEFAULT_REGION"] {
        if environment.iter().all(|(own, _)| own != name) {
            environment.push((name.to_owned(), region.to_string()));
        }
    }
    for name in CREDENTIAL_VARIABLES {
        environment.push((name.to_owned(), PLACEHOLDER.to_owned()));
    }
    environment
}

/// What wasmtime's result means. `started` tells a guest's own failure from an instance that never came to be.
fn ended(result: wasmtime::Result<i32>, started: bool) -> ContainerEnd {
    match result {
        Ok(code) => ContainerEnd::Exited(code),
        Err(error) => failure(&error, started),
    }
}

fn failure(error: &wasmtime::Error, started: bool) -> ContainerEnd {
    if let Some(I32Exit(code)) = error.downcast_ref() {
        ContainerEnd::Exited(*code)
    } else if let Some(MemoryLimitExceeded { limit }) = error.downcast_ref() {
        ContainerEnd::OutOfMemory { limit: *limit }
    } else if let Some(OutputLimitExceeded { limit }) = error.downcast_ref() {
        ContainerEnd::OutputLimit { limit: *limit }
    } else if let Some(trap) = error.downcast_ref::<Trap>() {
        ContainerEnd::Trapped(trap.to_string())
    } else if started {
        ContainerEnd::Trapped(showable(&error.root_cause().to_string()))
    } else {
        ContainerEnd::FailedToStart(showable(&format!("{error:#}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variables(own: &[(&str, &str)], region: Option<&str>) -> Vec<String> {
        let own: Vec<_> = own.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let region: Option<Region> = region.map(|region| region.parse().unwrap());
        environment(&own, region.as_ref()).into_iter().map(|(name, value)| format!("{name}={value}")).collect()
    }

    #[test]
    fn the_environment_is_the_definitions_and_what_a_role_needs() {
        assert_eq!(variables(&[("A", "1")], None), ["A=1"]);
        assert_eq!(
            variables(&[("A", "1")], Some("eu-west-1")),
            [
                "A=1",
                "AWS_REGION=eu-west-1",
                "AWS_DEFAULT_REGION=eu-west-1",
                "AWS_ACCESS_KEY_ID=rolebox-signs-on-the-host",
                "AWS_SECRET_ACCESS_KEY=rolebox-signs-on-the-host",
            ]
        );
    }

    #[test]
    fn a_key_in_the_definition_does_not_reach_the_guest_but_a_region_does() {
        let own = [("AWS_SECRET_ACCESS_KEY", "real"), ("AWS_REGION", "eu-north-1")];
        let seen = variables(&own, Some("eu-west-1"));
        assert!(seen.iter().all(|variable| !variable.contains("real")), "{seen:?}");
        assert!(seen.contains(&"AWS_REGION=eu-north-1".to_owned()), "{seen:?}");
    }
}
