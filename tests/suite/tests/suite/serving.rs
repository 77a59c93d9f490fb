//! Tasks that serve: what clients get, what guests get away with, and how the task ends.
//!
//! The client is a socket and a few lines of HTTP, since half of what it does no HTTP client would.

mod bodies;
mod hostile;
mod limits;
mod malformed;
mod presence;
mod stop;
mod tasks;

use std::net::SocketAddr;

use rolebox::definition::Mebibytes;
use rolebox::output::{CapturedOutput, TaskOutput};
use rolebox::{RunnerSettings, RunningTask, StoppedTask};
use rolebox_guest_artifacts::HTTP_HANDLER;
use rolebox_suite::{Host, bounds, task};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

pub(crate) use self::presence::http_presence;
pub(crate) use self::tasks::http_handler;

/// A task of one container that serves on a free port; with `change`s.
fn handler(change: impl FnOnce(&mut Value)) -> Value {
    let mut definition = task(std::path::Path::new(HTTP_HANDLER), &[]);
    definition["containerDefinitions"][0]["portMappings"] = json!([{"containerPort": 80, "hostPort": 0}]);
    definition["rolebox"]["timeout"] = json!("60s");
    change(&mut definition);
    definition
}

/// A host that lets tasks serve on any port.
async fn host() -> Host {
    host_with(|settings| settings).await
}

async fn host_with(change: impl FnOnce(RunnerSettings) -> RunnerSettings) -> Host {
    let bounds = bounds().allow_any_host_port().with_max_task_memory(Mebibytes::new(65_536));
    Host::with(|settings| change(settings.with_bounds(bounds).with_max_instances(100))).await
}

/// A running task that listens.
struct Served {
    host: Host,
    running: RunningTask,
    address: SocketAddr,
    output: CapturedOutput,
}

impl Served {
    /// A task that is [`handler`] with these changes, on a [`host`].
    async fn start(change: impl FnOnce(&mut Value)) -> Self {
        Self::on(host().await, &handler(change)).await
    }

    async fn on(host: Host, definition: &Value) -> Self {
        let output = CapturedOutput::default();
        let prepared = host.prepare(definition).await.unwrap();
        let mut running = prepared.start(TaskOutput::Capture(output.clone()));
        let Some(binding) = running.bindings().next().await else { panic!("{:?}", running.wait().await) };
        assert_eq!((binding.container_port, binding.protocol), (80, "tcp"));
        Self { host, address: binding.address(), running, output }
    }

    async fn connect(&self) -> Client {
        Client(BufReader::new(TcpStream::connect(self.address).await.unwrap()))
    }

    /// Makes one request on a connection of its own.
    async fn get(&self, target: &str) -> Answer {
        let mut client = self.connect().await;
        client.send(&format!("GET {target} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n")).await;
        client.answer().await.unwrap()
    }

    /// Begins an `/echo`, which is in flight from when this returns.
    async fn begin(&self) -> Client {
        let mut client = self.connect().await;
        client.send("POST /echo HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n").await;
        let head = client.head().await.unwrap();
        assert_eq!(head.status, 200, "{head:?}");
        assert_eq!(client.chunk().await.as_deref(), Some(&b"hi"[..]));
        client
    }

    async fn stop(mut self) -> StoppedTask {
        self.running.stop("the test is over");
        self.running.wait().await
    }
}

struct Client(BufReader<TcpStream>);

#[derive(Debug, Default)]
struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    /// Whether the body came to its end.
    whole: bool,
}

impl Answer {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(header, _)| header == name).map(|(_, value)| value.as_str())
    }

    fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }
}

impl Client {
    async fn send(&mut self, text: impl AsRef<[u8]>) {
        self.0.write_all(text.as_ref()).await.unwrap();
    }

    /// The head of an answer; none where the connection ends without one.
    async fn head(&mut self) -> Option<Answer> {
        let line = self.line().await?;
        let status = line.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_else(|| panic!("{line}"));
        let mut answer = Answer { status, ..Answer::default() };
        loop {
            let line = self.line().await?;
            if line.is_empty() {
                return Some(answer);
            }
            let (name, value) = line.split_once(": ").unwrap_or_else(|| panic!("{line}"));
            answer.headers.push((name.to_ascii_lowercase(), value.to_owned()));
        }
    }

    /// A whole answer to anything but HEAD, or what there is of it.
    async fn answer(&mut self) -> Option<Answer> {
        let mut answer = self.head().await?;
        let length = answer.header("content-length").map(|length| length.parse::<usize>().unwrap());
        if answer.header("transfer-encoding") == Some("chunked") {
            while let Some(chunk) = self.chunk().await {
                answer.whole = chunk.is_empty();
                if answer.whole {
                    break;
                }
                answer.body.extend(chunk);
            }
        } else if let Some(length) = length {
            let mut rest = (&mut self.0).take(length as u64);
            let _ = rest.read_to_end(&mut answer.body).await;
            answer.whole = answer.body.len() == length;
        }
        Some(answer)
    }

    /// The next chunk, empty for the last one; none where the connection ends instead.
    async fn chunk(&mut self) -> Option<Vec<u8>> {
        let length = usize::from_str_radix(&self.line().await?, 16).unwrap();
        let mut chunk = vec![0; length];
        self.0.read_exact(&mut chunk).await.ok()?;
        assert_eq!(self.line().await?, "");
        Some(chunk)
    }

    async fn line(&mut self) -> Option<String> {
        let mut line = Vec::new();
        loop {
            // An error is a connection that was reset.
            match self.0.read_u8().await {
                Ok(b'\n') => break,
                Ok(byte) => line.push(byte),
                Err(_) => return None,
            }
        }
        assert_eq!(line.pop(), Some(b'\r'));
        Some(String::from_utf8(line).unwrap())
    }

    /// Whether the host has closed the connection, and sends nothing more. Waits for either.
    async fn is_closed(&mut self) -> bool {
        self.0.read_u8().await.is_err()
    }
}
