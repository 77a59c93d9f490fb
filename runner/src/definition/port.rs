//! Port mappings: on which port of the host a container's requests come in.
//!
//! A guest listens on nothing. A container with a mapping is a handler of HTTP requests: the host listens, and has an
//! instance of the image answer each request. So `containerPort` is where the definition would have a server listen
//! elsewhere, and here only what `hostPort` is when it is not given.

use super::problem::{Location, Problems, quoted};
use super::raw::{RawPortMapping, Whole};

/// On which port of the host a container's requests come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PortMapping {
    container_port: u16,
    host_port: u16,
}

impl PortMapping {
    /// The port that the container would listen on: 1 to 65,535. It has no effect but to be the default of
    /// [`host_port`](Self::host_port).
    #[must_use]
    pub fn container_port(&self) -> u16 {
        self.container_port
    }

    /// The port that the host listens on: 1 to 65,535, or 0 for a free one that the host chooses, which is what ECS means
    /// by it in its network mode `bridge`. Where the definition has none it is the container's, as in ECS's other modes.
    #[must_use]
    pub fn host_port(&self) -> u16 {
        self.host_port
    }
}

/// Reads a container's `portMappings`: none or one.
pub(super) fn port_mapping(raw: Vec<RawPortMapping>, at: &Location, problems: &mut Problems) -> Option<PortMapping> {
    if raw.len() > 1 {
        problems.add(
            &at.index(1),
            format!("the container has {} port mappings, and its requests come in on one port", raw.len()),
            "Keep one; a second container with the same image can have another.",
        );
        return None;
    }
    let raw = raw.into_iter().next()?;
    let at = at.index(0);
    check_protocols(&raw, &at, problems);
    let container_port = match raw.container_port {
        Some(container_port) => port(container_port, 1, &at.key("containerPort"), problems),
        None => {
            problems.add(&at.key("containerPort"), "the mapping has no container port", "Give one, 1 to 65535.");
            None
        }
    };
    let host_port = match raw.host_port {
        Some(host_port) => port(host_port, 0, &at.key("hostPort"), problems),
        None => container_port,
    };
    Some(PortMapping { container_port: container_port?, host_port: host_port? })
}

fn port(Whole(port): Whole, least: u16, at: &Location, problems: &mut Problems) -> Option<u16> {
    let found = u16::try_from(port).ok().filter(|port| *port >= least);
    if found.is_none() {
        let mend = match least {
            0 => "Give 1 to 65535, or 0 for a free one.",
            _ => "Give 1 to 65535.",
        };
        problems.add(at, format!("{port} is not a port"), mend);
    }
    found
}

fn check_protocols(raw: &RawPortMapping, at: &Location, problems: &mut Problems) {
    match raw.protocol.as_deref() {
        None | Some("tcp") => {}
        Some("udp") => {
            problems.add(&at.key("protocol"), "refused: only TCP is served", "Remove the key, or say \"tcp\".")
        }
        Some(other) => {
            let what = format!("{} is not a transport protocol", quoted(other));
            problems.add(&at.key("protocol"), what, "Remove the key, or say \"tcp\".");
        }
    }
    match raw.app_protocol.as_deref() {
        None | Some("http") => {}
        Some(other @ ("http2" | "grpc")) => problems.add(
            &at.key("appProtocol"),
            format!("refused: {other} is not served, HTTP/1.1 is"),
            "Remove the key, or say \"http\".",
        ),
        Some(other) => {
            let what = format!("{} is not an application protocol", quoted(other));
            problems.add(&at.key("appProtocol"), what, "Remove the key, or say \"http\".");
        }
    }
}
