//! Owns the compiling of Word's fields: what each becomes, by its kind, its operands and its switches.

use std::collections::BTreeMap;

use super::super::address::AddressPart;
use super::super::field_code::{FieldCode, FieldKind, Operand, PartContent};
use super::super::format::GeneralFormat;
use super::super::instruction::{self, CodePiece, Mark};
use super::super::problem::{Fault, Place, Problem};
use super::super::program::{Branch, Op};
use super::super::region::Field;
use super::super::scope::{Enclosing, NameUse, Wanted};
use super::super::show::{Show, Source};
use super::super::story::What;
use super::super::tag::{Expression, Path};
use super::super::template::FieldUse;
use super::super::xml::Element;
use super::picture::picture_name;
use super::{Builder, Code, Compiler};

impl Compiler<'_> {
    pub(super) fn field(&mut self, field: Field, enclosing: &Enclosing, builder: &mut Builder) {
        if self.regions.marks.contains_key(&field.begin) {
            return self.replaced(field, enclosing, builder, |_, _| {});
        }
        let (pieces, code) = self.code(field);
        let keyword = keyword(&code);
        if self.is_locked(field) || code.kind == FieldKind::Empty {
            return self.keep_field(field, enclosing, builder);
        }
        if code.kind == FieldKind::MergeBarcode {
            return self.barcode(field, &code, enclosing, builder);
        }
        if code.kind != FieldKind::MergeField {
            self.list_field(field, &code, "");
        }
        if self.picture_field(field, &code, enclosing, builder) {
            return;
        }
        match code.kind {
            FieldKind::If if self.can_compute(&code, &pieces) => {
                self.if_field(field, &code, &pieces, enclosing, builder);
            }
            FieldKind::Set | FieldKind::Ask => {
                if let Some(op) = self.set_field(field, &code, enclosing) {
                    self.effect(field, op, enclosing, builder);
                }
            }
            FieldKind::Next | FieldKind::NextIf if !self.is_main() => {
                // Not allowed there by ECMA-376 Part 1 §17.16.5 Field definitions (NEXT, NEXTIF).
                let place = self.story.place(field.begin, code.code.trim());
                self.findings.warnings.push(Problem::new(Fault::OutsideBody { keyword }, place));
                self.replaced(field, enclosing, builder, |_, _| {});
            }
            FieldKind::Next => {
                self.findings.takes_several = true;
                self.effect(field, Op::Next(None), enclosing, builder);
            }
            FieldKind::NextIf | FieldKind::SkipIf => match self.comparison(&code, field, enclosing) {
                Some(condition) => {
                    let is_next = code.kind == FieldKind::NextIf;
                    self.findings.takes_several |= is_next;
                    let op = if is_next { Op::Next(Some(condition)) } else { Op::Skip(condition) };
                    self.effect(field, op, enclosing, builder);
                }
                None => {
                    let fault = Fault::IncompleteField { keyword, missing: "the comparison" };
                    self.problem(field, &code, fault);
                }
            },
            FieldKind::Date | FieldKind::Time if field.separate.is_some() && !field.is_simple => {
                self.refresh(field, &code, enclosing, builder);
            }
            // The property has the value of the letter, so Word shows the same whenever it updates the field.
            _ if self.property(&code).is_some_and(|property| property.is_merged)
                && !self.in_code.is_code()
                && (field.is_simple || field.separate.is_some()) =>
            {
                self.refresh(field, &code, enclosing, builder);
            }
            _ if self.property(&code).is_some() => self.keep_field(field, enclosing, builder),
            _ if !matches!(code.kind, FieldKind::Date | FieldKind::Time) && self.computes(&code) => {
                if let Some(show) = self.computed(field, &code, enclosing) {
                    self.close_run(builder);
                    let run = self.result_run(field, &code);
                    self.replaced(field, enclosing, builder, |compiler, builder| {
                        compiler.show(show, run, builder);
                    });
                }
            }
            FieldKind::IncludeText
            | FieldKind::Database
            | FieldKind::Link
            | FieldKind::Dde
            | FieldKind::DdeAuto
            | FieldKind::MacroButton => {
                let place = self.story.place(field.begin, code.code.trim());
                self.findings.warnings.push(Problem::new(Fault::NotExecuted { keyword }, place));
                self.keep_field(field, enclosing, builder);
            }
            _ => self.keep_field(field, enclosing, builder),
        }
    }

    /// Tells whether the part is the main one, with the body.
    fn is_main(&self) -> bool {
        self.story.atoms.iter().any(|atom| matches!(atom.what, What::Open { element: Element::Body, .. }))
    }

    /// Lists a field among those of the template.
    pub(super) fn list_field(&mut self, field: Field, code: &FieldCode, name: &str) {
        let Place { part, paragraph, code: written } = self.story.place(field.begin, code.code.trim());
        let (name, kind) = (name.to_owned(), keyword(code));
        self.findings.fields.push(FieldUse { name, kind, code: written, part, paragraph });
    }

    pub(super) fn problem(&mut self, field: Field, code: &FieldCode, fault: Fault) {
        let place = self.story.place(field.begin, code.code.trim());
        self.findings.problems.push(Problem::new(fault, place));
    }

    /// Understands a MERGEFIELD; a fault is reported.
    pub(super) fn merge_field(
        &mut self,
        field: Field,
        code: &FieldCode,
        enclosing: &Enclosing,
    ) -> Option<Show> {
        let keyword = || "MERGEFIELD".to_owned();
        let Some(name) = code.arguments.first().and_then(Operand::literal).filter(|it| !it.trim().is_empty())
        else {
            self.problem(field, code, Fault::IncompleteField { keyword: keyword(), missing: "the name" });
            return None;
        };
        let name = name.trim().to_owned();
        if is_command(&name) {
            self.list_field(field, code, &name);
            self.problem(field, code, Fault::UnsupportedField { keyword: format!("MERGEFIELD {name}") });
            return None;
        }
        Some(self.named_field(field, code, name, enclosing))
    }

    /// Understands a MERGEFIELD that shows the value of `name`.
    pub(super) fn named_field(
        &mut self,
        field: Field,
        code: &FieldCode,
        name: String,
        enclosing: &Enclosing,
    ) -> Show {
        self.list_field(field, code, &name);
        let mut show = self.formatted(field, code, Source::Text(Vec::new()));
        for switch in &code.switches {
            let argument = switch.argument.as_ref().and_then(Operand::literal).unwrap_or_default();
            match switch.name {
                'b' => show.before = argument,
                'f' => show.after = argument,
                _ => {}
            }
        }
        let (name, candidates) = match code.switch('m').and_then(|_| AddressPart::from_name(&name)) {
            Some(part) => {
                let (mapped, mut called) = self.part_names(part);
                if mapped == part.name() {
                    (name, called)
                } else {
                    called.insert(0, name);
                    (mapped, called)
                }
            }
            None => (name, Vec::new()),
        };
        let path = Path { up: 0, is_this: false, name };
        let number = self.findings.names.add(NameUse {
            scope: enclosing.scope,
            path,
            within: enclosing.within.clone(),
            wanted: Wanted::Value,
            is_tag: false,
            is_optional: false,
            candidates,
        });
        self.findings.places.push(self.story.place(field.begin, code.code.trim()));
        show.source = Source::Data(Expression::Name(number));
        self.watch(&show, field, code);
        show
    }

    /// Compiles an IF whose operands are known when the letter is made.
    pub(super) fn if_field(
        &mut self,
        field: Field,
        code: &FieldCode,
        pieces: &[(usize, CodePiece)],
        enclosing: &Enclosing,
        builder: &mut Builder,
    ) {
        let (Some(condition), Some(comparison)) =
            (self.comparison(code, field, enclosing), code.comparison())
        else {
            let fault = Fault::IncompleteField { keyword: keyword(code), missing: "the comparison" };
            return self.problem(field, code, fault);
        };
        let then = self.branch(field, pieces, comparison.rest.first(), enclosing);
        let otherwise = self.branch(field, pieces, comparison.rest.get(1), enclosing);
        self.close_run(builder);
        self.flush(builder);
        builder.ops.push(Op::If(vec![
            Branch { condition: Some(condition), ops: then },
            Branch { condition: None, ops: otherwise },
        ]));
    }

    /// Compiles a branch of an IF with everything between its quotes: text, fields, paragraphs, tables, pictures.
    pub(super) fn branch(
        &mut self,
        field: Field,
        pieces: &[(usize, CodePiece)],
        operand: Option<&Operand>,
        enclosing: &Enclosing,
    ) -> Vec<Op> {
        let Some(operand) = operand.filter(|operand| !operand.parts.is_empty()) else {
            return self.nothing(field.begin, field.end + 1, enclosing);
        };
        let (Some(first), Some(last)) =
            (piece_at(pieces, operand.range.start), piece_at(pieces, operand.range.end.saturating_sub(1)))
        else {
            return self.nothing(field.begin, field.end + 1, enclosing);
        };
        if field.is_simple {
            let text = operand.literal().unwrap_or_default();
            let run = self.result_run(field, &self.code(field).1);
            let mut builder = Builder::default();
            self.literal(&text, run, &mut builder);
            return self.finish(builder);
        }
        let start = pieces[first].0;
        let end = match pieces[last].1 {
            CodePiece::Nested(begin) => self.regions.fields.get(&begin).map_or(begin, |field| field.end) + 1,
            _ => pieces[last].0 + 1,
        };
        let mut text: BTreeMap<usize, String> = BTreeMap::new();
        for part in &operand.parts {
            if let PartContent::Text(literal) = &part.content
                && let Some((atom, _)) = pieces.get(part.piece)
            {
                text.entry(*atom).or_default().push_str(literal);
            }
        }
        let outer_text = std::mem::replace(&mut self.branch_text, text);
        let mut builder = Builder::default();
        self.rest(field.begin..start, start, enclosing, &mut builder);
        let ops = self.range(start, end, 0, enclosing);
        self.append(ops, &mut builder);
        self.rest(end..field.end + 1, field.end + 1, enclosing, &mut builder);
        self.branch_text = outer_text;
        self.finish(builder)
    }

    /// Writes a field that stays: its marks, its code with the values of fields inside it, its result.
    pub(super) fn keep_field(&mut self, field: Field, enclosing: &Enclosing, builder: &mut Builder) {
        if field.is_simple {
            self.raw_atom(field.begin, builder);
            let ops = self.range(field.begin + 1, field.end, 0, enclosing);
            self.append(ops, builder);
            self.raw_atom(field.end, builder);
            return;
        }
        self.field_start(field, enclosing, builder);
        if let Some(separate) = field.separate {
            let outer_text = std::mem::take(&mut self.branch_text);
            let ops = self.range(separate + 1, field.end, 0, enclosing);
            self.append(ops, builder);
            self.branch_text = outer_text;
        }
        self.raw_atom(field.end, builder);
    }

    /// Writes the start of a field that stays: up to its separator, or to its end if it has none.
    pub(super) fn field_start(&mut self, field: Field, enclosing: &Enclosing, builder: &mut Builder) {
        let code_end = field.separate.unwrap_or(field.end);
        self.raw_atom(field.begin, builder);
        let was_in_code = self.in_code;
        let (address, is_whole) = self.address_of(field);
        let outer_text = std::mem::take(&mut self.branch_text);
        let mut at = field.begin + 1;
        while at < code_end {
            match self.regions.fields.get(&at).copied() {
                Some(nested) if nested.end < code_end => {
                    self.in_code = match address.iter().position(|begin| *begin == at) {
                        Some(0) if is_whole => Code::Address,
                        Some(_) => Code::AddressPart,
                        None => Code::Inside,
                    };
                    self.field(nested, enclosing, builder);
                    at = nested.end + 1;
                }
                _ => {
                    self.raw_atom(at, builder);
                    at += 1;
                }
            }
        }
        self.in_code = was_in_code;
        self.branch_text = outer_text;
        if field.separate.is_some() {
            self.raw_atom(code_end, builder);
        }
    }

    /// The fields in the address of a HYPERLINK, and whether the first of them begins it.
    fn address_of(&self, field: Field) -> (Vec<usize>, bool) {
        let code = self.code(field).1;
        match code.arguments.first().filter(|_| code.kind == FieldKind::Hyperlink) {
            Some(address) => {
                let first = address.parts.first().map(|part| &part.content);
                (address.nested().collect(), matches!(first, Some(PartContent::Nested(_))))
            }
            None => (Vec::new(), false),
        }
    }

    /// Writes something in place of a field, and what has to stay of the field around it.
    pub(super) fn replaced(
        &mut self,
        field: Field,
        enclosing: &Enclosing,
        builder: &mut Builder,
        write: impl FnOnce(&mut Self, &mut Builder),
    ) {
        let rest = self.rest_of(field.begin, field.end + 1);
        let is_start = |at: &usize| {
            matches!(self.story.atoms[*at].what, What::Raw { element: Element::BookmarkStart, .. })
        };
        let n_before = rest.atoms.iter().take_while(|at| is_start(at)).count();
        let (before, after) = rest.atoms.split_at(n_before);
        for at in before {
            self.left_atom(*at, enclosing, builder);
        }
        write(self, builder);
        for at in after {
            self.left_atom(*at, enclosing, builder);
        }
    }

    /// Reads the code of a field; each piece with the atom that it comes from.
    pub(super) fn code(&self, field: Field) -> (Vec<(usize, CodePiece)>, FieldCode) {
        instruction::read(self.story, &self.regions.fields, field)
    }

    pub(super) fn is_locked(&self, field: Field) -> bool {
        let token = match &self.story.atoms[field.begin].what {
            What::Begin { token, .. } | What::Open { token, .. } => *token,
            _ => return false,
        };
        let locked = self.story.document.attribute(token, "fldLock");
        matches!(locked.as_deref(), Some("1" | "true" | "on"))
    }

    /// Tells whether a field keeps the look of its old result: it has the switch `\* MERGEFORMAT`.
    pub(super) fn keeps_formatting(&self, code: &FieldCode) -> bool {
        code.switches.iter().any(|switch| {
            let argument = switch.argument.as_ref().and_then(Operand::literal);
            switch.name == '*'
                && argument.and_then(|name| GeneralFormat::from_name(name.trim()))
                    == Some(GeneralFormat::MergeFormat)
        })
    }

    /// The run whose formatting a field's value takes: of the old result with MERGEFORMAT, else of the code.
    pub(super) fn result_run(&self, field: Field, code: &FieldCode) -> Option<usize> {
        let first_run = |from: usize, to: usize| {
            self.story.atoms[from..to].iter().find_map(|atom| match &atom.what {
                What::Piece { run, is_visible: true, .. } | What::Text { run, .. } => Some(*run),
                _ => None,
            })
        };
        if field.is_simple {
            return first_run(field.begin, field.end);
        }
        let code_end = field.separate.unwrap_or(field.end);
        let from_result = || first_run(code_end, field.end);
        let from_code = || {
            self.story.atoms[field.begin..code_end].iter().find_map(|atom| match &atom.what {
                What::Instruction { run, text, .. } if !text.trim().is_empty() => Some(*run),
                _ => None,
            })
        };
        if self.keeps_formatting(code) {
            from_result().or_else(from_code)
        } else {
            from_code().or_else(from_result)
        }
    }
}

/// Finds the piece that a byte of the code belongs to.
fn piece_at(pieces: &[(usize, CodePiece)], offset: usize) -> Option<usize> {
    let mut end = 0;
    pieces.iter().position(|(_, piece)| {
        end += piece.size();
        offset < end
    })
}

/// Tells whether a field's name is one of the commands that mail merge libraries write as names.
fn is_command(name: &str) -> bool {
    picture_name(name).is_some() || Mark::parse(name).is_some()
}

pub(super) fn keyword(code: &FieldCode) -> String {
    code.code.split_whitespace().next().unwrap_or_default().to_uppercase()
}
