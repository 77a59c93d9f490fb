//! Where a call goes: AWS's public endpoint for the service and Region, or the one that the operator set.
//!
//! The final URL is built here, from the operation alone, before anything is signed; a guest's own host name is read by
//! the parser and then forgotten.

use std::collections::BTreeMap;

use http::HeaderValue;
use rolebox_aws_request::Operation;
use url::Url;

/// The operator's own endpoints, as `AWS_ENDPOINT_URL` and `AWS_ENDPOINT_URL_<SERVICE>` set them for every AWS SDK.
/// <https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html>
///
/// They are used as they are, loopback and plain HTTP included, and only for calls addressed to AWS.
#[derive(Debug, Clone, Default)]
pub struct Endpoints {
    every_service: Option<Url>,
    by_service: BTreeMap<String, Url>,
}

/// An endpoint that cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EndpointError {
    /// The text is not a URL.
    #[error("the endpoint `{url}` is not a URL: {source}; write it like `http://127.0.0.1:5000`")]
    NotAUrl {
        /// The text.
        url: String,
        /// What is wrong with it.
        #[source]
        source: url::ParseError,
    },
    /// The URL has parts that an endpoint cannot have.
    #[error("the endpoint `{url}` has {what}; give only `http` or `https`, a host, a port and a path")]
    NotAnEndpoint {
        /// The URL, without a password.
        url: String,
        /// What is wrong with it.
        what: &'static str,
    },
    /// A URL library rewrites the operation's path or query, so what would be sent is not what was checked.
    #[error("the path `{path}` cannot be sent unchanged")]
    Rewritten {
        /// The path and query as they were checked.
        path: String,
    },
    /// There is no public endpoint for the partition.
    #[error("there is no public endpoint for `{service}` in the partition `{partition}`")]
    NoPublicEndpoint {
        /// The service.
        service: String,
        /// The partition.
        partition: String,
    },
}

/// The final URL of one call, and whom it belongs to.
#[derive(Debug, Clone)]
pub(super) struct Target {
    pub(super) url: Url,
    /// What goes into the `host` header: signed, and what the HTTP client sends for this URL.
    pub(super) host: HeaderValue,
    pub(super) network: Network,
}

/// Which addresses a name may resolve to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Network {
    /// AWS's public endpoint: verified TLS, and no loopback, link-local or metadata address.
    Aws,
    /// The operator's endpoint: whatever they set.
    Operator,
}

impl Endpoints {
    /// Calls go to AWS's public endpoints.
    #[must_use]
    pub fn public() -> Self {
        Self::default()
    }

    /// Calls to every service that has no endpoint of its own go to `url`.
    ///
    /// # Errors
    ///
    /// When `url` is not an `http` or `https` URL, or has userinfo, a query or a fragment.
    pub fn with_every_service(mut self, url: &str) -> Result<Self, EndpointError> {
        self.every_service = Some(endpoint(url)?);
        Ok(self)
    }

    /// Calls to one service go to `url`. `service` is its endpoint prefix, `s3` for example.
    ///
    /// # Errors
    ///
    /// As [`Endpoints::with_every_service`].
    pub fn with_service(mut self, service: &str, url: &str) -> Result<Self, EndpointError> {
        self.by_service.insert(service.to_owned(), endpoint(url)?);
        Ok(self)
    }

    /// The operator's endpoint for a service, if there is one.
    #[must_use]
    pub fn of(&self, service: &str) -> Option<&Url> {
        self.by_service.get(service).or(self.every_service.as_ref())
    }

    pub(super) fn target(&self, operation: &Operation, partition: &str) -> Result<Target, EndpointError> {
        let path = operation.path_and_query();
        let (base, network) = match self.of(operation.service) {
            Some(url) => (url.as_str().trim_end_matches('/').to_owned(), Network::Operator),
            None => (public_endpoint(operation, partition)?, Network::Aws),
        };
        let rewritten = || EndpointError::Rewritten { path: path.clone() };
        let text = format!("{base}{path}");
        let url = Url::parse(&text).map_err(|_| rewritten())?;
        // The URL standard folds dot segments and encodes some characters. Whatever it would change was not checked.
        if url.as_str() != text {
            return Err(rewritten());
        }
        let host = match (url.host_str(), url.port()) {
            (Some(host), Some(port)) => format!("{host}:{port}"),
            (Some(host), None) => host.to_owned(),
            (None, _) => return Err(rewritten()),
        };
        let host = HeaderValue::from_str(&host).map_err(|_| rewritten())?;
        Ok(Target { url, host, network })
    }
}

fn endpoint(text: &str) -> Result<Url, EndpointError> {
    let url = Url::parse(text).map_err(|source| EndpointError::NotAUrl { url: text.to_owned(), source })?;
    let what = if !matches!(url.scheme(), "http" | "https") {
        "another scheme"
    } else if !url.username().is_empty() || url.password().is_some() {
        "a user name or password"
    } else if url.query().is_some() || url.fragment().is_some() {
        "a query or fragment"
    } else {
        return Ok(url);
    };
    let mut shown = url;
    // Fails only for URLs that cannot have a password.
    let _ = shown.set_password(None);
    Err(EndpointError::NotAnEndpoint { url: shown.to_string(), what })
}

/// AWS's public endpoint. Services with one endpoint for all Regions are named without the Region.
/// <https://docs.aws.amazon.com/general/latest/gr/rande.html>
fn public_endpoint(operation: &Operation, partition: &str) -> Result<String, EndpointError> {
    rolebox_aws_request::host::public_name(operation.service, operation.region.as_str(), partition)
        .map(|host| format!("https://{host}"))
        .ok_or_else(|| EndpointError::NoPublicEndpoint {
            service: operation.service.to_owned(),
            partition: partition.to_owned(),
        })
}
