//! Owns what each helper makes of its values, in the customs of the locale. Never fails: what cannot be shown as asked is
//! shown as it stands.

use std::borrow::Cow;
use std::cmp::Ordering;

use jiff::civil::DateTime;
use jiff::{Span, ToSpan};
use rust_decimal::prelude::ToPrimitive;
use rust_decimal::{Decimal, RoundingStrategy};

use super::super::format::{
    DatePicture, Format, FormatContext, moment, read_number, write_first_cap, write_lower, write_plain,
    write_upper,
};
use super::super::value::Value;
use super::call::Helper;

/// What a letter shows where not all of a column that is added up are numbers, as Word does in a table.
const NO_SUM: &str = "!Syntax Error";

/// Computes a helper.
pub(crate) fn of<'v>(
    helper: Helper,
    arguments: &[Cow<'v, Value>],
    context: &FormatContext,
) -> Cow<'v, Value> {
    const BLANK: &Value = &Value::Blank;
    let argument = |position: usize| arguments.get(position).map_or(BLANK, |it| it.as_ref());
    let given = |position: usize| arguments.get(position).cloned().unwrap_or_default();
    let ordering = || compare(argument(0), argument(1), context);
    let truth = |truth: bool| Cow::Owned(Value::Bool(truth));
    let text = |written: String| Cow::Owned(Value::text(written));
    let shown = |position: usize| shown(argument(position), context);
    match helper {
        Helper::Equal => truth(ordering() == Ordering::Equal),
        Helper::NotEqual => truth(ordering() != Ordering::Equal),
        Helper::Less => truth(ordering() == Ordering::Less),
        Helper::LessOrEqual => truth(ordering() != Ordering::Greater),
        Helper::Greater => truth(ordering() == Ordering::Greater),
        Helper::GreaterOrEqual => truth(ordering() != Ordering::Less),
        Helper::And => truth(arguments.iter().all(|it| it.is_true())),
        Helper::Or => truth(arguments.iter().any(|it| it.is_true())),
        Helper::Not => truth(!argument(0).is_true()),
        Helper::Default => given(usize::from(argument(0).is_blank())),
        Helper::Upper => text(written(|into| write_upper(&shown(0), &context.language, into))),
        Helper::Lower => text(written(|into| write_lower(&shown(0), &context.language, into))),
        Helper::Capitalize => text(written(|into| write_first_cap(&shown(0), &context.language, into))),
        Helper::Trim => text(shown(0).trim().to_owned()),
        Helper::Date => match moment(argument(0), context) {
            Some((moment, _)) => text(date(moment, argument(1), context)),
            None => given(0),
        },
        Helper::AddDays => {
            shifted(argument(0), argument(1), context, |n| n.days()).unwrap_or_else(|| given(0))
        }
        Helper::AddMonths => {
            shifted(argument(0), argument(1), context, |n| n.months()).unwrap_or_else(|| given(0))
        }
        Helper::AddYears => {
            shifted(argument(0), argument(1), context, |n| n.years()).unwrap_or_else(|| given(0))
        }
        Helper::Number => match number(argument(0), context) {
            Some(number) => text(pictured(number, argument(1), context)),
            None => given(0),
        },
        Helper::Money => match number(argument(0), context) {
            Some(amount) => text(money(amount, &shown(1), context)),
            None => given(0),
        },
        Helper::Plural => {
            let is_one = form(argument(0), context) == 1;
            given(if is_one { 1 } else { 2 })
        }
        Helper::PluralForms => {
            let fitting = given(form(argument(0), context) + 1);
            if fitting.is_blank() { arguments.last().cloned().unwrap_or_default() } else { fitting }
        }
        Helper::List => {
            let items = (0..arguments.len()).map(shown).filter(|it| !it.is_empty()).collect();
            text(list(items, None, context))
        }
    }
}

/// Adds up numbers; blanks count for nothing.
pub(crate) fn sum(values: &[&Value], context: &FormatContext) -> Value {
    let mut sum = Some(Decimal::ZERO);
    for value in values.iter().filter(|value| !value.is_blank()) {
        sum = number(value, context).and_then(|number| sum?.checked_add(number));
    }
    sum.map_or_else(|| Value::text(NO_SUM), Value::Number)
}

