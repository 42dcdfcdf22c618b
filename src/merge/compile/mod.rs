//! Owns the compiler: from a content part's atoms to the operations that write it for one letter. Faults are collected,
//! and what is at fault stays as it stands.

mod address;
mod computed;
mod barcode;
mod field;
mod link;
mod picture;
mod repeat;
mod rest;
mod write;

use std::collections::BTreeMap;

use super::address::AddressPart;
use super::format::NumberSymbols;
use super::language::Languages;
use super::odd_value::WatchList;
use super::problem::{Fault, Place, Problem};
use super::program::{Branch, Keep, LastBlock, Op, Program, Static, Target, Traits};
use super::property::Properties;
use super::region::{self, Field, Region, Regions};
use super::scope::{Enclosing, NameNo, NameUse, Names, Wanted};
use super::show::{Condition, Show, Source};
use super::story::{Story, What};
use super::tag::call::Helper;
use super::tag::{Block, Expression, Path};
use super::template::FieldUse;
use super::xml::Element;

/// What compiling gathers over all parts of a document.
#[derive(Debug)]
pub(crate) struct Findings {
    pub(crate) names: Names,
    /// The place of each use of a name, by its number.
    pub(crate) places: Vec<Place>,
    pub(crate) fields: Vec<FieldUse>,
    pub(crate) problems: Vec<Problem>,
    pub(crate) warnings: Vec<Problem>,
    /// The fields and tags that not every value fits.
    pub(crate) watched: WatchList,
    /// Names between « and » in the text, which may be meant as merge fields.
    pub(crate) typed: Vec<(String, Place)>,
    pub(crate) languages: Languages,
    /// The signs that the document's pictures and formulas are written with.
    pub(crate) picture: NumberSymbols,
    pub(crate) list_separator: char,
    /// The names of the bookmarks that SET and ASK fill, in upper case.
    pub(crate) bookmarks: Vec<String>,
    /// The columns that Word maps to the parts of its address book, by the template's settings.
    pub(crate) mapped: BTreeMap<AddressPart, String>,
    /// Whether NEXT or NEXTIF occurs.
    pub(crate) takes_several: bool,
    /// Whether lines whose fields are all blank stay (`w:doNotSuppressBlankLines` of the settings).
    pub(crate) keeps_blank_lines: bool,
    /// The document's properties and variables.
    pub(crate) properties: Properties,
    /// The width of the page's text column, in twentieths of a point.
    pub(crate) column_twips: u64,
}

impl Findings {
    pub(crate) fn new() -> Findings {
        Findings {
            names: Names::new(),
            places: Vec::new(),
            fields: Vec::new(),
            problems: Vec::new(),
            warnings: Vec::new(),
            watched: WatchList::default(),
            typed: Vec::new(),
            languages: Languages::default(),
            picture: NumberSymbols { decimal: ".".to_owned(), group: ",".to_owned() },
            list_separator: ',',
            bookmarks: Vec::new(),
            mapped: BTreeMap::new(),
            takes_several: false,
            keeps_blank_lines: false,
            properties: Properties::default(),
            column_twips: 9_026,
        }
    }

    /// Gives the names that have just been added their place, and lists them.
    pub(crate) fn note_names(&mut self, place: Place) {
        for name_use in &self.names.uses()[self.places.len()..] {
            self.fields.push(FieldUse {
                name: name_use.path.name.clone(),
                kind: if name_use.is_tag { "tag" } else { "MERGEFIELD" }.to_owned(),
                code: place.code.clone(),
                part: place.part.clone(),
                paragraph: place.paragraph,
            });
        }
        self.places.resize(self.names.uses().len(), place);
    }
}

/// Something that the document asks to be written where it has no field: the personal comment at a bookmark.
#[derive(Clone, Debug)]
pub(crate) struct Insertion {
    /// The atoms that it replaces; none if `from` equals `to`.
    pub(crate) from: usize,
    pub(crate) to: usize,
    /// The run whose formatting it takes.
    pub(crate) run: Option<usize>,
    pub(crate) what: Inserted,
    pub(crate) place: Place,
}

/// What an insertion writes.
#[derive(Clone, Debug)]
pub(crate) enum Inserted {
    /// The value of a name, as a run.
    Value(String),
    /// The reference to the Word comment of this id, if `comment` is not blank.
    Reference { id: u32 },
    /// The Word comment of this id, if `comment` is not blank.
    Annotation { id: u32 },
}

