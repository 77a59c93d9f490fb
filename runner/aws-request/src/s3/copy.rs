//! `x-amz-copy-source`: what a copy reads.
//!
//! S3 takes several spellings: with and without a leading slash, percent-encoded in whole or in part, with a version,
//! with an access point's ARN in place of the bucket. It also reads `+` as a space. Here each spelling comes down to
//! bucket, key and version, strictly, and the header is written anew.

use rolebox_policy::{AccountId, Check, CheckAccount, CheckResource};

use super::names;
use crate::call::CallerScope;
use crate::refusal::{Quoted, Refusal};
use crate::wire::percent;

pub(crate) const COPY_SOURCE: &str = "x-amz-copy-source";
/// The header with which S3 compares the owner of a copy's source.
pub(crate) const EXPECTED_SOURCE_OWNER: &str = "x-amz-source-expected-bucket-owner";

/// What a copy reads.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Source {
    bucket: String,
    key: String,
    version: Option<String>,
}

impl Source {
    /// Reads the header's value.
    pub(crate) fn read(value: &str) -> Result<Self, Refusal> {
        let refuse = |what: String| {
            Refusal::not_understood(
                format!("header `{COPY_SOURCE}` {}", Quoted(value)),
                what,
                "write BUCKET/KEY, percent-encoded, with ?versionId=VERSION for a version",
            )
        };
        if value.contains('+') {
            return Err(refuse("S3 reads `+` as a space there; write %2B or %20".into()));
        }
        if value.contains(['#', '\\', ' ']) {
            return Err(refuse("it holds a character that must be percent-encoded".into()));
        }
        let (path, version) = match value.split_once('?') {
            None => (value, None),
            Some((path, query)) => match query.strip_prefix("versionId=") {
                // A version's id is URL-safe as S3 makes it; anything else could be a second query key.
                Some(version)
                    if !version.is_empty()
                        && version.len() <= 1024
                        && version.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte)) =>
                {
                    (path, Some(version.to_owned()))
                }
                _ => return Err(refuse("what follows `?` is not one version's id".into())),
            },
        };
        let path = path.strip_prefix('/').unwrap_or(path);
        let decoded = percent::decode(path).map_err(|error| refuse(error.to_string()))?;
        let Some((bucket, key)) = decoded.split_once('/') else {
            return Err(refuse("it names no key".into()));
        };
        // The slash between bucket and key may be encoded too, since clients encode the whole value.
        names::bucket(bucket).map_err(refuse)?;
        names::key(key).map_err(refuse)?;
        Ok(Self { bucket: bucket.into(), key: key.into(), version })
    }

    /// The header's value as it is sent.
    pub(crate) fn write(&self) -> String {
        let mut value = format!("{}/", self.bucket);
        percent::encode_path_into(&mut value, &self.key);
        if let Some(version) = &self.version {
            value.push_str("?versionId=");
            value.push_str(version);
        }
        value
    }

    /// The permissions that reading the source needs.
    ///
    /// Tags are copied unless `x-amz-tagging-directive` says REPLACE, and tags decide access where policies look at
    /// them, so copying them needs the permission to read them, whether or not the source turns out to have any.
    /// Annotations decide nothing: their permission is asked for only when the request says that they are copied, and
    /// AWS checks it otherwise.
    pub(crate) fn checks(
        &self,
        tags: bool,
        annotations: bool,
        owner: Option<AccountId>,
        scope: &CallerScope,
    ) -> Vec<Check> {
        let arn = format!("arn:{}:s3:::{}/{}", scope.partition, self.bucket, self.key);
        let mut actions = vec![("s3:GetObject", "s3:GetObjectVersion")];
        if tags {
            actions.push(("s3:GetObjectTagging", "s3:GetObjectVersionTagging"));
        }
        if annotations {
            actions.push(("s3:GetObjectAnnotation", "s3:GetObjectVersionAnnotation"));
        }
        actions
            .into_iter()
            .map(|(plain, versioned)| {
                let action = if self.version.is_some() { versioned } else { plain };
                let check = Check::new(action, CheckResource::Arn(arn.clone()))
                    .account(CheckAccount::SourceBucketOwner(owner.clone()));
                match &self.version {
                    Some(version) => check.with("s3:versionid", version.as_str()),
                    None => check,
                }
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings() {
        for (value, written) in [
            ("bucket/key", "bucket/key"),
            ("/bucket/key", "bucket/key"),
            ("bucket%2Fkey", "bucket/key"),
            ("%2Fbucket%2Fkey", "refused"),
            ("bucket/a%2Fb", "bucket/a/b"),
            ("bucket/a//b", "bucket/a//b"),
            ("bucket//key", "bucket//key"),
            ("//bucket/key", "refused"),
            ("%62ucket/key", "bucket/key"),
            ("bucket/a%20b", "bucket/a%20b"),
            ("bucket/a%2Bb", "bucket/a%2Bb"),
            ("bucket/k?versionId=abc.DEF_1-2", "bucket/k?versionId=abc.DEF_1-2"),
            ("bucket/k?versionId=null", "bucket/k?versionId=null"),
            ("bucket/k%3FversionId=1", "bucket/k%3FversionId%3D1"),
            ("bucket/é", "bucket/%C3%A9"),
            ("bucket/a+b", "refused"),
            ("bucket/a b", "refused"),
            ("bucket/k?versionId=", "refused"),
            ("bucket/k?versionid=1", "refused"),
            ("bucket/k?versionId=1&versionId=2", "refused"),
            ("bucket/k?versionId=1?x", "refused"),
            ("bucket/k?versionId=%31", "refused"),
            ("bucket/k?x=1", "refused"),
            ("bucket/k?", "refused"),
            ("bucket/k#x", "refused"),
            ("bucket", "refused"),
            ("bucket/", "refused"),
            ("/", "refused"),
            ("", "refused"),
            ("bucket/../other/key", "refused"),
            ("bucket/%2e%2e/key", "refused"),
            ("bucket/a/./b", "refused"),
            ("bucket/%", "refused"),
            ("bucket/%zz", "refused"),
            ("bucket/%00", "refused"),
            ("bucket/%ff", "refused"),
            ("Bucket/key", "refused"),
            ("arn:aws:s3:::bucket/key", "refused"),
            ("arn:aws:s3:us-east-1:123456789012:accesspoint/point/object/key", "refused"),
            ("arn%3Aaws%3As3%3Aus-east-1%3A123456789012%3Aaccesspoint/point/object/key", "refused"),
            ("point-0123-s3alias/key", "refused"),
            ("b--use1-az4--x-s3/key", "refused"),
            ("https://bucket.s3.amazonaws.com/key", "refused"),
            ("bucket/a\\..\\b", "refused"),
        ] {
            let read = Source::read(value);
            assert_eq!(read.as_ref().map_or("refused".into(), Source::write), written, "{value}");
            if let Ok(source) = read {
                assert_eq!(Source::read(&source.write()), Ok(source));
            }
        }
    }
}
