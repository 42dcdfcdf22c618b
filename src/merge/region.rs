//! Owns what belongs together in a content part: the begin and end of fields, and the stretch that a block takes in,
//! whether tags mark it or merge fields.
//!
//! A block stands for what its tags stand around: text, when both are in one paragraph; paragraphs, when each stands
//! alone in one; rows, when they are in different cells of one row or in rows of one table.

use std::collections::BTreeMap;
use std::ops::Range;

use super::instruction::{self, Mark};
use super::problem::{Fault, Problem};
use super::story::{Story, What};
use super::tag::{self, Block, Expression, Image, NESTING_LIMIT, Path, Tag};
use super::xml::Element;

/// A field: the atoms of its marks. A simple field begins at its start tag and ends at its end tag.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Field {
    pub(crate) begin: usize,
    pub(crate) separate: Option<usize>,
    pub(crate) end: usize,
    pub(crate) is_simple: bool,
}

/// A block of tags, or a region between merge fields.
#[derive(Clone, Debug)]
pub(crate) struct Region {
    pub(crate) block: Block,
    /// What it is called in a message: `each`, `TableStart:Items`.
    pub(crate) name: String,
    /// The first tag or the code of the first field as written, and the atom that it begins at.
    pub(crate) code: String,
    pub(crate) tag: usize,
    /// Whether merge fields mark it, not tags.
    pub(crate) is_mark: bool,
    /// The atoms that the block replaces.
    pub(crate) from: usize,
    pub(crate) to: usize,
    pub(crate) branches: Vec<RegionBranch>,
}

/// What a block holds up to its next `{{else}}` or its end.
#[derive(Clone, Debug)]
pub(crate) struct RegionBranch {
    /// The condition of an `{{else if}}`.
    pub(crate) condition: Option<Expression<Path>>,
    pub(crate) from: usize,
    pub(crate) to: usize,
}

/// The structure of a content part.
#[derive(Debug, Default)]
pub(crate) struct Regions {
    /// Fields by the atom that they begin at.
    pub(crate) fields: BTreeMap<usize, Field>,
    /// Blocks by the atom that they begin at, outer ones first.
    pub(crate) blocks: BTreeMap<usize, Vec<Region>>,
    /// The elements, by their start, that held nothing but tags of blocks.
    pub(crate) dropped: BTreeMap<usize, usize>,
    /// The fields that mark regions, by the atom that they begin at.
    pub(crate) marks: BTreeMap<usize, Mark>,
    /// What the tags that show values ask for, by atom.
    pub(crate) values: BTreeMap<usize, Expression<Path>>,
    /// The tags that show pictures, by atom.
    pub(crate) images: BTreeMap<usize, Image>,
}

impl Regions {
    /// Finds all fields and blocks of a content part, and reports those that have no end.
    pub(crate) fn find(story: &Story, problems: &mut Vec<Problem>) -> Regions {
        let mut regions = Regions::default();
        regions.find_fields(story, problems);
        regions.find_marks(story);
        regions.find_blocks(story, problems);
        regions
    }

    fn find_fields(&mut self, story: &Story, problems: &mut Vec<Problem>) {
        // A field cannot leave its text box, note or comment, so each has a stack of its own.
        let mut stacks: Vec<Vec<Field>> = vec![Vec::new()];
        for (position, atom) in story.atoms.iter().enumerate() {
            match &atom.what {
                What::Open { element: Element::TextBox | Element::Note | Element::Comment, .. } => {
                    stacks.push(Vec::new());
                }
                What::Close { element: Element::TextBox | Element::Note | Element::Comment, .. } => {
                    report_open(story, stacks.pop().unwrap_or_default(), problems);
                }
                What::Open { element: Element::SimpleField, close, .. } => {
                    let field = Field { begin: position, separate: None, end: *close, is_simple: true };
                    self.fields.insert(position, field);
                }
                What::Begin { .. } => {
                    let field = Field { begin: position, separate: None, end: 0, is_simple: false };
                    stacks.last_mut().into_iter().for_each(|stack| stack.push(field));
                }
                What::Separate { .. } => match stacks.last_mut().and_then(|stack| stack.last_mut()) {
                    Some(field) if field.separate.is_none() => field.separate = Some(position),
                    _ => problems.push(Problem::new(Fault::StrayFieldMark, story.place(position, ""))),
                },
                What::End { .. } => match stacks.last_mut().and_then(Vec::pop) {
                    Some(field) => {
                        let too_deep = stacks.last().is_some_and(|stack| stack.len() > NESTING_LIMIT);
                        if too_deep {
                            problems.push(Problem::new(
                                Fault::Tag(tag::TagError::TooDeep),
                                story.place(position, ""),
                            ));
                        } else {
                            self.fields.insert(field.begin, Field { end: position, ..field });
                        }
                    }
                    None => problems.push(Problem::new(Fault::StrayFieldMark, story.place(position, ""))),
                },
                _ => {}
            }
        }
        report_open(story, stacks.pop().unwrap_or_default(), problems);
    }

