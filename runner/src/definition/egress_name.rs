//! The hosts that a task may reach beside AWS.

use std::fmt;
use std::str::FromStr;

use rolebox_aws_request::host::{self, Host};

use super::problem::quoted;

/// One entry of `rolebox.egress`: a host name and port that the task may connect to.
///
/// A name and never an address, so that what is allowed can be read, and so that TLS can verify it. Which addresses
/// the name may lead to is checked when it is connected to.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct EgressName {
    host: String,
    port: u16,
    tls: bool,
}

impl EgressName {
    /// The host name, in lower case, without a trailing dot.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port, 1 to 65535.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Whether connections use TLS: yes, unless the entry begins with `http://`.
    #[must_use]
    pub fn tls(&self) -> bool {
        self.tls
    }

    /// Parses `host:port` or `http://host:port`; an error says what is wrong and how to mend it.
    pub(super) fn parse(text: &str) -> Result<Self, (String, String)> {
        const FORM: &str = "Write host:port for TLS, or http://host:port.";
        let wrong = |what: &str| Err((format!("{} {what}", quoted(text)), FORM.to_owned()));

        let (tls, rest) = match text.strip_prefix("http://") {
            Some(rest) => (false, rest),
            None => (true, text),
        };
        if rest.contains("://") {
            return wrong("has a scheme that is not http");
        }
        if rest.contains(['/', '?', '#']) {
            return wrong("has more than a host and a port");
        }
        if rest.contains('@') {
            return wrong("has a user name");
        }
        if rest.contains('*') {
            return Err((format!("{} has a wildcard", quoted(text)), "Name each host by itself.".to_owned()));
        }
        let Some((host, port)) = rest.rsplit_once(':') else {
            return wrong("has no port");
        };
        let digits = !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
        let port = match port.parse::<u16>() {
            Ok(port) if digits && port > 0 => port,
            _ => return wrong("has no port from 1 to 65535"),
        };
        if !host.is_ascii() {
            return Err((
                format!("{} has letters outside ASCII", quoted(text)),
                "Write the name in its ASCII form, xn--….".to_owned(),
            ));
        }
        let host = host.to_ascii_lowercase();
        if is_address(&host) {
            return Err((
                format!("{} is an address", quoted(text)),
                "Name the host: what a name leads to is checked when it is connected to.".to_owned(),
            ));
        }
        if !is_host_name(&host) {
            return wrong("has no host name");
        }
        if !host.contains('.') {
            return Err((
                format!("{} is a name inside a network", quoted(text)),
                "Give the full, public name: only public addresses can be reached.".to_owned(),
            ));
        }
        if is_aws(&host) {
            return Err((
                format!("{} is an AWS host name", quoted(text)),
                "Remove it: AWS is called under rolebox.capabilities. Only endpoints of your own, \
                 ID.execute-api.REGION.amazonaws.com or ID.lambda-url.REGION.on.aws, may stand here."
                    .to_owned(),
            ));
        }
        Ok(Self { host, port, tls })
    }
}

/// A text that is no entry of `rolebox.egress`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what}. {mend}")]
#[non_exhaustive]
pub struct EgressNameError {
    /// What is wrong with it.
    pub what: String,
    /// How to mend it.
    pub mend: String,
}

impl FromStr for EgressName {
    type Err = EgressNameError;

    /// Parses `host:port` or `http://host:port`, as definitions have them.
    fn from_str(text: &str) -> Result<Self, EgressNameError> {
        Self::parse(text).map_err(|(what, mend)| EgressNameError { what, mend })
    }
}

impl fmt::Display for EgressName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.tls {
            f.write_str("http://")?;
        }
        write!(f, "{}:{}", self.host, self.port)
    }
}

/// Whether a URL parser would read `host` as an address: an IPv6 literal, or a last label that is a number in one of
/// the notations of inet_aton (`127.1`, `0x7f.1`). <https://url.spec.whatwg.org/#ends-in-a-number-checker>
fn is_address(host: &str) -> bool {
    if host.contains([':', '[', ']']) {
        return true;
    }
    let last = host.strip_suffix('.').unwrap_or(host).rsplit('.').next().unwrap_or_default();
    let decimal = !last.is_empty() && last.bytes().all(|byte| byte.is_ascii_digit());
    let hexadecimal = last.strip_prefix("0x").is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
    decimal || hexadecimal
}

/// Letters, digits and inner hyphens in labels of at most 63, 253 in all (RFC 1123, section 2.1).
fn is_host_name(host: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    host.len() <= 253 && host.split('.').all(is_label)
}

/// Whether `host`, which is a host name, is under one of AWS's suffixes and not an endpoint of a customer's. What is
/// under them and not understood counts.
fn is_aws(host: &str) -> bool {
    !matches!(host::classify(host), Ok(Host::Customer(_) | Host::Other(_)))
}
