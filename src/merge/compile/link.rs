//! Owns the compiling of hyperlinks: of addresses that hang on the data, and of links that a block cuts through.

use std::ops::Range;

use super::super::field_code::FieldKind;
use super::super::link::TargetPart;
use super::super::problem::{Fault, Problem};
use super::super::program::{LinkPart, Op};
use super::super::region::Field;
use super::super::scope::{Enclosing, Wanted};
use super::super::show::{Show, Source};
use super::super::story::What;
use super::super::tag::{self, Expression, Path, Tag};
use super::super::xml::Element;
use super::{Builder, Compiler};

impl Compiler<'_> {
    /// Writes the start of a hyperlink whose address hangs on the data; false if it is none.
    pub(super) fn merged_link(&mut self, at: usize, enclosing: &Enclosing, builder: &mut Builder) -> bool {
        let What::Open { element: Element::Hyperlink, token, .. } = self.story.atoms[at].what else {
            return false;
        };
        let document = &self.story.document;
        let Some(id) = document.attribute(token, "id") else { return false };
        let Some((code, parts)) = self.story.links.get(&id).cloned() else { return false };
        let span = document.tokens()[token].span.clone();
        let tag = document.slice(span);
        let Some(start) = ['"', '\''].iter().find_map(|quote| {
            let written = format!(":id={quote}{id}{quote}");
            Some(tag.find(&written)? + ":id=".len() + quote.len_utf8())
        }) else {
            return false;
        };
        let (before, after) = (tag[..start].to_owned(), tag[start + id.len()..].to_owned());
        let parts = parts.into_iter().filter_map(|part| self.link_part(part, at, &code, enclosing)).collect();
        self.close_run(builder);
        builder.bytes.extend_from_slice(before.as_bytes());
        self.flush(builder);
        builder.ops.push(Op::Link(parts));
        builder.bytes.extend_from_slice(after.as_bytes());
        self.adds_relationships = true;
        true
    }

    /// Writes an atom that is left of a stretch. Where a link begins there, what follows the stretch is still its text.
    pub(super) fn left_atom(&mut self, at: usize, enclosing: &Enclosing, builder: &mut Builder) {
        if let Some(link) = self.cut_link(at) {
            return self.field_start(link, enclosing, builder);
        }
        if !self.merged_link(at, enclosing, builder) {
            self.raw_atom(at, builder);
        }
    }

    /// Writes the start of a HYPERLINK that a block cuts through, and returns where its text begins.
    pub(super) fn cut_link_start(
        &mut self,
        at: usize,
        enclosing: &Enclosing,
        builder: &mut Builder,
    ) -> Option<usize> {
        let link = self.cut_link(at)?;
        let code = self.code(link).1;
        self.list_field(link, &code, "");
        self.field_start(link, enclosing, builder);
        Some(link.separate.unwrap_or(link.begin) + 1)
    }

    /// The HYPERLINK that begins at an atom, if a block cuts through it.
    pub(super) fn cut_link(&self, at: usize) -> Option<Field> {
        self.cut_links.iter().find(|link| link.begin == at).copied()
    }

    /// Finds the HYPERLINK fields that a block, or a branch of it, cuts through. Only their shown text can hold tags.
    pub(super) fn find_cut_links(&mut self) {
        let stretches: Vec<Range<usize>> = self
            .regions
            .blocks
            .values()
            .flatten()
            .flat_map(|block| {
                let branches = block.branches.iter().map(|branch| branch.from..branch.to);
                branches.chain(std::iter::once(block.from..block.to))
            })
            .collect();
        let is_cut = |field: &Field| {
            let is_inside = |at: usize| field.begin < at && at <= field.end;
            stretches.iter().any(|it| is_inside(it.start) != is_inside(it.end))
        };
        let cut = self.regions.fields.values().filter(|field| !field.is_simple && field.separate.is_some());
        let cut: Vec<Field> = cut.filter(|field| is_cut(field)).copied().collect();
        let is_link = |field: &Field| self.code(*field).1.kind == FieldKind::Hyperlink;
        self.cut_links = cut.into_iter().filter(is_link).collect();
    }

    fn link_part(
        &mut self,
        part: TargetPart,
        at: usize,
        code: &str,
        enclosing: &Enclosing,
    ) -> Option<LinkPart> {
        let expression = match part {
            TargetPart::Literal(literal) => return Some(LinkPart::Literal(literal)),
            TargetPart::Field(name) => Expression::Name(Path { up: 0, is_this: false, name }),
            TargetPart::Tag(inner) => match tag::parse(&inner, false) {
                Ok(Tag::Value { expression, .. }) => expression,
                Ok(Tag::Comment) => return None,
                Ok(_) => {
                    let error = tag::TagError::Unexpected { found: inner };
                    let place = self.story.place(at, code);
                    self.findings.problems.push(Problem::new(Fault::Tag(error), place));
                    return None;
                }
                Err(error) => {
                    let place = self.story.place(at, code);
                    self.findings.problems.push(Problem::new(Fault::Tag(error), place));
                    return None;
                }
            },
        };
        let value = self.expression(expression, Wanted::Value, enclosing, at, code);
        Some(LinkPart::Show(Box::new(Show::plain(Source::Data(value)))))
    }
}
