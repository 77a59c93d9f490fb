//! Host names: which are AWS's, which service, Region and bucket they name, and which are somebody else's.
//!
//! A name under any of AWS's suffixes is an AWS call, and is either understood or refused; it never falls through to
//! "some other host", where it could go out unsigned. So the suffixes are broad and the accepted forms are few. The host
//! name is read here and then forgotten: where a call goes is decided by the operation and the operator's settings.
//!
//! Not here: name resolution and the check of addresses, which need I/O.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::refusal::{Quoted, Refusal};

/// What a host name is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Host {
    /// An AWS API that requests are signed for.
    Aws(AwsHost),
    /// An endpoint under an AWS suffix that belongs to a customer, such as an API Gateway stage or a Lambda function
    /// URL. Requests to it are never signed; it may be reached as other hosts are, if it is named in full.
    Customer(String),
    /// An IP address. Never AWS: a guest addresses AWS by name.
    Address(IpAddr),
    /// Any other host name, in lower case and without a trailing dot.
    Other(String),
}

/// An AWS API's host name, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AwsHost {
    /// The endpoint prefix: `s3`, `dynamodb`, `api.ecr` …
    pub service: String,
    /// The Region in the name; for a global name the one that its requests are signed for.
    pub region: String,
    /// The partition that the suffix and Region belong to.
    pub partition: &'static str,
    /// The bucket in an S3 name of the virtual-hosted form.
    pub bucket: Option<String>,
}

/// One partition's names.
///
/// Source: `partitions.json` of the AWS SDKs (botocore 1.44.8): `dnsSuffix`, `dualStackDnsSuffix`, `regionRegex` and
/// `implicitGlobalRegion`.
struct Partition {
    name: &'static str,
    suffix: &'static str,
    dual_stack: &'static str,
    /// What the partition's Regions begin with, longest first where one is the start of another.
    regions: &'static [&'static str],
    global_region: &'static str,
}

/// Every partition. `aws` comes last, since its Region prefixes also fit others'.
const PARTITIONS: [Partition; 8] = [
    Partition {
        name: "aws-cn",
        suffix: "amazonaws.com.cn",
        dual_stack: "api.amazonwebservices.com.cn",
        regions: &["cn-"],
        global_region: "cn-northwest-1",
    },
    Partition {
        name: "aws-us-gov",
        suffix: "amazonaws.com",
        dual_stack: "api.aws",
        regions: &["us-gov-"],
        global_region: "us-gov-west-1",
    },
    Partition {
        name: "aws-iso",
        suffix: "c2s.ic.gov",
        dual_stack: "api.aws.ic.gov",
        regions: &["us-iso-"],
        global_region: "us-iso-east-1",
    },
    Partition {
        name: "aws-iso-b",
        suffix: "sc2s.sgov.gov",
        dual_stack: "api.aws.scloud",
        regions: &["us-isob-"],
        global_region: "us-isob-east-1",
    },
    Partition {
        name: "aws-iso-e",
        suffix: "cloud.adc-e.uk",
        dual_stack: "api.cloud-aws.adc-e.uk",
        regions: &["eu-isoe-"],
        global_region: "eu-isoe-west-1",
    },
    Partition {
        name: "aws-iso-f",
        suffix: "csp.hci.ic.gov",
        dual_stack: "api.aws.hci.ic.gov",
        regions: &["us-isof-"],
        global_region: "us-isof-south-1",
    },
    Partition {
        name: "aws-eusc",
        suffix: "amazonaws.eu",
        dual_stack: "api.amazonwebservices.eu",
        regions: &["eusc-"],
        global_region: "eusc-de-east-1",
    },
    Partition {
        name: "aws",
        suffix: "amazonaws.com",
        dual_stack: "api.aws",
        regions: &["us-", "eu-", "ap-", "sa-", "ca-", "me-", "af-", "il-", "mx-"],
        global_region: "us-east-1",
    },
];

/// Suffixes that are AWS's beside those of [`PARTITIONS`]: names under them are refused unless they are a customer's.
/// Whole top-level domains that AWS holds stand for what it opens there in future.
const OTHER_SUFFIXES: [&str; 9] = [
    "aws",
    "amazonwebservices.com.cn",
    "amazonwebservices.eu",
    "aws.amazon.com",
    "amazonaws-us-gov.com",
    "aws.ic.gov",
    "aws.scloud",
    "aws.hci.ic.gov",
    "cloud-aws.adc-e.uk",
];

/// Services with one endpoint for all Regions of the partition `aws`, and S3, whose name without a Region means
/// `us-east-1`.
///
/// Source: "AWS service endpoints", AWS General Reference (rande.html), "Global endpoints".
const GLOBAL: [&str; 11] = [
    "budgets",
    "ce",
    "cloudfront",
    "globalaccelerator",
    "iam",
    "importexport",
    "organizations",
    "route53",
    "s3",
    "sts",
    "waf",
];

