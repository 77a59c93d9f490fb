use super::*;

/// What a host name is, in one line: `service region partition bucket`, `customer`, `address`, `other` or `refused`.
fn read(name: &str) -> String {
    match classify(name) {
        Ok(Host::Aws(host)) => {
            let bucket = host.bucket.as_deref().unwrap_or("-");
            format!("{} {} {} {bucket}", host.service, host.region, host.partition)
        }
        Ok(Host::Customer(_)) => "customer".into(),
        Ok(Host::Address(_)) => "address".into(),
        Ok(Host::Other(_)) => "other".into(),
        Err(_) => "refused".into(),
    }
}

#[test]
fn names_under_aws_suffixes() {
    for (name, expected) in [
        ("s3.amazonaws.com", "s3 us-east-1 aws -"),
        ("S3.AmazonAWS.com", "s3 us-east-1 aws -"),
        ("s3.eu-central-1.amazonaws.com", "s3 eu-central-1 aws -"),
        ("bucket.s3.amazonaws.com", "s3 us-east-1 aws bucket"),
        ("bucket.s3.eu-central-1.amazonaws.com", "s3 eu-central-1 aws bucket"),
        ("my.dotted.bucket.s3.us-west-2.amazonaws.com", "s3 us-west-2 aws my.dotted.bucket"),
        ("s3.us-east-1.s3.us-west-2.amazonaws.com", "s3 us-west-2 aws s3.us-east-1"),
        ("s3.dualstack.us-east-1.amazonaws.com", "s3 us-east-1 aws -"),
        ("bucket.s3.dualstack.us-east-1.amazonaws.com", "s3 us-east-1 aws bucket"),
        ("s3.cn-north-1.amazonaws.com.cn", "s3 cn-north-1 aws-cn -"),
        ("bucket.s3.us-gov-west-1.amazonaws.com", "s3 us-gov-west-1 aws-us-gov bucket"),
        ("s3.us-iso-east-1.c2s.ic.gov", "s3 us-iso-east-1 aws-iso -"),
        ("s3.us-isob-east-1.sc2s.sgov.gov", "s3 us-isob-east-1 aws-iso-b -"),
        ("s3.eusc-de-east-1.amazonaws.eu", "s3 eusc-de-east-1 aws-eusc -"),
        ("dynamodb.us-east-1.amazonaws.com", "dynamodb us-east-1 aws -"),
        ("dynamodb.us-east-1.api.aws", "dynamodb us-east-1 aws -"),
        ("api.ecr.us-east-1.amazonaws.com", "api.ecr us-east-1 aws -"),
        ("sts.amazonaws.com", "sts us-east-1 aws -"),
        ("sts.eu-west-1.amazonaws.com", "sts eu-west-1 aws -"),
        ("iam.amazonaws.com", "iam us-east-1 aws -"),
        // Partition and suffix belong together.
        ("s3.cn-north-1.amazonaws.com", "refused"),
        ("s3.us-east-1.amazonaws.com.cn", "refused"),
        ("s3.us-gov-west-1.amazonaws.com.cn", "refused"),
        // S3's relatives, and names without a Region that are not global.
        ("s3-us-west-2.amazonaws.com", "refused"),
        ("s3-fips.us-east-1.amazonaws.com", "refused"),
        ("bucket.s3-fips.us-east-1.amazonaws.com", "refused"),
        ("dynamodb-fips.us-east-1.amazonaws.com", "refused"),
        ("s3-accelerate.amazonaws.com", "refused"),
        ("bucket.s3-accelerate.amazonaws.com", "refused"),
        ("bucket.s3-accelerate.dualstack.amazonaws.com", "refused"),
        ("point-123456789012.s3-accesspoint.us-east-1.amazonaws.com", "refused"),
        ("x.mrap.accesspoint.s3-global.amazonaws.com", "refused"),
        ("123456789012.s3-control.us-east-1.amazonaws.com", "refused"),
        ("x.s3-object-lambda.us-east-1.amazonaws.com", "refused"),
        ("b--use1-az4--x-s3.s3express-use1-az4.us-east-1.amazonaws.com", "refused"),
        ("s3express-control.us-east-1.amazonaws.com", "refused"),
        ("b--use1-az4--x-s3.s3.us-east-1.amazonaws.com", "refused"),
        ("point-0123-s3alias.s3.us-east-1.amazonaws.com", "refused"),
        ("bucket.s3-website.eu-central-1.amazonaws.com", "refused"),
        ("bucket.s3-website-us-east-1.amazonaws.com", "refused"),
        ("s3-external-1.amazonaws.com", "refused"),
        ("Bucket_1.s3.amazonaws.com", "refused"),
        ("ab.s3.amazonaws.com", "refused"),
        ("dynamodb.amazonaws.com", "refused"),
        ("123456789012.ddb.us-east-1.amazonaws.com", "dynamodb us-east-1 aws -"),
        ("account.ddb.us-east-1.amazonaws.com", "refused"),
        ("x.123456789012.ddb.us-east-1.amazonaws.com", "refused"),
        ("123456789012.dkr.ecr.us-east-1.amazonaws.com", "refused"),
        ("x.dynamodb.us-east-1.amazonaws.com", "refused"),
        ("s3.us-east-1.amazonaws.com.", "refused"),
        ("s3.amazonaws.com..", "refused"),
        ("amazonaws.com", "refused"),
        (".amazonaws.com", "refused"),
        ("s3..amazonaws.com", "refused"),
        ("api.aws", "refused"),
        ("on.aws", "refused"),
        ("aws", "refused"),
        ("anything.new.aws", "refused"),
        ("signin.aws.amazon.com", "refused"),
        ("s3.aws-global.amazonaws.com", "refused"),
        ("s3.us-east-1a.amazonaws.com", "refused"),
        ("s3.us-east-999.amazonaws.com", "refused"),
        ("alb-1.us-east-1.elb.amazonaws.com", "refused"),
        // A customer's own endpoints go unsigned.
        ("abc123.execute-api.us-east-1.amazonaws.com", "customer"),
        ("abc123.execute-api.cn-north-1.amazonaws.com.cn", "customer"),
        ("abc123.lambda-url.us-east-1.on.aws", "customer"),
        ("execute-api.us-east-1.amazonaws.com", "execute-api us-east-1 aws -"),
        ("a.b.execute-api.us-east-1.amazonaws.com", "refused"),
        ("abc123.other.us-east-1.on.aws", "refused"),
    ] {
        assert_eq!(read(name), expected, "{name}");
    }
}

