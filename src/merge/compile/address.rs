//! Owns the compiling of ADDRESSBLOCK and GREETINGLINE: which names their parts ask for.

use super::super::address::{AddressFormat, AddressPart, CountryRule};
use super::super::field_code::{FieldCode, FieldKind, Operand};
use super::super::region::Field;
use super::super::scope::{Enclosing, NameUse, Wanted};
use super::super::show::{AddressForm, Source};
use super::super::tag::Path;
use super::Compiler;
use super::field::keyword;

impl Compiler<'_> {
    /// Understands an address block or a greeting. A part that no name fits is blank; one of them must have a name.
    pub(super) fn address(&mut self, field: Field, code: &FieldCode, enclosing: &Enclosing) -> Source {
        let argument = |name: char| {
            let argument = code.switch(name).and_then(|switch| switch.argument.as_ref());
            argument.and_then(Operand::literal).unwrap_or_default()
        };
        let is_block = code.kind == FieldKind::AddressBlock;
        let written = Some(argument('f')).filter(|format| !format.trim().is_empty());
        let usual = if is_block { AddressFormat::ADDRESS } else { AddressFormat::GREETING };
        let format = AddressFormat::parse(written.as_deref().unwrap_or(usual));
        let form = if is_block {
            AddressForm::Block(CountryRule::parse(&argument('c'), &argument('e')))
        } else {
            AddressForm::Greeting(argument('e'))
        };
        let first = self.findings.names.uses().len();
        let mut parts: Vec<(AddressPart, usize)> = Vec::new();
        for part in format.parts() {
            if parts.iter().any(|(known, _)| *known == part) {
                continue;
            }
            let (name, candidates) = self.part_names(part);
            let number = self.findings.names.add(NameUse {
                scope: enclosing.scope,
                path: Path { up: 0, is_this: false, name },
                within: enclosing.within.clone(),
                wanted: Wanted::Value,
                is_tag: false,
                is_optional: true,
                candidates,
            });
            self.findings.places.push(self.story.place(field.begin, code.code.trim()));
            parts.push((part, number));
        }
        self.findings.names.close_group(first, keyword(code));
        Source::Address { format, parts, form }
    }

    /// The names to ask for a part of the address book: the column that Word maps to it, then what it is called.
    pub(super) fn part_names(&self, part: AddressPart) -> (String, Vec<String>) {
        let called = part.names().iter().map(|name| (*name).to_owned()).collect();
        match self.findings.mapped.get(&part) {
            Some(mapped) => (mapped.clone(), called),
            None => (part.name().to_owned(), called),
        }
    }
}
