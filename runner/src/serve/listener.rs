//! The listener: takes connections, within a bound.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http::{Request, Response};
use hyper::body::Incoming;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use wasmtime_wasi_http::WasiBody;

use super::{MAX_CONNECTIONS, Stage, connection, reached};

/// How long no connection is taken after one could not be: the process has no descriptor left, and others must give some
/// back first.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// What a client is told for which there is no connection. It is whole without its request having been read.
const FULL: &[u8] =
    b"HTTP/1.1 503 Service Unavailable\r\nconnection: close\r\ncontent-length: 0\r\nretry-after: 1\r\n\r\n";

/// Listens on `address`, within the tokio runtime that this is called in.
pub(crate) fn listen(address: SocketAddr) -> io::Result<(TcpListener, SocketAddr)> {
    let listener = std::net::TcpListener::bind(address)?;
    listener.set_nonblocking(true)?;
    let address = listener.local_addr()?;
    Ok((TcpListener::from_std(listener)?, address))
}

/// Has `handler` answer the requests that come in over `listener`, until `stage` says otherwise. Connections go on when this
/// returns: they hold receivers of `stage`.
/// `all` bounds the connections of all listeners together.
pub(crate) async fn serve<H, F>(
    listener: TcpListener,
    all: Arc<Semaphore>,
    handler: H,
    mut stage: watch::Receiver<Stage>,
) where
    H: Fn(Request<Incoming>) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Response<WasiBody>> + Send + 'static,
{
    let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    loop {
        let accepted = tokio::select! {
            biased;
            () = reached(&mut stage, Stage::Draining) => return,
            accepted = listener.accept() => accepted,
        };
        let stream = match accepted {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::error!(%error, "a connection could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let (Ok(place), Ok(of_all)) = (places.clone().try_acquire_owned(), all.clone().try_acquire_owned()) else {
            turn_away(&stream);
            continue;
        };
        let connection = connection::run(stream, handler.clone(), stage.clone());
        tokio::spawn(async move {
            let _places = (place, of_all);
            connection.await;
        });
    }
}

fn turn_away(stream: &TcpStream) {
    // Not louder: clients say how often.
    tracing::debug!("a connection was turned away: there are as many as there may be");
    // Into the buffer of a new connection, or not at all: nothing is waited for.
    let _ = stream.try_write(FULL);
}