/// Compiles a content part.
pub(crate) fn compile(story: &Story, insertions: &[Insertion], findings: &mut Findings) -> Program {
    let regions = Regions::find(story, &mut findings.problems);
    let insertions = insertions.iter().map(|insertion| (insertion.from, insertion.clone())).collect();
    let mut compiler = Compiler {
        story,
        regions,
        insertions,
        findings,
        statics: Vec::new(),
        branch_text: BTreeMap::new(),
        n_repeats: 0,
        in_code: Code::Outside,
        adds_relationships: false,
        in_grid: false,
        cut_links: Vec::new(),
    };
    compiler.find_bookmarks();
    compiler.find_cut_links();
    let ops = compiler.range(0, story.atoms.len(), 0, &Enclosing::default());
    Program {
        ops,
        free_id: repeat::free_id(&story.document),
        first_relationship: 0,
        adds_relationships: compiler.adds_relationships,
        statics: compiler.statics,
    }
}

struct Compiler<'s> {
    story: &'s Story,
    regions: Regions,
    insertions: BTreeMap<usize, Insertion>,
    findings: &'s mut Findings,
    statics: Vec<Static>,
    /// The text that a field's code contributes to the branch that is being compiled, by atom.
    branch_text: BTreeMap<usize, String>,
    /// How many blocks repeat what is being compiled.
    n_repeats: usize,
    /// Whether values go into the code of a field that stays.
    in_code: Code,
    /// Whether pictures or addresses of the letter's own have been met.
    adds_relationships: bool,
    /// Whether formulas refer to the cells of the table that is being compiled.
    in_grid: bool,
    /// The HYPERLINK fields that begin or end inside a block, or inside one branch of it, and have their other end outside.
    cut_links: Vec<Field>,
}

/// Where values go, as far as fields that stay are concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Code {
    Outside,
    /// Into the code of a field.
    Inside,
    /// Into the code of a HYPERLINK, as its address or as a part of it.
    Address,
    AddressPart,
}

impl Code {
    fn is_code(self) -> bool {
        self != Code::Outside
    }
}

/// Operations under construction: static bytes are gathered until something else comes.
#[derive(Default)]
struct Builder {
    ops: Vec<Op>,
    bytes: Vec<u8>,
    traits: Traits,
    /// The run whose start tag was written last and whose end tag was not.
    open_run: Option<usize>,
}

