//! A task's life: prepared from a definition, running, stopped.
//!
//! Each state is a type of its own, so nothing can be asked of a task that is not in it: a [`PreparedTask`] holds what
//! can be decided before a run (bounds, images, session policy) and can be started many times; a [`RunningTask`] can be
//! stopped and waited for; a [`StoppedTask`] says how it ended, in ECS's words.
//!
//! Absent: clusters, placement and services. They are built on these three.

mod container;
mod containers;
mod inspect;
mod outcome;
mod served;
mod usage;
mod volumes;

use std::sync::{Arc, OnceLock};

use rolebox_policy::RoleArn;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinHandle;
use uuid::Uuid;

use self::container::PreparedContainer;
pub use self::outcome::{StopCode, StoppedContainer, StoppedTask};
pub use self::served::{NetworkBinding, RequestUsage};
use crate::cpu::Executor;
use crate::credentials::{
    AwsSts, AwsStsSettings, ExternalId, RoleSession, RoleSessionError, RoleSessionRequest, RoleSessionRequestError,
    RoleSessions, RoleSessionsSettings, SessionName, SessionPolicyChoice, Sharing, SourceIdentity,
};
use crate::definition::{self, SessionPolicySetting, TaskDefinition, TaskRole};
use crate::egress::{
    CallLimits, Egress, HostEgress, HostRequests, HttpClients, HttpClientsError, TaskCalls, TaskIdentity,
    TaskWithoutRole,
};
use crate::engine::{EPOCH_INTERVAL, Engine, EngineError, EngineSettings, ImageError, ImportedInterface, PoolPlaces};
use crate::host::{AwsCtx, FileWork};
use crate::measure::{Stage, reached};
use crate::output::{OutputQueue, TaskOutput};
use crate::serve::MAX_ALL_CONNECTIONS;
use crate::settings::{AwsSettings, Base, BoundExceeded, RunnerSettings};

/// Runs tasks: one engine, one way out, one set of role sessions. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Runner(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    settings: RunnerSettings,
    engine: Engine,
    guests: Executor,
    aws: Option<Aws>,
    /// Made with the AWS settings, or for the first task that reaches other hosts.
    clients: OnceLock<HttpClients>,
    /// Connections that all containers that serve may have.
    served: Arc<Semaphore>,
}

/// What tasks with a role need.
#[derive(Debug)]
struct Aws {
    settings: AwsSettings,
    egress: Egress,
    sessions: RoleSessions,
}

