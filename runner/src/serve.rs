//! HTTP/1.1 from clients that nobody vouches for: a listener, its connections, and what is let through to a handler.
//!
//! What is here knows nothing of guests. It bounds what a client costs before a handler is asked: connections, the head of
//! a request in bytes and time, idle time, and how long a client may leave an answer unread. Bodies stream in both
//! directions, each piece when the other side takes it. A request names its resource by its path and its authority by one
//! `Host`; what names them in two ways is refused, so that nothing in front of this and nothing behind it can read the
//! request differently. The framing of messages is hyper's, and so is the reading of the request line: what it drops of a
//! target (a fragment, which no client sends) is not seen here. A client that leaves is noticed when its end of the
//! connection is read, which is while nothing that it sent before still waits for the handler.
//!
//! Absent: TLS and HTTP/2, which a proxy in front of the host speaks; upgrades, so no WebSockets; virtual hosts; shares of the
//! connections for each client, since behind a proxy all have one address.

mod answer;
mod connection;
mod listener;
mod request;
mod socket;

use std::time::Duration;

use tokio::sync::watch;

pub(crate) use self::answer::{Client, Gone, Unsendable, refusal, sent};
pub(crate) use self::listener::{listen, serve};
pub(crate) use self::request::check;

/// Connections of one listener at a time. One more is told so and closed, without waiting for its request.
const MAX_CONNECTIONS: usize = 256;

/// The same for all listeners of a runner: each is a descriptor of the process, which needs others as well.
pub(crate) const MAX_ALL_CONNECTIONS: usize = 1_024;

/// The head of a request, in bytes, and the most that is read ahead of a body: four times what S3 takes in one header, and as
/// much as a guest may give for an answer.
const MAX_HEAD_BYTES: usize = 32 << 10;

/// How long a client has for the whole head of a request, from when the one before it was answered: so it is also how long
/// a connection may be idle.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);

/// How long a client may take nothing of what is being sent to it.
const STALL_TIMEOUT: Duration = Duration::from_secs(30);

/// How far a listener's end has come. Whoever works for it holds a receiver, and it has ended when all are dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Stage {
    /// Requests are let in.
    Serving,
    /// No more connections, and each of them ends with the request that it is at.
    Draining,
    /// Whatever is left ends now.
    Cut,
}

/// Waits until `stage` is at least `least`. Where nobody can say so any more, that is the end.
pub(crate) async fn reached(stage: &mut watch::Receiver<Stage>, least: Stage) {
    // An error means that the sender is gone.
    let _ = stage.wait_for(|stage| *stage >= least).await;
}
