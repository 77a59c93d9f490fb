//! Where a request over HTTP goes, by its scheme and authority alone.

use http::Uri;
use http::uri::{Authority, Scheme};
use rolebox_aws_request::host::{self, AwsHost, Host};

use super::CallError;

/// Where a request goes.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Destination {
    /// An AWS API: the request is a call.
    Aws(AwsHost),
    /// Any other host, a customer's own endpoint in AWS included: `rolebox.egress` decides.
    Host(HostAddress),
}

/// A host that is not AWS's, as a request addresses it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostAddress {
    /// Its name in lower case.
    pub name: String,
    /// The port, of the scheme where the request names none.
    pub port: u16,
    /// Whether TLS is used.
    pub tls: bool,
}

impl std::fmt::Display for HostAddress {
    /// As an entry of `rolebox.egress` has it.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let scheme = if self.tls { "" } else { "http://" };
        write!(f, "{scheme}{}:{}", self.name, self.port)
    }
}

impl Destination {
    /// Reads the scheme and the authority of a request.
    ///
    /// # Errors
    ///
    /// [`CallError::Denied`] or [`CallError::InvalidRequest`] for what is no host that could be asked for: an address, a
    /// name under AWS's suffixes that is no known endpoint, AWS without TLS, another scheme, userinfo, a port that is none.
    pub fn of(uri: &Uri) -> Result<Self, CallError> {
        let authority = uri.authority().map_or("", Authority::as_str);
        let tls = uri.scheme() == Some(&Scheme::HTTPS);
        match host::from_authority(authority, tls)? {
            Host::Aws(host) if tls => Ok(Self::Aws(host)),
            Host::Aws(_) => Err(CallError::denied(format!("{authority} is called over TLS only: write https"))),
            Host::Customer(_) | Host::Other(_) if !tls && uri.scheme() != Some(&Scheme::HTTP) => {
                Err(CallError::denied(format!("{authority} is addressed with a scheme that is not http or https")))
            }
            Host::Customer(name) | Host::Other(name) => {
                let port = authority.rsplit_once(':').map_or(Ok(if tls { 443 } else { 80 }), |(_, port)| port.parse());
                match port {
                    Ok(port) if port > 0 => Ok(Self::Host(HostAddress { name, port, tls })),
                    _ => Err(CallError::denied(format!("{authority} has no port from 1 to 65535"))),
                }
            }
            _ => Err(CallError::denied(format!(
                "the host {authority} is an address and not AWS's: hosts are reached by name alone"
            ))),
        }
    }
}
