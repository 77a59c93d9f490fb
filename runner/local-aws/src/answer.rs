//! An answer on its way out, with what the request log wants to know about it.

use http::Response;

/// An answer and its record.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) service: &'static str,
    pub(crate) operation: Option<String>,
    pub(crate) principal: Option<String>,
    pub(crate) session_name: Option<String>,
    pub(crate) error_code: Option<String>,
    pub(crate) response: Response<s3s::Body>,
}

impl Answer {
    pub(crate) fn new(service: &'static str) -> Self {
        let response = Response::new(s3s::Body::empty());
        Self { service, operation: None, principal: None, session_name: None, error_code: None, response }
    }
}

/// Text as XML content. What XML can't hold at all becomes a question mark: an answer that no reader can parse would
/// hide the error that it reports.
pub(crate) fn escape_xml(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\t' | '\n' => escaped.push(letter),
            '\r' => escaped.push_str("&#13;"),
            '\u{0}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => escaped.push('?'),
            _ => escaped.push(letter),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_and_control_characters_are_escaped() {
        assert_eq!(escape_xml("a<b>&\"c\"\u{1}\r\n€"), "a&lt;b&gt;&amp;&quot;c&quot;?&#13;\n€");
    }
}
