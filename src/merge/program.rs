//! Owns what a content part compiles to, and how it becomes XML for one letter: static bytes, and the operations between.

use super::barcode::{self, QrLook};
use super::drawing::Look;
use super::escape::{escape_code, escape_text, is_plain};
use super::evaluate::Frames;
use super::related::{Form, ID};
use super::scope::NameNo;
use super::show::{Condition, Show, TextPart};
use super::uri;
use super::xml;

/// A content part, compiled.
#[derive(Debug, Default)]
pub(crate) struct Program {
    /// The bytes that do not depend on the letter, each stretch once.
    pub(crate) statics: Vec<Static>,
    pub(crate) ops: Vec<Op>,
    /// The first number that no drawing of the document has as its id.
    pub(crate) free_id: u32,
    /// The number of the first relationship that a letter adds to the part.
    pub(crate) first_relationship: usize,
    /// Whether letters add relationships to the part.
    pub(crate) adds_relationships: bool,
}

/// Bytes that are the same in every letter.
#[derive(Debug, Default)]
pub(crate) struct Static {
    pub(crate) bytes: Vec<u8>,
    pub(crate) traits: Traits,
}

/// What static bytes contain, as far as a decision hangs on it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Traits {
    /// Something a reader sees, or that must not be lost.
    pub(crate) is_visible: bool,
    /// A table row.
    pub(crate) has_row: bool,
    /// The block that ends last in these bytes.
    pub(crate) last_block: Option<LastBlock>,
}

/// The kind of a block, as far as Word minds what stands at the end of a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LastBlock {
    Paragraph,
    Table,
}

/// What must be there for something to stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Keep {
    /// A paragraph stays if it shows something.
    IfVisible,
    /// A table stays if it has a row.
    IfRows,
}

/// One operation.
#[derive(Debug)]
pub(crate) enum Op {
    Static(usize),
    /// Writes a value.
    Show {
        show: Box<Show>,
        target: Target,
    },
    /// Takes the first branch whose condition holds.
    If(Vec<Branch>),
    /// Repeats the body for each row.
    Each {
        rows: NameNo,
        body: Vec<Op>,
        otherwise: Vec<Op>,
    },
    /// Vanishes as a whole unless it has what it needs.
    Keep {
        keep: Keep,
        ops: Vec<Op>,
    },
    /// The content of something that has to end with a paragraph; the filler is an empty one.
    Guard {
        ops: Vec<Op>,
        filler: usize,
    },
    /// Gives a bookmark a text; writes nothing.
    Set {
        bookmark: String,
        text: Vec<TextPart>,
    },
    /// Static bytes that stand only in the first of the rows around them, since the document may hold them once.
    Once(usize),
    /// The id of a drawing, inside its quotes: the template's in the first row, a new one in others.
    DrawingId(String),
    /// Shows a picture, with the run around it.
    Picture(Box<ShownPicture>),
    /// The id of the relationship to an address, inside its quotes.
    Link(Vec<LinkPart>),
    /// The relationships that a letter adds to the part before this one.
    Relationships(Box<Form>),
    /// Goes on to the next record, if the condition holds.
    Next(Option<Condition>),
    /// Leaves the record out, if the condition holds.
    Skip(Condition),
    /// The first of two forms of the same content: what it does to the records, the second does again.
    Twin(Vec<Op>),
    /// A table in which formulas refer to cells.
    Grid(Vec<Op>),
    /// The next row, and the next cell, of the innermost such table.
    GridRow,
    GridCell,
}

/// A picture in its place.
#[derive(Debug)]
pub(crate) struct ShownPicture {
    pub(crate) what: Shown,
    /// The name of its file, or the text that is drawn.
    pub(crate) name: Vec<TextPart>,
    /// The field or tag as written.
    pub(crate) code: String,
    pub(crate) look: Look,
    /// The start of the run, its properties included, and the prefix of its elements.
    pub(crate) run: Vec<u8>,
    pub(crate) prefix: String,
}

/// Where a picture comes from.
#[derive(Debug)]
pub(crate) enum Shown {
    File,
    /// It is drawn.
    Qr(QrLook),
}

/// A part of an address outside.
#[derive(Debug)]
pub(crate) enum LinkPart {
    /// As the template has it: a URI already.
    Literal(String),
    Show(Box<Show>),
}

#[derive(Debug)]
pub(crate) struct Branch {
    pub(crate) condition: Option<Condition>,
    pub(crate) ops: Vec<Op>,
}

