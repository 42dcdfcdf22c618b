//! Owns the compiling of hyperlinks whose address hangs on the data.

use super::super::link::TargetPart;
use super::super::problem::{Fault, Problem};
use super::super::program::{LinkPart, Op};
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
