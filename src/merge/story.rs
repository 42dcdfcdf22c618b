//! Owns the reading of a content part: from XML tokens to atoms, in which every field mark and every tag stands by itself.
//!
//! Word breaks text into runs at will, so a field's code or a tag may begin in one run and end in another. Here runs are
//! taken apart where they hold field marks or tags; the pieces remember their run, and pieces of one run that are written
//! one after the other become one run again.

use std::collections::BTreeMap;
use std::ops::Range;

use super::link::TargetPart;
use super::name;
use super::problem::{Fault, Place, Problem};
use super::tag::{self, TagError};
use super::xml::{Document, Element, Kind};

/// One step of a content part.
#[derive(Clone, Debug)]
pub(crate) struct Atom {
    pub(crate) what: What,
    /// The number of the paragraph it stands in or comes after, from 1.
    pub(crate) paragraph: usize,
    /// The start of the innermost element around it.
    pub(crate) parent: Option<usize>,
}

#[derive(Clone, Debug)]
pub(crate) enum What {
    /// The start tag of an element that ends at the atom `close`.
    Open {
        element: Element,
        token: usize,
        close: usize,
    },
    /// The end tag of the element that began at the atom `open`.
    Close {
        element: Element,
        token: usize,
        open: usize,
    },
    /// Bytes outside runs that are whole in themselves.
    Raw {
        element: Element,
        token: usize,
        span: Range<usize>,
        is_visible: bool,
    },
    /// A child of a run.
    Piece {
        run: usize,
        element: Element,
        token: usize,
        span: Range<usize>,
        is_visible: bool,
    },
    /// The part of a run's text that is left beside a tag.
    Text {
        run: usize,
        text: String,
    },
    /// A run's child that holds paragraphs of its own begins, and ends.
    Enter {
        run: usize,
    },
    Leave {
        run: usize,
    },
    /// The marks of a complex field.
    Begin {
        run: usize,
        token: usize,
        span: Range<usize>,
    },
    Separate {
        run: usize,
        span: Range<usize>,
    },
    End {
        run: usize,
        span: Range<usize>,
    },
    /// Text of a field's code.
    Instruction {
        run: usize,
        text: String,
        span: Range<usize>,
    },
    /// A tag, by its text between the braces.
    Tag {
        run: usize,
        inner: String,
        code: String,
        is_raw: bool,
    },
}

/// A run, as far as it is needed to write it again around a piece of it.
#[derive(Clone, Debug)]
pub(crate) struct Run {
    pub(crate) start_tag: Range<usize>,
    pub(crate) properties: Range<usize>,
    /// The prefix of `WordprocessingML` with its colon: `w:`.
    pub(crate) prefix: String,
}

/// A content part as atoms.
#[derive(Debug)]
pub(crate) struct Story {
    pub(crate) part: String,
    pub(crate) document: Document,
    pub(crate) atoms: Vec<Atom>,
    pub(crate) runs: Vec<Run>,
    /// Names between « and » in the text: somebody typed what Word shows for a field.
    pub(crate) typed: Vec<(String, Place)>,
    /// The addresses outside that hang on the data, by the ids of their relationships: as written, and taken apart.
    pub(crate) links: BTreeMap<String, (String, Vec<TargetPart>)>,
}

impl Story {
    /// Takes a content part apart. Tags without end are reported.
    pub(crate) fn read(part: &str, document: Document, problems: &mut Vec<Problem>) -> Story {
        let mut reader = Reader { document: &document, atoms: Vec::new(), runs: Vec::new(), paragraph: 0 };
        reader.walk(0, document.tokens().len());
        let Reader { atoms, runs, .. } = reader;
        let links = BTreeMap::new();
        let mut story = Story { part: part.to_owned(), document, atoms, runs, typed: Vec::new(), links };
        story.find_tags(problems);
        story.link();
        story
    }

    /// Tells whether the part is in the namespaces of Strict documents.
    pub(crate) fn is_strict(&self) -> bool {
        self.document.source().contains("http://purl.oclc.org/ooxml/wordprocessingml/main")
    }

