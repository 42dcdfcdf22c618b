//! Owns the fields that come to a text of their own: what each needs, and whether all of it is known when a letter is made.

use std::sync::Arc;

use super::super::field_code::{FieldCode, FieldKind, Operand, PartContent};
use super::super::format::Format;
use super::super::formula::Formula;
use super::super::instruction::CodePiece;
use super::super::problem::{Fault, Problem};
use super::super::program::Op;
use super::super::property::Property;
use super::super::region::Field;
use super::super::scope::{Enclosing, NameUse, Wanted};
use super::super::show::{Condition, Show, Source, TextPart};
use super::super::story::What;
use super::super::tag::Path;
use super::field::keyword;
use super::{Builder, Compiler};

impl Compiler<'_> {
    /// Notes the bookmarks that SET and ASK fill, before anything refers to them.
    pub(super) fn find_bookmarks(&mut self) {
        let fields: Vec<Field> = self.regions.fields.values().copied().collect();
        for field in fields {
            let (_, code) = self.code(field);
            if matches!(code.kind, FieldKind::Set | FieldKind::Ask)
                && let Some(name) = code.arguments.first().and_then(Operand::literal)
            {
                self.findings.bookmarks.push(name.trim().to_uppercase());
            }
        }
    }

    /// Tells whether a field comes to a text that hangs on nothing but the data: no page number, no live field.
    pub(super) fn computes(&self, code: &FieldCode) -> bool {
        match &code.kind {
            FieldKind::MergeField | FieldKind::MergeRec | FieldKind::MergeSeq => true,
            FieldKind::Date | FieldKind::Time | FieldKind::AddressBlock | FieldKind::GreetingLine => true,
            FieldKind::Quote | FieldKind::FillIn => self.all_compute(code.arguments.iter()),
            FieldKind::If => code.comparison().is_some() && self.all_compute(code.arguments.iter()),
            FieldKind::Compare => code.comparison().is_some() && self.all_compute(code.arguments.iter()),
            FieldKind::Formula => self.formula(code).is_some_and(|formula| {
                self.all_compute(code.arguments.iter())
                    && formula.names().all(|name| self.is_set(name) || is_cell(name))
            }),
            FieldKind::Ref => {
                let name = code.arguments.first().and_then(Operand::literal);
                name.is_some_and(|name| self.is_set(&name))
            }
            FieldKind::Unknown(name) if self.is_set(name) => true,
            _ => self.property(code).is_some(),
        }
    }

    /// Tells whether an IF can be decided when the letter is made.
    pub(super) fn can_compute(&self, code: &FieldCode, pieces: &[(usize, CodePiece)]) -> bool {
        match code.comparison() {
            Some(comparison) => self.all_compute([comparison.left, comparison.right].into_iter()),
            None => pieces.len() > 1,
        }
    }

    pub(super) fn all_compute<'o>(&self, mut operands: impl Iterator<Item = &'o Operand>) -> bool {
        operands.all(|operand| {
            operand.nested().all(|begin| {
                let nested = self.regions.fields.get(&begin);
                nested.is_some_and(|nested| self.computes(&self.code(*nested).1))
            })
        })
    }

    /// The property or variable of the document that a field shows, if the document has it.
    pub(super) fn property(&self, code: &FieldCode) -> Option<&Property> {
        let properties = &self.findings.properties;
        let argument = || code.arguments.first().and_then(Operand::literal);
        match &code.kind {
            FieldKind::DocProperty => properties.property(&argument()?),
            FieldKind::DocVariable => properties.variable(&argument()?),
            FieldKind::Unknown(name) if name.eq_ignore_ascii_case("INFO") => {
                properties.property(&argument()?)
            }
            FieldKind::Unknown(name) if PROPERTY_FIELDS.contains(&name.to_ascii_uppercase().as_str()) => {
                properties.property(name)
            }
            _ => None,
        }
    }

    fn is_set(&self, name: &str) -> bool {
        let name = name.trim().to_uppercase();
        self.findings.bookmarks.contains(&name)
    }

    fn formula(&self, code: &FieldCode) -> Option<Formula> {
        let expression = code.arguments.first()?;
        Formula::parse(expression, &self.findings.picture, self.findings.list_separator).ok()
    }

    /// Tells whether a formula refers to the cells of the table between these atoms.
    pub(super) fn refers_to_cells(&self, from: usize, to: usize) -> bool {
        self.regions.fields.range(from..to).any(|(_, field)| {
            let (_, code) = self.code(*field);
            code.kind == FieldKind::Formula
                && code.code.to_ascii_uppercase().split(|it: char| !it.is_ascii_alphanumeric()).any(is_cell)
        })
    }

    /// Understands a field that [computes](Compiler::computes); a fault is reported.
    pub(super) fn computed(&mut self, field: Field, code: &FieldCode, enclosing: &Enclosing) -> Option<Show> {
        let text = |compiler: &mut Self, operand: Option<&Operand>| {
            operand.map(|operand| compiler.operand(operand, enclosing)).unwrap_or_default()
        };
        let source = match &code.kind {
            FieldKind::MergeField => return self.merge_field(field, code, enclosing),
            FieldKind::MergeRec => Source::Record,
            FieldKind::MergeSeq => Source::Sequence,
            FieldKind::Date => Source::Today,
            FieldKind::Time => Source::Now,
            FieldKind::AddressBlock | FieldKind::GreetingLine => self.address(field, code, enclosing),
            FieldKind::Quote => {
                let parts = code.arguments.iter().flat_map(|it| self.operand(it, enclosing)).collect();
                Source::Text(parts)
            }
            FieldKind::FillIn => self.answer(field, code, code.arguments.first(), enclosing),
            FieldKind::Compare => Source::Truth(self.comparison(code, field, enclosing)?),
            FieldKind::If => {
                let condition = self.comparison(code, field, enclosing)?;
                let comparison = code.comparison()?;
                let then = text(self, comparison.rest.first());
                let otherwise = text(self, comparison.rest.get(1));
                Source::Choice { condition, then, otherwise }
            }
            FieldKind::Formula => {
                let formula = self.formula(code)?;
                let mut nested = Vec::new();
                for begin in code.arguments.iter().flat_map(Operand::nested) {
                    if let Some(inner) = self.regions.fields.get(&begin).copied() {
                        let inner_code = self.code(inner).1;
                        nested.extend(self.computed(inner, &inner_code, enclosing).map(|show| (begin, show)));
                    }
                }
                Source::Formula { formula, nested, is_rounded: code.switch('#').is_none() }
            }
            FieldKind::Ref => {
                Source::Bookmark(code.arguments.first().and_then(Operand::literal)?.trim().to_owned())
            }
            FieldKind::Unknown(name) if self.is_set(name) => Source::Bookmark(name.clone()),
            _ => Source::Property(Arc::clone(&self.property(code)?.text)),
        };
        let show = self.formatted(field, code, source);
        self.watch(&show, field, code);
        Some(show)
    }

    /// Notes the names whose values a field may not be able to show as its switches ask.
    pub(super) fn watch(&mut self, show: &Show, field: Field, code: &FieldCode) {
        let place = self.story.place(field.begin, code.code.trim());
        self.findings.watched.add_field(show, &place);
    }

    /// Gives a value the switches of its field, and reports what is odd about the field's code.
    pub(super) fn formatted(&mut self, field: Field, code: &FieldCode, source: Source) -> Show {
        let (format, warnings) = Format::of(code, &self.findings.picture);
        let place = self.story.place(field.begin, code.code.trim());
        for warning in warnings {
            let fault = Fault::UnknownSwitch { switch: warning.to_string().replace("unknown format ", "") };
            self.findings.warnings.push(Problem::new(fault, place.clone()));
        }
        for warning in &code.warnings {
            self.findings.warnings.push(Problem::new(Fault::OddCode(warning.clone()), place.clone()));
        }
        let run = self.story.atoms[field.begin..field.end].iter().find_map(|atom| match &atom.what {
            What::Instruction { run, .. } | What::Piece { run, .. } => Some(*run),
            _ => None,
        });
        let language = self.findings.languages.of_run(self.story, run, field.begin);
        Show { source, format, language, before: String::new(), after: String::new() }
    }

    /// Understands the comparison that a field begins with.
    pub(super) fn comparison(
        &mut self,
        code: &FieldCode,
        field: Field,
        enclosing: &Enclosing,
    ) -> Option<Condition> {
        let comparison = code.comparison()?;
        let left = self.operand(comparison.left, enclosing);
        let right = self.operand(comparison.right, enclosing);
        let language = self.findings.languages.of_run(self.story, None, field.begin);
        Some(Condition::Compare { left, operator: comparison.operator, right, language })
    }

    /// Understands an operand, nested fields included.
    pub(super) fn operand(&mut self, operand: &Operand, enclosing: &Enclosing) -> Vec<TextPart> {
        let mut parts = Vec::new();
        for part in &operand.parts {
            match &part.content {
                PartContent::Text(text) => parts.push(TextPart::Literal(text.clone())),
                PartContent::LineBreak | PartContent::ParagraphEnd => {
                    parts.push(TextPart::Literal("\n".to_owned()));
                }
                PartContent::Tab => parts.push(TextPart::Literal("\t".to_owned())),
                PartContent::Nested(begin) => {
                    let Some(nested) = self.regions.fields.get(begin).copied() else { continue };
                    let (_, code) = self.code(nested);
                    if code.kind != FieldKind::MergeField {
                        self.list_field(nested, &code, "");
                    }
                    let show = self.computed(nested, &code, enclosing);
                    parts.extend(show.map(|show| TextPart::Show(Box::new(show))));
                }
            }
        }
        parts
    }

    /// Understands SET and ASK: what a bookmark is to hold.
    pub(super) fn set_field(&mut self, field: Field, code: &FieldCode, enclosing: &Enclosing) -> Option<Op> {
        let Some(bookmark) = code.arguments.first().and_then(Operand::literal) else {
            let fault = Fault::IncompleteField { keyword: keyword(code), missing: "the bookmark" };
            self.problem(field, code, fault);
            return None;
        };
        let bookmark = bookmark.trim().to_owned();
        let text = if code.kind == FieldKind::Ask {
            let source = self.answer(field, code, code.arguments.first(), enclosing);
            vec![TextPart::Show(Box::new(Show::plain(source)))]
        } else if self.all_compute(code.arguments.iter().skip(1)) {
            code.arguments.get(1).map(|text| self.operand(text, enclosing)).unwrap_or_default()
        } else {
            self.problem(field, code, Fault::UnsupportedField { keyword: keyword(code) });
            return None;
        };
        Some(Op::Set { bookmark, text })
    }

    /// The answer to ASK or FILLIN: the value named `answers.` with the bookmark or the question, else that of `\d`.
    fn answer(
        &mut self,
        field: Field,
        code: &FieldCode,
        question: Option<&Operand>,
        enclosing: &Enclosing,
    ) -> Source {
        let question = question.and_then(Operand::literal).unwrap_or_default();
        // ASK is answered by its bookmark, or by its question as FILLIN is.
        let asked = Some(&code.arguments).filter(|_| code.kind == FieldKind::Ask).and_then(|it| it.get(1));
        let candidates = asked.and_then(Operand::literal).map(|asked| format!("answers.{}", asked.trim()));
        let default = code.switch('d').map(|switch| {
            switch.argument.as_ref().map(|text| self.operand(text, enclosing)).unwrap_or_default()
        });
        let given = self.findings.names.add(NameUse {
            scope: 0,
            path: Path { up: 0, is_this: false, name: format!("answers.{}", question.trim()) },
            within: None,
            wanted: Wanted::Value,
            is_tag: false,
            is_optional: default.is_some(),
            candidates: candidates.into_iter().collect(),
        });
        self.findings.places.push(self.story.place(field.begin, code.code.trim()));
        Source::Answer { given, default: default.unwrap_or_default() }
    }

    /// Puts an operation in the place of a field that shows nothing.
    pub(super) fn effect(&mut self, field: Field, op: Op, enclosing: &Enclosing, builder: &mut Builder) {
        self.close_run(builder);
        self.replaced(field, enclosing, builder, |compiler, builder| {
            compiler.flush(builder);
            builder.ops.push(op);
        });
    }

    /// Writes a field that stays alive, with the result that it has at the moment of the letter.
    pub(super) fn refresh(
        &mut self,
        field: Field,
        code: &FieldCode,
        enclosing: &Enclosing,
        builder: &mut Builder,
    ) {
        let Some(show) = self.computed(field, code, enclosing) else { return };
        let Some(separate) = field.separate else {
            // A simple field holds nothing but its result.
            let run = self.result_run(field, code);
            self.raw_atom(field.begin, builder);
            self.show(show, run, builder);
            return self.raw_atom(field.end, builder);
        };
        for at in field.begin..=separate {
            self.raw_atom(at, builder);
        }
        let run = self.result_run(field, code);
        self.close_run(builder);
        self.show(show, run, builder);
        self.rest(separate + 1..field.end, field.end, enclosing, builder);
        self.raw_atom(field.end, builder);
    }

    /// Tells whether a form of content is followed by another form of it.
    pub(super) fn has_twin(&self, close: usize) -> bool {
        use super::super::xml::Element;
        self.story.atoms[close + 1..]
            .iter()
            .find_map(|atom| match &atom.what {
                What::Open { element, .. } => Some(matches!(element, Element::Choice | Element::Fallback)),
                What::Close { .. } => Some(false),
                _ => None,
            })
            .unwrap_or(false)
    }
}

/// The fields that show the property of their name (ECMA-376 Part 1 §17.16.5, one clause each).
const PROPERTY_FIELDS: [&str; 6] = ["AUTHOR", "COMMENTS", "KEYWORDS", "LASTSAVEDBY", "SUBJECT", "TITLE"];

/// Tells whether a name in a formula means cells.
fn is_cell(name: &str) -> bool {
    let upper = name.to_ascii_uppercase();
    if matches!(upper.as_str(), "ABOVE" | "BELOW" | "LEFT" | "RIGHT") {
        return true;
    }
    let letters = upper.trim_end_matches(|it: char| it.is_ascii_digit());
    let is_a1 = !letters.is_empty() && letters.len() <= 2 && letters.len() < upper.len();
    is_a1 && letters.chars().all(|it| it.is_ascii_uppercase())
}
