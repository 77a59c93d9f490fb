//! The task that behaves well: it prints and makes one signed call, over and over, while hostile ones run beside it.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rolebox_guest_artifacts as artifacts;
use rolebox_suite::{Host, all_of_s3, task, with_role};
use serde_json::{Value, json};
use tokio::task::JoinHandle;

const BUCKET: &str = "neighbour";

/// How one run of it ended, as far as two runs can be compared.
#[derive(Debug, Clone, PartialEq)]
struct Ending {
    exit_code: i32,
    stopped_reason: String,
    output_complete: bool,
    stdout: String,
    stderr: String,
    /// The decisions of its calls, and what became of them.
    audit: Vec<Value>,
}

/// The neighbour, running since [`Neighbour::alone`].
pub(super) struct Neighbour {
    ended: Arc<AtomicBool>,
    running: JoinHandle<Vec<String>>,
}

impl Neighbour {
    /// Runs the task alone, to know how it ends, and then again and again.
    pub(super) async fn alone(host: Arc<Host>) -> Self {
        host.aws.aws().create_bucket_of(&rolebox_suite::ACCOUNT.parse().unwrap(), BUCKET, false).unwrap();
        let alone = run(&host).await;
        assert_eq!((alone.exit_code, alone.stdout.as_str()), (0, "ok \n"), "{alone:?}");
        let ended = Arc::new(AtomicBool::new(false));
        let over = ended.clone();
        let running = tokio::spawn(async move {
            let (mut differences, mut runs) = (Vec::new(), 0_u32);
            // Once more after the last case has ended: the host is as it was.
            let mut last = false;
            while !last {
                last = over.load(Ordering::Relaxed);
                let beside = run(&host).await;
                runs += 1;
                if beside != alone {
                    differences.push(format!("the neighbour's run {runs}: {beside:?}\n   alone: {alone:?}"));
                }
            }
            println!("the neighbour ran {runs} times");
            differences
        });
        Self { ended, running }
    }

    /// Ends the neighbour, and says in which of its runs it ended otherwise than alone.
    pub(super) async fn differences(self) -> Vec<String> {
        self.ended.store(true, Ordering::Relaxed);
        self.running.await.expect("running the neighbour does not panic")
    }
}

async fn run(host: &Host) -> Ending {
    let arguments = ["put-object", BUCKET, "key", "content"];
    let definition = with_role(task(Path::new(artifacts::S3_CALL), &arguments), "full", &all_of_s3());
    let outcome = host.run(&definition).await;
    let id = json!(outcome.stopped.task_id);
    let records = host.audit.all().into_iter().filter(|record| record["taskId"] == id);
    let compared = ["event", "service", "region", "operation", "checks", "decision", "reason", "status", "outcome"];
    Ending {
        exit_code: outcome.stopped.exit_code(),
        stopped_reason: outcome.stopped.stopped_reason,
        output_complete: outcome.stopped.output_complete,
        stdout: outcome.stdout,
        stderr: outcome.stderr,
        audit: records.map(|record| compared.iter().map(|key| record[*key].clone()).collect()).collect(),
    }
}
