//! Owns the text of a story in the combined document: the letter's own, with what may be there only once made new.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::super::xml::{Document, Element, Kind as TokenKind};
use super::ids::{Kind, Renewal, attributes, local_name};
use super::lists::{LetterLists, children};
use super::reference::{self, Edit, Pages};

/// The namespaces of references to relationships: Transitional and Strict.
const RELATIONSHIPS: [&str; 2] = [
    "http://schemas.openxmlformats.org/officeDocument/2006/relationships",
    "http://purl.oclc.org/ooxml/officeDocument/relationships",
];

/// What a story's text depends on.
#[derive(Debug)]
pub(super) struct Rewriting<'r, 'i, 'n> {
    pub(super) renewal: &'r mut Renewal<'i>,
    /// The relationships that have another id in the combined document.
    pub(super) relationships: &'r BTreeMap<String, String>,
    /// Nothing where lists go on.
    pub(super) lists: Option<&'r mut LetterLists<'n>>,
    pub(super) pages: &'r Pages,
    /// The shape types that the part has already, each of which it may have once; nothing where that does not matter.
    pub(super) shape_types: Option<&'r mut BTreeSet<String>>,
}

impl Rewriting<'_, '_, '_> {
    /// Returns the changes of the tokens; sections are left as they are.
    pub(super) fn edits(&mut self, document: &Document, tokens: Range<usize>) -> Vec<Edit> {
        let mut edits = reference::edits(document, tokens.clone(), self.renewal, self.pages);
        let prefixes = prefixes(document);
        let mut at = tokens.start;
        while at < tokens.end {
            let token = &document.tokens()[at];
            if !token.is_start() {
                at += 1;
                continue;
            }
            let local = document.local(at);
            match (token.element, local) {
                (Element::SectionProperties, _) => {
                    at = document.end(at) + 1;
                    continue;
                }
                // One store cannot hold the values of all letters; what the letter shows is right.
                (_, "dataBinding") => {
                    edits.push((document.subtree(at), String::new()));
                    at = document.end(at) + 1;
                    continue;
                }
                (_, "shapetype") => {
                    if let Some(types) = &mut self.shape_types
                        && let Some(id) = document.attribute(at, "id")
                        && !types.insert(id)
                    {
                        edits.push((document.subtree(at), String::new()));
                        at = document.end(at) + 1;
                        continue;
                    }
                }
                (Element::ParagraphProperties, _) => {
                    if let Some(lists) = &mut self.lists
                        && at > 0
                        && document.tokens()[at - 1].element == Element::Paragraph
                    {
                        edits.extend(lists.of_style(document, at).into_iter().map(|(at, xml)| (at..at, xml)));
                    }
                }
                _ => {}
            }
            self.attributes(document, at, &prefixes, &mut edits);
            at += 1;
        }
        edits.sort_by_key(|(span, _)| (span.start, span.end));
        edits
    }

    fn attributes(
        &mut self,
        document: &Document,
        at: usize,
        prefixes: &BTreeSet<String>,
        edits: &mut Vec<Edit>,
    ) {
        let start = document.tokens()[at].span.start;
        let tag = document.slice(document.tokens()[at].span.clone());
        let local = document.local(at);
        for (name, span) in attributes(tag) {
            let value = &tag[span.clone()];
            let attribute = local_name(name);
            let new = match (local, attribute) {
                _ if is_reference(name, prefixes) => self.relationships.get(value).cloned(),
                ("numId", "val") => {
                    let lists = self.lists.as_mut().filter(|_| value != "0");
                    lists.map(|lists| lists.renewed(value)).filter(|new| new != value)
                }
                ("bookmarkStart", "name") | ("hyperlink", "anchor") | ("name", "val") => {
                    self.renewal.name(value).map(str::to_owned)
                }
                _ => self.renewal.attribute(local, name, value),
            };
            if let Some(new) = new {
                edits.push((start + span.start..start + span.end, new));
            }
        }
    }
}

/// Returns the changes of an element's ids, by their places in its start tag.
pub(super) fn renewed_ids(document: &Document, at: usize, renewal: &mut Renewal<'_>) -> Vec<Edit> {
    let tag = document.slice(document.tokens()[at].span.clone());
    let new = |(name, span): (&str, Range<usize>)| {
        renewal.attribute(document.local(at), name, &tag[span.clone()]).map(|new| (span, new))
    };
    attributes(tag).into_iter().filter_map(new).collect()
}

/// Returns the ids of the relationships that a part refers to.
pub(super) fn references(document: &Document) -> BTreeSet<String> {
    let prefixes = prefixes(document);
    let mut found = BTreeSet::new();
    for token in document.tokens().iter().filter(|token| token.is_start()) {
        let tag = document.slice(token.span.clone());
        let references = attributes(tag).into_iter().filter(|(name, _)| is_reference(name, &prefixes));
        found.extend(references.map(|(_, span)| tag[span].to_owned()));
    }
    found
}

