//! T7: AWS calls: the official SDK natively, the same SDK in a task, and the guest SDK, against the same server.
//!
//! All three make the same calls one after the other on a connection that stays, over plain HTTP on the loopback, so
//! that what differs is the client. The native one has the SDK's fastest set-up: one thread that does everything.
//! Processor time is that of the whole measuring process, all its threads; the server is another process.
//!
//! The server verifies nothing. That the calls of both guests are right is checked beforehand, against the embedded
//! AWS, which verifies signatures, sessions and policies; the native SDK's are the official SDK's own.

use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use rolebox::PreparedTask;
use rolebox::credentials::{
    RoleSessionRequest, RoleSessions, RoleSessionsSettings, SessionName, SessionPolicyChoice, Sharing,
};
use rolebox::egress::audit::TracingAudit;
use rolebox::egress::{CallLimits, Egress, Endpoints, HttpClients, TaskCalls, TaskIdentity};
use rolebox_aws_request::Call;
use rolebox_bench_report::rows::Unit;
use rolebox_bench_workloads::s3::{Operation, Plan, calls};
use rolebox_policy::{Capabilities, RoleArn, SessionPolicy};
use tokio::runtime::Runtime;

use crate::ROLE;
use crate::bench::{Bench, Case, Turn, process_cpu};
use crate::embedded::EmbeddedAws;
use crate::hosts::{Host, OneSession, numbers, settings_at};
use crate::inputs::Inputs;
use crate::server::Server;

/// An object's size, and how many calls one turn makes with it.
const SIZES: [(&str, usize, usize); 4] =
    [("0 B", 0, 50), ("1 KiB", 1 << 10, 50), ("1 MiB", 1 << 20, 8), ("64 MiB", 64 << 20, 2)];

/// Calls of the host alone in one turn.
const MANY: u32 = 100;

/// Calls before those that count, for each run of a client: connections, and the first use of everything.
const WARM_UP: usize = 1;

const NATIVE: &str = "official SDK, native";
const SDK: &str = "official SDK in a task";
const TYPED: &str = "guest SDK in a task";
const NO_CHECKSUM: &str = "official SDK in a task, no checksum in the guest";

pub(crate) fn measure(bench: &mut Bench) -> Result<()> {
    let inputs = bench.inputs.clone();
    if bench.process == 0 {
        right_calls(&inputs).context("the calls that are measured are not right")?;
    }
    let server = Server::start()?;
    before_sending(bench, server.url())?;
    let host = Host::new(settings_at(server.url())?, &inputs)?;
    let native = Native::new(server.url())?;
    for (size, bytes, count) in SIZES {
        for operation in [Operation::Put, Operation::Get] {
            let seconds = if bytes < 1 << 20 { 1.0 } else { 2.0 };
            exchange(bench, &host, &native, (operation, size, bytes, count), seconds)?;
        }
    }
    Ok(())
}

/// One operation with one size, by all three.
fn exchange(
    bench: &mut Bench,
    host: &Host,
    native: &Native,
    (operation, size, bytes, count): (Operation, &str, usize, usize),
    seconds: f64,
) -> Result<()> {
    let (plan, one_plan) = (plan(operation, bytes, count), plan(operation, bytes, 1));
    let row = |client: &str| format!("{operation} {size}: {client}");
    let mut cases = vec![Case::new(row(NATIVE), Unit::Seconds, |turn| {
        let [long, short] = [&plan, &one_plan].map(|plan| with_cpu(|| native.calls(plan)));
        add(turn, &row(NATIVE), long?, short?, bytes);
        Ok(())
    })];
    let mut clients = vec![(SDK, "s3-sdk"), (TYPED, "s3-typed")];
    if operation == Operation::Put && bytes > 0 {
        clients.push((NO_CHECKSUM, "s3-sdk"));
    }
    for (client, guest) in &clients {
        let guest = bench.inputs.guest(guest);
        let checksum = *client != NO_CHECKSUM;
        let task = client_task(host, &guest, &plan, checksum)?;
        let one = client_task(host, &guest, &one_plan, checksum)?;
        let row = row(client);
        cases.push(Case::new(row.clone(), Unit::Seconds, move |turn| {
            let [long, short] = [&task, &one].map(|task| with_cpu(|| numbers(&host.run(task)?.0)));
            add(turn, &row, long?, short?, bytes);
            Ok(())
        }));
    }
    bench.interleave(seconds, cases)?;
    for (client, _) in clients {
        let (of, to) = (row(client), row(NATIVE));
        bench.ratio(&format!("{of} to {NATIVE}, latency"), &of, &to)?;
    }
    Ok(())
}

/// The server gives as many bytes as the key says; one that keeps what is put takes any key.
fn plan(operation: Operation, size: usize, count: usize) -> Plan {
    let (bucket, key) = ("bench".to_owned(), format!("objects/{size}"));
    Plan { operation, bucket, key, size, count, warm_up: WARM_UP }
}

