//! Sends what was signed, and reads the answer: whole, or as far as its head where it is an object of any length.
//!
//! Both clients go without a system proxy and without redirects: a redirect would carry a signature to a host that
//! nobody checked. The client for AWS's own names resolves them itself and refuses addresses that are never AWS's, so
//! that a poisoned name cannot lead to the metadata service of the host's machine.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::header::{CONNECTION, HOST, TE, TRAILER, TRANSFER_ENCODING, UPGRADE};
use http::{HeaderMap, HeaderName, StatusCode};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::redirect::Policy;
use rolebox_aws_request::Operation;
use rustls_platform_verifier::BuilderVerifierExt;
use tokio::sync::Semaphore;
use url::Url;

use super::endpoint::{Network, Target};
use super::sign::Signed;
use super::{Answer, CallError};

/// How often one call is sent at most, where sending again is safe. The SDKs' own default.
const ATTEMPTS: u32 = 3;

/// The pause before the second attempt; each later one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(50);

/// Look-ups of names for all tasks' other hosts that may be under way at once. Each holds a thread of the runtime's until
/// the system has ended it, whatever became of its request; the runtime has 512 by default, for AWS's names as well.
const LOOKUPS: usize = 64;

/// How long a connection may take to open.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Fields of one connection, which are not the answer's. RFC 9110, section 7.6.1.
const HOP_BY_HOP: [HeaderName; 6] =
    [CONNECTION, TE, TRAILER, TRANSFER_ENCODING, UPGRADE, HeaderName::from_static("keep-alive")];

/// The pooled connections that all tasks of a host share.
#[derive(Debug, Clone)]
pub struct HttpClients {
    aws: reqwest::Client,
    operator: reqwest::Client,
    tls: rustls::ClientConfig,
    /// Look-ups of names that definitions chose.
    lookups: Arc<Semaphore>,
}

/// The clients could not be built.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HttpClientsError {
    /// The platform's certificates or TLS settings are unusable.
    #[error("TLS could not be set up: {0}; install the system's CA certificates")]
    Tls(#[from] rustls::Error),
    /// The client refused its settings.
    #[error("the HTTP client could not be built: {0}")]
    Http(#[from] reqwest::Error),
}

impl HttpClients {
    /// Clients that verify TLS against the platform's own certificates.
    ///
    /// # Errors
    ///
    /// When TLS cannot be set up.
    pub fn new() -> Result<Self, HttpClientsError> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut tls = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_platform_verifier()?
            .with_no_client_auth();
        // Not HTTP/2: a guest that does not read its answer holds up its own connection, and there that of others.
        tls.alpn_protocols = vec![b"http/1.1".to_vec()];
        let aws = builder(&tls).https_only(true).dns_resolver(AwsResolver).build()?;
        let operator = builder(&tls).build()?;
        Ok(Self { aws, operator, tls, lookups: Arc::new(Semaphore::new(LOOKUPS)) })
    }

    /// What bounds the look-ups of names that definitions chose, over all tasks.
    pub(super) fn lookups(&self) -> Arc<Semaphore> {
        self.lookups.clone()
    }

    /// Settings for one more client, for hosts that are neither AWS's nor the operator's.
    pub(super) fn another(&self) -> reqwest::ClientBuilder {
        builder(&self.tls)
    }

    /// Sends once, and reads the answer as `reading` says.
    pub(super) async fn send(
        &self,
        target: &Target,
        signed: &Signed,
        body: reqwest::Body,
        reading: Reading,
    ) -> Result<Received, CallError> {
        let client = match target.network {
            Network::Aws => &self.aws,
            Network::Operator => &self.operator,
        };
        let mut request = reqwest::Request::new(signed.method.clone(), target.url.clone());
        *request.headers_mut() = signed.headers.clone();
        // The client makes it from the URL; it is what was signed.
        request.headers_mut().remove(HOST);
        *request.body_mut() = Some(body);
        let mut response = client.execute(request).await.map_err(|error| unreachable(&target.url, &error))?;
        let (status, headers) = (response.status(), end_to_end(std::mem::take(response.headers_mut())));
        if reading.leave_open
            && status.is_success()
            && response.content_length().is_none_or(|length| length > HELD_BYTES.min(reading.limit))
        {
            let body = http::Response::from(response).into_body();
            return Ok(Received::Open(OpenAnswer { status, headers, body }));
        }
        let body = read(&mut response, target, reading.limit).await?;
        Ok(Received::Whole(Answer { status, headers, body }))
    }
}

fn builder(tls: &rustls::ClientConfig) -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .tls_backend_preconfigured(tls.clone())
        .no_proxy()
        .redirect(Policy::none())
        .referer(false)
        // A retry must be signed again, so it is ours alone to decide.
        .retry(reqwest::retry::never())
        .http1_only()
        .connect_timeout(CONNECT_TIMEOUT)
}

/// How an answer is read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reading {
    /// The most bytes of an answer that is read whole.
    pub(super) limit: u64,
    /// Whether the body of a success is left to be read by the guest, where it is long.
    pub(super) leave_open: bool,
}

/// Bytes up to which a body is read whole in any case: it is looked through for echoes then.
const HELD_BYTES: u64 = super::scrub::SMALL_BODY as u64;

/// What came back.
#[derive(Debug)]
pub(super) enum Received {
    Whole(Answer),
    Open(OpenAnswer),
}

/// An answer whose body is still to be read.
#[derive(Debug)]
pub(super) struct OpenAnswer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: reqwest::Body,
}

