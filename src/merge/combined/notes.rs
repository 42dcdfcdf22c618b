//! Owns the notes and comments of a combined document: each letter's own, with new numbers, and what other parts say of
//! its comments.

use std::collections::BTreeSet;
use std::io::{Cursor, Write};

use super::CombineError;
use super::ids::{Ids, Kind, Renewal};
use super::lists::children;
use super::parts::{self, Letter, Parts};
use super::reference;
use super::rewrite::{self, Rewriting};
use super::zip::{Archive, Growing};
use crate::merge::package::{Package, relationships_name};
use crate::merge::xml::Document;

/// The parts with notes and comments, by the last word of the type of the relationship that leads to them.
const NOTES: [(Kind, &str); 3] =
    [(Kind::Footnote, "footnotes"), (Kind::Endnote, "endnotes"), (Kind::Comment, "comments")];

/// The parts that say more of comments: whose reply one is and whether it is done, its lasting id, its time ([MS-DOCX],
/// `commentEx`, `commentId`, `commentExtensible`). They name comments by the id of their last paragraph, and each other
/// by the lasting id, so that the one that gives these comes first.
const REMARKS: [&str; 3] = ["commentsExtended", "commentsIds", "commentsExtensible"];

/// The notes and comments, while letters come.
#[derive(Debug, Default)]
pub(super) struct Notes {
    notes: Vec<(Kind, Growth)>,
    remarks: Vec<Growth>,
}

/// A part that grows at the end of its root.
#[derive(Debug)]
struct Growth {
    part: String,
    text: Growing<Cursor<Vec<u8>>>,
    tail: String,
    /// The types of VML shapes that it has, each of which it may have once.
    shape_types: BTreeSet<String>,
}

impl Notes {
    /// Begins the parts as the first letter has them. `target` finds a part by the relationship that leads to it.
    pub(super) fn begin(
        package: &Package<'_>,
        target: impl Fn(&str) -> Option<String>,
        ids: &mut Ids,
    ) -> Result<Notes, CombineError> {
        let mut begun = Notes::default();
        for (kind, name) in NOTES {
            begun.notes.extend(Growth::begin(package, target(name), ids)?.map(|growth| (kind, growth)));
        }
        for name in REMARKS {
            begun.remarks.extend(Growth::begin(package, target(name), ids)?);
        }
        Ok(begun)
    }

    /// Returns the names of the parts that are written at the end.
    pub(super) fn held(&self) -> impl Iterator<Item = String> {
        let notes = self.notes.iter().flat_map(|(_, it)| [it.part.clone(), relationships_name(&it.part)]);
        notes.chain(self.remarks.iter().map(|it| it.part.clone()))
    }

    /// Begins the relationships of the notes.
    pub(super) fn open_relations<W: Write>(&self, parts: &mut Parts<W>) -> Result<(), CombineError> {
        self.notes.iter().try_for_each(|(_, notes)| parts.open_relations(&notes.part))
    }

    /// Adds the notes and comments that a further letter refers to.
    pub(super) fn add<W: Write>(
        &mut self,
        parts: &mut Parts<W>,
        letter: &Letter<'_>,
        renewal: &mut Renewal<'_>,
    ) -> Result<(), CombineError> {
        for (kind, notes) in &mut self.notes {
            notes.add_notes(*kind, parts, letter, renewal)?;
        }
        self.remarks.iter_mut().try_for_each(|remarks| remarks.add_remarks(letter, renewal))
    }

    /// Writes the parts.
    pub(super) fn finish<W: Write>(self, archive: &mut Archive<W>) -> Result<(), CombineError> {
        let notes = self.notes.into_iter().map(|(_, notes)| notes);
        for Growth { part, mut text, tail, .. } in notes.chain(self.remarks) {
            text.write(&tail)?;
            archive.grown(&part, text)?;
        }
        Ok(())
    }
}

impl Growth {
    fn begin(
        package: &Package<'_>,
        part: Option<String>,
        ids: &mut Ids,
    ) -> Result<Option<Growth>, CombineError> {
        let Some(part) = part else { return Ok(None) };
        let content = parts::document(package, &part)?;
        ids.note(&content);
        let root = content.tokens().iter().position(|token| token.is_start()).unwrap_or(0);
        let close = content.end(root);
        if close == root {
            return Ok(None);
        }
        let shape_types = (0..content.tokens().len())
            .filter(|at| content.tokens()[*at].is_start() && content.local(*at) == "shapetype")
            .filter_map(|at| content.attribute(at, "id"))
            .collect();
        let close = content.tokens()[close].span.start;
        let mut text = Growing::new(Cursor::new(Vec::new()));
        text.write(content.slice(0..close))?;
        let tail = content.slice(close..content.source().len()).to_owned();
        Ok(Some(Growth { part, text, tail, shape_types }))
    }

    fn add_notes<W: Write>(
        &mut self,
        kind: Kind,
        parts: &mut Parts<W>,
        letter: &Letter<'_>,
        renewal: &mut Renewal<'_>,
    ) -> Result<(), CombineError> {
        let renewed = renewal.renewed(kind);
        if renewed.is_empty() {
            return Ok(());
        }
        let document = parts::document(letter.package, &self.part)?;
        let relationships = parts.relate(&self.part, &rewrite::references(&document), letter, renewal)?;
        renewal.note_names(&document);
        let Some(root) = document.tokens().iter().position(|token| token.is_start()) else { return Ok(()) };
        for (old, _) in renewed {
            let is_it = |at: &usize| document.attribute(*at, "id").as_ref() == Some(&old);
            let Some(note) = children(&document, root).find(is_it) else { continue };
            let mut rewriting = Rewriting {
                renewal,
                relationships: &relationships,
                lists: None,
                pages: letter.pages,
                shape_types: Some(&mut self.shape_types),
            };
            let edits = rewriting.edits(&document, note..document.end(note) + 1);
            self.write(&document, note, edits)?;
        }
        Ok(())
    }

    /// Adds what the part says of the comments that the letter has.
    fn add_remarks(&mut self, letter: &Letter<'_>, renewal: &mut Renewal<'_>) -> Result<(), CombineError> {
        let document = parts::document(letter.package, &self.part)?;
        let Some(root) = document.tokens().iter().position(|token| token.is_start()) else { return Ok(()) };
        for remark in children(&document, root) {
            let named = |name: &str| document.attribute(remark, name);
            let is_known = |kind: Kind, id: Option<String>| id.is_none_or(|id| renewal.has(kind, &id));
            let paragraph = named("paraId");
            let gives_lasting_id = paragraph.is_some();
            if !is_known(Kind::Paragraph, paragraph)
                || !is_known(Kind::Paragraph, named("paraIdParent"))
                || !(gives_lasting_id || is_known(Kind::Durable, named("durableId")))
            {
                continue;
            }
            let tag = document.tokens()[remark].span.clone();
            let edits = rewrite::renewed_ids(&document, remark, renewal)
                .into_iter()
                .map(|(span, new)| (tag.start + span.start..tag.start + span.end, new))
                .collect();
            self.write(&document, remark, edits)?;
        }
        Ok(())
    }

    /// Writes an element with changes, which are told by their places in the part.
    fn write(
        &mut self,
        document: &Document,
        at: usize,
        edits: Vec<reference::Edit>,
    ) -> Result<(), CombineError> {
        let span = document.subtree(at);
        let edits: Vec<_> =
            edits.into_iter().map(|(it, new)| (it.start - span.start..it.end - span.start, new)).collect();
        self.text.write(&reference::apply(document.slice(span), &edits))
    }
}
