//! Patterns with `*` and `?`, and policy variables within them.
//!
//! Two kinds, because they are matched at different costs: a [`Pattern`] is ready to match, a [`Template`] still holds
//! variables that each request fills in. Wherever a variable's value goes, it goes as literal characters: a user named
//! `*` must not turn a policy about that user into one about everybody.

use std::borrow::Cow;

use crate::Context;

/// A pattern that is ready to match: `*` stands for any characters, colons and slashes included, and none; `?` for
/// exactly one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Pattern {
    tokens: Vec<Token>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Token {
    /// One byte of UTF-8.
    Byte(u8),
    /// `?`: one character, which may be several bytes.
    One,
    /// `*`
    Many,
}

impl Token {
    /// Whether this goes on with the character that an earlier byte began.
    fn continues_character(self) -> bool {
        matches!(self, Self::Byte(byte) if byte & 0b1100_0000 == 0b1000_0000)
    }
}

impl Pattern {
    /// Reads `*` and `?` as wildcards and everything else as itself.
    pub(crate) fn wild(text: &str) -> Self {
        let mut pattern = Self::default();
        pattern.push_wild(text);
        pattern
    }

    /// Whether the whole of `text` matches.
    pub(crate) fn matches(&self, text: &str) -> bool {
        matches(&self.tokens, |at| text.as_bytes().get(at).map(|byte| Token::Byte(*byte)), |a, b| a == b)
    }

    /// Whether the whole of `text` matches when the case of ASCII letters is ignored.
    pub(crate) fn matches_ignoring_case(&self, text: &str) -> bool {
        let symbol = |at| text.as_bytes().get(at).map(|byte| Token::Byte(*byte));
        matches(&self.tokens, symbol, |a, b| a.eq_ignore_ascii_case(&b))
    }

    /// Whether this pattern matches everything that `other` matches, as far as that can be told by laying `other`'s
    /// wildcards against this one's: a `?` needs a `?` or a `*`, a `*` needs a `*`. Never wrongly so; and wrongly not
    /// only where this pattern has a `?` that some of what follows a `*` of the other's would always meet.
    pub(crate) fn covers(&self, other: &Pattern) -> bool {
        matches(&self.tokens, |at| other.tokens.get(at).copied(), |a, b| a == b)
    }

    /// Whether the pattern has no wildcard.
    pub(crate) fn is_literal(&self) -> bool {
        self.tokens.iter().all(|token| matches!(token, Token::Byte(_)))
    }

    pub(crate) fn push(&mut self, token: Token) {
        // `**` is `*`, and `*?` is `?*`: in one spelling, patterns that mean the same are the same.
        match (self.tokens.last(), token) {
            (Some(Token::Many), Token::Many) => {}
            (Some(Token::Many), Token::One) => self.tokens.insert(self.tokens.len() - 1, Token::One),
            _ => self.tokens.push(token),
        }
    }

    fn push_literal(&mut self, text: &str) {
        self.tokens.extend(text.bytes().map(Token::Byte));
    }

    fn push_wild(&mut self, text: &str) {
        for byte in text.bytes() {
            self.push(match byte {
                b'*' => Token::Many,
                b'?' => Token::One,
                byte => Token::Byte(byte),
            });
        }
    }
}

/// Lays a pattern against the symbols of a text, or of another pattern.
///
/// There is one position to return to, the last `*`: an earlier one need never take more than it has, since whatever
/// follows it has already been found at its earliest. The worst case is the product of the lengths.
fn matches(pattern: &[Token], symbol: impl Fn(usize) -> Option<Token>, same: impl Fn(u8, u8) -> bool) -> bool {
    let (mut p, mut t) = (0, 0);
    let mut last_star = None;
    loop {
        let fits = match (pattern.get(p), symbol(t)) {
            (None, None) => return true,
            (Some(Token::Many), _) => {
                p += 1;
                if p == pattern.len() {
                    return true;
                }
                last_star = Some((p, t));
                continue;
            }
            (Some(Token::One), Some(Token::Byte(_) | Token::One)) => true,
            (Some(Token::Byte(mine)), Some(Token::Byte(theirs))) => same(*mine, theirs),
            _ => false,
        };
        if fits {
            // A `?` takes its character whole.
            if pattern[p] == Token::One {
                while symbol(t + 1).is_some_and(Token::continues_character) {
                    t += 1;
                }
            }
            p += 1;
            t += 1;
        } else {
            match last_star {
                Some((star, taken)) if symbol(taken).is_some() => {
                    last_star = Some((star, taken + 1));
                    (p, t) = (star, taken + 1);
                }
                _ => return false,
            }
        }
    }
}

/// A pattern, or a plain text, with policy variables that each request fills in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Template {
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Fixed(Pattern),
    Variable { key: String, default: Option<String> },
}

