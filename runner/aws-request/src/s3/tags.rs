//! Tags that a request puts on objects and buckets, for the condition keys on them.

use crate::refusal::{Quoted, Refusal};
use crate::wire::percent;
use crate::wire::xml::Element;

/// The header with an object's tags, in the form of a query string.
pub(crate) const TAGGING: &str = "x-amz-tagging";
/// More than any resource of AWS's can have.
const MOST: usize = 50;

/// Keys and values, each key once.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Tags(pub(crate) Vec<(String, String)>);

impl Tags {
    /// Reads the header: `key=value&…`, form encoded (a `+` is a space).
    pub(crate) fn read(value: &str) -> Result<Self, Refusal> {
        let refuse = |what: String| {
            Refusal::not_understood(format!("header `{TAGGING}`"), what, "write KEY=VALUE&KEY=VALUE, percent-encoded")
        };
        let mut tags = Self::default();
        for pair in value.split('&').filter(|_| !value.is_empty()) {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            let decode = |text: &str| {
                let text = text.replace('+', " ");
                percent::decode(&text).map(|text| text.into_owned()).map_err(|error| refuse(error.to_string()))
            };
            tags.add(decode(key)?, decode(value)?).map_err(refuse)?;
        }
        Ok(tags)
    }

    /// Reads the `Tag` elements of a set.
    pub(crate) fn read_xml(set: &Element) -> Result<Self, Refusal> {
        let mut tags = Self::default();
        for tag in set.all("Tag") {
            let (Some(key), Some(value)) = (tag.text_of("Key"), tag.text_of("Value")) else {
                return Err(Refusal::malformed("body element `Tag`", "it has no Key or no Value", "give both"));
            };
            tags.add(key.into(), value.into())
                .map_err(|what| Refusal::malformed("body element `Tag`", what, "give each key once"))?;
        }
        Ok(tags)
    }

    /// The header's value as it is sent.
    pub(crate) fn write(&self) -> String {
        let mut text = String::new();
        for (key, value) in &self.0 {
            if !text.is_empty() {
                text.push('&');
            }
            percent::encode_into(&mut text, key);
            text.push('=');
            percent::encode_into(&mut text, value);
        }
        text
    }

    fn add(&mut self, key: String, value: String) -> Result<(), String> {
        if key.is_empty() {
            return Err("a tag has no key".into());
        }
        if self.0.iter().any(|(earlier, _)| *earlier == key) {
            return Err(format!("the tag {} is given twice", Quoted(&key)));
        }
        if self.0.len() == MOST {
            return Err("there are more than 50 tags".into());
        }
        self.0.push((key, value));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header() {
        for (value, written) in [
            ("", ""),
            ("a=b", "a=b"),
            ("a=b&c", "a=b&c="),
            ("a+b=c%20d", "a%20b=c%20d"),
            ("a=b=c", "a=b%3Dc"),
            ("a=1&a=2", "refused"),
            ("a=1&%61=2", "refused"),
            ("a=%", "refused"),
            ("=v", "refused"),
            ("&", "refused"),
            ("a=b&", "refused"),
        ] {
            assert_eq!(Tags::read(value).map_or("refused".into(), |tags| tags.write()), written, "{value}");
        }
    }
}
