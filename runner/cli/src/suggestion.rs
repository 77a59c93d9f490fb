//! `--suggest-capabilities`: what a task called, as the smallest capabilities that would have allowed it.
//!
//! Calls are noted as they are decided. What was allowed becomes capabilities: one action on one ARN after the other,
//! those on the same ARNs in one. What was denied is listed apart and never becomes a capability. Each suggestion is
//! read back and every call checked against it before it is shown.
//!
//! Absent on purpose: `region` and `leadingKeys`, which one run says too little about, and permissions that AWS needs
//! for what it does by itself, such as a bucket's default key: they show in no request.

mod calls;
mod generalise;
mod show;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use rolebox::definition::TaskRole;
use rolebox::egress::audit::{AuditRecord, AuditSink, Event, Recorded};
use rolebox_policy::{Capabilities, OneOrMany, RawCapability, RoleArn};
use serde::Serialize;

use self::calls::{Account, Bounds, Calls, Use};

/// What is suggested, and what is not. Its keys stand in the report of `run`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Suggestion {
    /// The block for `rolebox.capabilities`.
    suggested_capabilities: Vec<RawCapability>,
    /// Permissions that the task asked for and did not have, and that the block does not have either.
    not_granted: Vec<NotGranted>,
    /// Requests that were refused before it was known what they need.
    not_understood: Vec<NotUnderstood>,
    /// Why the block does not stand for the run, or can't be used as it is.
    suggestion_problems: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
struct NotGranted {
    action: String,
    resource: String,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
struct NotUnderstood {
    /// As the guest named it.
    service: String,
    reason: String,
}

/// Takes note of one task's calls.
#[derive(Debug)]
pub(crate) struct Recorder {
    role: RoleArn,
    capabilities: Capabilities,
    calls: Arc<Mutex<Calls>>,
}

/// The recorder's place in front of the sink that keeps the records.
#[derive(Debug)]
pub(crate) struct RecordingSink {
    role: RoleArn,
    capabilities: Capabilities,
    calls: Arc<Mutex<Calls>>,
    next: Arc<dyn AuditSink>,
}

impl Recorder {
    /// For a task under `role`.
    pub(crate) fn new(role: &TaskRole) -> Self {
        Self { role: role.arn().clone(), capabilities: role.capabilities().clone(), calls: Arc::default() }
    }

    /// A sink that takes note of each record and passes it on to `next`.
    pub(crate) fn in_front_of(&self, next: Arc<dyn AuditSink>) -> RecordingSink {
        RecordingSink {
            role: self.role.clone(),
            capabilities: self.capabilities.clone(),
            calls: self.calls.clone(),
            next,
        }
    }

    /// What the calls so far come to.
    pub(crate) fn suggest(&self, generalise: bool) -> Suggestion {
        let calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        Suggestion::new(&calls, &self.role, generalise)
    }
}

impl AuditSink for RecordingSink {
    fn record(&self, record: AuditRecord) -> Recorded {
        if record.event == Event::Decision {
            let mut calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
            match record.permissions.as_slice() {
                [] => calls.not_understood(&record.service, record.reason.as_deref().unwrap_or_default()),
                permissions => calls.decided(permissions, &self.capabilities, &self.role),
            }
        }
        self.next.record(record)
    }

    fn flush(&self) -> Recorded {
        self.next.flush()
    }
}

/// Resources of one action in one account, by the pattern that a capability names them by.
type Resources<'a> = BTreeMap<String, Entry<'a>>;

/// One pattern, and the uses that it stands for.
#[derive(Debug, Default)]
struct Entry<'a> {
    uses: Vec<&'a Use>,
}

impl Suggestion {
    fn new(calls: &Calls, role: &RoleArn, generalise: bool) -> Self {
        let suggested_capabilities = capabilities(&calls.uses, role, generalise);
        let mut suggestion_problems = Vec::new();
        if calls.incomplete {
            suggestion_problems.push("the task called more than is kept in mind, so the list is not whole".to_owned());
        }
        suggestion_problems.extend(problem(&suggested_capabilities, &calls.uses, role));
        Self {
            suggested_capabilities,
            not_granted: calls.not_granted.iter().cloned().collect(),
            not_understood: calls.not_understood.iter().cloned().collect(),
            suggestion_problems,
        }
    }
}

