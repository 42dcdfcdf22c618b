//! Owns the texts of a document beside its stories: its properties and its variables, which may hold tags, and which
//! fields show.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use super::compile::Findings;
use super::problem::{Fault, Place, Problem};
use super::program::{Op, Program, Static, Target};
use super::show::{Show, Source, TextPart};
use super::text;
use super::xml::{Document, Kind};

/// What the fields DOCPROPERTY and DOCVARIABLE, INFO and those of single properties can show, by name in upper case.
#[derive(Debug, Default)]
pub(crate) struct Properties {
    properties: BTreeMap<String, Property>,
    variables: BTreeMap<String, Property>,
}

/// The text of a property or variable.
#[derive(Clone, Debug)]
pub(crate) struct Property {
    pub(crate) text: Arc<[TextPart]>,
    /// Whether it has tags.
    pub(crate) is_merged: bool,
}

impl Properties {
    /// Finds a property of the document by the name that Word shows.
    pub(crate) fn property(&self, name: &str) -> Option<&Property> {
        self.properties.get(&name.trim().to_uppercase())
    }

    /// Finds a variable of the document.
    pub(crate) fn variable(&self, name: &str) -> Option<&Property> {
        self.variables.get(&name.trim().to_uppercase())
    }
}

/// Understands a part of properties: core, extended or custom. Returns what writes it, if it has tags.
pub(crate) fn read_properties(part: &str, document: &Document, findings: &mut Findings) -> Option<Program> {
    let mut custom = None;
    let mut spans = Vec::new();
    for (at, token) in document.tokens().iter().enumerate() {
        let Kind::Open(end) = token.kind else { continue };
        if document.local(at) == "property" {
            custom = document.attribute(at, "name");
        }
        let is_leaf = document.tokens()[at + 1..end].iter().all(|inner| inner.kind == Kind::Text);
        if !is_leaf {
            continue;
        }
        let name = custom.clone().unwrap_or_else(|| called(document.local(at)));
        let property = understood(&document.text(at), part, findings);
        if property.is_merged {
            spans.push((token.span.end..document.tokens()[end].span.start, Arc::clone(&property.text)));
        }
        findings.properties.properties.insert(name.to_uppercase(), property);
    }
    program(document, spans)
}

/// Understands the variables in the settings (`w:docVars`). Returns what writes the settings, if one of them has tags.
pub(crate) fn read_variables(part: &str, document: &Document, findings: &mut Findings) -> Option<Program> {
    let mut spans = Vec::new();
    for (at, token) in document.tokens().iter().enumerate() {
        if !token.is_start() || document.local(at) != "docVar" {
            continue;
        }
        let (Some(name), Some(value)) = (document.attribute(at, "name"), document.attribute(at, "val"))
        else {
            continue;
        };
        let variable = understood(&value, part, findings);
        if variable.is_merged
            && let Some(within) = value_span(document.slice(token.span.clone()))
        {
            let start = token.span.start;
            spans.push((start + within.start..start + within.end, Arc::clone(&variable.text)));
        }
        findings.properties.variables.insert(name.to_uppercase(), variable);
    }
    program(document, spans)
}

/// What Word calls a property that has another name in the file.
fn called(element: &str) -> String {
    match element {
        "creator" => "Author",
        "description" => "Comments",
        "lastModifiedBy" => "LastSavedBy",
        other => other,
    }
    .to_owned()
}

fn understood(source: &str, part: &str, findings: &mut Findings) -> Property {
    let literal = || -> Arc<[TextPart]> { vec![TextPart::Literal(source.to_owned())].into() };
    if !source.contains("{{") {
        return Property { text: literal(), is_merged: false };
    }
    let place = Place { part: part.to_owned(), paragraph: 0, code: source.trim().to_owned() };
    match text::parts(source, &mut findings.names) {
        Ok(parts) => {
            findings.note_names(place);
            Property { text: parts.into(), is_merged: true }
        }
        Err(error) => {
            findings.note_names(place.clone());
            findings.problems.push(Problem::new(Fault::Tag(error), place));
            Property { text: literal(), is_merged: false }
        }
    }
}

/// The bytes of the attribute `val` within a tag, without its quotes.
fn value_span(tag: &str) -> Option<Range<usize>> {
    ['"', '\''].into_iter().find_map(|quote| {
        let start = tag.find(&format!("val={quote}"))? + "val=.".len();
        Some(start..start + tag[start..].find(quote)?)
    })
}

/// What writes a part with texts in place of some of its spans; nothing without spans.
fn program(document: &Document, spans: Vec<(Range<usize>, Arc<[TextPart]>)>) -> Option<Program> {
    if spans.is_empty() {
        return None;
    }
    let mut program = Program::default();
    let mut at = 0;
    let fixed = |program: &mut Program, span: Range<usize>| {
        let bytes = document.slice(span).as_bytes().to_vec();
        program.statics.push(Static { bytes, ..Static::default() });
        program.ops.push(Op::Static(program.statics.len() - 1));
    };
    for (span, text) in spans {
        fixed(&mut program, at..span.start);
        let show = Box::new(Show::plain(Source::Property(text)));
        program.ops.push(Op::Show { show, target: Target::Attribute });
        at = span.end;
    }
    fixed(&mut program, at..document.source().len());
    Some(program)
}
