//! Owns XML as it stands in a part: a flat list of tokens over the untouched bytes. Fails on broken XML, with the byte.

use std::borrow::Cow;
use std::ops::Range;

use quick_xml::events::{BytesStart, Event};
use quick_xml::name::ResolveResult;
use quick_xml::reader::NsReader;

/// How deeply elements may nest; Word's own documents stay below 100.
const DEPTH_LIMIT: usize = 256;

/// Why a part is no XML that can be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum XmlError {
    /// The bytes are no UTF-8.
    #[error("text is not UTF-8 at byte {offset_bytes}")]
    NotUtf8 {
        /// Where the first wrong byte is.
        offset_bytes: usize,
    },
    /// The structure is broken.
    #[error("XML is broken at byte {offset_bytes}: {reason}")]
    Broken {
        /// Where the fault was noticed.
        offset_bytes: usize,
        /// What the reader said.
        reason: String,
    },
    /// A document type declaration, which a Word document never has and which can do harm.
    #[error("XML has a document type declaration")]
    DocType,
    /// A reference to an entity other than the five of XML.
    #[error("XML refers to the entity `{name}`")]
    Entity {
        /// The entity's name.
        name: String,
    },
    /// Elements nest too deeply.
    #[error("XML nests deeper than {DEPTH_LIMIT} elements")]
    TooDeep,
}

/// The elements that the merge knows; all others are copied as they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Element {
    Body,
    Header,
    Footer,
    Note,
    Comment,
    TextBox,
    Paragraph,
    ParagraphProperties,
    Run,
    RunProperties,
    Text,
    Tab,
    Break,
    NoBreakHyphen,
    SoftHyphen,
    LastRenderedPageBreak,
    InstructionText,
    DeletedInstructionText,
    FieldChar,
    SimpleField,
    Hyperlink,
    Table,
    TableProperties,
    TableGrid,
    Row,
    RowProperties,
    Cell,
    CellProperties,
    ContentControl,
    ContentControlProperties,
    ContentControlContent,
    Inserted,
    Deleted,
    InlineWrapper,
    BookmarkStart,
    BookmarkEnd,
    RangeMark,
    CommentReference,
    ProofError,
    SectionProperties,
    AlternateContent,
    Choice,
    Fallback,
    Other,
}

/// One token.
#[derive(Clone, Debug)]
pub(crate) struct Token {
    pub(crate) kind: Kind,
    pub(crate) element: Element,
    /// The token's own bytes.
    pub(crate) span: Range<usize>,
}

/// What a token is. Start and end tags know each other's position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Open(usize),
    Close(usize),
    Empty,
    Text,
    /// Declarations, comments, processing instructions.
    Other,
}

impl Token {
    /// Tells whether an element begins here.
    pub(crate) fn is_start(&self) -> bool {
        matches!(self.kind, Kind::Open(_) | Kind::Empty)
    }
}

/// A part's XML: its bytes, and tokens that cover them without gap.
#[derive(Debug)]
pub(crate) struct Document {
    source: String,
    tokens: Vec<Token>,
}

impl Document {
    /// Reads XML. Namespaces are resolved; a byte order mark is dropped.
    pub(crate) fn parse(bytes: Vec<u8>) -> Result<Document, XmlError> {
        let mut source = String::from_utf8(bytes)
            .map_err(|error| XmlError::NotUtf8 { offset_bytes: error.utf8_error().valid_up_to() })?;
        if source.starts_with('\u{FEFF}') {
            source.drain(..'\u{FEFF}'.len_utf8());
        }
        if let Some(offset_bytes) =
            source.bytes().position(|byte| byte < 0x20 && !matches!(byte, b'\t' | b'\n' | b'\r'))
        {
            return Err(broken(offset_bytes, "a control character"));
        }
        let tokens = read_tokens(&source)?;
        Ok(Document { source, tokens })
    }

    /// Returns the tokens in order.
    pub(crate) fn tokens(&self) -> &[Token] {
        &self.tokens
    }

    /// Returns the whole text of the part.
    pub(crate) fn source(&self) -> &str {
        &self.source
    }

    /// Returns the bytes of a span.
    pub(crate) fn slice(&self, span: Range<usize>) -> &str {
        self.source.get(span).unwrap_or_default()
    }

    /// Returns the last token of the element that begins at `position`.
    pub(crate) fn end(&self, position: usize) -> usize {
        match self.tokens.get(position).map(|token| token.kind) {
            Some(Kind::Open(close)) => close,
            _ => position,
        }
    }

    /// Returns the bytes of the whole element that begins at `position`.
    pub(crate) fn subtree(&self, position: usize) -> Range<usize> {
        self.tokens[position].span.start..self.tokens[self.end(position)].span.end
    }