fn is_reference(name: &str, prefixes: &BTreeSet<String>) -> bool {
    // VML has a way of its own ([MS-OE376] §2.1.1896).
    name == "o:relid" || name.split_once(':').is_some_and(|(prefix, _)| prefixes.contains(prefix))
}

/// The prefixes that stand for relationships anywhere in the part.
fn prefixes(document: &Document) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let source = document.source();
    for (at, _) in source.match_indices("xmlns:") {
        let rest = &source[at + "xmlns:".len()..];
        let Some((prefix, value)) = rest.split_once('=') else { break };
        let value = value.trim_start();
        if RELATIONSHIPS.iter().any(|it| {
            value.get(1..).is_some_and(|value| value.starts_with(it))
                && value[1 + it.len()..].starts_with(['"', '\''])
        }) {
            found.insert(prefix.trim().to_owned());
        }
    }
    found
}

/// Where a letter ends: what of its last paragraph is there to take the properties of its section.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// Its properties.
    Properties,
    /// No properties yet.
    Paragraph,
    /// No paragraph: a table, a content control, or a paragraph that ends a section already. An empty paragraph neither:
    /// LibreOffice takes one that only ends a section for no paragraph, and the page that it stands on would be lost.
    Nothing,
}

/// A letter's body, in three pieces.
#[derive(Debug)]
pub(super) struct Body {
    /// Up to the place for the properties of the section.
    pub(super) before: String,
    pub(super) ending: Ending,
    /// From there to the end of the last paragraph's content.
    pub(super) between: String,
    /// The last paragraph's end, and what follows it.
    pub(super) after: String,
    /// What stands around the last paragraph's content, because the letter begins there. LibreOffice takes a bookmark that
    /// holds nothing in a letter of one paragraph for one of the letter before.
    around: Option<(String, String)>,
}

/// No XML has them, so they mark places while changes are applied.
const SECTION: &str = "\u{1}";
const END: &str = "\u{2}";

impl Body {
    /// Applies changes to the content of a body; `start` is the bookmark at the start of its first
    /// paragraph, in two halves.
    pub(super) fn new(
        document: &Document,
        (body, tokens): (usize, Range<usize>),
        mut edits: Vec<Edit>,
        start: (String, String),
    ) -> Body {
        let first = tokens.clone().find(|at| {
            let token = &document.tokens()[*at];
            token.element == Element::Paragraph && token.is_start()
        });
        let mut starts_last = false;
        let last = children(document, body)
            .filter(|at| tokens.contains(at))
            .filter(|at| is_block(document, *at))
            .last()
            .filter(|at| document.tokens()[*at].element == Element::Paragraph)
            .filter(|at| children(document, *at).any(|child| is_content(document, child)));
        let end = document.tokens().get(tokens.end).map_or(document.source().len(), |token| token.span.start);
        let mut ending = Ending::Nothing;
        if let Some((at, TokenKind::Open(close))) = last.map(|at| (at, document.tokens()[at].kind)) {
            let properties = children(document, at)
                .next()
                .filter(|child| document.tokens()[*child].element == Element::ParagraphProperties);
            let has = |properties, name| {
                children(document, properties).find(|child| document.local(*child) == name)
            };
            let place = match properties {
                None => {
                    ending = Ending::Paragraph;
                    Some(document.tokens()[at].span.end)
                }
                Some(properties) if has(properties, "sectPr").is_some() => None,
                Some(properties) => {
                    match (document.tokens()[properties].kind, has(properties, "pPrChange")) {
                        (_, Some(change)) => {
                            ending = Ending::Properties;
                            Some(document.tokens()[change].span.start)
                        }
                        (TokenKind::Open(close), None) => {
                            ending = Ending::Properties;
                            Some(document.tokens()[close].span.start)
                        }
                        _ => {
                            // Empty properties say nothing.
                            edits.push((document.subtree(properties), String::new()));
                            ending = Ending::Paragraph;
                            Some(document.tokens()[properties].span.end)
                        }
                    }
                }
            };
            if let Some(place) = place {
                starts_last = first == Some(at);
                edits.push((place..place, SECTION.to_owned()));
                let close = document.tokens()[close].span.start;
                edits.push((close..close, END.to_owned()));
            }
        }
        let begin = start.0.clone() + &start.1;
        if let Some(first) = first.filter(|_| !starts_last && !begin.is_empty()) {
            edits.push(at_start_of(document, first, &begin));
        }
        if ending == Ending::Nothing {
            edits.push((end..end, format!("{SECTION}{END}")));
        }
        // Stable: what came first at one place stays first.
        edits.sort_by_key(|(span, _)| (span.start, span.end));
        let from = document.tokens()[body].span.end;
        let moved: Vec<Edit> = edits
            .into_iter()
            .map(|(span, text)| (span.start.saturating_sub(from)..span.end.saturating_sub(from), text))
            .collect();
        let text = reference::apply(document.slice(from..end), &moved);
        let (before, rest) = text.split_once(SECTION).unwrap_or((&text, ""));
        let (between, after) = rest.split_once(END).unwrap_or(("", rest));
        Body {
            before: before.to_owned(),
            ending,
            between: between.to_owned(),
            after: after.to_owned(),
            around: starts_last.then_some(start),
        }
    }