/// What `*` and `?` mean in a template.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wildcards {
    /// They are wildcards, as in `Resource` and `StringLike`.
    Yes,
    /// They are themselves, as in `StringEquals`.
    No,
}

/// What `${` means in a template.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Variables {
    /// It opens a variable, as from version 2012-10-17 on.
    Yes,
    /// It is itself, as in version 2008-10-17.
    No,
}

impl Template {
    /// Reads a text. `${*}`, `${?}` and `${$}` stand for the character; any other `${key}` or `${key, 'default'}` for
    /// the value of a condition key
    /// (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html>).
    ///
    /// # Errors
    /// What follows `${` is not one of these.
    pub(crate) fn parse(text: &str, wildcards: Wildcards, variables: Variables) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut fixed = Pattern::default();
        let mut rest = text;
        loop {
            let variable_at = match variables {
                Variables::Yes => rest.find("${"),
                Variables::No => None,
            };
            let literal = &rest[..variable_at.unwrap_or(rest.len())];
            match wildcards {
                Wildcards::Yes => fixed.push_wild(literal),
                Wildcards::No => fixed.push_literal(literal),
            }
            let Some(at) = variable_at else { break };
            let (variable, after) = Variable::parse(&rest[at + 2..])?;
            match variable {
                Variable::Character(character) => fixed.push_literal(character),
                Variable::Key { key, default } => {
                    parts.push(Part::Fixed(std::mem::take(&mut fixed)));
                    parts.push(Part::Variable { key: key.to_ascii_lowercase(), default });
                }
            }
            rest = after;
        }
        parts.push(Part::Fixed(fixed));
        Ok(Self { parts })
    }

    /// The pattern for one request. None when a variable has no value: such a template matches nothing. A key with
    /// several values has none here, since AWS takes no multivalued key as a variable.
    pub(crate) fn resolve(&self, context: &Context) -> Option<Cow<'_, Pattern>> {
        if let [Part::Fixed(pattern)] = self.parts.as_slice() {
            return Some(Cow::Borrowed(pattern));
        }
        let mut pattern = Pattern::default();
        for part in &self.parts {
            match part {
                Part::Fixed(fixed) => fixed.tokens.iter().for_each(|token| pattern.push(*token)),
                Part::Variable { key, default } => {
                    pattern.push_literal(context.value(key).or(default.as_deref())?);
                }
            }
        }
        Some(Cow::Owned(pattern))
    }

    /// The condition keys of its variables.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            Part::Variable { key, .. } => Some(key.as_str()),
            Part::Fixed(_) => None,
        })
    }
}

