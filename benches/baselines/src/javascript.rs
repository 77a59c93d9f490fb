//! Node.js and workerd, two ways to run JavaScript on V8: a process for each program, and one made to hold many
//! isolates.
//!
//! workerd is a server and has no run that ends, but for its tests. So it comes twice: a test that does nothing, from
//! start to exit as all others, and a server until it has given its first answer. Absent: a new isolate in a workerd
//! that runs already, which no interface of the program starts by itself.

use std::fs;
use std::io::{Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::child::Running;
use crate::{BOUND, Baseline, Idle, Inputs, Missing, child, find};

/// Node.js with a program that does nothing.
pub(crate) struct Node {
    inputs: Inputs,
}

impl Node {
    pub(crate) fn new(inputs: &Inputs) -> Self {
        Self { inputs: inputs.clone() }
    }

    fn command(&self, program: &str) -> Result<Command, Missing> {
        let mut command = Command::new(find::program(&self.inputs, "node")?);
        command.args(["-e", program]);
        Ok(command)
    }
}

impl Baseline for Node {
    fn name(&self) -> &'static str {
        "Node.js"
    }

    fn version(&self) -> Result<String, Missing> {
        find::version(&find::program(&self.inputs, "node")?)
    }

    fn launch(&self) -> Result<Duration, Missing> {
        Ok(child::run(&mut self.command("0")?, BOUND)?.took)
    }

    fn most(&self) -> usize {
        50
    }

    fn idle(&self) -> Option<Result<Idle, Missing>> {
        let command = self.command("console.log('idle'); setTimeout(() => {}, 60000)");
        Some(command.and_then(|mut command| Idle::start(&mut command, BOUND)))
    }
}

/// workerd with one worker, whose test does nothing.
pub(crate) struct WorkerdTest {
    workerd: Workerd,
}

impl WorkerdTest {
    pub(crate) fn new(inputs: &Inputs) -> Self {
        Self { workerd: Workerd::new(inputs, "workerd-test", "") }
    }
}

impl Baseline for WorkerdTest {
    fn name(&self) -> &'static str {
        "workerd, one test"
    }

    fn version(&self) -> Result<String, Missing> {
        self.workerd.version()
    }

    fn launch(&self) -> Result<Duration, Missing> {
        let (program, config) = self.workerd.prepared()?;
        let ended = child::run(Command::new(program).arg("test").arg(config), BOUND)?;
        // It would end as well if it had found no test.
        if !ended.said().contains("[ PASS ]") {
            return Err(Missing::NotPossible(format!("workerd ran no test{}", child::tail(&ended.said()))));
        }
        Ok(ended.took)
    }

    fn most(&self) -> usize {
        50
    }

    /// That of [`WorkerdAnswer`].
    fn idle(&self) -> Option<Result<Idle, Missing>> {
        None
    }
}

/// workerd with one worker that answers, from its start to the end of its first answer. Its end is not in the time.
pub(crate) struct WorkerdAnswer {
    workerd: Workerd,
    served: AtomicUsize,
}

impl WorkerdAnswer {
    pub(crate) fn new(inputs: &Inputs) -> Self {
        Self { workerd: Workerd::new(inputs, "workerd-answer", SOCKET), served: AtomicUsize::new(0) }
    }

    /// The server after its first answer, and how long that took.
    fn serve(&self) -> Result<(Running, Duration), Missing> {
        let (program, config) = self.workerd.prepared()?;
        let served = self.served.fetch_add(1, Ordering::Relaxed);
        let address = config.with_extension(format!("{served}.sock"));
        // Listening is ours, so that the request may be sent before the server is there: nobody has to ask again and
        // again.
        let listener = UnixListener::bind(&address)
            .map_err(|error| child::failed("workerd", &format!("cannot listen at {}", address.display()), &error))?;
        let mut command = Command::new(program);
        command.args(["serve", "--socket-fd", "http=0"]).arg(config);
        command.stdin(Stdio::from(std::os::fd::OwnedFd::from(listener))).stdout(Stdio::null()).stderr(Stdio::null());

        let begin = Instant::now();
        let running = Running::start(&mut command)?;
        // The listener closes with the command, so that a server that fails is noticed at once.
        drop(command);
        let answer = ask(&address);
        let took = begin.elapsed();
        let _ = fs::remove_file(&address);
        match answer {
            Ok(answer) if answer.starts_with("HTTP/1.1 200 ") => Ok((running, took)),
            Ok(answer) => Err(Missing::NotPossible(format!("workerd gave no answer{}", child::tail(&answer)))),
            Err(error) => Err(child::failed("workerd", "gave no answer", &error)),
        }
    }
}

