//! Actions that are granted by their full name only, and how patterns are kept from them.
//!
//! They change permissions, answer with something that works outside the sandbox and outlives the task, or configure what
//! goes on giving data or authority away (replication, event notifications, access logs). Whoever writes `s3:*` means
//! objects, not the bucket's policy; who does mean the policy can say so.
//!
//! IAM has no pattern with exceptions, so the session policy denies what a pattern covers too much. A deny beats every
//! allow, so it must spare what another capability grants in full: that one is denied only outside of the resources for
//! which it is granted.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use super::rule::{ActionPattern, ResourcePattern, Rule};
use crate::pattern::Pattern;

/// What is denied although a pattern covers it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Exclusions {
    pub(crate) denied: Vec<ActionPattern>,
    /// Actions that are granted in full, but on these resources alone.
    pub(crate) denied_except_on: Vec<(ActionPattern, Vec<ResourcePattern>)>,
}

/// Two capabilities that no policy can keep apart.
#[derive(Debug)]
pub(crate) struct Conflict {
    /// The capability with the pattern.
    pub(crate) wide: usize,
    pub(crate) pattern: String,
    pub(crate) action: String,
    /// The capability with the full name.
    pub(crate) full: usize,
}

/// A pattern and the published actions that it stands for, in full.
struct Group {
    service: &'static str,
    pattern: ActionPattern,
    members: Vec<String>,
}

/// The list, as it is checked in. It names its sources.
static GROUPS: LazyLock<Vec<Group>> = LazyLock::new(|| {
    let lines = include_str!("../../facts/explicit-actions.txt").lines();
    let lines = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines
        .filter_map(|line| {
            let (pattern, members) = line.split_once(' ').unwrap_or((line, ""));
            let (service, name) = pattern.split_once(':')?;
            let members: Vec<&str> = if members.is_empty() { vec![name] } else { members.split(' ').collect() };
            Some(Group {
                service,
                pattern: ActionPattern::new(pattern),
                members: members.iter().map(|member| format!("{service}:{member}")).collect(),
            })
        })
        .collect()
});

impl Exclusions {
    /// What must be denied so that no pattern of these rules grants what is granted in full only.
    pub(crate) fn of(rules: &[Rule]) -> Result<Self, Conflict> {
        let mut exclusions = Self::default();
        let in_full: Vec<&str> = actions(rules).filter(|a| a.in_full()).map(|a| a.text.as_str()).collect();
        let mut seen = BTreeSet::new();
        for wide in actions(rules).filter(|action| !action.in_full()) {
            let service = wide.text.split(':').next().unwrap_or_default();
            let groups = GROUPS.iter().filter(|group| group.service.eq_ignore_ascii_case(service));
            for group in groups {
                let covered = |member: &&String| wide.pattern.matches_ignoring_case(member);
                if !group.members.iter().any(|member| covered(&member)) {
                    continue;
                }
                // The short form, unless it would reach an action that is granted, published or not.
                if !in_full.iter().any(|name| group.pattern.pattern.matches_ignoring_case(name)) {
                    if seen.insert(group.pattern.text.as_str()) {
                        exclusions.denied.push(group.pattern.clone());
                    }
                    continue;
                }
                for member in group.members.iter().filter(covered) {
                    if !seen.insert(member.as_str()) {
                        continue;
                    }
                    if in_full.iter().any(|name| name.eq_ignore_ascii_case(member)) {
                        exclusions.spare(member, rules)?;
                    } else {
                        exclusions.denied.push(ActionPattern::new(member));
                    }
                }
            }
        }
        exclusions.denied.sort_by(|a, b| a.text.cmp(&b.text));
        exclusions.denied_except_on.sort_by(|(a, _), (b, _)| a.text.cmp(&b.text));
        Ok(exclusions)
    }

