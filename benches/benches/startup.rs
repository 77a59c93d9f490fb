//! From a prepared task to its end, beside wasmtime alone and beside a process.
//!
//! `cargo bench --bench startup`. Each turn starts and ends a number of no-op tasks one after the other, under all limits
//! and with a role session; then with a session for each; then sixteen at a time; then the same component with wasmtime alone on one thread, with the same pool and the same
//! settings but without a task around it; then a static native program by fork and exec.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use rolebox::PreparedTask;
use rolebox::output::TaskOutput;
use rolebox_benches::{NO_OP, Samples, definition, image, runner, settings, static_program, time};
use rolebox_guest_artifacts as artifacts;
use wasmtime::component::{Component, Linker, ResourceTable};
use wasmtime::{Config, Engine, InstanceAllocationStrategy, PoolingAllocationConfig, Store};
use wasmtime_wasi::p2::bindings::CommandPre;
use wasmtime_wasi::{WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView};

const TURNS: usize = 31;
const TASKS: u32 = 500;
const PROCESSES: u32 = 50;
const AT_ONCE: u32 = 16;

struct State {
    wasi: WasiCtx,
    table: ResourceTable,
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

/// wasmtime with the same pool and interruption, and a linker that holds WASI 0.2.
fn wasmtime_alone(component: &Path) -> (Engine, CommandPre<State>) {
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(64).total_core_instances(64).total_memories(64).total_tables(64).total_stacks(64);
    let mut config = Config::new();
    config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool)).epoch_interruption(true);
    let engine = Engine::new(&config).expect("an engine");
    let mut linker = Linker::new(&engine);
    wasmtime_wasi::p2::add_to_linker_async(&mut linker).expect("WASI is linked");
    let component = Component::from_file(&engine, component).expect("a component");
    let linked = linker.instantiate_pre(&component).expect("the component is linked");
    (engine, CommandPre::new(linked).expect("a command"))
}

async fn run_alone(engine: &Engine, command: &CommandPre<State>) {
    let state = State { wasi: WasiCtxBuilder::new().build(), table: ResourceTable::new() };
    let mut store = Store::new(engine, state);
    store.set_epoch_deadline(1_000_000);
    let command = command.instantiate_async(&mut store).await.expect("it is instantiated");
    command.wasi_cli_run().call_run(&mut store).await.expect("it runs").expect("it ends well");
}

async fn run_task(task: &PreparedTask) {
    let stopped = task.start(TaskOutput::Discard).wait().await;
    assert_eq!(stopped.exit_code(), 0, "{stopped:?}");
}

async fn run_many(task: &Arc<PreparedTask>, count: u32) {
    let mut workers = tokio::task::JoinSet::new();
    for _ in 0..AT_ONCE {
        let task = task.clone();
        workers.spawn(async move {
            for _ in 0..count / AT_ONCE {
                run_task(&task).await;
            }
        });
    }
    while let Some(ended) = workers.join_next().await {
        ended.expect("a worker ends well");
    }
}

fn main() {
    let folder = tempfile::tempdir().expect("a folder");
    let program = static_program(folder.path());
    let images = [
        ("a component that imports nothing", image(folder.path(), "noop.wasm", NO_OP)),
        ("`fn main() {}` built for wasm32-wasip2", Path::new(artifacts::EXIT_OK).to_owned()),
    ];
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let alone = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    for (name, image) in &images {
        let runner = runner(settings());
        let task = runtime.block_on(runner.prepare(&definition(image, |_| ()))).expect("the task is prepared");
        let task = Arc::new(task);
        let own_session = |document: &mut serde_json::Value| document["rolebox"]["roleSession"] = "per-task".into();
        let private = runtime.block_on(runner.prepare(&definition(image, own_session))).expect("it is prepared");
        let private = Arc::new(private);
        let (engine, command) = wasmtime_alone(image);
        let [mut floor, mut one, mut own, mut many, mut process] = std::array::from_fn(|_| Samples::default());
        for turn in 0..TURNS {
            let ((), wasmtime) = time(|| {
                alone.block_on(async {
                    for _ in 0..TASKS {
                        run_alone(&engine, &command).await;
                    }
                });
            });
            let [serial, sessions] = [&task, &private].map(|task| {
                let task = task.clone();
                let tasks = async move {
                    for _ in 0..TASKS {
                        run_task(&task).await;
                    }
                };
                time(|| runtime.block_on(runtime.spawn(tasks)).expect("the tasks end well")).1
            });
            let ((), parallel) = time(|| runtime.block_on(run_many(&task, TASKS / AT_ONCE * AT_ONCE)));
            let ((), processes) = time(|| {
                for _ in 0..PROCESSES {
                    assert!(Command::new(&program).status().expect("it starts").success());
                }
            });
            // The first turn warms up.
            if turn > 0 {
                floor.add(wasmtime, TASKS);
                one.add(serial, TASKS);
                own.add(sessions, TASKS);
                many.add(parallel, TASKS / AT_ONCE * AT_ONCE);
                process.add(processes, PROCESSES);
            }
        }
        println!("\n{name}");
        println!("  wasmtime alone, one thread      {floor}");
        println!("  a task, one after the other     {one}");
        println!("  the same, a session for each    {own}");
        println!("  a task, {AT_ONCE} at a time           {many}");
        println!("  a static program, fork and exec {process}");
        let ratio = |of: &Samples, to: &Samples| of.median().as_secs_f64() / to.median().as_secs_f64().max(1e-12);
        println!(
            "  task to wasmtime {:.2} (in company {:.2}); process to task {:.1} (in company {:.1})",
            ratio(&one, &floor),
            ratio(&many, &floor),
            ratio(&process, &one),
            ratio(&process, &many)
        );
    }
}
