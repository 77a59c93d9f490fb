//! The shapes of bodies: every element or member that a body may hold, in a notation short enough to review.
//!
//! `Delete(Object*(Key VersionId) Quiet)` is an element `Delete` with any number of `Object`s and at most one `Quiet`.
//! A name without parentheses holds text in XML and anything in JSON; `Empty()` holds nothing; `Grantee@(…)` has an
//! attribute `xsi:type`. In JSON `Items*(…)` is a list of objects, `Items%(…)` a map of objects by any name, and
//! `Items%*(…)` a map of lists of objects.
//!
//! What a shape doesn't list is refused: a member that AWS invents tomorrow may change what a request means. An XML
//! element given twice that may stand once is refused too, since readers differ in which of the two they take.

use crate::refusal::{Quoted, Refusal};
use crate::wire::json::{Json, wrong_type};
use crate::wire::xml::Element;

/// One element of a shape.
#[derive(Debug, PartialEq, Eq)]
struct Shape<'a> {
    name: &'a str,
    map: bool,
    many: bool,
    typed: bool,
    /// What it may hold; `None` for text or anything.
    children: Option<Vec<Shape<'a>>>,
}

impl<'a> Shape<'a> {
    /// Reads one element off the front of the notation.
    fn read(notation: &mut &'a str) -> Self {
        let end = notation.find(['(', ')', ' ', '*', '@', '%']).unwrap_or(notation.len());
        let (name, rest) = notation.split_at(end);
        *notation = rest;
        let map = skip(notation, '%');
        let many = skip(notation, '*');
        let typed = skip(notation, '@');
        let children = skip(notation, '(').then(|| Self::read_all(notation));
        Self { name, map, many, typed, children }
    }

    /// Reads elements up to a closing parenthesis or the end.
    fn read_all(notation: &mut &'a str) -> Vec<Self> {
        let mut children = Vec::new();
        while !notation.is_empty() && !skip(notation, ')') {
            if !skip(notation, ' ') {
                children.push(Self::read(notation));
            }
        }
        children
    }
}

fn skip(notation: &mut &str, character: char) -> bool {
    let rest = notation.strip_prefix(character);
    *notation = rest.unwrap_or(notation);
    rest.is_some()
}

/// Checks that an XML document has the shape, and nothing else.
pub(crate) fn check_xml(document: &Element, shape: &str) -> Result<(), Refusal> {
    let shape = Shape::read(&mut &*shape);
    if document.name != shape.name {
        return Err(unknown_element(&document.name, "it is not the body's root element", shape.name));
    }
    check_element(document, &shape)
}

fn check_element(element: &Element, shape: &Shape<'_>) -> Result<(), Refusal> {
    let refuse = |what| Err(unknown_element(&element.name, what, shape.name));
    if element.xsi_type.is_some() && !shape.typed {
        return refuse("it takes no attribute");
    }
    let Some(children) = &shape.children else {
        return if element.children.is_empty() { Ok(()) } else { refuse("it holds elements where text is expected") };
    };
    if !element.text.trim_matches([' ', '\t', '\r', '\n']).is_empty() {
        return refuse("it holds text where elements are expected");
    }
    let mut seen = Vec::new();
    for child in &element.children {
        let Some(found) = children.iter().find(|found| found.name == child.name) else {
            return Err(unknown_element(&child.name, &format!("it is not known in {}", shape.name), shape.name));
        };
        if !found.many && seen.contains(&found.name) {
            return Err(unknown_element(&child.name, "it is given twice", shape.name));
        }
        seen.push(found.name);
        check_element(child, found)?;
    }
    Ok(())
}

fn unknown_element(name: &str, what: &str, expected: &str) -> Refusal {
    Refusal::not_understood(
        format!("body element {}", Quoted(name)),
        what,
        format!("write {expected} as the service's API Reference has it"),
    )
}

/// Checks that a JSON object has the members, and no others. `shape` lists those of the body itself.
pub(crate) fn check_json(body: &Json, shape: &str, operation: &str) -> Result<(), Refusal> {
    check_object(body, &Shape::read_all(&mut &*shape), operation)
}

/// Checks that names are members of the shape, whatever those hold.
pub(crate) fn check_names<'a>(
    names: impl Iterator<Item = &'a str>,
    shape: &str,
    operation: &str,
) -> Result<(), Refusal> {
    let members = Shape::read_all(&mut &*shape);
    for name in names {
        if !members.iter().any(|member| member.name == name) {
            return Err(unknown_member(name, operation));
        }
    }
    Ok(())
}

/// The names of a shape's members.
#[cfg(test)]
pub(crate) fn names(shape: &str) -> Vec<&str> {
    Shape::read_all(&mut &*shape).iter().map(|member| member.name).collect()
}