    /// Returns the place of an atom.
    pub(crate) fn place(&self, atom: usize, code: &str) -> Place {
        let paragraph = self.atoms.get(atom).map_or(0, |atom| atom.paragraph);
        // A code has this sign in the place of a field inside it.
        let code = code.replace('\u{FFFC}', "{…}");
        Place { part: self.part.clone(), paragraph, code }
    }

    /// Returns the element that begins at an atom.
    pub(crate) fn opened(&self, atom: usize) -> Option<(Element, usize)> {
        match self.atoms.get(atom)?.what {
            What::Open { element, close, .. } => Some((element, close)),
            _ => None,
        }
    }

    /// Lets starts and ends know each other, and every atom its parent.
    fn link(&mut self) {
        let mut open: Vec<usize> = Vec::new();
        for position in 0..self.atoms.len() {
            let is_end = matches!(self.atoms[position].what, What::Close { .. } | What::Leave { .. });
            if is_end && let Some(start) = open.pop() {
                if let What::Open { close, .. } = &mut self.atoms[start].what {
                    *close = position;
                }
                if let What::Close { open, .. } = &mut self.atoms[position].what {
                    *open = start;
                }
            }
            self.atoms[position].parent = open.last().copied();
            if matches!(self.atoms[position].what, What::Open { .. } | What::Enter { .. }) {
                open.push(position);
            }
        }
    }

    /// Finds tags in the text of each paragraph, over the borders of runs, and takes the texts apart around them.
    fn find_tags(&mut self, problems: &mut Vec<Problem>) {
        let mut splits: BTreeMap<usize, Vec<Split>> = BTreeMap::new();
        let mut paragraphs: Vec<ParagraphText> = Vec::new();
        let mut fields: Vec<FieldState> = Vec::new();
        let mut typed = Vec::new();
        for position in 0..self.atoms.len() {
            match &self.atoms[position].what {
                What::Open { element: Element::Paragraph, .. } => paragraphs.push(ParagraphText::default()),
                What::Close { element: Element::Paragraph, .. } => {
                    if let Some(text) = paragraphs.pop() {
                        let names = name::typed_names(&text.text);
                        typed.extend(names.map(|name| (name.to_owned(), self.place(position, ""))));
                        self.split_paragraph(position, &text, &mut splits, problems);
                    }
                }
                What::Open { element: Element::SimpleField, .. } => fields.push(FieldState::Closed),
                What::Close { element: Element::SimpleField, .. } | What::End { .. } => {
                    fields.pop();
                }
                What::Open { element: Element::TextBox | Element::Note | Element::Comment, .. } => {
                    fields.push(FieldState::Open);
                }
                What::Close { element: Element::TextBox | Element::Note | Element::Comment, .. } => {
                    fields.pop();
                }
                What::Begin { .. } => fields.push(FieldState::Code(String::new())),
                What::Separate { .. } => {
                    if let Some(state @ FieldState::Code(_)) = fields.last_mut() {
                        *state = state.result();
                    }
                }
                What::Instruction { text, .. } => {
                    if let Some(FieldState::Code(code)) = fields.last_mut() {
                        code.push_str(text);
                    }
                }
                What::Piece { element, token, is_visible, .. } => {
                    let Some(text) = paragraphs.last_mut() else { continue };
                    let in_field = fields.iter().rev().take_while(|it| **it != FieldState::Open).count() > 0;
                    match element {
                        _ if in_field => {}
                        Element::Text => text.push(position, &self.document.text(*token)),
                        Element::Tab | Element::Break => text.push(position, " "),
                        _ if *is_visible => text.push(position, "\u{FFFC}"),
                        _ => {}
                    }
                }
                _ => {}
            }
        }
        self.typed = typed;
        if splits.is_empty() {
            return;
        }
        let atoms = std::mem::take(&mut self.atoms);
        for (position, atom) in atoms.into_iter().enumerate() {
            let (Some(parts), What::Piece { run, .. }) = (splits.remove(&position), &atom.what) else {
                self.atoms.push(atom);
                continue;
            };
            let (run, paragraph) = (*run, atom.paragraph);
            self.atoms.extend(parts.into_iter().map(|part| {
                let what = match part {
                    Split::Text(text) => What::Text { run, text },
                    Split::Tag { inner, code, is_raw } => What::Tag { run, inner, code, is_raw },
                };
                Atom { what, paragraph, parent: None }
            }));
        }
    }

