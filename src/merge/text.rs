//! Owns plain texts with tags: subjects, file names, the bodies of e-mails. Fails on a tag that is not understood, with
//! its line.

use std::sync::Arc;

use super::customs::Customs;
use super::evaluate::{Circumstances, Frames};
use super::name::{FieldMap, Namespace, Need};
use super::picture::Pictures;
use super::problem::Fault;
use super::scope::{Binding, Enclosing, NameNo, NameUse, Names, Slot, Wanted};
use super::show::{Condition, Show, Source, TextPart};
use super::tag::call::Helper;
use super::tag::{self, Block, Expression, NESTING_LIMIT, Tag, TagError};
use super::template::{Moment, RenderError};
use super::value::Frame;

/// How values are written into a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Escape {
    /// As they are.
    None,
    /// With `&`, `<`, `>` and quotes as HTML entities, except in `{{{…}}}`.
    Html,
}

/// A text with tags, understood.
#[derive(Clone, Debug)]
pub struct Text {
    program: Arc<Program>,
}

/// A text whose names are resolved; cheap to clone.
#[derive(Clone, Debug)]
pub struct BoundText {
    program: Arc<Program>,
    needs: Arc<[Need]>,
    slots: Arc<[Slot]>,
}

#[derive(Debug)]
struct Program {
    nodes: Vec<Node>,
    names: Names,
    /// The byte of the tag that uses each name.
    places: Vec<(usize, usize)>,
    escape: Escape,
    customs: Customs,
}

#[derive(Debug)]
enum Node {
    Static(String),
    Value { expression: Expression<NameNo>, is_raw: bool },
    If(Vec<Branch>),
    Each { rows: NameNo, body: Vec<Node>, otherwise: Vec<Node> },
}

/// A branch of a condition; without a condition it is the `{{else}}`.
#[derive(Debug)]
struct Branch {
    condition: Option<Expression<NameNo>>,
    body: Vec<Node>,
}

/// Why a text is not understood.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{error}")]
pub struct TextError {
    /// What is wrong.
    pub error: TagError,
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
}

/// A name in a text that has no value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{fault}")]
pub struct TextProblem {
    /// What is wrong.
    pub fault: Fault,
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
}

/// Compiles a text with tags into the parts of a field's value; its names are added to those of a document.
pub(crate) fn parts(source: &str, names: &mut Names) -> Result<Vec<TextPart>, TagError> {
    let mut compiler = Compiler::new(source);
    compiler.names = std::mem::take(names);
    let result = compiler.run();
    *names = compiler.names;
    result.map_err(|error| error.error)?;
    text_parts(compiler.nodes)
}

fn text_parts(nodes: Vec<Node>) -> Result<Vec<TextPart>, TagError> {
    let shown = |source| TextPart::Show(Box::new(Show::plain(source)));
    let part = |node| {
        Ok(match node {
            Node::Static(text) => TextPart::Literal(text),
            Node::Value { expression, .. } => shown(Source::Data(expression)),
            Node::If(branches) => {
                let mut otherwise = Vec::new();
                for Branch { condition, body } in branches.into_iter().rev() {
                    let then = text_parts(body)?;
                    otherwise = match condition {
                        Some(condition) => {
                            let condition = Condition::Tag(condition);
                            vec![shown(Source::Choice { condition, then, otherwise })]
                        }
                        None => then,
                    };
                }
                shown(Source::Text(otherwise))
            }
            // Rows have a line of their own by `join`.
            Node::Each { .. } => return Err(TagError::Unexpected { found: "#each".to_owned() }),
        })
    };
    nodes.into_iter().map(part).collect()
}

