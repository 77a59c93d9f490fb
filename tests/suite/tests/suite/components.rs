//! Hostile images, each with its expected end, all on one host: none of them ends it, and a task that behaves well
//! beside them ends each time as if it were alone.
//!
//! What is held here is the wall around a guest: its memory, its time, what the host keeps for it, and what it may
//! hand to the host. Which calls leave the host is [`crate::hostile`]'s matter, and what files a guest reaches is that
//! of the tests of volumes.

mod assemble;
mod case;
mod cases;
mod generated;
mod held;
mod neighbour;

use std::sync::Arc;

use rolebox_suite::Host;
use tempfile::TempDir;
use tokio::task::JoinSet;

use self::case::Case;
use self::neighbour::Neighbour;

/// Cases that run at the same time. Most of them wait for their time to run out.
const AT_ONCE: usize = 12;

/// Runs all `cases` on one host with a neighbour beside them, and says what ended otherwise than it has to.
async fn disturbances(cases: Vec<Case>) -> Vec<String> {
    let host = Arc::new(Host::start().await);
    let folder = Arc::new(TempDir::new().unwrap());
    let neighbour = Neighbour::alone(host.clone()).await;
    let mut wrong = Vec::new();
    let (mut running, mut waiting) = (JoinSet::new(), cases.into_iter());
    loop {
        while running.len() < AT_ONCE
            && let Some(case) = waiting.next()
        {
            let (host, folder) = (host.clone(), folder.clone());
            running.spawn(async move { case.run(&host, folder.path()).await });
        }
        let Some(ended) = running.join_next().await else { break };
        wrong.extend(ended.expect("running a case does not panic"));
    }
    wrong.extend(neighbour.differences().await);
    wrong
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_hostile_component_ends_as_it_has_to_and_disturbs_nobody() {
    let cases = cases::all();
    assert!(cases.len() >= 60, "{}", cases.len());
    for (index, case) in cases.iter().enumerate() {
        assert!(cases[..index].iter().all(|other| other.name != case.name), "{} stands twice", case.name);
    }
    let count = cases.len();
    let wrong = disturbances(cases).await;
    assert!(wrong.is_empty(), "{} of {count}:\n{}", wrong.len(), wrong.join("\n"));
    println!("hostile components: {count}");
}