#[test]
fn other_names_and_addresses() {
    for (name, expected) in [
        ("example.com", "other"),
        ("example.com.", "other"),
        ("EXAMPLE.com", "other"),
        ("localhost", "other"),
        ("s3.us-east-1.amazonaws.com.evil.example", "other"),
        ("s3.us-east-1.amazonaws.co", "other"),
        ("evilamazonaws.com", "other"),
        ("s3-amazonaws.com", "other"),
        ("169.254.169.254", "address"),
        ("127.0.0.1", "address"),
        ("[::1]", "address"),
        ("[fd00:ec2::254]", "address"),
        ("[::ffff:169.254.169.254]", "address"),
        ("0x7f.1", "refused"),
        ("0x7f000001", "refused"),
        ("2130706433", "refused"),
        ("127.1", "refused"),
        ("0177.0.0.1", "refused"),
        ("1.2.3.4.5", "refused"),
        ("127.0.0.1.", "address"),
        ("[::1%eth0]", "refused"),
        ("[1.2.3.4]", "refused"),
        ("", "refused"),
        (".", "refused"),
        ("a b", "refused"),
        ("a%2eb", "refused"),
        ("s3.amazonaws\u{3002}com", "refused"),
        ("\u{ff53}3.amazonaws.com", "refused"),
        ("s3.amazonaws.com\0.evil.example", "refused"),
        ("s3.amazonaws.com/evil", "refused"),
        ("s3.amazonaws.com#", "refused"),
        ("a\r\nb", "refused"),
        ("*.s3.amazonaws.com", "refused"),
    ] {
        assert_eq!(read(name), expected, "{name}");
    }
}

#[test]
fn authorities() {
    for (authority, https, fine) in [
        ("s3.us-east-1.amazonaws.com", true, true),
        ("s3.us-east-1.amazonaws.com:443", true, true),
        ("s3.us-east-1.amazonaws.com:80", false, true),
        ("example.com:8443", true, true),
        ("[::1]:8080", false, true),
        ("s3.us-east-1.amazonaws.com:80", true, false),
        ("s3.us-east-1.amazonaws.com:8443", true, false),
        ("s3.us-east-1.amazonaws.com:0443", true, false),
        ("s3.us-east-1.amazonaws.com:", true, false),
        ("user@s3.us-east-1.amazonaws.com", true, false),
        ("user:secret@s3.us-east-1.amazonaws.com", true, false),
        ("s3.us-east-1.amazonaws.com:443@evil.example", true, false),
        ("s3.us-east-1.amazonaws.com@evil.example", true, false),
        ("example.com:http", true, false),
        ("s3.us-east-1.amazonaws.com:443:443", true, false),
        ("::1", true, false),
    ] {
        assert_eq!(from_authority(authority, https).is_ok(), fine, "{authority}");
    }
}

#[test]
fn regions_have_their_partition() {
    for (region, partition) in [
        ("us-east-1", Some("aws")),
        ("mx-central-1", Some("aws")),
        ("ap-southeast-7", Some("aws")),
        ("cn-northwest-1", Some("aws-cn")),
        ("us-gov-east-1", Some("aws-us-gov")),
        ("us-iso-west-1", Some("aws-iso")),
        ("us-isob-east-1", Some("aws-iso-b")),
        ("eu-isoe-west-1", Some("aws-iso-e")),
        ("us-isof-south-1", Some("aws-iso-f")),
        ("eusc-de-east-1", Some("aws-eusc")),
        ("aws-global", None),
        ("us-east", None),
        ("us-1", None),
        ("us--1", None),
        ("us-east-1-2", None),
        ("us-east-west-1", None),
        ("xx-east-1", None),
        ("us-gov-1", Some("aws")),
        ("US-EAST-1", None),
        ("", None),
        ("-", None),
    ] {
        assert_eq!(partition_of_region(region), partition, "{region}");
    }
}

#[test]
fn public_names_are_read_back() {
    for (service, region, partition, name) in [
        ("s3", "us-east-1", "aws", Some("s3.us-east-1.amazonaws.com")),
        ("api.ecr", "eu-central-1", "aws", Some("api.ecr.eu-central-1.amazonaws.com")),
        ("sts", "cn-north-1", "aws-cn", Some("sts.cn-north-1.amazonaws.com.cn")),
        ("dynamodb", "us-gov-west-1", "aws-us-gov", Some("dynamodb.us-gov-west-1.amazonaws.com")),
        ("s3", "us-east-1", "aws-cn", None),
        ("s3", "us-east-1", "other", None),
        ("s3", "nowhere", "aws", None),
    ] {
        assert_eq!(public_name(service, region, partition).as_deref(), name);
        if let Some(name) = name {
            assert_eq!(read(name), format!("{service} {region} {partition} -"));
        }
    }
}
