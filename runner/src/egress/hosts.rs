//! Hosts that are not AWS's: what `rolebox.egress` in the definition allows, and nothing else.
//!
//! Nothing is signed here and nothing is parsed: a host gets the guest's headers and body as they are, but for the fields of
//! a connection. What is decided is where a request goes. The name, the port and whether TLS is used must stand in the
//! definition; a name that does not is never looked up. The host resolves the name and connects to public addresses alone
//! ([`addresses`]), so that no name leads into the machine, its network or its metadata service. Redirects are handed to the
//! guest, which has to ask again.
//!
//! A customer's own endpoint in AWS (API Gateway, a Lambda function's URL) is such a host. It is called unsigned, so a
//! request that bears an AWS signature all the same is refused.
//!
//! Each task has its own connections: they are not shared with another task, and end with it.
//!
//! Absent: caching, retries, proxies, WebSockets and any other protocol that takes a connection over, an answer that is read
//! while the request is still written.

mod addresses;
#[cfg(test)]
mod tests;

use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use aws_smithy_async::time::SharedTimeSource;
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_LENGTH, EXPECT, HOST};
use http::{HeaderMap, HeaderValue, Method};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use rolebox_aws_request::host::{Host, classify};
use tokio::sync::Semaphore;
use url::Url;

use super::answer::{Accounts, AnswerBody, AnswerStream, HttpAnswer};
use super::audit::{Answered, AuditSink, CallRecord, Decision, PendingEnd, RecordedTask};
use super::body::{GuestBody, OutgoingBody, Pieces};
use super::limits::{CallQuota, Permit};
use super::refusals::Refusals;
use super::send::{HttpClients, HttpClientsError, end_to_end, unreachable};
use super::upload::{self, Pumped, Sent};
use super::{CallError, CallLimits, CallUsage, HostAddress, TaskCalls};
use crate::definition::EgressName;

/// Connections of a task to one host that are kept for its next request.
const IDLE_CONNECTIONS: usize = 4;

/// How long they are kept.
const IDLE_TIME: Duration = Duration::from_secs(30);

/// Look-ups of one task's names that may be under way at once.
const LOOKUPS: usize = 4;

/// How names become addresses.
#[derive(Debug, Clone, Copy)]
struct Names {
    /// Blocks.
    look_up: fn(&str) -> io::Result<Vec<IpAddr>>,
    may_connect: fn(IpAddr) -> bool,
}

impl Names {
    /// By the system, and public addresses alone.
    const PUBLIC: Self = Self { look_up, may_connect: addresses::is_public };
}

fn look_up(name: &str) -> io::Result<Vec<IpAddr>> {
    Ok((name, 0).to_socket_addrs()?.map(|address| address.ip()).collect())
}

/// Looks one task's names up.
struct Resolver {
    names: Names,
    own: Arc<Semaphore>,
    all: Arc<Semaphore>,
}

/// One task's way to the hosts that its definition names.
#[derive(Debug)]
pub(crate) struct HostRequests {
    names: Vec<EgressName>,
    clients: HttpClients,
    resolver: Names,
    /// Made for the first request.
    client: OnceLock<reqwest::Client>,
    quota: Arc<CallQuota>,
    audit: Arc<dyn AuditSink>,
    time: SharedTimeSource,
    recorded: RecordedTask,
    refusals: Refusals,
}

/// A request as a guest makes it, without its body.
#[derive(Clone)]
pub struct HostRequest {
    /// The method.
    pub method: Method,
    /// Where it goes.
    pub address: HostAddress,
    /// Path and query.
    pub target: String,
    /// Header fields as the guest wrote them.
    pub headers: HeaderMap,
    /// How long the guest waits for the head of the answer, where it says so.
    pub first_byte: Option<Duration>,
}

impl std::fmt::Debug for HostRequest {
    /// Without path and headers: they may hold a guest's own secrets.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "HostRequest({} {})", self.method, self.address)
    }
}

