//! Owns the faults that a Word document can have beyond its schema: Word repairs such a file, or shows what it should not.

use std::collections::{BTreeMap, BTreeSet};

use super::package::{Package, PackageError, relationships_name};
use super::xml::{Document, Element, Kind};

/// A fault of a document, with its place.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// The part's name in the package.
    pub part: String,
    /// The paragraph's number in its part, from 1; 0 where it stands in none.
    pub paragraph: usize,
    /// What is wrong.
    pub flaw: Flaw,
}

/// What is wrong with a document.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum Flaw {
    /// A field begins or ends without its other end, or has two results.
    #[error("field characters do not pair up")]
    UnbalancedField,
    /// Code of a field stands outside a field's code.
    #[error("code of a field stands outside the code")]
    StrayInstruction,
    /// A cell, text box, header or note that does not end with a paragraph.
    #[error("`{element}` does not end with a paragraph")]
    NoLastParagraph {
        /// The element's name.
        element: String,
    },
    /// A table ends the body: Word needs a paragraph after it.
    #[error("a table ends the body")]
    TableEndsBody,
    /// A relationship id that leads nowhere.
    #[error("relationship `{id}` does not exist")]
    DanglingRelationship {
        /// The id.
        id: String,
    },
    /// A relationship to a part that does not exist.
    #[error("part `{target}` does not exist")]
    MissingPart {
        /// The part's name.
        target: String,
    },
    /// A part without a content type.
    #[error("part has no content type")]
    NoContentType,
    /// An id that has to be unique is there twice.
    #[error("{kind} id `{id}` is used twice")]
    DuplicateId {
        /// What the id is of: `bookmark`, `drawing`, …
        kind: &'static str,
        /// The id.
        id: String,
    },
    /// Something is left over from the merge.
    #[error("`{text}` is left over")]
    Leftover {
        /// What is left.
        text: String,
    },
    /// A part is no XML.
    #[error("part is broken XML")]
    BrokenXml,
}

impl Finding {
    /// Returns the place in the document.
    pub fn place(&self) -> String {
        match self.paragraph {
            0 => self.part.clone(),
            paragraph => format!("{}, paragraph {paragraph}", self.part),
        }
    }
}

impl Flaw {
    /// Returns the stable name of the flaw: the variant in kebab case.
    pub fn id(&self) -> &'static str {
        match self {
            Flaw::UnbalancedField => "unbalanced-field",
            Flaw::StrayInstruction => "stray-instruction",
            Flaw::NoLastParagraph { .. } => "no-last-paragraph",
            Flaw::TableEndsBody => "table-ends-body",
            Flaw::DanglingRelationship { .. } => "dangling-relationship",
            Flaw::MissingPart { .. } => "missing-part",
            Flaw::NoContentType => "no-content-type",
            Flaw::DuplicateId { .. } => "duplicate-id",
            Flaw::Leftover { .. } => "leftover",
            Flaw::BrokenXml => "broken-xml",
        }
    }
}

/// Finds the faults of a Word document, in the order of parts and text.
///
/// # Errors
///
/// When the file is no package that can be read, so that nothing can be said about its content.
pub fn lint(bytes: &[u8]) -> Result<Vec<Finding>, PackageError> {
    let package = Package::open(bytes)?;
    let mut findings = Vec::new();
    let types = package.read("[Content_Types].xml")?.and_then(|content| Document::parse(content).ok());
    let mut drawing_ids = BTreeSet::new();
    for entry in package.entries() {
        let part = entry.name.as_str();
        if types.as_ref().is_some_and(|types| !has_type(types, part)) && part != "[Content_Types].xml" {
            findings.push(Finding { part: part.to_owned(), paragraph: 0, flaw: Flaw::NoContentType });
        }
        if part.ends_with(".rels") {
            continue;
        }
        let relationships = package.relationships(part)?;
        for relationship in relationships.iter().filter(|it| !it.is_external) {
            if !relationship.target.is_empty()
                && !relationship.target.contains('#')
                && package.entry(&relationship.target).is_none()
            {
                let flaw = Flaw::MissingPart { target: relationship.target.clone() };
                findings.push(Finding { part: relationships_name(part), paragraph: 0, flaw });
            }
        }
        if !part.starts_with("word/") || !part.ends_with(".xml") {
            continue;
        }
        let Some(Ok(document)) = package.read(part)?.map(Document::parse) else {
            findings.push(Finding { part: part.to_owned(), paragraph: 0, flaw: Flaw::BrokenXml });
            continue;
        };
        let ids: BTreeSet<&str> = relationships.iter().map(|it| it.id.as_str()).collect();
        let mut linter = Linter { document: &document, part, paragraph: 0, findings: &mut findings };
        linter.fields();
        linter.ends();
        linter.ids(&mut drawing_ids);
        linter.references(&ids);
        linter.leftovers();
    }
    Ok(findings)
}

