//! Owns what has to stay of a stretch that is replaced, and what may vanish: the rules that keep a document valid.

use std::collections::BTreeMap;
use std::ops::Range;

use super::super::program::{LastBlock, Op, Traits};
use super::super::scope::Enclosing;
use super::super::story::What;
use super::super::xml::Element;
use super::{Builder, Compiler};

/// What is left of a stretch that is not shown.
pub(super) struct Rest {
    /// Atoms to write: ends and starts whose other end is outside, and the marks of ranges; the begin of a HYPERLINK stands
    /// for its code and separator too.
    pub(super) atoms: Vec<usize>,
}

impl Compiler<'_> {
    /// Writes what has to stay of a stretch that is replaced.
    pub(super) fn rest(
        &mut self,
        stretch: Range<usize>,
        limit: usize,
        enclosing: &Enclosing,
        builder: &mut Builder,
    ) {
        if stretch.start < stretch.end && stretch.end <= limit {
            for atom in self.rest_of(stretch.start, stretch.end).atoms {
                self.left_atom(atom, enclosing, builder);
            }
        }
    }

    /// Finds what has to stay of a stretch: start and end tags whose other end is outside, and range marks. A
    /// paragraph that ends in it and another that begins in it become one.
    pub(super) fn rest_of(&self, from: usize, to: usize) -> Rest {
        let mut atoms = Vec::new();
        let mut closed_paragraph = None;
        let mut is_text_only = true;
        let mut at = from;
        while at < to {
            match &self.story.atoms[at].what {
                What::Open { close, .. } if *close < to => {
                    atoms.extend((at..*close).filter(|inner| self.is_mark(*inner)));
                    at = *close;
                }
                What::Open { element, .. } | What::Close { element, .. } => {
                    is_text_only &= !matches!(
                        element,
                        Element::Table
                            | Element::Row
                            | Element::Cell
                            | Element::TextBox
                            | Element::ContentControlContent
                    );
                    let is_close = matches!(self.story.atoms[at].what, What::Close { .. });
                    if *element == Element::Paragraph && is_close && closed_paragraph.is_none() {
                        closed_paragraph = Some(atoms.len());
                    }
                    atoms.push(at);
                    let has_properties = *element == Element::Paragraph && !is_close;
                    if has_properties
                        && matches!(
                            self.story.atoms.get(at + 1).map(|atom| &atom.what),
                            Some(What::Raw { element: Element::ParagraphProperties, .. })
                        )
                        && at + 1 < to
                    {
                        atoms.push(at + 1);
                    }
                }
                _ if self.is_mark(at) => atoms.push(at),
                What::Begin { .. } => {
                    if let Some(link) = self.cut_link(at).filter(|link| link.end >= to) {
                        // The start is written as one, with its code.
                        atoms.push(at);
                        at = link.separate.unwrap_or(at);
                    }
                }
                What::End { .. } if self.cut_links.iter().any(|it| it.end == at && it.begin < from) => {
                    atoms.push(at);
                }
                _ => {}
            }
            at += 1;
        }
        if let Some(closed) = closed_paragraph
            && is_text_only
            && let Some(opened) = atoms.iter().rposition(|at| {
                matches!(self.story.atoms[*at].what, What::Open { element: Element::Paragraph, .. })
            })
            && opened > closed
        {
            let has_properties = atoms.get(opened + 1).is_some_and(|at| {
                matches!(self.story.atoms[*at].what, What::Raw { element: Element::ParagraphProperties, .. })
            });
            atoms.drain(opened..=opened + usize::from(has_properties));
            atoms.remove(closed);
        }
        Rest { atoms }
    }

    pub(super) fn is_mark(&self, at: usize) -> bool {
        matches!(
            self.story.atoms[at].what,
            What::Raw { element: Element::BookmarkStart | Element::BookmarkEnd | Element::RangeMark, .. }
                | What::Piece { element: Element::CommentReference, .. }
        )
    }

    /// Tells whether a stretch closes what it opens, or closes first what it opens last.
    pub(super) fn is_symmetric(&self, from: usize, to: usize) -> bool {
        let (mut closed, mut opened) = (Vec::new(), Vec::new());
        for atom in &self.story.atoms[from..to] {
            match &atom.what {
                What::Open { element, .. } => opened.push(*element),
                What::Close { element, .. } if opened.pop().is_none() => {
                    closed.push(*element);
                }
                _ => {}
            }
        }
        closed.reverse();
        let stretch = from..to;
        let cuts_link =
            self.cut_links.iter().any(|it| stretch.contains(&it.begin) != stretch.contains(&it.end));
        !cuts_link && closed == opened && closed.iter().all(|element| *element == Element::Paragraph)
    }

    /// Tells whether a field or block reaches from inside an element to its outside.
    pub(super) fn crosses(&self, at: usize, close: usize) -> bool {
        self.regions.fields.range(at..close).any(|(_, field)| field.end > close)
            || self
                .regions
                .blocks
                .range(at + 1..close)
                .any(|(_, regions)| regions.iter().any(|it| it.to > close))
            || self.insertions.range(at + 1..close).any(|(_, insertion)| insertion.to > close)
    }

    /// Tells whether a paragraph may be left out: something must still end what it stands in, and tables stay apart.
    pub(super) fn is_removable(&self, at: usize, close: usize) -> bool {
        let next = (close + 1..self.story.atoms.len()).find(|next| !self.is_blank_between(*next));
        let previous = (0..at).rev().find(|previous| !self.is_blank_between(*previous));
        let next_element = next.and_then(|next| match &self.story.atoms[next].what {
            What::Open { element, .. } => Some(*element),
            What::Raw { element: Element::Paragraph, .. } => Some(Element::Paragraph),
            _ => None,
        });
        let follows_table = previous.is_some_and(|previous| {
            matches!(self.story.atoms[previous].what, What::Close { element: Element::Table, .. })
        });
        match next_element {
            Some(Element::Paragraph) => true,
            Some(Element::Table) => !follows_table && previous.is_some(),
            _ => false,
        }
    }

    pub(super) fn is_blank_between(&self, at: usize) -> bool {
        match &self.story.atoms[at].what {
            What::Raw { element, is_visible, .. } => {
                !is_visible
                    && matches!(
                        element,
                        Element::Other
                            | Element::BookmarkStart
                            | Element::BookmarkEnd
                            | Element::RangeMark
                            | Element::ProofError
                    )
            }
            _ => false,
        }
    }

    /// Tells whether all range marks in a paragraph begin and end in it.
    pub(super) fn marks_pair_up(&self, at: usize, close: usize) -> bool {
        let mut open: BTreeMap<String, i32> = BTreeMap::new();
        for atom in &self.story.atoms[at..close] {
            let What::Raw { element, token, .. } = &atom.what else { continue };
            let change = match element {
                Element::BookmarkStart => 1,
                Element::BookmarkEnd => -1,
                Element::RangeMark => return false,
                _ => continue,
            };
            let id = self.story.document.attribute(*token, "id").unwrap_or_default();
            *open.entry(id).or_default() += change;
        }
        open.values().all(|count| *count == 0)
    }

    pub(super) fn children(&self, at: usize, close: usize) -> impl Iterator<Item = usize> {
        (at + 1..close).filter(move |child| self.story.atoms[*child].parent == Some(at))
    }

    pub(super) fn is_block(&self, at: usize) -> bool {
        matches!(
            self.story.atoms[at].what,
            What::Open { element: Element::Paragraph | Element::Table, .. }
                | What::Raw { element: Element::Paragraph, .. }
        )
    }

    pub(super) fn has_static(&self, ops: &[Op], has: impl Fn(&Traits) -> bool) -> bool {
        ops.iter().any(|op| match op {
            Op::Static(number) => self.statics.get(*number).is_some_and(|it| has(&it.traits)),
            _ => false,
        })
    }

    /// Whether an operation ends with a paragraph whatever the data; nothing if it says nothing about blocks.
    pub(super) fn ends_certainly(&self, op: &Op) -> Option<bool> {
        match op {
            Op::Static(number) => {
                let last = self.statics.get(*number).and_then(|it| it.traits.last_block);
                last.map(|last| last == LastBlock::Paragraph)
            }
            Op::Once(_) | Op::DrawingId(_) | Op::Picture(_) | Op::Link(_) | Op::Relationships(_) => None,
            Op::Show { .. } | Op::Set { .. } | Op::Next(_) | Op::Skip(_) | Op::GridRow | Op::GridCell => None,
            Op::If(_) | Op::Each { .. } | Op::Keep { .. } | Op::Guard { .. } | Op::Twin(_) | Op::Grid(_) => {
                Some(false)
            }
        }
    }
}