/// A runner could not be built.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunnerError {
    /// The wasm engine.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The threads that guests run on.
    #[error("the guest threads could not be started: {0}")]
    GuestThreads(#[source] std::io::Error),
    /// The HTTP clients.
    #[error(transparent)]
    HttpClients(#[from] HttpClientsError),
}

/// A definition could not be prepared. Nothing of it has run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PrepareError {
    /// It asks for more than the operator allows; every excess is listed.
    #[error("the task definition exceeds the operator's bounds:{}", listed(.0))]
    Bounds(Vec<BoundExceeded>),
    /// A container's image cannot be loaded.
    #[error("containerDefinitions[{container}].image: {source}")]
    Image {
        /// The container's index in the definition.
        container: usize,
        /// Why.
        #[source]
        source: ImageError,
    },
    /// The task has a role, and the runner has no AWS settings.
    #[error("taskRoleArn: the task has the role {0}, and this runner was built without AWS settings")]
    NoAws(RoleArn),
    /// The task reaches hosts that are not AWS's, and the HTTP clients cannot be built.
    #[error("rolebox.egress: {0}")]
    HttpClients(#[from] HttpClientsError),
    /// The role session's parameters are not what STS takes.
    #[error("rolebox: {0}")]
    RoleSession(#[from] RoleSessionRequestError),
}

fn listed(exceeded: &[BoundExceeded]) -> String {
    exceeded.iter().map(|bound| format!("\n  {bound}")).collect()
}

impl Runner {
    /// Starts an engine for tasks within `settings`.
    ///
    /// # Errors
    ///
    /// When address space cannot be reserved, a thread cannot be started, or TLS cannot be set up.
    pub fn new(settings: RunnerSettings) -> Result<Self, RunnerError> {
        let engine = Engine::new(&EngineSettings {
            max_instances: settings.max_instances,
            max_memory: settings.bounds.max_memory().bytes(),
            images: settings.images.clone(),
            inspectable: settings.inspector.is_some(),
        })?;
        let guests = Executor::start(settings.guest_threads, EPOCH_INTERVAL, engine.pulse().clone())
            .map_err(RunnerError::GuestThreads)?;
        let clients = OnceLock::new();
        let aws = match settings.aws.clone() {
            Some(aws) => Some(Aws::new(aws, made_once(&clients)?, &settings)),
            None => None,
        };
        let settings = RunnerSettings { bounds: settings.bounds(), ..settings };
        let served = Arc::new(Semaphore::new(MAX_ALL_CONNECTIONS));
        Ok(Self(Arc::new(Shared { settings, engine, guests, aws, clients, served })))
    }

    /// Checks `definition` against the operator's bounds and makes its images ready to run.
    ///
    /// # Errors
    ///
    /// [`PrepareError`], which names the place in the definition.
    pub async fn prepare(&self, definition: &TaskDefinition) -> Result<PreparedTask, PrepareError> {
        let admitted = self.0.settings.bounds.admit(definition).map_err(PrepareError::Bounds)?;
        let volumes = volumes::Folders::new(definition, admitted.volumes);
        if let (Some(role), None) = (definition.task_role(), &self.0.aws) {
            return Err(PrepareError::NoAws(role.arn().clone()));
        }
        if !definition.egress().is_empty() {
            self.clients()?;
        }
        let mut containers = Vec::new();
        for (index, (container, file)) in definition.containers().iter().zip(admitted.images).enumerate() {
            let Some(file) = file else {
                let source = ImageError::Registry { reference: container.image().to_string() };
                return Err(PrepareError::Image { container: index, source });
            };
            let image = self.0.engine.images().load(&file).await;
            let image = image.map_err(|source| PrepareError::Image { container: index, source })?;
            if let Err(problem) = image.check_entrance(container.port_mapping().is_some()) {
                let source = ImageError::File { path: file, problem };
                return Err(PrepareError::Image { container: index, source });
            }
            containers.push(Arc::new(PreparedContainer::new(container, image, &volumes, definition, self.region())));
        }
        let prepared = PreparedTask { runner: self.clone(), definition: Arc::new(definition.clone()), containers };
        // Whatever STS would refuse by its form is refused here and not at the first start.
        prepared.session_request(&new_task_id())?;
        Ok(prepared)
    }

    fn clients(&self) -> Result<&HttpClients, HttpClientsError> {
        made_once(&self.0.clients)
    }

    fn region(&self) -> Option<&rolebox_policy::Region> {
        self.0.aws.as_ref().map(|aws| &aws.settings.region)
    }
}

impl Aws {
    fn new(settings: AwsSettings, clients: &HttpClients, runner: &RunnerSettings) -> Self {
        let egress =
            Egress::new(clients.clone(), settings.endpoints.clone(), runner.audit.clone(), runner.time.clone());
        let sts = match &settings.base {
            Base::Sts(sts) => sts.clone(),
            Base::Credentials(base) => {
                let sts =
                    AwsStsSettings::new(settings.region.clone(), base.clone()).with_time_source(runner.time.clone());
                let sts = match settings.endpoints.of("sts") {
                    Some(endpoint) => sts.with_endpoint_url(endpoint.clone()),
                    None => sts,
                };
                Arc::new(AwsSts::new(sts))
            }
        };
        let sessions = RoleSessions::new(sts, RoleSessionsSettings::default().with_time_source(runner.time.clone()));
        Self { settings, egress, sessions }
    }
}

/// The clients that the whole runner shares, made when they are first needed.
fn made_once(clients: &OnceLock<HttpClients>) -> Result<&HttpClients, HttpClientsError> {
    match clients.get() {
        Some(clients) => Ok(clients),
        None => {
            let made = HttpClients::new()?;
            Ok(clients.get_or_init(|| made))
        }
    }
}

/// The form of an ECS task id: 32 hexadecimal digits.
fn new_task_id() -> String {
    Uuid::new_v4().simple().to_string()
}

/// A definition that keeps within the bounds, with its images compiled and linked. It can be started many times.
#[derive(Debug, Clone)]
pub struct PreparedTask {
    runner: Runner,
    definition: Arc<TaskDefinition>,
    containers: Vec<Arc<PreparedContainer>>,
}

impl PreparedTask {
    /// The definition.
    #[must_use]
    pub fn definition(&self) -> &TaskDefinition {
        &self.definition
    }

    /// What each container's image imports, in the definition's order.
    pub fn imports(&self) -> impl Iterator<Item = &[ImportedInterface]> {
        self.containers.iter().map(|container| container.image().imports())
    }

    /// Starts a task: assumes its role, then runs its containers. `output` gets what they print.
    ///
    /// A container with `portMappings` listens from when it is started until the task ends; the task itself then has no
    /// timeout, and ends when it is stopped or a command that is essential ends. [`RunningTask::bindings`] tells where it
    /// listens.
    ///
    /// Must be called within a tokio runtime. The task is stopped when the [`RunningTask`] is dropped.
    #[must_use]
    pub fn start(&self, output: TaskOutput) -> RunningTask {
        let id = new_task_id();
        let (stop, stopped) = watch::channel(None);
        let (listens, bindings) = watch::channel(Vec::new());
        let task = tokio::spawn(self.clone().run(id.clone(), output, stopped, listens));
        RunningTask { id, stop, bindings, task: Some(task) }
    }

    async fn run(
        self,
        id: String,
        output: TaskOutput,
        stopped: watch::Receiver<Option<String>>,
        listens: watch::Sender<Vec<NetworkBinding>>,
    ) -> StoppedTask {
        let limits = *self.definition.limits();
        // Those of a request are taken when it comes: for all that may come there need not be room.
        let commands = self.containers.iter().filter(|container| container.definition().port_mapping().is_none());
        let places = commands.fold(PoolPlaces::default(), |sum, container| sum.and(container.places()));
        // Held until the last of the task's stores is gone.
        let places = match self.runner.0.engine.pool().take(places) {
            Ok(places) => places,
            Err(full) => return StoppedTask::failed_to_start(id, outcome::StartFailure::Failed(full.to_string())),
        };
        let requests = if self.definition.serves() { limits.requests_in_flight } else { 0 };
        let output = OutputQueue::new(output, limits.output_bytes, requests);
        let calls = match self.calls(&id, stopped.clone()).await {
            Ok(calls) => calls,
            Err(failure) => return StoppedTask::failed_to_start(id, failure),
        };
        reached(Stage::SessionBound);
        let calls = calls.map(Arc::new);
        let aws = match &calls {
            Some(calls) => AwsCtx::new(calls.clone()),
            None => AwsCtx::denying(Arc::new(self.without_role(&id))),
        };
        let hosts = match self.hosts(&id, calls.as_deref()) {
            Ok(hosts) => hosts,
            Err(error) => {
                let failure = outcome::StartFailure::Failed(error.to_string());
                return StoppedTask::failed_to_start(id, failure);
            }
        };
        let aws = aws.with_hosts(hosts.clone());
        let files = FileWork::new(limits.open_files);
        let task =
            containers::Task { prepared: &self, id: &id, aws: &aws, files: &files, output: &output, listens: &listens };
        let ends = containers::run(task, stopped).await;
        reached(Stage::TornDown);
        drop(listens);
        drop((aws, places));
        let grace = self.runner.0.settings.output_grace;
        let written = output.finish(grace).await;
        let settled = tokio::time::timeout(grace, async {
            // Calls that the end cut are given up by now, each with its record; then the log is complete.
            if let Some(calls) = &calls {
                calls.idle().await;
            }
            if let Some(hosts) = &hosts {
                hosts.idle().await;
            }
            self.runner.0.settings.audit.flush().await
        });
        // Beside it: a file operation that the system does not end delays nothing else.
        let (settled, files_ended) = tokio::join!(settled, tokio::time::timeout(grace, files.idle()));
        if files_ended.is_err() {
            tracing::error!(task_id = id, "a file operation of a task that has ended is still under way");
        }
        match settled {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::error!(%error, task_id = id, "the audit of a task that has ended is incomplete"),
            Err(_) => tracing::error!(task_id = id, "the audit of a task that has ended is still being written"),
        }
        let usage = calls.as_ref().map(|calls| calls.usage()).or(hosts.as_ref().map(|hosts| hosts.usage()));
        let usage = usage.unwrap_or_default();
        // Our copies of the session's keys are zeroized with the last of these.
        drop(calls);
        StoppedTask::ended(id, ends, usage, written)
    }

    /// The task as one whose every AWS call is denied and recorded.
    fn without_role(&self, id: &str) -> TaskWithoutRole {
        let RunnerSettings { audit, time, .. } = &self.runner.0.settings;
        TaskWithoutRole::new(audit.clone(), time.clone(), id.to_owned(), self.definition.family().to_owned())
    }

    /// The task's way to hosts that are not AWS's; `None` where its definition names none.
    fn hosts(&self, id: &str, calls: Option<&TaskCalls>) -> Result<Option<Arc<HostRequests>>, HttpClientsError> {
        let names = self.definition.egress();
        if names.is_empty() {
            return Ok(None);
        }
        let RunnerSettings { audit, time, .. } = &self.runner.0.settings;
        let clients = self.runner.clients()?.clone();
        let egress = HostEgress { clients, audit: audit.clone(), time: time.clone() };
        let requests = match calls {
            Some(calls) => HostRequests::beside(egress, names.to_vec(), calls),
            None => {
                let limits = CallLimits::from(self.definition.limits());
                HostRequests::alone(egress, names.to_vec(), limits, id, self.definition.family())
            }
        };
        Ok(Some(Arc::new(requests)))
    }

    /// The task's authority to call AWS, with its role assumed; `None` where it has no role.
    async fn calls(
        &self,
        id: &str,
        mut stopped: watch::Receiver<Option<String>>,
    ) -> Result<Option<TaskCalls>, outcome::StartFailure> {
        let (Some(role), Some(aws)) = (self.definition.task_role(), &self.runner.0.aws) else { return Ok(None) };
        let (request, sharing) = match self.session_request(id) {
            Ok(Some(request)) => request,
            Ok(None) => return Ok(None),
            Err(error) => return Err(outcome::StartFailure::Failed(error.to_string())),
        };
        let session = tokio::select! {
            session = aws.sessions.open(request, sharing) => session,
            reason = containers::stop_requested(&mut stopped) => return Err(outcome::StartFailure::Stopped(reason)),
        };
        let session: RoleSession = session.map_err(|error: RoleSessionError| {
            outcome::StartFailure::Failed(format!("unable to assume the task role: {error}"))
        })?;
        let identity = TaskIdentity {
            task_id: id.to_owned(),
            family: self.definition.family().to_owned(),
            role: role.arn().clone(),
            region: aws.settings.region.clone(),
            capabilities: role.capabilities().clone(),
        };
        let limits = CallLimits::from(self.definition.limits());
        let calls = TaskCalls::new(aws.egress.clone(), identity, session, limits);
        Ok(Some(if role.unsigned_payload() { calls.allow_unsigned_payload() } else { calls }))
    }

    /// Every AssumeRole input of a task with this id.
    fn session_request(&self, id: &str) -> Result<Option<(RoleSessionRequest, Sharing)>, RoleSessionRequestError> {
        let (Some(role), Some(aws)) = (self.definition.task_role(), &self.runner.0.aws) else { return Ok(None) };
        let (name, sharing) = match role.role_session() {
            definition::RoleSession::PerTask => (SessionName::new(id)?, Sharing::Private),
            definition::RoleSession::PerDefinition => {
                (SessionName::for_definition(self.definition.family(), REVISION)?, Sharing::Shared)
            }
        };
        let request = session_request(role, name)?.with_base_identity(aws.settings.base_identity);
        let request = match (role.session_tags(), sharing) {
            (false, _) => request,
            (true, Sharing::Private) => request.with_tags([("family", self.definition.family()), ("task-id", id)])?,
            // A tag that differs by task would make every request another one, and nothing would be shared.
            (true, Sharing::Shared) => request.with_tags([("family", self.definition.family())])?,
        };
        Ok(Some((request, sharing)))
    }
}

/// The revision of a definition that was never registered anywhere.
const REVISION: u32 = 1;

fn session_request(role: &TaskRole, name: SessionName) -> Result<RoleSessionRequest, RoleSessionRequestError> {
    let policy = match role.session_policy() {
        SessionPolicySetting::Required(policy) => SessionPolicyChoice::Required(policy.clone()),
        SessionPolicySetting::Off => SessionPolicyChoice::Off,
    };
    let mut request =
        RoleSessionRequest::new(role.arn().clone(), name, policy).with_duration(role.session_duration())?;
    if let Some(external_id) = role.external_id() {
        request = request.with_external_id(ExternalId::new(external_id)?);
    }
    if let Some(source_identity) = role.source_identity() {
        request = request.with_source_identity(SourceIdentity::new(source_identity)?);
    }
    Ok(request)
}

/// A task that was started. Dropping it stops the task.
#[derive(Debug)]
pub struct RunningTask {
    id: String,
    stop: watch::Sender<Option<String>>,
    bindings: watch::Receiver<Vec<NetworkBinding>>,
    task: Option<JoinHandle<StoppedTask>>,
}

/// Where a task's containers listen, each as soon as it does.
#[derive(Debug, Clone)]
pub struct Bindings {
    all: watch::Receiver<Vec<NetworkBinding>>,
    seen: usize,
}

impl Bindings {
    /// The next container that listens, or `None` when none will any more: the task has ended, or is about to.
    ///
    /// May be dropped and called again; nothing is lost.
    pub async fn next(&mut self) -> Option<NetworkBinding> {
        let seen = self.seen;
        let binding = self.all.wait_for(|all| all.len() > seen).await.ok()?.get(seen).cloned();
        self.seen += 1;
        binding
    }
}

impl RunningTask {
    /// The ECS task id: 32 hexadecimal digits, and the name of the task's role session.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Where its containers with `portMappings` listen, from the first one on.
    #[must_use]
    pub fn bindings(&self) -> Bindings {
        Bindings { all: self.bindings.clone(), seen: 0 }
    }

    /// Asks the task to stop, as ECS's StopTask does; `reason` becomes its `stoppedReason`. [`RunningTask::wait`] tells
    /// when it has. Of several reasons the first one stands. Requests in flight have 5 s to be answered.
    pub fn stop(&self, reason: impl Into<String>) {
        let reason = reason.into();
        self.stop.send_if_modified(|current| {
            let first = current.is_none();
            if first {
                *current = Some(reason);
            }
            first
        });
    }

    /// Waits for the task to end. No guest code of it runs afterwards, and no call of it is signed or sent. Output, audit
    /// records, calls that are being given up and file operations that the system has begun are waited for, for as long
    /// as [`with_output_grace`](RunnerSettings::with_output_grace) says.
    ///
    /// May be dropped and called again: the outcome is kept until it has been returned.
    pub async fn wait(&mut self) -> StoppedTask {
        let Some(task) = &mut self.task else {
            return StoppedTask::failed_to_start(
                self.id.clone(),
                outcome::StartFailure::Failed("waited for twice".into()),
            );
        };
        let ended = task.await;
        self.task = None;
        ended.unwrap_or_else(|error| {
            // A panic in the host is a defect of ours; the task is over, and the runner lives on.
            tracing::error!(task_id = self.id, %error, "the task's host code failed");
            let failure = outcome::StartFailure::Failed("the host failed while running the task".to_owned());
            StoppedTask::failed_to_start(self.id.clone(), failure)
        })
    }
}

impl Drop for RunningTask {
    fn drop(&mut self) {
        self.stop("the task's handle was dropped");
    }
}
