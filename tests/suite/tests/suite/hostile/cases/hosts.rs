//! Hosts: `wasi:http` has them in the URL, the typed door in service and Region. And whose a bucket is.

use super::{Case, case};

/// What a request to any host gets that is not AWS's, or is no endpoint that calls are signed for.
const OTHER: &str = "error ErrorCode::HttpRequestDenied";

const GET: &str = "sent GET /bucket/k";

pub(super) fn cases() -> Vec<Case> {
    let host = |name, host: &str, outcome: &str| case(name, format!("GET https://{host}/bucket/k"), outcome);
    let typed =
        |name, service: &str, outcome: &str| case(name, format!("GET {service} /bucket/k"), outcome).typed_only();
    vec![
        host("look-alike below", "s3.amazonaws.com.evil.example", OTHER),
        host("look-alike before", "evils3.amazonaws.co", OTHER),
        host("look-alike with another letter", "s3.us-east-1.arnazonaws.com", OTHER),
        host("any other host", "example.com", OTHER),
        host("userinfo that looks like the host", "s3.us-east-1.amazonaws.com@evil.example", OTHER),
        host("userinfo with a password", "a:b@s3.us-east-1.amazonaws.com", OTHER),
        host("trailing dot", "s3.us-east-1.amazonaws.com.", OTHER),
        host("another port", "s3.us-east-1.amazonaws.com:8443", OTHER),
        host("own port", "s3.us-east-1.amazonaws.com:443", GET),
        host("upper case", "S3.US-EAST-1.AMAZONAWS.COM", GET),
        host("full-width letter", "\\xef\\xbd\\x933.us-east-1.amazonaws.com", "unformed authority"),
        host("percent in the host", "s3%2eamazonaws.com", "unformed authority"),
        host("empty host", "", "unformed authority"),
        host("CRLF in the host", "s3.amazonaws.com\\r\\nx:y", "unformed authority"),
        case("plain HTTP", "GET http://s3.us-east-1.amazonaws.com/bucket/k", OTHER),
        case("plain HTTP on the other port", "GET http://s3.us-east-1.amazonaws.com:443/bucket/k", OTHER),
        case("another scheme", "GET ftp://s3.us-east-1.amazonaws.com/bucket/k", "error ErrorCode::HttpProtocolError"),
        // Addresses, and names that may resolve to them.
        host("loopback", "127.0.0.1", OTHER),
        host("loopback by name", "localhost", OTHER),
        host("metadata address", "169.254.169.254", OTHER),
        host("container credentials", "169.254.170.2", OTHER),
        host("metadata address in IPv6", "[fd00:ec2::254]", OTHER),
        host("mapped metadata address", "[::ffff:a9fe:a9fe]", OTHER),
        host("address as one number", "2852039166", OTHER),
        host("address in hexadecimal", "0xa9fea9fe", OTHER),
        host("address in octal", "0251.0376.0251.0376", OTHER),
        host("name that resolves to the metadata address", "169.254.169.254.nip.io", OTHER),
        host("metadata service by name", "instance-data.ec2.internal", OTHER),
        // Forms of S3's names.
        host("bucket in host and path is a key", "bucket.s3.us-east-1.amazonaws.com", "sent GET /bucket/bucket/k"),
        host("two labels, one bucket", "other.bucket.s3.us-east-1.amazonaws.com", "sent GET /other.bucket/bucket/k"),
        case(
            "parent out of the host's bucket",
            "GET https://bucket.s3.us-east-1.amazonaws.com/../other/k",
            "malformed",
        ),
        host("global name", "s3.amazonaws.com", GET),
        host("access point", "p-123456789012.s3-accesspoint.us-east-1.amazonaws.com", OTHER),
        host("S3 control", "123456789012.s3-control.us-east-1.amazonaws.com", OTHER),
        host("S3 Express", "b--use1-az4--x-s3.s3express-use1-az4.us-east-1.amazonaws.com", OTHER),
        host("accelerate", "bucket.s3-accelerate.amazonaws.com", OTHER),
        host("FIPS", "s3-fips.us-east-1.amazonaws.com", OTHER),
        host("website", "bucket.s3-website-us-east-1.amazonaws.com", OTHER),
        host("dual stack goes to the plain name", "s3.dualstack.us-east-1.amazonaws.com", GET),
        host("another Region is that Region", "s3.eu-west-1.amazonaws.com", "sent GET /bucket/k in eu-west-1"),
        host("China", "s3.cn-north-1.amazonaws.com.cn", "not understood"),
        host("GovCloud", "s3.us-gov-west-1.amazonaws.com", "not understood"),
        host("Region under another partition's suffix", "s3.cn-north-1.amazonaws.com", OTHER),
        host("customer's API", "abc.execute-api.us-east-1.amazonaws.com", OTHER),
        host("function URL", "abc.lambda-url.us-east-1.on.aws", OTHER),
        host("unknown name under a suffix", "a.b.c.amazonaws.com", OTHER),
        // The typed door.
        typed("service is a host", "s3.evil.example", "not understood"),
        typed("service is a host and a path", "evil.example/", "not understood"),
        typed("upper-case service", "S3", "not understood"),
        typed("S3 control by name", "s3-control", "not understood"),
        typed("S3 Express by name", "s3express", "not understood"),
        typed("Region is a host", "s3@us-east-1.evil.example", "not understood"),
        typed("Region with a path", "s3@us-east-1/../", "not understood"),
        typed("Region in China", "s3@cn-north-1", "not understood"),
        typed("Region in GovCloud", "s3@us-gov-west-1", "not understood"),
        typed("Region that is none", "s3@aws-global", "not understood"),
        typed("another Region", "s3@eu-west-1", "sent GET /bucket/k in eu-west-1"),
        // S3 itself compares the owner that the host names, whatever the capabilities' wildcards.
        case("bucket of another account, open to the world", "PUT s3 /open-to-all/k", "sent PUT /open-to-all/k"),
        case("another account as owner", "GET s3 /bucket/k", "denied: s3:GetObject on arn:aws:s3:::bucket/k")
            .header("x-amz-expected-bucket-owner", "999999999999"),
        case("owner that is none", "GET s3 /bucket/k", "malformed").header("x-amz-expected-bucket-owner", "any"),
        case("another bucket", "GET s3 /bucket2/in/k", "denied: s3:GetObject on arn:aws:s3:::bucket2/in/k").narrow(),
        case("another prefix", "PUT s3 /bucket/out/k", "denied: s3:PutObject on arn:aws:s3:::bucket/out/k").narrow(),
        case("what is granted", "PUT s3 /bucket/in/k", "sent PUT /bucket/in/k data").narrow().body("data"),
    ]
}
