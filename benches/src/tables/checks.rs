//! T8: what a call is checked with, and what role sessions cost.
//!
//! Parsing and authorizing are pure, so that other tasks could slow them by nothing but what they take of the
//! processor's caches; that they do not grow with the number of tasks is measured all the same. AssumeRole goes to the
//! embedded AWS, which verifies the host's signature and the role's trust policy, over HTTP on the loopback.

use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use anyhow::{Context, Result};
use rolebox::credentials::{
    AwsSts, AwsStsSettings, RoleSessionRequest, RoleSessions, RoleSessionsSettings, SessionName, SessionPolicyChoice,
    Sharing,
};
use rolebox::output::TaskOutput;
use rolebox_aws_request::{Call, CallerScope, parse};
use rolebox_bench_report::rows::Unit;
use rolebox_policy::{Capabilities, RoleArn, SessionPolicy};
use tokio::runtime::Runtime;

use crate::ROLE;
use crate::bench::{Bench, Case};
use crate::embedded::EmbeddedAws;
use crate::hosts::{Host, run_to_end, settings};
use crate::tables::idle::{settled, stop_all};

/// Tasks that start at once.
const AT_ONCE: u32 = 1_000;

pub(crate) fn measure(bench: &mut Bench) -> Result<()> {
    pieces(bench)?;
    beside_others(bench)?;
    sessions(bench)?;
    many_at_once(bench)
}

fn scope() -> Result<CallerScope> {
    let role: RoleArn = ROLE.parse()?;
    Ok(CallerScope { account: role.account().clone(), partition: "aws".to_owned(), region: "us-east-1".parse()? })
}

/// So many capabilities, of which the last one grants what is asked for.
fn capabilities(count: usize) -> Result<Capabilities> {
    let others = (1..count).map(|index| {
        serde_json::json!({"action": ["s3:GetObject", "s3:PutObject"],
            "resource": format!("arn:aws:s3:::other-{index}/team-{index}/*")})
    });
    let last = serde_json::json!({"action": ["s3:GetObject", "s3:PutObject", "s3:PutObjectTagging"],
        "resource": "arn:aws:s3:::bench/*"});
    let all: Vec<_> = others.chain([last]).collect();
    Ok(Capabilities::parse(serde_json::from_value(all.into())?, &ROLE.parse()?)?)
}

/// A put as a program with metadata and tags makes it.
fn put_with_headers() -> Call {
    let mut call = super::calls::call("PUT", 1 << 10);
    call.headers = [
        ("content-type", "text/plain"),
        ("content-language", "en"),
        ("cache-control", "no-cache"),
        ("x-amz-meta-a", "1"),
        ("x-amz-meta-b", "2"),
        ("x-amz-storage-class", "STANDARD"),
        ("x-amz-tagging", "team=a"),
        ("user-agent", "guest"),
    ]
    .iter()
    .map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec()))
    .collect();
    call
}

fn pieces(bench: &mut Bench) -> Result<()> {
    let scope = scope()?;
    let scope = &scope;
    let granted = [("1 capability", capabilities(1)?), ("16 capabilities", capabilities(16)?)];
    let mut cases = Vec::new();
    for (name, call) in [
        ("S3 get", super::calls::call("GET", 0)),
        ("S3 put of 1 KiB", super::calls::call("PUT", 1 << 10)),
        ("S3 put with 8 headers", put_with_headers()),
    ] {
        let operation = parse(&call, scope).map_err(|refused| anyhow::anyhow!("{refused}"))?;
        let both = call.clone();
        cases.push(Case::timed(format!("parse, {name}"), 1_000, move || {
            parse(black_box(&call), scope).map(|operation| drop(black_box(operation))).context("it is understood")
        }));
        for (how_many, granted) in &granted {
            let checks = operation.checks.clone();
            cases.push(Case::timed(format!("authorize, {name}, {how_many}"), 1_000, move || {
                granted.authorize(black_box(&checks)).map(|granted| drop(black_box(granted))).context("it is granted")
            }));
        }
        let one = &granted[0].1;
        cases.push(Case::timed(format!("parse and authorize, {name}"), 1_000, move || {
            let operation = parse(black_box(&both), scope).context("it is understood")?;
            one.authorize(&operation.checks).map(|granted| drop(black_box(granted))).context("it is granted")
        }));
    }
    bench.interleave(2.0, cases)
}

