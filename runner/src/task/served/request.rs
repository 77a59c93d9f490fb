//! One request: from a client to an instance of its own, and what comes back.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, Version};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use tokio::sync::oneshot;
use tokio::time::Instant;
use wasmtime_wasi_http::WasiBody;
use wasmtime_wasi_http::p2::bindings::http::types::ErrorCode;

use super::Handler;
use crate::cpu::{CpuBudget, Cut, FirstTurn, Guest};
use crate::host::GuestAnswer;
use crate::serve::{self, Client, Gone, Stage, Unsendable, reached, refusal};
use crate::showable::showable;
use crate::task::outcome::{ContainerEnd, in_words};

/// How a request's guest ended.
#[derive(Debug)]
enum End {
    Guest(ContainerEnd),
    /// It took longer than it may, or computed longer.
    TookTooLong(ContainerEnd),
    /// The client went away, or what it sent broke off.
    ClientLeft,
    /// The task ends.
    Cut,
    /// A defect of ours.
    Host,
}

impl End {
    /// What a client is answered whom the guest did not answer.
    fn refusal(&self) -> Response<WasiBody> {
        match self {
            Self::Guest(ContainerEnd::Exited(_)) => {
                refusal(StatusCode::INTERNAL_SERVER_ERROR, "the handler ended without an answer")
            }
            Self::Guest(_) => refusal(StatusCode::INTERNAL_SERVER_ERROR, "the handler failed"),
            Self::TookTooLong(_) => refusal(StatusCode::GATEWAY_TIMEOUT, "the handler took too long"),
            // Where it is still there, it sent a body that is none.
            Self::ClientLeft => refusal(StatusCode::BAD_REQUEST, "the request's body is not whole"),
            Self::Cut => refusal(StatusCode::SERVICE_UNAVAILABLE, "the task is stopping"),
            Self::Host => refusal(StatusCode::INTERNAL_SERVER_ERROR, "the host failed"),
        }
    }

    /// What the guest failed at, if it did.
    fn failure(&self) -> Option<String> {
        match self {
            Self::Guest(ContainerEnd::Exited(0)) | Self::ClientLeft | Self::Cut => None,
            Self::Guest(ContainerEnd::Exited(code)) => Some(format!("the guest exited with {code}")),
            Self::Guest(end) | Self::TookTooLong(end) => end.reason(),
            Self::Host => Some("the host failed".to_owned()),
        }
    }
}

/// The most of a guest's own error that is shown, in bytes.
const SHOWN_BYTES: usize = 200;

/// What tells of a client that has gone.
struct Left {
    /// Told what became of the answer, or dropped when the client has left before.
    left: oneshot::Receiver<Gone>,
    /// Whether the request's body broke off.
    broken: Arc<AtomicBool>,
}

/// Counts a request that failed, and says why: once, though one that answered badly may then end badly too.
#[derive(Clone)]
struct Failures {
    handler: Arc<Handler>,
    failed: Arc<AtomicBool>,
}

impl Failures {
    fn add(&self, why: &str) {
        let Handler { task_id, container, usage, .. } = &*self.handler;
        if !self.failed.swap(true, Ordering::SeqCst) {
            usage.requests.failed();
        }
        tracing::warn!(task_id, container = container.definition().name(), why, "a request failed");
    }
}

/// Answers one request. When this is dropped before it ends, the client has left.
pub(super) async fn answer(handler: Arc<Handler>, request: Request<Incoming>) -> Response<WasiBody> {
    if let Err((status, why)) = serve::check(&request) {
        return refusal(status, why);
    }
    let (answer, answered) = oneshot::channel();
    let (method, version) = (request.method().clone(), request.version());
    let began = Instant::now();
    let broken = Arc::new(AtomicBool::new(false));
    let breaks = broken.clone();
    let request = request.map(|body| {
        body.map_err(move |error| {
            breaks.store(true, Ordering::SeqCst);
            error
        })
    });
    let Some(guest) = start(&handler, request, answer) else {
        handler.counts().refused();
        // Not louder: clients say how often. The outcome has the number.
        tracing::debug!(
            task_id = handler.task_id,
            container = handler.name(),
            "a request was refused: no place is free"
        );
        return refusal(StatusCode::SERVICE_UNAVAILABLE, "too many requests are in flight");
    };
    handler.counts().begun();
    let (told, left) = oneshot::channel();
    let (ended, end) = oneshot::channel();
    let deadline = began.checked_add(handler.timeout);
    let client = Left { left, broken };
    let failures = Failures { handler, failed: Arc::default() };
    tokio::spawn(drive(failures.clone(), guest, deadline, client, ended));
    answer_with(&failures, (&method, version), told, answered, end).await
}

/// Takes a place and starts a guest in it; none where there is no place.
fn start<B>(handler: &Handler, request: Request<B>, answer: oneshot::Sender<GuestAnswer>) -> Option<Guest<ContainerEnd>>
where
    B: http_body::Body<Data = Bytes, Error = hyper::Error> + Send + 'static,
{
    let definition = handler.container.definition();
    let place = handler.admission.take(definition.memory())?;
    let pool = handler.shared.engine.pool().take(handler.container.places()).ok()?;
    let (shared, container) = (handler.shared.clone(), handler.container.clone());
    let (aws, files) = (handler.aws.clone(), handler.files.clone());
    let (output, usage) = (handler.output.of_request(), handler.usage.clone());
    let budget = handler.cpu_time.map(CpuBudget::new);
    Some(handler.share.spawn(definition.cpu(), usage.computed.clone(), budget, FirstTurn::Elsewhere, async move {
        // Given back when the store is gone, however it goes.
        let _places = (place, pool);
        let inspector = shared.settings.inspector.as_ref();
        container.answer(&shared.engine, aws, files, &output, &usage, inspector, request, answer).await
    }))
}

