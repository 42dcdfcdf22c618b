//! Owns what a field comes to for one letter: where its value is from, and what its switches make of it.

use std::borrow::Cow;
use std::sync::Arc;

use super::address::{AddressFormat, AddressPart, CountryRule};
use super::condition::{self, Operator};
use super::evaluate::Frames;
use super::format::{Format, write_plain};
use super::formula::{self, Formula, Scope, TableCells};
use super::scope::NameNo;
use super::tag::Expression;
use super::value::Value;

/// A value with what its field's switches make of it.
#[derive(Debug)]
pub(crate) struct Show {
    pub(crate) source: Source,
    pub(crate) format: Format,
    /// The number of the language of the field's run.
    pub(crate) language: usize,
    /// Text before and after the value, if it is not blank (`\b`, `\f`).
    pub(crate) before: String,
    pub(crate) after: String,
}

/// Where a value comes from.
#[derive(Debug)]
pub(crate) enum Source {
    /// A name, or what a tag makes of names.
    Data(Expression<NameNo>),
    /// Text that may hold fields.
    Text(Vec<TextPart>),
    /// The first text if the condition holds, else the second.
    Choice {
        condition: Condition,
        then: Vec<TextPart>,
        otherwise: Vec<TextPart>,
    },
    /// 1 if the condition holds, else 0.
    Truth(Condition),
    /// A calculation; the fields inside it by their numbers.
    Formula {
        formula: Formula,
        nested: Vec<(usize, Show)>,
        is_rounded: bool,
    },
    /// The text that SET or ASK gave a bookmark.
    Bookmark(String),
    /// The text of a property or variable of the document.
    Property(Arc<[TextPart]>),
    /// The number of the record in the data.
    Record,
    /// The number of the record among those that are merged.
    Sequence,
    /// The clock of the run: a date, or with the time of day.
    Today,
    Now,
    /// The parts of an address book in the format of an address or a greeting; those that have names.
    Address {
        format: AddressFormat,
        parts: Vec<(AddressPart, NameNo)>,
        form: AddressForm,
    },
    /// The first that is not blank: an answer, and what holds without one.
    Answer {
        given: NameNo,
        default: Vec<TextPart>,
    },
}

/// What an address format is for.
#[derive(Debug)]
pub(crate) enum AddressForm {
    Block(CountryRule),
    /// A greeting, with the line that stands in for it when a part is blank.
    Greeting(String),
}

/// A part of an operand.
#[derive(Debug)]
pub(crate) enum TextPart {
    Literal(String),
    Show(Box<Show>),
}

/// What is decided for each letter.
#[derive(Debug)]
pub(crate) enum Condition {
    Tag(Expression<NameNo>),
    Compare { left: Vec<TextPart>, operator: Operator, right: Vec<TextPart>, language: usize },
}

impl Show {
    /// A value without switches.
    pub(crate) fn plain(source: Source) -> Show {
        Show { source, format: Format::default(), language: 0, before: String::new(), after: String::new() }
    }

    /// Tells whether the field shows anything; `scratch` is empty, and may not be afterwards.
    pub(crate) fn shows_something<'f>(&'f self, frames: &Frames<'f>, scratch: &mut String) -> bool {
        match &self.source {
            Source::Data(expression) if self.format.is_plain() => {
                let value = frames.evaluate(expression);
                !value.is_blank() && !matches!(*value, Value::Rows(_))
            }
            _ => {
                self.write(frames, scratch);
                !scratch.is_empty()
            }
        }
    }

    /// Returns what the field shows if that is a text of the data as it stands, which most fields show.
    pub(crate) fn text_as_it_stands<'f>(&'f self, frames: &Frames<'f>) -> Option<&'f str> {
        match &self.source {
            Source::Data(expression)
                if self.format.is_plain() && self.before.is_empty() && self.after.is_empty() =>
            {
                match frames.evaluate(expression) {
                    Cow::Borrowed(Value::Text(text)) => Some(text),
                    _ => None,
                }
            }
            _ => None,
        }
    }

    /// Writes what the field shows.
    pub(crate) fn write<'f>(&'f self, frames: &Frames<'f>, out: &mut String) {
        let value = self.source.value(frames, self.language);
        if value.is_blank() {
            return;
        }
        out.push_str(&self.before);
        let context = frames.context(self.language);
        if self.format.is_plain() {
            write_plain(&value, context, out);
        } else {
            // What cannot be shown as asked is shown plainly.
            let _warning = self.format.write(&value, context, out);
        }
        out.push_str(&self.after);
    }
}