    /// Finds the merge fields that mark regions. Inside other fields there are none: a region repeats what stands in
    /// the text.
    fn find_marks(&mut self, story: &Story) {
        let mut outside = 0;
        for (begin, field) in &self.fields {
            if *begin < outside {
                continue;
            }
            outside = field.end;
            let (_, code) = instruction::read(story, &self.fields, *field);
            if let Some(mark) = Mark::of(&code) {
                self.marks.insert(*begin, mark);
            }
        }
    }

    fn find_blocks(&mut self, story: &Story, problems: &mut Vec<Problem>) {
        let mut open: Vec<Opened> = Vec::new();
        for (position, atom) in story.atoms.iter().enumerate() {
            if let Some(mark) = self.marks.get(&position).cloned() {
                self.mark(story, position, mark, &mut open, problems);
                continue;
            }
            let What::Tag { inner, code, is_raw, .. } = &atom.what else { continue };
            let mut report = |fault| problems.push(Problem::new(fault, story.place(position, code)));
            match tag::parse(inner, *is_raw) {
                Err(error) => report(Fault::Tag(error)),
                Ok(Tag::Comment) => {}
                Ok(Tag::Value { expression, .. }) => {
                    self.values.insert(position, expression);
                }
                Ok(Tag::Image(image)) => {
                    self.images.insert(position, image);
                }
                Ok(Tag::Open(_)) if open.len() >= NESTING_LIMIT => report(Fault::Tag(tag::TagError::TooDeep)),
                Ok(Tag::Open(block)) => {
                    let (code, span) = (code.clone(), position..position + 1);
                    open.push(Opened { block, code, span, mark: None, elses: Vec::new() });
                }
                Ok(Tag::Else(condition)) => match open.last_mut() {
                    Some(opened) if opened.takes_else(condition.is_some()) => {
                        opened.elses.push((position, condition));
                    }
                    _ => report(Fault::StrayBlockTag { tag: code.clone() }),
                },
                Ok(Tag::Close(name)) => {
                    match open.pop_if(|opened| opened.mark.is_none() && opened.block.name() == name) {
                        Some(opened) => self.close(story, opened, position..position + 1, problems),
                        None => report(Fault::StrayBlockTag { tag: code.clone() }),
                    }
                }
            }
        }
        for opened in open {
            let fault = match &opened.mark {
                Some(mark) => Fault::UnclosedRegion { start: mark.name(), end: mark.end_name() },
                None => Fault::UnclosedBlock { name: opened.name() },
            };
            problems.push(Problem::new(fault, story.place(opened.span.start, &opened.code)));
        }
        // Blocks were placed when they ended, so inner ones came first.
        for blocks in self.blocks.values_mut() {
            blocks.sort_by_key(|region| (std::cmp::Reverse(region.to), region.tag));
        }
    }

    /// Takes a merge field that starts or ends a region.
    fn mark(
        &mut self,
        story: &Story,
        position: usize,
        mark: Mark,
        open: &mut Vec<Opened>,
        problems: &mut Vec<Problem>,
    ) {
        let Some(field) = self.fields.get(&position) else { return };
        let span = position..field.end + 1;
        let code = format!("MERGEFIELD {}", mark.name());
        if !mark.is_start {
            match open.pop_if(|opened| opened.mark.as_ref().is_some_and(|start| start.ends_with(&mark))) {
                Some(opened) => self.close(story, opened, span, problems),
                None => {
                    let fault = Fault::StrayBlockTag { tag: mark.name() };
                    problems.push(Problem::new(fault, story.place(position, &code)));
                }
            }
        } else if open.len() >= NESTING_LIMIT {
            let fault = Fault::Tag(tag::TagError::TooDeep);
            problems.push(Problem::new(fault, story.place(position, &code)));
        } else {
            let block = Block::Each(Path { up: 0, is_this: false, name: mark.rows.clone() });
            open.push(Opened { block, code, span, mark: Some(mark), elses: Vec::new() });
        }
    }

