//! A map that keeps what was used last, bounded by count and by weight.

use std::collections::HashMap;
use std::hash::Hash;

/// What to keep at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Room {
    pub(super) count: usize,
    /// In the unit of the weights that are given to [`Recent::insert`].
    pub(super) weight: u64,
}

/// The map. Finding what to drop looks at every entry, which for the few hundred that it is meant for costs less than
/// keeping them in order would.
#[derive(Debug)]
pub(super) struct Recent<K, V> {
    entries: HashMap<K, Entry<V>>,
    room: Room,
    weight: u64,
    /// Counts uses.
    now: u64,
}

#[derive(Debug)]
struct Entry<V> {
    value: V,
    weight: u64,
    used: u64,
}

impl<K: Hash + Eq + Copy, V> Recent<K, V> {
    pub(super) fn new(room: Room) -> Self {
        Self { entries: HashMap::new(), room, weight: 0, now: 0 }
    }

    pub(super) fn get(&mut self, key: &K) -> Option<&V> {
        self.now += 1;
        let now = self.now;
        self.entries.get_mut(key).map(|entry| {
            entry.used = now;
            &entry.value
        })
    }

    /// Puts `value` in, and gives what had to leave for it: to be dropped where that may take its time. What was put in
    /// last stays, however heavy: somebody is about to use it.
    pub(super) fn insert(&mut self, key: K, value: V, weight: u64) -> Vec<V> {
        self.now += 1;
        let mut left: Vec<V> = self.remove(&key).into_iter().collect();
        self.entries.insert(key, Entry { value, weight, used: self.now });
        self.weight = self.weight.saturating_add(weight);
        while self.entries.len() > 1 && (self.entries.len() > self.room.count || self.weight > self.room.weight) {
            let oldest = self.entries.iter().min_by_key(|(_, entry)| entry.used).map(|(key, _)| *key);
            left.extend(oldest.and_then(|key| self.remove(&key)));
        }
        left
    }

    pub(super) fn remove(&mut self, key: &K) -> Option<V> {
        let entry = self.entries.remove(key)?;
        self.weight = self.weight.saturating_sub(entry.weight);
        Some(entry.value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recent(count: usize, weight: u64) -> Recent<char, char> {
        Recent::new(Room { count, weight })
    }

    fn kept(recent: &mut Recent<char, char>) -> String {
        let mut kept: Vec<_> = recent.entries.keys().copied().collect();
        kept.sort_unstable();
        kept.into_iter().collect()
    }

    #[test]
    fn what_was_used_least_recently_leaves_first() {
        let mut recent = recent(2, 100);
        assert!(recent.insert('a', 'A', 1).is_empty());
        assert!(recent.insert('b', 'B', 1).is_empty());
        assert_eq!(recent.get(&'a'), Some(&'A'));
        assert_eq!(recent.insert('c', 'C', 1), ['B']);
        assert_eq!(kept(&mut recent), "ac");
        assert_eq!(recent.get(&'b'), None);
    }

    #[test]
    fn weight_counts_too_and_the_last_one_always_fits() {
        let mut recent = recent(10, 10);
        for key in ['a', 'b', 'c'] {
            assert!(recent.insert(key, key, 3).is_empty());
        }
        assert_eq!(recent.insert('d', 'd', 5), ['a', 'b']);
        assert_eq!(recent.insert('e', 'e', 50), ['c', 'd']);
        assert_eq!((kept(&mut recent).as_str(), recent.weight), ("e", 50));
        assert_eq!(recent.insert('f', 'f', 10), ['e']);
        assert_eq!(recent.weight, 10);
    }

    #[test]
    fn a_key_that_is_put_in_again_weighs_once() {
        let mut recent = recent(10, 10);
        recent.insert('a', 'a', 6);
        assert_eq!(recent.insert('a', 'b', 7), ['a']);
        assert_eq!((recent.weight, recent.get(&'a')), (7, Some(&'b')));
        assert_eq!(recent.remove(&'a'), Some('b'));
        assert_eq!(recent.weight, 0);
    }
}
