//! Requests: what must hold of every one that may be signed.

use std::collections::HashSet;

use bytes::Bytes;
use percent_encoding::percent_decode_str;
use rolebox_aws_request::host::{self, Host};
use rolebox_aws_request::{Call, CallerScope, Operation, parse};
use rolebox_policy::{Arn, CheckAccount, CheckResource};
use url::Url;

/// Headers that the host sets when it signs and sends: never a guest's.
const HOSTS_OWN: [&str; 7] = [
    "authorization",
    "connection",
    "content-length",
    "host",
    "x-amz-content-sha256",
    "x-amz-date",
    "x-amz-security-token",
];

/// The longest message about a request that is refused, in bytes: a few texts of the guest's, each cut and escaped.
const LONGEST_REFUSAL: usize = 4096;

/// The task that every request here comes from.
pub fn scope() -> CallerScope {
    CallerScope {
        account: "123456789012".parse().expect("an account"),
        partition: "aws".into(),
        region: "us-east-1".parse().expect("a Region"),
    }
}

/// A request as a text: a line of method and URL, a line `name: value` for each header, an empty line, the body. `None`
/// for what is no such text, and for a host that is not AWS's.
pub fn from_text(input: &[u8]) -> Option<Call> {
    let (head, body) = crate::split(input);
    let mut lines = head.split(|byte| *byte == b'\n');
    let (method, url) = std::str::from_utf8(lines.next()?).ok()?.split_once(' ')?;
    let (scheme, rest) = url.split_once("://")?;
    let (authority, target) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    let headers = lines.filter_map(|line| {
        let colon = line.iter().position(|byte| *byte == b':')?;
        let value = line[colon + 1..].strip_prefix(b" ").unwrap_or(&line[colon + 1..]);
        Some((std::str::from_utf8(&line[..colon]).ok()?.to_owned(), value.to_vec()))
    });
    let host = match host::from_authority(authority, scheme == "https") {
        Ok(Host::Aws(host)) => host,
        Ok(other) => {
            is_not_awss(&other);
            return None;
        }
        Err(refusal) => {
            crate::readable(&refusal.to_string());
            return None;
        }
    };
    match Call::from_wire(&host, method, target, headers.collect(), Bytes::copy_from_slice(body)) {
        Ok(call) => Some(call),
        Err(refusal) => {
            crate::readable(&refusal.to_string());
            None
        }
    }
}

/// What passes as somebody else's host goes out unsigned, so it must not be a name of AWS's.
fn is_not_awss(host: &Host) {
    let Host::Other(name) = host else { return };
    for suffix in ["amazonaws.com", "amazonaws.com.cn", "amazonaws.eu", "api.aws", "on.aws", "aws.amazon.com"] {
        let before = name.trim_end_matches('.').strip_suffix(suffix);
        assert!(before.is_none_or(|before| !before.is_empty() && !before.ends_with('.')), "{name}");
    }
}

/// Parses a request and holds it to everything below.
pub fn check(call: &Call) {
    let operation = match parse(call, &scope()) {
        Ok(operation) => operation,
        Err(refusal) => {
            let message = refusal.to_string();
            crate::readable(&message);
            assert!(message.len() <= LONGEST_REFUSAL, "{message}");
            return;
        }
    };
    target(&operation);
    headers_and_query(&operation);
    checks(&operation);
    if operation.service == "s3" {
        buckets(&operation);
    }
    stable(&operation);
}

/// The request target is one that no URL parser changes.
fn target(operation: &Operation) {
    let target = operation.path_and_query();
    let allowed = |byte: u8| byte.is_ascii_graphic() && !b"#\\\"<>^`{|}".contains(&byte);
    assert!(target.starts_with('/') && target.bytes().all(allowed), "{target}");
    let (path, query) = target.split_once('?').map_or((target.as_str(), None), |(path, query)| (path, Some(query)));
    assert_eq!(path, operation.path);
    // An empty first segment would be read as an authority.
    assert!(!path.starts_with("//"), "{path}");
    for segment in path.split('/') {
        let decoded: Vec<u8> = percent_decode_str(segment).collect();
        // An encoded slash would be a segment's end to whoever decodes first.
        for part in decoded.split(|byte| *byte == b'/') {
            assert!(part != b"." && part != b"..", "{path}");
        }
    }
    let url = Url::parse(&format!("https://s3.us-east-1.amazonaws.com{target}")).expect("a URL");
    assert_eq!((url.path(), url.query()), (path, query));
}

fn headers_and_query(operation: &Operation) {
    let mut names = HashSet::new();
    for (name, value) in &operation.headers {
        assert!(names.insert(name), "{name} twice");
        let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_.".contains(&byte);
        assert!(!name.is_empty() && name.bytes().all(allowed), "{name:?}");
        assert!(!HOSTS_OWN.contains(&name.as_str()), "{name}");
        assert!(value.bytes().all(|byte| (b' '..=b'~').contains(&byte)) && value.trim() == value, "{value:?}");
    }
    let mut keys = HashSet::new();
    for (key, _) in &operation.query {
        assert!(keys.insert(key), "{key} twice");
        assert!(!key.to_ascii_lowercase().starts_with("x-amz-"), "{key}");
    }
}