impl HostRequest {
    /// Decides whether a task may make this request whose definition has `names` in `rolebox.egress`. Nothing is looked up
    /// and nothing sent.
    ///
    /// # Errors
    ///
    /// [`CallError::Denied`], which says what the definition would have to name; [`CallError::InvalidRequest`] for what is
    /// no request.
    pub fn admit(&self, names: &[EgressName]) -> Result<(), CallError> {
        self.url(names).map(drop)
    }

    /// The URL of a request that the definition allows.
    fn url(&self, names: &[EgressName]) -> Result<Url, CallError> {
        let Self { address: HostAddress { name, port, tls }, target, .. } = self;
        let same_host = || names.iter().filter(|entry| entry.host() == name);
        if !same_host().any(|entry| entry.port() == *port && entry.tls() == *tls) {
            let others: Vec<String> = same_host().map(|entry| format!("`{entry}`")).collect();
            let instead =
                if others.is_empty() { String::new() } else { format!(", which has {}", others.join(" and ")) };
            return Err(CallError::denied(format!(
                "`{}` is not among the hosts that this task may reach (`rolebox.egress`){instead}",
                self.address
            )));
        }
        if self.method == Method::CONNECT {
            return Err(CallError::denied("CONNECT would take the connection over, which no task may"));
        }
        if matches!(classify(name), Ok(Host::Customer(_))) {
            refuse_signed(self)?;
        }
        let rewritten = || {
            CallError::InvalidRequest(format!(
                "the path `{}` cannot be sent unchanged: percent-encode what no URL holds, and leave out dot segments",
                target.split('?').next().unwrap_or_default().escape_debug()
            ))
        };
        let (scheme, usual) = if *tls { ("https", 443) } else { ("http", 80) };
        let port = if *port == usual { String::new() } else { format!(":{port}") };
        let slash = if target.starts_with('?') { "/" } else { "" };
        if !target.starts_with(['/', '?']) {
            return Err(rewritten());
        }
        let text = format!("{scheme}://{name}{port}{slash}{target}");
        let url = Url::parse(&text).map_err(|_| rewritten())?;
        // The URL standard folds dot segments and encodes some characters. What it would change may be part of a signature
        // of the guest's own.
        if url.as_str() != text || url.fragment().is_some() { Err(rewritten()) } else { Ok(url) }
    }
}

/// What the requests of all tasks share.
#[derive(Debug)]
pub(crate) struct HostEgress {
    pub(crate) clients: HttpClients,
    pub(crate) audit: Arc<dyn AuditSink>,
    pub(crate) time: SharedTimeSource,
}

impl HostRequests {
    /// The way to `names` of a task with a role, within the limits that hold its calls to AWS too.
    pub(crate) fn beside(egress: HostEgress, names: Vec<EgressName>, calls: &TaskCalls) -> Self {
        Self::with(egress, names, calls.quota.clone(), calls.recorded.clone(), Names::PUBLIC)
    }

    /// The way to `names` of a task without a role.
    pub(crate) fn alone(
        egress: HostEgress,
        names: Vec<EgressName>,
        limits: CallLimits,
        task_id: &str,
        family: &str,
    ) -> Self {
        let quota = Arc::new(CallQuota::new(limits, egress.time.clone()));
        let recorded = RecordedTask { task_id: task_id.to_owned(), family: family.to_owned(), role: None };
        Self::with(egress, names, quota, recorded, Names::PUBLIC)
    }

    fn with(
        egress: HostEgress,
        names: Vec<EgressName>,
        quota: Arc<CallQuota>,
        recorded: RecordedTask,
        resolver: Names,
    ) -> Self {
        let HostEgress { clients, audit, time } = egress;
        let refusals = Refusals::new(audit.clone(), time.clone(), recorded.clone());
        Self { names, clients, resolver, client: OnceLock::new(), quota, audit, time, recorded, refusals }
    }

    /// Resolves when no request is in flight. For when no guest of the task runs any more.
    pub(crate) async fn idle(&self) {
        self.refusals.summarize();
        self.quota.idle().await;
    }

    /// What the task's requests came to so far, its calls to AWS included.
    pub(crate) fn usage(&self) -> CallUsage {
        self.quota.usage()
    }

