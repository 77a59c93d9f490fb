//! Ten thousand idle tasks in one process: what each costs, and what the system counts of them.
//!
//! `cargo bench --bench density`. Linux gives a process 65,530 memory mappings by default
//! (<https://docs.kernel.org/admin-guide/sysctl/vm.html#max-map-count>); past them allocations of the host itself fail, so
//! how many mappings a task needs bounds how many can be admitted.

use std::fs;
use std::time::Duration;

use rolebox::output::TaskOutput;
use rolebox_benches::{IDLE, definition, image, in_words, runner, settings, time};

const TASKS: u32 = 10_000;

/// What a process holds: proportional set size in bytes, mappings, and threads.
#[derive(Debug, Clone, Copy)]
struct Held {
    pss: u64,
    page_tables: u64,
    mappings: usize,
    threads: usize,
}

fn held() -> Held {
    let rollup = fs::read_to_string("/proc/self/smaps_rollup").expect("procfs");
    let status = fs::read_to_string("/proc/self/status").expect("procfs");
    let kib = |text: &str, key: &str| {
        let line = text.lines().find(|line| line.starts_with(key)).expect("the key");
        line.split_whitespace().nth(1).and_then(|number| number.parse::<u64>().ok()).expect("a number")
    };
    Held {
        pss: kib(&rollup, "Pss:") << 10,
        page_tables: kib(&status, "VmPTE:") << 10,
        mappings: fs::read_to_string("/proc/self/maps").expect("procfs").lines().count(),
        threads: fs::read_dir("/proc/self/task").expect("procfs").count(),
    }
}

fn main() {
    let folder = tempfile::tempdir().expect("a folder");
    let image = image(folder.path(), "idle.wasm", IDLE);
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let runner = runner(settings().with_max_instances(TASKS));
    let task = runtime.block_on(runner.prepare(&definition(&image, |_| ()))).expect("the task is prepared");
    let before = held();
    let (running, took) = time(|| {
        runtime.block_on(async {
            let running: Vec<_> = (0..TASKS).map(|_| task.start(TaskOutput::Discard)).collect();
            // Until nothing changes any more: then each has come to where it waits.
            let mut last = 0;
            loop {
                tokio::time::sleep(Duration::from_millis(200)).await;
                let now = held().mappings;
                if now == last {
                    return running;
                }
                last = now;
            }
        })
    });
    let after = held();
    println!("\n{TASKS} idle tasks, each with one page of memory written to, started in {}", in_words(took));
    let each = |before: u64, after: u64| after.saturating_sub(before) as f64 / f64::from(TASKS) / 1024.0;
    println!(
        "  memory each             {:.1} KiB (PSS), and {:.1} KiB of page tables",
        each(before.pss, after.pss),
        each(before.page_tables, after.page_tables)
    );
    println!(
        "  mappings each           {:.2} ({} in all)",
        (after.mappings - before.mappings) as f64 / f64::from(TASKS),
        after.mappings
    );
    println!("  threads in all          {}", after.threads);
    let (ended, took) = time(|| {
        runtime.block_on(async {
            let mut ended = 0;
            running.iter().for_each(|task| task.stop("measured"));
            for mut task in running {
                let stopped = task.wait().await;
                assert_eq!(stopped.stopped_reason, "measured", "{stopped:?}");
                ended += 1;
            }
            ended
        })
    });
    println!("  stopped                 {ended} in {}", in_words(took));
}