impl Text {
    /// Compiles a text with tags. A line that holds nothing but a block's tag leaves no line behind.
    ///
    /// # Errors
    ///
    /// The first tag that is not understood, or a block without its end.
    ///
    /// # Example
    ///
    /// ```
    /// # use mailrun::merge::{Escape, Frame, Moment, Namespace, Text, Value};
    /// let mut names = Namespace::new();
    /// names.value("contact.first_name");
    /// let subject = Text::compile("{{first_name}}, spring is here", Escape::None)?;
    /// let subject = subject.bind(&names).expect("the name is declared");
    /// let moment = Moment { now: "2026-03-01T09:00:00".parse()?, locale: "en".to_owned(), record: 1, sequence: 1 };
    /// assert_eq!(subject.render(&Frame(vec![Value::text("Ann")]), &moment)?, "Ann, spring is here");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn compile(source: &str, escape: Escape) -> Result<Text, TextError> {
        let mut compiler = Compiler::new(source);
        compiler.run()?;
        let Compiler { nodes, names, places, .. } = compiler;
        Ok(Text { program: Arc::new(Program { nodes, names, places, escape, customs: Customs::default() }) })
    }

    /// Resolves the names of the text; reports all that have no value.
    pub fn bind(&self, namespace: &Namespace) -> Result<BoundText, Vec<TextProblem>> {
        let Binding { needs, slots } =
            self.program.names.bind(namespace, &FieldMap::new()).map_err(|faults| {
                let problem = |(name, fault): (NameNo, Fault)| {
                    let (line, column) = self.program.places.get(name).copied().unwrap_or((1, 1));
                    TextProblem { fault, line, column }
                };
                faults.into_iter().map(problem).collect::<Vec<_>>()
            })?;
        Ok(BoundText { program: Arc::clone(&self.program), needs: needs.into(), slots: slots.into() })
    }
}

impl BoundText {
    /// Returns what the text wants in its frame, position by position.
    pub fn needs(&self) -> &[Need] {
        &self.needs
    }

    /// Renders the text for one frame.
    pub fn render(&self, frame: &Frame, moment: &Moment) -> Result<String, RenderError> {
        let contexts = self.program.customs.contexts(&moment.locale);
        let pictures = Pictures::default();
        let circumstances = Circumstances { moment, contexts: &contexts, pictures: &pictures };
        let mut frames = Frames::new(std::slice::from_ref(frame), &self.slots, circumstances);
        let mut out = String::new();
        self.program.render(&self.program.nodes, &mut frames, &mut out);
        Ok(out)
    }
}

impl Program {
    fn render<'f>(&'f self, nodes: &'f [Node], frames: &mut Frames<'f>, out: &mut String) {
        for node in nodes {
            match node {
                Node::Static(text) => out.push_str(text),
                Node::Value { expression, is_raw } => {
                    let value = frames.evaluate(expression);
                    let text = frames.text(&value);
                    match self.escape {
                        Escape::Html if !is_raw => escape_html(&text, out),
                        Escape::Html | Escape::None => out.push_str(&text),
                    }
                }
                Node::If(branches) => {
                    let holds = |branch: &&'f Branch| match &branch.condition {
                        Some(condition) => frames.evaluate(condition).is_true(),
                        None => true,
                    };
                    if let Some(branch) = branches.iter().find(holds) {
                        self.render(&branch.body, frames, out);
                    }
                }
                Node::Each { rows, body, otherwise } => {
                    let rows = frames.rows(*rows);
                    if rows.is_empty() {
                        self.render(otherwise, frames, out);
                    }
                    for (index, row) in rows.iter().enumerate() {
                        frames.push(row, index, rows.len());
                        self.render(body, frames, out);
                        frames.pop();
                    }
                }
            }
        }
    }
}

fn escape_html(text: &str, out: &mut String) {
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
    }
}

/// The state of compiling: the nodes of the innermost open block, and the blocks around it.
struct Compiler<'s> {
    source: &'s str,
    nodes: Vec<Node>,
    open: Vec<Opened>,
    enclosing: Enclosing,
    names: Names,
    places: Vec<(usize, usize)>,
}

/// A block whose end has not come yet.
struct Opened {
    at: usize,
    name: &'static str,
    /// The nodes before it, in the block around it.
    outer: Vec<Node>,
    outer_enclosing: Enclosing,
    kind: OpenedKind,
}

enum OpenedKind {
    /// The branches that are complete, and the condition of the one that is being read.
    If {
        done: Vec<Branch>,
        condition: Option<Expression<NameNo>>,
    },
    /// The body, once its `{{else}}` has come.
    Each {
        rows: NameNo,
        body: Option<Vec<Node>>,
    },
    With,
}

