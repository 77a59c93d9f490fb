//! Every permission that a request to S3 needs.

use rolebox_policy::{AccountId, Check, CheckAccount, CheckResource, Region};

use super::copy::Source;
use super::row::{Action, Level, Row, on_bucket, on_object, on_version};
use super::tags::Tags;
use super::{Target, context, delete, encryption};
use crate::call::CallerScope;
use crate::names;
use crate::refusal::Refusal;
use crate::wire::xml::Element;

/// A request whose parts are all read.
pub(crate) struct Request<'a> {
    pub(crate) row: &'static Row,
    pub(crate) target: &'a Target<'a>,
    pub(crate) query: &'a [(String, String)],
    /// The headers that the row takes.
    pub(crate) headers: &'a [(String, String)],
    /// The body, when it is XML.
    pub(crate) document: Option<&'a Element>,
    /// What a copy reads.
    pub(crate) source: Option<&'a Source>,
    /// The tags that the request sets.
    pub(crate) tags: Option<&'a Tags>,
    /// The bucket owner that the guest expects.
    pub(crate) owner: Option<AccountId>,
    /// The same for a copy's source.
    pub(crate) source_owner: Option<AccountId>,
    pub(crate) region: &'a Region,
    pub(crate) scope: &'a CallerScope,
}

impl Request<'_> {
    /// Lists the permissions.
    pub(crate) fn checks(&self) -> Result<Vec<Check>, Refusal> {
        let versioned = self.query.iter().any(|(key, _)| key == "versionId");
        let mut checks = Vec::with_capacity(self.row.actions.len());
        for action in self.row.actions {
            self.add(&mut checks, action, versioned);
        }
        if self.row.name == "DeleteObjects" {
            self.add_deletions(&mut checks)?;
        } else {
            for action in self.added_by_headers() {
                self.add(&mut checks, action, versioned);
            }
        }
        match (self.row.name, self.document) {
            ("CreateBucket", Some(_)) if self.tags.is_some_and(|Tags(tags)| !tags.is_empty()) => {
                self.add(&mut checks, &on_bucket("s3:TagResource"), false);
            }
            ("PutBucketReplication", Some(document)) => checks.push(self.pass_role(document)?),
            _ => {}
        }
        checks.extend(encryption::checks(
            self.headers,
            self.row.name == "CreateMultipartUpload",
            self.region.as_str(),
            self.scope,
        )?);
        context::fill(&mut checks, self.query, self.headers);
        if let Some(document) = self.document {
            context::fill_body(&mut checks, document);
        }
        if let Some(tags) = self.tags {
            context::fill_tags(&mut checks, tags);
        }
        self.add_source(&mut checks);
        for check in &mut checks {
            check.context.insert("aws:RequestedRegion", self.region.as_str());
        }
        Ok(checks)
    }

    /// Adds a permission on what the path names, once.
    fn add(&self, checks: &mut Vec<Check>, action: &Action, versioned: bool) {
        let name = action.versioned.filter(|_| versioned).unwrap_or(action.name);
        if checks.iter().any(|check| check.action == name) {
            return;
        }
        checks.push(self.check(name, action.on, self.target.key));
    }

    fn check(&self, action: &str, on: Level, key: &str) -> Check {
        let (partition, bucket) = (&self.scope.partition, self.target.bucket);
        let resource = match on {
            Level::Service => CheckResource::Any,
            Level::Bucket => CheckResource::Arn(format!("arn:{partition}:s3:::{bucket}")),
            Level::Object => CheckResource::Arn(format!("arn:{partition}:s3:::{bucket}/{key}")),
        };
        let account = match action {
            "s3:ListAllMyBuckets" | "s3:CreateBucket" => CheckAccount::NoAccount,
            // What else a new bucket is given needs permissions on a bucket of the caller's own account.
            _ if !reaches_a_bucket(self.row) => CheckAccount::BucketOwner(Some(self.scope.account.clone())),
            _ => CheckAccount::BucketOwner(self.owner.clone()),
        };
        Check::new(action, resource).account(account)
    }

    /// The permissions that the headers add to the row's own.
    fn added_by_headers(&self) -> impl Iterator<Item = &'static Action> {
        self.row.headers.iter().filter(|family| !family.adds.is_empty()).flat_map(|family| {
            let adds = self
                .headers
                .iter()
                .any(|(name, value)| family.holds(name) && !family.harmless.contains(&value.as_str()));
            family.adds.iter().filter(move |_| adds)
        })
    }

    /// One deletion for each key in the body.
    fn add_deletions(&self, checks: &mut Vec<Check>) -> Result<(), Refusal> {
        let deletion = on_version("s3:DeleteObject", "s3:DeleteObjectVersion");
        let added: Vec<&Action> = self.added_by_headers().collect();
        for (key, version) in self.document.map(delete::keys).transpose()?.unwrap_or_default() {
            let mut check = match (deletion.versioned, version) {
                (Some(name), Some(version)) => self.check(name, deletion.on, key).with("s3:versionid", version),
                _ => self.check(deletion.name, deletion.on, key),
            };
            check.context.insert("aws:RequestedRegion", self.region.as_str());
            checks.push(check);
            checks.extend(added.iter().map(|action| self.check(action.name, action.on, key)));
        }
        Ok(())
    }

    /// What a copy needs: its source, and here what it takes over from there.
    fn add_source(&self, checks: &mut Vec<Check>) {
        let Some(source) = self.source else {
            return;
        };
        let directive =
            |name: &str| self.headers.iter().find(|(header, _)| header == name).map(|(_, value)| value.as_str());
        let whole = self.row.name == "CopyObject";
        let tags = whole && directive("x-amz-tagging-directive") != Some("REPLACE");
        let annotations = whole && directive("x-amz-object-annotation-directive") == Some("COPY");
        if tags {
            self.add(checks, &on_object("s3:PutObjectTagging"), false);
        }
        if annotations {
            self.add(checks, &on_object("s3:PutObjectAnnotation"), false);
        }
        checks.extend(source.checks(tags, annotations, self.source_owner.clone(), self.scope));
    }

    /// Replication runs under a role that the body names: who sets it must be allowed to pass that role to S3.
    fn pass_role(&self, document: &Element) -> Result<Check, Refusal> {
        let place = "body element `Role`";
        let role = document.text_of("Role").unwrap_or_default();
        let role = names::arn(place, role, "iam", self.scope)?;
        if !role.resource.starts_with("role/") {
            return Err(Refusal::not_understood(place, "it is not the ARN of a role", "name the replication role"));
        }
        Ok(Check::new("iam:PassRole", CheckResource::Arn(role.to_string()))
            .with("iam:PassedToService", "s3.amazonaws.com"))
    }
}

/// Whether an operation works on a bucket that exists, and so on one that has an owner.
pub(crate) fn reaches_a_bucket(row: &Row) -> bool {
    !matches!(row.name, "ListBuckets" | "CreateBucket")
}