/// Waits for the guest's answer, or for its end without one.
async fn answer_with(
    failures: &Failures,
    asked: (&Method, Version),
    client: Client,
    answered: oneshot::Receiver<GuestAnswer>,
    end: oneshot::Receiver<End>,
) -> Response<WasiBody> {
    match answered.await {
        Ok(Ok(response)) => match serve::sent(response, asked, client) {
            Ok(response) => response,
            Err(Unsendable::NotHttp(why)) => {
                failures.add(&format!("the guest's answer is not one that HTTP has: {why}"));
                refusal(StatusCode::BAD_GATEWAY, "the handler's answer is not one that HTTP has")
            }
            Err(Unsendable::NotOfOld) => refusal(
                StatusCode::HTTP_VERSION_NOT_SUPPORTED,
                "the answer has no length, and with HTTP/1.0 nobody could tell whether it is whole: use HTTP/1.1",
            ),
        },
        Ok(Err(code)) => {
            // It may go on: this is its answer.
            let _ = client.send(Gone::Whole);
            failures.add(&format!("the guest answered with an error: {}", shortly(&code)));
            refusal(StatusCode::INTERNAL_SERVER_ERROR, "the handler failed")
        }
        Err(_) => {
            let end = end.await.unwrap_or(End::Host);
            drop(client);
            if let End::Guest(ContainerEnd::Exited(0)) = end {
                failures.add("the guest ended without an answer");
            }
            end.refusal()
        }
    }
}

/// Sees a guest to its end, whoever still waits for it.
async fn drive(
    failures: Failures,
    mut guest: Guest<ContainerEnd>,
    deadline: Option<Instant>,
    mut client: Left,
    ended: oneshot::Sender<End>,
) {
    let handler = &failures.handler;
    let time_is_over = async {
        match deadline {
            Some(deadline) => tokio::time::sleep_until(deadline).await,
            // Later than the clock can say.
            None => std::future::pending().await,
        }
    };
    tokio::pin!(time_is_over);
    let (mut stage, mut has_client) = (handler.stage.clone(), true);
    let broken = client.broken.clone();
    let count = |gone| {
        // A guest that gives up over a body that breaks off fails at its client.
        if gone == Gone::BrokenOff && !broken.load(Ordering::SeqCst) {
            failures.add("the guest's answer broke off");
        }
    };
    let end = loop {
        tokio::select! {
            end = &mut guest => break of(end, handler, &client),
            () = &mut time_is_over => {
                break End::TookTooLong(ContainerEnd::TimedOut { timeout: in_words(handler.timeout) });
            }
            away = &mut client.left, if has_client => match away {
                Ok(gone) => {
                    has_client = false;
                    count(gone);
                }
                Err(_) => break End::ClientLeft,
            },
            () = reached(&mut stage, Stage::Cut) => break End::Cut,
        }
    };
    guest.stop().await;
    if let Some(why) = end.failure() {
        failures.add(&why);
    }
    let returned = matches!(end, End::Guest(ContainerEnd::Exited(0)));
    // Nobody may wait for it any more.
    let _ = ended.send(end);
    // The last of its answer may still be on its way, and may break off.
    if returned && has_client {
        tokio::select! {
            away = &mut client.left => if let Ok(gone) = away {
                count(gone);
            },
            () = &mut time_is_over => {}
            () = reached(&mut stage, Stage::Cut) => {}
        }
    }
}

/// The beginning of an error's text. Some of it is the guest's own, of any length, so that no more of it is made.
fn shortly(code: &ErrorCode) -> String {
    struct Beginning(String);

    impl std::fmt::Write for Beginning {
        fn write_str(&mut self, text: &str) -> std::fmt::Result {
            for character in text.chars() {
                if self.0.len() >= SHOWN_BYTES {
                    return Err(std::fmt::Error);
                }
                self.0.push(character);
            }
            Ok(())
        }
    }

    let mut beginning = Beginning(String::new());
    // Fails where there is more.
    let _ = std::fmt::Write::write_fmt(&mut beginning, format_args!("{code:?}"));
    showable(&beginning.0)
}

fn of(end: Result<ContainerEnd, Cut>, handler: &Handler, client: &Left) -> End {
    match end {
        // A guest that fails at a body that breaks off fails at its client.
        Ok(end) if end != ContainerEnd::Exited(0) && client.broken.load(Ordering::SeqCst) => End::ClientLeft,
        Ok(end) => End::Guest(end),
        Err(Cut::CpuTime) => {
            let limit = in_words(handler.cpu_time.unwrap_or(Duration::ZERO));
            End::TookTooLong(ContainerEnd::CpuTime { limit })
        }
        Err(Cut::Panicked) => End::Host,
        Err(Cut::Stopped) => End::Cut,
    }
}

impl Handler {
    fn name(&self) -> &str {
        self.container.definition().name()
    }

    fn counts(&self) -> &super::RequestCounts {
        &self.usage.requests
    }
}
