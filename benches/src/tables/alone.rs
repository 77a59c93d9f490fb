//! wasmtime with WASI 0.2 and nothing around it: what a task's costs are compared with.

use std::path::Path;

use anyhow::{Result, anyhow};
use wasmtime::component::{Component, Linker, ResourceTable};
use wasmtime::{Config, Engine, Store};
use wasmtime_wasi::p2::bindings::CommandPre;
use wasmtime_wasi::{WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView};

use crate::bench::wasm;

/// A command component, compiled and linked.
pub(super) struct Alone {
    pub(super) engine: Engine,
    command: CommandPre<State>,
}

/// What its stores hold.
pub(super) struct State {
    wasi: WasiCtx,
    table: ResourceTable,
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl Alone {
    /// The component at `path`, on an engine of its own.
    pub(super) fn new(path: &Path, config: &Config) -> Result<Self> {
        let engine = Engine::new(config).map_err(wasm)?;
        let mut linker = Linker::new(&engine);
        wasmtime_wasi::p2::add_to_linker_async(&mut linker).map_err(wasm)?;
        let component = Component::from_file(&engine, path).map_err(wasm)?;
        let command = linker.instantiate_pre(&component).and_then(CommandPre::new).map_err(wasm)?;
        Ok(Self { engine, command })
    }

    /// Runs it once in a store that `prepare` has set the interruption of, to an end that must be a good one.
    pub(super) async fn run(
        &self,
        mut wasi: WasiCtxBuilder,
        prepare: impl FnOnce(&mut Store<State>) -> wasmtime::Result<()>,
    ) -> Result<()> {
        let mut store = Store::new(&self.engine, State { wasi: wasi.build(), table: ResourceTable::new() });
        prepare(&mut store).map_err(wasm)?;
        let command = self.command.instantiate_async(&mut store).await.map_err(wasm)?;
        let run = command.wasi_cli_run().call_run(&mut store).await.map_err(wasm)?;
        run.map_err(|()| anyhow!("the command failed"))
    }
}