    /// Tells whether the letter is one paragraph.
    pub(super) fn is_one_paragraph(&self) -> bool {
        self.around.is_some()
    }

    /// Returns the body with what its last paragraph shall hold: the properties of its section, and marks around its
    /// content.
    pub(super) fn text(&self, w: &str, section: Option<&str>, (start, marks): (&str, &str)) -> String {
        let Body { before, ending, between, after, around } = self;
        let (begin, end) = around.as_ref().map_or(("", ""), |(begin, end)| (begin.as_str(), end.as_str()));
        let (start, marks) = (format!("{begin}{start}"), format!("{marks}{end}"));
        let section = section.unwrap_or_default();
        match ending {
            Ending::Properties => {
                let (properties, content) = between.split_at(end_of_properties(between, w));
                format!("{before}{section}{properties}{start}{content}{marks}{after}")
            }
            Ending::Paragraph if section.is_empty() => format!("{before}{start}{between}{marks}{after}"),
            Ending::Paragraph => format!("{before}<{w}pPr>{section}</{w}pPr>{start}{between}{marks}{after}"),
            Ending::Nothing if section.is_empty() && marks.is_empty() => format!("{before}{between}{after}"),
            Ending::Nothing => {
                // As low as a line can be, so that it takes no page of its own.
                let spacing = format!(
                    "<{w}spacing {w}before=\"0\" {w}after=\"0\" {w}line=\"20\" {w}lineRule=\"exact\"/>"
                );
                format!(
                    "{before}{between}{after}<{w}p><{w}pPr>{spacing}{section}</{w}pPr>{start}{marks}</{w}p>"
                )
            }
        }
    }
}

/// The change that puts something before the content of a paragraph.
///
/// Where paragraphs meet it would not do: LibreOffice takes a bookmark there for one of the paragraph before.
fn at_start_of(document: &Document, paragraph: usize, start: &str) -> Edit {
    let token = &document.tokens()[paragraph];
    if document.end(paragraph) == paragraph {
        let w = document.prefix(paragraph);
        return (token.span.end - "/>".len()..token.span.end, format!(">{start}</{w}p>"));
    }
    let properties = children(document, paragraph)
        .next()
        .filter(|child| document.tokens()[*child].element == Element::ParagraphProperties);
    let place = properties.map_or(token.span.end, |properties| document.subtree(properties).end);
    (place..place, start.to_owned())
}

/// Where the content of a paragraph begins behind its properties, of which `rest` is the end.
fn end_of_properties(rest: &str, w: &str) -> usize {
    let behind = |tag: String, from: usize| rest[from..].find(&tag).map_or(from, |at| from + at + tag.len());
    let change = match rest.starts_with(&format!("<{w}pPrChange")) {
        true => behind(format!("</{w}pPrChange>"), 0),
        false => 0,
    };
    behind(format!("</{w}pPr>"), change)
}

/// Tells whether a child of the body takes space.
fn is_block(document: &Document, at: usize) -> bool {
    use Element::{BookmarkEnd, BookmarkStart, ProofError, RangeMark, SectionProperties};
    !matches!(
        document.tokens()[at].element,
        BookmarkStart | BookmarkEnd | ProofError | RangeMark | SectionProperties
    )
}

/// Tells whether a child of a paragraph is more than properties and marks.
fn is_content(document: &Document, at: usize) -> bool {
    document.tokens()[at].element != Element::ParagraphProperties && is_block(document, at)
}

/// The start and the end of a bookmark.
pub(super) fn bookmark(w: &str, name: &str, renewal: &mut Renewal<'_>) -> (String, String) {
    let id = renewal.fresh(Kind::Annotation);
    (
        format!("<{w}bookmarkStart {w}id=\"{id}\" {w}name=\"{name}\"/>"),
        format!("<{w}bookmarkEnd {w}id=\"{id}\"/>"),
    )
}

/// A run with a space so small that it is not seen.
pub(super) fn blank(w: &str) -> String {
    format!("<{w}r><{w}rPr><{w}sz {w}val=\"2\"/></{w}rPr><{w}t xml:space=\"preserve\"> </{w}t></{w}r>")
}