    /// Returns the name of an element as written, prefix included.
    pub(crate) fn name(&self, position: usize) -> &str {
        let tag = self.slice(self.tokens[position].span.clone());
        let tag = tag.trim_start_matches(['<', '/']);
        let end =
            tag.find(|it: char| it.is_ascii_whitespace() || matches!(it, '/' | '>')).unwrap_or(tag.len());
        &tag[..end]
    }

    /// Returns the name of an element without its prefix.
    pub(crate) fn local(&self, position: usize) -> &str {
        self.name(position).rsplit(':').next().unwrap_or_default()
    }

    /// Returns the prefix of an element with its colon, or nothing.
    pub(crate) fn prefix(&self, position: usize) -> &str {
        let name = self.name(position);
        name.find(':').map_or("", |colon| &name[..=colon])
    }

    /// Returns the value of the attribute with this name, its prefix left aside.
    pub(crate) fn attribute(&self, position: usize, name: &str) -> Option<String> {
        let start = self.start(position);
        start.attributes().with_checks(false).flatten().find_map(|attribute| {
            let is_wanted = attribute.key.as_ref().rsplit(':').next() == Some(name);
            is_wanted.then(|| decode(&attribute.value).into_owned())
        })
    }

    /// Returns the attributes of an element in their order, names as written.
    pub(crate) fn attributes(&self, position: usize) -> Vec<(String, String)> {
        let start = self.start(position);
        let mut attributes = start.attributes();
        let attributes = attributes.with_checks(false).flatten();
        attributes.map(|it| (it.key.as_ref().to_owned(), decode(&it.value).into_owned())).collect()
    }

    fn start(&self, position: usize) -> BytesStart<'_> {
        let tag = self.slice(self.tokens[position].span.clone());
        let content = tag.trim_start_matches('<').trim_end_matches('>').trim_end_matches('/');
        BytesStart::from_content(content, self.name(position).len())
    }

    /// Returns the text directly inside the element that begins at `position`.
    pub(crate) fn text(&self, position: usize) -> String {
        let mut text = String::new();
        for token in &self.tokens[position..=self.end(position)] {
            if token.kind == Kind::Text {
                text.push_str(&decode(self.slice(token.span.clone())));
            }
        }
        text
    }
}

/// Resolves character references, the five entities and CDATA sections.
pub(crate) fn decode(raw: &str) -> Cow<'_, str> {
    if !raw.contains(['&', '<']) {
        return Cow::Borrowed(raw);
    }
    let mut text = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(at) = rest.find(['&', '<']) {
        text.push_str(&rest[..at]);
        rest = &rest[at..];
        if let Some(section) = rest.strip_prefix("<![CDATA[") {
            let end = section.find("]]>").unwrap_or(section.len());
            text.push_str(&section[..end]);
            rest = section.get(end + 3..).unwrap_or_default();
        } else if let Some(end) = rest.find(';') {
            text.extend(resolve_reference(&rest[1..end]));
            rest = &rest[end + 1..];
        } else {
            text.push_str(rest);
            rest = "";
        }
    }
    text.push_str(rest);
    Cow::Owned(text)
}

fn resolve_reference(name: &str) -> Option<char> {
    match name {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => {
            let number = name.strip_prefix('#')?;
            let code = match number.strip_prefix('x') {
                Some(hexadecimal) => u32::from_str_radix(hexadecimal, 16).ok()?,
                None => number.parse().ok()?,
            };
            char::from_u32(code).filter(|character| is_xml_character(*character))
        }
    }
}

/// Tells whether XML 1.0 allows the character (§2.2 Characters).
pub(crate) fn is_xml_character(character: char) -> bool {
    matches!(character, '\t' | '\n' | '\r' | ' '..='\u{FFFD}' | '\u{10000}'..)
}

/// Returns the text between the tags of a stretch of XML.
pub(crate) fn shown_text(bytes: &[u8]) -> String {
    let source = String::from_utf8_lossy(bytes);
    let mut text = String::new();
    let mut rest: &str = &source;
    while let Some(start) = rest.find('<') {
        text.push_str(&decode(&rest[..start]));
        rest = rest[start..].find('>').map_or("", |end| &rest[start + end + 1..]);
    }
    text.push_str(&decode(rest));
    text
}

/// Writes text so that XML reads it as text, also inside an attribute. Characters that XML forbids are left out.
pub(crate) fn escape_into(text: &str, out: &mut Vec<u8>) {
    text.chars().for_each(|character| escape_character(character, out));
}

