//! One AWS call and its answer, and the seam behind which the host answers.

use crate::Error;
use crate::host::Host;

/// One call to an AWS service, held whole.
///
/// A new call is `POST /` without query, headers or body, which is where the services with a JSON or query protocol
/// start from. The host parses the call into an operation that it knows, and refuses what it does not understand.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "a call is made when it is sent"]
pub struct Call {
    /// The service's endpoint prefix, as in its host name: `s3`, `dynamodb`, `secretsmanager` …
    pub service: String,
    /// The Region to call; the task's own when absent.
    pub region: Option<String>,
    /// The HTTP method, in capitals.
    pub method: String,
    /// The absolute path, percent-encoded: see [`uri`](crate::uri).
    pub path: String,
    /// Query keys and values, not encoded. A key that stands alone has the value `""`.
    pub query: Vec<(String, String)>,
    /// Header names and values. What belongs to signing (`host`, `authorization` …) is the host's, and dropped here.
    pub headers: Vec<(String, Vec<u8>)>,
    /// The body, empty for none.
    pub body: Vec<u8>,
}

impl Call {
    /// A call to the service with this endpoint prefix: `dynamodb`, `secretsmanager`, `sqs` …
    pub fn new(service: impl Into<String>) -> Self {
        Self {
            service: service.into(),
            region: None,
            method: "POST".to_owned(),
            path: "/".to_owned(),
            query: Vec::new(),
            headers: Vec::new(),
            body: Vec::new(),
        }
    }

    /// Calls the service in this Region, `eu-central-1` for example. Default: the task's own Region.
    pub fn region(mut self, region: impl Into<String>) -> Self {
        self.region = Some(region.into());
        self
    }

    /// Sets the HTTP method, in capitals. Default: `POST`.
    pub fn method(mut self, method: impl Into<String>) -> Self {
        self.method = method.into();
        self
    }

    /// Sets the absolute path, percent-encoded as on the wire. Default: `/`.
    ///
    /// [`uri::encode_path`](crate::uri::encode_path) and [`uri::encode_segment`](crate::uri::encode_segment) encode
    /// names that come from elsewhere.
    pub fn path(mut self, path: impl Into<String>) -> Self {
        self.path = path.into();
        self
    }

    /// Adds a query key and its value, neither of them encoded.
    pub fn query(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.query.push((key.into(), value.into()));
        self
    }

    /// Adds a header. Headers that belong to signing are the host's: values given for those are dropped.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<Vec<u8>>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Sets the body. Default: empty.
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// Makes the call, and waits for the whole answer.
    ///
    /// # Errors
    ///
    /// Every [`Error`] but [`Error::Service`] and [`Error::UnexpectedAnswer`]: the answer of the service is not
    /// looked into here, so one that reports an error is a [`Response`] with that error's status.
    pub fn send(self) -> Result<Response, Error> {
        Host.send(self)
    }
}

/// What a service answered, errors of the service included.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// The HTTP status.
    pub status: u16,
    /// Header names in lower case, and values.
    pub headers: Vec<(String, Vec<u8>)>,
    /// The body, whole.
    pub body: Vec<u8>,
}

impl Response {
    /// Whether the status is one of the 200s.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The first value of the header with this name, which is compared without regard to case; none where there is no
    /// such header or its value is not UTF-8.
    pub fn header(&self, name: &str) -> Option<&str> {
        let (_, value) = self.headers.iter().find(|(header, _)| header.eq_ignore_ascii_case(name))?;
        std::str::from_utf8(value).ok()
    }
}

/// What answers calls. In a task that is the host, and nobody needs to implement this; a test of a task's logic puts
/// its own answers here.
///
/// ```
/// use rolebox_guest::{Call, Error, Response, Transport, s3};
///
/// struct NoBuckets;
///
/// impl Transport for NoBuckets {
///     fn send(&self, call: Call) -> Result<Response, Error> {
///         assert_eq!((call.method.as_str(), call.path.as_str()), ("GET", "/"));
///         let body = b"<ListAllMyBucketsResult><Buckets/></ListAllMyBucketsResult>".to_vec();
///         Ok(Response { status: 200, headers: vec![], body })
///     }
/// }
///
/// assert!(s3::Client::with_transport(NoBuckets).list_buckets().unwrap().is_empty());
/// ```
pub trait Transport {
    /// Makes one call, and waits for the whole answer.
    ///
    /// # Errors
    ///
    /// See [`Call::send`].
    fn send(&self, call: Call) -> Result<Response, Error>;
}