/// Puts values into one line: with a text between them, or as the locale lists them. Blanks are left out.
pub(crate) fn joined(values: &[&Value], separator: Option<&str>, context: &FormatContext) -> Value {
    let items = values.iter().map(|it| shown(it, context)).filter(|it| !it.is_empty()).collect();
    Value::text(list(items, separator, context))
}

fn list(items: Vec<String>, separator: Option<&str>, context: &FormatContext) -> String {
    match separator {
        Some(separator) => items.join(separator),
        None => context.styles.list(&items).unwrap_or_else(|| items.join(", ")),
    }
}

fn date(moment: DateTime, look: &Value, context: &FormatContext) -> String {
    let look = match look {
        Value::Text(look) => look.as_str(),
        _ => "long",
    };
    match context.styles.date(moment, look) {
        Some(date) => date,
        None if look == "short" => written(|into| context.output.write_short_date(moment.date(), into)),
        None => written(|into| DatePicture::parse(look).write(moment, &context.language, into)),
    }
}

/// Moves a date; the last day of a month stays one where the other month is shorter. Nothing for what is no date, no
/// number, or beyond the calendar.
fn shifted<'v>(
    value: &Value,
    by: &Value,
    context: &FormatContext,
    span: impl Fn(i32) -> Span,
) -> Option<Cow<'v, Value>> {
    let (from, _) = moment(value, context)?;
    // So many days, months or years are more than the calendar has, but a span can hold them.
    let by = number(by, context)?.to_i32().filter(|by| by.abs() < 10_000)?;
    let to = from.checked_add(span(by)).ok()?;
    let has_time = matches!(value, Value::DateTime(_));
    Some(Cow::Owned(if has_time { Value::DateTime(to) } else { Value::Date(to.date()) }))
}

fn pictured(number: Decimal, look: &Value, context: &FormatContext) -> String {
    let rounded = match look {
        Value::Text(picture) => {
            let mut format = Format::default();
            // A picture has nothing that could be unknown.
            let _warning = format.add('#', picture, &context.picture);
            return written(|into| {
                let _warning = format.write(&Value::Number(number), context, into);
            });
        }
        Value::Number(decimals) => {
            let decimals = decimals.to_u32().unwrap_or(0);
            let mut rounded = number.round_dp_with_strategy(decimals, RoundingStrategy::MidpointAwayFromZero);
            rounded.rescale(decimals);
            rounded
        }
        _ => number,
    };
    context.styles.number(rounded).unwrap_or_else(|| rounded.to_string())
}

/// An amount in a currency; what is no currency stands behind the amount as it is.
fn money(amount: Decimal, code: &str, context: &FormatContext) -> String {
    context.styles.money(amount, code.trim()).unwrap_or_else(|| {
        let amount = pictured(amount, &Value::Number(Decimal::TWO), context);
        format!("{amount} {code}").trim_end().to_owned()
    })
}

fn form(value: &Value, context: &FormatContext) -> usize {
    number(value, context).map_or(5, |number| context.styles.plural(number.normalize()))
}

/// Compares as dates where one is a date, as numbers where both are, else as they would be shown.
fn compare(left: &Value, right: &Value, context: &FormatContext) -> Ordering {
    let is_date = |value: &Value| matches!(value, Value::Date(_) | Value::DateTime(_));
    if (is_date(left) || is_date(right))
        && let (Some((left, _)), Some((right, _))) = (moment(left, context), moment(right, context))
    {
        return left.cmp(&right);
    }
    match (number(left, context), number(right, context)) {
        (Some(left), Some(right)) => left.cmp(&right),
        _ => shown(left, context).cmp(&shown(right, context)),
    }
}

/// Reads a value as a number; text is read in the customs of the data's locale.
fn number(value: &Value, context: &FormatContext) -> Option<Decimal> {
    match value {
        Value::Number(number) => Some(*number),
        Value::Text(text) => text.trim().parse().ok().or_else(|| read_number(text, &context.data.symbols)),
        Value::Blank | Value::Bool(_) | Value::Date(_) | Value::DateTime(_) | Value::Rows(_) => None,
    }
}

fn shown(value: &Value, context: &FormatContext) -> String {
    written(|into| write_plain(value, context, into))
}

fn written(write: impl FnOnce(&mut String)) -> String {
    let mut text = String::new();
    write(&mut text);
    text
}