/// The same beside tasks that wait.
fn beside_others(bench: &mut Bench) -> Result<()> {
    let inputs = bench.inputs.clone();
    let host = Host::new(settings().with_max_instances(AT_ONCE), &inputs)?;
    let idle = host.prepare(&inputs.small("idle"), &[])?;
    let (scope, granted, call) = (scope()?, capabilities(1)?, super::calls::call("PUT", 1 << 10));
    let (scope, granted, call) = (&scope, &granted, &call);
    let work = move || {
        let operation = parse(black_box(call), scope).context("it is understood")?;
        granted.authorize(&operation.checks).map(|granted| drop(black_box(granted))).context("it is granted")
    };
    let row = |others: u32| format!("parse and authorize, S3 put of 1 KiB, beside {others} tasks that wait");
    let host = &host;
    let mut cases = Vec::new();
    for others in [0, AT_ONCE] {
        let idle = &idle;
        cases.push(Case::new(row(others), Unit::Seconds, move |turn| {
            let _entered = host.runtime.enter();
            let running: Vec<_> = (0..others).map(|_| idle.start(TaskOutput::Discard)).collect();
            host.runtime.block_on(settled())?;
            for _ in 0..10 {
                let began = Instant::now();
                for _ in 0..500 {
                    work()?;
                }
                turn.add(&row(others), Unit::Seconds, began.elapsed().as_secs_f64() / 500.0);
            }
            host.runtime.block_on(stop_all(running))
        }));
    }
    bench.interleave(1.5, cases)?;
    bench.ratio("parse and authorize beside 1,000 tasks to beside none", &row(AT_ONCE), &row(0))
}

fn sessions(bench: &mut Bench) -> Result<()> {
    let runtime = Runtime::new().context("a runtime")?;
    let aws = EmbeddedAws::start(&runtime)?;
    let sts = AwsStsSettings::new("us-east-1".parse()?, aws.base()?)
        .with_endpoint_url(aws.url()?.parse().context("its URL")?);
    let sessions = RoleSessions::new(Arc::new(AwsSts::new(sts)), RoleSessionsSettings::default());
    let number = AtomicUsize::new(0);
    let request = |name: &str| -> Result<RoleSessionRequest> {
        let policy = SessionPolicyChoice::Required(SessionPolicy::deny_everything());
        Ok(RoleSessionRequest::new(ROLE.parse()?, SessionName::new(name)?, policy))
    };
    let shared = runtime.block_on(sessions.open(request("shared")?, Sharing::Shared)).context("a session")?;
    let open = |name: &str, sharing| -> Result<()> {
        runtime.block_on(sessions.open(request(name)?, sharing)).map(drop).context("a session")
    };
    bench.interleave(
        1.0,
        vec![
            Case::timed("role session: AssumeRole, nothing cached", 10, || {
                open(&format!("task-{}", number.fetch_add(1, Ordering::Relaxed)), Sharing::Private)
            }),
            Case::timed("role session: shared, already there", 200, || open("shared", Sharing::Shared)),
        ],
    )?;
    drop(shared);
    Ok(())
}

fn many_at_once(bench: &mut Bench) -> Result<()> {
    let inputs = bench.inputs.clone();
    let host = Host::new(settings().with_max_instances(AT_ONCE), &inputs)?;
    let host = &host;
    let noop = inputs.small("noop");
    let shared = Arc::new(host.prepare(&noop, &[])?);
    let own = |document: &mut serde_json::Value| document["rolebox"]["roleSession"] = "per-task".into();
    let own = Arc::new(host.prepare_with(&noop, &[], own)?);
    let mut cases = Vec::new();
    for (sessions, task) in [("one role session", &shared), ("a role session each", &own)] {
        let name = format!("1,000 tasks at once, {sessions}, until all have ended");
        let row = name.clone();
        cases.push(Case::new(name, Unit::Seconds, move |turn| {
            let task = Arc::clone(task);
            let all = host.runtime.spawn(async move {
                let began = Instant::now();
                let mut running = tokio::task::JoinSet::new();
                for _ in 0..AT_ONCE {
                    let task = Arc::clone(&task);
                    running.spawn(async move { run_to_end(&task).await });
                }
                running.join_all().await.into_iter().collect::<Result<()>>()?;
                Ok::<_, anyhow::Error>(began.elapsed().as_secs_f64())
            });
            turn.add(&row, Unit::Seconds, host.runtime.block_on(all).context("the tasks")??);
            Ok(())
        }));
    }
    bench.interleave(1.5, cases)
}