fn has_type(types: &Document, part: &str) -> bool {
    let extension = part.rsplit('.').next().unwrap_or_default();
    (0..types.tokens().len()).filter(|at| types.tokens()[*at].is_start()).any(|at| match types.local(at) {
        "Default" => types.attribute(at, "Extension").is_some_and(|it| it.eq_ignore_ascii_case(extension)),
        "Override" => types
            .attribute(at, "PartName")
            .is_some_and(|it| it.trim_start_matches('/').eq_ignore_ascii_case(part)),
        _ => false,
    })
}

struct Linter<'a> {
    document: &'a Document,
    part: &'a str,
    paragraph: usize,
    findings: &'a mut Vec<Finding>,
}

impl Linter<'_> {
    fn report(&mut self, flaw: Flaw) {
        self.findings.push(Finding { part: self.part.to_owned(), paragraph: self.paragraph, flaw });
    }

    fn count_paragraph(&mut self, at: usize) {
        let token = &self.document.tokens()[at];
        if token.element == Element::Paragraph && token.is_start() {
            self.paragraph += 1;
        }
    }

    /// Fields pair up within their text, and code stands only between begin and separator.
    fn fields(&mut self) {
        self.paragraph = 0;
        // Per text box, note or comment: the open fields, each with whether its result has begun.
        let mut stacks: Vec<Vec<bool>> = vec![Vec::new()];
        for at in 0..self.document.tokens().len() {
            self.count_paragraph(at);
            let (kind, element) = (self.document.tokens()[at].kind, self.document.tokens()[at].element);
            match (kind, element) {
                (Kind::Open(_), Element::TextBox | Element::Note | Element::Comment) => {
                    stacks.push(Vec::new());
                }
                (Kind::Close(_), Element::TextBox | Element::Note | Element::Comment)
                    if stacks.pop().is_some_and(|open| !open.is_empty()) =>
                {
                    self.report(Flaw::UnbalancedField);
                }
                (Kind::Open(_) | Kind::Empty, Element::FieldChar) => {
                    let Some(stack) = stacks.last_mut() else { continue };
                    let is_wrong = match self.document.attribute(at, "fldCharType").as_deref() {
                        Some("begin") => {
                            stack.push(false);
                            false
                        }
                        Some("separate") => {
                            stack.last_mut().is_none_or(|result| std::mem::replace(result, true))
                        }
                        _ => stack.pop().is_none(),
                    };
                    if is_wrong {
                        self.report(Flaw::UnbalancedField);
                    }
                }
                (Kind::Open(_), Element::InstructionText) => {
                    let in_code = stacks.last().and_then(|stack| stack.last()).is_some_and(|result| !result);
                    if !in_code {
                        self.report(Flaw::StrayInstruction);
                    }
                }
                _ => {}
            }
        }
        if stacks.iter().any(|open| !open.is_empty()) {
            self.report(Flaw::UnbalancedField);
        }
    }

    /// What has to end with a paragraph does.
    fn ends(&mut self) {
        self.paragraph = 0;
        for at in 0..self.document.tokens().len() {
            self.count_paragraph(at);
            let token = &self.document.tokens()[at];
            let (element, is_start) = (token.element, token.is_start());
            if !is_start {
                continue;
            }
            let last = self.last_block(at);
            match element {
                Element::Cell
                | Element::TextBox
                | Element::Header
                | Element::Footer
                | Element::Note
                | Element::Comment
                    if last != Some(Element::Paragraph) =>
                {
                    let element = self.document.name(at).to_owned();
                    self.report(Flaw::NoLastParagraph { element });
                }
                Element::Body if last == Some(Element::Table) => self.report(Flaw::TableEndsBody),
                _ => {}
            }
        }
    }

    /// The last paragraph or table directly in an element, or in a content control at its end.
    fn last_block(&self, at: usize) -> Option<Element> {
        let (mut child, end) = (at + 1, self.document.end(at));
        let mut last = None;
        while child < end {
            let element = self.document.tokens()[child].element;
            match element {
                Element::Paragraph | Element::Table => last = Some(element),
                Element::ContentControl | Element::ContentControlContent | Element::InlineWrapper => {
                    last = self.last_block(child).or(last);
                }
                _ => {}
            }
            child = self.document.end(child) + 1;
        }
        last
    }

    /// Ids that have to be unique are: in the part, and for drawings in the document.
    fn ids(&mut self, drawing_ids: &mut BTreeSet<String>) {
        self.paragraph = 0;
        let mut seen: BTreeMap<&'static str, BTreeSet<String>> = BTreeMap::new();
        let mut in_fallback_until = 0;
        for at in 0..self.document.tokens().len() {
            self.count_paragraph(at);
            let token = &self.document.tokens()[at];
            if !token.is_start() {
                continue;
            }
            if token.element == Element::Fallback {
                in_fallback_until = self.document.end(at);
            }
            let (kind, attribute) = match (token.element, self.document.local(at)) {
                (Element::BookmarkStart, _) => ("bookmark", "id"),
                (Element::Comment, _) => ("comment", "id"),
                (Element::Note, _) => ("note", "id"),
                (_, "docPr") if at >= in_fallback_until => ("drawing", "id"),
                _ => continue,
            };
            let Some(id) = self.document.attribute(at, attribute) else { continue };
            let ids = if kind == "drawing" { &mut *drawing_ids } else { seen.entry(kind).or_default() };
            if !ids.insert(id.clone()) {
                self.report(Flaw::DuplicateId { kind, id });
            }
        }
    }

    /// Every reference to a relationship leads somewhere.
    fn references(&mut self, ids: &BTreeSet<&str>) {
        self.paragraph = 0;
        for at in 0..self.document.tokens().len() {
            self.count_paragraph(at);
            let token = &self.document.tokens()[at];
            if !token.is_start() {
                continue;
            }
            let tag = self.document.slice(token.span.clone());
            for name in ["r:id", "r:embed", "r:link", "r:pict"] {
                let has = tag.contains(&format!(" {name}="));
                let Some(id) = has.then(|| self.document.attribute_as_written(at, name)).flatten() else {
                    continue;
                };
                if !id.is_empty() && !ids.contains(id.as_str()) {
                    self.report(Flaw::DanglingRelationship { id });
                }
            }
        }
    }

    /// Nothing of the merge is left over.
    fn leftovers(&mut self) {
        self.paragraph = 0;
        for at in 0..self.document.tokens().len() {
            self.count_paragraph(at);
            let token = &self.document.tokens()[at];
            match token.element {
                Element::Text if token.is_start() => {
                    let text = self.document.text(at);
                    if text.starts_with('«') && text.ends_with('»') {
                        self.report(Flaw::Leftover { text });
                    }
                }
                Element::InstructionText if token.is_start() => {
                    let text = self.document.text(at);
                    if text.trim_start().to_ascii_uppercase().starts_with("MERGEFIELD ") {
                        self.report(Flaw::Leftover { text: text.trim().to_owned() });
                    }
                }
                Element::Other if token.is_start() && self.document.local(at) == "mailMerge" => {
                    self.report(Flaw::Leftover { text: "mailMerge".to_owned() });
                }
                _ => {}
            }
        }
    }
}