/// Into what a value is written.
#[derive(Debug)]
pub(crate) enum Target {
    /// Inside an open `w:t`; the elements that interrupt it carry this prefix.
    Text { prefix: String },
    /// Inside the code of a field that stays: between quotes.
    Instruction,
    /// Inside the code of a HYPERLINK that stays: its address, or a part of it.
    Address { is_whole: bool },
    /// Inside the quotes of an attribute.
    Attribute,
}

/// Receives a part's XML piece by piece.
pub(crate) trait Sink {
    /// Takes the static bytes of this number.
    fn fixed(&mut self, number: usize, bytes: &[u8]);
    /// Takes bytes of this letter.
    fn text(&mut self, bytes: &[u8]);
}

impl Sink for Vec<u8> {
    fn fixed(&mut self, _number: usize, bytes: &[u8]) {
        self.extend_from_slice(bytes);
    }

    fn text(&mut self, bytes: &[u8]) {
        self.extend_from_slice(bytes);
    }
}

/// Takes everything and keeps nothing.
pub(crate) struct Nowhere;

impl Sink for Nowhere {
    fn fixed(&mut self, _number: usize, _bytes: &[u8]) {}

    fn text(&mut self, _bytes: &[u8]) {}
}

/// What a part may have next, whatever the letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// The static bytes of this number.
    Fixed(usize),
    /// A value.
    Value,
    /// The start of what a letter may lack, or have many times.
    Open { is_repeated: bool },
    /// Its end.
    Close,
}

impl Program {
    /// Goes through all that a letter may have, in the order of the document.
    pub(crate) fn walk(&self, visit: &mut impl FnMut(Step)) {
        walk(&self.ops, visit);
    }

    /// Tells whether the code of a field leads to an address that a value makes.
    pub(crate) fn leads_outside(&self) -> bool {
        fn leads(ops: &[Op]) -> bool {
            ops.iter().any(|op| match op {
                Op::Show { target, .. } => matches!(target, Target::Address { .. }),
                Op::Link(_) => true,
                Op::If(branches) => branches.iter().any(|branch| leads(&branch.ops)),
                Op::Each { body, otherwise, .. } => leads(body) || leads(otherwise),
                Op::Keep { ops, .. } | Op::Guard { ops, .. } | Op::Twin(ops) | Op::Grid(ops) => leads(ops),
                Op::Static(_) | Op::Once(_) | Op::DrawingId(_) | Op::Picture(_) | Op::Relationships(_) => {
                    false
                }
                Op::Set { .. } | Op::Next(_) | Op::Skip(_) | Op::GridRow | Op::GridCell => false,
            })
        }
        leads(&self.ops)
    }

    /// Writes the part's XML for one letter.
    pub(crate) fn render<'f>(&'f self, frames: &mut Frames<'f>, sink: &mut impl Sink) {
        let mut rendering =
            Rendering { program: self, last_block: None, escaped: Vec::new(), text: String::new() };
        rendering.run(&self.ops, frames, sink);
    }
}

fn walk(ops: &[Op], visit: &mut impl FnMut(Step)) {
    fn optional(ops: &[Op], is_repeated: bool, visit: &mut impl FnMut(Step)) {
        visit(Step::Open { is_repeated });
        walk(ops, visit);
        visit(Step::Close);
    }
    for op in ops {
        match op {
            Op::Static(number) => visit(Step::Fixed(*number)),
            Op::Show { .. } => visit(Step::Value),
            Op::If(branches) => branches.iter().for_each(|branch| optional(&branch.ops, false, visit)),
            Op::Each { body, otherwise, .. } => {
                optional(body, true, visit);
                optional(otherwise, false, visit);
            }
            // Most letters have them.
            Op::Keep { ops, .. } | Op::Twin(ops) | Op::Grid(ops) => walk(ops, visit),
            Op::Once(number) => visit(Step::Fixed(*number)),
            Op::DrawingId(_) | Op::Picture(_) | Op::Link(_) | Op::Relationships(_) => visit(Step::Value),
            Op::Set { .. } | Op::Next(_) | Op::Skip(_) | Op::GridRow | Op::GridCell => {}
            Op::Guard { ops, filler } => {
                walk(ops, visit);
                optional(&[Op::Static(*filler)], false, visit);
            }
        }
    }
}

struct Rendering<'f> {
    program: &'f Program,
    last_block: Option<LastBlock>,
    /// Kept to be used again for each value.
    escaped: Vec<u8>,
    text: String,
}

