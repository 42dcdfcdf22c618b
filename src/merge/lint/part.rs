//! Owns the faults of one part: fields that do not pair up, text that does not end with a paragraph, ids used twice,
//! references that lead nowhere, and what a merge left over.

use std::collections::{BTreeMap, BTreeSet};

use super::super::name::typed_names;
use super::super::xml::{Document, Element, Kind};
use super::{Finding, Flaw};

/// The namespaces of references to relationships, Transitional and Strict.
const REFERENCES: [&str; 2] = [
    "http://schemas.openxmlformats.org/officeDocument/2006/relationships",
    "http://purl.oclc.org/ooxml/officeDocument/relationships",
];

/// Fields that a merge turns into text (or into nothing); a locked one stays.
const MERGED: [&str; 8] =
    ["MERGEFIELD", "ADDRESSBLOCK", "GREETINGLINE", "NEXT", "NEXTIF", "SKIPIF", "MERGEREC", "MERGESEQ"];

/// Names that mark the regions of merge fields.
const REGION_MARKS: [&str; 6] =
    ["TableStart:", "TableEnd:", "BeginGroup:", "EndGroup:", "RangeStart:", "RangeEnd:"];

/// How much of a tag that is left over is shown.
const SHOWN_LENGTH: usize = 40;

/// The ids of drawings seen so far, which are unique in the whole document.
pub(super) type DrawingIds = BTreeSet<String>;

/// Finds the faults of a part with text.
pub(super) fn story(
    document: &Document,
    part: &str,
    drawing_ids: &mut DrawingIds,
    findings: &mut Vec<Finding>,
) {
    let mut linter = Linter { document, part, paragraph: 0, findings };
    linter.fields();
    linter.ends();
    linter.ids(drawing_ids);
    linter.leftovers();
}

/// Finds in the settings what ties the document to the data of its template.
pub(super) fn settings(document: &Document, part: &str, findings: &mut Vec<Finding>) {
    let mut linter = Linter { document, part, paragraph: 0, findings };
    linter.each_start(|linter, at| {
        if linter.document.local(at) == "mailMerge" {
            linter.report(Flaw::Leftover { text: "mailMerge".to_owned() });
        }
    });
}

/// Finds references to relationships that do not exist, by the namespace of the attribute and not by its prefix.
pub(super) fn references(document: &Document, part: &str, ids: &BTreeSet<&str>, findings: &mut Vec<Finding>) {
    if !REFERENCES.iter().any(|namespace| document.source().contains(namespace)) {
        return;
    }
    let mut prefixes = BTreeSet::new();
    let mut linter = Linter { document, part, paragraph: 0, findings };
    linter.each_start(|linter, at| {
        let attributes = linter.document.attributes(at);
        for (name, value) in &attributes {
            if let Some(prefix) = name.strip_prefix("xmlns:")
                && REFERENCES.contains(&value.as_str())
            {
                prefixes.insert(prefix.to_owned());
            }
        }
        for (name, id) in attributes {
            let is_reference = name.split_once(':').is_some_and(|(prefix, _)| prefixes.contains(prefix));
            if is_reference && !id.is_empty() && !ids.contains(id.as_str()) {
                linter.report(Flaw::DanglingRelationship { id });
            }
        }
    });
}

struct Linter<'a> {
    document: &'a Document,
    part: &'a str,
    paragraph: usize,
    findings: &'a mut Vec<Finding>,
}

/// A field whose end is still to come.
#[derive(Default)]
struct OpenField {
    has_result: bool,
    is_locked: bool,
    code: String,
}