/// Reads the authority of a request's URI: a host name or address, and a port only if it is the scheme's own.
///
/// # Errors
///
/// Userinfo, any other port, and whatever [`classify`] refuses for an AWS name.
pub fn from_authority(authority: &str, https: bool) -> Result<Host, Refusal> {
    let refuse = |what: &str, mend: &str| Refusal::malformed(format!("host {}", Quoted(authority)), what, mend);
    if authority.contains('@') {
        return Err(refuse("it holds userinfo", "name the host alone"));
    }
    let (name, port) = split_port(authority);
    let host = classify(name)?;
    match (&host, port) {
        (_, None) => Ok(host),
        (Host::Aws(_), Some(port)) if port != if https { "443" } else { "80" } => {
            Err(refuse("its port is not the scheme's own", "leave the port out"))
        }
        (_, Some(port)) if port.is_empty() || !port.bytes().all(|digit| digit.is_ascii_digit()) => {
            Err(refuse("its port is not a number", "write a port as digits"))
        }
        _ => Ok(host),
    }
}

/// Says what a host name is. Names are compared without regard to case.
///
/// # Errors
///
/// A name that is not one (empty, not ASCII, an address in a spelling of its own), and a name under an AWS suffix
/// that names no endpoint known here: those are never treated as other hosts.
pub fn classify(name: &str) -> Result<Host, Refusal> {
    let malformed = |what: &str, mend: &str| Refusal::malformed(format!("host {}", Quoted(name)), what, mend);
    if let Some(address) = name.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        return match address.parse::<Ipv6Addr>() {
            Ok(address) => Ok(Host::Address(address.into())),
            Err(_) => Err(malformed("it is not an IPv6 address", "write the address as RFC 5952 has it")),
        };
    }
    let lower = name.to_ascii_lowercase();
    let host = lower.strip_suffix('.').unwrap_or(&lower);
    // IDNA maps many characters to the ones of an AWS name, so a name must be in its final, ASCII form.
    let label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    };
    if host.len() > 253 || !host.split('.').all(label) {
        return Err(malformed("it is not a host name in ASCII letters, digits and dashes", "write an IDN as xn--…"));
    }
    // As the URL standard has it: a name that ends in a number is an IPv4 address, in whatever spelling.
    let last = host.rsplit('.').next().unwrap_or_default();
    if last.bytes().all(|byte| byte.is_ascii_digit()) || last.starts_with("0x") {
        return match host.parse::<Ipv4Addr>() {
            Ok(address) => Ok(Host::Address(address.into())),
            Err(_) => Err(malformed("it is an IPv4 address in a spelling of its own", "write four decimal numbers")),
        };
    }
    let is_under = |suffix: &str| under(host, suffix).is_some();
    if let Some(labels) = PARTITIONS.iter().find_map(|partition| under(host, partition.dual_stack)) {
        return aws(name, labels, &lower, true);
    }
    if let Some(labels) = PARTITIONS.iter().find_map(|partition| under(host, partition.suffix)) {
        return aws(name, labels, &lower, false);
    }
    if let Some(labels) = under(host, "on.aws")
        && is_customers(labels)
    {
        return Ok(Host::Customer(host.to_owned()));
    }
    if OTHER_SUFFIXES.iter().any(|suffix| is_under(suffix) || host == *suffix)
        || PARTITIONS.iter().any(|partition| host == partition.suffix)
    {
        return Err(unknown(name));
    }
    Ok(Host::Other(host.to_owned()))
}

/// The partition that a Region belongs to, by the form of its name.
pub fn partition_of_region(region: &str) -> Option<&'static str> {
    partition(region).map(|partition| partition.name)
}

/// The host name of a service's own endpoint in a Region, such as `s3.eu-central-1.amazonaws.com`: where a call goes
/// that no operator's setting sends elsewhere. Every service that calls are signed for has one in each Region.
///
/// `None` when the Region does not lie in the partition, or the partition is unknown.
pub fn public_name(service: &str, region: &str, partition: &str) -> Option<String> {
    let found = self::partition(region).filter(|found| found.name == partition)?;
    Some(format!("{service}.{region}.{}", found.suffix))
}

/// The suffix of a partition's endpoints, such as `amazonaws.com`; that of the partition `aws` for one that is unknown.
pub(crate) fn suffix(partition: &str) -> &'static str {
    let found = PARTITIONS.iter().find(|candidate| candidate.name == partition);
    found.map_or("amazonaws.com", |partition| partition.suffix)
}

fn partition(region: &str) -> Option<&'static Partition> {
    // Like `eu-west-1`: letters, a direction, and a number of one or two digits.
    let (rest, number) = region.rsplit_once('-')?;
    let number = matches!(number.len(), 1..=2) && number.bytes().all(|byte| byte.is_ascii_digit());
    let words = rest.split('-').all(|word| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase()));
    let found = PARTITIONS.iter().find(|partition| {
        partition.regions.iter().any(|prefix| {
            // What is left after the prefix: one direction for most, `de-east` for aws-eusc.
            rest.strip_prefix(prefix).is_some_and(|rest| {
                !rest.is_empty() && rest.split('-').count() == if partition.name == "aws-eusc" { 2 } else { 1 }
            })
        })
    });
    found.filter(|_| number && words)
}