impl<'f> Rendering<'f> {
    fn run(&mut self, ops: &'f [Op], frames: &mut Frames<'f>, sink: &mut impl Sink) {
        for op in ops {
            match op {
                Op::Static(number) => {
                    self.fixed(*number, sink);
                    if frames.is_in_grid()
                        && let Some(fixed) = self.program.statics.get(*number)
                    {
                        frames.note_cell_text(&xml::shown_text(&fixed.bytes));
                    }
                }
                Op::Show { show, target } => {
                    if !frames.is_in_grid()
                        && !matches!(target, Target::Address { .. })
                        && let Some(text) = show.text_as_it_stands(frames)
                        && is_plain(text)
                    {
                        if !text.is_empty() {
                            sink.text(text.as_bytes());
                        }
                        continue;
                    }
                    self.text.clear();
                    show.write(frames, &mut self.text);
                    frames.note_cell_text(&self.text);
                    if is_plain(&self.text) && !matches!(target, Target::Address { .. }) {
                        if !self.text.is_empty() {
                            sink.text(self.text.as_bytes());
                        }
                        continue;
                    }
                    self.escaped.clear();
                    match target {
                        Target::Text { prefix } => escape_text(&self.text, prefix, &mut self.escaped),
                        Target::Address { is_whole } => {
                            let mut address = String::new();
                            uri::append(&self.text, *is_whole, &mut address);
                            if *is_whole && !uri::is_harmless(&address) {
                                frames.related().refuse(&address);
                            }
                            escape_code(&address, &mut self.escaped);
                        }
                        Target::Instruction => escape_code(&self.text, &mut self.escaped),
                        Target::Attribute => xml::escape_into(&self.text, &mut self.escaped),
                    }
                    if !self.escaped.is_empty() {
                        sink.text(&self.escaped);
                    }
                }
                Op::If(branches) => {
                    if let Some(branch) = branches.iter().find(|branch| branch.holds(frames)) {
                        self.run(&branch.ops, frames, sink);
                    }
                }
                Op::Each { rows, body, otherwise } => {
                    let rows = frames.rows(*rows);
                    if rows.is_empty() {
                        self.run(otherwise, frames, sink);
                    }
                    for (index, row) in rows.iter().enumerate() {
                        frames.push(row, index, rows.len());
                        self.run(body, frames, sink);
                        frames.pop();
                    }
                }
                Op::Keep { keep, ops } => {
                    let record = frames.record();
                    let stays = self.has(*keep, ops, frames);
                    frames.return_to(record);
                    if stays {
                        self.run(ops, frames, sink);
                    } else {
                        // What does not stay may still go on to another record.
                        self.run(ops, frames, &mut Nowhere);
                    }
                }
                Op::Guard { ops, filler } => {
                    self.last_block = None;
                    self.run(ops, frames, sink);
                    if self.last_block != Some(LastBlock::Paragraph) {
                        self.fixed(*filler, sink);
                    }
                }
                Op::Once(number) => {
                    if frames.is_first_time() {
                        self.fixed(*number, sink);
                    }
                }
                Op::DrawingId(own) => {
                    if frames.is_first_time() {
                        sink.text(own.as_bytes());
                    } else {
                        let id = frames.related().drawing_id(self.program.free_id);
                        sink.text(id.to_string().as_bytes());
                    }
                }
                Op::Picture(picture) => {
                    self.text.clear();
                    if picture.write_name(frames, &mut self.text) {
                        self.picture(picture, frames, sink);
                    }
                }
                Op::Link(parts) => {
                    self.text.clear();
                    let mut value = String::new();
                    for part in parts {
                        match part {
                            LinkPart::Literal(literal) => self.text.push_str(literal),
                            LinkPart::Show(show) => {
                                value.clear();
                                show.write(frames, &mut value);
                                uri::append(&value, self.text.is_empty(), &mut self.text);
                            }
                        }
                    }
                    if !uri::is_harmless(&self.text) {
                        frames.related().refuse(&self.text);
                    }
                    let number = self.program.first_relationship + frames.related().link(&self.text);
                    sink.text(format!("{ID}{number}").as_bytes());
                }
                Op::Relationships(form) => {
                    self.escaped.clear();
                    frames.related().write(form, &mut self.escaped);
                    if !self.escaped.is_empty() {
                        sink.text(&self.escaped);
                    }
                }
                Op::Set { bookmark, text } => frames.set_bookmark(bookmark, text),
                Op::Next(condition) => {
                    if condition.as_ref().is_none_or(|condition| condition.holds(frames)) {
                        frames.next_record();
                    }
                }
                Op::Skip(condition) => {
                    if condition.holds(frames) {
                        frames.skip_record();
                    }
                }
                Op::Twin(ops) => {
                    let record = frames.record();
                    self.run(ops, frames, sink);
                    frames.return_to(record);
                }
                Op::Grid(ops) => {
                    // A formula may refer to cells that come after it, so the table is written once for its texts.
                    let record = frames.record();
                    frames.open_grid();
                    self.run(ops, frames, &mut Nowhere);
                    frames.rewind_grid();
                    frames.return_to(record);
                    self.run(ops, frames, sink);
                    frames.close_grid();
                }
                Op::GridRow => frames.next_row(),
                Op::GridCell => frames.next_cell(),
            }
        }
    }

