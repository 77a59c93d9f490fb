//! The facts about one request that policy conditions look at.

/// Condition keys and their values, such as `s3:prefix` and `in/`.
///
/// Names are compared without regard to case, as IAM does; values are kept as they are. A key may hold several values
/// (`dynamodb:LeadingKeys`). A key without values does not exist: to a condition that is the same as absence.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Context {
    // A call has a handful of keys, so a scan beats a map, and a look-up allocates nothing.
    entries: Vec<(String, Vec<String>)>,
}

impl Context {
    /// A context without keys.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets a key to one value, in place of what it held.
    pub fn insert(&mut self, key: impl Into<String>, value: impl Into<String>) {
        self.insert_all(key, [value.into()]);
    }

    /// Sets a key to several values, in place of what it held. Without values the key is removed.
    pub fn insert_all<V: Into<String>>(&mut self, key: impl Into<String>, values: impl IntoIterator<Item = V>) {
        let key = key.into();
        let values: Vec<String> = values.into_iter().map(Into::into).collect();
        self.entries.retain(|(name, _)| !name.eq_ignore_ascii_case(&key));
        if !values.is_empty() {
            self.entries.push((key, values));
        }
    }

    /// The key's values; none when the key is absent.
    pub fn values(&self, key: &str) -> &[String] {
        match self.entries.iter().find(|(name, _)| name.eq_ignore_ascii_case(key)) {
            Some((_, values)) => values,
            None => &[],
        }
    }

    /// The key's value when it has exactly one.
    pub fn value(&self, key: &str) -> Option<&str> {
        match self.values(key) {
            [value] => Some(value),
            _ => None,
        }
    }

    /// Every key with its values, in the order in which they were set.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[String])> {
        self.entries.iter().map(|(key, values)| (key.as_str(), values.as_slice()))
    }
}

impl<K: Into<String>, V: Into<String>> FromIterator<(K, V)> for Context {
    fn from_iter<T: IntoIterator<Item = (K, V)>>(pairs: T) -> Self {
        let mut context = Self::new();
        for (key, value) in pairs {
            context.insert(key, value);
        }
        context
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_ignore_case_and_values_do_not() {
        let mut context: Context = [("s3:Prefix", "In/"), ("aws:username", "u")].into_iter().collect();
        assert_eq!(context.value("S3:prefix"), Some("In/"));
        context.insert("S3:PREFIX", "out/");
        assert_eq!(context.values("s3:prefix"), ["out/"]);
        assert_eq!(context.iter().count(), 2);
        context.insert_all("aws:TagKeys", ["a", "b"]);
        assert_eq!(context.value("aws:tagkeys"), None);
        assert_eq!(context.values("aws:tagkeys"), ["a", "b"]);
        context.insert_all("aws:TagKeys", [""; 0]);
        assert!(context.iter().all(|(key, _)| key != "aws:TagKeys"));
        assert!(context.values("absent").is_empty());
    }
}
