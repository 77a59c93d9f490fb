//! The AWS managed policies that a role can name without spelling them out.
//!
//! Each file holds the default version of the policy as AWS publishes it in its managed policy reference
//! (<https://docs.aws.amazon.com/aws-managed-policy/latest/reference/policy-list.html>). A policy that is not in this
//! table is refused when a role names it: to leave it out silently would make the role weaker here than in AWS, and to
//! guess it would make it stronger.

/// One AWS managed policy.
pub(crate) struct ManagedPolicy {
    /// Its ARN.
    pub(crate) arn: &'static str,
    /// The version of the policy whose document this is, and when AWS last edited it.
    #[allow(dead_code, reason = "states the document's source; only the tests read it")]
    pub(crate) version: &'static str,
    /// The document.
    pub(crate) document: &'static str,
}

/// Every managed policy that is shipped.
pub(crate) const MANAGED_POLICIES: &[ManagedPolicy] = &[
    ManagedPolicy {
        arn: "arn:aws:iam::aws:policy/AmazonS3FullAccess",
        version: "v2, edited 2021-09-27",
        document: include_str!("managed/AmazonS3FullAccess.json"),
    },
    ManagedPolicy {
        arn: "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess",
        version: "v3, edited 2023-08-10",
        document: include_str!("managed/AmazonS3ReadOnlyAccess.json"),
    },
];

/// The managed policy with this ARN, if it is shipped.
pub(crate) fn find(arn: &str) -> Option<&'static ManagedPolicy> {
    MANAGED_POLICIES.iter().find(|policy| policy.arn == arn)
}

#[cfg(test)]
mod tests {
    use rolebox_policy::PolicyDocument;

    use super::*;

    #[test]
    fn every_shipped_policy_can_be_read() {
        for policy in MANAGED_POLICIES {
            PolicyDocument::parse(policy.document)
                .unwrap_or_else(|error| panic!("{} {}: {error}", policy.arn, policy.version));
        }
    }
}
