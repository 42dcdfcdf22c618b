//! Owns the writing of static bytes and values: runs are opened and closed around pieces, and stretches gathered.

use super::super::program::{LastBlock, Op, Static, Target};
use super::super::show::Show;
use super::super::story::What;
use super::super::xml::{self, Element};
use super::{Builder, Code, Compiler};

impl Compiler<'_> {
    /// Writes an atom as it stands.
    pub(super) fn raw_atom(&mut self, at: usize, builder: &mut Builder) {
        let story = self.story;
        let document = &story.document;
        match &story.atoms[at].what {
            What::Open { token, element, .. } => {
                self.close_run(builder);
                builder.traits.has_row |= *element == Element::Row;
                self.markup(document.slice(document.tokens()[*token].span.clone()), builder);
            }
            What::Close { token, element, .. } => {
                self.close_run(builder);
                match element {
                    Element::Paragraph => builder.traits.last_block = Some(LastBlock::Paragraph),
                    Element::Table => builder.traits.last_block = Some(LastBlock::Table),
                    _ => {}
                }
                builder
                    .bytes
                    .extend_from_slice(document.slice(document.tokens()[*token].span.clone()).as_bytes());
            }
            What::Raw { element, span, is_visible, .. } => {
                self.close_run(builder);
                builder.traits.is_visible |= is_visible;
                if *element == Element::Paragraph {
                    builder.traits.last_block = Some(LastBlock::Paragraph);
                }
                if self.is_mark(at) {
                    self.mark(document.slice(span.clone()), builder);
                } else {
                    self.markup(document.slice(span.clone()), builder);
                }
            }
            What::Piece { run, span, is_visible, .. } => {
                builder.traits.is_visible |= is_visible;
                self.in_run(*run, builder);
                if self.is_mark(at) {
                    self.mark(document.slice(span.clone()), builder);
                } else {
                    self.markup(document.slice(span.clone()), builder);
                }
            }
            What::Begin { run, span, .. } => {
                builder.traits.is_visible = true;
                self.in_run(*run, builder);
                builder.bytes.extend_from_slice(document.slice(span.clone()).as_bytes());
            }
            What::Separate { run, span } | What::End { run, span } | What::Instruction { run, span, .. } => {
                self.in_run(*run, builder);
                builder.bytes.extend_from_slice(document.slice(span.clone()).as_bytes());
            }
            What::Text { run, text } => self.literal(text, Some(*run), builder),
            What::Enter { run } => {
                builder.traits.is_visible = true;
                self.in_run(*run, builder);
                // What follows is inside the run; it is open, but not for pieces.
                builder.open_run = None;
            }
            What::Leave { run } => {
                self.close_run(builder);
                builder.open_run = Some(*run);
            }
            What::Tag { .. } => {}
        }
    }

    /// Writes text of a branch in the run that its code stands in.
    pub(super) fn text(&mut self, at: usize, text: &str, builder: &mut Builder) {
        if let What::Instruction { run, .. } = &self.story.atoms[at].what {
            let run = *run;
            self.literal(text, Some(run), builder);
        }
    }

    /// Writes text that is the same in every letter.
    pub(super) fn literal(&mut self, text: &str, run: Option<usize>, builder: &mut Builder) {
        if text.is_empty() {
            return;
        }
        builder.traits.is_visible = true;
        self.start_text(run, builder);
        xml::escape_into(text, &mut builder.bytes);
        self.end_text(run, builder);
    }

    /// Writes a value.
    pub(super) fn show(&mut self, show: Show, run: Option<usize>, builder: &mut Builder) {
        let target = if self.in_code.is_code() {
            self.close_run(builder);
            self.start_run(run, builder);
            let prefix = self.run_prefix(run);
            builder.bytes.extend_from_slice(format!("<{prefix}instrText xml:space=\"preserve\">").as_bytes());
            match self.in_code {
                Code::Address => Target::Address { is_whole: true },
                Code::AddressPart => Target::Address { is_whole: false },
                Code::Outside | Code::Inside => Target::Instruction,
            }
        } else {
            self.start_text(run, builder);
            Target::Text { prefix: self.run_prefix(run) }
        };
        self.flush(builder);
        builder.ops.push(Op::Show { show: Box::new(show), target });
        if self.in_code.is_code() {
            let prefix = self.run_prefix(run);
            builder.bytes.extend_from_slice(format!("</{prefix}instrText></{prefix}r>").as_bytes());
        } else {
            self.end_text(run, builder);
        }
    }

    pub(super) fn start_text(&mut self, run: Option<usize>, builder: &mut Builder) {
        self.close_run(builder);
        self.start_run(run, builder);
        let prefix = self.run_prefix(run);
        builder.bytes.extend_from_slice(format!("<{prefix}t xml:space=\"preserve\">").as_bytes());
    }

    pub(super) fn end_text(&mut self, run: Option<usize>, builder: &mut Builder) {
        let prefix = self.run_prefix(run);
        builder.bytes.extend_from_slice(format!("</{prefix}t></{prefix}r>").as_bytes());
    }

    pub(super) fn start_run(&mut self, run: Option<usize>, builder: &mut Builder) {
        match run.and_then(|run| self.story.runs.get(run)) {
            Some(run) => {
                let document = &self.story.document;
                builder.bytes.extend_from_slice(document.slice(run.start_tag.clone()).as_bytes());
                builder.bytes.extend_from_slice(document.slice(run.properties.clone()).as_bytes());
            }
            None => builder.bytes.extend_from_slice(format!("<{}r>", self.run_prefix(None)).as_bytes()),
        }
    }

    /// Makes sure that a run is open, so that a piece of it can be written.
    pub(super) fn in_run(&mut self, run: usize, builder: &mut Builder) {
        if builder.open_run != Some(run) {
            self.close_run(builder);
            self.start_run(Some(run), builder);
            builder.open_run = Some(run);
        }
    }

    pub(super) fn close_run(&self, builder: &mut Builder) {
        if let Some(run) = builder.open_run.take() {
            builder.bytes.extend_from_slice(format!("</{}r>", self.run_prefix(Some(run))).as_bytes());
        }
    }

    pub(super) fn run_prefix(&self, run: Option<usize>) -> String {
        match run.and_then(|run| self.story.runs.get(run)).or_else(|| self.story.runs.first()) {
            Some(run) => run.prefix.clone(),
            None => self.prefix(0),
        }
    }

    pub(super) fn prefix(&self, at: usize) -> String {
        let root = self.story.atoms[at..].iter().find_map(|atom| match &atom.what {
            What::Open { token, .. } => Some(self.story.document.prefix(*token).to_owned()),
            _ => None,
        });
        root.unwrap_or_else(|| "w:".to_owned())
    }

    /// Appends compiled operations; static bytes at the seam become one.
    pub(super) fn append(&mut self, ops: Vec<Op>, builder: &mut Builder) {
        self.close_run(builder);
        for op in ops {
            match op {
                Op::Static(number) => {
                    // Its bytes move on into the longer stretch; the number stays, empty and unused.
                    let moved = std::mem::take(&mut self.statics[number]);
                    builder.bytes.extend_from_slice(&moved.bytes);
                    builder.traits.is_visible |= moved.traits.is_visible;
                    builder.traits.has_row |= moved.traits.has_row;
                    builder.traits.last_block = moved.traits.last_block.or(builder.traits.last_block);
                }
                op => {
                    self.flush(builder);
                    builder.ops.push(op);
                }
            }
        }
    }

    /// Turns the gathered bytes into an operation.
    pub(super) fn flush(&mut self, builder: &mut Builder) {
        let traits = std::mem::take(&mut builder.traits);
        if builder.bytes.is_empty() {
            return;
        }
        let bytes = std::mem::take(&mut builder.bytes);
        self.statics.push(Static { bytes, traits });
        builder.ops.push(Op::Static(self.statics.len() - 1));
    }

    pub(super) fn finish(&mut self, mut builder: Builder) -> Vec<Op> {
        self.close_run(&mut builder);
        self.flush(&mut builder);
        builder.ops
    }
}