impl Compiler<'_> {
    /// Compiles the atoms `from..to`; the first `skip` blocks that begin at `from` are being compiled already.
    fn range(&mut self, from: usize, to: usize, skip: usize, enclosing: &Enclosing) -> Vec<Op> {
        let mut builder = Builder::default();
        let mut at = from;
        while at < to {
            let n_entered = if at == from { skip } else { 0 };
            at = self.step(at, to, n_entered, enclosing, &mut builder);
        }
        if self.insertions.get(&to).is_some_and(|insertion| insertion.to == to)
            && let Some(insertion) = self.insertions.remove(&to)
        {
            self.insertion(&insertion, enclosing, &mut builder);
        }
        self.finish(builder)
    }

    /// Compiles what begins at one atom and returns where the next begins.
    fn step(
        &mut self,
        at: usize,
        to: usize,
        n_entered: usize,
        enclosing: &Enclosing,
        builder: &mut Builder,
    ) -> usize {
        if let Some(region) = self.regions.blocks.get(&at).and_then(|regions| regions.get(n_entered)).cloned()
        {
            if region.to <= to {
                self.close_run(builder);
                self.block(&region, n_entered, enclosing, builder);
                // A block without content is passed by; the atom after it is still to come.
                return if region.to > at {
                    region.to
                } else {
                    self.step(at, to, n_entered + 1, enclosing, builder)
                };
            }
            let place = self.story.place(region.tag, &region.code);
            self.findings.problems.push(Problem::new(Fault::CrossingBlock { name: region.name }, place));
        }
        if let Some(close) = self.regions.dropped.get(&at) {
            return close + 1;
        }
        if let Some(insertion) = self.insertions.remove(&at) {
            self.insertion(&insertion, enclosing, builder);
            if insertion.to > at {
                return insertion.to;
            }
        }
        if let Some(after) = self.cut_link_start(at, enclosing, builder) {
            return after;
        }
        if let Some(field) = self.regions.fields.get(&at).copied()
            && field.end < to
        {
            self.field(field, enclosing, builder);
            return field.end + 1;
        }
        if self.merged_link(at, enclosing, builder) {
            return at + 1;
        }
        match &self.story.atoms[at].what {
            What::Open { element, close, .. } if *close < to => {
                let (element, close) = (*element, *close);
                if self.container(element, at, close, enclosing, builder) {
                    return close + 1;
                }
                self.raw_atom(at, builder);
            }
            What::Instruction { .. } => {
                if let Some(text) = self.branch_text.get(&at).cloned() {
                    self.text(at, &text, builder);
                }
            }
            What::Tag { run, .. } => {
                if let Some(expression) = self.regions.values.remove(&at) {
                    let (run, code) = (*run, region::code_of(self.story, at).to_owned());
                    let value = self.expression(expression, Wanted::Value, enclosing, at, &code);
                    let mut show = Show::plain(Source::Data(value));
                    show.language = self.findings.languages.of_run(self.story, Some(run), at);
                    let place = self.story.place(at, &code);
                    self.findings.watched.add_tag(&show.source, &place);
                    self.show(show, Some(run), builder);
                } else if let Some(image) = self.regions.images.remove(&at) {
                    self.image_tag(at, image, enclosing, builder);
                }
            }
            _ => self.raw_atom(at, builder),
        }
        at + 1
    }

    /// Compiles an element whose presence or content hangs on what is inside. False if it is like any other.
    fn container(
        &mut self,
        element: Element,
        at: usize,
        close: usize,
        enclosing: &Enclosing,
        builder: &mut Builder,
    ) -> bool {
        // What begins in it and ends behind it is written as a whole.
        if element != Element::Row && self.crosses(at, close) {
            return false;
        }
        match element {
            Element::Paragraph => {
                let ops = self.range(at + 1, close, 0, enclosing);
                let may_vanish = !self.findings.keeps_blank_lines
                    && self.is_removable(at, close)
                    && self.marks_pair_up(at, close)
                    && ops.iter().any(|op| !op.is_fixed())
                    && !self.has_static(&ops, |traits| traits.is_visible);
                self.wrapped(at, close, ops, may_vanish.then_some(Keep::IfVisible), builder);
                true
            }
            Element::Table => {
                let has_grid = self.refers_to_cells(at, close);
                let was_in_grid = std::mem::replace(&mut self.in_grid, has_grid);
                let mut ops = self.range(at + 1, close, 0, enclosing);
                self.in_grid = was_in_grid;
                if has_grid {
                    ops = vec![Op::Grid(ops)];
                }
                let may_vanish =
                    ops.iter().any(|op| !op.is_fixed()) && !self.has_static(&ops, |traits| traits.has_row);
                self.wrapped(at, close, ops, may_vanish.then_some(Keep::IfRows), builder);
                true
            }
            Element::Row if self.in_grid => {
                self.close_run(builder);
                self.flush(builder);
                builder.ops.push(Op::GridRow);
                false
            }
            Element::Choice if self.has_twin(close) => {
                let ops = self.range(at + 1, close, 0, enclosing);
                let ops = vec![Op::Twin(ops)];
                self.wrapped(at, close, ops, None, builder);
                true
            }
            Element::Cell
            | Element::TextBox
            | Element::Header
            | Element::Footer
            | Element::Note
            | Element::Comment
            | Element::ContentControlContent => {
                if self.in_grid && element == Element::Cell {
                    self.close_run(builder);
                    self.flush(builder);
                    builder.ops.push(Op::GridCell);
                }
                let ops = self.range(at + 1, close, 0, enclosing);
                let holds_blocks = element != Element::ContentControlContent
                    || self.children(at, close).any(|child| self.is_block(child));
                let is_certain = ops.iter().rev().find_map(|op| self.ends_certainly(op)).unwrap_or(false);
                if holds_blocks && !is_certain && ops.iter().any(|op| !op.is_fixed()) {
                    let filler = format!("<{0}p/>", self.prefix(at));
                    let mut filling = Builder::default();
                    filling.bytes.extend_from_slice(filler.as_bytes());
                    filling.traits.last_block = Some(LastBlock::Paragraph);
                    self.flush(&mut filling);
                    let Some(Op::Static(filler)) = filling.ops.pop() else { return false };
                    self.raw_atom(at, builder);
                    self.flush(builder);
                    builder.ops.push(Op::Guard { ops, filler });
                    self.raw_atom(close, builder);
                } else {
                    self.wrapped(at, close, ops, None, builder);
                }
                true
            }
            _ => false,
        }
    }

    /// Writes an element around its compiled content.
    fn wrapped(&mut self, at: usize, close: usize, ops: Vec<Op>, keep: Option<Keep>, builder: &mut Builder) {
        self.close_run(builder);
        match keep {
            Some(keep) => {
                let mut inner = Builder::default();
                self.raw_atom(at, &mut inner);
                self.append(ops, &mut inner);
                self.raw_atom(close, &mut inner);
                let ops = self.finish(inner);
                self.flush(builder);
                builder.ops.push(Op::Keep { keep, ops });
            }
            None => {
                self.raw_atom(at, builder);
                self.append(ops, builder);
                self.raw_atom(close, builder);
            }
        }
    }

    fn block(&mut self, region: &Region, n_entered: usize, enclosing: &Enclosing, builder: &mut Builder) {
        let code = region.code.clone();
        let mut branches = region.branches.iter();
        let Some(first) = branches.next() else { return };
        let inner = |compiler: &mut Self, branch: &region::RegionBranch, enclosing: &Enclosing| {
            let skip = if branch.from == region.from { n_entered + 1 } else { 0 };
            let mut builder = Builder::default();
            compiler.rest(region.from..branch.from, region.to, enclosing, &mut builder);
            let ops = compiler.range(branch.from, branch.to, skip, enclosing);
            compiler.append(ops, &mut builder);
            compiler.rest(branch.to..region.to, region.to, enclosing, &mut builder);
            compiler.finish(builder)
        };
        let op = match &region.block {
            Block::If(condition) | Block::Unless(condition) => {
                let condition =
                    self.expression(condition.clone(), Wanted::Test, enclosing, region.tag, &code);
                let condition = match region.block {
                    Block::Unless(_) => Expression::Call(Helper::Not, vec![condition]),
                    _ => condition,
                };
                let ops = inner(self, first, enclosing);
                let mut compiled = vec![Branch { condition: Some(Condition::Tag(condition)), ops }];
                let mut is_total = false;
                for branch in branches {
                    is_total |= branch.condition.is_none();
                    let condition = branch.condition.clone().map(|condition| {
                        Condition::Tag(self.expression(condition, Wanted::Test, enclosing, region.tag, &code))
                    });
                    let ops = inner(self, branch, enclosing);
                    compiled.push(Branch { condition, ops });
                }
                if !is_total {
                    let ops = self.nothing(region.from, region.to, enclosing);
                    compiled.push(Branch { condition: None, ops });
                }
                Op::If(compiled)
            }
            Block::Each(path) => {
                let rows = self.rows(path.clone(), enclosing, region);
                let scope = self.findings.names.add_scope(enclosing.scope, rows);
                let inside = Enclosing { scope, within: None };
                // Rows are written one after the other, so what one leaves open the next has to close.
                let body = if self.is_symmetric(first.from, first.to) {
                    self.range_entered(first, region, n_entered, &inside)
                } else {
                    let name = region.name.clone();
                    let place = self.story.place(region.tag, &code);
                    self.findings.problems.push(Problem::new(Fault::CrossingBlock { name }, place));
                    Vec::new()
                };
                let otherwise = match branches.next() {
                    Some(branch) => inner(self, branch, enclosing),
                    None => self.nothing(region.from, region.to, enclosing),
                };
                Op::Each { rows, body, otherwise }
            }
            Block::With(path) => {
                let inside = enclosing.with(path);
                let ops = inner(self, first, &inside);
                self.append(ops, builder);
                return;
            }
        };
        self.flush(builder);
        builder.ops.push(op);
    }

    fn range_entered(
        &mut self,
        branch: &region::RegionBranch,
        region: &Region,
        n_entered: usize,
        enclosing: &Enclosing,
    ) -> Vec<Op> {
        let skip = if branch.from == region.from { n_entered + 1 } else { 0 };
        self.n_repeats += 1;
        let ops = self.range(branch.from, branch.to, skip, enclosing);
        self.n_repeats -= 1;
        ops
    }

    /// Compiles what is left of a stretch that is not shown.
    fn nothing(&mut self, from: usize, to: usize, enclosing: &Enclosing) -> Vec<Op> {
        let mut builder = Builder::default();
        self.rest(from..to, to, enclosing, &mut builder);
        self.finish(builder)
    }
}