impl<'s> Compiler<'s> {
    fn new(source: &'s str) -> Compiler<'s> {
        Compiler {
            source,
            nodes: Vec::new(),
            open: Vec::new(),
            enclosing: Enclosing::default(),
            names: Names::new(),
            places: Vec::new(),
        }
    }

    fn run(&mut self) -> Result<(), TextError> {
        let mut at = 0;
        while let Some(found) =
            tag::find(self.source, at).map_err(|start| self.error(start, TagError::Unclosed))?
        {
            let start = found.span.start;
            let tag = tag::parse(&self.source[found.inner.clone()], found.is_raw)
                .map_err(|error| self.error(start, error))?;
            let (text_end, next) = match &tag {
                Tag::Value { .. } | Tag::Image(_) => (start, found.span.end),
                Tag::Open(_) | Tag::Else(_) | Tag::Close(_) | Tag::Comment => {
                    whole_line(self.source, at, found.span.clone())
                }
            };
            self.push_static(&self.source[at..text_end]);
            at = next;
            self.tag(tag, start).map_err(|error| self.error(start, error))?;
            let place = line_and_column(self.source, start);
            self.places.resize(self.names.uses().len(), place);
        }
        self.push_static(&self.source[at..]);
        match self.open.last() {
            Some(open) => Err(self.error(open.at, TagError::UnclosedBlock { name: open.name.to_owned() })),
            None => Ok(()),
        }
    }

    fn tag(&mut self, tag: Tag, at: usize) -> Result<(), TagError> {
        match tag {
            Tag::Comment => Ok(()),
            Tag::Image(_) => Err(TagError::Picture),
            Tag::Value { expression, is_raw } => {
                let expression = self.names.add_expression(expression, &self.enclosing, Wanted::Value);
                self.nodes.push(Node::Value { expression, is_raw });
                Ok(())
            }
            Tag::Open(block) => self.open(block, at),
            Tag::Else(condition) => {
                let stray = TagError::StrayBlockTag { tag: "{{else}}".to_owned() };
                let Some(opened) = self.open.last_mut() else { return Err(stray) };
                let branch = std::mem::take(&mut self.nodes);
                match (&mut opened.kind, condition) {
                    (OpenedKind::If { done, condition }, next) => {
                        let Some(finished) = condition.take() else { return Err(stray) };
                        done.push(Branch { condition: Some(finished), body: branch });
                        *condition =
                            next.map(|it| self.names.add_expression(it, &self.enclosing, Wanted::Test));
                        Ok(())
                    }
                    (OpenedKind::Each { body: body @ None, .. }, None) => {
                        *body = Some(branch);
                        self.enclosing = opened.outer_enclosing.clone();
                        Ok(())
                    }
                    (OpenedKind::Each { .. } | OpenedKind::With, _) => Err(stray),
                }
            }
            Tag::Close(name) => {
                let stray = || TagError::StrayBlockTag { tag: format!("{{{{/{name}}}}}") };
                let Some(opened) = self.open.pop_if(|opened| opened.name == name) else {
                    return Err(stray());
                };
                let last = std::mem::replace(&mut self.nodes, opened.outer);
                self.enclosing = opened.outer_enclosing;
                match opened.kind {
                    OpenedKind::If { mut done, condition } => {
                        done.push(Branch { condition, body: last });
                        self.nodes.push(Node::If(done));
                    }
                    OpenedKind::Each { rows, body } => {
                        let (body, otherwise) = match body {
                            Some(body) => (body, last),
                            None => (last, Vec::new()),
                        };
                        self.nodes.push(Node::Each { rows, body, otherwise });
                    }
                    OpenedKind::With => self.nodes.extend(last),
                }
                Ok(())
            }
        }
    }

    fn open(&mut self, block: Block, at: usize) -> Result<(), TagError> {
        if self.open.len() >= NESTING_LIMIT {
            return Err(TagError::TooDeep);
        }
        let name = block.name();
        let outer_enclosing = self.enclosing.clone();
        let kind = match block {
            Block::If(condition) => {
                let condition = self.names.add_expression(condition, &self.enclosing, Wanted::Test);
                OpenedKind::If { done: Vec::new(), condition: Some(condition) }
            }
            Block::Unless(condition) => {
                let condition = self.names.add_expression(condition, &self.enclosing, Wanted::Test);
                let condition = Expression::Call(Helper::Not, vec![condition]);
                OpenedKind::If { done: Vec::new(), condition: Some(condition) }
            }
            Block::Each(path) => {
                let Enclosing { scope, within } = self.enclosing.clone();
                let rows = self.names.add(NameUse {
                    scope,
                    path,
                    within,
                    wanted: Wanted::Rows,
                    is_tag: true,
                    is_optional: false,
                    candidates: Vec::new(),
                });
                self.enclosing = Enclosing { scope: self.names.add_scope(scope, rows), within: None };
                OpenedKind::Each { rows, body: None }
            }
            Block::With(path) => {
                self.enclosing = self.enclosing.with(&path);
                OpenedKind::With
            }
        };
        let outer = std::mem::take(&mut self.nodes);
        self.open.push(Opened { at, name, outer, outer_enclosing, kind });
        Ok(())
    }

    fn push_static(&mut self, text: &str) {
        if !text.is_empty() {
            self.nodes.push(Node::Static(text.to_owned()));
        }
    }

    fn error(&self, at: usize, error: TagError) -> TextError {
        let (line, column) = line_and_column(self.source, at);
        TextError { error, line, column }
    }
}

/// If a tag stands alone on its line: where the text before it ends and the text after it begins, without the line.
fn whole_line(source: &str, from: usize, span: std::ops::Range<usize>) -> (usize, usize) {
    let before = &source[from..span.start];
    let line_start = before.rfind('\n').map_or(from, |at| from + at + 1);
    let starts_line = line_start > from || from == 0 || source[..from].ends_with('\n');
    let after = &source[span.end..];
    let line_end = after.find('\n').map_or(after.len(), |at| at + 1);
    let ends_line = after[..line_end].ends_with('\n') || line_end == after.len();
    let alone = source[line_start..span.start].trim().is_empty() && after[..line_end].trim().is_empty();
    // A text of one line, such as a subject, keeps its blanks: only real lines vanish.
    if alone && starts_line && ends_line && source.contains('\n') {
        (line_start, span.end + line_end)
    } else {
        (span.start, span.end)
    }
}

fn line_and_column(source: &str, at: usize) -> (usize, usize) {
    let before = &source[..at];
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
}

impl TextError {
    /// Returns the place in the text.
    pub fn place(&self) -> String {
        format!("line {}, column {}", self.line, self.column)
    }