/// The smallest capabilities for `uses`, in an order of their own.
fn capabilities(uses: &BTreeSet<Use>, role: &RoleArn, generalise: bool) -> Vec<RawCapability> {
    let mut by_action: BTreeMap<(&str, &Account), Vec<&Use>> = BTreeMap::new();
    for used in uses {
        by_action.entry((&used.action, &used.account)).or_default().push(used);
    }
    // The actions that have the same resources under the same bounds.
    let mut by_resources: BTreeMap<(&str, &Account, Bounds, Vec<String>), Vec<&str>> = BTreeMap::new();
    for ((action, account), uses) in by_action {
        let mut resources = Resources::new();
        for (pattern, used) in generalise::patterns(uses, generalise) {
            resources.entry(pattern).or_default().uses.push(used);
        }
        drop_covered(&mut resources, action, account, role);
        let mut by_bounds: BTreeMap<Bounds, Vec<String>> = BTreeMap::new();
        for (pattern, entry) in resources {
            by_bounds.entry(Bounds::of(&entry.uses)).or_default().push(pattern);
        }
        let service = action.split(':').next().unwrap_or_default();
        for (bounds, patterns) in by_bounds {
            by_resources.entry((service, account, bounds, patterns)).or_default().push(action);
        }
    }
    let mut capabilities: Vec<_> = by_resources
        .into_iter()
        .map(|((_, account, bounds, resources), actions)| {
            let actions: Vec<String> = actions.into_iter().map(str::to_owned).collect();
            (actions, resources, account, bounds)
        })
        .collect();
    capabilities.sort();
    capabilities
        .into_iter()
        .map(|(actions, resources, account, bounds)| capability(actions, resources, account, bounds))
        .collect()
}

/// Leaves out what a wider pattern of the same action covers, bounds and all.
fn drop_covered(resources: &mut Resources<'_>, action: &str, account: &Account, role: &RoleArn) {
    let wide: Vec<String> = resources.keys().filter(|pattern| pattern.contains(['*', '?'])).cloned().collect();
    for pattern in wide {
        let Some(entry) = resources.get(&pattern) else {
            continue;
        };
        let bounds = Bounds::of(&entry.uses);
        let raw = capability(vec![action.to_owned()], vec![pattern.clone()], account, bounds);
        let Ok(wide) = Capabilities::parse(vec![raw], role) else {
            continue;
        };
        resources.retain(|other, entry| {
            *other == pattern || !entry.uses.iter().all(|used| wide.authorize(&[used.check()]).is_ok())
        });
    }
}

fn capability(actions: Vec<String>, resources: Vec<String>, account: &Account, bounds: Bounds) -> RawCapability {
    let several =
        |values: BTreeSet<String>| (!values.is_empty()).then(|| OneOrMany::Many(values.into_iter().collect()));
    RawCapability {
        action: OneOrMany::Many(actions),
        resource: OneOrMany::Many(resources),
        account: match account {
            Account::Own => None,
            Account::Other(account) => Some(OneOrMany::One(account.clone())),
            Account::Any => Some(OneOrMany::One("any".to_owned())),
        },
        prefix: several(bounds.prefixes),
        leading_keys: None,
        via: several(bounds.via),
        region: None,
    }
}

/// What is wrong with the suggestion, if something is.
fn problem(suggested: &[RawCapability], uses: &BTreeSet<Use>, role: &RoleArn) -> Option<String> {
    let capabilities = match Capabilities::parse(suggested.to_vec(), role) {
        Ok(capabilities) => capabilities,
        Err(error) => return Some(format!("the block is not one that a definition may have: {error}")),
    };
    for used in uses {
        if let Err(denial) = capabilities.authorize(&[used.check()]) {
            return Some(format!("the block would not allow all that was called: {denial}"));
        }
    }
    capabilities.session_policy().err().map(|error| error.to_string())
}
