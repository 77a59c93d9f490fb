//! Lists of patterns, cut down to what is meant and needed.

use crate::arn::shorten;
use crate::capability::explicit::is_explicit;
use crate::capability::{ActionPattern, ResourcePattern};
use crate::pattern::Pattern;

/// The actions that are meant of those that a bound knows. An action in full that it does not know, or a pattern that
/// covers none, comes back as the error.
pub(super) fn narrow(actions: &[ActionPattern], known: &[&str]) -> Result<Vec<ActionPattern>, String> {
    let mut names: Vec<ActionPattern> = Vec::new();
    for action in actions {
        let covered: Vec<&str> =
            known.iter().copied().filter(|name| action.pattern.matches_ignoring_case(name)).collect();
        if covered.is_empty() {
            return Err(shorten(&action.text));
        }
        names.extend(covered.into_iter().map(ActionPattern::new));
    }
    Ok(without_covered(names))
}

/// The actions without those that another one of them covers. An action that no pattern grants stays beside them.
pub(super) fn without_covered(actions: Vec<ActionPattern>) -> Vec<ActionPattern> {
    needed(actions, |wide, narrow| {
        let lower = |action: &ActionPattern| Pattern::wild(&action.text.to_ascii_lowercase());
        let grants = wide.in_full() || !is_explicit(&narrow.text);
        grants && lower(wide).covers(&lower(narrow))
    })
}

/// The ARN patterns without those that another one of them covers.
pub(super) fn without_covered_resources(resources: Vec<ResourcePattern>) -> Vec<ResourcePattern> {
    needed(resources, |wide, narrow| wide.pattern.covers(&narrow.pattern))
}

/// The items that no other one covers; of those that cover each other, the first.
fn needed<T>(items: Vec<T>, covers: impl Fn(&T, &T) -> bool) -> Vec<T> {
    let is_needed = |(at, item): (usize, &T)| {
        !items
            .iter()
            .enumerate()
            .any(|(other_at, other)| other_at != at && covers(other, item) && (other_at < at || !covers(item, other)))
    };
    let kept: Vec<bool> = items.iter().enumerate().map(is_needed).collect();
    items.into_iter().zip(kept).filter_map(|(item, kept)| kept.then_some(item)).collect()
}

/// The patterns that are of such a service, or `*`.
pub(super) fn of_service(resources: &[ResourcePattern], wanted: impl Fn(&str) -> bool) -> Vec<ResourcePattern> {
    let of =
        |resource: &&ResourcePattern| resource.is_everything() || resource.text.split(':').nth(2).is_some_and(&wanted);
    resources.iter().filter(of).cloned().collect()
}