    /// Records that a request to `authority`, which names no host that could be asked for, was refused.
    pub(crate) async fn refuse(&self, authority: &str, body_bytes: u64, error: &CallError) {
        match self.quota.admit_connection() {
            Ok(_permit) => {
                let record = CallRecord::new(&self.recorded, self.time.now(), authority, body_bytes);
                let _ = self.audit.record(record.decided(None, &Decision::of(error))).await;
            }
            Err(limit) => self.refusals.refused(limit.key(), authority, body_bytes, error).await,
        }
    }

    /// Makes one request. What is left of the body afterwards was not wanted.
    pub(crate) async fn request(&self, request: HostRequest, body: &mut GuestBody) -> Result<HttpAnswer, CallError> {
        let authority = format!("{}:{}", request.address.name, request.address.port);
        let length = content_length(&request.headers);
        let permit = match self.quota.admit_connection() {
            Ok(permit) => permit,
            Err(limit) => {
                let error = CallError::from(limit);
                self.refusals.refused(limit.key(), &authority, length.unwrap_or_default(), &error).await;
                return Err(error);
            }
        };
        let started = self.time.now();
        let record = CallRecord::new(&self.recorded, started, &authority, length.unwrap_or_default());
        let record = record.with_method(&request.method);
        let url = match request.url(&self.names) {
            Ok(url) => url,
            Err(error) => {
                // A denial stands whether or not it can be recorded.
                let _ = self.audit.record(record.decided(None, &Decision::of(&error))).await;
                return Err(error);
            }
        };
        let record = record.decided(None, &Decision::Allowed);
        let end = PendingEnd::begin(&self.audit, &self.time, started, record).await?;
        self.quota.count_call();
        self.exchange(request, url, length, body, permit, end).await
    }

    async fn exchange(
        &self,
        request: HostRequest,
        url: Url,
        length: Option<u64>,
        body: &mut GuestBody,
        permit: Permit,
        mut end: PendingEnd,
    ) -> Result<HttpAnswer, CallError> {
        let patience = self.quota.limits().call_timeout;
        let sent = Sent::new(self.quota.clone(), end.count_sent());
        let response = match self.send(&request, &url, length, body, &sent).await {
            Ok(response) => response,
            Err(error) => {
                end.fail(&error);
                return Err(error);
            }
        };
        let (head, body) = http::Response::from(response).into_parts();
        let headers = end_to_end(head.headers);
        let answered = Answered::new(head.status, &headers);
        let accounts = Accounts { quota: self.quota.clone(), permit, end, patience, url, answered };
        let body = AnswerBody::Streamed(Box::new(AnswerStream::new(body, accounts)));
        Ok(HttpAnswer { status: head.status, headers, body })
    }

