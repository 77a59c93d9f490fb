//! A server that reads requests whole and answers from a script, one connection each.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

#[derive(Clone, Debug)]
pub(super) enum Reply {
    /// A whole answer.
    Http(u16, String),
    /// These bytes, then the connection is closed.
    Raw(String),
    /// These bytes, then nothing more.
    RawAndSilence(String),
    /// Nothing.
    Silence,
}

impl Reply {
    pub(super) fn http(status: u16, body: &str) -> Self {
        Self::Http(status, body.into())
    }

    pub(super) fn raw(bytes: &str) -> Self {
        Self::Raw(bytes.into())
    }

    pub(super) fn raw_and_silence(bytes: &str) -> Self {
        Self::RawAndSilence(bytes.into())
    }
}

type Requests = Arc<Mutex<Vec<(String, String)>>>;

pub(super) struct Server {
    url: String,
    requests: Requests,
    replied: watch::Receiver<usize>,
    serving: JoinHandle<()>,
}

impl Server {
    /// Answers the request of each number, from 0, with what `script` says.
    pub(super) async fn start(script: impl Fn(usize) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let requests = Requests::default();
        let (sender, replied) = watch::channel(0);
        let (script, sender) = (Arc::new(script), Arc::new(sender));
        let serving = tokio::spawn({
            let requests = Arc::clone(&requests);
            async move {
                while let Ok((connection, _)) = listener.accept().await {
                    let (requests, script, sender) = (Arc::clone(&requests), Arc::clone(&script), Arc::clone(&sender));
                    tokio::spawn(async move { serve(connection, &requests, &*script, &sender).await });
                }
            }
        });
        Self { url, requests, replied, serving }
    }

    pub(super) fn url(&self) -> String {
        self.url.clone()
    }

    /// The requests so far: each its head and its body.
    pub(super) fn requests(&self) -> Vec<(String, String)> {
        self.requests.lock().unwrap().clone()
    }

    /// The request, of which there must be one.
    pub(super) fn only_request(&self) -> (String, String) {
        let mut requests = self.requests();
        assert_eq!(requests.len(), 1, "nothing is repeated or followed");
        requests.remove(0)
    }

    /// Waits until there was a reply, or silence in its place.
    pub(super) async fn replied(&self) {
        self.replied.clone().wait_for(|count| *count > 0).await.unwrap();
    }

    /// Stops listening.
    pub(super) async fn stop(self) {
        self.serving.abort();
        let _ = self.serving.await;
    }
}

async fn serve(
    mut connection: TcpStream,
    requests: &Requests,
    script: &(dyn Fn(usize) -> Reply + Send + Sync),
    replied: &watch::Sender<usize>,
) {
    let Some(request) = read(&mut connection).await else {
        return;
    };
    let number = {
        let mut requests = requests.lock().unwrap();
        requests.push(request);
        requests.len() - 1
    };
    let reply = script(number);
    let (bytes, silence) = match reply {
        Reply::Http(status, body) => {
            let length = body.len();
            let head =
                format!("HTTP/1.1 {status} X\r\ncontent-length: {length}\r\nlocation: /\r\nconnection: close\r\n");
            (format!("{head}\r\n{body}"), false)
        }
        Reply::Raw(bytes) => (bytes, false),
        Reply::RawAndSilence(bytes) => (bytes, true),
        Reply::Silence => (String::new(), true),
    };
    let _ = connection.write_all(bytes.as_bytes()).await;
    replied.send_modify(|count| *count += 1);
    if silence {
        // Until the other side gives up.
        let _ = connection.read(&mut [0]).await;
    }
}

async fn read(connection: &mut TcpStream) -> Option<(String, String)> {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "))?.parse().ok()?;
            if body.len() >= length {
                return Some((head.into(), body.into()));
            }
        }
        if connection.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
}

/// As a form encodes it.
pub(super) fn encoded(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            encoded.push(byte.into());
        } else {
            encoded += &format!("%{byte:02X}");
        }
    }
    encoded
}