    fn close(&mut self, story: &Story, opened: Opened, end: Range<usize>, problems: &mut Vec<Problem>) {
        let (name, code, start) = (opened.name(), opened.code.clone(), opened.span.start);
        if !self.place_block(story, opened, end) {
            problems.push(Problem::new(Fault::CrossingBlock { name }, story.place(start, &code)));
        }
    }

    /// Decides what a block takes in. False if its tags are at places that do not belong together.
    fn place_block(&mut self, story: &Story, opened: Opened, end: Range<usize>) -> bool {
        let (starts, ends) = (around(story, opened.span.start), around(story, end.start));
        let n_shared = starts.iter().zip(&ends).take_while(|(a, b)| a == b).count();
        let shared = &starts[..n_shared];
        let element = |position: usize| story.opened(position).map(|(element, _)| element);
        let in_paragraph =
            shared.iter().rposition(|it| element(*it) == Some(Element::Paragraph)).is_some_and(|paragraph| {
                !shared[paragraph..].iter().any(|it| element(*it) == Some(Element::TextBox))
            });
        if in_paragraph {
            return self.place_inline(opened, end);
        }
        if let Some(row) = shared.iter().rev().find_map(|it| match element(*it) {
            Some(Element::Row) => Some(Some(*it)),
            Some(Element::Cell | Element::Table | Element::Body | Element::TextBox) => Some(None),
            _ => None,
        }) && let Some(row) = row
        {
            let Some((_, close)) = story.opened(row) else { return false };
            let whole = RegionBranch { condition: None, from: row, to: close + 1 };
            return opened.elses.is_empty() && self.insert(opened.region(row, close + 1, vec![whole]));
        }
        let (Some(first), Some(last)) = (starts.get(n_shared).copied(), ends.get(n_shared).copied()) else {
            return false;
        };
        let (Some((first_element, first_close)), Some((last_element, last_close))) =
            (story.opened(first), story.opened(last))
        else {
            return false;
        };
        let both = |wanted: Element| first_element == wanted && last_element == wanted;
        let (first_is_bare, last_is_bare) = (self.is_bare(story, first), self.is_bare(story, last));
        // Regions of merge fields that take in whole paragraphs repeat them.
        let is_whole = opened.mark.is_some()
            && self.is_blank(story, first..opened.span.start)
            && self.is_blank(story, end.end..last_close);
        if both(Element::Paragraph) && !(first_is_bare && last_is_bare) && !is_whole {
            return self.place_inline(opened, end);
        }
        let may_vanish = |bare: bool, element: Element| match element {
            Element::Row => true,
            Element::Paragraph => bare || is_whole,
            Element::ContentControl => bare,
            _ => false,
        };
        if !may_vanish(first_is_bare, first_element) || !may_vanish(last_is_bare, last_element) {
            return false;
        }
        let from = if first_is_bare { first_close + 1 } else { first };
        let to = if last_is_bare { last } else { last_close + 1 };
        let mut branches = vec![RegionBranch { condition: None, from, to }];
        for (position, condition) in &opened.elses {
            let Some(divider) = around(story, *position).get(n_shared).copied() else { return false };
            let Some((_, divider_close)) = story.opened(divider) else { return false };
            if !self.is_bare(story, divider) || divider <= first || divider_close >= last {
                return false;
            }
            self.dropped.insert(divider, divider_close);
            branches.iter_mut().last().into_iter().for_each(|branch| branch.to = divider);
            branches.push(RegionBranch { condition: condition.clone(), from: divider_close + 1, to });
        }
        for (bare, position, close) in [(first_is_bare, first, first_close), (last_is_bare, last, last_close)]
        {
            if bare {
                self.dropped.insert(position, close);
            }
        }
        self.insert(opened.region(from, to, branches))
    }