/// Every permission is one that a capability could name, on an ARN of the task's partition.
fn checks(operation: &Operation) {
    assert!(!operation.checks.is_empty(), "{operation:?}");
    for check in &operation.checks {
        let (service, action) = check.action.split_once(':').expect("a service and an action");
        assert!(!service.is_empty() && !action.is_empty(), "{check:?}");
        assert!(!service.eq_ignore_ascii_case("sts") || action == "GetCallerIdentity", "{check:?}");
        assert_eq!(check.context.value("aws:RequestedRegion"), Some(operation.region.as_str()));
        match &check.resource {
            CheckResource::Arn(arn) => {
                let arn: Arn = arn.parse().unwrap_or_else(|error| panic!("{error}: {check:?}"));
                assert_eq!((arn.partition.as_str(), arn.service.as_str()), ("aws", service), "{check:?}");
            }
            CheckResource::Covering(pattern) => {
                assert!(pattern.starts_with(&format!("arn:aws:{service}:")), "{check:?}");
            }
            CheckResource::Any => {}
        }
    }
}

/// What S3 will read in the path is the bucket and key that is checked, and no bucket goes without its owner's account.
fn buckets(operation: &Operation) {
    let path = percent_decode_str(&operation.path).decode_utf8().expect("UTF-8");
    let named = path.strip_prefix('/').expect("a slash");
    let (bucket, key) = named.split_once('/').unwrap_or((named, ""));
    let mut on_path = 0;
    for check in operation.checks.iter().filter(|check| check.action.starts_with("s3:")) {
        let arn = check.resource.as_str();
        match check.account {
            CheckAccount::BucketOwner(_) if operation.name == "DeleteObjects" => {
                assert!(arn.starts_with(&format!("arn:aws:s3:::{bucket}/")), "{check:?}");
                on_path += 1;
            }
            CheckAccount::BucketOwner(_) | CheckAccount::NoAccount if arn != "*" => {
                let expected = if key.is_empty() { bucket.to_owned() } else { format!("{bucket}/{key}") };
                assert_eq!(arn, format!("arn:aws:s3:::{expected}"));
                on_path += 1;
            }
            CheckAccount::NoAccount => assert_eq!(check.action, "s3:ListAllMyBuckets"),
            CheckAccount::SourceBucketOwner(_) => assert!(operation.takes_bucket_owner && arn != "*", "{check:?}"),
            _ => panic!("no account: {check:?}"),
        }
    }
    assert_eq!(on_path > 0, !bucket.is_empty(), "{operation:?}");
    assert_eq!(operation.takes_bucket_owner, !matches!(operation.name, "ListBuckets" | "CreateBucket"));
}

/// Parsed once more, an operation is the same: AWS, reading what is sent, reads what was checked.
fn stable(operation: &Operation) {
    let mut headers: Vec<(String, Vec<u8>)> =
        operation.headers.iter().map(|(name, value)| (name.clone(), value.as_bytes().to_vec())).collect();
    // A bucket's owner that the guest names is a part of the checks; the host makes the header of it again.
    for check in &operation.checks {
        let (name, owner) = match &check.account {
            CheckAccount::BucketOwner(Some(owner)) => ("x-amz-expected-bucket-owner", owner),
            CheckAccount::SourceBucketOwner(Some(owner)) => ("x-amz-source-expected-bucket-owner", owner),
            _ => continue,
        };
        if operation.takes_bucket_owner && headers.iter().all(|(other, _)| other != name) {
            headers.push((name.to_owned(), owner.to_string().into_bytes()));
        }
    }
    let call = Call {
        service: operation.service.to_owned(),
        region: Some(operation.region.to_string()),
        method: operation.method.to_owned(),
        path: operation.path.clone(),
        query: operation.query.clone(),
        headers,
        body: operation.payload.whole().expect("it is whole").clone(),
    };
    let again = parse(&call, &scope()).unwrap_or_else(|refusal| panic!("{refusal}: {operation:?}"));
    assert_eq!((again.service, again.name, again.method), (operation.service, operation.name, operation.method));
    assert_eq!((again.signing_name, &again.region), (operation.signing_name, &operation.region));
    assert_eq!(again.path_and_query(), operation.path_and_query());
    assert_eq!(again.payload.whole(), operation.payload.whole());
    let sorted = |operation: &Operation| {
        let mut headers = operation.headers.clone();
        headers.sort();
        headers
    };
    assert_eq!(sorted(&again), sorted(operation));
    assert_eq!(again.checks, operation.checks);

    // And read as it would stand on the wire, it is the same as well.
    let text = operation.path_and_query();
    let authority = format!("{}.{}.amazonaws.com", operation.service, operation.region);
    let Ok(Host::Aws(host)) = host::from_authority(&authority, true) else { return };
    let wire = Call::from_wire(&host, operation.method, &text, call.headers, call.body)
        .unwrap_or_else(|refusal| panic!("{refusal}: {text}"));
    assert_eq!((wire.path, wire.query), (call.path, call.query));
}