/// Writes one character as [`escape_into`] does.
pub(crate) fn escape_character(character: char, out: &mut Vec<u8>) {
    match character {
        '&' => out.extend_from_slice(b"&amp;"),
        '<' => out.extend_from_slice(b"&lt;"),
        '>' => out.extend_from_slice(b"&gt;"),
        '"' => out.extend_from_slice(b"&quot;"),
        other if is_xml_character(other) => {
            out.extend_from_slice(other.encode_utf8(&mut [0; 4]).as_bytes());
        }
        _ => {}
    }
}

fn broken(offset_bytes: usize, reason: impl ToString) -> XmlError {
    XmlError::Broken { offset_bytes, reason: reason.to_string() }
}

fn read_tokens(source: &str) -> Result<Vec<Token>, XmlError> {
    let mut reader = NsReader::from_str(source);
    let mut tokens: Vec<Token> = Vec::new();
    let mut open: Vec<usize> = Vec::new();
    let mut n_roots = 0;
    loop {
        let start = position(&reader);
        let event = reader.read_event().map_err(|error| broken(position(&reader), error))?;
        let span = start..position(&reader);
        let (kind, element) = match &event {
            Event::Start(tag) => {
                check_tag(tag, start)?;
                if open.is_empty() {
                    n_roots += 1;
                }
                open.push(tokens.len());
                if open.len() > DEPTH_LIMIT {
                    return Err(XmlError::TooDeep);
                }
                (Kind::Open(usize::MAX), element(&reader, tag))
            }
            Event::Empty(tag) => {
                check_tag(tag, start)?;
                if open.is_empty() {
                    n_roots += 1;
                }
                (Kind::Empty, element(&reader, tag))
            }
            Event::End(_) => {
                let opened = open.pop().ok_or_else(|| broken(start, "an end tag without its start"))?;
                tokens[opened].kind = Kind::Open(tokens.len());
                (Kind::Close(opened), tokens[opened].element)
            }
            Event::GeneralRef(reference) => {
                let name = reference.to_string();
                if resolve_reference(&name).is_none() {
                    return Err(XmlError::Entity { name });
                }
                (Kind::Text, Element::Other)
            }
            Event::Text(_) | Event::CData(_) => {
                if open.is_empty() && !source[span.clone()].trim().is_empty() {
                    return Err(broken(start, "text outside the root element"));
                }
                (Kind::Text, Element::Other)
            }
            Event::Decl(declaration) => {
                if let Some(Ok(encoding)) = declaration.encoding()
                    && !encoding.eq_ignore_ascii_case("utf-8")
                    && !encoding.eq_ignore_ascii_case("us-ascii")
                {
                    return Err(XmlError::NotUtf8 { offset_bytes: 0 });
                }
                (Kind::Other, Element::Other)
            }
            Event::Comment(_) | Event::PI(_) => (Kind::Other, Element::Other),
            Event::DocType(_) => return Err(XmlError::DocType),
            Event::Eof => break,
        };
        match tokens.last_mut() {
            Some(last) if kind == Kind::Text && last.kind == Kind::Text => last.span.end = span.end,
            _ => tokens.push(Token { kind, element, span }),
        }
    }
    if let Some(opened) = open.last() {
        return Err(broken(tokens[*opened].span.start, "an element has no end"));
    }
    if n_roots != 1 {
        return Err(broken(0, "it needs one root element"));
    }
    Ok(tokens)
}

fn position(reader: &NsReader<&[u8]>) -> usize {
    usize::try_from(reader.buffer_position()).unwrap_or(usize::MAX)
}

fn check_tag(tag: &BytesStart<'_>, start: usize) -> Result<(), XmlError> {
    for attribute in tag.attributes() {
        let attribute = attribute.map_err(|error| broken(start, error))?;
        let raw: &str = &attribute.value;
        if raw.contains('<') {
            return Err(broken(start, "`<` inside an attribute"));
        }
        let mut rest = raw;
        while let Some(at) = rest.find('&') {
            let end = rest[at..].find(';').ok_or_else(|| broken(start, "`&` without its end"))?;
            let name = &rest[at + 1..at + end];
            if resolve_reference(name).is_none() {
                return Err(XmlError::Entity { name: name.to_owned() });
            }
            rest = &rest[at + end + 1..];
        }
    }
    Ok(())
}

fn element(reader: &NsReader<&[u8]>, tag: &BytesStart<'_>) -> Element {
    let (namespace, local) = reader.resolver().resolve_element(tag.name());
    let ResolveResult::Bound(namespace) = namespace else { return Element::Other };
    match namespace.as_ref() {
        "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
        | "http://purl.oclc.org/ooxml/wordprocessingml/main" => word_element(local.as_ref()),
        "http://schemas.openxmlformats.org/markup-compatibility/2006" => match local.as_ref() {
            "AlternateContent" => Element::AlternateContent,
            "Choice" => Element::Choice,
            "Fallback" => Element::Fallback,
            _ => Element::Other,
        },
        _ => Element::Other,
    }
}