impl Linter<'_> {
    fn report(&mut self, flaw: Flaw) {
        self.findings.push(Finding { part: self.part.to_owned(), paragraph: self.paragraph, flaw });
    }

    /// Goes through the tokens and counts the paragraphs.
    fn each_token(&mut self, mut look: impl FnMut(&mut Self, usize)) {
        self.paragraph = 0;
        for at in 0..self.document.tokens().len() {
            let token = &self.document.tokens()[at];
            if token.element == Element::Paragraph && token.is_start() {
                self.paragraph += 1;
            }
            look(self, at);
        }
    }

    fn each_start(&mut self, mut look: impl FnMut(&mut Self, usize)) {
        self.each_token(|linter, at| {
            if linter.document.tokens()[at].is_start() {
                look(linter, at);
            }
        });
    }

    /// Fields pair up within their text, code stands only between begin and separator, and no merged field is left.
    fn fields(&mut self) {
        // The open fields of each text box, note or comment: a field does not reach out of it.
        let mut stacks: Vec<Vec<OpenField>> = vec![Vec::new()];
        self.each_token(|linter, at| {
            let (kind, element) = {
                let token = &linter.document.tokens()[at];
                (token.kind, token.element)
            };
            match (kind, element) {
                (Kind::Open(_), Element::TextBox | Element::Note | Element::Comment) => {
                    stacks.push(Vec::new());
                }
                (Kind::Close(_), Element::TextBox | Element::Note | Element::Comment)
                    if stacks.pop().is_some_and(|open| !open.is_empty()) =>
                {
                    linter.report(Flaw::UnbalancedField);
                }
                (Kind::Open(_) | Kind::Empty, Element::FieldChar) => {
                    if let Some(stack) = stacks.last_mut() {
                        linter.field_char(at, stack);
                    }
                }
                (Kind::Open(_), Element::InstructionText) => {
                    let field = stacks.last_mut().and_then(|stack| stack.last_mut());
                    match field.filter(|field| !field.has_result) {
                        Some(field) => field.code.push_str(&linter.document.text(at)),
                        None => linter.report(Flaw::StrayInstruction),
                    }
                }
                (Kind::Open(_) | Kind::Empty, Element::SimpleField) => {
                    let code = linter.document.attribute(at, "instr").unwrap_or_default();
                    linter.merged_field(&code, linter.is_locked(at));
                }
                _ => {}
            }
        });
        if stacks.iter().any(|open| !open.is_empty()) {
            self.report(Flaw::UnbalancedField);
        }
    }

    fn field_char(&mut self, at: usize, stack: &mut Vec<OpenField>) {
        let is_wrong = match self.document.attribute(at, "fldCharType").as_deref() {
            Some("begin") => {
                stack.push(OpenField { is_locked: self.is_locked(at), ..OpenField::default() });
                false
            }
            Some("separate") => {
                stack.last_mut().is_none_or(|field| std::mem::replace(&mut field.has_result, true))
            }
            _ => match stack.pop() {
                Some(field) => {
                    self.merged_field(&field.code, field.is_locked);
                    false
                }
                None => true,
            },
        };
        if is_wrong {
            self.report(Flaw::UnbalancedField);
        }
    }

    fn is_locked(&self, at: usize) -> bool {
        matches!(self.document.attribute(at, "fldLock").as_deref(), Some("1" | "true" | "on"))
    }

    fn merged_field(&mut self, code: &str, is_locked: bool) {
        let keyword = code.split_whitespace().next().unwrap_or_default().to_ascii_uppercase();
        if !is_locked && MERGED.contains(&keyword.as_str()) {
            self.report(Flaw::Leftover { text: code.trim().to_owned() });
        }
    }

    /// What has to end with a paragraph does, and the body ends with its section.
    fn ends(&mut self) {
        self.each_token(|linter, end| {
            let at = match linter.document.tokens()[end].kind {
                Kind::Close(start) => start,
                Kind::Empty => end,
                Kind::Open(_) | Kind::Text | Kind::Other => return,
            };
            match linter.element(end) {
                Element::Cell
                | Element::TextBox
                | Element::Header
                | Element::Footer
                | Element::Note
                | Element::Comment
                    if linter.last_block(at) != Some(Element::Paragraph) =>
                {
                    let element = linter.document.name(at).to_owned();
                    linter.report(Flaw::NoLastParagraph { element });
                }
                Element::Body => linter.end_of_body(at),
                _ => {}
            }
        });
    }

    fn end_of_body(&mut self, at: usize) {
        if self.last_block(at) == Some(Element::Table) {
            self.report(Flaw::TableEndsBody);
        }
        let last = self.children(at).last();
        if last.is_none_or(|last| self.element(last) != Element::SectionProperties) {
            self.report(Flaw::NoSection);
        }
    }

    fn element(&self, at: usize) -> Element {
        self.document.tokens()[at].element
    }

    /// The elements directly in an element.
    fn children(&self, at: usize) -> impl Iterator<Item = usize> {
        let end = self.document.end(at);
        let next = move |from: usize| (from..end).find(|at| self.document.tokens()[*at].is_start());
        std::iter::successors(next(at + 1), move |child| next(self.document.end(*child) + 1))
    }

    /// The last paragraph or table directly in an element, or in a content control at its end.
    fn last_block(&self, at: usize) -> Option<Element> {
        let mut last = None;
        for child in self.children(at) {
            match self.element(child) {
                element @ (Element::Paragraph | Element::Table) => last = Some(element),
                Element::ContentControl
                | Element::ContentControlContent
                | Element::InlineWrapper
                | Element::AlternateContent
                | Element::Choice => last = self.last_block(child).or(last),
                _ => {}
            }
        }
        last
    }

    /// Ids that have to be unique are: in the part, and for drawings in the document.
    fn ids(&mut self, drawing_ids: &mut DrawingIds) {
        let mut seen: BTreeMap<&'static str, BTreeSet<String>> = BTreeMap::new();
        // A text box stands twice in the file, for new and old programs, under the same ids.
        let mut in_fallback_until = 0;
        self.each_start(|linter, at| {
            let element = linter.element(at);
            if element == Element::Fallback {
                in_fallback_until = linter.document.end(at);
            }
            if at < in_fallback_until {
                return;
            }
            let mut ids = Vec::new();
            let mut add = |kind: &'static str, attribute: &str| {
                ids.extend(linter.document.attribute(at, attribute).map(|id| (kind, id)));
            };
            match (element, linter.document.local(at)) {
                (Element::BookmarkStart, _) => add("bookmark", "id"),
                (Element::Comment, _) => add("comment", "id"),
                (Element::Note, _) => add("note", "id"),
                (Element::Paragraph | Element::Row, _) => add("paragraph", "paraId"),
                (_, "docPr") => add("drawing", "id"),
                (Element::ContentControlProperties, _) => {
                    let id = linter.children(at).find(|child| linter.document.local(*child) == "id");
                    ids.extend(
                        id.and_then(|id| linter.document.attribute(id, "val")).map(|id| ("control", id)),
                    );
                }
                _ => return,
            }
            for (kind, id) in ids {
                let seen = if kind == "drawing" { &mut *drawing_ids } else { seen.entry(kind).or_default() };
                if !seen.insert(id.clone()) {
                    linter.report(Flaw::DuplicateId { kind, id });
                }
            }
        });
    }

    /// No text of a merge is left over: the shown name of a field, a mark of a region, a tag.
    fn leftovers(&mut self) {
        // Runs part text at will, so it is put together again by paragraph; a text box stands inside another one.
        let mut texts: Vec<String> = Vec::new();
        self.each_token(|linter, at| {
            let token = &linter.document.tokens()[at];
            match (token.kind, token.element) {
                (Kind::Open(_), Element::Paragraph) => texts.push(String::new()),
                (Kind::Close(_), Element::Paragraph) => {
                    for text in texts.pop().iter().flat_map(|text| left_over(text)) {
                        linter.report(Flaw::Leftover { text });
                    }
                }
                (Kind::Open(_), Element::Text) => {
                    let text = linter.document.text(at);
                    texts.iter_mut().last().into_iter().for_each(|it| it.push_str(&text));
                }
                _ => {}
            }
        });
    }
}

/// Finds in a paragraph's text what a merge should have replaced.
fn left_over(text: &str) -> Vec<String> {
    let mut found: Vec<String> = typed_names(text).map(|name| format!("«{name}»")).collect();
    found.extend(REGION_MARKS.iter().filter(|mark| text.contains(**mark)).map(|mark| (*mark).to_owned()));
    if let Some(start) = text.find("{{") {
        found.push(text[start..].chars().take(SHOWN_LENGTH).collect());
    }
    found
}
