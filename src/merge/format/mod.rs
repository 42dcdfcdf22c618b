//! Owns formatting: a typed value and a field's `\@`, `\#` and `\*` switches to the text that is shown.
//! Never fails: what cannot be shown as asked is shown plainly, with a warning.

mod date_picture;
mod date_text;
mod letter_case;
mod locale;
mod number;
mod number_words;
mod numeric_picture;
mod styles;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use jiff::civil::{DateTime, Time};
use rust_decimal::prelude::ToPrimitive;
use rust_decimal::{Decimal, RoundingStrategy};

use crate::merge::field_code::FieldCode;
use crate::merge::value::Value;

pub use date_picture::DatePicture;
pub use date_text::{ReadDate, read as read_date};
pub use locale::{LocaleData, Locales, NumberSymbols};
pub use number::{read as read_number, read_within as read_number_within};
pub use numeric_picture::NumericPicture;
pub use styles::Styles;

pub(crate) use letter_case::{write_first_cap, write_lower, write_upper};
pub(crate) use styles::DATE_STYLES;

/// The languages and signs that formatting depends on. Nothing else does: no environment, no machine.
#[derive(Clone, Debug)]
pub struct FormatContext {
    /// The language of the field code's run: names of months and days, letter case, number words.
    pub language: Arc<LocaleData>,
    /// The locale of the printed number and of a date without a picture.
    pub output: Arc<LocaleData>,
    /// The locale in which texts of the data are read as numbers and dates.
    pub data: Arc<LocaleData>,
    /// The signs that mean decimal and group in the document's pictures and formulas (`w:decimalSymbol`).
    pub picture: NumberSymbols,
    /// What separates the arguments of a formula's functions (`w:listSeparator`).
    pub list_separator: char,
    /// What the locale of the output writes by patterns of its own.
    pub styles: Arc<Styles>,
}

/// How a field shows its value: its `\@`, `\#` and `\*` switches, understood.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Format {
    date: Option<DatePicture>,
    number: Option<NumericPicture>,
    numeral: Option<GeneralFormat>,
    cases: Vec<GeneralFormat>,
}

/// What a general format switch `\*` asks for.
///
/// Source: ECMA-376 Part 1 §17.16.4.3 General formatting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GeneralFormat {
    /// `Upper`: all letters in upper case.
    Upper,
    /// `Lower`: all letters in lower case.
    Lower,
    /// `FirstCap`: the first letter of the first word in upper case.
    FirstCap,
    /// `Caps`: the first letter of each word in upper case.
    Caps,
    /// `Arabic`: digits.
    Arabic,
    /// `ArabicDash`: digits between dashes, `- 31 -`.
    ArabicDash,
    /// `roman`: lower-case Roman numerals.
    LowerRoman,
    /// `ROMAN`: upper-case Roman numerals.
    UpperRoman,
    /// `alphabetic`: a to z, aa to zz, …
    LowerAlphabetic,
    /// `ALPHABETIC`: A to Z, AA to ZZ, …
    UpperAlphabetic,
    /// `CardText`: seven hundred ninety.
    CardText,
    /// `OrdText`: twenty-first.
    OrdText,
    /// `Ordinal`: 21st.
    Ordinal,
    /// `DollarText`: fourteen and 55/100.
    DollarText,
    /// `Hex`: hexadecimal.
    Hex,
    /// `MERGEFORMAT`: the formatting of the old result; says nothing about the text.
    MergeFormat,
    /// `CHARFORMAT`: the formatting of the keyword's first letter; says nothing about the text.
    CharFormat,
}

impl GeneralFormat {
    /// Returns the format of that name. Case decides only between `roman` and `ROMAN`, `alphabetic` and
    /// `ALPHABETIC`, by the first letter.
    pub fn from_name(name: &str) -> Option<GeneralFormat> {
        let is_upper = name.starts_with(|first: char| first.is_ascii_uppercase());
        Some(match name.to_ascii_lowercase().as_str() {
            "upper" => GeneralFormat::Upper,
            "lower" => GeneralFormat::Lower,
            "firstcap" => GeneralFormat::FirstCap,
            "caps" => GeneralFormat::Caps,
            "arabic" => GeneralFormat::Arabic,
            "arabicdash" => GeneralFormat::ArabicDash,
            "roman" if is_upper => GeneralFormat::UpperRoman,
            "roman" => GeneralFormat::LowerRoman,
            "alphabetic" if is_upper => GeneralFormat::UpperAlphabetic,
            "alphabetic" => GeneralFormat::LowerAlphabetic,
            "cardtext" => GeneralFormat::CardText,
            "ordtext" => GeneralFormat::OrdText,
            "ordinal" => GeneralFormat::Ordinal,
            "dollartext" => GeneralFormat::DollarText,
            "hex" => GeneralFormat::Hex,
            "mergeformat" => GeneralFormat::MergeFormat,
            "charformat" => GeneralFormat::CharFormat,
            _ => return None,
        })
    }
}

