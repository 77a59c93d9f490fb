//! What a guest sees of the host: the state behind each store, and the linkers that offer WASI 0.2, WASI preview 1 and
//! `rolebox:aws`.
//!
//! `wasi:sockets` is linked, because guests of some languages import it whole, and refuses every use: no address may
//! be used and no name is looked up. `wasi:http` leads into the same way out as the typed call. Files are our own in both
//! versions of WASI: wasmtime-wasi has no folder to open anything in.

mod filesystem;
mod http;
mod incoming;
mod limits;
mod preview1;
mod signed_call;

use wasmtime::component::Linker;
use wasmtime::{Engine, Store};
use wasmtime_wasi::{WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

use self::filesystem::FilesystemView;
pub(crate) use self::filesystem::{FileWork, Filesystem, Mount};
use self::http::HttpDoor;
pub(crate) use self::incoming::GuestAnswer;
use self::incoming::Resources;
pub(crate) use self::limits::{MemoryLimitExceeded, MemoryLimiter};
use self::preview1::Preview1;
pub use self::signed_call::{AwsCtx, add_to_linker};

/// Entries of a guest's resource table: open files, streams, pollables, requests. wasmtime's own default is a million. A
/// request whose body was never sent keeps its buffers, and a stream what it has read ahead.
const MAX_RESOURCES: usize = 1_024;

/// The same for an instance that answers one request: there are as many at once as `requestsInFlight`.
const MAX_REQUEST_RESOURCES: usize = 256;

/// The header fields of one request or answer, in bytes: four times what S3 takes.
const MAX_FIELD_BYTES: usize = 32 << 10;

/// The most that one `get-random-bytes` may ask for, in bytes. wasmtime-wasi's own default is 64 MiB.
const MAX_RANDOM_BYTES: u64 = 1 << 20;

/// Behind each component's store.
pub(crate) struct ComponentState {
    wasi: WasiCtx,
    filesystem: Filesystem,
    table: Resources,
    aws: AwsCtx,
    http: WasiHttpCtx,
    door: HttpDoor,
    limiter: MemoryLimiter,
}

impl WasiHttpView for ComponentState {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView { hooks: &mut self.door, table: &mut self.table, ctx: &mut self.http }
    }
}

impl WasiView for ComponentState {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

/// Behind each core module's store. Preview 1 has no way to ask for an AWS call.
pub(crate) struct ModuleState {
    preview1: Preview1,
    limiter: MemoryLimiter,
}

/// Both states hold a limiter, and the store is told where.
pub(crate) trait Limited: Send + 'static {
    fn limiter(&mut self) -> &mut MemoryLimiter;
}

impl Limited for ComponentState {
    fn limiter(&mut self) -> &mut MemoryLimiter {
        &mut self.limiter
    }
}

impl Limited for ModuleState {
    fn limiter(&mut self) -> &mut MemoryLimiter {
        &mut self.limiter
    }
}

impl ComponentState {
    /// `wasi` has no folder of its own: `filesystem` has them.
    pub(crate) fn new(wasi: WasiCtxBuilder, filesystem: Filesystem, aws: AwsCtx, limiter: MemoryLimiter) -> Self {
        Self::with(MAX_RESOURCES, wasi, filesystem, aws, limiter)
    }

    /// The same for an instance that answers one request.
    pub(crate) fn of_request(
        wasi: WasiCtxBuilder,
        filesystem: Filesystem,
        aws: AwsCtx,
        limiter: MemoryLimiter,
    ) -> Self {
        Self::with(MAX_REQUEST_RESOURCES, wasi, filesystem, aws, limiter)
    }

    fn with(
        resources: usize,
        mut wasi: WasiCtxBuilder,
        filesystem: Filesystem,
        aws: AwsCtx,
        limiter: MemoryLimiter,
    ) -> Self {
        let table = Resources::new(resources);
        let mut http = WasiHttpCtx::new();
        http.set_field_size_limit(MAX_FIELD_BYTES);
        let door = HttpDoor::new(aws.clone());
        Self { wasi: wasi.build(), filesystem, table, aws, http, door, limiter }
    }
}

impl ModuleState {
    /// `wasi` has no folder of its own: `filesystem` has them.
    pub(crate) fn new(mut wasi: WasiCtxBuilder, filesystem: &Filesystem, limiter: MemoryLimiter) -> Self {
        let mut wasi = wasi.build_p1();
        wasi.ctx().table.set_max_capacity(MAX_RESOURCES);
        Self { preview1: Preview1::new(wasi, filesystem), limiter }
    }
}

/// A builder with everything off that a task could reach the world by; the caller adds what the definition grants.
pub(crate) fn wasi_builder() -> WasiCtxBuilder {
    let mut builder = WasiCtxBuilder::new();
    builder
        .allow_blocking_current_thread(false)
        .allow_ip_name_lookup(false)
        .allow_tcp(false)
        .allow_udp(false)
        .max_random_size(MAX_RANDOM_BYTES);
    builder
}

/// A store under its limits: memory, host call buffers, and a turn of one epoch at a time.
///
/// `call_bytes` is the most that a guest may hand to the host in one call.
pub(crate) fn limited_store<T: Limited>(engine: &Engine, state: T, call_bytes: usize) -> Store<T> {
    let mut store = Store::new(engine, state);
    store.limiter(|state| state.limiter());
    store.set_hostcall_fuel(call_bytes);
    store.set_epoch_deadline(1);
    store.epoch_deadline_async_yield_and_update(1);
    store
}

pub(crate) fn component_linker(engine: &Engine) -> wasmtime::Result<Linker<ComponentState>> {
    let mut linker = Linker::new(engine);
    wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
    filesystem::add_to_linker(&mut linker, |state: &mut ComponentState| FilesystemView {
        filesystem: &mut state.filesystem,
        table: &mut state.table,
    })?;
    wasmtime_wasi_http::p2::add_only_http_to_linker_async(&mut linker)?;
    add_to_linker(&mut linker, |state: &mut ComponentState| &mut state.aws)?;
    Ok(linker)
}

pub(crate) fn module_linker(engine: &Engine) -> wasmtime::Result<wasmtime::Linker<ModuleState>> {
    let mut linker = wasmtime::Linker::new(engine);
    preview1::add_to_linker(&mut linker, |state: &mut ModuleState| &mut state.preview1)?;
    Ok(linker)
}