    fn place_inline(&mut self, opened: Opened, end: Range<usize>) -> bool {
        let mut branches = vec![RegionBranch { condition: None, from: opened.span.end, to: end.start }];
        for (position, condition) in &opened.elses {
            branches.iter_mut().last().into_iter().for_each(|branch| branch.to = *position);
            branches.push(RegionBranch { condition: condition.clone(), from: position + 1, to: end.start });
        }
        let from = opened.span.start;
        self.insert(opened.region(from, end.end, branches))
    }

    fn insert(&mut self, region: Region) -> bool {
        self.blocks.entry(region.from).or_default().push(region);
        true
    }

    /// Tells whether an element holds nothing but what marks blocks and comments.
    fn is_bare(&self, story: &Story, position: usize) -> bool {
        story.opened(position).is_some_and(|(_, close)| self.is_blank(story, position..close + 1))
    }

    /// Tells whether there is nothing between two atoms but what marks blocks and comments.
    fn is_blank(&self, story: &Story, range: Range<usize>) -> bool {
        let mut at = range.start;
        while at < range.end {
            if self.marks.contains_key(&at)
                && let Some(field) = self.fields.get(&at)
            {
                at = field.end + 1;
                continue;
            }
            if !is_unseen(&story.atoms[at].what) {
                return false;
            }
            at += 1;
        }
        true
    }
}

/// A block whose end is still to come.
struct Opened {
    block: Block,
    /// The first tag or field as written.
    code: String,
    /// The atoms of the first tag or field.
    span: Range<usize>,
    /// The field that starts it, if it is a region of fields.
    mark: Option<Mark>,
    elses: Vec<(usize, Option<Expression<Path>>)>,
}

impl Opened {
    fn name(&self) -> String {
        self.mark.as_ref().map_or_else(|| self.block.name().to_owned(), Mark::name)
    }

    fn takes_else(&self, is_else_if: bool) -> bool {
        let is_over = self.elses.last().is_some_and(|(_, condition)| condition.is_none());
        match self.block {
            _ if self.mark.is_some() => false,
            Block::If(_) | Block::Unless(_) => !is_over,
            Block::Each(_) => self.elses.is_empty() && !is_else_if,
            Block::With(_) => false,
        }
    }

    fn region(self, from: usize, to: usize, branches: Vec<RegionBranch>) -> Region {
        let (name, is_mark) = (self.name(), self.mark.is_some());
        let Opened { block, code, span, .. } = self;
        Region { block, name, code, tag: span.start, is_mark, from, to, branches }
    }
}

fn report_open(story: &Story, open: Vec<Field>, problems: &mut Vec<Problem>) {
    for field in open {
        let code: String = story.atoms[field.begin..]
            .iter()
            .take(20)
            .filter_map(|atom| match &atom.what {
                What::Instruction { text, .. } => Some(text.as_str()),
                _ => None,
            })
            .collect();
        problems.push(Problem::new(Fault::UnclosedField, story.place(field.begin, code.trim())));
    }
}

/// The elements around an atom, outermost first.
fn around(story: &Story, atom: usize) -> Vec<usize> {
    let mut chain: Vec<usize> =
        std::iter::successors(story.atoms[atom].parent, |position| story.atoms[*position].parent).collect();
    chain.reverse();
    chain
}

/// Tells whether an atom is no content: a tag of a block, a blank, the frame of an element.
fn is_unseen(what: &What) -> bool {
    match what {
        What::Raw { is_visible, element, .. } => {
            !is_visible
                && !matches!(element, Element::BookmarkStart | Element::BookmarkEnd | Element::RangeMark)
        }
        What::Piece { is_visible, element, .. } => !is_visible || *element == Element::Tab,
        What::Text { text, .. } => text.trim().is_empty(),
        What::Tag { inner, is_raw, .. } => {
            !matches!(tag::parse(inner, *is_raw), Ok(Tag::Value { .. } | Tag::Image(_)))
        }
        What::Begin { .. } | What::Enter { .. } | What::Open { element: Element::SimpleField, .. } => false,
        What::Open { .. }
        | What::Close { .. }
        | What::Leave { .. }
        | What::Separate { .. }
        | What::End { .. }
        | What::Instruction { .. } => true,
    }
}

/// The code of the tag at an atom.
pub(crate) fn code_of(story: &Story, atom: usize) -> &str {
    match story.atoms.get(atom).map(|atom| &atom.what) {
        Some(What::Tag { code, .. }) => code,
        _ => "",
    }
}