impl Baseline for WorkerdAnswer {
    fn name(&self) -> &'static str {
        "workerd, until the first answer"
    }

    fn version(&self) -> Result<String, Missing> {
        self.workerd.version()
    }

    fn launch(&self) -> Result<Duration, Missing> {
        Ok(self.serve()?.1)
    }

    fn most(&self) -> usize {
        50
    }

    fn idle(&self) -> Option<Result<Idle, Missing>> {
        Some(self.serve().map(|(running, _)| Idle::of(running)))
    }
}

/// The program, and the configuration that both ways to start it share.
struct Workerd {
    inputs: Inputs,
    name: &'static str,
    sockets: &'static str,
    prepared: OnceLock<Result<(PathBuf, PathBuf), Missing>>,
}

impl Workerd {
    fn new(inputs: &Inputs, name: &'static str, sockets: &'static str) -> Self {
        Self { inputs: inputs.clone(), name, sockets, prepared: OnceLock::new() }
    }

    fn version(&self) -> Result<String, Missing> {
        find::version(&find::program(&self.inputs, "workerd")?)
    }

    fn prepared(&self) -> Result<(&Path, &Path), Missing> {
        let prepared = self.prepared.get_or_init(|| {
            let program = find::program(&self.inputs, "workerd")?;
            let config = self.inputs.work.join(self.name).with_extension("capnp");
            fs::write(&config, CONFIG.replace("SOCKETS", self.sockets))
                .map_err(|error| child::failed("workerd", "has no configuration", &error))?;
            Ok((program, config))
        });
        prepared.as_ref().map(|(program, config)| (program.as_path(), config.as_path())).map_err(Missing::clone)
    }
}

/// One worker, with as little in it as answers and tests nothing.
const CONFIG: &str = r#"using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [(
    name = "main",
    worker = (
      modules = [(
        name = "main",
        esModule = "export default { fetch() { return new Response('idle'); }, test() {} };"
      )],
      compatibilityDate = "2026-01-01"
    )
  )],
  sockets = [SOCKETS]
);
"#;

/// Where the server listens is said when it is started.
const SOCKET: &str = r#"(name = "http", http = (), service = "main")"#;

/// Asks once and reads the answer to its end.
fn ask(address: &Path) -> std::io::Result<String> {
    let mut stream = UnixStream::connect(address)?;
    stream.set_read_timeout(Some(BOUND))?;
    stream.write_all(b"GET / HTTP/1.1\r\nHost: baseline\r\nConnection: close\r\n\r\n")?;
    let mut answer = Vec::new();
    let mut piece = [0; 1024];
    // Not to the end of the stream, which may stay open: the body is known.
    while !answer.ends_with(b"idle") {
        match stream.read(&mut piece)? {
            0 => break,
            count => answer.extend_from_slice(&piece[..count]),
        }
    }
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_read_to_its_body() {
        let folder = tempfile::tempdir().unwrap();
        let address = folder.path().join("socket");
        let listener = UnixListener::bind(&address).unwrap();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let (mut stream, _) = listener.accept().unwrap();
                let mut request = [0; 16];
                stream.read_exact(&mut request).unwrap();
                assert_eq!(&request, b"GET / HTTP/1.1\r\n");
                stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").unwrap();
                stream.write_all(b"idle").unwrap();
            });
            assert_eq!(ask(&address).unwrap(), "HTTP/1.1 200 OK\r\n\r\nidle");
        });
    }
}