/// What one run of a client gave: each call's nanoseconds, and the processor seconds of the whole run.
type OneRun = (Vec<f64>, f64);

fn with_cpu(run: impl FnOnce() -> Result<Vec<f64>>) -> Result<OneRun> {
    let began = process_cpu();
    let taken = run()?;
    Ok((taken, (process_cpu() - began).as_secs_f64()))
}

/// The samples of a run of a client. What it computed for a call is what it computed more than in a run of one call: so
/// that neither a task's launch nor the making of a body counts.
fn add(turn: &mut Turn, row: &str, (taken, long): OneRun, (one, short): OneRun, bytes: usize) {
    for nanoseconds in &taken {
        let seconds = nanoseconds / 1e9;
        turn.add(row, Unit::Seconds, seconds);
        if bytes >= 1 << 20 {
            turn.add(&format!("{row}, throughput"), Unit::BytesPerSecond, bytes as f64 / seconds);
        }
    }
    let more = taken.len() - one.len();
    turn.add(&format!("{row}, processor time a call"), Unit::Seconds, (long - short) / more as f64);
}

/// A task with memory and limits for objects of 64 MiB that are held whole.
fn client_task(host: &Host, guest: &std::path::Path, plan: &Plan, checksum: bool) -> Result<PreparedTask> {
    let words = plan.words();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    host.prepare_with(guest, &words, |document| {
        document["containerDefinitions"][0]["memory"] = 512.into();
        if !checksum {
            document["containerDefinitions"][0]["environment"] =
                serde_json::json!([{"name": "AWS_REQUEST_CHECKSUM_CALCULATION", "value": "when_required"}]);
        }
        document["rolebox"]["limits"] = serde_json::json!({"callsPerSecond": 100_000, "bodyBytes": 80 << 20});
    })
}

/// The official SDK in this process.
struct Native {
    runtime: Runtime,
    client: aws_sdk_s3::Client,
}

impl Native {
    fn new(url: &str) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().context("a runtime")?;
        let (key, secret) = ("ASIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY");
        let credentials = aws_credential_types::Credentials::new(key, secret, None, None, "bench");
        let config = aws_sdk_s3::Config::builder()
            .behavior_version_latest()
            .region(aws_sdk_s3::config::Region::new("us-east-1"))
            .credentials_provider(credentials)
            .endpoint_url(url)
            .force_path_style(true)
            .http_client(aws_smithy_http_client::Builder::new().build_http())
            .sleep_impl(aws_smithy_async::rt::sleep::TokioSleep::new())
            .build();
        Ok(Self { runtime, client: aws_sdk_s3::Client::from_conf(config) })
    }

    fn calls(&self, plan: &Plan) -> Result<Vec<f64>> {
        let taken = self.runtime.block_on(calls(&self.client, plan)).map_err(|error| anyhow::anyhow!("{error}"))?;
        Ok(taken.into_iter().map(|nanoseconds| nanoseconds as f64).collect())
    }
}

/// Has each guest put an object into the embedded AWS and get it back, which verifies signatures, sessions and
/// policies.
fn right_calls(inputs: &Inputs) -> Result<()> {
    let runtime = Runtime::new().context("a runtime")?;
    let aws = EmbeddedAws::start(&runtime)?;
    let endpoints = Endpoints::public().with_every_service(&aws.url()?).context("its URL")?;
    let settings = rolebox::AwsSettings::new("us-east-1".parse()?, aws.base()?).with_endpoints(endpoints);
    let host = Host::new(crate::settings().with_aws(settings), inputs)?;
    // The embedded AWS's identity for hosts may assume roles and nothing else; it makes the bucket as the role.
    let bucket =
        host.prepare_with(rolebox_guest_artifacts::guest("s3-call"), &["create-bucket", "bench"], |document| {
            document["rolebox"]["capabilities"] =
                serde_json::json!([{"action": "s3:CreateBucket", "resource": "arn:aws:s3:::bench"}]);
        })?;
    host.run(&bucket).context("the bucket")?;
    for (guest, checksum) in [("s3-sdk", true), ("s3-sdk", false), ("s3-typed", true)] {
        for (_, bytes, _) in SIZES {
            for operation in [Operation::Put, Operation::Get] {
                let plan = plan(operation, bytes, 1);
                let task = client_task(&host, &inputs.guest(guest), &plan, checksum)?;
                let (taken, _) = host.run(&task).with_context(|| format!("{guest} {operation} {bytes}"))?;
                ensure!(numbers(&taken)?.len() == 1, "{guest} {operation}: {taken}");
            }
        }
    }
    Ok(())
}

