//! XML bodies: a small, strict subset, read into a tree and written anew.
//!
//! Refused, since readers differ in what they make of them, or since they reach outside of the document: document type
//! definitions, entities other than the five predefined ones, processing instructions, CDATA, comments, namespaces
//! other than S3's own and `xsi`, encodings other than UTF-8. Character references are read, and what XML can't hold at
//! all is refused.

use std::fmt::Write as _;

use quick_xml::events::{BytesStart, Event};
use quick_xml::reader::Reader;

use crate::refusal::{Quoted, Refusal};

/// S3's namespace.
const NAMESPACE: &str = "http://s3.amazonaws.com/doc/2006-03-01/";
/// The namespace of `xsi:type`, with which ACLs say what a grantee is.
const XSI: &str = "http://www.w3.org/2001/XMLSchema-instance";
/// How deep elements may nest; S3's deepest body has nine levels.
const DEEPEST: usize = 12;

/// An element, with either children or text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Element {
    pub(crate) name: String,
    /// The attribute `xsi:type`.
    pub(crate) xsi_type: Option<String>,
    pub(crate) children: Vec<Element>,
    /// The text, with references resolved and line ends as XML 1.0 reads them.
    pub(crate) text: String,
}

impl Element {
    /// Reads a document.
    pub(crate) fn read(document: &[u8]) -> Result<Self, Refusal> {
        let document = std::str::from_utf8(document).map_err(|_| refuse("it is not UTF-8"))?;
        let mut reader = Reader::from_str(document);
        reader.config_mut().expand_empty_elements = true;
        // The elements that are open, from the root down.
        let mut open: Vec<Self> = Vec::new();
        let mut root: Option<Self> = None;
        let mut first = true;
        loop {
            let event = reader.read_event().map_err(|_| refuse("it is not well-formed"))?;
            let at_start = std::mem::replace(&mut first, false);
            match event {
                Event::Decl(declaration) => {
                    let version = declaration.version().is_ok_and(|version| version == "1.0");
                    let encoding = match declaration.encoding() {
                        None => true,
                        Some(encoding) => encoding.is_ok_and(|encoding| encoding.eq_ignore_ascii_case("utf-8")),
                    };
                    if !(at_start && version && encoding) {
                        return Err(refuse("its XML declaration is not version 1.0 in UTF-8, at the start"));
                    }
                }
                Event::Start(tag) => {
                    if open.len() == DEEPEST {
                        return Err(refuse("its elements nest too deep"));
                    }
                    if root.is_some() {
                        return Err(refuse("it has more than one root element"));
                    }
                    open.push(start(&tag, open.is_empty())?);
                }
                Event::End(_) => {
                    // The reader has checked that the tags match.
                    let element = open.pop().ok_or_else(|| refuse("it is not well-formed"))?;
                    match open.last_mut() {
                        Some(parent) => parent.children.push(element),
                        None => root = Some(element),
                    }
                }
                Event::Text(text) => append(&mut open, &text.xml10_content())?,
                Event::GeneralRef(reference) => {
                    let character =
                        reference.resolve_char_ref().map_err(|_| refuse("a character reference is wrong"))?;
                    let character = match (character, reference.xml10_content().as_ref()) {
                        (Some(character), _) => character,
                        (None, "amp") => '&',
                        (None, "lt") => '<',
                        (None, "gt") => '>',
                        (None, "quot") => '"',
                        (None, "apos") => '\'',
                        (None, _) => return Err(refuse("it refers to an entity")),
                    };
                    append(&mut open, character.encode_utf8(&mut [0; 4]))?;
                }
                Event::DocType(_) => return Err(refuse("it has a document type definition")),
                Event::PI(_) => return Err(refuse("it has a processing instruction")),
                Event::CData(_) => return Err(refuse("it has a CDATA section")),
                Event::Comment(_) => return Err(refuse("it has a comment")),
                Event::Empty(_) => return Err(refuse("it is not well-formed")),
                Event::Eof if open.is_empty() => {
                    return root.ok_or_else(|| refuse("it has no element"));
                }
                Event::Eof => return Err(refuse("it ends within an element")),
            }
        }
    }

    /// Writes the element as a document in S3's namespace.
    pub(crate) fn write(&self) -> String {
        let mut document = String::new();
        self.write_into(&mut document, Some(NAMESPACE));
        document
    }

    fn write_into(&self, document: &mut String, namespace: Option<&str>) {
        let name = &self.name;
        // Writing into a string can't fail.
        let _ = write!(document, "<{name}");
        if let Some(namespace) = namespace {
            let _ = write!(document, " xmlns=\"{namespace}\"");
        }
        if let Some(kind) = &self.xsi_type {
            let _ = write!(document, " xmlns:xsi=\"{XSI}\" xsi:type=\"{kind}\"");
        }
        document.push('>');
        if self.children.is_empty() {
            escape_into(document, &self.text);
        }
        for child in &self.children {
            child.write_into(document, None);
        }
        let _ = write!(document, "</{name}>");
    }

    /// The children called `name`.
    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Self> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// The text of the one child called `name`.
    pub(crate) fn text_of(&self, name: &str) -> Option<&str> {
        self.children.iter().find(|child| child.name == name).map(|child| child.text.as_str())
    }
}