fn word_element(local: &str) -> Element {
    match local {
        "body" => Element::Body,
        "hdr" => Element::Header,
        "ftr" => Element::Footer,
        "footnote" | "endnote" => Element::Note,
        "comment" => Element::Comment,
        "txbxContent" => Element::TextBox,
        "p" => Element::Paragraph,
        "pPr" => Element::ParagraphProperties,
        "r" => Element::Run,
        "rPr" => Element::RunProperties,
        "t" => Element::Text,
        "tab" | "ptab" => Element::Tab,
        "br" | "cr" => Element::Break,
        "noBreakHyphen" => Element::NoBreakHyphen,
        "softHyphen" => Element::SoftHyphen,
        "lastRenderedPageBreak" => Element::LastRenderedPageBreak,
        "instrText" => Element::InstructionText,
        "delInstrText" => Element::DeletedInstructionText,
        "fldChar" => Element::FieldChar,
        "fldSimple" => Element::SimpleField,
        "hyperlink" => Element::Hyperlink,
        "tbl" => Element::Table,
        "tblPr" => Element::TableProperties,
        "tblGrid" => Element::TableGrid,
        "tr" => Element::Row,
        "trPr" => Element::RowProperties,
        "tc" => Element::Cell,
        "tcPr" => Element::CellProperties,
        "sdt" => Element::ContentControl,
        "sdtPr" => Element::ContentControlProperties,
        "sdtContent" => Element::ContentControlContent,
        "ins" | "moveTo" => Element::Inserted,
        "del" | "moveFrom" => Element::Deleted,
        "smartTag" | "customXml" | "dir" | "bdo" => Element::InlineWrapper,
        "bookmarkStart" => Element::BookmarkStart,
        "bookmarkEnd" => Element::BookmarkEnd,
        "commentRangeStart" | "commentRangeEnd" | "permStart" | "permEnd" | "moveFromRangeStart"
        | "moveFromRangeEnd" | "moveToRangeStart" | "moveToRangeEnd" => Element::RangeMark,
        "commentReference" => Element::CommentReference,
        "proofErr" => Element::ProofError,
        "sectPr" => Element::SectionProperties,
        _ => Element::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const W: &str = r#"xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main""#;

    fn check(source: &str, expected: Result<usize, XmlError>) {
        assert_eq!(
            Document::parse(source.as_bytes().to_vec()).map(|it| it.tokens().len()),
            expected,
            "{source}"
        );
    }

    #[test]
    fn broken_and_harmful_xml_is_refused() {
        check("<a/>", Ok(1));
        check("<a>x &amp; y<![CDATA[<z>]]></a>", Ok(3));
        check("<!DOCTYPE a><a/>", Err(XmlError::DocType));
        check("<a>&lol;</a>", Err(XmlError::Entity { name: "lol".to_owned() }));
        check("<a b='&lol;'/>", Err(XmlError::Entity { name: "lol".to_owned() }));
        check(&("<a>".repeat(500) + &"</a>".repeat(500)), Err(XmlError::TooDeep));
        for source in
            ["", "<a>", "<a></b>", "<a/><b/>", "<a b='1' b='2'/>", "x<a/>", "<a>\u{1}</a>", "<a b='&'/>"]
        {
            let parsed = Document::parse(source.as_bytes().to_vec());
            assert!(matches!(parsed, Err(XmlError::Broken { .. })), "{source}: {parsed:?}");
        }
    }

    #[test]
    fn tokens_cover_every_byte() {
        let source =
            format!("<?xml version='1.0'?>\n<w:p {W}> <w:r><w:t>a &lt; b</w:t></w:r><!-- c --></w:p>\n");
        let document = Document::parse(source.clone().into_bytes()).expect("well-formed");
        let joined: String = document.tokens().iter().map(|it| document.slice(it.span.clone())).collect();
        assert_eq!(joined, source);
    }

    #[test]
    fn the_namespace_counts_and_the_prefix_does_not() {
        let source = br#"<x:p xmlns:x="http://purl.oclc.org/ooxml/wordprocessingml/main" x:a="1 &amp; 2"/>"#;
        let document = Document::parse(source.to_vec()).expect("well-formed");
        assert_eq!(document.tokens()[0].element, Element::Paragraph);
        assert_eq!(document.prefix(0), "x:");
        assert_eq!(document.attribute(0, "a").as_deref(), Some("1 & 2"));
    }
}