    async fn send(
        &self,
        request: &HostRequest,
        url: &Url,
        length: Option<u64>,
        body: &mut GuestBody,
        sent: &Sent,
    ) -> Result<reqwest::Response, CallError> {
        let patience = self.quota.limits().call_timeout;
        let first_byte = request.first_byte.map_or(patience, |asked| asked.min(patience));
        let mut outgoing = reqwest::Request::new(request.method.clone(), url.clone());
        *outgoing.headers_mut() = end_to_end(request.headers.clone());
        // The client makes the first two from the URL and the body. What the third asks for, the guest has: it may send.
        for name in [HOST, CONTENT_LENGTH, EXPECT] {
            outgoing.headers_mut().remove(name);
        }
        // A request that says nothing of a body may have none, and is sent without one then.
        let first = if length == Some(0) { None } else { upload::next(body, patience).await? };
        if first.is_none() && length.is_none_or(|length| length == 0) {
            // Many servers want a length with every upload, and the client sends none of an empty body. RFC 9110, 8.6.
            if matches!(request.method, Method::POST | Method::PUT | Method::PATCH) {
                outgoing.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(0));
            }
            let send = self.client()?.execute(outgoing);
            return match tokio::time::timeout(first_byte, send).await {
                Ok(answer) => answer.map_err(|error| unreachable(url, &error)),
                Err(_) => Err(CallError::TimedOut),
            };
        }
        let (pieces, streamed) = OutgoingBody::new(length);
        *outgoing.body_mut() = Some(reqwest::Body::wrap(streamed));
        let client = self.client()?;
        let send = async { client.execute(outgoing).await.map_err(|error| unreachable(url, &error)) };
        upload::together(send, self.pump(first, body, pieces, sent), first_byte).await
    }

    /// Passes a body on as it comes.
    async fn pump(
        &self,
        first: Option<Bytes>,
        body: &mut GuestBody,
        pieces: Pieces,
        sent: &Sent,
    ) -> Result<Pumped, CallError> {
        let patience = self.quota.limits().call_timeout;
        let mut next = first;
        while let Some(piece) = next {
            let bytes = piece.len() as u64;
            self.quota.spend(bytes)?;
            if upload::pass_on(&mut vec![piece], &pieces, patience).await? == Pumped::Refused {
                return Ok(Pumped::Refused);
            }
            sent.count(bytes);
            next = upload::next(body, patience).await?;
        }
        upload::end(pieces, patience).await
    }

    fn client(&self) -> Result<&reqwest::Client, CallError> {
        if let Some(client) = self.client.get() {
            return Ok(client);
        }
        let client = self
            .clients
            .another()
            .dns_resolver(Resolver {
                names: self.resolver,
                own: Arc::new(Semaphore::new(LOOKUPS)),
                all: self.clients.lookups(),
            })
            .pool_max_idle_per_host(IDLE_CONNECTIONS)
            .pool_idle_timeout(IDLE_TIME)
            .build()
            .map_err(|error| CallError::EndpointUnreachable(HttpClientsError::from(error).to_string()))?;
        Ok(self.client.get_or_init(|| client))
    }
}

/// The length that a request gives its body, which the guest's HTTP library holds it to.
fn content_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// Refuses a request to a customer's endpoint that bears an AWS signature, in its headers or its query. Such endpoints are
/// called unsigned: a key that a guest signs with would be one that it holds.
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-authentication-methods.html>
fn refuse_signed(request: &HostRequest) -> Result<(), CallError> {
    let denied = |what: &str| {
        Err(CallError::denied(format!(
            "{what} belongs to an AWS signature, and {} is called unsigned: send the request without",
            request.address.name
        )))
    };
    if let Some(name) = request.headers.keys().find(|name| name.as_str().starts_with("x-amz-")) {
        return denied(&format!("the header `{name}`"));
    }
    let signed = |value: &http::HeaderValue| {
        let value = value.as_bytes().trim_ascii_start();
        value.get(..3).is_some_and(|start| start.eq_ignore_ascii_case(b"AWS"))
    };
    if request.headers.get_all(AUTHORIZATION).iter().any(signed) {
        return denied("the header `authorization`");
    }
    let query = request.target.split_once('?').map_or("", |(_, query)| query);
    for (key, _) in url::form_urlencoded::parse(query.as_bytes()) {
        let key = key.to_ascii_lowercase();
        if key.starts_with("x-amz-") || matches!(key.as_str(), "awsaccesskeyid" | "signature") {
            return denied(&format!("the query key `{key}`"));
        }
    }
    Ok(())
}

impl Resolve for Resolver {
    /// What is left of a name's addresses is what is connected to: the client looks nothing up by itself.
    fn resolve(&self, name: Name) -> Resolving {
        let (names, own, all) = (self.names, self.own.clone(), self.all.clone());
        Box::pin(async move {
            let places = (own.acquire_owned().await?, all.acquire_owned().await?);
            let found = tokio::task::spawn_blocking(move || {
                // Held until the system has ended it, also where nobody waits for it any more.
                let _places = places;
                let found = (names.look_up)(name.as_str());
                (name, found)
            });
            let (name, found) = found.await?;
            let mut found = found?;
            found.retain(|address| (names.may_connect)(*address));
            if found.is_empty() {
                return Err(format!("{} has no public address, and no other is connected to", name.as_str()).into());
            }
            Ok(Box::new(found.into_iter().map(|address| SocketAddr::new(address, 0))) as Addrs)
        })
    }
}
