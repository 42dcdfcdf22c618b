//! Owns what is odd about values: a text that may be either of two dates, a number that cannot be shown as a field's
//! switches ask. A field is told of once, at the first record with such a value.

use std::collections::BTreeSet;

use super::format::{Format, FormatContext};
use super::problem::{Fault, Place, Problem};
use super::scope::{NameNo, Names, Slot};
use super::show::{Show, Source, TextPart};
use super::tag::Expression;
use super::tag::call::Helper;
use super::value::Frame;

/// The fields of one template that were told of.
#[derive(Clone, Debug, Default)]
pub struct Told {
    fields: BTreeSet<usize>,
}

/// The fields whose format does not fit every value, and the tags that read a date.
#[derive(Clone, Debug, Default)]
pub(crate) struct WatchList {
    watched: Vec<Watched>,
}

#[derive(Clone, Debug)]
struct Watched {
    name: NameNo,
    format: Format,
    /// The number of the language of the field's run.
    language: usize,
    place: Place,
}

impl WatchList {
    /// Adds a field, if there are values that it may not be able to show.
    pub(crate) fn add_field(&mut self, show: &Show, place: &Place) {
        if show.format.may_warn() {
            self.add(formatted_names(&show.source), (&show.format, show.language), place);
        }
    }

    /// Adds a tag, if it reads a date.
    pub(crate) fn add_tag(&mut self, source: &Source, place: &Place) {
        if let Source::Data(expression) = source {
            self.add(dated_names(expression), (&Format::of_date(), 0), place);
        }
    }

    fn add(&mut self, names: Vec<NameNo>, (format, language): (&Format, usize), place: &Place) {
        // The two copies of a text box have the same field.
        if self.watched.iter().all(|it| it.place != *place) {
            let (format, place) = (format.clone(), place.clone());
            let watched = |name| Watched { name, format: format.clone(), language, place: place.clone() };
            self.watched.extend(names.into_iter().map(watched));
        }
    }

    /// Tells whether no value can be odd.
    pub(crate) fn is_empty(&self) -> bool {
        self.watched.is_empty()
    }

    /// Finds what is odd about the values of a record, in the fields that were not told of.
    pub(crate) fn find(
        &self,
        (names, slots): (&Names, &[Slot]),
        (record, contexts): (&Frame, &[FormatContext]),
        told: &mut Told,
    ) -> Vec<Problem> {
        let mut found = Vec::new();
        for (number, field) in self.watched.iter().enumerate() {
            let Some(context) = contexts.get(field.language).or_else(|| contexts.first()) else { continue };
            if told.fields.contains(&number) {
                continue;
            }
            let values = names.values(field.name, slots, record);
            if let Some(warning) = values.into_iter().find_map(|value| field.format.warning(value, context)) {
                told.fields.insert(number);
                found.push(Problem::new(Fault::OddValue(warning), field.place.clone()));
            }
        }
        found
    }
}

/// The names whose values a field formats itself.
fn formatted_names(source: &Source) -> Vec<NameNo> {
    let of_parts = |parts: &[TextPart]| {
        let shows = parts.iter().filter_map(|part| match part {
            TextPart::Show(show) if show.format.is_plain() => Some(formatted_names(&show.source)),
            TextPart::Show(_) | TextPart::Literal(_) => None,
        });
        shows.flatten().collect::<Vec<_>>()
    };
    match source {
        Source::Data(Expression::Name(name)) => vec![*name],
        // A text of several parts is no date and no number.
        Source::Text(parts) if parts.len() == 1 => of_parts(parts),
        Source::Choice { then, otherwise, .. } => {
            [then, otherwise].into_iter().flat_map(|it| of_parts(it)).collect()
        }
        Source::Answer { given, default } => [vec![*given], of_parts(default)].concat(),
        _ => Vec::new(),
    }
}

/// The names that a tag reads as dates.
fn dated_names(expression: &Expression<NameNo>) -> Vec<NameNo> {
    let Expression::Call(helper, arguments) = expression else { return Vec::new() };
    let reads_date = matches!(helper, Helper::Date | Helper::AddDays | Helper::AddMonths | Helper::AddYears);
    let of_argument = |(position, argument): (usize, &Expression<NameNo>)| match argument {
        Expression::Name(name) if reads_date && position == 0 => vec![*name],
        argument => dated_names(argument),
    };
    arguments.iter().enumerate().flat_map(of_argument).collect()
}
