//! S3's answers as a tree of elements. Attributes and namespaces carry nothing in them that this crate needs, and are
//! passed over; a document type, and with it every entity but XML's own five, is refused.

use quick_xml::Reader;
use quick_xml::escape::resolve_xml_entity;
use quick_xml::events::Event;

/// S3's answers nest four deep. A bound keeps a tree that is not S3's from using up the stack when it is dropped.
const MAX_DEPTH: usize = 16;

#[derive(Debug, Default)]
pub(super) struct Element {
    /// Without a namespace prefix.
    pub(super) name: String,
    text: String,
    children: Vec<Element>,
}

impl Element {
    /// Parses a document whose root has this name.
    ///
    /// # Errors
    ///
    /// Says what is wrong with the document, for a person.
    pub(super) fn parse(document: &[u8], root: &str) -> Result<Self, String> {
        let element = read(document).map_err(|reason| format!("no XML: {reason}"))?;
        if element.name == root { Ok(element) } else { Err(format!("{} in place of {root}", element.name)) }
    }

    /// All children with this name.
    pub(super) fn children<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a Self> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// The text of the first child with this name.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.children(name).next().map(|child| child.text.as_str())
    }
}

fn read(document: &[u8]) -> Result<Element, String> {
    let document = str::from_utf8(document).map_err(|error| error.to_string())?;
    let mut reader = Reader::from_str(document);
    reader.config_mut().expand_empty_elements = true;
    // The elements that are open, from a nameless one that holds the root.
    let mut open = vec![Element::default()];
    loop {
        let event = reader.read_event().map_err(|error| error.to_string())?;
        let innermost = open.last_mut().ok_or("an end without a start")?;
        match event {
            Event::Start(start) => {
                if open.len() > MAX_DEPTH {
                    return Err(format!("elements more than {MAX_DEPTH} deep"));
                }
                open.push(Element { name: start.local_name().as_ref().to_owned(), ..Element::default() });
            }
            Event::End(_) => {
                let closed = open.pop().ok_or("an end without a start")?;
                open.last_mut().ok_or("an end without a start")?.children.push(closed);
            }
            Event::Text(text) => innermost.text.push_str(&text.xml10_content()),
            Event::CData(text) => innermost.text.push_str(&text.xml10_content()),
            Event::GeneralRef(reference) => match reference.resolve_char_ref().map_err(|error| error.to_string())? {
                Some(character) => innermost.text.push(character),
                None => {
                    let entity = resolve_xml_entity(&reference);
                    innermost.text.push_str(entity.ok_or_else(|| format!("an unknown entity, &{};", &*reference))?);
                }
            },
            Event::DocType(_) => return Err("a document type".to_owned()),
            Event::Decl(_) | Event::PI(_) | Event::Comment(_) => {}
            Event::Empty(_) => return Err("an empty element that was not expanded".to_owned()),
            Event::Eof => break,
        }
    }
    match (open.pop(), open.is_empty()) {
        (Some(mut document), true) if document.text.trim().is_empty() && document.children.len() == 1 => {
            Ok(document.children.remove(0))
        }
        (_, false) => Err("it ends in the midst of an element".to_owned()),
        _ => Err("it is not one element".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_read_as_it_was_meant() {
        let cases = [
            ("plain", "plain"),
            ("", ""),
            (" kept  as it is ", " kept  as it is "),
            ("a&amp;b &lt;c&gt; &quot;d&quot; &apos;e&apos;", "a&b <c> \"d\" 'e'"),
            ("&amp;lt;", "&lt;"),
            ("&#65;&#x42;&#13;&#10;&#1;", "AB\r\n\u{1}"),
            ("<![CDATA[a<b>&amp;]]>", "a<b>&amp;"),
            ("a<!-- no -->b", "ab"),
            ("a<?no no?>b", "ab"),
            ("日本🦀", "日本🦀"),
        ];
        for (text, expected) in cases {
            let document = format!("<?xml version=\"1.0\"?>\n<r xmlns=\"urn:x\"><t>{text}</t></r>\n");
            let element = Element::parse(document.as_bytes(), "r").expect(text);
            assert_eq!(element.text("t"), Some(expected), "{text}");
        }
    }

    #[test]
    fn a_tree_has_its_shape() {
        let element = Element::parse(b"<x:r><a>1</a><b/><a><c>2</c></a></x:r>", "r").expect("well-formed");
        assert_eq!(element.children("a").count(), 2);
        assert_eq!((element.text("a"), element.text("b"), element.text("c")), (Some("1"), Some(""), None));
        assert_eq!(element.children("a").nth(1).and_then(|a| a.text("c")), Some("2"));
    }

    #[test]
    fn what_is_not_one_whole_element_is_refused() {
        let deep = format!("{}{}", "<r>".repeat(100_000), "</r>".repeat(100_000));
        let cases: &[&[u8]] = &[
            b"",
            b" ",
            b"text",
            b"<r>",
            b"<r><a></r>",
            b"<r></a></r>",
            b"</r>",
            b"<r/><r/>",
            b"<r/>text",
            b"<s/>",
            b"<r>&unknown;</r>",
            b"<r>&#xD800;</r>",
            b"<r>&#0;</r>",
            b"<r>&</r>",
            b"<!DOCTYPE r [<!ENTITY e \"x\">]><r>&e;</r>",
            b"<r>\xff</r>",
            b"{\"r\": 1}",
            deep.as_bytes(),
        ];
        for case in cases {
            let shown = String::from_utf8_lossy(&case[..case.len().min(60)]);
            assert!(Element::parse(case, "r").is_err(), "{shown}");
        }
    }
}