/// What could not be shown as its switches ask.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FormatWarning {
    /// The name after `\*` is no format; it is ignored.
    #[error("unknown format `\\* {name}`")]
    UnknownFormat {
        /// The name as written.
        name: String,
    },
    /// Day and month of a text date could be swapped as well.
    #[error("date `{text}` is ambiguous; it is read as {read}")]
    AmbiguousDate {
        /// The text of the data.
        text: String,
        /// What it is taken for.
        read: jiff::civil::Date,
    },
    /// The number is too large, negative or zero for the format; its digits are shown.
    #[error("number {number} cannot be shown as `\\* {format:?}`")]
    NumberOutOfRange {
        /// The number.
        number: Decimal,
        /// What was asked for.
        format: GeneralFormat,
    },
    /// Number words are known in English only; the digits are shown.
    #[error("there are no number words in `{language}` for `\\* {format:?}`")]
    NoNumberWords {
        /// The language of the run.
        language: String,
        /// What was asked for.
        format: GeneralFormat,
    },
}

impl FormatWarning {
    /// Returns what to do about it.
    pub fn help(&self) -> Option<String> {
        match self {
            FormatWarning::UnknownFormat { .. } => None,
            FormatWarning::AmbiguousDate { read, .. } => Some(format!(
                "the locale decides which number is the month; a date written as `{read}` means the same everywhere"
            )),
            FormatWarning::NumberOutOfRange { .. } | FormatWarning::NoNumberWords { .. } => {
                Some("its digits are shown; have the words as a column of the data".to_owned())
            }
        }
    }

    /// Returns the stable name of the warning: the variant in kebab case.
    pub fn id(&self) -> &'static str {
        match self {
            FormatWarning::UnknownFormat { .. } => "unknown-format",
            FormatWarning::AmbiguousDate { .. } => "ambiguous-date",
            FormatWarning::NumberOutOfRange { .. } => "number-out-of-range",
            FormatWarning::NoNumberWords { .. } => "no-number-words",
        }
    }
}

impl FormatContext {
    /// Returns a context in which everything is of one locale.
    pub fn of(locale: Arc<LocaleData>) -> FormatContext {
        FormatContext {
            picture: locale.symbols.clone(),
            list_separator: if locale.symbols.decimal == "," { ';' } else { ',' },
            styles: Arc::new(Styles::of(&locale.tag)),
            language: Arc::clone(&locale),
            output: Arc::clone(&locale),
            data: locale,
        }
    }
}

impl Format {
    /// Reads the switches of a field whose arguments are literal. A switch whose argument holds a nested field is
    /// left out: evaluate it and [`add`](Format::add) it.
    pub fn of(code: &FieldCode, picture: &NumberSymbols) -> (Format, Vec<FormatWarning>) {
        let mut format = Format::default();
        let mut warnings = Vec::new();
        for switch in &code.switches {
            if let Some(argument) = switch.argument.as_ref().and_then(|argument| argument.literal()) {
                warnings.extend(format.add(switch.name, &argument, picture));
            }
        }
        (format, warnings)
    }

    /// Adds a switch by its name, `@`, `#` or `*`; other names and empty arguments say nothing.
    pub fn add(&mut self, name: char, argument: &str, picture: &NumberSymbols) -> Option<FormatWarning> {
        match name {
            _ if argument.trim().is_empty() => {}
            '@' => self.date = Some(DatePicture::parse(argument)),
            '#' => self.number = Some(NumericPicture::parse(argument, picture)),
            '*' => match GeneralFormat::from_name(argument.trim()) {
                None => return Some(FormatWarning::UnknownFormat { name: argument.trim().to_owned() }),
                Some(GeneralFormat::MergeFormat | GeneralFormat::CharFormat) => {}
                Some(format) if format.is_case() => self.cases.push(format),
                Some(format) => {
                    self.numeral.get_or_insert(format);
                }
            },
            _ => {}
        }
        None
    }

