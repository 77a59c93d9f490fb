//! What a runner is built from: explicit values, and the operator's bounds on what definitions may ask for.
//!
//! The library reads no process environment, no home directory and no configuration file: an embedder passes values,
//! and the `rolebox` command is one embedder. A definition asks; the bounds decide, and by default they allow nothing
//! that a definition could reach the host or a role by.

mod bounds;
mod images;

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_async::time::SharedTimeSource;
use rolebox_policy::Region;

pub(crate) use self::bounds::descriptor_path;
pub use self::bounds::{BoundCheck, BoundExceeded, OperatorBounds, RaisedBy};
pub(crate) use self::images::ImageSettings;
use crate::credentials::{BaseIdentity, Sts};
use crate::egress::Endpoints;
use crate::egress::audit::{AuditSink, TracingAudit};

/// How many instances exist at once by default: a thousand, each a slot of address space and not of memory.
const DEFAULT_MAX_INSTANCES: u32 = 1_000;

/// How long STOPPED waits by default for output that somebody may still read.
const DEFAULT_OUTPUT_GRACE: Duration = Duration::from_secs(2);

/// Sees each linear memory of a guest that has ended; see [`RunnerSettings::inspect_memory`].
pub type MemoryInspector = Arc<dyn Fn(&[u8]) + Send + Sync>;

/// Everything that a [`Runner`](crate::Runner) is told.
#[derive(Clone)]
pub struct RunnerSettings {
    pub(crate) bounds: OperatorBounds,
    pub(crate) aws: Option<AwsSettings>,
    pub(crate) images: ImageSettings,
    pub(crate) audit: Arc<dyn AuditSink>,
    pub(crate) time: SharedTimeSource,
    pub(crate) max_instances: u32,
    pub(crate) guest_threads: usize,
    pub(crate) listen_address: IpAddr,
    pub(crate) output_grace: Duration,
    pub(crate) inspector: Option<MemoryInspector>,
}

impl fmt::Debug for RunnerSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RunnerSettings")
            .field("bounds", &self.bounds)
            .field("aws", &self.aws)
            .field("images", &self.images)
            .field("max_instances", &self.max_instances)
            .finish_non_exhaustive()
    }
}

impl RunnerSettings {
    /// Settings within `bounds`: no AWS, no compiled-code cache, and an audit that only emits `tracing` events.
    #[must_use]
    pub fn new(bounds: OperatorBounds) -> Self {
        Self {
            bounds,
            aws: None,
            images: ImageSettings::default(),
            audit: Arc::new(TracingAudit),
            time: SharedTimeSource::default(),
            max_instances: DEFAULT_MAX_INSTANCES,
            guest_threads: std::thread::available_parallelism().map_or(1, usize::from),
            listen_address: Ipv4Addr::LOCALHOST.into(),
            output_grace: DEFAULT_OUTPUT_GRACE,
            inspector: None,
        }
    }

    /// Other bounds than those of [`RunnerSettings::new`].
    #[must_use]
    pub fn with_bounds(mut self, bounds: OperatorBounds) -> Self {
        self.bounds = bounds;
        self
    }

    /// The bounds that definitions are held to: those that were given, and no volume in the compiled-code cache.
    #[must_use]
    pub fn bounds(&self) -> OperatorBounds {
        let bounds = self.bounds.clone();
        match self.images.code_cache() {
            Some(cache) => bounds.protect(cache),
            None => bounds,
        }
    }

    /// Tasks may have roles, which are assumed as these settings say. Without them a task with a role is refused.
    #[must_use]
    pub fn with_aws(mut self, aws: AwsSettings) -> Self {
        self.aws = Some(aws);
        self
    }

    /// Calls are recorded here; a call that cannot be recorded is denied. Default: `tracing` events only.
    #[must_use]
    pub fn with_audit(mut self, audit: Arc<dyn AuditSink>) -> Self {
        self.audit = audit;
        self
    }

    /// Signatures, expiry and records take their time from here. Default: the system's clock.
    #[must_use]
    pub fn with_time_source(mut self, time: SharedTimeSource) -> Self {
        self.time = time;
        self
    }

    /// How many instances exist at once, 1,000 by default. Each reserves some 8 GiB of address space, not of memory, and the
    /// pool has two linear memories and four tables for each. A task for which there is no room is refused when it starts, and
    /// a request to one that serves is answered with 503.
    #[must_use]
    pub fn with_max_instances(mut self, max_instances: u32) -> Self {
        self.max_instances = max_instances;
        self
    }

    /// How many threads guests run on, and so how many of them compute at once; by default as many as the system gives this
    /// process cores. The `cpu` of tasks is a share of these.
    #[must_use]
    pub fn with_guest_threads(mut self, guest_threads: usize) -> Self {
        self.guest_threads = guest_threads.max(1);
        self
    }

    /// The address on which containers with `portMappings` are served, 127.0.0.1 by default: whoever reaches it may use them.
    /// Which ports of it they may have is a bound, [`OperatorBounds::allow_host_port`].
    #[must_use]
    pub fn with_listen_address(mut self, address: IpAddr) -> Self {
        self.listen_address = address;
        self
    }

    /// How long the end of a task waits for its output to be written, and as long again for its audit records; 2 s by
    /// default.
    #[must_use]
    pub fn with_output_grace(mut self, grace: Duration) -> Self {
        self.output_grace = grace;
        self
    }

    /// Shows `inspector` every linear memory of every guest that has ended by itself, well or with a trap. One that a
    /// timeout or a stop ended is gone before it could be looked at.
    ///
    /// For tests and demonstrations that look for what must not be there. It makes each ending slower, and it is not a
    /// way to talk to guests.
    #[must_use]
    pub fn inspect_memory(mut self, inspector: MemoryInspector) -> Self {
        self.inspector = Some(inspector);
        self
    }
}

/// How roles are assumed and AWS is reached.
#[derive(Debug, Clone)]
pub struct AwsSettings {
    pub(crate) region: Region,
    pub(crate) base: Base,
    pub(crate) base_identity: BaseIdentity,
    pub(crate) endpoints: Endpoints,
}

/// Who answers AssumeRole.
#[derive(Debug, Clone)]
pub(crate) enum Base {
    /// STS, asked with the host's own credentials.
    Credentials(SharedCredentialsProvider),
    /// Somebody else: a broker, or a test.
    Sts(Arc<dyn Sts>),
}

impl AwsSettings {
    /// Calls go to `region` unless they name another; roles are assumed with `base`, the host's own credentials, which
    /// need no permission but `sts:AssumeRole` on the task roles.
    #[must_use]
    pub fn new(region: Region, base: SharedCredentialsProvider) -> Self {
        Self {
            region,
            base: Base::Credentials(base),
            base_identity: BaseIdentity::default(),
            endpoints: Endpoints::public(),
        }
    }

    /// The same, with role sessions from `sts` and no credentials in this process but those.
    #[must_use]
    pub fn with_sts(region: Region, sts: Arc<dyn Sts>) -> Self {
        Self { region, base: Base::Sts(sts), base_identity: BaseIdentity::default(), endpoints: Endpoints::public() }
    }

    /// Says that the base credentials are themselves a role's session, which STS chains for one hour at most.
    #[must_use]
    pub fn with_base_identity(mut self, base_identity: BaseIdentity) -> Self {
        self.base_identity = base_identity;
        self
    }

    /// Calls, AssumeRole among them, go to the operator's own endpoints.
    #[must_use]
    pub fn with_endpoints(mut self, endpoints: Endpoints) -> Self {
        self.endpoints = endpoints;
        self
    }
}