    /// Divides the texts of one paragraph between tags and what is beside them.
    fn split_paragraph(
        &self,
        end: usize,
        paragraph: &ParagraphText,
        splits: &mut BTreeMap<usize, Vec<Split>>,
        problems: &mut Vec<Problem>,
    ) {
        let text = &paragraph.text;
        let mut at = 0;
        let mut found = Vec::new();
        loop {
            match tag::find(text, at) {
                Ok(None) => break,
                Ok(Some(tag)) => {
                    at = tag.span.end;
                    found.push(tag);
                }
                Err(start) => {
                    let code: String = text[start..].chars().take(40).collect();
                    problems.push(Problem::new(Fault::Tag(TagError::Unclosed), self.place(end, &code)));
                    break;
                }
            }
        }
        if found.is_empty() {
            return;
        }
        for (position, span) in &paragraph.chunks {
            let touched = found.iter().any(|tag| tag.span.start < span.end && tag.span.end > span.start);
            if !touched {
                continue;
            }
            let parts = splits.entry(*position).or_default();
            let mut at = span.start;
            for tag in &found {
                if tag.span.end <= at || tag.span.start >= span.end {
                    continue;
                }
                if tag.span.start > at {
                    parts.push(Split::Text(text[at..tag.span.start].to_owned()));
                }
                if tag.span.start >= span.start {
                    // The tag stands where its first brace is, and takes that run's formatting.
                    let inner = text[tag.inner.clone()].to_owned();
                    let code = text[tag.span.clone()].to_owned();
                    parts.push(Split::Tag { inner, code, is_raw: tag.is_raw });
                }
                at = tag.span.end.min(span.end);
            }
            if at < span.end {
                parts.push(Split::Text(text[at..span.end].to_owned()));
            }
        }
    }
}

enum Split {
    Text(String),
    Tag { inner: String, code: String, is_raw: bool },
}

/// The text of a paragraph, and which atom each stretch of it came from.
#[derive(Default)]
struct ParagraphText {
    text: String,
    chunks: Vec<(usize, Range<usize>)>,
}

impl ParagraphText {
    fn push(&mut self, atom: usize, text: &str) {
        let start = self.text.len();
        self.text.push_str(text);
        self.chunks.push((atom, start..self.text.len()));
    }
}

/// Where in a field the reader is. Tags count outside fields and in the shown text of hyperlinks.
#[derive(PartialEq)]
enum FieldState {
    Code(String),
    Open,
    Closed,
}

impl FieldState {
    fn result(&self) -> FieldState {
        match self {
            FieldState::Code(code) if code.trim_start().to_ascii_uppercase().starts_with("HYPERLINK") => {
                FieldState::Open
            }
            _ => FieldState::Closed,
        }
    }
}

struct Reader<'d> {
    document: &'d Document,
    atoms: Vec<Atom>,
    runs: Vec<Run>,
    paragraph: usize,
}