    /// Writes the picture of the name that is in `text`.
    fn picture(&mut self, shown: &'f ShownPicture, frames: &mut Frames<'f>, sink: &mut impl Sink) {
        let related = frames.related();
        let name = self.text.trim();
        let found = match &shown.what {
            Shown::File => related.picture(name, &shown.code),
            Shown::Qr(look) => related.drawn(name, barcode::qr(name, look)),
        };
        let Some((number, picture)) = found else { return };
        let id = related.drawing_id(self.program.free_id);
        let number = self.program.first_relationship + number;
        self.escaped.clear();
        self.escaped.extend_from_slice(&shown.run);
        shown.look.write(&shown.prefix, (&picture, name), (number, id), &mut self.escaped);
        self.escaped.extend_from_slice(format!("</{}r>", shown.prefix).as_bytes());
        sink.text(&self.escaped);
    }

    fn fixed(&mut self, number: usize, sink: &mut impl Sink) {
        let Some(fixed) = self.program.statics.get(number) else { return };
        sink.fixed(number, &fixed.bytes);
        self.last_block = fixed.traits.last_block.or(self.last_block);
    }

    /// Tells whether any of the operations brings what is needed to stay.
    fn has(&mut self, keep: Keep, ops: &'f [Op], frames: &mut Frames<'f>) -> bool {
        ops.iter().any(|op| match op {
            Op::Static(number) => self.program.statics.get(*number).is_some_and(|fixed| match keep {
                Keep::IfVisible => fixed.traits.is_visible,
                Keep::IfRows => fixed.traits.has_row,
            }),
            Op::Show { show, .. } => {
                keep == Keep::IfVisible && {
                    self.text.clear();
                    show.shows_something(frames, &mut self.text)
                }
            }
            Op::If(branches) => {
                let branch = branches.iter().find(|branch| branch.holds(frames));
                branch.is_some_and(|branch| self.has(keep, &branch.ops, frames))
            }
            Op::Each { rows, body, otherwise } => {
                let rows = frames.rows(*rows);
                if rows.is_empty() {
                    return self.has(keep, otherwise, frames);
                }
                rows.iter().enumerate().any(|(index, row)| {
                    frames.push(row, index, rows.len());
                    let has = self.has(keep, body, frames);
                    frames.pop();
                    has
                })
            }
            Op::Picture(picture) => {
                self.text.clear();
                keep == Keep::IfVisible && picture.write_name(frames, &mut self.text)
            }
            Op::Keep { ops, .. } | Op::Guard { ops, .. } | Op::Twin(ops) | Op::Grid(ops) => {
                self.has(keep, ops, frames)
            }
            Op::Set { bookmark, text } => {
                frames.set_bookmark(bookmark, text);
                false
            }
            Op::Next(condition) => {
                if condition.as_ref().is_none_or(|condition| condition.holds(frames)) {
                    frames.next_record();
                }
                false
            }
            Op::Skip(_) | Op::GridRow | Op::GridCell | Op::Once(_) | Op::DrawingId(_) => false,
            Op::Link(_) | Op::Relationships(_) => false,
        })
    }
}

impl Op {
    /// Tells whether it writes the same in every letter, but for ids.
    pub(crate) fn is_fixed(&self) -> bool {
        matches!(self, Op::Static(_) | Op::Once(_) | Op::DrawingId(_) | Op::Link(_))
    }
}

impl ShownPicture {
    /// Writes the name of the file; false if nothing is to be shown, since the values in it are blank.
    fn write_name<'f>(&'f self, frames: &Frames<'f>, out: &mut String) -> bool {
        let mut has_value = false;
        for part in &self.name {
            match part {
                TextPart::Literal(literal) => out.push_str(literal),
                TextPart::Show(show) => {
                    let before = out.len();
                    show.write(frames, out);
                    has_value |= !out[before..].trim().is_empty();
                }
            }
        }
        has_value
    }
}

impl Branch {
    fn holds<'f>(&'f self, frames: &Frames<'f>) -> bool {
        self.condition.as_ref().is_none_or(|condition| condition.holds(frames))
    }
}