/// Reads a name under a partition's suffix; `labels` is what stands before the suffix.
fn aws(name: &str, labels: &str, lower: &str, dual_stack: bool) -> Result<Host, Refusal> {
    if is_customers(labels) {
        return Ok(Host::Customer(lower.strip_suffix('.').unwrap_or(lower).to_owned()));
    }
    // AWS's certificates and SDKs have no names with a trailing dot.
    if lower.ends_with('.') {
        return Err(unknown(name));
    }
    let (rest, last) = labels.rsplit_once('.').map_or((None, labels), |(rest, last)| (Some(rest), last));
    let suffix_is = |partition: &Partition| {
        under(lower, if dual_stack { partition.dual_stack } else { partition.suffix }) == Some(labels)
    };
    if let Some(partition) = partition(last) {
        let Some(rest) = rest.filter(|_| suffix_is(partition)) else {
            return Err(unknown(name));
        };
        let rest = rest.strip_suffix(".dualstack").filter(|rest| is_s3(rest)).unwrap_or(rest);
        return service(name, rest, last, partition);
    }
    // A name without a Region: only what is global in the partition `aws`.
    let (_, global) = split_s3(labels).unwrap_or((None, labels));
    if dual_stack || !GLOBAL.contains(&global) {
        return Err(unknown(name));
    }
    match PARTITIONS.iter().find(|partition| partition.name == "aws" && suffix_is(partition)) {
        Some(partition) => service(name, labels, partition.global_region, partition),
        None => Err(unknown(name)),
    }
}

/// Reads the service, and S3's bucket, that stand before the Region.
fn service(name: &str, labels: &str, region: &str, partition: &'static Partition) -> Result<Host, Refusal> {
    let host = |service: &str, bucket: Option<&str>| {
        Ok(Host::Aws(AwsHost {
            service: service.to_owned(),
            region: region.to_owned(),
            partition: partition.name,
            bucket: bucket.map(str::to_owned),
        }))
    };
    match split_s3(labels) {
        Some((bucket, s3)) => match bucket {
            Some(bucket) if crate::s3::names::bucket(bucket).is_err() => Err(unknown(name)),
            bucket => host(s3, bucket),
        },
        None if SERVICES_WITH_DOTS.contains(&labels) => host(labels, None),
        // SDKs address DynamoDB by the account too. Which account a call reaches stands in its body, and where it is
        // sent is the service's own name, so the account here says nothing.
        None if labels.strip_suffix(".ddb").is_some_and(is_account) => host("dynamodb", None),
        // Further labels (an account, a registry, an access point) are not read, and everything of S3's family but
        // `s3` itself is: access points, accelerate, FIPS, control, Outposts, Object Lambda, Express, websites.
        None if labels.contains('.') || labels.starts_with("s3") || labels.ends_with("-fips") => Err(unknown(name)),
        None => host(labels, None),
    }
}

fn is_account(label: &str) -> bool {
    label.len() == 12 && label.bytes().all(|byte| byte.is_ascii_digit())
}

/// Services whose endpoint prefix has a dot.
const SERVICES_WITH_DOTS: [&str; 1] = ["api.ecr"];

/// Splits `BUCKET.s3` into its bucket and `s3`; `None` when it is not S3's.
fn split_s3(labels: &str) -> Option<(Option<&str>, &str)> {
    match labels.rsplit_once('.') {
        None => (labels == "s3").then_some((None, labels)),
        Some((bucket, "s3")) => Some((Some(bucket), "s3")),
        Some(_) => None,
    }
}

fn is_s3(labels: &str) -> bool {
    split_s3(labels).is_some()
}

/// Whether the labels before a suffix are those of an endpoint that belongs to a customer: `ID.SERVICE.REGION`.
fn is_customers(labels: &str) -> bool {
    let mut labels = labels.rsplit('.');
    let (region, service, id) = (labels.next(), labels.next(), labels.next());
    region.is_some_and(|region| partition(region).is_some())
        && matches!(service, Some("execute-api" | "lambda-url"))
        && id.is_some()
        && labels.next().is_none()
}

/// What stands before `.suffix`.
fn under<'a>(host: &'a str, suffix: &str) -> Option<&'a str> {
    host.strip_suffix(suffix)?.strip_suffix('.')
}

/// Splits a port off; an IPv6 literal keeps its colons.
fn split_port(authority: &str) -> (&str, Option<&str>) {
    match authority.rsplit_once(':') {
        Some((name, port)) if !port.contains(']') => (name, Some(port)),
        _ => (authority, None),
    }
}

fn unknown(name: &str) -> Refusal {
    Refusal::not_understood(
        format!("host {}", Quoted(name)),
        "it lies under an AWS suffix but is not an endpoint that calls are signed for",
        "address the service as SERVICE.REGION.amazonaws.com, and S3 as s3.REGION.amazonaws.com/BUCKET or \
         BUCKET.s3.REGION.amazonaws.com",
    )
}

#[cfg(test)]
mod tests;