fn check_object(object: &Json, shape: &[Shape<'_>], place: &str) -> Result<(), Refusal> {
    for (name, value) in object.members() {
        let Some(shape) = shape.iter().find(|shape| shape.name == name) else {
            return Err(unknown_member(name, place));
        };
        let Some(children) = &shape.children else {
            continue;
        };
        if shape.map {
            if !value.is_object() {
                return Err(wrong_type(name, "an object"));
            }
            for (_, value) in value.members() {
                check_value(value, shape, children)?;
            }
        } else {
            check_value(value, shape, children)?;
        }
    }
    Ok(())
}

/// Checks an object, or each object of a list.
fn check_value(value: &Json, shape: &Shape<'_>, children: &[Shape<'_>]) -> Result<(), Refusal> {
    let values = match (shape.many, value) {
        (true, Json::List(values)) => values.as_slice(),
        (true, _) => return Err(wrong_type(shape.name, "a list")),
        (false, _) => std::slice::from_ref(value),
    };
    for value in values {
        if !value.is_object() {
            return Err(wrong_type(shape.name, "made of objects"));
        }
        check_object(value, children, shape.name)?;
    }
    Ok(())
}

fn unknown_member(name: &str, place: &str) -> Refusal {
    Refusal::not_understood(
        format!("body member {}", Quoted(name)),
        format!("{place} is not known to take it"),
        "leave it out; what a member adds to a request must be understood before it is signed",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const DELETE: &str = "Delete(Object*(Key VersionId ETag LastModifiedTime Size) Quiet)";

    fn shape<'a>(name: &'a str, children: Option<Vec<Shape<'a>>>) -> Shape<'a> {
        Shape { name, map: false, many: false, typed: false, children }
    }

    #[test]
    fn notation() {
        let mut notation = "A(B*(C D()) E@(F) G%*(H))";
        let read = Shape::read(&mut notation);
        let b = vec![shape("C", None), shape("D", Some(vec![]))];
        let children = vec![
            Shape { many: true, ..shape("B", Some(b)) },
            Shape { typed: true, ..shape("E", Some(vec![shape("F", None)])) },
            Shape { map: true, many: true, ..shape("G", Some(vec![shape("H", None)])) },
        ];
        assert_eq!(read, shape("A", Some(children)));
        assert_eq!(notation, "");
    }

    #[test]
    fn documents() {
        for (xml, fine) in [
            ("<Delete><Object><Key>a</Key></Object><Object><Key>b</Key></Object><Quiet>true</Quiet></Delete>", true),
            ("<Delete>\n <Object>\n <Key>a</Key>\n </Object>\n</Delete>", true),
            ("<Delete/>", true),
            ("<delete><Object><Key>a</Key></Object></delete>", false),
            ("<Delete><Object><Key>a</Key><Key>b</Key></Object></Delete>", false),
            ("<Delete><Object><Key>a</Key></Object><Quiet>true</Quiet><Quiet>false</Quiet></Delete>", false),
            ("<Delete><Object><Key>a<X/></Key></Object></Delete>", false),
            ("<Delete><Object>text<Key>a</Key></Object></Delete>", false),
            ("<Delete><Object><key>a</key></Object></Delete>", false),
            ("<Delete><Objects/></Delete>", false),
            ("<Delete><Object><Key>a</Key><New>1</New></Object></Delete>", false),
        ] {
            let document = Element::read(xml.as_bytes()).unwrap();
            assert_eq!(check_xml(&document, DELETE).is_ok(), fine, "{xml}");
        }
    }

    #[test]
    fn objects() {
        let shape = "Name Items*(A B) Map%(C) Lists%*(D(E))";
        for (json, fine) in [
            (r#"{"Name":{"anything":[1]},"Items":[{"A":1},{"B":2}]}"#, true),
            (r#"{"Map":{"x":{"C":1},"y":{}},"Lists":{"x":[{"D":{"E":1}}]}}"#, true),
            (r#"{"name":1}"#, false),
            (r#"{"Other":1}"#, false),
            (r#"{"Items":{"A":1}}"#, false),
            (r#"{"Items":[{"C":1}]}"#, false),
            (r#"{"Items":[1]}"#, false),
            (r#"{"Items":null}"#, false),
            (r#"{"Map":{"x":{"D":1}}}"#, false),
            (r#"{"Map":[{"C":1}]}"#, false),
            (r#"{"Lists":{"x":[{"D":{"F":1}}]}}"#, false),
            (r#"{"Lists":{"x":{"D":{"E":1}}}}"#, false),
        ] {
            let body = Json::read(json.as_bytes()).unwrap();
            assert_eq!(check_json(&body, shape, "Operation").is_ok(), fine, "{json}");
        }
    }
}