    /// Returns what to do about it, where that is sure.
    pub fn help(&self) -> Option<String> {
        self.error.help()
    }

    /// Returns the stable name of the error.
    pub fn id(&self) -> &'static str {
        self.error.id()
    }
}

impl TextProblem {
    /// Returns the place in the text.
    pub fn place(&self) -> String {
        format!("line {}, column {}", self.line, self.column)
    }

    /// Returns what to do about it, where that is sure.
    pub fn help(&self) -> Option<String> {
        self.fault.help()
    }

    /// Returns the stable name of the problem.
    pub fn id(&self) -> &'static str {
        self.fault.id()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::merge::value::Value;

    fn namespace() -> Namespace {
        let mut orders = Namespace::new();
        orders.column("item", "Item");
        orders.column("amount", "Amount");
        let mut names = Namespace::new();
        names.value("contact.first_name");
        names.value("contact.city");
        names.rows("orders", orders);
        names
    }

    fn moment() -> Moment {
        let now = jiff::civil::date(2026, 3, 1).at(9, 0, 0, 0);
        Moment { now, locale: "en".to_owned(), record: 1, sequence: 1 }
    }

    /// Fills the frame that the needs ask for from a fixed contact.
    fn fill(needs: &[Need]) -> Frame {
        let contact = [Value::text("Ann & Bo"), Value::Blank];
        let orders = [["Tea", "3"], ["Milk", "12"]];
        let fill_one = |need: &Need| match need {
            Need::Value(entry) => contact[*entry].clone(),
            Need::Rows(_, needs) => Value::Rows(
                orders
                    .iter()
                    .map(|order| {
                        Frame(
                            needs
                                .iter()
                                .map(|need| match need {
                                    Need::Value(entry) => Value::text(order[*entry]),
                                    Need::Rows(..) => Value::Blank,
                                })
                                .collect(),
                        )
                    })
                    .collect(),
            ),
        };
        Frame(needs.iter().map(fill_one).collect())
    }