/// Reads a start tag: a plain name, and no attribute but S3's namespace on the root and a grantee's type.
fn start(tag: &BytesStart<'_>, root: bool) -> Result<Element, Refusal> {
    let name = tag.name().into_inner().to_owned();
    let plain = |name: &str| {
        name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && name.bytes().next().is_some_and(|byte| byte.is_ascii_alphabetic())
    };
    if !plain(&name) {
        return Err(refuse(&format!("an element is called {}", Quoted(&name))));
    }
    let mut element = Element { name, ..Element::default() };
    for attribute in tag.attributes() {
        let attribute = attribute.map_err(|_| refuse("an attribute is doubled or not well-formed"))?;
        let value = attribute.value.as_ref();
        match attribute.key.into_inner() {
            "xmlns" if root && value == NAMESPACE => {}
            "xmlns:xsi" if value == XSI => {}
            "xsi:type" if matches!(value, "CanonicalUser" | "AmazonCustomerByEmail" | "Group") => {
                element.xsi_type = Some(value.to_owned());
            }
            other => {
                return Err(refuse(&format!("an element has an attribute {}", Quoted(other))));
            }
        }
    }
    Ok(element)
}

/// Adds text to the element that is open last; outside of the root only white space may stand.
fn append(open: &mut [Element], text: &str) -> Result<(), Refusal> {
    let allowed =
        |c: char| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..);
    if !text.chars().all(allowed) {
        return Err(refuse("it holds a character that XML 1.0 has not"));
    }
    match open.last_mut() {
        Some(element) => {
            element.text.push_str(text);
            Ok(())
        }
        None if text.bytes().all(|byte| byte.is_ascii_whitespace()) => Ok(()),
        None => Err(refuse("it has text outside of its root element")),
    }
}

/// Escapes text so that every reader gets the same characters back, line ends included.
fn escape_into(document: &mut String, text: &str) {
    for character in text.chars() {
        match character {
            '&' => document.push_str("&amp;"),
            '<' => document.push_str("&lt;"),
            '>' => document.push_str("&gt;"),
            '\r' => document.push_str("&#13;"),
            '\n' => document.push_str("&#10;"),
            '\t' => document.push_str("&#9;"),
            // Line ends to XML 1.1.
            '\u{85}' => document.push_str("&#133;"),
            '\u{2028}' => document.push_str("&#8232;"),
            _ => document.push(character),
        }
    }
}

fn refuse(what: &str) -> Refusal {
    Refusal::malformed("XML body", what, "send a plain XML document as the S3 API Reference has it")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_is_written_so_that_it_reads_the_same() {
        for (document, text) in [
            ("<a>x</a>", "x"),
            ("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<a>x</a>\n", "x"),
            ("<a xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">x</a>", "x"),
            ("<a>&lt;&amp;&gt;&quot;&apos;</a>", "<&>\"'"),
            ("<a>&#x41;&#66;</a>", "AB"),
            ("<a> x\r\ny </a>", " x\ny "),
            ("<a>&#13;&#10;&#9;</a>", "\r\n\t"),
            ("<a>é\u{1f600}\u{2028}</a>", "é\u{1f600}\u{2028}"),
            ("<a></a>", ""),
            ("<a/>", ""),
        ] {
            let element = Element::read(document.as_bytes()).unwrap();
            assert_eq!(element.text, text, "{document}");
            let written = element.write();
            let again = Element::read(written.as_bytes()).unwrap();
            assert_eq!(again, element, "{written}");
            assert_eq!(again.write(), written);
        }
    }

    #[test]
    fn what_is_refused() {
        for document in [
            "",
            "   ",
            "text",
            "<a>",
            "<a></b>",
            "</a>",
            "<a></a><b></b>",
            "<a></a>text",
            "text<a></a>",
            "<a>&</a>",
            "<a>&x;</a>",
            "<a>&amp</a>",
            "<a>&#0;</a>",
            "<a>&#1;</a>",
            "<a>&#xD800;</a>",
            "<a>&#xFFFFFFFF;</a>",
            "<a>&#x;</a>",
            "<a>\u{1}</a>",
            "<a>\u{fffe}</a>",
            "<a>x<!-- c -->y</a>",
            "<!-- c --><a></a>",
            "<a><![CDATA[x]]></a>",
            "<a><?p i?></a>",
            "<?p i?><a></a>",
            "<!DOCTYPE a><a></a>",
            "<!DOCTYPE a [<!ENTITY x \"y\">]><a>&x;</a>",
            "<!DOCTYPE a SYSTEM \"file:///etc/passwd\"><a></a>",
            "<!DOCTYPE a [<!ENTITY % x SYSTEM \"http://example.com\"> %x;]><a></a>",
            "<?xml version=\"1.1\"?><a></a>",
            "<?xml version=\"1.0\" encoding=\"UTF-16\"?><a></a>",
            "<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><a></a>",
            " <?xml version=\"1.0\"?><a></a>",
            "<a><?xml version=\"1.0\"?></a>",
            "<a x=\"1\"></a>",
            "<a xmlns=\"http://example.com\"></a>",
            "<a><b xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"/></a>",
            "<a xmlns:y=\"http://example.com\"><y:b/></a>",
            "<y:a/>",
            "<a xsi:type=\"Other\"></a>",
            "<a xsi:type=\"Group\" xsi:type=\"Group\"></a>",
            "<1/>",
            "<a.b/>",
            "<a b></a>",
            "<a\0></a>",
        ] {
            assert!(Element::read(document.as_bytes()).is_err(), "{document:?}");
        }
        assert!(Element::read(b"<a>\xff</a>").is_err());
        let deep = format!("{}{}", "<a>".repeat(20), "</a>".repeat(20));
        assert!(Element::read(deep.as_bytes()).is_err());
    }
}
