//! A small XML document as a tree of elements, read with limits.
//!
//! quick-xml gives the events and resolves no entity but XML's own five; a document with a DOCTYPE is refused whole. The
//! tree is built here with a counted depth, so that neither nesting nor number costs more than a moment.

use quick_xml::XmlVersion;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesStart, Event};
use quick_xml::reader::Reader;

/// Largest document read, in bytes.
pub(super) const MOST_BYTES: usize = 256 * 1024;
const DEEPEST: usize = 16;
const MOST_ELEMENTS: usize = 4_000;
const MOST_ATTRIBUTES: usize = 16;

/// One element. Names are without their namespace's prefix.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Element {
    pub name: String,
    attributes: Vec<(String, String)>,
    /// All text directly in it, without the space around it.
    pub text: String,
    pub children: Vec<Element>,
}

impl Element {
    /// The children of this name. Names compare without case: what is read here was written by hand.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Element> {
        self.children.iter().filter(move |child| child.name.eq_ignore_ascii_case(name))
    }

    pub fn first(&self, name: &str) -> Option<&Element> {
        self.children.iter().find(|child| child.name.eq_ignore_ascii_case(name))
    }

    /// The text of the first child of this name; `None` where there is none, or it is empty.
    pub fn text_of(&self, name: &str) -> Option<&str> {
        self.first(name).map(|child| child.text.as_str()).filter(|text| !text.is_empty())
    }

    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, v)| v.as_str())
    }
}

/// The document's root; `None` where it is no well-formed XML, has a DOCTYPE, or breaks a limit.
pub(super) fn read(document: &[u8]) -> Option<Element> {
    if document.len() > MOST_BYTES {
        return None;
    }
    let text = std::str::from_utf8(document).ok()?;
    let mut reader = Reader::from_str(text.trim_start_matches('\u{feff}'));
    let mut open: Vec<Element> = Vec::new();
    let mut root = None;
    let mut elements = 0usize;
    loop {
        match reader.read_event().ok()? {
            Event::Start(start) => {
                elements += 1;
                if root.is_some() || open.len() == DEEPEST || elements > MOST_ELEMENTS {
                    return None;
                }
                open.push(begun(&start)?);
            }
            Event::Empty(start) => {
                elements += 1;
                if root.is_some() || elements > MOST_ELEMENTS {
                    return None;
                }
                close(begun(&start)?, &mut open, &mut root);
            }
            Event::End(_) => close(open.pop()?, &mut open, &mut root),
            Event::Text(text) => say(&mut open, &text.xml10_content()),
            Event::CData(text) => say(&mut open, &text.xml10_content()),
            Event::GeneralRef(name) => match name.resolve_char_ref().ok()? {
                Some(character) => say(&mut open, character.encode_utf8(&mut [0; 4])),
                None => say(&mut open, resolve_predefined_entity(&name)?),
            },
            Event::DocType(_) => return None,
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
            Event::Eof => return root.filter(|_| open.is_empty()),
        }
    }
}

fn begun(start: &BytesStart<'_>) -> Option<Element> {
    let mut attributes = Vec::new();
    for attribute in start.attributes().take(MOST_ATTRIBUTES) {
        let attribute = attribute.ok()?;
        let value = attribute.normalized_value(XmlVersion::Implicit1_0).ok()?;
        attributes.push((attribute.key.local_name().as_ref().to_owned(), value.into_owned()));
    }
    let name = start.local_name().as_ref().to_owned();
    Some(Element { name, attributes, ..Element::default() })
}

fn close(mut element: Element, open: &mut [Element], root: &mut Option<Element>) {
    element.text = element.text.trim().to_owned();
    match open.last_mut() {
        Some(parent) => parent.children.push(element),
        None => *root = Some(element),
    }
}

fn say(open: &mut [Element], text: &str) {
    if let Some(element) = open.last_mut() {
        element.text.push_str(text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_document_becomes_a_tree() {
        let root = read(
            b"\xef\xbb\xbf<?xml version=\"1.0\"?><!-- x --><c:a xmlns:c='u'><b k='1 &amp; 2'> one &lt;<![CDATA[ & two]]> </b><b/>&#x41;</c:a>",
        )
        .unwrap();
        assert_eq!((root.name.as_str(), root.text.as_str()), ("a", "A"));
        assert_eq!(root.text_of("B"), Some("one < & two"));
        assert_eq!(root.first("b").unwrap().attribute("K"), Some("1 & 2"));
        assert_eq!((root.all("b").count(), root.text_of("nothing")), (2, None));
    }

    #[test]
    fn what_is_no_small_plain_document_is_refused() {
        let deep = format!("{}{}", "<a>".repeat(50_000), "</a>".repeat(50_000));
        let many = format!("<a>{}</a>", "<b/>".repeat(5_000));
        let long = format!("<a>{}</a>", "x".repeat(MOST_BYTES));
        for (document, why) in [
            ("", "empty"),
            ("no xml", "text"),
            ("<a>", "not closed"),
            ("<a></b>", "closed as another"),
            ("</a>", "never opened"),
            ("<a/><b/>", "two roots"),
            ("<a>&secret;</a>", "an entity that is not XML's own"),
            ("<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>", "a bomb's beginning"),
            ("<!DOCTYPE html><html></html>", "a web page"),
            (deep.as_str(), "deep"),
            (many.as_str(), "many"),
            (long.as_str(), "long"),
        ] {
            assert_eq!(read(document.as_bytes()), None, "{why}");
        }
        assert_eq!(read(b"<a>\xff</a>"), None);
    }

    proptest! {
        #[test]
        fn no_bytes_break_it(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let _ = read(&bytes);
        }

        #[test]
        fn no_pieces_of_xml_break_it(pieces in proptest::collection::vec(
            prop::sample::select(vec!["<a", "<a>", "</a>", "<b k='v'>", "</b>", "/>", "&lt;", "&#0;", "&#xFFFFFFFF;", "&x;", "<![CDATA[", "]]>", "<!--", "-->", "<?x", "?>", "<!DOCTYPE", "[", "]>", "'", "\"", "=", ">", " "]),
            0..40,
        )) {
            let _ = read(pieces.concat().as_bytes());
        }

        #[test]
        fn any_text_comes_back_as_it_was(text in "[ -~äß€]{0,40}") {
            let escaped = quick_xml::escape::escape(text.as_str());
            let document = format!("<a><b>{escaped}</b></a>");
            let root = read(document.as_bytes()).unwrap();
            prop_assert_eq!(root.text_of("b").unwrap_or_default(), text.trim());
        }
    }
}