    fn check(source: &str, expected: &str) {
        let text = Text::compile(source, Escape::None).expect("compiles").bind(&namespace()).expect("binds");
        assert_eq!(text.render(&fill(text.needs()), &moment()).expect("renders"), expected, "{source}");
    }

    fn check_error(source: &str, expected: &str) {
        let error = Text::compile(source, Escape::None).expect_err(source);
        assert_eq!(format!("{}: {error}", error.place()), expected);
    }

    #[test]
    fn tags_are_filled() {
        check("Hello {{first_name}}!", "Hello Ann & Bo!");
        check("{{contact.first_name}}{{! a note }}", "Ann & Bo");
        check("{{#if city}}in {{city}}{{else}}away{{/if}}", "away");
        check("{{#if city}}a{{else if first_name}}b{{else}}c{{/if}}", "b");
        check("{{#unless city}}none{{/unless}}", "none");
        check("{{#each orders}}{{@index}}{{item}}{{#unless @last}}, {{/unless}}{{/each}}", "0Tea, 1Milk");
        check(
            "{{#each orders}}{{this.item}} for {{../first_name}} {{first_name}};{{/each}}",
            "Tea for Ann & Bo Ann & Bo;Milk for Ann & Bo Ann & Bo;",
        );
        check("{{#each orders}}{{#if (gt amount 5)}}{{amount}}{{/if}}{{/each}}", "12");
        check("{{#if orders}}some{{/if}}", "some");
        check("{{#with contact}}{{upper first_name}}{{/with}}", "ANN & BO");
        check("{{default city 'nowhere'}}", "nowhere");
    }

    #[test]
    fn a_line_with_a_block_tag_alone_leaves_no_line() {
        check("a\n{{#each orders}}\n- {{item}}\n{{/each}}\nb\n", "a\n- Tea\n- Milk\nb\n");
        check("a\n{{#if city}}\nx\n{{else}}\ny\n{{/if}}\n", "a\ny\n");
    }

    #[test]
    fn html_is_escaped_unless_asked_for() {
        let text = Text::compile("{{first_name}} {{{first_name}}}", Escape::Html).expect("compiles");
        let text = text.bind(&namespace()).expect("binds");
        let rendered = text.render(&fill(text.needs()), &moment()).expect("renders");
        assert_eq!(rendered, "Ann &amp; Bo Ann & Bo");
    }

    #[test]
    fn wrong_tags_are_reported_with_their_line() {
        check_error("a\nb {{#if x}}", "line 2, column 3: block `if` has no end");
        check_error("{{/if}}", "line 1, column 1: `{{/if}}` without its block");
        check_error("{{else}}", "line 1, column 1: `{{else}}` without its block");
        check_error("{{#if a}}{{/each}}", "line 1, column 10: `{{/each}}` without its block");
        check_error("a {{b", "line 1, column 3: tag has no end");
        check_error(&"{{#if a}}".repeat(100), "line 1, column 577: blocks nest deeper than 64");
    }

    #[test]
    fn unknown_names_are_reported_also_in_conditions_and_rows() {
        let text = Text::compile(
            "{{#if typo}}{{/if}}{{#each orders}}\n{{itm}}{{/each}}{{orders}}{{#each city}}{{/each}}",
            Escape::None,
        );
        let problems = text.expect("compiles").bind(&namespace()).expect_err("names are unknown");
        let shown: Vec<String> = problems
            .iter()
            .map(|it| format!("{}: {it}; {}", it.place(), it.help().unwrap_or_default()))
            .collect();
        assert_eq!(
            shown,
            [
                "line 1, column 1: tag `typo` has no value; write the name of a column of the data, or one that docs/formats.md lists",
                "line 2, column 1: tag `itm` has no value; did you mean `Item` (item)?",
                "line 2, column 17: `orders` is a table, not one value; repeat it: `{{#each orders}}` … `{{/each}}`",
                "line 2, column 27: `city` has no rows to repeat; only a child table can be repeated",
            ]
        );
    }
}