    /// Tells whether text is shown as it is.
    pub fn is_plain(&self) -> bool {
        self.date.is_none() && self.number.is_none() && self.numeral.is_none() && self.cases.is_empty()
    }

    /// Returns a format that reads its value as a date.
    pub(crate) fn of_date() -> Format {
        Format { date: Some(DatePicture::parse("d")), ..Format::default() }
    }

    /// Tells whether there are values that the format cannot show, or that it may read in two ways.
    pub(crate) fn may_warn(&self) -> bool {
        self.date.is_some() || self.numeral.is_some()
    }

    /// Returns what is odd about showing a value so.
    pub(crate) fn warning(&self, value: &Value, context: &FormatContext) -> Option<FormatWarning> {
        // Typed dates are what they are, and most values are.
        match value {
            Value::Text(_) | Value::Number(_) => self.write(value, context, &mut String::new()),
            Value::Blank | Value::Bool(_) | Value::Date(_) | Value::DateTime(_) | Value::Rows(_) => None,
        }
    }

    /// Writes `value` as the switches ask: `\@` first, then `\#`, then `\*`, in whatever order they stand.
    ///
    /// A blank shows nothing, with any picture. Text that is no date or has no number stays as it is. Rows show
    /// nothing.
    pub fn write(&self, value: &Value, context: &FormatContext, into: &mut String) -> Option<FormatWarning> {
        if value.is_blank() {
            return None;
        }
        let start = into.len();
        let (number, mut warning) = self.write_pictured(value, context, into);
        if let Some(numeral) = self.numeral {
            let number = number.or_else(|| read_number(&into[start..], &context.output.symbols));
            if let Some(number) = number {
                into.truncate(start);
                warning = write_numeral(number, numeral, context, into).or(warning);
            }
        }
        for case in &self.cases {
            let text = into.split_off(start);
            match case {
                GeneralFormat::Upper => letter_case::write_upper(&text, &context.language, into),
                GeneralFormat::Lower => letter_case::write_lower(&text, &context.language, into),
                GeneralFormat::FirstCap => letter_case::write_first_cap(&text, &context.language, into),
                GeneralFormat::Caps => letter_case::write_caps(&text, &context.language, into),
                _ => into.push_str(&text),
            }
        }
        warning
    }

    /// Writes the value with its pictures; returns the number, if it is one and no picture has changed it.
    fn write_pictured(
        &self,
        value: &Value,
        context: &FormatContext,
        into: &mut String,
    ) -> (Option<Decimal>, Option<FormatWarning>) {
        if let Some(picture) = &self.date
            && let Some((moment, warning)) = moment(value, context)
        {
            picture.write(moment, &context.language, into);
            return (None, warning);
        }
        let number = match value {
            Value::Number(number) => Some(*number),
            Value::Text(text) if self.number.is_some() => read_number_within(text, &context.data.symbols),
            Value::Text(text) if self.numeral.is_some() => read_number(text, &context.data.symbols),
            _ => None,
        };
        match (&self.number, number) {
            (Some(picture), Some(number)) => {
                picture.write(number, &context.output.symbols, into);
                (None, None)
            }
            _ => {
                write_plain(value, context, into);
                (number, None)
            }
        }
    }
}

impl GeneralFormat {
    /// Tells whether the format is about letters, not numbers.
    fn is_case(self) -> bool {
        matches!(
            self,
            GeneralFormat::Upper | GeneralFormat::Lower | GeneralFormat::FirstCap | GeneralFormat::Caps
        )
    }
}

/// Writes a value without switches: text untouched, a number without groups and exponent and with the decimal sign
/// of the output, a date in its short numeric form, a truth value as `TRUE` or `FALSE`, rows as nothing.
pub fn write_plain(value: &Value, context: &FormatContext, into: &mut String) {
    match value {
        Value::Blank | Value::Rows(_) => {}
        Value::Text(text) => into.push_str(text),
        Value::Number(number) => number::write_plain(*number, &context.output.symbols, into),
        Value::Bool(true) => into.push_str("TRUE"),
        Value::Bool(false) => into.push_str("FALSE"),
        Value::Date(date) => context.output.write_short_date(*date, into),
        Value::DateTime(moment) => {
            context.output.write_short_date(moment.date(), into);
            if moment.time() != Time::midnight() {
                into.push(' ');
                let clock = if context.output.has_half_days() { "h:mm am/pm" } else { "HH:mm" };
                DatePicture::parse(clock).write(*moment, &context.output, into);
            }
        }
    }
}