impl Reader<'_> {
    fn push(&mut self, what: What) {
        self.atoms.push(Atom { what, paragraph: self.paragraph, parent: None });
    }

    /// Reads the tokens of a range that is whole in itself.
    fn walk(&mut self, from: usize, to: usize) {
        let mut token = from;
        while token < to {
            let (kind, element) = {
                let token = &self.document.tokens()[token];
                (token.kind, token.element)
            };
            let end = self.document.end(token);
            if element == Element::Paragraph && matches!(kind, Kind::Open(_) | Kind::Empty) {
                self.paragraph += 1;
            }
            match (kind, element) {
                (Kind::Open(_), Element::Run) => {
                    self.run(token, end);
                    token = end;
                }
                (
                    Kind::Open(_),
                    Element::ParagraphProperties
                    | Element::RunProperties
                    | Element::TableProperties
                    | Element::TableGrid
                    | Element::RowProperties
                    | Element::CellProperties
                    | Element::ContentControlProperties
                    | Element::SectionProperties
                    | Element::Deleted
                    | Element::BookmarkStart
                    | Element::BookmarkEnd
                    | Element::RangeMark
                    | Element::ProofError,
                ) => {
                    self.raw(token, end);
                    token = end;
                }
                (Kind::Open(_), element) => self.push(What::Open { element, token, close: 0 }),
                (Kind::Close(_), element) => self.push(What::Close { element, token, open: 0 }),
                (Kind::Empty | Kind::Text | Kind::Other, _) => self.raw(token, token),
            }
            token += 1;
        }
    }

    fn raw(&mut self, token: usize, end: usize) {
        let tokens = &self.document.tokens()[token..=end];
        let (kind, element) = (tokens[0].kind, tokens[0].element);
        let span = tokens[0].span.start..tokens[tokens.len() - 1].span.end;
        let is_visible = match element {
            Element::ParagraphProperties => tokens.iter().any(|it| it.element == Element::SectionProperties),
            Element::Deleted => true,
            _ => kind == Kind::Text && !self.document.slice(span.clone()).trim().is_empty(),
        };
        self.push(What::Raw { element, token, span, is_visible });
    }

    /// Reads a run: its children become pieces, field marks and code.
    fn run(&mut self, token: usize, end: usize) {
        let start_tag = self.document.tokens()[token].span.clone();
        let prefix = self.document.prefix(token).to_owned();
        let mut properties = start_tag.end..start_tag.end;
        let run = self.runs.len();
        self.runs.push(Run { start_tag, properties: properties.clone(), prefix });
        let mut child = token + 1;
        let mut n_atoms = 0;
        while child < end {
            let last = self.document.end(child);
            let element = self.document.tokens()[child].element;
            let span = self.document.tokens()[child].span.start..self.document.tokens()[last].span.end;
            n_atoms += 1;
            match element {
                Element::RunProperties => {
                    properties = span;
                    self.runs[run].properties = properties.clone();
                    n_atoms -= 1;
                }
                Element::FieldChar => self.field_char(run, child, span),
                Element::InstructionText => {
                    let text = self.document.text(child);
                    self.push(What::Instruction { run, text, span });
                }
                _ if self.holds_paragraphs(child, last) => {
                    self.push(What::Enter { run });
                    self.walk(child, last + 1);
                    self.push(What::Leave { run });
                }
                _ => {
                    let is_visible = match element {
                        Element::Text => !self.document.text(child).is_empty(),
                        Element::LastRenderedPageBreak | Element::DeletedInstructionText => false,
                        _ => self.document.tokens()[child].is_start(),
                    };
                    self.push(What::Piece { run, element, token: child, span, is_visible });
                }
            }
            child = last + 1;
        }
        if n_atoms == 0 {
            // Nothing would bring the run back, so it stands as it is.
            let span = self.document.subtree(token);
            self.push(What::Raw { element: Element::Run, token, span, is_visible: false });
        }
    }

    fn field_char(&mut self, run: usize, token: usize, span: Range<usize>) {
        match self.document.attribute(token, "fldCharType").as_deref() {
            Some("begin") => self.push(What::Begin { run, token, span }),
            Some("separate") => self.push(What::Separate { run, span }),
            Some("end") => self.push(What::End { run, span }),
            _ => self.push(What::Piece { run, element: Element::FieldChar, token, span, is_visible: false }),
        }
    }

    fn holds_paragraphs(&self, from: usize, to: usize) -> bool {
        from != to && self.document.tokens()[from..=to].iter().any(|it| it.element == Element::Paragraph)
    }
}