impl Compiler<'_> {
    fn expression(
        &mut self,
        expression: Expression<Path>,
        wanted: Wanted,
        enclosing: &Enclosing,
        at: usize,
        code: &str,
    ) -> Expression<NameNo> {
        let compiled = self.findings.names.add_expression(expression, enclosing, wanted);
        self.note_names(at, code);
        compiled
    }

    /// Notes the name of the rows that a block repeats.
    fn rows(&mut self, path: Path, enclosing: &Enclosing, region: &Region) -> NameNo {
        let Enclosing { scope, within } = enclosing.clone();
        let number = self.findings.names.add(NameUse {
            scope,
            path,
            within,
            wanted: Wanted::Rows,
            is_tag: !region.is_mark,
            is_optional: false,
            candidates: Vec::new(),
        });
        self.note_names(region.tag, &region.code);
        number
    }

    /// Gives the names that a tag has just added their place, and lists the tag with them.
    fn note_names(&mut self, at: usize, code: &str) {
        self.findings.note_names(self.story.place(at, code));
    }

    fn insertion(&mut self, insertion: &Insertion, enclosing: &Enclosing, builder: &mut Builder) {
        self.close_run(builder);
        let prefix = self.run_prefix(None);
        match &insertion.what {
            Inserted::Value(name) => {
                let show = self.inserted_name(name, insertion, enclosing);
                self.show(show, insertion.run, builder);
            }
            Inserted::Reference { id } => {
                let mut inner = Builder::default();
                let xml = format!("<{prefix}r><{prefix}commentReference {prefix}id=\"{id}\"/></{prefix}r>");
                inner.bytes.extend_from_slice(xml.as_bytes());
                self.unless_blank(inner, insertion, enclosing, builder);
            }
            Inserted::Annotation { id } => {
                let mut inner = Builder::default();
                inner.bytes.extend_from_slice(
                    format!("<{prefix}comment {prefix}id=\"{id}\" {prefix}author=\"").as_bytes(),
                );
                self.flush(&mut inner);
                let show = Box::new(self.inserted_name("salesperson.name", insertion, enclosing));
                inner.ops.push(Op::Show { show, target: Target::Attribute });
                let start = format!(
                    "\"><{prefix}p><{prefix}r><{prefix}annotationRef/></{prefix}r><{prefix}r><{prefix}t xml:space=\"preserve\">"
                );
                inner.bytes.extend_from_slice(start.as_bytes());
                self.flush(&mut inner);
                let show = Box::new(self.inserted_name("comment", insertion, enclosing));
                inner.ops.push(Op::Show { show, target: Target::Text { prefix: prefix.clone() } });
                let end = format!("</{prefix}t></{prefix}r></{prefix}p></{prefix}comment>");
                inner.bytes.extend_from_slice(end.as_bytes());
                self.unless_blank(inner, insertion, enclosing, builder);
            }
        }
        self.rest(insertion.from..insertion.to, insertion.to, enclosing, builder);
    }

    fn inserted_name(&mut self, name: &str, insertion: &Insertion, enclosing: &Enclosing) -> Show {
        let path = Path { up: 0, is_this: false, name: name.to_owned() };
        let (scope, wanted) = (enclosing.scope, Wanted::Value);
        let number = self.findings.names.add(NameUse {
            scope,
            path,
            within: None,
            wanted,
            is_tag: true,
            is_optional: false,
            candidates: Vec::new(),
        });
        self.findings.places.push(insertion.place.clone());
        Show::plain(Source::Data(Expression::Name(number)))
    }

    fn unless_blank(
        &mut self,
        inner: Builder,
        insertion: &Insertion,
        enclosing: &Enclosing,
        builder: &mut Builder,
    ) {
        let condition = match self.inserted_name("comment", insertion, enclosing).source {
            Source::Data(comment) => Some(Condition::Tag(comment)),
            _ => None,
        };
        let ops = self.finish(inner);
        self.flush(builder);
        builder.ops.push(Op::If(vec![Branch { condition, ops }]));
    }
}