    /// Denies `action`, which some rules grant in full and others cover by a pattern, where only the latter hold.
    fn spare(&mut self, action: &str, rules: &[Rule]) -> Result<(), Conflict> {
        let granting: Vec<&Rule> = rules.iter().filter(|rule| rule.covers_action(action) == Some(true)).collect();
        let wide: Vec<&Rule> = rules.iter().filter(|rule| rule.covers_action(action) == Some(false)).collect();
        // A rule with both grants what it has in full; nothing is too much then.
        let (Some(granted), Some(_)) = (granting.first(), wide.first()) else {
            return Ok(());
        };
        // Outside of the granting rules' resources a deny by resource tells the two apart. Within them nothing does
        // but the bounds, so these must be the same.
        let other = wide.iter().chain(&granting).find(|rule| rule.bounds != granted.bounds);
        if let Some(other) = other {
            let pattern = wide.iter().find(|rule| rule.bounds == other.bounds).unwrap_or(&wide[0]);
            let covers = |a: &&ActionPattern| a.pattern.matches_ignoring_case(action);
            return Err(Conflict {
                wide: pattern.capability,
                pattern: pattern.actions.iter().find(covers).map(|a| a.text.clone()).unwrap_or_default(),
                action: action.to_owned(),
                full: granted.capability,
            });
        }
        let mut resources: Vec<ResourcePattern> = Vec::new();
        for resource in granting.iter().flat_map(|rule| &rule.resources) {
            if resource.is_everything() {
                return Ok(());
            }
            if !resources.contains(resource) {
                resources.push(resource.clone());
            }
        }
        self.denied_except_on.push((ActionPattern::new(action), resources));
        Ok(())
    }

    /// Whether a pattern's grant of this action on this resource is taken back. `covering` is the resource when that is
    /// a pattern.
    pub(crate) fn exclude(&self, action: &str, resource: &crate::CheckResource, covering: Option<&Pattern>) -> bool {
        self.denied.iter().any(|denied| denied.pattern.matches_ignoring_case(action))
            || self.denied_except_on.iter().any(|(denied, except)| {
                denied.pattern.matches_ignoring_case(action)
                    && !except.iter().any(|pattern| pattern.covers(resource, covering))
            })
    }
}

fn actions(rules: &[Rule]) -> impl Iterator<Item = &ActionPattern> {
    rules.iter().flat_map(|rule| &rule.actions)
}

/// Whether a capability grants this action only by its full name.
pub(crate) fn is_explicit(action: &str) -> bool {
    GROUPS.iter().flat_map(|group| &group.members).any(|member| member.eq_ignore_ascii_case(action))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_whole() {
        assert!(GROUPS.len() > 500, "{}", GROUPS.len());
        for group in GROUPS.iter() {
            assert!(!group.members.is_empty());
            for member in &group.members {
                assert!(group.pattern.pattern.matches_ignoring_case(member), "{member}");
            }
        }
        for action in ["s3:PutBucketPolicy", "s3:PutObjectAcl", "kms:CreateGrant", "ecr:GetAuthorizationToken"] {
            assert!(is_explicit(action), "{action}");
        }
        for action in ["ecr:GetDownloadUrlForLayer", "lambda:GetFunction", "s3:CreateSession", "s3:createsession"] {
            assert!(is_explicit(action), "{action}");
        }
        for action in ["s3:PutBucketNotification", "s3:PutReplicationConfiguration", "s3:PutBucketLogging"] {
            assert!(is_explicit(action), "{action}");
        }
        for action in ["s3:PutInventoryConfiguration", "s3:PutAnalyticsConfiguration", "s3:PutBucketAbac"] {
            assert!(is_explicit(action), "{action}");
        }
        for action in ["s3:GetBucketNotification", "s3:PutLifecycleConfiguration", "s3:PutMetricsConfiguration"] {
            assert!(!is_explicit(action), "{action}");
        }
        for action in ["s3:PutObject", "s3:GetBucketAcl", "kms:Decrypt", "secretsmanager:GetSecretValue", "s3:*"] {
            assert!(!is_explicit(action), "{action}");
        }
    }
}
