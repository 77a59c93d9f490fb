//! Amazon Resource Names and the parts of them that Rolebox reasons about.
//!
//! An ARN is `arn:partition:service:region:account:resource`, where region and account may be empty and the resource
//! part may hold further colons and slashes
//! (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html>). These types hold concrete names. Patterns
//! with `*` and `?` are another thing and live with the policies that hold them.

use std::fmt;
use std::str::FromStr;

/// The longest ARN that is accepted, in bytes: IAM's own limit for a role's ARN, which the longest S3 key fits as well.
pub(crate) const MAX_ARN_BYTES: usize = 2048;

/// A concrete ARN, split into its parts.
///
/// Nothing is decoded and nothing is normalised: AWS compares ARNs byte by byte, apart from wildcards.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Arn {
    /// `aws`, `aws-cn`, `aws-us-gov` and so on. Never empty.
    pub partition: String,
    /// The service's namespace, such as `s3` or `dynamodb`. Never empty.
    pub service: String,
    /// The Region, or empty for what has none (S3 buckets, IAM).
    pub region: String,
    /// The account's twelve digits, or empty for what has none (S3 buckets); `aws` for what AWS owns.
    pub account: String,
    /// All that follows the fifth colon. Never empty.
    pub resource: String,
}

impl FromStr for Arn {
    type Err = ArnError;

    fn from_str(text: &str) -> Result<Self, ArnError> {
        let error = |problem| ArnError { text: shorten(text), problem };
        if text.len() > MAX_ARN_BYTES {
            return Err(error("is longer than 2,048 bytes"));
        }
        let mut parts = text.splitn(6, ':');
        let mut part = || parts.next().unwrap_or_default();
        if part() != "arn" {
            return Err(error("does not begin with `arn:`"));
        }
        let (partition, service, region, account, resource) = (part(), part(), part(), part(), part());
        if !is_label(partition) {
            return Err(error("has no valid partition (such as `aws`) in its second field"));
        }
        if !is_label(service) {
            return Err(error("has no valid service (such as `s3`) in its third field"));
        }
        if !region.is_empty() && !is_label(region) {
            return Err(error("has no valid Region in its fourth field"));
        }
        if !account.is_empty() && account != "aws" && !is_account(account) {
            return Err(error("has an account, its fifth field, that is not twelve digits"));
        }
        if resource.is_empty() {
            return Err(error("names no resource in its sixth field"));
        }
        Ok(Self {
            partition: partition.into(),
            service: service.into(),
            region: region.into(),
            account: account.into(),
            resource: resource.into(),
        })
    }
}

impl fmt::Display for Arn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { partition, service, region, account, resource } = self;
        write!(f, "arn:{partition}:{service}:{region}:{account}:{resource}")
    }
}

/// The number of an AWS account: twelve digits.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AccountId(String);

impl AccountId {
    /// The twelve digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for AccountId {
    type Err = ArnError;

    fn from_str(text: &str) -> Result<Self, ArnError> {
        if is_account(text) {
            Ok(Self(text.into()))
        } else {
            Err(ArnError { text: shorten(text), problem: "is not an account number of twelve digits" })
        }
    }
}

impl fmt::Display for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The name of an AWS Region, such as `eu-central-1`. Only its form is checked: AWS opens Regions faster than a list
/// here would follow.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Region(String);

impl Region {
    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Region {
    type Err = ArnError;

    fn from_str(text: &str) -> Result<Self, ArnError> {
        // `us-east-1`, `us-gov-west-1`, `us-isob-east-1`: words, then a number. Anything else (`aws-global`, a host
        // name) would end up in signatures and host names that are built from it.
        let mut words = text.split('-');
        let number = words.next_back().unwrap_or_default();
        let named = words.clone().count() >= 2
            && words.all(|word| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase()));
        let numbered = (1..=2).contains(&number.len()) && number.bytes().all(|b| b.is_ascii_digit());
        if named && numbered && text.len() <= 32 {
            Ok(Self(text.into()))
        } else {
            Err(ArnError { text: shorten(text), problem: "is not the name of a Region, such as `us-east-1`" })
        }
    }
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The ARN of an IAM role: `arn:PARTITION:iam::ACCOUNT:role/PATH/NAME`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RoleArn {
    text: String,
    partition: String,
    account: AccountId,
    name_at: usize,
}

impl RoleArn {
    /// The whole ARN.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The partition that the role lives in: `aws`, `aws-cn`, `aws-us-gov` …
    pub fn partition(&self) -> &str {
        &self.partition
    }

    /// The account that owns the role.
    pub fn account(&self) -> &AccountId {
        &self.account
    }

    /// The role's name, without its path.
    pub fn name(&self) -> &str {
        &self.text[self.name_at..]
    }
}

impl FromStr for RoleArn {
    type Err = ArnError;

    fn from_str(text: &str) -> Result<Self, ArnError> {
        let error = |problem| ArnError { text: shorten(text), problem };
        let arn: Arn = text.parse()?;
        if arn.service != "iam" || !arn.region.is_empty() {
            return Err(error("is not the ARN of an IAM role"));
        }
        let account =
            arn.account.parse().map_err(|_| error("names no account of twelve digits, which a role's ARN does"))?;
        let Some(path) = arn.resource.strip_prefix("role/") else {
            return Err(error("is not the ARN of an IAM role: its last field must begin with `role/`"));
        };
        // IAM: a name is 1 to 64 of [\w+=,.@-], a path 1 to 512 printable ASCII characters between slashes
        // (https://docs.aws.amazon.com/IAM/latest/APIReference/API_Role.html).
        let name = path.rsplit('/').next().unwrap_or_default();
        let in_name = |b: u8| b.is_ascii_alphanumeric() || b"_+=,.@-".contains(&b);
        if name.is_empty() || name.len() > 64 || !name.bytes().all(in_name) {
            return Err(error("has no valid role name: 1 to 64 letters, digits and _+=,.@-"));
        }
        let folders = &path[..path.len() - name.len()];
        if folders.len() > 512 || folders.starts_with('/') || !folders.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(error("has a role path that IAM does not allow"));
        }
        Ok(Self { text: text.into(), partition: arn.partition, account, name_at: text.len() - name.len() })
    }
}

