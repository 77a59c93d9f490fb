//! The hot pieces one by one, for an A/B between two commits: `cargo bench --bench pieces`.
//!
//! - `call/…`: what is done with an S3 call before it is sent, step by step;
//! - `guest/…`: a component's start and end, a host call, and a whole task.

use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use rolebox::credentials::{
    RoleSessionRequest, RoleSessions, RoleSessionsSettings, SessionName, SessionPolicyChoice, Sharing,
};
use rolebox::egress::audit::TracingAudit;
use rolebox::egress::{CallLimits, Egress, Endpoints, HttpClients, TaskCalls, TaskIdentity};
use rolebox::output::TaskOutput;
use rolebox_aws_request::{Call, CallerScope, parse};
use rolebox_benches::{NO_OP, OneSession, ROLE, definition, image, runner, settings};
use rolebox_guest_artifacts as artifacts;
use rolebox_policy::{Capabilities, RoleArn, SessionPolicy};

fn call(method: &str, headers: &[(&str, &str)], body: &'static [u8]) -> Call {
    Call {
        service: "s3".to_owned(),
        region: None,
        method: method.to_owned(),
        path: "/node-sdk-sample-0123/folder/hello_world.txt".to_owned(),
        query: Vec::new(),
        headers: headers.iter().map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec())).collect(),
        body: body.into(),
    }
}

fn get() -> Call {
    call("GET", &[], b"")
}

fn put() -> Call {
    let headers = [
        ("content-type", "text/plain"),
        ("content-language", "en"),
        ("cache-control", "no-cache"),
        ("x-amz-meta-a", "1"),
        ("x-amz-meta-b", "2"),
        ("x-amz-storage-class", "STANDARD"),
        ("x-amz-tagging", "team=a"),
        ("user-agent", "guest"),
    ];
    call("PUT", &headers, &[7; 1024])
}

fn role() -> RoleArn {
    ROLE.parse().expect("an ARN")
}

fn capabilities() -> Capabilities {
    let raw = r#"[
        {"action": ["s3:CreateBucket"], "resource": ["arn:aws:s3:::node-sdk-sample-*"]},
        {"action": ["s3:PutObject", "s3:PutObjectTagging", "s3:GetObject"], "resource": ["arn:aws:s3:::node-sdk-sample-*/*"]}
    ]"#;
    Capabilities::parse(serde_json::from_str(raw).expect("capabilities"), &role()).expect("capabilities")
}

async fn task_calls() -> TaskCalls {
    let policy = SessionPolicyChoice::Required(SessionPolicy::deny_everything());
    let request = RoleSessionRequest::new(role(), SessionName::new("bench").expect("a name"), policy);
    let sessions = RoleSessions::new(Arc::new(OneSession), RoleSessionsSettings::default());
    let session = sessions.open(request, Sharing::Private).await.expect("a session");
    let clients = HttpClients::new().expect("clients");
    let egress = Egress::new(clients, Endpoints::public(), Arc::new(TracingAudit), Default::default());
    let identity = TaskIdentity {
        task_id: "0".repeat(32),
        family: "bench".to_owned(),
        role: role(),
        region: "us-east-1".parse().expect("a Region"),
        capabilities: capabilities(),
    };
    TaskCalls::new(egress, identity, session, CallLimits::default())
}

fn calls(criterion: &mut Criterion) {
    let scope = CallerScope {
        account: role().account().clone(),
        partition: "aws".to_owned(),
        region: "us-east-1".parse().expect("a Region"),
    };
    let mut group = criterion.benchmark_group("call");
    for (name, made) in [("get", get()), ("put_8_headers", put())] {
        group.bench_function(format!("parse/{name}"), |bench| {
            bench.iter(|| parse(black_box(&made), &scope).expect("it is understood"));
        });
    }
    let (operation, granted) = (parse(&put(), &scope).expect("it is understood"), capabilities());
    group.bench_function("authorize/put_8_headers", |bench| {
        bench.iter(|| granted.authorize(black_box(&operation.checks)).expect("it is granted"));
    });
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let task = runtime.block_on(task_calls());
    for (name, made) in [("get", get()), ("put_1_kib", put())] {
        group.bench_function(format!("parse_authorize_sign/{name}"), |bench| {
            bench.iter_batched(
                || made.clone(),
                |made| runtime.block_on(task.prepare_to_send(made)).expect("it is signed"),
                BatchSize::SmallInput,
            );
        });
    }
    group.finish();
}

/// Asks the host for the time a hundred thousand times.
const HOST_CALLS: u64 = 100_000;
const ASKS: &str = r#"(component
    (import "wasi:clocks/monotonic-clock@0.2.6" (instance $clock (export "now" (func (result u64)))))
    (core func $now (canon lower (func $clock "now")))
    (core module $m
        (import "h" "now" (func $now (result i64)))
        (func (export "run") (result i32) (local $left i32)
            (local.set $left (i32.const 100000))
            (loop $again
                (drop (call $now))
                (br_if $again (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))
            (i32.const 0)))
    (core instance $i (instantiate $m (with "h" (instance (export "now" (func $now))))))
    (func $run (result (result)) (canon lift (core func $i "run")))
    (instance $exports (export "run" (func $run)))
    (export "wasi:cli/run@0.2.6" (instance $exports)))"#;

fn guests(criterion: &mut Criterion) {
    let folder = tempfile::tempdir().expect("a folder");
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let runner = runner(settings());
    let prepare = |image: &Path| runtime.block_on(runner.prepare(&definition(image, |_| ()))).expect("it is prepared");
    let mut group = criterion.benchmark_group("guest");
    for (name, image) in
        [("no_op", image(folder.path(), "noop.wasm", NO_OP)), ("rust_std", Path::new(artifacts::EXIT_OK).to_owned())]
    {
        let task = prepare(&image);
        group.bench_function(format!("task/{name}"), |bench| {
            bench.iter_custom(|count| {
                let task = task.clone();
                let tasks = runtime.spawn(async move {
                    let began = Instant::now();
                    for _ in 0..count {
                        assert_eq!(task.start(TaskOutput::Discard).wait().await.exit_code(), 0);
                    }
                    began.elapsed()
                });
                runtime.block_on(tasks).expect("the tasks end well")
            });
        });
        // What is ready in the process: the definition's bounds, the image's state on disk, and nothing else.
        let prepared = definition(&image, |_| ());
        group.bench_function(format!("prepare/{name}"), |bench| {
            bench.iter(|| runtime.block_on(runner.prepare(black_box(&prepared))).expect("it is prepared"));
        });
    }
    let asks = prepare(&image(folder.path(), "asks.wasm", ASKS));
    group.throughput(criterion::Throughput::Elements(HOST_CALLS));
    group.bench_function("host_call/clock", |bench| {
        bench.iter(|| {
            let stopped = runtime.block_on(async { asks.start(TaskOutput::Discard).wait().await });
            assert_eq!(stopped.exit_code(), 0, "{stopped:?}");
        });
    });
    group.finish();
}

criterion_group!(benches, calls, guests);
criterion_main!(benches);
