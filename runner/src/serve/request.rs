//! Which requests are let through to a handler: those that can be read in one way only.

use http::header::HOST;
use http::uri::Authority;
use http::{HeaderValue, Method, Request, StatusCode};

/// Why a request is not let through: what is answered.
type Refused = (StatusCode, &'static str);

/// Checks what hyper, which sees to the framing, leaves open: the target and the authority.
pub(crate) fn check<B>(request: &Request<B>) -> Result<(), Refused> {
    let refused = |why| Err((StatusCode::BAD_REQUEST, why));
    let target = request.uri();
    // The absolute form, `CONNECT`'s authority and `*` are what a proxy or a server as a whole is asked with.
    let whole = target.scheme().is_some() || target.authority().is_some() || *request.method() == Method::CONNECT;
    if whole || !target.path().starts_with('/') {
        return refused("the request target is not a path");
    }
    let mut hosts = request.headers().get_all(HOST).iter();
    match (hosts.next(), hosts.next()) {
        (Some(host), None) if is_authority(host) => Ok(()),
        (Some(_), None) => refused("the Host field is not a host with a port or without"),
        (None, _) => refused("the request has no Host field"),
        (Some(_), Some(_)) => refused("the request has more than one Host field"),
    }
}

fn is_authority(host: &HeaderValue) -> bool {
    let Ok(host) = host.to_str() else { return false };
    // With userinfo it is an authority of RFC 3986 and no Host of RFC 9110.
    host.parse::<Authority>().is_ok_and(|authority| !authority.as_str().contains('@') && !authority.host().is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decided(target: &str, hosts: &[&[u8]]) -> &'static str {
        let mut request = Request::builder().uri(target);
        for host in hosts {
            request = request.header(HOST, HeaderValue::from_bytes(host).unwrap());
        }
        check(&request.body(()).unwrap()).map_or_else(|(_, why)| why, |()| "let through")
    }

    #[test]
    fn a_path_and_one_host_are_let_through() {
        for host in ["a", "a.example", "a.example:8080", "127.0.0.1:80", "[::1]:80", "A_b-1"] {
            assert_eq!(decided("/a/../b?c=d", &[host.as_bytes()]), "let through", "{host}");
        }
    }

    #[test]
    fn a_target_that_names_more_than_a_path_is_refused() {
        for target in ["http://a/b", "http://a@b/", "https://a/", "*", "a:443", "a"] {
            assert_eq!(decided(target, &[b"a"]), "the request target is not a path", "{target}");
        }
    }

    #[test]
    fn a_host_that_can_be_read_in_two_ways_is_refused() {
        assert_eq!(decided("/", &[]), "the request has no Host field");
        assert_eq!(decided("/", &[b"a", b"a"]), "the request has more than one Host field");
        for host in [&b""[..], b"a@b", b"@b", b"a, b", b"a/b", b"a b", b"http://a", b":80", b"\xff", b"a?b", b"a#b"] {
            let why = "the Host field is not a host with a port or without";
            assert_eq!(decided("/", &[host]), why, "{}", host.escape_ascii());
        }
    }
}