impl Received {
    /// The answer, where it is held whole.
    pub(super) fn whole(&self) -> Option<&Answer> {
        match self {
            Self::Whole(answer) => Some(answer),
            Self::Open(_) => None,
        }
    }
}

async fn read(response: &mut reqwest::Response, target: &Target, limit: u64) -> Result<Bytes, CallError> {
    if response.content_length().is_some_and(|length| length > limit) {
        return Err(CallError::TooLarge { limit });
    }
    // Address space and not memory until it comes, and never more than the limit.
    let announced = response.content_length().unwrap_or_default();
    let mut body = BytesMut::with_capacity(usize::try_from(announced).unwrap_or_default());
    while let Some(chunk) = response.chunk().await.map_err(|error| unreachable(&target.url, &error))? {
        if (body.len() + chunk.len()) as u64 > limit {
            return Err(CallError::TooLarge { limit });
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}

/// What a guest and a log may know of a failure: the host and the kind, never the request.
pub(super) fn unreachable(url: &Url, error: &reqwest::Error) -> CallError {
    let host = url.host_str().unwrap_or_default();
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    let mut cause: &dyn std::error::Error = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    let what = if error.is_connect() { "no connection to" } else { "the connection failed to" };
    CallError::EndpointUnreachable(format!("{what} {host}{port}: {cause}"))
}

pub(super) fn end_to_end(mut headers: HeaderMap) -> HeaderMap {
    for name in HOP_BY_HOP.iter().chain([&HOST]) {
        headers.remove(name);
    }
    headers
}

/// How long to wait before the operation is signed and sent again; `None` when `sent` is what the guest gets.
pub(super) fn retry_after(operation: &Operation, attempt: u32, sent: &Result<Received, CallError>) -> Option<Duration> {
    let again = match sent {
        Ok(Received::Open(_)) => false,
        Ok(Received::Whole(answer)) => matches!(
            answer.status,
            StatusCode::INTERNAL_SERVER_ERROR
                | StatusCode::BAD_GATEWAY
                | StatusCode::SERVICE_UNAVAILABLE
                | StatusCode::GATEWAY_TIMEOUT
        ),
        Err(CallError::EndpointUnreachable(_)) => true,
        Err(_) => false,
    };
    (again && operation.safe_to_retry && attempt < ATTEMPTS).then(|| FIRST_PAUSE * 2_u32.pow(attempt - 1))
}

/// Resolves AWS's names by the system, and drops addresses that no AWS endpoint has.
struct AwsResolver;

impl Resolve for AwsResolver {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let usable: Vec<SocketAddr> = found.filter(|address| may_be_aws(address.ip())).collect();
            if usable.is_empty() {
                let refused = format!("{} resolves only to addresses of the machine itself", name.as_str());
                return Err(refused.into());
            }
            Ok(Box::new(usable.into_iter()) as Addrs)
        })
    }
}

/// Private addresses are fine: that is how PrivateLink works. Loopback, link-local (which holds the instance metadata
/// service and ECS's credential endpoint), unspecified and multicast addresses are never an AWS endpoint's.
/// <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html>
fn may_be_aws(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            !(v4.is_loopback() || v4.is_link_local() || v4.is_unspecified() || v4.is_multicast() || v4.is_broadcast())
        }
        IpAddr::V6(v6) => {
            if let Some(v4) = v6.to_ipv4_mapped().or_else(|| embedded_v4(v6)) {
                return may_be_aws(IpAddr::V4(v4));
            }
            // The IPv6 form of the metadata service lies in the unique local range, where PrivateLink's may too.
            let metadata = v6.segments()[..4] == [0xfd00, 0x0ec2, 0, 0];
            !(v6.is_loopback() || v6.is_unicast_link_local() || v6.is_unspecified() || v6.is_multicast() || metadata)
        }
    }
}

/// The IPv4 address inside a NAT64 (RFC 6052), 6to4 (RFC 3056) or IPv4-compatible (RFC 4291) address.
fn embedded_v4(v6: std::net::Ipv6Addr) -> Option<std::net::Ipv4Addr> {
    let octets = v6.octets();
    let at =
        |start: usize| std::net::Ipv4Addr::new(octets[start], octets[start + 1], octets[start + 2], octets[start + 3]);
    match v6.segments() {
        [0x64, 0xff9b, 0, 0, 0, 0, _, _] => Some(at(12)),
        // Below 2^16 lie the unspecified and the loopback address, which are no IPv4 addresses.
        [0, 0, 0, 0, 0, 0, high, _] if high != 0 => Some(at(12)),
        [0x2002, ..] => Some(at(2)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_that_are_never_aws() {
        for refused in [
            "127.0.0.1",
            "127.255.255.254",
            "169.254.169.254",
            "169.254.170.2",
            "0.0.0.0",
            "255.255.255.255",
            "224.0.0.1",
            "::1",
            "::",
            "fe80::1",
            "fd00:ec2::254",
            "::ffff:169.254.169.254",
            "::ffff:127.0.0.1",
            "64:ff9b::a9fe:a9fe",
            "2002:a9fe:a9fe::1",
            "::169.254.169.254",
            "ff02::1",
        ] {
            assert!(!may_be_aws(refused.parse().unwrap()), "{refused}");
        }
    }

    #[test]
    fn public_and_private_addresses_may_be_aws() {
        for allowed in ["52.216.0.1", "10.0.0.5", "172.16.3.4", "2600:1f18::1", "fd12:3456::1", "::ffff:52.216.0.1"] {
            assert!(may_be_aws(allowed.parse().unwrap()), "{allowed}");
        }
    }
}