impl fmt::Display for RoleArn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// A name that is not what it should be. The message quotes it, says what is wrong and what is expected.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` {problem}")]
#[non_exhaustive]
pub struct ArnError {
    text: String,
    problem: &'static str,
}

/// Whether this is an account number.
pub(crate) fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit())
}

/// Whether this can be a partition, a service's namespace or a Region: lower-case letters, digits and inner hyphens.
pub(crate) fn is_label(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 63
        && !text.starts_with('-')
        && !text.ends_with('-')
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

/// Input as an error message quotes it: in one line, and not longer than a line.
pub(crate) fn shorten(text: &str) -> String {
    const LIMIT: usize = 120;
    let mut quoted: String = text.chars().take(LIMIT).flat_map(char::escape_debug).collect();
    if text.chars().nth(LIMIT).is_some() {
        quoted.push('…');
    }
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arns_are_split_and_joined() {
        for (text, fields) in [
            ("arn:aws:s3:::bucket", ["aws", "s3", "", "", "bucket"]),
            ("arn:aws:s3:::bucket/a:b/*", ["aws", "s3", "", "", "bucket/a:b/*"]),
            ("arn:aws-cn:sqs:cn-north-1:123456789012:q", ["aws-cn", "sqs", "cn-north-1", "123456789012", "q"]),
            (
                "arn:aws:logs:us-east-1:123456789012:log-group:g:log-stream:s",
                ["aws", "logs", "us-east-1", "123456789012", "log-group:g:log-stream:s"],
            ),
            ("arn:aws:iam::aws:policy/AmazonS3FullAccess", ["aws", "iam", "", "aws", "policy/AmazonS3FullAccess"]),
        ] {
            let arn: Arn = text.parse().unwrap();
            assert_eq!([&arn.partition, &arn.service, &arn.region, &arn.account, &arn.resource], fields);
            assert_eq!(arn.to_string(), text);
        }
    }

    #[test]
    fn what_is_no_arn_is_refused() {
        let long = format!("arn:aws:s3:::{}", "k".repeat(MAX_ARN_BYTES));
        for text in [
            "",
            "arn",
            "arn:aws:s3",
            "arn:aws:s3:::",
            "ARN:aws:s3:::b",
            " arn:aws:s3:::b",
            "arn::s3:::b",
            "arn:aws::::b",
            "arn:*:s3:::b",
            "arn:aws:S3:::b",
            "arn:aws:s3:*::b",
            "arn:aws:sqs:us-east-1:*:q",
            "arn:aws:sqs:us-east-1:12345678901:q",
            "arn:aws:sqs:us-east-1:12345678901a:q",
            "arn:aws:sqs:us-east-1:١٢٣٤٥٦٧٨٩٠١٢:q",
            "arn:aws:sqs:us east:123456789012:q",
            "arn:aws:-sqs:us-east-1:123456789012:q",
            &long,
        ] {
            assert!(text.parse::<Arn>().is_err(), "{text}");
        }
    }

    #[test]
    fn role_arns_know_their_parts() {
        for (text, partition, name) in [
            ("arn:aws:iam::123456789012:role/s3-sample", "aws", "s3-sample"),
            ("arn:aws-us-gov:iam::123456789012:role/a/b/R_+=,.@-", "aws-us-gov", "R_+=,.@-"),
        ] {
            let role: RoleArn = text.parse().unwrap();
            assert_eq!((role.partition(), role.account().as_str(), role.name()), (partition, "123456789012", name));
            assert_eq!(role.to_string(), text);
        }
    }

    #[test]
    fn what_is_no_role_arn_is_refused() {
        let long = format!("arn:aws:iam::123456789012:role/{}", "r".repeat(65));
        for text in [
            "s3-sample",
            "arn:aws:iam::123456789012:user/u",
            "arn:aws:iam::123456789012:role",
            "arn:aws:iam::123456789012:role/",
            "arn:aws:iam::123456789012:role/a/",
            "arn:aws:iam::123456789012:role//a",
            "arn:aws:iam::123456789012:role/a b",
            "arn:aws:iam::123456789012:role/a b/r",
            "arn:aws:iam::123456789012:role/a*",
            "arn:aws:iam::aws:role/r",
            "arn:aws:iam:::role/r",
            "arn:aws:iam:us-east-1:123456789012:role/r",
            "arn:aws:sts::123456789012:assumed-role/r/session",
            &long,
        ] {
            assert!(text.parse::<RoleArn>().is_err(), "{text}");
        }
    }

    #[test]
    fn regions_and_accounts() {
        for good in ["us-east-1", "ap-southeast-4", "us-gov-west-1", "cn-north-1", "us-isob-east-1", "eusc-de-east-1"] {
            assert!(good.parse::<Region>().is_ok(), "{good}");
        }
        for bad in
            ["", "us", "us-east", "aws-global", "us-east-1a", "US-EAST-1", "us-east-1.evil", "*", "us--1", "-1-1"]
        {
            assert!(bad.parse::<Region>().is_err(), "{bad}");
        }
        for bad in ["", "any", "*", "12345678901", "1234567890123", "12345678901x", "+23456789012"] {
            assert!(bad.parse::<AccountId>().is_err(), "{bad}");
        }
    }
}