enum Variable<'a> {
    Character(&'a str),
    Key { key: &'a str, default: Option<String> },
}

impl<'a> Variable<'a> {
    /// Reads what follows a `${`; also gives what follows the variable.
    fn parse(text: &'a str) -> Result<(Self, &'a str), String> {
        for character in ["*", "?", "$"] {
            if let Some(after) = text.strip_prefix(character).and_then(|rest| rest.strip_prefix('}')) {
                return Ok((Self::Character(character), after));
            }
        }
        let malformed = || {
            "holds `${` that opens no policy variable: write `${prefix:key}` or `${prefix:key, 'default'}`, or `${$}{` \
             for the characters themselves"
                .to_owned()
        };
        let end = text.find(['}', ',']).ok_or_else(malformed)?;
        let (key, rest) = text.split_at(end);
        if !is_condition_key(key) {
            return Err(malformed());
        }
        if let Some(after) = rest.strip_prefix('}') {
            return Ok((Self::Key { key, default: None }, after));
        }
        let quoted = rest[1..].trim_start_matches(' ').strip_prefix('\'').ok_or_else(malformed)?;
        let (default, after) = quoted.split_once('\'').ok_or_else(malformed)?;
        let after = after.strip_prefix('}').ok_or_else(malformed)?;
        Ok((Self::Key { key, default: Some(default.to_owned()) }, after))
    }
}

/// Whether this has the form of a condition key: `prefix:name` or `prefix:name/tag`.
pub(crate) fn is_condition_key(text: &str) -> bool {
    let Some((prefix, name)) = text.split_once(':') else {
        return false;
    };
    let in_prefix = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
    let in_name = |c: char| c.is_alphanumeric() || " _.:/=+-@".contains(c);
    !prefix.is_empty()
        && prefix.bytes().all(in_prefix)
        && !name.is_empty()
        && name.trim() == name
        && name.chars().all(in_name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards() {
        for (pattern, text, expected) in [
            ("", "", true),
            ("", "a", false),
            ("*", "", true),
            ("*", "a/b:c", true),
            ("?", "", false),
            ("?", "a", true),
            ("?", "é", true),
            ("?", "€", true),
            ("??", "é", false),
            ("*??", "€", false),
            ("?*?", "é", false),
            ("*?", "é", true),
            ("a?c", "aéc", true),
            ("a*c", "abcbc", true),
            ("a*c", "abcb", false),
            ("a**c", "ac", true),
            ("*a*b*", "xxaxxbxx", true),
            ("*a*b*", "xxbxxa", false),
            ("a*b?", "abbb", true),
            ("a*b?", "ab", false),
            ("*/*", "a/b/c", true),
            ("in/*", "in/", true),
            ("in/*", "in", false),
            ("a.c", "abc", false),
            ("[ab]", "a", false),
        ] {
            assert_eq!(Pattern::wild(pattern).matches(text), expected, "{pattern} {text}");
        }
        assert!(!Pattern::wild("A").matches("a"));
        assert!(Pattern::wild("S3:get*").matches_ignoring_case("s3:GetObject"));
        let hostile = format!("{}b", "*a".repeat(200));
        assert!(!Pattern::wild(&hostile).matches(&"a".repeat(2000)));
    }

    #[test]
    fn covering() {
        for (wide, narrow, expected) in [
            ("*", "*", true),
            ("*", "a?*", true),
            ("a*", "a?", true),
            ("a*", "*", false),
            ("a*", "?", false),
            ("a?", "a?", true),
            ("a?", "ab", true),
            ("a?", "a*", false),
            ("ab", "a?", false),
            ("a??*", "a?*?", true),
            ("secret:n-??????", "secret:n-??????", true),
            ("secret:n-*", "secret:n-??????", true),
            ("secret:n*", "secret:n-??????", true),
            ("secret:n-?????", "secret:n-??????", false),
            ("secret:n-a*", "secret:n-??????", false),
            ("key/*", "key/*", true),
            ("key/1*", "key/*", false),
            ("*key*", "key/*", true),
            ("key/*a", "key/*", false),
        ] {
            assert_eq!(Pattern::wild(wide).covers(&Pattern::wild(narrow)), expected, "{wide} {narrow}");
        }
    }

    #[test]
    fn variables_stay_literal() {
        let context: Context =
            [("aws:username", "*"), ("aws:PrincipalTag/team", "a?"), ("s3:prefix", "${aws:username}")]
                .into_iter()
                .collect();
        for (template, text, expected) in [
            ("home/${aws:username}/*", "home/*/x", true),
            ("home/${aws:username}/*", "home/bob/x", false),
            ("home/${AWS:UserName}/*", "home/*/x", true),
            ("${aws:PrincipalTag/team}", "ab", false),
            ("${aws:PrincipalTag/team}", "a?", true),
            ("${aws:userid}", "", false),
            ("${aws:userid}*", "x", false),
            ("${aws:userid, 'anonymous'}", "anonymous", true),
            ("${aws:userid,'anonymous'}", "anonymous", true),
            ("${aws:userid, '*'}", "x", false),
            ("${aws:userid, ''}*", "x", true),
            ("${aws:username, 'x'}", "*", true),
            ("${s3:prefix}", "*", false),
            ("${s3:prefix}", "${aws:username}", true),
            ("a${*}", "ab", false),
            ("a${*}", "a*", true),
            ("a${?}", "a?", true),
            ("a${$}{aws:username}", "a${aws:username}", true),
            ("a$b$", "a$b$", true),
            ("$", "$", true),
        ] {
            let parsed = Template::parse(template, Wildcards::Yes, Variables::Yes).unwrap();
            let matched = parsed.resolve(&context).is_some_and(|pattern| pattern.matches(text));
            assert_eq!(matched, expected, "{template} {text}");
        }
    }

    #[test]
    fn what_opens_no_variable_is_refused() {
        for text in [
            "${",
            "${}",
            "${aws:username",
            "${username}",
            "${:username}",
            "${aws:}",
            "${aws:user*}",
            "${ aws:username}",
            "${aws:username }",
            "${aws:username,}",
            "${aws:username, x}",
            "${aws:username, 'x}",
            "${aws:username, 'x'y}",
            "${aws:username, 'x'",
            "${**}",
            "${${aws:username}}",
        ] {
            assert!(Template::parse(text, Wildcards::Yes, Variables::Yes).is_err(), "{text}");
            assert!(Template::parse(text, Wildcards::Yes, Variables::No).is_ok(), "{text}");
        }
    }

    #[test]
    fn the_old_version_has_no_variables_and_equality_no_wildcards() {
        let context: Context = [("aws:username", "bob")].into_iter().collect();
        let matches = |text: &str, wildcards, variables, value| {
            let template = Template::parse(text, wildcards, variables).unwrap();
            template.resolve(&context).is_some_and(|pattern| pattern.matches(value))
        };
        assert!(matches("${aws:username}", Wildcards::No, Variables::No, "${aws:username}"));
        assert!(!matches("${aws:username}", Wildcards::No, Variables::No, "bob"));
        assert!(matches("a*", Wildcards::No, Variables::Yes, "a*"));
        assert!(!matches("a*", Wildcards::No, Variables::Yes, "ab"));
    }
}
