//! Owns XML as a tree, with the namespaces that a Word document uses. Fails on broken XML and on a DOCTYPE.

use quick_xml::events::{BytesStart, Event};
use quick_xml::name::ResolveResult;
use quick_xml::{NsReader, XmlVersion};

/// The deepest nesting that is read.
const DEPTH_LIMIT: usize = 256;

/// The namespaces that matter here; the strict and the transitional names of one are the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Space {
    /// Word's own markup.
    W,
    /// Relationships, as attributes.
    R,
    /// Drawings, the main part.
    A,
    /// Drawings, what places them in a Word document.
    Wp,
    /// Markup compatibility.
    Mc,
    /// VML.
    V,
    /// Office math.
    M,
    /// The names of a relationships part.
    Rels,
    /// No namespace: most attributes.
    None,
    /// Any other.
    Other,
}

impl Space {
    fn of(resolved: &ResolveResult<'_>) -> Space {
        let ResolveResult::Bound(namespace) = resolved else {
            return Space::None;
        };
        match namespace.0 {
            "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
            | "http://purl.oclc.org/ooxml/wordprocessingml/main" => Space::W,
            "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
            | "http://purl.oclc.org/ooxml/officeDocument/relationships" => Space::R,
            "http://schemas.openxmlformats.org/drawingml/2006/main"
            | "http://purl.oclc.org/ooxml/drawingml/main" => Space::A,
            "http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing"
            | "http://purl.oclc.org/ooxml/drawingml/wordprocessingDrawing" => Space::Wp,
            "http://schemas.openxmlformats.org/markup-compatibility/2006" => Space::Mc,
            "urn:schemas-microsoft-com:vml" => Space::V,
            "http://schemas.openxmlformats.org/officeDocument/2006/math"
            | "http://purl.oclc.org/ooxml/officeDocument/math" => Space::M,
            "http://schemas.openxmlformats.org/package/2006/relationships" => Space::Rels,
            _ => Space::Other,
        }
    }
}

/// An element with what it holds.
#[derive(Debug)]
pub(super) struct Element {
    pub(super) space: Space,
    pub(super) name: String,
    attributes: Vec<(Space, String, String)>,
    pub(super) children: Vec<Element>,
    /// The text directly in it, joined.
    pub(super) text: String,
}

impl Element {
    /// Tells whether this is the named element.
    pub(super) fn is(&self, space: Space, name: &str) -> bool {
        self.space == space && self.name == name
    }

    /// Returns the value of an attribute.
    pub(super) fn attribute(&self, space: Space, name: &str) -> Option<&str> {
        self.attributes
            .iter()
            .find(|(own_space, own_name, _)| *own_space == space && own_name == name)
            .map(|(_, _, value)| value.as_str())
    }

    /// Returns the first child of that name.
    pub(super) fn child(&self, space: Space, name: &str) -> Option<&Element> {
        self.children.iter().find(|child| child.is(space, name))
    }

    /// Returns `w:val` of the first child in Word's namespace that has that name.
    pub(super) fn value(&self, name: &str) -> Option<&str> {
        self.child(Space::W, name)?.attribute(Space::W, "val")
    }

    /// Returns what an on-or-off property says: `None` if it is not there.
    ///
    /// Source: ECMA-376 Part 1 §17.17.4 Boolean Property; no value means on.
    pub(super) fn toggle(&self, name: &str) -> Option<bool> {
        let property = self.child(Space::W, name)?;
        Some(!matches!(property.attribute(Space::W, "val"), Some("0" | "false" | "off")))
    }

    /// Returns the first element of that name anywhere below.
    pub(super) fn find(&self, space: Space, name: &str) -> Option<&Element> {
        self.children
            .iter()
            .find_map(|child| if child.is(space, name) { Some(child) } else { child.find(space, name) })
    }
}

/// Why a part is not read.
#[derive(Debug, thiserror::Error)]
pub enum XmlError {
    /// The XML is broken.
    #[error("the XML is broken at byte {offset_bytes}")]
    Broken {
        /// Where, from the start of the part.
        offset_bytes: u64,
        /// What is wrong.
        #[source]
        source: Box<quick_xml::Error>,
    },
    /// It is not UTF-8.
    #[error("the XML is not UTF-8")]
    NotUtf8,
    /// A document type declaration, which no Word document has.
    #[error("the XML has a DOCTYPE")]
    Doctype,
    /// Nested too deeply.
    #[error("the XML is nested more than {DEPTH_LIMIT} deep")]
    TooDeep,
    /// There is no element, or it is not closed.
    #[error("the XML has no complete element")]
    NoElement,
}

/// Reads a part's root element.
pub(super) fn parse(bytes: &[u8]) -> Result<Element, XmlError> {
    let text = std::str::from_utf8(bytes).map_err(|_| XmlError::NotUtf8)?;
    let mut reader = NsReader::from_str(text.trim_start_matches('\u{FEFF}'));
    let mut open: Vec<Element> = Vec::new();
    loop {
        let (space, event) = match reader.read_resolved_event() {
            Ok((space, event)) => (Space::of(&space), event),
            Err(source) => {
                return Err(XmlError::Broken {
                    offset_bytes: reader.error_position(),
                    source: Box::new(source),
                });
            }
        };
        let closed = match event {
            Event::Start(start) => {
                if open.len() == DEPTH_LIMIT {
                    return Err(XmlError::TooDeep);
                }
                open.push(element(&reader, space, &start)?);
                None
            }
            Event::Empty(start) => Some(element(&reader, space, &start)?),
            Event::End(_) => open.pop(),
            Event::Text(text) => {
                if let Some(element) = open.last_mut() {
                    element.text.push_str(&text.xml10_content());
                }
                None
            }
            Event::CData(text) => {
                if let Some(element) = open.last_mut() {
                    element.text.push_str(&text.xml10_content());
                }
                None
            }
            Event::GeneralRef(reference) => {
                if let Some(element) = open.last_mut() {
                    let character = match &*reference.xml10_content() {
                        "amp" => Some('&'),
                        "lt" => Some('<'),
                        "gt" => Some('>'),
                        "quot" => Some('"'),
                        "apos" => Some('\''),
                        _ => reference.resolve_char_ref().map_err(|source| broken(&reader, source))?,
                    };
                    element.text.extend(character);
                }
                None
            }
            Event::DocType(_) => return Err(XmlError::Doctype),
            Event::Eof => return Err(XmlError::NoElement),
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) => None,
        };
        if let Some(closed) = closed {
            match open.last_mut() {
                Some(parent) => parent.children.push(closed),
                None => return Ok(closed),
            }
        }
    }
}

fn broken(reader: &NsReader<&[u8]>, source: quick_xml::Error) -> XmlError {
    XmlError::Broken { offset_bytes: reader.buffer_position(), source: Box::new(source) }
}

fn element(reader: &NsReader<&[u8]>, space: Space, start: &BytesStart<'_>) -> Result<Element, XmlError> {
    let mut attributes = Vec::new();
    for attribute in start.attributes() {
        let attribute = attribute.map_err(|source| broken(reader, source.into()))?;
        let (space, name) = reader.resolver().resolve_attribute(attribute.key);
        let value = attribute
            .normalized_value(XmlVersion::Implicit1_0)
            .map_err(|source| broken(reader, source))?
            .into_owned();
        attributes.push((Space::of(&space), name.as_ref().to_owned(), value));
    }
    let name = start.local_name().as_ref().to_owned();
    Ok(Element { space, name, attributes, children: Vec::new(), text: String::new() })
}