/// The moment that `\@` shows; none if the value is no date.
pub(crate) fn moment(value: &Value, context: &FormatContext) -> Option<(DateTime, Option<FormatWarning>)> {
    match value {
        Value::Date(date) => Some((date.to_datetime(Time::midnight()), None)),
        Value::DateTime(moment) => Some((*moment, None)),
        Value::Text(text) => {
            let read = read_date(text, &context.data)?;
            let warning = read
                .is_ambiguous
                .then(|| FormatWarning::AmbiguousDate { text: text.clone(), read: read.moment.date() });
            Some((read.moment, warning))
        }
        Value::Blank | Value::Number(_) | Value::Bool(_) | Value::Rows(_) => None,
    }
}

fn write_numeral(
    number: Decimal,
    format: GeneralFormat,
    context: &FormatContext,
    into: &mut String,
) -> Option<FormatWarning> {
    let start = into.len();
    let whole = number.round_dp_with_strategy(0, RoundingStrategy::MidpointAwayFromZero);
    let limit = |least: u64, most: u64| whole.to_u64().filter(|whole| (least..=most).contains(whole));
    let is_english = context.language.language() == "en";
    let is_word = matches!(
        format,
        GeneralFormat::CardText | GeneralFormat::OrdText | GeneralFormat::Ordinal | GeneralFormat::DollarText
    );
    if is_word && !is_english {
        number::write_plain(number, &context.output.symbols, into);
        return Some(FormatWarning::NoNumberWords { language: context.language.tag.clone(), format });
    }
    let in_words = limit(0, number_words::MOST_IN_WORDS);
    let written = match format {
        GeneralFormat::ArabicDash => {
            into.push_str("- ");
            number::write_plain(number, &context.output.symbols, into);
            into.push_str(" -");
            Some(())
        }
        GeneralFormat::UpperRoman | GeneralFormat::LowerRoman => {
            limit(1, number_words::MOST_IN_ROMAN).map(|whole| number_words::write_roman(whole, into))
        }
        GeneralFormat::UpperAlphabetic | GeneralFormat::LowerAlphabetic => {
            limit(1, number_words::MOST_IN_LETTERS).map(|whole| number_words::write_letters(whole, into))
        }
        GeneralFormat::CardText => in_words.map(|whole| number_words::write_cardinal(whole, into)),
        GeneralFormat::OrdText => in_words.map(|whole| number_words::write_ordinal_words(whole, into)),
        GeneralFormat::Ordinal => limit(0, u64::MAX).map(|whole| number_words::write_ordinal(whole, into)),
        GeneralFormat::DollarText => number
            .round_dp_with_strategy(2, RoundingStrategy::MidpointAwayFromZero)
            .checked_mul(Decimal::ONE_HUNDRED)
            .and_then(|cents| cents.to_u64())
            .filter(|cents| *cents < (number_words::MOST_IN_WORDS + 1) * 100)
            .map(|cents| number_words::write_dollars(cents, into)),
        GeneralFormat::Hex => limit(0, u64::MAX).map(|whole| into.push_str(&format!("{whole:X}"))),
        GeneralFormat::Arabic
        | GeneralFormat::Upper
        | GeneralFormat::Lower
        | GeneralFormat::FirstCap
        | GeneralFormat::Caps
        | GeneralFormat::MergeFormat
        | GeneralFormat::CharFormat => {
            number::write_plain(number, &context.output.symbols, into);
            Some(())
        }
    };
    if matches!(format, GeneralFormat::LowerRoman | GeneralFormat::LowerAlphabetic) {
        let capitals = into.split_off(start);
        into.push_str(&capitals.to_ascii_lowercase());
    }
    if written.is_some() {
        return None;
    }
    number::write_plain(number, &context.output.symbols, into);
    Some(FormatWarning::NumberOutOfRange { number, format })
}