/// What the host does with a call before it is sent, and what sending it costs beside sending the same bytes unsigned.
fn before_sending(bench: &mut Bench, url: &str) -> Result<()> {
    let runtime = Runtime::new().context("a runtime")?;
    let task = Arc::new(runtime.block_on(task_calls(url))?);
    let (runtime, signing) = (&runtime, &task);
    let mut cases = Vec::new();
    for (name, call) in [("get", call("GET", 0)), ("put of 1 KiB", call("PUT", 1 << 10))] {
        let row = format!("parse, authorize and sign a {name}, not sent");
        cases.push(Case::timed(row, 200, move || {
            runtime.block_on(signing.prepare_to_send(call.clone())).map(drop).context("it is signed")
        }));
    }
    bench.interleave(0.6, cases)?;
    over_unsigned(bench, runtime, &task, url)
}

/// Puts of 1 KiB by the host alone, and the same bytes by its HTTP client.
fn over_unsigned(bench: &mut Bench, runtime: &Runtime, task: &Arc<TaskCalls>, url: &str) -> Result<()> {
    // The runner's own.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder().no_proxy().http1_only().build().context("an HTTP client")?;
    let unsigned_url: url::Url = format!("{url}/unsigned/objects/1024").parse().context("a URL")?;
    let signed = "host's side: put of 1 KiB, parsed, authorized, signed, sent";
    let unsigned = "host's side: the same bytes unsigned";
    let cases = vec![
        Case::new(signed, Unit::Seconds, |turn| {
            let task = Arc::clone(task);
            many(turn, runtime, signed, async move {
                for _ in 0..MANY {
                    let answer = task.call(call("PUT", 1 << 10)).await.context("the call")?;
                    ensure!(answer.status.is_success(), "{}", answer.status);
                }
                Ok(())
            })
        }),
        Case::new(unsigned, Unit::Seconds, |turn| {
            let (client, url) = (client.clone(), unsigned_url.clone());
            many(turn, runtime, unsigned, async move {
                for _ in 0..MANY {
                    let answer = client.put(url.clone()).body(vec![7; 1 << 10]).send().await.context("the request")?;
                    ensure!(answer.status().is_success(), "{}", answer.status());
                    answer.bytes().await.context("the answer")?;
                }
                Ok(())
            })
        }),
    ];
    bench.interleave(1.5, cases)?;
    let time = |row: &str| format!("{row}, processor time a call");
    let name = "host's side: processor time of a put of 1 KiB over sending it unsigned";
    bench.difference(name, Unit::Seconds, &time(signed), &time(unsigned))
}

/// Has `calls`, which are so [`MANY`], made on a thread of the runtime, and adds the mean of their time and processor
/// time.
fn many(
    turn: &mut Turn,
    runtime: &Runtime,
    row: &str,
    calls: impl Future<Output = Result<()>> + Send + 'static,
) -> Result<()> {
    let (began, cpu) = (Instant::now(), process_cpu());
    runtime.block_on(runtime.spawn(calls)).context("the calls")??;
    let (took, cpu) = (began.elapsed().as_secs_f64(), (process_cpu() - cpu).as_secs_f64());
    turn.add(row, Unit::Seconds, took / f64::from(MANY));
    turn.add(&format!("{row}, processor time a call"), Unit::Seconds, cpu / f64::from(MANY));
    Ok(())
}

/// A call as a guest makes it with the guest SDK.
pub(super) fn call(method: &str, bytes: usize) -> Call {
    Call {
        service: "s3".to_owned(),
        region: None,
        method: method.to_owned(),
        path: "/bench/objects/1024".to_owned(),
        query: Vec::new(),
        headers: Vec::new(),
        body: vec![7; bytes].into(),
    }
}

/// A task's authority to call S3, without a task around it.
async fn task_calls(url: &str) -> Result<TaskCalls> {
    let role: RoleArn = ROLE.parse()?;
    let policy = SessionPolicyChoice::Required(SessionPolicy::deny_everything());
    let request = RoleSessionRequest::new(role.clone(), SessionName::new("bench")?, policy);
    let sessions = RoleSessions::new(Arc::new(OneSession), RoleSessionsSettings::default());
    let session = sessions.open(request, Sharing::Private).await?;
    let raw = r#"[{"action": ["s3:PutObject", "s3:GetObject"], "resource": "arn:aws:s3:::bench/*"}]"#;
    let identity = TaskIdentity {
        task_id: "0".repeat(32),
        family: "bench".to_owned(),
        capabilities: Capabilities::parse(serde_json::from_str(raw)?, &role)?,
        role,
        region: "us-east-1".parse()?,
    };
    let endpoints = Endpoints::public().with_every_service(url).context("the server's URL")?;
    let egress = Egress::new(HttpClients::new()?, endpoints, Arc::new(TracingAudit), Default::default());
    let limits = rolebox::definition::Limits::highest();
    Ok(TaskCalls::new(egress, identity, session, CallLimits::from(&limits)))
}