impl Source {
    fn value<'f>(&'f self, frames: &Frames<'f>, language: usize) -> Cow<'f, Value> {
        Cow::Owned(match self {
            Source::Data(expression) => return frames.evaluate(expression),
            Source::Text(parts) => operand(parts, frames),
            Source::Property(parts) => operand(parts, frames),
            Source::Choice { condition, then, otherwise } => {
                operand(if condition.holds(frames) { then } else { otherwise }, frames)
            }
            Source::Truth(condition) => Value::Number(u8::from(condition.holds(frames)).into()),
            Source::Formula { formula, nested, is_rounded } => {
                let mut scope = Calculation { nested, frames };
                let symbols = &frames.context(language).data.symbols;
                match formula.calculate(&mut scope, symbols) {
                    Ok(result) if *is_rounded => Value::Number(formula::round_for_display(result)),
                    Ok(result) => Value::Number(result),
                    Err(error) => Value::Text(error.word_text()),
                }
            }
            Source::Bookmark(name) => frames.bookmark(name).cloned().unwrap_or_default(),
            Source::Record => Value::Number(frames.record_number().into()),
            Source::Sequence => Value::Number(frames.sequence_number().into()),
            Source::Today => Value::Date(frames.now().date()),
            Source::Now => Value::DateTime(frames.now()),
            Source::Address { format, parts, form } => {
                let value = |part| {
                    let name = parts.iter().find(|(known, _)| *known == part);
                    name.map(|(_, name)| frames.text(frames.value(*name))).unwrap_or_default()
                };
                Value::text(match form {
                    AddressForm::Block(country) => format.address(country, value),
                    AddressForm::Greeting(fallback) => format.greeting(fallback, value),
                })
            }
            Source::Answer { given, default } => match frames.value(*given) {
                answer if answer.is_blank() => operand(default, frames),
                answer => return Cow::Borrowed(answer),
            },
        })
    }
}

impl Condition {
    /// Tells whether the condition holds for this letter.
    pub(crate) fn holds<'f>(&'f self, frames: &Frames<'f>) -> bool {
        match self {
            Condition::Tag(expression) => frames.evaluate(expression).is_true(),
            Condition::Compare { left, operator, right, language } => {
                let (left, right) = (operand(left, frames), operand(right, frames));
                condition::holds(&left, *operator, &right, frames.context(*language))
            }
        }
    }
}

/// The value of an operand: that of its one field if it shows it as it is, else text.
pub(crate) fn operand<'f>(parts: &'f [TextPart], frames: &Frames<'f>) -> Value {
    if let [TextPart::Show(show)] = parts
        && show.format.is_plain()
        && show.before.is_empty()
        && show.after.is_empty()
    {
        return show.source.value(frames, show.language).into_owned();
    }
    let mut text = String::new();
    for part in parts {
        match part {
            TextPart::Literal(literal) => text.push_str(literal),
            TextPart::Show(show) => show.write(frames, &mut text),
        }
    }
    Value::text(text)
}

/// What a formula can refer to.
struct Calculation<'c, 'f> {
    nested: &'f [(usize, Show)],
    frames: &'c Frames<'f>,
}

impl Scope for Calculation<'_, '_> {
    fn nested(&mut self, number: usize) -> Value {
        let Some((_, show)) = self.nested.iter().find(|(nested, _)| *nested == number) else {
            return Value::Blank;
        };
        let mut text = String::new();
        show.write(self.frames, &mut text);
        Value::text(text)
    }

    fn name(&mut self, name: &str) -> Option<Value> {
        self.frames.bookmark(name).cloned()
    }

    fn table(&mut self) -> Option<&dyn TableCells> {
        self.frames.grid().map(|grid| grid as &dyn TableCells)
    }
}
